//! The stream in which a document hears of an object: updates, who else is there, and why it has to begin anew.
//!
//! Rows are read when the reader has taken what was read before, so a slow tab costs no memory here and misses nothing.

use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
};

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{
        IntoResponse, Response, Sse,
        sse::{self, KeepAlive},
    },
};
use bytes::Bytes;
use data_encoding::BASE64;
use futures::{Stream, stream};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use utoipa::ToSchema;
use weft_crypto::{ObjectId, SpaceId};
use weft_echo::{
    Replica,
    rows::{RowError, judged},
    tables, view,
};
use weft_peer::{
    event::Event,
    store::{CURSORS, REBUILDS, rebuilds},
};

use super::{
    Follow, check, decoded, key_of, place,
    tabs::{Place, Who},
};
use crate::{
    api::{
        Api,
        error::{ApiError, Asked, Body, ErrorBody},
        lookup,
        objects::WithinQuery,
    },
    identity::peer_id,
};

/// Something that a document hears.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct StreamBody {
    /// What: `attached` first, with `stream` and `derivation`; `update`; `level` when everything readable was told; `presence`;
    /// `reset` at the end, with `code`, when this document is of no more use.
    event: &'static str,
    /// The stream's number, for what is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<u64>,
    /// Which derivation of the object from its entries this is: say it when following again.
    #[serde(skip_serializing_if = "Option::is_none")]
    derivation: Option<u64>,
    /// A Yjs update (v1) to apply, base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    update: Option<String>,
    /// The node on which the other document is.
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<String>,
    /// Its session there.
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<u64>,
    /// What it tells of itself; `null` when it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    state: Option<Value>,
    /// Why: `rebuilt` (verdicts may have changed), `deleted` (the object), `taken_over` (by another document that shows the same
    /// key).
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

