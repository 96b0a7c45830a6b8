//! Each documented query parameter and header of an operation that the facade calls can be set by some call, or the list
//! says why not. It may not grow.

use std::collections::BTreeSet;

use cintx::client::CallOptions;
use cintx::fielding::{FieldingAssistant, Pacing};
use cintx::paging::{Cursor, ListQuery, ListRequest};
use cintx::profile_template::TemplateScope;
use cintx::project::ProjectStatus;
use cintx::reconciliation::ReconciliationStatus;
use cintx::report::ReportKind;
use cintx::target_group::TargetGroupStatus;
use cintx::{Client, Error, ProfileTemplateId, ReportId, Version, WebhookId};
use cintx_tests::document::Document;
use serde_json::json;

use crate::readings::{
    OwnReadings, Reading, ULID, UUID, day, group, locale, manager, page, project, readings, reconciliation, reference,
    template,
};
use crate::service::Service;

const OLDER: &[&str] = &["2024-12-02", "2025-02-17"];
const ALL: &[&str] = &["2024-12-02", "2025-02-17", "2025-12-18"];

/// What the client sets by itself in every request.
const ITS_OWN: [&str; 3] = ["authorization", "cint-api-version", "traceparent"];

/// What can be set in any request, by `CallOptions::header`.
const OF_ANY_CALL: [&str; 4] = ["is-synthetic-traffic", "run-as-of", "tracestate", "x-correlation-id"];

/// Parameters that no call sets, for one reason.
struct NeverSet {
    why: &'static str,
    versions: &'static [&'static str],
    /// Operation and parameter; `*` is every operation.
    parameters: &'static [(&'static str, &'static str)],
}

const NEVER_SET: &[NeverSet] = &[
    NeverSet {
        why: "Lists are read forward: a cursor says where to go on, never where to end.",
        versions: ALL,
        parameters: &[("*", "end_before")],
    },
    NeverSet {
        why: "A second name of where a page begins: the first one, `start_after`, is sent.",
        versions: ALL,
        parameters: &[("get_reconciliations_by_account_id", "next_cursor")],
    },
    NeverSet {
        why: "A second name of how long a page is: the first one, `limit`, is sent.",
        versions: &["2025-02-17"],
        parameters: &[("account_questions_translation", "page_size")],
    },
    NeverSet {
        why: "Where a page begins and how long it is, on a call that makes a template.",
        versions: OLDER,
        parameters: &[
            ("create_global_allocation_template", "page_size"),
            ("create_global_allocation_template", "start_after"),
        ],
    },
    NeverSet {
        why: "A filter of lists on calls for the one template that is named by its id.",
        versions: ALL,
        parameters: &[("get_profile_template", "locales"), ("delete_profile_template", "locales")],
    },
    NeverSet {
        why: "All service clients are listed, and each says what it is.",
        versions: ALL,
        parameters: &[("get_account_service_clients", "user_type")],
    },
    NeverSet {
        why: "A change goes under the entity tag of what it changes, and a first assignment under none.",
        versions: ALL,
        parameters: &[("create_or_update_fielding_assistant_assignment", "if-none-match")],
    },
    NeverSet {
        why: "Names of models and of their versions, of which no document lists any.",
        versions: OLDER,
        parameters: &[
            ("get_questions_translation", "model"),
            ("get_questions_translation", "version"),
            ("account_questions_translation", "model"),
            ("account_questions_translation", "version"),
        ],
    },
];

/// How many parameters of each version are never set. It only goes down.
const COUNTS: [(&str, usize); 3] = [("2024-12-02", 20), ("2025-02-17", 22), ("2025-12-18", 22)];

/// A later page of a list, of a size of one's own.
async fn later<Q: ListQuery>(list: ListRequest<Q>) -> Result<impl std::fmt::Debug, Error>
where
    Q::Item: std::fmt::Debug,
{
    page(list.page_size(20).start_after(Cursor::new("7"))).await
}

