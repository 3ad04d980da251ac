//! What a signal to the whole process does. It stands in a process of its own: every other test
//! that listens would hear the signal too.

use std::time::Duration;

use harness::command::signals::asked_to_end;

#[tokio::test]
async fn a_signal_that_comes_before_the_wait_is_not_missed() {
    let asked_to_end = asked_to_end();
    let ourselves = rustix::process::getpid();
    rustix::process::kill_process(ourselves, rustix::process::Signal::TERM).unwrap();
    tokio::time::timeout(Duration::from_secs(10), asked_to_end)
        .await
        .unwrap();
}
