//! Records in files: a log appended to, new files, and a file replaced by renaming; each made durable as a program must that
//! relies on it.

use crate::claims::Claims;
use crate::record;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

/// Of a log's records; no multiple of a sector, so that each append rewrites a block.
const LOG_RECORD_BYTES: usize = 1000;
/// So many of the new files are there at once.
const KEPT_FILES: u32 = 8;

pub fn write_until(end: Instant, directory: &Path, stream: u32, claims: &Claims) -> io::Result<()> {
    let own = directory.join(format!("stream-{stream}"));
    fs::create_dir(&own)?;
    File::open(directory)?.sync_all()?;
    let mut log = OpenOptions::new()
        .create_new(true)
        .append(true)
        .open(own.join("log"))?;
    log.sync_all()?;
    sync_directory(&own)?;
    for number in 1.. {
        if Instant::now() >= end {
            break;
        }
        log.write_all(&record::new(stream, number, LOG_RECORD_BYTES))?;
        log.sync_data()?;
        claims.make("log", stream, number)?;
        match number % 3 {
            0 => add_file(&own, stream, number, claims)?,
            1 => replace_file(&own, stream, number, claims)?,
            // Nobody syncs this one: work for the journal that is nobody's claim.
            _ => fs::write(own.join("scratch"), record::new(stream, number, 40 * 1024))?,
        }
    }
    Ok(())
}

fn add_file(own: &Path, stream: u32, number: u32, claims: &Claims) -> io::Result<()> {
    let file = |number: u32| own.join(format!("new-{number}"));
    if number > 3 * KEPT_FILES {
        let oldest = number - 3 * KEPT_FILES;
        // Before it goes: from here on nobody may rely on it.
        claims.make("gone", stream, oldest)?;
        fs::remove_file(file(oldest))?;
    }
    let mut added = File::create_new(file(number))?;
    added.write_all(&record::new(stream, number, file_bytes(number)))?;
    added.sync_all()?;
    sync_directory(own)?;
    claims.make("new", stream, number)
}

fn replace_file(own: &Path, stream: u32, number: u32, claims: &Claims) -> io::Result<()> {
    let next = own.join("replaced.next");
    let mut file = File::create(&next)?;
    file.write_all(&record::new(stream, number, file_bytes(number)))?;
    file.sync_all()?;
    drop(file);
    fs::rename(&next, own.join("replaced"))?;
    sync_directory(own)?;
    claims.make("replaced", stream, number)
}

/// From one sector to 31 KiB and a bit.
fn file_bytes(number: u32) -> usize {
    512 + (number % 17) as usize * 1900
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
