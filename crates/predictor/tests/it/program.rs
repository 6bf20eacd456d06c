//! The program itself: exit codes, its one line of complaint, and how it stops.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};

use crate::app::Data;

fn predictor(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_predictor"));
    command.args(args).env_remove("RUST_LOG").stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in ["DATA_DIR", "STATE_DIR", "LISTEN", "CONFIG", "WATCH", "AUTO_TRAIN"] {
        command.env_remove(format!("AVIATOR_{name}"));
    }
    command
}

#[track_caller]
fn check(args: &[&str], code: i32, says: &str) -> Output {
    let output = predictor(args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    assert!(said.contains(says), "{args:?}: {said}");
    output
}

#[test]
fn bad_usage_ends_with_2_before_anything_is_opened() {
    check(&["--no-such-flag"], 2, "--no-such-flag");
    check(&["--listen", "nowhere"], 2, "--listen");
    check(&["--listen", "0.0.0.0:0"], 2, "--insecure-no-auth");
    check(&["--config", "/no/such/file.toml"], 2, "/no/such/file.toml");
    let file = tempfile::NamedTempFile::new().unwrap();
    check(&["--data-dir", file.path().to_str().unwrap()], 2, "is not a directory");
}

#[test]
fn a_port_in_use_ends_with_1_and_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = check(&["--listen", &address, "--data-dir", "nowhere"], 1, &address);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("--listen"), "{said}");
}

/// Starts it and waits for its address.
fn serving(data: &Data) -> (Child, String) {
    let dir = data.path().to_str().unwrap();
    let mut child =
        predictor(&["--data-dir", dir, "--listen", "127.0.0.1:0", "--log-format", "json"])
            .spawn()
            .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = loop {
        let line = lines.next().unwrap().unwrap();
        if let Some((_, address)) = line.split_once("Dashboard: ") {
            break address.split('"').next().unwrap().to_owned();
        }
    };
    // Somebody has to read on, or the pipe fills.
    std::thread::spawn(move || lines.for_each(drop));
    (child, address)
}

#[cfg(unix)]
async fn stops_at(signal: rustix::process::Signal) {
    drop(rustls::crypto::ring::default_provider().install_default());
    let data = Data::with_rounds(5);
    let (mut child, address) = serving(&data);
    let mut stream = reqwest::get(format!("{address}/api/events")).await.unwrap();
    assert!(stream.chunk().await.unwrap().is_some());
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, signal).unwrap();
    // The stream is ended in good order: a connection that is cut would be an error here.
    while stream.chunk().await.unwrap().is_some() {}
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[cfg(unix)]
#[tokio::test]
async fn a_signal_ends_it_with_0_although_a_page_listens() {
    stops_at(rustix::process::Signal::TERM).await;
    stops_at(rustix::process::Signal::INT).await;
}

#[test]
fn a_published_round_is_checked_step_by_step() {
    let seeds = [
        "verify",
        "aviator",
        "--server-seed",
        "Kq3Zp9Vb2Lm8Xw4T",
        "--client-seed",
        "b1f0c2d3e4a5968778695a4b3c2d1e0f",
        "--client-seed",
        "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "--client-seed",
        "ffeeddccbbaa99887766554433221100",
        "--commitment",
        "6185563d64c1d1bcfd91817cba5ecfccf33cfecad054ae4159e6e398c561ca86",
    ];
    let with = |multiplier: &'static str| [&seeds[..], &["--multiplier", multiplier]].concat();
    let output = check(&with("1.73"), 0, "");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said.matches("matches").count(), 2, "{said}");
    assert_eq!(said.matches("computed").count(), 2, "{said}");
    check(&with("1.74"), 1, "does not match: multiplier");
}

#[test]
fn a_game_of_a_chain_is_checked_against_the_game_before_it() {
    let game = [
        "verify",
        "bustabit",
        "--formula",
        "1",
        "--hash",
        "0f81acc25a875c843f3ee3f9563bfa875be311d7585306e743120a4e68f51f0f",
        "--previous",
        "1da773ad50c9f5ce2098713e90bfe667c467fb1e1b14d3623113336899cfff4c",
        "--multiplier",
        "1.12",
    ];
    check(&game, 0, "");
    let last = "1da773ad50c9f5ce2098713e90bfe667c467fb1e1b14d3623113336899cfff4c";
    let output = check(&[&game[..], &["--last", last]].concat(), 0, "");
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 games before it"));
    check(&["verify", "stake", "--hash", "no hash"], 1, "no hash");
}

