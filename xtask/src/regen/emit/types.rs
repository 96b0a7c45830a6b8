//! Emission of types: structs, open enums and unions told apart by a tag.
//! The generator says what each field's type is; the shaped document says how it is read and written.

use std::collections::BTreeMap;

use quote::{ToTokens as _, quote};
use serde_json::Value;
use syn::visit_mut::VisitMut;

use super::{Version, homes};
use crate::regen::shape::{ANSWER, FACTS, HAND_WRITTEN, NULLABLE, TAG, TAG_VALUE, VALUES, pascal, schemas};

pub(super) fn files(version: &Version<'_>) -> Result<BTreeMap<String, String>, String> {
    let homes = homes(version);
    let mut bodies: BTreeMap<String, String> = BTreeMap::new();
    let mut seen = std::collections::BTreeSet::new();
    for item in &version.generated.types {
        let (name, text) = match item {
            syn::Item::Struct(item) => (item.ident.to_string(), structure(version, item)?),
            syn::Item::Enum(item) => (item.ident.to_string(), enumeration(version, item)?),
            _ => continue,
        };
        if HAND_WRITTEN.contains(&name.as_str()) {
            continue;
        }
        if !seen.insert(name.clone()) {
            return Err(format!("the type {name} is emitted twice"));
        }
        let home = homes.get(&name).cloned().unwrap_or_else(|| "shared".to_owned());
        let body = bodies.entry(home).or_default();
        body.push('\n');
        body.push_str(&text);
    }
    if let Some(missing) =
        schemas(version.shaped).keys().find(|name| !HAND_WRITTEN.contains(&name.as_str()) && !seen.contains(*name))
    {
        return Err(format!("the generator made no type of {missing}"));
    }
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut index = version.head(&[
        "The types of this version: what is sent, what comes back.",
        "Answers are read with tolerance: every field may be missing, enums and unions keep what they do not know.",
    ]);
    for home in bodies.keys() {
        index.push_str(&format!("mod {home};\n"));
    }
    index.push('\n');
    for home in bodies.keys() {
        index.push_str(&format!("pub use self::{home}::*;\n"));
    }
    files.insert("mod".to_owned(), index);
    for (home, body) in bodies {
        let what = match home.as_str() {
            "shared" => "Types that several parts of the API use.".to_owned(),
            home => format!("Types of `{home}`."),
        };
        let head = version.head(&[&what]);
        files.insert(home, format!("{head}#[allow(unused_imports)]\nuse serde::{{Deserialize, Serialize}};\n\n#[allow(unused_imports)]\nuse super::*;\n{body}"));
    }
    Ok(files)
}

const SCHEMARS: &str = "#[cfg_attr(feature = \"schemars\", derive(schemars::JsonSchema))]\n";

fn structure(version: &Version<'_>, item: &syn::ItemStruct) -> Result<String, String> {
    let name = item.ident.to_string();
    let schema = schemas(version.shaped).get(&name).ok_or_else(|| format!("the type {name} comes from no schema"))?;
    let answer = schema.get(ANSWER).is_some();
    let fields = match &item.fields {
        syn::Fields::Named(fields) => fields,
        // An object without known properties.
        _ => {
            let doc = super::doc("", &[title(schema, "An object without documented fields")]);
            return Ok(format!(
                "{doc}#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]\n{SCHEMARS}#[serde(transparent)]\npub struct {name}(pub serde_json::Map<String, serde_json::Value>);\n"
            ));
        }
    };
    let mut text = super::doc(
        "",
        &[title(schema, &format!("{} {}", if answer { "Comes back:" } else { "Is sent:" }, words(&name)))],
    );
    let (mut read, mut body) = (Vec::new(), String::new());
    let mut idents = std::collections::BTreeSet::new();
    for field in &fields.named {
        let mut field = field.clone();
        tell_spellings_apart(&mut field, &fields.named, &mut idents);
        let emitted = self::field(&name, schema, answer, &field)?;
        body.push_str(&emitted.text);
        read.push(emitted.read);
    }
    let default = if read.iter().any(|field| field.required) { "" } else { " Default," };
    text.push_str(&format!("#[derive(Clone, Debug,{default} PartialEq)]\n{SCHEMARS}"));
    if answer {
        text.push_str("#[non_exhaustive]\n");
    }
    text.push_str(&format!("pub struct {name} {{\n{body}}}\n\n{}", reading(&name, &read)));
    Ok(text)
}

