//! One file of every shape that people have: what is read of it, what is left out, and what is refused how.
//!
//! `cargo test -p importer --test it shapes -- --nocapture` prints the table: rounds taken, rows rejected per reason,
//! and the first line of the message.
#![expect(clippy::print_stdout, reason = "the table is for people")]

use importer::{Options, Order, Reason, Recording, Refusal, RefusalKind};
use rounds::Round;
use serde_json::{Value, json};

use crate::fixtures::*;

/// What a shape should come to.
enum Expected {
    /// All true rounds, and these rejected rows.
    Rounds(&'static [(Reason, u64)]),
    /// A refusal with a command that ends like this; empty for no command.
    Refused(RefusalKind, &'static str),
}

use Expected::{Refused, Rounds};

const ALL: Expected = Rounds(&[]);

struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    options: Options,
    truth: Vec<Round>,
    expected: Expected,
}

fn case(name: &'static str, bytes: impl Into<Vec<u8>>, expected: Expected) -> Case {
    Case { name, bytes: bytes.into(), options: options(), truth: usual(), expected }
}

impl Case {
    fn with(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.options);
        self
    }

    fn of(self, truth: Vec<Round>) -> Self {
        Self { truth, ..self }
    }
}

fn check(cases: Vec<Case>) {
    for Case { name, bytes, options, truth, expected } in cases {
        let result = read(bytes, &options);
        println!("{}", line(name, &result));
        match (expected, result) {
            (Rounds(rejected), Ok(recording)) => {
                assert_eq!(recording.rounds, truth, "{name}\n{}", recording.preview());
                let found: Vec<(Reason, u64)> =
                    recording.rejected.iter().map(|it| (it.reason, it.count)).collect();
                assert_eq!(found, rejected, "{name}\n{}", recording.preview());
            }
            (Refused(kind, command), Err(refusal)) => {
                assert_eq!(refusal.kind, kind, "{name}: {refusal}");
                let commands = refusal.commands();
                let is_named = commands
                    .iter()
                    .any(|it| it == &format!("predictor import rounds.csv {command}"));
                assert!(is_named || command.is_empty() && commands.is_empty(), "{name}: {refusal}");
            }
            (Rounds(_), Err(refusal)) => panic!("{name}: {refusal}"),
            (Refused(kind, _), Ok(recording)) => {
                panic!("{name}: not {kind:?} but\n{}", recording.preview())
            }
        }
    }
}

/// A line of the table.
fn line(name: &str, result: &Result<Recording, Refusal>) -> String {
    match result {
        Ok(recording) => {
            let rejected: Vec<String> = recording
                .rejected
                .iter()
                .map(|it| format!("{} {:?}", it.count, it.reason))
                .collect();
            let rejected =
                if rejected.is_empty() { "none".to_owned() } else { rejected.join(", ") };
            format!("| {name} | {} rounds | rejected: {rejected} |", recording.rounds.len())
        }
        Err(refusal) => {
            let message = refusal.message.lines().next().unwrap_or_default();
            format!("| {name} | refused: {:?} | {message} |", refusal.kind)
        }
    }
}

fn t(round: &Round, form: &str) -> String {
    round.time.format(form).to_string()
}

const ISO: &str = "%Y-%m-%d %H:%M:%S";

fn row(round: &Round) -> String {
    format!("{},{}", t(round, ISO), round.multiplier)
}

fn comma(round: &Round) -> String {
    round.multiplier.to_string().replace('.', ",")
}

fn plain() -> String {
    text("timestamp,multiplier", &usual(), row)
}

#[test]
fn texts_in_every_encoding_and_with_every_line_end() {
    let tagged = text("Horário;Multiplicação;multiplicador", &usual(), |r| {
        format!("{};não;{}", t(r, ISO), comma(r))
    });
    check(vec![
        case("plain", plain(), ALL),
        case("UTF-8 with mark", format!("\u{feff}{}", plain()), ALL),
        case("UTF-16 LE with mark", utf16(&plain(), true, true), ALL),
        case("UTF-16 BE with mark", utf16(&plain(), false, true), ALL),
        case("UTF-16 LE without mark", utf16(&plain(), true, false), ALL),
        case("UTF-16 BE without mark", utf16(&plain(), false, false), ALL),
        case("Latin-1", latin1(&tagged), ALL),
        case("CRLF", plain().replace('\n', "\r\n"), ALL),
        case("CR only", plain().replace('\n', "\r"), ALL),
        case("CRLF and LF mixed", plain().replacen('\n', "\r\n", 40), ALL),
        case("no last line end", plain().trim_end(), ALL),
        case("blank lines", plain().replace('\n', "\n\n"), ALL),
    ]);
}

