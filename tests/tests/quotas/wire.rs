//! Audiences as each version's JSON: golden files, the sums in them, and what the document says of them.

use cintx::Version;
use cintx::audience::{Audience, Condition, ControlQuotas, Interlock, Question, Share};
use http::Method;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use super::setup::{Setup, on_every_version};
use super::{age_and_gender, independent};

on_every_version!(
    golden_files,
    percentages_add_up,
    three_questions_are_crossed,
    our_cells_are_those_of_the_helper,
    what_a_version_lacks_is_refused_before_it_is_sent,
    what_the_api_refuses_points_at_the_builder_call,
);

/// The part of the create request that says whom to ask.
async fn sent<V: Version>(setup: &Setup<V>, audience: Audience) -> Value {
    let project = setup.project().await;
    setup.draft(&project).audience(audience).create().await.unwrap();
    setup.assert_no_violation();
    let requests = setup.sandbox.requests();
    let request = requests.iter().rev().find(|it| it.operation.as_deref() == Some("create_target_group")).unwrap();
    let body = request.body.as_ref().unwrap();
    body.get("profiling").or_else(|| body.get("profile")).unwrap().clone()
}

/// Ids of the sandbox are not part of what is asked for.
fn without_ids(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                let is_id = matches!(name.as_str(), "id" | "interlock_id");
                *field = if is_id { json!("[id]") } else { without_ids(field.take()) };
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = without_ids(item.take())),
        _ => {}
    }
    value
}

async fn golden_files<V: Version>(setup: Setup<V>) {
    for (name, audience) in [("interlock", age_and_gender()), ("independent", independent())] {
        let json = without_ids(sent(&setup, audience).await);
        insta::assert_json_snapshot!(format!("{name}_{}", V::DATE), json);
    }
}

/// All numbers under a name, anywhere.
fn numbers(value: &Value, name: &str) -> Vec<f64> {
    match value {
        Value::Object(fields) => {
            let own = fields.get(name).and_then(Value::as_f64).into_iter();
            own.chain(fields.values().flat_map(|field| numbers(field, name))).collect()
        }
        Value::Array(items) => items.iter().flat_map(|item| numbers(item, name)).collect(),
        _ => Vec::new(),
    }
}

/// Whole percents before 2025-12-18, hundredths from then on: 100 in both.
async fn percentages_add_up<V: Version>(setup: Setup<V>) {
    let thirds = Question::range(42).band(18..=34, "33.33").band(35..=54, "33.33").band(55..=99, "33.34");
    let gender = Question::choice(43).option("1", "48.7").option("2", "51.3");
    let json = sent(&setup, Audience::interlock([thirds, gender]).in_percent()).await;
    let name = if V::DATE < "2025-12-18" { "quota_percentage" } else { "completes_goal_percentage" };
    let percents = numbers(&json, name);
    assert_eq!(percents.len(), 6, "{json}");
    let hundredths: Vec<i64> = percents.iter().map(|percent| (percent * 100.0).round() as i64).collect();
    assert_eq!(hundredths.iter().sum::<i64>(), 10_000, "{percents:?}");
    let men: i64 = hundredths.iter().step_by(2).sum();
    assert_eq!(men, if V::DATE < "2025-12-18" { 4_900 } else { 4_870 }, "{percents:?}");
}

async fn three_questions_are_crossed<V: Version>(setup: Setup<V>) {
    let age = Question::range(42).band(18..=34, 40).band(35..=99, 60);
    let gender = Question::choice(43).option("1", 49).option("2", 51);
    let ethnicity = Question::choice(113).option("1", 60).option("2", 30).option("3", 10);
    let crossed = Interlock::of([age, gender, ethnicity]).exclude([0, 0, 2]);
    let audience = Audience::interlock(crossed);
    let table = audience.quota_table(500).unwrap();
    let sums = |axis| table.margin(axis).iter().map(|sum| sum.target.unwrap()).collect::<Vec<_>>();
    assert_eq!((sums(0), sums(1), sums(2)), (vec![200, 300], vec![245, 255], vec![300, 150, 50]));
    assert_eq!(table.cell([0, 0, 2]).unwrap().target, Some(0));
    let json = sent(&setup, audience).await;
    let (name, total) = if V::DATE < "2025-12-18" { ("quota_percentage", 100.0) } else { ("completes_goal", 500.0) };
    let goals = numbers(&json, name);
    assert_eq!((goals.len(), goals.iter().sum::<f64>()), (12, total), "{json}");
}

