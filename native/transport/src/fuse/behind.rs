//! Requests whose data goes between desk and disk behind the threads that read them.
//!
//! One thread waits for the ends of all of them and answers. It takes no lock that anybody holds who waits for such an
//! end. A transfer that cannot begin is handled like any other request.

use super::buffer::PAGE;
use super::desk::{Desk, Desks};
use super::dispatch::Transfer;
use crate::aio::{self, Aio, Batch, Event};
use crate::served::{Begun, Errno, Served};
use std::io;
use std::os::fd::RawFd;
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
    /// Of the request.
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

    /// Adds what the request on the desk asks for to what begins next, a thread's own; the desk comes back to `desks` when it is
    /// answered. Else the desk is returned, and the request is to be handled.
    pub fn add(
        &self,
        next: &mut Batch,
        desk: Desk,
        length: usize,
        served: &dyn Served,
    ) -> Result<(), Desk> {
        let transfer = Transfer::of(&desk.buffer, Desk::START, length, served);
        let (Some(transfer), Some(store)) = (transfer, served.store()) else {
            return Err(desk);
        };
        let bytes = transfer.length as u64;
        let Some(begun) = served.begin(transfer.direction, transfer.offset, bytes) else {
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
        let what = aio_transfer(transfer, &mut under_way.desk);
        self.aio.add(next, what, store, number as u64);
        Ok(())
    }

    /// Begins all of it. Returns desks whose requests are to be handled after all, with their lengths.
    pub fn begin(&self, next: &mut Batch, served: &dyn Served) -> Vec<(Desk, usize)> {
        // SAFETY: each desk lies in its place until the end is told, and its memory is mapped as long as it is; nobody
        // looks at it there.
        let refused = unsafe { self.aio.begin(next) };
        let taken_back = refused.into_iter().map(|number| {
            let refused = self.place(number as usize).take();
            let refused = refused.expect("put there before");
            served.end(refused.begun, false);
            (refused.desk, refused.length)
        });
        taken_back.collect()
    }

    fn place(&self, number: usize) -> MutexGuard<'_, Option<UnderWay>> {
        self.under_way[number]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The life of the thread that answers. It ends when the connection has.
    pub fn answer_all(&self, fd: RawFd, desks: &Desks, served: &dyn Served) -> io::Error {
        let mut events = [Event::default(); TOLD];
        loop {
            for event in self.aio.wait(&mut events) {
                match self.answer(event, fd, served) {
                    Ok(desk) => desks.give_back(desk),
                    Err(e) => return e,
                }
            }
        }
    }

    fn answer(&self, event: &Event, fd: RawFd, served: &dyn Served) -> io::Result<Desk> {
        let UnderWay {
            mut desk,
            transfer,
            begun,
            ..
        } = self
            .place(event.tag as usize)
            .take()
            .expect("one end for each that was begun");
        let what = aio_transfer(transfer, &mut desk);
        let store = served.store().expect("it was there when this was begun");
        // SAFETY: the desk's memory, which is ours again.
        let made = unsafe { what.complete(event.result(), store) };
        served.end(begun, made.is_ok());
        let reply = transfer.reply(&mut desk.buffer, made.map_err(Errno::from));
        desk.answer(fd, reply)?;
        Ok(desk)
    }
}

fn aio_transfer(transfer: Transfer, desk: &mut Desk) -> aio::Transfer {
    aio::Transfer {
        direction: transfer.direction,
        offset: transfer.offset,
        memory: desk.buffer[PAGE..].as_mut_ptr(),
        length: transfer.length,
    }
}