#[test]
fn every_delimiter_and_header() {
    let with = |first: &str, line: fn(&Round) -> String| text(first, &usual(), line);
    let numbered = (0..).zip(usual()).fold(String::new(), |all, (at, round)| {
        all + &format!("{at}\t{}\t{}\n", t(&round, ISO), round.multiplier)
    });
    check(vec![
        case(
            "semicolons and decimal commas",
            with("Data;Multiplicador", |r| format!("{};{}", t(r, "%d/%m/%Y %H:%M:%S"), comma(r))),
            ALL,
        ),
        case(
            "tabs",
            with("Time\tCrash point", |r| format!("{}\t{}", t(r, ISO), r.multiplier)),
            ALL,
        ),
        case(
            "pipes",
            with("| Время | Коэффициент |", |r| {
                format!("| {} | {} |", t(r, ISO), r.multiplier)
            }),
            ALL,
        ),
        case(
            "runs of spaces",
            with("timestamp  multiplier", |r| format!("{}   {}", t(r, ISO), r.multiplier)),
            ALL,
        ),
        case(
            "spaces without header",
            with("", |r| format!("{} {}x", t(r, ISO), r.multiplier)),
            ALL,
        ),
        case(
            "quoted cells",
            with("\"time\",\"multiplier\"", |r| format!("\"{}\",\"{}\"", t(r, ISO), comma(r))),
            ALL,
        ),
        case(
            "sep line",
            format!(
                "sep=;\n{}",
                with("Zeit;Multiplikator", |r| format!("{};{}", t(r, ISO), comma(r)))
            ),
            ALL,
        ),
        case("title and comments", format!("My rounds\n# from the lobby\n\n{}", plain()), ALL),
        case("title with a comma", format!("Aviator rounds, March\n{}", plain()), ALL),
        case("pandas index", format!("\ttime\tmultiplier\n{numbered}"), ALL),
        case("pandas index with a name", format!("Unnamed: 0\ttime\tmultiplier\n{numbered}"), ALL),
        case("row names of R", format!("\"time\"\t\"multiplier\"\n{numbered}"), ALL),
        case("header twice", plain().replacen('\n', "\ntimestamp,multiplier\n", 1), ALL),
        case(
            "French",
            with("Horodatage;Multiplicateur", |r| format!("{};{}", t(r, ISO), comma(r))),
            ALL,
        ),
        case(
            "Turkish",
            with("Tarih;Çarpan", |r| format!("{};{}", t(r, "%d.%m.%Y %H:%M:%S"), comma(r))),
            ALL,
        ),
        case(
            "Spanish",
            with("Fecha y hora;Multiplicador", |r| {
                format!("{};{}", t(r, "%d-%m-%Y %H:%M:%S"), comma(r))
            }),
            ALL,
        ),
        case("Hindi", with("Samay,Gunak", row), ALL),
        case("columns swapped midway", swapped(), ALL),
        case(
            "no header, uuid first",
            with("", |r| {
                format!("6f9619ff-8b86-d011-b42d-00cf4fc964ff,{},{}", t(r, ISO), r.multiplier)
            }),
            ALL,
        ),
        case(
            "no header, colours of a page",
            with("", |r| format!("{}x,\"rgb(52, 180, 255)\",{}", r.multiplier, t(r, ISO))),
            ALL,
        ),
        case(
            "more columns",
            with("id,multiplier,players,created_at,note", |r| {
                format!(
                    "{},{},{},{},",
                    r.time.timestamp(),
                    r.multiplier,
                    r.multiplier.cents() % 97,
                    t(r, ISO)
                )
            }),
            ALL,
        ),
    ]);
}

fn swapped() -> String {
    let (first, second) = (&usual()[..50], &usual()[50..]);
    text("timestamp,multiplier", first, row)
        + &text("multiplier,timestamp", second, |r| format!("{},{}", r.multiplier, t(r, ISO)))
}

