//! The rules of ARCHITECTURE.md that a compiler does not enforce, each a test that names file and
//! line. Every rule is also shown lines that it must refuse and lines that it must keep, because
//! a rule that matches nothing would pass for ever.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

#[path = "tidy/floors.rs"]
mod floors;

use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::MetadataCommand;

const CRATES: [&str; 3] = ["harness", "reference-server", "reports"];

/// One noun a file; beyond this a second noun is hiding in it.
const MOST_LINES: usize = 500;

/// A source file of ours; its path is relative to the workspace and has forward slashes.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    fn within(&self, directories: &[&str]) -> bool {
        directories
            .iter()
            .any(|directory| self.path.starts_with(directory))
    }
}

/// Looks at one line of a file; comments are blank when it comes to code.
struct Line<'a> {
    source: &'a Source,
    /// Without what a `//` comment says.
    code: &'a str,
    previous: &'a str,
}

type Rule = fn(&Line<'_>) -> bool;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    let mut left: Vec<PathBuf> = CRATES.iter().map(|name| root().join(name)).collect();
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(root()).unwrap().to_str().unwrap();
                found.push(Source::new(
                    &relative.replace('\\', "/"),
                    &fs::read_to_string(&path).unwrap(),
                ));
            }
        }
    }
    assert!(found.len() > 30, "found only {} sources", found.len());
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Numbers of the lines that break the rule. This file holds what the rules look for, as text.
fn broken(source: &Source, rule: Rule) -> Vec<usize> {
    if source.path == "harness/tests/tidy.rs" {
        return Vec::new();
    }
    let mut previous = "";
    let mut numbers = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        if rule(&Line {
            source,
            code,
            previous,
        }) {
            numbers.push(index + 1);
        }
        previous = line;
    }
    numbers
}

/// Applies a rule to every line of the workspace. `refused` and `kept` are a path and a text each.
#[track_caller]
fn enforce(says: &str, rule: Rule, refused: &[(&str, &str)], kept: &[(&str, &str)]) {
    for (path, text) in refused {
        assert!(
            !broken(&Source::new(path, text), rule).is_empty(),
            "not refused: {path}: {text}"
        );
    }
    for (path, text) in kept {
        assert_eq!(
            broken(&Source::new(path, text), rule),
            [0; 0],
            "not kept: {path}: {text}"
        );
    }
    let found: Vec<String> = sources()
        .iter()
        .flat_map(|source| {
            let lines = broken(source, rule);
            lines
                .into_iter()
                .map(|line| format!("{}:{line}: {says}", source.path))
        })
        .collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn crates_depend_on_each_other_in_one_direction_only() {
    let metadata = MetadataCommand::new()
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .unwrap();
    let mut edges = Vec::new();
    for package in metadata.workspace_packages() {
        for dependency in &package.dependencies {
            if CRATES.contains(&dependency.name.as_str()) {
                edges.push(format!("{} -> {}", package.name, dependency.name));
            }
        }
    }
    edges.sort();
    assert_eq!(edges, ["harness -> reference-server", "harness -> reports"]);
}

#[test]
fn every_crate_obeys_the_workspace_lints() {
    for name in CRATES {
        let manifest = fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{name}/Cargo.toml"
        );
    }
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(
        workspace.contains("unsafe_code = \"forbid\""),
        "Cargo.toml allows unsafe code"
    );
}

#[test]
fn the_harness_meets_the_server_over_http_only() {
    enforce(
        "only the bundled target and `ssec serve` may name the server crate",
        |line| {
            let allowed = ["harness/src/target/bundled", "harness/src/command/serve"];
            line.source.within(&["harness/"])
                && !line.source.within(&allowed)
                && line.code.contains("reference_server")
        },
        &[("harness/src/ssec/headers.rs", "use reference_server::ssec;")],
        &[
            (
                "harness/src/target/bundled.rs",
                "use reference_server::Server;",
            ),
            (
                "harness/src/s3/sign.rs",
                "// not shared with reference_server",
            ),
        ],
    );
}

#[test]
fn only_reports_serialises_output() {
    enforce(
        "serde derives belong to the reports crate",
        |line| {
            !line.source.within(&["reports/"])
                && (line.code.contains("Serialize") || line.code.contains("Deserialize"))
        },
        &[("harness/src/journal.rs", "#[derive(Debug, Serialize)]")],
        &[("reports/src/record.rs", "#[derive(Debug, Serialize)]")],
    );
}

#[test]
fn only_the_yaml_module_names_its_crate() {
    enforce(
        "YAML is read in harness/src/yaml alone",
        |line| !line.source.within(&["harness/src/yaml/"]) && line.code.contains("granit_parser"),
        &[(
            "harness/src/scenario/document.rs",
            "granit_parser::Parser::new_from_str(text)",
        )],
        &[("harness/src/yaml/parse.rs", "use granit_parser::Parser;")],
    );
}

