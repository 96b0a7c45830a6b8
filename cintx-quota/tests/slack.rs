//! Margins that may give: the nearest targets, held against all tables there are.

#![allow(clippy::panic, clippy::unwrap_used)] // Helpers of tests, too, fail by panicking.

mod common;

use cintx_quota::{Axis, Joint, SolveError, Table, TableBuilder, TableError, WayOut};
use common::{Question, Random, cases, position};

/// Random tables for each property.
const CASES: u64 = 1_000;

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// Margins of two and three axes.
const SETS: [&[&[usize]]; 4] = [&[&[0], &[1]], &[&[0], &[1], &[2]], &[&[0, 1], &[2]], &[&[0, 1], &[1, 2]]];

/// How far a margin may give, and its importance.
#[derive(Clone, Copy, Debug)]
enum May {
    Not,
    Give(u64, f64),
    Any(f64),
    /// By ranges that no target lies in.
    Beside(u64, f64),
}

impl May {
    fn random(random: &mut Random) -> Self {
        let importance = [1.0, 1.0, 2.0, 5.0][random.below(4) as usize];
        match random.below(5) {
            0 => Self::Not,
            1 => Self::Any(importance),
            2 => Self::Beside(1, importance),
            _ => Self::Give(random.between(1, 3), importance),
        }
    }

    fn range(self, target: u64, total: u64) -> (u64, u64) {
        match self {
            Self::Not => (target, target),
            Self::Give(by, _) => (target.saturating_sub(by), (target + by).min(total.max(target))),
            Self::Any(_) => (0, total),
            Self::Beside(by, _) => {
                let (least, most) = match target % 2 {
                    0 => (target.saturating_sub(3 * by), target.saturating_sub(by)),
                    _ => (target + by, target + 3 * by),
                };
                (least, most.min(total.max(least)))
            }
        }
    }

    fn importance(self) -> f64 {
        match self {
            Self::Not => 0.0,
            Self::Give(_, importance) | Self::Any(importance) | Self::Beside(_, importance) => importance,
        }
    }
}

/// All tables between bounds with a total: calls with each.
fn every(least: &[u64], most: &[u64], total: u64, cells: &mut Vec<u64>, visit: &mut dyn FnMut(&[u64])) {
    let cell = cells.len();
    if cell == least.len() {
        if total == 0 {
            visit(cells);
        }
        return;
    }
    let after: u64 = least[cell + 1..].iter().sum();
    for count in least[cell]..=most[cell].min(total.saturating_sub(after)) {
        cells.push(count);
        if total >= count {
            every(least, most, total - count, cells, visit);
        }
        cells.pop();
    }
}

#[test]
fn the_targets_kept_are_the_nearest_for_which_there_is_a_table() {
    let mut random = Random(81);
    let (mut exact, mut shifted, mut refused) = (0, 0, 0);
    let cases = cases(CASES);
    for case in 0..cases {
        let set = SETS[random.below(SETS.len() as u64) as usize];
        let axes = set.iter().copied().flatten().max().unwrap() + 1;
        let mut lengths = vec![2; axes];
        lengths[0] = random.between(2, 3) as usize;
        let cells: usize = lengths.iter().product();
        let most: Vec<u64> = (0..cells).map(|_| if random.chance(25) { 0 } else { random.below(4) }).collect();
        let least: Vec<u64> = most.iter().map(|most| u64::from(*most > 0 && random.chance(20))).collect();
        let hidden: Vec<u64> = (0..cells).map(|_| random.below(3)).collect();
        let mut question = Question { lengths, margins: Vec::new(), least, most };
        question.margins = set.iter().map(|axes| (axes.to_vec(), question.sums(&hidden, axes))).collect();
        let may: Vec<May> = set.iter().map(|_| May::random(&mut random)).collect();
        let total: u64 = hidden.iter().sum();

        let table = match asked(&question, &may).build() {
            Ok(table) => table,
            Err(TableError::EmptySlice { .. }) => continue,
            Err(TableError::RangesMissTotal { least, most, .. }) => {
                assert!(total < least || most < total, "case {case}: {least} to {most}");
                continue;
            }
            Err(error) => panic!("case {case}: {error}"),
        };
        let ranges: Vec<Vec<(u64, u64)>> = (0..may.len())
            .map(|margin| question.margins[margin].1.iter().map(|target| may[margin].range(*target, total)).collect())
            .collect();
        for (margin, ranges) in ranges.iter().enumerate() {
            assert_eq!(table.margin_ranges(margin), *ranges, "case {case}");
        }
        let cost = |cells: &[u64]| -> Option<f64> {
            let mut cost = 0.0;
            for (margin, (axes, targets)) in question.margins.iter().enumerate() {
                for ((sum, target), (from, to)) in question.sums(cells, axes).iter().zip(targets).zip(&ranges[margin]) {
                    if !(from..=to).contains(&sum) {
                        return None;
                    }
                    cost += sum.abs_diff(*target) as f64 * may[margin].importance();
                }
            }
            Some(cost)
        };
        let mut best = f64::INFINITY;
        every(&question.least, &question.most, total, &mut Vec::new(), &mut |cells| {
            best = best.min(cost(cells).unwrap_or(f64::INFINITY));
        });
        match table.solve() {
            Ok(solution) => {
                let found = cost(solution.cells()).unwrap_or_else(|| panic!("case {case}: outside a range"));
                assert!((found - best).abs() < 1e-6, "case {case}: {found} and {best}, {may:?}");
                *if best == 0.0 { &mut exact } else { &mut shifted } += 1;
                let said: f64 =
                    solution.shifts().iter().map(|s| s.from.abs_diff(s.to) as f64 * may[s.margin].importance()).sum();
                assert!((said - best).abs() < 1e-6, "case {case}: {:?}", solution.shifts());
                let bounds = question.least.iter().zip(&question.most);
                assert!(solution.cells().iter().zip(bounds).all(|(cell, (from, to))| (from..=to).contains(&cell)));
                // A change in field keeps the same targets.
                let plan = table.rebalance(&hidden, &vec![0; cells], &[]).unwrap();
                assert!((cost(&plan.cells).unwrap() - best).abs() < 1e-6, "case {case}");
            }
            Err(SolveError::Infeasible(proof)) => {
                refused += 1;
                assert_eq!(best, f64::INFINITY, "case {case}: {proof}");
                assert!(table.confirms(&proof), "case {case}");
            }
            Err(error) => panic!("case {case}: {error}"),
        }
    }
    assert!(exact > cases / 25 && shifted > cases / 10 && refused > cases / 20, "{exact} {shifted} {refused}");
}

