//! Changed blocks over a clean detach: one small file in the volume's state directory.
//!
//! It is either *closed*: it says what changed up to the last instant of an attachment, with the mark
//! that the backing store bore then; or *open*: an attachment goes on, or ended without a word. It is
//! closed by `end_cleanly`, when no write can come any more, and opened before the first engine of an
//! attachment serves its first request. Whoever finds it open, or whose backing store bears another
//! mark (`backing_mark`), knows nothing, and says so.
//!
//! ```text
//! magic "SFCHANGE", length of the header (u64), header (JSON)
//! for each interval   (number u64, 4096 bytes) for each page of its bitmap with a bit set; then u64::MAX
//! CRC-32C of all that (u32)
//! ```
//!
//! All numbers little-endian. Nothing is believed before the checksum of the whole was.

use super::backing_mark;
use super::registry::Registry;
use super::tracking::{IntervalRecord, Intervals, Tracking};
use crate::log;
use crate::state::{Configuration, MAX_INTERVALS, State, Word};
use cow::bitmap::Bitmap;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

const MAGIC: [u8; 8] = *b"SFCHANGE";
const PAGE_WORDS: usize = 512;
const END: u64 = u64::MAX;
const MAX_HEADER: u64 = 64 << 10;

#[derive(Serialize, Deserialize)]
struct Header {
    closed: bool,
    /// What the backing store bore at the end.
    mark: String,
    blocks: u64,
    intervals: Vec<IntervalRecord>,
}

fn path(configuration: &Configuration) -> Option<PathBuf> {
    let directory = Path::new(configuration.state_directory.as_ref()?);
    Some(directory.join(format!("{}.changes", configuration.id)))
}

/// At every start of an engine, before it serves: the first of an attachment takes over what the last
/// attachment knew; each makes sure that the file says that an attachment goes on.
pub fn take_over(
    state: &State,
    configuration: &Configuration,
    tracking: &Tracking,
    backing: &File,
) {
    let Some(path) = path(configuration) else {
        return;
    };
    if state.get(Word::ChangesTaken) == 0 {
        let blocks = state.get(Word::Blocks);
        let taken = backing_mark::mark(backing)
            .map_err(|e| format!("the backing store cannot be looked at: {e}"))
            .and_then(|mark| read(&path, blocks, &mark, tracking));
        let intervals = match taken {
            Ok(list) => Intervals {
                list,
                void_because: None,
            },
            Err(because) => {
                log::line(format!("changed blocks: {because}"));
                Intervals {
                    list: Vec::new(),
                    void_because: Some(because),
                }
            }
        };
        if let Err(e) = tracking.store(intervals) {
            log::line(format!("changed blocks: {e}"));
        }
        tracking.clear_unused();
        state.set(Word::ChangesTaken, 1);
    }
    if !is_open(&path)
        && let Err(e) = write(&path, &open_header(), &[])
    {
        // The mark will tell all the same that the volume was written to.
        log::line(format!("changed blocks: marking {}: {e}", path.display()));
    }
}

fn open_header() -> Header {
    Header {
        closed: false,
        mark: String::new(),
        blocks: 0,
        intervals: Vec::new(),
    }
}

impl Registry {
    /// The volume's last instant: no change is applied any more, and what changed is kept for the next
    /// attachment. The process must end now.
    pub fn end_cleanly(&self) {
        let Ok(configuration) = self.state.configuration() else {
            return;
        };
        let Some(path) = path(&configuration) else {
            return;
        };
        self.volume.seal();
        let records = self.tracking.records();
        let bitmaps: Vec<Bitmap> = records
            .iter()
            .map(|r| self.tracking.bitmap(r.place))
            .collect();
        let kept = backing_mark::mark(&self.backing).and_then(|mark| {
            let header = Header {
                closed: true,
                mark,
                blocks: self.state.get(Word::Blocks),
                intervals: records,
            };
            write(&path, &header, &bitmaps)
        });
        if let Err(e) = kept {
            log::line(format!(
                "changed blocks are not kept for the next attachment: {}: {e}",
                path.display()
            ));
        }
    }
}

/// Passes everything on, and keeps its checksum.
struct Summed<T> {
    inner: T,
    sum: u32,
}

impl<T: Write> Summed<T> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sum = cow::record::checksum_on(self.sum, bytes);
        self.inner.write_all(bytes)
    }
}

impl<T: Read> Summed<T> {
    fn get(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.inner.read_exact(bytes)?;
        self.sum = cow::record::checksum_on(self.sum, bytes);
        Ok(())
    }

    fn number(&mut self) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.get(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }
}

