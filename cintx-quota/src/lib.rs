//! Tables of whole numbers that meet every margin, or the reason why there is none.
//!
//! A survey wants 500 completes: so many of each age, so many from each region. Crossing the two asks for a
//! whole number in every cell, and the cells must add up to both. Rounding them one by one nearly always
//! breaks a margin. This crate finds the table that is nearest to the proportional one and keeps all of them:
//!
//! ```
//! use cintx_quota::{Axis, Table};
//!
//! let table = Table::builder()
//!     .total(500)
//!     .axis(Axis::percentages("age", [("18-34", 40.0), ("35-54", 35.0), ("55+", 25.0)]))
//!     .axis(Axis::percentages("region", [("North", 33.3), ("South", 33.3), ("West", 33.4)]))
//!     .exclude(["55+", "West"])       // nobody there: this cell stays empty
//!     .at_least(["18-34", "West"], 80)
//!     .build()?;
//! let solution = table.solve()?;
//!
//! assert_eq!(solution.margin(0), [200, 175, 125]);
//! assert_eq!(solution.margin(1), [167, 166, 167]);      // 166.5, 166.5 and 167 were asked for
//! assert_eq!(solution.at(["55+", "West"]), Some(0));
//! assert!(solution.at(["18-34", "West"]) >= Some(80));
//! assert!(solution.deviation() < 1.0);                  // each cell is the floor or the ceiling of the fit
//! assert_eq!(solution.certificate().total, 500);        // added up again, by other code than the solver's
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Where no table exists, the answer is a proof: data that anybody can check, and words.
//!
//! ```
//! use cintx_quota::{Axis, SolveError, Table};
//!
//! let table = Table::builder()
//!     .axis(Axis::counts("age", [("18-24", 120), ("25+", 80)]))
//!     .axis(Axis::counts("region", [("North", 60), ("South", 80), ("West", 60)]))
//!     .exclude(["18-24", "South"])
//!     .at_most(["18-24", "North"], 40)
//!     .at_most(["18-24", "West"], 40)
//!     .build()?;
//! let Err(SolveError::Infeasible(proof)) = table.solve() else { panic!("no such table exists") };
//!
//! assert_eq!(proof.to_string(), "18-24 needs 120, the allowed cells hold at most 80");
//! assert!(table.confirms(&proof));
//! # Ok::<(), cintx_quota::TableError>(())
//! ```
//!
//! # What is promised
//!
//! | | two margins | three and more |
//! |---|---|---|
//! | margins | all exact, or within their tolerance | all exact, or within their tolerance |
//! | each cell | if the fit converges: its floor or ceiling, and the nearest such table | whole; [`Solution::is_floor_or_ceiling`] says whether all are, [`Solution::deviation`] how far off the worst is |
//! | the fit | [`Fit::converged`] says whether it met its margins | the same; with excluded cells it may not converge |
//! | excluded cells, bounds | kept | kept |
//! | no table exists | always found out, with a [`Cut`] | found out with a [`Proof`], unless that takes too long (to decide it is NP-hard): [`SolveError::Unresolved`] |
//! | [`Table::rebalance`] | the smallest change, of those the fewest cells shut, of those the least distorted | a change, and how much more than the least it moves and distorts at most; up to 20,000 cells a search for less |
//! | [tolerances](Axis::tolerance) | the nearest targets for which there is a table | the same, unless the search takes too long |
//!
//! # What can be asked for
//!
//! - Margins of single axes in counts, percentages or shares ([`Axis`]), of several axes together ([`Joint`]), up to a
//!   nested table as it is; with a tolerance, ranges and an importance where not all can hold ([`Axis::tolerance`]).
//! - Cells that stay empty, with a least or a greatest; a [smallest cell](TableBuilder::smallest_cell) with the
//!   [largest that works](Table::largest_smallest_cell), the [least total](Table::least_total) that gives it, and
//!   [which neighbours to merge](Table::merge_for).
//! - In field: a [smallest change](Table::rebalance), [ways out](Table::ways_out) of an overfilled margin, another
//!   [total](Table::at_total), what a tracker's last wave missed, [on top](Table::carry_over) or
//!   [within the total](Table::carry_over_within), and what was [`achieved`].
//! - A [`Budget`] of work and time, which can be called off.
//! - A [`Solution`] as text, [CSV](Solution::to_csv) and [SVG](Solution::to_svg) ([`HeatMap`] for other
//!   tables); with the feature `serde`, as data.
//!
//! The same input gives the same output, on every machine. Of several tables that are equally near, the one
//! that is found depends on the order of the categories. Counts go up to [`Table::MAX_COUNT`]; cells up to what
//! the memory holds. Nothing here panics on data, recurses, or does I/O.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod achieved;
mod apportion;
mod axis;
mod budget;
mod builder;
mod certificate;
mod cut;
mod error;
mod fit;
mod joint;
mod lift;
mod merge;
mod overfilled;
mod proof;
mod rebalance;
mod shape;
mod slack;
mod solution;
mod solve;
mod sum;
mod svg;
mod table;
mod text;
mod together;
mod total;
mod tracker;

pub use achieved::{Achieved, achieved};
pub use apportion::{Apportionment, Rounded, apportion};
pub use axis::Axis;
pub use budget::{Budget, Stop};
pub use builder::TableBuilder;
pub use certificate::{Certificate, Violation};
pub use cut::Cut;
pub use error::{SolveError, TableError};
pub use fit::{Fit, FitError, Margin, fit};
pub use joint::Joint;
pub use merge::{Merge, Merged};
pub use overfilled::{Choice, Overfill, WayOut, WaysOut};
pub use proof::{Proof, Remainder, Split, Step};
pub use rebalance::{Change, Plan};
pub use shape::{Cell, Shape};
pub use slack::Shift;
pub use solution::{RoundedToNothing, Solution};
pub use svg::{Colours, HeatMap};
pub use table::Table;
pub use text::csv_field;
