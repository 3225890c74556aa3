//! Where the ignored files of a file system lie now.
//!
//! A file counts if every name it has is ignored: one that is also linked from elsewhere is somebody else's too. Names are
//! walked anew for each map; the extents of a file that has not been touched since they were told are kept, which is
//! known by its times and sizes once they are older than the coarsest clock of a file system, and only if all of it had
//! its place: what is written back later is given one without a new time. So are a defragmented or deduplicated file and
//! what others then write to its old places, so nothing is kept for long.

use crate::extents::Extents;
use crate::ignored::Ignored;
use crate::own_structures::OwnStructures;
use crate::{mapping, sys};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::ops::Range;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Of files and directories.
pub const MOST_FILES: usize = 100_000;
pub const MOST_EXTENTS: usize = 500_000;
/// Two changes within this may leave the same times.
const CLOCK_STEP_SECONDS: i64 = 2;
/// So long a foreign change in a place that an ignored file has left may be taken for one of that file. Quiet windows last
/// longer as a rule; asking for all of the most files takes a processor a second.
const KEPT_FOR: Duration = Duration::from_secs(3);

#[derive(Default)]
pub struct FileMap {
    known: HashMap<u64, KnownFile>,
}

struct KnownFile {
    looked_at: Instant,
    touched: Touched,
    ranges: Vec<Range<u64>>,
    settled: bool,
}

/// What differs once a file was changed.
#[derive(PartialEq, Eq, Clone, Copy)]
struct Touched {
    size: i64,
    blocks: i64,
    modified: (i64, i64),
    changed: (i64, i64),
}

pub struct Places {
    pub extents: Extents,
    pub inodes: HashSet<u64>,
}

/// Names still to be seen of files that have several.
struct Walk<'a> {
    mount: &'a File,
    device: u64,
    own: &'a OwnStructures,
    found: HashMap<u64, KnownFile>,
    count: usize,
    extents: usize,
    /// Inode to its number of names, and of those that were met.
    links: HashMap<u64, (libc::nlink_t, libc::nlink_t)>,
    inodes: HashSet<u64>,
    records: Vec<Range<u64>>,
}

impl FileMap {
    /// Err: there are too many.
    pub fn renew(
        &mut self,
        mount: &File,
        ignored: &Ignored,
        own: &OwnStructures,
    ) -> Result<Places, String> {
        let device = sys::stat(mount)
            .map_err(|e| format!("it cannot be looked at: {e}"))?
            .st_dev;
        let mut walk = Walk {
            mount,
            device,
            own,
            found: HashMap::new(),
            count: 0,
            extents: 0,
            links: HashMap::new(),
            inodes: HashSet::new(),
            records: Vec::new(),
        };
        let roots = ignored.roots();
        for root in roots {
            let inside = roots
                .iter()
                .any(|other| other != root && crate::ignored::below(root, other).is_some());
            if !inside {
                walk.root(root, &mut self.known)?;
            }
        }
        let outside: Vec<u64> = walk
            .links
            .iter()
            .filter(|(_, (names, met))| met < names)
            .map(|(inode, _)| *inode)
            .collect();
        let mut ranges = walk.records;
        let mut inodes = walk.inodes;
        for inode in &outside {
            inodes.remove(inode);
        }
        for (inode, file) in &walk.found {
            if inodes.contains(inode) {
                ranges.extend(file.ranges.iter().cloned());
            }
        }
        self.known = walk.found;
        Ok(Places {
            extents: Extents::of(ranges),
            inodes,
        })
    }
}

