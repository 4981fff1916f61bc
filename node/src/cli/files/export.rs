//! `weft export`: the files of a space are written into a folder, and nothing anywhere else.
//!
//! Others write paths and texts. A path is checked before it is used ([`super::path`]), a place is given once
//! ([`super::claims`]), no link is followed ([`super::folder`]), and a file that somebody changed here is left alone.

use std::{collections::BTreeSet, io, path::Path};

use super::{
    super::{client::Client, failure::Failure},
    Hidden, Task,
    baseline::Baseline,
    claims::Claims,
    folder::{Folder, Found, Kind, Stamp},
    listing::{self, Listed},
    own_folder,
    path::FilePath,
    report::{Line, Report, State, skipped},
    unusable,
};

/// The most that is read of a file to see whether it is the one that is to be written, in bytes. 64 MiB: four times what a text
/// begins with.
const FILE_BYTES_MAX: u64 = 64 << 20;

const HINT: &str = "the lines above say why; what was not skipped is in the folder";

/// What an export works with.
struct Export<'a> {
    client: &'a Client,
    space: String,
    /// None when there is no such folder and none is made, in a dry run.
    root: Option<Folder>,
    baseline: Baseline,
    dry_run: bool,
}

pub(crate) fn run(client: &Client, task: Task<'_>) -> Result<(), Failure> {
    let space = listing::space(client, task.space)?;
    let root = open(task.folder, task.dry_run)?;
    let absolute = if root.is_some() { task.folder.canonicalize() } else { std::path::absolute(task.folder) };
    let absolute = absolute.map_err(|error| unusable(task.folder, &error))?;
    let listed = listing::files(client, &space)?;
    let baseline = Baseline::of(task.data, &space, &absolute, !task.dry_run);
    baseline.keep_only(&listed.iter().map(|file| &*file.object).collect::<BTreeSet<_>>());
    let planned = plan(listed, task.hidden);
    let states = [State::Written, State::Updated, State::Unchanged, State::Skipped];
    let mut report = Report::new("exporting", planned.len(), states, task.output, task.dry_run);
    let export = Export { client, space, root, baseline, dry_run: task.dry_run };
    for step in planned {
        let line = match step {
            Ok((path, file)) => export.file(&path, &file)?,
            Err(line) => line,
        };
        report.say(line)?;
    }
    report.end(HINT)
}

/// Opens the folder, made if it is not there.
fn open(folder: &Path, dry_run: bool) -> Result<Option<Folder>, Failure> {
    let failed = |error| unusable(folder, &error);
    let opened = match Folder::open(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if dry_run {
                return Ok(None);
            }
            std::fs::create_dir_all(folder).map_err(failed)?;
            Folder::open(folder).map_err(failed)?
        }
        opened => opened.map_err(failed)?,
    };
    match opened.is_of_weft().map_err(failed)? {
        true => Err(own_folder(folder)),
        false => Ok(Some(opened)),
    }
}

/// Which file goes where, in the order of paths; and which goes nowhere.
fn plan(listed: Vec<Listed>, hidden: Hidden) -> Vec<Result<(FilePath, Listed), Line>> {
    let mut claims = Claims::default();
    let mut planned = Vec::with_capacity(listed.len());
    for file in listed {
        let refused =
            |code, why: String| Err(Line { object: Some(file.object.clone()), ..skipped(file.shown(), code, why) });
        let Some(path) = &file.path else {
            planned.push(refused("no_path", "its property `path` is no text, or too long".to_owned()));
            continue;
        };
        match FilePath::parse(path, hidden == Hidden::Include) {
            Err(super::path::Misfit::Hidden(_)) if hidden == Hidden::Ignore => {}
            Err(misfit) => planned.push(refused(misfit.code(), misfit.to_string())),
            Ok(path) => match claims.claim(&path) {
                Err(clash) => planned.push(refused(clash.code(), clash.to_string())),
                Ok(()) => planned.push(Ok((path, file))),
            },
        }
    }
    let key = |step: &Result<(FilePath, Listed), Line>| match step {
        Ok((path, _)) => path.as_str().to_owned(),
        Err(line) => line.path.clone(),
    };
    planned.sort_by_cached_key(key);
    planned
}

