//! `weft import trace`: a file goes to the node, progress comes back.

use std::{io::IsTerminal, path::Path, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use super::{
    client::{Call, Client, path},
    failure::{Failure, exit_of},
    output::Output,
    plan, text,
};

/// Imports an editing trace. Progress is shown on standard error when a person looks at it.
pub(crate) fn trace(
    client: &Client,
    file: &Path,
    space: &str,
    name: Option<String>,
    output: Output,
) -> Result<(), Failure> {
    let bytes = plan::read(&file.to_string_lossy())?;
    let name = name.or_else(|| {
        Some(file)
            .filter(|file| *file != Path::new("-"))?
            .file_name()
            .map(|name| stem(&name.to_string_lossy()).to_owned())
    });
    let call = Call::post_bytes(path(&["spaces", space, "import", "trace"], &[("name", name.as_deref())]), bytes);
    let bar = progress_bar(output);
    for line in client.follow(call)? {
        let line = line?;
        if let Some(error) = line.get("error") {
            bar.finish_and_clear();
            let status = line.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
            let exit = exit_of(status.unwrap_or(500));
            return Err(Failure::new(exit, text(error, "code"), text(error, "message"), text(error, "hint")));
        }
        if line.get("object").is_some() {
            bar.finish_and_clear();
            return output.say(&line, imported);
        }
        let count = |key: &str| line.get(key).and_then(Value::as_u64).unwrap_or(0);
        bar.set_length(count("total"));
        bar.set_position(count("done"));
    }
    bar.finish_and_clear();
    Err(Failure::new(
        exit_of(500),
        "import_interrupted",
        "the node stopped before the import was complete",
        "what was imported so far is kept; delete that object and import again",
    ))
}

fn progress_bar(output: Output) -> ProgressBar {
    if output.json || output.quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("importing {wide_bar} {human_pos} of {human_len} operations, {eta} left");
    let bar = ProgressBar::new(0).with_style(style.expect("the template names known fields"));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A file's name without what says how it is written.
fn stem(name: &str) -> &str {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    name.strip_suffix(".json").unwrap_or(name)
}

fn imported(answer: &Value) -> String {
    let number = |key: &str| super::output::text(answer, key);
    format!(
        "{}\n{} operations in {} entries, {} s; the text equals the trace's end\n",
        number("object"),
        number("operations"),
        number("entries"),
        number("seconds"),
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_import_is_called_by_its_file() {
        assert_eq!(super::stem("rustcode.json.gz"), "rustcode");
        assert_eq!(super::stem("a.b.json"), "a.b");
        assert_eq!(super::stem("paper"), "paper");
    }
}
