//! Which documents follow which objects now, and what they tell each other of themselves. Nothing of it is kept.
//!
//! One stream a session: whoever follows a session that is followed already takes it over, and the older stream is told and
//! ends. So a tab that lost its connection without anybody noticing comes back at once, and of two documents that show
//! one key only the newer one can write.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::sync::{Notify, watch};
use weft_crypto::{DeviceId, ObjectId, SpaceId};

use crate::api::error::ApiError;

/// Streams at once. 1,024: more tabs than a person has, and 1 MiB of what they tell of themselves.
const STREAMS_MAX: usize = 1_024;
/// Documents of other nodes that are shown at once. 1,024, as ours.
const HEARD_MAX: usize = 1_024;
/// How long another node's document is shown after it was last heard of. Three times what documents let pass between two
/// words.
const HEARD_FOR: Duration = Duration::from_secs(30);

/// A session of this device.
pub(crate) type Session = (SpaceId, u64);

/// Who shows itself: a device (none: this one) and a session of it.
pub(crate) type Who = (Option<DeviceId>, u64);

/// What a document of this node tells of itself: its place, its session, its state or nothing.
pub(crate) type Said = BTreeMap<(SpaceId, ObjectId, u64), Value>;

/// Everybody who follows something.
#[derive(Clone, Default)]
pub(crate) struct Tabs(Arc<Shared>);

#[derive(Default)]
struct Shared {
    inner: Mutex<Inner>,
    said: Notify,
}

#[derive(Default)]
struct Inner {
    streams: u64,
    following: BTreeMap<Session, Following>,
    shown: BTreeMap<(SpaceId, ObjectId), BTreeMap<Who, Shown>>,
    heard: usize,
    /// What the other nodes were not told yet.
    unsaid: Said,
}

struct Following {
    stream: u64,
    object: ObjectId,
    news: watch::Sender<News>,
}

struct Shown {
    state: Value,
    /// When it is forgotten: what other nodes' documents say.
    until: Option<Instant>,
}

/// What a stream has to look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct News {
    /// Counts changes of who shows itself.
    pub(crate) shown: u64,
    /// Another stream has taken the session over.
    pub(crate) taken_over: bool,
}

/// A stream's place among those that follow; given up when it is dropped.
pub(crate) struct Place {
    tabs: Tabs,
    session: Session,
    object: ObjectId,
    /// The stream's number.
    pub(crate) stream: u64,
    /// Changes when there is something to look at.
    pub(crate) news: watch::Receiver<News>,
}

impl Tabs {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A stream begins to follow an object for a session.
    pub(crate) fn follow(&self, session: Session, object: ObjectId) -> Result<Place, ApiError> {
        let mut inner = self.lock();
        if inner.following.len() >= STREAMS_MAX && !inner.following.contains_key(&session) {
            return Err(ApiError::new(
                axum::http::StatusCode::SERVICE_UNAVAILABLE,
                "too_many_streams",
                format!("{STREAMS_MAX} documents follow objects of this node, which is the most it takes"),
                "close tabs that nobody looks at",
            ));
        }
        inner.streams += 1;
        let stream = inner.streams;
        let (news, seen) = watch::channel(News::default());
        if let Some(older) = inner.following.insert(session, Following { stream, object, news }) {
            older.news.send_modify(|news| news.taken_over = true);
            inner.hide(&session, older.object);
        }
        Ok(Place { tabs: self.clone(), session, object, stream, news: seen })
    }

    /// Makes sure that this stream is the one that follows for the session.
    pub(crate) fn follows(&self, session: Session, stream: u64) -> Result<(), ApiError> {
        match self.lock().following.get(&session) {
            Some(following) if following.stream == stream => Ok(()),
            _ => Err(ApiError::new(
                axum::http::StatusCode::CONFLICT,
                "not_following",
                format!("stream {stream} does not follow for session {} any more", session.1),
                "follow again with what the document holds, then send what is not written yet",
            )),
        }
    }

