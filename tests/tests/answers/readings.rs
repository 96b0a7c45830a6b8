//! The calls of the facade that read answers, and what they return, as text.

use std::fmt::Debug;
use std::pin::Pin;

use cintx::audience::{Audience, Question};
use cintx::client::RetryPolicy;
use cintx::fielding::{FieldingRun, RunAction};
use cintx::paging::{ListQuery, ListRequest};
use cintx::reconciliation::SubmittedReconciliation;
use cintx::reference::ReferenceData;
use cintx::report::{ReportJob, ReportKind, ReportScope};
use cintx::supply::Supply;
use cintx::target_group::{DraftBuilder, FillingStrategy, TargetGroup};
use cintx::types::LengthOfInterview;
use cintx::webhook::Webhook;
use cintx::{
    Client, Error, JobId, Locale, Money, ProfileTemplateId, ProjectId, ReconciliationId, ReportId, TargetGroupId,
    TemplateId, UserId, Version, WebhookId,
};
use jiff::Timestamp;

use crate::service::Service;

type Outcome = Result<String, Error>;

/// A call, and what it returns.
pub(crate) struct Reading<V: Version> {
    pub(crate) name: &'static str,
    pub(crate) call: Box<dyn Fn(Client<V>) -> Called>,
}

/// A call under way.
type Called = Pin<Box<dyn Future<Output = Outcome>>>;

impl<V: Version> Reading<V> {
    pub(crate) async fn outcome(&self, client: &Client<V>) -> Outcome {
        (self.call)(client.clone()).await
    }
}

/// A client of the service.
pub(crate) fn client<V: Version>(service: &Service) -> Client<V> {
    let service = service.clone();
    let builder = Client::builder().token("token").account(7).retry(RetryPolicy::none()).server_to_server_key("key");
    builder.transport(move |request| service.clone().send(request)).build().unwrap()
}

/// What seldom changes, asked for anew each time.
pub(crate) fn reference<V: Version>(client: &Client<V>) -> ReferenceData<V> {
    let reference = client.reference_data();
    reference.clear_cache();
    reference
}

/// A version with its readings.
pub(crate) trait OwnReadings: Version {
    fn readings() -> Vec<Reading<Self>>;
}

/// Readings, each with its client: `readings!(cint { "name": expression, ... })`.
macro_rules! readings {
    ($client:ident { $($name:literal: $call:expr),+ $(,)? }) => {
        vec![$(Reading {
            name: $name,
            call: Box::new(|$client| Box::pin(async move {
                let read: Result<_, Error> = $call;
                read.map(|read| format!("{read:?}"))
            })),
        }),+]
    };
}
pub(crate) use readings;

pub(crate) const UUID: &str = "7d6d3f8a-9f2e-4b7c-8f6d-1f2e3d4c5b6a";
pub(crate) const ULID: &str = "01BX5ZZKBKACTAV9WEVGEMMVS0";

pub(crate) fn manager() -> UserId {
    UUID.parse().unwrap()
}

pub(crate) fn locale() -> Locale {
    "eng_gb".parse().unwrap()
}

pub(crate) fn usd(value: &str) -> Money {
    Money::new(value, "USD").unwrap()
}

pub(crate) fn day(day: u8) -> Timestamp {
    format!("2100-01-{day:02}T09:00:00Z").parse().unwrap()
}

pub(crate) fn project() -> ProjectId {
    ProjectId::new(ULID)
}

pub(crate) fn template() -> TemplateId {
    TemplateId::new(UUID)
}

fn job() -> JobId {
    JobId::new(ULID)
}

pub(crate) fn group<V: Version>(client: &Client<V>) -> TargetGroup<V> {
    client.project(project()).target_group(TargetGroupId::new(ULID))
}

/// The first page of a list.
pub(crate) async fn page<Q: ListQuery>(list: ListRequest<Q>) -> Result<impl Debug, Error>
where
    Q::Item: Debug,
{
    list.pages().try_next().await
}

