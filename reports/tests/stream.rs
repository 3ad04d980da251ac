//! Streams that are whole are read back equal; every way of not being whole has its own error.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

use reports::record::{CaseRecord, FORMAT, Record, RunHeader};
use reports::run::{AllRan, Conclusion, Run, Tally};
use reports::stream::{MAX_LINE_BYTES, ReadError, Writer};
use reports::verdict::Verdict;

const WHOLE: &str = include_str!("golden/mixed.jsonl");

fn read(text: &str) -> Result<Run, ReadError> {
    Run::read(text.as_bytes())
}

/// The lines of the whole stream, to take apart.
fn lines() -> Vec<String> {
    WHOLE.lines().map(str::to_owned).collect()
}

fn header() -> RunHeader {
    read(WHOLE).unwrap().header
}

fn case(level: &str, verdict: Verdict) -> CaseRecord {
    let first = read(WHOLE).unwrap().cases.remove(0);
    CaseRecord {
        level: level.to_owned(),
        verdict,
        counts: false,
        reason: None,
        ..first
    }
}

#[test]
fn what_was_written_is_read_back_equal() {
    let run = read(WHOLE).unwrap();
    let mut writer = Writer::new(Vec::new());
    writer
        .append(&Record::Run(Box::new(run.header.clone())))
        .unwrap();
    for case in &run.cases {
        writer
            .append(&Record::Case(Box::new(case.clone())))
            .unwrap();
    }
    writer.append(&Record::End(run.footer.clone())).unwrap();
    let text = String::from_utf8(writer.into_inner()).unwrap();
    assert_eq!(text.lines().count(), run.cases.len() + 2);
    assert_eq!(read(&text).unwrap(), run);
}

#[test]
fn each_record_reaches_the_sink_as_one_whole_line() {
    struct Sink(Vec<Vec<u8>>);
    impl std::io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.push(bytes.to_vec());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            self.0.push(b"flushed".to_vec());
            Ok(())
        }
    }
    let mut writer = Writer::new(Sink(Vec::new()));
    writer.append(&Record::Run(Box::new(header()))).unwrap();
    let seen = writer.into_inner().0;
    assert_eq!(seen.len(), 2);
    assert!(seen[0].ends_with(b"}\n"));
    assert_eq!(seen[1], b"flushed");
}

#[test]
fn unknown_fields_are_ignored() {
    let text = WHOLE.replace("\"kind\":", "\"later\":{\"a\":[1]},\"kind\":");
    assert_eq!(read(&text).unwrap(), read(WHOLE).unwrap());
}

#[test]
fn a_missing_footer_is_an_error() {
    let mut lines = lines();
    lines.pop();
    assert!(matches!(
        read(&lines.join("\n")),
        Err(ReadError::MissingFooter)
    ));
    // Killed in the middle of a line.
    assert!(matches!(
        read(&WHOLE[..WHOLE.len() - 9]),
        Err(ReadError::MissingFooter)
    ));
}

#[test]
fn a_missing_header_is_an_error() {
    assert!(matches!(read(""), Err(ReadError::MissingHeader)));
    assert!(matches!(
        read(&lines()[1..].join("\n")),
        Err(ReadError::MissingHeader)
    ));
}

#[test]
fn a_trial_twice_is_an_error_with_its_line() {
    let mut lines = lines();
    lines.insert(3, lines[1].clone());
    let Err(ReadError::DuplicateCase { line: 4, name }) = read(&lines.join("\n")) else {
        panic!("a repeated trial was read");
    };
    assert_eq!(name, "versions::old-key[n=0]");
}

#[test]
fn a_second_header_or_anything_after_the_footer_is_an_error() {
    let mut twice = lines();
    twice.insert(2, twice[0].clone());
    assert!(matches!(
        read(&twice.join("\n")),
        Err(ReadError::SecondHeader { line: 3 })
    ));
    let mut after = lines();
    after.push(after[1].clone());
    let last = after.len();
    assert!(matches!(
        read(&after.join("\n")),
        Err(ReadError::AfterFooter { line }) if line == last
    ));
}