fn asked(question: &Question, may: &[May]) -> TableBuilder {
    let ranges = |may: May, counts: &[u64]| counts.iter().map(|count| may.range(*count, u64::MAX)).collect::<Vec<_>>();
    let of = |axes: &[usize]| question.margins.iter().position(|(other, _)| other == axes);
    let mut builder = Table::builder();
    for (axis, length) in question.lengths.iter().enumerate() {
        let labels = (0..*length).map(|at| format!("{}{at}", NAMES[axis]));
        let Some(margin) = of(&[axis]) else {
            builder = builder.axis(Axis::labels(NAMES[axis], labels));
            continue;
        };
        let counts = &question.margins[margin].1;
        let own = Axis::counts(NAMES[axis], labels.zip(counts.iter().copied()));
        builder = builder.axis(match may[margin] {
            May::Not => own,
            May::Give(_, importance) | May::Beside(_, importance) => {
                own.ranges(ranges(may[margin], counts)).importance(importance)
            }
            May::Any(importance) => own.importance(importance),
        });
    }
    for (margin, (axes, counts)) in question.margins.iter().enumerate().filter(|(_, (axes, _))| axes.len() > 1) {
        let joint = Joint::counts(axes.iter().map(|axis| NAMES[*axis]), counts.iter().copied());
        builder = builder.joint(match may[margin] {
            May::Not => joint,
            May::Give(_, importance) | May::Beside(_, importance) => {
                joint.importance(importance).ranges(ranges(may[margin], counts))
            }
            May::Any(importance) => joint.importance(importance),
        });
    }
    for (cell, (least, most)) in question.least.iter().zip(&question.most).enumerate() {
        let position = position(cell, &question.lengths);
        builder = builder.at_most(position.clone(), *most).at_least(position, *least);
    }
    builder
}

#[test]
fn what_matters_more_gives_less() {
    let table = |age: f64, region: f64| {
        Table::builder()
            .axis(Axis::counts("age", [("18-34", 60), ("35+", 40)]).importance(age))
            .axis(Axis::counts("region", [("North", 50), ("South", 50)]).importance(region))
            .at_most(["18-34", "North"], 5)
            .build()
            .unwrap()
            .solve()
            .unwrap()
    };
    assert_eq!(table(3.0, 1.0).margin(0), [60, 40]);
    assert_eq!(table(3.0, 1.0).margin(1), [45, 55]);
    assert_eq!(table(1.0, 3.0).margin(0), [55, 45]);
    assert_eq!(table(1.0, 3.0).margin(1), [50, 50]);
}

