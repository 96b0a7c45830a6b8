//! Measures what a program pays for the SDK when it is built: processor seconds of a cold check, crates, size. Beside
//! it stands a program that makes the same call by hand, the least that one can pay.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;

/// A program and the dependencies that it names.
struct Program {
    name: &'static str,
    dependencies: String,
    main: &'static str,
}

const BY_HAND: &str = r#"
#[derive(serde::Serialize)]
struct NewProject<'a> {
    name: &'a str,
    project_manager_id: &'a str,
}

#[derive(serde::Deserialize)]
struct Created {
    id: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let project = NewProject { name: "MyDrinksSurveyQ1", project_manager_id: "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2" };
    let answer = reqwest::Client::new()
        .post("https://api.cint.com/v1/demand/accounts/2428/projects")
        .bearer_auth(std::env::var("TOKEN")?)
        .header("cint-api-version", "2025-12-18")
        .json(&project)
        .send()
        .await?;
    println!("{}", answer.error_for_status()?.json::<Created>().await?.id);
    Ok(())
}
"#;

const FACADE: &str = r#"
use cintx::{Client, V2025_12_18};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cint = Client::<V2025_12_18>::builder().token(std::env::var("TOKEN")?).account(2428).build()?;
    let manager = "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2".parse()?;
    println!("{}", cint.projects().create("MyDrinksSurveyQ1", manager).await?.id());
    Ok(())
}
"#;

fn programs() -> [Program; 4] {
    let tokio = "tokio = { version = \"1\", features = [\"macros\", \"rt\"] }";
    let cintx = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("cintx");
    let facade = |options: &str| format!("cintx = {{ path = {:?}{options} }}\n{tokio}\n", cintx.display());
    [
        Program {
            name: "by hand",
            dependencies: format!(
                "reqwest = {{ version = \"0.13\", default-features = false, features = [\"http2\", \"json\", \"rustls\"] }}\nserde = {{ version = \"1\", features = [\"derive\"] }}\n{tokio}\n"
            ),
            main: BY_HAND,
        },
        Program { name: "facade", dependencies: facade(""), main: FACADE },
        Program {
            name: "facade without default features",
            dependencies: facade(", default-features = false, features = [\"v2025-12-18\", \"aws-lc-rs\"]"),
            main: FACADE,
        },
        Program {
            name: "facade with ring",
            dependencies: facade(", default-features = false, features = [\"v2025-12-18\", \"ring\"]"),
            main: FACADE,
        },
    ]
}

/// Builds each program cold in a folder that is thrown away, and prints the table.
pub(crate) fn report() -> Result<()> {
    println!("| program | crates | cold check, processor seconds | stripped size, bytes |\n|---|---|---|---|");
    for program in programs() {
        let folder = std::env::temp_dir().join(format!("cintx-builds-{}", std::process::id()));
        let measured = measure(&program, &folder);
        fs::remove_dir_all(&folder)?;
        let (crates, seconds, size) = measured?;
        println!("| {} | {crates} | {seconds:.1} | {size} |", program.name);
    }
    Ok(())
}

fn measure(program: &Program, folder: &Path) -> Result<(usize, f64, u64)> {
    fs::create_dir_all(folder.join("src"))?;
    let manifest = format!(
        "[package]\nname = \"program\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{}\n[profile.release]\nstrip = true\n\n[workspace]\n",
        program.dependencies
    );
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join("src/main.rs"), program.main)?;
    // The versions that the workspace was measured with, as far as they are the same crates.
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("Cargo.lock"), folder.join("Cargo.lock"))?;
    let tree = cargo(folder, &["tree", "--edges", "normal", "--prefix", "none", "--format", "{p}"])?;
    let mut crates: Vec<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    crates.sort_unstable();
    crates.dedup();
    cargo(folder, &["fetch"])?;
    let before = children_seconds()?;
    cargo(folder, &["check", "--quiet"])?;
    let seconds = children_seconds()? - before;
    cargo(folder, &["build", "--release", "--quiet"])?;
    // The program itself is not one of them.
    Ok((crates.len() - 1, seconds, fs::metadata(folder.join("target/release/program"))?.len()))
}

fn cargo(folder: &Path, arguments: &[&str]) -> Result<String> {
    let cargo = std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    let output = Command::new(cargo)
        .args(arguments)
        .current_dir(folder)
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("cargo {} has failed", arguments.join(" ")).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// What ended children of this process have taken of the processors so far: `/proc/self/stat` counts in hundredths.
fn children_seconds() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').ok_or("/proc/self/stat has no name")?;
    let ticks: u64 =
        fields.split_whitespace().skip(13).take(2).map(str::parse::<u64>).sum::<std::result::Result<_, _>>()?;
    Ok(f64::from(u32::try_from(ticks)?) / 100.0)
}