/// Lists with all of their filters, from a later page on.
fn lists<V: Version>() -> Vec<Reading<V>> {
    readings!(cint {
        "projects": {
            let list = cint.projects().list().manager(manager()).status(ProjectStatus::Active);
            later(list.name("MyDrinksSurveyQ1").search("drinks")).await
        },
        "target groups": {
            let list = cint.project(project()).target_groups().list().status(TargetGroupStatus::Live);
            let list = list.country("gb".parse().unwrap()).language("eng".parse().unwrap()).name("UK drinks");
            later(list.search("drinks").human_readable_id("TX-7").excluding(true)).await
        },
        "project managers": reference(&cint).project_managers().await,
        "clients": later(cint.clients()).await,
        "questions": {
            let list = cint.questions("eng_gb").ids([42]).search("age").translated("ger").with_custom();
            later(list).await
        },
        "supply templates": later(cint.supply_templates().list()).await,
        "global supply templates": later(cint.supply_templates().list_global()).await,
        "profile templates": {
            let list = cint.profile_templates().list().scope(TemplateScope::Account).locale("eng_gb");
            later(list.oldest_first()).await
        },
        "profile template deleted": cint.profile_templates().delete(ProfileTemplateId::new(ULID)).await,
        "webhooks": later(cint.webhooks().list()).await,
        "reports": later(cint.reports().requests().kind(ReportKind::Completes)).await,
        "report": cint.reports().report(ReportId::new(UUID)).download().await.map(|_| ()),
        "reconciliations": {
            let list = cint.reconciliations().list().name("wave.csv").status(ReconciliationStatus::Complete);
            later(list.submitted_by(manager())).await
        },
        "reconciled target groups": later(reconciliation(&cint).target_groups()).await,
        "changelog": later(group(&cint).changelog()).await,
        "completes by day": group(&cint).completes_by_interval(Some("P1D".parse().unwrap())).await,
    })
}

/// Changes under an entity tag or an idempotency key.
fn changes<V: Version>() -> Vec<Reading<V>> {
    readings!(cint {
        "project changed": cint.project(project()).edit(|project| project.name = "MyDrinksSurveyQ2".into()).await,
        "supply template changed":
            cint.supply_templates().edit(&template(), &locale(), |template| template.name = "Partners".into()).await,
        "default template": cint.supply_templates().set_default(&template()).await,
        "webhook changed": {
            let mut webhook = cint.webhooks().get(WebhookId::new(UUID)).await?;
            webhook.edit(|webhook| webhook.url = "https://hooks.example/other".into()).await
        },
        "webhook deleted": cint.webhooks().get(WebhookId::new(UUID)).await?.delete().await,
        "launched": group(&cint).launch(day(14)).await.map(|job| job.id().clone()),
        "scheduled": group(&cint).schedule(day(4)..day(14)).await.map(|job| job.id().clone()),
        "assistant": {
            let pacing = Pacing::Linear("P1D".parse().unwrap());
            group(&cint).edit_assistant(|assistant| *assistant = FieldingAssistant::off().pacing(pacing.clone())).await
        },
        "paused": group(&cint).fielding_run().await?.unwrap().pause().await,
        "resumed": group(&cint).fielding_run().await?.unwrap().resume().await,
        "relaunched": group(&cint).fielding_run().await?.unwrap().relaunch().await,
        "launched now": group(&cint).fielding_run().await?.unwrap().launch_now().await,
        "completed": group(&cint).fielding_run().await?.unwrap().complete().await,
        "dates moved": {
            let mut run = group(&cint).fielding_run().await?.unwrap();
            run.edit_dates(|dates| (dates.start, dates.end) = (day(4), day(14))).await
        },
        "all paused": all(&cint).pause().await.map(|job| job.id().clone()),
        "all resumed": all(&cint).resume().await.map(|job| job.id().clone()),
        "all relaunched": all(&cint).relaunch().await.map(|job| job.id().clone()),
        "all launched": all(&cint).launch_now().await.map(|job| job.id().clone()),
        "all completed": all(&cint).complete().await.map(|job| job.id().clone()),
        "interlocked": group(&cint).quotas().interlock(&[UUID.to_owned(), ULID.to_owned()]).await,
        "interlock removed": group(&cint).quotas().remove_interlock(UUID).await,
        "switched off": group(&cint).quotas().disable(UUID).await,
        "switched on": group(&cint).quotas().enable(UUID).await,
    })
}

fn all<V: Version>(client: &Client<V>) -> cintx::target_group::Bulk<V> {
    client.project(project()).target_groups().all([group(client).id()])
}

/// A version with its own calls that set parameters.
pub(crate) trait OwnParameters: OwnReadings {
    fn own() -> Vec<Reading<Self>>;
}

