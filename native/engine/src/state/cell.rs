//! A value that is replaced as a whole: two copies, written in turn.
//!
//! A copy is a sequence number, a length, a checksum and the value as JSON. The newer valid copy
//! counts. Only the other one is ever written, and its sequence number last, so a death while writing
//! leaves the old value. One writer at a time (the registry's lock).

use super::mapping::Region;
use crate::failure::{Failure, Outcome};
use crate::protocol::ErrorKind;
use cow::store::Words;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::atomic::{AtomicU64, Ordering};

const COPY_BYTES: usize = 8192;
pub const BYTES: usize = 2 * COPY_BYTES;
const COPY_WORDS: usize = COPY_BYTES / 8;
/// Sequence, length and checksum.
const HEAD: usize = 2;

pub struct Cell(Region);

impl Cell {
    pub fn new(region: Region) -> Self {
        Cell(region)
    }

    fn copy(&self, number: usize) -> &[AtomicU64] {
        &self.0.words()[number * COPY_WORDS..(number + 1) * COPY_WORDS]
    }

    /// Sequence number and text of a copy that is whole.
    fn read(&self, number: usize) -> Option<(u64, Vec<u8>)> {
        let copy = self.copy(number);
        let sequence = copy[0].load(Ordering::Acquire);
        let head = copy[1].load(Ordering::Relaxed);
        let (length, checksum) = ((head >> 32) as usize, head as u32);
        if sequence == 0 || length > (COPY_WORDS - HEAD) * 8 {
            return None;
        }
        let words = copy[HEAD..].iter().map(|w| w.load(Ordering::Relaxed));
        let mut text: Vec<u8> = words
            .take(length.div_ceil(8))
            .flat_map(u64::to_le_bytes)
            .collect();
        text.truncate(length);
        (cow::record::checksum(&text) == checksum).then_some((sequence, text))
    }

    pub(crate) fn newest(&self) -> Option<(u64, usize, Vec<u8>)> {
        let copies = (0..2).filter_map(|n| self.read(n).map(|(s, text)| (s, n, text)));
        copies.max_by_key(|(sequence, ..)| *sequence)
    }

    /// None if nothing is stored.
    pub fn load<T: DeserializeOwned>(&self) -> Option<T> {
        let (_, _, text) = self.newest()?;
        serde_json::from_slice(&text).ok()
    }

    pub fn store<T: Serialize>(&self, value: &T) -> Outcome<()> {
        let text = serde_json::to_vec(value)
            .map_err(|e| Failure::new(ErrorKind::Internal, format!("writing the state: {e}")))?;
        self.replace(&text)
    }

    /// Stores that there is nothing.
    pub fn clear(&self) -> Outcome<()> {
        if self.newest().is_none_or(|(.., text)| text == b"null") {
            return Ok(());
        }
        self.replace(b"null")
    }

    pub(crate) fn replace(&self, text: &[u8]) -> Outcome<()> {
        if text.len() > (COPY_WORDS - HEAD) * 8 {
            return Err(Failure::invalid("a name or path is too long"));
        }
        let (sequence, target) = match self.newest() {
            Some((sequence, number, _)) => (sequence + 1, 1 - number),
            None => (1, 0),
        };
        let copy = self.copy(target);
        copy[0].store(0, Ordering::Release);
        for (word, bytes) in copy[HEAD..].iter().zip(text.chunks(8)) {
            let mut whole = [0; 8];
            whole[..bytes.len()].copy_from_slice(bytes);
            word.store(u64::from_le_bytes(whole), Ordering::Relaxed);
        }
        let head = (text.len() as u64) << 32 | u64::from(cow::record::checksum(text));
        copy[1].store(head, Ordering::Relaxed);
        copy[0].store(sequence, Ordering::Release);
        Ok(())
    }
}
