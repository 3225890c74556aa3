//! System calls that the standard library does not have, one safe function each. None of them allocates.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

/// `_IOWR('X', 119, int)` and `_IOWR('X', 120, int)` of linux/fs.h.
const FIFREEZE: libc::c_ulong = 0xC004_5877;
const FITHAW: libc::c_ulong = 0xC004_5878;

/// The signals that end a freeze early. Others kill the actor, and the guardian thaws.
pub const ENDING_SIGNALS: [libc::c_int; 3] = [libc::SIGTERM, libc::SIGINT, libc::SIGHUP];

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// Freezes the file system of an open mount point; the error is an errno, which costs no allocation to keep.
pub fn freeze(mount: BorrowedFd) -> Result<(), i32> {
    filesystem_call(mount, FIFREEZE)
}

/// Thaws it. `EINVAL`: it was not frozen.
pub fn thaw(mount: BorrowedFd) -> Result<(), i32> {
    filesystem_call(mount, FITHAW)
}

fn filesystem_call(mount: BorrowedFd, request: libc::c_ulong) -> Result<(), i32> {
    // SAFETY: the descriptor is open while borrowed, and both requests ignore their argument.
    match unsafe { libc::ioctl(mount.as_raw_fd(), request, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()
            .raw_os_error()
            .unwrap_or(libc::EIO)),
    }
}

/// Writes a file system's dirty pages back.
pub fn syncfs(mount: BorrowedFd) -> io::Result<()> {
    // SAFETY: only an open descriptor is passed.
    check(unsafe { libc::syncfs(mount.as_raw_fd()) }).map(drop)
}

/// Monotonic clock in nanoseconds, the same in both processes.
pub fn now() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid place for the result; this clock always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Makes every present page of this process resident and its own, so that no later touch faults.
pub fn lock_memory() -> io::Result<()> {
    // SAFETY: changes no memory's contents.
    check(unsafe { libc::mlockall(libc::MCL_CURRENT) }).map(drop)
}

/// Lets this thread, and those that it starts, go before all ordinary ones on the processor. Not everybody may.
pub fn go_first() {
    // SAFETY: all-zero is a value; musl has more fields than the priority.
    let mut parameters: libc::sched_param = unsafe { std::mem::zeroed() };
    parameters.sched_priority = 1;
    // SAFETY: reads the structure, which lives through the call; 0 is the calling thread.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_RR, &parameters) };
}

/// Whether a path is the root of a mount.
pub fn is_mount_point(path: &Path) -> io::Result<bool> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: all-zero is a valid `statx`, which is plain numbers.
    let mut about: libc::statx = unsafe { std::mem::zeroed() };
    // SAFETY: `path` ends with a zero byte, `about` has room for the answer.
    check(unsafe {
        libc::statx(
            libc::AT_FDCWD,
            path.as_ptr(),
            0,
            libc::STATX_TYPE,
            &mut about,
        )
    })?;
    Ok(about.stx_attributes & libc::STATX_ATTR_MOUNT_ROOT as u64 != 0)
}

/// A pipe, closed on exec: (read end, write end).
pub fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: `ends` has room for two descriptors.
    check(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) })?;
    // SAFETY: both were just opened and belong to nobody else.
    Ok(unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) })
}

/// Closes every descriptor of this process but these two.
pub fn close_all_but(mut kept: [libc::c_int; 2]) {
    kept.sort_unstable();
    let close = |first: libc::c_int, last: libc::c_uint| {
        // SAFETY: the caller gives all other descriptors up; nothing uses them any more.
        unsafe { libc::syscall(libc::SYS_close_range, first as libc::c_uint, last, 0) };
    };
    if kept[0] > 0 {
        close(0, kept[0] as libc::c_uint - 1);
    }
    if kept[1] - kept[0] > 1 {
        close(kept[0] + 1, kept[1] as libc::c_uint - 1);
    }
    close(kept[1] + 1, libc::c_uint::MAX);
}

/// Writes what fits, without a second try: for single bytes and for a report, which is one write.
pub fn write_once(to: libc::c_int, bytes: &[u8]) -> bool {
    // SAFETY: the slice is readable for its length.
    unsafe { libc::write(to, bytes.as_ptr().cast(), bytes.len()) == bytes.len() as isize }
}

/// Number of bytes read, 0 at the end.
pub fn read_once(from: libc::c_int, into: &mut [u8]) -> Result<usize, i32> {
    // SAFETY: the slice is writable for its length.
    let count = unsafe { libc::read(from, into.as_mut_ptr().cast(), into.len()) };
    usize::try_from(count).map_err(|_| {
        io::Error::last_os_error()
            .raw_os_error()
            .unwrap_or(libc::EIO)
    })
}

pub fn poll_entry(fd: libc::c_int) -> libc::pollfd {
    libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    }
}

/// Waits until one of `fds` is readable or at its end, or `until` (monotonic nanoseconds) is reached.
pub fn poll_until(fds: &mut [libc::pollfd], until: Option<u64>) {
    let timeout = until.map(|until| {
        let left = until.saturating_sub(now());
        libc::timespec {
            tv_sec: (left / 1_000_000_000) as i64,
            tv_nsec: (left % 1_000_000_000) as i64,
        }
    });
    let timeout = timeout
        .as_ref()
        .map_or(std::ptr::null(), std::ptr::from_ref);
    for entry in fds.iter_mut() {
        entry.revents = 0;
    }
    // SAFETY: `fds` and `timeout` outlive the call. An interrupted wait is one that found nothing yet.
    unsafe {
        libc::ppoll(
            fds.as_mut_ptr(),
            fds.len() as libc::nfds_t,
            timeout,
            std::ptr::null(),
        )
    };
}

/// Blocks the ending signals in this thread and in what it forks.
pub fn block_ending_signals() -> io::Result<libc::sigset_t> {
    // SAFETY: a zeroed set is made a proper one by sigemptyset; only this thread's mask changes.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        for signal in ENDING_SIGNALS {
            libc::sigaddset(&mut set, signal);
        }
        check(libc::sigprocmask(
            libc::SIG_BLOCK,
            &set,
            std::ptr::null_mut(),
        ))?;
        Ok(set)
    }
}

/// Lets blocked signals through again.
pub fn unblock_signals(set: &libc::sigset_t) -> io::Result<()> {
    // SAFETY: `set` is a proper set; only this thread's mask changes.
    check(unsafe { libc::sigprocmask(libc::SIG_UNBLOCK, set, std::ptr::null_mut()) }).map(drop)
}

/// A descriptor that is readable when one of the blocked signals arrives.
pub fn signal_descriptor(set: &libc::sigset_t) -> io::Result<OwnedFd> {
    // SAFETY: `set` is a proper set; the new descriptor belongs to nobody else.
    unsafe {
        Ok(OwnedFd::from_raw_fd(check(libc::signalfd(
            -1,
            set,
            libc::SFD_CLOEXEC,
        ))?))
    }
}

/// Runs `handler` on the ending signals; it must only do what a signal handler may.
pub fn on_ending_signals(handler: extern "C" fn(libc::c_int)) -> io::Result<()> {
    for signal in ENDING_SIGNALS {
        // SAFETY: the action is zeroed, then given a handler of the right type and an empty mask.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler as *const () as usize;
            libc::sigemptyset(&mut action.sa_mask);
            check(libc::sigaction(signal, &action, std::ptr::null_mut()))?;
        }
    }
    Ok(())
}
