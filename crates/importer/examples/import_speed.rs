//! How long an import takes, from opening the file to the written CSV, and how much memory it needs.
//!
//! ```text
//! cargo run --release -p importer --example import_speed                        a million rows of each form
//! cargo run --release -p importer --example import_speed -- FILE [DIRECTORY]    one file, with its preview
//! ```
//!
//! Each import is a process of its own, so that its peak memory is its own.
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::error::Error;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use importer::{BY_IMPORT, Content, Options, Recording, Source, SourceFile, write};
use rounds::disk::RealDisk;
use rounds::{Multiplier, Origin};
use test_support::process_cost::{peak_megabytes, processor_seconds};
use zip::write::{SimpleFileOptions, ZipWriter};

const ROWS: u32 = 1_000_000;

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Row = (DateTime<Utc>, Multiplier);
/// Writes a row with its number, counted from 0.
type Form = fn(u32, Row) -> String;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    match args.next() {
        Some(file) => import(&file, args.next().as_deref()),
        None => import_all_forms(),
    }
}

fn import(file: &str, dir: Option<&str>) -> Result<()> {
    let start = Instant::now();
    let source = Source::file(Path::new(file))?;
    let digest = source.digest()?;
    #[expect(clippy::disallowed_methods, reason = "an example has no clock passed in")]
    let options = Options::new(Utc::now());
    let recording = Recording::read(&source, &options, &mut |_| {})?;
    println!("{}", recording.preview());
    if let Some(dir) = dir {
        let rounds = recording.rounds.len() as u64;
        let sources = [SourceFile { name: file.to_owned(), sha256: digest, rounds }];
        let content = Content {
            rounds: &recording.rounds,
            is_estimated: recording.is_estimated,
            discontinuities: &[],
            sources: &sources,
            origin: Origin::Recorded,
            by: BY_IMPORT,
        };
        write(content, Path::new(dir), options.now, &RealDisk)?;
    }
    println!(
        "{:.2} s of processor time, {:.2} s in all, at most {} MB",
        processor_seconds().unwrap_or_default(),
        start.elapsed().as_secs_f64(),
        peak_megabytes().unwrap_or_default()
    );
    Ok(())
}

fn import_all_forms() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let rows = rows()?;
    let forms: [(&str, &str, Form, &str); 6] = [
        ("our own CSV", "timestamp,multiplier\n", |_, row| format!("{},{}\n", iso(row), row.1), ""),
        (
            "days first, decimal commas",
            "Data;Multiplicador\n",
            |_, row| {
                let multiplier = row.1.to_string().replace('.', ",");
                format!("{};{multiplier}x\n", row.0.format("%d/%m/%Y %H:%M:%S"))
            },
            "",
        ),
        (
            "quoted, with ids",
            "\"id\",\"time\",\"crash\"\n",
            |id, row| format!("\"{id}\",\"{}\",\"{}\"\n", iso(row), row.1),
            "",
        ),
        ("JSON lines", "", |id, row| object(id, row) + "\n", ""),
        ("JSON array", "[", |id, row| separator(id) + &object(id, row), "]"),
        (
            "JSON in an answer",
            "{\"data\":{\"rounds\":[",
            |id, row| separator(id) + &object(id, row),
            "]}}",
        ),
    ];
    for (name, head, form, tail) in forms {
        let mut text = head.to_owned();
        (0..).zip(&rows).for_each(|(id, row)| text.push_str(&form(id, *row)));
        let file = dir.path().join("recording");
        fs::write(&file, text + tail)?;
        measure(name, &file)?;
    }
    let book = dir.path().join("recording.xlsx");
    write_workbook(&book, &rows)?;
    measure("xlsx", &book)
}

/// Imports a file in a process of its own and prints the last line it says.
fn measure(name: &str, file: &Path) -> Result<()> {
    let into = tempfile::tempdir()?;
    let output = Command::new(std::env::current_exe()?).arg(file).arg(into.path()).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let said = String::from_utf8(output.stdout)?;
    println!("{name}: {}", said.lines().last().unwrap_or_default());
    Ok(())
}

/// Rounds with the law of a crash game, 21 s apart.
fn rows() -> Result<Vec<Row>> {
    let mut time = DateTime::from_timestamp(1_735_689_600, 0).ok_or("no such time")?;
    let mut state = 1_u64;
    let row = |_| {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        let unit = ((state >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        time += TimeDelta::milliseconds(21_377);
        Ok((time, Multiplier::new((97.0 / unit).floor().clamp(100.0, 1e7) / 100.0)?))
    };
    (0..ROWS).map(row).collect()
}

fn iso((time, _): Row) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

fn object(id: u32, row: Row) -> String {
    format!(r#"{{"id":{id},"createdAt":"{}","multiplier":{}}}"#, iso(row), row.1.as_f64())
}

fn separator(id: u32) -> String {
    if id == 0 { String::new() } else { ",".to_owned() }
}

/// Writes the least that is a workbook: a sheet of dates and numbers.
fn write_workbook(path: &Path, rows: &[Row]) -> Result<()> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    let mut sheet = format!(
        r#"<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>time</t></is></c><c r="B1" t="inlineStr"><is><t>multiplier</t></is></c></row>"#
    );
    for (row, (time, multiplier)) in (2..).zip(rows) {
        let days = time.timestamp_millis() as f64 / 86_400_000.0 + 25_569.0;
        write!(
            sheet,
            r#"<row r="{row}"><c r="A{row}" s="1"><v>{days}</v></c><c r="B{row}"><v>{}</v></c></row>"#,
            multiplier.as_f64()
        )?;
    }
    sheet.push_str("</sheetData></worksheet>");
    let mut book = ZipWriter::new(File::create(path)?);
    for (name, text) in [
        (
            "[Content_Types].xml",
            r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#
                .to_owned(),
        ),
        (
            "_rels/.rels",
            format!(
                r#"<Relationships xmlns="{PACKAGE}"><Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                r#"<Relationships xmlns="{PACKAGE}"><Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                r#"<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name="Rounds" sheetId="1" r:id="rId1"/></sheets></workbook>"#
            ),
        ),
        (
            "xl/styles.xml",
            format!(
                r#"<styleSheet xmlns="{MAIN}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs></styleSheet>"#
            ),
        ),
        ("xl/worksheets/sheet1.xml", sheet),
    ] {
        book.start_file(name, SimpleFileOptions::default())?;
        book.write_all(text.as_bytes())?;
    }
    book.finish()?;
    Ok(())
}
