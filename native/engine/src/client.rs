//! A caller of the control socket, for the short-lived programs.

use crate::failure::{Context, Failure, Outcome};
use crate::protocol::{EngineFault, ErrorKind, PROTOCOL};
use crate::run_directory::{self, RunDirectory};
use serde_json::{Value, json};
use socket2::{Domain, SockAddr, Socket, Type};
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

const CALL_TIME: Duration = Duration::from_secs(30);
/// An engine that is being replaced answers within this time.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// Longer than it takes somebody to go on in a dead keeper's place.
const WITHOUT_KEEPER: Duration = Duration::from_secs(4);
/// Within this time an engine that is being replaced, also by one that crashes at first, answers again.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Client {
    stream: BufReader<UnixStream>,
    next: u64,
}

impl Client {
    /// Fails at once if nobody listens.
    pub fn connect(run: &RunDirectory) -> Outcome<Self> {
        Client::greet(run, CONNECT_TIME)
    }

    /// Tries until an engine answers, or its keeper tells why none will, or is gone.
    pub fn connect_within(run: &RunDirectory, time: Duration) -> Outcome<Self> {
        let end = Instant::now() + time;
        let mut kept = Instant::now();
        loop {
            match Client::greet(run, time) {
                Ok(client) => return Ok(client),
                Err(e) if Instant::now() > end => return Err(e),
                Err(_) => {
                    if let Some(why) = run.refused() {
                        return Err(Failure::new(ErrorKind::Io, why));
                    }
                    if run_directory::keeper(run).is_some() {
                        kept = Instant::now();
                    } else if kept.elapsed() > WITHOUT_KEEPER {
                        let why = "the keeper ended before an engine served";
                        return Err(Failure::new(ErrorKind::Io, why));
                    }
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        }
    }

    /// The engine of an attached volume, and its report. None: there is none, nor a keeper that would start one. While
    /// the keeper lives, an engine that does not answer is not one that is not there: it may have snapshots and NBD
    /// clients.
    pub fn of_attached(run: &RunDirectory) -> Outcome<Option<(Self, Value)>> {
        let end = Instant::now() + PATIENCE;
        let mut unkept = None;
        loop {
            let asked = Client::connect(run).and_then(|mut client| {
                client.limit(CONNECT_TIME)?;
                let report = client.call("describe", json!({}))?;
                client.limit(CALL_TIME)?;
                Ok((client, report))
            });
            let why = match asked {
                Ok(told) => return Ok(Some(told)),
                Err(why) => why,
            };
            if run_directory::keeper(run).is_some() {
                unkept = None;
                // One of another version answers so each time.
                if why.kind == ErrorKind::Protocol || Instant::now() > end {
                    let what = format!(
                        "the engine of {} does not answer ({why}); detach --force ends it anyhow, with its snapshots",
                        run.path().display()
                    );
                    return Err(Failure::new(ErrorKind::Busy, what));
                }
            } else if nobody_listens(&why)
                || unkept.get_or_insert_with(Instant::now).elapsed() > WITHOUT_KEEPER
            {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn greet(run: &RunDirectory, time: Duration) -> Outcome<Self> {
        let stream = reach(&run.socket()).context(|| "no engine listens".into())?;
        stream
            .set_read_timeout(Some(time))
            .and_then(|()| stream.set_write_timeout(Some(time)))
            .context(|| "control socket".into())?;
        let mut client = Client {
            stream: BufReader::new(stream),
            next: 1,
        };
        client.call("hello", json!({ "protocol": PROTOCOL }))?;
        client.limit(CALL_TIME)?;
        Ok(client)
    }

    /// How long each answer is waited for.
    fn limit(&self, time: Duration) -> Outcome<()> {
        let stream = self.stream.get_ref();
        stream
            .set_read_timeout(Some(time))
            .context(|| "control socket".into())
    }

    /// Waits until the engine closes the connection, as it does when it ends.
    pub fn wait_for_end(&mut self) {
        let mut line = String::new();
        while self.stream.read_line(&mut line).is_ok_and(|n| n > 0) {
            line.clear();
        }
    }

    pub fn call(&mut self, method: &str, params: Value) -> Outcome<Value> {
        let id = self.next;
        self.next += 1;
        let mut text = json!({ "id": id, "method": method, "params": params }).to_string();
        text.push('\n');
        let lost = || format!("talking to the engine ({method})");
        self.stream
            .get_mut()
            .write_all(text.as_bytes())
            .context(lost)?;
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).context(lost)? == 0 {
                return Err(Failure::new(
                    ErrorKind::Io,
                    "the engine closed the connection",
                ));
            }
            let reply: Value = serde_json::from_str(&line)
                .map_err(|e| Failure::new(ErrorKind::Protocol, format!("reply: {e}")))?;
            if reply["id"] != id {
                continue;
            }
            if let Ok(fault) = serde_json::from_value::<EngineFault>(reply["error"].clone()) {
                return Err(Failure::new(fault.kind, fault.message));
            }
            return Ok(reply["result"].clone());
        }
    }
}

/// Never waits: one that hangs takes no callers in, and the queue for them may be full.
fn reach(socket: &Path) -> io::Result<UnixStream> {
    let caller = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    caller.set_nonblocking(true)?;
    caller.connect(&SockAddr::unix(socket)?)?;
    caller.set_nonblocking(false)?;
    Ok(OwnedFd::from(caller).into())
}

/// No process has the socket: neither an engine, nor one that stands by, nor a keeper.
fn nobody_listens(why: &Failure) -> bool {
    let errno = why.source.as_ref().and_then(io::Error::raw_os_error);
    matches!(errno, Some(libc::ECONNREFUSED | libc::ENOENT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixListener;

    #[test]
    fn one_that_takes_no_callers_in_holds_up_nobody() {
        let path = std::env::temp_dir().join(format!("client-{}.sock", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        // SAFETY: takes numbers only.
        assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), 1) }, 0);
        let mut waiting = Vec::new();
        let full = loop {
            match reach(&path) {
                Ok(caller) => waiting.push(caller),
                Err(why) => break why,
            }
            assert!(waiting.len() < 100);
        };
        assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
        let why: Outcome<()> = Err(full).context(|| "no engine listens".into());
        assert!(!nobody_listens(&why.unwrap_err()), "it is there");
        std::fs::remove_file(&path).unwrap();
    }
}
