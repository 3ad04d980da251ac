//! All checks of one step: what it expects, and what holds for every answer.
//!
//! Pure: the runner resolves names and captures beforehand and sends whatever proof an answer
//! needs; this puts expectation and answer side by side. All checks of a step are made, also when
//! the status is wrong already.

use bytes::Bytes;

use super::body::{self, WantedEntry};
use super::leak::{self, Leak, Leaked};
use super::status::{self, Answered, Backing, Kind};
use super::{Check, Show, Weight, cross_origin, header};
use crate::oracle::{Class, Facts, Ruling};
use crate::payload::Named;
use crate::random::Seed;
use crate::s3::checksum;
use crate::s3::error_document::error_document;
use crate::scenario::definition::{Checksum, Echo, Operation, Step};
use crate::ssec::forms::Secret;
use crate::ssec::{Keyring, TrialKeys};
use crate::transport::Exchange;

/// What stays the same over a trial.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub run: Seed,
    pub keyring: &'a Keyring,
    pub keys: &'a TrialKeys,
    pub facts: &'a Facts,
    pub dialect: &'a str,
    /// The trial's declared bodies.
    pub bodies: &'a [Named<'a>],
    pub show: Show<'a>,
}

/// One step with every name and capture resolved.
pub struct Question<'a> {
    pub step: &'a Step,
    /// `None` for `observe`.
    pub ruling: Option<Ruling<'a>>,
    pub backing: Backing,
    /// Whether the request carried any SSE-C header, in headers or query.
    pub sent_ssec: bool,
    /// The bytes that [`Step::expect`] wants for a body, cut to the step's range.
    pub body: Option<Bytes>,
    /// The size that the answer must announce, cut to the step's range, and whose it is.
    pub length: Option<(u64, &'a str)>,
    pub etag: Option<Vec<u8>>,
    /// MD5 (hex) of the object's plaintext, where it is known.
    pub plaintext_md5: Option<String>,
    /// Kind and value of the checksum that the answer must show.
    pub checksum: Option<(Checksum, String)>,
    /// Texts of the answer's document, by path.
    pub xml: Vec<(String, Vec<u8>)>,
    pub headers: Vec<(String, Vec<u8>)>,
    pub entries: Vec<WantedEntry>,
    /// What a list must not hold, as the scenario and as the target calls it.
    pub missing: Vec<(String, String)>,
    /// Bodies of which this answer must not hold a block.
    pub hidden: Vec<Named<'a>>,
}

/// What a step's answer came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    pub kind: Kind,
    /// Status and code, shown safely.
    pub answer: String,
    pub checks: Vec<Check>,
    pub notes: Vec<String>,
    pub waivers: Vec<String>,
}

/// Sorts an answer and reads its code.
#[must_use]
pub fn answered(exchange: &Exchange, show: Show<'_>) -> Answered {
    let has_body = exchange.method != "HEAD";
    let document = Some(&exchange.body)
        .filter(|body| has_body && !body.is_empty())
        .and_then(|body| error_document(body));
    let is_object = exchange.method == "GET" && (200..300).contains(&exchange.status);
    // An object may well be an XML text of that form; only writes answer 200 with an error in it.
    let refuses = exchange.method == "OPTIONS" && cross_origin::refused(exchange).is_some();
    let error_root = !is_object && document.as_ref().is_some_and(|d| d.root == "Error");
    Answered {
        status: exchange.status,
        code: document
            .and_then(|document| document.code)
            .map(|code| show.text(code.as_bytes())),
        // What a browser takes for a refusal is one, whatever its status.
        kind: status::kind(exchange.status, error_root || refuses),
        has_body,
    }
}

/// Puts `question` and its answer side by side.
#[must_use]
pub fn evaluate(context: Context<'_>, question: &Question<'_>, exchange: &Exchange) -> Evaluation {
    let mut answered = answered(exchange, context.show);
    if answered.kind == Kind::Served {
        answered.code = None;
    }
    let step = question.step;
    let mut found = Evaluation {
        kind: answered.kind,
        answer: status::reply_words(answered.status, answered.code.as_deref()),
        checks: Vec::new(),
        notes: Vec::new(),
        waivers: Vec::new(),
    };
    if let Some(ruling) = &question.ruling {
        let one_off = step.expect.dialect.get(context.dialect);
        let judged = status::judge(
            ruling,
            one_off,
            context.dialect,
            step.operation,
            &answered,
            question.backing,
        );
        found.checks.extend(judged.checks);
        found.notes.extend(judged.notes);
        found.waivers.extend(judged.waivers);
    }
    expected_headers(&mut found, context, question, exchange);
    if answered.kind == Kind::Served {
        expected_content(&mut found, context, question, exchange);
    }
    let served = answered.kind == Kind::Served;
    found
        .checks
        .extend(leaks(context, &question.hidden, served, exchange));
    found
}

