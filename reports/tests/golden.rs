//! Every renderer over one small run a situation, beside the output that was reviewed.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;

use reports::render::{badge, github, html, junit, markdown, tap, text};
use reports::run::Run;
use reports::stream::ReadError;

type Renderer = fn(&Run, &mut dyn Write) -> std::io::Result<()>;

fn open(name: &str) -> BufReader<File> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.jsonl"));
    BufReader::new(File::open(path).unwrap())
}

fn read(name: &str) -> Result<Run, ReadError> {
    Run::read(open(name))
}

fn rendered(name: &str, renderer: Renderer) -> String {
    let mut out = Vec::new();
    renderer(&Run::salvage(open(name)).unwrap(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[track_caller]
fn check(name: &str) {
    let text = rendered(name, text::render);
    assert!(
        !text.contains(|c: char| c.is_control() && c != '\n'),
        "text holds control characters"
    );
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        insta::assert_snapshot!(format!("{name}.txt"), text);
        insta::assert_snapshot!(format!("{name}.xml"), rendered(name, junit::render));
        insta::assert_snapshot!(format!("{name}.md"), rendered(name, markdown::render));
        insta::assert_snapshot!(format!("{name}.tap"), rendered(name, tap::render));
        insta::assert_snapshot!(format!("{name}.html"), page(name));
        let lines = rendered(name, badge::render) + &rendered(name, github::render);
        insta::assert_snapshot!(format!("{name}.badge"), lines);
    });
}

/// A page with a line for each element, and without its style and its script, which have files of
/// their own.
fn page(name: &str) -> String {
    let page = rendered(name, html::render);
    let (head, rest) = page.split_once("<style>").unwrap();
    let (_, rest) = rest.split_once("</style>").unwrap();
    let (body, _) = rest.rsplit_once("<script>").unwrap();
    let policy = head.split_once("sha256-").unwrap().0;
    format!("{policy}…\n{body}").replace("><", ">\n<")
}

#[test]
fn all_pass() {
    check("all-pass");
}

#[test]
fn one_failure() {
    check("one-failure");
}

#[test]
fn a_target_that_ignores_the_headers_is_convicted_in_one_line() {
    check("ignores-the-headers");
    let text = rendered("ignores-the-headers", text::render);
    assert_eq!(
        text.matches("\nFAIL").count(),
        1,
        "one screen stands for all"
    );
    assert!(text.starts_with("FAIL  silent downgrade in 5 trials"));
}

#[test]
fn every_verdict_at_once() {
    check("mixed");
}

#[test]
fn hostile_bytes_stay_bytes() {
    check("hostile");
}

#[test]
fn nothing_selected() {
    check("nothing-selected");
}

#[test]
fn half_a_run_is_called_incomplete_by_every_renderer() {
    check("truncated");
    let says = |renderer: Renderer| rendered("truncated", renderer).to_lowercase();
    for renderer in [
        text::render as Renderer,
        junit::render,
        markdown::render,
        html::render,
        badge::render,
    ] {
        assert!(says(renderer).contains("incomplete"));
    }
    assert!(says(github::render).contains("no end line"));
    let tap = rendered("truncated", tap::render);
    assert!(tap.contains("Bail out!") && !tap.contains("1.."));
    assert!(rendered("truncated", badge::render).contains("lightgrey"));
}

#[test]
fn a_stream_cut_in_the_middle_of_a_line_is_no_run() {
    assert!(matches!(read("truncated"), Err(ReadError::MissingFooter)));
}
