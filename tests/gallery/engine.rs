//! Answers of an engine: those of a gallery that was built in one go, whatever it went through.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;
use tuwen::dataset::ReadOptions;
use tuwen::engine::{Answer, Engine, Find, Hit, Query};
use tuwen::gallery::filter::Filter;
use tuwen::gallery::{Snapshot, Writer};
use tuwen::indexing::{Captions, Indexer, Source, Synced, Tags};
use tuwen::model::Model;
use tuwen::progress::Silent;

use super::tiny;

/// Learned once.
fn model() -> Arc<Model> {
    static MODEL: OnceLock<Arc<Model>> = OnceLock::new();
    MODEL.get_or_init(|| Arc::new(tiny::model(96))).clone()
}

/// Pictures that the model did not see.
fn pictures() -> Vec<Vec<u8>> {
    let folder = tiny::committed(2).join("ImageData");
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Files that come, change and go, every state with a time of its own.
struct Folder {
    path: PathBuf,
    clock: u64,
    /// What is in it.
    now: BTreeMap<String, Vec<u8>>,
}

impl Folder {
    fn new(path: PathBuf) -> Self {
        fs::create_dir_all(path.join("a/b")).unwrap();
        Self {
            path,
            clock: 1_700_000_000,
            now: BTreeMap::new(),
        }
    }

    fn write(&mut self, id: &str, bytes: &[u8]) {
        self.clock += 1;
        let path = self.path.join(id);
        fs::write(&path, bytes).unwrap();
        let file = File::options().append(true).open(path).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(self.clock);
        file.set_modified(time).unwrap();
        self.now.insert(id.to_owned(), bytes.to_owned());
    }

    fn remove(&mut self, id: &str) {
        fs::remove_file(self.path.join(id)).unwrap();
        self.now.remove(id);
    }
}

fn table(path: &Path, header: [&str; 2], rows: &[(String, String)]) -> PathBuf {
    let mut table = csv::Writer::from_path(path).unwrap();
    table.write_record(header).unwrap();
    for (name, text) in rows {
        table.write_record([name, text]).unwrap();
    }
    table.flush().unwrap();
    path.to_owned()
}

/// Pictures that may be there. The last three have no text and are damaged at times.
const IDS: [&str; 12] = [
    "p0.png",
    "p1.png",
    "a/p2.png",
    "a/p3.png",
    "a/b/p4.png",
    "a/b/p5.png",
    "p6.png",
    "p7.png",
    "p8.png",
    "d9.png",
    "a/d10.png",
    "d11.png",
];
const DAMAGED: usize = 9;

/// Made-up captions and tags of some pictures.
fn source(folder: &Path, rng: &mut ChaCha8Rng) -> Source {
    const CAPTIONS: [&str; 4] = ["红色的五角星", "三个蓝色圆点", "白色的底", "一只狗"];
    const TAGS: [&str; 3] = ["狗;户外", "室内", "红色"];
    let mut draw = |texts: &[&str], most: usize| {
        let mut rows = Vec::new();
        for id in &IDS[..DAMAGED] {
            for _ in 0..rng.gen_range(0..=most) {
                let text = texts.choose(rng).unwrap();
                rows.push(((*id).to_owned(), (*text).to_owned()));
            }
        }
        rows
    };
    let captions = draw(&CAPTIONS, 2);
    let tags = draw(&TAGS, 1);
    let captions = table(
        &folder.join("captions.csv"),
        ["image", "caption"],
        &captions,
    );
    let tags = table(&folder.join("tags.csv"), ["image", "tags"], &tags);
    let options = ReadOptions::default();
    Source {
        captions: Some(Captions::read(&captions, &options).unwrap()),
        tags: Some(Tags::read(&tags, &options).unwrap()),
        hidden: false,
    }
}

/// Questions of every kind.
fn questions(pictures: &[Vec<u8>]) -> Vec<Query> {
    let text = Query::text("红色的五角星");
    let filter = |text: &str| Some(Filter::parse(text).unwrap());
    let words = |words: &[&str]| words.iter().map(|&w| w.to_owned()).collect::<Vec<_>>();
    let mut all = vec![
        text.clone(),
        Query::text("三个蓝色圆点"),
        Query {
            must: words(&["红色"]),
            ..text.clone()
        },
        Query {
            not: words(&["狗", "蓝色"]),
            ..text.clone()
        },
        Query {
            filter: filter("folder = a or has tags"),
            ..text.clone()
        },
        Query {
            filter: filter("not has captions and width > 10"),
            pictures: vec![pictures[3].clone()],
            ..text.clone()
        },
        Query {
            find: Find::Texts,
            ..text
        },
    ];
    for picture in [&pictures[0], &pictures[5]] {
        for find in [Find::Pictures, Find::Texts, Find::Copies] {
            all.push(Query::picture(picture.clone(), find));
        }
    }
    for query in &mut all {
        (query.top, query.explain) = (100, true);
    }
    all
}

/// What does not depend on the keys of a gallery: equal scores are in the order of ids.
fn comparable(answer: tuwen::Result<Answer>) -> Result<Answer, String> {
    let mut answer = answer.map_err(|e| e.to_string())?;
    // The texts of a gallery have keys; the captions of a model have none.
    answer
        .hits
        .iter_mut()
        .for_each(|hit| hit.key = hit.key.map(|_| 0));
    let order = |hit: &Hit| (hit.id.clone(), hit.text.clone());
    answer.hits.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then_with(|| order(a).cmp(&order(b)))
    });
    Ok(answer)
}

