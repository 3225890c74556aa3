//! `powercut-writer`: writes numbered records, and writes into the log of the device beneath what it was told is
//! durable, the moment it was told.
//!
//! It runs inside the machine whose power is cut (`test/powercut/`), above an attached volume whose backing store lies
//! on `dm-log-writes`. That target logs a write only once a flush has made it durable. A claim is a mark in the same log, made
//! after the `fsync` that it rests on came back: so whatever the log holds before a claim must, replayed, fulfil it.
//!
//! Claims are `kind:stream:number`; `test/powercut/claims.ts` says what each promises.

mod claims;
mod files;
mod record;
mod slots;
mod snapshots;

use clap::Parser;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Writes records until the time is over and claims each as soon as it is durable.
#[derive(Parser)]
struct Arguments {
    /// Name of the dm-log-writes device
    #[arg(long)]
    log: String,
    /// How long to write
    #[arg(long)]
    seconds: u64,
    /// Writers at once
    #[arg(long, default_value_t = 4)]
    streams: u32,
    /// Directory on the volume; records are files and their contents
    #[arg(long, required_unless_present = "raw", conflicts_with = "raw")]
    directory: Option<PathBuf>,
    /// The volume's block device itself; records are overwritten in place
    #[arg(long)]
    raw: Option<PathBuf>,
    /// The engine's socket: take a snapshot, and replace it again and again
    #[arg(long, requires = "cache")]
    snapshots: Option<PathBuf>,
    /// Version of the engine's control protocol
    #[arg(long, default_value_t = 1)]
    protocol: u32,
    /// Where the snapshots' pre-images go
    #[arg(long)]
    cache: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("powercut-writer: {e}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> io::Result<()> {
    let claims = Arc::new(claims::Claims::open(&arguments.log)?);
    let mut taker = match (&arguments.snapshots, &arguments.cache) {
        (Some(socket), Some(cache)) => {
            Some(snapshots::Taker::open(socket, cache, arguments.protocol)?)
        }
        _ => None,
    };
    if let Some(taker) = &mut taker {
        taker.take()?;
    }
    let end = Instant::now() + Duration::from_secs(arguments.seconds);
    let mut writers = Vec::new();
    for stream in 0..arguments.streams {
        let claims = claims.clone();
        let raw = arguments.raw.clone();
        let directory = arguments.directory.clone();
        writers.push(std::thread::spawn(move || match (raw, directory) {
            (Some(device), _) => slots::write_until(end, &device, stream, &claims),
            (None, Some(directory)) => files::write_until(end, &directory, stream, &claims),
            (None, None) => unreachable!("one of the two is required"),
        }));
    }
    while Instant::now() < end {
        std::thread::sleep(Duration::from_millis(400));
        if let Some(taker) = &mut taker {
            taker.replace()?;
        }
    }
    for writer in writers {
        writer
            .join()
            .map_err(|_| io::Error::other("a writer panicked"))??;
    }
    let preserved = taker.map_or(Ok(0), |mut taker| taker.preserved_blocks())?;
    println!("preserved {preserved}");
    claims.make("end", 0, 0)
}
