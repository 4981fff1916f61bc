//! What differs between two texts, and how two changes of one text come together.
//!
//! A text that comes from outside (a file, an editor) says what the text is to be, not what was done to it. What others write at
//! the same time survives only where nothing is replaced, so the difference is made small: by lines first, then by words
//! within the lines that differ, then without the letters that words have in common.

use std::{collections::BTreeMap, ops::Range};

use imara_diff::{Algorithm, Diff, Hunk, InternedInput};
use weft_echo::TextOp;

/// How many operations one entry may hold: the bound of `weft_echo` ([`weft_echo::Config::ops_max`]).
const ENTRY_OPERATIONS_MAX: usize = 64;
/// How many bytes one entry may insert. 256 KiB, as for first texts (ECHO-7.4): a quarter of what an entry holds.
const ENTRY_INSERTED_BYTES_MAX: usize = 256 << 10;
/// How many characters one entry may delete. 64 Ki: in a text where every character is another session's, each costs up to ten bytes,
/// which still fits.
const ENTRY_DELETED_MAX: u64 = 64 << 10;

/// How many changes a difference has at most, but for those that lie far apart. 1,024: finding a place in a text takes the longer
/// the more pieces it has.
const CHANGES_MAX: usize = 1_024;
/// Over how much that is the same changes are joined when they are too many, in bytes. 4 KiB: a guess at what may be written again.
const JOINED_OVER_BYTES_MAX: usize = 4 << 10;

/// How much of a text is compared word by word, in bytes of both sides. 32 KiB: comparing takes up to the square of it.
const WORDS_BYTES_MAX: usize = 32 << 10;
/// From how many lines on they are compared by Myers' way, which cuts its search short, and not by histogram, which reads better and
/// takes up to the square of it.
const HISTOGRAM_LINES_MAX: usize = 8 << 10;

/// A range of bytes of a text, and what comes in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change<'a> {
    old: Range<usize>,
    new: &'a str,
}

/// The operations that make `wanted` of `now`, each counted in the text as those before it left it; none if they are equal.
pub(crate) fn operations(now: &str, wanted: &str) -> Vec<TextOp> {
    let mut operations = Vec::new();
    // How far the text is walked, in bytes of `now` and in characters of what has become of it.
    let (mut walked, mut position) = (0, 0);
    let changes = fewer(joined(changes(now, wanted), now, wanted), now, wanted);
    for Change { old, new } in trimmed(changes, now) {
        position += count(&now[walked..old.start]);
        operations.push(TextOp { position, delete: count(&now[old.clone()]), insert: new.to_owned() });
        position += count(new);
        walked = old.end;
    }
    operations
}

/// Cuts operations into groups that each fit one entry, in sequence.
pub(crate) fn entries(operations: Vec<TextOp>) -> Vec<Vec<TextOp>> {
    let mut entries: Vec<Vec<TextOp>> = Vec::new();
    let (mut inserted, mut deleted) = (0, 0);
    for piece in operations.into_iter().flat_map(pieces) {
        inserted += piece.insert.len();
        deleted += piece.delete;
        let fits = |entry: &&mut Vec<TextOp>| {
            entry.len() < ENTRY_OPERATIONS_MAX && inserted <= ENTRY_INSERTED_BYTES_MAX && deleted <= ENTRY_DELETED_MAX
        };
        match entries.last_mut().filter(fits) {
            Some(entry) => entry.push(piece),
            None => {
                (inserted, deleted) = (piece.insert.len(), piece.delete);
                entries.push(vec![piece]);
            }
        }
    }
    entries
}

