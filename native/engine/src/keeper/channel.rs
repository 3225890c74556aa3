//! What engines and their keeper say to each other: datagrams on a pair of sockets at fixed numbers,
//! which every engine inherits. Neither side ever waits for the other to read.

use crate::descriptors;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, FromRawFd, RawFd};
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

/// Longer ones are cut off, and then not understood.
const MAX_BYTES: usize = 64 * 1024;

#[derive(Debug, Serialize, Deserialize)]
pub enum ToKeeper {
    /// This engine stands by: it has read the state, and waits for the word.
    Ready { pid: u32 },
    /// The serving engine wants to be followed by another program.
    Follow { asker: u32, program: String },
}

#[derive(Debug, Serialize, Deserialize)]
pub enum FromKeeper {
    /// The program stands by: the asker may end with [`super::HANDED_OVER`].
    Follows {
        asker: u32,
    },
    Refused {
        asker: u32,
        message: String,
    },
}

pub fn make() -> io::Result<()> {
    let (engines, keeper) = UnixDatagram::pair()?;
    descriptors::replace(engines.as_raw_fd(), descriptors::TO_KEEPER)?;
    descriptors::replace(keeper.as_raw_fd(), descriptors::FROM_ENGINES)
}

fn socket(number: RawFd) -> ManuallyDrop<UnixDatagram> {
    // SAFETY: placed by `make` in the first keeper, open as long as any of these processes lives,
    // and closed by nobody.
    ManuallyDrop::new(unsafe { UnixDatagram::from_raw_fd(number) })
}

fn send(number: RawFd, message: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_vec(message)?;
    // SAFETY: sends from initialised memory of the length given.
    let sent = unsafe {
        libc::send(
            number,
            text.as_ptr().cast(),
            text.len(),
            libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
        )
    };
    if sent < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// None: nothing came in time, or nothing that is understood.
fn receive<T: DeserializeOwned>(number: RawFd, within: Duration) -> Option<T> {
    let mut watched = libc::pollfd {
        fd: number,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one entry, which lives through the call.
    if unsafe { libc::poll(&mut watched, 1, within.as_millis() as i32) } < 1 {
        return None;
    }
    let mut text = vec![0; MAX_BYTES];
    let length = socket(number).recv(&mut text).ok()?;
    serde_json::from_slice(&text[..length]).ok()
}

pub fn tell_keeper(message: &ToKeeper) -> io::Result<()> {
    send(descriptors::TO_KEEPER, message)
}

pub fn hear_keeper(within: Duration) -> Option<FromKeeper> {
    receive(descriptors::TO_KEEPER, within)
}

/// For the keeper.
pub fn answer(message: &FromKeeper) -> io::Result<()> {
    send(descriptors::FROM_ENGINES, message)
}

/// For the keeper, once its side is readable.
pub fn hear_engine() -> Option<ToKeeper> {
    receive(descriptors::FROM_ENGINES, Duration::ZERO)
}
