//! What past respondents suggest: for a question that is nowhere yet, for a profile in field; and a goal split over
//! the quotas in field, where the version does that. Nothing is changed by it.

use std::cell::Cell;

use cintx::Version;
use cintx::audience::Question;
use cintx::quota::QuotaTable;
use jiff::{Timestamp, ToSpan as _};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::setup::{Setup, on_every_version};
use super::{age_and_gender, independent};

on_every_version!(
    a_question_is_asked_about,
    a_profile_in_field_is_asked_about,
    nonsense_is_not_asked,
    questions_are_crossed_by_the_api,
    any_question_is_refused_or_asked_validly,
);

fn field() -> std::ops::Range<Timestamp> {
    let start = Timestamp::now() + 2.hours();
    start..start + 240.hours()
}

fn targets(table: &QuotaTable) -> Vec<u64> {
    table.cells().map(|(_, quota)| quota.target.unwrap()).collect()
}

async fn a_question_is_asked_about<V: Version>(setup: Setup<V>) {
    let age = Question::range(42).band(18..=34, 90).bands("the others", [35..=54, 55..=99], 10);
    let table = setup.cint.suggest_quotas(&age, 500, "eng_gb", field()).await.unwrap();
    assert_eq!(table.axes()[0].question, Some(42));
    assert_eq!(table.axes()[0].conditions.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2], "{table}");
    assert_eq!((table.label(&[0]), table.label(&[1])), ("18-34".to_owned(), "the others".to_owned()));
    assert_eq!(targets(&table).iter().sum::<u64>(), 500, "{table}");
    // What was asked for makes no difference.
    let other = Question::range(42).band(18..=34, 10).bands("the others", [35..=54, 55..=99], 90);
    let other = setup.cint.suggest_quotas(&other, 500, "eng_gb", field()).await.unwrap();
    assert_eq!(targets(&other), targets(&table));
    // Nor does it make one whether anything was asked for.
    let gender = |share: [Option<u32>; 2]| {
        share.into_iter().zip(["1", "2"]).fold(Question::choice(43), |question, (share, option)| match share {
            Some(share) => question.option(option, share),
            None => question.option(option, ()),
        })
    };
    let given = setup.cint.suggest_quotas(&gender([Some(49), Some(51)]), 200, "eng_gb", field()).await.unwrap();
    let open = setup.cint.suggest_quotas(&gender([None, None]), 200, "eng_gb", field()).await.unwrap();
    assert_eq!((targets(&given).len(), targets(&given).iter().sum::<u64>()), (2, 200), "{given}");
    assert_eq!(targets(&open), targets(&given));
    let writes = setup.sandbox.requests().into_iter().filter(|it| it.path.contains("projects")).count();
    assert_eq!(writes, 0);
    setup.assert_no_violation();
}

async fn a_profile_in_field_is_asked_about<V: Version>(setup: Setup<V>) {
    let project = setup.project().await;
    for audience in [independent(), age_and_gender()] {
        let group = setup.draft(&project).audience(audience).create().await.unwrap();
        group.launch(Timestamp::now() + 300.hours()).await.unwrap().until_live().await.unwrap();
        for table in group.quotas().read().await.unwrap().iter().filter(|table| table.is_enabled()) {
            let suggested = group.quotas().suggested(table.profile().unwrap()).await.unwrap();
            assert_eq!(suggested.profile(), table.profile());
            let shape =
                |table: &QuotaTable| table.axes().iter().map(|axis| axis.conditions.clone()).collect::<Vec<_>>();
            assert_eq!(shape(&suggested), shape(table), "{suggested}");
            assert!(targets(&suggested).iter().sum::<u64>() > 0, "{suggested}");
        }
    }
    let group = setup.draft(&project).create().await.unwrap();
    let error = group.quotas().suggested("01J0000000000000000000000X").await.unwrap_err();
    assert!(error.status().is_some_and(|status| status.is_client_error()), "{error}");
    setup.assert_no_violation();
}

async fn questions_are_crossed_by_the_api<V: Version>(setup: Setup<V>) {
    let age = || Question::range(42).band(18..=34, 40).band(35..=99, 60);
    let gender = || Question::choice(43).option("1", 50).option("2", 50);
    let table = setup.cint.suggest_interlock([age(), gender()], 500, "eng_gb", field()).collects_pii(true).await;
    let table = table.unwrap();
    assert_eq!(table.axes().iter().map(|axis| axis.question).collect::<Vec<_>>(), [Some(42), Some(43)], "{table}");
    assert_eq!((table.cells().count(), table.total()), (4, 500), "{table}");
    let before = setup.sandbox.requests().len();
    let late = field().end..field().start;
    let refused = setup.cint.suggest_interlock([age(), gender()], 0, "eng_gb", late).await.unwrap_err();
    let blamed: Vec<&str> = refused.invalid_fields().iter().map(cintx::error::FieldError::field).collect();
    assert!(blamed.contains(&"completes_goal") && blamed.contains(&"fielding_period"), "{refused}");
    assert_eq!(setup.sandbox.requests().len(), before, "nothing was sent");
    setup.assert_no_violation();
}

