//! Sentences to pieces: the likeliest of all ways to cut (Viterbi, over the unigram model of Kudo, ACL 2018).

use sentencepiece_rs::{PieceType, SentencePieceProcessor};

/// Ids that a sentence begins and ends with.
const BEGIN: usize = 1;
const END: usize = 2;
/// How much less likely a character that no piece has is than the least likely piece (`unigram_model.cc`).
const UNKNOWN: f32 = 10.0;

/// SentencePiece's model. The crate reads it and normalises texts; it tries every piece at every place, which takes
/// milliseconds a sentence with 128,000 of them, so that the cutting is our own.
pub struct Pieces {
    processor: SentencePieceProcessor,
    /// Of the pieces, in characters.
    longest: usize,
    unknown: f32,
}

/// The best way to cut a text up to some place: its score, and the last piece with where it begins.
#[derive(Clone, Copy)]
struct Cut {
    score: f32,
    piece: usize,
    from: usize,
}

impl Pieces {
    pub fn new(model: &[u8]) -> Result<Self, String> {
        let processor = SentencePieceProcessor::from_serialized_model(model);
        let processor = processor.map_err(|e| e.to_string())?;
        let pieces = processor.model().pieces();
        let lengths = pieces.iter().map(|p| p.piece.chars().count());
        let least = pieces.iter().map(|p| p.score).fold(f32::INFINITY, f32::min);
        Ok(Self {
            longest: lengths.max().unwrap_or_default(),
            unknown: least - UNKNOWN,
            processor,
        })
    }

    /// Number of pieces.
    pub fn len(&self) -> usize {
        self.processor.model().vocab_size()
    }

    /// The ids of a sentence's pieces, with those that it begins and ends with. Characters in a row that no piece has are
    /// one unknown piece.
    pub fn ids(&self, sentence: &str) -> Vec<usize> {
        let unknown = self.processor.unk_id();
        // What cannot be normalised is unknown as a whole.
        let text = self.processor.normalize(sentence).unwrap_or_default();
        let mut ids = vec![END];
        let mut to = text.len();
        let cuts = self.cuts(&text);
        while let Some(Cut { piece, from, .. }) = cuts[to].filter(|_| to > 0) {
            if piece != unknown || ids.last() != Some(&unknown) {
                ids.push(piece);
            }
            to = from;
        }
        if ids.len() == 1 {
            ids.push(unknown);
        }
        ids.push(BEGIN);
        ids.reverse();
        ids
    }

    /// For each place of a text the best way to cut it up to there; nothing inside of characters.
    fn cuts(&self, text: &str) -> Vec<Option<Cut>> {
        let model = self.processor.model();
        let start = Cut {
            score: 0.0,
            piece: model.unk_id(),
            from: 0,
        };
        let mut cuts = vec![None; text.len() + 1];
        cuts[0] = Some(start);
        for (from, first) in text.char_indices() {
            let Some(Cut { score: before, .. }) = cuts[from] else {
                continue;
            };
            let mut offer = |to: usize, piece: usize, score: f32| {
                let score = before + score;
                if cuts[to].is_none_or(|best: Cut| score > best.score) {
                    cuts[to] = Some(Cut { score, piece, from });
                }
            };
            let mut is_known = false;
            let ends = text[from..].char_indices().take(self.longest);
            for (place, last) in ends {
                let to = from + place + last.len_utf8();
                let Some(piece) = model.try_piece_to_id(&text[from..to]) else {
                    continue;
                };
                let Some(of) = model.pieces().get(piece) else {
                    continue;
                };
                if of.kind == PieceType::Normal {
                    offer(to, piece, of.score);
                    is_known |= place == 0;
                }
            }
            if !is_known {
                offer(from + first.len_utf8(), model.unk_id(), self.unknown);
            }
        }
        cuts
    }
}
