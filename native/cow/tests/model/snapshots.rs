//! Writes, reads and releases beside each other, and the instants between them.

use crate::world::{BLOCKS, World, beside};
use crate::{all, explore};
use cow::BLOCK;
use cow::volume::Patience;
use shuttle::thread;
use std::time::Duration;

#[test]
fn an_image_is_read_as_it_was_while_its_blocks_are_overwritten() {
    explore(|| {
        let world = World::new(16);
        world.snapshot(1);
        all([
            beside(&world, |w| w.write(0, 2)),
            beside(&world, |w| {
                w.write(0, 3);
                w.write(1, 3);
            }),
            beside(&world, |w| {
                assert_eq!(w.read(1, 0), Some(1));
                assert_eq!(w.read(1, 1), Some(1));
            }),
        ]);
        assert_eq!(world.used(), 2, "each block is preserved once");
    });
}

#[test]
fn a_read_that_a_write_overtakes_has_the_old_content() {
    explore(|| {
        let world = World::new(16);
        world.snapshot(1);
        all([
            beside(&world, |w| w.write(0, 2)),
            beside(&world, |w| assert_eq!(w.read(1, 0), Some(1))),
        ]);
    });
}

#[test]
fn writes_of_overlapping_ranges_neither_mix_pre_images_nor_wait_for_each_other_for_ever() {
    explore(|| {
        let world = World::new(16);
        world.snapshot(1);
        let write = |from: usize, fill| {
            move |w: &World| {
                let mut scratch = vec![0; 6 * BLOCK];
                let data = vec![fill; 3 * BLOCK - 1024];
                let offset = (from * BLOCK + 512) as u64;
                w.volume
                    .write(offset, &data, Patience::from_now(), &mut scratch)
                    .expect("write");
            }
        };
        all([
            beside(&world, write(0, 2)),
            beside(&world, write(1, 3)),
            beside(&world, |w| {
                let (mut scratch, length) = (vec![0; 4 * BLOCK], (2 * BLOCK) as u64);
                let at = BLOCK as u64;
                w.volume
                    .write_zeroes(at, length, Patience::from_now(), &mut scratch)
                    .expect("zeroes");
            }),
        ]);
        assert!((0..BLOCKS).all(|b| world.read(1, b) == Some(1)));
        assert_eq!(world.used(), BLOCKS as u64);
    });
}

/// Where one writer put a 2 into the first block and then into the second, an image of an instant has the second 2 only
/// with the first.
fn must_be_in_order((first, second): (Option<u8>, Option<u8>)) {
    assert!(
        second == Some(1) || first == Some(2),
        "{first:?} {second:?}"
    );
}

#[test]
fn an_image_of_an_instant_has_no_write_without_the_ones_before_it() {
    explore(|| {
        let world = World::new(16);
        all([
            beside(&world, |w| {
                w.write(0, 2);
                w.write(1, 2);
            }),
            beside(&world, |w| w.snapshot(1)),
        ]);
        world.write(0, 3);
        world.write(1, 3);
        must_be_in_order((world.read(1, 0), world.read(1, 1)));
    });
}

#[test]
fn an_instant_waits_for_the_writes_that_go_on_behind_their_threads() {
    explore(|| {
        let world = World::new(16);
        let writer = world.clone();
        let writer = thread::spawn(move || {
            let first = writer.write_behind(0, 2);
            all(first);
            let second = writer.write_behind(1, 2);
            all(second);
        });
        let at_once = world.clone();
        let taker = thread::spawn(move || at_once.see_instant(1));
        all([writer]);
        let seen = taker.join().expect("ends");
        world.write(0, 3);
        world.write(1, 3);
        assert_eq!((world.read(1, 0), world.read(1, 1)), seen);
        must_be_in_order(seen);
    });
}

