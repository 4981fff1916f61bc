//! One command, one table: two whole nodes in two processes, beside the npm baselines of `WEFT_BASELINES`.
//!
//! `cargo bench -p weft-benches --bench table [-- QUESTION…]`. The second process is this program started again.

use std::process::ExitCode;

use weft_benches::{
    error::Failure,
    npm::Baselines,
    questions::{Question, Setting},
    report::Table,
    second::Task,
    sizes::{Sizes, is_quick},
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // As in the node's program, but for who wants to see what another number of threads does.
    let workers = std::env::var("WEFT_BENCH_WORKERS").ok().and_then(|workers| workers.parse().ok()).unwrap_or(2);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build();
    // In a task: what waits for the node shares its threads, as an application does.
    let result = runtime.map_err(Failure::from).and_then(|runtime| {
        let task = runtime.spawn(async move {
            match Task::parse(&arguments) {
                Some(task) => task.run().await,
                None => table(&arguments).await,
            }
        });
        runtime.block_on(task).unwrap_or_else(|error| Err(Failure::because(error.to_string())))
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

async fn table(arguments: &[String]) -> Result<(), Failure> {
    // Cargo says `--bench`; without it this is somebody testing that benches run.
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    let wanted: Vec<&str> = arguments.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    let chosen = |question: &Question| wanted.is_empty() || wanted.contains(&question.name());
    let questions: Vec<Question> = Question::ALL.into_iter().filter(chosen).collect();
    if questions.is_empty() {
        let names: Vec<&str> = Question::ALL.into_iter().map(Question::name).collect();
        return Err(Failure::because(format!("there is no such question; choose of {}", names.join(", "))));
    }
    let mut table = Table::default();
    let baselines = match Baselines::from_env() {
        Ok(baselines) => Some(baselines),
        Err(why) => {
            eprintln!("the npm baselines are skipped: {why}");
            table.notes.push(format!("Skipped: the npm baselines and the ratios, because {why}."));
            None
        }
    };
    let sizes = if is_bench { Sizes::from_env() } else { Sizes { runs: 1, ..Sizes::quick() } };
    if is_quick() || !is_bench {
        table.notes.push("Small sizes, to see that everything runs: the figures say nothing.".to_owned());
    }
    let setting = Setting { sizes, baselines };
    let mut failed = Vec::new();
    for question in questions {
        eprintln!("{}", question.name());
        // The others are worth knowing all the same.
        if let Err(failure) = question.answer(&setting, &mut table).await {
            eprintln!("  {}: {failure}", question.name());
            table.notes.push(format!("No figure for `{}`: {failure}.", question.name()));
            failed.push(question.name());
        }
    }
    println!("{}", table.render());
    if failed.is_empty() { Ok(()) } else { Err(Failure::because(format!("without a figure: {}", failed.join(", ")))) }
}
