//! Which segments are merged, and when: size-tiered, as in a log-structured merge tree (O'Neil et al., Acta Informatica
//! 1996).

use crate::gallery::part::Part;

/// How segments are merged. Every row is written again about once for each factor of `fan` that the gallery grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merging {
    /// There are fewer segments than this of about the same size: that of the largest is less than `fan` times that of
    /// the smallest.
    pub fan: usize,
    /// Segments with fewer rows count as of the same size. Writing so few again costs less than opening a file more.
    pub smallest: usize,
}

impl Default for Merging {
    fn default() -> Self {
        Self {
            fan: 8,
            smallest: 512,
        }
    }
}

impl Merging {
    fn tier(&self, rows: usize) -> u32 {
        let (mut tier, mut end) = (0, self.smallest.max(1));
        while rows >= end && end < usize::MAX {
            (tier, end) = (tier + 1, end.saturating_mul(self.fan.max(2)));
        }
        tier
    }

    /// Places of the parts that are to become one, rising. A part of which more than half is removed is among them, so
    /// that removed rows never take more room than those that are left.
    pub(super) fn choose(&self, parts: &[Part]) -> Vec<usize> {
        let live: Vec<usize> = parts.iter().map(|p| p.live().iter().sum()).collect();
        let removed = |p: &Part| p.dead_pictures.count() + p.dead_texts.count();
        let mut chosen: Vec<usize> = (0..parts.len())
            .filter(|&i| removed(&parts[i]) > live[i])
            .collect();
        let highest = live.iter().map(|&rows| self.tier(rows)).max().unwrap_or(0);
        for tier in 0..=highest {
            let same =
                (0..parts.len()).filter(|i| !chosen.contains(i) && self.tier(live[*i]) == tier);
            let same: Vec<usize> = same.collect();
            let sum = chosen.iter().map(|&i| live[i]).sum();
            let grown = !chosen.is_empty() && self.tier(sum) == tier;
            if same.len() + usize::from(grown) >= self.fan.max(2) {
                chosen.extend(same);
            }
        }
        chosen.sort_unstable();
        chosen
    }
}
