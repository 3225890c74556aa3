//! `upgrade`: the engine of an attached volume is replaced by this program, deliberately, while the
//! volume is in use and snapshots are open. What happens is described in `keeper::renewal`.

use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::keeper::channel::{self, FromKeeper, ToKeeper};
use crate::protocol::programs::UpgradeResult;
use crate::protocol::{ErrorKind, PROTOCOL};
use crate::run_directory::RunDirectory;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Until the keeper answers: a little more than it gives the new program.
const ANSWER_TIME: Duration = Duration::from_secs(15);
/// Until the new engine answers.
const TAKE_OVER_TIME: Duration = Duration::from_secs(20);

/// For the short-lived program. `program`: an absolute path.
pub fn upgrade(run_directory: &Path, program: &Path) -> Outcome<UpgradeResult> {
    let run = RunDirectory::new(run_directory)?;
    let mut client = Client::connect(&run)?;
    let before = hello(&mut client)?;
    client.call("upgrade", json!({ "program": program }))?;
    client.wait_for_end();
    let end = Instant::now() + TAKE_OVER_TIME;
    loop {
        let after = Client::connect(&run).and_then(|mut client| hello(&mut client));
        match after {
            Ok(after) if after["pid"] != before["pid"] => {
                let text = |of: &Value| of["version"].as_str().unwrap_or_default().to_owned();
                return Ok(UpgradeResult {
                    previous_version: text(&before),
                    version: text(&after),
                    pid: after["pid"].as_u64().unwrap_or(0) as u32,
                });
            }
            _ if Instant::now() > end => {
                return Err(Failure::new(
                    ErrorKind::Internal,
                    "the old engine has ended, and the new one does not answer",
                ));
            }
            _ => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

fn hello(client: &mut Client) -> Outcome<Value> {
    client.call("hello", json!({ "protocol": PROTOCOL }))
}

static ASKING: Mutex<()> = Mutex::new(());

/// For the serving engine: has the keeper start the program, and waits until it is ready.
pub fn ask_keeper(program: String) -> Outcome<()> {
    let _one = ASKING.lock().unwrap_or_else(PoisonError::into_inner);
    let asker = std::process::id();
    channel::tell_keeper(&ToKeeper::Follow { asker, program })
        .map_err(|e| Failure::io("asking the keeper", e))?;
    let end = Instant::now() + ANSWER_TIME;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match channel::hear_keeper(left) {
            Some(FromKeeper::Follows { asker: to }) if to == asker => return Ok(()),
            Some(FromKeeper::Refused { asker: to, message }) if to == asker => {
                return Err(Failure::new(ErrorKind::Unsupported, message));
            }
            _ if left.is_zero() => {
                return Err(Failure::new(
                    ErrorKind::Internal,
                    "the keeper does not answer",
                ));
            }
            _ => {}
        }
    }
}
