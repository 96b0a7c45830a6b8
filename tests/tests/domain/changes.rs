//! Whatever is asked of what exists already, it is refused here, naming a field, or sent as the document allows: every
//! change with a body, of target groups, field, supply, templates, many at once, and of respondents by list.
//! (Drafts and projects have theirs in `properties`.)

use std::cell::RefCell;
use std::collections::BTreeMap;

use cintx::audience::{Audience, Question};
use cintx::fielding::{FieldingAssistant, FieldingRun};
use cintx::project::ProjectScope;
use cintx::report::ReportScope;
use cintx::supply::Supply;
use cintx::target_group::{FillingStrategy, TargetGroup};
use cintx::webhook::{Webhook, WebhookEventType};
use cintx::{Error, LockoutCode, Money, ProjectId, TargetGroupId, TemplateId, Version};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use proptest::prelude::*;

use crate::properties::{assistant, check, money, supply};
use crate::setup::{Setup, on_every_version};

on_every_version!(a_change_is_refused_or_valid);

/// The fields that may be blamed.
const FIELDS: &[&str] = &[
    "name",
    "audience",
    "completes_goal",
    "length_of_interview",
    "incidence_rate",
    "fielding_period",
    "end",
    "cost_per_interview",
    "reference",
    "supply",
    "pricing",
    "pacing",
    "soft_launch",
    "filling_strategy",
    "target_groups",
    "policies",
    "ids",
    "codes",
    "tag",
    "description",
    "change",
    "activity_exclusions",
    "url",
    "events",
    "of",
    "days",
    "link_type",
    "mail_to",
    "until",
    "status",
];

/// What became of the attempts of one kind.
#[derive(Debug, Default)]
struct Tally {
    accepted: u32,
    refused_here: u32,
    /// Valid, and turned down for what the target group is or has.
    refused_there: u32,
}

/// Counts what became of each kind of change, and sees that nothing invalid was sent.
#[derive(Debug, Default)]
struct Judge(RefCell<BTreeMap<&'static str, Tally>>);

impl Judge {
    fn judge<V: Version>(&self, setup: &Setup<V>, kind: &'static str, outcome: Result<(), Error>) {
        let mut tallies = self.0.borrow_mut();
        let tally = tallies.entry(kind).or_default();
        match outcome {
            Ok(()) => tally.accepted += 1,
            Err(error) if error.invalid_fields().is_empty() => {
                let status = error.status().unwrap_or_else(|| panic!("{kind}: {error}")).as_u16();
                assert!([400, 404, 405, 409, 422].contains(&status), "{kind}: {error}");
                setup.assert_no_violation();
                tally.refused_there += 1;
            }
            Err(error) => {
                for problem in error.invalid_fields() {
                    assert!(FIELDS.contains(&problem.field()), "{kind}: {error}");
                    assert!(!problem.reason().is_empty(), "{kind}");
                }
                tally.refused_here += 1;
            }
        }
    }

    /// Each kind was tried, got through, and where input can be wrong, was refused.
    fn close<V: Version>(self, setup: &Setup<V>, kinds: &[&str], never_wrong: &[&str]) {
        setup.assert_no_violation();
        let tallies = self.0.into_inner();
        assert_eq!(tallies.len(), kinds.len(), "{tallies:?}");
        for kind in kinds {
            let tally = &tallies[kind];
            assert!(tally.accepted > 0, "{kind} never got through: {tallies:?}");
            assert!(tally.refused_here > 0 || never_wrong.contains(kind), "{kind} was never wrong: {tallies:?}");
        }
    }
}

/// A change of something that exists.
#[derive(Clone, Debug)]
enum Change {
    Details { name: String, minutes: u8, rate: String, reference: Option<String>, note: Option<Money>, locked: bool },
    Draft { name: String, goal: u32, supply: Supply, assistant: FieldingAssistant },
    Duplicate { name: String, goal: u32 },
    Audience { goal: u32, young: u32, men: u32, crossed: bool },
    Price(Money),
    Strategy(FillingStrategy),
    Assistant(FieldingAssistant),
    Supply(Supply),
    NewTemplate { name: String, supply: Supply },
    Template { name: String, supply: Supply },
    Default,
    Feasibility { goal: u32, minutes: u8, rate: String, start: i64, hours: i64, price: Option<Money> },
    Launch { hours: i64 },
    Schedule { start: i64, hours: i64 },
    Dates { start: i64, end: i64 },
    Bulk { groups: usize, act: u8 },
    NewWebhook { url: String, events: Vec<WebhookEventType> },
    Webhook { url: Option<String>, events: Option<Vec<WebhookEventType>> },
    Report { kind: u8, of: ReportScope, from: i64, days: i64, link_type: Option<i64> },
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![6 => "[a-zA-Z0-9 é]{5,40}", 1 => ".{0,6}", 1 => "x{120,135}"]
}

fn rate() -> impl Strategy<Value = String> {
    prop_oneof![6 => "0\\.[1-9][0-9]?", 1 => "[01]\\.[0-9]{0,3}"]
}

fn url() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "https://[a-z]{1,9}\\.example/[a-z/?=&%20é]{0,20}",
        1 => Just("http://localhost:8080/".to_owned()),
        1 => "(http|ftp|https)(://)?[a-z .]{0,9}",
        1 => ".{0,9}",
    ]
}

