//! The keeper at work: one engine that serves, one that stands by, and what follows on either's end.
//!
//! ```text
//!            start                    word                        end
//!  (none) ──────────▶ standing by ──────────▶ serving ─────────────────▶ reaped ─▶ next gets the word
//!                          │ end: another is started, after a pause
//! ```
//!
//! The word is given only after the engine before was reaped. It is a byte in a pipe: an engine that
//! is not ready yet finds it later, one that is dead already is noticed by its own end, so there is no
//! instant at which a death goes unseen. A standby is started a moment after the word, so that it does
//! not take processor time from the engine that takes over.
//!
//! Crashes in a loop: first the next engine starts without any snapshot (`Word::PassThrough`), so that
//! whatever it stumbled over in their state is not looked at; if that one crashes in a loop too, the
//! keeper ends, and with it the connection: requests fail instead of waiting for ever.

use super::child::Child;
use super::crashes::{self, Crashes};
use crate::run_directory::RunDirectory;
use crate::state::{State, Word};
use crate::{descriptors, log};
use std::io;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// From the word to the start of the next standby.
const STANDBY_DELAY: Duration = Duration::from_millis(50);
/// After a standby's end; where it crashed, doubled each time, up to the limit.
const STANDBY_PAUSE: Duration = Duration::from_millis(100);
const STANDBY_PAUSE_LIMIT: Duration = Duration::from_secs(10);
/// Between engines that crash.
const CRASH_PAUSE: Duration = Duration::from_millis(50);

pub struct Watch<'a> {
    run: &'a RunDirectory,
    state: &'a State,
    /// What engines are started from.
    program: PathBuf,
    engine: Option<Child>,
    standby: Option<Child>,
    /// When the next standby is to be started.
    standby_at: Instant,
    /// How many standbys crashed, one after the other.
    standby_crashes: u32,
    crashes: Crashes,
}

/// What ended.
enum Ended {
    Engine,
    Standby,
    Nothing,
}

impl<'a> Watch<'a> {
    /// `engine`: one that serves already.
    pub fn new(run: &'a RunDirectory, state: &'a State, engine: Option<Child>) -> Self {
        Watch {
            run,
            state,
            program: PathBuf::from("/proc/self/exe"),
            engine,
            standby: None,
            standby_at: Instant::now(),
            standby_crashes: 0,
            crashes: Crashes::default(),
        }
    }

    /// Keeps until the engine ends for good.
    pub fn keep(mut self) {
        while self.ensure_engine() {
            match self.wait() {
                Ended::Engine => self.engine_ended(),
                Ended::Standby => self.standby_ended(),
                Ended::Nothing => {}
            }
        }
        if let Some(standby) = self.standby.take() {
            standby.kill_and_reap();
        }
    }

    /// Gives the word to the standby, or to a new engine; false if there is to be none.
    fn ensure_engine(&mut self) -> bool {
        while self.engine.is_none() {
            match self.state.get(Word::Shutdown) {
                0 => {}
                1 => {
                    log::line("keeper: ends with its engine");
                    return false;
                }
                _ => {
                    log::line("keeper: the file system was unmounted");
                    return false;
                }
            }
            let now = Instant::now();
            if self.crashes.repeated(now) {
                std::thread::sleep(CRASH_PAUSE);
            }
            let next = match self.standby.take() {
                Some(standby) => Ok(standby),
                None => Child::start(&self.program, self.run),
            };
            if let Err(e) = next.and_then(|next| self.give_word(next)) {
                log::line(format!("keeper: starting an engine failed: {e}"));
                if !self.crashed() {
                    return false;
                }
            }
        }
        true
    }

    fn give_word(&mut self, mut next: Child) -> io::Result<()> {
        // For the standby that is started after this, should it have to take our place.
        if let Err(e) = descriptors::replace(next.pidfd().as_raw_fd(), descriptors::ENGINE) {
            next.kill_and_reap();
            return Err(e);
        }
        let count = self.state.get(Word::StartCount);
        self.state.set(Word::StartCount, count + 1);
        next.let_serve();
        self.engine = Some(next);
        self.standby_at = Instant::now() + STANDBY_DELAY;
        Ok(())
    }

    fn engine_ended(&mut self) {
        let Some(engine) = self.engine.take() else {
            return;
        };
        let status = engine.reap();
        if self.state.get(Word::Shutdown) != 0 {
            return;
        }
        let how = status.map_or("ended".into(), |s| s.to_string());
        log::line(format!("keeper: engine {} died ({how})", engine.pid));
        if crashes::is_crash(status) && !self.crashed() {
            self.state.set(Word::Shutdown, 1);
        }
    }

    /// Counts a crash; false if there is no way on.
    fn crashed(&mut self) -> bool {
        if !self.crashes.count(Instant::now()) {
            return true;
        }
        if self.state.get(Word::PassThrough) != 0 {
            log::line("keeper: engines crash in a loop, also without snapshots; giving up");
            return false;
        }
        log::line("keeper: engines crash in a loop; the next one serves without snapshots");
        self.state.set(Word::PassThrough, 1);
        true
    }

    fn standby_ended(&mut self) {
        let Some(standby) = self.standby.take() else {
            return;
        };
        let status = standby.reap();
        let mut pause = STANDBY_PAUSE;
        if crashes::is_crash(status) {
            let how = status.map_or("ended".into(), |s| s.to_string());
            log::line(format!("keeper: standby {} died ({how})", standby.pid));
            pause = (pause * 2u32.saturating_pow(self.standby_crashes)).min(STANDBY_PAUSE_LIMIT);
            self.standby_crashes = (self.standby_crashes + 1).min(10);
        } else {
            self.standby_crashes = 0;
        }
        self.standby_at = Instant::now() + pause;
    }

    /// Waits until something ends. A standby that is due is started.
    fn wait(&mut self) -> Ended {
        let now = Instant::now();
        if self.standby.is_none() && now >= self.standby_at {
            match Child::start(&self.program, self.run) {
                Ok(standby) => self.standby = Some(standby),
                Err(e) => {
                    log::line(format!("keeper: starting a standby failed: {e}"));
                    self.standby_at = now + STANDBY_PAUSE_LIMIT;
                }
            }
        }
        let timeout = match self.standby {
            Some(_) => -1,
            None => (self.standby_at.saturating_duration_since(now).as_millis() + 1) as i32,
        };
        let entry = |child: &Option<Child>| libc::pollfd {
            fd: child.as_ref().map_or(-1, |c| c.pidfd().as_raw_fd()),
            events: libc::POLLIN,
            revents: 0,
        };
        let mut watched = [entry(&self.engine), entry(&self.standby)];
        // SAFETY: the array lives through the call; entries of -1 are passed over.
        let ready = unsafe { libc::poll(watched.as_mut_ptr(), watched.len() as u64, timeout) };
        match watched.map(|w| ready > 0 && w.revents != 0) {
            [true, _] => Ended::Engine,
            [_, true] => Ended::Standby,
            _ => Ended::Nothing,
        }
    }
}
