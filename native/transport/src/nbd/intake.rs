//! The client's bytes: in clear or decrypted, several requests to one system call.

use super::socket::Socket;
use super::tls::Session;
use super::wire::{REQUEST_BYTES, Request};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Instant;

/// Requests without data and small writes come many at a time.
const BUFFER_BYTES: usize = 128 << 10;
const RECORD_BYTES: usize = 16 << 10;

/// Where a connection's bytes come from.
pub struct Source {
    pub socket: Arc<Socket>,
    session: Option<Arc<Session>>,
    /// Encrypted bytes that are not decrypted yet.
    encrypted: Vec<u8>,
    taken: usize,
    /// After it nothing is waited for.
    deadline: Option<Instant>,
}

impl Source {
    pub fn new(socket: Arc<Socket>, deadline: Instant) -> Self {
        Source {
            socket,
            session: None,
            encrypted: Vec::new(),
            taken: 0,
            deadline: Some(deadline),
        }
    }

    /// All that comes from now on is encrypted.
    pub fn secure(&mut self, session: Arc<Session>) {
        self.session = Some(session);
    }

    /// From now on it waits for as long as the client likes.
    pub fn lift_deadline(&mut self) -> io::Result<()> {
        self.deadline = None;
        self.socket.limit_send(None)?;
        self.socket.limit_receive(None)
    }

    /// Bytes as they come from the socket.
    pub fn raw(&self, into: &mut [u8]) -> io::Result<usize> {
        if let Some(deadline) = self.deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            self.socket.limit_receive(Some(left))?;
        }
        self.socket.receive(into)
    }

    /// Some of the client's bytes; 0: there are no more.
    pub fn receive(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(session) = self.session.clone() else {
            return self.raw(into);
        };
        loop {
            match session.read(into) {
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                other => return other,
            }
            if self.taken == self.encrypted.len() {
                let mut fresh = std::mem::take(&mut self.encrypted);
                fresh.resize(RECORD_BYTES, 0);
                let got = self.raw(&mut fresh)?;
                fresh.truncate(got);
                self.encrypted = fresh;
                self.taken = 0;
                if got == 0 {
                    return Ok(0);
                }
            }
            self.taken += session.feed(&self.encrypted[self.taken..])?;
        }
    }

    /// Exactly so many bytes.
    pub fn receive_all(&mut self, mut into: &mut [u8]) -> io::Result<()> {
        while !into.is_empty() {
            match self.receive(into)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                n => into = &mut into[n..],
            }
        }
        Ok(())
    }
}

/// The transmission phase's requests.
pub struct Intake {
    source: Source,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    ended: bool,
}

impl Intake {
    pub fn new(source: Source) -> Self {
        Intake {
            source,
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
            start: 0,
            end: 0,
            ended: false,
        }
    }

    /// The next request; None: there will be none. After an error there will be none either.
    pub fn request(&mut self) -> Option<Request> {
        if self.ended {
            return None;
        }
        let request = self.head();
        self.ended = request.is_none();
        request
    }

    fn head(&mut self) -> Option<Request> {
        if self.buffer.len() - self.start < REQUEST_BYTES {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        while self.end - self.start < REQUEST_BYTES {
            if self.start == self.end {
                (self.start, self.end) = (0, 0);
            }
            let got = self.source.receive(&mut self.buffer[self.end..]).ok()?;
            if got == 0 {
                return None;
            }
            self.end += got;
        }
        let request = Request::parse(&self.buffer[self.start..self.end])?;
        self.start += REQUEST_BYTES;
        Some(request)
    }

    /// The data of a write, or a part of it.
    pub fn data(&mut self, into: &mut [u8]) -> io::Result<()> {
        let here = (self.end - self.start).min(into.len());
        let (first, rest) = into.split_at_mut(here);
        first.copy_from_slice(&self.buffer[self.start..self.start + here]);
        self.start += here;
        let result = self.source.receive_all(rest);
        self.ended |= result.is_err();
        result
    }

    /// No request is taken any more.
    pub fn end(&mut self) {
        self.ended = true;
    }
}
