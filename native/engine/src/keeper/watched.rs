//! The serving engine watches its keeper, as the keeper watches it.
//!
//! Usually the standby takes a dead keeper's place within a millisecond. Where none stood by at that
//! instant, the engine starts a keeper, which finds this engine by its pidfd. Should both do so, the
//! keeper's lock decides.

use super::child;
use crate::run_directory::{self, RunDirectory};
use crate::{descriptors, log};
use std::io;
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long a standby has to take the place, and a new keeper to claim it.
const PATIENCE: Duration = Duration::from_millis(250);

/// Never returns.
pub fn watch_over_keeper(run: &RunDirectory) -> ! {
    loop {
        if let Some(pid) = run_directory::keeper(run)
            && let Ok(keeper) = child::pidfd_open(pid as i32)
        {
            child::wait_until_ended(&keeper);
        }
        std::thread::sleep(PATIENCE);
        // One that is being attached or detached has no keeper for a moment, or never again.
        if run_directory::keeper(run).is_none() && run.keeper_lock().exists() {
            if let Err(e) = start_keeper() {
                log::line(format!("starting a keeper failed: {e}"));
            }
            std::thread::sleep(PATIENCE);
        }
    }
}

fn start_keeper() -> io::Result<()> {
    let this = child::pidfd_open(std::process::id() as i32)?;
    descriptors::replace(this.as_raw_fd(), descriptors::ENGINE)?;
    let mut keeper = Command::new("/proc/self/exe")
        .args(["keeper", "--adopt"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()?;
    // Reaped once it ends, so that it does not look alive.
    std::thread::Builder::new()
        .name("keeper".into())
        .spawn(move || keeper.wait())?;
    Ok(())
}