/// Mostly what some version knows, each once.
fn events() -> impl Strategy<Value = Vec<WebhookEventType>> {
    use WebhookEventType::{QuotaFillRegistered, SessionUpdated, SurveyCompleted, SurveyPaused};
    prop_oneof![
        3 => proptest::sample::subsequence(vec![SessionUpdated, QuotaFillRegistered], 1..=2),
        3 => proptest::sample::subsequence(vec![SurveyPaused, SurveyCompleted], 1..=2),
        1 => proptest::sample::subsequence(vec![SessionUpdated, SurveyPaused], 0..=2),
        1 => Just(vec![SurveyPaused, SessionUpdated, SurveyPaused]),
        1 => "[a-z-]{0,9}".prop_map(|word| vec![word.into()]),
    ]
}

fn report() -> impl Strategy<Value = Change> {
    // What stands for a target group and a project that exist is filled in later.
    let of = prop_oneof![
        2 => Just(ReportScope::Account),
        1 => (0_i64..3).prop_map(|units| ReportScope::business_units(0..units)),
        3 => (0_usize..3).prop_map(|projects| ReportScope::projects(vec![ProjectId::new("P"); projects])),
        3 => (0_usize..3).prop_map(|groups| ReportScope::target_groups(vec![TargetGroupId::new("G"); groups])),
    ];
    let link_type = proptest::option::weighted(0.2, 0_i64..9);
    (0_u8..6, of, -10_i64..400, -3_i64..250, link_type).prop_map(|(kind, of, from, days, link_type)| Change::Report {
        kind,
        of,
        from,
        days,
        link_type,
    })
}

fn change() -> impl Strategy<Value = Change> {
    let reference = proptest::option::weighted(0.3, "[a-zA-Z#_ -]{1,9}");
    let note = proptest::option::of(money());
    let strategy = prop_oneof![
        Just(FillingStrategy::Automated),
        Just(FillingStrategy::Prescreens),
        Just(FillingStrategy::Completes),
        "[a-z]{0,5}".prop_map(FillingStrategy::from),
    ];
    let window = || (-2_i64..300, -100_i64..600);
    let goal = || prop_oneof![4 => 1_u32..3_000, 1 => Just(0), 1 => 9_990_u32..10_010];
    prop_oneof![
        (name(), 1_u8..46, rate(), reference, note, any::<bool>()).prop_map(
            |(name, minutes, rate, reference, note, locked)| Change::Details {
                name,
                minutes,
                rate,
                reference,
                note,
                locked
            }
        ),
        (name(), goal(), supply(), assistant()).prop_map(|(name, goal, supply, assistant)| Change::Draft {
            name,
            goal,
            supply,
            assistant
        }),
        (name(), goal()).prop_map(|(name, goal)| Change::Duplicate { name, goal }),
        (goal(), 0_u32..102, 0_u32..102, any::<bool>()).prop_map(|(goal, young, men, crossed)| Change::Audience {
            goal,
            young,
            men,
            crossed
        }),
        money().prop_map(Change::Price),
        strategy.prop_map(Change::Strategy),
        assistant().prop_map(Change::Assistant),
        supply().prop_map(Change::Supply),
        (name(), supply()).prop_map(|(name, supply)| Change::NewTemplate { name, supply }),
        (name(), supply()).prop_map(|(name, supply)| Change::Template { name, supply }),
        Just(Change::Default),
        (goal(), 0_u8..50, rate(), window(), proptest::option::of(money())).prop_map(
            |(goal, minutes, rate, (start, hours), price)| Change::Feasibility {
                goal,
                minutes,
                rate,
                start,
                hours,
                price
            }
        ),
        (-100_i64..300).prop_map(|hours| Change::Launch { hours }),
        window().prop_map(|(start, hours)| Change::Schedule { start, hours }),
        window().prop_map(|(start, end)| Change::Dates { start, end }),
        (0_usize..3, 0_u8..6).prop_map(|(groups, act)| Change::Bulk { groups, act }),
        (url(), events()).prop_map(|(url, events)| Change::NewWebhook { url, events }),
        (proptest::option::of(url()), proptest::option::of(events()))
            .prop_map(|(url, events)| Change::Webhook { url, events }),
        report(),
    ]
}

