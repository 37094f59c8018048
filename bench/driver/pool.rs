// SPDX-License-Identifier: MIT
// pool.rs - work for a pool of Rust: empty tasks.  The adapter has it (Pool) and
// calls run.

#[path = "driver.rs"]
mod driver;

use driver::{absent, crew, read_work, Part, Work, HASH};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;

pub trait Pool: Send + Sync + 'static {
    fn start(workers: usize, capacity: usize) -> Self;
    /// Has pool_task(item) called on some worker for each of 1 to `items`, and
    /// returns when they have run.
    fn run_all(&self, items: u64);
}

const MOST_WORKERS: usize = 256;

/// What a worker has seen, on cache lines of its own.  Only it writes there.
#[repr(align(128))]
struct Seen([AtomicU64; 3]);

#[allow(clippy::declare_interior_mutable_const)]
const NOTHING: Seen = Seen([AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0)]);
static SEEN: [Seen; 2 * MOST_WORKERS] = [NOTHING; 2 * MOST_WORKERS];
static WORKERS_KNOWN: AtomicU64 = AtomicU64::new(0);

thread_local! {
    // Those of the warm-up and those that count have numbers of their own.
    static MINE: &'static Seen = &SEEN[WORKERS_KNOWN.fetch_add(1, Relaxed) as usize];
}

/// The empty task.
pub fn pool_task(item: u64) {
    MINE.with(|Seen(mine)| {
        mine[0].store(mine[0].load(Relaxed) + 1, Relaxed);
        mine[1].store(mine[1].load(Relaxed).wrapping_add(item), Relaxed);
        mine[2].store(mine[2].load(Relaxed) ^ item.wrapping_mul(HASH), Relaxed);
    })
}

fn tasks<P: Pool>(work: Work, print: bool) {
    let pool = Arc::new(P::start(work.consumers as usize, work.capacity));
    let for_submitter = pool.clone(); // its end is not measured
    for seen in SEEN.iter().flat_map(|s| &s.0) {
        seen.store(0, Relaxed);
    }
    let submit = move || {
        for_submitter.run_all(work.items);
        let mut part = Part::default();
        for Seen([items, sum, hash]) in &SEEN {
            part.items += items.load(Relaxed);
            part.sum = part.sum.wrapping_add(sum.load(Relaxed));
            part.hash ^= hash.load(Relaxed);
        }
        part
    };
    crew(work, vec![Box::new(submit)], print);
}

/// A contender's main.
pub fn run<P: Pool>(name: &str, version: &str, bounded: bool) {
    let (kind, mut work) = read_work(name, version, bounded);
    if kind != "tasks" {
        absent("a pool, not a queue");
    }
    if work.producers > 1 {
        absent("one submitter only");
    }
    if !bounded && work.capacity < 1024 {
        absent("unbounded");
    }
    let items = work.items;
    work.items /= 16;
    tasks::<P>(work, false);
    work.items = items;
    tasks::<P>(work, true);
}
