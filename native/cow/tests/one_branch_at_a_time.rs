//! Cases that chance meets rarely, made to happen.

mod world;

use cow::BLOCK;
use cow::snapshot_read::ReadFailure;
use cow::store::LossCause;
use cow::volume::{Patience, Policy, Volume};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use world::World;

const AT_ONCE: Policy = Policy {
    hold: Duration::ZERO,
};

const WAITS: Policy = Policy {
    hold: Duration::from_secs(60),
};

fn world(room: u64) -> (World, Arc<Volume>) {
    let world = World::new(vec![1; 64 * BLOCK], 512, 512, room);
    let volume = Arc::new(world.start());
    (world, volume)
}

fn write(volume: &Volume, block: u64, fill: u8) {
    let mut scratch = vec![0; 4 * BLOCK];
    volume
        .write(
            block * BLOCK as u64,
            &[fill; BLOCK],
            Patience::from_now(),
            &mut scratch,
        )
        .expect("a live write never fails because of a snapshot");
}

fn read(volume: &Volume, key: u64, block: u64) -> Result<u8, ReadFailure> {
    let mut buf = vec![0; BLOCK];
    volume.read_snapshot(key, block * BLOCK as u64, &mut buf, &mut [])?;
    Ok(buf[17])
}

#[test]
fn a_block_overwritten_while_an_image_reads_it_is_read_as_it_was() {
    let (world, volume) = world(u64::MAX);
    world.snapshot(&volume, 1, &[0], None, AT_ONCE);
    // The image's read takes new data from the store: the writer was faster.
    let writer = volume.clone();
    let store = world.store.clone();
    *world.store.after_read.lock().expect("lock") = Some(Box::new(move || {
        let writer = writer.clone();
        std::thread::spawn(move || write(&writer, 5, 9))
            .join()
            .expect("writer");
        assert_eq!(store.data.lock().expect("lock")[5 * BLOCK], 9);
    }));
    let mut buf = vec![7; BLOCK];
    volume
        .read_snapshot(1, 5 * BLOCK as u64, &mut buf, &mut [])
        .expect("readable");
    assert!(buf.iter().all(|b| *b == 1));
    assert!(
        world.store.after_read.lock().expect("lock").is_none(),
        "the branch was met"
    );
}

#[test]
fn a_damaged_pre_image_is_never_served() {
    let (world, volume) = world(u64::MAX);
    world.snapshot(&volume, 1, &[0], None, AT_ONCE);
    write(&volume, 3, 2);
    world.slots[0].data.lock().expect("lock")[100] ^= 1;
    assert!(matches!(read(&volume, 1, 3), Err(ReadFailure::Gone)));
    assert!(matches!(read(&volume, 1, 4), Err(ReadFailure::Gone)));
    let lost = world.ledger.lost.lock().expect("lock");
    assert_eq!(lost.len(), 1);
    assert_eq!(
        (lost[0].0, lost[0].1.cause, lost[0].1.errno),
        (1, LossCause::Damaged, None)
    );
}

#[test]
fn a_full_disk_ends_the_image_once_with_its_first_cause() {
    let (world, volume) = world(2);
    world.snapshot(&volume, 1, &[0], None, AT_ONCE);
    for block in 0..64 {
        write(&volume, block, 3);
    }
    assert!(matches!(read(&volume, 1, 0), Err(ReadFailure::Gone)));
    let lost = world.ledger.lost.lock().expect("lock");
    assert_eq!(lost.len(), 1);
    assert_eq!(
        (lost[0].1.cause, lost[0].1.errno),
        (LossCause::Overflow, Some(28))
    );
}

#[test]
fn a_cache_that_cannot_be_written_ends_the_image_and_not_the_write() {
    let (world, volume) = world(u64::MAX);
    world.snapshot(&volume, 1, &[0], None, AT_ONCE);
    world.slots[0].broken.store(true, Ordering::SeqCst);
    write(&volume, 0, 3);
    assert_eq!(world.store.data.lock().expect("lock")[0], 3);
    assert_eq!(world.ledger.lost.lock().expect("lock")[0].1.errno, Some(5));
}

