//! Where pre-images go, and how long they stay, with the real engine.

mod volume;

use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use volume::{BLOCK, SIZE, Volume, content, possible, run};

const MIB: u64 = 1 << 20;

/// A second place for caches.
fn spill(volume: &Volume, max_bytes: u64) -> Value {
    json!({ "directory": volume.path("second"), "maxBytes": max_bytes })
}

#[test]
fn a_full_cache_spills_over_and_both_places_are_reported() {
    if !possible() {
        return;
    }
    let volume = Volume::attach("spills");
    let before = fs::read(volume.path("image")).expect("image");
    volume.snapshot_with(
        "one",
        2 * MIB,
        json!({ "spill": [spill(&volume, 64 * MIB)] }),
    );
    volume.overwrite(1);
    volume.kill_engine();
    volume.overwrite(2);
    assert!(content(&volume.export("one")).expect("readable") == before);
    let report = volume.report();
    let places = report["cache"]["places"].as_array().expect("places");
    let preserved = ((SIZE / BLOCK).div_ceil(3) * BLOCK) as u64;
    assert_eq!(places[0]["usedBytes"], 2 * MIB);
    assert_eq!(places[1]["usedBytes"], preserved - 2 * MIB);
    assert_eq!(places[1]["directory"], volume.path("second"));
    assert_eq!(report["snapshots"][0]["cacheMaxBytes"], 66 * MIB);
    volume.call("release", json!({ "snapshot": "one" }));
    for place in ["cache", "second"] {
        let left = fs::read_dir(volume.path(place)).expect("directory").count();
        assert_eq!(left, 0, "{place} is not empty");
    }
}

#[test]
fn when_all_places_are_full_the_first_ones_cause_is_told() {
    if !possible() {
        return;
    }
    let volume = Volume::attach("allfull");
    volume.snapshot_with("one", MIB, json!({ "spill": [spill(&volume, 2 * MIB)] }));
    volume.overwrite(1);
    let snapshot = &volume.report()["snapshots"][0];
    assert_eq!(snapshot["state"], "overflowed");
    assert_eq!(snapshot["firstErrno"], Value::Null);
    let detail = snapshot["detail"].as_str().expect("a text");
    assert!(detail.contains(&MIB.to_string()), "{detail}");
}

#[test]
fn a_place_on_the_volume_itself_is_not_spilled_to() {
    if !possible() {
        return;
    }
    let volume = Volume::attach("refused");
    let ask = json!({
        "snapshot": "one", "whenFull": "release", "holdMs": 0, "skipFreeBlocks": false,
        "cache": { "directory": volume.path("cache"), "initialBytes": 0, "maxBytes": MIB },
        "spill": [{ "directory": volume.path("run/fuse"), "maxBytes": MIB }, spill(&volume, MIB)]
    });
    let prepared = volume.call("prepare", ask);
    assert_eq!(prepared["refused"].as_array().expect("a list").len(), 1);
    assert_eq!(prepared["refused"][0]["directory"], volume.path("run/fuse"));
    assert_eq!(
        volume.report()["snapshots"][0]["spill"][0]["directory"],
        volume.path("second")
    );
}

#[test]
fn writers_that_wait_go_on_when_a_place_is_added() {
    if !possible() {
        return;
    }
    let volume = Volume::attach("added");
    let before = fs::read(volume.path("image")).expect("image");
    volume.snapshot_with("one", MIB, json!({ "whenFull": "hold", "holdMs": 60_000 }));
    std::thread::scope(|scope| {
        let writing =
            scope.spawn(|| volume.write_one_by_one((0..SIZE / BLOCK).step_by(3).take(400), 5));
        while volume.report()["cache"]["usedBytes"] != MIB {
            std::thread::yield_now();
        }
        // While a writer waits, the image is read, also where it waits.
        assert!(content(&volume.export("one")).expect("readable") == before);
        assert!(!writing.is_finished());
        volume.call(
            "addCache",
            json!({ "snapshot": "one", "cache": spill(&volume, 64 * MIB) }),
        );
        writing.join().expect("writes");
    });
    assert!(content(&volume.export("one")).expect("readable") == before);
}

