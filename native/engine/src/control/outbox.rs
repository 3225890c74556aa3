//! What is to be written to a connection.
//!
//! Replies and events wait in a queue; of reports only the newest waits, so that a slow reader loses
//! reports and delays nobody. A reader that lets the queue grow too long is cut off.

use std::collections::VecDeque;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const MAX_WAITING: usize = 1024;

#[derive(Default)]
pub struct Outbox {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: VecDeque<String>,
    report: Option<String>,
    closed: bool,
}

impl Outbox {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a reply or an event.
    pub fn send(&self, line: String) {
        let mut waiting = self.waiting();
        if waiting.lines.len() >= MAX_WAITING {
            waiting.closed = true;
        } else {
            waiting.lines.push_back(line);
        }
        self.changed.notify_all();
    }

    /// Queues a report in place of one that still waits. False once the connection is closed.
    pub fn send_report(&self, line: String) -> bool {
        let mut waiting = self.waiting();
        waiting.report = Some(line);
        self.changed.notify_all();
        !waiting.closed
    }

    pub fn close(&self) {
        self.waiting().closed = true;
        self.changed.notify_all();
    }

    /// Waits so long, or until the connection is closed.
    pub fn pause(&self, time: Duration) {
        let waiting = self.waiting();
        let _ = self
            .changed
            .wait_timeout_while(waiting, time, |w| !w.closed);
    }

    /// Writes until the connection is closed and everything queued before is written.
    pub fn write_to(&self, mut stream: UnixStream) {
        loop {
            let waiting = self.waiting();
            let waiting = self.changed.wait_while(waiting, |w| {
                w.lines.is_empty() && w.report.is_none() && !w.closed
            });
            let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
            let line = waiting.lines.pop_front().or_else(|| waiting.report.take());
            drop(waiting);
            let written = match line {
                Some(mut line) => {
                    line.push('\n');
                    stream.write_all(line.as_bytes()).is_ok()
                }
                None => false,
            };
            if !written {
                self.close();
                let _ = stream.shutdown(std::net::Shutdown::Both);
                return;
            }
        }
    }
}