/// What operations on `text` leave of it. They lie within it, and each begins where the one before it ended or later, as
/// those of [`operations`] do.
pub(crate) fn after<'a>(text: &str, operations: impl IntoIterator<Item = &'a TextOp>) -> String {
    let mut rest = text.chars();
    let (mut left, mut position) = (String::with_capacity(text.len()), 0);
    for TextOp { position: at, delete, insert } in operations {
        left.extend(rest.by_ref().take(usize::try_from(at - position).unwrap_or(usize::MAX)));
        rest.by_ref().take(usize::try_from(*delete).unwrap_or(usize::MAX)).for_each(drop);
        left.push_str(insert);
        position = at + count(insert);
    }
    left.push_str(rest.as_str());
    left
}

/// What becomes of `base` when one side made `theirs` of it and the other `mine`: everything that either inserted, without what
/// either deleted. A change that both made is made once.
pub(crate) fn merge(base: &str, theirs: &str, mine: &str) -> String {
    if base == theirs || theirs == mine {
        return mine.to_owned();
    }
    let [theirs, mut mine] = [theirs, mine].map(|made| trimmed(changes(base, made), base));
    mine.retain(|change| !theirs.contains(change));
    let mut inserted: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    let mut deleted = Vec::new();
    for Change { old, new } in theirs.into_iter().chain(mine) {
        inserted.entry(old.start).or_default().push(new);
        deleted.push(old);
    }
    deleted.sort_by_key(|range| range.start);
    let mut merged = String::with_capacity(base.len());
    let mut deleted = deleted.into_iter().peekable();
    let mut walked = 0;
    let mut walk_to = |end: usize, merged: &mut String| {
        while let Some(gone) = deleted.next_if(|gone| gone.start < end) {
            merged.push_str(&base[walked..gone.start.max(walked)]);
            walked = walked.max(gone.end);
        }
        if walked < end {
            merged.push_str(&base[walked..end]);
            walked = end;
        }
    };
    for (at, texts) in inserted {
        walk_to(at, &mut merged);
        merged.extend(texts);
    }
    walk_to(base.len(), &mut merged);
    merged
}

/// The changes that make `new` of `old`, in order, apart from each other.
fn changes<'a>(old: &str, new: &'a str) -> Vec<Change<'a>> {
    let (old_lines, new_lines) = (offsets(lines(old)), offsets(lines(new)));
    let mut input = InternedInput::default();
    input.update_before(lines(old));
    input.update_after(lines(new));
    let is_short = input.before.len() + input.after.len() <= HISTOGRAM_LINES_MAX;
    let mut by_lines = Diff::compute(if is_short { Algorithm::Histogram } else { Algorithm::Myers }, &input);
    by_lines.postprocess_lines(&input);
    let mut changes = Vec::new();
    for Hunk { before, after } in by_lines.hunks() {
        let (old_range, new_range) = (bytes(&old_lines, &before), bytes(&new_lines, &after));
        let is_long = old_range.len() + new_range.len() > WORDS_BYTES_MAX;
        if is_long && before.len() == after.len() {
            // As many lines as before: each was changed where it is.
            for (before, after) in before.zip(after) {
                let (before, after) = (before..before + 1, after..after + 1);
                by_words(old, bytes(&old_lines, &before), new, bytes(&new_lines, &after), &mut changes);
            }
        } else {
            by_words(old, old_range, new, new_range, &mut changes);
        }
    }
    changes
}

/// The changes within two ranges that differ.
fn by_words<'a>(old: &str, before: Range<usize>, new: &'a str, after: Range<usize>, into: &mut Vec<Change<'a>>) {
    if before.is_empty() || after.is_empty() || before.len() + after.len() > WORDS_BYTES_MAX {
        into.push(Change { old: before, new: &new[after] });
        return;
    }
    let (old_words, new_words) = (offsets(words(&old[before.clone()])), offsets(words(&new[after.clone()])));
    let mut input = InternedInput::default();
    input.update_before(words(&old[before.clone()]));
    input.update_after(words(&new[after.clone()]));
    let mut by_words = Diff::compute(Algorithm::Histogram, &input);
    by_words.postprocess_no_heuristic(&input);
    for hunk in by_words.hunks() {
        let old_range = shifted(bytes(&old_words, &hunk.before), before.start);
        let new_range = shifted(bytes(&new_words, &hunk.after), after.start);
        into.push(Change { old: old_range, new: &new[new_range] });
    }
}

