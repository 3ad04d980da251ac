//! The help, the completions and the manual pages: one grammar, three forms.

use std::collections::BTreeSet;
use std::fs;

use crate::served::{ssec, world};

/// Long flags of a text, as a reader finds them.
fn flags(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    text.split(|c: char| !is_part(c))
        .filter(|word| word.len() > 3 && word.starts_with("--") && !word.starts_with("---"))
        .map(str::to_owned)
        .collect()
}

fn commands() -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let told = ssec(&["--help"], &world(directory.path()));
    assert_eq!(told.code, 0, "{}", told.notes);
    let lines = told
        .out
        .lines()
        .filter_map(|line| line.strip_prefix("  ssec "));
    lines
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect()
}

#[test]
fn help_fits_a_screen_and_each_command_has_its_examples() {
    let directory = tempfile::tempdir().unwrap();
    let world = world(directory.path());
    let told = ssec(&["--help"], &world);
    assert!(told.out.lines().count() <= 24, "{}", told.out);
    assert!(told.out.lines().all(|line| line.chars().count() <= 80));
    assert!(commands().len() >= 12, "{:?}", commands());
    for command in commands() {
        let told = ssec(&[&command, "--help"], &world);
        assert_eq!(told.code, 0, "{command}: {}", told.notes);
        let example = format!("Examples:\n  ssec {command}");
        assert!(told.out.contains(&example), "{}", told.out);
    }
    let alone = ssec(&[], &world);
    assert_eq!(alone.code, 2, "no command is no run");
    assert!(alone.notes.contains("ssec test"), "{}", alone.notes);
}

#[test]
fn completions_know_every_command_and_flag() {
    let directory = tempfile::tempdir().unwrap();
    let world = world(directory.path());
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let told = ssec(&["completions", shell], &world);
        assert_eq!(told.code, 0, "{}", told.notes);
        for command in commands() {
            assert!(told.out.contains(&command), "{shell} lacks {command}");
            let help = ssec(&[&command, "--help"], &world).out;
            let (help, _) = help.split_once("Examples:").unwrap();
            for flag in flags(help) {
                // fish writes `-l name`.
                let bare = flag.trim_start_matches('-');
                assert!(told.out.contains(bare), "{shell} lacks {command} {flag}");
            }
        }
    }
    let told = ssec(&["completions", "tcsh"], &world);
    assert_eq!(told.code, 2);
    assert!(told.notes.contains("bash"), "{}", told.notes);
}

#[test]
fn a_manual_page_for_each_command_has_its_flags_and_examples() {
    let directory = tempfile::tempdir().unwrap();
    let world = world(directory.path());
    let told = ssec(&["man", "pages/man1"], &world);
    assert_eq!(told.code, 0, "{}", told.notes);
    let folder = directory.path().join("pages/man1");
    let found = fs::read_dir(&folder).unwrap().count();
    assert_eq!(found, commands().len() + 1);
    for command in commands() {
        let page = fs::read_to_string(folder.join(format!("ssec-{command}.1"))).unwrap();
        // In roff a hyphen that is meant is `\-`.
        let page = page.replace("\\-", "-");
        assert!(page.contains(".SH EXAMPLES"), "{page}");
        let help = ssec(&[&command, "--help"], &world).out;
        let (help, _) = help.split_once("Examples:").unwrap();
        for flag in flags(help) {
            assert!(page.contains(&flag), "ssec-{command}.1 lacks {flag}");
        }
    }
    let first = fs::read_to_string(folder.join("ssec.1")).unwrap();
    assert!(first.contains(".SH \"EXIT STATUS\""), "{first}");
    assert!(first.contains("130"), "{first}");

    fs::write(directory.path().join("file"), "").unwrap();
    let refused = ssec(&["man", "file/man1"], &world);
    assert_eq!(refused.code, 2);
    assert!(refused.notes.contains("cannot write"), "{}", refused.notes);
}
