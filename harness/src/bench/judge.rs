//! Whether an answer is what the operation should bring: bytes moved, or a class of failure, and
//! what damage there is. Pure.

use super::exchange::Answer;
use super::pool::Pool;
use super::workload::{Draw, Op, Verify};
use crate::s3::error_document::error_document;

/// What one operation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Bytes of object bodies that moved, or the class of failure.
    pub outcome: Result<u64, String>,
    /// First wrong byte, and what kind of damage it is.
    pub damage: Option<(u64, String)>,
}

impl Judged {
    #[must_use]
    pub fn failed(class: impl Into<String>) -> Self {
        Self {
            outcome: Err(class.into()),
            damage: None,
        }
    }

    const fn served(bytes: u64) -> Self {
        Self {
            outcome: Ok(bytes),
            damage: None,
        }
    }

    fn damaged(class: &str, offset: u64, what: String) -> Self {
        Self {
            outcome: Err(class.to_owned()),
            damage: Some((offset, what)),
        }
    }
}

/// Judges the answer to a request of one exchange. `objects` is the number of objects there are.
#[must_use]
pub fn judge(draw: &Draw, verify: Verify, objects: u64, pool: &Pool, answer: &Answer) -> Judged {
    if draw.probe.is_some() {
        return probed(answer);
    }
    if !answer.is_success() {
        return Judged::failed(answer.class());
    }
    match draw.op {
        Op::Get => read(draw, (0, draw.size), verify, objects, pool, answer),
        Op::Range if answer.status != 206 => {
            Judged::failed(format!("{} instead of 206", answer.status))
        }
        Op::Range => read(draw, draw.range, verify, objects, pool, answer),
        _ if answer.left => Judged::failed(answer.class()),
        Op::Put => Judged::served(draw.size),
        Op::Head => match answer.announced {
            Some(length) if verify != Verify::Off && length != draw.size => Judged::damaged(
                "wrong length",
                0,
                format!("HEAD announces {length} bytes, not {}", draw.size),
            ),
            Some(_) | None => Judged::served(0),
        },
        Op::Copy if says_error(&answer.kept) => Judged::failed(answer.class()),
        Op::Copy | Op::Delete | Op::List if answer.cut => Judged::failed("truncated"),
        // An upload in parts has several answers and is judged where they come in.
        Op::Copy | Op::Multipart => Judged::served(draw.size),
        Op::Delete | Op::List => Judged::served(0),
    }
}

/// A success to a read that must be refused breaks the promise of SSE-C.
fn probed(answer: &Answer) -> Judged {
    match answer.status {
        400..=499 if !answer.left => Judged::served(0),
        200..=299 => Judged::damaged(
            "served without its key",
            0,
            format!(
                "a read without the object's key was answered {}",
                answer.status
            ),
        ),
        _ => Judged::failed(answer.class()),
    }
}

/// AWS may answer 200 and put an error document into the body.
pub(super) fn says_error(body: &[u8]) -> bool {
    error_document(body).is_some_and(|document| document.root == "Error")
}

