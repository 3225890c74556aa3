//! Replacing the program of a volume's engine, and of its keeper, while the volume is in use.
//!
//! The new program is started as a standby. Only when it says that it has read the state and is ready
//! does the serving engine end itself, by the same path as any other death. If the new program
//! does not come so far, it is gone and nothing has changed. If it crashes in a loop afterwards, the
//! keeper goes back to its own. Once its engine has served for a while, the keeper executes the new
//! program itself: same process, same children, same descriptors.

use super::channel::{self, FromKeeper};
use super::child::Child;
use crate::log;
use crate::run_directory::RunDirectory;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Until the new program is ready.
const READY_TIME: Duration = Duration::from_secs(10);

/// A new program that was asked for and is not ready yet.
pub struct Renewal {
    asker: u32,
    pub program: PathBuf,
    until: Instant,
}

impl Renewal {
    /// Starts the program; None: it was refused.
    pub fn begin(asker: u32, program: &str, run: &RunDirectory) -> Option<(Renewal, Child)> {
        let renewal = Renewal {
            asker,
            program: PathBuf::from(program),
            until: Instant::now() + READY_TIME,
        };
        if !Path::new(program).is_absolute() {
            renewal.refuse("the program's path must be absolute");
            return None;
        }
        match Child::start(&renewal.program, run) {
            Ok(child) => Some((renewal, child)),
            Err(e) => {
                renewal.refuse(&format!("it cannot be started: {e}"));
                None
            }
        }
    }

    pub fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    pub fn accept(self) -> PathBuf {
        log::line(format!("keeper: {} follows", self.program.display()));
        let _ = channel::answer(&FromKeeper::Follows { asker: self.asker });
        self.program
    }

    pub fn refuse(&self, why: &str) {
        let message = format!("{} cannot take over: {why}", self.program.display());
        log::line(format!("keeper: {message}"));
        let _ = channel::answer(&FromKeeper::Refused {
            asker: self.asker,
            message,
        });
    }
}