/// The API's helper crosses two questions whose cells are whole; so do we, and both come to the same quotas.
async fn our_cells_are_those_of_the_helper<V: Version>(setup: Setup<V>) {
    let age = Question::range(42).band(18..=34, 50).band(35..=99, 50);
    let gender = Question::choice(43).option("1", 40).option("2", 60);
    let project = setup.project().await;
    let draft = setup.draft(&project).completes_goal(100).audience(Audience::interlock([age, gender]));
    let group = draft.create().await.unwrap();
    group.launch(Timestamp::now() + 300.hours()).await.unwrap().until_live().await.unwrap();
    let table = group.quotas().read().await.unwrap().remove(0);
    let own = |at: [usize; 2]| {
        (table.axes()[0].conditions[at[0]][0].1.clone(), table.axes()[1].conditions[at[1]][0].1.clone())
    };
    let mut ours: Vec<(String, u64)> = table
        .cells()
        .map(|(position, quota)| {
            let (age, gender) = own([position[0], position[1]]);
            (format!("{} {}", age.label(), gender.label()), quota.target.unwrap())
        })
        .collect();
    ours.sort();

    let (start, end) = (Timestamp::now() + 2.hours(), Timestamp::now() + 240.hours());
    let at = |time: Timestamp| format!("{time:.3}");
    let body = json!({ "locale": "eng_gb", "start_at": at(start), "end_at": at(end), "collects_pii": false });
    let mut theirs = if V::DATE < "2025-12-18" {
        cells_of_legacy_helper(&setup, body).await
    } else {
        cells_of_current_helper(&setup, body).await
    };
    theirs.sort();
    assert_eq!(ours, theirs);
    assert_eq!(ours.iter().map(|(_, goal)| *goal).collect::<Vec<_>>(), [20, 30, 20, 30]);
    setup.assert_no_violation();
}

/// The cells that the older versions' helper makes of two questions, each with its percentage.
async fn cells_of_legacy_helper<V: Version>(setup: &Setup<V>, mut body: Value) -> Vec<(String, u64)> {
    let account = setup.sandbox.account_id();
    let profile = |question: i64, kind: &str, data: Value, shares: [u64; 2]| {
        let quotas = shares
            .iter()
            .enumerate()
            .map(|(at, share)| json!({ "index": at, "quota_percentage": share, "quota_nominal": 0 }));
        json!({ "question_id": question, "quotas_enabled": true, "conditions": { "object": kind, "data": data },
                "quotas": { "grouped": [], "ungrouped": quotas.collect::<Vec<_>>() } })
    };
    let ages = json!([{ "text": "18-34", "min": 18, "max": 34 }, { "text": "35-99", "min": 35, "max": 99 }]);
    let genders = json!([{ "text": "Male", "option": "1" }, { "text": "Female", "option": "2" }]);
    body["target_group_filling_goal"] = json!(100);
    body["profile_adjustment_type"] = json!("percentage");
    body["profiles"] = json!([
        profile(42, "range_conditions_details", ages, [50, 50]),
        profile(43, "selection_conditions_details", genders, [40, 60]),
    ]);
    let path = format!("/demand/v2/accounts/{account}/drafts/generate-interlocked-profile");
    let made: Value = setup
        .cint
        .request(Method::POST, &path)
        .idempotency_key("helper")
        .json(&body)
        .send()
        .await
        .unwrap()
        .into_value();
    let cells = made[0]["quotas"]["ungrouped"].as_array().unwrap();
    cells
        .iter()
        .map(|cell| {
            let related = &cell["condition"]["related_condition"];
            let of = |question: i64| {
                related.as_array().unwrap().iter().find(|it| it["question_id"] == question).unwrap()["conditions"][0]
                    .clone()
            };
            (label(&of(42), &of(43)), cell["quota_percentage"].as_u64().unwrap())
        })
        .collect()
}

