//! Other totals: the least that works, ways out of overfilled margins, and what the last wave missed.
//! Held against every total in turn and all tables there are.

#![allow(clippy::panic, clippy::unwrap_used)] // Helpers of tests, too, fail by panicking.

mod common;

use cintx_quota::{Axis, Joint, SolveError, Table, TableError, WayOut};
use common::{Question, Random, builder, cases, exists, sums};

/// Random tables for each property.
const CASES: u64 = 1_500;

fn shared(shares: &[Vec<u64>], total: u64) -> cintx_quota::TableBuilder {
    let axis = |(number, shares): (usize, &Vec<u64>)| {
        let labels = shares.iter().enumerate().map(|(at, share)| (format!("{number}-{at}"), *share as f64));
        Axis::shares(number.to_string(), labels.collect::<Vec<_>>())
    };
    shares.iter().enumerate().map(axis).fold(Table::builder().total(total), |builder, axis| builder.axis(axis))
}

fn targets_of(table: &Table) -> Vec<Vec<u64>> {
    (0..table.axes()).map(|axis| table.targets(axis).unwrap().counts.clone()).collect()
}

#[test]
fn every_total_below_the_least_has_no_table() {
    let mut random = Random(61);
    let (mut none, mut some) = (0, 0);
    for case in 0..cases(CASES) {
        let axes = if random.chance(80) { 2 } else { 3 };
        let lengths: Vec<usize> = (0..axes).map(|_| random.between(1, 2 + u64::from(axes == 2)) as usize).collect();
        let cells: usize = lengths.iter().product();
        let shares: Vec<Vec<u64>> =
            lengths.iter().map(|length| (0..*length).map(|_| random.between(1, 9)).collect()).collect();
        let least: Vec<u64> = (0..cells).map(|_| random.below(3)).collect();
        let most: Vec<u64> =
            least.iter().map(|least| if random.chance(25) { least + random.below(3) } else { u64::MAX }).collect();
        let mut asked = shared(&shares, 10);
        for cell in 0..cells {
            let position = common::position(cell, &lengths);
            asked = asked.at_least(position.clone(), least[cell]);
            if most[cell] < u64::MAX {
                asked = asked.at_most(position, most[cell]);
            }
        }
        let Ok(table) = asked.build() else { continue };
        let works = |total: u64| exists(&targets_of(&shared(&shares, total).build().unwrap()), &least, &most);
        match table.least_total() {
            Ok(total) => {
                some += 1;
                assert!(works(total), "case {case}");
                assert!((0..total).all(|total| !works(total)), "case {case}: {total}");
                assert_eq!(table.at_total(total).unwrap().solve().unwrap().certificate().total, total);
            }
            Err(SolveError::Infeasible(_)) => {
                none += 1;
                assert!((0..40).all(|total| !works(total)), "case {case}");
            }
            Err(error) => panic!("case {case}: {error}"),
        }
    }
    assert!(some > 300 && none > 10, "{some} some, {none} none");
}

/// Tolerances and joint margins: every total is gone through, each with the ranges that the definition gives.
#[test]
fn every_total_below_the_least_has_no_table_within_ranges() {
    let mut random = Random(64);
    for case in 0..cases(CASES / 5) {
        let shares: Vec<Vec<u64>> = (0..2).map(|_| (0..2).map(|_| random.between(1, 30)).collect()).collect();
        let together: Vec<u64> = (0..4).map(|_| random.between(1, 40)).collect();
        let (is_joint, smallest) = (random.chance(50), random.between(1, 3));
        let by = if random.chance(70) { random.between(1, 6) } else { 0 };
        let is_count = random.chance(40);
        let may = |axis: Axis| match by {
            0 => axis,
            _ if is_count => axis.tolerance_count(by),
            _ => axis.tolerance(by as f64 / 10.0),
        };
        let labels = |name: &str| [format!("{name}0"), format!("{name}1")];
        let axis = |name: &str, shares: &[u64]| {
            Axis::shares(name, labels(name).into_iter().zip(shares.iter().map(|share| *share as f64)))
        };
        let asked = |total: u64| {
            let builder = Table::builder().total(total).axis(may(axis("a", &shares[0])));
            let weights = together.iter().map(|share| *share as f64);
            match is_joint {
                // The sums of the joint margin are those of its axes, but for rounding.
                true => builder
                    .axis(axis("b", &[together[0] + together[1], together[2] + together[3]]))
                    .axis(Axis::labels("c", labels("c")))
                    .joint(Joint::shares(["b", "c"], weights)),
                false => builder.axis(axis("b", &shares[1])),
            }
        };
        let smaller = asked(40).smallest_cell(smallest).build().unwrap();
        let works = |total: u64| {
            let Ok(table) = asked(total).build() else { return false };
            let (own, other) = (table.margin_targets(0), table.margin_targets(1));
            let range = |target: u64| match by {
                0 => (target, target),
                _ if is_count => (target.saturating_sub(by), target + by),
                _ => (target - target * by / 10, target + target * by / 10),
            };
            // Nothing else limits the cells: two margins can be met as soon as each holds the least of its cells.
            let holds =
                |first: u64| first >= smallest * other.len() as u64 && total - first >= smallest * other.len() as u64;
            let (least, most) = range(own[0]);
            let firsts = (least..=most.min(total)).filter(|first| {
                let (least, most) = range(own[1]);
                (least..=most).contains(&(total - first))
            });
            firsts.into_iter().any(holds) && other.iter().all(|count| *count >= 2 * smallest)
        };
        let total = smaller.least_total().unwrap();
        assert!(works(total), "case {case}: {total}");
        assert!((0..total).all(|total| !works(total)), "case {case}: less than {total}");
    }
}

