//! What a program keeps of a study, in a file or a queue, is what it reads back: what was read from the API, and what
//! was described in code. Helpers over any list and any job are written as a user would write them.

use std::fmt::Debug;

use cintx::audience::{Audience, Condition, ControlQuotas, Question, Share};
use cintx::fielding::{FieldingAssistant, LaunchJob, Pacing, Pricing, QuotaOverlay, SoftLaunch};
use cintx::job::{Job, JobKind};
use cintx::paging::{ListQuery, ListRequest};
use cintx::quota::{QuotaProgress, QuotaTable};
use cintx::reconciliation::{Reason, ReconciliationRow};
use cintx::report::ReportScope;
use cintx::supply::Supply;
use cintx::target_group::TargetGroup;
use cintx::{Error, Money, ProjectId, TargetGroupId, Version};
use jiff::{Timestamp, ToSpan as _};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::setup::{Setup, on_every_version};

on_every_version!(what_was_read_is_kept);

#[track_caller]
fn is_kept<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).unwrap();
    let back: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(&back, value, "{text}");
}

/// Each item of a list, whatever it lists.
async fn items_are_kept<Q: ListQuery>(list: ListRequest<Q>) -> Result<usize, Error>
where
    Q::Item: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let (mut pages, mut count) = (list.pages(), 0);
    while let Some(page) = pages.try_next().await? {
        is_kept(&page);
        count += page.items.len();
    }
    Ok(count)
}

/// What jobs of one kind came to, whatever they do.
async fn wait_all<K: JobKind>(jobs: Vec<Job<K>>) -> Result<Vec<K::Done>, Error> {
    let mut done = Vec::new();
    for job in jobs {
        is_kept(job.id());
        done.push(job.until_done().await?);
    }
    Ok(done)
}

async fn what_was_read_is_kept<V: Version>(setup: Setup<V>) {
    let project = setup.project().await;
    is_kept(&project);
    let ask = setup.draft(&project);
    let mut jobs: Vec<LaunchJob<V>> = Vec::new();
    let mut groups: Vec<TargetGroup<V>> = Vec::new();
    for draft in [ask.clone(), ask.clone()] {
        let group = draft.create().await.unwrap();
        is_kept(&group.draft().await.unwrap());
        is_kept(&group.feasibility().await.unwrap());
        jobs.push(group.launch(Timestamp::now() + 240.hours()).await.unwrap());
        groups.push(group);
    }
    for run in wait_all(jobs).await.unwrap() {
        is_kept(run.id());
        is_kept(run.status());
        is_kept(&run.dates());
    }
    for group in &groups {
        is_kept(&group.details().await.unwrap());
        is_kept(&group.overview().await.unwrap());
        is_kept(&group.assistant().await.unwrap());
        is_kept(&group.supply().await.unwrap());
        is_kept(&group.completes_by_interval(None).await.unwrap());
        // A handle that is kept after its group: it borrows nothing.
        let quotas = { group.clone().quotas() };
        let tables = quotas.read().await.unwrap();
        is_kept(&tables);
        is_kept(&QuotaProgress::of(&tables));
        is_kept(&tables[0].rebalance().unwrap());
    }
    let scope = setup.cint.project(&project);
    is_kept(&scope.overview().await.unwrap());
    assert_eq!(items_are_kept(setup.cint.projects().list()).await.unwrap(), 1);
    assert_eq!(items_are_kept(scope.target_groups().list()).await.unwrap(), 2);
    items_are_kept(groups[0].changelog()).await.unwrap();
    items_are_kept(setup.cint.reports().requests()).await.unwrap();
    let reference = setup.cint.reference_data();
    is_kept(&reference.accounts().await.unwrap().to_vec());
    is_kept(&reference.users().await.unwrap().to_vec());
    is_kept(&reference.business_units().await.unwrap().to_vec());
    is_kept(&reference.locales().await.unwrap().to_vec());
    is_kept(&reference.industries().await.unwrap().to_vec());
    is_kept(&reference.suppliers().await.unwrap().to_vec());
}

/// Shares of every kind.
fn share() -> impl Strategy<Value = Share> {
    prop_oneof![
        (0_i64..10_000).prop_map(|percent| Share::Percent(Decimal::new(percent, 2))),
        any::<u32>().prop_map(Share::Completes),
        Just(Share::Open),
        "[a-z]{0,4}".prop_map(|text| Share::from(&*text)),
    ]
}

fn question() -> impl Strategy<Value = Question> {
    let shares = || proptest::collection::vec(share(), 0..4);
    prop_oneof![
        (any::<i64>(), shares()).prop_map(|(id, shares)| {
            shares.into_iter().zip(1_u8..).fold(Question::range(id), |it, (share, at)| it.band(at..=at + 9, share))
        }),
        (any::<i64>(), shares(), ".{0,5}").prop_map(|(id, shares, name)| {
            let choice = Question::choice(id).options(name.clone(), ["a", "b"], 1).without_quotas();
            shares.into_iter().fold(choice, |it, share| it.option(name.clone(), share))
        }),
        (any::<i64>(), ".{0,5}", share())
            .prop_map(|(id, text, share)| Question::open_ended(id).values("texts", [text], share).any_value()),
    ]
}

