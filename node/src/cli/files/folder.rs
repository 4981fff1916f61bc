//! A folder held open, in which files are read and written without following any link.
//!
//! Paths are walked one name at a time from the folder that a person named, each step from the handle of the one before it, so
//! nobody who moves folders about or puts links in their place leads a read or a write anywhere else.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Read, Write},
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
    path::Path,
};

use rustix::{
    fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat},
    io::Errno,
};

/// What makes a folder one of Weft's own, with keys in it.
const STORE: &str = "store.redb";

/// An open folder.
#[derive(Debug)]
pub(crate) struct Folder {
    handle: OwnedFd,
}

/// What a name in a folder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    Link,
    /// A pipe, a socket or a device.
    Other,
}

impl Kind {
    /// With its article, for a sentence.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::File => "a file",
            Kind::Folder => "a folder",
            Kind::Link => "a symbolic link",
            Kind::Other => "a pipe, a socket or a device",
        }
    }
}

/// What was found where a file was looked for.
#[derive(Debug)]
pub(crate) enum Found {
    Nothing,
    File {
        bytes: Vec<u8>,
        stamp: Stamp,
    },
    /// A file of more bytes than were asked for.
    TooLarge(u64),
    NoFile(Kind),
}

/// By which it is seen that a file was changed or replaced.
#[derive(Clone, Debug)]
pub(crate) struct Stamp(Stat);

impl PartialEq for Stamp {
    fn eq(&self, other: &Stamp) -> bool {
        let marks = |stat: &Stat| (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime, stat.st_mtime_nsec);
        marks(&self.0) == marks(&other.0)
    }
}

impl Folder {
    /// Opens the folder that a person named; links in that path are theirs.
    pub(crate) fn open(path: &Path) -> io::Result<Folder> {
        let handle = rustix::fs::openat(CWD, path, folder_flags(), Mode::empty())?;
        Ok(Folder { handle })
    }

    /// Whether it is a data folder of Weft.
    pub(crate) fn is_of_weft(&self) -> io::Result<bool> {
        Ok(self.stat(STORE.as_ref())?.is_some())
    }

    /// The names in it, in the order of their bytes.
    pub(crate) fn names(&self) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.handle)? {
            let name = OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned();
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// What a name stands for; none when it is not there.
    pub(crate) fn kind(&self, name: &OsStr) -> io::Result<Option<Kind>> {
        Ok(self.stat(name)?.map(|stat| kind_of(&stat)))
    }

    /// Opens a folder in it.
    pub(crate) fn enter(&self, name: &OsStr) -> io::Result<Folder> {
        let handle = rustix::fs::openat(&self.handle, name, folder_flags() | OFlags::NOFOLLOW, Mode::empty())?;
        Ok(Folder { handle })
    }

    /// Makes a folder in it.
    pub(crate) fn make(&self, name: &OsStr) -> io::Result<()> {
        match rustix::fs::mkdirat(&self.handle, name, Mode::from_raw_mode(0o777)) {
            Err(Errno::EXIST) => Ok(()),
            made => Ok(made?),
        }
    }

    /// Reads a file of at most `bytes_max`.
    pub(crate) fn read(&self, name: &OsStr, bytes_max: u64) -> io::Result<Found> {
        match self.kind(name)? {
            None => return Ok(Found::Nothing),
            Some(Kind::File) => {}
            Some(kind) => return Ok(Found::NoFile(kind)),
        }
        // Should something else have come in its place, opening it neither follows nor waits.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let handle = rustix::fs::openat(&self.handle, name, flags, Mode::empty())?;
        let stat = rustix::fs::fstat(&handle)?;
        if kind_of(&stat) != Kind::File {
            return Ok(Found::NoFile(kind_of(&stat)));
        }
        let mut bytes = Vec::new();
        File::from(handle).take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > bytes_max {
            return Ok(Found::TooLarge(u64::try_from(stat.st_size).unwrap_or(0).max(bytes.len() as u64)));
        }
        Ok(Found::File { bytes, stamp: Stamp(stat) })
    }

    /// Writes a file as a whole or not at all. It takes the place of nothing, or of the file with this stamp; of anything else it
    /// fails with [`io::ErrorKind::AlreadyExists`].
    pub(crate) fn write(&self, name: &OsStr, bytes: &[u8], replaces: Option<&Stamp>) -> io::Result<()> {
        let beside = beside()?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = rustix::fs::openat(&self.handle, &*beside, flags, Mode::from_raw_mode(0o666))?;
        let mut file = File::from(handle);
        let written = match replaces {
            // Who may read and run a file stays as its owner has it.
            Some(Stamp(stat)) => {
                rustix::fs::fchmod(&file, Mode::from_raw_mode(stat.st_mode & 0o777)).map_err(Into::into)
            }
            None => Ok(()),
        };
        let written = written.and_then(|()| file.write_all(bytes)).and_then(|()| file.sync_data());
        let placed = written.and_then(|()| match replaces {
            None => self.place_new(&beside, name),
            Some(stamp) => self.place_over(&beside, name, stamp),
        });
        if placed.is_err() {
            // What has no place is of no use to anybody.
            let _ = rustix::fs::unlinkat(&self.handle, &*beside, AtFlags::empty());
        }
        placed
    }

    /// A link of that name fails if there is anything; where a file system has no links, a look has to do.
    fn place_new(&self, beside: &str, name: &OsStr) -> io::Result<()> {
        match rustix::fs::linkat(&self.handle, beside, &self.handle, name, AtFlags::empty()) {
            Ok(()) => Ok(rustix::fs::unlinkat(&self.handle, beside, AtFlags::empty())?),
            Err(Errno::EXIST) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(_) if self.stat(name)?.is_some() => Err(io::ErrorKind::AlreadyExists.into()),
            Err(_) => Ok(rustix::fs::renameat(&self.handle, beside, &self.handle, name)?),
        }
    }

    fn place_over(&self, beside: &str, name: &OsStr, stamp: &Stamp) -> io::Result<()> {
        match self.stat(name)? {
            Some(stat) if Stamp(stat) == *stamp => Ok(rustix::fs::renameat(&self.handle, beside, &self.handle, name)?),
            _ => Err(io::ErrorKind::AlreadyExists.into()),
        }
    }

    fn stat(&self, name: &OsStr) -> io::Result<Option<Stat>> {
        match rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn folder_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC
}

fn kind_of(stat: &Stat) -> Kind {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Folder,
        FileType::Symlink => Kind::Link,
        _ => Kind::Other,
    }
}