/// What there is to be changed.
struct Scene<'a, V: Version> {
    setup: &'a Setup<V>,
    project: ProjectScope<V>,
    draft: TargetGroup<V>,
    live: TargetGroup<V>,
    run: FieldingRun<V>,
    /// Launched, too, and acted upon.
    acted_upon: TargetGroup<V>,
    template: TemplateId,
    webhook: Webhook<V>,
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

impl<'a, V: Version> Scene<'a, V> {
    async fn new(setup: &'a Setup<V>) -> Self {
        let project = setup.project().await;
        let draft = setup.draft(&project).create().await.unwrap();
        let live = setup.draft(&project).create().await.unwrap();
        let run = live.launch(Timestamp::now() + hours(240)).await.unwrap().until_live().await.unwrap();
        let acted_upon = setup.draft(&project).create().await.unwrap();
        acted_upon.launch(Timestamp::now() + hours(240)).await.unwrap().until_live().await.unwrap();
        let template = setup.cint.supply_templates().create("Everybody", &Supply::open_exchange()).await.unwrap();
        let webhook = setup.cint.webhooks().create("https://hooks.example/", crate::webhooks::events::<V>()).await;
        let webhook = webhook.unwrap().webhook;
        Self { setup, project: setup.cint.project(&project), draft, live, run, acted_upon, template, webhook }
    }

    async fn another(&self) -> TargetGroup<V> {
        self.draft.duplicate("UK drinks, another", |_| {}).await.unwrap()
    }

    /// With the groups of suppliers that there are: versions before 2025-12-18 cannot remove one.
    async fn keeping_groups(&self, wanted: Supply) -> Supply {
        let present = self.live.supply().await.unwrap().groups.into_iter().map(|group| group.name);
        let missing = present.filter(|name| wanted.groups.iter().all(|group| group.name != *name));
        let missing: Vec<String> = missing.collect();
        (1_000..).zip(missing).fold(wanted, |supply, (supplier, name)| supply.group(name, 0..=10, [supplier]))
    }

