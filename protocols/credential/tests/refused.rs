//! What is malformed, and how it is named. Spec: CREDENTIAL-2.3.

use bytes::Bytes;
use prost::Message as _;
use weft_credential::{
    Branch, Carried, ControlBody, Credential, EpochStarted, ForkProven, Genesis, History, InvitationIssued, Lockbox,
    LockboxRefused, Malformed, Part, PreKeySet, RULES, Redemption, Role, RootStatement, RootStatements, SealedToKeys,
    Subject, To, Unknown, limits,
};
use weft_crypto::{
    DeviceKey, EpochId, FeedSecret, InvitationSecret, Manifest, PreKeySecret, Purpose, RootKey, SpaceId,
    lockbox::{self, Commitments, Recipient, RecipientKind},
};
use weft_wire::credential as wire;

use crate::newcomer::Newcomer;

const SPACE: SpaceId = SpaceId::from_bytes([7; 32]);
const OTHER: SpaceId = SpaceId::from_bytes([8; 32]);

fn read(credential: Credential) -> Result<(), Malformed> {
    let body = ControlBody::new(vec![Part::new(SPACE, credential)]).encode();
    ControlBody::decode(&body, &SPACE)?.verify().map(drop)
}

fn credential(kind: u32, critical: bool, content: Bytes) -> Bytes {
    let part = wire::Credential { space: SPACE.to_bytes(), kind, version: 1, critical, content };
    let body = wire::ControlBody { credentials: vec![part.encode_to_vec().into()] };
    body.encode_to_vec().into()
}

fn decode(body: &Bytes) -> Malformed {
    ControlBody::decode(body, &SPACE).unwrap_err()
}

/// Spec: CREDENTIAL-1.
#[test]
fn a_body_has_parts_and_a_bound() {
    assert_eq!(decode(&Bytes::new()), Malformed::Empty);
    let found = limits::BODY_BYTES_MAX + 1;
    assert_eq!(decode(&vec![0; found].into()), Malformed::TooLong { found });
    assert!(matches!(decode(&Bytes::from_static(&[0xff])), Malformed::Decode { what: "ControlBody", .. }));
    let part = Part::new(SPACE, Credential::Unknown(Unknown { kind: 40, critical: false, content: Bytes::new() }));
    let many = ControlBody::new(vec![part; limits::PARTS_MAX + 1]).encode();
    assert!(matches!(decode(&many), Malformed::Decode { what: "ControlBody", .. }));
}

/// Spec: CREDENTIAL-2.
#[test]
fn every_credential_names_its_space() {
    let unknown = Credential::Unknown(Unknown { kind: 40, critical: false, content: Bytes::new() });
    let body = ControlBody::new(vec![Part::new(OTHER, unknown)]).encode();
    assert_eq!(decode(&body), Malformed::OtherSpace { what: "a credential" });
}

/// Spec: CREDENTIAL-2.1, CREDENTIAL-2.2.
#[test]
fn known_kinds_are_critical_and_unknown_ones_are_carried() {
    let issued = Credential::InvitationIssued(InvitationIssued {
        key: InvitationSecret::from_seed([1; 32]).id(),
        role: Role::Writer,
        uses: 1,
        expires_ms: 5,
        approve: false,
    });
    let body = ControlBody::new(vec![Part::new(SPACE, issued)]).encode();
    let message: wire::ControlBody = weft_wire::decode(&body).unwrap();
    let part: wire::Credential = weft_wire::decode(&message.credentials[0]).unwrap();
    let body = credential(part.kind, false, part.content);
    assert_eq!(decode(&body), Malformed::Critical { kind: 6, critical: false });
    let refused = Credential::LockboxRefused(LockboxRefused {
        epoch: EpochId::from_bytes([1; 32]),
        device: DeviceKey::from_seed([2; 32]).id(),
    });
    let body = ControlBody::new(vec![Part::new(SPACE, refused)]).encode();
    let message: wire::ControlBody = weft_wire::decode(&body).unwrap();
    let part: wire::Credential = weft_wire::decode(&message.credentials[0]).unwrap();
    assert!(!part.critical);
    assert_eq!(decode(&credential(17, true, part.content)), Malformed::Critical { kind: 17, critical: true });
    for (kind, critical) in [(0, true), (18, true), (18, false), (4_000_000_000, true)] {
        let content = Bytes::from_static(b"anything");
        let body = ControlBody::decode(&credential(kind, critical, content.clone()), &SPACE).unwrap();
        assert_eq!(body.parts()[0].credential, Credential::Unknown(Unknown { kind, critical, content }));
        assert_eq!(body.parts()[0].version, RULES);
    }
}

