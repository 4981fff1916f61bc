//! The binary `weft`: the command line over the library of the same name.

fn main() -> std::process::ExitCode {
    weft::cli::run()
}
