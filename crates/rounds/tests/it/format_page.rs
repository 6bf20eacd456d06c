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
fn each_line_called_rejected_is_rejected_for_that_reason() {
    let examples = examples("Rejected", 0);
    assert!(examples.len() >= 10);
    for (line, reason) in examples {
        // The header once more is no row; below itself it is the second line.
        let piece = read(&format!("timestamp,multiplier\n{line}\n"));
        assert_eq!(piece.rounds, [], "{line}");
        assert_eq!(piece.rejected[0].reason.to_string(), reason, "{line}");
    }
}

#[test]
fn each_file_called_refused_is_refused_for_that_reason() {
    let examples = examples("Refused", 0);
    assert!(examples.len() >= 10);
    for (file, reason) in examples {
        let chunk = read(&format!("{}\n", file.replace("\\n", "\n")));
        assert_eq!(chunk.rounds, [], "{file}");
        let refusal = chunk.refused.map(|refusal| refusal.to_string());
        assert_eq!(refusal.as_deref(), Some(reason), "{file}");
    }
}

#[test]
fn every_known_name_of_a_column_is_listed() {
    let section = PAGE.split("\n### Names of columns\n").nth(1).unwrap();
    let mut rows = section.lines().filter(|line| line.starts_with("| ")).skip(1);
    for names in
        [&rounds::TIME_NAMES[..], &rounds::MULTIPLIER_NAMES, &rounds::PERHAPS_MULTIPLIER_NAMES]
    {
        let row = rows.next().unwrap();
        let listed: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        assert_eq!(listed, names);
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
