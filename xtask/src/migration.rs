//! `cargo xtask migration`: a page for each step from one dated version to the next, made from the difference.
//! What stands outside of the generated blocks is written by hand and stays as it is.

mod successors;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use heck::{ToPascalCase as _, ToSnakeCase as _};
use quote::ToTokens as _;
use serde_json::Value;

use self::successors::Successors;
use crate::diff::{self, Change, Difference, Effect};
use crate::document::index::Index;
use crate::guarded;
use crate::workspace::Workspace;

/// How many of the harmless changes a page lists before it only counts them.
const MAX_ADDITIONS: usize = 40;

/// Writes the page of one step; `check` only says whether it is as it would be written.
pub(crate) fn run(workspace: &Workspace, old: &str, new: &str, check: bool) -> Result<(PathBuf, bool)> {
    let index = Index::read(&workspace.index())?;
    for date in [old, new] {
        ensure!(index.get(date).is_some(), "{date} is not imported");
    }
    let document = |date: &str| -> Result<Value> {
        let text = std::fs::read_to_string(workspace.document(date))
            .with_context(|| format!("cannot read openapi/{date}.json"))?;
        Ok(serde_json::from_str(&text)?)
    };
    let (before, after) = (document(old)?, document(new)?);
    let difference = guarded::run(|| diff::between((old, &before), (new, &after))).map_err(anyhow::Error::msg)?;
    let methods = (Methods::read(workspace, old)?, Methods::read(workspace, new)?);
    let successors = Successors::read(workspace, new)?;
    successors.check(&difference, &methods.1)?;
    let missing = successors.missing(&difference);
    ensure!(
        !check || missing.is_empty(),
        "openapi/docs/successors.toml does not say what takes the place in {new} of: {}",
        missing.join(", ")
    );
    let path = workspace.root().join(format!("docs/migrations/{old}-to-{new}.md"));
    let current = std::fs::read_to_string(&path).unwrap_or_default();
    let page = merge(&current, &title(old, new), &blocks(&difference, &methods, &successors));
    let up_to_date = page == current;
    if !check && !up_to_date {
        workspace.write_all([(path.clone(), page)])?;
    }
    Ok((path, up_to_date))
}

fn title(old: &str, new: &str) -> String {
    format!(
        "# From {old} to {new}\n\nThe blocks between `generated` comments are written by `cargo xtask migration {old} {new}`; everything else is written by hand and stays.\n"
    )
}

fn opening(name: &str) -> String {
    format!("<!-- generated: {name} -->\n")
}

const CLOSING: &str = "<!-- end of generated -->\n";

/// Puts the blocks into the page: in place of those of the same name, new ones at the end.
fn merge(current: &str, title: &str, blocks: &[(&str, String)]) -> String {
    let mut page = if current.is_empty() { title.to_owned() } else { current.to_owned() };
    for (name, text) in blocks {
        let opening = opening(name);
        let block = format!("{opening}\n{}\n\n{CLOSING}", text.trim());
        let found =
            page.find(&opening).and_then(|start| Some((start, start + page[start..].find(CLOSING)? + CLOSING.len())));
        match found {
            Some((start, end)) => page.replace_range(start..end, &block),
            None => {
                if !page.ends_with("\n\n") {
                    page.push('\n');
                }
                page.push_str(&block);
            }
        }
    }
    page
}

/// The parts of a page, in the order in which one walks through them.
fn blocks(
    difference: &Difference,
    methods: &(Methods, Methods),
    successors: &Successors,
) -> Vec<(&'static str, String)> {
    let of =
        |keep: &dyn Fn(&Change) -> bool| difference.changes.iter().filter(|change| keep(change)).collect::<Vec<_>>();
    let breaks = |change: &Change| change.worst() == Effect::Compilation;
    let is_rename = |change: &Change| change.what.contains(" is called `");
    let whole = |change: &Change| change.what.ends_with(" is gone") && difference.lost.contains(&change.subject);
    let list = |changes: &[&Change]| changes.iter().fold(String::new(), |text, change| text + &line(change));
    let or_none = |text: String| if text.is_empty() { "Nothing.\n".to_owned() } else { text };
    let renames = of(&|change| breaks(change) && is_rename(change));
    let mut additions = of(&|change| change.worst() == Effect::Additive);
    // Whole operations first: they are what one looks for.
    additions.sort_by_key(|change| !is_operation(change));
    let most = MAX_ADDITIONS.max(additions.iter().filter(|change| is_operation(change)).count());
    let mut new = list(&additions[..additions.len().min(most)]);
    if additions.len() > most {
        let _ = writeln!(
            new,
            "\n{} more: `cargo xtask diff {} {}` lists them.",
            additions.len() - most,
            difference.old,
            difference.new
        );
    }
    vec![
        ("summary", format!("{}.", difference.summary())),
        (
            "gone",
            format!(
                "## Operations that are gone\n\n{}",
                or_none(gone(&of(&|change| whole(change)), successors, difference, &methods.1))
            ),
        ),
        ("moved", format!("## Operations that moved\n\n{}", or_none(moved(difference, methods)))),
        ("renamed", format!("## Renamed\n\n{}", or_none(list(&renames) + &renamed(&renames, difference, methods)))),
        (
            "types",
            format!(
                "## Other types, fields and parameters\n\n{}",
                or_none(list(&of(&|change| breaks(change) && !is_rename(change) && !whole(change))))
            ),
        ),
        ("behaviour", format!("## Compiles, and behaves otherwise\n\n{}", or_none(list(&of(&Change::is_silent))))),
        ("new", format!("## New, and harmless\n\n{}", or_none(new))),
    ]
}

