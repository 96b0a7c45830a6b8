//! `cargo xtask ci`: everything that must hold before a change lands, in one command.
//! The same here, in CI and on a fresh machine; each step is printed before it runs.

use std::io::{Read as _, Write as _};
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use crate::workspace::Workspace;
use crate::{check, regen};

/// A build that is thrown away needs neither state for the next one nor debug information;
/// without them it takes less than half of the disk.
const LEAN_BUILD_VARIABLES: [(&str, &str); 2] = [("CARGO_INCREMENTAL", "0"), ("CARGO_PROFILE_DEV_DEBUG", "none")];

/// Schedules and kills were tried for all versions together; with fewer versions, some of them show that they stand
/// alone.
const FEWER_TRIALS: [(&str, &str); 2] = [("CINTX_SCHEDULES", "170"), ("CINTX_KILLS", "100")];

/// Optional features of the library that are linted without the others. A feature that another one turns on needs no
/// run of its own: it is compiled there without the rest. Some stand together where none names another's code, since
/// each run costs up to half a minute.
const FEW_FEATURES: [&str; 5] = [
    "csv,mock,webhook-axum",
    "files,gzip,xlsx",
    "inbox-axum,study-schema",
    "inbox-redb,redirect-hashing,aws-lc-rs",
    "ring",
];

/// What the library's own tests of one version have on: what is tested there, without what another run compiles.
const OWN_TESTS_FEATURES: &str = "aws-lc-rs,csv,files,gzip,inbox-redb";

/// Optional features of the raw crate, each alone; and none of them.
const RAW_FEATURES: [&str; 4] = ["", ",httpmock", ",schemars", ",reqwest"];

/// One step: what it shows, the arguments of cargo, and variables for it.
struct Step {
    what: &'static str,
    arguments: Vec<String>,
    variables: &'static [(&'static str, &'static str)],
}

fn step(what: &'static str, arguments: &str) -> Step {
    Step { what, arguments: arguments.split(' ').map(str::to_owned).collect(), variables: &[] }
}

/// What looks at the code without running it, cheapest first.
fn checks(dates: &[String]) -> Vec<Step> {
    let newest = dates.last().map(String::as_str).unwrap_or_default();
    let mut steps = vec![
        // All versions together are the largest compilation of the house: of the raw crate's own tests, which make it
        // once more, one version will do. As a dependency it is linted with everything on all the same.
        step(
            "lints, everything on",
            "clippy --workspace --exclude cintx-raw --all-targets --all-features -- -D warnings",
        ),
        step(
            "lints of the raw crate's own tests",
            &format!(
                "clippy --package cintx-raw --all-targets --no-default-features --features v{newest},reqwest -- -D warnings"
            ),
        ),
    ];
    for date in dates {
        steps.push(step(
            "lints of the library with one version alone",
            &format!("clippy --package cintx --no-default-features --features v{date} -- -D warnings"),
        ));
    }
    for (number, date) in dates.iter().enumerate() {
        for later in &dates[number + 1..] {
            steps.push(step(
                "lints of the library with two versions",
                &format!("clippy --package cintx --no-default-features --features v{date},v{later} -- -D warnings"),
            ));
        }
    }
    for features in FEW_FEATURES {
        steps.push(step(
            "lints of the library with few optional features",
            &format!("clippy --package cintx --no-default-features --features v{newest},{features} -- -D warnings"),
        ));
    }
    for feature in RAW_FEATURES {
        steps.push(step(
            "the raw crate with one optional feature alone",
            &format!("check --package cintx-raw --no-default-features --features v{newest}{feature}"),
        ));
    }
    steps.push(Step {
        variables: &[("RUSTDOCFLAGS", "-D warnings")],
        ..step("documentation without warnings", "doc --workspace --no-deps --all-features")
    });
    let private: String = PRIVATE.iter().map(|name| format!(" --exclude {name}")).collect();
    steps.push(step("packages", &format!("package --workspace{private} --no-verify --allow-dirty")));
    steps
}

