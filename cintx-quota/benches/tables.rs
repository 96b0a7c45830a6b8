//! How long tables take: Cint's limit of 350 cells in several forms, and a million cells.
//! `cargo bench -p cintx-quota`; the figures are in `cintx/guide/quotas.md`.

#![allow(clippy::expect_used)] // A benchmark that cannot be set up shall stop.

use std::hint::black_box;
use std::time::Duration;

use cintx_quota::{Axis, Table, TableBuilder};
use criterion::{Criterion, criterion_group, criterion_main};

/// Margins and weights without a pattern, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        0.05 + (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn asked(lengths: &[usize], total: u64, with_seed: bool) -> TableBuilder {
    let mut numbers = Numbers(1);
    let mut builder = Table::builder().total(total);
    for (axis, length) in lengths.iter().enumerate() {
        let shares: Vec<(String, f64)> = (0..*length).map(|index| (index.to_string(), numbers.next())).collect();
        builder = builder.axis(Axis::shares(axis.to_string(), shares));
    }
    if with_seed { builder.seed((0..lengths.iter().product()).map(|_| numbers.next())) } else { builder }
}

/// Cells whose positions add up to an even number, between targets of which the odd ones add up to one.
fn even_cells() -> TableBuilder {
    let axis = |name: &str, counts: &[u64]| {
        Axis::counts(name, counts.iter().enumerate().map(|(index, count)| (index.to_string(), *count)))
    };
    let axes = [axis("0", &[101; 10]), axis("1", &[145, 145, 145, 144, 144, 144, 143]), axis("2", &[202; 5])];
    let builder = axes.into_iter().fold(Table::builder(), TableBuilder::axis);
    let odd =
        (0..350).map(|cell| [cell / 35, cell / 5 % 7, cell % 5]).filter(|cell| cell.iter().sum::<usize>() % 2 == 1);
    odd.fold(builder, TableBuilder::exclude)
}

fn tables(criterion: &mut Criterion) {
    let mut solve = |name: &str, builder: TableBuilder| {
        let table = builder.build().expect("the margins agree");
        criterion.bench_function(name, |bencher| bencher.iter(|| black_box(&table).solve()));
    };
    solve("350 cells, 25 × 14, independent", asked(&[25, 14], 1_000, false));
    solve("350 cells, 25 × 14, seed", asked(&[25, 14], 1_000, true));
    solve(
        "350 cells, 25 × 14, seed, a diagonal excluded",
        (0..14).fold(asked(&[25, 14], 1_000, true), |builder, at| builder.exclude([at, at]).at_least([at + 10, at], 1)),
    );
    solve("350 cells, 10 × 7 × 5, seed", asked(&[10, 7, 5], 1_000, true));
    let every_ninth = |builder: TableBuilder| {
        (0..350).step_by(9).fold(builder, |builder, cell| builder.exclude([cell / 35, cell / 5 % 7, cell % 5]))
    };
    solve("350 cells, 10 × 7 × 5, seed, every ninth excluded", every_ninth(asked(&[10, 7, 5], 1_000, true)));
    solve("350 cells, 10 × 7 × 5, no whole numbers fit", even_cells());

    let table = asked(&[25, 14], 1_000, true).build().expect("the margins agree");
    let targets = table.solve().expect("nothing is excluded").into_cells();
    let completes: Vec<u64> =
        targets.iter().enumerate().map(|(cell, target)| target / 2 + u64::from(cell % 9 == 0)).collect();
    criterion.bench_function("350 cells, 25 × 14, re-balanced", |bencher| {
        bencher.iter(|| black_box(&table).rebalance(&targets, &completes, &[]));
    });
}

fn large(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a million cells");
    group.sample_size(10).warm_up_time(Duration::from_millis(100));
    for (name, with_seed) in [("1000 × 1000, independent", false), ("1000 × 1000, seed", true)] {
        let table = asked(&[1_000, 1_000], 10_000_000, with_seed).build().expect("the margins agree");
        group.bench_function(name, |bencher| bencher.iter(|| black_box(&table).solve()));
    }
    group.finish();
}

criterion_group!(benches, tables, large);
criterion_main!(benches);
