//! How long an engine takes to answer: `cargo bench --bench engine -- GALLERY [ITEMS FOLDER]`.
//!
//! GALLERY is one that `tuwen index` has made; its model's training captions ask. With ITEMS, a gallery of so many
//! pictures is synthesised in FOLDER in the shape of the real ones: each is a mixture of two of them with noise, with made-up
//! metadata. FOLDER is kept, and used again by the next run.

use std::path::Path;
use std::time::Instant;

use half::f16;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tuwen::engine::{Engine, Query};
use tuwen::gallery::filter::Filter;
use tuwen::gallery::{Change, Facts, NewItem, PictureRow, Seen, Snapshot, Writer, index_parts};

/// Pictures that are committed at a time.
const BATCH: usize = 10_000;
const QUERIES: usize = 300;

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let Some(gallery) = arguments.first().map(Path::new) else {
        println!("no gallery given: nothing measured");
        return;
    };
    let engine = timed("open the real gallery", || Engine::open(gallery).unwrap());
    let model = engine.model().clone();
    let captions = model.captions().unwrap().expect("a model with captions");
    let step = (captions.texts.len() / QUERIES).max(1);
    let queries: Vec<&String> = captions.texts.iter().step_by(step).take(QUERIES).collect();
    ask(&engine, &queries, None);
    if let [_, items, folder] = &arguments[..] {
        let (items, folder) = (items.parse().expect("a number of items"), Path::new(folder));
        synthesise(gallery, items, folder);
        let engine = timed("open", || Engine::with(model.clone(), folder).unwrap());
        recall(&engine, &queries);
        for filter in [
            None,
            Some("folder = \"7\""),
            Some("width > 1000 and folder = \"7\""),
            Some("width > 1000"),
        ] {
            ask(&engine, &queries, filter);
        }
    }
    println!("peak {:.0} MiB", tuwen::timing::peak_mib().unwrap_or(0.0));
}

fn ask(engine: &Engine, queries: &[&String], filter: Option<&str>) {
    let mut times = Vec::new();
    let mut found = 0;
    for text in queries {
        let query = Query {
            filter: filter.map(|f| Filter::parse(f).unwrap()),
            ..Query::text((*text).clone())
        };
        let start = Instant::now();
        found += engine.ask(&query).unwrap().hits.len();
        times.push(1e3 * start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!(
        "{} questions, filter {}: p50 {:.1} ms, p99 {:.1} ms, {found} hits",
        times.len(),
        filter.unwrap_or("none"),
        at(0.5),
        at(0.99)
    );
}

/// Which share of the ten best pictures of all are among the ten that are found.
fn recall(engine: &Engine, queries: &[&String]) {
    const BEST: usize = 10;
    const ASKED: usize = 50;
    let view = engine.view().unwrap();
    let mut right = 0;
    for text in &queries[..ASKED] {
        let query = Query {
            top: BEST,
            ..Query::text((*text).clone())
        };
        let hits = engine.ask(&query).unwrap().hits;
        let point = engine
            .model()
            .embed_texts(&[text])
            .unwrap()
            .x
            .row(0)
            .to_vec();
        let mut best: Vec<(f32, u64)> = Vec::new();
        for part in view.snapshot.parts() {
            let rows = part.pictures().rows;
            best.extend(
                rows.scores(&point)
                    .into_iter()
                    .zip(rows.keys.iter().copied()),
            );
        }
        best.select_nth_unstable_by(BEST, |a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let is_best = |key| best[..BEST].iter().any(|(_, k)| Some(*k) == key);
        right += hits.iter().filter(|hit| is_best(hit.key)).count();
    }
    println!("recall@{BEST}: {:.3}", right as f64 / (BEST * ASKED) as f64);
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    println!("{what}: {:.3} s", start.elapsed().as_secs_f64());
    done
}

fn synthesise(real: &Path, items: usize, folder: &Path) {
    let snapshot = Snapshot::open(real).unwrap();
    let mut stamp = snapshot.stamp().clone();
    stamp.look = 0; // what is measured are sentences
    let pictures = snapshot.parts()[0].pictures();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut writer = Writer::open(folder, &stamp).unwrap();
    let there = writer.known().unwrap().len();
    let start = Instant::now();
    for first in (there..items).step_by(BATCH) {
        let mut item = |i: usize| {
            let [a, b] = [(); 2].map(|()| rng.gen_range(0..pictures.len()));
            let share: f32 = rng.gen_range(0.5..1.0);
            let mixed = pictures.point(a).iter().zip(pictures.point(b));
            let mut x: Vec<f32> = mixed
                .map(|(a, b)| {
                    share * a.to_f32() + (1.0 - share) * b.to_f32() + rng.gen_range(-0.01..0.01)
                })
                .collect();
            let length = x.iter().map(|v| v * v).sum::<f32>().sqrt();
            x.iter_mut().for_each(|v| *v /= length);
            NewItem {
                facts: Facts {
                    id: format!("{}/{i}.jpg", i % 100),
                    folder: (i % 100).to_string(),
                    width: rng.gen_range(200..4000),
                    height: rng.gen_range(200..4000),
                    ..Facts::default()
                },
                seen: Seen::Good(PictureRow {
                    point: x.into_iter().map(f16::from_f32).collect(),
                    charge: share * pictures.charges[a] + (1.0 - share) * pictures.charges[b],
                    ..PictureRow::default()
                }),
                captions: None,
            }
        };
        let add = (first..items.min(first + BATCH)).map(&mut item).collect();
        let change = Change {
            add,
            ..Change::default()
        };
        writer.commit(&change).unwrap();
    }
    writer.compact().unwrap();
    drop(writer);
    println!(
        "synthesise {items} items: {:.0} s",
        start.elapsed().as_secs_f64()
    );
    let snapshot = Snapshot::open(folder).unwrap();
    timed("index", || index_parts(folder, snapshot.parts()).unwrap());
}
