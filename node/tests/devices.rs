//! One person, several devices: linked, listed, removed.

use serde_json::Value;

use super::harness::{Folder, Following, Up, share, until};

/// A link of this device, whose node runs.
fn link(of: &Folder) -> String {
    of.field("link", &["device", "link"])
}

/// Makes another folder a device of this one's identity, called so.
fn linked(of: &Folder, name: &str) -> Folder {
    let device = Folder::new();
    let joined = device.json(&["device", "join", &link(of), "--name", name]);
    assert_eq!((&joined["device_name"], &joined["complete"]), (&name.into(), &true.into()), "{joined}");
    device
}

fn devices(of: &Folder) -> Vec<Value> {
    of.json(&["device", "list"])["devices"].as_array().unwrap().clone()
}

fn device(of: &Folder, name: &str) -> Value {
    let all = devices(of);
    all.iter().find(|device| device["name"] == name).unwrap_or_else(|| panic!("no {name} in {all:?}")).clone()
}

fn spaces(of: &Folder) -> Vec<String> {
    let spaces = of.json(&["space", "list"])["spaces"].as_array().unwrap().clone();
    let mut names: Vec<String> = spaces.iter().filter_map(|space| Some(space["name"].as_str()?.to_owned())).collect();
    names.sort();
    names
}

fn is_connected(of: &Folder, to: &Up<'_>) -> bool {
    let peers = of.json(&["status"])["peers"].as_array().unwrap().clone();
    peers.iter().any(|peer| peer["peer_id"] == to.ready["peer_id"])
}

#[test]
fn a_phone_is_linked_sees_the_notes_of_the_laptop_and_both_write() {
    let laptop = Folder::of("Alice");
    let laptop_up = laptop.up(&[]);
    laptop.json(&["space", "create", "notes"]);
    laptop.json(&["object", "create", "notes", "note", "name=plan", "body=begun on the laptop"]);
    laptop.json(&["device", "rename", "laptop"]);
    let phone = Folder::new();
    let joined = phone.json(&["device", "join", &link(&laptop), "--name", "phone"]);
    assert_eq!((&joined["name"], &joined["device_name"]), (&"Alice".into(), &"phone".into()));
    assert_eq!((&joined["linked_by"], &joined["complete"]), (&laptop_up.ready["peer_id"], &true.into()));
    assert_eq!(joined["spaces"][0]["name"], "notes");
    assert_eq!(phone.text("plan"), "begun on the laptop", "it is here without any node");
    let status = phone.json(&["status"]);
    assert_eq!(status["identity"], laptop_up.ready["identity"]);
    assert_ne!(status["peer_id"], laptop_up.ready["peer_id"]);
    assert!(!status["notes"].to_string().contains("recovery phrase"), "{status}");

    let phone_up = phone.up(&[]);
    phone.json(&["text", "insert", "plan", "0", "from the phone: "]);
    phone.json(&["wait", "notes"]);
    laptop.json(&["text", "insert", "plan", "35", ", ended there"]);
    laptop.json(&["wait", "notes"]);
    phone.json(&["wait", "notes"]);
    for at in [&laptop, &phone] {
        assert_eq!(at.text("plan"), "from the phone: begun on the laptop, ended there");
    }
    let members = laptop.json(&["space", "members", "notes"])["members"].as_array().unwrap().clone();
    assert_eq!((members.len(), members[0]["devices"].as_array().unwrap().len()), (1, 2), "one person");

    let known = device(&laptop, "phone");
    assert_eq!((&known["device"], &known["connected"]), (&phone_up.ready["peer_id"], &true.into()));
    assert_eq!(known["sibling"], true);
    until("the phone has said what it holds", || device(&laptop, "phone")["lacking"] == 0);
    assert_eq!(device(&phone, "laptop")["spaces"], device(&phone, "phone")["spaces"]);
    let shown = laptop.run(&["device", "list"]).stdout;
    assert!(shown.contains("this device") && shown.contains("connected"), "{shown}");
    // A new name is heard at once, and nobody else hears it.
    phone.json(&["device", "rename", "old phone"]);
    until("the laptop hears the new name", || devices(&laptop).iter().any(|device| device["name"] == "old phone"));
}