/// A name that nobody else chooses, for a file on its way to its place.
fn beside() -> io::Result<String> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(format!(".weft-{:016x}", u64::from_le_bytes(random)))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix};

    use super::*;

    fn name(name: &str) -> &OsStr {
        OsStr::new(name)
    }

    #[test]
    fn a_file_is_read_and_replaced_only_as_it_was_read() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        assert!(matches!(folder.read(name("a"), 10).unwrap(), Found::Nothing));
        folder.write(name("a"), b"one", None).unwrap();
        assert_eq!(folder.write(name("a"), b"two", None).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        let Found::File { bytes, stamp } = folder.read(name("a"), 3).unwrap() else { panic!("no file") };
        assert_eq!(bytes, b"one");
        assert!(matches!(folder.read(name("a"), 2).unwrap(), Found::TooLarge(3)));
        folder.write(name("a"), b"three", Some(&stamp)).unwrap();
        assert_eq!(fs::read(dir.path().join("a")).unwrap(), b"three");
        assert_eq!(folder.write(name("a"), b"four", Some(&stamp)).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(folder.names().unwrap(), ["a"], "nothing is left beside it");
    }

    #[test]
    fn rights_of_a_replaced_file_stay() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        let path = dir.path().join("run.sh");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).unwrap();
        let Found::File { stamp, .. } = folder.read(name("run.sh"), 9).unwrap() else { panic!("no file") };
        folder.write(name("run.sh"), b"new", Some(&stamp)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o750);
    }

    #[test]
    fn links_are_never_followed() {
        let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(elsewhere.path().join("secret"), "secret").unwrap();
        unix::fs::symlink(elsewhere.path(), dir.path().join("folder")).unwrap();
        unix::fs::symlink(elsewhere.path().join("secret"), dir.path().join("file")).unwrap();
        unix::fs::symlink(elsewhere.path().join("new"), dir.path().join("dangling")).unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        assert!(folder.enter(name("folder")).is_err());
        for link in ["folder", "file", "dangling"] {
            assert_eq!(folder.kind(name(link)).unwrap(), Some(Kind::Link));
            assert!(matches!(folder.read(name(link), 10).unwrap(), Found::NoFile(Kind::Link)));
            assert!(folder.write(name(link), b"x", None).is_err());
        }
        assert_eq!(fs::read(elsewhere.path().join("secret")).unwrap(), b"secret");
        assert!(!elsewhere.path().join("new").exists());
    }

    #[test]
    fn a_pipe_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let _socket = unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        assert!(matches!(folder.read(name("socket"), 10).unwrap(), Found::NoFile(Kind::Other)));
    }
}
