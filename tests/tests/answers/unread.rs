//! The list of the leaves that nothing reads, each with the reason: `unread.txt`, which people review.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use cintx_raw::Operation;

/// A line is an operation and a place, and where it is not so in every version that has the operation, the versions:
/// `get_thing /items/*/note 2024-12-02 2025-02-17`. An operation `get_*` is every one that begins so, `**` in a place is
/// anything at all. The lines below a line that begins with `# ` have that reason. A line `= 2025-12-18 7` says how many
/// leaves that version does not read, which may only become fewer.
static LIST: LazyLock<String> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/answers/unread.txt");
    std::fs::read_to_string(path).unwrap()
});

/// How many leaves a version does not read.
pub(crate) fn allowed(date: &str) -> Option<usize> {
    LIST.lines().find_map(|line| line.strip_prefix("= ")?.strip_prefix(date)?.trim().parse().ok())
}

#[derive(Debug)]
struct Line {
    operation: &'static str,
    place: &'static str,
    versions: Vec<&'static str>,
}

impl Line {
    fn covers(&self, leaf: &str) -> bool {
        let Some((operation, place)) = leaf.split_once(' ') else { return false };
        let is_there = match self.place.split_once("**") {
            Some((start, end)) => place.starts_with(start) && place.ends_with(end),
            None => place == self.place,
        };
        is_there
            && match self.operation.strip_suffix('*') {
                Some(start) => operation.starts_with(start),
                None => operation == self.operation,
            }
    }
}

fn lines(date: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut has_reason = false;
    for text in LIST.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("= ")) {
        if let Some(reason) = text.strip_prefix("# ") {
            assert!(reason.ends_with('.') && reason.len() > 20, "{reason:?} is no reason");
            has_reason = true;
            continue;
        }
        assert!(has_reason, "{text:?} has no reason");
        let mut words = text.split_whitespace();
        let (Some(operation), Some(place)) = (words.next(), words.next()) else { panic!("{text:?} is no line") };
        let versions: Vec<&str> = words.collect();
        if versions.is_empty() || versions.contains(&date) {
            lines.push(Line { operation, place, versions });
        }
    }
    lines
}

/// Those that are not listed.
pub(crate) fn without_a_reason(date: &str, unread: &BTreeSet<String>) -> Vec<String> {
    let lines = lines(date);
    unread.iter().filter(|leaf| !lines.iter().any(|line| line.covers(leaf))).cloned().collect()
}

/// Every leaf that is not read is listed, and none that is.
pub(crate) fn every_one_is_explained(date: &str, unread: &BTreeSet<String>, problems: &mut Vec<String>) {
    let lines = lines(date);
    for leaf in without_a_reason(date, unread) {
        problems.push(format!("not read, without a reason: {leaf}"));
    }
    let operations: BTreeSet<&str> = unread.iter().filter_map(|leaf| leaf.split(' ').next()).collect();
    for line in lines.iter().filter(|line| !unread.iter().any(|leaf| line.covers(leaf))) {
        // What other versions alone have is theirs to tell.
        if !line.versions.is_empty() || operations.contains(line.operation) {
            problems.push(format!("listed, and read or gone: {} {}", line.operation, line.place));
        }
    }
}

/// The files that a version's calls are in: those of its folder, and those of `common` that it lists.
fn files(date: &str) -> Vec<PathBuf> {
    let wire = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cintx/src/wire");
    let folder = wire.join(format!("v{}", date.replace('-', "_")));
    let list = std::fs::read_to_string(folder.join("mod.rs")).unwrap();
    let common = list.lines().filter_map(|line| line.strip_prefix("#[path = \"")?.strip_suffix("\"]"));
    let mut files: Vec<PathBuf> = common.map(|path| folder.join(path)).collect();
    files.extend(std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()));
    files
}

/// The operations that the facade calls, found in its source.
pub(crate) fn operations(date: &str, table: &'static [&'static Operation]) -> Vec<&'static str> {
    let mut called = BTreeSet::new();
    for path in files(date) {
        // A call may stand on the line below its client.
        let source = std::fs::read_to_string(path).unwrap();
        let source = source.split_whitespace().collect::<Vec<_>>().join(" ").replace("raw .", "raw.");
        let is_name = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
        called.extend(source.split("raw.").skip(1).map(|rest| rest.chars().take_while(is_name).collect::<String>()));
    }
    // What is optional about an operation has a method of its own.
    let is_called = |id: &&str| called.contains(*id) || called.contains(&format!("{id}_with"));
    let called: Vec<&str> = table.iter().map(|row| row.id).filter(is_called).collect();
    assert!(called.len() > 60, "{date}: only {called:?}");
    called
}
