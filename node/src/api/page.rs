//! The page of the node: a few static files, and the ticket by which a browser gets a token of its own.
//!
//! The files hold no secret, so they are served to whoever reaches this address under its own name. What they show comes from
//! the API, with a token that can read and invite and nothing else. A browser gets that token for a ticket: `weft open` asks
//! for one, puts it behind the `#` of the page's address, where it is never sent, and the page spends it at once. A ticket that
//! stays in a history or in a list of processes is worth nothing.
//!
//! Spec: NODE-5.1, NODE-5.2.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weft_crypto::base32;

use super::{
    Api,
    error::{ApiError, Body, ErrorBody},
    rfc3339,
    token::Token,
};

/// How long a ticket can be spent. A guess: long enough to carry it to another window by hand.
const TICKET_LIFE: Duration = Duration::from_secs(300);
/// Tickets that can be out at once; the oldest gives way.
const TICKETS_MAX: usize = 16;

/// What a page may do in a browser: run and show what came from here, speak to here, and nothing else. Nothing may frame it,
/// and no string becomes markup or code.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// A file of the page.
struct File {
    path: &'static str,
    media_type: &'static str,
    content: &'static str,
}

macro_rules! file {
    ($path:literal, $media_type:ident, $name:literal) => {
        File { path: $path, media_type: $media_type, content: include_str!(concat!("../../web/", $name)) }
    };
}

const FILES: [File; 12] = [
    file!("/", HTML, "index.html"),
    file!("/page/style.css", CSS, "style.css"),
    file!("/page/icon.svg", SVG, "icon.svg"),
    file!("/page/app.js", SCRIPT, "app.js"),
    file!("/page/session.js", SCRIPT, "session.js"),
    file!("/page/live.js", SCRIPT, "live.js"),
    file!("/page/dom.js", SCRIPT, "dom.js"),
    file!("/page/visible.js", SCRIPT, "visible.js"),
    file!("/page/words.js", SCRIPT, "words.js"),
    file!("/page/overview.js", SCRIPT, "overview.js"),
    file!("/page/space.js", SCRIPT, "space.js"),
    file!("/page/object.js", SCRIPT, "object.js"),
];

/// The routes of the page's files.
pub(crate) fn files() -> Router<Api> {
    FILES.iter().fold(Router::new(), |router, file| router.route(file.path, get(async move || serve(file))))
}

/// Whether the path is that of a file of the page, which is shown without a token.
pub(crate) fn is_file(path: &str) -> bool {
    FILES.iter().any(|file| file.path == path)
}

fn serve(file: &'static File) -> Response {
    let headers = [
        (header::CONTENT_TYPE, file.media_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ];
    let mut response = file.content.into_response();
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The tickets that are out, and what they are spent for.
#[derive(Clone)]
pub(crate) struct Tickets(Arc<Book>);

struct Book {
    page: Token,
    /// By the hash of the ticket, so that looking one up tells nothing by its time: until when.
    out: Mutex<BTreeMap<[u8; 32], Instant>>,
}

impl Tickets {
    /// No ticket is out; each will be spent for this token.
    pub(crate) fn new(page: Token) -> Tickets {
        Tickets(Arc::new(Book { page, out: Mutex::default() }))
    }

    fn issue(&self, now: Instant) -> Result<String, getrandom::Error> {
        let mut random = [0; 32];
        getrandom::fill(&mut random)?;
        let ticket = base32::encode(&random);
        let mut out = self.0.out.lock().unwrap_or_else(PoisonError::into_inner);
        out.retain(|_, until| *until > now);
        if out.len() >= TICKETS_MAX
            && let Some(oldest) = out.iter().min_by_key(|(_, until)| **until).map(|(ticket, _)| *ticket)
        {
            out.remove(&oldest);
        }
        out.insert(hash(&ticket), now + TICKET_LIFE);
        Ok(ticket)
    }

    fn spend(&self, now: Instant, ticket: &str) -> Option<&Token> {
        let mut out = self.0.out.lock().unwrap_or_else(PoisonError::into_inner);
        out.remove(&hash(ticket)).filter(|until| *until > now).map(|_| &self.0.page)
    }
}

fn hash(ticket: &str) -> [u8; 32] {
    *blake3::hash(ticket.as_bytes()).as_bytes()
}

/// A ticket for one browser.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ticket {
    /// Goes behind `/#ticket=` of this node's address.
    ticket: String,
    /// Until when it can be spent, RFC 3339; only once.
    expires: String,
}

/// A ticket to be spent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spending {
    /// As it was issued.
    ticket: String,
}

