//! Secrets that are known to the test are looked for in everything that a node and its commands give out.

use std::panic::{AssertUnwindSafe, catch_unwind};

use data_encoding::{BASE32_NOPAD, BASE64, BASE64URL_NOPAD, HEXLOWER};
use weft::identity::{Identity, Passphrase};
use weft_crypto::{Phrase, at_rest, base32};

use super::harness::{Ended, Folder, LOOPBACK, Up, argument};

const PASSPHRASE: &str = "correct horse battery staple";

/// A secret, and every way in which it could be written.
struct Secret {
    name: &'static str,
    forms: Vec<String>,
}

impl Secret {
    fn new(name: &'static str, bytes: &[u8]) -> Secret {
        // The end of an encoding depends on what follows, so it is left out.
        let most = |text: String| text[..text.len() * 3 / 4].to_owned();
        let debug = bytes.iter().take(8).map(u8::to_string).collect::<Vec<_>>().join(", ");
        let mut forms = vec![
            most(HEXLOWER.encode(bytes)),
            most(HEXLOWER.encode(bytes).to_uppercase()),
            most(base32::encode(bytes)),
            most(BASE32_NOPAD.encode(bytes)),
            most(BASE64.encode(bytes)),
            most(BASE64URL_NOPAD.encode(bytes)),
            debug,
        ];
        forms.extend(std::str::from_utf8(bytes).map(str::to_owned));
        Secret { name, forms }
    }

    fn text(name: &'static str, text: &str) -> Secret {
        Secret::new(name, text.as_bytes())
    }
}

/// What was given out, and where.
#[derive(Default)]
struct Heard(Vec<(String, String)>);

impl Heard {
    fn hear(&mut self, place: impl Into<String>, text: impl Into<String>) {
        self.0.push((place.into(), text.into()));
    }

    /// Runs a command; what it prints on purpose is cut out of what is kept.
    fn run(&mut self, folder: &Folder, arguments: &[&str], input: &str, shown: &[&str]) -> Ended {
        let ended = folder.run_with(arguments, input.as_bytes());
        let mut said = ended.stdout.clone();
        shown.iter().for_each(|shown| said = said.replace(shown, "…"));
        self.hear(format!("standard output of {arguments:?}"), said);
        self.hear(format!("standard error of {arguments:?}"), &ended.stderr);
        ended
    }

    fn assert_without(&self, secrets: &[Secret]) {
        for (place, text) in &self.0 {
            for Secret { name, forms } in secrets {
                for form in forms {
                    assert!(!text.contains(form), "{name} is in {place}, as {form}");
                }
            }
        }
    }
}

/// What the system shows of a process to others.
#[cfg(target_os = "linux")]
fn shown_by_the_system(heard: &mut Heard, node: &Up<'_>) {
    for file in ["cmdline", "environ"] {
        let bytes = std::fs::read(format!("/proc/{}/{file}", node.pid())).unwrap_or_default();
        heard.hear(file, String::from_utf8_lossy(&bytes));
    }
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", node.pid())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "a node leaves no core dump: {core}");
}

