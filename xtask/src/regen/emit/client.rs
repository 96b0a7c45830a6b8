//! Emission of the client: one method for each operation, and a struct for what is optional about it.
//! The generator gives the types of arguments and answers; its bodies are replaced by one call into the seam.

use std::collections::BTreeMap;

use super::types::print;
use super::{Version, operations::constant, slug};
use crate::regen::generate::Method;
use crate::regen::shape::{TAG, pascal, schemas};
use crate::regen::table::{Parameter, Place, Row};

pub(super) fn files(version: &Version<'_>) -> Result<BTreeMap<String, String>, String> {
    let mut methods: BTreeMap<String, String> = BTreeMap::new();
    let mut params: BTreeMap<String, String> = BTreeMap::new();
    for row in version.rows {
        let home = row.tags.first().map_or_else(|| "other".to_owned(), |tag| slug(tag));
        let call = Call::new(version, row)?;
        methods.entry(home.clone()).or_default().push_str(&format!("\n{}", call.method(version)));
        if let Some(text) = call.params_struct() {
            params.entry(home).or_default().push_str(&format!("\n{text}"));
        }
    }
    let mut files = BTreeMap::new();
    let mut index = version.head(&["The client of this version: a method for each operation, by the document's tags."]);
    for home in methods.keys() {
        index.push_str(&format!("mod {home};\n"));
    }
    index.push_str("\nuse std::sync::Arc;\n\nuse crate::Transport;\n\n");
    for home in params.keys() {
        index.push_str(&format!("pub use self::{home}::*;\n"));
    }
    index.push_str(&format!("\n/// Every operation of {}, as a method. Cheap to clone.\n///\n/// Arguments are what the operation requires; the method of the same name that ends in `_with` takes what is optional,\n/// as a struct that has a default.\n#[derive(Clone)]\npub struct Client {{\n    transport: Arc<dyn Transport>,\n}}\n\nimpl Client {{\n    /// A client whose requests leave through this transport.\n    pub fn new(transport: impl Transport + 'static) -> Self {{\n        Self {{ transport: Arc::new(transport) }}\n    }}\n}}\n\nimpl std::fmt::Debug for Client {{\n    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {{\n        f.write_str(\"Client({})\")\n    }}\n}}\n", version.date, version.date));
    files.insert("mod".to_owned(), index);
    for (home, text) in methods {
        let tag = version
            .rows
            .iter()
            .find_map(|row| row.tags.first().filter(|tag| slug(tag) == home))
            .map_or("", String::as_str);
        let head = version.head(&[&format!("Operations of \"{tag}\".")]);
        let structs = params.remove(&home).unwrap_or_default();
        let uses = "use super::Client;\n#[allow(unused_imports)]\nuse crate::{ByteStream, Error, File, Response, request::Request, transport};\n#[allow(unused_imports)]\nuse super::super::{operations, types};\n";
        files.insert(home, format!("{head}{uses}\nimpl Client {{{}}}\n{structs}", text.replace("\n\n\n", "\n\n")));
    }
    Ok(files)
}

/// What every version takes in the same form, whether its document requires it or not: an optional text among the
/// method's arguments. What is required and missing is refused when the request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Uniform {
    Locale,
    IfMatch,
    IdempotencyKey,
}

impl Uniform {
    pub(super) fn of(parameter: &Parameter) -> Option<Self> {
        let place = match parameter.place {
            Place::Path => "path",
            Place::Query => "query",
            Place::Header => "header",
        };
        Self::named(place, &parameter.name)
    }

    fn named(place: &str, name: &str) -> Option<Self> {
        match (place, name.to_ascii_lowercase().as_str()) {
            ("query", "locale") => Some(Self::Locale),
            ("header", "if-match") => Some(Self::IfMatch),
            ("header", "idempotency-key") => Some(Self::IdempotencyKey),
            _ => None,
        }
    }
}

/// Whether every method takes a parameter of this name in the same form.
pub(crate) fn is_uniform(place: &str, name: &str) -> bool {
    Uniform::named(place, name).is_some()
}

