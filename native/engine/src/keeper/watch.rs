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
//! keeper ends, and with it the connection: requests fail instead of waiting for ever. A ublk device in use stays, and its
//! requests wait: what is dirty on it is lost with it, and an engine with a new state may well serve it.
//!
//! An engine that cannot be started at all, for want of memory, processes or descriptors, has not crashed: that is tried
//! for ever, and requests wait. Its snapshots are not to blame, and giving up would cost the data that is in flight.
//!
//! An engine that says why it cannot serve is not followed by another one while there is no live device yet: nobody uses
//! the volume, and whoever attaches it waits for the answer.

use super::channel::{self, ToKeeper};
use super::child::Child;
use super::crashes::{self, Crashes};
use super::renewal::Renewal;
use crate::run_directory::RunDirectory;
use crate::signals::EndRequests;
use crate::state::{State, Word};
use crate::{descriptors, log};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// From the word to the start of the next standby.
const STANDBY_DELAY: Duration = Duration::from_millis(50);
/// After a standby's end; where it crashed, doubled each time, up to the limit.
const STANDBY_PAUSE: Duration = Duration::from_millis(100);
const STANDBY_PAUSE_LIMIT: Duration = Duration::from_secs(10);
/// Between engines that crash.
const CRASH_PAUSE: Duration = Duration::from_millis(50);
/// After an engine could not be started; doubled each time, up to the limit.
const START_PAUSE: Duration = Duration::from_millis(20);
const START_PAUSE_LIMIT: Duration = Duration::from_secs(1);
/// From the first engine of a new program to the keeper's own change.
const BECOME_DELAY: Duration = Duration::from_secs(3);
/// The program that this process runs, also where its file was replaced.
const SELF: &str = "/proc/self/exe";

pub struct Watch<'a> {
    run: &'a RunDirectory,
    state: &'a State,
    lock: File,
    /// What engines are started from.
    program: PathBuf,
    renewal: Option<Renewal>,
    /// When the keeper is to execute `program` itself.
    become_at: Option<Instant>,
    engine: Option<Child>,
    standby: Option<Child>,
    /// When the next standby is to be started.
    standby_at: Instant,
    /// How many standbys crashed, one after the other.
    standby_crashes: u32,
    crashes: Crashes,
    /// None where the kernel refuses them.
    end_requests: Option<EndRequests>,
    /// The program that detaches the volume since the last of them.
    detaching: Option<std::process::Child>,
    /// Engines crash whatever is tried.
    gave_up: bool,
}

/// What is left when no engine is to follow.
pub struct Ended {
    /// The keeper's: whoever waits for it waits for its holder.
    pub lock: File,
    pub gave_up: bool,
}

/// What happened.
enum Happened {
    EngineEnded,
    StandbyEnded,
    Said(ToKeeper),
    AskedToEnd,
    Nothing,
}

impl<'a> Watch<'a> {
    /// `lock`: the keeper's. `engine`: one that serves already. `end_requests`: None where the kernel refuses them.
    pub fn new(
        run: &'a RunDirectory,
        state: &'a State,
        lock: File,
        engine: Option<Child>,
        end_requests: Option<EndRequests>,
    ) -> Self {
        Watch {
            run,
            state,
            lock,
            program: PathBuf::from(SELF),
            renewal: None,
            become_at: None,
            engine,
            standby: None,
            standby_at: Instant::now(),
            standby_crashes: 0,
            crashes: Crashes::default(),
            end_requests,
            detaching: None,
            gave_up: false,
        }
    }

    /// Keeps until the engine ends for good.
    pub fn keep(mut self) -> Ended {
        while self.ensure_engine() {
            self.look_at_the_clock();
            match self.wait() {
                Happened::EngineEnded => self.engine_ended(),
                Happened::StandbyEnded => self.standby_ended(),
                Happened::Said(ToKeeper::Ready { pid }) => self.ready(pid),
                Happened::Said(ToKeeper::Follow { asker, program }) => {
                    self.begin_renewal(asker, &program);
                }
                Happened::AskedToEnd => self.asked_to_end(),
                Happened::Nothing => {}
            }
        }
        self.end_standby();
        Ended {
            lock: self.lock,
            gave_up: self.gave_up,
        }
    }

