use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};
use tuwen::artifact::Fingerprint;
use tuwen::contest::Found;
use tuwen::contest::{self, ANSWERS, Answer, Format};
use tuwen::dataset::{Collection, Direction, Split};
use tuwen::evaluation::{self, Report};
use tuwen::files;
use tuwen::progress::warn_each;
use tuwen::recipe::Recipe;
use tuwen::sampling::sample_places;
use tuwen::scene_text::Words;
use tuwen::training::{Features, Fitted, Outcome, SceneTextChoice, Training, embed};

use super::bars::Bars;
use super::check;
use super::common::Common;
use super::page::{Item, Page, Shown, matched};

/// Answer attachments 2 and 3: write result1.csv and result2.csv
#[derive(clap::Args)]
#[command(after_help = "\
Learns from attachment 1, unless that is done already. If there is a truth.csv beside an attachment, the \
answers are scored. A second run does nothing if nothing has changed.

Examples:
  tuwen results --data data/demo --out out --contact-sheet out/page.html
  tuwen results --data 赛题B --out out --blank-continuation --bom")]
pub struct Args {
    #[command(flatten)]
    common: Common,
    /// Folder for the result files
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
    /// Write each query's id only on its first row
    #[arg(long)]
    blank_continuation: bool,
    /// Start the files with a byte-order mark, for spreadsheets
    #[arg(long)]
    bom: bool,
    /// Also write a page that shows queries with their answers
    #[arg(long, value_name = "FILE")]
    contact_sheet: Option<PathBuf>,
}

/// What a run made, and from what: `run.json` beside the result files.
#[derive(Serialize, Deserialize)]
struct Run {
    fingerprint: Fingerprint,
    dataset: String,
    recipe: Recipe,
    outcome: Outcome,
    scene_text: Option<SceneTextChoice>,
    /// Share of the true nearest that each index finds.
    index_recall: BTreeMap<String, f64>,
    /// Digest of each result file.
    files: BTreeMap<String, Fingerprint>,
    /// Digest of the page, where one was asked for.
    contact_sheet: Option<Fingerprint>,
    report: Option<Report>,
}

const RUN: &str = "run.json";

/// Queries shown on a contact sheet, evenly spread.
const SHOWN: usize = 30;

pub fn run(args: &Args) -> Result<ExitCode> {
    let (recipe, dataset, bars) = (
        args.common.recipe()?,
        args.common.dataset()?,
        Bars::default(),
    );
    check::or_stop(&dataset, &recipe)?;
    files::check_writable(&args.out.join(RUN))?;
    args.contact_sheet
        .as_deref()
        .map_or(Ok(()), files::check_writable)?;
    files::sweep(&args.out);
    let training = Training::new(&recipe, &dataset, &args.common.data.options.work, &bars);
    let format = Format {
        blank_continuation: args.blank_continuation,
        bom: args.bom,
    };
    let fingerprint = Fingerprint::of(&(training.fingerprint()?, format));
    let run = match up_to_date(args, &fingerprint) {
        Some(run) => {
            tracing::info!("results: up to date, nothing to do");
            run
        }
        _ => answer(args, &training, format, fingerprint)?,
    };
    for file in run.files.keys() {
        say!("{}", args.out.join(file).display());
    }
    for (index, recall) in &run.index_recall {
        say!(
            "{index}: the index finds {:.1} % of the true nearest neighbours",
            100.0 * recall
        );
    }
    if let Some(report) = &run.report {
        say!("{report}");
    }
    Ok(ExitCode::SUCCESS)
}

/// The last run's record, if it was of the same things and its files are as it left them.
fn up_to_date(args: &Args, fingerprint: &Fingerprint) -> Option<Run> {
    let run: Run = serde_json::from_slice(&std::fs::read(args.out.join(RUN)).ok()?).ok()?;
    let whole =
        |path: &Path, digest: &Fingerprint| Fingerprint::of_file(path).is_ok_and(|d| d == *digest);
    let files = run
        .files
        .iter()
        .all(|(file, d)| whole(&args.out.join(file), d));
    let sheet = args.contact_sheet.as_ref().is_none_or(|wanted| {
        let made = run.contact_sheet.as_ref();
        made.is_some_and(|digest| whole(wanted, digest))
    });
    (run.fingerprint == *fingerprint && files && sheet).then_some(run)
}

