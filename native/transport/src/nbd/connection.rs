//! One client, from the greeting to its end.
//!
//! In the transmission phase a thread takes a request (and a write's data) with the intake locked,
//! unlocks it, carries the request out and answers it. The first thread starts further ones when a
//! request was taken and nobody waits for the next: a client that asks one thing at a time has two
//! threads, one that asks many at once has as many as the server allows. They end with the connection.

use super::command::{Buffers, Commands};
use super::exports::Exports;
use super::intake::{Intake, Source};
use super::negotiation::{Agreed, MAX_OPTION_DATA, Negotiation, Next, Security};
use super::outlet::Outlet;
use super::socket::Socket;
use super::tls::{ServerConfig, Session};
use super::wire::{self, OPTION_HEAD_BYTES, OptionHead, cmd};
use std::io::{self, ErrorKind, Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Until a client has chosen its export.
const HANDSHAKE_TIME: Duration = Duration::from_secs(20);
/// No client has so much to ask.
const MAX_OPTIONS: usize = 1024;
const STACK_BYTES: usize = 256 << 10;

/// Threads beside each connection's first one, for the whole server.
pub struct Budget {
    left: AtomicUsize,
}

impl Budget {
    pub fn new(threads: usize) -> Self {
        Budget {
            left: AtomicUsize::new(threads),
        }
    }

    fn take(&self) -> bool {
        let less = |n: usize| n.checked_sub(1);
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .is_ok()
    }

    fn give(&self) {
        self.left.fetch_add(1, Ordering::Relaxed);
    }
}

/// A client that has chosen.
pub struct Chosen {
    agreed: Agreed,
    source: Source,
    session: Option<Arc<Session>>,
}

impl Chosen {
    pub fn agreed(&self) -> &Agreed {
        &self.agreed
    }
}

/// Greets, answers options, and returns what was agreed on; None: the client has gone again, or was not let in.
/// `let_in` is asked where TLS is demanded, once the client has shown a certificate.
pub fn negotiate(
    socket: Arc<Socket>,
    exports: &dyn Exports,
    tls: Option<&Arc<ServerConfig>>,
    let_in: impl Fn() -> bool,
) -> io::Result<Option<Chosen>> {
    let mut source = Source::new(socket.clone(), Instant::now() + HANDSHAKE_TIME);
    socket.limit_send(Some(HANDSHAKE_TIME))?;
    socket.send(&[&wire::greeting()])?;
    let mut flags = [0; 4];
    source.receive_all(&mut flags)?;
    let security = match tls {
        Some(_) => Security::TlsDemanded,
        None => Security::Clear,
    };
    let flags = u32::from_be_bytes(flags);
    let begun = Negotiation::new(exports, security, flags);
    let mut negotiation = begun.ok_or(ErrorKind::InvalidData)?;
    let mut session: Option<Arc<Session>> = None;
    let mut data = Vec::new();
    let mut reply = Vec::new();
    for _ in 0..MAX_OPTIONS {
        let mut head = [0; OPTION_HEAD_BYTES];
        source.receive_all(&mut head)?;
        let head = OptionHead::parse(&head).ok_or(ErrorKind::InvalidData)?;
        if head.length > MAX_OPTION_DATA {
            return Err(ErrorKind::InvalidData.into());
        }
        data.resize(head.length as usize, 0);
        source.receive_all(&mut data)?;
        reply.clear();
        let next = negotiation.handle(head.option, &data, &mut reply);
        Outlet::new(socket.clone(), session.clone()).send(&[&reply])?;
        match (next, tls) {
            (Next::Continue, _) => {}
            (Next::Transmit(agreed), _) => {
                source.lift_deadline()?;
                let agreed = *agreed;
                return Ok(Some(Chosen {
                    agreed,
                    source,
                    session,
                }));
            }
            (Next::StartTls, Some(config)) => {
                // What the client sent in clear behind STARTTLS stays unread: it cannot be, since
                // options are read to their last byte and no further.
                let established = Arc::new(Session::accept(config.clone(), Timed(&source))?);
                if !let_in() {
                    return Ok(None);
                }
                source.secure(established.clone());
                session = Some(established);
                negotiation = negotiation.secured();
            }
            (Next::StartTls, None) | (Next::Close, _) => {
                Outlet::new(socket, session).close();
                return Ok(None);
            }
        }
    }
    Err(ErrorKind::InvalidData.into())
}

/// The socket while TLS is established: within the handshake's deadline.
struct Timed<'a>(&'a Source);

impl Read for Timed<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.raw(into)
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.socket.send(&[data])?;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The transmission phase of one client.
struct Connection {
    exports: Arc<dyn Exports>,
    agreed: Agreed,
    intake: Mutex<Intake>,
    outlet: Outlet,
    /// Threads that wait for the intake.
    waiting: AtomicUsize,
    threads: AtomicUsize,
    most_threads: usize,
    budget: Arc<Budget>,
}

/// Serves until the client has gone and everything that it asked for is done.
pub fn serve(chosen: Chosen, exports: Arc<dyn Exports>, most_threads: usize, budget: Arc<Budget>) {
    let Ok(buffers) = Buffers::new() else {
        return;
    };
    let connection = Arc::new(Connection {
        exports,
        agreed: chosen.agreed,
        outlet: Outlet::new(chosen.source.socket.clone(), chosen.session),
        intake: Mutex::new(Intake::new(chosen.source)),
        waiting: AtomicUsize::new(0),
        threads: AtomicUsize::new(1),
        most_threads,
        budget,
    });
    connection.work(buffers);
    connection.leave();
}

impl Connection {
    fn intake(&self) -> MutexGuard<'_, Intake> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let intake = self.intake.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        intake
    }

    fn work(self: &Arc<Self>, mut buffers: Buffers) {
        let commands = Commands {
            exports: &*self.exports,
            agreed: &self.agreed,
            outlet: &self.outlet,
        };
        loop {
            let mut intake = self.intake();
            let Some(request) = intake.request() else {
                return;
            };
            if self.waiting.load(Ordering::Relaxed) == 0 {
                self.reinforce();
            }
            let done = match request.command {
                cmd::DISCONNECT => {
                    intake.end();
                    return;
                }
                cmd::WRITE => commands.write(&request, intake, &mut buffers),
                _ => {
                    drop(intake);
                    commands.run(&request, &mut buffers)
                }
            };
            if done.is_err() {
                self.outlet.cut();
                return;
            }
        }
    }

    /// Starts one more thread, if there may be one.
    fn reinforce(self: &Arc<Self>) {
        if self.threads.load(Ordering::Relaxed) >= self.most_threads || !self.budget.take() {
            return;
        }
        self.threads.fetch_add(1, Ordering::Relaxed);
        let connection = self.clone();
        let run = move || {
            if let Ok(buffers) = Buffers::new() {
                connection.work(buffers);
            }
            connection.budget.give();
            connection.leave();
        };
        let started = thread::Builder::new()
            .name("nbd-io".into())
            .stack_size(STACK_BYTES)
            .spawn(run);
        if started.is_err() {
            self.budget.give();
            self.threads.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// The last thread to leave closes.
    fn leave(&self) {
        if self.threads.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.outlet.close();
        }
    }
}
