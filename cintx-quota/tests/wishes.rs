//! What researchers ask for: a smallest cell, and what has been achieved.

#![allow(clippy::panic, clippy::unwrap_used)] // Helpers of tests, too, fail by panicking.

mod common;

use cintx_quota::{Axis, Joint, SolveError, Table, TableError, achieved};
use common::{Random, builder, every_table, exists, sums};

#[test]
fn achieved_is_what_weighting_every_single_complete_gives() {
    let mut random = Random(41);
    for case in 0..2_000 {
        let cells = random.between(1, 8) as usize;
        let targets: Vec<u64> = (0..cells).map(|_| random.below(30)).collect();
        let completes: Vec<u64> = (0..cells).map(|_| random.below(30)).collect();
        let achieved = achieved(&targets, &completes).unwrap();
        // Complete by complete, from the definitions.
        let single: Vec<f64> = (0..cells)
            .flat_map(|cell| (0..completes[cell]).map(move |_| cell))
            .map(|cell| targets[cell] as f64 / completes[cell] as f64)
            .collect();
        let (sum, squares): (f64, f64) = (single.iter().sum(), single.iter().map(|weight| weight * weight).sum());
        assert_eq!(achieved.design_effect.is_some(), sum > 0.0, "case {case}");
        let Some(effect) = achieved.design_effect else {
            assert_eq!(achieved.effective_sample_size, 0.0, "case {case}");
            continue;
        };
        let kish = single.len() as f64 * squares / (sum * sum);
        assert!((effect - kish).abs() < 1e-9 && effect > 1.0 - 1e-9, "case {case}: {effect} and {kish}");
        let size = sum * sum / squares;
        assert!((achieved.effective_sample_size - size).abs() < 1e-6, "case {case}");
        let weighted: f64 =
            achieved.weights.iter().zip(&completes).map(|(weight, count)| weight.unwrap_or(0.0) * *count as f64).sum();
        assert!((weighted - single.len() as f64).abs() < 1e-6, "case {case}");
        assert!((0.0..=1.0).contains(&achieved.misplaced) && (0.0..=1.0).contains(&achieved.uncovered), "case {case}");
    }
}

#[test]
fn a_proportional_sample_loses_nothing_and_bad_lists_are_refused() {
    let even = achieved(&[20, 30, 50], &[40, 60, 100]).unwrap();
    assert_eq!((even.design_effect, even.effective_sample_size), (Some(1.0), 200.0));
    assert_eq!((even.misplaced, even.uncovered), (0.0, 0.0));
    assert_eq!(achieved(&[], &[]).unwrap().design_effect, None);
    assert_eq!(achieved(&[10, 10], &[10, 0]).unwrap().uncovered, 0.5);
    assert!(matches!(achieved(&[1], &[]), Err(TableError::Length { given: 0, expected: 1, .. })));
    assert!(matches!(achieved(&[1], &[u64::MAX]), Err(TableError::TooLarge { .. })));
}

#[test]
fn the_largest_smallest_cell_agrees_with_all_tables_there_are() {
    let mut random = Random(42);
    let (mut some, mut none) = (0, 0);
    for case in 0..2_000 {
        let lengths = [random.between(1, 3) as usize, random.between(1, 3) as usize];
        let cells = lengths[0] * lengths[1];
        let excluded: Vec<bool> = (0..cells).map(|_| random.chance(15)).collect();
        let margins = sums(&random.whole_table(cells, 5, &excluded), &lengths);
        let most: Vec<u64> = excluded.iter().map(|excluded| if *excluded { 0 } else { u64::MAX }).collect();
        let seed = excluded.iter().map(|excluded| f64::from(u8::from(!excluded)));
        // A cell of a category that nobody asked for cannot hold anybody, and does not count.
        let counts =
            |cell: usize| !excluded[cell] && margins[0][cell / lengths[1]] > 0 && margins[1][cell % lengths[1]] > 0;
        let mut best = 0;
        every_table(&margins[0], &margins[1], &vec![0; cells], &most, &mut |table| {
            best = best.max((0..cells).filter(|cell| counts(*cell)).map(|cell| table[cell]).min().unwrap_or(0));
        });
        let table = builder(&margins).seed(seed.clone()).build().unwrap();
        let found = table.largest_smallest_cell().unwrap();
        assert_eq!(found, best, "case {case}: {margins:?} {excluded:?}");
        if best > 0 {
            some += 1
        } else {
            none += 1
        }
        let table = builder(&margins).seed(seed.clone()).smallest_cell(best).build().unwrap();
        let solution = table.solve().unwrap();
        assert!((0..cells).filter(|cell| counts(*cell)).all(|cell| solution.cells()[cell] >= best), "case {case}");
        if (0..cells).any(counts) {
            let more = builder(&margins).seed(seed).smallest_cell(best + 1).build().unwrap();
            assert!(matches!(more.solve(), Err(SolveError::Infeasible(_))), "case {case}");
        }
    }
    assert!(some > 200 && none > 200, "{some} with, {none} without");
}

