//! What the bridge costs beside the bare client: as many messages of the same size, published and read.
//!
//!     cargo run -p bridge --example hub_rate -- nats://127.0.0.1:4222 20000
//!     cargo run -p bridge --example hub_rate -- nats://127.0.0.1:4222 20 1000
//!
//! Arguments: the hub (one of its own: it is filled), the rounds of a table, and the number of tables; of several, only their
//! making and filling is timed. Prints a table.
#![expect(clippy::print_stdout, reason = "what it finds out is what it prints")]

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use async_nats::jetstream::consumer::pull::OrderedConfig;
use async_nats::jetstream::message::PublishMessage;
use bridge::hub::stream::StreamLimits;
use bridge::hub::{Access, Hub};
use bridge::message::{RoundMessage, VERSION};
use bridge::pull::{self, Pull};
use bridge::push::{self, Push, State};
use bridge::subject::Table;
use futures_util::StreamExt;
use rounds::disk::{SparingDisk, SyncPolicy};
use rounds::{Event, EventKind, Multiplier, Origin, Round, RoundLog, TableName};
use tokio_util::sync::CancellationToken;

const IN_FLIGHT: usize = 256;
/// Each is done so often, in turn.
const TIMES: usize = 5;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let hub = arguments.next().context("which hub?")?;
    let rounds: u64 = arguments.next().map_or(Ok(20_000), |text| text.parse())?;
    let tables: u64 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let access = Access {
        address: hub.parse().map_err(anyhow::Error::msg)?,
        needs_tls: false,
        ca_file: None,
        credentials: None,
        client: "hub_rate".to_owned(),
    };
    let work = tempfile::tempdir()?;
    if tables > 1 {
        return many(&access, work.path(), rounds, tables);
    }
    println!("{rounds} rounds, at most {IN_FLIGHT} on their way, medians of {TIMES}");
    let here = work.path().join("here");
    let bytes = write(&here, rounds)?;
    println!("{bytes} bytes the body of a message");
    let mut costs: [Vec<Cost>; 5] = Default::default();
    for time in 0..TIMES {
        let (plain, table) = (name(&format!("plain{time}")), name(&format!("bridge{time}")));
        let there = work.path().join(format!("there{time}"));
        costs[0].push(cost(|| publish(&access, &plain, rounds, bytes))?);
        costs[1].push(cost(|| push(&access, &here, &table))?);
        costs[2].push(cost(|| push_again(&access, &here, &table))?);
        costs[3].push(cost(|| consume(&access, &table, rounds))?);
        costs[4].push(cost(|| pull(&access, &there, &table))?);
    }
    let [plain, pushed, again, read, pulled] = costs.map(median);
    row("publish", plain, rounds, plain);
    row("bridge push", pushed, rounds, plain);
    row("bridge push of what is stored", again, rounds, plain);
    row("read", read, rounds, read);
    row("bridge pull", pulled, rounds, read);
    Ok(())
}

/// What something took of the time on the wall, and of this process's time on the processor.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    cpu: Duration,
}

fn cost(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<Cost> {
    let (start, cpu) = (Instant::now(), cpu()?);
    work()?;
    Ok(Cost { wall: start.elapsed(), cpu: self::cpu()?.saturating_sub(cpu) })
}

/// So far, as Linux counts it, in hundredths of a second.
fn cpu() -> anyhow::Result<Duration> {
    let text = fs::read_to_string("/proc/self/stat").context("only on Linux")?;
    let (_, fields) = text.rsplit_once(')').context("another form")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let ticks = ticks.sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(10 * ticks))
}

fn median(mut costs: Vec<Cost>) -> Cost {
    let middle = costs.len() / 2;
    costs.sort_by_key(|cost| cost.wall);
    let wall = costs[middle].wall;
    costs.sort_by_key(|cost| cost.cpu);
    Cost { wall, cpu: costs[middle].cpu }
}

fn many(access: &Access, work: &Path, rounds: u64, tables: u64) -> anyhow::Result<()> {
    write(&work.join("here"), rounds)?;
    let Cost { wall: taken, .. } = cost(|| {
        (0..tables)
            .try_for_each(|table| push(access, &work.join("here"), &name(&format!("t{table}"))))
    })?;
    println!("{tables} tables of {rounds} rounds in {:.1} s", taken.as_secs_f64());
    Ok(())
}

