//! Finds the operation for a method and a path.
//! Literal segments win over parameters, as OpenAPI asks.

use super::operation::{Host, Operation};
use percent_encoding::percent_decode_str;
use std::collections::HashMap;

/// What a method and a path lead to.
#[derive(Debug)]
pub enum Found<'c> {
    /// An operation, with the values of its path parameters, decoded.
    Operation(&'c Operation, Vec<(&'c str, String)>),
    /// The path exists, but not with this method; those it has.
    OtherMethods(Vec<&'c str>),
    /// There is no such path.
    Nothing,
}

#[derive(Debug)]
struct Route {
    operation: usize,
    host: Host,
    segments: Vec<Segment>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    // The order of the variants makes literals sort first.
    Literal(String),
    Parameter(String),
}

/// All routes of a document, by their number of segments.
#[derive(Debug)]
pub(crate) struct Router {
    by_length: HashMap<usize, Vec<Route>>,
}

impl Router {
    pub(crate) fn new(operations: &[Operation]) -> Self {
        let mut by_length: HashMap<usize, Vec<Route>> = HashMap::new();
        for (at, operation) in operations.iter().enumerate() {
            let segments: Vec<_> = split(&operation.path)
                .map(|text| match text.strip_prefix('{').and_then(|t| t.strip_suffix('}')) {
                    Some(name) => Segment::Parameter(name.to_owned()),
                    None => Segment::Literal(text.to_owned()),
                })
                .collect();
            by_length.entry(segments.len()).or_default().push(Route { operation: at, host: operation.host, segments });
        }
        for routes in by_length.values_mut() {
            routes.sort_by(|a, b| a.segments.cmp(&b.segments));
        }
        Self { by_length }
    }

    pub(crate) fn find<'c>(&'c self, operations: &'c [Operation], host: Host, method: &str, path: &str) -> Found<'c> {
        let segments: Vec<&str> = split(path).collect();
        let mut others = Vec::new();
        // Methods of one path stand side by side; a path that is less
        // literal than one that matched is another path.
        let mut matched: Option<&[Segment]> = None;
        for route in self.by_length.get(&segments.len()).into_iter().flatten() {
            if route.host != host || !route.matches(&segments) {
                continue;
            }
            if matched.is_some_and(|first| !same_literals(first, &route.segments)) {
                continue;
            }
            matched = Some(&route.segments);
            let Some(operation) = operations.get(route.operation) else {
                continue;
            };
            if operation.method.eq_ignore_ascii_case(method) {
                return Found::Operation(operation, route.values(&segments));
            }
            others.push(operation.method.as_str());
            others.sort_unstable();
        }
        if others.is_empty() { Found::Nothing } else { Found::OtherMethods(others) }
    }
}

impl Route {
    fn matches(&self, segments: &[&str]) -> bool {
        self.segments.iter().zip(segments).all(|(own, given)| match own {
            Segment::Literal(text) => text == given,
            Segment::Parameter(_) => !given.is_empty(),
        })
    }

    fn values<'c>(&'c self, segments: &[&str]) -> Vec<(&'c str, String)> {
        self.segments
            .iter()
            .zip(segments)
            .filter_map(|(own, given)| match own {
                Segment::Literal(_) => None,
                Segment::Parameter(name) => {
                    Some((name.as_str(), percent_decode_str(given).decode_utf8_lossy().into_owned()))
                }
            })
            .collect()
    }
}

/// Whether two templates differ at most in the names of parameters.
fn same_literals(a: &[Segment], b: &[Segment]) -> bool {
    a.iter().zip(b).all(|(a, b)| match (a, b) {
        (Segment::Literal(a), Segment::Literal(b)) => a == b,
        (Segment::Parameter(_), Segment::Parameter(_)) => true,
        _ => false,
    })
}

fn split(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}
