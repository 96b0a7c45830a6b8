//! Re-balancing: least moved, then fewest cells shut, then least distorted. Held against all tables there are, and
//! against the table that a seeded solve finds.

#![allow(clippy::panic, clippy::unwrap_used)]

mod common;

use cintx_quota::{Axis, SolveError, Table};
use common::*;

/// Random tables for each property.
const CASES: u64 = 3_000;

#[test]
fn a_raised_goal_keeps_the_proportions() {
    let table = builder(&[vec![100, 100], vec![100, 100]]).build().unwrap();
    let plan = table.rebalance(&[25, 25, 25, 25], &[0; 4], &[]).unwrap();
    assert_eq!(plan.cells, [50, 50, 50, 50]);
    assert_eq!((plan.moved, plan.proved_smallest, plan.gap()), (100, true, 0.0));
}

#[test]
fn age_by_region_keeps_its_shape_from_500_to_1000() {
    let ages = [4.0, 9.0, 14.0, 16.0, 17.0, 15.0, 13.0, 12.0];
    let regions = [13.4, 16.0, 4.4, 3.0, 0.8, 2.2, 7.6, 9.6, 21.6];
    let build = |total: u64| {
        let named = |name: &str, shares: &[f64]| {
            Axis::shares(name, shares.iter().enumerate().map(|(at, share)| (format!("{name}{at}"), *share)))
        };
        Table::builder().total(total).axis(named("age", &ages)).axis(named("region", &regions)).build().unwrap()
    };
    let before = build(500).solve().unwrap().into_cells();
    let table = build(1000);
    let plan = table.rebalance(&before, &[0; 72], &[]).unwrap();
    assert!(plan.proved_smallest);
    for (cell, (from, to)) in before.iter().zip(&plan.cells).enumerate() {
        assert!(to.abs_diff(2 * from) <= 1 + from / 2, "cell {cell}: {from} became {to}");
    }
}

#[test]
fn what_must_give_is_taken_where_most_is_open() {
    // The first row has 21 too many; its second cell has five to come, its third a hundred.
    let table = builder(&[vec![221, 360], vec![200, 160, 221]]).build().unwrap();
    let targets = [21, 100, 100, 179, 60, 121];
    let completes = [42, 95, 0, 0, 0, 0];
    let plan = table.rebalance(&targets, &completes, &[]).unwrap();
    assert_eq!(plan.cells, [42, 99, 80, 158, 61, 141]);
    assert_eq!((plan.moved, plan.shut), (84, 0));
}

/// A table in field and what is asked of it.
struct Field {
    margins: Vec<Vec<u64>>,
    targets: Vec<u64>,
    completes: Vec<u64>,
    closed: Vec<bool>,
}

impl Field {
    fn random(random: &mut Random, axes: usize) -> Self {
        let lengths: Vec<usize> = (0..axes).map(|_| random.between(1, 3) as usize).collect();
        let cells = lengths.iter().product();
        let targets = random.whole_table(cells, 4, &vec![false; cells]);
        let completes = targets
            .iter()
            .map(|target| if random.chance(10) { target + random.below(3) } else { random.below(target + 1) })
            .collect();
        let closed = (0..cells).map(|_| random.chance(8)).collect();
        let mut margins = sums(&targets, &lengths);
        if random.chance(50) {
            let raised: Vec<u64> = targets.iter().map(|target| target + random.below(2)).collect();
            margins = sums(&raised, &lengths);
        }
        Self { margins, targets, completes, closed }
    }

    fn bounds(&self) -> (Vec<u64>, Vec<u64>) {
        let least = (0..self.targets.len()).map(|cell| match self.closed[cell] {
            true => self.targets[cell].max(self.completes[cell]),
            false => self.completes[cell],
        });
        let least: Vec<u64> = least.collect();
        let most = (0..least.len()).map(|cell| if self.closed[cell] { least[cell] } else { u64::MAX }).collect();
        (least, most)
    }

    fn moved(&self, cells: &[u64]) -> u64 {
        cells.iter().zip(&self.targets).map(|(cell, target)| cell.abs_diff(*target)).sum()
    }

