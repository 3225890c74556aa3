//! What the program prints: one JSON line, exactly one.

use serde::Serialize;

/// Why no snapshot was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// The freeze outlived its deadline, or somebody thawed a mount before its time.
    Deadline,
    /// Dirty pages were not written back within the limit; nothing was frozen.
    Sync,
    /// A file system could not be frozen.
    Freeze,
    /// An engine did not answer or did not take its snapshot.
    Activate,
    /// The request was wrong or could never work; nothing was frozen.
    Refused,
    /// A signal, the end of the control pipe, or the death of one of the two processes.
    Interrupted,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Success {
    pub ok: bool,
    /// From before the first freeze to after the last thaw.
    pub frozen_ms: f64,
    /// Between the first and the last engine's answer; all mounts were frozen throughout.
    pub spread_ms: f64,
    pub volumes: Vec<Taken>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Taken {
    pub name: String,
    pub snapshot: String,
    /// The engine's own, ISO 8601 with milliseconds.
    pub taken_at: String,
    pub free_blocks: u64,
    #[serde(flatten)]
    pub times: Times,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    pub ok: bool,
    pub kind: Kind,
    pub message: String,
    /// Name of the volume to which it happened.
    pub mount: Option<String>,
    /// In the order of freezing, as far as it came.
    pub volumes: Vec<Tried>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tried {
    pub name: String,
    #[serde(flatten)]
    pub times: Times,
}

/// Milliseconds; none where it did not come to that.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Times {
    /// Writing dirty pages back, before the freeze.
    pub sync_ms: Option<f64>,
    /// The call that froze.
    pub freeze_ms: Option<f64>,
    /// From frozen to thawed: what a writer may have waited beside the freeze itself.
    pub frozen_ms: Option<f64>,
    /// The call that thawed.
    pub thaw_ms: Option<f64>,
}

impl Failure {
    pub fn new(kind: Kind, message: String) -> Self {
        Self {
            ok: false,
            kind,
            message,
            mount: None,
            volumes: Vec::new(),
        }
    }
}

/// Nanoseconds as milliseconds with three decimals.
pub fn millis(nanoseconds: u64) -> f64 {
    (nanoseconds as f64 / 1e3).round() / 1e3
}

/// The line to print, with its end.
pub fn line(report: &impl Serialize) -> String {
    let mut text = serde_json::to_string(report).expect("a report has only texts and numbers");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_the_promised_shape() {
        let report = Failure::new(Kind::Deadline, "late".into());
        assert_eq!(
            line(&report),
            "{\"ok\":false,\"kind\":\"deadline\",\"message\":\"late\",\"mount\":null,\"volumes\":[]}\n"
        );
    }

    #[test]
    fn times_are_milliseconds_with_three_decimals() {
        assert_eq!(millis(1_234_567), 1.235);
    }
}
