//! What an answer may cost: limits of work and time, calling off, and that hard tables need little.

#![allow(clippy::panic, clippy::unwrap_used)] // Helpers of tests, too, fail by panicking.

mod common;

use std::time::Duration;

use cintx_quota::{Budget, SolveError, Stop, Table};
use common::{Random, builder, position, sums};

/// Three axes of a length, with so many cells open, near a table that exists.
fn few_open(random: &mut Random, side: usize, open: usize, off: u64) -> Option<Table> {
    let order = random.permutation(side.pow(3));
    let mut seed = vec![0.0; order.len()];
    let mut hidden = vec![0; order.len()];
    for cell in &order[..open] {
        (seed[*cell], hidden[*cell]) = (1.0, random.below(3));
    }
    let mut margins = sums(&hidden, &[side; 3]);
    for margin in &mut margins {
        for _ in 0..off {
            let (from, to) = (random.below(side as u64) as usize, random.below(side as u64) as usize);
            if margin[from] > 0 {
                margin[from] -= 1;
                margin[to] += 1;
            }
        }
    }
    builder(&margins).seed(seed).build().ok()
}

/// Eight thousand cells of which a hundred are open: the work is that of a hundred.
#[test]
fn few_open_cells_in_a_large_table_are_little_work() {
    let mut random = Random(71);
    let (mut found, mut refused, mut most) = (0, 0, 0);
    for case in 0..40 {
        let open = random.between(60, 150) as usize;
        let off = random.below(4);
        let Some(table) = few_open(&mut random, 20, open, off) else { continue };
        let budget = Budget::unlimited();
        match table.clone().within(&budget).solve() {
            Ok(_) => found += 1,
            Err(SolveError::Infeasible(proof)) => {
                refused += 1;
                assert!(table.confirms(&proof), "case {case}");
            }
            Err(error) => panic!("case {case}: {error}"),
        }
        most = most.max(budget.spent());
    }
    assert!(found > 10 && refused > 2, "{found} found, {refused} refused");
    assert!(most < 100_000_000, "{most} numbers looked at");
}

/// Blocks that share no category: what one of them tries does not multiply with what the others try.
#[test]
fn blocks_that_share_nothing_are_gone_through_one_by_one() {
    const SIDE: usize = 4;
    const BLOCKS: usize = 8;
    let mut random = Random(72);
    let (mut found, mut refused) = (0, 0);
    for case in 0..20 {
        let side = SIDE * BLOCKS;
        let mut open = vec![0.0; side.pow(3)];
        for (cell, open) in open.iter_mut().enumerate() {
            let at = position(cell, &[side; 3]);
            let block = at[0] / SIDE;
            let is_hard = at.iter().all(|at| at / SIDE == block);
            *open = f64::from(u8::from(is_hard && random.chance(18)));
        }
        // One way through every block exists, but for some tables the last one.
        let last = if random.chance(50) { BLOCKS - 1 } else { BLOCKS };
        for block in 0..last {
            let (rows, columns) = (random.permutation(SIDE), random.permutation(SIDE));
            for at in 0..SIDE {
                let place = [at, rows[at], columns[at]].map(|at| block * SIDE + at);
                open[(place[0] * side + place[1]) * side + place[2]] = 1.0;
            }
        }
        let Ok(table) = builder(&vec![vec![1; side]; 3]).seed(open).sweeps(20).build() else { continue };
        let budget = Budget::unlimited().work(400_000_000);
        match table.clone().within(&budget).solve() {
            Ok(_) => found += 1,
            Err(SolveError::Infeasible(proof)) => {
                refused += 1;
                assert!(table.confirms(&proof), "case {case}");
            }
            Err(error) => panic!("case {case}: {error}, {} numbers looked at", budget.spent()),
        }
    }
    assert!(found > 3 && refused > 3, "{found} found, {refused} refused");
}