#[test]
fn old_data_that_cannot_be_read_ends_the_image_and_not_the_write() {
    let (world, volume) = world(u64::MAX);
    let block = BLOCK as u64;
    world.snapshot(&volume, 1, &[0], None, AT_ONCE);
    write(&volume, 5, 2);
    world.snapshot(&volume, 2, &[0], None, WAITS);
    *world.store.unreadable.lock().expect("lock") = 5 * block + 512..5 * block + 1024;
    let mut scratch = vec![0; 8 * BLOCK];
    volume
        .write(
            4 * block,
            &[3; 3 * BLOCK],
            Patience::None,
            &mut scratch,
        )
        .expect("a live write never fails because of a snapshot, and does not wait for what time does not mend");
    assert_eq!(
        world.store.data.lock().expect("lock")[4 * BLOCK..][..3 * BLOCK],
        [3; 3 * BLOCK]
    );
    let lost = world.ledger.lost.lock().expect("lock");
    let [(2, loss)] = &lost[..] else {
        panic!("the second image, and no other: {lost:?}");
    };
    assert_eq!((loss.cause, loss.errno), (LossCause::Damaged, Some(5)));
    assert!(
        loss.detail.contains(&(5 * block).to_string()),
        "{}",
        loss.detail
    );
    // The first has the block in the cache, and its neighbours were readable.
    for block in 4..7 {
        assert_eq!(read(&volume, 1, block).ok(), Some(1));
    }
}

#[test]
fn who_waits_for_room_goes_on_when_the_image_that_wants_it_is_lost() {
    let (world, volume) = world(1);
    world.snapshot(&volume, 1, &[0], None, WAITS);
    write(&volume, 0, 2);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| write(&volume, 1, 2));
        world.slots[0].data.lock().expect("lock")[0] ^= 1;
        std::thread::sleep(Duration::from_millis(50));
        assert!(!waiting.is_finished());
        assert!(matches!(read(&volume, 1, 0), Err(ReadFailure::Gone)));
        waiting.join().expect("written");
    });
    assert!(begun.elapsed() < WAITS.hold);
}

#[test]
fn an_image_that_does_not_need_the_block_outlives_a_full_cache() {
    let (world, volume) = world(1);
    world.snapshot(&volume, 1, &[0], None, AT_ONCE);
    write(&volume, 0, 2);
    world.snapshot(&volume, 2, &[0], None, AT_ONCE);
    // Only the second still reads block 0 from the store.
    write(&volume, 0, 3);
    assert_eq!(read(&volume, 1, 0).ok(), Some(1));
    assert!(matches!(read(&volume, 2, 0), Err(ReadFailure::Gone)));
}

#[test]
fn room_that_an_ended_image_gave_up_serves_the_next() {
    let (world, volume) = world(2);
    world.snapshot(&volume, 1, &[0], None, AT_ONCE);
    write(&volume, 0, 2);
    write(&volume, 1, 2);
    world.release(&volume, 1);
    world.snapshot(&volume, 2, &[0], None, AT_ONCE);
    write(&volume, 2, 2);
    write(&volume, 3, 2);
    assert_eq!(read(&volume, 2, 2).ok(), Some(1));
    assert!(world.ledger.lost.lock().expect("lock").is_empty());
}

#[test]
fn a_writer_that_holds_goes_on_when_room_is_made() {
    let (world, volume) = world(1);
    let hold = Policy {
        hold: Duration::from_secs(20),
    };
    world.snapshot(&volume, 1, &[0], None, hold);
    write(&volume, 0, 2);
    let began = Instant::now();
    let waiting = {
        let volume = volume.clone();
        std::thread::spawn(move || write(&volume, 1, 2))
    };
    std::thread::sleep(Duration::from_millis(50));
    assert!(!waiting.is_finished());
    world.slots[0].room.store(100, Ordering::SeqCst);
    volume.room_made();
    waiting.join().expect("writer");
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(read(&volume, 1, 1).ok(), Some(1));
}

#[test]
fn a_writer_without_patience_is_turned_away_and_costs_no_image() {
    let (world, volume) = world(1);
    let hold = Policy {
        hold: Duration::from_secs(20),
    };
    world.snapshot(&volume, 1, &[0], None, hold);
    write(&volume, 0, 2);
    let mut scratch = vec![0; 4 * BLOCK];
    let (at, new) = (BLOCK as u64, [2; BLOCK]);
    let mut hasty = |change: &dyn Fn(&mut [u8]) -> std::io::Result<()>| {
        let refused = change(&mut scratch).expect_err("no room");
        assert_eq!(refused.kind(), std::io::ErrorKind::WouldBlock);
        assert_eq!(read(&volume, 1, 1).ok(), Some(1));
    };
    hasty(&|scratch| volume.write(at, &new, Patience::None, scratch));
    hasty(&|scratch| volume.discard(at, BLOCK as u64, Patience::None, scratch));
    hasty(&|scratch| volume.write_zeroes(at, BLOCK as u64, Patience::None, scratch));
    // What is preserved already needs no room.
    let preserved = volume.write(0, &new, Patience::None, &mut vec![0; 4 * BLOCK]);
    preserved.expect("a write that needs no room");
}

