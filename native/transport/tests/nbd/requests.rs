//! Requests that cannot be, that are long, and those that meet free space.

use crate::client::Running;
use crate::memory::SIZE;
use std::io::Write;
use std::sync::atomic::Ordering;
use transport::nbd::negotiation::MAX_PAYLOAD;
use transport::nbd::wire::{be32, be64, chunk, cmd};

#[test]
fn requests_that_cannot_be_are_answered_and_the_next_one_is_served() {
    let running = Running::start("requests");
    let mut client = running.client("live", false);
    let size = SIZE as u64;
    for (command, flags, offset, length, error) in [
        (cmd::READ, 0, size, 512, 22),
        (cmd::READ, 0, u64::MAX, 512, 22),
        (cmd::READ, 0, 0, MAX_PAYLOAD + 1, 75),
        (cmd::READ, cmd::FLAG_DONT_FRAGMENT, 0, 512, 22),
        (cmd::TRIM, 0, size - 512, 1024, 22),
        (cmd::TRIM, 0, 1, 512, 22),
        (cmd::WRITE_ZEROES, 0, size, 512, 28),
        (cmd::WRITE_ZEROES, 1 << 4, 0, 512, 22),
        (cmd::BLOCK_STATUS, 0, 0, 512, 22),
        (99, 0, 0, 0, 22),
        (cmd::TRIM, 0, 0, 512, 0),
        (cmd::CACHE, 0, 0, 512, 0),
        (cmd::FLUSH, 0, 0, 0, 0),
    ] {
        client.ask(command, flags, 3, offset, length);
        assert_eq!(
            client.reply().expect("an answer"),
            (error, 3),
            "{command} {offset} {length}"
        );
    }
    // The data of a write that is refused is not taken for the next request.
    for (offset, length, error) in [
        (size, 4096, 28),
        (100, 4096, 22),
        (u64::MAX - 5, 3 << 20, 28),
    ] {
        client.ask(cmd::WRITE, 0, 4, offset, length);
        client
            .0
            .write_all(&vec![0x25; length as usize])
            .expect("sent");
        assert_eq!(client.reply().expect("an answer"), (error, 4));
    }
    assert_eq!(client.read(512, 512).expect("readable"), vec![1; 512]);
    let mut frozen = running.client("frozen", false);
    frozen.ask(cmd::WRITE, 0, 5, 0, 512);
    frozen.0.write_all(&[1; 512]).expect("sent");
    assert_eq!(frozen.reply().expect("an answer"), (1, 5));
    frozen.ask(cmd::WRITE_ZEROES, 0, 6, 0, 512);
    assert_eq!(frozen.reply().expect("an answer"), (1, 6));
}

#[test]
fn long_requests_are_done_in_pieces_and_forced_writes_are_flushed() {
    let running = Running::start("long");
    let mut client = running.client("live", false);
    let length = (5 << 20) + 512;
    let data: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
    client.ask(cmd::WRITE, cmd::FLAG_FUA, 1, 512, length);
    client.0.write_all(&data).expect("sent");
    assert_eq!(client.reply().expect("an answer"), (0, 1));
    assert_eq!(running.memory.flushes.load(Ordering::SeqCst), 1);
    assert!(client.read(512, length).expect("readable") == data);
    client.ask(cmd::WRITE_ZEROES, cmd::FLAG_NO_HOLE, 2, 0, 2 << 20);
    assert_eq!(client.reply().expect("an answer"), (0, 2));
    assert!(
        client
            .read(0, 2 << 20)
            .expect("readable")
            .iter()
            .all(|b| *b == 0)
    );
    let mut whole = running.client("live", true);
    whole.ask(cmd::READ, cmd::FLAG_DONT_FRAGMENT, 3, 512, length);
    let (kind, done, _, payload) = whole.chunk();
    assert_eq!(
        (kind, done, payload.len()),
        (chunk::DATA, false, 8 + length as usize)
    );
    assert_eq!(whole.chunk().0, chunk::NONE);
}

#[test]
fn free_space_of_an_image_is_told_and_never_sent() {
    let running = Running::start("holes");
    let mut client = running.client("frozen", true);
    client.ask(cmd::BLOCK_STATUS, 0, 1, 512, 4 << 20);
    let (kind, done, _, payload) = client.chunk();
    assert_eq!((kind, done), (chunk::BLOCK_STATUS, true));
    let numbers: Vec<u32> = payload
        .chunks(4)
        .map(|b| be32(b, 0).expect("number"))
        .collect();
    let (first, hole, rest) = ((1 << 20) - 512, 1 << 20, (2 << 20) + 512);
    assert_eq!(numbers[1..], [first, 0, hole, 3, rest, 0]);
    client.ask(cmd::BLOCK_STATUS, cmd::FLAG_ONE_EXTENT, 2, 0, 4 << 20);
    assert_eq!(client.chunk().3.len(), 12);
    client.ask(cmd::READ, 0, 3, 0, 4 << 20);
    let mut covered = 0;
    let mut sent = 0;
    loop {
        let (kind, done, cookie, payload) = client.chunk();
        assert_eq!((cookie, be64(&payload, 0)), (3, Some(covered)));
        if kind == chunk::HOLE {
            assert_eq!(be32(&payload, 8), Some(1 << 20));
            covered += 1 << 20;
        } else {
            covered += payload.len() as u64 - 8;
            sent += payload.len() - 8;
            assert!(payload[8..].iter().all(|b| *b == 5));
        }
        if done {
            break;
        }
    }
    assert_eq!((covered, sent), (4 << 20, 3 << 20));
}
