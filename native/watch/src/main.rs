//! `stillframe-watch`: who writes to mounted file systems, and which changes of their devices are of ignored paths. See
//! [`volume`] for how that is decided.
//!
//! One line of JSON to start it, then a line for each question; a line answers each, in order. It ends when standard
//! input does.

mod events;
mod extents;
mod file_map;
mod ignored;
mod mapping;
mod own_structures;
mod protocol;
mod sys;
mod tally;
mod volume;

use crate::protocol::{Answer, Question, Start, Started, StartedVolume};
use crate::volume::Volume;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;

const LONGEST_LINE: usize = 16 << 20;

const HELP: &str = "\
Usage: stillframe-watch < questions
       stillframe-watch --check

Tells who writes to mounted file systems, and which changes of their devices are of ignored paths.

The first line of JSON on standard input says what to watch, each further one asks; a line answers each:
  {\"volumes\":[{\"name\":…,\"mount\":…,\"device\":…}],\"ignore\":[…]}
  {\"judge\":…,\"changes\":[[at,offset,length],…]}      of a volume, changes of its device that were made: which count
  {\"writers\":true}                                  by process and path, and what was ignored
It ends when standard input does.

--check says whether the kernel tells what is needed here.

Exit codes: 0 ended; 1 the file systems cannot be watched; 2 wrong usage.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {}
        ["--help" | "-h"] => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        ["--version" | "-V"] => {
            println!("stillframe-watch {}", env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        ["--check"] => return check(),
        _ => {
            eprint!("stillframe-watch takes no such arguments.\n\n{HELP}");
            return ExitCode::from(2);
        }
    }
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            let _ = say(&Started::Refused { reason: &reason });
            eprintln!("stillframe-watch: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn check() -> ExitCode {
    let told = sys::fanotify().and_then(|group| {
        let root = File::open("/proc/self/exe")?;
        sys::fanotify_mark(&group, events::MODIFIED | events::NAMES, &root)
    });
    match told {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            println!("fanotify with names of directories (kernel 5.9): {e}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), String> {
    let mut input = Input::new().map_err(|e| format!("standard input: {e}"))?;
    let Some(line) = input
        .line_waiting()
        .map_err(|e| format!("standard input: {e}"))?
    else {
        return Ok(());
    };
    let start: Start = serde_json::from_slice(&line).map_err(|e| format!("not a request: {e}"))?;
    let mut volumes = Vec::new();
    for asked in start.volumes {
        volumes.push(Volume::watch(
            asked.name,
            &asked.mount,
            &asked.device,
            &start.ignore,
        )?);
    }
    let started = volumes.iter().map(|volume| StartedVolume {
        name: &volume.name,
        refused: volume.refused(),
    });
    say(&Started::Watching {
        volumes: started.collect(),
    })?;
    loop {
        while let Some(line) = input.line() {
            say(&answer(&mut volumes, &line)?)?;
        }
        let mut files = vec![&input.file];
        files.extend(volumes.iter().map(|volume| &volume.group));
        let ready = sys::poll(&files, -1).map_err(|e| format!("waiting: {e}"))?;
        for (volume, _) in volumes
            .iter_mut()
            .zip(&ready[1..])
            .filter(|(_, ready)| **ready)
        {
            volume
                .listen()
                .map_err(|e| format!("{}: {e}", volume.name))?;
        }
        if ready[0] && !input.fill().map_err(|e| format!("standard input: {e}"))? {
            return Ok(());
        }
    }
}

fn answer(volumes: &mut [Volume], line: &[u8]) -> Result<Answer, String> {
    match serde_json::from_slice(line).map_err(|e| format!("not a question: {e}"))? {
        Question::Judge { judge, changes } => {
            let volume = volumes.iter_mut().find(|volume| volume.name == judge);
            let volume = volume.ok_or_else(|| format!("{judge:?} is not watched"))?;
            let judged = volume.judge(&changes);
            Ok(Answer::Judged(judged.map_err(|e| format!("{judge}: {e}"))?))
        }
        Question::Writers { .. } => {
            for volume in volumes.iter_mut() {
                volume
                    .listen()
                    .map_err(|e| format!("{}: {e}", volume.name))?;
            }
            Ok(Answer::Writers {
                writers: volumes.iter().flat_map(Volume::writers).collect(),
                spared: volumes.iter().flat_map(Volume::spared).collect(),
            })
        }
    }
}

fn say<T: serde::Serialize>(value: &T) -> Result<(), String> {
    let mut line = serde_json::to_vec(value).map_err(|e| e.to_string())?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line)
        .and_then(|()| out.flush())
        .map_err(|e| format!("standard output: {e}"))
}

/// Lines of standard input, which is waited for together with other things.
struct Input {
    file: File,
    text: Vec<u8>,
}

impl Input {
    fn new() -> io::Result<Self> {
        let file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        Ok(Input { file, text: vec![] })
    }

    fn line(&mut self) -> Option<Vec<u8>> {
        let end = self.text.iter().position(|byte| *byte == b'\n')?;
        let rest = self.text.split_off(end + 1);
        Some(std::mem::replace(&mut self.text, rest))
    }

    /// False at its end.
    fn fill(&mut self) -> io::Result<bool> {
        let mut room = [0; 64 << 10];
        let filled = self.file.read(&mut room)?;
        self.text.extend_from_slice(&room[..filled]);
        if self.text.len() > LONGEST_LINE {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        Ok(filled > 0)
    }

    fn line_waiting(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(line) = self.line() {
                return Ok(Some(line));
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }
}
