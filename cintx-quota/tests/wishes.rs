//! What researchers ask for: a smallest cell, and what has been achieved.

#![allow(clippy::panic, clippy::unwrap_used)] // Helpers of tests, too, fail by panicking.

mod common;

use cintx_quota::{SolveError, TableError, achieved};
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
