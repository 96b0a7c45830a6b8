//! `cargo xtask check`: what must hold before a release and after an import, each by itself.
//! What needs a tool that is not installed says so and is skipped; nothing here writes into the repository.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::document::index::Index;
use crate::document::overlay::Overlays;
use crate::workspace::Workspace;
use crate::{ci, migration, regen};

/// The most bytes that a file of the repository may have: the largest document has 586,000.
const MAX_FILE_BYTES: u64 = 640 * 1024;
/// The packages that are published, as arguments of cargo.
const PACKAGES: [&str; 12] = [
    "-p",
    "cintx-openapi",
    "-p",
    "cintx-raw",
    "-p",
    "cintx-quota",
    "-p",
    "cintx",
    "-p",
    "cintx-sandbox",
    "-p",
    "cintx-postgres",
];

/// Where the checks look, and where they find their tools.
struct Place<'a> {
    workspace: &'a Workspace,
    /// In place of the user's PATH.
    path: Option<OsString>,
}

/// What came of a check that did not fail.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Holds,
    Skipped(String),
}

type Check = fn(&Place<'_>) -> Result<Outcome>;

/// The checks, cheapest first; those that compile something are taken only where they are named, or with `--all`.
const CHECKS: [(&str, &str, bool, Check); 13] = [
    ("overlays", "every overlay still changes something", false, overlays),
    ("generated", "the generated code is that of the documents", false, generated),
    ("migrations", "the migration pages are those of the documents", false, migrations),
    ("documents", "the packages say which dated versions they speak", false, documents),
    ("licences", "each package has the licence files", false, licences),
    ("sizes", "no file is too large", false, sizes),
    ("oldest-rust", "no dependency needs a newer Rust than we do", false, oldest_rust),
    ("packages", "the packages can be made", false, packages),
    ("deny", "licences, advisories and sources of dependencies", false, deny),
    ("msrv", "the oldest supported Rust compiles the packages", true, msrv),
    ("minimal", "the lowest versions of direct dependencies compile", true, minimal),
    ("semver", "the public interface against the last release", true, semver),
    ("examples", "the examples of the last release compile", true, examples),
];

/// The names of the checks, for the command line.
pub(crate) fn names() -> Vec<&'static str> {
    CHECKS.iter().map(|(name, ..)| *name).collect()
}

/// Runs the checks that are named, or those that compile nothing, or all; every one that fails is named in the end.
pub(crate) fn run(workspace: &Workspace, named: &[String], all: bool) -> Result<()> {
    if let Some(unknown) = named.iter().find(|name| !names().contains(&name.as_str())) {
        bail!("there is no check {unknown}; there are {}", names().join(", "));
    }
    let place = Place { workspace, path: None };
    let mut failed = Vec::new();
    for (name, what, compiles, check) in CHECKS {
        if !(if named.is_empty() { all || !compiles } else { named.iter().any(|other| other == name) }) {
            continue;
        }
        match check(&place) {
            Ok(Outcome::Holds) => println!("holds    {name}: {what}"),
            Ok(Outcome::Skipped(reason)) => println!("skipped  {name}: {reason}"),
            Err(error) => {
                println!("fails    {name}: {what}: {error:#}");
                failed.push(name);
            }
        }
    }
    ensure!(failed.is_empty(), "these do not hold: {}", failed.join(", "));
    Ok(())
}

