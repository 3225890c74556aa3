//! `export` and `unexport`: a frozen image as a read-only block device.

use crate::failure::{Context, Failure, Outcome};
use crate::names;
use crate::protocol::ErrorKind;
use crate::protocol::programs::ExportResult;
use crate::run_directory::{self, RunDirectory};
use std::path::Path;
use transport::loop_device::{self, DirectIo, Settings};

/// Whoever reads an image in order asks for much at a time; in parts, several threads answer at once, each from
/// memory that its processor still has at hand. Bytes.
const LARGEST_READ: u32 = 256 << 10;
/// A backup reads in order, and through the page cache where it reads files. Bytes.
const READ_AHEAD: u32 = 1 << 20;

pub fn export(run_directory: &Path, snapshot: &str) -> Outcome<ExportResult> {
    names::check("snapshot id", snapshot)?;
    let run = RunDirectory::new(run_directory)?;
    let _changing = run_directory::lock(&run.change_lock(), true)?;
    let file = run.frozen(snapshot);
    let existing = loop_device::over(&file).context(|| "listing loop devices".into())?;
    let device = match existing {
        Some(device) => device,
        None => {
            let settings = Settings {
                read_only: true,
                // Whoever reads the device has a page cache for it already.
                direct_io: DirectIo::Preferred,
                sector_size: 512,
                largest_request: Some(LARGEST_READ),
                read_ahead: Some(READ_AHEAD),
            };
            loop_device::attach(&file, &settings).map_err(|e| match e.raw_os_error() {
                Some(libc::ENOENT) => Failure::new(
                    ErrorKind::NotFound,
                    format!("there is no snapshot {snapshot} that can be read"),
                ),
                _ => Failure::io("making the loop device", e),
            })?
        }
    };
    Ok(ExportResult {
        device: device.to_string_lossy().into_owned(),
    })
}

/// Afterwards it is not exported, whether it was or not.
pub fn unexport(run_directory: &Path, snapshot: &str) -> Outcome<()> {
    names::check("snapshot id", snapshot)?;
    let run = RunDirectory::new(run_directory)?;
    if !run.path().exists() {
        return Ok(());
    }
    let _changing = run_directory::lock(&run.change_lock(), true)?;
    let existing =
        loop_device::over(&run.frozen(snapshot)).context(|| "listing loop devices".into())?;
    let Some(device) = existing else {
        return Ok(());
    };
    let shown = device.display();
    let busy = || {
        Failure::new(
            ErrorKind::Busy,
            format!("{shown} is mounted or open; unmount it first"),
        )
    };
    if loop_device::claimed(&device).context(|| format!("{shown}"))? {
        return Err(busy());
    }
    if !loop_device::clear(&device).context(|| format!("clearing {shown}"))? {
        return Err(busy());
    }
    Ok(())
}
