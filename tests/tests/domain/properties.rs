//! Whatever a builder is given, it refuses, naming a field, or sends a body that the document allows.

use cintx::audience::{Audience, Question};
use cintx::fielding::{FieldingAssistant, Pacing, Pricing, QuotaOverlay, SoftLaunch};
use cintx::profile_template::{TemplateCondition, TemplateProfile, TemplateTarget};
use cintx::project::ProjectScope;
use cintx::supply::Supply;
use cintx::types::Interval;
use cintx::{Money, TargetGroupId, Version};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rust_decimal::Decimal;

use crate::setup::{Setup, on_every_version};

on_every_version!(
    a_draft_is_refused_or_valid,
    a_project_is_refused_or_valid,
    a_profile_template_is_refused_or_valid,
    a_profile_template_is_edited_to_what_is_refused_or_valid,
);

/// A business unit of the sandbox with rate cards.
const RATE_CARD_UNIT: i64 = 3850;

/// The fields that a builder may blame.
const FIELDS: &[&str] = &[
    "name",
    "locale",
    "completes_goal",
    "length_of_interview",
    "incidence_rate",
    "fielding_period",
    "live_url",
    "test_url",
    "cost_per_interview",
    "reference",
    "supply",
    "pricing",
    "pacing",
    "soft_launch",
    "audience",
    "label",
    "profiles",
];

#[derive(Clone, Debug)]
struct Wish {
    name: String,
    locale: &'static str,
    goal: u32,
    minutes: u8,
    rate: String,
    start: i64,
    length: i64,
    price: Option<u32>,
    url: &'static str,
    test_url: Option<&'static str>,
    reference: Option<String>,
    pii: bool,
    supply: Supply,
    assistant: FieldingAssistant,
}

fn share() -> impl Strategy<Value = std::ops::RangeInclusive<u8>> {
    (0_u8..60, 30_u8..104).prop_map(|(min, max)| min..=max)
}

pub fn supply() -> impl Strategy<Value = Supply> {
    let group = ("[AB]{0,2}", share(), proptest::collection::vec(1_i64..9, 0..3));
    let private = proptest::option::weighted(0.1, (share(), 20_i64..23));
    (share(), proptest::collection::vec(group, 0..3), proptest::collection::vec(1_i64..12, 0..2), private).prop_map(
        |(exchange, groups, blocked, private)| {
            let supply = Supply::open_exchange().exchange(exchange).block(blocked);
            let supply = groups.into_iter().fold(supply, |it, (name, share, ids)| it.group(name, share, ids));
            match private {
                Some((share, supplier)) => supply.private_group("Private", share, supplier),
                None => supply,
            }
        },
    )
}

pub fn money() -> impl Strategy<Value = Money> {
    (1_u32..9_999, prop_oneof![9 => Just("USD"), 1 => Just("EUR")])
        .prop_map(|(cents, currency)| Money::new(&format!("{}.{:02}", cents / 100, cents % 100), currency).unwrap())
}

