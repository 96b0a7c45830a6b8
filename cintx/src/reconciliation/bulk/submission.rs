//! Corrections sent in parts of what the API takes at once, each part once however often the program is started.

#[cfg(feature = "files")]
use std::io::{self, Write as _};
use std::ops::Range;
#[cfg(feature = "files")]
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::super::{
    FILE_NAME_CHARS, ReconciliationCounts, ReconciliationOutcome, ReconciliationStatus, Reconciliations,
    SubmittedReconciliation,
};
use super::Corrections;
use super::rows::{csv_of, digest_of};
use crate::client::CallOptions;
use crate::error::{Error, FieldError, Wrote, text_length};
#[cfg(feature = "files")]
use crate::fs::AtomicFile;
use crate::types::ids::ReconciliationId;
use crate::version::Version;

/// The longest key: the names of the parts' files begin with it.
const MAX_KEY_CHARS: usize = 150;
/// A part that Cint failed to work off has used up its key. So many attempts have keys of their own.
const MAX_ATTEMPTS: u32 = 16;

impl<V: Version> Reconciliations<V> {
    /// Submits any number of corrections, in parts. The key stands for what is wanted: as long as key, corrections and
    /// [part size](BulkSubmission::part_rows) are the same, no part is submitted twice, however often this is run and
    /// by whichever process. Sends nothing before it is [run](BulkSubmission::run).
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), Box<dyn std::error::Error>> {
    /// use cintx::reconciliation::bulk::Corrections;
    ///
    /// let corrections = Corrections::from_csv(std::fs::File::open("wave-7.csv")?)?;
    /// let submission = cint.reconciliations().submit_in_parts("wave-7", &corrections);
    /// let done = submission.run(|state| println!("{} of {} sent", state.submitted_rows(), state.rows())).await?;
    /// println!("{:?} no longer count", done.counts().negative_reversed);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// In every version, as [`submit`](Self::submit).
    pub fn submit_in_parts<'a>(&self, key: impl Into<String>, corrections: &'a Corrections) -> BulkSubmission<'a, V> {
        let reconciliations = self.clone();
        BulkSubmission { reconciliations, key: key.into(), corrections, part_rows: None, resumed: None }
    }
}

/// Corrections that are to be submitted in parts. Made by [`Reconciliations::submit_in_parts`].
#[derive(Debug)]
#[must_use = "nothing is sent until it is run"]
pub struct BulkSubmission<'a, V: Version> {
    reconciliations: Reconciliations<V>,
    key: String,
    corrections: &'a Corrections,
    part_rows: Option<usize>,
    resumed: Option<BulkState>,
}

