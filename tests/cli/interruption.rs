//! Runs that are killed, and disks that are full: the next run goes on as if nothing had happened.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use super::case::Case;
use super::files::{assert_same, files, times, tree};
use super::program::Outcome;

const SHARDS: usize = 24 + 24 + 4 + 4; // of four pictures; those to learn from before and after the projection
const SIGKILL: i32 = 9;

/// Shards of four pictures, each taking a while: the pictures are scaled up.
fn slow(side: usize) -> Case {
    Case::new().with("shard = 8", "shard = 4").with(
        "picture = { min_side = 0 }",
        &format!("picture = {{ min_side = {side}, max_side = {side} }}"),
    )
}

/// Whole shards and when they were written.
fn shards(case: &Case) -> BTreeMap<String, SystemTime> {
    let mut times = times(&case.work());
    times.retain(|name, _| name.contains("/raw-") || name.contains("/rows-"));
    times
}

/// Starts `features` and kills it once `enough` shards are there. False where it was faster than that.
fn kill_at(case: &Case, enough: usize) -> bool {
    let mut command = case.command("features", &["--quiet"]);
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    while shards(case).len() < enough && child.try_wait().unwrap().is_none() {
        sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    let killed = child.wait().unwrap().signal() == Some(SIGKILL);
    killed && (enough..SHARDS).contains(&shards(case).len())
}

#[test]
fn a_killed_run_goes_on_where_it_was() {
    // Killed at three places; on a machine too fast for that, the pictures get larger.
    let interrupted = [256, 512, 1024, 2048].into_iter().find_map(|side| {
        let case = slow(side);
        let mut kept: BTreeMap<String, SystemTime> = BTreeMap::new();
        for enough in [3, 12, 20] {
            if !kill_at(&case, enough) {
                return None;
            }
            let now = shards(&case);
            assert!(
                kept.iter().all(|(name, time)| now.get(name) == Some(time)),
                "made again"
            );
            kept = now;
        }
        Some((side, case))
    });
    let (side, case) = interrupted.expect("one size is slow enough to be interrupted");
    let before = times(&case.work());
    case.run("features", &[]).ok().does_not_say("WARN");
    let after = times(&case.work());
    assert_eq!(shards(&case).len(), SHARDS);
    assert!(
        before
            .iter()
            .all(|(name, time)| after.get(name) == Some(time)),
        "made again"
    );

    let whole = slow(side);
    whole.run("features", &[]).ok();
    assert_same(&tree(&case.work()), &tree(&whole.work()));
}

/// The command, unable to write files of more than this many blocks of 512 bytes: further writes fail
/// with EFBIG, once the signal that comes with it is ignored.
fn limited(blocks: u32, command: &Command) -> Outcome {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).arg(command.get_program());
    Outcome::of(shell.args(command.get_args()))
}

/// What the system says then.
const FULL: &str = "File too large";

/// `results` with a contact sheet.
fn results(case: &Case) -> Command {
    let out = case.out();
    let sheet = out.join("sheet.html");
    let mut command = case.command("results", &["--contact-sheet", sheet.to_str().unwrap()]);
    command.arg("--out").arg(out);
    command
}

/// A shared space this wide makes files that are too large.
fn wide() -> Case {
    Case::new().with("dims = [8, 16]", "dims = [24]")
}

/// Runs `results` with each limit in turn; its error has the parts beside it. Whatever is there then is
/// whole, and once there is room, the run ends as if there always had been.
fn assert_full_at(case: &Case, limits: &[(u32, &[&str])]) {
    let clean = wide();
    Outcome::of(&mut results(&clean)).ok();
    let (work, out) = (tree(&clean.work()), tree(&clean.out()));
    for (blocks, parts) in limits {
        limited(*blocks, &results(case)).fails().says(parts);
        for (dir, whole) in [(case.work(), &work), (case.out(), &out)] {
            for (name, path) in files(&dir) {
                let same = whole.get(&name) == Some(&fs::read(path).unwrap());
                assert!(same, "left behind or half written: {name}");
            }
        }
    }
    Outcome::of(&mut results(case)).ok();
    assert_same(&tree(&case.work()), &work);
    assert_same(&tree(&case.out()), &out);
}

#[test]
fn a_disk_that_fills_up_while_features_are_written() {
    let limits: [(u32, &[&str]); 3] = [
        (4, &["ERROR", "vocab/attachments/sift-vlad-", FULL]),
        (20, &["ERROR", "attachment1-00000.safetensors", FULL]),
        (128, &["ERROR", "vocab/attachments/sift-vlad-pca-", FULL]),
    ];
    assert_full_at(&wide(), &limits);
}

#[test]
fn a_disk_that_fills_up_while_results_are_written() {
    let case = wide();
    case.run("fit", &[]).ok();
    let limits: [(u32, &[&str]); 2] = [
        (4, &["ERROR", "result1.csv", FULL]),
        (200, &["ERROR", "sheet.html", FULL]),
    ];
    assert_full_at(&case, &limits);
}