fn audience() -> impl Strategy<Value = Audience> {
    (proptest::collection::vec(question(), 2..4), any::<bool>(), any::<bool>(), any::<u32>()).prop_map(
        |(questions, interlock, control, count)| {
            let audience = match <[Question; 2]>::try_from(questions) {
                Ok(crossed) if interlock => {
                    let crossed = cintx::audience::Interlock::of(crossed).at_least([0, 0], count).seed([0.5, 1.0]);
                    Audience::interlock(crossed).in_percent()
                }
                Ok(questions) => Audience::independent(questions),
                Err(questions) => Audience::independent(questions),
            };
            let conditions = [(42, Condition::Range { min: 18, max: 34 }), (43, Condition::Option("1".into()))];
            match control {
                true => audience.control(ControlQuotas::new("boosts").target("young", conditions, count)),
                false => audience,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_audience_is_kept(audience in audience()) {
        is_kept(&audience);
        is_kept(&audience.problems(Some(500)));
    }

    #[test]
    fn a_supply_and_an_assistant_are_kept(
        suppliers in proptest::collection::vec(any::<i64>(), 0..4),
        (min, max) in any::<(u8, u8)>(),
        cents in 0_i64..100_000,
        seconds in 1_u64..34_000_000,
        (goal_percent, strictness_percent) in any::<(u8, u8)>(),
    ) {
        is_kept(&Supply::only("some", suppliers.clone()).exchange(min..=max).block(suppliers).private_group("own", 0..=9, 7));
        let price = |cents| Money::from_decimal(Decimal::new(cents, 2), "USD").unwrap();
        let interval = std::time::Duration::from_secs(seconds).try_into().unwrap();
        let end = Timestamp::from_second(i64::try_from(seconds).unwrap()).unwrap();
        for pacing in [Pacing::Linear(interval), Pacing::Adaptive(interval), Pacing::Gemini(TargetGroupId::new("G"))] {
            let assistant = FieldingAssistant::off()
                .pricing(Pricing::maximum_cpi(price(cents)).minimum_cpi(price(cents / 2)))
                .pacing(pacing)
                .quota_overlay(QuotaOverlay { prevent_overfill: min > 9, balance_fill: max > 9 })
                .soft_launch(SoftLaunch::Until { end, goal_percent, strictness_percent });
            is_kept(&assistant);
        }
        is_kept(&FieldingAssistant::off().pricing(Pricing::total_budget(price(cents))));
    }

    #[test]
    fn a_table_and_its_plan_are_kept(goal in 10_u32..5_000, young in 1_u32..99, men in 1_u32..99) {
        let table = Audience::interlock([
            Question::range(42).band(18..=34, young).band(35..=99, 100 - young),
            Question::choice(43).option("1", men).option("2", 100 - men),
        ])
        .quota_table(goal);
        if let Ok(table) = table {
            is_kept(&table);
            is_kept(&table.plan([([0, 0], u64::from(goal))]).unwrap());
        }
    }
}

#[test]
fn what_is_asked_for_is_kept() {
    is_kept(&ReportScope::Account);
    is_kept(&ReportScope::projects([ProjectId::new("P")]));
    is_kept(
        &[Reason::Speeder, Reason::AdjustedComplete]
            .map(|reason| ReconciliationRow::new("0f1ce179-a917-49ff-9d50-b05fc91f7bd4", reason))
            .to_vec(),
    );
    assert_eq!(serde_json::to_value(Reason::PoorOpenEnd).unwrap(), "poor-open-end");
}

/// A table that was changed by hand, or cut off, is refused rather than read wrongly.
#[test]
fn a_table_is_read_as_a_whole_or_not_at_all() {
    let age = Question::range(42).band(18..=34, 40).band(35..=99, 60);
    let gender = Question::choice(43).option("1", 49).option("2", 51);
    let table = Audience::interlock([age, gender]).quota_table(100).unwrap();
    let kept = serde_json::to_value(&table).unwrap();
    let refused = |change: fn(&mut serde_json::Value)| {
        let mut kept = kept.clone();
        change(&mut kept);
        serde_json::from_value::<QuotaTable>(kept).unwrap_err().to_string()
    };
    let short = refused(|kept| drop(kept["cells"].as_array_mut().unwrap().pop()));
    assert!(short.contains("3 cells") && short.contains("a cell for each combination"), "{short}");
    let odd = refused(|kept| kept["axes"][0]["labels"].as_array_mut().unwrap().push(json!("more")));
    assert!(odd.contains("3 labels and 2 conditions"), "{odd}");
}
