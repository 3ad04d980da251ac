//! The floors of `harness/src`: who may use whom.

use super::{Source, sources};

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
        "problem",
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

/// The part before the unit tests, which stand last in a file and may use any floor.
fn product(source: &Source) -> &str {
    source
        .text
        .split("#[cfg(test)]\nmod ")
        .next()
        .unwrap_or_default()
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
    let product = product(source);
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
