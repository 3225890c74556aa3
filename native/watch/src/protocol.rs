//! The lines of standard input and output. `server/worker/quiet/path-watch.ts` is the other end.

use crate::tally::ProcessTold;
use crate::volume::{Change, Judgement, Spared};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    pub volumes: Vec<StartVolume>,
    #[serde(default)]
    pub ignore: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartVolume {
    /// What the caller calls it.
    pub name: String,
    pub mount: String,
    /// On which the file system lies, from its first byte on.
    pub device: String,
}

#[derive(Serialize)]
#[serde(untagged)]
pub enum Started<'a> {
    Watching { volumes: Vec<StartedVolume<'a>> },
    Refused { reason: &'a str },
}

#[derive(Serialize)]
pub struct StartedVolume<'a> {
    pub name: &'a str,
    /// Why every change of it counts.
    pub refused: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub enum Question {
    Judge {
        judge: String,
        changes: Vec<Change>,
    },
    Writers {
        #[serde(rename = "writers")]
        _writers: bool,
    },
}

#[derive(Serialize)]
#[serde(untagged)]
pub enum Answer {
    Judged(Judgement),
    Writers {
        /// By process and path, without what is ignored.
        writers: Vec<ProcessTold>,
        spared: Vec<Spared>,
    },
}
