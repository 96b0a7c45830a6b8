//! The way back to Cint comes from a confirmed transition, or for who was refused: from nothing before that.

use cintx::respondent::{Admitted, ServerToServer, TransitionResult, UnknownRespondent};

fn admitted(respondent: &Admitted) {
    let _ = respondent.exit_url();
}

fn not_confirmed(result: TransitionResult) {
    let _ = result.exit_url();
}

fn not_asked(s2s: &ServerToServer, respondent: &Admitted) {
    let _ = s2s.exit_url(respondent.rid());
}

fn not_given_up(unknown: &UnknownRespondent) {
    let _ = unknown.exit_url();
}

fn from_the_address(rid: &str) {
    let _ = format!("{}?RID={rid}", cintx::respondent::CALLBACK);
}

fn main() {}
