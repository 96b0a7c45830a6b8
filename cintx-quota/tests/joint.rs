//! Joint margins: held against all tables there are, for every way in which margins of three axes can overlap.

#![allow(clippy::panic, clippy::unwrap_used)] // Helpers of tests, too, fail by panicking.

mod common;

use cintx_quota::{Axis, Joint, SolveError, Table, TableBuilder, TableError};
use common::{Over, Question, Random, cases, position};

/// Random tables for each property.
const CASES: u64 = 1_500;

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// Margins of three and four axes: apart, sharing an axis, in a circle, all of it.
const SETS: [&[&[usize]]; 8] = [
    &[&[0, 1], &[2]],
    &[&[0, 2], &[1]],
    &[&[0, 1], &[1, 2]],
    &[&[0, 1], &[0, 2], &[1, 2]],
    &[&[0, 1, 2]],
    &[&[0], &[2, 1]],
    &[&[0, 1], &[2, 3]],
    &[&[0, 1], &[1, 2], &[3]],
];

fn asked(question: &Question) -> TableBuilder {
    let axis = |(axis, length): (usize, &usize)| {
        let labels = (0..*length).map(|at| format!("{}{at}", NAMES[axis]));
        match question.margins.iter().find(|(axes, _)| *axes == [axis]) {
            Some((_, counts)) => Axis::counts(NAMES[axis], labels.zip(counts.iter().copied())),
            None => Axis::labels(NAMES[axis], labels),
        }
    };
    let mut builder = question.lengths.iter().enumerate().map(axis).fold(Table::builder(), TableBuilder::axis);
    for (axes, counts) in question.margins.iter().filter(|(axes, _)| axes.len() > 1) {
        builder = builder.joint(Joint::counts(axes.iter().map(|axis| NAMES[*axis]), counts.iter().copied()));
    }
    for (cell, (least, most)) in question.least.iter().zip(&question.most).enumerate() {
        let position = position(cell, &question.lengths);
        if *least > 0 {
            builder = builder.at_least(position.clone(), *least);
        }
        if *most < u64::MAX {
            builder = builder.at_most(position, *most);
        }
    }
    builder
}

fn random_question(random: &mut Random) -> Question {
    let set = SETS[random.below(SETS.len() as u64) as usize];
    let axes = set.iter().copied().flatten().max().unwrap() + 1;
    // All tables are gone through: small ones only.
    let mut lengths = vec![2; axes];
    if axes == 3 {
        lengths[random.below(3) as usize] = random.between(2, 3) as usize;
    }
    let cells = lengths.iter().product();
    let share = random.between(20, 70);
    let excluded: Vec<bool> = (0..cells).map(|_| random.chance(share)).collect();
    let hidden = random.whole_table(cells, 2, &excluded);
    let mut question = Question { lengths, margins: Vec::new(), least: vec![0; cells], most: vec![u64::MAX; cells] };
    question.margins = set.iter().map(|axes| (axes.to_vec(), question.sums(&hidden, axes))).collect();
    // Near a table that exists: cells that may hold a little less than they must.
    for (cell, excluded) in excluded.iter().enumerate() {
        question.most[cell] = match random.below(100) {
            _ if *excluded => 0,
            0..20 => random.below(3),
            _ => u64::MAX,
        };
        if random.chance(10) {
            question.least[cell] = random.below(2).min(question.most[cell]);
        }
    }
    question
}

#[test]
fn joint_margins_agree_with_all_tables_there_are() {
    let mut random = Random(51);
    let (mut found, mut refused) = (0, 0);
    let cases = cases(CASES);
    for case in 0..cases {
        let mut question = random_question(&mut random);
        let mut first = None;
        let mut tables = 0;
        let mut best = f64::INFINITY;
        let table = match asked(&question).build() {
            Ok(table) => table,
            Err(TableError::EmptySlice { .. }) => continue,
            Err(error) => panic!("case {case}: {error}"),
        };
        let solved = table.solve();
        let fit = solved.as_ref().map(|solution| solution.fit().cells.clone()).unwrap_or_default();
        question.every_answer(&mut |cells| {
            tables += 1;
            first.get_or_insert_with(|| cells.to_vec());
            if cells.iter().zip(&fit).all(|(cell, fit)| (*cell as f64 - fit).abs() < 1.0 - 1e-7) {
                best = best.min(squares(cells, &fit));
            }
        });
        match solved {
            Ok(solution) => {
                found += 1;
                assert!(tables > 0, "case {case}");
                for (axes, counts) in &question.margins {
                    assert_eq!(solution.sums(axes), *counts, "case {case}");
                }
                let cells = solution.cells().iter().zip(question.least.iter().zip(&question.most));
                assert!(cells.into_iter().all(|(cell, (least, most))| cell >= least && cell <= most), "case {case}");
                assert_eq!(
                    solution.certificate().joints.len(),
                    question.margins.iter().filter(|m| m.0.len() > 1).count()
                );
                // With two margins it is the nearest table between floor and ceiling.
                if question.margins.len() <= 2 && solution.fit().converged {
                    assert!(squares(solution.cells(), &fit) <= best + 1e-6, "case {case}: {solution:?} {best}");
                }
            }
            Err(SolveError::Infeasible(proof)) => {
                refused += 1;
                assert_eq!(first, None, "case {case}: {proof}");
                assert_eq!(table.margins(), question.margins.iter().map(|(axes, _)| axes.clone()).collect::<Vec<_>>());
                assert!(question.holds(&proof, 0), "case {case}: {proof:?}");
                assert!(table.confirms(&proof), "case {case}: {proof:?}");
            }
            Err(error) => panic!("case {case}: {error}"),
        }
    }
    assert!(found > cases / 5 && refused > cases / 10, "{found} found, {refused} refused");
}

