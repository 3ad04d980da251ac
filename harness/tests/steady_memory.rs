//! What a run keeps of its samples does not grow with their number. It stands in a process of its own:
//! the allocator counts for all threads.

use std::alloc::System;
use std::time::Duration;

use harness::bench::tally::{Ids, Sample, Tally};
use reports::bench::record::SeriesName;
use reports::bench::totals::Totals;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Samples of the simulated run, a second.
const A_SECOND: u64 = 10_000;

fn sample(second: u64, number: u64) -> Sample {
    let response = Duration::from_micros(1 + (number * 7919 + second * 31) % 400_000);
    Sample {
        series: 0,
        warmup: false,
        step: None,
        ended: Duration::from_secs(second) + Duration::from_micros(number * 90),
        outcome: if number.is_multiple_of(100) {
            Err("503 SlowDown".to_owned())
        } else {
            Ok(4096)
        },
        response,
        service: response / 2,
        phases: [
            None,
            None,
            None,
            None,
            Some(response / 3),
            Some(response / 6),
        ],
        object: number,
        route: 0,
        reused: true,
        ids: Ids::default(),
        damage: None,
    }
}

/// All that a run keeps of its samples: tallies, taken out each second, written and added up.
#[test]
fn ten_million_samples_need_no_more_memory_than_one_million() {
    let mut tally = Tally::default();
    let mut totals = Totals::new(SeriesName {
        op: "get".to_owned(),
        arm: "ssec".to_owned(),
    });
    let region = Region::new(ALLOCATOR);
    let held = || {
        let change = region.change();
        let (more, less) = (change.bytes_allocated, change.bytes_deallocated);
        isize::try_from(more).unwrap() - isize::try_from(less).unwrap()
    };
    let mut after_a_tenth = 0;
    for second in 0..1000u64 {
        for number in 0..A_SECOND {
            tally.add(sample(second, number));
        }
        for (slot, counts) in tally.take_before(u32::try_from(second).unwrap() + 1) {
            totals.fold(&counts.line(slot, "get", "ssec"));
        }
        if second == 99 {
            after_a_tenth = held();
        }
    }
    assert_eq!(totals.attempted, 10_000_000);
    assert_eq!(totals.failures(), 100_000);
    let grown = held() - after_a_tenth;
    println!("held after 1 million: {after_a_tenth} bytes; more after 10 million: {grown}");
    assert!(grown < 64 << 10, "{grown} bytes more");
}
