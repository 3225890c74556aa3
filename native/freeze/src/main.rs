//! `stillframe-freeze`: freezes a group of mounted file systems, has their engines take their snapshots, and thaws,
//! whatever happens. See [`guardian`] for how it always thaws, [`actor`] for what happens while everything stands still,
//! and [`group`] for what it refuses.
//!
//! The caller writes one request line to standard input and keeps it open: its end thaws. It reads one report line.
//! No line, or a line without `"ok":true`, means that no snapshot was taken. Standard output is at its end only when
//! everything is thawed; the line may come before: where a stopped engine holds this process inside a freeze or a thaw,
//! the guardian says so soon after the deadline, and thaws that mount when the kernel lets go of it.

mod activation;
mod actor;
mod engine_client;
mod group;
mod guardian;
mod haste;
mod order;
mod report;
mod request;
mod shared;
mod sync;
mod sys;
mod tell;

use crate::activation::Activation;
use crate::actor::{Actor, Course};
use crate::group::Volume;
use crate::haste::Haste;
use crate::report::{Failure, Kind, line};
use crate::shared::Shared;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process::ExitCode;

const GUARDIAN_READY_WITHIN: u64 = 10_000_000_000;

const HELP: &str = "\
Usage: stillframe-freeze < request

Freezes mounted file systems, has their engines take their snapshots, and thaws them, whatever happens.

The request is one line of JSON on standard input, which must stay open: its end thaws.
  {\"deadlineMs\":10000,\"syncMs\":30000,\"volumes\":[{\"name\":…,\"mount\":…,\"socket\":…,\"snapshot\":…}]}
deadlineMs bounds the freeze: 10000 if not given. syncMs bounds the writing back of dirty pages before it: 30000 if
not given. Each snapshot must have been prepared at its engine.

While something is frozen, /sys/kernel/rcu_expedited is set, if it is 0, which makes a freeze some twenty times shorter.
/sys/kernel/rcu_normal set to 1 forbids it.

One line of JSON on standard output says what happened. `\"ok\":true` means taken; anything else, not.

Exit codes: 0 taken; 1 not taken, nothing frozen or everything thawed; 2 wrong usage.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {}
        ["--help" | "-h"] => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        ["--version" | "-V"] => {
            println!("stillframe-freeze {}", env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("stillframe-freeze takes no arguments.\n\n{HELP}");
            return ExitCode::from(2);
        }
    }
    match freeze_group() {
        Ok(ended) => ended,
        Err(failure) => {
            print!("{}", line(&failure));
            ExitCode::FAILURE
        }
    }
}

