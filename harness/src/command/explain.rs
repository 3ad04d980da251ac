//! `ssec explain NAME`: a trial's steps as they are sent, and what each answer must be, and why.

use std::io::Write;
use std::sync::Arc;

use super::{Failure, World};
use crate::conformance::state::State;
use crate::conformance::step::{self, Place};
use crate::credentials::Credentials;
use crate::evidence::Redactor;
use crate::exit_code::ExitCode;
use crate::oracle::{Answer, Class, Floor, Oracle, Reply};
use crate::problem::Problem;
use crate::random::Seed;
use crate::s3::Bucket;
use crate::s3::form::UnsignedForm;
use crate::scenario::ambient::Axes;
use crate::scenario::catalog::Catalog;
use crate::scenario::definition::{FormFault, Payload, Scheme, Step, Style, Trial};
use crate::scenario::routines;
use crate::ssec::TrialKeys;
use crate::transport::Endpoint;

/// Explains the trial of that name to users of `dialect`; needs no target.
///
/// # Errors
/// When there is no such trial or dialect.
pub fn explain(
    name: &str,
    dialect: &str,
    scenarios: Option<&std::path::Path>,
    world: &World,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let catalog = match scenarios {
        Some(folder) => Catalog::read(&world.directory.join(folder))?,
        None => Catalog::embedded()?,
    };
    let oracle = catalog
        .oracle(dialect)
        .map_err(|unknown| Failure::new(Problem::UnknownName, unknown.to_string()))?;
    let named = |trials: &[Arc<Trial>]| trials.iter().find(|trial| trial.name == name).cloned();
    let trial = named(catalog.trials()).or_else(|| named(&Axes::all().expand(catalog.trials())));
    let Some(trial) = trial else {
        let alike = catalog.trials().iter().filter(|t| t.name.contains(name));
        let alike: Vec<&str> = alike.take(5).map(|trial| trial.name.as_str()).collect();
        let hint = if alike.is_empty() {
            "`ssec test --list` prints all names".to_owned()
        } else {
            format!("did you mean {}?", alike.join(", "))
        };
        let message = format!("there is no trial called {name}");
        return Err(Failure::new(Problem::NothingSelected, message).hint(hint));
    };
    let trial = &*trial;
    let keys = world.keyring.draw(trial)?;
    let shown = Shown {
        trial,
        keys: &keys,
        state: State::of_placeholders(trial),
        redactor: Redactor::new(&world.keyring, &Credentials::new("", "", None)),
    };
    write_trial(&shown, &oracle, out)?;
    Ok(ExitCode::AsExpected)
}

/// A trial whose requests are shown and never sent: keys by their names, captures by theirs.
struct Shown<'a> {
    trial: &'a Trial,
    keys: &'a TrialKeys,
    state: State,
    redactor: Redactor<'a>,
}

fn write_trial(shown: &Shown<'_>, oracle: &Oracle, out: &mut dyn Write) -> Result<(), Failure> {
    let trial = shown.trial;
    writeln!(out, "{}  ({})", trial.name, trial.level)?;
    writeln!(out, "  {}", trial.title)?;
    for source in &trial.sources {
        writeln!(out, "  source: {source}")?;
    }
    let routine = trial.routine.map_or(&[][..], routines::says);
    for (number, says) in (1..).zip(routine) {
        writeln!(out, "\nby code {number}: {says}")?;
    }
    if trial.routine.is_some() {
        writeln!(out, "  at {}:{}", trial.at.file, trial.at.line)?;
    }
    let phases = [
        ("given", &trial.given),
        ("steps", &trial.steps),
        ("after a failure", &trial.diagnose),
    ];
    for (phase, steps) in phases {
        for (number, step) in steps.iter().enumerate() {
            writeln!(out, "\n{phase} {}: {}", number + 1, step::action(step))?;
            write_request(step, shown, out)?;
            write_step(step, oracle, out)?;
        }
    }
    Ok(())
}

