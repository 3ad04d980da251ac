//! The trials whose steps are code, because they need files, a log or concurrency: their names,
//! levels, sources, keys and bodies, and what they do in words. The code itself is in
//! `conformance::routine`.

use std::collections::{BTreeMap, BTreeSet};

use super::canonical::sha256;
use super::definition::Level::{self, May, Must, Should};
use super::definition::{
    Ambient, BodySpec, Capability, KeySpec, Location, Routine, Source, Tampering, Trial, Writing,
};

/// Where this file stands, as places in it are told.
const FILE: &str = "harness/src/scenario/routines.rs";
/// Changes with what the routines send or expect.
const EDITION: u32 = 1;
/// Bodies of routines have seeds of their own, so that what is found at rest tells whose it is.
const FIRST_SEED: u64 = 0x5ec0_0000;

/// Bytes of a body that a store may keep beside its metadata.
const SMALL: u64 = 3000;
/// Bytes of a body that lies by itself; prime, so that no other trial's has nearly this length.
const LARGE: u64 = 1_600_033;
/// Bytes of the smallest part but the last.
const PART: u64 = 5 * 1024 * 1024;

/// One routine as it is declared.
struct Declared {
    case: &'static str,
    cell: Option<(&'static str, &'static str)>,
    level: Level,
    title: &'static str,
    says: &'static [&'static str],
    routine: Routine,
    /// Bytes. What must be one file of its own stays below 1 MiB: Garage cuts there.
    bodies: &'static [u64],
    line: u32,
}

const SECRET_KEY: &str = "the key is not stored; a salted HMAC of it is";
const ENCRYPTED: &str = "data is encrypted as it is written to the disks";

const fn sources(routine: Routine) -> &'static [(&'static str, &'static str)] {
    match routine {
        Routine::PlaintextAtRest(_) => &[
            ("aws-ug/ServerSideEncryptionCustomerKeys", ENCRYPTED),
            ("contract", "at-rest"),
        ],
        Routine::KeyAtRest | Routine::KeyMd5AtRest => &[
            ("aws-ug/specifying-s3-c-encryption", SECRET_KEY),
            ("contract", "at-rest"),
        ],
        Routine::DigestAtRest => &[(
            "aws-api/Object",
            "the ETag of an SSE-C object is not the MD5 of its data",
        )],
        Routine::TwiceAtRest => &[("defect", "M-nonce-reuse")],
        Routine::Tampering(_) => &[("defect", "M-no-integrity"), ("contract", "tamper")],
        Routine::Isolation => &[("contract", "key-isolation-concurrent")],
        Routine::KeyInLog => &[("defect", "M-log-key"), ("contract", "log-redaction")],
    }
}

/// Suite, and what the target must let us see.
const fn place(routine: Routine) -> (&'static str, &'static [Capability]) {
    use Capability::{Copy, CopySsec, DataDir, Multipart, ServerLog, SseC};
    match routine {
        Routine::PlaintextAtRest(Writing::Parts) => ("at-rest", &[SseC, Multipart, DataDir]),
        Routine::PlaintextAtRest(Writing::Copy) => ("at-rest", &[SseC, Copy, CopySsec, DataDir]),
        Routine::PlaintextAtRest(Writing::Small | Writing::Large)
        | Routine::KeyAtRest
        | Routine::KeyMd5AtRest
        | Routine::DigestAtRest
        | Routine::TwiceAtRest => ("at-rest", &[SseC, DataDir]),
        Routine::Tampering(_) => ("tamper", &[SseC, DataDir]),
        Routine::Isolation => ("isolation", &[SseC]),
        Routine::KeyInLog => ("log", &[SseC, ServerLog]),
    }
}

const SCANNED: &str = "every file of the data directory that may have changed is searched";

