//! Figures of the process, where the system has `/proc`.

use std::fs;

use super::{MetricKind, MetricsPage};

/// Writes memory in use and the number of open files.
pub fn write_process(page: &mut MetricsPage) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = kilobytes.and_then(|it| it.trim().trim_end_matches(" kB").parse::<u64>().ok());
    if let Some(kilobytes) = kilobytes {
        let name = "process_resident_memory_bytes";
        page.metric(name, MetricKind::Gauge, "Memory in use.").sample(&[], kilobytes * 1024);
    }
    // Do not count the directory that is open for this listing.
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        page.metric("process_open_fds", MetricKind::Gauge, "Open files and connections.")
            .sample(&[], open.count().saturating_sub(1));
    }
}
