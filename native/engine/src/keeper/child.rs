//! One engine process as its keeper sees it.
//!
//! It is known by a pidfd, which cannot mean another process later, and which is readable once the
//! last thread of the engine has ended: from then on none of its system calls can touch the volume.

use crate::failure::Failure;
use crate::log;
use crate::run_directory::RunDirectory;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

/// Bytes that are read of what an engine printed.
const MAX_SAID: u64 = 64 * 1024;

pub struct Child {
    pidfd: OwnedFd,
    /// Where the engine waits for the word to serve; None: it was told before this keeper was.
    word: Option<File>,
    /// What it prints: nothing, or a failure.
    said: Option<File>,
    pub pid: i32,
}

impl Child {
    /// Starts an engine that prepares itself and waits. Once the keeper is gone, it knows.
    pub fn start(program: &Path, run: &RunDirectory) -> io::Result<Child> {
        let mut started = Command::new(program)
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log::open(&run.log()).map_or_else(|_| Stdio::null(), Stdio::from))
            .spawn()?;
        let pid = started.id() as i32;
        match pidfd_open(pid) {
            Ok(pidfd) => Ok(Child {
                pidfd,
                word: started.stdin.take().map(|w| File::from(OwnedFd::from(w))),
                said: started.stdout.take().map(|s| File::from(OwnedFd::from(s))),
                pid,
            }),
            Err(e) => {
                let _ = started.kill();
                let _ = started.wait();
                Err(e)
            }
        }
    }

    /// The engine that an earlier keeper left, known by its pidfd.
    pub fn adopt(pidfd: OwnedFd) -> Child {
        let known = format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd());
        let pid = pid_in(Path::new(&known)).unwrap_or(-1);
        Child {
            pidfd,
            word: None,
            said: None,
            pid,
        }
    }

    /// Lets it serve. One that is dead already is found out by its pidfd.
    pub fn let_serve(&mut self) {
        if let Some(word) = &mut self.word {
            let _ = word.write_all(b"g");
        }
    }

    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Waits for its end. None: it is not our child, so nobody tells how it ended.
    pub fn reap(&self) -> Option<ExitStatus> {
        // SAFETY: all-zero is a value of siginfo_t.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        loop {
            let fd = self.pidfd.as_raw_fd() as libc::id_t;
            // SAFETY: writes one siginfo_t.
            let done = unsafe { libc::waitid(libc::P_PIDFD, fd, &mut info, libc::WEXITED) };
            if done == 0 {
                break;
            }
            if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
                wait_until_ended(&self.pidfd);
                return None;
            }
        }
        // SAFETY: filled by waitid for a child's end, so the status is there.
        let status = unsafe { info.si_status() };
        Some(match info.si_code {
            libc::CLD_EXITED => ExitStatus::from_raw((status & 0xff) << 8),
            _ => ExitStatus::from_raw(status & 0x7f),
        })
    }

    /// For one that was reaped: the failure that it printed.
    pub fn failure(&mut self) -> Option<String> {
        let mut text = String::new();
        self.said
            .as_mut()?
            .take(MAX_SAID)
            .read_to_string(&mut text)
            .ok()?;
        Some(Failure::told(&text)?.context)
    }

    pub fn kill_and_reap(self) {
        pidfd_kill(&self.pidfd);
        self.reap();
    }
}

pub fn pidfd_kill(pidfd: &OwnedFd) {
    // SAFETY: takes a descriptor and numbers; no siginfo is given.
    unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            libc::SIGKILL,
            std::ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
}

pub fn wait_until_ended(pidfd: &OwnedFd) {
    let mut watched = libc::pollfd {
        fd: pidfd.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one entry, which lives through the call.
    while unsafe { libc::poll(&mut watched, 1, -1) } < 1 {}
}

pub fn pidfd_open(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: takes numbers only; the descriptor is new and ours.
    unsafe {
        match libc::syscall(libc::SYS_pidfd_open, pid, 0) {
            -1 => Err(io::Error::last_os_error()),
            fd => Ok(OwnedFd::from_raw_fd(fd as i32)),
        }
    }
}

/// The process that a pidfd means, by its `fdinfo`; None if that was reaped.
pub fn pid_in(fdinfo: &Path) -> Option<i32> {
    let text = std::fs::read_to_string(fdinfo).ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("Pid:"))?;
    line.trim().parse().ok().filter(|pid| *pid > 0)
}