#[cfg(any(feature = "v2024-12-02", feature = "v2025-02-17"))]
fn of_the_older<V>() -> Vec<Reading<V>>
where
    V: cintx::library::HasQuestionIndex + cintx::library::HasQuestionSelection + cintx::quota::HasProfileEdits,
    V: cintx::supply::HasGlobalTemplateWrites,
{
    use cintx::audience::Question;
    use cintx::library::QuestionScope;
    use cintx::supply::Supply;

    readings!(cint {
        "question index": {
            let list = cint.question_index("eng_gb").search("age").category(7).scope(QuestionScope::Standard);
            later(list).await
        },
        "selected questions":
            page(cint.questions("eng_gb").category_code("DEM").from_other_locales().with_unsupported()).await,
        "global template made":
            cint.supply_templates().create_global("For everybody", &Supply::test_supplier_only()).await,
        "global template changed": {
            let templates = cint.supply_templates();
            templates.edit_global(&template(), &locale(), |template| template.name = "For everyone".into()).await
        },
        "profile added": group(&cint).quotas().add(&Question::choice(43).option("1", 49).option("2", 51)).await,
        "conditions set": {
            let conditions = Question::range(42).band(18..=34, ()).band(35..=99, ());
            group(&cint).quotas().set_conditions(UUID, &conditions).await
        },
        "audience replaced": {
            let other = crate::readings::draft(&cint).build()?;
            group(&cint).quotas().replace(&other).await?.send_and_delete().await
        },
        "conditions grouped": {
            let together = Question::range(42).bands("adults", [18..=34, 35..=99], ());
            group(&cint).quotas().group(UUID, &together).await
        },
    })
}

#[cfg(feature = "v2024-12-02")]
impl OwnParameters for cintx::V2024_12_02 {
    fn own() -> Vec<Reading<Self>> {
        let mut all = of_the_older();
        all.extend(readings!(cint {
            "eligible in a month": {
                let list = cint.reconciliations().eligible_in("2026-01").name("UK drinks").project_name("MyDrinksSurveyQ1");
                list.status(TargetGroupStatus::Live).manager(manager()).await
            },
        }));
        all
    }
}

#[cfg(feature = "v2025-02-17")]
impl OwnParameters for cintx::V2025_02_17 {
    fn own() -> Vec<Reading<Self>> {
        let mut all = of_the_older();
        all.extend(readings!(cint {
            "custom questions": page(cint.questions("eng_gb").only_custom()).await,
        }));
        all
    }
}

#[cfg(feature = "v2025-12-18")]
impl OwnParameters for cintx::V2025_12_18 {
    fn own() -> Vec<Reading<Self>> {
        newest()
    }
}

#[cfg(feature = "v2025-12-18")]
fn newest<V: cintx_tests::Latest + cintx::library::HasCustomQuestions>() -> Vec<Reading<V>> {
    use cintx::ExclusionGroupId;
    use cintx::reconciliation::DueMonth;
    use cintx::report::{ReportLevel, ReportStatus};
    use cintx::target_group::ChangeKind;
    use cintx::webhook::DeliveryStatus;

    readings!(cint {
        "custom questions": page(cint.questions("eng_gb").only_custom()).await,
        "target groups of a manager":
            page(cint.project(project()).target_groups().list().manager(manager()).reference("TG-0043")).await,
        "changes of status": page(group(&cint).changelog().kind(ChangeKind::Status)).await,
        "reports of projects":
            page(cint.reports().requests().level(ReportLevel::Project).status(ReportStatus::Completed)).await,
        "eligible": {
            let list = cint.reconciliations().eligible().due(DueMonth::Next).name("UK drinks");
            let list = list.status(TargetGroupStatus::Live).project_name("MyDrinksSurveyQ1").manager(manager());
            later(list).await
        },
        "webhook history": {
            let webhook = cint.webhooks().get(WebhookId::new(UUID)).await?;
            let list = webhook.history(day(4)).until(day(5)).status(DeliveryStatus::Delivered);
            later(list.event(cintx::webhook::WebhookEventType::SessionUpdated).newest_first()).await
        },
        "excluded rsids": later(group(&cint).exclusions().rsids()).await,
        "excluded guids": later(group(&cint).exclusions().access_respondent_guids()).await,
        "exclusion groups": later(cint.exclusion_groups().list()).await,
        "exclusion group members": later(cint.exclusion_groups().members(ExclusionGroupId::new(UUID))).await,
        "exclusion groups of a target group": later(group(&cint).exclusion_groups()).await,
        "recontact rsids": later(group(&cint).recontacts().rsids()).await,
        "recontact uploads": later(group(&cint).recontacts().uploads()).await,
    })
}

