//! The grammar of an OpenAPI 3.0 document: which object may hold which keys, and what they lead to.
//! One table serves every walk, so a pass names the kind of object it treats and nothing else.

use serde_json::{Map, Value};

/// The kinds of object an OpenAPI 3.0 document is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Document,
    Info,
    Server,
    ServerVariable,
    Tag,
    PathItem,
    Operation,
    Parameter,
    RequestBody,
    Response,
    Header,
    MediaType,
    Encoding,
    Schema,
    Discriminator,
    Components,
    SecurityScheme,
    OAuthFlows,
    OAuthFlow,
    Example,
    Link,
    ExternalDocs,
}

/// What a key of an object leads to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Child {
    /// A plain value.
    Leaf,
    /// One object of a kind.
    One(Kind),
    /// A map from names to objects of a kind.
    Map(Kind),
    /// A list of objects of a kind.
    List(Kind),
    /// An object of a kind, or a boolean (`additionalProperties`).
    OneOrFlag(Kind),
}

use Child::{Leaf, List, One, OneOrFlag};
use Kind::{
    Components, Discriminator, Document, Encoding, Example, ExternalDocs, Header, Info, Link, MediaType, OAuthFlow,
    OAuthFlows, Operation, Parameter, PathItem, RequestBody, Response, Schema, SecurityScheme, Server, ServerVariable,
    Tag,
};

/// The HTTP methods a path may hold, in the order OpenAPI lists them.
pub(crate) const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

