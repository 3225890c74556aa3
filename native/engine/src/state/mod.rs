//! What outlives an engine: a memory file, held by the keeper, mapped by each engine in turn.
//!
//! ```text
//! 0        header      words: magic, geometry, start count, epoch, pass-through, shutdown
//! 4 KiB    counters    words: telemetry (`telemetry`)
//! 8 KiB    cells       configuration, cache files, snapshots: each two copies of 8 KiB (`cell`)
//! 1 MiB    bitmaps     the changed blocks of each interval, then the free blocks of each snapshot
//! then     indexes     16 bytes for each slot of each cache file (`cow::record`)
//! ```
//!
//! The file is sparse: only what was written takes memory. Nothing in it is a lock. Every change is
//! one word, or a cell, which is the old or the new one whatever instant the engine dies at.

pub mod cell;
pub mod mapping;

use crate::failure::{Context, Failure, Outcome};
use crate::protocol::ErrorKind;
use cell::Cell;
use cow::map::{MAX_POOLS, MAX_SLOTS};
use cow::record;
use cow::store::Words;
use mapping::{Mapping, Region};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Snapshots that a volume can have at once, prepared and lost ones included.
pub const MAX_SNAPSHOTS: usize = 32;
/// Intervals between snapshots whose changed blocks are kept (`cow::changes`).
pub const MAX_INTERVALS: usize = 8;

const PAGE: usize = 4096;
const MAGIC: u64 = u64::from_be_bytes(*b"stillfrm");
const VERSION: u64 = 2;
const COUNTERS_AT: usize = PAGE;
const CELLS_AT: usize = 2 * PAGE;
const BITMAPS_AT: usize = 1 << 20;
const CELLS: usize = 1 + MAX_POOLS + MAX_SNAPSHOTS + 1;
const BITMAPS: usize = MAX_INTERVALS + MAX_SNAPSHOTS;
/// In the header: how far the reader of each snapshot is, in blocks.
const PASSED_AT: usize = 64;
const INDEX_BYTES: usize = (MAX_SLOTS as usize + 1) * record::WORDS * 8;

/// Fixed at attach.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Configuration {
    pub id: String,
    pub backing: String,
    pub run_directory: String,
    pub size: u64,
    pub sector_size: u32,
    pub alignment: usize,
    pub threads: usize,
    /// Where knowledge lies that outlives the attachment; None: nowhere.
    #[serde(default)]
    pub state_directory: Option<String>,
    /// The ublk device that is the live one; None: a loop device over FUSE is.
    #[serde(default)]
    pub ublk: Option<u32>,
    /// Why it is not ublk, where that would have been chosen.
    #[serde(default)]
    pub not_ublk_because: Option<String>,
}

#[cfg(any(test, feature = "fuzzing"))]
impl Configuration {
    /// Of an image `volume` in the run directory, for what is tested without keeper and transport.
    pub fn specimen(run_directory: &std::path::Path, size: u64) -> Self {
        let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
        Configuration {
            id: "specimen".into(),
            backing: text(&run_directory.join("volume")),
            run_directory: text(run_directory),
            size,
            sector_size: 512,
            alignment: 512,
            threads: 1,
            state_directory: None,
            ublk: None,
            not_ublk_because: None,
        }
    }
}

/// Single words of the header.
#[derive(Debug, Clone, Copy)]
pub enum Word {
    Magic = 0,
    Version = 1,
    Blocks = 2,
    /// Engines started.
    StartCount = 3,
    /// The newest epoch.
    Epoch = 4,
    /// The number of the next frozen image.
    NextImage = 5,
    /// 1 once engines may look at nothing that belongs to a snapshot.
    PassThrough = 6,
    /// Why there is to be no further engine: 1 it was asked to end, 2 the file system was unmounted.
    Shutdown = 7,
    /// 1 once the changed blocks that the last attachment left were taken over, or given up.
    ChangesTaken = 8,
    /// Since when the longest waiting writer waits for room in a cache (`holds`); 0: none does.
    HeldSince = 9,
    /// 1 until the ublk device of a volume that has one was shown.
    ToShow = 10,
}

/// The memory file, mapped.
#[derive(Clone)]
pub struct State {
    mapping: Arc<Mapping>,
    bitmap_bytes: usize,
}

impl State {
    /// Makes the memory file; the result's descriptor is the caller's to hand on.
    pub fn create(configuration: &Configuration) -> Outcome<(File, State)> {
        // SAFETY: constant name; the descriptor is owned by the File made of it.
        let fd = unsafe { libc::memfd_create(c"stillframe-state".as_ptr(), libc::MFD_CLOEXEC) };
        if fd < 0 {
            return Err(std::io::Error::last_os_error()).context(|| "memory file".into());
        }
        // SAFETY: a fresh descriptor that nobody else owns.
        let file = unsafe { File::from_raw_fd(fd) };
        let blocks = configuration.size.div_ceil(cow::BLOCK as u64);
        let length = file_bytes(blocks);
        file.set_len(length as u64)
            .context(|| "sizing the memory file".into())?;
        let state = State::map(&file, blocks)?;
        state.set(Word::Version, VERSION);
        state.set(Word::Blocks, blocks);
        state.set(Word::ToShow, configuration.ublk.is_some().into());
        state.cell(0).store(configuration)?;
        state.set(Word::Magic, MAGIC);
        Ok((file, state))
    }

