//! The maintainers' tool of cintx: `cargo xtask --help` lists its commands.
//! `import` turns a downloaded document into a fact-only one; `regen` turns those into the raw crate; `fetch`, `diff`,
//! `new-version` and `migration` are the way from one document to the next.

mod bench;
mod book;
mod changelog;
mod check;
mod ci;
mod diff;
mod document;
mod fetch;
#[cfg(test)]
mod fixture;
mod guarded;
mod import;
mod migration;
mod new_version;
mod practice;
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
    /// The repository to work on; the one that this was built in if none is named.
    #[arg(long, global = true, value_name = "FOLDER")]
    root: Option<PathBuf>,
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
        /// Take a document that has lost operations since its date was imported.
        #[arg(long)]
        allow_removal: bool,
    },
    /// Fetches Cint's document of a date into a cache outside the repository, and compares it with the imported one.
    Fetch {
        /// The dated version.
        date: String,
        /// The address, with {date} in it.
        #[arg(long, env = "CINTX_DOCUMENTS_URL", default_value = fetch::CINT)]
        url: String,
        /// The folder of the cache; the user's cache folder if none is named.
        #[arg(long, env = "CINTX_DOCUMENTS_CACHE", value_name = "FOLDER")]
        cache: Option<PathBuf>,
    },
    /// Compares two documents; exits with 1 if anything breaks or behaves otherwise.
    Diff {
        /// A dated version that is imported, or a file as downloaded.
        old: String,
        /// The same.
        new: String,
        /// The dated version, where a file does not say it.
        #[arg(long = "as", value_name = "DATE")]
        date: Option<String>,
        /// How the difference is printed.
        #[arg(long, value_enum, default_value = "text")]
        format: diff::Format,
        /// What api-smart-diff prints of the same two, to be held against; exits with 1 if a difference has no reason.
        #[arg(long, value_name = "FILE")]
        beside: Option<PathBuf>,
    },
    /// Takes in a new dated version: import, listings, generated code, migration page; prints what is left to do.
    NewVersion {
        /// The document as downloaded.
        file: PathBuf,
        /// The dated version, where the document does not say it.
        #[arg(long = "as", value_name = "DATE")]
        date: Option<String>,
        /// Do not ask the compiler what is still missing.
        #[arg(long)]
        no_compile: bool,
    },
    /// Writes a made-up document, to walk the way of a new version or of a changed one with.
    Practice {
        /// Where the document goes.
        file: PathBuf,
        /// Which one.
        #[arg(long, value_enum, default_value = "next")]
        kind: practice::Kind,
    },
    /// Writes the migration page of a step between two imported versions; passages written by hand survive.
    Migration {
        /// The older version.
        old: String,
        /// The newer one.
        new: String,
        /// Write nothing; exit with 1 if the page would change.
        #[arg(long)]
        check: bool,
    },
    /// Writes what changed between two documents into CHANGELOG.md; passages written by hand survive.
    Changelog {
        /// A dated version that is imported, or a file as downloaded.
        old: String,
        /// The same.
        new: String,
        /// The dated version, where a file does not say it.
        #[arg(long = "as", value_name = "DATE")]
        date: Option<String>,
        /// Write nothing; exit with 1 if the entry would change.
        #[arg(long)]
        check: bool,
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
    /// Puts the book together from `docs/book`, and builds it where mdBook is installed.
    Book,
    /// Checks what must hold before a release: overlays, generated code, sizes, licences, packages and more.
    Check {
        /// The checks; those that compile nothing if none is named.
        #[arg(value_name = "CHECK")]
        named: Vec<String>,
        /// Also those that compile: oldest Rust, lowest versions, public interface, examples of the last release.
        #[arg(long)]
        all: bool,
    },
    /// Runs everything that must hold before a change lands.
    Ci {
        /// Instead, what a change need not wait for: the tests of any two versions, the library's own of each alone.
        #[arg(long)]
        pairs: bool,
    },
    /// Measures calls, load and builds, and prints the tables of `docs/performance.md`; needs valgrind.
    Bench,
}

/// The exit code of a command that could not do its work; 1 is the answer "no" of one that could.
const COULD_NOT: u8 = 2;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(COULD_NOT)
        }
    }
}

/// Says what became of a file; a check of one that is out of date is a "no".
fn written(file: &str, up_to_date: bool, check: bool) -> ExitCode {
    let state = match (up_to_date, check) {
        (true, _) => "up to date",
        (false, true) => "out of date",
        (false, false) => "written",
    };
    println!("{file}: {state}");
    if check && !up_to_date { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn run(cli: Cli) -> Result<ExitCode> {
    let root = cli.root.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".."));
    let workspace = Workspace::at(root);
    match cli.command {
        Command::Import { file, date, allow_removal } => {
            println!("{}", import::run(&workspace, &file, &import::Options { date, allow_removal })?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Fetch { date, url, cache } => {
            let cache = cache.map_or_else(fetch::default_cache, Ok)?;
            println!("{}", fetch::run(&workspace, &fetch::Options { date, url, cache })?.report);
            Ok(ExitCode::SUCCESS)
        }
        Command::Diff { old, new, date, beside: Some(theirs), .. } => {
            let sides = diff::Sides { old: &old, new: &new, date: date.as_deref() };
            let (text, explained) = diff::beside(&workspace, &sides, &theirs)?;
            println!("{text}");
            Ok(if explained { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Diff { old, new, date, format, beside: None } => {
            let sides = diff::Sides { old: &old, new: &new, date: date.as_deref() };
            let (text, breaks) = diff::run(&workspace, &sides, format)?;
            println!("{text}");
            Ok(if breaks { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
        Command::NewVersion { file, date, no_compile } => {
            let import = import::Options { date, ..import::Options::default() };
            let options = new_version::Options { file, import, compile: !no_compile };
            println!("{}", new_version::run(&workspace, &options)?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Practice { file, kind } => {
            println!("{}", practice::run(&workspace, &file, kind)?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Migration { old, new, check } => {
            let (page, up_to_date) = migration::run(&workspace, &old, &new, check)?;
            Ok(written(&page.display().to_string(), up_to_date, check))
        }
        Command::Changelog { old, new, date, check } => {
            let sides = diff::Sides { old: &old, new: &new, date: date.as_deref() };
            let Some(up_to_date) = changelog::run(&workspace, &sides, check)? else {
                println!("the documents are the same: no entry");
                return Ok(ExitCode::SUCCESS);
            };
            Ok(written("CHANGELOG.md", up_to_date, check))
        }
        Command::Regen { dates, check, verbose, emit_shaped } => {
            let up_to_date = regen::run(&workspace, &regen::Options { dates, check, verbose, emit_shaped })?;
            Ok(if check && !up_to_date { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
        Command::Styles { date, folder } => {
            styles::run(&workspace, &date, &folder)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Ci { pairs } => {
            let index = document::index::Index::read(&workspace.index())?;
            let dates: Vec<String> = index.entries().iter().map(|entry| entry.date.clone()).collect();
            if pairs {
                ci::run_pairs(&workspace, &dates)?
            } else {
                ci::run(&workspace, &dates)?
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Check { named, all } => {
            check::run(&workspace, &named, all)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Book => {
            println!("{}", book::run(&workspace)?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Bench => {
            bench::run(&workspace)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
