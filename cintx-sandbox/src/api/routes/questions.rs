//! The question library: search, translations, categories.
//! Every version has its own way to ask and its own form of answer.

use super::{Outcome, Route};
use crate::api::answer::Answer;
use crate::api::call::Call;
use crate::api::rejection::Rejection;
use crate::state::library::{CATEGORIES, Kind, Question, in_language};
use crate::state::{World, locale, page};
use serde_json::{Value, json};

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] = &[
    ("list_questions", |world, call| list(world, call)),
    ("get_question_by_id", |world, call| get(world, call)),
    ("list_all_question_categories", |_, _| categories()),
    ("account_questions_translation", |world, call| {
        if call.version.is_legacy() { translations_before(world, call) } else { translations(world, call) }
    }),
    ("get_questions_translation", |world, call| translations_before(world, call)),
];

/// The language of the locale, and the one to translate into.
fn languages<'c>(call: &'c Call<'_>) -> Result<(&'c str, &'c str), Rejection> {
    let own = match call.query("locale") {
        Some(given) => locale::split(given).ok_or_else(|| Rejection::no_locale(given))?.0,
        None => "eng",
    };
    Ok((own, call.query("translation_language").unwrap_or("eng")))
}

fn has_words(question: &Question, language: &str, words: Option<&str>) -> bool {
    let Some(words) = words.map(str::to_lowercase) else {
        return true;
    };
    let own = |text: &str| text.to_lowercase().contains(&words);
    own(&question.name) || own(in_language(&question.text, language)) || own(in_language(&question.text, "eng"))
}

/// The questions that a search asks for.
fn search<'w>(world: &'w World, call: &Call<'_>) -> Result<Vec<&'w Question>, Rejection> {
    let (language, _) = languages(call)?;
    let ids: Vec<&str> = call.query("id").map(|ids| ids.split(',').map(str::trim).collect()).unwrap_or_default();
    let flag = |name: &str| call.query(name) == Some("true");
    Ok(world
        .market
        .questions
        .iter()
        .filter(|question| ids.is_empty() || ids.contains(&question.id.to_string().as_str()))
        .filter(|question| !question.custom || flag("allow_custom_quals") || flag("only_custom_quals"))
        .filter(|question| question.custom || !flag("only_custom_quals"))
        .filter(|question| {
            call.query("classification_filter").is_none_or(|code| question.category.0.eq_ignore_ascii_case(code))
        })
        .filter(|question| has_words(question, language, call.query("query")))
        .collect())
}

/// Whole profiles, ready to be used.
fn profile(question: &Question, own: &str, other: &str) -> Value {
    let target = |condition: Value, text: &str, translated: &str| json!({ "conditions": [condition], "text": text, "text_translated": translated });
    let targets: Vec<Value> = match question.kind {
        Kind::Single | Kind::Multi => question
            .options
            .iter()
            .map(|(option, text)| {
                let condition = json!({ "object": "selection", "question_id": question.id, "option": option });
                target(condition, in_language(text, own), in_language(text, other))
            })
            .collect(),
        Kind::Range(..) | Kind::Open => Vec::new(),
    };
    json!({
        "object": "regular",
        "name": question.name,
        "description": in_language(&question.text, own),
        "description_translated": in_language(&question.text, other),
        "quotas_enabled": false,
        "standard": !question.custom,
        "classification_code": question.category.0,
        "classification_id": question.category.1,
        "profile_condition_type": question.kind.condition(),
        "targets": targets,
    })
}

fn translations(world: &World, call: &Call<'_>) -> Outcome {
    let (own, other) = languages(call)?;
    let found = search(world, call)?;
    let total = found.len();
    let page = page::cut(found, &call.window(10, 100)?, |question| question.id.to_string())?;
    let profiles: Vec<Value> = page.items.iter().map(|question| profile(question, own, other)).collect();
    let facts = json!({
        "total": total,
        "has_more": page.next.is_some(),
        "next_cursor": page.next,
        "profiles": profiles,
    });
    Ok(Answer::json(200, facts))
}