/// One operation as a method.
pub(super) struct Call<'a> {
    pub(super) row: &'a Row,
    /// Each parameter with the bare type of its value.
    pub(super) parameters: Vec<(&'a Parameter, String)>,
    pub(super) body: Body,
    pub(super) answer: Answer,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    None,
    Json { ty: String, required: bool },
    Bytes,
    File { field: String },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Empty,
    Json(String),
    Bytes,
}

impl<'a> Call<'a> {
    pub(super) fn new(version: &Version<'_>, row: &'a Row) -> Result<Self, String> {
        let id = &row.id;
        let method: &Method =
            version.generated.methods.get(id).ok_or_else(|| format!("the generator made no method of {id}"))?;
        let parameters = row
            .parameters
            .iter()
            .map(|parameter| {
                let ty = method
                    .arguments
                    .get(&parameter.ident)
                    .ok_or_else(|| format!("{id} has no argument {}", parameter.ident))?;
                Ok((parameter, bare(ty)))
            })
            .collect::<Result<Vec<_>, String>>()?;
        for (parameter, ty) in parameters.iter().filter(|(parameter, _)| Uniform::of(parameter).is_none()) {
            let (name, place) = (&parameter.name, parameter.place);
            let single = match place {
                Place::Query => ty.strip_prefix("Vec<").and_then(|inner| inner.strip_suffix('>')).unwrap_or(ty),
                _ => ty,
            };
            match place {
                Place::Header if ty != "String" => {
                    return Err(format!("{id} has the header {name:?} of type {ty}: only text is sent in a header"));
                }
                Place::Path | Place::Query if !is_plain(version, single) => {
                    return Err(format!("{id} has the parameter {name:?} of type {ty}: only plain values are sent"));
                }
                _ => {}
            }
        }
        let operation = &version.shaped["paths"][&row.path][row.method.to_lowercase()];
        let sends_json = operation.pointer("/requestBody/content/application~1json").is_some();
        let body = match (&row.file_field, method.arguments.get("body")) {
            (Some(field), _) => Body::File { field: field.clone() },
            (None, None) => Body::None,
            (None, Some(_)) if !sends_json => Body::Bytes,
            (None, Some(ty)) => Body::Json { ty: bare(ty), required: row.body_required },
        };
        let answer = match print(&method.answer).as_str() {
            "()" => Answer::Empty,
            "ByteStream" => Answer::Bytes,
            ty => Answer::Json(ty.to_owned()),
        };
        Ok(Self { row, parameters, body, answer })
    }

    /// The parameters that the operation requires and that are no uniform ones.
    pub(super) fn required(&self) -> impl Iterator<Item = &(&'a Parameter, String)> {
        self.parameters.iter().filter(|(parameter, _)| parameter.required && Uniform::of(parameter).is_none())
    }

    /// The uniform parameters, in the order in which every method takes them.
    pub(super) fn uniform(&self) -> Vec<(Uniform, &'a Parameter)> {
        let mut uniform: Vec<_> = self
            .parameters
            .iter()
            .filter_map(|(parameter, _)| Uniform::of(parameter).map(|uniform| (uniform, *parameter)))
            .collect();
        uniform.sort_by_key(|(uniform, _)| *uniform);
        uniform
    }

    /// The parameters that go into the struct of optional ones.
    pub(super) fn optional(&self) -> impl Iterator<Item = &(&'a Parameter, String)> {
        self.parameters.iter().filter(|(parameter, _)| !parameter.required && Uniform::of(parameter).is_none())
    }

    /// The name of the struct of optional parameters, if there are any.
    pub(super) fn params_name(&self) -> Option<String> {
        self.optional().next().map(|_| format!("{}Params", pascal(&self.row.id)))
    }