#[test]
fn the_least_total_goes_by_what_was_asked_for() {
    let axis = |name: &str, shares: [f64; 2]| {
        Axis::percentages(name, [(format!("{name}0"), shares[0]), (format!("{name}1"), shares[1])])
    };
    let table = Table::builder()
        .total(100)
        .axis(axis("age", [96.0, 4.0]).tolerance(0.5))
        .axis(axis("region", [60.0, 40.0]))
        .smallest_cell(5)
        .build()
        .unwrap();
    assert_eq!(table.least_total().unwrap(), 163);
    // 1.4 % of 100 are one, and that is no 1 %.
    let table = Table::builder()
        .total(100)
        .axis(Axis::labels("age", ["young", "old"]))
        .axis(Axis::labels("gender", ["men", "women"]))
        .axis(axis("region", [50.0, 50.0]))
        .joint(Joint::percentages(["age", "gender"], [1.4, 48.6, 25.0, 25.0]))
        .smallest_cell(5)
        .build()
        .unwrap();
    let least = table.least_total().unwrap();
    assert!(least <= 680, "{least}");
    assert!((0..least).all(|total| table.at_total(total).unwrap().solve().is_err()));
    // Excluded and closed: no total works, and that is told.
    let closed = Table::builder()
        .axis(Axis::counts("age", [("young", 50), ("old", 50)]).tolerance(0.1))
        .axis(Axis::counts("region", [("North", 50), ("South", 50)]))
        .at_least([0, 0], 60)
        .at_most([1, 0], 10)
        .at_most([1, 1], 10)
        .build()
        .unwrap();
    assert!(matches!(closed.least_total(), Err(SolveError::Infeasible(_))));
}

/// Parts of a total: as if the table had been asked for in them.
#[test]
fn parts_are_what_is_asked_for_in_parts() {
    let asked = |total: u64, part: &dyn Fn(u64) -> (u64, u64)| {
        let between = |least: u64, most: u64| (part(least).1, part(most).0);
        Table::builder()
            .total(total)
            .axis(Axis::shares("age", [("18-34", 1.0), ("35-54", 1.0), ("55+", 1.0)]).tolerance_count(part(20).0))
            .axis(
                Axis::shares("region", [("North", 60.0), ("South", 40.0)])
                    .ranges([between(290, 311), between(180, 210)]),
            )
            .at_most([0, 0], part(53).0)
            .at_least([1, 1], part(71).1)
            .smallest_cell(part(31).1)
            .build()
            .unwrap()
    };
    let whole = asked(500, &|count| (count, count));
    let parts = asked(100, &|count| (count / 5, count.div_ceil(5)));
    let found = whole.in_parts(100).unwrap();
    assert_eq!(found.solve().unwrap(), parts.solve().unwrap());
    assert_eq!((found.margin_ranges(0), found.margin_ranges(1)), (parts.margin_ranges(0), parts.margin_ranges(1)));
    assert_eq!(found.largest_smallest_cell().unwrap(), parts.largest_smallest_cell().unwrap());
    let narrow = Axis::shares("age", [("a", 1.0), ("b", 1.0), ("c", 1.0)]).ranges([(166, 167); 3]);
    let narrow = Table::builder().total(500).axis(narrow).build().unwrap();
    assert_eq!(narrow.in_parts(100).unwrap().margin_ranges(0), [(33, 34); 3]);
    let crossed = Table::builder()
        .total(500)
        .axis(Axis::counts("age", [("a", 400), ("b", 100)]))
        .at_least([0], 401)
        .at_most([0], 404);
    assert!(matches!(crossed.build().unwrap().in_parts(100), Err(TableError::BoundsCross { .. })));
}