pub fn assistant() -> impl Strategy<Value = FieldingAssistant> {
    let option = |money| proptest::option::of(money);
    let pricing = prop_oneof![
        (option(money()), option(money()), option(money())).prop_map(|(total_budget, maximum_cpi, minimum_cpi)| {
            Pricing::Dynamic { total_budget, maximum_cpi, minimum_cpi }
        }),
        money().prop_map(Pricing::maximum_cpi),
        (option(money()), option(money()))
            .prop_map(|(maximum_cpi, boost_cpi)| Pricing::RateCard { maximum_cpi, boost_cpi }),
    ];
    let interval = (1_u64..400 * 86_400)
        .prop_filter_map("an interval", |seconds| Interval::try_from(std::time::Duration::from_secs(seconds)).ok());
    let pacing = prop_oneof![
        interval.clone().prop_map(Pacing::Linear),
        interval.prop_map(Pacing::Adaptive),
        Just(Pacing::Gemini(TargetGroupId::new("01HXK2Q1V7Q5C4ZB0E3R7T9Y2M"))),
    ];
    let soft = (-5_i64..200, 0_u8..104, 0_u8..104).prop_map(|(end, goal_percent, strictness_percent)| {
        SoftLaunch::Until { end: Timestamp::now() + SignedDuration::from_hours(end), goal_percent, strictness_percent }
    });
    let overlay = (any::<bool>(), any::<bool>())
        .prop_map(|(prevent_overfill, balance_fill)| QuotaOverlay { prevent_overfill, balance_fill });
    (
        proptest::option::weighted(0.3, pricing),
        proptest::option::weighted(0.3, pacing),
        proptest::option::of(overlay),
        proptest::option::weighted(0.2, soft),
    )
        .prop_map(|(pricing, pacing, quota_overlay, soft_launch)| {
            let mut assistant = FieldingAssistant::off();
            assistant.pricing = pricing;
            assistant.pacing = pacing;
            assistant.quota_overlay = quota_overlay;
            assistant.soft_launch = soft_launch;
            assistant
        })
}

fn wish() -> impl Strategy<Value = Wish> {
    let texts = (
        prop_oneof![8 => "[a-zA-Z0-9 é]{5,40}", 1 => ".{0,6}", 1 => "x{120,135}"],
        prop_oneof![8 => Just("eng_gb"), 1 => Just("GER-DE"), 1 => Just("en")],
        prop_oneof![8 => "0\\.[1-9][0-9]?", 1 => "[01]\\.[0-9]{0,3}"],
        prop_oneof![9 => Just("https://survey.example/?r=[%RID%]"), 1 => Just("https://survey.example/")],
        proptest::option::of(prop_oneof![9 => Just("https://survey.example/t/[%RID%]"), 1 => Just("x")]),
        proptest::option::weighted(0.2, "[a-z#_ -]{1,9}"),
    );
    let numbers = (0_u32..3_000, 0_u8..50, -2_i64..300, -2_i64..600, proptest::option::of(1_u32..9_999), any::<bool>());
    (texts, numbers, supply(), assistant()).prop_map(|(texts, numbers, supply, assistant)| {
        let (name, locale, rate, url, test_url, reference) = texts;
        let (goal, minutes, start, length, price, pii) = numbers;
        Wish {
            name,
            locale,
            goal,
            minutes,
            rate,
            start,
            length,
            price,
            url,
            test_url,
            reference,
            pii,
            supply,
            assistant,
        }
    })
}

impl Wish {
    /// Asks for it; `exposed` is a target group that another can be paced by.
    async fn make<V: Version>(
        mut self,
        setup: &Setup<V>,
        project: &ProjectScope<V>,
        exposed: &TargetGroupId,
    ) -> Result<(), cintx::Error> {
        if let Some(Pacing::Gemini(id)) = &mut self.assistant.pacing {
            id.clone_from(exposed);
        }
        let start = Timestamp::now() + SignedDuration::from_hours(self.start);
        // Without a price, a draft goes by the rate card, which not every unit has.
        let unit = if self.price.is_some() { setup.sandbox.business_unit_id() } else { RATE_CARD_UNIT };
        let mut draft = project
            .draft_target_group(self.name)
            .business_unit(unit)
            .manager(setup.manager)
            .locale(self.locale)
            .completes_goal(self.goal)
            .length_of_interview(cintx::types::LengthOfInterview::minutes(self.minutes))
            .incidence_rate(self.rate)
            .fielding_period(start..start + SignedDuration::from_hours(self.length))
            .live_url(self.url)
            .collects_pii(self.pii)
            .supply(self.supply)
            .assistant(self.assistant)
            .audience(Audience::independent([Question::choice(43).option("1", 49).option("2", 51)]));
        if let Some(cents) = self.price {
            draft =
                draft.cost_per_interview(Money::new(&format!("{}.{:02}", cents / 100, cents % 100), "USD").unwrap());
        }
        if let Some(url) = self.test_url {
            draft = draft.test_url(url);
        }
        if let Some(reference) = self.reference {
            draft = draft.reference(reference);
        }
        draft.create().await.map(drop)
    }
}