/// The older versions' form.
fn translations_before(world: &World, call: &Call<'_>) -> Outcome {
    let (own, other) = languages(call)?;
    let found = search(world, call)?;
    let total = found.len();
    let mut window = call.window(100, 100)?;
    if let Some(limit) = call.query("limit").and_then(|text| text.parse().ok()) {
        window.size = window.size.min(limit);
    }
    let page = page::cut(found, &window, |question| question.id.to_string())?;
    let result: Vec<Value> = page
        .items
        .iter()
        .map(|question| {
            let options: Vec<Value> = question
                .options
                .iter()
                .map(|(code, text)| {
                    let translated = in_language(text, other);
                    json!({ "precode": code, "text": in_language(text, own), "text_translated": translated })
                })
                .collect();
            json!({
                "id": question.id,
                "account_id": if question.custom { world.account.id } else { 0 },
                "name": question.name,
                "question_text": in_language(&question.text, own),
                "question_text_translated": in_language(&question.text, other),
                "question_type": question.kind.condition(),
                "question_options": options,
                "standard": !question.custom,
                "classification_code": question.category.0,
                "classification_id": question.category.1,
                "option_mask": "",
            })
        })
        .collect();
    Ok(Answer::json(200, json!({ "total": total, "result": result })))
}

fn summary(question: &Question, language: &str) -> Value {
    json!({
        "id": question.id,
        "name": question.name,
        "text": in_language(&question.text, language),
        "category_id": question.category.1,
        "response_type": question.kind.response(),
        "scope": if question.custom { "custom" } else { "standard" },
    })
}

fn list(world: &World, call: &Call<'_>) -> Outcome {
    let (language, _) = languages(call)?;
    if call.query("account_id").is_some_and(|id| id != world.account.id.to_string()) {
        return Err(Rejection::forbidden());
    }
    let found: Vec<&Question> = world
        .market
        .questions
        .iter()
        .filter(|question| has_words(question, language, call.query("search")))
        .filter(|question| call.query("category_id").is_none_or(|id| id == question.category.1.to_string()))
        .filter(|question| match call.query("type") {
            Some("custom") => question.custom,
            Some("demographic_only") => question.category.0 == "DEM",
            Some(_) => !question.custom,
            None => true,
        })
        .collect();
    let (total, window) = (found.len(), call.window(100, 100)?);
    let page = page::cut(found, &window, |question| question.id.to_string())?;
    let questions: Vec<Value> = page.items.iter().map(|question| summary(question, language)).collect();
    Ok(Answer::json(200, json!({ "pages": total.div_ceil(window.size), "questions": questions })))
}

fn get(world: &World, call: &Call<'_>) -> Outcome {
    let (language, _) = languages(call)?;
    let found = call.at("question_id").parse().ok().and_then(|id| world.market.question(id));
    let question = found.ok_or_else(|| Rejection::not_found("question"))?;
    let mut facts = summary(question, language);
    let more = match question.kind {
        Kind::Range(min, max) => json!({ "object": "range_options", "min": min, "max": max }),
        _ => {
            let options: Vec<Value> = question
                .options
                .iter()
                .map(|(code, text)| json!({ "id": code.parse().unwrap_or(0), "name": in_language(text, language) }))
                .collect();
            json!({ "object": "selection_options", "options": options })
        }
    };
    if let (Some(to), Value::Object(from)) = (facts.as_object_mut(), more) {
        to.extend(from);
    }
    Ok(Answer::json(200, facts))
}

fn categories() -> Outcome {
    let list: Vec<Value> = CATEGORIES.iter().zip(1..).map(|(code, id)| json!({ "id": id, "code": code })).collect();
    Ok(Answer::json(200, json!({ "categories": list })))
}