#[test]
fn a_write_goes_on_behind_its_thread_only_over_what_is_preserved() {
    explore(|| {
        let world = World::new(16);
        world.snapshot(1);
        let write = |block| {
            let world = world.clone();
            thread::spawn(move || (2..4).for_each(|fill| all(world.write_behind(block, fill))))
        };
        let reader = beside(&world, |w| {
            assert_eq!(w.read(1, 0), Some(1));
            assert_eq!(w.read(1, 1), Some(1));
        });
        let at_once = world.clone();
        let taker = thread::spawn(move || at_once.see_instant(2));
        all([write(0), write(1), reader]);
        let second = taker.join().expect("ends");
        assert!((0..2).all(|block| world.read(1, block) == Some(1)));
        assert_eq!((world.read(2, 0), world.read(2, 1)), second);
    });
}

#[test]
fn a_release_waits_for_writes_behind_and_they_for_nobody() {
    explore(|| {
        let world = World::new(16);
        world.snapshot(1);
        world.write(0, 2);
        let writer = world.clone();
        let writer = thread::spawn(move || {
            let (one, other) = (writer.write_behind(0, 3), writer.write_behind(1, 3));
            all(one.into_iter().chain(other));
        });
        let releaser = beside(&world, |w| {
            w.volume.end_snapshot(1, || {});
            w.volume.sweep();
        });
        all([writer, releaser]);
        world.volume.make_room(Duration::ZERO);
        assert_eq!(world.used(), 0);
    });
}

#[test]
fn what_a_snapshot_may_differ_in_is_marked_whenever_it_is_taken() {
    explore(|| {
        let world = World::new(16);
        world.snapshot(1);
        all([
            beside(&world, |w| w.write(0, 2)),
            beside(&world, |w| w.snapshot(2)),
            beside(&world, |w| w.write(1, 2)),
        ]);
        let told = world.volume.changed(1, Some(2), 0..BLOCKS as u64, 9);
        let told: Vec<u64> = told.expect("known").extents.into_iter().flatten().collect();
        for block in 0..2 {
            let changed = world.read(1, block) != world.read(2, block);
            assert_eq!(changed, told.contains(&(block as u64)), "block {block}");
        }
    });
}

#[test]
fn what_a_reader_has_passed_is_never_read_with_new_content() {
    explore(|| {
        let world = World::new(16);
        world.snapshot(1);
        world.write(1, 2);
        all([
            beside(&world, |w| {
                w.volume.passed(1, 2);
            }),
            beside(&world, |w| {
                w.write(0, 3);
                w.write(2, 3);
            }),
            beside(&world, |w| {
                assert!(matches!(w.read(1, 0), Some(1) | None));
                assert!(matches!(w.read(1, 1), Some(1) | None));
                assert_eq!(w.read(1, 2), Some(1));
            }),
        ]);
        assert_eq!(world.used(), 1);
    });
}

#[test]
fn a_release_beside_writes_and_reads_leaves_no_slot_behind() {
    explore(|| {
        let world = World::new(16);
        world.snapshot(1);
        world.snapshot(2);
        world.write(0, 2);
        all([
            beside(&world, |w| {
                w.volume.end_snapshot(1, || {});
                w.volume.sweep();
            }),
            beside(&world, |w| {
                w.write(0, 3);
                w.write(1, 3);
            }),
            beside(&world, |w| {
                assert_eq!(w.read(2, 0), Some(1));
                assert!(matches!(w.read(1, 1), Some(1) | None));
            }),
        ]);
        assert_eq!(world.read(2, 1), Some(1));
        world.volume.end_snapshot(2, || {});
        world.volume.sweep();
        assert_eq!(world.used(), 0);
    });
}

#[test]
fn a_full_cache_ends_the_image_once_and_no_write() {
    explore(|| {
        let world = World::new(1);
        world.snapshot(1);
        all((0..3).map(|n| beside(&world, move |w| w.write(n, 2))));
        assert_eq!(*world.losses.0.lock().expect("lock"), [1]);
        world.volume.make_room(Duration::ZERO);
        assert_eq!(world.used(), 0);
        world.snapshot(2);
        world.write(0, 3);
        assert_eq!(world.read(2, 0), Some(2));
    });
}
