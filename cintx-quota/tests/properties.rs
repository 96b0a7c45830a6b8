//! What must hold for any table, each on ten thousand random ones or more, on a hundred thousand before a release
//! (`CINTX_QUOTA_CASES=100000 cargo test -p cintx-quota`).
//! The tables come from a seeded generator; a failure names the case that shows it.

#![allow(clippy::panic, clippy::unwrap_used)] // Helpers of tests, too, fail by panicking.

mod common;

use cintx_quota::{Certificate, Proof, SolveError, Step, Table, TableError};
use common::{Random, builder, cases, every_table, exists, is_proof, position, sums};

/// Random tables for each property.
const CASES: u64 = 10_000;

/// Totals as they come: small, everyday, and none at all.
fn total(random: &mut Random) -> u64 {
    match random.below(20) {
        0 => random.below(3),
        1..=5 => random.between(1, 60),
        _ => random.between(50, 2_000),
    }
}

fn lengths(random: &mut Random, axes: usize, most: u64) -> Vec<usize> {
    (0..axes).map(|_| random.between(1, most) as usize).collect()
}

fn margins(random: &mut Random, lengths: &[usize]) -> Vec<Vec<u64>> {
    let total = total(random);
    lengths.iter().map(|length| random.margin(*length, total)).collect()
}

#[test]
fn two_axes_keep_every_margin_and_each_cell_is_floor_or_ceiling() {
    let cases = cases(CASES);
    let mut random = Random(1);
    for case in 0..cases {
        let lengths = lengths(&mut random, 2, 7);
        let margins = margins(&mut random, &lengths);
        let mut asked = builder(&margins);
        if random.chance(50) {
            asked = asked.seed(random.weights(lengths[0] * lengths[1]));
        }
        let solution = asked.build().unwrap().solve().unwrap();
        assert_eq!(sums(solution.cells(), &lengths), margins, "case {case}");
        assert!(solution.fit().converged, "case {case}: error {}", solution.fit().error);
        for (cell, fit) in solution.cells().iter().zip(&solution.fit().cells) {
            let (floor, ceiling) = ((fit + 1e-7).floor(), (fit - 1e-7).ceil());
            assert!(*cell as f64 == floor || *cell as f64 == ceiling, "case {case}: {cell} for {fit}");
        }
    }
}

/// Six by eight is too large to list all tables: here linear programming judges. A table of whole numbers between floor
/// and ceiling is the nearest if and only if no circle of cells, up and down in turn, comes nearer.
#[test]
fn no_circle_of_cells_comes_nearer_to_the_fit() {
    let cases = cases(CASES);
    let mut random = Random(16);
    for case in 0..cases {
        let lengths = [random.between(4, 6) as usize, random.between(5, 8) as usize];
        let margins = margins(&mut random, &lengths);
        let seed = random.weights(lengths[0] * lengths[1]);
        let solution = builder(&margins).seed(seed).build().unwrap().solve().unwrap();
        let (rows, nodes) = (lengths[0], lengths[0] + lengths[1]);
        // From a row to a column: the cell rises; from a column to a row: it falls.
        let step = |from: usize, to: usize| -> Option<f64> {
            let (row, column, up) = if from < rows { (from, to - rows, 1.0) } else { (to, from - rows, -1.0) };
            let at = row * lengths[1] + column;
            let (cell, fit) = (solution.cells()[at] as f64, solution.fit().cells[at]);
            let apart = (cell + up - fit).abs();
            (apart < 1.0 - 1e-7).then(|| apart.powi(2) - (cell - fit).powi(2))
        };
        let mut far = vec![0.0_f64; nodes];
        for round in 0..=nodes {
            let mut nearer = false;
            for from in 0..nodes {
                let others = if from < rows { rows..nodes } else { 0..rows };
                for to in others {
                    if let Some(cost) = step(from, to)
                        && far[from] + cost < far[to] - 1e-6
                    {
                        far[to] = far[from] + cost;
                        nearer = true;
                    }
                }
            }
            if !nearer {
                break;
            }
            assert!(round < nodes, "case {case}: {:?}", solution.cells());
        }
    }
}

