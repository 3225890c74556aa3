//! What a new process makes of the records that the last one left: which it keeps, and for whom they count.

mod world;

use cow::BLOCK;
use cow::volume::{Patience, Policy, Volume};
use std::sync::atomic::Ordering;
use std::time::Duration;
use world::World;

const AT_ONCE: Policy = Policy {
    hold: Duration::ZERO,
};

fn write(volume: &Volume, blocks: &[u64]) {
    let mut scratch = vec![0; 4 * BLOCK];
    for block in blocks {
        let offset = block * BLOCK as u64;
        volume
            .write(offset, &[9; BLOCK], Patience::from_now(), &mut scratch)
            .expect("a live write never fails because of a snapshot");
    }
}

/// Blocks that each snapshot reads from the cache, and slots in use.
fn counts(volume: &Volume, snapshots: &[u64]) -> (Vec<u64>, u64) {
    let preserved = |key: &u64| {
        volume
            .with_snapshot(*key, |s| s.preserved.load(Ordering::SeqCst))
            .expect("open")
    };
    let used = volume.pool(0).expect("a pool").used();
    (snapshots.iter().map(preserved).collect(), used)
}

/// Snapshot 1, blocks 1 and 3 written, snapshot 2, blocks 1 and 2 written.
fn two_snapshots() -> (World, Volume) {
    let world = World::new(vec![1; 64 * BLOCK], 512, 512, u64::MAX);
    let volume = world.start();
    world.snapshot(&volume, 1, &[0], None, AT_ONCE);
    write(&volume, &[1, 3]);
    world.snapshot(&volume, 2, &[0], None, AT_ONCE);
    write(&volume, &[1, 2]);
    assert_eq!(counts(&volume, &[1, 2]), (vec![3, 2], 4));
    (world, volume)
}

#[test]
fn everything_that_is_read_is_kept_and_counted_as_before() {
    let (world, volume) = two_snapshots();
    drop(volume);
    assert_eq!(counts(&world.start(), &[1, 2]), (vec![3, 2], 4));
}

#[test]
fn what_only_the_newer_snapshot_read_goes_with_it() {
    let (world, volume) = two_snapshots();
    drop(volume);
    // Killed when its end was stored, and nothing given up yet.
    world.ledger.open.lock().expect("lock").remove(&2);
    assert_eq!(counts(&world.start(), &[1]), (vec![3], 3));
}

#[test]
fn what_only_the_older_snapshot_read_goes_with_it() {
    let (world, volume) = two_snapshots();
    drop(volume);
    world.ledger.open.lock().expect("lock").remove(&1);
    let volume = world.start();
    assert_eq!(counts(&volume, &[2]), (vec![2], 2));
    // Its slots are free, and their records are gone for the next process too.
    write(&volume, &[4, 5, 6]);
    assert_eq!(counts(&volume, &[2]), (vec![5], 5));
    drop(volume);
    assert_eq!(counts(&world.start(), &[2]), (vec![5], 5));
}

#[test]
fn what_a_reader_has_passed_is_given_up() {
    let (world, volume) = two_snapshots();
    drop(volume);
    let mut open = world.ledger.open.lock().expect("lock");
    open.get_mut(&1).expect("stored").read_to = 3;
    drop(open);
    // Block 3 is still to be read; blocks 1 and 2 of the newer one too.
    assert_eq!(counts(&world.start(), &[1, 2]), (vec![1, 2], 3));
}

#[test]
fn a_block_with_several_pre_images_that_a_reader_passes_counts_once() {
    let (world, volume) = two_snapshots();
    world.passed(&volume, 1, 3);
    assert_eq!(counts(&volume, &[1, 2]), (vec![1, 2], 3));
    world.passed(&volume, 1, 64);
    assert_eq!(counts(&volume, &[1, 2]), (vec![0, 2], 2));
    drop(volume);
    assert_eq!(counts(&world.start(), &[1, 2]), (vec![0, 2], 2));
}
