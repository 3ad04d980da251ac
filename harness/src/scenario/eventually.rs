//! `eventually`: how long the answer to a read may take to become what is expected.
//!
//! It waits for what a target is still to show or to forget, never for a key to be refused: who
//! serves a wrong key for a second has served it.

use super::definition::{Expect, Operation};
use super::names::Names;
use super::step::only;
use crate::oracle::Class;
use crate::yaml::{Code, Fields, Reader};

/// Seconds that a step may wait at most: a run must end.
pub(super) const MAX_SECONDS: u32 = 300;

/// Operations that change nothing, so that asking again judges nothing twice.
const READS: [Operation; 8] = [
    Operation::Get,
    Operation::Head,
    Operation::List,
    Operation::ListParts,
    Operation::ListUploads,
    Operation::ListVersions,
    Operation::GetAttributes,
    Operation::GetTagging,
];

/// Refusals that say that something is not there, or no longer.
const GONE: [&str; 3] = ["no-such-key", "no-such-version", "no-such-upload"];

/// Decodes the field of a step; `None` where it is absent or a mistake.
pub(super) fn seconds(
    operation: Operation,
    fields: &mut Fields<'_>,
    expect: Option<&Expect>,
    names: &Names<'_>,
    reader: &mut Reader<'_>,
) -> Option<u32> {
    let pair = fields.pair("eventually");
    let node = only(operation, &READS, pair, reader)?;
    let seconds = reader.seconds(node, "`eventually`")?;
    if seconds == 0 || seconds > MAX_SECONDS {
        let message = format!("`eventually` is between 1 s and {MAX_SECONDS} s");
        let error = reader.error_at(Code::BadValue, node, message);
        reader.push(error);
        return None;
    }
    let name = expect?.outcome.as_deref();
    let class = name.and_then(|name| names.world.outcomes?.get(name));
    let waits = class.is_some_and(|outcome| outcome.class == Class::Served)
        || name.is_some_and(|name| GONE.contains(&name));
    // Where the outcomes themselves have mistakes, those are told.
    if !waits && names.world.outcomes.is_some() {
        let message = "`eventually` waits for what is served or gone, not for another refusal";
        let error = reader.error_at(Code::Contradiction, node, message);
        reader.push(error.note(format!(
            "it belongs to outcomes that are served, and to {}: a key that is served for a moment \
             has been served",
            GONE.join(", ")
        )));
        return None;
    }
    Some(seconds)
}
