//! TLS for TCP: x509 certificates on both sides, TLS 1.2 and 1.3, by rustls with ring.
//!
//! rustls has no pre-shared keys, so the `tls-creds-psk` of other programs cannot be used.
//!
//! One session serves both directions under one lock, which is held for encryption and decryption and
//! never while a socket waits: a client that does not read must not keep what it wrote from being
//! handled, or both would wait for ever.

pub use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConnection};
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a server shows and demands, as PEM text.
pub struct Identity<'a> {
    /// The server's certificate, and those between it and its authority.
    pub certificate: &'a [u8],
    pub key: &'a [u8],
    /// Clients must show a certificate that one of these signed.
    pub authorities: &'a [u8],
}

fn invalid(what: &str, why: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{what}: {why}"))
}

/// Fails if the three do not make sense together.
pub fn configure(identity: &Identity) -> io::Result<Arc<ServerConfig>> {
    let read = |what: &str, pem: &[u8]| -> io::Result<Vec<CertificateDer<'static>>> {
        let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let all = all.map_err(|e| invalid(what, e))?;
        if all.is_empty() {
            return Err(invalid(what, "there is no certificate in it"));
        }
        Ok(all)
    };
    let mut roots = RootCertStore::empty();
    for authority in read("the authorities' certificates", identity.authorities)? {
        let added = roots.add(authority);
        added.map_err(|e| invalid("the authorities' certificates", e))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
    let verifier = verifier.map_err(|e| invalid("the authorities' certificates", e))?;
    let key = PrivateKeyDer::from_pem_slice(identity.key);
    let key = key.map_err(|e| invalid("the server's key", e))?;
    let chain = read("the server's certificate", identity.certificate)?;
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| invalid("TLS", e))?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(|e| invalid("the server's certificate and key", e))?;
    Ok(Arc::new(config))
}

/// An established session.
pub struct Session(Mutex<ServerConnection>);

impl Session {
    /// The TLS handshake over a socket with a time limit of its own.
    pub fn accept(config: Arc<ServerConfig>, mut socket: impl Read + Write) -> io::Result<Self> {
        let mut session = ServerConnection::new(config).map_err(io::Error::other)?;
        session.set_buffer_limit(None);
        while session.is_handshaking() {
            session.complete_io(&mut socket)?;
        }
        Ok(Session(Mutex::new(session)))
    }

    fn lock(&self) -> MutexGuard<'_, ServerConnection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes plain bytes that have arrived. WouldBlock: none, more encrypted ones are needed
    /// ([`feed`](Session::feed)). 0: the client ended the session.
    pub fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        self.lock().reader().read(into)
    }

    /// Decrypts the beginning of what came from the socket; returns how much of it was taken. Only to
    /// be called while there is nothing to [`read`](Session::read).
    pub fn feed(&self, mut encrypted: &[u8]) -> io::Result<usize> {
        let mut session = self.lock();
        let taken = session.read_tls(&mut encrypted)?;
        session
            .process_new_packets()
            .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
        Ok(taken)
    }

    /// Appends the encrypted form of `parts`, and whatever else the session has to say.
    pub fn seal(&self, parts: &[&[u8]], into: &mut Vec<u8>) -> io::Result<()> {
        let mut session = self.lock();
        for part in parts {
            session.writer().write_all(part)?;
        }
        while session.wants_write() {
            session.write_tls(into)?;
        }
        Ok(())
    }

    /// The closing message.
    pub fn farewell(&self, into: &mut Vec<u8>) -> io::Result<()> {
        self.lock().send_close_notify();
        self.seal(&[], into)
    }
}
