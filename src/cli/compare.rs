use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use image::codecs::png::PngEncoder;
use image::{ImageEncoder, RgbImage};
use serde::Serialize;
use tuwen::descriptor::{OrbParams, SurfParams};
use tuwen::files::printable;
use tuwen::matching::{
    KeypointParams, MatchParams, Model, Neighbours, PixelSimilarity, Subject, Transform,
};
use tuwen::picture::{Picture, PictureParams};

use super::draw;
use super::files::Limits;
use super::output;

/// Compare two pictures: do they show the same thing?
#[derive(clap::Args)]
#[command(after_help = "\
Prints the number of keypoint matches and inliers, the score, and the transformation. The exit code is 0 if the pictures
match, 1 if they do not, and 2 if they cannot be compared (a picture cannot be read, or has no keypoints). The score is
-log10 of the expected number of unrelated pairs that match as well by chance: 6 means one in a million. A mirror image
also matches.

Examples:
  tuwen match a.jpg b.jpg --draw matches.png
  tuwen match a.jpg b.jpg --method orb --neighbours flann --json
  tuwen match a.jpg b.jpg --method ssim")]
pub struct Args {
    /// First picture
    a: PathBuf,
    /// Second picture
    b: PathBuf,
    /// What is compared
    #[arg(long, value_enum, default_value = "sift")]
    method: Method,
    /// Search for nearest neighbours
    #[arg(long, value_enum, default_value = "exhaustive")]
    neighbours: Search,
    /// Geometric model between the pictures
    #[arg(long, value_enum, default_value = "homography")]
    model: Form,
    /// Ratio test: accept a match if nearest/second-nearest distance is below this
    #[arg(long, value_name = "RATIO", default_value_t = MatchParams::default().ratio)]
    ratio: f32,
    /// Also accept matches that are not mutual nearest neighbours
    #[arg(long)]
    no_cross_check: bool,
    /// Do not try the mirror image
    #[arg(long)]
    no_mirror: bool,
    /// Minimum score for a match [default: keypoints 6; pixels 30, PSNR in decibels; ssim 0.8]
    #[arg(long, value_name = "SCORE")]
    threshold: Option<f64>,
    /// Write a PNG with both pictures side by side and a line for each inlier
    #[arg(long, value_name = "FILE")]
    draw: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    limits: Limits,
}

#[derive(Clone, Copy, ValueEnum)]
enum Method {
    /// SIFT keypoints
    Sift,
    /// ORB keypoints
    Orb,
    /// SURF keypoints
    Surf,
    /// Pixels: mean squared error and PSNR; the second picture is scaled to the size of the first
    Pixels,
    /// Pixels: structural similarity
    Ssim,
}

#[derive(Clone, Copy, ValueEnum)]
enum Search {
    Exhaustive,
    Flann,
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    Similarity,
    Homography,
}

#[derive(Serialize)]
struct Verdict {
    #[serde(rename = "match")]
    is_match: bool,
    score: f64,
    keypoints: [usize; 2],
    matches: usize,
    inliers: usize,
    mirrored: bool,
    /// From the first picture, or its mirror image, to the second, at their working sizes.
    transform: Option<Transform>,
    same_bytes: bool,
}

/// What pixels say.
#[derive(Serialize)]
struct PixelVerdict {
    #[serde(rename = "match")]
    is_match: bool,
    #[serde(flatten)]
    similarity: PixelSimilarity,
    same_bytes: bool,
}

/// PSNR, in decibels, and SSIM from which two pictures match. A JPEG of usual quality is above both.
const PSNR: f64 = 30.0;
const SSIM: f64 = 0.8;

pub fn run(args: &Args) -> Result<ExitCode> {
    let compared = match args.method {
        Method::Sift | Method::Orb | Method::Surf => compare(args),
        Method::Pixels | Method::Ssim => compare_pixels(args),
    };
    compared.or_else(|error| {
        tracing::error!("{error:#}");
        Ok(ExitCode::from(2)) // as grep and cmp have it: 1 says no
    })
}

/// How the two pictures are to be matched.
fn params(args: &Args) -> MatchParams {
    let mut params = MatchParams {
        picture: PictureParams {
            max_pixels: args.limits.pixels(),
            ..PictureParams::default()
        },
        neighbours: match args.neighbours {
            Search::Exhaustive => Neighbours::Exhaustive,
            Search::Flann => Neighbours::Flann,
        },
        model: match args.model {
            Form::Similarity => Model::Similarity,
            Form::Homography => Model::Homography,
        },
        ratio: args.ratio,
        cross_check: !args.no_cross_check,
        mirrored: !args.no_mirror,
        ..MatchParams::default()
    };
    match args.method {
        Method::Orb => {
            params.keypoints = KeypointParams::Orb(OrbParams {
                features: 1000,
                ..OrbParams::default()
            });
        }
        Method::Surf => {
            params.keypoints = KeypointParams::Surf(SurfParams {
                features: 1000,
                ..SurfParams::default()
            });
        }
        Method::Sift | Method::Pixels | Method::Ssim => {}
    }
    params
}