/// Each operation that is gone with what takes its place, and the calls that do.
fn gone(changes: &[&Change], successors: &Successors, difference: &Difference, after: &Methods) -> String {
    let mut text = String::new();
    for change in changes {
        let _ = writeln!(text, "- `{}`: {}; {}", change.subject, change.what, successors.of(&change.subject));
    }
    let calls: Vec<Call> = successors.all().into_iter().filter_map(|id| after.call(id)).collect();
    if !calls.is_empty() {
        let code: Vec<String> = calls.iter().map(|call| call.code(&call.name, &difference.new)).collect();
        let _ = write!(text, "\n### The calls that take their place\n\n```rust\n{}```\n", code.join("\n"));
    }
    text
}

/// Fields under their names before and after, where both versions have the type under one name.
fn renamed(changes: &[&Change], difference: &Difference, (before, after): &(Methods, Methods)) -> String {
    let mut code = Vec::new();
    for change in changes {
        let mut quoted = change.what.split('`').skip(1).step_by(2);
        let (Some(old), Some(new)) = (quoted.next(), quoted.next()) else { continue };
        let (ty, old, new) = (change.subject.to_pascal_case(), old.to_snake_case(), new.to_snake_case());
        if !before.has_field(&ty, &old) || !after.has_field(&ty, &new) {
            continue;
        }
        let function = |when: &str, date: &str, field: &str| {
            let module = format!("cintx_raw::v{}::types", date.replace('-', "_"));
            let name = format!("{}_{field}_{when}", ty.to_snake_case());
            format!("fn {name}(\n    it: &{module}::{ty},\n) {{\n    let _ = &it.{field};\n}}\n")
        };
        code.push(function("before", &difference.old, &old) + "\n" + &function("after", &difference.new, &new));
    }
    if code.is_empty() { String::new() } else { format!("\n```rust\n{}```\n", code.join("\n")) }
}

/// Whether a change is a whole operation that is new or gone.
fn is_operation(change: &Change) -> bool {
    change
        .what
        .split_once(' ')
        .is_some_and(|(method, path)| method.bytes().all(|letter| letter.is_ascii_uppercase()) && path.starts_with('/'))
}

fn line(change: &Change) -> String {
    let subject = if change.subject.is_empty() { String::new() } else { format!("{}: ", diff::code(&change.subject)) };
    let evidence =
        if change.evidence.is_empty() { String::new() } else { format!(" ({})", change.evidence.join("; ")) };
    let unread = if change.has(Effect::Decoding) { "; types of the older version cannot read it" } else { "" };
    let reach = match change.operations.len() {
        0 | 1 => String::new(),
        count => format!(", in {count} operations"),
    };
    format!("- {subject}{}{unread}{reach}{evidence}\n", change.what)
}

/// Each operation that is at another place or under another name, as a call before and after.
fn moved(difference: &Difference, (before, after): &(Methods, Methods)) -> String {
    let mut text = String::new();
    for (old, new) in &difference.moved {
        let _ = writeln!(text, "### `{old}`{}\n", if old == new { String::new() } else { format!(" is `{new}`") });
        let evidence = difference.changes.iter().find(|change| &change.subject == new && !change.evidence.is_empty());
        if let Some(change) = evidence {
            let _ = writeln!(text, "It {}: {}.\n", change.what, change.evidence.join("; "));
        }
        match (before.call(old), after.call(new)) {
            (Some(was), Some(is)) if was.same_as(&is) => {
                let _ = writeln!(text, "The call stays as it is.\n");
            }
            (Some(was), Some(is)) => {
                let _ = writeln!(
                    text,
                    "```rust\n{}\n{}```\n",
                    was.code("before", &difference.old),
                    is.code("after", &difference.new)
                );
            }
            _ => {}
        }
    }
    text
}

/// The methods of the generated client of one version, and the fields of its types.
struct Methods(BTreeMap<String, Call>, BTreeSet<(String, String)>);

