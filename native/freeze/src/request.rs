//! The request: one JSON line on standard input, checked field by field so that an error names the field.

use serde_json::{Map, Value};
use std::collections::HashSet;
use std::path::PathBuf;

pub const DEFAULT_DEADLINE_MS: u64 = 10_000;
pub const MAX_DEADLINE_MS: u64 = 300_000;
/// Writing back a big buffered load may take a while, and nothing stands still meanwhile.
pub const DEFAULT_SYNC_MS: u64 = 30_000;
pub const MAX_SYNC_MS: u64 = 3_600_000;
/// Bounds every table that the freeze needs, so that all of them exist before it.
pub const MAX_VOLUMES: usize = 64;
/// A longer line is not a request.
pub const MAX_REQUEST_BYTES: usize = 1 << 20;

#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// Longest time that anything may stay frozen, counted from the first freeze.
    pub deadline_ms: u64,
    /// Longest time that the dirty pages may take to be written back, before anything is frozen.
    pub sync_ms: u64,
    pub volumes: Vec<VolumeRequest>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct VolumeRequest {
    /// What the caller calls the volume; only repeated in the report.
    pub name: String,
    /// Mount point of its live file system.
    pub mount: PathBuf,
    /// Control socket of its engine.
    pub socket: PathBuf,
    /// A snapshot that its engine has prepared.
    pub snapshot: String,
}

/// Reads and checks a request.
///
/// # Errors
/// A sentence for a person, beginning with the path of the field that is wrong, e.g. `volumes[0].mount`.
pub fn parse(line: &str) -> Result<Request, String> {
    let value: Value =
        serde_json::from_str(line).map_err(|error| format!("The request is not JSON: {error}"))?;
    let fields = value
        .as_object()
        .ok_or("The request must be a JSON object")?;
    only_known(fields, "", &["deadlineMs", "syncMs", "volumes"])?;
    let deadline_ms = milliseconds(fields, "deadlineMs", DEFAULT_DEADLINE_MS, MAX_DEADLINE_MS)?;
    let sync_ms = milliseconds(fields, "syncMs", DEFAULT_SYNC_MS, MAX_SYNC_MS)?;
    let list = fields
        .get("volumes")
        .and_then(Value::as_array)
        .ok_or("volumes must be a list")?;
    if list.is_empty() || list.len() > MAX_VOLUMES {
        return Err(format!(
            "volumes must name 1 to {MAX_VOLUMES} volumes, not {}",
            list.len()
        ));
    }
    let volumes = list
        .iter()
        .enumerate()
        .map(|(i, value)| volume(i, value))
        .collect::<Result<Vec<_>, _>>()?;
    no_two_alike(&volumes, "name", |volume| volume.name.clone())?;
    no_two_alike(&volumes, "mount", |volume| {
        volume.mount.display().to_string()
    })?;
    no_two_alike(&volumes, "socket", |volume| {
        volume.socket.display().to_string()
    })?;
    Ok(Request {
        deadline_ms,
        sync_ms,
        volumes,
    })
}

fn milliseconds(
    fields: &Map<String, Value>,
    key: &str,
    default: u64,
    most: u64,
) -> Result<u64, String> {
    match fields.get(key) {
        None => Ok(default),
        Some(value) => value
            .as_u64()
            .filter(|ms| (1..=most).contains(ms))
            .ok_or(format!(
                "{key} must be a whole number from 1 to {most}, not {value}"
            )),
    }
}

