//! The table as `ANSWERS.md` has it.

use std::fmt::Write as _;

use super::table::{Answer, Case, Evidence, Row};
use super::words::CATALOGUE;

const HEAD: &str = "# Answers

What this server answers, row by row of the contract that it was built from, in both dialects. The tests in `tests/contract`
hold the rows and play each over the wire; this file is written from them, and a test compares it.

A row rests on: **OBS** recorded from the service; **SUITE** asserted by a public suite that was written to be run against it;
**DOC** documented by the provider; **REP** reported once by a named third party; **DER** derived from what was recorded or
reported; **PEER** read in the source of the software behind the service. **choice**: nobody knows, or nobody has said; then
dialect `aws` gives the strictest answer that tells nothing, and dialect `ovh` follows its own rules or those of `aws`.

A † marks rows where the service of 2022 went on and dialect `ovh` refuses: it stored in clear, took the key of one object for
another's, mixed keys in one object, or took keys over a transport that is not TLS. A ‡ marks rows where S3 is reported to go
on and dialect `aws` refuses: a customer key does not belong into a URL, which ends up in logs.

MD5-MISMATCH adds what arrived where the MD5 is not 16 bytes in base64 (a choice). A refusal changes nothing: what lists show of the bucket is compared before and after it.

## Refusals

| name | status | Code | Message |
|---|---|---|---|
";

/// The whole document.
pub fn of(sections: &[(&str, &[Row])], order: &[Row]) -> String {
    let mut out = HEAD.to_owned();
    for answer in CATALOGUE {
        if let Answer::Refused(refused) = answer {
            let (name, status, code) = (refused.name, refused.status, refused.code);
            let message = refused.message;
            writeln!(out, "| {name} | {status} | {code} | `{message}` |").unwrap();
        }
    }
    let faults = ("4 Which of several faults is answered", order);
    for (title, rows) in sections.iter().chain([&faults]) {
        write!(
            out,
            "\n## {title}\n\n| row | condition | `aws` rests on | `aws` answers | `ovh` rests on | \
             `ovh` answers |\n|---|---|---|---|---|---|\n"
        )
        .unwrap();
        for row in *rows {
            let mark = match (row.departs, row.stricter) {
                (false, false) => "",
                (true, false) => " †",
                (false, true) => " ‡",
                (true, true) => " † ‡",
            };
            writeln!(
                out,
                "| {}{mark} | {} | {} | {} | {} | {} |",
                row.id,
                row.condition,
                row.aws.name(),
                answers(row.cases, |case| case.aws),
                row.ovh.name(),
                answers(row.cases, |case| case.ovh),
            )
            .unwrap();
        }
    }
    counts(&mut out, sections);
    out
}

/// The different answers of the cases of a row.
fn answers(cases: &[Case], of: fn(&Case) -> Answer) -> String {
    let mut names = Vec::new();
    for case in cases {
        let name = match of(case) {
            Answer::Served { status, .. } => status.to_string(),
            Answer::Refused(refused) => refused.name.to_owned(),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join("; ")
}

fn counts(out: &mut String, sections: &[(&str, &[Row])]) {
    out.push_str("\n## Rows of section 2 per class\n\n| class | `aws` | `ovh` |\n|---|---|---|\n");
    let rows = || sections.iter().flat_map(|(_, rows)| rows.iter());
    for class in Evidence::ALL {
        let aws = rows().filter(|row| row.aws == class).count();
        let ovh = rows().filter(|row| row.ovh == class).count();
        writeln!(out, "| {} | {aws} | {ovh} |", class.name()).unwrap();
    }
}