fn squares(cells: &[u64], fit: &[f64]) -> f64 {
    cells.iter().zip(fit).map(|(cell, fit)| (*cell as f64 - fit).powi(2)).sum()
}

#[test]
fn rebalancing_keeps_joint_margins_and_moves_least() {
    let mut random = Random(52);
    let mut planned = 0;
    let cases = cases(CASES / 3);
    for case in 0..cases {
        let mut question = random_question(&mut random);
        let cells = question.least.len();
        (question.least, question.most) = (vec![0; cells], vec![u64::MAX; cells]);
        let targets = random.whole_table(cells, 2, &vec![false; cells]);
        let completes: Vec<u64> = targets.iter().map(|target| random.below(target + 1)).collect();
        let table = asked(&question).build().unwrap();
        question.least.clone_from(&completes);
        let moved = |table: &[u64]| table.iter().zip(&targets).map(|(to, from)| to.abs_diff(*from)).sum::<u64>();
        let mut least: Option<u64> = None;
        question.every_answer(&mut |cells| least = Some(least.map_or(moved(cells), |least| least.min(moved(cells)))));
        match table.rebalance(&targets, &completes, &[]) {
            Ok(plan) => {
                planned += 1;
                let least = least.unwrap();
                for (axes, counts) in &question.margins {
                    assert_eq!(question.sums(&plan.cells, axes), *counts, "case {case}");
                }
                assert_eq!(plan.moved, moved(&plan.cells), "case {case}");
                assert!(plan.at_least <= least && least <= plan.moved, "case {case}: {least} in {plan:?}");
                assert!(question.margins.len() > 2 || plan.moved == least, "case {case}: {least} in {plan:?}");
            }
            Err(SolveError::Infeasible(proof)) => {
                assert_eq!(least, None, "case {case}");
                assert!(question.holds(&proof, 0), "case {case}: {proof:?}");
            }
            Err(error) => panic!("case {case}: {error}"),
        }
    }
    assert!(planned > cases / 20, "{planned}");
}

#[test]
fn shares_of_joint_margins_are_rounded_to_agree_with_their_axes() {
    let mut random = Random(53);
    for case in 0..cases(CASES) {
        let lengths = [random.between(2, 4) as usize, random.between(2, 4) as usize, 3];
        let joint: Vec<f64> = random.weights(lengths[0] * lengths[1]);
        let sum: f64 = joint.iter().sum();
        let ages: Vec<f64> = joint.chunks(lengths[1]).map(|row| row.iter().sum()).collect();
        let named = |axis: usize, shares: &[f64]| {
            let labels = shares.iter().enumerate().map(|(at, share)| (format!("{}{at}", NAMES[axis]), *share));
            Axis::shares(NAMES[axis], labels.collect::<Vec<_>>())
        };
        let total = random.between(10, 2_000);
        let table = Table::builder()
            .total(total)
            .axis(named(0, &ages))
            .axis(Axis::labels("b", (0..lengths[1]).map(|at| format!("b{at}"))))
            .axis(named(2, &[0.2, 0.3, 0.5]))
            .joint(Joint::shares(["a", "b"], joint.iter().copied()))
            .build()
            .unwrap();
        let solution = table.solve().unwrap();
        assert_eq!(solution.margin(0), table.targets(0).unwrap().counts, "case {case}");
        for (count, share) in solution.sums(&[0, 1]).iter().zip(&joint) {
            let part = share / sum * total as f64;
            assert!((*count as f64 - part).abs() < 2.0, "case {case}: {count} for {part}");
        }
    }
}

#[test]
fn a_nested_table_is_taken_as_it_is() {
    let nested = [5, 0, 7, 2, 9, 4];
    let table = Table::builder()
        .axis(Axis::labels("age", ["18-34", "35+"]))
        .axis(Axis::labels("region", ["North", "South", "West"]))
        .joint(Joint::counts(["age", "region"], nested))
        .build()
        .unwrap();
    let solution = table.solve().unwrap();
    assert_eq!(solution.cells(), nested);
    assert_eq!((solution.margin(0), solution.margin(1)), (&[12, 15][..], &[7, 9, 11][..]));
    assert_eq!(table.at_total(54).unwrap().solve().unwrap().cells(), [10, 0, 14, 4, 18, 8]);
}

