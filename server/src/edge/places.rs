//! How many of something there are at once: in all, and for each holder.
//!
//! Entry points: [`Places::take`], [`Places::until_empty`]. Invariant: a place is free again when its [`Place`] is dropped,
//! however that happens, and a holder without places is forgotten.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// Counted places for holders of one kind.
#[derive(Debug)]
pub struct Places<K> {
    taken: Mutex<HashMap<K, usize>>,
    total: watch::Sender<usize>,
    limit: usize,
    limit_per_holder: usize,
}

/// Why there was no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// All places are taken.
    Everywhere,
    /// This holder has all that one holder may have.
    ForHolder,
}

/// One place, held until it is dropped.
#[derive(Debug)]
pub struct Place<K: Hash + Eq + Clone> {
    places: Arc<Places<K>>,
    /// `None` for a holder who is not counted by itself.
    holder: Option<K>,
}

impl<K: Hash + Eq + Clone> Places<K> {
    /// So many places, and so many for one holder.
    pub fn new(limit: usize, limit_per_holder: usize) -> Arc<Self> {
        let total = watch::Sender::new(0);
        Arc::new(Self { taken: Mutex::default(), total, limit, limit_per_holder })
    }

    /// Takes a place for this holder; without a holder, only all places together are counted.
    pub fn take(self: &Arc<Self>, holder: Option<K>) -> Result<Place<K>, Full> {
        let mut taken = self.lock();
        if *self.total.borrow() >= self.limit {
            return Err(Full::Everywhere);
        }
        if let Some(holder) = &holder {
            let count = taken.entry(holder.clone()).or_default();
            if *count >= self.limit_per_holder {
                return Err(Full::ForHolder);
            }
            *count += 1;
        }
        self.total.send_modify(|total| *total += 1);
        Ok(Place { places: Arc::clone(self), holder })
    }

    /// Waits until no place is taken.
    pub async fn until_empty(&self) {
        let mut total = self.total.subscribe();
        // The sender is ours: it cannot be gone while we wait.
        let _empty = total.wait_for(|total| *total == 0).await;
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        // Counting does not panic half-way.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq + Clone> Drop for Place<K> {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        if let Some(holder) = self.holder.take()
            && let Entry::Occupied(mut count) = taken.entry(holder)
        {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
        self.places.total.send_modify(|total| *total -= 1);
    }
}

/// An address as a holder: one customer of a provider has one IPv4 address, or a whole /64 of IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Household(IpAddr);

impl From<IpAddr> for Household {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(address.into()),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into())
            }
        }
    }
}

/// As it stands in the database: the address, or the beginning of all addresses of the network.
impl std::fmt::Display for Household {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_for_each_holder_and_in_all_and_come_back() {
        let places = Places::new(3, 2);
        let (first, second) = (places.take(Some(1)).unwrap(), places.take(Some(1)).unwrap());
        assert_eq!(places.take(Some(1)).err(), Some(Full::ForHolder));
        let third = places.take(None).unwrap();
        assert_eq!(places.take(Some(2)).err(), Some(Full::Everywhere));
        assert_eq!(places.take(None).err(), Some(Full::Everywhere));
        drop((first, third));
        assert!(places.take(Some(1)).is_ok(), "the first place is free again");
        drop(second);
        assert!(places.lock().is_empty(), "nobody is remembered");
    }

    #[test]
    fn addresses_of_one_household_are_one_holder() {
        let of = |text: &str| Household::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
