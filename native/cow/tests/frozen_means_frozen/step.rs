//! What can happen to a volume, and chance choosing of it.

use crate::SECTORS;
use proptest::prelude::*;

/// Who puts the data of a write into the store.
#[derive(Debug, Clone, Copy)]
pub enum Hand {
    Volume,
    /// Whoever writes, in the call, if the range is in whole units of the store.
    Writer,
    /// The same, behind the call, if no block must be preserved first.
    Behind,
}

#[derive(Debug, Clone)]
pub enum Step {
    Write {
        sector: usize,
        count: usize,
        fill: u8,
        hand: Hand,
    },
    /// Whole sectors of a store that does not tell any more what they hold.
    Mend {
        sector: usize,
        count: usize,
        fill: u8,
    },
    Discard {
        sector: usize,
        count: usize,
    },
    Zero {
        sector: usize,
        count: usize,
    },
    Punch {
        sector: usize,
        count: usize,
    },
    Snapshot {
        pools: Vec<usize>,
        free: Option<Vec<u8>>,
        hold_ms: u64,
    },
    Release {
        which: usize,
    },
    Read {
        which: usize,
        sector: usize,
        count: usize,
    },
    /// A reader of the image is so many blocks on.
    Passed {
        which: usize,
        blocks: u64,
    },
    ForgetInterval {
        which: usize,
    },
    Restart,
    Room {
        slots: u64,
    },
    MakeRoom,
}

fn range() -> impl Strategy<Value = (usize, usize)> {
    (0..SECTORS, prop_oneof![1usize..20, 1usize..300])
        .prop_map(|(sector, count)| (sector, count.min(SECTORS - sector)))
}

fn pools() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![
        Just(vec![0]),
        Just(vec![1]),
        Just(vec![0, 1]),
        Just(vec![1, 0])
    ]
}

fn hand() -> impl Strategy<Value = Hand> {
    prop_oneof![Just(Hand::Volume), Just(Hand::Writer), Just(Hand::Behind)]
}

/// One that may cost an image.
pub fn mend() -> impl Strategy<Value = Step> {
    (range(), any::<u8>()).prop_map(|((sector, count), fill)| Step::Mend {
        sector,
        count,
        fill,
    })
}

pub fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (range(), any::<u8>(), hand()).prop_map(|((sector, count), fill, hand)| {
            Step::Write { sector, count, fill, hand }
        }),
        1 => range().prop_map(|(sector, count)| Step::Discard { sector, count }),
        1 => range().prop_map(|(sector, count)| Step::Zero { sector, count }),
        1 => range().prop_map(|(sector, count)| Step::Punch { sector, count }),
        3 => (pools(), prop::option::of(prop::collection::vec(any::<u8>(), 12)), 0u64..2)
            .prop_map(|(pools, free, hold_ms)| Step::Snapshot { pools, free, hold_ms }),
        2 => (any::<usize>(), 1u64..90).prop_map(|(which, blocks)| Step::Passed { which, blocks }),
        1 => any::<usize>().prop_map(|which| Step::ForgetInterval { which }),
        2 => any::<usize>().prop_map(|which| Step::Release { which }),
        2 => (any::<usize>(), range()).prop_map(|(which, (sector, count))| Step::Read { which, sector, count }),
        1 => Just(Step::Restart),
        1 => (0u64..200).prop_map(|slots| Step::Room { slots }),
        1 => Just(Step::MakeRoom),
    ]
}
