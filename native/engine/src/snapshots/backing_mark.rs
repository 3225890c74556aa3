//! Whether a backing store was written to while no engine served it.
//!
//! Nothing of ours is on it, and it may be mounted directly between two attachments. So what is known of
//! its changes counts only if it still bears the mark that it had at the end:
//!
//! - an image file: its inode, size, and times of modification and of change to the nanosecond. The
//!   second cannot be set by a program;
//! - a block device: the sectors written and discarded since boot, as the kernel counts them, and which
//!   boot that is. After a reboot nobody can tell, and the mark does not match.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

/// Fields of `/sys/dev/block/*/stat`.
const WRITTEN_SECTORS: usize = 6;
const DISCARDED_SECTORS: usize = 13;

/// Two equal marks: not written to in between. Everything written must be flushed before.
pub fn mark(backing: &File) -> io::Result<String> {
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
    let (major, minor) = (libc::major(m.rdev()), libc::minor(m.rdev()));
    let stat = std::fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/stat"))?;
    let fields: Vec<&str> = stat.split_whitespace().collect();
    let field = |n: usize| fields.get(n).copied().unwrap_or("0");
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    Ok(format!(
        "device {major}:{minor} boot={} written={} discarded={}",
        boot.trim(),
        field(WRITTEN_SECTORS),
        field(DISCARDED_SECTORS)
    ))
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
