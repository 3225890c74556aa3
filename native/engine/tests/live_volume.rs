//! A real volume through FUSE and a loop device. Needs root, /dev/fuse and loop devices; skipped by
//! name where they are missing.

use serde_json::{Value, json};
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_stillframe-engine");
const SIZE: usize = 16 << 20;
const BLOCK: usize = 4096;

/// An attached volume, taken down when dropped, also by a failing test.
struct Volume {
    directory: PathBuf,
    device: String,
}

fn run(arguments: &[&str]) -> Value {
    let output = Command::new(PROGRAM)
        .args(arguments)
        .output()
        .expect("starts");
    serde_json::from_slice(&output.stdout).expect("one JSON document on standard output")
}

fn possible() -> bool {
    // SAFETY: asks a number.
    let root = unsafe { libc::geteuid() } == 0;
    let possible =
        root && Path::new("/dev/fuse").exists() && Path::new("/dev/loop-control").exists();
    if !possible {
        println!("skipped: needs root, /dev/fuse and /dev/loop-control");
    }
    possible
}

impl Volume {
    fn attach(name: &str) -> Volume {
        let directory = std::env::temp_dir().join(format!("engine-{name}-{}", std::process::id()));
        fs::create_dir_all(directory.join("cache")).expect("temporary directory");
        let content: Vec<u8> = (0..SIZE)
            .map(|n| (n / BLOCK * 31 + n % 127) as u8)
            .collect();
        fs::write(directory.join("image"), content).expect("image");
        let mut volume = Volume {
            directory,
            device: String::new(),
        };
        let (image, run_directory) = (volume.path("image"), volume.path("run"));
        let attached = run(&[
            "attach",
            "--id",
            name,
            "--backing",
            &image,
            "--run-dir",
            &run_directory,
        ]);
        volume.device = attached["device"].as_str().expect("a device").to_owned();
        volume
    }

    fn path(&self, name: &str) -> String {
        self.directory.join(name).to_string_lossy().into_owned()
    }

    fn call(&self, method: &str, params: Value) -> Value {
        let mut stream =
            UnixStream::connect(self.path("run/engine.sock")).expect("an engine listens");
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("timeout");
        let hello = json!({ "id": 1, "method": "hello", "params": { "protocol": 1 } });
        let ask = json!({ "id": 2, "method": method, "params": params });
        write!(stream, "{hello}\n{ask}\n").expect("written");
        let lines = BufReader::new(stream).lines();
        let replies =
            lines.map(|l| serde_json::from_str::<Value>(&l.expect("a line")).expect("JSON"));
        let reply = replies.into_iter().find(|r| r["id"] == 2).expect("a reply");
        assert!(reply["error"].is_null(), "{method}: {reply}");
        reply["result"].clone()
    }

    fn snapshot(&self, id: &str, max_bytes: u64) -> Value {
        let cache =
            json!({ "directory": self.path("cache"), "initialBytes": 0, "maxBytes": max_bytes });
        let params = json!({
            "snapshot": id, "cache": cache, "whenFull": "release", "holdMs": 0, "skipFreeBlocks": false
        });
        self.call("prepare", params);
        self.call("activate", json!({ "snapshot": id }))
    }

    fn export(&self, id: &str) -> String {
        let exported = run(&["export", "--run-dir", &self.path("run"), "--snapshot", id]);
        exported["device"].as_str().expect("a device").to_owned()
    }

    /// Writes to every third block, to the device itself.
    fn overwrite(&self, fill: u8) {
        let device = OpenOptions::new()
            .write(true)
            .open(&self.device)
            .expect("opens");
        for block in (0..SIZE / BLOCK).step_by(3) {
            device
                .write_all_at(&[fill; BLOCK], (block * BLOCK) as u64)
                .expect("no write fails");
        }
        device.sync_all().expect("no flush fails");
    }

    fn kill_engine(&self) {
        let pid = self.call("describe", json!({}))["pid"]
            .as_u64()
            .expect("pid");
        // SAFETY: the engine of this test's volume.
        unsafe { libc::kill(pid as i32, libc::SIGKILL) };
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        run(&["detach", "--force", "--run-dir", &self.path("run")]);
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Reads past what the page cache may hold of it.
fn content(device: &str) -> std::io::Result<Vec<u8>> {
    let file = File::open(device)?;
    // SAFETY: advises only.
    unsafe {
        libc::posix_fadvise(
            std::os::fd::AsRawFd::as_raw_fd(&file),
            0,
            0,
            libc::POSIX_FADV_DONTNEED,
        )
    };
    let mut all = vec![0; SIZE];
    file.read_exact_at(&mut all, 0)?;
    Ok(all)
}

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
