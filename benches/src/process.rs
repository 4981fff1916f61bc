//! What this process has used, and another process that is this program started again.
//!
//! A second process is told what to do in its arguments and says what came of it in lines on its standard output. It ends
//! when its standard input ends, so it never outlives who started it; and whoever holds it ends it by its id.

use std::{
    env,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, SystemTime},
};

use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::timeout,
};

use crate::{error::Failure, figures::Figures};

/// How long anything may take before the bench gives up. Long, because machines are slow and busy.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// What `/proc/self/status` says of memory under this name, in MB of 2^20 bytes; none where there is no such file.
#[must_use]
pub fn memory_mb(name: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

/// The processor time that this process has used, in seconds, as the scheduler counts it; none where it is not said.
#[must_use]
pub fn cpu_s() -> Option<f64> {
    let tasks = std::fs::read_dir("/proc/self/task").ok()?;
    let nanoseconds = tasks.filter_map(|task| {
        let stat = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        stat.split_whitespace().next()?.parse::<f64>().ok()
    });
    Some(nanoseconds.sum::<f64>() / 1e9)
}

/// The clock that all processes of a machine share, in microseconds. It is the wall clock, because only that one can be
/// read as a number by the standard library; [`Steady`] says whether somebody set it meanwhile.
#[must_use]
pub fn shared_clock_us() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1e6
}

/// Whether the shared clock went as the monotonic one did.
#[derive(Debug)]
pub struct Steady {
    wall_us: f64,
    monotonic: std::time::Instant,
}

impl Steady {
    /// From now on.
    #[must_use]
    pub fn since_now() -> Self {
        Self { wall_us: shared_clock_us(), monotonic: std::time::Instant::now() }
    }

    /// By how much the two clocks went apart since, in microseconds.
    #[must_use]
    pub fn drift_us(&self) -> f64 {
        let wall_us = shared_clock_us() - self.wall_us;
        (wall_us - self.monotonic.elapsed().as_secs_f64() * 1e6).abs()
    }
}

/// A second process. Dropped, it is ended.
#[derive(Debug)]
pub struct Second {
    child: Child,
    lines: UnboundedReceiver<String>,
}

impl Second {
    /// Starts this program again with these arguments.
    ///
    /// # Errors
    /// When the system cannot.
    pub fn start(arguments: &[String]) -> Result<Self, Failure> {
        let mut child = Command::new(env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let stdout = BufReader::new(child.stdout.take().expect("it was piped"));
        let (said, lines) = unbounded_channel();
        thread::spawn(move || stdout.lines().map_while(Result::ok).all(|line| said.send(line).is_ok()));
        Ok(Self { child, lines })
    }

    /// The next line it says.
    ///
    /// # Errors
    /// When it ends, or says nothing for too long.
    pub async fn next(&mut self) -> Result<Figures, Failure> {
        match timeout(PATIENCE, self.lines.recv()).await {
            Ok(Some(line)) => Ok(Figures::parse(&line)),
            Ok(None) => Err(Failure::because("the second process ended early")),
            Err(_) => Err(Failure::because("the second process says nothing")),
        }
    }

    /// Lets it stop in order, and waits for its end.
    ///
    /// # Errors
    /// When it does not end, or not well.
    pub async fn end(mut self) -> Result<(), Failure> {
        drop(self.child.stdin.take());
        let ended = async { while self.lines.recv().await.is_some() {} };
        if timeout(PATIENCE, ended).await.is_err() {
            return Err(Failure::because("the second process does not end"));
        }
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(Failure::because(format!("the second process ended with {status}"))) }
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        // It may have ended; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