    fn params_struct(&self) -> Option<String> {
        let name = self.params_name()?;
        let mut fields = String::new();
        for (parameter, ty) in self.optional() {
            let place = if parameter.place == Place::Query { "Query parameter" } else { "Header" };
            fields.push_str(&format!(
                "    /// {place} `{}`.\n    pub {}: Option<{}>,\n",
                parameter.name,
                parameter.ident,
                qualified(ty)
            ));
        }
        Some(format!(
            "/// What is optional about [`Client::{}_with`].\n#[derive(Clone, Debug, Default)]\npub struct {name} {{\n{fields}}}\n",
            self.row.id
        ))
    }

    /// The steps that put what is optional into the request.
    fn optional_steps(&self) -> String {
        let step = |(parameter, ty): &(&Parameter, String)| {
            let (name, ident) = (&parameter.name, &parameter.ident);
            match parameter.place {
                Place::Header if ty == "String" || ty == "str" => {
                    format!("\n            .header({:?}, params.{ident}.as_deref())", name.to_ascii_lowercase())
                }
                _ => format!("\n            .query({name:?}, &params.{ident})"),
            }
        };
        self.optional().map(step).collect()
    }

    fn method(&self, version: &Version<'_>) -> String {
        let row = self.row;
        let mut doc = vec![version.summary(&row.id).to_owned(), String::new()];
        doc.push(format!("`{} {}`, operation `{}`.", row.method, row.path, row.document_id));
        if row.deprecated {
            doc.push(String::new());
            doc.push("Cint has marked this operation as deprecated.".to_owned());
        }
        let mut arguments = vec!["&self".to_owned()];
        let mut steps = String::new();
        let mut path = Vec::new();
        for (parameter, ty) in self.required() {
            let ident = &parameter.ident;
            arguments.push(format!("{ident}: {}", argument(ty)));
            match parameter.place {
                Place::Path => path.push(format!("({:?}, &{ident})", parameter.name)),
                Place::Query => steps.push_str(&format!("\n            .query({:?}, &{ident})", parameter.name)),
                Place::Header => steps.push_str(&format!(
                    "\n            .header({:?}, Some({ident}))",
                    parameter.name.to_ascii_lowercase()
                )),
            }
        }
        for (uniform, parameter) in self.uniform() {
            let ident = &parameter.ident;
            arguments.push(format!("{ident}: Option<&str>"));
            steps.push_str(&match (uniform, parameter.required) {
                (Uniform::Locale, true) => format!("\n            .required_query({:?}, {ident})", parameter.name),
                (Uniform::Locale, false) => format!("\n            .query({:?}, &{ident})", parameter.name),
                (Uniform::IfMatch, true) => format!("\n            .required_if_match({ident})"),
                (Uniform::IfMatch, false) => format!("\n            .header(\"if-match\", {ident})"),
                (Uniform::IdempotencyKey, _) => format!("\n            .header(\"idempotency-key\", {ident})"),
            });
            if parameter.required && uniform != Uniform::IdempotencyKey {
                doc.push(String::new());
                doc.push(format!("Without `{ident}` it is refused before it is sent."));
            }
        }
        match &self.body {
            Body::None => {}
            Body::Json { ty, required: true } => {
                arguments.push(format!("body: {}", argument_of_body(ty)));
                steps.push_str("\n            .json(body)");
            }
            Body::Json { ty, required: false } => arguments.push(format!("body: Option<{}>", argument_of_body(ty))),
            Body::Bytes => {
                arguments.push("body: impl Into<bytes::Bytes> + Send".to_owned());
                steps.push_str("\n            .bytes(body)");
            }
            Body::File { field } => {
                arguments.push("file: &File".to_owned());
                steps.push_str(&format!("\n            .file({field:?}, file)"));
            }
        }
        let short = self.short_method(&doc, &arguments);
        if let Some(name) = self.params_name() {
            arguments.push(format!("params: &{name}"));
            steps.push_str(&self.optional_steps());
            doc = vec![format!("[`{}`](Self::{}), with what is optional about it.", row.id, row.id)];
        }
        let (answer, send) = match &self.answer {
            Answer::Empty => ("()".to_owned(), "empty"),
            Answer::Json(ty) => (qualified(ty), "json"),
            Answer::Bytes => ("ByteStream".to_owned(), "stream"),
        };
        let optional_body = matches!(self.body, Body::Json { required: false, .. });
        let mutable = if optional_body { "mut " } else { "" };
        let set_body = if optional_body {
            "        if let Some(body) = body {\n            request = request.json(body);\n        }\n"
        } else {
            ""
        };
        let path = path.join(", ");
        format!(
            "{short}{}    pub async fn {}({}) -> Result<Response<{answer}>, Error> {{\n        let {mutable}request = Request::new(&operations::{}, &[{path}]){steps};\n{set_body}        transport::{send}(&*self.transport, request).await\n    }}\n",
            super::doc("    ", &doc),
            self.method_name(),
            arguments.join(", "),
            constant(row),
        )
    }

