//! True recordings in random dialects: each is read as what it is.

use chrono::{DateTime, Utc};
use rounds::Round;

use crate::fixtures::{Random, latin1, options, read, rounds, utf16};

const RECORDINGS: u64 = 2000;

const HEADERS: [(&str, &str); 12] = [
    ("timestamp", "multiplier"),
    ("Time", "Crash Point"),
    ("createdAt", "bust"),
    ("Data/Hora", "Multiplicador"),
    ("Horário", "vela"),
    ("Fecha y hora", "Coeficiente"),
    ("Zeitstempel", "Multiplikator"),
    ("Créé le", "Cote"),
    ("Дата и время", "Коэффициент"),
    ("Tarih", "Çarpan"),
    ("Samay", "Gunak"),
    ("ended_at", "odds"),
];

const TIMES: [&str; 13] = [
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dT%H:%M:%S.000+00:00",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%d.%m.%Y %H:%M:%S",
    "%d-%m-%Y %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%a %b %d %Y %H:%M:%S GMT+0000 (UTC)",
    "%a, %d %b %Y %H:%M:%S +0000",
    "%s",
    "%s000",
    "%d %b %Y %H:%M:%S",
];

struct Dialect {
    delimiter: &'static str,
    time: &'static str,
    has_comma: bool,
    sign: (&'static str, &'static str),
    header: Option<(&'static str, &'static str)>,
    extra: usize,
    is_time_first: bool,
    is_newest_first: bool,
    line_end: &'static str,
    encoding: usize,
}

impl Dialect {
    fn random(random: &mut Random) -> Self {
        let delimiter = *random.pick(&[",", ";", "\t", "|", "  "]);
        let time = *random.pick(&TIMES);
        let has_weekday = time.contains("%a") || time.contains("%b");
        // Spaces cannot separate what has spaces in it, nor commas what has commas.
        let delimiter = match delimiter {
            "  " if has_weekday || time.contains("%p") => ";",
            "," if time.contains(',') => ";",
            other => other,
        };
        let signs = [("", ""), ("", ""), ("", "x"), ("x", ""), ("", " X"), ("", "×")];
        let sign = *random.pick(&signs);
        let sign = if delimiter == "  " && sign.1.starts_with(' ') { ("", "x") } else { sign };
        Self {
            delimiter,
            time,
            has_comma: random.below(3) == 0,
            sign,
            header: (random.below(4) > 0).then(|| *random.pick(&HEADERS)),
            extra: random.below(3),
            is_time_first: random.below(2) == 0,
            is_newest_first: random.below(3) == 0,
            line_end: *random.pick(&["\n", "\r\n", "\r"]),
            encoding: random.below(6),
        }
    }

    fn number(&self, round: &Round) -> String {
        let number = round.multiplier.to_string();
        let number = if self.has_comma { number.replace('.', ",") } else { number };
        let number = format!("{}{number}{}", self.sign.0, self.sign.1);
        if self.has_comma && self.delimiter == "," { format!("\"{number}\"") } else { number }
    }

    fn cells(&self, time: String, multiplier: String, extra: [String; 2]) -> String {
        let mut cells =
            if self.is_time_first { vec![time, multiplier] } else { vec![multiplier, time] };
        let [id, note] = extra;
        match self.extra {
            1 => cells.insert(0, id),
            2 => cells.push(note),
            _ => {}
        }
        cells.join(self.delimiter)
    }

    fn write(&self, rounds: &[Round]) -> Vec<u8> {
        let mut lines = Vec::new();
        if let Some((time, multiplier)) = self.header {
            // A name of several words would be several columns between spaces.
            let plain = |name: &str| {
                let space = [" ", "_"][usize::from(self.delimiter == "  ")];
                name.replace(' ', space)
            };
            lines.push(self.cells(
                plain(time),
                plain(multiplier),
                ["id".to_owned(), "room".to_owned()],
            ));
        }
        let rows = (0..).zip(rounds).map(|(at, round)| {
            let time = round.time.format(self.time).to_string();
            self.cells(time, self.number(round), [(70_000 + at).to_string(), "a".to_owned()])
        });
        let rows: Vec<String> = rows.collect();
        if self.is_newest_first {
            lines.extend(rows.into_iter().rev());
        } else {
            lines.extend(rows);
        }
        let text = lines.join(self.line_end) + self.line_end;
        match self.encoding {
            0 => utf16(&text, true, true),
            1 => utf16(&text, false, true),
            2 => utf16(&text, true, false),
            3 if text.chars().all(|char| u32::from(char) < 256) => latin1(&text),
            4 => format!("\u{feff}{text}").into_bytes(),
            _ => text.into_bytes(),
        }
    }
}

#[test]
fn every_true_recording_is_read_as_what_it_is() {
    for seed in 0..RECORDINGS {
        let mut random = Random::new(seed ^ 0x0dd0_5eed);
        let dialect = Dialect::random(&mut random);
        let count =
            if dialect.header.is_some() { 10 + random.below(120) } else { 60 + random.below(120) };
        // From the thirteenth on a date has one reading.
        let start: DateTime<Utc> = format!(
            "2025-{:02}-{:02}T{:02}:10:00Z",
            1 + random.below(12),
            13 + random.below(14),
            random.below(24)
        )
        .parse()
        .unwrap();
        let truth =
            rounds(seed + 100, count, &start.naive_utc().format("%Y-%m-%dT%H:%M:%S").to_string());
        let bytes = dialect.write(&truth);
        let shown = || String::from_utf8_lossy(&bytes[..bytes.len().min(300)]).into_owned();
        match read(bytes.clone(), &options()) {
            Ok(recording) => {
                assert_eq!(recording.rounds, truth, "{seed}: {}\n{}", recording.preview(), shown());
            }
            Err(refusal) => panic!("{seed}: {refusal}\n{}", shown()),
        }
    }
}