#[test]
fn a_release_does_not_wait_for_writers_that_wait_for_room() {
    if !possible() {
        return;
    }
    let volume = Volume::attach("released");
    volume.snapshot_with("one", MIB, json!({ "whenFull": "hold", "holdMs": 60_000 }));
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| volume.overwrite(5));
        while volume.report()["cache"]["usedBytes"] != MIB {
            std::thread::yield_now();
        }
        volume.call("release", json!({ "snapshot": "one" }));
        writing.join().expect("writes");
    });
    let live = content(&volume.device).expect("readable");
    assert!(live.chunks(BLOCK).step_by(3).all(|b| b == [5; BLOCK]));
}

/// More than an engine has threads, fewer than a loop device takes.
const WRITERS: usize = 100;

/// A volume whose first writes wait: its snapshot "one" holds writers so long, and its cache is full.
fn full(name: &str, hold_ms: u64) -> Volume {
    let volume = Volume::attach(name);
    volume.snapshot_with("one", MIB, json!({ "whenFull": "hold", "holdMs": hold_ms }));
    volume.write(0..MIB as usize / BLOCK, 1);
    volume
}

/// The blocks that writers wait with, all of them beyond what is preserved.
fn waiting() -> impl Iterator<Item = usize> {
    (MIB as usize / BLOCK..SIZE / BLOCK)
        .step_by(5)
        .take(WRITERS)
}

#[test]
fn images_are_read_and_an_engine_killed_while_more_writers_wait_than_there_are_threads() {
    if !possible() {
        return;
    }
    let volume = full("crowd", 60_000);
    let before = fs::read(volume.path("image")).expect("image");
    let frozen = |volume: &Volume| {
        let image = content(&volume.export("one")).expect("readable");
        assert!(image[MIB as usize..] == before[MIB as usize..]);
        assert!(image[..MIB as usize] != before[..MIB as usize]);
    };
    std::thread::scope(|scope| {
        let writing = volume.write_at_once(scope, waiting(), 7);
        frozen(&volume);
        assert!(content(&volume.device).expect("readable") == before);
        volume.kill_engine();
        frozen(&volume);
        assert!(!writing.iter().any(|w| w.is_finished()));
        volume.call(
            "setPolicy",
            json!({ "snapshot": "one", "maxBytes": 64 * MIB }),
        );
        for write in writing {
            write.join().expect("no panic").expect("no write fails");
        }
    });
    frozen(&volume);
    let live = content(&volume.device).expect("readable");
    assert!(waiting().all(|b| live[b * BLOCK..][..BLOCK] == [7; BLOCK]));
}

#[test]
fn at_the_end_of_their_time_all_writers_go_on_without_the_snapshot() {
    if !possible() {
        return;
    }
    let volume = full("ended", 1000);
    std::thread::scope(|scope| {
        for write in volume.write_at_once(scope, waiting(), 7) {
            write.join().expect("no panic").expect("no write fails");
        }
    });
    assert_eq!(volume.report()["snapshots"][0]["state"], "overflowed");
    let live = content(&volume.device).expect("readable");
    assert!(waiting().all(|b| live[b * BLOCK..][..BLOCK] == [7; BLOCK]));
}

#[test]
fn a_forced_detach_does_not_wait_for_writers_that_wait() {
    if !possible() {
        return;
    }
    let volume = full("forced", 60_000);
    std::thread::scope(|scope| {
        let writing = volume.write_at_once(scope, waiting(), 7);
        let said = volume::run(&["detach", "--force", "--run-dir", &volume.path("run")]);
        assert!(said["error"].is_null(), "{said}");
        for write in writing {
            // It went on when the snapshot was released, or failed when the connection was cut.
            let _ = write.join().expect("no panic");
        }
    });
    let left = fs::read_dir(volume.path("cache"))
        .expect("directory")
        .count();
    assert_eq!(left, 0, "the cache is not empty");
}