#[test]
fn every_way_out_keeps_what_it_says() {
    let mut random = Random(62);
    let mut works = [0; 3];
    for case in 0..cases(CASES) {
        let axes = if random.chance(70) { 2 } else { 3 };
        let lengths: Vec<usize> = (0..axes).map(|_| random.between(2, 3) as usize).collect();
        let cells: usize = lengths.iter().product();
        let targets = random.whole_table(cells, 9, &vec![false; cells]);
        let margins = sums(&targets, &lengths);
        let table = builder(&margins).build().unwrap();
        let mut completes: Vec<u64> = targets.iter().map(|target| random.below(target + 1)).collect();
        for _ in 0..2 {
            completes[random.below(cells as u64) as usize] += random.below(12);
        }
        let done = sums(&completes, &lengths);
        let over: Vec<(usize, usize)> = (0..axes)
            .flat_map(|axis| (0..lengths[axis]).map(move |at| (axis, at)))
            .filter(|(axis, at)| done[*axis][*at] > margins[*axis][*at])
            .collect();
        let ways = table.ways_out(&targets, &completes, &[]).unwrap();
        let named: Vec<(usize, usize)> = ways.overfilled.iter().map(|over| (over.margin, over.category)).collect();
        assert_eq!(named, over, "case {case}");
        for choice in &ways.choices {
            works[choice.way as usize] += 1;
            let new = targets_of(&choice.table);
            assert_eq!(sums(&choice.plan.cells, &lengths), new, "case {case}");
            assert!(choice.plan.cells.iter().zip(&completes).all(|(cell, done)| cell >= done), "case {case}");
            let total = choice.plan.cells.iter().sum::<u64>();
            assert_eq!(choice.additional, total - table.total(), "case {case}");
            assert_eq!(choice.to_come, total - completes.iter().sum::<u64>(), "case {case}");
            match choice.way {
                WayOut::RaiseTotal => {
                    // Without a greatest for any cell, there is a table as soon as no category holds too much.
                    let none = |total: u64| {
                        let margins = targets_of(&table.at_total(total).unwrap());
                        done.iter().flatten().zip(margins.iter().flatten()).any(|(done, target)| done > target)
                    };
                    assert!((table.total()..total).all(none), "case {case}: less than {total} does");
                }
                WayOut::GiveWay => {
                    assert_eq!(total, table.total(), "case {case}");
                    let mut given = 0;
                    for axis in 0..axes {
                        let lost = new[axis].iter().zip(&margins[axis]).map(|(new, old)| old.saturating_sub(*new));
                        given = given.max(lost.sum());
                        assert!(!over.iter().any(|(over, at)| *over == axis && new[axis][*at] != done[axis][*at]));
                    }
                    assert_eq!(choice.given_up, given, "case {case}");
                }
                _ => {
                    let pairs = new.iter().flatten().zip(margins.iter().flatten());
                    assert!(pairs.into_iter().all(|(new, old)| new >= old), "case {case}");
                    let over = |axis: usize| -> u64 {
                        done[axis].iter().zip(&margins[axis]).map(|(done, target)| done.saturating_sub(*target)).sum()
                    };
                    assert_eq!(choice.additional, (0..axes).map(over).max().unwrap(), "case {case}");
                    assert_eq!(choice.given_up, 0, "case {case}");
                }
            }
        }
    }
    assert!(works.iter().all(|works| *works > 200), "{works:?}");
}

