//! The one form of each kind of file: the order of its fields, and what stands on one line.
//!
//! Mappings whose names the author chose, such as keys, bodies, axes and answers, keep their order:
//! that of axes and labels is the order of the trials.

use crate::yaml::format::{Lines, OTHERS, Parts, Shape};
use crate::yaml::{Kind, Node, SourceFile};

/// Where a line of sources, of facts or of a matrix ends at the latest, unless it is one value.
const COLUMNS: usize = 140;

/// Where a step ends at the latest if it stands on one line: one beside the other they are a table.
const STEP_COLUMNS: usize = 160;

const LINE: &Shape = &Shape::LINE;
const WRITTEN: &Shape = &Shape::WRITTEN;

/// A mapping on one line with its fields in an order.
const fn fields(fields: &'static [(&'static str, &'static Shape)]) -> Shape {
    laid_out(Lines::One, Parts::Fields(fields))
}

/// The same, with a line for each field where one would be too long.
const fn short(fields: &'static [(&'static str, &'static Shape)]) -> Shape {
    laid_out(Lines::Within(STEP_COLUMNS), Parts::Fields(fields))
}

const fn laid_out(lines: Lines, parts: Parts) -> Shape {
    Shape { lines, parts }
}

/// A list with a line for each of its parts, or names with a line each.
const fn each(part: &'static Shape) -> Shape {
    laid_out(Lines::Each, Parts::Each(part))
}

static SOURCE: Shape = fields(&[
    ("doc", LINE),
    ("recorded", LINE),
    ("issue", LINE),
    ("suite", LINE),
    ("contract", LINE),
    ("says", LINE),
]);
static SOURCES: Shape = laid_out(Lines::Within(COLUMNS), Parts::Each(&SOURCE));
static EVIDENCE: Shape = laid_out(Lines::One, Parts::Each(&SOURCE));

static SUITE: Shape = laid_out(
    Lines::Each,
    Parts::Fields(&[
        ("format", LINE),
        ("suite", LINE),
        ("keys", &KEYS),
        ("bodies", &BODIES),
        ("cases", &CASES),
    ]),
);
static KEYS: Shape = laid_out(Lines::FlatWithin(COLUMNS), Parts::Each(&KEY));
static KEY: Shape = fields(&[("fill", LINE), ("base64-has", LINE)]);
static BODIES: Shape = each(&BODY);
static BODY: Shape = fields(&[("size", LINE), ("seed", LINE)]);
static CASES: Shape = laid_out(Lines::Apart, Parts::Each(&CASE));
static CASE: Shape = laid_out(
    Lines::Each,
    Parts::Fields(&[
        ("id", LINE),
        ("was", LINE),
        ("title", LINE),
        ("level", LINE),
        ("source", &SOURCES),
        ("needs", LINE),
        ("tags", LINE),
        ("serial", LINE),
        ("style", LINE),
        ("payload", LINE),
        (OTHERS, WRITTEN),
        ("matrix", &MATRIX),
        ("cells", &CELLS),
        ("given", &STEPS),
        ("steps", &STEPS),
        ("diagnose", &STEPS),
    ]),
);
static MATRIX: Shape = laid_out(Lines::FlatWithin(COLUMNS), Parts::Each(&AXIS));
static AXIS: Shape = laid_out(Lines::FlatWithin(COLUMNS), Parts::Each(&STEP));
static CELLS: Shape = each(&RULE);
static RULE: Shape = fields(&[("if", LINE), ("level", LINE), ("skip", LINE), ("why", LINE)]);
static STEPS: Shape = each(&STEP);

/// A step or a fragment of one. What is not named is its operation.
static STEP: Shape = short(&[
    ("do", LINE),
    (OTHERS, LINE),
    ("source-version", LINE),
    ("version", LINE),
    ("to", LINE),
    ("upload", LINE),
    ("part", LINE),
    ("parts", LINE),
    ("body", LINE),
    ("tags", LINE),
    ("range", LINE),
    ("source-ssec", &TRIPLE),
    ("ssec", &TRIPLE),
    ("form", &FORM),
    ("headers", LINE),
    ("content-md5", LINE),
    ("checksum", LINE),
    ("preflight", &PREFLIGHT),
    ("scheme", LINE),
    ("style", LINE),
    ("payload", LINE),
    ("presign", &PRESIGN),
    ("sign", LINE),
    ("save", LINE),
    ("eventually", LINE),
    ("expect", &EXPECTATION),
]);
static TRIPLE: Shape = fields(&[
    ("key", LINE),
    ("drop", LINE),
    ("mutate", LINE),
    ("raw", LINE),
]);
static PRESIGN: Shape = fields(&[
    ("sign", LINE),
    ("query", LINE),
    ("signed-as", LINE),
    ("expires", LINE),
    ("age", LINE),
]);
static FORM: Shape = fields(&[
    ("fields", LINE),
    ("uncovered", LINE),
    ("cover", LINE),
    ("demand", LINE),
    ("signed-as", LINE),
    ("length", LINE),
    ("expires", LINE),
    ("age", LINE),
    ("fault", LINE),
]);
static PREFLIGHT: Shape = fields(&[("origin", LINE), ("method", LINE), ("headers", LINE)]);
static EXPECTATION: Shape = short(&[
    ("outcome", LINE),
    ("echo", LINE),
    ("length-of", LINE),
    ("etag", LINE),
    ("etag-fact", LINE),
    ("body", LINE),
    ("checksum", LINE),
    ("headers", LINE),
    ("absent", LINE),
    ("exposes", LINE),
    ("xml", LINE),
    ("entries", &ENTRIES),
    ("missing", LINE),
    ("never", LINE),
    ("dialect", &ONE_OFFS),
]);
static ONE_OFFS: Shape = laid_out(Lines::Within(STEP_COLUMNS), Parts::Each(&ANSWER));
static ENTRIES: Shape = laid_out(Lines::Within(STEP_COLUMNS), Parts::Each(&ENTRY));
static ENTRY: Shape = fields(&[
    ("name", LINE),
    ("version", LINE),
    ("size-of", LINE),
    ("etag", LINE),
    ("marker", LINE),
    ("latest", LINE),
]);