/// Spec: CREDENTIAL-12.
#[test]
fn a_witness_of_a_fork_names_a_feed_of_the_space_and_one_of_two_heads() {
    let manifest = Manifest {
        version: Manifest::VERSION,
        space: SPACE,
        device: DeviceKey::from_seed([1; 32]).id(),
        feed_key: FeedSecret::from_seed([2; 32]).id(),
        purpose: Purpose::Data,
        generation: 0,
    };
    let proven = |manifest| ForkProven { manifest, proof: Bytes::from_static(b"proof"), held: Branch::Second };
    let says = Credential::ForkProven(proven(manifest));
    let body = ControlBody::new(vec![Part::new(SPACE, says.clone())]).encode();
    assert_eq!(ControlBody::decode(&body, &SPACE).unwrap().parts()[0].credential, says);
    let other = Credential::ForkProven(proven(Manifest { space: OTHER, ..manifest }));
    assert_eq!(read(other), Err(Malformed::OtherSpace { what: "a manifest" }));
    for held in [0, 3] {
        let message = wire::ForkProven { proof: Bytes::from_static(b"proof"), manifest: manifest.encode(), held };
        let body = credential(15, true, message.encode_to_vec().into());
        assert_eq!(decode(&body), Malformed::Number { field: "ForkProven.held", found: held.into() });
    }
    let message = wire::ForkProven { proof: Bytes::new(), manifest: Bytes::from_static(b"?"), held: 1 };
    let body = credential(15, true, message.encode_to_vec().into());
    assert!(matches!(decode(&body), Malformed::Manifest { field: "ForkProven.manifest", .. }));
}

/// Spec: CREDENTIAL-4.1.
#[test]
fn a_genesis_is_of_its_own_space_and_signed_by_its_device() {
    let alice = Newcomer::new(1);
    let genesis = Genesis {
        root: alice.root.id(),
        rules: RULES,
        history: History::All,
        nonce: [1; 32],
        device: alice.device.id(),
        feed_key: alice.feeds[0].id(),
    };
    let of = |space, signer: &DeviceKey| {
        let body = ControlBody::new(vec![Part::new(space, Credential::SpaceGenesis(genesis.sign(signer)))]);
        ControlBody::decode(&body.encode(), &space).unwrap().verify().map(drop)
    };
    assert_eq!(of(genesis.space_id(), &alice.device), Ok(()));
    assert_eq!(of(SPACE, &alice.device), Err(Malformed::OtherSpace { what: "the genesis statement" }));
    let forged = of(genesis.space_id(), &Newcomer::new(2).device);
    assert_eq!(forged, Err(Malformed::Signature { by: "the founder's device" }));
    let mut message: wire::GenesisStatement = weft_wire::decode(&genesis.encode()).unwrap();
    message.history = 3;
    let refused = Genesis::decode(&message.encode_to_vec().into());
    assert_eq!(refused, Err(Malformed::Number { field: "GenesisStatement.history", found: 3 }));
    message.version = 2;
    let refused = Genesis::decode(&message.encode_to_vec().into());
    assert_eq!(refused, Err(Malformed::Number { field: "GenesisStatement.version", found: 2 }));
    message.version = 1;
    message.root = Bytes::from_static(b"short");
    let refused = Genesis::decode(&message.encode_to_vec().into());
    assert_eq!(refused, Err(Malformed::Length { field: "GenesisStatement.root", expected: 32, found: 5 }));
}

/// Spec: CREDENTIAL-5.2.
#[test]
fn root_statements_are_chained() {
    let root = RootKey::from_seed([1; 32]);
    let device = Newcomer::new(1).device.id();
    let [first, second] = RootStatements::at_init(&root, &root.id(), device, PreKeySecret::from_seed([3; 32]).id());
    assert!(RootStatements::verify(vec![first.clone(), second.clone()]).is_ok());
    let number = Malformed::Number { field: "RootStatement.number", found: 1 };
    assert_eq!(RootStatements::verify(vec![second.clone()]), Err(number));
    let disagree = Malformed::Disagree { what: "a root statement and the one before" };
    let statement = |number, previous, next_root, signer: &RootKey| {
        let subject = Subject::DeviceAdmitted(device);
        RootStatement { identity: signer.id(), scope: None, number, previous, next_root, subject }.sign(signer)
    };
    let stray = statement(1, Some([9; 32]), None, &root);
    assert_eq!(RootStatements::verify(vec![first.clone(), stray]), Err(disagree.clone()));
    let other = RootKey::from_seed([2; 32]);
    let foreign = statement(1, Some(first.hash()), None, &other);
    assert_eq!(RootStatements::verify(vec![first.clone(), foreign]), Err(disagree));
    // What number 0 has, and only number 0.
    for (number, previous, next_root) in
        [(0, None, None), (0, Some([1; 32]), Some([1; 32])), (1, None, None), (1, Some([1; 32]), Some([1; 32]))]
    {
        let carried = statement(number, previous, next_root, &root).encode();
        let what = "the number of a root statement and what it follows";
        assert_eq!(Carried::decode(&carried), Err(Malformed::Disagree { what }));
    }
}

