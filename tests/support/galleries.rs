//! Made-up galleries, a naive model of what they hold, and the same read back from a snapshot.
#![allow(dead_code)] // every test uses some of it

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use half::f16;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tuwen::gallery::*;

pub const POINT: usize = 5;
pub const LOOK: usize = 3;

pub fn stamp() -> Stamp {
    Stamp {
        model: "0123abcd".into(),
        point: POINT,
        look: LOOK,
        notes: serde_json::json!({ "charges": 0.1, "of": ["a", "b"] }),
    }
}

fn vector(rng: &mut ChaCha8Rng, n: usize) -> Vec<f16> {
    (0..n)
        .map(|_| f16::from_f32(rng.gen_range(-1.0..1.0)))
        .collect()
}

fn bag(rng: &mut ChaCha8Rng) -> Bag {
    let terms: BTreeSet<u64> = (0..rng.gen_range(0..6))
        .map(|_| rng.gen_range(0..20) << 58)
        .collect();
    Bag {
        terms: terms
            .into_iter()
            .map(|t| (t, rng.gen_range(1..5) as f32))
            .collect(),
        norm: rng.gen_range(0.0..9.0),
    }
}

pub fn picture_row(rng: &mut ChaCha8Rng) -> PictureRow {
    let copies = rng.gen_range(0..4);
    PictureRow {
        point: vector(rng, POINT),
        charge: rng.gen_range(0.0..1.0),
        look: vector(rng, LOOK),
        copies: (0..copies).map(|_| rng.r#gen()).collect(),
        read: bag(rng),
        tags: bag(rng),
    }
}

pub fn text_row(rng: &mut ChaCha8Rng) -> TextRow {
    TextRow {
        point: vector(rng, POINT),
        charge: rng.gen_range(0.0..1.0),
        terms: bag(rng),
    }
}

pub fn facts(rng: &mut ChaCha8Rng, id: &str) -> Facts {
    let maybe = |yes: bool, text: &str| yes.then(|| text.to_owned());
    Facts {
        id: id.into(),
        path: format!("/图/{id}.jpg"),
        bytes: rng.gen_range(0..1 << 40),
        mtime_ns: rng.gen_range(-5..i64::MAX),
        digest: format!("{:032x}", rng.r#gen::<u128>()),
        width: rng.gen_range(1..5000),
        height: rng.gen_range(1..5000),
        taken: maybe(rng.gen_bool(0.5), "2024-05-01T12:30:07"),
        camera: maybe(rng.gen_bool(0.5), ["Canon", "尼康"].choose(rng).unwrap()),
        folder: ["", "a", "a/b", "海"].choose(rng).unwrap().to_string(),
        format: ["jpeg", "png"].choose(rng).unwrap().to_string(),
        tags: vec!["海".into(), "x\"y".into()],
        read: match rng.gen_bool(0.5) {
            true => serde_json::json!([{ "text": "店", "corners": [[0.1, 2.5]] }]),
            false => serde_json::Value::Null,
        },
    }
}

pub fn caption(rng: &mut ChaCha8Rng, id: &str) -> NewCaption {
    NewCaption {
        id: id.into(),
        caption: format!("句子 {}", rng.r#gen::<u16>()),
        row: text_row(rng),
    }
}

/// A change that names everything by its id.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    pub add: Vec<NewItem>,
    pub texts: Vec<(Option<String>, NewCaption)>,
    pub remove: BTreeSet<String>,
    pub remove_texts: BTreeSet<String>,
    pub touch: BTreeMap<String, i64>,
}

/// What a gallery holds, without keys and segments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    pub items: BTreeMap<String, (Facts, Seen)>,
    /// The id of the picture, the caption and the row.
    pub texts: BTreeMap<String, (Option<String>, String, TextRow)>,
}

impl Wish {
    pub fn random(rng: &mut ChaCha8Rng, model: &Model) -> Self {
        let mut wish = Self::default();
        let mut ids: Vec<String> = (0..25).map(|i| format!("p{i}")).collect();
        let mut text_ids: Vec<String> = (0..60).map(|i| format!("t{i}")).collect();
        ids.shuffle(rng);
        text_ids.shuffle(rng);
        for id in ids.iter().take(rng.gen_range(0..4)) {
            let captions = rng.gen_bool(0.5).then(|| {
                let n = rng.gen_range(0..3);
                (0..n)
                    .map(|_| caption(rng, &text_ids.pop().unwrap()))
                    .collect()
            });
            let seen = match rng.gen_bool(0.8) {
                true => Seen::Good(picture_row(rng)),
                false => Seen::Bad("not a picture".into()),
            };
            let facts = facts(rng, id);
            wish.add.push(NewItem {
                facts,
                seen,
                captions,
            });
        }
        let existing: Vec<&String> = model.items.keys().collect();
        for _ in 0..rng.gen_range(0..3) {
            if let Some(id) = existing.choose(rng) {
                let _ = match rng.r#gen::<bool>() {
                    true => wish.remove.insert((*id).clone()),
                    false => wish.touch.insert((*id).clone(), rng.r#gen()).is_some(),
                };
            }
        }
        let gone = |id: &String| {
            wish.remove.contains(id) || wish.add.iter().any(|new| new.facts.id == *id)
        };
        let left: Vec<&&String> = existing.iter().filter(|id| !gone(id)).collect();
        for _ in 0..rng.gen_range(0..3) {
            let item = left
                .choose(rng)
                .filter(|_| rng.gen_bool(0.7))
                .map(|id| (**id).clone());
            wish.texts
                .push((item, caption(rng, &text_ids.pop().unwrap())));
        }
        let texts: Vec<&String> = model.texts.keys().collect();
        let some = texts.choose(rng).filter(|_| rng.gen_bool(0.3));
        wish.remove_texts.extend(some.map(|id| (*id).clone()));
        wish
    }

    /// The same with keys.
    pub fn change(&self, snapshot: &Snapshot) -> Change {
        let key = |id: &String| snapshot.key_of(id).unwrap().unwrap();
        let text_key = |id: &String| snapshot.text_key_of(id).unwrap().unwrap();
        let touch = |(id, mtime_ns): (&String, &i64)| Touch {
            key: key(id),
            path: snapshot.item(key(id)).unwrap().unwrap().facts.path,
            bytes: snapshot.item(key(id)).unwrap().unwrap().facts.bytes,
            mtime_ns: *mtime_ns,
        };
        let text = |(item, text): &(Option<String>, NewCaption)| NewText {
            item: item.as_ref().map(key),
            text: text.clone(),
        };
        Change {
            add: self.add.clone(),
            texts: self.texts.iter().map(text).collect(),
            remove: self.remove.iter().map(key).collect(),
            remove_texts: self.remove_texts.iter().map(text_key).collect(),
            touch: self.touch.iter().map(touch).collect(),
        }
    }
}

impl Model {
    pub fn apply(&mut self, wish: &Wish) {
        for (id, mtime_ns) in &wish.touch {
            self.items.get_mut(id).unwrap().0.mtime_ns = *mtime_ns;
        }
        let captions = wish
            .add
            .iter()
            .flat_map(|new| new.captions.iter().flatten());
        let new_texts: BTreeSet<&String> = captions
            .chain(wish.texts.iter().map(|t| &t.1))
            .map(|c| &c.id)
            .collect();
        self.texts
            .retain(|id, _| !new_texts.contains(id) && !wish.remove_texts.contains(id));
        for id in &wish.remove {
            self.items.remove(id);
            self.texts.retain(|_, text| text.0.as_ref() != Some(id));
        }
        for new in &wish.add {
            let id = &new.facts.id;
            if let Some(captions) = &new.captions {
                self.texts.retain(|_, text| text.0.as_ref() != Some(id));
                for c in captions {
                    let text = (Some(id.clone()), c.caption.clone(), c.row.clone());
                    self.texts.insert(c.id.clone(), text);
                }
            }
            self.items
                .insert(id.clone(), (new.facts.clone(), new.seen.clone()));
        }
        for (item, c) in &wish.texts {
            self.texts.insert(
                c.id.clone(),
                (item.clone(), c.caption.clone(), c.row.clone()),
            );
        }
    }

    /// Reads everything back, by the functions that a search uses.
    pub fn of(snapshot: &Snapshot) -> Self {
        let (mut pictures, mut texts) = (BTreeMap::new(), BTreeMap::new());
        for part in snapshot.parts() {
            let p = part.pictures();
            let (read, tags) = (bags(&p.read), bags(&p.tags));
            for row in (0..p.len()).filter(|&row| !part.dead_pictures().contains(row)) {
                assert_eq!(p.row_of(p.keys[row]), Some(row));
                let found = PictureRow {
                    point: p.point(row).to_vec(),
                    charge: p.charges[row],
                    look: p.look(row).to_vec(),
                    copies: p.copies(row).unwrap().to_vec(),
                    read: read[row].clone(),
                    tags: tags[row].clone(),
                };
                assert_eq!(pictures.insert(p.keys[row], found), None);
                check_columns(snapshot, &p, row);
            }
            let t = part.texts();
            let captions = bags(&t.captions);
            for row in (0..t.len()).filter(|&row| !part.dead_texts().contains(row)) {
                let found = TextRow {
                    point: t.point(row).to_vec(),
                    charge: t.charges[row],
                    terms: captions[row].clone(),
                };
                assert_eq!(texts.insert(t.keys[row], (t.item(row), found)), None);
            }
        }
        let mut model = Self::default();
        for entry in snapshot.all_ids() {
            let (key, id) = entry.unwrap();
            let item = snapshot.item(key).unwrap().unwrap();
            let row = pictures.remove(&key);
            let seen = match item.bad {
                Some(reason) => Seen::Bad(reason),
                None => Seen::Good(row.clone().unwrap()),
            };
            assert_eq!(row.is_some(), snapshot.picture_row(key).is_some());
            model.items.insert(id, (item.facts, seen));
        }
        for entry in snapshot.all_text_ids() {
            let (key, id) = entry.unwrap();
            let text = snapshot.text(key).unwrap().unwrap();
            let (item, row) = texts.remove(&key).unwrap();
            assert_eq!(item, text.item);
            let item = item.map(|key| snapshot.item(key).unwrap().unwrap().facts.id);
            model.texts.insert(id, (item, text.caption, row));
        }
        assert!(
            pictures.is_empty() && texts.is_empty(),
            "rows without a record"
        );
        model
    }
}

fn check_columns(snapshot: &Snapshot, p: &Pictures, row: usize) {
    let facts = snapshot.item(p.keys[row]).unwrap().unwrap().facts;
    assert_eq!([p.widths[row], p.heights[row]], [facts.width, facts.height]);
    assert_eq!(p.bytes[row], facts.bytes);
    assert_eq!(p.taken[row], sortable(facts.taken.as_deref()));
    assert_eq!(p.folders.get(row), Some(facts.folder.as_str()));
    assert_eq!(p.folders.code(&facts.folder), Some(p.folders.codes[row]));
    assert_eq!(p.cameras.get(row), facts.camera.as_deref());
    assert_eq!(p.formats.get(row), Some(facts.format.as_str()));
}

/// The bag of every row, from inverted lists.
pub fn bags(postings: &Postings) -> Vec<Bag> {
    let norms = postings.norms.iter();
    let mut bags: Vec<Bag> = norms
        .map(|&norm| Bag {
            terms: vec![],
            norm,
        })
        .collect();
    for &term in postings.terms {
        let list = postings.find(term).unwrap();
        assert!(!list.rows.is_empty() && list.rows.is_sorted());
        for (&row, &count) in list.rows.iter().zip(list.counts) {
            bags[row as usize].terms.push((term, count));
        }
    }
    for (bag, &length) in bags.iter().zip(postings.lengths) {
        assert_eq!(bag.terms.iter().map(|t| t.1).sum::<f32>(), length);
    }
    bags
}

/// Names of the files of segments.
pub fn segment_files(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder.join("segments")).unwrap();
    entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// As many files as the database lists, and none besides.
pub fn assert_no_orphans(folder: &Path, snapshot: &Snapshot) {
    let name = |part: &Part| {
        let rows = (part.pictures().len(), part.texts().len());
        assert_ne!(rows, (0, 0));
        rows
    };
    let listed = snapshot.parts().iter().map(name).count();
    assert_eq!(segment_files(folder).len(), listed);
}

/// A gallery of some commits, the same every time.
pub fn build(folder: &Path) {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut writer = Writer::open(folder, &stamp()).unwrap();
    let mut model = Model::default();
    for _ in 0..6 {
        let wish = Wish::random(&mut rng, &model);
        let change = wish.change(&Snapshot::open(folder).unwrap());
        model.apply(&wish);
        writer.commit(&change).unwrap();
    }
}

/// Asks for everything; an error is as good as an answer.
pub fn exercise(snapshot: &Snapshot) {
    for part in snapshot.parts() {
        let (p, t) = (part.pictures(), part.texts());
        for row in 0..p.len() {
            let _ = (
                p.point(row),
                p.look(row),
                p.copies(row),
                p.folders.get(row),
                p.cameras.get(row),
            );
            let _ = snapshot.item(p.keys[row]);
            let _ = snapshot.picture_row(p.keys[row]);
        }
        for row in 0..t.len() {
            let _ = (
                t.point(row),
                t.item(row),
                snapshot.text(t.keys[row]),
                snapshot.text_row(t.keys[row]),
            );
        }
        for (postings, n) in [(p.read, p.len()), (p.tags, p.len()), (t.captions, t.len())] {
            for &term in postings.terms {
                if let Ok(list) = postings.find(term) {
                    assert!(list.rows.iter().all(|&row| (row as usize) < n));
                }
            }
        }
    }
    let _ = (
        snapshot.bad(),
        snapshot.counts(),
        snapshot.is_current(),
        snapshot.key_of("p1"),
    );
    let _: Vec<_> = snapshot.all_ids().take(10_000).collect();
    let _: Vec<_> = snapshot.all_text_ids().take(10_000).collect();
}

/// Changes a gallery that may be damaged.
pub fn write_to(folder: &Path) {
    if let Ok(mut writer) = Writer::open(folder, &stamp()) {
        let _ = writer.known();
        let mut rng = ChaCha8Rng::seed_from_u64(6);
        let ids: Vec<String> = (0..25).map(|i| format!("p{i}")).collect();
        for id in &ids[..12] {
            let (facts, seen) = (facts(&mut rng, id), Seen::Good(picture_row(&mut rng)));
            let add = vec![NewItem {
                facts,
                seen,
                captions: None,
            }];
            let _ = writer.commit(&Change {
                add,
                ..Change::default()
            });
        }
        let _ = writer.remove(&ids[12..]);
        let _ = writer.compact();
    }
}
