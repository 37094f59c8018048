// SPDX-License-Identifier: MIT
// driver.rs - driver.c's work for Rust: threads, clock, one line of JSON.
// channel.rs and pool.rs have what is done.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

pub const HASH: u64 = 0x9E3779B97F4A7C15;

#[derive(Clone, Copy)]
#[allow(dead_code)] // a pool has no need of some
pub struct Work {
    pub producers: u64,
    pub consumers: u64,
    pub capacity: usize,
    pub items: u64,
    pub size: u64,
    pub rate: u64,
    pub bound: bool,
    pub span: Duration,
}

/// What one thread did.
#[derive(Default)]
pub struct Part {
    /// What it measured itself rather than what was measured around it.
    pub wall: Option<Duration>,
    pub cost: Option<(u64, u64)>,
    pub items: u64,
    pub sum: u64,
    pub hash: u64,
    pub late_ns: Vec<u64>,
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

const PROCESS: i32 = 0;

/// Processor nanoseconds and context switches until now.
fn usage(who: i32) -> (u64, u64) {
    let mut u = Usage { times: [0; 4], others: [0; 14] };
    assert_eq!(unsafe { getrusage(who, &mut u) }, 0);
    let cpu = (u.times[0] + u.times[2]) * 1_000_000_000
        + (u.times[1] + u.times[3]) * 1000;
    (cpu as u64, (u.others[12] + u.others[13]) as u64)
}

/// The same of all threads but the one that asks.
#[allow(dead_code)]
pub fn usage_of_others() -> (u64, u64) {
    let (mine, all) = (usage(1), usage(PROCESS));
    (all.0.saturating_sub(mine.0), all.1 - mine.1)
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

pub type Job = Box<dyn FnOnce() -> Part + Send>;

/// Lets all go at once; prints what they did if that is wanted.
pub fn crew(work: Work, jobs: Vec<Job>, print: bool) {
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
    let before = usage(PROCESS);
    gate.wait();
    let ends: Vec<_> = threads.into_iter().map(|t| t.join().unwrap()).collect();
    let after = usage(PROCESS);
    let began = ends.iter().map(|e| e.0).min().unwrap();
    let ended = ends.iter().map(|e| e.1).max().unwrap();
    let mut all = Part::default();
    for (_, _, part) in ends {
        all.items += part.items;
        all.sum = all.sum.wrapping_add(part.sum);
        all.hash ^= part.hash;
        all.wall = all.wall.or(part.wall);
        all.cost = all.cost.or(part.cost);
        let skip = part.late_ns.len() / 10; // threads are still coming up
        all.late_ns.extend_from_slice(&part.late_ns[skip..]);
    }
    if !print {
        return;
    }
    let cost = all.cost.unwrap_or((after.0 - before.0, after.1 - before.1));
    print!(
        "{{\"wall_ns\":{},\"cpu_ns\":{},\"switches\":{},\"items\":{},\"sum\":{},\"xor\":{}",
        all.wall.unwrap_or(ended - began).as_nanos(),
        cost.0,
        cost.1,
        all.items,
        all.sum,
        all.hash
    );
    all.late_ns.sort_unstable();
    if let n @ 1.. = all.late_ns.len() {
        let at = |thousandth: usize| all.late_ns[n * thousandth / 1000];
        print!(
            ",\"p50_ns\":{},\"p99_ns\":{},\"p999_ns\":{},\"max_ns\":{}",
            at(500),
            at(990),
            at(999),
            all.late_ns[n - 1]
        );
    }
    println!("}}");
}

// ----------------------------------------------------------------- the line

pub fn absent(why: &str) -> ! {
    println!("{{\"absent\":\"{}\"}}", why);
    std::process::exit(3)
}

/// Answers about; otherwise what is to be done, as the command line has it.
pub fn read_work(name: &str, version: &str, bounded: bool) -> (String, Work) {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.len() == 1 && arguments[0] == "about" {
        println!(
            "{{\"name\":\"{name}\",\"version\":\"{version}\",\"bounded\":{bounded},\"batches\":false}}"
        );
        std::process::exit(0);
    }
    let n: Vec<u64> = arguments.iter().skip(1).filter_map(|a| a.parse().ok()).collect();
    if arguments.len() != 10 || n.len() != 9 {
        eprintln!("{name}: this is one contender; weir-bench runs them");
        std::process::exit(2);
    }
    let work = Work {
        producers: n[0],
        consumers: n[1],
        capacity: n[2] as usize,
        size: n[3],
        items: n[5],
        rate: n[6],
        bound: n[7] == 1,
        span: Duration::from_micros(n[8]),
    };
    if n[4] > 1 {
        absent("no batches");
    }
    (arguments[0].clone(), work)
}