/// The fit from elsewhere: Newton's method on the dual of the least discrimination information.
#[test]
fn the_fit_is_what_newton_finds_on_the_dual() {
    let cases = cases(CASES);
    let mut random = Random(17);
    for case in 0..cases {
        let lengths: Vec<usize> = (0..2).map(|_| random.between(2, 4) as usize).collect();
        let total = random.between(100, 2_000);
        let part = |random: &mut Random, length: usize| -> Vec<u64> {
            random.margin(length, total - 10 * length as u64).iter().map(|count| count + 10).collect()
        };
        let margins = [part(&mut random, lengths[0]), part(&mut random, lengths[1])];
        let seed = random.weights(lengths[0] * lengths[1]);
        let fitted = newton(&margins, &seed);
        let solution = builder(&margins).seed(seed).build().unwrap().solve().unwrap();
        for (own, other) in solution.fit().cells.iter().zip(&fitted) {
            assert!((own - other).abs() < 1e-6 * total as f64, "case {case}: {own} and {other}");
        }
    }
}

/// Maximises `sum of target × price − sum of seed × exp(price of the row + price of the column)`; the last price is 0.
fn newton(margins: &[Vec<u64>; 2], seed: &[f64]) -> Vec<f64> {
    let (rows, columns) = (margins[0].len(), margins[1].len());
    let size = rows + columns - 1;
    let targets: Vec<f64> = margins.iter().flatten().map(|count| *count as f64).collect();
    let of = |prices: &[f64]| -> Vec<f64> {
        let price = |node: usize| prices.get(node).copied().unwrap_or(0.0);
        seed.iter()
            .enumerate()
            .map(|(at, seed)| seed * (price(at / columns) + price(rows + at % columns)).exp())
            .collect()
    };
    let value = |prices: &[f64]| {
        let gain: f64 = prices.iter().zip(&targets).map(|(price, target)| price * target).sum();
        gain - of(prices).iter().sum::<f64>()
    };
    let start = (targets[..rows].iter().sum::<f64>() / seed.iter().sum::<f64>()).ln();
    let mut prices: Vec<f64> = (0..size).map(|node| if node < rows { start } else { 0.0 }).collect();
    for _ in 0..60 {
        let cells = of(&prices);
        let mut system = vec![vec![0.0; size + 1]; size];
        for (at, cell) in cells.iter().enumerate() {
            let nodes = [at / columns, rows + at % columns];
            for one in nodes.into_iter().filter(|node| *node < size) {
                system[one][size] -= cell;
                nodes.into_iter().filter(|other| *other < size).for_each(|other| system[one][other] += cell);
            }
        }
        (0..size).for_each(|node| system[node][size] += targets[node]);
        let worst = system.iter().map(|line| line[size].abs()).fold(0.0, f64::max);
        if worst < 1e-9 * targets[..rows].iter().sum::<f64>() {
            break;
        }
        let way = solve(system);
        let slope: f64 = way.iter().map(|step| step.abs()).sum();
        let (before, mut length) = (value(&prices), 1.0);
        let moved =
            |length: f64| -> Vec<f64> { prices.iter().zip(&way).map(|(price, step)| price + length * step).collect() };
        while length > 1e-6 && value(&moved(length)) < before && slope > 1e-9 {
            length /= 2.0;
        }
        prices = moved(length);
    }
    of(&prices)
}

/// Gauss, with the largest pivot of each column.
fn solve(mut system: Vec<Vec<f64>>) -> Vec<f64> {
    let size = system.len();
    for column in 0..size {
        let pivot =
            (column..size).max_by(|a, b| system[*a][column].abs().total_cmp(&system[*b][column].abs())).unwrap();
        system.swap(column, pivot);
        let line = system[column].clone();
        for other in (0..size).filter(|other| *other != column) {
            let factor = system[other][column] / line[column];
            system[other].iter_mut().zip(&line).for_each(|(entry, own)| *entry -= factor * own);
        }
    }
    (0..size).map(|at| system[at][size] / system[at][at]).collect()
}

#[test]
fn independence_is_the_product_of_the_margins() {
    let cases = cases(CASES);
    let mut random = Random(2);
    for case in 0..cases {
        let lengths = lengths(&mut random, 2, 6);
        let margins = margins(&mut random, &lengths);
        let total: u64 = margins[0].iter().sum();
        let solution = builder(&margins).build().unwrap().solve().unwrap();
        for (index, cell) in solution.cells().iter().enumerate() {
            let product = margins[0][index / lengths[1]] * margins[1][index % lengths[1]];
            let floor = product.checked_div(total).unwrap_or(0);
            let whole = product.is_multiple_of(total.max(1));
            assert!(*cell == floor || (!whole && *cell == floor + 1), "case {case}: cell {index}");
        }
    }
}

