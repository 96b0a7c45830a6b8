//! Merging neighbouring categories for a smallest cell: no fewer merges do it, and those with the fewest people are taken.

#![allow(clippy::panic, clippy::unwrap_used)] // Helpers of tests, too, fail by panicking.

mod common;

use cintx_quota::{Axis, Budget, Joint, SolveError, Table, TableError};
use common::{Random, builder, cases, exists};

/// Random tables for each property.
const CASES: u64 = 300;

/// All ways to merge neighbours: for each category, whether it is one with the one before.
fn every_way(length: usize) -> Vec<Vec<bool>> {
    (0..1_usize << (length - 1))
        .map(|bits| (0..length).map(|at| at > 0 && bits >> (at - 1) & 1 == 1).collect())
        .collect()
}

fn summed(counts: &[u64], joined: &[bool]) -> Vec<u64> {
    let mut sums: Vec<u64> = Vec::new();
    for (count, joined) in counts.iter().zip(joined) {
        match sums.last_mut() {
            Some(last) if *joined => *last += count,
            _ => sums.push(*count),
        }
    }
    sums
}

fn people(counts: &[u64], joined: &[bool]) -> u64 {
    let is_merged = |at: usize| joined[at] || joined.get(at + 1).copied().unwrap_or(false);
    (0..counts.len()).filter(|at| is_merged(*at)).map(|at| counts[at]).sum()
}

#[test]
fn no_fewer_merges_do_it() {
    let mut random = Random(91);
    let mut merged = 0;
    for case in 0..cases(CASES) {
        let lengths = [random.between(2, 5) as usize, random.between(2, 4) as usize];
        let total = random.between(10, 80);
        let margins: Vec<Vec<u64>> = lengths.iter().map(|length| random.margin(*length, total)).collect();
        let smallest = random.between(1, 5);
        // A category that nobody asked for is no obstacle, and merging is not asked for because of it.
        if margins.iter().flatten().any(|count| *count == 0) {
            continue;
        }
        let mut best: Option<(usize, u64)> = None;
        for rows in every_way(lengths[0]) {
            for columns in every_way(lengths[1]) {
                let new = [summed(&margins[0], &rows), summed(&margins[1], &columns)];
                let cells = new[0].len() * new[1].len();
                let count = lengths[0] + lengths[1] - new[0].len() - new[1].len();
                let worth = (count, people(&margins[0], &rows) + people(&margins[1], &columns));
                let works = || exists(&new, &vec![smallest; cells], &vec![u64::MAX; cells]);
                if best.is_none_or(|best| worth < best) && works() {
                    best = Some(worth);
                }
            }
        }
        let table = builder(&margins).build().unwrap();
        match table.merge_for(smallest, &["a", "b"]) {
            Ok(found) => {
                let count = found.merges.iter().map(|merge| merge.categories.len() - 1).sum::<usize>();
                let of = |merge: &cintx_quota::Merge| {
                    merge.categories.iter().map(|at| margins[merge.axis][*at]).sum::<u64>()
                };
                let worth = (count, found.merges.iter().map(of).sum());
                assert_eq!(Some(worth), best, "case {case}: {margins:?} {smallest}");
                assert!(found.proved_fewest);
                assert!(found.table.solve().unwrap().cells().iter().all(|cell| *cell >= smallest), "case {case}");
                merged += u64::from(count > 0);
            }
            Err(SolveError::Infeasible(_)) => assert_eq!(best, None, "case {case}"),
            Err(error) => panic!("case {case}: {error}"),
        }
    }
    assert!(merged > 80, "{merged}");
}

