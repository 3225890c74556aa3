//! What fanotify tells: who changed what, by directory handle and name.

/// Written to, shortened, or a hole made in it.
pub const MODIFIED: u64 = libc::FAN_MODIFY;
/// Names and attributes.
pub const NAMES: u64 = libc::FAN_CREATE
    | libc::FAN_DELETE
    | libc::FAN_MOVED_FROM
    | libc::FAN_MOVED_TO
    | libc::FAN_ATTRIB
    | libc::FAN_ONDIR;

const HEADER: usize = size_of::<libc::fanotify_event_metadata>();
/// Kind, padding, length, and the file system's number.
const INFO_HEADER: usize = 12;
/// Length and kind of a handle.
const HANDLE_HEADER: usize = 8;

#[derive(Debug, PartialEq, Eq)]
pub enum Told<'a> {
    Event(Event<'a>),
    /// There were more than the kernel kept.
    Overflow,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Event<'a> {
    pub mask: u64,
    pub pid: i32,
    /// None: of something that has no name any more.
    pub place: Option<Place<'a>>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// As `open_by_handle_at` takes it.
    pub directory: &'a [u8],
    pub name: &'a [u8],
}

/// The events in what was read from the group. What is not understood ends it: the kernel writes whole events only.
pub fn parse(mut bytes: &[u8]) -> Vec<Told<'_>> {
    let mut told = Vec::new();
    while let Some((event, rest)) = first(bytes) {
        told.push(event);
        bytes = rest;
    }
    told
}

fn first(bytes: &[u8]) -> Option<(Told<'_>, &[u8])> {
    let word = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let length = word(0)? as usize;
    let infos_at = usize::from(u16::from_ne_bytes(bytes.get(6..8)?.try_into().ok()?));
    let mask = u64::from_ne_bytes(bytes.get(8..16)?.try_into().ok()?);
    let pid = word(20)? as i32;
    if length < HEADER || infos_at < HEADER {
        return None;
    }
    let (event, rest) = bytes.split_at_checked(length)?;
    if mask & libc::FAN_Q_OVERFLOW != 0 {
        return Some((Told::Overflow, rest));
    }
    let place = event.get(infos_at..).and_then(place);
    Some((Told::Event(Event { mask, pid, place }), rest))
}

/// Of the first record that has directory and name.
fn place(mut infos: &[u8]) -> Option<Place<'_>> {
    while infos.len() >= INFO_HEADER {
        let length = usize::from(u16::from_ne_bytes([infos[2], infos[3]]));
        let info = infos.get(..length).filter(|_| length >= INFO_HEADER)?;
        if info[0] == libc::FAN_EVENT_INFO_TYPE_DFID_NAME {
            let handle = &info[INFO_HEADER..];
            let bytes = u32::from_ne_bytes(handle.get(..4)?.try_into().ok()?) as usize;
            let directory = handle.get(..HANDLE_HEADER.checked_add(bytes)?)?;
            let name = crate::sys::text_until_zero(&handle[directory.len()..])?;
            return Some(Place { directory, name });
        }
        infos = &infos[length..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(mask: u64, name: Option<&[u8]>) -> Vec<u8> {
        let mut infos = Vec::new();
        if let Some(name) = name {
            let mut handle = 4_u32.to_ne_bytes().to_vec();
            handle.extend(1_i32.to_ne_bytes());
            handle.extend(b"HNDL");
            handle.extend(name);
            handle.push(0);
            while !handle.len().is_multiple_of(4) {
                handle.push(0);
            }
            infos.extend([libc::FAN_EVENT_INFO_TYPE_DFID_NAME, 0]);
            infos.extend(((INFO_HEADER + handle.len()) as u16).to_ne_bytes());
            infos.extend([9; 8]);
            infos.extend(handle);
        }
        let mut bytes = ((HEADER + infos.len()) as u32).to_ne_bytes().to_vec();
        bytes.extend([3, 0]);
        bytes.extend((HEADER as u16).to_ne_bytes());
        bytes.extend(mask.to_ne_bytes());
        bytes.extend((-1_i32).to_ne_bytes());
        bytes.extend(42_i32.to_ne_bytes());
        bytes.extend(infos);
        bytes
    }

    #[test]
    fn events_come_with_who_and_where_whatever_the_name() {
        let name = b"a\n\xff b";
        let mut bytes = event(MODIFIED, Some(name));
        bytes.extend(event(libc::FAN_Q_OVERFLOW, None));
        bytes.extend(event(libc::FAN_ATTRIB, None));
        let told = parse(&bytes);
        let Told::Event(first) = &told[0] else {
            panic!("{told:?}")
        };
        let place = first.place.as_ref().unwrap();
        assert_eq!(
            (first.mask, first.pid, place.name),
            (MODIFIED, 42, &name[..])
        );
        assert_eq!(place.directory.len(), HANDLE_HEADER + 4);
        assert_eq!(told[1], Told::Overflow);
        assert!(matches!(&told[2], Told::Event(Event { place: None, .. })));
    }

    #[test]
    fn half_an_event_is_none() {
        let whole = event(MODIFIED, Some(b"name"));
        for length in 0..whole.len() {
            assert_eq!(parse(&whole[..length]), []);
        }
    }
}
