//! Who may speak to the API: whoever shows the token, from a program or a page of this machine.
//!
//! The token alone would do for programs. `Host` and `Origin` are checked as well because a browser can be made to send
//! requests by any page it shows, to any name that resolves to this machine (DNS rebinding). What a browser says of the site
//! that a request comes from is heard too, where it says so. A page never holds the node's own token: its token reads what the
//! page shows and makes links, and opens nothing else.
//!
//! Spec: NODE-5.1.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{error::ApiError, page, size, token::Token};

/// The header by which a client knows which node answers.
pub(crate) const NODE_HEADER: &str = "weft-node";

/// Paths that are answered without a token, beside the files of the page: what they say is no secret, or they ask for one of
/// their own.
const OPEN: [&str; 3] = ["/healthz", "/readyz", "/api/v1/tickets/spend"];
/// Paths that no version of the API stands before.
const BESIDE: [&str; 3] = ["/healthz", "/readyz", "/metrics"];
/// What the token of a page reads: these paths and what is below them.
const PAGE_READS: [&str; 5] =
    ["/api/v1/version", "/api/v1/status", "/api/v1/spaces", "/api/v1/objects", "/api/v1/events"];

/// How much of the body of a refused request is read, in bytes, and how long that may take: a small form is heard out, a
/// stranger is not waited for.
const DISCARDED_BYTES_MAX: u64 = 64 << 10;
const DISCARD_MAX: Duration = Duration::from_secs(1);

/// What a request is checked against.
#[derive(Clone)]
pub(crate) struct Guard(Arc<Checks>);

struct Checks {
    token: Token,
    page: Token,
    hosts: Vec<String>,
    origins: Vec<String>,
    node: HeaderValue,
}

impl Guard {
    /// Admits requests with this token to the node at this address, under loopback names, the address itself and `hosts`,
    /// from programs, from pages of the node itself and from pages of `origins`.
    pub(crate) fn new(token: Token, address: SocketAddr, hosts: &[String], origins: &[String], peer_id: &str) -> Guard {
        let mut hosts: Vec<String> = hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
        if !address.ip().is_unspecified() {
            hosts.push(match address {
                SocketAddr::V4(v4) => v4.ip().to_string(),
                SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
            });
        }
        let node = HeaderValue::from_str(peer_id).expect("a peer id is base58");
        let origins = origins.iter().map(|origin| origin.to_ascii_lowercase()).collect();
        Guard(Arc::new(Checks { page: token.for_page(), token, hosts, origins, node }))
    }

    /// What a page shows instead of the node's own token.
    pub(crate) fn page_token(&self) -> &Token {
        &self.0.page
    }

    fn check(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
        let forbidden = |code, message: String| {
            ApiError::new(
                StatusCode::FORBIDDEN,
                code,
                message,
                "use the address that `weft up` printed, or set `api_hosts`",
            )
        };
        // A request in absolute form names its host in the line itself.
        let host = uri.authority().map(|authority| authority.as_str()).or_else(|| only(headers, header::HOST));
        let host = host.ok_or_else(|| forbidden("wrong_host", "the request names no host".to_owned()))?;
        if !self.names_us(host) {
            return Err(forbidden("wrong_host", format!("`{host}` is not a name of this node")));
        }
        if headers.contains_key(header::ORIGIN) {
            let origin = only(headers, header::ORIGIN).unwrap_or_default();
            let from = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            if !from.is_some_and(|from| from.eq_ignore_ascii_case(host)) && self.page_of(headers).is_none() {
                return Err(ApiError::new(
                    StatusCode::FORBIDDEN,
                    "wrong_origin",
                    format!("a page of `{origin}` may not use this node"),
                    "name the origins of your apps when the node starts: `weft up --origin ORIGIN`, or `api_origins`",
                ));
            }
        }
        // A link on another site may lead to the page; nothing else may come from there.
        let site = headers.get("sec-fetch-site").map_or(&b"none"[..], HeaderValue::as_bytes);
        let says = |name, value: &str| headers.get(name).is_some_and(|said: &HeaderValue| said == value);
        let shows_page =
            page::is_file(uri.path()) && says("sec-fetch-mode", "navigate") && says("sec-fetch-dest", "document");
        if !matches!(site, b"none" | b"same-origin") && !shows_page && self.page_of(headers).is_none() {
            return Err(forbidden("wrong_origin", "a page of another site may not use this node".to_owned()));
        }
        if self.is_preflight(method, headers) {
            // A browser asks before it sends the token; there is none to check, and nothing is done.
            return Ok(());
        }
        let path = uri.path();
        if OPEN.contains(&path) || page::is_file(path) {
            return Ok(());
        }
        let shown = headers.get(header::AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
        if self.0.token.is_shown_by(shown) {
            return Ok(());
        }
        if !self.0.page.is_shown_by(shown) {
            return Err(ApiError::new(
                StatusCode::UNAUTHORIZED,
                "no_token",
                "the request does not show the token of this node",
                "send `Authorization: Bearer TOKEN`; node.json in the data folder says where the token is",
            ));
        }
        if page_may(method, path) {
            return Ok(());
        }
        Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "page_may_not",
            "the token of a page reads what the page shows and makes links, and nothing else",
            "do it with the command line",
        ))
    }

    /// The listed origin that a request comes from, if it comes from one.
    fn page_of<'a>(&self, headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
        let origin = only(headers, header::ORIGIN)?.to_ascii_lowercase();
        self.0.origins.contains(&origin).then(|| headers.get(header::ORIGIN)).flatten()
    }

    fn is_preflight(&self, method: &Method, headers: &HeaderMap) -> bool {
        method == Method::OPTIONS
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
            && self.page_of(headers).is_some()
    }

    /// What a browser needs to hear before it lets a page of another origin read the answer.
    fn share(&self, origin: HeaderValue, preflight: bool, headers: &mut HeaderMap) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.append(header::VARY, HeaderValue::from_static("origin"));
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(NODE_HEADER));
        if preflight {
            let allow = |text| HeaderValue::from_static(text);
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow("GET, POST, PATCH, DELETE"));
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allow("authorization, content-type"));
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, allow("600"));
            headers.insert(HeaderName::from_static("access-control-allow-private-network"), allow("true"));
        }
    }

    fn names_us(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        // The port is left out of the comparison: who can choose it already reaches this socket.
        let name = match host.rsplit_once(':') {
            Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => &host,
        };
        self.0.hosts.iter().any(|ours| ours == name)
    }
}