/// Joint margins that share an axis give way together, and all tables there are say whether they can.
#[test]
fn margins_that_share_an_axis_give_way_together() {
    const SETS: [&[&[usize]]; 3] = [&[&[0, 1], &[0, 2]], &[&[0, 1], &[1, 2]], &[&[0, 1], &[0, 2], &[1, 2]]];
    let mut random = Random(65);
    let (mut works, mut kept, mut none) = (0, 0, 0);
    for case in 0..cases(CASES / 6) {
        let set = SETS[random.below(3) as usize];
        let targets = random.whole_table(8, 3, &[false; 8]);
        let mut question =
            Question { lengths: vec![2; 3], margins: Vec::new(), least: vec![0; 8], most: vec![u64::MAX; 8] };
        question.margins = set.iter().map(|axes| (axes.to_vec(), question.sums(&targets, axes))).collect();
        let mut completes: Vec<u64> = targets.iter().map(|target| random.below(target + 1)).collect();
        for _ in 0..2 {
            completes[random.below(8) as usize] += random.below(4);
        }
        let total: u64 = targets.iter().sum();
        let done: Vec<Vec<u64>> = set.iter().map(|axes| question.sums(&completes, axes)).collect();
        let is_over = |margin: usize, at: usize| done[margin][at] > question.margins[margin].1[at];
        let has_over = |margin: usize| (0..4).any(|at| is_over(margin, at));
        if !(0..set.len()).any(has_over) {
            continue;
        }
        let axis = |axis: usize| Axis::labels(axis.to_string(), [format!("{axis}-0"), format!("{axis}-1")]);
        let builder = (0..3).map(axis).fold(Table::builder(), |builder, axis| builder.axis(axis));
        let joints = question
            .margins
            .iter()
            .map(|(axes, counts)| Joint::counts(axes.iter().map(ToString::to_string), counts.iter().copied()));
        let table = joints.fold(builder, |builder, joint| builder.joint(joint)).build().unwrap();
        let (mut any, mut keeping) = (false, false);
        every_rise(&completes, total.checked_sub(completes.iter().sum()), &mut |cells| {
            let sums: Vec<Vec<u64>> = set.iter().map(|axes| question.sums(cells, axes)).collect();
            let pinned = |margin: usize| (0..4).all(|at| !is_over(margin, at) || sums[margin][at] == done[margin][at]);
            let is_answer = (0..set.len()).all(pinned);
            any |= is_answer;
            keeping |= is_answer
                && (0..set.len()).all(|margin| has_over(margin) || sums[margin] == question.margins[margin].1);
        });
        let ways = table.ways_out(&targets, &completes, &[]).unwrap();
        let Some(choice) = ways.choice(WayOut::GiveWay) else {
            assert!(!any, "case {case}: {:?}", ways.impossible);
            none += 1;
            continue;
        };
        works += 1;
        assert_eq!(choice.plan.cells.iter().sum::<u64>(), total, "case {case}");
        assert!(choice.plan.cells.iter().zip(&completes).all(|(cell, done)| cell >= done), "case {case}");
        for (margin, axes) in set.iter().enumerate() {
            let new = choice.table.margin_targets(margin);
            assert_eq!(question.sums(&choice.plan.cells, axes), new, "case {case}");
            assert!((0..4).all(|at| !is_over(margin, at) || new[at] == done[margin][at]), "case {case}");
            if keeping && !has_over(margin) {
                assert_eq!(new, question.margins[margin].1, "case {case}");
                kept += 1;
            }
        }
        let accept = ways.choice(WayOut::Accept).unwrap_or_else(|| panic!("case {case}: {:?}", ways.impossible));
        let least = |margin: usize, at: usize| done[margin][at].max(question.margins[margin].1[at]);
        let mut lower = false;
        // Whoever fits into a total fits into a larger one.
        let less = (accept.table.total() - 1).checked_sub(completes.iter().sum());
        every_rise(&completes, less.filter(|_| accept.table.total() > total), &mut |cells| {
            let holds = |margin: usize| {
                let sums = question.sums(cells, set[margin]);
                (0..4).all(|at| sums[at] >= least(margin, at))
            };
            lower |= (0..set.len()).all(holds);
        });
        assert!(!lower, "case {case}: less than {} does", accept.table.total());
        assert!((0..set.len()).all(|margin| {
            accept.table.margin_targets(margin).iter().enumerate().all(|(at, target)| *target >= least(margin, at))
        }));
    }
    assert!(works > 60 && kept > 10 && none > 5, "{works} work, {kept} kept, {none} none");
}