#[test]
fn every_form_of_time() {
    let form = |form: &'static str| {
        text("time;multiplier", &usual(), |r| format!("{};{}", t(r, form), r.multiplier))
    };
    let number = |unit: i64| {
        text("timestamp,multiplier", &usual(), |r| {
            format!("{},{}", r.time.timestamp_micros() / unit, r.multiplier)
        })
    };
    let serial = text("date,multiplier", &usual(), |r| {
        format!(
            "{:.10},{}",
            r.time.timestamp_millis() as f64 / 86_400_000.0 + 25_569.0,
            r.multiplier
        )
    });
    let early = rounds(2, 400, "2026-03-09T22:00:00");
    let month_first = text("timestamp,multiplier", &rounds(3, 2000, "2026-03-12T16:00:00"), |r| {
        format!("{},{}", t(r, "%m-%d-%Y %H:%M:%S"), r.multiplier)
    });
    let unsettled = text("timestamp,multiplier", &rounds(2, 120, "2026-03-09T11:00:00"), |r| {
        format!("{},{}", t(r, "%d/%m/%Y %H:%M:%S"), r.multiplier)
    });
    let clocks =
        text("time,multiplier", &early, |r| format!("{},{}", t(r, "%H:%M:%S"), r.multiplier));
    let backwards: Vec<Round> = early.iter().rev().copied().collect();
    let clocks_back =
        text("time,multiplier", &backwards, |r| format!("{},{}", t(r, "%H:%M:%S"), r.multiplier));
    check(vec![
        case("AM and PM", form("%Y-%m-%d %I:%M:%S %p"), ALL),
        case("month first with PM", form("%m/%d/%Y %I:%M:%S %p"), ALL),
        case("slashes", form("%Y/%m/%d %H:%M:%S"), ALL),
        case("points, day first", form("%d.%m.%Y %H:%M:%S"), ALL),
        case("T and Z", form("%Y-%m-%dT%H:%M:%S%.3fZ"), ALL),
        case("microseconds and offset", form("%Y-%m-%dT%H:%M:%S%.6f+00:00"), ALL),
        case("JavaScript", form("%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)"), ALL),
        case("RFC 2822", form("%a, %d %b %Y %H:%M:%S +0000"), ALL),
        case(
            "date and time apart",
            form("%Y-%m-%d;%H:%M:%S").replacen("time;", "date;time;", 1),
            ALL,
        ),
        case("epoch seconds", number(1_000_000), ALL),
        case("epoch milliseconds", number(1000), ALL),
        case("epoch microseconds", number(1), ALL),
        case("spreadsheet days", serial, ALL),
        case("month first, settled late", month_first, ALL).of(rounds(
            3,
            2000,
            "2026-03-12T16:00:00",
        )),
        case(
            "day or month first",
            unsettled.clone(),
            Refused(RefusalKind::DateOrder, "--timezone +00:00 --date-order day-first"),
        ),
        case("day first, said so", unsettled, ALL)
            .with(|it| it.date_order = Some("day-first".parse().unwrap()))
            .of(rounds(2, 120, "2026-03-09T11:00:00")),
        case(
            "both orders",
            "timestamp,multiplier\n13/01/2026 10:00:00,1.20\n01/13/2026 10:00:30,2.31\n",
            Refused(RefusalKind::DateOrder, "--timezone +00:00 --date-order month-first"),
        ),
        case(
            "years of two digits",
            form("%d/%m/%y %H:%M:%S"),
            Refused(RefusalKind::TwoDigitYears, "--timezone +00:00 --no-times"),
        ),
        case(
            "times of day",
            clocks.clone(),
            Refused(RefusalKind::NoDate, "--timezone +00:00 --date YYYY-MM-DD"),
        ),
        case("times of day over midnight", clocks, ALL)
            .with(|it| it.date = Some("2026-03-09".parse().unwrap()))
            .of(early.clone()),
        case("times of day, newest first", clocks_back, ALL)
            .with(|it| it.date = Some("2026-03-09".parse().unwrap()))
            .of(early),
        case(
            "years nobody played in",
            plain().replacen("2026", "1999", 2).replacen("2026-03-20", "9999-03-20", 1),
            Rounds(&[(Reason::Year, 3)]),
        )
        .of(usual()[3..].to_vec()),
    ]);
}

#[test]
fn every_form_of_number() {
    let number = |form: fn(&Round) -> String| {
        text("time;crash", &usual(), |r| format!("{};{}", t(r, ISO), form(r)))
    };
    let thousands = |r: &Round| grouped(r.multiplier.cents(), ',', '.');
    let mixed = text("timestamp;multiplier", &usual(), |r| {
        let is_third = r.multiplier.cents() % 3 == 0 && r.multiplier.cents() < 1000;
        format!("{};{}", t(r, ISO), if is_third { format!("{}0", r.multiplier) } else { comma(r) })
    });
    let large: Vec<Round> = [vec!["5000.25", "12345.60"], vec![]]
        .concat()
        .iter()
        .enumerate()
        .map(|(at, text)| Round {
            time: time("2026-03-21T11:00:00")
                + chrono::TimeDelta::minutes(i64::try_from(at).unwrap()),
            multiplier: text.parse().unwrap(),
        })
        .collect();
    let truth: Vec<Round> = usual().into_iter().chain(large).collect();
    let odd = "2026-03-21 12:00:00,0.97\n2026-03-21 12:01:00,1765395155123\n2026-03-21 12:02:00,1e300\n2026-03-21 12:03:00,\n2026-03-21 12:04:00,NaN\n";
    check(vec![
        case("x behind", number(|r| format!("{}x", r.multiplier)), ALL),
        case("x before", number(|r| format!("x{}", r.multiplier)), ALL),
        case("X after a space", number(|r| format!("{} X", r.multiplier)), ALL),
        case("× behind", number(|r| format!("{}×", comma(r))), ALL),
        case(
            "thousands in commas",
            text("time;crash", &truth, |r| format!("{};{}", t(r, ISO), thousands(r))),
            ALL,
        )
        .of(truth.clone()),
        case(
            "thousands in points",
            text("time;crash", &truth, |r| {
                format!("{};{}", t(r, ISO), grouped(r.multiplier.cents(), '.', ','))
            }),
            ALL,
        )
        .of(truth),
        case(
            "1.090 among decimal commas",
            mixed.clone(),
            Refused(RefusalKind::AmbiguousNumbers, "--timezone +00:00 --decimal point"),
        ),
        case("1.090 is 1.09, said so", mixed, ALL)
            .with(|it| it.decimal = Some("point".parse().unwrap())),
        case(
            "hundredths",
            number(|r| r.multiplier.cents().to_string()),
            Refused(RefusalKind::Hundredths, "--timezone +00:00 --scale 0.01"),
        ),
        case(
            "exponents, as NumPy writes",
            number(|r| format!("{:.18e}", r.multiplier.as_f64())),
            ALL,
        ),
        case(
            "percentages",
            number(|r| format!("{}%", r.multiplier.cents())),
            Refused(RefusalKind::Percentages, "--timezone +00:00 --scale 0.01"),
        ),
        case("percentages, said so", number(|r| format!("{} %", r.multiplier.cents())), ALL)
            .with(|it| it.scale = Some(importer::Scale::new(0.01).unwrap())),
        case("hundredths, said so", number(|r| r.multiplier.cents().to_string()), ALL)
            .with(|it| it.scale = Some(importer::Scale::new(0.01).unwrap())),
        case(
            "odd values",
            plain() + odd,
            Rounds(&[(Reason::EmptyMultiplier, 2), (Reason::TooLarge, 2), (Reason::BelowOne, 1)]),
        ),
        case(
            "decimal commas without quotation marks",
            text("timestamp,multiplier", &usual(), |r| format!("{},{}", t(r, ISO), comma(r))),
            Refused(RefusalKind::FieldCount, ""),
        ),
    ]);
}