    /// A document of this node shows itself; nothing, and it does no more.
    pub(crate) fn show(&self, session: Session, stream: u64, object: ObjectId, state: Value) -> Result<(), ApiError> {
        self.follows(session, stream)?;
        let mut inner = self.lock();
        inner.set((session.0, object), (None, session.1), state.clone(), None);
        inner.unsaid.insert((session.0, object, session.1), state);
        drop(inner);
        self.0.said.notify_one();
        Ok(())
    }

    /// What the other nodes are to be told, when there is something. Of each document only the newest.
    pub(crate) async fn said(&self) -> Said {
        loop {
            let said = std::mem::take(&mut self.lock().unsaid);
            if !said.is_empty() {
                return said;
            }
            self.0.said.notified().await;
        }
    }

    /// A document of another node shows itself.
    pub(crate) fn heard(&self, place: (SpaceId, ObjectId), device: DeviceId, session: u64, state: Value) {
        let mut inner = self.lock();
        let who = (Some(device), session);
        let known = inner.shown.get(&place).is_some_and(|shown| shown.contains_key(&who));
        if known || inner.heard < HEARD_MAX {
            inner.set(place, who, state, Some(Instant::now() + HEARD_FOR));
        }
    }

    /// Forgets documents of other nodes that were not heard of for long.
    pub(crate) fn forget(&self, now: Instant) {
        let mut inner = self.lock();
        let late = |shown: &Shown| shown.until.is_some_and(|until| until <= now);
        let gone = inner
            .shown
            .iter()
            .flat_map(|(place, shown)| shown.iter().filter(|(_, shown)| late(shown)).map(|(who, _)| (*place, *who)));
        for (place, who) in gone.collect::<Vec<_>>() {
            inner.set(place, who, Value::Null, None);
        }
    }

    /// Who shows itself at an object.
    pub(crate) fn shown(&self, space: SpaceId, object: ObjectId) -> BTreeMap<Who, Value> {
        let inner = self.lock();
        let shown = inner.shown.get(&(space, object)).into_iter().flatten();
        shown.map(|(who, shown)| (*who, shown.state.clone())).collect()
    }
}

impl Inner {
    fn set(&mut self, place: (SpaceId, ObjectId), who: Who, state: Value, until: Option<Instant>) {
        let shown = self.shown.entry(place).or_default();
        let before =
            if state.is_null() { shown.remove(&who) } else { shown.insert(who, Shown { state: state.clone(), until }) };
        if shown.is_empty() {
            self.shown.remove(&place);
        }
        if who.0.is_some() {
            self.heard = self.heard + usize::from(!state.is_null()) - usize::from(before.is_some());
        }
        if before.map_or(Value::Null, |before| before.state) != state {
            let followers = self.following.iter().filter(|((space, _), at)| (*space, at.object) == place);
            followers.for_each(|(_, at)| at.news.send_modify(|news| news.shown += 1));
        }
    }

