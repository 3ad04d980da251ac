//! Look-ups on the thread of the connection: at once where a thread stays free, and never all of them.

use std::future::Future;
use std::io::{Read as _, Write as _};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// Runs a test on a runtime of so many threads, in bounded time: what waits for all of its threads
/// would wait for ever.
fn on_threads(workers: usize, test: impl Future<Output = ()> + Send + 'static) {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(workers)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async { tokio::spawn(test).await.unwrap() });
        tell.send(()).unwrap();
    });
    let wait = Duration::from_secs(120);
    told.recv_timeout(wait).expect("the runtime goes on");
}

fn is_ready(future: impl Future) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    matches!(pin!(future).poll(&mut context), Poll::Ready(_))
}

#[test]
fn a_small_object_is_found_and_read_without_another_thread() {
    on_threads(2, async {
        let ground = Ground::new().await;
        ground.put(OBJECT, Holder::Server, b"small").await;
        let store = &ground.store;
        assert!(is_ready(store.look_up(BUCKET, OBJECT, None)));
        assert!(is_ready(store.bucket(BUCKET)));
        let stored = ground.stored(OBJECT).await;
        let access = stored.prove(Holder::Server).unwrap();
        assert!(is_ready(stored.read(&access, 0..5)));
        assert_eq!(read(&stored, &access, 0..5).await.unwrap(), b"small");
    });
}

/// Metadata that is shut, as while it is opened again, stops look-ups and nothing else.
#[test]
fn look_ups_that_wait_leave_a_thread_to_the_rest() {
    for workers in [1, 2, 3] {
        on_threads(workers, async {
            let ground = Ground::new().await;
            ground.put(OBJECT, Holder::Server, b"small").await;
            let store = ground.store.clone();
            let (let_go, wait) = std::sync::mpsc::channel::<()>();
            let (tell, held) = oneshot::channel();
            let holder = std::thread::spawn(move || {
                let held = store.shared().metadata.exclusive();
                tell.send(()).unwrap();
                wait.recv().unwrap();
                drop(held);
            });
            held.await.unwrap();
            let looked_up: Vec<_> = (0..20)
                .map(|_| {
                    let store = ground.store.clone();
                    tokio::spawn(async move { store.look_up(BUCKET, OBJECT, None).await.is_ok() })
                })
                .collect();
            for _ in 0..20 {
                let rest = tokio::spawn(tokio::time::sleep(Duration::from_millis(1)));
                rest.await.unwrap();
            }
            assert!(looked_up.iter().all(|task| !task.is_finished()));
            let_go.send(()).unwrap();
            for task in looked_up {
                assert!(task.await.unwrap());
            }
            holder.join().unwrap();
        });
    }
}

/// Reads that stand still, as on a disk that does, take no thread from work that is ready.
#[test]
fn reads_that_stand_still_leave_a_thread_to_the_rest() {
    for workers in [1, 2, 3] {
        on_threads(workers, async move {
            let ground = Ground::new().await;
            let still = Arc::new(std::sync::RwLock::new(()));
            let (let_go, wait) = std::sync::mpsc::channel::<()>();
            let (tell, held) = oneshot::channel();
            let of_holder = Arc::clone(&still);
            let holder = std::thread::spawn(move || {
                let held = of_holder.write().unwrap();
                tell.send(()).unwrap();
                wait.recv().unwrap();
                drop(held);
            });
            held.await.unwrap();
            let reads: Vec<_> = (0..20)
                .map(|_| {
                    let (store, still) = (ground.store.clone(), Arc::clone(&still));
                    let read = move |_: &Arc<_>| {
                        drop(still.read().unwrap());
                        Ok(())
                    };
                    tokio::spawn(async move { store.shared().soon(read).await.is_ok() })
                })
                .collect();
            for _ in 0..20 {
                let rest = tokio::spawn(tokio::time::sleep(Duration::from_millis(1)));
                rest.await.unwrap();
            }
            assert!(reads.iter().all(|task| !task.is_finished()));
            let_go.send(()).unwrap();
            for task in reads {
                assert!(task.await.unwrap());
            }
            holder.join().unwrap();
        });
    }
}

/// The thread that hears of the network first is the one that reads; another hears what comes next. Which thread
/// listens is chance, so it is tried often.
#[test]
fn a_read_that_stands_still_keeps_nobody_from_the_network() {
    on_threads(2, async {
        let ground = Ground::new().await;
        for _ in 0..20 {
            one_read_stands_still(&ground).await;
        }
    });
}

async fn one_read_stands_still(ground: &Ground) {
    let still = Arc::new(std::sync::RwLock::new(()));
    let begun = Arc::new(std::sync::Barrier::new(2));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let clients = {
        let (still, begun) = (Arc::clone(&still), Arc::clone(&begun));
        tokio::task::spawn_blocking(move || {
            let mut echoed = std::net::TcpStream::connect(address).unwrap();
            let mut stopped = std::net::TcpStream::connect(address).unwrap();
            for stream in [&echoed, &stopped] {
                stream
                    .set_read_timeout(Some(Duration::from_secs(60)))
                    .unwrap();
            }
            let mut answer = [0];
            let held = still.write().unwrap();
            // Whoever wakes for this one reads, and nobody else was woken.
            stopped.write_all(b"r").unwrap();
            begun.wait();
            echoed.write_all(b"e").unwrap();
            echoed.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"e");
            drop(held);
            stopped.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"r");
        })
    };
    let mut serving = Vec::new();
    for stands_still in [false, true] {
        let mut stream = listener.accept().await.unwrap().0;
        let store = ground.store.clone();
        let (still, begun) = (Arc::clone(&still), Arc::clone(&begun));
        serving.push(tokio::spawn(async move {
            let said = stream.read_u8().await.unwrap();
            if stands_still {
                let read = move |_: &Arc<_>| {
                    begun.wait();
                    drop(still.read().unwrap());
                    Ok(())
                };
                store.shared().soon(read).await.unwrap();
            }
            stream.write_u8(said).await.unwrap();
        }));
    }
    clients.await.unwrap();
    for task in serving {
        task.await.unwrap();
    }
}

/// A panic is told as one where another thread read: the client gets an answer.
#[test]
fn a_read_that_panics_is_a_failure_of_the_store() {
    for workers in [1, 2] {
        on_threads(workers, async {
            let ground = Ground::new().await;
            let read = |_: &Arc<_>| -> Result<(), StoreError> { panic!("as if it were a bug") };
            let done = ground.store.shared().soon(read).await;
            assert!(matches!(done, Err(StoreError::Unavailable)));
        });
    }
}