/// Calls with every table that holds so many more than a least.
fn every_rise(least: &[u64], more: Option<u64>, visit: &mut dyn FnMut(&[u64])) {
    fn fill(cells: &mut Vec<u64>, at: usize, more: u64, visit: &mut dyn FnMut(&[u64])) {
        let rest = if at + 1 < cells.len() { 0 } else { more };
        for own in rest..=more {
            cells[at] += own;
            if at + 1 < cells.len() {
                fill(cells, at + 1, more - own, visit)
            } else {
                visit(cells)
            }
            cells[at] -= own;
        }
    }
    if let Some(more) = more {
        fill(&mut least.to_vec(), 0, more, visit);
    }
}

/// Young men came too many, and age is part of two joint margins.
#[test]
fn a_joint_margin_that_is_not_overfilled_keeps_its_targets() {
    let labels = |name: &str| Axis::labels(name, [format!("{name}-0"), format!("{name}-1")]);
    let table = Table::builder()
        .axis(labels("age"))
        .axis(labels("gender"))
        .axis(labels("region"))
        .joint(Joint::counts(["age", "gender"], [25; 4]))
        .joint(Joint::counts(["age", "region"], [25; 4]))
        .build()
        .unwrap();
    let targets = table.solve().unwrap().into_cells();
    let ways = table.ways_out(&targets, &[18, 17, 5, 5, 5, 5, 5, 5], &[]).unwrap();
    let choice = ways.choice(WayOut::GiveWay).unwrap();
    assert_eq!(choice.table.margin_targets(0), [35, 15, 25, 25]);
    assert_eq!(choice.table.margin_targets(1), [25; 4]);
    assert_eq!((choice.given_up, choice.to_come), (10, 35));
}

#[test]
fn who_has_closed_everything_can_only_accept() {
    let table = builder(&[vec![50, 50], vec![50, 50]]).build().unwrap();
    let ways = table.ways_out(&[25; 4], &[35, 25, 10, 10], &[true; 4]).unwrap();
    let [accept] = ways.choices.as_slice() else { panic!("{:?}", ways.choices) };
    assert_eq!((accept.way, accept.plan.moved, accept.table.total()), (WayOut::Accept, 10, 110));
    let impossible: Vec<WayOut> = ways.impossible.iter().map(|(way, _)| *way).collect();
    assert_eq!(impossible, [WayOut::RaiseTotal, WayOut::GiveWay]);
    assert!(ways.impossible.iter().all(|(_, error)| matches!(error, SolveError::Infeasible(_))));
}

/// Twelve waves of which some cells always fall short: what is missed comes back, and proportions hold over all waves.
#[test]
fn a_tracker_makes_up_for_what_it_missed() {
    let mut random = Random(63);
    let wave = Table::builder()
        .total(500)
        .axis(Axis::percentages("age", [("18-34", 30.0), ("35-54", 34.5), ("55+", 35.5)]))
        .axis(Axis::percentages("region", [("North", 24.0), ("Mid", 17.3), ("South", 40.7), ("West", 18.0)]))
        .build()
        .unwrap();
    let base = wave.solve().unwrap().into_cells();
    let (mut asked, mut all) = (base.clone(), vec![0; base.len()]);
    let mut without = vec![0; base.len()];
    let field = |asked: &[u64], random: &mut Random| -> Vec<u64> {
        asked.iter().enumerate().map(|(cell, count)| count * random.between(70 + cell as u64, 100) / 100).collect()
    };
    for _ in 0..12 {
        let completes = field(&asked, &mut random);
        all.iter_mut().zip(&completes).for_each(|(all, count)| *all += count);
        without.iter_mut().zip(field(&base, &mut random)).for_each(|(all, count)| *all += count);
        let next = wave.carry_over(&asked, &completes).unwrap();
        let expected: Vec<u64> = (0..base.len()).map(|cell| base[cell] + asked[cell] - completes[cell]).collect();
        let solution = next.solve().unwrap();
        assert_eq!(solution.cells(), expected);
        asked = solution.into_cells();
    }
    let (carried, alone) =
        (cintx_quota::achieved(&base, &all).unwrap(), cintx_quota::achieved(&base, &without).unwrap());
    assert!(carried.misplaced < 0.02 && carried.misplaced < alone.misplaced / 2.0, "{carried:?} {alone:?}");
    assert!(carried.design_effect.unwrap() < 1.002, "{carried:?}");
    // Within the old total, too.
    let same = wave.carry_over(&base, &field(&base, &mut random)).unwrap().at_total(500).unwrap();
    assert_eq!(same.solve().unwrap().certificate().total, 500);
}

