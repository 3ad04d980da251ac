//! What the build brings along: licences, crates that must not come in, and where they come from.
//! `deny.toml` says the same to those who have cargo-deny.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand, Package};

/// Licence expressions that were read and found free of conditions that a binary would have to
/// meet. Another expression is a decision to be made, then a line here and in `deny.toml`.
const LICENCES: &[&str] = &[
    "(MIT OR Apache-2.0) AND Unicode-3.0",
    "0BSD OR MIT OR Apache-2.0",
    "Apache-2.0",
    "Apache-2.0 / MIT",
    "Apache-2.0 AND ISC",
    "Apache-2.0 OR BSL-1.0",
    "Apache-2.0 OR ISC OR MIT",
    "Apache-2.0 OR MIT",
    "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
    "Apache-2.0/MIT",
    "BSD-3-Clause",
    "CC0-1.0 OR MIT-0 OR Apache-2.0",
    "ISC",
    "ISC AND (Apache-2.0 OR ISC)",
    // aws-lc-sys: the licences of its parts.
    "ISC AND (Apache-2.0 OR ISC) AND Apache-2.0 AND MIT AND BSD-3-Clause AND \
     (Apache-2.0 OR ISC OR MIT) AND (Apache-2.0 OR ISC OR MIT-0)",
    "MIT",
    "MIT OR Apache-2.0",
    "MIT OR Apache-2.0 OR LGPL-2.1-or-later",
    "MIT OR Zlib OR Apache-2.0",
    "MIT/Apache-2.0",
    "Unicode-3.0",
    "Unlicense OR MIT",
    "Zlib",
];

/// Crates that must not be built, and why.
const BANNED: &[(&str, &str)] = &[
    ("ring", "a second crypto library beside aws-lc-rs"),
    (
        "openssl-sys",
        "a second crypto library, and a C library of the system",
    ),
    ("native-tls", "TLS is rustls"),
    ("serde_yaml", "archived upstream"),
    ("serde_yml", "RUSTSEC-2025-0068: unsound and archived"),
    ("s3s", "its holes are subjects of this project's tests"),
    (
        "aws-sdk-s3",
        "a judge does not use the SDK of one of the judged",
    ),
];

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What is built for this platform, tests included.
fn metadata() -> Metadata {
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    MetadataCommand::new()
        .manifest_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"))
        .other_options(["--filter-platform".to_owned(), host, "--locked".to_owned()])
        .exec()
        .unwrap()
}

/// The packages of others that the features in use bring in.
fn foreign(metadata: &Metadata) -> Vec<&Package> {
    let resolve = metadata.resolve.as_ref().unwrap();
    let mut reached = metadata.workspace_members.clone();
    let mut next = 0;
    while let Some(id) = reached.get(next) {
        let node = resolve.nodes.iter().find(|node| node.id == *id).unwrap();
        let new = node.deps.iter().map(|dep| &dep.pkg);
        let new: Vec<_> = new.filter(|id| !reached.contains(id)).cloned().collect();
        reached.extend(new);
        next += 1;
    }
    let is_foreign = |package: &&Package| !metadata.workspace_members.contains(&package.id);
    let packages = metadata.packages.iter().filter(is_foreign);
    packages
        .filter(|package| reached.contains(&package.id))
        .collect()
}

#[test]
fn every_licence_was_looked_at() {
    let metadata = metadata();
    let packages = foreign(&metadata);
    assert!(packages.len() > 100, "{}", packages.len());
    for package in packages {
        let licence = package.license.as_deref();
        assert!(was_read(licence), "{}: {licence:?}", package.name);
    }
}

fn was_read(licence: Option<&str>) -> bool {
    licence.is_some_and(|licence| LICENCES.contains(&licence))
}

#[test]
fn a_licence_that_nobody_read_is_refused() {
    assert!(was_read(Some("MIT OR Apache-2.0")));
    for licence in [Some("AGPL-3.0-only"), Some("MIT AND AGPL-3.0-only"), None] {
        assert!(!was_read(licence), "{licence:?}");
    }
}

/// Names of all that is built. Not from the metadata: it counts what `crate?/feature` names but
/// does not turn on, which is how ring would seem to be here.
fn built() -> BTreeSet<String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--locked", "--edges", "all"])
        .args(["--prefix", "none", "--format", "{p}", "--manifest-path"])
        .arg(manifest)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let text = String::from_utf8(output.stdout).unwrap();
    let names = text.lines().filter_map(|line| line.split(' ').next());
    names.map(str::to_owned).collect()
}

#[test]
fn no_banned_crate_is_built() {
    let built = built();
    for (name, why) in BANNED {
        assert!(!built.contains(*name), "{name}: {why}");
    }
    // The search finds what is there.
    assert!(built.contains("aws-lc-rs"), "{built:?}");
}

#[test]
fn everything_comes_from_crates_io() {
    for package in foreign(&metadata()) {
        let source = package.source.as_ref().map(|source| source.repr.as_str());
        assert_eq!(source, Some(CRATES_IO), "{}", package.name);
    }
}
