//! The description of the API for programs and people, as OpenAPI.
//!
//! What each handler says of itself is completed here with what holds for all of them: the token, the answers of the guard,
//! ids of operations that are unique, and examples. Every example runs: a test sends it to a node.

use axum::Json;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use super::{
    contacts, devices, drafts, events, examples, feeds, files, guard, health, identity, import, invitations, join,
    members, objects, page, policy, profile, proposals, quarantine, records, sessions, settings, spaces, status, text,
    wait,
};

/// Every path. A test compares it with the router and with the copy that is checked in as `openapi.json`.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Weft",
        description = "The local API of a Weft node. Every request shows the bearer token whose file node.json names, \
                       but for those that say otherwise. SPACE, OBJECT and FEED are a full id, a unique prefix of six or \
                       more characters, or a unique name. Paths begin with the version of the API: what is there keeps its \
                       meaning, what is new is added, and what has to change otherwise comes under /api/v2 beside it.",
        license(name = "MIT OR Apache-2.0")
    ),
    servers((url = "/api/v1")),
    paths(
        status::version, status::status, settings::config, settings::stop, serve,
        profile::show, profile::set, contacts::list, contacts::show, contacts::change, contacts::forget,
        identity::phrase, identity::forget_phrase, identity::lock, identity::unlock,
        devices::list, devices::link, devices::cancel, devices::rename, devices::remove,
        spaces::list, spaces::create, spaces::show, spaces::rename, spaces::leave, spaces::delete, wait::wait,
        members::members, members::remove, members::set_role, proposals::seal, policy::show, policy::set, quarantine::list, quarantine::readmit,
        invitations::invite, invitations::list, invitations::revoke, invitations::decide, join::join,
        objects::list, objects::create, objects::get, objects::set, objects::delete,
        text::show, text::edit, files::list,
        sessions::open, sessions::stream::follow, sessions::update, sessions::presence, import::trace,
        records::list, records::append, drafts::list, drafts::drop_one, feeds::list, feeds::show, feeds::verify, feeds::rebuild, events::events,
        page::issue, page::spend,
        health::alive, health::ready, health::metrics,
    ),
    components(schemas(events::EventBody, super::error::ErrorBody))
)]
struct Description;

/// The description as pretty JSON, as it is checked in.
#[must_use]
pub fn description() -> String {
    serde_json::to_string_pretty(&described()).expect("a value that came from JSON") + "\n"
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "node",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json", body = Value)))]
pub(crate) async fn serve() -> Json<Value> {
    Json(described())
}

fn described() -> Value {
    let mut description = serde_json::to_value(Description::openapi()).unwrap_or_default();
    description["security"] = json!([{"bearer": []}]);
    description["components"]["securitySchemes"] = json!({"bearer": {"type": "http", "scheme": "bearer"}});
    let Some(Value::Object(paths)) = description.get_mut("paths") else { return description };
    for (path, item) in paths {
        let Value::Object(item) = item else { continue };
        for (method, operation) in item.iter_mut() {
            complete(path, method, operation);
        }
        if guard::is_beside_the_api(path) {
            item.insert("servers".to_owned(), json!([{"url": "/"}]));
        }
    }
    description
}

/// Adds what holds for every operation.
fn complete(path: &str, method: &str, operation: &mut Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    operation["operationId"] = json!(format!("{}_{}", text(&operation["tags"][0]), text(&operation["operationId"])));
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(example) = examples::parameter(&text(&parameter["name"]), &text(&parameter["in"])) {
            parameter["example"] = example;
        }
    }
    for (media_type, content) in contents(operation.get_mut("requestBody")) {
        if media_type == "application/octet-stream" {
            content["schema"] = json!({"type": "string", "format": "binary"});
        }
        if let Some(example) = examples::body(path, method) {
            content["example"] = example;
        }
    }
    let needs_token = operation.get("security").is_none();
    let answers = &mut operation["responses"];
    may_answer(
        answers,
        "403",
        "the request names another host or comes from a page of another origin, or a rule says no",
    );
    may_answer(answers, "default", "anything else: `code` says what, `hint` what to do");
    if needs_token {
        may_answer(answers, "401", "the request does not show the token of this node");
    }
}

/// Describes an error, unless the operation does so itself.
fn may_answer(answers: &mut Value, status: &str, says: &str) {
    if answers.get(status).is_none() {
        let schema = json!({"$ref": "#/components/schemas/ErrorBody"});
        answers[status] = json!({"description": says, "content": {"application/json": {"schema": schema}}});
    }
}

/// The contents of a body by their media types.
fn contents(body: Option<&mut Value>) -> impl Iterator<Item = (&String, &mut Value)> {
    let contents = body.and_then(|body| body.get_mut("content")).and_then(Value::as_object_mut);
    contents.into_iter().flat_map(Map::iter_mut)
}