/// The same of 2025-12-18.
async fn cells_of_current_helper<V: Version>(setup: &Setup<V>, mut body: Value) -> Vec<(String, u64)> {
    let account = setup.sandbox.account_id();
    let target = |condition: Value, share: u64| json!({ "conditions": [condition], "quota": { "completes_goal_percentage": share } });
    let range = |min: u8, max: u8| json!({ "object": "range", "question_id": 42, "min": min, "max": max });
    let option = |option: &str| json!({ "object": "selection", "question_id": 43, "option": option });
    body["completes_goal"] = json!(100);
    body["profiling"] = json!({ "profile_adjustment_type": "percentage", "profiles": [
        { "object": "regular", "quotas_enabled": true, "targets": [target(range(18, 34), 50), target(range(35, 99), 50)] },
        { "object": "regular", "quotas_enabled": true, "targets": [target(option("1"), 40), target(option("2"), 60)] },
    ] });
    let path = format!("/demand/accounts/{account}/drafts/generate-blended-profile");
    let made: Value = setup.cint.request(Method::POST, &path).json(&body).send().await.unwrap().into_value();
    let cells = made["targets"].as_array().unwrap();
    cells
        .iter()
        .map(|cell| {
            let of = |question: i64| {
                cell["conditions"].as_array().unwrap().iter().find(|it| it["question_id"] == question).unwrap().clone()
            };
            (label(&of(42), &of(43)), cell["quota"]["completes_goal_percentage"].as_f64().unwrap().round() as u64)
        })
        .collect()
}

/// A cell of a band and an option, as our labels say it.
fn label(range: &Value, option: &Value) -> String {
    format!("{}-{} option {}", range["min"], range["max"], option["option"].as_str().unwrap())
}

async fn what_a_version_lacks_is_refused_before_it_is_sent<V: Version>(setup: Setup<V>) {
    let project = setup.project().await;
    let age = Question::range(42).band(18..=34, 40).band(35..=99, 60);
    let template = setup.cint.profile_templates().create("Adults", "adults").locale("eng_gb").profile(age);
    let template = template.await.unwrap().id.to_string();
    let before = setup.sandbox.requests().len();
    let control = ControlQuotas::new("boosts").target(
        "young men",
        [(42, Condition::Range { min: 18, max: 34 }), (43, Condition::Option("1".into()))],
        50,
    );
    let beside = [
        Question::range(42).band(18..=34, 40).band(35..=99, 60),
        Question::choice(43).option("1", Share::Completes(245)).option("2", Share::Completes(255)),
    ];
    let lacking = [
        ("control quotas", Audience::independent(beside).control(control)),
        (
            "template",
            Audience::template(template.as_str()).and_question(Question::choice(43).option("1", 49).option("2", 51)),
        ),
    ];
    for (what, audience) in lacking {
        match setup.draft(&project).audience(audience).create().await {
            Ok(_) => {
                assert!(V::DATE >= "2025-12-18");
                setup.assert_no_violation();
                let requests = setup.sandbox.requests();
                let profiling = &requests.last().unwrap().body.as_ref().unwrap()["profiling"];
                let of_control =
                    profiling["profiles"].as_array().unwrap().iter().find(|it| it["blended_type"] == "control");
                let sent = if what == "template" {
                    profiling["template_id"] == template.as_str()
                } else {
                    of_control.is_some()
                };
                assert!(sent, "{profiling}");
            }
            Err(error) => {
                assert!(V::DATE < "2025-12-18", "{error}");
                assert!(error.to_string().contains(what), "{error}");
                assert_eq!(setup.sandbox.requests().len(), before, "something was sent");
            }
        }
    }
}

