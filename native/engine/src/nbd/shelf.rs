//! Where listening sockets lie for the next engine: in a message that nobody takes.
//!
//! The keeper holds both ends of a datagram socket pair and never looks at it. A message in it carries
//! the sockets (SCM_RIGHTS) and what they serve, as JSON; an engine reads it by peeking, which gives it
//! copies and leaves the message. A newer message is put behind an older one before that is taken away,
//! so whatever instant an engine dies at, the last message is a whole one.

use super::Offer;
use crate::descriptors::{SHELF_IN, SHELF_OUT};
use crate::failure::{Context, Failure, Outcome};
use crate::protocol::ErrorKind;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

const MAX_SOCKETS: usize = 2;
/// Three PEM files and a list of names.
const MAX_BYTES: usize = 80 << 10;

type Message = (Vec<u8>, Vec<OwnedFd>);

/// Lays down a message in the place of the one that lies there.
pub fn put(offer: &Offer, sockets: &[OwnedFd]) -> Outcome<()> {
    let text =
        serde_json::to_vec(offer).map_err(|e| Failure::new(ErrorKind::Internal, e.to_string()))?;
    send(&text, sockets).context(|| "keeping NBD's sockets for the next engine".into())?;
    while peek_all().context(unreadable)?.len() > 1 {
        receive(0).context(unreadable)?;
    }
    Ok(())
}

/// The last message.
pub fn peek() -> Outcome<Option<(Offer, Vec<OwnedFd>)>> {
    let Some((text, sockets)) = peek_all().context(unreadable)?.pop() else {
        return Ok(None);
    };
    let offer = serde_json::from_slice(&text)
        .map_err(|e| Failure::new(ErrorKind::Protocol, format!("NBD's sockets: {e}")))?;
    Ok(Some((offer, sockets)))
}

/// Takes away whatever lies there.
pub fn clear() -> Outcome<()> {
    while receive(0).context(unreadable)?.is_some() {}
    Ok(())
}

fn unreadable() -> String {
    "looking for NBD's sockets".into()
}

/// All messages, oldest first.
fn peek_all() -> io::Result<Vec<Message>> {
    // Each peek moves on by what it saw.
    set_peek_offset(0)?;
    let mut found = Vec::new();
    while let Some(message) = receive(libc::MSG_PEEK)? {
        found.push(message);
    }
    set_peek_offset(-1)?;
    Ok(found)
}

fn set_peek_offset(offset: libc::c_int) -> io::Result<()> {
    // SAFETY: the value is borrowed for the call, and its size is told.
    let result = unsafe {
        libc::setsockopt(
            SHELF_OUT,
            libc::SOL_SOCKET,
            libc::SO_PEEK_OFF,
            std::ptr::from_ref(&offset).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Room for the descriptors of one message, aligned as control data must be.
#[repr(C, align(8))]
struct Control([u8; 64]);

fn send(text: &[u8], sockets: &[OwnedFd]) -> io::Result<()> {
    let numbers: Vec<RawFd> = sockets.iter().map(AsRawFd::as_raw_fd).collect();
    let bytes = size_of_val(&numbers[..]) as u32;
    let mut vector = libc::iovec {
        iov_base: text.as_ptr().cast_mut().cast(),
        iov_len: text.len(),
    };
    let mut control = Control([0; 64]);
    // SAFETY: all-zero is a message of nothing; the control data fits: at most two descriptors.
    let sent = unsafe {
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = &mut vector;
        message.msg_iovlen = 1;
        message.msg_control = control.0.as_mut_ptr().cast();
        message.msg_controllen = libc::CMSG_SPACE(bytes) as _;
        let head = libc::CMSG_FIRSTHDR(&message);
        (*head).cmsg_level = libc::SOL_SOCKET;
        (*head).cmsg_type = libc::SCM_RIGHTS;
        (*head).cmsg_len = libc::CMSG_LEN(bytes) as _;
        std::ptr::copy_nonoverlapping(
            numbers.as_ptr().cast(),
            libc::CMSG_DATA(head),
            bytes as usize,
        );
        libc::sendmsg(SHELF_IN, &message, libc::MSG_DONTWAIT)
    };
    if sent < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// None: there is no further message.
fn receive(flags: libc::c_int) -> io::Result<Option<Message>> {
    let mut text = vec![0; MAX_BYTES];
    let mut vector = libc::iovec {
        iov_base: text.as_mut_ptr().cast(),
        iov_len: text.len(),
    };
    let mut control = Control([0; 64]);
    let mut sockets = Vec::new();
    // SAFETY: all buffers outlive the call, and their sizes are told. What the kernel wrote as control
    // data is walked by its own macros; each descriptor in it is fresh and owned once.
    let got = unsafe {
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = &mut vector;
        message.msg_iovlen = 1;
        message.msg_control = control.0.as_mut_ptr().cast();
        message.msg_controllen = libc::CMSG_SPACE((MAX_SOCKETS * size_of::<RawFd>()) as u32) as _;
        let flags = flags | libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
        let got = libc::recvmsg(SHELF_OUT, &mut message, flags);
        let head = libc::CMSG_FIRSTHDR(&message);
        if got >= 0 && !head.is_null() && (*head).cmsg_type == libc::SCM_RIGHTS {
            let bytes = (*head).cmsg_len as usize - libc::CMSG_LEN(0) as usize;
            for n in 0..bytes / size_of::<RawFd>() {
                let number: RawFd =
                    std::ptr::read_unaligned(libc::CMSG_DATA(head).cast::<RawFd>().add(n));
                sockets.push(OwnedFd::from_raw_fd(number));
            }
        }
        got
    };
    if got < 0 {
        let e = io::Error::last_os_error();
        return match e.kind() {
            io::ErrorKind::WouldBlock => Ok(None),
            _ => Err(e),
        };
    }
    text.truncate(got as usize);
    Ok(Some((text, sockets)))
}
