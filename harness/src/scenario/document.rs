//! One suite file: what it declares, and its cases with steps that are still trees.
//!
//! A step can only be decoded once a cell of the matrix has filled its `$names` in, so this stops
//! at the steps; `scenario/matrix.rs` goes on.

use std::collections::{BTreeMap, BTreeSet};

use super::definition::{
    BodySpec, CAPABILITIES, Capability, KeySpec, Level, PAYLOADS, Payload, STYLES, Source,
    Style as Addressing,
};
use crate::oracle::sources;
use crate::yaml::{Code, Fields, Kind, Node, Pair, Reader, Scalar, Span, Style};

/// One file below `suites/`.
#[derive(Debug)]
pub(super) struct Suite {
    pub(super) name: String,
    pub(super) name_span: Span,
    pub(super) keys: BTreeMap<String, (KeySpec, Span)>,
    pub(super) bodies: BTreeMap<String, (BodySpec, Span)>,
    pub(super) cases: Vec<Case>,
}

#[derive(Debug)]
pub(super) struct Case {
    pub(super) id: String,
    pub(super) id_span: Span,
    /// A scalar; may hold `$axis`.
    pub(super) title: Node,
    pub(super) level: Level,
    pub(super) sources: Vec<Source>,
    pub(super) needs: BTreeSet<Capability>,
    pub(super) tags: Vec<String>,
    pub(super) axes: Vec<Axis>,
    pub(super) rules: Vec<Rule>,
    /// For each of its steps that does not say otherwise.
    pub(super) style: Option<Addressing>,
    pub(super) payload: Option<Payload>,
    pub(super) given: Vec<Node>,
    pub(super) steps: Vec<Node>,
    pub(super) diagnose: Vec<Node>,
}

/// One axis of a matrix.
#[derive(Debug)]
pub(super) struct Axis {
    pub(super) name: String,
    pub(super) span: Span,
    /// At least one.
    pub(super) points: Vec<Point>,
}

/// One label of an axis.
#[derive(Debug)]
pub(super) struct Point {
    pub(super) label: String,
    /// What `do: $axis` merges into a step; `None` on an axis of labels alone.
    pub(super) fragment: Option<Node>,
}

/// One entry of `cells`.
#[derive(Debug)]
pub(super) struct Rule {
    /// Axis to labels: a cell is meant if each axis here has one of its labels.
    pub(super) when: BTreeMap<String, BTreeSet<String>>,
    pub(super) effect: Effect,
    pub(super) span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Level(Level),
    /// The cell makes no sense and is no trial.
    Skip,
}

const LEVELS: [(&str, Level); 3] = [
    ("must", Level::Must),
    ("should", Level::Should),
    ("may", Level::May),
];

/// Decodes the tree of one file.
pub(super) fn suite(root: &Node, reader: &mut Reader<'_>) -> Option<Suite> {
    let mut fields = reader.fields(root, "a suite file")?;
    let name_node = fields.required("suite", reader);
    let name = name_node.and_then(|node| {
        let text = reader.text(node, "`suite`")?;
        reader.name(text, node.span, "a suite", "")
    });
    let keys = fields
        .optional("keys")
        .map(|node| keys(node, reader))
        .unwrap_or_default();
    let bodies = fields
        .optional("bodies")
        .map(|node| bodies(node, reader))
        .unwrap_or_default();
    let cases_node = fields.required("cases", reader);
    fields.later(&["format"], reader);
    fields.finish(reader);
    let cases = cases_node
        .and_then(|node| reader.list(node, "`cases`"))
        .unwrap_or_default();
    let cases: Vec<Case> = cases.iter().filter_map(|node| case(node, reader)).collect();
    taken_ids(&cases, reader);
    Some(Suite {
        name: name.unwrap_or_default().to_owned(),
        name_span: name_node.map_or(root.caret(&reader.file().text), |node| node.span),
        keys,
        bodies,
        cases,
    })
}

fn taken_ids(cases: &[Case], reader: &mut Reader<'_>) {
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for case in cases.iter().filter(|case| !case.id.is_empty()) {
        if let Some(earlier) = seen.insert(&case.id, case.id_span) {
            let message = format!("two cases have the id `{}`", case.id);
            let error = reader
                .error(Code::Taken, case.id_span, message)
                .label("the second one");
            reader.push(error.related(reader.file(), earlier, "the first one"));
        }
    }
}

