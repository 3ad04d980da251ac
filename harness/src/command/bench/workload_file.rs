//! Workloads as files: the flags of `ssec bench` under the same names, in YAML.
//!
//! A file says what a workload is, the command line where it runs; a flag that the command line
//! gives too wins over the file's.

use std::ffi::OsString;
use std::path::Path;

use super::{Failure, words};
use crate::yaml::{self, Code, Diagnostics, Kind, Node, Reader, SourceFile};

/// Tells whether a value has the form that its flag wants.
type Check = fn(&str) -> Result<(), String>;

/// Every field, and the form of its value.
const FIELDS: [(&str, Check); 23] = [
    ("op", |text| words::op(text).map(drop)),
    ("mix", |text| words::mix(text).map(drop)),
    ("size", |text| words::sizes(text).map(drop)),
    ("objects", whole),
    ("access", |text| words::access(text).map(drop)),
    ("range-size", |text| words::size(text).map(drop)),
    ("part-size", |text| words::size(text).map(drop)),
    ("sse", |text| one_of(text, &["none", "c"])),
    ("arms", |text| words::arms(text).map(drop)),
    ("ssec-keys", |text| words::keys(text).map(drop)),
    ("probe-negative", |text| words::share(text).map(drop)),
    ("payload", |text| {
        one_of(text, &["unsigned", "signed", "crc64nvme"])
    }),
    ("concurrency", whole),
    ("duration", |text| words::duration(text).map(drop)),
    ("requests", whole),
    ("warmup", |text| words::duration(text).map(drop)),
    ("timeout", |text| words::duration(text).map(drop)),
    ("rate", |text| words::rate(text).map(drop)),
    ("arrivals", |text| one_of(text, &["const", "poisson"])),
    ("rate-steps", |text| words::steps(text).map(drop)),
    ("find-knee", |text| words::objectives(text).map(drop)),
    ("verify", |text| words::verify(text).map(drop)),
    ("keepalive", whole),
];

/// Flags that say the same thing in two ways.
const ALIKE: [&[&str]; 4] = [
    &["op", "mix"],
    &["sse", "arms"],
    &["rate", "rate-steps"],
    &["duration", "requests"],
];

fn whole(text: &str) -> Result<(), String> {
    let number: Option<u64> = text.parse().ok();
    number
        .map(drop)
        .ok_or_else(|| format!("{text:?} is no whole number"))
}

fn one_of(text: &str, words: &[&str]) -> Result<(), String> {
    if words.contains(&text) {
        return Ok(());
    }
    Err(format!("{text:?} is none of {}", words.join(", ")))
}

/// A command line with its workload file, if it names one, replaced by the file's flags.
///
/// # Errors
/// When the file cannot be read, or has mistakes.
pub fn expand(arguments: Vec<OsString>, directory: &Path) -> Result<Vec<OsString>, Failure> {
    let text = |argument: &OsString| argument.to_str().map(str::to_owned);
    if arguments.get(1).and_then(text).as_deref() != Some("bench") {
        return Ok(arguments);
    }
    let is_file = |argument: &OsString| {
        text(argument).is_some_and(|word| !word.starts_with('-') && word.ends_with(".yaml"))
    };
    let Some(at) = arguments.iter().skip(2).position(is_file) else {
        return Ok(arguments);
    };
    let mut rest = arguments;
    let path = rest.remove(at + 2);
    let given: Vec<String> = rest.iter().filter_map(text).collect();
    let is_given = |name: &str| {
        let flag = format!("--{name}");
        let own = given.iter().any(|word| {
            word.strip_prefix(&flag)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        });
        own || (name == "concurrency" && given.iter().any(|word| word.starts_with("-c")))
    };
    let flags = read(&directory.join(path))?;
    for (name, value) in flags {
        let alike = ALIKE.iter().find(|alike| alike.contains(&name));
        let taken = alike.map_or_else(
            || is_given(name),
            |alike| alike.iter().any(|name| is_given(name)),
        );
        if !taken {
            rest.push(OsString::from(format!("--{name}={value}")));
        }
    }
    Ok(rest)
}

