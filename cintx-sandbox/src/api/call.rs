//! A request that the judge has let through, as the routes see it.
//! Gives them its parts by name, and the checks that several routes share.

use crate::api::dialect::whole;
use crate::api::rejection::Rejection;
use crate::contract::{Contract, Operation};
use crate::state::page::Window;
use crate::version::Version;
use http::HeaderMap;
use serde_json::Value;

/// An admitted request.
#[derive(Debug)]
pub(crate) struct Call<'c> {
    pub(crate) contract: &'c Contract,
    pub(crate) operation: &'c Operation,
    pub(crate) version: Version,
    pub(crate) path: Vec<(&'c str, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: &'c HeaderMap,
    pub(crate) body: Value,
    pub(crate) raw: &'c [u8],
    /// The path as it was requested, behind the base path.
    pub(crate) requested: &'c str,
    pub(crate) trace_id: String,
}

impl Call<'_> {
    /// A path parameter; empty if there is none of that name.
    pub(crate) fn at(&self, name: &str) -> &str {
        self.path.iter().find(|(own, _)| *own == name).map_or("", |(_, value)| value.as_str())
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// All values of a repeated query parameter.
    pub(crate) fn query_all<'q>(&'q self, name: &'q str) -> impl Iterator<Item = &'q str> {
        self.query.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A property of the body as text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name).and_then(Value::as_str)
    }

    /// A property of the body as a whole number.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.body.get(name).and_then(whole)
    }

    /// The part of a list that is asked for. The bounds are those that the
    /// API's pages name; its schemas have none.
    pub(crate) fn window(&self, usual: usize, most: usize) -> Result<Window, Rejection> {
        let size = match self.query("page_size") {
            None => usual,
            Some(text) => text
                .parse::<usize>()
                .ok()
                .filter(|size| (1..=most).contains(size))
                .ok_or_else(|| Rejection::refused("page_size", text, format!("a whole number from 1 to {most}")))?,
        };
        let cursor = |name| self.query(name).filter(|text| !text.is_empty()).map(str::to_owned);
        Ok(Window { size, start_after: cursor("start_after"), end_before: cursor("end_before") })
    }

    /// Holds the request against an ETag, where it carries one.
    pub(crate) fn match_etag(&self, current: &str) -> Result<(), Rejection> {
        match self.header("if-match") {
            Some(given) if given.trim() == "*" || given.split(',').any(|tag| tag.trim() == current) => Ok(()),
            Some(_) => Err(Rejection::stale()),
            // Whether it may be missing is the document's say.
            None => Ok(()),
        }
    }
}
