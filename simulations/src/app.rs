//! What the application above one peer does: it founds or joins the space, then takes a step now and then, and remembers what it
//! asked. It knows only what a real application knows: what its peer answered, and what can be read.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use weft_credential::Role;
use weft_crypto::{IdentityId, ObjectId, SpaceId};
use weft_echo::{Edit, Register, TextOp};
use weft_invitation::Link;
use weft_machine::Time;
use weft_peer::{Answer, Ask, Command, NewLink, Refusal, Terms, command::Act};

use crate::{
    acts::{self, Deed},
    dice::Dice,
    ledger::{Appended, Done, Ledger, Typed},
    network::Host,
    scenario::{Part, Work},
    store::Content,
    visible,
};

/// The type of the objects that applications make.
const PAGE: &str = "page";
/// How long an invitation holds: a day of virtual time.
const INVITATION_MS: u64 = 24 * 3_600 * 1_000;
/// No command may take longer, in milliseconds; then somebody forgot to answer.
const ANSWER_MS_MAX: u64 = 60_000;

/// What a host says of a link that was used.
const USED_UP: &str = "used_invitation";
/// What a host says to who was removed, whatever its link.
const TURNED_AWAY: &str = "denied";

/// How far an application has come.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// It has to found the space.
    Founding,
    /// It waits for a link.
    Uninvited,
    /// It has a link and is no member yet.
    Invited(String),
    /// It works in the space.
    Member(SpaceId),
    /// It was removed before it heard that it was let in.
    TurnedAway,
    /// It belongs to nothing and does nothing.
    Idle,
}

/// What an open command will have done when it is answered.
#[derive(Clone, Debug)]
enum Intent {
    Look,
    Found,
    Invite(Host, Part),
    Join,
    Append(Vec<Bytes>),
    Create,
    Set(ObjectId, String, String),
    Type(ObjectId, char),
    Delete,
    Act(acts::Act),
}

/// What an application wants of another one, as people tell each other.
#[derive(Debug)]
pub enum Errand {
    /// Here is a link.
    Hand(Host, String),
    /// Its link is used up and it did not get in: it asks for another one.
    Ask(Part),
}

/// One application.
#[derive(Debug)]
pub struct App {
    host: Host,
    part: Part,
    stage: Stage,
    dice: Dice,
    /// The command that is open, since when, and what for.
    open: Option<(Ask, Time, Intent)>,
    /// Whether it was cut off, and has to see where it stands.
    lost: bool,
    /// Those the founder has to invite.
    uninvited: Vec<(Host, Part)>,
    /// What it is to do to others.
    duties: VecDeque<(acts::Act, IdentityId)>,
    counter: u64,
    typed: u64,
    answers: BTreeMap<Ask, Option<Result<Answer, Refusal>>>,
}

impl App {
    /// The application above a host. The founder knows whom to invite.
    #[must_use]
    pub fn new(host: Host, part: Part, uninvited: Vec<(Host, Part)>, dice: Dice) -> App {
        let stage = match part {
            Part::Writer if host == 0 => Stage::Founding,
            Part::Writer | Part::Admin | Part::Colluder | Part::Reader => Stage::Uninvited,
            Part::Stranger | Part::Intruder => Stage::Idle,
        };
        App {
            host,
            part,
            stage,
            dice,
            open: None,
            lost: false,
            uninvited,
            duties: VecDeque::new(),
            counter: 0,
            typed: 0,
            answers: BTreeMap::new(),
        }
    }

    /// The space, once it is a member of it.
    #[must_use]
    pub fn space(&self) -> Option<SpaceId> {
        match self.stage {
            Stage::Member(space) => Some(space),
            _ => None,
        }
    }