/// An engine answers as one over a gallery that is built now, from the folder as it is.
#[track_caller]
fn assert_answers_as_new(engine: &Engine, folder: &Path, source: &Source, step: usize) {
    let model = model();
    let new = TempDir::new().unwrap();
    let gallery = new.path().join("g");
    let mut indexer = Indexer::open(&gallery, &model, &Silent).unwrap();
    indexer.sync(folder, source).unwrap();
    let expected = Engine::open(&gallery).unwrap();
    for query in questions(&pictures()) {
        let [found, expected] = [engine, &expected].map(|e| comparable(e.ask(&query)));
        assert_eq!(
            found, expected,
            "step {step}: {:?} {:?}",
            query.text, query.find
        );
    }
}

#[test]
fn answers_are_those_of_a_gallery_built_in_one_go() {
    let (home, model, pictures) = (TempDir::new().unwrap(), model(), pictures());
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut folder = Folder::new(home.path().join("photos"));
    let gallery = home.path().join("g");
    let mut indexer = Indexer::open(&gallery, &model, &Silent).unwrap();
    let engine = Engine::with(model.clone(), &gallery).unwrap();
    let mut tables = source(home.path(), &mut rng);
    for step in 0..40 {
        let mut expected = Synced::default();
        let ids = IDS.choose_multiple(&mut rng, 1 + step % 3);
        let ids: Vec<&str> = ids.copied().collect();
        for id in ids {
            let before = folder.now.get(id).cloned();
            let was_picture = before.as_ref().is_some_and(|b| pictures.contains(b));
            match (rng.gen_range(0..10), &before) {
                (0 | 1, Some(_)) => {
                    folder.remove(id);
                    expected.removed += usize::from(was_picture);
                }
                (2, Some(bytes)) => {
                    folder.write(id, bytes); // touched
                    expected.bad += usize::from(!was_picture);
                }
                (3 | 4, _) if IDS[DAMAGED..].contains(&id) => {
                    folder.write(id, &pictures[0][..pictures[0].len() / 2]);
                    expected.bad += 1;
                }
                _ => {
                    let bytes = pictures.choose(&mut rng).unwrap();
                    folder.write(id, bytes);
                    let same = before.as_ref() == Some(bytes);
                    expected.added += usize::from(before.is_none());
                    expected.changed += usize::from(before.is_some() && !same);
                }
            }
        }
        if step % 8 == 7 {
            tables = source(home.path(), &mut rng);
        }
        if step % 5 == 4 {
            drop(indexer);
            indexer = Indexer::open(&gallery, &model, &Silent).unwrap();
        }
        let synced = indexer.sync(&folder.path, &tables).unwrap();
        if step % 8 != 7 {
            let counts = |s: &Synced| [s.added, s.changed, s.removed, s.bad];
            assert_eq!(counts(&synced), counts(&expected), "step {step}");
        }
        assert_eq!(synced.unreadable, Vec::<String>::new());
        let again = indexer.sync(&folder.path, &tables).unwrap();
        assert!(!again.is_change(), "step {step}: {again:?}");
        assert_eq!(again.unchanged, folder.now.len());
        if step % 4 == 3 {
            assert_answers_as_new(&engine, &folder.path, &tables, step);
        }
    }
    let snapshot = Snapshot::open(&gallery).unwrap();
    assert_eq!(snapshot.verify().unwrap(), Vec::<String>::new());
    let usable = folder.now.values().filter(|b| pictures.contains(b)).count();
    assert_eq!(snapshot.counts().pictures, usable);
}

/// A gallery of twelve pictures.
fn small(home: &Path) -> PathBuf {
    let mut folder = Folder::new(home.join("photos"));
    for (id, bytes) in IDS.iter().zip(pictures()) {
        folder.write(id, &bytes);
    }
    let gallery = home.join("g");
    let model = model();
    let mut indexer = Indexer::open(&gallery, &model, &Silent).unwrap();
    let synced = indexer.sync(&folder.path, &Source::default()).unwrap();
    assert_eq!(synced.added, IDS.len());
    gallery
}

