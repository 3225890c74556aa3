//! Carrying out one request of the transmission phase.

use super::PIECE;
use super::exports::{Context, Exports, Extent};
use super::intake::Intake;
use super::negotiation::{Agreed, MAX_PAYLOAD};
use super::outlet::Outlet;
use super::wire::{self, Fault, Request, STATE_ZERO, chunk, cmd};
use crate::fuse::buffer::{Resident, memory_file};
use crate::served::{Errno, Image, SCRATCH_BYTES};
use std::io;
use std::ops::DerefMut;

/// Extents in one reply, for each context; the client asks on.
const MAX_EXTENTS: usize = 8192;
/// Shorter holes are sent as the zeroes that they are.
const MIN_HOLE: u64 = 32 << 10;

/// A thread's own memory.
pub struct Buffers {
    data: Resident,
    scratch: Resident,
}

impl Buffers {
    pub fn new() -> io::Result<Self> {
        let file = memory_file()?;
        file.set_len((PIECE + SCRATCH_BYTES) as u64)?;
        Ok(Buffers {
            data: Resident::of(&file, 0, PIECE)?,
            scratch: Resident::of(&file, PIECE, SCRATCH_BYTES)?,
        })
    }
}

/// Why a request is refused unseen; None: it may be carried out.
pub fn refusal(request: &Request, agreed: &Agreed) -> Option<Fault> {
    let writes = matches!(request.command, cmd::WRITE | cmd::TRIM | cmd::WRITE_ZEROES);
    // FUA is legal with every command, where it was offered.
    let fua = if agreed.export.read_only {
        0
    } else {
        cmd::FLAG_FUA
    };
    let flags = fua
        | match request.command {
            cmd::READ if agreed.structured => cmd::FLAG_DONT_FRAGMENT,
            cmd::WRITE_ZEROES => cmd::FLAG_NO_HOLE,
            cmd::BLOCK_STATUS => cmd::FLAG_ONE_EXTENT,
            _ => 0,
        };
    if request.command > cmd::BLOCK_STATUS || request.flags & !flags != 0 {
        return Some(Fault::Invalid);
    }
    if writes && agreed.export.read_only {
        return Some(Fault::NotPermitted);
    }
    if request.command == cmd::FLUSH {
        return None;
    }
    let end = request.offset.checked_add(u64::from(request.length));
    if end.is_none_or(|end| end > agreed.size) {
        return Some(match request.command {
            cmd::WRITE | cmd::WRITE_ZEROES => Fault::NoSpace,
            _ => Fault::Invalid,
        });
    }
    // Half a sector cannot be written without reading the other half, which somebody may be writing.
    let unit = u64::from(agreed.sector_size);
    if writes && !(request.offset | u64::from(request.length)).is_multiple_of(unit) {
        return Some(Fault::Invalid);
    }
    match request.command {
        cmd::READ if request.length > MAX_PAYLOAD => Some(Fault::TooLarge),
        cmd::BLOCK_STATUS if agreed.contexts.is_empty() || request.length == 0 => {
            Some(Fault::Invalid)
        }
        _ => None,
    }
}

/// What one connection's requests are carried out on. Every function returns an error only if the
/// connection is of no use any more.
pub struct Commands<'a> {
    pub exports: &'a dyn Exports,
    pub agreed: &'a Agreed,
    pub outlet: &'a Outlet,
}

