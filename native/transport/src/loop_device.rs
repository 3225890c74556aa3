//! Loop devices over the files of a FUSE mount.
//!
//! Made and cleared by short-lived programs only: a server that holds its own file open can hang at
//! its death. Devices are recognised by the path of their backing file, which the kernel tells
//! without asking the file system.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const LOOP_CTL_GET_FREE: u64 = 0x4C82;
const LOOP_CONFIGURE: u64 = 0x4C0A;
const LOOP_CLR_FD: u64 = 0x4C01;
const LOOP_GET_STATUS64: u64 = 0x4C05;
const FLAG_READ_ONLY: u32 = 1;
const FLAG_DIRECT_IO: u32 = 16;
/// How often to try another device when one is taken between asking and configuring.
const ATTEMPTS: usize = 64;

#[repr(C)]
#[derive(Clone, Copy)]
struct LoopInfo64 {
    device: u64,
    inode: u64,
    rdevice: u64,
    offset: u64,
    sizelimit: u64,
    number: u32,
    encrypt_type: u32,
    encrypt_key_size: u32,
    flags: u32,
    file_name: [u8; 64],
    crypt_name: [u8; 64],
    encrypt_key: [u8; 32],
    init: [u64; 2],
}

#[repr(C)]
struct LoopConfig {
    fd: u32,
    block_size: u32,
    info: LoopInfo64,
    reserved: [u64; 8],
}

/// Whether a loop device goes past the page cache of its file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum DirectIo {
    Required,
    /// Where the kernel allows it for this file.
    Preferred,
}

/// What a loop device is to be.
pub struct Settings {
    pub read_only: bool,
    pub direct_io: DirectIo,
    pub sector_size: u32,
    /// Bytes that a request is at most handed on with; None: as the kernel likes.
    pub largest_request: Option<u32>,
    /// Bytes that are read ahead of who reads in order through the page cache; None: as the kernel likes.
    pub read_ahead: Option<u32>,
}

/// Makes a loop device over `file` and returns its path.
pub fn attach(file: &Path, settings: &Settings) -> io::Result<PathBuf> {
    let backing = OpenOptions::new()
        .read(true)
        .write(!settings.read_only)
        .open(file)?;
    let control = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/loop-control")?;
    let mut flags = FLAG_DIRECT_IO;
    if settings.read_only {
        flags |= FLAG_READ_ONLY;
    }
    for _ in 0..ATTEMPTS {
        // SAFETY: takes no argument.
        let number = unsafe { libc::ioctl(control.as_raw_fd(), LOOP_CTL_GET_FREE) };
        if number < 0 {
            return Err(io::Error::last_os_error());
        }
        let path = PathBuf::from(format!("/dev/loop{number}"));
        make_node(&path, libc::S_IFBLK | 0o660, 7, number as u32)?;
        let device = open_device(&path, !settings.read_only)?;
        // SAFETY: all-zero is a value of both structures.
        let mut config: LoopConfig = unsafe { std::mem::zeroed() };
        config.fd = backing.as_raw_fd() as u32;
        config.block_size = settings.sector_size;
        config.info.flags = flags;
        let name = file.as_os_str().as_bytes();
        let kept = name.len().min(63);
        config.info.file_name[..kept].copy_from_slice(&name[..kept]);
        // SAFETY: `config` has the kernel's layout and lives through the call.
        if unsafe { libc::ioctl(device.as_raw_fd(), LOOP_CONFIGURE, &config) } == 0 {
            // The kernel tells only by this flag that it refused.
            let required = settings.direct_io == DirectIo::Required;
            if required && status(&device)?.flags & FLAG_DIRECT_IO == 0 {
                clear(&path)?;
                return Err(io::Error::other("the loop driver refused direct I/O"));
            }
            tune(&path, settings);
            return Ok(path);
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::EBUSY) {
            return Err(error);
        }
    }
    Err(io::Error::from_raw_os_error(libc::EBUSY))
}

/// The kernel's own choice of the largest request. Some kernels choose anew then how much is read ahead.
const ANY_LENGTH: u32 = 0;
/// What kernels read ahead that do not choose, in bytes.
const READ_AHEAD: u32 = 128 << 10;

