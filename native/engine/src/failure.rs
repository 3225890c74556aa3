//! What went wrong: a kind for programs, a context for people, the source beneath.

use crate::protocol::{EngineFault, ErrorKind};
use serde::Deserialize;
use std::error::Error;
use std::fmt;
use std::io;

#[derive(Debug)]
pub struct Failure {
    pub kind: ErrorKind,
    pub context: String,
    pub source: Option<io::Error>,
}

pub type Outcome<T> = Result<T, Failure>;

impl Failure {
    pub fn new(kind: ErrorKind, context: impl Into<String>) -> Self {
        Failure {
            kind,
            context: context.into(),
            source: None,
        }
    }

    pub fn invalid(context: impl Into<String>) -> Self {
        Failure::new(ErrorKind::Invalid, context)
    }

    /// The kind follows from the errno.
    pub fn io(context: impl Into<String>, source: io::Error) -> Self {
        let kind = match source.raw_os_error() {
            Some(libc::ENOSPC | libc::EDQUOT | libc::EFBIG) => ErrorKind::NoSpace,
            Some(libc::ENOENT | libc::ENXIO | libc::ENODEV) => ErrorKind::NotFound,
            Some(libc::EBUSY) => ErrorKind::Busy,
            Some(libc::EOPNOTSUPP | libc::ENOSYS) => ErrorKind::Unsupported,
            _ => ErrorKind::Io,
        };
        Failure {
            kind,
            context: context.into(),
            source: Some(source),
        }
    }

    /// What another of these programs printed as its failure; None: it printed none. One of another version may name a
    /// kind that this one does not know.
    pub fn told(said: &str) -> Option<Self> {
        let document: serde_json::Value = serde_json::from_str(said.trim()).ok()?;
        let error = &document["error"];
        let kind = ErrorKind::deserialize(&error["kind"]).unwrap_or(ErrorKind::Internal);
        Some(Failure::new(kind, error["message"].as_str()?))
    }

    pub fn fault(&self) -> EngineFault {
        EngineFault {
            kind: self.kind,
            message: self.to_string(),
            errno: self.source.as_ref().and_then(io::Error::raw_os_error),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => write!(f, "{}: {}", self.context, source),
            None => f.write_str(&self.context),
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|e| e as &(dyn Error + 'static))
    }
}

/// Adds a context to an I/O error.
pub trait Context<T> {
    fn context(self, context: impl FnOnce() -> String) -> Outcome<T>;
}

impl<T> Context<T> for io::Result<T> {
    fn context(self, context: impl FnOnce() -> String) -> Outcome<T> {
        self.map_err(|e| Failure::io(context(), e))
    }
}
