//! The node as a process: its settings, and its end.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use crate::config::{Config, Source};

/// Every setting.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Settings {
    /// In the order of the documentation.
    settings: Vec<SettingRow>,
}

/// A setting.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SettingRow {
    /// Its name in `config.toml`.
    key: &'static str,
    /// What holds.
    value: serde_json::Value,
    /// Who said so: `flag`, the name of a variable, `config.toml` or `default`.
    source: String,
}

impl Settings {
    /// The settings of this configuration.
    pub(crate) fn of(config: &Config) -> Settings {
        let row = |(key, value, source): (_, _, Source)| SettingRow { key, value, source: source.to_string() };
        Settings { settings: config.rows().into_iter().map(row).collect() }
    }
}

/// Every setting, and where its value came from.
#[utoipa::path(get, path = "/config", tag = "node", responses((status = 200, body = Settings)))]
pub(crate) async fn config(State(api): State<Api>) -> Json<Settings> {
    Json(Settings::of(api.config()))
}

/// That the node stops.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Stopping {
    /// Always true.
    stopping: bool,
}

impl Stopping {
    /// It does.
    pub(super) fn new() -> Stopping {
        Stopping { stopping: true }
    }
}

/// Stop the node. It answers first, then closes its connections and its store.
#[utoipa::path(post, path = "/stop", tag = "node", responses((status = 200, body = Stopping)))]
pub(crate) async fn stop(State(api): State<Api>) -> Json<Stopping> {
    api.stop();
    Json(Stopping::new())
}
