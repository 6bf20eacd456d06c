//! Delays the answers to wrong tokens, longer with each one from the same address.
//!
//! Only wrong tokens are delayed: whoever knows the token is never kept waiting by somebody who guesses, not even behind
//! a proxy, where all clients have one address.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::failed_tokens::locked;

/// Delay after the first wrong token of an address; each further one doubles it.
const DELAY_MIN: Duration = Duration::from_millis(100);
const DELAY_MAX: Duration = Duration::from_secs(10);
/// The delay of an address starts again once it has sent no wrong token for this time.
const FORGET_AFTER: Duration = Duration::from_mins(10);
/// Addresses with a delay of their own; further ones share one.
const ADDRESSES_MAX: usize = 1000;
/// Answers held back at a time for one address. More would let a client fill the server with open connections.
const HELD_MAX: u32 = 64;

/// The wrong tokens of each address, and the answers that are held back.
#[derive(Debug, Clone, Default)]
pub(super) struct TokenDelays {
    by_address: Arc<Mutex<Addresses>>,
    /// Cancelled when the server stops, which must not wait for answers that are held back.
    stop: CancellationToken,
}

/// More answers are already held back for this address than [`HELD_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooManyAttempts;

/// The key is the network that one client can take its addresses from; `None` stands for all that are not counted apart.
#[derive(Debug, Default)]
struct Addresses(BTreeMap<Option<IpAddr>, Guesses>);

/// The wrong tokens of one address.
#[derive(Debug)]
struct Guesses {
    wrong: u32,
    last: Instant,
    held: u32,
}

/// An answer that is held back; counted until it is dropped, even if the client closes the connection first.
#[derive(Debug)]
struct HeldAnswer<'a> {
    delays: &'a TokenDelays,
    key: Option<IpAddr>,
}

impl TokenDelays {
    pub(super) fn new(stop: CancellationToken) -> Self {
        Self { by_address: Arc::default(), stop }
    }

    /// Counts a wrong token and resolves when its answer may be sent.
    ///
    /// # Errors
    /// Too many answers to this address are held back, so this one is not.
    pub(super) async fn wait(&self, client: Option<IpAddr>) -> Result<(), TooManyAttempts> {
        let (key, delay) = locked(&self.by_address).hold(client.map(network), Instant::now())?;
        let _held = HeldAnswer { delays: self, key };
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = self.stop.cancelled() => {}
        }
        Ok(())
    }
}

impl Drop for HeldAnswer<'_> {
    fn drop(&mut self) {
        if let Some(guesses) = locked(&self.delays.by_address).0.get_mut(&self.key) {
            guesses.held -= 1;
        }
    }
}

impl Addresses {
    /// Counts a wrong token; returns under which key, and how long to hold back the answer.
    fn hold(
        &mut self,
        client: Option<IpAddr>,
        now: Instant,
    ) -> Result<(Option<IpAddr>, Duration), TooManyAttempts> {
        let is_old = |it: &Guesses| it.held == 0 && now.duration_since(it.last) >= FORGET_AFTER;
        if self.0.get(&client).is_some_and(is_old) {
            self.0.remove(&client);
        }
        let mut key = client;
        if self.0.len() >= ADDRESSES_MAX && !self.0.contains_key(&client) {
            self.0.retain(|_, guesses| !is_old(guesses));
            if self.0.len() >= ADDRESSES_MAX {
                key = None;
            }
        }
        let guesses = self.0.entry(key).or_insert(Guesses { wrong: 0, last: now, held: 0 });
        guesses.last = now;
        if guesses.held >= HELD_MAX {
            return Err(TooManyAttempts);
        }
        let delay = DELAY_MIN.saturating_mul(1_u32.checked_shl(guesses.wrong).unwrap_or(u32::MAX));
        guesses.wrong += 1;
        guesses.held += 1;
        Ok((key, delay.min(DELAY_MAX)))
    }
}

/// Returns the address, or the /64 network of an IPv6 address: every client has a whole one.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    const MALLORY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 7));
    const BOB: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 8));

    /// Returns how long the answer to a wrong token takes, in milliseconds.
    async fn delay(delays: &TokenDelays, client: Option<IpAddr>) -> u128 {
        let start = Instant::now();
        delays.wait(client).await.unwrap();
        start.elapsed().as_millis()
    }

    #[tokio::test(start_paused = true)]
    async fn each_wrong_token_doubles_the_delay_of_its_address_up_to_ten_seconds() {
        let delays = TokenDelays::default();
        let mut seen = Vec::new();
        for _ in 0..40 {
            seen.push(delay(&delays, Some(MALLORY)).await);
        }
        assert_eq!(seen[..9], [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
        assert_eq!(seen[39], 10_000);
        assert_eq!(delay(&delays, Some(BOB)).await, 100, "another address is not affected");
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_address_is_forgotten() {
        let delays = TokenDelays::default();
        for _ in 0..5 {
            delay(&delays, Some(MALLORY)).await;
        }
        tokio::time::advance(FORGET_AFTER).await;
        assert_eq!(delay(&delays, Some(MALLORY)).await, 100);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_holds_few_answers_back_and_the_rest_is_refused_at_once() {
        let delays = TokenDelays::default();
        let start = Instant::now();
        let outcomes = join_all(
            (0..2000)
                .map(|_| async { (delays.wait(Some(MALLORY)).await.is_ok(), start.elapsed()) }),
        );
        let outcomes = outcomes.await;
        let held = outcomes.iter().filter(|(is_held, _)| *is_held).count();
        assert_eq!(held, HELD_MAX as usize);
        for (is_held, after) in outcomes {
            assert!(after <= DELAY_MAX && (is_held || after.is_zero()), "{is_held} {after:?}");
        }
        assert_eq!(delay(&delays, Some(MALLORY)).await, 10_000, "later ones are held back again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_leaves_no_longer_counts_as_waiting() {
        let delays = TokenDelays::default();
        for _ in 0..2 * HELD_MAX {
            let wait = delays.wait(Some(MALLORY));
            assert!(tokio::time::timeout(Duration::from_millis(1), wait).await.is_err());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_stops_waits_for_no_delayed_answer() {
        let stop = CancellationToken::new();
        let delays = TokenDelays::new(stop.clone());
        stop.cancel();
        assert_eq!(delay(&delays, Some(MALLORY)).await, 0);
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_share_a_delay() {
        let [one, other, foreign, mapped] =
            ["2001:db8:0:1::5", "2001:db8:0:1:ffff::1", "2001:db8:0:2::5", "::ffff:10.0.0.7"]
                .map(|text| network(text.parse().unwrap()));
        assert_eq!(one, other);
        assert_ne!(one, foreign);
        assert_eq!(mapped, MALLORY);
    }

    #[test]
    fn many_addresses_take_bounded_memory_and_old_ones_make_room() {
        let start = Instant::now();
        let mut addresses = Addresses::default();
        let address = |number: u32| Some(IpAddr::from(number.to_be_bytes()));
        for number in 0..5000 {
            let (key, _) = addresses.hold(address(number), start).unwrap_or((None, DELAY_MAX));
            assert_eq!(key.is_some(), number < 1000, "{number}");
            if let Some(guesses) = addresses.0.get_mut(&key) {
                guesses.held = 0;
            }
        }
        assert_eq!(addresses.0.len(), ADDRESSES_MAX + 1);
        let (key, delay) = addresses.hold(address(9999), start + FORGET_AFTER).unwrap();
        assert_eq!((key, delay, addresses.0.len()), (address(9999), DELAY_MIN, 1));
    }
}
