//! Which paths are ignored: a file, or a directory with all below it.

/// Paths of one file system below its mount point, without a slash in front; the empty one is the mount point itself.
#[derive(Debug, Default, Clone)]
pub struct Ignored {
    roots: Vec<Vec<u8>>,
}

impl Ignored {
    /// Those of `paths` that lie on the mount, which has one or two paths (as told, and as it is).
    pub fn on(mounts: &[&[u8]], paths: &[String]) -> Self {
        let mut roots: Vec<Vec<u8>> = paths
            .iter()
            .filter_map(|path| {
                let path = plain(path.as_bytes());
                mounts.iter().find_map(|mount| below(&path, &plain(mount)))
            })
            .collect();
        roots.sort();
        roots.dedup();
        Ignored { roots }
    }

    pub fn roots(&self) -> &[Vec<u8>] {
        &self.roots
    }

    /// The longest ignored path that holds `path`.
    pub fn holder(&self, path: &[u8]) -> Option<&[u8]> {
        let holders = self.roots.iter().filter(|root| below(path, root).is_some());
        holders.max_by_key(|root| root.len()).map(Vec::as_slice)
    }
}

/// `/a//./b/` → `a/b`.
fn plain(path: &[u8]) -> Vec<u8> {
    let parts = path.split(|byte| *byte == b'/');
    let parts: Vec<&[u8]> = parts
        .filter(|part| !part.is_empty() && *part != b".")
        .collect();
    parts.join(&b'/')
}

/// What of `path` is below `directory`; both plain.
pub fn below(path: &[u8], directory: &[u8]) -> Option<Vec<u8>> {
    if directory.is_empty() || path == directory {
        return Some(path[directory.len()..].to_vec());
    }
    let rest = path.strip_prefix(directory)?.strip_prefix(b"/")?;
    Some(rest.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_ignored_with_all_below_it_and_nothing_beside_it() {
        let paths = [
            "/srv/data/log/",
            "/srv/data//a.db",
            "/srv/database",
            "/srv/data/log/deep",
        ];
        let ignored = Ignored::on(&[b"/srv/data"], &paths.map(String::from));
        assert_eq!(ignored.roots().len(), 3);
        for (path, holder) in [
            (&b"log"[..], Some(&b"log"[..])),
            (b"log/x/y", Some(b"log")),
            (b"log/deep/y", Some(b"log/deep")),
            (b"logs", None),
            (b"a.db", Some(b"a.db")),
            (b"a.db-wal", None),
            (b"", None),
        ] {
            assert_eq!(ignored.holder(path), holder, "{path:?}");
        }
    }

    #[test]
    fn the_mount_point_holds_everything_by_either_of_its_paths() {
        for path in ["/link", "/real/place"] {
            let ignored = Ignored::on(&[b"/link", b"/real/place"], &[path.to_owned()]);
            assert_eq!(ignored.holder(b"any"), Some(&b""[..]));
        }
    }
}