/// What is missed goes to whom it was missed from, also where this wave has nobody of them.
#[test]
fn who_is_full_gets_nobody_of_what_was_missed() {
    let wave = builder(&[vec![50, 50], vec![50, 50]]).build().unwrap();
    let last = ([25; 4], [25, 15, 17, 25]);
    assert_eq!(wave.at_total(0).unwrap().carry_over(&last.0, &last.1).unwrap().solve().unwrap().cells(), [0, 10, 8, 0]);
    let within = |total: u64| {
        let next = wave.at_total(total).unwrap().carry_over_within(&last.0, &last.1).unwrap();
        assert_eq!(next.total(), total);
        next.solve().unwrap().into_cells()
    };
    assert_eq!(within(18), [0, 10, 8, 0]);
    assert_eq!(within(9), [0, 5, 4, 0]);
    assert_eq!(within(0), [0; 4]);
    assert_eq!(within(118), [25, 35, 33, 25]);
    // A share that comes to nobody this wave, and was missed all the same.
    let rare = Table::builder()
        .total(20)
        .axis(Axis::percentages("age", [("18-74", 98.0), ("75+", 2.0)]))
        .axis(Axis::percentages("region", [("North", 50.0), ("South", 50.0)]));
    let next = rare.build().unwrap().carry_over(&[245, 245, 5, 5], &[245, 245, 5, 0]).unwrap();
    assert_eq!(next.solve().unwrap().cells(), [10, 10, 0, 5]);
    // More than the whole wave came in everywhere: there is nothing to take it off.
    let over = wave.carry_over_within(&[25; 4], &[90; 4]).unwrap();
    assert_eq!(over.solve().unwrap().cells(), [25; 4]);
}

/// Whether there is a table of two axes: no rows ask for more than the columns and the bounds leave them.
fn feasible(margins: &[Vec<u64>], least: &[u64], most: &[u64]) -> bool {
    let (rows, columns) = (&margins[0], &margins[1]);
    let total: u64 = rows.iter().sum();
    (0..1_u32 << (rows.len() + columns.len())).all(|chosen| {
        let row = |at: usize| chosen >> at & 1 == 1;
        let column = |at: usize| chosen >> (rows.len() + at) & 1 == 1;
        let (mut asks, mut leaves) = (0_i64, 0_i64);
        rows.iter().enumerate().filter(|(at, _)| row(*at)).for_each(|(_, count)| asks += *count as i64);
        columns.iter().enumerate().filter(|(at, _)| column(*at)).for_each(|(_, count)| asks -= *count as i64);
        for (cell, (least, most)) in least.iter().zip(most).enumerate() {
            match (row(cell / columns.len()), column(cell % columns.len())) {
                (true, false) => leaves += *most.min(&total) as i64,
                (false, true) => leaves -= *least as i64,
                _ => {}
            }
        }
        asks <= leaves
    })
}

