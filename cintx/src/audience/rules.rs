//! The rules that Cint publishes for profiles, checked before anything is sent. Each problem names its rule by Cint's
//! slug, and the builder call that it is about.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Audience, Condition, ControlQuotas, Interlock, Question, QuestionKind, Share};

/// The most quotas of a target group.
pub(crate) const MAX_QUOTAS: usize = 350;
/// The most texts of a condition.
const MAX_VALUES: usize = 10_000;
/// The longest name of a target.
const MAX_NAME: usize = 64;

/// Something about an audience that the API would refuse.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AudienceProblem {
    pub(crate) rule: Cow<'static, str>,
    pub(crate) call: String,
    pub(crate) text: String,
}

impl AudienceProblem {
    /// Cint's name for the rule, without the number that it carries on the wire and that differs between versions.
    /// Empty where it is no rule of Cint's.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// The builder call that it is about: `Question::range(42).band(18..=34, 40)`.
    pub fn call(&self) -> &str {
        &self.call
    }

    /// What was given and what is allowed.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for AudienceProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, self.text)?;
        // What is asked of the table here is no rule of Cint's.
        if self.rule.is_empty() { Ok(()) } else { write!(f, " ({})", self.rule) }
    }
}

struct Problems(Vec<AudienceProblem>);

impl Problems {
    fn add(&mut self, rule: &'static str, call: impl Into<String>, text: impl Into<String>) {
        self.0.push(AudienceProblem { rule: rule.into(), call: call.into(), text: text.into() });
    }
}

/// Everything that is wrong with an audience, whatever the version.
pub(crate) fn problems(audience: &Audience, goal: Option<u32>) -> Vec<AudienceProblem> {
    let mut problems = Problems(Vec::new());
    let crossed = audience.interlock.as_ref().map_or(&[][..], |interlock| &interlock.questions);
    if audience.questions.is_empty() && crossed.is_empty() && audience.template.is_none() {
        problems.add("at_least_one_profile_must_be_in_profiles_object", "Audience", "has no questions");
    }
    let mut seen = HashSet::new();
    for question in audience.questions.iter().chain(crossed) {
        if !seen.insert(question.id) {
            problems.add("profile_not_unique", question.call(None), "the question is asked twice");
        }
        of_question(question, goal, &mut problems);
        if audience.template.is_some() && question.targets.iter().any(|it| matches!(it.share, Share::Completes(_))) {
            let text = "has counts, and beside a template only percentages are allowed";
            problems.add("template_allows_only_percentage_adjustment", question.call(None), text);
        }
    }
    if let Some(interlock) = &audience.interlock {
        of_interlock(interlock, &mut problems);
    }
    if let Some(control) = &audience.control {
        of_control(control, audience, goal, &mut problems);
    }
    let quotas = audience.quotas();
    if quotas > MAX_QUOTAS {
        let text = format!("there are {quotas} quotas, expected at most {MAX_QUOTAS}");
        problems.add("total_number_of_quotas_cannot_be_greater_than_max", "Audience", text);
    }
    problems.0
}

fn of_question(question: &Question, goal: Option<u32>, problems: &mut Problems) {
    if question.id < 1 {
        problems.add("invalid_question_id", question.call(None), "expected an id from 1 on");
    }
    if question.targets.is_empty() {
        problems.add("profile_with_invalid_condition", question.call(None), "has no conditions");
    }
    let mut seen = SeenConditions::default();
    let mut names = HashSet::new();
    for (index, target) in question.targets.iter().enumerate() {
        let call = || question.call(Some(index));
        if target.conditions.is_empty() {
            problems.add("profile_with_invalid_condition", call(), "has no conditions");
        }
        match target.name.as_deref() {
            Some("") => problems.add(
                "target_name_or_quota_name_must_be_provided_for_multiple_conditions",
                call(),
                "the name is empty, and conditions that are counted together need one",
            ),
            Some(name) if name.chars().count() > MAX_NAME => {
                let text = format!("the name has {} characters, expected at most {MAX_NAME}", name.chars().count());
                problems.add("profile_with_invalid_condition", call(), text);
            }
            Some(name) if !names.insert(name) => {
                problems.add("duplicate_quota_name", call(), format!("the name {name:?} is given twice"));
            }
            _ => {}
        }
        for condition in &target.conditions {
            let mut add = |rule, text: String| problems.add(rule, call(), text);
            of_kind(condition, question.kind, &mut add);
            of_values(condition, &target.share, &mut seen, &mut add);
        }
    }
    of_shares(question, goal, problems);
}

