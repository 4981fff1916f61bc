//! `weft import files` and `weft export`: a folder of texts into a space, and out again byte for byte.
//!
//! Folders are walked here and not by the node: the API knows objects, and no program that may use it can have the node read
//! or write a folder. What a path may be is one rule for both directions ([`path`]); how files are touched, one more
//! ([`folder`]).

use std::path::Path;

use super::{
    client::Client,
    failure::{Exit, Failure},
    output::Output,
};

#[cfg(unix)]
mod baseline;
mod claims;
#[cfg(unix)]
mod export;
#[cfg(unix)]
mod folder;
#[cfg(unix)]
mod import;
#[cfg(unix)]
mod listing;
mod path;
#[cfg(unix)]
mod report;
#[cfg(unix)]
mod walk;

/// What to do with files and folders whose name begins with a dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Hidden {
    /// Leave them and say so
    Skip,
    /// Take them like others
    Include,
    /// Leave them and say nothing
    Ignore,
}

/// One import or export.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task<'a> {
    /// The data folder of Weft.
    pub(crate) data: &'a Path,
    /// The space, as it was named.
    pub(crate) space: &'a str,
    /// The folder of files.
    pub(crate) folder: &'a Path,
    /// What to do with hidden files.
    pub(crate) hidden: Hidden,
    /// Only say what would be done.
    pub(crate) dry_run: bool,
    /// To whom is told what was done.
    pub(crate) output: Output,
}

/// Makes text objects of a folder's files, and brings what changed into those that are there.
#[cfg(unix)]
pub(crate) fn import(client: &Client, task: Task<'_>) -> Result<(), Failure> {
    import::run(client, task)
}

/// Writes the files of a space into a folder.
#[cfg(unix)]
pub(crate) fn export(client: &Client, task: Task<'_>) -> Result<(), Failure> {
    export::run(client, task)
}

/// See [`no_handles`].
#[cfg(not(unix))]
pub(crate) fn import(_: &Client, task: Task<'_>) -> Result<(), Failure> {
    Err(no_handles(task))
}

/// See [`no_handles`].
#[cfg(not(unix))]
pub(crate) fn export(_: &Client, task: Task<'_>) -> Result<(), Failure> {
    Err(no_handles(task))
}

/// Without handles of folders, a link put in the way at the right moment leads a write elsewhere.
#[cfg(not(unix))]
fn no_handles(task: Task<'_>) -> Failure {
    Failure::new(
        Exit::Failed,
        "unsupported_system",
        format!("`{}` cannot be read or written safely on this system yet", task.folder.display()),
        "use it on Linux, macOS or another Unix; `weft text show` and `weft object create` work everywhere",
    )
}

/// A folder that a person named cannot be used.
#[cfg(unix)]
fn unusable(folder: &Path, error: &std::io::Error) -> Failure {
    let exit = if error.kind() == std::io::ErrorKind::NotFound { Exit::NotFound } else { Exit::Failed };
    let message = format!("the folder `{}` cannot be used: {error}", folder.display());
    Failure::new(exit, "unusable_folder", message, "look at its path and its rights")
}

/// Weft's own folder is no folder of files.
#[cfg(unix)]
fn own_folder(folder: &Path) -> Failure {
    Failure::usage(
        "data_folder",
        format!("`{}` is a data folder of Weft, with keys in it", folder.display()),
        "name a folder of its own for the files",
    )
}
