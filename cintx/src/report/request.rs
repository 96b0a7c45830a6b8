//! A report request: what it is made of, for which days, and who is notified.

use std::future::{Future, IntoFuture};
use std::ops::RangeInclusive;
use std::pin::Pin;

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};

use super::{ReportJob, ReportKind, ReportLevel, ReportScope, Reports};
use crate::client::Client;
use crate::client::options::with_options;
use crate::error::{Error, FieldError};
use crate::types::ids::UserId;
use crate::version::Version;

/// The versions that send a notification when a report is ready.
#[diagnostic::on_unimplemented(
    message = "`{Self}` sends no mail when a report is ready",
    note = "wait for it, `ReportJob::until_done`, or use a client of 2025-12-18 or later"
)]
pub trait HasReportEmails: Version {}

/// The settings of a report.
#[derive(Clone, Debug)]
#[doc(hidden)]
pub struct ReportOrder {
    pub(crate) kind: ReportKind,
    pub(crate) of: ReportScope,
    pub(crate) days: RangeInclusive<Date>,
    pub(crate) respondent_answers: bool,
    pub(crate) link_type: Option<i64>,
    pub(crate) mail_to: Option<Vec<UserId>>,
}

impl ReportOrder {
    fn problems(&self, now: Timestamp) -> Vec<FieldError> {
        let mut problems = Vec::from_iter(self.level_problem());
        problems.extend(self.days_problem(now));
        if self.link_type.is_some() && self.kind != ReportKind::TermDetails {
            let reason = format!("is given for {}, expected with {} alone", self.kind, ReportKind::TermDetails);
            problems.push(FieldError::new("link_type", reason));
        }
        if let Some(users) = self.mail_to.as_ref().filter(|users| !(1..=5).contains(&users.len())) {
            problems.push(FieldError::new("mail_to", format!("are {} users, expected 1 to 5", users.len())));
        }
        problems
    }

    /// What each report can be made of, and of how many.
    fn level_problem(&self) -> Option<FieldError> {
        use ReportLevel::{BusinessUnit, Project, TargetGroup};

        let level = self.of.level();
        let (expected, fits) = match self.kind {
            ReportKind::ReconciliationsStatus | ReportKind::Reconciliations => {
                ("the account, projects or target groups", level != BusinessUnit)
            }
            ReportKind::ReconciliationEligibleRids | ReportKind::RespondentAnalysis => {
                ("one project or target groups", matches!(level, Project | TargetGroup))
            }
            _ => ("the account, business units, projects or target groups", true),
        };
        let problem = |got: String| Some(FieldError::new("of", format!("is {got}, expected {expected}")));
        match self.of.ids().map(|ids| ids.len()) {
            _ if !fits => problem(format!("{level} for {}", self.kind)),
            Some(0) => problem(format!("no {level}")),
            Some(many) if many > 1 && level == Project && expected.starts_with("one project") => {
                problem(format!("{many} projects for {}", self.kind))
            }
            _ => None,
        }
    }

    fn days_problem(&self, now: Timestamp) -> Option<FieldError> {
        let (start, end) = (*self.days.start(), *self.days.end());
        // Central time is five or six hours behind; the later midnight refuses nothing that is allowed.
        let earliest = Offset::constant(-6).to_datetime(now).date().saturating_sub(12.months());
        let expected = if end < start {
            "a last day that is not before the first".to_owned()
        } else if end > start.saturating_add(6.months()) {
            "six months at most".to_owned()
        } else if start < earliest {
            format!("none before {earliest}, twelve months ago")
        } else {
            return None;
        };
        Some(FieldError::new("days", format!("are {start} to {end}, expected {expected}")))
    }
}

/// A report request. Made by the methods of [`Reports`].
///
/// ```no_run
/// # async fn run(cint: cintx::Client<cintx::V2025_12_18>, boss: cintx::UserId) -> Result<(), cintx::Error> {
/// use cintx::TargetGroupId;
/// use cintx::report::ReportScope;
/// use jiff::civil::date;
///
/// let groups = ReportScope::target_groups(["01HXK2Q1V7Q5C4ZB0E3R7T9Y2M"].map(TargetGroupId::new));
/// let september = date(2026, 9, 1)..=date(2026, 10, 1);
/// let order = cint.reports().respondent_analysis(groups, september).with_respondent_answers();
/// println!("ask for it by {} from anywhere", order.mail_to([boss]).await?.id());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct ReportBuilder<V: Version> {
    pub(super) client: Client<V>,
    pub(super) order: ReportOrder,
}

with_options!(ReportBuilder: client);

impl<V: Version> ReportBuilder<V> {
    /// Of settings that were put together elsewhere.
    pub(crate) fn of(client: Client<V>, order: ReportOrder) -> Self {
        Self { client, order }
    }

    /// With what respondents answered to qualifying questions.
    pub fn with_respondent_answers(mut self) -> Self {
        self.order.respondent_answers = true;
        self
    }

    /// Only links of this type, by its number; for [`Reports::term_details`] alone.
    pub fn link_type(mut self, number: i64) -> Self {
        self.order.link_type = Some(number);
        self
    }

    /// Notifies these users, 1 to 5 of them, by mail when it is ready.
    ///
    /// From 2025-12-18 on.
    pub fn mail_to(mut self, users: impl IntoIterator<Item = UserId>) -> Self
    where
        V: HasReportEmails,
    {
        self.order.mail_to = Some(users.into_iter().collect());
        self
    }
}

impl<V: Version> IntoFuture for ReportBuilder<V> {
    type Output = Result<ReportJob<V>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            Error::check(self.order.problems(self.client.now()))?;
            let id = V::generate_report(self.client.raw(), self.client.account(), &self.order).await?;
            Ok(Reports { client: self.client }.job_of(id, Some(self.order.kind)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_reach_back_twelve_months_and_over_six() {
        let now: Timestamp = "2026-08-31T05:30:00Z".parse().unwrap();
        let problem = |start: &str, end: &str| {
            let days = start.parse().unwrap()..=end.parse().unwrap();
            let of = ReportScope::Account;
            let order = ReportOrder {
                kind: ReportKind::Completes,
                of,
                days,
                respondent_answers: false,
                link_type: None,
                mail_to: None,
            };
            order.problems(now).first().map(ToString::to_string)
        };
        // In Central time it is still the 30th.
        assert_eq!(problem("2025-08-30", "2026-02-28"), None);
        for (start, end, says) in [
            ("2025-08-29", "2025-09-01", "twelve months"),
            ("2026-01-01", "2026-07-02", "six months"),
            ("2026-03-02", "2026-03-01", "a last day"),
        ] {
            let refused = problem(start, end).unwrap();
            assert!(refused.starts_with(&format!("days are {start} to {end}, expected ")), "{refused}");
            assert!(refused.contains(says), "{refused}");
        }
    }
}