/// Follow an object with a document. A stream of server-sent events; the data of each is one JSON object.
#[utoipa::path(post, path = "/objects/{object}/sessions/{session}/stream", tag = "sessions",
    params(("object" = String, Path), ("session" = u64, Path), WithinQuery), request_body = Follow,
    responses((status = 200, content_type = "text/event-stream", body = StreamBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(crate) async fn follow(
    State(api): State<Api>,
    Path((object, session)): Path<(String, u64)>,
    Asked(within): Asked<WithinQuery>,
    Body(follow): Body<Follow>,
) -> Result<Response, ApiError> {
    let (space, object) = place(&api, within.space.as_deref(), &object).await?;
    let client = check(&api, space, session, key_of(&follow.key)?).await?;
    let vector = decoded(&follow.vector, "vector")?;
    let mut replica = Replica::new(space, &vector).map_err(|error| {
        ApiError::bad_request("bad_vector", error.to_string(), "send what `Y.encodeStateVector` gives")
    })?;
    // Before anything is read, so that nothing falls between.
    let events = api.node().events();
    let held = replica.clock(client);
    let Read { updates, derivation, deleted } = read(&api, space, object, &mut replica).await?;
    let over = |code, message: &str| ApiError::new(StatusCode::CONFLICT, code, message, "begin with a new document");
    if follow.derivation.is_some_and(|before| before != derivation) {
        return Err(over("rebuilt", "the object was derived anew since this document was told of it"));
    }
    if deleted {
        return Err(ApiError::not_found("deleted_object", "the object was deleted", "create another one"));
    }
    // A document holds whatever was written under its session, or it is not the one that wrote it.
    if replica.clock(client) > held {
        return Err(over("session_in_use", "another document has written under this session"));
    }
    let place = api.tabs().follow((space, session), object)?;
    let mut source = Source {
        space,
        object,
        session,
        replica,
        derivation,
        events,
        shown: BTreeMap::new(),
        ended: false,
        ready: VecDeque::new(),
        place,
        api,
    };
    let (stream, derivation) = (Some(source.place.stream), Some(derivation));
    source.tell(StreamBody { event: "attached", stream, derivation, ..StreamBody::default() });
    source.tell_updates(&updates);
    source.tell(StreamBody { event: "level", ..StreamBody::default() });
    source.look_around();
    Ok(Sse::new(told(source)).keep_alive(KeepAlive::default()).into_response())
}

struct Source {
    api: Api,
    space: SpaceId,
    object: ObjectId,
    session: u64,
    replica: Replica,
    derivation: u64,
    events: Receiver<Event>,
    place: Place,
    shown: BTreeMap<Who, Value>,
    ended: bool,
    ready: VecDeque<StreamBody>,
}

/// Why a stream ends without a word: the node stops, or its store cannot be read. The document follows again.
struct Over;

fn told(source: Source) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    stream::unfold(source, |mut source| async move {
        let body = source.next().await.ok()??;
        let data = serde_json::to_string(&body).expect("plain fields");
        Some((Ok(sse::Event::default().data(data)), source))
    })
}

impl Source {
    async fn next(&mut self) -> Result<Option<StreamBody>, Over> {
        while self.ready.is_empty() && !self.ended {
            self.wait().await?;
            self.look().await?;
        }
        Ok(self.ready.pop_front())
    }

    /// Waits until there may be something to tell.
    async fn wait(&mut self) -> Result<(), Over> {
        let (space, object) = (self.space, self.object);
        loop {
            tokio::select! {
                () = self.api.stopped() => return Err(Over),
                changed = self.place.news.changed() => return changed.map_err(|_| Over),
                event = self.events.recv() => match event {
                    Ok(Event::ObjectChanged { space: at, object: of }) if (at, of) == (space, object) => return Ok(()),
                    Ok(_) => {}
                    // Whatever was missed: the rows say what there is.
                    Err(RecvError::Lagged(_)) => return Ok(()),
                    Err(RecvError::Closed) => return Err(Over),
                },
            }
        }
    }

    /// Gathers what there is to tell.
    async fn look(&mut self) -> Result<(), Over> {
        if self.place.news.borrow_and_update().taken_over {
            self.end("taken_over");
            return Ok(());
        }
        let read = read(&self.api, self.space, self.object, &mut self.replica).await;
        let Read { updates, derivation, deleted } = read.map_err(|_| Over)?;
        if self.derivation != derivation {
            self.end("rebuilt");
        } else if deleted {
            self.end("deleted");
        } else {
            self.tell_updates(&updates);
            self.look_around();
        }
        Ok(())
    }

    fn tell_updates(&mut self, updates: &[Bytes]) {
        for update in updates {
            let update = Some(BASE64.encode(update));
            self.tell(StreamBody { event: "update", update, ..StreamBody::default() });
        }
    }

    /// Tells who has come, changed and gone among the other documents.
    fn look_around(&mut self) {
        let mut now = self.api.tabs().shown(self.space, self.object);
        now.remove(&(None, self.session));
        let gone: Vec<Who> = self.shown.keys().filter(|who| !now.contains_key(who)).copied().collect();
        for who in gone {
            self.tell_of(who, Value::Null);
        }
        let changed = now.iter().filter(|(who, state)| self.shown.get(who) != Some(state));
        let changed: Vec<(Who, Value)> = changed.map(|(who, state)| (*who, state.clone())).collect();
        for (who, state) in changed {
            self.tell_of(who, state);
        }
        self.shown = now;
    }

    fn tell_of(&mut self, (device, session): Who, state: Value) {
        let peer = device.map_or_else(|| self.api.node().peer_id(), |device| peer_id(&device)).to_string();
        let (peer, session, state) = (Some(peer), Some(session), Some(state));
        self.tell(StreamBody { event: "presence", peer, session, state, ..StreamBody::default() });
    }

    fn end(&mut self, code: &'static str) {
        self.tell(StreamBody { event: "reset", code: Some(code), ..StreamBody::default() });
        self.ended = true;
    }

    fn tell(&mut self, body: StreamBody) {
        self.ready.push_back(body);
    }
}

/// What was read for a document.
struct Read {
    /// The updates that it lacks.
    updates: Vec<Bytes>,
    /// Which derivation the rows are of.
    derivation: u64,
    /// Whether the object is deleted.
    deleted: bool,
}

async fn read(api: &Api, space: SpaceId, object: ObjectId, replica: &mut Replica) -> Result<Read, ApiError> {
    let mut told = replica.clone();
    let found = lookup::blocking(api, move |reader| {
        let of = |prefix: Bytes| reader.rows(space, tables::OBJECT, &prefix);
        let [tail, folded] = Replica::prefixes(&object);
        let (tail, folded) = (of(tail)?, of(folded)?);
        let mut updates = told.tell(&tail, &folded);
        if let Ok(None) = updates {
            updates = told.level(&of(tables::object(&object))?).map(|update| Some(vec![update]));
        }
        let about = of(tables::part(&object, tables::Part::About))?;
        // Last: rows of a later derivation cannot have been read without it.
        let again = of(tables::part(&object, tables::Part::Judged))?;
        let rebuilt = reader.rows(space, CURSORS, REBUILDS)?;
        Ok((updates, told, about, (again, rebuilt)))
    });
    let (updates, told, about, (again, rebuilt)) = found.await?;
    *replica = told;
    Ok(Read {
        updates: updates.map_err(lookup::damaged)?.unwrap_or_default(),
        derivation: derivation(&again, &rebuilt).map_err(lookup::damaged)?,
        deleted: view::object(&about).map_err(lookup::damaged)?.is_some_and(|object| object.deleted),
    })
}

/// One number for how often all rows of the space were dropped, and how often the object was made again since: either makes what
/// was told before useless. Both fit what JavaScript counts exactly.
fn derivation(again: &[(Bytes, Bytes)], rebuilt: &[(Bytes, Bytes)]) -> Result<u64, RowError> {
    let again = again.first().map_or(Ok(0), |(_, value)| judged(value))?;
    let rebuilt = rebuilt.first().and_then(|(_, value)| rebuilds(value)).unwrap_or_default();
    Ok((rebuilt << 32) + (again & u64::from(u32::MAX)))
}
