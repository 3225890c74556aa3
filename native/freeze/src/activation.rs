//! The one message that is sent while the file systems stand still. Its bytes and the room for its reply exist before
//! the freeze; the reply is only parsed after the thaw.

use crate::engine_client::{CallError, EngineClient, answer_to};
use serde_json::json;
use std::os::fd::{AsFd, AsRawFd, RawFd};

const LONGEST_REPLY: usize = 16 << 10;
const ID: u64 = 100;

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
        let socket = engine.without_waiting()?;
        let mut message =
            json!({ "id": ID, "method": "activate", "params": { "snapshot": snapshot } })
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
        let reply = vec![0; LONGEST_REPLY];
        Ok(Self {
            socket,
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
        let result = answer_to(ID, line).unwrap_or_else(|| {
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
    use std::io::{BufRead, BufReader, Write};
    use std::os::unix::net::UnixListener;

    #[test]
    fn an_activation_that_is_refused_says_why() {
        let path =
            std::env::temp_dir().join(format!("freeze-test-{}-refused.sock", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        let server = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            lines.next().unwrap().unwrap();
            (&stream)
                .write_all(b"{\"id\":1,\"result\":{\"protocol\":1}}\n")
                .unwrap();
            lines.next().unwrap().unwrap();
            let refused =
                b"{\"id\":100,\"error\":{\"kind\":\"invalid\",\"message\":\"no such snapshot\"}}\n";
            (&stream).write_all(refused).unwrap();
        });
        let engine = EngineClient::connect(&path).unwrap();
        let mount = std::fs::File::open("/").unwrap();
        let mut activation = Activation::prepare(&engine, "s", &mount).unwrap();
        activation.send().unwrap();
        while activation.receive() == Reply::Pending {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        assert_eq!(
            activation.outcome().unwrap_err().to_string(),
            "no such snapshot"
        );
        server.join().unwrap();
        std::fs::remove_file(path).unwrap();
    }
}
