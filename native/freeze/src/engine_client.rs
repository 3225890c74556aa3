//! The freeze's side of an engine's control socket: one JSON object a line, request and reply by id.
//!
//! Everything that needs memory happens before the freeze: the connection, `hello`, and the bytes of the one message
//! that is sent while the file systems stand still ([`Activation`]). Its reply is only parsed after the thaw.

use serde_json::{Value, json};
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

const PROTOCOL: u64 = 1;
/// An engine that takes longer for a plain answer is taken for dead.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
const LONGEST_LINE: usize = 1 << 20;
const LONGEST_ACTIVATION_REPLY: usize = 16 << 10;
const ACTIVATE_ID: u64 = 100;
const RELEASE_ID: u64 = 101;

/// Why a call brought no result.
#[derive(Debug)]
pub enum CallError {
    /// The engine answered with an error.
    Refused { kind: String, message: String },
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
            Self::Broken(text) => out.write_str(text),
        }
    }
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

    /// Where the snapshot's cache is.
    ///
    /// # Errors
    /// The snapshot is not there, or not in the state `prepared`.
    pub fn prepared_cache_directory(&self, snapshot: &str) -> Result<Option<String>, CallError> {
        let report = self.call(2, "describe", json!({}))?;
        let found = report["snapshots"]
            .as_array()
            .and_then(|all| all.iter().find(|one| one["id"] == snapshot))
            .ok_or_else(|| CallError::Broken(format!("it knows no snapshot {snapshot}")))?;
        match found["state"].as_str() {
            Some("prepared") => Ok(found["cacheDirectory"].as_str().map(str::to_owned)),
            state => Err(CallError::Broken(format!(
                "its snapshot {snapshot} is {}, not prepared",
                state.unwrap_or("?")
            ))),
        }
    }

    /// The backing store's path, as the engine knows it.
    ///
    /// # Errors
    /// The engine does not answer.
    pub fn backing(&self) -> Result<Option<String>, CallError> {
        Ok(self.call(3, "describe", json!({}))?["backing"]
            .as_str()
            .map(str::to_owned))
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
fn answer_to(id: u64, line: &[u8]) -> Option<Result<Value, CallError>> {
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

/// The message that takes a snapshot, ready to be sent with the frozen mount's descriptor beside it. Mount and engine
/// must stay open for as long as it is used.
pub struct Activation {
    socket: RawFd,
    message: Vec<u8>,
    /// One control message with one descriptor; words, because it must be aligned as `cmsghdr`.
    control: [u64; 4],
    reply: Vec<u8>,
    filled: usize,
}

/// How far a reply has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    Pending,
    Complete,
    /// With the errno; 0 where the engine closed the connection.
    Broken(i32),
}

/// What an engine said of a snapshot that it took.
#[derive(Debug)]
pub struct Activated {
    pub taken_at: String,
    pub free_blocks: u64,
}

impl Activation {
    /// # Errors
    /// The socket cannot be switched to not waiting.
    pub fn prepare(
        engine: &EngineClient,
        snapshot: &str,
        mount: impl AsFd,
    ) -> std::io::Result<Self> {
        engine.stream.set_nonblocking(true)?;
        let mut message =
            json!({ "id": ACTIVATE_ID, "method": "activate", "params": { "snapshot": snapshot } })
                .to_string()
                .into_bytes();
        message.push(b'\n');
        let mut control = [0_u64; 4];
        // SAFETY: CMSG_SPACE and CMSG_LEN compute sizes; 24 bytes fit into the 32 of `control`, which is aligned for
        // the header, and the descriptor lies directly behind it.
        unsafe {
            let header = control.as_mut_ptr().cast::<libc::cmsghdr>();
            (*header).cmsg_len = libc::CMSG_LEN(size_of::<RawFd>() as u32) as usize;
            (*header).cmsg_level = libc::SOL_SOCKET;
            (*header).cmsg_type = libc::SCM_RIGHTS;
            libc::CMSG_DATA(header)
                .cast::<RawFd>()
                .write_unaligned(mount.as_fd().as_raw_fd());
        }
        let reply = vec![0; LONGEST_ACTIVATION_REPLY];
        Ok(Self {
            socket: engine.stream.as_raw_fd(),
            message,
            control,
            reply,
            filled: 0,
        })
    }

    pub fn socket(&self) -> RawFd {
        self.socket
    }

    /// Sends it, without waiting.
    ///
    /// # Errors
    /// The errno; `EAGAIN` for a socket that took only a part.
    pub fn send(&mut self) -> Result<(), i32> {
        let mut part = libc::iovec {
            iov_base: self.message.as_mut_ptr().cast(),
            iov_len: self.message.len(),
        };
        // SAFETY: all-zero is a valid `msghdr`; its pointers are to parts of `self`, which outlive the call.
        let sent = unsafe {
            let mut header: libc::msghdr = std::mem::zeroed();
            header.msg_iov = &mut part;
            header.msg_iovlen = 1;
            header.msg_control = self.control.as_mut_ptr().cast();
            header.msg_controllen = libc::CMSG_SPACE(size_of::<RawFd>() as u32) as usize;
            libc::sendmsg(
                self.socket,
                &header,
                libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT,
            )
        };
        match usize::try_from(sent) {
            Ok(count) if count == self.message.len() => Ok(()),
            Ok(_) => Err(libc::EAGAIN),
            Err(_) => Err(std::io::Error::last_os_error()
                .raw_os_error()
                .unwrap_or(libc::EIO)),
        }
    }

    /// Takes what has arrived, without waiting.
    pub fn receive(&mut self) -> Reply {
        if self.filled == self.reply.len() {
            return Reply::Broken(libc::EMSGSIZE);
        }
        match crate::sys::read_once(self.socket, &mut self.reply[self.filled..]) {
            Ok(0) => Reply::Broken(0),
            Ok(count) => {
                self.filled += count;
                if self.reply[..self.filled].contains(&b'\n') {
                    Reply::Complete
                } else {
                    Reply::Pending
                }
            }
            Err(libc::EAGAIN | libc::EINTR) => Reply::Pending,
            Err(errno) => Reply::Broken(errno),
        }
    }

    /// Parses the complete reply; only after the thaw.
    ///
    /// # Errors
    /// The engine did not take the snapshot.
    pub fn outcome(&self) -> Result<Activated, CallError> {
        let line = self.reply[..self.filled]
            .split(|&byte| byte == b'\n')
            .next()
            .unwrap_or_default();
        let result = answer_to(ACTIVATE_ID, line).unwrap_or_else(|| {
            Err(CallError::Broken(
                "its answer to activate makes no sense".into(),
            ))
        })?;
        match (result["takenAt"].as_str(), result["freeBlocks"].as_u64()) {
            (Some(taken_at), free_blocks) => Ok(Activated {
                taken_at: taken_at.to_owned(),
                free_blocks: free_blocks.unwrap_or(0),
            }),
            _ => Err(CallError::Broken(
                "its answer to activate names no instant".into(),
            )),
        }
    }
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

    #[test]
    fn an_activation_that_is_refused_says_why() {
        let path = scratch_socket("refused");
        let refused =
            "{\"id\":100,\"error\":{\"kind\":\"invalid\",\"message\":\"no such snapshot\"}}\n";
        let server = serve(
            &path,
            vec![
                "{\"id\":1,\"result\":{\"protocol\":1}}\n".into(),
                refused.into(),
            ],
        );
        let engine = EngineClient::connect(&path).unwrap();
        let mount = std::fs::File::open("/").unwrap();
        let mut activation = Activation::prepare(&engine, "s", &mount).unwrap();
        activation.send().unwrap();
        while activation.receive() == Reply::Pending {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(
            activation.outcome().unwrap_err().to_string(),
            "no such snapshot"
        );
        server.join().unwrap();
        std::fs::remove_file(path).unwrap();
    }
}
