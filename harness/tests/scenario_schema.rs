//! `scenarios/scenario.schema.json` is made of what the reader of scenarios itself knows, and agrees
//! with it: each suite of the catalogue passes both, unknown fields and words and two operations in a
//! step pass neither, and the bad files that the schema alone lets pass are named here.
//!
//! `SSEC_BLESS=1 cargo test -p harness --test scenario_schema` writes the file anew.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

mod catalogue_folder;
#[path = "scenario_schema/form.rs"]
mod form;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use harness::environment::Environment;
use harness::scenario::catalog::Catalog;
use harness::scenario::definition::{CHECKSUMS, OPERATIONS, PAYLOADS, STYLES};
use harness::yaml::{self, Kind, Node, SourceFile, Style};
use serde_json::{Map, Value, json};

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn committed() -> PathBuf {
    tests().join("../../scenarios/scenario.schema.json")
}

/// The words that the reader names as known when it meets `zzqq` in a suite of this text.
fn known(suite: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    catalogue_folder::lay_out(&tests().join("bad/around"), folder.path());
    fs::write(folder.path().join("suites/asked.yaml"), suite).unwrap();
    let mistakes = Catalog::read(folder.path()).expect_err("zzqq is unknown");
    let text = mistakes.to_string();
    let (_, list) = text
        .split_once("known here: ")
        .unwrap_or_else(|| panic!("{text}"));
    let list = list.lines().next().unwrap();
    list.split(", ").map(str::to_owned).collect()
}

/// A suite of one case with these further fields and this one step.
fn case(fields: &str, step: &str) -> String {
    format!(
        "suite: asked\nkeys: [alice]\nbodies: {{small: {{size: 1 KiB}}}}\ncases:\n  - id: one\n    \
         title: One\n    level: must\n    source: [{{contract: P1}}]\n    needs: [sse-c]\n{fields}    \
         steps:\n      - {step}\n"
    )
}

/// The fields of a step's part.
fn of_step(step: &str) -> Vec<String> {
    known(&case("", step))
}