#[cfg(not(target_os = "linux"))]
fn shown_by_the_system(_heard: &mut Heard, _node: &Up<'_>) {}

/// Spec: NODE-3.4
#[test]
fn no_secret_is_in_any_output_of_a_node_or_a_command() {
    let alice = Folder::new();
    let file = argument(&alice.file("passphrase", PASSPHRASE)).to_owned();
    let other = argument(&alice.file("other", "quite another passphrase")).to_owned();
    let mut heard = Heard::default();
    heard.run(&alice, &["--json", "init", "--name", "Alice", "--passphrase-file", &file], "", &[]);

    // What is planted: everything under the passphrase, opened as the spec says.
    let read = |name: &str| std::fs::read(alice.data().join("identity").join(name)).unwrap();
    let wrapping = at_rest::unwrap_by_passphrase(&read("key"), PASSPHRASE.as_bytes()).unwrap();
    let wrapping: [u8; 32] = wrapping[..].try_into().unwrap();
    let seed = at_rest::unwrap(&read("device"), &wrapping).unwrap();
    let entropy = at_rest::unwrap(&read("phrase"), &wrapping).unwrap();
    let words = Phrase::from_entropy(entropy[..].try_into().unwrap()).words().to_string();
    let device = weft_crypto::DeviceKey::from_seed(seed[..].try_into().unwrap());

    let quiet = ["--log", "trace", "--passphrase-file", &file];
    let node = Up::start(&alice, &[&LOOPBACK[..], &quiet].concat()).unwrap();
    heard.hear("what `up` says", node.ready.to_string());
    shown_by_the_system(&mut heard, &node);
    let token = std::fs::read_to_string(alice.data().join("api-token")).unwrap();
    let json = |heard: &mut Heard, arguments: &[&str]| {
        heard.run(&alice, &[&["--json"], arguments].concat(), "", &[]);
    };
    json(&mut heard, &["space", "create", "garden"]);
    let invited = alice.run(&["--json", "invite", "garden"]);
    let link = invited.json()["link"].as_str().unwrap().to_owned();
    heard.hear("the answer to `invite` beside the link", invited.stdout.replace(&link, "…"));
    heard.run(&alice, &["identity", "phrase"], "", &[&words]);
    let damaged = link[..link.len() - 4].to_owned() + "aaaa";
    for arguments in [
        &["status"][..],
        &["space", "list"],
        &["space", "show", "garden"],
        &["space", "members", "garden"],
        &["feed", "list", "garden"],
        &["object", "create", "garden", "note", "name=plan", "body=water"],
        &["object", "get", "plan"],
        &["text", "show", "plan"],
        &["text", "insert", "plan", "99", "x"],
        &["record", "append", "garden", "1"],
        &["record", "list", "garden"],
        &["verify"],
        &["rebuild", "--dry-run"],
        &["config", "show"],
        &["log", "-n", "100000"],
        &["join", &link],
        &["join", &damaged],
        &["join", "weft-invite:no"],
        &["api", "GET", "no/such/path"],
        &["api", "GET", "status", "what is not wanted"],
        &["api", "POST", "spaces", "{\"name\": 7}"],
        &["api", "POST", "identity/unlock", PASSPHRASE],
        &["identity", "phrase", "--confirm", "--dry-run"],
        &["identity", "passphrase", "--remove", "--passphrase-file", &other],
        &["identity", "passphrase", "--new-passphrase-file", "/nowhere", "--passphrase-file", &file],
        &["identity", "lock"],
        &["status"],
        &["join", &link],
        &["identity", "unlock", "--passphrase-file", &other],
        &["identity", "unlock", "--passphrase-file", &file],
        &["status"],
        &["up", "--passphrase-file", &file],
    ] {
        json(&mut heard, arguments);
        heard.run(&alice, arguments, "", &[]);
    }
    let again = std::fs::read_to_string(alice.data().join("api-token")).unwrap();
    assert_ne!(token, again, "a node that was locked has another token");
    heard.hear("node.json", std::fs::read_to_string(alice.data().join("node.json")).unwrap());
    shown_by_the_system(&mut heard, &node);
    node.down();
    json(&mut heard, &["status", "--passphrase-file", &other]);
    json(&mut heard, &["status", "--passphrase-file", &file]);
    for name in ["weft.log", "weft.log.1", "config.toml", "last-up.json"] {
        heard.hear(name, std::fs::read_to_string(alice.data().join(name)).unwrap_or_default());
    }
    heard.hear("the log at the finest level", alice.log());
    assert!(alice.log().contains("TRACE"), "it is the finest level");

    // A panic says what its values show of themselves.
    let passphrase = Passphrase::read(PASSPHRASE.as_bytes()).unwrap();
    let identity = Identity::open(&alice.data(), Some(&passphrase)).unwrap().unwrap();
    let panicked =
        catch_unwind(AssertUnwindSafe(|| panic!("{:?} {:?} {:?}", &identity, &identity.wrapping, &passphrase)))
            .unwrap_err();
    heard.hear("a panic", *panicked.downcast::<String>().unwrap());

    let mut secrets = vec![
        Secret::text("the passphrase", PASSPHRASE),
        Secret::new("the wrapping key", &wrapping),
        Secret::new("the device key", &seed),
        Secret::new("the key for local secrets", &device.at_rest_key()[..]),
        Secret::new("the phrase's entropy", &entropy),
        Secret::text("the token", token.trim()),
        Secret::text("the token after the lock", again.trim()),
        Secret::text("the link", &link[link.len() - 40..]),
        Secret::text("the other passphrase", "quite another passphrase"),
    ];
    // Three words in a row are no chance.
    let words: Vec<&str> = words.split(' ').collect();
    secrets.extend(words.windows(3).map(|words| Secret::text("words of the phrase", &words.join(" "))));
    heard.assert_without(&secrets);
}
