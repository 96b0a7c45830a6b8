//! The operation table: what the document says about each operation, as data.
//! A pipeline asks this table, so nobody keeps lists of operations by hand.

use http::Method;

/// One operation of one dated version.
///
/// Every version has a table of them, in the order of its document's paths:
/// `cintx_raw::v2025_12_18::operations::ALL`.
#[derive(Debug)]
#[non_exhaustive]
pub struct Operation {
    /// The operation's id in snake case; it is also the name of the client's method.
    pub id: &'static str,
    /// The id exactly as the document spells it.
    pub document_id: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path with `{parameters}`, relative to the host's base URL.
    pub path: &'static str,
    /// The host that serves it.
    pub host: Host,
    /// The document's tags.
    pub tags: &'static [&'static str],
    /// The value of the `Cint-API-Version` header; `None` where the operation is not versioned.
    pub api_version: Option<&'static str>,
    /// Whether it takes an `Idempotency-Key`, and in which format.
    pub idempotency_key: IdempotencyKey,
    /// Whether it takes `If-Match`.
    pub if_match: Requirement,
    /// Whether it takes `If-None-Match`.
    pub if_none_match: Requirement,
    /// The media types that its request body may have; empty without a body.
    pub request_media: &'static [&'static str],
    /// The media types of its success answer; empty without a body.
    pub answer_media: &'static [&'static str],
    /// What its success answer is at its top level.
    pub answer_shape: AnswerShape,
    /// The statuses that mean success.
    pub success: &'static [u16],
    /// Every other status that the document lists.
    pub failures: &'static [u16],
    /// The headers of its answers that carry meaning (`location`, `etag`, `retry-after`, ...), in lower case.
    pub headers: &'static [&'static str],
    /// How its answer is divided into pages.
    pub pagination: Option<Pagination>,
    /// Its part in a long-running job.
    pub job: Option<Job>,
    /// What a repeated request would do.
    pub idempotency: Idempotency,
    /// Whether Cint has announced its end.
    pub deprecated: bool,
}

impl Operation {
    /// A row for a request that no document describes: sent with the client's version, without an idempotency key,
    /// and repeatable as its method says.
    pub fn undocumented(method: &Method) -> &'static Self {
        match *method {
            Method::GET | Method::HEAD | Method::OPTIONS => &UNDOCUMENTED_READ,
            Method::PUT => &UNDOCUMENTED_PUT,
            Method::DELETE => &UNDOCUMENTED_DELETE,
            Method::PATCH => &UNDOCUMENTED_PATCH,
            _ => &UNDOCUMENTED_POST,
        }
    }

    /// A row for a request to a token endpoint, which is no part of the API: it has no path here.
    pub fn token_request() -> &'static Self {
        &TOKEN_REQUEST
    }

    /// The row for asking about one respondent from server to server. That API has no versions, so neither has this
    /// row; it says what the rows of the versions that list the operation say.
    pub fn respondent_status() -> &'static Self {
        &RESPONDENT_STATUS
    }

    /// The row for saying from server to server how a respondent ended, for every version like
    /// [`respondent_status`](Self::respondent_status).
    pub fn respondent_transition() -> &'static Self {
        &RESPONDENT_TRANSITION
    }

    /// Whether repeating it has no effect, since it only reads or computes.
    pub fn is_read(&self) -> bool {
        self.idempotency == Idempotency::Safe
    }
}

pub(crate) const fn undocumented(method: Method, idempotency: Idempotency) -> Operation {
    row("undocumented", method, idempotency)
}

const fn row(id: &'static str, method: Method, idempotency: Idempotency) -> Operation {
    Operation {
        id,
        document_id: "",
        method,
        path: "",
        host: Host::Demand,
        tags: &[],
        api_version: None,
        idempotency_key: IdempotencyKey::None,
        if_match: Requirement::Optional,
        if_none_match: Requirement::Optional,
        request_media: &["application/json"],
        answer_media: &["application/json"],
        answer_shape: AnswerShape::Other,
        success: &[],
        failures: &[],
        headers: &[],
        pagination: None,
        job: None,
        idempotency,
        deprecated: false,
    }
}

static TOKEN_REQUEST: Operation = row("token_request", Method::POST, Idempotency::Safe);
static RESPONDENT_STATUS: Operation = {
    let mut row = respondent("get_respondent_status", Method::GET, Idempotency::Safe);
    row.path = "/fulfillment/respondents/{RID}";
    row.request_media = &[];
    row.answer_shape = AnswerShape::Object(&["id", "links", "status"]);
    row
};
static RESPONDENT_TRANSITION: Operation = {
    let mut row = respondent("update_respondent_status", Method::POST, Idempotency::Unsafe);
    row.path = "/fulfillment/respondents/transition";
    row.answer_shape = AnswerShape::Object(&["id", "status"]);
    row
};

