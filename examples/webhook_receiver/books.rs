//! What the receiver knows from events alone.

use std::collections::{BTreeMap, BTreeSet};

use cintx::quota::QuotaTable;
use cintx::respondent::codes::ClientCode;
use cintx::webhook::inbox::{Fact, Gap};
use cintx::webhook::receive::EventData;

#[derive(Default)]
pub(crate) struct Books {
    pub(crate) handled: u64,
    pub(crate) tables: Vec<QuotaTable>,
    /// How each session ended, and the number of the event that told it.
    sessions: BTreeMap<String, (i64, ClientCode)>,
    /// The gaps that were told already.
    gaps: BTreeSet<Gap>,
}

impl Books {
    /// Of tables that were just read.
    pub(crate) fn of(tables: Vec<QuotaTable>) -> Self {
        Self { tables, ..Self::default() }
    }

    pub(crate) fn enter(&mut self, fact: &Fact) {
        self.handled += 1;
        match fact.event().data() {
            EventData::SessionUpdated(update) => {
                // Not every event tells a code, so one that is late may have the newest all the same.
                if let Some(code) = update.client_code().map(ClientCode::new) {
                    let new = (update.sequence_number, code);
                    let told = self.sessions.entry(update.response_session_id.clone()).or_insert(new);
                    if new.0 >= told.0 {
                        *told = new;
                    }
                }
            }
            EventData::QuotaFillRegistered(_) => {
                for table in &mut self.tables {
                    table.apply(fact.event());
                }
            }
            EventData::TargetGroupUpdated(update) => {
                let changes: Vec<&str> = update.changes.iter().map(|change| &*change.object).collect();
                println!("target group changed: {}", changes.join(", "));
            }
            _ => println!("an event of type {}", fact.event().kind()),
        }
    }

    /// How many sessions ended with a code.
    pub(crate) fn count(&self, code: ClientCode) -> usize {
        self.sessions.values().filter(|(_, it)| *it == code).count()
    }

    /// How many sessions have ended.
    pub(crate) fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Those of the gaps that were not there before.
    pub(crate) fn new_gaps(&mut self, gaps: impl IntoIterator<Item = Gap>) -> Vec<Gap> {
        let gaps = BTreeSet::from_iter(gaps);
        let new = gaps.difference(&self.gaps).cloned().collect();
        self.gaps = gaps;
        new
    }
}
