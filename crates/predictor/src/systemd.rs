//! Notifies the service manager: ready, alive, stopping. Does nothing without a service manager.
//!
//! The process counts as alive if, since the last check, every table loop has answered or some loop
//! has taken rounds, and the server has answered a request.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use daemon::systemd;
use futures_util::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::table::Observer;

/// Reports readiness and, if the watchdog is on, progress. Runs until dropped.
pub(crate) async fn inform(observers: Vec<Observer>) {
    scan_all(&observers).await;
    systemd::ready(&status(&observers));
    let Some(limit) = systemd::watchdog() else { return };
    let pause = limit / 3;
    let Some(first) = observers.first() else { return };
    let mut rounds = 0;
    loop {
        let (answered, served) =
            tokio::join!(timeout(pause, scan_all(&observers)), serves(first, pause));
        let taken = rounds_of(&observers);
        if (answered.is_ok() || taken != rounds) && served {
            systemd::alive(&status(&observers));
        } else {
            tracing::error!(
                scanned = answered.is_ok(),
                served,
                "No progress; not notifying the watchdog."
            );
        }
        rounds = taken;
        sleep(pause).await;
    }
}

/// Resolves when every loop has scanned its directory.
async fn scan_all(observers: &[Observer]) {
    join_all(observers.iter().map(Observer::scan_completed)).await;
}

fn rounds_of(observers: &[Observer]) -> u64 {
    observers.iter().map(|observer| observer.snapshot().csv_records).sum()
}

fn status(observers: &[Observer]) -> String {
    let rounds = rounds_of(observers);
    if let [only] = observers {
        let model = if only.snapshot().model_trained { "model in use" } else { "no model yet" };
        return format!("{rounds} rounds, {model}");
    }
    let trained = observers.iter().filter(|observer| observer.snapshot().model_trained).count();
    format!("{rounds} rounds, models in use at {trained} of {} tables", observers.len())
}

/// Returns whether the server answers a request within the time limit.
async fn serves(observer: &Observer, within: Duration) -> bool {
    let address = observer.address();
    let host =
        if address.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { address.ip() };
    let ask = async {
        let mut stream = TcpStream::connect(SocketAddr::new(host, address.port())).await?;
        stream.write_all(b"HEAD /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n").await?;
        let mut start = [0; 5];
        stream.read_exact(&mut start).await?;
        std::io::Result::Ok(start == *b"HTTP/")
    };
    matches!(timeout(within, ask).await, Ok(Ok(true)))
}