fn keys(node: &Node, reader: &mut Reader<'_>) -> BTreeMap<String, (KeySpec, Span)> {
    let mut keys = BTreeMap::new();
    if let Kind::Sequence(items) = &node.kind {
        for item in items {
            let Some(text) = reader.text(item, "a key's name") else {
                continue;
            };
            declare_key(&mut keys, text, KeySpec::default(), item.span, reader);
        }
        return keys;
    }
    for pair in reader.named(node, "`keys`").unwrap_or_default() {
        // A name with a mistake in its options is still declared.
        let spec = key_spec(&pair.value, reader).unwrap_or_default();
        declare_key(&mut keys, &pair.key.text, spec, pair.key_span, reader);
    }
    keys
}

fn declare_key(
    keys: &mut BTreeMap<String, (KeySpec, Span)>,
    name: &str,
    spec: KeySpec,
    at: Span,
    reader: &mut Reader<'_>,
) {
    if reader.name(name, at, "a key", "").is_none() {
        return;
    }
    if name == "none" || keys.contains_key(name) {
        let message = format!("key name `{name}` is taken");
        let error = reader.error(Code::Taken, at, message);
        reader.push(if name == "none" {
            error.note("`echo: none` means that no key is echoed")
        } else {
            error
        });
        return;
    }
    keys.insert(name.to_owned(), (spec, at));
}

fn key_spec(node: &Node, reader: &mut Reader<'_>) -> Option<KeySpec> {
    let mut fields = reader.fields(node, "a key")?;
    let fill = fields.optional("fill").and_then(|node| {
        let word = reader.word(node, "`fill`")?;
        let byte = (word.len() == 2)
            .then(|| u8::from_str_radix(word, 16).ok())
            .flatten();
        let byte = byte.ok_or_else(|| format!("`fill` wants one byte in hex, not `{word}`"));
        reader.or_note(byte, node)
    });
    let base64_has = fields.optional("base64-has").and_then(|node| {
        let word = reader.word(node, "`base64-has`")?;
        let mut chars = word.chars();
        let good = |c: &char| c.is_ascii_alphanumeric() || *c == '+' || *c == '/';
        let one = chars.next().filter(good).filter(|_| chars.next().is_none());
        let one = one.ok_or_else(|| format!("`{word}` is not one character of base64"));
        reader.or_note(one, node)
    });
    let caret = fields.caret();
    fields.finish(reader);
    if fill.is_some() && base64_has.is_some() {
        let message = "`fill` and `base64-has` exclude each other";
        let error = reader.error(Code::Contradiction, caret, message);
        reader.push(error);
    }
    Some(KeySpec { fill, base64_has })
}

fn bodies(node: &Node, reader: &mut Reader<'_>) -> BTreeMap<String, (BodySpec, Span)> {
    let mut bodies = BTreeMap::new();
    for pair in reader.named(node, "`bodies`").unwrap_or_default() {
        let Some(mut fields) = reader.fields(&pair.value, "a body") else {
            continue;
        };
        let size = fields.required("size", reader);
        let size = size.and_then(|node| reader.size(node, "`size`"));
        let seed = match fields.optional("seed") {
            Some(node) => reader.whole(node, "`seed`"),
            None => Some(0),
        };
        fields.finish(reader);
        let name = reader.name(&pair.key.text, pair.key_span, "a body", "");
        // A name with a mistake in its fields is still declared.
        let spec = BodySpec {
            size: size.unwrap_or_default(),
            seed: seed.unwrap_or_default(),
        };
        bodies.extend(name.map(|name| (name.to_owned(), (spec, pair.key_span))));
    }
    bodies
}

