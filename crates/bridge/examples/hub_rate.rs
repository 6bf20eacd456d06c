//! Compares the cost of the bridge with the plain NATS client: equally many messages of the same size, published and
//! read.
//!
//!     cargo run -p bridge --example hub_rate -- nats://127.0.0.1:4222 20000
//!     cargo run -p bridge --example hub_rate -- nats://127.0.0.1:4222 20 1000
//!
//! Arguments: the hub (use a separate one: it is filled), the rounds per table, and the number of tables. With several
//! tables, only creating and filling them is timed. Prints a table.
#![expect(clippy::print_stdout, reason = "it prints its measurements")]

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
/// Number of repetitions of each measurement; they take turns.
const REPETITIONS: usize = 5;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let hub = arguments.next().context("the address of the hub is missing")?;
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
    println!("{rounds} rounds, at most {IN_FLIGHT} in flight, medians of {REPETITIONS}");
    let here = work.path().join("here");
    let bytes = write(&here, rounds)?;
    println!("message body: {bytes} bytes");
    let mut costs: [Vec<Cost>; 5] = Default::default();
    for time in 0..REPETITIONS {
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
    row("bridge push of stored rows", again, rounds, plain);
    row("read", read, rounds, read);
    row("bridge pull", pulled, rounds, read);
    Ok(())
}

/// The wall-clock time and the processor time of this process that some work took.
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

/// Returns the processor time so far, which Linux counts in hundredths of a second.
fn cpu() -> anyhow::Result<Duration> {
    let text = fs::read_to_string("/proc/self/stat").context("this works only on Linux")?;
    let (_, fields) = text.rsplit_once(')').context("unexpected format of /proc/self/stat")?;
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
        "{what:30} {rate:8.0} per second, {ratio:.2} of the plain client; {:6.1} us of processor time per round",
        micros(cost.cpu)
    );
}

fn name(text: &str) -> TableName {
    text.parse().expect("the name is valid")
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

/// Writes files as a collector does; returns the length of one of their messages.
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
        read: rounds::ReadSettings::default(),
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

/// Publishes with the plain client: the same stream and subjects, bodies of the same length, each acknowledged.
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

/// Reads every message with the plain client and discards it.
fn consume(access: &Access, table: &TableName, rounds: u64) -> anyhow::Result<()> {
    bridge::hub::run(async {
        let hub = Hub::connect(access, 1).await?;
        let table_stream = hub.stream(table).await?;
        let config = OrderedConfig { max_batch: 500, ..OrderedConfig::default() };
        let consumer = table_stream.stream.create_consumer(config).await.expect("a consumer");
        let messages = consumer.messages().await.expect("messages");
        let count = usize::try_from(rounds).expect("few enough");
        let read =
            messages.take(count).filter(|message| std::future::ready(message.is_ok())).count();
        assert_eq!(read.await as u64, rounds);
        anyhow::Ok(())
    })
}
