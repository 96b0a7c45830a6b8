//! Target groups: drafts made, read back, changed, duplicated; launched ones listed, read, changed.

use cintx::audience::{Audience, Question};
use cintx::client::{Answers, CallOptions};
use cintx::fielding::{FieldingAssistant, Pacing, Pricing, QuotaOverlay, RunStatus, SoftLaunch};
use cintx::supply::{AllocationKind, Supply};
use cintx::target_group::{FillingStrategy, TargetGroup, TargetGroupStatus};
use cintx::types::{Interval, LengthOfInterview};
use cintx::{Money, Version};
use jiff::{Timestamp, ToSpan as _};

use crate::setup::{Setup, on_every_version};

on_every_version!(
    a_draft_comes_back_as_it_was_sent,
    a_draft_is_changed_and_keeps_its_audience,
    a_draft_gets_its_address_later,
    a_draft_is_read_as_tables,
    an_answer_is_kept_as_it_came,
    a_draft_is_duplicated,
    launched_groups_are_listed_and_read,
    a_launched_group_is_changed,
    the_assistant_is_changed_by_many,
    supply_is_changed_after_launch,
);

async fn launched<V: Version>(setup: &Setup<V>) -> TargetGroup<V> {
    let group = setup.draft(&setup.project().await).create().await.unwrap();
    let run = group.launch(Timestamp::now() + 240.hours()).await.unwrap().until_live().await.unwrap();
    assert_eq!(run.status(), &RunStatus::Live);
    group
}

fn everything() -> FieldingAssistant {
    FieldingAssistant::off()
        .pricing(Pricing::maximum_cpi(Money::new("3.50", "USD").unwrap()).minimum_cpi(Money::new("1", "USD").unwrap()))
        .pacing(Pacing::Linear("P1DT12H".parse().unwrap()))
        .quota_overlay(QuotaOverlay { prevent_overfill: true, balance_fill: true })
        .soft_launch(SoftLaunch::Until {
            end: "2100-01-01T00:00:00Z".parse().unwrap(),
            goal_percent: 10,
            strictness_percent: 50,
        })
}

async fn a_draft_comes_back_as_it_was_sent<V: Version>(setup: Setup<V>) {
    let supply = Supply::open_exchange().exchange(20..=80).group("Partners", 10..=60, [12, 34]).block([56]);
    let draft = setup
        .draft(&setup.project().await)
        .supply(supply)
        .assistant(everything())
        .cost_note(Money::new("4.20", "USD").unwrap())
        .test_url("https://survey.example/test?RID=[%RID%]")
        .collects_pii(true);
    let sent = draft.clone().build().unwrap().settings;
    let read = draft.create().await.unwrap().draft().await.unwrap();
    assert!(read.created_at.is_some() && read.human_readable_id.is_some());
    let mut settings = read.settings;
    // What the API adds by itself.
    (settings.industry, settings.study_type, settings.lockout) = (None, None, None);
    // What the SDK adds, to find it again.
    settings.reference = None;
    settings.supply.groups.iter_mut().for_each(|group| group.id = None);
    assert_eq!(settings.fielding_period.start().as_second(), sent.fielding_period.start().as_second());
    settings.fielding_period = sent.fielding_period;
    assert_eq!(settings, sent);
    setup.assert_no_violation();
}

async fn a_draft_gets_its_address_later<V: Version>(setup: Setup<V>) {
    let draft = setup.draft(&setup.project().await).without_live_url();
    if V::DATE == "2025-02-17" {
        let refused = draft.create().await.unwrap_err();
        assert_eq!(refused.invalid_fields()[0].field(), "live_url", "{refused}");
        return setup.assert_no_violation();
    }
    let group = draft.create().await.unwrap();
    assert_eq!(group.draft().await.unwrap().settings.live_url, None);
    let address: cintx::types::SurveyUrl = "https://survey.example/?RID=[%RID%]".parse().unwrap();
    group.edit_draft(|draft| draft.live_url = Some(address.clone())).await.unwrap();
    assert_eq!(group.draft().await.unwrap().settings.live_url, Some(address));
    setup.assert_no_violation();
}

/// A draft's audience is read in completes, whatever it was sent in, and its suppliers by name.
async fn a_draft_is_read_as_tables<V: Version>(setup: Setup<V>) {
    let age = || Question::range(42).band(18..=34, 40).bands("older", [35..=54, 55..=99], 60);
    let gender = || Question::choice(43).option("1", 50).option("2", 50);
    let region = Question::choice(47).option("1", ()).without_quotas();
    let apart = Audience::independent([age(), region]);
    let crossed = Audience::interlock([Question::range(42).band(18..=34, 40).band(35..=99, 60), gender()]);
    let project = setup.project().await;
    for (audience, axes) in [(apart.clone(), vec![1, 1]), (apart.in_percent(), vec![1, 1]), (crossed, vec![2])] {
        let group = setup.draft(&project).audience(audience).create().await.unwrap();
        let draft = group.draft().await.unwrap();
        let mut tables = draft.quotas();
        tables.sort_by_key(|table| table.axes()[0].question);
        assert_eq!(tables.iter().map(|table| table.axes().len()).collect::<Vec<_>>(), axes, "{tables:#?}");
        assert_eq!(tables[0].total(), 500, "{}", tables[0]);
        if axes.len() == 2 {
            assert_eq!(tables[0].axes()[0].labels, ["18-34", "older"]);
            assert_eq!(tables[0].cell([1]).unwrap().target, Some(300));
            assert_eq!(tables[1].cell([0]).unwrap().target, None);
        }
        let names: Vec<_> = draft.allocations().into_iter().filter_map(|allocation| allocation.name).collect();
        assert_eq!(names, ["Test supplier only"]);
    }
    setup.assert_no_violation();
}

