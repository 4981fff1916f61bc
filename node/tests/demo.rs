//! `weft demo`: it ends as it says, and leaves nothing behind.

use std::path::PathBuf;

use super::harness::{Ended, Folder, ended};

const TEXT: &str = "Dinner on Friday: fresh bread and olives, tomatoes too, at 8";

/// Runs it where its folder would be found.
fn play(folder: &Folder, arguments: &[&str]) -> (Ended, PathBuf) {
    let temp = folder.data().join("temp");
    std::fs::create_dir_all(&temp).unwrap();
    let mut command = folder.command(arguments);
    command.env("TMPDIR", &temp);
    (ended(command, b""), temp)
}

fn is_empty(folder: &PathBuf) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn it_ends_with_the_same_text_on_both_sides() {
    let folder = Folder::new();
    let (ended, temp) = play(&folder, &["--json", "demo", "--fast"]);
    let summary = ended.json();
    assert_eq!((summary["text"].as_str(), &summary["same"]), (Some(TEXT), &true.into()), "{summary}");
    assert_eq!(summary["entries"][0], summary["entries"][1], "both hold the same entries: {summary}");
    assert!(summary["entries"][0].as_u64().unwrap() > 50, "{summary}");
    assert!(is_empty(&temp), "its folder is gone");
}

#[test]
fn it_is_plain_lines_of_80_columns_where_nobody_draws() {
    let folder = Folder::new();
    let (ended, _) = play(&folder, &["demo", "--fast"]);
    assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""), "{ended:?}");
    assert!(!ended.stdout.contains('\x1b'), "{ended:?}");
    assert!(ended.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ended.stdout);
    for told in ["kill -9 ", "every signature good", "bob's node is back", "without a node"] {
        assert_eq!(ended.stdout.matches(told).count(), 1, "{told}: {}", ended.stdout);
    }
    assert_eq!(ended.stdout.matches(&format!("| {TEXT}\n")).count(), 2, "{}", ended.stdout);
}

#[cfg(unix)]
#[test]
fn it_draws_in_a_terminal_and_cleans_up_when_it_is_interrupted() {
    let folder = Folder::new();
    let temp = folder.data().join("temp");
    std::fs::create_dir_all(&temp).unwrap();
    let variables = [("TMPDIR", temp.to_str().unwrap())];
    let mut terminal = super::terminal::Terminal::start(&folder, 80, &variables, &["demo"]);
    terminal.until(|shown| shown.contains("\x1b[3A") && shown.contains("bob   | Din"));
    assert!(!is_empty(&temp));
    terminal.signal("INT");
    assert_eq!(terminal.end().1, 1);
    assert!(is_empty(&temp), "the folder is gone, and with it what the nodes would need");
}