pub(crate) fn draft<V: Version>(client: &Client<V>) -> DraftBuilder<V> {
    client
        .project(project())
        .draft_target_group("UK drinks")
        .business_unit(3848)
        .manager(manager())
        .locale("eng_gb")
        .completes_goal(500)
        .length_of_interview(LengthOfInterview::minutes(10))
        .incidence_rate("0.50")
        .fielding_period(day(4)..day(14))
        .cost_per_interview(usd("2.73"))
        .live_url("https://survey.example/?RID=[%RID%]")
        .supply(Supply::test_supplier_only())
        .audience(Audience::independent([Question::choice(43).option("1", 49).option("2", 51)]))
}

fn run<V: Version>(run: &FieldingRun<V>) -> impl Debug + use<V> {
    (run.id().clone(), run.status().clone(), run.dates(), run.changed_by(), run.changed_at(), run.version())
}

async fn draft_of<V: Version>(group: TargetGroup<V>) -> Result<impl Debug, Error> {
    let draft = group.draft().await?;
    // What is kept for the way back is not to be read.
    let entry = (draft.excludes_project(), draft.activity_exclusions(), draft.re_entry());
    let read = (draft.quotas(), draft.allocations(), draft.template());
    Ok((
        read,
        draft.settings,
        draft.human_readable_id,
        draft.created_at,
        draft.pricing_model,
        draft.test_survey_link,
        entry,
    ))
}

fn webhook<V: Version>(webhook: &Webhook<V>) -> impl Debug + use<V> {
    (
        webhook.id().clone(),
        webhook.url().to_owned(),
        webhook.events().to_vec(),
        webhook.created_at(),
        webhook.updated_at(),
    )
}

pub(crate) fn report<V: Version>(client: &Client<V>) -> ReportJob<V> {
    client.reports().job(ReportId::new(UUID))
}

pub(crate) fn reconciliation<V: Version>(client: &Client<V>) -> SubmittedReconciliation<V> {
    client.reconciliations().existing(ReconciliationId::new(UUID))
}

/// What every version reads.
fn common<V: Version>() -> Vec<Reading<V>> {
    let mut all = of_account();
    all.extend(of_groups());
    all.extend(of_field());
    all
}