#[test]
fn a_linked_device_stays_linked_over_restarts_and_power_cuts() {
    let laptop = Folder::of("Alice");
    let laptop_up = laptop.up(&[]);
    laptop.json(&["space", "create", "notes"]);
    let phone = linked(&laptop, "phone");
    let before = phone.json(&["status"]);
    phone.up(&[]).down();
    let up = phone.up(&[]);
    phone.json(&["object", "create", "notes", "note", "name=plan", "body=kept"]);
    up.kill();
    laptop_up.kill();
    let after = phone.json(&["status"]);
    assert_eq!((&after["identity"], &after["peer_id"]), (&before["identity"], &before["peer_id"]));
    assert_eq!(device(&phone, "phone")["me"], true);
    let _laptop_up = laptop.up(&[]);
    let _phone_up = phone.up(&["--peer", &_laptop_up.address()]);
    phone.json(&["wait", "notes"]);
    assert_eq!(laptop.text("plan"), "kept");
    // A space that it makes, it makes for the identity.
    phone.json(&["space", "create", "garden"]);
    until("the garden is on the laptop", || spaces(&laptop) == ["garden", "notes"]);
}

#[test]
fn killed_while_it_joins_it_is_nobody_or_a_device_and_the_same_link_goes_on() {
    let laptop = Folder::of("Alice");
    let laptop_up = laptop.up(&[]);
    laptop.json(&["space", "create", "notes"]);
    let unreached = link(&laptop);
    let address = laptop_up.address();
    laptop_up.down();
    // Before the other device is reached.
    let phone = Folder::new();
    let joining = Following::start(&phone, &["device", "join", &unreached, "--name", "phone"]);
    until("its key is kept", || phone.data().join("joining/identity").is_dir());
    drop(joining);
    assert_eq!(phone.error(3, &["status"]), "no_identity");
    let refused = Up::start(&phone, &super::harness::LOOPBACK).err().expect("it would be somebody else");
    assert_eq!(refused.error(4), "device_joining");
    let listen = address.split_once("/p2p/").unwrap().0;
    let _laptop_up = laptop.up(&["--listen", listen]);
    assert_eq!(phone.json(&["device", "join", &unreached, "--name", "phone"])["complete"], true);
    assert!(!phone.data().join("joining").exists());

    // At the moment when the link is used.
    for name in ["tablet", "desk", "watch"] {
        let other = Folder::new();
        let made = laptop.json(&["device", "link"]);
        let text = made["link"].as_str().unwrap();
        let joining = Following::start(&other, &["device", "join", text, "--name", name]);
        let is_used = || {
            let links = laptop.json(&["device", "list"])["links"].as_array().unwrap().clone();
            links.iter().any(|link| link["id"] == made["id"] && link["used_by"].is_string())
        };
        until("the link is used", is_used);
        drop(joining);
        let again = other.run(&["--json", "device", "join", text, "--name", name]);
        if again.exit != 0 {
            assert_eq!(again.error(4), "identity_exists", "it was all there");
        }
        let _up = other.up(&[]);
        until("it has the space", || spaces(&other) == ["notes"]);
        assert_eq!(device(&laptop, name)["sibling"], true);
    }
}

#[test]
fn a_link_is_good_once_for_a_while_and_until_it_is_taken_back() {
    let laptop = Folder::of("Alice");
    let _laptop_up = laptop.up(&[]);
    let used = link(&laptop);
    let (phone, mallory) = (Folder::new(), Folder::new());
    phone.json(&["device", "join", &used]);
    assert_eq!(mallory.error(4, &["device", "join", &used]), "used_link");
    assert_eq!(phone.error(4, &["device", "join", &used]), "identity_exists");

    let short = laptop.json(&["device", "link", "--expires", "1s"]);
    let is_listed = || laptop.json(&["device", "list"])["links"].to_string().contains(short["id"].as_str().unwrap());
    until("the link ends", || !is_listed());
    assert_eq!(mallory.error(4, &["device", "join", short["link"].as_str().unwrap()]), "expired_link");

    let open = link(&laptop);
    assert!(laptop.run(&["device", "list"]).stdout.contains("can be used until"));
    assert_eq!(laptop.json(&["device", "link", "--cancel"])["cancelled"], 1);
    assert_eq!(mallory.error(4, &["device", "join", &open]), "unknown_link");
    assert!(!laptop.run(&["device", "list"]).stdout.contains("can be used until"));

    // Nothing of the attempts is left: the folder can be anybody's.
    assert!(!mallory.data().join("joining").exists());
    mallory.json(&["init", "--name", "Mallory"]);
    assert_eq!(devices(&laptop).len(), 2);
    assert_eq!(laptop.error(2, &["device", "link", "--expires", "8d"]), "bad_expiry");
    assert_eq!(laptop.error(2, &["device", "join", "weft-invite:abc"]), "malformed_link");
}

