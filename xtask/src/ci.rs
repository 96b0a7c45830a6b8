//! `cargo xtask ci`: everything that must hold before a change lands, in one command.
//! The same here, in CI and on a fresh machine; each step is printed before it runs.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::workspace::Workspace;

/// One step: what it shows, the arguments of cargo, and variables for it.
struct Step {
    what: &'static str,
    arguments: Vec<String>,
    variables: &'static [(&'static str, &'static str)],
}

fn step(what: &'static str, arguments: &str) -> Step {
    Step { what, arguments: arguments.split(' ').map(str::to_owned).collect(), variables: &[] }
}

/// Every step, cheapest first.
fn steps(dates: &[String]) -> Vec<Step> {
    let mut steps = vec![
        step("formatting", "fmt --all --check"),
        step("generated code is up to date", "xtask regen --check"),
        step("lints, everything on", "clippy --workspace --all-targets --all-features -- -D warnings"),
        step("tests and doc-tests of all versions together", "test --workspace --all-features"),
    ];
    for date in dates {
        let feature = format!("v{date}");
        steps.push(Step {
            what: "tests of one version alone",
            arguments: ["test", "--package", "cintx-tests", "--no-default-features", "--features", &feature]
                .map(str::to_owned)
                .into(),
            variables: &[],
        });
        steps.push(Step {
            what: "lints of the library with one version alone",
            arguments: [
                "clippy",
                "--package",
                "cintx",
                "--no-default-features",
                "--features",
                &feature,
                "--",
                "-D",
                "warnings",
            ]
            .map(str::to_owned)
            .into(),
            variables: &[],
        });
    }
    for features in ["", "httpmock", "schemars", "reqwest"] {
        steps.push(Step {
            what: "one optional feature alone",
            arguments: ["check", "--package", "cintx-raw", "--no-default-features", "--features"]
                .map(str::to_owned)
                .into_iter()
                .chain([format!("v2025-12-18,{features}").trim_end_matches(',').to_owned()])
                .collect(),
            variables: &[],
        });
    }
    steps.push(Step {
        what: "documentation without warnings",
        arguments: ["doc", "--workspace", "--no-deps", "--all-features"].map(str::to_owned).into(),
        variables: &[("RUSTDOCFLAGS", "-D warnings")],
    });
    steps.push(step("the main job against the embedded sandbox", "run --quiet --example launch_study"));
    steps.push(step("packages", "package --workspace --exclude xtask --exclude cintx-tests --no-verify --allow-dirty"));
    steps
}

/// Runs every step, stopping at the first that fails.
pub(crate) fn run(workspace: &Workspace, dates: &[String]) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let all = Instant::now();
    for Step { what, arguments, variables } in steps(dates) {
        println!("\n==> {what}: cargo {}", arguments.join(" "));
        let started = Instant::now();
        let status = Command::new(&cargo)
            .args(&arguments)
            .envs(variables.iter().copied())
            .env("INSTA_UPDATE", "no")
            .current_dir(workspace.root())
            .status()
            .with_context(|| format!("cannot run cargo {}", arguments.join(" ")))?;
        ensure!(status.success(), "{what} failed: cargo {}", arguments.join(" "));
        println!("    {what}: {:.0} s", started.elapsed().as_secs_f64());
    }
    println!("\neverything holds, after {:.0} s", all.elapsed().as_secs_f64());
    Ok(())
}