#[test]
fn the_fit_keeps_the_odds_ratios_of_its_seed() {
    let cases = cases(CASES);
    let mut random = Random(3);
    for case in 0..cases {
        let lengths: Vec<usize> = (0..2).map(|_| random.between(2, 5) as usize).collect();
        let total = random.between(100, 2_000);
        let margins: Vec<Vec<u64>> = lengths
            .iter()
            .map(|length| random.margin(*length, total - 10 * *length as u64).iter().map(|count| count + 10).collect())
            .collect();
        let seed = random.weights(lengths[0] * lengths[1]);
        let solution = builder(&margins).seed(seed.clone()).build().unwrap().solve().unwrap();
        let width = lengths[1];
        let odds = |cells: &[f64], row: usize, column: usize| {
            cells[0] * cells[row * width + column] / (cells[column] * cells[row * width])
        };
        for row in 1..lengths[0] {
            for column in 1..width {
                let ratio = odds(&solution.fit().cells, row, column) / odds(&seed, row, column);
                assert!((ratio - 1.0).abs() < 1e-9, "case {case}: {ratio}");
            }
        }
    }
}

#[test]
fn three_and_four_axes_keep_every_margin() {
    let cases = cases(CASES);
    let mut random = Random(4);
    let mut worst: f64 = 0.0;
    for case in 0..cases {
        let axes = if random.chance(80) { 3 } else { 4 };
        let lengths = lengths(&mut random, axes, if axes == 3 { 5 } else { 3 });
        let margins = margins(&mut random, &lengths);
        let mut asked = builder(&margins);
        if random.chance(50) {
            asked = asked.seed(random.weights(lengths.iter().product()));
        }
        let solution = asked.build().unwrap().solve().unwrap();
        assert_eq!(sums(solution.cells(), &lengths), margins, "case {case}");
        let apart = solution.cells().iter().zip(&solution.fit().cells).map(|(cell, fit)| (*cell as f64 - fit).abs());
        assert_eq!(solution.deviation(), apart.fold(0.0, f64::max), "case {case}");
        worst = worst.max(solution.deviation());
    }
    // Not a promise: a figure that should not get worse unseen.
    assert!(worst < 2.5, "the largest deviation was {worst}");
}

#[test]
fn excluded_cells_stay_empty_and_what_is_possible_is_found() {
    let cases = cases(CASES);
    let mut random = Random(5);
    for case in 0..cases {
        let lengths = lengths(&mut random, 2, 6);
        let cells = lengths[0] * lengths[1];
        let excluded: Vec<bool> = (0..cells).map(|_| random.chance(25)).collect();
        // Margins of a table that exists, and bounds that it keeps.
        let most = random.between(1, 40);
        let exists = random.whole_table(cells, most, &excluded);
        let margins = sums(&exists, &lengths);
        let mut asked = builder(&margins);
        let (mut least, mut greatest) = (vec![0; cells], vec![u64::MAX; cells]);
        for cell in 0..cells {
            let position = position(cell, &lengths);
            if excluded[cell] {
                asked = asked.exclude(position);
                greatest[cell] = 0;
                continue;
            }
            if random.chance(15) {
                least[cell] = exists[cell].saturating_sub(random.below(4));
                asked = asked.at_least(position.clone(), least[cell]);
            }
            if random.chance(15) {
                greatest[cell] = exists[cell] + random.below(4);
                asked = asked.at_most(position, greatest[cell]);
            }
        }
        let solution = asked.build().unwrap().solve().unwrap_or_else(|error| panic!("case {case}: {error}"));
        assert_eq!(sums(solution.cells(), &lengths), margins, "case {case}");
        for (cell, count) in solution.cells().iter().enumerate() {
            assert!((least[cell]..=greatest[cell]).contains(count), "case {case}: cell {cell} holds {count}");
            let fit = solution.fit().cells[cell];
            let apart = (*count as f64 - fit).abs();
            assert!(!solution.fit().converged || apart < 1.0 + 1e-7, "case {case}: {count} for {fit}");
        }
        assert!(solution.fit().converged, "case {case}: error {}", solution.fit().error);
    }
}

