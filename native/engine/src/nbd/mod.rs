//! Serving the volume over NBD: what is offered, where, and how it outlives the engine.
//!
//! The listening sockets and what is offered on them are one message on the shelf ([`shelf`]), which
//! the keeper holds: clients can connect while no engine runs, and the next engine serves them as the
//! last one did. What changes is put on the shelf before it is done.
//!
//! The live volume is offered for writing only where that was asked for: a client that writes beside a
//! mounted file system destroys it.

mod exports;
mod shelf;

use crate::engine::Engine;
use crate::failure::{Context, Failure, Outcome};
use crate::log;
use crate::protocol::ErrorKind;
use crate::protocol::nbd::{
    NbdAccess, NbdReport, NbdTcp, NbdTcpReport, NbdTlsFiles, ServeNbdParams,
};
use crate::run_directory::RunDirectory;
use serde::{Deserialize, Serialize};
use std::fs::Permissions;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use transport::nbd::server::Server;
use transport::nbd::tls::{self, Identity};
use transport::served::Image;

/// The longest key and certificate files: two offers must fit onto the shelf at once.
const MAX_PEM_BYTES: u64 = 16 << 10;

/// What is offered. Lies on the shelf.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Offer {
    live: Option<NbdAccess>,
    snapshots: Vec<String>,
    all_snapshots: bool,
    tcp: Option<Tcp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Tcp {
    address: IpAddr,
    port: u16,
    tls: Option<Pem>,
}

/// The files' content: the files may be gone when the next engine starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Pem {
    certificate: String,
    key: String,
    authorities: String,
}

impl Offer {
    fn is_empty(&self) -> bool {
        self.live.is_none() && !self.all_snapshots && self.snapshots.is_empty()
    }
}

/// None while nothing is served.
#[derive(Default)]
pub struct Nbd(Mutex<Option<Serving>>);

struct Serving {
    offer: Offer,
    /// Copies of the sockets, to be laid down again.
    sockets: Vec<OwnedFd>,
    server: Arc<Server>,
}

impl Nbd {
    fn lock(&self) -> MutexGuard<'_, Option<Serving>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn offer(&self) -> Offer {
        self.lock()
            .as_ref()
            .map(|s| s.offer.clone())
            .unwrap_or_default()
    }

    pub fn report(&self, engine: &Engine) -> Option<NbdReport> {
        let serving = self.lock();
        let serving = serving.as_ref()?;
        let offer = &serving.offer;
        let readable = engine.registry.table.readable();
        let offered = |id: &String| offer.all_snapshots || offer.snapshots.contains(id);
        Some(NbdReport {
            socket: socket_path(engine).ok()?,
            tcp: offer.tcp.as_ref().map(|tcp| NbdTcpReport {
                address: tcp.address.to_string(),
                port: tcp.port,
                tls: tcp.tls.is_some(),
            }),
            live: offer.live,
            snapshots: readable
                .into_iter()
                .map(|(id, _)| id)
                .filter(offered)
                .collect(),
            all_snapshots: offer.all_snapshots,
            connections: serving.server.connections() as u32,
        })
    }
}

fn run(engine: &Engine) -> Outcome<RunDirectory> {
    RunDirectory::new(engine.configuration.run_directory.as_ref())
}

fn socket_path(engine: &Engine) -> Outcome<String> {
    Ok(run(engine)?.nbd().to_string_lossy().into_owned())
}

/// Serves on, at the start of an engine, what the last one served.
pub fn resume(engine: &Arc<Engine>) {
    // Clients may be waiting on the sockets: who is let in asks what is offered, and must not hear that nothing is.
    let mut current = engine.nbd.lock();
    let resumed = shelf::peek().and_then(|found| match found {
        Some((offer, sockets)) => begin(engine, offer, sockets).map(Some),
        None => Ok(None),
    });
    match resumed {
        Ok(serving) => *current = serving,
        Err(e) => log::line(format!("NBD cannot be served on: {e}")),
    }
}