fn read(
    draw: &Draw,
    (offset, length): (u64, u64),
    verify: Verify,
    objects: u64,
    pool: &Pool,
    answer: &Answer,
) -> Judged {
    if let Some(difference) = &answer.difference
        && difference.offset < offset + length
    {
        let what = pool.describe(draw.object, objects, difference);
        return Judged::damaged("corrupt", difference.offset, what);
    }
    if answer.cut {
        return Judged::failed("truncated");
    }
    if verify != Verify::Off && answer.received != length {
        let what = if answer.received < length {
            format!("truncated after {} of {length} bytes", answer.received)
        } else {
            let more = answer.received - length;
            let least = if answer.left { "at least " } else { "" };
            format!("{least}{more} bytes more than {length}")
        };
        let first = offset + answer.received.min(length);
        return Judged::damaged("corrupt", first, what);
    }
    if answer.left {
        return Judged::failed(answer.class());
    }
    Judged::served(answer.received)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::exchange::Timing;
    use crate::bench::tally::Ids;
    use crate::bench::workload::Probe;
    use crate::random::Seed;
    use std::time::Duration;

    fn draw(op: Op, probe: Option<Probe>) -> Draw {
        Draw {
            op,
            arm: 0,
            object: 1,
            size: 100,
            range: (10, 20),
            compare: true,
            probe,
        }
    }

    fn answer(status: u16, received: u64) -> Answer {
        let zero = Duration::ZERO;
        Answer {
            status,
            ids: Ids::default(),
            etag: None,
            announced: Some(received),
            received,
            difference: None,
            cut: false,
            left: false,
            kept: Vec::new(),
            timing: Timing {
                begun: zero,
                written: zero,
                first_byte: zero,
                ended: zero,
            },
        }
    }

    #[track_caller]
    fn check(draw: &Draw, answer: &Answer, expected: Result<u64, &str>, damaged: bool) {
        check_with(Verify::Full, draw, answer, expected, damaged);
    }

    #[track_caller]
    fn check_with(
        verify: Verify,
        draw: &Draw,
        answer: &Answer,
        expected: Result<u64, &str>,
        damaged: bool,
    ) {
        let pool = Pool::new(Seed(1));
        let judged = judge(draw, verify, 10, &pool, answer);
        let outcome = judged.outcome.as_ref().map(|b| *b).map_err(String::as_str);
        assert_eq!(outcome, expected);
        assert_eq!(judged.damage.is_some(), damaged);
    }

    #[test]
    fn reads_are_judged_by_status_length_and_bytes() {
        let get = draw(Op::Get, None);
        check(&get, &answer(200, 100), Ok(100), false);
        check(&get, &answer(200, 99), Err("corrupt"), true);
        check(&get, &answer(200, 101), Err("corrupt"), true);
        let mut endless = answer(200, 4096);
        endless.left = true;
        check(&get, &endless, Err("corrupt"), true);
        check(&get, &answer(503, 0), Err("503"), false);
        let mut slow_down = answer(503, 0);
        slow_down.kept = b"<Error><Code>SlowDown</Code></Error>".to_vec();
        check(&get, &slow_down, Err("503 SlowDown"), false);
        let mut cut = answer(200, 50);
        cut.cut = true;
        check(&get, &cut, Err("truncated"), false);
        let range = draw(Op::Range, None);
        check(&range, &answer(206, 20), Ok(20), false);
        check(&range, &answer(200, 100), Err("200 instead of 206"), false);
    }

    #[test]
    fn what_is_longer_than_it_can_be_is_a_failure_of_its_own() {
        let mut long = answer(200, 1 << 20);
        long.left = true;
        let too_long = Err("200 answer too long");
        for op in [Op::Put, Op::List, Op::Delete, Op::Copy, Op::Head] {
            check(&draw(op, None), &long, too_long, false);
        }
        let get = draw(Op::Get, None);
        check_with(Verify::Off, &get, &long, too_long, false);
        check_with(Verify::Off, &get, &answer(200, 101), Ok(101), false);
        let probe = draw(Op::Get, Some(Probe::NoKey));
        check(&probe, &long, Err("served without its key"), true);
        long.status = 403;
        check(&probe, &long, Err("403 answer too long"), false);
        check(&get, &long, Err("403 answer too long"), false);
    }

    #[test]
    fn a_read_without_its_key_must_be_refused() {
        let probe = draw(Op::Get, Some(Probe::NoKey));
        check(&probe, &answer(400, 0), Ok(0), false);
        check(&probe, &answer(403, 0), Ok(0), false);
        check(
            &probe,
            &answer(200, 100),
            Err("served without its key"),
            true,
        );
        check(&probe, &answer(500, 0), Err("500"), false);
    }

    #[test]
    fn a_200_with_an_error_inside_is_a_failure() {
        let mut answer = answer(200, 10);
        answer.kept = b"<?xml version=\"1.0\"?><Error><Code>InternalError</Code></Error>".to_vec();
        check(
            &draw(Op::Copy, None),
            &answer,
            Err("200 InternalError"),
            false,
        );
        answer.kept = b"<CopyObjectResult/>".to_vec();
        check(&draw(Op::Copy, None), &answer, Ok(100), false);
    }
}