#[test]
fn what_is_impossible_is_refused_with_a_cut_that_holds() {
    let cases = cases(CASES);
    let mut random = Random(6);
    let mut planted = 0;
    for case in 0..cases {
        let axes = if random.chance(70) { 2 } else { 3 };
        let lengths: Vec<usize> = (0..axes).map(|_| random.between(2, 5) as usize).collect();
        let cells: usize = lengths.iter().product();
        let total = random.between(20, 500);
        let margins: Vec<Vec<u64>> = lengths.iter().map(|length| random.margin(*length, total)).collect();
        // A block of some rows and columns that must hold more than its cells are allowed to.
        let chosen: Vec<Vec<bool>> =
            lengths[..2].iter().map(|length| (0..*length).map(|_| random.chance(50)).collect()).collect();
        let target = |axis: usize, inside: bool| -> u64 {
            let pairs = margins[axis].iter().zip(&chosen[axis]);
            pairs.filter(|(_, chosen)| **chosen == inside).map(|(count, _)| *count).sum()
        };
        let (rows, outside) = (target(0, true), target(1, false));
        if rows <= outside {
            continue;
        }
        let needs = rows - outside;
        let block: Vec<usize> = (0..cells)
            .filter(|cell| {
                let position = position(*cell, &lengths);
                chosen[0][position[0]] && chosen[1][position[1]]
            })
            .collect();
        let mut room = random.below(needs);
        let mut most = vec![u64::MAX; cells];
        let mut asked = builder(&margins);
        for (index, cell) in block.iter().enumerate() {
            most[*cell] = if index + 1 == block.len() { room } else { random.below(room + 1) };
            room -= most[*cell];
            asked = asked.at_most(position(*cell, &lengths), most[*cell]);
        }
        planted += 1;
        match asked.build() {
            // All cells of a category may have been excluded.
            Err(TableError::EmptySlice { .. }) => {}
            Err(error) => panic!("case {case}: {error}"),
            Ok(table) => match table.solve() {
                Err(SolveError::Infeasible(proof)) => {
                    assert!(is_proof(&proof, &margins, &vec![0; cells], &most), "case {case}: {proof}");
                    assert!(table.confirms(&proof), "case {case}: {proof}");
                }
                other => panic!("case {case}: {other:?}"),
            },
        }
    }
    assert!(planted > cases / 3, "{planted}");
}

/// Random bounds, possible or not: the answer is a table that keeps them or a proof that holds, never neither.
#[test]
fn every_question_gets_a_table_or_a_proof() {
    let cases = cases(CASES);
    let mut random = Random(7);
    let (mut found, mut refused) = (0, 0);
    for case in 0..cases {
        let axes = random.between(1, 3) as usize;
        let lengths = lengths(&mut random, axes, 4);
        let cells: usize = lengths.iter().product();
        let total = random.between(1, 60);
        let margins: Vec<Vec<u64>> = lengths.iter().map(|length| random.margin(*length, total)).collect();
        let (mut least, mut most) = (vec![0; cells], vec![u64::MAX; cells]);
        let mut asked = builder(&margins);
        let typical = total / cells as u64;
        for cell in 0..cells {
            if random.chance(30) {
                least[cell] = random.below(typical + 2);
                asked = asked.at_least(position(cell, &lengths), least[cell]);
            }
            if random.chance(30) {
                most[cell] = least[cell] + random.below(2 * typical + 3);
                asked = asked.at_most(position(cell, &lengths), most[cell]);
            }
        }
        let table = match asked.build() {
            Ok(table) => table,
            Err(TableError::EmptySlice { .. }) => continue,
            Err(error) => panic!("case {case}: {error}"),
        };
        match table.solve() {
            Ok(solution) => {
                found += 1;
                assert_eq!(sums(solution.cells(), &lengths), margins, "case {case}");
                for (cell, count) in solution.cells().iter().enumerate() {
                    assert!((least[cell]..=most[cell]).contains(count), "case {case}: cell {cell} holds {count}");
                }
            }
            Err(SolveError::Infeasible(proof)) => {
                refused += 1;
                assert!(is_proof(&proof, &margins, &least, &most), "case {case}: {proof:?}");
                assert!(table.confirms(&proof), "case {case}: {proof:?}");
            }
            Err(error) => panic!("case {case}: {error}"),
        }
    }
    assert!(found > cases / 10 && refused > cases / 10, "{found} found, {refused} refused");
}

