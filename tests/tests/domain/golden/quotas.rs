//! Quotas in field: goals, crossed and taken apart, switched, replaced, deleted; and audiences that are only judged.

use cintx::Version;
use cintx::audience::{Audience, Question};
use cintx::quota::QuotaTable;

use super::field::launched;
use super::{audiences, draft, usd};
use crate::setup::Setup;

fn profile(table: &QuotaTable) -> String {
    table.profile().unwrap().to_owned()
}

pub async fn calls<V: Version>(setup: &Setup<V>) {
    let project = setup.project().await;
    let age = Question::range(42).band(18..=34, 40).band(35..=99, 60);
    let questions = Audience::independent([age, audiences::gender()]);
    let priced = |audience: Audience| draft(setup, &project, audience).cost_per_interview(usd("2.73"));
    let quotas = launched(priced(questions)).await.quotas();
    let tables = quotas.set_goal(600).await.unwrap();
    let tables = quotas.apply(&tables[0].plan([([0_usize], 230), ([1], 370)]).unwrap()).await.unwrap();
    // What a plan adds is added to the goal of the whole, and what it takes away is taken.
    let tables = quotas.apply(&tables[0].plan([([0_usize], 240)]).unwrap()).await.unwrap();
    let tables = quotas.apply(&tables[0].plan([([0_usize], 230)]).unwrap()).await.unwrap();
    let crossed = quotas.interlock(&[profile(&tables[0]), profile(&tables[1])]).await.unwrap();
    let apart = quotas.remove_interlock(&profile(&crossed[0])).await.unwrap();
    let disabled = quotas.disable(&profile(&apart[0])).await.unwrap();
    let enabled = quotas.enable(&profile(&disabled[0])).await.unwrap();
    quotas.delete(&[profile(&enabled[1])]).await.unwrap();
    for audience in audiences::all::<V>() {
        let other = priced(audience).build().unwrap();
        quotas.replace(&other).await.unwrap().send_and_delete().await.unwrap();
    }
}

/// One profile changed by itself.
#[cfg(any(feature = "v2024-12-02", feature = "v2025-02-17"))]
pub async fn one_by_one<V: cintx::quota::HasProfileEdits>(setup: &Setup<V>) {
    let project = setup.project().await;
    let age = Question::range(42).band(18..=34, 40).band(35..=54, 35).band(55..=99, 25);
    let audience = Audience::independent([age]);
    let quotas = launched(draft(setup, &project, audience).cost_per_interview(usd("2.73"))).await.quotas();
    let age = profile(&quotas.read().await.unwrap()[0]);
    quotas.add(&audiences::gender()).await.unwrap();
    quotas.add(&Question::open_ended(45).values("London", ["EC1A", "SW1A"], ())).await.unwrap();
    let others = Question::range(42).band(18..=34, ()).band(35..=49, ()).band(50..=99, ());
    quotas.set_conditions(&age, &others).await.unwrap();
    let together = Question::range(42).band(18..=34, ()).bands("older", [35..=49, 50..=99], ());
    let tables = quotas.group(&age, &together).await.unwrap();
    let grouped = tables.iter().find(|table| table.profile() == Some(&*age)).unwrap();
    let quota = grouped.cells().find_map(|(_, quota)| quota.id.clone()).unwrap();
    quotas.delete_quotas(&age, &[quota]).await.unwrap();
}

#[cfg(any(feature = "v2025-02-17", feature = "v2025-12-18"))]
pub async fn validations<V: cintx::quota::HasValidation>(setup: &Setup<V>) {
    for audience in audiences::all::<V>() {
        let refusals = setup.cint.validate(&audience, 500, &"eng_gb".parse().unwrap()).await.unwrap();
        assert!(refusals.is_empty(), "{refusals:?}");
    }
}

/// Control quotas are sent again with each change.
#[cfg(feature = "v2025-12-18")]
pub async fn with_control<V: cintx_tests::Latest>(setup: &Setup<V>) {
    let project = setup.project().await;
    let audience = audiences::all::<V>().remove(4);
    let group = launched(draft(setup, &project, audience).cost_per_interview(usd("2.73"))).await;
    let quotas = group.quotas().with_control(audiences::control());
    let tables = quotas.read().await.unwrap();
    let of = |question: i64| tables.iter().find(|table| table.axes()[0].question == Some(question)).unwrap();
    quotas.disable(&profile(of(113))).await.unwrap();
}