#[test]
fn only_the_named_axes_are_touched_and_joint_margins_follow() {
    let table = Table::builder()
        .total(100)
        .axis(Axis::labels("age", ["18-34", "35-54", "55-74", "75+"]))
        .axis(Axis::labels("gender", ["men", "women"]))
        .axis(Axis::percentages("region", [("North", 60.0), ("South", 40.0)]))
        .joint(Joint::percentages(["age", "gender"], [20.0, 20.0, 18.0, 18.0, 8.0, 9.0, 2.0, 5.0]))
        .build()
        .unwrap();
    let merged = table.merge_for(3, &["age"]).unwrap();
    assert_eq!(merged.merges.iter().map(ToString::to_string).collect::<Vec<_>>(), ["55-74 + 75+"]);
    assert_eq!(merged.table.margin_targets(0), [20, 20, 18, 18, 10, 14]);
    assert_eq!(merged.table.solve().unwrap().margin(2), [60, 40]);
    let error = table.merge_for(3, &["device"]).unwrap_err();
    assert_eq!(error, TableError::NoSuchAxis { name: "device".into(), allowed: "age, gender, region".into() }.into());
    assert!(matches!(table.merge_for(60, &["age"]), Err(SolveError::Infeasible(_))));
    assert!(table.merge_for(1, &["age"]).unwrap().merges.is_empty());
}

/// What is asked about a smallest cell does not depend on the one that the table has.
#[test]
fn another_smallest_cell_takes_the_place_of_the_first() {
    let table = |smallest: u64| {
        Table::builder()
            .total(100)
            .axis(Axis::percentages("age", [("18-34", 40.0), ("35-54", 40.0), ("55-74", 16.0), ("75+", 4.0)]))
            .axis(Axis::percentages("region", [("North", 70.0), ("South", 30.0)]))
            .at_least([0, 0], 6)
            .smallest_cell(smallest)
            .build()
            .unwrap()
    };
    // What was spent so far is part of a table.
    let budget = Budget::unlimited();
    let merged = |table: &Table| {
        let merged = table.merge_for(5, &["age"]).unwrap();
        (merged.merges, merged.proved_fewest, merged.table.within(&budget))
    };
    let expected = merged(&table(0));
    assert_eq!(expected.0[0].to_string(), "55-74 + 75+");
    for smallest in [1, 5, 9] {
        assert_eq!(merged(&table(smallest)), expected, "{smallest}");
        assert_eq!(table(smallest).largest_smallest_cell().unwrap(), 2, "{smallest}");
    }
    assert_eq!(expected.2.least([0, 0]), Some(6));
    assert_eq!(merged(&expected.2).2, expected.2);
}

/// A category that may hold more than its target leaves more room.
#[test]
fn the_largest_smallest_cell_uses_tolerances() {
    let table = Table::builder()
        .total(100)
        .axis(Axis::percentages("age", [("18-34", 96.0), ("35+", 4.0)]).tolerance(0.5))
        .axis(Axis::percentages("region", [("North", 60.0), ("South", 40.0)]))
        .build()
        .unwrap();
    assert_eq!(table.largest_smallest_cell().unwrap(), 3);
}

/// Twelve by sixteen categories have 2^26 ways: then one after the other.
#[test]
fn very_many_categories_are_merged_one_by_one() {
    let rows: Vec<u64> = (1..=12).map(|at| at * 10).collect();
    let mut columns = vec![40; 16];
    columns[0] = 780 - 15 * 40;
    let table = builder(&[rows, columns]).build().unwrap();
    let merged = table.merge_for(5, &["a", "b"]).unwrap();
    assert!(!merged.proved_fewest && !merged.merges.is_empty());
    assert!(merged.table.solve().unwrap().cells().iter().all(|cell| *cell >= 5));
}

/// Where there are too many ways, one after the other comes to an end where any merging does it.
#[test]
fn fifteen_bands_are_merged_until_it_works() {
    let table = builder(&[vec![20; 15], vec![150, 150]]).build().unwrap();
    let merged = table.merge_for(35, &["a"]).unwrap();
    let taken: usize = merged.merges.iter().map(|merge| merge.categories.len() - 1).sum();
    assert!(!merged.proved_fewest);
    assert_eq!(taken, 12, "{:?}", merged.merges);
    assert!(merged.table.solve().unwrap().cells().iter().all(|cell| *cell >= 35));
    // One category is all that is left, and it is enough.
    let all = table.merge_for(150, &["a"]).unwrap();
    assert_eq!(all.merges[0].categories.len(), 15);
    assert!(matches!(table.merge_for(151, &["a"]), Err(SolveError::Infeasible(_))));
    // An axis that is named twice is merged once.
    assert_eq!(table.merge_for(11, &["a", "a"]).unwrap().merges, table.merge_for(11, &["a"]).unwrap().merges);
}