#[test]
fn small_tables_agree_with_all_tables_there_are() {
    let cases = cases(CASES);
    let mut random = Random(8);
    for case in 0..cases {
        let lengths: Vec<usize> = (0..2).map(|_| random.between(1, 3) as usize).collect();
        let cells = lengths[0] * lengths[1];
        let total = random.between(0, 12);
        let margins: Vec<Vec<u64>> = lengths.iter().map(|length| random.margin(*length, total)).collect();
        let (mut least, mut most) = (vec![0; cells], vec![u64::MAX; cells]);
        let mut asked = builder(&margins).seed(random.weights(cells));
        for cell in 0..cells {
            if random.chance(15) {
                most[cell] = random.below(5);
                asked = asked.at_most(position(cell, &lengths), most[cell]);
            }
            if random.chance(10) && most[cell] > 0 {
                least[cell] = random.below(most[cell].min(3) + 1);
                asked = asked.at_least(position(cell, &lengths), least[cell]);
            }
        }
        let Ok(table) = asked.build() else {
            every_table(&margins[0], &margins[1], &least, &most, &mut |cells| panic!("case {case}: {cells:?}"));
            continue;
        };
        let solved = table.solve();
        let fit = solved.as_ref().map(|solution| solution.fit().cells.clone()).unwrap_or_default();
        let near = |cells: &[u64]| cells.iter().zip(&fit).all(|(cell, fit)| (*cell as f64 - fit).abs() < 1.0 - 1e-7);
        let squares =
            |cells: &[u64]| -> f64 { cells.iter().zip(&fit).map(|(cell, fit)| (*cell as f64 - fit).powi(2)).sum() };
        let (mut exists, mut best) = (false, f64::INFINITY);
        every_table(&margins[0], &margins[1], &least, &most, &mut |cells| {
            exists = true;
            if near(cells) {
                best = best.min(squares(cells));
            }
        });
        match solved {
            Ok(solution) => {
                assert!(exists, "case {case}: a table where there is none");
                assert!(squares(solution.cells()) <= best + 1e-6, "case {case}: {solution:?}, best {best}");
            }
            Err(SolveError::Infeasible(_)) => assert!(!exists, "case {case}: refused, and there is one"),
            Err(error) => panic!("case {case}: {error}"),
        }
    }
}

/// The four ways in which a table can be impossible.
#[derive(Debug, Default)]
struct Kinds {
    found: u64,
    subsets: u64,
    weightings: u64,
    remainders: u64,
    splits: u64,
}

impl Kinds {
    fn count(&mut self, proof: &Proof) {
        let subset = |weights: &Vec<i64>| weights.iter().max().unwrap() - weights.iter().min().unwrap() <= 1;
        match &proof.steps[0] {
            Step::Cut(cut) if cut.weights.iter().all(subset) => self.subsets += 1,
            Step::Cut(_) => self.weightings += 1,
            Step::Remainder(_) => self.remainders += 1,
            Step::Split(_) => self.splits += 1,
        }
    }

    /// Solves a table and holds the answer against the margins and the bounds.
    fn judge(&mut self, case: u64, margins: &[Vec<u64>], least: &[u64], most: &[u64]) -> bool {
        let lengths: Vec<usize> = margins.iter().map(Vec::len).collect();
        let mut asked = builder(margins);
        for cell in 0..least.len() {
            if least[cell] > 0 {
                asked = asked.at_least(position(cell, &lengths), least[cell]);
            }
            if most[cell] < u64::MAX {
                asked = asked.at_most(position(cell, &lengths), most[cell]);
            }
        }
        // Few sweeps: how near the table is to the fit is not the question here.
        let table = match asked.sweeps(20).build() {
            Ok(table) => table,
            Err(TableError::EmptySlice { .. }) => return false,
            Err(error) => panic!("case {case}: {error}"),
        };
        match table.solve() {
            Ok(solution) => {
                self.found += 1;
                assert_eq!(sums(solution.cells(), &lengths), margins, "case {case}");
                let kept =
                    solution.cells().iter().enumerate().all(|(at, count)| (least[at]..=most[at]).contains(count));
                assert!(kept, "case {case}: {:?}", solution.cells());
                true
            }
            Err(SolveError::Infeasible(proof)) => {
                self.count(&proof);
                assert!(is_proof(&proof, margins, least, most), "case {case}: {proof:?}");
                assert!(table.confirms(&proof), "case {case}: {proof:?}");
                assert!(!proof.to_string().is_empty());
                false
            }
            Err(error) => panic!("case {case}: {error}"),
        }
    }
}

