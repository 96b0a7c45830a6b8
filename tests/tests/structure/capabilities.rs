//! The table of what each version has, in the guide to versions: it is what the wire's modules implement.
//! `CINTX_WRITE_GUIDE=1` writes it there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use syn::{Attribute, Expr, Generics, ImplItem, Item, Lit, Meta, TypeParamBound, Visibility, WherePredicate};

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
        let text = documented(&item.attrs);
        let first = text.split(['.', ':', ';']).next().unwrap_or_default();
        let what = first.strip_prefix("The versions ").unwrap_or_else(|| panic!("{name} is described as {first:?}"));
        found.insert(name, what.to_owned());
    }
    found
}

/// What the documentation of a call can say of the versions that have it: "From 2025-02-17 on" if all later ones do,
/// which stays true when another comes; else each of them, or, if they are the first ones, "Before" the next.
fn said_of(trait_name: &str, versions: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let has: Vec<(String, bool)> = versions.iter().map(|(name, has)| (date(name), has.contains(trait_name))).collect();
    let first = has.iter().position(|(_, has)| *has).unwrap_or_else(|| panic!("no version has {trait_name}"));
    let Some(gone) = has[first..].iter().position(|(_, has)| !has).map(|after| first + after) else {
        return vec![vec![format!("From {} on", has[first].0)]];
    };
    let each = has.iter().filter(|(_, has)| *has).map(|(date, _)| date.clone()).collect();
    let are_first = first == 0 && has[gone..].iter().all(|(_, has)| !has);
    let before = are_first.then(|| vec![format!("Before {}", has[gone].0)]);
    [each].into_iter().chain(before).collect()
}

/// The documentation of an item as one line.
fn documented(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).filter_map(|attribute| {
        let Meta::NameValue(value) = &attribute.meta else { return None };
        let Expr::Lit(text) = &value.value else { return None };
        if let Lit::Str(text) = &text.lit { Some(text.value().trim().to_owned()) } else { None }
    });
    lines.collect::<Vec<_>>().join(" ")
}

/// The capability that a method asks of its version by `where V: Has...`.
fn asked(generics: &Generics) -> Option<String> {
    let bounds = generics.where_clause.iter().flat_map(|clause| &clause.predicates).filter_map(|it| match it {
        WherePredicate::Type(it) => Some(&it.bounds),
        _ => None,
    });
    let names = bounds.flatten().filter_map(|bound| match bound {
        TypeParamBound::Trait(bound) => Some(bound.path.segments.last()?.ident.to_string()),
        _ => None,
    });
    names.into_iter().find(|name| name.starts_with("Has"))
}

#[test]
fn a_call_that_some_versions_lack_says_which_have_it() {
    let versions = implemented();
    let (mut checked, mut silent) = (0, Vec::new());
    for file in rust_files(&source()) {
        for item in parsed(&file).items {
            let Item::Impl(item) = item else { continue };
            for method in &item.items {
                let ImplItem::Fn(method) = method else { continue };
                let is_public = matches!(method.vis, Visibility::Public(_));
                let Some(capability) = asked(&method.sig.generics).filter(|_| is_public) else { continue };
                let (text, name) = (documented(&method.attrs), &method.sig.ident);
                let ways = said_of(&capability, &versions);
                let is_said = ways.iter().any(|way| way.iter().all(|said| text.contains(said)));
                if !is_said {
                    silent.push(format!("{}: {name} needs {capability}: say one of {ways:?}", file.display()));
                }
                checked += 1;
            }
        }
    }
    assert!(silent.is_empty(), "{}", silent.join("\n"));
    assert!(checked > 40, "{checked} calls were looked at");
}

/// The advice of each capability's diagnostic.
fn advice() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for item in rust_files(&source()).iter().flat_map(|file| parsed(file).items) {
        let Item::Trait(item) = item else { continue };
        let is_diagnostic =
            |it: &&Attribute| it.path().segments.last().is_some_and(|it| it.ident == "on_unimplemented");
        let Some(attribute) = item.attrs.iter().find(is_diagnostic) else { continue };
        let tokens = attribute.meta.require_list().unwrap().tokens.clone();
        let texts = tokens.into_iter().filter_map(|token| syn::parse2::<syn::LitStr>(token.into()).ok());
        found.insert(item.ident.to_string(), texts.map(|text| text.value()).collect::<Vec<_>>().join(": "));
    }
    found
}