/// What runs the code.
fn runs(dates: &[String]) -> Vec<Step> {
    let newest = dates.last().map(String::as_str).unwrap_or_default();
    let mut steps = vec![step(
        "tests and doc-tests of all versions together",
        "test --workspace --exclude cintx-raw --all-features",
    )];
    for date in dates {
        // The raw crate has what the tests need of it; its own add nothing but themselves.
        let raw = if date == newest { " --package cintx-raw" } else { "" };
        steps.push(Step {
            variables: &FEWER_TRIALS,
            ..step(
                "tests of one version alone",
                &format!("test --package cintx-tests{raw} --no-default-features --features v{date}"),
            )
        });
    }
    steps.push(step("the main job against the embedded sandbox", "run --quiet --example launch_study"));
    steps
}

/// What a change need not wait for: the tests of any two versions together, the library's own of each version alone.
fn of_few_versions(dates: &[String]) -> Vec<Step> {
    let mut steps = Vec::new();
    for date in dates {
        steps.push(Step {
            variables: &FEWER_TRIALS,
            ..step(
                "the library's own tests with one version alone",
                &format!("test --package cintx --lib --no-default-features --features v{date},{OWN_TESTS_FEATURES}"),
            )
        });
    }
    for (number, date) in dates.iter().enumerate() {
        for later in &dates[number + 1..] {
            steps.push(Step {
                variables: &FEWER_TRIALS,
                ..step(
                    "tests of two versions",
                    &format!("test --package cintx-tests --no-default-features --features v{date},v{later}"),
                )
            });
        }
    }
    steps
}

/// The packages that are not published.
pub(crate) const PRIVATE: [&str; 5] = ["xtask", "cintx-tests", "cintx-compile-fail", "cintx-benches", "cintx-fuzz"];

/// The folders of the packages that are published, and the licence files that each holds a copy of.
pub(crate) const PUBLISHED: [&str; 6] =
    ["openapi", "cintx-raw", "cintx-quota", "cintx", "cintx-postgres", "cintx-sandbox"];
const LICENCES: [&str; 2] = ["LICENSE-MIT", "LICENSE-APACHE"];

/// Copies, because a checkout on Windows breaks symbolic links; this keeps them equal to the root's files.
pub(crate) fn licence_copies(workspace: &Workspace) -> Result<()> {
    for file in LICENCES {
        let original = std::fs::read(workspace.root().join(file)).with_context(|| file.to_owned())?;
        for package in PUBLISHED {
            let copy = std::fs::read(workspace.root().join(package).join(file))
                .with_context(|| format!("{package}/{file}"))?;
            ensure!(copy == original, "{package}/{file} differs from {file}: copy the root's file over it");
        }
    }
    Ok(())
}

/// Runs every step, stopping at the first that fails.
pub(crate) fn run(workspace: &Workspace, dates: &[String]) -> Result<()> {
    let all = Instant::now();
    timed("generated code is up to date", "regen --check", || {
        let options = regen::Options { check: true, ..regen::Options::default() };
        ensure!(regen::run(workspace, &options)?, "run `cargo xtask regen`");
        Ok(())
    })?;
    timed("overlays and sizes of files", "cargo xtask check overlays sizes", || {
        check::run(workspace, &["overlays".to_owned(), "sizes".to_owned()], false)
    })?;
    timed("licence files", "compare copies", || licence_copies(workspace))?;
    timed("every dependency supports the oldest Rust that we do", "metadata", || oldest_rust(workspace))?;
    timed("formatting", "cargo fmt --all --check", || {
        ensure!(cargo(workspace).args(["fmt", "--all", "--check"]).status()?.success(), "run `cargo fmt --all`");
        Ok(())
    })?;
    let failed = AtomicBool::new(false);
    let (checked, ran) = std::thread::scope(|scope| {
        let checks = scope.spawn(|| one_after_the_other(workspace, checks(dates), Some("checks"), &failed));
        let ran = one_after_the_other(workspace, runs(dates), None, &failed);
        (checks.join().unwrap_or_else(|_| Err(anyhow!("the checks panicked"))), ran)
    });
    ran.and(checked)?;
    println!("\neverything holds, after {:.0} s", all.elapsed().as_secs_f64());
    Ok(())
}

/// Runs what `run` leaves out, stopping at the first step that fails.
pub(crate) fn run_pairs(workspace: &Workspace, dates: &[String]) -> Result<()> {
    one_after_the_other(workspace, of_few_versions(dates), None, &AtomicBool::new(false))
}