fn tune(device: &Path, settings: &Settings) {
    let largest = settings.largest_request.unwrap_or(ANY_LENGTH);
    set(device, "max_sectors_kb", largest);
    if let Some(bytes) = settings.read_ahead {
        set(device, "read_ahead_kb", bytes);
    }
}

/// Settings outlive what a device is used for.
fn untune(device: &Path) {
    set(device, "read_ahead_kb", READ_AHEAD);
    set(device, "max_sectors_kb", ANY_LENGTH);
}

/// Only speed depends on it, so a refusal (read-only /sys, an old kernel) is no error.
fn set(device: &Path, setting: &str, bytes: u32) {
    let name = device.file_name().unwrap_or_default().to_string_lossy();
    let path = format!("/sys/block/{name}/queue/{setting}");
    let _ = fs::write(path, (bytes / 1024).to_string());
}

/// Without udev or devtmpfs nobody makes the node of a device that is new.
pub fn make_node(path: &Path, kind: libc::mode_t, major: u32, minor: u32) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let node = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: NUL-terminated path; creates a node only.
    if unsafe { libc::mknod(node.as_ptr(), kind, libc::makedev(major, minor)) } == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    // Somebody else may have been quicker.
    if path.exists() { Ok(()) } else { Err(error) }
}

fn open_device(path: &Path, write: bool) -> io::Result<File> {
    OpenOptions::new().read(true).write(write).open(path)
}

fn status(device: &File) -> io::Result<LoopInfo64> {
    // SAFETY: all-zero is a value.
    let mut info: LoopInfo64 = unsafe { std::mem::zeroed() };
    // SAFETY: `info` has the kernel's layout and is written for the call's time only.
    if unsafe { libc::ioctl(device.as_raw_fd(), LOOP_GET_STATUS64, &mut info) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(info)
}

/// Every loop device whose backing file lies in `directory`, with that file's name.
pub fn over_files_in(directory: &Path) -> io::Result<Vec<(PathBuf, String)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/sys/block")? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with("loop") {
            continue;
        }
        let Ok(text) = fs::read(format!("/sys/block/{name}/loop/backing_file")) else {
            continue;
        };
        let text = text.strip_suffix(b"\n").unwrap_or(&text);
        let text = text.strip_suffix(b" (deleted)").unwrap_or(text);
        let backing = Path::new(std::ffi::OsStr::from_bytes(text));
        if backing.parent() == Some(directory)
            && let Some(file) = backing.file_name()
        {
            found.push((
                PathBuf::from(format!("/dev/{name}")),
                file.to_string_lossy().into_owned(),
            ));
        }
    }
    Ok(found)
}

/// The loop device over exactly this file.
pub fn over(file: &Path) -> io::Result<Option<PathBuf>> {
    let (Some(directory), Some(name)) = (file.parent(), file.file_name()) else {
        return Ok(None);
    };
    let all = over_files_in(directory)?;
    Ok(all
        .into_iter()
        .find(|(_, n)| name.to_str() == Some(n))
        .map(|(device, _)| device))
}

/// Whether someone has claimed the device: a mount in any namespace, a RAID, swap.
pub fn claimed(device: &Path) -> io::Result<bool> {
    Ok(claim(device)?.is_none())
}

/// While the file is open, nobody can claim the device; None: somebody has.
pub fn claim(device: &Path) -> io::Result<Option<File>> {
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_EXCL)
        .open(device);
    match opened {
        Ok(file) => Ok(Some(file)),
        Err(e) if e.raw_os_error() == Some(libc::EBUSY) => Ok(None),
        Err(e) => Err(e),
    }
}

/// Takes the device from its file. While others have it open the kernel does so at the last close;
/// `false` then.
pub fn clear(device: &Path) -> io::Result<bool> {
    let opened = open_device(device, false)?;
    // SAFETY: takes no argument.
    if unsafe { libc::ioctl(opened.as_raw_fd(), LOOP_CLR_FD, 0) } != 0 {
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::ENXIO) {
            return Err(error);
        }
    }
    drop(opened);
    let name = device.file_name().unwrap_or_default().to_string_lossy();
    let bound = format!("/sys/block/{name}/loop/backing_file");
    // The kernel finishes at our close; programs such as blkid may look at the device for a moment.
    for _ in 0..100 {
        if !Path::new(&bound).exists() {
            untune(device);
            return Ok(true);
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    Ok(false)
}