static OUTCOMES: Shape = each(&OUTCOME);
static OUTCOME: Shape = fields(&[("class", LINE), ("floor", &FLOOR), ("says", LINE)]);
static FLOOR: Shape = fields(&[("write", LINE), ("read", LINE)]);

static DIALECT: Shape = laid_out(
    Lines::Each,
    Parts::Fields(&[
        ("dialect", LINE),
        ("compare-to", LINE),
        ("facts", &FACTS),
        ("answers", &ANSWERS),
        ("unrecorded", WRITTEN),
    ]),
);
static FACTS: Shape = laid_out(
    Lines::AsWritten,
    Parts::Fields(&[
        ("echo", LINE),
        ("etag", LINE),
        ("version-id", LINE),
        ("evidence", &SOURCES),
    ]),
);
static ANSWERS: Shape = each(&ANSWER);
/// One answer, or a list of them.
static ANSWER: Shape = laid_out(
    Lines::OneAnItem,
    Parts::Fields(&[
        ("status", LINE),
        ("code", LINE),
        ("accepted", LINE),
        ("ops", LINE),
        ("evidence", &EVIDENCE),
    ]),
);

static BASELINE: Shape = laid_out(
    Lines::Each,
    Parts::Fields(&[("baseline", LINE), ("known", &KNOWN)]),
);
static KNOWN: Shape = laid_out(Lines::AsWritten, Parts::Each(&KNOWN_FAULT));
static KNOWN_FAULT: Shape = laid_out(
    Lines::AsWritten,
    Parts::Fields(&[
        ("trial", LINE),
        ("verdict", LINE),
        ("signature", LINE),
        ("issue", LINE),
        ("until", LINE),
    ]),
);

/// The form of a file: that of a suite, a dialect, the outcomes or a baseline; any other, such as a
/// profile or a workload, keeps the order of its fields and its lines.
#[must_use]
pub fn of(file: &SourceFile, root: &Node) -> &'static Shape {
    let Kind::Mapping(pairs) = &root.kind else {
        return WRITTEN;
    };
    let has = |field: &str| pairs.iter().any(|pair| pair.key.text == field);
    let by_field = [
        ("suite", &SUITE),
        ("dialect", &DIALECT),
        ("baseline", &BASELINE),
    ];
    if has("profile") || has("workload") {
        return WRITTEN;
    }
    if let Some((_, shape)) = by_field.iter().find(|(field, _)| has(field)) {
        return shape;
    }
    if file.stem() == "outcomes" {
        return &OUTCOMES;
    }
    WRITTEN
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::scenario::definition::OPERATIONS;

    /// The fields that a shape has a place for.
    fn placed(shape: &Shape) -> BTreeSet<&str> {
        let Parts::Fields(fields) = &shape.parts else {
            panic!("a shape of fields");
        };
        let names = fields.iter().map(|(name, _)| *name);
        names.filter(|name| *name != OTHERS).collect()
    }

    /// The fields of a definition, or of that alternative of it which is a mapping.
    fn properties(own: &serde_json::Value) -> &serde_json::Map<String, serde_json::Value> {
        let alternatives = ["oneOf", "anyOf"].map(|word| own[word].as_array());
        let mut all = alternatives.into_iter().flatten().flatten().chain([own]);
        all.find_map(|own| own["properties"].as_object()).unwrap()
    }

    /// A field that the reader learns has a place here, or it would stand among the operations.
    #[test]
    fn every_field_of_a_suite_has_its_place() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../scenarios/scenario.schema.json"
        );
        let text = std::fs::read_to_string(path).unwrap();
        let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
        // What a later version reads has its place already.
        for (definition, shape, later) in [
            ("", &SUITE, &["format"][..]),
            ("body", &BODY, &[]),
            ("key", &KEY, &[]),
            ("case", &CASE, &["serial"]),
            ("rule", &RULE, &[]),
            ("source", &SOURCE, &[]),
            ("step", &STEP, &[]),
            ("triple", &TRIPLE, &[]),
            ("presign", &PRESIGN, &[]),
            ("form", &FORM, &[]),
            ("preflight", &PREFLIGHT, &[]),
            ("expectation", &EXPECTATION, &[]),
            ("entry", &ENTRY, &[]),
        ] {
            let own = match definition {
                "" => &schema,
                name => &schema["$defs"][name],
            };
            let fields = properties(own).keys();
            let mut known: BTreeSet<&str> = fields.map(String::as_str).collect();
            known.extend(later);
            let is_operation = |name: &str| {
                OPERATIONS.iter().any(|verb| verb.word == name) || name == "upload-parts"
            };
            known.retain(|name| !is_operation(name));
            assert_eq!(placed(shape), known, "of {definition}");
        }
    }
}