/// Runs steps until one fails, here or beside. Most of the time goes into the two largest crates, one after the other on
/// one core; so what only looks at the code goes beside what runs it, with a folder of its own for what it compiles.
/// What the checks print is printed when each ends, so that the two do not mix.
fn one_after_the_other(
    workspace: &Workspace,
    steps: Vec<Step>,
    folder: Option<&str>,
    failed: &AtomicBool,
) -> Result<()> {
    for Step { what, arguments, variables } in steps {
        if failed.load(Ordering::Relaxed) {
            return Ok(());
        }
        let started = Instant::now();
        let how = format!("cargo {}", arguments.join(" "));
        let mut command = cargo(workspace);
        command.args(&arguments).envs(variables.iter().copied());
        let (status, printed) = match folder {
            Some(folder) => {
                command.env("CARGO_TARGET_DIR", workspace.root().join("target").join(folder));
                printing_into_one(command)?
            }
            None => {
                println!("\n==> {what}: {how}");
                (command.status()?, Vec::new())
            }
        };
        let mut out = std::io::stdout().lock();
        if folder.is_some() {
            writeln!(out, "\n==> beside it, {what}: {how}")?;
            out.write_all(&printed)?;
        }
        writeln!(out, "    {what}: {:.0} s", started.elapsed().as_secs_f64())?;
        if !status.success() {
            failed.store(true, Ordering::Relaxed);
            bail!("{what}: does not hold: {how} has failed");
        }
    }
    Ok(())
}

/// Runs a command to its end, and gives back what it printed on both of its outputs, in order.
fn printing_into_one(mut command: Command) -> Result<(ExitStatus, Vec<u8>)> {
    let (mut reader, writer) = std::io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn()?;
    // Its ends of the pipe would keep it open.
    drop(command);
    let mut printed = Vec::new();
    reader.read_to_end(&mut printed)?;
    Ok((child.wait()?, printed))
}

