//! The program as a process: exit codes, signals, and its files after it was killed.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rounds::last_rounds;
use tempfile::tempdir;

use crate::killing::{self, read_rounds};

fn collector(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_collector"));
    command.arg("--data-dir").arg(dir).args(arguments);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn finish(dir: &Path, arguments: &[&str]) -> Output {
    collector(dir, arguments).output().unwrap()
}

fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    found.sort();
    found
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").arg(name).arg(child.id().to_string()).status().unwrap();
    assert!(sent.success());
}

#[test]
fn a_collector_killed_two_hundred_times_keeps_every_round_it_showed_once() {
    // In parallel, because most of the time is spent waiting for the disk.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let (program, dir) =
                    (Path::new(env!("CARGO_BIN_EXE_collector")), tempdir().unwrap());
                println!("{}", killing::kill_repeatedly(program, dir.path(), 50));
            });
        }
    });
}

#[test]
fn a_signal_stops_the_collector_with_success() {
    for name in ["-TERM", "-INT"] {
        let dir = tempdir().unwrap();
        let flags = ["--source", "demo", "--history", "2", "--pace", "0.01"];
        let mut child = collector(dir.path(), &flags).spawn().unwrap();
        let (printed, mut rest) = read_rounds(&mut child, 3);
        signal(&child, name);
        let mut text = String::new();
        rest.read_to_string(&mut text).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{name}");
        let kept = last_rounds(dir.path(), usize::MAX).unwrap().len();
        assert_eq!(kept, printed.len() + text.lines().count());
    }
}

/// `timeout` signals the process and its group, and a script adds SIGTERM to the Ctrl-C of the terminal.
#[test]
fn a_signal_that_arrives_twice_stops_the_collector_with_success() {
    let dir = tempdir().unwrap();
    let flags = ["--source", "demo", "--history", "2", "--pace", "0.01"];
    let mut child = collector(dir.path(), &flags).spawn().unwrap();
    let (printed, mut rest) = read_rounds(&mut child, 3);
    // One shell sends all three, so that they arrive together however busy the machine is.
    let all = "kill -TERM $0; kill -INT $0; kill -TERM $0";
    assert!(
        Command::new("sh").args(["-c", all, &child.id().to_string()]).status().unwrap().success()
    );
    let mut text = String::new();
    rest.read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let kept = last_rounds(dir.path(), usize::MAX).unwrap().len();
    assert_eq!(kept, printed.len() + text.lines().count());
}

#[test]
fn a_second_collector_is_refused_with_the_process_that_holds_the_directory() {
    let dir = tempdir().unwrap();
    let mut first = collector(dir.path(), &["--history", "1", "--pace", "0.01"]).spawn().unwrap();
    let (_, _reader) = read_rounds(&mut first, 1);
    let second = finish(dir.path(), &["--history", "1"]);
    assert_eq!(second.status.code(), Some(3));
    let stderr = String::from_utf8(second.stderr).unwrap();
    assert!(stderr.contains(&format!("process {}", first.id())), "{stderr}");
    first.kill().unwrap();
    first.wait().unwrap();
}

#[test]
fn bad_usage_exits_with_two_and_an_unusable_directory_with_one() {
    let dir = tempdir().unwrap();
    assert_eq!(finish(dir.path(), &["--nonsense"]).status.code(), Some(2));
    let file = dir.path().join("plain");
    fs::write(&file, "").unwrap();
    let refused = finish(&file.join("below"), &["--rounds", "1"]);
    assert_eq!(refused.status.code(), Some(1));
    let stderr = String::from_utf8(refused.stderr).unwrap();
    assert!(stderr.contains("plain"), "{stderr}");
}

#[test]
fn a_replay_holds_the_same_rounds_and_is_the_same_file_every_time() {
    let source = tempdir().unwrap();
    let file = source.path().join("recorded.csv");
    let rows: Vec<String> = (0..200)
        .map(|i| {
            let (minute, second) = (i / 60, i % 60);
            format!("2025-12-10T19:{minute:02}:{second:02}.000Z,{}.{:02}\n", 1 + i % 7, i % 100)
        })
        .collect();
    let rows = rows.concat();
    fs::write(&file, format!("timestamp,multiplier\n{rows}")).unwrap();
    let flags = ["--source", "replay", "--pace", "max", "--file", file.to_str().unwrap()];
    let written = [(); 2].map(|()| {
        let dir = tempdir().unwrap();
        assert_eq!(finish(dir.path(), &flags).status.code(), Some(0));
        let [file] = files(dir.path(), ".csv").try_into().unwrap();
        fs::read_to_string(file).unwrap()
    });
    assert_eq!(written[0], format!("timestamp,multiplier\n{rows}"));
    assert_eq!(written[0], written[1]);
}