    /// The method that takes everything: where something is optional, it has a name of its own, so that a first
    /// optional parameter changes nothing for those who do without.
    pub(super) fn method_name(&self) -> String {
        self.params_name().map_or_else(|| self.row.id.clone(), |_| format!("{}_with", self.row.id))
    }

    /// The method without what is optional, where something is.
    fn short_method(&self, doc: &[String], arguments: &[String]) -> String {
        let Some(params) = self.params_name() else { return String::new() };
        let names = arguments.iter().skip(1).filter_map(|argument| argument.split_once(':')).map(|(name, _)| name);
        let given: String = names.map(|name| format!("{name}, ")).collect();
        let answer = match &self.answer {
            Answer::Empty => "()".to_owned(),
            Answer::Json(ty) => qualified(ty),
            Answer::Bytes => "ByteStream".to_owned(),
        };
        format!(
            "{}    pub async fn {}({}) -> Result<Response<{answer}>, Error> {{\n        self.{}({given}&{params}::default()).await\n    }}\n\n",
            super::doc("    ", doc),
            self.row.id,
            arguments.join(", "),
            self.method_name(),
        )
    }
}

/// Whether a path and a query can have a value of a type: text, numbers, flags and open enums.
fn is_plain(version: &Version<'_>, ty: &str) -> bool {
    let is_open_enum = || {
        let schema = schemas(version.shaped).get(ty);
        schema.is_some_and(|schema| schema.get("enum").is_some() && schema.get(TAG).is_none())
    };
    ["String", "i64", "f64", "bool"].contains(&ty) || is_open_enum()
}

/// The type below references and `Option`.
fn bare(ty: &syn::Type) -> String {
    match ty {
        syn::Type::Reference(reference) => bare(&reference.elem),
        syn::Type::Path(path) => {
            let last = path.path.segments.last();
            if let Some(last) = last.filter(|last| last.ident == "Option")
                && let syn::PathArguments::AngleBracketed(arguments) = &last.arguments
                && let Some(syn::GenericArgument::Type(inner)) = arguments.args.first()
            {
                return bare(inner);
            }
            match print(ty).as_str() {
                "str" => "String".to_owned(),
                text => text.to_owned(),
            }
        }
        other => print(other),
    }
}

/// A type of the `types` module, named from the client's.
pub(super) fn qualified(ty: &str) -> String {
    let plain = ["String", "i64", "f64", "bool", "()"];
    match ty.strip_prefix("Vec<").and_then(|inner| inner.strip_suffix('>')) {
        Some(inner) => format!("Vec<{}>", qualified(inner)),
        None if plain.contains(&ty) || ty.contains("::") => ty.to_owned(),
        None => format!("types::{ty}"),
    }
}

fn argument(ty: &str) -> String {
    match ty {
        "String" => "&str".to_owned(),
        "i64" | "f64" | "bool" => ty.to_owned(),
        ty => argument_of_body(ty),
    }
}

fn argument_of_body(ty: &str) -> String {
    match ty.strip_prefix("Vec<").and_then(|inner| inner.strip_suffix('>')) {
        Some(inner) => format!("&[{}]", qualified(inner)),
        None => format!("&{}", qualified(ty)),
    }
}
