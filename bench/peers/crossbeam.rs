// SPDX-License-Identifier: MIT
// crossbeam.rs - Rust's crossbeam-channel, bounded.

#[path = "../driver/channel.rs"]
mod channel;

use crossbeam_channel::{bounded, Receiver, Sender};
use channel::{Channel, Item};

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
    channel::run::<Crossbeam>("Rust crossbeam-channel", env!("PEER_VERSION"), u64::MAX)
}
