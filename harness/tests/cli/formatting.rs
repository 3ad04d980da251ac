//! `ssec fmt`: one form for each file, and nothing that it says is lost.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use harness::scenario::catalog::Catalog;

use crate::served::{Told, ssec, world};

/// A suite that asks what its form asks.
const SUITE: &str = "# Every read.
suite:   reads
bodies: {small: {seed: 1, size: 1 KiB}}
keys: [ alice,mallory ]
cases:
- title: A read with another key is refused
  id: other-key   # never reused
  level: must
  source:
  - contract: G1
  needs: [sse-c]
  matrix:
    op:
    - get
    - head
  given:
  - put: doc
    ssec: alice
    body: small
  steps:
  # the refusal
  - {expect: wrong-key,   $op: doc, ssec: mallory}
  - $op: doc
    expect: {length-of: small, outcome: ok}
    ssec: alice
";

const FORM: &str = "# Every read.
suite: reads
keys: [alice, mallory]
bodies:
  small: {size: 1 KiB, seed: 1}

cases:
  - id: other-key    # never reused
    title: A read with another key is refused
    level: must
    source: [{contract: G1}]
    needs: [sse-c]
    matrix: {op: [get, head]}
    given:
      - {put: doc, body: small, ssec: alice}
    steps:
      # the refusal
      - {$op: doc, ssec: mallory, expect: wrong-key}
      - {$op: doc, ssec: alice, expect: {outcome: ok, length-of: small}}
";

fn fmt(arguments: &[&str], directory: &Path) -> Told {
    ssec(&[&["fmt"], arguments].concat(), &world(directory))
}

fn read(directory: &Path, name: &str) -> String {
    fs::read_to_string(directory.join(name)).unwrap()
}

/// Names and digests of a suite's trials.
fn trials(path: &Path) -> Vec<(String, String)> {
    let catalog = Catalog::read_file(path).unwrap();
    let trial = |trial: &std::sync::Arc<_>| {
        let trial: &harness::scenario::definition::Trial = trial;
        (trial.name.clone(), trial.digest.clone())
    };
    catalog.trials().iter().map(trial).collect()
}

#[test]
fn every_file_of_the_catalogue_is_in_its_form() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let told = fmt(&["--check", "."], &folder);
    assert_eq!(told.code, 0, "run `ssec fmt scenarios`:\n{}", told.out);
    assert!(told.out.starts_with("0 to format, "), "{}", told.out);
    assert!(!told.out.contains(", 0 as they were"), "{}", told.out);
}

#[test]
fn a_file_is_written_in_its_form_and_asks_what_it_asked() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("reads.yaml");
    fs::write(&path, SUITE).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let asked = trials(&path);
    assert_eq!(asked.len(), 2);

    let told = fmt(&["reads.yaml"], directory.path());
    assert_eq!((told.code, told.notes.as_str()), (0, ""));
    assert!(told.out.contains("reads.yaml: formatted"), "{}", told.out);
    assert_eq!(read(directory.path(), "reads.yaml"), FORM);
    assert_eq!(trials(&path), asked);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);

    let told = fmt(&["reads.yaml"], directory.path());
    assert_eq!(told.out, "0 formatted, 1 as they were\n");
}

#[test]
fn a_check_tells_the_first_line_and_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("good.yaml"), FORM).unwrap();
    let told = fmt(&["--check", "."], directory.path());
    assert_eq!(
        (told.code, told.out.as_str()),
        (0, "0 to format, 1 as they were\n")
    );

    fs::write(directory.path().join("reads.yaml"), SUITE).unwrap();
    let told = fmt(&["--check", "."], directory.path());
    assert_eq!(told.code, 1, "{}", told.notes);
    let difference = "reads.yaml:2: not in its form\n  - suite:   reads\n  + suite: reads\n\
                      1 to format, 1 as they were\n";
    assert!(told.out.ends_with(difference), "{}", told.out);
    assert_eq!(read(directory.path(), "reads.yaml"), SUITE);

    // What cannot be seen is written out.
    let ends = FORM.replace('\n', "\r\n");
    fs::write(directory.path().join("reads.yaml"), ends).unwrap();
    let told = fmt(&["--check", "reads.yaml"], directory.path());
    let difference = "reads.yaml:1: not in its form\n  - # Every read.\\r\n  + # Every read.\n";
    assert!(told.out.contains(difference), "{}", told.out);
}

#[test]
fn what_is_no_yaml_is_drawn_and_left_and_the_others_are_written() {
    let directory = tempfile::tempdir().unwrap();
    let broken = "suite: broken\ncases: [\n";
    let anchor = "suite: &a anchored\ncases: []\n";
    fs::write(directory.path().join("a.yaml"), broken).unwrap();
    fs::write(directory.path().join("b.yaml"), anchor).unwrap();
    fs::write(directory.path().join("c.yaml"), SUITE).unwrap();
    for arguments in [&["--check", "."][..], &["."]] {
        let told = fmt(arguments, directory.path());
        assert_eq!(told.code, 2, "{}", told.out);
        for part in [
            "error[Y001]",
            "a.yaml:2:8",
            "error[Y002]",
            "b.yaml:1:8",
            "1 | suite: &a anchored\n",
            "  |        ^^",
            "more: ssec explain E014",
        ] {
            assert!(told.notes.contains(part), "{part}\n{}", told.notes);
        }
    }
    assert_eq!(read(directory.path(), "a.yaml"), broken);
    assert_eq!(read(directory.path(), "b.yaml"), anchor);
    assert_eq!(read(directory.path(), "c.yaml"), FORM);

    let told = fmt(&["nowhere.yaml"], directory.path());
    assert_eq!(told.code, 2);
    assert!(told.notes.starts_with("error[F001]"), "{}", told.notes);
}

