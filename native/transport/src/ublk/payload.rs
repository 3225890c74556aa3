//! The data of one request, which the kernel keeps until the request is answered.

use super::abi;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

#[derive(Debug, Clone, Copy)]
pub struct Payload<'a> {
    pub character: &'a File,
    pub queue: u16,
    pub tag: u16,
    /// Bytes.
    pub length: u64,
}

impl Payload<'_> {
    /// Copies it into this process's memory. `into`: as long as it is.
    pub fn fetch(&self, into: &mut [u8]) -> io::Result<()> {
        self.character.read_exact_at(into, self.position())
    }

    /// Copies what was read into it. `from`: as long as it is.
    pub fn fill(&self, from: &[u8]) -> io::Result<()> {
        self.character.write_all_at(from, self.position())
    }

    fn position(&self) -> u64 {
        abi::data_position(self.queue, self.tag)
    }
}
