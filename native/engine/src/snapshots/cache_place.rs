//! Whether a directory may hold a cache: never on a volume that an engine serves.
//!
//! A cache on the volume itself would make each pre-image cause the next. So the device beneath the
//! directory is followed down, through loop devices, device mapper and RAID, to the bottom.

use crate::failure::{Context, Failure, Outcome};
use crate::live;
use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Devices on devices that are followed.
const MAX_DEPTH: usize = 8;

/// Checks the directory, makes it if only its last part is missing, returns its real path.
pub fn admit(directory: &str) -> Outcome<PathBuf> {
    let path = Path::new(directory);
    if !path.is_absolute() {
        return Err(Failure::invalid(format!(
            "the cache directory {directory:?} must be an absolute path"
        )));
    }
    if !path.exists() {
        let parent = path.parent().filter(|p| p.is_dir()).ok_or_else(|| {
            Failure::invalid(format!("the cache directory {directory} does not exist"))
        })?;
        refuse_served(parent, directory)?;
        fs::DirBuilder::new()
            .mode(0o700)
            .create(path)
            .map_err(|e| refused(format!("making the cache directory {directory}"), e))?;
    }
    let real = fs::canonicalize(path)
        .map_err(|e| refused(format!("the cache directory {directory}"), e))?;
    if !real.is_dir() {
        return Err(Failure::invalid(format!("{directory} is not a directory")));
    }
    refuse_strangers([path, &real], directory)?;
    refuse_served(&real, directory)?;
    Ok(real)
}

/// Whoever can change the directory, or the link that leads to it, can take an open snapshot's cache away.
fn refuse_strangers(places: [&Path; 2], shown: &str) -> Outcome<()> {
    // SAFETY: asks a number.
    let own = unsafe { libc::geteuid() };
    for place in places {
        let about = fs::symlink_metadata(place).context(|| shown.to_owned())?;
        let why = match about.mode() {
            _ if about.uid() != own => "belongs to another user",
            mode if about.is_dir() && mode & 0o022 != 0 => "can be written to by others",
            _ => continue,
        };
        return Err(Failure::invalid(format!(
            "the cache directory {shown} {why}"
        )));
    }
    Ok(())
}

/// A directory that cannot be used is the caller's mistake, a full one is not.
pub fn refused(context: String, error: std::io::Error) -> Failure {
    let mut failure = Failure::io(context, error);
    if failure.kind != crate::protocol::ErrorKind::NoSpace {
        failure.kind = crate::protocol::ErrorKind::Invalid;
    }
    failure
}

fn refuse_served(path: &Path, shown: &str) -> Outcome<()> {
    let device = fs::metadata(path).context(|| shown.to_owned())?.dev();
    if let Some(live) = served_beneath(device, MAX_DEPTH) {
        return Err(Failure::invalid(format!(
            "the cache directory {shown} lies on a volume that an engine serves ({}); choose one on another disk",
            live.display()
        )));
    }
    Ok(())
}

/// The live file of an engine that the device rests on.
fn served_beneath(device: u64, depth: usize) -> Option<PathBuf> {
    if depth == 0 {
        return None;
    }
    let (major, minor) = (libc::major(device), libc::minor(device));
    if major == 0 {
        return served_beneath(source_of(major, minor)?, depth - 1);
    }
    let sys = PathBuf::from(format!("/sys/dev/block/{major}:{minor}"));
    if let Some(file) = backing_file_beneath(&sys) {
        if is_served(&file) {
            return Some(file);
        }
        return served_beneath(fs::metadata(&file).ok()?.dev(), depth - 1);
    }
    let below = fs::read_dir(sys.join("slaves")).ok()?.flatten();
    below
        .filter_map(|entry| fs::read_to_string(entry.path().join("dev")).ok())
        .filter_map(|text| parse_device(text.trim()))
        .find_map(|device| served_beneath(device, depth - 1))
}

/// The file of the device, or of the disk that it is a partition of.
fn backing_file_beneath(sys: &Path) -> Option<PathBuf> {
    if !sys.join("partition").exists() {
        return backing_file(sys);
    }
    // A partition's directory lies in its disk's, the real one: `sys` may be a link.
    backing_file(fs::canonicalize(sys).ok()?.parent()?)
}

fn backing_file(sys: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(sys.join("loop/backing_file"))
        .or_else(|_| fs::read_to_string(live::shown_file(&fs::canonicalize(sys)?)))
        .ok()?;
    Some(PathBuf::from(text.trim_end_matches('\n')))
}

fn is_served(file: &Path) -> bool {
    file.parent()
        .and_then(|directory| transport::fuse::connection::mounted(directory).ok())
        .flatten()
        .is_some()
}

fn parse_device(text: &str) -> Option<u64> {
    let (major, minor) = text.split_once(':')?;
    Some(libc::makedev(major.parse().ok()?, minor.parse().ok()?))
}

/// The device that a file system with a number of its own (btrfs, overlay's none) is mounted from.
fn source_of(major: u32, minor: u32) -> Option<u64> {
    let table = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let wanted = format!("{major}:{minor}");
    let line = table
        .lines()
        .find(|l| l.split(' ').nth(2) == Some(&wanted))?;
    let source = line.split_once(" - ")?.1.split(' ').nth(1)?;
    let metadata = fs::metadata(source).ok()?;
    (metadata.rdev() != 0).then_some(metadata.rdev())
}

/// Whether the descriptor lies on a file system whose blocks are exactly those of this live file's device: one on a
/// partition of it counts them from there.
pub fn rests_on(fd: &fs::File, live: &Path) -> bool {
    let Ok(metadata) = fd.metadata() else {
        return false;
    };
    let (major, minor) = (libc::major(metadata.dev()), libc::minor(metadata.dev()));
    backing_file(&PathBuf::from(format!("/sys/dev/block/{major}:{minor}"))).as_deref() == Some(live)
}
