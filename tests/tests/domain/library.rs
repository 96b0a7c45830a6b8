//! The question library and profile templates, on every version.

use cintx::Version;
use cintx::audience::Question;
use cintx::error::FieldError;
use cintx::library::AnswerKind;
use cintx::profile_template::{TemplateCondition, TemplateProfile, TemplateScope, TemplateTarget};

use crate::setup::{Setup, on_every_version};

on_every_version!(
    questions_are_found_and_translated,
    nonsense_finds_nothing_unsent,
    a_template_is_made_changed_and_deleted,
    templates_are_listed,
    wrong_templates_are_refused_unsent,
);

async fn questions_are_found_and_translated<V: Version>(setup: Setup<V>) {
    let all = setup.cint.questions("eng_gb").page_size(2).stream().collect().await.unwrap();
    assert!(all.len() > 4 && all.iter().all(|question| question.standard == Some(true)), "{all:?}");
    let names: std::collections::BTreeSet<_> = all.iter().map(|question| question.name.clone()).collect();
    assert_eq!(names.len(), all.len(), "each once");
    let custom = setup.cint.questions("eng_gb").with_custom().stream().collect().await.unwrap();
    assert!(custom.len() > all.len());

    let found = setup.cint.questions("ger_de").ids([42, 43]).translated("eng").stream().collect().await.unwrap();
    let [age, gender] = &found[..] else { panic!("{found:?}") };
    assert_eq!((age.name.as_deref(), age.options.len()), (Some("AGE"), 0));
    assert_eq!(
        (gender.id, gender.kind.clone(), gender.category.as_deref()),
        (Some(43), Some(AnswerKind::SinglePunch), Some("DEM"))
    );
    assert_eq!(gender.text.as_deref(), Some("Welches Geschlecht haben Sie?"));
    assert_eq!(gender.text_translated.as_deref(), Some("What is your gender?"));
    assert!(gender.options.iter().all(|option| option.text != option.text_translated && !option.code.is_empty()));
    let found = setup.cint.questions("eng_gb").search("gender").stream().collect().await.unwrap();
    assert!(found.iter().any(|question| question.id == Some(43)));
    setup.assert_no_violation();
}

async fn nonsense_finds_nothing_unsent<V: Version>(setup: Setup<V>) {
    let refused = setup.cint.questions("english").ids([]).translated("en").stream().collect().await.unwrap_err();
    let fields: Vec<_> = refused.invalid_fields().iter().map(FieldError::field).collect();
    assert_eq!(fields, ["locale", "ids", "translated"]);
    let refused = setup.cint.questions("eng_gb").page_size(101).stream().collect().await.unwrap_err();
    assert_eq!(refused.invalid_fields()[0].field(), "page_size");
    assert!(setup.sandbox.requests().is_empty());
}

fn age() -> Question {
    Question::range(42).band(18..=34, 40).band(35..=99, 60)
}

/// What was asked for, without what the API adds: names of questions, an order of targets of its own.
fn bare(profiles: &[TemplateProfile]) -> Vec<(i64, Vec<String>)> {
    let targets = |profile: &TemplateProfile| {
        let mut targets: Vec<String> = profile.targets.iter().map(|target| format!("{target:?}")).collect();
        targets.sort();
        targets
    };
    profiles.iter().map(|profile| (profile.question, targets(profile))).collect()
}

fn option(code: &str) -> TemplateCondition {
    TemplateCondition::Option(code.to_owned())
}

