//! Mounting, aborting and naming a FUSE connection. Used by the short-lived programs and the keeper,
//! never by the thread that serves.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Opens /dev/fuse and mounts a file system at `directory` that this descriptor serves.
///
/// The descriptor is not close-on-exec: the keeper's children inherit it.
pub fn mount(directory: &Path) -> io::Result<OwnedFd> {
    let device = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/fuse")?;
    let fd = device.as_raw_fd();
    let options = CString::new(format!("fd={fd},rootmode=40000,user_id=0,group_id=0"))?;
    let target = CString::new(directory.as_os_str().as_bytes())?;
    // SAFETY: all strings are NUL-terminated and live through the call.
    let result = unsafe {
        libc::mount(
            c"stillframe".as_ptr(),
            target.as_ptr(),
            c"fuse.stillframe".as_ptr(),
            libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC | libc::MS_NOATIME,
            options.as_ptr().cast(),
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    // Propagated copies of this mount would keep the connection alive after detach.
    // SAFETY: as above; only the propagation type changes.
    unsafe {
        libc::mount(
            std::ptr::null(),
            target.as_ptr(),
            std::ptr::null(),
            libc::MS_PRIVATE,
            std::ptr::null(),
        )
    };
    Ok(device.into())
}

/// Unmounts; with `lazily` also while something is open in it.
pub fn unmount(directory: &Path, lazily: bool) -> io::Result<()> {
    let target = CString::new(directory.as_os_str().as_bytes())?;
    let flags = if lazily { libc::MNT_DETACH } else { 0 };
    // SAFETY: NUL-terminated path.
    if unsafe { libc::umount2(target.as_ptr(), flags) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Device number (`major:minor`) of the stillframe file system mounted at `directory`, without
/// asking that file system: it may have no engine.
pub fn mounted(directory: &Path) -> io::Result<Option<(u32, u32)>> {
    let wanted = directory.as_os_str().as_bytes();
    let table = fs::read("/proc/self/mountinfo")?;
    let mut found = None;
    for line in table.split(|b| *b == b'\n') {
        let mut fields = line.split(|b| *b == b' ');
        let device = fields.nth(2);
        let point = fields.nth(1);
        let (Some(device), Some(point)) = (device, point) else {
            continue;
        };
        if unescape(point) != wanted || !line.windows(15).any(|w| w == b"fuse.stillframe") {
            continue;
        }
        let device = String::from_utf8_lossy(device);
        if let Some((major, minor)) = device.split_once(':') {
            found = Some((major.parse().unwrap_or(0), minor.parse().unwrap_or(0)));
        }
    }
    Ok(found)
}

/// Mount points in mountinfo write space, tab, newline and backslash as octal.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (
                b'\\',
                [
                    a @ b'0'..=b'3',
                    b @ b'0'..=b'7',
                    c @ b'0'..=b'7',
                    after @ ..,
                ],
            ) => {
                out.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                rest = after;
            }
            _ => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

/// Ends every request of the connection with an error: the emergency exit from a hang. `minor` is
/// the one of [`mounted`]. Mounts fusectl for the purpose if it is not mounted.
pub fn abort(minor: u32) -> io::Result<()> {
    let control = Path::new("/sys/fs/fuse/connections");
    let file = control.join(minor.to_string()).join("abort");
    if !file.exists() {
        // SAFETY: constant NUL-terminated strings.
        unsafe {
            libc::mount(
                c"none".as_ptr(),
                c"/sys/fs/fuse/connections".as_ptr(),
                c"fusectl".as_ptr(),
                0,
                std::ptr::null(),
            )
        };
    }
    let mut opened = File::options().write(true).open(file)?;
    io::Write::write_all(&mut opened, b"1")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_mount_point_with_a_space_is_read_back_as_it_was() {
        assert_eq!(super::unescape(b"/a\\040b\\134c"), b"/a b\\c");
    }
}