#[test]
fn a_wave_within_a_total_is_the_wave_and_what_was_missed() {
    let mut random = Random(64);
    let (mut below, mut bounded) = ([0, 0], [0, 0]);
    for case in 0..cases(2_000) {
        let lengths: Vec<usize> = (0..random.between(2, 3)).map(|_| random.between(1, 3) as usize).collect();
        let cells: usize = lengths.iter().product();
        let excluded: Vec<bool> = (0..cells).map(|_| lengths.len() == 2 && random.chance(10)).collect();
        let shares = sums(&random.whole_table(cells, 9, &excluded), &lengths);
        if shares[0].iter().sum::<u64>() == 0 {
            continue;
        }
        let seed: Vec<f64> = excluded.iter().map(|excluded| f64::from(u8::from(!excluded))).collect();
        let last = random.whole_table(cells, 12, &excluded);
        let done: Vec<u64> = last.iter().map(|target| random.below(target + 1)).collect();
        let missed: Vec<u64> = last.iter().zip(&done).map(|(target, done)| target - done).collect();
        let all: u64 = missed.iter().sum();
        let total = random.between(all / 2, all + 40);
        let of = |total: u64| shared(&shares, total).seed(seed.iter().copied());
        let Ok(whole) = of(total).build() else { continue };
        let next = whole.carry_over_within(&last, &done).unwrap();
        assert_eq!(next.total(), total, "case {case}");
        let margins: Vec<Vec<u64>> = (0..lengths.len()).map(|axis| next.margin_targets(axis).to_vec()).collect();
        let of_missed = sums(&missed, &lengths);
        below[usize::from(total < all)] += 1;
        if total < all {
            // Nobody is asked for where nobody is missing.
            for (own, missed) in margins.iter().flatten().zip(of_missed.iter().flatten()) {
                assert!(own <= missed, "case {case}: {margins:?} and {of_missed:?}");
            }
        } else {
            let wave = whole.at_total(total - all).unwrap();
            for (axis, missed) in of_missed.iter().enumerate() {
                let sum: Vec<u64> = wave.margin_targets(axis).iter().zip(missed).map(|(a, b)| a + b).collect();
                assert_eq!(margins[axis], sum, "case {case}");
            }
            if let (2, Ok(wave)) = (lengths.len(), wave.solve()) {
                let sum: Vec<u64> = wave.cells().iter().zip(&missed).map(|(a, b)| a + b).collect();
                assert_eq!(next.solve().unwrap().cells(), sum, "case {case}");
            }
        }
        // Bounds are held against the whole, and change nothing that is asked for.
        let (cell, least, smallest) = (random.below(cells as u64) as usize, random.below(8), random.below(3));
        let position = common::position(cell, &lengths);
        let Ok(strict) = of(total).at_least(position, least).smallest_cell(smallest).build() else { continue };
        let strict = strict.carry_over_within(&last, &done).unwrap();
        let kept: Vec<Vec<u64>> = (0..lengths.len()).map(|axis| strict.margin_targets(axis).to_vec()).collect();
        assert_eq!(kept, margins, "case {case}");
        let bound = |cell: usize| {
            let position = common::position(cell, &lengths);
            (strict.least(position.clone()).unwrap(), strict.most(position).unwrap())
        };
        let (least, most): (Vec<u64>, Vec<u64>) = (0..cells).map(bound).unzip();
        let works = strict.solve().is_ok();
        bounded[usize::from(works)] += 1;
        if lengths.len() == 2 {
            assert_eq!(works, feasible(&margins, &least, &most), "case {case}: {margins:?} {least:?}");
        }
    }
    assert!(below.iter().chain(&bounded).all(|count| *count > 100), "{below:?} {bounded:?}");
}

/// What may give is told against what was asked for, and ranges are those of the whole.
#[test]
fn margins_of_a_wave_within_a_total_give_as_they_were_told_to() {
    let table =
        |age: Axis| Table::builder().total(520).axis(age).axis(Axis::shares("region", [("N", 1.0), ("S", 1.0)]));
    let age = || Axis::shares("age", [("18-34", 1.0), ("35+", 1.0)]);
    let last = ([125; 4], [125, 125, 105, 125]);
    let ranged = table(age().ranges([(255, 265), (255, 265)])).build().unwrap();
    let next = ranged.carry_over_within(&last.0, &last.1).unwrap();
    assert_eq!((next.margin_targets(0), next.margin_ranges(0)), (&[250, 270][..], vec![(255, 265); 2]));
    let solution = next.solve().unwrap();
    assert_eq!(solution.margin(0), [255, 265]);
    assert_eq!(solution.shifts().len(), 2);
    // Told against what is asked for of the whole: what was missed where nobody is wanted any more is everybody's.
    let few = |by: f64| table(age().tolerance(by)).at_most(["35+", "N"], 0).at_most(["35+", "S"], 240);
    let next = few(0.2).build().unwrap().carry_over_within(&last.0, &last.1).unwrap();
    assert_eq!(next.solve().unwrap().shifts()[1].to_string(), "35+: 240 instead of 260");
    let next = few(0.02).build().unwrap().carry_over_within(&last.0, &last.1).unwrap();
    assert!(matches!(next.solve(), Err(SolveError::Infeasible(_))));
    // Known together.
    let joint = Joint::shares(["age", "region"], [1.0, 1.0, 1.0, 1.0]);
    let builder = Table::builder().total(120).axis(Axis::labels("age", ["18-34", "35+"]));
    let builder = builder.axis(Axis::labels("region", ["N", "S"])).joint(joint);
    let next = builder.build().unwrap().carry_over_within(&last.0, &last.1).unwrap();
    assert_eq!(next.solve().unwrap().cells(), [25, 25, 45, 25]);
}

