//! Contacts: what the owner of this node calls people, and of whom it has made sure. Nobody else ever hears of it.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use weft_crypto::IdentityId;

/// Rows of contacts begin so.
pub(super) const PREFIX: &[u8] = b"contact/";

/// What is kept of somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Contact {
    /// What the owner of this node calls it; at most 128 bytes.
    pub(crate) petname: Option<String>,
    /// When the owner of this node said that the safety numbers are the same, in milliseconds since 1970.
    pub(crate) verified_ms: Option<u64>,
}

/// Everybody of whom something is kept.
pub(crate) type Contacts = BTreeMap<IdentityId, Contact>;

/// From the rows on disk; those that cannot be read are as if they were not there.
pub(super) fn read(rows: Vec<(Bytes, Bytes)>) -> Contacts {
    let contact = |(key, value): (Bytes, Bytes)| {
        let identity = IdentityId::try_from(key.strip_prefix(PREFIX)?).ok()?;
        Some((identity, serde_json::from_slice(&value).ok()?))
    };
    rows.into_iter().filter_map(contact).collect()
}

/// The row of a contact; removed when nothing is kept of it.
pub(super) fn row(identity: &IdentityId, contact: &Contact) -> (Bytes, Option<Bytes>) {
    let key = [PREFIX, identity.as_bytes().as_slice()].concat().into();
    let value = serde_json::to_vec(contact).expect("plain fields");
    (key, (*contact != Contact::default()).then(|| value.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_read_as_it_was_kept_and_one_without_anything_is_gone() {
        let identity = IdentityId::from_bytes([7; 32]);
        let contact = Contact { petname: Some("Bobby".to_owned()), verified_ms: Some(3) };
        let (key, value) = row(&identity, &contact);
        let rows = vec![(key.clone(), value.unwrap()), (Bytes::from_static(b"contact/x"), Bytes::new())];
        assert_eq!(read(rows), Contacts::from([(identity, contact)]));
        assert_eq!(row(&identity, &Contact::default()), (key, None));
    }
}
