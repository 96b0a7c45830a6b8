//! Measures what a program pays for the SDK when it is built: processor seconds of a cold check, crates, size. Beside
//! it stands a program that makes the same call by hand, the least that one can pay.

use std::collections::BTreeMap;
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

/// Profiles that make the program smaller, each by itself and both: they are the user's to choose.
const SMALLER: [(&str, &str); 3] = [
    ("link-time optimisation", "lto = true\n"),
    ("no unwinding", "panic = \"abort\"\n"),
    ("both, one codegen unit", "lto = true\npanic = \"abort\"\ncodegen-units = 1\n"),
];

/// Builds each program cold in a folder that is thrown away, and prints the tables.
pub(crate) fn report() -> Result<()> {
    println!("| program | crates | cold check, processor seconds | stripped size, bytes |\n|---|---|---|---|");
    for program in programs() {
        let (crates, seconds, size) = in_folder(|folder| measure(&program, folder))?;
        println!("| {} | {crates} | {seconds:.1} | {size} |", program.name);
    }
    println!("\n| dated versions | check of the SDK's own crates, processor seconds |\n|---|---|");
    for (name, features) in [("one", "\"v2025-12-18\""), ("three", ALL_VERSIONS)] {
        let seconds = in_folder(|folder| own_crates(features, folder))?;
        println!("| {name} | {seconds:.1} |");
    }
    Ok(())
}

/// What the two smaller programs weigh under other profiles, and where the facade is larger: sections, then symbols of
/// the unstripped programs. Needs `size` and `nm`.
pub(crate) fn sizes() -> Result<()> {
    let [by_hand, _, facade, _] = programs();
    println!("| profile | by hand, bytes | facade without default features, bytes |\n|---|---|---|");
    for (name, profile) in SMALLER {
        let size = |program: &Program| {
            in_folder(|folder| {
                write(program, folder, &format!("strip = true\n{profile}"))?;
                Ok(fs::metadata(build(folder)?)?.len())
            })
        };
        println!("| {name} | {} | {} |", size(&by_hand)?, size(&facade)?);
    }
    let listed = |program: &Program| {
        in_folder(|folder| {
            write(program, folder, "strip = false\n")?;
            let program = build(folder)?;
            Ok((sections(&program)?, symbols(&program)?))
        })
    };
    let (by_hand, facade) = (listed(&by_hand)?, listed(&facade)?);
    difference("section", &by_hand.0, &facade.0);
    difference("symbol", &by_hand.1, &facade.1);
    Ok(())
}

/// Prints what is larger in the second list, the largest difference first.
fn difference(what: &str, one: &Sizes, other: &Sizes) {
    let mut more: Vec<(i64, &str)> =
        other.iter().map(|(name, size)| (size - one.get(name).copied().unwrap_or_default(), name.as_str())).collect();
    more.sort_unstable_by(|(one, _), (other, _)| other.cmp(one));
    println!("\n| {what} | bytes more than by hand |\n|---|---|");
    for (size, name) in more.iter().take(LARGEST) {
        println!("| `{name}` | {size} |");
    }
}

/// Bytes by name; what has the same name is added up.
type Sizes = BTreeMap<String, i64>;

/// So many lines of each difference are printed.
const LARGEST: usize = 40;

fn sections(program: &Path) -> Result<Sizes> {
    let output = output_of(Command::new("size").arg("-A").arg(program))?;
    let parts = output.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
    });
    Ok(parts.collect())
}

fn symbols(program: &Path) -> Result<Sizes> {
    let output = output_of(Command::new("nm").args(["--demangle", "--print-size"]).arg(program))?;
    let mut sizes = Sizes::new();
    for line in output.lines() {
        let mut words = line.splitn(4, ' ');
        let (Some(_), Some(size), Some(_), Some(name)) = (words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        let Ok(size) = i64::from_str_radix(size, 16) else { continue };
        *sizes.entry(name.to_owned()).or_default() += size;
    }
    Ok(sizes)
}

/// Does something in a folder that is thrown away.
fn in_folder<T>(work: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    let folder = std::env::temp_dir().join(format!("cintx-builds-{}", std::process::id()));
    let done = work(&folder);
    fs::remove_dir_all(&folder)?;
    done
}

/// Every dated version, as features.
const ALL_VERSIONS: &str = "\"v2024-12-02\", \"v2025-02-17\", \"v2025-12-18\"";

/// Processor seconds of a check of this repository's crates, and of a program of a dozen lines, when everything else is
/// there.
fn own_crates(features: &str, folder: &Path) -> Result<f64> {
    let tokio = "tokio = { version = \"1\", features = [\"macros\", \"rt\"] }";
    let dependencies = format!(
        "cintx = {{ path = {:?}, default-features = false, features = [{features}, \"ring\"] }}\n{tokio}\n",
        Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("cintx").display()
    );
    write(&Program { name: "versions", dependencies, main: FACADE }, folder, "")?;
    cargo(folder, &["check", "--quiet"])?;
    cargo(folder, &["clean", "--quiet", "-p", "cintx", "-p", "cintx-raw", "-p", "cintx-quota", "-p", "program"])?;
    let before = children_seconds()?;
    cargo(folder, &["check", "--quiet"])?;
    Ok(children_seconds()? - before)
}

fn write(program: &Program, folder: &Path, profile: &str) -> Result<()> {
    fs::create_dir_all(folder.join("src"))?;
    let manifest = format!(
        "[package]\nname = \"program\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{}\n[profile.release]\n{profile}\n[workspace]\n",
        program.dependencies
    );
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join("src/main.rs"), program.main)?;
    // The versions that the workspace was measured with, as far as they are the same crates.
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("Cargo.lock"), folder.join("Cargo.lock"))?;
    Ok(())
}

/// Builds for release and says where the program is.
fn build(folder: &Path) -> Result<PathBuf> {
    cargo(folder, &["build", "--release", "--quiet"])?;
    Ok(folder.join("target/release/program"))
}

fn measure(program: &Program, folder: &Path) -> Result<(usize, f64, u64)> {
    write(program, folder, "strip = true\n")?;
    let tree = cargo(folder, &["tree", "--edges", "normal", "--prefix", "none", "--format", "{p}"])?;
    let mut crates: Vec<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    crates.sort_unstable();
    crates.dedup();
    cargo(folder, &["fetch"])?;
    let before = children_seconds()?;
    cargo(folder, &["check", "--quiet"])?;
    let seconds = children_seconds()? - before;
    // The program itself is not one of them.
    Ok((crates.len() - 1, seconds, fs::metadata(build(folder)?)?.len()))
}

fn cargo(folder: &Path, arguments: &[&str]) -> Result<String> {
    let cargo = std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    let mut command = Command::new(cargo);
    command
        .args(arguments)
        .current_dir(folder)
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_TARGET_DIR", folder.join("target"));
    output_of(&mut command)
}

fn output_of(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{command:?} has failed").into());
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