fn grouped(cents: u64, group: char, decimal: char) -> String {
    let whole = cents / 100;
    let whole = if whole >= 1000 {
        format!("{}{group}{:03}", whole / 1000, whole % 1000)
    } else {
        whole.to_string()
    };
    format!("{whole}{decimal}{:02}", cents % 100)
}

#[test]
fn rows_that_are_not_one_round_each() {
    let rows = usual();
    let newest_first: Vec<Round> = rows.iter().rev().copied().collect();
    let bets = text("timestamp,stake,round_id,multiplier", &rows, |r| {
        let bet = |stake| format!("{},{stake},{},{}", t(r, ISO), r.time.timestamp(), r.multiplier);
        [bet(10), bet(25), bet(100)].join("\n")
    });
    let bets_without_id = text("timestamp,multiplier", &rows, |r| [row(r), row(r)].join("\n"));
    let ticks = text("timestamp,round_id,multiplier,state", &rows, |r| {
        let tick =
            |value: &str, state| format!("{},{},{value},{state}", t(r, ISO), r.time.timestamp());
        [
            tick("1.00", "RUNNING"),
            tick("1.01", "RUNNING"),
            tick(&r.multiplier.to_string(), "CRASHED"),
        ]
        .join("\n")
    });
    let ticks_without_state = text("timestamp,round_id,multiplier", &rows, |r| {
        let tick = |value: &str| format!("{},{},{value}", t(r, ISO), r.time.timestamp());
        [tick("1.005"), tick("1.015"), tick(&r.multiplier.to_string())].join("\n")
    });
    let bulk: Vec<Round> =
        rows.iter().map(|r| Round { time: time("2026-03-20T19:20:46"), ..*r }).collect();
    let mut shape_change = text("timestamp,round_id,multiplier,source", &rows[..60], |r| {
        format!("{},{},{},screen", t(r, ISO), r.time.timestamp(), r.multiplier)
    });
    shape_change += &text("", &rows[60..], |r| {
        format!("{},{},{}", t(r, ISO), r.multiplier, r.time.timestamp())
    });
    let torn = plain() + "2026-03-21 12:00:00,\"2.31\n2026-03-21 12:00:30\n";
    check(vec![
        case("newest first", text("timestamp,multiplier", &newest_first, row), ALL),
        case("three bets a round", bets, ALL),
        case("two bets a round without id", bets_without_id, ALL),
        case(
            "a row a tick",
            ticks.clone(),
            Refused(RefusalKind::SeveralRowsPerRound, "--timezone +00:00 --where state=CRASHED"),
        ),
        case("a row a tick, said so", ticks, ALL)
            .with(|it| it.filter = Some("state=crashed".parse().unwrap())),
        case(
            "a row a tick without state",
            ticks_without_state,
            Refused(RefusalKind::SeveralRowsPerRound, "--timezone +00:00 --where COLUMN=VALUE"),
        ),
        case(
            "one time for a whole list",
            text("", &bulk, |r| format!("{}x,{}", r.multiplier, t(r, ISO))),
            ALL,
        )
        .of(bulk),
        case("a column goes missing midway", shape_change, Rounds(&[(Reason::FieldCount, 60)]))
            .of(rows[..60].to_vec()),
        case("torn rows", torn, Rounds(&[(Reason::FieldCount, 1), (Reason::Quote, 1)])),
        case("rows out of place", out_of_place(&rows), ALL),
        case(
            "only the header",
            "timestamp,multiplier\n",
            Refused(RefusalKind::NotMultipliers, "--timezone +00:00 --multiplier-column NAME"),
        ),
        case("empty", " \n", Refused(RefusalKind::Empty, "")),
    ]);
}

fn out_of_place(rows: &[Round]) -> String {
    let mut rows = rows.to_vec();
    rows.swap(10, 40);
    text("timestamp,multiplier", &rows, row)
}

