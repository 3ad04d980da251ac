//! One provider's exact answers and facts, each with evidence: `dialects/NAME.yaml`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::evidence::sources;
use super::outcome::{Class, Outcomes};
use crate::scenario::definition::{LATER_OPERATIONS, OPERATIONS, Operation, Source};
use crate::yaml::{self, Code, Diagnostics, Node, Pair, Reader, SourceFile};

/// What a dialect answers, by evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// This status and, where there is a body to carry it, this code.
    Exactly { status: u16, code: Option<String> },
    /// The request is carried out although its outcome's class says otherwise (`accepted: true`).
    Accepted,
}

/// One answer of a dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub reply: Reply,
    /// The operations it was seen on; `None` means all.
    pub ops: Option<BTreeSet<Operation>>,
    /// At least one.
    pub evidence: Vec<Source>,
}

/// Whether the algorithm and the key MD5 come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EchoFact {
    Pair,
    None,
}

/// What the entity tag of an SSE-C object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EtagFact {
    /// Not the MD5 of the plaintext.
    Opaque,
    /// The MD5 of the plaintext.
    Md5,
}

/// What version ids look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionIdFact {
    Opaque,
    /// Microseconds since 1970 in decimal.
    Microseconds,
}

/// What a dialect says about answers that are not refusals; `None` where nothing is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    pub echo: Option<EchoFact>,
    pub etag: Option<EtagFact>,
    pub version_id: Option<VersionIdFact>,
    /// At least one if any fact is set.
    pub evidence: Vec<Source>,
}

/// One provider's answers.
#[derive(Debug, Clone)]
pub struct Dialect {
    name: String,
    compare_to: Option<String>,
    facts: Facts,
    /// An outcome has several when operations differ; their operations do not overlap.
    answers: BTreeMap<String, Vec<Answer>>,
    unrecorded: BTreeMap<String, String>,
}

impl Dialect {
    /// Reads `dialects/NAME.yaml`; `known` are the names of all dialects. Without outcomes (their
    /// file has mistakes) their names are not checked.
    ///
    /// # Errors
    /// Every mistake of the file, an answer or a fact without evidence among them.
    pub fn decode(
        file: &Arc<SourceFile>,
        outcomes: Option<&Outcomes>,
        known: &BTreeSet<String>,
    ) -> Result<Self, Diagnostics> {
        let root = yaml::parse(file)?;
        let mut reader = Reader::new(file);
        let dialect = dialect(&root, outcomes, known, &mut reader);
        let diagnostics = reader.finish();
        match dialect {
            Some(dialect) => diagnostics.into_result(dialect),
            None => Err(diagnostics),
        }
    }

    /// Such as `aws`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The dialect that differences are noted against.
    #[must_use]
    pub fn compare_to(&self) -> Option<&str> {
        self.compare_to.as_deref()
    }

    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The recorded answer, if there is one for this operation.
    #[must_use]
    pub fn answer(&self, outcome: &str, operation: Operation) -> Option<&Answer> {
        self.answers.get(outcome)?.iter().find(|answer| {
            answer
                .ops
                .as_ref()
                .is_none_or(|ops| ops.contains(&operation))
        })
    }

    /// Why there is no answer, where the file says so.
    #[must_use]
    pub fn unrecorded(&self, outcome: &str) -> Option<&str> {
        self.unrecorded.get(outcome).map(String::as_str)
    }
}

