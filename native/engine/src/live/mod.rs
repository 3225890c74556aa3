//! Which transport gives a volume its live device, and that device's making where it is ublk (its end: [`end`]).
//!
//! A ublk device is found again by its owner's word, which is made from the run directory's path, so a
//! half state is recognised whatever died. What runs on it elsewhere (a worker, another engine's
//! check of its cache) learns from [`shown_file`], as the path of a loop device's file would tell it.

pub mod end;

use crate::engine::Engine;
use crate::failure::{Context, Failure, Outcome};
use crate::run_directory::RunDirectory;
use crate::state::{Configuration, Word};
use crate::{kernel, log, ublk_faults};
use clap::ValueEnum;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use transport::ublk;
use transport::ublk::control::{self, Geometry, Stand};

/// Files named after devices, each with the path that the live file of its volume would have.
const SHOWN: &str = "/run/stillframe-ublk";
const START_TIME: Duration = Duration::from_secs(20);

/// What attach is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Choice {
    /// ublk where the kernel has it without a known fault and makes and shows the device, else FUSE and a loop device
    Auto,
    FuseLoop,
    Ublk,
}

/// Whether data may go over ublk without a copy, as attach is asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ZeroCopy {
    /// Where the kernel has it without a known fault
    Auto,
    /// Never: all data goes through the engine's memory
    Off,
}

/// As reports name it.
pub fn name(ublk: Option<u32>) -> &'static str {
    match ublk {
        Some(_) => "ublk",
        None => "fuse_loop",
    }
}

/// What the live device is made with.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Number of the ublk device, which nobody sees yet; None: FUSE and a loop device.
    pub ublk: Option<u32>,
    /// Why it is not ublk where nobody asked for one or the other.
    pub not_ublk_because: Option<String>,
}

impl Chosen {
    /// FUSE and a loop device; `reason`: why not ublk.
    pub fn instead(reason: String) -> Self {
        Chosen {
            not_ublk_because: Some(reason),
            ..Chosen::default()
        }
    }

    /// A ublk device that waits for its next engine.
    pub fn again(number: u32, wanted: &Geometry) -> Outcome<Self> {
        let device = control::block_device(number);
        let there = control::geometry(number).context(|| format!("{}", device.display()))?;
        if there != *wanted {
            let shown = |g: &Geometry| format!("{} bytes, sectors of {}", g.size, g.sector_size);
            let why = format!(
                "{} waits for an engine and has {}, but the backing store {}; detach with force",
                device.display(),
                shown(&there),
                shown(wanted)
            );
            return Err(Failure::new(crate::protocol::ErrorKind::Busy, why));
        }
        Ok(Chosen {
            ublk: Some(number),
            ..Chosen::default()
        })
    }
}

/// Makes the ublk device if that is the choice. Where it was asked for by name it must succeed.
pub fn set_up(
    choice: Choice,
    zero_copy: ZeroCopy,
    run: &RunDirectory,
    geometry: &Geometry,
) -> Outcome<Chosen> {
    let made = |number| Chosen {
        ublk: Some(number),
        ..Chosen::default()
    };
    match choice {
        Choice::FuseLoop => Ok(Chosen::default()),
        Choice::Ublk => make_ublk(zero_copy, run, geometry).map(made),
        Choice::Auto => {
            if let Err(fault) = ublk_faults::none_known(&kernel::release()) {
                return Ok(Chosen::instead(fault));
            }
            let refusal = match make_ublk(zero_copy, run, geometry) {
                Ok(number) => return Ok(made(number)),
                Err(refusal) => refusal,
            };
            // A device that was made half would be taken for the live one.
            end::tear_down(run)?;
            Ok(Chosen::instead(refusal.to_string()))
        }
    }
}

fn make_ublk(zero_copy: ZeroCopy, run: &RunDirectory, geometry: &Geometry) -> Outcome<u32> {
    control::available().context(|| control::PATH.into())?;
    let zero_copy = match zero_copy {
        ZeroCopy::Auto => ublk_faults::waits_for_pages_in_use(&kernel::release()),
        ZeroCopy::Off => false,
    };
    let number = control::add(owner(run), geometry, zero_copy)
        .context(|| "making the ublk device".into())?;
    show(number, run)?;
    Ok(number)
}

