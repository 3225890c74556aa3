//! The engine process, from its start by the keeper to its first request.
//!
//! Everything that may take time or memory is done before the first request is read: locking memory,
//! rebuilding the map, buffers. Then, if an engine ran before, the kernel is asked for the requests
//! again that it took with it.

use crate::backing::FileStore;
use crate::engine::Engine;
use crate::events::Events;
use crate::failure::{Context, Outcome};
use crate::keeper::UNMOUNTED;
use crate::run_directory::RunDirectory;
use crate::snapshots::registry::Registry;
use crate::snapshots::restore;
use crate::snapshots::table::Table;
use crate::state::{State, Word};
use crate::telemetry::Telemetry;
use crate::{control, descriptors, log, residence};
use cow::bitmap::Bitmap;
use cow::map::MAX_POOLS;
use cow::volume::Volume;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use transport::fuse::session;

/// How often the thread that makes room looks by itself.
const ROOM_INTERVAL: Duration = Duration::from_millis(500);

pub fn serve() -> Outcome<()> {
    die_of_any_panic();
    // SAFETY: the keeper placed these for us; nobody else in this process owns them.
    let (memory, backing, listener) = unsafe {
        (
            descriptors::inherited(descriptors::STATE),
            descriptors::inherited(descriptors::BACKING),
            descriptors::inherited(descriptors::LISTENER),
        )
    };
    let state = State::open(&memory)?;
    // The mapping needs the descriptor for as long as the process lives.
    std::mem::forget(memory);
    let configuration = state.configuration()?;
    let first = state.get(Word::StartCount) <= 1;
    settle(first);

    let events = Arc::new(Events::default());
    let table = Arc::new(Table::load(state.clone(), events.clone()));
    let store = FileStore::new(backing, configuration.size, configuration.alignment);
    let survivors = restore::restore(&state, &table)?;
    let volume = Arc::new(Volume::new(
        Arc::new(store),
        configuration.sector_size as usize,
        (0..MAX_POOLS).map(|pool| state.index(pool)).collect(),
        Bitmap::new(state.touched_blocks()),
        table.clone(),
        survivors,
    ));
    let run = RunDirectory::new(configuration.run_directory.as_ref())?;
    let registry = Registry::new(
        state.clone(),
        table,
        volume.clone(),
        configuration.id.clone(),
        run.live(),
    );
    registry.tidy();
    let threads = configuration.threads;
    let engine = Arc::new(Engine {
        telemetry: Telemetry::new(state.counters()),
        configuration,
        state,
        volume: volume.clone(),
        registry,
        events,
    });
    thread::Builder::new()
        .name("room".into())
        .spawn(move || {
            loop {
                volume.make_room(ROOM_INTERVAL);
            }
        })
        .context(|| "starting a thread".into())?;
    if !first && let Err(e) = session::resend(descriptors::FUSE) {
        log::line(format!(
            "the kernel cannot send requests again ({e}); those in flight may hang until detach --force"
        ));
    }
    session::serve(descriptors::FUSE, threads, engine.clone(), |error| {
        log::line(format!("the connection ended: {error}"));
        std::process::exit(UNMOUNTED);
    })
    .context(|| "starting the threads that serve".into())?;
    control::listener::listen(
        UnixListener::from(std::os::fd::OwnedFd::from(listener)),
        engine,
    )
    .context(|| "starting a thread".into())?;
    log::line("the engine serves");
    loop {
        thread::park();
    }
}

/// A thread that is gone would leave its request unanswered for ever; a dead process is replaced, and
/// the request sent again.
fn die_of_any_panic() {
    std::panic::set_hook(Box::new(|panic| {
        log::line(format!("{panic}"));
        std::process::abort();
    }));
}

/// Memory that stays, and the mark of a process that works for writeback.
fn settle(first: bool) {
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