#[test]
fn what_does_not_fit_together_is_refused_by_name() {
    let base = || {
        Table::builder()
            .axis(Axis::counts("age", [("18-34", 12), ("35+", 15)]))
            .axis(Axis::labels("region", ["North", "South"]))
    };
    let refuse = |builder: TableBuilder| builder.build().unwrap_err().to_string();
    let joint = |counts: [u64; 4]| base().joint(Joint::counts(["age", "region"], counts));
    assert_eq!(refuse(joint([6, 7, 7, 7])), "18-34 has the target 12, and by the joint margin age × region 13");
    assert_eq!(refuse(joint([6, 6, 7, 7])), "age adds up to 27 and age × region to 26: no table has both");
    assert_eq!(refuse(base()), "region has no targets: give it some, or a joint margin with it");
    let wrong = base().joint(Joint::counts(["age", "gender"], [6, 6, 7, 8]));
    assert_eq!(refuse(wrong), "the joint margin age × gender names gender, expected different axes of the table");
    let twice = base().joint(Joint::counts(["age", "age"], [6, 6, 7, 8]));
    assert!(matches!(twice.build(), Err(TableError::JointAxis { .. })));
    let short = base().joint(Joint::counts(["age", "region"], [6, 6, 15]));
    assert!(matches!(short.build(), Err(TableError::Length { given: 3, expected: 4, .. })));
    let off = base().joint(Joint::shares(["age", "region"], [9.0, 9.0, 1.0, 1.0]));
    assert!(matches!(off.build(), Err(TableError::MarginsDisagree { .. })));
    let hundred = base().joint(Joint::percentages(["age", "region"], [20.0, 20.0, 20.0, 20.0]));
    assert!(matches!(hundred.build(), Err(TableError::NotHundred { .. })));
}

#[test]
fn a_smallest_cell_and_its_largest_work_with_joint_margins() {
    let over: Vec<Over> = vec![(vec![0, 1], vec![10, 12, 8, 20]), (vec![2], vec![25, 25])];
    let question = Question { lengths: vec![2, 2, 2], margins: over, least: vec![0; 8], most: vec![u64::MAX; 8] };
    let table = asked(&question).build().unwrap();
    assert_eq!(table.largest_smallest_cell().unwrap(), 4);
    let solution = asked(&question).smallest_cell(4).build().unwrap().solve().unwrap();
    assert!(solution.cells().iter().all(|cell| *cell >= 4));
    let none = asked(&question).smallest_cell(5).build().unwrap();
    let Err(SolveError::Infeasible(proof)) = none.solve() else { panic!("8 cannot be 5 and 5") };
    assert!(none.confirms(&proof) && proof.to_string().contains("a1 × b0"), "{proof}");
}

/// Two joint margins of the same people share an axis: rounded each for itself, they would ask for other numbers of it.
#[test]
fn joint_margins_that_share_an_axis_are_rounded_to_agree() {
    // Thousands of people of five ages by gender, and by education.
    let genders = [3456, 3337, 4667, 4582, 4307, 4347, 3672, 3853, 5121, 7168].map(f64::from);
    let education: [[f64; 3]; 5] = [
        [1944.0, 3441.0, 1408.0],
        [3711.0, 4080.0, 1459.0],
        [4174.0, 3441.0, 1040.0],
        [4628.0, 2094.0, 803.0],
        [10208.0, 1506.0, 576.0],
    ];
    let ages: Vec<f64> = genders.chunks(2).map(|age| age.iter().sum()).collect();
    let parts = ages.iter().zip(&education);
    let education: Vec<f64> =
        parts.flat_map(|(age, parts)| parts.map(|part| age * part / parts.iter().sum::<f64>())).collect();
    let everybody: f64 = ages.iter().sum();
    for total in [100, 500, 1_000, 1_003, 2_500] {
        let table = Table::builder()
            .total(total)
            .axis(Axis::labels("age", ["25-34", "35-44", "45-54", "55-64", "65+"]))
            .axis(Axis::labels("gender", ["men", "women"]))
            .axis(Axis::labels("education", ["low", "middle", "high"]))
            .joint(Joint::shares(["age", "gender"], genders))
            .joint(Joint::shares(["age", "education"], education.clone()))
            .build()
            .unwrap();
        let counts = &table.targets(0).unwrap().counts;
        for (count, age) in counts.iter().zip(&ages) {
            assert!((*count as f64 - age / everybody * total as f64).abs() < 1.0, "{total}: {counts:?}");
        }
        assert_eq!(table.solve().unwrap().certificate().total, total);
    }
}