    /// Whether it is where it wanted to be, and nothing is open.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        matches!(self.stage, Stage::Member(_) | Stage::TurnedAway | Stage::Idle)
            && self.open.is_none()
            && self.uninvited.is_empty()
    }

    /// Whether it was told that it does not get in any more.
    #[must_use]
    pub fn is_turned_away(&self) -> bool {
        self.stage == Stage::TurnedAway
    }

    /// Somebody handed it a link.
    pub fn take_link(&mut self, link: String) {
        if self.stage == Stage::Uninvited {
            self.stage = Stage::Invited(link);
        }
    }

    /// Somebody asks for a link.
    pub fn take_asking(&mut self, host: Host, part: Part) {
        self.uninvited.push((host, part));
    }

    /// It is to do something to a member.
    pub fn take_duty(&mut self, act: acts::Act, to: IdentityId) {
        self.duties.push_back((act, to));
    }

    /// Its peer died, and with it what was open.
    pub fn cut_off(&mut self, ledger: &mut Ledger) {
        match self.open.take() {
            Some((_, _, Intent::Invite(host, part))) => self.uninvited.push((host, part)),
            Some((_, _, Intent::Act(act))) => ledger.acts.push(Done { act, answered: None }),
            _ => {}
        }
        self.lost = self.stage != Stage::Idle;
    }

    /// A name for a question that somebody else puts to its peer.
    pub fn question(&mut self) -> Ask {
        self.counter += 1;
        self.answers.insert(Ask(self.counter), None);
        Ask(self.counter)
    }

    /// The answer to such a question, once it is there.
    pub fn take_answer(&mut self, ask: Ask) -> Option<Result<Answer, Refusal>> {
        self.answers.get_mut(&ask)?.take().inspect(|_| drop(self.answers.remove(&ask)))
    }

    /// When the next step is due.
    pub fn rest(&mut self, now: Time, work: &Work) -> Time {
        now + self.dice.millis(work.step_ms)
    }

    /// Takes a step. `working` says whether it may still begin new work; `clock_ms` is its wall clock.
    pub fn step(
        &mut self,
        now: Time,
        clock_ms: u64,
        working: bool,
        work: &Work,
        content: &Content,
        ledger: &mut Ledger,
    ) -> Option<(Ask, Command)> {
        if let Some((ask, since, intent)) = &self.open {
            if now.saturating_since(*since).as_millis() > u128::from(ANSWER_MS_MAX) {
                ledger.oddities.push(format!("host {} had no answer to {ask:?} {intent:?} since {since}", self.host));
                self.open = None;
            }
            return None;
        }
        if self.lost {
            return Some(self.ask(now, Intent::Look, Command::Status));
        }
        match self.stage.clone() {
            Stage::Founding => Some(self.ask(now, Intent::Found, Command::CreateSpace { name: "commons".into() })),
            Stage::Invited(link) => match Link::parse(&link) {
                Ok(link) => Some(self.ask(now, Intent::Join, Command::Join { link })),
                Err(error) => {
                    ledger.oddities.push(format!("host {} was given a link that is none: {error}", self.host));
                    self.stage = Stage::Idle;
                    None
                }
            },
            Stage::Member(space) => {
                if let Some((host, part)) = self.uninvited.pop() {
                    return Some(self.ask(now, Intent::Invite(host, part), invite(space, self.host, part, clock_ms)));
                }
                if !working {
                    self.duties.clear();
                }
                if let Some((act, identity)) = self.duties.pop_front() {
                    let act_there = match act.deed {
                        Deed::Remove => Act::RemoveMember { identity, propose: false },
                        Deed::Role(role) => Act::SetRole { identity, role, propose: false },
                    };
                    return Some(self.ask(now, Intent::Act(act), Command::Act { space, act: act_there }));
                }
                let (intent, command) = working.then(|| self.work(space, work, content, ledger)).flatten()?;
                Some(self.ask(now, intent, command))
            }
            Stage::Uninvited | Stage::TurnedAway | Stage::Idle => None,
        }
    }

    fn ask(&mut self, now: Time, intent: Intent, command: Command) -> (Ask, Command) {
        self.counter += 1;
        let ask = Ask(self.counter);
        self.open = Some((ask, now, intent));
        (ask, command)
    }

    fn work(
        &mut self,
        space: SpaceId,
        work: &Work,
        content: &Content,
        ledger: &mut Ledger,
    ) -> Option<(Intent, Command)> {
        #[derive(Clone, Copy)]
        enum Step {
            Append,
            Create,
            Set,
            Insert,
            Delete,
        }
        let step = self.dice.weighted(&[
            (work.append, Step::Append),
            (work.create, Step::Create),
            (work.set, Step::Set),
            (work.insert, Step::Insert),
            (work.delete, Step::Delete),
        ])?;
        if let Step::Append = step {
            let records: Vec<Bytes> = (0..self.dice.between(work.records)).map(|_| self.record(work)).collect();
            return Some((Intent::Append(records.clone()), Command::Append { space, records }));
        }
        let objects = visible::of_type(content, space, PAGE);
        let place = self.dice.place(objects.len()).filter(|_| !matches!(step, Step::Create));
        let Some(object) = place.map(|place| objects[place]) else {
            let registers = vec![register("by", &format!("{}", self.host))];
            let edit = Edit::Create { type_name: PAGE.into(), registers, text: Some(String::new()) };
            return Some((Intent::Create, Command::Edit { space, edit }));
        };
        let length = visible::length(content, space, object);
        let (intent, edit) = match step {
            Step::Set => {
                self.counter += 1;
                let (name, value) = (format!("p{}-{}", self.host, self.counter), format!("{}", self.counter));
                let edit = Edit::Set { object, registers: vec![register(&name, &value)] };
                (Intent::Set(object, name, value), edit)
            }
            Step::Delete if length > 0 => {
                *ledger.deletions.entry(object).or_default() += 1;
                let op = TextOp { position: self.dice.between([0, length - 1]), delete: 1, insert: String::new() };
                (Intent::Delete, Edit::Text { object, ops: vec![op] })
            }
            _ => {
                let character = self.character();
                let op = TextOp { position: self.dice.between([0, length]), delete: 0, insert: character.into() };
                (Intent::Type(object, character), Edit::Text { object, ops: vec![op] })
            }
        };
        Some((intent, Command::Edit { space, edit }))
    }

    /// A record like no other: its author, its number, and filling.
    fn record(&mut self, work: &Work) -> Bytes {
        self.counter += 1;
        let length = usize::try_from(self.dice.between(work.record_bytes)).unwrap_or(usize::MAX);
        let mut record = Vec::with_capacity(length);
        record.extend((self.host as u64).to_le_bytes());
        record.extend(self.counter.to_le_bytes());
        record.resize(length, 0x2e);
        record.into()
    }

    /// A character that is rarely typed twice: from a private use plane, 512 for each host, so that it also takes two UTF-16 units.
    fn character(&mut self) -> char {
        self.typed += 1;
        let number = (self.host as u64 % 128) * 512 + self.typed % 512;
        u32::try_from(number).ok().and_then(|number| char::from_u32(0xF_0000 + number)).unwrap_or('?')
    }

    /// Hears what came of a command, and says what it wants of others then.
    pub fn answered(
        &mut self,
        now: Time,
        ask: Ask,
        result: Result<Answer, Refusal>,
        ledger: &mut Ledger,
    ) -> Option<Errand> {
        if let Some(waiting) = self.answers.get_mut(&ask) {
            *waiting = Some(result);
            return None;
        }
        let Some((_, asked, intent)) = self.open.take_if(|(open, _, _)| *open == ask) else {
            ledger.oddities.push(format!("host {} got an answer to {ask:?}, which was not open", self.host));
            return None;
        };
        if let Intent::Act(act) = intent {
            ledger.acts.push(Done { act, answered: Some((now, result.is_ok())) });
        }
        let answer = match result {
            Ok(answer) => answer,
            Err(refusal) => {
                *ledger.refusals.entry(refusal.code).or_default() += 1;
                match intent {
                    Intent::Invite(host, part) => self.uninvited.push((host, part)),
                    // Who let it in could not any more, as it turned out, and its link was good once.
                    Intent::Join if refusal.code == USED_UP => {
                        self.stage = Stage::Uninvited;
                        return Some(Errand::Ask(self.part));
                    }
                    Intent::Join if refusal.code == TURNED_AWAY => self.stage = Stage::TurnedAway,
                    _ => {}
                }
                return None;
            }
        };
        let writes =
            matches!(intent, Intent::Append(_) | Intent::Create | Intent::Set(..) | Intent::Type(..) | Intent::Delete);
        if writes && !self.part.writes() && !ledger.is_acted_on(self.host) {
            ledger.unauthorised.push(self.host);
        }
        match (intent, answer) {
            (Intent::Look, Answer::Status(status)) => {
                self.lost = false;
                let mine = status.spaces.iter().find(|space| space.role.is_some());
                if let (Some(mine), Stage::Founding | Stage::Invited(_)) = (mine, &self.stage) {
                    self.stage = Stage::Member(mine.space);
                } else if let (None, Stage::Member(space)) = (mine, &self.stage)
                    && !ledger.is_acted_on(self.host)
                {
                    ledger
                        .oddities
                        .push(format!("host {} was a member of {space} and is none after a crash", self.host));
                }
            }
            (Intent::Found, Answer::SpaceCreated { space }) => self.stage = Stage::Member(space),
            (Intent::Invite(host, _), Answer::Invited { link, .. }) => return Some(Errand::Hand(host, link)),
            (Intent::Join, Answer::Joined { space, role, .. }) => {
                if role != role_of(self.part) && !ledger.is_acted_on(self.host) {
                    ledger
                        .oddities
                        .push(format!("host {} was invited as {:?} and joined as {role:?}", self.host, self.part));
                }
                self.stage = Stage::Member(space);
            }
            (Intent::Append(records), Answer::Appended { feed, from, count }) => {
                if count != records.len() as u64 {
                    ledger.oddities.push(format!(
                        "host {}: {} records, {count} acknowledged",
                        self.host,
                        records.len()
                    ));
                }
                ledger.appended.push(Appended { asked, host: self.host, feed, from, records });
            }
            (Intent::Create, Answer::Edited { object, .. }) => ledger.created.push((self.host, object)),
            (Intent::Set(object, name, value), Answer::Edited { .. }) => {
                ledger.set.push((self.host, object, name, value))
            }
            (Intent::Type(object, character), Answer::Edited { .. }) => {
                ledger.typed.push(Typed { asked, host: self.host, object, character });
            }
            (Intent::Delete, Answer::Edited { .. }) | (Intent::Act(_), Answer::Acted(_)) => {}
            (intent, answer) => {
                ledger.oddities.push(format!("host {} asked to {intent:?} and was answered {answer:?}", self.host));
            }
        }
        None
    }
}

fn role_of(part: Part) -> Role {
    match part {
        Part::Reader => Role::Reader,
        Part::Admin => Role::Admin,
        _ => Role::Writer,
    }
}

fn invite(space: SpaceId, host: Host, part: Part, clock_ms: u64) -> Command {
    Command::Invite(NewLink {
        space,
        terms: Terms::once(role_of(part), clock_ms + INVITATION_MS),
        addresses: vec![format!("/memory/{host}")],
        places: Vec::new(),
        space_name: "commons".into(),
        inviter_name: "the founder".into(),
    })
}

fn register(name: &str, value: &str) -> Register {
    Register { name: name.into(), value: Bytes::from(format!("\"{value}\"")) }
}
