//! Every scenario of the folder holds for a handful of seeds, and a seed is a whole history.
//!
//! More seeds: `weft-sim run simulations/scenarios/NAME.toml --runs 1000`.

#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

use std::path::PathBuf;

use weft_simulations::{
    checkers::the_removed,
    report,
    run::{self, Outcome},
    scenario::Scenario,
};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(format!("{name}.toml"))
}

fn outcome(name: &str, seed: u64) -> Outcome {
    run::run(&Scenario::read(&path(name)).unwrap(), seed)
}

/// Runs a scenario for some seeds; what does not hold is shown with the line that replays it.
fn holds(name: &str, seeds: impl IntoIterator<Item = u64>) {
    for seed in seeds {
        let outcome = outcome(name, seed);
        let replay = report::replay(&PathBuf::from("simulations/scenarios").join(format!("{name}.toml")), seed);
        let summary = report::summary(name, &outcome);
        assert!(outcome.findings.is_empty(), "{summary}replay: {replay}");
        assert!(outcome.world.ledger.acknowledged() > 10, "nobody did anything:\n{summary}");
        print!("{summary}");
    }
}

#[test]
fn two_peers_agree() {
    holds("two-peers", 1..=3);
}

#[test]
fn nothing_acknowledged_is_lost_in_crashes() {
    holds("crash-and-restart", 1..=4);
}

#[test]
fn the_divided_agree_when_they_meet_again() {
    holds("partition", 1..=2);
}

#[test]
fn outsiders_learn_and_change_nothing() {
    holds("outsider", 1..=2);
}

#[test]
fn a_full_disk_is_an_answer_and_nothing_more() {
    holds("full-disk", 1..=2);
}

#[test]
fn those_who_stay_agree_and_the_removed_are_void_and_closed_out() {
    // The last ones found something once.
    holds("removals", (1..=3).chain([231, 469]));
    let world = outcome("removals", 1).world;
    assert!(
        the_removed::late(&world) > 0 && world.members().count() < world.invited().count(),
        "nothing was put to the test"
    );
}

#[test]
fn whatever_history_was_heard_first_all_end_with_the_same() {
    // The last ones found something once.
    holds("forks", (1..=3).chain([64, 106, 299]));
    let worlds = (1..=3).map(|seed| outcome("forks", seed).world);
    assert!(worlds.map(|world| world.ledger.forked.len()).sum::<usize>() > 1, "nothing was put to the test");
}

#[test]
fn one_seed_is_one_history() {
    let fingerprint = |seed| outcome("crash-and-restart", seed).world.fingerprint();
    assert_eq!(fingerprint(7), fingerprint(7));
    assert_ne!(fingerprint(7), fingerprint(8));
}

#[test]
fn a_run_leaves_its_figures() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("figures");
    let outcome = outcome("two-peers", 7);
    report::write(&folder, "two-peers", &outcome).unwrap();
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    assert_eq!((manifest["seed"].as_u64(), manifest["scenario"].as_str()), (Some(7), Some("two-peers")));
    assert_eq!(manifest["fingerprint"].as_str().unwrap(), outcome.world.fingerprint());
    for (file, least) in [("hosts.csv", 3), ("deliveries.csv", 10)] {
        let lines = std::fs::read_to_string(folder.join(file)).unwrap().lines().count();
        assert!(lines >= least, "{file} has {lines} lines");
    }
}

#[test]
fn every_scenario_of_the_folder_is_tested_here() {
    let tested = include_str!("all.rs");
    for entry in std::fs::read_dir(path("x").parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        Scenario::read(&path).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(tested.contains(&format!("holds(\"{name}\"")), "no test runs {name}");
    }
}
