//! Sets of processors.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// The processors that something may run on, by their numbers: at least one.
///
/// As text it is the list of cpuset(1), `0-2,5`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CpuSet(BTreeSet<u32>);

/// A text that is no list of processors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a list of processors: expected numbers below {LIMIT} and ranges such as \
     \"0-2,5\""
)]
pub struct BadCpuSet(String);

/// More than any kernel has room for (`CPU_MAXSIZE`, sys/_cpuset.h).
const LIMIT: u32 = 1024;

impl CpuSet {
    /// Those processors; `None` for an empty set, or numbers that no kernel has room for.
    pub fn new(cpus: impl IntoIterator<Item = u32>) -> Option<Self> {
        let cpus: BTreeSet<u32> = cpus.into_iter().collect();
        let last = cpus.last()?;
        (*last < LIMIT).then_some(Self(cpus))
    }

    /// Their numbers in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.iter().copied()
    }
}

impl FromStr for CpuSet {
    type Err = BadCpuSet;

    fn from_str(text: &str) -> Result<Self, BadCpuSet> {
        let number = |text: &str| {
            let number = text.parse::<u32>().ok().filter(|number| *number < LIMIT)?;
            text.bytes().all(|byte| byte.is_ascii_digit()).then_some(number)
        };
        let range = |part: &str| match part.split_once('-') {
            Some((first, last)) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(first..=last)
            }
            None => number(part).map(|number| number..=number),
        };
        // A longer list says something twice, and could stand for any number of numbers.
        if usize::try_from(LIMIT).is_ok_and(|most| text.split(',').nth(most).is_some()) {
            return Err(BadCpuSet(text.to_owned()));
        }
        let ranges: Option<Vec<_>> = text.split(',').map(range).collect();
        ranges
            .and_then(|ranges| Self::new(ranges.into_iter().flatten()))
            .ok_or_else(|| BadCpuSet(text.to_owned()))
    }
}

impl fmt::Display for CpuSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.iter().peekable();
        let mut separator = "";
        while let Some(first) = rest.next() {
            let mut last = first;
            while let Some(next) = rest.next_if(|next| *next == last + 1) {
                last = next;
            }
            if first == last {
                write!(f, "{separator}{first}")?;
            } else {
                write!(f, "{separator}{first}-{last}")?;
            }
            separator = ",";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lists_and_ranges() {
        let set: CpuSet = "0-2,5,1,1023".parse().unwrap();
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 1, 2, 5, 1023]);
        assert_eq!(set.to_string(), "0-2,5,1023");
        let long = "0-1023,".repeat(1024) + "0";
        assert_eq!(long[7..].parse::<CpuSet>().unwrap().to_string(), "0-1023");
        for text in
            [&long, "", ",", "1,", "-1", "2-1", "1-", "+1", "1024", "0x1", "a", "0 1", "0-1-2"]
        {
            assert!(text.parse::<CpuSet>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_set_is_what_its_text_says(cpus in prop::collection::btree_set(0..LIMIT, 1..40)) {
            let set = CpuSet::new(cpus).unwrap();
            prop_assert_eq!(set.to_string().parse::<CpuSet>(), Ok(set));
        }
    }
}
