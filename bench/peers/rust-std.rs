// SPDX-License-Identifier: MIT
// rust-std.rs - Rust's own std::sync::mpsc::sync_channel: one consumer.

#[path = "../driver/channel.rs"]
mod channel;

use channel::{Channel, Item};
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};

struct Std;

impl<const W: usize> Channel<W> for Std {
    type Put = SyncSender<Item<W>>;
    type Get = Receiver<Item<W>>;

    fn create(capacity: usize, _consumers: usize) -> (Self::Put, Vec<Self::Get>) {
        let (put, get) = sync_channel(capacity);
        (put, vec![get])
    }

    fn put(to: &Self::Put, item: Item<W>) {
        to.send(item).expect("send")
    }

    fn get(from: &Self::Get) -> Item<W> {
        from.recv().expect("recv")
    }
}

fn main() {
    channel::run::<Std>("Rust std sync_channel", env!("PEER_VERSION"), 1)
}
