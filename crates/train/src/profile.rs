//! Where the time of a run went, by part of the loop (`[trainer] profiler = "simple"`).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Time and count of each part.
#[derive(Debug, Clone, Default)]
pub struct Profile(BTreeMap<&'static str, (Duration, u64)>);

impl Profile {
    /// Adds the time since `began` to a part.
    pub fn add(&mut self, part: &'static str, began: Instant) {
        let (time, count) = self.0.entry(part).or_default();
        *time += began.elapsed();
        *count += 1;
    }

    /// A line for each part, the longest first.
    pub fn lines(&self) -> Vec<String> {
        let mut parts: Vec<_> = self.0.iter().collect();
        parts.sort_by_key(|(_, (time, _))| std::cmp::Reverse(*time));
        let all: f64 = parts.iter().map(|(_, (time, _))| time.as_secs_f64()).sum();
        let line = |(part, (time, count)): &(&&str, &(Duration, u64))| {
            let (seconds, n) = (time.as_secs_f64(), *count as f64);
            format!(
                "{part:<12} {seconds:>9.2} s  {:>5.1} %  {count:>7} times, {:>9.3} ms each",
                100.0 * seconds / all,
                1e3 * seconds / n
            )
        };
        parts.iter().map(line).collect()
    }
}
