//! Notifications to systemd.

use std::os::unix::net::UnixDatagram;

use rustix::process::{Pid, Signal, kill_process};

use crate::program::{predictor, started};
use crate::test_app::Data;

fn observed(socket: &UnixDatagram) -> String {
    let mut message = [0; 512];
    let length = socket.recv(&mut message).unwrap();
    String::from_utf8(message[..length].to_vec()).unwrap()
}

#[test]
fn systemd_is_notified_of_readiness_progress_and_shutdown() {
    let (data, dir) = (Data::with_rounds(7), tempfile::tempdir().unwrap());
    let path = dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let rounds = data.path().to_str().unwrap();
    let flags = ["--data-dir", rounds, "--listen", "127.0.0.1:0", "--log-format", "json"];
    let mut command = predictor(&flags);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "3000000").env_remove("WATCHDOG_PID");
    let (mut child, _) = started(&mut command);
    let ready = observed(&socket);
    assert!(
        ready.contains("READY=1") && ready.contains("STATUS=7 rounds, no model yet"),
        "{ready}"
    );
    for _ in 0..2 {
        let alive = observed(&socket);
        assert!(alive.contains("WATCHDOG=1"), "{alive}");
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    while !observed(&socket).contains("STOPPING=1") {}
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
