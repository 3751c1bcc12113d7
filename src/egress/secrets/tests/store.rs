//! The store: where values come from, and what happens when they cannot be read.

use super::*;
use std::fs;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

fn value(secrets: &Secrets, name: &str) -> Option<String> {
    secrets.value(name).ok().and_then(|value| String::from_utf8(value.expose().to_vec()).ok())
}

/// Waits until the store has `expected`.
async fn becomes(secrets: &Secrets, expected: &str) {
    let wait = secrets.until(|secrets| value(secrets, "API_KEY").as_deref() == Some(expected));
    timeout(Duration::from_secs(20), wait).await.unwrap_or_else(|_| panic!("never {expected}: {:?}", secrets.problems()));
}

#[tokio::test]
async fn every_source_that_gives_no_value_is_a_problem_that_names_the_secret_and_the_mend() {
    let folder = tempfile::tempdir().expect("a folder");
    let odd = folder.path().join("odd");
    fs::write(&odd, "line one\nline two\n").expect("written");
    let vault = SecretSource::Vault { mount: "kv".into(), path: "a".into(), field: "f".into() };
    let sources = [
        ("GOOD", env("KEY")),
        ("UNSET", env("NOT_SET")),
        ("SHORT", env("SHORT")),
        ("ODD", file(&odd)),
        ("GONE", file(&folder.path().join("x"))),
        ("VAULT", vault),
    ];
    let secrets = Secrets::with(specs(&sources), None, environment);
    assert!(secrets.value("GOOD").is_err(), "nothing was read yet");
    let problems = secrets.read_all().await;
    let names: Vec<&str> = problems.iter().map(|problem| problem.secret.as_str()).collect();
    assert_eq!(names, ["GONE", "ODD", "SHORT", "UNSET", "VAULT"]);
    for problem in &problems {
        let line = problem.to_string();
        assert!(line.contains(&format!("`{}`", problem.secret)) && !problem.mend.is_empty(), "{line}");
        assert!(!line.contains("1234567") && !line.contains("line one"), "{line}");
    }
    assert!(secrets.value("GOOD").is_ok() && secrets.value("SHORT").is_err() && secrets.value("UNKNOWN").is_err());
}

#[tokio::test]
async fn a_file_that_changes_is_in_force_soon_and_one_that_spoils_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("key");
    fs::write(&path, "first-value\n").expect("written");
    let secrets = Secrets::with(specs(&[("API_KEY", file(&path))]), None, environment);
    assert_eq!(secrets.read_all().await, []);
    let (stop, stopped) = oneshot::channel::<()>();
    let watch = tokio::spawn(Arc::clone(&secrets).keep_fresh(async { _ = stopped.await }));
    fs::write(&path, "other-value\n").expect("written");
    becomes(&secrets, "other-value").await;
    let run = RunSecrets::new(&[grant("API_KEY", SecretMode::Inject)], &secrets, Values::Real).expect("random");

    // As Kubernetes does it: a link that is replaced by renaming.
    fs::write(folder.path().join("next"), "third-value").expect("written");
    std::os::unix::fs::symlink(folder.path().join("next"), folder.path().join("link")).expect("linked");
    fs::rename(folder.path().join("link"), &path).expect("renamed");
    becomes(&secrets, "third-value").await;
    assert!(run.scrub_text("other-value").is_some(), "a run keeps hiding the value that it may have sent");

    fs::remove_file(&path).expect("removed");
    secrets.until(|secrets| !secrets.problems().is_empty()).await;
    assert_eq!(value(&secrets, "API_KEY").as_deref(), Some("third-value"), "the last good value stays in force");
    assert!(secrets.value("API_KEY").is_ok());
    fs::write(&path, "fourth-value").expect("written");
    becomes(&secrets, "fourth-value").await;
    assert_eq!(secrets.problems(), []);
    drop(stop);
    watch.await.expect("it stops");
}