#[test]
fn columns_that_are_not_multipliers() {
    let with = |first: &str, line: fn(&Round) -> String| text(first, &usual(), line);
    check(vec![
        case(
            "ids only",
            with("observed_at,round_id,source", |r| {
                format!("{},{},GetUserBets", t(r, ISO), 6_432_000 + r.time.timestamp() % 100_000)
            }),
            Refused(RefusalKind::NoMultiplierColumn, "--timezone +00:00 --multiplier-column NAME"),
        ),
        case(
            "ids and counts without header",
            with("", |r| format!("{};{}", r.time.timestamp_millis(), r.multiplier.cents() % 977)),
            Refused(RefusalKind::NoMultiplierColumn, "--timezone +00:00 --multiplier-column NAME"),
        ),
        case(
            "payout is money, actual_multiplier is not",
            with("timestamp,stake,payout,actual_multiplier", |r| {
                format!(
                    "{},100.0,{},{}",
                    t(r, ISO),
                    if r.multiplier.cents() > 200 { 150 } else { 0 },
                    r.multiplier
                )
            }),
            ALL,
        ),
        case(
            "two columns of multipliers",
            with("timestamp,crash_point,odds", |r| {
                format!(
                    "{},{},{}",
                    t(r, ISO),
                    r.multiplier,
                    (r.multiplier.cents() * 7 % 900 + 101) as f64 / 100.0
                )
            }),
            Refused(
                RefusalKind::SeveralMultiplierColumns,
                "--timezone +00:00 --multiplier-column odds",
            ),
        ),
        case(
            "the same multiplier twice",
            with("timestamp,crash_point,multiplier", |r| {
                format!("{},{},{}", t(r, ISO), r.multiplier, r.multiplier)
            }),
            ALL,
        ),
        case(
            "a target and the multiplier",
            with("timestamp,target_multiplier,multiplier", |r| {
                format!("{},2.50,{}", t(r, ISO), r.multiplier)
            }),
            ALL,
        ),
        case(
            "a counter called multiplier",
            with("timestamp,multiplier", |r| {
                format!("{},{}", t(r, ISO), r.time.timestamp() % 1_000_000)
            }),
            Refused(
                RefusalKind::NotMultipliers,
                "--timezone +00:00 --multiplier-column multiplier",
            ),
        ),
        case(
            "another name, said so",
            with("timestamp,stake,thing", |r| format!("{},5,{}", t(r, ISO), r.multiplier)),
            ALL,
        )
        .with(|it| it.multiplier_column = Some("thing".to_owned())),
        case("by number", with("", |r| format!("{},7,{}", t(r, ISO), r.multiplier)), ALL)
            .with(|it| it.multiplier_column = Some("3".to_owned())),
        case("no such column", plain(), Refused(RefusalKind::NoSuchColumn, ""))
            .with(|it| it.multiplier_column = Some("crash".to_owned())),
        case(
            "two times without names",
            with("", |r| format!("{},{},{}x", t(r, ISO), t(r, ISO), r.multiplier)),
            Refused(RefusalKind::SeveralTimeColumns, "--timezone +00:00 --time-column 2"),
        ),
        case(
            "start and end",
            with("started_at,ended_at,crash", |r| {
                format!(
                    "{},{},{}",
                    t(&Round { time: r.time - chrono::TimeDelta::seconds(9), ..*r }, ISO),
                    t(r, ISO),
                    r.multiplier
                )
            }),
            ALL,
        ),
    ]);
}

#[test]
fn json_of_every_kind() {
    let all = usual();
    let objects: Vec<Value> = all
        .iter()
        .map(|r| json!({"time": t(r, ISO), "crashPoint": r.multiplier, "id": r.time.timestamp()}))
        .collect();
    let lines = objects.iter().fold(String::new(), |all, it| all + &it.to_string() + "\n");
    let arrays: Vec<Value> =
        all.iter().map(|r| json!([t(r, ISO), format!("{}x", r.multiplier)])).collect();
    let graph = json!({"data": {"game": {"name": "Aviator", "rounds": {"edges": all.iter().map(|r| json!({"node": {"crashPoint": r.multiplier, "createdAt": t(r, "%Y-%m-%dT%H:%M:%SZ")}})).collect::<Vec<_>>()}}, "users": [{"id": 1, "name": "a"}]}});
    let columns = json!({"time": all.iter().map(|r| t(r, ISO)).collect::<Vec<_>>(), "multiplier": all.iter().map(|r| r.multiplier).collect::<Vec<_>>()});
    let keyed = |of: fn(&Round) -> Value| {
        (0..)
            .zip(&all)
            .map(|(at, r)| (format!("{at:04}"), of(r)))
            .collect::<serde_json::Map<_, _>>()
    };
    let pandas = json!({"time": keyed(|r| json!(r.time.timestamp_millis())), "multiplier": keyed(|r| json!(r.multiplier))});
    let pages = json!({"pages": objects.chunks(50).map(|page| json!({"items": page, "size": 50})).collect::<Vec<_>>()});
    let by_id = |of: &dyn Fn(&Round) -> Value| {
        let ids = (0..).map(|at: u32| (9_950 + at).to_string());
        Value::from(ids.zip(all.iter().map(of)).collect::<serde_json::Map<_, _>>())
    };
    let objects_by_id = |r: &Round| json!({"crashPoint": r.multiplier, "endedAt": t(r, ISO)});
    let by_time = |key: fn(&Round) -> String| {
        Value::from(
            all.iter().map(|r| (key(r), json!(r.multiplier))).collect::<serde_json::Map<_, _>>(),
        )
    };
    let hashed: serde_json::Map<_, _> = all
        .iter()
        .map(|r| (format!("{:x}c", r.time.timestamp() * 7919 % 65_521), json!(r.multiplier)))
        .collect();
    let hashed = Value::from(hashed);
    let two = json!({"rounds": objects, "best": all.iter().rev().take(60).map(|r| json!({"time": t(r, ISO), "multiplier": r.multiplier})).collect::<Vec<_>>()});
    check(vec![
        case("array of objects", Value::from(objects.clone()).to_string(), ALL),
        case(
            "array of objects, UTF-16",
            utf16(&Value::from(objects.clone()).to_string(), true, true),
            ALL,
        ),
        case("a JSON object a line", lines.clone(), ALL),
        case(
            "a torn last line",
            lines + "{\"time\": \"2026-03-2",
            Rounds(&[(Reason::EmptyMultiplier, 1)]),
        ),
        case("array of arrays", Value::from(arrays).to_string(), ALL),
        case("GraphQL", graph.to_string(), ALL),
        case("object of columns", columns.to_string(), ALL),
        case("object of columns, pandas", pandas.to_string(), ALL),
        case(
            "object of columns without times, pandas",
            json!({"multiplier": keyed(|r| json!(r.multiplier))}).to_string().replace("\"0", "\""),
            Refused(RefusalKind::NoTimes, "--timezone +00:00 --no-times"),
        ),
        case("objects by the id of the round", by_id(&objects_by_id).to_string(), ALL),
        case(
            "objects by the id of the round, below a key",
            json!({"status": "ok", "rounds": by_id(&objects_by_id)}).to_string(),
            ALL,
        ),
        case(
            "numbers by the id of the round",
            by_id(&|r| json!(r.multiplier)).to_string(),
            Refused(RefusalKind::NoTimes, "--timezone +00:00 --no-times"),
        ),
        case(
            "numbers by an id that cannot be sorted",
            hashed.to_string(),
            Refused(RefusalKind::NoTimes, ""),
        )
        .with(|it| it.without_times = true),
        case("numbers by time", by_time(|r| t(r, ISO)).to_string(), ALL),
        case(
            "numbers by time, seconds",
            by_time(|r| r.time.timestamp().to_string()).to_string(),
            ALL,
        ),
        case(
            "arrays by the id of the round",
            by_id(&|r| json!([t(r, ISO), r.multiplier])).to_string(),
            ALL,
        ),
        case("pages of a list", pages.to_string(), ALL),
        case(
            "plain numbers",
            json!(all.iter().map(|r| r.multiplier).collect::<Vec<_>>()).to_string(),
            Refused(RefusalKind::NoTimes, "--timezone +00:00 --no-times"),
        ),
        case(
            "two lists",
            two.to_string(),
            Refused(RefusalKind::SeveralTables, "--timezone +00:00 --path rounds"),
        ),
        case("one of two lists, said so", two.to_string(), ALL)
            .with(|it| it.path = Some("rounds".to_owned())),
        case(
            "torn JSON",
            "{\"rounds\": [{\"multiplier\": 2.31}, ",
            Refused(RefusalKind::Container, ""),
        ),
    ]);
}