/// A rule that only the API knows: here, by a fault that answers as its validation does.
async fn what_the_api_refuses_points_at_the_builder_call<V: Version>(setup: Setup<V>) {
    let audience = independent();
    let list = json!([{
        "error_type": "data_validation_error", "name": "profile_validation_error_015",
        "reason": "invalid_question_id_015", "detail": "No such question.",
        "metadata": { "question_id": [113], "error_level": "error" },
    }, {
        "error_type": "structural_error", "name": "profiling.profiles[1].targets[0]", "reason": "wrong",
    }]);
    let body = json!({ "object": "unprocessable_entity_error", "detail": "Validation error", "invalid_params": list });
    let address = answering(422, &body).await;
    let cint = cintx::Client::<V>::builder()
        .credentials(
            cintx::client::Credentials::new(setup.sandbox.client_id(), setup.sandbox.client_secret())
                .endpoint(setup.sandbox.token_url()),
        )
        .account(i64::from(setup.sandbox.account_id()))
        .api_url(address)
        .build()
        .unwrap();
    let elsewhere = Setup { sandbox: setup.sandbox, cint, manager: setup.manager };
    let real = elsewhere.sandbox.api_url();
    let project = cintx::Client::<V>::builder()
        .credentials(
            cintx::client::Credentials::new(elsewhere.sandbox.client_id(), elsewhere.sandbox.client_secret())
                .endpoint(elsewhere.sandbox.token_url()),
        )
        .account(i64::from(elsewhere.sandbox.account_id()))
        .api_url(real)
        .build()
        .unwrap()
        .projects()
        .create("MyDrinksSurveyQ1", elsewhere.manager)
        .await
        .unwrap();
    let error = elsewhere.draft(&project).audience(audience.clone()).create().await.unwrap_err();
    let refusals = audience.refusals(&error);
    assert_eq!(refusals.len(), 2, "{error}");
    assert_eq!(refusals[0].rule, "invalid_question_id");
    assert_eq!(refusals[0].calls, ["Question::choice(113)"]);
    assert_eq!(refusals[0].detail, "No such question.");
    if V::DATE >= "2025-12-18" {
        assert_eq!(refusals[1].calls, ["Question::choice(43).option(\"1\", 49)"]);
    }
}

/// A server that answers everything the same.
async fn answering(status: u16, body: &Value) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/v1", listener.local_addr().unwrap());
    let body = body.to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let body = body.clone();
            tokio::spawn(async move {
                let mut request = vec![0; 1 << 16];
                let _ = stream.read(&mut request).await;
                let head = format!(
                    "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(head.as_bytes()).await;
                let _ = stream.write_all(body.as_bytes()).await;
            });
        }
    });
    address
}

