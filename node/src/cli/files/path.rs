//! Which paths of files go into a space and come out of it: one rule for both directions and every system.
//!
//! Others write the paths of objects. What is refused here never reaches a file system: a path that leaves its folder, that
//! another system reads as a different one, or that looks like something else than it is. The same rule decides what is
//! imported, so that whatever goes in comes out again, on every machine.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

/// The longest path, in bytes. 1,024: what macOS takes; the others take more.
const PATH_BYTES_MAX: usize = 1_024;
/// The longest name of a file or folder, in bytes. 255: the shortest limit of the common file systems.
const NAME_BYTES_MAX: usize = 255;
/// How deep folders nest. 64: a guess, far beyond what people make.
const DEPTH_MAX: usize = 64;

/// Folders whose content programs take orders from: a file that somebody else puts there can run commands.
const REPOSITORIES: [&str; 6] = [".git", ".hg", ".jj", ".svn", ".bzr", "git~1"];
/// Names that are devices on Windows, with any ending.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// A path relative to a folder, with `/` between its names, that means the same file on every system.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FilePath(String);

/// Why a path is none that files are kept by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// There is nothing, or nothing between two `/`.
    Empty,
    /// It begins at the root or at a drive.
    Absolute,
    /// It holds `.` or `..`.
    Leaves,
    /// A character that some system gives a meaning.
    Character(char),
    /// A character that is not seen or changes what is seen.
    Unseen(char),
    /// A name that is a device on Windows.
    Device(String),
    /// A name whose end Windows drops.
    End(String),
    /// A name that is too long.
    LongName,
    /// The path is too long.
    LongPath,
    /// The path is too deep.
    Deep,
    /// A folder of a version control system.
    Repository(String),
    /// A name that begins with a dot, where such names are not wanted.
    Hidden(String),
}

impl FilePath {
    /// Reads a path; with `hidden`, names may begin with a dot.
    ///
    /// Spec: NODE-9.1
    pub(crate) fn parse(path: &str, hidden: bool) -> Result<FilePath, Misfit> {
        let drive = path.as_bytes().get(1) == Some(&b':') && path.as_bytes()[0].is_ascii_alphabetic();
        if path.starts_with(['/', '\\']) || drive {
            return Err(Misfit::Absolute);
        }
        let mut depth = 0;
        for name in path.split('/') {
            fits(name)?;
            depth += 1;
        }
        if depth > DEPTH_MAX {
            return Err(Misfit::Deep);
        }
        if path.len() > PATH_BYTES_MAX {
            return Err(Misfit::LongPath);
        }
        if let Some(name) = path.split('/').find(|name| REPOSITORIES.contains(&&*folded(name))) {
            return Err(Misfit::Repository(name.to_owned()));
        }
        match path.split('/').find(|name| name.starts_with('.') && !hidden) {
            Some(name) => Err(Misfit::Hidden(name.to_owned())),
            None => Ok(FilePath(path.to_owned())),
        }
    }

    /// As it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The file's own name.
    pub(crate) fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }

    /// The names of the folders that lead to it.
    pub(crate) fn folders(&self) -> impl Iterator<Item = &str> {
        self.0.rsplit_once('/').into_iter().flat_map(|(folders, _)| folders.split('/'))
    }

    /// The paths of the folders that lead to it, the outermost first.
    pub(crate) fn above(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(end, _)| &self.0[..end])
    }
}

/// Two paths for which this is equal may be one file on some system: it knows neither letter case nor in which way letters
/// are composed, nor the joiners that some systems pass over.
pub(crate) fn folded(path: &str) -> String {
    let seen = path.nfd().filter(|c| !matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}'));
    // Through capitals and back: `ß` and `ss`, and both Greek small sigmas, meet.
    seen.flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfd().collect()
}

fn fits(name: &str) -> Result<(), Misfit> {
    match name {
        "" => return Err(Misfit::Empty),
        "." | ".." => return Err(Misfit::Leaves),
        _ => {}
    }
    if let Some(c) = name.chars().find(|c| is_unseen(*c)) {
        return Err(Misfit::Unseen(c));
    }
    if let Some(c) = name.chars().find(|c| matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')) {
        return Err(Misfit::Character(c));
    }
    if name.ends_with(['.', ' ']) {
        return Err(Misfit::End(name.to_owned()));
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(Misfit::LongName);
    }
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_lowercase();
    let port = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    let is_port =
        port.is_some_and(|number| matches!(number, "¹" | "²" | "³") || matches!(number.as_bytes(), [b'0'..=b'9']));
    if is_port || DEVICES.contains(&&*stem) {
        return Err(Misfit::Device(name.to_owned()));
    }
    Ok(())
}

/// Controls, ends of lines, what turns the direction of writing, and what has no width but belongs to no script.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

