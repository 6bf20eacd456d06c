//! Which files are read, and why the others are refused.

use chrono::{DateTime, TimeDelta, Utc};
use evaluation::pit::SplitMix64;
use rounds::{Chunk, Cursor, ReadOptions, Refusal, Round};

use crate::generated::{below, between, multiplier, recording};

fn read(bytes: &[u8]) -> Chunk {
    let options = ReadOptions { time_zone: "UTC".parse().unwrap(), ..ReadOptions::default() };
    let length = bytes.len() as u64;
    Cursor::default().read_with(&mut std::io::Cursor::new(bytes), length, &options).unwrap()
}

/// A table of `rows` lines below `header`; `{t}` is a time, `{m}` a multiplier, `{n}` the number of the
/// row.
fn table(header: &str, row: &str, rows: usize) -> String {
    written(header, row, rows, "%Y-%m-%d %H:%M:%S")
}

fn written(header: &str, row: &str, rows: usize, times: &str) -> String {
    let mut text = if header.is_empty() { String::new() } else { format!("{header}\n") };
    for (number, round) in recording(7, rows).iter().enumerate() {
        let line = row
            .replace("{t}", &round.time.format(times).to_string())
            .replace("{m}", &round.multiplier.to_string())
            .replace("{cents}", &round.multiplier.cents().to_string())
            .replace("{comma}", &round.multiplier.to_string().replace('.', ","))
            .replace("{s}", &round.time.timestamp().to_string())
            .replace("{ms}", &round.time.timestamp_millis().to_string())
            .replace("{n}", &(70_000 + number).to_string());
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// The rounds are those of the recording that [`table`] writes, without the milliseconds.
#[track_caller]
fn taken(name: &str, text: &str, rows: usize) {
    let chunk = read(text.as_bytes());
    assert_eq!(chunk.refused, None, "{name}");
    let expected: Vec<Round> = recording(7, rows);
    assert_eq!(chunk.rounds, expected, "{name}");
    assert_eq!(chunk.rejected_count, 0, "{name}: {:?}", chunk.rejected);
}

#[track_caller]
fn refused(name: &str, text: &[u8], message: &str, command: &str) {
    let chunk = read(text);
    assert_eq!(chunk.rounds, [], "{name}");
    let refusal = chunk.refused.expect(name);
    assert_eq!(refusal.to_string(), message, "{name}");
    assert_eq!(refusal.command("f.csv"), format!("predictor import f.csv{command}"), "{name}");
}

#[test]
fn known_headers_are_read_in_every_language_and_order() {
    for (header, row) in [
        ("timestamp,multiplier", "{t},{m}"),
        ("Multiplier,Timestamp", "{m},{t}"),
        ("ID,Timestamp,Multiplier", "{n},{t},{m}"),
        ("observed_at,crash_point,source", "{t},{m},screen"),
        ("timestamp,stake,payout,actual_multiplier", "{t},100.0,150,{m}"),
        ("Data/Hora;Multiplicador", "{t};{comma}"),
        ("hora;vela", "{t};{m}"),
        ("Fecha y hora;Coeficiente", "{t};{comma}x"),
        ("Время;Коэффициент", "{t};{m}"),
        ("Zeitstempel;Multiplikator", "{t};{comma}"),
        ("Horodatage;Multiplicateur", "{t};{comma}"),
        ("Zaman;Çarpan", "{t};{m}"),
        ("samay,gunak", "{t},{m}"),
        (",timestamp,multiplier", "{n},{t},{m}"),
        ("\ttimestamp\tmultiplier", "{n}\t{t}\t{m}"),
        ("timestamp,multiplier", "{t},x{m}"),
        ("timestamp,multiplier", "{t},{m} X"),
        ("timestamp;multiplier;comment;;", "{t};{m};;;"),
        ("timestamp,multiplier,state", "{t},{m},CRASHED"),
        ("sep=;\ntimestamp;multiplier", "{t};{m}"),
        ("# exported by hand\ntimestamp,multiplier", "{t},{m}"),
        ("time,payout", "{t},{m}"),
        ("date,odds", "{t},{m}"),
    ] {
        for rows in [1, 3, 25, 100, 300] {
            taken(&format!("{header} × {rows}"), &table(header, row, rows), rows);
        }
    }
}

#[test]
fn without_a_header_unmistakable_columns_are_read() {
    for (name, row) in [
        ("time and value", "{t},{m}"),
        ("value and time", "{m}x;{t}"),
        ("an identifier", "0b9cf7a2-8f1e-4d7b-9c55-61d6d5a{n},{t},{m}"),
        ("a colour", "{m}x,\"rgb(192, 23, 180)\",{t}"),
    ] {
        for rows in [3, 100, 400] {
            taken(&format!("{name} × {rows}"), &table("", row, rows), rows);
        }
    }
    // Whole numbers beside the multipliers may be ids, once there are many.
    taken("ids", &table("", "{n},{t},{m}", 400), 400);
}

#[expect(clippy::too_many_lines, reason = "a table of shapes")]
#[test]
fn tables_that_hold_something_else_are_refused_with_what_they_hold() {
    let no_column = "no column is recognized as multipliers; its columns are";
    let first = recording(7, 1)[0];
    for (name, text, message, command) in [
        (
            "ids and sources",
            table("observed_at,round_id,source", "{t},{n},GetUserBets", 150),
            format!("{no_column} `observed_at`, `round_id`, `source`"),
            " --multiplier-column NAME",
        ),
        (
            "prices below an unknown header",
            table("when,price", "{t},{m}", 150),
            format!("{no_column} `when`, `price`"),
            " --multiplier-column NAME",
        ),
        (
            "counts",
            table("time;player_count", "{t};{n}", 150),
            format!("{no_column} `time`, `player_count`"),
            " --multiplier-column NAME",
        ),
        (
            "two multipliers",
            table("timestamp,crash_point,bust", "{t},{m},1.5", 30),
            "each of `crash_point`, `bust` could hold the multipliers".to_owned(),
            " --multiplier-column crash_point",
        ),
        (
            "our own name and another one",
            table("timestamp,multiplier,crash_point", "{t},1.5,{m}", 30),
            "each of `multiplier`, `crash_point` could hold the multipliers".to_owned(),
            " --multiplier-column multiplier",
        ),
        (
            "percentages",
            table("timestamp,multiplier", "{t},{cents}%", 30),
            format!("no number in `multiplier` can be read, such as `{}%`", first.multiplier.cents()),
            "",
        ),
        (
            "exponents",
            table("timestamp,multiplier", "{t},{m}e+00", 30),
            format!("no number in `multiplier` can be read, such as `{}e+00`", first.multiplier),
            "",
        ),
        (
            "decimal commas without quotation marks",
            table("timestamp,multiplier", "{t},{comma}", 30),
            "its header names 2 columns, but its rows have 3 fields".to_owned(),
            "",
        ),
        (
            "another delimiter below the header",
            table("timestamp;multiplier", "{t},{m}", 30),
            "its header names 2 columns, but its rows have 1 field".to_owned(),
            "",
        ),
        (
            "milliseconds behind a comma",
            written("timestamp;multiplier", "{t};{m}", 30, "%Y-%m-%d %H:%M:%S,000"),
            format!(
                "its times are in a form that only the import may know, such as `{}`",
                first.time.format("%Y-%m-%d %H:%M:%S,000")
            ),
            "",
        ),
        (
            "two columns of times",
            table("date,time,multiplier", "{t},{t},{m}", 30),
            "each of `date`, `time` could hold the times".to_owned(),
            "",
        ),
        (
            "hundredths",
            table("timestamp,multiplier", "{t},{cents}", 160),
            "every multiplier is a whole number of at least 100: perhaps hundredths".to_owned(),
            " --scale 0.01",
        ),
        (
            "ids below our header",
            table("timestamp,multiplier", "{t},{n}", 160),
            "`multiplier` does not look like multipliers: all are whole numbers".to_owned(),
            " --multiplier-column NAME",
        ),
        (
            "ticks",
            table("timestamp,round_id,multiplier,state", "{t},{n},1.00,RUNNING\n{t},{n},{m},CRASHED", 50),
            "it has several rows per round: `state` holds `RUNNING` and `CRASHED`".to_owned(),
            " --where state=CRASHED",
        ),
        (
            "ticks without a state",
            table("timestamp,round_id,multiplier", "{t},{n},1.00\n{t},{n},{m}", 50),
            "it has several multipliers for one round: `70000` has 1.00 and 1.58".to_owned(),
            "",
        ),
        (
            "multipliers alone below a header",
            table("Multiplier", "{m}", 160),
            "it holds multipliers but no times".to_owned(),
            " --no-times",
        ),
        (
            "multipliers alone",
            table("", "{m}", 160),
            "it holds multipliers but no times".to_owned(),
            " --no-times",
        ),
        (
            "two numbers",
            table("", "{t},{m},4.10", 30),
            "it has no header, and the rows do not show which columns hold times and multipliers \
             (column 1: times, such as `2026-03-01 11:00:00`; column 2: numbers, such as `1.58`; \
             column 3: numbers, such as `4.10`)"
                .to_owned(),
            " --time-column 1 --multiplier-column 2",
        ),
        (
            "spaces",
            table("", "{t} {m}", 30),
            "it is text separated by spaces, not comma-separated text in UTF-8".to_owned(),
            "",
        ),
        (
            "bars",
            table("timestamp|multiplier", "{t}|{m}", 30),
            "it is text separated by vertical bars, not comma-separated text in UTF-8".to_owned(),
            "",
        ),
        (
            "JSON lines",
            table("", "{\"time\": \"{t}\", \"multiplier\": {m}}", 30),
            "it is JSON with one value per line, not comma-separated text in UTF-8".to_owned(),
            "",
        ),
        (
            "carriage returns",
            table("timestamp,multiplier", "{t},{m}", 30).replace('\n', "\r"),
            "it is text whose lines end with only a carriage return, not comma-separated text in UTF-8"
                .to_owned(),
            "",
        ),
    ] {
        refused(name, text.as_bytes(), &message, command);
    }
}

#[test]
fn files_of_another_kind_are_named() {
    let text = table("timestamp,multiplier", "{t},{m}", 30);
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let with_mark = [&b"\xff\xfe"[..], &utf16].concat();
    for (bytes, name) in [
        (&utf16[..], "text in UTF-16"),
        (&with_mark, "text in UTF-16"),
        (b"PK\x03\x04\x14\x00\x06\x00", "a spreadsheet or zip archive"),
        (b"\x1f\x8b\x08\x00", "a gzip archive"),
        (b"[{\"time\": 1}]\n", "JSON"),
        (&[0, 159, 146, 150].repeat(100), "binary data"),
    ] {
        refused(name, bytes, &format!("it is {name}, not comma-separated text in UTF-8"), "");
    }
}

#[test]
fn times_of_other_forms_are_named() {
    for (times, row, form, example) in [
        ("%Y-%m-%d %I:%M:%S %p", "{t},{m}", "in the twelve-hour form", "2026-03-01 11:00:00 AM"),
        ("", "{s},{m}", "seconds since 1970", "1772362800"),
        ("", "{ms},{m}", "milliseconds since 1970", "1772362800000"),
        ("", "{ms}000,{m}", "micro- or nanoseconds since 1970", "1772362800000000"),
        ("%Y/%m/%d %H:%M:%S", "{t},{m}", "dates with slashes", "2026/03/01 11:00:00"),
        ("%d.%m.%Y %H:%M:%S", "{t},{m}", "dates with dots", "01.03.2026 11:00:00"),
        (
            "%a %b %d %Y %H:%M:%S GMT+0200 (Central European Standard Time)",
            "{t},{m}",
            "dates with the name of the month",
            "Sun Mar 01 2026 11:00:00 GMT+0200 (Central European Standard",
        ),
        ("%Y-%m-%d %H:%M", "{t},{m}", "times without seconds", "2026-03-01 11:00"),
        ("%Y-%m-%d", "{t},{m}", "dates without a time of day", "2026-03-01"),
    ] {
        let text = written("timestamp,multiplier", row, 160, times);
        let message = format!("its times are {form}, such as `{example}`");
        refused(form, text.as_bytes(), &message, "");
    }
    let text = written("timestamp,multiplier", "{t},{m}", 60, "%H:%M:%S");
    let message = "its times are times of day without a date, such as `11:00:00`";
    refused("time of day", text.as_bytes(), message, " --date YYYY-MM-DD");
}

#[test]
fn day_and_month_have_one_order_in_a_file() {
    let rounds = recording(3, 1500);
    let write = |order: &str, rounds: &[Round]| {
        let rows = rounds.iter().map(|round| {
            format!("{},{}\n", round.time.format(&format!("{order} %H:%M:%S")), round.multiplier)
        });
        format!("timestamp,multiplier\n{}", rows.collect::<String>())
    };
    // A row a quarter of an hour apart, so that the dates pass the twelfth.
    let slow: Vec<Round> = (0i32..)
        .zip(&rounds)
        .map(|(at, round)| Round { time: rounds[0].time + TimeDelta::minutes(15) * at, ..*round })
        .collect();
    for order in ["%m-%d-%Y", "%d-%m-%Y"] {
        let chunk = read(write(order, &slow).as_bytes());
        assert_eq!((chunk.rounds, chunk.rejected_count), (slow.clone(), 0), "{order}");
    }
    let early = &slow[..900];
    let message = "`03-01-2026` could be 3 January 2026 or 1 March 2026, and no row settles which";
    refused("open", write("%m-%d-%Y", early).as_bytes(), message, " --date-order day-first");
    // A row that settles the order may come after the file was read.
    let text = write("%m-%d-%Y", &slow);
    let cut = write("%m-%d-%Y", early).len();
    let mut cursor = Cursor::default();
    let options = ReadOptions { time_zone: "UTC".parse().unwrap(), ..ReadOptions::default() };
    let mut file = std::io::Cursor::new(text.as_bytes());
    assert!(cursor.read_with(&mut file, cut as u64, &options).unwrap().refused.is_some());
    let chunk = cursor.read_with(&mut file, text.len() as u64, &options).unwrap();
    assert_eq!((chunk.rounds, chunk.from_start, chunk.refused), (slow, true, None));
}

#[test]
fn a_point_before_three_digits_is_no_decimal_sign_among_decimal_commas() {
    let row =
        |number: usize, multiplier: &str| format!("2026-03-09 22:00:{number:02};{multiplier}\n");
    let early = format!("timestamp;multiplier\n{}{}", row(1, "1.090"), row(2, "2,65"));
    let many: String = (0..400).map(|at| row(at % 60, "2.31")).collect();
    let late = format!("timestamp;multiplier\n{}{many}{}", row(1, "1.090"), row(2, "2,65"));
    for (text, rounds) in [(early, 1), (late, 401)] {
        let chunk = read(text.as_bytes());
        assert_eq!((chunk.rounds.len(), chunk.rejected_count), (rounds, 1));
        assert_eq!(chunk.rejected[0].line, 2);
        assert_eq!(
            chunk.rejected[0].reason.to_string(),
            "multiplier: a point followed by three digits may separate thousands, since this file has \
             decimal commas"
        );
    }
    let points = format!("timestamp;multiplier\n{}{}", row(1, "1.090"), row(2, "2.650"));
    assert_eq!(read(points.as_bytes()).rounds.len(), 2);
}

#[test]
fn a_row_with_fewer_fields_than_columns_is_rejected_for_that() {
    let full = table("timestamp,round_id,multiplier,source", "{t},{n},{m},screen", 100);
    let short = table("", "{t},{n},{m}", 100);
    let chunk = read(format!("{full}{short}").as_bytes());
    assert_eq!((chunk.rounds.len(), chunk.rejected_count), (100, 100));
    let [reason] = chunk.rejections.reasons() else { panic!("one reason: {:?}", chunk.rejections) };
    assert_eq!(reason.example.reason.to_string(), "too few fields: 3 for 4 columns");
    assert_eq!((reason.count, reason.example.line), (100, 102));
}

#[test]
fn the_same_round_beside_itself_counts_once() {
    for (header, row) in [
        ("timestamp,round_id,multiplier,user", "{t},{n},{m},a\n{t},{n},{m},b\n{t},{n},{m},c"),
        ("timestamp,multiplier,bet_amount", "{t},{m},10\n{t},{m},25\n{t},{m},10"),
    ] {
        let chunk = read(table(header, row, 80).as_bytes());
        assert_eq!((chunk.rounds, chunk.rejected_count), (recording(7, 80), 160), "{header}");
        assert_eq!(chunk.rejections.reasons()[0].example.reason.word(), "same_round");
    }
    // Without an id two equal rows may be two rounds.
    let chunk = read(table("timestamp,multiplier", "{t},{m}\n{t},{m}", 40).as_bytes());
    assert_eq!((chunk.rounds.len(), chunk.rejected_count), (80, 0));
}

#[test]
fn values_and_times_out_of_range_are_rejected() {
    #[expect(clippy::disallowed_methods, reason = "the limit lies a day from now")]
    let now = Utc::now();
    let row = |time: DateTime<Utc>, multiplier: &str| {
        format!("{},{multiplier}\n", time.format("%Y-%m-%dT%H:%M:%S%.3fZ"))
    };
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let digits = "7".repeat(290);
    for (line, word) in [
        (row(now, "1765395155123"), Some("above_limit")),
        (row(now, "1000000.01"), Some("above_limit")),
        (row(now, "1000000.00"), None),
        (row(now, &digits), Some("above_limit")),
        (row(now, "1e300"), Some("multiplier")),
        (row(at("2008-12-31T23:59:59Z"), "2.31"), Some("time_out_of_range")),
        (row(at("2009-01-01T00:00:00Z"), "2.31"), None),
        (row(at("1969-05-01T00:00:00Z"), "2.31"), Some("time_out_of_range")),
        (row(at("9999-05-01T00:00:00Z"), "2.31"), Some("time_out_of_range")),
        (row(now + TimeDelta::hours(23), "2.31"), None),
        (row(now + TimeDelta::hours(25), "2.31"), Some("time_out_of_range")),
    ] {
        let chunk = read(format!("timestamp,multiplier\n{}{line}", row(now, "1.50")).as_bytes());
        let found = chunk.rejections.reasons().first().map(|it| it.example.reason.word());
        assert_eq!((found, chunk.rounds.len()), (word, 1 + usize::from(word.is_none())), "{line}");
    }
}

#[test]
fn a_header_further_down_may_swap_the_columns() {
    let text = table("timestamp,multiplier", "{t},{m}", 50)
        + &table("multiplier,timestamp", "{m},{t}", 50);
    let chunk = read(text.as_bytes());
    assert_eq!((chunk.rounds.len(), chunk.rejected_count), (100, 0));
    assert_eq!(chunk.rounds[..50], chunk.rounds[50..]);
}

#[test]
fn reading_in_steps_gives_what_reading_at_once_gives() {
    let texts = [
        table("ID,Timestamp,Multiplier", "{n},{t},{m}", 120),
        table("", "{t},{m}", 300),
        table("timestamp,multiplier", "{t},{cents}", 60),
        table("timestamp,round_id,multiplier,user", "{t},{n},{m},a\n{t},{n},{m},b", 60),
        written("time;payout", "{t};{comma}", 250, "%d-%m-%Y %H:%M:%S"),
    ];
    for text in texts {
        for step in [13, 481, 9100] {
            let whole = read(text.as_bytes()).rounds;
            assert_eq!(read_in_steps(&text, step), whole, "{}", &text[..30]);
        }
    }
}

/// Reads a file that grows by `step` bytes at a time, with a cursor that is stored in between.
fn read_in_steps(text: &str, step: usize) -> Vec<Round> {
    let options = ReadOptions { time_zone: "UTC".parse().unwrap(), ..ReadOptions::default() };
    let mut file = std::io::Cursor::new(text.as_bytes());
    let mut cursor = Cursor::default();
    let mut rounds = Vec::new();
    let mut at = 0;
    while at < text.len() {
        at = (at + step).min(text.len());
        let chunk = cursor.read_with(&mut file, at as u64, &options).unwrap();
        if chunk.from_start {
            rounds.clear();
        }
        rounds.extend(chunk.rounds);
        let stored = serde_json::to_string(&cursor).unwrap();
        cursor = serde_json::from_str(&stored).unwrap();
    }
    rounds
}

/// A random table without a single multiplier.
fn other_table(random: &mut SplitMix64) -> (String, String) {
    let rows = 30 + below(random, 270);
    let kind = below(random, 12);
    let (low, high) = (between(random, 1.0, 10.0), between(random, 11.0, 90.0));
    let (center, width) = (between(random, 2.0, 15.0), between(random, 0.2, 0.7));
    let first = below(random, 1 << 30);
    let mut value = |row: usize| match kind {
        0 => format!("{}", first + row),
        1 => format!("{}", below(random, 500)),
        2 => format!("{:.2}", between(random, low, high)),
        3 => format!("{:.2}", center * (width * random.normal()).exp()),
        4 => format!("{}.99", below(random, 30)),
        5 => format!("{:.1}", center + 10.0 + 6.0 * random.normal()),
        6 => format!("{:.6}", low + 0.01 * random.normal()),
        7 => format!("{:.2}", 100.0 + 0.37 * row as f64),
        8 => format!("{:.1}", 100.0 * random.uniform()),
        9 => format!("{:.2}", -5.0 * low * random.uniform().ln()),
        10 => format!("{:.1}", between(random, 1.0, 5.0)),
        _ => format!("{}", 1_700_000_000_000 + 20_000 * row),
    };
    let values: Vec<String> = (0..rows).map(&mut value).collect();
    let times = recording(u64::try_from(first).unwrap() + 1, rows);
    let shape = below(random, 4);
    let header = match (shape, below(random, 3)) {
        (0, _) => "",
        (_, 0) => "timestamp,value_eur\n",
        (_, 1) => "time,payout\n",
        _ => "observed_at,reading\n",
    };
    let lines = times.iter().zip(&values);
    let lines =
        lines.map(|(round, value)| format!("{},{value}\n", round.time.format("%Y-%m-%d %H:%M:%S")));
    let kind = format!("kind {kind}, {rows} rows, header {header:?}");
    (kind, header.to_owned() + &lines.collect::<String>())
}

/// Ids, counts, money, prices, temperatures, coordinates, counters, percentages, durations, scores, time stamps.
#[test]
fn no_table_of_other_things_is_taken_for_rounds() {
    let mut random = SplitMix64::new(20_261_128);
    for _ in 0..10_000 {
        let (kind, text) = other_table(&mut random);
        let chunk = read(text.as_bytes());
        assert!(chunk.rounds.is_empty(), "{kind}: {} rounds\n{}", chunk.rounds.len(), &text[..200]);
        assert!(chunk.refused.is_some(), "{kind}");
    }
}

#[test]
fn true_recordings_are_taken_in_any_dialect() {
    let mut random = SplitMix64::new(42);
    for seed in 1..=2000 {
        let header = below(&mut random, 4);
        // Without a name that leaves no doubt the values must tell, which takes a hundred.
        let rows = if header < 2 { 1 } else { 100 } + below(&mut random, 300);
        let rounds = recording(seed, rows);
        let delimiter = [",", ";", "\t"][below(&mut random, 3)];
        let has_comma = delimiter != "," && below(&mut random, 2) == 0;
        let day_first = below(&mut random, 4) == 0;
        let (before, after) = [("", ""), ("", "x"), ("x", ""), ("", " ×")][below(&mut random, 4)];
        let header = [
            format!("timestamp{delimiter}multiplier"),
            format!("Hora{delimiter}Multiplicador"),
            format!("ended_at{delimiter}payout"),
            String::new(),
        ][header]
            .clone();
        let line_end = ["\n", "\r\n"][below(&mut random, 2)];
        // The day is above 12, so that one row settles the order.
        let shifted = |round: &Round| round.time + TimeDelta::days(if day_first { 20 } else { 0 });
        let form = if day_first { "%d-%m-%Y %H:%M:%S" } else { "%Y-%m-%dT%H:%M:%SZ" };
        let mut text = if header.is_empty() { String::new() } else { header.clone() + line_end };
        for round in &rounds {
            let mut value = multiplier(round);
            if has_comma {
                value = value.replace('.', ",");
            }
            let time = shifted(round).format(form);
            let row = format!("{time}{delimiter}{before}{value}{after}{line_end}");
            text.push_str(&row);
        }
        let expected: Vec<Round> =
            rounds.iter().map(|round| Round { time: shifted(round), ..*round }).collect();
        let chunk = read(text.as_bytes());
        assert_eq!(chunk.refused, None, "{seed}: {}", &text[..120]);
        assert_eq!(chunk.rounds, expected, "{seed}: {}", &text[..120]);
    }
}

#[test]
fn every_refusal_names_its_command() {
    let refusal = Refusal::Hundredths;
    assert_eq!(refusal.command("a b.csv"), "predictor import 'a b.csv' --scale 0.01");
    let refusal = Refusal::SeveralMultiplierColumns {
        columns: vec!["final odds".to_owned(), "payout".to_owned()],
    };
    assert_eq!(refusal.command("a.csv"), "predictor import a.csv --multiplier-column 'final odds'");
}

/// Rows with a time and these multipliers, below a header that names both.
fn named(multipliers: impl Iterator<Item = f64>) -> String {
    let times = recording(5, 60);
    let rows = times.iter().zip(multipliers);
    let row = |(round, value): (&Round, f64)| {
        format!("{},{value:.2}\n", round.time.format("%Y-%m-%d %H:%M:%S"))
    };
    rows.map(row).fold("timestamp,multiplier\n".to_owned(), |text, row| text + &row)
}

#[test]
fn a_known_name_does_not_make_multipliers_of_another_game_or_of_money() {
    let plinko = [0.2, 3.0, 1.5, 0.5, 2.0, 5.6, 1.0, 26.0, 1.1];
    let refused = |text: String| read(text.as_bytes()).refused.map(|it| it.to_string());
    let text = refused(named(plinko.into_iter().cycle())).unwrap();
    assert!(text.contains("many are below 1"), "{text}");
    let money = recording(6, 60).into_iter().map(|it| 700.0 * it.multiplier.as_f64());
    let text = refused(named(money)).unwrap();
    assert!(text.contains("none of them is below 10"), "{text}");
    // Some games report an instant crash as 0, and some recorders keep only high rounds.
    let zeros = recording(7, 60).into_iter().enumerate();
    let zeros = zeros.map(|(at, it)| if at % 20 == 0 { 0.0 } else { it.multiplier.as_f64() });
    assert_eq!(refused(named(zeros)), None);
    let high = recording(8, 60).into_iter().map(|it| 10.0 * it.multiplier.as_f64());
    assert_eq!(refused(named(high)), None);
}

#[test]
fn a_command_reads_what_the_message_says() {
    let command = |text: &str| {
        let refusal = read(text.as_bytes()).refused.unwrap();
        refusal.command("a.csv")
    };
    let days = "Time;Multiplier\n46101,45851852;1,43\n46101,45871852;2,01\n46101,45891852;1,00\n";
    assert_eq!(command(days), "predictor import a.csv");
    let parts = "Datum;Uhrzeit;Multiplikator\n20.03.2026;11:00:16;1,43\n20.03.2026;11:00:40;2,01\n";
    assert_eq!(command(parts), "predictor import a.csv");
    assert_eq!(
        command("<!doctype html><html><body>2.31x</body></html>\n"),
        "collector --source browser"
    );
}
