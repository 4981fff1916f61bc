//! Epoch secrets and their lockboxes.

use weft_crypto::{
    EpochId, Phrase, PreKeyId, PreKeySecret, SpaceId,
    lockbox::{EpochSecrets, Lockbox, LockboxError, Recipient, RecipientKind, epoch_id, open, open_access, seal},
};

fn secrets() -> EpochSecrets {
    EpochSecrets { content: [1; 32], access: [2; 32] }
}

fn pre_key() -> PreKeySecret {
    PreKeySecret::from_seed([3; 32])
}

fn recipient() -> Recipient {
    Recipient { kind: RecipientKind::Device, recipient: [4; 32], key: pre_key().id() }
}

const SPACE: SpaceId = SpaceId::from_bytes([5; 32]);
const EPOCH: EpochId = EpochId::from_bytes([6; 32]);

fn sealed(secrets: &EpochSecrets) -> Lockbox {
    seal(secrets, &SPACE, &EPOCH, &recipient(), [7; 32]).unwrap()
}

/// Spec: CRYPTO-7.3
#[test]
fn a_lockbox_opens_for_its_recipient() {
    let opened = open(&sealed(&secrets()), &pre_key(), &SPACE, &EPOCH, &recipient(), &secrets().commitments());
    assert_eq!(opened, Ok(secrets()));
}

/// The phrase alone reaches the secrets: every epoch has a lockbox for the recovery key.
#[test]
fn a_recovery_key_opens_its_lockbox() {
    let recovery = Phrase::from_entropy([8; 32]).recovery_key();
    let recipient = Recipient { kind: RecipientKind::Recovery, recipient: [4; 32], key: recovery.id() };
    let lockbox = seal(&secrets(), &SPACE, &EPOCH, &recipient, [7; 32]).unwrap();
    let opened = open(&lockbox, recovery.as_pre_key(), &SPACE, &EPOCH, &recipient, &secrets().commitments());
    assert_eq!(opened, Ok(secrets()));
}

/// Bob and Carol cannot be given different secrets under one epoch id.
///
/// Spec: CRYPTO-7.1
#[test]
fn a_starter_that_gives_other_secrets_is_detected() {
    let commitments = secrets().commitments();
    let for_bob = sealed(&EpochSecrets { content: [9; 32], access: [2; 32] });
    assert_eq!(open(&for_bob, &pre_key(), &SPACE, &EPOCH, &recipient(), &commitments), Err(LockboxError::OtherSecrets));
    let for_carol = sealed(&EpochSecrets { content: [1; 32], access: [9; 32] });
    let refused = open(&for_carol, &pre_key(), &SPACE, &EPOCH, &recipient(), &commitments);
    assert_eq!(refused, Err(LockboxError::OtherSecrets));
}

/// Spec: CRYPTO-7.3
#[test]
fn a_lockbox_is_bound_to_space_epoch_and_recipient() {
    let lockbox = sealed(&secrets());
    let commitments = secrets().commitments();
    let try_open = |space, epoch, recipient| open(&lockbox, &pre_key(), &space, &epoch, &recipient, &commitments);
    let refused = Err(LockboxError::NotAuthentic);
    assert_eq!(try_open(SpaceId::from_bytes([9; 32]), EPOCH, recipient()), refused);
    assert_eq!(try_open(SPACE, EpochId::from_bytes([9; 32]), recipient()), refused);
    assert_eq!(try_open(SPACE, EPOCH, Recipient { recipient: [9; 32], ..recipient() }), refused);
    assert_eq!(try_open(SPACE, EPOCH, Recipient { kind: RecipientKind::Recovery, ..recipient() }), refused);
}

#[test]
fn another_key_or_an_altered_lockbox_does_not_open() {
    let lockbox = sealed(&secrets());
    let commitments = secrets().commitments();
    let other = PreKeySecret::from_seed([9; 32]);
    let refused = LockboxError::NotForThisKey { expected: pre_key().id(), found: other.id() };
    assert_eq!(open(&lockbox, &other, &SPACE, &EPOCH, &recipient(), &commitments), Err(refused));
    for place in 0..lockbox.ciphertext.len() {
        let mut altered = lockbox.ciphertext.to_vec();
        altered[place] ^= 1;
        let altered = Lockbox { ciphertext: altered.into(), ..lockbox.clone() };
        let opened = open(&altered, &pre_key(), &SPACE, &EPOCH, &recipient(), &commitments);
        assert_eq!(opened, Err(LockboxError::NotAuthentic), "byte {place}");
    }
    // An encapsulated key of small order gives a shared secret that everybody knows.
    let zero = Lockbox { encapsulated: [0; 32], ..lockbox };
    let opened = open(&zero, &pre_key(), &SPACE, &EPOCH, &recipient(), &commitments);
    assert_eq!(opened, Err(LockboxError::NotAuthentic));
}