fn row(what: &str, cost: Cost, rounds: u64, beside: Cost) {
    let micros = |time: Duration| time.as_secs_f64() * 1e6 / rounds as f64;
    let rate = rounds as f64 / cost.wall.as_secs_f64();
    let ratio = beside.wall.as_secs_f64() / cost.wall.as_secs_f64();
    println!(
        "{what:30} {rate:8.0} a second, {ratio:.2} of the bare client; {:6.1} us of processor a round",
        micros(cost.cpu)
    );
}

fn name(text: &str) -> TableName {
    text.parse().expect("a name of ours")
}

fn round(number: u64) -> Round {
    let time = chrono::DateTime::from_timestamp(1_765_395_155 + 20 * number.cast_signed(), 0);
    let multiplier = Multiplier::from_cents(100 + number * 37 % 900);
    Round { time: time.expect("in range"), multiplier: multiplier.expect("at least 1") }
}

fn event(number: u64) -> Event {
    let mut event = Event::new(EventKind::Live, "websocket");
    event.round_id = Some(format!("{}", 7_000_000 + number));
    event
}

/// Files as a collector writes them; the length of a message of theirs.
fn write(dir: &Path, rounds: u64) -> anyhow::Result<usize> {
    let disk = Box::new(SparingDisk::new(SyncPolicy::Never, |_| {}));
    let mut log = RoundLog::open_on(disk, dir, Origin::Recorded, round(0).time)?;
    for number in 0..rounds {
        log.append(&round(number), &event(number))?;
    }
    let message = RoundMessage {
        v: VERSION,
        site: "attic".to_owned(),
        file: "aviator_payouts_20251210_193235".to_owned(),
        row: rounds,
        round: round(rounds),
        event: event(rounds),
        discontinuities: Vec::new(),
    };
    Ok(message.to_bytes().len())
}

fn push(access: &Access, dir: &Path, table: &TableName) -> anyhow::Result<()> {
    let push = Push {
        access: access.clone(),
        dir: dir.to_owned(),
        table: table.clone(),
        site: name("attic"),
        in_flight: IN_FLIGHT,
        once: true,
    };
    let mut state = State::open(&dir.join(".bridge"), table)?;
    Ok(push::run(&push, &mut state, &CancellationToken::new())?)
}

fn push_again(access: &Access, dir: &Path, table: &TableName) -> anyhow::Result<()> {
    fs::remove_dir_all(dir.join(".bridge"))?;
    push(access, dir, table)
}

fn pull(access: &Access, dir: &Path, table: &TableName) -> anyhow::Result<()> {
    let pull = Pull {
        access: access.clone(),
        dir: dir.to_owned(),
        table: table.clone(),
        only_sites: Vec::new(),
        sync_interval: Duration::from_secs(1),
        once: true,
    };
    Ok(pull::run(&pull, &CancellationToken::new())?)
}

/// The bare client: the same stream, subjects and bodies as long, each acknowledged.
fn publish(access: &Access, table: &TableName, rounds: u64, bytes: usize) -> anyhow::Result<()> {
    let table = Table { name: table.clone(), origin: Origin::Recorded };
    bridge::hub::run(async {
        let hub = Hub::connect(access, IN_FLIGHT).await?;
        hub.stream_for(&table, StreamLimits::default()).await?;
        let mut acks = VecDeque::new();
        for number in 0..rounds {
            let subject = table.round(&number.to_string()).expect("a plain id");
            let message =
                PublishMessage::build().payload(vec![b'x'; bytes].into()).message_id(&subject);
            acks.push_back(hub.jetstream.send_publish(subject, message).await.expect("sent"));
            if acks.len() >= IN_FLIGHT {
                acks.pop_front().expect("just pushed").await.expect("stored");
            }
        }
        for ack in acks {
            ack.await.expect("stored");
        }
        anyhow::Ok(())
    })
}

/// The bare client: every message read and nothing done with it.
fn consume(access: &Access, table: &TableName, rounds: u64) -> anyhow::Result<()> {
    bridge::hub::run(async {
        let hub = Hub::connect(access, 1).await?;
        let kept = hub.stream(table).await?;
        let config = OrderedConfig { max_batch: 500, ..OrderedConfig::default() };
        let consumer = kept.stream.create_consumer(config).await.expect("a consumer");
        let messages = consumer.messages().await.expect("messages");
        let count = usize::try_from(rounds).expect("few enough");
        let read =
            messages.take(count).filter(|message| std::future::ready(message.is_ok())).count();
        assert_eq!(read.await as u64, rounds);
        anyhow::Ok(())
    })
}
