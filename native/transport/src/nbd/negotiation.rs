//! What each option is answered: bytes in, bytes out.
//!
//! Before TLS, where TLS is demanded, a client learns nothing: every option but STARTTLS and ABORT is
//! refused. STARTTLS begins a new negotiation, so that nothing said in clear counts afterwards.

use super::exports::{Context, Export, Exports};
use super::options::{self, Malformed};
use super::wire::{NO_ZEROES, answer, can, info, option, put_answer};
use crate::served::Image;

/// An option with more data loses its client the connection.
pub const MAX_OPTION_DATA: u32 = 64 << 10;
/// The longest read and write.
pub const MAX_PAYLOAD: u32 = 32 << 20;
const PREFERRED_BLOCK: u32 = 4096;
const ALLOCATION: &str = "base:allocation";
/// The zeroes that end the answer to EXPORT_NAME, unless client and server agreed to spare them.
const RESERVED_BYTES: usize = 124;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// This listener has no TLS.
    Clear,
    /// Nothing before TLS.
    TlsDemanded,
    TlsEstablished,
}

/// What the transmission phase goes by.
#[derive(Debug, Clone)]
pub struct Agreed {
    pub export: Export,
    pub size: u64,
    pub sector_size: u32,
    pub structured: bool,
    /// With the number that replies name them by.
    pub contexts: Vec<(u32, Context)>,
}

#[derive(Debug)]
pub enum Next {
    Continue,
    /// Once the answer is sent, the TLS handshake begins.
    StartTls,
    Transmit(Box<Agreed>),
    Close,
}

pub struct Negotiation<'a> {
    exports: &'a dyn Exports,
    security: Security,
    no_zeroes: bool,
    structured: bool,
    /// The export that they were chosen for, and the contexts.
    contexts: Option<(String, Vec<(u32, Context)>)>,
}

impl<'a> Negotiation<'a> {
    /// None: the client's flags are not of this protocol; the connection ends.
    pub fn new(exports: &'a dyn Exports, security: Security, client_flags: u32) -> Option<Self> {
        if client_flags & !(super::wire::FIXED_NEWSTYLE | NO_ZEROES) != 0 {
            return None;
        }
        Some(Negotiation {
            exports,
            security,
            no_zeroes: client_flags & NO_ZEROES != 0,
            structured: false,
            contexts: None,
        })
    }

    /// Once the TLS handshake went well.
    pub fn secured(self) -> Self {
        Negotiation {
            security: Security::TlsEstablished,
            structured: false,
            contexts: None,
            ..self
        }
    }

    /// Handles one option; appends what the client is answered.
    pub fn handle(&mut self, number: u32, data: &[u8], out: &mut Vec<u8>) -> Next {
        let mut say = |kind: u32, text: &str| put_answer(out, number, kind, text.as_bytes());
        match number {
            option::ABORT => {
                say(answer::ACK, "");
                return Next::Close;
            }
            option::STARTTLS => match (self.security, data.is_empty()) {
                (_, false) => say(answer::INVALID, "STARTTLS takes no data"),
                (Security::Clear, _) => say(answer::POLICY, "this socket is served without TLS"),
                (Security::TlsEstablished, _) => say(answer::INVALID, "TLS is in use already"),
                (Security::TlsDemanded, _) => {
                    say(answer::ACK, "");
                    return Next::StartTls;
                }
            },
            option::EXPORT_NAME => return self.export_name(data, out),
            _ if self.security == Security::TlsDemanded => {
                say(
                    answer::TLS_REQUIRED,
                    "TLS with a client certificate comes first",
                );
            }
            option::LIST if !data.is_empty() => say(answer::INVALID, "LIST takes no data"),
            option::LIST => self.list(out),
            option::STRUCTURED_REPLY if !data.is_empty() => {
                say(answer::INVALID, "STRUCTURED_REPLY takes no data");
            }
            option::STRUCTURED_REPLY => {
                self.structured = true;
                say(answer::ACK, "");
            }
            option::INFO | option::GO => return self.choose(number, data, out),
            option::LIST_META_CONTEXT | option::SET_META_CONTEXT => {
                self.meta_contexts(number, data, out);
            }
            _ => say(answer::UNSUPPORTED, ""),
        }
        Next::Continue
    }

    /// The empty name is the live volume where that is offered, else the only export.
    fn find(&self, name: &str) -> Option<Export> {
        let all = self.exports.exports();
        let by_default = |e: &Export| e.image == Image::Live || all.len() == 1;
        let wanted = |e: &&Export| e.name == name || name.is_empty() && by_default(e);
        all.iter().find(wanted).cloned()
    }

    fn agree(&mut self, asked_name: &str, export: Export) -> Next {
        let chosen = self.contexts.take().filter(|(name, _)| name == asked_name);
        Next::Transmit(Box::new(Agreed {
            export,
            size: self.exports.size(),
            sector_size: self.exports.sector_size(),
            structured: self.structured,
            contexts: chosen.map(|(_, contexts)| contexts).unwrap_or_default(),
        }))
    }

