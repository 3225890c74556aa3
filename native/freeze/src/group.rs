//! The group made ready: every mount open, every engine connected, in the order of freezing, and nothing in it that
//! the freeze itself would stop.

use crate::engine_client::{CallError, EngineClient, Prepared};
use crate::order::{Place, freeze_order};
use crate::report::{Failure, Kind};
use crate::request::VolumeRequest;
use crate::{shared::Shared, sys};
use std::fs::{File, metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

pub struct Volume {
    pub request: VolumeRequest,
    pub mount: File,
    pub engine: EngineClient,
}

/// Opens and checks everything, and puts it into the order of freezing.
///
/// # Errors
/// The report to print: a group that must not be frozen, or an engine that does not answer.
pub fn open(requests: Vec<VolumeRequest>) -> Result<Vec<Volume>, Failure> {
    let mut volumes = Vec::new();
    let mut devices = Vec::new();
    for (i, request) in requests.into_iter().enumerate() {
        let (mount, device) =
            open_mount(i, &request).map_err(|text| about(&request, Kind::Refused, text))?;
        if let Some(twin) = devices.iter().position(|&other| other == device) {
            let text =
                format!("volumes[{i}].mount is the same file system as volumes[{twin}].mount");
            return Err(about(&request, Kind::Refused, text));
        }
        let engine = EngineClient::connect(&request.socket)
            .map_err(|error| about(&request, Kind::Activate, no_answer(&request, &error)))?;
        devices.push(device);
        volumes.push(Volume {
            request,
            mount,
            engine,
        });
    }
    let prepared = volumes
        .iter()
        .enumerate()
        .map(|(i, volume)| prepared(i, volume))
        .collect::<Result<Vec<_>, _>>()?;
    refuse_own_file_systems(&volumes, &prepared, &devices)?;
    let host = |prepared: &Prepared| {
        metadata(&prepared.backing)
            .ok()
            .filter(|backing| backing.is_file())
            .map(|file| file.dev())
    };
    let places: Vec<Place> = (0..volumes.len())
        .map(|i| Place {
            mount: &volumes[i].request.mount,
            device: devices[i],
            hosted_on: host(&prepared[i]),
        })
        .collect();
    let order = freeze_order(&places);
    let mut places: Vec<Option<Volume>> = volumes.into_iter().map(Some).collect();
    Ok(order.into_iter().filter_map(|i| places[i].take()).collect())
}

fn open_mount(index: usize, request: &VolumeRequest) -> Result<(File, u64), String> {
    let at = |text: &dyn std::fmt::Display| {
        format!("volumes[{index}].mount {}: {text}", request.mount.display())
    };
    if !sys::is_mount_point(&request.mount).map_err(|error| at(&error))? {
        return Err(at(&"not a mount point"));
    }
    let mount = File::open(&request.mount).map_err(|error| at(&error))?;
    let device = mount.metadata().map_err(|error| at(&error))?.dev();
    Ok((mount, device))
}

/// A freeze that stops what must end it never ends: the file systems of this program, of its working directory and its
/// open files, of the engines' sockets and logs, and of the caches that the snapshots will write to.
fn refuse_own_file_systems(
    volumes: &[Volume],
    prepared: &[Prepared],
    devices: &[u64],
) -> Result<(), Failure> {
    let mut own: Vec<(String, Option<u64>)> = Vec::new();
    let device_of = |path: &Path| metadata(path).ok().map(|about| about.dev());
    own.push((
        "this program".into(),
        device_of(Path::new("/proc/self/exe")),
    ));
    own.push((
        "this program's working directory".into(),
        device_of(Path::new(".")),
    ));
    for (fd, name) in ["standard input", "standard output", "standard error"]
        .iter()
        .enumerate()
    {
        own.push((
            (*name).into(),
            device_of(Path::new(&format!("/proc/self/fd/{fd}"))),
        ));
    }
    for (i, volume) in volumes.iter().enumerate() {
        let request = &volume.request;
        own.push((
            format!("the engine's socket and log (volumes[{i}].socket)"),
            device_of(&request.socket),
        ));
        for cache in &prepared[i].cache_directories {
            own.push((
                format!("the cache of {} ({cache})", request.name),
                device_of(Path::new(cache)),
            ));
        }
    }
    for (what, device) in own {
        if let Some(i) =
            device.and_then(|device| devices.iter().position(|&frozen| frozen == device))
        {
            let request = &volumes[i].request;
            let text = format!(
                "volumes[{i}].mount {} holds {what}: it cannot be frozen",
                request.mount.display()
            );
            return Err(about(request, Kind::Refused, text));
        }
    }
    Ok(())
}

fn prepared(index: usize, volume: &Volume) -> Result<Prepared, Failure> {
    let request = &volume.request;
    volume
        .engine
        .prepared(&request.snapshot)
        .map_err(|error| match error {
            CallError::Unfit(text) => {
                let text = format!(
                    "volumes[{index}].snapshot: the engine of {}: {text}",
                    request.name
                );
                about(request, Kind::Refused, text)
            }
            error => about(request, Kind::Activate, no_answer(request, &error)),
        })
}

fn no_answer(request: &VolumeRequest, error: &CallError) -> String {
    format!(
        "The engine of {} at {}: {error}",
        request.name,
        request.socket.display()
    )
}

fn about(request: &VolumeRequest, kind: Kind, message: String) -> Failure {
    Failure {
        mount: Some(request.name.clone()),
        ..Failure::new(kind, message)
    }
}

/// Releases every snapshot that may have become active; only after the thaw. What cannot be released is said on standard
/// error: whoever asked knows by the report that no snapshot was taken.
pub fn release_activated(volumes: &[Volume], shared: &Shared) {
    for (i, volume) in volumes.iter().enumerate() {
        if !shared.activation_sent(i) {
            continue;
        }
        let request = &volume.request;
        // The same connection first: there the release stands behind an activation that is still under way.
        let released = match volume.engine.release(&request.snapshot) {
            Err(CallError::Broken(_)) => EngineClient::connect(&request.socket)
                .and_then(|engine| engine.release(&request.snapshot)),
            other => other,
        };
        if let Err(error) = released {
            eprintln!(
                "stillframe-freeze: snapshot {} of {} was not released: {error}",
                request.snapshot, request.name
            );
        }
    }
}
