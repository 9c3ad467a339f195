//! Networks that are trained here: captions, re-ranking, contrastive vectors.

use super::case::Case;

/// Cells of local descriptors: no network of others is needed.
const REGIONS: &str = "grid = 3\nsources = [{ local = { of = { descriptor.sift = { features = 100 }, \
                       codebook = { size = 4, sample = 5000, pictures = 20 }, encoding.vlad = {} }, width = 16 } }]\n";

fn captioner(epochs: usize) -> Case {
    let lines = format!(
        "[captioner.network]\nwidth = 32\nheads = 2\ninner = 48\ndropout = 0.1\nbeam = 2\n\
         plan = {{ epochs = {epochs}, batch = 16, rate = 0.003, keep_every = 3 }}\n[captioner.regions]\n{REGIONS}"
    );
    Case::new().with("[fusion.cca]", &format!("{lines}\n[fusion.cca]"))
}

fn reranker(lines: &str) -> Case {
    let lines = format!(
        "[rerank]\nweight = [0.5]\n{lines}\n[rerank.network]\nwidth = 32\nheads = 2\nword = 16\n\
         plan = {{ epochs = 2, batch = 24, rate = 0.002 }}\n[rerank.regions]\n{REGIONS}"
    );
    Case::new().with("[fusion.cca]", &format!("{lines}\n[fusion.cca]"))
}

#[cfg(not(feature = "train"))]
#[test]
fn a_program_without_such_networks_says_which_feature_has_them() {
    let case = captioner(1);
    let said = ["built without the feature `train`", "--features train"];
    case.run("caption", &[]).fails().says(&said);
    reranker("").run("evaluate", &[]).fails().says(&said);
}

#[cfg(feature = "train")]
mod learned {
    use std::fs;
    use std::process::Stdio;
    use std::time::Duration;

    use super::super::case::{CHANCE_R1, Case, odd_picture};
    use super::super::files::{assert_same, edit, tree};
    use super::super::program::{Outcome, program};
    use super::{REGIONS, captioner, reranker};

    /// The words that it writes are those that it has read; what it has learned is the same after a kill, and in a model.
    #[test]
    fn a_captioner_learns_goes_on_after_a_kill_and_goes_into_a_model() {
        let whole = captioner(30);
        let out = whole.path("captions.json");
        let out = out.to_str().unwrap();
        let run = whole.run("caption", &["--json", "--out", out]).ok().json();
        assert_eq!(run["method"], "network");
        assert!(run["token_accuracy"].as_f64().unwrap() > 0.1, "{run}");
        let captions = fs::read_to_string(out).unwrap();
        assert!(captions.contains("\"caption\":\""), "{captions}");

        let killed = captioner(30);
        let mut command = killed.command("caption", &["--json"]);
        let mut running = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let checkpoint = || {
            let files = fs::read_dir(killed.work().join("vocab/attachments")).ok()?;
            let mut files = files.flatten().map(|f| f.path());
            files.find(|f| f.extension().is_some_and(|e| e == "checkpoint"))
        };
        while checkpoint().is_none() {
            assert!(
                running.try_wait().unwrap().is_none(),
                "it ended before it was killed"
            );
            std::thread::sleep(Duration::from_millis(2));
        }
        running.kill().unwrap();
        running.wait().unwrap();
        assert!(checkpoint().is_some());
        let again = killed.run("caption", &["--json"]).ok().json();
        assert_eq!(again["bleu"], run["bleu"]);
        assert_eq!(again["token_accuracy"], run["token_accuracy"]);
        assert!(checkpoint().is_none());

        let model = whole.path("m.tuwen");
        let model = model.to_str().unwrap();
        whole.run("fit", &["--model", model]).ok();
        let picture = whole.attachment(2).join("ImageData");
        let picture = fs::read_dir(picture)
            .unwrap()
            .flatten()
            .next()
            .unwrap()
            .path();
        let said = |more: &[&str]| {
            let mut command = program();
            command
                .arg("caption")
                .arg(&picture)
                .args(["--model", model])
                .args(more);
            Outcome::of(&mut command).ok().stdout
        };
        let name = picture.file_name().unwrap().to_str().unwrap();
        let written = said(&[]);
        assert!(
            captions.contains(&format!("\"{name}\",\"caption\":\"{}\"", written.trim())),
            "{written}{captions}"
        );
        let retrieved = said(&["--method", "retrieval"]);
        let table = fs::read_to_string(whole.table(1, "ImageWordData.csv")).unwrap();
        assert!(table.contains(retrieved.trim()));
    }

