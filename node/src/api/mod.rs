//! The local API: HTTP and JSON under `/api/v1`, server-sent events, described by OpenAPI.
//!
//! Everything that the command line does goes through this router, over a socket or within the process, so it is the one
//! place where names are resolved and errors get their words. It holds no state of a node: it asks the node.
#![allow(unused_qualifications, reason = "the attribute of utoipa writes paths out")]

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{delete, get, patch, post},
};
use tokio::{net::TcpListener, sync::watch};

use crate::{config::Config, node::Node};

mod choose;
mod contacts;
mod devices;
mod drafts;
mod error;
mod events;
mod examples;
mod feeds;
mod files;
pub(crate) mod guard;
mod health;
mod identity;
mod import;
mod invitations;
mod join;
pub(crate) mod locked;
mod lookup;
mod members;
mod names;
pub(crate) mod numbers;
mod objects;
mod observe;
mod openapi;
mod page;
mod policy;
mod profile;
mod proposals;
mod quarantine;
mod records;
mod rfc3339;
mod sessions;
mod settings;
mod size;
mod spaces;
mod status;
mod text;
pub(crate) mod token;
mod wait;

pub use openapi::description;
pub(crate) use rfc3339::format as time;
use sessions::tabs::Tabs;
pub(crate) use settings::Settings;

/// The largest JSON body, in bytes. 32 MiB: 64 operations of an entry each, however they are escaped, and records.
const BODY_BYTES_MAX: usize = 32 << 20;
/// The largest body that carries whole texts, in bytes: a trace, or the text of an object (16 MiB) and what it was made from, with
/// every character escaped.
const TEXTS_BYTES_MAX: usize = 256 << 20;

/// What every handler has.
#[derive(Clone)]
pub(crate) struct Api(Arc<Inner>);

struct Inner {
    node: Node,
    config: Config,
    stop: watch::Sender<bool>,
    /// Whether it stops to forget the keys rather than to end.
    locks: AtomicBool,
    /// None where nothing is served.
    tickets: OnceLock<page::Tickets>,
    tabs: Tabs,
}

impl Api {
    /// An API over this node.
    pub(crate) fn new(node: Node, config: Config) -> Api {
        let tickets = OnceLock::new();
        Api(Arc::new(Inner {
            node,
            config,
            stop: watch::Sender::new(false),
            locks: AtomicBool::new(false),
            tickets,
            tabs: Tabs::default(),
        }))
    }

    fn node(&self) -> &Node {
        &self.0.node
    }

    fn config(&self) -> &Config {
        &self.0.config
    }

    /// Whether somebody asked the node to stop.
    fn is_stopping(&self) -> bool {
        *self.0.stop.borrow()
    }

    fn tickets(&self) -> Option<&page::Tickets> {
        self.0.tickets.get()
    }

    fn tabs(&self) -> &Tabs {
        &self.0.tabs
    }

    /// Ends streams and the server, so that the node can stop.
    pub(crate) fn stop(&self) {
        self.0.stop.send_replace(true);
    }

    /// The same, and the process stays without the keys.
    fn lock(&self) {
        self.0.locks.store(true, Ordering::SeqCst);
        self.stop();
    }

    /// Whether the process is to stay without the keys.
    pub(crate) fn is_locking(&self) -> bool {
        self.0.locks.load(Ordering::SeqCst)
    }

    /// Resolves when somebody asked the node to stop.
    pub(crate) async fn stopped(&self) {
        // The sender lives as long as `self`, so the wait ends only by the value.
        let _ = self.0.stop.subscribe().wait_for(|stopped| *stopped).await;
    }
}