impl Kind {
    /// The keys OpenAPI 3.0 allows in this kind of object.
    #[expect(clippy::too_many_lines, reason = "a table: what OpenAPI 3.0 lists, kind by kind")]
    pub(crate) fn keys(self) -> &'static [(&'static str, Child)] {
        match self {
            Document => &[
                ("openapi", Leaf),
                ("info", One(Info)),
                ("servers", List(Server)),
                ("paths", Child::Map(PathItem)),
                ("components", One(Components)),
                ("security", Leaf),
                ("tags", List(Tag)),
                ("externalDocs", One(ExternalDocs)),
            ],
            Info => &[
                ("title", Leaf),
                ("version", Leaf),
                ("description", Leaf),
                ("termsOfService", Leaf),
                ("contact", Leaf),
                ("license", Leaf),
            ],
            Server => &[("url", Leaf), ("description", Leaf), ("variables", Child::Map(ServerVariable))],
            ServerVariable => &[("enum", Leaf), ("default", Leaf), ("description", Leaf)],
            Tag => &[("name", Leaf), ("description", Leaf), ("externalDocs", One(ExternalDocs))],
            PathItem => &[
                ("summary", Leaf),
                ("description", Leaf),
                ("get", One(Operation)),
                ("put", One(Operation)),
                ("post", One(Operation)),
                ("delete", One(Operation)),
                ("options", One(Operation)),
                ("head", One(Operation)),
                ("patch", One(Operation)),
                ("trace", One(Operation)),
                ("servers", List(Server)),
                ("parameters", List(Parameter)),
            ],
            Operation => &[
                ("tags", Leaf),
                ("summary", Leaf),
                ("description", Leaf),
                ("externalDocs", One(ExternalDocs)),
                ("operationId", Leaf),
                ("parameters", List(Parameter)),
                ("requestBody", One(RequestBody)),
                ("responses", Child::Map(Response)),
                ("deprecated", Leaf),
                ("security", Leaf),
                ("servers", List(Server)),
            ],
            Parameter => &[
                ("name", Leaf),
                ("in", Leaf),
                ("description", Leaf),
                ("required", Leaf),
                ("deprecated", Leaf),
                ("allowEmptyValue", Leaf),
                ("style", Leaf),
                ("explode", Leaf),
                ("allowReserved", Leaf),
                ("schema", One(Schema)),
                ("example", Leaf),
                ("examples", Leaf),
                ("content", Child::Map(MediaType)),
            ],
            RequestBody => &[("description", Leaf), ("content", Child::Map(MediaType)), ("required", Leaf)],
            Response => &[
                ("description", Leaf),
                ("headers", Child::Map(Header)),
                ("content", Child::Map(MediaType)),
                ("links", Child::Map(Link)),
            ],
            Header => &[
                ("description", Leaf),
                ("required", Leaf),
                ("deprecated", Leaf),
                ("allowEmptyValue", Leaf),
                ("style", Leaf),
                ("explode", Leaf),
                ("allowReserved", Leaf),
                ("schema", One(Schema)),
                ("example", Leaf),
                ("examples", Leaf),
                ("content", Child::Map(MediaType)),
            ],
            MediaType => {
                &[("schema", One(Schema)), ("example", Leaf), ("examples", Leaf), ("encoding", Child::Map(Encoding))]
            }
            Encoding => &[
                ("contentType", Leaf),
                ("headers", Child::Map(Header)),
                ("style", Leaf),
                ("explode", Leaf),
                ("allowReserved", Leaf),
            ],
            Schema => &[
                ("title", Leaf),
                ("multipleOf", Leaf),
                ("maximum", Leaf),
                ("exclusiveMaximum", Leaf),
                ("minimum", Leaf),
                ("exclusiveMinimum", Leaf),
                ("maxLength", Leaf),
                ("minLength", Leaf),
                ("pattern", Leaf),
                ("maxItems", Leaf),
                ("minItems", Leaf),
                ("uniqueItems", Leaf),
                ("maxProperties", Leaf),
                ("minProperties", Leaf),
                ("required", Leaf),
                ("enum", Leaf),
                ("type", Leaf),
                ("allOf", List(Schema)),
                ("oneOf", List(Schema)),
                ("anyOf", List(Schema)),
                ("not", One(Schema)),
                ("items", One(Schema)),
                ("properties", Child::Map(Schema)),
                ("additionalProperties", OneOrFlag(Schema)),
                ("description", Leaf),
                ("format", Leaf),
                ("default", Leaf),
                ("nullable", Leaf),
                ("discriminator", One(Discriminator)),
                ("readOnly", Leaf),
                ("writeOnly", Leaf),
                ("xml", Leaf),
                ("externalDocs", One(ExternalDocs)),
                ("example", Leaf),
                ("deprecated", Leaf),
            ],
            Discriminator => &[("propertyName", Leaf), ("mapping", Leaf)],
            Components => &[
                ("schemas", Child::Map(Schema)),
                ("responses", Child::Map(Response)),
                ("parameters", Child::Map(Parameter)),
                ("examples", Child::Map(Example)),
                ("requestBodies", Child::Map(RequestBody)),
                ("headers", Child::Map(Header)),
                ("securitySchemes", Child::Map(SecurityScheme)),
                ("links", Child::Map(Link)),
            ],
            SecurityScheme => &[
                ("type", Leaf),
                ("description", Leaf),
                ("name", Leaf),
                ("in", Leaf),
                ("scheme", Leaf),
                ("bearerFormat", Leaf),
                ("flows", One(OAuthFlows)),
                ("openIdConnectUrl", Leaf),
            ],
            OAuthFlows => &[
                ("implicit", One(OAuthFlow)),
                ("password", One(OAuthFlow)),
                ("clientCredentials", One(OAuthFlow)),
                ("authorizationCode", One(OAuthFlow)),
            ],
            OAuthFlow => &[("authorizationUrl", Leaf), ("tokenUrl", Leaf), ("refreshUrl", Leaf), ("scopes", Leaf)],
            Example => &[("summary", Leaf), ("description", Leaf), ("value", Leaf), ("externalValue", Leaf)],
            Link => &[
                ("operationRef", Leaf),
                ("operationId", Leaf),
                ("parameters", Leaf),
                ("requestBody", Leaf),
                ("description", Leaf),
                ("server", One(Server)),
            ],
            ExternalDocs => &[("description", Leaf), ("url", Leaf)],
        }
    }

    pub(crate) fn child(self, key: &str) -> Option<Child> {
        self.keys().iter().find(|(name, _)| *name == key).map(|(_, child)| *child)
    }

    /// Whether a map may hold `x-` extensions beside its entries; in every other map such a name is an entry.
    pub(crate) fn extends(self, key: &str) -> bool {
        matches!((self, key), (Document, "paths") | (Operation, "responses"))
    }

    /// The folder of `components` that references to this kind point into.
    pub(crate) fn folder(self) -> Option<&'static str> {
        Some(match self {
            Schema => "schemas",
            Response => "responses",
            Parameter => "parameters",
            Example => "examples",
            RequestBody => "requestBodies",
            Header => "headers",
            SecurityScheme => "securitySchemes",
            Link => "links",
            _ => return None,
        })
    }
}

