//! The baselines that npm installs: their own scripts, run one figure at a time, so that both sides take turns.

use std::{
    env,
    io::Read,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use crate::{error::Failure, figures::Figures};

/// How long one run may take, npm's download at the first one included.
const PATIENCE: Duration = Duration::from_secs(900);

/// A folder with a baseline in each of its folders.
#[derive(Clone, Debug)]
pub struct Baselines {
    folder: PathBuf,
}

impl Baselines {
    /// The folder that `WEFT_BASELINES` names, when it and npm are there; otherwise why the baselines are skipped.
    ///
    /// # Errors
    /// The reason, for the reader of the table.
    pub fn from_env() -> Result<Self, String> {
        let folder = env::var_os("WEFT_BASELINES").filter(|folder| !folder.is_empty()).map(PathBuf::from);
        let folder = folder.ok_or("WEFT_BASELINES names no folder with baselines (hypercore/run.sh)")?;
        if !folder.join("hypercore/run.sh").is_file() {
            return Err(format!("{} has no hypercore/run.sh", folder.display()));
        }
        for program in ["bash", "node", "npm"] {
            let found = Command::new(program).arg("--version").stdin(Stdio::null()).output();
            if !found.is_ok_and(|output| output.status.success()) {
                return Err(format!("`{program}` is not installed"));
            }
        }
        Ok(Self { folder })
    }

    /// Whether this baseline is in the folder.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.folder.join(name).join("run.sh").is_file()
    }

    /// Runs a baseline. The figures of the last line on its standard output, and those of all it said on standard error.
    ///
    /// # Errors
    /// When it fails or takes too long.
    pub async fn run(&self, name: &str, arguments: &[&str]) -> Result<(Figures, Figures), Failure> {
        let (this, name) = (self.clone(), name.to_owned());
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let run = tokio::task::spawn_blocking(move || this.run_here(&name, &arguments));
        run.await.unwrap_or_else(|error| Err(Failure::because(error.to_string())))
    }

    fn run_here(&self, name: &str, arguments: &[String]) -> Result<(Figures, Figures), Failure> {
        let mut command = Command::new("bash");
        command.arg(self.folder.join(name).join("run.sh")).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Its own group, so that what it started can be ended with it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        let stdout = read(child.stdout.take());
        let stderr = read(child.stderr.take());
        let out = stdout.recv_timeout(PATIENCE);
        if out.is_err() {
            end(&mut child)?;
        }
        let status = child.wait()?;
        let (out, err) = (out.unwrap_or_default(), stderr.recv_timeout(Duration::from_secs(10)).unwrap_or_default());
        if !status.success() {
            return Err(Failure::because(format!("{name} ended with {status}: {}", err.trim())));
        }
        Ok((Figures::parse(out.trim().lines().last().unwrap_or_default()), Figures::parse(&err)))
    }
}

fn read(stream: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (done, text) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        if let Some(mut stream) = stream {
            // What could be read is what there is to say.
            let _ = stream.read_to_string(&mut text);
        }
        done.send(text)
    });
    text
}

/// Ends the script and what it started: the group whose leader it is.
fn end(child: &mut Child) -> Result<(), Failure> {
    Command::new("kill").args(["-TERM", "--", &format!("-{}", child.id())]).status()?;
    Ok(())
}
