//! Help, completions, manual pages, settings and the browser command.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;

use crate::program::{check, predictor, started};
use crate::test_app::Data;

fn says(args: &[&str]) -> String {
    let output = check(args, 0, "");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn help_shows_how_each_command_is_used() {
    for command in ["", "serve", "backtest", "audit", "verify", "notify", "completions", "man"] {
        let args = [command, "--help"];
        let help = says(&args[usize::from(command.is_empty())..]);
        assert!(help.contains("\nExamples:\n  predictor"), "{command}: {help}");
    }
}

#[test]
fn each_shell_gets_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = says(&["completions", shell]);
        assert!(script.contains("backtest") && script.contains("data-dir"), "{shell}");
    }
}

#[test]
fn each_command_has_a_manual_page() {
    let dir = tempfile::tempdir().unwrap();
    says(&["man", "--dir", dir.path().to_str().unwrap()]);
    for name in ["", "-serve", "-backtest", "-audit", "-verify", "-doctor", "-notify"] {
        let page = fs::read_to_string(dir.path().join(format!("predictor{name}.1"))).unwrap();
        assert!(page.contains(&format!(".TH predictor{name} 1")), "{page}");
    }
    assert!(says(&["man"]).contains(".TH predictor 1"));
}

#[test]
fn each_setting_is_shown_with_its_origin() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("p.toml");
    fs::write(&file, "watch = \"scan\"\n").unwrap();
    let mut command = predictor(&["--print-config", "--listen", "127.0.0.1:7", "--config"]);
    let output = command.arg(&file).env("AVIATOR_DATA_DIR", "/rounds").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let from = |line: &str| {
        text.lines().find(|it| it.starts_with(line)).unwrap().rsplit_once("# ").unwrap().1
    };
    assert_eq!(from("data_dir = \"/rounds\""), "AVIATOR_DATA_DIR");
    assert_eq!(from("listen = \"127.0.0.1:7\""), "--listen");
    assert_eq!(from("watch = \"scan\""), file.to_str().unwrap());
    assert_eq!(from("auto_train_enabled = true"), "default");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_secret_instead_of_a_reference_is_refused_and_not_repeated() {
    let output = check(&["--notify-webhook", "https://example.com/hush"], 2, "file:PATH");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("hush"));
    let mut command = predictor(&["--print-config"]);
    let output = command.env("AVIATOR_NOTIFY_NTFY", "https://ntfy.sh/hush").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("hush"));
}

#[test]
fn a_test_message_reaches_the_service() {
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hush", service.local_addr().unwrap());
    let mut command = predictor(&["notify", "--test", "--notify-webhook", "env:HOOK"]);
    let child = command.env("HOOK", url).env("NO_PROXY", "127.0.0.1").spawn().unwrap();
    let mut stream = service.accept().unwrap().0;
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0);
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("ok       webhook at 127.0.0.1") && !said.contains("hush"), "{said}");
}

#[test]
fn notify_without_a_service_is_bad_usage() {
    check(&["notify", "--test"], 2, "--notify-webhook");
    check(&["notify", "--notify-ntfy", "file:/no/such/topic"], 2, "/no/such/topic");
}

#[cfg(target_os = "linux")]
#[test]
fn the_dashboard_is_opened_in_the_browser() {
    use std::os::unix::fs::PermissionsExt as _;
    let (data, bin) = (Data::with_rounds(1), tempfile::tempdir().unwrap());
    let (pipe, browser) = (bin.path().join("pipe"), bin.path().join("xdg-open"));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    fs::write(&browser, format!("#!/bin/sh\necho \"$1\" > {}\n", pipe.display())).unwrap();
    fs::set_permissions(&browser, fs::Permissions::from_mode(0o755)).unwrap();
    let dir = data.path().to_str().unwrap();
    let flags = ["--open", "--data-dir", dir, "--listen", "127.0.0.1:0", "--log-format", "json"];
    let (mut child, address) = started(predictor(&flags).env("PATH", bin.path()));
    let mut opened = String::new();
    fs::File::open(&pipe).unwrap().read_to_string(&mut opened).unwrap();
    assert_eq!(opened.trim(), address);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn it_serves_without_a_browser() {
    let data = Data::with_rounds(1);
    let dir = data.path().to_str().unwrap();
    let flags = ["--open", "--data-dir", dir, "--listen", "127.0.0.1:0", "--log-format", "json"];
    let (mut child, address) = started(predictor(&flags).env("PATH", "/nowhere"));
    assert!(std::net::TcpStream::connect(address.trim_start_matches("http://")).is_ok());
    child.kill().unwrap();
    child.wait().unwrap();
}
