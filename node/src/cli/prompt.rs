//! Asking for a secret at the terminal: what is typed is not shown, not kept by the terminal, and forgotten when it is dropped.
#![cfg_attr(not(unix), allow(unused_variables, reason = "there is no terminal that can be asked so"))]

use std::io;

use zeroize::Zeroizing;

use super::failure::{Exit, Failure};

/// Asks on standard error and reads a line from the terminal at standard input, without showing it. None when nothing was
/// typed before the end (ctrl-d).
#[cfg(unix)]
pub(crate) fn hidden(question: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
    use std::io::Write;

    let unable = |error: io::Error| {
        Failure::new(
            Exit::Failed,
            "no_prompt",
            format!("the terminal cannot be asked: {error}"),
            "name the file that holds the passphrase with --passphrase-file",
        )
    };
    let input = standard_input().map_err(unable)?;
    let quiet = Quiet::new(&input).map_err(|error| unable(error.into()))?;
    let mut stderr = io::stderr().lock();
    write!(stderr, "{question}").and_then(|()| stderr.flush()).map_err(unable)?;
    let typed = typed(&input);
    drop(quiet);
    // The end of the line was not shown either.
    let _ = writeln!(stderr);
    match typed.map_err(unable)? {
        Typed::Line(line) => Ok(Some(line)),
        Typed::End => Ok(None),
        Typed::Interrupt => Err(Failure::new(Exit::Failed, "interrupted", "interrupted; nothing was changed", "")),
    }
}

/// There is no way here to read from a terminal without showing what is typed.
#[cfg(not(unix))]
pub(crate) fn hidden(question: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
    Err(Failure::new(
        Exit::Failed,
        "no_prompt",
        "a terminal of this system cannot be asked for a secret",
        "name the file that holds the passphrase with --passphrase-file",
    ))
}

/// Standard input without a buffer of this process, so that nothing stays in one and the rest is for who reads next.
#[cfg(unix)]
pub(crate) fn standard_input() -> io::Result<std::fs::File> {
    use std::os::fd::AsFd;
    io::stdin().as_fd().try_clone_to_owned().map(Into::into)
}

/// Standard input.
#[cfg(not(unix))]
pub(crate) fn standard_input() -> io::Result<io::Stdin> {
    Ok(io::stdin())
}

#[cfg(unix)]
#[derive(Debug, PartialEq)]
enum Typed {
    Line(Zeroizing<Vec<u8>>),
    End,
    Interrupt,
}

/// Reads keys up to the end of a line. The terminal hands them over one by one, so that ctrl-c comes here and cannot leave it
/// quiet for ever.
#[cfg(unix)]
fn typed(mut from: impl io::Read) -> io::Result<Typed> {
    use crate::identity::PASSPHRASE_BYTES_MAX;

    // One more than allowed, so that who types too much is told.
    let mut line = Zeroizing::new(Vec::with_capacity(PASSPHRASE_BYTES_MAX + 1));
    let mut key = Zeroizing::new([0]);
    while from.read(&mut key[..])? == 1 {
        match key[0] {
            b'\n' | b'\r' => return Ok(Typed::Line(line)),
            // ctrl-c
            0x03 => return Ok(Typed::Interrupt),
            // ctrl-d
            0x04 if line.is_empty() => return Ok(Typed::End),
            // ctrl-u
            0x15 => line.clear(),
            // The key that takes back, and ctrl-h. The bytes of one character go together.
            0x7f | 0x08 => while line.pop().is_some_and(|byte| byte & 0xC0 == 0x80) {},
            0..=0x1f => {}
            byte if line.len() <= PASSPHRASE_BYTES_MAX => line.push(byte),
            _ => {}
        }
    }
    Ok(Typed::End)
}

/// While this is kept, the terminal shows nothing of what is typed and hands over every key.
#[cfg(unix)]
struct Quiet<'a> {
    terminal: &'a std::fs::File,
    before: rustix::termios::Termios,
}

#[cfg(unix)]
impl Quiet<'_> {
    fn new(terminal: &std::fs::File) -> rustix::io::Result<Quiet<'_>> {
        use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG;
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(terminal, OptionalActions::Now, &quiet)?;
        Ok(Quiet { terminal, before })
    }
}

#[cfg(unix)]
impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        // A terminal that is gone needs no repair.
        let _ = rustix::termios::tcsetattr(self.terminal, rustix::termios::OptionalActions::Now, &self.before);
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn line(keys: &str) -> Typed {
        typed(keys.as_bytes()).unwrap()
    }

    #[test]
    fn keys_make_a_line_as_at_any_prompt() {
        let made = |text: &str| Typed::Line(Zeroizing::new(text.as_bytes().to_vec()));
        assert_eq!(line("abc\nmore"), made("abc"));
        assert_eq!(line("abü\u{7f}c\u{8}d\r"), made("abd"));
        assert_eq!(line("wrong\u{15}\u{7f}right\n"), made("right"));
        assert_eq!(line("a\u{1b}b\u{4}\n"), made("ab"));
        assert_eq!(line("\u{4}"), Typed::End);
        assert_eq!(line("abc"), Typed::End, "a terminal that is gone gives no passphrase");
        assert_eq!(line("abc\u{3}"), Typed::Interrupt);
        let Typed::Line(long) = line(&("a".repeat(5000) + "\n")) else { panic!("a line") };
        assert_eq!(long.len(), crate::identity::PASSPHRASE_BYTES_MAX + 1);
    }
}
