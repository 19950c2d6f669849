//! Which lines are other ones than before: two lists of checks, as they were and as they are.

use super::finding::Kind;

/// So many pairs of lines are compared at the most, beyond what is equal at both ends; a larger stretch is told as one.
const MOST: usize = 16 << 20;

/// What differs, each with its line from 1: of lines that are gone in the list as it was, else as it is.
pub(super) fn differences(was: &[u32], is: &[u32]) -> Vec<(u64, u64, Kind)> {
    let front = was.iter().zip(is).take_while(|(a, b)| a == b).count();
    let (was, is) = (&was[front..], &is[front..]);
    let back = was.iter().rev().zip(is.iter().rev()).take_while(|(a, b)| a == b).count();
    let at_end = back == 0;
    let (was, is) = (&was[..was.len() - back], &is[..is.len() - back]);
    let line = |at: usize| (front + at) as u64 + 1;
    if was.len().saturating_mul(is.len()) > MOST {
        return vec![(line(0), line(is.len().max(1) - 1), Kind::Modified)];
    }
    let (mut gone, mut new) = unmatched(was, is);
    let mut found = Vec::new();
    // The same line at another place was moved there.
    new.retain(|(at, gap)| {
        let moved = gone.iter().position(|(from, _)| was[*from] == is[*at]);
        if let Some(moved) = moved {
            gone.remove(moved);
            found.push((line(*at), line(*at), Kind::Reordered));
        } else if let Some(instead) = gone.iter().position(|(_, of)| of == gap) {
            gone.remove(instead);
            found.push((line(*at), line(*at), Kind::Modified));
        } else {
            found.push((line(*at), line(*at), Kind::Inserted));
        }
        false
    });
    // What is gone from the end, and nothing came instead, was cut off.
    let mut end = was.len();
    while at_end && gone.last().is_some_and(|(at, _)| *at + 1 == end) {
        gone.pop();
        end -= 1;
    }
    found.extend(gone.iter().map(|(at, _)| (line(*at), line(*at), Kind::Removed)));
    if end < was.len() {
        found.push((line(end), line(was.len() - 1), Kind::CutOff));
    }
    found.sort_unstable();
    found
}

/// A line's place in its list, and which gap between equal lines it is in.
type Placed = Vec<(usize, usize)>;

/// The lines of each list that are not in the longest common one.
fn unmatched(was: &[u32], is: &[u32]) -> (Placed, Placed) {
    let width = is.len() + 1;
    let mut longest = vec![0_u32; (was.len() + 1) * width];
    for a in (0..was.len()).rev() {
        for b in (0..is.len()).rev() {
            longest[a * width + b] = if was[a] == is[b] {
                longest[(a + 1) * width + b + 1] + 1
            } else {
                longest[(a + 1) * width + b].max(longest[a * width + b + 1])
            };
        }
    }
    let (mut gone, mut new, mut a, mut b, mut gap) = (Vec::new(), Vec::new(), 0, 0, 0);
    while a < was.len() || b < is.len() {
        if a < was.len() && b < is.len() && was[a] == is[b] {
            (a, b, gap) = (a + 1, b + 1, gap + 1);
        } else if b == is.len()
            || (a < was.len() && longest[(a + 1) * width + b] >= longest[a * width + b + 1])
        {
            gone.push((a, gap));
            a += 1;
        } else {
            new.push((b, gap));
            b += 1;
        }
    }
    (gone, new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(is: &[u32], expected: &[(u64, u64, Kind)]) {
        assert_eq!(differences(&[10, 20, 30, 40, 50], is), expected);
    }

    #[test]
    fn each_kind_of_change_is_told_by_its_line() {
        check(&[10, 20, 30, 40, 50], &[]);
        check(&[10, 20, 31, 40, 50], &[(3, 3, Kind::Modified)]);
        check(&[10, 30, 40, 50], &[(2, 2, Kind::Removed)]);
        check(&[10, 20, 25, 30, 40, 50], &[(3, 3, Kind::Inserted)]);
        // Of two that changed places, the later is said to have moved.
        check(&[10, 30, 20, 40, 50], &[(3, 3, Kind::Reordered)]);
        check(&[10, 20, 30], &[(4, 5, Kind::CutOff)]);
        check(&[], &[(1, 5, Kind::CutOff)]);
        check(&[10, 20, 30, 40, 50, 60], &[(6, 6, Kind::Inserted)]);
        check(&[11, 20, 30, 40, 51], &[(1, 1, Kind::Modified), (5, 5, Kind::Modified)]);
        check(&[10, 20, 31, 50], &[(3, 3, Kind::Modified), (4, 4, Kind::Removed)]);
    }
}