/// Replaces the file as a whole; on stable storage when this returns.
fn write(path: &Path, header: &Header, bitmaps: &[Bitmap]) -> io::Result<()> {
    let temporary = path.with_extension("changes.new");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(&temporary)?;
    let mut out = Summed {
        inner: BufWriter::new(file),
        sum: 0,
    };
    let text = serde_json::to_vec(header)?;
    out.put(&MAGIC)?;
    out.put(&(text.len() as u64).to_le_bytes())?;
    out.put(&text)?;
    for bitmap in bitmaps {
        write_bitmap(&mut out, bitmap)?;
    }
    let sum = out.sum.to_le_bytes();
    out.inner.write_all(&sum)?;
    let file = out
        .inner
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    let directory = path.parent().unwrap_or(Path::new("/"));
    File::open(directory)?.sync_all()
}

fn write_bitmap(out: &mut Summed<impl Write>, bitmap: &Bitmap) -> io::Result<()> {
    let mut from = 0;
    while let Some(range) = bitmap.words().occupied(from) {
        from = range.end.next_multiple_of(PAGE_WORDS);
        for page in range.start / PAGE_WORDS..from / PAGE_WORDS {
            let words = page * PAGE_WORDS..(page + 1) * PAGE_WORDS;
            let bytes: Vec<u8> = words.flat_map(|n| bitmap.word(n).to_le_bytes()).collect();
            if bytes.iter().any(|b| *b != 0) {
                out.put(&(page as u64).to_le_bytes())?;
                out.put(&bytes)?;
            }
        }
    }
    out.put(&END.to_le_bytes())
}

/// Whether the file is there, whole, and says that an attachment goes on.
fn is_open(path: &Path) -> bool {
    let header = File::open(path).and_then(|file| {
        read_header(&mut Summed {
            inner: BufReader::new(file),
            sum: 0,
        })
    });
    header.is_ok_and(|h| !h.closed)
}

fn read_header(from: &mut Summed<impl Read>) -> io::Result<Header> {
    let mut magic = [0; 8];
    from.get(&mut magic)?;
    let length = from.number()?;
    if magic != MAGIC || length > MAX_HEADER {
        return Err(io::Error::other("it is not what it should be"));
    }
    let mut text = vec![0; length as usize];
    from.get(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

/// Takes over what a closed file says; the bitmaps go to the places that their records name. Err: why
/// nothing is known; the bitmaps may then hold anything.
fn read(
    path: &Path,
    blocks: u64,
    mark: &str,
    tracking: &Tracking,
) -> Result<Vec<IntervalRecord>, String> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(format!("{} cannot be read: {e}", path.display())),
    };
    let mut from = Summed {
        inner: BufReader::new(file),
        sum: 0,
    };
    let damaged = |e: io::Error| format!("{} is damaged: {e}", path.display());
    let header = read_header(&mut from).map_err(damaged)?;
    if !header.closed {
        return Err("the volume's last attachment did not end cleanly".into());
    }
    if header.mark != mark || header.blocks != blocks {
        return Err("the volume was written to, or replaced, while it was not attached".into());
    }
    let mut places: Vec<usize> = header.intervals.iter().map(|r| r.place).collect();
    places.sort_unstable();
    places.dedup();
    let ascending = header.intervals.windows(2).all(|w| w[0].key < w[1].key);
    if !ascending
        || places.len() != header.intervals.len()
        || places.last().is_some_and(|last| *last >= MAX_INTERVALS)
    {
        return Err(damaged(io::Error::other(
            "its intervals do not fit together",
        )));
    }
    for record in &header.intervals {
        read_bitmap(&mut from, &tracking.bitmap(record.place)).map_err(damaged)?;
    }
    let sum = from.sum;
    let mut kept = [0; 4];
    from.get(&mut kept).map_err(damaged)?;
    if u32::from_le_bytes(kept) != sum {
        return Err(damaged(io::Error::other("its checksum does not match")));
    }
    Ok(header.intervals)
}

fn read_bitmap(from: &mut Summed<impl Read>, bitmap: &Bitmap) -> io::Result<()> {
    let words = bitmap.words().words();
    loop {
        let page = from.number()?;
        if page == END {
            return Ok(());
        }
        let first = usize::try_from(page)
            .ok()
            .and_then(|p| p.checked_mul(PAGE_WORDS));
        let place = first.and_then(|first| words.get(first..first.checked_add(PAGE_WORDS)?));
        let place = place.ok_or_else(|| io::Error::other("a page lies beyond the volume's end"))?;
        let mut bytes = [0; PAGE_WORDS * 8];
        from.get(&mut bytes)?;
        for (word, bytes) in place.iter().zip(bytes.chunks_exact(8)) {
            let value = u64::from_le_bytes(bytes.try_into().unwrap_or_default());
            word.store(value, Ordering::Release);
        }
    }
}