#[test]
fn a_folder_that_is_somebodys_becomes_nobody_elses() {
    let laptop = Folder::of("Alice");
    let _laptop_up = laptop.up(&[]);
    let link = link(&laptop);
    let bob = Folder::of("Bob");
    assert_eq!(bob.error(4, &["device", "join", &link]), "identity_exists");
    bob.json(&["space", "create", "diary"]);
    std::fs::rename(bob.data().join("identity"), bob.file("set-aside", "").with_extension("d")).unwrap();
    assert_eq!(bob.error(4, &["device", "join", &link]), "store_exists");
    // Nothing of it used up the link.
    Folder::new().json(&["device", "join", &link]);
}

#[test]
fn a_linked_device_has_no_phrase_and_can_have_a_passphrase() {
    let laptop = Folder::of("Alice");
    let _laptop_up = laptop.up(&[]);
    laptop.json(&["space", "create", "notes"]);
    let phone = Folder::new();
    let file = phone.file("passphrase", "correct horse battery staple");
    let by = ["--passphrase-file", super::harness::argument(&file)];
    phone.json(&[&["device", "join", &link(&laptop)][..], &by].concat());
    assert_eq!(&std::fs::read(phone.data().join("identity/key")).unwrap()[..6], b"weft\x01\x02");
    assert_eq!(phone.error(4, &["status"]), "passphrase_needed");
    assert_eq!(phone.json(&[&["status"][..], &by].concat())["keys"]["protection"], "passphrase");
    let _phone_up = phone.up(&by);
    for ask in [&["identity", "phrase"][..], &["identity", "phrase", "--confirm"]] {
        assert_eq!(phone.error(3, ask), "phrase_elsewhere");
    }
    assert_eq!(phone.error(3, &["api", "DELETE", "identity/phrase"]), "phrase_elsewhere");
    assert_eq!(laptop.field("phrase", &["identity", "phrase"]).split(' ').count(), 24);
    phone.json(&["identity", "lock"]);
    phone.json(&[&["identity", "unlock"][..], &by].concat());
    until("it is back with its space", || spaces(&phone) == ["notes"]);
}

#[test]
fn spaces_that_come_while_a_device_is_away_are_there_when_it_is_back() {
    let laptop = Folder::of("Alice");
    let laptop_up = laptop.up(&[]);
    let phone = linked(&laptop, "phone");
    laptop.json(&["space", "create", "notes"]);
    laptop.json(&["object", "create", "notes", "note", "name=plan", "body=made meanwhile"]);
    assert!(spaces(&phone).is_empty());
    let _phone_up = phone.up(&["--peer", &laptop_up.address()]);
    until("the phone has the space", || spaces(&phone) == ["notes"]);
    phone.json(&["wait", "notes"]);
    assert_eq!(phone.text("plan"), "made meanwhile");
}

#[test]
fn a_space_that_one_device_of_a_member_joins_is_on_the_other() {
    let (laptop, bob) = (Folder::of("Alice"), Folder::of("Bob"));
    let _laptop_up = laptop.up(&[]);
    let bob_up = bob.up(&[]);
    let phone = linked(&laptop, "phone");
    let _phone_up = phone.up(&[]);
    share(&bob, &laptop);
    until("the phone has it", || spaces(&phone) == ["notes"]);
    phone.json(&["object", "create", "notes", "note", "name=plan", "body=from Alice's phone"]);
    until("Bob has it", || bob.json(&["object", "list", "notes"]).to_string().contains("plan"));
    assert_eq!(bob.text("plan"), "from Alice's phone");
    // The phone finds its own way to Bob.
    let _ = bob_up;
    assert_eq!(phone.json(&["space", "members", "notes"])["members"].as_array().unwrap().len(), 2);
}

/// Alice's phone, which made the identity, and her laptop; Bob, who shares `notes` with her. All are connected with each other.
struct Scene {
    phone: Folder,
    laptop: Folder,
    bob: Folder,
}