fn case(node: &Node, reader: &mut Reader<'_>) -> Option<Case> {
    let mut fields = reader.fields(node, "a case")?;
    let caret = fields.caret();
    let id_node = fields.required("id", reader);
    let id = id_node.and_then(|node| {
        let text = reader.text(node, "`id`")?;
        reader.name(text, node.span, "a case", "")
    });
    old_ids(&mut fields, reader);
    let title = fields.required("title", reader);
    let title = title.filter(|node| reader.text(node, "`title`").is_some());
    let level = fields.required("level", reader);
    let level = level.and_then(|node| reader.choice(node, "`level`", &LEVELS));
    let sources = case_sources(fields.optional("source"), caret, reader);
    let needs = fields
        .optional("needs")
        .map(|node| needs(node, reader))
        .unwrap_or_default();
    let tags = fields
        .optional("tags")
        .map(|node| tags(node, reader))
        .unwrap_or_default();
    let axes = fields
        .optional("matrix")
        .map(|node| axes(node, reader))
        .unwrap_or_default();
    let rules = fields.optional("cells");
    let rules = rules
        .map(|node| rules_of(node, &axes, reader))
        .unwrap_or_default();
    let given = fields.optional("given");
    let given = given
        .and_then(|node| reader.list(node, "`given`"))
        .unwrap_or_default();
    let steps_node = fields.required("steps", reader);
    let steps = steps_node.and_then(|node| reader.list(node, "`steps`"));
    let diagnose = fields.optional("diagnose");
    let diagnose = diagnose
        .and_then(|node| reader.list(node, "`diagnose`"))
        .unwrap_or_default();
    let (style, payload) = pins(&mut fields, reader);
    fields.later(&["serial"], reader);
    fields.finish(reader);
    if let (Some([]), Some(node)) = (steps, steps_node) {
        let error = reader.error_at(Code::MissingField, node, "a case needs at least one step");
        reader.push(error);
    }
    // What is missing has been noted; the steps may hold further mistakes.
    let nameless = Node {
        span: caret,
        kind: Kind::Scalar(Scalar {
            text: String::new(),
            style: Style::Quoted,
        }),
    };
    Some(Case {
        id: id.unwrap_or_default().to_owned(),
        id_span: id_node.map_or(caret, |node| node.span),
        title: title.unwrap_or(&nameless).clone(),
        level: level.unwrap_or(Level::Must),
        sources,
        needs,
        tags,
        axes,
        rules,
        style,
        payload,
        given: given.to_vec(),
        steps: steps.unwrap_or_default().to_vec(),
        diagnose: diagnose.to_vec(),
    })
}

/// What a case says of the way of all its requests.
fn pins(fields: &mut Fields<'_>, reader: &mut Reader<'_>) -> (Option<Addressing>, Option<Payload>) {
    let style = fields.optional("style");
    let payload = fields.optional("payload");
    (
        style.and_then(|node| reader.choice(node, "`style`", &STYLES)),
        payload.and_then(|node| reader.choice(node, "`payload`", &PAYLOADS)),
    )
}

/// Ids that a case had before it was renamed.
fn old_ids(fields: &mut Fields<'_>, reader: &mut Reader<'_>) {
    let Some(node) = fields.optional("was") else {
        return;
    };
    for old in reader.list(node, "`was`").unwrap_or_default() {
        reader.text(old, "an old id");
    }
}

fn case_sources(node: Option<&Node>, caret: Span, reader: &mut Reader<'_>) -> Vec<Source> {
    let before = reader.mistakes();
    let found = node
        .map(|node| sources(node, "`source`", reader))
        .unwrap_or_default();
    if found.is_empty() && reader.mistakes() == before {
        let error = reader.error(Code::NoSource, caret, "a case needs a source");
        reader.push(error.note("one of doc, recorded, issue, suite, contract: who demands this?"));
    }
    found
}

fn needs(node: &Node, reader: &mut Reader<'_>) -> BTreeSet<Capability> {
    let items = reader.list(node, "`needs`").unwrap_or_default();
    items
        .iter()
        .filter_map(|item| reader.choice(item, "a need", &CAPABILITIES))
        .collect()
}

fn tags(node: &Node, reader: &mut Reader<'_>) -> Vec<String> {
    let items = reader.list(node, "`tags`").unwrap_or_default();
    let tag = |item: &Node| {
        let text = reader.text(item, "a tag")?;
        reader.name(text, item.span, "a tag", "").map(str::to_owned)
    };
    items.iter().filter_map(tag).collect()
}

fn axes(node: &Node, reader: &mut Reader<'_>) -> Vec<Axis> {
    let pairs = reader.named(node, "`matrix`").unwrap_or_default();
    pairs.iter().filter_map(|pair| axis(pair, reader)).collect()
}

