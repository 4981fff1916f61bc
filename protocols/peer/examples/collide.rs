//! Finds two feeds of one device whose session 0 has one Yjs client id: what a founder who attacks would do (ECHO-1.2, SPACE-8.2).
//!
//! The space is always the same, so whoever runs this again finds a pair that fits what `specs/vectors/echo/collision.json`
//! says. Of a feed only the generation is varied. 53 bits collide after some 2^27 hashes; they are not kept: chains of hashes are walked
//! until one ends in a number with [`ZEROS`] low zeros, and two chains that end alike met somewhere (van Oorschot and Wiener).
//! It takes some hundred kilobytes and a minute or a few of one core:
//!
//! ```sh
//! nice -n 19 cargo run --release -p weft-peer --example collide > specs/vectors/echo/collision.json
//! ```

use std::collections::BTreeMap;

use weft_credential::{History, RootStatements};
use weft_crypto::{DeviceKey, FeedSecret, Manifest, Phrase, Purpose, SpaceId};
use weft_machine::Seed;
use weft_space::compose::{self, Actor, Founded};

/// Low zero bits of the number that ends a chain. 18: some 450 chains of 2^18 hashes.
const ZEROS: u32 = 18;
/// A chain this long runs in a circle.
const STEPS_MAX: u64 = 40 << ZEROS;

/// What the founder's phrase is made of.
const ENTROPY: [u8; 32] = [0x0e; 32];

const COMMENT: &str = "two data feeds of the founder's device whose session 0 has one client id; found by protocols/peer/examples/collide.rs";

/// The one space in which the pair collides, and who founded it.
struct Founder {
    device: DeviceKey,
    feed: FeedSecret,
    founded: Founded,
}

impl Founder {
    fn new() -> Founder {
        let device = DeviceKey::from_seed([0x0d; 32]);
        let phrase = Phrase::from_entropy(ENTROPY);
        let recovery = phrase.recovery_key().id();
        let root = phrase.root_key();
        let statements = RootStatements::at_init(&root, &phrase.next_root_key().id(), device.id(), recovery);
        let (identity, chain) = (root.id(), Default::default());
        let actor = Actor { device: &device, identity, statements: &statements, chain: &chain, recovery };
        let mut draws = Seed::from_bytes([0x0f; 32]).draws();
        let founded = compose::found(&actor, History::All, b"collision", &mut draws);
        let founded = founded.expect("the phrase's recovery key can be sealed to");
        Founder { feed: FeedSecret::from_seed([0x10; 32]), device, founded }
    }

    fn space(&self) -> SpaceId {
        self.founded.space
    }

    fn manifest(&self, generation: u64) -> Manifest {
        Manifest {
            version: Manifest::VERSION,
            space: self.space(),
            device: self.device.id(),
            feed_key: self.feed.id(),
            purpose: Purpose::Data,
            generation,
        }
    }

    /// From a generation to the client id of that feed's session 0, which is a generation again.
    fn step(&self, generation: u64) -> u64 {
        weft_echo::client_id(&self.space(), &self.manifest(generation).id(), 0)
    }

    /// Where a chain ends, and after how many steps; none when it runs in a circle.
    fn walk(&self, start: u64) -> Option<(u64, u64)> {
        let mut at = start;
        for steps in 1..STEPS_MAX {
            at = self.step(at);
            if at.trailing_zeros() >= ZEROS {
                return Some((at, steps));
            }
        }
        None
    }

    /// The two generations before two chains meet; none when one chain is the end of the other.
    fn meeting(&self, longer: (u64, u64), shorter: (u64, u64)) -> Option<[u64; 2]> {
        let mut one = (0..longer.1 - shorter.1).fold(longer.0, |at, _| self.step(at));
        let mut other = shorter.0;
        if one == other {
            return None;
        }
        loop {
            let next = [self.step(one), self.step(other)];
            if next[0] == next[1] {
                return Some([one, other]);
            }
            [one, other] = next;
        }
    }
}

fn main() {
    let founder = Founder::new();
    let mut ends: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    let mut hashes = 0;
    let generations = 'found: {
        for start in 1.. {
            let Some((end, steps)) = founder.walk(start) else { continue };
            hashes += steps;
            let chain = (start, steps);
            let Some(other) = ends.insert(end, chain) else { continue };
            let (longer, shorter) = if chain.1 < other.1 { (other, chain) } else { (chain, other) };
            if let Some(met) = founder.meeting(longer, shorter) {
                break 'found met;
            }
        }
        unreachable!("there are more starts than hashes");
    };
    eprintln!("{hashes} hashes in {} chains", ends.len());
    print(&founder, generations);
}

fn print(founder: &Founder, generations: [u64; 2]) {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let keys = &founder.founded.keys;
    let feeds = generations.map(|generation| {
        let feed = hex(founder.manifest(generation).id().as_bytes());
        format!("    {{\n      \"feed\": \"{feed}\",\n      \"generation\": \"{generation}\"\n    }}")
    });
    let quoted = |text: String| format!("\"{text}\"");
    let fields = [
        ("client", quoted(founder.step(generations[0]).to_string())),
        ("comment", quoted(COMMENT.to_owned())),
        ("control_seed", quoted(hex(&*keys.control.seed()))),
        ("data_seed", quoted(hex(&*keys.data.seed()))),
        ("device_seed", quoted(hex(&*founder.device.seed()))),
        ("feed_seed", quoted(hex(&*founder.feed.seed()))),
        ("feeds", format!("[\n{}\n  ]", feeds.join(",\n"))),
        ("genesis", quoted(hex(&founder.founded.body))),
        ("phrase_entropy", quoted(hex(&ENTROPY))),
        ("pre_key_seed", quoted(hex(&*keys.pre_key.seed()))),
        ("space", quoted(hex(founder.space().as_bytes()))),
    ];
    let lines = fields.map(|(name, value)| format!("  \"{name}\": {value}"));
    println!("{{\n{}\n}}", lines.join(",\n"));
}
