//! `detach`: takes everything of an attached volume down, in the one safe order: file system (the
//! caller's), loop devices, engine, FUSE, keeper.
//!
//! It also removes what a half state left: a dead keeper's mount, an orphaned engine's socket. With
//! force it does not ask whether something is mounted: it aborts the connection, so that whoever still
//! waits gets an error instead of hanging.

use crate::client::Client;
use crate::descriptors;
use crate::failure::{Context, Failure, Outcome};
use crate::keeper::child::pid_in;
use crate::protocol::ErrorKind;
use crate::run_directory::{self, RunDirectory};
use crate::{live, residence};
use serde_json::json;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use transport::{fuse::connection, loop_device};

const END_TIME: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Refused while a snapshot is open, an NBD client is connected or a device is in use.
    UnlessOpen,
    /// Open snapshots that nobody uses are released: they would not outlive the host's end.
    UnlessUsed,
    ByForce,
}

/// Whether something was attached is of no matter: afterwards nothing is.
pub fn detach(run_directory: &std::path::Path, how: How) -> Outcome<()> {
    if how == How::UnlessUsed {
        // The keeper that starts this waits for no descriptor of its own.
        descriptors::let_go_of_inherited();
    }
    let run = RunDirectory::new(run_directory)?;
    if !run.path().exists() {
        return Ok(());
    }
    let changing = run_directory::lock(&run.change_lock(), true)?;
    let id = run.path().file_name().unwrap_or_default();
    take_down(&run, &id.to_string_lossy(), how)?;
    let _ = fs::remove_file(run.change_lock());
    drop(changing);
    Ok(())
}

/// `id` is used for the control group if no engine tells it.
pub fn take_down(run: &RunDirectory, id: &str, how: How) -> Outcome<()> {
    let force = how == How::ByForce;
    let mut snapshots = Vec::new();
    let asked = if force {
        // One that does not answer is ended all the same.
        let described = |mut client: Client| {
            let report = client.call("describe", json!({})).unwrap_or_default();
            (client, report)
        };
        Client::connect(run).ok().map(described)
    } else {
        Client::of_attached(run)?
    };
    let mut id = id.to_owned();
    if let Some((_, report)) = &asked {
        id = report["id"].as_str().unwrap_or(&id).to_owned();
        let ids = report["snapshots"].as_array().into_iter().flatten();
        snapshots.extend(ids.filter_map(|s| s["id"].as_str().map(str::to_owned)));
        let open = snapshots.len();
        if open > 0 && how == How::UnlessOpen {
            return Err(Failure::new(
                ErrorKind::Busy,
                format!("{open} snapshots of the volume are open; release them first"),
            ));
        }
        let clients = report["nbd"]["connections"].as_u64().unwrap_or(0);
        if clients > 0 && !force {
            return Err(Failure::new(
                ErrorKind::Busy,
                format!("{clients} NBD clients use the volume; stop serving it first"),
            ));
        }
    }
    let mut client = asked.map(|(client, _)| client);
    if force {
        // The engine first, so that it removes its caches; then nobody may wait any longer.
        end_engine(client.take(), true)?;
        abort(run)?;
    } else if client.is_none() && run_directory::keeper(run).is_none() {
        abort(run)?;
    }
    if how == How::UnlessUsed {
        live::end::refuse_if_used(run)?;
    }
    clear_loops(run, force)?;
    if !force {
        live::end::stop(run)?;
    }
    if how == How::UnlessUsed
        && let Some(client) = &mut client
    {
        for snapshot in &snapshots {
            client.call("release", json!({ "snapshot": snapshot }))?;
        }
    }
    if !force {
        shut_down(run, client)?;
    }
    unmount(run)?;
    end_keeper(run, force)?;
    live::end::tear_down(run)?;
    // Started by the keeper this process is in its groups.
    if how != How::UnlessUsed {
        residence::remove_groups(&id);
    }
    remove_files(run);
    let _ = fs::remove_file(run.log());
    let _ = fs::remove_dir(run.fuse());
    let _ = fs::remove_dir(run.path());
    Ok(())
}

/// Takes down what is left of a keeper and its engines, but for the ublk device: whoever uses that waits on for the
/// next engine. Frozen images are gone with the engine; who still reads one gets errors.
pub fn clear_the_way(run: &RunDirectory, id: &str) -> Outcome<()> {
    abort(run)?;
    clear_loops(run, true)?;
    end_keeper(run, true)?;
    unmount(run)?;
    residence::remove_groups(id);
    remove_files(run);
    Ok(())
}