#[test]
fn doctor_names_what_is_wrong() {
    let data = Data::with_rounds(40);
    let dir = data.path().to_str().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = check(&["doctor", "--data-dir", dir, "--listen", &address], 1, "one thing");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("TROUBLE") && said.contains(&address), "{said}");
    assert!(said.contains("40 rounds"), "{said}");
    check(&["doctor", "--data-dir", dir, "--listen", "127.0.0.1:0"], 0, "");
}

#[test]
fn a_backtest_reports_in_text_json_and_a_page() {
    let data = Data::with_rounds(120);
    let (json, html) = (data.file("result.json"), data.file("result.html"));
    let dir = data.path().to_str().unwrap();
    let args = [
        "backtest",
        "--data-dir",
        dir,
        "--refit",
        "every=1000",
        "--json",
        json.to_str().unwrap(),
        "--html",
        html.to_str().unwrap(),
    ];
    let output = check(&args, 0, "");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("90 forecasts scored") && said.contains("calibrated"), "{said}");
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    assert_eq!((&report["rounds"], &report["scorecard"]["rounds"]), (&120.into(), &90.into()));
    assert_eq!(report["stakes"][0]["always"]["count"], 90);
    let page = std::fs::read_to_string(html).unwrap();
    assert!(page.contains("<svg") && !page.contains("<script"));
    for outside in ["src=\"http", "href=\"http", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    check(&["backtest", "--data-dir", "/no/such/dir"], 1, "/no/such/dir");
    check(&["backtest", "--refit", "now"], 2, "--refit");
}

#[test]
fn an_audit_prints_its_battery() {
    let data = Data::with_rounds(200);
    let json = data.file("audit.json");
    let dir = data.path().to_str().unwrap();
    let output = check(&["audit", "--data-dir", dir, "--json", json.to_str().unwrap()], 0, "");
    assert!(String::from_utf8_lossy(&output.stdout).contains("Audit of 200 rounds"));
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    assert_eq!(report["rounds"], 200);
    check(
        &["audit", "--data-dir", tempfile::tempdir().unwrap().path().to_str().unwrap()],
        1,
        "no rounds",
    );
}

#[test]
fn recorded_rounds_are_checked_against_the_seeds_beside_them() {
    use rounds::provably_fair::aviator::Claim;
    use rounds::{Event, EventKind, Origin, Round, RoundLog};

    let data = Data::empty();
    let seeds = ["first", "second", "third"];
    let claims = seeds.map(|seed| Claim::of(seed, &["a", "b", "c"]));
    let start = chrono::DateTime::from_timestamp(1_767_225_600, 0).unwrap();
    let mut log = RoundLog::open(data.path(), Origin::Simulated, start).unwrap();
    for (number, claim) in claims.iter().enumerate() {
        let time = start + chrono::TimeDelta::seconds(20 * i64::try_from(number).unwrap());
        let round = Round { time, multiplier: claim.multiplier.unwrap() };
        let next = claims.get(number + 1).and_then(|next| next.commitment.clone());
        let detail = serde_json::json!({
            "server_seed": claim.server_seed, "client_seeds": claim.client_seeds,
            "server_seed_sha256": claim.commitment, "combined_sha512": claim.digest,
            "next_server_seed_sha256": next,
        });
        let event = Event { detail: Some(detail), ..Event::new(EventKind::Live, "demo") };
        log.append(&round, &event).unwrap();
    }
    let path = log.path().to_owned();
    drop(log);
    let dir = data.path().to_str().unwrap();
    let output = check(&["verify", "recorded", "--data-dir", dir], 0, "");
    assert!(String::from_utf8_lossy(&output.stdout).contains("3 rounds match"));

    let text = std::fs::read_to_string(&path).unwrap();
    let shown = format!(",{}\n", claims[1].multiplier.unwrap());
    std::fs::write(&path, text.replacen(&shown, ",777.77\n", 1)).unwrap();
    check(&["verify", "recorded", "--data-dir", dir], 1, "row 2: does not match: multiplier");
}