async fn a_template_is_made_changed_and_deleted<V: Version>(setup: Setup<V>) {
    let templates = setup.cint.profile_templates();
    let mut kinds = TemplateProfile::new(
        113,
        [
            TemplateTarget::new([option("1"), option("2")], Some(70.into())),
            TemplateTarget::new([option("3")], Some(30.into())),
        ],
    );
    kinds.name = Some("origin".to_owned());
    kinds.targets[0].name = Some("first two".to_owned());
    let places = TemplateProfile::new(
        45,
        [TemplateTarget::new(
            [TemplateCondition::Texts(vec!["10115".to_owned(), "10117".to_owned()])],
            Some(100.into()),
        )],
    );
    let made = templates
        .create("Adults", "adults")
        .description("From eighteen on.")
        .locale("eng_gb")
        .locale("ger_de")
        .profile(age())
        .profile(kinds.clone())
        .profile(places.clone())
        .await
        .unwrap();
    assert_eq!(made.scope, Some(TemplateScope::Account));
    let settings = &made.settings;
    assert_eq!(
        (&*settings.name, &*settings.label, settings.description.as_deref()),
        ("Adults", "adults", Some("From eighteen on."))
    );
    assert_eq!(settings.locales.iter().map(ToString::to_string).collect::<Vec<_>>(), ["eng_gb", "ger_de"]);
    assert_eq!(bare(&settings.profiles), bare(&[age().try_into().unwrap(), kinds.clone(), places]));
    assert_eq!(settings.profiles[1].name.as_deref(), Some("origin"));
    assert_eq!(templates.get(&made).await.unwrap(), made);

    let changed = templates
        .edit(&made, |template| {
            template.name = "All adults".to_owned();
            template.profiles.truncate(2);
            // Without shares there are no quotas.
            template.profiles[0].targets.iter_mut().for_each(|target| target.percentage = None);
        })
        .await
        .unwrap();
    let kept = templates.get(&made).await.unwrap();
    assert_eq!(kept, changed);
    assert_eq!((&*kept.settings.name, kept.settings.profiles.len()), ("All adults", 2));
    assert!(kept.settings.profiles[0].targets.iter().all(|target| target.percentage.is_none()), "{kept:?}");
    assert_eq!(bare(&kept.settings.profiles[1..]), bare(&[kinds]));

    templates.delete(&made).await.unwrap();
    assert!(templates.get(&made).await.unwrap_err().is_not_found());
    setup.assert_no_violation();
}

async fn templates_are_listed<V: Version>(setup: Setup<V>) {
    let templates = setup.cint.profile_templates();
    for number in 0..5 {
        let locale = if number % 2 == 0 { "eng_gb" } else { "ger_de" };
        templates.create(format!("Template {number}"), "t").locale(locale).profile(age()).await.unwrap();
    }
    let own = || templates.list().scope(TemplateScope::Account).page_size(2);
    let names = async |list: cintx::paging::ListRequest<cintx::profile_template::ProfileTemplateQuery<V>>| {
        let all = list.stream().collect().await.unwrap();
        all.into_iter().map(|template| template.name.unwrap()).collect::<Vec<_>>().join(" ")
    };
    let first = "Template 0 Template 1 Template 2 Template 3 Template 4";
    assert_eq!(names(own().oldest_first()).await, first);
    assert_eq!(names(own()).await, "Template 4 Template 3 Template 2 Template 1 Template 0");
    assert_eq!(names(own().locale("ger_de").oldest_first()).await, "Template 1 Template 3");
    assert_eq!(names(own().locale("ger_de").locale("eng_gb").oldest_first()).await, first);
    let all = templates.list().stream().collect().await.unwrap();
    assert!(all.iter().filter(|template| template.scope == Some(TemplateScope::Account)).count() == 5);
    setup.assert_no_violation();
}