/// One method: its arguments with their types.
#[derive(Clone, Debug)]
struct Call {
    name: String,
    arguments: Vec<(String, String)>,
}

impl Methods {
    /// None where the code is not generated yet.
    fn read(workspace: &Workspace, date: &str) -> Result<Self> {
        let folder = workspace.root().join(format!("cintx-raw/src/v{}", date.replace('-', "_")));
        let (mut methods, mut fields) = (BTreeMap::new(), BTreeSet::new());
        let entries = ["client", "types"].into_iter().filter_map(|name| std::fs::read_dir(folder.join(name)).ok());
        for entry in entries.flatten() {
            let path = entry?.path();
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let file = syn::parse_file(&text).with_context(|| format!("{} is not Rust", path.display()))?;
            for item in file.items {
                if let syn::Item::Struct(item) = &item {
                    let named = item.fields.iter().filter_map(|field| field.ident.as_ref());
                    fields.extend(named.map(|field| (item.ident.to_string(), field.to_string())));
                }
                let syn::Item::Impl(block) = item else { continue };
                for item in block.items {
                    if let syn::ImplItem::Fn(method) = item
                        && method.sig.asyncness.is_some()
                    {
                        let call = Call::of(&method.sig);
                        methods.insert(call.name.clone(), call);
                    }
                }
            }
        }
        Ok(Self(methods, fields))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn has_field(&self, ty: &str, field: &str) -> bool {
        self.1.contains(&(ty.to_owned(), field.to_owned()))
    }

    fn call(&self, id: &str) -> Option<Call> {
        self.0.get(id).cloned()
    }
}

impl Call {
    fn of(signature: &syn::Signature) -> Self {
        let argument = |argument: &syn::FnArg| match argument {
            syn::FnArg::Typed(argument) => {
                let spelt = |tokens: String| {
                    tokens
                        .replace(" :: ", "::")
                        .replace("& ", "&")
                        .replace(" <", "<")
                        .replace("< ", "<")
                        .replace(" >", ">")
                };
                Some((argument.pat.to_token_stream().to_string(), spelt(argument.ty.to_token_stream().to_string())))
            }
            syn::FnArg::Receiver(_) => None,
        };
        Self { name: signature.ident.to_string(), arguments: signature.inputs.iter().filter_map(argument).collect() }
    }

    /// Whether a call of one compiles as a call of the other, types' modules aside.
    fn same_as(&self, other: &Self) -> bool {
        self.name == other.name && self.arguments == other.arguments
    }

