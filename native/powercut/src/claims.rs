//! Claims: marks in the log of the dm-log-writes device.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;

/// `struct dm_ioctl` of linux/dm-ioctl.h: up to and with its name, then the rest.
const HEAD_BYTES: usize = 312;
const NAME_AT: usize = 48;
const NAME_BYTES: usize = 128;
/// `_IOWR(DM_IOCTL, DM_TARGET_MSG_CMD, struct dm_ioctl)`.
const DM_TARGET_MSG: libc::c_ulong = 0xc138_fd0e;

pub struct Claims {
    control: File,
    device: String,
}

impl Claims {
    /// `device` is the name of a dm-log-writes device.
    pub fn open(device: &str) -> io::Result<Self> {
        if device.len() >= NAME_BYTES {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        let control = OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/mapper/control")?;
        Ok(Claims {
            control,
            device: device.to_owned(),
        })
    }

    /// Returns when the claim has its place in the log's order.
    pub fn make(&self, kind: &str, stream: u32, number: u32) -> io::Result<()> {
        let mut message = self.head(&format!("mark {kind}:{stream}:{number}"));
        // SAFETY: `message` is a dm_ioctl whose data_size is its length; the kernel stays inside.
        let result = unsafe {
            libc::ioctl(
                self.control.as_raw_fd(),
                DM_TARGET_MSG,
                message.as_mut_ptr(),
            )
        };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    /// A `dm_ioctl`, the sector that picks the target (0), and the message.
    fn head(&self, text: &str) -> Vec<u8> {
        let mut message = vec![0u8; HEAD_BYTES + 8];
        message.extend_from_slice(text.as_bytes());
        message.push(0);
        let size = message.len() as u32;
        for (n, word) in [4u32, 0, 0, size, HEAD_BYTES as u32].iter().enumerate() {
            message[n * 4..n * 4 + 4].copy_from_slice(&word.to_ne_bytes());
        }
        message[NAME_AT..NAME_AT + self.device.len()].copy_from_slice(self.device.as_bytes());
        message
    }
}
