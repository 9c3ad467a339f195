//! A gallery against a naive model of it, beside readers, and beside a second writer.

use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::SafeTensors;
use tuwen::gallery::*;

use super::galleries::*;

fn commit(writer: &mut Writer, folder: &Path, model: &mut Model, wish: &Wish) -> Committed {
    let change = wish.change(&Snapshot::open(folder).unwrap());
    model.apply(wish);
    writer.commit(&change).unwrap()
}

#[test]
fn random_changes_leave_what_the_model_has() {
    for seed in 0..12 {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut writer = Writer::open(folder, &stamp()).unwrap();
        let merging = Merging {
            fan: 2 + seed as usize % 3,
            smallest: 1 + seed as usize,
        };
        writer.set_merging(merging);
        let mut model = Model::default();
        for step in 0..40 {
            let wish = Wish::random(&mut rng, &model);
            commit(&mut writer, folder, &mut model, &wish);
            if rng.gen_bool(0.1) {
                writer.compact().unwrap();
                assert!(writer.segments() <= 1);
            }
            if rng.gen_bool(0.2) {
                drop(writer);
                writer = Writer::open(folder, &stamp()).unwrap();
                writer.set_merging(merging);
            }
            let snapshot = Snapshot::open(folder).unwrap();
            assert_eq!(Model::of(&snapshot), model, "seed {seed}, step {step}");
            assert_eq!(
                snapshot.verify().unwrap(),
                Vec::<String>::new(),
                "seed {seed}, step {step}"
            );
            assert_no_orphans(folder, &snapshot);
            let bad = model
                .items
                .values()
                .filter(|(_, seen)| matches!(seen, Seen::Bad(_)))
                .count();
            let counts = snapshot.counts();
            assert_eq!(
                (counts.pictures, counts.bad),
                (model.items.len() - bad, bad)
            );
            assert_eq!(counts.texts, model.texts.len());
            assert_eq!(snapshot.bad().unwrap().len(), bad);
            let known = writer.known().unwrap();
            assert!(known.keys().eq(model.items.keys()));
        }
    }
}

#[test]
fn keys_are_never_given_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut writer = Writer::open(folder.path(), &stamp()).unwrap();
    let mut last = (0, 0);
    for _ in 0..5 {
        let add = vec![NewItem {
            facts: facts(&mut rng, "p"),
            seen: Seen::Good(picture_row(&mut rng)),
            captions: Some(vec![caption(&mut rng, "t")]),
        }];
        let committed = writer
            .commit(&Change {
                add,
                ..Change::default()
            })
            .unwrap();
        let now = (committed.items[0], committed.captions[0][0]);
        assert!(now.0 > last.0 && now.1 > last.1);
        last = now;
        assert_eq!(writer.remove(&["p", "not there"]).unwrap(), 1);
        writer.compact().unwrap();
        assert_eq!(writer.segments(), 0);
    }
}

#[test]
fn captions_go_over_to_the_picture_that_replaces_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut writer = Writer::open(folder.path(), &stamp()).unwrap();
    let add = |captions| NewItem {
        facts: facts(&mut ChaCha8Rng::seed_from_u64(2), "p"),
        seen: Seen::Good(picture_row(&mut ChaCha8Rng::seed_from_u64(3))),
        captions,
    };
    let texts = vec![caption(&mut rng, "t1"), caption(&mut rng, "t2")];
    let one = |new| Change {
        add: vec![new],
        ..Change::default()
    };
    let old = writer.commit(&one(add(Some(texts.clone())))).unwrap();
    let new = writer.commit(&one(add(None))).unwrap();
    let snapshot = Snapshot::open(folder.path()).unwrap();
    assert_eq!(snapshot.texts_of(old.items[0]).unwrap(), []);
    let found = snapshot.texts_of(new.items[0]).unwrap();
    let keys: Vec<u64> = found.iter().map(|t| t.key).collect();
    assert_eq!(keys, new.captions[0]);
    assert_eq!(
        found.iter().map(|t| &t.caption).collect::<Vec<_>>(),
        [&texts[0].caption, &texts[1].caption]
    );
    let (part, row) = snapshot.text_row(found[1].key).unwrap();
    assert_eq!(
        snapshot.parts()[part].texts().point(row),
        texts[1].row.point
    );
    assert_eq!(
        bags(&snapshot.parts()[part].texts().captions)[row],
        texts[1].row.terms
    );
    assert_eq!(snapshot.text_row(old.captions[0][0]), None);
    writer.commit(&one(add(Some(vec![])))).unwrap();
    assert_eq!(Snapshot::open(folder.path()).unwrap().counts().texts, 0);
}

