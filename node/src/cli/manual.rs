//! What is written about the commands, made from their definitions: completions, manual pages, and the table of the README.

use std::path::Path;

use clap::{Arg, Command, CommandFactory};
use clap_complete::Shell;
use serde_json::json;

use super::{
    args::Args,
    failure::{Exit, Failure},
    output::{Output, print_bytes},
};

/// Prints the completions for a shell.
pub(crate) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "weft", &mut script);
    print_bytes(&script)
}

/// Writes a page for each command into a folder.
pub(crate) fn pages(folder: &Path, output: Output) -> Result<(), Failure> {
    let unwritable = |error: std::io::Error| {
        let what = format!("{} cannot be written: {error}", folder.display());
        Failure::new(Exit::Failed, "unwritable", what, "look at the rights of the folder and at the space on its disk")
    };
    std::fs::create_dir_all(folder).map_err(unwritable)?;
    clap_mangen::generate_to(Args::command(), folder).map_err(unwritable)?;
    let count = leaves(&built(), &mut |_, _| ()) + 1;
    output.confirm(&json!({"folder": folder.display().to_string(), "commands": count}), |_| {
        format!("wrote the manual to {0}; `man -l {0}/weft.1` shows its first page\n", folder.display())
    })
}

/// Every command with what it does, as the table of the README.
#[must_use]
pub fn command_table() -> String {
    let mut table = "| command | what it does |\n| --- | --- |\n".to_owned();
    leaves(&built(), &mut |path, command| {
        let mut form = format!("weft {}", path.join(" "));
        for argument in command.get_positionals() {
            form += &format!(" {}", positional(argument));
        }
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        // Even within code, a bar would end the cell.
        let [form, about] = [form, about].map(|cell| cell.replace('|', "\\|"));
        table += &format!("| `{form}` | {about} |\n");
    });
    table
}

fn built() -> Command {
    let mut command = Args::command();
    command.build();
    command
}

/// Visits every command that does something, with the words that name it. Gives how many there are.
fn leaves(command: &Command, visit: &mut dyn FnMut(&[&str], &Command)) -> usize {
    fn walk<'a>(command: &'a Command, path: &mut Vec<&'a str>, visit: &mut dyn FnMut(&[&str], &Command)) -> usize {
        let mut count = 0;
        for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
            path.push(below.get_name());
            if below.has_subcommands() {
                count += walk(below, path, visit);
            } else {
                visit(path, below);
                count += 1;
            }
            path.pop();
        }
        count
    }
    walk(command, &mut Vec::new(), visit)
}

fn positional(argument: &Arg) -> String {
    let name = match argument.get_value_names() {
        Some([name, ..]) => name.to_string(),
        _ => argument.get_id().as_str().to_uppercase(),
    };
    let several = if argument.get_num_args().is_some_and(|count| count.max_values() > 1) { "…" } else { "" };
    if argument.is_required_set() && several.is_empty() { name } else { format!("[{name}]{several}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_command_once_with_what_it_takes() {
        let table = command_table();
        for row in ["| `weft space create NAME` | ", "| `weft text insert OBJECT POSITION [TEXT]` | ", "| `weft up` | "]
        {
            assert_eq!(table.matches(row).count(), 1, "{row} in {table}");
        }
        assert!(table.contains("| `weft watch [SPACE\\|OBJECT]` | "), "{table}");
        assert!(table.contains("| `weft object create SPACE TYPE [KEY=VALUE]…` | "), "{table}");
        assert!(table.lines().all(|line| line.starts_with("| ") && line.ends_with(" |")), "{table}");
        assert!(table.lines().skip(2).all(|line| !line.ends_with("|  |")), "each says what it does: {table}");
    }
}
