//! The freeze's side of an engine's control socket: one JSON object a line, request and reply by id.
//!
//! These calls wait and need memory: they are made before the freeze and after the thaw. For the one message between the
//! two see `activation`.

use serde_json::{Value, json};
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

const PROTOCOL: u64 = 1;
/// An engine that takes longer for a plain answer is taken for dead.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
const LONGEST_LINE: usize = 1 << 20;
const RELEASE_ID: u64 = 101;

/// Why a call brought no result.
#[derive(Debug)]
pub enum CallError {
    /// The engine answered with an error.
    Refused { kind: String, message: String },
    /// It answered, but with something else than what is needed.
    Unfit(String),
    /// No answer in time; it may still come.
    Silent,
    /// No connection, or an answer that makes no sense.
    Broken(String),
}

impl std::fmt::Display for CallError {
    fn fmt(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Refused { message, .. } => out.write_str(message),
            Self::Silent => out.write_str("it does not answer"),
            Self::Unfit(text) | Self::Broken(text) => out.write_str(text),
        }
    }
}

/// Paths that a freeze must know of.
pub struct Prepared {
    pub backing: String,
    pub cache_directories: Vec<String>,
}

pub struct EngineClient {
    stream: UnixStream,
}

impl EngineClient {
    /// Connects and agrees on the protocol.
    ///
    /// # Errors
    /// The engine does not answer, or speaks another protocol.
    pub fn connect(socket: &Path) -> Result<Self, CallError> {
        let broken = |error: std::io::Error| CallError::Broken(error.to_string());
        let stream = UnixStream::connect(socket).map_err(broken)?;
        stream
            .set_read_timeout(Some(ANSWER_WITHIN))
            .map_err(broken)?;
        stream
            .set_write_timeout(Some(ANSWER_WITHIN))
            .map_err(broken)?;
        let client = Self { stream };
        let hello = client.call(1, "hello", json!({ "protocol": PROTOCOL }))?;
        match hello.get("protocol").and_then(Value::as_u64) {
            Some(PROTOCOL) => Ok(client),
            other => Err(CallError::Broken(format!(
                "it speaks protocol {other:?}, not {PROTOCOL}"
            ))),
        }
    }

    /// What the engine knows of a snapshot that it has prepared.
    ///
    /// # Errors
    /// The snapshot is not there, or not in the state `prepared`.
    pub fn prepared(&self, snapshot: &str) -> Result<Prepared, CallError> {
        let report = self.call(2, "describe", json!({}))?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let found = report["snapshots"]
            .as_array()
            .and_then(|all| all.iter().find(|one| one["id"] == snapshot))
            .ok_or_else(|| CallError::Unfit(format!("it knows no snapshot {snapshot}")))?;
        match text(&found["state"]).as_str() {
            "prepared" => {
                let first = text(&found["cacheDirectory"]);
                let spill = found["spill"].as_array().into_iter().flatten();
                let spill = spill.map(|place| text(&place["directory"]));
                Ok(Prepared {
                    backing: text(&report["backing"]),
                    cache_directories: std::iter::once(first).chain(spill).collect(),
                })
            }
            state => Err(CallError::Unfit(format!(
                "its snapshot {snapshot} is {state}, not prepared"
            ))),
        }
    }

    /// Lets go of a snapshot, whatever state it is in. That it is not there is success.
    ///
    /// # Errors
    /// The engine does not answer; the request stays in its socket, behind what was sent before.
    pub fn release(&self, snapshot: &str) -> Result<(), CallError> {
        self.stream
            .set_nonblocking(false)
            .map_err(|error| CallError::Broken(error.to_string()))?;
        match self.call(RELEASE_ID, "release", json!({ "snapshot": snapshot })) {
            Err(CallError::Refused { kind, .. }) if kind == "notFound" => Ok(()),
            other => other.map(drop),
        }
    }

    /// For a message that must not wait.
    ///
    /// # Errors
    /// The socket cannot be switched to not waiting.
    pub fn without_waiting(&self) -> std::io::Result<RawFd> {
        self.stream.set_nonblocking(true)?;
        Ok(self.stream.as_raw_fd())
    }

    fn call(&self, id: u64, method: &str, params: Value) -> Result<Value, CallError> {
        let broken = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::WouldBlock => CallError::Silent,
            _ => CallError::Broken(error.to_string()),
        };
        let mut line = json!({ "id": id, "method": method, "params": params }).to_string();
        line.push('\n');
        (&self.stream).write_all(line.as_bytes()).map_err(broken)?;
        let give_up = Instant::now() + ANSWER_WITHIN;
        let mut received = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            if let Some(end) = received.iter().position(|&byte| byte == b'\n') {
                // A reply to an earlier message, or the rest of one, is passed over.
                if let Some(answer) = answer_to(id, &received[..end]) {
                    return answer;
                }
                received.drain(..=end);
                continue;
            }
            if received.len() > LONGEST_LINE || Instant::now() > give_up {
                return Err(CallError::Silent);
            }
            match (&self.stream).read(&mut chunk).map_err(broken)? {
                0 => return Err(CallError::Broken("it closed the connection".into())),
                count => received.extend_from_slice(&chunk[..count]),
            }
        }
    }
}

/// What a line says to the request `id`; none if it is no reply to it.
pub fn answer_to(id: u64, line: &[u8]) -> Option<Result<Value, CallError>> {
    let mut reply: Value = serde_json::from_slice(line).ok()?;
    if reply["id"] != id {
        return None;
    }
    if let Some(error) = reply.get("error") {
        let text = |key: &str| error[key].as_str().unwrap_or("unknown").to_owned();
        return Some(Err(CallError::Refused {
            kind: text("kind"),
            message: text("message"),
        }));
    }
    Some(Ok(reply["result"].take()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufRead;
    use std::os::unix::net::UnixListener;

    fn scratch_socket(name: &str) -> std::path::PathBuf {
        let path =
            std::env::temp_dir().join(format!("freeze-test-{}-{name}.sock", std::process::id()));
        let _ = std::fs::remove_file(&path);
        path
    }

    /// Answers each line that arrives with the next of `answers`.
    fn serve(path: &Path, answers: Vec<String>) -> std::thread::JoinHandle<Vec<String>> {
        let listener = UnixListener::bind(path).unwrap();
        std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut lines = std::io::BufReader::new(stream.try_clone().unwrap()).lines();
            let mut seen = Vec::new();
            for answer in answers {
                seen.push(lines.next().unwrap().unwrap());
                (&stream).write_all(answer.as_bytes()).unwrap();
            }
            seen
        })
    }

    #[test]
    fn an_engine_of_another_protocol_is_refused() {
        let path = scratch_socket("protocol");
        let server = serve(
            &path,
            vec!["{\"id\":1,\"result\":{\"protocol\":2}}\n".into()],
        );
        assert!(
            matches!(EngineClient::connect(&path), Err(CallError::Broken(text)) if text.contains("protocol"))
        );
        server.join().unwrap();
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_late_reply_to_activate_does_not_hide_that_of_release() {
        let path = scratch_socket("late");
        let late = "{\"id\":100,\"result\":{\"takenAt\":\"x\"}}\n{\"id\":101,\"error\":{\"kind\":\"notFound\",\"message\":\"\"}}\n";
        let server = serve(
            &path,
            vec![
                "{\"id\":1,\"result\":{\"protocol\":1}}\n".into(),
                late.into(),
            ],
        );
        EngineClient::connect(&path).unwrap().release("s").unwrap();
        assert!(server.join().unwrap()[1].contains("\"release\""));
        std::fs::remove_file(path).unwrap();
    }
}