    /// Asks for a change; answers with its kind.
    #[expect(clippy::too_many_lines, reason = "one arm for each kind of change")]
    async fn ask(&self, change: Change) -> (&'static str, Result<(), Error>) {
        let now = Timestamp::now();
        let templates = self.setup.cint.supply_templates();
        match change {
            Change::Details { name, minutes, rate, reference, note, locked } => {
                // Both are checked when the value is made.
                let (Ok(length), Ok(rate)) = (cintx::types::LengthOfInterview::minutes(minutes), rate.parse()) else {
                    return ("details", Ok(()));
                };
                let edit = self.live.edit_details(|details| {
                    (details.name, details.length_of_interview, details.incidence_rate) = (name, length, rate);
                    (details.reference, details.cost_note) = (reference, note);
                    details.lockout = locked.then(|| LockoutCode::new("automotive"));
                });
                ("details", edit.await.map(drop))
            }
            Change::Draft { name, goal, supply, mut assistant } => {
                if let Some(cintx::fielding::Pacing::Gemini(id)) = &mut assistant.pacing {
                    id.clone_from(self.live.id());
                }
                let edit = self.draft.edit_draft(|draft| {
                    (draft.name, draft.completes_goal) = (name, goal);
                    (draft.supply, draft.assistant) = (supply, assistant);
                });
                ("draft", edit.await.map(drop))
            }
            Change::Duplicate { name, goal } => {
                let made = self.draft.duplicate(name, |draft| draft.completes_goal = goal).await;
                ("duplicate", made.map(drop))
            }
            Change::Audience { goal, young, men, crossed } => {
                let rest = |share: u32| 100_u32.saturating_sub(share);
                let age = Question::range(42).band(18..=34, young).band(35..=99, rest(young));
                let gender = Question::choice(43).option("1", men).option("2", rest(men));
                let audience =
                    if crossed { Audience::interlock([age, gender]) } else { Audience::independent([age, gender]) };
                let edit = self.draft.set_audience(audience, |draft| draft.completes_goal = goal);
                ("audience", edit.await.map(drop))
            }
            Change::Price(price) => ("price", self.live.set_cost_per_interview(&price).await.map(drop)),
            Change::Strategy(strategy) => ("strategy", self.live.set_filling_strategy(strategy).await.map(drop)),
            Change::Assistant(wanted) => {
                let edit = self.live.edit_assistant(|assistant| assistant.clone_from(&wanted));
                ("assistant", edit.await.map(drop))
            }
            Change::Supply(wanted) => ("supply", self.live.set_supply(&self.keeping_groups(wanted).await).await),
            Change::NewTemplate { name, supply } => ("new template", templates.create(name, &supply).await.map(drop)),
            Change::Template { name, supply } => {
                let locale = "eng_gb".parse().unwrap();
                let edit = templates.edit(&self.template, &locale, |template| {
                    (template.name, template.supply) = (name.clone(), supply.clone());
                });
                ("template", edit.await.map(drop))
            }
            Change::Default => ("default", templates.set_default(&self.template).await),
            Change::Feasibility { goal, minutes, rate, start, hours: length, price } => {
                let start = now + hours(start);
                let ask = self.draft.feasibility().completes_goal(goal).incidence_rate(rate);
                let ask = ask
                    .length_of_interview(cintx::types::LengthOfInterview::minutes(minutes))
                    .fielding_period(start..start + hours(length));
                let ask = match price {
                    Some(price) => ask.cost_per_interview(price),
                    None => ask,
                };
                ("feasibility", ask.await.map(drop))
            }
            Change::Launch { hours: end } => ("launch", self.another().await.launch(now + hours(end)).await.map(drop)),
            Change::Schedule { start, hours: length } => {
                let start = now + hours(start);
                ("schedule", self.another().await.schedule(start..start + hours(length)).await.map(drop))
            }
            Change::Dates { start, end } => {
                let edit = async |run: &mut FieldingRun<V>| {
                    run.refresh().await?;
                    run.edit_dates(|dates| (dates.start, dates.end) = (now + hours(start), now + hours(end))).await
                };
                ("dates", edit(&mut self.run.clone()).await)
            }
            Change::Bulk { groups, act } => {
                let groups: Vec<TargetGroupId> = [&self.acted_upon, &self.draft].map(Into::into)[..groups].to_vec();
                let bulk = self.project.target_groups().all(groups);
                let job = match act {
                    0 => bulk.launch_now().await,
                    1 => bulk.pause().await,
                    2 => bulk.resume().await,
                    3 => bulk.relaunch().await,
                    4 => bulk.complete().await,
                    _ => return ("bulk", bulk.set_manager(self.setup.manager).await.map(drop)),
                };
                ("bulk", job.map(drop))
            }
            Change::NewWebhook { url, events } => {
                let made = self.setup.cint.webhooks().create(url, events).await;
                // An account has room for few.
                if let Ok(made) = &made {
                    made.webhook.delete().await.unwrap();
                }
                ("new webhook", made.map(drop))
            }
            Change::Webhook { url, events } => {
                let edit = async |mut webhook: Webhook<V>| {
                    let change = |settings: &mut cintx::webhook::WebhookSettings| {
                        settings.url = url.clone().unwrap_or_else(|| settings.url.clone());
                        settings.events = events.clone().unwrap_or_else(|| settings.events.clone());
                    };
                    webhook.edit(change).await
                };
                ("webhook", edit(self.webhook.clone()).await)
            }
            Change::Report { kind, of, from, days, link_type } => {
                let of = match of {
                    ReportScope::Projects(ids) => ReportScope::projects(ids.iter().map(|_| self.project.id())),
                    ReportScope::TargetGroups(ids) => ReportScope::target_groups(ids.iter().map(|_| &self.live)),
                    ReportScope::BusinessUnits(ids) => {
                        ReportScope::business_units(ids.iter().map(|_| self.setup.sandbox.business_unit_id()))
                    }
                    account => account,
                };
                let reports = self.setup.cint.reports();
                let today = jiff::tz::Offset::UTC.to_datetime(now).date();
                let days = today - from.days()..=today - from.days() + days.days();
                let order = match kind {
                    0 => reports.completes(of, days),
                    1 => reports.sample_bought(of, days),
                    2 => reports.reconciliations_status(of, days),
                    3 => reports.reconciliation_eligible_rids(of, days),
                    4 => reports.respondent_analysis(of, days).with_respondent_answers(),
                    _ => reports.term_details(&self.live, days),
                };
                let order = link_type.into_iter().fold(order, |order, number| order.link_type(number));
                ("report", order.await.map(drop))
            }
        }
    }
}

