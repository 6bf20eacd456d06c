//! The examples of docs/reference/csv-format.md.

use rounds::{Chunk, Cursor, EventLine, Round};

const PAGE: &str = include_str!("../../../../docs/reference/csv-format.md");

/// Returns the rows of the tables under a level-three heading.
fn examples(heading: &str, table: usize) -> Vec<(&'static str, &'static str)> {
    let section = PAGE.split(&format!("\n### {heading}\n")).nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap().split("\n### ").next().unwrap();
    let table = section.split("|---|---|\n").nth(table + 1).unwrap();
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let mut cells = row.trim_matches('|').splitn(2, " | ").map(str::trim);
        (cells.next().unwrap().trim_matches('`'), cells.next().unwrap())
    })
    .collect()
}

fn read(text: &str) -> Chunk {
    let length = text.len() as u64;
    Cursor::default().read(&mut std::io::Cursor::new(text.as_bytes()), length).unwrap()
}

#[test]
fn each_line_listed_as_accepted_is_read_as_the_round_beside_it() {
    for (table, header) in [(0, "timestamp,multiplier\n"), (1, "")] {
        let examples = examples("Taken", table);
        assert!(examples.len() >= 3);
        for (line, round) in examples {
            let piece = read(&format!("{header}{line}\n"));
            let rows: String = piece.rounds.iter().map(Round::to_row).collect();
            assert_eq!(rows.trim_end(), round.trim_matches('`'), "{line}");
        }
    }
}

#[test]
fn each_line_listed_as_rejected_is_rejected_for_the_given_reason() {
    for (table, header) in [(0, "timestamp,multiplier\n"), (1, "")] {
        let examples = examples("Rejected", table);
        assert!(examples.len() >= 2);
        for (line, reason) in examples {
            // A repeated header is not a row; here it is the second line, below the first header.
            let piece = read(&format!("{header}{line}\n"));
            assert_eq!(piece.rounds, [], "{line}");
            assert_eq!(piece.rejected[0].reason.to_string(), reason, "{line}");
        }
    }
}

#[test]
fn the_example_of_an_event_file_line_is_an_event() {
    let line = PAGE.lines().map(str::trim).find(|line| line.starts_with("{\"seq\"")).unwrap();
    let event: EventLine = serde_json::from_str(line).unwrap();
    assert_eq!(event.row, Some(1));
    assert_eq!(
        serde_json::from_str::<EventLine>(&serde_json::to_string(&event).unwrap()).unwrap(),
        event
    );
}

#[test]
fn every_kind_of_event_and_every_origin_is_explained() {
    for kind in
        ["start", "live", "backfill", "gap", "weak", "reset", "reconnect", "conflict", "stop"]
    {
        assert!(serde_json::from_str::<rounds::EventKind>(&format!("\"{kind}\"")).is_ok());
        assert!(PAGE.matches(&format!("`{kind}`")).count() >= 2, "{kind}");
    }
    for origin in rounds::Origin::ALL {
        assert!(PAGE.contains(&format!("| `{origin}` |")), "{origin}");
    }
}
