//! An audience of a study, made of what the API lists: profiles as cells, each with its conditions and its quota.

use rust_decimal::Decimal;

use super::{
    StudyAudience, StudyBand, StudyCondition, StudyControl, StudyControlTarget, StudyInterlock, StudyJoint,
    StudyNumber, StudyOption, StudyQuestion, StudyRange, StudyTexts,
};
use crate::audience::{Cell, Condition, Conditions, Shape, Unit};
use crate::quota::TableKind;
use crate::target_group::KeptDraft;
use crate::types::ids::ProfileTemplateId;
use crate::version::Version;

/// What the quotas of a list are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parts {
    /// Completes.
    Completes,
    /// Whole percent.
    Percent,
    /// Percent with two decimals.
    Hundredths,
}

/// What the quotas of a draft are.
pub(super) fn parts<V: Version>(kept: &KeptDraft) -> Parts {
    match V::DRAFTS_IN {
        Unit::Percent => Parts::Percent,
        Unit::Completes if kept.is_in_hundredths() => Parts::Hundredths,
        Unit::Completes => Parts::Completes,
    }
}

impl Parts {
    /// How many of them the goal is; `None` for completes.
    fn of_goal(self) -> Option<u64> {
        match self {
            Self::Completes => None,
            Self::Percent => Some(100),
            Self::Hundredths => Some(10_000),
        }
    }

    /// Completes as these parts of a goal, rounded.
    pub(super) fn of_completes(self, shape: &Shape, goal: u32) -> Shape {
        let goal = u64::from(goal.max(1));
        let part = |quota: u64| self.of_goal().map_or(quota, |parts| (quota * parts + goal / 2) / goal);
        Shape::of(shape.profiles().map(|(kind, cells)| {
            (kind, cells.into_iter().map(|(conditions, quota)| (conditions, quota.map(part))).collect())
        }))
    }

    /// A quota as a file has it: in percent or in completes.
    fn share(self, quota: Option<u64>) -> (Option<StudyNumber>, Option<u32>) {
        let Some(quota) = quota else { return (None, None) };
        let percent = |scale| StudyNumber::try_from(Decimal::from_i128_with_scale(quota.into(), scale)).ok();
        match self {
            Self::Completes => (None, u32::try_from(quota).ok()),
            Self::Percent => (percent(0), None),
            Self::Hundredths => (percent(2), None),
        }
    }
}

impl StudyAudience {
    /// The audience that was read. What is crossed is said as its cells, and hand-made quotas get names of our own.
    /// `goal` is what percentages are parts of.
    pub(super) fn read(shape: &Shape, template: Option<&str>, parts: Parts, goal: u32) -> Self {
        let mut audience = Self {
            template: template.map(ProfileTemplateId::new),
            in_percent: template.is_none() && parts == Parts::Hundredths,
            ..Self::default()
        };
        for (kind, cells) in shape.profiles() {
            match kind {
                TableKind::Regular => audience.questions.push(question(&cells, parts)),
                TableKind::Interlock => audience.interlock = Some(interlock(&cells, parts)),
                TableKind::Control => audience.control = Some(control(&cells, parts, goal)),
            }
        }
        audience
    }

    /// Whether names had to be made up: the lists that are compared have none.
    pub(super) fn has_names(&self) -> bool {
        let crossed = self.interlock.iter().flat_map(|interlock| &interlock.questions);
        let mut questions = self.questions.iter().chain(crossed);
        let is_named = |it: &StudyQuestion| {
            let bands = it.bands.iter().any(|band| band.name.is_some());
            bands || it.options.iter().any(|option| option.name.is_some()) || !it.texts.is_empty()
        };
        self.control.is_some() || questions.any(is_named)
    }
}

fn question(cells: &[Cell], parts: Parts) -> StudyQuestion {
    let id = cells.iter().flat_map(|(conditions, _)| conditions).map(|(question, _)| *question).next().unwrap_or(0);
    let answers: Vec<_> = cells.iter().map(|(conditions, quota)| (bare(conditions), parts.share(*quota))).collect();
    let has_quotas = cells.iter().any(|(_, quota)| quota.is_some());
    let mut question = of_answers(id, &answers);
    question.quotas = has_quotas || question.any_text;
    question
}

fn bare(conditions: &Conditions) -> Vec<Condition> {
    conditions.iter().map(|(_, condition)| condition.clone()).collect()
}

type Answer = (Vec<Condition>, (Option<StudyNumber>, Option<u32>));

