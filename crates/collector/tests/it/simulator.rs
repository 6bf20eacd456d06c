//! A simulated game for a browser: the game's frame within a launcher's frame within a casino's page, each on its own site,
//! with two copies of the history list and a socket with the messages of the game's server. The test decides when rounds end.

// With a path, because an example includes this file too.
#[path = "simulator/sfs2x.rs"]
pub(crate) mod sfs2x;

use std::sync::{Arc, Mutex};

use futures_util::{SinkExt as _, StreamExt as _};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use rounds::Multiplier;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};

use sfs2x::Field::{Byte, Double, Int, List, Object, Short, Text};

/// Number of rounds that the game shows.
pub(crate) const SHOWN: usize = 25;
const CASINO: &str = include_str!("simulator/casino.html");
const LAUNCHER: &str = include_str!("simulator/launcher.html");
const GAME: &str = include_str!("simulator/game.html");

/// The channels through which the page reports rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channels {
    Both,
    List,
    Frames,
}

/// A round that was played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PlayedRound {
    pub(crate) id: u32,
    pub(crate) multiplier: Multiplier,
}

/// The state of the game's server.
#[derive(Debug)]
struct Table {
    rounds: Vec<PlayedRound>,
    random: ChaCha8Rng,
    next_id: u32,
    channels: Channels,
    port: u16,
}

/// The game's server.
#[derive(Debug)]
pub(crate) struct Game {
    table: Arc<Mutex<Table>>,
    /// The number of rounds so far.
    played: watch::Sender<usize>,
    /// The number of pages that have filled their list or received the history.
    loaded: watch::Receiver<usize>,
    port: u16,
    _server: JoinSet<()>,
}

impl Table {
    /// Draws the next round: P(M >= x) = 0.97 / x; ids grow but are not consecutive.
    fn draw(&mut self) {
        let unit = f64::from(self.random.next_u32()) / f64::from(u32::MAX);
        let multiplier = (97.0 / (1.0 - unit * 0.999_99)).floor().max(100.0) / 100.0;
        self.next_id += 1 + self.random.next_u32() % 4;
        let multiplier = Multiplier::new(multiplier).unwrap();
        self.rounds.push(PlayedRound { id: self.next_id, multiplier });
    }

    fn history(&self, until: usize) -> Vec<PlayedRound> {
        self.rounds[..until].iter().rev().take(SHOWN).copied().collect()
    }
}

impl Game {
    pub(crate) async fn open(channels: Channels, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut table = Table {
            rounds: Vec::new(),
            random: ChaCha8Rng::seed_from_u64(seed),
            next_id: 8_241_900,
            channels,
            port,
        };
        (0..SHOWN).for_each(|_| table.draw());
        let table = Arc::new(Mutex::new(table));
        let (played, rounds) = watch::channel(SHOWN);
        let (loads, loaded) = watch::channel(0);
        let mut server = JoinSet::new();
        server.spawn(serve(listener, Arc::clone(&table), rounds, loads));
        Self { table, played, loaded, port, _server: server }
    }

    /// Returns the URL of the casino's page; its query holds a secret.
    pub(crate) fn url(&self) -> String {
        format!("http://casino.localhost:{}/games/aviator?token=SECRET", self.port)
    }

    /// Returns the URL of a page whose game frame is on the casino's site, and so in the page's process.
    pub(crate) fn inner_url(&self) -> String {
        format!("http://casino.localhost:{}/games/aviator-inside?token=SECRET", self.port)
    }

    /// Ends this many rounds, one after another.
    pub(crate) fn play(&self, rounds: usize) {
        let mut table = self.table.lock().unwrap();
        (0..rounds).for_each(|_| table.draw());
        self.played.send_replace(table.rounds.len());
    }

    pub(crate) fn truth(&self) -> Vec<PlayedRound> {
        self.table.lock().unwrap().rounds.clone()
    }

    /// Returns how many times the game has been loaded.
    pub(crate) fn loads(&self) -> usize {
        *self.loaded.borrow()
    }

