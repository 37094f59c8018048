// SPDX-License-Identifier: MIT
// rayon_pool.rs - Rust's rayon: tasks spawned in a scope; unbounded.

#[path = "../driver/pool.rs"]
mod pool;

use pool::{pool_task, Pool};
use rayon::{ThreadPool, ThreadPoolBuilder};

struct Rayon(ThreadPool);

impl Pool for Rayon {
    fn start(workers: usize, _capacity: usize) -> Self {
        Rayon(ThreadPoolBuilder::new().num_threads(workers).build().expect("build"))
    }

    // In place: the submitter is none of the workers.
    fn run_all(&self, items: u64) {
        self.0.in_place_scope(|scope| {
            for item in 1..=items {
                scope.spawn(move |_| pool_task(item));
            }
        })
    }

    fn run(
        &self,
        task: impl Fn(u64) + Send + Sync + 'static,
        submitter: impl FnOnce(&mut dyn FnMut(u64)),
    ) {
        let task = &task;
        self.0.in_place_scope(|scope| {
            submitter(&mut |item| scope.spawn(move |_| task(item)));
        })
    }
}

fn main() {
    pool::run::<Rayon>("Rust rayon", env!("PEER_VERSION"), false)
}
