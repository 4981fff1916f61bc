//! Leaving when a person at the terminal, or the system, asks for it.

use std::{io, time::Duration};

use tokio::runtime::Runtime;

use super::failure::{Exit, Failure};

/// Requests of the system or the terminal to stop.
pub(crate) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    /// Listens for them from now on. Within a runtime.
    #[cfg(unix)]
    pub(crate) fn new() -> Result<Signals, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            terminate: signal(SignalKind::terminate()).map_err(|error| failed(&error))?,
            interrupt: signal(SignalKind::interrupt()).map_err(|error| failed(&error))?,
        })
    }

    /// The next one.
    #[cfg(unix)]
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Listens for them from now on. Within a runtime.
    #[cfg(not(unix))]
    pub(crate) fn new() -> Result<Signals, Failure> {
        Ok(Signals {})
    }

    /// The next one.
    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) {
        // Without a signal to wait for, `weft down` is the way to stop.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// How long a request that came while it was somebody else's is looked for. 10 ms: it is there already, in a pipe.
const RELEASE: Duration = Duration::from_millis(10);

/// While this is kept, requests to stop are somebody else's: those of a program at the same terminal that this one waits for.
pub(crate) struct Held {
    runtime: Runtime,
    signals: Signals,
}

impl Held {
    /// From now on.
    pub(crate) fn new() -> Result<Held, Failure> {
        let runtime = runtime()?;
        let signals = {
            let _within = runtime.enter();
            Signals::new()?
        };
        Ok(Held { runtime, signals })
    }

    /// From now on they are ours again, and end the process; those that came before are forgotten.
    pub(crate) fn release(mut self) -> Result<(), Failure> {
        self.runtime.block_on(async {
            let all = async {
                loop {
                    self.signals.next().await;
                }
            };
            let _ = tokio::time::timeout(RELEASE, all).await;
        });
        leaves_with(|| Exit::Failed)
    }
}

/// From now on a request to stop has `leave` run, and the process end with the exit code that it gives. For commands that
/// follow something: ctrl-c is how they are meant to end.
pub(crate) fn leaves_with(leave: impl FnOnce() -> Exit + Send + 'static) -> Result<(), Failure> {
    let runtime = runtime()?;
    let mut signals = {
        let _within = runtime.enter();
        Signals::new()?
    };
    let wait = move || {
        runtime.block_on(signals.next());
        std::process::exit(leave() as i32);
    };
    std::thread::Builder::new().name("weft-signals".to_owned()).spawn(wait).map_err(|error| failed(&error))?;
    Ok(())
}

fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| failed(&error))
}

fn failed(error: &io::Error) -> Failure {
    Failure::new(Exit::Failed, "no_signals", format!("signals cannot be received: {error}"), "start it again")
}
