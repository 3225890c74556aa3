//! An engine without keeper and transport, for the fuzz targets of `native/fuzz`: what comes over the control socket, and what
//! the last engine may have left.

use crate::control::connection;
use crate::engine::Engine;
pub use crate::protocol::PROTOCOL;
use crate::protocol::snapshots::{CachePlace, PrepareParams, WhenFull};
use crate::state::{Configuration, State};
use crate::{log, nbd, serve};
use std::fs::File;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use transport::served::{Image, SCRATCH_BYTES, Served};

const VOLUME_BYTES: u64 = 2 << 20;
/// Of each index; nothing is recorded beyond.
const INDEX_WORDS: usize = 4096;
const BLOCK: usize = cow::BLOCK;

/// An attached volume in a directory of its own.
pub struct Specimen {
    engine: Arc<Engine>,
    /// The mapping needs it.
    _memory: File,
    volume: PathBuf,
}

impl Specimen {
    pub fn new(directory: &Path) -> Self {
        log::silence();
        let volume = directory.join("volume");
        let content: Vec<u8> = (0..VOLUME_BYTES).map(|n| (n / 512) as u8).collect();
        std::fs::write(&volume, content).expect("room for the volume");
        let (memory, state) = State::create(&Configuration::specimen(directory, VOLUME_BYTES))
            .expect("a memory file");
        let engine = serve::take_up(state, open(&volume)).expect("a fresh volume");
        Specimen {
            engine,
            _memory: memory,
            volume,
        }
    }

    /// Serves one connection to its end and takes away what it made. Nothing that is said there may change the volume.
    pub fn control(&self, stream: UnixStream) {
        let before = std::fs::read(&self.volume).expect("the volume");
        let _ = connection::serve(stream, &self.engine);
        let _ = nbd::stop(&self.engine, None);
        for (_, snapshot) in self.engine.registry.table.snapshots() {
            let released = self.engine.registry.release(&snapshot.id);
            released.expect("a snapshot can be released");
        }
        assert!(before == std::fs::read(&self.volume).expect("the volume"));
    }
}

fn open(volume: &Path) -> File {
    let opened = File::options().read(true).write(true).open(volume);
    opened.expect("the volume")
}

/// What an engine left that died with two snapshots open, each with pre-images.
pub struct Remains {
    configuration: Configuration,
    volume: Vec<u8>,
    cache: Vec<u8>,
    /// Words of the memory file that are not zero.
    words: Vec<(usize, u64)>,
}

impl Remains {
    pub fn new(directory: &Path) -> Self {
        let specimen = Specimen::new(directory);
        let engine = &specimen.engine;
        let mut scratch = vec![0; SCRATCH_BYTES];
        for (snapshot, from) in [("first", 3), ("second", 9)] {
            let ask = PrepareParams {
                snapshot: snapshot.into(),
                cache: CachePlace {
                    directory: directory.join("cache").to_string_lossy().into_owned(),
                    initial_bytes: 1 << 20,
                    max_bytes: 2 << 20,
                },
                when_full: WhenFull::Release,
                hold_ms: 0,
                skip_free_blocks: false,
                spill: Vec::new(),
            };
            engine.registry.prepare(&ask).expect("room");
            engine.registry.activate(snapshot, None).expect("prepared");
            for block in from..from + 12 {
                let data = vec![block as u8; BLOCK];
                engine
                    .write(block * BLOCK as u64, &data, &mut scratch)
                    .expect("a write");
            }
        }
        let state = &engine.state;
        let words = (0..state.fuzzed_words(INDEX_WORDS))
            .map(|n| (n, state.fuzzed_word(n, INDEX_WORDS).load(Ordering::Relaxed)))
            .filter(|(_, word)| *word != 0)
            .collect();
        Remains {
            configuration: engine.configuration.clone(),
            volume: std::fs::read(&specimen.volume).expect("the volume"),
            cache: std::fs::read(cache_path(&specimen)).expect("the cache"),
            words,
        }
    }

