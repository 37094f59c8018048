// SPDX-License-Identifier: MIT
// channel.rs - work for a channel of Rust.  The adapter has it (Channel) and calls
// run.

#[path = "driver.rs"]
mod driver;

use driver::{absent, crew, read_work, Job, Part, Work, HASH};
use std::time::{Duration, Instant};

pub type Item<const W: usize> = [u64; W];

pub trait Channel<const W: usize> {
    type Put: Clone + Send + 'static;
    type Get: Send + 'static;
    fn create(capacity: usize, consumers: usize) -> (Self::Put, Vec<Self::Get>);
    fn put(to: &Self::Put, item: Item<W>);
    fn get(from: &Self::Get) -> Item<W>;
}

impl Part {
    fn take<const W: usize>(&mut self, item: Item<W>) {
        self.items += 1;
        self.sum = self.sum.wrapping_add(item[0]);
        self.hash ^= item[W - 1].wrapping_mul(HASH);
    }
}

// ----------------------------------------------------------------- the work

fn pass<C: Channel<W> + 'static, const W: usize>(work: Work, print: bool) {
    let (put, gets) = C::create(work.capacity, work.consumers as usize);
    let mut jobs: Vec<Job> = Vec::new();
    let share = work.items / work.producers;
    for p in 0..work.producers {
        let put = put.clone();
        jobs.push(Box::new(move || {
            for i in 0..share {
                let mut item = [0; W];
                item[0] = 1 + p * share + i;
                item[W - 1] = item[0];
                C::put(&put, item);
            }
            Part::default()
        }));
    }
    let share = work.items / work.consumers;
    for get in gets {
        jobs.push(Box::new(move || {
            let mut part = Part::default();
            for _ in 0..share {
                part.take(C::get(&get));
            }
            part
        }));
    }
    crew(work, jobs, print);
}

fn paced<C: Channel<W> + 'static, const W: usize>(work: Work) {
    let (put, gets) = C::create(work.capacity, work.consumers as usize);
    let start = Instant::now() + Duration::from_millis(5);
    let due = move |k: u64| start + Duration::from_nanos(k * 1_000_000_000 / work.rate);
    let mut jobs: Vec<Job> = Vec::new();
    for p in 0..work.producers {
        let put = put.clone();
        jobs.push(Box::new(move || {
            for i in 0..work.items / work.producers {
                let mut item = [0; W];
                item[0] = 1 + p + i * work.producers;
                item[W - 1] = item[0];
                while Instant::now() < due(item[0]) {}
                C::put(&put, item);
            }
            Part::default()
        }));
    }
    let share = work.items / work.consumers;
    for get in gets {
        jobs.push(Box::new(move || {
            let mut part = Part::default();
            part.late_ns.reserve(share as usize);
            for _ in 0..share {
                let item = C::get(&get);
                let late = Instant::now().saturating_duration_since(due(item[0]));
                part.late_ns.push(late.as_nanos() as u64);
                part.take(item);
            }
            part
        }));
    }
    crew(work, jobs, true);
}

fn pingpong<C: Channel<W> + 'static, const W: usize>(work: Work, print: bool) {
    let (put, mut out) = C::create(work.capacity, 1);
    let (reply, mut back) = C::create(work.capacity, 1);
    let (out, back) = (out.remove(0), back.remove(0));
    let serve = move || {
        let mut part = Part::default();
        for i in 1..=work.items {
            let mut item = [0; W];
            item[0] = i;
            item[W - 1] = i;
            C::put(&put, item);
            part.hash ^= C::get(&back)[W - 1].wrapping_mul(HASH);
        }
        part
    };
    let answer = move || {
        let mut part = Part::default();
        for _ in 0..work.items {
            let item = C::get(&out);
            part.items += 1;
            part.sum = part.sum.wrapping_add(item[0]);
            C::put(&reply, item);
        }
        part
    };
    crew(work, vec![Box::new(serve), Box::new(answer)], print);
}

fn do_work<C: Channel<W> + 'static, const W: usize>(kind: &str, work: Work) {
    let mut warm_up = work;
    let whole = work.producers * work.consumers;
    warm_up.items = work.items / 16 / whole * whole;
    match kind {
        "pass" => {
            pass::<C, W>(warm_up, false);
            pass::<C, W>(work, true)
        }
        "pingpong" => {
            pingpong::<C, W>(warm_up, false);
            pingpong::<C, W>(work, true)
        }
        "paced" => {
            pass::<C, W>(warm_up, false);
            paced::<C, W>(work)
        }
        _ => absent("a queue, not a pool"),
    }
}

/// A contender's main.
pub fn run<C>(name: &str, version: &str, most_consumers: u64)
where
    C: Channel<1> + Channel<2> + Channel<4> + Channel<8> + Channel<16> + Channel<32> + 'static,
{
    let (kind, work) = read_work(name, version, true);
    if work.consumers > most_consumers {
        absent("one consumer only");
    }
    match work.size {
        8 => do_work::<C, 1>(&kind, work),
        16 => do_work::<C, 2>(&kind, work),
        32 => do_work::<C, 4>(&kind, work),
        64 => do_work::<C, 8>(&kind, work),
        128 => do_work::<C, 16>(&kind, work),
        _ => do_work::<C, 32>(&kind, work),
    }
}