fn compare_pixels(args: &Args) -> Result<ExitCode> {
    args.limits.set();
    ensure!(
        args.draw.is_none(),
        "--draw shows keypoints: use --method sift, orb or surf"
    );
    let params = params(args);
    let [a, b] = [&args.a, &args.b].map(|path| -> Result<(Picture, Vec<u8>)> {
        let cannot_use = || format!("cannot use {}", printable(path));
        let bytes = tuwen::picture::read(path).with_context(cannot_use)?;
        let picture = Picture::decode(&bytes, &params.picture).with_context(cannot_use)?;
        Ok((picture, bytes))
    });
    let ((a, a_bytes), (b, b_bytes)) = (a?, b?);
    let similarity = PixelSimilarity::of(&a, &b)?;
    let PixelSimilarity { mse, psnr, ssim } = similarity;
    let (score, threshold) = match args.method {
        Method::Ssim => (ssim, SSIM),
        _ => (psnr.unwrap_or(f64::INFINITY), PSNR),
    };
    let same_bytes = a_bytes == b_bytes;
    let verdict = PixelVerdict {
        is_match: same_bytes || score >= args.threshold.unwrap_or(threshold),
        similarity,
        same_bytes,
    };
    if args.json {
        output::json(&verdict)?;
    } else {
        let word = if verdict.is_match {
            "match"
        } else {
            "no match"
        };
        let psnr = psnr.map_or("infinite".into(), |p| format!("{p:.1} dB"));
        say!("{word}: MSE {mse:.1}; PSNR {psnr}; SSIM {ssim:.3}");
        if same_bytes {
            say!("the files are the same, byte for byte");
        }
    }
    Ok(match verdict.is_match {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn compare(args: &Args) -> Result<ExitCode> {
    args.limits.set();
    let params = params(args);
    let [a, b] = [&args.a, &args.b].map(|path| read(path, &params));
    let ((a, a_bytes), (b, b_bytes)) = (a?, b?);
    let found = params.compare(&a, &b.keypoints)?;
    let same_bytes = a_bytes == b_bytes;
    for (path, subject) in [(&args.a, &a), (&args.b, &b)] {
        ensure!(
            same_bytes || !subject.keypoints.is_empty(),
            "{} cannot be compared: it has no keypoints",
            printable(path)
        );
    }
    let verdict = Verdict {
        is_match: same_bytes
            || found.score() >= args.threshold.unwrap_or(tuwen::matching::THRESHOLD),
        score: found.score(),
        keypoints: [a.keypoints.len(), b.keypoints.len()],
        matches: found.matches.len(),
        inliers: found.inliers(),
        mirrored: found.mirrored,
        transform: found.consensus.as_ref().map(|c| c.transform),
        same_bytes,
    };
    if let Some(path) = &args.draw {
        let picture = |bytes| Picture::decode(bytes, &params.picture);
        let drawn = draw::side_by_side(picture(&a_bytes)?, &picture(&b_bytes)?, &found)?;
        write_png(path, &drawn)?;
    }
    if args.json {
        output::json(&verdict)?;
    } else {
        tell(&verdict)?;
    }
    Ok(match verdict.is_match {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn read(path: &Path, params: &MatchParams) -> Result<(Subject, Vec<u8>)> {
    let name = printable(path);
    let cannot_use = || format!("cannot use {name}");
    let bytes = tuwen::picture::read(path).with_context(cannot_use)?;
    let picture = Picture::decode(&bytes, &params.picture);
    let subject = picture.and_then(|picture| params.subject(&picture));
    Ok((subject.with_context(cannot_use)?, bytes))
}

fn tell(verdict: &Verdict) -> Result<()> {
    let Verdict {
        keypoints: [a, b],
        matches,
        inliers,
        score,
        ..
    } = verdict;
    let word = if verdict.is_match {
        "match"
    } else {
        "no match"
    };
    let mirrored = if verdict.mirrored { " (mirrored)" } else { "" };
    say!(
        "{word}: {inliers} of {matches} matches are inliers{mirrored}; {a} and {b} keypoints; score {score:.1}"
    );
    if verdict.same_bytes {
        say!("the files are the same, byte for byte");
    }
    if verdict.is_match
        && let Some(transform) = verdict.transform
    {
        for row in transform {
            say!("{:12.6} {:12.6} {:12.4}", row[0], row[1], row[2]);
        }
    }
    Ok(())
}

fn write_png(path: &Path, picture: &RgbImage) -> Result<()> {
    let mut bytes = Vec::new();
    let (w, h) = picture.dimensions();
    PngEncoder::new(&mut bytes).write_image(picture, w, h, image::ExtendedColorType::Rgb8)?;
    output::write(path, &bytes)
}
