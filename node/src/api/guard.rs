//! Who may speak to the API: whoever shows the token, from a program or a page of this machine.
//!
//! The token alone would do for programs. `Host` and `Origin` are checked as well because a browser can be made to send
//! requests by any page it shows, to any name that resolves to this machine (DNS rebinding).

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{error::ApiError, token::Token};

/// The header by which a client knows which node answers.
pub(crate) const NODE_HEADER: &str = "weft-node";

/// What a request is checked against.
#[derive(Clone)]
pub(crate) struct Guard(Arc<Checks>);

struct Checks {
    token: Token,
    hosts: Vec<String>,
    node: HeaderValue,
}

impl Guard {
    /// Admits requests with this token to the node at this address, under loopback names, the address itself and `hosts`.
    pub(crate) fn new(token: Token, address: SocketAddr, hosts: &[String], peer_id: &str) -> Guard {
        let mut hosts: Vec<String> = hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
        if !address.ip().is_unspecified() {
            hosts.push(match address {
                SocketAddr::V4(v4) => v4.ip().to_string(),
                SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
            });
        }
        let node = HeaderValue::from_str(peer_id).expect("a peer id is base58");
        Guard(Arc::new(Checks { token, hosts, node }))
    }

    fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
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
            if !from.is_some_and(|from| from.eq_ignore_ascii_case(host)) {
                return Err(forbidden("wrong_origin", format!("a page of `{origin}` may not use this node")));
            }
        }
        let shown = headers.get(header::AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
        if !self.0.token.is_shown_by(shown) {
            return Err(ApiError::new(
                StatusCode::UNAUTHORIZED,
                "no_token",
                "the request does not show the token of this node",
                "send `Authorization: Bearer TOKEN`; node.json in the data folder says where the token is",
            ));
        }
        Ok(())
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

/// The value of a header that is there exactly once.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok())
}

/// Checks the request, and says which node answers.
pub(crate) async fn admit(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let mut response = match guard.check(request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static(NODE_HEADER), guard.0.node.clone());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(headers: &[(&str, &str)]) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        let (token, _) = Token::issue(folder.path()).unwrap();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let value = value.replace("TOKEN", &token.header());
            map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        let guard = Guard::new(token, "10.0.0.7:80".parse().unwrap(), &["Weft.example".to_owned()], "12D3");
        guard.check(&"/api/v1/status".parse().unwrap(), &map).map_err(|error| error.reason.code)
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
}
