//! Cases that broke other programs, each by name, and the ends of every range.
//! The issue of the other program is named where there is one.

#![allow(clippy::panic, clippy::unwrap_used)] // Helpers of tests, too, fail by panicking.

mod common;

use cintx_quota::{Axis, Cut, FitError, Margin, Proof, Shape, SolveError, Split, Step, Table, TableError, fit};
use common::{Random, axis, builder, cases, sums};

/// ipfn #22: a seed that already fits, with three margins that share a column, was not recognised.
#[test]
fn three_margins_that_share_a_column_and_a_seed_that_fits() {
    let shape = Shape::new([2, 3, 2, 2]).unwrap();
    let mut random = Random(22);
    let seed: Vec<f64> = (0..shape.cells()).map(|_| random.between(1, 50) as f64).collect();
    let over = |axes: [usize; 2]| -> Vec<f64> {
        let mut targets = vec![0.0; shape.lengths()[axes[0]] * shape.lengths()[axes[1]]];
        for (cell, weight) in seed.iter().enumerate() {
            let position = shape.position(cell);
            targets[position[axes[0]] * shape.lengths()[axes[1]] + position[axes[1]]] += weight;
        }
        targets
    };
    let axes = [[0, 1], [0, 2], [0, 3]];
    let targets = axes.map(over);
    let margins: Vec<Margin<'_>> = axes.iter().zip(&targets).map(|(axes, targets)| Margin { axes, targets }).collect();
    let fitted = fit(&shape, &seed, &margins, 1_000).unwrap();
    assert!(fitted.converged);
    assert_eq!((fitted.sweeps, &fitted.cells), (0, &seed));

    // Another seed does not fit yet; it is brought there.
    let fitted = fit(&shape, &vec![1.0; shape.cells()], &margins, 1_000).unwrap();
    assert!(fitted.converged, "{}", fitted.error);
    assert!(fitted.sweeps > 0);
}

/// Each two of these margins agree and all three cannot be: no convergence may be claimed (surveysd #26).
#[test]
fn margins_in_a_circle_that_no_table_has_are_not_said_to_be_met() {
    let shape = Shape::new([2, 2, 2]).unwrap();
    let (equal, opposite) = ([50.0, 0.0, 0.0, 50.0], [0.0, 50.0, 50.0, 0.0]);
    let margins = [
        Margin { axes: &[0, 1], targets: &equal },
        Margin { axes: &[1, 2], targets: &equal },
        Margin { axes: &[0, 2], targets: &opposite },
    ];
    let fitted = fit(&shape, &[1.0; 8], &margins, 500).unwrap();
    assert!(!fitted.converged);
    assert!(fitted.error > 10.0, "{}", fitted.error);
}

/// synthpop #29 and mipfp #10: margins that differ by one oscillated for ever, or were silently changed.
#[test]
fn totals_off_by_one_are_refused_with_both_sums() {
    let error = builder(&[vec![50, 51], vec![60, 40]]).build().unwrap_err();
    let expected =
        TableError::TotalsDiffer { first: "a".into(), first_total: 101, second: "b".into(), second_total: 100 };
    assert_eq!(error, expected);
    assert_eq!(error.to_string(), "a adds up to 101 and b to 100: no table has both");
    assert!(matches!(builder(&[vec![1]]).total(2).build(), Err(TableError::TotalsDiffer { .. })));
    let margins = [Margin { axes: &[0], targets: &[1.0] }, Margin { axes: &[1], targets: &[2.0] }];
    let refused = fit(&Shape::new([1, 1]).unwrap(), &[1.0], &margins, 9);
    assert!(matches!(refused, Err(FitError::TotalsDiffer { .. })));
}