/// Small tables of three axes with most cells excluded: here cuts of two axes often do not tell, and tables of
/// fractions are often the only ones.
#[test]
fn three_axes_agree_with_all_tables_there_are() {
    // Some kinds of proof are rare.
    let cases = cases(4 * CASES);
    let mut random = Random(14);
    let mut kinds = Kinds::default();
    for case in 0..cases {
        let lengths: Vec<usize> = (0..3).map(|_| random.between(2, 3) as usize).collect();
        let cells: usize = lengths.iter().product();
        let share = random.between(40, 85);
        let excluded: Vec<bool> = (0..cells).map(|_| random.chance(share)).collect();
        // Near a table that exists: a few of the targets are off.
        let mut margins = sums(&random.whole_table(cells, 2, &excluded), &lengths);
        for margin in &mut margins {
            let (from, to) = (random.below(margin.len() as u64) as usize, random.below(margin.len() as u64) as usize);
            if margin[from] > 0 && random.chance(60) {
                margin[from] -= 1;
                margin[to] += 1;
            }
        }
        let (mut least, mut most) = (vec![0; cells], vec![u64::MAX; cells]);
        for cell in 0..cells {
            if excluded[cell] {
                most[cell] = 0;
            } else if random.chance(20) {
                most[cell] = random.between(1, 3);
                least[cell] = u64::from(random.chance(20));
            }
        }
        let answer = kinds.judge(case, &margins, &least, &most);
        assert_eq!(answer, exists(&margins, &least, &most), "case {case}: {margins:?} {least:?} {most:?}");
    }
    let Kinds { found, subsets, weightings, remainders, splits } = kinds;
    assert!(found.min(subsets) > cases / 20, "{kinds:?}");
    assert!(weightings.min(remainders) > cases / 1_500 && splits > cases / 10_000, "{kinds:?}");
}

/// Tables of three axes, some as large as Cint's limit of 350 cells and larger, made so that no whole numbers fit, or just so.
#[test]
fn hard_tables_of_three_axes_get_a_table_or_a_proof() {
    let cases = cases(CASES);
    let mut random = Random(15);
    let mut kinds = Kinds::default();
    for case in 0..cases {
        let lengths: Vec<usize> = match random.below(1_000) {
            0..4 => vec![7, 7, 7],
            4..8 => vec![10, 7, 5],
            8..12 => vec![2, 7, 25],
            _ => (0..3).map(|_| random.between(2, 4) as usize).collect(),
        };
        let (margins, most) = match random.below(3) {
            0 => matching(&mut random, lengths[0]),
            1 => classes(&mut random, &lengths, 2),
            _ => classes(&mut random, &lengths, 3),
        };
        kinds.judge(case, &margins, &vec![0; most.len()], &most);
    }
    let Kinds { found, subsets, weightings, remainders, splits } = kinds;
    let rare = [found, subsets, remainders].into_iter().min().unwrap();
    assert!(rare > cases / 50 && weightings.min(splits) > cases / 1_000, "{kinds:?}");
}

/// Each category once, and about as many cells open as leave one such table: matching in three dimensions.
fn matching(random: &mut Random, side: usize) -> (Vec<Vec<u64>>, Vec<u64>) {
    let orders: f64 = (1..=side).map(|factor| factor as f64).product();
    let share = orders.powf(-2.0 / side as f64) * (0.7 + 0.8 * random.fraction());
    let most = (0..side.pow(3)).map(|_| u64::from(random.fraction() < share)).collect();
    (vec![vec![1; side]; 3], most)
}

/// Each category has a class, and a cell is open if the classes add up to a multiple: then the targets do, too, or
/// whole numbers cannot fit, though fractions do in many ways. A few of the other cells are open a little.
fn classes(random: &mut Random, lengths: &[usize], modulus: u64) -> (Vec<Vec<u64>>, Vec<u64>) {
    let class: Vec<Vec<u64>> =
        lengths.iter().map(|length| (0..*length).map(|_| random.below(modulus)).collect()).collect();
    let (cells, leaks): (usize, u64) = (lengths.iter().product(), random.below(4));
    let mut most = vec![u64::MAX; cells];
    for (cell, most) in most.iter_mut().enumerate() {
        let sum: u64 = position(cell, lengths).iter().zip(&class).map(|(at, class)| class[*at]).sum();
        if !sum.is_multiple_of(modulus) {
            *most = if random.below(cells as u64) < leaks { random.between(1, 3) } else { 0 };
        }
    }
    let high = random.between(2, 40);
    let whole: Vec<u64> = most.iter().map(|most| random.below(high).min(*most)).collect();
    let mut margins = sums(&whole, lengths);
    if let Some(from) = margins[0].iter().position(|count| *count > 0) {
        margins[0][from] -= 1;
        margins[0][random.below(lengths[0] as u64) as usize] += 1;
    }
    (margins, most)
}

