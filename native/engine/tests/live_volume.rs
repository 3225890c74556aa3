//! A volume under load, with the real engine.

mod volume;

use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use volume::{BLOCK, SIZE, Volume, content, possible, run};

#[test]
fn images_stay_as_they_were_while_engines_are_killed() {
    if !possible() {
        return;
    }
    let volume = Volume::attach("killed");
    let first = fs::read(volume.path("image")).expect("image");
    volume.snapshot("one", 64 << 20);
    volume.overwrite(1);
    volume.kill_engine();
    let second = content(&volume.device).expect("readable");
    volume.snapshot("two", 64 << 20);
    for fill in 2..6 {
        volume.kill_engine();
        volume.overwrite(fill);
    }
    assert!(content(&volume.export("one")).expect("readable") == first);
    assert!(content(&volume.export("two")).expect("readable") == second);
    assert!(content(&volume.device).expect("readable") != second);
    let report = volume.call("describe", json!({}));
    assert_eq!(report["startCount"], 6);
    let preserved = (SIZE / BLOCK).div_ceil(3);
    assert_eq!(report["cache"]["usedBytes"], 2 * preserved * BLOCK);
    assert_eq!(report["snapshots"][1]["preservedBlocks"], preserved);
}

#[test]
fn a_full_cache_ends_the_image_and_fails_no_write() {
    if !possible() {
        return;
    }
    let volume = Volume::attach("full");
    volume.snapshot("small", 1 << 20);
    let exported = volume.export("small");
    volume.overwrite(7);
    assert!(content(&exported).is_err());
    let report = volume.call("describe", json!({}));
    assert_eq!(report["snapshots"][0]["state"], "overflowed");
    assert_eq!(report["snapshots"][0]["firstErrno"], Value::Null);
    let live = content(&volume.device).expect("readable");
    assert!(live.chunks(BLOCK).step_by(3).all(|b| b == [7; BLOCK]));
}

#[test]
fn nothing_is_left_after_detach() {
    if !possible() {
        return;
    }
    let volume = Volume::attach("left");
    volume.snapshot("one", 64 << 20);
    volume.overwrite(9);
    volume.call("release", json!({ "snapshot": "one" }));
    run(&["detach", "--run-dir", &volume.path("run")]);
    assert!(!Path::new(&volume.path("run")).exists());
    assert_eq!(
        fs::read_dir(volume.path("cache")).expect("cache").count(),
        0
    );
    let mounts = fs::read_to_string("/proc/self/mounts").expect("mounts");
    assert!(!mounts.contains(&volume.path("run")));
    let image = fs::read(volume.path("image")).expect("image");
    assert_eq!(image.len(), SIZE);
    assert!(image.chunks(BLOCK).step_by(3).all(|b| b == [9; BLOCK]));
}
