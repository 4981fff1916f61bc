//! Bringing in an editing trace: every keystroke becomes an operation of the text CRDT, as if it were typed here.

use std::{
    convert::Infallible,
    io::Read,
    time::{Duration, Instant},
};

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Path, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use flate2::read::MultiGzDecoder;
use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::mpsc;
use utoipa::{IntoParams, ToSchema};
use weft_crypto::{ObjectId, SpaceId};
use weft_echo::{
    Edit, Register, TextOp,
    trace::{self, Trace},
};
use weft_peer::command::{Answer, Command};

use super::{
    Api,
    error::{ApiError, Asked, ErrorBody, too_large},
    lookup, text,
};

/// The type of the object that a trace becomes.
const TYPE: &str = "text";
/// How many entries are on their way to the disk at once, so that commits are shared. A guess that keeps one commit filled.
const ENTRIES_IN_FLIGHT: usize = 64;
/// How often progress is told. 100 ms: what looks smooth.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// What the new object is called.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct TraceQuery {
    /// Its property `name`.
    name: Option<String>,
}

/// A line of the answer while the import goes on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Progress {
    /// Operations that are durable.
    done: u64,
    /// Operations there are.
    total: u64,
}

/// The last line of the answer: the text equals the end of the trace.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Imported {
    /// The new object.
    object: String,
    /// The space it is in.
    space: String,
    /// How many operations were carried out.
    operations: u64,
    /// In how many entries.
    entries: u64,
    /// How long it took.
    seconds: f64,
}

/// A line of the answer.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "what each line may be, for the description; lines are written where they come from")]
pub(crate) enum Line {
    /// All lines but the last.
    Progress(Progress),
    /// The last line, when all of it was done.
    Imported(Imported),
    /// The last line, when something went wrong.
    Failed(ErrorBody),
}

/// Replay a sequential editing trace (JSON or gzipped JSON) into a new text. The answer is a stream of lines: progress, then
/// the new object, or an error with its status.
#[utoipa::path(post, path = "/spaces/{space}/import/trace", tag = "objects",
    params(("space" = String, Path), TraceQuery), request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, content_type = "application/x-ndjson", body = Line), (status = 400, body = ErrorBody)))]
pub(crate) async fn trace(
    State(api): State<Api>,
    Path(space): Path<String>,
    Asked(query): Asked<TraceQuery>,
    request: Request,
) -> Result<Response, ApiError> {
    let file = Bytes::from_request(request, &()).await.map_err(|_| too_large())?;
    let space = lookup::space(&api, &space).await?;
    let trace = tokio::task::spawn_blocking(move || parse(&file)).await.map_err(|_| ApiError::unexpected())??;
    let (lines, told) = mpsc::channel(16);
    tokio::spawn(async move {
        let last = match import(&api, space, trace, query.name, &lines).await {
            Ok(imported) => json!(imported),
            Err(error) => json!({"error": error.reason, "status": error.status.as_u16()}),
        };
        // The import itself is done; nobody may be there to hear of it.
        let _ = lines.send(line(&last)).await;
    });
    let lines =
        stream::unfold(told, |mut told| async { told.recv().await.map(|line| (Ok::<_, Infallible>(line), told)) });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
}

fn line(value: &serde_json::Value) -> Bytes {
    Bytes::from(format!("{value}\n"))
}

fn parse(file: &[u8]) -> Result<Trace, ApiError> {
    let no_trace = |why: String| {
        ApiError::bad_request(
            "malformed_trace",
            format!("the file is no sequential editing trace: {why}"),
            "it is JSON, gzipped or not: {startContent, endContent, txns: [{patches: [[position, deleted, inserted]]}]}",
        )
    };
    let mut unpacked = Vec::new();
    let json = if file.starts_with(&[0x1f, 0x8b]) {
        // One byte more than is allowed, so that what is too long is found to be.
        let unpacking = MultiGzDecoder::new(file).take(trace::TRACE_BYTES_MAX as u64 + 1).read_to_end(&mut unpacked);
        unpacking.map_err(|error| no_trace(error.to_string()))?;
        &unpacked
    } else {
        file
    };
    match trace::parse(json) {
        Ok(trace) if trace.concurrent => Err(no_trace("it is a concurrent one, by several people at once".to_owned())),
        Ok(trace) => match misfit(&trace) {
            Some(why) => Err(no_trace(why)),
            None => Ok(trace),
        },
        Err(error) => Err(no_trace(error.to_string())),
    }
}

/// Why a trace cannot make its end, as far as lengths show it: nothing is written of one that cannot.
fn misfit(trace: &Trace) -> Option<String> {
    let count = |text: &str| text.chars().count() as u64;
    let mut length = count(&trace.start);
    for (number, op) in trace.transactions.iter().flat_map(|transaction| &transaction.ops).enumerate() {
        if op.position.checked_add(op.delete).is_none_or(|end| end > length) {
            return Some(format!("operation {number} reaches outside the text, which has {length} characters there"));
        }
        length = length - op.delete + count(&op.insert);
    }
    let end = count(&trace.end);
    (length != end).then(|| format!("its operations end with {length} characters, and `endContent` has {end}"))
}