async fn wrong_templates_are_refused_unsent<V: Version>(setup: Setup<V>) {
    let templates = setup.cint.profile_templates();
    let refusal = async |profile: TemplateProfile| {
        let refused = templates.create("Adults", "adults").profile(profile).await.unwrap_err();
        let [problem] = refused.invalid_fields() else { panic!("{refused}") };
        assert_eq!(problem.field(), "profiles");
        problem.to_string()
    };
    let range = |min, max| TemplateCondition::Range { min, max };
    let one = |condition| TemplateTarget::new([condition], None);
    for (targets, rule) in [
        (vec![], "it has no targets, expected at least one"),
        (vec![TemplateTarget::new([], None)], "a target has no conditions, expected at least one"),
        (vec![one(range(0, 5))], "a range is 0 to 5, expected one within 1 to 99"),
        (vec![one(range(5, 100))], "a range is 5 to 100, expected one within 1 to 99"),
        (vec![one(range(9, 5))], "a range is 9 to 5, expected one within 1 to 99"),
        (vec![one(option(""))], "an option is empty, expected its code"),
        (
            vec![one(option("1")), one(option("1"))],
            "the option \"1\" overlaps the option \"1\", expected each answer once",
        ),
        (
            vec![one(range(18, 34)), one(range(34, 50))],
            "the range 34 to 50 overlaps the range 18 to 34, expected each answer once",
        ),
        (vec![one(option("1")), one(range(18, 34))], "expected ranges, options or texts alone"),
        (
            vec![one(TemplateCondition::Texts(vec!["a".into(); 10_001]))],
            "10001 texts are given, expected at most 10,000",
        ),
        (vec![TemplateTarget::new([option("1")], Some((-1).into()))], "a share is -1, expected 0 to 100"),
        (vec![TemplateTarget::new([option("1")], Some(101.into()))], "a share is 101, expected 0 to 100"),
        (
            vec![TemplateTarget::new([option("1")], Some("0.001".parse().unwrap()))],
            "a share is 0.001, expected 0 to 100",
        ),
    ] {
        let problem = refusal(TemplateProfile::new(43, targets)).await;
        assert!(problem.starts_with("profiles ask question 43 wrongly: ") && problem.contains(rule), "{problem}");
    }
    let refused = templates.create(" ", "l").locale("x").profile(age()).profile(age()).await.unwrap_err();
    let problems: Vec<_> = refused.invalid_fields().iter().map(FieldError::to_string).collect();
    assert_eq!(problems[1..], ["name is \" \", expected some text", "profiles ask question 42 twice, expected once"]);
    assert!(problems[0].starts_with("locale is \"x\", expected a locale: "), "{}", problems[0]);
    let counted = Question::choice(43).option("1", cintx::audience::Share::Completes(5));
    let refused = templates.create("Adults", "adults").profile(age()).profile(counted).await.unwrap_err();
    let problem = "profile is \"5 completes\", expected a share that a template can have: a percentage, or none";
    assert_eq!(refused.invalid_fields()[0].to_string(), problem);
    let none = templates.create("Adults", "adults").await.unwrap_err();
    assert_eq!(none.invalid_fields()[0].to_string(), "profiles are none, expected at least one");
    let scope = templates.list().scope(TemplateScope::from("mine")).stream().collect().await.unwrap_err();
    assert_eq!(scope.invalid_fields()[0].to_string(), "scope is \"mine\", expected global or account");
    assert!(setup.sandbox.requests().is_empty());
}

#[cfg(feature = "v2025-12-18")]
#[tokio::test]
async fn the_newest_version_takes_hundredths_and_wants_labels() {
    let setup = Setup::<cintx::V2025_12_18>::new().await;
    let templates = setup.cint.profile_templates();
    let thirds = ["33.33", "66.67"].map(|share| Some(share.parse().unwrap()));
    let profile = TemplateProfile::new(
        43,
        [TemplateTarget::new([option("1")], thirds[0]), TemplateTarget::new([option("2")], thirds[1])],
    );
    let made = templates.create("Thirds", "thirds").profile(profile.clone()).await.unwrap();
    assert_eq!(bare(&made.settings.profiles), bare(std::slice::from_ref(&profile)));
    let anything = TemplateProfile::new(45, [TemplateTarget::new([TemplateCondition::Texts(vec![])], None)]);
    let made = templates.edit(&made, |template| template.profiles.push(anything.clone())).await.unwrap();
    let kept = templates.get(&made).await.unwrap();
    assert_eq!(bare(&kept.settings.profiles), bare(&[profile.clone(), anything]));
    let refused = templates.create("Thirds", "").profile(profile).await.unwrap_err();
    assert_eq!(refused.invalid_fields()[0].to_string(), "label is \"\", expected some text");
    let custom = setup.cint.questions("eng_gb").only_custom().stream().collect().await.unwrap();
    assert!(!custom.is_empty() && custom.iter().all(|question| question.standard == Some(false)));
    setup.assert_no_violation();
}

