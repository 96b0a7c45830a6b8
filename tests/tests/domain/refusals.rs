//! What is wrong is refused before anything is sent: the error names the field, the value and what is allowed.

use std::ops::RangeInclusive;

use cintx::audience::{Audience, Question};
use cintx::error::FieldError;
use cintx::fielding::{FieldingAssistant, Pacing, Pricing, SoftLaunch};
use cintx::reconciliation::{Reason, ReconciliationRow, ReconciliationStatus};
use cintx::report::{ReportKind, ReportScope};
use cintx::study::Study;
use cintx::supply::Supply;
use cintx::target_group::{DraftBuilder, PricingModel};
use cintx::types::LengthOfInterview;
use cintx::webhook::WebhookEventType;
use cintx::{Error, Money, ProjectId, TargetGroupId, Version};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::setup::{Setup, on_every_version};

on_every_version!(
    bad_drafts_are_refused_unsent,
    bad_changes_are_refused_unsent,
    bad_webhooks_and_reports_are_refused_unsent,
    bad_reconciliations_are_refused_unsent,
);

/// A change that makes a good draft a bad one; the field that is to blame, the value and the rule as the message says
/// them.
type Case<V> = (fn(DraftBuilder<V>) -> DraftBuilder<V>, &'static str, &'static str, &'static str);

fn hours(hours: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_hours(hours)
}

fn usd(value: &str) -> Money {
    Money::new(value, "USD").unwrap()
}

fn share(min: u8, max: u8) -> RangeInclusive<u8> {
    RangeInclusive::new(min, max)
}

fn dynamic(budget: Option<&str>, maximum: Option<&str>, minimum: Option<&str>) -> FieldingAssistant {
    FieldingAssistant::off().pricing(Pricing::Dynamic {
        total_budget: budget.map(usd),
        maximum_cpi: maximum.map(usd),
        minimum_cpi: minimum.map(usd),
    })
}

fn soft(end: Timestamp, goal_percent: u8, strictness_percent: u8) -> FieldingAssistant {
    FieldingAssistant::off().soft_launch(SoftLaunch::Until { end, goal_percent, strictness_percent })
}

fn asks(questions: impl IntoIterator<Item = Question>) -> Audience {
    Audience::independent(questions)
}

#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn cases<V: Version>() -> Vec<Case<V>> {
    vec![
        (|it| it.length_of_interview(LengthOfInterview::minutes(0)), "length_of_interview", "\"0\"", "1 to 45"),
        (|it| it.length_of_interview(LengthOfInterview::minutes(46)), "length_of_interview", "\"46\"", "1 to 45"),
        (|it| it.incidence_rate("0"), "incidence_rate", "\"0\"", "0.01 to 1"),
        (|it| it.incidence_rate("1.01"), "incidence_rate", "\"1.01\"", "0.01 to 1"),
        (|it| it.incidence_rate("0.005"), "incidence_rate", "\"0.005\"", "hundredths"),
        (|it| it.incidence_rate("50"), "incidence_rate", "\"50\"", "0.01 to 1"),
        (|it| it.incidence_rate("half"), "incidence_rate", "\"half\"", "0.01 to 1"),
        (|it| it.incidence_rate("-0.5"), "incidence_rate", "\"-0.5\"", "0.01 to 1"),
        (|it| it.incidence_rate(""), "incidence_rate", "\"\"", "0.01 to 1"),
        (|it| it.completes_goal(0), "completes_goal", "is 0", "at least 1"),
        (|it| it.locale("en_GB"), "locale", "\"en_GB\"", "three letters"),
        (|it| it.locale("eng"), "locale", "\"eng\"", "three letters"),
        (|it| it.locale("eng_gbr"), "locale", "\"eng_gbr\"", "two of country"),
        (|it| it.locale("eng_gb_x"), "locale", "\"eng_gb_x\"", "two of country"),
        (|it| it.locale(""), "locale", "\"\"", "three letters"),
        (|it| it.locale("123_45"), "locale", "\"123_45\"", "three letters"),
        (|it| it.fielding_period(hours(5)..hours(3)), "fielding_period", "..", "end after it begins"),
        (|it| it.fielding_period(hours(-5)..hours(30)), "fielding_period", "is 2", "after now"),
        (|it| it.fielding_period(hours(-50)..hours(-30)), "fielding_period", "is 2", "after now"),
        (
            |it| {
                let at = hours(2);
                it.fielding_period(at..at)
            },
            "fielding_period",
            "..",
            "end after it begins",
        ),
        (|it| it.live_url("https://survey.example/"), "live_url", "https://survey.example/", "must hold [%RID%]"),
        (
            |it| it.live_url("http://survey.example/?r=[%RID%]"),
            "live_url",
            "http://survey.example",
            "begin with https://",
        ),
        (|it| it.live_url("survey.example/?r=[%RID%]"), "live_url", "\"survey.example", "begin with https://"),
        (|it| it.live_url("https:///?r=[%RID%]"), "live_url", "https:///", "name a host"),
        (|it| it.live_url(""), "live_url", "\"\"", "begin with https://"),
        (|it| it.live_url("https://survey.example/?r=[%rid%]"), "live_url", "[%rid%]", "must hold [%RID%]"),
        (
            |it| it.live_url("https://survey.example/ ?r=[%RID%]"),
            "live_url",
            "survey.example/ ",
            "must not hold spaces",
        ),
        (
            |it| it.live_url(format!("https://a.example/?r=[%RID%]{}", "x".repeat(3_000))),
            "live_url",
            "https://a.example",
            "at most 3,000",
        ),
        (|it| it.test_url("https://survey.example/test"), "test_url", "survey.example/test", "must hold [%RID%]"),
        (|it| it.test_url("ftp://survey.example/[%RID%]"), "test_url", "ftp://", "begin with https://"),
        (|it| it.reference("PO#42"), "reference", "\"PO#42\"", "letters, digits"),
        (|it| it.reference("x"), "reference", "\"x\"", "3 to 128"),
        (|it| it.reference("y".repeat(129)), "reference", "yyy", "3 to 128"),
        (|it| it.supply(Supply::open_exchange().exchange(share(60, 40))), "supply", "60 to 40", "within 0 to 100"),
        (|it| it.supply(Supply::open_exchange().exchange(0..=101)), "supply", "0 to 101", "within 0 to 100"),
        (
            |it| it.supply(Supply::open_exchange().group("A", 0..=50, [1]).group("A", 0..=50, [2])),
            "supply",
            "\"A\"",
            "names that differ",
        ),
        (|it| it.supply(Supply::open_exchange().group("", 0..=50, [1])), "supply", "\"\"", "expected a name"),
        (|it| it.supply(Supply::open_exchange().group(" ", 0..=50, [1])), "supply", "\" \"", "expected a name"),
        (|it| it.supply(Supply::only("A", Vec::<i64>::new())), "supply", "\"A\"", "at least one"),
        (
            |it| it.supply(Supply::open_exchange().group("A", 0..=50, [1]).block([1])),
            "supply",
            "supplier 1 twice",
            "expected once",
        ),
        (
            |it| it.supply(Supply::open_exchange().group("A", 0..=9, [1, 1])),
            "supply",
            "supplier 1 twice",
            "expected once",
        ),
        (
            |it| it.supply(Supply::open_exchange().exchange(60..=100).group("A", 50..=60, [1])),
            "supply",
            "110 percent",
            "at most 100",
        ),
        (|it| it.supply(Supply::open_exchange().group("A", share(9, 1), [1])), "supply", "9 to 1", "within 0 to 100"),
        (|it| it.assistant(dynamic(Some("9"), Some("1"), None)), "pricing", "both", "exactly one"),
        (|it| it.assistant(dynamic(None, None, None)), "pricing", "neither", "exactly one"),
        (|it| it.assistant(dynamic(None, None, Some("1"))), "pricing", "neither", "exactly one"),
        (|it| it.assistant(dynamic(None, Some("2"), Some("3"))), "pricing", "3 USD", "expected less"),
        (|it| it.assistant(dynamic(None, Some("2"), Some("2"))), "pricing", "2 USD", "expected less"),
        (
            |it| {
                let euros = Money::new("1", "EUR").unwrap();
                it.assistant(FieldingAssistant::off().pricing(Pricing::maximum_cpi(usd("2")).minimum_cpi(euros)))
            },
            "pricing",
            "USD and EUR",
            "one currency",
        ),
        (
            |it| {
                let pricing = Pricing::RateCard { maximum_cpi: Some(usd("3")), boost_cpi: None };
                it.assistant(FieldingAssistant::off().pricing(pricing))
            },
            "cost_per_interview",
            "2.73 USD",
            "set one of them",
        ),
        (|it| it.assistant(soft(hours(-1), 10, 10)), "soft_launch", "is 2", "after now"),
        (|it| it.assistant(soft(hours(9), 0, 10)), "soft_launch", "0 percent", "1 to 100"),
        (|it| it.assistant(soft(hours(9), 101, 10)), "soft_launch", "101 percent", "1 to 100"),
        (|it| it.assistant(soft(hours(9), 10, 101)), "soft_launch", "101 percent", "0 to 100"),
        (|it| it.audience(asks([])), "audience", "no questions", "at_least_one_profile"),
        (|it| it.audience(asks([Question::range(42).band(18..=34, 40)])), "audience", "40", "expected 100"),
        (
            |it| it.audience(asks([Question::range(42).band(18..=34, 40).band(30..=99, 60)])),
            "audience",
            "30..=99",
            "overlaps 18..=34",
        ),
        (|it| it.audience(asks([Question::range(42).band(0..=99, 100)])), "audience", "0..=99", "within 1 to 99"),
        (
            |it| it.audience(asks([Question::choice(43).option("1", 50).option("1", 50)])),
            "audience",
            "option 1",
            "given twice",
        ),
        (
            |it| it.audience(asks([Question::choice(43).band(1..=9, 100)])),
            "audience",
            "Question::choice(43).band(1..=9",
            "not answered with numbers",
        ),
        (
            |it| it.audience(asks([Question::range(42).option("1", 100)])),
            "audience",
            "Question::range(42).option",
            "not answered with options",
        ),
        (
            |it| {
                let gender = || Question::choice(43).option("1", 50).option("2", 50);
                it.audience(asks([gender(), gender()]))
            },
            "audience",
            "Question::choice(43)",
            "asked twice",
        ),
    ]
}

