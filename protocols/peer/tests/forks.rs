//! Feeds of which two histories were signed: one is kept, everybody comes to hold it, and nobody else is held up.

use std::time::Duration;

use weft_credential::Role;
use weft_crypto::{DeviceId, FeedId, ObjectId, Purpose, SpaceId};
use weft_echo::{Edit, TextOp};
use weft_peer::{Answer, Command, Event, FeedStatus};

use crate::{
    net::{Net, identity},
    spaces::{create, data_feed, insert, invite, join, level, note, pair, text},
};

/// Alice's space with a note; the others were let in one after another, and nobody is connected.
struct Stage {
    net: Net,
    alice: DeviceId,
    others: Vec<DeviceId>,
    mallory: DeviceId,
    space: SpaceId,
    object: ObjectId,
}

impl Stage {
    fn new(names: &[&'static str], role: Role) -> Stage {
        let mut net = Net::new();
        let alice = net.add("alice");
        let others: Vec<DeviceId> = names.iter().map(|name| net.add(name)).collect();
        let mallory = net.add("mallory");
        let space = create(&mut net, alice);
        let object = note(&mut net, alice, space, "note");
        for (newcomer, role) in others.iter().map(|other| (*other, Role::Writer)).chain([(mallory, role)]) {
            let link = invite(&mut net, alice, space, role);
            join(&mut net, newcomer, link);
        }
        net.advance(Duration::from_secs(5));
        let mut stage = Stage { net, alice, others, mallory, space, object };
        stage.part();
        stage
    }

    /// Everybody is alone.
    fn part(&mut self) {
        self.net.part();
        self.net.run();
    }

    /// These are together until nothing moves any more; who ends a connection is connected again.
    fn meet(&mut self, who: &[DeviceId]) {
        for _ in 0..60 {
            for (place, one) in who.iter().enumerate() {
                who[place + 1..].iter().for_each(|other| self.net.reconnect(*one, *other));
            }
            self.net.advance(Duration::from_secs(1));
        }
    }

    /// Mallory types, and these hear it.
    fn types(&mut self, words: &str, who: &[DeviceId]) {
        let (mallory, space, object) = (self.mallory, self.space, self.object);
        who.iter().for_each(|one| self.net.reconnect(mallory, *one));
        self.net.run();
        insert(&mut self.net, mallory, space, object, 4, words);
        self.net.advance(Duration::from_secs(1));
        self.part();
    }

    fn feed(&mut self, at: DeviceId, feed: FeedId) -> FeedStatus {
        let Answer::Feeds(feeds) = self.net.answer(at, Command::Feeds { space: self.space }).unwrap() else { panic!() };
        feeds.into_iter().find(|status| status.feed == feed).unwrap()
    }

    fn text(&mut self, at: DeviceId) -> String {
        text(&mut self.net, at, self.space, self.object)
    }

    /// All hold and show the same, and are level.
    fn agree(&mut self, who: &[DeviceId], feed: FeedId) -> String {
        let seen: Vec<_> = who.iter().map(|at| (self.feed(*at, feed).root, self.text(*at))).collect();
        for (at, seen_there) in who.iter().zip(&seen) {
            assert_eq!(*seen_there, seen[0]);
            assert!(level(&mut self.net, *at, self.space));
            let node = self.net.node(*at);
            let broken = |event: &&Event| matches!(event, Event::Violated { .. });
            assert_eq!(node.events.iter().find(broken), None, "nobody here is to blame");
        }
        seen[0].1.clone()
    }

    fn refusal(&mut self, at: DeviceId) -> &'static str {
        let ops = vec![TextOp { position: 0, delete: 0, insert: "x".into() }];
        let edit = Edit::Text { object: self.object, ops };
        self.net.answer(at, Command::Edit { space: self.space, edit }).unwrap_err().code
    }

    fn says(&mut self, at: DeviceId, words: &str) -> bool {
        let Answer::Status(status) = self.net.answer(at, Command::Status).unwrap() else { panic!() };
        status.spaces[0].waiting.iter().any(|waiting| waiting.what.contains(words))
    }

    fn replaced(&mut self, at: DeviceId) -> u64 {
        self.net.node(at).store.replaced
    }
}