/// Echo, entity tag, and the single headers that the step names.
fn expected_headers(
    found: &mut Evaluation,
    context: Context<'_>,
    question: &Question<'_>,
    exchange: &Exchange,
) {
    let expect = &question.step.expect;
    let show = context.show;
    let served = found.kind == Kind::Served;
    match &expect.echo {
        Some(Echo::Key(name)) if served => {
            let md5 = context.keys.get(name).map(|key| key.md5_base64());
            let md5 = md5.unwrap_or_default();
            let echo = header::echo_of(exchange, name, &md5, context.facts.echo, show);
            found.checks.push(echo);
        }
        Some(Echo::None) => found.checks.push(header::no_echo(exchange, "echo", show)),
        Some(Echo::Key(_)) | None => {
            let unasked = header::no_echo(exchange, "false echo", show);
            let may = may_echo_unasked(question.step.operation);
            if served && !question.sent_ssec && !may && !unasked.ok {
                found.checks.push(unasked);
            }
        }
    }
    if let Some(exposed) = &expect.exposes {
        let check = cross_origin::exposes(exchange, exposed, show);
        found.checks.push(check);
    }
    let class = question.ruling.map(|ruling| ruling.outcome.class);
    if question.step.preflight.is_some() && class == Some(Class::Served) {
        found.checks.push(cross_origin::allows(exchange, show));
    }
    if let Some(etag) = &question.etag
        && matches!(found.kind, Kind::Served | Kind::NotModified)
    {
        found
            .checks
            .push(if tells_in_document(question.step.operation) {
                body::tells("etag", exchange, "ETag", etag, show)
            } else {
                header::etag_is(exchange, etag, show)
            });
    }
    for (name, value) in &question.headers {
        found
            .checks
            .push(header::value_is(exchange, name, value, show));
    }
    for name in &expect.absent {
        found.checks.push(header::is_absent(exchange, name, show));
    }
}

/// Whether an answer may name the key's MD5 although the request had none: about an upload that has
/// a key, without which it can be listed, completed and aborted, nobody has recorded the headers.
const fn may_echo_unasked(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::CompleteUpload | Operation::ListParts | Operation::AbortUpload
    )
}

/// Whether tag, length and checksum stand in the answer's document instead of its headers.
const fn tells_in_document(operation: Operation) -> bool {
    matches!(operation, Operation::GetAttributes)
}

/// Body, length, entity tag's kind and entries: of answers that were served.
fn expected_content(
    found: &mut Evaluation,
    context: Context<'_>,
    question: &Question<'_>,
    exchange: &Exchange,
) {
    let expect = &question.step.expect;
    if let Some(body) = &question.body {
        let pieces = expect.body.as_deref().unwrap_or_default();
        let names: Vec<String> = pieces.iter().map(ToString::to_string).collect();
        let names = names.join(" + ");
        let check = body::is_body(context.run, exchange, body, &names, context.bodies);
        found.checks.push(check);
    } else if let Some(why) = &exchange.cut {
        found.checks.push(
            Check::new("body", Weight::Requirement, false)
                .expected("a whole answer")
                .observed(format!("{} bytes, then {why}", exchange.body.len())),
        );
    }
    let in_document = tells_in_document(question.step.operation);
    if let Some((length, name)) = question.length {
        found.checks.push(if in_document {
            body::tells_length(exchange, length, name, context.show)
        } else {
            body::has_length(exchange, length, name, context.show)
        });
    }
    if let Some((kind, value)) = &question.checksum {
        found.checks.push(if in_document {
            let path = format!("Checksum.{}", checksum::element(*kind));
            body::tells("checksum", exchange, &path, value.as_bytes(), context.show)
        } else {
            let name = checksum::header(*kind);
            header::value_is(exchange, &name, value.as_bytes(), context.show)
        });
    }
    for (path, value) in &question.xml {
        let check = body::tells("document", exchange, path, value, context.show);
        found.checks.push(check);
    }
    if expect.etag_fact {
        let evidence: Vec<String> = context
            .facts
            .evidence
            .iter()
            .map(ToString::to_string)
            .collect();
        let check = question.plaintext_md5.as_ref().and_then(|md5| {
            header::etag_fact(
                exchange,
                md5,
                context.facts.etag,
                Some(evidence.join("; ")),
                context.show,
            )
        });
        match check {
            Some(check) => found.checks.push(check),
            None => found.notes.push(format!(
                "{} has nothing recorded about entity tags",
                context.dialect
            )),
        }
    }
    if let Some(list) = body::list_of(question.step.operation) {
        let seen = (list.read)(&exchange.body);
        let entries = body::has_entries(list, seen.as_deref(), &question.entries, context.show);
        found.checks.extend(entries);
        let without = body::has_not(seen.as_deref().unwrap_or_default(), &question.missing);
        found.checks.extend(without);
    }
}