impl Place<'_> {
    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.workspace.root());
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        command
    }

    /// What a command prints; an error if it fails.
    fn ask(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let output = self.command(program, arguments).output().with_context(|| format!("cannot run {program}"))?;
        let last =
            || String::from_utf8_lossy(&output.stderr).trim().lines().rev().take(12).collect::<Vec<_>>().join(" / ");
        ensure!(output.status.success(), "{program} {}: {}", arguments.join(" "), last());
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn has(&self, program: &str, arguments: &[&str]) -> bool {
        self.command(program, arguments).output().is_ok_and(|output| output.status.success())
    }

    fn dates(&self) -> Result<Vec<String>> {
        let index = Index::read(&self.workspace.index())?;
        Ok(index.entries().iter().map(|entry| entry.date.clone()).collect())
    }

    /// The tag of the last release.
    fn released(&self) -> Option<String> {
        let tag = self.ask("git", &["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"]).ok()?;
        Some(tag.trim().to_owned())
    }

    /// A clone of what is committed, to change and compile in.
    fn clone(&self) -> Result<(tempfile::TempDir, Workspace)> {
        let folder = tempfile::tempdir()?;
        let root = folder.path().join("clone");
        self.ask("git", &["clone", "--quiet", ".", &root.to_string_lossy()])?;
        let workspace = Workspace::at(root);
        Ok((folder, workspace))
    }

    /// Where a clone compiles, so that the next time takes less.
    fn target(&self, name: &str) -> String {
        let target: PathBuf = self.workspace.root().join("target").join(name);
        format!("--target-dir={}", target.display())
    }
}

/// Of those that are applied at import, import itself says which change nothing.
fn overlays(place: &Place<'_>) -> Result<Outcome> {
    let overlays = Overlays::read(&place.workspace.overlays())?;
    let mut idle = Vec::new();
    for date in place.dates()? {
        let text = fs::read_to_string(place.workspace.document(&date))?;
        let document: Value = serde_json::from_str(&text)?;
        idle.extend(overlays.idle(&date, &document).into_iter().map(|name| format!("{name} of {date}")));
    }
    ensure!(idle.is_empty(), "the document says by itself what they bring: {}", idle.join(", "));
    Ok(Outcome::Holds)
}

fn generated(place: &Place<'_>) -> Result<Outcome> {
    let options = regen::Options { check: true, ..regen::Options::default() };
    ensure!(regen::run(place.workspace, &options)?, "run `cargo xtask regen`");
    Ok(Outcome::Holds)
}

fn migrations(place: &Place<'_>) -> Result<Outcome> {
    for step in place.dates()?.windows(2) {
        let (_, up_to_date) = migration::run(place.workspace, &step[0], &step[1], true)?;
        ensure!(up_to_date, "run `cargo xtask migration {} {}`", step[0], step[1]);
    }
    Ok(Outcome::Holds)
}

/// The packages that say which dated versions they speak.
pub(crate) const SPEAKING: [&str; 2] = ["cintx/Cargo.toml", "cintx-raw/Cargo.toml"];

/// The text of a manifest with the dated versions that are imported; none where it has no place for them.
pub(crate) fn speaking(workspace: &Workspace, manifest: &str) -> Result<Option<String>> {
    let index = Index::read(&workspace.index())?;
    let dates: Vec<&str> = index.entries().iter().map(|entry| entry.date.as_str()).collect();
    const HEAD: &str = "\ndocuments = [";
    let Some(start) = manifest.find("[package.metadata.cint]") else { return Ok(None) };
    let Some(start) = manifest[start..].find(HEAD).map(|at| start + at + 1) else { return Ok(None) };
    let end = manifest[start..].find('\n').map_or(manifest.len(), |length| start + length);
    Ok(Some(format!("{}documents = {dates:?}{}", &manifest[..start], &manifest[end..])))
}

fn documents(place: &Place<'_>) -> Result<Outcome> {
    for file in SPEAKING {
        let manifest = fs::read_to_string(place.workspace.root().join(file)).with_context(|| file.to_owned())?;
        let should = speaking(place.workspace, &manifest)?;
        ensure!(
            should.as_ref() == Some(&manifest),
            "`documents` in `package.metadata.cint` of {file} are not those of openapi/index.toml"
        );
    }
    Ok(Outcome::Holds)
}

fn licences(place: &Place<'_>) -> Result<Outcome> {
    ci::licence_copies(place.workspace).map(|()| Outcome::Holds)
}

