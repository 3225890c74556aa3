//! A connected stream socket, of whichever family.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

pub struct Socket(OwnedFd);

impl Socket {
    /// Takes a connected stream socket.
    pub fn new(fd: OwnedFd) -> Self {
        Socket(fd)
    }

    /// 0: the other side has ended its direction.
    pub fn receive(&self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            // SAFETY: writes at most the length given into memory that is borrowed exclusively.
            let n =
                unsafe { libc::recv(self.0.as_raw_fd(), into.as_mut_ptr().cast(), into.len(), 0) };
            match checked(n) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    /// Sends all of `parts`, in order.
    pub fn send(&self, parts: &[&[u8]]) -> io::Result<()> {
        let mut done = 0;
        let all: usize = parts.iter().map(|p| p.len()).sum();
        while done < all {
            match self.send_from(parts, done) {
                Ok(n) => done += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// One call, beginning `skip` bytes into `parts`.
    fn send_from(&self, parts: &[&[u8]], mut skip: usize) -> io::Result<usize> {
        let mut vector = [libc::iovec {
            iov_base: std::ptr::null_mut(),
            iov_len: 0,
        }; 4];
        let mut count = 0;
        for part in parts {
            let rest = &part[skip.min(part.len())..];
            skip -= part.len() - rest.len();
            if !rest.is_empty() && count < vector.len() {
                vector[count].iov_base = rest.as_ptr().cast_mut().cast();
                vector[count].iov_len = rest.len();
                count += 1;
            }
        }
        // SAFETY: all-zero is a message without address and control data.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_iov = vector.as_mut_ptr();
        message.msg_iovlen = count as _;
        // SAFETY: the vector names borrowed, initialised memory, which is only read.
        let n = unsafe { libc::sendmsg(self.0.as_raw_fd(), &message, libc::MSG_NOSIGNAL) };
        checked(n)
    }

    /// How long a call of `receive` waits at most; None: for ever.
    pub fn limit_receive(&self, limit: Option<Duration>) -> io::Result<()> {
        self.limit(libc::SO_RCVTIMEO, limit)
    }

    /// The same for sending.
    pub fn limit_send(&self, limit: Option<Duration>) -> io::Result<()> {
        self.limit(libc::SO_SNDTIMEO, limit)
    }

    fn limit(&self, name: i32, limit: Option<Duration>) -> io::Result<()> {
        // Zero would mean: for ever.
        let limit = limit.map_or(Duration::ZERO, |l| l.max(Duration::from_millis(1)));
        let value = libc::timeval {
            tv_sec: limit.as_secs() as libc::time_t,
            tv_usec: libc::suseconds_t::from(limit.subsec_micros()),
        };
        self.set(libc::SOL_SOCKET, name, &value)
    }

    /// Small messages at once; a client whose machine is gone is found out.
    pub fn prepare_tcp(&self) -> io::Result<()> {
        let on: libc::c_int = 1;
        self.set(libc::IPPROTO_TCP, libc::TCP_NODELAY, &on)?;
        self.set(libc::SOL_SOCKET, libc::SO_KEEPALIVE, &on)?;
        let seconds: libc::c_int = 60;
        self.set(libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, &seconds)
    }

    fn set<T>(&self, level: i32, name: i32, value: &T) -> io::Result<()> {
        // SAFETY: the value is borrowed for the call, and its size is told.
        let result = unsafe {
            libc::setsockopt(
                self.0.as_raw_fd(),
                level,
                name,
                std::ptr::from_ref(value).cast(),
                size_of::<T>() as libc::socklen_t,
            )
        };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    /// Ends both directions; whoever waits on the socket wakes up.
    pub fn hang_up(&self) {
        // SAFETY: takes numbers only. It fails where the other side is gone already.
        unsafe { libc::shutdown(self.0.as_raw_fd(), libc::SHUT_RDWR) };
    }
}

fn checked(n: isize) -> io::Result<usize> {
    if n < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(n as usize)
}
