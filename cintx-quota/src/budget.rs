//! What an answer may cost: a limit of work, a limit of time, and a way to call it off from another thread.
//! Every phase of the solver pays as it goes.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What may be spent on answers, given to [`Table::within`](crate::Table::within). A clone is the same budget: with one
/// kept back, another thread can [`cancel`](Self::cancel). All questions that share a budget spend from it.
///
/// ```
/// use std::time::Duration;
/// use cintx_quota::{Axis, Budget, SolveError, Stop, Table};
///
/// let table = Table::builder()
///     .axis(Axis::counts("age", [("18-34", 12), ("35+", 8)]))
///     .axis(Axis::counts("region", [("North", 11), ("South", 9)]))
///     .build()?;
/// let budget = Budget::unlimited().time(Duration::from_secs(2)).work(1_000_000_000);
/// assert_eq!(table.clone().within(&budget).solve()?.certificate().total, 20);
///
/// budget.cancel();
/// assert_eq!(table.within(&budget).solve(), Err(SolveError::Stopped(Stop::Cancelled)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Budget {
    spent: Arc<Spent>,
    most_work: Option<u64>,
    until: Option<Instant>,
}

#[derive(Debug, Default)]
struct Spent {
    work: AtomicU64,
    /// The most work between two looks.
    #[cfg(test)]
    longest: AtomicU64,
    is_cancelled: AtomicBool,
}

/// Why an answer was not waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stop {
    /// The limit of work was reached.
    Work,
    /// The time was over.
    Time,
    /// Somebody called it off.
    Cancelled,
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Work => "the limit of work was reached",
            Self::Time => "the time was over",
            Self::Cancelled => "it was cancelled",
        })
    }
}

impl Budget {
    /// No limit; it can still be cancelled.
    pub fn unlimited() -> Self {
        Self::default()
    }

    /// At most so much work, counted in numbers that are looked at: some hundred million a second, and the same on
    /// every machine. Every question looks at each cell once at least: with 0, none is answered.
    #[must_use]
    pub fn work(self, most: u64) -> Self {
        Self { most_work: Some(most), ..self }
    }

    /// At most so much time from now on.
    #[must_use]
    pub fn time(self, time: Duration) -> Self {
        Self { until: Instant::now().checked_add(time), ..self }
    }

    /// Calls off whatever is under way with this budget or is still asked for with it. It takes some milliseconds to be
    /// heard, with very large tables some tens.
    pub fn cancel(&self) {
        self.spent.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// The work done so far.
    pub fn spent(&self) -> u64 {
        self.spent.work.load(Ordering::Relaxed)
    }

    /// Why nothing more may be spent, if so.
    pub fn stopped(&self) -> Option<Stop> {
        if self.spent.is_cancelled.load(Ordering::Relaxed) {
            Some(Stop::Cancelled)
        } else if self.most_work.is_some_and(|most| self.spent() > most) {
            Some(Stop::Work)
        } else if self.until.is_some_and(|until| Instant::now() >= until) {
            Some(Stop::Time)
        } else {
            None
        }
    }

    /// Pays for work; says whether nothing more may be spent. To be called for some thousand numbers at a time, a
    /// million at most: between two looks nobody is heard.
    pub(crate) fn is_over_after(&self, work: u64) -> bool {
        self.spent.work.fetch_add(work, Ordering::Relaxed);
        #[cfg(test)]
        self.spent.longest.fetch_max(work, Ordering::Relaxed);
        self.stopped().is_some()
    }

    /// The numbers below a length, part by part, each paid for; no more of them once the budget is over.
    pub(crate) fn parts(&self, length: usize) -> impl Iterator<Item = Range<usize>> + use<'_> {
        const PART_CELLS: usize = 1 << 16;
        let parts = (0..length).step_by(PART_CELLS).map(move |start| start..length.min(start + PART_CELLS));
        parts.take_while(|part| !self.is_over_after(part.len() as u64))
    }

    /// A list with an entry for each number below a length; once the budget is over, the rest is left at its default.
    pub(crate) fn list<T: Clone + Default>(&self, length: usize, mut entry: impl FnMut(usize) -> T) -> Vec<T> {
        let mut list = vec![T::default(); length];
        for part in self.parts(length) {
            let start = part.start;
            list[part].iter_mut().enumerate().for_each(|(at, place)| *place = entry(start + at));
        }
        list
    }
}