async fn an_answer_is_kept_as_it_came<V: Version>(setup: Setup<V>) {
    let group = setup.draft(&setup.project().await).create().await.unwrap();
    let answers = Answers::new();
    let draft = group.with(CallOptions::new().keep_answers(&answers)).draft().await.unwrap();
    group.draft().await.unwrap();
    assert!(!format!("{answers:?}").contains("UK drinks"), "{answers:?}");
    let kept = answers.take();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!((kept[0].operation, kept[0].status.as_u16()), ("get_target_group", 200));
    assert_eq!(kept[0].body["name"], draft.settings.name);
    assert!(answers.take().is_empty() && !format!("{kept:?}").contains("UK drinks"), "{kept:?}");
}

async fn a_draft_is_changed_and_keeps_its_audience<V: Version>(setup: Setup<V>) {
    let group = setup.draft(&setup.project().await).create().await.unwrap();
    let longer = LengthOfInterview::minutes(20).unwrap();
    group
        .edit_draft(|draft| {
            draft.name = "UK drinks, longer".into();
            draft.length_of_interview = longer;
            draft.supply = Supply::open_exchange();
        })
        .await
        .unwrap();
    let read = group.draft().await.unwrap().settings;
    assert_eq!((read.name.as_str(), read.length_of_interview), ("UK drinks, longer", longer));
    assert_eq!(read.supply, Supply::open_exchange());
    let bodies = setup.sandbox.requests().into_iter().filter_map(|request| {
        let write = matches!(request.operation.as_deref(), Some("create_target_group" | "update_target_group"));
        write.then_some(request.body?)
    });
    let audiences: Vec<_> =
        bodies.map(|body| body.get("profiling").or(body.get("profile")).cloned().unwrap()).collect();
    let [sent, kept] = audiences.as_slice() else { panic!("{audiences:?}") };
    for part in ["profiles", "drafts"] {
        assert_eq!(sent[part].as_array().map(Vec::len), kept[part].as_array().map(Vec::len));
    }
    let question = |audience: &serde_json::Value| audience.to_string().contains("\"question_id\":43");
    assert!(question(sent) && question(kept), "{kept}");

    let refused = group.edit_draft(|draft| draft.completes_goal = 0).await.unwrap_err();
    assert_eq!(refused.invalid_fields()[0].field(), "completes_goal");
    setup.assert_no_violation();
}

async fn a_draft_is_duplicated<V: Version>(setup: Setup<V>) {
    let group = setup.draft(&setup.project().await).assistant(everything()).create().await.unwrap();
    let copy = group.duplicate("UK drinks, second wave", |draft| draft.completes_goal = 200).await.unwrap();
    assert_ne!(copy.id(), group.id());
    let (one, other) = (group.draft().await.unwrap().settings, copy.draft().await.unwrap().settings);
    assert_eq!((other.name.as_str(), other.completes_goal), ("UK drinks, second wave", 200));
    assert_eq!(
        (one.supply.exchange, one.assistant, one.locale),
        (other.supply.exchange, other.assistant, other.locale)
    );
    setup.assert_no_violation();
}

async fn launched_groups_are_listed_and_read<V: Version>(setup: Setup<V>) {
    let group = launched(&setup).await;
    let project = setup.cint.project(group.project_id());
    let english = project.target_groups().list().language("eng".parse().unwrap()).country("gb".parse().unwrap());
    let listed = english.status(TargetGroupStatus::Live).status(TargetGroupStatus::Paused).stream().collect().await;
    let listed = listed.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0].id, listed[0].status.as_ref()), (group.id(), Some(&TargetGroupStatus::Live)));
    assert_eq!(listed[0].locale.as_ref().unwrap().to_string(), "eng_gb");
    assert_eq!(listed[0].open(&project).id(), group.id());
    let drafts = project.target_groups().list().status(TargetGroupStatus::Draft).stream().collect().await.unwrap();
    assert!(drafts.is_empty());

    let progress = group.supply_progress().await.unwrap();
    let exchange = progress.iter().find(|allocation| allocation.kind == AllocationKind::Exchange).unwrap();
    assert_eq!(exchange.share, Some(group.supply().await.unwrap().exchange));

    let details = group.details().await.unwrap();
    assert_eq!(details.settings.name, "UK drinks");
    assert_eq!((details.completes_goal, details.locale.unwrap().to_string()), (Some(500), "eng_gb".to_owned()));
    let overview = group.overview().await.unwrap();
    assert_eq!((overview.name.as_deref(), overview.status), (Some("UK drinks"), Some(TargetGroupStatus::Live)));
    assert_eq!(overview.progress.unwrap().completes_goal, Some(500));
    let interval: Interval = "PT6H".parse().unwrap();
    group.completes_by_interval(Some(interval)).await.unwrap();
    group.completes_by_interval(None).await.unwrap();
    group.changelog().page_size(50).pages().try_next().await.unwrap();
    let error = group.draft().await.unwrap_err();
    assert!(error.call().unwrap().moved_to().is_some(), "a launched draft is elsewhere: {error}");
    setup.assert_no_violation();
}

