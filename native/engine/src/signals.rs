//! Signals that ask a process to end: not for keeper and engine, which end by detach.
//!
//! But a host that goes down unmounts first, then sends SIGTERM to whatever is left and waits for its end, with systemd for
//! 90 s. So a keeper hears SIGTERM ([`EndRequests`]), and detaches its volume if nothing uses that any more.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Ignores them; kept over exec, so the engine ignores them too.
pub fn ignore_requests_to_end() {
    for signal in [
        libc::SIGTERM,
        libc::SIGINT,
        libc::SIGHUP,
        libc::SIGQUIT,
        libc::SIGPIPE,
    ] {
        // SAFETY: installs no handler of ours.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// SIGTERM as something to poll for. Blocked from then on, here and in processes that this one starts: a signal that is
/// ignored but blocked is kept (signalfd(2)).
pub struct EndRequests(OwnedFd);

impl EndRequests {
    pub fn new() -> io::Result<EndRequests> {
        // SAFETY: an all-zero set is one; the calls take it and numbers only.
        let fd = unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&mut set);
            libc::sigaddset(&mut set, libc::SIGTERM);
            if libc::sigprocmask(libc::SIG_BLOCK, &set, std::ptr::null_mut()) != 0 {
                return Err(io::Error::last_os_error());
            }
            libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
        };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: just made.
        Ok(EndRequests(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Whether one came since the last call.
    pub fn take(&self) -> bool {
        // SAFETY: an all-zero value is one; it is as large as the read may write.
        unsafe {
            let mut info: libc::signalfd_siginfo = std::mem::zeroed();
            let size = size_of::<libc::signalfd_siginfo>();
            libc::read(self.0.as_raw_fd(), (&raw mut info).cast(), size) > 0
        }
    }
}

impl AsRawFd for EndRequests {
    fn as_raw_fd(&self) -> i32 {
        self.0.as_raw_fd()
    }
}
