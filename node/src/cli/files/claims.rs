//! Which file has which place: two paths that are one file on some system cannot both have it.

use std::{collections::BTreeMap, fmt};

use super::path::{FilePath, folded};

/// The places that are taken, by what every system agrees to take for the same.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    /// Paths of files and folders as they were first written, and whether it is a file.
    taken: BTreeMap<String, (String, bool)>,
}

/// Why a path has no place of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Clash {
    /// Another object has this very path.
    Same,
    /// A path that differs by letter case or by how letters are composed alone.
    Alike(String),
    /// There is a folder of this name.
    Folder(String),
    /// A folder that leads to it is a file.
    File(String),
}

impl Claims {
    /// Takes the place of a path, if it is free.
    pub(crate) fn claim(&mut self, path: &FilePath) -> Result<(), Clash> {
        for folder in path.above() {
            match self.taken.get(&folded(folder)) {
                Some((other, true)) => return Err(Clash::File(other.clone())),
                Some((other, false)) if other != folder => return Err(Clash::Alike(other.clone())),
                _ => {}
            }
        }
        match self.taken.get(&folded(path.as_str())) {
            Some((other, true)) if other == path.as_str() => return Err(Clash::Same),
            Some((other, true)) => return Err(Clash::Alike(other.clone())),
            Some((other, false)) => return Err(Clash::Folder(other.clone())),
            None => {}
        }
        for folder in path.above() {
            self.taken.insert(folded(folder), (folder.to_owned(), false));
        }
        self.taken.insert(folded(path.as_str()), (path.as_str().to_owned(), true));
        Ok(())
    }
}

impl Clash {
    /// A stable name for programs.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Clash::Same => "same_path",
            Clash::Alike(_) => "alike_path",
            Clash::Folder(_) => "path_is_folder",
            Clash::File(_) => "folder_is_file",
        }
    }
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Clash::Same => {
                f.write_str("an older object has the same path; delete one of them or give it another `path`")
            }
            Clash::Alike(other) => {
                write!(
                    f,
                    "`{other}` differs only by letter case or by how its letters are composed, and some systems take both for one"
                )
            }
            Clash::Folder(other) => write!(f, "`{other}` is a folder of other files"),
            Clash::File(other) => write!(f, "`{other}` is a file, not a folder"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_has_the_place_and_later_ones_are_told_why_not() {
        let mut claims = Claims::default();
        let mut claim = |path: &str| claims.claim(&FilePath::parse(path, true).unwrap());
        assert_eq!(claim("docs/a.md"), Ok(()));
        assert_eq!(claim("docs/b.md"), Ok(()));
        assert_eq!(claim("docs/a.md"), Err(Clash::Same));
        assert_eq!(claim("docs/A.md"), Err(Clash::Alike("docs/a.md".to_owned())));
        assert_eq!(claim("Docs/c.md"), Err(Clash::Alike("docs".to_owned())));
        assert_eq!(claim("docs"), Err(Clash::Folder("docs".to_owned())));
        assert_eq!(claim("DOCS"), Err(Clash::Folder("docs".to_owned())));
        assert_eq!(claim("docs/a.md/x"), Err(Clash::File("docs/a.md".to_owned())));
        assert_eq!(claim("docs/A.MD/x/y"), Err(Clash::File("docs/a.md".to_owned())));
        assert_eq!(claim("caf\u{e9}"), Ok(()));
        assert_eq!(claim("cafe\u{301}"), Err(Clash::Alike("caf\u{e9}".to_owned())));
        // What was refused has taken nothing.
        assert_eq!(claim("new/x"), Ok(()));
        assert_eq!(claim("New"), Err(Clash::Folder("new".to_owned())));
        assert_eq!(claim("docs/c.md"), Ok(()));
    }
}
