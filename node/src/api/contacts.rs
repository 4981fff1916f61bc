//! Contacts: what the owner of this node calls people, and of whom it has made sure. They are kept on this device and told to nobody.

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    Json,
    extract::{Path, State},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_crypto::{IdentityId, SpaceId, safety_number};

use super::{
    Api,
    choose::{Candidate, Sort, choose},
    error::{ApiError, Body, ErrorBody},
    names, rfc3339, status,
};
use crate::node::Contact;

const PERSON: Sort = Sort { word: "person", list: "weft member list SPACE", by_end: None };

/// Everybody of whom something is kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Contacts {
    /// In the order of their root keys.
    contacts: Vec<ContactBody>,
}

/// Somebody.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContactBody {
    /// The root key.
    identity: String,
    /// What the owner of this node calls it.
    petname: Option<String>,
    /// What it calls itself, in whichever space of this node.
    names: Vec<String>,
    /// The spaces of this node in which it is a member.
    spaces: Vec<String>,
    /// When the owner of this node said that the safety numbers are the same, RFC 3339; none when it has not.
    verified: Option<String>,
    /// Sixty digits of both identities: the same at both, if nobody stands between. Compare them by telephone, or side by side.
    safety_number: String,
}

/// What is to be kept of somebody.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContactChange {
    /// What the owner of this node calls it from now on; at most 128 bytes.
    petname: Option<String>,
    /// Whether the owner of this node has compared the safety number.
    verified: Option<bool>,
}

/// List contacts.
#[utoipa::path(get, path = "/contacts", tag = "contacts", responses((status = 200, body = Contacts)))]
pub(crate) async fn list(State(api): State<Api>) -> Result<Json<Contacts>, ApiError> {
    let everybody = everybody(&api).await?;
    let kept = everybody.iter().filter(|(_, person)| person.contact != Contact::default());
    Ok(Json(Contacts { contacts: kept.map(|(identity, person)| body(&api, identity, person)).collect() }))
}

/// Show a contact, or somebody in a space of this node, with the safety number.
#[utoipa::path(get, path = "/contacts/{person}", tag = "contacts", params(("person" = String, Path)),
    responses((status = 200, body = ContactBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn show(State(api): State<Api>, Path(person): Path<String>) -> Result<Json<ContactBody>, ApiError> {
    let (identity, person) = find(&api, &person).await?;
    Ok(Json(body(&api, &identity, &person)))
}

/// Keep a name for somebody, or that the safety number was compared.
#[utoipa::path(patch, path = "/contacts/{person}", tag = "contacts", params(("person" = String, Path)),
    request_body = ContactChange, responses((status = 200, body = ContactBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn change(
    State(api): State<Api>,
    Path(asked): Path<String>,
    Body(change): Body<ContactChange>,
) -> Result<Json<ContactBody>, ApiError> {
    let (identity, mut person) = find(&api, &asked).await?;
    if let Some(petname) = change.petname {
        let petname = names::checked(&petname)?;
        let contacts = names::contacts(&api).await?;
        let mut others = contacts.iter().filter(|(other, _)| **other != identity);
        if others.any(|(_, other)| other.petname.as_deref() == Some(&petname)) {
            return Err(ApiError::bad_request(
                "petname_taken",
                format!("another contact is called `{petname}`"),
                "choose another name; `weft contact list` lists which there are",
            ));
        }
        person.contact.petname = Some(petname);
    }
    match change.verified {
        Some(true) => person.contact.verified_ms = Some(rfc3339::now_ms()),
        Some(false) => person.contact.verified_ms = None,
        None => {}
    }
    keep(&api, identity, person.contact.clone()).await?;
    Ok(Json(body(&api, &identity, &person)))
}

/// Keep nothing of somebody any more.
#[utoipa::path(delete, path = "/contacts/{person}", tag = "contacts", params(("person" = String, Path)),
    responses((status = 200, body = ContactBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn forget(State(api): State<Api>, Path(asked): Path<String>) -> Result<Json<ContactBody>, ApiError> {
    let (identity, mut person) = find(&api, &asked).await?;
    person.contact = Contact::default();
    keep(&api, identity, Contact::default()).await?;
    Ok(Json(body(&api, &identity, &person)))
}

async fn keep(api: &Api, identity: IdentityId, contact: Contact) -> Result<(), ApiError> {
    let node = api.node().clone();
    let kept = tokio::task::spawn_blocking(move || node.keep_contact(&identity, &contact)).await;
    Ok(kept.map_err(|_| ApiError::unexpected())??)
}

/// What is known of somebody here.
#[derive(Clone, Default)]
struct Person {
    contact: Contact,
    names: BTreeSet<String>,
    spaces: Vec<SpaceId>,
}

/// Everybody who is a contact, a member of a space here, or has been one, but for this identity itself.
async fn everybody(api: &Api) -> Result<BTreeMap<IdentityId, Person>, ApiError> {
    let mut everybody: BTreeMap<IdentityId, Person> = BTreeMap::new();
    for (identity, contact) in names::contacts(api).await? {
        everybody.entry(identity).or_default().contact = contact;
    }
    for space in status::ask(api).await?.spaces {
        let people = names::people(api, space.space).await?;
        for identity in people.speakers() {
            let name = people.said_by(identity).map(str::to_owned);
            everybody.entry(*identity).or_default().names.extend(name);
        }
        for member in names::members(api, space.space).await? {
            everybody.entry(member.identity).or_default().spaces.push(space.space);
        }
    }
    everybody.remove(&api.node().identity());
    Ok(everybody)
}

/// The one that is meant: by its root key or the beginning of it, or by its name; one that the owner of this node gave goes first.
async fn find(api: &Api, asked: &str) -> Result<(IdentityId, Person), ApiError> {
    let everybody = everybody(api).await?;
    let petname = everybody.iter().find(|(_, person)| person.contact.petname.as_deref() == Some(asked));
    if let Some((identity, person)) = petname {
        return Ok((*identity, person.clone()));
    }
    let candidates = everybody.into_iter().map(|(identity, person)| Candidate {
        id: identity.to_string(),
        name: person.names.get(asked).or(person.names.first()).cloned(),
        value: (identity, person),
    });
    choose(PERSON, asked, candidates)
}

fn body(api: &Api, identity: &IdentityId, person: &Person) -> ContactBody {
    ContactBody {
        identity: identity.to_string(),
        petname: person.contact.petname.clone(),
        names: person.names.iter().cloned().collect(),
        spaces: person.spaces.iter().map(SpaceId::to_string).collect(),
        verified: person.contact.verified_ms.map(rfc3339::format),
        safety_number: safety_number(&api.node().identity(), identity),
    }
}
