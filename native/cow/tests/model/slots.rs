//! Who takes slots of a cache.

use crate::world::{Disk, words};
use crate::{all, explore};
use cow::pool::Pool;
use cow::store::Words;
use cow::sync::Mutex;
use shuttle::thread;
use std::sync::Arc;

#[test]
fn no_slot_is_given_away_twice() {
    explore(|| {
        let index: Arc<dyn Words> = Arc::new(words(0));
        let pool = Arc::new(Pool::new(Arc::new(Disk::new(0)), index, 2, 5));
        let taken = Arc::new(Mutex::new(Vec::new()));
        let threads = (0..3).map(|_| {
            let (pool, taken) = (pool.clone(), taken.clone());
            thread::spawn(move || {
                let Ok((slot, count)) = pool.allocate(2) else {
                    return;
                };
                let mut all = taken.lock().expect("lock");
                for slot in slot..slot + count as u32 {
                    assert!(!all.contains(&slot), "slot {slot} was given away twice");
                    all.push(slot);
                }
            })
        });
        all(threads);
        assert_eq!(pool.used(), taken.lock().expect("lock").len() as u64);
    });
}
