//! The audiences that the golden bodies are about: every kind of question and target, side by side, crossed, from a
//! template, with control quotas.

use cintx::Version;
use cintx::audience::{Audience, Condition, ControlQuotas, Question};

/// Bands, one alone and two together.
pub fn age() -> Question {
    Question::range(42).band(18..=34, 40).bands("the others", [35..=54, 60..=99], 60)
}

pub fn gender() -> Question {
    Question::choice(43).option("1", 49).option("2", 51)
}

/// What no question is missing from: bands, options, texts, any text, quotas that are off.
fn side_by_side() -> Audience {
    Audience::independent([
        age(),
        gender(),
        Question::choice(113).option("1", 60).options("the others", ["2", "3"], 40),
        Question::open_ended(45).values("London", ["EC1A", "SW1A"], 100),
        Question::open_ended(46).any_value(),
        Question::choice(47).option("1", ()).without_quotas(),
    ])
}

/// Two questions with single conditions, which every version can cross.
pub fn crossed() -> Audience {
    let age = Question::range(42).band(18..=34, 40).band(35..=99, 60);
    let income = Question::open_ended(45).values("London", ["EC1A", "SW1A"], 100);
    Audience::interlock([age, gender()]).and_question(income)
}

pub fn control() -> ControlQuotas {
    let young = (42, Condition::Range { min: 18, max: 34 });
    let men = (43, Condition::Option("1".into()));
    let women = (43, Condition::Option("2".into()));
    ControlQuotas::new("boosts").target("young men", [young, men], 50).target("women", [women], 20)
}

/// One for each way to write an audience.
pub fn all<V: Version>() -> Vec<Audience> {
    let mut all = vec![side_by_side(), side_by_side().in_percent(), crossed(), crossed().in_percent()];
    if V::DATE >= "2025-12-18" {
        all.push(side_by_side().control(control()));
        all.push(side_by_side().in_percent().control(control()));
        // Cells of several conditions have names.
        all.push(Audience::interlock([age(), gender()]));
        all.push(Audience::interlock([age(), gender()]).in_percent());
    }
    all
}
