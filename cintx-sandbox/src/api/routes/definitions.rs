//! What the platform defines for everybody: countries, locales, industries
//! and the like. Short lists of the sandbox's own.

use super::{Outcome, Route};
use crate::api::answer::Answer;
use crate::state::World;
use crate::state::market::{Coded, INDUSTRIES, LOCKOUTS, PLACES, STUDY_TYPES, Supplier};
use serde_json::{Value, json};

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] = &[
    ("get_countries", |_, _| countries()),
    ("get_locales", |_, _| locales()),
    ("get_suppliers", |world, _| suppliers(world)),
    ("get_industries", |_, _| industries()),
    ("get_industry_lockouts", |_, _| lockouts()),
    ("get_study_types", |_, _| study_types()),
    ("get_integration_use_cases", |_, _| use_cases()),
];

fn coded(name: &str, list: &[Coded]) -> Outcome {
    let items: Vec<Value> =
        list.iter().zip(1..).map(|((code, name), id)| json!({ "id": id, "code": code, "name": name })).collect();
    Ok(Answer::json(200, json!({ name: items })))
}

fn countries() -> Outcome {
    let mut items = vec![json!({ "id": 0, "code": "NA", "name": "Not applicable" })];
    items.extend(PLACES.iter().zip(1..).map(|((code, name, _), id)| json!({ "id": id, "code": code, "name": name })));
    Ok(Answer::json(200, json!({ "countries": items })))
}

fn locales() -> Outcome {
    let items: Vec<Value> = PLACES
        .iter()
        .map(|(code, name, languages)| {
            let languages: Vec<Value> = languages
                .iter()
                .enumerate()
                .map(|(at, (code, name))| json!({ "code": code, "name": name, "is_preferred": at == 0 }))
                .collect();
            json!({ "country": { "code": code, "name": name }, "languages": languages })
        })
        .collect();
    Ok(Answer::json(200, json!({ "locales": items })))
}

fn suppliers(world: &World) -> Outcome {
    let facts = |one: &Supplier| json!({ "id": one.id, "code": one.code, "name": one.name });
    let items: Vec<Value> = world.market.suppliers.iter().map(facts).collect();
    Ok(Answer::json(200, json!({ "suppliers": items })))
}

fn industries() -> Outcome {
    coded("industries", INDUSTRIES)
}

fn lockouts() -> Outcome {
    coded("industry_lockouts", LOCKOUTS)
}

fn study_types() -> Outcome {
    coded("study_types", STUDY_TYPES)
}

fn use_cases() -> Outcome {
    let cases = json!([
        { "id": "1", "name": "Own platform", "description": "Surveys are run by a platform of one's own." },
        { "id": "2", "name": "Automation", "description": "Studies are set up by programs." },
    ]);
    Ok(Answer::json(200, json!({ "integration_use_cases": cases })))
}