    fn shut(&self, cells: &[u64]) -> usize {
        let is_shut = |cell: &usize| {
            let (target, done) = (self.targets[*cell], self.completes[*cell]);
            !self.closed[*cell] && target > done && cells[*cell] == done
        };
        (0..cells.len()).filter(is_shut).count()
    }

    /// What of each cell takes no part in the proportions.
    fn start(&self) -> Vec<u64> {
        let (before, now): (u64, u64) = (self.targets.iter().sum(), self.margins[0].iter().sum());
        if now > before { vec![0; self.targets.len()] } else { self.bounds().0 }
    }

    fn distortion(&self, cells: &[u64], proportional: &[f64]) -> f64 {
        let start = self.start();
        let part = |cell: usize| {
            let weight = (proportional[cell] - start[cell] as f64).max(1.0);
            (cells[cell] as f64 - proportional[cell]).powi(2) / weight
        };
        (0..cells.len()).map(part).sum()
    }

    /// The relative entropy to the proportions asked for.
    fn entropy(&self, cells: &[f64]) -> f64 {
        let start = self.start();
        let part = |cell: usize| {
            let weight = (self.targets[cell].saturating_sub(start[cell]) as f64).max(1e-3);
            let value = (cells[cell] - start[cell] as f64).max(0.0);
            if value > 0.0 { value * (value / weight).ln() - value } else { 0.0 }
        };
        (0..cells.len()).map(part).sum()
    }
}

#[test]
fn all_three_objectives_agree_with_all_tables_there_are() {
    let cases = cases(CASES);
    let mut random = Random(31);
    let (mut planned, mut chosen) = (0, 0);
    for case in 0..cases {
        let field = Field::random(&mut random, 2);
        let (least, most) = field.bounds();
        let mut tables: Vec<Vec<u64>> = Vec::new();
        every_table(&field.margins[0], &field.margins[1], &least, &most, &mut |cells| tables.push(cells.to_vec()));
        let table = builder(&field.margins).build().unwrap();
        let plan = match table.rebalance(&field.targets, &field.completes, &field.closed) {
            Ok(plan) => plan,
            Err(SolveError::Infeasible(_)) => {
                assert!(tables.is_empty(), "case {case}");
                continue;
            }
            Err(error) => panic!("case {case}: {error}"),
        };
        planned += 1;
        let moved = tables.iter().map(|cells| field.moved(cells)).min().unwrap();
        assert_eq!(plan.moved, moved, "case {case}");
        assert_eq!(field.moved(&plan.cells), moved, "case {case}");
        tables.retain(|cells| {
            // The proportional table is the one of least entropy, fractions or not.
            let whole: Vec<f64> = cells.iter().map(|cell| *cell as f64).collect();
            assert!(
                field.entropy(&plan.proportional) <= field.entropy(&whole) + 1e-4,
                "case {case}: {cells:?}, {plan:?}"
            );
            field.moved(cells) == moved
        });
        let shut = tables.iter().map(|cells| field.shut(cells)).min().unwrap();
        assert_eq!((plan.shut, field.shut(&plan.cells), plan.least_shut), (shut, shut, shut), "case {case}");
        tables.retain(|cells| field.shut(cells) == shut);
        chosen += u64::from(tables.len() > 1);
        let least =
            tables.iter().map(|cells| field.distortion(cells, &plan.proportional)).fold(f64::INFINITY, f64::min);
        let found = field.distortion(&plan.cells, &plan.proportional);
        assert!(found <= least + 1e-6, "case {case}: {found} and {least} in {plan:?}");
        assert!((plan.distortion.unwrap() - found).abs() < 1e-6, "case {case}");
    }
    assert!(planned > cases / 4 && chosen > cases / 12, "{planned} planned, {chosen} with a choice");
}

