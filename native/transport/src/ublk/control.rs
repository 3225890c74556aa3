//! Making, finding, showing, stopping and removing devices.

use super::abi::{self, ControlCommand, DeviceInfo, Parameters};
use super::ring::{control, exchange, make_node};
use super::{DEPTH, MAX_QUEUES, MAX_REQUEST_BYTES};
use crate::fuse::abi::Plain;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What devices are made through.
pub const PATH: &str = "/dev/ublk-control";
/// For commands that the driver answers at once.
const SOON: Duration = Duration::from_secs(10);
const NEEDED: u64 = abi::FEATURE_USER_RECOVERY
    | abi::FEATURE_USER_RECOVERY_REISSUE
    | abi::FEATURE_IOCTL_ENCODING
    | abi::FEATURE_USER_COPY;

/// Also for workers, which are not the threads that fetch.
const ZERO_COPY: u64 = abi::FEATURE_ZERO_COPY | abi::FEATURE_BUFFERS_OFF_DAEMON;

/// What a device is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    pub size: u64,
    /// 512 or 4096.
    pub sector_size: u32,
}

/// How a device stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// There is no block device: it was never shown, or was stopped.
    Hidden,
    Shown,
    /// Shown, and its server is gone: requests wait for the next one.
    Waiting,
}

/// Whether devices can be made here, and survive their engine; the error says why not.
pub fn available() -> io::Result<()> {
    if offered()? & NEEDED != NEEDED {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "this kernel's ublk is too old (Linux 6.5 is needed)",
        ));
    }
    Ok(())
}

/// Whether the driver offers that data goes without a copy.
pub fn offers_zero_copy() -> bool {
    offered().is_ok_and(|offered| offered & ZERO_COPY == ZERO_COPY)
}

fn offered() -> io::Result<u64> {
    let ask = anything(u32::MAX);
    let told = exchange(&open()?, abi::GET_FEATURES, &ask, vec![0; 8], SOON)?;
    Ok(u64::from_ne_bytes(told.try_into().unwrap_or_default()))
}

/// Makes a device that waits for its server. `owner` is found again by [`find`]. `zero_copy`: where the driver offers
/// it, servers may move data without copying it.
pub fn add(owner: u64, geometry: &Geometry, zero_copy: bool) -> io::Result<u32> {
    add_as(u32::MAX, owner, geometry, zero_copy)
}

/// Makes a device that was never shown once more, under its number: the driver does not let a second server fetch
/// from it.
pub fn remake(number: u32, owner: u64, geometry: &Geometry) -> io::Result<()> {
    let zero_copy = information(number).is_ok_and(|device| has_zero_copy(&device));
    unless_gone(control(&open()?, abi::DEL_DEV, &anything(number), SOON))?;
    add_as(number, owner, geometry, zero_copy).map(drop)
}

/// `number`: u32::MAX for any.
fn add_as(number: u32, owner: u64, geometry: &Geometry, zero_copy: bool) -> io::Result<u32> {
    let device = open()?;
    let zero_copy = zero_copy && offers_zero_copy();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let info = DeviceInfo {
        queues: processors.min(MAX_QUEUES) as u16,
        depth: DEPTH,
        max_request_bytes: MAX_REQUEST_BYTES as u32,
        number,
        features: match zero_copy {
            true => NEEDED | abi::FEATURE_ZERO_COPY,
            false => NEEDED,
        },
        owner,
        ..Default::default()
    };
    let any = anything(number);
    let made = exchange(&device, abi::ADD_DEV, &any, info.bytes().to_vec(), SOON)?;
    let number = DeviceInfo::parse(&made)
        .ok_or(io::ErrorKind::InvalidData)?
        .number;
    let parameters = parameters(geometry).bytes().to_vec();
    let this = anything(number);
    if let Err(e) = exchange(&device, abi::SET_PARAMS, &this, parameters, SOON) {
        let _ = control(&device, abi::DEL_DEV, &anything(number), SOON);
        return Err(e);
    }
    Ok(number)
}

fn parameters(geometry: &Geometry) -> Parameters {
    let most = u32::MAX >> 9;
    let block = 12;
    Parameters {
        length: size_of::<Parameters>() as u32,
        types: abi::PARAMETERS_BASIC | abi::PARAMETERS_DISCARD,
        attributes: abi::ATTRIBUTE_VOLATILE_CACHE | abi::ATTRIBUTE_FUA,
        logical_shift: geometry.sector_size.trailing_zeros() as u8,
        physical_shift: block,
        optimal_shift: block,
        minimum_shift: block,
        max_sectors: (MAX_REQUEST_BYTES >> 9) as u32,
        sectors: geometry.size >> 9,
        discard_granularity: 1 << block,
        max_discard_sectors: most,
        max_zeroes_sectors: most,
        max_discard_segments: 1,
        ..Default::default()
    }
}

