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
    // As in the node's program.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let result = runtime.map_err(Failure::from).and_then(|runtime| match Task::parse(&arguments) {
        Some(task) => runtime.block_on(task.run()),
        None => runtime.block_on(table(&arguments)),
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
    for question in questions {
        eprintln!("{}", question.name());
        question.answer(&setting, &mut table).await?;
    }
    println!("{}", table.render());
    Ok(())
}
