//! NBD against clients that break the rules, over a volume in memory. Needs no rights.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use transport::nbd::exports::{Context, Export, Exports, Extent};
use transport::nbd::negotiation::{MAX_OPTION_DATA, MAX_PAYLOAD, Negotiation, Next, Security};
use transport::nbd::server::Server;
use transport::nbd::wire::{self, answer, be32, be64, chunk, cmd, option};
use transport::served::{Change, Errno, Image, Patience, Served};

const SIZE: usize = 64 << 20;
const HOLE: std::ops::Range<usize> = 1 << 20..2 << 20;

/// A volume in memory, and a frozen image of it in which one MiB was free.
struct Memory {
    live: Mutex<Vec<u8>>,
    flushes: AtomicU64,
}

impl Served for Memory {
    fn size(&self) -> u64 {
        SIZE as u64
    }
    fn find(&self, _: &str) -> Option<u64> {
        None
    }
    fn read(&self, image: Image, offset: u64, data: &mut [u8], _: &mut [u8]) -> Result<(), Errno> {
        let at = offset as usize;
        match image {
            Image::Live => {
                data.copy_from_slice(&self.live.lock().expect("lock")[at..][..data.len()])
            }
            Image::Frozen(_) => {
                for (n, byte) in data.iter_mut().enumerate() {
                    *byte = if HOLE.contains(&(at + n)) { 0 } else { 5 };
                }
            }
        }
        Ok(())
    }
    fn change(&self, change: Change<'_>, _: Patience, _: &mut [u8]) -> Result<(), Errno> {
        let Change::Write { offset, data } = change else {
            return Err(Errno::NOT_SUPPORTED);
        };
        self.live.lock().expect("lock")[offset as usize..][..data.len()].copy_from_slice(data);
        Ok(())
    }
    fn flush(&self) -> Result<(), Errno> {
        self.flushes.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

impl Exports for Memory {
    fn exports(&self) -> Vec<Export> {
        let export = |name: &str, image: Image| Export {
            name: name.into(),
            image,
            read_only: image != Image::Live,
            description: String::new(),
            contexts: Vec::new(),
        };
        vec![
            export("live", Image::Live),
            export("frozen", Image::Frozen(1)),
        ]
    }
    fn sector_size(&self) -> u32 {
        512
    }
    fn status(
        &self,
        image: Image,
        _: &Context,
        offset: u64,
        length: u64,
        most: usize,
    ) -> Result<Vec<Extent>, Errno> {
        let (mut at, end) = (offset as usize, (offset + length) as usize);
        let mut extents = Vec::new();
        while at < end && extents.len() < most {
            let hole = image != Image::Live && HOLE.contains(&at);
            let to = match (image, hole) {
                (Image::Frozen(_), true) => HOLE.end,
                (Image::Frozen(_), false) if at < HOLE.start => HOLE.start,
                _ => end,
            };
            let length = (to.min(end) - at) as u64;
            extents.push(Extent {
                length,
                flags: if hole { 3 } else { 0 },
            });
            at += length as usize;
        }
        Ok(extents)
    }
}

fn memory() -> Arc<Memory> {
    Arc::new(Memory {
        live: Mutex::new((0..SIZE).map(|n| (n / 512) as u8).collect()),
        flushes: AtomicU64::new(0),
    })
}

/// A server on a socket of its own.
struct Running {
    path: PathBuf,
    memory: Arc<Memory>,
    server: Arc<Server>,
}

impl Running {
    fn start(name: &str) -> Running {
        let path = std::env::temp_dir().join(format!("nbd-{name}-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).expect("binds");
        let memory = memory();
        let server = Server::new(memory.clone(), 4);
        server
            .listen(OwnedFd::from(listener), None)
            .expect("listens");
        Running {
            path,
            memory,
            server,
        }
    }

    fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(&self.path).expect("connects");
        let limit = Some(Duration::from_secs(60));
        stream.set_read_timeout(limit).expect("limit");
        stream.set_write_timeout(limit).expect("limit");
        stream
    }

    /// A client in the transmission phase.
    fn client(&self, export: &str, structured: bool) -> Client {
        let mut stream = self.connect();
        greet(&mut stream);
        if structured {
            say(&mut stream, option::STRUCTURED_REPLY, &[]);
            assert_eq!(hear(&mut stream).0, answer::ACK);
            let query = [
                counted(export),
                vec![0, 0, 0, 1],
                counted("base:allocation"),
            ]
            .concat();
            say(&mut stream, option::SET_META_CONTEXT, &query);
            assert_eq!(hear(&mut stream).0, answer::META_CONTEXT);
            assert_eq!(hear(&mut stream).0, answer::ACK);
        }
        say(
            &mut stream,
            option::GO,
            &[counted(export), vec![0, 0]].concat(),
        );
        assert_eq!(hear(&mut stream).0, answer::INFO);
        assert_eq!(hear(&mut stream).0, answer::ACK);
        Client(stream)
    }

    fn still_serves(&self) {
        let mut client = self.client("live", false);
        assert_eq!(client.read(512, 512).expect("readable"), vec![1; 512]);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.end();
        let _ = std::fs::remove_file(&self.path);
    }
}

struct Client(UnixStream);

impl Client {
    fn ask(&mut self, command: u16, flags: u16, cookie: u64, offset: u64, length: u32) {
        let mut bytes = wire::REQUEST_MAGIC.to_be_bytes().to_vec();
        bytes.extend_from_slice(&flags.to_be_bytes());
        bytes.extend_from_slice(&command.to_be_bytes());
        bytes.extend_from_slice(&cookie.to_be_bytes());
        bytes.extend_from_slice(&offset.to_be_bytes());
        bytes.extend_from_slice(&length.to_be_bytes());
        self.0.write_all(&bytes).expect("sent");
    }

    /// Error and cookie of a simple reply.
    fn reply(&mut self) -> std::io::Result<(u32, u64)> {
        let mut head = [0; 16];
        self.0.read_exact(&mut head)?;
        assert_eq!(be32(&head, 0), Some(wire::SIMPLE_REPLY_MAGIC));
        Ok((
            be32(&head, 4).expect("error"),
            be64(&head, 8).expect("cookie"),
        ))
    }

    fn read(&mut self, offset: u64, length: u32) -> std::io::Result<Vec<u8>> {
        self.ask(cmd::READ, 0, 1, offset, length);
        assert_eq!(self.reply()?.0, 0);
        let mut data = vec![0; length as usize];
        self.0.read_exact(&mut data)?;
        Ok(data)
    }

    /// Type, whether it is the last, cookie, payload.
    fn chunk(&mut self) -> (u16, bool, u64, Vec<u8>) {
        let mut head = [0; 20];
        self.0.read_exact(&mut head).expect("a chunk");
        assert_eq!(be32(&head, 0), Some(wire::CHUNK_MAGIC));
        let mut payload = vec![0; be32(&head, 16).expect("length") as usize];
        self.0.read_exact(&mut payload).expect("a payload");
        let flags = wire::be16(&head, 4).expect("flags");
        let kind = wire::be16(&head, 6).expect("type");
        (
            kind,
            flags & chunk::FLAG_DONE != 0,
            be64(&head, 8).expect("cookie"),
            payload,
        )
    }
}

fn counted(text: &str) -> Vec<u8> {
    [&(text.len() as u32).to_be_bytes(), text.as_bytes()].concat()
}

fn greet(stream: &mut UnixStream) {
    let mut greeting = [0; wire::GREETING_BYTES];
    stream.read_exact(&mut greeting).expect("a greeting");
    assert_eq!(greeting, wire::greeting());
    stream.write_all(&3u32.to_be_bytes()).expect("sent");
}

fn say(stream: &mut UnixStream, option: u32, data: &[u8]) {
    let mut bytes = wire::OPTION_MAGIC.to_be_bytes().to_vec();
    bytes.extend_from_slice(&option.to_be_bytes());
    bytes.extend_from_slice(&(data.len() as u32).to_be_bytes());
    bytes.extend_from_slice(data);
    stream.write_all(&bytes).expect("sent");
}

fn hear(stream: &mut UnixStream) -> (u32, Vec<u8>) {
    let mut head = [0; 20];
    stream.read_exact(&mut head).expect("an answer");
    assert_eq!(be64(&head, 0), Some(wire::OPTION_REPLY_MAGIC));
    let mut data = vec![0; be32(&head, 16).expect("length") as usize];
    stream.read_exact(&mut data).expect("its data");
    (be32(&head, 12).expect("type"), data)
}

/// The connection ends without a further byte.
fn ends(stream: &mut UnixStream) {
    match stream.read(&mut [0; 1]) {
        Ok(0) => {}
        Err(e) if e.kind() == ErrorKind::ConnectionReset => {}
        other => panic!("the connection goes on: {other:?}"),
    }
}

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