#[test]
fn three_axes_have_a_largest_smallest_cell_too() {
    let mut random = Random(43);
    for case in 0..60 {
        let lengths = [2, 2, 2];
        let margins = sums(&random.whole_table(8, 4, &[false; 8]), &lengths);
        let found = builder(&margins).build().unwrap().largest_smallest_cell().unwrap();
        if margins.iter().flatten().all(|count| *count > 0) {
            let exists = |least: u64| exists(&margins, &[least; 8], &[u64::MAX; 8]);
            assert!(exists(found) && !exists(found + 1), "case {case}: {found}");
        }
    }
}

/// A share that is rounded to nothing was asked for all the same: no smallest cell leaves it out, whatever the total.
#[test]
fn a_share_that_is_rounded_to_nothing_counts_for_a_smallest_cell() {
    let table = |total: u64, smallest: u64| {
        Table::builder()
            .total(total)
            .axis(Axis::percentages("age", [("18-34", 59.6), ("35-74", 40.0), ("75+", 0.4)]))
            .axis(Axis::percentages("gender", [("men", 49.0), ("women", 51.0)]))
            .smallest_cell(smallest)
            .build()
            .unwrap()
    };
    assert!(matches!(table(100, 5).solve(), Err(SolveError::Infeasible(_))));
    assert_eq!(table(100, 0).largest_smallest_cell().unwrap(), 0);
    let least = table(100, 5).least_total().unwrap();
    // 0.4 % are 10 people from 2,375 or so on. The answer is the same whatever total the table was built at.
    assert!((2_300..2_600).contains(&least), "{least}");
    for total in [10, 1_000, 5_000] {
        assert_eq!(table(total, 5).least_total().unwrap(), least, "{total}");
    }
    assert!(table(100, 5).at_total(least).unwrap().solve().unwrap().cells().iter().all(|count| *count >= 5));
    assert!(table(100, 5).at_total(least - 1).unwrap().solve().is_err());
    assert!(table(5_000, 25).in_parts(100).unwrap().solve().is_err());
    let merged = table(100, 0).merge_for(5, &["age"]).unwrap();
    assert_eq!(merged.merges.iter().map(ToString::to_string).collect::<Vec<_>>(), ["35-74 + 75+"]);
    assert!(merged.table.solve().unwrap().cells().iter().all(|count| *count >= 5));
}

/// The same where a combination is known, before and after its axes are merged.
#[test]
fn a_combination_that_is_rounded_to_nothing_counts_too() {
    let table = Table::builder()
        .total(100)
        .axis(Axis::labels("age", ["18-34", "35-74", "75+"]))
        .axis(Axis::labels("gender", ["men", "women"]))
        .axis(Axis::percentages("region", [("North", 50.0), ("South", 50.0)]))
        .joint(Joint::percentages(["age", "gender"], [24.6, 25.0, 25.0, 25.0, 0.3, 0.1]))
        .build()
        .unwrap();
    assert_eq!(table.largest_smallest_cell().unwrap(), 0);
    let merged = table.merge_for(2, &["age"]).unwrap();
    assert_eq!(merged.merges.iter().map(ToString::to_string).collect::<Vec<_>>(), ["35-74 + 75+"]);
    // Gender and region alone leave 25 to each cell, whatever is merged.
    assert!(table.merge_for(40, &["age"]).is_err());
    assert_eq!(table.merge_for(0, &["age"]).unwrap().table.largest_smallest_cell().unwrap(), 0);
}
