//! One thread that serves requests.
//!
//! Where the store takes I/O behind threads, reading a request does not wait: what is there is taken at once, a few
//! requests, and begun together. It is begun before this thread waits for anything, be it another request, a
//! desk, a lock or its turn at the door: whoever is waited for may wait for that.

use super::buffer::Resident;
use super::desk::Desk;
use super::dispatch::{self, Outcome};
use super::door::Load;
use super::held::Held;
use super::lookout::Lookout;
use super::session::{self, Session};
use crate::aio::Batch;
use crate::served::{Pace, Served};
use std::io;
use std::sync::mpsc::Sender;
use std::time::Instant;

pub(super) struct Worker {
    hold: Sender<Held>,
    scratch: Resident,
    /// What begins behind this thread.
    next: Batch,
    load: Load,
    lookout: Lookout,
    /// Where the next request will lie.
    desk: Option<Desk>,
}

impl Worker {
    pub fn new(hold: Sender<Held>, scratch: Resident) -> Self {
        Worker {
            hold,
            scratch,
            next: Batch::default(),
            load: Load::new(),
            lookout: Lookout::new(),
            desk: None,
        }
    }

    /// The thread's life: it ends when the connection has.
    pub fn run(&mut self, session: &Session, served: &dyn Served) -> io::Error {
        loop {
            session.door.enter();
            self.load = Load::new();
            if let Err(e) = self.serve_at_door(session, served) {
                return e;
            }
            if let Some(desk) = self.desk.take() {
                session.desks.give_back(desk);
            }
            session.door.leave();
        }
    }

    /// Until this thread is one too many there.
    fn serve_at_door(&mut self, session: &Session, served: &dyn Served) -> io::Result<()> {
        while !self.take_request(session, served)? {}
        Ok(())
    }

    /// Serves a request if there is one, else begins what is next, else waits. True: this thread is one too many.
    fn take_request(&mut self, session: &Session, served: &dyn Served) -> io::Result<bool> {
        let alone = session.door.one_wanted();
        let Some(mut desk) = self.desk.take().or_else(|| session.desks.try_take()) else {
            self.begin_next(session, served)?;
            self.desk = Some(session.desks.take());
            return Ok(false);
        };
        if session.behind.is_none() {
            // The reading waits.
            self.lookout.wait(session.fd, alone);
        }
        let Some(length) = desk.read_request(session.fd)? else {
            self.desk = Some(desk);
            if !self.next.is_empty() {
                self.begin_next(session, served)?;
            } else if !self.lookout.wait(session.fd, alone) {
                session::has_request(session.fd, -1)?;
            }
            return Ok(false);
        };
        let now = Instant::now();
        self.lookout.has_read(now);
        self.load.works(now);
        self.desk = self.serve_request(desk, length, session, served)?;
        let leaves = self.load.has_worked(&session.door);
        if self.next.is_full() || leaves {
            self.begin_next(session, served)?;
        }
        Ok(leaves)
    }

    fn begin_next(&mut self, session: &Session, served: &dyn Served) -> io::Result<()> {
        self.load.works(Instant::now());
        self.begin(session, served)?;
        self.load.rests(Instant::now());
        Ok(())
    }

    fn begin(&mut self, session: &Session, served: &dyn Served) -> io::Result<()> {
        let Some(behind) = &session.behind else {
            return Ok(());
        };
        let refused = behind.begin(&mut self.next, served);
        if let Some(desk) = self.handle(refused, session, served)? {
            session.desks.give_back(desk);
        }
        Ok(())
    }

    /// Returns the desk if it is free again.
    fn serve_request(
        &mut self,
        desk: Desk,
        length: usize,
        session: &Session,
        served: &dyn Served,
    ) -> io::Result<Option<Desk>> {
        let Some(behind) = &session.behind else {
            return self.handle([(desk, length)], session, served);
        };
        match behind.add(&mut self.next, desk, length, served) {
            Ok(()) => Ok(None),
            Err(desk) => {
                // Whom this has to wait for may wait for those.
                let mut requests = behind.begin(&mut self.next, served);
                requests.push((desk, length));
                self.handle(requests, session, served)
            }
        }
    }

    /// Carries requests out, and does not wait at the door before the last of them is answered: who holds the place behind
    /// it may wait for a request that comes only after that. Returns a desk that is free again, if there is one.
    fn handle<R>(
        &mut self,
        requests: R,
        session: &Session,
        served: &dyn Served,
    ) -> io::Result<Option<Desk>>
    where
        R: AsRef<[(Desk, usize)]> + IntoIterator<Item = (Desk, usize)>,
    {
        // Where all threads wait for requests, none waits to come in.
        let leaves = session.pace != Pace::Sleeps
            && requests.as_ref().iter().any(|(desk, length)| {
                dispatch::may_sleep(&desk.buffer, Desk::START, *length, session.pace)
            });
        if leaves {
            session.door.leave();
        }
        let mut free = None;
        for (mut desk, length) in requests {
            self.carry_out(&mut desk, length, session, served)?;
            if let Some(desk) = free.replace(desk) {
                session.desks.give_back(desk);
            }
        }
        if leaves {
            if let Some(desk) = free.take() {
                session.desks.give_back(desk);
            }
            session.door.enter();
        }
        Ok(free)
    }

    fn carry_out(
        &mut self,
        desk: &mut Desk,
        length: usize,
        session: &Session,
        served: &dyn Served,
    ) -> io::Result<()> {
        let scratch = &mut self.scratch[..];
        match dispatch::handle(&mut desk.buffer, Desk::START, length, scratch, served) {
            Outcome::Reply(reply) => desk.answer(session.fd, reply)?,
            Outcome::Silence => {}
            Outcome::Held(held) => {
                // Its thread ends only after this one.
                let _ = self.hold.send(held);
            }
        }
        Ok(())
    }
}
