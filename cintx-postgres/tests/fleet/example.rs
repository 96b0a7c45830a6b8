//! The example `fleet`, run as newcomers run it: four processes, one of them killed.

use std::path::PathBuf;
use std::process::Command;

use crate::support::database;

/// The example as cargo built it beside this test.
fn example() -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    let folder = deps.parent().unwrap().parent().unwrap().join("examples");
    let path = folder.join(format!("fleet{}", std::env::consts::EXE_SUFFIX));
    assert!(path.exists(), "{} is not built: run the tests with `cargo test`, which builds examples", path.display());
    path
}

#[tokio::test]
async fn the_demo_of_a_fleet_makes_everything_once() {
    let Some((database, url)) = database().await else { return };
    // Whoever tries it tries it again, on the same database.
    for _ in 0..2 {
        let url = url.clone();
        let run = move || Command::new(example()).arg("--demo").env("DATABASE_URL", url).output().unwrap();
        let output = tokio::task::spawn_blocking(run).await.unwrap();
        let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{text}{errors}");
        for line in [
            "worker 1 was killed",
            "80 projects of 80, 0 of them twice",
            "400 events of 400 took effect, each once and in order: true",
            "tokens asked for: 1",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}: {text}{errors}");
        }
    }
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'fleet%'";
    let left = database.pool().get().await.unwrap().query_one(schemas, &[]).await.unwrap();
    assert_eq!(left.get::<_, i64>(0), 0, "nothing is left behind");
}