fn dialect(
    root: &Node,
    outcomes: Option<&Outcomes>,
    known: &BTreeSet<String>,
    reader: &mut Reader<'_>,
) -> Option<Dialect> {
    let mut fields = reader.fields(root, "a dialect")?;
    let name = fields
        .required("dialect", reader)
        .and_then(|node| own_name(node, reader));
    let compare_to = fields.optional("compare-to");
    let compare_to = compare_to.and_then(|node| other_name(node, name, known, reader));
    let facts = fields
        .optional("facts")
        .and_then(|node| facts(node, reader));
    let answers = fields.optional("answers");
    let unrecorded = fields.optional("unrecorded");
    fields.finish(reader);

    let mut decoded = BTreeMap::new();
    for pair in named(answers, "`answers`", reader) {
        check_outcome(pair, outcomes, reader);
        let class = outcomes
            .and_then(|all| all.get(&pair.key.text))
            .map(|outcome| outcome.class);
        let mut list: Vec<Answer> = Vec::new();
        for node in Reader::one_or_list(&pair.value) {
            let Some(answer) = answer(node, &pair.key.text, class, reader) else {
                continue;
            };
            if list
                .iter()
                .any(|earlier| overlap(earlier.ops.as_ref(), answer.ops.as_ref()))
            {
                let message = format!("`{}` has two answers for one operation", pair.key.text);
                let error = reader.error_at(Code::Contradiction, node, message);
                reader.push(error.note("give each answer the `ops` that it was seen on"));
            }
            list.push(answer);
        }
        decoded.insert(pair.key.text.clone(), list);
    }
    let mut reasons = BTreeMap::new();
    for pair in named(unrecorded, "`unrecorded`", reader) {
        check_outcome(pair, outcomes, reader);
        let all_operations = decoded
            .get(&pair.key.text)
            .is_some_and(|answers| answers.iter().any(|answer| answer.ops.is_none()));
        if all_operations {
            let message = format!("`{}` is both answered and unrecorded", pair.key.text);
            let error = reader.error(Code::Contradiction, pair.key_span, message);
            reader.push(error);
        }
        if let Some(reason) = reader.text(&pair.value, "the reason") {
            reasons.insert(pair.key.text.clone(), reason.to_owned());
        }
    }
    Some(Dialect {
        name: name?.to_owned(),
        compare_to: compare_to.map(str::to_owned),
        facts: facts.unwrap_or_default(),
        answers: decoded,
        unrecorded: reasons,
    })
}

/// A dialect's name is its file's name.
fn own_name<'n>(node: &'n Node, reader: &mut Reader<'_>) -> Option<&'n str> {
    let name = reader.text(node, "`dialect`")?;
    if reader.file().stem() != name {
        let message = format!("dialect `{name}` stands in a file of another name");
        let error = reader.error_at(Code::BadValue, node, message);
        reader.push(error.note(format!("call the file `{name}.yaml`")));
    }
    Some(name)
}

fn other_name<'n>(
    node: &'n Node,
    own: Option<&str>,
    known: &BTreeSet<String>,
    reader: &mut Reader<'_>,
) -> Option<&'n str> {
    let other = reader.text(node, "`compare-to`")?;
    let others: Vec<&str> = known
        .iter()
        .map(String::as_str)
        .filter(|name| Some(*name) != own)
        .collect();
    if !others.contains(&other) {
        let message = format!("`{other}` is no other dialect");
        reader.unknown(Code::UnknownName, node.span, message, other, others);
    }
    Some(other)
}

fn named<'n>(node: Option<&'n Node>, what: &str, reader: &mut Reader<'_>) -> &'n [Pair] {
    node.and_then(|node| reader.named(node, what))
        .unwrap_or_default()
}

fn check_outcome(pair: &Pair, outcomes: Option<&Outcomes>, reader: &mut Reader<'_>) {
    let name = pair.key.text.as_str();
    if let Some(outcomes) = outcomes.filter(|all| all.get(name).is_none()) {
        let message = format!("outcome `{name}` is not in `outcomes.yaml`");
        reader.unknown(
            Code::UnknownName,
            pair.key_span,
            message,
            name,
            outcomes.names(),
        );
    }
}

fn overlap(a: Option<&BTreeSet<Operation>>, b: Option<&BTreeSet<Operation>>) -> bool {
    a.zip(b).is_none_or(|(a, b)| !a.is_disjoint(b))
}

fn facts(node: &Node, reader: &mut Reader<'_>) -> Option<Facts> {
    let mut fields = reader.fields(node, "the facts")?;
    let caret = fields.caret();
    let echo = [("pair", EchoFact::Pair), ("none", EchoFact::None)];
    let etag = [("opaque", EtagFact::Opaque), ("md5", EtagFact::Md5)];
    let version_id = [
        ("opaque", VersionIdFact::Opaque),
        ("microseconds", VersionIdFact::Microseconds),
    ];
    let facts = Facts {
        echo: fields
            .optional("echo")
            .and_then(|node| reader.choice(node, "`echo`", &echo)),
        etag: fields
            .optional("etag")
            .and_then(|node| reader.choice(node, "`etag`", &etag)),
        version_id: fields
            .optional("version-id")
            .and_then(|node| reader.choice(node, "`version-id`", &version_id)),
        evidence: fields
            .optional("evidence")
            .map(|node| sources(node, "`evidence`", reader))
            .unwrap_or_default(),
    };
    fields.finish(reader);
    if facts.evidence.is_empty() {
        let error = reader.error(Code::NoEvidence, caret, "the facts have no evidence");
        reader.push(error.note("leave out what nobody has recorded: it is then not judged"));
    }
    Some(facts)
}