    #[test]
    fn pairs_are_compared_again_by_either_network() {
        for method in ["amfmn", "scan"] {
            let case = reranker("depth = 0\nalone = true").with(
                "[rerank.network]",
                &format!("[rerank.network]\nmethod = \"{method}\"\nplan.epochs = 8"),
            );
            let case = case
                .with("plan = { epochs = 2, ", "plan = { epochs = 8, ")
                .with("\nplan.epochs = 8", "");
            let plain = Case::computed().run("evaluate", &["--json"]).ok().json();
            let again = case.run("evaluate", &["--json"]).ok().json();
            assert_ne!(again["t2i"], plain["t2i"], "{method}");
            let r10 = |run: &serde_json::Value| run["t2i"]["R@10"].as_f64().unwrap();
            assert!(r10(&again) > 6.0 * CHANCE_R1, "{method}: {again}");
        }
    }

    #[test]
    fn networks_of_several_parts_are_averaged() {
        let case = reranker("folds = 2");
        case.run("evaluate", &["--json"]).ok();
        let vocab = fs::read_dir(case.work().join("vocab/attachments")).unwrap();
        let names = vocab
            .flatten()
            .map(|f| f.file_name().into_string().unwrap());
        let matchers: Vec<String> = names.filter(|n| n.starts_with("matcher")).collect();
        let [matcher] = &matchers[..] else {
            panic!("what was kept of a part is left: {matchers:?}");
        };
        let file = fs::read(case.work().join("vocab/attachments").join(matcher)).unwrap();
        let header = String::from_utf8_lossy(&file[8..20_000.min(file.len())]);
        for part in ["network.0.", "network.1."] {
            assert!(header.contains(part), "{part} is missing");
        }
    }

    #[test]
    fn pictures_and_captions_teach_networks_without_pairs() {
        let local = "[image_views.local]\ndescriptor.sift = { features = 100 }\n\
                 codebook = { size = 8, sample = 20000 }\nencoding.vlad = { power = 0.5 }\n";
        let net = "[image_views.picture-net]\nnetwork = { side = 32, plan = { epochs = 2, batch = 32 } }\n";
        let terms = "tokens.words = {}\ntfidf = { min_df = 2 }\nlsa_dim = 32\n";
        let words = "text-net = { network = { width = 32, plan = { epochs = 2, batch = 32 } } }\n";
        let case = Case::new().with(local, net).with(terms, words);
        let report = case.run("evaluate", &["--json"]).ok().json();
        let again = Case::new().with(local, net).with(terms, words);
        let again = again
            .command("evaluate", &["--json"])
            .env("RAYON_NUM_THREADS", "1")
            .output()
            .unwrap();
        let again: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
        assert_eq!(report, again, "one thread comes to something else");
    }

    /// The leak test of the networks: other test captions and pictures, the same networks.
    #[test]
    fn test_data_teaches_nothing() {
        let learned = |change: bool| {
            let case = captioner(1).copied();
            let lines = format!(
                "[rerank.network]\nwidth = 16\nheads = 2\nword = 8\nplan = {{ epochs = 1, batch = 24 }}\n\
             [rerank.regions]\n{REGIONS}\n[fusion.cca]"
            );
            let case = case.with("[fusion.cca]", &lines);
            if change {
                edit(&case.table(2, "word_test.csv"), |text| {
                    text.replace("红色", "蓝色")
                });
                let pictures = fs::read_dir(case.attachment(3).join("ImageData")).unwrap();
                let picture = pictures.flatten().next().unwrap().path();
                fs::copy(odd_picture("photo.png"), &picture).unwrap();
            }
            case.run("caption", &[]).ok();
            case.run("evaluate", &[]).ok();
            let mut files = tree(&case.work());
            files.retain(|name, _| name.contains("/captioner-") || name.contains("/matcher-"));
            assert_eq!(files.len(), 2, "{:?}", files.keys());
            files
        };
        assert_same(&learned(true), &learned(false));
    }
}