/// The rules, each by its slug, without a call.
#[test]
#[allow(clippy::reversed_empty_ranges)] // One of the mistakes.
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn rules_are_named_by_their_slugs_and_point_at_calls() {
    let age = || Question::range(42).band(18..=34, 50).band(35..=99, 50);
    let gender = || Question::choice(43).option("1", 49).option("2", 51);
    let one = |question: Question| Audience::independent([question]);
    let cases: Vec<(Audience, &str, &str)> = vec![
        (
            one(Question::range(42).band(18..=34, 50).band(30..=99, 50)),
            "profile_condition_ranges_should_not_overlap",
            "Question::range(42).band(30..=99, 50)",
        ),
        (
            one(Question::range(42).band(34..=18, 100)),
            "profile_condition_min_greater_than_max",
            "Question::range(42).band(34..=18, 100)",
        ),
        (
            one(Question::range(42).band(0..=99, 100)),
            "profile_with_invalid_condition",
            "Question::range(42).band(0..=99, 100)",
        ),
        (
            one(Question::choice(43).option("1", 50).option("1", 50)),
            "profile_condition_not_unique",
            "Question::choice(43).option(\"1\", 50)",
        ),
        (
            one(Question::range(42).option("1", 100)),
            "not_supported_question_option",
            "Question::range(42).option(\"1\", 100)",
        ),
        (one(Question::choice(0).option("1", 100)), "invalid_question_id", "Question::choice(0)"),
        (
            one(Question::choice(43).option("1", 50).option("2", 52)),
            "incorrect_sum_of_percentage",
            "Question::choice(43)",
        ),
        (
            one(Question::choice(43).option("1", Share::Completes(400)).option("2", Share::Completes(101))),
            "incorrect_sum_of_nominal",
            "Question::choice(43)",
        ),
        (
            one(Question::choice(43).option("1", Share::Completes(501)).option("2", ())),
            "quota_value_greater_than_completes_goal",
            "Question::choice(43).option(\"1\", Share::Completes(501))",
        ),
        (
            one(Question::choice(43).option("1", 50).option("2", Share::Completes(250))),
            "profile_adjustment_type_and_quota_fields_do_not_match",
            "Question::choice(43)",
        ),
        (one(gender().without_quotas()), "disabled_profile_cannot_have_completes_goal", "Question::choice(43)"),
        (
            one(Question::choice(43).options("", ["1", "2"], 100)),
            "target_name_or_quota_name_must_be_provided_for_multiple_conditions",
            "Question::choice(43).options(\"\", [\"1\", \"2\"], 100)",
        ),
        (
            one(Question::choice(43).options("a", ["1"], 50).options("a", ["2"], 50)),
            "duplicate_quota_name",
            "Question::choice(43).options(\"a\", [\"2\"], 50)",
        ),
        (
            one(Question::open_ended(45).values("none", Vec::<String>::new(), 100)),
            "invalid_open_ended_option",
            "Question::open_ended(45).values(\"none\", [0 texts], 100)",
        ),
        (Audience::independent([gender(), gender()]), "profile_not_unique", "Question::choice(43)"),
        (Audience::independent([]), "at_least_one_profile_must_be_in_profiles_object", "Audience"),
        (Audience::interlock([age(), gender()]).and_question(gender()), "profile_not_unique", "Question::choice(43)"),
        (
            Audience::interlock([age(), Question::open_ended(45).values("x", ["1"], 50).values("y", ["2"], 50)]),
            "zip_not_supported_in_blended",
            "Question::open_ended(45)",
        ),
        (
            Audience::interlock([age(), Question::choice(43).option("1", 100)]),
            "blended_profile_cannot_have_only_one_condition",
            "Question::choice(43)",
        ),
        (
            Audience::interlock(Interlock::of([age(), gender()]).exclude([0, 0]).at_most([0, 1], 3)),
            "",
            "Audience::interlock",
        ),
        (
            Audience::template("0b7a").and_question(Question::choice(43).option("1", Share::Completes(500))),
            "template_allows_only_percentage_adjustment",
            "Question::choice(43)",
        ),
    ];
    for (audience, rule, call) in cases {
        let problems = audience.problems(Some(500));
        let found = problems.iter().any(|problem| problem.rule() == rule && problem.call() == call);
        assert!(found, "{rule} at {call}, found {problems:#?}");
    }
    let many = |id: i64, count: u8| {
        (0..count).fold(Question::choice(id), |question, option| {
            question.option(option.to_string(), format!("{:.9}", 100.0 / f64::from(count)).as_str())
        })
    };
    assert!(Audience::interlock([many(1, 35), many(2, 10)]).problems(None).is_empty(), "350 cells are allowed");
    let problems = Audience::interlock([many(1, 39), many(2, 9)]).problems(None);
    assert!(problems.iter().any(|it| it.rule() == "number_of_quotas_in_blended_cannot_be_greater_than_max"));
    assert!(age_and_gender().problems(Some(500)).is_empty());
    assert!(independent().problems(Some(500)).is_empty());
    // A cut in words, with the labels of the targets.
    let stuck = Audience::interlock(Interlock::of([age(), gender()]).exclude([0, 0]).at_most([0, 1], 3));
    let text = stuck.problems(Some(500))[0].to_string();
    assert!(text.contains("18-34 needs 250, the allowed cells hold at most 3"), "{text}");
}
