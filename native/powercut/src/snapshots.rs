//! Takes snapshots of the volume while it is written, so that every write passes copy-on-write.

use serde_json::{Value, json};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

pub struct Taker {
    stream: BufReader<UnixStream>,
    cache: PathBuf,
    /// Of the snapshot that is open; 0 before the first.
    taken: u32,
    preserved: u64,
}

impl Taker {
    pub fn open(socket: &Path, cache: &Path, protocol: u32) -> io::Result<Self> {
        let mut taker = Taker {
            stream: BufReader::new(UnixStream::connect(socket)?),
            cache: cache.to_owned(),
            taken: 0,
            preserved: 0,
        };
        taker.call("hello", json!({ "protocol": protocol }))?;
        Ok(taker)
    }

    pub fn take(&mut self) -> io::Result<()> {
        self.taken += 1;
        let snapshot = format!("cut-{}", self.taken);
        let place = json!({
            "directory": self.cache, "initialBytes": 4 << 20, "maxBytes": 256 << 20,
        });
        self.call(
            "prepare",
            json!({
                "snapshot": snapshot, "cache": place, "whenFull": "release", "holdMs": 0, "skipFreeBlocks": false,
            }),
        )?;
        self.call("activate", json!({ "snapshot": snapshot }))?;
        Ok(())
    }

    /// Takes the next, then releases the one before.
    pub fn replace(&mut self) -> io::Result<()> {
        let old = format!("cut-{}", self.taken);
        self.take()?;
        self.preserved += self.blocks_of(&old)?;
        self.call("release", json!({ "snapshot": old }))?;
        Ok(())
    }

    /// In all snapshots so far.
    pub fn preserved_blocks(&mut self) -> io::Result<u64> {
        let open = self.blocks_of(&format!("cut-{}", self.taken))?;
        Ok(self.preserved + open)
    }

    /// Fails if the snapshot has ended.
    fn blocks_of(&mut self, snapshot: &str) -> io::Result<u64> {
        let report = self.call("describe", json!({}))?;
        let found = report["snapshots"]
            .as_array()
            .and_then(|all| all.iter().find(|one| one["id"] == snapshot));
        match found {
            Some(one) if one["state"] == "active" => {
                Ok(one["preservedBlocks"].as_u64().unwrap_or(0))
            }
            other => Err(io::Error::other(format!(
                "{snapshot} is not open: {other:?}"
            ))),
        }
    }

    fn call(&mut self, method: &str, params: Value) -> io::Result<Value> {
        let mut text = json!({ "id": 1, "method": method, "params": params }).to_string();
        text.push('\n');
        self.stream.get_mut().write_all(text.as_bytes())?;
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
            let reply: Value = serde_json::from_str(&line)?;
            if reply["id"] != 1 {
                continue;
            }
            if reply["error"].is_object() {
                return Err(io::Error::other(format!("{method}: {}", reply["error"])));
            }
            return Ok(reply["result"].clone());
        }
    }
}