/// What the page shows with every request.
#[derive(Serialize, ToSchema)]
pub(crate) struct PageToken {
    /// A bearer token that can read and invite, until the node stops.
    token: String,
}

/// Issue a ticket by which one browser can open the page.
#[utoipa::path(post, path = "/tickets", tag = "page",
    responses((status = 200, body = Ticket), (status = 503, body = ErrorBody)))]
pub(crate) async fn issue(State(api): State<Api>) -> Result<Json<Ticket>, ApiError> {
    let tickets = api.tickets().ok_or_else(no_node)?;
    let ticket = tickets.issue(Instant::now()).map_err(|_| ApiError::unexpected())?;
    let expires_ms = rfc3339::now_ms() + u64::try_from(TICKET_LIFE.as_millis()).unwrap_or(u64::MAX);
    Ok(Json(Ticket { ticket, expires: rfc3339::format(expires_ms) }))
}

/// Spend a ticket. The one request under `/api` that needs no token.
#[utoipa::path(post, path = "/tickets/spend", tag = "page", request_body = Spending, security(()),
    responses((status = 200, body = PageToken), (status = 403, body = ErrorBody), (status = 503, body = ErrorBody)))]
pub(crate) async fn spend(
    State(api): State<Api>,
    Body(Spending { ticket }): Body<Spending>,
) -> Result<Json<PageToken>, ApiError> {
    let tickets = api.tickets().ok_or_else(no_node)?;
    match tickets.spend(Instant::now(), &ticket) {
        Some(page) => Ok(Json(PageToken { token: page.as_text().to_owned() })),
        None => Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "ticket_spent",
            "the ticket was spent already, is older than five minutes, or is of another start of the node",
            "run `weft open` again",
        )),
    }
}

fn no_node() -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "no_node", "no node is running here", "start it with `weft up`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tickets() -> Tickets {
        let folder = tempfile::tempdir().unwrap();
        Tickets::new(Token::issue(folder.path()).unwrap().0.for_page())
    }

    #[test]
    fn a_ticket_is_spent_once() {
        let (tickets, now) = (tickets(), Instant::now());
        let ticket = tickets.issue(now).unwrap();
        assert!(tickets.spend(now, "guessed").is_none());
        assert!(tickets.spend(now, &ticket).is_some());
        assert!(tickets.spend(now, &ticket).is_none());
    }

    #[test]
    fn a_ticket_grows_old() {
        let (tickets, now) = (tickets(), Instant::now());
        let ticket = tickets.issue(now).unwrap();
        assert!(tickets.spend(now + TICKET_LIFE, &ticket).is_none());
    }

    #[test]
    fn the_oldest_of_many_tickets_gives_way() {
        let (tickets, now) = (tickets(), Instant::now());
        let issue = |after: u64| tickets.issue(now + Duration::from_secs(after)).unwrap();
        let all: Vec<String> = (0..=TICKETS_MAX as u64).map(issue).collect();
        assert!(tickets.spend(now, &all[0]).is_none());
        assert!(all[1..].iter().all(|ticket| tickets.spend(now, ticket).is_some()));
    }

    #[test]
    fn every_script_and_style_that_is_asked_for_is_served() {
        for file in &FILES {
            for quoted in
                file.content.split(['"', '\'']).filter(|text| text.starts_with("./") || text.starts_with("/page/"))
            {
                let path = quoted.replacen("./", "/page/", 1);
                assert!(is_file(&path), "{} asks for {path}", file.path);
            }
            assert!(!file.content.contains("innerHTML") && !file.content.contains("https://"), "{}", file.path);
        }
    }
}