/// ipfp, spatial-microsim-book #141: zero targets gave NaN; ipfn leaves a zero slice with a target at zero.
#[test]
fn zero_slices_are_empty_or_refused() {
    let solution = builder(&[vec![0, 10], vec![4, 0, 6]]).build().unwrap().solve().unwrap();
    assert_eq!(solution.cells(), [0, 0, 0, 4, 0, 6]);
    assert!(solution.fit().cells.iter().all(|cell| cell.is_finite()));

    let seed = [0.0, 0.0, 1.0, 1.0];
    let error = builder(&[vec![5, 5], vec![5, 5]]).seed(seed).build().unwrap_err();
    assert_eq!(error, TableError::EmptySlice { axis: "a".into(), label: "a0".into(), target: 5 });
    assert!(builder(&[vec![0, 10], vec![5, 5]]).seed(seed).build().unwrap().solve().is_ok());
}

#[test]
fn one_cell_rows_take_their_row() {
    let table = builder(&[vec![7, 13], vec![9, 11]]).exclude([0, 1]).build().unwrap();
    assert_eq!(table.solve().unwrap().cells(), [7, 0, 2, 11]);
    assert_eq!(builder(&[vec![3, 4, 5]]).build().unwrap().solve().unwrap().cells(), [3, 4, 5]);
    assert_eq!(builder(&[vec![12], vec![3, 4, 5]]).build().unwrap().solve().unwrap().cells(), [3, 4, 5]);
    assert_eq!(builder(&[vec![3, 9], vec![12]]).build().unwrap().solve().unwrap().cells(), [3, 9]);
}

#[test]
fn no_completes_a_billion_and_the_most_there_can_be() {
    for total in [0, 1_000_000_000, Table::MAX_COUNT] {
        let shares = |name: &str| Axis::shares(name, [("x", 1.0), ("y", 2.0), ("z", 4.0)]);
        for axes in 1..=4 {
            let asked = ["a", "b", "c", "d"][..axes]
                .iter()
                .fold(Table::builder().total(total), |asked, name| asked.axis(shares(name)));
            let table = asked.build().unwrap();
            let solution = table.solve().unwrap();
            let expected: Vec<_> = (0..axes).map(|axis| table.targets(axis).unwrap().counts.clone()).collect();
            assert_eq!(sums(solution.cells(), &vec![3; axes]), expected, "{axes} axes, total {total}");
            assert!(axes > 2 || solution.deviation() < 1.0, "{axes} axes, total {total}: {}", solution.deviation());
            assert_eq!(solution.certificate().total, total);
        }
    }
}

#[test]
fn everything_in_one_cell() {
    let solution = builder(&[vec![0, 9, 0], vec![0, 0, 9]]).build().unwrap().solve().unwrap();
    assert_eq!(solution.cells(), [0, 0, 0, 0, 0, 9, 0, 0, 0]);
}

#[test]
fn what_is_no_number_is_refused() {
    let two = || builder(&[vec![1, 1], vec![1, 1]]);
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(matches!(two().seed([1.0, 1.0, bad, 1.0]).build(), Err(TableError::NotFinite { .. })), "{bad}");
        let axis = Axis::percentages("age", [("x", 50.0), ("y", bad)]);
        assert!(matches!(Table::builder().total(9).axis(axis).build(), Err(TableError::NotFinite { .. })), "{bad}");
    }
    let error = two().seed([1.0, 1.0, -2.0, 1.0]).build().unwrap_err();
    assert_eq!(error.to_string(), "the seed at [1, 0] is -2, expected at least 0");
    assert!(matches!(two().seed([1.0]).build(), Err(TableError::Length { given: 1, expected: 4, .. })));
}

