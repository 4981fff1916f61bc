//! Devices that let devices in. Spec: CREDENTIAL-11

use bytes::Bytes;
use prost::Message as _;
use weft_credential::{Chain, DeviceLinked, Malformed, Redemption, limits, linked};
use weft_crypto::{DeviceId, DeviceKey, InvitationSecret, PreKeySecret, Purpose, SpaceId};
use weft_wire::credential as wire;

use crate::newcomer::Newcomer;

const SPACE: SpaceId = SpaceId::from_bytes([7; 32]);

fn device(number: u8) -> DeviceKey {
    DeviceKey::from_seed([number; 32])
}

/// A chain from `first` over `then`.
fn chain(bob: &Newcomer, first: &DeviceKey, then: &[DeviceKey]) -> Chain {
    let mut by = first;
    then.iter().fold(Chain::default(), |chain, next| {
        let longer = chain.and(bob.root.id(), by, next.id()).unwrap();
        by = next;
        longer
    })
}

const APART: Malformed = Malformed::Disagree { what: "a chain of devices" };

/// Spec: CREDENTIAL-11.1
#[test]
fn a_chain_leads_from_the_first_device_to_the_last() {
    let bob = Newcomer::new(2);
    let (phone, tablet) = (device(50), device(51));
    let whole = chain(&bob, &bob.device, &[phone.clone(), tablet.clone()]);
    let (root, first) = (bob.root.id(), bob.device.id());
    assert_eq!(whole.verify(&root, &first, &tablet.id()), Ok(()));
    assert_eq!(whole.through().collect::<Vec<DeviceId>>(), [first, phone.id()]);
    assert_eq!(Chain::decode(&whole.encode()).unwrap(), whole);
    assert_eq!(Chain::default().verify(&root, &first, &first), Ok(()));
    // To another device, from another one, for another identity.
    assert_eq!(whole.verify(&root, &first, &phone.id()), Err(APART));
    assert_eq!(whole.verify(&root, &phone.id(), &tablet.id()), Err(APART));
    assert_eq!(whole.verify(&Newcomer::new(3).root.id(), &first, &tablet.id()), Err(APART));
    // One statement left out, or out of order.
    let statements = whole.encode();
    let part = |statements: &[Bytes]| Chain::decode(statements).unwrap().verify(&root, &first, &tablet.id());
    assert_eq!(part(&statements[..1]), Err(APART));
    assert_eq!(part(&statements[1..]), Err(APART));
    assert_eq!(part(&[statements[1].clone(), statements[0].clone()]), Err(APART));
}

/// Spec: CREDENTIAL-11.1
#[test]
fn a_statement_of_a_chain_is_signed_by_the_device_before() {
    let bob = Newcomer::new(2);
    let (phone, mallory) = (device(50), device(66));
    let mut message: wire::DeviceStatementSigned =
        weft_wire::decode(&chain(&bob, &bob.device, std::slice::from_ref(&phone)).encode()[0]).unwrap();
    let forged: wire::DeviceStatementSigned =
        weft_wire::decode(&chain(&bob, &mallory, std::slice::from_ref(&phone)).encode()[0]).unwrap();
    message.signature = forged.signature;
    let forged = Chain::decode(&[message.encode_to_vec().into()]).unwrap();
    let refused = forged.verify(&bob.root.id(), &bob.device.id(), &phone.id());
    assert_eq!(refused, Err(Malformed::Signature { by: "a device of the chain" }));
}

