//! Reading lines and descriptors from a Unix socket.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::net::UnixStream;

/// Longest line that is accepted.
const MAX_LINE: usize = 64 * 1024;
/// Descriptors that may wait for the line that they belong to.
const MAX_DESCRIPTORS: usize = 4;

pub struct Receiver {
    stream: UnixStream,
    text: Vec<u8>,
    descriptors: VecDeque<File>,
}

impl Receiver {
    pub fn new(stream: UnixStream) -> Self {
        Receiver {
            stream,
            text: Vec::new(),
            descriptors: VecDeque::new(),
        }
    }

    /// The next line; None at the end of the connection.
    pub fn line(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(end) = self.text.iter().position(|b| *b == b'\n') {
                let rest = self.text.split_off(end + 1);
                let line = std::mem::replace(&mut self.text, rest);
                return String::from_utf8(line)
                    .map(|line| Some(line.trim_end().to_owned()))
                    .map_err(|_| io::Error::from(io::ErrorKind::InvalidData));
            }
            if self.text.len() > MAX_LINE {
                return Err(io::Error::from(io::ErrorKind::InvalidData));
            }
            if self.receive()? == 0 {
                return Ok(None);
            }
        }
    }

    /// The descriptor that came with the line just read, if any.
    pub fn descriptor(&mut self) -> Option<File> {
        self.descriptors.pop_front()
    }

    fn receive(&mut self) -> io::Result<usize> {
        let mut data = [0u8; 4096];
        let mut ancillary = [0u64; 16];
        let mut part = libc::iovec {
            iov_base: data.as_mut_ptr().cast(),
            iov_len: data.len(),
        };
        // SAFETY: all-zero is a value of msghdr.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_iov = &mut part;
        message.msg_iovlen = 1;
        message.msg_control = ancillary.as_mut_ptr().cast();
        message.msg_controllen = size_of_val(&ancillary) as _;
        let received = loop {
            // SAFETY: `message` points at buffers that live through the call, with their lengths.
            let n = unsafe {
                libc::recvmsg(
                    self.stream.as_raw_fd(),
                    &mut message,
                    libc::MSG_CMSG_CLOEXEC,
                )
            };
            if n >= 0 {
                break n as usize;
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        };
        self.keep_descriptors(&message);
        self.text.extend_from_slice(&data[..received]);
        Ok(received)
    }

    fn keep_descriptors(&mut self, message: &libc::msghdr) {
        // SAFETY: `message` was filled by recvmsg, its buffer lives; the macros stay inside it. Every
        // descriptor in it is new and ours.
        unsafe {
            let mut head = libc::CMSG_FIRSTHDR(message);
            while !head.is_null() {
                let h = &*head;
                if h.cmsg_level == libc::SOL_SOCKET && h.cmsg_type == libc::SCM_RIGHTS {
                    let bytes = h.cmsg_len as usize - libc::CMSG_LEN(0) as usize;
                    let first = libc::CMSG_DATA(head).cast::<libc::c_int>();
                    for n in 0..bytes / size_of::<libc::c_int>() {
                        let file = File::from_raw_fd(first.add(n).read_unaligned());
                        if self.descriptors.len() < MAX_DESCRIPTORS {
                            self.descriptors.push_back(file);
                        }
                    }
                }
                head = libc::CMSG_NXTHDR(message, head);
            }
        }
    }
}