#[test]
fn a_target_outside_its_range_is_moved_into_it() {
    let table = |ranges: [(u64, u64); 2]| {
        Table::builder()
            .axis(Axis::counts("age", [("18-34", 50), ("35+", 50)]).ranges(ranges))
            .axis(Axis::counts("region", [("North", 50), ("South", 50)]))
            .build()
    };
    let outside = table([(0, 40), (60, 100)]).unwrap();
    let solution = outside.solve().unwrap();
    assert_eq!((solution.margin(0), solution.margin(1)), (&[40, 60][..], &[50, 50][..]));
    assert_eq!(solution.shifts()[0].to_string(), "18-34: 40 instead of 50");
    assert_eq!(outside.rebalance(&[25; 4], &[0; 4], &[]).unwrap().shifts.len(), 2);
    for (ranges, said) in [([(0, 40), (0, 50)], "0 to 90"), ([(60, 70), (50, 60)], "110 to 130")] {
        let error = table(ranges).unwrap_err().to_string();
        assert_eq!(error, format!("the ranges of age add up to {said}, expected ones around the total of 100"));
    }
}

/// Ranges are parts of the total that they were given for, and a tolerance is around the targets of each total.
#[test]
fn what_may_give_grows_with_the_total() {
    let table = |age: Axis| {
        let region = Axis::counts("region", [("North", 50), ("South", 50)]);
        Table::builder().axis(age).axis(region).build().unwrap()
    };
    let age = || Axis::counts("age", [("18-34", 60), ("35+", 40)]);
    let ranges = |table: &Table, total: u64| table.at_total(total).unwrap().margin_ranges(0);
    let between = table(age().ranges([(51, 69), (31, 49)]));
    assert_eq!(ranges(&between, 200), [(102, 138), (62, 98)]);
    assert_eq!(ranges(&between, 10), [(5, 7), (3, 5)]);
    assert_eq!(ranges(&between.at_total(10).unwrap(), 100), [(51, 69), (31, 49)]);
    let count = table(age().tolerance_count(5));
    assert_eq!(ranges(&count, 200), [(115, 125), (75, 85)]);

    // Of 109 the first half is 55, and five more are the 60 that came; 55 % of 108 are 59.4, and rounded 60.
    let half = Axis::counts("age", [("18-34", 50), ("35+", 50)]);
    let ways = |age: Axis| table(age).ways_out(&[25; 4], &[35, 25, 10, 10], &[]).unwrap();
    let total = |age: Axis, way: WayOut| ways(age).choice(way).map(|choice| choice.plan.cells.iter().sum::<u64>());
    assert_eq!(total(half.clone().tolerance_count(5), WayOut::RaiseTotal), Some(109));
    assert_eq!(total(half.clone().ranges([(45, 55); 2]), WayOut::RaiseTotal), Some(108));
    assert_eq!(total(half.clone().ranges([(45, 55); 2]), WayOut::GiveWay), Some(100));
    assert_eq!(total(half.ranges([(45, 55); 2]), WayOut::Accept), Some(110));
}

#[test]
fn tolerances_that_make_no_sense_are_refused() {
    let age = || Axis::counts("age", [("18-34", 60), ("35+", 40)]);
    let region = || Axis::counts("region", [("North", 50), ("South", 50)]);
    let build = |age: Axis| Table::builder().axis(age).axis(region()).build();
    assert!(matches!(build(age().tolerance(-0.1)), Err(TableError::Negative { .. })));
    assert!(matches!(build(age().tolerance(f64::NAN)), Err(TableError::NotFinite { .. })));
    assert!(matches!(build(age().importance(-1.0)), Err(TableError::Negative { .. })));
    assert!(matches!(build(age().ranges([(0, 1)])), Err(TableError::Length { given: 1, expected: 2, .. })));
    let crossed = build(age().ranges([(7, 6), (0, 9)])).unwrap_err();
    assert_eq!(crossed.to_string(), "a range of age is 7 to 6");
    let joint = Joint::counts(["age", "region"], [30, 30, 20, 20]);
    let twice = Table::builder().axis(age().tolerance(0.1)).axis(region()).joint(joint).build().unwrap_err();
    assert_eq!(
        twice.to_string(),
        "age may give, and is part of the joint margin age × region: let that one give instead"
    );
}

/// A category that nobody can be in is no error where it may hold nobody.
#[test]
fn a_category_without_a_cell_may_give() {
    let table = |by: f64| {
        Table::builder()
            .axis(Axis::counts("age", [("young", 2), ("old", 8)]).tolerance(by))
            .axis(Axis::counts("region", [("North", 5), ("South", 5)]))
            .exclude([0, 0])
            .exclude([0, 1])
            .build()
            .unwrap()
    };
    let solution = table(1.0).solve().unwrap();
    assert_eq!((solution.margin(0), solution.cells()), (&[0, 10][..], &[0, 0, 5, 5][..]));
    assert!(matches!(table(0.4).solve(), Err(SolveError::Infeasible(_))));
}
