//! A proxy that can cut or freeze its connections, and whose server may move.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

#[derive(Default)]
struct State {
    target: Option<SocketAddr>,
    /// Connections stay open, but no byte passes.
    is_frozen: bool,
    open: Vec<TcpStream>,
}

pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl Proxy {
    pub(crate) fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = State { target: Some(target), ..State::default() };
        let shared = Arc::new((Mutex::new(state), Condvar::new()));
        let theirs = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // On an error the connection is dropped, which the client sees as closed.
                drop(join(client, &theirs));
            }
        });
        Self { address, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// Closes every connection and accepts no new ones.
    pub(crate) fn cut(&self) {
        self.change(|state| {
            state.target = None;
            for stream in state.open.drain(..) {
                drop(stream.shutdown(Shutdown::Both));
            }
        });
    }

    pub(crate) fn restore(&self, target: SocketAddr) {
        self.change(|state| (state.target, state.is_frozen) = (Some(target), false));
    }

    /// Holds back every byte from now on.
    pub(crate) fn freeze(&self) {
        self.change(|state| state.is_frozen = true);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.shared.0.lock().unwrap());
        self.shared.1.notify_all();
    }
}

fn join(client: TcpStream, shared: &Arc<(Mutex<State>, Condvar)>) -> io::Result<()> {
    let mut state = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(target) = state.target else { return Ok(()) };
    let server = TcpStream::connect(target)?;
    state.open.extend([client.try_clone()?, server.try_clone()?]);
    drop(state);
    let pairs = [(client.try_clone()?, server.try_clone()?), (server, client)];
    for (from, to) in pairs {
        let shared = Arc::clone(shared);
        thread::spawn(move || carry(from, to, &shared));
    }
    Ok(())
}

fn carry(mut from: TcpStream, mut to: TcpStream, shared: &(Mutex<State>, Condvar)) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let state = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        let thawed = shared.1.wait_while(state, |state| state.is_frozen);
        drop(thawed.unwrap_or_else(PoisonError::into_inner));
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Both));
    drop(from.shutdown(Shutdown::Both));
}
