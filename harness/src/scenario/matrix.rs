//! Each point of a case's matrix as a trial.

use std::collections::BTreeSet;

use super::binding::Scope;
use super::canonical;
use super::definition::{
    ActsOn, Ambient, CHECKSUMS, Capability, Level, Operation, Payload, Scheme, Step, Style, Trial,
};
use super::document::{Case, Effect, Rule, Suite};
use super::names::{Names, location};
use super::step::{self, Phase};
use super::upload;
use crate::yaml::{Code, Kind, Node, Reader, Span};

/// Cells that one case may have: more is a slip, and nobody would wait for the run.
pub(super) const MAX_CELLS: usize = 4096;

/// A trial beside what the lints need.
#[derive(Debug)]
pub(super) struct Expanded {
    pub(super) trial: Trial,
    /// Where each step of `given`, then of `steps`, says what it expects.
    pub(super) expectations: Vec<Span>,
    /// The requests alone, in canonical form.
    pub(super) requests: String,
}

/// Expands one case; cells with mistakes are left out.
pub(super) fn expand(
    suite: &Suite,
    case: &Case,
    names: &mut Names<'_>,
    reader: &mut Reader<'_>,
) -> Vec<Expanded> {
    if case.steps.is_empty() {
        // Noted when the case was read; what nothing uses is no second mistake.
        return Vec::new();
    }
    let sizes: Vec<usize> = case.axes.iter().map(|axis| axis.points.len()).collect();
    let cells = sizes
        .iter()
        .try_fold(1_usize, |total, size| total.checked_mul(*size));
    if cells.is_none_or(|cells| cells > MAX_CELLS) {
        let message = format!("the matrix of this case has more than {MAX_CELLS} cells");
        let error = reader.error(Code::Limit, case.id_span, message);
        reader.push(error);
        return Vec::new();
    }
    let before = reader.mistakes();
    let mut expanded = Vec::new();
    let mut used = BTreeSet::new();
    let mut rules_met = BTreeSet::new();
    for cell in product(&sizes) {
        let Some(level) = level_of(case, &cell, &mut rules_met, reader) else {
            continue;
        };
        let mut scope = Scope::new(&case.axes, &cell);
        expanded.extend(one(suite, case, &cell, level, &mut scope, names, reader));
        used.extend(scope.used().iter().map(|name| (*name).to_owned()));
    }
    if reader.mistakes() == before {
        unused(case, &used, &rules_met, reader);
        needs(case, &expanded, reader);
    }
    expanded
}

/// All index tuples, the last axis fastest; one empty tuple for no axis.
pub(super) fn product(sizes: &[usize]) -> Vec<Vec<usize>> {
    let mut cells = vec![Vec::new()];
    for size in sizes {
        cells = cells
            .iter()
            .flat_map(|cell| {
                (0..*size).map(move |index| {
                    let mut longer = cell.clone();
                    longer.push(index);
                    longer
                })
            })
            .collect();
    }
    cells
}

/// The cell's level; `None` if it is left out, or graded twice.
fn level_of(
    case: &Case,
    cell: &[usize],
    met: &mut BTreeSet<usize>,
    reader: &mut Reader<'_>,
) -> Option<Level> {
    let matches = |rule: &Rule| {
        case.axes.iter().zip(cell).all(|(axis, point)| {
            rule.when
                .get(&axis.name)
                .is_none_or(|labels| labels.contains(&axis.points[*point].label))
        })
    };
    let rules: Vec<(usize, &Rule)> = case
        .rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| matches(rule))
        .collect();
    met.extend(rules.iter().map(|(index, _)| *index));
    match rules.as_slice() {
        [] => Some(case.level),
        [(_, rule)] => match rule.effect {
            Effect::Level(level) => Some(level),
            Effect::Skip => None,
        },
        [(_, first), (_, second), ..] => {
            let message = "two entries of `cells` meet the same cell";
            let error = reader.error(Code::SetTwice, second.span, message);
            reader.push(error.related(reader.file(), first.span, "the first one"));
            None
        }
    }
}

