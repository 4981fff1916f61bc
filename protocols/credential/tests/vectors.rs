//! Known answers: `specs/vectors/credential`. `WEFT_REGENERATE=1 cargo test -p weft-credential` writes them.

use std::{fs, path::PathBuf};

use bytes::Bytes;
use data_encoding::HEXLOWER as HEX;
use serde_json::{Value, json};
use weft_credential::{
    ControlBody, Credential, Genesis, History, Malformed, Part, RULES, Redemption, RootStatements, invitation_id,
};
use weft_crypto::{InvitationSecret, Purpose, SpaceId};

use crate::newcomer::Newcomer;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../specs/vectors/credential/{name}.json"))
}

/// Compares with the kept file, or writes it.
fn keep(name: &str, vectors: &Value) {
    let path = path(name);
    if std::env::var_os("WEFT_REGENERATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("{vectors:#}\n")).unwrap();
    }
    let kept: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(&kept, vectors, "{name}: the code gives other answers than the vectors");
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    HEX.encode(bytes.as_ref())
}

/// Spec: CREDENTIAL-4, CREDENTIAL-5, CREDENTIAL-8.
#[test]
fn statements() {
    let (alice, bob) = (Newcomer::new(1), Newcomer::new(2));
    let genesis = Genesis {
        root: alice.root.id(),
        rules: RULES,
        history: History::All,
        nonce: [9; 32],
        device: alice.device.id(),
        feed_key: alice.feeds[0].id(),
    };
    let space = genesis.space_id();
    let link = InvitationSecret::from_seed([5; 32]);
    let redemption = bob.redemption(space, &link, alice.device.id());
    let [admitted, recovery] = bob.statements.clone();
    let body = ControlBody::new(vec![
        Part::new(space, Credential::SpaceGenesis(genesis.sign(&alice.device))),
        Part::new(space, Credential::RootStatement(alice.statements[0].clone())),
        Part::new(space, Credential::FeedAdmitted(alice.manifest(space, Purpose::Control))),
        Part::new(space, Credential::InvitationRedeemed(Box::new(redemption.clone()))),
    ]);
    keep(
        "statements",
        &json!({
            "genesis": { "statement": hex(genesis.encode()), "space": hex(space), "feed": hex(genesis.feed()) },
            "root_statements": [
                { "carried": hex(admitted.encode()), "hash": hex(admitted.hash()) },
                { "carried": hex(recovery.encode()), "hash": hex(recovery.hash()) },
            ],
            "redemption": { "bytes": hex(redemption.encode()), "invitation": hex(invitation_id(&space, &link.id())) },
            "control_body": hex(body.encode()),
        }),
    );
}

/// The bytes alone are enough to check everything.
#[test]
fn statements_are_read_back() {
    let kept: Value = serde_json::from_str(&fs::read_to_string(path("statements")).unwrap()).unwrap();
    let bytes = |value: &Value| Bytes::from(HEX.decode(value.as_str().unwrap().as_bytes()).unwrap());
    let genesis = Genesis::decode(&bytes(&kept["genesis"]["statement"])).unwrap();
    let space = SpaceId::try_from(&bytes(&kept["genesis"]["space"])).unwrap();
    assert_eq!(genesis.space_id(), space);
    let carried = kept["root_statements"].as_array().unwrap().iter();
    let carried = carried.map(|one| weft_credential::Carried::decode(&bytes(&one["carried"])).unwrap());
    assert!(RootStatements::verify(carried.collect()).is_ok());
    assert_eq!(Redemption::decode(&bytes(&kept["redemption"]["bytes"])).unwrap().verify(&space), Ok(()));
    let parts = ControlBody::decode(&bytes(&kept["control_body"]), &space).unwrap().verify().unwrap();
    assert_eq!(parts.len(), 4);
}

/// Spec: CREDENTIAL-2.
#[test]
fn refused() {
    let space = SpaceId::from_bytes([7; 32]);
    let cases = [
        ("no part", String::new()),
        ("not a message", "ff".to_owned()),
        ("a credential of another space", format!("0a260a20{}1028", "08".repeat(32))),
        ("a space of 31 bytes", format!("0a250a1f{}1028", "07".repeat(31))),
        ("kind 4 without its critical bit", format!("0a240a20{}1004", "07".repeat(32))),
    ];
    let refused: Vec<_> = cases
        .into_iter()
        .map(|(what, body)| {
            let bytes = Bytes::from(HEX.decode(body.as_bytes()).unwrap());
            let error: Malformed = ControlBody::decode(&bytes, &space).unwrap_err();
            json!({ "what": what, "body": body, "error": error.to_string() })
        })
        .collect();
    keep("refused", &json!({ "space": hex(space), "refused": refused }));
}