#[test]
fn the_same_question_gets_the_same_answer_and_scale_and_order_do_not_matter() {
    let cases = cases(CASES);
    let mut random = Random(9);
    for case in 0..cases {
        let lengths = lengths(&mut random, 2, 5);
        let margins = margins(&mut random, &lengths);
        let seed = random.weights(lengths[0] * lengths[1]);
        let solve = |margins: &[Vec<u64>], seed: &[f64]| {
            builder(margins).seed(seed.iter().copied()).build().unwrap().solve().unwrap()
        };
        let solution = solve(&margins, &seed);
        assert_eq!(solve(&margins, &seed), solution, "case {case}: not the same again");

        // A power of two changes no digit.
        let scaled: Vec<f64> = seed.iter().map(|weight| weight * 1024.0).collect();
        assert_eq!(solve(&margins, &scaled).cells(), solution.cells(), "case {case}: scale");

        // In another order the table is as near, and the same where only one is nearest.
        let (rows, columns) = (random.permutation(lengths[0]), random.permutation(lengths[1]));
        let permuted_margins =
            [rows.iter().map(|row| margins[0][*row]).collect(), columns.iter().map(|at| margins[1][*at]).collect()];
        let from = |index: usize| rows[index / lengths[1]] * lengths[1] + columns[index % lengths[1]];
        let permuted_seed: Vec<f64> = (0..seed.len()).map(|index| seed[from(index)]).collect();
        let permuted = solve(&permuted_margins, &permuted_seed);
        let squares =
            |cells: &mut dyn Iterator<Item = (f64, f64)>| -> f64 { cells.map(|(a, b)| (a - b).powi(2)).sum() };
        let fit = &solution.fit().cells;
        let here = squares(&mut solution.cells().iter().zip(fit).map(|(cell, fit)| (*cell as f64, *fit)));
        let there = squares(&mut permuted.cells().iter().enumerate().map(|(at, cell)| (*cell as f64, fit[from(at)])));
        assert!((here - there).abs() < 1e-5, "case {case}: {here} and {there} in another order");
    }
}

#[test]
fn a_whole_table_with_its_own_margins_comes_back() {
    let cases = cases(CASES);
    let mut random = Random(10);
    for case in 0..cases {
        let axes = random.between(1, 3) as usize;
        let lengths = lengths(&mut random, axes, 5);
        let cells = lengths.iter().product();
        let whole = random.whole_table(cells, 50, &vec![false; cells]);
        let seed = whole.iter().map(|cell| *cell as f64);
        let table = builder(&sums(&whole, &lengths)).seed(seed).build().unwrap();
        let solution = table.solve().unwrap();
        assert_eq!(solution.cells(), whole, "case {case}");
        assert_eq!(solution.deviation(), 0.0, "case {case}");
        assert_eq!(Certificate::of(&table, &whole).as_ref(), Ok(solution.certificate()), "case {case}");
    }
}

#[test]
fn the_certificate_sees_every_wrong_cell() {
    let cases = cases(CASES);
    let mut random = Random(11);
    for case in 0..cases {
        let axes = random.between(1, 3) as usize;
        let lengths = lengths(&mut random, axes, 5);
        let margins = margins(&mut random, &lengths);
        let table = builder(&margins).build().unwrap();
        let mut cells = table.solve().unwrap().into_cells();
        let wrong = random.below(cells.len() as u64) as usize;
        cells[wrong] += random.between(1, 9);
        let violations = Certificate::of(&table, &cells).unwrap_err();
        assert_eq!(violations.len(), axes, "case {case}: one margin of each axis is off: {violations:?}");
        assert!(Certificate::of(&table, &cells[1..]).is_err(), "case {case}");
    }
}

/// A table in field: targets, completes below or above them, some cells closed.
fn in_field(random: &mut Random, targets: &[u64]) -> (Vec<u64>, Vec<bool>) {
    let completes = targets
        .iter()
        .map(|target| if random.chance(10) { target + random.below(4) } else { random.below(target + 1) })
        .collect();
    (completes, targets.iter().map(|_| random.chance(15)).collect())
}