const ALL: &[Declared] = &[
    Declared {
        line: line!(),
        case: "plaintext",
        cell: Some(("write", "small")),
        level: Must,
        title: "What was written with a key is not at rest in clear",
        routine: Routine::PlaintextAtRest(Writing::Small),
        bodies: &[SMALL],
        says: &["PUT of 3,000 bytes with a key", SCANNED],
    },
    Declared {
        line: line!(),
        case: "plaintext",
        cell: Some(("write", "large")),
        level: Must,
        title: "What was written with a key is not at rest in clear",
        routine: Routine::PlaintextAtRest(Writing::Large),
        bodies: &[LARGE],
        says: &["PUT of 1,600,033 bytes with a key", SCANNED],
    },
    Declared {
        line: line!(),
        case: "plaintext",
        cell: Some(("write", "parts")),
        level: Must,
        title: "What was written with a key is not at rest in clear",
        routine: Routine::PlaintextAtRest(Writing::Parts),
        bodies: &[PART, SMALL],
        says: &["an upload of two parts with a key, completed", SCANNED],
    },
    Declared {
        line: line!(),
        case: "plaintext",
        cell: Some(("write", "copy")),
        level: Must,
        title: "What was written with a key is not at rest in clear",
        routine: Routine::PlaintextAtRest(Writing::Copy),
        bodies: &[70_001],
        says: &["PUT with one key, and a copy of it under another", SCANNED],
    },
    Declared {
        line: line!(),
        case: "key",
        cell: None,
        level: Must,
        title: "No customer key is at rest in any encoding",
        routine: Routine::KeyAtRest,
        bodies: &[70_001],
        says: &[
            "PUT, GET and HEAD with the key, a PUT with a wrong key MD5, a GET with another key",
            SCANNED,
        ],
    },
    Declared {
        line: line!(),
        case: "key-md5",
        cell: None,
        level: May,
        title: "No MD5 of a customer key is at rest",
        routine: Routine::KeyMd5AtRest,
        bodies: &[SMALL],
        says: &["PUT and GET with the key", SCANNED],
    },
    Declared {
        line: line!(),
        case: "digest",
        cell: None,
        level: Should,
        title: "No digest of the plaintext is at rest, so that a guess cannot be confirmed",
        routine: Routine::DigestAtRest,
        bodies: &[70_001],
        says: &[
            "PUT with a key",
            "searched for MD5, SHA-1 and SHA-256, raw, in hex and in base64",
            SCANNED,
        ],
    },
    Declared {
        line: line!(),
        case: "twice",
        cell: None,
        level: Should,
        title: "The same body twice under one key leaves no equal bytes",
        routine: Routine::TwiceAtRest,
        bodies: &[900_007],
        says: &[
            "PUT of one body as two objects with the same key",
            "the two new files are compared",
        ],
    },
    Declared {
        line: line!(),
        case: "read",
        cell: Some(("what", "flip")),
        level: Should,
        title: "Changed bytes at rest are never served as the object",
        routine: Routine::Tampering(Tampering::Flip),
        bodies: &[700_009],
        says: &[
            "PUT with a key",
            "one bit of the new file is flipped, read with the key, and restored; twelve times",
        ],
    },
    Declared {
        line: line!(),
        case: "read",
        cell: Some(("what", "swap")),
        level: Should,
        title: "Changed bytes at rest are never served as the object",
        routine: Routine::Tampering(Tampering::Swap),
        bodies: &[800_011],
        says: &[
            "PUT with a key",
            "two stretches of the new file change places; three times",
        ],
    },
    Declared {
        line: line!(),
        case: "read",
        cell: Some(("what", "cut")),
        level: Should,
        title: "Changed bytes at rest are never served as the object",
        routine: Routine::Tampering(Tampering::Cut),
        bodies: &[850_021],
        says: &[
            "PUT with a key",
            "the new file is cut, emptied and lengthened",
        ],
    },
    Declared {
        line: line!(),
        case: "read",
        cell: Some(("what", "exchange")),
        level: Should,
        title: "Changed bytes at rest are never served as the object",
        routine: Routine::Tampering(Tampering::Exchange),
        bodies: &[950_017, 950_017],
        says: &[
            "PUT of two bodies of one length with the same key",
            "their new files change places",
        ],
    },
    Declared {
        line: line!(),
        case: "concurrent",
        cell: None,
        level: Must,
        title: "Requests at once on kept connections are answered each by its own key",
        routine: Routine::Isolation,
        bodies: &[262_139, 262_139, 262_139, 262_139],
        says: &[
            "PUT of four objects with a key each",
            "four connections, kept open, read the same object at once: two with its key, one with another, one without; sixteen times",
        ],
    },
    Declared {
        line: line!(),
        case: "key",
        cell: None,
        level: Must,
        title: "No customer key is in the server's log",
        routine: Routine::KeyInLog,
        bodies: &[SMALL],
        says: &[
            "PUT and GET with the key; refused requests: a wrong key MD5, another key, a forged signature, a header unsigned",
            "what the log gained is searched",
        ],
    },
];

/// All of them, in the order in which they are listed.
#[must_use]
pub fn trials() -> Vec<Trial> {
    let mut next_seed = FIRST_SEED;
    ALL.iter()
        .map(|declared| trial(declared, &mut next_seed))
        .collect()
}

