//! The log that a node keeps in its data folder: one JSON object a line, in two files that are bounded together.
//!
//! When a file is full it becomes the earlier one, and what was the earlier one goes. A log that cannot be written loses
//! lines and stops nothing: it is the last thing that a full disk should bring down.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use tracing_subscriber::fmt::MakeWriter;

/// The file that is written.
pub(crate) const FILE_NAME: &str = "weft.log";
/// The file that was written before it.
pub(crate) const EARLIER_FILE_NAME: &str = "weft.log.1";
/// The largest file, in bytes. 1 MiB: some ten thousand lines, days of a node that nothing happens to. A guess.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// The longest line, in bytes; longer ones lose their end. What a peer makes us log is not to push out everything else.
const LINE_BYTES_MAX: usize = 16 << 10;

/// Writes lines into the files of one folder.
///
/// Spec: NODE-7.1
#[derive(Clone)]
pub(crate) struct LogFile(Arc<Mutex<Open>>);

struct Open {
    folder: PathBuf,
    file: Option<File>,
    bytes: u64,
    bytes_max: u64,
}

impl LogFile {
    /// Goes on in the file that is there.
    pub(crate) fn open(folder: &Path) -> io::Result<LogFile> {
        LogFile::bounded(folder, FILE_BYTES_MAX)
    }

    fn bounded(folder: &Path, bytes_max: u64) -> io::Result<LogFile> {
        let file = append(&folder.join(FILE_NAME))?;
        let bytes = file.metadata()?.len();
        Ok(LogFile(Arc::new(Mutex::new(Open { folder: folder.to_owned(), file: Some(file), bytes, bytes_max }))))
    }
}

impl Open {
    fn line(&mut self, line: &[u8]) -> io::Result<()> {
        if self.bytes > 0 && self.bytes + line.len() as u64 > self.bytes_max {
            // On Windows an open file keeps its name.
            self.file = None;
            fs::rename(self.folder.join(FILE_NAME), self.folder.join(EARLIER_FILE_NAME))?;
            self.bytes = 0;
        }
        let file = match &mut self.file {
            Some(file) => file,
            closed => closed.insert(append(&self.folder.join(FILE_NAME))?),
        };
        file.write_all(line)?;
        self.bytes += line.len() as u64;
        Ok(())
    }
}

/// One line; what is written to it comes to the file when it is dropped.
pub(crate) struct Line {
    file: LogFile,
    bytes: Vec<u8>,
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(&bytes[..bytes.len().min((LINE_BYTES_MAX + 1).saturating_sub(self.bytes.len()))]);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.bytes.len() > LINE_BYTES_MAX {
            self.bytes.truncate(LINE_BYTES_MAX);
            self.bytes.push(b'\n');
        }
        // See above: there is nobody to tell.
        let _ = self.file.0.lock().unwrap_or_else(PoisonError::into_inner).line(&self.bytes);
    }
}

impl MakeWriter<'_> for LogFile {
    type Writer = Line;

    fn make_writer(&self) -> Line {
        Line { file: self.clone(), bytes: Vec::new() }
    }
}

/// A file to write at the end of, readable by its owner only.
fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(folder: &Path, name: &str) -> String {
        fs::read_to_string(folder.join(name)).unwrap_or_default()
    }

    #[test]
    fn two_files_hold_the_newest_lines_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let log = LogFile::bounded(folder.path(), 100).unwrap();
        for number in 0..100 {
            writeln!(log.make_writer(), "line {number:02}").unwrap();
        }
        let (earlier, now) = (read(folder.path(), EARLIER_FILE_NAME), read(folder.path(), FILE_NAME));
        assert!(earlier.len() <= 100 && now.len() <= 100);
        let both = earlier + &now;
        let numbers: Vec<&str> = both.lines().collect();
        assert!(numbers.len() > 12, "{numbers:?}");
        assert_eq!(numbers.last(), Some(&"line 99"));
        assert!(numbers.is_sorted(), "none is missing and none is torn: {numbers:?}");
        #[cfg(unix)]
        for name in [FILE_NAME, EARLIER_FILE_NAME] {
            let mode =
                std::os::unix::fs::PermissionsExt::mode(&folder.path().join(name).metadata().unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn what_was_written_before_stays() {
        let folder = tempfile::tempdir().unwrap();
        for line in ["one", "two"] {
            let log = LogFile::open(folder.path()).unwrap();
            writeln!(log.make_writer(), "{line}").unwrap();
        }
        assert_eq!(read(folder.path(), FILE_NAME), "one\ntwo\n");
    }

    #[test]
    fn a_line_that_goes_on_and_on_loses_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let log = LogFile::open(folder.path()).unwrap();
        let mut line = log.make_writer();
        for _ in 0..LINE_BYTES_MAX {
            line.write_all(b"xxx").unwrap();
        }
        drop(line);
        writeln!(log.make_writer(), "next").unwrap();
        let written = read(folder.path(), FILE_NAME);
        assert_eq!(written.len(), LINE_BYTES_MAX + 1 + 5);
        assert!(written.ends_with("x\nnext\n"));
    }

    #[test]
    fn a_folder_that_went_away_is_no_reason_to_stop() {
        let folder = tempfile::tempdir().unwrap();
        let log = LogFile::bounded(folder.path(), 10).unwrap();
        folder.close().unwrap();
        for _ in 0..3 {
            writeln!(log.make_writer(), "a line that is longer than the file").unwrap();
        }
    }
}