#[test]
fn a_snapshot_keeps_its_answers() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut writer = Writer::open(folder, &stamp()).unwrap();
    writer.set_merging(Merging {
        fan: 2,
        smallest: 2,
    });
    let mut model = Model::default();
    let mut readers = vec![];
    for _ in 0..25 {
        let reader = Snapshot::open(folder).unwrap();
        assert!(reader.is_current().unwrap());
        readers.push((reader, model.clone()));
        let wish = Wish::random(&mut rng, &model);
        let changed = commit(&mut writer, folder, &mut model, &wish) != Committed::default();
        if changed {
            assert!(!readers.last().unwrap().0.is_current().unwrap());
        }
    }
    writer.compact().unwrap();
    for (reader, model) in &readers {
        assert_eq!(Model::of(reader), *model);
    }
    drop(writer);
    for (reader, model) in &readers {
        assert_eq!(Model::of(reader), *model);
    }
}

#[test]
fn readers_open_while_segments_come_and_go() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let mut writer = Writer::open(folder, &stamp()).unwrap();
    writer.set_merging(Merging {
        fan: 2,
        smallest: 100,
    });
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let read = || {
            let mut opened = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let snapshot = Snapshot::open(folder).unwrap();
                let model = Model::of(&snapshot);
                assert_eq!(
                    model.items.len(),
                    snapshot.counts().pictures + snapshot.counts().bad
                );
                opened += 1;
            }
            opened
        };
        let readers = [scope.spawn(read), scope.spawn(read)];
        let mut model = Model::default();
        for _ in 0..120 {
            let wish = Wish::random(&mut rng, &model);
            commit(&mut writer, folder, &mut model, &wish);
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
    });
}

#[test]
fn segments_stay_few() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let mut writer = Writer::open(folder.path(), &stamp()).unwrap();
    writer.set_merging(Merging {
        fan: 4,
        smallest: 4,
    });
    for i in 0..300 {
        let texts = vec![NewText {
            item: None,
            text: caption(&mut rng, &format!("t{i}")),
        }];
        writer
            .commit(&Change {
                texts,
                ..Change::default()
            })
            .unwrap();
        assert!(
            writer.segments() <= 3 * 4,
            "{} segments of {i} rows",
            writer.segments()
        );
    }
}

#[test]
fn the_second_writer_is_told_who_is_first() {
    let folder = tempfile::tempdir().unwrap();
    let first = Writer::open(folder.path(), &stamp()).unwrap();
    let error = Writer::open(folder.path(), &stamp())
        .err()
        .unwrap()
        .to_string();
    let who = format!("another tuwen (process {} on ", std::process::id());
    assert!(error.contains(&who), "{error}");
    assert!(
        error.ends_with("is changing this gallery; wait for it or stop it"),
        "{error}"
    );
    drop(first);
    Writer::open(folder.path(), &stamp()).unwrap();
}

#[test]
fn other_stamps_folders_and_versions_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = Snapshot::open(folder.path()).err().unwrap().to_string();
    assert!(
        error.ends_with("not a gallery: it has no gallery.sqlite; `tuwen index` makes galleries"),
        "{error}"
    );
    drop(Writer::open(folder.path(), &stamp()).unwrap());
    let other = Stamp {
        model: "ffff".into(),
        ..stamp()
    };
    let error = Writer::open(folder.path(), &other)
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("of model 0123abcd (5 dimensions") && error.contains("of model ffff"),
        "{error}"
    );

    let database = rusqlite::Connection::open(folder.path().join("gallery.sqlite")).unwrap();
    database
        .execute("UPDATE meta SET value = '2' WHERE key = 'schema'", [])
        .unwrap();
    drop(database);
    for error in [
        Snapshot::open(folder.path()).err(),
        Writer::open(folder.path(), &stamp()).err(),
    ] {
        let error = error.unwrap().to_string();
        assert!(
            error
                .ends_with("it has schema 2, this program 1; a newer tuwen wrote it: use that one"),
            "{error}"
        );
    }

    let pictures = tempfile::tempdir().unwrap();
    std::fs::write(pictures.path().join("a.jpg"), "x").unwrap();
    let error = Writer::open(pictures.path(), &stamp())
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.ends_with("it is neither empty nor a gallery; name another folder"),
        "{error}"
    );
    assert_eq!(std::fs::read_dir(pictures.path()).unwrap().count(), 1);
}

