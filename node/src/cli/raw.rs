//! `weft api`: any request of the API, as it is.

use std::io::Read;

use axum::http::{Method, Uri};

use super::{
    client::{Call, Client},
    failure::{Exit, Failure},
    output::print_bytes,
    plan,
};

/// Sends one request and prints the body of the answer as it comes.
pub(crate) fn request(client: &Client, method: &Method, asked: &str, body: Option<&str>) -> Result<(), Failure> {
    let path = path(asked)?;
    let body = match body.map(|body| (body, body.strip_prefix('@'))) {
        None => None,
        Some((_, Some(file))) => Some(plan::read(file)?),
        Some(("-", None)) => Some(plan::read("-")?),
        Some((text, None)) => Some(text.as_bytes().to_vec()),
    };
    let mut answer = client.send(Call::raw(method.clone(), path, body))?;
    let mut piece = vec![0; 64 << 10];
    let mut last = b'\n';
    loop {
        let count = answer.read(&mut piece).map_err(|error| super::client::lost(&error))?;
        if count == 0 {
            break;
        }
        last = piece[count - 1];
        print_bytes(&piece[..count])?;
    }
    // A document has no end of line; a terminal wants one.
    if last == b'\n' { Ok(()) } else { print_bytes(b"\n") }
}

/// A path that begins with `/` as it is, any other below `/api/v1/`.
fn path(asked: &str) -> Result<String, Failure> {
    let path = if asked.starts_with('/') { asked.to_owned() } else { format!("/api/v1/{asked}") };
    match path.parse::<Uri>() {
        Ok(_) => Ok(path),
        Err(error) => Err(Failure::new(
            Exit::Usage,
            "bad_path",
            format!("`{asked}` is no path: {error}"),
            "write it like `status` or `/api/v1/spaces?…`, and characters that a path cannot hold as %XX",
        )),
    }
}

/// A method that the API knows.
pub(crate) fn method(text: &str) -> Result<Method, String> {
    let methods = [Method::GET, Method::POST, Method::PATCH, Method::PUT, Method::DELETE];
    let found = methods.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(text));
    found.ok_or_else(|| "a method is GET, POST, PATCH, PUT or DELETE".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_leave_out_what_all_have_in_common() {
        assert_eq!(path("status").unwrap(), "/api/v1/status");
        assert_eq!(path("/api/v1/status?x=1").unwrap(), "/api/v1/status?x=1");
        assert_eq!(path("spaces/a b").unwrap_err().code, "bad_path");
        assert_eq!(method("get"), Ok(Method::GET));
        assert!(method("BREW").is_err());
    }
}
