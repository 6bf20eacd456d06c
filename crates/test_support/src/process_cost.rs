//! What this process has cost so far; Linux only.

use std::fs;

/// Returns the seconds that this process has run on all processors, to a hundredth; `None` where the system does not
/// report them.
pub fn processor_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The program's name may contain spaces. User and system time are the 14th and 15th fields; the first two came before.
    let mut fields = stat.rsplit(')').next()?.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / 100.0)
}

/// Returns the most memory that this process has held; `None` where the system does not report it.
pub fn peak_megabytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}
