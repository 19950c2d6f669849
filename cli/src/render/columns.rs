//! Columns of text.

/// How the cells of a column stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Rows as lines: every column as wide as its widest cell, two spaces between them, nothing behind the last. A column
/// that is empty in all rows is left out. A letter of `aligns` for each column: `<` or `>`. Cells are counted in characters, so they must not have colours yet.
pub(crate) fn columns(aligns: &str, rows: &[Vec<String>]) -> Vec<String> {
    let aligns: Vec<_> = aligns.chars().map(|c| if c == '>' { Align::Right } else { Align::Left }).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..aligns.len()).map(width).collect();
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(&aligns).zip(&widths).filter(|(_, width)| **width > 0);
            let cells = cells.map(|((cell, align), width)| match align {
                Align::Left => format!("{cell:<width$}"),
                Align::Right => format!("{cell:>width$}"),
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_to_the_right_and_nothing_trails() {
        let rows = [
            vec!["a".to_owned(), "5".to_owned(), "x".to_owned()],
            vec!["long".to_owned(), "1,000".to_owned(), String::new()],
        ];
        assert_eq!(columns("<><", &rows), ["a         5  x", "long  1,000"]);
    }
}
