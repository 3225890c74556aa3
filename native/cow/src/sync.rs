//! The locks and atomics that everything here is made of: the standard library's, or in the model
//! check (`tests/model/`) those whose every step is a choice of a scheduler that tries many orders.

#[cfg(feature = "model")]
pub use shuttle::sync::{
    Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic,
};
pub use std::sync::{Arc, PoisonError};
#[cfg(not(feature = "model"))]
pub use std::sync::{
    Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic,
};

/// A holder that panicked ends the process, so what it left is nobody's concern.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
