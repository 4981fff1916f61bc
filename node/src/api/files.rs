//! The files of a space: objects of the type `file`, told so that an import or an export knows what to do with each without
//! reading their texts. Folders of this machine are read and written by the command line, never by the node.

use std::convert::Infallible;

use axum::{
    body::{Body, Bytes},
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use futures::stream;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use utoipa::ToSchema;
use weft_crypto::{IdentityId, ObjectId, SpaceId};
use weft_echo::{tables, view};

use super::{
    Api,
    error::{ApiError, ErrorBody},
    lookup, rfc3339,
};
use crate::node::Reader;

/// The type of objects that are files.
const TYPE: &str = "file";
/// The longest `path` that is told, in bytes. 4 KiB: longer ones are no paths on any system.
const PATH_BYTES_MAX: usize = 4 << 10;

/// A file of a space.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FileRow {
    /// Its object.
    object: String,
    /// Its property `path`, exactly as somebody wrote it: not fit for a file system before it was checked. None when it is no text or
    /// longer than 4,096 bytes.
    path: Option<String>,
    /// The identity that made it.
    author: String,
    /// When, as its author says, RFC 3339.
    created: String,
    /// The length of its text in bytes of UTF-8.
    text_bytes: u64,
    /// BLAKE3 of its text in UTF-8, in hex.
    text_hash: String,
}

/// List the files of a space: objects of the type `file`, by their place in the list of objects. The answer is a stream of lines, one
/// object each; should reading fail, the last is an error with its status.
#[utoipa::path(get, path = "/spaces/{space}/files", tag = "files", params(("space" = String, Path)),
    responses((status = 200, content_type = "application/x-ndjson", body = FileRow), (status = 404, body = ErrorBody)))]
pub(crate) async fn list(State(api): State<Api>, Path(space): Path<String>) -> Result<Response, ApiError> {
    let space = lookup::space(&api, &space).await?;
    let mut files = lookup::objects(&api, space).await?;
    files.retain(|(_, summary)| summary.type_name == TYPE);
    let reader = api.node().reader();
    let (lines, told) = mpsc::channel(64);
    tokio::task::spawn_blocking(move || {
        for (object, _) in files {
            let line = match row(&reader, space, object) {
                Ok(Some(row)) => json!(row),
                Ok(None) => continue,
                Err(error) => json!({"error": error.reason, "status": error.status.as_u16()}),
            };
            let is_last = line.get("error").is_some();
            if lines.blocking_send(bytes(&line)).is_err() || is_last {
                return;
            }
        }
    });
    let lines =
        stream::unfold(told, |mut told| async { told.recv().await.map(|line| (Ok::<_, Infallible>(line), told)) });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
}

fn bytes(line: &Value) -> Bytes {
    Bytes::from(format!("{line}\n"))
}

/// None when it was deleted since the list was made.
fn row(reader: &Reader, space: SpaceId, object: ObjectId) -> Result<Option<FileRow>, ApiError> {
    let rows = reader.rows(space, tables::OBJECT, &tables::object(&object))?;
    let Some(seen) = view::object(&rows).map_err(lookup::damaged)?.filter(|seen| !seen.deleted) else {
        return Ok(None);
    };
    let text = view::text(&space, &rows).map_err(lookup::damaged)?;
    let path = seen.properties.get("path").and_then(|path| serde_json::from_slice(path.value.as_ref()?).ok());
    Ok(Some(FileRow {
        object: object.to_string(),
        path: path.filter(|path: &String| path.len() <= PATH_BYTES_MAX),
        author: IdentityId::from_bytes(seen.author).to_string(),
        created: rfc3339::format(seen.claimed_ms),
        text_bytes: text.len() as u64,
        text_hash: blake3::hash(text.as_bytes()).to_hex().to_string(),
    }))
}
