//! Who changed what: counts by process and path, in a bounded table.

use serde::Serialize;
use std::collections::HashMap;

/// Told of each table.
const TOLD_PROCESSES: usize = 20;
const TOLD_PATHS: usize = 20;
/// Kept of each table; what comes later is counted with its process, or not at all.
const KEPT_PROCESSES: usize = 1000;
const KEPT_PATHS: usize = 1000;
const LONGEST_COMMAND: usize = 200;

#[derive(Default)]
pub struct Tally(HashMap<i32, Process>);

struct Process {
    command: String,
    changes: u64,
    paths: HashMap<Vec<u8>, u64>,
}

#[derive(Serialize, Debug)]
pub struct ProcessTold {
    pub pid: i32,
    pub command: String,
    pub changes: u64,
    /// Most often changed first, with how often; bytes that are no UTF-8 are shown as U+FFFD.
    pub paths: Vec<(String, u64)>,
}

impl Tally {
    pub fn count(&mut self, pid: i32, path: &[u8]) {
        if !self.0.contains_key(&pid) && self.0.len() >= KEPT_PROCESSES {
            return;
        }
        let process = self.0.entry(pid).or_insert_with(|| Process {
            command: command_of(pid),
            changes: 0,
            paths: HashMap::new(),
        });
        process.changes += 1;
        if let Some(count) = process.paths.get_mut(path) {
            *count += 1;
        } else if process.paths.len() < KEPT_PATHS {
            process.paths.insert(path.to_vec(), 1);
        }
    }

    /// Those that changed most, first.
    pub fn tell(&self) -> Vec<ProcessTold> {
        let mut told: Vec<_> = self.0.iter().collect();
        told.sort_by_key(|(pid, process)| (std::cmp::Reverse(process.changes), **pid));
        told.truncate(TOLD_PROCESSES);
        let told = told.into_iter().map(|(pid, process)| {
            let mut paths: Vec<_> = process.paths.iter().collect();
            paths.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
            paths.truncate(TOLD_PATHS);
            let shown = paths.into_iter();
            ProcessTold {
                pid: *pid,
                command: process.command.clone(),
                changes: process.changes,
                paths: shown
                    .map(|(path, count)| (String::from_utf8_lossy(path).into_owned(), *count))
                    .collect(),
            }
        });
        told.collect()
    }
}

/// What a person would call it; a thread of the kernel, or one that is gone, by its short name.
fn command_of(pid: i32) -> String {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = line
        .split(|byte| *byte == 0)
        .filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(&b' ');
    let text = if line.is_empty() {
        let name = std::fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
        String::from_utf8_lossy(&name).trim_end().to_owned()
    } else {
        String::from_utf8_lossy(&line).into_owned()
    };
    match text.is_empty() {
        true => "unknown".into(),
        false => text.chars().take(LONGEST_COMMAND).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_change_most_come_first_with_their_paths() {
        let mut tally = Tally::default();
        let own = std::process::id() as i32;
        for n in 0..60 {
            tally.count(own, if n % 3 == 0 { b"/a\xff" } else { b"/b" });
        }
        for n in 0..KEPT_PATHS + 10 {
            tally.count(i32::MAX, format!("/{n}").as_bytes());
        }
        let told = tally.tell();
        assert_eq!(told[0].command, "unknown");
        assert_eq!(
            (told[0].changes, told[0].paths.len()),
            (KEPT_PATHS as u64 + 10, TOLD_PATHS)
        );
        assert_eq!(
            told[1].paths,
            [("/b".into(), 40), ("/a\u{fffd}".into(), 20)]
        );
        assert_ne!(told[1].command, "unknown");
    }
}