/// The fields of a workload file, each with its value as the flag has it.
///
/// # Errors
/// Every mistake of the file.
pub fn read(path: &Path) -> Result<Vec<(&'static str, String)>, Diagnostics> {
    let file = SourceFile::read(path)?;
    let root = yaml::parse(&file)?;
    let mut reader = Reader::new(&file);
    let flags = decode(&root, &mut reader);
    reader.finish().into_result(flags)
}

fn decode(root: &Node, reader: &mut Reader<'_>) -> Vec<(&'static str, String)> {
    let mut flags = Vec::new();
    let Some(mut fields) = reader.fields(root, "a workload") else {
        return flags;
    };
    if let Some(node) = fields.required("workload", reader) {
        reader.text(node, "a workload's description");
    }
    for (name, check) in FIELDS {
        let Some(node) = fields.optional(name) else {
            continue;
        };
        let Some(value) = value(node, name, reader) else {
            continue;
        };
        if reader.or_note(check(&value), node).is_some() {
            flags.push((name, value));
        }
    }
    if !flags.iter().any(|(name, _)| matches!(*name, "op" | "mix")) {
        let error = reader.error(
            Code::MissingField,
            fields.caret(),
            "a workload needs the field `op` or `mix`",
        );
        reader.push(error);
    }
    fields.finish(reader);
    flags
}

/// A value as its flag has it: lists are joined by commas, mappings by `=` and commas.
fn value(node: &Node, what: &str, reader: &mut Reader<'_>) -> Option<String> {
    match &node.kind {
        Kind::Scalar(_) => reader.word(node, what).map(str::to_owned),
        Kind::Sequence(items) => {
            let words: Option<Vec<&str>> =
                items.iter().map(|item| reader.word(item, what)).collect();
            Some(words?.join(","))
        }
        Kind::Mapping(pairs) => {
            let words: Option<Vec<String>> = pairs
                .iter()
                .map(|pair| {
                    let word = reader.word(&pair.value, what)?;
                    Some(format!("{}={word}", pair.key.text))
                })
                .collect();
            Some(words?.join(","))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(file: &str, arguments: &[&str]) -> Result<Vec<String>, String> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("w.yaml"), file).unwrap();
        let arguments = arguments.iter().map(OsString::from).collect();
        let expanded = expand(arguments, directory.path()).map_err(|error| error.message)?;
        Ok(expanded
            .into_iter()
            .map(|word| word.into_string().unwrap())
            .collect())
    }

    const FILE: &str = "workload: reads\nmix: {get: 3, put: 1}\nsize: 4 KiB\narms: [plain, ssec]\n";

    #[test]
    fn a_file_is_flags_and_the_command_line_wins() {
        let flags = expanded(FILE, &["ssec", "bench", "w.yaml", "--size", "1KiB"]).unwrap();
        let expected = [
            "ssec",
            "bench",
            "--size",
            "1KiB",
            "--mix=get=3,put=1",
            "--arms=plain,ssec",
        ];
        assert_eq!(flags, expected);
        let flags = expanded(FILE, &["ssec", "bench", "w.yaml", "--op=get", "--sse=c"]).unwrap();
        assert_eq!(
            flags,
            ["ssec", "bench", "--op=get", "--sse=c", "--size=4 KiB"]
        );
        let flags = expanded(FILE, &["ssec", "check", "w.yaml"]).unwrap();
        assert_eq!(flags, ["ssec", "check", "w.yaml"]);
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let file = "workload: x\nop: fetch\nsise: 4 KiB\nobjects: many\n";
        let error = expanded(file, &["ssec", "bench", "w.yaml"]).unwrap_err();
        for says in [
            "is no operation",
            "did you mean `size`?",
            "is no whole number",
            "w.yaml:2:",
        ] {
            assert!(error.contains(says), "{says}: {error}");
        }
        let none = expanded("workload: x\n", &["ssec", "bench", "w.yaml"]).unwrap_err();
        assert!(none.contains("`op` or `mix`"), "{none}");
    }

    #[test]
    fn the_workloads_of_the_repository_have_no_mistake() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/bench");
        let mut found = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            read(&path).unwrap_or_else(|error| panic!("{error}"));
            found += 1;
        }
        assert!(found > 0);
    }
}
