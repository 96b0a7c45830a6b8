//! The interface documents: where they come from, and nothing else.
//! The one place that names the crate they are embedded in.

/// The dates of all documents, oldest first.
pub(crate) fn dates() -> Vec<&'static str> {
    cintx_openapi::documents().iter().map(|document| document.date).collect()
}

/// The JSON text of one document.
pub(crate) fn json(date: &str) -> Option<&'static str> {
    cintx_openapi::document(date).map(|document| document.json)
}