#[test]
fn what_does_not_fit_is_refused_and_never_wraps() {
    assert!(matches!(builder(&[vec![u64::MAX, u64::MAX]]).build(), Err(TableError::TooLarge { .. })));
    assert!(matches!(builder(&[vec![Table::MAX_COUNT + 1]]).build(), Err(TableError::TooLarge { .. })));
    assert!(matches!(builder(&[vec![1]]).at_least([0], u64::MAX).build(), Err(TableError::TooLarge { .. })));
    let wide = vec![0; 70_000];
    assert!(matches!(builder(&[wide.clone(), wide]).build(), Err(TableError::TooLarge { .. })));
    assert!(matches!(Table::builder().build(), Err(TableError::NoAxes)));
    assert!(matches!(builder(&[vec![]]).build(), Err(TableError::EmptyAxis { .. })));
    assert!(matches!(builder(&[vec![1]]).exclude([1]).build(), Err(TableError::NoSuchCell { .. })));
    assert!(matches!(builder(&[vec![1]]).exclude(["nobody"]).build(), Err(TableError::NoSuchCell { .. })));
    assert!(matches!(builder(&[vec![1]]).exclude([0, 0]).build(), Err(TableError::NoSuchCell { .. })));
    let crossed = builder(&[vec![9]]).at_least([0], 5).at_most([0], 4).build().unwrap_err();
    assert_eq!(crossed.to_string(), "cell [0] shall hold at least 5 and at most 4");
    let twice = Table::builder().axis(Axis::counts("age", [("x", 1), ("x", 2)])).build();
    assert!(matches!(twice, Err(TableError::LabelTwice { .. })));
    let shares = Table::builder().axis(Axis::shares("age", [("x", 1.0)])).build();
    assert!(matches!(shares, Err(TableError::TotalMissing { .. })));
    let off = Table::builder().total(10).axis(Axis::percentages("age", [("x", 50.0), ("y", 48.5)])).build();
    assert!(matches!(off, Err(TableError::NotHundred { .. })));
}

#[test]
fn a_cut_reads_as_a_sentence() {
    let say = |table: Table| match table.solve() {
        Err(SolveError::Infeasible(proof)) => {
            assert!(table.confirms(&proof), "{proof:?}");
            proof.to_string()
        }
        other => panic!("{other:?}"),
    };
    let named = || {
        Table::builder()
            .axis(Axis::counts("age", [("18-24", 120), ("25-34", 50), ("35+", 30)]))
            .axis(Axis::counts("region", [("North", 90), ("South", 20), ("West", 90)]))
    };
    let cells = |most: [u64; 2]| named().at_most(["18-24", "North"], most[0]).at_most(["18-24", "West"], most[1]);
    assert_eq!(
        say(cells([30, 30]).build().unwrap()),
        "18-24 × North and West need 100, the allowed cells hold at most 60"
    );
    let row = cells([30, 30]).exclude(["18-24", "South"]).build().unwrap();
    assert_eq!(say(row), "18-24 needs 120, the allowed cells hold at most 60");
    let column = named().at_most(["18-24", "West"], 10).exclude(["25-34", "West"]).exclude(["35+", "West"]);
    assert_eq!(say(column.build().unwrap()), "West needs 90, the allowed cells hold at most 10");
    let least = named().at_least(["35+", "North"], 20).at_least(["35+", "West"], 20);
    assert_eq!(say(least.build().unwrap()), "35+ has cells that shall hold at least 40, its target is 30");
    let least = named().at_least(["18-24", "South"], 15).at_least(["35+", "South"], 15);
    assert_eq!(say(least.build().unwrap()), "South has cells that shall hold at least 30, its target is 20");
    let one = Table::builder().axis(axis("a", &[5, 6])).at_most([0], 4).build().unwrap();
    assert_eq!(say(one), "a0 needs 5, the allowed cells hold at most 4");
    let one = Table::builder().axis(axis("a", &[5, 6])).at_least([1], 7).build().unwrap();
    assert_eq!(say(one), "a1 has cells that shall hold at least 7, its target is 6");
}

fn proof(table: &Table) -> Proof {
    match table.solve() {
        Err(SolveError::Infeasible(proof)) => *proof,
        other => panic!("{other:?}"),
    }
}