async fn a_launched_group_is_changed<V: Version>(setup: Setup<V>) {
    let group = launched(&setup).await;
    let changed = group
        .edit_details(|details| {
            details.name = "UK drinks, renamed".into();
            details.lockout = Some(cintx::LockoutCode::new("automotive"));
        })
        .await
        .unwrap();
    assert_eq!(changed.name, "UK drinks, renamed");
    let refused = group.edit_details(|details| details.name = "no".into()).await.unwrap_err();
    assert_eq!(refused.invalid_fields()[0].field(), "name");
    group.set_cost_per_interview(&Money::new("3.10", "USD").unwrap()).await.unwrap();
    let counted = group.set_filling_strategy(FillingStrategy::Completes).await.unwrap();
    assert!(!counted.as_str().is_empty());
    let unknown = group.set_filling_strategy(FillingStrategy::from("luck")).await.unwrap_err();
    assert_eq!(unknown.invalid_fields()[0].field(), "filling_strategy");
    setup.assert_no_violation();
}

async fn the_assistant_is_changed_by_many<V: Version>(setup: Setup<V>) {
    let group = launched(&setup).await;
    group.assistant().await.unwrap();
    let whole = everything();
    group.edit_assistant(|assistant| *assistant = whole.clone()).await.unwrap();
    let one_limit = Money::new("2", "USD").unwrap();
    let refused = group
        .edit_assistant(|assistant| {
            assistant.pricing = Some(Pricing::Dynamic {
                total_budget: Some(one_limit.clone()),
                maximum_cpi: Some(one_limit.clone()),
                minimum_cpi: None,
            });
        })
        .await
        .unwrap_err();
    assert_eq!(refused.invalid_fields()[0].field(), "pricing");
    setup.assert_no_violation();
}

async fn supply_is_changed_after_launch<V: Version>(setup: Setup<V>) {
    let group = launched(&setup).await;
    let mut supply = group.supply().await.unwrap();
    let refused =
        group.set_supply(&Supply::open_exchange().exchange(std::ops::RangeInclusive::new(60, 40))).await.unwrap_err();
    assert_eq!(refused.invalid_fields()[0].field(), "supply");
    // The sandbox makes shares and suppliers up; the names are what groups are known by.
    supply.blocked.clear();
    if supply.exchange.is_empty() {
        supply.exchange = 0..=50;
    }
    for (number, group) in (1_000..).zip(supply.groups.iter_mut().chain(&mut supply.private.groups)) {
        (group.share, group.suppliers) = (0..=10, vec![cintx::SupplierId::new(number)]);
    }
    group.set_supply(&supply.block([77])).await.unwrap();
    setup.assert_no_violation();
}

#[cfg(feature = "v2025-12-18")]
#[tokio::test]
async fn the_newest_version_has_references_and_filters() {
    let setup = Setup::<cintx::V2025_12_18>::new().await;
    let project = setup.project().await;
    let reference: cintx::types::CustomerReference = "TG-7".parse().unwrap();
    let group = setup.draft(&project).reference(reference.as_str()).create().await.unwrap();
    assert_eq!(group.draft().await.unwrap().settings.reference.as_deref(), Some("TG-7"));
    let list = setup.cint.project(&project).target_groups().list().manager(setup.manager);
    let listed = list.stream().collect().await.unwrap();
    assert_eq!(listed[0].reference.as_deref(), Some("TG-7"));
    setup.assert_no_violation();
}

#[cfg(feature = "v2025-12-18")]
#[tokio::test]
async fn a_target_group_is_found_by_its_id_alone_in_2025_12_18() {
    let setup = Setup::<cintx::V2025_12_18>::new().await;
    let group = launched(&setup).await;
    let found = setup.cint.find_target_group(group.id()).await.unwrap();
    assert_eq!(found.project.as_ref(), Some(group.project_id()));
    assert_eq!(found.account, Some(i64::from(setup.sandbox.account_id())));
    // The field goes on between the two reads: only what stands still is the same.
    let overview = group.overview().await.unwrap();
    assert_eq!(found.overview.name, overview.name);
    assert_eq!(found.overview.human_readable_id, overview.human_readable_id);
    assert_eq!(found.overview.pricing_model, overview.pricing_model);
    let missing =
        setup.cint.find_target_group(&cintx::TargetGroupId::new("01M858G4EEWJ1P1RA0J28WB7TW")).await.unwrap_err();
    assert_eq!(missing.status().unwrap(), 404);
    setup.assert_no_violation();
}
