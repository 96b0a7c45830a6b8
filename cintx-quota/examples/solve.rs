//! Solves a table from standard input and prints its cells, a time and an error: what `compare/speed.py` drives.
//! Each line is `margin` with counts or `seed` with weights; time in seconds and sizes go to standard error.

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::time::Instant;

use cintx_quota::{Axis, Table};

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
    let started = Instant::now();
    let mut builder = Table::builder();
    for (number, margin) in margins.iter().enumerate() {
        let categories = margin.iter().enumerate().map(|(index, count)| (index.to_string(), *count));
        builder = builder.axis(Axis::counts(number.to_string(), categories));
    }
    if let Some(seed) = seed {
        builder = builder.seed(seed);
    }
    let solution = builder.build()?.solve()?;
    let seconds = started.elapsed().as_secs_f64();
    let fit = solution.fit();
    eprintln!("{seconds} {} {} {}", fit.error, fit.sweeps, solution.deviation());
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for cell in solution.cells() {
        write!(out, "{cell} ")?;
    }
    Ok(out.flush()?)
}
