//! Where and how keeper and engine live: a control group of their own, memory that stays, last to
//! be killed. All of it is best effort; what is refused is written to the log once.
//!
//! Why: an engine in its writers' memory group waits, when that is full, for writeback that only it
//! can finish (measured: a deadlock in 3 of 3 trials).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// From linux/prctl.h, Linux 5.6.
const PR_SET_IO_FLUSHER: libc::c_int = 57;
/// cgroup v1 hierarchies that can stop or starve a process.
const V1_CONTROLLERS: [&str; 5] = ["memory", "blkio", "freezer", "pids", "name=systemd"];

/// With 10 ms between them.
const REMOVE_ATTEMPTS: usize = 100;

/// Moves this process into groups `stillframe/<name>`. Returns what could not be done.
pub fn enter_own_groups(name: &str) -> Vec<String> {
    let mut refused = Vec::new();
    for directory in group_directories(name) {
        let entered = fs::create_dir_all(&directory)
            .and_then(|()| fs::write(directory.join("cgroup.procs"), "0"));
        if let Err(e) = entered {
            refused.push(format!("control group {}: {e}", directory.display()));
        }
    }
    refused
}

/// Removes the groups of a volume; its last process may still be ending.
pub fn remove_groups(name: &str) {
    for directory in group_directories(name) {
        for _ in 0..REMOVE_ATTEMPTS {
            match fs::remove_dir(&directory) {
                Err(e) if e.raw_os_error() == Some(libc::EBUSY) => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                _ => break,
            }
        }
    }
}

fn group_directories(name: &str) -> Vec<PathBuf> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mut found = Vec::new();
    for line in table.lines() {
        let Some((mount, kind)) = line.split_once(" - ") else {
            continue;
        };
        let Some(point) = mount.split(' ').nth(4) else {
            continue;
        };
        let mut kind = kind.split(' ');
        let wanted = match kind.next() {
            Some("cgroup2") => true,
            Some("cgroup") => {
                let options = kind.nth(1).unwrap_or_default();
                options.split(',').any(|o| V1_CONTROLLERS.contains(&o))
            }
            _ => false,
        };
        if wanted {
            found.push(Path::new(point).join("stillframe").join(name));
        }
    }
    found
}

/// Last to be killed when memory runs out; inherited by children.
pub fn spare_from_oom_killer() -> io::Result<()> {
    fs::write("/proc/self/oom_score_adj", "-1000")
}

/// Mounts come and go here as they do in the namespace left behind, but this process is not the one that
/// takes that down if it ends last. Only where mounts are shared: else it would hold file systems
/// mounted that are unmounted there.
pub fn enter_own_mount_namespace() -> io::Result<()> {
    let table = fs::read_to_string("/proc/self/mountinfo")?;
    let root = table.lines().rfind(|l| l.split(' ').nth(4) == Some("/"));
    if !root.is_some_and(|line| line.contains(" shared:")) {
        return Err(io::Error::other("mounts are not shared here"));
    }
    // SAFETY: takes flags only; then constant strings, and only the propagation changes.
    let failed = unsafe {
        libc::unshare(libc::CLONE_NEWNS) != 0
            || libc::mount(
                std::ptr::null(),
                c"/".as_ptr(),
                std::ptr::null(),
                libc::MS_SLAVE | libc::MS_REC,
                std::ptr::null(),
            ) != 0
    };
    if failed {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Keeps all memory resident, what is mapped later too, as soon as it is touched.
pub fn lock_memory() -> io::Result<()> {
    let flags = libc::MCL_CURRENT | libc::MCL_FUTURE | libc::MCL_ONFAULT;
    // SAFETY: takes flags only.
    if unsafe { libc::mlockall(flags) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Tells the kernel that this process works for writeback; inherited by threads made later.
pub fn become_io_flusher() -> io::Result<()> {
    // SAFETY: takes numbers only.
    if unsafe { libc::prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
