//! One connection: lines in, replies out, reports if asked for.

use super::methods::{self, After};
use super::outbox::Outbox;
use super::receive::Receiver;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::protocol::{ErrorKind, Event, PROTOCOL};
use crate::reporting::Since;
use crate::{log, urgency};
use serde::Deserialize;
use serde_json::{Value, json};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

#[derive(Deserialize)]
struct Request {
    id: u64,
    method: String,
    #[serde(default = "nothing")]
    params: Value,
}

fn nothing() -> Value {
    json!({})
}

/// Serves until the connection ends. Returns what the engine is to do then.
#[must_use]
pub fn serve(stream: UnixStream, engine: &Arc<Engine>) -> After {
    let outbox = Arc::new(Outbox::default());
    let Ok(writing) = stream.try_clone() else {
        return After::Nothing;
    };
    let writer = {
        let outbox = outbox.clone();
        thread::Builder::new()
            .name("control-out".into())
            .spawn(move || {
                let _ = urgency::go_first();
                outbox.write_to(writing);
            })
    };
    let _ = urgency::go_first();
    let mut receiver = Receiver::new(stream);
    let mut greeted = false;
    let mut last = After::Nothing;
    while let Ok(Some(line)) = receiver.line() {
        let request: Request = match serde_json::from_str(&line) {
            Ok(request) => request,
            Err(e) => {
                reply(
                    &outbox,
                    0,
                    Err(Failure::invalid(format!("not a request: {e}"))),
                );
                break;
            }
        };
        let descriptor = receiver.descriptor();
        if !greeted && request.method != "hello" {
            let first = Failure::new(ErrorKind::Protocol, "the first message must be hello");
            reply(&outbox, request.id, Err(first));
            break;
        }
        greeted = true;
        let answer = if methods::is_urgent(&request.method) {
            methods::call(engine, &request.method, request.params, descriptor)
        } else {
            urgency::give_way();
            let answer = methods::call(engine, &request.method, request.params, descriptor);
            let _ = urgency::go_first();
            answer
        };
        match answer {
            Ok((result, after)) => {
                reply(&outbox, request.id, Ok(result));
                match after {
                    After::Nothing => {}
                    After::Subscribe(interval, changes) => {
                        subscribe(engine, &outbox, interval, changes);
                    }
                    After::Shutdown | After::HandOver => {
                        last = after;
                        break;
                    }
                }
            }
            Err(failure) => {
                let end = failure.kind == ErrorKind::Protocol;
                reply(&outbox, request.id, Err(failure));
                if end {
                    break;
                }
            }
        }
    }
    outbox.close();
    if let Ok(writer) = writer {
        let _ = writer.join();
    }
    last
}

fn reply(outbox: &Outbox, id: u64, result: Result<Value, Failure>) {
    let line = match result {
        Ok(result) => json!({ "id": id, "result": result }),
        Err(failure) => json!({ "id": id, "error": failure.fault() }),
    };
    outbox.send(line.to_string());
}

/// Starts the thread that reports. One subscription a connection is meant; a second one adds reports.
fn subscribe(engine: &Arc<Engine>, outbox: &Arc<Outbox>, interval: Duration, changes: bool) {
    engine.events.subscribe(outbox);
    let (engine, outbox) = (engine.clone(), outbox.clone());
    let run = move || {
        let mut since = Since {
            histogram: Some(engine.telemetry.histogram()),
            watcher: engine.telemetry.watch(),
            changes: changes.then(|| engine.change_log.watch()).flatten(),
        };
        loop {
            let report = Box::new(engine.report(&mut since));
            let Ok(line) = serde_json::to_string(&Event::Report { report }) else {
                break;
            };
            if !outbox.send_report(line) {
                break;
            }
            outbox.pause(interval);
        }
        if let Some(watcher) = since.watcher {
            engine.telemetry.stop_watching(watcher);
        }
        if let Some(watcher) = since.changes {
            engine.change_log.stop_watching(watcher);
        }
    };
    if let Err(e) = thread::Builder::new().name("reports".into()).spawn(run) {
        log::line(format!("no thread for reports: {e}"));
    }
}

pub(super) fn check_protocol(protocol: u32) -> Result<(), Failure> {
    if protocol == PROTOCOL {
        return Ok(());
    }
    Err(Failure::new(
        ErrorKind::Protocol,
        format!("this engine speaks protocol {PROTOCOL}, not {protocol}"),
    ))
}