fn one(
    suite: &Suite,
    case: &Case,
    cell: &[usize],
    level: Level,
    scope: &mut Scope<'_>,
    names: &mut Names<'_>,
    reader: &mut Reader<'_>,
) -> Option<Expanded> {
    let before = reader.mistakes();
    let title = scope.bind(&case.title, reader);
    let title = title
        .as_ref()
        .and_then(|node| reader.text(node, "`title`"))
        .map(str::to_owned);
    let mut expectations = Vec::new();
    let mut phase = |nodes: &[Node], phase: Phase| {
        let mut steps = Vec::new();
        for node in nodes {
            let Some(bound) = scope.step(node, reader) else {
                continue;
            };
            for bound in upload::each_part(bound, reader) {
                let step = step::step(&bound, phase, names, reader);
                // A later step must not be told that nothing sets what this one would have set.
                for name in saved(&bound) {
                    scope.capture(name);
                }
                expectations.push(expectation_of(&bound, &reader.file().text));
                steps.extend(step.map(|step| pinned(step, case)));
            }
        }
        steps
    };
    let given = phase(&case.given, Phase::Given);
    let steps = phase(&case.steps, Phase::Steps);
    let diagnose = phase(&case.diagnose, Phase::Diagnose);
    if reader.mistakes() > before {
        return None;
    }
    let cells = labels(case, cell);
    let mut trial = Trial {
        name: name(&suite.name, &case.id, &cells),
        suite: suite.name.clone(),
        case_id: case.id.clone(),
        cells,
        title: title?,
        level,
        sources: case.sources.clone(),
        needs: case.needs.clone(),
        tags: case.tags.clone(),
        keys: suite
            .keys
            .iter()
            .map(|(name, (spec, _))| (name.clone(), spec.clone()))
            .collect(),
        bodies: suite
            .bodies
            .iter()
            .map(|(name, (spec, _))| (name.clone(), *spec))
            .collect(),
        given,
        steps,
        diagnose,
        routine: None,
        ambient: Ambient::default(),
        at: location(case.id_span, reader),
        digest: String::new(),
    };
    let requests = canonical::requests(&trial);
    trial.digest = canonical::digest(&trial);
    Some(Expanded {
        trial,
        expectations,
        requests,
    })
}

/// What a case says of all its steps holds for those that say nothing, and have a use for it.
fn pinned(mut step: Step, case: &Case) -> Step {
    let payload = case.payload.filter(|payload| step.may_be(*payload));
    step.style = step.style.or(case.style);
    step.payload = step.payload.or(payload);
    step
}

/// Axis and label of a cell, in declared order.
fn labels(case: &Case, cell: &[usize]) -> Vec<(String, String)> {
    let points = case.axes.iter().zip(cell);
    points
        .map(|(axis, point)| (axis.name.clone(), axis.points[*point].label.clone()))
        .collect()
}

/// `suite::case[axis=label,axis=label]`.
fn name(suite: &str, case: &str, cells: &[(String, String)]) -> String {
    let cells: Vec<String> = cells
        .iter()
        .map(|(axis, label)| format!("{axis}={label}"))
        .collect();
    if cells.is_empty() {
        return format!("{suite}::{case}");
    }
    format!("{suite}::{case}[{}]", cells.join(","))
}

/// The names under `save`, also of a step that has a mistake elsewhere.
fn saved(step: &Node) -> impl Iterator<Item = &str> {
    let entries = match value(step, "save").map(|node| &node.kind) {
        Some(Kind::Mapping(pairs)) => pairs.as_slice(),
        Some(Kind::Scalar(_) | Kind::Sequence(_)) | None => &[],
    };
    entries.iter().map(|pair| pair.key.text.as_str())
}

fn expectation_of(step: &Node, text: &str) -> Span {
    value(step, "expect").unwrap_or(step).caret(text)
}

fn value<'n>(step: &'n Node, field: &str) -> Option<&'n Node> {
    let Kind::Mapping(pairs) = &step.kind else {
        return None;
    };
    pairs
        .iter()
        .find(|pair| pair.key.text == field)
        .map(|pair| &pair.value)
}

fn unused(
    case: &Case,
    used: &BTreeSet<String>,
    rules_met: &BTreeSet<usize>,
    reader: &mut Reader<'_>,
) {
    for axis in case.axes.iter().filter(|axis| !used.contains(&axis.name)) {
        let message = format!("axis `{}` is never used", axis.name);
        let error = reader.error(Code::Unused, axis.span, message);
        let advice = format!("refer to it as `${}`, or remove it", axis.name);
        reader.push(error.note(format!(
            "each of its cells sends the same requests: {advice}"
        )));
    }
    for (index, rule) in case.rules.iter().enumerate() {
        if !rules_met.contains(&index) {
            let error = reader.error(
                Code::Unused,
                rule.span,
                "this entry of `cells` meets no cell",
            );
            reader.push(error);
        }
    }
}

/// Whether a step uses something.
type Use = fn(&Step) -> bool;