#[test]
fn nothing_is_sealed_to_a_key_of_small_order() {
    let recipient = Recipient { key: PreKeyId::from_bytes([0; 32]), ..recipient() };
    assert_eq!(seal(&secrets(), &SPACE, &EPOCH, &recipient, [7; 32]), Err(LockboxError::BadKey));
}

/// Spec: CRYPTO-7.3
#[test]
fn a_keeper_gets_the_access_secret_only() {
    let keeper = Recipient { kind: RecipientKind::Keeper, ..recipient() };
    let lockbox = seal(&secrets(), &SPACE, &EPOCH, &keeper, [7; 32]).unwrap();
    assert_eq!(lockbox.ciphertext.len(), 48);
    let commitments = secrets().commitments();
    let access = open_access(&lockbox, &pre_key(), &SPACE, &EPOCH, &keeper, &commitments).unwrap();
    assert_eq!(*access, secrets().access);
    let refused = Err(LockboxError::Content { expected: 64, found: 32 });
    assert_eq!(open(&lockbox, &pre_key(), &SPACE, &EPOCH, &keeper, &commitments), refused);
    let cheated = EpochSecrets { access: [9; 32], ..secrets() }.commitments();
    let refused = open_access(&lockbox, &pre_key(), &SPACE, &EPOCH, &keeper, &cheated);
    assert_eq!(refused, Err(LockboxError::OtherSecrets));
}

/// Spec: CRYPTO-7.2
#[test]
fn an_epoch_id_commits_to_everything_that_its_statement_says() {
    let commitments = secrets().commitments();
    let other = Recipient { recipient: [9; 32], ..recipient() };
    let (parent, recipients) = ([EPOCH], [recipient(), other]);
    let id = epoch_id(&SPACE, &commitments, &parent, &recipients);
    let swapped = weft_crypto::lockbox::Commitments { content: commitments.access, access: commitments.content };
    let others = [
        epoch_id(&SpaceId::from_bytes([9; 32]), &commitments, &parent, &recipients),
        epoch_id(&SPACE, &swapped, &parent, &recipients),
        epoch_id(&SPACE, &commitments, &[], &recipients),
        epoch_id(&SPACE, &commitments, &[EPOCH, EPOCH], &recipients),
        epoch_id(&SPACE, &commitments, &parent, &recipients[..1]),
        epoch_id(&SPACE, &commitments, &parent, &[other, recipient()]),
    ];
    assert!(others.iter().all(|other| *other != id));
}

#[test]
fn epoch_secrets_are_not_shown() {
    assert_eq!(format!("{:?}", secrets()), "EpochSecrets(…)");
    assert_eq!(RecipientKind::from_number(3), Some(RecipientKind::Keeper));
    assert_eq!(RecipientKind::from_number(4), None);
}

/// Spec: CRYPTO-7.4
#[test]
fn secrets_of_earlier_epochs_open_under_the_newer_one_only() {
    use weft_crypto::earlier::{self, Earlier};
    let (space, epoch) = (SpaceId::from_bytes([1; 32]), EpochId::from_bytes([2; 32]));
    let before = [[3; 32], [4; 32]].map(zeroize::Zeroizing::new);
    let sealed = earlier::seal(Earlier::Access, &[5; 32], &space, &epoch, [6; 16], &before);
    assert_eq!(earlier::open(Earlier::Access, &[5; 32], &space, &epoch, &sealed).unwrap(), before);
    assert!(earlier::open(Earlier::Content, &[5; 32], &space, &epoch, &sealed).is_err(), "for another use");
    assert!(earlier::open(Earlier::Access, &[6; 32], &space, &epoch, &sealed).is_err());
    assert!(earlier::open(Earlier::Access, &[5; 32], &space, &EpochId::from_bytes([3; 32]), &sealed).is_err());
}