fn volume(index: usize, value: &Value) -> Result<VolumeRequest, String> {
    let at = format!("volumes[{index}]");
    let fields = value.as_object().ok_or(format!("{at} must be an object"))?;
    only_known(
        fields,
        &format!("{at}."),
        &["name", "mount", "socket", "snapshot"],
    )?;
    let text = |key: &str| match fields.get(key).and_then(Value::as_str) {
        Some("") | None => Err(format!("{at}.{key} must be a text that is not empty")),
        Some(text) if text.contains('\0') => {
            Err(format!("{at}.{key} must not contain a zero byte"))
        }
        Some(text) => Ok(text.to_owned()),
    };
    let path = |key: &str| {
        let path = PathBuf::from(text(key)?);
        if path.is_absolute() {
            Ok(path)
        } else {
            Err(format!("{at}.{key} must be an absolute path"))
        }
    };
    Ok(VolumeRequest {
        name: text("name")?,
        mount: path("mount")?,
        socket: path("socket")?,
        snapshot: text("snapshot")?,
    })
}

fn only_known(fields: &Map<String, Value>, at: &str, known: &[&str]) -> Result<(), String> {
    match fields.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(format!(
            "{at}{key} is not a field of a request; known are {}",
            known.join(", ")
        )),
        None => Ok(()),
    }
}

fn no_two_alike(
    volumes: &[VolumeRequest],
    field: &str,
    of: impl Fn(&VolumeRequest) -> String,
) -> Result<(), String> {
    let mut seen = HashSet::new();
    match volumes
        .iter()
        .enumerate()
        .find(|(_, volume)| !seen.insert(of(volume)))
    {
        Some((i, volume)) => Err(format!(
            "volumes[{i}].{field} is named twice: {}",
            of(volume)
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn volume(name: &str) -> Value {
        json!({"name": name, "mount": format!("/srv/{name}"), "socket": format!("/run/{name}.sock"), "snapshot": "s1"})
    }

    fn refusal(value: &Value) -> String {
        parse(&value.to_string()).expect_err("must be refused")
    }

    #[test]
    fn a_complete_request_is_read_as_written() {
        let request = parse(
            &json!({"deadlineMs": 250, "volumes": [volume("a b"), volume("äö")]}).to_string(),
        )
        .unwrap();
        assert_eq!(request.deadline_ms, 250);
        assert_eq!(request.volumes[0].mount, PathBuf::from("/srv/a b"));
        assert_eq!(request.volumes[1].name, "äö");
    }

    #[test]
    fn the_deadline_is_ten_seconds_and_the_limit_of_the_sync_thirty_when_none_is_given() {
        let request = parse(&json!({"volumes": [volume("a")]}).to_string()).unwrap();
        assert_eq!((request.deadline_ms, request.sync_ms), (10_000, 30_000));
    }

    #[test]
    fn every_refusal_names_its_field() {
        let cases = [
            (json!([]), "JSON object"),
            (json!({"volumes": []}), "volumes must name 1"),
            (json!({"deadlineMs": 5}), "volumes must be a list"),
            (
                json!({"deadlineMs": 0, "volumes": [volume("a")]}),
                "deadlineMs",
            ),
            (
                json!({"deadlineMs": 1.5, "volumes": [volume("a")]}),
                "deadlineMs",
            ),
            (
                json!({"deadlineMs": MAX_DEADLINE_MS + 1, "volumes": [volume("a")]}),
                "deadlineMs",
            ),
            (json!({"syncMs": 0, "volumes": [volume("a")]}), "syncMs"),
            (
                json!({"deadline": 5, "volumes": [volume("a")]}),
                "deadline is not a field",
            ),
            (json!({"volumes": ["a"]}), "volumes[0] must be an object"),
            (
                json!({"volumes": [volume("a"), {"name": "b"}]}),
                "volumes[1].mount",
            ),
            (
                json!({"volumes": [volume("a"), volume("a")]}),
                "volumes[1].name is named twice: a",
            ),
        ];
        for (request, expected) in cases {
            assert!(
                refusal(&request).contains(expected),
                "{request}: {}",
                refusal(&request)
            );
        }
        let mut relative = volume("a");
        relative["mount"] = json!("srv/a");
        assert!(
            refusal(&json!({"volumes": [relative]}))
                .contains("volumes[0].mount must be an absolute path")
        );
        assert!(parse("{").expect_err("cut off").contains("not JSON"));
    }
}