fn sizes(place: &Place<'_>) -> Result<Outcome> {
    let mut large = BTreeSet::new();
    for file in place.ask("git", &["ls-files"])?.lines() {
        // A file that is deleted and not committed yet has no size.
        let Ok(data) = fs::metadata(place.workspace.root().join(file)) else { continue };
        if data.len() > MAX_FILE_BYTES {
            large.insert(format!("{file} ({} bytes)", data.len()));
        }
    }
    ensure!(
        large.is_empty(),
        "larger than {MAX_FILE_BYTES} bytes: {}",
        large.into_iter().collect::<Vec<_>>().join(", ")
    );
    Ok(Outcome::Holds)
}

fn oldest_rust(place: &Place<'_>) -> Result<Outcome> {
    ci::oldest_rust(place.workspace).map(|()| Outcome::Holds)
}

fn packages(place: &Place<'_>) -> Result<Outcome> {
    let private: Vec<String> = ci::PRIVATE.iter().map(|name| format!("--exclude={name}")).collect();
    let mut arguments = vec!["package", "--workspace", "--no-verify", "--allow-dirty", "--quiet"];
    arguments.extend(private.iter().map(String::as_str));
    place.ask("cargo", &arguments).map(|_| Outcome::Holds)
}

fn deny(place: &Place<'_>) -> Result<Outcome> {
    if !place.has("cargo", &["deny", "--version"]) {
        return Ok(Outcome::Skipped("cargo-deny is not installed".to_owned()));
    }
    place.ask("cargo", &["deny", "--log-level", "error", "check"]).map(|_| Outcome::Holds)
}

fn msrv(place: &Place<'_>) -> Result<Outcome> {
    let manifest: toml::Table = toml::from_str(&fs::read_to_string(place.workspace.root().join("Cargo.toml"))?)?;
    let oldest = manifest["workspace"]["package"]["rust-version"].as_str().context("no rust-version")?.to_owned();
    let toolchain = format!("+{oldest}");
    if !place.has("cargo", &[&toolchain, "--version"]) {
        return Ok(Outcome::Skipped(format!("Rust {oldest} is not installed: rustup toolchain install {oldest}")));
    }
    let target = place.target("msrv");
    let mut arguments = vec![toolchain.as_str(), "check", "--quiet", "--locked", "--all-features", &target];
    arguments.extend(PACKAGES);
    place.ask("cargo", &arguments).map(|_| Outcome::Holds)
}

fn minimal(place: &Place<'_>) -> Result<Outcome> {
    if !place.has("cargo", &["+nightly", "--version"]) {
        return Ok(Outcome::Skipped("nightly Rust is not installed: only it resolves the lowest versions".to_owned()));
    }
    let (_folder, clone) = place.clone()?;
    let there = Place { workspace: &clone, path: place.path.clone() };
    // What is not published may ask for more.
    let manifest = clone.root().join("Cargo.toml");
    fs::write(&manifest, with_members(&fs::read_to_string(&manifest)?, &ci::PUBLISHED))?;
    there.ask("cargo", &["+nightly", "update", "--quiet", "-Z", "direct-minimal-versions"])?;
    let target = place.target("minimal");
    let mut arguments = vec!["check", "--quiet", "--all-features", &target];
    // The simulated Exchange resets connections by what tokio has since 1.50; the libraries need no more than 1.44, and
    // the lowest versions are one for all of a workspace.
    arguments.extend(PACKAGES.chunks(2).filter(|package| package[1] != "cintx-sandbox").flatten());
    there.ask("cargo", &arguments).map(|_| Outcome::Holds)
}

/// A workspace's manifest with other members.
pub(crate) fn with_members(manifest: &str, members: &[&str]) -> String {
    let line = |line: &str| match line.starts_with("members = [") {
        true => format!("members = {members:?}\n"),
        false => format!("{line}\n"),
    };
    manifest.lines().map(line).collect()
}

fn semver(place: &Place<'_>) -> Result<Outcome> {
    let Some(tag) = place.released() else {
        return Ok(Outcome::Skipped("nothing has been released yet".to_owned()));
    };
    if !place.has("cargo", &["semver-checks", "--version"]) {
        return Ok(Outcome::Skipped("cargo-semver-checks is not installed".to_owned()));
    }
    let mut arguments = vec!["semver-checks", "--baseline-rev", &tag];
    arguments.extend(PACKAGES);
    place.ask("cargo", &arguments).map(|_| Outcome::Holds)
}

