//! Sets of byte ranges of a device.

use std::ops::Range;

/// Ranges in order, none touching another.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Extents(Vec<Range<u64>>);

impl Extents {
    /// Of ranges in any order, which may overlap.
    pub fn of(mut ranges: Vec<Range<u64>>) -> Self {
        ranges.retain(|range| !range.is_empty());
        ranges.sort_unstable_by_key(|range| range.start);
        ranges.dedup_by(|next, kept| {
            let joins = next.start <= kept.end;
            if joins {
                kept.end = kept.end.max(next.end);
            }
            joins
        });
        Extents(ranges)
    }

    /// The parts of `range` that are in none of the extents.
    pub fn outside(&self, range: Range<u64>) -> Vec<Range<u64>> {
        let mut left = Vec::new();
        let mut from = range.start;
        let first = self.0.partition_point(|extent| extent.end <= from);
        for extent in self.0[first..].iter() {
            if extent.start >= range.end {
                break;
            }
            if extent.start > from {
                left.push(from..extent.start);
            }
            from = extent.end;
        }
        if from < range.end {
            left.push(from..range.end);
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every range over a short line, judged byte by byte.
    #[test]
    fn what_is_outside_is_what_no_extent_has() {
        let extents = Extents::of(vec![12..14, 2..4, 3..6, 6..7, 9..9]);
        let has = |at: u64| (2..7).contains(&at) || (12..14).contains(&at);
        for start in 0..18 {
            for end in start..18 {
                let outside = extents.outside(start..end);
                for at in 0..18 {
                    let expected = (start..end).contains(&at) && !has(at);
                    let told = outside.iter().any(|range| range.contains(&at));
                    assert_eq!(told, expected, "{at} in {start}..{end}");
                }
            }
        }
        assert_eq!(extents.outside(0..18), [0..2, 7..12, 14..18]);
    }
}
