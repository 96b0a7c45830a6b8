//! Solves a table from standard input and prints its cells, a time and an error: what `compare/speed.py` drives.
//! Each line is `margin` with counts or `seed` with weights. To standard error go the seconds, those of processor time, and
//! both for the fit alone, then the error of the fit, its sweeps and the deviation.

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::time::Instant;

use cintx_quota::{Axis, Margin, Shape, Table, fit};

fn main() -> Result<(), Box<dyn Error>> {
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input)?;
    let (mut margins, mut seed) = (Vec::new(), None);
    for line in input.lines() {
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("margin") => margins.push(words.map(str::parse).collect::<Result<Vec<u64>, _>>()?),
            Some("seed") => seed = Some(words.map(str::parse).collect::<Result<Vec<f64>, _>>()?),
            Some(other) => return Err(format!("expected `margin` or `seed`, found `{other}`").into()),
            None => {}
        }
    }
    drop(input);
    let weights = seed.clone().unwrap_or_default();
    let clock = Clock::start();
    let mut builder = Table::builder();
    for (number, margin) in margins.iter().enumerate() {
        let categories = margin.iter().enumerate().map(|(index, count)| (index.to_string(), *count));
        builder = builder.axis(Axis::counts(number.to_string(), categories));
    }
    if let Some(seed) = seed {
        builder = builder.seed(seed);
    }
    let solution = builder.build()?.solve()?;
    let (seconds, processor) = clock.read();
    let (for_fit, processor_for_fit) = seconds_for_fit(&margins, &weights)?;
    let (fit, deviation) = (solution.fit(), solution.deviation());
    eprintln!("{seconds} {processor} {for_fit} {processor_for_fit} {} {} {deviation}", fit.error, fit.sweeps);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for cell in solution.cells() {
        write!(out, "{cell} ")?;
    }
    Ok(out.flush()?)
}

/// The fit alone, as [`fit`] does it; 0 without a seed.
fn seconds_for_fit(margins: &[Vec<u64>], weights: &[f64]) -> Result<(f64, f64), Box<dyn Error>> {
    if weights.is_empty() {
        return Ok((0.0, 0.0));
    }
    let shape = Shape::new(margins.iter().map(Vec::len).collect::<Vec<_>>()).ok_or("too many cells")?;
    let axes: Vec<[usize; 1]> = (0..margins.len()).map(|axis| [axis]).collect();
    let counts = margins.iter().map(|counts| counts.iter().map(|count| *count as f64).collect());
    let targets: Vec<Vec<f64>> = counts.collect();
    let margins: Vec<Margin<'_>> = axes.iter().zip(&targets).map(|(axes, targets)| Margin { axes, targets }).collect();
    let clock = Clock::start();
    let fitted = fit(&shape, weights, &margins, 1_000)?;
    let seconds = clock.read();
    if fitted.converged { Ok(seconds) } else { Err("the fit did not converge".into()) }
}

/// The time that passes, and the part of it in which this thread had a processor.
struct Clock {
    started: Instant,
    processor: Option<f64>,
}

impl Clock {
    fn start() -> Self {
        Self { processor: on_processor(), started: Instant::now() }
    }

    fn read(&self) -> (f64, f64) {
        let seconds = self.started.elapsed().as_secs_f64();
        let processor = on_processor().zip(self.processor).map(|(now, then)| now - then);
        (seconds, processor.unwrap_or(seconds))
    }
}

/// How long this thread has had a processor, in seconds; `None` where the system does not say.
fn on_processor() -> Option<f64> {
    let nanoseconds = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(nanoseconds.split_ascii_whitespace().next()?.parse::<f64>().ok()? / 1e9)
}
