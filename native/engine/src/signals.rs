//! Signals that ask a process to end: not for keeper and engine, which end by detach.

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
