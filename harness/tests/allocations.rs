//! What a request of the load generator costs in allocations, `hyper`'s own included.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[path = "served/mod.rs"]
mod served;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Most allocations of one signed and checked request.
const MOST_ALLOCATIONS: usize = 20;

fn allocations(server: &served::Served, operation: &str, requests: u32) -> usize {
    let directory = tempfile::tempdir().unwrap();
    let arguments = [
        "bench",
        operation,
        "--sse=c",
        "--no-save",
        "--objects=16",
        "--size=1KiB",
        "--concurrency=1",
        "--allow-limited",
        "--seed=7",
        &format!("--requests={requests}"),
        &format!("--endpoint={}", server.endpoint()),
        &format!("--ca={}", server.ca()),
    ];
    let region = Region::new(ALLOCATOR);
    let told = served::ssec(&arguments, &served::world(directory.path()));
    let allocations = region.change().allocations;
    assert_eq!(told.code, 0, "{}{}", told.out, told.notes);
    allocations
}

/// The difference of two runs leaves out what a run costs once.
#[test]
fn a_request_takes_few_allocations_and_none_grow_with_the_run() {
    let server = served::Served::start(&[]);
    for operation in ["--op=get", "--op=put"] {
        allocations(&server, operation, 100);
        let few = allocations(&server, operation, 200);
        let many = allocations(&server, operation, 1200);
        let each = many.saturating_sub(few) / 1000;
        println!("{operation}: {each} allocations a request");
        assert!(
            each <= MOST_ALLOCATIONS,
            "{operation}: {each} allocations a request"
        );
    }
}
