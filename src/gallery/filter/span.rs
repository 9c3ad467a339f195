//! Comparisons as spans of values, so that a column is compared with two bounds whatever the comparison is.

use super::{Number, Period, Range, UNKNOWN};

/// All values from one to another, both of them in it; none where they are in the wrong order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span<T> {
    pub first: T,
    pub last: T,
}

impl<T: PartialOrd + Copy> Span<T> {
    pub fn has(self, value: T) -> bool {
        // Without a branch, so that the compiler can compare many at once.
        (self.first <= value) & (value <= self.last)
    }
}

/// What whole numbers a comparison lets pass.
pub fn whole(range: &Range<Number>) -> Vec<Span<u64>> {
    // At most 2⁵³, so that the next one is no problem.
    let (up, down) = (
        |v: &Number| v.value().ceil() as u64,
        |v: &Number| v.value().floor() as u64,
    );
    let below = |v: &Number| match up(v) {
        0 => NONE,
        end => span(0, end - 1),
    };
    let is = |v: &Number| span(up(v), down(v));
    match range {
        Range::Is(v) => vec![is(v)],
        Range::IsNot(v) => vec![below(v), span(down(v) + 1, u64::MAX)],
        Range::Below(v) => vec![below(v)],
        Range::AtMost(v) => vec![span(0, down(v))],
        Range::Above(v) => vec![span(down(v) + 1, u64::MAX)],
        Range::AtLeast(v) => vec![span(up(v), u64::MAX)],
        Range::In(values) => values.iter().map(is).collect(),
    }
}

const NONE: Span<u64> = Span { first: 1, last: 0 };

/// What positive numbers a comparison lets pass; what is no number passes none.
pub fn real(range: &Range<Number>) -> Vec<Span<f64>> {
    let most = f64::MAX;
    let is = |v: &Number| span(v.value(), v.value());
    match range {
        Range::Is(v) => vec![is(v)],
        Range::IsNot(v) => vec![
            span(0.0, v.value().next_down()),
            span(v.value().next_up(), most),
        ],
        Range::Below(v) => vec![span(0.0, v.value().next_down())],
        Range::AtMost(v) => vec![span(0.0, v.value())],
        Range::Above(v) => vec![span(v.value().next_up(), most)],
        Range::AtLeast(v) => vec![span(v.value(), most)],
        Range::In(values) => values.iter().map(is).collect(),
    }
}

/// What moments a comparison lets pass; an unknown one passes none.
pub fn moments(range: &Range<Period>) -> Vec<Span<i64>> {
    const FIRST: i64 = UNKNOWN + 1;
    let is = |p: &Period| span(p.first(), p.last());
    match range {
        Range::Is(p) => vec![is(p)],
        Range::IsNot(p) => vec![span(FIRST, p.first() - 1), span(p.last() + 1, i64::MAX)],
        Range::Below(p) => vec![span(FIRST, p.first() - 1)],
        Range::AtMost(p) => vec![span(FIRST, p.last())],
        Range::Above(p) => vec![span(p.last() + 1, i64::MAX)],
        Range::AtLeast(p) => vec![span(p.first(), i64::MAX)],
        Range::In(periods) => periods.iter().map(is).collect(),
    }
}

fn span<T>(first: T, last: T) -> Span<T> {
    Span { first, last }
}
