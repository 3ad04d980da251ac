//! The rules of ARCHITECTURE.md that a compiler does not enforce, each a test that names file and
//! line. Every rule is also shown lines that it must refuse and lines that it must keep, because
//! a rule that matches nothing would pass for ever.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::MetadataCommand;

const CRATES: [&str; 3] = ["harness", "reference-server", "reports"];

/// One noun a file; beyond this a second noun is hiding in it.
const MOST_LINES: usize = 500;

/// What stands on which floor of `harness/src`, lowest first. A module uses lower floors and its
/// own; a longer path wins over a shorter one, for some directories hold the plain types that all
/// floors speak in beside the code that works with them.
const FLOORS: [&[&str]; 8] = [
    &[
        "error",
        "clock",
        "random",
        "environment",
        "scenario::definition",
        "exit_code",
    ],
    &[
        "oracle",
        "ssec",
        "payload",
        "credentials",
        "yaml",
        "transport",
    ],
    &["s3"],
    &["scenario", "transport::control", "transport::curl_command"],
    &["check", "evidence", "journal", "target", "progress"],
    &["conformance", "bench"],
    &["command"],
    &["cli", "main"],
];

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

    /// The part before the unit tests, which stand last in a file.
    fn product(&self) -> &str {
        self.text
            .split("#[cfg(test)]\nmod ")
            .next()
            .unwrap_or_default()
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
        |line| !line.source.within(&["harness/src/yaml/"]) && line.code.contains("serde_saphyr"),
        &[(
            "harness/src/scenario/document.rs",
            "serde_saphyr::from_str(text)",
        )],
        &[(
            "harness/src/yaml/parse.rs",
            "use serde_saphyr::granit_parser::Parser;",
        )],
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
        (lines > MOST_LINES && source.path.contains("/src/"))
            .then(|| format!("{}: {lines} lines, split by noun", source.path))
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
fn a_module_uses_only_lower_floors() {
    let mut found = Vec::new();
    for source in sources()
        .iter()
        .filter(|source| source.within(&["harness/src/"]))
    {
        found.extend(upward_uses(source));
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));

    let planted = "use crate::error::OurError;\nuse crate::{clock, check::{leak, status}};\n";
    let upward = upward_uses(&Source::new("harness/src/s3/sign.rs", planted));
    assert_eq!(upward.len(), 2, "{upward:?}");
    assert!(
        upward[0].starts_with("harness/src/s3/sign.rs:2: "),
        "{upward:?}"
    );
    let types = "use crate::scenario::definition::Level;\n";
    assert_eq!(
        upward_uses(&Source::new("harness/src/s3/sign.rs", types)),
        [""; 0]
    );
    let more = "use crate::scenario::catalog::Catalog;\n";
    assert_eq!(
        upward_uses(&Source::new("harness/src/s3/sign.rs", more)).len(),
        1
    );
    assert_eq!(
        upward_uses(&Source::new("harness/src/novel.rs", "")).len(),
        1,
        "a floor is needed"
    );
}

/// What in a file of the harness reaches up, or has no floor at all.
fn upward_uses(source: &Source) -> Vec<String> {
    let inner = source
        .path
        .trim_start_matches("harness/src/")
        .trim_end_matches(".rs");
    let own: Vec<&str> = inner.split('/').filter(|part| *part != "mod").collect();
    if own == ["lib"] {
        return Vec::new();
    }
    let Some(own_floor) = floor(&own) else {
        return vec![format!(
            "{}: give the module a floor in tidy.rs",
            source.path
        )];
    };
    let product = source.product();
    let mut found = Vec::new();
    for (at, _) in product.match_indices("crate::") {
        let line_start = product[..at].rfind('\n').map_or(0, |end| end + 1);
        if product[line_start..at].contains("//") {
            continue;
        }
        for path in paths(&product[at + "crate::".len()..]) {
            let used: Vec<&str> = path.iter().map(String::as_str).collect();
            if used[0] == own[0] && floor(&used) <= Some(own_floor) {
                continue;
            }
            if floor(&used).is_none_or(|floor| floor > own_floor) {
                let line = product[..at].lines().count().max(1);
                let (user, used) = (own.join("::"), used.join("::"));
                found.push(format!(
                    "{}:{line}: {user} reaches up to {used}",
                    source.path
                ));
            }
        }
    }
    found
}

/// The floor of a module path: the longest entry of the table that it starts with.
fn floor(path: &[&str]) -> Option<usize> {
    let mut best: Option<(usize, usize)> = None;
    for (number, entries) in FLOORS.iter().enumerate() {
        for entry in *entries {
            let entry: Vec<&str> = entry.split("::").collect();
            if path.starts_with(&entry) && best.is_none_or(|(length, _)| entry.len() > length) {
                best = Some((entry.len(), number));
            }
        }
    }
    best.map(|(_, number)| number)
}

/// The paths of a use tree such as `a::{b, c::D}`, as far as they are names.
fn paths(tree: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut stack: Vec<Vec<String>> = vec![Vec::new()];
    let mut current: Vec<String> = Vec::new();
    let mut rest = tree;
    loop {
        let end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        if end > 0 {
            current.push(rest[..end].to_owned());
        }
        rest = &rest[end..];
        if let Some(after) = rest.strip_prefix("::") {
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            stack.push(current.clone());
            rest = after.trim_start();
        } else {
            let prefix = stack.last().unwrap();
            if current.len() > prefix.len() {
                found.push(current.clone());
            }
            current.clone_from(prefix);
            if stack.len() == 1 {
                return found;
            }
            if rest.starts_with('}') {
                stack.pop();
                current.clear();
                if stack.len() == 1 {
                    return found;
                }
            }
            let Some(after) = rest.get(1..) else {
                return found;
            };
            rest = after.trim_start();
        }
    }
}