fn answer(
    args: &Args,
    training: &Training,
    format: Format,
    fingerprint: Fingerprint,
) -> Result<Run> {
    let dataset = &training.dataset;
    let features = training.features()?;
    let fitted = training.fit(&features)?;
    let sheet = args.contact_sheet.as_ref();
    let mut page = sheet.map(|_| empty_page(training, &fitted));
    let both = [Direction::TextToImage, Direction::ImageToText];
    let places = both.map(|direction| training.place(Split::Test, direction));
    ensure!(
        places.iter().any(Option::is_some),
        "there is nothing to answer: {} has no attachment 2 or 3",
        dataset.name
    );
    let _alone = files::lock_folder(&args.out)?;
    let (mut written, mut index_recall) = (BTreeMap::new(), BTreeMap::new());
    let mut rankings = BTreeMap::new();
    for (direction, place) in both.into_iter().zip(places) {
        let Some(place) = place else { continue };
        let c = &dataset.collections[place];
        let words = training.words(fitted.scene_text.as_ref(), place, direction)?;
        let words = words.as_ref();
        let (found, recall) = find(training, place, direction, &features, &fitted, words)?;
        index_recall.extend(recall.map(|recall| (direction.to_string(), recall)));
        let name = contest::file_name(direction);
        let path = args.out.join(name);
        contest::write(&path, direction, &answers(c, direction, &found), format)?;
        written.insert(name.to_owned(), Fingerprint::of_file(&path)?);
        if let Some(page) = &mut page {
            show(page, c, direction, &found, words);
        }
        if !c.pairs.is_empty() {
            let ranking = training.rank(Split::Test, direction, &features, &fitted)?;
            rankings.extend(ranking.map(|r| (direction, r)));
        }
    }
    let contact_sheet = page.zip(args.contact_sheet.as_deref());
    let contact_sheet = contact_sheet.map(|(page, path)| save(&page, path));
    let [t2i, i2t] = both.map(|direction| rankings.get(&direction));
    let about = (dataset.name.as_str(), training.recipe.name.as_str(), "test");
    let report = evaluation::report(about, t2i, i2t, training.recipe.seed);
    let run = Run {
        fingerprint,
        dataset: dataset.name.clone(),
        recipe: training.recipe.clone(),
        outcome: fitted.outcome,
        scene_text: fitted.scene_text.map(|s| s.choice),
        index_recall,
        files: written,
        contact_sheet: contact_sheet.transpose()?,
        report: (!rankings.is_empty()).then_some(report),
    };
    files::write(&args.out.join(RUN), &serde_json::to_vec_pretty(&run)?)?;
    Ok(run)
}

fn save(page: &Page, path: &Path) -> Result<Fingerprint> {
    page.write(path)?;
    tracing::info!("contact sheet: {}", path.display());
    Ok(Fingerprint::of_file(path)?)
}

/// The contact sheet before its rows.
fn empty_page(training: &Training, fitted: &Fitted) -> Page {
    let title = format!("{} · {}", training.dataset.name, training.recipe.name);
    let mut scores = "cosines".to_owned();
    if training.recipe.hubness.is_some() {
        scores += ", less what an item is charged for suiting every query";
    }
    let percent = 100.0 * fitted.share_of_words();
    if percent > 0.0 {
        scores +=
            &format!("; {percent:.0} % of a score is the match with the words in the picture");
    }
    let lead = format!(
        "Answers best first, with their scores ({scores}); a green frame marks a right one."
    );
    Page::new(&title, &lead)
}

/// The answers of a test gallery, and which share of the true nearest neighbours its index finds if it is not exact.
fn find(
    training: &Training,
    place: usize,
    direction: Direction,
    features: &[Features],
    fitted: &Fitted,
    words: Option<&Words>,
) -> Result<(Vec<Found>, Option<f64>)> {
    let gallery = training.gallery(place, direction, features, fitted)?;
    let z = embed(&fitted.fusion, &features[place])?;
    let (q, usable, items) = match direction {
        Direction::TextToImage => (&z.texts, &z.text_usable, &z.images),
        Direction::ImageToText => (&z.images, &z.image_usable, &z.texts),
    };
    let found = gallery.answer(q.view(), usable, ANSWERS, words.map(|w| (w, items.view())))?;
    let recall = match training.recipe.index.is_exact() {
        true => None,
        false => Some(gallery.recall(items, q.view(), ANSWERS)?),
    };
    Ok((found, recall))
}

fn query_ids(c: &Collection, direction: Direction) -> (Vec<&str>, Vec<&str>) {
    let images = c.images.iter().map(|i| i.id.0.as_str()).collect();
    let texts = c.texts.iter().map(|t| t.id.0.as_str()).collect();
    match direction {
        Direction::TextToImage => (texts, images),
        Direction::ImageToText => (images, texts),
    }
}

fn answers(c: &Collection, direction: Direction, found: &[Found]) -> Vec<Answer> {
    let (queries, gallery) = query_ids(c, direction);
    let unanswered = queries.iter().zip(found).filter(|(_, f)| !f.answered);
    warn_each(
        &format!("{direction} query without usable features (filled with the first gallery items)"),
        unanswered.map(|(query, _)| (*query).to_owned()),
    );
    if gallery.len() < ANSWERS {
        tracing::warn!(
            "{} has only {} items: fewer than {ANSWERS} rows a query",
            c.name,
            gallery.len()
        );
    }
    let answer = |(query, found): (&&str, &Found)| Answer {
        query: (*query).to_owned(),
        results: found
            .hits
            .iter()
            .map(|h| gallery[h.item].to_owned())
            .collect(),
    };
    queries.iter().zip(found).map(answer).collect()
}

fn show(
    page: &mut Page,
    c: &Collection,
    direction: Direction,
    found: &[Found],
    words: Option<&Words>,
) {
    let (image, text) = (
        |i: usize| Item::image(&c.images[i]),
        |i: usize| Item::text(&c.texts[i]),
    );
    let (query, hit, right): (&dyn Fn(usize) -> Item, &dyn Fn(usize) -> Item, _) = match direction {
        Direction::TextToImage => (&text, &image, c.images_of_texts()),
        Direction::ImageToText => (&image, &text, c.texts_of_images()),
    };
    page.heading(&format!("{direction}: {} queries", found.len()));
    for place in sample_places(found.len(), SHOWN) {
        let Found { hits, answered } = &found[place];
        let note = if *answered {
            ""
        } else {
            "· no usable features: the first gallery items"
        };
        let hits = hits.iter().map(|h| Shown {
            item: hit(h.item),
            score: h.score,
            right: right[place].contains(&h.item),
            note: matched(words, place, h.item),
        });
        page.row(query(place), note, hits);
    }
}
