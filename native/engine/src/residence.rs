//! Where and how keeper and engine live: a control group of their own, memory that stays, last to
//! be killed. All of it is best effort; what is refused is written to the log once.
//!
//! Why: an engine in its writers' memory group waits, when that is full, for writeback that only it
//! can finish (measured: a deadlock in 3 of 3 trials).

use std::ffi::CString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// From linux/prctl.h, Linux 5.6.
const PR_SET_IO_FLUSHER: libc::c_int = 57;
/// cgroup v1 hierarchies that can stop or starve a process.
const V1_CONTROLLERS: [&str; 5] = ["memory", "blkio", "freezer", "pids", "name=systemd"];

/// Version 1 writes the largest number of whole pages for "no limit".
const NO_V1_LIMIT: u64 = 1 << 62;

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
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let found = hierarchies(&mounts).filter(|one| match one.controllers {
        None => true,
        Some(names) => names.split(',').any(|name| V1_CONTROLLERS.contains(&name)),
    });
    found
        .map(|one| Path::new(one.point).join("stillframe").join(name))
        .collect()
}

/// A mounted tree of control groups.
struct Hierarchy<'a> {
    point: &'a str,
    /// Options of the mount, controllers among them; None: version 2.
    controllers: Option<&'a str>,
}

fn hierarchies(mounts: &str) -> impl Iterator<Item = Hierarchy<'_>> {
    mounts.lines().filter_map(|line| {
        let (mount, kind) = line.split_once(" - ")?;
        let point = mount.split(' ').nth(4)?;
        let mut kind = kind.split(' ');
        let controllers = match kind.next()? {
            "cgroup2" => None,
            "cgroup" => Some(kind.nth(1)?),
            _ => return None,
        };
        Some(Hierarchy { point, controllers })
    })
}

/// The tree in which an engine gets a memory group of its own.
#[derive(Debug, PartialEq, Eq)]
pub struct MemoryTree {
    pub root: PathBuf,
    pub version: u8,
}

impl MemoryTree {
    /// Version 1 where it has the memory controller: then the other has not.
    pub fn of(mounts: &str) -> Option<Self> {
        let has_memory = |names: &str| names.split(',').any(|name| name == "memory");
        let first = hierarchies(mounts).find(|one| one.controllers.is_some_and(has_memory));
        let found = first.or_else(|| hierarchies(mounts).find(|one| one.controllers.is_none()))?;
        Some(MemoryTree {
            root: found.point.into(),
            version: if found.controllers.is_some() { 1 } else { 2 },
        })
    }

    /// Bytes that all groups of the tree have together, engines and writers: there is one in a container. None: no limit.
    pub fn limit(&self) -> Option<u64> {
        let name = match self.version {
            1 => "memory.limit_in_bytes",
            _ => "memory.max",
        };
        let bytes: u64 = fs::read_to_string(self.root.join(name))
            .ok()?
            .trim()
            .parse()
            .ok()?;
        (bytes < NO_V1_LIMIT).then_some(bytes)
    }

    pub fn is_writable(&self) -> io::Result<()> {
        let path = CString::new(self.root.as_os_str().as_encoded_bytes())?;
        // SAFETY: reads a terminated string.
        if unsafe { libc::access(path.as_ptr(), libc::W_OK) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }
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

/// Has all threads allocate from one heap: what one gives back, as a table that has grown, another uses. With a heap for each the
/// map of a cache takes up to 2 bytes more for a block. Before there are threads.
pub fn share_heap() {
    // SAFETY: takes numbers only.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
}

/// Tells the kernel that this process works for writeback; inherited by threads made later.
pub fn become_io_flusher() -> io::Result<()> {
    // SAFETY: takes numbers only.
    if unsafe { libc::prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str =
        "30 23 0:26 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n";
    const V2: &str =
        "31 23 0:27 / /sys/fs/cgroup/unified rw shared:10 - cgroup2 cgroup2 rw,nsdelegate\n";
    const OTHER: &str = "29 23 0:25 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n";

    fn tree(root: &str, version: u8) -> Option<MemoryTree> {
        let root = root.into();
        Some(MemoryTree { root, version })
    }

    #[test]
    fn memory_is_limited_where_its_controller_is() {
        let mounts = [OTHER, V2, V1].concat();
        assert_eq!(MemoryTree::of(&mounts), tree("/sys/fs/cgroup/memory", 1));
        let mounts = [OTHER, V2].concat();
        assert_eq!(MemoryTree::of(&mounts), tree("/sys/fs/cgroup/unified", 2));
        assert_eq!(MemoryTree::of(OTHER), None);
    }

    #[test]
    fn a_limit_of_the_whole_tree_is_found() {
        let directory =
            std::env::temp_dir().join(format!("stillframe-tree-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let tree = |version| MemoryTree {
            root: directory.clone(),
            version,
        };
        assert_eq!(tree(2).limit(), None);
        fs::write(directory.join("memory.max"), "max\n").unwrap();
        assert_eq!(tree(2).limit(), None);
        fs::write(directory.join("memory.max"), "536870912\n").unwrap();
        assert_eq!(tree(2).limit(), Some(536_870_912));
        fs::write(
            directory.join("memory.limit_in_bytes"),
            "9223372036854771712\n",
        )
        .unwrap();
        assert_eq!(tree(1).limit(), None);
        fs::write(directory.join("memory.limit_in_bytes"), "536870912\n").unwrap();
        assert_eq!(tree(1).limit(), Some(536_870_912));
        fs::remove_dir_all(&directory).unwrap();
    }
}