/// Spec: CREDENTIAL-5.
#[test]
fn a_root_statement_is_signed_by_its_root_and_holds_in_its_scope() {
    let root = RootKey::from_seed([1; 32]);
    let statement = RootStatement {
        identity: root.id(),
        scope: Some(OTHER),
        number: 1,
        previous: Some([1; 32]),
        next_root: None,
        subject: Subject::DeviceRemoved { device: DeviceKey::from_seed([3; 32]).id(), cuts: None },
    };
    let scoped = Credential::RootStatement(statement.sign(&root));
    assert_eq!(read(scoped), Err(Malformed::OtherSpace { what: "a root statement" }));
    let forged = Credential::RootStatement(statement.sign(&RootKey::from_seed([2; 32])));
    assert_eq!(read(forged), Err(Malformed::Signature { by: "the root key" }));
    let here = RootStatement { scope: Some(SPACE), ..statement };
    assert_eq!(read(Credential::RootStatement(here.sign(&root))), Ok(()));
    let mut message: wire::RootStatement = weft_wire::decode(&here.encode()).unwrap();
    message.kind = 4;
    let refused = RootStatement::decode(&message.encode_to_vec().into());
    assert_eq!(refused, Err(Malformed::Number { field: "RootStatement.kind", found: 4 }));
}

#[test]
fn a_manifest_is_of_this_space_and_signed_twice() {
    let bob = Newcomer::new(2);
    assert_eq!(read(Credential::FeedAdmitted(bob.manifest(SPACE, Purpose::Data))), Ok(()));
    let elsewhere = Credential::FeedAdmitted(bob.manifest(OTHER, Purpose::Data));
    assert_eq!(read(elsewhere), Err(Malformed::OtherSpace { what: "a manifest" }));
    let mut unsigned = bob.manifest(SPACE, Purpose::Data);
    unsigned.feed_signature = unsigned.device_signature;
    let refused = read(Credential::FeedAdmitted(unsigned));
    assert!(matches!(refused, Err(Malformed::Manifest { field: "FeedAdmitted.manifest", .. })));
}

/// Spec: CREDENTIAL-7.1.
#[test]
fn an_epochs_lockboxes_are_for_its_recipients() {
    let recipient = |byte| Recipient {
        kind: RecipientKind::Device,
        recipient: [byte; 32],
        key: PreKeySecret::from_seed([byte; 32]).id(),
    };
    let started = EpochStarted {
        commitments: Commitments { content: [1; 32], access: [2; 32] },
        parents: vec![],
        to: To::Each { recipients: vec![recipient(1)], lockboxes: vec![] },
        sealed_access: Bytes::new(),
        sealed_content: Bytes::new(),
    };
    let with = |epoch, to| {
        let sealed = lockbox::Lockbox { encapsulated: [0; 32], ciphertext: vec![0; 80].into() };
        let lockboxes = vec![Lockbox { epoch, recipient: recipient(to), sealed }];
        let to = To::Each { recipients: vec![recipient(1)], lockboxes };
        read(Credential::EpochStarted(EpochStarted { to, ..started.clone() }))
    };
    let id = started.id(&SPACE);
    let disagree = Err(Malformed::Disagree { what: "an epoch and its lockboxes" });
    assert_eq!(with(id, 1), Ok(()));
    assert_eq!(with(id, 2), disagree);
    assert_eq!(with(EpochId::from_bytes([9; 32]), 1), disagree);
}

#[test]
fn an_invitation_has_uses_and_a_role() {
    let message = |role, uses| {
        let issued = wire::InvitationIssued { key: vec![1; 32].into(), role, uses, expires_ms: 0, approve: false };
        ControlBody::decode(&credential(6, true, issued.encode_to_vec().into()), &SPACE)
    };
    assert!(message(2, 1).is_ok());
    for uses in [0, limits::USES_MAX + 1] {
        let found = uses.into();
        assert_eq!(message(2, uses), Err(Malformed::Number { field: "InvitationIssued.uses", found }));
    }
    assert_eq!(message(6, 1), Err(Malformed::Number { field: "InvitationIssued.role", found: 6 }));
}

