//! A trial's requests and expectations as one text, so that two of them can be compared.
//!
//! Names of keys and bodies stand beside what they are; titles, levels, sources and places are left
//! out: rewording a case does not change what it asks. Each value is quoted, so that no two trials
//! can share a text.

use std::fmt::Write as _;

use aws_lc_rs::digest::{self, SHA256};

use super::definition::{
    CaptureFrom, Echo, Expect, Mutation, Scheme, Ssec, SsecHeader, Step, Text, Trial,
};

/// SHA-256 in hex of `text`.
pub(super) fn sha256(text: &[u8]) -> String {
    hex::encode(digest::digest(&SHA256, text))
}

/// SHA-256 in hex over requests and expectations.
pub(super) fn digest(trial: &Trial) -> String {
    let mut text = requests(trial);
    for step in trial.given.iter().chain(&trial.steps) {
        expectation(&mut text, trial, &step.expect);
        if let Some(seconds) = step.eventually {
            text.push_str(&format!("eventually {seconds}\n"));
        }
    }
    sha256(text.as_bytes())
}

/// The requests alone.
pub(super) fn requests(trial: &Trial) -> String {
    let mut text = String::new();
    for step in &trial.given {
        text.push_str("given\n");
        request(&mut text, trial, step);
    }
    for step in &trial.steps {
        text.push_str("step\n");
        request(&mut text, trial, step);
    }
    text
}

/// Appends `name value…` as one line.
macro_rules! line {
    ($text:expr, $($arg:tt)*) => {
        writeln!($text, $($arg)*).expect("writing to a String cannot fail")
    };
}

fn request(out: &mut String, trial: &Trial, step: &Step) {
    line!(out, "{} {:?}", step.operation.word(), step.object);
    if let Some(name) = &step.body {
        line!(out, "body {}", body(trial, name));
    }
    if let Some(ssec) = &step.ssec {
        triple(out, trial, ssec);
    }
    place(out, trial, step);
    for (name, value) in &step.headers {
        line!(out, "header {name:?} {}", text(value));
    }
    if let Some(md5) = step.content_md5 {
        line!(
            out,
            "content-md5 {}",
            match md5 {
                super::definition::ContentMd5::Right => "right",
                super::definition::ContentMd5::Wrong => "wrong",
            }
        );
    }
    if let Some(checksum) = step.checksum {
        line!(out, "checksum {}", checksum.word());
    }
    if let Some(range) = step.range {
        line!(out, "range {range}");
    }
    if let Some(presign) = &step.presign {
        line!(
            out,
            "presign {} in-query {}",
            headers(&presign.sign),
            headers(&presign.query)
        );
        line!(out, "expires {} age {}", presign.expires, presign.age);
        if let Some(name) = &presign.signed_as {
            line!(out, "signed-as {}", key(trial, name));
        }
    }
    if let Some(sign) = &step.sign {
        line!(out, "sign {}", headers(sign));
    }
    if step.scheme == Scheme::Http {
        line!(out, "scheme http");
    }
    if let Some(style) = step.style {
        line!(out, "style {}", style.word());
    }
    if let Some(payload) = step.payload {
        line!(out, "payload {}", payload.word());
    }
    for capture in &step.save {
        line!(
            out,
            "save {:?} {}",
            capture.name,
            match &capture.from {
                CaptureFrom::Header(name) => format!("header {name:?}"),
                CaptureFrom::Xml(path) => format!("xml {path:?}"),
                CaptureFrom::Status => "status".to_owned(),
                CaptureFrom::BodySha256 => "body.sha256".to_owned(),
            }
        );
    }
}

/// What of the target a request is about, beside its object.
fn place(out: &mut String, trial: &Trial, step: &Step) {
    if let Some(version) = &step.version {
        line!(out, "version {}", text(version));
    }
    if let Some(setting) = step.setting {
        line!(out, "setting {setting:?}");
    }
    if let Some(document) = &step.document {
        line!(out, "document {document:?}");
    }
    if let Some(form) = &step.form {
        line!(out, "form {form:?}");
    }
    if let Some(preflight) = &step.preflight {
        line!(out, "preflight {preflight:?}");
    }
    for object in &step.objects {
        line!(out, "one of them {object:?}");
    }
    for (name, value) in &step.tags {
        line!(out, "tag {name:?} {value:?}");
    }
    if let Some(source) = &step.source {
        line!(out, "source {source:?}");
    }
    if let Some(version) = &step.source_version {
        line!(out, "version of the source {}", text(version));
    }
    if let Some(ssec) = &step.source_ssec {
        line!(out, "of the source");
        triple(out, trial, ssec);
    }
    if let Some(upload) = &step.upload {
        line!(out, "upload {}", text(upload));
    }
    if let Some(part) = step.part {
        line!(out, "part {part}");
    }
    if let Some(parts) = &step.parts {
        line!(out, "parts {parts:?}");
    }
}