impl<V: Version> BulkSubmission<'_, V> {
    /// Other options for its requests: retries, time limits, headers. They go before the client's. Keys follow from the
    /// submission's.
    pub fn with(mut self, options: CallOptions) -> Self {
        self.reconciliations = self.reconciliations.with(options.of_many());
        self
    }

    /// How many rows a part has at most: 1 to 100,000, or to 20,000 before 2025-12-18, which is what Cint takes and
    /// what it is if not set.
    pub fn part_rows(mut self, rows: usize) -> Self {
        self.part_rows = Some(rows);
        self
    }

    /// Goes on from a state that an earlier run told. Without it, each part is looked up by the name of its file.
    pub fn resume(mut self, state: BulkState) -> Self {
        self.resumed = Some(state);
        self
    }

    /// Submits the parts one after the other, then waits until each is worked off, and tells the state after each step:
    /// keep it ([`BulkState::save`] puts it into a file), and a later run goes on from it.
    ///
    /// It can be interrupted anywhere. A part carries an idempotency key that follows from the submission's key, the
    /// part's number and its content; and before it is sent, the list of reconciliations is searched for it, in case
    /// Cint has forgotten the key. A part that an earlier run saw fail is submitted anew.
    ///
    /// # Errors
    /// A key of no or more than 150 characters, a part size that is out of range, or a state of other corrections,
    /// before anything is sent. A call that fails: the parts that were submitted before stay so. A part that Cint fails
    /// to work off is no error: its [outcome](PartState::outcome) says so. See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "post_reconciliations")]
    pub async fn run(self, mut progress: impl FnMut(&BulkState) + Send) -> Result<BulkState, Error> {
        let mut state = self.begin()?;
        let mut wrote = Wrote::default();
        wrote.earlier(state.submitted_rows() > 0);
        progress(&state);
        for at in 0..state.parts.len() {
            if state.parts[at].id.is_none() {
                state.parts[at].id = Some(wrote.of(self.submit_part(&state, at).await)?);
                progress(&state);
            }
        }
        for at in 0..state.parts.len() {
            let PartState { id: Some(id), outcome: None, .. } = &state.parts[at] else { continue };
            let outcome = wrote.after(outcome_of(&self.reconciliations.existing(id)).await)?;
            state.parts[at].outcome = Some(outcome);
            progress(&state);
        }
        Ok(state)
    }

    /// What there is to do, and what of it is done.
    fn begin(&self) -> Result<BulkState, Error> {
        let part_rows =
            self.part_rows.or(self.resumed.as_ref().map(|state| state.part_rows)).unwrap_or(V::MAX_RECONCILIATION_ROWS);
        let mut problems = Vec::from_iter(text_length("key", &self.key, 1..=MAX_KEY_CHARS));
        let most = V::MAX_RECONCILIATION_ROWS;
        if !(1..=most).contains(&part_rows) {
            problems.push(FieldError::new("part_rows", format!("are {part_rows}, expected 1 to {most}")));
        }
        Error::check(problems)?;
        let (rows, content) = (self.corrections.len(), self.corrections.digest());
        let Some(mut state) = self.resumed.clone() else {
            let part = |start| PartState { rows: part_rows.min(rows - start), id: None, outcome: None };
            let parts = (0..rows).step_by(part_rows).map(part).collect();
            return Ok(BulkState { key: self.key.clone(), content, part_rows, parts });
        };
        let mut problems = Vec::new();
        for (differs, what) in [
            (state.key != self.key, "another key"),
            (state.content != content || state.rows() != rows, "other corrections"),
            (state.part_rows != part_rows, "another part size"),
        ] {
            if differs {
                problems.push(FieldError::new("resume", format!("is of {what}, expected the state of these")));
            }
        }
        Error::check(problems)?;
        for part in &mut state.parts {
            if part.outcome.as_ref().is_some_and(|outcome| outcome.status == ReconciliationStatus::Failed) {
                (part.id, part.outcome) = (None, None);
            }
        }
        Ok(state)
    }

    /// Finds a part that was submitted already, or submits it.
    async fn submit_part(&self, state: &BulkState, at: usize) -> Result<ReconciliationId, Error> {
        let rows = &self.corrections.0.rows.as_slice()[state.range(at)];
        let (digest, number) = (digest_of(rows), at + 1);
        let mut attempt = 1;
        loop {
            let again = if attempt == 1 { String::new() } else { format!("-again-{attempt}") };
            let name = format!("{}-part-{number}-{}{again}.csv", self.key, &digest[..12]);
            match self.earlier(&name).await? {
                Some((_, Some(ReconciliationStatus::Failed))) if attempt < MAX_ATTEMPTS => attempt += 1,
                Some((id, _)) => return Ok(id),
                None => {
                    let key = format!("reconciliation/{}/{number}/{attempt}/{digest}", self.key);
                    let client = self.reconciliations.client.with(CallOptions::new().business_key(key));
                    return V::submit_reconciliation(client.raw(), client.account(), &name, csv_of(rows).into()).await;
                }
            }
        }
    }

    /// The submission of a file of this name, if there is one.
    async fn earlier(&self, name: &str) -> Result<Option<(ReconciliationId, Option<ReconciliationStatus>)>, Error> {
        Error::check(text_length("key", name, FILE_NAME_CHARS))?;
        let mut list = self.reconciliations.list().name(name).stream();
        while let Some(found) = list.try_next().await? {
            if found.name.as_deref() == Some(name) {
                return Ok(Some((found.id, found.status)));
            }
        }
        Ok(None)
    }
}