fn axis(pair: &Pair, reader: &mut Reader<'_>) -> Option<Axis> {
    let name = reader.name(&pair.key.text, pair.key_span, "an axis", "")?;
    let mut points: Vec<Point> = Vec::new();
    match &pair.value.kind {
        Kind::Sequence(items) => {
            for item in items {
                let Some(label) = label(item, reader) else {
                    continue;
                };
                if points.iter().any(|point| point.label == label) {
                    let message = format!("label `{label}` stands twice on axis `{name}`");
                    let error = reader.error_at(Code::Taken, item, message);
                    reader.push(error);
                }
                points.push(Point {
                    label,
                    fragment: None,
                });
            }
        }
        Kind::Mapping(entries) => {
            for entry in entries {
                let key = Node {
                    span: entry.key_span,
                    kind: Kind::Scalar(entry.key.clone()),
                };
                let Some(label) = label(&key, reader) else {
                    continue;
                };
                if reader.named(&entry.value, "a fragment").is_some() {
                    points.push(Point {
                        label,
                        fragment: Some(entry.value.clone()),
                    });
                }
            }
        }
        Kind::Scalar(_) => {
            let message = "an axis is a list of labels, or labels with fragments";
            let error = reader.error_at(Code::WrongKind, &pair.value, message);
            reader.push(error);
            return None;
        }
    }
    if points.is_empty() {
        let error = reader.error_at(Code::BadValue, &pair.value, "an axis needs a label");
        reader.push(error);
        return None;
    }
    Some(Axis {
        name: name.to_owned(),
        span: pair.key_span,
        points,
    })
}

/// A label: text, or a whole number as it is written.
fn label(node: &Node, reader: &mut Reader<'_>) -> Option<String> {
    let word = reader.word(node, "a label")?;
    let number =
        word.bytes().all(|b| b.is_ascii_digit()) && (word == "0" || !word.starts_with('0'));
    if let Kind::Scalar(Scalar {
        style: Style::Plain,
        ..
    }) = &node.kind
        && !number
    {
        reader.text(node, "a label")?;
    }
    reader
        .name(word, node.span, "a label", ".")
        .map(str::to_owned)
}

fn rules_of(node: &Node, axes: &[Axis], reader: &mut Reader<'_>) -> Vec<Rule> {
    let items = reader.list(node, "`cells`").unwrap_or_default();
    items
        .iter()
        .filter_map(|item| rule(item, axes, reader))
        .collect()
}

fn rule(node: &Node, axes: &[Axis], reader: &mut Reader<'_>) -> Option<Rule> {
    let mut fields = reader.fields(node, "an entry of `cells`")?;
    let caret = fields.caret();
    let when = fields
        .required("if", reader)
        .map(|node| conditions(node, axes, reader));
    let level = fields.optional("level");
    let level = level.and_then(|node| reader.choice(node, "`level`", &LEVELS));
    let skip = fields.optional("skip");
    let skip = skip.and_then(|node| reader.choice(node, "`skip`", &[("true", ())]));
    if let Some(why) = fields.required("why", reader) {
        reader.text(why, "`why`");
    }
    fields.finish(reader);
    let effect = match (level, skip) {
        (Some(level), None) => Effect::Level(level),
        (None, Some(())) => Effect::Skip,
        (Some(_), Some(())) | (None, None) => {
            let message = "an entry of `cells` has either `level` or `skip: true`";
            let error = reader.error(Code::BadValue, caret, message);
            reader.push(error);
            return None;
        }
    };
    Some(Rule {
        when: when??,
        effect,
        span: caret,
    })
}

fn conditions(
    node: &Node,
    axes: &[Axis],
    reader: &mut Reader<'_>,
) -> Option<BTreeMap<String, BTreeSet<String>>> {
    let before = reader.mistakes();
    let mut when = BTreeMap::new();
    for pair in reader.named(node, "`if`").unwrap_or_default() {
        let name = pair.key.text.as_str();
        let Some(axis) = axes.iter().find(|axis| axis.name == name) else {
            let names = axes.iter().map(|axis| axis.name.as_str());
            let message = format!("axis `{name}` is not in this case's matrix");
            reader.unknown(Code::UnknownName, pair.key_span, message, name, names);
            continue;
        };
        let mut labels = BTreeSet::new();
        for item in Reader::one_or_list(&pair.value) {
            let Some(label) = label(item, reader) else {
                continue;
            };
            if !axis.points.iter().any(|point| point.label == label) {
                let known = axis.points.iter().map(|point| point.label.as_str());
                let message = format!("axis `{name}` has no label `{label}`");
                reader.unknown(Code::UnknownName, item.span, message, &label, known);
            }
            labels.insert(label);
        }
        when.insert(name.to_owned(), labels);
    }
    (reader.mistakes() == before).then_some(when)
}
