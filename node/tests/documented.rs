//! What is written about the commands is made from their definitions, and current.

use std::path::Path;

use super::harness::{Folder, argument};

const BEGIN: &str =
    "<!-- the table of commands is made: WEFT_REGENERATE=1 cargo test -p weft --test all documented -->\n";
const END: &str = "<!-- end of the table of commands -->\n";

#[test]
fn the_table_of_commands_in_the_readme_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("the README says where its table begins");
    let (table, after) = rest.split_once(END).expect("the README says where its table ends");
    let current = weft::cli::command_table();
    if std::env::var_os("WEFT_REGENERATE").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{current}{END}{after}")).unwrap();
    } else {
        assert_eq!(table, current, "out of date: WEFT_REGENERATE=1 cargo test -p weft --test all documented");
    }
}

#[test]
fn every_command_has_its_page_of_the_manual() {
    let folder = Folder::new();
    let dir = folder.data().join("man1");
    folder.json(&["man", argument(&dir)]);
    let page = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    for row in weft::cli::command_table().lines().skip(2) {
        let form = row.split('`').nth(1).unwrap();
        let is_name = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase());
        let words: Vec<&str> = form.split(' ').take_while(is_name).collect();
        let page = page(&format!("{}.1", words.join("-")));
        assert!(page.contains(".SH SYNOPSIS"), "{form}: {page}");
    }
    assert!(page("weft.1").contains("Exit codes"), "what holds for all is on the first page");
}

#[test]
fn completions_are_there_for_the_shells() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = folder.run(&["completions", shell]);
        assert_eq!(script.exit, 0, "{shell}");
        for word in ["dry-run", "status", "--json"] {
            let word = if shell == "fish" { word.trim_start_matches("--") } else { word };
            assert!(script.stdout.contains(word), "{word} is not completed in {shell}");
        }
    }
    assert_eq!(folder.error(2, &["completions", "dos"]), "usage");
    assert!(!folder.data().exists(), "nothing of it needs a data folder");
}

/// A shell that is there says whether it can read the script.
#[cfg(unix)]
#[test]
fn bash_reads_its_completions() {
    let folder = Folder::new();
    let script = folder.file("weft.bash", folder.run(&["completions", "bash"]).stdout);
    let read = std::process::Command::new("bash").args(["-n", argument(&script)]).output();
    match read {
        Ok(read) => assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr)),
        Err(error) => println!("skipped: bash is not here ({error})"),
    }
}