/// Changes without the letters that both sides begin and end with.
fn trimmed<'a>(changes: Vec<Change<'a>>, old: &str) -> Vec<Change<'a>> {
    let shared = |pairs: &mut dyn Iterator<Item = (char, char)>| -> usize {
        pairs.take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum()
    };
    let trim = |Change { old: range, new }: Change<'a>| {
        let was = &old[range.clone()];
        let start = shared(&mut was.chars().zip(new.chars()));
        let end = shared(&mut was[start..].chars().rev().zip(new[start..].chars().rev()));
        Change { old: range.start + start..range.end - end, new: &new[start..new.len() - end] }
    };
    changes.into_iter().map(trim).filter(|change| !change.old.is_empty() || !change.new.is_empty()).collect()
}

/// Joins replacements with nothing but a blank or a mark between them: words of a sentence that was written anew belong
/// together, and a blank that both sentences have is no common part.
fn joined<'a>(changes: Vec<Change<'a>>, old: &str, new: &'a str) -> Vec<Change<'a>> {
    let replaces = |change: &Change<'_>| !change.old.is_empty() && !change.new.is_empty();
    let is_thin = |kept: &str| kept.len() == 1 && !kept.contains(|c: char| c.is_alphanumeric() || c == '\n');
    join(changes, old, new, |last, kept, next| is_thin(kept) && replaces(last) && replaces(next))
}

/// Joins neighbours where there are so many changes that each cannot be one of its own.
fn fewer<'a>(changes: Vec<Change<'a>>, old: &str, new: &'a str) -> Vec<Change<'a>> {
    let group = changes.len().div_ceil(CHANGES_MAX);
    let mut size = 1;
    join(changes, old, new, |_, kept, _| {
        let joins = size < group && kept.len() <= JOINED_OVER_BYTES_MAX;
        size = if joins { size + 1 } else { 1 };
        joins
    })
}

/// Joins each change with the one before it when it is told to, seeing what lies between them.
fn join<'a>(
    changes: Vec<Change<'a>>,
    old: &str,
    new: &'a str,
    mut joins: impl FnMut(&Change<'a>, &str, &Change<'a>) -> bool,
) -> Vec<Change<'a>> {
    let mut joined: Vec<Change<'a>> = Vec::with_capacity(changes.len());
    // Where the change before ends in `old` and in `new`.
    let (mut old_end, mut new_end) = (0, 0);
    for change in changes {
        let kept = &old[old_end..change.old.start];
        let new_start = new_end + kept.len();
        old_end = change.old.end;
        new_end = new_start + change.new.len();
        match joined.last_mut() {
            Some(last) if joins(last, kept, &change) => {
                let start = new_start - kept.len() - last.new.len();
                *last = Change { old: last.old.start..change.old.end, new: &new[start..new_end] };
            }
            _ => joined.push(change),
        }
    }
    joined
}

/// Cuts an operation into pieces that each fit an entry: first all that goes, then all that comes.
fn pieces(operation: TextOp) -> Vec<TextOp> {
    let TextOp { mut position, mut delete, insert } = operation;
    let mut pieces = Vec::new();
    while delete > ENTRY_DELETED_MAX {
        pieces.push(TextOp { position, delete: ENTRY_DELETED_MAX, insert: String::new() });
        delete -= ENTRY_DELETED_MAX;
    }
    let mut rest = insert.as_str();
    loop {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(ENTRY_INSERTED_BYTES_MAX));
        pieces.push(TextOp { position, delete, insert: piece.to_owned() });
        (position, delete, rest) = (position + count(piece), 0, after);
        if rest.is_empty() {
            return pieces;
        }
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n')
}

