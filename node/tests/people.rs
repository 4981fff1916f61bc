//! What a person at a terminal meets: colors, widths, questions, a screen that is redrawn.
#![cfg(unix)]

use super::{harness::Folder, terminal::Terminal};

fn with_poem() -> Folder {
    let alice = Folder::of("Alice");
    alice.json(&["space", "create", "notes"]);
    alice.json(&["object", "create", "notes", "note", "name=poem", "body=roses"]);
    alice
}

#[test]
fn there_is_color_on_a_terminal_only_and_not_where_it_is_unwanted() {
    let alice = with_poem();
    let shown =
        |variables: &[(&str, &str)], arguments: &[&str]| Terminal::start(&alice, 80, variables, arguments).end().0;
    for command in [&["space", "list"][..], &["object", "get", "nobody"], &["frobnicate"]] {
        assert!(shown(&[], command).contains("\x1b["), "{command:?} is without color");
        // A build server is no reason to color what a terminal cannot show.
        for variables in [&[("NO_COLOR", "1")][..], &[("TERM", "dumb")], &[("TERM", "dumb"), ("CI", "true")]] {
            let plain = shown(variables, command);
            assert!(!plain.contains('\x1b'), "{command:?} with {variables:?}: {plain:?}");
        }
        let piped = alice.run(command);
        assert!(!piped.stdout.contains('\x1b') && !piped.stderr.contains('\x1b'), "{piped:?}");
    }
    assert!(shown(&[("NO_COLOR", "")], &["space", "list"]).contains("\x1b["), "an empty NO_COLOR says nothing");
}

#[test]
fn a_table_keeps_to_the_width_of_the_terminal() {
    let alice = with_poem();
    let name = "a name that somebody thought would be remembered for a long time";
    let object = alice.field("object", &["object", "create", "notes", "note", &format!("name={name}")]);
    let (shown, exit) = Terminal::start(&alice, 60, &[("NO_COLOR", "1")], &["object", "list", "notes"]).end();
    assert_eq!(exit, 0);
    assert!(shown.lines().all(|line| line.trim_end().chars().count() <= 60), "{shown}");
    assert!(shown.contains(&object[..12]) && shown.contains('…'), "{shown}");
    assert!(alice.run(&["object", "list", "notes"]).stdout.contains(name), "a program gets all of it");
}

#[test]
fn who_deletes_is_asked_first() {
    let alice = with_poem();
    let ask = |answer: &str| {
        let mut terminal = Terminal::start(&alice, 80, &[], &["object", "delete", "poem"]);
        terminal.until(|shown| shown.contains("Delete `poem` (note, 5 characters of text) for every member? [y/N]"));
        terminal.type_in(answer);
        terminal.end().1
    };
    for no in ["\n", "n\n", "what?\n"] {
        assert_eq!(ask(no), 4);
        assert_eq!(alice.text("poem"), "roses");
    }
    assert_eq!(ask("y\n"), 0);
    assert_eq!(alice.error(3, &["object", "get", "poem"]), "unknown_object");
    alice.json(&["object", "create", "notes", "note", "name=poem"]);
    let (shown, exit) = Terminal::start(&alice, 80, &[], &["object", "delete", "poem", "--yes"]).end();
    assert!(exit == 0 && !shown.contains("[y/N]"), "{shown}");
}

#[test]
fn the_status_is_redrawn_and_the_screen_given_back() {
    let alice = with_poem();
    let _node = alice.up(&[]);
    let mut terminal = Terminal::start(&alice, 80, &[], &["status", "--watch"]);
    terminal.until(|shown| shown.contains("\x1b[?1049h") && shown.contains("notes"));
    alice.json(&["space", "create", "garden"]);
    terminal.until(|shown| shown.rsplit("\x1b[2J").next().is_some_and(|page| page.contains("garden")));
    terminal.signal("INT");
    let (shown, exit) = terminal.end();
    assert_eq!(exit, 0);
    assert!(shown.ends_with("\x1b[?25h\x1b[?1049l"), "{shown:?}");
}
