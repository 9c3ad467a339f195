//! The header of a JPEG, up to its first scan (ITU-T T.81, annex B).

use image::metadata::Orientation;

use super::marker;

/// A frame's component, with its sampling factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Component {
    pub id: u8,
    pub horizontal: u8,
    pub vertical: u8,
}

/// A frame and what surrounds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Start-of-frame marker, which says how the picture is coded.
    pub process: u8,
    /// Bits per sample.
    pub precision: u8,
    pub width: u16,
    pub height: u16,
    pub components: Vec<Component>,
    pub orientation: Orientation,
    /// Colour transform that Adobe's marker names, if there is one.
    pub adobe: Option<u8>,
}

/// A segment: its marker, its contents, and where the next one begins.
pub struct Segment<'a> {
    pub marker: u8,
    pub payload: &'a [u8],
    pub next: usize,
}

/// What is at a position where a marker should be.
pub enum Next<'a> {
    Segment(Segment<'a>),
    /// The bytes end between two segments.
    End,
    /// The bytes end within a segment.
    Cut,
}

/// The segment at a position; anything before its marker is skipped, as other decoders do.
pub fn segment(bytes: &[u8], at: usize) -> Next<'_> {
    let mut at = at;
    while let Some(&first) = bytes.get(at) {
        match (first, bytes.get(at + 1)) {
            (0xff, None) => return Next::End,
            (0xff, Some(&code)) if code != 0xff && code != 0 => {
                return segment_of(bytes, at + 2, code);
            }
            _ => at += 1,
        }
    }
    Next::End
}

fn segment_of(bytes: &[u8], at: usize, code: u8) -> Next<'_> {
    if marker::stands_alone(code) {
        return Next::Segment(Segment {
            marker: code,
            payload: &[],
            next: at,
        });
    }
    let Some(&[high, low]) = bytes.get(at..at + 2) else {
        return Next::Cut;
    };
    let next = at + usize::from(u16::from_be_bytes([high, low])).max(2);
    match bytes.get(at + 2..next) {
        Some(payload) => Next::Segment(Segment {
            marker: code,
            payload,
            next,
        }),
        None => Next::Cut,
    }
}

impl Header {
    /// Reads the header.
    ///
    /// # Errors
    /// The reason, for bytes that are truncated or invalid before the first scan.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let (mut at, mut orientation, mut adobe) = (2, Orientation::NoTransforms, None);
        let mut frame: Option<Self> = None;
        loop {
            let Next::Segment(segment) = segment(bytes, at) else {
                // Its size is known where the frame is there: the limits come first.
                return frame.ok_or_else(|| super::BREAKS_OFF.into());
            };
            at = segment.next;
            match segment.marker {
                marker::APP1 => {
                    if let Some(exif) = segment.payload.strip_prefix(b"Exif\0\0") {
                        orientation = Orientation::from_exif_chunk(exif).unwrap_or(orientation);
                    }
                }
                marker::APP14 => {
                    if let Some([_, _, _, _, _, _, transform, ..]) =
                        segment.payload.strip_prefix(b"Adobe")
                    {
                        adobe = Some(*transform);
                    }
                }
                code if marker::starts_frame(code) && frame.is_none() => {
                    frame = Some(Self::of_frame(code, segment.payload)?);
                }
                marker::EOI if frame.is_none() => return Err("the JPEG has no picture".into()),
                marker::SOS | marker::EOI => {
                    let frame = frame.ok_or("the JPEG has no frame before its first scan")?;
                    return Ok(Self {
                        orientation,
                        adobe,
                        ..frame
                    });
                }
                _ => {}
            }
        }
    }

    fn of_frame(process: u8, payload: &[u8]) -> Result<Self, String> {
        let [precision, h1, h0, w1, w0, count, components @ ..] = payload else {
            return Err("the JPEG's frame header is too short".into());
        };
        let components: Vec<Component> = components
            .as_chunks::<3>()
            .0
            .iter()
            .take(usize::from(*count))
            .map(|&[id, sampling, _]| Component {
                id,
                horizontal: sampling >> 4,
                vertical: sampling & 15,
            })
            .collect();
        let sampled =
            |c: &Component| (1..=4).contains(&c.horizontal) && (1..=4).contains(&c.vertical);
        if components.len() != usize::from(*count)
            || components.is_empty()
            || !components.iter().all(sampled)
        {
            return Err("the JPEG's frame header is damaged".into());
        }
        Ok(Self {
            process,
            precision: *precision,
            width: u16::from_be_bytes([*w1, *w0]),
            height: u16::from_be_bytes([*h1, *h0]),
            components,
            orientation: Orientation::NoTransforms,
            adobe: None,
        })
    }

    /// The largest sampling factors, horizontal and vertical.
    pub fn most(&self) -> (u8, u8) {
        let horizontal = self.components.iter().map(|c| c.horizontal).max();
        let vertical = self.components.iter().map(|c| c.vertical).max();
        (horizontal.unwrap_or(1), vertical.unwrap_or(1))
    }
}