/// What a routine does, one line a step.
#[must_use]
pub fn says(routine: Routine) -> &'static [&'static str] {
    let declared = ALL.iter().find(|declared| declared.routine == routine);
    declared.map_or(&[], |declared| declared.says)
}

/// About how many requests it sends, its removals included.
#[must_use]
pub const fn requests(routine: Routine) -> u64 {
    match routine {
        Routine::PlaintextAtRest(Writing::Small | Writing::Large)
        | Routine::DigestAtRest
        | Routine::KeyMd5AtRest => 3,
        Routine::PlaintextAtRest(Writing::Copy) | Routine::TwiceAtRest => 4,
        Routine::PlaintextAtRest(Writing::Parts) | Routine::KeyAtRest => 6,
        Routine::Tampering(Tampering::Flip) => 15,
        Routine::Tampering(Tampering::Swap | Tampering::Cut | Tampering::Exchange) => 8,
        Routine::Isolation => 72,
        Routine::KeyInLog => 7,
    }
}

/// Names of the keys that routines draw.
pub const KEYS: [&str; 4] = ["alice", "bob", "carol", "mallory"];

fn trial(declared: &Declared, next_seed: &mut u64) -> Trial {
    let (suite, needs) = place(declared.routine);
    let cells: Vec<(String, String)> = declared
        .cell
        .iter()
        .map(|(axis, label)| ((*axis).to_owned(), (*label).to_owned()))
        .collect();
    let cell = declared
        .cell
        .map(|(axis, label)| format!("[{axis}={label}]"));
    let name = format!("{suite}::{}{}", declared.case, cell.unwrap_or_default());
    let bodies: BTreeMap<String, BodySpec> = (1..)
        .zip(declared.bodies)
        .map(|(number, size)| {
            *next_seed += 1;
            let (size, seed) = (*size, *next_seed);
            (format!("b{number}"), BodySpec { size, seed })
        })
        .collect();
    Trial {
        digest: sha256(format!("routine {name} {EDITION} {bodies:?}").as_bytes()),
        suite: suite.to_owned(),
        case_id: declared.case.to_owned(),
        cells,
        title: declared.title.to_owned(),
        level: declared.level,
        sources: sources(declared.routine).iter().map(source).collect(),
        needs: needs.iter().copied().collect::<BTreeSet<_>>(),
        tags: vec!["routine".to_owned()],
        keys: KEYS
            .map(|name| (name.to_owned(), KeySpec::default()))
            .into(),
        bodies,
        given: Vec::new(),
        steps: Vec::new(),
        diagnose: Vec::new(),
        routine: Some(declared.routine),
        ambient: Ambient::default(),
        at: Location {
            file: FILE.to_owned(),
            line: declared.line,
            column: 1,
        },
        name,
    }
}

fn source((page, says): &(&str, &str)) -> Source {
    match *page {
        "contract" => Source::Contract((*says).to_owned()),
        "defect" => Source::Suite(format!("mutants of real defects, {says}")),
        page => Source::Doc {
            page: page.to_owned(),
            says: Some((*says).to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_bodies_are_unique() {
        let trials = trials();
        let names: BTreeSet<&str> = trials.iter().map(|trial| trial.name.as_str()).collect();
        assert_eq!(names.len(), trials.len());
        let bodies = trials.iter().flat_map(|trial| trial.bodies.values());
        let seeds: Vec<u64> = bodies.map(|spec| spec.seed).collect();
        assert_eq!(seeds.iter().collect::<BTreeSet<_>>().len(), seeds.len());
        assert!(trials.iter().all(|trial| !trial.sources.is_empty()));
    }

    /// A file of its own is known by its length, also while other trials write theirs.
    #[test]
    fn bodies_that_are_looked_for_by_length_have_no_lookalike() {
        let own: Vec<u64> = ALL
            .iter()
            .filter(|d| matches!(d.routine, Routine::Tampering(_) | Routine::TwiceAtRest))
            .map(|declared| declared.bodies[0])
            .collect();
        for (index, one) in own.iter().enumerate() {
            for other in &own[index + 1..] {
                assert!(one.abs_diff(*other) > one / 20, "{one} {other}");
            }
        }
    }

    #[test]
    fn every_routine_says_what_it_does_and_where_it_stands() {
        for trial in trials() {
            let routine = trial.routine.unwrap();
            assert!(says(routine).len() >= 2, "{}", trial.name);
            assert!(requests(routine) > 1, "{}", trial.name);
            assert!(
                trial.at.line > 1 && trial.title.len() <= 90,
                "{}",
                trial.name
            );
        }
    }
}
