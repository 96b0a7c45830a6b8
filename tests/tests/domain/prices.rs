//! Prices: rate cards, feasibility of what exists, predictions where a version has them.

use cintx::audience::{Audience, Question};
use cintx::supply::Supply;
use cintx::target_group::PricingModel;
use cintx::types::LengthOfInterview;
use cintx::{Money, Version};
use jiff::{Timestamp, ToSpan as _};

use crate::setup::{Setup, on_every_version};

on_every_version!(
    a_business_unit_has_a_card,
    a_draft_goes_by_the_rate_card,
    a_draft_is_asked_about_before_it_exists,
    a_quote_wants_what_the_request_holds,
    an_existing_group_is_asked_about,
);

async fn a_business_unit_has_a_card<V: Version>(setup: Setup<V>) {
    let units = setup.cint.business_units().await.unwrap();
    let unit = units.iter().find(|unit| unit.id.get() == setup.sandbox.business_unit_id()).unwrap();
    assert!(unit.currency.is_some() && !unit.pricing_models.is_empty());
    let card = setup.cint.rate_card(unit.id, "gb".parse().unwrap()).await.unwrap();
    assert!(!card.prices.is_empty() && card.currency.is_some(), "{card:?}");

    // What is known of the business unit is checked before anything is sent.
    let draft = setup.draft(&setup.project().await).business_unit(unit);
    draft.clone().build().unwrap();
    let other = Money::new("2.50", if unit.currency.as_deref() == Some("EUR") { "USD" } else { "EUR" }).unwrap();
    let refused = draft.cost_per_interview(other).build().unwrap_err();
    assert_eq!(refused.invalid_fields()[0].field(), "cost_per_interview");
    setup.assert_no_violation();
}

async fn a_draft_goes_by_the_rate_card<V: Version>(setup: Setup<V>) {
    let units = setup.cint.business_units().await.unwrap();
    let unit = units.iter().find(|unit| unit.pricing_models == [PricingModel::RateCard]).unwrap();
    let draft = setup.unpriced_draft(&setup.project().await).business_unit(unit);
    let read = draft.create().await.unwrap().draft().await.unwrap();
    assert_eq!((read.settings.cost_per_interview, read.pricing_model), (None, Some(PricingModel::RateCard)));
    setup.assert_no_violation();
}

async fn a_draft_is_asked_about_before_it_exists<V: Version>(setup: Setup<V>) {
    let project = setup.project().await;
    let asked = setup.draft(&project).feasibility().await.unwrap();
    assert!(asked.completes_max.is_some(), "{asked:?}");
    let groups = setup.cint.project(&project).target_groups().list().stream().collect().await.unwrap();
    assert!(groups.is_empty(), "{groups:?}");
    setup.assert_no_violation();
}

/// The request holds neither a manager nor an address, so a quote wants none.
async fn a_quote_wants_what_the_request_holds<V: Version>(setup: Setup<V>) {
    let project = setup.project().await;
    let start = Timestamp::now() + 2.hours();
    let quote = setup.cint.project(&project).draft_target_group("UK drinks");
    let quote = quote.business_unit(setup.sandbox.business_unit_id()).locale("eng_gb").completes_goal(500);
    let quote = quote.length_of_interview(LengthOfInterview::minutes(10)).incidence_rate("0.50");
    let quote = quote.fielding_period(start..start + 240.hours());
    let quote = quote.audience(Audience::independent([Question::choice(43).option("1", 49).option("2", 51)]));
    assert!(quote.feasibility().await.unwrap().suggested_price.is_some());
    let fields = |refused: &cintx::Error| -> Vec<String> {
        refused.invalid_fields().iter().map(|it| it.field().to_owned()).collect()
    };
    assert_eq!(fields(&quote.clone().build().unwrap_err()), ["manager", "live_url"]);
    assert!(quote.clone().without_live_url().feasibility().await.is_ok());
    let sent = setup.sandbox.requests().len();
    let refused = quote.completes_goal(10_001).incidence_rate("2").feasibility().await.unwrap_err();
    assert_eq!(fields(&refused), ["incidence_rate", "completes_goal"]);
    assert_eq!(setup.sandbox.requests().len(), sent, "nothing was sent");
    setup.assert_no_violation();
}