#[test]
fn no_raise_is_further_from_proportional_than_a_seeded_solve() {
    let cases = cases(CASES);
    let mut random = Random(32);
    let mut as_little = 0;
    for case in 0..cases / 3 {
        let axes = random.between(2, 3) as usize;
        let lengths: Vec<usize> = (0..axes).map(|_| random.between(2, 4) as usize).collect();
        let cells: usize = lengths.iter().product();
        let targets: Vec<u64> = (0..cells).map(|_| random.between(1, 40)).collect();
        let completes: Vec<u64> = targets.iter().map(|target| random.below(target + 1)).collect();
        let raised: Vec<u64> = targets.iter().map(|target| target + random.between(0, 40)).collect();
        let margins = sums(&raised, &lengths);
        let plan = builder(&margins).build().unwrap().rebalance(&targets, &completes, &[]).unwrap();
        let mut seeded = builder(&margins).seed(targets.iter().map(|target| *target as f64));
        for (cell, completes) in completes.iter().enumerate() {
            seeded = seeded.at_least(position(cell, &lengths), *completes);
        }
        let seeded = seeded.build().unwrap().solve().unwrap().into_cells();
        let field = Field { margins, targets, completes, closed: vec![false; cells] };
        let moved = field.moved(&seeded);
        assert!(plan.moved <= moved, "case {case}: {} and {moved}", plan.moved);
        if plan.moved == moved {
            as_little += 1;
            let worth = |cells: &[u64]| (field.shut(cells), field.distortion(cells, &plan.proportional));
            let (own, other) = (worth(&plan.cells), worth(&seeded));
            assert!(
                own.0 < other.0 || own.0 == other.0 && own.1 <= other.1 + 1e-6,
                "case {case}: {own:?} and {other:?}"
            );
        }
    }
    assert!(as_little > cases / 12, "{as_little} seeded solves moved as little");
}

#[test]
fn three_axes_state_a_bound_that_holds() {
    let cases = cases(CASES);
    let mut random = Random(33);
    let mut proved = 0_u64;
    let mut planned = 0_u64;
    let (mut stated, mut near, mut least_distorted, mut really) = (0_u64, 0_u64, 0_u64, 0_u64);
    let (mut shutting, mut fewest) = (0_u64, 0_u64);
    for case in 0..cases / 10 {
        let mut field = Field::random(&mut random, 3);
        // All tables are gone through: small ones only.
        field.targets.iter_mut().for_each(|target| *target = (*target).min(2));
        field.completes.iter_mut().zip(&field.targets).for_each(|(done, target)| *done = (*done).min(target + 1));
        let lengths: Vec<usize> = field.margins.iter().map(Vec::len).collect();
        if field.targets.len() > 12 {
            continue;
        }
        field.margins = sums(&field.targets, &lengths);
        let (least, most) = field.bounds();
        let smallest = smallest_change(&field, &least, &most);
        match builder(&field.margins).build().unwrap().rebalance(&field.targets, &field.completes, &field.closed) {
            Ok(plan) => {
                planned += 1;
                proved += u64::from(plan.proved_smallest);
                let smallest = smallest.unwrap();
                assert!(plan.at_least <= smallest && smallest <= plan.moved, "case {case}: {smallest} in {plan:?}");
                assert!(!plan.proved_smallest || plan.moved == smallest, "case {case}");
                assert!(plan.moved as f64 <= smallest as f64 * (1.0 + plan.gap()) + 1e-9, "case {case}");
                // Of all changes that move and shut as little, none is less distorted than is said.
                let changes = changes_within(&field, &least, &most, plan.moved);
                let shut = changes.iter().map(|cells| field.shut(cells)).min().unwrap();
                assert_eq!(plan.shut, field.shut(&plan.cells), "case {case}");
                assert!(plan.least_shut <= shut && shut <= plan.shut, "case {case}: {shut} in {plan:?}");
                shutting += u64::from(plan.shut > 0);
                fewest += u64::from(plan.shut > 0 && plan.shut == plan.least_shut);
                let changes = changes.iter().filter(|cells| field.shut(cells) <= plan.shut);
                let distortions = changes.map(|cells| field.distortion(cells, &plan.proportional));
                let distorted = distortions.fold(f64::INFINITY, f64::min);
                let bound = plan.least_distorted.unwrap();
                assert!(bound <= distorted + 1e-9, "case {case}: {distorted} in {plan:?}");
                let found = plan.distortion.unwrap();
                assert!(bound <= found, "case {case}: {plan:?}");
                if let Some(gap) = plan.distortion_gap() {
                    stated += 1;
                    assert!(found <= distorted * (1.0 + gap) + 1e-5, "case {case}: {distorted} in {plan:?}");
                    least_distorted += u64::from(gap < 1e-3);
                    near += u64::from(gap < 0.05);
                }
                really += u64::from(found <= distorted + 1e-6);
            }
            Err(error) => assert_eq!(smallest, None, "case {case}: {error}"),
        }
    }
    assert!(planned > 30 && proved * 2 > planned, "{planned} planned, {proved} proved");
    assert!(shutting > 20 && fewest * 10 >= shutting * 9, "{fewest} of {shutting} shut as few as can be");
    let known = format!("{stated} stated, {near} near, {least_distorted} least of {really}, {planned} planned");
    assert!(stated * 10 > planned * 9 && least_distorted * 2 > planned, "{known}");
}