fn triple(out: &mut String, trial: &Trial, ssec: &Ssec) {
    line!(
        out,
        "ssec {} drop {}",
        key(trial, &ssec.key),
        headers(&ssec.drop)
    );
    for (header, mutation) in &ssec.mutate {
        line!(
            out,
            "mutate {} {}",
            header.alias(),
            mutation_word(*mutation)
        );
    }
    for (header, bytes) in &ssec.raw {
        line!(out, "raw {} {}", header.alias(), hex::encode(bytes));
    }
}

fn expectation(out: &mut String, trial: &Trial, expect: &Expect) {
    line!(
        out,
        "expect {}",
        expect.outcome.as_deref().unwrap_or("observe")
    );
    match &expect.echo {
        None => {}
        Some(Echo::None) => line!(out, "echo none"),
        Some(Echo::Key(name)) => line!(out, "echo {}", key(trial, name)),
    }
    for piece in expect.body.iter().flatten() {
        line!(out, "body {}", body(trial, &piece.body));
        if let Some(range) = piece.range {
            line!(out, "of it {range}");
        }
    }
    if let Some(name) = &expect.length_of {
        line!(out, "length-of {}", body(trial, name));
    }
    if let Some(etag) = &expect.etag {
        line!(out, "etag {}", text(etag));
    }
    if expect.etag_fact {
        line!(out, "etag-fact");
    }
    for (name, value) in &expect.headers {
        line!(out, "header {name:?} {}", text(value));
    }
    if let Some((checksum, name)) = &expect.checksum {
        line!(out, "checksum {} of {}", checksum.word(), body(trial, name));
    }
    for (path, value) in &expect.xml {
        line!(out, "xml {path:?} {}", text(value));
    }
    for name in &expect.absent {
        line!(out, "absent {name:?}");
    }
    if let Some(exposes) = &expect.exposes {
        line!(out, "exposes {exposes:?}");
    }
    entries(out, trial, expect);
    for name in &expect.missing {
        line!(out, "missing {name:?}");
    }
    for (name, one_off) in &expect.dialect {
        line!(
            out,
            "dialect {name:?} {} {:?}",
            one_off.status,
            one_off.code
        );
    }
}

/// What a list must hold.
fn entries(out: &mut String, trial: &Trial, expect: &Expect) {
    for entry in &expect.entries {
        let size_of = entry.size_of.as_deref().map(|name| body(trial, name));
        line!(
            out,
            "entry {:?} {size_of:?} {:?}",
            entry.object,
            entry.etag.as_ref().map(text)
        );
        if let Some(version) = &entry.version {
            line!(out, "entry version {}", text(version));
        }
        if entry.marker.is_some() || entry.latest.is_some() {
            line!(
                out,
                "entry marker {:?} latest {:?}",
                entry.marker,
                entry.latest
            );
        }
    }
}

fn key(trial: &Trial, name: &str) -> String {
    let spec = trial.keys.get(name).cloned().unwrap_or_default();
    format!("{name:?} {:?} {:?}", spec.fill, spec.base64_has)
}

fn body(trial: &Trial, name: &str) -> String {
    let spec = trial.bodies.get(name).map(|spec| (spec.size, spec.seed));
    format!("{name:?} {spec:?}")
}

fn text(text: &Text) -> String {
    match text {
        Text::Literal(text) => format!("{text:?}"),
        Text::Capture(name) => format!("captured {name:?}"),
    }
}

fn headers<'a>(set: impl IntoIterator<Item = &'a SsecHeader>) -> String {
    let words: Vec<&str> = set.into_iter().map(|header| header.alias()).collect();
    format!("[{}]", words.join(" "))
}

fn mutation_word(mutation: Mutation) -> String {
    if let Mutation::Length(length) = mutation {
        return format!("len-{length}");
    }
    let word = super::triple::MUTATIONS
        .iter()
        .find(|(_, other)| *other == mutation);
    word.map_or_else(String::new, |(word, _)| (*word).to_owned())
}
