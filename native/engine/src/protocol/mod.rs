//! The control socket's protocol: one JSON object a line, over a Unix stream socket.
//!
//! `{"id":1,"method":"describe","params":{}}` is answered by `{"id":1,"result":{…}}` or
//! `{"id":1,"error":{"kind":"…","message":"…","errno":28}}`; events have no id. The first message is
//! `hello`. The types of this module are the only definition: the TypeScript ones are generated from them
//! (`server/worker/engine/protocol.gen.ts`, `typescript`).
//!
//! Sizes are bytes, durations milliseconds unless the name says otherwise, times ISO 8601 with
//! milliseconds, UTC.

pub mod nbd;
pub mod programs;
pub mod report;
pub mod snapshots;

use report::{LossCause, Report};
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

/// Version of everything in this file. Another number at `hello` is refused.
pub const PROTOCOL: u32 = 1;

/// What kind of failure it is; the message says it to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub enum ErrorKind {
    /// The request makes no sense, here or ever.
    Invalid,
    NotFound,
    Exists,
    /// In use: mounted, attached, exported, or snapshots are open.
    Busy,
    TooMany,
    /// No room where room was asked for.
    NoSpace,
    /// The system refused an operation; see `errno`.
    Io,
    /// This kernel or file system cannot do it.
    Unsupported,
    /// Not this protocol's version, or no `hello` first.
    Protocol,
    Internal,
}

/// The `error` of a reply.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
pub struct EngineFault {
    pub kind: ErrorKind,
    pub message: String,
    pub errno: Option<i32>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HelloParams {
    pub protocol: u32,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct HelloResult {
    pub protocol: u32,
    pub version: String,
    pub pid: u32,
    /// How often an engine was started since attach; more than 1 means that it was replaced.
    pub start_count: u64,
}

/// No parameters, or nothing to answer.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(test, ts(optional_fields))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubscribeParams {
    /// 100 or more.
    pub interval_ms: u64,
    /// Reports say where it was written to.
    #[serde(default)]
    pub changes: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(test, ts(optional_fields))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShutdownParams {
    /// Also with snapshots open; they are lost.
    #[serde(default)]
    pub force: Option<bool>,
}

/// What a subscriber receives beside replies. `released` is never lost, reports may be.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "event", rename_all = "camelCase")]
pub enum Event {
    Report {
        report: Box<Report>,
    },
    Released {
        snapshot: String,
        cause: LossCause,
        errno: Option<i32>,
        detail: String,
    },
}

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpgradeParams {
    /// Absolute path of the program that is to follow. The engine ends once that stands by.
    pub program: String,
}