/// Age × region × device, with the counts of the first of two (of three for devices) and these cells left out.
fn three_axes(counts: [&[u64]; 3], excluded: &[[usize; 3]]) -> Table {
    let names =
        [("age", ["18-34", "35+", ""]), ("region", ["North", "South", ""]), ("device", ["phone", "tablet", "pc"])];
    let axis = |((name, labels), counts): ((&str, [&'static str; 3]), &[u64])| {
        Axis::counts(name, labels.into_iter().zip(counts.iter().copied()))
    };
    let builder = names.into_iter().zip(counts).map(axis).fold(Table::builder(), |builder, axis| builder.axis(axis));
    excluded.iter().fold(builder, |builder, cell| builder.exclude(*cell)).build().unwrap()
}

/// The cells of two by two by two whose positions add up to an odd number.
const ODD: [[usize; 3]; 4] = [[0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 1, 1]];

#[test]
fn three_axes_that_cannot_be_met_are_told_in_words() {
    // Each pair of axes can be met; all three cannot.
    let block = three_axes([&[0, 1], &[1, 0], &[0, 1]], &[[0, 1, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]);
    let said = proof(&block);
    assert!(said.cut().is_some());
    assert_eq!(said.to_string(), "35+ × North × tablet needs 1, the allowed cells hold at most 0");

    let excluded = [[0, 0, 0], [0, 1, 1], [1, 0, 0], [1, 0, 1], [1, 1, 0]];
    let weighted = proof(&three_axes([&[4, 3], &[3, 4], &[3, 4]], &excluded));
    assert_eq!(
        weighted.to_string(),
        "counting 35+ and North once, tablet once less, the targets come to 2 and the cells to at most 0"
    );

    // One half of each category in each of the four open cells: no whole numbers.
    let halves = proof(&three_axes([&[1, 1], &[1, 1], &[1, 1]], &ODD));
    assert!(halves.cut().is_none());
    assert_eq!(
        halves.to_string(),
        "no whole numbers fit: counting 35+, North and phone once, the targets leave 3 to the open cells, \
         where everything counts a multiple of 2"
    );

    let excluded = [[0, 0, 1], [0, 1, 0], [0, 1, 2], [1, 0, 2], [1, 1, 0], [1, 1, 1]];
    let cases = proof(&three_axes([&[4, 1], &[3, 2], &[0, 2, 3]], &excluded));
    assert_eq!(
        cases.to_string(),
        "no whole numbers fit: if 18-34 × South × tablet holds at most 1, counting 18-34 and tablet once, North once \
         less, the targets come to 3 and the cells to at most 2; if it holds at least 2, 35+ × North × pc needs 1, \
         the allowed cells hold at most 0"
    );
}

#[test]
fn a_proof_with_a_mistake_is_not_confirmed() {
    let excluded = [[0, 0, 1], [0, 1, 0], [0, 1, 2], [1, 0, 2], [1, 1, 0], [1, 1, 1]];
    let cases = three_axes([&[4, 1], &[3, 2], &[0, 2, 3]], &excluded);
    let halves = three_axes([&[1, 1], &[1, 1], &[1, 1]], &ODD);
    for table in [&cases, &halves] {
        let right = proof(table);
        assert!(table.confirms(&right));
        assert!(![&cases, &halves].iter().all(|table| table.confirms(&right)), "of another table");
        for (at, step) in right.steps.iter().enumerate() {
            let wrong = |change: &dyn Fn(&mut Step)| {
                let mut wrong = right.clone();
                change(&mut wrong.steps[at]);
                assert!(!table.confirms(&wrong), "{wrong:?}");
            };
            match step {
                Step::Cut(_) => {
                    let wrong_cut = |change: &dyn Fn(&mut Cut)| {
                        wrong(&|step| {
                            if let Step::Cut(cut) = step {
                                change(cut)
                            }
                        })
                    };
                    wrong_cut(&|cut| cut.weights[0][0] += 1);
                    wrong_cut(&|cut| cut.needs += 1);
                    wrong_cut(&|cut| cut.holds += 1);
                    wrong_cut(&|cut| cut.weights[0][0] = i64::MIN);
                }
                Step::Remainder(_) => {
                    wrong(&|step| {
                        if let Step::Remainder(remainder) = step {
                            remainder.weights[0][0] += 1
                        }
                    });
                    for divisor in [0, 1, 3] {
                        wrong(&|step| {
                            if let Step::Remainder(remainder) = step {
                                remainder.divisor = divisor
                            }
                        });
                    }
                }
                Step::Split(_) => {
                    let wrong_split = |change: &dyn Fn(&mut Split)| {
                        wrong(&|step| {
                            if let Step::Split(split) = step {
                                change(split)
                            }
                        })
                    };
                    wrong_split(&|split| split.at += 1);
                    wrong_split(&|split| split.more = split.fewer);
                    wrong_split(&|split| split.more = at);
                    wrong_split(&|split| split.cell = vec![9, 9, 9]);
                    wrong_split(&|split| split.fewer = 99);
                }
            }
        }
        assert!(!table.confirms(&Proof { steps: Vec::new() }));
    }
}

/// The arithmetic is in whole numbers: one completes more or less decides, however many there are.
#[test]
fn one_of_nine_quadrillion_decides() {
    let half = Table::MAX_COUNT / 2;
    let counts = |odd: u64| [[half - odd, half + odd], [half, half], [half, half]];
    let table = |[one, two, three]: [[u64; 2]; 3]| three_axes([&one, &two, &three], &ODD);
    let odd = proof(&table(counts(1)));
    assert!(table(counts(1)).confirms(&odd), "{odd}");
    assert!(matches!(odd.steps[0], Step::Remainder(_)), "{odd}");
    let solution = table(counts(2)).solve().unwrap();
    assert_eq!(sums(solution.cells(), &[2, 2, 2]), counts(2));
}

/// Seven teams of one from each of three lists, where only one way remains open.
#[test]
fn the_only_table_is_found_and_rebalanced() {
    let mut random = Random(3);
    let orders: Vec<Vec<usize>> = (0..2).map(|_| random.permutation(7)).collect();
    let mut asked = builder(&[vec![1; 7], vec![1; 7], vec![1; 7]]);
    let mut hidden = vec![0; 343];
    for (cell, hidden) in hidden.iter_mut().enumerate() {
        let at = common::position(cell, &[7, 7, 7]);
        *hidden = u64::from(at[1] == orders[0][at[0]] && at[2] == orders[1][at[0]]);
        if *hidden == 0 && !random.chance(9) {
            asked = asked.exclude(at);
        }
    }
    let table = asked.build().unwrap();
    let solution = table.solve().unwrap();
    assert_eq!(sums(solution.cells(), &[7, 7, 7]), [[1; 7]; 3]);
    let plan = table.rebalance(&vec![0; 343], &vec![0; 343], &[]).unwrap();
    assert_eq!((sums(&plan.cells, &[7, 7, 7]), plan.moved), (vec![vec![1; 7]; 3], 7));
    // Nothing can be closed that every table needs.
    let (first, _) = hidden.iter().enumerate().find(|(_, cell)| **cell == 1).unwrap();
    let closed: Vec<bool> = (0..343).map(|cell| cell == first).collect();
    let answer = table.rebalance(&vec![0; 343], &vec![0; 343], &closed);
    match answer {
        Ok(plan) => assert_eq!(plan.cells[first], 0),
        Err(SolveError::Infeasible(proof)) => {
            assert!(table.in_field(&vec![0; 343], &vec![0; 343], &closed).unwrap().confirms(&proof));
        }
        Err(error) => panic!("{error}"),
    }
}

/// A seed whose weights span the range of floating point still gives a table; the fit says what it reached.
#[test]
fn extreme_seeds_do_not_break_the_margins() {
    let margins = [vec![40, 60], vec![50, 50]];
    for seed in [[1e300, 1e-300, 1e-300, 1e300], [5e-324, 1.0, 1.0, 5e-324], [1e-200; 4], [1e308; 4]] {
        let solution = builder(&margins).seed(seed).build().unwrap().solve().unwrap();
        assert_eq!(sums(solution.cells(), &[2, 2]), margins, "{seed:?}");
    }
}

#[test]
fn a_fit_that_is_cut_short_says_so_and_the_margins_hold_all_the_same() {
    let seed = [1.0, 1e-6, 1e-3, 1.0, 7.0, 1e-5, 0.3, 2.0, 1e-4];
    let solution = builder(&[vec![10, 80, 10], vec![5, 5, 90]]).seed(seed).sweeps(1).build().unwrap().solve().unwrap();
    assert!(!solution.fit().converged);
    assert_eq!(solution.fit().sweeps, 1);
    assert!(solution.fit().error > 1e-3);
    assert_eq!(sums(solution.cells(), &[3, 3]), [[10, 80, 10], [5, 5, 90]]);
}

/// Many cells: no recursion, no quadratic step; ties everywhere, excluded cells, bounds. A million with
/// `CINTX_QUOTA_CASES=100000`, as before a release.
#[test]
fn many_cells_with_ties_exclusions_and_bounds() {
    let side: usize = if cases(0) >= 100_000 { 1_000 } else { 250 };
    // Each cell is one half: a thousand rows of equal remainders.
    let halves = vec![side as u64 / 2; side];
    let solution = builder(&[halves.clone(), halves.clone()]).build().unwrap().solve().unwrap();
    assert_eq!(sums(solution.cells(), &[side, side]), [halves.clone(), halves.clone()]);
    assert!(solution.deviation() <= 0.5);

    let mut random = Random(1_000);
    let exists: Vec<u64> = (0..side * side).map(|_| if random.chance(30) { 0 } else { random.below(9) }).collect();
    let margins = sums(&exists, &[side, side]);
    let mut asked = builder(&margins);
    for (cell, count) in exists.iter().enumerate() {
        let position = [cell / side, cell % side];
        match random.below(10) {
            0..=3 if *count == 0 => asked = asked.exclude(position),
            4 => asked = asked.at_least(position, count / 2),
            5 => asked = asked.at_most(position, count + 1),
            _ => {}
        }
    }
    let table = asked.build().unwrap();
    let solution = table.solve().unwrap();
    assert_eq!(sums(solution.cells(), &[side, side]), margins);

    let completes: Vec<u64> = solution.cells().iter().map(|cell| cell / 3 + u64::from(random.chance(2))).collect();
    let plan = table.rebalance(solution.cells(), &completes, &[]).unwrap();
    assert!(plan.moved > 0);
    assert_eq!(sums(&plan.cells, &[side, side]), margins);
}

/// Margins in the order of the axes are fitted row by row, others cell by cell: the fit is the same.
#[test]
fn a_fit_does_not_depend_on_the_order_of_its_margins() {
    let mut random = Random(81);
    for lengths in
        [vec![2, 3], vec![40, 1], vec![1, 17], vec![7, 33], vec![5, 4, 9], vec![3, 4, 2, 19], vec![2, 2, 2, 2, 2]]
    {
        let cells: usize = lengths.iter().product();
        for total in [1e-3, 1e3, 1e9, 9e15] {
            let seed: Vec<f64> = (0..cells).map(|_| 0.01 + random.fraction()).collect();
            let parts: Vec<Vec<f64>> =
                lengths.iter().map(|length| (0..*length).map(|_| 0.1 + random.fraction()).collect()).collect();
            let share = |part: &f64, parts: &[f64]| part / parts.iter().sum::<f64>() * total;
            let targets: Vec<Vec<f64>> =
                parts.iter().map(|parts| parts.iter().map(|part| share(part, parts)).collect()).collect();
            let axes: Vec<[usize; 1]> = (0..lengths.len()).map(|axis| [axis]).collect();
            let margins: Vec<Margin<'_>> =
                axes.iter().zip(&targets).map(|(axes, targets)| Margin { axes, targets }).collect();
            let backwards: Vec<Margin<'_>> = margins.iter().rev().copied().collect();
            let shape = Shape::new(lengths.clone()).unwrap();
            let one = fit(&shape, &seed, &margins, 10_000).unwrap();
            let other = fit(&shape, &seed, &backwards, 10_000).unwrap();
            assert!(one.converged && other.converged, "{lengths:?} {total}: {} {}", one.error, other.error);
            let apart = one.cells.iter().zip(&other.cells).map(|(one, other)| (one - other).abs()).fold(0.0, f64::max);
            assert!(apart <= 1e-7 * total, "{lengths:?} {total}: {apart}");
        }
    }
}
