//! Makes the kernel stop writers at once instead of when it comes by.
//!
//! `FIFREEZE` shuts three gates in turn (writes, page faults, the file system's own), and each waits for a grace period of
//! RCU: until every processor has passed a point where it cannot be inside of the gate any more. Under load a processor
//! passes one every ten milliseconds or so. That wait, not the file system and not the engine, is nearly all of the time
//! that writers stand still: of 38 ms frozen 37 in one measurement, and 1 of 2 when the kernel asks the processors
//! (an *expedited* grace period, which interrupts each of them for some microseconds).
//!
//! `/sys/kernel/rcu_expedited` asks for that, for the whole machine. So it is set before the first freeze and set back after
//! the last thaw, by the actor, or by the guardian where the actor died. What is written there is [`OURS`], which
//! no person would write: a value that is neither that nor zero is an administrator's choice and is left alone, and
//! [`OURS`] without a freeze under way was left by one that was killed together with its guardian, and goes with the
//! next. Two freezes at once share it: when the first sets it back, the other only takes longer.
//!
//! `/sys/kernel/rcu_normal` set to 1 (kernels for real time) forbids expedited grace periods altogether; the kernel sees to it. Where
//! the switch is missing or cannot be written, a freeze takes as long as the kernel's own.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

const SWITCH: &str = "/sys/kernel/rcu_expedited";
/// "SF". Any number but zero turns it on.
const OURS: u32 = 0x5346;

/// The switch, open. Neither method allocates, opens or fails.
pub struct Haste(Option<File>);

impl Haste {
    /// Opens the switch of this machine, if there is one that may be written.
    pub fn open() -> Self {
        Self::at(Path::new(SWITCH))
    }

    fn at(switch: &Path) -> Self {
        Self(OpenOptions::new().read(true).write(true).open(switch).ok())
    }

    /// From now on grace periods are short, unless somebody else has decided on them.
    pub fn begin(&self) {
        if self.value() == Some(0) {
            // "21318", the number above: text is not made here.
            self.write(b"21318\n");
        }
    }

    /// Sets back what was begun here, or by a freeze that could not.
    pub fn end(&self) {
        if self.value() == Some(OURS) {
            self.write(b"0\n");
        }
    }

    /// None where there is no switch or its value is no number.
    fn value(&self) -> Option<u32> {
        let mut text = [0; 16];
        let length = self.0.as_ref()?.read_at(&mut text, 0).ok()?;
        let line = text[..length].split(|&byte| byte == b'\n').next()?;
        std::str::from_utf8(line).ok()?.parse().ok()
    }

    fn write(&self, text: &[u8]) {
        if let Some(switch) = &self.0 {
            let _ = switch.write_at(text, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value before, while something is frozen, and after.
    fn course(before: &str) -> [Option<u32>; 3] {
        let path =
            std::env::temp_dir().join(format!("stillframe-haste-{}-{before}", std::process::id()));
        std::fs::write(&path, format!("{before}\n")).unwrap();
        let haste = Haste::at(&path);
        let first = haste.value();
        haste.begin();
        let meanwhile = haste.value();
        haste.end();
        let course = [first, meanwhile, haste.value()];
        std::fs::remove_file(&path).unwrap();
        course
    }

    #[test]
    fn it_is_on_between_begin_and_end() {
        assert_eq!(course("0"), [Some(0), Some(OURS), Some(0)]);
    }

    #[test]
    fn an_administrators_choice_is_left_alone() {
        assert_eq!(course("1"), [Some(1); 3]);
    }

    #[test]
    fn what_a_killed_freeze_left_goes_with_the_next() {
        assert_eq!(course("21318"), [Some(OURS), Some(OURS), Some(0)]);
    }

    #[test]
    fn what_is_no_number_is_left_alone() {
        assert_eq!(course("soon"), [None; 3]);
    }

    #[test]
    fn a_machine_without_the_switch_goes_without() {
        let haste = Haste::at(Path::new("/proc/no-such-switch"));
        haste.begin();
        haste.end();
        assert_eq!(haste.value(), None);
    }
}