fn examples(place: &Place<'_>) -> Result<Outcome> {
    let Some(tag) = place.released() else {
        return Ok(Outcome::Skipped("nothing has been released yet".to_owned()));
    };
    let (_folder, clone) = place.clone()?;
    let there = Place { workspace: &clone, path: place.path.clone() };
    there.ask("git", &["checkout", "--quiet", &tag, "--", "examples"])?;
    let metadata: Value =
        serde_json::from_str(&there.ask("cargo", &["metadata", "--format-version", "1", "--no-deps"])?)?;
    let mut packages = BTreeSet::new();
    let mut targets = BTreeSet::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        for target in package["targets"].as_array().into_iter().flatten() {
            if target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "example")) {
                packages.extend(package["name"].as_str());
                targets
                    .extend(target["src_path"].as_str().and_then(|path| path.rsplit_once("/examples/")).map(|it| it.1));
            }
        }
    }
    // A file that no target names would not be compiled, and nobody would see it.
    let listed = there.ask("git", &["ls-tree", "--name-only", &tag, "examples/"])?;
    let released =
        listed.lines().filter_map(|path| path.strip_prefix("examples/")).filter(|name| name.ends_with(".rs"));
    let gone: Vec<&str> = released.filter(|name| !targets.contains(name)).collect();
    ensure!(gone.is_empty(), "examples of {tag} that are none any more: {}", gone.join(", "));
    let target = place.target("last-release");
    let mut arguments = vec!["check", "--quiet", "--examples", "--all-features", &target];
    arguments.extend(packages.into_iter().flat_map(|name| ["-p", name]));
    there.ask("cargo", &arguments).map(|_| Outcome::Holds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Temporary, repository};

    fn fails(at: &Workspace, check: Check) -> String {
        format!("{:#}", check(&Place { workspace: at, path: None }).unwrap_err())
    }

    fn holds(at: &Workspace, check: Check) {
        assert_eq!(check(&Place { workspace: at, path: None }).unwrap(), Outcome::Holds);
    }

    /// A small repository of git with one package, and an example that was released.
    fn released() -> (tempfile::TempDir, Workspace) {
        let folder = tempfile::tempdir().unwrap();
        let at = Workspace::at(folder.path());
        let manifest = "[package]\nname = \"cintx-tests\"\nversion = \"0.1.0\"\nedition = \"2024\"\ndescription = \"x\"\nlicense = \"MIT\"\n\n[workspace]\n";
        at.write_all([
            (at.root().join("Cargo.toml"), manifest.to_owned()),
            (at.root().join("src/lib.rs"), "pub fn bark() {}\n".to_owned()),
            (at.root().join("examples/dog.rs"), "fn main() {\n    cintx_tests::bark();\n}\n".to_owned()),
        ])
        .unwrap();
        commit(&at, "v0.1.0");
        (folder, at)
    }

    fn commit(at: &Workspace, tag: &str) {
        let place = Place { workspace: at, path: None };
        for arguments in
            ["init --quiet", "add --all", "-c user.name=x -c user.email=x@example.com commit --quiet --message x"]
        {
            place.ask("git", &arguments.split(' ').collect::<Vec<_>>()).unwrap();
        }
        if !tag.is_empty() {
            place.ask("git", &["tag", tag]).unwrap();
        }
    }

    #[test]
    fn an_overlay_that_changes_nothing_is_named() {
        let at = Temporary::with_real_documents();
        holds(&at.workspace, overlays);
        let path = at.workspace.document("2025-12-18");
        let mut document: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let overlay = fs::read_to_string(at.workspace.overlays().join("004-samples-that-contradict.toml")).unwrap();
        let pointer = overlay.lines().find_map(|line| line.strip_prefix("at = \"")?.strip_suffix('"')).unwrap();
        *document.pointer_mut(pointer).unwrap() = serde_json::json!({});
        fs::write(path, document.to_string()).unwrap();
        assert!(fails(&at.workspace, overlays).contains("004-samples-that-contradict of 2025-12-18"));
    }

    #[test]
    fn code_and_pages_that_are_not_those_of_the_documents_are_named() {
        let at = Temporary::with_kennels();
        regen::run(&at.workspace, &regen::Options::default()).unwrap();
        holds(&at.workspace, generated);
        let file = at.workspace.root().join("cintx-raw/src/v2031_05_06/mod.rs");
        fs::write(&file, fs::read_to_string(&file).unwrap() + "// By hand.\n").unwrap();
        assert!(fails(&at.workspace, generated).contains("cargo xtask regen"));

        let newer = crate::fixture::KENNELS.replace("2031-05-06", "2032-01-01");
        crate::import::run(&at.workspace, &at.download("newer.yaml", newer), &crate::import::Options::default())
            .unwrap();
        assert!(fails(&at.workspace, migrations).contains("cargo xtask migration 2031-05-06 2032-01-01"));
        migration::run(&at.workspace, "2031-05-06", "2032-01-01", false).unwrap();
        holds(&at.workspace, migrations);
    }

    #[test]
    fn a_file_that_is_too_large_is_named() {
        let (_folder, at) = released();
        holds(&at, sizes);
        fs::write(at.root().join("dump.json"), vec![b' '; usize::try_from(MAX_FILE_BYTES).unwrap() + 1]).unwrap();
        commit(&at, "");
        assert!(fails(&at, sizes).contains("dump.json (655361 bytes)"));
        holds(&repository(), sizes);
    }

    #[test]
    fn a_package_that_cannot_be_made_is_named() {
        let (_folder, at) = released();
        let manifest = fs::read_to_string(at.root().join("Cargo.toml")).unwrap().replace("cintx-tests", "cintx");
        fs::write(at.root().join("Cargo.toml"), &manifest).unwrap();
        holds(&at, packages);
        fs::write(at.root().join("Cargo.toml"), manifest + "\n[dependencies]\ndog = { path = \"dog\" }\n").unwrap();
        let dog = at.root().join("dog");
        fs::create_dir_all(dog.join("src")).unwrap();
        fs::write(dog.join("src/lib.rs"), "").unwrap();
        fs::write(dog.join("Cargo.toml"), "[package]\nname = \"dog\"\nversion = \"0.1.0\"\nedition = \"2024\"\n")
            .unwrap();
        assert!(fails(&at, packages).contains("version"));
    }

    #[test]
    fn an_example_of_the_last_release_that_no_longer_compiles_is_named() {
        let (_folder, at) = released();
        holds(&at, examples);
        fs::write(at.root().join("src/lib.rs"), "pub fn woof() {}\n").unwrap();
        fs::write(at.root().join("examples/dog.rs"), "fn main() {\n    cintx_tests::woof();\n}\n").unwrap();
        commit(&at, "");
        assert!(fails(&at, examples).contains("bark"));
    }

    /// One that has another name now, or is the target of another package, is no reason to leave it out.
    #[test]
    fn an_example_of_the_last_release_that_is_none_any_more_is_named() {
        let (_folder, at) = released();
        let manifest = fs::read_to_string(at.root().join("Cargo.toml")).unwrap();
        let head = manifest.replace("[workspace]", "autoexamples = false\n\n[workspace]\nmembers = [\"cat\"]");
        let cat = "[package]\nname = \"cat\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\ncintx-tests = { path = \"..\" }\n";
        let example = "\n[[example]]\nname = \"dog\"\npath = \"../examples/dog.rs\"\n";
        let write = |cat: &str| {
            at.write_all([
                (at.root().join("Cargo.toml"), head.clone()),
                (at.root().join("cat/Cargo.toml"), cat.to_owned()),
                (at.root().join("cat/src/lib.rs"), String::new()),
            ])
            .unwrap();
            commit(&at, "");
        };
        write(cat);
        assert!(fails(&at, examples).contains("examples of v0.1.0 that are none any more: dog.rs"));
        write(&format!("{cat}{example}"));
        holds(&at, examples);
    }

    #[test]
    fn packages_that_do_not_say_what_they_speak_are_named() {
        let at = Temporary::with_kennels();
        let says = |dates: &str| format!("[package]\n\n[package.metadata.cint]\ndocuments = [{dates}]\n\n[features]\n");
        for file in SPEAKING {
            at.workspace.write_all([(at.workspace.root().join(file), says("\"2031-05-06\""))]).unwrap();
        }
        holds(&at.workspace, documents);
        for wrong in [says(""), "[features]\n".to_owned()] {
            fs::write(at.workspace.root().join(SPEAKING[1]), wrong).unwrap();
            assert!(fails(&at.workspace, documents).contains("cintx-raw/Cargo.toml"));
        }
        holds(&repository(), documents);
    }

    /// What holds a release back stands in the workflow that publishes, and what fails a weekly run comes last.
    #[test]
    fn workflows_hold_back_what_must_not_pass() {
        let read = |name: &str| -> Value {
            let path = repository().root().join(".github/workflows").join(name);
            crate::document::source::Source::parse(name, &fs::read_to_string(path).unwrap()).unwrap().value
        };
        let release = read("release.yml");
        let semver = release["jobs"]["semver"]["steps"].to_string();
        assert!(semver.contains("cargo-semver-checks-action"), "{semver}");
        for package in PACKAGES.iter().skip(1).step_by(2) {
            assert!(semver.contains(package), "{package} is not compared");
        }
        let publish = &release["jobs"]["publish"];
        assert_eq!(publish["needs"], "semver");
        let condition = publish["if"].as_str().unwrap();
        assert!(
            !condition.contains("always()") && condition.contains("needs.semver.result == 'success'"),
            "{condition}"
        );
        // The first version is published by hand: a tag has nothing to do then but to run the checks.
        let steps = publish["steps"].as_array().unwrap();
        for part in ["crates-io-auth-action", "cargo publish"] {
            let step = steps.iter().find(|step| step.to_string().contains(part)).unwrap();
            assert_eq!(step["if"], "github.ref_name != 'v0.1.0'", "{part}");
        }
        let documents = read("documents.yml");
        let steps = documents["jobs"]["documents"]["steps"].as_array().unwrap();
        let at = |part: &str| steps.iter().position(|step| step.to_string().contains(part)).unwrap();
        let last = steps.last().unwrap();
        assert!(at("update-documents.sh") < at("create-pull-request") && at("create-pull-request") < steps.len() - 1);
        assert_eq!(last["if"], "steps.documents.outputs.failed != 'false'");
        assert!(
            last["run"].as_str().unwrap().contains("exit 1") && steps[at("update-documents.sh")]["id"] == "documents"
        );
    }

    /// The weekly script with a stand-in for cargo: whatever fails is told, and the rest goes on.
    #[cfg(unix)]
    #[test]
    fn the_weekly_script_tells_what_failed() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let at = |name: &str| root.join(name);
        for name in [".github", "openapi", "tools"] {
            fs::create_dir(at(name)).unwrap();
        }
        fs::copy(repository().root().join(".github/update-documents.sh"), at(".github/update-documents.sh")).unwrap();
        for date in ["2031-05-06", "2032-01-01"] {
            fs::write(at("openapi").join(format!("{date}.json")), "{}").unwrap();
        }
        let run = |script: &str| -> (String, String) {
            let cargo = at("tools/cargo");
            fs::write(&cargo, format!("#!/bin/sh\necho \"$*\" >> \"{}\"\n{script}\n", at("calls").display())).unwrap();
            fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
            for name in ["calls", "output", "summary"] {
                fs::write(at(name), "").unwrap();
            }
            let path = format!("{}:{}", at("tools").display(), std::env::var("PATH").unwrap());
            let output = Command::new("bash")
                .args([".github/update-documents.sh", "report.md"])
                .current_dir(root)
                .env("PATH", path)
                .env("CINTX_DOCUMENTS_CACHE", at("cache"))
                .env("GITHUB_OUTPUT", at("output"))
                .env("GITHUB_STEP_SUMMARY", at("summary"))
                .output()
                .unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let read = |name: &str| fs::read_to_string(at(name)).unwrap();
            assert_eq!(read("report.md"), read("summary"));
            (read("output"), read("summary"))
        };
        assert_eq!(run("").0, "failed=false\n");
        for failing in ["fetch 2031", "import", "regen", "migration"] {
            let (output, summary) =
                run(&format!("case \"$*\" in \"xtask {failing}\"*) echo no such luck; exit 2;; esac"));
            assert_eq!(output, "failed=true\n", "{failing}");
            assert!(summary.contains("no such luck"), "{failing}: {summary}");
            let calls = fs::read_to_string(at("calls")).unwrap();
            assert!(
                calls.contains("xtask import") && calls.ends_with("xtask migration 2031-05-06 2032-01-01\n"),
                "{calls}"
            );
        }
        let (output, summary) = run("case $2 in diff) echo a difference; exit 1;; esac");
        assert!(output == "failed=false\n" && summary.contains("a difference"), "an answer is no failure: {summary}");
        let (output, summary) = run("case $2 in diff) echo cannot compare; exit 2;; esac");
        assert!(output == "failed=true\n" && summary.contains("cannot compare"), "{summary}");
    }

    /// Tools that are missing are said to be; those that fail make the check fail.
    #[cfg(unix)]
    #[test]
    fn a_tool_decides_where_it_is_installed() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_folder, at) = released();
        let tools = tempfile::tempdir().unwrap();
        let tool = |name: &str, script: &str| {
            let path = tools.path().join(name);
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        };
        let manifest = fs::read_to_string(at.root().join("Cargo.toml")).unwrap();
        fs::write(at.root().join("Cargo.toml"), manifest + "package.rust-version = \"1.2\"\n").unwrap();
        tool(
            "git",
            "case $1 in describe) echo v0.1.0;; clone) mkdir \"$4\" && echo 'members = [\"dog\"]' > \"$4/Cargo.toml\";; esac",
        );
        // The stand-ins are found first; what they call themselves is the system's.
        let system = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(tools.path().to_owned()).chain(std::env::split_paths(&system));
        let place = Place { workspace: &at, path: Some(std::env::join_paths(folders).unwrap()) };
        for (check, missing) in
            [(deny as Check, "cargo-deny"), (msrv, "Rust 1.2"), (minimal, "nightly"), (semver, "cargo-semver-checks")]
        {
            tool("cargo", "exit 1");
            let Outcome::Skipped(reason) = check(&place).unwrap() else { panic!("{missing} is missing") };
            assert!(reason.contains(missing), "{reason}");
            tool("cargo", "exit 0");
            assert_eq!(check(&place).unwrap(), Outcome::Holds, "{missing}");
            tool("cargo", "case \"$*\" in *--version*|*update*) exit 0;; esac\necho a fault >&2\nexit 1");
            assert!(format!("{:#}", check(&place).unwrap_err()).contains("a fault"), "{missing}");
        }
    }

    #[test]
    fn the_lowest_versions_are_asked_of_what_is_published() {
        let manifest = fs::read_to_string(repository().root().join("Cargo.toml")).unwrap();
        let edited = with_members(&manifest, &["cintx", "openapi"]);
        let table: toml::Table = toml::from_str(&edited).unwrap();
        assert_eq!(table["workspace"]["members"].as_array().map(Vec::len), Some(2), "{edited}");
    }

    #[test]
    fn a_check_that_does_not_exist_is_refused() {
        let error = run(&repository(), &["sizzes".to_owned()], false).unwrap_err().to_string();
        assert!(error.starts_with("there is no check sizzes; there are overlays, generated"), "{error}");
    }
}
