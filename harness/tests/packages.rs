//! The files by which others install and run `ssec` say what the command line understands. Nothing
//! here builds an image or runs a job; `.ci/install` runs what can be run without them.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

use std::ffi::OsString;
use std::fs;
use std::path::Path;

fn read(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::read_to_string(root.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[track_caller]
fn understood(words: &[&str]) {
    let words: Vec<OsString> = ["ssec"].iter().chain(words).map(OsString::from).collect();
    if let Err(why) = harness::cli::understands(words) {
        panic!("{why}");
    }
}

/// The strings of a JSON-like list behind a Dockerfile's instruction.
fn list(dockerfile: &str, instruction: &str) -> Vec<String> {
    let start = format!("{instruction} [");
    let line = dockerfile
        .lines()
        .find_map(|line| line.strip_prefix(&start));
    let line = line.unwrap().trim_end_matches(']');
    line.split(", ")
        .map(|word| word.trim_matches('"').to_owned())
        .collect()
}

#[test]
fn the_image_is_built_in_two_stages_and_runs_without_privileges() {
    let dockerfile = read("Dockerfile");
    let stages = dockerfile
        .lines()
        .filter(|line| line.starts_with("FROM "))
        .count();
    assert_eq!(stages, 2);
    let last = dockerfile.rsplit("\nFROM ").next().unwrap();
    let user = last
        .lines()
        .find_map(|line| line.strip_prefix("USER "))
        .unwrap();
    assert_ne!(user.split(':').next(), Some("0"));
    assert_eq!(list(&dockerfile, "ENTRYPOINT"), ["ssec"]);
    let started = list(&dockerfile, "CMD");
    understood(&started.iter().map(String::as_str).collect::<Vec<_>>());
    let manifest = read("Cargo.toml");
    assert!(dockerfile.contains("--profile dist") && manifest.contains("[profile.dist]"));
    assert!(dockerfile.contains("target/dist/ssec"));
    let rust = manifest
        .split("rust-version = \"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert!(
        dockerfile.contains(&format!("rust:{rust}-")),
        "the image builds with another Rust"
    );
    // What the comment at the top tells to run.
    understood(&[
        "serve",
        "--listen",
        "0.0.0.0:9000",
        "--data-dir",
        "/data/store",
        "--tls-name",
        "s3.test",
        "--access-key-id",
        "ID",
        "--bucket",
        "demo",
    ]);
}

#[test]
fn every_flag_of_the_packages_exists() {
    let known = harness::cli::flags();
    let others = [
        "--locked",
        "--path",
        "--root",
        "--profile",
        "--package",
        "--bin",
        "--yes",
        "--rm",
        "--no-install-recommends",
        "--system",
        "--uid",
        "--user-group",
        "--user",
        "--from",
    ];
    let mut count = 0;
    for name in [
        "Dockerfile",
        "action.yml",
        "harness/deploy/github-workflow.yml",
    ] {
        let text = read(name);
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
        for flag in text
            .split(|c: char| !is_part(c))
            .filter(|word| word.starts_with("--") && *word != "--")
        {
            assert!(
                known.contains(flag) || others.contains(&flag),
                "{name}: {flag}"
            );
            count += 1;
        }
    }
    assert!(count > 20, "{count}");
}

/// Inputs reach the action's script as variables: text in a script would be code of a stranger.
#[test]
fn the_action_passes_inputs_as_variables_and_each_is_used() {
    let action = read("action.yml");
    let (inputs, rest) = action.split_once("\noutputs:").unwrap();
    let names: Vec<&str> = inputs
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'))
        .filter(|name| !name.starts_with(' '))
        .collect();
    assert!(names.len() >= 8, "{names:?}");
    for name in &names {
        assert!(
            rest.contains(&format!("${{{{ inputs.{name} }}}}")),
            "{name} is not used"
        );
    }
    for script in rest.split(" run: ").skip(1) {
        let script = script.split("\n    - name").next().unwrap();
        assert!(!script.contains("${{"), "{script}");
    }
    let workflow = read("harness/deploy/github-workflow.yml");
    let (_, with) = workflow.split_once("        with:\n").unwrap();
    let (with, _) = with.split_once("        env:").unwrap();
    for line in with.lines() {
        let name = line.trim().split(':').next().unwrap();
        assert!(names.contains(&name), "the action has no input {name}");
    }
}

/// `.ci/run` runs the scripts that prove the rest.
#[test]
fn ci_runs_what_proves_the_packages() {
    assert!(read(".ci/run").lines().any(|line| line == ".ci/install"));
    assert!(
        read(".ci/run")
            .lines()
            .any(|line| line == "cargo run --release -- test")
    );
}
