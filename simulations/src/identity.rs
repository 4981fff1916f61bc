//! Keys for the inhabitants of a world. They follow from the seed, which no real node ever does.

use weft_credential::RootStatements;
use weft_crypto::{DeviceId, DeviceKey, IdentityId, Phrase};
use weft_machine::Seed;
use weft_peer::Me;

/// Who a host is, and what makes its keys again at every start, as a node reads them from disk.
pub(crate) fn make(seed: &Seed, name: &str) -> (DeviceId, IdentityId, Box<dyn Fn() -> Me>) {
    let draw = |label: &str| seed.fork(label).draws().draw32();
    let phrase = Phrase::from_entropy(draw("phrase"));
    let root = phrase.root_key();
    let device_seed = draw("device");
    let device = DeviceKey::from_seed(device_seed).id();
    let recovery = phrase.recovery_key().id();
    let statements = RootStatements::at_init(&root, &phrase.next_root_key().id(), device, recovery);
    let (identity, name) = (root.id(), name.to_owned());
    let make = move || Me {
        device: DeviceKey::from_seed(device_seed),
        identity,
        statements: statements.clone(),
        chain: Default::default(),
        recovery,
        name: name.clone(),
        called: name.clone(),
        linked_by: None,
    };
    (device, identity, Box::new(make))
}
