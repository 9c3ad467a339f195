//! Long strips, such as a screenshot of a whole page on a phone: their text is found in overlapping pieces, at the
//! strip's own resolution.

use opencv::core::Rect;

use super::quad::{Bounds, Quad};
use crate::error::Result;

/// Ratio of length to width from which a picture is a strip, if it is too long to be read whole.
const STRIP: i32 = 3;
/// Largest ratio of length to width of a piece, because the detector scales narrow ones up,
const LONGEST: i32 = 4;
/// and least length in pixels.
const LEAST: i32 = 640;
/// Share of a piece that is also in the next one, so that a line that is no higher is whole in one of them.
const OVERLAP: f32 = 0.125;
/// Boxes of two pieces are one line if they share this much of the smaller one, within the area that both pieces
/// see.
const SAME: f32 = 0.5;

pub fn is_strip(width: i32, height: i32, max_side: i32) -> bool {
    let (short, long) = (width.min(height), width.max(height));
    long > max_side && long >= STRIP.saturating_mul(short)
}

/// The pieces of a strip of that size, from begin to end.
pub fn pieces(width: i32, height: i32, max_side: i32) -> Vec<Rect> {
    let (short, long) = (width.min(height), width.max(height));
    let length = short
        .saturating_mul(LONGEST)
        .max(LEAST)
        .min(max_side)
        .min(long);
    let step = ((length as f32 * (1.0 - OVERLAP)) as i32).max(1);
    let begins = (0..).map(|i| i * step);
    let last = (long - length + step - 1) / step;
    let begins = begins.take(last as usize + 1).map(|b| b.min(long - length));
    let piece = |b| match width < height {
        true => Rect::new(0, b, width, length),
        false => Rect::new(b, 0, length, height),
    };
    begins.map(piece).collect()
}

/// The boxes of all pieces, with boxes of one line merged.
pub fn merged(found: Vec<(Rect, Vec<Quad>)>) -> Result<Vec<Quad>> {
    let mut all: Vec<Quad> = Vec::new();
    // those of the piece before are the last ones
    let (mut before, mut since): (Option<Bounds>, usize) = (None, 0);
    for (piece, quads) in found {
        let piece = bounds(piece);
        let zone = before.map(|b| b.common(piece));
        let mut kept = all.split_off(since);
        let mut new = Vec::new();
        for quad in quads {
            let same = |other: &Quad| zone.is_some_and(|z| is_same(z, quad, *other));
            let (mut parts, rest): (Vec<Quad>, Vec<Quad>) = kept.into_iter().partition(same);
            kept = rest;
            parts.push(quad);
            new.push(Quad::around(&parts)?);
        }
        all.append(&mut kept);
        since = all.len();
        all.append(&mut new);
        before = Some(piece);
    }
    Ok(all)
}

fn bounds(piece: Rect) -> Bounds {
    Bounds {
        left: piece.x as f32,
        top: piece.y as f32,
        right: (piece.x + piece.width) as f32,
        bottom: (piece.y + piece.height) as f32,
    }
}

fn is_same(zone: Bounds, a: Quad, b: Quad) -> bool {
    let (a, b) = (a.bounds().common(zone), b.bounds().common(zone));
    let least = a.area().min(b.area());
    least > 0.0 && a.common(b).area() >= SAME * least
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quad(left: f32, top: f32, right: f32, bottom: f32) -> Quad {
        Quad([[left, top], [right, top], [right, bottom], [left, bottom]])
    }

    #[test]
    fn pieces_cover_a_strip_and_overlap() {
        for (w, h) in [
            (750, 12_000),
            (12_000, 750),
            (300, 2001),
            (2, 99_999),
            (3000, 9000),
        ] {
            let pieces = pieces(w, h, 2000);
            let span = |r: &Rect| {
                if w < h {
                    (r.y, r.y + r.height)
                } else {
                    (r.x, r.x + r.width)
                }
            };
            assert_eq!(span(&pieces[0]).0, 0);
            assert_eq!(span(&pieces[pieces.len() - 1]).1, w.max(h));
            for pair in pieces.windows(2) {
                let (before, after) = (span(&pair[0]), span(&pair[1]));
                assert!(
                    before.0 < after.0 && after.0 + 70 < before.1,
                    "{before:?} {after:?}"
                );
            }
        }
        assert!(!is_strip(1080, 2400, 2000) && !is_strip(300, 1900, 2000));
    }

    #[test]
    fn a_line_that_two_pieces_see_is_one() {
        let (first, second) = (Rect::new(0, 0, 1000, 100), Rect::new(900, 0, 1000, 100));
        // one line through the border, one that is whole in both, one of the second piece alone
        let found = vec![
            (
                first,
                vec![
                    quad(20.0, 10.0, 1000.0, 40.0),
                    quad(910.0, 60.0, 950.0, 90.0),
                ],
            ),
            (
                second,
                vec![
                    quad(900.0, 11.0, 1400.0, 41.0),
                    quad(911.0, 60.0, 949.0, 90.0),
                    quad(1500.0, 10.0, 1700.0, 40.0),
                ],
            ),
        ];
        let mut merged = merged(found).unwrap();
        merged.sort_by(|a, b| a.0[0][0].total_cmp(&b.0[0][0]));
        assert_eq!(merged.len(), 3);
        let whole = merged[0].bounds();
        assert!(whole.left < 25.0 && whole.right > 1395.0, "{whole:?}");
        assert_eq!(merged[1], quad(910.0, 60.0, 950.0, 90.0));
    }
}
