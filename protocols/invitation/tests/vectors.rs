//! Known answers: `specs/vectors/invitation`. `WEFT_REGENERATE=1 cargo test -p weft-invitation` writes them.

use std::{fs, path::PathBuf};

use data_encoding::HEXLOWER as HEX;
use serde_json::{Value, json};
use weft_invitation::{Config, Host, HostInput, HostOutput, Link, LinkError, Newcomer, NewcomerInput, NewcomerOutput};
use weft_machine::{Machine, Seed, Time};

use crate::{
    newcomer::Newcomer as Person,
    session::{SPACE, link, payload},
};

/// Compares with the kept file, or writes it.
fn keep(name: &str, vectors: &Value) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../specs/vectors/invitation/{name}.json"));
    if std::env::var_os("WEFT_REGENERATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("{vectors:#}\n")).unwrap();
    }
    let kept: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(&kept, vectors, "{name}: the code gives other answers than the vectors");
}

/// Spec: INVITATION-1.1.
#[test]
fn links() {
    let good = crate::links::link();
    let text = good.encode();
    let damaged = text.replacen("weft-invite:", "weft-invite:a", 1);
    let refused: Vec<_> = [&text[5..], &text[..text.len() - 9], &damaged, &format!("{text}%")]
        .map(|text| {
            let error: LinkError = Link::parse(text).unwrap_err();
            json!({ "text": text, "error": error.to_string() })
        })
        .into();
    keep(
        "links",
        &json!({
            "link": {
                "text": text,
                "space": HEX.encode(good.space.as_bytes()),
                "secret": HEX.encode(&*good.secret.seed()),
                "hosts": good.hosts.iter().map(|host| HEX.encode(host.as_bytes())).collect::<Vec<_>>(),
                "addresses": good.addresses,
                "space_name": good.space_name,
                "inviter_name": good.inviter_name,
            },
            "refused": refused,
        }),
    );
}

/// Spec: INVITATION-7.2
#[test]
fn digits() {
    let known = [[0; 32], [1; 32], std::array::from_fn(|place| place as u8)].map(|key: [u8; 32]| {
        let digits = weft_invitation::digits(&weft_crypto::IdentityId::from_bytes(key));
        json!({ "root_key": HEX.encode(&key), "digits": digits })
    });
    keep("digits", &json!(known));
}

/// Spec: INVITATION-3.
#[test]
fn session() {
    let (alice, bob) = (Person::new(1).device.id(), Person::new(2));
    let redemption = bob.redemption(SPACE, &link(), alice);
    let mut host = Host::new(Config::default(), alice, bob.device.id(), Time::ZERO, &Seed::from_bytes([1; 32]));
    let seed = Seed::from_bytes([2; 32]);
    let mut newcomer = Newcomer::new(Config::default(), bob.device.id(), alice, link(), redemption, Time::ZERO, &seed);
    let mut frames = Vec::new();
    let mut judged = None;
    for _ in 0..2 {
        while let Some(NewcomerOutput::Send(framed)) = newcomer.poll_output() {
            frames.push(json!({ "from": "newcomer", "frame": HEX.encode(&framed) }));
            host.handle_input(Time::ZERO, HostInput::Received(payload(framed)));
        }
        while let Some(output) = host.poll_output() {
            match output {
                HostOutput::Send(framed) => {
                    frames.push(json!({ "from": "host", "frame": HEX.encode(&framed) }));
                    newcomer.handle_input(Time::ZERO, NewcomerInput::Received(payload(framed)));
                }
                HostOutput::Judge { invitation, .. } => judged = Some(HEX.encode(invitation.as_bytes())),
                other => panic!("{other:?}"),
            }
        }
    }
    keep(
        "session",
        &json!({
            "newcomer": HEX.encode(bob.device.id().as_bytes()),
            "host": HEX.encode(alice.as_bytes()),
            "secret": HEX.encode(&*link().seed()),
            "frames": frames,
            "judged": judged.unwrap(),
        }),
    );
}

/// Spec: INVITATION-6.1, INVITATION-6.2
#[test]
fn devices() {
    use weft_credential::Chain;
    use weft_invitation::device::{self, DeviceLink};
    let (alice, phone) = (Person::new(1), Person::new(2));
    let (identity, host) = (alice.root.id(), alice.device.id());
    let link = DeviceLink { identity, secret: link(), host, addresses: vec!["/ip4/192.0.2.7/tcp/9338".into()] };
    let text = link.encode();
    let chain = Chain::default().and(identity, &alice.device, phone.device.id()).unwrap();
    let home = weft_crypto::SpaceId::from_bytes([9; 32]);
    let welcome = device::Welcome { statements: alice.statements.clone(), chain, home, name: "alice".into() };
    let (seeds, me) = ([1, 2].map(|byte| Seed::from_bytes([byte; 32])), phone.device.id());
    let mut host = device::Host::new(Config::default(), identity, host, me, Time::ZERO, &seeds[0]);
    let mut newcomer = device::Newcomer::new(Config::default(), me, link, "phone".into(), Time::ZERO, &seeds[1]);
    let mut frames = Vec::new();
    for _ in 0..2 {
        while let Some(device::NewcomerOutput::Send(framed)) = newcomer.poll_output() {
            frames.push(json!({ "from": "newcomer", "frame": HEX.encode(&framed) }));
            host.handle_input(Time::ZERO, device::HostInput::Received(payload(framed)));
        }
        while let Some(output) = host.poll_output() {
            match output {
                device::HostOutput::Send(framed) => {
                    frames.push(json!({ "from": "host", "frame": HEX.encode(&framed) }));
                    newcomer.handle_input(Time::ZERO, device::NewcomerInput::Received(payload(framed)));
                }
                device::HostOutput::Link { .. } => {
                    let welcome = Ok(Box::new(welcome.clone()));
                    host.handle_input(Time::ZERO, device::HostInput::Linked(welcome));
                }
                _ => {}
            }
        }
    }
    keep(
        "devices",
        &json!({
            "link": text,
            "identity": HEX.encode(identity.as_bytes()),
            "newcomer": HEX.encode(me.as_bytes()),
            "host": HEX.encode(alice.device.id().as_bytes()),
            "secret": HEX.encode(&*crate::session::link().seed()),
            "home": HEX.encode(home.as_bytes()),
            "frames": frames,
        }),
    );
}