#[test]
fn an_engine_sees_what_is_committed_and_threads_share_it() {
    let home = TempDir::new().unwrap();
    let gallery = small(home.path());
    let engine = Engine::open(&gallery).unwrap();
    let questions = questions(&pictures());
    let before: Vec<_> = questions
        .iter()
        .map(|q| comparable(engine.ask(q)))
        .collect();
    std::thread::scope(|scope| {
        let ask = || {
            questions
                .iter()
                .map(|q| comparable(engine.ask(q)))
                .collect::<Vec<_>>()
        };
        for thread in [scope.spawn(ask), scope.spawn(ask), scope.spawn(ask)] {
            assert_eq!(thread.join().unwrap(), before);
        }
    });
    let stamp = tuwen::indexing::stamp(&model()).unwrap();
    let mut writer = Writer::open(&gallery, &stamp).unwrap();
    let first = before[0].as_ref().unwrap().hits[0].id.clone();
    assert_eq!(writer.remove(&[&first]).unwrap(), 1);
    let after = engine.ask(&questions[0]).unwrap();
    assert_eq!(after.searched, IDS.len() - 1);
    assert!(after.hits.iter().all(|hit| hit.id != first));
}

#[test]
fn pages_make_up_the_whole_answer() {
    let home = TempDir::new().unwrap();
    let engine = Engine::open(&small(home.path())).unwrap();
    for query in questions(&pictures()) {
        let whole = engine.ask(&query).unwrap();
        let (mut hits, mut good) = (vec![], 0);
        for page in 0..5 {
            let page = Query {
                top: 5,
                offset: 5 * page,
                ..query.clone()
            };
            let answer = engine.ask(&page).unwrap();
            assert_eq!(answer.searched, whole.searched);
            good += answer.good;
            hits.extend(answer.hits);
        }
        assert_eq!(good, whole.good.min(25), "{:?}", query.find);
        assert_eq!(hits.len(), whole.hits.len().min(25), "{:?}", query.find);
        for (hit, of_whole) in hits.into_iter().zip(whole.hits) {
            // The sum over a gallery is estimated anew from the hits that are wanted.
            let [p, q] = [&hit, &of_whole].map(|h| h.probability.unwrap_or(0.0));
            assert!((p - q).abs() < 1e-3, "{p} {q}");
            let probability = hit.probability;
            assert_eq!(
                hit,
                Hit {
                    probability,
                    ..of_whole
                }
            );
        }
    }
}

#[test]
fn what_a_score_comes_of_sums_up_to_it() {
    let home = TempDir::new().unwrap();
    let engine = Engine::open(&small(home.path())).unwrap();
    for query in questions(&pictures()) {
        if query.find != Find::Pictures {
            continue;
        }
        for hit in engine.ask(&query).unwrap().hits {
            let parts = &hit.why.as_ref().unwrap().parts;
            let sum: f32 = parts.iter().map(|p| p.share).sum();
            assert!((sum - hit.score).abs() < 1e-5, "{hit:?}");
        }
    }
}

#[test]
fn a_gallery_of_another_model_is_refused() {
    let home = TempDir::new().unwrap();
    let gallery = small(home.path());
    let other = Arc::new(tiny::model(24));
    let error = Engine::with(other.clone(), &gallery)
        .err()
        .unwrap()
        .to_string();
    for part in [
        &format!("of model {}", model().fingerprint()),
        &other.fingerprint().to_string(),
    ] {
        assert!(error.contains(part.as_str()), "{error}");
    }
}

#[test]
fn texts_of_their_own_are_found_and_replaced() {
    let home = TempDir::new().unwrap();
    let gallery = small(home.path());
    let model = model();
    let mut indexer = Indexer::open(&gallery, &model, &Silent).unwrap();
    let text = |id: &str, text: &str| (id.to_owned(), text.to_owned());
    indexer
        .add_texts(&[text("t1", "红色的五角星"), text("t2", "三个蓝色圆点")])
        .unwrap();
    let engine = Engine::open(&gallery).unwrap();
    let query = Query {
        find: Find::Texts,
        ..Query::text("红色的五角星")
    };
    let found = |engine: &Engine| -> Vec<(String, String)> {
        let hits = engine.ask(&query).unwrap().hits.into_iter();
        hits.map(|hit| (hit.id, hit.text.unwrap())).collect()
    };
    assert_eq!(
        found(&engine),
        [text("t1", "红色的五角星"), text("t2", "三个蓝色圆点")]
    );
    indexer.add_texts(&[text("t1", "白色的底")]).unwrap();
    let now = found(&engine);
    assert_eq!(now.len(), 2);
    assert!(now.contains(&text("t1", "白色的底")), "{now:?}");
}
