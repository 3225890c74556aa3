//! Targets that make files, mounts and sockets where the input says so: they run in a thread with a root directory, a small disk and a
//! network of its own, which nobody else sees. Needs root.

use engine::fuzzing::{PROTOCOL, Remains, Specimen};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{LazyLock, Mutex, PoisonError};

/// Lines for the control socket. If the first byte is even, a greeting is said first and the byte is dropped.
pub fn control(input: &[u8]) {
    ask(Target::Control, input);
}

/// Damage to what a dead engine left ([`Remains::take_up`]).
pub fn state(input: &[u8]) {
    ask(Target::State, input);
}

#[derive(Clone, Copy)]
enum Target {
    Control,
    State,
}

struct Worker {
    jobs: SyncSender<(Target, Vec<u8>)>,
    done: Receiver<()>,
}

static WORKER: LazyLock<Mutex<Worker>> = LazyLock::new(|| {
    let (jobs, ask) = sync_channel(0);
    let (tell, done) = sync_channel(0);
    std::thread::spawn(move || work(&ask, &tell));
    Mutex::new(Worker { jobs, done })
});

fn ask(target: Target, input: &[u8]) {
    let worker = WORKER.lock().unwrap_or_else(PoisonError::into_inner);
    let sent = worker.jobs.send((target, input.to_vec()));
    sent.expect("the thread of this target works");
    worker.done.recv().expect("this input breaks no promise");
}

fn work(jobs: &Receiver<(Target, Vec<u8>)>, done: &SyncSender<()>) {
    confine().expect("a thread confined by root");
    let directory = |name: &str| {
        let path = Path::new("/").join(name);
        std::fs::create_dir(&path).expect("an empty root");
        path
    };
    let specimen = Specimen::new(&directory("control"));
    let place = directory("state");
    let remains = Remains::new(&place);
    for (target, input) in jobs {
        match target {
            Target::Control => converse(&specimen, &input),
            Target::State => remains.take_up(&place, &input),
        }
        done.send(()).expect("somebody waits");
    }
}

/// What fits into a socket's buffer at once.
const MAX_INPUT: usize = 64 * 1024;

fn converse(specimen: &Specimen, input: &[u8]) {
    let (mut client, server) = UnixStream::pair().expect("a socket pair");
    let greeting = format!(r#"{{"id":1,"method":"hello","params":{{"protocol":{PROTOCOL}}}}}"#);
    let (greeting, lines) = match input.split_first() {
        Some((first, rest)) if first.is_multiple_of(2) => (format!("{greeting}\n"), rest),
        _ => (String::new(), input),
    };
    let lines = &lines[..lines.len().min(MAX_INPUT)];
    client
        .write_all(&[greeting.as_bytes(), lines].concat())
        .and_then(|()| client.shutdown(std::net::Shutdown::Write))
        .expect("room in the socket");
    let reader = std::thread::spawn(move || {
        let mut answers = vec![0; 64 * 1024];
        while client.read(&mut answers).is_ok_and(|n| n > 0) {}
    });
    specimen.control(server);
    reader.join().expect("the reader only reads");
}

/// Gives this thread, and those that it starts, an empty root of 96 MiB and no network.
fn confine() -> std::io::Result<()> {
    let mounted = |result: libc::c_int| match result {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    };
    let none = std::ptr::null();
    let (root, temporary, kind) = (c"/".as_ptr(), c"/tmp".as_ptr(), c"tmpfs".as_ptr());
    // SAFETY: constant strings that end with a NUL; only this thread's view changes.
    unsafe {
        mounted(libc::unshare(
            libc::CLONE_FS | libc::CLONE_NEWNS | libc::CLONE_NEWNET,
        ))?;
        let private = libc::MS_REC | libc::MS_PRIVATE;
        mounted(libc::mount(none, root, none, private, none.cast()))?;
        let size = c"size=96m,mode=700".as_ptr();
        mounted(libc::mount(kind, temporary, kind, 0, size.cast()))?;
        mounted(libc::chroot(temporary))?;
        mounted(libc::chdir(root))
    }
}
