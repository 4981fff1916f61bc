//! What does it cost to know who belongs to a large space, and to change it?
//!
//! - `resolve 10,000 credentials`: everything anew, as at a start or after a removal. Signatures were checked when the entries came.
//! - `one more`: a single entry on top of them: a pre-key, an invitation, a newcomer with both feeds and both lockboxes.
//! - `remove one of 200`: everything from the wish to the signed body, in a space of 200 devices, each of an identity of its own: what the
//!   removal would lead to is resolved, the epoch's seed is sealed to every device and recovery key that stays (398 keys), and the
//!   entry is encoded. Its bytes are printed.
//! - `hear of it`: the same entry read, verified and resolved by somebody else, and its lockbox opened.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use weft_benches::crowd::Crowd;
use weft_space::{ControlEntry, resolve};

/// Devices in the space of which one is removed.
const DEVICES: usize = 200;
const CREDENTIALS: usize = 10_000;

fn resolution(criterion: &mut Criterion) {
    let mut crowd = Crowd::new(4);
    crowd.grow(CREDENTIALS);
    println!("a large space: {:?}", crowd.said());
    let entries: Vec<ControlEntry> = crowd.space().entries().cloned().collect();
    let of = *crowd.space().resolution().space();
    assert!(resolve(&of, &entries) == *crowd.space().resolution());
    let mut group = criterion.benchmark_group("space");
    group.sample_size(20);
    group.bench_function("resolve 10,000 credentials", |bencher| bencher.iter(|| resolve(&of, black_box(&entries))));
    let [invitation, redemption] = crowd.one_newcomer();
    let mut invited = crowd.space().clone();
    invited.insert(vec![invitation.clone()]);
    for (name, before, more) in [
        ("one more: a pre-key", crowd.space(), crowd.one_pre_key()),
        ("one more: an invitation", crowd.space(), invitation),
        ("one more: a newcomer", &invited, redemption),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                || (before.clone(), vec![more.clone()]),
                |(space, more)| space.insert(std::mem::take(more)),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

fn removal(criterion: &mut Criterion) {
    let mut crowd = Crowd::new(1);
    while crowd.space().resolution().members().len() < DEVICES {
        crowd.let_in_one();
    }
    let body = crowd.remove_newest();
    println!("a removal in a space of {DEVICES} devices: {} bytes", body.len());
    crowd.hear_of_removal(&mut crowd.space().clone(), &body);
    let mut group = criterion.benchmark_group("space");
    group.sample_size(20);
    group.bench_function("remove one of 200", |bencher| bencher.iter(|| black_box(crowd.remove_newest())));
    group.bench_function("hear of it", |bencher| {
        bencher.iter_batched_ref(
            || crowd.space().clone(),
            |space| crowd.hear_of_removal(space, &body),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, resolution, removal);
criterion_main!(benches);