/// Where no search is made, the cells that must change are a bound all the same.
#[test]
fn a_large_change_states_a_bound_too() {
    let cells = 30 * 30 * 30;
    let table = builder(&[vec![2_700; 30], vec![2_700; 30], vec![2_700; 30]]).build().unwrap();
    let targets = vec![3; cells];
    let mut completes = vec![0; cells];
    completes[4_321] = 5;
    let plan = table.rebalance(&targets, &completes, &[]).unwrap();
    assert!(plan.at_least >= 4 && plan.moved >= plan.at_least, "{} of {}", plan.at_least, plan.moved);
    assert!(plan.gap() < 8.0, "{}", plan.gap());
}

/// Every change that keeps all margins and moves no more than so many.
fn changes_within(field: &Field, least: &[u64], most: &[u64], moved: u64) -> Vec<Vec<u64>> {
    let lengths: Vec<usize> = field.margins.iter().map(Vec::len).collect();
    // What is filled so far, what it leaves of each margin, and what it has moved.
    let mut open = vec![(Vec::new(), field.margins.clone(), 0)];
    let mut found = Vec::new();
    while let Some((cells, rest, so_far)) = open.pop() {
        let cell = cells.len();
        if cell == least.len() {
            if rest.iter().flatten().all(|rest| *rest == 0) {
                found.push(cells);
            }
            continue;
        }
        let at = position(cell, &lengths);
        let room = at.iter().zip(&rest).map(|(at, rest)| rest[*at]).min().unwrap();
        for count in least[cell]..=most[cell].min(room) {
            let so_far = so_far + count.abs_diff(field.targets[cell]);
            if so_far <= moved {
                let (mut cells, mut rest) = (cells.clone(), rest.clone());
                at.iter().zip(rest.iter_mut()).for_each(|(at, rest)| rest[*at] -= count);
                cells.push(count);
                open.push((cells, rest, so_far));
            }
        }
    }
    found
}

/// The smallest change that keeps all margins, by trying every number of completes in turn.
fn smallest_change(field: &Field, least: &[u64], most: &[u64]) -> Option<u64> {
    fn fill(
        cells: &mut Vec<u64>,
        rest: &mut [Vec<u64>],
        moved: u64,
        best: &mut Option<u64>,
        field: &Field,
        least: &[u64],
        most: &[u64],
    ) {
        if best.is_some_and(|best| moved >= best) {
            return;
        }
        let cell = cells.len();
        if cell == least.len() {
            if rest.iter().flatten().all(|rest| *rest == 0) {
                *best = Some(moved);
            }
            return;
        }
        let lengths: Vec<usize> = rest.iter().map(Vec::len).collect();
        let at = position(cell, &lengths);
        let room = at.iter().zip(rest.iter()).map(|(at, rest)| rest[*at]).min().unwrap();
        for count in least[cell]..=most[cell].min(room) {
            at.iter().zip(rest.iter_mut()).for_each(|(at, rest)| rest[*at] -= count);
            cells.push(count);
            fill(cells, rest, moved + count.abs_diff(field.targets[cell]), best, field, least, most);
            cells.pop();
            at.iter().zip(rest.iter_mut()).for_each(|(at, rest)| rest[*at] += count);
        }
    }
    let mut best = None;
    fill(&mut Vec::new(), &mut field.margins.clone(), 0, &mut best, field, least, most);
    best
}
