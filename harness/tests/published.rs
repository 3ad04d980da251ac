//! The published matrix is what the published runs make, and each of those runs is whole.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Name of the column and file of the run, in the order of the matrix.
const RUNS: [(&str, &str); 9] = [
    ("MinIO 7aac2a2c", "minio-7aac2a2c"),
    ("Garage 2.5.0", "garage-2.5.0"),
    ("Ceph RGW 16.2.15", "ceph-rgw-16.2.15"),
    ("LocalStack 2026.3.0", "localstack-2026.3.0"),
    ("moto 5.2.1", "moto-5.2.1"),
    ("s3rver 3.7.1", "s3rver-3.7.1"),
    ("s3s-fs 0.14.1", "s3s-fs-0.14.1"),
    ("bundled, aws", "bundled-aws"),
    ("bundled, ovh", "bundled-ovh"),
];

fn published() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../reports/published")
}

#[test]
fn the_matrix_is_made_of_the_runs() {
    let directory = tempfile::TempDir::new().unwrap();
    let made = |name: &str| directory.path().join(name);
    let output = Command::new(env!("CARGO_BIN_EXE_ssec"))
        .current_dir(published())
        .arg("matrix")
        .args(RUNS.map(|(name, file)| format!("{name}={file}.jsonl")))
        .args(["--markdown".into(), made("matrix.md")])
        .args(["--html".into(), made("matrix.html")])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    for name in ["matrix.md", "matrix.html"] {
        let kept = std::fs::read_to_string(published().join(name)).unwrap();
        let made = std::fs::read_to_string(made(name)).unwrap();
        assert!(
            kept == made,
            "{name}: make it again, as README.md there says"
        );
    }
}

#[test]
fn every_published_run_is_named_in_the_readme() {
    let readme = std::fs::read_to_string(published().join("README.md")).unwrap();
    for entry in std::fs::read_dir(published()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name == "README.md" || readme.contains(&name), "{name}");
    }
    for (name, file) in RUNS {
        assert!(
            readme.contains(&format!("\"{name}={file}.jsonl\"")),
            "{name}"
        );
    }
}
