//! Searching.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tuwen::engine::{Answer, Explanation, Find, Hit, Query, Weights};
use tuwen::gallery::filter::Filter;
use utoipa::ToSchema;

use super::body;
use crate::server::Shared;
use crate::server::galleries::Gallery;
use crate::server::problem::{Problem, Reply};

/// Hits of an answer, at most.
const MOST: usize = 1000;
/// How far pages go.
const DEEPEST: usize = 10_000;
/// Words that must or must not be there, and pictures, at most.
const WORDS: usize = 32;
const PICTURES: usize = 8;
/// Characters of a text.
const TEXT: usize = 10_000;
/// Questions of a batch.
const BATCH: usize = 64;

/// A question. All parts may be combined; what is left out has no effect.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(example = json!({"text": "海边奔跑的狗", "not": ["猫"], "filter": "width > 1000", "limit": 20}))]
pub struct SearchRequest {
    /// Name of the gallery; the first of the server where it is left out.
    pub gallery: Option<String>,
    /// A sentence or keywords, in Chinese or English.
    #[schema(max_length = 10000)]
    pub text: String,
    /// Words that must be in captions, tags or the text in a picture.
    #[schema(max_items = 32)]
    pub must: Vec<String>,
    /// Words that must not be there.
    #[schema(max_items = 32)]
    pub not: Vec<String>,
    /// Picture files in base64. A form has them as parts named `picture`.
    #[schema(max_items = 8)]
    pub pictures: Vec<String>,
    /// Keys of pictures of the gallery.
    #[schema(max_items = 8)]
    pub like: Vec<u64>,
    pub find: Wanted,
    pub weights: Shares,
    /// Conditions on pictures: `width > 1000 and folder = "2024"`.
    pub filter: Option<String>,
    /// Hits of a page.
    #[schema(minimum = 1, maximum = 1000, default = 20)]
    pub limit: Option<usize>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// Hits that are less probable are left out.
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub min_probability: Option<f32>,
    /// One hit for pictures that are nearly the same.
    pub dedupe: bool,
    /// Says of each hit what its score consists of.
    pub explain: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Wanted {
    /// Pictures that a text is about; for pictures alone, those that look alike.
    #[default]
    Pictures,
    /// Texts that say what a picture shows.
    Texts,
    /// Copies of a picture.
    Copies,
}

/// How text and pictures count beside each other.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Shares {
    #[schema(minimum = 0.0)]
    pub text: f32,
    #[schema(minimum = 0.0)]
    pub image: f32,
}

impl Default for Shares {
    fn default() -> Self {
        let Weights { text, image } = Weights::default();
        Self { text, image }
    }
}

/// A page of an answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Found {
    pub gallery: String,
    /// Best first.
    pub hits: Vec<FoundHit>,
    /// How many of the hits are good; those after them are probably wrong.
    pub good: usize,
    /// Items that met the conditions and were searched.
    pub searched: usize,
    /// Asks for the next page; absent after the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FoundHit {
    /// Key of the picture or of the text; none for a caption that the model learned from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<u64>,
    /// Path of the picture below its folder, or id of the text.
    pub id: String,
    /// The text that was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The probability that the hit is right, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f32>,
    /// What hits are ordered by, 0 or more; to be compared within an answer alone.
    pub score: f32,
    /// Path of a small picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumbnail: Option<String>,
    /// Path of the picture file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Keys of pictures that are nearly the same, where one hit stands for them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<u64>,
    /// Parts of the score, words that matched, words of the query, and how a copy was recognised.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub why: Option<Explanation>,
}

/// A request as a form.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it describes what a form may have")]
pub struct SearchForm {
    query: Option<SearchRequest>,
    #[schema(format = Binary, content_media_type = "image/*")]
    picture: Option<Vec<u8>>,
}