    fn hide(&mut self, (space, session): &Session, object: ObjectId) {
        let who = (None, *session);
        if self.shown.get(&(*space, object)).is_some_and(|shown| shown.contains_key(&who)) {
            self.set((*space, object), who, Value::Null, None);
            self.unsaid.insert((*space, object, *session), Value::Null);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inner = self.tabs.lock();
        if inner.following.get(&self.session).is_some_and(|following| following.stream == self.stream) {
            inner.following.remove(&self.session);
            inner.hide(&self.session, self.object);
            drop(inner);
            self.tabs.0.said.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACE: SpaceId = SpaceId::from_bytes([1; 32]);
    const OBJECT: ObjectId = ObjectId::from_bytes([2; 32]);

    #[test]
    fn a_session_is_followed_by_one_stream_and_the_newest_has_it() {
        let tabs = Tabs::default();
        let first = tabs.follow((SPACE, 1), OBJECT).unwrap();
        let second = tabs.follow((SPACE, 1), OBJECT).unwrap();
        assert!(first.news.borrow().taken_over && !second.news.borrow().taken_over);
        assert_eq!(tabs.follows((SPACE, 1), first.stream).unwrap_err().reason.code, "not_following");
        let (older, newer) = (first.stream, second.stream);
        drop(first);
        assert!(tabs.follows((SPACE, 1), newer).is_ok(), "the end of the older one changes nothing");
        drop(second);
        assert!(tabs.follows((SPACE, 1), newer).is_err() && tabs.follows((SPACE, 1), older).is_err());
    }

    #[test]
    fn who_shows_itself_is_seen_until_it_goes() {
        let tabs = Tabs::default();
        let alice = tabs.follow((SPACE, 1), OBJECT).unwrap();
        let bob = tabs.follow((SPACE, 2), OBJECT).unwrap();
        let elsewhere = tabs.follow((SPACE, 3), ObjectId::from_bytes([3; 32])).unwrap();
        tabs.show((SPACE, 1), alice.stream, OBJECT, serde_json::json!({"name": "Alice"})).unwrap();
        assert_eq!((bob.news.borrow().shown, elsewhere.news.borrow().shown), (1, 0));
        tabs.show((SPACE, 1), alice.stream, OBJECT, serde_json::json!({"name": "Alice"})).unwrap();
        assert_eq!(bob.news.borrow().shown, 1, "nothing new");
        assert_eq!(tabs.shown(SPACE, OBJECT).len(), 1);
        assert!(tabs.show((SPACE, 1), 99, OBJECT, Value::Null).is_err());
        drop(alice);
        assert_eq!((bob.news.borrow().shown, tabs.shown(SPACE, OBJECT).len()), (2, 0));
        assert_eq!(tabs.lock().unsaid[&(SPACE, OBJECT, 1)], Value::Null, "the other nodes hear that it is gone");
    }

    #[test]
    fn documents_of_other_nodes_are_forgotten_and_bounded() {
        let tabs = Tabs::default();
        let here = tabs.follow((SPACE, 1), OBJECT).unwrap();
        let device = weft_crypto::DeviceKey::from_seed([7; 32]).id();
        let hear = |session, state| tabs.heard((SPACE, OBJECT), device, session, state);
        for session in 0..2 * HEARD_MAX as u64 {
            hear(session, serde_json::json!(session));
        }
        assert_eq!(tabs.shown(SPACE, OBJECT).len(), HEARD_MAX);
        hear(0, Value::Null);
        hear(1 << 40, serde_json::json!("in its place"));
        assert_eq!(tabs.shown(SPACE, OBJECT).len(), HEARD_MAX);
        tabs.show((SPACE, 1), here.stream, OBJECT, serde_json::json!("mine")).unwrap();
        tabs.forget(Instant::now());
        assert_eq!(tabs.shown(SPACE, OBJECT).len(), HEARD_MAX + 1);
        tabs.forget(Instant::now() + HEARD_FOR);
        assert_eq!(tabs.shown(SPACE, OBJECT).len(), 1);
        hear(5, serde_json::json!("again"));
        assert_eq!(tabs.shown(SPACE, OBJECT).len(), 2);
    }

    #[test]
    fn streams_are_bounded() {
        let tabs = Tabs::default();
        let places: Vec<Place> = (0..STREAMS_MAX as u64).map(|n| tabs.follow((SPACE, n), OBJECT).unwrap()).collect();
        assert!(tabs.follow((SPACE, 1 << 30), OBJECT).is_err_and(|error| error.reason.code == "too_many_streams"));
        assert!(tabs.follow((SPACE, 7), OBJECT).is_ok(), "who comes back is let in");
        drop(places);
        assert!(tabs.follow((SPACE, 1 << 30), OBJECT).is_ok());
    }
}
