//! What is known of changed blocks, with the real engine.

mod volume;

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use volume::{BLOCK, SIZE, Volume, content, possible, run};

const CACHE: u64 = 64 << 20;

/// Blocks, asked for in small parts.
fn changes(volume: &Volume, since: &str, snapshot: Option<&str>) -> BTreeSet<usize> {
    let mut blocks = BTreeSet::new();
    let mut offset = json!(0);
    while !offset.is_null() {
        let ask = json!({ "since": since, "snapshot": snapshot, "offset": offset, "limit": 7 });
        let told = volume.call("changes", ask);
        for extent in told["extents"].as_array().expect("extents") {
            let number = |key: &str| extent[key].as_u64().expect("a number") as usize / BLOCK;
            blocks.extend(number("offset")..number("offset") + number("length"));
        }
        offset = told["next"].clone();
    }
    blocks
}

fn take_and_release(volume: &Volume, id: &str) {
    volume.snapshot(id, CACHE);
    volume.call("release", json!({ "snapshot": id }));
}

fn differing(before: &[u8], after: &[u8]) -> BTreeSet<usize> {
    let pairs = before.chunks(BLOCK).zip(after.chunks(BLOCK)).enumerate();
    pairs.filter(|(_, (a, b))| a != b).map(|(n, _)| n).collect()
}

fn every(step: usize, offset: usize) -> BTreeSet<usize> {
    (offset..SIZE / BLOCK).step_by(step).collect()
}

#[test]
fn changes_between_snapshots_are_known_over_kills_and_a_clean_detach() {
    if !possible() {
        return;
    }
    let mut volume = Volume::attach("tracked");
    let first = fs::read(volume.path("image")).expect("image");
    take_and_release(&volume, "one");
    volume.write(every(5, 0).into_iter(), 1);
    volume.kill_engine();
    volume.write(every(7, 1).into_iter(), 2);
    volume.snapshot("two", CACHE);
    let second = content(&volume.device).expect("readable");
    volume.write(every(11, 2).into_iter(), 3);

    let until_two: BTreeSet<usize> = every(5, 0).union(&every(7, 1)).copied().collect();
    assert_eq!(changes(&volume, "one", Some("two")), until_two);
    assert!(differing(&first, &second).is_subset(&until_two));
    assert_eq!(changes(&volume, "two", None), every(11, 2));
    volume.call("release", json!({ "snapshot": "two" }));

    volume.detach();
    volume.attach_again();
    assert_eq!(
        volume.report()["tracking"],
        json!({ "since": ["one", "two"], "voidBecause": null })
    );
    assert_eq!(changes(&volume, "one", Some("two")), until_two);
    volume.write(every(13, 3).into_iter(), 4);
    let since_two: BTreeSet<usize> = every(11, 2).union(&every(13, 3)).copied().collect();
    assert_eq!(changes(&volume, "two", None), since_two);
    take_and_release(&volume, "three");
    assert_eq!(changes(&volume, "two", Some("three")), since_two);
    let wrong = volume.ask("changes", json!({ "since": "three", "snapshot": "one" }));
    assert_eq!(wrong["error"]["kind"], "invalid");
    let unknown = volume.ask("changes", json!({ "since": "never" }));
    assert_eq!(unknown["error"]["kind"], "notFound");
}

#[test]
fn discards_and_zeroes_are_changes() {
    if !possible() {
        return;
    }
    let volume = Volume::attach("discards");
    take_and_release(&volume, "one");
    let device = OpenOptions::new()
        .write(true)
        .open(&volume.device)
        .expect("opens");
    for (request, block) in [(0x1277_u64, 100_u64), (0x127f, 200)] {
        let range = [block * BLOCK as u64, 3 * BLOCK as u64];
        // SAFETY: BLKDISCARD and BLKZEROOUT read two numbers.
        let done = unsafe { libc::ioctl(device.as_raw_fd(), request, &range) };
        assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
    }
    let expected: BTreeSet<usize> = (100..103).chain(200..203).collect();
    assert_eq!(changes(&volume, "one", None), expected);
}

/// Nothing is known, and why is said.
fn must_be_void(volume: &Volume, because: &str) {
    let report = volume.report();
    assert_eq!(report["tracking"]["since"], json!([]));
    let said = report["tracking"]["voidBecause"]
        .as_str()
        .expect("a reason");
    assert!(said.contains(because), "{said}");
    let refused = volume.ask("changes", json!({ "since": "one" }));
    assert_eq!(refused["error"]["kind"], "notFound");
    let message = refused["error"]["message"].as_str().expect("a text");
    assert!(message.contains(because), "{message}");
}

#[test]
fn after_an_unclean_end_nothing_is_known() {
    if !possible() {
        return;
    }
    let mut volume = Volume::attach("unclean");
    take_and_release(&volume, "one");
    run(&["detach", "--force", "--run-dir", &volume.path("run")]);
    volume.attach_again();
    must_be_void(&volume, "did not end cleanly");
}

#[test]
fn what_was_written_past_the_engine_voids_what_was_known() {
    if !possible() {
        return;
    }
    let mut volume = Volume::attach("past");
    take_and_release(&volume, "one");
    volume.detach();
    let image = OpenOptions::new()
        .write(true)
        .open(volume.path("image"))
        .expect("opens");
    std::thread::sleep(std::time::Duration::from_millis(25));
    image
        .write_all_at(b"past the engine", 5000)
        .expect("written");
    drop(image);
    volume.attach_again();
    must_be_void(&volume, "written to");
}

#[test]
fn a_damaged_record_of_changes_is_not_believed() {
    if !possible() {
        return;
    }
    let mut volume = Volume::attach("rotten");
    take_and_release(&volume, "one");
    volume.write(0..9, 1);
    volume.detach();
    let path = volume.path("state/rotten.changes");
    let mut bytes = fs::read(&path).expect("kept");
    let last = bytes.len() - 100;
    bytes[last] ^= 4;
    fs::write(&path, bytes).expect("damaged");
    volume.attach_again();
    must_be_void(&volume, "checksum");
    // And what follows is tracked as ever.
    take_and_release(&volume, "two");
    volume.write(3..5, 2);
    assert_eq!(changes(&volume, "two", None), (3..5).collect());
}

#[test]
fn more_snapshots_than_can_be_tracked_cost_the_oldest_knowledge_only() {
    if !possible() {
        return;
    }
    let volume = Volume::attach("many");
    for n in 0..10 {
        take_and_release(&volume, &format!("s{n}"));
        volume.write(n..n + 1, 1);
    }
    let since = volume.report()["tracking"]["since"].clone();
    assert_eq!(
        since,
        Value::from((2..10).map(|n| format!("s{n}")).collect::<Vec<_>>())
    );
    assert_eq!(changes(&volume, "s2", None), (2..10).collect());
    assert_eq!(changes(&volume, "s4", Some("s7")), (4..7).collect());
}