fn of_answers(id: i64, answers: &[Answer]) -> StudyQuestion {
    let mut question = StudyQuestion::choice(id, []);
    let mut names = Vec::new();
    for (conditions, (percent, completes)) in answers {
        let (percent, completes) = (*percent, *completes);
        let mut name = || (conditions.len() > 1).then(|| unique_name(conditions, &mut names));
        match conditions.as_slice() {
            [Condition::Range { min, max }, rest @ ..] => {
                let further = |it: &Condition| match it {
                    Condition::Range { min, max } => Some(StudyRange { from: *min, to: *max }),
                    _ => None,
                };
                let or = rest.iter().filter_map(further).collect();
                question.bands.push(StudyBand { or, name: name(), percent, completes, ..StudyBand::new(*min, *max) });
            }
            [Condition::Option(option), rest @ ..] => {
                let further = |it: &Condition| match it {
                    Condition::Option(option) => Some(option.clone()),
                    _ => None,
                };
                let or = rest.iter().filter_map(further).collect();
                let made = StudyOption::new(option);
                question.options.push(StudyOption { or, name: name(), percent, completes, ..made });
            }
            [Condition::Values(values), ..] => {
                let made = StudyTexts::new(unique_name(conditions, &mut names), values);
                question.texts.push(StudyTexts { percent, completes, ..made });
            }
            [Condition::AnyValue, ..] => question.any_text = true,
            [] => {}
        }
    }
    question
}

/// The conditions in words, as short as a name may be and unlike all before.
fn unique_name(conditions: &[Condition], names: &mut Vec<String>) -> String {
    const MAX_CHARS: usize = 48;
    let labels: Vec<String> = conditions.iter().map(Condition::label).collect();
    let text: String = labels.join(", ").chars().take(MAX_CHARS).collect();
    let name = if names.contains(&text) { format!("{text} ({})", names.len() + 1) } else { text };
    names.push(name.clone());
    name
}

/// Crossed questions as a nested table: one joint over all of them.
fn interlock(cells: &[Cell], parts: Parts) -> StudyInterlock {
    let mut axes: Vec<(i64, Vec<Vec<Condition>>)> = Vec::new();
    let of = |conditions: &Conditions, question: i64| -> Vec<Condition> {
        conditions.iter().filter(|(of, _)| *of == question).map(|(_, condition)| condition.clone()).collect()
    };
    for (conditions, _) in cells {
        for (question, _) in conditions {
            if !axes.iter().any(|(known, _)| known == question) {
                axes.push((*question, Vec::new()));
            }
        }
        for (question, answers) in &mut axes {
            let answer = of(conditions, *question);
            if !answer.is_empty() && !answers.contains(&answer) {
                answers.push(answer);
            }
        }
    }
    let lengths: Vec<usize> = axes.iter().map(|(_, answers)| answers.len()).collect();
    let mut quotas = vec![0_u64; lengths.iter().product()];
    for (conditions, quota) in cells {
        let place = axes.iter().try_fold(0, |place, (question, answers)| {
            let answer = of(conditions, *question);
            Some(place * answers.len() + answers.iter().position(|known| *known == answer)?)
        });
        if let Some(sum) = place.and_then(|place| quotas.get_mut(place)) {
            *sum += quota.unwrap_or(0);
        }
    }
    let open = |answers: &Vec<Vec<Condition>>| -> Vec<Answer> {
        answers.iter().map(|conditions| (conditions.clone(), (None, None))).collect()
    };
    let shares = || quotas.iter().map(|quota| parts.share(Some(*quota)));
    let joint = StudyJoint {
        questions: axes.iter().map(|(question, _)| *question).collect(),
        percent: shares().filter_map(|(percent, _)| percent).collect(),
        completes: shares().filter_map(|(_, completes)| completes).collect(),
    };
    let questions = axes.iter().map(|(question, answers)| of_answers(*question, &open(answers))).collect();
    StudyInterlock { questions, joints: vec![joint], ..StudyInterlock::default() }
}

/// Hand-made quotas, which a file has in completes: so many that they come to the same parts again.
fn control(cells: &[Cell], parts: Parts, goal: u32) -> StudyControl {
    let completes = |quota: u64| match parts.of_goal() {
        Some(of_goal) => (quota * u64::from(goal)).div_ceil(of_goal),
        None => quota,
    };
    let targets = cells.iter().enumerate().map(|(number, (conditions, quota))| StudyControlTarget {
        name: format!("control {}", number + 1),
        completes: quota.and_then(|quota| completes(quota).try_into().ok()).unwrap_or(0),
        conditions: conditions.iter().map(|(question, it)| StudyCondition::of(*question, it)).collect(),
    });
    StudyControl { name: "control".to_owned(), targets: targets.collect() }
}
