// SPDX-License-Identifier: MIT
// driver.rs - driver.c's work for a channel of Rust: threads, clock, one line
// of JSON.  The adapter has the channel (Channel) and calls run.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

const HASH: u64 = 0x9E3779B97F4A7C15;

pub type Item<const W: usize> = [u64; W];

pub trait Channel<const W: usize> {
    type Put: Clone + Send + 'static;
    type Get: Send + 'static;
    fn create(capacity: usize, consumers: usize) -> (Self::Put, Vec<Self::Get>);
    fn put(to: &Self::Put, item: Item<W>);
    fn get(from: &Self::Get) -> Item<W>;
}

#[derive(Clone, Copy)]
struct Work {
    producers: u64,
    consumers: u64,
    capacity: usize,
    items: u64,
    rate: u64,
    bound: bool,
}

/// What one thread did.
#[derive(Default)]
struct Part {
    items: u64,
    sum: u64,
    hash: u64,
    late_ns: Vec<u64>,
}

impl Part {
    fn take<const W: usize>(&mut self, item: Item<W>) {
        self.items += 1;
        self.sum = self.sum.wrapping_add(item[0]);
        self.hash ^= item[W - 1].wrapping_mul(HASH);
    }
}

// ----------------------------------------------------------------- the crew

#[repr(C)]
struct Usage {
    times: [i64; 4], // user and system: seconds, microseconds
    others: [i64; 14],
}

extern "C" {
    fn getrusage(who: i32, usage: *mut Usage) -> i32;
    fn sched_getaffinity(thread: i32, bytes: usize, mask: *mut u64) -> i32;
    fn sched_setaffinity(thread: i32, bytes: usize, mask: *const u64) -> i32;
}

/// Processor nanoseconds and context switches until now.
fn usage() -> (u64, u64) {
    let mut u = Usage { times: [0; 4], others: [0; 14] };
    assert_eq!(unsafe { getrusage(0, &mut u) }, 0);
    let cpu = (u.times[0] + u.times[2]) * 1_000_000_000
        + (u.times[1] + u.times[3]) * 1000;
    (cpu as u64, (u.others[12] + u.others[13]) as u64)
}

/// Binds this thread to the processor whose turn it is, of those allowed.
fn bind(turn: usize) {
    let mut mask = [0u64; 16];
    let bytes = std::mem::size_of_val(&mask);
    assert_eq!(unsafe { sched_getaffinity(0, bytes, mask.as_mut_ptr()) }, 0);
    let allowed: Vec<_> = (0..1024).filter(|i| mask[i / 64] >> (i % 64) & 1 == 1).collect();
    let processor = allowed[turn % allowed.len()];
    mask = [0; 16];
    mask[processor / 64] = 1 << (processor % 64);
    assert_eq!(unsafe { sched_setaffinity(0, bytes, mask.as_ptr()) }, 0);
}

type Job = Box<dyn FnOnce() -> Part + Send>;

/// Lets all go at once; prints what they did if that is wanted.
fn crew(work: Work, jobs: Vec<Job>, print: bool) {
    let gate = Arc::new(Barrier::new(jobs.len() + 1));
    let threads: Vec<_> = jobs
        .into_iter()
        .enumerate()
        .map(|(turn, job)| {
            let gate = gate.clone();
            thread::spawn(move || {
                if work.bound {
                    bind(turn);
                }
                gate.wait();
                let began = Instant::now();
                let part = job();
                (began, Instant::now(), part)
            })
        })
        .collect();
    let before = usage();
    gate.wait();
    let ends: Vec<_> = threads.into_iter().map(|t| t.join().unwrap()).collect();
    let after = usage();
    let began = ends.iter().map(|e| e.0).min().unwrap();
    let ended = ends.iter().map(|e| e.1).max().unwrap();
    let mut all = Part::default();
    for (_, _, part) in ends {
        all.items += part.items;
        all.sum = all.sum.wrapping_add(part.sum);
        all.hash ^= part.hash;
        let skip = part.late_ns.len() / 10; // threads are still coming up
        all.late_ns.extend_from_slice(&part.late_ns[skip..]);
    }
    if !print {
        return;
    }
    print!(
        "{{\"wall_ns\":{},\"cpu_ns\":{},\"switches\":{},\"items\":{},\"sum\":{},\"xor\":{}",
        (ended - began).as_nanos(),
        after.0 - before.0,
        after.1 - before.1,
        all.items,
        all.sum,
        all.hash
    );
    all.late_ns.sort_unstable();
    if let n @ 1.. = all.late_ns.len() {
        let at = |thousandth: usize| all.late_ns[n * thousandth / 1000];
        print!(
            ",\"p50_ns\":{},\"p99_ns\":{},\"p999_ns\":{}",
            at(500),
            at(990),
            at(999)
        );
    }
    println!("}}");
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

// ----------------------------------------------------------------- the line

fn absent(why: &str) -> ! {
    println!("{{\"absent\":\"{}\"}}", why);
    std::process::exit(3)
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
    C: Channel<1> + Channel<8> + 'static,
{
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.len() == 1 && arguments[0] == "about" {
        println!("{{\"name\":\"{name}\",\"version\":\"{version}\",\"bounded\":true,\"batches\":false}}");
        return;
    }
    let n: Vec<u64> = arguments.iter().skip(1).filter_map(|a| a.parse().ok()).collect();
    if arguments.len() != 9 || n.len() != 8 {
        eprintln!("{name}: this is one contender; weir-bench runs them");
        std::process::exit(2);
    }
    let work = Work {
        producers: n[0],
        consumers: n[1],
        capacity: n[2] as usize,
        items: n[5],
        rate: n[6],
        bound: n[7] == 1,
    };
    if work.consumers > most_consumers {
        absent("one consumer only");
    }
    if n[4] > 1 {
        absent("no batches");
    }
    match n[3] {
        8 => do_work::<C, 1>(&arguments[0], work),
        _ => do_work::<C, 8>(&arguments[0], work),
    }
}
