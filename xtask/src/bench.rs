//! `cargo xtask bench`: every table of `docs/performance.md`, by the programs of the `benches` package.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::workspace::Workspace;

/// Each prints its table.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    for table in ["", "load", "builds", "signatures"] {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(workspace.root()).args(["run", "--quiet", "--release", "--package", "cintx-benches"]);
        if !table.is_empty() {
            println!();
            cargo.args(["--", table]);
        }
        ensure!(cargo.status()?.success(), "cintx-benches {table} has failed");
    }
    Ok(())
}
