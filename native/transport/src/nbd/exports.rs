//! What a server offers, as the engine tells it.

use crate::served::{Errno, Image, Served};

/// One thing that a client can choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    pub name: String,
    pub image: Image,
    pub read_only: bool,
    /// For people.
    pub description: String,
    /// Names of its metadata contexts beside `base:allocation`.
    pub contexts: Vec<String>,
}

/// What can be asked about the blocks of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Context {
    /// `base:allocation`
    Allocation,
    /// One of [`Export::contexts`].
    Named(String),
}

/// A run of bytes with one status; the meaning of `flags` is the context's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    pub length: u64,
    pub flags: u32,
}

/// A volume that can be served over NBD.
pub trait Exports: Served {
    /// What is offered now.
    fn exports(&self) -> Vec<Export>;
    /// Offsets and lengths of changes are multiples of it, in bytes.
    fn sector_size(&self) -> u32;
    /// The status of `offset..offset + length`, which lies inside the volume, in at most `most` extents
    /// from `offset` on. They cover less than was asked where there would be more. Neighbours differ.
    fn status(
        &self,
        image: Image,
        context: &Context,
        offset: u64,
        length: u64,
        most: usize,
    ) -> Result<Vec<Extent>, Errno>;
}
