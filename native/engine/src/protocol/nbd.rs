//! Offering images to NBD clients.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

/// What NBD clients may do with the live volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub enum NbdAccess {
    ReadOnly,
    ReadWrite,
}

/// Paths of PEM files. Clients must show a certificate that one of the authorities signed.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NbdTlsFiles {
    pub certificate: String,
    pub key: String,
    pub authorities: String,
}

/// Refused without TLS, on a loopback address too.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(test, ts(optional_fields))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NbdTcp {
    /// An IP address.
    pub address: String,
    /// 0: any that is free.
    pub port: u16,
    #[serde(default)]
    pub tls: Option<NbdTlsFiles>,
}

/// Offers images over NBD, beside what is offered already: the live volume as `live`, snapshots by
/// their ids. Always on the run directory's `nbd.sock`, on TCP too if asked for.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(test, ts(optional_fields))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServeNbdParams {
    #[serde(default)]
    pub live: Option<NbdAccess>,
    #[serde(default)]
    pub snapshots: Option<Vec<String>>,
    /// Also those that are taken later.
    #[serde(default)]
    pub all_snapshots: Option<bool>,
    #[serde(default)]
    pub tcp: Option<NbdTcp>,
}

/// Without `snapshot`: ends it all. With: withdraws that one; with the last one it ends.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[cfg_attr(test, ts(optional_fields))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StopNbdParams {
    #[serde(default)]
    pub snapshot: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct NbdTcpReport {
    pub address: String,
    pub port: u16,
    pub tls: bool,
}

/// What is offered over NBD.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct NbdReport {
    /// Path of the Unix socket.
    pub socket: String,
    pub tcp: Option<NbdTcpReport>,
    pub live: Option<NbdAccess>,
    /// Those that can be read now.
    pub snapshots: Vec<String>,
    pub all_snapshots: bool,
    pub connections: u32,
}
