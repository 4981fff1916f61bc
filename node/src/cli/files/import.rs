//! `weft import files`: each text file of a folder becomes an object, or changes the one that has its path.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{
    super::{
        client::{Call, Client, path},
        drafts,
        failure::Failure,
        text,
    },
    Task,
    baseline::Baseline,
    claims::Claims,
    folder::{Folder, Found},
    listing::{self, Listed},
    own_folder,
    path::FilePath,
    report::{Line, Report, State, skipped},
    unusable, walk,
};

/// The largest file, in bytes: the longest text that an object begins with.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// What the node refuses of one file and not of the next. Anything else ends the import.
const OF_ONE_FILE: [&str; 6] =
    ["too_large", "unknown_object", "deleted_object", "text_moved", "damaged_object", "refused"];

const HINT: &str = "the lines above say why; what was not skipped is in the space";

/// What an import works with.
struct Import<'a> {
    client: &'a Client,
    space: String,
    root: Folder,
    baseline: Baseline,
    /// The files of the space that have a place.
    there: BTreeMap<FilePath, Listed>,
    claims: Claims,
    dry_run: bool,
}

pub(crate) fn run(client: &Client, task: Task<'_>) -> Result<(), Failure> {
    let failed = |error| unusable(task.folder, &error);
    let root = Folder::open(task.folder).map_err(failed)?;
    if root.is_of_weft().map_err(failed)? {
        return Err(own_folder(task.folder));
    }
    let absolute = task.folder.canonicalize().map_err(failed)?;
    let space = listing::space(client, task.space)?;
    if !task.dry_run {
        // What is only a draft is nothing that a folder and a space agree on.
        drafts::require_none_needed(client, &space)?;
    }
    let listed = listing::files(client, &space)?;
    let seen = walk::walk(&root, task.hidden);
    let baseline = Baseline::of(task.data, &space, &absolute, !task.dry_run);
    baseline.keep_only(&listed.iter().map(|file| &*file.object).collect::<BTreeSet<_>>());
    let (mut there, mut claims) = (BTreeMap::new(), Claims::default());
    for file in listed {
        // Whatever was written as a path has its place if it is one, hidden or not.
        if let Some(path) = file.path.as_deref().and_then(|path| FilePath::parse(path, true).ok())
            && claims.claim(&path).is_ok()
        {
            there.insert(path, file);
        }
    }
    let states = [State::Imported, State::Updated, State::Unchanged, State::Skipped];
    let mut report = Report::new("importing", seen.len(), states, task.output, task.dry_run);
    let mut import = Import { client, space, root, baseline, there, claims, dry_run: task.dry_run };
    for seen in seen {
        let line = match seen {
            walk::Seen::File(path) => import.file(&path)?,
            walk::Seen::Left(line) => line,
        };
        report.say(line)?;
    }
    report.end(HINT)
}

impl Import<'_> {
    fn file(&mut self, path: &FilePath) -> Result<Line, Failure> {
        let text = match self.read(path) {
            Ok(text) => text,
            Err(line) => return Ok(line),
        };
        let done = match self.there.remove(path) {
            Some(listed) => self.change(path, &listed, text),
            None => match self.claims.claim(path) {
                Ok(()) => self.create(path, text),
                Err(clash) => return Ok(skipped(path.as_str(), clash.code(), clash)),
            },
        };
        match done {
            Err(failure) if OF_ONE_FILE.contains(&&*failure.code) => {
                Ok(skipped(path.as_str(), "refused", format!("the node refused it: {}", failure.message)))
            }
            done => done,
        }
    }

    /// The text of a file, or why it has none.
    fn read(&self, path: &FilePath) -> Result<String, Line> {
        let unreadable = |error| skipped(path.as_str(), "unreadable", format!("it cannot be read: {error}"));
        let folder = path.folders().try_fold(None, |above: Option<Folder>, name| {
            above.as_ref().unwrap_or(&self.root).enter(name.as_ref()).map(Some)
        });
        let folder = folder.map_err(unreadable)?;
        let found = folder.as_ref().unwrap_or(&self.root).read(path.name().as_ref(), FILE_BYTES_MAX);
        let bytes = match found.map_err(unreadable)? {
            Found::File { bytes, .. } => bytes,
            Found::TooLarge(bytes) => {
                let why = format!("it has {bytes} bytes; a text has at most {} MiB", FILE_BYTES_MAX >> 20);
                return Err(skipped(path.as_str(), "too_large", why));
            }
            Found::Nothing => return Err(skipped(path.as_str(), "gone", "it is not there any more")),
            Found::NoFile(kind) => return Err(skipped(path.as_str(), "no_file", format!("it is {} now", kind.word()))),
        };
        let text = String::from_utf8(bytes)
            .map_err(|error| skipped(path.as_str(), "not_utf8", not_utf8(error.utf8_error().valid_up_to())))?;
        match text.find('\0') {
            Some(at) => {
                Err(skipped(path.as_str(), "holds_nul", format!("it has a zero byte at {at}, so it is no text")))
            }
            None => Ok(text),
        }
    }

    fn create(&self, path: &FilePath, content: String) -> Result<Line, Failure> {
        let mut line = Line { path: path.as_str().to_owned(), state: State::Imported, object: None, reason: None };
        if !self.dry_run {
            let properties = json!({"name": path.name(), "path": path.as_str()});
            let new = json!({"type": "file", "properties": properties, "text": content});
            let answer = self.client.ask(Call::post_json(self::path(&["spaces", &self.space, "objects"], &[]), new))?;
            let object = text(&answer, "object");
            self.agreed(object, &content);
            line.object = Some(object.to_owned());
        }
        Ok(line)
    }

    fn change(&self, path: &FilePath, listed: &Listed, text: String) -> Result<Line, Failure> {
        let object = &listed.object;
        let line = |state, reason| Line { path: path.as_str().to_owned(), state, object: Some(object.clone()), reason };
        if listed.holds(text.as_bytes()) {
            self.agreed(object, &text);
            return Ok(line(State::Unchanged, None));
        }
        let base = self.baseline.get(object);
        if base.as_ref() == Some(&text) {
            let newer = "the space has a newer text; `weft export` brings it";
            return Ok(line(State::Unchanged, Some(("newer_in_space", newer.to_owned()))));
        }
        if !self.dry_run {
            // What others wrote since this folder and the space last agreed stays.
            let change = json!({"text": text, "base": base});
            let call = Call::patch_json(self::path(&["objects", object], &[("space", Some(&self.space))]), change);
            self.client.ask(call)?;
            self.agreed(object, &text);
        }
        Ok(line(State::Updated, None))
    }

    fn agreed(&self, object: &str, text: &str) {
        // Without it the next import takes the file as it is.
        let _ = self.baseline.put(object, text);
    }
}

fn not_utf8(at: usize) -> String {
    format!("it is not UTF-8 text, from byte {at} on")
}