/// Shows the block device. For its server, once its threads fetch.
pub fn start(number: u32, limit: Duration) -> io::Result<()> {
    give(abi::START_DEV, number, limit)
}

/// Gives a device that is shown what it has to have before anybody uses it. Not for its server: it waits for requests
/// under way.
pub fn settle(number: u32) -> io::Result<PathBuf> {
    // One tag of each queue is never used: see the essay in the parent module.
    let requests = format!("/sys/block/ublkb{number}/queue/nr_requests");
    let wanted = (DEPTH - 1).to_string();
    if fs::read_to_string(&requests)?.trim() != wanted {
        fs::write(requests, wanted)?;
    }
    let path = block_device(number);
    let numbers = PathBuf::from(format!("/sys/block/ublkb{number}/dev"));
    make_node(&path, libc::S_IFBLK | 0o660, &numbers)?;
    Ok(path)
}

/// Of a device that is shown.
pub fn geometry(number: u32) -> io::Result<Geometry> {
    let told = |name: &str| -> io::Result<u64> {
        let text = fs::read_to_string(format!("/sys/block/ublkb{number}/{name}"))?;
        let value = text.trim().parse();
        value.map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
    };
    Ok(Geometry {
        size: told("size")? << 9,
        sector_size: told("queue/logical_block_size")? as u32,
    })
}

pub fn block_device(number: u32) -> PathBuf {
    PathBuf::from(format!("/dev/ublkb{number}"))
}

/// The device that was made with this `owner`.
pub fn find(owner: u64) -> io::Result<Option<u32>> {
    let entries = match fs::read_dir("/sys/class/ublk-char") {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let Some(Ok(number)) = name.strip_prefix("ublkc").map(str::parse) else {
            continue;
        };
        match information(number) {
            Ok(found) if found.owner == owner => return Ok(Some(number)),
            // Gone meanwhile, or somebody else's.
            _ => continue,
        }
    }
    Ok(None)
}

pub fn stand(number: u32) -> io::Result<Stand> {
    Ok(match information(number)?.state {
        abi::STATE_DEAD => Stand::Hidden,
        abi::STATE_LIVE => Stand::Shown,
        _ => Stand::Waiting,
    })
}

pub(super) fn has_zero_copy(device: &DeviceInfo) -> bool {
    device.features & abi::FEATURE_ZERO_COPY != 0
}

pub(super) fn information(number: u32) -> io::Result<DeviceInfo> {
    let room = vec![0; size_of::<DeviceInfo>()];
    let told = exchange(&open()?, abi::GET_DEV_INFO, &anything(number), room, SOON)?;
    DeviceInfo::parse(&told).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Ends the block device, once a living server has answered what is under way; or the kernel has ended what it does for
/// a dead one with a request's pages. Whoever has it open gets
/// errors from then on. The kernel holds the process until then, whatever the limit, also where it is killed.
pub fn stop(number: u32, limit: Duration) -> io::Result<()> {
    unless_gone(control(&open()?, abi::STOP_DEV, &anything(number), limit))
}

/// Takes the device away; its server has closed it. Where a file system is still mounted on it, only the
/// rest of it stays, until the unmount.
pub fn remove(number: u32, limit: Duration) -> io::Result<()> {
    stop(number, limit)?;
    let device = open()?;
    match control(&device, abi::DEL_DEV_ASYNC, &anything(number), limit) {
        Err(e) if e.raw_os_error() == Some(libc::EOPNOTSUPP) => {
            unless_gone(control(&device, abi::DEL_DEV, &anything(number), limit))?;
        }
        result => unless_gone(result)?,
    }
    for path in [block_device(number), character_device(number)] {
        // Made by us where nobody else does.
        let _ = fs::remove_file(path);
    }
    Ok(())
}

fn unless_gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(e) if e.raw_os_error() == Some(libc::ENODEV) => Ok(()),
        other => other,
    }
}

/// The server's side of the device; only one process can have it open.
pub(super) fn open_character_device(number: u32) -> io::Result<File> {
    let path = character_device(number);
    let numbers = PathBuf::from(format!("/sys/class/ublk-char/ublkc{number}/dev"));
    make_node(&path, libc::S_IFCHR | 0o600, &numbers)?;
    OpenOptions::new().read(true).write(true).open(path)
}

fn character_device(number: u32) -> PathBuf {
    PathBuf::from(format!("/dev/ublkc{number}"))
}

/// A command that tells this process as the server.
pub(super) fn give(operation: u32, number: u32, limit: Duration) -> io::Result<()> {
    let command = ControlCommand {
        data: std::process::id().into(),
        ..anything(number)
    };
    control(&open()?, operation, &command, limit)
}

fn open() -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(Path::new(PATH))
}

/// A command to the whole device.
fn anything(number: u32) -> ControlCommand {
    ControlCommand {
        device: number,
        queue: u16::MAX,
        ..Default::default()
    }
}