#[test]
fn a_fork_stops_the_feed_and_undoes_nothing() {
    let mut net = Net::new();
    let (alice, bob, space, object) = pair(&mut net);
    let backup = net.node(bob).store.clone();
    insert(&mut net, bob, space, object, 8, " two");
    net.run();
    net.restore(bob, backup);
    insert(&mut net, bob, space, object, 8, " TWO");
    for _ in 0..30 {
        net.reconnect(alice, bob);
        net.advance(Duration::from_secs(1));
    }
    assert_eq!(text(&mut net, alice, space, object), "note one two");
    assert!(net.node(alice).events.iter().any(|event| matches!(event, Event::Stopped { .. })));
    let Answer::Status(status) = net.answer(alice, Command::Status).unwrap() else { panic!() };
    assert!(status.spaces[0].waiting.iter().any(|waiting| waiting.what.contains("forked")), "{:#?}", status.spaces);
    insert(&mut net, alice, space, object, 0, "> ");
    assert_eq!(text(&mut net, alice, space, object), "> note one two");
    net.advance(Duration::from_secs(5));

    // The device itself takes what is kept, writes nothing more, and says why.
    let refusal = {
        let ops = vec![TextOp { position: 0, delete: 0, insert: "x".into() }];
        net.answer(bob, Command::Edit { space, edit: Edit::Text { object, ops } }).unwrap_err()
    };
    assert_eq!(refusal.code, "feed_stopped");
    assert_eq!(text(&mut net, bob, space, object), "> note one two");
    let Answer::Status(status) = net.answer(bob, Command::Status).unwrap() else { panic!() };
    let said = status.spaces[0].waiting.iter().any(|waiting| waiting.what.contains("this device's own feed"));
    assert!(said, "{:#?}", status.spaces);
    assert!(level(&mut net, alice, space) && level(&mut net, bob, space));
}

/// Mallory shows one history to Bob and another one to Carol, and both write on. When they meet, both learn of it, one history is
/// kept and comes to whoever holds the other, and everybody goes on writing and reads what the others write. Spec: PEER-4.2
#[test]
fn equivocator_does_not_stall_the_space() {
    let mut stage = Stage::new(&["bob", "carol", "dave"], Role::Writer);
    let (alice, mallory, space, object) = (stage.alice, stage.mallory, stage.space, stage.object);
    let [bob, carol, dave] = stage.others[..] else { panic!() };
    let feed = data_feed(&mut stage.net, mallory, space);
    let backup = stage.net.node(mallory).store.clone();
    stage.types(" A", &[bob]);
    insert(&mut stage.net, bob, space, object, 0, "bob ");
    assert_eq!(stage.text(bob), "bob note A");
    stage.net.restore(mallory, backup);
    stage.types(" BB", &[carol]);
    insert(&mut stage.net, carol, space, object, 0, "carol ");
    // Carol writes on what nobody will see: after the last character.
    insert(&mut stage.net, carol, space, object, 13, "...");
    assert_eq!(stage.text(carol), "carol note BB...");

    // Bob was let in first: what he holds is kept.
    stage.meet(&[bob, carol]);
    let text = stage.agree(&[bob, carol], feed);
    assert!(text.contains("bob ") && text.contains("carol ") && text.contains(" A") && !text.contains("BB"), "{text}");
    assert_eq!((stage.replaced(bob), stage.replaced(carol)), (0, 1));
    for at in [bob, carol] {
        assert!(stage.feed(at, feed).stopped.unwrap().contains("it ends with"));
    }
    for (at, text) in [(bob, "!"), (carol, "?")] {
        insert(&mut stage.net, at, space, object, 0, text);
    }
    stage.net.advance(Duration::from_secs(5));
    let text = stage.agree(&[bob, carol], feed);
    assert!(text.contains('!') && text.contains('?'), "{text}");
    for at in [bob, carol] {
        stage.net.restart(at);
    }
    // Who held neither gets the one that is kept, from whoever has it, and so does she who signed them.
    stage.meet(&[alice, bob, carol, dave]);
    stage.meet(&[alice, bob, carol, dave, mallory]);
    let text = stage.agree(&[alice, bob, carol, dave, mallory], feed);
    assert!(text.contains('!') && text.contains('?') && text.contains(" A"), "{text}");
    assert_eq!([alice, bob, dave].map(|at| stage.replaced(at)), [0, 0, 0]);
    assert_eq!(stage.refusal(mallory), "feed_stopped");
    assert!(stage.says(mallory, "this device's own feed"));
    // It is proved once: who begins anew says nothing again.
    let lengths = [bob, carol].map(|at| {
        let Answer::Feeds(feeds) = stage.net.answer(at, Command::Feeds { space }).unwrap() else { panic!() };
        feeds.into_iter().find(|feed| feed.mine && feed.purpose == Purpose::Control).unwrap().length
    });
    assert_eq!(lengths, [1, 1]);
}