/// Runs a property with a fixed seed: a failure is the same everywhere.
pub fn check<T: std::fmt::Debug>(cases: u32, strategy: impl Strategy<Value = T>, test: impl Fn(T)) {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    TestRunner::new_with_rng(config, rng)
        .run(&strategy, |value| {
            test(value);
            Ok(())
        })
        .unwrap();
}

/// What came of it: refused here with a known field, or judged valid there.
fn judge<V: Version>(setup: &Setup<V>, outcome: Result<(), cintx::Error>) -> bool {
    match outcome {
        Ok(()) => true,
        Err(error) => {
            assert!(!error.invalid_fields().is_empty(), "it was sent and refused: {error}");
            for problem in error.invalid_fields() {
                assert!(FIELDS.contains(&problem.field()), "{error}");
                assert!(!problem.reason().is_empty());
            }
            setup.assert_no_violation();
            false
        }
    }
}

async fn a_draft_is_refused_or_valid<V: Version>(setup: Setup<V>) {
    let project = setup.project().await;
    let exposed = setup.draft(&project).create().await.unwrap().id().clone();
    let handle = tokio::runtime::Handle::current();
    tokio::task::block_in_place(|| {
        let made = std::cell::Cell::new((0, 0));
        check(400, wish(), |wish| {
            let valid = judge(&setup, handle.block_on(wish.make(&setup, &setup.cint.project(&project), &exposed)));
            let (good, bad) = made.get();
            made.set(if valid { (good + 1, bad) } else { (good, bad + 1) });
        });
        let (good, bad) = made.get();
        assert!(good > 20 && bad > 20, "{good} were sent, {bad} refused: too few of one kind");
    });
    setup.assert_no_violation();
}

async fn a_project_is_refused_or_valid<V: Version>(setup: Setup<V>) {
    let handle = tokio::runtime::Handle::current();
    let wish = (".{0,20}", proptest::option::of("[a-zA-Z0-9#_ -]{0,12}"));
    tokio::task::block_in_place(|| {
        check(100, wish, |(name, reference): (String, Option<String>)| {
            let mut create = setup.cint.projects().create(name, setup.manager);
            if let Some(reference) = reference {
                create = create.reference(reference);
            }
            judge(&setup, handle.block_on(create.into_future()).map(drop));
        });
    });
    setup.assert_no_violation();
}

/// A profile template as somebody might ask for it.
#[derive(Clone, Debug)]
struct TemplateWish {
    name: String,
    label: String,
    description: Option<String>,
    locales: Vec<&'static str>,
    profiles: Vec<TemplateProfile>,
}

/// A question with targets of one kind, most of the time: answers that do not overlap, shares of few decimals.
fn profile() -> impl Strategy<Value = TemplateProfile> {
    let odd = prop_oneof![
        (0_i64..103, 0_i64..103).prop_map(|(min, max)| TemplateCondition::Range { min, max }),
        "[1-3]{0,1}".prop_map(TemplateCondition::Option),
        proptest::collection::vec("[A-Z]{1,4}", 0..3).prop_map(TemplateCondition::Texts),
    ];
    let share = prop_oneof![
        8 => (0_u32..101).prop_map(Decimal::from),
        1 => (0_i64..12_000, 0_u32..4).prop_map(|(digits, scale)| Decimal::new(digits, scale)),
        1 => (-3_i64..1).prop_map(Decimal::from),
    ];
    let target = (1_usize..3, proptest::option::weighted(0.05, odd), proptest::option::weighted(0.7, share));
    let question = prop_oneof![3 => Just(42_i64), 3 => Just(43), 1 => Just(45), 1 => 100_i64..120];
    let name = proptest::option::of("[a-zA-Z ]{0,12}");
    (question, prop_oneof![9 => 1_usize..4, 1 => Just(0)], proptest::collection::vec(target, 4), 0_u8..3, name)
        .prop_map(|(question, length, targets, kind, name)| {
            let kind = match question {
                42 => 0,
                43 => 1,
                _ => kind,
            };
            let mut number = 0;
            let targets = targets.into_iter().take(length).map(|(conditions, odd, share)| {
                let conditions = (0..conditions).map(|_| {
                    number += 1;
                    match kind {
                        0 => TemplateCondition::Range { min: number * 11, max: number * 11 + 9 },
                        1 => TemplateCondition::Option(number.to_string()),
                        _ => TemplateCondition::Texts(vec![format!("AB{number}")]),
                    }
                });
                TemplateTarget::new(conditions.collect::<Vec<_>>().into_iter().chain(odd), share)
            });
            let mut profile = TemplateProfile::new(question, targets.collect::<Vec<_>>());
            profile.name = name;
            profile
        })
}