const KINDS: &[&str] = &[
    "details",
    "draft",
    "duplicate",
    "audience",
    "price",
    "strategy",
    "assistant",
    "supply",
    "new template",
    "template",
    "default",
    "feasibility",
    "launch",
    "schedule",
    "dates",
    "bulk",
    "new webhook",
    "webhook",
    "report",
];

async fn a_change_is_refused_or_valid<V: Version>(setup: Setup<V>) {
    let scene = Scene::new(&setup).await;
    let (judge, handle) = (Judge::default(), tokio::runtime::Handle::current());
    tokio::task::block_in_place(|| {
        check(1_200, change(), |change| {
            let (kind, outcome) = handle.block_on(scene.ask(change));
            judge.judge(&setup, kind, outcome);
        });
    });
    // A price is valid by its type, a template by its id.
    judge.close(&setup, KINDS, &["price", "default"]);
}

/// An id as it should be, or as it should not.
#[cfg(any(feature = "v2025-02-17", feature = "v2025-12-18"))]
fn ids() -> impl Strategy<Value = Vec<String>> {
    let uuid = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}";
    prop_oneof![
        5 => proptest::collection::vec(uuid, 0..6),
        1 => proptest::collection::vec("[0-9a-zA-Z ,._é-]{0,12}", 1..4),
    ]
}

#[cfg(feature = "v2025-02-17")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_the_second_version_is_refused_or_valid() {
    let setup = Setup::<cintx::V2025_02_17>::new().await;
    let scene = Scene::new(&setup).await;
    let (judge, handle) = (Judge::default(), tokio::runtime::Handle::current());
    tokio::task::block_in_place(|| {
        check(60, (ids(), any::<bool>(), 0_usize..3), |(ids, rids, policies)| {
            let lists = scene.draft.exclusion_lists();
            let added =
                handle.block_on(async { if rids { lists.add_rids(ids).await } else { lists.add_cids(ids).await } });
            judge.judge(&setup, "list", added);
            judge.judge(&setup, "policies", handle.block_on(policies_of(&scene, policies)));
        });
    });
    judge.close(&setup, &["list", "policies"], &[]);
}

#[cfg(any(feature = "v2025-02-17", feature = "v2025-12-18"))]
async fn policies_of<V: cintx::exclusion::HasExclusionPolicies>(
    scene: &Scene<'_, V>,
    groups: usize,
) -> Result<(), Error> {
    let policies = [(&scene.draft, true), (&scene.live, false)];
    scene.project.set_exclusion_policies(policies.into_iter().take(groups)).await
}