/// A field that nobody knows is a mistake for `ssec check`; it is kept, and stays one.
#[test]
fn a_suite_with_mistakes_of_another_kind_has_a_form() {
    let directory = tempfile::tempdir().unwrap();
    let text = SUITE.replace("needs:", "neds:");
    fs::write(directory.path().join("reads.yaml"), text).unwrap();
    assert_eq!(fmt(&["reads.yaml"], directory.path()).code, 0);
    assert!(read(directory.path(), "reads.yaml").contains("    neds: [sse-c]\n"));
    let told = ssec(&["check", "reads.yaml"], &world(directory.path()));
    assert_eq!(told.code, 2);
    assert!(told.out.contains("did you mean `needs`?"), "{}", told.out);
}

#[test]
fn no_line_of_a_profile_is_shown() {
    let directory = tempfile::tempdir().unwrap();
    let secret = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY";
    let profile = format!("profile:   mine\nsecret-access-key:   {secret}\n");
    fs::write(directory.path().join("mine.yaml"), &profile).unwrap();
    let told = fmt(&["--check", "mine.yaml"], directory.path());
    assert_eq!(told.code, 1);
    assert!(
        told.out
            .contains("mine.yaml:1: not in its form\n1 to format"),
        "{}",
        told.out
    );

    fs::write(
        directory.path().join("mine.yaml"),
        format!("{profile}a: [\n"),
    )
    .unwrap();
    let broken = fmt(&["mine.yaml"], directory.path());
    assert_eq!(broken.code, 2);
    assert!(broken.notes.contains("mine.yaml:3:4"), "{}", broken.notes);
    for told in [told, broken] {
        assert!(!format!("{}{}", told.out, told.notes).contains(secret));
    }
}

#[test]
fn a_link_stays_one_and_none_in_a_folder_is_followed() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("folder");
    fs::create_dir(&folder).unwrap();
    fs::write(directory.path().join("reads.yaml"), SUITE).unwrap();
    symlink("../reads.yaml", folder.join("link.yaml")).unwrap();
    let told = fmt(&["folder"], directory.path());
    assert_eq!(told.out, "0 formatted, 0 as they were\n");
    assert_eq!(fmt(&["folder/link.yaml"], directory.path()).code, 0);
    let link = fs::symlink_metadata(folder.join("link.yaml")).unwrap();
    assert!(link.is_symlink());
    assert_eq!(read(directory.path(), "reads.yaml"), FORM);
}

#[test]
fn files_and_folders_beyond_the_limits_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let many = directory.path().join("many");
    fs::create_dir(&many).unwrap();
    for number in 0..1000 {
        fs::write(many.join(format!("{number}.yaml")), "a: b\n").unwrap();
    }
    let told = fmt(&["--check", "many"], directory.path());
    assert_eq!(told.out, "0 to format, 1000 as they were\n");
    fs::write(many.join("more.yaml"), "a: b\n").unwrap();
    let told = fmt(&["--check", "many"], directory.path());
    assert_eq!(told.code, 2);
    assert!(
        told.notes.contains("more than 1000 files"),
        "{}",
        told.notes
    );

    let deep = |depth: usize| ["deep"; 17][..depth].join("/");
    fs::create_dir_all(directory.path().join(deep(17))).unwrap();
    fs::write(directory.path().join(deep(17)).join("a.yaml"), "a: b\n").unwrap();
    let told = fmt(&["--check", "deep"], directory.path());
    assert_eq!(told.out, "0 to format, 1 as they were\n");
    fs::create_dir(directory.path().join(deep(17)).join("deep")).unwrap();
    let told = fmt(&["--check", "deep"], directory.path());
    assert_eq!(told.code, 2);
    assert!(
        told.notes.contains("more than 16 folders"),
        "{}",
        told.notes
    );
}

/// What `ssec` itself proposes needs no `ssec fmt`.
#[test]
fn proposed_dialects_and_baselines_are_in_their_form() {
    let directory = tempfile::tempdir().unwrap();
    let published = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reports/published");
    let mut seen = 0;
    for entry in fs::read_dir(published).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_none_or(|extension| extension != "jsonl")
        {
            continue;
        }
        let (record, world) = (path.to_str().unwrap(), world(directory.path()));
        let told = ssec(&["evidence", record, "--dialect", "mine"], &world);
        assert_eq!(told.code, 0, "{}", told.notes);
        fs::write(directory.path().join(format!("{seen}.yaml")), told.out).unwrap();
        let baseline = format!("{seen}-baseline.yaml");
        ssec(&["report", record, "--baseline", &baseline], &world);
        assert!(directory.path().join(baseline).is_file(), "{record}");
        seen += 1;
    }
    assert!(seen > 5, "{seen}");
    let told = fmt(&["--check", "."], directory.path());
    assert_eq!(told.code, 0, "{}", told.out);
}
