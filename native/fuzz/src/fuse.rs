//! Requests of the kernel, as bytes.
//!
//! Input: for each request a length of two bytes, then as many bytes. A request whose length field (its first four bytes) is
//! zero gets the right one, so that mutation does not end at the door.

use crate::memory::Memory;
use std::cell::RefCell;
use transport::fuse::abi::{InHeader, OutHeader, Plain};
use transport::fuse::buffer::PAGE;
use transport::fuse::dispatch::{self, Outcome};
use transport::fuse::session::MAX_PAYLOAD;
use transport::served::SCRATCH_BYTES;

const START: usize = PAGE - 80;

thread_local! {
    /// As a serving thread has them: made once, never cleared.
    static BUFFERS: RefCell<(Vec<u8>, Vec<u8>)> =
        RefCell::new((vec![0xa5; PAGE + MAX_PAYLOAD], vec![0; SCRATCH_BYTES]));
}

pub fn run(input: &[u8]) {
    BUFFERS.with_borrow_mut(|(buffer, scratch)| answer(input, buffer, scratch));
}

fn answer(input: &[u8], buffer: &mut [u8], scratch: &mut [u8]) {
    let served = Memory::default();
    let mut rest = input;
    while let [low, high, after @ ..] = rest {
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(after.len());
        let (request, next) = after.split_at(length);
        rest = next;
        buffer[START..START + length].copy_from_slice(request);
        if length >= 4 && request[..4] == [0; 4] {
            buffer[START..START + 4].copy_from_slice(&(length as u32).to_le_bytes());
        }
        let asked = InHeader::parse(&buffer[START..START + length]);
        let Outcome::Reply(range) = dispatch::handle(buffer, START, length, scratch, &served)
        else {
            continue;
        };
        let asked = asked.expect("a request without a header is not answered");
        let reply = &buffer[range];
        let head = OutHeader::parse(reply).expect("a reply has a header");
        assert_eq!(head.len as usize, reply.len());
        assert_eq!(head.unique, asked.unique);
        assert!((-4095..=0).contains(&head.error), "errno {}", head.error);
        assert!(head.error == 0 || reply.len() == size_of::<OutHeader>());
    }
}
