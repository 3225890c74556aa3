//! Requests whose data goes between desk and disk behind the threads that read them.
//!
//! One thread waits for the ends of all of them and answers. A transfer that cannot begin, or that moved less
//! than all, is handled like any other request: doing it again is harmless.

use super::buffer::{PAGE, Resident};
use super::desk::{Desk, Desks};
use super::dispatch::{self, Outcome, Transfer};
use super::held::Held;
use crate::aio::{self, Aio, Event};
use crate::served::{Begun, Errno, Served};
use std::io;
use std::os::fd::RawFd;
use std::sync::mpsc::Sender;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Ends that are told at once; each is answered before the next are asked for.
const TOLD: usize = 8;

pub struct Behind {
    aio: Aio,
    /// By the number of the desk.
    under_way: Vec<Mutex<Option<UnderWay>>>,
}

struct UnderWay {
    desk: Desk,
    /// Bytes of the request.
    length: usize,
    transfer: Transfer,
    begun: Begun,
}

impl Behind {
    pub fn new(desks: usize) -> io::Result<Self> {
        Ok(Behind {
            aio: Aio::new(desks, None)?,
            under_way: (0..desks).map(|_| Mutex::default()).collect(),
        })
    }

    /// Begins what the request on the desk asks for; the desk comes back to `desks` when it is answered. Else the
    /// desk is returned, and the request is to be handled.
    pub fn begin(&self, desk: Desk, length: usize, served: &dyn Served) -> Result<(), Desk> {
        let transfer = Transfer::of(&desk.buffer, Desk::START, length, served);
        let (Some(transfer), Some(store)) = (transfer, served.store()) else {
            return Err(desk);
        };
        let (offset, bytes) = (transfer.offset, transfer.length as u64);
        let Some(begun) = served.begin(transfer.direction, offset, bytes) else {
            return Err(desk);
        };
        let number = desk.number;
        let mut place = self.place(number);
        let under_way = place.insert(UnderWay {
            desk,
            length,
            transfer,
            begun,
        });
        let what = aio::Transfer {
            direction: transfer.direction,
            offset,
            memory: under_way.desk.buffer[PAGE..].as_mut_ptr(),
            length: transfer.length,
        };
        // SAFETY: the desk lies in its place until the end is told, and its memory is mapped as long as it is; nobody
        // looks at it there.
        let result = unsafe { self.aio.begin(what, store, number as u64) };
        if result.is_ok() {
            return Ok(());
        }
        let refused = place.take().expect("put there just now");
        drop(place);
        served.end(begun, offset, false);
        Err(refused.desk)
    }

    fn place(&self, number: usize) -> MutexGuard<'_, Option<UnderWay>> {
        self.under_way[number]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The life of the thread that answers. It ends when the connection has.
    pub fn answer_all(
        &self,
        fd: RawFd,
        desks: &Desks,
        hold: &Sender<Held>,
        scratch: &mut Resident,
        served: &dyn Served,
    ) -> io::Error {
        let mut events = [Event::default(); TOLD];
        loop {
            for event in self.aio.wait(&mut events) {
                let under_way = self.place(event.tag as usize).take();
                let under_way = under_way.expect("one end for each that was begun");
                match self.answer(under_way, event.result(), fd, hold, scratch, served) {
                    Ok(desk) => desks.give_back(desk),
                    Err(e) => return e,
                }
            }
        }
    }

    fn answer(
        &self,
        ended: UnderWay,
        moved: io::Result<usize>,
        fd: RawFd,
        hold: &Sender<Held>,
        scratch: &mut Resident,
        served: &dyn Served,
    ) -> io::Result<Desk> {
        let UnderWay {
            mut desk,
            length,
            transfer,
            begun,
        } = ended;
        let all = matches!(moved, Ok(bytes) if bytes == transfer.length);
        served.end(begun, transfer.offset, all);
        let done = match moved {
            Ok(_) if all => Ok(()),
            Err(e) => Err(Errno::from(e)),
            // Where the file ends, or where its disk had no room: what comes of the rest is told by trying.
            Ok(_) => {
                answer_by_handling(&mut desk, length, fd, hold, scratch, served)?;
                return Ok(desk);
            }
        };
        let reply = transfer.reply(&mut desk.buffer, done);
        desk.answer(fd, reply)?;
        Ok(desk)
    }
}

/// Handles the request on the desk to its end, unless it has to wait.
pub fn answer_by_handling(
    desk: &mut Desk,
    length: usize,
    fd: RawFd,
    hold: &Sender<Held>,
    scratch: &mut Resident,
    served: &dyn Served,
) -> io::Result<()> {
    match dispatch::handle(
        &mut desk.buffer,
        Desk::START,
        length,
        &mut scratch[..],
        served,
    ) {
        Outcome::Reply(reply) => desk.answer(fd, reply),
        Outcome::Silence => Ok(()),
        Outcome::Held(held) => {
            // Its thread ends only after this one.
            let _ = hold.send(held);
            Ok(())
        }
    }
}
