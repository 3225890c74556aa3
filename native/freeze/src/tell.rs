//! Turns the numbers of a [`Course`] into the report, after the thaw.

use crate::activation::Activation;
use crate::actor::{Course, Marks, Stop};
use crate::group::Volume;
use crate::report::{Failure, Kind, Success, Taken, Times, Tried, millis};

/// The report: taken, or why not.
///
/// # Errors
/// No snapshot was taken, or not all: whatever became active is to be released.
pub fn tell(
    course: &Course,
    volumes: &[Volume],
    activations: &[Activation],
    sync_nanoseconds: &[u64],
    deadline_ms: u64,
) -> Result<Success, Failure> {
    let times: Vec<Times> = sync_nanoseconds
        .iter()
        .zip(&course.marks)
        .map(|(&sync, marks)| times(sync, marks))
        .collect();
    let fail = |kind, at: Option<usize>, message| Failure {
        ok: false,
        kind,
        message,
        mount: at.map(|i| volumes[i].request.name.clone()),
        volumes: volumes
            .iter()
            .zip(&times)
            .map(|(volume, &times)| Tried {
                name: volume.request.name.clone(),
                times,
            })
            .collect(),
    };
    if let Some(stop) = course.stop {
        let (kind, at, message) = explain(stop, deadline_ms, |i| {
            let request = &volumes[i].request;
            format!("{} ({})", request.name, request.mount.display())
        });
        return Err(fail(kind, at, message));
    }
    let mut taken = Vec::new();
    for (i, (volume, activation)) in volumes.iter().zip(activations).enumerate() {
        let name = volume.request.name.clone();
        let activated = activation.outcome().map_err(|error| {
            fail(
                Kind::Activate,
                Some(i),
                format!("The engine of {name} did not take the snapshot: {error}"),
            )
        })?;
        let (snapshot, taken_at) = (volume.request.snapshot.clone(), activated.taken_at);
        taken.push(Taken {
            name,
            snapshot,
            taken_at,
            free_blocks: activated.free_blocks,
            times: times[i],
        });
    }
    let marks = &course.marks[..volumes.len()];
    let first = |of: fn(&Marks) -> u64| marks.iter().map(of).min().unwrap_or(0);
    let last = |of: fn(&Marks) -> u64| marks.iter().map(of).max().unwrap_or(0);
    Ok(Success {
        ok: true,
        frozen_ms: millis(last(|one| one.thawed) - first(|one| one.freeze_called)),
        spread_ms: millis(last(|one| one.answered) - first(|one| one.answered)),
        volumes: taken,
    })
}

fn times(sync: u64, marks: &Marks) -> Times {
    let between = |from: u64, to: u64| (from != 0 && to != 0).then(|| millis(to - from));
    Times {
        sync_ms: Some(millis(sync)),
        freeze_ms: between(marks.freeze_called, marks.frozen),
        frozen_ms: between(marks.frozen, marks.thawed),
        thaw_ms: between(marks.thaw_called, marks.thawed),
    }
}

fn explain(
    stop: Stop,
    deadline_ms: u64,
    name: impl Fn(usize) -> String,
) -> (Kind, Option<usize>, String) {
    let system = std::io::Error::from_raw_os_error;
    match stop {
        Stop::Deadline(i) => (
            Kind::Deadline,
            Some(i),
            format!(
                "The freeze outlived its deadline of {deadline_ms} ms at {}",
                name(i)
            ),
        ),
        Stop::ThawedByOther(i) => (
            Kind::Deadline,
            Some(i),
            format!(
                "{} was thawed by somebody else before its snapshot counted",
                name(i)
            ),
        ),
        Stop::ControlClosed => (
            Kind::Interrupted,
            None,
            "Whoever asked for the freeze closed its control pipe".into(),
        ),
        Stop::Signal => (
            Kind::Interrupted,
            None,
            "The freeze was ended by a signal".into(),
        ),
        Stop::GuardianDied => (
            Kind::Interrupted,
            None,
            "The guardian of the freeze was killed".into(),
        ),
        Stop::FreezeFailed(i, libc::EBUSY) => (
            Kind::Freeze,
            Some(i),
            format!("{} is already frozen by somebody else", name(i)),
        ),
        Stop::FreezeFailed(i, errno) => (
            Kind::Freeze,
            Some(i),
            format!("{} could not be frozen: {}", name(i), system(errno)),
        ),
        Stop::ThawFailed(i, errno) => (
            Kind::Freeze,
            Some(i),
            format!("{} could not be thawed yet: {}", name(i), system(errno)),
        ),
        Stop::EngineLost(i, 0) => (
            Kind::Activate,
            Some(i),
            format!(
                "The engine of {} closed the connection during the freeze",
                name(i)
            ),
        ),
        Stop::EngineLost(i, errno) => (
            Kind::Activate,
            Some(i),
            format!(
                "The engine of {} could not be asked: {}",
                name(i),
                system(errno)
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_frozen_has_no_times_of_freezing() {
        let told = times(
            2_000_000,
            &Marks {
                freeze_called: 5,
                ..Marks::default()
            },
        );
        assert_eq!(
            (told.sync_ms, told.freeze_ms, told.frozen_ms, told.thaw_ms),
            (Some(2.0), None, None, None)
        );
    }

    #[test]
    fn a_mount_that_somebody_else_thawed_is_a_missed_deadline() {
        let (kind, at, text) = explain(Stop::ThawedByOther(1), 10, |i| format!("v{i}"));
        assert_eq!((kind, at), (Kind::Deadline, Some(1)));
        assert!(text.starts_with("v1 was thawed"));
    }
}
