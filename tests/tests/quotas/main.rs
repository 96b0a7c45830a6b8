//! Audiences and quotas against the sandbox, on every version: what is built is sent as the document wants it and
//! means the same, what comes back is a table that is right, and every change in field keeps its margins.

mod draft;
mod guide;
mod in_field;
mod planning;
mod suggested;
mod wire;

#[path = "../domain/setup.rs"]
#[allow(dead_code)] // The setup has more than these tests need.
mod setup;

use cintx::audience::{Audience, Question};

/// Age and gender, interlocked: the guide's example.
fn age_and_gender() -> Audience {
    let age = Question::range(42).band(18..=34, 40).band(35..=54, 35).band(55..=99, 25);
    let gender = Question::choice(43).option("1", 49).option("2", 51);
    Audience::interlock([age, gender])
}

/// Every kind of condition and target side by side.
fn independent() -> Audience {
    Audience::independent([
        Question::range(42).band(18..=34, "33.33").bands("the others", [35..=54, 55..=99], "66.67"),
        Question::choice(43).option("1", 49).option("2", 51),
        Question::choice(113).option("1", 60).options("the others", ["2", "3"], 40),
        Question::open_ended(45).values("London", ["EC1A", "SW1A"], 100),
        Question::choice(47).option("1", ()).without_quotas(),
    ])
}