fn closed(fields: &[String], required: &[&str], mut properties: Map<String, Value>) -> Value {
    for field in fields {
        properties.entry(field.clone()).or_insert(json!({}));
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// A word of a closed list, or something with `$` that a cell of the matrix fills in.
fn word(words: &[String]) -> Value {
    json!({"anyOf": [{"enum": words}, {"type": "string", "pattern": "\\$"}]})
}

fn step() -> Value {
    let operations: Vec<&str> = OPERATIONS.iter().map(|verb| verb.word).collect();
    let operations: Vec<&str> = operations.into_iter().chain(["upload-parts"]).collect();
    let mut fields = of_step("{get: doc, zzqq: x, expect: ok}");
    fields.extend(["do", "upload-parts"].map(str::to_owned));
    let fields: BTreeSet<String> = fields.into_iter().collect();
    let fields: Vec<String> = fields.into_iter().collect();
    let checksums = CHECKSUMS.map(|(word, _)| word.to_owned());
    let properties = json!({
        "ssec": {"$ref": "#/$defs/triple"},
        "source-ssec": {"$ref": "#/$defs/triple"},
        "presign": {"$ref": "#/$defs/presign"},
        "form": {"$ref": "#/$defs/form"},
        "preflight": {"$ref": "#/$defs/preflight"},
        "put-cors": one_or_list("rule-of-cors"),
        "put-policy": one_or_list("denial"),
        "expect": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/expectation"}]},
        "checksum": word(&checksums),
        "content-md5": word(&["right", "wrong"].map(str::to_owned)),
        "scheme": word(&["http".to_owned()]),
        "style": word(&STYLES.map(|(word, _)| word.to_owned())),
        "payload": word(&PAYLOADS.map(|(word, _)| word.to_owned())),
    });
    let one = |word: &&str| json!({"required": [word]});
    let each: Vec<Value> = operations.iter().map(one).collect();
    let mut step = closed(&fields, &[], object(&properties));
    step["patternProperties"] = json!({"^\\$": {}});
    let none = json!({"not": {"anyOf": each}});
    step["oneOf"] = each.into_iter().chain([none]).collect();
    step
}

/// One of these, or a list of them.
fn one_or_list(name: &str) -> Value {
    let one = json!({"$ref": format!("#/$defs/{name}")});
    json!({"anyOf": [one, {"type": "array", "items": one}]})
}

/// What steps say of forms, of pages of another origin and of policies, by name.
fn of_forms_and_pages() -> Vec<(&'static str, Value)> {
    let asked = |needs: &str, step: &str| {
        known(&case("", step).replace("[sse-c]", &format!("[sse-c, {needs}]")))
    };
    let form = asked(
        "post-form",
        "{post-form: doc, body: small, form: {zzqq: x}, expect: ok}",
    );
    let fault = asked(
        "post-form",
        "{post-form: doc, body: small, form: {fault: zzqq}, expect: ok}",
    );
    let page = asked(
        "cors",
        "{options: doc, preflight: {origin: o, method: put, zzqq: x}, expect: ok}",
    );
    let method = asked(
        "cors",
        "{options: doc, preflight: {origin: o, method: zzqq}, expect: ok}",
    );
    let rule = asked(
        "cors, own-bucket",
        "{put-cors: {origins: o, methods: put, zzqq: x}, expect: ok}",
    );
    let denial = asked(
        "bucket-policy, own-bucket",
        "{put-policy: {deny: s3:PutObject, zzqq: x}, expect: ok}",
    );
    let one_method = word(&method);
    let methods = json!({"anyOf": [one_method, {"type": "array", "items": one_method}]});
    vec![
        (
            "form",
            closed(&form, &[], object(&json!({"fault": word(&fault)}))),
        ),
        (
            "preflight",
            closed(
                &page,
                &["origin", "method"],
                object(&json!({"method": one_method})),
            ),
        ),
        (
            "rule-of-cors",
            closed(
                &rule,
                &["origins", "methods"],
                object(&json!({"methods": methods})),
            ),
        ),
        ("denial", closed(&denial, &["deny"], Map::new())),
    ]
}

fn triple() -> Value {
    let fields = of_step("{get: doc, ssec: {key: alice, zzqq: x}, expect: ok}");
    let headers = of_step("{get: doc, ssec: {key: alice, drop: [zzqq]}, expect: ok}");
    let mut mutations =
        of_step("{get: doc, ssec: {key: alice, mutate: {key-md5: zzqq}}, expect: ok}");
    mutations.retain(|word| !word.starts_with("len-"));
    let mutation =
        json!({"anyOf": [word(&mutations), {"type": "string", "pattern": "^len-[0-9]+$"}]});
    let spoilt = |of: Value| {
        let each = headers.iter().map(|name| (name.clone(), of.clone()));
        let mut spoilt = closed(&[], &[], each.collect());
        spoilt["patternProperties"] = json!({"^\\$": {}});
        spoilt
    };
    let properties = json!({
        "drop": {"type": "array", "items": word(&headers)},
        "mutate": spoilt(mutation),
        "raw": spoilt(json!({})),
    });
    let whole = closed(&fields, &["key"], object(&properties));
    json!({"anyOf": [{"type": "string"}, whole]})
}

fn case_form(level: &Value, need: &Value) -> Value {
    let steps = || json!({"type": "array", "items": {"$ref": "#/$defs/step"}});
    json!({
        "id": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]*$"},
        "title": {"type": "string"},
        "level": level,
        "source": {"type": "array", "items": {"$ref": "#/$defs/source"}, "minItems": 1},
        "needs": {"type": "array", "items": need},
        "tags": {"type": "array", "items": {"type": "string"}},
        "matrix": {"type": "object"},
        "cells": {"type": "array", "items": {"$ref": "#/$defs/rule"}},
        "given": steps(),
        "steps": steps(),
        "diagnose": steps(),
        "style": word(&STYLES.map(|(word, _)| word.to_owned())),
        "payload": word(&PAYLOADS.map(|(word, _)| word.to_owned())),
    })
}

fn schema() -> Value {
    let level = word(&known(
        &case("", "{get: doc, expect: ok}").replace("must", "zzqq"),
    ));
    let need = word(&known(
        &case("", "{get: doc, expect: ok}").replace("sse-c", "zzqq"),
    ));
    let file =
        known(&case("", "{get: doc, expect: ok}").replace("suite: asked", "suite: asked\nzzqq: x"));
    let of_case = known(&case("    zzqq: x\n", "{get: doc, expect: ok}"));
    let source =
        known(&case("", "{get: doc, expect: ok}").replace("contract: P1", "contract: P1, zzqq: x"));
    let body =
        known(&case("", "{get: doc, expect: ok}").replace("size: 1 KiB", "size: 1 KiB, zzqq: x"));
    let key = known(&case("", "{get: doc, expect: ok}").replace("[alice]", "{alice: {zzqq: x}}"));
    let rule = known(&case(
        "    matrix: {a: [b]}\n    cells: [{if: {a: [b]}, skip: true, why: x, zzqq: x}]\n",
        "{get: $a, expect: ok}",
    ));
    let presign = of_step("{get: doc, presign: {sign: [], zzqq: x}, expect: ok}");
    let expectation = of_step("{get: doc, expect: {outcome: ok, zzqq: x}}");
    let entry =
        of_step("{list-versions: \"\", expect: {outcome: ok, entries: [{name: a, zzqq: x}]}}");
    let case = case_form(&level, &need);
    let keys = json!({"anyOf": [
        {"type": "array", "items": {"type": "string"}},
        {"type": "object", "additionalProperties": {"$ref": "#/$defs/key"}},
    ]});
    let root = json!({
        "keys": keys,
        "bodies": {"type": "object", "additionalProperties": {"$ref": "#/$defs/body"}},
        "cases": {"type": "array", "items": {"$ref": "#/$defs/case"}},
    });
    let list = json!({"anyOf": [
        {"type": "array", "items": {"$ref": "#/$defs/entry"}},
        {"type": "object", "additionalProperties": {"$ref": "#/$defs/entry"}},
    ]});
    let mut whole = closed(&file, &["suite", "cases"], object(&root));
    whole["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    whole["title"] = json!("A suite of scenarios of ssec");
    whole["$defs"] = json!({
        "case": closed(&of_case, &["id", "title", "level", "source", "steps"], object(&case)),
        "step": step(),
        "triple": triple(),
        "presign": closed(&presign, &["sign"], Map::new()),
        "expectation": closed(&expectation, &["outcome"], object(&json!({"entries": list}))),
        "entry": closed(&entry, &[], Map::new()),
        "source": closed(&source, &[], Map::new()),
        "body": closed(&body, &["size"], Map::new()),
        "key": closed(&key, &[], Map::new()),
        "rule": closed(&rule, &["if", "why"], object(&json!({"level": level}))),
    });
    for (name, of) in of_forms_and_pages() {
        whole["$defs"][name] = of;
    }
    whole
}

/// A tree as JSON: unquoted numbers and truth values become what other readers take them for.
fn to_json(node: &Node) -> Value {
    match &node.kind {
        Kind::Scalar(scalar) if scalar.style == Style::Plain => {
            serde_json::from_str(&scalar.text).unwrap_or_else(|_| json!(scalar.text))
        }
        Kind::Scalar(scalar) => json!(scalar.text),
        Kind::Sequence(items) => items.iter().map(to_json).collect(),
        Kind::Mapping(pairs) => {
            let pairs = pairs
                .iter()
                .map(|pair| (pair.key.text.clone(), to_json(&pair.value)));
            Value::Object(pairs.collect())
        }
    }
}

/// The tree of a suite; `None` where it is no YAML that the reader takes.
fn tree(path: &Path) -> Option<Value> {
    let file = Arc::new(SourceFile {
        path: path.display().to_string(),
        name: path.display().to_string(),
        text: fs::read_to_string(path).unwrap(),
    });
    yaml::parse(&file).ok().map(|root| to_json(&root))
}

fn suites(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries
        .filter(|path| path.extension().unwrap() == "yaml")
        .collect();
    files.sort();
    files
}

#[test]
fn the_committed_schema_is_what_the_reader_knows() {
    let made = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    if Environment::of_process().get("SSEC_BLESS").is_some() {
        fs::write(committed(), &made).unwrap();
    }
    let kept = fs::read_to_string(committed()).unwrap();
    assert!(kept == made, "bless again, see the top of this file");
}

#[test]
fn every_suite_of_the_catalogue_has_the_form() {
    let schema: Value = serde_json::from_str(&fs::read_to_string(committed()).unwrap()).unwrap();
    let files = suites(&tests().join("../../scenarios/suites"));
    assert!(files.len() > 20);
    for file in files {
        let found = form::check(&schema, &schema, &tree(&file).unwrap(), "");
        assert!(found.is_ok(), "{}: {found:?}", file.display());
    }
}

/// Bad suites that the schema lets pass: names, values with a form of their own, doubled things, what
/// one operation has and another has not, what does not fit together. The reader refuses them all.
const NOT_OF_FORM: &[&str] = &[
    "bad-range",
    "bad-size",
    "batch-without-list",
    "body-of-a-refusal",
    "capture-before-save",
    "capture-inside-text",
    "cell-graded-twice",
    "cells-with-same-requests",
    "checksum-not-needed",
    "checksum-of-two-kinds",
    "chunks-without-a-body",
    "copied-key-not-needed",
    "copy-without-destination",
    "diagnose-that-expects",
    "echo-of-a-completion",
    "entry-without-name",
    "eventually-of-a-refusal",
    "eventually-of-a-write",
    "eventually-too-long",
    "field-of-another-operation",
    "field-of-the-form-itself",
    "field-set-twice",
    "form-of-a-put",
    "form-that-is-presigned",
    "form-without-body",
    "id-twice",
    "label-with-capitals",
    "labels-in-do",
    "list-uploads-not-needed",
    "managed-not-needed",
    "matrix-too-large",
    "mutation-of-wrong-header",
    "need-not-named",
    "no-expectation",
    "number-as-text",
    "one-off-without-evidence",
    "options-without-preflight",
    "own-bucket-not-needed",
    "part-number-above-limit",
    "part-number-not-needed",
    "part-number-zero",
    "part-without-number",
    "part-without-upload",
    "parts-with-a-body",
    "parts-without-bodies",
    "parts-without-parts",
    "payload-of-a-presigned",
    "piece-without-range",
    "policy-of-no-action",
    "presign-and-sign",
    "put-without-body",
    "range-of-lengths",
    "raw-newline",
    "refusal-without-control",
    "source-key-without-copy",
    "spoilt-twice",
    "style-not-needed",
    "tags-without-tags",
    "title-too-long",
    "title-with-should",
    "truth-value-as-text",
    "unknown-axis-in-cells",
    "unknown-axis-in-do",
    "unknown-body",
    "unknown-dialect",
    "unknown-key",
    "unknown-label-in-cells",
    "unknown-outcome",
    "unknown-setting",
    "unset-name",
    "unused-axis",
    "unused-body",
    "unused-key",
    "version-in-a-list-of-objects",
    "version-of-a-write",
    "word-of-a-question",
];

#[test]
fn bad_suites_are_refused_by_the_schema_where_their_form_is_bad() {
    let schema: Value = serde_json::from_str(&fs::read_to_string(committed()).unwrap()).unwrap();
    let passing: Vec<String> = suites(&tests().join("bad/suites"))
        .iter()
        .filter(|file| {
            tree(file).is_some_and(|tree| form::check(&schema, &schema, &tree, "").is_ok())
        })
        .map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(passing, NOT_OF_FORM);
}
