//! Strings that deceive the eye, planted by a member in everything that it can write: no command shows one as it is.

use std::{fs, path::Path};

use super::stage::play;
use crate::harness::{self, Ended, Folder, Following, argument};

/// What must not reach a terminal: controls but line ends and tabs, and what turns, separates or hides.
fn deceives(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(u32::from(c),
            0x061c | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfff9..=0xfffb
            | 0xe0000..=0xe007f)
}

fn is_clean(what: &str, said: &str) {
    if let Some(c) = said.chars().find(|c| deceives(*c)) {
        panic!("{what} shows {} as it is: {said:?}", c.escape_unicode());
    }
    assert!(!said.lines().any(|line| line.trim_start().starts_with("FORGED")), "{what} lets a line be forged: {said}");
}

/// Everything that a command says, wherever it says it.
fn shown(command: &[&str], ended: &Ended) -> String {
    let what = format!("weft {}", command.join(" "));
    is_clean(&what, &ended.stdout);
    is_clean(&what, &ended.stderr);
    format!("{}{}", ended.stdout, ended.stderr)
}

/// The same text on a terminal, which `script` makes.
fn on_a_terminal(folder: &Folder, object: &str) {
    let weft = format!("{} --data {} text show {object}", env!("CARGO_BIN_EXE_weft"), folder.data().display());
    match std::process::Command::new("script").args(["-qec", &weft, "/dev/null"]).output() {
        Ok(said) => {
            // A terminal writes line ends its own way.
            let shown = String::from_utf8(said.stdout).unwrap().replace("\r\n", "\n");
            is_clean("weft text show on a terminal", &shown);
            assert!(shown.starts_with(r"text\u{1b}[2J"), "{shown:?}");
        }
        Err(error) => eprintln!("skipped: no terminal can be made without `script`: {error}"),
    }
}

/// Follows until a line says this, and looks at every line on the way.
fn followed(folder: &Folder, command: &[&str], until: &str) {
    let what = format!("weft {}", command.join(" "));
    Following::start(folder, command).line(|line| {
        is_clean(&what, line);
        line.contains(until)
    });
}

/// Editors that fail, and leave what is no text: what is said then names the draft, whose name was made of the object's.
fn edited(folder: &Folder, object: &str, space: &str) {
    let arguments = ["text", "edit", object, "--space", space];
    for (editor, why) in [("false", "ended with 1"), (r"printf '\377' >", "what you wrote is kept in")] {
        let mut command = folder.command(&arguments);
        command.env("VISUAL", editor);
        let said = shown(&arguments, &harness::ended(command, b""));
        assert!(said.contains(why), "{said}");
    }
}

/// Spec: NODE-9.1, NODE-9.2
fn files(folder: &Folder, space: &str) {
    let outer = tempfile::tempdir().unwrap();
    let inner = outer.path().join("inner");
    let entries = |folder: &Path| fs::read_dir(folder).unwrap().count();
    for dry_run in [&["--dry-run"] as &[&str], &[]] {
        let export = [&["export", space, argument(&inner)], dry_run].concat();
        let ended = folder.run(&export);
        let said = shown(&export, &ended);
        for line in [
            r"skipped    a\u{202e}/b\u{1b}[2J.md: the name holds U+202E, which is not seen",
            r"skipped    ../path\u{1b}[2J",
            "0 written, 0 updated, 0 unchanged, 2 skipped",
        ] {
            assert!(said.lines().any(|said| said.starts_with(line)), "{line}: {said}");
        }
        assert_eq!(ended.exit, 1, "{ended:?}");
    }
    assert_eq!((entries(outer.path()), entries(&inner)), (1, 0), "nothing is written");
    fs::write(inner.join("c\u{1b}[2J\u{202e}.md"), "somebody's").unwrap();
    let import = ["import", "files", argument(&inner), "--space", space];
    let said = shown(&import, &folder.run(&import));
    assert!(said.starts_with(r"skipped    c\u{1b}[2J\u{202e}.md: the name holds U+001B, which is not seen"), "{said}");
}

#[test]
fn what_a_member_plants_is_shown_as_what_it_is_by_every_command() {
    play(|stage| {
        let events = Following::start(stage.alice.folder, &["events"]);
        let (mut mallory, ready) = stage.member("plant", "writer");
        mallory.go_on();
        let objects = mallory.until("made")["objects"].clone();
        let quarantined = stage.event("quarantined", &ready["data"]);
        assert!(quarantined["reason"].as_str().unwrap().contains("FORGED"), "{quarantined}");
        mallory.until("done");
        stage.level();
        let space = stage.space.clone();
        let mut commands: Vec<Vec<&str>> = [
            &["status"] as &[&str],
            &["space", "list"],
            &["space", "show", &space],
            &["space", "members", &space],
            &["object", "list", &space],
            &["object", "list", &space, "--all"],
            &["record", "list", &space],
            &["feed", "list", &space],
            &["feed", "show", ready["data"].as_str().unwrap(), "--space", &space],
            &["wait", &space, "--timeout", "1s"],
            &["log", "-n", "1000"],
            &["verify"],
            &["rebuild", "--dry-run"],
            &["rebuild"],
            &["config", "show"],
            &["object", "get", "nothing of this name", "--space", &space],
        ]
        .map(<[&str]>::to_vec)
        .to_vec();
        let objects: Vec<&str> = objects.as_array().unwrap().iter().map(|object| object.as_str().unwrap()).collect();
        commands.extend(objects.iter().map(|object| vec!["object", "get", object, "--space", &space]));
        let deleted = objects.iter().map(|object| vec!["object", "delete", object, "--space", &space, "--dry-run"]);
        commands.extend(deleted);
        let mut all = String::new();
        for command in &commands {
            all += &shown(command, &stage.alice.folder.run(command));
        }
        // They were shown, made visible.
        for word in ["name", "value", "record", "text", "../path"] {
            assert!(all.contains(&format!(r"{word}\u{{1b}}[2J")), "{word} is not shown: {all}");
        }
        assert!(all.contains(r"would delete `name\u{1b}[2J"), "{all}");
        // A text is what it is, byte for byte, unless a terminal would act upon it.
        let text = stage.alice.folder.run(&["text", "show", objects[0], "--space", &space]);
        assert!(text.stdout.starts_with("text\u{1b}[2J"), "{text:?}");
        on_a_terminal(stage.alice.folder, objects[0]);
        followed(stage.alice.folder, &["watch", objects[0], "--space", &space], r"name\u{1b}[2J");
        for command in [&["watch"] as &[&str], &["status", "--watch"]] {
            followed(stage.alice.folder, command, &space[..8]);
        }
        edited(stage.alice.folder, objects[0], &space);
        files(stage.alice.folder, &space);
        let event = events.line(|line| line.contains("quarantined"));
        is_clean("weft events", &event);
        is_clean("the log", &stage.alice.up.log());
        stage.serves();
        mallory.end();
    });
}
