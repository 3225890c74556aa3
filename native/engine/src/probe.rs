//! `probe`: what this kernel offers, for `doctor`.

use crate::kernel;
use crate::protocol::programs::{Feature, ProbeResult, TransportReport};
use crate::residence::MemoryTree;
use crate::ublk_faults;
use std::fs;

/// `FUSE_NOTIFY_RESEND` came with Linux 6.9.
const RESEND_SINCE: (u32, u32) = (6, 9);

pub fn probe() -> ProbeResult {
    let kernel = kernel::release();
    let resend = kernel::is_at_least(&kernel, RESEND_SINCE);
    let device = |path: &str| fs::OpenOptions::new().read(true).write(true).open(path);
    let feature = |name: &str, ok: bool, required: bool, detail: String| Feature {
        name: name.to_owned(),
        ok,
        required,
        detail,
    };
    let opened = |name: &str, path: &str, required: bool| {
        let result = device(path);
        let detail = match &result {
            Ok(_) => format!("{path} can be opened"),
            Err(e) => format!("{path}: {e}"),
        };
        feature(name, result.is_ok(), required, detail)
    };
    let timeout = fs::read_to_string("/proc/sys/fs/fuse/default_request_timeout");
    let timeout = timeout.ok().and_then(|t| t.trim().parse::<u64>().ok());
    let timeout = timeout.unwrap_or(0);
    ProbeResult {
        features: vec![
            opened("fuse", "/dev/fuse", true),
            opened("loop", "/dev/loop-control", true),
            feature(
                "resend",
                resend,
                false,
                if resend {
                    "requests in flight survive an engine's death".into()
                } else {
                    format!(
                        "Linux 6.9 or later is needed to survive an engine's death; this is {kernel}"
                    )
                },
            ),
            feature(
                "requestTimeout",
                timeout == 0,
                false,
                match timeout {
                    0 => "FUSE requests have no time limit".into(),
                    n => format!("fs.fuse.default_request_timeout is {n} s; set it to 0"),
                },
            ),
            opened("ublk", "/dev/ublk-control", false),
            memory(),
            io_flusher(),
            control_groups(),
        ],
        transports: transports(&kernel),
        kernel,
    }
}

/// What the features above make possible.
fn transports(kernel: &str) -> Vec<TransportReport> {
    let missing = |paths: &[&str]| {
        let open = |path: &&&str| fs::OpenOptions::new().read(true).write(true).open(path);
        let missing = paths.iter().find(|path| open(path).is_err());
        missing.map(|path| format!("{path} cannot be opened"))
    };
    let transport = |name: &str, missing: Option<String>, detail: &str| TransportReport {
        name: name.to_owned(),
        ok: missing.is_none(),
        detail: missing.unwrap_or_else(|| detail.to_owned()),
    };
    let ublk = transport::ublk::control::available();
    let zero_copy =
        ublk_faults::waits_for_pages_in_use(kernel) && transport::ublk::control::offers_zero_copy();
    let by_itself = match ublk_faults::none_known(kernel) {
        Ok(()) if zero_copy => {
            "a block device of its own, large requests without a copy; what live devices are made with".into()
        }
        Ok(()) => "a block device of its own; what live devices are made with".into(),
        Err(reason) => format!("only where it is asked for by name: {reason}"),
    };
    vec![
        transport(
            "fuse_loop",
            missing(&["/dev/fuse", "/dev/loop-control"]),
            "a FUSE file and a loop device",
        ),
        transport(
            "ublk",
            ublk.err()
                .map(|e| format!("{}: {e}", transport::ublk::control::PATH)),
            &by_itself,
        ),
        transport(
            "nbd",
            None,
            "a Unix socket, and TCP with TLS, for clients such as qemu",
        ),
    ]
}

fn memory() -> Feature {
    let result = crate::residence::lock_memory();
    Feature {
        name: "memlock".into(),
        ok: result.is_ok(),
        required: false,
        detail: match result {
            Ok(()) => "memory can be locked".into(),
            Err(e) => format!("memory cannot be locked: {e}"),
        },
    }
}

fn io_flusher() -> Feature {
    let result = crate::residence::become_io_flusher();
    Feature {
        name: "ioFlusher".into(),
        ok: result.is_ok(),
        required: false,
        detail: match result {
            Ok(()) => "the engine can be marked as part of writeback".into(),
            Err(e) => format!("PR_SET_IO_FLUSHER: {e}"),
        },
    }
}

/// An engine that shares a limit of memory with its writers may have to wait for them, as they wait for it.
fn control_groups() -> Feature {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let (ok, detail) = match MemoryTree::of(&mounts) {
        None => (false, "no control groups are mounted".into()),
        Some(tree) => match (tree.is_writable(), tree.limit()) {
            (Err(e), _) => (false, format!("{}: {e}", tree.root.display())),
            (_, Some(bytes)) => (
                false,
                format!(
                    "engines share a limit of {bytes} bytes of memory with all that runs beneath {}; where writers \
                     fill it, their volume can stop: let the worker run outside of that limit",
                    tree.root.display()
                ),
            ),
            _ => (
                true,
                format!(
                    "the engine gets a memory group of its own (v{})",
                    tree.version
                ),
            ),
        },
    };
    Feature {
        name: "cgroup".into(),
        ok,
        required: false,
        detail,
    }
}