#[test]
fn what_a_reader_has_passed_takes_no_cache_also_after_a_kill() {
    if !possible() {
        return;
    }
    let volume = Volume::attach("passed");
    let before = fs::read(volume.path("image")).expect("image");
    volume.snapshot("one", 64 * MIB);
    volume.overwrite(1);
    let half = SIZE as u64 / 2;
    let said = volume.call("progress", json!({ "snapshot": "one", "offset": half }));
    let used = volume.report()["cache"]["usedBytes"]
        .as_u64()
        .expect("a number");
    let preserved = ((SIZE / BLOCK).div_ceil(3) * BLOCK) as u64;
    assert_eq!(said["cacheFreedBytes"].as_u64(), Some(preserved - used));
    assert!(used <= preserved / 2 + BLOCK as u64);
    volume.kill_engine();
    volume.overwrite(2);
    volume.write(0..SIZE / BLOCK / 2, 3);
    let report = volume.report();
    assert_eq!(
        report["cache"]["usedBytes"], used,
        "nothing is preserved behind the reader"
    );
    assert_eq!(report["snapshots"][0]["cacheUsedBytes"], used);
    assert_eq!(report["snapshots"][0]["passedBytes"], half);
    let image = fs::File::open(volume.export("one")).expect("opens");
    let mut rest = vec![0; SIZE / 2];
    image.read_exact_at(&mut rest, half).expect("readable");
    assert!(rest == before[SIZE / 2..]);
    assert!(
        image
            .read_exact_at(&mut rest[..BLOCK], half - BLOCK as u64)
            .is_err()
    );
    let beyond = volume.ask("progress", json!({ "snapshot": "one", "offset": SIZE + 1 }));
    assert_eq!(beyond["error"]["kind"], "invalid");
}

#[test]
fn a_damaged_cache_ends_the_image_and_is_never_served() {
    if !possible() {
        return;
    }
    let volume = Volume::attach("damaged");
    volume.snapshot("one", 64 * MIB);
    volume.overwrite(1);
    let file = Path::new(&volume.path("cache")).join("damaged.cache");
    let cache = OpenOptions::new()
        .write(true)
        .open(file)
        .expect("the cache file");
    cache
        .write_all_at(&[0xA5; 64], 100 * BLOCK as u64 + 512)
        .expect("damaged");
    assert!(content(&volume.export("one")).is_err());
    let report = volume.report();
    let snapshot = &report["snapshots"][0];
    assert_eq!(
        (&snapshot["state"], &snapshot["cause"]),
        (&json!("damaged"), &json!("damaged"))
    );
    assert_eq!(snapshot["firstErrno"], Value::Null);
    assert!(
        snapshot["detail"]
            .as_str()
            .is_some_and(|d| d.contains("checksum"))
    );
    volume.overwrite(2);
}

#[test]
fn an_image_whose_cache_was_cut_short_ends_and_does_not_show_what_is_there_now() {
    if !possible() {
        return;
    }
    let volume = Volume::attach("short");
    volume.snapshot("one", 64 * MIB);
    volume.overwrite(1);
    let file = Path::new(&volume.path("cache")).join("short.cache");
    let cache = OpenOptions::new().write(true).open(file).expect("a cache");
    cache.set_len(100 * BLOCK as u64).expect("cut");
    volume.kill_engine();
    volume.overwrite(2);
    let snapshot = &volume.report()["snapshots"][0];
    assert_eq!(snapshot["state"], "damaged", "{snapshot}");
    let detail = snapshot["detail"].as_str().expect("a text");
    assert!(detail.contains("shorter"), "{detail}");
}

#[test]
fn a_place_whose_cache_file_was_lost_serves_the_next_snapshot() {
    if !possible() {
        return;
    }
    let volume = Volume::attach("again");
    volume.snapshot("one", 64 * MIB);
    volume.overwrite(1);
    fs::remove_file(Path::new(&volume.path("cache")).join("again.cache")).expect("removed");
    volume.kill_engine();
    let before = content(&volume.device).expect("readable");
    assert_eq!(volume.report()["snapshots"][0]["state"], "damaged");
    volume.snapshot("two", 64 * MIB);
    volume.overwrite(2);
    volume.snapshot("three", 64 * MIB);
    volume.overwrite(3);
    volume.call("release", json!({ "snapshot": "one" }));
    volume.kill_engine();
    volume.overwrite(4);
    assert!(content(&volume.export("two")).expect("readable") == before);
    let places = &volume.report()["cache"]["places"];
    assert_eq!(places.as_array().map(Vec::len), Some(1), "{places}");
    for snapshot in ["three", "two"] {
        run(&[
            "unexport",
            "--run-dir",
            &volume.path("run"),
            "--snapshot",
            snapshot,
        ]);
        volume.call("release", json!({ "snapshot": snapshot }));
    }
    assert_eq!(fs::read_dir(volume.path("cache")).expect("read").count(), 0);
}