/// For the engine: serves the ublk device, which is shown when this returns.
///
/// Whatever instant the engine before died at, and a first one that takes over from a dead keeper's: one that was
/// shown waits for its next server, one that was not yet is made anew, and one that was stopped stays so, as
/// somebody detaches the volume, or has died over that.
pub fn serve(queues: ublk::Standing, engine: Arc<Engine>) -> Outcome<()> {
    let number = queues.number();
    let state = engine.state.clone();
    let starting = || format!("starting ublk device {number}");
    let serving = || "serving the ublk device".to_owned();
    let stopped = || log::line("the ublk device was stopped; nobody serves it any more");
    let shown = control::stand(number).context(starting)? != Stand::Hidden;
    if !shown && state.get(Word::ToShow) == 0 {
        stopped();
        return Ok(());
    }
    if !shown && state.get(Word::StartCount) > 1 {
        log::line("the ublk device was never shown; it is made anew");
        let Configuration {
            size, sector_size, ..
        } = engine.configuration;
        let run = RunDirectory::new(engine.configuration.run_directory.as_ref())?;
        control::remake(number, owner(&run), &Geometry { size, sector_size })
            .context(|| "making the ublk device".into())?;
    }
    match queues.serve(engine, shown) {
        Err(e) if e.kind() == ErrorKind::NotConnected => {
            stopped();
            return Ok(());
        }
        served => served.context(serving)?,
    }
    if !shown {
        control::start(number, START_TIME).context(starting)?;
    }
    state.set(Word::ToShow, 0);
    Ok(())
}

/// The live block device, ready to be used; its engine serves. None: this volume has no ublk device.
pub fn settle(run: &RunDirectory) -> Outcome<Option<PathBuf>> {
    let Some(number) = find(run)? else {
        return Ok(None);
    };
    let settled = control::settle(number);
    settled
        .map(Some)
        .context(|| format!("starting ublk device {number}"))
}

/// Whether the volume has a ublk device that no engine can show any more: who detached it has died on the way.
/// Its engine serves, so it was shown once.
pub fn is_stopped(run: &RunDirectory) -> Outcome<bool> {
    let Some(number) = find(run)? else {
        return Ok(false);
    };
    let stand = control::stand(number).context(|| format!("ublk device {number}"))?;
    Ok(stand == Stand::Hidden)
}

/// The ublk device that somebody may use, whatever became of its engine.
pub fn waiting(run: &RunDirectory) -> Outcome<Option<u32>> {
    let Some(number) = find(run)? else {
        return Ok(None);
    };
    let stand = control::stand(number).context(|| format!("ublk device {number}"))?;
    Ok((stand != Stand::Hidden).then_some(number))
}

fn find(run: &RunDirectory) -> Outcome<Option<u32>> {
    control::find(owner(run)).context(|| "listing ublk devices".into())
}

/// 64 bits of FNV-1a over the path.
fn owner(run: &RunDirectory) -> u64 {
    let bytes = run.path().as_os_str().as_encoded_bytes();
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn show(number: u32, run: &RunDirectory) -> Outcome<()> {
    let file = shown_file(&control::block_device(number));
    let written = fs::create_dir_all(SHOWN)
        .and_then(|()| fs::write(&file, run.live().as_os_str().as_encoded_bytes()));
    written.context(|| format!("writing {}", file.display()))
}

/// Also what somebody left who died between device and file.
fn hide(run: &RunDirectory) {
    let live = run.live();
    for entry in fs::read_dir(SHOWN).into_iter().flatten().flatten() {
        if fs::read(entry.path()).is_ok_and(|told| told == live.as_os_str().as_encoded_bytes()) {
            let _ = fs::remove_file(entry.path());
        }
    }
    let _ = fs::remove_dir(SHOWN);
}

/// Where the live file's path of the volume on this ublk device is told.
pub fn shown_file(device: &Path) -> PathBuf {
    Path::new(SHOWN).join(device.file_name().unwrap_or_default())
}