/// The client that has a capability, as a diagnostic can advise it: true when another version comes.
fn client_that_has(trait_name: &str, versions: &BTreeMap<String, BTreeSet<String>>) -> String {
    let has: Vec<(String, bool)> = versions.iter().map(|(name, has)| (date(name), has.contains(trait_name))).collect();
    let dates: Vec<&str> = has.iter().filter(|(_, has)| *has).map(|(date, _)| &**date).collect();
    let (first, last) = (dates[0], dates[dates.len() - 1]);
    match (has[0].1, has[has.len() - 1].1) {
        (_, true) => format!("client of {first} or later"),
        (true, false) => format!("client of {last} or earlier"),
        (false, false) if first == last => format!("client of {first} alone"),
        (false, false) => format!("client of {}", dates.join(" or ")),
    }
}

#[test]
fn the_client_that_a_diagnostic_advises_has_the_capability() {
    let (versions, advice) = (implemented(), advice());
    let (mut advised, mut faults) = (0, Vec::new());
    for (name, text) in advice.iter().filter(|(name, _)| versions.values().any(|has| has.contains(*name))) {
        let expected = client_that_has(name, &versions);
        let clients: Vec<&str> = text.match_indices("client of ").map(|(place, _)| &text[place..]).collect();
        let is_it = |client: &&str| client.starts_with(&expected) && !client[expected.len()..].starts_with(" or ");
        faults.extend(clients.iter().filter(|it| !is_it(it)).map(|it| format!("{name}: {it:?}, and not {expected:?}")));
        advised += clients.len();
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(advised > 15 && advice.len() > 25, "{advised} of {} advise a client", advice.len());
}

/// Every file that users read: sources, guides and the pages of the repository.
fn read_by_users() -> Vec<(String, String)> {
    let root = source().join("../..");
    let mut files = rust_files(&source());
    for folder in ["cintx/guide", "docs", "docs/book", "docs/migrations", ""] {
        let entries = std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        files.extend(entries.filter(|path| path.extension().is_some_and(|it| it == "md")));
    }
    let text = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        let lines = text.lines().map(|line| line.trim().trim_start_matches('/').trim_start_matches('!').trim());
        lines.collect::<Vec<_>>().join(" ").replace("\\ ", "")
    };
    files.iter().map(|path| (path.display().to_string(), text(path))).collect()
}

#[test]
fn no_version_is_said_to_be_the_last() {
    let dates: Vec<String> = implemented().keys().map(|folder| date(folder)).collect();
    let newest = dates.last().unwrap();
    let (mut clients, mut faults) = (0, Vec::new());
    for (path, text) in read_by_users() {
        for date in &dates {
            for (place, found) in text.match_indices(&format!("client of {date}")) {
                let rest = &text[place + found.len()..];
                clients += 1;
                if !["or later", "or earlier", "or 20", "alone"].iter().any(|more| rest.trim_start().starts_with(more))
                {
                    let shown: String = text[place..].chars().take(60).collect();
                    faults.push(format!(
                        "{path}: {shown:?} lacks \"or later\", \"or earlier\", \"alone\" or another version"
                    ));
                }
            }
        }
        // What a document of the newest version says is its own; what a call does there holds for later ones.
        if path.ends_with(".rs") && !path.contains("/wire/") {
            for word in ["nly in", "nly", " in", "ot in", "key in", "(in"] {
                if text.contains(&format!("{word} {newest}")) {
                    faults.push(format!("{path} says \"{word} {newest}\": say \"from {newest} on\" or \"before\""));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(clients > 20, "only {clients} clients are advised");
}

fn date(folder: &str) -> String {
    folder.trim_start_matches('v').replace('_', "-")
}

fn table() -> String {
    let (versions, descriptions) = (implemented(), descriptions());
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