impl Commands<'_> {
    /// A write takes its data from the intake, and gives the intake free once the last piece of it is
    /// in the buffer, so that another thread can take the next request.
    pub fn write(
        &self,
        request: &Request,
        mut intake: impl DerefMut<Target = Intake>,
        buffers: &mut Buffers,
    ) -> io::Result<()> {
        if request.length > MAX_PAYLOAD {
            intake.end();
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut result = refusal(request, self.agreed).map_or(Ok(()), Err);
        let mut offset = request.offset;
        let mut left = request.length as usize;
        while left > PIECE {
            intake.data(&mut buffers.data[..PIECE])?;
            result = result.and_then(|()| self.write_piece(offset, PIECE, buffers));
            offset = offset.saturating_add(PIECE as u64);
            left -= PIECE;
        }
        intake.data(&mut buffers.data[..left])?;
        drop(intake);
        let result = result
            .and_then(|()| self.write_piece(offset, left, buffers))
            .and_then(|()| self.persist(request));
        self.finish(request, result)
    }

    fn write_piece(&self, offset: u64, length: usize, buffers: &mut Buffers) -> Result<(), Fault> {
        if length == 0 {
            return Ok(());
        }
        let data = &buffers.data[..length];
        Ok(self.exports.write(offset, data, &mut buffers.scratch)?)
    }

    /// All commands but WRITE and DISCONNECT.
    pub fn run(&self, request: &Request, buffers: &mut Buffers) -> io::Result<()> {
        if let Some(fault) = refusal(request, self.agreed) {
            return self.finish(request, Err(fault));
        }
        let result = match request.command {
            cmd::READ => return self.read(request, buffers),
            cmd::BLOCK_STATUS => return self.block_status(request),
            cmd::FLUSH if self.agreed.export.read_only => Ok(()),
            cmd::FLUSH => self.exports.flush().map_err(Fault::from),
            cmd::TRIM => self.trim(request, buffers),
            cmd::WRITE_ZEROES => self.write_zeroes(request, buffers),
            // CACHE: nothing is to be had by reading ahead here.
            _ => Ok(()),
        };
        self.finish(request, result.and_then(|()| self.persist(request)))
    }

    fn persist(&self, request: &Request) -> Result<(), Fault> {
        if request.flags & cmd::FLAG_FUA != 0 && request.command != cmd::FLUSH {
            self.exports.flush()?;
        }
        Ok(())
    }

    /// A hint: a backing store that cannot do it need not.
    fn trim(&self, request: &Request, buffers: &mut Buffers) -> Result<(), Fault> {
        let length = u64::from(request.length);
        match self
            .exports
            .discard(request.offset, length, &mut buffers.scratch)
        {
            Err(Errno::NOT_SUPPORTED) => Ok(()),
            other => Ok(other?),
        }
    }

    /// A hole reads as zeroes too, but a client may want its room kept.
    fn write_zeroes(&self, request: &Request, buffers: &mut Buffers) -> Result<(), Fault> {
        let length = u64::from(request.length);
        if request.flags & cmd::FLAG_NO_HOLE == 0 {
            match self
                .exports
                .write_zeroes(request.offset, length, &mut buffers.scratch)
            {
                Err(Errno::NOT_SUPPORTED) => {}
                other => return Ok(other?),
            }
        }
        buffers.data.fill(0);
        let end = request.offset + length;
        let mut at = request.offset;
        while at < end {
            let piece = (end - at).min(PIECE as u64);
            self.write_piece(at, piece as usize, buffers)?;
            at += piece;
        }
        Ok(())
    }

    /// The reply of a command without data.
    fn finish(&self, request: &Request, result: Result<(), Fault>) -> io::Result<()> {
        match result {
            // A read is answered by chunks, where chunks were agreed on.
            Err(fault) if self.agreed.structured => self.fail(request, fault),
            result => {
                let reply = wire::simple_reply(request.cookie, result.err());
                self.outlet.send(&[&reply])
            }
        }
    }

    /// The last chunk of a reply that failed.
    fn fail(&self, request: &Request, fault: Fault) -> io::Result<()> {
        let text = match fault {
            Fault::NotPermitted => "the export is read-only",
            Fault::NoSpace => "beyond the end, or no room in the backing store",
            Fault::TooLarge => "longer than the largest payload",
            _ => "",
        };
        let head = wire::chunk_head(request.cookie, chunk::ERROR, true, 6 + text.len() as u32);
        let mut payload = [0; 6];
        payload[..4].copy_from_slice(&(fault as u32).to_be_bytes());
        payload[4..].copy_from_slice(&(text.len() as u16).to_be_bytes());
        self.outlet.send(&[&head, &payload, text.as_bytes()])
    }

    fn read(&self, request: &Request, buffers: &mut Buffers) -> io::Result<()> {
        let fragments = self.agreed.structured && request.flags & cmd::FLAG_DONT_FRAGMENT == 0;
        match (request.length, fragments) {
            (0, _) if self.agreed.structured => {
                let head = wire::chunk_head(request.cookie, chunk::NONE, true, 0);
                self.outlet.send(&[&head])
            }
            (_, true) => self.read_in_chunks(request, buffers),
            (_, false) => self.read_in_one(request, buffers),
        }
    }

    fn load(&self, offset: u64, length: usize, buffers: &mut Buffers) -> Result<(), Fault> {
        let data = &mut buffers.data[..length];
        let image = self.agreed.export.image;
        Ok(self
            .exports
            .read(image, offset, data, &mut buffers.scratch)?)
    }

    /// Each piece is a chunk of its own, and so is each hole of a frozen image.
    fn read_in_chunks(&self, request: &Request, buffers: &mut Buffers) -> io::Result<()> {
        let end = request.offset + u64::from(request.length);
        let mut at = request.offset;
        while at < end {
            let (length, hole) = self.run_at(at, (end - at).min(PIECE as u64));
            let done = at + length == end;
            if hole {
                let head = wire::chunk_head(request.cookie, chunk::HOLE, done, 12);
                let size = (length as u32).to_be_bytes();
                self.outlet.send(&[&head, &at.to_be_bytes(), &size])?;
            } else {
                if let Err(fault) = self.load(at, length as usize, buffers) {
                    return self.fail(request, fault);
                }
                let payload = 8 + length as u32;
                let head = wire::chunk_head(request.cookie, chunk::DATA, done, payload);
                let data = &buffers.data[..length as usize];
                self.outlet.send(&[&head, &at.to_be_bytes(), data])?;
            }
            at += length;
        }
        Ok(())
    }

    /// How much from `at` on is sent as one chunk, and whether as a hole.
    fn run_at(&self, at: u64, most: u64) -> (u64, bool) {
        let image = self.agreed.export.image;
        if image == Image::Live || most < MIN_HOLE {
            return (most, false);
        }
        // An error comes again when it is read.
        let extents = self
            .exports
            .status(image, &Context::Allocation, at, most, MAX_EXTENTS);
        let mut data = 0;
        for Extent { length, flags } in extents.unwrap_or_default() {
            if flags & STATE_ZERO != 0 && length >= MIN_HOLE {
                return if data == 0 {
                    (length, true)
                } else {
                    (data, false)
                };
            }
            data += length;
        }
        (most, false)
    }

    /// One reply without seams; nobody else may send meanwhile.
    fn read_in_one(&self, request: &Request, buffers: &mut Buffers) -> io::Result<()> {
        let mut piece = (request.length as usize).min(PIECE);
        if let Err(fault) = self.load(request.offset, piece, buffers) {
            return self.finish(request, Err(fault));
        }
        let whole = piece == request.length as usize;
        let simple = wire::simple_reply(request.cookie, None);
        let payload = 8 + request.length;
        let chunk = wire::chunk_head(request.cookie, chunk::DATA, whole, payload);
        let offset = request.offset.to_be_bytes();
        let (head, offset): (&[u8], &[u8]) = match self.agreed.structured {
            true => (&chunk, &offset),
            false => (&simple, &[]),
        };
        let mut turn = self.outlet.turn();
        turn.send(&[head, offset, &buffers.data[..piece]])?;
        let end = request.offset + u64::from(request.length);
        let mut at = request.offset + piece as u64;
        let mut result = Ok(());
        while at < end {
            piece = ((end - at) as usize).min(PIECE);
            if result.is_ok() {
                result = self.load(at, piece, buffers);
            }
            if result.is_err() {
                if !self.agreed.structured {
                    // Success is promised already; only the end of the connection says otherwise.
                    self.outlet.cut();
                    return Err(io::ErrorKind::Other.into());
                }
                buffers.data.fill(0);
            }
            turn.send(&[&buffers.data[..piece]])?;
            at += piece as u64;
        }
        drop(turn);
        match result {
            Err(fault) => self.fail(request, fault),
            Ok(()) if whole => Ok(()),
            Ok(()) if !self.agreed.structured => Ok(()),
            Ok(()) => {
                let head = wire::chunk_head(request.cookie, chunk::NONE, true, 0);
                self.outlet.send(&[&head])
            }
        }
    }

    fn block_status(&self, request: &Request) -> io::Result<()> {
        let one = request.flags & cmd::FLAG_ONE_EXTENT != 0;
        let most = if one { 1 } else { MAX_EXTENTS };
        let count = self.agreed.contexts.len();
        for (n, (id, context)) in self.agreed.contexts.iter().enumerate() {
            let image = self.agreed.export.image;
            let length = u64::from(request.length);
            let extents = self
                .exports
                .status(image, context, request.offset, length, most);
            let extents = match extents {
                Ok(extents) if !extents.is_empty() => extents,
                Ok(_) => return self.fail(request, Fault::Io),
                Err(errno) => return self.fail(request, errno.into()),
            };
            let mut payload = id.to_be_bytes().to_vec();
            for extent in &extents {
                payload.extend_from_slice(&(extent.length as u32).to_be_bytes());
                payload.extend_from_slice(&extent.flags.to_be_bytes());
            }
            let done = n + 1 == count;
            let kind = chunk::BLOCK_STATUS;
            let head = wire::chunk_head(request.cookie, kind, done, payload.len() as u32);
            self.outlet.send(&[&head, &payload])?;
        }
        Ok(())
    }
}