impl Export<'_> {
    /// Spec: NODE-9.2
    fn file(&self, path: &FilePath, file: &Listed) -> Result<Line, Failure> {
        let line = match self.place(path) {
            Ok(place) => self.fill(path, file, place.as_ref())?,
            Err(line) => line,
        };
        Ok(Line { object: Some(file.object.clone()), ..line })
    }

    /// The folder that a file goes into; none where it would have to be made in a dry run.
    fn place(&self, path: &FilePath) -> Result<Option<Place<'_>>, Line> {
        let Some(root) = &self.root else { return Ok(None) };
        let mut place = Place::Root(root);
        for name in path.folders() {
            let unusable =
                |error| skipped(path.as_str(), "unwritable", format!("the folder `{name}` cannot be used: {error}"));
            let folder = place.folder();
            match folder.kind(name.as_ref()).map_err(unusable)? {
                Some(Kind::Folder) => {}
                Some(kind) => {
                    let why = format!("where its folder `{name}` would be, there is {}", kind.word());
                    let code = if kind == Kind::Link { "symbolic_link" } else { "folder_is_file" };
                    return Err(skipped(path.as_str(), code, why));
                }
                None if self.dry_run => return Ok(None),
                None => folder.make(name.as_ref()).map_err(unusable)?,
            }
            let inner = folder.enter(name.as_ref()).map_err(unusable)?;
            if inner.is_of_weft().map_err(unusable)? {
                return Err(skipped(path.as_str(), "data_folder", format!("`{name}` is a data folder of Weft")));
            }
            place = Place::Inner(inner);
        }
        Ok(Some(place))
    }

    fn fill(&self, path: &FilePath, file: &Listed, place: Option<&Place<'_>>) -> Result<Line, Failure> {
        let found = place.map_or(Ok(Found::Nothing), |place| place.folder().read(path.name().as_ref(), FILE_BYTES_MAX));
        let changed = "it holds changes that are not in the space: import it first, or move it away";
        match found {
            Err(error) => Ok(skipped(path.as_str(), "unreadable", format!("the file there cannot be read: {error}"))),
            Ok(Found::Nothing) => self.write(path, file, place, None),
            Ok(Found::File { bytes, .. }) if file.holds(&bytes) => {
                self.agreed(file, &String::from_utf8_lossy(&bytes));
                Ok(done(path, State::Unchanged))
            }
            Ok(Found::File { bytes, stamp }) => match self.baseline.get(&file.object) {
                Some(base) if base.as_bytes() == bytes => self.write(path, file, place, Some(&stamp)),
                _ => Ok(skipped(path.as_str(), "changed_here", changed)),
            },
            Ok(Found::TooLarge(_)) => Ok(skipped(path.as_str(), "changed_here", changed)),
            Ok(Found::NoFile(kind)) => {
                let code = match kind {
                    Kind::Folder => "path_is_folder",
                    Kind::Link => "symbolic_link",
                    _ => "no_file",
                };
                Ok(skipped(path.as_str(), code, format!("there is {} of that name, which is left alone", kind.word())))
            }
        }
    }

    fn write(
        &self,
        path: &FilePath,
        file: &Listed,
        place: Option<&Place<'_>>,
        replaces: Option<&Stamp>,
    ) -> Result<Line, Failure> {
        let state = if replaces.is_some() { State::Updated } else { State::Written };
        if self.dry_run {
            return Ok(done(path, state));
        }
        let Some(place) = place else { return Ok(done(path, state)) };
        let text = match listing::text_of(self.client, &self.space, &file.object) {
            Err(failure) if failure.code == "unknown_object" => {
                return Ok(skipped(path.as_str(), "gone", "it was deleted in the space just now"));
            }
            text => text?,
        };
        match place.folder().write(path.name().as_ref(), text.as_bytes(), replaces) {
            Ok(()) => {
                self.agreed(file, &text);
                Ok(done(path, state))
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Ok(skipped(path.as_str(), "changed_here", "something else was put there just now; export again"))
            }
            Err(error) => Ok(skipped(path.as_str(), "unwritable", format!("it cannot be written: {error}"))),
        }
    }

    fn agreed(&self, file: &Listed, text: &str) {
        // Without it the next export leaves a file that differs.
        let _ = self.baseline.put(&file.object, text);
    }
}

/// An open folder: the one that was named, or one in it.
enum Place<'a> {
    Root(&'a Folder),
    Inner(Folder),
}

impl Place<'_> {
    fn folder(&self) -> &Folder {
        match self {
            Place::Root(folder) => folder,
            Place::Inner(folder) => folder,
        }
    }
}

fn done(path: &FilePath, state: State) -> Line {
    Line { path: path.as_str().to_owned(), state, object: None, reason: None }
}
