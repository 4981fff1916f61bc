//! Data folders that earlier versions wrote. Each opens for ever, shows what it showed then, and can be written to.
//!
//! A folder lies in `tests/stores/` as its files, gzipped, with `shown.json`: what the version that wrote it showed. They are
//! added to and never changed. `WEFT_NEW_STORE=NAME cargo test -p weft --test all compatibility` makes another one, with
//! this version; with a name that begins with `linked`, one of a device that was linked by another.

use std::{
    ffi::OsStr,
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde_json::{Value, json};

use super::harness::{Folder, share};

/// What belongs to a node that runs, and what is somebody's own.
const NOT_KEPT: [&str; 5] = ["node.json", "lock", "api-token", "last-up.json", "config.toml"];
const SHOWN: &str = "shown.json";
/// What was remembered of the folder outside of it.
const OUTSIDE: &str = "outside";

#[test]
fn every_store_that_was_ever_written_opens_and_shows_what_it_showed() {
    if let Ok(name) = std::env::var("WEFT_NEW_STORE") {
        let make = if name.starts_with("linked") { make_linked } else { make };
        make(&stores().join(name));
    }
    let mut stores: Vec<PathBuf> = fs::read_dir(stores()).unwrap().map(|entry| entry.unwrap().path()).collect();
    stores.sort();
    assert!(!stores.is_empty());
    for store in stores {
        println!("{}", store.file_name().unwrap().display());
        let folder = Folder::new();
        open(&store, &folder);
        let then: Value = serde_json::from_slice(&fs::read(store.join(SHOWN)).unwrap()).unwrap();
        assert_eq!(shown(&folder), then, "{}", store.display());
        // What is derived can be derived again, with nothing else coming out.
        folder.json(&["rebuild"]);
        assert_eq!(shown(&folder), then, "{}", store.display());
        folder.json(&["text", "insert", "page", "0", "Still here. "]);
        assert!(folder.text("page").starts_with("Still here. "));
        folder.json(&["verify"]);
    }
}

fn stores() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stores")
}

/// What anybody can see of a folder, but for what is said about the moment.
fn shown(folder: &Folder) -> Value {
    let keep = |value: Value, keys: &[&str]| {
        let kept = keys.iter().map(|key| ((*key).to_owned(), value[*key].clone()));
        Value::Object(kept.collect())
    };
    let list = |value: &Value, keys: &[&str]| -> Vec<Value> {
        value.as_array().unwrap().iter().map(|one| keep(one.clone(), keys)).collect()
    };
    let status = folder.json(&["status"]);
    let objects = folder.json(&["object", "list", "notes", "--all"])["objects"].clone();
    let each: Vec<Value> = list(&objects, &["object", "type", "name"])
        .into_iter()
        .map(|object| {
            let id = object["object"].as_str().unwrap().to_owned();
            let seen = folder.json(&["object", "get", &id]);
            json!({"object": object, "properties": seen["properties"], "text": folder.text(&id)})
        })
        .collect();
    let records = folder.run(&["--json", "record", "list", "notes"]);
    assert_eq!(records.exit, 0, "{records:?}");
    json!({
        "peer_id": status["peer_id"],
        "identity": status["identity"],
        "spaces": list(&status["spaces"], &["space", "name", "role"]),
        "members": list(&folder.json(&["space", "members", "notes"])["members"], &["identity", "name", "role"]),
        "feeds": list(&folder.json(&["feed", "list", "notes"])["feeds"], &["feed", "device", "purpose", "length", "root"]),
        "objects": each,
        "records": records.stdout,
    })
}

/// A folder with something of everything: two members, texts that both wrote, properties, a deleted object, records, a link
/// that waits; and a node that was killed with its last writes in the journal alone.
fn make(store: &Path) {
    assert!(!store.exists(), "{} is there already, and never changes", store.display());
    let (alice, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let up = alice.up(&[]);
    let of_bob = bob.up(&["--peer", &up.address()]);
    share(&alice, &bob);
    alice.json(&[
        "object",
        "create",
        "notes",
        "note",
        "name=page",
        "body=Written first.",
        "count:=42",
        "tags:=[\"a\",\"b\"]",
    ]);
    alice.json(&["object", "create", "notes", "note", "name=gone"]);
    alice.json(&["object", "delete", "gone"]);
    bob.json(&["wait", "notes"]);
    bob.json(&["text", "insert", "page", "8", "by two of us "]);
    bob.json(&["object", "set", "page", "count:=43", "by=Bob"]);
    bob.json(&["record", "append", "notes", "a record of Bob"]);
    bob.json(&["wait", "notes"]);
    alice.json(&["record", "append", "notes", "a record of Alice"]);
    alice.json(&["invite", "notes"]);
    of_bob.kill();
    // In order, so that the store has what came before; what comes after is in the journal.
    up.down();
    let up = alice.up(&[]);
    alice.json(&["text", "insert", "page", "0", "At last: "]);
    up.kill();
    keep(&alice, store);
}

/// A device that was linked by another one, with something that both wrote.
fn make_linked(store: &Path) {
    assert!(!store.exists(), "{} is there already, and never changes", store.display());
    let (laptop, phone) = (Folder::of("Alice"), Folder::new());
    let up = laptop.up(&[]);
    laptop.json(&["space", "create", "notes"]);
    laptop.json(&["object", "create", "notes", "note", "name=page", "body=Written on the laptop."]);
    let link = laptop.field("link", &["device", "link"]);
    phone.json(&["device", "join", &link, "--name", "phone"]);
    let of_phone = phone.up(&["--peer", &up.address()]);
    phone.json(&["text", "insert", "page", "0", "From the phone: "]);
    phone.json(&["record", "append", "notes", "a record of the phone"]);
    phone.json(&["wait", "notes"]);
    of_phone.down();
    up.down();
    keep(&phone, store);
}

fn keep(folder: &Folder, store: &Path) {
    pack(&folder.data(), store);
    pack(&folder.state(), &store.join(OUTSIDE));
    let seen = Folder::new();
    open(store, &seen);
    fs::write(store.join(SHOWN), format!("{:#}\n", shown(&seen))).unwrap();
}

/// Lays out a folder as it was, with what stood outside of it, if that is kept: else it is on another machine.
fn open(store: &Path, folder: &Folder) {
    unpack(store, &folder.data());
    if store.join(OUTSIDE).exists() {
        fs::remove_dir_all(folder.data().join(OUTSIDE)).unwrap();
        unpack(&store.join(OUTSIDE), &folder.state());
    }
}

fn pack(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            pack(&path, &to.join(name));
        } else if !NOT_KEPT.iter().any(|kept| name == *kept) && path.extension() != Some(OsStr::new("lock")) {
            let name = format!("{}.gz", name.to_str().unwrap());
            let mut file = GzEncoder::new(fs::File::create(to.join(name)).unwrap(), Compression::best());
            file.write_all(&fs::read(path).unwrap()).unwrap();
            file.finish().unwrap();
        }
    }
}

fn unpack(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    only_mine(to, 0o700);
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            unpack(&path, &to.join(entry.file_name()));
        } else if path.extension() == Some(OsStr::new("gz")) {
            let mut content = Vec::new();
            GzDecoder::new(fs::File::open(&path).unwrap()).read_to_end(&mut content).unwrap();
            let file = to.join(path.file_stem().unwrap());
            fs::write(&file, content).unwrap();
            only_mine(&file, 0o600);
        }
    }
}

#[cfg(unix)]
fn only_mine(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn only_mine(_: &Path, _: u32) {}