impl FoundHit {
    fn new(gallery: &str, hit: Hit, has_picture: bool) -> Self {
        let name: String = path_of(gallery);
        let path = |key, what| format!("/v1/galleries/{name}/items/{key}/{what}");
        let key = hit.key.filter(|_| has_picture);
        Self {
            thumbnail: key.map(|key| path(key, "thumbnail")),
            file: key.map(|key| path(key, "file")),
            key: hit.key,
            id: hit.id,
            text: hit.text,
            probability: hit.probability,
            score: hit.score.max(0.0),
            copies: hit.copies,
            why: hit.why,
        }
    }
}

/// A name as a part of a path.
pub fn path_of(name: &str) -> String {
    let byte = |b: u8| match b {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(b).to_string()
        }
        _ => format!("%{b:02X}"),
    };
    name.bytes().map(byte).collect()
}

fn within(what: &str, n: usize, most: usize) -> Reply<()> {
    match n <= most {
        true => Ok(()),
        false => Err(Problem::bad_request(format!(
            "{what}: {n} are too many; at most {most}"
        ))),
    }
}

impl SearchRequest {
    /// The question, with the pictures of a form.
    pub fn query(&self, files: &[Bytes]) -> Reply<Query> {
        within("text: characters", self.text.chars().count(), TEXT)?;
        within("must", self.must.len(), WORDS)?;
        within("not", self.not.len(), WORDS)?;
        within(
            "pictures",
            self.pictures.len() + files.len() + self.like.len(),
            PICTURES,
        )?;
        let limit = self.limit.unwrap_or(20);
        if !(1..=MOST).contains(&limit) {
            return Err(Problem::bad_request(format!(
                "`limit` is {limit}; from 1 to {MOST}"
            )));
        }
        let Shares { text, image } = self.weights;
        if !(text >= 0.0 && image >= 0.0 && text.is_finite() && image.is_finite()) {
            return Err(Problem::bad_request("`weights`: none may be below 0"));
        }
        let mut pictures = Vec::new();
        for picture in &self.pictures {
            // A page may send them as data URLs.
            let data = picture
                .split_once("base64,")
                .map_or(picture.as_str(), |(_, data)| data);
            let bytes = STANDARD.decode(data.trim());
            pictures.push(
                bytes.map_err(|e| Problem::bad_request(format!("`pictures`: not base64: {e}")))?,
            );
        }
        pictures.extend(files.iter().map(|b| b.to_vec()));
        let filter = self.filter.as_deref().filter(|f| !f.trim().is_empty());
        Ok(Query {
            text: Some(self.text.clone()).filter(|t| !t.trim().is_empty()),
            must: cleaned(&self.must),
            not: cleaned(&self.not),
            pictures,
            like: self.like.clone(),
            weights: Weights { text, image },
            filter: filter.map(Filter::parse).transpose()?,
            find: match self.find {
                Wanted::Pictures => Find::Pictures,
                Wanted::Texts => Find::Texts,
                Wanted::Copies => Find::Copies,
            },
            top: limit,
            offset: self.offset(files)?,
            dedupe: self.dedupe,
            explain: self.explain,
        })
    }

    /// What a cursor belongs to.
    fn digest(&self, files: &[Bytes]) -> String {
        let asked = Self {
            cursor: None,
            ..self.clone()
        };
        let mut hasher = blake3::Hasher::new();
        hasher.update(&serde_json::to_vec(&asked).unwrap_or_default());
        for file in files {
            hasher.update(file);
        }
        hasher.finalize().to_hex()[..16].to_owned()
    }

    fn offset(&self, files: &[Bytes]) -> Reply<usize> {
        let Some(cursor) = self.cursor.as_deref().filter(|c| !c.is_empty()) else {
            return Ok(0);
        };
        let parsed = cursor
            .split_once('-')
            .and_then(|(n, digest)| Some((n.parse().ok()?, digest)));
        match parsed {
            Some((offset, digest)) if offset <= DEEPEST && digest == self.digest(files) => {
                Ok(offset)
            }
            _ => Err(Problem::bad_request("`cursor` is not of this question")),
        }
    }

