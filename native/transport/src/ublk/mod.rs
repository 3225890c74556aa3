//! The ublk transport: the live volume as a block device of its own, without a loop device on top.
//!
//! ```text
//!  file system ─▶ /dev/ublkbN ─▶ queue thread (io_uring) ─┬─▶ Served, by itself
//!                    kernel        one for each queue     ├─▶ disk (AIO), behind it
//!                                                          └─▶ workers ─▶ Served
//! ```
//!
//! # Who does what
//!
//! A short-lived program makes the device ([`control::add`]). The engine, which alone has the character device
//! open, fetches from all queues and shows it ([`control::start`]); the program then gives it what it needs
//! before anybody uses it ([`control::settle`]). Nobody holds anything for it while the engine is dead: the
//! device itself is what outlives it. Frozen images stay with FUSE and loop: they are read by one backup at a
//! time, and come and go; a device for each would buy little.
//!
//! # An engine's death
//!
//! The kernel takes requests that were fetched and not answered back, and holds them and new ones
//! (USER_RECOVERY, USER_RECOVERY_REISSUE). The next engine says START_USER_RECOVERY, opens, fetches
//! from all queues, says END_USER_RECOVERY, and gets them again. The kernel refuses the first step
//! while the old process still has the device open; together with the keeper, which starts an engine
//! only after the old one was reaped, that is the fence: no write of the old one can land late. It
//! holds for synchronous I/O, which is done when the process is, and for what the kernel does with requests' own
//! pages ([`zero_copy`]), which keeps the device until it is done. For what goes on behind threads ([`behind`])
//! there is another one (`engine::fence`). It would not hold for other I/O of an io_uring.
//!
//! An engine that dies before the device is shown leaves one that nobody can serve any more: the driver takes
//! fetched requests back only from a device with a disk. Nobody has seen it yet, so the next engine makes it anew
//! ([`control::remake`]). That the engine itself shows it is what makes this decidable: a command that another
//! process gives could show the device after the engine's death, with nobody behind it, for ever.
//!
//! Traps, from reading the 6.12 driver and from killing engines over it:
//!
//! * The kernel notices a death by the commands that wait in a queue. If a queue has none, because
//!   every tag is with the server, it notices at the requests' timeout: 30 seconds. So one tag of each
//!   queue is never used: `nr_requests` is set one below the depth as soon as the device is shown.
//! * Reading the partition table is part of showing the device, under the same lock that recovery
//!   needs: an engine that dies just then would hang everything for ever. The kernel does not read it
//!   for servers without CAP_SYS_ADMIN, so queue threads give that up before they fetch (a loop device
//!   has no partitions either).
//! * Stopping a device fails all I/O on it, also the writing back of what programs wrote to the device
//!   through the page cache. Who stops it makes sure before that nobody has it open, and flushes it.
//! * Stopping waits until the server has answered what is under way, or is dead, and neither a limit nor a
//!   kill gets the process out of that wait. It is done in a process that nobody has to wait for.
//! * Fetching and answering must happen on the same thread, and only one process can open the
//!   character device. A standby can therefore prepare everything but these.
//! * If the last process of a mount namespace is an engine that is killed, its exit unmounts what is
//!   mounted there; with its own live device among that, it would wait for itself. So keeper and engine
//!   live in a namespace of their own, a slave of the old one: it sees mounts and unmounts there, but
//!   is never what keeps a file system of its writers mounted.
//!
//! # Copies and memory
//!
//! USER_COPY: a thread fetches a request's data itself, by pread and pwrite of the character device,
//! into its own resident buffer. Buffers of the kernel's choosing (one for each tag) would need 128 MiB
//! a queue; this needs 2 MiB a thread.
//!
//! SUPPORT_ZERO_COPY, from 6.18 on: the data of a large request goes straight between its pages and the backing
//! store ([`zero_copy`]). Copy-on-write looks at where a request writes and preserves what is there; the new data it
//! never has to see.

mod abi;
mod behind;
pub mod control;
mod payload;
mod queue;
mod ring;
mod work;
mod zero_copy;

