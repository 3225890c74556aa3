//! Pre-images that wait for the same disk are written together.
//!
//! Writers of a cache on a disk each append a block and wait for it. While one write is under way, those that come
//! meanwhile lay their blocks down side by side; the first of them then writes them all, mostly as one, as slots are
//! handed out in order. So the busier the disk, the fewer its requests, and whoever comes alone waits for nobody.

use crate::BLOCK;
use crate::store::SlotStore;
use crate::sync::{Arc, Condvar, Mutex, PoisonError, locked};
use std::io;

/// Blocks that are written together at the most.
const ROOM: usize = 64;

/// A cache file whose writes are gathered.
pub struct Gathering {
    store: Arc<dyn SlotStore>,
    stand: Mutex<Stand>,
}

struct Stand {
    /// Somebody writes, and will call whoever comes next.
    busy: bool,
    filling: Batch,
    spare: Option<Batch>,
}

/// Blocks side by side, in the order in which they came.
struct Batch {
    memory: Aligned,
    pieces: Vec<Piece>,
}

struct Piece {
    slot: u32,
    /// In the memory.
    end: usize,
    seat: Arc<Seat>,
}

/// Memory as direct I/O needs it.
struct Aligned {
    bytes: Vec<u8>,
    start: usize,
}

/// Where a writer waits for what becomes of its blocks.
#[derive(Default)]
struct Seat {
    word: Mutex<Option<Word>>,
    said: Condvar,
}

#[derive(Clone, Copy)]
enum Word {
    /// It is this one's turn to write all that have come.
    Lead,
    /// Written, or an errno.
    Done(Result<(), i32>),
}

impl Seat {
    fn say(&self, word: Word) {
        *locked(&self.word) = Some(word);
        self.said.notify_one();
    }

    fn hear(&self) -> Word {
        let mut word = locked(&self.word);
        loop {
            if let Some(word) = word.take() {
                return word;
            }
            word = self.said.wait(word).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Batch {
    fn new() -> Self {
        let bytes = vec![0; (ROOM + 1) * BLOCK];
        Batch {
            memory: Aligned {
                start: bytes.as_ptr().align_offset(BLOCK),
                bytes,
            },
            pieces: Vec::with_capacity(ROOM),
        }
    }

    fn end(&self) -> usize {
        self.pieces.last().map_or(0, |piece| piece.end)
    }

    /// None: there is no room for it.
    fn add(&mut self, slot: u32, data: &[u8]) -> Option<Arc<Seat>> {
        let (from, end) = (self.end(), self.end() + data.len());
        if end > ROOM * BLOCK {
            return None;
        }
        let start = self.memory.start;
        self.memory.bytes[start + from..start + end].copy_from_slice(data);
        let seat = Arc::new(Seat::default());
        self.pieces.push(Piece {
            slot,
            end,
            seat: seat.clone(),
        });
        Some(seat)
    }

    fn content(&self, from: usize, end: usize) -> &[u8] {
        &self.memory.bytes[self.memory.start..][from..end]
    }

    /// Writes neighbours as one, and tells each writer what came of it.
    fn write(&self, store: &dyn SlotStore) {
        let (mut first, mut from) = (0, 0);
        while let Some(piece) = self.pieces.get(first) {
            let mut last = first;
            while let Some(next) = self.pieces.get(last + 1) {
                let blocks = (self.pieces[last].end - from) / BLOCK;
                if u64::from(next.slot) != u64::from(piece.slot) + blocks as u64 {
                    break;
                }
                last += 1;
            }
            let end = self.pieces[last].end;
            let written = store.write(piece.slot, self.content(from, end));
            let written = written.map_err(|e| e.raw_os_error().unwrap_or(5));
            for piece in &self.pieces[first..=last] {
                piece.seat.say(Word::Done(written));
            }
            (first, from) = (last + 1, end);
        }
    }
}

impl Gathering {
    pub fn new(store: Arc<dyn SlotStore>) -> Self {
        Gathering {
            store,
            stand: Mutex::new(Stand {
                busy: false,
                filling: Batch::new(),
                spare: Some(Batch::new()),
            }),
        }
    }

    /// Writes all that have come; only one does so at a time.
    fn lead(&self) {
        let mut stand = locked(&self.stand);
        let empty = stand.spare.take().expect("one leads at a time");
        let mut batch = std::mem::replace(&mut stand.filling, empty);
        drop(stand);
        batch.write(&*self.store);
        batch.pieces.clear();
        locked(&self.stand).spare = Some(batch);
    }

    fn pass_on(&self) {
        let mut stand = locked(&self.stand);
        match stand.filling.pieces.first() {
            Some(next) => next.seat.say(Word::Lead),
            None => stand.busy = false,
        }
    }
}

impl SlotStore for Gathering {
    fn reserve(&self, slots: u64) -> io::Result<()> {
        self.store.reserve(slots)
    }

    fn read(&self, slot: u32, buf: &mut [u8]) -> io::Result<()> {
        self.store.read(slot, buf)
    }

    fn write(&self, slot: u32, data: &[u8]) -> io::Result<()> {
        let mut stand = locked(&self.stand);
        if !stand.busy {
            stand.busy = true;
            drop(stand);
            let written = self.store.write(slot, data);
            self.pass_on();
            return written;
        }
        let Some(seat) = stand.filling.add(slot, data) else {
            drop(stand);
            return self.store.write(slot, data);
        };
        drop(stand);
        let mut word = seat.hear();
        if matches!(word, Word::Lead) {
            self.lead();
            word = seat.hear();
            self.pass_on();
        }
        match word {
            Word::Done(written) => written.map_err(io::Error::from_raw_os_error),
            Word::Lead => unreachable!("it has led"),
        }
    }
}
