//! `attach`: from a backing store to a live block device.
//!
//! The keeper is started by a copy of this program with the opened backing store; it mounts the FUSE
//! file system and starts the engine. Once the engine answers, this short-lived process makes the
//! loop device: a server that opens its own file can hang at its death. Whatever fails, everything
//! that was made is taken down again. Where it fails with a ublk device that nobody asked for by name,
//! the volume is then attached once more, with FUSE and a loop device.
//!
//! A ublk device outlives its keeper and all engines: requests on it wait. Attached again it gets a new keeper, and
//! file systems on it never learn of it; snapshots that were open are lost. It stays also where that fails.

use crate::client::Client;
use crate::failure::{Context, Failure, Outcome};
use crate::protocol::ErrorKind;
use crate::protocol::programs::AttachResult;
use crate::run_directory::{self, RunDirectory};
use crate::snapshots::cache_place;
use crate::state::Configuration;
use crate::{backing, descriptors, detach, live, names};
use serde_json::{Value, json};
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use transport::loop_device::{self, DirectIo};
use transport::ublk::control::Geometry;

/// Until the first engine answers.
const START_TIME: Duration = Duration::from_secs(20);

pub struct Request {
    pub id: String,
    pub backing: PathBuf,
    pub run_directory: PathBuf,
    pub sector_size: Option<u32>,
    pub threads: usize,
    pub own_groups: bool,
    /// For what is known of the volume from one attachment to the next; None: nothing is kept.
    pub state_directory: Option<String>,
    pub transport: live::Choice,
    pub zero_copy: live::ZeroCopy,
}

pub fn attach(request: &Request) -> Outcome<AttachResult> {
    names::check("volume id", &request.id)?;
    if !(1..=64).contains(&request.threads) {
        return Err(Failure::invalid("threads must be 1 to 64"));
    }
    let run = RunDirectory::new(&request.run_directory)?;
    let shown = request.backing.display();
    let real = std::fs::canonicalize(&request.backing).context(|| format!("{shown}"))?;
    run.create()?;
    let _changing = run_directory::lock(&run.change_lock(), true)?;
    let waiting = match found(&run, request, &real)? {
        Found::Attached(existing) => return Ok(existing),
        Found::Waiting(number) => Some(number),
        Found::Nothing => None,
    };
    let result = start(request, &run, &real, waiting);
    if result.is_err() && waiting.is_some() {
        let _ = detach::clear_the_way(&run, &request.id);
    } else if result.is_err() {
        let _ = detach::take_down(&run, &request.id, detach::How::ByForce);
        let _ = std::fs::remove_file(run.change_lock());
    }
    result
}

enum Found {
    /// It works.
    Attached(AttachResult),
    /// A ublk device in use, whose keeper is gone with all engines.
    Waiting(u32),
    Nothing,
}

/// What is attached in the directory already; other leftovers of a half state are removed.
fn found(run: &RunDirectory, request: &Request, real: &Path) -> Outcome<Found> {
    let Some((client, report)) = Client::of_attached(run)? else {
        let waiting = match request.transport {
            live::Choice::FuseLoop => None,
            _ if run_directory::keeper(run).is_some() => None,
            _ => live::waiting(run)?,
        };
        match waiting {
            Some(_) => detach::clear_the_way(run, &request.id)?,
            None => detach::take_down(run, &request.id, detach::How::UnlessOpen)?,
        }
        run.create()?;
        return Ok(waiting.map_or(Found::Nothing, Found::Waiting));
    };
    let text = |key: &str| report[key].as_str().unwrap_or_default().to_owned();
    if text("id") != request.id || Path::new(&text("backing")) != real {
        return Err(Failure::new(
            ErrorKind::Exists,
            format!(
                "{} serves volume {} on {} already",
                run.path().display(),
                text("id"),
                text("backing")
            ),
        ));
    }
    if live::is_stopped(run)? {
        drop(client);
        detach::take_down(run, &request.id, detach::How::UnlessOpen)?;
        run.create()?;
        return Ok(Found::Nothing);
    }
    finish(run, &report).map(Found::Attached)
}

