//! The kept inputs, and so many mutations of them, the same in every run. `STILLFRAME_FUZZ_RUNS` sets how many.

use std::path::Path;

/// Small and reproducible (xorshift); quality does not matter here.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

/// Values at which arithmetic goes wrong.
const EDGES: [u64; 8] = [
    0,
    1,
    u64::MAX,
    i64::MAX as u64,
    u32::MAX as u64,
    1 << 31,
    4096,
    511,
];

fn mutate(input: &[u8], other: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..1 + chance.below(6) {
        let at = chance.below(bytes.len() + 1);
        let length = chance.below(16).min(bytes.len() - at);
        match chance.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
            1 if at < bytes.len() => bytes[at] = chance.below(256) as u8,
            2 => drop(bytes.drain(at..at + length)),
            3 => {
                let copied = bytes[at..at + length].to_vec();
                bytes.splice(at..at, copied);
            }
            4 => {
                let from = chance.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            _ => {
                let edge = EDGES[chance.below(EDGES.len())];
                let width = 1 << chance.below(4);
                let (little, big) = (edge.to_le_bytes(), edge.to_be_bytes());
                let value = match chance.below(2) {
                    0 => &little[..width],
                    _ => &big[8 - width..],
                };
                for (byte, new) in bytes[at..].iter_mut().zip(value) {
                    *byte = *new;
                }
            }
        }
    }
    bytes
}

fn replay(name: &str, runs: usize) {
    let target = fuzz::TARGETS.iter().find(|(known, _)| *known == name);
    let target = target.expect("a target").1;
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(name);
    let mut files: Vec<_> = std::fs::read_dir(&directory)
        .expect("a corpus")
        .map(|entry| entry.expect("a corpus").path())
        .collect();
    files.sort();
    let corpus: Vec<_> = files
        .iter()
        .map(|path| std::fs::read(path).expect("a kept input"))
        .collect();
    assert!(!corpus.is_empty());
    corpus.iter().for_each(|input| target(input));
    let runs = std::env::var("STILLFRAME_FUZZ_RUNS").map_or(runs, |n| n.parse().expect("a number"));
    let mut chance = Chance(0x5741_0000_0000_0001);
    for _ in 0..runs {
        let input = &corpus[chance.below(corpus.len())];
        let other = &corpus[chance.below(corpus.len())];
        let mutated = mutate(input, other, &mut chance);
        let result = std::panic::catch_unwind(|| target(&mutated));
        if result.is_err() {
            let kept = std::env::temp_dir().join(format!("fuzz-{name}-failing"));
            std::fs::write(&kept, &mutated).expect("room for the input");
            panic!("{name} fails with {}", kept.display());
        }
    }
}

#[test]
fn requests_of_the_kernel() {
    replay("fuse", 5_000);
}

#[test]
fn clients_of_the_nbd_server() {
    replay("nbd", 300);
}

#[test]
fn clients_of_the_nbd_server_with_tls() {
    replay("tls", 300);
}

#[test]
fn lines_on_the_control_socket() {
    replay("control", 1_000);
}

#[test]
fn what_a_dead_engine_left() {
    replay("state", 300);
}
