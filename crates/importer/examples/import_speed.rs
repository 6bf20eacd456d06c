//! Reads a recording, shows what was understood, and says how long that took and how much memory it needed.
//!
//!     cargo run --release -p importer --example import_speed -- FILE [DIRECTORY TO WRITE TO]
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::path::Path;
use std::time::Instant;

use importer::{BY_IMPORT, Content, Options, Recording, Source, SourceFile, write};
use rounds::Origin;
use rounds::disk::RealDisk;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let file = args.next().ok_or("which file?")?;
    let start = Instant::now();
    let source = Source::file(Path::new(&file))?;
    let digest = source.digest()?;
    #[expect(clippy::disallowed_methods, reason = "an example has no clock passed in")]
    let options = Options::new(chrono::Utc::now());
    let recording = Recording::read(&source, &options, &mut |_| {})?;
    println!("{}read in {:.3} s", recording.preview(), start.elapsed().as_secs_f64());
    if let Some(dir) = args.next() {
        let rounds = recording.rounds.len() as u64;
        let sources = [SourceFile { name: file, sha256: digest, rounds }];
        let content = Content {
            rounds: &recording.rounds,
            is_estimated: recording.is_estimated,
            discontinuities: &[],
            sources: &sources,
            origin: Origin::Recorded,
            by: BY_IMPORT,
        };
        let path = write(content, Path::new(&dir), options.now, &RealDisk)?;
        println!("written to {} after {:.3} s", path.display(), start.elapsed().as_secs_f64());
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().filter(|line| line.starts_with("VmHWM")).for_each(|line| println!("{line}"));
    Ok(())
}