impl Walk<'_> {
    fn root(&mut self, path: &[u8], known: &mut HashMap<u64, KnownFile>) -> Result<(), String> {
        // What is not there, or not reached without a link or another mount, has no place.
        let Ok(found) = sys::open_below(self.mount, path, libc::O_PATH) else {
            return Ok(());
        };
        let Ok(about) = sys::stat(&found) else {
            return Ok(());
        };
        let mut directories = Vec::new();
        self.entry(path, &about, known, &mut directories)?;
        while let Some(path) = directories.pop() {
            self.directory(&path, known, &mut directories)?;
        }
        Ok(())
    }

    fn directory(
        &mut self,
        path: &[u8],
        known: &mut HashMap<u64, KnownFile>,
        directories: &mut Vec<Vec<u8>>,
    ) -> Result<(), String> {
        let flags = libc::O_RDONLY | libc::O_DIRECTORY;
        let Ok(directory) = sys::open_below(self.mount, path, flags | libc::O_NOATIME)
            .or_else(|_| sys::open_below(self.mount, path, flags))
        else {
            return Ok(());
        };
        // ext4 tells where its directories lie; xfs does so by their owner.
        if let Ok(extents) = mapping::file_extents(&directory, MOST_EXTENTS) {
            self.records.extend(extents.ranges);
        }
        for name in sys::names_in(&directory).unwrap_or_default() {
            let Ok(about) = sys::stat_below(&directory, &name) else {
                continue;
            };
            let below = match path {
                b"" => name,
                _ => [path, &name].join(&b'/'),
            };
            self.entry(&below, &about, known, directories)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        path: &[u8],
        about: &libc::stat,
        known: &mut HashMap<u64, KnownFile>,
        directories: &mut Vec<Vec<u8>>,
    ) -> Result<(), String> {
        if about.st_dev != self.device {
            return Ok(());
        }
        let inode = about.st_ino;
        match about.st_mode & libc::S_IFMT {
            libc::S_IFDIR => {
                self.another()?;
                directories.push(path.to_vec());
            }
            libc::S_IFREG if about.st_nlink > 1 && self.links.contains_key(&inode) => {
                if let Some((_, met)) = self.links.get_mut(&inode) {
                    *met += 1;
                }
                return Ok(());
            }
            libc::S_IFREG => {
                self.another()?;
                if about.st_nlink > 1 {
                    self.links.insert(inode, (about.st_nlink, 1));
                }
                self.file(path, about, known)?;
            }
            _ => {}
        }
        self.inodes.insert(inode);
        self.records.extend(self.own.inode_record(inode));
        Ok(())
    }

    fn another(&mut self) -> Result<(), String> {
        self.count += 1;
        if self.count > MOST_FILES {
            return Err(format!(
                "there are more than {MOST_FILES} files in the ignored paths"
            ));
        }
        Ok(())
    }

    fn file(
        &mut self,
        path: &[u8],
        about: &libc::stat,
        known: &mut HashMap<u64, KnownFile>,
    ) -> Result<(), String> {
        let inode = about.st_ino;
        let kept = known.remove(&inode).filter(|file| {
            file.settled && file.touched == touched(about) && file.looked_at.elapsed() < KEPT_FOR
        });
        let file = match kept {
            Some(file) => file,
            None => match self.look_at(path, inode) {
                Some(file) => file,
                None => return Ok(()),
            },
        };
        self.extents += file.ranges.len();
        if self.extents > MOST_EXTENTS {
            return Err(format!(
                "the ignored files lie in more than {MOST_EXTENTS} pieces"
            ));
        }
        self.found.insert(inode, file);
        Ok(())
    }

    /// None: it is gone, or another by now.
    fn look_at(&self, path: &[u8], inode: u64) -> Option<KnownFile> {
        let file = sys::open_below(self.mount, path, libc::O_RDONLY).ok()?;
        // Before the extents: what changes after this is seen by the next look.
        let looked_at = Instant::now();
        let about = sys::stat(&file).ok()?;
        if about.st_ino != inode || about.st_mode & libc::S_IFMT != libc::S_IFREG {
            return None;
        }
        let looked = mapping::file_extents(&file, MOST_EXTENTS).ok()?;
        let touched = touched(&about);
        let settled = looked.settled && is_old(touched.changed.0) && is_old(touched.modified.0);
        Some(KnownFile {
            looked_at,
            touched,
            ranges: looked.ranges,
            settled,
        })
    }
}

fn touched(about: &libc::stat) -> Touched {
    Touched {
        size: about.st_size,
        blocks: about.st_blocks,
        modified: (about.st_mtime, about.st_mtime_nsec),
        changed: (about.st_ctime, about.st_ctime_nsec),
    }
}

fn is_old(seconds: i64) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |since| since.as_secs() as i64);
    seconds + CLOCK_STEP_SECONDS < now
}