/// Everything, in order. Its errors are those before anything was frozen.
fn freeze_group() -> Result<ExitCode, Failure> {
    let request =
        request::parse(&read_line()?).map_err(|text| Failure::new(Kind::Refused, text))?;
    // Both processes use the volumes until they end.
    let volumes: &'static [Volume] = group::open(request.volumes)?.leak();
    let sync_nanoseconds = sync::sync_all(volumes, request.sync_ms)?;
    let mut activations = volumes
        .iter()
        .map(|volume| {
            Activation::prepare(
                &volume.engine,
                &volume.request.snapshot,
                volume.mount.as_fd(),
            )
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(not_started)?;
    let mut waiting = vec![sys::poll_entry(-1); volumes.len() + 1];
    let shared = Shared::map().map_err(not_started)?;
    // Where it is not allowed, the guardian still outlives an actor that was chosen.
    let _ = std::fs::write("/proc/self/oom_score_adj", "-1000");
    let haste = Haste::open();
    let link = start_guardian(volumes, shared, &haste, request.deadline_ms)
        .inspect_err(|_| shared.set_finished())?;
    if let Err(error) = sys::lock_memory() {
        eprintln!("stillframe-freeze: memory could not be locked: {error}");
    }
    // While something is frozen others wait for this process, and those that keep the processor busy must not delay it.
    sys::go_first();
    haste.begin();
    let course = Actor {
        volumes,
        activations: &mut activations,
        shared,
        to_guardian: &link.to_guardian,
        from_guardian: &link.from_guardian,
        deadline_ms: request.deadline_ms,
    }
    .run(&mut waiting);
    haste.end();
    Ok(finish(
        &course,
        volumes,
        &activations,
        &sync_nanoseconds,
        request.deadline_ms,
        shared,
        link,
    ))
}

fn finish(
    course: &Course,
    volumes: &[Volume],
    activations: &[Activation],
    sync_nanoseconds: &[u64],
    deadline_ms: u64,
    shared: &Shared,
    link: GuardianLink,
) -> ExitCode {
    let told = tell::tell(course, volumes, activations, sync_nanoseconds, deadline_ms);
    // Where the guardian has answered for this process, no snapshot counts any more.
    let mine = shared.claim_report();
    if told.is_err() || !mine {
        group::release_activated(volumes, shared);
    }
    let text = match &told {
        Ok(success) => line(success),
        Err(failure) => line(failure),
    };
    shared.set_finished();
    if mine {
        sys::write_once(libc::STDOUT_FILENO, text.as_bytes());
    }
    link.end();
    if told.is_ok() && mine {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The first line of standard input.
fn read_line() -> Result<String, Failure> {
    let refused = |text: String| Failure::new(Kind::Refused, text);
    let mut line = Vec::new();
    for byte in std::io::stdin().lock().bytes() {
        match byte.map_err(|error| refused(format!("The request could not be read: {error}")))? {
            b'\n' => {
                return String::from_utf8(line)
                    .map_err(|_| refused("The request is not UTF-8".into()));
            }
            byte if line.len() < request::MAX_REQUEST_BYTES => line.push(byte),
            _ => {
                return Err(refused(format!(
                    "The request is longer than {} bytes",
                    request::MAX_REQUEST_BYTES
                )));
            }
        }
    }
    Err(refused("Standard input ended before a whole line: the request is one line, and the input stays open".into()))
}

/// The actor's ends of its pipes with the guardian.
struct GuardianLink {
    pid: libc::pid_t,
    to_guardian: OwnedFd,
    from_guardian: OwnedFd,
}

impl GuardianLink {
    /// Lets the guardian go, and waits until it is gone.
    fn end(self) {
        drop(self.to_guardian);
        // SAFETY: waits for a child of this process; no status is asked for.
        unsafe { libc::waitpid(self.pid, std::ptr::null_mut(), 0) };
    }
}

fn start_guardian(
    volumes: &'static [Volume],
    shared: &'static Shared,
    haste: &Haste,
    deadline_ms: u64,
) -> Result<GuardianLink, Failure> {
    let (from_actor, to_guardian) = sys::pipe().map_err(not_started)?;
    let (from_guardian, to_actor) = sys::pipe().map_err(not_started)?;
    let blocked = sys::block_ending_signals().map_err(not_started)?;
    let signals = sys::signal_descriptor(&blocked).map_err(not_started)?;
    // SAFETY: this process has one thread now, so the child may do whatever the parent may.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        drop((to_guardian, from_guardian));
        // SAFETY: a forked child is never a group leader already, so this only detaches it.
        unsafe { libc::setsid() };
        let watch = guardian::Watch {
            control: libc::STDIN_FILENO,
            from_actor,
            to_actor,
            signals,
        };
        let guarded = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            guardian::guard(&watch, volumes, shared, haste, deadline_ms)
        }));
        // SAFETY: ends the child without running what belongs to the actor.
        unsafe { libc::_exit(if matches!(guarded, Ok(Ok(()))) { 0 } else { 1 }) };
    }
    if pid < 0 {
        return Err(not_started(std::io::Error::last_os_error()));
    }
    drop((from_actor, to_actor, signals));
    let link = GuardianLink {
        pid,
        to_guardian,
        from_guardian,
    };
    actor::pass_signals_to_guardian(&link.to_guardian).map_err(not_started)?;
    sys::unblock_signals(&blocked).map_err(not_started)?;
    let ready_by = sys::now() + GUARDIAN_READY_WITHIN;
    let mut byte = [0];
    while sys::now() < ready_by {
        let mut fds = [sys::poll_entry(link.from_guardian.as_raw_fd())];
        sys::poll_until(&mut fds, Some(ready_by));
        if fds[0].revents != 0 {
            return match sys::read_once(link.from_guardian.as_raw_fd(), &mut byte) {
                Ok(1) if byte[0] == guardian::READY => Ok(link),
                _ => break,
            };
        }
    }
    Err(Failure::new(
        Kind::Refused,
        "The guardian that thaws could not be started; nothing was frozen".into(),
    ))
}

fn not_started(error: std::io::Error) -> Failure {
    Failure::new(
        Kind::Refused,
        format!("The freeze could not be prepared: {error}"),
    )
}