/// Runs of letters and digits, and every other character alone. Scripts that are written without blanks count letter by letter.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let in_word = |c: char| c.is_alphanumeric() && c < '\u{0e00}';
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = if in_word(first) { rest.find(|c| !in_word(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

/// Where each piece begins, in bytes, and where the last one ends.
fn offsets<'a>(pieces: impl Iterator<Item = &'a str>) -> Vec<usize> {
    let mut end = 0;
    let ends = pieces.map(|piece| {
        end += piece.len();
        end
    });
    std::iter::once(0).chain(ends).collect()
}

fn bytes(offsets: &[usize], pieces: &Range<u32>) -> Range<usize> {
    offsets[pieces.start as usize]..offsets[pieces.end as usize]
}

fn shifted(range: Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

fn count(text: &str) -> u64 {
    text.chars().count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(position: u64, delete: u64, insert: &str) -> TextOp {
        TextOp { position, delete, insert: insert.to_owned() }
    }

    #[test]
    fn only_what_differs_is_replaced() {
        assert_eq!(operations("same", "same"), []);
        assert_eq!(operations("", "new"), [op(0, 0, "new")]);
        assert_eq!(operations("old", ""), [op(0, 3, "")]);
        assert_eq!(operations("ab🙂ef", "ab🙂cdef"), [op(3, 0, "cd")]);
        assert_eq!(operations("colour is\n", "color is\n"), [op(4, 1, "")]);
        let poem = "first line\nsecond line\nthird line\n";
        assert_eq!(operations(poem, "first line\nthird line\n"), [op(11, 12, "")]);
        assert_eq!(operations(poem, "first word\nsecond line\nthird word\n"), [op(6, 4, "word"), op(29, 4, "word")]);
        assert_eq!(operations("a\r\nb\r\n", "a\nb\n"), [op(1, 1, ""), op(3, 1, "")]);
        assert_eq!(operations("我爱你。", "我也爱你。"), [op(1, 0, "也")]);
    }

    #[test]
    fn a_sentence_that_was_written_anew_is_one_replacement() {
        assert_eq!(operations("the quick fox runs\n", "one slow dog runs\n"), [op(0, 13, "one slow dog")]);
        assert_eq!(operations("keep a b keep", "keep x y keep"), [op(5, 3, "x y")]);
    }

    #[test]
    fn changes_of_two_sides_come_together() {
        let base = "title\n\nThe quick fox.\nThe end.\n";
        let theirs = "title\n\nThe quick brown fox.\nThe end.\n";
        let mine = "Title\n\nThe quick fox!\nThe end.\nReally.\n";
        assert_eq!(merge(base, theirs, mine), "Title\n\nThe quick brown fox!\nThe end.\nReally.\n");
        assert_eq!(merge(base, base, mine), mine);
        assert_eq!(merge(base, theirs, base), theirs);
        assert_eq!(merge(base, mine, mine), mine);
        assert_eq!(merge("", "theirs", "mine"), "theirsmine");
        // What both did is done once; what one deleted is gone, and what the other wrote into it stays.
        assert_eq!(merge("a b c", "a B c", "a B C"), "a B C");
        assert_eq!(merge("one two three four", "one four", "one two and three four"), "one and four");
    }

    /// Texts that are related as those of two editors are: always the same ones.
    fn texts(seed: u64) -> [String; 3] {
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut below = move |bound: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            usize::try_from(random % bound as u64).unwrap()
        };
        let letters: Vec<char> = "ab \n\r.ÄЖ語🙂\u{0}\u{feff}e\u{301}".chars().collect();
        let length = below(60);
        let base: Vec<char> = (0..length).map(|_| letters[below(letters.len())]).collect();
        let mut edited = || {
            let mut text = base.clone();
            for _ in 0..below(6) {
                let start = below(text.len() + 1);
                let end = start + below((text.len() - start).min(8) + 1);
                let new: Vec<char> = (0..below(6)).map(|_| letters[below(letters.len())]).collect();
                text.splice(start..end, new);
            }
            text.into_iter().collect()
        };
        let (one, other) = (edited(), edited());
        [base.into_iter().collect(), one, other]
    }

    #[test]
    fn the_operations_always_make_what_is_wanted() {
        for seed in 0..3_000 {
            let [base, one, other] = texts(seed);
            for (now, wanted) in [(&base, &one), (&one, &other), (&other, &base)] {
                let operations = operations(now, wanted);
                assert_eq!(after(now, &operations), *wanted, "seed {seed}: {now:?} to {wanted:?} by {operations:?}");
                assert_eq!(operations.is_empty(), now == wanted, "seed {seed}");
            }
            assert_eq!(merge(&base, &base, &one), one, "seed {seed}");
            assert_eq!(merge(&base, &one, &base), one, "seed {seed}");
            assert_eq!(merge(&base, &one, &one), one, "seed {seed}");
        }
    }

    #[test]
    fn nothing_that_either_side_inserted_is_lost() {
        for seed in 0..500 {
            let [base, ..] = texts(seed);
            let middle = base.char_indices().nth(base.chars().count() / 2).map_or(base.len(), |(at, _)| at);
            let theirs = format!("{}<theirs>{}", &base[..middle], &base[middle..]);
            let mine = format!("{base}<mine>");
            let merged = merge(&base, &theirs, &mine);
            assert!(merged.contains("<theirs>") && merged.ends_with("<mine>"), "seed {seed}: {merged:?}");
            assert_eq!(merged.replace("<theirs>", "").replace("<mine>", ""), base, "seed {seed}");
        }
    }

    #[test]
    fn a_large_change_is_cut_into_entries_that_fit() {
        let now = "ä".repeat(200_000);
        let wanted = "語🙂\n".repeat(150_000);
        let whole = operations(&now, &wanted);
        let entries = entries(whole);
        assert!(entries.len() >= 5, "{}", entries.len());
        for entry in &entries {
            assert!(entry.len() <= ENTRY_OPERATIONS_MAX);
            assert!(entry.iter().map(|op| op.insert.len()).sum::<usize>() <= ENTRY_INSERTED_BYTES_MAX);
            assert!(entry.iter().map(|op| op.delete).sum::<u64>() <= ENTRY_DELETED_MAX);
        }
        assert!(after(&now, entries.iter().flatten()) == wanted);
        let many: Vec<TextOp> = (0..130).map(|at| op(at * 2, 0, "x")).collect();
        assert_eq!(super::entries(many).iter().map(Vec::len).collect::<Vec<_>>(), [64, 64, 2]);
    }

    #[test]
    fn very_many_changes_are_joined_and_far_ones_are_not() {
        let now: String = (0..60_000).map(|number| format!("line {number}\r\n")).collect();
        let wanted = now.replace('\r', "");
        let every_line = operations(&now, &wanted);
        assert!((900..=CHANGES_MAX).contains(&every_line.len()), "{}", every_line.len());
        assert!(after(&now, &every_line) == wanted);
        let apart = "far\n".repeat(2_000);
        let [now, wanted] = [now, wanted].map(|text| format!("first{apart}{text}"));
        let first = &operations(&now, &wanted.replace("first", "begin"))[0];
        assert_eq!((first.position, first.delete), (0, 5));
    }

    #[test]
    fn the_bounds_are_those_of_an_entry() {
        let config = weft_echo::Config::default();
        assert_eq!(ENTRY_OPERATIONS_MAX, config.ops_max);
        assert!(ENTRY_INSERTED_BYTES_MAX * 2 < config.mutation_bytes_max);
        assert!(ENTRY_DELETED_MAX as usize * 10 < config.mutation_bytes_max - ENTRY_INSERTED_BYTES_MAX);
    }
}