    /// SIGTERM: the host goes down, or somebody means this process. Another one detaches the volume, which waits for this
    /// keeper's end; where it is in use that refuses, and all stays.
    fn asked_to_end(&mut self) {
        if let Some(running) = &mut self.detaching
            && matches!(running.try_wait(), Ok(None))
        {
            return;
        }
        log::line("keeper: asked to end; the volume is detached unless something uses it");
        let log = || log::open(&self.run.log()).map_or_else(|_| Stdio::null(), Stdio::from);
        let started = Command::new(SELF)
            .args(["detach", "--unless-used", "--run-dir"])
            .arg(self.run.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log())
            .spawn();
        self.detaching = started
            .inspect_err(|e| log::line(format!("keeper: starting the detach failed: {e}")))
            .ok();
    }

    fn end_standby(&mut self) {
        if let Some(standby) = self.standby.take() {
            standby.kill_and_reap();
        }
    }

    /// Gives the word to the standby, or to a new engine; false if there is to be none.
    fn ensure_engine(&mut self) -> bool {
        let mut failed = 0;
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
            self.refuse_renewal("the serving engine ended meanwhile");
            let now = Instant::now();
            if self.crashes.repeated(now) {
                std::thread::sleep(CRASH_PAUSE);
            }
            let next = match self.standby.take() {
                Some(standby) => Ok(standby),
                None => Child::start(&self.program, self.run),
            };
            if let Err(e) = next.and_then(|next| self.give_word(next)) {
                failed += 1;
                self.not_started(failed, &e);
            }
        }
        true
    }

    /// No engine is there: `failed` attempts to start one, and how the last of them did.
    fn not_started(&mut self, failed: u32, e: &io::Error) {
        if failed.is_power_of_two() {
            let line = format!("keeper: starting an engine failed, {failed} times now: {e}");
            log::line(line);
        }
        // A new program's file may be gone before the keeper executes it itself.
        let is_missing = matches!(
            e.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
        );
        if is_missing && self.program != Path::new(SELF) {
            log::line("keeper: the new program is gone; going back to the old one");
            self.program = PathBuf::from(SELF);
            self.become_at = None;
        }
        let pause = START_PAUSE * 2u32.pow(failed.min(10) - 1);
        std::thread::sleep(pause.min(START_PAUSE_LIMIT));
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
        let Some(mut engine) = self.engine.take() else {
            return;
        };
        let status = engine.reap();
        if self.state.get(Word::Shutdown) != 0 {
            return;
        }
        let how = status.map_or("ended".into(), |s| s.to_string());
        log::line(format!("keeper: engine {} died ({how})", engine.pid));
        let crashed = crashes::is_crash(status);
        if crashed && (self.refused_from_the_start(&mut engine) || !self.crashed()) {
            self.state.set(Word::Shutdown, 1);
        }
    }

    /// The first engine of all fails before it listens or not at all: there is no live device then. Nor is there while
    /// none has shown the ublk device, however many were killed over it.
    fn refused_from_the_start(&self, engine: &mut Child) -> bool {
        if self.state.get(Word::StartCount) != 1 && self.state.get(Word::ToShow) == 0 {
            return false;
        }
        let Some(why) = engine.failure() else {
            return false;
        };
        if let Err(e) = std::fs::write(self.run.refusal(), &why) {
            log::line(format!("keeper: telling why no engine serves failed: {e}"));
        }
        true
    }

    /// Counts a crash; false if there is no way on.
    fn crashed(&mut self) -> bool {
        self.become_at = None;
        if !self.crashes.count(Instant::now()) {
            return true;
        }
        if self.program != Path::new(SELF) {
            log::line(
                "keeper: engines of the new program crash in a loop; going back to the old one",
            );
            self.program = PathBuf::from(SELF);
            self.end_standby();
            return true;
        }
        if self.state.get(Word::PassThrough) != 0 {
            log::line("keeper: engines crash in a loop, also without snapshots; giving up");
            self.gave_up = true;
            return false;
        }
        log::line("keeper: engines crash in a loop; the next one serves without snapshots");
        self.state.set(Word::PassThrough, 1);
        true
    }

    fn standby_ended(&mut self) {
        let Some(mut standby) = self.standby.take() else {
            return;
        };
        let status = standby.reap();
        if self.renewal.is_some() {
            let how = status.map_or("it ended".into(), |s| s.to_string());
            let why = standby.failure().unwrap_or(how);
            return self.refuse_renewal(&why);
        }
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

    fn begin_renewal(&mut self, asker: u32, program: &str) {
        self.refuse_renewal("another program was asked for");
        self.end_standby();
        if let Some((renewal, standby)) = Renewal::begin(asker, program, self.run) {
            self.renewal = Some(renewal);
            self.standby = Some(standby);
        }
    }

    /// Ends one that is under way, and its standby.
    fn refuse_renewal(&mut self, why: &str) {
        if let Some(renewal) = self.renewal.take() {
            self.end_standby();
            renewal.refuse(why);
            self.standby_at = Instant::now();
        }
    }

    fn ready(&mut self, pid: u32) {
        if self.standby.as_ref().is_some_and(|s| s.pid as u32 == pid)
            && let Some(renewal) = self.renewal.take()
        {
            self.program = renewal.accept();
            self.become_at = Some(Instant::now() + BECOME_DELAY);
            self.crashes = Crashes::default();
            self.state.set(Word::PassThrough, 0);
        }
    }

    fn look_at_the_clock(&mut self) {
        if self.renewal.as_ref().is_some_and(|r| r.left().is_zero()) {
            self.refuse_renewal("it is not ready in time");
        }
        let now = Instant::now();
        if self.become_at.is_some_and(|at| now >= at) && self.engine.is_some() {
            self.become_at = None;
            self.end_standby();
            self.standby_at = now;
            let error = super::become_program(&self.program, &self.lock);
            log::line(format!("keeper: stays the program that it is: {error}"));
        }
        if self.engine.is_some() && self.standby.is_none() && now >= self.standby_at {
            match Child::start(&self.program, self.run) {
                Ok(standby) => self.standby = Some(standby),
                Err(e) => {
                    log::line(format!("keeper: starting a standby failed: {e}"));
                    self.standby_at = now + STANDBY_PAUSE_LIMIT;
                }
            }
        }
    }

    /// Waits until something happens, or is due.
    fn wait(&mut self) -> Happened {
        let until = |at: Instant| at.saturating_duration_since(Instant::now());
        let due = [
            self.standby.is_none().then(|| until(self.standby_at)),
            self.renewal.as_ref().map(Renewal::left),
            self.become_at.map(until),
        ];
        let due = due.into_iter().flatten().min();
        let timeout = due.map_or(-1, |d| d.as_millis() as i32 + 1);
        let entry = |fd| libc::pollfd {
            fd,
            events: libc::POLLIN,
            revents: 0,
        };
        let of =
            |child: &Option<Child>| entry(child.as_ref().map_or(-1, |c| c.pidfd().as_raw_fd()));
        let said = entry(descriptors::FROM_ENGINES);
        let asked = entry(self.end_requests.as_ref().map_or(-1, AsRawFd::as_raw_fd));
        let mut watched = [of(&self.engine), of(&self.standby), said, asked];
        // SAFETY: the array lives through the call; entries of -1 are passed over.
        let ready = unsafe { libc::poll(watched.as_mut_ptr(), watched.len() as u64, timeout) };
        match watched.map(|w| ready > 0 && w.revents != 0) {
            [true, ..] => Happened::EngineEnded,
            [_, true, ..] => Happened::StandbyEnded,
            [_, _, true, _] => channel::hear_engine().map_or(Happened::Nothing, Happened::Said),
            [_, _, _, true] if self.end_requests.as_ref().is_some_and(EndRequests::take) => {
                Happened::AskedToEnd
            }
            _ => Happened::Nothing,
        }
    }
}
