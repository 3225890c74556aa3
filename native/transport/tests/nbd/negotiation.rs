//! What clients may say before their first request.

use crate::client::{Running, counted, ends, greet, hear, say};
use crate::memory::memory;
use std::io::{Read, Write};
use transport::nbd::negotiation::{MAX_OPTION_DATA, MAX_PAYLOAD, Negotiation, Next, Security};
use transport::nbd::wire::{self, answer, be32, cmd, option};

#[test]
fn whoever_speaks_nonsense_loses_the_connection_and_nobody_else_does() {
    let running = Running::start("nonsense");
    let mut flags = running.connect();
    flags.write_all(&[0xff; 4]).expect("sent");
    flags.read_exact(&mut [0; 18]).expect("a greeting");
    ends(&mut flags);
    let mut magic = running.connect();
    greet(&mut magic);
    magic.write_all(&[7; 16]).expect("sent");
    ends(&mut magic);
    let mut huge = running.connect();
    greet(&mut huge);
    let mut head = wire::OPTION_MAGIC.to_be_bytes().to_vec();
    head.extend_from_slice(&option::GO.to_be_bytes());
    head.extend_from_slice(&(MAX_OPTION_DATA + 1).to_be_bytes());
    huge.write_all(&head).expect("sent");
    ends(&mut huge);
    let mut unknown = running.connect();
    greet(&mut unknown);
    say(&mut unknown, option::EXPORT_NAME, b"no such export");
    ends(&mut unknown);
    let mut request = running.client("live", false).0;
    request.write_all(&[9; wire::REQUEST_BYTES]).expect("sent");
    ends(&mut request);
    let mut monster = running.client("live", false);
    monster.ask(cmd::WRITE, 0, 1, 0, MAX_PAYLOAD + 1);
    ends(&mut monster.0);
    for cut in 0..30 {
        let mut short = running.connect();
        let mut bytes = 3u32.to_be_bytes().to_vec();
        bytes.extend_from_slice(&wire::OPTION_MAGIC.to_be_bytes());
        bytes.extend_from_slice(&option::GO.to_be_bytes());
        bytes.extend_from_slice(&[0, 0, 0, 8]);
        short
            .write_all(&bytes[..cut.min(bytes.len())])
            .expect("sent");
    }
    running.still_serves();
}

#[test]
fn options_are_refused_by_name_and_the_next_one_is_heard() {
    let running = Running::start("options");
    let mut stream = running.connect();
    greet(&mut stream);
    for (option, data, expected) in [
        (77, vec![1, 2, 3], answer::UNSUPPORTED),
        (option::LIST, vec![0], answer::INVALID),
        (option::STARTTLS, vec![], answer::POLICY),
        (option::GO, vec![0xff; 12], answer::INVALID),
        (
            option::GO,
            [counted("nobody"), vec![0, 0]].concat(),
            answer::UNKNOWN,
        ),
        (
            option::SET_META_CONTEXT,
            [counted("live"), vec![0; 4]].concat(),
            answer::INVALID,
        ),
        (
            option::INFO,
            [counted(&"x".repeat(5000)), vec![0, 0]].concat(),
            answer::TOO_BIG,
        ),
    ] {
        say(&mut stream, option, &data);
        assert_eq!(hear(&mut stream).0, expected, "option {option}");
    }
    say(&mut stream, option::ABORT, b"bye");
    assert_eq!(hear(&mut stream).0, answer::ACK);
    ends(&mut stream);
}

#[test]
fn before_tls_nothing_is_told_and_nothing_said_counts_after_it() {
    let memory = memory();
    let mut negotiation = Negotiation::new(&*memory, Security::TlsDemanded, 3).expect("fine flags");
    let mut out = Vec::new();
    let go = [counted("live"), vec![0, 0]].concat();
    for number in [option::LIST, option::GO, option::STRUCTURED_REPLY, 77] {
        out.clear();
        negotiation.handle(number, &go, &mut out);
        assert_eq!(be32(&out, 12), Some(answer::TLS_REQUIRED));
        assert!(!String::from_utf8_lossy(&out).contains("live"));
    }
    let refused = negotiation.handle(option::EXPORT_NAME, b"live", &mut out);
    assert!(matches!(refused, Next::Close));
    assert!(matches!(
        negotiation.handle(option::STARTTLS, &[], &mut out),
        Next::StartTls
    ));
    let mut negotiation = negotiation.secured();
    out.clear();
    negotiation.handle(option::STARTTLS, &[], &mut out);
    assert_eq!(be32(&out, 12), Some(answer::INVALID));
    let Next::Transmit(agreed) = negotiation.handle(option::GO, &go, &mut out) else {
        panic!("not served after TLS");
    };
    assert!(!agreed.structured && agreed.contexts.is_empty());
}