fn blamed(error: &Error) -> Vec<&str> {
    error.invalid_fields().iter().map(FieldError::field).collect()
}

async fn bad_drafts_are_refused_unsent<V: Version>(setup: Setup<V>) {
    let project = setup.project().await;
    let before = setup.sandbox.requests().len();
    let cases = cases::<V>();
    assert!(cases.len() >= 60, "{} cases", cases.len());
    for (index, (spoil, field, value, rule)) in cases.into_iter().enumerate() {
        let error = spoil(setup.draft(&project)).create().await.expect_err(&format!("case {index}: {field} {rule}"));
        let all_of_it = blamed(&error).iter().all(|blamed| *blamed == field);
        assert!(all_of_it && !error.invalid_fields().is_empty(), "case {index}: {field} is to blame: {error}");
        let message = error.to_string();
        // Before 2025-12-18 there is no reference at all.
        let none = field == "reference" && V::DATE < "2025-12-18";
        let rule = if none { "does not support references" } else { rule };
        for part in [field, value, rule] {
            assert!(message.contains(part), "case {index}: {part:?} is in {message:?}");
        }
        assert_eq!(setup.sandbox.requests().len(), before, "case {index}: nothing was sent");
    }
    // What is known of a business unit counts, too: its currency, and how it buys.
    let mut unit = setup.cint.business_units().await.unwrap()[0].clone();
    let before = setup.sandbox.requests().len();
    unit.currency = Some("EUR".into());
    let error = setup.draft(&project).business_unit(&unit).create().await.unwrap_err();
    let message = error.to_string();
    assert!(message.contains("cost_per_interview is 2.73 USD") && message.contains("pays in EUR"), "{error}");
    unit.currency = Some("USD".into());
    unit.pricing_models = vec![PricingModel::RateCard];
    let error = setup.draft(&project).business_unit(&unit).create().await.unwrap_err();
    let message = error.to_string();
    assert!(message.contains("cost_per_interview is 2.73 USD") && message.contains("buys by rate card"), "{error}");
    let dynamic = dynamic(None, Some("2"), None);
    let card = setup.cint.project(&project).draft_target_group("UK drinks").business_unit(&unit).assistant(dynamic);
    let card = card
        .manager(setup.manager)
        .locale("eng_gb")
        .completes_goal(9)
        .length_of_interview(LengthOfInterview::minutes(9));
    let card =
        card.incidence_rate("0.5").fielding_period(hours(2)..hours(9)).live_url("https://survey.example/[%RID%]");
    let error = card.audience(asks([Question::choice(43).option("1", 100)])).create().await.unwrap_err();
    assert!(error.to_string().contains("pricing is dynamic without a cost_per_interview"), "{error}");
    for name in ["", "abcd", "    ab    ", &"x".repeat(129)] {
        let error = setup.cint.project(&project).draft_target_group(name).create().await.unwrap_err();
        assert!(blamed(&error).contains(&"name"), "{name:?}: {error}");
        assert!(error.to_string().contains("5 to 128"), "{error}");
        let error = setup.cint.projects().create(name, setup.manager).await.unwrap_err();
        assert_eq!(blamed(&error), ["name"]);
    }
    let nothing = setup.cint.project(&project).draft_target_group("UK drinks").create().await.unwrap_err();
    let missing = blamed(&nothing);
    for field in ["business_unit", "manager", "locale", "completes_goal", "fielding_period", "live_url", "audience"] {
        assert!(missing.contains(&field), "{field} is missing and named: {nothing}");
    }
    let all = setup
        .draft(&project)
        .incidence_rate("9")
        .length_of_interview(LengthOfInterview::minutes(99))
        .locale("x")
        .create();
    assert_eq!(blamed(&all.await.unwrap_err()).len(), 3, "everything is told at once");
    let gemini = FieldingAssistant::off().pacing(Pacing::Gemini(TargetGroupId::new("01J")));
    if V::DATE == "2024-12-02" {
        let error = setup.draft(&project).assistant(gemini).create().await.unwrap_err();
        assert_eq!(blamed(&error), ["pacing"]);
    }
    if V::DATE < "2025-12-18" {
        let error = setup.draft(&project).reference("TG-77").create().await.unwrap_err();
        assert!(error.to_string().contains(V::DATE), "{error}");
        let private = Supply::open_exchange().private_group("P", 0..=10, 7);
        let error = setup.draft(&project).supply(private).create().await.unwrap_err();
        assert_eq!(blamed(&error), ["supply"]);
    }
    assert_eq!(setup.sandbox.requests().len(), before, "nothing was sent");
}

