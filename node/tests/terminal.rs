//! A terminal for the tests: what a command does when a person looks at it.
#![cfg(unix)]

use std::{
    fs::File,
    io::{Read, Write},
    os::unix::ffi::OsStrExt,
    path::Path,
    process::{Child, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Instant,
};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

use super::harness::{Folder, PATIENCE};

/// A command at a terminal of its own. It is killed when it is dropped.
pub(crate) struct Terminal {
    child: Child,
    keyboard: File,
    shown: mpsc::Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    /// Starts a command at a terminal of this width, with these variables.
    pub(crate) fn start(folder: &Folder, columns: u16, variables: &[(&str, &str)], arguments: &[&str]) -> Terminal {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        tcsetwinsize(&ours, Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let theirs = Path::new(std::ffi::OsStr::from_bytes(name.as_bytes()));
        let open = || Stdio::from(File::options().read(true).write(true).open(theirs).unwrap());
        let mut command = folder.command(arguments);
        command.env("TERM", "xterm").env_remove("NO_COLOR").env_remove("COLUMNS");
        let child =
            command.envs(variables.iter().copied()).stdin(open()).stdout(open()).stderr(open()).spawn().unwrap();
        // The command itself keeps an end of it, so that ours reads no end of file before the process has ended.
        drop(command);
        let keyboard = File::from(ours);
        let mut screen = keyboard.try_clone().unwrap();
        let (told, shown) = mpsc::channel();
        thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut piece) {
                if told.send(piece[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Terminal { child, keyboard, shown, seen: String::new() }
    }

    /// Everything that was shown up to where this says yes.
    pub(crate) fn until(&mut self, wanted: impl Fn(&str) -> bool) -> &str {
        let begun = Instant::now();
        while !wanted(&self.seen) {
            assert!(begun.elapsed() < PATIENCE, "never shown; there is {:?}", self.seen);
            match self.shown.recv_timeout(PATIENCE) {
                Ok(piece) => self.seen += &String::from_utf8_lossy(&piece),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended, and showed {:?}", self.seen),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        &self.seen
    }

    /// Types.
    pub(crate) fn type_in(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    /// Sends a signal, as ctrl-c does.
    pub(crate) fn signal(&self, signal: &str) {
        let kill =
            std::process::Command::new("kill").args([&format!("-{signal}"), &self.child.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    /// Waits for the end: everything that was shown, and the exit code.
    pub(crate) fn end(mut self) -> (String, i32) {
        loop {
            match self.shown.recv_timeout(PATIENCE) {
                Ok(piece) => self.seen += &String::from_utf8_lossy(&piece),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it goes on, and showed {:?}", self.seen),
            }
        }
        let exit = self.child.wait().unwrap().code().unwrap_or(-1);
        (std::mem::take(&mut self.seen), exit)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