#[test]
fn workbooks_and_archives() {
    let all = usual();
    let rows: Vec<Vec<String>> =
        std::iter::once(vec![
            text_cell("Fecha"),
            text_cell("Multiplicador"),
            text_cell("Jugadores"),
        ])
        .chain(all.iter().map(|r| {
            vec![date_cell(r.time), number_cell(r.multiplier.as_f64()), number_cell(17.0)]
        }))
        .collect();
    let texts: Vec<Vec<String>> = all
        .iter()
        .map(|r| vec![text_cell(&t(r, ISO)), text_cell(&format!("{}x", r.multiplier))])
        .collect();
    let notes = vec![vec![text_cell("Notes")], vec![text_cell("recorded in March")]];
    check(vec![
        case("workbook", workbook(&[("Rounds", rows.clone())]), ALL),
        case("workbook with notes", workbook(&[("Notes", notes), ("Rounds", rows.clone())]), ALL),
        case("workbook of texts", workbook(&[("Rounds", texts)]), ALL),
        case(
            "two sheets",
            workbook(&[("One", rows.clone()), ("Two", rows.clone())]),
            Refused(RefusalKind::SeveralTables, "--timezone +00:00 --path Two"),
        ),
        case("one of two sheets, said so", workbook(&[("One", rows.clone()), ("Two", rows)]), ALL)
            .with(|it| it.path = Some("Two".to_owned())),
        case("zip", zip(&[("export/", b""), ("export/rounds.csv", plain().as_bytes())]), ALL),
        case(
            "zip of two files",
            zip(&[("a.csv", b"1"), ("b.csv", b"2")]),
            Refused(RefusalKind::Container, ""),
        ),
        case("gzip", gzip(plain().as_bytes()), ALL),
        case(
            "torn zip",
            &zip(&[("a.csv", plain().as_bytes())])[..200],
            Refused(RefusalKind::Container, ""),
        ),
        case("database", b"SQLite format 3\0\0\0\0".to_vec(), Refused(RefusalKind::Container, "")),
        case("page", "<html><td>x1.53</td></html>", Refused(RefusalKind::Container, "")),
    ]);
}