async fn bad_changes_are_refused_unsent<V: Version>(setup: Setup<V>) {
    let project = setup.project().await;
    let scope = setup.cint.project(&project);
    let group = setup.draft(&project).create().await.unwrap();
    let writes = |setup: &Setup<V>| setup.sandbox.requests().iter().filter(|it| it.method != "GET").count();
    let before = writes(&setup);
    let error = group.launch(hours(-1)).await.unwrap_err();
    assert_eq!(blamed(&error), ["end"]);
    assert_eq!(blamed(&group.schedule(hours(-2)..hours(9)).await.unwrap_err()), ["fielding_period"]);
    assert_eq!(blamed(&group.schedule(hours(9)..hours(2)).await.unwrap_err()), ["fielding_period"]);
    assert_eq!(blamed(&group.edit_draft(|it| it.completes_goal = 0).await.unwrap_err()), ["completes_goal"]);
    assert_eq!(blamed(&group.edit_draft(|it| it.name = "x".into()).await.unwrap_err()), ["name"]);
    assert_eq!(blamed(&group.duplicate("x", |_| {}).await.unwrap_err()), ["name"]);
    assert_eq!(blamed(&scope.edit(|it| it.name = "x".into()).await.unwrap_err()), ["name"]);
    assert_eq!(blamed(&scope.edit(|it| it.reference = Some("#".into())).await.unwrap_err()), ["reference"]);
    let pricing = dynamic(Some("1"), Some("1"), None);
    assert_eq!(blamed(&group.edit_assistant(|it| *it = pricing.clone()).await.unwrap_err()), ["pricing"]);
    assert_eq!(blamed(&group.set_supply(&Supply::only("", [1])).await.unwrap_err()), ["supply"]);
    let mut study = Study::new("A study", setup.manager);
    study.name = "abc".into();
    assert_eq!(blamed(&study.plan(&setup.cint).await.unwrap_err()), ["name"]);
    assert_eq!(writes(&setup), before, "nothing was written");
}

