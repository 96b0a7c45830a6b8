//! Studies that are applied on a bad day: whatever happened, applied once more they come to the same end.

use cintx::study::{Study, StudyAudience, StudyGroup, StudyOption, StudyQuestion, StudySupply};
use cintx::types::LengthOfInterview;
use cintx::{Client, Error, Money, Outcome, Version};
use jiff::ToSpan as _;

use crate::gateway::{LATE, Weather};
use crate::scenario::{Scenario, World};

/// Schedules of each version, without `CINTX_SCHEDULES`.
const SCHEDULES: u64 = 60;

/// A project with one target group that is launched and one that is not.
fn study<V: Version>(world: &World<V>) -> Study {
    let group = |name: &str, launch: bool| {
        let gender = StudyQuestion::choice(43, [StudyOption::new("1").percent(49), StudyOption::new("2").percent(51)]);
        let group = StudyGroup::builder(name)
            .business_unit(world.business_unit())
            .locale("eng_gb")
            .completes_goal(500)
            .length_of_interview(LengthOfInterview::minutes(10))
            .incidence_rate("0.50")
            // After all weekends that the machine may sleep through.
            .fielding_period(world.start() + 1_440.hours()..world.start() + 1_680.hours())
            .live_url("https://survey.example/?RID=[%RID%]")
            .audience(StudyAudience::independent([gender]));
        let mut group = group.build().unwrap();
        group.launch = launch.into();
        group.cost_per_interview = Some(Money::new("2.73", "USD").unwrap());
        group.supply = StudySupply::TestSupplierOnly;
        group
    };
    let study = Study::new("MySnacksSurveyQ1", world.manager());
    study.target_group(group("UK drinks", true)).target_group(group("UK snacks", false))
}

async fn apply<V: Version>(client: &Client<V>, study: &Study) -> Result<(), Error> {
    study.plan(client).await?.apply(|_| {}).await.map(drop)
}

/// Every project and target group, by name.
async fn ledger<V: Version>(client: &Client<V>) -> Vec<String> {
    let mut lines = Vec::new();
    for project in client.projects().list().stream().collect().await.unwrap() {
        let name = project.name.unwrap_or_default();
        lines.push(name.clone());
        for group in client.project(&project.id).target_groups().list().stream().collect().await.unwrap() {
            lines.push(format!("{name}: {} {:?}", group.name.unwrap_or_default(), group.status));
        }
    }
    lines.sort();
    lines
}

async fn a_study_comes_to_the_same_end_in_any_weather<V: Version>() {
    let world = World::<V>::new(Scenario::CreateProject).await;
    let study = study(&world);
    let client = world.begin();
    world.gateway.set(Weather::Calm);
    apply(&client, &study).await.unwrap();
    let wanted = ledger(&client).await;
    assert_eq!(wanted.len(), 4, "the world's own project, and three lines of the study: {wanted:?}");

    let schedules = std::env::var("CINTX_SCHEDULES")
        .map_or(SCHEDULES, |count| count.parse::<u64>().unwrap().div_ceil(Scenario::ALL.len() as u64));
    let (mut failed, mut killed) = (0, 0);
    for seed in 0..schedules {
        let client = world.begin();
        let before = ledger(&client).await;
        world.gateway.set(Weather::Random(fastrand::Rng::with_seed(seed), [5, 15, 40][(seed % 3) as usize]));
        let outcome = tokio::select! {
            biased;
            () = world.gateway.died() => {
                killed += 1;
                None
            }
            applied = apply(&client, &study) => applied.err().map(|error| {
                failed += 1;
                (error.outcome(), format!("{error:#}"))
            }),
        };
        let course = world.gateway.told();
        world.gateway.set(Weather::Calm);
        world.gateway.put_clock_right();
        // What is late comes in the meantime.
        tokio::time::sleep(LATE * 2).await;
        let client = world.client();
        let is_done = ledger(&client).await != before;
        match outcome {
            Some((Outcome::NotSent | Outcome::NoEffect, error)) => assert!(!is_done, "seed {seed}: {error}; {course}"),
            Some((Outcome::Applied, error)) => assert!(is_done, "seed {seed}: {error}; {course}"),
            Some((Outcome::Unknown, _)) | None => {}
        }
        client.recover().await.unwrap();
        let again = apply(&client, &study).await;
        assert!(again.is_ok(), "seed {seed}: {:#}; {course}", again.unwrap_err());
        assert_eq!(ledger(&client).await, wanted, "seed {seed}; {course}");
        let plan = study.plan(&client).await.unwrap();
        assert!(plan.is_empty(), "seed {seed} leaves something to do: {plan}; {course}");
    }
    println!("{}: {schedules} studies, {failed} failed and {killed} killed before they were applied again", V::DATE);
    // A few may all have luck.
    let is_kind = failed == 0 || killed == 0;
    assert!(schedules < SCHEDULES || !is_kind, "the weather was too kind: {failed} failed, {killed} killed");
}

macro_rules! version {
    ($version:ident $marker:ident) => {
        mod $version {
            #[tokio::test(start_paused = true)]
            async fn a_study_comes_to_the_same_end_in_any_weather() {
                super::a_study_comes_to_the_same_end_in_any_weather::<cintx::$marker>().await;
            }
        }
    };
}

cintx_tests::for_each_version!(version);