use crate::served::{Pace, Served};
use behind::Behind;
use control::Stand;
use queue::{Answers, Crew, Queue};
use std::fs::File;
use std::io;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use work::{Hands, Jobs, Service};

/// Requests of a queue; a power of two.
const DEPTH: u16 = 128;
/// A queue for each processor, but not more than this.
const MAX_QUEUES: usize = 4;
/// Largest payload of one request.
const MAX_REQUEST_BYTES: usize = 1 << 20;
/// Where our buffers begin in the memory that FUSE threads have theirs in: they are at most 64.
const BUFFERS_AT: usize = 64 * (3 << 20);
/// Until a dead engine's requests are taken back; the kernel's own timeout is 30 s.
const RECOVERY_TIME: Duration = Duration::from_secs(60);

/// After a queue could not be opened for want of memory or descriptors: long enough that the engines that follow one
/// another meanwhile are not taken for a loop of crashes.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(1500);

/// Threads that have all that they need and wait for the word.
pub struct Standing {
    number: u32,
    gate: Arc<Gate>,
    /// Whether each queue is open.
    opened: Receiver<io::Result<()>>,
    queues: u16,
}

#[derive(Default)]
struct Gate {
    service: Mutex<Option<Arc<Service>>>,
    opened: Condvar,
    /// Every queue is.
    open: Mutex<bool>,
    all_open: Condvar,
}

