//! Prices, feasibility, the calendar and suggested quotas: questions that change nothing.

use cintx::Version;
use cintx::audience::Question;
use cintx::types::LengthOfInterview;

use super::{audiences, day, draft, drafts, supply, usd};
use crate::setup::Setup;

pub async fn calls<V: Version>(setup: &Setup<V>) {
    let project = setup.project().await;
    let group = draft(setup, &project, audiences::crossed()).cost_per_interview(usd("2.73")).create().await.unwrap();
    group
        .feasibility()
        .completes_goal(100)
        .length_of_interview(LengthOfInterview::minutes(5))
        .incidence_rate("0.20")
        .fielding_period(day(4)..day(9))
        .cost_per_interview(usd("3.10"))
        .supply(supply::everybody::<V>())
        .locale("eng_us")
        .collects_pii(true)
        .step_days(2)
        .await
        .unwrap();
    for audience in audiences::all::<V>() {
        group.feasibility().completes_goal(500).audience(audience).await.unwrap();
    }
    let by_card = draft(setup, &project, audiences::crossed()).business_unit(drafts::RATE_CARD_UNIT);
    let boosted = by_card.clone().assistant(drafts::rate_card_pricing()).feasibility().step_days(2).await;
    if V::DATE == "2025-02-17" {
        assert_eq!(boosted.unwrap_err().invalid_fields()[0].field(), "pricing");
        by_card.feasibility().step_days(2).await.unwrap();
    } else {
        boosted.unwrap();
    }
    let boosted = group.feasibility().rate_card_boost(usd("0.25")).await;
    match V::DATE {
        "2025-02-17" => assert_eq!(boosted.unwrap_err().invalid_fields()[0].field(), "rate_card_boost"),
        _ => drop(boosted.unwrap()),
    }
    let (cint, minutes) = (&setup.cint, LengthOfInterview::minutes(10));
    cint.suggest_days("eng_gb", 500, minutes, "0.50", usd("2.73")).collects_pii(true).await.unwrap();
    let mut questions = vec![
        audiences::age(),
        Question::choice(113).option("1", 60).options("the others", ["2", "3"], 40),
        Question::choice(47).option("1", ()),
    ];
    let has_pii = V::DATE >= "2025-12-18";
    let suggest = cint.suggest_quotas(&questions[0], 500, "eng_gb", day(4)..day(9)).collects_pii(true);
    let personal = suggest.await.map_err(|error| error.invalid_fields()[0].field().to_owned());
    assert_eq!(personal.map(|_| ()), if has_pii { Ok(()) } else { Err("collects_pii".to_owned()) });
    let crossed = [Question::range(42).band(18..=34, 40).band(35..=99, 60), audiences::gender()];
    cint.suggest_interlock(crossed, 500, "eng_gb", day(4)..day(9)).collects_pii(true).await.unwrap();
    if has_pii {
        questions.push(Question::open_ended(45).values("London", ["EC1A", "SW1A"], 100));
        questions.push(Question::open_ended(46).any_value());
    }
    for question in questions {
        cint.suggest_quotas(&question, 500, "eng_gb", day(4)..day(9)).await.unwrap();
    }
}

#[cfg(feature = "v2025-12-18")]
pub async fn predictions<V: cintx_tests::Latest>(setup: &Setup<V>) {
    let unit = setup.sandbox.business_unit_id();
    setup.cint.predict_dynamic_price(unit, &usd("2.50")).await.unwrap();
    let (length, rate) = (LengthOfInterview::minutes(10).unwrap(), "0.5".parse().unwrap());
    let card = setup.cint.predict_rate_card_price(unit, "gb".parse().unwrap(), length, rate);
    card.boost(usd("0.25")).maximum(usd("4.50")).await.unwrap();
}
