//! System calls that the standard library does not have, one safe function each.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

fn check(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// A group that tells events with the directory's handle and the name (kernel 5.9).
pub fn fanotify() -> io::Result<File> {
    let flags =
        libc::FAN_CLASS_NOTIF | libc::FAN_CLOEXEC | libc::FAN_NONBLOCK | libc::FAN_REPORT_DFID_NAME;
    // SAFETY: plain numbers; the new descriptor belongs to nobody else.
    unsafe {
        let group = check(libc::fanotify_init(flags, 0).into())?;
        Ok(File::from_raw_fd(group as libc::c_int))
    }
}

/// Events of the whole file system that `of` is on.
pub fn fanotify_mark(group: &File, mask: u64, of: &File) -> io::Result<()> {
    let how = libc::FAN_MARK_ADD | libc::FAN_MARK_FILESYSTEM;
    let (group, of) = (group.as_raw_fd(), of.as_raw_fd());
    // SAFETY: both descriptors are open while borrowed; no path: the mark is on what `of` is.
    check(unsafe { libc::fanotify_mark(group, how, mask, of, std::ptr::null()) }.into()).map(drop)
}

/// The inode of a handle, as it stands in an event: length, kind, bytes. Nothing can be read from it.
pub fn open_handle(mount: &File, handle: &[u8]) -> io::Result<OwnedFd> {
    let mut aligned = vec![0_u32; handle.len().div_ceil(4)];
    // SAFETY: the bytes fit into the words, which are aligned as `file_handle` must be; its length was checked by the
    // caller against the bytes that there are.
    unsafe {
        std::ptr::copy_nonoverlapping(
            handle.as_ptr(),
            aligned.as_mut_ptr().cast::<u8>(),
            handle.len(),
        );
        let opened = libc::open_by_handle_at(
            mount.as_raw_fd(),
            aligned.as_mut_ptr().cast(),
            libc::O_PATH | libc::O_CLOEXEC,
        );
        Ok(OwnedFd::from_raw_fd(check(opened.into())? as libc::c_int))
    }
}

/// What lies below `directory` at that path, on the same mount, no symbolic link followed on the way.
pub fn open_below(directory: impl AsFd, path: &[u8], flags: libc::c_int) -> io::Result<File> {
    let path = CString::new(if path.is_empty() { b"." } else { path })?;
    // SAFETY: all-zero is a value of this structure.
    let mut how: libc::open_how = unsafe { std::mem::zeroed() };
    how.flags = (flags | libc::O_CLOEXEC | libc::O_NOFOLLOW | libc::O_NONBLOCK) as u64;
    if flags & libc::O_PATH != 0 {
        how.flags = (flags | libc::O_CLOEXEC | libc::O_NOFOLLOW) as u64;
    }
    how.resolve = libc::RESOLVE_NO_XDEV | libc::RESOLVE_NO_SYMLINKS | libc::RESOLVE_NO_MAGICLINKS;
    // SAFETY: path and structure live through the call; the new descriptor belongs to nobody else.
    unsafe {
        let opened = libc::syscall(
            libc::SYS_openat2,
            directory.as_fd().as_raw_fd(),
            path.as_ptr(),
            &raw mut how,
            size_of::<libc::open_how>(),
        );
        Ok(File::from_raw_fd(check(opened)? as libc::c_int))
    }
}

/// What is known of an entry without opening it; a symbolic link is not followed.
pub fn stat_below(directory: &File, name: &[u8]) -> io::Result<libc::stat> {
    let name = CString::new(name)?;
    // SAFETY: all-zero is a valid `stat`, which is plain numbers; name and structure live through the call.
    unsafe {
        let mut about: libc::stat = std::mem::zeroed();
        let flags = libc::AT_SYMLINK_NOFOLLOW;
        check(libc::fstatat(directory.as_raw_fd(), name.as_ptr(), &mut about, flags).into())?;
        Ok(about)
    }
}

pub fn stat(file: &File) -> io::Result<libc::stat> {
    // SAFETY: all-zero is a valid `stat`, which is plain numbers and lives through the call.
    unsafe {
        let mut about: libc::stat = std::mem::zeroed();
        check(libc::fstat(file.as_raw_fd(), &mut about).into())?;
        Ok(about)
    }
}

/// The names in a directory. Reading it leaves its time of access alone where that is allowed.
pub fn names_in(directory: &File) -> io::Result<Vec<Vec<u8>>> {
    const FIXED: usize = 19;
    let mut names = Vec::new();
    let mut room = vec![0_u8; 64 << 10];
    loop {
        // SAFETY: the kernel writes at most `room.len()` bytes to `room`.
        let filled = unsafe {
            libc::syscall(
                libc::SYS_getdents64,
                directory.as_raw_fd(),
                room.as_mut_ptr(),
                room.len(),
            )
        };
        let filled = check(filled)? as usize;
        if filled == 0 {
            return Ok(names);
        }
        let mut at = 0;
        while at + FIXED <= filled {
            let length = usize::from(u16::from_ne_bytes([room[at + 16], room[at + 17]]));
            let Some(text) = room.get(at + FIXED..at + length) else {
                break;
            };
            let name = text.split(|byte| *byte == 0).next().unwrap_or_default();
            if name != b"." && name != b".." {
                names.push(name.to_vec());
            }
            at += length.max(1);
        }
    }
}

/// The kernel's number of the file system's kind, `f_type`.
pub fn kind_of(file: &File) -> io::Result<u64> {
    // SAFETY: all-zero is a valid `statfs`, which is plain numbers and lives through the call.
    unsafe {
        let mut about: libc::statfs = std::mem::zeroed();
        check(libc::fstatfs(file.as_raw_fd(), &mut about).into())?;
        Ok(about.f_type as u64)
    }
}

/// One `ioctl` that reads and writes `structure`.
///
/// # Safety
/// `structure` must be what the request expects, with all the room that it says it has.
pub unsafe fn ioctl<T: ?Sized>(file: &File, request: u32, structure: *mut T) -> io::Result<()> {
    // SAFETY: the caller's word for the structure; the descriptor is open while borrowed.
    check(
        unsafe {
            libc::ioctl(
                file.as_raw_fd(),
                request as libc::Ioctl,
                structure.cast::<libc::c_void>(),
            )
        }
        .into(),
    )
    .map(drop)
}

/// Waits until one of them is readable or at its end, at most so long.
pub fn poll(files: &[&File], timeout_ms: libc::c_int) -> io::Result<Vec<bool>> {
    let mut entries: Vec<libc::pollfd> = files
        .iter()
        .map(|file| libc::pollfd {
            fd: file.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        })
        .collect();
    // SAFETY: the entries live through the call.
    let ready = unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as _, timeout_ms) };
    match check(ready.into()) {
        Err(e) if e.kind() != io::ErrorKind::Interrupted => Err(e),
        _ => Ok(entries.iter().map(|entry| entry.revents != 0).collect()),
    }
}

/// Where an open file lies, as this process sees it.
pub fn path_of(file: impl AsFd) -> io::Result<Vec<u8>> {
    let link = format!("/proc/self/fd/{}", file.as_fd().as_raw_fd());
    Ok(std::fs::read_link(Path::new(&link))?
        .as_os_str()
        .as_bytes()
        .to_vec())
}

/// Up to the first zero byte.
pub fn text_until_zero(bytes: &[u8]) -> Option<&[u8]> {
    CStr::from_bytes_until_nul(bytes).ok().map(CStr::to_bytes)
}
