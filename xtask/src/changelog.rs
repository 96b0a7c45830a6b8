//! `cargo xtask changelog`: what a new document means for users, as an entry of CHANGELOG.md.
//! A block per step stands under "Unreleased"; what is written around it by hand stays, and so does a released block.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail, ensure};
use sha2::{Digest as _, Sha256};

use crate::diff::{self, Change, Difference, Effect, Policy, Sides};
use crate::workspace::Workspace;

const FILE: &str = "CHANGELOG.md";
const HEADING: &str = "\n## Unreleased\n";
const CLOSING: &str = "<!-- end of generated -->\n";
/// How many changes of a kind an entry names before it only counts them.
const MOST: usize = 12;

/// Writes the entry of the step from one document to another; answers whether it was there as it would be written.
/// Documents that are the same have no entry, and no answer.
pub(crate) fn run(workspace: &Workspace, sides: &Sides<'_>, check: bool) -> Result<Option<bool>> {
    let difference = diff::of(workspace, sides)?;
    if difference.changes.is_empty() {
        return Ok(None);
    }
    let Some((path, merged)) = put(workspace, &difference, Released::Refuse)? else { bail!("cannot read {FILE}") };
    let up_to_date = std::fs::read_to_string(&path).is_ok_and(|current| current == merged);
    if !check && !up_to_date {
        workspace.write_all([(path, merged)])?;
    }
    Ok(Some(up_to_date))
}

/// The changelog with the entry of a document that is being imported; none where there is no changelog.
pub(crate) fn with_entry(workspace: &Workspace, difference: &Difference) -> Result<Option<(PathBuf, String)>> {
    put(workspace, difference, Released::Repeat)
}

/// What to do about a step that stands under a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Released {
    /// Somebody asks for an entry that is history.
    Refuse,
    /// A document has changed the same way again: what Cint had taken back has come back.
    Repeat,
}

fn put(workspace: &Workspace, difference: &Difference, released: Released) -> Result<Option<(PathBuf, String)>> {
    let path = workspace.root().join(FILE);
    let Ok(current) = std::fs::read_to_string(&path) else { return Ok(None) };
    let merged = merge(&current, &opening(difference)?, &entry(difference), released)?;
    Ok(Some((path, merged)))
}

fn opening(difference: &Difference) -> Result<String> {
    let step = format!("{} to {}", difference.old, difference.new);
    if is_step(difference) {
        return Ok(format!("<!-- generated: {step} -->\n"));
    }
    // A document can change under its date again: each change has an entry of its own. The entry's words would not tell
    // them apart, since it does not name everything.
    let hash = Sha256::digest(serde_json::to_vec(&difference.changes)?);
    let hash: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("<!-- generated: {step} ({hash}) -->\n"))
}

/// Whether it is the step from one dated version to another, and no change under a date.
fn is_step(difference: &Difference) -> bool {
    is_date(&difference.old) && is_date(&difference.new) && difference.old != difference.new
}

