//! What the short-lived programs (`attach`, `upgrade`, `export`, `probe`) print on standard output.

use super::EngineFault;
use serde::Serialize;
#[cfg(test)]
use ts_rs::TS;

/// What `attach` prints.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct AttachResult {
    pub id: String,
    pub device: String,
    pub socket: String,
    pub keeper_pid: u32,
    pub size_bytes: u64,
    pub sector_size: u32,
    pub transport: String,
    /// As in the report.
    pub not_ublk_because: Option<String>,
}

/// What `upgrade` prints.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct UpgradeResult {
    pub previous_version: String,
    pub version: String,
    pub pid: u32,
}

/// What `export` prints.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct ExportResult {
    pub device: String,
}

/// What a program prints on standard output when it fails.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct FailureDocument {
    pub error: EngineFault,
}

/// One kernel feature, for `doctor`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct Feature {
    pub name: String,
    pub ok: bool,
    /// Without it the engine cannot serve here.
    pub required: bool,
    pub detail: String,
}

/// A way in which volumes can be served, and whether it can be had here.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct TransportReport {
    pub name: String,
    pub ok: bool,
    pub detail: String,
}

/// What `probe` prints.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct ProbeResult {
    pub kernel: String,
    pub features: Vec<Feature>,
    pub transports: Vec<TransportReport>,
}