    /// Waits until the game has been loaded more than `before` times.
    pub(crate) async fn loaded_after(&mut self, before: usize) {
        self.loaded.wait_for(|loads| *loads > before).await.unwrap();
    }
}

async fn serve(
    listener: TcpListener,
    table: Arc<Mutex<Table>>,
    played: watch::Receiver<usize>,
    loads: watch::Sender<usize>,
) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (table, played, loads) = (Arc::clone(&table), played.clone(), loads.clone());
        // A page that is closed breaks its connections, which is not an error.
        connections.spawn(async move { drop(connection(stream, table, played, loads).await) });
        while connections.try_join_next().is_some() {}
    }
}

type Outcome = Result<(), tokio_tungstenite::tungstenite::Error>;

async fn connection(
    mut stream: TcpStream,
    table: Arc<Mutex<Table>>,
    played: watch::Receiver<usize>,
    loads: watch::Sender<usize>,
) -> Outcome {
    let mut head = vec![0; 8192];
    let length = loop {
        let length = stream.peek(&mut head).await?;
        if length == 0 || head[..length].windows(4).any(|end| end == b"\r\n\r\n") {
            break length;
        }
    };
    let head = String::from_utf8_lossy(&head[..length]).into_owned();
    let path = head.split(' ').nth(1).unwrap_or("/").to_owned();
    if path.starts_with("/BlueBox/websocket") {
        return serve_game_socket(accept_async(stream).await?, table, played, loads).await;
    }
    if path.starts_with("/feed") {
        return serve_list(accept_async(stream).await?, table, played, loads).await;
    }
    let mut request = vec![0; length];
    stream.read_exact(&mut request).await?;
    let body = page(&head, &table.lock().unwrap());
    let (status, body) = body.map_or(("404 Not Found", String::new()), |body| ("200 OK", body));
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await?;
    Ok(())
}

fn page(head: &str, table: &Table) -> Option<String> {
    let host = head.lines().find_map(|line| line.strip_prefix("Host: "))?;
    let path = head.strip_prefix("GET ")?.split([' ', '?']).next()?;
    let page = match (host.split('.').next()?, path) {
        ("casino", "/games/aviator") => CASINO.to_owned(),
        ("casino", "/games/aviator-inside") => {
            CASINO.replace("http://launcher.localhost:{port}/launch", "/play")
        }
        ("casino", "/play") | ("aviator-next", "/") => GAME.to_owned(),
        ("launcher", "/launch") => LAUNCHER.to_owned(),
        _ => return None,
    };
    let channels = match table.channels {
        Channels::Both => "both",
        Channels::List => "list",
        Channels::Frames => "frames",
    };
    Some(page.replace("{port}", &table.port.to_string()).replace("{shows}", channels))
}

/// Sends the page the content of its lists, which fill in steps, from the old or from the new end.
async fn serve_list(
    socket: WebSocketStream<TcpStream>,
    table: Arc<Mutex<Table>>,
    mut played: watch::Receiver<usize>,
    loads: watch::Sender<usize>,
) -> Outcome {
    let (mut sink, mut stream) = socket.split();
    let mut sent = *played.borrow_and_update();
    let history: Vec<String> =
        table.lock().unwrap().history(sent).iter().map(|round| text(round.multiplier)).collect();
    let newest_first = loads.borrow().is_multiple_of(2);
    for length in [0, 8, 16, history.len()] {
        let shown =
            if newest_first { &history[..length] } else { &history[history.len() - length..] };
        sink.send(Message::text(serde_json::json!({ "list": shown }).to_string())).await?;
    }
    // The page answers when it has drawn them.
    stream.next().await;
    if table.lock().unwrap().channels == Channels::List {
        loads.send_modify(|loads| *loads += 1);
    }
    loop {
        tokio::select! {
            changed = played.changed() => if changed.is_err() { return Ok(()) },
            message = stream.next() => if message.is_none() { return Ok(()) },
        }
        let now = *played.borrow_and_update();
        let ended: Vec<PlayedRound> = table.lock().unwrap().rounds[sent..now].to_vec();
        sent = now;
        for round in ended {
            let message = serde_json::json!({ "ended": text(round.multiplier) });
            sink.send(Message::text(message.to_string())).await?;
        }
    }
}