impl Gate {
    /// A server that ends when it has fetched from some queues and not from others is followed by none: seen with
    /// Linux 6.18, which answers START_USER_RECOVERY with EBUSY from then on.
    fn wait_until_all_are_open(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        while !*open {
            open = self
                .all_open
                .wait(open)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn wait(&self) -> Arc<Service> {
        let mut service = self.service.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(service) = &*service {
                return service.clone();
            }
            service = self
                .opened
                .wait(service)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Makes the threads of the device's queues, `workers` more, and one for what waits for room in a cache, with
/// their buffers in `memory`, which grows if it is too small. None of them touches the device yet. When it is
/// stopped, `ended` is called once for each queue. `pace`: the store's.
pub fn stand_by(
    number: u32,
    memory: &File,
    workers: usize,
    pace: Pace,
    ended: impl Fn(io::Error) + Send + Clone + 'static,
) -> io::Result<Standing> {
    let device = control::information(number)?;
    let queues = device.queues;
    let has_zero_copy = control::has_zero_copy(&device);
    let threads = usize::from(queues) + workers + 1;
    let hands_end = BUFFERS_AT + threads * Hands::BYTES;
    let needed = (hands_end + Behind::ALL_BYTES) as u64;
    if memory.metadata()?.len() < needed {
        memory.set_len(needed)?;
    }
    let hands = |thread| Hands::new(memory, BUFFERS_AT + thread * Hands::BYTES);
    let mut hands: Vec<Hands> = (0..threads).map(hands).collect::<io::Result<_>>()?;
    let gate = Arc::new(Gate::default());
    let (jobs, held) = (Arc::new(Jobs::default()), Arc::new(Jobs::default()));
    let (tell_opened, opened) = mpsc::channel();
    for (worker, mut hands) in hands.split_off(queues.into()).into_iter().enumerate() {
        let (gate, held) = (gate.clone(), held.clone());
        let (name, jobs) = match worker {
            0 => ("held".to_owned(), held.clone()),
            n => (format!("work-{n}"), jobs.clone()),
        };
        spawn(name, move || {
            if has_zero_copy {
                hands.learn_zero_copy();
            }
            jobs.work(hands, &gate.wait(), &held)
        })?;
    }
    for (queue, mut hands) in (0..queues).zip(hands) {
        let (gate, ended) = (gate.clone(), ended.clone());
        let (jobs, held) = (jobs.clone(), held.clone());
        let tell_opened = tell_opened.clone();
        let answers = Answers::new()?;
        // Where the kernel has no room for it, the workers do all.
        let behind = match pace {
            Pace::Behind => {
                let at = hands_end + usize::from(queue) * Behind::BYTES;
                Behind::new(memory, at, answers.bell()?).ok()
            }
            Pace::AtOnce | Pace::Sleeps => None,
        };
        spawn(format!("queue-{queue}"), move || {
            if has_zero_copy {
                hands.learn_zero_copy();
            }
            let service = gate.wait();
            let crew = Crew {
                hands,
                behind,
                jobs,
                held,
                answers: Arc::new(answers),
            };
            let opened =
                give_up_administration().and_then(|()| Queue::new(queue, DEPTH, service, crew));
            match opened {
                Ok(queue) => {
                    let _ = tell_opened.send(Ok(()));
                    gate.wait_until_all_are_open();
                    ended(queue.run());
                }
                Err(e) => {
                    if is_shortage(&e) {
                        thread::sleep(SHORTAGE_PAUSE);
                    }
                    let _ = tell_opened.send(Err(e));
                }
            }
        })?;
    }
    Ok(Standing {
        number,
        gate,
        opened,
        queues,
    })
}

impl Standing {
    pub fn number(&self) -> u32 {
        self.number
    }

    /// From now on the threads serve, until the device is stopped. `take_over`: another process served
    /// it before. Fails where a queue cannot be opened; this process is to end then.
    /// NotConnected: it was stopped before it could be taken over.
    pub fn serve(self, served: Arc<dyn Served>, take_over: bool) -> io::Result<()> {
        if take_over {
            begin_recovery(self.number)?;
        }
        let character = control::open_character_device(self.number)?;
        let service = Arc::new(Service { character, served });
        let gate = &self.gate;
        *gate.service.lock().unwrap_or_else(PoisonError::into_inner) = Some(service);
        gate.opened.notify_all();
        // The kernel would wait in vain for a queue that nobody fetches from: the next engine may do better.
        for _ in 0..self.queues {
            let opened = self.opened.recv().map_err(io::Error::other)?;
            opened?;
        }
        *gate.open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        gate.all_open.notify_all();
        if take_over {
            unless_stopped(self.number, abi::END_USER_RECOVERY)?;
        }
        Ok(())
    }
}

fn is_shortage(e: &io::Error) -> bool {
    use libc::{EAGAIN, EMFILE, ENFILE, ENOMEM};
    matches!(e.raw_os_error(), Some(EAGAIN | EMFILE | ENFILE | ENOMEM))
}

fn spawn(name: String, life: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let builder = thread::Builder::new().name(name).stack_size(256 * 1024);
    builder.spawn(life).map(drop)
}

fn begin_recovery(number: u32) -> io::Result<()> {
    let end = Instant::now() + RECOVERY_TIME;
    loop {
        match unless_stopped(number, abi::START_USER_RECOVERY) {
            // Requests are still being taken back, or the old process is not quite gone.
            Err(e) if e.raw_os_error() == Some(libc::EBUSY) && Instant::now() < end => {
                thread::sleep(Duration::from_millis(1));
            }
            other => return other,
        }
    }
}

fn unless_stopped(number: u32, operation: u32) -> io::Result<()> {
    match control::give(operation, number, RECOVERY_TIME) {
        Err(_) if control::stand(number)? == Stand::Hidden => {
            Err(io::ErrorKind::NotConnected.into())
        }
        result => result,
    }
}

/// Takes CAP_SYS_ADMIN from this thread alone.
fn give_up_administration() -> io::Result<()> {
    const VERSION_3: u32 = 0x2008_0522;
    const CAP_SYS_ADMIN: u32 = 21;
    let header = [VERSION_3, 0u32];
    // Effective, permitted, inheritable; of capabilities 0 to 31, then of 32 to 63.
    let mut sets = [[0u32; 3]; 2];
    // SAFETY: both have the kernel's layout; the first call writes `sets`, the second reads it.
    let failed = unsafe {
        libc::syscall(libc::SYS_capget, header.as_ptr(), sets.as_mut_ptr()) != 0 || {
            for set in &mut sets[0][..2] {
                *set &= !(1 << CAP_SYS_ADMIN);
            }
            libc::syscall(libc::SYS_capset, header.as_ptr(), sets.as_ptr()) != 0
        }
    };
    if failed {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