pub fn serve(engine: &Arc<Engine>, ask: ServeNbdParams) -> Outcome<NbdReport> {
    let mut current = engine.nbd.lock();
    let mut offer = current
        .as_ref()
        .map(|s| s.offer.clone())
        .unwrap_or_default();
    if ask.live.is_some() {
        offer.live = ask.live;
    }
    offer.all_snapshots |= ask.all_snapshots.unwrap_or(false);
    for id in ask.snapshots.unwrap_or_default() {
        if engine.registry.table.image(&id).is_none() {
            return Err(Failure::new(
                ErrorKind::NotFound,
                format!("there is no snapshot {id} that can be read"),
            ));
        }
        if !offer.snapshots.contains(&id) {
            offer.snapshots.push(id);
        }
    }
    if offer.is_empty() {
        return Err(Failure::invalid(
            "nothing to serve: neither live nor a snapshot was named",
        ));
    }
    let tcp = ask.tcp.map(resolve).transpose()?;
    match current.as_mut() {
        None => *current = Some(open(engine, offer, tcp)?),
        Some(serving) => change(serving, offer, tcp)?,
    }
    drop(current);
    let report = engine.nbd.report(engine);
    report.ok_or_else(|| Failure::new(ErrorKind::Internal, "NBD is not served"))
}

/// Opens the sockets and begins to serve.
fn open(engine: &Arc<Engine>, mut offer: Offer, tcp: Option<Tcp>) -> Outcome<Serving> {
    let path = run(engine)?.nbd();
    let _ = std::fs::remove_file(&path);
    let shown = path.display();
    let unix = UnixListener::bind(&path).context(|| format!("making the socket {shown}"))?;
    std::fs::set_permissions(&path, Permissions::from_mode(0o600))
        .context(|| format!("protecting {shown}"))?;
    let mut sockets = vec![unix.into()];
    let result = tcp
        .map(|tcp| {
            let (tcp, socket) = bind(tcp)?;
            offer.tcp = Some(tcp);
            sockets.push(socket);
            Ok(())
        })
        .transpose()
        .and_then(|_| shelf::put(&offer, &sockets))
        .and_then(|()| begin(engine, offer, sockets));
    if result.is_err() {
        let _ = shelf::clear();
        let _ = std::fs::remove_file(&path);
    }
    result
}

/// Changes what is offered while it is served.
fn change(serving: &mut Serving, mut offer: Offer, tcp: Option<Tcp>) -> Outcome<()> {
    let mut sockets = Vec::new();
    for socket in &serving.sockets {
        sockets.push(copy(socket)?);
    }
    let mut added = None;
    match (&serving.offer.tcp, tcp) {
        (_, None) => {}
        (None, Some(tcp)) => {
            let (tcp, socket) = bind(tcp)?;
            let tls = configure(&tcp)?;
            sockets.push(copy(&socket)?);
            offer.tcp = Some(tcp);
            added = Some((socket, tls));
        }
        (Some(there), Some(wanted)) => {
            let port = if wanted.port == 0 {
                there.port
            } else {
                wanted.port
            };
            if *there != (Tcp { port, ..wanted }) {
                return Err(Failure::new(
                    ErrorKind::Exists,
                    format!(
                        "NBD is served on {} port {} with other settings; stop it first",
                        there.address, there.port
                    ),
                ));
            }
        }
    }
    shelf::put(&offer, &sockets)?;
    let other_access = serving.offer.live != offer.live;
    // Together, and only now: a socket without its offer would be served without TLS by the next engine.
    (serving.offer, serving.sockets) = (offer, sockets);
    if other_access {
        serving.server.hang_up(Image::Live);
    }
    if let Some((socket, tls)) = added {
        let listening = serving.server.listen(socket, tls);
        listening.context(|| "starting a thread".into())?;
    }
    Ok(())
}