    fn flags(&self, export: &Export) -> u16 {
        let mut flags = can::HAS_FLAGS | can::MULTI_CONN | can::CACHE;
        if self.structured {
            flags |= can::DONT_FRAGMENT;
        }
        if export.read_only {
            flags | can::READ_ONLY
        } else {
            flags | can::FLUSH | can::FUA | can::TRIM | can::WRITE_ZEROES
        }
    }

    /// It cannot be refused but by ending the connection.
    fn export_name(&mut self, data: &[u8], out: &mut Vec<u8>) -> Next {
        if self.security == Security::TlsDemanded {
            return Next::Close;
        }
        let found = options::string(data)
            .ok()
            .and_then(|name| Some((name, self.find(name)?)));
        let Some((name, export)) = found else {
            return Next::Close;
        };
        out.extend_from_slice(&self.exports.size().to_be_bytes());
        out.extend_from_slice(&self.flags(&export).to_be_bytes());
        if !self.no_zeroes {
            out.extend_from_slice(&[0; RESERVED_BYTES]);
        }
        self.agree(name, export)
    }

    fn list(&self, out: &mut Vec<u8>) {
        for export in self.exports.exports() {
            let mut data = (export.name.len() as u32).to_be_bytes().to_vec();
            data.extend_from_slice(export.name.as_bytes());
            data.extend_from_slice(export.description.as_bytes());
            put_answer(out, option::LIST, answer::SERVER, &data);
        }
        put_answer(out, option::LIST, answer::ACK, &[]);
    }

    fn choose(&mut self, number: u32, data: &[u8], out: &mut Vec<u8>) -> Next {
        let choice = match options::choice(data) {
            Ok(choice) => choice,
            Err(malformed) => return refuse(number, malformed, out),
        };
        let Some(export) = self.find(choice.name) else {
            put_answer(out, number, answer::UNKNOWN, b"there is no such export");
            return Next::Continue;
        };
        let mut tell = |kind: u16, parts: &[&[u8]]| {
            let mut data = kind.to_be_bytes().to_vec();
            data.extend(parts.iter().copied().flatten());
            put_answer(out, number, answer::INFO, &data);
        };
        let size = self.exports.size().to_be_bytes();
        tell(info::EXPORT, &[&size, &self.flags(&export).to_be_bytes()]);
        if choice.asked.contains(&info::NAME) {
            tell(info::NAME, &[export.name.as_bytes()]);
        }
        if choice.asked.contains(&info::DESCRIPTION) {
            tell(info::DESCRIPTION, &[export.description.as_bytes()]);
        }
        if choice.asked.contains(&info::BLOCK_SIZE) {
            let sizes = [self.exports.sector_size(), PREFERRED_BLOCK, MAX_PAYLOAD];
            let sizes = sizes.map(u32::to_be_bytes);
            tell(info::BLOCK_SIZE, &[&sizes[0], &sizes[1], &sizes[2]]);
        }
        put_answer(out, number, answer::ACK, &[]);
        if number == option::GO {
            return self.agree(choice.name, export);
        }
        Next::Continue
    }

    fn meta_contexts(&mut self, number: u32, data: &[u8], out: &mut Vec<u8>) {
        let set = number == option::SET_META_CONTEXT;
        if set {
            // Whatever comes of this one, the earlier choice is gone.
            self.contexts = None;
        }
        let asked = match options::context_query(data) {
            Ok(asked) => asked,
            Err(malformed) => {
                refuse(number, malformed, out);
                return;
            }
        };
        if set && !self.structured {
            put_answer(
                out,
                number,
                answer::INVALID,
                b"structured replies come first",
            );
            return;
        }
        let Some(export) = self.find(asked.name) else {
            put_answer(out, number, answer::UNKNOWN, b"there is no such export");
            return;
        };
        let names = std::iter::once(ALLOCATION).chain(export.contexts.iter().map(String::as_str));
        let wanted = |name: &str| {
            let whole = asked.queries.contains(&name);
            let wild = |q: &&str| q.ends_with(':') && name.starts_with(*q);
            whole || !set && (asked.queries.is_empty() || asked.queries.iter().any(wild))
        };
        let mut chosen = Vec::new();
        for name in names.filter(|name| wanted(name)) {
            let id = if set { chosen.len() as u32 + 1 } else { 0 };
            let mut data = id.to_be_bytes().to_vec();
            data.extend_from_slice(name.as_bytes());
            put_answer(out, number, answer::META_CONTEXT, &data);
            let context = match name {
                ALLOCATION => Context::Allocation,
                other => Context::Named(other.to_owned()),
            };
            chosen.push((id, context));
        }
        put_answer(out, number, answer::ACK, &[]);
        if set {
            self.contexts = Some((asked.name.to_owned(), chosen));
        }
    }
}

fn refuse(number: u32, malformed: Malformed, out: &mut Vec<u8>) -> Next {
    let (kind, text) = match malformed {
        Malformed::Invalid => (answer::INVALID, "the option's data is malformed"),
        Malformed::TooBig => (answer::TOO_BIG, "the option's data is too big"),
    };
    put_answer(out, number, kind, text.as_bytes());
    Next::Continue
}
