//! The reports that a study asks for: said in the file, asked for by a call of their own, since each request makes
//! another report.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Applied, Study};
use crate::client::Client;
use crate::error::{Error, FieldError};
use crate::report::{ReportBuilder, ReportJob, ReportKind, ReportOrder, ReportScope};
use crate::types::ids::UserId;
use crate::version::Version;

/// A report to ask for: [`Study::request_reports`] does it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StudyReport {
    /// What it is about.
    pub kind: ReportKind,
    /// The days that it is about.
    pub days: StudyDays,
    /// The names of the study's target groups that it is about; the whole project if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target_groups: Vec<String>,
    /// Whether it has what respondents answered to qualifying questions.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub respondent_answers: bool,
    /// Only links of this type; for `term-details` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_type: Option<i64>,
    /// The users who are notified by mail: at most 5. From 2025-12-18 on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mail_to: Vec<UserId>,
}

/// The days that a report is about, both included: at most six months, none more than twelve months ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StudyDays {
    /// The first day.
    #[cfg_attr(feature = "study-schema", schemars(schema_with = "super::schema::day"))]
    pub first: Date,
    /// The last day.
    #[cfg_attr(feature = "study-schema", schemars(schema_with = "super::schema::day"))]
    pub last: Date,
}

impl StudyReport {
    /// A report about the whole project.
    pub fn new(kind: ReportKind, days: StudyDays) -> Self {
        let (target_groups, mail_to) = (Vec::new(), Vec::new());
        Self { kind, days, target_groups, respondent_answers: false, link_type: None, mail_to }
    }

    /// What is wrong with it, whatever the day.
    pub(super) fn check<V: Version>(&self, study: &Study, problems: &mut Vec<FieldError>) {
        let mut refuse = |reason: String| problems.push(FieldError::new("report", reason));
        if let ReportKind::Unknown(kind) = &self.kind {
            refuse(format!("is of the kind {kind}, expected one that is known, such as {}", ReportKind::Completes));
        }
        if self.kind == ReportKind::Reconciliations && !V::RECONCILIATIONS_REPORT {
            refuse(format!("is of the kind {}, expected another: {} does not have it", self.kind, V::DATE));
        }
        if !self.mail_to.is_empty() && !V::REPORT_MAILS {
            refuse(format!("has mail_to, expected none: {} sends no mail", V::DATE));
        }
        let known = |name: &String| study.target_groups.iter().any(|group| group.name.trim() == name.trim());
        for name in self.target_groups.iter().filter(|name| !known(name)) {
            refuse(format!("is about {name:?}, expected the name of a target group of the study"));
        }
    }

    fn order(&self, applied: &Applied) -> ReportOrder {
        let named = |name: &String| applied.target_groups.iter().find(|(known, _)| known.trim() == name.trim());
        let of = if self.target_groups.is_empty() {
            ReportScope::projects([applied.project.clone()])
        } else {
            ReportScope::target_groups(self.target_groups.iter().filter_map(named).map(|(_, id)| id.clone()))
        };
        ReportOrder {
            kind: self.kind.clone(),
            of,
            days: self.days.first..=self.days.last,
            respondent_answers: self.respondent_answers,
            link_type: self.link_type,
            mail_to: Some(self.mail_to.clone()).filter(|users| !users.is_empty()),
        }
    }
}

impl Study {
    /// Asks for the reports of the study, of what it was applied to: a job for each, in the study's order. Each call
    /// makes new reports, so this is no part of [`Plan::apply`](super::Plan::apply).
    ///
    /// ```no_run
    /// # async fn run(
    /// #     cint: cintx::Client<cintx::V2025_12_18>,
    /// #     study: cintx::study::Study,
    /// #     applied: cintx::study::Applied,
    /// # ) -> Result<(), cintx::Error> {
    /// for job in study.request_reports(&cint, &applied).await {
    ///     println!("{:?}", job?.until_done().await?.id());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Of each report by itself: what is wrong with it, before it is sent. See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "generate_report")]
    pub async fn request_reports<V: Version>(
        &self,
        client: &Client<V>,
        applied: &Applied,
    ) -> Vec<Result<ReportJob<V>, Error>> {
        let mut jobs = Vec::new();
        for report in &self.reports {
            let mut problems = Vec::new();
            report.check::<V>(self, &mut problems);
            let job = match Error::check(problems) {
                Ok(()) => ReportBuilder::of(client.clone(), report.order(applied)).await,
                Err(error) => Err(error),
            };
            jobs.push(job);
        }
        jobs
    }
}
