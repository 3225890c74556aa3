//! The content of a record, which tells by itself whose it is and whether it is whole.

const MAGIC: u32 = 0x5354_494c;
pub const HEAD_WORDS: usize = 4;

/// Fills `bytes` (a multiple of 4, at least 16) with record `number` of `stream`: magic, stream, number, length in
/// bytes, then words that depend on all of these and on their place. All little-endian.
pub fn fill(bytes: &mut [u8], stream: u32, number: u32) {
    let length = bytes.len() as u32;
    let seed = stream.wrapping_mul(0x9e37_79b1) ^ number.wrapping_mul(0x85eb_ca77);
    for (n, word) in bytes.chunks_exact_mut(4).enumerate() {
        let value = match n {
            0 => MAGIC,
            1 => stream,
            2 => number,
            3 => length,
            _ => seed
                .wrapping_add(n as u32)
                .wrapping_mul(0xc2b2_ae3d)
                .rotate_left(13)
                .wrapping_mul(0x27d4_eb2f),
        };
        word.copy_from_slice(&value.to_le_bytes());
    }
}

pub fn new(stream: u32, number: u32, length: usize) -> Vec<u8> {
    debug_assert!(length >= HEAD_WORDS * 4 && length.is_multiple_of(4));
    let mut bytes = vec![0; length];
    fill(&mut bytes, stream, number);
    bytes
}