fn answer(
    node: &Node,
    outcome: &str,
    class: Option<Class>,
    reader: &mut Reader<'_>,
) -> Option<Answer> {
    let mut fields = reader.fields(node, "an answer")?;
    let caret = fields.caret();
    let status = fields.optional("status");
    let code = fields.optional("code");
    let accepted = fields.optional("accepted");
    let ops = fields.optional("ops").map(|node| operations(node, reader));
    let evidence = fields
        .optional("evidence")
        .map(|node| sources(node, "`evidence`", reader))
        .unwrap_or_default();
    fields.finish(reader);
    if evidence.is_empty() {
        let message = format!("answer `{outcome}` has no evidence");
        let error = reader.error(Code::NoEvidence, caret, message);
        reader.push(error.note("without evidence, put it under `unrecorded` with the reason"));
    }
    let reply = match (accepted, status) {
        (Some(node), None) => {
            if !reader.truth(node, "`accepted`")? {
                let error = reader.error_at(Code::BadValue, node, "`accepted` can only be `true`");
                reader.push(error.note("a refusal is written as `status` and `code`"));
                return None;
            }
            if let Some(code) = code {
                let message = "`accepted` and `code` exclude each other";
                let error = reader.error_at(Code::Contradiction, code, message);
                reader.push(error);
            }
            if class == Some(Class::Served) {
                let message = format!("`{outcome}` is served anyway: nothing is lowered here");
                let error = reader.error_at(Code::Contradiction, node, message);
                reader.push(error);
            }
            Reply::Accepted
        }
        (None, Some(node)) => {
            let status = status_of(node, outcome, class, reader);
            let code = code.map(|node| reader.text(node, "`code`"));
            Reply::Exactly {
                status: status?,
                code: code.flatten().map(str::to_owned),
            }
        }
        (Some(_), Some(_)) | (None, None) => {
            let message = "an answer has either `status`, with or without `code`, or `accepted`";
            let error = reader.error(Code::Contradiction, caret, message);
            reader.push(error);
            return None;
        }
    };
    Some(Answer {
        reply,
        ops,
        evidence,
    })
}

/// A status line's number, which must keep the class of its outcome.
fn status_of(
    node: &Node,
    outcome: &str,
    class: Option<Class>,
    reader: &mut Reader<'_>,
) -> Option<u16> {
    let status: u16 = reader.whole(node, "`status`")?;
    let refusal = (400..500).contains(&status) || status == 501;
    let (fits, wanted) = match class {
        None => ((200..600).contains(&status), "200 to 599"),
        Some(Class::Served) => ((200..300).contains(&status), "2xx"),
        Some(Class::Refused) => (refusal, "4xx or 501"),
        Some(Class::Withheld) => (refusal || status == 304, "4xx, 501 or 304"),
    };
    if !fits {
        let message = format!("status {status} contradicts outcome `{outcome}`, which is {wanted}");
        let error = reader.error_at(Code::Contradiction, node, message);
        reader.push(error.note("an accepted request is written as `accepted: true`"));
    }
    fits.then_some(status)
}

fn operations(node: &Node, reader: &mut Reader<'_>) -> BTreeSet<Operation> {
    let Some(items) = reader.list(node, "`ops`") else {
        return BTreeSet::new();
    };
    if items.is_empty() {
        let error = reader.error_at(Code::BadValue, node, "`ops` names no operation");
        reader.push(error.note("leave it out if the answer holds for all operations"));
    }
    let mut operations = BTreeSet::new();
    for item in items {
        // What is recorded about operations that come later is kept in the file: nobody asks yet.
        let word = reader.word(item, "an operation");
        if word.is_some_and(|word| !LATER_OPERATIONS.contains(&word)) {
            let words = OPERATIONS.map(|verb| (verb.word, verb.operation));
            operations.extend(reader.choice(item, "an operation", &words));
        }
    }
    operations
}