#[test]
fn texts_that_are_no_table() {
    let all = usual();
    let list = |separator: &str, per_line: usize| {
        let numbers: Vec<String> = all.iter().map(|r| format!("{}x", r.multiplier)).collect();
        let lines: Vec<String> =
            numbers.chunks(per_line).map(|line| line.join(separator)).collect();
        lines.join("\n") + "\n"
    };
    let logfmt = |form: &'static str| {
        text("", &all, |r| form.replace("TIME", &t(r, ISO)).replace('#', &r.multiplier.to_string()))
            .trim_start()
            .to_owned()
    };
    let no_times = || Refused(RefusalKind::NoTimes, "--timezone +00:00 --no-times");
    check(vec![
        case("multipliers on one line", list(", ", 1000), no_times()),
        case("multipliers, ten a line", list(" ", 10), no_times()),
        case("keys and values", logfmt("time=TIME mult=#"), ALL),
        case("logfmt", logfmt("ts=\"TIME\" level=info msg=\"round over\" crash_point=#"), ALL),
        case(
            "ids of ten digits, one a second",
            text("", &all, |r| {
                format!("{},{}", 1_765_395_155 + r.multiplier.cents() % 2, r.multiplier)
            }),
            Refused(RefusalKind::NoTimes, "--timezone +00:00 --no-times"),
        ),
        case(
            "ids of ten digits that count up",
            (0..).zip(&all).fold(String::new(), |text, (at, r)| {
                text + &format!("{},{}\n", 1_765_395_155 + at, r.multiplier)
            }),
            no_times(),
        ),
        case(
            "forecasts",
            text("timestamp,prediction", &all, row),
            Refused(
                RefusalKind::NoMultiplierColumn,
                "--timezone +00:00 --multiplier-column prediction",
            ),
        ),
    ]);
}

#[test]
fn rows_that_were_pasted_again_count_once() {
    let all = usual();
    let newest_first: Vec<Round> = all.iter().rev().copied().collect();
    check(vec![
        case("pasted twice", plain() + &plain(), ALL),
        case(
            "pasted twice, newest first",
            text("timestamp,multiplier", &[&newest_first[..], &newest_first[..]].concat(), row),
            ALL,
        ),
        case(
            "two exports that overlap, pasted together",
            text("timestamp,multiplier", &[&all[..90], &all[40..]].concat(), row),
            ALL,
        ),
        case(
            "the same, the later one first",
            text("timestamp,multiplier", &[&all[40..], &all[..90]].concat(), row),
            ALL,
        ),
    ]);
}

#[test]
fn logs() {
    let log = |form: fn(&Round) -> String| text("", &usual(), form).trim_start().to_owned();
    let level = |form: &'static str| {
        move |r: &Round| form.replace("TIME", &t(r, ISO)).replace('#', &r.multiplier.to_string())
    };
    let of = |form: &'static str| text("", &usual(), level(form)).trim_start().to_owned();
    let ticks =
        "TIME [DEBUG] flying 1.07x\nTIME [INFO] crashed at #x\nTIME [INFO] bob cashed out at 1.02x";
    check(vec![
        case("log", of("TIME [INFO] crashed at #x"), ALL),
        case("log, time in brackets", of("[TIME] INFO: crashed at #x"), ALL),
        case("log, level first", of("[INFO] TIME Round 5512 crashed, multiplier=#"), ALL),
        case("log, one word", of("[TIME] crash #"), ALL),
        case("log of Python", of("TIME,123 - game - INFO - Voou em x#"), Rounds(&[])).of(usual()
            .into_iter()
            .map(|r| Round { time: r.time + chrono::TimeDelta::milliseconds(123), ..r })
            .collect()),
        case(
            "log of a chat",
            log(|r| format!("[{}] Bot: crashed at {}x", t(r, "%d/%m/%Y, %H:%M:%S"), comma(r))),
            ALL,
        )
        .with(|it| it.date_order = Some(importer::DateOrder::DayFirst)),
        case("log of ticks and bets", of(ticks), ALL),
        case(
            "log without a crash",
            of("TIME [INFO] bob cashed out at #x\nTIME [INFO] flying 1.07x"),
            Refused(
                RefusalKind::SeveralRowsPerRound,
                "--timezone +00:00 --where 'event=[INFO] flying #x'",
            ),
        ),
        case(
            "log with two words for the end",
            of("TIME crashed at #x\nTIME summary: it crashed at #x today"),
            Refused(
                RefusalKind::SeveralRowsPerRound,
                "--timezone +00:00 --where 'event=crashed at #x'",
            ),
        ),
        case(
            "log with two words for the end, said so",
            of("TIME crashed at #x\nTIME summary: it crashed at #x today"),
            ALL,
        )
        .with(|it| it.filter = Some("event=crashed at #x".parse().unwrap())),
    ]);
}

#[test]
fn har_files() {
    let all = usual();
    let list = |from: usize| {
        let rounds: Vec<Value> = all[from..from + 60].iter().rev().map(|r| json!({"roundId": r.time.timestamp(), "multiplier": r.multiplier, "endedAt": r.time.timestamp_millis()})).collect();
        let text = json!({"status": "ok", "data": {"rounds": rounds}}).to_string();
        json!({"request": {"url": format!("https://game.example/history?page={from}")}, "response": {"content": {"mimeType": "application/json", "text": text}}})
    };
    let polled = json!({"log": {"entries": [list(0), list(20), list(60)]}});
    let messages: Vec<Value> = all.iter().flat_map(|r| {
        let message = |data: String| json!({"type": "receive", "time": r.time.timestamp_millis() as f64 / 1000.0, "opcode": 1, "data": data});
        [message("42[\"tick\",{\"multiplier\":1.07}]".to_owned()), message(format!("42[\"crash\",{{\"multiplier\":{}}}]", r.multiplier)), message("2".to_owned())]
    }).collect();
    let socket = json!({"log": {"entries": [{"request": {"url": "wss://game.example/socket"}, "response": {"content": {}}, "_webSocketMessages": messages}]}});
    let nothing = json!({"log": {"entries": [{"request": {"url": "https://game.example/"}, "response": {"content": {"text": "<html>"}}}]}});
    check(vec![
        case("a list asked for three times", polled.to_string(), ALL),
        case(
            "messages of every tick",
            socket.to_string(),
            Refused(RefusalKind::SeveralRowsPerRound, "--timezone +00:00 --where event=crash"),
        ),
        case("messages of crashes, said so", socket.to_string(), ALL)
            .with(|it| it.filter = Some("event=crash".parse().unwrap())),
        case(
            "HAR without rounds",
            nothing.to_string(),
            Refused(RefusalKind::NoMultiplierColumn, ""),
        ),
    ]);
}