async fn nonsense_is_not_asked<V: Version>(setup: Setup<V>) {
    let age = Question::range(42).band(18..=34, 90).band(35..=99, 10);
    let before = setup.sandbox.requests().len();
    let refusals = [
        (setup.cint.suggest_quotas(&age, 0, "eng_gb", field()).collects_pii(true).await, "completes_goal"),
        (setup.cint.suggest_quotas(&age, 5, "English", field()).await, "locale"),
        (setup.cint.suggest_quotas(&age, 5, "eng_gb", field().end..field().start).await, "fielding_period"),
        (setup.cint.suggest_quotas(&Question::range(42), 5, "eng_gb", field()).await, "audience"),
    ];
    for (refused, field) in refusals {
        let error = refused.unwrap_err();
        let blamed: Vec<&str> = error.invalid_fields().iter().map(cintx::error::FieldError::field).collect();
        assert!(blamed.contains(&field), "{field}: {error}");
    }
    let post_code = Question::open_ended(45).values("London", ["EC1A", "SW1A"], 100);
    let asked = setup.cint.suggest_quotas(&post_code, 5, "eng_gb", field()).await;
    if V::DATE < "2025-12-18" {
        let error = asked.unwrap_err();
        assert_eq!(error.invalid_fields()[0].field(), "question", "{error}");
        assert_eq!(setup.sandbox.requests().len(), before, "nothing was sent");
    } else {
        assert_eq!(targets(&asked.unwrap()), [5]);
    }
}

/// Bands, options or texts: mostly such as one would ask, some that overlap, are empty or out of range.
fn question() -> impl Strategy<Value = Question> {
    prop_oneof![
        4 => (18_u8..98, 0_u32..101).prop_map(|(cut, share)| {
            Question::range(42).band(18..=cut, share).bands("the others", [cut + 1..=99], 100 - share)
        }),
        3 => vec("[12]", 1..3).prop_map(|options| {
            options.into_iter().fold(Question::choice(43), |question, option| question.option(option, ()))
        }),
        2 => vec((0_u8..104, 0_u8..104, 0_u32..110), 0..3).prop_map(|bands| {
            bands.into_iter().fold(Question::range(42), |question, (min, max, share)| question.band(min..=max, share))
        }),
        1 => vec("[A-Z0-9 é]{0,9}", 0..3).prop_map(|texts| Question::open_ended(45).values("texts", texts, 100)),
    ]
}

async fn any_question_is_refused_or_asked_validly<V: Version>(setup: Setup<V>) {
    const FIELDS: [&str; 5] = ["audience", "question", "completes_goal", "locale", "fielding_period"];
    let handle = tokio::runtime::Handle::current();
    let (asked, refused) = (Cell::new(0), Cell::new(0));
    let wish = (
        question(),
        prop_oneof![9 => 1_u32..3_000, 1 => Just(0)],
        prop_oneof![9 => Just("eng_gb"), 1 => Just("en")],
        prop_oneof![9 => 1_i64..600, 1 => -2_i64..1],
    );
    let config = Config { cases: 300, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]));
    let outcome = runner.run(&wish, |(question, goal, locale, hours)| {
        let start = Timestamp::now() + 2.hours();
        let suggest = setup.cint.suggest_quotas(&question, goal, locale, start..start + hours.hours());
        match tokio::task::block_in_place(|| handle.block_on(suggest.into_future())) {
            Ok(_) => asked.set(asked.get() + 1),
            Err(error) => {
                let fields: Vec<&str> = error.invalid_fields().iter().map(cintx::error::FieldError::field).collect();
                prop_assert!(
                    !fields.is_empty() && fields.iter().all(|it| FIELDS.contains(it)),
                    "{question:?}: {error}"
                );
                refused.set(refused.get() + 1);
            }
        }
        Ok(())
    });
    outcome.unwrap();
    assert!(asked.get() > 60 && refused.get() > 60, "{} were asked, {} refused", asked.get(), refused.get());
    setup.assert_no_violation();
}

/// One of the versions that split a goal.
#[cfg(any(feature = "v2024-12-02", feature = "v2025-02-17"))]
async fn a_goal_is_split<V: cintx::quota::HasGoalSplit>(setup: Setup<V>) {
    let group = setup.draft(&setup.project().await).audience(age_and_gender()).create().await.unwrap();
    group.launch(Timestamp::now() + 300.hours()).await.unwrap().until_live().await.unwrap();
    let table = group.quotas().read().await.unwrap().remove(0);
    let split = group.quotas().split_goal(1_000).await.unwrap();
    assert_eq!(split.allowed, Some(true));
    assert_eq!(split.goals.iter().map(|(_, goal)| goal).sum::<i64>(), 1_000, "{split:?}");
    let known: Vec<&str> = table.cells().filter_map(|(_, quota)| quota.id.as_deref()).collect();
    assert!(split.goals.iter().all(|(id, _)| known.contains(&id.as_str())), "{split:?}");
    let error = group.quotas().split_goal(0).await.unwrap_err();
    assert_eq!(error.invalid_fields()[0].field(), "completes");
    setup.assert_no_violation();
}

#[cfg(feature = "v2024-12-02")]
#[tokio::test]
async fn a_goal_is_split_in_2024_12_02() {
    a_goal_is_split(Setup::<cintx::V2024_12_02>::new().await).await;
}

#[cfg(feature = "v2025-02-17")]
#[tokio::test]
async fn a_goal_is_split_in_2025_02_17() {
    a_goal_is_split(Setup::<cintx::V2025_02_17>::new().await).await;
}
