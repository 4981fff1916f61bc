//! What people paste. Spec: INVITATION-1.

use weft_crypto::{DeviceId, InvitationSecret, SpaceId};
use weft_invitation::{Link, LinkError};

pub(crate) fn link() -> Link {
    Link {
        space: SpaceId::from_bytes([1; 32]),
        secret: InvitationSecret::from_seed([2; 32]),
        hosts: vec![DeviceId::from_bytes([3; 32])],
        addresses: vec!["/ip4/192.0.2.7/udp/9338/quic-v1".into(), "/ip4/192.0.2.7/tcp/9338".into()],
        space_name: "notes".into(),
        inviter_name: "Älice".into(),
    }
}

/// Spec: INVITATION-1.1.
#[test]
fn a_link_survives_upper_case_and_white_space() {
    let text = link().encode();
    for pasted in [text.clone(), format!("  {text}\n"), text.to_uppercase()] {
        let read = Link::parse(&pasted).unwrap();
        assert_eq!(read.space, link().space);
        assert_eq!(*read.secret.seed(), *link().secret.seed());
        assert_eq!((read.hosts, read.addresses), (link().hosts, link().addresses));
        assert_eq!((read.space_name, read.inviter_name), ("notes".into(), "Älice".into()));
    }
}

#[test]
fn what_is_no_link_is_told_so() {
    for text in ["", "weft", "weft-invite", "https://example.org/weft-invite:abc", "weft-invité:abc"] {
        assert_eq!(Link::parse(text).unwrap_err(), LinkError::NotALink, "{text}");
    }
    let long = format!("weft-invite:{}", "a".repeat(20_000));
    assert!(matches!(Link::parse(&long).unwrap_err(), LinkError::TooLong { .. }));
}

/// Spec: INVITATION-1.1.
#[test]
fn a_link_that_was_cut_anywhere_says_so() {
    let text = link().encode();
    for end in "weft-invite:".len()..text.len() {
        assert_eq!(Link::parse(&text[..end]).unwrap_err(), LinkError::CutShort, "cut at {end}");
    }
}

/// Spec: INVITATION-1.1.
#[test]
fn a_link_with_a_changed_character_says_so() {
    let text = link().encode();
    for at in "weft-invite:".len()..text.len() {
        for new in ["a", "7", "!", " "] {
            if text[at..=at] == *new {
                continue;
            }
            let mut changed = text.clone();
            changed.replace_range(at..=at, new);
            let error = Link::parse(&changed).unwrap_err();
            let named = matches!(error, LinkError::Damaged | LinkError::Character | LinkError::CutShort);
            assert!(named, "{error:?} at {at}");
        }
    }
    assert_eq!(Link::parse(&format!("{text}aaaaaaaa")).unwrap_err(), LinkError::Damaged);
}

/// Wraps a message as a link, checksum and all.
fn wrap(message: &[u8]) -> String {
    use weft_crypto::{Context, Hasher, base32};
    let mut bytes = Vec::new();
    weft_wire::varint::write(message.len() as u64, &mut bytes);
    bytes.extend_from_slice(message);
    bytes.extend_from_slice(&Hasher::new(Context::INVITATION_LINK).var(message).finish()[..4]);
    format!("weft-invite:{}", base32::encode(&bytes))
}

#[test]
fn a_later_version_is_named() {
    let error = Link::parse(&wrap(&[0x08, 2, 0x10, 7])).unwrap_err();
    assert_eq!(error, LinkError::UnknownVersion { found: 2 });
    assert!(error.to_string().contains("update weft"));
}

#[test]
fn a_link_holds_what_it_must() {
    use prost::Message as _;
    let good = weft_wire::invitation::Link {
        version: 1,
        space: vec![1; 32].into(),
        secret: vec![2; 32].into(),
        hosts: vec![vec![3; 32].into()],
        ..Default::default()
    };
    assert!(Link::parse(&wrap(&good.encode_to_vec())).is_ok());
    let content = |change: &dyn Fn(&mut weft_wire::invitation::Link)| {
        let mut link = good.clone();
        change(&mut link);
        matches!(Link::parse(&wrap(&link.encode_to_vec())), Err(LinkError::Content { .. }))
    };
    assert!(content(&|link| link.version = 0));
    assert!(content(&|link| link.space = vec![1; 31].into()));
    assert!(content(&|link| link.secret = bytes::Bytes::new()));
    assert!(content(&|link| link.hosts.clear()));
    assert!(content(&|link| link.hosts = vec![vec![3; 32].into(); 5]));
    assert!(content(&|link| link.addresses = vec![String::new(); 17]));
    assert!(content(&|link| link.space_name = "x".repeat(129)));
}
