//! The methods of the socket, by name.

use super::connection::check_protocol;
use crate::engine::Engine;
use crate::failure::{Failure, Outcome};
use crate::nbd;
use crate::protocol::nbd::{ServeNbdParams, StopNbdParams};
use crate::protocol::snapshots::{
    AddCacheParams, ChangesParams, PrepareParams, ProgressParams, ReserveParams, SetPolicyParams,
    SnapshotParams,
};
use crate::protocol::{
    ErrorKind, HelloParams, HelloResult, Nothing, PROTOCOL, ShutdownParams, SubscribeParams,
    UpgradeParams,
};
use crate::reporting::Since;
use crate::state::Word;
use crate::upgrade;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

const MIN_INTERVAL_MS: u64 = 100;
const MAX_INTERVAL_MS: u64 = 3_600_000;

/// What the connection does once the reply is sent.
pub enum After {
    Nothing,
    /// How often, and whether with the changes.
    Subscribe(Duration, bool),
    HandOver,
    Shutdown,
}

/// Whether a file system may be frozen until this method is answered.
pub fn is_urgent(method: &str) -> bool {
    method == "activate"
}

pub fn call(
    engine: &Arc<Engine>,
    method: &str,
    params: Value,
    descriptor: Option<File>,
) -> Outcome<(Value, After)> {
    let registry = &engine.registry;
    let result = match method {
        "hello" => {
            check_protocol(parse::<HelloParams>(params)?.protocol)?;
            result(&HelloResult {
                protocol: PROTOCOL,
                version: crate::VERSION.to_owned(),
                pid: std::process::id(),
                start_count: engine.state.get(Word::StartCount),
            })
        }
        "describe" => {
            parse::<Nothing>(params)?;
            result(&engine.report(&mut Since::default()))
        }
        "prepare" => result(&registry.prepare(&parse::<PrepareParams>(params)?)?),
        "activate" => {
            let ask: SnapshotParams = parse(params)?;
            result(&registry.activate(&ask.snapshot, descriptor)?)
        }
        "release" => {
            let released = registry.release(&parse::<SnapshotParams>(params)?.snapshot)?;
            nbd::forget_released(engine);
            result(&released)
        }
        "setPolicy" => {
            registry.set_policy(&parse::<SetPolicyParams>(params)?)?;
            result(&Nothing {})
        }
        "reserve" => result(&registry.reserve(parse::<ReserveParams>(params)?.bytes)?),
        "serveNbd" => result(&nbd::serve(engine, parse::<ServeNbdParams>(params)?)?),
        "stopNbd" => {
            let ask: StopNbdParams = parse(params)?;
            nbd::stop(engine, ask.snapshot.as_deref())?;
            result(&Nothing {})
        }
        "addCache" => {
            registry.add_cache(&parse::<AddCacheParams>(params)?)?;
            result(&Nothing {})
        }
        "progress" => result(&registry.progress(&parse::<ProgressParams>(params)?)?),
        "changes" => result(&registry.changes(&parse::<ChangesParams>(params)?)?),
        "subscribe" => {
            let SubscribeParams {
                interval_ms: interval,
                changes,
            } = parse(params)?;
            if !(MIN_INTERVAL_MS..=MAX_INTERVAL_MS).contains(&interval) {
                return Err(Failure::invalid(format!(
                    "intervalMs must be {MIN_INTERVAL_MS} to {MAX_INTERVAL_MS}"
                )));
            }
            let after = After::Subscribe(Duration::from_millis(interval), changes == Some(true));
            return Ok((result(&Nothing {})?, after));
        }
        "upgrade" => {
            upgrade::ask_keeper(parse::<UpgradeParams>(params)?.program)?;
            return Ok((result(&Nothing {})?, After::HandOver));
        }
        "shutdown" => {
            let force = parse::<ShutdownParams>(params)?.force.unwrap_or(false);
            shut_down(engine, force)?;
            return Ok((result(&Nothing {})?, After::Shutdown));
        }
        _ => Err(Failure::invalid(format!("there is no method {method:?}"))),
    };
    Ok((result?, After::Nothing))
}

fn shut_down(engine: &Engine, force: bool) -> Outcome<()> {
    let open = engine.registry.table.snapshots();
    if !open.is_empty() && !force {
        return Err(Failure::new(
            ErrorKind::Busy,
            format!("{} snapshots are open", open.len()),
        ));
    }
    for (_, snapshot) in open {
        engine.registry.release(&snapshot.id)?;
    }
    if !force {
        engine.registry.end_cleanly();
    }
    Ok(())
}

fn parse<T: DeserializeOwned>(params: Value) -> Outcome<T> {
    serde_json::from_value(params).map_err(|e| Failure::invalid(format!("parameters: {e}")))
}

fn result<T: Serialize>(value: &T) -> Outcome<Value> {
    serde_json::to_value(value).map_err(|e| Failure::new(ErrorKind::Internal, e.to_string()))
}
