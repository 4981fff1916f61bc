//! Columns for people: as wide as their widest cell, and no wider together than the terminal.
//!
//! Ids are never cut, so that each can be pasted back; what gives way is what people wrote, from the widest column on.

use unicode_width::UnicodeWidthStr;

use super::{
    look::{self, Look, Tone},
    visible::in_line,
};

/// What stands between two columns.
const GAP: usize = 2;
/// A column is not cut below this width.
const CUT_MIN: usize = 8;
/// The columns that hold what people wrote.
const CUT: [&str; 8] = ["NAME", "CALLS ITSELF", "INVITED BY", "TYPE", "RECORD", "VALUE", "STATE", "WHAT"];

/// A table for standard output. What others wrote is made visible.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    laid_out(look::stdout(), head, rows)
}

fn laid_out(look: Look, head: &[&str], rows: &[Vec<String>]) -> String {
    let titles = head.iter().map(|&title| title.to_owned()).collect::<Vec<_>>();
    let cells: Vec<Vec<String>> = std::iter::once(&titles)
        .chain(rows)
        .map(|row| row.iter().map(|cell| in_line(cell).into_owned()).collect())
        .collect();
    let widest = |column: usize| cells.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max();
    let mut widths: Vec<usize> = (0..head.len()).map(|column| widest(column).unwrap_or(0)).collect();
    if let Some(columns) = look.columns {
        narrow(head, &mut widths, columns);
    }
    let mut text = String::new();
    for (at, row) in cells.iter().enumerate() {
        let mut line = String::new();
        let mut pending = 0;
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let shown = cut(cell, *width);
            if !shown.is_empty() {
                line.extend(std::iter::repeat_n(' ', pending));
                pending = 0;
            }
            let tone = if at == 0 { Some(Tone::Title) } else { tone_of(head[column], &shown) };
            line += &tone.map_or_else(|| shown.clone(), |tone| look.paint(tone, &shown));
            pending += width - shown.width() + GAP;
        }
        text += &line;
        text.push('\n');
    }
    text
}

/// Takes columns from the widest cell that may be cut until the line fits or nothing more may be cut.
fn narrow(head: &[&str], widths: &mut [usize], columns: usize) {
    let needed = |widths: &[usize]| widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
    while needed(widths) > columns {
        let may_be_cut = (0..head.len()).filter(|column| CUT.contains(&head[*column]) && widths[*column] > CUT_MIN);
        let Some(widest) = may_be_cut.max_by_key(|column| widths[*column]) else { return };
        widths[widest] -= 1;
    }
}

/// The cell in at most `width` columns; a cut one ends with `…`.
pub(crate) fn cut(cell: &str, width: usize) -> String {
    if cell.width() <= width {
        return cell.to_owned();
    }
    let mut shown = String::new();
    for c in cell.chars() {
        shown.push(c);
        if shown.width() + 1 > width {
            shown.pop();
            break;
        }
    }
    shown + "…"
}

/// What a word in a column means.
fn tone_of(title: &str, cell: &str) -> Option<Tone> {
    match (title, cell) {
        ("SYNC", "level") => Some(Tone::Good),
        ("SYNC", "syncing") => Some(Tone::Busy),
        ("SYNC", _) => Some(Tone::Faint),
        ("STATE", state) if state.starts_with("stopped") => Some(Tone::Bad),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|&cell| cell.to_owned()).collect()
    }

    #[test]
    fn columns_are_aligned_and_nobody_can_break_a_row() {
        let rows = [row(&["ab", "x\ny"]), row(&["abcd", "z"])];
        assert_eq!(laid_out(Look::default(), &["ID", "NAME"], &rows), "ID    NAME\nab    x\\u{a}y\nabcd  z\n");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let rows = [row(&["日本", "1"]), row(&["abcd", "2"])];
        assert_eq!(laid_out(Look::default(), &["NAME", "N"], &rows), "NAME  N\n日本  1\nabcd  2\n");
    }

    #[test]
    fn what_people_wrote_gives_way_and_ids_do_not() {
        let rows = [row(&["abcdefghijkl", "a name that goes on and on", "3"])];
        let look = Look { columns: Some(32), ..Look::default() };
        let shown = laid_out(look, &["SPACE", "NAME", "MEMBERS"], &rows);
        assert_eq!(shown.lines().nth(1), Some("abcdefghijkl  a name t…  3"));
        assert!(shown.lines().all(|line| line.width() <= 32), "{shown}");
        let narrow = laid_out(Look { columns: Some(4), ..Look::default() }, &["SPACE", "NAME", "MEMBERS"], &rows);
        assert!(narrow.contains("abcdefghijkl"), "{narrow}");
    }

    #[test]
    fn colors_do_not_move_columns() {
        let rows = [row(&["x", "level", "1"]), row(&["y", "alone", "2"])];
        let plain = laid_out(Look::default(), &["NAME", "SYNC", "N"], &rows);
        let mut painted =
            laid_out(Look { columns: Some(80), colors: true, draws: true }, &["NAME", "SYNC", "N"], &rows);
        assert!(painted.contains("\x1b[32mlevel\x1b[0m"), "{painted}");
        for code in ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[32m"] {
            painted = painted.replace(code, "");
        }
        assert_eq!(painted, plain);
    }
}