fn of_account<V: Version>() -> Vec<Reading<V>> {
    readings!(cint {
        "accounts": reference(&cint).accounts().await,
        "users": reference(&cint).users().await,
        "service clients": reference(&cint).service_clients().await,
        "business units": reference(&cint).business_units().await,
        "business unit of": reference(&cint).business_unit_of(manager()).await,
        "clients": page(cint.clients()).await,
        "locales": reference(&cint).locales().await,
        "countries": reference(&cint).countries().await,
        "industries": reference(&cint).industries().await,
        "lockouts": reference(&cint).lockouts().await,
        "study types": reference(&cint).study_types().await,
        "suppliers": reference(&cint).suppliers().await,
        "use cases": reference(&cint).use_cases().await,
        "question categories": reference(&cint).question_categories().await,
        "questions": page(cint.questions("eng_gb")).await,
        "rate card": cint.rate_card(3848, "gb".parse().unwrap()).await,
        "suggested days":
            cint.suggest_days("eng_gb", 500, LengthOfInterview::minutes(10), "0.50", usd("2.73")).await,
        "suggested field": cint.suggest_field("eng_gb", day(4)..day(14)).await,
        "suggested quotas":
            cint.suggest_quotas(&Question::range(42).band(18..=34, 40).band(35..=99, 60), 500, "eng_gb", day(4)..day(9)).await,
        "suggested interlock": {
            let crossed = [Question::range(42).band(18..=34, 40).band(35..=99, 60), Question::choice(43).option("1", 49).option("2", 51)];
            cint.suggest_interlock(crossed, 500, "eng_gb", day(4)..day(9)).await
        },
        "supply templates": page(cint.supply_templates().list()).await,
        "global supply templates": page(cint.supply_templates().list_global()).await,
        "supply template": cint.supply_templates().get(&template(), &locale()).await,
        "global supply template": cint.supply_templates().global(&template(), &locale()).await,
        "system supply template": cint.supply_templates().system(&locale()).await,
        "default supply template": cint.supply_templates().default().await,
        "supply template made": cint.supply_templates().create("Partners", &Supply::test_supplier_only()).await,
        "profile templates": page(cint.profile_templates().list()).await,
        "profile template": cint.profile_templates().get(ProfileTemplateId::new(ULID)).await,
        "profile template made": {
            let age = Question::range(42).band(18..=34, 40).band(35..=99, 60);
            cint.profile_templates().create("Adults", "adults").locale("eng_gb").profile(age).await
        },
        "webhooks": cint.webhooks().list().pages().try_next().await
            .map(|page| page.map(|page| (page.items.iter().map(webhook).collect::<Vec<_>>(), page.next))),
        "webhook": cint.webhooks().get(WebhookId::new(UUID)).await.map(|it| webhook(&it)),
        "webhook made": cint.webhooks().create("https://hooks.example/cint", [crate::readings::event::<V>()]).await
            .map(|new| (webhook(&new.webhook), new.secret.expose().to_owned())),
        "webhook secret": {
            let mut webhook = cint.webhooks().get(WebhookId::new(UUID)).await?;
            webhook.regenerate_secret().await.map(|secret| secret.expose().to_owned())
        },
        "webhook event types": cint.webhooks().event_types().await,
        "report asked for": {
            let job = cint.reports().completes(ReportScope::Account, crate::readings::recent_days()).await?;
            Ok(job.id().clone())
        },
        "report requests": page(cint.reports().requests()).await,
        "report status": report(&cint).status().await.map(|status| crate::readings::report_status(status)),
        "report share": cint.reports().report(ReportId::new(UUID)).of_kind(ReportKind::Completes).share().await
            .map(|secret| secret.expose().to_owned()),
        "reconciliations": page(cint.reconciliations().list().name("wave.csv")).await,
        "reconciliation made": {
            let row = cintx::reconciliation::ReconciliationRow::new(UUID, cintx::reconciliation::Reason::Speeder);
            cint.reconciliations().submit("wave.csv", [row]).await.map(|it| it.id().clone())
        },
        "reason codes": cint.reconciliations().reason_codes().await,
        "reconciliation": reconciliation(&cint).status().await,
        "reconciled target groups": page(reconciliation(&cint).target_groups()).await,
        "reconciled target group": reconciliation(&cint).target_group(TargetGroupId::new(ULID)).await,
    })
}

fn of_groups<V: Version>() -> Vec<Reading<V>> {
    readings!(cint {
        "project made": cint.projects().create("MyDrinksSurveyQ1", manager()).await,
        "projects": page(cint.projects().list()).await,
        "project": cint.project(project()).get().await,
        "project overview": cint.project(project()).overview().await,
        "feasibility of a draft": draft(&cint).feasibility().await,
        "feasibility": group(&cint).feasibility().await,
        "draft made": draft(&cint).create().await.map(|group| group.id().clone()),
        "draft": draft_of(group(&cint)).await,
        "target groups": page(cint.project(project()).target_groups().list()).await,
        "details": group(&cint).details().await,
        "overview": group(&cint).overview().await,
        "completes by interval": group(&cint).completes_by_interval(None).await,
        "changelog": page(group(&cint).changelog()).await,
        "price set": group(&cint).set_cost_per_interview(&usd("3.10")).await,
        "strategy set": group(&cint).set_filling_strategy(FillingStrategy::Completes).await,
        "transitions": group(&cint).transitions().await,
        "supply": group(&cint).supply().await,
        "supply progress": group(&cint).supply_progress().await,
        "quotas": group(&cint).quotas().read().await,
        "suggested for a profile": {
            let tables = group(&cint).quotas().read().await?;
            let profile = tables[0].profile().unwrap_or_default().to_owned();
            group(&cint).quotas().suggested(&profile).await
        },
        "goal set": group(&cint).quotas().set_goal(600).await,
    })
}