/// What the conditions of a question before this one have taken already.
#[derive(Default)]
struct SeenConditions<'a> {
    ranges: Vec<(u8, u8)>,
    options: HashSet<&'a str>,
}

/// A condition is of the kind that its question is answered with.
fn of_kind(condition: &Condition, kind: QuestionKind, add: &mut dyn FnMut(&'static str, String)) {
    let (expected, rule, answers) = match condition {
        Condition::Range { .. } => (QuestionKind::Range, "profile_with_invalid_condition", "numbers"),
        Condition::Option(_) => (QuestionKind::Choice, "not_supported_question_option", "options"),
        Condition::Values(_) | Condition::AnyValue => (QuestionKind::Open, "invalid_open_ended_option", "text"),
    };
    if kind != expected {
        add(rule, format!("the question is not answered with {answers}"));
    }
}

/// The values of a condition are allowed, and no other condition of its question has them.
fn of_values<'a>(
    condition: &'a Condition,
    share: &Share,
    seen: &mut SeenConditions<'a>,
    add: &mut dyn FnMut(&'static str, String),
) {
    match condition {
        Condition::Range { min, max } => {
            if min > max {
                add("profile_condition_min_greater_than_max", format!("{min} is above {max}"));
            } else if *min < 1 || *max > 99 {
                add("profile_with_invalid_condition", "expected a band within 1 to 99".to_owned());
            }
            if let Some((low, high)) = seen.ranges.iter().find(|(low, high)| min <= high && low <= max) {
                add("profile_condition_ranges_should_not_overlap", format!("overlaps {low}..={high}"));
            }
            seen.ranges.push((*min, *max));
        }
        Condition::Option(option) => {
            if !seen.options.insert(option) {
                add("profile_condition_not_unique", format!("option {option} is given twice"));
            }
        }
        Condition::Values(values) => {
            if values.is_empty() || values.iter().any(String::is_empty) {
                add("invalid_open_ended_option", "expected texts, none of them empty".to_owned());
            }
            if values.len() > MAX_VALUES {
                let text = format!("{} texts, expected at most {MAX_VALUES}", values.len());
                add("zip_values_cannot_be_greater_than_max", text);
            }
        }
        Condition::AnyValue => {
            if *share != Share::Open {
                add("allow_all_values_target_cannot_have_quota", "any text cannot have a quota".to_owned());
            }
        }
    }
}

/// Percentages add up to a hundred, give or take one; counts to the goal.
fn of_shares(question: &Question, goal: Option<u32>, problems: &mut Problems) {
    let (mut percent, mut count) = (Decimal::ZERO, 0_u64);
    let (mut percents, mut counts, mut opens) = (0, 0, 0);
    for (index, target) in question.targets.iter().enumerate() {
        let call = || question.call(Some(index));
        match &target.share {
            Share::Percent(share) if share.is_sign_negative() || *share > Decimal::ONE_HUNDRED => {
                problems.add("incorrect_sum_of_percentage", call(), format!("{share} percent, expected 0 to 100"));
                return;
            }
            Share::Percent(share) => {
                percent += *share;
                percents += 1;
            }
            Share::Completes(share) => {
                count += u64::from(*share);
                counts += 1;
                if goal.is_some_and(|goal| *share > goal) {
                    let text = format!("is above the goal of {}", goal.unwrap_or_default());
                    problems.add("quota_value_greater_than_completes_goal", call(), text);
                }
            }
            Share::Open => opens += 1,
            Share::Unreadable(text) => {
                let text = format!("{text:?} is no percentage, expected a decimal such as 33.33");
                problems.add("", call(), text);
                return;
            }
        }
    }
    let call = question.call(None);
    if !question.quotas {
        if percents + counts > 0 {
            problems.add("disabled_profile_cannot_have_completes_goal", call, "has shares, and its quotas are off");
        }
        return;
    }
    let only_any = question.targets.iter().all(|target| target.conditions.contains(&Condition::AnyValue));
    match (percents, counts) {
        (0, 0) if only_any => {}
        (0, 0) => problems.add(
            "at_least_one_quota_object_should_be_populated_with_completes_goal_or_completes_goal_percentage_value",
            call,
            "has no share at all: give one, or say `without_quotas()`",
        ),
        (0, _) => {
            if count == 0 {
                let text = "all counts are 0, expected at least one above";
                problems.add("at_least_one_quota_should_have_completes_goal_greater_than_zero", call.clone(), text);
            }
            if let Some(goal) =
                goal.filter(|goal| count > u64::from(*goal) || (opens == 0 && count != u64::from(*goal)))
            {
                problems.add("incorrect_sum_of_nominal", call, format!("counts add up to {count}, expected {goal}"));
            }
        }
        (_, 0) => {
            let exact = Decimal::ONE_HUNDRED;
            if percent > exact + Decimal::ONE || (opens == 0 && percent < exact - Decimal::ONE) {
                problems.add("incorrect_sum_of_percentage", call, format!("shares add up to {percent}, expected 100"));
            }
        }
        _ => problems.add(
            "profile_adjustment_type_and_quota_fields_do_not_match",
            call,
            "has percentages and counts, expected one of them",
        ),
    }
}

fn of_interlock(interlock: &Interlock, problems: &mut Problems) {
    for question in &interlock.questions {
        let call = question.call(None);
        if question.kind == QuestionKind::Open {
            problems.add("zip_not_supported_in_blended", call.clone(), "texts cannot be interlocked");
        }
        if question.targets.len() == 1 {
            problems.add(
                "blended_profile_cannot_have_only_one_condition",
                call.clone(),
                "has one target, expected more",
            );
        }
        if !question.quotas {
            problems.add("quota_will_be_always_enabled_for_blended_profile", call.clone(), "its quotas cannot be off");
        } else if question.targets.iter().any(|target| target.share == Share::Open) {
            let text = "every target of an interlocked question needs a share";
            problems.add("completes_goal_percentage_must_be_populated_for_quota_enabled_profile", call, text);
        }
    }
    let weights = interlock.seed.iter().flatten();
    if let Some(weight) = weights.copied().find(|weight| !weight.is_finite()) {
        let text = format!("has the weight {weight}, expected a finite number");
        problems.add("", "Interlock::seed", text);
    }
    for (call, text) in interlock.constraints.problems(&interlock.questions) {
        problems.add("", call, text);
    }
    let cells = interlock.cells();
    if cells > MAX_QUOTAS {
        let text = format!("{cells} cells, expected at most {MAX_QUOTAS}");
        problems.add("number_of_quotas_in_blended_cannot_be_greater_than_max", "Audience::interlock", text);
    }
}

fn of_control(control: &ControlQuotas, audience: &Audience, goal: Option<u32>, problems: &mut Problems) {
    const CALL: &str = "ControlQuotas";
    if control.targets.is_empty() {
        problems.add(
            "blended_profile_with_control_as_blended_type_cannot_have_less_than_1_target",
            CALL,
            "has no targets",
        );
    }
    let (mut names, mut sum) = (HashSet::new(), 0_u64);
    for target in &control.targets {
        let call = format!("ControlQuotas.target({:?}, ..)", target.name);
        sum += u64::from(target.completes);
        if target.name.is_empty() {
            let rule = "blended_profile_with_control_as_blended_type_must_have_target_or_quota_name";
            problems.add(rule, call.clone(), "the name is empty");
        } else if !names.insert(&target.name) {
            let rule = "blended_profile_with_control_as_blended_type_cannot_have_duplicate_target_or_quota_name";
            problems.add(rule, call.clone(), "the name is given twice");
        }
        for (question, condition) in &target.conditions {
            let known = audience.questions.iter().find(|known| known.id == *question);
            if !known.is_some_and(|known| known.targets.iter().any(|it| it.conditions.contains(condition))) {
                let rule = "blended_profile_with_control_as_blended_type_should_match_with_regular_profiles";
                let text =
                    format!("{} of question {question} is no condition of a question beside it", condition.label());
                problems.add(rule, call.clone(), text);
            }
        }
    }
    if goal.is_some_and(|goal| sum > u64::from(goal)) {
        let rule = "total_completes_goal_cannot_be_less_than_control_blended_profile_completes_goal";
        problems.add(
            rule,
            CALL,
            format!("its counts add up to {sum}, more than the goal of {}", goal.unwrap_or_default()),
        );
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// The names of rules in Cint's documents, without their numbers: those that are checked here.
    const IN_THE_DOCUMENTS: &[&str] = &[
        "allow_all_values_target_cannot_have_quota",
        "at_least_one_profile_must_be_in_profiles_object",
        "at_least_one_quota_object_should_be_populated_with_completes_goal_or_completes_goal_percentage_value",
        "at_least_one_quota_should_have_completes_goal_greater_than_zero",
        "blended_profile_cannot_have_only_one_condition",
        "blended_profile_with_control_as_blended_type_cannot_have_duplicate_target_or_quota_name",
        "blended_profile_with_control_as_blended_type_cannot_have_less_than_1_target",
        "blended_profile_with_control_as_blended_type_must_have_target_or_quota_name",
        "blended_profile_with_control_as_blended_type_should_match_with_regular_profiles",
        "completes_goal_percentage_must_be_populated_for_quota_enabled_profile",
        "disabled_profile_cannot_have_completes_goal",
        "duplicate_quota_name",
        "incorrect_sum_of_nominal",
        "incorrect_sum_of_percentage",
        "invalid_open_ended_option",
        "invalid_question_id",
        "not_supported_question_option",
        "number_of_quotas_in_blended_cannot_be_greater_than_max",
        "profile_adjustment_type_and_quota_fields_do_not_match",
        "profile_condition_min_greater_than_max",
        "profile_condition_not_unique",
        "profile_condition_ranges_should_not_overlap",
        "profile_not_unique",
        "profile_with_invalid_condition",
        "quota_value_greater_than_completes_goal",
        "quota_will_be_always_enabled_for_blended_profile",
        "target_name_or_quota_name_must_be_provided_for_multiple_conditions",
        "template_allows_only_percentage_adjustment",
        "total_completes_goal_cannot_be_less_than_control_blended_profile_completes_goal",
        "total_number_of_quotas_cannot_be_greater_than_max",
        "zip_not_supported_in_blended",
        "zip_values_cannot_be_greater_than_max",
    ];

    /// A word of our own would be taken for one of Cint's by whoever looks it up.
    #[test]
    fn every_rule_is_one_of_the_documents() {
        let (rules, _) = include_str!("rules.rs").split_once("#[cfg(test)]").unwrap();
        let is_name = |text: &&str| {
            text.contains('_')
                && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        };
        let named: BTreeSet<&str> = rules.split('"').filter(is_name).collect();
        assert_eq!(named, BTreeSet::from_iter(IN_THE_DOCUMENTS.iter().copied()));
        // What is found out by solving is no rule of Cint's.
        let made: Vec<&str> = include_str!("mod.rs").lines().filter(|line| line.trim().starts_with("rule: ")).collect();
        assert_eq!(made.iter().map(|line| line.trim()).collect::<Vec<_>>(), ["rule: \"\".into(),"]);
    }
}