/// How a type is read and written: without the fields' types where its own default can be filled. What requires fields
/// lists them apart, so it says again in which order all are written.
fn reading(name: &str, fields: &[Reading]) -> String {
    let lines = |indent: &str, line: &dyn Fn(&Reading) -> Option<String>| -> String {
        fields.iter().filter_map(line).map(|line| format!("{indent}{line},\n")).collect()
    };
    let place = |field: &Reading| format!("{:?} => {}", field.wire, field.ident);
    let marks = |read: bool, field: &Reading| {
        let mark = |is: bool, mark| if is { mark } else { "" };
        format!("{}{}", mark(read && field.nullable, "nullable "), mark(!read && field.always, "always "))
    };
    if fields.iter().all(|field| !field.required) {
        let all = lines("    ", &|field| Some(marks(true, field) + &marks(false, field) + &place(field)));
        return format!("crate::object::object!({name} {{\n{all}}});\n");
    }
    let typed = |field: &Reading| format!("{}{}: {}", marks(true, field), place(field), field.ty);
    let required = lines("        ", &|field| field.required.then(|| typed(field)));
    let optional = lines("    ", &|field| (!field.required).then(|| typed(field)));
    let written = lines("        ", &|field| Some(marks(false, field) + &place(field)));
    format!(
        "crate::object::object!({name} {{\n    requires {{\n{required}    }}\n    writes {{\n{written}    }}\n{optional}}});\n"
    )
}