#[cfg(feature = "v2025-12-18")]
mod newest {
    use cintx::exclusion::{ActivityExclusion, ExcludedBy};
    use cintx::recontact::RecontactBy;
    use cintx::respondent::RespondentMode;
    use cintx::webhook::DeliveryStatus;
    use cintx::{ExclusionGroupId, Money, ProjectId, V2025_12_18};

    use super::*;

    #[derive(Clone, Debug)]
    enum Call {
        NewGroup { tag: String, description: String },
        Group { tag: Option<String>, description: Option<String> },
        Members { ids: Vec<String>, join: bool },
        Activity { sources: Vec<(u8, u16)> },
        Codes { codes: Vec<String>, live: bool },
        Recontacts { ids: Vec<String>, by: RecontactBy },
        Exclusions { ids: Vec<String>, by: ExcludedBy },
        Policies(usize),
        Prediction(Money),
        CardPrediction { minutes: u8, rate: String },
        History { since: i64, until: Option<i64>, events: Vec<WebhookEventType>, status: DeliveryStatus },
        Mail { users: usize },
    }

    fn asked() -> impl Strategy<Value = Call> {
        let tag = || prop_oneof![4 => "[a-zA-Z0-9 é]{1,20}", 1 => Just(String::new()), 1 => "é{125,132}"];
        let description = || prop_oneof![4 => "[a-z ]{0,20}", 1 => "d{497,503}"];
        let groups = prop_oneof![
            4 => proptest::collection::vec("0[0-9A-HJKMNP-TV-Z]{25}", 0..4),
            1 => proptest::collection::vec("[a-z]{1,4}", 1..3),
            1 => proptest::collection::vec("0[0-9]{25}", 99..103),
        ];
        let codes = prop_oneof![
            4 => proptest::collection::vec("[a-zA-Z0-9_-]{1,128}", 0..5),
            1 => proptest::collection::vec("[a-z .é/]{1,9}", 1..3),
        ];
        let recontact_by = prop_oneof![
            Just(RecontactBy::Rsid),
            Just(RecontactBy::RespondentId),
            Just(RecontactBy::Rid),
            Just(RecontactBy::ResponseId),
        ];
        let status = prop_oneof![
            Just(DeliveryStatus::Bounced),
            Just(DeliveryStatus::Expired),
            "[a-z]{0,4}".prop_map(DeliveryStatus::from),
        ];
        let excluded_by = prop_oneof![Just(ExcludedBy::Rsid), Just(ExcludedBy::AccessRespondentGuid)];
        prop_oneof![
            (tag(), description()).prop_map(|(tag, description)| Call::NewGroup { tag, description }),
            (proptest::option::of(tag()), proptest::option::of(description()))
                .prop_map(|(tag, description)| Call::Group { tag, description }),
            (groups, any::<bool>()).prop_map(|(ids, join)| Call::Members { ids, join }),
            proptest::collection::vec((0_u8..5, 1_u16..397), 0..4).prop_map(|sources| Call::Activity { sources }),
            (codes, any::<bool>()).prop_map(|(codes, live)| Call::Codes { codes, live }),
            (ids(), recontact_by).prop_map(|(ids, by)| Call::Recontacts { ids, by }),
            (ids(), excluded_by).prop_map(|(ids, by)| Call::Exclusions { ids, by }),
            (0_usize..3).prop_map(Call::Policies),
            money().prop_map(Call::Prediction),
            (1_u8..46, rate()).prop_map(|(minutes, rate)| Call::CardPrediction { minutes, rate }),
            (-50_i64..0, proptest::option::of(-50_i64..0), events(), status)
                .prop_map(|(since, until, events, status)| Call::History { since, until, events, status }),
            (0_usize..7).prop_map(|users| Call::Mail { users }),
        ]
    }

    /// What there is beside the scene.
    struct More {
        group: ExclusionGroupId,
        other: TargetGroup<V2025_12_18>,
        other_project: ProjectId,
    }

