//! The end of a volume's ublk device.

use super::{find, hide};
use crate::descriptors;
use crate::failure::{Context, Failure, Outcome};
use crate::protocol::ErrorKind;
use crate::run_directory::RunDirectory;
use clap::ValueEnum;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use transport::loop_device;
use transport::ublk::control;

/// Whoever waits for the end of a device stops waiting after this.
const END_TIME: Duration = Duration::from_secs(20);
/// For the process that the kernel holds in any case.
const NO_LIMIT: Duration = Duration::from_secs(u32::MAX as u64);
/// How often to look whether programs such as blkid have closed the device, 10 ms apart.
const LOOKS: usize = 100;

/// Busy if there is a ublk device and somebody uses it.
pub fn refuse_if_used(run: &RunDirectory) -> Outcome<()> {
    match find(run)?.map(control::block_device) {
        Some(device) if device.exists() => claim_unused(&device).map(drop),
        _ => Ok(()),
    }
}

/// Ends the ublk device if there is one and nobody uses it, while its engine can still serve it.
pub fn stop(run: &RunDirectory) -> Outcome<()> {
    let Some(number) = find(run)? else {
        return Ok(());
    };
    in_a_process_of_its_own(number, End::Stop)
}

/// Takes the ublk device away, if there is one, and what tells of it. Its engine is gone.
pub fn tear_down(run: &RunDirectory) -> Outcome<()> {
    if let Some(number) = find(run)? {
        in_a_process_of_its_own(number, End::Remove)?;
    }
    hide(run);
    Ok(())
}

/// How a ublk device is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum End {
    Stop,
    Remove,
}

impl End {
    fn doing(self, device: &Path) -> String {
        let doing = match self {
            End::Stop => "stopping",
            End::Remove => "removing",
        };
        format!("{doing} {}", device.display())
    }
}

/// The kernel holds whoever ends a device until the last request on it is answered, so that is done by a process
/// which can be left behind. It is killed then: what it had not begun it does not begin any more, and what it had
/// begun the kernel ends by itself.
fn in_a_process_of_its_own(number: u32, how: End) -> Outcome<()> {
    let word = how.to_possible_value().unwrap_or_default();
    let device = control::block_device(number);
    let doing = || how.doing(&device);
    let mut child = Command::new("/proc/self/exe")
        .args(["end-ublk", "--number", &number.to_string(), word.get_name()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context(doing)?;
    let limit = Instant::now() + END_TIME;
    let status = loop {
        match child.try_wait().context(doing)? {
            Some(status) => break status,
            None if Instant::now() < limit => std::thread::sleep(Duration::from_millis(5)),
            None => {
                let _ = child.kill();
                let why = format!(
                    "{}: requests on it have waited {} s for their answer; detach again once its engine answers, or with force",
                    doing(),
                    END_TIME.as_secs()
                );
                return Err(Failure::new(ErrorKind::Busy, why));
            }
        }
    };
    if status.success() {
        return Ok(());
    }
    let said = child.stdout.and_then(|s| io::read_to_string(s).ok());
    let silent = || Failure::new(ErrorKind::Internal, format!("{}: {status}", doing()));
    Err(said.and_then(|s| Failure::told(&s)).unwrap_or_else(silent))
}

/// The life of that process.
pub fn carry_out(number: u32, how: End) -> Outcome<()> {
    descriptors::keep_standard_only();
    let device = control::block_device(number);
    // To the very end: nobody is to mount a device that is about to go.
    let mut claimed = None;
    let ended = match how {
        End::Stop => {
            if device.exists() {
                let claim = claim_unused(&device)?;
                // A program that is killed is gone before what it wrote is on the device.
                let flushed = claim.sync_all();
                flushed.context(|| format!("writing {} back", device.display()))?;
                claimed = Some(claim);
            }
            control::stop(number, NO_LIMIT)
        }
        End::Remove => control::remove(number, NO_LIMIT),
    };
    drop(claimed);
    ended.context(|| how.doing(&device))
}

/// Stopping fails what was written to the device and is not on it yet, so nobody may have it open.
fn claim_unused(device: &Path) -> Outcome<File> {
    let shown = device.display();
    let busy = |why: &str| Err(Failure::new(ErrorKind::Busy, format!("{shown} is {why}")));
    let Some(claim) = loop_device::claim(device).context(|| format!("{shown}"))? else {
        return busy("mounted; unmount it first");
    };
    refuse_if_open(device)?;
    Ok(claim)
}

/// Busy if anything but this process has the block device open, also after a while.
pub fn refuse_if_open(device: &Path) -> Outcome<()> {
    let shown = device.display();
    let busy = |why: &str| Err(Failure::new(ErrorKind::Busy, format!("{shown} is {why}")));
    // The kernel holds it open for these, and no process has to.
    if let Some(above) = loop_device::over(device).context(|| "listing loop devices".into())? {
        return busy(&format!(
            "what {} is over; remove that first",
            above.display()
        ));
    }
    let mut looks = 0;
    while let Some(process) = opener(device).context(|| format!("{shown}"))? {
        looks += 1;
        if looks == LOOKS {
            return busy(&format!("still open in another program, {process}"));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// Another process that has it open; by its number too, as it may have another name in a container.
fn opener(device: &Path) -> io::Result<Option<String>> {
    let number = fs::metadata(device)?.rdev();
    let is_it = |descriptor: fs::DirEntry| {
        let descriptor = descriptor.path();
        fs::read_link(&descriptor).is_ok_and(|to| to.starts_with("/dev"))
            && fs::metadata(&descriptor)
                .is_ok_and(|m| m.rdev() == number && m.file_type().is_block_device())
    };
    for process in fs::read_dir("/proc")?.flatten() {
        // Not `self` either, which is this one.
        let pid = process.file_name().to_string_lossy().parse::<u32>();
        let Some(pid) = pid.ok().filter(|pid| *pid != std::process::id()) else {
            continue;
        };
        let Ok(descriptors) = fs::read_dir(process.path().join("fd")) else {
            continue;
        };
        if descriptors.flatten().any(is_it) {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Ok(Some(format!("{} ({pid})", name.trim())));
        }
    }
    Ok(None)
}
