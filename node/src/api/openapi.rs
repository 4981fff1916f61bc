//! The description of the API for programs and people, as OpenAPI.

use axum::Json;
use utoipa::OpenApi;

use super::{events, feeds, identity, import, invitations, objects, records, settings, spaces, status, text, wait};

/// Every path. A test compares it with the router and with the copy that is checked in as `openapi.json`.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Weft",
        description = "The local API of a Weft node. Every request shows the bearer token whose file node.json names. \
                       SPACE, OBJECT and FEED are a full id, a unique prefix of six or more characters, or a unique name.",
        license(name = "MIT OR Apache-2.0")
    ),
    servers((url = "/api/v1")),
    paths(
        status::version, status::status, settings::config, settings::stop, serve,
        identity::phrase, identity::forget_phrase,
        spaces::list, spaces::create, spaces::show, spaces::members, wait::wait,
        invitations::invite, invitations::join,
        objects::list, objects::create, objects::get, objects::set, objects::delete,
        text::show, text::edit, import::trace,
        records::list, records::append, feeds::list, feeds::verify, feeds::rebuild, events::events,
    ),
    components(schemas(events::EventBody, import::Progress, import::Imported, super::error::ErrorBody))
)]
struct Description;

/// The description as pretty JSON, as it is checked in.
#[must_use]
pub fn description() -> String {
    Description::openapi().to_pretty_json().expect("a description without maps of other keys than text") + "\n"
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "node", responses((status = 200, description = "OpenAPI")))]
pub(crate) async fn serve() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}