    async fn ask(scene: &Scene<'_, V2025_12_18>, more: &More, asked: Call) -> (&'static str, Result<(), Error>) {
        let (cint, unit) = (&scene.setup.cint, scene.setup.sandbox.business_unit_id());
        let groups = cint.exclusion_groups();
        match asked {
            Call::NewGroup { tag, description } => {
                ("new exclusion group", groups.create(&tag, &description).await.map(drop))
            }
            Call::Group { tag, description } => {
                let update = groups.update(&more.group);
                let update = tag.into_iter().fold(update, |update, tag| update.tag(tag));
                let update = description.into_iter().fold(update, |update, text| update.description(text));
                ("exclusion group", update.await)
            }
            Call::Members { ids, join } => {
                let known = ids.first().is_some_and(|id| id.len() == 26) && ids.len() < 4;
                let mut ids: Vec<TargetGroupId> = ids.into_iter().map(TargetGroupId::new).collect();
                if known {
                    ids = vec![scene.draft.id().clone()];
                }
                let change =
                    if join { groups.add(&more.group, ids).await } else { groups.remove(&more.group, ids).await };
                ("members", change)
            }
            Call::Activity { sources } => {
                let exclusions = sources.into_iter().map(|(source, days)| {
                    let exclusion = match source {
                        0 => ActivityExclusion::of(&scene.draft),
                        1 | 2 => ActivityExclusion::of(&more.other),
                        _ => ActivityExclusion::of(more.other_project.clone()),
                    };
                    exclusion.within(cintx::types::ActivityPeriod::days(days).unwrap())
                });
                let exclusions: Vec<_> = exclusions.collect();
                ("activity", scene.draft.set_activity_exclusions(exclusions).await)
            }
            Call::Codes { codes, live } => {
                let codes_for = if live { RespondentMode::Live } else { RespondentMode::Test };
                ("codes", scene.draft.unique_codes(codes_for).upload(codes).await.map(drop))
            }
            Call::Recontacts { ids, by } => ("recontacts", scene.draft.recontacts().upload(by, ids).await.map(drop)),
            Call::Exclusions { ids, by } => ("exclusions", scene.draft.exclusions().upload(by, ids).await.map(drop)),
            Call::Policies(groups) => ("policies", policies_of(scene, groups).await),
            Call::Prediction(price) => ("prediction", cint.predict_dynamic_price(unit, &price).await.map(drop)),
            Call::CardPrediction { minutes, rate } => {
                // Both are checked when the value is made.
                let (Ok(length), Ok(rate)) = (cintx::types::LengthOfInterview::minutes(minutes), rate.parse()) else {
                    return ("card prediction", Ok(()));
                };
                let price = cint.predict_rate_card_price(unit, "gb".parse().unwrap(), length, rate).await;
                ("card prediction", price.map(drop))
            }
            Call::History { since, until, events, status } => {
                let now = Timestamp::now();
                let list = scene.webhook.history(now + hours(since)).status(status);
                let list = until.into_iter().fold(list, |list, until| list.until(now + hours(until)));
                let list = events.into_iter().fold(list, |list, event| list.event(event));
                ("history", list.pages().try_next().await.map(drop))
            }
            Call::Mail { users } => {
                let today = jiff::tz::Offset::UTC.to_datetime(Timestamp::now()).date();
                let order = cint.reports().completes(ReportScope::Account, today..=today);
                ("mail", order.mail_to(vec![scene.setup.manager; users]).await.map(drop))
            }
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_list_or_group_is_refused_or_valid() {
        let setup = Setup::<V2025_12_18>::new().await;
        let scene = Scene::new(&setup).await;
        let project = setup.project().await;
        let more = More {
            group: setup.cint.exclusion_groups().create("Drinks", "").await.unwrap(),
            other: setup.draft(&project).create().await.unwrap(),
            other_project: project.id().clone(),
        };
        let (judge, handle) = (Judge::default(), tokio::runtime::Handle::current());
        tokio::task::block_in_place(|| {
            check(480, asked(), |asked| {
                let (kind, outcome) = handle.block_on(ask(&scene, &more, asked));
                judge.judge(&setup, kind, outcome);
            });
        });
        let kinds = [
            "new exclusion group",
            "exclusion group",
            "members",
            "activity",
            "codes",
            "recontacts",
            "exclusions",
            "policies",
            "prediction",
            "card prediction",
            "history",
            "mail",
        ];
        judge.close(&setup, &kinds, &["prediction", "card prediction"]);
    }
}