#[test]
fn lints_are_expected_with_a_reason_never_allowed() {
    enforce(
        "write #[expect(lint, reason = \"…\")]",
        |line| line.code.contains("#[allow(") || line.code.contains("#![allow("),
        &[
            ("reports/src/run.rs", "#[allow(dead_code)]"),
            ("a.rs", "#![allow(unused)]"),
        ],
        &[(
            "reports/src/run.rs",
            "#[expect(dead_code, reason = \"read by a newer version\")]",
        )],
    );
}

#[test]
fn every_limit_says_what_it_bounds() {
    enforce(
        "a limit needs a doc comment above it",
        |line| {
            let Some((_, name)) = line.code.split_once("const ") else {
                return false;
            };
            let name = name.split(':').next().unwrap_or_default();
            let limit = ["MAX_", "_MAX", "MOST_", "LIMIT", "TIMEOUT", "DEADLINE"];
            let above = line.previous.trim_start();
            limit.iter().any(|word| name.contains(word))
                && !above.starts_with("//")
                && !above.starts_with("#[")
        },
        &[("a.rs", "use x;\npub const MAX_PARTS: u32 = 10_000;")],
        &[(
            "a.rs",
            "/// Most parts of one upload.\npub const MAX_PARTS: u32 = 10_000;",
        )],
    );
}

#[test]
fn a_customer_key_is_never_printed_or_copied() {
    enforce(
        "a customer key has no Debug, Display or Clone",
        |line| {
            let is_key = line.code.contains("struct CustomerKey");
            let derived = line.previous.contains("derive(")
                && ["Debug", "Clone", "Copy", "Display"]
                    .iter()
                    .any(|t| line.previous.contains(t));
            let written = ["Debug", "Display", "Clone", "Copy", "LowerHex"]
                .iter()
                .any(|name| line.code.contains(&format!("{name} for CustomerKey")));
            (is_key && derived) || written
        },
        &[
            (
                "a.rs",
                "#[derive(Clone)]\npub struct CustomerKey(Box<[u8; 32]>);",
            ),
            ("a.rs", "impl fmt::Debug for CustomerKey {"),
        ],
        &[(
            "a.rs",
            "#[derive(ZeroizeOnDrop)]\npub struct CustomerKey(Box<[u8; 32]>);",
        )],
    );
}

#[test]
fn nothing_is_named_after_having_no_name() {
    let banned = [
        "util", "utils", "common", "helper", "helpers", "misc", "manager", "imp",
    ];
    let mut found = Vec::new();
    for source in sources() {
        for part in source.path.trim_end_matches(".rs").split('/') {
            if banned.contains(&part) {
                found.push(format!(
                    "{}: `{part}` says nothing about what it holds",
                    source.path
                ));
            }
        }
        for (index, line) in source.text.lines().enumerate() {
            let words: Vec<&str> = line
                .split([' ', ';', '{'])
                .filter(|w| !w.is_empty())
                .collect();
            let inline = words
                .windows(2)
                .any(|w| w[0] == "mod" && banned.contains(&w[1]));
            if inline && !line.trim_start().starts_with("//") {
                found.push(format!(
                    "{}:{}: name the module by its noun",
                    source.path,
                    index + 1
                ));
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn a_file_holds_one_noun() {
    let long = |source: &Source| {
        let lines = source.text.lines().count();
        (lines > MOST_LINES).then(|| format!("{}: {lines} lines, split by noun", source.path))
    };
    let found: Vec<String> = sources().iter().filter_map(long).collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn a_module_starts_with_what_it_knows() {
    let silent =
        |source: &&Source| source.text.lines().count() > 1 && !source.text.starts_with("//!");
    let found: Vec<String> = sources()
        .iter()
        .filter(silent)
        .map(|source| format!("{}:1: start with `//!`", source.path))
        .collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn only_the_store_and_the_sealed_format_touch_the_disk() {
    enforce(
        "disk formats belong to store and sealed",
        |line| {
            let at_home = [
                "reference-server/src/store/",
                "reference-server/src/sealed/",
                "harness/",
            ];
            !line.source.within(&at_home)
                && (line.code.contains("redb::") || line.code.contains("_le_bytes("))
        },
        &[(
            "reference-server/src/operation/get.rs",
            "let row = redb::Value::from(bytes);",
        )],
        &[(
            "reference-server/src/store/row.rs",
            "use redb::TableDefinition;",
        )],
    );
}

#[test]
fn every_module_is_in_the_code_map() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut missing = Vec::new();
    for source in sources() {
        let mut parts = source.path.split('/');
        let (name, src) = (parts.next().unwrap(), parts.next());
        let module = parts.next().unwrap_or_default().trim_end_matches(".rs");
        let section = map
            .split("\n### ")
            .find(|section| section.starts_with(name))
            .unwrap();
        if src == Some("src") && module != "lib" && !section.contains(&format!("`{module}`")) {
            missing.push(format!(
                "{}: `{module}` is not in ARCHITECTURE.md's map",
                source.path
            ));
        }
    }
    missing.dedup();
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}
