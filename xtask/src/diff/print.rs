//! A difference as text for the terminal, as Markdown for a pull request, as JSON for other tools.
//! The worst comes first; what is the same everywhere is said once.

use std::fmt::Write as _;

use anyhow::Result;
use clap::ValueEnum;

use super::{Change, Difference, Effect, Policy};

/// How a difference is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Md,
    Json,
}

const SECTIONS: [(Effect, &str); 4] = [
    (Effect::Compilation, "Breaks compilation"),
    (Effect::Decoding, "Breaks decoding"),
    (Effect::Behaviour, "Changes behaviour"),
    (Effect::Additive, "Additive"),
];

pub(super) fn print(difference: &Difference, format: Format) -> Result<String> {
    match format {
        Format::Json => Ok(serde_json::to_string_pretty(difference)?),
        Format::Text => Ok(text(difference)),
        Format::Md => Ok(markdown(difference)),
    }
}

/// A change in one line, without marks.
fn line(change: &Change) -> String {
    let mut line = match change.subject.as_str() {
        "" => change.what.clone(),
        subject => format!("{subject}: {}", change.what),
    };
    if change.effects.contains(&Effect::Compilation) && change.effects.contains(&Effect::Decoding) {
        line.push_str("; releases that are out cannot read it");
    }
    match (change.worst(), change.policy) {
        (Effect::Additive, Policy::Breaking) => line.push_str(" (breaking by Cint's policy, harmless here)"),
        (Effect::Compilation | Effect::Decoding | Effect::Behaviour, Policy::Additive) => {
            line.push_str(" (additive by Cint's policy)");
        }
        _ => {}
    }
    if !change.evidence.is_empty() {
        let _ = write!(line, " [{}]", change.evidence.join("; "));
    }
    if change.operations.len() > 1 {
        let _ = write!(line, " (in {} operations)", change.operations.len());
    }
    line
}

fn text(difference: &Difference) -> String {
    let mut text = difference.summary();
    for (effect, title) in SECTIONS {
        if difference.count(effect) > 0 {
            let _ = write!(text, "\n\n{title}:");
            for change in difference.with(effect) {
                let _ = write!(text, "\n  {}", line(change));
            }
        }
    }
    text
}

fn markdown(difference: &Difference) -> String {
    let mut text = format!("{}.\n", difference.summary());
    for (effect, title) in SECTIONS {
        if difference.count(effect) > 0 {
            let _ = write!(text, "\n## {title}\n\n");
            for change in difference.with(effect) {
                let subject =
                    if change.subject.is_empty() { String::new() } else { format!("{}: ", code(&change.subject)) };
                let without = Change { subject: String::new(), ..change.clone() };
                let _ = writeln!(text, "- {subject}{}", line(&without));
            }
        }
    }
    text
}

/// A subject in Markdown: its name as code, the rest as words.
pub(crate) fn code(subject: &str) -> String {
    match subject.split_once(", ") {
        Some((id, rest)) => format!("`{id}`, {rest}"),
        None => format!("`{subject}`"),
    }
}
