//! Writes all dirty pages back before the freeze, which then has little left to write.
//!
//! **Writing back may never end**: an engine that hangs keeps the caller inside the kernel, where no signal reaches it.
//! So each volume is synced by a child process of its own, which holds nothing but that mount, and this process only
//! waits: for all of them, for the limit, for the end of the control pipe, or for a signal. A child that is left behind
//! ends by itself as soon as the kernel lets go.

use crate::group::Volume;
use crate::report::{Failure, Kind, Times, Tried, millis};
use crate::sys;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// Why it was not waited for.
enum Unfinished {
    Limit,
    ControlClosed,
    Signal,
}

struct Child {
    pid: libc::pid_t,
    /// At its end, or with the errno of a sync that failed, when the child is done.
    result: OwnedFd,
}

/// Syncs all volumes at once. Nanoseconds for each. The ending signals stay blocked after it, so that none is lost
/// before the guardian is there.
///
/// # Errors
/// Not all were done within the limit, or somebody asked for the end; nothing was frozen.
pub fn sync_all(volumes: &[Volume], limit_ms: u64) -> Result<Vec<u64>, Failure> {
    let begin = sys::now();
    let not_begun = |error: io::Error| {
        Failure::new(
            Kind::Refused,
            format!("The dirty pages could not be written back: {error}"),
        )
    };
    let blocked = sys::block_ending_signals().map_err(not_begun)?;
    let signals = sys::signal_descriptor(&blocked).map_err(not_begun)?;
    let mut children = Vec::with_capacity(volumes.len());
    for volume in volumes {
        children.push(start(volume).map_err(not_begun)?);
    }
    let mut took = vec![None; volumes.len()];
    match wait(volumes, &children, &mut took, &signals, begin, limit_ms) {
        None => Ok(took.into_iter().map(Option::unwrap_or_default).collect()),
        Some(cause) => Err(unfinished(volumes, &took, &cause, limit_ms)),
    }
}

fn start(volume: &Volume) -> io::Result<Child> {
    let (result, tell) = sys::pipe()?;
    // SAFETY: this process has one thread, so the child may do whatever the parent may.
    match unsafe { libc::fork() } {
        0 => {
            sys::close_all_but([volume.mount.as_raw_fd(), tell.as_raw_fd()]);
            let errno = match sys::syncfs(volume.mount.as_fd()) {
                Ok(()) => 0,
                Err(error) => error.raw_os_error().unwrap_or(libc::EIO),
            };
            if errno != 0 {
                sys::write_once(tell.as_raw_fd(), &errno.to_ne_bytes());
            }
            // SAFETY: ends the child without running what belongs to its parent.
            unsafe { libc::_exit(0) }
        }
        pid if pid > 0 => Ok(Child { pid, result }),
        _ => Err(io::Error::last_os_error()),
    }
}

fn wait(
    volumes: &[Volume],
    children: &[Child],
    took: &mut [Option<u64>],
    signals: &OwnedFd,
    begin: u64,
    limit_ms: u64,
) -> Option<Unfinished> {
    let until = begin + limit_ms * 1_000_000;
    let mut fds: Vec<_> = children
        .iter()
        .map(|child| sys::poll_entry(child.result.as_raw_fd()))
        .collect();
    let count = fds.len();
    fds.push(sys::poll_entry(libc::STDIN_FILENO));
    fds.push(sys::poll_entry(signals.as_raw_fd()));
    let mut bytes = [0; 256];
    while took.contains(&None) {
        if sys::now() >= until {
            return Some(Unfinished::Limit);
        }
        sys::poll_until(&mut fds, Some(until));
        for i in 0..count {
            if fds[i].revents == 0 {
                continue;
            }
            fds[i].fd = -1;
            took[i] = Some(sys::now() - begin);
            if let Ok(read @ 1..) = sys::read_once(children[i].result.as_raw_fd(), &mut bytes) {
                let errno = bytes[..read]
                    .try_into()
                    .map_or(libc::EIO, i32::from_ne_bytes);
                eprintln!(
                    "stillframe-freeze: {} could not be synced: {}",
                    volumes[i].request.mount.display(),
                    io::Error::from_raw_os_error(errno)
                );
            }
            // SAFETY: waits for a child of this process that is ending; no status is asked for.
            unsafe { libc::waitpid(children[i].pid, std::ptr::null_mut(), 0) };
        }
        if fds[count].revents != 0
            && !matches!(sys::read_once(libc::STDIN_FILENO, &mut bytes), Ok(1..))
        {
            return Some(Unfinished::ControlClosed);
        }
        if fds[count + 1].revents != 0 {
            return Some(Unfinished::Signal);
        }
    }
    None
}

fn unfinished(
    volumes: &[Volume],
    took: &[Option<u64>],
    cause: &Unfinished,
    limit_ms: u64,
) -> Failure {
    let at = took
        .iter()
        .position(Option::is_none)
        .map(|i| &volumes[i].request);
    let name = at.map_or_else(String::new, |request| {
        format!("{} ({})", request.name, request.mount.display())
    });
    let (kind, message) = match cause {
        Unfinished::Limit => (
            Kind::Sync,
            format!(
                "The dirty pages of {name} could not be written back within {limit_ms} ms; nothing was frozen"
            ),
        ),
        Unfinished::ControlClosed => (
            Kind::Interrupted,
            format!(
                "Whoever asked for the freeze closed its control pipe while the dirty pages of {name} were written back"
            ),
        ),
        Unfinished::Signal => (
            Kind::Interrupted,
            format!("A signal came while the dirty pages of {name} were written back"),
        ),
    };
    let tried = |(volume, took): (&Volume, &Option<u64>)| Tried {
        name: volume.request.name.clone(),
        times: Times {
            sync_ms: took.map(millis),
            ..Times::default()
        },
    };
    Failure {
        mount: at.map(|request| request.name.clone()),
        volumes: volumes.iter().zip(took).map(tried).collect(),
        ..Failure::new(kind, message)
    }
}