fn of_field<V: Version>() -> Vec<Reading<V>> {
    readings!(cint {
        "fielding run": group(&cint).fielding_run().await.map(|found| found.as_ref().map(run)),
        "launch job": group(&cint).launch_job(job()).details().await.map(crate::readings::run_details),
        "schedule job": group(&cint).schedule_job(job()).details().await.map(crate::readings::run_details),
        "assistant": group(&cint).assistant().await,
        "paused": cint.project(project()).bulk_job(RunAction::Pause, job()).details().await,
        "resumed": cint.project(project()).bulk_job(RunAction::Resume, job()).details().await,
        "launched": cint.project(project()).bulk_job(RunAction::LaunchNow, job()).details().await,
        "relaunched": cint.project(project()).bulk_job(RunAction::Relaunch, job()).details().await,
        "completed": cint.project(project()).bulk_job(RunAction::Complete, job()).details().await,
        "manager changed": cint.project(project()).manager_job(job()).details().await,
    })
}

fn event<V: Version>() -> cintx::webhook::WebhookEventType {
    match V::DATE {
        "2024-12-02" => cintx::webhook::WebhookEventType::SurveyPaused,
        _ => cintx::webhook::WebhookEventType::SessionUpdated,
    }
}

fn recent_days() -> std::ops::RangeInclusive<jiff::civil::Date> {
    let today = jiff::tz::Offset::UTC.to_datetime(Timestamp::now()).date();
    today..=today
}

fn run_details<V: Version>(details: cintx::job::JobDetails<FieldingRun<V>>) -> String {
    let status = match details.status {
        cintx::job::JobStatus::Done(done) => format!("{:?}", run(&done)),
        cintx::job::JobStatus::Failed(failure) => format!("{failure:?}"),
        _ => "running".to_owned(),
    };
    format!("{status} {:?} {:?} {:?}", details.created_at, details.created_by, details.trace_id)
}

fn report_status<V: Version>(status: cintx::job::JobStatus<cintx::report::Report<V>>) -> String {
    match status {
        cintx::job::JobStatus::Done(report) => format!("{:?} {:?}", report.id(), report.url()),
        cintx::job::JobStatus::Failed(failure) => format!("{failure:?}"),
        _ => "running".to_owned(),
    }
}

#[cfg(any(feature = "v2024-12-02", feature = "v2025-02-17"))]
fn of_the_older<V>() -> Vec<Reading<V>>
where
    V: cintx::library::HasQuestionIndex + cintx::library::HasQuestionDetails + cintx::quota::HasGoalSplit,
    V: cintx::supply::HasGlobalTemplateWrites,
{
    readings!(cint {
        "question index": page(cint.question_index("eng_gb")).await,
        "question": cint.question_details("eng_gb", 42).await,
        "goal split": group(&cint).quotas().split_goal(600).await,
        "global template made":
            cint.supply_templates().create_global("For everybody", &Supply::test_supplier_only()).await,
    })
}

#[cfg(any(feature = "v2025-02-17", feature = "v2025-12-18"))]
fn of_the_newer<V>() -> Vec<Reading<V>>
where
    V: cintx::exclusion::HasExclusionPolicies + cintx::target_group::HasPerformance,
    V: cintx::pricing::HasGroupRateCard + cintx::quota::HasValidation,
{
    readings!(cint {
        "exclusion policies": cint.project(project()).exclusion_policies().await,
        "exclusion policy": group(&cint).exclusion_policy().await,
        "performance": group(&cint).performance().await,
        "rate cards": group(&cint).rate_cards().await,
        "validation":
            cint.validate(&Audience::independent([Question::choice(43).option("1", 49).option("2", 51)]), 500, &locale())
                .await,
    })
}

#[cfg(feature = "v2024-12-02")]
impl OwnReadings for cintx::V2024_12_02 {
    fn readings() -> Vec<Reading<Self>> {
        let mut all = common();
        all.extend(of_the_older());
        all.extend(readings!(cint {
            "eligible in a month": cint.reconciliations().eligible_in("2026-01").await,
        }));
        all
    }
}

#[cfg(feature = "v2025-02-17")]
impl OwnReadings for cintx::V2025_02_17 {
    fn readings() -> Vec<Reading<Self>> {
        let mut all = common();
        all.extend(of_the_older());
        all.extend(of_the_newer());
        all.extend(readings!(cint {
            "excluded rids": group(&cint).exclusion_lists().rids().await,
            "excluded cids": group(&cint).exclusion_lists().cids().await,
        }));
        all
    }
}

