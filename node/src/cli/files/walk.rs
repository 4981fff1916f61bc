//! Which files a folder has, and which of them cannot be texts of a space.

use std::ffi::OsString;

use super::{
    Hidden,
    folder::{Folder, Kind},
    path::{FilePath, Misfit},
    report::{Line, skipped},
};

/// What was found, in the order of names.
#[derive(Debug)]
pub(crate) enum Seen {
    /// A file that may be imported.
    File(FilePath),
    /// Something that is left where it is.
    Left(Line),
}

/// Everything in a folder and the folders in it. What is skipped as a whole, such as a hidden folder, is told once.
pub(crate) fn walk(root: &Folder, hidden: Hidden) -> Vec<Seen> {
    let mut seen = Vec::new();
    visit(root, "", hidden, &mut seen);
    seen
}

/// Goes no deeper than a path may be: a folder with more folders above it fits no path.
fn visit(folder: &Folder, above: &str, hidden: Hidden, seen: &mut Vec<Seen>) {
    let names = match folder.names() {
        Ok(names) => names,
        Err(error) => {
            let shown = above.trim_end_matches('/');
            return seen.push(Seen::Left(skipped(shown, "unreadable", format!("it cannot be read: {error}"))));
        }
    };
    for name in names {
        let shown = format!("{above}{}", name.to_string_lossy());
        match look(folder, &name, &shown, hidden) {
            Ok(Some(Step::File(path))) => seen.push(Seen::File(path)),
            Ok(Some(Step::Folder(inner))) => visit(&inner, &format!("{shown}/"), hidden, seen),
            Ok(None) => {}
            Err(line) => seen.push(Seen::Left(line)),
        }
    }
}

enum Step {
    File(FilePath),
    Folder(Folder),
}

/// What a name is; none when it is to be passed over in silence.
fn look(folder: &Folder, name: &OsString, shown: &str, hidden: Hidden) -> Result<Option<Step>, Line> {
    let unreadable = |error| skipped(shown, "unreadable", format!("it cannot be read: {error}"));
    if name.to_str().is_none() {
        return Err(skipped(shown, "name_not_utf8", "its name is not UTF-8"));
    }
    let path = match FilePath::parse(shown, hidden == Hidden::Include) {
        Err(Misfit::Hidden(_) | Misfit::Repository(_)) if hidden == Hidden::Ignore => return Ok(None),
        Err(misfit) => return Err(skipped(shown, misfit.code(), misfit)),
        Ok(path) => path,
    };
    match folder.kind(name).map_err(unreadable)? {
        Some(Kind::File) => Ok(Some(Step::File(path))),
        Some(Kind::Folder) => {
            let inner = folder.enter(name).map_err(unreadable)?;
            if inner.is_of_weft().map_err(unreadable)? {
                return Err(skipped(shown, "data_folder", "it is a data folder of Weft, with keys in it"));
            }
            Ok(Some(Step::Folder(inner)))
        }
        Some(Kind::Link) => Err(skipped(shown, "symbolic_link", "it is a symbolic link, which is not followed")),
        Some(kind) => Err(skipped(shown, "no_file", format!("it is {}", kind.word()))),
        // It went away since the folder was listed.
        None => Ok(None),
    }
}