#[test]
fn a_writer_that_holds_goes_on_after_its_time_without_the_image() {
    let (world, volume) = world(1);
    let hold = Policy {
        hold: Duration::from_millis(80),
    };
    world.snapshot(&volume, 1, &[0], None, hold);
    write(&volume, 0, 2);
    let began = Instant::now();
    write(&volume, 1, 2);
    assert!(began.elapsed() >= Duration::from_millis(80));
    assert!(matches!(read(&volume, 1, 1), Err(ReadFailure::Gone)));
}

#[test]
fn a_deleted_file_belongs_to_the_image_that_had_it() {
    let (world, volume) = world(u64::MAX);
    world.snapshot(&volume, 1, &[0], None, AT_ONCE);
    let free = world::bitmap(64);
    free.set(7);
    world.snapshot(&volume, 2, &[0], Some(free), AT_ONCE);
    write(&volume, 7, 2);
    assert_eq!(read(&volume, 1, 7).ok(), Some(1));
    assert_eq!(read(&volume, 2, 7).ok(), Some(0));
}

#[test]
fn a_free_block_costs_no_slot_and_leaks_no_later_data() {
    let (world, volume) = world(u64::MAX);
    let free = world::bitmap(64);
    free.set_range(0, 64);
    world.snapshot(&volume, 1, &[0], Some(free), AT_ONCE);
    for block in 0..64 {
        write(&volume, block, 2);
        write(&volume, block, 3);
    }
    assert_eq!(volume.pool(0).expect("pool").used(), 0);
    assert_eq!(read(&volume, 1, 9).ok(), Some(0));
    let skipped = volume.with_snapshot(1, |s| s.skipped.load(Ordering::SeqCst));
    assert_eq!(skipped, Some(64));
}

#[test]
fn writes_during_the_instant_void_the_list_of_free_blocks() {
    let (_world, volume) = world(u64::MAX);
    let before = volume.mutations();
    write(&volume, 1, 2);
    let free = world::bitmap(64);
    free.set_range(0, 64);
    let new = cow::volume::NewSnapshot {
        key: 1,
        pools: vec![0],
        free: Some(free),
        policy: AT_ONCE,
        read_to: 0,
    };
    let interval = cow::changes::Interval {
        key: 1,
        changed: world::bitmap(64),
    };
    let taken = volume.activate(new, interval, before, |_, free_known| {
        assert!(!free_known);
        Ok::<(), ()>(())
    });
    assert_eq!(taken, Ok(Some(1)));
    write(&volume, 2, 2);
    assert_eq!(read(&volume, 1, 2).ok(), Some(1));
}

#[test]
fn a_cache_that_is_full_spills_over_into_the_next_in_order() {
    let (world, volume) = world(u64::MAX);
    world.slots[1].room.store(2, Ordering::SeqCst);
    world.snapshot(&volume, 1, &[1, 0], None, AT_ONCE);
    for block in 0..5 {
        write(&volume, block, 2);
    }
    let used = |pool| volume.pool(pool).expect("pool").used();
    assert_eq!((used(1), used(0)), (2, 3));
    assert!((0..5).all(|block| read(&volume, 1, block).ok() == Some(1)));
    assert!(world.ledger.lost.lock().expect("lock").is_empty());
    world.release(&volume, 1);
    assert_eq!((used(1), used(0)), (0, 0));
}

#[test]
fn a_cache_whose_disk_has_room_again_is_the_first_again() {
    let (world, volume) = world(u64::MAX);
    world.slots[0].room.store(1, Ordering::SeqCst);
    world.snapshot(&volume, 1, &[0, 1], None, AT_ONCE);
    write(&volume, 0, 2);
    write(&volume, 1, 2);
    world.slots[0].room.store(100, Ordering::SeqCst);
    volume.make_room(Duration::ZERO);
    write(&volume, 2, 2);
    let used = |pool| volume.pool(pool).expect("pool").used();
    assert_eq!((used(0), used(1)), (2, 1));
}

