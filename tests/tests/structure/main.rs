//! The structure of `cintx`, held by tests: what stands at its root, and that each module says what it is for.

mod capabilities;
mod claims;
mod faults;
mod options;
mod studies;
mod writes;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cintx_tests::document::{Document, DocumentOperation};
use quote::ToTokens as _;
use syn::punctuated::Punctuated;
use syn::{Item, UseTree, Visibility};

/// The most names that the root may export; `docs/decisions.md` has what comparable crates export.
const MAX_ROOT_NAMES: usize = 40;

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../cintx/src")
}

fn parsed(path: &Path) -> syn::File {
    let text = std::fs::read_to_string(path).unwrap();
    syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn names(tree: &UseTree, out: &mut Vec<String>) {
    match tree {
        UseTree::Path(path) => names(&path.tree, out),
        UseTree::Name(name) => out.push(name.ident.to_string()),
        UseTree::Rename(rename) => out.push(rename.rename.to_string()),
        UseTree::Group(group) => group.items.iter().for_each(|tree| names(tree, out)),
        // The markers of the versions that are switched on.
        UseTree::Glob(_) => out.extend(["V2024_12_02", "V2025_02_17", "V2025_12_18"].map(str::to_owned)),
    }
}

#[test]
fn the_root_exports_few_names() {
    let mut exported = Vec::new();
    for item in parsed(&source().join("lib.rs")).items {
        if let Item::Use(item) = item
            && matches!(item.vis, Visibility::Public(_))
        {
            names(&item.tree, &mut exported);
        }
    }
    assert!(exported.iter().any(|name| name == "Client"), "{exported:?}");
    assert!(exported.len() <= MAX_ROOT_NAMES, "{} names at the root: {exported:?}", exported.len());
    let said = format!("{} names at the root", exported.len());
    assert!(include_str!("../../../CHANGELOG.md").contains(&said), "the changelog does not say: {said}");
}

fn source_files() -> Vec<PathBuf> {
    let files = rust_files(&source());
    assert!(files.len() > 50, "only {} files were found", files.len());
    files
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}

#[test]
fn every_module_says_what_lives_there() {
    for path in source_files() {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{} does not say what lives there", path.display());
    }
}

/// What a model can do, so that a program can keep it: in a file, a queue, a test.
const MODEL_TRAITS: [&str; 5] = ["Clone", "Debug", "PartialEq", "Serialize", "Deserialize"];

/// Public types that are no models, so lack some of these traits. Whatever is generic over a version is a handle, a
/// builder or a query, and need not be listed.
const NO_MODELS: &[(&str, &[&str])] = &[
    ("they hold the errors of what failed", &["BatchEvent", "BatchResults"]),
    ("a right that ends when it is dropped", &["TokenLock"]),
    ("answers as they came, which may hold secrets", &["Answers", "KeptAnswer"]),
    ("of a pacer and its moment", &["AdaptivePacer", "Observation", "Pace", "PaceRequest", "Permit", "TooLate"]),
    (
        "errors: they hold causes, and are told, not kept",
        &[
            "Conflict",
            "Error",
            "EventError",
            "FieldError",
            "InboxError",
            "InvalidValue",
            "JournalError",
            "MissingEnvVar",
            "MoneyError",
            "NoReport",
            "ReceiveError",
            "RedirectError",
            "RepeatedCursor",
            "ReportError",
            "RowsError",
            "SignatureError",
            "TokenError",
            "TransportError",
        ],
    ),
    (
        "secrets, and what holds them: never written by accident",
        &[
            "AccessToken",
            "Credentials",
            "EntryLinks",
            "ExitLink",
            "ExitLinks",
            "Receiver",
            "ServerToServer",
            "ServerToServerBuilder",
            "StoredToken",
        ],
    ),
    ("handles on files and stores", &["FileJournal", "FileTokenStore", "Inbox", "MemoryInboxStore", "RedbInboxStore"]),
    ("the client's options: they are code", &["CallOptions", "OperationTimeouts", "RetryPolicy", "Timeouts"]),
    ("what was done, with errors", &["ApplyReport"]),
    ("what hooks borrow: one attempt, while it goes on", &["AttemptContext", "AttemptEvent"]),
    (
        "what Cint has answered comes from Cint alone: it holds the way back",
        &[
            "Confirmed",
            "Entry",
            "OutcomeConflict",
            "Refused",
            "TransitionResult",
            "UnansweredEntry",
            "UnknownRespondent",
        ],
    ),
    (
        "builders, jobs, lists and streams",
        &[
            "Batch",
            "BusinessUnitRef",
            "Feed",
            "IdList",
            "ItemStream",
            "Job",
            "ListRequest",
            "PageStream",
            "Received",
            "ReportRows",
            "Snapshots",
            "StudyGroupBuilder",
        ],
    ),
    (
        "sets and sums of any number of respondents: written as CSV, or read part by part",
        &["BulkResults", "Corrections", "CostSummary", "KeptCompletes"],
    ),
];

/// Models that lack `Eq` or `Hash` although no floating-point number is in them, and why.
const NOT_COMPARED_EXACTLY: &[(&str, &[&str])] =
    &[("it holds what `cintx-quota` found, which has no hash", &["QuotaWaysOut"])];

/// Enums of words that have no text of their own, and why.
const NO_WORDS: &[(&str, &[&str])] = &[];

/// A public type that is not generic over a version.
#[derive(Debug, Default)]
struct Model {
    traits: BTreeSet<String>,
    /// The names that its fields mention.
    mentions: BTreeSet<String>,
    /// Whether it is an enum none of whose variants holds anything.
    is_words: bool,
}

/// Models by their file below `cintx/src` and their name: names alone are not unique.
type Models = BTreeMap<(String, String), Model>;

fn mentioned(tokens: proc_macro2::TokenStream, out: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            proc_macro2::TokenTree::Ident(name) => drop(out.insert(name.to_string())),
            proc_macro2::TokenTree::Group(group) => mentioned(group.stream(), out),
            _ => {}
        }
    }
}

