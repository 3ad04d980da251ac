//! What the documents tell a newcomer to type: each `ssec` line is understood, each flag exists,
//! and the README's commands are run with the outcome that it promises.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

mod catalogue_folder;
mod served;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::exit_code::ExitCode;
use served::{ACCESS_KEY_ID, SECRET, Served, ssec, world};

/// Flags of other programs that the documents name.
const FOREIGN: &[&str] = &[
    "--all",
    "--body",
    "--bucket",
    "--exact",
    "--format",
    "--http1.1",
    "--ignored",
    "--key",
    "--locked",
    "--long",
    "--nocapture",
    "--path",
    "--plain-http",
    "--release",
    "--sse-customer-algorithm",
    "--sse-customer-key",
    "--sse-customer-key-md5",
    "--test",
    "--workspace",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// The documents, without the published results and what the build makes.
fn documents() -> Vec<(String, String)> {
    let names = [
        "README.md",
        "scenarios/README.md",
        "reports/README.md",
        "reference-server/README.md",
        "harness/README.md",
    ];
    let read = |name: &str| {
        (
            name.to_owned(),
            fs::read_to_string(root().join(name)).unwrap(),
        )
    };
    names.into_iter().map(read).collect()
}

/// Documents that name flags and teach no command line.
const TELLING: [&str; 4] = [
    "SECURITY.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "reference-server/AT-REST.md",
];

/// The `ssec` command lines of a document's code blocks, without what explains them.
fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fenced = false;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if !fenced && !line.starts_with("    ") {
            continue;
        }
        let mut line = line.trim().trim_start_matches("$ ").to_owned();
        while line.ends_with('\\') {
            line.pop();
            line.push_str(lines.next().unwrap_or_default().trim());
        }
        if !line.starts_with("ssec ") {
            continue;
        }
        // Beside the command stands what it does, and sometimes a second command.
        for part in line.split("  ").map(str::trim) {
            if part.starts_with("ssec ") {
                let command = part.split([';', '#', '>', '|']).next().unwrap_or_default();
                found.push(command.trim().to_owned());
            }
        }
    }
    found
}