/// Spec: CREDENTIAL-8.2, CREDENTIAL-8.3. Nothing in a redemption can be turned to another's use.
#[test]
fn a_redemption_binds_the_newcomer() {
    let (bob, mallory) = (Newcomer::new(2), Newcomer::new(3));
    let link = InvitationSecret::from_seed([5; 32]);
    let host = Newcomer::new(1).device.id();
    let good = bob.redemption(SPACE, &link, host);
    assert_eq!(good.verify(&SPACE), Ok(()));
    assert_eq!(good.verify(&OTHER), Err(Malformed::OtherSpace { what: "a redemption" }));
    assert_eq!(Redemption::decode(&good.encode()), Ok(good.clone()));
    assert_ne!(good.feeds()[0], good.feeds()[1]);

    // Mallory, the host, knows the link now. It cannot sign for Bob's device, nor put itself into Bob's statement.
    let stolen = bob.statement(SPACE, &link, host).sign(&link, &mallory.device);
    assert_eq!(stolen.verify(&SPACE), Err(Malformed::Signature { by: "the newcomer's device" }));
    let guessed = bob.statement(SPACE, &link, host).sign(&InvitationSecret::from_seed([6; 32]), &bob.device);
    assert_eq!(guessed.verify(&SPACE), Err(Malformed::Signature { by: "the invitation key" }));

    let roots = Malformed::Disagree { what: "a redemption and its root statements" };
    let manifests = Malformed::Disagree { what: "a newcomer and its manifests" };
    let with = |change: &dyn Fn(&mut weft_credential::redemption::Statement)| {
        let mut statement = bob.statement(SPACE, &link, host);
        change(&mut statement);
        statement.sign(&link, &bob.device).verify(&SPACE).unwrap_err()
    };
    assert_eq!(with(&|s| s.identity = mallory.root.id()), roots);
    assert_eq!(with(&|s| s.device_admitted = mallory.statements[0].clone()), roots);
    assert_eq!(with(&|s| s.device_admitted = s.recovery_key_set.clone()), roots);
    assert_eq!(with(&|s| s.recovery_key_set = mallory.statements[1].clone()), roots);
    assert_eq!(with(&|s| s.recovery_key_set = s.device_admitted.clone()), roots);
    assert_eq!(with(&|s| s.control = s.data.clone()), manifests);
    assert_eq!(with(&|s| s.data = mallory.manifest(SPACE, Purpose::Data)), manifests);
    assert_eq!(with(&|s| s.data = bob.manifest(OTHER, Purpose::Data)), manifests);
}

#[test]
fn fixed_fields_have_their_length() {
    let set = PreKeySet { device: Newcomer::new(1).device.id(), number: 1, key: PreKeySecret::from_seed([1; 32]).id() };
    assert_eq!(read(Credential::PreKeySet(set)), Ok(()));
    let short = wire::PreKeySet { device: vec![1; 31].into(), number: 0, key: vec![1; 32].into() };
    let body = credential(4, true, short.encode_to_vec().into());
    assert_eq!(decode(&body), Malformed::Length { field: "PreKeySet.device", expected: 32, found: 31 });
    let none = credential(8, true, Bytes::new());
    assert_eq!(decode(&none), Malformed::Length { field: "LockboxAdded.lockbox", expected: 1, found: 0 });
}

/// Spec: CREDENTIAL-7.3.
#[test]
fn an_epoch_names_recipients_in_one_way() {
    let to = |keys: Vec<[u8; 16]>, sealed: usize| {
        let ciphertexts = vec![7; sealed * 48].into();
        let to = To::Keys(SealedToKeys { keys, encapsulated: [5; 32], ciphertexts });
        let commitments = Commitments { content: [1; 32], access: [2; 32] };
        let (sealed_access, sealed_content) = (Bytes::new(), Bytes::new());
        read(Credential::EpochStarted(EpochStarted { commitments, parents: vec![], to, sealed_access, sealed_content }))
    };
    let disagree = |what| Err(Malformed::Disagree { what });
    assert_eq!(to(vec![[1; 16], [2; 16]], 2), Ok(()));
    assert_eq!(to(vec![[2; 16], [1; 16]], 2), disagree("the keys of an epoch and their order"));
    assert_eq!(to(vec![[1; 16], [1; 16]], 2), disagree("the keys of an epoch and their order"));
    assert_eq!(to(vec![[1; 16], [2; 16]], 1), disagree("the keys of an epoch and what is sealed to them"));
}