/// Mallory, an admin, lets one newcomer in before Bob's eyes and another one before Carol's. Spec: PEER-4.2
#[test]
fn of_a_forked_control_feed_everybody_comes_to_read_the_same() {
    let mut stage = Stage::new(&["bob", "carol"], Role::Admin);
    let (alice, mallory, space) = (stage.alice, stage.mallory, stage.space);
    let [bob, carol] = stage.others[..] else { panic!() };
    let backup = stage.net.node(mallory).store.clone();
    let mut newcomers = Vec::new();
    for (witness, name) in [(bob, "dave"), (carol, "erin")] {
        stage.net.restore(mallory, backup.clone());
        stage.net.connect(mallory, witness);
        let newcomer = stage.net.add(name);
        let link = invite(&mut stage.net, mallory, space, Role::Writer);
        join(&mut stage.net, newcomer, link);
        stage.net.advance(Duration::from_secs(3));
        stage.part();
        newcomers.push(newcomer);
    }
    let members = |stage: &mut Stage, at: DeviceId| -> Vec<_> {
        let Answer::Members(members) = stage.net.answer(at, Command::Members { space }).unwrap() else { panic!() };
        members.into_iter().map(|member| member.identity).collect()
    };
    let [dave, erin] = ["dave", "erin"].map(identity);
    assert!(members(&mut stage, bob).contains(&dave) && members(&mut stage, carol).contains(&erin));
    let Answer::Feeds(feeds) = stage.net.answer(mallory, Command::Feeds { space }).unwrap() else { panic!() };
    let feed = feeds.into_iter().find(|feed| feed.mine && feed.purpose == Purpose::Control).unwrap().feed;

    stage.meet(&[bob, carol]);
    stage.meet(&[alice, bob, carol, newcomers[0]]);
    stage.meet(&[alice, bob, carol, mallory, newcomers[0]]);
    let all = [alice, bob, carol, mallory, newcomers[0]];
    stage.agree(&all, feed);
    for at in all {
        let members = members(&mut stage, at);
        assert!(members.contains(&dave) && !members.contains(&erin), "what is kept says so");
    }
    let (object, dave) = (stage.object, newcomers[0]);
    insert(&mut stage.net, dave, space, object, 0, "dave ");
    stage.net.advance(Duration::from_secs(5));
    assert!(stage.agree(&all, feed).contains("dave "));
}

/// Mallory alone holds the longer of two histories. She compares, and proves nothing against herself; who holds the shorter one is only
/// told that she does not give the rest. Spec: PEER-4, REPLICATION-8.1
#[test]
fn a_longer_history_that_only_its_author_holds_is_found_out() {
    let mut stage = Stage::new(&["bob", "carol"], Role::Writer);
    let (alice, mallory) = (stage.alice, stage.mallory);
    let [bob, carol] = stage.others[..] else { panic!() };
    let feed = data_feed(&mut stage.net, mallory, stage.space);
    let backup = stage.net.node(mallory).store.clone();
    stage.types(" A", &[alice, bob]);
    stage.net.restore(mallory, backup);
    for words in [" B", " C"] {
        stage.types(words, &[]);
    }
    stage.meet(&[bob, mallory]);
    assert_eq!(stage.agree(&[bob, mallory], feed), "note A");
    assert!(stage.feed(bob, feed).stopped.unwrap().contains("it ends with"));
    let all = [alice, bob, carol, mallory];
    stage.meet(&all);
    assert_eq!(stage.agree(&all, feed), "note A");
}

