//! Many requests and many clients at once.

use crate::client::{Running, ends, greet};
use std::collections::HashMap;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use transport::nbd::wire::cmd;

#[test]
fn many_requests_at_once_are_each_answered() {
    let running = Running::start("many");
    let mut client = running.client("live", true);
    for n in 0..500u64 {
        client.ask(cmd::READ, 0, n, n * 512, 512);
    }
    let mut left: HashMap<u64, u8> = (0..500).map(|n| (n, n as u8)).collect();
    while !left.is_empty() {
        let (_, _, cookie, payload) = client.chunk();
        let expected = left.remove(&cookie).expect("asked, and not answered yet");
        assert!(payload[8..].iter().all(|b| *b == expected));
    }
    client.ask(cmd::READ, 0, 7, 0, 512);
    client.ask(cmd::DISCONNECT, 0, 8, 0, 0);
    assert_eq!(client.chunk().2, 7);
    ends(&mut client.0);
}

#[test]
fn clients_that_do_not_read_and_clients_in_numbers_harm_nobody() {
    let running = Running::start("slow");
    let mut slow = running.client("live", false);
    for n in 0..64 {
        slow.ask(cmd::READ, 0, n, 0, 1 << 20);
    }
    let mut idle: Vec<UnixStream> = (0..28).map(|_| running.connect()).collect();
    for stream in &mut idle {
        greet(stream);
    }
    running.still_serves();
    let crowd: Vec<UnixStream> = (0..200).map(|_| running.connect()).collect();
    let mut turned_away = running.connect();
    ends(&mut turned_away);
    drop((crowd, idle));
    let end = Instant::now() + Duration::from_secs(60);
    while running.server.connections() > 1 && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(10));
    }
    running.still_serves();
}