    /// A new engine takes up the remains after `damage`, serves everything and releases all. It may say that snapshots are
    /// lost, or that the state makes no sense; the live volume is never wrong.
    ///
    /// `damage`: pieces of 13 bytes {what, place u32, value u64}; `what` modulo 4 is 3 to change the text of a cell, which
    /// stays whole, and otherwise the value is xored to a word of the header and cells, of the bitmaps, or of the indexes.
    pub fn take_up(&self, directory: &Path, damage: &[u8]) {
        std::fs::write(directory.join("volume"), &self.volume).expect("room for the volume");
        let (memory, state) = State::create(&self.configuration).expect("a memory file");
        for (place, word) in &self.words {
            state
                .fuzzed_word(*place, INDEX_WORDS)
                .store(*word, Ordering::Relaxed);
        }
        let cache = directory.join("cache").join("fuzzed.cache");
        std::fs::write(&cache, &self.cache).expect("room for the cache");
        for piece in damage.chunks_exact(13) {
            let place = u32::from_le_bytes(piece[1..5].try_into().unwrap_or_default()) as usize;
            let value: [u8; 8] = piece[5..].try_into().unwrap_or_default();
            state.fuzz(piece[0], place, value, INDEX_WORDS);
        }
        drop(state);
        let Ok(state) = State::open(&memory) else {
            return;
        };
        let Ok(engine) = serve::take_up(state, open(&directory.join("volume"))) else {
            return;
        };
        if engine.configuration.size == VOLUME_BYTES {
            self.serve_all(&engine);
        }
        for (_, snapshot) in engine.registry.table.snapshots() {
            let _ = engine.registry.release(&snapshot.id);
        }
    }

    fn serve_all(&self, engine: &Engine) {
        let mut scratch = vec![0; SCRATCH_BYTES];
        let mut data = vec![0; VOLUME_BYTES as usize / 2];
        let mut images = vec![Image::Live];
        let open = engine.registry.table.readable();
        images.extend(open.into_iter().map(|(_, image)| Image::Frozen(image)));
        for image in &images {
            for offset in [0, VOLUME_BYTES / 2] {
                let read = engine.read(*image, offset, &mut data, &mut scratch);
                let expected = &self.volume[offset as usize..][..data.len()];
                assert!(*image != Image::Live || read.is_ok() && data == expected);
            }
        }
        let fresh = vec![0x5a; BLOCK];
        for block in 0..VOLUME_BYTES / BLOCK as u64 {
            let offset = block * BLOCK as u64;
            let written = engine.write(offset, &fresh, &mut scratch);
            assert!(written.is_ok(), "a live write fails: {written:?}");
        }
        for image in &images {
            let read = engine.read(*image, 0, &mut data, &mut scratch);
            assert!(*image != Image::Live || read.is_ok() && data.iter().all(|b| *b == 0x5a));
        }
    }
}

fn cache_path(specimen: &Specimen) -> PathBuf {
    let caches = specimen.engine.registry.table.caches();
    PathBuf::from(&caches.first().expect("a cache").1.path)
}

impl State {
    /// Words of everything but what lies beyond `index_words` in each index.
    fn fuzzed_words(&self, index_words: usize) -> usize {
        self.index_word(0) + cow::map::MAX_POOLS * index_words
    }

    fn fuzzed_word(&self, number: usize, index_words: usize) -> &std::sync::atomic::AtomicU64 {
        match number.checked_sub(self.index_word(0)) {
            None => self.raw_word(number),
            Some(n) => self.raw_word(self.index_word(n / index_words) + n % index_words),
        }
    }

    fn fuzz(&self, what: u8, place: usize, value: [u8; 8], index_words: usize) {
        let before = self.index_word(0);
        let bitmaps = self.bitmaps_at() / 8;
        let number = match what % 4 {
            0 => place % bitmaps,
            1 => bitmaps + place % (before - bitmaps),
            2 => before + place % (cow::map::MAX_POOLS * index_words),
            _ => return self.fuzz_cell(place, value),
        };
        let word = self.fuzzed_word(number, index_words);
        word.fetch_xor(u64::from_le_bytes(value), Ordering::Relaxed);
    }

    /// Up to seven bytes of the text are replaced; the value's last byte says how many.
    fn fuzz_cell(&self, place: usize, value: [u8; 8]) {
        let cell = self.any_cell(place & 0xff);
        let Some((_, _, mut text)) = cell.newest() else {
            return;
        };
        let at = (place >> 8) % text.len().max(1);
        let length = usize::from(value[7] % 8);
        for (byte, new) in text[at..].iter_mut().zip(&value[..length]) {
            *byte = *new;
        }
        cell.replace(&text).expect("no longer than before");
    }
}
