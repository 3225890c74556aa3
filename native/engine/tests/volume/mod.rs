//! A real volume through FUSE and a loop device. Needs root, /dev/fuse and loop devices; tests that use
//! it are skipped by name where they are missing.

// Each test program uses a part of it.
#![allow(dead_code)]

use serde_json::{Value, json};
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_stillframe-engine");
pub const SIZE: usize = 16 << 20;
pub const BLOCK: usize = 4096;

/// Memory that direct I/O takes.
#[repr(align(4096))]
struct Page([u8; BLOCK]);

/// An attached volume, taken down when dropped, also by a failing test.
pub struct Volume {
    name: String,
    pub directory: PathBuf,
    pub device: String,
}

pub fn run(arguments: &[&str]) -> Value {
    let output = Command::new(PROGRAM)
        .args(arguments)
        .output()
        .expect("starts");
    serde_json::from_slice(&output.stdout).expect("one JSON document on standard output")
}

pub fn possible() -> bool {
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
    pub fn attach(name: &str) -> Volume {
        let directory = std::env::temp_dir().join(format!("engine-{name}-{}", std::process::id()));
        fs::create_dir_all(directory.join("cache")).expect("temporary directory");
        let content: Vec<u8> = (0..SIZE)
            .map(|n| (n / BLOCK * 31 + n % 127) as u8)
            .collect();
        fs::write(directory.join("image"), content).expect("image");
        let mut volume = Volume {
            name: name.to_owned(),
            directory,
            device: String::new(),
        };
        volume.attach_again();
        volume
    }

    pub fn attach_again(&mut self) {
        let paths = ["image", "run", "state"].map(|name| self.path(name));
        let [image, run_directory, state] = paths.each_ref().map(String::as_str);
        let attached = run(&[
            "attach",
            "--id",
            &self.name,
            "--backing",
            image,
            "--run-dir",
            run_directory,
            "--state-dir",
            state,
        ]);
        self.device = attached["device"].as_str().expect("a device").to_owned();
    }

    pub fn detach(&self) {
        let said = run(&["detach", "--run-dir", &self.path("run")]);
        assert!(said["error"].is_null(), "{said}");
    }

    pub fn path(&self, name: &str) -> String {
        self.directory.join(name).to_string_lossy().into_owned()
    }

    pub fn call(&self, method: &str, params: Value) -> Value {
        let reply = self.ask(method, params);
        assert!(reply["error"].is_null(), "{method}: {reply}");
        reply["result"].clone()
    }

    /// The whole reply, also a refusal.
    pub fn ask(&self, method: &str, params: Value) -> Value {
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
        replies.into_iter().find(|r| r["id"] == 2).expect("a reply")
    }

    pub fn snapshot(&self, id: &str, max_bytes: u64) -> Value {
        self.snapshot_with(id, max_bytes, json!({}))
    }

    /// `more`: further parameters of `prepare`.
    pub fn snapshot_with(&self, id: &str, max_bytes: u64, more: Value) -> Value {
        let cache =
            json!({ "directory": self.path("cache"), "initialBytes": 0, "maxBytes": max_bytes });
        let mut params = json!({
            "snapshot": id, "cache": cache, "whenFull": "release", "holdMs": 0, "skipFreeBlocks": false
        });
        for (key, value) in more.as_object().expect("an object") {
            params[key] = value.clone();
        }
        self.call("prepare", params);
        self.call("activate", json!({ "snapshot": id }))
    }

    pub fn export(&self, id: &str) -> String {
        let exported = run(&["export", "--run-dir", &self.path("run"), "--snapshot", id]);
        exported["device"].as_str().expect("a device").to_owned()
    }

    /// Writes to every third block, to the device itself.
    pub fn overwrite(&self, fill: u8) {
        self.write((0..SIZE / BLOCK).step_by(3), fill);
    }

    pub fn write(&self, blocks: impl Iterator<Item = usize>, fill: u8) {
        self.write_with(0, blocks, fill);
    }

    /// The next write is sent when the one before was answered.
    pub fn write_one_by_one(&self, blocks: impl Iterator<Item = usize>, fill: u8) {
        self.write_with(libc::O_SYNC, blocks, fill);
    }

    fn write_with(&self, flags: i32, blocks: impl Iterator<Item = usize>, fill: u8) {
        let device = OpenOptions::new()
            .write(true)
            .custom_flags(flags)
            .open(&self.device)
            .expect("opens");
        for block in blocks {
            device
                .write_all_at(&[fill; BLOCK], (block * BLOCK) as u64)
                .expect("no write fails");
        }
        device.sync_all().expect("no flush fails");
    }

    /// One direct write for each block, all at once; returns when the device has them all, before any of
    /// them need be answered. The threads' results are the writes'.
    pub fn write_at_once<'scope>(
        &self,
        scope: &'scope std::thread::Scope<'scope, '_>,
        blocks: impl Iterator<Item = usize>,
        fill: u8,
    ) -> Vec<std::thread::ScopedJoinHandle<'scope, std::io::Result<()>>> {
        let device = OpenOptions::new()
            .write(true)
            .custom_flags(libc::O_DIRECT)
            .open(&self.device)
            .expect("opens");
        let device = std::sync::Arc::new(device);
        let write = |block: usize| {
            let device = device.clone();
            move || {
                let page = Page([fill; BLOCK]);
                device.write_all_at(&page.0, (block * BLOCK) as u64)
            }
        };
        let writing: Vec<_> = blocks.map(|block| scope.spawn(write(block))).collect();
        let name = Path::new(&self.device).file_name().expect("a name");
        let inflight = Path::new("/sys/block").join(name).join("inflight");
        let ended = |w: &std::thread::ScopedJoinHandle<_>| w.is_finished();
        loop {
            let counts = fs::read_to_string(&inflight).expect("counts");
            let writes = counts.split_whitespace().nth(1).expect("of writes");
            let there: usize = writes.parse().expect("a number");
            if there + writing.iter().filter(|w| ended(w)).count() >= writing.len() {
                return writing;
            }
            std::thread::yield_now();
        }
    }

    pub fn report(&self) -> Value {
        self.call("describe", json!({}))
    }

    pub fn kill_engine(&self) {
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
pub fn content(device: &str) -> std::io::Result<Vec<u8>> {
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
