//! Certificates that openssl makes, and a client that shows one.

use crate::client::{Running, greet, hear, say};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use transport::nbd::tls::{self, Identity, ServerConfig};
use transport::nbd::wire::{OPTION_MAGIC, OPTION_REPLY_MAGIC, answer, be64, option};

/// An authority, and what it has signed for a server and for a client.
pub struct Certificates(PathBuf);

impl Certificates {
    pub fn make(name: &str) -> Certificates {
        let directory = std::env::temp_dir().join(format!("nbd-tls-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("room for certificates");
        sign(&directory, "authority", None);
        sign(&directory, "server", Some("authority"));
        sign(&directory, "client", Some("authority"));
        Certificates(directory)
    }

    fn pem(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.0.join(file)).expect("made before")
    }

    pub fn server(&self) -> Arc<ServerConfig> {
        let identity = Identity {
            certificate: &self.pem("server.crt"),
            key: &self.pem("server.key"),
            authorities: &self.pem("authority.crt"),
        };
        tls::configure(&identity).expect("certificates that make sense")
    }

    fn client(&self) -> Arc<ClientConfig> {
        let certificate = |file: &str| CertificateDer::from_pem_slice(&self.pem(file));
        let mut roots = RootCertStore::empty();
        let authority = certificate("authority.crt").expect("PEM");
        roots.add(authority).expect("an authority");
        let chain = vec![certificate("client.crt").expect("PEM")];
        let key = PrivateKeyDer::from_pem_slice(&self.pem("client.key")).expect("PEM");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("TLS")
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key);
        Arc::new(config.expect("a pair"))
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A client with a certificate, which has asked for the list of exports in its session.
pub struct Known(StreamOwned<ClientConnection, UnixStream>);

impl Known {
    pub fn connect(running: &Running, certificates: &Certificates) -> Known {
        let mut stream = running.connect();
        greet(&mut stream);
        say(&mut stream, option::STARTTLS, &[]);
        assert_eq!(hear(&mut stream).0, answer::ACK);
        let name = ServerName::try_from("localhost").expect("a name");
        let session = ClientConnection::new(certificates.client(), name).expect("a session");
        let mut known = Known(StreamOwned::new(session, stream));
        let ask = [
            &OPTION_MAGIC.to_be_bytes()[..],
            &option::LIST.to_be_bytes(),
            &[0; 4],
        ];
        // One that is turned away may be so before it has asked.
        let _ = known.0.write_all(&ask.concat());
        known
    }

    /// Whether it is answered; else the connection has ended.
    pub fn is_let_in(&mut self) -> io::Result<bool> {
        let mut head = [0; 20];
        match self.0.read_exact(&mut head) {
            Ok(()) => Ok(be64(&head, 0) == Some(OPTION_REPLY_MAGIC)),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Err(e),
            Err(_) => Ok(false),
        }
    }
}

/// Makes `name`.key and `name`.crt, of an authority where nobody signs.
fn sign(directory: &Path, name: &str, by: Option<&str>) {
    let file = |name: &str, kind: &str| directory.join(format!("{name}.{kind}"));
    let mut openssl = Command::new("openssl");
    let new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30";
    openssl
        .args(new.split(' '))
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