    fn next(&self, files: &[Bytes], query: &Query, answer: &Answer) -> Option<String> {
        let end = query.offset + query.top;
        let more = answer.hits.len() == query.top && end < answer.searched && end <= DEEPEST;
        more.then(|| format!("{end}-{}", self.digest(files)))
    }
}

fn cleaned(words: &[String]) -> Vec<String> {
    let words = words.iter().map(|w| w.trim().to_owned());
    words.filter(|w| !w.is_empty()).collect()
}

/// Asks a gallery.
pub fn answer_of(gallery: &Gallery, asked: &SearchRequest, files: &[Bytes]) -> Reply<Found> {
    let query = asked.query(files)?;
    let answer = gallery.engine.ask(&query)?;
    let next_cursor = asked.next(files, &query, &answer);
    let Answer {
        hits,
        good,
        searched,
    } = answer;
    let least = asked.min_probability.unwrap_or(0.0);
    let has_picture = query.find != Find::Texts;
    let hits = hits
        .into_iter()
        .filter(|h| h.probability.is_none_or(|p| p >= least));
    let hits: Vec<FoundHit> = hits
        .map(|hit| FoundHit::new(&gallery.name, hit, has_picture))
        .collect();
    Ok(Found {
        gallery: gallery.name.clone(),
        good: good.min(hits.len()),
        hits,
        searched,
        next_cursor,
    })
}

/// A question of a request, with the files of a form.
pub async fn asked(app: &Shared, request: Request) -> Reply<(SearchRequest, Vec<Bytes>)> {
    if body::is_form(&request) {
        let form = body::form(app, request).await?;
        let files = form.files.into_iter().map(|(_, bytes)| bytes).collect();
        return Ok((body::json(&form.query)?, files));
    }
    Ok((body::json(&body::bytes(app, request).await?)?, vec![]))
}

/// Answers on a thread for searches.
pub async fn run(app: &Shared, asked: SearchRequest, files: Vec<Bytes>) -> Reply<Json<Found>> {
    let gallery: Arc<Gallery> = app.gallery(asked.gallery.as_deref())?;
    let found = app
        .workers
        .run(move || answer_of(&gallery, &asked, &files))
        .await?;
    Ok(Json(found))
}

/// Search a gallery
///
/// With a text, with pictures, or with both; a JSON body, or a form with the JSON in the part `query` and files in parts
/// named `picture`.
#[utoipa::path(
    post,
    path = "/v1/search",
    tag = "search",
    request_body(content((SearchRequest = "application/json"), (SearchForm = "multipart/form-data"))),
    responses(
        (status = 200, body = Found),
    ),
)]
pub async fn search(State(app): State<Shared>, request: Request) -> Reply<Json<Found>> {
    let (asked, files) = asked(&app, request).await?;
    run(&app, asked, files).await
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchRequest {
    #[schema(min_items = 1, max_items = 64)]
    pub queries: Vec<SearchRequest>,
}

/// The answers of a batch, in the order of its questions.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchFound {
    pub answers: Vec<BatchAnswer>,
}

/// An answer, or what is wrong with the question.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum BatchAnswer {
    Found(Found),
    Problem(Problem),
}

/// Ask several questions at once
///
/// A question that cannot be answered has a problem in its place; the others are answered.
#[utoipa::path(
    post,
    path = "/v1/search/batch",
    tag = "search",
    request_body = BatchRequest,
    responses(
        (status = 200, body = BatchFound),
    ),
)]
pub async fn batch(State(app): State<Shared>, request: Request) -> Reply<Json<BatchFound>> {
    let BatchRequest { queries } = body::json(&body::bytes(&app, request).await?)?;
    within("queries", queries.len(), BATCH)?;
    let mut answers = Vec::new();
    for query in queries {
        let found = run(&app, query, vec![]).await;
        answers.push(match found {
            Ok(Json(found)) => BatchAnswer::Found(found),
            Err(problem) => BatchAnswer::Problem(problem),
        });
    }
    Ok(Json(BatchFound { answers }))
}