/// Waits for the end of a submission, a bad one included.
async fn outcome_of<V: Version>(submitted: &SubmittedReconciliation<V>) -> Result<ReconciliationOutcome, Error> {
    match submitted.until_done().await {
        Err(error) if error.job_failure().is_some() => submitted.status().await,
        outcome => outcome,
    }
}

/// How far a submission in parts is: to be kept, and to go on from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BulkState {
    key: String,
    content: String,
    part_rows: usize,
    parts: Vec<PartState>,
}

/// States in files.
#[cfg(feature = "files")]
impl BulkState {
    /// Writes the state to a file, readable by its owner alone, which is replaced as a whole: a process that is killed
    /// meanwhile leaves the one of before.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let mut file = AtomicFile::create(path.as_ref())?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.commit()
    }

    /// Reads the state that was [saved](Self::save) in a file; `None` if there is no such file.
    ///
    /// # Errors
    /// The file cannot be read, or holds no state. A run without it is right, too: it looks up each part.
    pub fn load(path: impl AsRef<Path>) -> io::Result<Option<Self>> {
        match std::fs::read(path) {
            Ok(kept) => Ok(Some(serde_json::from_slice(&kept)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl BulkState {
    /// The parts, in the order of the rows.
    pub fn parts(&self) -> &[PartState] {
        &self.parts
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        sum(&self.parts, |_| true)
    }

    /// How many rows were submitted.
    pub fn submitted_rows(&self) -> usize {
        sum(&self.parts, |part| part.id.is_some())
    }

    /// How many rows are worked off, whether Cint took them or not.
    pub fn finished_rows(&self) -> usize {
        sum(&self.parts, |part| part.outcome.is_some())
    }

    /// What became of the rows of all parts together; a count is `None` if no part says it.
    pub fn counts(&self) -> ReconciliationCounts {
        let counts = self.parts.iter().filter_map(|part| part.outcome.as_ref()).map(|outcome| outcome.counts);
        counts.fold(ReconciliationCounts::default(), |sum, part| {
            let add = |sum: Option<i64>, part: Option<i64>| match (sum, part) {
                (Some(sum), Some(part)) => Some(sum.saturating_add(part)),
                (sum, part) => sum.or(part),
            };
            ReconciliationCounts {
                submitted: add(sum.submitted, part.submitted),
                expired: add(sum.expired, part.expired),
                invalid: add(sum.invalid, part.invalid),
                positive_reversed: add(sum.positive_reversed, part.positive_reversed),
                negative_reversed: add(sum.negative_reversed, part.negative_reversed),
            }
        })
    }

    /// The rows of a part.
    pub(super) fn range(&self, at: usize) -> Range<usize> {
        let start = sum(&self.parts[..at], |_| true);
        start..start + self.parts[at].rows
    }

    /// Whether it is the state of these corrections.
    pub(super) fn check(&self, corrections: &Corrections) -> Result<(), Error> {
        let differs = self.content != corrections.digest() || self.rows() != corrections.len();
        Error::check(differs.then(|| FieldError::new("state", "is of other corrections, expected the state of these")))
    }
}

/// How many rows some parts have; a state that was kept may say anything.
fn sum(parts: &[PartState], which: impl Fn(&PartState) -> bool) -> usize {
    parts.iter().filter(|part| which(part)).fold(0, |sum, part| sum.saturating_add(part.rows))
}

/// A part of a submission.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PartState {
    /// How many rows it has.
    pub rows: usize,
    /// The reconciliation that it is, once it is submitted.
    pub id: Option<ReconciliationId>,
    /// What became of it, once it is worked off.
    pub outcome: Option<ReconciliationOutcome>,
}