async fn import(
    api: &Api,
    space: SpaceId,
    trace: Trace,
    name: Option<String>,
    lines: &mpsc::Sender<Bytes>,
) -> Result<Imported, ApiError> {
    let began = Instant::now();
    let name = name.map(|name| Register { name: "name".to_owned(), value: json!(name).to_string().into() });
    let create = Edit::Create {
        type_name: TYPE.to_owned(),
        registers: name.into_iter().collect(),
        text: Some(trace.start).filter(|text| !text.is_empty()),
    };
    let object = edit(api, space, create).await?;
    let operations: Vec<TextOp> = trace.transactions.into_iter().flat_map(|transaction| transaction.ops).collect();
    let total = operations.len() as u64;
    let bounds = Bounds {
        operations_max: api.config().import_entry_operations_max.value,
        time_max: Duration::from_millis(api.config().import_entry_ms.value),
    };
    let (mut done, mut entries, mut told) = (0, 1, began);
    let edits = Entries { bounds, operations: operations.into_iter().peekable() }.map(|ops| {
        let count = ops.len() as u64;
        // Edits stand in the node's queue in the order in which they are first polled. Tokio's budget would make some of
        // them wait a turn, behind later ones; without it each is in the queue at its first poll.
        let edit = tokio::task::unconstrained(edit(api, space, Edit::Text { object, ops }));
        async move { edit.await.map(|_| count) }
    });
    let mut durable = stream::iter(edits).buffered(ENTRIES_IN_FLIGHT);
    while let Some(count) = durable.next().await {
        done += count?;
        entries += 1;
        if told.elapsed() >= PROGRESS_INTERVAL {
            told = Instant::now();
            let progress = line(&json!(Progress { done, total }));
            if lines.send(progress).await.is_err() {
                return Err(abandoned());
            }
        }
    }
    drop(durable);
    if text::read(api, space, object).await? != trace.end {
        return Err(ApiError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "import_differs",
            format!("the text of {object} is not what the trace ends with"),
            "the `endContent` of the trace is not what its operations make; delete the object",
        ));
    }
    let seconds = (began.elapsed().as_secs_f64() * 1_000.0).round() / 1_000.0;
    Ok(Imported { object: object.to_string(), space: space.to_string(), operations: done, entries, seconds })
}

async fn edit(api: &Api, space: SpaceId, edit: Edit) -> Result<ObjectId, ApiError> {
    match api.node().command(Command::Edit { space, edit }).await? {
        Answer::Edited { object } => Ok(object),
        _ => Err(ApiError::unexpected()),
    }
}

/// Whoever asked for the import went away.
fn abandoned() -> ApiError {
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "abandoned", "the import was abandoned", "start it again")
}

/// When an entry closes, beside at a jump of the cursor.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    operations_max: usize,
    time_max: Duration,
}

/// Cuts the operations of a trace into entries.
struct Entries<I: Iterator<Item = TextOp>> {
    bounds: Bounds,
    operations: std::iter::Peekable<I>,
}

impl<I: Iterator<Item = TextOp>> Iterator for Entries<I> {
    type Item = Vec<TextOp>;

    fn next(&mut self) -> Option<Vec<TextOp>> {
        let first = self.operations.next()?;
        let opened = Instant::now();
        let mut cursor = cursor_after(&first);
        let mut entry = vec![first];
        while entry.len() < self.bounds.operations_max && opened.elapsed() < self.bounds.time_max {
            let Some(next) = self.operations.next_if(|next| continues(cursor, next)) else { break };
            cursor = cursor_after(&next);
            entry.push(next);
        }
        Some(entry)
    }
}

/// Where the cursor stands after an operation.
fn cursor_after(op: &TextOp) -> u64 {
    op.position.saturating_add(op.insert.chars().count() as u64)
}

/// Whether an operation happens at the cursor: typing and deleting forward begin there, deleting backward ends there.
fn continues(cursor: u64, op: &TextOp) -> bool {
    op.position == cursor || op.position.saturating_add(op.delete) == cursor
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(position: u64, delete: u64, insert: &str) -> TextOp {
        TextOp { position, delete, insert: insert.to_owned() }
    }

    fn lengths(operations: Vec<TextOp>) -> Vec<usize> {
        let bounds = Bounds { operations_max: 4, time_max: Duration::from_secs(3_600) };
        Entries { bounds, operations: operations.into_iter().peekable() }.map(|entry| entry.len()).collect()
    }

    #[test]
    fn typing_stays_in_one_entry_until_it_is_full() {
        assert_eq!(lengths((0..10).map(|at| op(at, 0, "x")).collect()), [4, 4, 2]);
    }

    #[test]
    fn a_jump_of_the_cursor_closes_an_entry_and_deleting_at_it_does_not() {
        let typed = vec![
            op(0, 0, "a"),
            op(1, 0, "🙂"),
            op(1, 1, ""),
            op(0, 1, ""),
            op(9, 0, "b"),
            op(10, 1, ""),
            op(0, 0, "c"),
        ];
        assert_eq!(lengths(typed), [4, 2, 1]);
    }

    #[test]
    fn time_closes_an_entry() {
        let bounds = Bounds { operations_max: 64, time_max: Duration::ZERO };
        let operations = (0..3).map(|at| op(at, 0, "x")).peekable();
        assert_eq!(Entries { bounds, operations }.count(), 3);
    }

    #[test]
    fn a_file_that_is_no_trace_is_refused() {
        let outside = br#"{"endContent": "x", "txns": [{"patches": [[1, 0, "x"]]}]}"#;
        let longer = br#"{"endContent": "xy", "txns": [{"patches": [[0, 0, "x"]]}]}"#;
        for file in [&b""[..], b"{}", b"[1,2]", &[0x1f, 0x8b, 8, 0, 0], outside, longer] {
            assert_eq!(parse(file).map(|_| ()).map_err(|error| error.reason.code), Err("malformed_trace".to_owned()));
        }
    }
}
