//! A process that changes a gallery is killed again and again.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tuwen::gallery::*;

use super::galleries::*;

const FOLDER: &str = "TUWEN_TEST_GALLERY";

/// The commit of a number, which it leaves as the width of a picture.
fn wish(number: u32, model: &Model) -> Wish {
    let mut rng = ChaCha8Rng::seed_from_u64(number.into());
    let mut wish = Wish::random(&mut rng, model);
    wish.remove.remove("number");
    let facts = Facts {
        width: number,
        ..facts(&mut rng, "number")
    };
    wish.add.push(NewItem {
        facts,
        seen: Seen::Good(picture_row(&mut rng)),
        captions: None,
    });
    // Nothing else may be about a picture that the commit replaces.
    wish.texts
        .retain(|(item, _)| item.as_deref() != Some("number"));
    wish
}

fn number(model: &Model) -> u32 {
    model
        .items
        .get("number")
        .map_or(0, |(facts, _)| facts.width)
}

/// Not a test by itself: the process that is killed.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let folder = Path::new(&folder);
    let mut writer = Writer::open(folder, &stamp()).unwrap();
    writer.set_merging(Merging {
        fan: 2,
        smallest: 4,
    });
    loop {
        let snapshot = Snapshot::open(folder).unwrap();
        let model = Model::of(&snapshot);
        let next = number(&model) + 1;
        let change = wish(next, &model).change(&snapshot);
        drop(snapshot);
        writer.commit(&change).unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "\ncommitted {next}").unwrap();
        out.flush().unwrap();
        drop(out);
        if next.is_multiple_of(7) {
            writer.compact().unwrap();
        }
    }
}

#[test]
fn every_acknowledged_commit_is_there_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut model = Model::default();
    let (mut acknowledged, mut swept) = (0, 0);
    drop(Writer::open(folder.path(), &stamp()).unwrap());
    for round in 0..50 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["gallery::kill::child", "--exact", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(rng.gen_range(5..150)));
        assert!(
            child.try_wait().unwrap().is_none(),
            "the child ended by itself"
        );
        child.kill().unwrap();
        child.wait().unwrap();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            if let Some(number) = line.unwrap().strip_prefix("committed ") {
                acknowledged = number.parse::<u32>().unwrap();
            }
        }
        let left = segment_files(folder.path());
        let found = Model::of(&Snapshot::open(folder.path()).unwrap());
        let reached = number(&found);
        assert!(
            reached == acknowledged || reached == acknowledged + 1,
            "{reached} of {acknowledged}"
        );
        acknowledged = reached; // by what is found, where the child was killed before it could say so
        while number(&model) < reached {
            let next = wish(number(&model) + 1, &model);
            model.apply(&next);
        }
        assert_eq!(found, model, "round {round}, commit {reached}");
        drop(Writer::open(folder.path(), &stamp()).unwrap());
        let snapshot = Snapshot::open(folder.path()).unwrap();
        assert_no_orphans(folder.path(), &snapshot);
        swept += left.len() - segment_files(folder.path()).len();
        assert_eq!(snapshot.verify().unwrap(), Vec::<String>::new());
    }
    println!("{acknowledged} commits, {swept} files swept");
    assert!(
        acknowledged > 50,
        "only {acknowledged} commits in all rounds"
    );
}
