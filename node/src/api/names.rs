//! What spaces and people are called: what they say themselves, and what the owner of this node calls them, which goes first.

use std::collections::BTreeMap;

use serde_json::Value;
use weft_credential::Role;
use weft_crypto::{DeviceId, IdentityId, ObjectId, SpaceId};
use weft_echo::{Edit, Register, view::Object};
use weft_peer::command::{Answer, Command, MemberStatus};

use super::{Api, error::ApiError, feeds, lookup, status};
use crate::node::{Contact, Contacts};

/// The type of the objects that hold a space's name.
pub(crate) const SPACE_TYPE: &str = "weft.space";
/// The type of the objects by which members say what they are called.
pub(crate) const PROFILE_TYPE: &str = "weft.profile";
/// The property by which it is known which of several names was said last: a number, counted up.
pub(crate) const NUMBER: &str = "number";
/// Names of spaces and people, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// Who is called what in a space.
pub(crate) struct People {
    /// What each device says that its owner is called, and which of the owner's sayings it is.
    said: BTreeMap<DeviceId, Said>,
    contacts: Contacts,
}

struct Said {
    identity: IdentityId,
    number: u64,
    name: String,
}

impl People {
    /// What to call whoever acts by a device.
    pub(crate) fn of_device(&self, device: &DeviceId) -> Option<String> {
        let said = self.said.get(device)?;
        Some(self.petname(&said.identity).unwrap_or(&said.name).to_owned())
    }

    /// What to call somebody.
    pub(crate) fn of(&self, identity: &IdentityId) -> Option<String> {
        self.petname(identity).or_else(|| self.said_by(identity)).map(str::to_owned)
    }

    /// What somebody calls itself: what it said last, by whichever device.
    pub(crate) fn said_by(&self, identity: &IdentityId) -> Option<&str> {
        let said = self.said.iter().filter(|(_, said)| said.identity == *identity);
        said.max_by_key(|(device, said)| (said.number, std::cmp::Reverse(*device))).map(|(_, said)| said.name.as_str())
    }

    /// What the owner of this node calls somebody.
    pub(crate) fn petname(&self, identity: &IdentityId) -> Option<&str> {
        self.contacts.get(identity)?.petname.as_deref()
    }

    /// What the owner of this node keeps of somebody.
    pub(crate) fn contact(&self, identity: &IdentityId) -> Option<&Contact> {
        self.contacts.get(identity)
    }

    /// What to call whoever acts by each device.
    pub(crate) fn devices(&self) -> BTreeMap<DeviceId, String> {
        self.said.keys().filter_map(|device| Some((*device, self.of_device(device)?))).collect()
    }

    /// Everybody who has said a name.
    pub(crate) fn speakers(&self) -> impl Iterator<Item = &IdentityId> {
        self.said.values().map(|said| &said.identity)
    }
}

/// Who is called what in a space. What others say of somebody does not count.
pub(crate) async fn people(api: &Api, space: SpaceId) -> Result<People, ApiError> {
    let feeds = feeds::of_space(api, space).await?;
    let identities: BTreeMap<DeviceId, IdentityId> =
        feeds.iter().filter_map(|feed| Some((feed.device, feed.identity?))).collect();
    let mut said: BTreeMap<DeviceId, Said> = BTreeMap::new();
    let mut profiles = lookup::of_type(api, space, PROFILE_TYPE).await?;
    // They may be among what is being derived again.
    if profiles.is_empty() && lookup::caught_up(api, space, None, lookup::NAMES_MAX).await.is_ok() {
        profiles = lookup::of_type(api, space, PROFILE_TYPE).await?;
    }
    for (_, profile) in profiles {
        let device: Option<DeviceId> = own_text(&profile, "device").and_then(|device| device.parse().ok());
        let Some(device) = device else { continue };
        let identity = identities.get(&device).filter(|identity| *identity.as_bytes() == profile.author);
        let (Some(identity), Some(name)) = (identity, own_text(&profile, "name")) else { continue };
        let new = Said { identity: *identity, number: number(&profile), name };
        let known = said.get(&device);
        if known.is_none_or(|known| known.number < new.number) {
            said.insert(device, new);
        }
    }
    Ok(People { said, contacts: contacts(api).await? })
}

/// What the owner of this node keeps of people.
pub(crate) async fn contacts(api: &Api) -> Result<Contacts, ApiError> {
    let node = api.node().clone();
    let contacts = tokio::task::spawn_blocking(move || node.contacts()).await;
    Ok(contacts.map_err(|_| ApiError::unexpected())??)
}

/// The members of a space.
pub(crate) async fn members(api: &Api, space: SpaceId) -> Result<Vec<MemberStatus>, ApiError> {
    match api.node().command(Command::Members { space }).await? {
        Answer::Members(members) => Ok(members),
        _ => Err(ApiError::unexpected()),
    }
}

/// A name of a space, as one of its members has said it.
pub(crate) struct SaidName {
    /// The object that says it.
    pub(crate) object: ObjectId,
    /// Its author.
    pub(crate) author: [u8; 32],
    /// Which saying it is.
    pub(crate) number: u64,
    /// The name.
    pub(crate) name: String,
}

