//! A client of the NBD server: everything that it sends, negotiation and requests.
//!
//! Input: its bytes in the order sent. All of them are in the socket before the server begins; then the
//! client has nothing more to say. What the server answers is read and thrown away.

use crate::memory::Memory;
use rustls::ServerConfig;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use transport::nbd::connection::{self, Budget};
use transport::nbd::exports::Exports;
use transport::nbd::socket::Socket;

/// What fits into a socket's buffer at once.
const MAX_INPUT: usize = 64 * 1024;
const THREADS: usize = 2;

pub fn run(input: &[u8]) {
    let (client, server) = UnixStream::pair().expect("a socket pair");
    let said = &input[..input.len().min(MAX_INPUT)];
    converse(client, server, said, Arc::new(Memory::default()), None);
}

/// A client that says `said` and then no more.
pub fn converse(
    mut client: UnixStream,
    server: UnixStream,
    said: &[u8],
    memory: Arc<Memory>,
    tls: Option<&Arc<ServerConfig>>,
) {
    client
        .write_all(said)
        .and_then(|()| client.shutdown(std::net::Shutdown::Write))
        .expect("room in the socket");
    let reader = std::thread::spawn(move || {
        let mut answers = vec![0; 64 * 1024];
        while client.read(&mut answers).is_ok_and(|n| n > 0) {}
    });
    serve(server, memory, tls);
    reader.join().expect("the reader only reads");
}

/// One client of the server, to its end.
pub fn serve(server: UnixStream, memory: Arc<Memory>, tls: Option<&Arc<ServerConfig>>) {
    let exports: Arc<dyn Exports> = memory;
    let socket = Arc::new(Socket::new(server.into()));
    if let Ok(Some(chosen)) = connection::negotiate(socket.clone(), &*exports, tls, || true) {
        connection::serve(chosen, exports, THREADS, Arc::new(Budget::new(THREADS)));
    }
    socket.hang_up();
}
