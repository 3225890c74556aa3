//! Many requests and many clients at once.

use crate::client::{Running, ends, greet};
use crate::tls::{Certificates, Known};
use std::collections::HashMap;
use std::io::{ErrorKind, Read};
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

#[test]
fn strangers_without_a_certificate_keep_nobody_out() {
    let certificates = Certificates::make("strangers");
    let running = Running::start_with("strangers", Some(certificates.server()));
    let mut strangers: Vec<UnixStream> = (0..200).map(|_| running.connect()).collect();
    for stream in strangers.iter_mut().rev().take(32) {
        greet(stream);
    }
    ends_unread(&mut strangers[0]);
    let mut known: Vec<Known> = (0..32)
        .map(|_| Known::connect(&running, &certificates))
        .collect();
    assert!(known.iter_mut().all(|k| k.is_let_in().expect("in time")));
    assert_eq!(running.server.connections(), 32);
    let mut further = Known::connect(&running, &certificates);
    assert!(!further.is_let_in().expect("in time"));
    drop((known.pop(), further));
    let end = Instant::now() + Duration::from_secs(60);
    while running.server.connections() == 32 && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut next = Known::connect(&running, &certificates);
    assert!(next.is_let_in().expect("in time"));
}

/// The connection ends, whatever of the greeting was still sent.
fn ends_unread(stream: &mut UnixStream) {
    let mut greeting = Vec::new();
    let ended = stream.read_to_end(&mut greeting);
    assert!(ended.is_ok() || ended.is_err_and(|e| e.kind() == ErrorKind::ConnectionReset));
}
