//! What is there from the start besides the account: templates, so that what
//! the API always has can be read at once.

use super::World;
use super::audience::{AGE, Adjustment, Audience, Condition, GENDER, Profile, ProfileKind, Quota, Target, Wanted};
use super::supply::{Share, Supply};
use super::template::{Association, ProfileTemplate, Scope, SupplyTemplate};
use crate::sim::rng::Rng;

/// Plants it. Its ids come from a generator of their own.
pub(crate) fn plant(world: &mut World) {
    let mut rng = Rng::named(world.settings.seed, "seeds");
    let now = world.now();
    let mut test = Supply { exchange_max: 0, ..Supply::default() };
    let id = test.fresh_id();
    test.groups.push(Share { id, name: "Test supplier".into(), min: 0, max: 100, suppliers: vec![980] });
    let templates =
        [(Scope::Account, "Account default", Supply::default()), (Scope::Global, "Test supplier only", test)];
    for (scope, name, supply) in templates {
        let template = SupplyTemplate {
            id: rng.ulid(now),
            scope,
            name: name.into(),
            supply,
            changed_at: now,
            changed_by: world.account.caller().to_owned(),
            version: 1,
        };
        if scope == Scope::Account {
            world.association = Association { template_id: template.id.clone(), version: 1 };
        }
        world.supply_templates.put(template.id.clone(), template, 1_000);
    }
    let template = ProfileTemplate {
        id: rng.uuid(),
        scope: Scope::Global,
        name: "Age and gender".into(),
        label: "Age and gender".into(),
        description: "Three age bands and two genders.".into(),
        locales: Vec::new(),
        audience: age_and_gender(&mut rng),
        number: 1,
    };
    world.profile_templates.put(template.id.clone(), template, 2_000);
}

fn age_and_gender(rng: &mut Rng) -> Audience {
    let mut profile = |question, wanted: Vec<(Wanted, f64)>| Profile {
        id: rng.uuid(),
        legacy_id: 1_000 + rng.below(900_000),
        kind: ProfileKind::Regular,
        name: None,
        quotas_enabled: true,
        targets: wanted
            .into_iter()
            .map(|(wanted, percentage)| Target {
                id: rng.uuid(),
                name: None,
                conditions: vec![Condition { id: rng.uuid(), question, wanted, text: None }],
                grouped: false,
                quota: Some(Quota { percentage, ..Quota::default() }),
            })
            .collect(),
        participants: Vec::new(),
    };
    let age = vec![(Wanted::Range(18, 34), 40.0), (Wanted::Range(35, 54), 35.0), (Wanted::Range(55, 99), 25.0)];
    let gender = vec![(Wanted::Option("1".into()), 49.0), (Wanted::Option("2".into()), 51.0)];
    Audience {
        adjustment: Adjustment::Percentage,
        template_id: None,
        profiles: vec![profile(AGE, age), profile(GENDER, gender)],
    }
}
