//! Accepts connections. The socket is the keeper's, so callers can connect while no engine runs.

use super::connection;
use super::methods::After;
use crate::engine::Engine;
use crate::state::Word;
use crate::{keeper, log, undertaker};
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

const MAX_CONNECTIONS: usize = 64;

/// Starts the thread that accepts.
pub fn listen(listener: UnixListener, engine: Arc<Engine>) -> std::io::Result<()> {
    let count = Arc::new(AtomicUsize::new(0));
    let accept = move || {
        loop {
            let Ok((stream, _)) = listener.accept() else {
                thread::sleep(Duration::from_millis(100));
                continue;
            };
            if count.load(Ordering::Relaxed) >= MAX_CONNECTIONS {
                continue;
            }
            count.fetch_add(1, Ordering::Relaxed);
            let (engine, ended) = (engine.clone(), count.clone());
            let started = thread::Builder::new()
                .name("control".into())
                .spawn(move || {
                    match connection::serve(stream, &engine) {
                        After::Shutdown => {
                            log::line("the engine ends as asked");
                            engine.state.set(Word::Shutdown, 1);
                            undertaker::dismiss();
                            std::process::exit(0);
                        }
                        After::HandOver => {
                            log::line("the engine hands over to the next program");
                            std::process::exit(keeper::HANDED_OVER);
                        }
                        After::Nothing | After::Subscribe(..) => {}
                    }
                    ended.fetch_sub(1, Ordering::Relaxed);
                });
            if let Err(e) = started {
                count.fetch_sub(1, Ordering::Relaxed);
                log::line(format!("no thread for a connection: {e}"));
            }
        }
    };
    thread::Builder::new().name("listen".into()).spawn(accept)?;
    Ok(())
}