/// Work is counted in every phase: however little is allowed, the answer is that it was not enough, or the same answer.
#[test]
fn a_limit_of_work_is_kept_in_every_phase() {
    let mut random = Random(73);
    let mut stopped = 0;
    for case in 0..12 {
        let lengths: Vec<usize> = match case % 3 {
            0 => vec![30, 40],
            1 => vec![7, 6, 5],
            _ => vec![5, 4, 4, 3],
        };
        let cells: usize = lengths.iter().product();
        let excluded: Vec<bool> = (0..cells).map(|_| random.chance(20)).collect();
        let targets = random.whole_table(cells, 9, &excluded);
        let completes: Vec<u64> = targets.iter().map(|target| target * 2 / 3 + random.below(2)).collect();
        let seed = excluded.iter().map(|excluded| if *excluded { 0.0 } else { 1.0 });
        let table = builder(&sums(&targets, &lengths)).seed(seed).build().unwrap();
        let all = Budget::unlimited();
        let free =
            (table.clone().within(&all).solve(), table.clone().within(&all).rebalance(&targets, &completes, &[]));
        let mut most = 1;
        while most < all.spent() {
            let budget = Budget::unlimited().work(most);
            let limited = table.clone().within(&budget);
            let solved = limited.solve();
            // One row or one sweep more than allowed, and nothing after it.
            assert!(budget.spent() <= most + 20 * cells as u64, "case {case}: {} of {most}", budget.spent());
            match solved {
                Err(SolveError::Stopped(Stop::Work)) => stopped += 1,
                solved => assert_eq!(solved, free.0, "case {case}"),
            }
            let budget = Budget::unlimited().work(most);
            match table.clone().within(&budget).rebalance(&targets, &completes, &[]) {
                Err(SolveError::Stopped(Stop::Work)) => stopped += 1,
                plan => assert_eq!(plan, free.1, "case {case}"),
            }
            most *= 4;
        }
    }
    assert!(stopped > 60, "{stopped}");
}

/// Calling off ends what is under way. How far it is from one look to the next is counted in `src/budget.rs`.
#[test]
fn calling_off_ends_what_is_under_way() {
    let side = 60;
    let mut random = Random(74);
    let excluded: Vec<bool> = (0..side * side).map(|_| random.chance(30)).collect();
    let exists = random.whole_table(side * side, 9, &excluded);
    let seed: Vec<f64> = excluded.iter().map(|out| if *out { 0.0 } else { 0.01 + random.fraction() }).collect();
    let table = builder(&sums(&exists, &[side, side])).seed(seed).build().unwrap();
    let budget = Budget::unlimited();
    let running = table.within(&budget);
    // Until it is called off, there is an answer each time.
    let thread = std::thread::spawn(move || {
        loop {
            if let Err(error) = running.solve() {
                return error;
            }
        }
    });
    while budget.spent() == 0 {
        std::thread::yield_now();
    }
    budget.cancel();
    assert_eq!(thread.join().unwrap(), SolveError::Stopped(Stop::Cancelled));
}

#[test]
fn a_budget_of_nothing_answers_nothing() {
    let out_of_time = (Budget::unlimited().time(Duration::ZERO), Stop::Time, "the time was over");
    let out_of_work = (Budget::unlimited().work(0), Stop::Work, "the limit of work was reached");
    for (budget, stop, words) in [out_of_time, out_of_work] {
        let table = builder(&[vec![5, 5], vec![5, 5]]).build().unwrap().within(&budget);
        let stopped = SolveError::Stopped(stop);
        assert_eq!(table.solve().unwrap_err(), stopped);
        assert_eq!(table.rebalance(&[1; 4], &[0; 4], &[]).unwrap_err(), stopped);
        assert_eq!(table.least_total().unwrap_err(), stopped);
        assert_eq!(table.largest_smallest_cell().unwrap_err(), stopped);
        assert_eq!(table.ways_out(&[1; 4], &[0; 4], &[]).unwrap_err(), stopped);
        assert_eq!(table.carry_over(&[1; 4], &[0; 4]).unwrap_err(), stopped);
        assert_eq!(table.carry_over_within(&[1; 4], &[0; 4]).unwrap_err(), stopped);
        assert_eq!(stopped.to_string(), format!("stopped before there was an answer: {words}"));
    }
}