/// The public types of a file, with what each derives.
fn models(name: &str, file: &syn::File, out: &mut Models) {
    for item in &file.items {
        let (ident, attrs, vis, generics) = match item {
            Item::Struct(it) => (&it.ident, &it.attrs, &it.vis, &it.generics),
            Item::Enum(it) => (&it.ident, &it.attrs, &it.vis, &it.generics),
            _ => continue,
        };
        let hidden = attrs
            .iter()
            .any(|it| it.path().is_ident("doc") && it.meta.to_token_stream().to_string().contains("hidden"));
        let versioned = generics.to_token_stream().to_string().contains("Version");
        if !matches!(vis, Visibility::Public(_)) || hidden || versioned {
            continue;
        }
        let model = out.entry((name.to_owned(), ident.to_string())).or_default();
        for derive in attrs.iter().filter(|it| it.path().is_ident("derive")) {
            let paths = derive.parse_args_with(Punctuated::<syn::Path, syn::Token![,]>::parse_terminated).unwrap();
            model.traits.extend(paths.iter().map(|path| path.segments.last().unwrap().ident.to_string()));
        }
        match item {
            Item::Struct(it) => it.fields.iter().for_each(|it| mentioned(it.ty.to_token_stream(), &mut model.mentions)),
            Item::Enum(it) => {
                let fields = it.variants.iter().flat_map(|variant| &variant.fields);
                fields.for_each(|it| mentioned(it.ty.to_token_stream(), &mut model.mentions));
                model.is_words = it.variants.iter().all(|variant| variant.fields.is_empty());
            }
            _ => {}
        }
    }
}

/// What a file implements by hand, or by a macro such as `as_text!(Locale, Money)` and `word!(DueMonth: "a month")`:
/// types and traits. What compares or converts with another type is something else.
fn implementations(file: &syn::File) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for item in &file.items {
        match item {
            Item::Impl(it) => {
                if let (Some((path, _)), syn::Type::Path(of)) = (&it.trait_, &*it.self_ty) {
                    let of = of.path.segments.last().unwrap().ident.to_string();
                    let of_trait = path.segments.last().unwrap();
                    let of_itself = match &of_trait.arguments {
                        syn::PathArguments::AngleBracketed(list) => {
                            list.args.iter().all(|it| matches!(it, syn::GenericArgument::Lifetime(_)))
                        }
                        _ => true,
                    };
                    if of_itself {
                        out.push((of, of_trait.ident.to_string()));
                    }
                }
            }
            Item::Macro(it) if it.mac.path.is_ident("as_text") => {
                let names = it.mac.parse_body_with(Punctuated::<syn::Ident, syn::Token![,]>::parse_terminated).unwrap();
                let both = |name: &syn::Ident| ["Serialize", "Deserialize"].map(|it| (name.to_string(), it.to_owned()));
                out.extend(names.iter().flat_map(both));
            }
            Item::Macro(it) if it.mac.path.is_ident("word") => {
                let text = it.mac.tokens.to_string();
                let (head, _) = text.split_once(':').unwrap();
                let name = head.trim().trim_start_matches("from ").to_owned();
                out.extend(["FromStr", "Display"].map(|it| (name.clone(), it.to_owned())));
            }
            _ => {}
        }
    }
    out
}

