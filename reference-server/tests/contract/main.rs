//! The contract's section 2 over the wire, row by row and in both dialects: what a request is
//! answered, that a refusal changes nothing and tells nothing, and who reads what was stored.
//!
//! Every row is there, also those whose answer is a choice; `ANSWERS.md` lists them all. The rows
//! were typed from the contract, not from what the server says.

#![expect(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "the modules of a test: what fails here fails the test"
)]

#[path = "../client/mod.rs"]
mod client;
mod copies;
mod document;
mod ground;
mod order;
mod others;
mod reads;
mod table;
mod uploads;
mod words;
mod writes;

use ground::Ground;
use reference_server::ssec::dialect::Dialect;
use table::{Evidence, Row};

/// The sections with their rows, as the contract has them.
const SECTIONS: [(&str, &[Row]); 9] = [
    ("2.1 PutObject", writes::ROWS),
    ("2.2 GetObject", reads::GETS),
    ("2.3 HeadObject", reads::HEADS),
    ("2.4 DeleteObject and friends", others::DELETIONS),
    ("2.5 CopyObject", copies::ROWS),
    ("2.6 Multipart", uploads::ROWS),
    ("2.7 GetObjectAttributes, Select, lists", others::REST),
    ("2.8 POST object", others::FORMS),
    ("2.9 Presigned URLs", others::PRESIGNED),
];

async fn judge(dialect: Dialect, rows: &[Row]) {
    let ground = Ground::new(dialect).await;
    let mut wrong = Vec::new();
    for row in rows {
        wrong.extend(ground.play(row).await);
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n\n"));
}

macro_rules! sections {
    ($($dialect:ident $name:ident $rows:expr;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                judge(Dialect::$dialect, $rows).await;
            }
        )*
    };
}

sections! {
    Aws aws_puts writes::ROWS;
    Aws aws_gets reads::GETS;
    Aws aws_heads reads::HEADS;
    Aws aws_deletions others::DELETIONS;
    Aws aws_copies copies::ROWS;
    Aws aws_uploads uploads::ROWS;
    Aws aws_attributes_and_lists others::REST;
    Aws aws_forms others::FORMS;
    Aws aws_presigned_urls others::PRESIGNED;
    Aws aws_order_of_faults order::ROWS;
    Ovh ovh_order_of_faults order::ROWS;
    Ovh ovh_puts writes::ROWS;
    Ovh ovh_gets reads::GETS;
    Ovh ovh_heads reads::HEADS;
    Ovh ovh_deletions others::DELETIONS;
    Ovh ovh_copies copies::ROWS;
    Ovh ovh_uploads uploads::ROWS;
    Ovh ovh_attributes_and_lists others::REST;
    Ovh ovh_forms others::FORMS;
    Ovh ovh_presigned_urls others::PRESIGNED;
}

/// Lies, and the row that each is caught by.
const CONVICTIONS: [(&str, &str); 22] = [
    ("store-plaintext", "P1"),
    ("echo-missing", "P1"),
    ("ssec-reported-as-managed", "P1"),
    ("partial-triple", "P3"),
    ("md5-optional", "P5"),
    ("empty-is-absent", "P9"),
    ("md5-not-compared", "P10"),
    ("short-key-accepted", "P13"),
    ("any-algorithm", "P21"),
    ("two-methods", "P23"),
    ("plain-http", "P27"),
    ("wrong-key-status-500", "G3"),
    ("key-ignored-on-plain", "G14"),
    ("managed-on-read-accepted", "G16"),
    ("zero-byte-any-key", "G20"),
    ("range-ignored", "G21"),
    ("conditions-ignored", "G33"),
    ("head-needs-no-key", "H2"),
    ("head-any-key", "H3"),
    ("key-demanded-on-delete", "D1"),
    ("ciphertext-length-in-list", "L1"),
    ("unsigned-headers", "U3"),
];

/// The table can fail: it catches liars, each at a row that the honest server passes.
#[tokio::test]
async fn liars_are_caught() {
    for (liar, id) in CONVICTIONS {
        let ground = Ground::lying(liar).await;
        let row = all().find(|row| row.id == id).unwrap();
        assert!(!ground.play(row).await.is_empty(), "{liar} passes {id}");
    }
}

fn all() -> impl Iterator<Item = &'static Row> {
    SECTIONS.iter().flat_map(|(_, rows)| rows.iter())
}

#[test]
fn every_row_of_the_contract_is_there_once() {
    let series = |letter: &str, last: u16| -> Vec<String> {
        (1..=last)
            .map(|number| format!("{letter}{number}"))
            .collect()
    };
    let mut expected = Vec::new();
    for (letter, last) in [
        ("P", 33),
        ("G", 35),
        ("H", 11),
        ("D", 6),
        ("C", 20),
        ("M", 27),
        ("A", 5),
        ("S", 2),
        ("L", 2),
        ("F", 5),
        ("U", 15),
    ] {
        for id in series(letter, last) {
            match id.as_str() {
                "P11" => expected.extend(["P11a".to_owned(), "P11b".to_owned()]),
                _ => expected.push(id),
            }
        }
    }
    let rows: Vec<_> = all().map(|row| row.id).collect();
    assert_eq!(rows, expected);
    for row in all() {
        assert!(!row.cases.is_empty(), "{} tries nothing", row.id);
    }
}

/// How many rows rest on what, counted in the contract. A row that changes its class, or is
/// dropped, is noticed here.
#[test]
fn no_class_of_evidence_loses_a_row() {
    let count = |of: fn(&Row) -> Evidence| {
        Evidence::ALL.map(|class| all().filter(|row| of(row) == class).count())
    };
    // OBS, SUITE, DOC, REP, DER, PEER, unknown
    assert_eq!(count(|row| row.aws), [44, 21, 21, 10, 18, 0, 48]);
    assert_eq!(count(|row| row.ovh), [0, 0, 9, 0, 0, 96, 57]);
}

#[test]
fn the_document_lists_every_row() {
    let written = document::of(&SECTIONS, order::ROWS);
    if written != include_str!("../../ANSWERS.md") {
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("ANSWERS.md");
        std::fs::write(&path, &written).unwrap();
        panic!(
            "ANSWERS.md does not list the rows as they are; if they are right, copy {} over it",
            path.display()
        );
    }
}
