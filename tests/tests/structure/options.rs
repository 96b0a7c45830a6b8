//! Options where one stands: everything public that sends requests takes other options for them.

use std::collections::{BTreeMap, BTreeSet};

use quote::ToTokens as _;
use syn::{Attribute, ImplItem, Item, Visibility};

use crate::{parsed, source, source_files};

/// Public types over a version that hold a client and take no options by themselves, and why.
const WITHOUT: &[(&str, &[&str])] = &[
    ("it makes a client, with options for all calls", &["ClientBuilder"]),
    ("it holds a handle that takes them, for all to see", &["NewWebhook"]),
    ("it borrows a client, which takes them", &["Recover"]),
];

/// What is known of a public type.
#[derive(Debug, Default)]
struct Type {
    fields: String,
    is_hidden: bool,
}

fn is_hidden(attributes: &[Attribute]) -> bool {
    let texts =
        attributes.iter().filter(|it| it.path().is_ident("doc")).map(|it| it.meta.to_token_stream().to_string());
    texts.into_iter().any(|text| text.contains("hidden"))
}

/// The name of the type that an implementation is of.
pub(crate) fn implemented_for(item: &syn::ItemImpl) -> Option<String> {
    match &*item.self_ty {
        syn::Type::Path(path) => Some(path.path.segments.last()?.ident.to_string()),
        _ => None,
    }
}

/// The public types over a version; and those with a public `with`, or whose list or job has one.
fn types() -> (BTreeMap<String, Type>, BTreeSet<String>) {
    let (mut types, mut with) = (BTreeMap::<String, Type>::new(), BTreeSet::new());
    for path in source_files().into_iter().filter(|path| !path.starts_with(source().join("wire"))) {
        for item in parsed(&path).items {
            match item {
                Item::Struct(it)
                    if matches!(it.vis, Visibility::Public(_))
                        && it.generics.to_token_stream().to_string().contains("Version") =>
                {
                    let fields = it.fields.to_token_stream().to_string();
                    types.insert(it.ident.to_string(), Type { fields, is_hidden: is_hidden(&it.attrs) });
                }
                Item::Macro(it) if ["with_options", "handle_options"].iter().any(|name| it.mac.path.is_ident(name)) => {
                    let text = it.mac.tokens.to_string();
                    with.extend(text.split(';').filter_map(|of| Some(of.split_once(':')?.0.trim().to_owned())));
                }
                Item::Impl(it) => {
                    let Some(name) = implemented_for(&it) else { continue };
                    let takes = |item: &ImplItem| matches!(item, ImplItem::Fn(it) if it.sig.ident == "with");
                    let is_list_or_job = it.trait_.as_ref().is_some_and(|(path, _)| {
                        path.segments.last().is_some_and(|it| it.ident == "ListQuery" || it.ident == "JobKind")
                    });
                    if is_list_or_job || it.items.iter().any(takes) {
                        with.insert(name);
                    }
                }
                _ => {}
            }
        }
    }
    (types, with)
}

#[test]
fn everything_that_sends_requests_takes_options() {
    let (types, with) = types();
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>();
    // Whatever holds a client, or something that does.
    let mut sending = BTreeSet::from(["Client".to_owned()]);
    loop {
        let holds = |it: &Type| words(&it.fields).iter().any(|word| sending.contains(word));
        let found: Vec<String> = types.iter().filter(|(_, it)| holds(it)).map(|(name, _)| name.clone()).collect();
        let before = sending.len();
        sending.extend(found);
        if sending.len() == before {
            break;
        }
    }
    let excused: BTreeSet<&str> = WITHOUT.iter().flat_map(|(_, names)| *names).copied().collect();
    let shown = sending.iter().filter(|name| types.get(*name).is_none_or(|it| !it.is_hidden));
    let without: BTreeSet<&str> = shown.filter(|name| !with.contains(*name)).map(String::as_str).collect();
    let forgotten: Vec<_> = without.difference(&excused).collect();
    assert!(forgotten.is_empty(), "they send requests and have no `with(options)`: {forgotten:?}");
    let unknown: Vec<_> = excused.iter().filter(|name| !types.contains_key(**name) || with.contains(**name)).collect();
    assert!(unknown.is_empty(), "excused, but gone or with options: {unknown:?}");
    for generic in ["ListRequest", "Job", "ServerToServer"] {
        assert!(with.contains(generic), "`{generic}` has no `with(options)`");
    }
    assert!(sending.len() > 60, "only {} types were found: {sending:?}", sending.len());
}
