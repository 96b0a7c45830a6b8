//! Field: launched and scheduled target groups, their dates, details, price and assistant; and many at once.

use cintx::project::Project;
use cintx::target_group::{DraftBuilder, FillingStrategy, TargetGroup, TargetGroupStatus};
use cintx::types::LengthOfInterview;
use cintx::{LockoutCode, Version};

use super::{audiences, day, draft, drafts, usd};
use crate::setup::Setup;

/// A target group in field.
pub async fn launched<V: Version>(draft: DraftBuilder<V>) -> TargetGroup<V> {
    let group = draft.create().await.unwrap();
    group.launch(day(14)).await.unwrap().until_live().await.unwrap();
    group
}

/// A target group in field that has a price.
pub async fn priced<V: Version>(setup: &Setup<V>, project: &Project) -> TargetGroup<V> {
    launched(draft(setup, project, audiences::crossed()).cost_per_interview(usd("2.73"))).await
}

pub async fn calls<V: Version>(setup: &Setup<V>) {
    let project = setup.project().await;
    let group = priced(setup, &project).await;
    let mut run = group.fielding_run().await.unwrap().unwrap();
    run.edit_dates(|dates| dates.end = day(20)).await.unwrap();
    group
        .edit_details(|details| {
            details.name = "UK drinks, in field".into();
            details.length_of_interview = LengthOfInterview::minutes(12).unwrap();
            details.incidence_rate = "0.40".parse().unwrap();
            details.lockout = Some(LockoutCode::new("automotive"));
            details.test_url = Some("https://survey.example/test?RID=[%RID%]".parse().unwrap());
            details.cost_note = Some(usd("4.20"));
            details.reference = (V::DATE >= "2025-12-18").then(|| "TG-0043".into());
        })
        .await
        .unwrap();
    group.set_cost_per_interview(&usd("3.10")).await.unwrap();
    group.set_filling_strategy(FillingStrategy::Completes).await.unwrap();
    let other = priced(setup, &project).await;
    for assistant in drafts::assistants::<V>(other.id()) {
        group.edit_assistant(|it| *it = assistant.clone()).await.unwrap();
    }
    let by_card = launched(draft(setup, &project, audiences::crossed()).business_unit(drafts::RATE_CARD_UNIT)).await;
    by_card.edit_assistant(|it| *it = drafts::rate_card_pricing()).await.unwrap();

    let scheduled =
        draft(setup, &project, audiences::crossed()).cost_per_interview(usd("2.73")).create().await.unwrap();
    scheduled.schedule(day(4)..day(14)).await.unwrap().until_done().await.unwrap();
    let groups = setup.cint.project(&project).target_groups();
    groups.all([&scheduled]).launch_now().await.unwrap().until_done().await.unwrap();
    let both = groups.all([&group, &other]);
    both.pause().await.unwrap().until_done().await.unwrap();
    both.resume().await.unwrap().until_done().await.unwrap();
    both.set_manager(setup.manager).await.unwrap().until_done().await.unwrap();
    both.complete().await.unwrap().until_done().await.unwrap();
    both.transitions().await.unwrap();
    let asked = groups.transitions().status(TargetGroupStatus::Live).country("gb".parse().unwrap());
    let asked = asked.language("eng".parse().unwrap()).search("UK drinks").except([&scheduled]);
    asked.await.unwrap();
    both.relaunch().await.unwrap().until_done().await.unwrap();
}
