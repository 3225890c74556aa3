//! `stillframe-engine`: keeps a live volume usable while frozen images of it are read.
//!
//! Facts are printed as one JSON document on standard output, also a failure
//! (`{"error":{"kind","message","errno"}}`); its message goes to standard error too. Exit status: 0
//! done, 1 failed, 2 wrong usage.

mod attach;
mod backing;
mod change_log;
mod client;
mod clock;
mod control;
mod descriptors;
mod detach;
mod engine;
mod events;
mod export;
mod failure;
mod fence;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod holds;
mod keeper;
mod kernel;
mod live;
mod log;
mod names;
mod nbd;
mod probe;
mod protocol;
mod reporting;
mod residence;
mod run_directory;
mod serve;
mod signals;
mod snapshots;
mod state;
mod telemetry;
#[cfg(test)]
mod typescript;
mod ublk_faults;
mod undertaker;
mod upgrade;
mod urgency;

use clap::{Parser, Subcommand, ValueEnum};
use failure::{Context, Failure, Outcome};
use protocol::ErrorKind;
use protocol::programs::FailureDocument;
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;

pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Copy-on-write snapshots beneath a mounted file system: the data path of Stillframe.
#[derive(Parser)]
#[command(name = "stillframe-engine", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a live block device over an image file or a block device
    Attach {
        /// Name of the volume: letters, digits, dots, underscores, hyphens
        #[arg(long)]
        id: String,
        /// Image file or block device; nobody else may use it
        #[arg(long)]
        backing: PathBuf,
        /// Directory for this volume alone; made if missing
        #[arg(long)]
        run_dir: PathBuf,
        /// 512 or 4096; as the backing device, 512 for an image
        #[arg(long)]
        sector_size: Option<u32>,
        /// Requests that are handled at once
        #[arg(long, default_value_t = 16)]
        threads: usize,
        /// Whether keeper and engine get control groups of their own
        #[arg(long, value_enum, default_value_t = Groups::Auto)]
        cgroup: Groups,
        /// Directory for what is kept of the volume from one attachment to the next: its changed blocks
        #[arg(long)]
        state_dir: Option<String>,
        /// What makes the live device
        #[arg(long, value_enum, env = "STILLFRAME_TRANSPORT", default_value_t = live::Choice::Auto)]
        transport: live::Choice,
        /// Whether the data of large requests over ublk goes without a copy
        #[arg(long, value_enum, env = "STILLFRAME_ZERO_COPY", default_value_t = live::ZeroCopy::Auto)]
        zero_copy: live::ZeroCopy,
    },
    /// Take everything of an attached volume down; nothing may be mounted
    Detach {
        #[arg(long)]
        run_dir: PathBuf,
        /// Also with snapshots open or file systems mounted: waiting requests get errors
        #[arg(long)]
        force: bool,
        /// Also with snapshots open, if nothing is mounted; for a host that goes down
        #[arg(long, conflicts_with = "force")]
        unless_used: bool,
    },
    /// Make a read-only block device over a snapshot's frozen image
    Export {
        #[arg(long)]
        run_dir: PathBuf,
        #[arg(long)]
        snapshot: String,
    },
    /// Remove the block device of a frozen image
    Unexport {
        #[arg(long)]
        run_dir: PathBuf,
        #[arg(long)]
        snapshot: String,
    },
    /// Replace the engine of an attached volume by this program, while the volume is in use
    Upgrade {
        #[arg(long)]
        run_dir: PathBuf,
        /// Another program than this one
        #[arg(long)]
        program: Option<PathBuf>,
    },
    /// Tell what this kernel offers
    Probe,
    #[command(hide = true)]
    Keeper {
        #[arg(long, required_unless_present = "adopt")]
        configuration: Option<String>,
        #[arg(long)]
        stay_in_groups: bool,
        /// Go on for a keeper that is gone
        #[arg(long)]
        adopt: bool,
        /// This process was that keeper
        #[arg(long, requires = "adopt")]
        locked: bool,
    },
    #[command(hide = true)]
    Serve,
    #[command(hide = true)]
    EndUblk {
        #[arg(long)]
        number: u32,
        how: live::end::End,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Groups {
    Auto,
    None,
}

/// Does what the command line says.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Attach {
            id,
            backing,
            run_dir,
            sector_size,
            threads,
            cgroup,
            state_dir,
            transport,
            zero_copy,
        } => attach::attach(&attach::Request {
            id,
            backing,
            run_directory: run_dir,
            sector_size,
            threads,
            own_groups: matches!(cgroup, Groups::Auto),
            state_directory: state_dir,
            transport,
            zero_copy,
        })
        .and_then(print),
        Command::Detach {
            run_dir,
            force,
            unless_used,
        } => {
            let how = match (force, unless_used) {
                (true, _) => detach::How::ByForce,
                (_, true) => detach::How::UnlessUsed,
                _ => detach::How::UnlessOpen,
            };
            detach::detach(&run_dir, how).and_then(|()| print(protocol::Nothing {}))
        }
        Command::Export { run_dir, snapshot } => {
            export::export(&run_dir, &snapshot).and_then(print)
        }
        Command::Unexport { run_dir, snapshot } => {
            export::unexport(&run_dir, &snapshot).and_then(|()| print(protocol::Nothing {}))
        }
        Command::Upgrade { run_dir, program } => program
            .map_or_else(std::env::current_exe, std::path::absolute)
            .context(|| "the program's path".into())
            .and_then(|program| upgrade::upgrade(&run_dir, &program))
            .and_then(print),
        Command::Probe => print(probe::probe()),
        Command::Keeper {
            adopt: true,
            locked,
            ..
        } => keeper::adopt(locked),
        Command::Keeper {
            configuration,
            stay_in_groups,
            ..
        } => serde_json::from_str(&configuration.unwrap_or_default())
            .map_err(|e| Failure::invalid(format!("configuration: {e}")))
            .and_then(|configuration| keeper::keep(&configuration, !stay_in_groups)),
        Command::Serve => serve::serve(),
        Command::EndUblk { number, how } => live::end::carry_out(number, how),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("stillframe-engine: {failure}");
            let _ = print(FailureDocument {
                error: failure.fault(),
            });
            ExitCode::from(1)
        }
    }
}

fn print<T: Serialize>(document: T) -> Outcome<()> {
    let text = serde_json::to_string(&document)
        .map_err(|e| Failure::new(ErrorKind::Internal, e.to_string()))?;
    println!("{text}");
    Ok(())
}
