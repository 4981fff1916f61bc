//! A hostile program against real nodes: `examples/hostile`, which speaks the wire format by itself.
//!
//! Each round a new member joins by a link, attacks, and is refused; the node says why, keeps what it had, goes on serving an honest
//! node, and needs no more memory than for rounds without an attack.

mod collision;
mod guests;
mod members;
mod mutations;
mod program;
mod stage;
mod strangers;
mod strings;

#[test]
fn the_program_has_no_part_of_what_it_attacks() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/hostile");
    let mut files = Vec::new();
    for folder in [folder.clone(), folder.join("attacks")] {
        files.extend(
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()),
        );
    }
    assert!(files.len() > 10);
    for file in files {
        let source = std::fs::read_to_string(&file).unwrap();
        let code = source.lines().filter(|line| !line.starts_with("//!"));
        for line in code {
            for name in ["weft::", "weft_peer", "weft_replication", "weft_invitation", "weft_echo"] {
                assert!(!line.contains(name), "{}: {line}", file.display());
            }
        }
    }
}