/// Every route, unguarded: for the process that opened the store itself.
pub(crate) fn router(api: Api) -> Router {
    let texts = Router::new()
        .route("/spaces/{space}/import/trace", post(import::trace))
        .route("/spaces/{space}/objects", get(objects::list).post(objects::create))
        .route("/objects/{object}", get(objects::get).patch(objects::set).delete(objects::delete))
        .layer(DefaultBodyLimit::max(TEXTS_BYTES_MAX))
        .layer(middleware::from_fn_with_state(TEXTS_BYTES_MAX as u64, size::admit));
    let routes = Router::new()
        .route("/version", get(status::version))
        .route("/status", get(status::status))
        .route("/config", get(settings::config))
        .route("/stop", post(settings::stop))
        .route("/openapi.json", get(openapi::serve))
        .route("/identity/phrase", get(identity::phrase).delete(identity::forget_phrase))
        .route("/identity/lock", post(identity::lock))
        .route("/identity/unlock", post(identity::unlock))
        .route("/devices", get(devices::list))
        .route("/devices/links", post(devices::link).delete(devices::cancel))
        .route("/devices/this", patch(devices::rename))
        .route("/devices/{device}", delete(devices::remove))
        .route("/profile", get(profile::show).patch(profile::set))
        .route("/contacts", get(contacts::list))
        .route("/contacts/{person}", get(contacts::show).patch(contacts::change).delete(contacts::forget))
        .route("/spaces", get(spaces::list).post(spaces::create))
        .route("/spaces/{space}", get(spaces::show).patch(spaces::rename).delete(spaces::delete))
        .route("/spaces/{space}/leave", post(spaces::leave))
        .route("/spaces/{space}/policy", get(policy::show).patch(policy::set))
        .route("/spaces/{space}/readmissions", post(quarantine::readmit))
        .route("/quarantine", get(quarantine::list))
        .route("/spaces/{space}/members", get(members::members))
        .route("/spaces/{space}/members/{member}", delete(members::remove).patch(members::set_role))
        .route("/spaces/{space}/proposals/{proposal}", post(proposals::seal))
        .route("/spaces/{space}/invitations", post(invitations::invite))
        .route("/invitations", get(invitations::list))
        .route("/invitations/{invitation}", delete(invitations::revoke))
        .route("/invitations/{invitation}/newcomers/{newcomer}", post(invitations::decide))
        .route("/join", post(join::join))
        .route("/spaces/{space}/files", get(files::list))
        .route("/objects/{object}/text", get(text::show).post(text::edit))
        .route("/objects/{object}/sessions", post(sessions::open))
        .route("/objects/{object}/sessions/{session}/stream", post(sessions::stream::follow))
        .route("/objects/{object}/sessions/{session}/updates", post(sessions::update))
        .route("/objects/{object}/sessions/{session}/presence", post(sessions::presence))
        .route("/spaces/{space}/records", get(records::list).post(records::append))
        .route("/spaces/{space}/drafts", get(drafts::list))
        .route("/spaces/{space}/drafts/{draft}", delete(drafts::drop_one))
        .route("/spaces/{space}/feeds", get(feeds::list))
        .route("/feeds/{feed}", get(feeds::show))
        .route("/verify", post(feeds::verify))
        .route("/rebuild", post(feeds::rebuild))
        .route("/spaces/{space}/wait", get(wait::wait))
        .route("/events", get(events::events))
        .route("/tickets", post(page::issue))
        .route("/tickets/spend", post(page::spend))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(BODY_BYTES_MAX as u64, size::admit))
        .merge(texts);
    Router::new()
        .nest("/api/v1", routes)
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .merge(page::files())
        .fallback(no_such_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(path_is_text))
        .with_state(api)
}

/// Serves the API to whoever passes the guard, until it is stopped.
pub(crate) async fn serve(api: Api, listener: TcpListener, guard: guard::Guard) -> io::Result<()> {
    // A second server of one API would be a fault of ours; its pages would find the tickets of the first.
    let _ = api.0.tickets.set(page::Tickets::new(guard.page_token().clone()));
    sessions::presence::start(api.node(), api.tabs());
    drafts::start(&api);
    let guarded = router(api.clone())
        .layer(middleware::from_fn_with_state(guard, guard::admit))
        .layer(middleware::from_fn_with_state(api.clone(), observe::request));
    axum::serve(listener, guarded).with_graceful_shutdown(async move { api.stopped().await }).await
}

/// Binds the first free one of `ports` at the address.
pub(crate) async fn bind(address: SocketAddr, ports: impl Iterator<Item = u16>) -> io::Result<TcpListener> {
    let mut refused = io::Error::from(io::ErrorKind::AddrInUse);
    for port in ports {
        match TcpListener::bind(SocketAddr::new(address.ip(), port)).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => refused = error,
            bound => return bound,
        }
    }
    Err(refused)
}

/// A path whose escapes are no text names nothing, and is refused in our words rather than axum's.
async fn path_is_text(request: Request, next: Next) -> Response {
    if decodes_to_text(request.uri().path()) {
        return next.run(request).await;
    }
    error::ApiError::bad_request(
        "bad_path",
        "the escapes in the path are no UTF-8 text",
        "write the bytes of UTF-8 text as %XX",
    )
    .into_response()
}

/// Whether the bytes that the `%XX` of a path stand for are UTF-8.
fn decodes_to_text(path: &str) -> bool {
    let (bytes, mut decoded) = (path.as_bytes(), Vec::with_capacity(path.len()));
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%').then(|| path.get(at + 1..at + 3)).flatten();
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    std::str::from_utf8(&decoded).is_ok()
}

async fn no_such_route() -> error::ApiError {
    error::ApiError::not_found("no_such_route", "there is no such path", "GET /api/v1/openapi.json lists every path")
}

async fn wrong_method() -> error::ApiError {
    error::ApiError::new(
        axum::http::StatusCode::METHOD_NOT_ALLOWED,
        "wrong_method",
        "this path knows no such method",
        "GET /api/v1/openapi.json lists the methods of every path",
    )
}
