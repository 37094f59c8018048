// SPDX-License-Identifier: MIT
// crossbeam.rs - Rust's crossbeam-channel, bounded.

#[path = "../driver/driver.rs"]
mod driver;

use crossbeam_channel::{bounded, Receiver, Sender};
use driver::{Channel, Item};

struct Crossbeam;

impl<const W: usize> Channel<W> for Crossbeam {
    type Put = Sender<Item<W>>;
    type Get = Receiver<Item<W>>;

    fn create(capacity: usize, consumers: usize) -> (Self::Put, Vec<Self::Get>) {
        let (put, get) = bounded(capacity);
        (put, vec![get; consumers])
    }

    fn put(to: &Self::Put, item: Item<W>) {
        to.send(item).expect("send")
    }

    fn get(from: &Self::Get) -> Item<W> {
        from.recv().expect("recv")
    }
}

fn main() {
    driver::run::<Crossbeam>("Rust crossbeam-channel", env!("PEER_VERSION"), u64::MAX)
}
