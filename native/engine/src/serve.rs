//! The engine process, from its start by the keeper to its first request.
//!
//! It starts as a standby, beside an engine that serves: it maps the state, locks its memory, makes
//! threads and buffers, and waits for the keeper's word on standard input. Until then it changes
//! nothing and keeps nothing that the serving engine could change.
//!
//! At the word the engine before is gone. Now the snapshots are taken up as they were left: cells, cache
//! files, the map. Then the kernel is asked for the requests again that the dead engine took with it,
//! and the first one is read. If instead of the word the keeper's end comes, the standby takes the
//! keeper's place.

use crate::backing::{self, FileStore};
use crate::change_log::ChangeLog;
use crate::engine::Engine;
use crate::events::Events;
use crate::failure::{Context, Failure, Outcome};
use crate::fence::Fence;
use crate::holds::Holds;
use crate::keeper::channel::{self, ToKeeper};
use crate::nbd::{self, Nbd};
use crate::run_directory::RunDirectory;
use crate::snapshots::registry::Registry;
use crate::snapshots::table::Table;
use crate::snapshots::tracking::Tracking;
use crate::snapshots::{change_file, restore};
use crate::state::{State, Word};
use crate::telemetry::Telemetry;
use crate::{control, descriptors, keeper, live, log, residence, undertaker, urgency};
use cow::map::MAX_POOLS;
use cow::volume::Volume;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use transport::fuse::session;
use transport::served::Pace;

/// Threads for frozen images where the live device is not theirs too.
const FROZEN_THREADS: usize = 4;
/// How often the thread that makes room looks by itself.
const ROOM_INTERVAL: Duration = Duration::from_millis(500);

pub fn serve() -> Outcome<()> {
    die_of_any_panic();
    // SAFETY: the keeper placed these for us; nobody else in this process owns them.
    let (memory, backing, listener, buffers) = unsafe {
        (
            descriptors::inherited(descriptors::STATE),
            descriptors::inherited(descriptors::BACKING),
            descriptors::inherited(descriptors::LISTENER),
            descriptors::inherited(descriptors::BUFFERS),
        )
    };
    let state = State::open(&memory)?;
    // The mapping needs the descriptor for as long as the process lives.
    std::mem::forget(memory);
    let configuration = state.configuration()?;
    let run = RunDirectory::new(configuration.run_directory.as_ref())?;
    let _in_use = configuration.ublk.map(|_| hold_mount(&run));
    // The keeper counts the first one while that starts.
    let first = state.get(Word::StartCount) <= 1;
    settle(first);
    let ended = {
        let state = state.clone();
        move |error| {
            log::line(format!("the connection ended: {error}"));
            state.set(Word::Shutdown, 2);
            undertaker::dismiss();
            std::process::exit(0);
        }
    };
    // With ublk only frozen images come by FUSE.
    let fuse_threads = match configuration.ublk {
        Some(_) => configuration.threads.min(FROZEN_THREADS),
        None => configuration.threads,
    };
    let pace = backing::pace(&backing);
    let fuse_pace = match configuration.ublk {
        // Frozen images are read by threads that sleep.
        Some(_) => Pace::Sleeps,
        None => pace,
    };
    let threads = session::stand_by(descriptors::FUSE, &buffers, fuse_threads, fuse_pace, ended)
        .context(|| "making the threads that serve".into())?;
    if let Some(e) = &threads.sleeps_because
        && first
    {
        log::line(format!(
            "not available: I/O behind threads, for which fs.aio-max-nr may be too low: {e}"
        ));
    }
    let queues = configuration.ublk.map(|number| {
        transport::ublk::stand_by(number, &buffers, configuration.threads, pace, |error| {
            log::line(format!("a queue of the ublk device ended: {error}"));
        })
    });
    let queues = queues
        .transpose()
        .context(|| "making the threads that serve the ublk device".into())?;
    let pid = std::process::id();
    if let Err(e) = channel::tell_keeper(&ToKeeper::Ready { pid }) {
        log::line(format!("telling the keeper: {e}"));
    }
    // From the word to the first request answered, whoever uses the volume waits.
    let _ = urgency::go_first();
    if !told_to_serve() {
        return Err(Failure::io(
            "taking the keeper's place",
            keeper::take_place(),
        ));
    }

    let fence = Fence::close(&buffers);
    let fence = fence.context(|| "waiting for an earlier engine's I/O".into())?;
    let engine = take_up(state, backing)?;
    let roomy = engine.clone();
    thread::Builder::new()
        .name("room".into())
        .spawn(move || {
            loop {
                roomy.volume.make_room(ROOM_INTERVAL);
                roomy.holds.settle();
                roomy.registry.give_back_unused_lists();
            }
        })
        .context(|| "starting a thread".into())?;
    undertaker::stand_by(fence);
    if engine.state.get(Word::StartCount) > 1
        && let Err(e) = session::resend(descriptors::FUSE)
    {
        log::line(format!(
            "the kernel cannot send requests again ({e}); those in flight may hang until detach --force"
        ));
    }
    threads
        .serve(engine.clone())
        .context(|| "serving the connection".into())?;
    if let Some(queues) = queues {
        live::serve(queues, engine.clone())?;
    }
    urgency::give_way();
    nbd::resume(&engine);
    control::listener::listen(
        UnixListener::from(std::os::fd::OwnedFd::from(listener)),
        engine,
    )
    .context(|| "starting a thread".into())?;
    log::line("the engine serves");
    keeper::watched::watch_over_keeper(&run);
}