impl Scene {
    fn new() -> Scene {
        let (phone, bob) = (Folder::of("Alice"), Folder::of("Bob"));
        let phone_up = phone.up(&[]);
        let bob_up = bob.up(&[]);
        share(&phone, &bob);
        phone.json(&["object", "create", "notes", "note", "name=plan", "body=before"]);
        phone.json(&["space", "create", "diary"]);
        phone.json(&["device", "rename", "phone"]);
        bob.json(&["wait", "notes"]);
        let laptop = linked(&phone, "laptop");
        bob_up.down();
        phone_up.down();
        Scene { phone, laptop, bob }
    }

    /// Starts the three: the phone, the laptop, and Bob.
    fn up(&self) -> (Up<'_>, Up<'_>, Up<'_>) {
        let phone = self.phone.up(&[]);
        let laptop = self.laptop.up(&["--peer", &phone.address()]);
        let bob = self.bob.up(&["--peer", &phone.address(), "--peer", &laptop.address()]);
        until("Bob meets the laptop", || is_connected(&self.bob, &laptop) && is_connected(&self.phone, &laptop));
        for folder in [&self.phone, &self.laptop, &self.bob] {
            folder.json(&["wait", "notes"]);
        }
        (phone, laptop, bob)
    }
}

#[test]
fn a_lost_laptop_is_removed_from_the_phone_and_everybody_cuts_it_off() {
    let scene = Scene::new();
    let (_phone_up, laptop_up, _bob_up) = scene.up();
    scene.laptop.json(&["text", "insert", "plan", "6", ", by the laptop"]);
    for folder in [&scene.laptop, &scene.phone, &scene.bob] {
        folder.json(&["wait", "notes"]);
    }

    let would = scene.phone.json(&["device", "remove", "laptop", "--dry-run"]);
    assert_eq!((&would["removed"], &would["stays"]), (&true.into(), &serde_json::json!([])));
    assert_eq!(would["spaces"].as_array().unwrap().len(), 2);
    assert_eq!(device(&scene.phone, "laptop")["removed"], false, "nothing was done");
    let said = scene.phone.run(&["device", "remove", "laptop", "--dry-run"]).stdout;
    assert!(said.contains("would remove `laptop`") && said.contains("2 spaces"), "{said}");

    let id = laptop_up.ready["peer_id"].as_str().unwrap();
    let done = scene.phone.json(&["device", "remove", &id[id.len() - 8..], "--yes"]);
    assert_eq!((&done["device"], &done["removed"]), (&id.into(), &true.into()));
    for (whose, folder) in [("the phone", &scene.phone), ("Bob", &scene.bob)] {
        until(&format!("{whose} cuts it off"), || !is_connected(folder, &laptop_up));
    }
    // Whoever sits at it hears what happened, off line too.
    until("the laptop knows", || scene.laptop.json(&["status"])["removed_by"].is_string());
    assert_eq!(scene.laptop.error(4, &["text", "insert", "plan", "0", "x"]), "device_removed");
    assert_eq!(scene.laptop.error(4, &["space", "create", "elsewhere"]), "device_removed");
    assert_eq!(scene.laptop.error(4, &["device", "link"]), "device_removed");
    let said = scene.laptop.run(&["status"]).stdout;
    assert!(said.contains("this device was removed") && said.contains("nothing can be written"), "{said}");
    assert_eq!(device(&scene.phone, "laptop")["spaces"], serde_json::json!([]));
    let listed = scene.phone.run(&["device", "list"]).stdout;
    assert!(!listed.contains("laptop"), "{listed}");
    assert!(scene.phone.run(&["device", "list", "--all"]).stdout.contains("removed"));

    // What it wrote stays; nothing that is written after reaches it, and nothing of it anybody.
    scene.bob.json(&["text", "insert", "plan", "0", "after: "]);
    scene.phone.json(&["wait", "notes", "--with", "Bob"]);
    for folder in [&scene.phone, &scene.bob] {
        assert_eq!(folder.text("plan"), "after: before, by the laptop");
    }
    assert_eq!(scene.laptop.text("plan"), "before, by the laptop");
    scene.phone.json(&["space", "create", "later"]);
    laptop_up.kill();
    let laptop_up = scene.laptop.up(&["--peer", &_phone_up.address(), "--peer", &_bob_up.address()]);
    scene.bob.json(&["text", "insert", "plan", "0", "long "]);
    scene.phone.json(&["wait", "notes", "--with", "Bob"]);
    for folder in [&scene.phone, &scene.bob] {
        until("it is turned away", || !is_connected(folder, &laptop_up));
    }
    assert_eq!(scene.laptop.text("plan"), "before, by the laptop");
    assert_eq!(spaces(&scene.laptop), ["diary", "notes"]);
    assert_eq!(scene.phone.error(3, &["device", "remove", "nobody"]), "unknown_device");
    assert_eq!(scene.phone.error(4, &["device", "remove", "phone"]), "own_device");
}

