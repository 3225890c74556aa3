//! One file system that is watched: who changes what on it, and which changes of its device are of ignored files.
//!
//! A change of the device is of ignored files if, *after* it was made, all of its place belongs to them, to the file
//! system's own structures, or to nobody. Whoever had the place before has given it up since, so what was written there is
//! not in a snapshot that is taken now. A map from before the change would not do: a place may have gone from an ignored
//! file to another one meanwhile.
//!
//! Beside that, whatever fanotify tells of other paths counts at its time, long before it is written back. It does not
//! tell what is written through a mapping or by asynchronous I/O, nor is that needed: the device sees it.

use crate::events::{self, Event, MODIFIED, NAMES, Told};
use crate::extents::Extents;
use crate::file_map::FileMap;
use crate::ignored::{self, Ignored};
use crate::own_structures::OwnStructures;
use crate::sys;
use crate::tally::{ProcessTold, Tally};
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Instant;

/// Places whose owner is asked for at once; the rest counts as somebody else's.
const MOST_ASKED: usize = 256;
const MOST_KEPT_PATHS: usize = 4096;

pub struct Volume {
    pub name: String,
    mount: File,
    /// As this process sees it, without the slash in front.
    root: Vec<u8>,
    pub group: File,
    ignored: Ignored,
    own: Result<OwnStructures, String>,
    files: FileMap,
    writers: Tally,
    spared: HashMap<Vec<u8>, Tally>,
    last_foreign: Option<Instant>,
    /// Paths of directories by handle, while no directory is moved.
    directories: HashMap<Vec<u8>, Option<Vec<u8>>>,
    room: Vec<u8>,
}

/// When, where, how long: bytes of the device, and the caller's own clock.
pub type Change = (f64, u64, u64);

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// How many of the changes count.
    pub foreign: usize,
    /// The last of these, by the caller's clock.
    pub foreign_at: Option<f64>,
    /// Since the last change of another path that fanotify told.
    pub told_ago_ms: Option<u64>,
    /// Why every change counts.
    pub refused: Option<String>,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Spared {
    pub path: String,
    pub by: Vec<ProcessTold>,
}

impl Volume {
    /// Err: it cannot be watched at all.
    pub fn watch(
        name: String,
        mount: &str,
        device: &str,
        paths: &[String],
    ) -> Result<Self, String> {
        let at = |what: &str, e: io::Error| format!("{what} {mount}: {e}");
        let mounted = File::open(mount).map_err(|e| at("opening", e))?;
        let group = sys::fanotify()
            .map_err(|e| format!("fanotify with names of directories (kernel 5.9): {e}"))?;
        sys::fanotify_mark(&group, MODIFIED | NAMES, &mounted).map_err(|e| at("watching", e))?;
        let real = sys::path_of(&mounted).map_err(|e| at("finding", e))?;
        let ignored = Ignored::on(&[mount.as_bytes(), &real], paths);
        let own = if ignored.roots().is_empty() {
            Err("nothing on it is ignored".into())
        } else {
            learn(&mounted, Path::new(device))
        };
        Ok(Volume {
            name,
            mount: mounted,
            root: real.strip_prefix(b"/").unwrap_or_default().to_vec(),
            group,
            ignored,
            own,
            files: FileMap::default(),
            writers: Tally::default(),
            spared: HashMap::new(),
            last_foreign: None,
            directories: HashMap::new(),
            room: vec![0; 256 << 10],
        })
    }

    pub fn refused(&self) -> Option<&str> {
        self.own.as_ref().err().map(String::as_str)
    }

    /// Takes what the kernel has told.
    pub fn listen(&mut self) -> io::Result<()> {
        loop {
            let mut room = std::mem::take(&mut self.room);
            let read = self.group.read(&mut room);
            match read {
                Ok(filled) => {
                    for told in events::parse(&room[..filled]) {
                        self.take(&told);
                    }
                    self.room = room;
                    if filled == 0 {
                        return Ok(());
                    }
                }
                Err(e) => {
                    self.room = room;
                    return match e.kind() {
                        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(()),
                        _ => Err(e),
                    };
                }
            }
        }
    }

    fn take(&mut self, told: &Told<'_>) {
        let Told::Event(event) = told else {
            self.directories.clear();
            self.last_foreign = Some(Instant::now());
            return;
        };
        let moved = libc::FAN_MOVED_FROM | libc::FAN_MOVED_TO | libc::FAN_DELETE;
        if event.mask & libc::FAN_ONDIR != 0 && event.mask & moved != 0 {
            self.directories.clear();
        }
        // The number of a file's names changed, which its directory has told too.
        if event.place.is_none() && event.mask & !libc::FAN_ONDIR == libc::FAN_ATTRIB {
            return;
        }
        let path = self.path_of(event);
        let holder = path.as_deref().filter(|_| self.own.is_ok());
        let holder = holder.and_then(|path| self.ignored.holder(path));
        if let Some(holder) = holder.map(<[u8]>::to_vec) {
            let tally = self.spared.entry(holder).or_default();
            tally.count(event.pid, b"");
            return;
        }
        self.last_foreign = Some(Instant::now());
        let shown = path.map_or_else(|| b"(deleted)".to_vec(), |path| self.shown(&path));
        self.writers.count(event.pid, &shown);
    }

