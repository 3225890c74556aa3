//! Kernels whose ublk driver may take the machine along. Under them nobody gets a ublk device without asking for one.
//!
//! * Linux 6.7 to 6.14 can end a request's command twice when its server dies just then: CVE-2025-37906, corrected in
//!   6.15 and, of the kernels before it, in the last of 6.14 alone. Reported as a crash in one of twenty stops of a
//!   server under load, and seen in our tests with 6.12. Drivers before 6.7 look for dead servers in another way,
//!   which nobody here has tested.
//! * 6.18.4 and 6.18.5 follow a null pointer in `ublk_init_queues` as soon as a device is made, seen in our tests with
//!   6.18.5: "ublk: implement NUMA-aware memory allocation" was taken over without the change before it, "ublk: reorder
//!   tag_set initialization before queue allocation", which 6.18.6 has.
//! * Kernels that Ubuntu made of 6.17.0 have the same fault (reported of 6.17.0-1015-azure and -1017-aws), and no
//!   release tells which. 6.17.13 itself serves and recovers, but its driver warns of a reference that it missed
//!   (`ublk_ch_release_work_fn`) when an engine is killed, which ends machines that are told to panic on warnings.
//!
//! * Zero copy: drivers before 6.17-rc5 and 6.16.5 or so forget a dead server's requests while the kernel still uses
//!   their pages ("ublk: avoid ublk_io_release() called after ublk char dev is closed"), so that an old write could land
//!   after a newer one. It is used from 6.18 on.
//!
//! `npm run kernels` boots what Debian has of these and of others, and kills engines there; README.md says which.
//!
//! A release cannot tell what else a distribution changed or corrected by itself.

use crate::kernel;

/// Whether none is known of the kernel with this release; the error says what is.
pub fn none_known(release: &str) -> Result<(), String> {
    let fault = match kernel::version(release) {
        Some((6, 18, 4 | 5)) => {
            "making a ublk device crashes the driver of Linux 6.18.4 and 6.18.5 (corrected in 6.18.6)"
        }
        Some((6, 17, _)) => {
            "the ublk driver of Linux 6.17 warns when an engine is killed, and that of some kernels made of it crashes \
             when a device is made (corrected in 6.18.6)"
        }
        Some(version) if version >= (6, 15, 0) => return Ok(()),
        _ => {
            "before Linux 6.15 the ublk driver can crash the machine when an engine is killed (CVE-2025-37906)"
        }
    };
    Err(format!("{fault}; this is {release}"))
}

/// Whether the driver keeps a killed server's requests until nothing in the kernel uses their pages any more.
pub fn waits_for_pages_in_use(release: &str) -> bool {
    kernel::is_at_least(release, (6, 18))
}

#[cfg(test)]
mod tests {
    use super::none_known;

    #[test]
    fn kernels_with_a_known_fault_are_told_from_the_others() {
        for faulty in [
            "",
            "6.1.0-40-amd64",
            "6.12.117+deb12-cloud-amd64",
            "6.14.0-37-generic",
            "6.17.0-1015-azure",
            "6.17.13+deb13-amd64",
            "6.18.4-arch1-1",
            "6.18.5+deb13-cloud-amd64",
        ] {
            assert!(none_known(faulty).is_err(), "{faulty}");
        }
        for sound in [
            "6.15.0-rc1",
            "6.16.12+deb13-cloud-amd64",
            "6.18",
            "6.18.6",
            "6.18.44",
            "6.19.0",
            "7.0.0-28-generic",
        ] {
            assert_eq!(none_known(sound), Ok(()));
        }
    }
}