/// A JSON object.
pub(crate) type Object = Map<String, Value>;

/// Appends a token to a JSON pointer; returns the length to truncate to afterwards.
pub(crate) fn push_pointer(pointer: &mut String, token: &str) -> usize {
    let length = pointer.len();
    pointer.push('/');
    pointer.push_str(&escape(token));
    length
}

/// One JSON pointer token.
pub(crate) fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

/// Calls `visit` for every object of the document, children before parents.
/// References are visited too, as the kind that their place asks for.
pub(crate) fn walk(document: &mut Value, visit: &mut dyn FnMut(Kind, &str, &mut Object)) {
    walk_from(document, Document, &mut String::new(), visit);
}

/// The same from any node of a known kind.
pub(crate) fn walk_from(
    value: &mut Value,
    kind: Kind,
    pointer: &mut String,
    visit: &mut dyn FnMut(Kind, &str, &mut Object),
) {
    let Value::Object(object) = value else { return };
    if !object.contains_key("$ref") {
        for (key, child) in kind.keys() {
            let Some(value) = object.get_mut(*key) else { continue };
            let length = push_pointer(pointer, key);
            match child {
                Leaf => {}
                One(kind) | OneOrFlag(kind) => walk_from(value, *kind, pointer, visit),
                Child::Map(child) => {
                    let extensible = kind.extends(key);
                    if let Value::Object(map) = value {
                        let entries = map.iter_mut().filter(|(name, _)| !extensible || !name.starts_with("x-"));
                        for (name, value) in entries {
                            let length = push_pointer(pointer, name);
                            walk_from(value, *child, pointer, visit);
                            pointer.truncate(length);
                        }
                    }
                }
                List(kind) => {
                    if let Value::Array(list) = value {
                        for (index, value) in list.iter_mut().enumerate() {
                            let length = push_pointer(pointer, &index.to_string());
                            walk_from(value, *kind, pointer, visit);
                            pointer.truncate(length);
                        }
                    }
                }
            }
            pointer.truncate(length);
        }
    }
    visit(kind, pointer, object);
}

/// Calls `visit` for every object without changing anything.
pub(crate) fn inspect(document: &Value, visit: &mut dyn FnMut(Kind, &str, &Object)) {
    // One walker keeps one grammar; a copy of a document is a few milliseconds.
    walk(&mut document.clone(), &mut |kind, pointer, object| visit(kind, pointer, object));
}

/// Follows a local reference.
pub(crate) fn resolve<'a>(document: &'a Value, reference: &str) -> Option<&'a Value> {
    document.pointer(reference.strip_prefix('#')?)
}

/// The kind of object that a local reference leads to, by the way it takes; `None` where it ends at something else.
pub(crate) fn kind_at(reference: &str) -> Option<Kind> {
    let mut kind = Document;
    let mut tokens = reference.strip_prefix("#/")?.split('/');
    while let Some(token) = tokens.next() {
        match kind.child(token)? {
            Leaf => return None,
            One(child) | OneOrFlag(child) => kind = child,
            Child::Map(child) | List(child) => {
                tokens.next()?;
                kind = child;
            }
        }
    }
    Some(kind)
}

/// Whether a media type is JSON: with parameters, or of another name that ends in `+json`.
pub(crate) fn is_json(media: &str) -> bool {
    is_plain_json(media) || essence(media).ends_with("+json")
}

