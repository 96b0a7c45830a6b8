//! What a sandbox was told by name, where it goes on from a state that has settings of its own.

use crate::state::Settings;
use std::fmt::Debug;

/// Something that can be told by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Setting {
    Seed,
    AccountId,
    SeedFile,
    TokenTtl,
    JobDelay,
    FieldPace,
    FieldBurst,
    SessionTime,
    WebhookRetry,
    Scenario,
    Tolerances,
    ReportsEnd,
}

impl Setting {
    /// Lets what was told hold in a state's settings. What the state was begun with cannot be told otherwise.
    ///
    /// # Errors
    /// What is otherwise, in words.
    pub(crate) fn carry(self, told: &Settings, own: &mut Settings) -> Result<(), String> {
        match self {
            Self::Seed => same("seed", &told.seed, &own.seed)?,
            Self::AccountId => same("account id", &told.account_id, &own.account_id)?,
            Self::SeedFile if told.seed_file == own.seed_file => {}
            Self::SeedFile => return Err(otherwise("seed file", "another one", "this one")),
            Self::TokenTtl => own.token_ttl = told.token_ttl,
            Self::JobDelay => own.job_delay = told.job_delay,
            Self::FieldPace => own.field_pace = told.field_pace,
            Self::FieldBurst => own.field_burst = told.field_burst,
            Self::SessionTime => own.session_time = told.session_time,
            Self::WebhookRetry => own.webhook_retry = told.webhook_retry,
            Self::Scenario => own.scenario = told.scenario.clone(),
            Self::Tolerances => own.tolerances.clone_from(&told.tolerances),
            Self::ReportsEnd => own.reports_end_at_last_midnight = told.reports_end_at_last_midnight,
        }
        Ok(())
    }
}

fn same<T: PartialEq + Debug>(name: &str, told: &T, own: &T) -> Result<(), String> {
    if told == own { Ok(()) } else { Err(otherwise(name, format!("{own:?}"), format!("{told:?}"))) }
}

fn otherwise(name: &str, own: impl AsRef<str>, told: impl AsRef<str>) -> String {
    format!(
        "{name}: the state was begun with {}, and {} was asked for; leave it out to go on from the state",
        own.as_ref(),
        told.as_ref()
    )
}