/// Mallory and Eve are both forked. Of Mallory what Bob saw is kept, written on a history of Eve that is lost; of Eve what Alice saw,
/// written on a history of Mallory that is lost. So what is kept of each names as much of the other as has it in its past.
/// Spec: FEED-6.4, PEER-4.3
#[test]
fn two_forks_that_are_kept_from_different_sides_hold_nobody_up() {
    let mut stage = Stage::new(&["bob", "carol", "eve"], Role::Writer);
    let (alice, mallory, space, object) = (stage.alice, stage.mallory, stage.space, stage.object);
    let [bob, carol, eve] = stage.others[..] else { panic!() };
    let feeds = [mallory, eve].map(|at| data_feed(&mut stage.net, at, space));
    for (at, word) in [(mallory, "m"), (eve, "e")] {
        stage.net.reconnect(alice, at);
        stage.net.run();
        insert(&mut stage.net, at, space, object, 4, word);
        stage.net.advance(Duration::from_secs(1));
        stage.part();
    }
    let backups = [mallory, eve].map(|at| stage.net.node(at).store.clone());
    stage.net.connect(mallory, eve);
    for (at, place, words) in [(eve, 4, " lost"), (eve, 4, " lost"), (mallory, 0, "Mallory ")] {
        insert(&mut stage.net, at, space, object, place, words);
        stage.net.advance(Duration::from_secs(1));
    }
    stage.meet(&[bob, mallory, eve]);
    assert_eq!(stage.text(bob), "Mallory note lost lostem");
    stage.part();
    for (at, backup) in [mallory, eve].into_iter().zip(backups) {
        stage.net.restore(at, backup);
    }
    stage.net.connect(mallory, eve);
    for (at, place, words) in [(mallory, 4, " gone"), (mallory, 4, " gone"), (eve, 0, "Eve "), (eve, 0, "and ")] {
        insert(&mut stage.net, at, space, object, place, words);
        stage.net.advance(Duration::from_secs(1));
    }
    stage.meet(&[carol, mallory, eve]);
    assert_eq!(stage.text(carol), "and Eve note gone goneem");
    stage.part();
    // Alice is given what Eve wrote, and nothing that Mallory did.
    stage.net.restart_without(eve, feeds[0], feeds[1]);
    stage.meet(&[alice, eve]);
    assert_eq!(stage.text(alice), "noteem", "it waits");
    stage.part();

    stage.meet(&[alice, bob]);
    stage.meet(&[alice, bob, carol]);
    let all = [alice, bob, carol];
    for at in all {
        insert(&mut stage.net, at, space, object, 0, "> ");
    }
    stage.net.advance(Duration::from_secs(5));
    for turn in ["at once", "after a restart"] {
        for feed in feeds {
            let text = stage.agree(&all, feed);
            let of = |words: &str| text.matches(words).count();
            assert_eq!(["> ", "Mallory ", "and Eve ", "note"].map(of), [3, 1, 1, 1], "{turn}: {text}");
            assert_eq!(["lost", "gone"].map(of), [0, 0], "{turn}: {text}");
        }
        all.iter().for_each(|at| stage.net.restart(*at));
        stage.meet(&all);
    }
}

/// Carol's word goes before Dave's, and Alice's before both. Spec: PEER-4.2
#[test]
fn a_higher_witness_turns_everybody_back() {
    let mut stage = Stage::new(&["carol", "dave"], Role::Writer);
    let (alice, mallory) = (stage.alice, stage.mallory);
    let [carol, dave] = stage.others[..] else { panic!() };
    let feed = data_feed(&mut stage.net, mallory, stage.space);
    let backup = stage.net.node(mallory).store.clone();
    stage.types(" A", &[carol]);
    stage.net.restore(mallory, backup);
    stage.types(" BB", &[alice, dave]);

    stage.meet(&[carol, dave]);
    assert_eq!(stage.agree(&[carol, dave], feed), "note A");
    assert_eq!((stage.replaced(carol), stage.replaced(dave)), (0, 1));
    stage.meet(&[alice, carol, dave]);
    assert_eq!(stage.agree(&[alice, carol, dave], feed), "note BB");
    assert_eq!([alice, carol, dave].map(|at| stage.replaced(at)), [0, 1, 2]);
}

