//! What a person means by a name: a full id, a unique prefix of one, or a unique name.

use super::error::ApiError;

/// The shortest prefix of an id that may stand for it.
const PREFIX_MIN: usize = 6;
/// How many candidates an ambiguity lists.
const CANDIDATES_MAX: usize = 8;

/// Something that can be meant.
#[derive(Clone, Debug)]
pub(crate) struct Candidate<T> {
    /// Its id as text.
    pub(crate) id: String,
    /// What people call it.
    pub(crate) name: Option<String>,
    /// What it is.
    pub(crate) value: T,
}

/// What sort of thing is looked for, and how to see which there are.
#[derive(Clone, Copy)]
pub(crate) struct Sort {
    /// `space`, `object`, `feed` or `peer`; part of the error's code.
    pub(crate) word: &'static str,
    /// The command that lists them.
    pub(crate) list: &'static str,
    /// Whether the end of an id stands for it rather than its beginning: ids of peers all begin alike.
    pub(crate) by_end: Option<usize>,
}

/// The one candidate that is meant by `asked`.
pub(crate) fn choose<T>(
    sort: Sort,
    asked: &str,
    candidates: impl IntoIterator<Item = Candidate<T>>,
) -> Result<T, ApiError> {
    let short = |id: &str| match sort.by_end {
        Some(length) => asked.len() == length && id.ends_with(asked),
        None => asked.len() >= PREFIX_MIN && id.starts_with(asked),
    };
    let mut meant = Vec::new();
    for candidate in candidates {
        if candidate.id == asked {
            return Ok(candidate.value);
        }
        if short(&candidate.id) || candidate.name.as_deref() == Some(asked) {
            meant.push(candidate);
        }
    }
    match meant.len() {
        0 => Err(unknown(sort, asked)),
        1 => Ok(meant.swap_remove(0).value),
        count => Err(ambiguous(sort, asked, count, &meant)),
    }
}

fn unknown(sort: Sort, asked: &str) -> ApiError {
    let word = sort.word;
    ApiError::not_found(
        &format!("unknown_{word}"),
        format!("there is no {word} `{asked}` here"),
        match sort.by_end {
            Some(length) => {
                format!("`{}` lists what there is; the last {length} characters of an id are enough", sort.list)
            }
            None => format!("`{}` lists what there is; an id can be cut to six characters or more", sort.list),
        },
    )
}

fn ambiguous<T>(sort: Sort, asked: &str, count: usize, meant: &[Candidate<T>]) -> ApiError {
    let listed = meant.iter().take(CANDIDATES_MAX).map(|candidate| match &candidate.name {
        Some(name) => format!("{} ({name})", candidate.id),
        None => candidate.id.clone(),
    });
    let more = if count > CANDIDATES_MAX { ", …" } else { "" };
    ApiError::bad_request(
        &format!("ambiguous_{}", sort.word),
        format!("`{asked}` can mean {count} {}s", sort.word),
        format!("name one of them by its id: {}{more}", listed.collect::<Vec<_>>().join(", ")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACE: Sort = Sort { word: "space", list: "weft space list", by_end: None };
    const PEER: Sort = Sort { word: "peer", list: "weft status", by_end: Some(8) };

    fn chosen(sort: Sort, asked: &str) -> Result<u8, String> {
        let candidate =
            |id: &str, name: Option<&str>, value| Candidate { id: id.to_owned(), name: name.map(str::to_owned), value };
        let candidates = [
            candidate("abcdefgh1234", Some("notes"), 1),
            candidate("abcdefzz5678", Some("work"), 2),
            candidate("mnopqrst1234", Some("work"), 3),
            candidate("uvwxyz789999", Some("abcdefgh1234"), 4),
        ];
        choose(sort, asked, candidates).map_err(|error| error.reason.code)
    }

    #[test]
    fn an_id_a_prefix_and_a_name_all_name_the_same_thing() {
        assert_eq!(chosen(SPACE, "abcdefzz5678"), Ok(2));
        assert_eq!(chosen(SPACE, "abcdefz"), Ok(2));
        assert_eq!(chosen(SPACE, "notes"), Ok(1));
        assert_eq!(chosen(PEER, "fzz5678x"), Err("unknown_peer".to_owned()));
        assert_eq!(chosen(PEER, "efzz5678"), Ok(2));
    }

    #[test]
    fn a_full_id_wins_over_somebody_who_took_it_for_a_name() {
        assert_eq!(chosen(SPACE, "abcdefgh1234"), Ok(1));
    }

    #[test]
    fn what_names_nothing_or_several_things_is_refused() {
        assert_eq!(chosen(SPACE, "abcdef"), Err("ambiguous_space".to_owned()));
        assert_eq!(chosen(SPACE, "work"), Err("ambiguous_space".to_owned()));
        assert_eq!(chosen(SPACE, "mnopq"), Err("unknown_space".to_owned()));
        assert_eq!(chosen(SPACE, ""), Err("unknown_space".to_owned()));
        assert_eq!(chosen(PEER, "1234"), Err("unknown_peer".to_owned()));
    }
}
