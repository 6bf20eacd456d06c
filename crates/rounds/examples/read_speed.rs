//! How fast a directory is read: `cargo run --release -p rounds --example read_speed [FILES] [ROWS]`.
//!
//! Writes files of its own into a temporary directory, reads them all, then scans them once more
//! with nothing changed. Each figure is the best of five.
#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use rounds::Multiplier;
use rounds::scan::Directory;

/// One form of a row.
type Form = fn(DateTime<Utc>, Multiplier) -> String;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let files: u32 = arguments.next().map_or(Ok(200), |text| text.parse())?;
    let rows: u32 = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    measure("ours, 2025-12-10T19:32:35.123Z,2.31", files, rows, |time, multiplier| {
        format!("{},{multiplier}", time.to_rfc3339_opts(SecondsFormat::Millis, true))
    })?;
    measure("local, 2025-12-10 19:32:35,2.31", files, rows, |time, multiplier| {
        format!("{},{multiplier}", time.format("%Y-%m-%d %H:%M:%S"))
    })?;
    measure("other, 2025-12-10T19:32:35+00:00,2.31x", files, rows, |time, multiplier| {
        format!("{},{multiplier}x", time.to_rfc3339_opts(SecondsFormat::Secs, false))
    })
}

fn measure(name: &str, files: u32, rows: u32, form: Form) -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let bytes = fill(dir.path(), files, rows / files, form)?;
    let mut first = Duration::MAX;
    let mut idle = Duration::MAX;
    for _ in 0..5 {
        let mut directory = Directory::new(dir.path());
        let start = Instant::now();
        let changes = directory.scan()?;
        first = first.min(start.elapsed());
        let found: u64 = changes.iter().map(|change| change.total).sum();
        assert_eq!(found, u64::from(rows / files * files), "every row is read");
        let start = Instant::now();
        assert!(directory.scan()?.is_empty(), "nothing has changed");
        idle = idle.min(start.elapsed());
    }
    let speed = bytes as f64 / 1e6 / first.as_secs_f64();
    println!(
        "{name}: {rows} rows, {:.1} MB in {files} files read in {:.0} ms, {speed:.0} MB/s; idle scan {:.2} ms",
        bytes as f64 / 1e6,
        first.as_secs_f64() * 1e3,
        idle.as_secs_f64() * 1e3,
    );
    Ok(())
}

fn fill(dir: &Path, files: u32, rows: u32, form: Form) -> Result<usize, Box<dyn Error>> {
    let mut time: DateTime<Utc> = "2025-01-01T00:00:00.123Z".parse()?;
    let mut state = 1u64;
    let mut bytes = 0;
    for _ in 0..files {
        let mut text = "timestamp,multiplier\n".to_owned();
        for _ in 0..rows {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let uniform = (state >> 11) as f64 / (1u64 << 53) as f64;
            let multiplier =
                Multiplier::new(((97.0 / (1.0 - uniform)).floor() / 100.0).clamp(1.0, 1e6))?;
            time += TimeDelta::milliseconds(21_377);
            writeln!(text, "{}", form(time, multiplier))?;
        }
        bytes += text.len();
        let name = format!("aviator_payouts_{}.csv", time.format("%Y%m%d_%H%M%S"));
        fs::write(dir.join(name), text)?;
    }
    Ok(bytes)
}
