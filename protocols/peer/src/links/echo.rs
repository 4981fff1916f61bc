//! ECHO → rows, own feed, application.

use weft_echo::{EditRefusal, Malformed, Output as Echoed, inspect::Refusal as UpdateRefusal, json::JsonFault};
use weft_feed::kind;
use weft_machine::Machine as _;

use crate::{
    command::{Answer, Refusal, RefusalKind},
    event::Event,
    io::{Ask, Output},
    outbox::Outbox,
    room::{
        EditPurpose, Room,
        own::{Draft, Purpose},
    },
};

/// Carries out what ECHO orders. Says whether there was anything. Spec: PEER-2, steps 7 and 8
pub(crate) fn pump(room: &mut Room, outbox: &mut Outbox) -> bool {
    let mut any = false;
    while let Some(output) = room.echo.poll_output() {
        any = true;
        match output {
            Echoed::Load { ticket, table, prefix } => room.loads_waiting.push_back((ticket, table, prefix)),
            Echoed::Derive(writes) => room.derived.derive(room.space, writes),
            Echoed::Processed(processed) => {
                room.derived.cursor(room.space, &processed);
                room.replay.has_processed(processed.feed, processed.length);
            }
            Echoed::Write { ticket, session, plaintext } => {
                room.data.push(Draft {
                    kind: kind::MUTATION,
                    session,
                    bodies: vec![plaintext],
                    purpose: Purpose::Mutation(ticket),
                });
            }
            Echoed::Done { ticket, object, seq } => match room.edits.remove(&ticket) {
                Some(EditPurpose::Ask(ask)) => answer(room, ask, Ok(Answer::Edited { object })),
                Some(EditPurpose::Update(ask)) => answer(room, ask, Ok(Answer::Updated { seq })),
                Some(EditPurpose::SpaceName(ask)) => {
                    let space = room.space;
                    answer(room, ask, Ok(Answer::SpaceCreated { space }));
                }
                Some(EditPurpose::Profile) => room.keep_profile(outbox),
                None => {}
            },
            Echoed::Refused { ticket, refusal } => match room.edits.remove(&ticket) {
                Some(EditPurpose::Ask(ask) | EditPurpose::Update(ask) | EditPurpose::SpaceName(ask)) => {
                    // What could not be written because a fork was found was not refused by the store.
                    let forked = super::membership::is_one_log(room).err();
                    let forked = forked.filter(|_| matches!(refusal, EditRefusal::WriteFailed));
                    answer(room, ask, Err(forked.unwrap_or_else(|| refused(&refusal))));
                }
                Some(EditPurpose::Profile) => room.profile_said = false,
                None => {}
            },
            Echoed::Quarantined { feed, seq, reason } => {
                let event = Event::Quarantined { space: room.space, feed, seq, reason: reason.to_string() };
                room.derived.then(Output::Event(event));
            }
            Echoed::Changed { object } => {
                room.derived.then(Output::Event(Event::ObjectChanged { space: room.space, object }));
            }
            Echoed::Reread { object, entries } => room.rereads.push(object, entries),
            Echoed::Judged { feed, number } => super::rereads::judged(room, &feed, number),
            Echoed::Damaged { .. } => room.rederive(),
        }
    }
    any
}

fn answer(room: &mut Room, ask: Ask, result: Result<Answer, Refusal>) {
    room.derived.then(Output::Answer { ask, result });
}

/// What is wrong with an update of a session, for programs.
fn update_code(refusal: &UpdateRefusal) -> &'static str {
    match refusal {
        UpdateRefusal::Clock { .. } => "clock_gap",
        UpdateRefusal::ForeignClient { .. } => "foreign_client",
        UpdateRefusal::NotNeighbours { .. } => "no_neighbours",
        UpdateRefusal::Stranded { .. } => "stranded",
        refusal if refusal.is_malformed() => "malformed_update",
        _ => "acausal",
    }
}

fn update_hint(refusal: &UpdateRefusal) -> &'static str {
    match refusal {
        UpdateRefusal::Block { .. } => {
            "only plain text can be shared, and the Yjs document has to keep what is deleted: `gc: false`"
        }
        UpdateRefusal::ForeignClient { .. } => "send what this document's own session has written, and nothing else",
        _ => "nothing was written; open a new session and begin with a new document",
    }
}

/// ECHO's refusal in the words of commands.
fn refused(refusal: &EditRefusal) -> Refusal {
    let (kind, code, hint) = match refusal {
        EditRefusal::UnknownObject => {
            (RefusalKind::NotFound, "unknown_object", "`weft object list SPACE` lists what is there")
        }
        EditRefusal::Deleted => (RefusalKind::NotFound, "deleted_object", "create another one"),
        EditRefusal::OutOfBounds { .. } => (
            RefusalKind::Refused,
            "out_of_bounds",
            "positions count characters from 0; `weft text show` prints the text",
        ),
        EditRefusal::TooLarge { .. } | EditRefusal::TooManyOps { .. } => {
            (RefusalKind::Refused, "too_large", "split it into several changes; nothing was written")
        }
        EditRefusal::Busy | EditRefusal::Interrupted => {
            (RefusalKind::Failed, "busy", "try again when earlier changes are written")
        }
        EditRefusal::TextMoved => (RefusalKind::Failed, "text_moved", "read the text again, then count anew"),
        EditRefusal::WriteFailed => (RefusalKind::Store, "store_failed", "make room on the disk, then try again"),
        EditRefusal::Damaged => {
            (RefusalKind::Store, "damaged_object", "`weft rebuild` derives it again from the feeds")
        }
        EditRefusal::Update(refusal) => (RefusalKind::Refused, update_code(refusal), update_hint(refusal)),
        EditRefusal::ClientTaken { .. } => {
            (RefusalKind::Refused, "client_taken", "open another session and begin with a new document")
        }
        EditRefusal::Malformed(Malformed::Empty) => {
            (RefusalKind::Refused, "empty_edit", "give something to insert, delete or set")
        }
        EditRefusal::Malformed(Malformed::Value { fault: JsonFault::TooLong { .. }, .. }) => {
            (RefusalKind::Refused, "too_large", "put long text into `body`; nothing was written")
        }
        _ => (RefusalKind::Refused, "refused", "nothing was changed"),
    };
    let message = match refusal {
        EditRefusal::Malformed(Malformed::Empty) => "this would change nothing".to_owned(),
        EditRefusal::TooLarge { .. } => format!("the change does not fit one entry: {refusal}"),
        _ => refusal.to_string(),
    };
    Refusal::new(kind, code, message, hint)
}
