//! Which operations the SDK calls: found in its source, so that none with a body is without a golden one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cintx::Version;
use cintx_tests::document::Document;

/// The files that a version's calls are in: those of its folder, and those of `common` that it lists.
fn files(date: &str) -> Vec<PathBuf> {
    let wire = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cintx/src/wire");
    let folder = wire.join(format!("v{}", date.replace('-', "_")));
    let list = std::fs::read_to_string(folder.join("mod.rs")).unwrap();
    let common = list.lines().filter_map(|line| line.strip_prefix("#[path = \"")?.strip_suffix("\"]"));
    let mut files: Vec<PathBuf> = common.map(|path| folder.join(path)).collect();
    files.extend(std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()));
    assert!(files.len() > 20, "{files:?}");
    files
}

/// The methods of the client that are called in a source.
fn methods(source: &str) -> BTreeSet<String> {
    // A call may stand on the line below its client.
    let source = source.split_whitespace().collect::<Vec<_>>().join(" ").replace("raw .", "raw.");
    let is_name = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    let names = source.split("raw.").skip(1).map(|rest| rest.chars().take_while(is_name).collect::<String>());
    // What is optional about an operation has a method of its own.
    names.map(|name| name.strip_suffix("_with").unwrap_or(&name).to_owned()).collect()
}

/// Every operation with a body that the version's calls consist of was called; and no other was, so none is overlooked.
pub fn every_one_is_made<V: Version>(sent: &BTreeSet<String>) {
    let mut called: BTreeSet<String> =
        files(V::DATE).iter().flat_map(|path| methods(&std::fs::read_to_string(path).unwrap())).collect();
    // The server-to-server API has no versions.
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cintx/src/respondent/server_to_server.rs");
    if std::fs::read_to_string(source).unwrap().contains("Operation::respondent_transition()") {
        called.insert(cintx_raw::Operation::respondent_transition().id.to_owned());
    }
    let document = Document::of(V::DATE);
    let with_body: BTreeSet<&str> = document
        .operations()
        .iter()
        .filter(|operation| operation.operation.get("requestBody").is_some())
        .map(|operation| {
            let row =
                V::OPERATIONS.iter().find(|row| row.path == operation.path && row.method.as_str() == operation.method);
            row.unwrap().id
        })
        .collect();
    let ids_of = |ids: &BTreeSet<String>| -> BTreeSet<&str> {
        with_body.iter().copied().filter(|id| ids.contains(*id)).collect()
    };
    let (called, sent) = (ids_of(&called), ids_of(sent));
    assert!(called.len() > 30, "{called:?}");
    assert_eq!(called.difference(&sent).collect::<Vec<_>>(), Vec::<&&str>::new(), "called, and no body is golden");
    assert_eq!(sent.difference(&called).collect::<Vec<_>>(), Vec::<&&str>::new(), "sent, and no call was found");
}
