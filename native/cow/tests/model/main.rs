//! Threads that meet in every order that a scheduler finds: each lock, unlock, atomic step and call of
//! the world is a point where another thread may go on. A deadlock is found as such.
//!
//! `cargo test -p cow --features model --test model`. `STILLFRAME_MODEL_RUNS` sets how many orders are
//! tried of each case (1,500 by default).

mod gathering;
mod slots;
mod snapshots;
mod world;

use shuttle::thread;
use std::sync::Arc;

fn explore(case: impl Fn() + Send + Sync + 'static) {
    let runs = std::env::var("STILLFRAME_MODEL_RUNS").ok();
    let runs = runs.and_then(|r| r.parse().ok()).unwrap_or(1500);
    let case = Arc::new(case);
    let at_random = case.clone();
    shuttle::check_random(move || at_random(), runs / 3);
    // Few preemptions, at the worst places.
    for depth in [2, 3] {
        let case = case.clone();
        shuttle::check_pct(move || case(), runs / 3, depth);
    }
}

/// Waits for all of them.
fn all(threads: impl IntoIterator<Item = thread::JoinHandle<()>>) {
    let threads: Vec<_> = threads.into_iter().collect();
    for thread in threads {
        thread.join().expect("ends");
    }
}
