//! Whether a backing store was written to while no engine served it.
//!
//! Nothing of ours is on it, and it may be mounted directly between two attachments. So what is known of
//! its changes counts only if it still bears the mark that it had at the end:
//!
//! - an image file: its inode, size, and times of modification and of change to the nanosecond. The
//!   second cannot be set by a program;
//! - a block device: the sectors written and discarded since boot, as the kernel counts them, and which
//!   boot that is. After a reboot nobody can tell, and the mark does not match. Nor is there one where the
//!   kernel does not count (`iostats` of its queue). A partition may be written to through its disk as well:
//!   what the disk counts beyond its partitions belongs to the mark.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// Fields of `/sys/dev/block/*/stat`.
const WRITTEN_SECTORS: usize = 6;
const DISCARDED_SECTORS: usize = 13;

/// How often a disk is looked at whose partitions are being written to, until nothing is counted in between.
const LOOKS: u32 = 1000;

/// Two equal marks: not written to in between.
pub fn mark(backing: &File) -> io::Result<String> {
    // What is still to be written counts as written.
    backing.sync_all()?;
    let m = backing.metadata()?;
    if !m.file_type().is_block_device() {
        return Ok(format!(
            "file inode={} size={} modified={}.{:09} changed={}.{:09}",
            m.ino(),
            m.size(),
            m.mtime(),
            m.mtime_nsec(),
            m.ctime(),
            m.ctime_nsec()
        ));
    }
    let number = format!("{}:{}", libc::major(m.rdev()), libc::minor(m.rdev()));
    let device = Path::new("/sys/dev/block").join(&number).canonicalize()?;
    let disk = match device.join("partition").exists() {
        true => device.parent().map(Path::to_owned),
        false => None,
    };
    let counts = disk.as_deref().unwrap_or(&device).join("queue/iostats");
    if fs::read_to_string(&counts)?.trim() != "1" {
        return Err(io::Error::other(format!(
            "the kernel does not count what is written to it ({} is 0)",
            counts.display()
        )));
    }
    let beside = disk.map(|disk| beside_partitions(&disk)).transpose()?;
    let beside = beside.map_or(String::new(), |c| format!(" disk {c}"));
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let own = Counts::of(&device)?;
    Ok(format!(
        "device {number} boot={} {own}{beside}",
        boot.trim()
    ))
}

/// Sectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counts {
    written: u64,
    discarded: u64,
}

impl Counts {
    fn of(device: &Path) -> io::Result<Self> {
        let stat = fs::read_to_string(device.join("stat"))?;
        let fields: Vec<&str> = stat.split_whitespace().collect();
        let field = |n: usize| fields.get(n).and_then(|f| f.parse().ok()).unwrap_or(0);
        Ok(Counts {
            written: field(WRITTEN_SECTORS),
            discarded: field(DISCARDED_SECTORS),
        })
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "written={} discarded={}", self.written, self.discarded)
    }
}

/// What a disk counts that none of its partitions does. Each counts what goes to it, and its disk counts it too.
fn beside_partitions(disk: &Path) -> io::Result<Counts> {
    for _ in 0..LOOKS {
        let all = Counts::of(disk)?;
        let mut beside = all;
        for entry in fs::read_dir(disk)? {
            let part = entry?.path();
            if part.join("partition").exists() {
                let counts = Counts::of(&part)?;
                beside.written = beside.written.wrapping_sub(counts.written);
                beside.discarded = beside.discarded.wrapping_sub(counts.discarded);
            }
        }
        if Counts::of(disk)? == all {
            return Ok(beside);
        }
    }
    Err(io::Error::other("its disk is written to all the time"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::FileExt;

    #[test]
    fn a_file_that_was_written_to_bears_another_mark() {
        let path = std::env::temp_dir().join(format!("stillframe-mark-{}", std::process::id()));
        let file = File::create(&path).expect("made");
        file.write_all_at(b"one", 0).expect("written");
        let before = mark(&file).expect("a mark");
        assert_eq!(mark(&file).expect("a mark"), before);
        // The clock that stamps files may tick only every 10 ms.
        std::thread::sleep(std::time::Duration::from_millis(25));
        file.write_all_at(b"two", 0).expect("written");
        assert_ne!(mark(&file).expect("a mark"), before);
        std::fs::remove_file(&path).expect("removed");
    }
}
