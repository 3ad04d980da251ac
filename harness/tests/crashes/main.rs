//! `kill -9` of a server in the middle of everything it can do, again and again on one data
//! directory: what was acknowledged is there, what was not is whole or absent, nothing is half done.
//!
//! The short form runs with every `cargo test`; the long form is `-- --ignored`.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

mod client;
mod server;
mod versions;
mod worker;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use client::Client;
use server::Server;
use worker::{Random, Told, Worker};

/// Clients that write at the same time, each to names of its own.
const WORKERS: u64 = 5;
/// Operations that are acknowledged before each kill, at least.
const LEAST: u64 = 6;
/// How long they may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Names of the files that hold bodies.
fn bodies(data_dir: &Path) -> usize {
    fn count(directory: &Path) -> usize {
        let Ok(entries) = fs::read_dir(directory) else {
            return 0;
        };
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .map(|path| if path.is_dir() { count(&path) } else { 1 })
            .sum()
    }
    count(&data_dir.join("data")) + count(&data_dir.join("packs"))
}

/// Starts the server again, and holds what its log counts against what is gone from the disk.
fn restart(directory: &Path, told: &mut Told) -> Server {
    let before = bodies(&directory.join("data"));
    let server = Server::start(directory);
    let after = bodies(&directory.join("data"));
    let swept = server.swept();
    assert_eq!(before - after, swept, "the log counts what was swept");
    told.swept += swept;
    server
}

async fn verify(client: &Client, workers: &mut [Worker]) {
    let uploads = client.uploads().await;
    let listed = client.names().await;
    let mut known = Vec::new();
    for worker in workers.iter_mut() {
        worker.verify(client, &uploads).await;
        known.extend(worker.names());
    }
    known.sort();
    assert_eq!(listed, known, "a list shows what can be read, no more");
    for (name, id) in uploads {
        client.abort(&name, &id).await;
    }
}

async fn kill_while_working(kills: u32, seed: u64) -> Told {
    let directory = tempfile::tempdir().unwrap();
    let mut random = Random(seed);
    let mut told = Told::default();
    let mut workers: Vec<_> = (0..WORKERS)
        .map(|index| Worker::new(index, random.next()))
        .collect();
    for _ in 0..kills {
        let mut server = restart(directory.path(), &mut told);
        let client = Arc::new(server.client());
        client.make_buckets().await;
        verify(&client, &mut workers).await;
        let done = Arc::new(AtomicU64::new(0));
        let working: Vec<_> = workers
            .into_iter()
            .map(|mut worker| {
                let (client, done) = (Arc::clone(&client), Arc::clone(&done));
                tokio::spawn(async move {
                    worker.work(&client, &done).await;
                    worker
                })
            })
            .collect();
        let enough = async {
            while done.load(Ordering::Relaxed) < LEAST {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, enough).await;
        waited.expect("a server that works acknowledges something");
        tokio::time::sleep(Duration::from_millis(random.below(300))).await;
        server.kill();
        workers = Vec::new();
        for worker in working {
            workers.push(worker.await.unwrap());
        }
        told.kills += 1;
    }
    let mut server = restart(directory.path(), &mut told);
    verify(&server.client(), &mut workers).await;
    server.kill();
    server::assert_scrubs_clean(directory.path());
    let server = restart(directory.path(), &mut told);
    let client = server.client();
    for worker in &mut workers {
        worker.remove_all(&client).await;
        told.add(&worker.told);
    }
    drop(server);
    drop(restart(directory.path(), &mut told));
    assert_eq!(bodies(&directory.path().join("data")), 0, "nothing is left");
    told
}

fn line(told: &Told, seed: u64) -> String {
    format!(
        "hardening | crashes: kill -9 (seed {seed}); {} operations acknowledged, {} unanswered of \
         which {} whole, {} bodies read, {} orphans swept | {} | 0 | – | 0 |",
        told.acknowledged,
        told.whole + told.absent,
        told.whole,
        told.read,
        told.swept,
        told.kills,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_works_a_server_loses_nothing() {
    let seed = 0x5eed;
    let told = kill_while_working(8, seed).await;
    println!("{}", line(&told, seed));
    assert!(told.acknowledged >= 8 * LEAST, "{told:?}");
    assert!(told.whole + told.absent > 4, "{told:?}");
}

/// The control: what is lost behind a worker's back, or changed, is noticed.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_object_and_a_wrong_one_are_noticed() {
    use bytes::Bytes;
    use harness::s3::operation::{delete_object, put_object};

    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path());
    let client = Arc::new(server.client());
    client.make_buckets().await;
    for lose in [true, false] {
        let mut worker = Worker::new(u64::from(lose), 7);
        worker.put(&client, 0).await.unwrap();
        worker.verify(&client, &[]).await;
        let (bucket, name) = (client.bucket(client::PLAIN), worker.names().remove(0));
        let done = if lose {
            client.send(delete_object(&bucket, &name)).await
        } else {
            let other = Bytes::from_static(b"somebody else's");
            client.send_keyed(put_object(&bucket, &name, other)).await
        };
        assert!(matches!(done.unwrap().status, 200 | 204));
        let client = Arc::clone(&client);
        let noticed = tokio::spawn(async move { worker.verify(&client, &[]).await }).await;
        assert!(noticed.unwrap_err().is_panic(), "lose: {lose}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long form: 200 kills, some minutes"]
async fn killed_two_hundred_times_a_server_loses_nothing() {
    let seed = 0x10_5eed;
    let told = kill_while_working(200, seed).await;
    println!("{}", line(&told, seed));
    assert!(told.whole > 0 && told.absent > 0, "{told:?}");
    assert!(told.swept > 0, "{told:?}");
}
