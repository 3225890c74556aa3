//! Which pre-images the open snapshots need, by the definition.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

#[derive(Default)]
pub struct Needs {
    /// Counts what touched anything.
    time: u64,
    /// When each block was touched.
    touched: BTreeMap<u64, Vec<u64>>,
    /// When each snapshot was taken, and which blocks were free then.
    taken: BTreeMap<u64, (u64, BTreeSet<u64>)>,
}

impl Needs {
    pub fn touch(&mut self, blocks: RangeInclusive<u64>) {
        self.time += 1;
        for block in blocks {
            self.touched.entry(block).or_default().push(self.time);
        }
    }

    pub fn take(&mut self, snapshot: u64, free: BTreeSet<u64>) {
        self.taken.insert(snapshot, (self.time, free));
    }

    /// A snapshot needs of each block what it held before it was first touched since, unless the block was free or the
    /// reader has passed it (`read_to`: None if it is not open). Those that were taken between the same two touches
    /// need the same.
    pub fn count(&self, read_to: impl Fn(u64) -> Option<u64>) -> u64 {
        let mut needed = BTreeSet::new();
        for (snapshot, (taken, free)) in &self.taken {
            let Some(read_to) = read_to(*snapshot) else {
                continue;
            };
            for (block, times) in self.touched.range(read_to..) {
                let first = times.iter().find(|time| *time > taken);
                if let Some(first) = first.filter(|_| !free.contains(block)) {
                    needed.insert((*block, *first));
                }
            }
        }
        needed.len() as u64
    }
}
