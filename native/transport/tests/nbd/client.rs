//! A server on a socket of its own, and a client that can say whatever it wants to.

use crate::memory::{Memory, memory};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use transport::nbd::server::Server;
use transport::nbd::tls::ServerConfig;
use transport::nbd::wire::{self, answer, be32, be64, chunk, cmd, option};

/// A server on a socket of its own.
pub struct Running {
    path: PathBuf,
    pub memory: Arc<Memory>,
    pub server: Arc<Server>,
}

impl Running {
    pub fn start(name: &str) -> Running {
        Running::start_with(name, None)
    }

    pub fn start_with(name: &str, tls: Option<Arc<ServerConfig>>) -> Running {
        let path = std::env::temp_dir().join(format!("nbd-{name}-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).expect("binds");
        let memory = memory();
        let server = Server::new(memory.clone(), 4);
        server
            .listen(OwnedFd::from(listener), tls)
            .expect("listens");
        Running {
            path,
            memory,
            server,
        }
    }

    pub fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(&self.path).expect("connects");
        let limit = Some(Duration::from_secs(60));
        stream.set_read_timeout(limit).expect("limit");
        stream.set_write_timeout(limit).expect("limit");
        stream
    }

    /// A client in the transmission phase.
    pub fn client(&self, export: &str, structured: bool) -> Client {
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

    pub fn still_serves(&self) {
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

pub struct Client(pub UnixStream);

impl Client {
    pub fn ask(&mut self, command: u16, flags: u16, cookie: u64, offset: u64, length: u32) {
        let mut bytes = wire::REQUEST_MAGIC.to_be_bytes().to_vec();
        bytes.extend_from_slice(&flags.to_be_bytes());
        bytes.extend_from_slice(&command.to_be_bytes());
        bytes.extend_from_slice(&cookie.to_be_bytes());
        bytes.extend_from_slice(&offset.to_be_bytes());
        bytes.extend_from_slice(&length.to_be_bytes());
        self.0.write_all(&bytes).expect("sent");
    }

    /// Error and cookie of a simple reply.
    pub fn reply(&mut self) -> std::io::Result<(u32, u64)> {
        let mut head = [0; 16];
        self.0.read_exact(&mut head)?;
        assert_eq!(be32(&head, 0), Some(wire::SIMPLE_REPLY_MAGIC));
        Ok((
            be32(&head, 4).expect("error"),
            be64(&head, 8).expect("cookie"),
        ))
    }

    pub fn read(&mut self, offset: u64, length: u32) -> std::io::Result<Vec<u8>> {
        self.ask(cmd::READ, 0, 1, offset, length);
        assert_eq!(self.reply()?.0, 0);
        let mut data = vec![0; length as usize];
        self.0.read_exact(&mut data)?;
        Ok(data)
    }

    /// Type, whether it is the last, cookie, payload.
    pub fn chunk(&mut self) -> (u16, bool, u64, Vec<u8>) {
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

pub fn counted(text: &str) -> Vec<u8> {
    [&(text.len() as u32).to_be_bytes(), text.as_bytes()].concat()
}

pub fn greet(stream: &mut UnixStream) {
    let mut greeting = [0; wire::GREETING_BYTES];
    stream.read_exact(&mut greeting).expect("a greeting");
    assert_eq!(greeting, wire::greeting());
    stream.write_all(&3u32.to_be_bytes()).expect("sent");
}

pub fn say(stream: &mut UnixStream, option: u32, data: &[u8]) {
    let mut bytes = wire::OPTION_MAGIC.to_be_bytes().to_vec();
    bytes.extend_from_slice(&option.to_be_bytes());
    bytes.extend_from_slice(&(data.len() as u32).to_be_bytes());
    bytes.extend_from_slice(data);
    stream.write_all(&bytes).expect("sent");
}

pub fn hear(stream: &mut UnixStream) -> (u32, Vec<u8>) {
    let mut head = [0; 20];
    stream.read_exact(&mut head).expect("an answer");
    assert_eq!(be64(&head, 0), Some(wire::OPTION_REPLY_MAGIC));
    let mut data = vec![0; be32(&head, 16).expect("length") as usize];
    stream.read_exact(&mut data).expect("its data");
    (be32(&head, 12).expect("type"), data)
}

/// The connection ends without a further byte.
pub fn ends(stream: &mut UnixStream) {
    match stream.read(&mut [0; 1]) {
        Ok(0) => {}
        Err(e) if e.kind() == ErrorKind::ConnectionReset => {}
        other => panic!("the connection goes on: {other:?}"),
    }
}
