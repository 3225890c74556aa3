//! The keeper: a small process that holds what an engine's death must not take along, and starts
//! the next engine.
//!
//! It holds the FUSE descriptor (requests in flight belong to it), the memory file, the listening
//! socket and the backing store's lock, at fixed numbers that every engine inherits. It has one
//! thread, reads no request, and starts an engine only after the previous one was reaped, so that no
//! write of the old one can land late.
//!
//! If engines keep crashing without answering anything it ends, and with it the connection: requests
//! then fail instead of waiting for ever. Being killed from outside is not crashing.

use crate::failure::{Context, Outcome};
use crate::residence;
use crate::run_directory::{self, RunDirectory};
use crate::state::{Configuration, State, Word};
use crate::{descriptors, log, signals};
use std::collections::VecDeque;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixListener;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// So many crashes within this time, without one request answered, end it.
const CRASH_LOOP: usize = 10;
const CRASH_TIME: Duration = Duration::from_secs(10);
/// An engine's exit status when the file system was unmounted.
pub const UNMOUNTED: i32 = 3;

/// Sets everything up, tells `ready` on standard output, then keeps until the engine ends for good.
pub fn keep(configuration: &Configuration, own_groups: bool) -> Outcome<()> {
    let run = RunDirectory::new(configuration.run_directory.as_ref())?;
    // SAFETY: takes no argument; it fails only for a process that leads a group already.
    unsafe { libc::setsid() };
    signals::ignore_requests_to_end();
    std::env::set_current_dir("/").context(|| "changing to /".into())?;
    let Some(_alive) = run_directory::claim_keeper(&run)? else {
        return Err(crate::failure::Failure::new(
            crate::protocol::ErrorKind::Busy,
            "another keeper runs for this directory",
        ));
    };
    let log_file = log::open(&run.log()).context(|| "opening the log".into())?;
    let mut refused = Vec::new();
    if own_groups {
        refused = residence::enter_own_groups(&configuration.id);
    }
    if let Err(e) = residence::spare_from_oom_killer() {
        refused.push(format!("protection from the OOM killer: {e}"));
    }
    let (memory, state) = State::create(configuration)?;
    descriptors::place(memory.as_raw_fd(), descriptors::STATE)?;
    let _ = std::fs::remove_file(run.socket());
    let listener = UnixListener::bind(run.socket()).context(|| "making the socket".into())?;
    descriptors::place(listener.as_raw_fd(), descriptors::LISTENER)?;
    let fuse = transport::fuse::connection::mount(&run.fuse())
        .context(|| "mounting the FUSE file system".into())?;
    descriptors::place(fuse.as_raw_fd(), descriptors::FUSE)?;
    drop((memory, listener, fuse));
    let stderr = log_file.try_clone().context(|| "log".into())?;
    descriptors::place(stderr.as_raw_fd(), 2)?;
    for text in refused {
        log::line(format!("keeper: not available: {text}"));
    }
    let _ = residence::lock_memory();

    println!("ready");
    let _ = std::io::stdout().flush();
    descriptors::to_null(0)?;
    descriptors::to_null(1)?;
    watch(&run, &state);
    Ok(())
}

fn watch(run: &RunDirectory, state: &State) {
    let mut deaths: VecDeque<Instant> = VecDeque::new();
    let mut served = state.get(Word::Requests);
    loop {
        state.set(Word::StartCount, state.get(Word::StartCount) + 1);
        let result = Command::new("/proc/self/exe")
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log::open(&run.log()).map_or_else(|_| Stdio::null(), Stdio::from))
            .status();
        match &result {
            Ok(status) if status.code() == Some(UNMOUNTED) => {
                log::line("keeper: the file system was unmounted");
                return;
            }
            _ if state.get(Word::Shutdown) == 1 => {
                log::line("keeper: ends with its engine");
                return;
            }
            Ok(status) => log::line(format!(
                "keeper: the engine died ({status}); starting the next"
            )),
            Err(e) => log::line(format!("keeper: starting an engine failed: {e}")),
        }
        if state.get(Word::Requests) != served {
            served = state.get(Word::Requests);
            deaths.clear();
        }
        // Somebody killed it: nothing that it does by itself.
        let killed = result
            .as_ref()
            .is_ok_and(|s| s.signal() == Some(libc::SIGKILL));
        if killed {
            continue;
        }
        deaths.push_back(Instant::now());
        if deaths.len() >= CRASH_LOOP {
            if deaths[0].elapsed() < CRASH_TIME {
                log::line("keeper: engines die without serving anything; giving up");
                return;
            }
            deaths.pop_front();
        }
        if result.is_err() || deaths.len() > 1 {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
