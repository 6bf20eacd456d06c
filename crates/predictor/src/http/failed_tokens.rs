//! Logs wrong tokens by address, without flooding the log.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;

/// Interval between the lines about wrong tokens.
const INTERVAL: Duration = Duration::from_mins(1);
/// Addresses that are counted apart; those of further clients are counted together.
const ADDRESSES_MAX: usize = 100;

/// Wrong tokens since the last line. The first one of an interval is logged at once, the others together at its end.
#[derive(Debug, Clone, Default)]
pub(super) struct FailedTokens {
    attempts: Arc<Mutex<Attempts>>,
    /// The task that logs at the end of the interval.
    tasks: Arc<Mutex<JoinSet<()>>>,
}

#[derive(Debug, Default)]
struct Attempts {
    /// Whether an attempt of this interval has been logged; later ones are only counted.
    is_counting: bool,
    by_address: BTreeMap<IpAddr, u64>,
    others: u64,
}

impl FailedTokens {
    /// Counts a wrong token.
    pub(super) fn record(&self, client: Option<IpAddr>) {
        let mut attempts = locked(&self.attempts);
        if attempts.is_counting {
            attempts.count(client);
            return;
        }
        attempts.is_counting = true;
        let address = client.map(tracing::field::display);
        tracing::warn!(address, "Refused: wrong token.");
        let counted = Arc::clone(&self.attempts);
        let mut tasks = locked(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            tokio::time::sleep(INTERVAL).await;
            std::mem::take(&mut *locked(&counted)).log();
        });
    }
}

/// Ignores a poisoned lock: counts have no state in between.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Attempts {
    fn count(&mut self, client: Option<IpAddr>) {
        match client {
            Some(address)
                if self.by_address.len() < ADDRESSES_MAX
                    || self.by_address.contains_key(&address) =>
            {
                *self.by_address.entry(address).or_default() += 1;
            }
            _ => self.others += 1,
        }
    }

    fn log(self) {
        let total = self.by_address.values().sum::<u64>() + self.others;
        if let Some((address, attempts)) = self.by_address.iter().max_by_key(|(_, count)| **count) {
            let addresses = self.by_address.len();
            tracing::warn!(total, addresses, most_from = %address, attempts, "More wrong tokens were refused in the last minute.");
        } else if total > 0 {
            tracing::warn!(total, "More wrong tokens were refused in the last minute.");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_wrong_tokens_is_counted_by_address_and_told_once() {
        let failed = FailedTokens::default();
        let client = |last| Some(IpAddr::from([10, 0, 0, last]));
        for _ in 0..2000 {
            failed.record(client(7));
        }
        failed.record(client(8));
        failed.record(None);
        let attempts = locked(&failed.attempts).by_address.clone();
        let others = locked(&failed.attempts).others;
        let expected = BTreeMap::from([(client(7).unwrap(), 1999), (client(8).unwrap(), 1)]);
        assert_eq!((attempts, others), (expected, 1));
        tokio::time::sleep(INTERVAL).await;
        tokio::task::yield_now().await;
        let is_counting = locked(&failed.attempts).is_counting;
        assert!(!is_counting && locked(&failed.attempts).by_address.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn many_addresses_take_bounded_memory() {
        let failed = FailedTokens::default();
        for number in 0..5000_u32 {
            failed.record(Some(IpAddr::from(number.to_be_bytes())));
        }
        assert_eq!(locked(&failed.attempts).by_address.len(), ADDRESSES_MAX);
        assert_eq!(locked(&failed.attempts).others, 5000 - 1 - ADDRESSES_MAX as u64);
    }
}