/// What became of something that should be refused.
type Refusal = (Result<(), Error>, &'static str, &'static str);

async fn bad_webhooks_and_reports_are_refused_unsent<V: Version>(setup: Setup<V>) {
    let mut cases: Vec<Refusal> = Vec::new();
    let [event, _] = crate::webhooks::events::<V>();
    let urls = [
        ("", "\"\""),
        ("hooks.example/cint", "\"hooks.example/cint\""),
        ("http://hooks.example/", "https://"),
        ("ftp://hooks.example/", "https://"),
        ("https://", "https://"),
        ("https://hooks.example/a b", "\"https://hooks.example/a b\""),
        ("HTTP://10.0.0.1/", "this machine"),
    ];
    for (url, says) in urls {
        let made = setup.cint.webhooks().create(url, [event.clone()]).await;
        cases.push((made.map(drop), "url", says));
    }
    let foreign = if V::DATE == "2024-12-02" { "session-updated" } else { "survey_paused" };
    for (events, says) in [(vec![], "at least one"), (vec!["gone-fishing"], "gone-fishing"), (vec![foreign], foreign)] {
        let events = events.into_iter().map(WebhookEventType::from);
        let made = setup.cint.webhooks().create("https://hooks.example/", events).await;
        cases.push((made.map(drop), "events", says));
    }

    let today = Offset::UTC.to_datetime(Timestamp::now()).date();
    let days = |from: i64, until: i64| today - from.days()..=today - until.days();
    let reports = setup.cint.reports();
    let two = || ReportScope::projects(["P1", "P2"].map(ProjectId::new));
    let none = || ReportScope::target_groups(Vec::<TargetGroupId>::new());
    let group = || TargetGroupId::new("G");
    let units = || ReportScope::business_units([3848]);
    let account = || ReportScope::Account;
    let orders = [
        (reports.completes(none(), days(7, 0)), "of", "no target_group"),
        (reports.completes(ReportScope::business_units(0..0), days(7, 0)), "of", "no business_unit"),
        (reports.reconciliations_status(units(), days(7, 0)), "of", "business_unit for reconciliations-status"),
        (reports.reconciliation_eligible_rids(account(), days(7, 0)), "of", "one project or target groups"),
        (reports.reconciliation_eligible_rids(units(), days(7, 0)), "of", "business_unit"),
        (reports.reconciliation_eligible_rids(two(), days(7, 0)), "of", "2 projects"),
        (reports.respondent_analysis(account(), days(7, 0)), "of", "account for respondent-analysis"),
        (reports.respondent_analysis(two(), days(7, 0)), "of", "one project"),
        (reports.completes(account(), days(0, 1)), "days", "not before the first"),
        (reports.completes(account(), days(200, 0)), "days", "six months"),
        (reports.term_details(group(), days(400, 390)), "days", "twelve months"),
        (reports.completes(account(), days(7, 0)).link_type(1), "link_type", "term-details alone"),
    ];
    for (order, field, says) in orders {
        cases.push((order.await.map(drop), field, says));
    }
    let strange = reports.requests().kind(ReportKind::from("weather")).pages().try_next().await;
    cases.push((strange.map(drop), "kind", "\"weather\""));

    for (outcome, field, says) in cases {
        let error = outcome.expect_err(says);
        assert_eq!(blamed(&error), [field], "{says}: {error}");
        assert!(error.invalid_fields()[0].reason().contains(says), "{says}: {error}");
    }
    assert!(setup.sandbox.requests().is_empty(), "nothing was sent");
}

