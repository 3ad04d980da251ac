//! What is wrong with a case as a whole, although each of its steps can be read.

use std::collections::{BTreeMap, BTreeSet};

use super::definition::{Operation, Step, Trial};
use super::document::Case;
use super::matrix::Expanded;
use crate::oracle::{Class, Outcomes};
use crate::yaml::{Code, Reader};

/// Characters of the longest title: it is one line of a report.
const MAX_TITLE: usize = 90;

/// Judges one case; `outcomes` tell which steps are refusals.
pub(super) fn lint(
    case: &Case,
    expanded: &[Expanded],
    outcomes: Option<&Outcomes>,
    reader: &mut Reader<'_>,
) {
    for Expanded { trial, .. } in expanded {
        title(case, &trial.title, reader);
    }
    same_requests(case, expanded, reader);
    if let Some(outcomes) = outcomes {
        controls(expanded, outcomes, reader);
    }
}

fn title(case: &Case, title: &str, reader: &mut Reader<'_>) {
    let length = title.chars().count();
    let mut refuse = |message: String, note: &str| {
        let error = reader.error_at(Code::Title, &case.title, message);
        reader.push(error.note(note));
    };
    if length > MAX_TITLE {
        let message = format!("a title of {length} characters; at most {MAX_TITLE} fit a report");
        refuse(message, "the details belong into the steps and the source");
    }
    let words = title.split(|c: char| !c.is_alphanumeric());
    if words
        .into_iter()
        .any(|word| word.eq_ignore_ascii_case("should"))
    {
        let message = "a title says what is so, without `should`".to_owned();
        refuse(message, "how binding it is stands in `level`");
    }
    if title.ends_with('.') {
        refuse(
            "a title ends without a full stop".to_owned(),
            "it stands within other lines",
        );
    }
}

fn same_requests(case: &Case, expanded: &[Expanded], reader: &mut Reader<'_>) {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for Expanded {
        trial, requests, ..
    } in expanded
    {
        if let Some(earlier) = seen.insert(requests, &trial.name) {
            let message = format!(
                "two cells send the same requests: {earlier} and {}",
                trial.name
            );
            let error = reader.error(Code::SameRequests, case.id_span, message);
            reader.push(
                error.note(
                    "a second cell proves nothing more; remove it, or leave it out with `skip`",
                ),
            );
        }
    }
}

/// Each refusal needs a request of the same kind that is served, in the same case: otherwise a
/// target that refuses everything passes.
fn controls(expanded: &[Expanded], outcomes: &Outcomes, reader: &mut Reader<'_>) {
    let class = |step: &Step| {
        step.expect
            .outcome
            .as_deref()
            .and_then(|name| outcomes.get(name))
            .map(|o| o.class)
    };
    let steps =
        |trial: &Trial| -> Vec<Step> { trial.given.iter().chain(&trial.steps).cloned().collect() };
    let served: BTreeSet<Operation> = expanded
        .iter()
        .flat_map(|expanded| steps(&expanded.trial))
        .filter(|step| class(step) == Some(Class::Served))
        .map(|step| step.operation)
        .collect();
    for Expanded {
        trial,
        expectations,
        ..
    } in expanded
    {
        for (step, at) in steps(trial).iter().zip(expectations) {
            let refused = matches!(class(step), Some(Class::Refused | Class::Withheld));
            if refused
                && !controlling(step.operation)
                    .iter()
                    .any(|op| served.contains(op))
            {
                let word = step.operation.word();
                let message = format!("refusal of `{word}` has no control in this case");
                let error = reader.error(Code::NoControl, *at, message);
                reader.push(error.note(format!(
                    "add a `{word}` that is served, as a step or as a cell of the matrix: a target \
                     that refuses everything would pass"
                )));
            }
        }
    }
}

/// The operations whose success shows that a refusal was not for another reason. A GET shows all that
/// a HEAD does.
fn controlling(operation: Operation) -> Vec<Operation> {
    if operation == Operation::Head {
        return vec![Operation::Head, Operation::Get];
    }
    vec![operation]
}