/// What a space is called by those who may name it, its name first: what an owner said last; where no owner has said anything, what its
/// founder said. Spec: NODE-11.1
pub(crate) async fn of_space(api: &Api, space: SpaceId) -> Result<Vec<SaidName>, ApiError> {
    let mut said = Vec::new();
    for (object, named) in lookup::of_type(api, space, SPACE_TYPE).await? {
        if let Some(name) = own_text(&named, "name") {
            said.push(SaidName { object, author: named.author, number: number(&named), name });
        }
    }
    if said.is_empty() {
        return Ok(said);
    }
    let mut members = members(api, space).await?;
    members.retain(|member| member.role == Role::Owner);
    let owns = |said: &SaidName| members.iter().any(|owner| *owner.identity.as_bytes() == said.author);
    if said.iter().any(owns) {
        said.retain(owns);
    } else {
        let founder = status::of_space(api, space).await?.founder;
        said.retain(|said| founder.is_some_and(|founder| *founder.as_bytes() == said.author));
    }
    // Of several with one number the lowest id is the same everywhere.
    said.sort_by_key(|said| (std::cmp::Reverse(said.number), said.object));
    Ok(said)
}

/// The properties by which something is named.
pub(crate) fn registers(name: &str, number: u64, device: Option<&DeviceId>) -> Vec<Register> {
    let property = |key: &str, value: Value| Register { name: key.to_owned(), value: value.to_string().into() };
    let device = device.map(|device| property("device", device.to_string().into()));
    [property("name", name.into()), property(NUMBER, number.into())].into_iter().chain(device).collect()
}

/// Has a name written.
pub(crate) async fn write(api: &Api, space: SpaceId, edit: Edit) -> Result<(), ApiError> {
    match api.node().command(Command::Edit { space, edit }).await? {
        Answer::Edited { .. } => Ok(()),
        _ => Err(ApiError::unexpected()),
    }
}

/// A name that people give: not empty, at most 128 bytes, no control characters.
pub(crate) fn checked(name: &str) -> Result<String, ApiError> {
    let name = name.trim();
    let fits = !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.chars().any(char::is_control);
    if fits {
        return Ok(name.to_owned());
    }
    let message = format!("a name has 1 to {NAME_BYTES_MAX} bytes and no control characters");
    Err(ApiError::bad_request("bad_name", message, "choose another name"))
}

/// Which of its author's sayings an object holds; 0 for the first.
pub(crate) fn number(object: &Object) -> u64 {
    own_value(object, NUMBER).and_then(|value| serde_json::from_slice(&value).ok()).unwrap_or(0)
}

/// A property that is text and not empty, as the object's author wrote it.
pub(crate) fn own_text(object: &Object, key: &str) -> Option<String> {
    serde_json::from_slice(&own_value(object, key)?).ok().filter(|text: &String| !text.is_empty())
}

/// A property as the object's author wrote it: the next that the author wrote beside it when another member's shows, none when
/// another member's has overwritten it.
fn own_value(object: &Object, key: &str) -> Option<bytes::Bytes> {
    let property = object.properties.get(key)?;
    let mut writes = std::iter::once(&property.write).chain(&property.alternatives);
    Some(writes.find(|write| write.author == object.author)?.value.clone())
}

#[cfg(test)]
mod tests {
    use weft_crypto::{EntryId, FeedId};
    use weft_echo::{registers::Write, view::Property};

    use super::*;

    #[test]
    fn what_others_write_into_a_profile_does_not_count() {
        let write = |author: u8, name: &str| Write {
            feed: FeedId::from_bytes([author; 32]),
            seq: 0,
            entry: EntryId::from_bytes([author; 32]),
            author: [author; 32],
            claimed_ms: 0,
            value: serde_json::json!(name).to_string().into(),
        };
        let named = |write: Write, alternatives: Vec<Write>| {
            let property = Property { value: Some(write.value.clone()), write, alternatives };
            let properties = BTreeMap::from([("name".to_owned(), property)]);
            let type_name = PROFILE_TYPE.to_owned();
            own_text(&Object { type_name, author: [1; 32], claimed_ms: 0, deleted: false, properties }, "name")
        };
        assert_eq!(named(write(1, "Alice"), Vec::new()).as_deref(), Some("Alice"));
        assert_eq!(named(write(2, "Mallory"), vec![write(1, "Alice")]).as_deref(), Some("Alice"));
        assert_eq!(named(write(2, "Mallory"), Vec::new()), None);
        assert_eq!(named(write(1, ""), Vec::new()), None, "a member without a name");
    }

    #[test]
    fn what_the_owner_of_a_node_calls_somebody_goes_before_what_that_one_says() {
        let (bob, mallory) = (IdentityId::from_bytes([2; 32]), IdentityId::from_bytes([3; 32]));
        let said = |identity, number, name: &str| Said { identity, number, name: name.to_owned() };
        let device = |byte| DeviceId::from_bytes([byte; 32]);
        let said =
            [(device(4), said(bob, 1, "Bob")), (device(5), said(bob, 0, "Robert")), (device(6), said(mallory, 0, "B"))];
        let petname = Contact { petname: Some("Bobby".to_owned()), verified_ms: None };
        let mut people = People { said: said.into(), contacts: Contacts::from([(bob, petname)]) };
        assert_eq!((people.of(&bob).as_deref(), people.said_by(&bob)), (Some("Bobby"), Some("Bob")));
        assert_eq!(people.of_device(&device(5)).as_deref(), Some("Bobby"));
        assert_eq!(people.of(&mallory).as_deref(), Some("B"));
        people.contacts.clear();
        assert_eq!(
            (people.of(&bob).as_deref(), people.of_device(&device(5)).as_deref()),
            (Some("Bob"), Some("Robert"))
        );
    }
}