#[test]
fn rounds_without_times_are_placed_at_the_usual_pace() {
    let all = usual();
    let file = text("Multiplier", &all, |r| r.multiplier.to_string());
    let mut options = options();
    let refusal = read(file.clone().into_bytes(), &options).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::NoTimes);
    options.without_times = true;
    let recording = read(file.into_bytes(), &options).unwrap();
    assert!(recording.is_estimated);
    let multipliers =
        |rounds: &[Round]| rounds.iter().map(|round| round.multiplier).collect::<Vec<_>>();
    assert_eq!(multipliers(&recording.rounds), multipliers(&all));
    assert_eq!(recording.rounds.last().unwrap().time, options.now);
    assert!(recording.rounds.windows(2).all(|pair| pair[0].time < pair[1].time));
    // A number that counts down says that the newest round is the first row.
    let numbered = (0..).zip(&all).fold("no;crash\n".to_owned(), |text, (at, r)| {
        text + &format!("{};{}\n", 5000 - at, r.multiplier)
    });
    let recording = read(numbered.into_bytes(), &options).unwrap();
    assert_eq!(recording.order, Order::NewestFirst);
    assert_eq!(recording.rounds.last().unwrap().multiplier, all[0].multiplier);
}

#[test]
fn a_rejected_row_is_named_by_its_line_in_the_file() {
    let all = usual();
    let above = "99999999.50";
    let table = format!("{}\n2026-03-20 10:00:00,{above}\n", plain());
    let keys = text("", &all, |r| format!("at={} mult={}", t(r, "%FT%T"), r.multiplier));
    let keys = format!("{keys}\nat=2026-03-20T10:00:00 mult={above}\n");
    let numbers = all.chunks(10).fold(String::new(), |text, line| {
        let line: Vec<String> = line.iter().map(|r| r.multiplier.to_string()).collect();
        text + &line.join(" ") + "\n"
    });
    let numbers = format!("{numbers}\n{above} 2.00\n");
    let mut numbers_options = options();
    numbers_options.without_times = true;
    numbers_options.multiplier_column = Some("1".to_owned());
    for (name, text, options) in [
        ("table", table, options()),
        ("keys and values", keys, options()),
        ("numbers", numbers, numbers_options),
    ] {
        let file = format!("# exported\n\n// by hand\n{text}");
        let line = file.lines().position(|line| line.contains(above)).unwrap() as u64 + 1;
        let recording = read(file.into_bytes(), &options).unwrap();
        let rejected: Vec<_> = recording.rejected.iter().map(|it| (it.reason, it.line)).collect();
        assert_eq!(rejected, [(Reason::TooLarge, line)], "{name}");
    }
}

#[test]
fn the_hour_that_comes_twice_is_told_by_the_order_of_the_rows() {
    for (zone, start) in [
        ("Europe/Berlin", "2025-10-25T23:00:00"),
        ("Europe/London", "2025-10-25T23:00:00"),
        ("America/New_York", "2025-11-02T04:00:00"),
        ("Australia/Lord_Howe", "2026-04-04T13:00:00"),
    ] {
        let truth = rounds(7, 600, start);
        let local: chrono_tz::Tz = zone.parse().unwrap();
        let line =
            |r: &Round| format!("{},{}", r.time.with_timezone(&local).format(ISO), r.multiplier);
        let newest_first: Vec<Round> = truth.iter().rev().copied().collect();
        for rows in [&truth, &newest_first] {
            let mut options = options();
            options.zone = zone.parse().unwrap();
            let recording =
                read(text("timestamp,multiplier", rows, line).into_bytes(), &options).unwrap();
            assert_eq!(recording.rounds, truth, "{zone}");
        }
    }
}

#[test]
fn a_refusal_shows_what_was_seen_and_the_command() {
    let file = text("observed_at,round_id,source", &usual(), |r| {
        format!("{},{},Bets", t(r, ISO), r.time.timestamp() % 100_000)
    });
    let refusal = read(file.into_bytes(), &options()).unwrap_err().to_string();
    for part in [
        "rounds.csv: no column is recognized as multipliers",
        "`observed_at` (column 1): times, such as 2026-03-20 11:00:",
        "`round_id` (column 2): whole numbers from ",
        "rising from row to row",
        "`source` (column 3): texts, such as Bets",
        "To read it: predictor import rounds.csv --timezone +00:00 --multiplier-column NAME",
    ] {
        assert!(refusal.contains(part), "{part}\n{refusal}");
    }
}