#[test]
fn a_later_device_does_not_remove_an_earlier_one_and_nothing_is_done() {
    let scene = Scene::new();
    let (phone_up, _laptop_up, _bob_up) = scene.up();
    let refused = scene.laptop.run(&["--json", "device", "remove", "phone"]);
    assert!(refused.stderr.contains("recovery phrase"), "{refused:?}");
    assert_eq!(refused.error(4), "earlier_device");
    assert_eq!(scene.laptop.error(4, &["device", "remove", "phone", "--dry-run"]), "earlier_device");
    let phone = device(&scene.laptop, "phone");
    assert_eq!((&phone["removed"], &phone["sibling"]), (&false.into(), &true.into()));
    scene.laptop.json(&["space", "create", "later"]);
    until("the phone gets what the laptop makes", || spaces(&scene.phone).contains(&"later".to_owned()));
    assert!(is_connected(&scene.laptop, &phone_up));
}

/// Where it founded a space it is the earlier one there.
#[test]
fn a_device_stays_where_the_one_that_removes_it_is_the_later_one() {
    let scene = Scene::new();
    let (_phone_up, _laptop_up, _bob_up) = scene.up();
    scene.laptop.json(&["space", "create", "from the laptop"]);
    until("the phone has it", || spaces(&scene.phone).contains(&"from the laptop".to_owned()));
    let ended = scene.phone.run(&["--json", "device", "remove", "laptop"]);
    let done: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((ended.exit, &done["removed"]), (1, &true.into()));
    assert_eq!(done["stays"][0]["name"], "from the laptop");
    assert_eq!(done["stays"][0]["reason"]["code"], "earlier_device");
    assert!(ended.stderr.contains("partly_removed"), "{ended:?}");
    let shown = scene.phone.run(&["device", "list"]).stdout;
    assert!(shown.contains("removed, but not everywhere"), "{shown}");
}

#[cfg(unix)]
#[test]
fn who_removes_a_device_is_asked_first() {
    let scene = Scene::new();
    let _phone_up = scene.phone.up(&[]);
    let ask = |answer: &str| {
        let mut terminal = super::terminal::Terminal::start(&scene.phone, 100, &[], &["device", "remove", "laptop"]);
        terminal.until(|shown| shown.contains("[y/N]"));
        terminal.type_in(answer);
        terminal.end()
    };
    let (shown, exit) = ask("\n");
    assert!(exit == 4 && shown.contains("from your devices and from 2 spaces"), "{shown}");
    assert_eq!(device(&scene.phone, "laptop")["removed"], false);
    let (shown, exit) = ask("y\n");
    assert!(exit == 0 && shown.contains("removed `laptop`"), "{shown}");
    assert_eq!(device(&scene.phone, "laptop")["removed"], true);
}

#[test]
fn waiting_for_the_other_device_ends_when_it_is_in() {
    let laptop = Folder::of("Alice");
    let _laptop_up = laptop.up(&[]);
    laptop.json(&["space", "create", "notes"]);
    let waiting = Following::start(&laptop, &["--json", "device", "link", "--wait"]);
    let made = waiting.until(|line| line["link"].is_string());
    let phone = Folder::new();
    phone.json(&["device", "join", made["link"].as_str().unwrap(), "--name", "phone"]);
    let linked = waiting.until(|line| line["device"].is_string());
    assert_eq!((&linked["name"], &linked["device"]), (&"phone".into(), &phone.json(&["status"])["peer_id"]));
    assert_eq!(waiting.end().exit, 0);
    // A link that nobody uses ends the wait.
    let ended = laptop.run(&["--json", "device", "link", "--wait", "--expires", "1s"]);
    assert!(ended.exit == 5 && ended.stderr.contains("link_not_used"), "{ended:?}");
}