#[cfg(feature = "v2025-02-17")]
#[tokio::test]
async fn older_versions_take_whole_shares_and_no_labels() {
    let setup = Setup::<cintx::V2025_02_17>::new().await;
    let templates = setup.cint.profile_templates();
    let made = templates.create("Adults", "").profile(age()).await.unwrap();
    assert_eq!(made.settings.label, "");
    let half = TemplateProfile::new(43, [TemplateTarget::new([option("1")], Some("0.5".parse().unwrap()))]);
    let refused = templates.create("Adults", "").profile(half).await.unwrap_err();
    assert!(refused.to_string().contains("a share is 0.5, expected 0 to 100 with 0 decimals"), "{refused}");
    let custom = setup.cint.questions("eng_gb").only_custom().stream().collect().await.unwrap();
    assert!(!custom.is_empty() && custom.iter().all(|question| question.standard == Some(false)));
    setup.assert_no_violation();
}

#[cfg(any(feature = "v2024-12-02", feature = "v2025-02-17"))]
async fn questions_are_read_one_by_one<V: cintx::library::HasQuestionDetails>() {
    let setup = Setup::<V>::new().await;
    let age = setup.cint.question_details("eng_gb", 42).await.unwrap();
    assert_eq!((age.name.as_deref(), age.range, age.options.len()), (Some("AGE"), Some((1, 99)), 0));
    let gender = setup.cint.question_details("ger_de", 43).await.unwrap();
    assert!(gender.options.len() >= 2 && gender.options.iter().all(|option| option.text.is_some()), "{gender:?}");
    assert!(setup.cint.question_details("eng_gb", 1).await.unwrap_err().is_not_found());
    let refused = setup.cint.question_details("eng", 42).await.unwrap_err();
    assert_eq!(refused.invalid_fields()[0].field(), "locale");
    setup.assert_no_violation();
}

#[cfg(any(feature = "v2024-12-02", feature = "v2025-02-17"))]
async fn questions_are_listed_by_category<V: cintx::library::HasQuestionIndex>() {
    use cintx::library::{AnswerKind, QuestionScope};

    let setup = Setup::<V>::new().await;
    let all = setup.cint.question_index("eng_gb").page_size(2).stream().collect().await.unwrap();
    let age = all.iter().find(|question| question.id == Some(42)).unwrap();
    assert_eq!((age.name.as_deref(), &age.kind, age.standard), (Some("AGE"), &Some(AnswerKind::Number), Some(true)));
    let category = age.category_id.unwrap();
    let some = setup.cint.question_index("eng_gb").category(category).stream().collect().await.unwrap();
    assert!(some.len() < all.len() && some.iter().all(|question| question.category_id == Some(category)));
    let own = setup.cint.question_index("eng_gb").scope(QuestionScope::Custom).stream().collect().await.unwrap();
    assert!(!own.is_empty() && own.iter().all(|question| question.standard == Some(false)));
    let found = setup.cint.question_index("eng_gb").search("gender").stream().collect().await.unwrap();
    assert!(found.iter().any(|question| question.id == Some(43)), "{found:?}");
    let sent = setup.sandbox.requests().len();
    let scope = QuestionScope::from("mine");
    let refused = setup.cint.question_index("eng").scope(scope).stream().collect().await.unwrap_err();
    let fields: Vec<_> = refused.invalid_fields().iter().map(FieldError::field).collect();
    assert_eq!(fields, ["locale", "scope"], "{refused}");
    assert_eq!(setup.sandbox.requests().len(), sent, "nothing was sent");
    setup.assert_no_violation();
}

#[cfg(feature = "v2024-12-02")]
#[tokio::test]
async fn questions_are_listed_by_category_in_the_first_version() {
    questions_are_listed_by_category::<cintx::V2024_12_02>().await;
}

#[cfg(feature = "v2025-02-17")]
#[tokio::test]
async fn questions_are_listed_by_category_in_the_second_version() {
    questions_are_listed_by_category::<cintx::V2025_02_17>().await;
}

#[cfg(feature = "v2024-12-02")]
#[tokio::test]
async fn questions_are_read_one_by_one_in_the_first_version() {
    questions_are_read_one_by_one::<cintx::V2024_12_02>().await;
}

#[cfg(feature = "v2025-02-17")]
#[tokio::test]
async fn questions_are_read_one_by_one_in_the_second_version() {
    questions_are_read_one_by_one::<cintx::V2025_02_17>().await;
}