#[cfg(feature = "v2025-12-18")]
impl OwnReadings for cintx::V2025_12_18 {
    fn readings() -> Vec<Reading<Self>> {
        let mut all = common();
        all.extend(of_the_newer());
        all.extend(newest());
        all
    }
}

#[cfg(feature = "v2025-12-18")]
fn newest<V: cintx_tests::Latest>() -> Vec<Reading<V>> {
    use cintx::exclusion::ExcludedBy;
    use cintx::recontact::RecontactBy;
    use cintx::respondent::RespondentMode;

    readings!(cint {
        "found target group": cint.find_target_group(group(&cint).id()).await,
        "price": group(&cint).price(3848).await,
        "predicted price": cint.predict_dynamic_price(3848, &usd("2.50")).await,
        "field of days": cint.suggest_field_of_days("eng_gb", 7).await,
        "unit's supply template":
            cint.supply_templates().for_business_unit(3848).get(&template(), &locale()).await,
        "unit's system template": cint.supply_templates().for_business_unit(3848).system(&locale()).await,
        "unit's global template":
            cint.supply_templates().for_business_unit(3848).global(&template(), &locale()).await,
        "exclusions": group(&cint).exclusions().overview().await,
        "excluded rsids": page(group(&cint).exclusions().rsids()).await,
        "excluded guids": page(group(&cint).exclusions().access_respondent_guids()).await,
        "exclusion": group(&cint).exclusions().upload(ExcludedBy::Rsid, [UUID]).await.map(|job| job.id().clone()),
        "exclusions to be removed":
            group(&cint).exclusions().remove_all(ExcludedBy::Rsid).await.map(|job| job.id().clone()),
        "recontacts to be removed": group(&cint).recontacts().remove_all().await.map(|job| job.id().clone()),
        "exclusion job": group(&cint).exclusions().upload_job(job()).details().await,
        "exclusion removed": group(&cint).exclusions().removal_job(job()).details().await,
        "exclusion groups": page(cint.exclusion_groups().list()).await,
        "exclusion group": cint.exclusion_groups().get(cintx::ExclusionGroupId::new(UUID)).await,
        "exclusion group made": cint.exclusion_groups().create("drinks", "Nobody takes part twice.").await,
        "exclusion group members":
            page(cint.exclusion_groups().members(cintx::ExclusionGroupId::new(UUID))).await,
        "exclusion groups of a target group": page(group(&cint).exclusion_groups()).await,
        "activity exclusions": group(&cint).activity_exclusions().await,
        "recontacts": group(&cint).recontacts().count().await,
        "recontact rsids": page(group(&cint).recontacts().rsids()).await,
        "recontact":
            group(&cint).recontacts().upload(RecontactBy::Rsid, [UUID]).await.map(|job| job.id().clone()),
        "recontact uploads": page(group(&cint).recontacts().uploads()).await,
        "recontact job": group(&cint).recontacts().upload_job(job()).details().await,
        "recontacts removed": group(&cint).recontacts().removal_job(job()).details().await,
        "unique codes": group(&cint).unique_codes(RespondentMode::Live).stats().await,
        "test codes": group(&cint).unique_codes(RespondentMode::Test).stats().await,
        "unique codes sent": group(&cint).unique_codes(RespondentMode::Live).upload(["wave-1"]).await,
        "test codes sent": group(&cint).unique_codes(RespondentMode::Test).upload(["test-1"]).await,
        "webhook history": {
            let webhook = cint.webhooks().get(WebhookId::new(UUID)).await?;
            page(webhook.history(day(4))).await
        },
        "eligible": page(cint.reconciliations().eligible()).await,
        "eligible in all": cint.reconciliations().eligible().summary().await,
        "kept": {
            let preview = cint.reconciliations().keep_only(project(), [UUID]).of_completes([UUID])?;
            preview.submit("good.csv", 0).await.map(|it| it.id().clone())
        },
    })
}