    /// Below the mount point; None: it has none there.
    fn path_of(&mut self, event: &Event<'_>) -> Option<Vec<u8>> {
        let place = event.place.as_ref()?;
        if self.directories.len() >= MOST_KEPT_PATHS {
            self.directories.clear();
        }
        if !self.directories.contains_key(place.directory) {
            let found = self.directory(place.directory);
            self.directories.insert(place.directory.to_vec(), found);
        }
        let directory = self.directories.get(place.directory)?.as_ref()?;
        Some(match (&directory[..], place.name) {
            (_, b".") => directory.clone(),
            (b"", name) => name.to_vec(),
            (_, name) => [directory, name].join(&b'/'),
        })
    }

    fn directory(&self, handle: &[u8]) -> Option<Vec<u8>> {
        let opened = sys::open_handle(&self.mount, handle).ok()?;
        let path = sys::path_of(&opened).ok()?;
        let path = path.strip_prefix(b"/")?;
        // A directory that is gone has a path that says so.
        if path.ends_with(b" (deleted)") && std::fs::metadata(format_path(path)).is_err() {
            return None;
        }
        ignored::below(path, &self.root)
    }

    fn shown(&self, path: &[u8]) -> Vec<u8> {
        let mut shown = Vec::with_capacity(self.root.len() + path.len() + 2);
        for part in [&self.root[..], path]
            .into_iter()
            .filter(|part| !part.is_empty())
        {
            shown.push(b'/');
            shown.extend(part);
        }
        shown
    }

    /// Of changes that were made before this is called.
    pub fn judge(&mut self, changes: &[Change]) -> io::Result<Judgement> {
        self.listen()?;
        let foreign = match self.foreign(changes) {
            Ok(foreign) => foreign,
            Err(reason) => {
                self.own = Err(reason);
                changes.to_vec()
            }
        };
        let newest = foreign.iter().map(|(at, ..)| *at);
        Ok(Judgement {
            foreign: foreign.len(),
            foreign_at: newest.reduce(f64::max),
            told_ago_ms: self.last_foreign.map(|at| at.elapsed().as_millis() as u64),
            refused: self.refused().map(str::to_owned),
        })
    }

    fn foreign(&mut self, changes: &[Change]) -> Result<Vec<Change>, String> {
        let own = match &self.own {
            Ok(own) => own,
            Err(reason) => return Err(reason.clone()),
        };
        let mut left = outside(own.fixed(), changes);
        if left.is_empty() {
            return Ok(vec![]);
        }
        let places = self.files.renew(&self.mount, &self.ignored, own)?;
        left.retain_mut(|(_, ranges)| {
            *ranges = ranges
                .iter()
                .flat_map(|range| places.extents.outside(range.clone()))
                .collect();
            !ranges.is_empty()
        });
        // The newest first: what is not asked for counts.
        left.sort_by(|a, b| b.0.0.total_cmp(&a.0.0));
        let mut asked = 0;
        left.retain(|(_, ranges)| {
            let mut all = true;
            for range in ranges {
                asked += 1;
                all =
                    all && asked <= MOST_ASKED && is_known(own, &self.mount, range, &places.inodes);
            }
            !all
        });
        Ok(left.into_iter().map(|(change, _)| change).collect())
    }

    pub fn writers(&self) -> Vec<ProcessTold> {
        self.writers.tell()
    }

    /// Nothing where every change counts.
    pub fn spared(&self) -> Vec<Spared> {
        if self.own.is_err() {
            return vec![];
        }
        let mut told: Vec<_> = self
            .spared
            .iter()
            .map(|(path, tally)| Spared {
                path: String::from_utf8_lossy(&self.shown(path)).into_owned(),
                by: tally.tell(),
            })
            .collect();
        told.sort_by(|a, b| a.path.cmp(&b.path));
        told
    }
}

/// Whether all of the range belongs to the file system itself or to one of these inodes.
fn is_known(own: &OwnStructures, mount: &File, range: &Range<u64>, inodes: &HashSet<u64>) -> bool {
    let known = Extents::of(own.known_in(mount, range, inodes));
    known.outside(range.clone()).is_empty()
}

fn outside(known: &Extents, changes: &[Change]) -> Vec<(Change, Vec<Range<u64>>)> {
    let parts = changes.iter().map(|change| {
        let (_, offset, length) = *change;
        (
            *change,
            known.outside(offset..offset.saturating_add(length)),
        )
    });
    parts.filter(|(_, ranges)| !ranges.is_empty()).collect()
}

fn learn(mount: &File, device: &Path) -> Result<OwnStructures, String> {
    let unknown = |e: io::Error| format!("its device {} cannot be read: {e}", device.display());
    let opened = File::open(device).map_err(unknown)?;
    let about = sys::stat(mount).map_err(unknown)?;
    if opened.metadata().map_err(unknown)?.rdev() != about.st_dev {
        return Err("its file system does not lie on its device itself".into());
    }
    let kind = sys::kind_of(mount).map_err(unknown)?;
    let name = std::fs::canonicalize(device).map_err(unknown)?;
    let name = name
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let options =
        std::fs::read_to_string(format!("/proc/fs/ext4/{name}/options")).unwrap_or_default();
    OwnStructures::learn(mount, &opened, kind, &options)
}

fn format_path(path: &[u8]) -> std::ffi::OsString {
    use std::os::unix::ffi::OsStringExt;
    std::ffi::OsString::from_vec([b"/", path].concat())
}
