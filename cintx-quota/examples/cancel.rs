//! How soon calling off is heard: questions about tables of 10^5 to 10^6 cells are asked in a thread and called off at
//! eight moments of the time that they take, two seconds at most. What passes from then on, on the clock and of the
//! thread's processor time: `cargo run --release -p cintx-quota --example cancel`

use std::error::Error;
use std::time::{Duration, Instant};

use cintx_quota::{Axis, Budget, Joint, Shape, SolveError, Table, TableBuilder};

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Numbers without a pattern, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[derive(Clone, Copy)]
enum Question {
    Solve,
    Excluded,
    Joint,
    Tolerances,
    SmallestCell,
    Change,
    WaysOut,
}

/// What is asked, of which table, and what is in field.
#[derive(Clone)]
struct Case {
    question: Question,
    table: Table,
    targets: Vec<u64>,
    completes: Vec<u64>,
}

impl Case {
    fn new(question: Question, lengths: &[usize]) -> Fallible<Self> {
        let cells: usize = lengths.iter().product();
        let mut numbers = Numbers(1);
        let out: Vec<bool> = (0..cells).map(|_| numbers.below(5) == 0).collect();
        let mut targets: Vec<u64> = out.iter().map(|out| if *out { 0 } else { 2 + numbers.below(18) }).collect();
        let completes = targets.iter().map(|target| numbers.below(target + 1)).collect();
        let weights: Vec<f64> = out.iter().map(|out| if *out { 0.0 } else { 1.0 + numbers.below(99) as f64 }).collect();
        if matches!(question, Question::Tolerances) {
            // What the first cell should hold is asked of the last: with cells excluded, something has to give.
            let last = targets.len() - 1;
            targets[last] += std::mem::take(&mut targets[0]);
        }
        let pair = [0, 1];
        let joint = matches!(question, Question::Joint);
        let mut builder = Table::builder();
        for axis in 0..lengths.len() {
            let labels = (0..lengths[axis]).map(|at| at.to_string());
            let own = Axis::counts(axis.to_string(), labels.clone().zip(margin(&targets, lengths, &[axis])?));
            builder = builder.axis(match question {
                Question::Joint if pair.contains(&axis) => Axis::labels(axis.to_string(), labels),
                Question::Tolerances => own.tolerance(0.1),
                _ => own,
            });
        }
        builder = match question {
            Question::Excluded | Question::Tolerances => builder.seed(weights),
            Question::SmallestCell => builder.smallest_cell(2),
            _ => builder,
        };
        if joint {
            builder = builder.joint(Joint::counts(["0", "1"], margin(&targets, lengths, &pair)?));
        }
        Ok(Self { question, table: TableBuilder::build(builder)?, targets, completes })
    }

    fn ask(&self, budget: &Budget) -> Result<(), SolveError> {
        let table = self.table.clone().within(budget);
        match self.question {
            Question::Change => table.rebalance(&self.targets, &self.completes, &[]).map(drop),
            Question::WaysOut => {
                let over: Vec<u64> = self.targets.iter().map(|target| target + 1).collect();
                table.ways_out(&self.targets, &over, &[]).map(drop)
            }
            _ => table.solve().map(drop),
        }
    }
}

/// What the combinations of some axes add up to.
fn margin(cells: &[u64], lengths: &[usize], axes: &[usize]) -> Fallible<Vec<u64>> {
    let shape = Shape::new(lengths).ok_or("too many cells")?;
    let mut sums = vec![0; axes.iter().map(|axis| lengths[*axis]).product()];
    for (cell, count) in cells.iter().enumerate() {
        let position = shape.position(cell);
        sums[axes.iter().fold(0, |place, axis| place * lengths[*axis] + position[*axis])] += count;
    }
    Ok(sums)
}

/// How long a thread of this process has had a processor, by its place below `/proc`; `None` where the system does not
/// say.
fn on_processor(thread: &str) -> Option<Duration> {
    let nanoseconds = std::fs::read_to_string(format!("/proc/{thread}/schedstat")).ok()?;
    Some(Duration::from_nanos(nanoseconds.split_ascii_whitespace().next()?.parse().ok()?))
}

fn this_thread() -> String {
    std::fs::read_link("/proc/thread-self").map_or_else(|_| String::new(), |link| link.display().to_string())
}

/// What passed after it was called off at a moment: on the clock, and of the processor. `None` if it was done before.
fn late(case: &Case, moment: Duration) -> Fallible<Option<(Duration, Duration)>> {
    let budget = Budget::unlimited();
    let (running, within) = (case.clone(), budget.clone());
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let me = this_thread();
        let _ = sender.send(me.clone());
        let answer = running.ask(&within);
        (answer, Instant::now(), on_processor(&me))
    });
    let name = receiver.recv()?;
    std::thread::sleep(moment);
    let (called, before) = (Instant::now(), on_processor(&name));
    budget.cancel();
    let (answer, ended, after) = thread.join().map_err(|_| "a panic")?;
    let stopped = matches!(answer, Err(SolveError::Stopped(_)));
    let processor = after.zip(before).map_or(Duration::ZERO, |(after, before)| after.saturating_sub(before));
    Ok(stopped.then(|| (ended.saturating_duration_since(called), processor)))
}

fn main() -> Fallible<()> {
    const MOMENTS: u32 = 8;
    const AT_MOST: Duration = Duration::from_secs(2);
    let questions = [
        ("solve", Question::Solve),
        ("solve, a fifth excluded", Question::Excluded),
        ("joint margin", Question::Joint),
        ("tolerances", Question::Tolerances),
        ("smallest cell", Question::SmallestCell),
        ("re-balance", Question::Change),
        ("ways out", Question::WaysOut),
    ];
    println!("| table | question | takes ms | called off, times | heard after ms, latest | of the processor, latest |");
    println!("|---|---|---|---|---|---|");
    let shapes: [&[usize]; 9] = [
        &[300, 330],
        &[550, 550],
        &[1_000, 1_000],
        &[60, 40, 41],
        &[70, 65, 66],
        &[100, 100, 100],
        &[18, 18, 18, 18],
        &[32, 32, 32, 31],
        &[16, 16, 16, 16, 16],
    ];
    for lengths in shapes {
        let name = lengths.iter().map(ToString::to_string).collect::<Vec<_>>().join(" × ");
        for (what, question) in questions {
            if lengths.len() == 2 && matches!(question, Question::Joint) {
                continue;
            }
            let case = Case::new(question, lengths)?;
            let started = Instant::now();
            let _ = case.ask(&Budget::unlimited().time(AT_MOST));
            let whole = started.elapsed().min(AT_MOST);
            let mut heard = Vec::new();
            for moment in 0..MOMENTS {
                heard.extend(late(&case, whole * (2 * moment + 1) / (2 * MOMENTS))?);
            }
            let latest = |times: &dyn Fn(&(Duration, Duration)) -> Duration| {
                heard.iter().map(times).max().unwrap_or_default().as_secs_f64() * 1e3
            };
            println!(
                "| {name} | {what} | {}{:.0} | {} | {:.1} | {:.1} |",
                if whole == AT_MOST { "> " } else { "" },
                whole.as_secs_f64() * 1e3,
                heard.len(),
                latest(&|late| late.0),
                latest(&|late| late.1),
            );
        }
    }
    Ok(())
}
