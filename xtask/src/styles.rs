//! `cargo xtask styles`: progenitor's own output in both of its styles, as crates to measure.
//! The figures behind our choice of style in docs/decisions.md come from here.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use progenitor::{GenerationSettings, Generator, InterfaceStyle};
use serde_json::Value;

use crate::regen;
use crate::workspace::Workspace;

const MANIFEST: &str = r#"
version = "0.0.0"
edition = "2021"

[workspace]

[dependencies]
bytes = "1"
chrono = { version = "0.4", features = ["serde"] }
cintx-raw = { path = "CINTX_RAW", default-features = false }
futures = "0.3"
percent-encoding = "2"
progenitor-client = "0.15"
regress = "0.11"
reqwest = { version = "0.13", default-features = false, features = ["json", "query", "stream"] }
serde = { version = "1", features = ["derive"] }
serde_json = "1"
serde_urlencoded = "0.7"
"#;

/// Writes `positional/` and `builder/` into a folder and prints how long each is.
pub(crate) fn run(workspace: &Workspace, date: &str, folder: &Path) -> Result<()> {
    let shaped: Value = regen::shaped(workspace, date)?;
    for (name, style) in [("positional", InterfaceStyle::Positional), ("builder", InterfaceStyle::Builder)] {
        let mut settings = GenerationSettings::new();
        settings.with_interface(style);
        for name in ["Id", "Secret"] {
            settings.with_replacement(name, format!("cintx_raw::{name}"), std::iter::empty());
        }
        let document: openapiv3::OpenAPI = serde_json::from_value(shaped.clone())?;
        let tokens =
            Generator::new(&settings).generate_tokens(&document).map_err(|error| anyhow!("progenitor: {error}"))?;
        let text = prettyplease::unparse(&syn::parse2(tokens)?);
        let source = folder.join(name).join("src");
        fs::create_dir_all(&source).with_context(|| format!("cannot make {}", source.display()))?;
        let raw = fs::canonicalize(workspace.root().join("cintx-raw"))?;
        let manifest = MANIFEST.replace("CINTX_RAW", &raw.to_string_lossy());
        fs::write(folder.join(name).join("Cargo.toml"), format!("[package]\nname = \"{name}\"{manifest}"))?;
        println!("{name}: {} lines", text.lines().count());
        fs::write(source.join("lib.rs"), text)?;
    }
    Ok(())
}