impl Misfit {
    /// A stable name for programs.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Misfit::Empty => "empty_path",
            Misfit::Absolute => "absolute_path",
            Misfit::Leaves => "leaves_folder",
            Misfit::Character(_) => "unfit_character",
            Misfit::Unseen(_) => "unseen_character",
            Misfit::Device(_) => "reserved_name",
            Misfit::End(_) => "unfit_end",
            Misfit::LongName => "name_too_long",
            Misfit::LongPath => "path_too_long",
            Misfit::Deep => "path_too_deep",
            Misfit::Repository(_) => "repository",
            Misfit::Hidden(_) => "hidden",
        }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misfit::Empty => f.write_str("the path has an empty name in it"),
            Misfit::Absolute => f.write_str("the path is absolute"),
            Misfit::Leaves => f.write_str("the path goes through `.` or `..`"),
            Misfit::Character(c) => write!(f, "`{c}` means something else on some systems"),
            Misfit::Unseen(c) => write!(f, "the name holds U+{:04X}, which is not seen", u32::from(*c)),
            Misfit::Device(name) => write!(f, "`{name}` is a device on Windows"),
            Misfit::End(name) => write!(f, "`{name}` ends with a dot or a blank, which Windows drops"),
            Misfit::LongName => write!(f, "a name in it is longer than {NAME_BYTES_MAX} bytes"),
            Misfit::LongPath => write!(f, "the path is longer than {PATH_BYTES_MAX} bytes"),
            Misfit::Deep => write!(f, "the path is more than {DEPTH_MAX} folders deep"),
            Misfit::Repository(name) => {
                write!(f, "`{name}` is a version control system's, which takes orders from its files")
            }
            Misfit::Hidden(name) => write!(f, "`{name}` is hidden; --hidden include takes it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(path: &str) -> &'static str {
        FilePath::parse(path, true).map_or_else(|misfit| misfit.code(), |_| "fits")
    }

    #[test]
    fn ordinary_paths_fit() {
        for path in [
            "a",
            "README.md",
            "notes/Mai 2026/Übersicht.md",
            "日本語/メモ.txt",
            "می‌خواهم.txt",
            "👩‍💻.md",
            "a..b/c",
            "COM10",
            "con-1",
            ".x",
        ] {
            assert_eq!(code(path), "fits", "{path}");
        }
        let path = FilePath::parse("a/b/c.md", false).unwrap();
        assert_eq!((path.name(), path.folders().collect::<Vec<_>>()), ("c.md", vec!["a", "b"]));
        assert_eq!(path.above().collect::<Vec<_>>(), ["a", "a/b"]);
        assert_eq!(FilePath::parse("c.md", false).unwrap().folders().count(), 0);
    }

    #[test]
    fn paths_that_leave_their_folder_or_mean_another_file_elsewhere_are_refused() {
        for (path, expected) in [
            ("", "empty_path"),
            ("a//b", "empty_path"),
            ("a/", "empty_path"),
            ("/etc/passwd", "absolute_path"),
            ("\\\\host\\share", "absolute_path"),
            ("C:/x", "absolute_path"),
            ("c:x", "absolute_path"),
            ("..", "leaves_folder"),
            ("a/../../b", "leaves_folder"),
            ("./a", "leaves_folder"),
            ("a\\..\\b", "unfit_character"),
            ("ab:stream", "unfit_character"),
            ("what?", "unfit_character"),
            ("a\0b", "unseen_character"),
            ("a\nb", "unseen_character"),
            ("a\u{1b}[2J", "unseen_character"),
            ("txt.\u{202e}exe", "unseen_character"),
            ("a\u{200b}b", "unseen_character"),
            ("\u{feff}a", "unseen_character"),
            ("NUL", "reserved_name"),
            ("a/con.txt", "reserved_name"),
            ("com1", "reserved_name"),
            ("LPT³.md", "reserved_name"),
            ("aux .c", "reserved_name"),
            ("a./b", "unfit_end"),
            ("a ", "unfit_end"),
            ("...", "unfit_end"),
            (".git/config", "repository"),
            ("a/.GIT/hooks/x", "repository"),
            (".g\u{200d}it/config", "repository"),
            ("git~1/config", "repository"),
            (".hg/hgrc", "repository"),
        ] {
            assert_eq!(code(path), expected, "{path:?}");
        }
        assert_eq!(code(&"x".repeat(256)), "name_too_long");
        assert_eq!(code(&"x".repeat(255)), "fits");
        assert_eq!(code(&vec!["x".repeat(200); 6].join("/")), "path_too_long");
        assert_eq!(code(&["x"; 65].join("/")), "path_too_deep");
        assert_eq!(code(&["x"; 64].join("/")), "fits");
    }

    #[test]
    fn hidden_names_are_refused_unless_they_are_wanted() {
        for path in [".bashrc", ".ssh/authorized_keys", "a/.env"] {
            assert_eq!(FilePath::parse(path, false).unwrap_err().code(), "hidden", "{path}");
            assert!(FilePath::parse(path, true).is_ok(), "{path}");
        }
    }

    #[test]
    fn names_that_some_system_takes_for_one_are_one() {
        for (one, other) in [
            ("README", "readme"),
            ("caf\u{e9}", "cafe\u{301}"),
            ("STRASSE", "straße"),
            ("ΣΟΦΟΣ", "σοφος"),
            ("σοφός", "ΣΟΦΌΣ"),
            ("\u{212b}", "å"),
            ("a\u{200d}b", "ab"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        for (one, other) in [("a", "b"), ("o", "ö"), ("ﬁ", "fj"), ("1", "¹")] {
            assert_ne!(folded(one), folded(other), "{one} {other}");
        }
    }
}
