//! The banner on a terminal at start-up, and the browser that `--open` starts.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _, stderr};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::thread;

use forecasting::training_schedule::FIRST_AT;

use rounds::counted;

use crate::config::Config;
use crate::snapshot::Snapshot;
use crate::table::Observer;

/// Logs the address of the dashboard; on a terminal prints the banner once the first scan is done.
pub(crate) async fn show(observers: Vec<Observer>, config: Config, open_browser: bool) {
    let Some(first) = observers.first() else { return };
    let url = url(first.address());
    if !stderr().is_terminal() {
        tracing::info!(%url, "The dashboard is ready.");
    }
    if open_browser {
        open(&url);
    }
    if stderr().is_terminal() {
        first.scan_completed().await;
        let mut banner = banner(&first.snapshot(), first.config(), first.address());
        if observers.len() > 1 {
            let directory = config.data_dir.display();
            writeln!(banner, "  {:<9}  {} of {directory}", "tables", observers.len())
                .expect("writing to a string cannot fail");
        }
        // A closed stderr is no reason to stop.
        stderr().write_all(banner.as_bytes()).unwrap_or_default();
    }
}

/// Returns an address that a browser on this machine can open.
fn url(address: SocketAddr) -> String {
    let host = match address.ip() {
        ip if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(host, address.port()))
}

fn banner(snapshot: &Snapshot, config: &Config, address: SocketAddr) -> String {
    let mut text = format!("aviator predictor {}\n", env!("CARGO_PKG_VERSION"));
    let mut line = |name: &str, what: String| {
        writeln!(text, "  {name:<9}  {what}").expect("writing to a string cannot fail");
    };
    let (rounds, files) = (snapshot.csv_records, snapshot.data.files.len());
    let simulated = if snapshot.simulated { ", simulated" } else { "" };
    let (rounds, files) = (counted(rounds, "round"), counted(files as u64, "file"));
    line("data", format!("{}: {rounds} in {files}{simulated}", config.data_dir.display()));
    line("dashboard", url(address));
    let reach = if address.ip().is_loopback() {
        "reachable only from this machine"
    } else {
        "reachable from other machines"
    };
    line("", reach.to_owned());
    line("next", next(snapshot));
    text
}

fn next(snapshot: &Snapshot) -> String {
    let rounds = snapshot.csv_records;
    match rounds {
        0 => "start a collector that writes there; Ctrl-C stops this".to_owned(),
        1..FIRST_AT => {
            let more = counted(FIRST_AT - rounds, "more round");
            format!("{more} until the first training; Ctrl-C stops this")
        }
        _ => "open the dashboard; Ctrl-C stops this".to_owned(),
    }
}

/// Opens the user's browser, if there is one.
fn open(url: &str) {
    let Ok(mut child) = opener(url).spawn() else {
        tracing::info!(%url, "No browser could be opened; open the dashboard yourself.");
        return;
    };
    // Wait for the child, or it stays in the process table as a zombie.
    let waiting = thread::Builder::new().name("browser".to_owned()).spawn(move || child.wait());
    if waiting.is_err() {
        tracing::debug!("Cannot wait for the browser command.");
    }
}

fn opener(url: &str) -> Command {
    let (program, before): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        // `start` takes its first quoted argument as the title of a window.
        ("cmd", &["/C", "start", "aviator"])
    } else {
        ("xdg-open", &[])
    };
    let mut command = Command::new(program);
    command.args(before).arg(url);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::file_stats::{Data, DataFile};

    fn snapshot(rounds: u64) -> Snapshot {
        let file = DataFile { name: "a".to_owned(), records: rounds, rejected: 0 };
        let data = Data { files: vec![file], ..Data::default() };
        Snapshot { csv_records: rounds, simulated: true, data, ..Snapshot::default() }
    }

    #[test]
    fn the_banner_is_five_lines_that_say_where_and_what_next() {
        let address = "127.0.0.1:5001".parse().unwrap();
        let banner = banner(&snapshot(18), &Config::default(), address);
        let lines: Vec<_> = banner.lines().collect();
        assert_eq!(lines.len(), 5, "{banner}");
        assert!(lines[0].contains(env!("CARGO_PKG_VERSION")), "{banner}");
        assert_eq!(lines[1], "  data       data: 18 rounds in 1 file, simulated");
        assert_eq!(lines[2], "  dashboard  http://127.0.0.1:5001");
        assert_eq!(lines[3], "             reachable only from this machine");
        assert!(lines[4].contains("12 more rounds until the first training"), "{banner}");
    }

    #[test]
    fn an_address_for_other_machines_is_shown_as_one_a_browser_can_open() {
        let address = "0.0.0.0:80".parse().unwrap();
        let banner = banner(&snapshot(100), &Config::default(), address);
        assert!(banner.contains("http://127.0.0.1:80\n"), "{banner}");
        assert!(banner.contains("from other machines"), "{banner}");
        assert_eq!(url("[::1]:5001".parse().unwrap()), "http://[::1]:5001");
    }
}
