//! `weft-sim`: runs a scenario from a seed, says what came of it, and leaves a folder of figures.
//!
//! It ends with 0 when everything held, 1 when something did not, 2 when the scenario could not be read.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use weft_simulations::{report, run, scenario::Scenario};

/// Weft's protocols in virtual time.
#[derive(Parser)]
#[command(name = "weft-sim", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a scenario; the same seed gives the same run.
    Run {
        /// A scenario file, as those in simulations/scenarios.
        scenario: PathBuf,
        /// The seed of the first run.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many runs, with seeds one after another.
        #[arg(long, default_value_t = 1)]
        runs: u64,
        /// Where the folders of the runs are written.
        #[arg(long, default_value = "simulations/out")]
        out: PathBuf,
    },
    /// Read scenarios and say what they ask, without running them.
    Check {
        /// Scenario files.
        scenarios: Vec<PathBuf>,
    },
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run { scenario, seed, runs, out } => run_all(&scenario, seed, runs, &out),
        Command::Check { scenarios } => {
            let mut code = ExitCode::SUCCESS;
            for path in scenarios {
                match Scenario::read(&path) {
                    Ok(scenario) => say(&format!("{}: {}\n", path.display(), scenario.about)),
                    Err(error) => {
                        eprintln!("{error}");
                        code = ExitCode::from(2);
                    }
                }
            }
            code
        }
    }
}

fn run_all(path: &Path, first: u64, runs: u64, out: &Path) -> ExitCode {
    let scenario = match Scenario::read(path) {
        Ok(scenario) => scenario,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let name = path.file_stem().map_or("scenario".into(), |stem| stem.to_string_lossy().into_owned());
    let mut broken = false;
    for seed in (0..runs).map(|run| first.wrapping_add(run)) {
        let outcome = run::run(&scenario, seed);
        say(&report::summary(&name, &outcome));
        let folder = out.join(format!("{name}-{seed}"));
        match report::write(&folder, &name, &outcome) {
            Ok(()) => say(&format!("  {}\n", folder.display())),
            Err(error) => eprintln!("{} could not be written: {error}", folder.display()),
        }
        if !outcome.findings.is_empty() {
            broken = true;
            eprintln!("replay: {}", report::replay(path, seed));
        }
    }
    if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Prints this; whoever closed the pipe has seen enough.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