    /// A function that makes the call; it compiles as it stands.
    fn code(&self, when: &str, date: &str) -> String {
        let module = format!("cintx_raw::v{}", date.replace('-', "_"));
        let qualified = |ty: &str| {
            let ty = ty.replace("types::", &format!("{module}::types::"));
            match ty.trim_start_matches('&').ends_with("Params") && !ty.contains("::") {
                true => format!("&{module}::{}", ty.trim_start_matches('&')),
                false if ty.starts_with("&File") => ty.replace("File", "cintx_raw::File"),
                false => ty,
            }
        };
        let arguments: String =
            self.arguments.iter().map(|(name, ty)| format!("    {name}: {},\n", qualified(ty))).collect();
        let names: Vec<&str> = self.arguments.iter().map(|(name, _)| name.as_str()).collect();
        format!(
            "async fn {when}(\n    client: &{module}::Client,\n{arguments}) -> Result<(), cintx_raw::Error> {{\n    client.{}({}).await?;\n    Ok(())\n}}\n",
            self.name,
            names.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{DATE, KENNELS, Temporary, repository};
    use crate::{import, regen};

    const NEWER: &str = "2032-01-01";

    fn two_versions() -> Temporary {
        let at = Temporary::with_kennels();
        let newer = KENNELS
            .replace("2031-05-06", NEWER)
            .replace("  /kennels/{kennel_id}/dogs/{dog_id}:", "  /v3/kennels/{kennel_id}/dogs/{dog_id}:")
            .replace("operationId: release-dog", "operationId: let-dog-go")
            .replace("tins:", "number_of_tins:");
        import::run(&at.workspace, &at.download("newer.yaml", newer), &import::Options::default()).unwrap();
        let summaries = std::fs::read_to_string(at.workspace.summaries()).unwrap();
        std::fs::write(at.workspace.summaries(), summaries + "let_dog_go = \"Lets a dog go.\"\n").unwrap();
        regen::run(&at.workspace, &regen::Options::default()).unwrap();
        at
    }

    #[test]
    fn a_page_says_what_went_and_what_replaced_it() {
        let at = two_versions();
        let (path, up_to_date) = run(&at.workspace, DATE, NEWER, false).unwrap();
        assert!(!up_to_date);
        let page = std::fs::read_to_string(&path).unwrap();
        for said in [
            "# From 2031-05-06 to 2032-01-01",
            "## Operations that are gone\n\nNothing.",
            "### `release_dog` is `let_dog_go`",
            "but for its version",
            "    client.release_dog(kennel_id, dog_id).await?;",
            "    client: &cintx_raw::v2032_01_01::Client,",
            ": `tins` is called `number_of_tins` now",
        ] {
            assert!(page.contains(said), "{said:?} is not in {page}");
        }
        let code = page.split("```rust\n").nth(1).unwrap().split("```").next().unwrap();
        assert_eq!(syn::parse_file(code).unwrap().items.len(), 2, "{code}");
    }

    /// An operation that is gone has an entry, which names operations that are there.
    #[test]
    fn what_takes_the_place_of_an_operation_must_be_said() {
        let at = Temporary::with_kennels();
        let newer = KENNELS.replace("2031-05-06", NEWER);
        let start = newer.find("  /kennels/{kennel_id}/dogs/{dog_id}:").unwrap();
        let end = newer.find("components:").unwrap();
        let newer = format!("{}{}", &newer[..start], &newer[end..]).replace("        dogs:\n", "        all_dogs:\n");
        import::run(&at.workspace, &at.download("newer.yaml", newer), &import::Options::default()).unwrap();
        regen::run(&at.workspace, &regen::Options::default()).unwrap();
        let (path, _) = run(&at.workspace, DATE, NEWER, false).unwrap();
        let page = || std::fs::read_to_string(&path).unwrap();
        assert!(page().contains(
            "`release_dog`: DELETE /kennels/{kennel_id}/dogs/{dog_id} is gone; what takes its place is not written yet"
        ));
        let refused = |says: &str| {
            std::fs::write(at.workspace.successors(), says).unwrap();
            run(&at.workspace, DATE, NEWER, true).unwrap_err().to_string()
        };
        assert!(refused("").ends_with("what takes the place in 2032-01-01 of: release_dog"));
        let entry = |id: &str, by: &str| format!("[\"{NEWER}\"]\n{id} = {{ by = [{by}], how = \"they stay\" }}\n");
        assert!(refused(&entry("add_dog", "")).contains("add_dog is not gone"));
        assert!(refused(&entry("release_dog", "\"cat\"")).contains("has no cat"));
        std::fs::write(at.workspace.successors(), entry("release_dog", "\"list_dogs\"")).unwrap();
        run(&at.workspace, DATE, NEWER, false).unwrap();
        for said in [
            "is gone; in its place: `list_dogs`, they stay",
            "async fn list_dogs(\n    client: &cintx_raw::v2032_01_01::Client",
            "fn dog_list_dogs_before(\n    it: &cintx_raw::v2031_05_06::types::DogList,\n) {\n    let _ = &it.dogs;",
            "fn dog_list_all_dogs_after(\n    it: &cintx_raw::v2032_01_01::types::DogList,\n) {\n    let _ = &it.all_dogs;",
        ] {
            assert!(page().contains(said), "{said:?} is not in {}", page());
        }
        std::fs::write(at.workspace.successors(), entry("release_dog", "")).unwrap();
        run(&at.workspace, DATE, NEWER, false).unwrap();
        assert!(page().contains("is gone; nothing takes its place: they stay"), "{}", page());
        assert!(run(&at.workspace, DATE, NEWER, true).unwrap().1);
    }

    #[test]
    fn what_is_written_by_hand_survives() {
        let at = two_versions();
        let (path, _) = run(&at.workspace, DATE, NEWER, false).unwrap();
        let page = std::fs::read_to_string(&path).unwrap();
        let by_hand = page
            .replacen("<!-- generated: moved -->", "A word of ours: mind the dog.\n\n<!-- generated: moved -->", 1)
            .replace("`tins` is called", "`tins` was called")
            + "\nThe last word is ours, too.\n";
        std::fs::write(&path, &by_hand).unwrap();
        assert!(!run(&at.workspace, DATE, NEWER, true).unwrap().1, "a generated block was edited");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), by_hand, "a check writes nothing");
        run(&at.workspace, DATE, NEWER, false).unwrap();
        let again = std::fs::read_to_string(&path).unwrap();
        assert!(again.contains("A word of ours: mind the dog.\n") && again.ends_with("The last word is ours, too.\n"));
        assert!(again.contains("`tins` is called `number_of_tins` now"), "{again}");
        assert!(run(&at.workspace, DATE, NEWER, true).unwrap().1);
    }

    #[test]
    fn the_pages_of_the_repository_are_up_to_date() {
        let index = Index::read(&repository().index()).unwrap();
        for step in index.entries().windows(2) {
            let (path, up_to_date) = run(&repository(), &step[0].date, &step[1].date, true).unwrap();
            assert!(up_to_date, "{}: run `cargo xtask migration {} {}`", path.display(), step[0].date, step[1].date);
        }
    }
}