#[test]
fn when_all_caches_are_full_the_first_ones_cause_is_told() {
    let (world, volume) = world(1);
    volume.pool(1).expect("pool").set_max_slots(1);
    world.slots[1].room.store(100, Ordering::SeqCst);
    world.snapshot(&volume, 1, &[0, 1], None, AT_ONCE);
    for block in 0..9 {
        write(&volume, block, 2);
    }
    let lost = world.ledger.lost.lock().expect("lock");
    assert_eq!(lost.len(), 1);
    assert_eq!(
        lost[0].1.errno,
        Some(28),
        "the second one's was its maximum"
    );
}

#[test]
fn an_image_uses_no_cache_that_it_was_not_given() {
    let (world, volume) = world(1);
    world.slots[1].room.store(100, Ordering::SeqCst);
    world.snapshot(&volume, 1, &[0], None, AT_ONCE);
    write(&volume, 0, 2);
    write(&volume, 1, 2);
    assert_eq!(volume.pool(1).expect("pool").used(), 0);
    assert!(!world.is_open(1));
}

#[test]
fn what_a_reader_has_passed_takes_no_cache_any_more() {
    let (world, volume) = world(u64::MAX);
    world.snapshot(&volume, 1, &[0], None, AT_ONCE);
    for block in 0..8 {
        write(&volume, block, 2);
    }
    assert_eq!(world.passed(&volume, 1, 5), 5);
    let pool = volume.pool(0).expect("pool");
    assert_eq!(pool.used(), 3);
    for block in 0..5 {
        write(&volume, block, 3);
    }
    assert_eq!(pool.used(), 3, "later writes behind it are not preserved");
    assert!(matches!(read(&volume, 1, 4), Err(ReadFailure::Passed)));
    assert_eq!(read(&volume, 1, 5).ok(), Some(1));
    let preserved = volume.with_snapshot(1, |s| s.preserved.load(Ordering::SeqCst));
    assert_eq!(preserved, Some(3));
    // Going back is no progress.
    assert_eq!(world.passed(&volume, 1, 2), 0);
    assert!(matches!(read(&volume, 1, 4), Err(ReadFailure::Passed)));
}

#[test]
fn what_another_image_needs_stays_when_a_reader_has_passed_it() {
    let (world, volume) = world(u64::MAX);
    world.snapshot(&volume, 1, &[0], None, AT_ONCE);
    world.snapshot(&volume, 2, &[0], None, AT_ONCE);
    write(&volume, 3, 2);
    assert_eq!(world.passed(&volume, 2, 64), 0);
    assert_eq!(read(&volume, 1, 3).ok(), Some(1));
    write(&volume, 4, 2);
    assert_eq!(read(&volume, 1, 4).ok(), Some(1));
    assert_eq!(world.passed(&volume, 1, 64), 2);
}

#[test]
fn progress_outlives_the_engine() {
    let (world, volume) = world(u64::MAX);
    world.snapshot(&volume, 1, &[0], None, AT_ONCE);
    write(&volume, 1, 2);
    write(&volume, 9, 2);
    world.passed(&volume, 1, 8);
    let next = world.start();
    assert_eq!(next.pool(0).expect("pool").used(), 1);
    assert!(matches!(read(&next, 1, 1), Err(ReadFailure::Passed)));
    assert_eq!(read(&next, 1, 9).ok(), Some(1));
}

#[test]
fn an_interval_that_is_given_up_counts_for_the_one_before() {
    let (world, volume) = world(u64::MAX);
    for (key, block) in [(1, 10), (2, 20), (3, 30)] {
        world.snapshot(&volume, key, &[0], None, AT_ONCE);
        world.release(&volume, key);
        write(&volume, block, 2);
    }
    let changed = |since, until| {
        let told = volume.changed(since, until, 0..64, 9)?;
        Some(told.extents.into_iter().flatten().collect::<Vec<_>>())
    };
    assert_eq!(changed(1, None), Some(vec![10, 20, 30]));
    assert_eq!(changed(1, Some(3)), Some(vec![10, 20]));
    world.forget_interval(&volume, 2);
    assert_eq!(changed(1, Some(3)), Some(vec![10, 20]));
    assert_eq!(changed(2, Some(3)), None, "no longer known");
    assert_eq!(changed(3, Some(1)), None, "the wrong way round");
    world.forget_interval(&volume, 3);
    assert_eq!(changed(3, None), Some(vec![30]), "the running one stays");
}