#[test]
fn a_change_that_does_not_fit_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut writer = Writer::open(folder.path(), &stamp()).unwrap();
    let good = NewItem {
        facts: facts(&mut rng, "p"),
        seen: Seen::Good(picture_row(&mut rng)),
        captions: Some(vec![caption(&mut rng, "t")]),
    };
    writer
        .commit(&Change {
            add: vec![good.clone()],
            ..Change::default()
        })
        .unwrap();
    let before = Model::of(&Snapshot::open(folder.path()).unwrap());
    let mut short = good.clone();
    short.seen = Seen::Good(PictureRow::default());
    let text = |item, id| NewText {
        item,
        text: caption(&mut ChaCha8Rng::seed_from_u64(1), id),
    };
    let mut falling = text(None, "u");
    falling.text.row.terms.terms = vec![(2, 1.0), (1, 1.0)];
    let none = Change::default;
    let changes = [
        (
            Change {
                add: vec![good.clone(), good],
                ..none()
            },
            "it has the item p twice",
        ),
        (
            Change {
                add: vec![short],
                ..none()
            },
            "p: its point has 0 dimensions, the gallery 5",
        ),
        (
            Change {
                texts: vec![text(None, "u"), text(None, "u")],
                ..none()
            },
            "it has the text u twice",
        ),
        (
            Change {
                texts: vec![falling],
                ..none()
            },
            "u: its terms do not rise, or a count is not finite",
        ),
        (
            Change {
                texts: vec![text(Some(9), "u")],
                ..none()
            },
            "there is no item with the key 9",
        ),
        (
            Change {
                texts: vec![text(Some(1), "u")],
                remove: vec![1],
                ..none()
            },
            "a text is about the item 1, which the same change removes",
        ),
        (
            Change {
                remove: vec![2],
                ..none()
            },
            "there is no item with the key 2",
        ),
        (
            Change {
                remove_texts: vec![2],
                ..none()
            },
            "there is no text with the key 2",
        ),
    ];
    for (change, reason) in changes {
        let error = writer.commit(&change).unwrap_err().to_string();
        assert!(
            error.ends_with(&format!("the change cannot be made: {reason}")),
            "{error}"
        );
        assert_eq!(Model::of(&Snapshot::open(folder.path()).unwrap()), before);
    }
}

#[test]
fn a_segment_is_an_aligned_safetensors_file_and_the_same_bytes_each_time() {
    let build = || {
        let folder = tempfile::tempdir().unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(12);
        let mut writer = Writer::open(folder.path(), &stamp()).unwrap();
        let mut model = Model::default();
        for _ in 0..10 {
            let wish = Wish::random(&mut rng, &model);
            commit(&mut writer, folder.path(), &mut model, &wish);
        }
        writer.compact().unwrap();
        let name = segment_files(folder.path()).pop_first().unwrap();
        std::fs::read(folder.path().join("segments").join(name)).unwrap()
    };
    let bytes = build();
    assert_eq!(bytes, build());
    let file = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.len(), 35);
    for (name, tensor) in file.tensors() {
        let offset = tensor.data().as_ptr() as usize - bytes.as_ptr() as usize;
        assert_eq!(offset % (tensor.dtype().bitsize() / 8), 0, "{name}");
    }
}

#[test]
fn dates_become_numbers_that_sort() {
    assert_eq!(sortable(Some("2024-05-01T12:30:07")), 20240501123007);
    assert_eq!(sortable(Some("2024-05-01")), 20240501000000);
    for none in [
        None,
        Some(""),
        Some("2024"),
        Some("日本-05-01"),
        Some("+024-05-01"),
    ] {
        assert_eq!(sortable(none), UNDATED);
    }
}
