//! Replies to the client, each message whole.

use super::socket::Socket;
use super::tls::Session;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub struct Outlet {
    socket: Arc<Socket>,
    session: Option<Arc<Session>>,
    /// Room for encryption.
    sealed: Mutex<Vec<u8>>,
}

/// The right to send, for messages that must not be torn apart.
pub struct Turn<'a> {
    outlet: &'a Outlet,
    sealed: MutexGuard<'a, Vec<u8>>,
}

impl Outlet {
    pub fn new(socket: Arc<Socket>, session: Option<Arc<Session>>) -> Self {
        Outlet {
            socket,
            session,
            sealed: Mutex::default(),
        }
    }

    pub fn turn(&self) -> Turn<'_> {
        Turn {
            outlet: self,
            sealed: self.sealed.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Waits until the client has room for it. After an error the connection is of no use.
    pub fn send(&self, parts: &[&[u8]]) -> io::Result<()> {
        self.turn().send(parts)
    }

    /// The last that is sent.
    pub fn close(&self) {
        let mut turn = self.turn();
        if let Some(session) = &self.session {
            turn.sealed.clear();
            if session.farewell(&mut turn.sealed).is_ok() {
                let _ = self.socket.send(&[&turn.sealed]);
            }
        }
        self.socket.hang_up();
    }

    /// Ends the connection at once, for a client that broke the rules.
    pub fn cut(&self) {
        self.socket.hang_up();
    }
}

impl Turn<'_> {
    pub fn send(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        let sent = match &self.outlet.session {
            None => self.outlet.socket.send(parts),
            Some(session) => {
                self.sealed.clear();
                session
                    .seal(parts, &mut self.sealed)
                    .and_then(|()| self.outlet.socket.send(&[&self.sealed]))
            }
        };
        if sent.is_err() {
            self.outlet.socket.hang_up();
        }
        sent
    }
}