/// By which steps a trial uses what its target may not offer.
const USES: [(Capability, Use); 15] = [
    (
        Capability::SseC,
        (|step| step.ssec.is_some() || step.source_ssec.is_some()),
    ),
    (Capability::Copy, (|step| step.source.is_some())),
    (
        Capability::CopySsec,
        (|step| step.operation == Operation::Copy && step.source_ssec.is_some()),
    ),
    (
        Capability::Multipart,
        (|step| step.operation == Operation::CreateUpload),
    ),
    (
        Capability::PartNumber,
        (|step| matches!(step.operation, Operation::Get | Operation::Head) && step.part.is_some()),
    ),
    (Capability::Presign, (|step| step.presign.is_some())),
    (
        Capability::Versioning,
        (|step| step.operation == Operation::PutVersioning),
    ),
    (
        Capability::Attributes,
        (|step| step.operation == Operation::GetAttributes),
    ),
    (Capability::Tagging, is_about_tags),
    (
        Capability::BatchDelete,
        (|step| step.operation == Operation::DeleteObjects),
    ),
    (
        Capability::BlockedEncryption,
        (|step| step.operation == Operation::PutEncryption),
    ),
    (
        Capability::PostForm,
        (|step| step.operation == Operation::PostForm),
    ),
    (
        Capability::Cors,
        (|step| matches!(step.operation, Operation::PutCors | Operation::Options)),
    ),
    (
        Capability::BucketPolicy,
        (|step| step.operation == Operation::PutPolicy),
    ),
    (
        Capability::OwnBucket,
        (|step| step.operation.verb().acts_on == ActsOn::Bucket),
    ),
];

/// What a trial uses, its case must need: otherwise a target without it fails instead of being
/// unsupported.
fn needs(case: &Case, expanded: &[Expanded], reader: &mut Reader<'_>) {
    let uses = |test: Use| {
        let judged = |e: &Expanded| {
            let steps = e.trial.given.iter().chain(&e.trial.steps);
            steps.chain(&e.trial.diagnose).any(test)
        };
        expanded.iter().any(judged)
    };
    for (capability, test) in USES.into_iter().chain(ON_ITS_WAY).chain(FEATURES) {
        if uses(test) && !case.needs.contains(&capability) {
            let word = capability.word();
            let message = format!("this case uses `{word}` and does not need it");
            let error = reader.error(Code::MissingField, case.id_span, message);
            reader.push(error.note(format!("add `{word}` to its `needs`")));
        }
    }
}

/// What a request needs on the way that its step pins.
const ON_ITS_WAY: [(Capability, Use); 5] = [
    (Capability::PlainHttp, |step| step.scheme == Scheme::Http),
    (Capability::PathStyle, |step| {
        step.style == Some(Style::Path)
    }),
    (Capability::VirtualHost, |step| {
        step.style == Some(Style::VirtualHost)
    }),
    (Capability::UnsignedPayload, |step| {
        step.payload == Some(Payload::Unsigned)
    }),
    (Capability::ChunkedPayload, |step| {
        step.payload == Some(Payload::Chunked)
    }),
];

fn is_about_tags(step: &Step) -> bool {
    use Operation::{DeleteTagging, GetTagging, PutTagging};
    matches!(step.operation, PutTagging | GetTagging | DeleteTagging)
}

/// What some servers of S3 do without although they have the rest.
const FEATURES: [(Capability, Use); 3] = [
    (Capability::ListUploads, |step| {
        step.operation == Operation::ListUploads
    }),
    (Capability::Checksums, brings_checksum),
    (Capability::ManagedEncryption, asks_for_managed),
];

/// Whether a write asks for the provider's own encryption, and for nothing else.
fn asks_for_managed(step: &Step) -> bool {
    let asks = |(name, _): &(String, _)| name.eq_ignore_ascii_case("x-amz-server-side-encryption");
    step.operation == Operation::Put && step.ssec.is_none() && step.headers.iter().any(asks)
}

/// Whether a step sends the checksum of a body in any way.
fn brings_checksum(step: &Step) -> bool {
    let is_checksum = |name: &str| {
        let name = name.to_ascii_lowercase();
        let kind = name.strip_prefix("x-amz-checksum-");
        kind.is_some_and(|kind| CHECKSUMS.iter().any(|(word, _)| *word == kind))
    };
    step.checksum.is_some() || step.headers.iter().any(|(name, _)| is_checksum(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_product_has_each_cell_once(sizes in prop::collection::vec(1_usize..5, 0..5)) {
            let cells = product(&sizes);
            prop_assert_eq!(cells.len(), sizes.iter().product::<usize>());
            let distinct: BTreeSet<&Vec<usize>> = cells.iter().collect();
            prop_assert_eq!(distinct.len(), cells.len());
            prop_assert!(cells.is_sorted(), "axes in declared order, the last one fastest");
        }
    }
}