/// Two spellings of one name are two fields: whichever is sent is kept.
/// The spelling that reads like the field has the plain name.
fn tell_spellings_apart(
    field: &mut syn::Field,
    all: &syn::punctuated::Punctuated<syn::Field, syn::Token![,]>,
    taken: &mut std::collections::BTreeSet<String>,
) {
    let Some(ident) = field.ident.clone() else { return };
    let twins = all.iter().filter(|other| other.ident.as_ref() == Some(&ident)).count() > 1;
    let mut name = ident.to_string();
    if twins && renamed(&field.attrs).is_some_and(|wire| wire != name) {
        name.push_str("_respelled");
    }
    while !taken.insert(name.clone()) {
        name.push('_');
    }
    if ident != name {
        if renamed(&field.attrs).is_none() {
            let wire = ident.to_string();
            field.attrs.push(syn::parse_quote!(#[serde(rename = #wire)]));
        }
        field.ident = Some(syn::Ident::new(&name, ident.span()));
    }
}

struct Field {
    text: String,
    read: Reading,
}

/// What reading a field takes.
struct Reading {
    ident: String,
    wire: String,
    ty: String,
    /// An object without it is refused.
    required: bool,
    /// Null and absence are two things.
    nullable: bool,
    /// It is written though it may be null.
    always: bool,
}

fn field(owner: &str, schema: &Value, answer: bool, field: &syn::Field) -> Result<Field, String> {
    let ident = field.ident.as_ref().ok_or_else(|| format!("{owner} has a field without a name"))?;
    let wire = renamed(&field.attrs).unwrap_or_else(|| ident.to_string().trim_start_matches("r#").to_owned());
    let property = schema
        .pointer(&format!("/properties/{}", crate::document::tree::escape(&wire)))
        .ok_or_else(|| format!("{owner}.{ident} comes from no property"))?;
    let required = schema
        .get("required")
        .and_then(Value::as_array)
        .is_some_and(|names| names.iter().any(|name| name == wire.as_str()));
    let mut ty = field.ty.clone();
    Shorten.visit_type_mut(&mut ty);
    let is_option =
        matches!(&ty, syn::Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Option"));
    if answer && !is_option {
        ty = syn::parse_quote!(Option<#ty>);
    }
    if !answer && !required && !is_option {
        ty = syn::parse_quote!(Option<#ty>);
    }
    let three_ways = property.get(NULLABLE).is_some();
    if three_ways {
        ty = syn::parse_quote!(Option<#ty>);
    }
    let mut attributes = Vec::new();
    if *ident != wire {
        attributes.push(format!("rename = {wire:?}"));
    }
    if !required {
        attributes.push("skip_serializing_if = \"Option::is_none\"".to_owned());
    }
    let mut facts = fact(property);
    if three_ways {
        facts.push_str(" `Some(None)` sends null.");
    }
    let mut text = super::doc("    ", &[facts]);
    if !attributes.is_empty() {
        // Reading and writing are told by the macro behind the type; the schema's derive looks here.
        text.push_str(&format!("    #[cfg_attr(feature = \"schemars\", serde({}))]\n", attributes.join(", ")));
    }
    let ty = print(&ty);
    text.push_str(&format!("    pub {ident}: {ty},\n"));
    let always = required;
    let required = !ty.starts_with("Option<");
    Ok(Field { text, read: Reading { ident: ident.to_string(), wire, ty, required, nullable: three_ways, always } })
}

fn renamed(attributes: &[syn::Attribute]) -> Option<String> {
    let mut name = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        let _ = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename") {
                name = Some(meta.value()?.parse::<syn::LitStr>()?.value());
            } else if meta.input.peek(syn::Token![=]) {
                meta.value()?.parse::<syn::Expr>()?;
            }
            Ok(())
        });
    }
    name
}

/// One line on a field, made of the document's facts alone.
fn fact(property: &Value) -> String {
    let kind = match property.get("type").and_then(Value::as_str) {
        Some("string") => "Text",
        Some("integer") => "Whole number",
        Some("number") => "Number",
        Some("boolean") => "True or false",
        Some("array") => "List",
        Some("object") => "Map",
        _ => match reference(property) {
            Some("Id") => "Id",
            Some("Secret") => "Secret",
            Some(name) => return format!("See [`{name}`]."),
            None => "Any JSON value",
        },
    };
    let items = property.get("items").and_then(reference).map_or_else(String::new, |name| match name {
        "Id" => " of ids".to_owned(),
        name => format!(" of [`{name}`]"),
    });
    match property.get(FACTS).and_then(Value::as_str) {
        Some(facts) => format!("{kind}{items}: {facts}."),
        None => format!("{kind}{items}."),
    }
}

fn reference(schema: &Value) -> Option<&str> {
    let direct = schema.get("$ref").or_else(|| schema.get("allOf")?.get(0)?.get("$ref"));
    direct.and_then(Value::as_str).and_then(crate::document::tree::schema_name)
}

/// A type's first line.
fn title(schema: &Value, text: &str) -> String {
    match schema.get(FACTS).and_then(Value::as_str) {
        Some(facts) => format!("{text} ({facts})."),
        None => format!("{text}."),
    }
}

fn words(name: &str) -> String {
    use heck::ToSnakeCase as _;
    name.to_snake_case().replace('_', " ")
}

fn enumeration(version: &Version<'_>, item: &syn::ItemEnum) -> Result<String, String> {
    let name = item.ident.to_string();
    let schema = schemas(version.shaped).get(&name).ok_or_else(|| format!("the type {name} comes from no schema"))?;
    if item.variants.is_empty() {
        return Err(format!("the enum {name} has no values: nobody could make one"));
    }
    match schema.get(TAG).and_then(Value::as_str) {
        Some(tag) => union(&name, schema, tag, item),
        None => open_enum(&name, schema, item),
    }
}

fn open_enum(name: &str, schema: &Value, item: &syn::ItemEnum) -> Result<String, String> {
    let mut text = format!("crate::value::open_enum!({name} {{\n");
    for variant in &item.variants {
        let ident = &variant.ident;
        if !matches!(variant.fields, syn::Fields::Unit) {
            return Err(format!("{name} is neither a string enum nor a union with a tag"));
        }
        if ident == "Unknown" {
            return Err(format!("{name} documents a value that reads `Unknown`, the name that unknown values have"));
        }
        let given = renamed(&variant.attrs).unwrap_or_else(|| ident.to_string());
        let value = schema.get(VALUES).and_then(|values| values.get(&given)?.as_str()).unwrap_or(&given);
        text.push_str(&format!("    {ident} = {value:?},\n"));
    }
    text.push_str("});\n");
    Ok(text)
}

fn union(name: &str, schema: &Value, tag: &str, item: &syn::ItemEnum) -> Result<String, String> {
    let branches = schema.get("oneOf").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if branches.len() != item.variants.len() {
        return Err(format!(
            "{name} has {} branches and {} variants: one swallowed another",
            branches.len(),
            item.variants.len()
        ));
    }
    let answer = schema.get(ANSWER).is_some();
    let verb = if answer { "Comes back" } else { "Is sent" };
    let mut text = super::doc("", &[format!("{verb}: {}, told apart by `{tag}`.", words(name))]);
    text.push_str(&format!("#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]\n{SCHEMARS}#[serde(tag = {tag:?})]\n#[non_exhaustive]\npub enum {name} {{\n"));
    let mut variants = std::collections::BTreeSet::new();
    for branch in branches {
        let value = branch.get(TAG_VALUE).and_then(Value::as_str).unwrap_or_default();
        let target = reference(branch).ok_or_else(|| format!("{name} has a branch without a type"))?;
        let variant = pascal(value);
        if variant == "Unknown" || !variants.insert(variant.clone()) {
            return Err(format!("{name} has two branches that read `{variant}`"));
        }
        text.push_str(&format!(
            "    /// `{tag}` is `{value}`.\n    #[serde(rename = {value:?})]\n    {variant}({target}),\n"
        ));
    }
    text.push_str("    /// A kind that the document of this version does not list, or one without its tag, as it came.\n    #[serde(untagged)]\n    Unknown(serde_json::Map<String, serde_json::Value>),\n}\n");
    Ok(text)
}

/// Turns `::std::option::Option<..>` into `Option<..>` and the like.
struct Shorten;

impl VisitMut for Shorten {
    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        syn::visit_mut::visit_path_mut(self, path);
        let known = path
            .segments
            .last()
            .is_some_and(|last| matches!(last.ident.to_string().as_str(), "Option" | "Vec" | "String"));
        let std = path.segments.first().is_some_and(|first| first.ident == "std");
        if known
            && std
            && let Some(last) = path.segments.pop()
        {
            path.leading_colon = None;
            path.segments = std::iter::once(last).collect();
        }
        if path.segments.first().is_some_and(|first| first.ident == "serde_json" || first.ident == "std") {
            path.leading_colon = None;
        }
        if path.segments.len() == 2 && path.segments[0].ident == "types" {
            path.segments = path.segments.iter().skip(1).cloned().collect();
        }
    }
}

/// A type as it would be written by hand.
pub(super) fn print(ty: &syn::Type) -> String {
    let mut ty = ty.clone();
    Shorten.visit_type_mut(&mut ty);
    let tokens = quote!(type X = #ty;).to_token_stream();
    let file: syn::File = match syn::parse2(tokens) {
        Ok(file) => file,
        Err(_) => return ty.to_token_stream().to_string(),
    };
    let text = prettyplease::unparse(&file);
    let text = text.trim().trim_start_matches("type X = ").trim_end_matches(';');
    // Long types come over several lines; one is enough here.
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace("< ", "<").replace(" >", ">").replace(",>", ">")
}