fn stdout_of(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_collector"));
    let output = command.args(arguments).env_clear().output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn help_has_examples_for_each_command() {
    for command in ["", "run", "browser", "doctor", "completions", "man"] {
        let arguments = [command, "--help"];
        let help = stdout_of(&arguments[usize::from(command.is_empty())..]);
        assert!(help.contains("\nExamples:\n  collector"), "{command}: {help}");
    }
}

#[test]
fn completions_and_manual_pages_are_generated() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = stdout_of(&["completions", shell]);
        assert!(script.contains("doctor") && script.contains("data-dir"), "{shell}");
    }
    let dir = tempdir().unwrap();
    stdout_of(&["man", "--dir", dir.path().to_str().unwrap()]);
    for name in ["", "-run", "-doctor", "-completions", "-man"] {
        let page = fs::read_to_string(dir.path().join(format!("collector{name}.1"))).unwrap();
        assert!(page.contains(&format!(".TH collector{name} 1")), "{page}");
    }
    assert!(stdout_of(&["man"]).contains(".TH collector 1"));
}

#[test]
fn each_option_is_shown_with_where_it_was_set_and_nothing_is_opened() {
    let dir = tempdir().unwrap();
    let data_dir = dir.path().join("never");
    let mut command = collector(&data_dir, &["--print-config"]);
    let output = command.env("AVIATOR_URL", "wss://hush").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |key: &str| text.lines().find(|line| line.starts_with(key)).unwrap();
    assert!(line("data_dir = ").ends_with("# --data-dir"), "{text}");
    assert!(line("# feed.url is set and not shown").ends_with("# AVIATOR_URL"), "{text}");
    assert!(line("source = \"demo\"").ends_with("# default"), "{text}");
    assert!(!text.contains("hush") && !data_dir.exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_service_manager_is_notified_while_rounds_arrive_and_at_the_stop() {
    use std::os::unix::net::UnixDatagram;
    let dir = tempdir().unwrap();
    let path = dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let receive = || {
        let mut message = [0; 512];
        let length = socket.recv(&mut message).unwrap();
        String::from_utf8(message[..length].to_vec()).unwrap()
    };
    let flags = ["--history", "0", "--pace", "0.05"];
    let mut command = collector(&dir.path().join("rounds"), &flags);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "600000").stdout(Stdio::null());
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let ready = receive();
    assert!(ready.contains("READY=1") && ready.contains("STATUS="), "{ready}");
    for _ in 0..3 {
        let alive = receive();
        assert!(alive.contains("WATCHDOG=1"), "{alive}");
    }
    signal(&child, "-TERM");
    while !receive().contains("STOPPING=1") {}
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// Where stdout or stderr of a program leads when it cannot be written to.
#[cfg(target_os = "linux")]
type BrokenOutput = (&'static str, fn() -> Stdio);

#[cfg(target_os = "linux")]
const BROKEN_OUTPUTS: [BrokenOutput; 3] = [
    ("on a full disk", || fs::File::options().write(true).open("/dev/full").unwrap().into()),
    ("a pipe that nobody reads", || std::io::pipe().unwrap().1.into()),
    ("not open for writing", || fs::File::open("/dev/null").unwrap().into()),
];

#[cfg(target_os = "linux")]
#[test]
fn no_round_is_lost_when_stdout_and_stderr_fail() {
    for (kind, output) in BROKEN_OUTPUTS {
        let dir = tempdir().unwrap();
        let flags = ["--source", "demo", "--history", "5", "--pace", "max", "--rounds", "50"];
        let mut command = collector(dir.path(), &flags);
        let status = command.stdout(output()).stderr(output()).status().unwrap();
        assert_eq!(status.code(), Some(0), "{kind}");
        assert_eq!(last_rounds(dir.path(), usize::MAX).unwrap().len(), 55, "{kind}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_limit_of_the_file_size_fails_the_write_and_not_the_program() {
    let dir = tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_collector");
    let script = format!(
        "ulimit -f 8; exec {program} --data-dir {} --pace max --history 0 --rounds 2000",
        dir.path().display()
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]).stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut log = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("File too large") {
        line.clear();
        assert!(std::io::BufRead::read_line(&mut log, &mut line).unwrap() > 0, "the program ended");
    }
    signal(&child, "-TERM");
    std::io::copy(&mut log, &mut std::io::sink()).unwrap();
    // It says with its exit code that rounds are not on the disk.
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let kept = last_rounds(dir.path(), usize::MAX).unwrap();
    assert!(!kept.is_empty() && kept.len() < 2000, "{}", kept.len());
}
