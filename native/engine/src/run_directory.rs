//! The directory that is private to one attached volume, and what lies in it.

use crate::failure::{Context, Failure, Outcome};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

#[derive(Debug, Clone)]
pub struct RunDirectory(PathBuf);

impl RunDirectory {
    /// The directory need not exist; its path is made absolute and free of links.
    pub fn new(path: &Path) -> Outcome<Self> {
        if let Ok(real) = fs::canonicalize(path) {
            return Ok(RunDirectory(real));
        }
        let absolute = std::path::absolute(path).context(|| format!("{}", path.display()))?;
        let (Some(parent), Some(name)) = (absolute.parent(), absolute.file_name()) else {
            return Err(Failure::invalid("the run directory has no name"));
        };
        let parent = fs::canonicalize(parent).unwrap_or_else(|_| parent.to_owned());
        Ok(RunDirectory(parent.join(name)))
    }

    /// Makes it, and what leads to it.
    pub fn create(&self) -> Outcome<()> {
        let shown = self.0.display();
        if let Some(parent) = self.0.parent() {
            fs::create_dir_all(parent).context(|| format!("making {}", parent.display()))?;
        }
        for directory in [self.0.clone(), self.fuse()] {
            let made = fs::DirBuilder::new().mode(0o700).create(&directory);
            if let Err(e) = made
                && e.kind() != std::io::ErrorKind::AlreadyExists
            {
                return Err(Failure::io(format!("making {}", directory.display()), e));
            }
        }
        // A path with links in its middle can be resolved only now.
        let real = fs::canonicalize(&self.0).context(|| format!("{shown}"))?;
        if real != self.0 {
            return Err(Failure::invalid(format!(
                "the run directory {shown} is reached through a link"
            )));
        }
        Ok(())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn fuse(&self) -> PathBuf {
        self.0.join("fuse")
    }

    pub fn live(&self) -> PathBuf {
        self.fuse().join("live")
    }

    pub fn frozen(&self, snapshot: &str) -> PathBuf {
        self.fuse().join(format!("snap-{snapshot}"))
    }

    pub fn socket(&self) -> PathBuf {
        self.0.join("engine.sock")
    }

    /// Where NBD is served, when it is.
    pub fn nbd(&self) -> PathBuf {
        self.0.join("nbd.sock")
    }

    pub fn log(&self) -> PathBuf {
        self.0.join("engine.log")
    }

    /// Why there is no engine, where the first one could not serve; the keeper writes it and ends.
    pub fn refusal(&self) -> PathBuf {
        self.0.join("refusal")
    }

    pub fn refused(&self) -> Option<String> {
        let why = fs::read_to_string(self.refusal()).ok()?;
        (!why.is_empty()).then_some(why)
    }

    /// Held by the keeper while it lives; holds its process id.
    pub fn keeper_lock(&self) -> PathBuf {
        self.0.join("keeper.pid")
    }

    /// Held by a program that attaches or detaches.
    pub fn change_lock(&self) -> PathBuf {
        let mut path = self.0.clone().into_os_string();
        path.push(".lock");
        path.into()
    }
}

/// Takes a lock file, waiting if `wait`; None if somebody else has it. The holder may remove the
/// file before it lets go: who waited for it then starts anew.
pub fn lock(path: &Path, wait: bool) -> Outcome<Option<File>> {
    loop {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .context(|| format!("opening {}", path.display()))?;
        let mode = if wait {
            libc::LOCK_EX
        } else {
            libc::LOCK_EX | libc::LOCK_NB
        };
        // SAFETY: only takes a lock.
        if unsafe { libc::flock(file.as_raw_fd(), mode) } != 0 {
            return Ok(None);
        }
        let mine = file.metadata().context(|| "lock".into())?.ino();
        if fs::metadata(path).is_ok_and(|there| there.ino() == mine) {
            return Ok(Some(file));
        }
    }
}

/// Takes the keeper's lock and writes the process id into it.
pub fn claim_keeper(run: &RunDirectory) -> Outcome<Option<File>> {
    let Some(mut file) = lock(&run.keeper_lock(), false)? else {
        return Ok(None);
    };
    file.set_len(0).context(|| "keeper lock".into())?;
    write!(file, "{}", std::process::id()).context(|| "keeper lock".into())?;
    Ok(Some(file))
}

/// The living keeper's process id.
pub fn keeper(run: &RunDirectory) -> Option<u32> {
    let mut file = File::open(run.keeper_lock()).ok()?;
    // SAFETY: only tries a lock.
    if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_SH | libc::LOCK_NB) } == 0 {
        return None;
    }
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