/// `waiting`: the ublk device that is there already.
fn start(
    request: &Request,
    run: &RunDirectory,
    real: &Path,
    waiting: Option<u32>,
) -> Outcome<AttachResult> {
    let opened = backing::open(real)?;
    let sector_size = request.sector_size.unwrap_or(opened.sector_size);
    if ![512, 4096].contains(&sector_size) {
        return Err(Failure::invalid("the sector size must be 512 or 4096"));
    }
    let state_directory = match &request.state_directory {
        Some(directory) => Some(cache_place::admit(directory)?),
        None => None,
    };
    let unit = u64::from(sector_size).max(opened.alignment as u64);
    let size = opened.size / unit * unit;
    let geometry = Geometry { size, sector_size };
    let configuration = |chosen: live::Chosen| Configuration {
        id: request.id.clone(),
        backing: real.to_string_lossy().into_owned(),
        run_directory: run.path().to_string_lossy().into_owned(),
        size,
        sector_size,
        alignment: opened.alignment,
        threads: request.threads,
        state_directory: state_directory
            .as_ref()
            .map(|d| d.to_string_lossy().into_owned()),
        ublk: chosen.ublk,
        not_ublk_because: chosen.not_ublk_because,
    };
    let chosen = match waiting {
        Some(number) => live::Chosen::again(number, &geometry)?,
        None => live::set_up(request.transport, request.zero_copy, run, &geometry)?,
    };
    let may_change =
        request.transport == live::Choice::Auto && chosen.ublk.is_some() && waiting.is_none();
    let bring_up = |chosen| bring_up(run, &configuration(chosen), &opened, request.own_groups);
    match bring_up(chosen) {
        Err(failure) if may_change => {
            // In order where that is possible: what is known of changed blocks is then kept. Nobody was told of the
            // device, so nobody uses it.
            detach::take_down(run, &request.id, detach::How::UnlessOpen)
                .or_else(|_| detach::take_down(run, &request.id, detach::How::ByForce))?;
            run.create()?;
            bring_up(live::Chosen::instead(failure.to_string()))
        }
        result => result,
    }
}

fn bring_up(
    run: &RunDirectory,
    configuration: &Configuration,
    opened: &backing::Opened,
    own_groups: bool,
) -> Outcome<AttachResult> {
    start_keeper(configuration, opened, own_groups)?;
    finish(run, &described(run)?)
}

fn start_keeper(
    configuration: &Configuration,
    opened: &backing::Opened,
    own_groups: bool,
) -> Outcome<()> {
    let text = serde_json::to_string(configuration)
        .map_err(|e| Failure::new(ErrorKind::Internal, e.to_string()))?;
    let backing_fd = opened.file.as_raw_fd();
    let mut command = Command::new("/proc/self/exe");
    command
        .args(["keeper", "--configuration", &text])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    if !own_groups {
        command.arg("--stay-in-groups");
    }
    // SAFETY: the closure only duplicates a descriptor, which is allowed between fork and exec.
    unsafe {
        command.pre_exec(move || descriptors::replace(backing_fd, descriptors::BACKING));
    }
    let mut child = command.spawn().context(|| "starting the keeper".into())?;
    let mut said = String::new();
    if let Some(mut output) = child.stdout.take() {
        // Ends when the keeper is ready and closes it, or has failed.
        output
            .read_to_string(&mut said)
            .context(|| "listening to the keeper".into())?;
    }
    if said.trim() == "ready" {
        return Ok(());
    }
    let _ = child.wait();
    let died = || Failure::new(ErrorKind::Internal, "the keeper died while starting");
    Err(Failure::told(&said).unwrap_or_else(died))
}

/// What the new volume's engine reports. Where one is killed before it answers, the next one does.
fn described(run: &RunDirectory) -> Outcome<Value> {
    let end = Instant::now() + START_TIME;
    loop {
        let mut client = Client::connect_within(run, end - Instant::now())?;
        match client.call("describe", json!({})) {
            Err(_) if Instant::now() < end => continue,
            result => return result,
        }
    }
}

/// Makes the block device ready, or appear if it is not there.
fn finish(run: &RunDirectory, report: &Value) -> Outcome<AttachResult> {
    let text = |key: &str| report[key].as_str().map(str::to_owned);
    let sector_size = report["sectorSize"].as_u64().unwrap_or(512) as u32;
    let device = match live::settle(run)? {
        Some(device) => device,
        None => loop_over(&run.live(), sector_size)?,
    };
    Ok(AttachResult {
        id: text("id").unwrap_or_default(),
        device: device.to_string_lossy().into_owned(),
        socket: run.socket().to_string_lossy().into_owned(),
        keeper_pid: run_directory::keeper(run).unwrap_or(0),
        size_bytes: report["sizeBytes"].as_u64().unwrap_or(0),
        sector_size,
        transport: text("transport").unwrap_or_default(),
        not_ublk_because: text("notUblkBecause"),
    })
}

fn loop_over(live: &Path, sector_size: u32) -> Outcome<PathBuf> {
    if let Some(device) = loop_device::over(live).context(|| "listing loop devices".into())? {
        return Ok(device);
    }
    let settings = loop_device::Settings {
        read_only: false,
        direct_io: DirectIo::Required,
        sector_size,
        largest_request: None,
        read_ahead: None,
    };
    loop_device::attach(live, &settings).context(|| "making the loop device".into())
}