#[test]
fn a_newer_format_is_refused_by_number_whatever_its_shape() {
    let text = format!(
        "{{\"kind\":\"run\",\"format\":{},\"tool\":[]}}\n",
        FORMAT + 1
    );
    assert!(matches!(read(&text), Err(ReadError::NewerFormat { found }) if found == FORMAT + 1));
}

#[test]
fn a_bad_line_is_named() {
    let mut lines = lines();
    lines[2] = "{\"kind\":\"case\",".to_owned();
    assert!(matches!(
        read(&lines.join("\n")),
        Err(ReadError::NotJson { line: 3, .. })
    ));
    lines[2] = "{\"kind\":\"case\",\"name\":7}".to_owned();
    assert!(matches!(
        read(&lines.join("\n")),
        Err(ReadError::NotARecord { line: 3, .. })
    ));
    lines[2] = "{\"kind\":\"no such kind\"}".to_owned();
    assert!(matches!(
        read(&lines.join("\n")),
        Err(ReadError::NotARecord { line: 3, .. })
    ));
}

#[test]
fn bytes_that_are_not_utf8_are_an_error() {
    let mut bytes = WHOLE.as_bytes().to_vec();
    bytes[30] = 0xff;
    assert!(Run::read(&bytes[..]).is_err());
}

#[test]
fn a_line_is_bounded() {
    let mut lines = lines();
    lines[1] = format!(
        "{{\"kind\":\"case\",\"x\":\"{}\"}}",
        "a".repeat(MAX_LINE_BYTES)
    );
    assert!(matches!(
        read(&lines.join("\n")),
        Err(ReadError::LineTooLong { line: 2 })
    ));
    // An endless line ends the reading too, without ever being held whole.
    let endless = std::io::BufReader::new(std::io::repeat(b'a'));
    assert!(matches!(
        Run::read(endless),
        Err(ReadError::LineTooLong { line: 1 })
    ));
}

#[test]
fn the_footer_counts_what_the_tally_counts() {
    let run = read(WHOLE).unwrap();
    assert_eq!(Tally::of(&run.cases).to_counts(), run.footer.counts);
}

#[track_caller]
fn concludes(cases: &[CaseRecord], all_ran: AllRan, words: &str) {
    assert_eq!(Conclusion::of(cases, all_ran).words(), words);
}

#[test]
fn conclusions() {
    let pass = || case("must", Verdict::Pass);
    concludes(&[], AllRan::Yes, "no verdict");
    concludes(&[case("must", Verdict::Error)], AllRan::Yes, "no verdict");
    concludes(
        &[case("must", Verdict::Unsupported)],
        AllRan::Yes,
        "no verdict",
    );
    concludes(&[pass()], AllRan::Yes, "conformant");
    concludes(&[pass()], AllRan::No, "partial");
    concludes(
        &[pass(), case("must", Verdict::Blocked)],
        AllRan::Yes,
        "partial",
    );
    concludes(
        &[pass(), case("should", Verdict::Unsupported)],
        AllRan::Yes,
        "conformant",
    );
    concludes(
        &[pass(), case("should", Verdict::Fail)],
        AllRan::Yes,
        "conformant",
    );
    let deviates = case("must", Verdict::Deviates);
    concludes(
        &[pass(), deviates.clone()],
        AllRan::Yes,
        "conformant with deviations",
    );
    let strict = CaseRecord {
        counts: true,
        ..deviates
    };
    concludes(&[pass(), strict], AllRan::Yes, "not conformant");
    concludes(
        &[pass(), case("must", Verdict::Fail)],
        AllRan::Yes,
        "not conformant",
    );
    concludes(
        &[pass(), case("may", Verdict::Leak)],
        AllRan::No,
        "not conformant",
    );
    let reason = Some("silent-downgrade".to_owned());
    let downgrade = CaseRecord {
        reason,
        ..case("may", Verdict::Fail)
    };
    concludes(&[pass(), downgrade], AllRan::Yes, "not conformant");
}
