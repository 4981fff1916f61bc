//! `weft log`: what the node that runs or ran here has logged.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;

use super::{
    failure::{Exit, Failure},
    interrupt,
    look::{self, Look, Tone},
    output::{Output, print},
    visible::in_line,
};
use crate::log::file::{EARLIER_FILE_NAME, FILE_NAME};

/// How often a followed file is looked at. 200 ms: at once, for the eye.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);
/// The most of a file that is read at once, in bytes: more than a file of the log holds.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// Prints the last lines of the log of a data folder, and follows it if asked to.
pub(crate) fn log(folder: &Path, lines: usize, follow: bool, output: Output) -> Result<(), Failure> {
    let file = folder.join(FILE_NAME);
    if follow {
        interrupt::leaves_with(|| Exit::Done)?;
    }
    let mut followed = Followed::open(file.clone()).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::new(
            Exit::NotFound,
            "no_log",
            format!("there is no log in {}", folder.display()),
            "`weft up` keeps one there; or name another folder with --data",
        ),
        _ => unreadable(&file, &error),
    })?;
    let mut last = lines_of(&folder.join(EARLIER_FILE_NAME));
    last.extend(followed.read().map_err(|error| unreadable(&file, &error))?);
    for line in &last[last.len().saturating_sub(lines)..] {
        say(line, output)?;
    }
    if !follow {
        return Ok(());
    }
    loop {
        std::thread::sleep(LOOK_INTERVAL);
        for line in followed.read().map_err(|error| unreadable(&file, &error))? {
            say(&line, output)?;
        }
    }
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    super::plan::unreadable(&file.display().to_string(), error)
}

/// The whole lines of a file that may not be there.
fn lines_of(path: &Path) -> Vec<String> {
    let Ok(file) = File::open(path) else { return Vec::new() };
    BufReader::new(file.take(FILE_BYTES_MAX)).split(b'\n').map_while(Result::ok).map(lossy).collect()
}

fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A file of the log that is read on as it grows, and its successor when it is full.
struct Followed {
    path: PathBuf,
    file: File,
    read: u64,
    /// A line whose end is not written yet.
    begun: Vec<u8>,
}

impl Followed {
    fn open(path: PathBuf) -> std::io::Result<Followed> {
        Ok(Followed { file: File::open(&path)?, path, read: 0, begun: Vec::new() })
    }

    /// The lines that were completed since the last time.
    fn read(&mut self) -> std::io::Result<Vec<String>> {
        let mut lines = self.read_on()?;
        // A shorter file under this name is another one. Ours goes on to be read under its new name through the handle, so
        // nothing that was written to it before it was full is missed.
        if std::fs::metadata(&self.path).is_ok_and(|now| now.len() < self.read) {
            lines.extend(self.read_on()?);
            *self = Followed::open(self.path.clone())?;
            lines.extend(self.read_on()?);
        }
        Ok(lines)
    }

    fn read_on(&mut self) -> std::io::Result<Vec<String>> {
        self.file.seek(SeekFrom::Start(self.read))?;
        let mut bytes = Vec::new();
        self.read += (&mut self.file).take(FILE_BYTES_MAX).read_to_end(&mut bytes)? as u64;
        self.begun.extend(bytes);
        let Some(end) = self.begun.iter().rposition(|byte| *byte == b'\n') else { return Ok(Vec::new()) };
        let rest = self.begun.split_off(end + 1);
        let whole = std::mem::replace(&mut self.begun, rest);
        Ok(whole[..end].split(|byte| *byte == b'\n').map(|line| lossy(line.to_vec())).collect())
    }
}

fn say(line: &str, output: Output) -> Result<(), Failure> {
    match serde_json::from_str::<Value>(line) {
        Ok(said) => output.say(&said, |said| words(look::stdout(), said)),
        // Cut short, by a crash or because it was too long.
        Err(_) if output.json => output.say(&serde_json::json!({"message": line}), super::show::nothing),
        Err(_) => print(&format!("{}\n", in_line(line))),
    }
}

/// Time, level, module, message, and the fields.
fn words(look: Look, said: &Value) -> String {
    let field = |key: &str| in_line(super::text(said, key)).into_owned();
    let level = field("level");
    let tone = match level.as_str() {
        "ERROR" => Tone::Bad,
        "WARN" => Tone::Busy,
        "INFO" => Tone::Good,
        _ => Tone::Faint,
    };
    let mut words = format!(
        "{} {} {} {}",
        look.paint(Tone::Faint, &field("timestamp")),
        look.paint(tone, &format!("{level:>5}")),
        look.paint(Tone::Faint, &format!("{}:", field("target"))),
        field("message"),
    );
    for (key, value) in said.as_object().into_iter().flatten() {
        if !matches!(key.as_str(), "timestamp" | "level" | "target" | "message") {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            words += &format!(" {}={}", in_line(key), in_line(&value));
        }
    }
    words + "\n"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_is_shown_in_words_and_nobody_can_break_it() {
        let said = json!({
            "timestamp": "2026-11-20T18:00:00Z", "level": "WARN", "target": "weft::node", "message": "a peer\nleft",
            "peer": "x\u{1b}[2J", "count": 3,
        });
        let words = words(Look::default(), &said);
        assert_eq!(words, "2026-11-20T18:00:00Z  WARN weft::node: a peer\\u{a}left count=3 peer=x\\u{1b}[2J\n");
    }

    #[test]
    fn a_file_is_followed_into_the_one_that_comes_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        std::fs::write(&path, "one\ntwo\nthr").unwrap();
        let mut followed = Followed::open(path.clone()).unwrap();
        assert_eq!(followed.read().unwrap(), ["one", "two"]);
        std::fs::write(&path, "one\ntwo\nthree\nfour\n").unwrap();
        assert_eq!(followed.read().unwrap(), ["three", "four"]);
        assert!(followed.read().unwrap().is_empty());
        std::fs::rename(&path, folder.path().join(EARLIER_FILE_NAME)).unwrap();
        std::fs::write(&path, "five\n").unwrap();
        assert_eq!(followed.read().unwrap(), ["five"]);
        assert_eq!(lines_of(&folder.path().join(EARLIER_FILE_NAME)), ["one", "two", "three", "four"]);
        assert!(lines_of(&folder.path().join("not-there")).is_empty());
    }
}