    /// Maps one that `create` made.
    pub fn open(file: &File) -> Outcome<State> {
        let mut head = [0u8; 24];
        std::os::unix::fs::FileExt::read_exact_at(file, &mut head, 0)
            .context(|| "reading the memory file".into())?;
        let word = |n: usize| u64::from_ne_bytes(head[n * 8..][..8].try_into().unwrap_or_default());
        if word(0) != MAGIC || word(1) != VERSION {
            return Err(Failure::new(
                ErrorKind::Protocol,
                "the state was left by another version of this program; detach and attach again",
            ));
        }
        let blocks = word(2);
        let length = file.metadata().context(|| "memory file".into())?.len();
        let damaged = || Failure::new(ErrorKind::Internal, "the state's header is damaged");
        // What is cut off kills the engine that looks at it, and the one that does without snapshots does not look.
        if blocks > record::MAX_BLOCKS || length > file_bytes(blocks) as u64 {
            return Err(damaged());
        }
        let state = State::map(file, blocks)?;
        match state.configuration()?.size.div_ceil(cow::BLOCK as u64) == blocks {
            true => Ok(state),
            false => Err(damaged()),
        }
    }

    fn map(file: &File, blocks: u64) -> Outcome<State> {
        let length = file_bytes(blocks);
        let mapping =
            Mapping::new(file.as_raw_fd(), length).context(|| "mapping the memory file".into())?;
        Ok(State {
            mapping: Arc::new(mapping),
            bitmap_bytes: bitmap_bytes(blocks),
        })
    }

    pub fn word(&self, word: Word) -> &AtomicU64 {
        &self.mapping.words()[word as usize]
    }

    pub fn get(&self, word: Word) -> u64 {
        self.word(word).load(Ordering::Acquire)
    }

    pub fn set(&self, word: Word, value: u64) {
        self.word(word).store(value, Ordering::Release);
    }

    pub fn counters(&self) -> Region {
        self.region(COUNTERS_AT, PAGE)
    }

    pub fn configuration(&self) -> Outcome<Configuration> {
        self.cell(0)
            .load()
            .ok_or_else(|| Failure::new(ErrorKind::Internal, "the state has no configuration"))
    }

    pub fn cache_cell(&self, pool: usize) -> Cell {
        self.cell(1 + pool)
    }

    pub fn snapshot_cell(&self, number: usize) -> Cell {
        self.cell(1 + MAX_POOLS + number)
    }

    pub fn intervals_cell(&self) -> Cell {
        self.cell(1 + MAX_POOLS + MAX_SNAPSHOTS)
    }

    /// How many blocks from the beginning the reader of a snapshot has passed.
    pub fn passed(&self, snapshot: usize) -> &AtomicU64 {
        &self.mapping.words()[PASSED_AT + snapshot]
    }

    fn cell(&self, number: usize) -> Cell {
        Cell::new(self.region(CELLS_AT + number * cell::BYTES, cell::BYTES))
    }

    pub fn changed_blocks(&self, interval: usize) -> Region {
        self.bitmap(interval)
    }

    pub fn free_blocks(&self, snapshot: usize) -> Region {
        self.bitmap(MAX_INTERVALS + snapshot)
    }

    fn bitmap(&self, number: usize) -> Region {
        let at = BITMAPS_AT + number * self.bitmap_bytes;
        self.region(at, self.bitmap_bytes)
    }

    pub fn index(&self, pool: usize) -> Arc<dyn Words> {
        Arc::new(self.region(self.index_at(pool), INDEX_BYTES))
    }

    fn index_at(&self, pool: usize) -> usize {
        BITMAPS_AT + BITMAPS * self.bitmap_bytes + pool * INDEX_BYTES
    }

    #[cfg(feature = "fuzzing")]
    pub(crate) fn raw_word(&self, number: usize) -> &AtomicU64 {
        &self.mapping.words()[number]
    }

    #[cfg(feature = "fuzzing")]
    pub(crate) fn bitmaps_at(&self) -> usize {
        BITMAPS_AT
    }

    /// The number of an index's first word, as [`State::raw_word`] counts.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn index_word(&self, pool: usize) -> usize {
        self.index_at(pool) / 8
    }

    #[cfg(feature = "fuzzing")]
    pub(crate) fn any_cell(&self, number: usize) -> Cell {
        self.cell(number % CELLS)
    }

    fn region(&self, at: usize, bytes: usize) -> Region {
        Region::new(self.mapping.clone(), at, bytes)
    }
}

fn bitmap_bytes(blocks: u64) -> usize {
    (blocks.div_ceil(8) as usize).next_multiple_of(PAGE)
}

fn indexes_at(blocks: u64) -> usize {
    BITMAPS_AT + BITMAPS * bitmap_bytes(blocks)
}

/// Length of the memory file.
fn file_bytes(blocks: u64) -> usize {
    indexes_at(blocks) + MAX_POOLS * INDEX_BYTES
}

const _: () = assert!(CELLS_AT + CELLS * cell::BYTES <= BITMAPS_AT);
const _: () = assert!((PASSED_AT + MAX_SNAPSHOTS) * 8 <= COUNTERS_AT);