fn remove_files(run: &RunDirectory) {
    for file in [run.socket(), run.nbd(), run.refusal(), run.keeper_lock()] {
        let _ = fs::remove_file(file);
    }
}

/// An engine that dies over it is followed by another one, which may be asked for a snapshot at once: that one is asked
/// to end as well.
fn shut_down(run: &RunDirectory, mut client: Option<Client>) -> Outcome<()> {
    let limit = Instant::now() + END_TIME;
    loop {
        match end_engine(client.take(), false) {
            Ok(()) => return Ok(()),
            Err(e) if e.kind == ErrorKind::Busy => return Err(e),
            Err(e) if Instant::now() > limit => {
                let why = format!("the engine does not end ({e}); detach --force ends it anyhow");
                return Err(Failure::new(ErrorKind::Busy, why));
            }
            Err(_) => client = Client::of_attached(run)?.map(|(client, _)| client),
        }
    }
}

fn end_engine(client: Option<Client>, force: bool) -> Outcome<()> {
    let Some(mut client) = client else {
        return Ok(());
    };
    match client.call("shutdown", json!({ "force": force })) {
        Ok(_) => client.wait_for_end(),
        // It may be dying; what follows does not need it.
        Err(e) if force && e.kind != ErrorKind::Busy => eprintln!("stillframe-engine: {e}"),
        Err(e) => return Err(e),
    }
    Ok(())
}

fn clear_loops(run: &RunDirectory, force: bool) -> Outcome<()> {
    let devices =
        loop_device::over_files_in(&run.fuse()).context(|| "listing loop devices".into())?;
    if !force {
        for (device, _) in &devices {
            if loop_device::claimed(device).context(|| format!("{}", device.display()))? {
                return Err(Failure::new(
                    ErrorKind::Busy,
                    format!("{} is mounted; unmount it first", device.display()),
                ));
            }
            // One that is open would go with its last user, later, though the volume is said to stay.
            live::end::refuse_if_open(device)?;
        }
    }
    for (device, _) in &devices {
        let gone = loop_device::clear(device);
        if !force && !gone.context(|| format!("clearing {}", device.display()))? {
            return Err(Failure::new(
                ErrorKind::Busy,
                format!("{} is still open in another program", device.display()),
            ));
        }
    }
    Ok(())
}

/// Nobody is to answer any more: whoever waits gets an error, and the engine ends.
fn abort(run: &RunDirectory) -> Outcome<()> {
    if let Some((_, minor)) =
        connection::mounted(&run.fuse()).context(|| "reading the mounts".into())?
        && let Err(e) = connection::abort(minor)
    {
        eprintln!("aborting FUSE connection {minor}: {e}");
    }
    Ok(())
}

fn unmount(run: &RunDirectory) -> Outcome<()> {
    // More than one may lie here after a half state.
    while connection::mounted(&run.fuse())
        .context(|| "reading the mounts".into())?
        .is_some()
    {
        let ended = connection::unmount(&run.fuse(), false)
            .or_else(|_| connection::unmount(&run.fuse(), true));
        ended.context(|| format!("unmounting {}", run.fuse().display()))?;
    }
    Ok(())
}

/// The keeper ends with its engine; one that does not is killed with force only.
fn end_keeper(run: &RunDirectory, force: bool) -> Outcome<()> {
    let end = Instant::now() + END_TIME;
    while let Some(pid) = run_directory::keeper(run) {
        if Instant::now() > end || force {
            kill_with_engine(pid);
        }
        if Instant::now() > end + END_TIME {
            return Err(Failure::new(
                ErrorKind::Busy,
                format!("keeper {pid} does not end"),
            ));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// An engine that hangs outlives its keeper's end.
fn kill_with_engine(keeper: u32) {
    let children = fs::read_to_string(format!("/proc/{keeper}/task/{keeper}/children"));
    let children = children.unwrap_or_default();
    let children = children.split_whitespace().filter_map(|p| p.parse().ok());
    // One that an earlier keeper started is no child of this one.
    let known = format!("/proc/{keeper}/fdinfo/{}", descriptors::ENGINE);
    let engine = pid_in(Path::new(&known));
    for pid in std::iter::once(keeper as i32).chain(children).chain(engine) {
        // SAFETY: the lock that it holds says that this process is the keeper; its children are
        // engines, and so is what its pidfd means.
        unsafe { libc::kill(pid, libc::SIGKILL) };
    }
}
