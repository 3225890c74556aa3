//! Which transport gives a volume its live device, and that device's making and end where it is ublk.
//!
//! A ublk device is found again by its owner's word, which is made from the run directory's path, so a
//! half state is recognised whatever died. What runs on it elsewhere (a worker, another engine's
//! check of its cache) learns from [`shown_file`], as the path of a loop device's file would tell it.

use crate::failure::{Context, Failure, Outcome};
use crate::kernel;
use crate::protocol::ErrorKind;
use crate::run_directory::RunDirectory;
use crate::ublk_faults;
use clap::ValueEnum;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use transport::loop_device;
use transport::ublk::control::{self, Geometry};

/// Files named after devices, each with the path that the live file of its volume would have.
const SHOWN: &str = "/run/stillframe-ublk";
const START_TIME: Duration = Duration::from_secs(20);
const STOP_TIME: Duration = Duration::from_secs(20);
/// How often to look whether programs such as blkid have closed the device, 10 ms apart.
const LOOKS: usize = 100;

/// What attach is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Choice {
    /// ublk where the kernel has it without a known fault and makes and shows the device, else FUSE and a loop device
    Auto,
    FuseLoop,
    Ublk,
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
}

/// Makes the ublk device if that is the choice. Where it was asked for by name it must succeed.
pub fn set_up(choice: Choice, run: &RunDirectory, geometry: &Geometry) -> Outcome<Chosen> {
    let made = |number| Chosen {
        ublk: Some(number),
        ..Chosen::default()
    };
    match choice {
        Choice::FuseLoop => Ok(Chosen::default()),
        Choice::Ublk => make_ublk(run, geometry).map(made),
        Choice::Auto => {
            if let Err(fault) = ublk_faults::none_known(&kernel::release()) {
                return Ok(Chosen::instead(fault));
            }
            let refusal = match make_ublk(run, geometry) {
                Ok(number) => return Ok(made(number)),
                Err(refusal) => refusal,
            };
            // A device that was made half would be taken for the live one.
            tear_down(run)?;
            Ok(Chosen::instead(refusal.to_string()))
        }
    }
}

fn make_ublk(run: &RunDirectory, geometry: &Geometry) -> Outcome<u32> {
    control::available().context(|| control::PATH.into())?;
    let number = control::add(owner(run), geometry).context(|| "making the ublk device".into())?;
    show(number, run)?;
    Ok(number)
}

/// The live block device, shown if it was not yet; `engine` serves it. None: this volume has no ublk
/// device.
pub fn start(run: &RunDirectory, engine: u32) -> Outcome<Option<PathBuf>> {
    let Some(number) = find(run)? else {
        return Ok(None);
    };
    let started = control::start(number, engine, START_TIME);
    started
        .map(Some)
        .context(|| format!("starting ublk device {number}"))
}

/// Busy if there is a ublk device and somebody uses it.
pub fn refuse_if_used(run: &RunDirectory) -> Outcome<()> {
    match find(run)?.map(control::block_device) {
        Some(device) if device.exists() => refuse_used(&device),
        _ => Ok(()),
    }
}

/// Ends the ublk device if there is one and nobody uses it, while its engine can still serve it.
pub fn stop(run: &RunDirectory) -> Outcome<()> {
    let Some(number) = find(run)? else {
        return Ok(());
    };
    let device = control::block_device(number);
    if device.exists() {
        refuse_used(&device)?;
    }
    control::stop(number, STOP_TIME).context(|| format!("stopping {}", device.display()))
}

/// Takes the ublk device away, if there is one, and what tells of it. Its engine is gone.
pub fn tear_down(run: &RunDirectory) -> Outcome<()> {
    if let Some(number) = find(run)? {
        let device = control::block_device(number);
        control::remove(number, STOP_TIME).context(|| format!("removing {}", device.display()))?;
    }
    hide(run);
    Ok(())
}

fn find(run: &RunDirectory) -> Outcome<Option<u32>> {
    control::find(owner(run)).context(|| "listing ublk devices".into())
}

/// Stopping fails what was written to the device and is not on it yet, so nobody may have it open.
fn refuse_used(device: &Path) -> Outcome<()> {
    let shown = device.display();
    let busy = |why: &str| Err(Failure::new(ErrorKind::Busy, format!("{shown} is {why}")));
    if loop_device::claimed(device).context(|| format!("{shown}"))? {
        return busy("mounted; unmount it first");
    }
    for _ in 0..LOOKS {
        if !is_open(device) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    busy("still open in another program")
}

fn is_open(device: &Path) -> bool {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|process| fs::read_dir(process.path().join("fd")).ok())
        .flat_map(|descriptors| descriptors.flatten())
        .any(|descriptor| fs::read_link(descriptor.path()).is_ok_and(|to| to == device))
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
