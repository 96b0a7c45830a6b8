// Written by `cargo xtask import` from index.toml; do not edit.

pub(crate) static DOCUMENTS: &[crate::Document] = &[
    crate::Document { date: "2024-12-02", json: include_str!("../2024-12-02.json") },
    crate::Document { date: "2025-02-17", json: include_str!("../2025-02-17.json") },
    crate::Document { date: "2025-12-18", json: include_str!("../2025-12-18.json") },
];