/// A share that comes to nobody was asked for, with what was missed as without.
#[test]
fn a_rare_category_counts_for_a_smallest_cell_of_a_wave_within_a_total() {
    let table = |smallest: u64| {
        Table::builder()
            .total(100)
            .axis(Axis::percentages("age", [("18-34", 59.6), ("35-74", 40.0), ("75+", 0.4), ("none", 0.0)]))
            .axis(Axis::percentages("gender", [("men", 50.0), ("women", 50.0)]))
            .smallest_cell(smallest)
            .build()
            .unwrap()
    };
    let same = ([30, 30, 20, 20, 0, 0, 0, 0], [30, 30, 18, 20, 0, 0, 0, 0]);
    let next = table(0).carry_over_within(&same.0, &same.1).unwrap();
    assert_eq!(next.largest_smallest_cell().unwrap(), 0);
    let vanished = next.solve().unwrap().rounded_to_nothing();
    assert_eq!(vanished.len(), 2, "{vanished:?}");
    assert!(matches!(table(1).carry_over_within(&same.0, &same.1).unwrap().solve(), Err(SolveError::Infeasible(_))));
    let missed = ([30, 30, 20, 20, 3, 3, 0, 0], [30, 30, 20, 20, 1, 2, 0, 0]);
    let next = table(1).carry_over_within(&missed.0, &missed.1).unwrap();
    assert_eq!(next.largest_smallest_cell().unwrap(), 1);
    assert_eq!(next.solve().unwrap().cells()[4..], [2, 1, 0, 0]);
}

/// Without any bound there is always a table: nothing is asked of a flow.
#[test]
fn a_table_without_bounds_works_at_every_total() {
    let table = builder(&[vec![5, 5], vec![5, 5]]).build().unwrap();
    assert_eq!(table.least_total().unwrap(), 0);
    assert_eq!(builder(&[vec![3, 4]]).build().unwrap().least_total().unwrap(), 0);
    assert!(table.merge_for(0, &["a"]).unwrap().merges.is_empty());
    let may = Axis::counts("a", [("x", 5), ("y", 5)]).tolerance(0.1);
    let table = Table::builder().axis(may).axis(Axis::counts("b", [("x", 4), ("y", 6)])).build().unwrap();
    assert_eq!(table.solve().unwrap().margin(0), [5, 5]);
    assert_eq!(table.least_total().unwrap(), 0);
}

#[test]
fn lists_of_the_wrong_length_are_refused() {
    let table = builder(&[vec![5, 5], vec![5, 5]]).build().unwrap();
    assert!(matches!(table.carry_over(&[1], &[1; 4]), Err(SolveError::Input(_))));
    assert!(matches!(table.ways_out(&[1; 4], &[1], &[]), Err(SolveError::Input(_))));
    assert!(table.at_total(u64::MAX).is_err());
    assert_eq!(table.at_total(20).unwrap().margin_targets(0), [10, 10]);
}

/// A least is a place that is held, not somebody who came.
#[test]
fn a_least_overfills_nothing() {
    let table = Table::builder()
        .total(10)
        .axis(Axis::shares("age", [("a", 50.0), ("b", 49.0), ("c", 1.0)]))
        .build()
        .unwrap()
        .with_least(&[1; 3])
        .unwrap();
    assert_eq!(table.margin_targets(0), [5, 5, 0]);
    let ways = table.ways_out(&[50, 49, 1], &[0; 3], &[]).unwrap();
    assert_eq!(ways.overfilled, []);
    let found: Vec<WayOut> = ways.choices.iter().map(|choice| choice.way).collect();
    assert_eq!(found, [WayOut::RaiseTotal, WayOut::GiveWay], "{:?}", ways.impossible);
    // At 50 the halves of the second and the third are equal, and the second is rounded up.
    assert_eq!(ways.choices[0].table.total(), 51);
    assert_eq!(ways.choices[1].plan.cells, [5, 4, 1]);
    // Somebody who came is more than a target of 0.
    let ways = table.ways_out(&[50, 49, 1], &[0, 0, 1], &[]).unwrap();
    assert_eq!(ways.overfilled[0].to_string(), "c holds 1 of 0");
    assert_eq!(ways.choices.len(), 3, "{:?}", ways.impossible);
}