/// The models of `cintx`, with everything that they implement.
fn all_models() -> Models {
    let (mut found, mut implemented) = (Models::new(), Vec::new());
    for path in source_files().into_iter().filter(|path| !path.starts_with(source().join("wire"))) {
        let (file, name) = (parsed(&path), path.strip_prefix(source()).unwrap().with_extension(""));
        let name = name.to_string_lossy().replace('\\', "/");
        models(&name, &file, &mut found);
        implemented.extend(implementations(&file).into_iter().map(|it| (name.clone(), it)));
    }
    for (file, (of, of_trait)) in implemented {
        // It is for the type of its own file, or for the only one of that name.
        let own = (file, of.clone());
        let mut named = found.keys().filter(|(_, name)| *name == of);
        let key = match (found.contains_key(&own), named.next(), named.next()) {
            (true, ..) => own,
            (false, Some(only), None) => only.clone(),
            _ => continue,
        };
        found.get_mut(&key).unwrap().traits.insert(of_trait);
    }
    assert!(found.len() > 100, "only {} types were found", found.len());
    found
}

/// Whether a list names a type: by its name, which then is the only one, or by `file::name`.
fn is_listed(lists: &[(&str, &[&str])], (file, name): &(String, String)) -> bool {
    lists.iter().flat_map(|(_, names)| *names).any(|listed| *listed == name || *listed == format!("{file}::{name}"))
}

/// What a list names that is no type, or several.
fn wrongly_listed(lists: &[(&str, &[&str])], found: &Models) -> Vec<String> {
    let names = lists.iter().flat_map(|(_, names)| *names);
    let count = |listed: &str| {
        found.keys().filter(|(file, name)| listed == name || listed == format!("{file}::{name}")).count()
    };
    names.filter(|it| count(it) != 1).map(|it| format!("{it} is the name of {} types", count(it))).collect()
}

