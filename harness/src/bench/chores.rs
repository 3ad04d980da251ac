//! What surrounds the load: objects that must be there before, and their removal after.
//!
//! Not measured, so a request may be sent again; the load's own requests never are.

use std::cell::RefCell;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{sleep, timeout};

use super::connection::{Connection, Route};
use super::exchange::{Answer, Reading, exchange, written};
use super::request::{Content, DATA, Requests};
use super::workload::{Arm, Op};
use crate::clock::Stopwatch;

/// Requests at a time.
const LANES: usize = 16;
/// How often one is sent before it is given up.
const TRIES: u32 = 4;
/// Bytes of each lane's read buffer.
const BUFFER: usize = 16 << 10;

/// One piece of work.
#[derive(Clone)]
pub enum Chore {
    /// Put an object there.
    Upload { arm: Arm, object: u64, size: u64 },
    /// Remove one.
    Remove {
        arm: Arm,
        folder: &'static str,
        object: u64,
    },
}

/// Does all of it. Returns what was done, and the first failure of each that was not.
pub async fn all(
    chores: Vec<Chore>,
    requests: &RefCell<Requests>,
    route: &Route,
    limit: Duration,
) -> (Vec<Chore>, Vec<String>) {
    let queue = RefCell::new(chores.into_iter());
    let done = RefCell::new(Vec::new());
    let failed = RefCell::new(Vec::new());
    let lane = || async {
        let mut connection = None;
        loop {
            let Some(chore) = queue.borrow_mut().next() else {
                return;
            };
            match persist(&chore, requests, route, limit, &mut connection).await {
                Ok(()) => done.borrow_mut().push(chore),
                Err(class) => failed.borrow_mut().push(class),
            }
        }
    };
    join_all((0..LANES).map(|_| lane())).await;
    (done.into_inner(), failed.into_inner())
}

async fn persist(
    chore: &Chore,
    requests: &RefCell<Requests>,
    route: &Route,
    limit: Duration,
    connection: &mut Option<Connection>,
) -> Result<(), String> {
    let mut class = String::new();
    for attempt in 0..TRIES {
        let once = attempt_once(chore, requests, route, connection);
        match timeout(limit, once).await {
            Ok(Ok(answer)) if is_done(chore, &answer) => return Ok(()),
            Ok(Ok(answer)) => {
                class = answer.class();
                // Sent again, it would be refused again.
                if (400..500).contains(&answer.status) && answer.status != 429 {
                    return Err(class);
                }
            }
            Ok(Err(why)) => why.clone_into(&mut class),
            Err(_) => "timeout".clone_into(&mut class),
        }
        *connection = None;
        sleep(Duration::from_millis(100 << attempt)).await;
    }
    Err(class)
}

fn is_done(chore: &Chore, answer: &Answer) -> bool {
    let gone = matches!(chore, Chore::Remove { .. }) && answer.status == 404;
    answer.is_short_success() || gone
}

async fn attempt_once(
    chore: &Chore,
    requests: &RefCell<Requests>,
    route: &Route,
    connection: &mut Option<Connection>,
) -> Result<Answer, &'static str> {
    let usable = match connection {
        Some(connection) => connection.is_usable().await,
        None => false,
    };
    if !usable {
        *connection = Some(Connection::open(route, BUFFER).await?);
    }
    let clock = Stopwatch::start();
    let note = written();
    let request = {
        let mut requests = requests.borrow_mut();
        let outline = match chore {
            Chore::Upload { arm, object, size } => {
                let mut outline = requests.outline(Op::Put, arm, *object, None);
                outline.path = requests.place.path(arm, DATA, *object);
                outline.body = Content::Object {
                    object: *object,
                    from: 0,
                    to: *size,
                    clock,
                    written: &note,
                };
                outline
            }
            Chore::Remove {
                arm,
                folder,
                object,
            } => {
                let mut outline = requests.outline(Op::Delete, arm, *object, None);
                outline.path = requests.place.path(arm, folder, *object);
                outline
            }
        };
        let connection = connection.as_mut().ok_or("connection closed")?;
        requests.sign(route, outline, &mut connection.spare)
    };
    let connection = connection.as_mut().ok_or("connection closed")?;
    exchange(connection, request, &note, clock, Reading::Keep).await
}
