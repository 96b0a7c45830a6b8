//! The interface documents of the Cint Exchange Demand API, one per dated version, embedded as JSON text.
//! Each is a complete OpenAPI 3.0 document without prose: paths, types, limits, errors, headers.
//!
//! ```
//! let document = cintx_openapi::document("2025-12-18").expect("a known version");
//! assert!(document.json.contains("\"create_project\""));
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

mod documents;

/// One dated version's document.
#[derive(Clone, Copy, Debug)]
pub struct Document {
    /// The version as `YYYY-MM-DD`: the value of the `Cint-API-Version` header.
    pub date: &'static str,
    /// The OpenAPI 3.0 document.
    pub json: &'static str,
}

/// Every document, oldest version first.
pub fn documents() -> &'static [Document] {
    documents::DOCUMENTS
}

/// The document of one version, given as `YYYY-MM-DD`.
pub fn document(date: &str) -> Option<&'static Document> {
    documents().iter().find(|document| document.date == date)
}
