//! Usage, settings and errors, without a node and mostly without an identity.

use serde_json::Value;

use super::harness::Folder;

#[test]
fn help_names_every_command() {
    let help = Folder::new().run(&["--help"]);
    assert_eq!(help.exit, 0);
    for command in [
        "init",
        "up",
        "down",
        "status",
        "space",
        "invite",
        "device",
        "join",
        "object",
        "text",
        "import",
        "wait",
        "feed",
        "verify",
        "rebuild",
        "identity",
        "config",
        "version",
        "record",
        "events",
        "watch",
        "log",
        "api",
        "completions",
        "man",
        "demo",
    ] {
        assert!(help.stdout.lines().any(|line| line.trim_start().starts_with(command)), "{command}: {}", help.stdout);
    }
    let words = help.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("6 store damaged or locked"), "{words}");
}

#[test]
fn misuse_exits_with_2_and_says_so_in_json_too() {
    let folder = Folder::new();
    for wrong in [
        &["frobnicate"][..],
        &[],
        &["space", "create"],
        &["text", "insert", "x", "-1", "y"],
        &["wait", "x", "--timeout", "1w"],
    ] {
        let ended = folder.run(wrong);
        assert_eq!((ended.exit, ended.stdout.as_str()), (2, ""), "{wrong:?}: {ended:?}");
    }
    assert_eq!(folder.error(2, &["frobnicate"]), "usage");
    assert_eq!(folder.error(2, &["space", "create", "  "]), "usage");
    assert_eq!(folder.error(2, &["invite", "x", "--role", "king"]), "usage");
}

#[test]
fn the_version_is_that_of_the_package() {
    let folder = Folder::new();
    assert_eq!(folder.field("version", &["version"]), env!("CARGO_PKG_VERSION"));
    assert_eq!(folder.run(&["version"]).stdout, format!("weft {}\n", env!("CARGO_PKG_VERSION")));
    assert!(!folder.data().exists(), "asking for the version leaves nothing behind");
}

#[test]
fn settings_say_where_they_come_from() {
    let folder = Folder::new();
    std::fs::create_dir(folder.data()).unwrap();
    std::fs::write(folder.data().join("config.toml"), "name = \"Alice\"\n[import]\nentry_ms = 9\n").unwrap();
    let shown = folder.json(&["config", "show"]);
    let row = |key: &str| {
        let row = shown["settings"].as_array().unwrap().iter().find(|row| row["key"] == key).unwrap();
        (row["value"].clone(), row["source"].as_str().unwrap().to_owned())
    };
    assert_eq!(row("name"), ("Alice".into(), "config.toml".to_owned()));
    assert_eq!(row("import.entry_ms"), (9.into(), "config.toml".to_owned()));
    assert_eq!(row("api"), ("127.0.0.1:9339".into(), "default".to_owned()));
    assert_eq!(row("data").1, "WEFT_DATA");
    let human = folder.run(&["config", "show"]).stdout;
    assert!(human.lines().any(|line| line.split_whitespace().eq(["name", "Alice", "config.toml"])), "{human}");
}

#[test]
fn a_wrong_setting_is_named_with_its_line() {
    let folder = Folder::new();
    std::fs::create_dir(folder.data()).unwrap();
    std::fs::write(folder.data().join("config.toml"), "name = \"Alice\"\ncolour = 1\n").unwrap();
    let ended = folder.run(&["--json", "status"]);
    let error: Value = serde_json::from_str(&ended.stderr).unwrap();
    assert_eq!(ended.error(2), "bad_config");
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.contains("line 2") && message.contains("colour"), "{message}");
    assert_eq!(folder.run(&["version"]).exit, 0);
}

#[test]
fn a_folder_without_an_identity_is_not_found_and_stays_empty() {
    let folder = Folder::new();
    for command in
        [&["status"][..], &["space", "list"], &["space", "create", "x"], &["verify"], &["identity", "phrase"]]
    {
        assert_eq!(folder.error(3, command), "no_identity", "{command:?}");
    }
    assert!(!folder.data().exists());
    assert_eq!(folder.json(&["down"])["stopped"], false);
}

#[test]
fn errors_for_people_say_what_to_do() {
    let ended = Folder::new().run(&["status"]);
    assert_eq!((ended.exit, ended.stdout.as_str()), (3, ""));
    assert!(ended.stderr.starts_with("error: ") && ended.stderr.contains("\n hint: "), "{ended:?}");
    assert!(ended.stderr.contains("weft init"), "{ended:?}");
}