/// The always-on check: no key and no hidden plaintext in the answer.
#[must_use]
pub fn leaks(
    context: Context<'_>,
    hidden: &[Named<'_>],
    served: bool,
    exchange: &Exchange,
) -> Vec<Check> {
    let mut checks: Vec<Check> = leak::keys(context.keyring, exchange)
        .iter()
        .filter_map(|found| key_leak(found, served))
        .collect();
    if !hidden.is_empty()
        && let Some(found) = leak::plaintext(context.run, exchange, hidden)
    {
        let body = match &found.what {
            Leaked::Plaintext { body } => body.as_str(),
            Leaked::Key { .. } => "a body",
        };
        checks.push(
            Check::new("leak", Weight::Leak, false)
                .expected(format!("nothing of {body} without its key"))
                .observed(format!("plaintext of {body} in {}", found.place)),
        );
    }
    if checks.is_empty() {
        let nothing = "no key and no plaintext that was not asked for with its key";
        checks.push(
            Check::new("leak", Weight::Leak, true)
                .expected(nothing)
                .observed("none"),
        );
    }
    checks
}

fn key_leak(found: &Leak, served: bool) -> Option<Check> {
    let Leaked::Key { secret, form } = &found.what else {
        return None;
    };
    let name = match secret {
        Secret::Key { name, .. } => format!("key {name}"),
        // The MD5 of a key is what the API echoes.
        Secret::KeyMd5 { .. } | Secret::Digest { .. } => return None,
        Secret::SecretAccessKey => "the secret access key".to_owned(),
        Secret::SessionToken => "the session token".to_owned(),
        // A refusal of a signature may well show the one that it refuses.
        Secret::Signature => return None,
    };
    // To its sender a refusal gives nothing away, but it may be logged or cached on the way.
    let weight = if found.own && !served {
        Weight::Should
    } else {
        Weight::Leak
    };
    Some(
        Check::new("leak", weight, false)
            .expected("no key in any answer")
            .observed(format!("{name} as {form} in {}", found.place)),
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn plain_show(bytes: &[u8]) -> String {
        bytes.escape_ascii().to_string()
    }

    fn put(status: u16, body: &[u8]) -> Answered {
        let mut exchange = Exchange::answered(status, &[], body);
        exchange.method = "PUT";
        answered(&exchange, Show(&plain_show))
    }

    #[test]
    fn an_error_document_in_a_success_is_a_refusal_of_a_write() {
        let error = b"<Error><Code>InternalError</Code></Error>";
        assert_eq!(put(200, error).kind, Kind::Refused);
        assert_eq!(put(200, b"").kind, Kind::Served);
        let read = answered(&Exchange::answered(200, &[], error), Show(&plain_show));
        assert_eq!(read.kind, Kind::Served);
    }

    #[test]
    fn a_refusals_code_is_read_from_its_document() {
        let error = b"<Error><Code>AccessDenied</Code></Error>";
        assert_eq!(put(403, error).code.as_deref(), Some("AccessDenied"));
        assert_eq!(put(403, b"no").code, None);
    }

    #[test]
    fn a_key_is_a_leak_unless_a_refusal_repeats_it_to_its_sender() {
        let leak = |own| Leak {
            what: Leaked::Key {
                secret: Secret::Key {
                    trial: "t".into(),
                    name: "alice".into(),
                },
                form: "base64",
            },
            place: "answer body at 1".to_owned(),
            own,
        };
        let weight = |own, served| key_leak(&leak(own), served).map(|check| check.weight);
        assert_eq!(weight(true, true), Some(Weight::Leak));
        assert_eq!(weight(false, true), Some(Weight::Leak));
        assert_eq!(weight(false, false), Some(Weight::Leak));
        assert_eq!(weight(true, false), Some(Weight::Should));
    }
}
