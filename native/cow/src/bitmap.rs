//! One bit for each block of the volume, in words that may outlive the process.

use crate::store::Words;
use crate::sync::Arc;
use crate::sync::atomic::{AtomicU64, Ordering};

/// Safe to read and change from many threads. Bits are set with release order: whoever finds, after
/// this process's death, an effect that followed, finds the bit.
#[derive(Clone)]
pub struct Bitmap(Arc<dyn Words>);

impl Bitmap {
    /// Bits beyond the words read as unset and cannot be set.
    pub fn new(words: Arc<dyn Words>) -> Self {
        Bitmap(words)
    }

    pub fn get(&self, bit: u64) -> bool {
        self.word((bit / 64) as usize) & (1 << (bit % 64)) != 0
    }

    /// Bits `64 * number` and on; 0 beyond the end.
    pub fn word(&self, number: usize) -> u64 {
        self.0
            .words()
            .get(number)
            .map_or(0, |w| w.load(Ordering::Acquire))
    }

    /// The words behind it.
    pub fn words(&self) -> &dyn Words {
        &*self.0
    }

    /// Sets the bit; whether it was unset before.
    pub fn set(&self, bit: u64) -> bool {
        self.0
            .words()
            .get((bit / 64) as usize)
            .is_some_and(|w| set_ones(w, 1 << (bit % 64)))
    }

    /// Sets `from..to`.
    pub fn set_range(&self, from: u64, to: u64) {
        let words = self.0.words();
        let to = to.min(words.len() as u64 * 64);
        let mut bit = from;
        while bit < to {
            let end = (bit / 64 * 64 + 64).min(to);
            let count = end - bit;
            let word = &words[(bit / 64) as usize];
            if count == 64 {
                set_all(word);
            } else {
                set_ones(word, ((1 << count) - 1) << (bit % 64));
            }
            bit = end;
        }
    }

    /// Whether the bit at `from` is set, and the first bit after it, `to` at most, of which that is not
    /// so. `from` is below `to`.
    pub fn run(&self, from: u64, to: u64) -> (bool, u64) {
        let set = self.get(from);
        let words = self.0.words();
        let mut bit = from;
        while bit < to {
            let word = words.get((bit / 64) as usize);
            let word = word.map_or(0, |w| w.load(Ordering::Relaxed));
            let others = (if set { !word } else { word }) >> (bit % 64);
            if others != 0 {
                return (set, (bit + u64::from(others.trailing_zeros())).min(to));
            }
            bit = (bit / 64 + 1) * 64;
        }
        (set, to)
    }

    /// Sets every bit that is set in the other one.
    pub fn set_all_of(&self, other: &Bitmap) {
        let mut from = 0;
        while let Some(range) = other.0.occupied(from) {
            from = range.end;
            for number in range {
                let ones = other.word(number);
                if let Some(word) = self.0.words().get(number)
                    && ones != 0
                {
                    set_ones(word, ones);
                }
            }
        }
    }

    pub fn count(&self) -> u64 {
        let mut count = 0;
        let mut from = 0;
        while let Some(range) = self.0.occupied(from) {
            from = range.end;
            count += range
                .map(|number| u64::from(self.word(number).count_ones()))
                .sum::<u64>();
        }
        count
    }

    pub fn clear(&self) {
        self.0.clear();
    }
}

/// Whether a bit was added. A word that has them all is not written, so that it stays in the caches
/// of all processors.
fn set_ones(word: &AtomicU64, ones: u64) -> bool {
    word.load(Ordering::Relaxed) & ones != ones
        && word.fetch_or(ones, Ordering::Release) & ones != ones
}

/// Nobody takes a bit away meanwhile, so that a plain store loses none.
fn set_all(word: &AtomicU64) {
    if word.load(Ordering::Relaxed) != u64::MAX {
        word.store(u64::MAX, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_range_sets_exactly_its_bits(from in 0u64..200, length in 0u64..200) {
            let words: Vec<AtomicU64> = (0..4).map(|_| AtomicU64::new(0)).collect();
            let map = Bitmap::new(Arc::new(words));
            map.set_range(from, from + length);
            for bit in 0..300 {
                prop_assert_eq!(map.get(bit), bit >= from && bit < from + length && bit < 256);
            }
            prop_assert_eq!(map.count(), (from + length).min(256).saturating_sub(from));
        }

        #[test]
        fn runs_tell_what_the_bits_are(words in prop::collection::vec(0u64.., 4), to in 1u64..300) {
            let words: Vec<AtomicU64> = words.into_iter().map(AtomicU64::new).collect();
            let map = Bitmap::new(Arc::new(words));
            let mut bit = 0;
            while bit < to {
                let (set, end) = map.run(bit, to);
                prop_assert!(end > bit && end <= to);
                prop_assert!((bit..end).all(|b| map.get(b) == set));
                prop_assert!(end == to || map.get(end) != set);
                bit = end;
            }
        }
    }
}