/// Whether the path is none of the API's versions.
pub(crate) fn is_beside_the_api(path: &str) -> bool {
    BESIDE.contains(&path)
}

/// What the token of a page is good for.
fn page_may(method: &Method, path: &str) -> bool {
    let below = |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    match *method {
        Method::GET => PAGE_READS.iter().any(|root| below(root)),
        Method::POST => path
            .strip_prefix("/api/v1/spaces/")
            .and_then(|rest| rest.strip_suffix("/invitations"))
            .is_some_and(|space| !space.contains('/')),
        _ => false,
    }
}

/// The value of a header that is there exactly once.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok())
}

/// Checks the request, and says which node answers.
pub(crate) async fn admit(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let page = guard.page_of(request.headers()).cloned();
    let preflight = guard.is_preflight(request.method(), request.headers());
    let mut response = match guard.check(request.method(), request.uri(), request.headers()) {
        Ok(()) if preflight => StatusCode::NO_CONTENT.into_response(),
        Ok(()) => next.run(request).await,
        Err(error) => {
            // Who is still sending would lose the answer with the connection.
            let _ = tokio::time::timeout(DISCARD_MAX, size::discard(request, DISCARDED_BYTES_MAX)).await;
            error.into_response()
        }
    };
    let headers = response.headers_mut();
    if let Some(origin) = page {
        guard.share(origin, preflight, headers);
    }
    headers.insert(HeaderName::from_static(NODE_HEADER), guard.0.node.clone());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(headers: &[(&str, &str)]) -> Result<(), String> {
        asked("GET", "/api/v1/status", headers)
    }

    fn asked(method: &str, path: &str, headers: &[(&str, &str)]) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        let (token, _) = Token::issue(folder.path()).unwrap();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let value = value.replace("PAGE", &token.for_page().header()).replace("TOKEN", &token.header());
            map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        let lists = [&["Weft.example".to_owned()], &["http://localhost:5173".to_owned()]];
        let guard = Guard::new(token, "10.0.0.7:80".parse().unwrap(), lists[0], lists[1], "12D3");
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        guard.check(&method, &path.parse().unwrap(), &map).map_err(|error| error.reason.code)
    }

    #[test]
    fn a_request_needs_the_token() {
        assert_eq!(verdict(&[("host", "localhost"), ("authorization", "TOKEN")]), Ok(()));
        assert_eq!(verdict(&[("host", "localhost")]), Err("no_token".to_owned()));
        assert_eq!(verdict(&[("host", "localhost"), ("authorization", "TOKENx")]), Err("no_token".to_owned()));
    }

    #[test]
    fn a_request_names_this_node_as_its_host() {
        for host in
            ["localhost:9339", "127.0.0.1:9339", "[::1]:9339", "[::1]", "10.0.0.7:80", "weft.example", "LOCALHOST"]
        {
            assert_eq!(verdict(&[("host", host), ("authorization", "TOKEN")]), Ok(()), "{host}");
        }
        for host in ["evil.example", "127.0.0.1.evil.example", "", "localhost:evil", "localhost.", "::1"] {
            let verdict = verdict(&[("host", host), ("authorization", "TOKEN")]);
            assert_eq!(verdict, Err("wrong_host".to_owned()), "{host}");
        }
        let twice = [("host", "localhost"), ("host", "evil.example"), ("authorization", "TOKEN")];
        assert_eq!(verdict(&twice), Err("wrong_host".to_owned()));
        assert_eq!(verdict(&[("authorization", "TOKEN")]), Err("wrong_host".to_owned()));
    }

    #[test]
    fn a_page_of_another_origin_is_sent_away() {
        let from = |origin| verdict(&[("host", "localhost:1"), ("origin", origin), ("authorization", "TOKEN")]);
        assert_eq!(from("http://localhost:1"), Ok(()));
        for origin in ["http://localhost:2", "https://evil.example", "null", "file://", "http://localhost:1/x"] {
            assert_eq!(from(origin), Err("wrong_origin".to_owned()), "{origin}");
        }
    }

    #[test]
    fn the_page_and_what_is_no_secret_need_no_token() {
        for path in ["/", "/page/app.js", "/healthz", "/readyz", "/api/v1/tickets/spend"] {
            assert_eq!(asked("GET", path, &[("host", "localhost")]), Ok(()), "{path}");
            assert_eq!(asked("GET", path, &[("host", "evil.example")]), Err("wrong_host".to_owned()), "{path}");
        }
        for path in ["/page", "/page/nothing.js", "/api", "/metrics", "/api/v1/tickets", "/api/v1/openapi.json"] {
            assert_eq!(asked("GET", path, &[("host", "localhost")]), Err("no_token".to_owned()), "{path}");
        }
    }

    #[test]
    fn the_token_of_a_page_reads_and_invites_and_does_nothing_else() {
        let page = |method, path| asked(method, path, &[("host", "localhost"), ("authorization", "PAGE")]);
        for path in
            ["/api/v1/status", "/api/v1/spaces", "/api/v1/spaces/x/members", "/api/v1/objects/y", "/api/v1/events"]
        {
            assert_eq!(page("GET", path), Ok(()), "{path}");
        }
        assert_eq!(page("POST", "/api/v1/spaces/x/invitations"), Ok(()));
        for (method, path) in [
            ("GET", "/api/v1/identity/phrase"),
            ("GET", "/api/v1/statuses"),
            ("GET", "/metrics"),
            ("POST", "/api/v1/tickets"),
            ("POST", "/api/v1/stop"),
            ("POST", "/api/v1/spaces"),
            ("POST", "/api/v1/spaces/x/objects"),
            ("POST", "/api/v1/spaces/x/y/invitations"),
            ("PATCH", "/api/v1/objects/y"),
            ("DELETE", "/api/v1/identity/phrase"),
        ] {
            assert_eq!(page(method, path), Err("page_may_not".to_owned()), "{method} {path}");
        }
    }

    #[test]
    fn what_a_browser_says_of_the_site_is_heard() {
        let to = |dest, path, site, mode| {
            let said = [("sec-fetch-site", site), ("sec-fetch-mode", mode), ("sec-fetch-dest", dest)];
            asked("GET", path, &[&[("host", "localhost"), ("authorization", "TOKEN")], &said[..]].concat())
        };
        let from = |path, site, mode| to("document", path, site, mode);
        assert_eq!(from("/api/v1/status", "same-origin", "cors"), Ok(()));
        assert_eq!(from("/api/v1/status", "none", "navigate"), Ok(()));
        assert_eq!(from("/", "cross-site", "navigate"), Ok(()));
        assert_eq!(to("iframe", "/", "cross-site", "navigate"), Err("wrong_origin".to_owned()));
        for site in ["cross-site", "same-site", "anything"] {
            assert_eq!(from("/api/v1/status", site, "navigate"), Err("wrong_origin".to_owned()), "{site}");
            assert_eq!(from("/page/app.js", site, "no-cors"), Err("wrong_origin".to_owned()), "{site}");
        }
    }

    #[test]
    fn a_page_of_a_listed_origin_is_let_in_and_asked_for_the_token() {
        let page = [("host", "localhost:1"), ("origin", "http://localhost:5173")];
        let with = |more: (&'static str, &'static str)| [page[0], page[1], more];
        assert_eq!(verdict(&with(("authorization", "TOKEN"))), Ok(()));
        assert_eq!(verdict(&page), Err("no_token".to_owned()));
        let evil = [("host", "evil.example"), page[1], ("authorization", "TOKEN")];
        assert_eq!(verdict(&evil), Err("wrong_host".to_owned()), "a name that was bound to this machine");

        let asks = ("access-control-request-method", "POST");
        assert_eq!(asked("OPTIONS", "/api/v1/status", &with(asks)), Ok(()));
        assert_eq!(asked("OPTIONS", "/api/v1/status", &page), Err("no_token".to_owned()), "no question of a browser");
        assert_eq!(verdict(&with(asks)), Err("no_token".to_owned()), "only the question itself");
        let other = [page[0], ("origin", "http://localhost:5174"), asks];
        assert_eq!(asked("OPTIONS", "/api/v1/status", &other), Err("wrong_origin".to_owned()));
        let own = [page[0], ("origin", "http://localhost:1"), asks];
        assert_eq!(asked("OPTIONS", "/api/v1/status", &own), Err("no_token".to_owned()), "its own pages need not ask");
    }
}