fn timed(what: &str, how: &str, check: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("\n==> {what}: {how}");
    let started = Instant::now();
    check().with_context(|| format!("{what}: does not hold"))?;
    println!("    {what}: {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}

fn cargo(workspace: &Workspace) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Tests wait more than they compute: for jobs, clocks and sockets.
    let threads = 2 * std::thread::available_parallelism().map_or(1, usize::from);
    command.current_dir(workspace.root()).env("INSTA_UPDATE", "no").env("RUST_TEST_THREADS", threads.to_string());
    command.envs(LEAN_BUILD_VARIABLES);
    command
}

/// The resolver prefers releases that the oldest supported Rust can build; this says where it found none.
pub(crate) fn oldest_rust(workspace: &Workspace) -> Result<()> {
    let output = cargo(workspace).args(["metadata", "--format-version", "1", "--all-features"]).output()?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let newer = newer_than_we_support(&metadata);
    ensure!(newer.is_empty(), "these need a newer Rust than `rust-version` in Cargo.toml: {}", newer.join(", "));
    Ok(())
}

fn newer_than_we_support(metadata: &serde_json::Value) -> Vec<String> {
    let packages = || metadata["packages"].as_array().into_iter().flatten();
    let version = |package: &serde_json::Value| -> Option<Vec<u32>> {
        let mut parts: Vec<u32> =
            package["rust_version"].as_str()?.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
        parts.resize(3, 0);
        Some(parts)
    };
    let ours = packages().filter(|package| package["source"].is_null()).filter_map(version).min();
    packages()
        .filter(|package| version(package) > ours)
        .map(|package| {
            format!(
                "{} {}",
                package["name"].as_str().unwrap_or_default(),
                package["rust_version"].as_str().unwrap_or_default()
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use serde_json::json;

    #[test]
    fn a_dependency_that_needs_a_newer_rust_is_named() {
        let package = |name: &str, rust: Option<&str>, own: bool| json!({ "name": name, "rust_version": rust, "source": if own { None } else { Some("registry") } });
        let metadata = |rust: Option<&str>| json!({ "packages": [package("cintx", Some("1.88"), true), package("a", rust, false)] });
        for fine in [None, Some("1.9"), Some("1.88"), Some("1.88.0"), Some("1.64.0")] {
            assert!(newer_than_we_support(&metadata(fine)).is_empty(), "{fine:?}");
        }
        for newer in ["1.88.1", "1.90", "2.0"] {
            assert_eq!(newer_than_we_support(&metadata(Some(newer))), [format!("a {newer}")]);
        }
    }

    #[test]
    fn a_licence_copy_that_differs_or_is_missing_is_named() -> Result<()> {
        let folder = tempfile::tempdir()?;
        for file in LICENCES {
            std::fs::write(folder.path().join(file), file)?;
            for package in PUBLISHED {
                std::fs::create_dir_all(folder.path().join(package))?;
                std::fs::write(folder.path().join(package).join(file), file)?;
            }
        }
        let workspace = Workspace::at(folder.path());
        licence_copies(&workspace)?;
        let copy = folder.path().join("cintx/LICENSE-MIT");
        std::fs::write(&copy, "other")?;
        assert!(licence_copies(&workspace).unwrap_err().to_string().starts_with("cintx/LICENSE-MIT differs"));
        std::fs::remove_file(&copy)?;
        assert_eq!(licence_copies(&workspace).unwrap_err().to_string(), "cintx/LICENSE-MIT");
        Ok(())
    }

    fn lines(steps: &[Step]) -> Vec<String> {
        steps.iter().map(|step| step.arguments.join(" ")).collect()
    }

    #[test]
    fn every_version_is_compiled_alone_and_with_each_other() {
        let dates = ["2024-12-02", "2025-02-17", "2026-03-01"].map(str::to_owned);
        let (checked, ran, pairs) = (lines(&checks(&dates)), lines(&runs(&dates)), lines(&of_few_versions(&dates)));
        for (lines, end) in [
            (&ran, "cintx-tests --no-default-features --features v2024-12-02"),
            (&ran, "cintx-tests --package cintx-raw --no-default-features --features v2026-03-01"),
            (&checked, "--features v2024-12-02,v2026-03-01 -- -D warnings"),
            (&pairs, "cintx-tests --no-default-features --features v2024-12-02,v2025-02-17"),
            (&pairs, "cintx-tests --no-default-features --features v2024-12-02,v2026-03-01"),
            (&pairs, "cintx-tests --no-default-features --features v2025-02-17,v2026-03-01"),
        ] {
            assert!(lines.iter().any(|line| line.ends_with(end)), "{end}: {lines:?}");
        }
        let alone = pairs.iter().filter(|line| line.contains("--package cintx --lib")).count();
        assert_eq!((alone, pairs.len()), (3, 6));
    }

    /// The optional features of a package, and those that each of them turns on.
    fn optional_features(manifest: &str) -> BTreeMap<String, Vec<String>> {
        let manifest: toml::Table = manifest.parse().unwrap();
        let features = manifest["features"].as_table().unwrap().iter();
        let is_optional = |name: &str| name != "default" && !name.starts_with("v2") && !name.starts_with('_');
        let names = |list: &toml::Value| {
            list.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        features.filter(|(name, _)| is_optional(name)).map(|(name, list)| (name.clone(), names(list))).collect()
    }

    #[test]
    fn every_feature_is_compiled_without_the_others() {
        let own = include_str!("../../cintx/Cargo.toml");
        let raw = include_str!("../../cintx-raw/Cargo.toml");
        let few: Vec<&str> = FEW_FEATURES.iter().flat_map(|list| list.split(',')).collect();
        let raw_few: Vec<&str> = RAW_FEATURES.iter().map(|name| name.trim_start_matches(',')).collect();
        let raw_few: Vec<&str> = raw_few.into_iter().filter(|name| !name.is_empty()).collect();
        for (manifest, few) in [(own, few), (raw, raw_few)] {
            let features = optional_features(manifest);
            let mut compiled: BTreeSet<&str> = BTreeSet::new();
            let mut open = few;
            while let Some(name) = open.pop() {
                assert!(features.contains_key(name), "{name} is no feature");
                compiled.insert(name);
                open.extend(features[name].iter().map(String::as_str).filter(|name| features.contains_key(*name)));
            }
            let forgotten: Vec<&String> = features.keys().filter(|name| !compiled.contains(name.as_str())).collect();
            assert!(features.len() >= 3 && forgotten.is_empty(), "{forgotten:?}");
        }
    }
}