/// What both operations of the server-to-server API have.
const fn respondent(id: &'static str, method: Method, idempotency: Idempotency) -> Operation {
    let mut row = row(id, method, idempotency);
    row.document_id = id;
    row.host = Host::ServerToServer;
    row.tags = &["Fulfillment"];
    row.if_match = Requirement::None;
    row.if_none_match = Requirement::None;
    row.success = &[200];
    row.failures = &[404, 422];
    row
}

static UNDOCUMENTED_READ: Operation = undocumented(Method::GET, Idempotency::Safe);
static UNDOCUMENTED_PUT: Operation = undocumented(Method::PUT, Idempotency::Idempotent);
static UNDOCUMENTED_DELETE: Operation = undocumented(Method::DELETE, Idempotency::Idempotent);
static UNDOCUMENTED_PATCH: Operation = undocumented(Method::PATCH, Idempotency::Unsafe);
static UNDOCUMENTED_POST: Operation = undocumented(Method::POST, Idempotency::Unsafe);

/// Two rows are the same operation when they are the same row of the same table.
impl PartialEq for Operation {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Operation {}

/// What a success answer is at its top level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AnswerShape {
    /// No JSON, or JSON of any kind.
    Other,
    /// An object that has some of these properties; any object if there are none.
    Object(&'static [&'static str]),
    /// A list.
    Array,
}

/// The hosts of the API. Each has its own credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Host {
    /// The Demand API: a bearer token and a version header.
    Demand,
    /// The server-to-server API: its own key, raw in `Authorization`, and no version header.
    ServerToServer,
}

impl Host {
    /// Cint's production address.
    pub const fn default_url(self) -> &'static str {
        match self {
            Self::Demand => "https://api.cint.com/v1",
            Self::ServerToServer => "https://s2s.cint.com",
        }
    }
}

/// Whether an operation takes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Requirement {
    /// It is not declared; sending it means nothing.
    None,
    /// It may be sent.
    Optional,
    /// The request is refused without it.
    Required,
}

/// Whether an operation takes an `Idempotency-Key`, and in which format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdempotencyKey {
    /// It takes none: every request is a new one.
    None,
    /// It may have one.
    Optional(KeyFormat),
    /// It must have one.
    Required(KeyFormat),
}

impl IdempotencyKey {
    /// The format, where there is a key.
    pub const fn format(self) -> Option<KeyFormat> {
        match self {
            Self::None => None,
            Self::Optional(format) | Self::Required(format) => Some(format),
        }
    }
}

/// What an `Idempotency-Key` looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyFormat {
    /// Any text of at most 255 characters.
    Any,
    /// A ULID.
    Ulid,
    /// A version 4 UUID.
    UuidV4,
}

/// How an answer is divided into pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pagination {
    /// `start_after` of the next page is a cursor of this one.
    Cursor {
        /// The answer's property that lists the items.
        items: &'static str,
        /// Where the next cursor comes from.
        next: NextCursor,
        /// Whether the answer says if there is more.
        has_more: bool,
    },
    /// `page_number` counts pages from zero; a short page is the last.
    Number {
        /// The answer's property that lists the items.
        items: &'static str,
    },
}

/// Where the cursor of the next page comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NextCursor {
    /// The answer's `next_cursor`; null, absent and empty all mean the end.
    Field,
    /// The id of the page's last item.
    LastId,
}

/// An operation's part in a long-running job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Job {
    /// It starts one.
    Start {
        /// The operation that tells how far it is.
        status: &'static str,
        /// Where the job's id is in the answer.
        id: JobId,
    },
    /// It tells how far one is.
    Status {
        /// The operations that start it.
        starts: &'static [&'static str],
    },
}

/// Where the id of a started job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobId {
    /// The last path segment of the `Location` header.
    Location,
    /// A property of the answer.
    Field(&'static str),
}

/// What a repeated request would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Idempotency {
    /// Nothing: it only reads.
    Safe,
    /// The same again: it sets a state.
    Idempotent,
    /// Nothing, if it has the same idempotency key.
    Keyed,
    /// A second effect.
    Unsafe,
}

#[cfg(all(test, feature = "v2025-12-18"))]
mod tests {
    use super::*;
    use crate::v2025_12_18::operations;

    #[test]
    fn rows_without_a_version_say_what_the_document_says() {
        for (own, documented) in [
            (Operation::respondent_status(), &operations::GET_RESPONDENT_STATUS),
            (Operation::respondent_transition(), &operations::UPDATE_RESPONDENT_STATUS),
        ] {
            assert_eq!(format!("{own:?}"), format!("{documented:?}"));
        }
    }
}
