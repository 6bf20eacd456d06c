//! Tables of other things: none is taken for rounds.

use chrono::TimeDelta;

use crate::fixtures::{Random, options, read, time};

const TABLES: u64 = 10_000;

/// A column of something else than multipliers.
fn column(random: &mut Random, rows: usize) -> (&'static str, Vec<String>) {
    let (a, b) = (random.unit(), random.unit());
    let start = random.next() % 10_u64.pow(4 + u32::try_from(random.below(12)).unwrap());
    let mut walk = 1.5 + 200.0 * a;
    let name = random.below(5);
    let kind = random.below(11);
    let names = [
        ["id", "round_id", "game", "uuid", "no"],
        ["players", "users", "bets", "count", "jogadores"],
        ["stake", "amount", "win", "balance", "aposta"],
        ["price", "close", "open", "preco", "usd"],
        ["lat", "longitude", "latitude", "lng", "lon"],
        ["temperature", "temp", "humidity", "pressure", "speed"],
        ["price", "cost", "fee", "tutar", "preis"],
        ["score", "rating", "level", "probability", "rate"],
        ["duration", "seconds", "ping", "latency", "total"],
        ["percent", "share", "rtp", "win_rate", "uptime"],
        ["wait", "elapsed", "session", "response_ms", "age"],
    ];
    let mut value = |random: &mut Random, row: u64| match kind {
        0 => (start + row).to_string(),
        1 => (1 + random.below(800)).to_string(),
        2 => format!("{:.2}", [0.0, 1.0, 5.0, 10.0, 12.5, 100.0][random.below(6)] * (1.0 + b)),
        3 => {
            walk *= 1.0 + 0.02 * (random.unit() - 0.5);
            format!("{walk:.2}")
        }
        4 => format!("{:.5}", a * 80.0 - 40.0 + random.unit() * (0.01 + b)),
        5 => format!("{:.1}", b * 25.0 + 9.0 * (random.unit() + random.unit() - 1.0)),
        6 => {
            let normal = (0..6).map(|_| random.unit()).sum::<f64>() - 3.0;
            format!("{:.2}", (0.5 + 2.5 * a) * (normal * (0.3 + b)).exp())
        }
        7 => format!("{:.2}", 1.0 + (4.0 + 6.0 * b) * random.unit()),
        8 => format!("{:.3}", 0.2 + 40.0 * a * random.unit()),
        9 => format!("{:.1}{}", 100.0 * random.unit(), ["", "%"][usize::from(a < 0.3)]),
        _ => format!("{:.2}", -(2.0 + 60.0 * b) * (1.0 - random.unit()).ln()),
    };
    (names[kind][name], (0..rows as u64).map(|row| value(random, row)).collect())
}

#[test]
fn no_table_of_other_things_is_taken_for_rounds() {
    for seed in 0..TABLES {
        let mut random = Random::new(seed.wrapping_mul(0x5851_f42d_4c95_7f2d) + 1);
        let rows = 3 + random.below(150);
        let columns: Vec<_> = (0..=random.below(3)).map(|_| column(&mut random, rows)).collect();
        let delimiter = *random.pick(&[",", ";", "\t", "|"]);
        let has_header = random.below(3) > 0;
        let mut text = String::new();
        if has_header {
            text += "timestamp";
            text = columns.iter().fold(text, |text, (name, _)| text + delimiter + name);
            text += "\n";
        }
        for row in 0..rows {
            let time =
                time("2026-03-20T11:00:00") + TimeDelta::seconds(i64::try_from(row * 23).unwrap());
            text += &time.format("%Y-%m-%d %H:%M:%S").to_string();
            text = columns.iter().fold(text, |text, (_, values)| text + delimiter + &values[row]);
            text += "\n";
        }
        if let Ok(recording) = read(text.clone().into_bytes(), &options()) {
            panic!("table {seed}:\n{}\n{}", recording.preview(), &text[..text.len().min(600)]);
        }
    }
}
