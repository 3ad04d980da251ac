//! Requests at once, with different keys, over connections that are kept: each is answered by its
//! own key, whatever its neighbours show.

use bytes::Bytes;
use futures_util::future::join_all;

use super::errand::{Errand, Open, Stop};
use crate::check::status::Kind;
use crate::conformance::judge::Phase;
use crate::conformance::sender::{Sender, Sent};
use crate::error::Error;
use crate::s3::{Bucket, Request, operation};
use crate::ssec::SsecHeaders;
use crate::transport::{Exchange, Line};

/// An object each, and the key that it is under.
const OBJECTS: [(&str, &str, &str); 4] = [
    ("one", "b1", "alice"),
    ("two", "b2", "bob"),
    ("three", "b3", "carol"),
    ("four", "b4", "mallory"),
];
/// How often all connections ask at once.
const ROUNDS: usize = 16;
/// Connections, and whose key each shows of an object: its own, that of the next one, or none.
const ASKS: [Ask; 4] = [Ask::Own, Ask::Next, Ask::Own, Ask::Nothing];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ask {
    Own,
    Next,
    Nothing,
}

/// A connection that is opened when there is none, and kept as long as both sides keep it.
struct Kept<'a> {
    sender: &'a Sender,
    bucket: &'a Bucket,
    line: Option<Line>,
    opened: usize,
}

impl Kept<'_> {
    async fn ask(
        &mut self,
        request: &Request,
        triple: &SsecHeaders,
        room: u64,
    ) -> Result<Exchange, Error> {
        let kept = self.line.take().filter(Line::is_usable);
        let was_kept = kept.is_some();
        let mut line = match kept {
            Some(line) => line,
            None => self.open().await?,
        };
        let mut answer = self
            .sender
            .send_over(&mut line, request, triple, room)
            .await;
        if was_kept && answer.is_err() {
            // The target may have closed it in the meantime, before it saw the request.
            line = self.open().await?;
            answer = self
                .sender
                .send_over(&mut line, request, triple, room)
                .await;
        }
        self.line = Some(line);
        answer
    }

    async fn open(&mut self) -> Result<Line, Error> {
        self.opened += 1;
        self.sender.open(self.bucket).await
    }
}

pub(super) async fn concurrent(errand: &mut Errand<'_>) -> Result<(), Stop> {
    for (object, body, key) in OBJECTS {
        errand.put(object, body, key).await?;
    }
    let session = errand.session;
    let bucket = errand.bucket();
    let mut lines: Vec<Kept<'_>> = ASKS
        .iter()
        .map(|_| Kept {
            sender: session.fixture.sender(),
            bucket: &bucket,
            line: None,
            opened: 0,
        })
        .collect();
    for round in 0..ROUNDS {
        let asked = Asked::of(errand, round)?;
        let request = operation::get_object(&bucket, &errand.name(asked.object));
        let room = asked.want.len() as u64;
        let asking = lines
            .iter_mut()
            .zip(&asked.triples)
            .map(|(line, triple)| line.ask(&request, triple, room));
        let answers = join_all(asking).await;
        judge(errand, &asked, answers)?;
    }
    let opened: usize = lines.iter().map(|line| line.opened).sum();
    let asked = ROUNDS * ASKS.len();
    errand.note(format!("{asked} requests went over {opened} connections"));
    Ok(())
}

/// What all connections ask of one object at once.
struct Asked {
    object: &'static str,
    own: &'static str,
    next: &'static str,
    want: Bytes,
    /// In the order of [`ASKS`].
    triples: Vec<SsecHeaders>,
}

impl Asked {
    fn of(errand: &Errand<'_>, round: usize) -> Result<Self, Stop> {
        let place = round % OBJECTS.len();
        let (object, body, own) = OBJECTS[place];
        let (_, _, next) = OBJECTS[(place + 1) % OBJECTS.len()];
        let mut triples = Vec::new();
        for ask in ASKS {
            triples.push(match ask {
                Ask::Own => errand.triple(own)?,
                Ask::Next => errand.triple(next)?,
                Ask::Nothing => SsecHeaders::default(),
            });
        }
        let want = errand.body(body)?;
        Ok(Self {
            object,
            own,
            next,
            want,
            triples,
        })
    }
}

/// Judges every answer of a round, also behind one that is wrong: a leak counts beside whatever else
/// went wrong.
fn judge(
    errand: &mut Errand<'_>,
    asked: &Asked,
    answers: Vec<Result<Exchange, Error>>,
) -> Result<(), Stop> {
    let mut failed = None;
    let mut all_ok = true;
    for (ask, answer) in ASKS.into_iter().zip(answers) {
        let exchange = match answer {
            Ok(exchange) => exchange,
            Err(error) => {
                failed.get_or_insert(error);
                continue;
            }
        };
        let kind = errand.kind(&exchange);
        let right = kind == Kind::Served && exchange.is_whole() && exchange.body == asked.want;
        let (ok, expected, open, key) = match ask {
            Ask::Own => {
                let key = format!("with its key {}", asked.own);
                (right, "served, whole and right", Open::All, key)
            }
            Ask::Next => {
                let key = format!("with key {}", asked.next);
                (kind == Kind::Refused, "refused", Open::Nothing, key)
            }
            Ask::Nothing => {
                let key = "without a key".to_owned();
                (kind == Kind::Refused, "refused", Open::Nothing, key)
            }
        };
        let check = errand.answered(&exchange, ok, expected);
        let action = format!("GET {} {key}, beside others", asked.object);
        let sent = Sent {
            exchange,
            attempts: 1,
        };
        errand.took(Phase::Steps, "get", action, vec![check], sent, open);
        all_ok &= ok;
    }
    match failed {
        Some(error) => Err(error.into()),
        None if !all_ok => Err(Stop::Judged),
        None => Ok(()),
    }
}
