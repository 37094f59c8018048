// SPDX-License-Identifier: MIT
// tokio_pool.rs - Rust's tokio, a runtime of several threads; a semaphore has as
// many permits as there may be tasks.

#[path = "../driver/pool.rs"]
mod pool;

use pool::{pool_task, Pool};
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

struct Tokio {
    runtime: Runtime,
    permits: Arc<Semaphore>,
    capacity: u32,
}

impl Pool for Tokio {
    fn start(workers: usize, capacity: usize) -> Self {
        Tokio {
            runtime: Builder::new_multi_thread().worker_threads(workers).build().expect("build"),
            permits: Arc::new(Semaphore::new(capacity)),
            capacity: capacity as u32,
        }
    }

    fn run_all(&self, items: u64) {
        self.runtime.block_on(async {
            for item in 1..=items {
                let permit = self.permits.clone().acquire_owned().await.expect("acquire");
                tokio::spawn(async move {
                    pool_task(item);
                    drop(permit);
                });
            }
            // When none is out all have run.
            let _all = self.permits.acquire_many(self.capacity).await.expect("acquire");
        })
    }

    fn run(
        &self,
        task: impl Fn(u64) + Send + Sync + 'static,
        submitter: impl FnOnce(&mut dyn FnMut(u64)),
    ) {
        let task = Arc::new(task);
        submitter(&mut |item| {
            let permits = self.permits.clone();
            let permit = match permits.clone().try_acquire_owned() {
                Ok(permit) => permit,
                Err(_) => self.runtime.block_on(permits.acquire_owned()).expect("acquire"),
            };
            let task = task.clone();
            self.runtime.spawn(async move {
                task(item);
                drop(permit);
            });
        });
        self.runtime
            .block_on(async { self.permits.acquire_many(self.capacity).await.map(drop) })
            .expect("acquire");
    }
}

fn main() {
    pool::run::<Tokio>("Rust tokio", env!("PEER_VERSION"), true)
}
