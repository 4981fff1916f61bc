//! What the node says of itself while it runs: lines on standard error, by level and module, for people or for programs.
//!
//! There is one subscriber for the process, made of sinks that each have a filter of their own, so that a further sink changes
//! nothing for the others. What is logged is what happens: ids, routes, counts and reasons. A token, a link, a phrase or a
//! key is never an argument of a log line; a test runs a node at the finest level and looks for them.
//!
//! Spec: NODE-7.

pub(crate) mod file;

use std::{
    fmt,
    io::{self, IsTerminal},
    str::FromStr,
};

use tracing_subscriber::{
    EnvFilter, Layer, Registry, filter::LevelFilter, fmt::MakeWriter, layer::SubscriberExt, util::SubscriberInitExt,
};

use crate::config::Config;

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people: time, level, module, message, fields.
    Text,
    /// For programs: one JSON object a line with `timestamp`, `level`, `target`, `message` and the fields beside them.
    Json,
}

impl FromStr for Format {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Format, &'static str> {
        match text {
            "text" => Ok(Format::Text),
            "json" => Ok(Format::Json),
            _ => Err("it has to be `text` or `json`"),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Text => "text",
            Format::Json => "json",
        })
    }
}

/// Where lines go, with the filter that says which.
pub(crate) type Sink = Box<dyn Layer<Registry> + Send + Sync>;

/// Sends what this process logs to standard error, as the settings `log` and `log_format` say, and to the file in the data
/// folder, as `log_kept` says. The second call in a process changes nothing.
///
/// # Errors
/// When a filter cannot be understood: which setting, and what is wrong with it.
pub(crate) fn start(config: &Config) -> Result<(), (&'static str, String)> {
    let mut sinks = vec![standard_error(&config.log.value, config.log_format.value).map_err(|why| ("log", why))?];
    sinks.extend(kept(config).map_err(|why| ("log_kept", why))?);
    // An application that brought its own subscriber keeps it.
    let _ = tracing_subscriber::registry().with(sinks).try_init();
    Ok(())
}

/// The file in the data folder. Where it cannot be opened there is none: what cannot be written is said on standard error when
/// the node needs the folder itself.
fn kept(config: &Config) -> Result<Option<Sink>, String> {
    let filter = EnvFilter::try_new(&config.log_kept.value).map_err(|error| error.to_string())?;
    if filter.max_level_hint() == Some(LevelFilter::OFF) {
        return Ok(None);
    }
    let folder = &config.data_dir.value;
    let opened = crate::store::make_folder(folder).and_then(|()| file::LogFile::open(folder));
    Ok(opened.ok().map(|file| json_lines(file).with_filter(filter).boxed()))
}

fn standard_error(filter: &str, format: Format) -> Result<Sink, String> {
    let filter = EnvFilter::try_new(filter).map_err(|error| error.to_string())?;
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    Ok(match format {
        Format::Text => {
            let colours =
                io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            lines.with_ansi(colours).with_filter(filter).boxed()
        }
        Format::Json => json_lines(io::stderr).with_filter(filter).boxed(),
    })
}

/// One object a line, the fields beside the message.
fn json_lines(
    writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static,
) -> impl Layer<Registry> + Send + Sync + 'static {
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).json();
    lines.flatten_event(true).with_current_span(false).with_span_list(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_written_as_it_is_read() {
        for format in [Format::Text, Format::Json] {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        assert!("xml".parse::<Format>().is_err());
    }

    #[test]
    fn a_filter_names_levels_by_module() {
        for filter in ["warn", "weft=debug", "warn,weft::api=debug,weft::store=trace", "off", ""] {
            assert!(standard_error(filter, Format::Json).is_ok(), "{filter}");
        }
        assert!(standard_error("weft=loud", Format::Text).is_err());
    }
}
