//! Writes the protocol's types as TypeScript, and checks that the written ones are current.

use crate::protocol::nbd::*;
use crate::protocol::programs::*;
use crate::protocol::report::*;
use crate::protocol::snapshots::*;
use crate::protocol::*;
use std::path::Path;
use ts_rs::TS;

#[derive(TS)]
#[allow(dead_code)]
struct Exchange<P, R> {
    params: P,
    result: R,
}

/// Every method of the socket with its parameters and result.
#[derive(TS)]
#[ts(rename_all = "camelCase")]
#[allow(dead_code)]
struct EngineMethods {
    hello: Exchange<HelloParams, HelloResult>,
    describe: Exchange<Nothing, Report>,
    prepare: Exchange<PrepareParams, PrepareResult>,
    activate: Exchange<SnapshotParams, ActivateResult>,
    release: Exchange<SnapshotParams, ReleaseResult>,
    set_policy: Exchange<SetPolicyParams, Nothing>,
    serve_nbd: Exchange<ServeNbdParams, NbdReport>,
    stop_nbd: Exchange<StopNbdParams, Nothing>,
    reserve: Exchange<ReserveParams, ReserveResult>,
    add_cache: Exchange<AddCacheParams, Nothing>,
    progress: Exchange<ProgressParams, ProgressResult>,
    changes: Exchange<ChangesParams, ChangesResult>,
    subscribe: Exchange<SubscribeParams, Nothing>,
    upgrade: Exchange<UpgradeParams, Nothing>,
    shutdown: Exchange<ShutdownParams, Nothing>,
}

fn typescript() -> String {
    let config = ts_rs::Config::new().with_large_int("number");
    let mut text = String::from(
        "// Generated from native/engine/src/protocol. Do not edit: STILLFRAME_WRITE_TYPES=1 cargo test \
         -p engine typescript_types\n\n",
    );
    text.push_str(&format!("export const ENGINE_PROTOCOL = {PROTOCOL};\n\n"));
    macro_rules! export {
        ($($t:ty),* $(,)?) => {$(
            text.push_str("export ");
            text.push_str(&<$t as TS>::decl(&config));
            text.push_str("\n\n");
        )*};
    }
    export!(
        ErrorKind, EngineFault, WhenFull, HelloParams, HelloResult, Nothing, CachePlace,
        SpillPlace, PrepareParams, PrepareResult, ReserveResult, RefusedPlace, AddCacheParams, ProgressParams,
        ProgressResult, ChangesParams, ChangesResult, ChangedExtent, SnapshotParams, ActivateResult, ReleaseResult,
        SetPolicyParams, ReserveParams, SubscribeParams, UpgradeParams, UpgradeResult, ShutdownParams, SnapshotState, LossCause,
        NbdAccess, NbdTlsFiles, NbdTcp, ServeNbdParams, StopNbdParams, NbdTcpReport, NbdReport,
        SnapshotReport, LatencyReport, CacheReport, CachePlaceReport, TrackingReport, ChangesReport, Report, Event, AttachResult, ExportResult, FailureDocument, Feature, TransportReport, ProbeResult, Exchange<Nothing, Nothing>, EngineMethods,
    );
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

#[test]
fn typescript_types_are_current() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../server/worker/engine/protocol.gen.ts");
    if std::env::var_os("STILLFRAME_WRITE_TYPES").is_some() {
        std::fs::create_dir_all(path.parent().expect("has a parent")).expect("folder");
        std::fs::write(&path, typescript()).expect("write the types");
    }
    let kept = std::fs::read_to_string(&path).expect("protocol.gen.ts exists");
    assert_eq!(kept, typescript(), "run with STILLFRAME_WRITE_TYPES=1");
}