#[test]
fn rebalancing_moves_as_little_as_possible() {
    let cases = cases(CASES);
    let mut random = Random(12);
    let (mut planned, mut refused) = (0, 0);
    for case in 0..cases {
        let lengths: Vec<usize> = (0..2).map(|_| random.between(1, 3) as usize).collect();
        let cells = lengths[0] * lengths[1];
        let targets = random.whole_table(cells, 4, &vec![false; cells]);
        let (completes, closed) = in_field(&mut random, &targets);
        let mut margins = sums(&targets, &lengths);
        if random.chance(30) {
            // New margins, of the same total.
            let total = margins[0].iter().sum();
            margins = lengths.iter().map(|length| random.margin(*length, total)).collect();
        }
        let least: Vec<u64> = (0..cells)
            .map(|cell| if closed[cell] { targets[cell].max(completes[cell]) } else { completes[cell] })
            .collect();
        let most: Vec<u64> = (0..cells).map(|cell| if closed[cell] { least[cell] } else { u64::MAX }).collect();
        let mut best = None;
        every_table(&margins[0], &margins[1], &least, &most, &mut |cells| {
            let moved: u64 = cells.iter().zip(&targets).map(|(cell, target)| cell.abs_diff(*target)).sum();
            best = Some(best.map_or(moved, |best: u64| best.min(moved)));
        });
        let table = builder(&margins).build().unwrap();
        match table.rebalance(&targets, &completes, &closed) {
            Ok(plan) => {
                planned += 1;
                assert_eq!(Some(plan.moved), best, "case {case}");
                assert!(plan.proved_smallest);
                assert_eq!(sums(&plan.cells, &lengths), margins, "case {case}");
                let moved: u64 = plan.changes.iter().map(|change| change.from.abs_diff(change.to)).sum();
                assert_eq!(moved, plan.moved, "case {case}");
                for cell in 0..cells {
                    assert!((least[cell]..=most[cell]).contains(&plan.cells[cell]), "case {case}: cell {cell}");
                }
                // What has been re-balanced needs no more.
                let again = table.rebalance(&plan.cells, &completes, &closed).unwrap();
                assert!(again.changes.is_empty(), "case {case}");
            }
            Err(SolveError::Infeasible(proof)) => {
                refused += 1;
                assert_eq!(best, None, "case {case}: {proof}");
                assert!(is_proof(&proof, &margins, &least, &most), "case {case}: {proof:?}");
                assert!(table.in_field(&targets, &completes, &closed).unwrap().confirms(&proof), "case {case}");
            }
            Err(error) => panic!("case {case}: {error}"),
        }
    }
    assert!(planned > cases / 10 && refused > cases / 10, "{planned} planned, {refused} refused");
}

#[test]
fn rebalancing_three_axes_keeps_margins_and_claims_only_what_it_proved() {
    let cases = cases(CASES);
    let mut random = Random(13);
    let (mut planned, mut proved) = (0_u64, 0_u64);
    for case in 0..cases {
        let lengths: Vec<usize> = (0..3).map(|_| random.between(1, 3) as usize).collect();
        let cells = lengths.iter().product();
        let targets = random.whole_table(cells, 12, &vec![false; cells]);
        let completes: Vec<u64> = targets
            .iter()
            .map(|target| if random.chance(10) { target + 2 } else { random.below(target + 1) })
            .collect();
        let margins = sums(&targets, &lengths);
        let table: Table = builder(&margins).build().unwrap();
        match table.rebalance(&targets, &completes, &[]) {
            Ok(plan) => {
                planned += 1;
                proved += u64::from(plan.proved_smallest);
                assert_eq!(sums(&plan.cells, &lengths), margins, "case {case}");
                assert!(plan.cells.iter().zip(&completes).all(|(cell, completed)| cell >= completed), "case {case}");
                let must: u64 = targets.iter().zip(&completes).map(|(target, done)| done.saturating_sub(*target)).sum();
                assert!(plan.moved >= must, "case {case}");
                assert!(must > 0 || (plan.moved == 0 && plan.proved_smallest), "case {case}: {plan:?}");
            }
            Err(SolveError::Infeasible(proof)) => {
                let most = vec![u64::MAX; cells];
                assert!(is_proof(&proof, &margins, &completes, &most), "case {case}: {proof:?}");
            }
            Err(error) => panic!("case {case}: {error}"),
        }
    }
    assert!(planned > cases / 2 && proved > planned / 4, "{planned} planned, {proved} proved");
}
