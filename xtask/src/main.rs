//! The maintainers' tool of cintx: `cargo xtask import` and `cargo xtask regen`.
//! `import` turns a downloaded document into a fact-only one; `regen` turns those into the raw crate.

mod ci;
mod document;
#[cfg(test)]
mod fixture;
mod guarded;
mod import;
mod regen;
mod report;
mod styles;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Keeps cintx in step with Cint's documents")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Takes a downloaded OpenAPI 3.0 document (YAML or JSON) into `openapi/`.
    Import {
        /// The document as downloaded.
        file: PathBuf,
        /// The dated version, where the document does not say it.
        #[arg(long = "as", value_name = "DATE")]
        date: Option<String>,
    },
    /// Regenerates the raw crate from `openapi/`.
    Regen {
        /// The dated versions; all of them if none is named.
        dates: Vec<String>,
        /// Write nothing; show what would change and exit with 1 if anything would.
        #[arg(long)]
        check: bool,
        /// Print what each pass of shaping did.
        #[arg(short, long)]
        verbose: bool,
        /// Also write the shaped documents into this folder, to look at.
        #[arg(long, value_name = "FOLDER")]
        emit_shaped: Option<PathBuf>,
    },
    /// Writes progenitor's own output in both of its styles as crates, to measure them.
    Styles {
        /// The dated version.
        date: String,
        /// Where the crates go.
        folder: PathBuf,
    },
    /// Runs everything that must hold before a change lands.
    Ci,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let workspace = Workspace::at(root);
    match cli.command {
        Command::Import { file, date } => {
            println!("{}", import::run(&workspace, &file, &import::Options { date })?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Regen { dates, check, verbose, emit_shaped } => {
            let up_to_date = regen::run(&workspace, &regen::Options { dates, check, verbose, emit_shaped })?;
            Ok(if check && !up_to_date { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
        Command::Styles { date, folder } => {
            styles::run(&workspace, &date, &folder)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Ci => {
            let index = document::index::Index::read(&workspace.index())?;
            let dates: Vec<String> = index.entries().iter().map(|entry| entry.date.clone()).collect();
            ci::run(&workspace, &dates)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