fn is_date(name: &str) -> bool {
    name.len() == 10 && name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// The entry: what breaks by name, what is additive by its operations; of the rest a step of versions has the number,
/// since its page names it, and a change under a date the names.
pub(crate) fn entry(difference: &Difference) -> String {
    let title = match is_step(difference) {
        true => format!(
            "- `cintx-raw`: version {new}; `docs/migrations/{old}-to-{new}.md` says how to get there from {old}.\n",
            old = difference.old,
            new = difference.new
        ),
        false => format!("- `cintx-raw`: {} as Cint publishes it now.\n", difference.old),
    };
    let of = |effect: Effect| difference.with(effect);
    let mut text = title;
    text.push_str(&list("Breaks compilation", of(Effect::Compilation).collect()));
    text.push_str(&list("Releases that are out cannot read", of(Effect::Decoding).collect()));
    text.push_str(&list("Behaves otherwise", of(Effect::Behaviour).collect()));
    let is_operation = |change: &&Change| {
        change.policy == Policy::Additive && change.what.ends_with(" is new") && change.what.contains(" /")
    };
    text.push_str(&list("New operations", of(Effect::Additive).filter(is_operation).collect()));
    let rest: Vec<&Change> = of(Effect::Additive).filter(|change| !is_operation(change)).collect();
    match is_step(difference) {
        false => text.push_str(&list("Additive besides", rest)),
        true if rest.is_empty() => {}
        true => _ = writeln!(text, "  - Additive besides: {}.", rest.len()),
    }
    text
}

fn list(title: &str, changes: Vec<&Change>) -> String {
    if changes.is_empty() {
        return String::new();
    }
    let mut names: Vec<String> = changes
        .iter()
        .take(MOST)
        .map(|change| match (change.subject.as_str(), change.what.contains(" /")) {
            ("", _) => change.what.clone(),
            // The place of an operation is in the migration page.
            (subject, true) if change.what.ends_with(" is gone") => format!("{} is gone", diff::code(subject)),
            (subject, true) if change.what.ends_with(" is new") => diff::code(subject),
            (subject, _) => format!("{} {}", diff::code(subject), change.what),
        })
        .collect();
    if changes.len() > MOST {
        names.push(format!("{} more", changes.len() - MOST));
    }
    format!("  - {title}: {}.\n", names.join("; "))
}

/// What the entries of a release stand under.
const API: &str = "\n### API\n\n";

/// Puts the entry under "Unreleased", in place of an earlier one of the same step. A block under a release is history.
fn merge(current: &str, opening: &str, entry: &str, released: Released) -> Result<String> {
    let block = format!("{opening}{entry}{CLOSING}");
    let Some(start) = current.find(HEADING).map(|at| at + HEADING.len()) else {
        // With a release the heading became the release's.
        let at = current.find("\n## ").unwrap_or(current.len());
        return merge(&format!("{}{HEADING}{}", &current[..at], &current[at..]), opening, entry, released);
    };
    let end = current[start..].find("\n## ").map_or(current.len(), |length| start + length);
    let unreleased = &current[start..end];
    if let Some(at) = unreleased.find(opening) {
        let length = unreleased[at..].find(CLOSING).context("a generated block of CHANGELOG.md has no end")?;
        let (from, to) = (start + at, start + at + length + CLOSING.len());
        return Ok(format!("{}{block}{}", &current[..from], &current[to..]));
    }
    let is_history = released == Released::Refuse && current[end..].contains(opening);
    ensure!(!is_history, "{FILE} has this step under a release already");
    // One heading of a release holds the entries of all steps.
    if let Some(at) = unreleased.find(API) {
        let (before, entries) = current.split_at(start + at + API.len());
        return Ok(format!("{before}{block}\n\n{entries}"));
    }
    Ok(format!("{}{API}{block}{}", &current[..start], &current[start..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(workspace: &Workspace, old: &str, new: &str, check: bool) -> Result<Option<bool>> {
        super::run(workspace, &Sides { old, new, date: None }, check)
    }
    use crate::fixture::{DATE, KENNELS, Temporary};

    const BY_HAND: &str = "# Changelog\n\n## Unreleased\n\n### Changed\n\n- By hand.\n\n## 0.1.0\n\n- First.\n";

    fn changed() -> (Temporary, String) {
        let at = Temporary::with_kennels();
        std::fs::write(at.workspace.root().join(FILE), BY_HAND).unwrap();
        let text = KENNELS
            .replace("[calm, playful]", "[calm, sleepy]")
            .replace("  /kennels/{kennel_id}/dogs/{dog_id}:", "  /v3/kennels/{kennel_id}/dogs/{dog_id}:");
        let file = at.download("newer.yaml", text).to_str().unwrap().to_owned();
        (at, file)
    }

    #[test]
    fn an_entry_names_what_breaks_and_hand_written_passages_survive() {
        let (at, file) = changed();
        let read = || std::fs::read_to_string(at.workspace.root().join(FILE)).unwrap();
        assert_eq!(run(&at.workspace, DATE, DATE, false).unwrap(), None);
        assert!(!run(&at.workspace, DATE, &file, true).unwrap().unwrap());
        assert_eq!(read(), BY_HAND, "the same document and a check write nothing");
        assert!(!run(&at.workspace, DATE, &file, false).unwrap().unwrap());
        let text = read();
        for said in [
            "  - Breaks compilation: `Mood` the value \"playful\" is gone.\n",
            "  - Behaves otherwise: `release_dog` is at DELETE /v3/kennels",
            "  - Additive besides: `Mood` the value \"sleepy\" is new.\n",
            "\n### Changed\n\n- By hand.\n\n## 0.1.0\n\n- First.\n",
        ] {
            assert!(text.contains(said), "{said:?} is not in {text}");
        }
        let edited = text.replace("playful", "lively").replace("- By hand.", "- By hand, again.");
        std::fs::write(at.workspace.root().join(FILE), edited).unwrap();
        assert!(!run(&at.workspace, DATE, &file, true).unwrap().unwrap(), "the generated block was edited");
        run(&at.workspace, DATE, &file, false).unwrap();
        assert!(read().contains("\"playful\" is gone") && read().contains("- By hand, again."), "{}", read());
        assert!(run(&at.workspace, DATE, &file, true).unwrap().unwrap());
    }

    #[test]
    fn a_second_change_under_a_date_keeps_the_first_entry_and_follows_a_release() {
        let (at, file) = changed();
        let path = at.workspace.root().join(FILE);
        let read = || std::fs::read_to_string(&path).unwrap();
        run(&at.workspace, DATE, &file, false).unwrap();
        let again = KENNELS.replace("[calm, playful]", "[calm, playful, sleepy]");
        let file = at.download("newer.yaml", again).to_str().unwrap().to_owned();
        run(&at.workspace, DATE, &file, false).unwrap();
        assert_eq!(read().matches("\n### API\n").count(), 1, "both stand under one heading: {}", read());
        let text = read();
        assert_eq!(text.matches("<!-- generated: ").count(), 2, "{text}");
        assert!(text.contains("the value \"playful\" is gone") && text.contains("Additive besides: `Mood`"), "{text}");
        let third = KENNELS.replace("[calm, playful]", "[calm]");
        let file = at.download("newer.yaml", third).to_str().unwrap().to_owned();
        std::fs::write(&path, text.replace("## Unreleased", "## 0.2.0")).unwrap();
        run(&at.workspace, DATE, &file, false).unwrap();
        let text = read();
        let (unreleased, released) = (text.find("## Unreleased").unwrap(), text.find("## 0.2.0").unwrap());
        assert!(unreleased < released && text.matches("<!-- generated: ").count() == 3, "{text}");
    }

    #[test]
    fn a_released_entry_stays() {
        let (at, file) = changed();
        run(&at.workspace, DATE, &file, false).unwrap();
        let path = at.workspace.root().join(FILE);
        let released = std::fs::read_to_string(&path).unwrap().replace("## Unreleased", "## Unreleased\n\n## 0.2.0");
        std::fs::write(&path, &released).unwrap();
        let error = run(&at.workspace, DATE, &file, false).unwrap_err().to_string();
        assert!(error.contains("under a release already"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), released);
    }
}
