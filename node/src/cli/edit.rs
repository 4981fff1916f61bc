//! `weft text edit`: the text of an object in the editor that its reader likes.
//!
//! The text can change while the editor is open. What comes back is compared with what the editor was given, and only that
//! difference is carried over to the text as it is by then. No store and no connection is held meanwhile.

use std::{
    fs::{self, DirBuilder},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;

use super::{
    args::Which,
    client::{Call, Client, path},
    drafts,
    failure::{Exit, Failure},
    interrupt,
    output::{Output, short},
    show, with,
};
use crate::config::Config;

/// Has a person edit the text of an object.
pub(crate) fn edit(config: &Config, which: &Which, output: Output) -> Result<(), Failure> {
    let query = [("space", which.space.as_deref())];
    let seen = with(Client::open(config)?, |client| client.ask(Call::get(path(&["objects", &which.object], &query))))?;
    let (object, space, base) = (super::text(&seen, "object"), super::text(&seen, "space"), super::text(&seen, "text"));
    let name = seen.get("properties").and_then(|properties| properties.get("name")).and_then(serde_json::Value::as_str);
    let draft = Draft::write(&config.data_dir.value, name.unwrap_or(short(object)), base)?;
    // Ctrl-c in the editor is the editor's.
    let held = interrupt::Held::new()?;
    run_editor(&draft.file)?;
    held.release()?;
    let edited = draft.read()?;
    let wanted = without_added_end(base, &edited);
    if wanted == base {
        draft.remove();
        return output.confirm(&json!({"object": object, "changed": false}), |_| "nothing changed\n".to_owned());
    }
    let change = json!({"text": wanted, "base": base});
    let changed = with(Client::open(config)?, |client| {
        client.ask(Call::patch_json(path(&["objects", object], &[("space", Some(space))]), change))
    });
    match changed {
        Ok(answer) if drafts::is_kept(&answer) => {
            draft.remove();
            output.say(&answer, drafts::kept)
        }
        Ok(_) => {
            draft.remove();
            output.confirm(&json!({"object": object, "changed": true}), show::object_id)
        }
        Err(failure) => Err(draft.kept(failure)),
    }
}

/// Editors end the last line. When the text did not end so before, that is not what the person meant to change.
fn without_added_end<'a>(base: &str, edited: &'a str) -> &'a str {
    if base.ends_with('\n') { edited } else { edited.strip_suffix('\n').unwrap_or(edited) }
}

/// The file that is edited, in a folder of its own that only its owner can open.
struct Draft {
    folder: PathBuf,
    file: PathBuf,
}

impl Draft {
    /// In the data folder: a disk that is encrypted for the store's sake keeps this too.
    fn write(data: &Path, name: &str, text: &str) -> Result<Draft, Failure> {
        let folder = data.join(format!("edit-{}", std::process::id()));
        let file = folder.join(file_name(name));
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        // One of that name is left from a process that died.
        let _ = fs::remove_dir_all(&folder);
        let written = builder.create(&folder).and_then(|()| fs::write(&file, text));
        let draft = Draft { folder, file };
        written.map_err(|error| {
            draft.remove();
            let what = format!("{} cannot be written: {error}", draft.file.display());
            Failure::new(
                Exit::Failed,
                "unwritable",
                what,
                "look at the rights of the folder and at the space on its disk",
            )
        })?;
        Ok(draft)
    }

    fn read(&self) -> Result<String, Failure> {
        match super::plan::read_text(&self.file.to_string_lossy()) {
            Ok(text) => Ok(text),
            // Whatever it is, somebody wrote it.
            Err(failure) => Err(self.kept(failure)),
        }
    }

    /// A failure after which what was written is still there.
    fn kept(&self, failure: Failure) -> Failure {
        let kept = format!("what you wrote is kept in {}", self.file.display());
        Failure { hint: if failure.hint.is_empty() { kept } else { format!("{kept}; {}", failure.hint) }, ..failure }
    }

    fn remove(&self) {
        // It is in the owner's own folder; a rest of it harms nobody.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A name that no file system and no editor minds. `.txt`, so that the editor knows that it is text.
fn file_name(name: &str) -> String {
    let plain: String =
        name.chars().take(40).map(|c| if c.is_alphanumeric() || c == '-' || c == '_' { c } else { '-' }).collect();
    format!("{}.txt", plain.trim_start_matches('-'))
}

/// Runs `$VISUAL`, else `$EDITOR`, else what every system has, and waits for its end.
fn run_editor(file: &Path) -> Result<(), Failure> {
    let said = ["VISUAL", "EDITOR"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()));
    let editor = said.unwrap_or_else(|| if cfg!(windows) { "notepad" } else { "vi" }.to_owned());
    let unchanged = |why: String| {
        // Nothing of it is wanted.
        let _ = file.parent().map(fs::remove_dir_all);
        let hint = "set EDITOR to a program that edits the file it is given and returns when it is done";
        Failure::new(Exit::Failed, "editor_failed", format!("the editor `{editor}` {why}; nothing was changed"), hint)
    };
    let status = command(&editor, file).status().map_err(|error| unchanged(format!("cannot be started: {error}")))?;
    match status.code() {
        Some(0) => Ok(()),
        Some(127) if cfg!(unix) => Err(unchanged("is not there".to_owned())),
        Some(code) => Err(unchanged(format!("ended with {code}"))),
        None => Err(unchanged("was ended by a signal".to_owned())),
    }
}

/// The variable may hold arguments too, like `code --wait`: the shell takes it apart, as it does for other programs.
fn command(editor: &str, file: &Path) -> Command {
    if cfg!(windows) {
        let mut words = editor.split_whitespace();
        let mut command = Command::new(words.next().unwrap_or("notepad"));
        command.args(words).arg(file);
        command
    } else {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{editor} \"$@\"")).arg(editor).arg(file);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_line_that_editors_add_is_no_change() {
        assert_eq!(without_added_end("Hello", "Hello\n"), "Hello");
        assert_eq!(without_added_end("Hello", "Hello\n\n"), "Hello\n");
        assert_eq!(without_added_end("Hello\n", "Hello\n"), "Hello\n");
        assert_eq!(without_added_end("Hello\n", "Hello"), "Hello");
        assert_eq!(without_added_end("", "\n"), "");
    }

    #[test]
    fn a_name_that_others_wrote_makes_one_plain_file() {
        assert_eq!(file_name("today"), "today.txt");
        assert_eq!(file_name("../../etc/passwd"), "etc-passwd.txt");
        assert_eq!(file_name("-rf \u{202e}x"), "rf--x.txt");
        assert_eq!(file_name(""), ".txt");
    }

    #[test]
    fn a_draft_is_private_and_goes_when_it_is_done() {
        let data = tempfile::tempdir().unwrap();
        let draft = Draft::write(data.path(), "today", "Hello").unwrap();
        assert_eq!(draft.read().unwrap(), "Hello");
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&draft.folder.metadata().unwrap().permissions());
            assert_eq!(mode & 0o777, 0o700);
        }
        draft.remove();
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);
    }
}
