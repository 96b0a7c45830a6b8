//! The table of what each version has, in the guide to versions: it is what the wire's modules implement.
//! `CINTX_WRITE_GUIDE=1` writes it there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use syn::{Expr, Item, Lit, Meta};

use crate::{parsed, rust_files, source};

/// What comes before the table in the guide, and what after it.
const HEADING: &str = "## Capabilities by version\n\n";
const NEXT: &str = "\n## ";

/// The traits that each version's module implements for its marker, by the version's folder.
fn implemented() -> BTreeMap<String, BTreeSet<String>> {
    let wire = source().join("wire");
    let mut versions = BTreeMap::new();
    for folder in std::fs::read_dir(&wire).unwrap().map(|entry| entry.unwrap().path()) {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.starts_with("v20") {
            continue;
        }
        let areas = std::fs::read_to_string(folder.join("mod.rs")).unwrap();
        let shared = areas.split("../common/").skip(1).filter_map(|rest| rest.split_once('"'));
        let shared = shared.map(|(file, _)| wire.join("common").join(file));
        let own = rust_files(&folder).into_iter();
        versions.insert(name, own.chain(shared).flat_map(|file| capabilities_in(&file)).collect());
    }
    assert!(versions.len() > 2, "{versions:?}");
    versions
}

/// The capability traits that a file implements.
fn capabilities_in(file: &Path) -> Vec<String> {
    let traits = parsed(file).items.into_iter().filter_map(|item| match item {
        Item::Impl(item) => Some(item.trait_?.0.segments.last()?.ident.to_string()),
        _ => None,
    });
    traits.filter(|name| name.starts_with("Has")).collect()
}

/// What each capability is, by its trait: what its documentation says after "The versions".
fn descriptions() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for item in rust_files(&source()).iter().flat_map(|file| parsed(file).items) {
        let Item::Trait(item) = item else { continue };
        let name = item.ident.to_string();
        if !name.starts_with("Has") {
            continue;
        }
        let lines = item.attrs.iter().filter(|attribute| attribute.path().is_ident("doc")).filter_map(|attribute| {
            let Meta::NameValue(value) = &attribute.meta else { return None };
            let Expr::Lit(text) = &value.value else { return None };
            if let Lit::Str(text) = &text.lit { Some(text.value().trim().to_owned()) } else { None }
        });
        let text = lines.collect::<Vec<_>>().join(" ");
        let first = text.split(['.', ':', ';']).next().unwrap_or_default();
        let what = first.strip_prefix("The versions ").unwrap_or_else(|| panic!("{name} is described as {first:?}"));
        found.insert(name, what.to_owned());
    }
    found
}

fn table() -> String {
    let (versions, descriptions) = (implemented(), descriptions());
    let date = |folder: &String| folder.trim_start_matches('v').replace('_', "-");
    let mut table = String::from("| the versions … | trait |");
    versions.keys().for_each(|version| table += &format!(" {} |", date(version)));
    table += &format!("\n|---|---|{}\n", "---|".repeat(versions.len()));
    for (name, what) in &descriptions {
        table += &format!("| {what} | `{name}` |");
        for has in versions.values() {
            table += if has.contains(name) { " yes |" } else { " |" };
        }
        table.push('\n');
    }
    table
}

#[test]
fn the_guide_says_what_each_version_has() {
    let path = source().join("../guide/versions.md");
    let guide = std::fs::read_to_string(&path).unwrap();
    let start = guide.find(HEADING).unwrap() + HEADING.len();
    let end = start + guide[start..].find(NEXT).unwrap();
    let table = table();
    if std::env::var_os("CINTX_WRITE_GUIDE").is_some() {
        std::fs::write(&path, format!("{}{table}{}", &guide[..start], &guide[end..])).unwrap();
        return;
    }
    assert_eq!(&guide[start..end], table, "run this test with CINTX_WRITE_GUIDE=1");
}
