//! A client of an NBD server that demands TLS: before the handshake, during it, and inside the session.
//!
//! Input: the first byte says what client it is, the rest what it says.
//!
//! * 0: in clear, everything, whatever the server answers. It has no certificate, so it may not reach the volume.
//! * 1, 2: a stranger: the rest is said inside a session for which it shows another authority's certificate, or none.
//!   It may not reach the volume either.
//! * 3: one that may: options and requests inside the session.
//! * 4: the same, but a bit of what it sends once the session stands is turned round on the way; two bytes say which.
//!
//! With 8 added a session is of TLS 1.2, with 16 it ends without a farewell.

use crate::memory::Memory;
use crate::nbd;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock};
use transport::nbd::tls::{self, Identity};

/// What fits into a socket's buffer at once, with what TLS adds.
const MAX_INPUT: usize = 32 * 1024;
/// The client's flags and the option STARTTLS; the greeting before them, the answer to them.
const STARTTLS: &[u8] = b"\0\0\0\x03IHAVEOPT\0\0\0\x05\0\0\0\0";
const GREETING_BYTES: usize = 18;
const ANSWER_BYTES: usize = 20;

pub fn run(input: &[u8]) {
    let may = matches!(input.first().map(|kind| kind % 8), Some(3 | 4));
    let reached = reaches_the_volume(input);
    assert!(
        may || !reached,
        "a client without a certificate reaches the volume"
    );
}

fn reaches_the_volume(input: &[u8]) -> bool {
    let Some((kind, said)) = input.split_first() else {
        return false;
    };
    let said = &said[..said.len().min(MAX_INPUT)];
    let (client, server) = UnixStream::pair().expect("a socket pair");
    let memory = Arc::new(Memory::default());
    let mut damage = None;
    let who = match (kind % 8, said) {
        (1, _) => &MEANS.stranger,
        (2, _) => &MEANS.nameless,
        (3, _) => &MEANS.known,
        (4, [low, high, ..]) => {
            damage = Some(usize::from(u16::from_le_bytes([*low, *high])));
            &MEANS.known
        }
        _ => {
            nbd::converse(client, server, said, memory.clone(), Some(&MEANS.server));
            return memory.reached();
        }
    };
    let config = who[usize::from(kind & 8 != 0)].clone();
    let words = Words {
        said,
        damage,
        farewell: kind & 16 == 0,
    };
    std::thread::scope(|scope| {
        scope.spawn(|| words.say(client, config));
        nbd::serve(server, memory.clone(), Some(&MEANS.server));
    });
    memory.reached()
}

struct Words<'a> {
    said: &'a [u8],
    damage: Option<usize>,
    farewell: bool,
}

impl Words<'_> {
    fn say(&self, mut socket: UnixStream, config: Arc<ClientConfig>) {
        // The server may end the conversation at any point.
        let _ = self.try_to_say(&mut socket, config);
        let _ = socket.shutdown(Shutdown::Write);
        let mut answers = vec![0; 64 * 1024];
        while socket.read(&mut answers).is_ok_and(|n| n > 0) {}
    }

    fn try_to_say(
        &self,
        socket: &mut UnixStream,
        config: Arc<ClientConfig>,
    ) -> std::io::Result<()> {
        let mut answer = [0; GREETING_BYTES + ANSWER_BYTES];
        socket.write_all(STARTTLS)?;
        socket.read_exact(&mut answer)?;
        let name = ServerName::try_from("localhost").expect("a name");
        let mut session = ClientConnection::new(config, name).map_err(std::io::Error::other)?;
        while session.is_handshaking() {
            session.complete_io(socket)?;
        }
        session.writer().write_all(self.said)?;
        if self.farewell {
            session.send_close_notify();
        }
        let mut sealed = Vec::new();
        while session.wants_write() {
            session.write_tls(&mut sealed)?;
        }
        if let Some(bit) = self.damage
            && !sealed.is_empty()
        {
            let at = bit / 8 % sealed.len();
            sealed[at] ^= 1 << (bit % 8);
        }
        socket.write_all(&sealed)
    }
}

/// Keys and certificates, made for this process. Clients: what they show, in TLS 1.3 and in 1.2.
struct Means {
    server: Arc<ServerConfig>,
    known: [Arc<ClientConfig>; 2],
    stranger: [Arc<ClientConfig>; 2],
    nameless: [Arc<ClientConfig>; 2],
}

static MEANS: LazyLock<Means> = LazyLock::new(|| {
    let directory =
        std::env::temp_dir().join(format!("stillframe-fuzz-tls-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("room for certificates");
    for name in ["authority", "other"] {
        sign(&directory, name, None);
    }
    sign(&directory, "server", Some("authority"));
    sign(&directory, "known", Some("authority"));
    sign(&directory, "stranger", Some("other"));
    let pem = |name: &str, kind: &str| {
        std::fs::read(directory.join(format!("{name}.{kind}"))).expect("made above")
    };
    let server = tls::configure(&Identity {
        certificate: &pem("server", "crt"),
        key: &pem("server", "key"),
        authorities: &pem("authority", "crt"),
    });
    let clients = |name: Option<&str>| {
        [&rustls::version::TLS13, &rustls::version::TLS12].map(|version| {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let mut roots = RootCertStore::empty();
            let authority = CertificateDer::from_pem_slice(&pem("authority", "crt"));
            roots.add(authority.expect("PEM")).expect("an authority");
            let config = ClientConfig::builder_with_provider(provider)
                .with_protocol_versions(&[version])
                .expect("a version")
                .with_root_certificates(roots);
            let Some(name) = name else {
                return Arc::new(config.with_no_client_auth());
            };
            let chain = vec![CertificateDer::from_pem_slice(&pem(name, "crt")).expect("PEM")];
            let key = PrivateKeyDer::from_pem_slice(&pem(name, "key")).expect("PEM");
            Arc::new(config.with_client_auth_cert(chain, key).expect("a pair"))
        })
    };
    let means = Means {
        server: server.expect("certificates that make sense"),
        known: clients(Some("known")),
        stranger: clients(Some("stranger")),
        nameless: clients(None),
    };
    std::fs::remove_dir_all(&directory).expect("certificates");
    means
});

/// Makes `name`.key and `name`.crt, of an authority where nobody signs.
fn sign(directory: &Path, name: &str, by: Option<&str>) {
    let file = |name: &str, kind: &str| directory.join(format!("{name}.{kind}"));
    let mut openssl = Command::new("openssl");
    openssl
        .args(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30".split(' '),
        )
        .args(["-subj", &format!("/CN={name}")])
        .arg("-keyout")
        .arg(file(name, "key"))
        .arg("-out")
        .arg(file(name, "crt"));
    if let Some(authority) = by {
        openssl
            .arg("-CA")
            .arg(file(authority, "crt"))
            .arg("-CAkey")
            .arg(file(authority, "key"))
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-addext", "subjectAltName=DNS:localhost"]);
    }
    let ended = openssl.stderr(Stdio::null()).status().expect("openssl");
    assert!(ended.success(), "openssl: {name}");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise the target would find nothing, ever.
    #[test]
    fn only_those_with_a_certificate_reach_the_volume() {
        let list = b"IHAVEOPT\0\0\0\x03\0\0\0\0";
        let reached = |kind: u8| reaches_the_volume(&[&[kind], &list[..]].concat());
        for kind in [3, 11, 19] {
            assert!(reached(kind), "{kind}");
        }
        for kind in [0, 1, 2, 9, 10] {
            assert!(!reached(kind), "{kind}");
        }
    }
}