#[test]
fn every_model_can_be_kept() {
    let found = all_models();
    // What holds a floating-point number, or something that does, is not compared exactly.
    let mut floats = BTreeSet::from(["f64".to_owned(), "f32".to_owned()]);
    loop {
        let more = found.iter().filter(|(_, model)| !model.mentions.is_disjoint(&floats)).map(|((_, name), _)| name);
        let more: Vec<String> = more.filter(|name| !floats.contains(*name)).cloned().collect();
        if more.is_empty() {
            break;
        }
        floats.extend(more);
    }
    let mut problems = wrongly_listed(NO_MODELS, &found);
    problems.extend(wrongly_listed(NOT_COMPARED_EXACTLY, &found));
    for (key, model) in &found {
        let (file, name) = key;
        let missing: Vec<&str> = MODEL_TRAITS.into_iter().filter(|it| !model.traits.contains(*it)).collect();
        match (missing.is_empty(), is_listed(NO_MODELS, key)) {
            (false, false) => problems.push(format!("{file}::{name} lacks {}", missing.join(", "))),
            (true, true) => problems.push(format!("{file}::{name} is a model: take it from the list")),
            (true, false) if model.is_words && !model.traits.contains("Ord") => {
                problems.push(format!("{file}::{name} lacks Ord: it is words alone"));
            }
            (true, false) => {
                let exactly = ["Eq", "Hash"].iter().all(|it| model.traits.contains(*it));
                let expected = model.mentions.is_disjoint(&floats) && !is_listed(NOT_COMPARED_EXACTLY, key);
                if expected && !exactly {
                    problems.push(format!("{file}::{name} lacks Eq or Hash"));
                }
            }
            (false, true) => {}
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
    let secrets = ["Secret", "AccessToken", "Credentials", "StoredToken"];
    let written = found.iter().filter(|((_, name), it)| secrets.contains(&&**name) && it.traits.contains("Serialize"));
    assert_eq!(written.map(|(key, _)| key).collect::<Vec<_>>(), Vec::<&(String, String)>::new());
}

#[test]
fn every_kept_word_is_printed_and_parsed() {
    let found = all_models();
    let mut problems = wrongly_listed(NO_WORDS, &found);
    let words = found.iter().filter(|(_, model)| model.is_words && model.traits.contains("Serialize"));
    let words: Vec<_> = words.collect();
    assert!(words.len() > 15, "only {} enums of words were found", words.len());
    for (key, model) in words {
        let has_text = ["Display", "FromStr"].iter().all(|it| model.traits.contains(*it));
        if has_text == is_listed(NO_WORDS, key) {
            problems.push(format!("{}::{} has a text: {has_text}", key.0, key.1));
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

/// The most lines that the tracker of the examples may have, all of its files together.
const MAX_TRACKER_LINES: usize = 149;

#[test]
fn the_tracker_is_short() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut files = rust_files(&examples.join("tracker"));
    files.push(examples.join("tracker.rs"));
    let lines: usize = files.iter().map(|path| std::fs::read_to_string(path).unwrap().lines().count()).sum();
    assert!(files.len() > 1 && lines <= MAX_TRACKER_LINES, "{lines} lines in {} files", files.len());
}

/// The longest that an entry of the changelog may be.
const MAX_ENTRY_CHARS: usize = 250;

#[test]
fn the_changelog_has_short_entries() {
    let text = include_str!("../../../CHANGELOG.md");
    let entries: Vec<&str> = text.lines().filter(|line| line.starts_with("- ")).collect();
    let long: Vec<&&str> = entries.iter().filter(|entry| entry.chars().count() > MAX_ENTRY_CHARS).collect();
    assert!(entries.len() > 20 && long.is_empty(), "{long:#?}");
}

/// The longest body that a macro may have: rustfmt and rust-analyzer do not see inside.
const MAX_MACRO_LINES: usize = 40;
/// As in rustfmt.toml, which leaves texts and macros alone.
const MAX_LINE_CHARS: usize = 120;

#[test]
fn no_macro_is_long() {
    let mut long = Vec::new();
    for path in source_files() {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines = text.lines().enumerate();
        while let Some((start, line)) = lines.next() {
            let close = format!("{}}}", &line[..line.len() - line.trim_start().len()]);
            if line.trim_start().starts_with("macro_rules!") {
                let end = lines.find(|(_, line)| line.starts_with(&close));
                let body = end.unwrap().0 - start - 1;
                if body > MAX_MACRO_LINES {
                    long.push(format!("{}:{}: {body} lines", path.display(), start + 1));
                }
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn no_line_is_long() {
    let mut long = Vec::new();
    for path in source_files() {
        let text = std::fs::read_to_string(&path).unwrap();
        let wide = text.lines().enumerate().filter(|(_, line)| line.chars().count() > MAX_LINE_CHARS);
        long.extend(
            wide.map(|(at, line)| format!("{}:{}: {} characters", path.display(), at + 1, line.chars().count())),
        );
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

/// Groups of modules at the root that may use each other, and why.
const CIRCLES: &[(&str, &[&str])] = &[
    (
        "a client owns its pipeline, with its tokens and its journal, and the pipeline goes by the client's options; a \
         client hands out every resource, a resource asks through its client's version, lists and jobs take options of a \
         client's, and the wire renders and reads the resources' models",
        &[
            "audience",
            "auth",
            "client",
            "exclusion",
            "fielding",
            "http",
            "job",
            "library",
            "paging",
            "pricing",
            "profile_template",
            "project",
            "quota",
            "reconciliation",
            "recontact",
            "recovery",
            "reference",
            "report",
            "respondent",
            "supply",
            "target_group",
            "version",
            "webhook",
            "wire",
        ],
    ),
    ("an open enum is a text type: it has their conversions, and the types hold open enums", &["open_enum", "types"]),
];

/// The module at the root that each name exported there comes from.
fn root_names() -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for item in parsed(&source().join("lib.rs")).items {
        if let Item::Use(item) = item
            && let UseTree::Path(path) = &item.tree
        {
            let (path, mut exported) = (if path.ident == "self" { path.tree.as_ref() } else { &item.tree }, Vec::new());
            names(path, &mut exported);
            if let UseTree::Path(module) = path {
                out.extend(exported.into_iter().map(|name| (name, module.ident.to_string())));
            }
        }
    }
    out
}

/// The first names behind `crate::` in tokens, groups included: `crate::{a, b::c}` names both.
fn used(tokens: proc_macro2::TokenStream, out: &mut BTreeSet<String>) {
    use proc_macro2::TokenTree as T;
    let tokens: Vec<T> = tokens.into_iter().collect();
    let is_colon = |token: Option<&T>| matches!(token, Some(T::Punct(it)) if it.as_char() == ':');
    for (at, token) in tokens.iter().enumerate() {
        match token {
            T::Ident(it) if it == "crate" && is_colon(tokens.get(at + 1)) && is_colon(tokens.get(at + 2)) => {
                match tokens.get(at + 3) {
                    Some(T::Ident(name)) => drop(out.insert(name.to_string())),
                    Some(T::Group(group)) => {
                        let (mut depth_start, inner) = (true, group.stream());
                        for token in inner {
                            match token {
                                T::Ident(name) if depth_start => drop(out.insert(name.to_string())),
                                T::Punct(it) if it.as_char() == ',' => {
                                    depth_start = true;
                                    continue;
                                }
                                _ => {}
                            }
                            depth_start = false;
                        }
                    }
                    _ => {}
                }
            }
            T::Group(group) => used(group.stream(), out),
            _ => {}
        }
    }
}

/// What each module at the root uses of the others, tests aside.
fn uses() -> BTreeMap<String, BTreeSet<String>> {
    let root = root_names();
    let mut out: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in source_files() {
        let relative = path.strip_prefix(source()).unwrap().with_extension("");
        let module = relative.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        let stem = relative.file_name().unwrap().to_string_lossy().into_owned();
        // The root names everything, and what is compiled for tests alone hangs on nothing.
        if module == "lib" || stem == "tests" || stem == "sim" {
            continue;
        }
        let mut names = BTreeSet::new();
        for item in parsed(&path).items {
            let tokens = item.to_token_stream();
            let test = matches!(&item, Item::Mod(it) if it.attrs.iter().any(|it| it.to_token_stream().to_string().contains("test")));
            if !test {
                used(tokens, &mut names);
            }
        }
        let names = names.into_iter().map(|name| root.get(&name).cloned().unwrap_or(name));
        out.entry(module.clone()).or_default().extend(names.filter(|name| *name != module));
    }
    out
}

/// Everything that can be reached from a module.
fn reached(uses: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
    while let Some(module) = open.pop() {
        for next in uses.get(&module).into_iter().flatten() {
            if seen.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    seen
}

#[test]
fn modules_use_each_other_in_one_direction_but_for_those_that_are_listed() {
    let uses = uses();
    let reached: BTreeMap<_, _> = uses.keys().map(|module| (module, reached(&uses, module))).collect();
    let mut circles = BTreeSet::new();
    for (module, from_here) in &reached {
        let circle: BTreeSet<&str> = from_here
            .iter()
            .filter(|other| reached.get(other).is_some_and(|from_there| from_there.contains(*module)))
            .map(String::as_str)
            .collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    let listed: BTreeSet<BTreeSet<&str>> =
        CIRCLES.iter().map(|(_, modules)| modules.iter().copied().collect()).collect();
    assert_eq!(circles, listed, "circles that are found, and circles that are listed");
    assert!(uses["error"].is_empty(), "`error` depends on {:?}", uses["error"]);
}

/// The names behind `mark` in a text, each up to the first character that no name has.
fn names_after(text: &str, mark: &str) -> BTreeSet<String> {
    let is_name = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    text.split(mark).skip(1).map(|rest| rest.trim_start().chars().take_while(is_name).collect()).collect()
}

#[test]
fn every_operation_that_is_called_is_found_by_its_id() {
    let (mut called, mut found, mut aliases) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for path in source_files() {
        let text = std::fs::read_to_string(&path).unwrap();
        aliases.extend(names_after(&text, "doc(alias = \""));
        if path.strip_prefix(source()).unwrap().starts_with("wire") {
            // A call may stand on the line below its client.
            let joined = text.split_whitespace().collect::<Vec<_>>().join(" ").replace("raw .", "raw.");
            called.extend(names_after(&joined, "raw."));
        } else {
            for mark in ["doc(alias = \"", "pub fn ", "pub async fn "] {
                found.extend(names_after(&text, mark));
            }
        }
    }
    let versions = cintx_tests::dispatch::versions();
    let operations = versions.iter().flat_map(|version| version.table).map(|row| row.id.to_owned()).collect();
    // What is optional about an operation has a method of its own.
    called.extend(called.clone().iter().filter_map(|name| name.strip_suffix("_with")).map(str::to_owned));
    let called: BTreeSet<String> = called.intersection(&operations).cloned().collect();
    assert!(called.len() > 50, "only {} calls were found", called.len());
    let lost: Vec<&String> = called.difference(&found).collect();
    assert!(lost.is_empty(), "no public item has these as an alias: {lost:?}");
    let summaries: toml::Table = include_str!("../../../openapi/docs/operations.toml").parse().unwrap();
    let of_any_version: BTreeSet<String> = summaries.keys().cloned().collect();
    let strangers: Vec<&String> = aliases.difference(&of_any_version).collect();
    assert!(strangers.is_empty(), "aliases that are no operation's id: {strangers:?}");
}

/// What a message of `thiserror` prints of its fields: `{0}` and `{cause}`, but not what it is called with.
fn printed_fields(attributes: &[syn::Attribute]) -> BTreeSet<String> {
    let mut printed = BTreeSet::new();
    for attribute in attributes.iter().filter(|it| it.path().is_ident("error")) {
        let text = attribute.to_token_stream().to_string();
        let holes = text.split('{').skip(1).filter_map(|rest| rest.split(['}', ':']).next());
        printed.extend(holes.map(|name| name.trim().to_owned()));
    }
    printed
}

/// The fields that are an error's source, by the name that its message has for them.
fn sources(fields: &syn::Fields) -> Vec<String> {
    let is_source = |field: &syn::Field| {
        let marked = field.attrs.iter().any(|it| it.path().is_ident("source") || it.path().is_ident("from"));
        marked || field.ident.as_ref().is_some_and(|name| name == "source")
    };
    let name = |(at, field): (usize, &syn::Field)| field.ident.as_ref().map_or(at.to_string(), ToString::to_string);
    fields.iter().enumerate().filter(|(_, field)| is_source(field)).map(name).collect()
}

/// Who prints an error with its causes would read the same twice.
#[test]
fn no_message_says_what_its_source_says() {
    let (mut twice, mut with_source) = (Vec::new(), 0);
    for package in ["cintx", "cintx-postgres", "cintx-quota", "cintx-raw", "cintx-sandbox"] {
        for path in rust_files(&source().join("../..").join(package).join("src")) {
            for item in parsed(&path).items {
                let variants: Vec<(String, Vec<syn::Attribute>, syn::Fields)> = match item {
                    Item::Enum(it) => {
                        let own = it.variants.into_iter();
                        own.map(|variant| (variant.ident.to_string(), variant.attrs, variant.fields)).collect()
                    }
                    Item::Struct(it) => vec![(it.ident.to_string(), it.attrs, it.fields)],
                    _ => continue,
                };
                for (name, attributes, fields) in variants {
                    let printed = printed_fields(&attributes);
                    for field in sources(&fields).into_iter().filter(|_| !attributes.is_empty()) {
                        with_source += 1;
                        if printed.contains(&field) {
                            twice.push(format!("{}: {name} prints {field}", path.display()));
                        }
                    }
                }
            }
        }
    }
    assert!(with_source > 10, "only {with_source} sources were found");
    assert!(twice.is_empty(), "{twice:#?}");
}

/// Optional properties of a PUT that it does not remove by leaving them out, and why.
const NOT_REMOVED_IF_LEFT_OUT: [(&str, &str, &[&str]); 3] = [
    ("update_webhook", "they stay as they are", &["events", "url"]),
    ("update_profile_filling_goal", "goals that are not named stay as they are", &["filling_goal", "profiles"]),
    ("bulk-update-quotas", "goals that are not named stay as they are", &["filling_goal", "profiles"]),
];

#[test]
fn what_a_put_removes_by_leaving_it_out_is_known() {
    let file = parsed(&source().join("recovery/compare.rs"));
    let list = file.items.iter().find_map(|item| match item {
        Item::Const(item) if item.ident == "REMOVED_IF_LEFT_OUT" => Some(item.expr.to_token_stream().to_string()),
        _ => None,
    });
    // A row each: the operation, and its properties.
    let mut listed: BTreeSet<(String, String)> = BTreeSet::new();
    for row in list.unwrap().split('(').skip(1) {
        let names: Vec<&str> = row.split('"').skip(1).step_by(2).collect();
        listed.extend(names[1..].iter().map(|name| (names[0].to_owned(), (*name).to_owned())));
    }
    for (operation, _, names) in NOT_REMOVED_IF_LEFT_OUT {
        listed.extend(names.iter().map(|name| (operation.to_owned(), (*name).to_owned())));
    }
    let mut optional = BTreeSet::new();
    for document in cintx_openapi::documents() {
        let document = Document::of(document.date);
        for operation in document.operations().into_iter().filter(|operation| operation.method == "PUT") {
            let Some(schema) = document.request_schema(&operation).map(|schema| document.follow(schema)) else {
                continue;
            };
            let more = schema["allOf"].as_array().into_iter().flatten().map(|part| document.follow(part));
            let parts: Vec<_> = more.chain([schema]).collect();
            let required: Vec<_> = parts.iter().filter_map(|part| part["required"].as_array()).flatten().collect();
            let properties = parts.iter().filter_map(|part| part["properties"].as_object()).flat_map(|it| it.keys());
            let may_lack = properties.filter(|name| !required.iter().any(|it| *it == *name));
            optional.extend(may_lack.map(|name| (operation.id.to_owned(), name.clone())));
        }
    }
    assert_eq!(optional, listed, "optional properties of a PUT, and those that are listed");
}

/// A dependency of the workspace's tests switches the feature on, too, so that no other test would miss it.
#[test]
fn kept_numbers_are_read_to_the_last_digit() {
    let manifest = include_str!("../../../cintx/Cargo.toml");
    let line = manifest.lines().find(|line| line.starts_with("serde_json")).unwrap();
    assert!(line.contains("float_roundtrip"), "{line}");
}

fn contributing() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../CONTRIBUTING.md")).unwrap()
}

/// Whether a text has these words, and not as a part of others.
fn has_words(text: &str, words: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(words)
        .any(|(at, _)| !text[..at].ends_with(is_name) && !text[at + words.len()..].starts_with(is_name))
}

/// Whether a file has what CONTRIBUTING calls so: `fn act`, `FieldingRun::act`, or other words.
fn has_place(file: &str, place: &str) -> bool {
    let has_function = |name: &str| file.contains(&format!("fn {name}(")) || file.contains(&format!("fn {name}<"));
    match (place.strip_prefix("fn "), place.split_once("::")) {
        (Some(name), _) => has_function(name),
        (None, Some((of, name))) => has_words(file, of) && has_function(name),
        (None, None) => has_words(file, place),
    }
}

/// CONTRIBUTING says where things are: "`name` in `file`", the file below `cintx/src`.
#[test]
fn the_way_to_a_place_is_described_as_it_is() {
    assert!(has_place("async fn act(&mut self)", "fn act") && !has_place("fn action()", "fn act"));
    assert!(!has_place("impl FieldingRun { fn react() }", "FieldingRun::act"));
    let text = contributing();
    let way = text.lines().find(|line| line.starts_with("To find a place")).unwrap();
    let parts: Vec<&str> = way.split('`').collect();
    let places = parts.windows(3).filter(|part| part[1] == " in " && part[2].ends_with(".rs"));
    let mut count = 0;
    for place in places {
        let file = std::fs::read_to_string(source().join(place[2])).unwrap();
        assert!(has_place(&file, place[0]), "{} has no {}", place[2], place[0]);
        count += 1;
    }
    assert!(count >= 5, "only {count} places");
}

/// CONTRIBUTING sends who asks for it to one file.
#[test]
fn the_older_word_for_a_goal_stands_in_one_place() {
    let mut places = Vec::new();
    for path in source_files() {
        let text = std::fs::read_to_string(&path).unwrap();
        let shipped = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let literals = ["\"filling_goal\"", "\"target_group_filling_goal\""].map(|word| shipped.matches(word).count());
        if literals != [0, 0] {
            places.push((path.strip_prefix(source()).unwrap().to_string_lossy().into_owned(), literals));
        }
    }
    // What was sent is compared as it was sent, without a version's types.
    let wanted = [("recovery/compare.rs", [2, 0]), ("wire/audience/legacy.rs", [1, 1])];
    assert_eq!(places, wanted.map(|(file, literals)| (file.to_owned(), literals)));
}

/// Whether a request has a property, in itself or in one of the parts that it is made of.
fn sends(document: &Document, operation: &DocumentOperation<'_>, name: &str) -> bool {
    let schema = document.request_schema(operation).map(|schema| document.follow(schema));
    schema.is_some_and(|schema| {
        let parts = ["allOf", "oneOf", "anyOf"].iter().filter_map(|kind| schema[kind].as_array()).flatten();
        let mut all = parts.map(|part| document.follow(part)).chain([schema]);
        all.any(|part| !part["properties"][name].is_null())
    })
}

/// The rows of writes whose effect is shown elsewhere are text: each must fit an operation, what it sends, and an
/// address that can be read, in a document of some version.
#[test]
fn where_a_write_is_shown_is_in_the_documents() {
    let file = parsed(&source().join("recovery/compare.rs"));
    let list = file.items.iter().find_map(|item| match item {
        Item::Const(item) if item.ident == "ELSEWHERE" => Some(item.expr.to_token_stream().to_string()),
        _ => None,
    });
    let documents: Vec<_> = cintx_openapi::documents().iter().map(|it| Document::of(it.date)).collect();
    let rows: Vec<String> = list.unwrap().split("Elsewhere {").skip(1).map(str::to_owned).collect();
    assert_eq!(rows.len(), 13);
    for row in rows {
        // The operation, where it writes, where that is read; and what is written, for some.
        let texts: Vec<&str> = row.split('"').skip(1).step_by(2).collect();
        let (operation, written, read) = (texts[0], texts[1], texts[2]);
        let fits = documents.iter().any(|document| {
            let operations = document.operations();
            let writes = operations.iter().find(|it| it.id == operation && it.path.ends_with(written));
            writes.is_some_and(|writes| {
                let shown = format!("{}{read}", writes.path.strip_suffix(written).unwrap());
                // What the second edition of an operation changed may be shown by the first edition of another.
                let shown = [shown.replacen("/demand/v2/", "/demand/", 1), shown];
                let is_read = operations.iter().any(|it| it.method == "GET" && shown.iter().any(|at| at == it.path));
                is_read && texts.get(3).is_none_or(|name| sends(document, writes, name.trim_start_matches('/')))
            })
        });
        assert!(fits, "no document has {row}");
    }
}

/// The README is a part of the package of `cintx`, and shown where no relative link leads anywhere.
#[test]
fn every_link_of_the_readme_is_absolute_and_leads_to_a_file() {
    const FILES: &str = "https://github.com/cintx/cintx/blob/main/";
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = std::fs::read_to_string(root.join("README.md")).unwrap();
    let targets = text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
    let mut files = 0;
    for target in targets {
        assert!(target.starts_with("https://") || target.starts_with('#'), "{target}");
        if let Some(file) = target.strip_prefix(FILES) {
            assert!(root.join(file.split('#').next().unwrap()).is_file(), "{file}");
            files += 1;
        }
    }
    assert!(files > 10, "{files}");
}

/// The map in CONTRIBUTING has each file and folder at the top of `cintx/src`, and no other.
#[test]
fn the_map_is_whole() {
    let text = contributing();
    let table = text.split_once("of `cintx/src`").unwrap().1.split_once("\n\n").unwrap().0;
    let first_cells = table.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let names = first_cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let mapped: BTreeSet<String> = names.map(|name| name.trim_end_matches('/').to_owned()).collect();
    let there = std::fs::read_dir(source()).unwrap().map(|it| it.unwrap().file_name().to_string_lossy().into_owned());
    let there: BTreeSet<String> = there.filter(|name| name != "lib.rs").collect();
    assert_eq!(mapped, there, "what the map has, and what there is");
}

/// The file of a module: `supply` is `supply/mod.rs` or `supply.rs`.
fn module_file(path: &[&str]) -> PathBuf {
    let folder = path.iter().fold(source(), |folder, part| folder.join(part));
    if path.is_empty() {
        folder.join("lib.rs")
    } else if folder.join("mod.rs").exists() {
        folder.join("mod.rs")
    } else {
        folder.with_extension("rs")
    }
}

/// The public modules and the other public names of a module.
fn public_names(path: &[&str]) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut modules, mut others) = (BTreeSet::new(), Vec::new());
    for item in parsed(&module_file(path)).items {
        let (vis, ident) = match &item {
            Item::Mod(it) if matches!(it.vis, Visibility::Public(_)) => {
                modules.insert(it.ident.to_string());
                continue;
            }
            Item::Use(it) if matches!(it.vis, Visibility::Public(_)) => {
                names(&it.tree, &mut others);
                continue;
            }
            Item::Struct(it) => (&it.vis, &it.ident),
            Item::Enum(it) => (&it.vis, &it.ident),
            Item::Trait(it) => (&it.vis, &it.ident),
            Item::Type(it) => (&it.vis, &it.ident),
            Item::Fn(it) => (&it.vis, &it.sig.ident),
            _ => continue,
        };
        if matches!(vis, Visibility::Public(_)) {
            others.push(ident.to_string());
        }
    }
    (modules, others.into_iter().collect())
}

/// Whether users can name `crate::` and this.
fn is_public(path: &str) -> bool {
    let parts: Vec<&str> = path.split("::").collect();
    for (at, part) in parts.iter().enumerate() {
        let (modules, others) = public_names(&parts[..at]);
        if modules.contains(*part) {
            continue;
        }
        return others.contains(*part)
            && parts[at + 1..].iter().all(|method| {
                source_files().iter().any(|file| {
                    let text = std::fs::read_to_string(file).unwrap();
                    ["pub fn", "pub async fn"].iter().any(|it| has_words(&text, &format!("{it} {method}")))
                })
            });
    }
    true
}

/// Links of the guide are checked with the documentation; those of the book by nothing else.
#[test]
fn the_book_links_to_what_is_public() {
    assert!(is_public("supply::Supply") && is_public("Client::webhooks"));
    assert!(!is_public("fielding::assistant") && !is_public("supply::Nothing") && !is_public("Client::nothing"));
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/book");
    let (mut count, mut lost) = (0, Vec::new());
    for entry in std::fs::read_dir(book).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for rest in text.split("(crate::").skip(1) {
            let link = rest.split([')', '#']).next().unwrap();
            count += 1;
            if !is_public(link) {
                lost.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(count > 20, "only {count} links were found");
    assert!(lost.is_empty(), "{lost:#?}");
}
