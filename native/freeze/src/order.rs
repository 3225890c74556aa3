//! In which order the mounts of a group are frozen: deepest first, thawed in reverse.
//!
//! "Deepest" is meant twice. A file system whose backing store is a file on another one of the group must be frozen
//! before that one, because its freeze writes to it. And a mount below another mount's path goes first, as `fsfreeze`
//! users expect. Where neither holds, the order is that of the paths, so that it is the same each time.

use std::cmp::Reverse;
use std::path::Path;

/// What the order depends on.
pub struct Place<'a> {
    pub mount: &'a Path,
    /// Device number of the mounted file system.
    pub device: u64,
    /// Device number of the file system that holds the backing store; none where that is a block device.
    pub hosted_on: Option<u64>,
}

/// Indices of `places` in the order of freezing.
pub fn freeze_order(places: &[Place]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|&i| {
        let place = &places[i];
        (
            Reverse(hosts_below(places, i)),
            Reverse(place.mount.components().count()),
            place.mount,
        )
    });
    order
}

/// How many file systems of the group lie under this one, each the host of the one above. A ring, which no kernel
/// allows, ends by the count of places.
fn hosts_below(places: &[Place], of: usize) -> usize {
    let mut depth = 0;
    let mut at = of;
    while depth < places.len() {
        let Some(device) = places[at].hosted_on else {
            break;
        };
        let Some(host) = places.iter().position(|place| place.device == device) else {
            break;
        };
        if host == at {
            break;
        }
        at = host;
        depth += 1;
    }
    depth
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(places: &[(&'static str, u64, Option<u64>)]) -> Vec<&'static str> {
        let list: Vec<Place> = places
            .iter()
            .map(|&(mount, device, hosted_on)| Place {
                mount: Path::new(mount),
                device,
                hosted_on,
            })
            .collect();
        freeze_order(&list)
            .into_iter()
            .map(|i| places[i].0)
            .collect()
    }

    #[test]
    fn a_mount_below_another_is_frozen_first() {
        assert_eq!(
            order(&[
                ("/srv", 1, None),
                ("/srv/a/b", 2, None),
                ("/srv/a", 3, None)
            ]),
            ["/srv/a/b", "/srv/a", "/srv"]
        );
    }

    #[test]
    fn a_file_system_in_a_file_of_another_is_frozen_before_it_wherever_it_is_mounted() {
        assert_eq!(
            order(&[
                ("/a/deep/host", 1, None),
                ("/z", 2, Some(1)),
                ("/y", 3, Some(2))
            ]),
            ["/y", "/z", "/a/deep/host"]
        );
    }

    #[test]
    fn a_host_outside_the_group_changes_nothing() {
        assert_eq!(
            order(&[("/b", 1, Some(9)), ("/a", 2, Some(9))]),
            ["/a", "/b"]
        );
    }

    #[test]
    fn a_ring_of_hosts_still_has_an_order() {
        assert_eq!(
            order(&[("/b", 1, Some(2)), ("/a", 2, Some(1)), ("/c", 3, Some(3))]).len(),
            3
        );
    }
}