/// Two budgets are equal if they are the same one.
impl PartialEq for Budget {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.spent, &other.spent) && self.most_work == other.most_work && self.until == other.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Axis, Joint, SolveError, Table, TableBuilder};

    /// Numbers without a pattern, the same in every run.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, limit: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % limit
        }
    }

    /// What some axes' combinations add up to.
    fn margin(cells: &[u64], lengths: &[usize], axes: &[usize]) -> Vec<u64> {
        let mut sums = vec![0; axes.iter().map(|axis| lengths[*axis]).product()];
        let slices = crate::Shape::new(lengths).unwrap().slices(axes).unwrap();
        slices.into_iter().zip(cells).for_each(|(slice, cell)| sums[slice as usize] += cell);
        sums
    }

    fn axes(cells: &[u64], lengths: &[usize], joint: &[usize], give: Option<f64>) -> TableBuilder {
        let axis = |axis: usize| {
            let labels = (0..lengths[axis]).map(|at| at.to_string());
            let counts = margin(cells, lengths, &[axis]);
            let own = match joint.contains(&axis) {
                true => Axis::labels(axis.to_string(), labels),
                false => Axis::counts(axis.to_string(), labels.zip(counts)),
            };
            give.map_or(own.clone(), |share| own.tolerance(share))
        };
        (0..lengths.len()).map(axis).fold(Table::builder(), TableBuilder::axis)
    }

    type Answer = Box<dyn Fn(&Table) -> Result<(), SolveError>>;

    /// Every question that a table answers, each with a table of these lengths.
    fn questions(lengths: &[usize]) -> Vec<(&'static str, Table, Answer)> {
        let mut numbers = Numbers(lengths.len() as u64);
        let cells: usize = lengths.iter().product();
        let mut number =
            |from: u64, limit: u64| -> Vec<u64> { (0..cells).map(|_| from + numbers.below(limit)).collect() };
        let (hidden, weights, out, done) = (number(1, 18), number(1, 99), number(0, 5), number(0, 12));
        let hidden: Vec<u64> = hidden.iter().zip(&out).map(|(count, out)| if *out == 0 { 0 } else { *count }).collect();
        let done: Vec<u64> = done.iter().zip(&hidden).map(|(done, count)| *done.min(count)).collect();
        let seed: Vec<f64> =
            weights.iter().zip(&hidden).map(|(weight, count)| if *count == 0 { 0.0 } else { *weight as f64 }).collect();
        let whole = axes(&hidden, lengths, &[], None).build().unwrap();
        let seeded = axes(&hidden, lengths, &[], None).seed(weights.iter().map(|weight| *weight as f64));
        let excluded = axes(&hidden, lengths, &[], None).seed(seed.clone()).build().unwrap();
        // The first categories cannot have what they should: something has to give.
        let mut off = hidden.clone();
        let moved = off[0].max(1);
        (off[0], off[1], off[cells - 1]) = (0, off[1], off[cells - 1] + moved);
        let gives = axes(&off, lengths, &[], Some(0.2)).seed(seed).build().unwrap();
        let smallest = axes(&hidden, lengths, &[], None).smallest_cell(2).build().unwrap();
        let raised = whole.at_total(whole.total() * 3 / 2).unwrap();
        let solve = || -> Answer { Box::new(|table| table.solve().map(drop)) };
        let rebalance = |targets: &[u64], done: &[u64]| -> Answer {
            let (targets, done) = (targets.to_vec(), done.to_vec());
            Box::new(move |table| table.rebalance(&targets, &done, &[]).map(drop))
        };
        let over: Vec<u64> = hidden.iter().map(|count| count + 1).collect();
        let ways: Answer = Box::new({
            let hidden = hidden.clone();
            move |table| table.ways_out(&hidden, &over, &[]).map(drop)
        });
        let carried: Answer = Box::new({
            let (hidden, done) = (hidden.clone(), done.clone());
            move |table| table.carry_over(&hidden, &done).map(drop)
        });
        let within: Answer = Box::new({
            let (hidden, done) = (hidden.clone(), done.clone());
            move |table| table.carry_over_within(&hidden, &done).map(drop)
        });
        let mut questions: Vec<(&'static str, Table, Answer)> = vec![
            ("independent", whole.clone(), solve()),
            ("seeded", seeded.build().unwrap(), solve()),
            ("excluded", excluded.clone(), solve()),
            ("tolerances", gives, solve()),
            ("smallest cell", smallest.clone(), solve()),
            ("largest smallest cell", whole.clone(), Box::new(|table| table.largest_smallest_cell().map(drop))),
            ("least total", smallest, Box::new(|table| table.least_total().map(drop))),
            ("merges", whole.clone(), Box::new(|table| table.merge_for(3, &["0", "1"]).map(drop))),
            ("change", whole.clone(), rebalance(&hidden, &done)),
            ("change, excluded", excluded.clone(), rebalance(&hidden, &done)),
            ("raise", raised, rebalance(&hidden, &done)),
            ("ways out", whole.clone(), ways),
            ("carry over", whole, carried),
            ("carry over within", excluded, within),
        ];
        if lengths.len() > 2 {
            let joint = axes(&hidden, lengths, &[0, 1], None);
            let joint = joint.joint(Joint::counts(["0", "1"], margin(&hidden, lengths, &[0, 1]))).build().unwrap();
            questions.push(("joint", joint.clone(), solve()));
            questions.push(("joint change", joint, rebalance(&hidden, &done)));
        }
        questions
    }

    /// Calling off and time are heard at a look: in no phase there is more work between two than going through all
    /// cells twice. Once it is over, each list that is still asked for costs one part of it.
    #[test]
    fn every_phase_looks_at_its_budget() {
        const MAX_LOOKS: u64 = 10_000_000;
        for lengths in [vec![300, 340], vec![60, 41, 42], vec![18, 18, 18, 18], vec![10; 5]] {
            let cells: u64 = lengths.iter().map(|length| *length as u64).product();
            for (what, table, answer) in questions(&lengths) {
                for most in [3 * cells, 40 * cells, MAX_LOOKS] {
                    let budget = Budget::unlimited().work(most);
                    let _ = answer(&table.clone().within(&budget));
                    let (longest, spent) = (budget.spent.longest.load(Ordering::Relaxed), budget.spent());
                    assert!(longest <= 2 * cells, "{what}, {lengths:?}: {longest} between two looks");
                    assert!(spent <= most + 12 * cells, "{what}, {lengths:?}: {spent} of {most}");
                    assert!(spent >= cells, "{what}, {lengths:?}: {spent} is not all that was done");
                }
            }
        }
    }
}