async fn an_existing_group_is_asked_about<V: Version>(setup: Setup<V>) {
    let group = setup.draft(&setup.project().await).create().await.unwrap();
    let own = group.feasibility().await.unwrap();
    assert!(own.completes_max.is_some());
    group
        .feasibility()
        .completes_goal(100)
        .incidence_rate("0.20")
        .length_of_interview(LengthOfInterview::minutes(5))
        .await
        .unwrap();
    // It has a supply of its own, so the whole exchange is said, too.
    group.feasibility().supply(Supply::open_exchange()).await.unwrap();
    let said = setup.sandbox.requests().into_iter().filter_map(|request| request.body).next_back().unwrap();
    let said = &said["allocations"];
    assert!(said.is_array() || said["open_exchange_allocations"]["exchange_max_percentage"] == 100, "{said}");
    let refused = group.feasibility().completes_goal(0).incidence_rate("2").await.unwrap_err();
    let fields: Vec<_> = refused.invalid_fields().iter().map(cintx::error::FieldError::field).collect();
    assert_eq!(fields, ["completes_goal", "incidence_rate"]);
    setup.assert_no_violation();
}

/// Of a draft and in field: what is wanted is its own quotas, as shares of the goal that is asked about.
#[cfg(feature = "v2025-12-18")]
#[tokio::test]
async fn targets_of_a_groups_own_audience_that_cannot_be_filled_are_found() {
    let setup = Setup::<cintx::V2025_12_18>::new().await;
    let group = setup.draft(&setup.project().await).incidence_rate("0.01").create().await.unwrap();
    for is_launched in [false, true] {
        let own = group.feasibility().await.unwrap();
        let wanted: Vec<_> = own.targets.iter().map(|target| target.wanted).collect();
        assert_eq!(wanted, [Some(245), Some(255)], "launched: {is_launched}");
        assert_eq!(own.unfillable().next(), None);
        let much = group.feasibility().completes_goal(10_000).await.unwrap();
        let short: Vec<_> = much.unfillable().map(|target| target.wanted).collect();
        assert_eq!(short, [Some(4_900), Some(5_100)], "{much:?}");
        if !is_launched {
            let end = Timestamp::now() + 240.hours();
            group.launch(end).await.unwrap().until_live().await.unwrap();
        }
    }
    setup.assert_no_violation();
}

#[cfg(feature = "v2025-12-18")]
#[tokio::test]
async fn the_newest_version_predicts_prices() {
    let setup = Setup::<cintx::V2025_12_18>::new().await;
    let unit = setup.sandbox.business_unit_id();
    let group = setup.draft(&setup.project().await).create().await.unwrap();
    let price = Money::new("2.50", "USD").unwrap();
    setup.cint.predict_dynamic_price(unit, &price).await.unwrap();
    let (length, rate) = (LengthOfInterview::minutes(10).unwrap(), "0.5".parse().unwrap());
    setup.cint.predict_rate_card_price(unit, "gb".parse().unwrap(), length, rate).await.unwrap();
    group.price(unit).await.unwrap();
    group.rate_cards().await.unwrap();
    setup.assert_no_violation();
}

#[cfg(feature = "v2025-02-17")]
#[tokio::test]
async fn performance_and_cards_came_with_the_second_version() {
    let setup = Setup::<cintx::V2025_02_17>::new().await;
    let group = setup.draft(&setup.project().await).create().await.unwrap();
    group.rate_cards().await.unwrap();
    let end = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(240);
    group.launch(end).await.unwrap().until_live().await.unwrap();
    group.performance().await.unwrap();
    setup.assert_no_violation();
}