/// The request as it is sent, but for what signing adds.
fn write_request(step: &Step, shown: &Shown<'_>, out: &mut dyn Write) -> Result<(), Failure> {
    let scheme = match step.scheme {
        Scheme::Endpoint => "https",
        Scheme::Http => "http",
    };
    let place = Place {
        bucket: Bucket {
            endpoint: Endpoint::parse(&format!("{scheme}://target"))?,
            style: step.style_under(shown.trial.ambient),
            name: "bucket".to_owned(),
            domain: None,
        },
        folder: "folder/",
        run: Seed(0),
    };
    let bucket_in_host = place.bucket.style == Style::VirtualHost;
    let ready = step::ready(step, shown.trial, &place, shown.keys, &shown.state)?;
    let text = |bytes: &[u8]| shown.redactor.text(bytes, &shown.trial.name);
    let request = &ready.request;
    let query = request.encoded_query();
    let mark = if query.is_empty() { "" } else { "?" };
    writeln!(out, "  > {} {}{mark}{query}", request.method, request.path)?;
    for (name, value) in &request.headers {
        writeln!(out, "  >   {name}: {}", text(value))?;
    }
    if let Some(form) = &ready.form {
        return write_form(form, &text, out);
    }
    for value in &ready.sent.values {
        let name = value.header.wire_name();
        let presign = step.presign.as_ref();
        let in_query = presign.is_some_and(|presign| presign.query.contains(&value.header));
        let place = if in_query { "in the query, " } else { "" };
        writeln!(out, "  >   {place}{name}: {}", text(&value.value))?;
    }
    if step.document.is_some() {
        writeln!(out, "  >   {}", text(&request.body))?;
    }
    if let Some(body) = &step.body {
        writeln!(out, "  >   [{body}, {} bytes]", request.body.len())?;
    }
    if bucket_in_host {
        writeln!(out, "  to the host {}", request.host)?;
    }
    match step.payload_under(shown.trial.ambient) {
        Payload::Signed => {}
        Payload::Unsigned => writeln!(out, "  the signature leaves the body out")?,
        Payload::Chunked => writeln!(out, "  the body goes in chunks, each signed")?,
    }
    if let Some(presign) = &step.presign {
        let signed = presign.sign.iter().map(|header| header.wire_name());
        let signed: Vec<&str> = signed.collect();
        let signed = if signed.is_empty() {
            "no SSE-C header".to_owned()
        } else {
            signed.join(", ")
        };
        let signer = presign.signed_as.as_ref();
        let signer = signer.map_or_else(String::new, |name| format!(" of key {name}"));
        writeln!(
            out,
            "  signed in the query over {signed}{signer}, {} s ago, for {} s",
            presign.age, presign.expires
        )?;
    }
    Ok(())
}

/// The fields of a form and what its policy says, but for the signature.
fn write_form(
    form: &UnsignedForm,
    text: &dyn Fn(&[u8]) -> String,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    for (name, value) in &form.fields {
        writeln!(out, "  >   field {name}: {}", text(value))?;
    }
    writeln!(out, "  >   file of {} bytes", form.file.len())?;
    let (expires, age) = (form.expires.as_secs(), form.age.as_secs());
    writeln!(
        out,
        "  policy signed {age} s ago, for {expires} s, with the conditions:"
    )?;
    for condition in &form.conditions {
        writeln!(out, "    {}", text(condition.to_string().as_bytes()))?;
    }
    match form.fault {
        None => {}
        Some(FormFault::Policy) => writeln!(out, "  the policy is changed after it was signed")?,
        Some(FormFault::Signature) => writeln!(out, "  the signature is wrong in its last digit")?,
        Some(FormFault::Cut) => writeln!(out, "  the body ends within the file")?,
    }
    Ok(())
}

fn write_step(step: &Step, oracle: &Oracle, out: &mut dyn Write) -> std::io::Result<()> {
    let at = &step.at;
    writeln!(out, "  at scenarios/{}:{}:{}", at.file, at.line, at.column)?;
    let Some(outcome) = &step.expect.outcome else {
        return writeln!(out, "  nothing is judged; the answer is recorded");
    };
    let Some(ruling) = oracle.ruling(outcome, step.operation) else {
        return writeln!(out, "  expects {outcome}, which is unknown");
    };
    writeln!(out, "  expects {outcome}: {}", ruling.outcome.says)?;
    if let Some(seconds) = step.eventually {
        writeln!(out, "  asked again for {seconds} s until it is so")?;
    }
    let class = match ruling.outcome.class {
        Class::Served => "served",
        Class::Refused => "refused",
        Class::Withheld => "refused or 304",
    };
    let floor = match ruling.outcome.floor(step.operation) {
        Floor::Served => "served",
        Floor::Refused => "refused",
        Floor::Withheld => "refused or 304",
        Floor::Sealed => "refused, or stored so that only that key opens it",
        Floor::Proved => "refused, or served because the right key was shown",
    };
    writeln!(out, "  must be {class}; with evidence for less, {floor}")?;
    let dialect = oracle.dialect();
    match (ruling.own, ruling.unrecorded) {
        (Some(answer), _) => writeln!(out, "  {dialect}: {}", answer_words(answer))?,
        (None, Some(why)) => writeln!(out, "  {dialect}: nothing recorded, {why}")?,
        (None, None) => writeln!(out, "  {dialect}: nothing recorded")?,
    }
    if let Some((other, answer)) = ruling.compare {
        writeln!(out, "  compare {other}: {}", answer_words(answer))?;
    }
    Ok(())
}

fn answer_words(answer: &Answer) -> String {
    let evidence: Vec<String> = answer.evidence.iter().map(ToString::to_string).collect();
    let reply = match &answer.reply {
        Reply::Exactly { status, code } => {
            crate::check::status::reply_words(*status, code.as_deref())
        }
        Reply::Accepted => "accepted".to_owned(),
    };
    format!("{reply} ({})", evidence.join("; "))
}