/// Whether a media type is JSON by its own name: what is sent is called nothing else.
pub(crate) fn is_plain_json(media: &str) -> bool {
    essence(media) == "application/json"
}

/// A media type without its parameters.
pub(crate) fn essence(media: &str) -> String {
    media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Which of several media types is read and sent as JSON: the one of that name before others.
pub(crate) fn json_of(content: &Object) -> Option<(&String, &Value)> {
    let plain = content.iter().find(|(media, _)| is_plain_json(media));
    plain.or_else(|| content.iter().find(|(media, _)| is_json(media)))
}

/// The component name that a schema reference points to.
pub(crate) fn schema_name(reference: &str) -> Option<&str> {
    reference.strip_prefix("#/components/schemas/")
}

/// A reference to a schema component.
pub(crate) fn schema_ref(name: &str) -> Value {
    serde_json::json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Every operation as (path, method, path item, operation).
pub(crate) fn operations(document: &Value) -> impl Iterator<Item = (&str, &'static str, &Object, &Object)> {
    document.get("paths").and_then(Value::as_object).into_iter().flatten().flat_map(|(path, item)| {
        let item = item.as_object();
        METHODS.into_iter().filter_map(move |method| {
            let item = item?;
            Some((path.as_str(), method, item, item.get(method)?.as_object()?))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_property_named_like_a_keyword_is_a_schema_and_not_the_keyword() {
        let mut document = json!({"components": {"schemas": {"A": {"properties": {
            "description": {"type": "string", "description": "prose"}
        }}}}});
        let mut seen = Vec::new();
        walk(&mut document, &mut |kind, pointer, _| seen.push((kind, pointer.to_owned())));
        assert!(seen.contains(&(Kind::Schema, "/components/schemas/A/properties/description".to_owned())));
        assert!(seen.last().is_some_and(|(kind, _)| *kind == Kind::Document), "children come before parents");
    }

    #[test]
    fn names_that_look_like_extensions_are_entries_where_extensions_cannot_be() {
        let mut document = json!({
            "paths": {"x-note": {"get": {}}, "/a": {"get": {"responses": {"x-note": {}, "200": {"headers": {"x-rate": {}}}}}}},
            "components": {"schemas": {"x-note": {"properties": {"x-age": {}}}}}
        });
        let mut seen = Vec::new();
        walk(&mut document, &mut |_, pointer, _| seen.push(pointer.to_owned()));
        for entry in [
            "/paths/~1a/get/responses/200/headers/x-rate",
            "/components/schemas/x-note",
            "/components/schemas/x-note/properties/x-age",
        ] {
            assert!(seen.iter().any(|pointer| pointer == entry), "{entry}");
        }
        assert!(!seen.iter().any(|pointer| pointer.starts_with("/paths/x-note")));
        assert!(!seen.iter().any(|pointer| pointer.ends_with("responses/x-note")));
    }

    #[test]
    fn the_way_of_a_reference_says_what_it_leads_to() {
        assert_eq!(kind_at("#/components/schemas/A"), Some(Kind::Schema));
        assert_eq!(kind_at("#/components/schemas/A/properties/p/items"), Some(Kind::Schema));
        assert_eq!(kind_at("#/paths/~1a/get/responses/200"), Some(Kind::Response));
        for nowhere in ["#/components/schemas", "#/components/schemas/A/properties", "#/info/title/x", "x.json#/A", "#"]
        {
            assert_eq!(kind_at(nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn json_has_many_names() {
        for json in ["application/json", "application/JSON; charset=utf-8", "application/problem+json"] {
            assert!(is_json(json), "{json}");
        }
        for other in ["text/csv", "application/json-seq", "application/x-ndjson", ""] {
            assert!(!is_json(other), "{other}");
        }
    }

    #[test]
    fn pointers_escape_slashes_and_tildes() {
        assert_eq!(escape("/a/~b"), "~1a~1~0b");
    }
}
