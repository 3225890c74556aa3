//! Who waits for a dead engine's I/O, so that nobody waits for the kernel to take its memory down.
//!
//! The fence (`crate::fence`) falls with the engine's memory, before which the kernel waits for all that goes on behind
//! threads (`transport::aio`). That alone takes it two grace periods of RCU, 30 to 40 ms, though what is under way ends in
//! a fraction of one. So an engine has a process beside it that shares its memory, and with it the contexts of its I/O. It
//! sleeps until the engine is dead, asks the kernel for the end of whatever was begun, takes the fence down, and ends.
//!
//! Where it cannot tell that all has ended, it ends without a word, and the fence falls with the memory, as it does where
//! there is no such process, or it was killed as well. It is no thread, so what kills the engine does not end it; and
//! it holds none of the engine's files. It is started by a thread that does nothing else, whose `errno` it shares.

use crate::fence::Fence;
use crate::keeper::child::{pidfd_kill, pidfd_open, wait_until_ended};
use crate::log;
use std::ffi::c_void;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;
use transport::aio::{self, Context};

/// Longer, and the disk is slow: then the kernel's wait is not what counts.
const PATIENCE: Duration = Duration::from_millis(20);
const STACK_BYTES: usize = 32 << 10;

/// The one beside this engine: a pidfd, as its number may be another's once it was waited for.
static PRESENT: OnceLock<OwnedFd> = OnceLock::new();

struct Duty {
    engine: OwnedFd,
    contexts: Vec<&'static Context>,
    fence: Fence,
}

/// Starts it, where anything can go on behind threads. Where that is impossible the log says so.
pub fn stand_by(fence: Fence) {
    let contexts = aio::contexts();
    if contexts.is_empty() {
        return;
    }
    let duty = pidfd_open(std::process::id() as i32).map(|engine| Duty {
        engine,
        contexts,
        fence,
    });
    let started = duty.and_then(|duty| {
        let thread = thread::Builder::new().name("undertaker".into());
        thread.spawn(move || begin(Box::leak(Box::new(duty))))
    });
    if let Err(e) = started {
        log::line(format!("not available: an undertaker: {e}"));
    }
}

fn begin(duty: &'static Duty) {
    let stack = Box::leak(vec![0u128; STACK_BYTES / size_of::<u128>()].into_boxed_slice());
    let duty = std::ptr::from_ref(duty).cast_mut().cast::<c_void>();
    // SAFETY: `watch` keeps to what a process may do that shares all memory with this one; stack and duty stay for ever.
    // No signal is sent at its end.
    let pid = unsafe {
        let top = stack.as_mut_ptr_range().end.cast::<c_void>();
        libc::clone(watch, top, libc::CLONE_VM, duty)
    };
    if pid < 0 {
        let e = io::Error::last_os_error();
        return log::line(format!("not available: an undertaker: {e}"));
    }
    // Nobody but this thread waits for it before its pidfd is there.
    match pidfd_open(pid) {
        Ok(pidfd) => wait_for(PRESENT.get_or_init(|| pidfd)),
        Err(e) => {
            // SAFETY: takes numbers only; our child, whose number is its own until it is waited for.
            unsafe { libc::kill(pid, libc::SIGKILL) };
            log::line(format!("not available: an undertaker: {e}"));
        }
    }
}

/// For an engine that ends by itself, which leaves nothing under way: no process is to be found after it.
pub fn dismiss() {
    if let Some(pidfd) = PRESENT.get() {
        pidfd_kill(pidfd);
        wait_for(pidfd);
    }
}

fn wait_for(pidfd: &OwnedFd) {
    let fd = pidfd.as_raw_fd() as libc::id_t;
    let how = libc::WEXITED | libc::__WALL;
    // SAFETY: takes numbers; no siginfo is given. ECHILD: the other one who waits for it was told.
    while unsafe { libc::waitid(libc::P_PIDFD, fd, std::ptr::null_mut(), how) } < 0
        && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
    {}
}

/// The life of the process: plain system calls on memory that was there before.
extern "C" fn watch(duty: *mut c_void) -> libc::c_int {
    // SAFETY: `begin` leaks it.
    let duty = unsafe { &*duty.cast::<Duty>() };
    let engine = duty.engine.as_raw_fd();
    // SAFETY: numbers only; the copies of the engine's descriptors that this process has, but for one.
    unsafe {
        libc::prctl(libc::PR_SET_NAME, c"undertaker".as_ptr());
        let last = engine as libc::c_uint;
        libc::syscall(libc::SYS_close_range, last + 1, libc::c_uint::MAX, 0);
        if last > 0 {
            libc::syscall(libc::SYS_close_range, 0, last - 1, 0);
        }
    }
    let _ = crate::urgency::go_first();
    wait_until_ended(&duty.engine);
    if aio::drain(&duty.contexts, PATIENCE) {
        duty.fence.take_down();
    }
    0
}
