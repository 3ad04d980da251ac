//! What a step does, in words.

use crate::scenario::definition::{ActsOn, Payload, Scheme, Ssec, Step, Style, Text};

/// What a step does, in words, such as `PUT doc with key alice, key-md5 dropped`.
#[must_use]
pub fn action(step: &Step) -> String {
    let verb = step.operation.verb();
    let listed = step.objects.join(", ");
    let object = match verb.acts_on {
        ActsOn::Bucket => "the bucket",
        ActsOn::Objects => &listed,
        ActsOn::Object | ActsOn::Prefix if step.object.is_empty() => "everything",
        ActsOn::Object | ActsOn::Prefix => &step.object,
    };
    let of_version = |version: &Option<Text>| match version {
        None => String::new(),
        Some(Text::Capture(name)) => format!(" version ${name}"),
        Some(Text::Literal(id)) => format!(" version {id}"),
    };
    let mut words = verb.says.to_owned();
    if let Some(source) = &step.source {
        words.push_str(&format!(" {source}{} to", of_version(&step.source_version)));
    }
    if let Some(part) = step.part {
        words.push_str(&format!(" part {part} of"));
    }
    if let Some(preflight) = &step.preflight {
        words.push_str(&format!(" {}", preflight.method));
    }
    words.push_str(&format!(" {object}{}", of_version(&step.version)));
    if let Some(preflight) = &step.preflight {
        words.push_str(&format!(" from {}", preflight.origin));
        return words;
    }
    if verb.acts_on == ActsOn::Bucket {
        return words;
    }
    match &step.ssec {
        Some(ssec) => words.push_str(&format!(" with key {}{}", ssec.key, spoilt(ssec))),
        None => words.push_str(" without a key"),
    }
    match (&step.source, &step.source_ssec) {
        (Some(_), Some(ssec)) => {
            words.push_str(&format!(", source key {}{}", ssec.key, spoilt(ssec)));
        }
        (Some(_), None) => words.push_str(", no source key"),
        (None, _) => {}
    }
    if step.presign.is_some() {
        words.push_str(", presigned");
    }
    if step.scheme == Scheme::Http {
        words.push_str(", without TLS");
    }
    words.push_str(pinned(step));
    words
}

/// How a step travels in every run.
const fn pinned(step: &Step) -> &'static str {
    match (step.style, step.payload) {
        (_, Some(Payload::Unsigned)) => ", body unsigned",
        (_, Some(Payload::Chunked)) => ", body in signed chunks",
        (_, Some(Payload::Signed)) => ", body signed",
        (Some(Style::VirtualHost), None) => ", bucket in the host",
        (Some(Style::Path), None) => ", bucket in the path",
        (None, None) => "",
    }
}

/// What is wrong with a triple on purpose.
fn spoilt(ssec: &Ssec) -> String {
    let mut words = String::new();
    for header in &ssec.drop {
        words.push_str(&format!(", {} not sent", header.alias()));
    }
    for (header, mutation) in &ssec.mutate {
        words.push_str(&format!(", {} spoilt: {mutation:?}", header.alias()));
    }
    for header in ssec.raw.keys() {
        words.push_str(&format!(", {} raw", header.alias()));
    }
    words
}