/// Returns the text of a multiplier as the game shows it, with commas between the thousands.
fn text(multiplier: Multiplier) -> String {
    let (whole, hundredths) = (multiplier.cents() / 100, multiplier.cents() % 100);
    let thousands = if whole < 1000 {
        whole.to_string()
    } else {
        format!("{},{:03}", whole / 1000, whole % 1000)
    };
    format!(" {thousands}.{hundredths:02}x ")
}

/// Sends the messages of the game's server: the login, the history, and for every round also messages that are not rounds.
async fn serve_game_socket(
    mut socket: WebSocketStream<TcpStream>,
    table: Arc<Mutex<Table>>,
    mut played: watch::Receiver<usize>,
    loads: watch::Sender<usize>,
) -> Outcome {
    // The login of the page.
    socket.next().await;
    let login = Object(vec![
        ("c", Byte(0)),
        ("a", Short(1)),
        ("p", Object(vec![("zn", Text("aviator_core_inst2_demo1".to_owned()))])),
    ]);
    socket.send(Message::binary(sfs2x::packet(&login))).await?;
    let mut sent = *played.borrow_and_update();
    let history = table.lock().unwrap().history(sent);
    let rounds = history.iter().map(|&round| info(round)).collect();
    let init = sfs2x::call("init", vec![("roundsInfo", List(rounds)), ("stageId", Int(2))]);
    socket.send(Message::binary(sfs2x::compressed_packet(&init))).await?;
    loads.send_modify(|loads| *loads += 1);
    loop {
        tokio::select! {
            changed = played.changed() => if changed.is_err() { return Ok(()) },
            message = socket.next() => if message.is_none() { return Ok(()) },
        }
        let now = *played.borrow_and_update();
        let ended: Vec<PlayedRound> = table.lock().unwrap().rounds[sent..now].to_vec();
        for (index, round) in ended.into_iter().enumerate() {
            for message in flight(sent + index, round) {
                socket.send(Message::binary(message)).await?;
            }
        }
        sent = now;
    }
}

fn info(round: PlayedRound) -> sfs2x::Field {
    Object(vec![
        ("maxMultiplier", Double(round.multiplier.as_f64())),
        ("roundId", Int(i32::try_from(round.id).unwrap())),
    ])
}

/// Returns the messages of one round: a tick, cash-outs, the end without an id, the state, and the end with its id. Some are
/// joined in one WebSocket message, and some are sent twice.
fn flight(index: usize, round: PlayedRound) -> Vec<Vec<u8>> {
    let multiplier = Double(round.multiplier.as_f64());
    let id = Int(i32::try_from(round.id).unwrap());
    let cash_out = Object(vec![("multiplier", Double(1.22)), ("maxMultiplier", Double(2.0))]);
    let tick = sfs2x::call("x", vec![("x", Double(1.01))]);
    let cash_outs = sfs2x::call(
        "updateCurrentCashOuts",
        vec![
            ("cashouts", List(vec![cash_out])),
            ("roundId", id.clone()),
            ("maxMultiplier", Double(1.5)),
        ],
    );
    let crash = sfs2x::call("x", vec![("crashX", multiplier)]);
    let state = sfs2x::call("changeState", vec![("newStateId", Int(3)), ("roundId", id)]);
    let Object(fields) = info(round) else { unreachable!("a round is an object") };
    let end = sfs2x::packet(&sfs2x::call("roundChartInfo", fields));
    let both = [sfs2x::packet(&state), end.clone()].concat();
    let mut messages =
        vec![sfs2x::packet(&tick), sfs2x::compressed_packet(&cash_outs), sfs2x::packet(&crash)];
    match index % 3 {
        0 => messages.extend([sfs2x::packet(&state), end]),
        1 => messages.push(both),
        _ => messages.extend([end, both]),
    }
    messages
}
