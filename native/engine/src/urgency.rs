//! Threads that go before all others on the processor, because applications stand still until they have run.
//!
//! These are the keeper (an engine has died), an engine that takes over, and the threads of the control socket
//! (a file system is frozen until a snapshot is taken). None of them works for long while it is urgent: what
//! takes its time is done between [`give_way`] and the next [`go_first`]. Processes and threads that an urgent
//! thread starts are ordinary ones.

use std::io;

/// Of the lowest real-time priority, which is still before every ordinary thread.
const PRIORITY: libc::c_int = 1;

/// Lets the calling thread go first from now on. Fails where the host allows it to nobody, as in a control
/// group without real-time budget; then the thread waits its turn.
pub fn go_first() -> io::Result<()> {
    set(libc::SCHED_RR | libc::SCHED_RESET_ON_FORK, PRIORITY)
}

/// Makes the calling thread an ordinary one again.
pub fn give_way() {
    // Without the right to it the thread never became urgent.
    let _ = set(libc::SCHED_OTHER, 0);
}

fn set(policy: libc::c_int, priority: libc::c_int) -> io::Result<()> {
    // SAFETY: all-zero is a value; musl has more fields than the priority.
    let mut parameters: libc::sched_param = unsafe { std::mem::zeroed() };
    parameters.sched_priority = priority;
    // SAFETY: reads the structure, which lives through the call; 0 is the calling thread.
    if unsafe { libc::sched_setscheduler(0, policy, &parameters) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> libc::c_int {
        // SAFETY: takes a number; 0 is the calling thread.
        unsafe { libc::sched_getscheduler(0) & !libc::SCHED_RESET_ON_FORK }
    }

    #[test]
    fn what_an_urgent_thread_starts_is_ordinary() {
        let first = go_first().is_ok();
        assert_eq!(policy() == libc::SCHED_RR, first);
        let child = std::thread::spawn(policy).join();
        assert_eq!(child.ok(), Some(libc::SCHED_OTHER));
        give_way();
        assert_eq!(policy(), libc::SCHED_OTHER);
    }
}