fn template() -> impl Strategy<Value = TemplateWish> {
    (
        prop_oneof![9 => "[a-zA-Z0-9 é]{1,40}", 1 => " {0,2}"],
        prop_oneof![8 => "[a-z]{1,12}", 1 => Just(String::new())],
        proptest::option::of(".{0,20}"),
        proptest::collection::vec(prop_oneof![9 => Just("eng_gb"), 9 => Just("ger_de"), 1 => Just("en")], 0..3),
        proptest::collection::vec(profile(), 0..3),
    )
        .prop_map(|(name, label, description, locales, profiles)| TemplateWish {
            name,
            label,
            description,
            locales,
            profiles,
        })
}

/// Runs a way to write templates over many wishes: each is refused here, or sent as the document allows, and then the
/// answer is a template, or the API's word about the library, which no document knows.
fn judge_templates<V: Version>(setup: &Setup<V>, write: impl Fn(TemplateWish) -> Result<(), cintx::Error>) {
    let tally = std::cell::Cell::new((0, 0));
    check(300, template(), |wish| {
        let (sent, refused) = tally.get();
        match write(wish) {
            Ok(()) => tally.set((sent + 1, refused)),
            Err(error) if error.invalid_fields().is_empty() => {
                let status = error.status().unwrap_or_else(|| panic!("{error}")).as_u16();
                assert!([400, 422].contains(&status), "{error}");
                setup.assert_no_violation();
                tally.set((sent + 1, refused));
            }
            Err(error) => {
                judge(setup, Err(error));
                tally.set((sent, refused + 1));
            }
        }
    });
    let (sent, refused) = tally.get();
    assert!(sent > 60 && refused > 60, "{sent} were sent, {refused} refused: too few of one kind");
    setup.assert_no_violation();
}

async fn a_profile_template_is_refused_or_valid<V: Version>(setup: Setup<V>) {
    let handle = tokio::runtime::Handle::current();
    tokio::task::block_in_place(|| {
        judge_templates(&setup, |wish| {
            let mut create = setup.cint.profile_templates().create(wish.name, wish.label);
            if let Some(description) = wish.description {
                create = create.description(description);
            }
            create = wish.locales.into_iter().fold(create, |it, locale| it.locale(locale));
            create = wish.profiles.into_iter().fold(create, |it, profile| it.profile(profile));
            handle.block_on(create.into_future()).map(drop)
        });
    });
}

async fn a_profile_template_is_edited_to_what_is_refused_or_valid<V: Version>(setup: Setup<V>) {
    let templates = setup.cint.profile_templates();
    let made = templates.create("Adults", "adults").profile(Question::choice(43).option("1", 100)).await.unwrap();
    let handle = tokio::runtime::Handle::current();
    tokio::task::block_in_place(|| {
        judge_templates(&setup, |wish| {
            let edit = templates.edit(&made, |template| {
                (template.name, template.label) = (wish.name, wish.label);
                (template.description, template.profiles) = (wish.description, wish.profiles);
                template.locales = wish.locales.into_iter().filter_map(|locale| locale.parse().ok()).collect();
            });
            handle.block_on(edit).map(drop)
        });
    });
}
