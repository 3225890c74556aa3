//! The data of options, taken apart. Every length is checked against what is there.

use super::wire::{MAX_STRING, be16, be32};

/// More queries in one option than any client has reason for.
pub const MAX_QUERIES: u32 = 64;

/// Why an option's data is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// It contradicts itself.
    Invalid,
    TooBig,
}

/// INFO and GO.
#[derive(Debug, PartialEq, Eq)]
pub struct Choice<'a> {
    pub name: &'a str,
    /// Kinds of information asked for.
    pub asked: Vec<u16>,
}

/// LIST_META_CONTEXT and SET_META_CONTEXT.
#[derive(Debug, PartialEq, Eq)]
pub struct ContextQuery<'a> {
    pub name: &'a str,
    pub queries: Vec<&'a str>,
}

/// An export name: text without NUL, of a length that the protocol allows.
pub fn string(bytes: &[u8]) -> Result<&str, Malformed> {
    if bytes.len() > MAX_STRING {
        return Err(Malformed::TooBig);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Malformed::Invalid)?;
    if text.contains('\0') {
        return Err(Malformed::Invalid);
    }
    Ok(text)
}

/// A string with its length before it; also returns what follows.
fn counted(data: &[u8]) -> Result<(&str, &[u8]), Malformed> {
    let length = be32(data, 0).ok_or(Malformed::Invalid)? as usize;
    let rest = &data[4..];
    if length > rest.len() {
        return Err(Malformed::Invalid);
    }
    let (text, rest) = rest.split_at(length);
    Ok((string(text)?, rest))
}

pub fn choice(data: &[u8]) -> Result<Choice<'_>, Malformed> {
    let (name, rest) = counted(data)?;
    let count = be16(rest, 0).ok_or(Malformed::Invalid)? as usize;
    let list = &rest[2..];
    if list.len() != count * 2 {
        return Err(Malformed::Invalid);
    }
    let asked = list
        .chunks_exact(2)
        .map(|b| u16::from_be_bytes([b[0], b[1]]));
    Ok(Choice {
        name,
        asked: asked.collect(),
    })
}

pub fn context_query(data: &[u8]) -> Result<ContextQuery<'_>, Malformed> {
    let (name, rest) = counted(data)?;
    let count = be32(rest, 0).ok_or(Malformed::Invalid)?;
    if count > MAX_QUERIES {
        return Err(Malformed::TooBig);
    }
    let mut rest = &rest[4..];
    let mut queries = Vec::new();
    for _ in 0..count {
        let (query, after) = counted(rest)?;
        if !query.contains(':') {
            return Err(Malformed::Invalid);
        }
        queries.push(query);
        rest = after;
    }
    if !rest.is_empty() {
        return Err(Malformed::Invalid);
    }
    Ok(ContextQuery { name, queries })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Vec<u8> {
        let mut data = (text.len() as u32).to_be_bytes().to_vec();
        data.extend_from_slice(text.as_bytes());
        data
    }

    #[test]
    fn a_choice_names_an_export_and_what_is_to_be_told_of_it() {
        let mut data = text("live");
        data.extend_from_slice(&[0, 2, 0, 1, 0, 3]);
        let asked = vec![1, 3];
        assert_eq!(
            choice(&data),
            Ok(Choice {
                name: "live",
                asked
            })
        );
        for cut in 0..data.len() {
            assert!(choice(&data[..cut]).is_err());
        }
        data.push(0);
        assert_eq!(choice(&data), Err(Malformed::Invalid));
    }

    #[test]
    fn lengths_beyond_the_data_are_refused() {
        assert_eq!(choice(&[0xff; 10]), Err(Malformed::Invalid));
        let mut data = text("");
        data.extend_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(context_query(&data), Err(Malformed::TooBig));
        let mut data = text("");
        data.extend_from_slice(&1u32.to_be_bytes());
        data.extend_from_slice(&text("no-colon"));
        assert_eq!(context_query(&data), Err(Malformed::Invalid));
    }
}