/// The documented parameters of the operations that the facade calls, but for those that every request can have.
fn documented<V: Version>() -> BTreeSet<(&'static str, &'static str, String)> {
    let document = Document::of(V::DATE);
    let called = crate::unread::operations(V::DATE, V::OPERATIONS);
    let mut found = BTreeSet::new();
    for operation in document.operations() {
        let row = V::OPERATIONS.iter().find(|it| it.path == operation.path && it.method.as_str() == operation.method);
        let Some(row) = row.filter(|row| called.contains(&row.id)) else { continue };
        for parameter in document.parameters(&operation) {
            let name = parameter["name"].as_str().unwrap();
            match parameter["in"].as_str().unwrap() {
                "query" => drop(found.insert((row.id, "query", name.to_owned()))),
                "header" => drop(found.insert((row.id, "header", name.to_lowercase()))),
                _ => {}
            }
        }
    }
    found
}

/// Every parameter that is not set is listed, and none that is.
fn every_one_is_explained<V: Version>(never_set: &BTreeSet<String>) {
    let called = crate::unread::operations(V::DATE, V::OPERATIONS);
    let mut listed = BTreeSet::new();
    for group in NEVER_SET.iter().filter(|group| group.versions.contains(&V::DATE)) {
        assert!(group.why.ends_with('.') && group.why.len() > 20, "{:?} is no reason", group.why);
        for (operation, name) in group.parameters {
            let fits = |it: &&String| match *operation {
                "*" => it.ends_with(&format!(" {name}")),
                operation => **it == format!("{operation} {name}"),
            };
            let covered: Vec<&String> = never_set.iter().filter(fits).collect();
            // What other versions alone have is theirs to tell.
            let is_there = called.contains(operation) || *operation == "*";
            assert!(!covered.is_empty() || !is_there, "{}: {operation} {name} is listed, and set or gone", V::DATE);
            listed.extend(covered);
        }
    }
    let unexplained: Vec<&String> = never_set.iter().filter(|it| !listed.contains(it)).collect();
    assert!(unexplained.is_empty(), "{}: set by no call, without a reason: {unexplained:#?}", V::DATE);
    println!("{}: {} parameters are never set", V::DATE, listed.len());
    assert!(COUNTS.contains(&(V::DATE, listed.len())), "{}: {}, and those in `COUNTS`", V::DATE, listed.len());
}

async fn every_parameter_is_set<V: OwnParameters>() {
    let service = Service::new(V::DATE, V::OPERATIONS);
    let mut options = CallOptions::new();
    for name in OF_ANY_CALL {
        options = options.header(name, "7");
    }
    let client: Client<V> = crate::readings::client::<V>(&service).with(options);
    let mut calls = V::readings();
    for more in [lists(), changes(), V::own()] {
        calls.extend(more);
    }
    for call in calls {
        // What counts is what is sent; what an answer that is made up does to a change is not looked at.
        drop(call.outcome(&client).await);
    }
    // What kind of report it is, its address says.
    let url = "https://api.cint.com/v1/demand/accounts/7/reports/download?file=wave.csv&report_type=completes";
    service.answers("report_status", json!({ "status": "completed", "report_url": url }));
    drop(client.reports().report(ReportId::new(UUID)).download().await);
    let sent = service.sent();
    for operation in service.called() {
        for name in ITS_OWN.iter().chain(&OF_ANY_CALL) {
            assert!(sent.contains(&(operation, "header", (*name).to_owned())), "{operation} was called without {name}");
        }
    }
    let of_every_call = |name: &str| ITS_OWN.contains(&name) || OF_ANY_CALL.contains(&name);
    let never_set = documented::<V>().into_iter().filter(|parameter| {
        let (_, place, name) = parameter;
        let by_itself = *place == "header" && (of_every_call(name) || name == "content-type");
        !by_itself && !sent.contains(parameter)
    });
    every_one_is_explained::<V>(&never_set.map(|(operation, _, name)| format!("{operation} {name}")).collect());
}

macro_rules! one_version {
    ($version:ident $marker:ident) => {
        #[tokio::test(start_paused = true)]
        async fn $version() {
            super::every_parameter_is_set::<cintx::$marker>().await;
        }
    };
}
use one_version;

mod every_parameter_can_be_set {
    cintx_tests::for_each_version!(super::one_version);
}
