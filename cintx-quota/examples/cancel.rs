//! How soon calling off is heard: tables of a million cells and less are solved in a thread and called off after each
//! twentieth of the time they take. `cargo run --release -p cintx-quota --example cancel`

use std::error::Error;
use std::time::{Duration, Instant};

use cintx_quota::{Axis, Budget, Table};

/// Margins and weights without a pattern, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        0.05 + (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn table(lengths: &[usize], bounded: bool) -> Result<Table, Box<dyn Error>> {
    let mut numbers = Numbers(1);
    let cells: usize = lengths.iter().product();
    let mut builder = Table::builder().total(10 * cells as u64);
    for (axis, length) in lengths.iter().enumerate() {
        let shares: Vec<(String, f64)> = (0..*length).map(|index| (index.to_string(), numbers.next())).collect();
        builder = builder.axis(Axis::shares(axis.to_string(), shares));
    }
    let seed: Vec<f64> = (0..cells).map(|_| numbers.next()).collect();
    let excluded = |weight: f64| if bounded && weight < 0.1 { 0.0 } else { weight };
    Ok(builder.seed(seed.into_iter().map(excluded)).build()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("| table | solved in ms | called off, times | heard after ms, middle | latest |");
    println!("|---|---|---|---|---|");
    for lengths in
        [vec![25, 14], vec![10, 7, 5], vec![300, 330], vec![60, 40, 41], vec![1_000, 1_000], vec![100, 100, 100]]
    {
        for bounded in [false, true] {
            let table = table(&lengths, bounded)?;
            let started = Instant::now();
            let solved = table.solve().is_ok();
            let whole = started.elapsed();
            let mut heard = Vec::new();
            for twentieth in 0..20 {
                let budget = Budget::unlimited();
                let running = table.clone().within(&budget);
                let thread = std::thread::spawn(move || (running.solve().is_err(), Instant::now()));
                std::thread::sleep(whole * twentieth / 20);
                let called = Instant::now();
                budget.cancel();
                let (stopped, ended) = thread.join().map_err(|_| "a panic")?;
                if stopped == solved {
                    heard.push(ended.saturating_duration_since(called));
                }
            }
            heard.sort();
            let milliseconds = |time: Option<&Duration>| time.map_or(0.0, Duration::as_secs_f64) * 1e3;
            let name: Vec<String> = lengths.iter().map(ToString::to_string).collect();
            println!(
                "| {}{} | {:.1} | {} | {:.1} | {:.1} |",
                name.join(" × "),
                if bounded { ", some excluded" } else { "" },
                whole.as_secs_f64() * 1e3,
                heard.len(),
                milliseconds(heard.get(heard.len() / 2)),
                milliseconds(heard.last())
            );
        }
    }
    Ok(())
}
