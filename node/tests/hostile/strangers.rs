//! A program without membership: what it is told of a space that exists and of one that does not.

use super::{
    program::Program,
    stage::{Stage, TRANSPORTS, play},
};

fn transcript(stage: &Stage<'_>, space: &str) -> serde_json::Value {
    let mut stranger =
        Program::start(&[stage.transport, "stranger", &stage.alice.up.address_over(stage.transport), space]);
    let heard = stranger.until("done")["heard"].clone();
    stranger.end();
    heard
}

#[test]
fn an_existing_and_an_invented_space_get_the_same_answers() {
    play(|stage| {
        for transport in TRANSPORTS {
            stage.transport = transport;
            stage.round();
            let before = stage.kept();
            let existing = transcript(stage, &stage.space.clone());
            let invented = transcript(stage, &"a".repeat(52));
            assert_eq!(existing, invented, "equal in number, kind and length");
            let heard = existing.as_array().unwrap();
            assert!(heard.iter().any(|said| said["kind"] == "tags"), "{existing}");
            assert!(
                heard.iter().all(|said| said["protocol"] != "replication" || said["kind"] == "closed"),
                "{existing}"
            );
            assert_eq!(stage.kept(), before);
            stage.serves();
        }
    });
}