/// The words of a command as a shell would see them; what stands in brackets may be left out.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut depth = 0_u32;
    for c in command.chars() {
        match (c, quote) {
            (c, Some(q)) if c == q => quote = None,
            ('\'' | '"', None) => quote = Some(c),
            ('[', None) => depth += 1,
            (']', None) => depth -= 1,
            (' ', None) => words.push(std::mem::take(&mut word)),
            _ if depth > 0 => {}
            ('…', None) => {}
            (c, _) => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn words_are_those_of_a_shell() {
    assert_eq!(words("ssec check [PATH…]"), ["ssec", "check"]);
    assert_eq!(
        words("ssec report --slo 'a<b c'"),
        ["ssec", "report", "--slo", "a<b c"]
    );
    let text =
        "    ssec a --b     does      ssec c     too\nssec d\n```\nssec e --f \\\n  g\n```\n";
    assert_eq!(commands(text), ["ssec a --b", "ssec c", "ssec e --f g"]);
}

#[test]
fn every_command_of_every_document_is_understood() {
    let mut count = 0;
    for (name, text) in documents() {
        for command in commands(&text) {
            // The one placeholder that a flag would take for a mistake.
            let command = command.replace(" SIZE ", " 1MiB ");
            let words: Vec<OsString> = words(&command).into_iter().map(Into::into).collect();
            if let Err(why) = harness::cli::understands(words) {
                panic!("{name}: {command}\n{why}");
            }
            count += 1;
        }
    }
    assert!(count > 25, "only {count} commands were found");
    let wrong = ["ssec", "report", "latest", "--pdf", "x"].map(OsString::from);
    assert!(harness::cli::understands(wrong.to_vec()).is_err());
}

#[test]
fn every_flag_that_a_document_names_exists() {
    let known = harness::cli::flags();
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let mut seen = BTreeSet::new();
    let telling = TELLING.map(|name| {
        let text = fs::read_to_string(root().join(name)).unwrap();
        (name.to_owned(), text)
    });
    for (name, text) in documents().into_iter().chain(telling) {
        for word in text.split(|c: char| !is_part(c)) {
            let flag = word.trim_end_matches(['.', '-']);
            let is_flag = flag
                .strip_prefix("--")
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
            if is_flag && !FOREIGN.contains(&flag) {
                assert!(known.contains(flag), "{name}: no command has {flag}");
                seen.insert(flag.to_owned());
            }
        }
    }
    assert!(seen.len() > 20, "{seen:?}");
}

/// What a command of the README comes to.
enum Outcome {
    /// It ends with this code and prints these words. Behind the document's own words come more,
    /// which make it short.
    Ends(u8, &'static str, &'static [&'static str]),
    /// A test in this file of the crate runs it, with these words.
    Elsewhere(&'static str, &'static str),
}
use Outcome::{Elsewhere, Ends};

/// The failure that the README shows as it is printed.
const SAMPLE: &str = "ssec test --impostor zero-byte-any-key wrong-key";

/// What the README shows of its sample and every run prints alike, a line each.
fn sample(text: &str) -> Vec<&str> {
    let (_, rest) = text.split_once(SAMPLE).unwrap();
    let (block, _) = rest.split_once("\nShortened where").unwrap();
    let differs = ["…", " ms", "/ssec-", "Host:"];
    let alike = |line: &&str| !differs.iter().any(|word| line.contains(word));
    let lines = block.lines().map(str::trim).filter(alike);
    lines.filter(|line| !line.is_empty()).collect()
}

/// Every command of the README. Words in capitals are replaced by what a newcomer would put there.
const README: &[(&str, Outcome)] = &[
    (
        "ssec test --endpoint https://s3.example.com --region us-east-1",
        Ends(0, "\n.ssec/", &["wrong-key"]),
    ),
    ("ssec test get", Ends(0, "\n.ssec/", &["--skip", "presign"])),
    ("ssec test --list", Ends(0, "wrong-key::read[", &[])),
    (
        "ssec test --impostor key-echo",
        Ends(1, "not conformant", &["wrong-key"]),
    ),
    ("ssec serve --list-impostors", Ends(0, "key-echo ", &[])),
    ("ssec test -v", Ends(0, ", answered 403", &["wrong-key"])),
    (
        "ssec test --style both --payload all",
        Ends(0, "\n.ssec/", &["roundtrip::"]),
    ),
    (
        "ssec test --profile PROFILE.yaml",
        Ends(0, "\n.ssec/", &["wrong-key"]),
    ),
    ("ssec explain NAME", Ends(0, "expects wrong-key", &[])),
    ("ssec explain E102", Ends(0, "What to do: ", &[])),
    ("ssec check [PATH…]", Ends(0, "no mistake", &[])),
    (
        "ssec fmt PATH… [--check]",
        Ends(0, "0 to format", &["--check"]),
    ),
    ("ssec report RUN --html FILE", Ends(0, "", &[])),
    (
        "ssec matrix A=RUN B=RUN…",
        Ends(0, "Where targets agree", &[]),
    ),
    ("ssec compare BEFORE AFTER", Ends(0, "", &[])),
    (
        "ssec bench --op get --sse c",
        Ends(
            0,
            "get",
            &["--duration", "1s", "--allow-limited", "--no-save"],
        ),
    ),
    ("ssec bench WORKLOAD.yaml", Ends(0, "requests", &["--plan"])),
    (
        "ssec bench --self-test",
        Elsewhere("src/command/bench/self_test.rs", "run(trial, &world)"),
    ),
    ("ssec key", Ends(0, "export KEY_ALICE=", &[])),
    ("ssec completions bash", Ends(0, "_ssec()", &[])),
    ("ssec man DIR", Ends(0, "manual pages", &[])),
    (
        SAMPLE,
        Ends(
            1,
            "FAIL  wrong-key::read[op=get,body=empty,probe=other-key]",
            &[],
        ),
    ),
    (
        "ssec evidence RUN --dialect mine --to DIR",
        Ends(0, "each with a capture", &[]),
    ),
    (
        "ssec bench --endpoint https://s3.example.com --op get --size 1MiB --sse c --rate 400 \
         --duration 60s --concurrency 128 --summary s.json",
        Ends(0, "requests", &["--plan"]),
    ),
    (
        "ssec serve --bucket demo",
        Elsewhere("tests/cli/serving.rs", "\"--bucket\", \"demo\""),
    ),
];

/// Runs one command line of the README as the newcomer would, in `directory`.
fn follow(
    command: &str,
    more: &[&str],
    directory: &Path,
    server: &Served,
) -> (Option<i32>, String) {
    let workload = root().join("scenarios/bench/small-reads.yaml");
    let scenarios = root().join("scenarios");
    let replaced = BTreeMap::from([
        ("https://s3.example.com", server.endpoint()),
        ("NAME", "wrong-key::read[op=get,body=small,probe=other-key]"),
        ("RUN", "latest"),
        ("A=RUN", "a=latest"),
        ("B=RUN", "b=latest"),
        ("BEFORE", "latest"),
        ("AFTER", "latest"),
        ("FILE", "page.html"),
        ("DIR", "man1"),
        ("WORKLOAD.yaml", workload.to_str().unwrap()),
        ("PROFILE.yaml", "profile.yaml"),
        ("PATH", scenarios.to_str().unwrap()),
    ]);
    let mut words = words(command);
    for word in &mut words {
        if let Some(by) = replaced.get(word.as_str()) {
            *word = (*by).to_owned();
        }
    }
    if words.iter().any(|word| word == "--endpoint") {
        words.extend(["--ca".to_owned(), server.ca().to_owned()]);
        if !words.iter().any(|word| word == "--region") {
            words.extend(["--region".to_owned(), "us-east-1".to_owned()]);
        }
    }
    let output = Command::new(env!("CARGO_BIN_EXE_ssec"))
        .args(&words[1..])
        .args(more)
        .current_dir(directory)
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env_remove("AWS_SESSION_TOKEN")
        .output()
        .unwrap();
    let told = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(told).unwrap())
}

/// From the README alone to a JUnit file and an HTML page for an endpoint of one's own.
#[test]
fn a_newcomer_follows_the_readme() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let printed: BTreeSet<String> = commands(&text).into_iter().collect();
    let known: BTreeSet<String> = README.iter().map(|(line, _)| (*line).to_owned()).collect();
    assert_eq!(
        printed, known,
        "commands of the README, commands with an outcome here"
    );

    let server = Served::start(&[]);
    let directory = tempfile::tempdir().unwrap();
    let (endpoint, ca) = (server.endpoint(), server.ca());
    let profile = format!("profile: mine\nendpoint: {endpoint}\nca: {ca}\nregion: us-east-1\n");
    fs::write(directory.path().join("profile.yaml"), profile).unwrap();
    for (command, outcome) in README {
        let Ends(code, says, more) = outcome else {
            continue;
        };
        let (ended, told) = follow(command, more, directory.path(), &server);
        assert_eq!(ended, Some(i32::from(*code)), "{command}\n{told}");
        assert!(
            told.contains(says),
            "{command} does not say {says:?}:\n{told}"
        );
        if *command == SAMPLE {
            let shown = sample(&text);
            assert!(shown.len() > 10, "{shown:?}");
            for line in shown {
                assert!(told.contains(line), "{line}:\n{told}");
            }
        }
    }
    let page = fs::read_to_string(directory.path().join("page.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>"), "{}", &page[..80]);
    let junit = fs::read(directory.path().join(".ssec/latest/junit.xml")).unwrap();
    assert!(String::from_utf8(junit).unwrap().contains("<testsuites"));
    for (command, outcome) in README {
        if let Elsewhere(file, words) = outcome {
            let place = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
            let text = fs::read_to_string(place).unwrap();
            let tests = text.split_once("test]").map(|(_, tests)| tests);
            let runs = tests.is_some_and(|tests| tests.contains(words));
            assert!(runs, "{command}: no test in {file} has {words}");
        }
    }
}

/// The example of the language's page, put where the page says, is a suite that passes against an
/// honest server and convicts a liar.
#[test]
fn a_newcomer_writes_the_case_of_the_page() {
    let page = fs::read_to_string(root().join("scenarios/README.md")).unwrap();
    let (_, rest) = page.split_once("```yaml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let catalogue = directory.path().join("mine");
    catalogue_folder::lay_out(&root().join("scenarios"), &catalogue);
    fs::write(catalogue.join("suites/wrong-key.yaml"), example).unwrap();
    let world = world(directory.path());
    let checked = ssec(&["check", "mine"], &world);
    assert_eq!(checked.code, 0, "{}", checked.out);
    assert!(
        checked.out.contains("8 trials of 1 cases"),
        "{}",
        checked.out
    );
    let run = ["test", "--scenarios", "mine", "--no-save"];
    let honest = ssec(&run, &world);
    assert_eq!(honest.code, 0, "{}{}", honest.out, honest.notes);
    let liar = ssec(
        &[&run[..], &["--impostor", "zero-byte-any-key"]].concat(),
        &world,
    );
    assert_eq!(liar.code, 1, "{}{}", liar.out, liar.notes);
    let spoilt = example.replace("expect: wrong-key", "expect: wrong-kye");
    fs::write(catalogue.join("suites/wrong-key.yaml"), spoilt).unwrap();
    let mistaken = ssec(&["check", "mine"], &world);
    assert_eq!(mistaken.code, 2);
    assert!(mistaken.out.contains("wrong-key"), "{}", mistaken.out);
}

/// A row of the README's table begins with the words of the code itself.
#[test]
fn the_readme_tells_every_exit_code() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    for code in ExitCode::ALL {
        let row = format!("| {} | {}", code.number(), code.means());
        assert!(text.contains(&row), "no row begins with {row}");
    }
}

/// An input of the action is an argument, whatever it begins with.
#[test]
fn a_filter_of_the_action_is_no_flag() {
    let text = fs::read_to_string(root().join("action.yml")).unwrap();
    assert!(text.contains("${FILTER:+-- \"$FILTER\"}"), "{text}");
    let words = ["ssec", "test", "--dialect", "aws", "--", "-key"].map(OsString::from);
    assert_eq!(harness::cli::understands(words.to_vec()), Ok(()));
    let bare = ["ssec", "test", "--dialect", "aws", "-key"].map(OsString::from);
    assert!(harness::cli::understands(bare.to_vec()).is_err());
}
