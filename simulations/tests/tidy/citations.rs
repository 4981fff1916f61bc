//! Citations both ways: what code cites exists in `specs/`, and what a specification demands is cited.
//!
//! An anchor is the first word of a heading, `### FEED-3.2 What a head signs` or `## A1 …`. Anything of that form with the prefix of a
//! page is a citation, wherever it stands in a Rust or proto file.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{File, Tree};

/// Code that cites: all of it but this test, which has examples.
fn citing(tree: &Tree) -> impl Iterator<Item = &File> {
    tree.rust().filter(|file| !file.path.starts_with("simulations/tests/tidy/"))
}

/// A section of a specification.
struct Section {
    anchor: String,
    page: String,
    line: usize,
    demands: bool,
}

/// Citations of sections that do not exist, and anchors given twice.
pub(crate) fn dangling(tree: &Tree) -> Vec<String> {
    let sections = sections(tree);
    let prefixes = prefixes(tree);
    let mut findings = Vec::new();
    let mut places: BTreeMap<&str, String> = BTreeMap::new();
    for section in &sections {
        let place = format!("{}:{}", section.page, section.line);
        if let Some(first) = places.insert(&section.anchor, place.clone()) {
            findings.push(format!("{place}: {} is already at {first}", section.anchor));
        }
    }
    for file in citing(tree) {
        for (number, line, _) in file.lines() {
            for cited in citations(line, &prefixes) {
                // A chapter is there when one of its sections is.
                let chapter = format!("{cited}.");
                if !places.keys().any(|anchor| *anchor == cited || anchor.starts_with(&chapter)) {
                    findings.push(format!("{}:{number}: {cited} is no section of specs/", file.path));
                }
            }
            if line.split_once("RULES ").is_some_and(|(_, rest)| rest.starts_with(['M', 'H', 'E', 'X', 'A', 'P'])) {
                findings.push(format!("{}:{number}: cites a page that is not in specs/", file.path));
            }
        }
    }
    findings
}

/// Sections that say MUST and are cited by no code and no test.
pub(crate) fn uncited(tree: &Tree) -> Vec<String> {
    let prefixes = prefixes(tree);
    let cited: BTreeSet<String> = citing(tree)
        .flat_map(|file| file.text.lines().flat_map(|line| citations(line, &prefixes)).collect::<Vec<_>>())
        .collect();
    sections(tree)
        .into_iter()
        .filter(|section| section.demands && !cited.contains(&section.anchor))
        .map(|section| format!("{}:{}: {} says MUST and nothing cites it", section.page, section.line, section.anchor))
        .collect()
}

/// Links from one page of ours to another that lead nowhere.
pub(crate) fn links(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for file in tree.with_extension("md") {
        let folder = tree.root.join(&file.path).parent().unwrap().to_path_buf();
        for (number, line, _) in file.lines() {
            for target in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                let target = target.split('#').next().unwrap();
                let elsewhere = target.is_empty() || target.contains("://") || target.starts_with("mailto:");
                if !elsewhere && !folder.join(target).exists() {
                    findings.push(format!("{}:{number}: {target} does not exist", file.path));
                }
            }
        }
    }
    findings
}

fn pages(tree: &Tree) -> impl Iterator<Item = &File> {
    tree.with_extension("md").filter(|file| file.path.starts_with("specs/") && file.path.matches('/').count() == 1)
}

/// What anchors begin with: `FEED`, `REPL`, and what a page of that name would begin with.
fn prefixes(tree: &Tree) -> BTreeSet<String> {
    let anchors = sections(tree).into_iter().filter_map(|section| Some(section.anchor.split_once('-')?.0.to_owned()));
    let names = pages(tree).map(|file| file.path.trim_start_matches("specs/").trim_end_matches(".md").to_uppercase());
    anchors.chain(names).collect()
}

fn sections(tree: &Tree) -> Vec<Section> {
    let mut sections = Vec::new();
    for page in pages(tree) {
        let first = sections.len();
        for (line, text, _) in page.lines() {
            let heading = text.trim_start_matches('#');
            if heading.len() < text.len() {
                if let Some(anchor) = heading.split_whitespace().next().and_then(anchor) {
                    sections.push(Section { anchor, page: page.path.clone(), line, demands: false });
                }
            } else if text.split(|letter: char| !letter.is_alphanumeric()).any(|word| word == "MUST")
                && let Some(section) = sections[first..].last_mut()
            {
                section.demands = true;
            }
        }
    }
    sections
}

/// `FEED-3.2`, `A12`: capitals, an optional dash, and numbers with points.
fn anchor(word: &str) -> Option<String> {
    let word = word.trim_matches(|letter: char| matches!(letter, '.' | ':' | '`' | '*'));
    let letters = word.len() - word.trim_start_matches(|letter: char| letter.is_ascii_uppercase()).len();
    let numbers = word[letters..].trim_start_matches('-');
    let valid = letters > 0
        && numbers.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
        && word[letters..].len() - numbers.len() <= 1;
    valid.then(|| word.to_owned())
}

/// The anchors that a line cites: those with a page's prefix, and whatever of that form follows `Spec:`.
fn citations(line: &str, prefixes: &BTreeSet<String>) -> Vec<String> {
    let marked = line.find("Spec: ").unwrap_or(line.len());
    let mut found = Vec::new();
    let mut start = 0;
    for word in line.split(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.'))) {
        let at = start;
        start += word.len() + 1;
        let Some(cited) = anchor(word) else { continue };
        let known = cited.split_once('-').is_some_and(|(prefix, _)| prefixes.contains(prefix));
        if known || at > marked {
            found.push(cited);
        }
    }
    found
}

#[test]
fn anchors_are_recognised() {
    let prefixes = BTreeSet::from(["FEED".to_owned()]);
    assert_eq!(
        citations("/// Spec: FEED-3.2, A1. See BIP-39 and RFC-2119.", &prefixes),
        ["FEED-3.2", "A1", "BIP-39", "RFC-2119"]
    );
    assert_eq!(citations("// as FEED-3 has it; BIP-39; FEED; FEED-x; A1", &prefixes), ["FEED-3"]);
    assert_eq!(anchor("FEED--3"), None);
    assert_eq!(anchor("FEED-3..2"), None);
}
