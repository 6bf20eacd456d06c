//! True rounds and the files that tests write of them.

use std::io::{Cursor, Write as _};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use evaluation::pit::SplitMix64;
use importer::{Options, Recording, Refusal, Source};
use rounds::{Multiplier, Round};
use zip::write::SimpleFileOptions;

/// Reproducible random choices.
#[derive(Debug, Clone)]
pub(crate) struct Random(SplitMix64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(SplitMix64::new(seed))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Between 0 and 1.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0.uniform()
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// The multiplier of a fair round of a house that keeps 3 percent.
    pub(crate) fn multiplier(&mut self) -> Multiplier {
        let value = (97.0 / (1.0 - self.unit())).floor().clamp(100.0, 50_000_000.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        Multiplier::from_cents(value as u64).unwrap()
    }
}

pub(crate) fn time(text: &str) -> DateTime<Utc> {
    text.parse::<NaiveDateTime>().unwrap().and_utc()
}

/// Rounds at the game's usual pace, in whole seconds.
pub(crate) fn rounds(seed: u64, count: usize, start: &str) -> Vec<Round> {
    let mut random = Random::new(seed);
    let mut time = time(start);
    let mut round = || {
        let multiplier = random.multiplier();
        let pace = 11.5 + 11.7 * multiplier.as_f64().ln() + random.unit() * 4.0;
        #[expect(clippy::cast_possible_truncation, reason = "a few minutes")]
        let pace = pace as i64;
        time += TimeDelta::seconds(pace);
        Round { time, multiplier }
    };
    (0..count).map(|_| round()).collect()
}

/// 120 rounds from the twentieth of a month on: their dates have one reading only.
pub(crate) fn usual() -> Vec<Round> {
    rounds(1, 120, "2026-03-20T11:00:00")
}

pub(crate) fn options() -> Options {
    let mut options = Options::new(time("2026-11-28T00:00:00"));
    options.zone = "UTC".parse().unwrap();
    options
}

pub(crate) fn read(bytes: Vec<u8>, options: &Options) -> Result<Recording, Refusal> {
    Recording::read(&Source::bytes("rounds.csv", bytes), options, &mut |_| {})
}

/// A text of one line for each round below a first line.
pub(crate) fn text(first: &str, rounds: &[Round], line: impl Fn(&Round) -> String) -> String {
    let first = if first.is_empty() { String::new() } else { format!("{first}\n") };
    rounds.iter().fold(first, |text, round| text + &line(round) + "\n")
}

pub(crate) fn utf16(text: &str, is_little: bool, has_mark: bool) -> Vec<u8> {
    let mark = if has_mark { "\u{feff}" } else { "" };
    let units = format!("{mark}{text}").encode_utf16().collect::<Vec<_>>();
    units
        .iter()
        .flat_map(|unit| if is_little { unit.to_le_bytes() } else { unit.to_be_bytes() })
        .collect()
}

pub(crate) fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|char| u8::try_from(u32::from(char)).unwrap()).collect()
}

pub(crate) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A workbook of sheets; a cell is the inside of a `c` element, its attributes before a `>`.
pub(crate) fn workbook(sheets: &[(&str, Vec<Vec<String>>)]) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const REL: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
    let mut files: Vec<(String, String)> = Vec::new();
    let (mut names, mut targets, mut types) = (String::new(), String::new(), String::new());
    for (at, (name, rows)) in (1..).zip(sheets) {
        names += &format!(r#"<sheet name="{name}" sheetId="{at}" r:id="rId{at}"/>"#);
        targets += &format!(
            r#"<Relationship Id="rId{at}" Type="{REL}/worksheet" Target="worksheets/sheet{at}.xml"/>"#
        );
        types += &format!(
            r#"<Override PartName="/xl/worksheets/sheet{at}.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>"#
        );
        let mut data = String::new();
        for (row, cells) in (1..).zip(rows) {
            data += &format!(r#"<row r="{row}">"#);
            for (column, cell) in ('A'..).zip(cells) {
                data += &format!(r#"<c r="{column}{row}"{cell}</c>"#);
            }
            data += "</row>";
        }
        let sheet = format!(
            r#"<?xml version="1.0"?><worksheet xmlns="{MAIN}"><sheetData>{data}</sheetData></worksheet>"#
        );
        files.push((format!("xl/worksheets/sheet{at}.xml"), sheet));
    }
    files.push(("xl/workbook.xml".to_owned(), format!(r#"<?xml version="1.0"?><workbook xmlns="{MAIN}" xmlns:r="{REL}"><sheets>{names}</sheets></workbook>"#)));
    targets += &format!(r#"<Relationship Id="rId99" Type="{REL}/styles" Target="styles.xml"/>"#);
    files.push(("xl/_rels/workbook.xml.rels".to_owned(), format!(r#"<?xml version="1.0"?><Relationships xmlns="{PACKAGE}/relationships">{targets}</Relationships>"#)));
    files.push(("xl/styles.xml".to_owned(), format!(r#"<?xml version="1.0"?><styleSheet xmlns="{MAIN}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>"#)));
    files.push(("_rels/.rels".to_owned(), format!(r#"<?xml version="1.0"?><Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{REL}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#)));
    files.push(("[Content_Types].xml".to_owned(), format!(r#"<?xml version="1.0"?><Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>{types}</Types>"#)));
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    zip(&files)
}

/// A cell of text, of a number, of a date as workbooks keep it.
pub(crate) fn text_cell(text: &str) -> String {
    format!(r#" t="inlineStr"><is><t>{text}</t></is>"#)
}

pub(crate) fn number_cell(value: f64) -> String {
    format!("><v>{value}</v>")
}

pub(crate) fn date_cell(time: DateTime<Utc>) -> String {
    format!(r#" s="1"><v>{}</v>"#, time.timestamp_millis() as f64 / 86_400_000.0 + 25_569.0)
}
