// SPDX-License-Identifier: MIT
// pool.rs - work for a pool of Rust.  The adapter has it (Pool) and calls run;
// pool_works.c has the essay on what is asked.

#[path = "driver.rs"]
mod driver;

use driver::{absent, crew, read_work, usage_of_others, Part, Work, HASH};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

pub trait Pool: Send + Sync + 'static {
    fn start(workers: usize, capacity: usize) -> Self;
    /// Has pool_task(item) called on some worker for each of 1 to `items`, and
    /// returns when they have run.
    fn run_all(&self, items: u64);
    /// Calls `submitter` with a function that has task(item) called on some
    /// worker, and returns when all have run.
    fn run(
        &self,
        task: impl Fn(u64) + Send + Sync + 'static,
        submitter: impl FnOnce(&mut dyn FnMut(u64)),
    );
}

const MOST_WORKERS: usize = 1024;

// As in work.h.
const BURST: u64 = 64;
const LONG: u64 = 8;
const REST: Duration = Duration::from_millis(200);

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

// -------------------------------------------------------------------- kinds

fn tasks(pool: &impl Pool, work: Work) -> Part {
    pool.run_all(work.items);
    Part::default()
}

fn sleeps(pool: &impl Pool, work: Work) -> Part {
    let task = move |item| {
        sleep(work.span);
        pool_task(item);
    };
    pool.run(task, |submit| (1..=work.items).for_each(submit));
    Part::default()
}

/// As work_compute of work.h.
fn compute(number: u64, steps: u64) -> u64 {
    (0..steps).fold(number, |n, _| {
        (n ^ n >> 29).wrapping_mul(6364136223846793005)
    })
}

fn computes(pool: &impl Pool, work: Work) -> Part {
    let task = move |item| {
        std::hint::black_box(compute(item, work.rate));
        pool_task(item);
    };
    pool.run(task, |submit| (1..=work.items).for_each(submit));
    Part::default()
}

/// A task that counts when it has run, and how many have.
fn counted() -> (impl Fn(u64) + Send + Sync + 'static, Arc<AtomicU64>) {
    let ran = Arc::new(AtomicU64::new(0));
    let count = ran.clone();
    let task = move |item| {
        pool_task(item);
        count.fetch_add(1, SeqCst);
    };
    (task, ran)
}

fn wait_for(ran: &AtomicU64, wanted: u64) {
    while ran.load(SeqCst) < wanted {
        sleep(Duration::from_micros(50));
    }
}

/// A channel whose ends may be anyone's.
fn shared<T>() -> (Arc<Mutex<Sender<T>>>, Arc<Mutex<Receiver<T>>>) {
    let (to, from) = channel();
    (Arc::new(Mutex::new(to)), Arc::new(Mutex::new(from)))
}

/// While every worker is held up, by item 0.
fn submit(pool: &impl Pool, work: Work) -> Part {
    let (count, ran) = counted();
    let (is_held, held) = shared();
    let (let_go, go) = shared();
    let task = move |item| match item {
        0 => {
            is_held.lock().unwrap().send(()).unwrap();
            go.lock().unwrap().recv().unwrap();
        }
        _ => count(item),
    };
    let mut wall = Duration::ZERO;
    pool.run(task, |submit| {
        let mut item = 1;
        while item <= work.items {
            (0..work.consumers).for_each(|_| submit(0));
            (0..work.consumers).for_each(|_| held.lock().unwrap().recv().unwrap());
            let end = work.items.min(item + work.capacity as u64 / 2);
            let began = Instant::now();
            (item..=end).for_each(&mut *submit);
            wall += began.elapsed();
            (0..work.consumers).for_each(|_| let_go.lock().unwrap().send(()).unwrap());
            wait_for(&ran, end);
            item = end + 1;
        }
    });
    Part { wall: Some(wall), ..Part::default() }
}

fn sleep_until(at: Instant) {
    sleep(at.saturating_duration_since(Instant::now()));
}

/// `burst` at once; if that is more than one, one of them is long.
fn on_time(pool: &impl Pool, work: Work, burst: u64) -> Part {
    let zero = Instant::now();
    let clock = move || zero.elapsed().as_nanos() as u64;
    let none = || (0..work.items).map(|_| AtomicU64::new(0)).collect::<Arc<[_]>>();
    let (begun, late) = (none(), none());
    let (begun_of, late_of) = (begun.clone(), late.clone());
    let task = move |item: u64| {
        let i = item as usize - 1;
        late_of[i].store(clock() - begun_of[i].load(Relaxed), Relaxed);
        if burst > 1 && item % burst == LONG {
            sleep(work.span);
        }
        pool_task(item);
    };
    pool.run(task, |submit| {
        let start = Instant::now();
        for i in 0..work.items {
            if i % burst == 0 {
                sleep_until(start + Duration::from_nanos(i * 1_000_000_000 / work.rate));
            }
            begun[i as usize].store(clock(), Relaxed);
            submit(i + 1);
        }
    });
    let late_ns = late.iter().map(|l| l.load(Relaxed)).collect();
    Part { late_ns, ..Part::default() }
}

fn idle(pool: &impl Pool, work: Work) -> Part {
    let (task, ran) = counted();
    let (mut wall, mut cost) = (Duration::ZERO, (0, 0));
    pool.run(task, |submit| {
        (1..=work.items).for_each(submit);
        wait_for(&ran, work.items);
        sleep(REST);
        let (before, began) = (usage_of_others(), Instant::now());
        sleep(work.span);
        let after = usage_of_others();
        wall = began.elapsed();
        // The system tells the processor time in steps.
        cost = (after.0.saturating_sub(before.0), after.1 - before.1);
    });
    Part { wall: Some(wall), cost: Some(cost), ..Part::default() }
}

// --------------------------------------------------------------------- main

fn job<P: Pool>(kind: &str, pool: &P, work: Work) -> Part {
    match kind {
        "tasks" => tasks(pool, work),
        "submit" => submit(pool, work),
        "start" => on_time(pool, work, 1),
        "behind" => on_time(pool, work, BURST),
        "sleeps" => sleeps(pool, work),
        "idle" => idle(pool, work),
        "computes" => computes(pool, work),
        "exits" => absent("no task can end its thread alone"),
        "deadlines" => absent("a task that blocks has no deadline"),
        _ => absent("a pool, not a queue"),
    }
}

fn run_job<P: Pool>(kind: &str, work: Work, print: bool) {
    let pool = Arc::new(P::start(work.consumers as usize, work.capacity));
    let for_submitter = pool.clone(); // its end is not measured
    let kind = kind.to_string();
    for seen in SEEN.iter().flat_map(|s| &s.0) {
        seen.store(0, Relaxed);
    }
    let submit = move || {
        let mut part = job(&kind, &*for_submitter, work);
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
    let (kind, work) = read_work(name, version, bounded);
    if work.producers > 1 {
        absent("one submitter only");
    }
    if !bounded && work.capacity < 1024 {
        absent("unbounded");
    }
    let mut warm_up = work;
    warm_up.items = work.items / 16;
    if kind == "idle" {
        warm_up.span = Duration::ZERO;
    }
    run_job::<P>(&kind, warm_up, false);
    run_job::<P>(&kind, work, true);
}