/// Spec: CREDENTIAL-11.1, CREDENTIAL-9
#[test]
fn a_chain_is_short_and_goes_in_no_circle() {
    let bob = Newcomer::new(2);
    let (root, first) = (bob.root.id(), bob.device.id());
    let phone = device(50);
    let circle = chain(&bob, &bob.device, &[phone.clone(), bob.device.clone(), phone.clone()]);
    assert_eq!(circle.verify(&root, &first, &phone.id()), Err(APART));
    let devices: Vec<DeviceKey> = (0..=limits::CHAIN_MAX).map(|at| device(70 + at as u8)).collect();
    let longest = chain(&bob, &bob.device, &devices[..limits::CHAIN_MAX]);
    assert_eq!(longest.verify(&root, &first, &devices[limits::CHAIN_MAX - 1].id()), Ok(()));
    let by = &devices[limits::CHAIN_MAX - 1];
    assert_eq!(longest.and(root, by, devices[limits::CHAIN_MAX].id()), None);
    let mut statements = longest.encode();
    statements.push(statements[0].clone());
    let found = limits::CHAIN_MAX as u64 + 1;
    assert_eq!(Chain::decode(&statements), Err(Malformed::Number { field: "a chain's length", found }));
}

/// Spec: CREDENTIAL-8.3
#[test]
fn a_linked_device_redeems_by_its_chain() {
    let (bob, mut phone) = (Newcomer::new(2), Newcomer::new(3));
    let link = InvitationSecret::from_seed([5; 32]);
    let host = Newcomer::new(1).device.id();
    // The phone's own root and statements are those of bob.
    (phone.root, phone.statements) = (bob.root.clone(), bob.statements.clone());
    let redeems = |chain| {
        let mut statement = phone.statement(SPACE, &link, host);
        statement.chain = chain;
        let redemption = statement.sign(&link, &phone.device);
        assert_eq!(Redemption::decode(&redemption.encode()).unwrap(), redemption);
        redemption.verify(&SPACE)
    };
    assert_eq!(redeems(chain(&bob, &bob.device, &[phone.device.clone()])), Ok(()));
    let roots = Malformed::Disagree { what: "a redemption and its root statements" };
    assert_eq!(redeems(Chain::default()), Err(roots));
    assert_eq!(redeems(chain(&bob, &bob.device, &[device(50)])), Err(APART));
    // By a device that the root key did not admit.
    assert_eq!(redeems(chain(&bob, &device(66), &[phone.device.clone()])), Err(APART));
}

fn says(bob: &Newcomer, phone: &Newcomer) -> linked::Statement {
    linked::Statement {
        space: SPACE,
        identity: bob.root.id(),
        device: phone.device.id(),
        pre_key: PreKeySecret::from_seed([8; 32]).id(),
        control: phone.manifest(SPACE, Purpose::Control),
        data: phone.manifest(SPACE, Purpose::Data),
        host: bob.device.id(),
    }
}

/// Spec: CREDENTIAL-11.2
#[test]
fn a_linked_device_says_it_all_itself() {
    let (bob, phone, mallory) = (Newcomer::new(2), Newcomer::new(3), Newcomer::new(4));
    let good = says(&bob, &phone).sign(&phone.device);
    assert_eq!(DeviceLinked::decode(&good.encode()).unwrap(), good);
    assert_eq!(good.verify(&SPACE), Ok(()));
    let other = SpaceId::from_bytes([8; 32]);
    assert_eq!(good.verify(&other), Err(Malformed::OtherSpace { what: "a linked device" }));
    // The sibling that carries it can put nobody else in its place.
    let forged = says(&bob, &phone).sign(&bob.device);
    assert_eq!(forged.verify(&SPACE), Err(Malformed::Signature { by: "the linked device" }));
    let manifests = Err(Malformed::Disagree { what: "a newcomer and its manifests" });
    let mut statement = says(&bob, &phone);
    statement.data = mallory.manifest(SPACE, Purpose::Data);
    assert_eq!(statement.sign(&phone.device).verify(&SPACE), manifests);
    let mut statement = says(&bob, &phone);
    statement.control = phone.manifest(SPACE, Purpose::Data);
    assert_eq!(statement.sign(&phone.device).verify(&SPACE), manifests);
    let mut statement = says(&bob, &phone);
    statement.control = phone.manifest(other, Purpose::Control);
    assert_eq!(statement.sign(&phone.device).verify(&SPACE), manifests);
}