/// Serves on sockets that are open already.
fn begin(engine: &Arc<Engine>, offer: Offer, mut sockets: Vec<OwnedFd>) -> Outcome<Serving> {
    // An earlier version could lay down a TCP socket whose terms are not known; closed it is served on none.
    sockets.truncate(1 + usize::from(offer.tcp.is_some()));
    let server = Server::new(engine.clone(), engine.configuration.threads);
    let tls = offer.tcp.as_ref().map(configure).transpose()?.flatten();
    for (n, socket) in sockets.iter().enumerate() {
        let tls = if n == 0 { None } else { tls.clone() };
        let listening = server.listen(copy(socket)?, tls);
        listening.context(|| "starting a thread".into())?;
    }
    Ok(Serving {
        offer,
        sockets,
        server,
    })
}

fn copy(socket: &OwnedFd) -> Outcome<OwnedFd> {
    socket.try_clone().context(|| "copying a descriptor".into())
}

pub fn stop(engine: &Engine, snapshot: Option<&str>) -> Outcome<()> {
    let mut current = engine.nbd.lock();
    let Some(serving) = current.as_mut() else {
        return Ok(());
    };
    if let Some(id) = snapshot {
        let mut offer = serving.offer.clone();
        offer.snapshots.retain(|other| other != id);
        if !offer.is_empty() {
            shelf::put(&offer, &serving.sockets)?;
            serving.offer = offer;
            if let Some(image) = engine.registry.table.image(id) {
                serving.server.hang_up(Image::Frozen(image));
            }
            return Ok(());
        }
    }
    shelf::clear()?;
    serving.server.end();
    *current = None;
    drop(current);
    let _ = std::fs::remove_file(run(engine)?.nbd());
    log::line("NBD is not served any more");
    Ok(())
}

/// After a release: what was offered by its name alone and is gone is not offered any more.
pub fn forget_released(engine: &Engine) {
    let gone = |id: &&String| engine.registry.table.find(id).is_none();
    let gone: Vec<String> = engine
        .nbd
        .offer()
        .snapshots
        .iter()
        .filter(gone)
        .cloned()
        .collect();
    for id in gone {
        if let Err(e) = stop(engine, Some(&id)) {
            log::line(format!("withdrawing {id} from NBD: {e}"));
        }
    }
}

/// Reads what a request names.
fn resolve(ask: NbdTcp) -> Outcome<Tcp> {
    let address: IpAddr = ask
        .address
        .parse()
        .map_err(|_| Failure::invalid(format!("{:?} is not an IP address", ask.address)))?;
    if ask.tls.is_none() {
        return Err(Failure::invalid(format!(
            "TCP needs TLS, also on {address}: without it every user who can reach that could read the volume; the Unix socket is for root alone"
        )));
    }
    let tcp = Tcp {
        address,
        port: ask.port,
        tls: ask.tls.as_ref().map(read_files).transpose()?,
    };
    configure(&tcp)?;
    Ok(tcp)
}

fn read_files(files: &NbdTlsFiles) -> Outcome<Pem> {
    let read = |path: &str| {
        let size = std::fs::metadata(path).context(|| path.to_owned())?.len();
        if size > MAX_PEM_BYTES {
            return Err(Failure::invalid(format!(
                "{path} is too long for a PEM file"
            )));
        }
        std::fs::read_to_string(path).context(|| path.to_owned())
    };
    Ok(Pem {
        certificate: read(&files.certificate)?,
        key: read(&files.key)?,
        authorities: read(&files.authorities)?,
    })
}

fn configure(tcp: &Tcp) -> Outcome<Option<Arc<tls::ServerConfig>>> {
    let Some(pem) = &tcp.tls else {
        return Ok(None);
    };
    let identity = Identity {
        certificate: pem.certificate.as_bytes(),
        key: pem.key.as_bytes(),
        authorities: pem.authorities.as_bytes(),
    };
    let config = tls::configure(&identity).map_err(|e| Failure::invalid(e.to_string()))?;
    Ok(Some(config))
}

/// Its port is known afterwards.
fn bind(tcp: Tcp) -> Outcome<(Tcp, OwnedFd)> {
    let address = SocketAddr::new(tcp.address, tcp.port);
    let listener = TcpListener::bind(address).context(|| format!("listening on {address}"))?;
    let port = listener
        .local_addr()
        .context(|| "asking for the port".into())?
        .port();
    Ok((Tcp { port, ..tcp }, listener.into()))
}
