//! Listening sockets, and who is connected.

use super::connection::{self, Budget};
use super::exports::{Export, Exports};
use super::socket::Socket;
use super::tls::ServerConfig;
use crate::served::Image;
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// For each listener, of clients that were let in: where TLS is demanded, those that have shown a certificate. Further
/// ones are turned away at once.
const MAX_CONNECTIONS: usize = 32;
/// For each listener, of those that have not: somebody without a certificate must not keep others out. The oldest makes
/// room for a further one.
const MAX_STRANGERS: usize = 32;
/// Threads beside the first one of each connection.
const EXTRA_THREADS: usize = 64;
/// A handshake with TLS needs more than one without.
const STACK_BYTES: usize = 512 << 10;
/// When accepting fails, for want of descriptors for example.
const PAUSE: Duration = Duration::from_millis(100);

pub struct Server {
    exports: Arc<dyn Exports>,
    threads: usize,
    budget: Arc<Budget>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    ended: bool,
    next: u64,
    listeners: Vec<Arc<OwnedFd>>,
    clients: HashMap<u64, Client>,
}

struct Client {
    listener: i32,
    socket: Arc<Socket>,
    let_in: bool,
    /// Once it has chosen.
    image: Option<Image>,
}

impl Open {
    fn of(&self, listener: i32, let_in: bool) -> impl Iterator<Item = u64> {
        let those = move |(_, c): &(&u64, &Client)| c.listener == listener && c.let_in == let_in;
        self.clients.iter().filter(those).map(|(number, _)| *number)
    }

    fn has_place(&self, listener: i32) -> bool {
        !self.ended && self.of(listener, true).count() < MAX_CONNECTIONS
    }

    fn make_room_for_a_stranger(&mut self, listener: i32) {
        if self.of(listener, false).count() < MAX_STRANGERS {
            return;
        }
        let oldest = self.of(listener, false).min();
        if let Some(client) = oldest.and_then(|number| self.clients.remove(&number)) {
            client.socket.hang_up();
        }
    }

    /// False: there is no place for it.
    fn let_in(&mut self, number: u64) -> bool {
        let listener = self.clients.get(&number).map(|c| c.listener);
        let has_place = listener.is_some_and(|listener| self.has_place(listener));
        if let Some(client) = self.clients.get_mut(&number).filter(|_| has_place) {
            client.let_in = true;
        }
        has_place
    }
}

impl Server {
    /// `threads`: the most that one connection may have.
    pub fn new(exports: Arc<dyn Exports>, threads: usize) -> Arc<Self> {
        Arc::new(Server {
            exports,
            threads,
            budget: Arc::new(Budget::new(EXTRA_THREADS)),
            open: Mutex::default(),
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Accepts clients from a listening stream socket, from now on until [`Server::end`].
    pub fn listen(
        self: &Arc<Self>,
        listener: OwnedFd,
        tls: Option<Arc<ServerConfig>>,
    ) -> io::Result<()> {
        let listener = Arc::new(listener);
        self.open().listeners.push(listener.clone());
        let server = self.clone();
        let run = move || {
            while !server.open().ended {
                match accept(&listener) {
                    Ok(socket) => server.admit(socket, listener.as_raw_fd(), tls.clone()),
                    Err(_) => thread::sleep(PAUSE),
                }
            }
        };
        thread::Builder::new()
            .name("nbd-listen".into())
            .spawn(run)?;
        Ok(())
    }

    fn admit(self: &Arc<Self>, socket: Socket, listener: i32, tls: Option<Arc<ServerConfig>>) {
        let socket = Arc::new(socket);
        // It fails on a Unix socket, which needs none of it.
        let _ = socket.prepare_tcp();
        let mut open = self.open();
        let let_in = tls.is_none();
        if open.ended || let_in && !open.has_place(listener) {
            return;
        }
        if !let_in {
            open.make_room_for_a_stranger(listener);
        }
        let number = open.next;
        open.next += 1;
        let client = Client {
            listener,
            socket: socket.clone(),
            let_in,
            image: None,
        };
        open.clients.insert(number, client);
        drop(open);
        let server = self.clone();
        let run = move || {
            server.serve(number, socket, tls.as_ref());
            server.open().clients.remove(&number);
        };
        let started = thread::Builder::new()
            .name("nbd".into())
            .stack_size(STACK_BYTES)
            .spawn(run);
        if started.is_err() {
            self.open().clients.remove(&number);
        }
    }

    fn serve(&self, number: u64, socket: Arc<Socket>, tls: Option<&Arc<ServerConfig>>) {
        let let_in = || self.open().let_in(number);
        let negotiated = connection::negotiate(socket.clone(), &*self.exports, tls, let_in);
        let Ok(Some(chosen)) = negotiated else {
            socket.hang_up();
            return;
        };
        {
            let mut open = self.open();
            let ended = open.ended;
            match open.clients.get_mut(&number) {
                Some(client) if !ended => client.image = Some(chosen.agreed().export.image),
                _ => return,
            }
        }
        // Whoever takes an offer back hangs up on its clients after that, of which this one was none before.
        if !self.is_offered(&chosen.agreed().export) {
            socket.hang_up();
            return;
        }
        connection::serve(
            chosen,
            self.exports.clone(),
            self.threads,
            self.budget.clone(),
        );
    }

    fn is_offered(&self, agreed: &Export) -> bool {
        self.exports.exports().iter().any(|now| {
            (&now.name, now.image, now.read_only) == (&agreed.name, agreed.image, agreed.read_only)
        })
    }

    /// Clients that are connected and were let in.
    pub fn connections(&self) -> usize {
        self.open().clients.values().filter(|c| c.let_in).count()
    }

    /// Ends the connections of an image.
    pub fn hang_up(&self, image: Image) {
        for client in self.open().clients.values() {
            if client.image == Some(image) {
                client.socket.hang_up();
            }
        }
    }

    /// Ends all of it. Requests that are being carried out still end in order, unanswered.
    pub fn end(&self) {
        let mut open = self.open();
        open.ended = true;
        for listener in open.listeners.drain(..) {
            // SAFETY: takes numbers only. Whoever accepts on it wakes up with an error.
            unsafe { libc::shutdown(listener.as_raw_fd(), libc::SHUT_RDWR) };
        }
        for client in open.clients.values() {
            client.socket.hang_up();
        }
    }
}

fn accept(listener: &OwnedFd) -> io::Result<Socket> {
    // SAFETY: no address is asked for.
    let fd = unsafe {
        libc::accept4(
            listener.as_raw_fd(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            libc::SOCK_CLOEXEC,
        )
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a fresh descriptor that nobody else owns.
    Ok(Socket::new(unsafe { OwnedFd::from_raw_fd(fd) }))
}