/// The engine that goes on from what the last one left in `state`; requests are not served yet.
pub fn take_up(state: State, backing: File) -> Outcome<Arc<Engine>> {
    let configuration = state.configuration()?;
    let events = Arc::new(Events::default());
    let table = Arc::new(Table::load(state.clone(), events.clone()));
    let second = backing.try_clone().context(|| "the backing store".into())?;
    let tracking = Tracking::load(state.clone());
    let survivors = if state.get(Word::PassThrough) == 0 {
        change_file::take_over(&state, &configuration, &tracking, &backing);
        restore::restore(&state, &table, &tracking)?
    } else {
        tracking.give_up("engines crashed over and over");
        restore::give_up(&state, &table)
    };
    let store = Arc::new(FileStore::new(
        backing,
        configuration.size,
        configuration.alignment,
    ));
    let volume = Arc::new(Volume::new(
        store.clone(),
        configuration.sector_size as usize,
        (0..MAX_POOLS).map(|pool| state.index(pool)).collect(),
        table.clone(),
        survivors,
    ));
    let run = RunDirectory::new(configuration.run_directory.as_ref())?;
    let registry = Registry::new(
        state.clone(),
        table,
        tracking,
        volume.clone(),
        configuration.id.clone(),
        second,
        run.live(),
    );
    registry.tidy();
    Ok(Arc::new(Engine {
        telemetry: Telemetry::new(state.counters()),
        change_log: ChangeLog::default(),
        configuration,
        store,
        volume,
        registry,
        events,
        nbd: Nbd::default(),
        holds: Holds::load(state.clone()),
        state,
    }))
}

/// Waits for the keeper's word; false if the keeper ends instead.
fn told_to_serve() -> bool {
    let mut word = [0];
    std::io::stdin().read_exact(&mut word).is_ok()
}

/// A thread that is gone would leave its request unanswered for ever; a dead process is replaced, and
/// the request sent again.
fn die_of_any_panic() {
    std::panic::set_hook(Box::new(|panic| {
        log::line(format!("{panic}"));
        std::process::abort();
    }));
}

/// One heap, memory that stays, and the mark of a process that works for writeback.
fn settle(first: bool) {
    residence::share_heap();
    for (what, result) in [
        ("locking memory", residence::lock_memory()),
        ("PR_SET_IO_FLUSHER", residence::become_io_flusher()),
    ] {
        if let Err(e) = result
            && first
        {
            log::line(format!("not available: {what}: {e}"));
        }
    }
}

/// Frozen images alone lie on the mount of a volume over ublk, which nobody uses most of the time. Unless it is in use
/// whoever unmounts it, as systemd does in any order when the host goes down, ends the engine of a live device.
fn hold_mount(run: &RunDirectory) -> Option<File> {
    let mut options = OpenOptions::new();
    let held = options
        .read(true)
        .custom_flags(libc::O_PATH)
        .open(run.fuse());
    held.inspect_err(|e| log::line(format!("holding {}: {e}", run.fuse().display())))
        .ok()
}