/// Alice holds nothing of it until she meets both histories at once; whatever she gets first, all end with one. Spec: PEER-4.2
#[test]
fn whichever_history_comes_first_to_whom_all_end_with_the_same() {
    for role in [Role::Writer, Role::Admin] {
        let mut stage = Stage::new(&["bob", "carol", "dave"], role);
        let (alice, mallory, space) = (stage.alice, stage.mallory, stage.space);
        let [bob, carol, dave] = stage.others[..] else { panic!() };
        let of = if role == Role::Admin { Purpose::Control } else { Purpose::Data };
        let Answer::Feeds(feeds) = stage.net.answer(mallory, Command::Feeds { space }).unwrap() else { panic!() };
        let feed = feeds.into_iter().find(|feed| feed.mine && feed.purpose == of).unwrap().feed;
        let backup = stage.net.node(mallory).store.clone();
        for (words, witness) in [(" A", bob), (" BB", carol)] {
            stage.net.restore(mallory, backup.clone());
            if role == Role::Admin {
                stage.net.connect(mallory, witness);
                invite(&mut stage.net, mallory, space, Role::Writer);
                stage.net.advance(Duration::from_secs(1));
                stage.part();
            } else {
                stage.types(words, &[witness]);
            }
        }
        let all = [alice, bob, carol, dave, mallory];
        stage.meet(&all);
        stage.agree(&all, feed);
    }
}

/// What is kept ends where the witness saw it end. Spec: SPACE-16.3, PEER-4.2
#[test]
fn who_holds_more_than_is_kept_is_taken_back() {
    let mut stage = Stage::new(&["bob", "carol", "dave"], Role::Writer);
    let mallory = stage.mallory;
    let [bob, carol, dave] = stage.others[..] else { panic!() };
    let feed = data_feed(&mut stage.net, mallory, stage.space);
    let backup = stage.net.node(mallory).store.clone();
    stage.types(" A", &[bob, dave]);
    stage.types(" more", &[dave]);
    stage.net.restore(mallory, backup);
    stage.types(" BB", &[carol]);
    assert_eq!(stage.text(dave), "note more A");

    stage.meet(&[bob, carol]);
    stage.meet(&[bob, carol, dave]);
    assert_eq!(stage.agree(&[bob, carol, dave], feed), "note A");
    assert_eq!([bob, carol, dave].map(|at| stage.replaced(at)), [0, 1, 1]);
}

/// A node that dies at any write on its way comes to the same. Spec: PEER-4.2
#[test]
fn a_crash_anywhere_on_the_way_leaves_one_history_or_the_other() {
    for (role, control) in [(Role::Writer, false), (Role::Admin, true)] {
        for nth in 1.. {
            let mut stage = Stage::new(&["bob", "carol"], role);
            let (mallory, space) = (stage.mallory, stage.space);
            let [bob, carol] = stage.others[..] else { panic!() };
            let Answer::Feeds(feeds) = stage.net.answer(mallory, Command::Feeds { space }).unwrap() else { panic!() };
            let of = if control { Purpose::Control } else { Purpose::Data };
            let feed = feeds.into_iter().find(|feed| feed.mine && feed.purpose == of).unwrap().feed;
            let backup = stage.net.node(mallory).store.clone();
            for (words, witness) in [(" A", bob), (" BB", carol)] {
                stage.net.restore(mallory, backup.clone());
                if control {
                    stage.net.connect(mallory, witness);
                    invite(&mut stage.net, mallory, space, Role::Writer);
                    stage.net.advance(Duration::from_secs(1));
                    stage.part();
                } else {
                    stage.types(words, &[witness]);
                }
            }
            stage.net.dies_at_write(carol, nth);
            stage.meet(&[bob, carol]);
            stage.meet(&[bob, carol]);
            let text = stage.agree(&[bob, carol], feed);
            assert_eq!(text, if control { "note" } else { "note A" }, "at write {nth}");
            if !stage.net.has_died(carol) {
                assert!(nth > 3, "there is something to die at");
                break;
            }
        }
    }
}
