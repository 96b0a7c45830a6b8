//! What the platform defines for everybody: countries, locales, industries
//! and the like. Short lists of the sandbox's own.

use super::{Outcome, Route};
use crate::api::answer::Answer;
use crate::state::supply::SUPPLIERS;
use serde_json::{Value, json};

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] = &[
    ("get_countries", |_, _| countries()),
    ("get_locales", |_, _| locales()),
    ("get_suppliers", |_, _| suppliers()),
    ("get_industries", |_, _| industries()),
    ("get_industry_lockouts", |_, _| lockouts()),
    ("get_study_types", |_, _| study_types()),
    ("get_integration_use_cases", |_, _| use_cases()),
];

/// A code and what it stands for.
type Coded = (&'static str, &'static str);

/// Country code, name, and languages, the preferred one first.
const PLACES: &[(&str, &str, &[Coded])] = &[
    ("AU", "Australia", &[("eng", "English")]),
    ("BR", "Brazil", &[("por", "Portuguese")]),
    ("CA", "Canada", &[("eng", "English"), ("fre", "French")]),
    ("CN", "China", &[("chi", "Chinese")]),
    ("DE", "Germany", &[("ger", "German")]),
    ("ES", "Spain", &[("spa", "Spanish")]),
    ("FR", "France", &[("fre", "French")]),
    ("GB", "United Kingdom", &[("eng", "English")]),
    ("IN", "India", &[("eng", "English"), ("hin", "Hindi")]),
    ("IT", "Italy", &[("ita", "Italian")]),
    ("JP", "Japan", &[("jpn", "Japanese")]),
    ("SE", "Sweden", &[("swe", "Swedish"), ("eng", "English")]),
    ("US", "United States", &[("eng", "English"), ("spa", "Spanish")]),
];

const INDUSTRIES: &[Coded] = &[
    ("automotive", "Automotive"),
    ("beverages", "Beverages"),
    ("finance", "Finance"),
    ("healthcare", "Healthcare"),
    ("retail", "Retail"),
    ("technology", "Technology"),
    ("other", "Other"),
];

const LOCKOUTS: &[Coded] = &[
    ("no_lockout", "No lockout"),
    ("industry_7_days", "A week within the industry"),
    ("industry_30_days", "A month within the industry"),
];

const STUDY_TYPES: &[Coded] = &[
    ("adhoc", "Ad hoc"),
    ("diary", "Diary"),
    ("tracker", "Tracker"),
    ("recontact", "Recontact"),
    ("internal_use", "Internal use"),
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

fn suppliers() -> Outcome {
    let items: Vec<Value> =
        SUPPLIERS.iter().map(|(id, code, name)| json!({ "id": id, "code": code, "name": name })).collect();
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