async fn bad_reconciliations_are_refused_unsent<V: Version>(setup: Setup<V>) {
    let mut cases: Vec<Refusal> = Vec::new();
    let reconciliations = setup.cint.reconciliations();
    let row = |rid: &str| ReconciliationRow::new(rid, Reason::Speeder);
    let rid = "0f1ce179-a917-49ff-9d50-b05fc91f7bd4";
    let long = "x".repeat(256);
    for (name, says) in [("", "has 0 characters"), (&*long, "256 characters, expected 1 to 255")] {
        cases.push((reconciliations.submit(name, [row(rid)]).await.map(drop), "file_name", says));
        cases.push((reconciliations.list().name(name).pages().try_next().await.map(drop), "name", says));
    }
    let is_old = V::DATE < "2025-12-18";
    let none = if is_old { "are 0, expected 1 to 20000" } else { "are 0, expected 1 to 100000" };
    for (rows, says) in [
        (vec![], none),
        (vec![row("nobody")], "row 1 has the RID \"nobody\", expected a UUID"),
        (vec![row(rid), row(&rid.to_uppercase())], "row 2 has the RID 0F1CE179-A917-49FF-9D50-B05FC91F7BD4 again"),
    ] {
        cases.push((reconciliations.submit("wave.csv", rows).await.map(drop), "rows", says));
    }
    let strange = ReconciliationStatus::from("asleep");
    let strange = reconciliations.list().name("wave.csv").status(strange).pages().try_next().await;
    cases.push((strange.map(drop), "status", "\"asleep\", expected processing, complete or failed"));
    if V::DATE == "2025-02-17" {
        let all = reconciliations.list().pages().try_next().await;
        cases.push((all.map(drop), "name", "is missing, expected a name: 2025-02-17 lists by name alone"));
    }
    let none = reconciliations.list().name("wave.csv").page_size(0).pages().try_next().await;
    cases.push((none.map(drop), "page_size", "is 0, expected 1 to 100"));

    for (outcome, field, says) in cases {
        let error = outcome.expect_err(says);
        assert_eq!(blamed(&error), [field], "{says}: {error}");
        assert!(error.invalid_fields()[0].reason().contains(says), "{says}: {error}");
    }
    assert!(setup.sandbox.requests().is_empty(), "nothing was sent");
}
