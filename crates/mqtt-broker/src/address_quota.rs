//! How many connections come from where.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Counts the connections of each address. Clones are the same counts.
#[derive(Debug, Clone)]
pub(crate) struct AddressQuota {
    maximum: NonZeroU32,
    n_by_address: Arc<Mutex<HashMap<IpAddr, u32>>>,
}

/// One connection's part of its address's quota, for as long as it lasts.
#[derive(Debug)]
pub struct Admission {
    /// `None` if it is not counted.
    /// In a box, as most connections of this machine are idle and small.
    counted: Option<Box<(AddressQuota, IpAddr)>>,
}

impl AddressQuota {
    pub(crate) fn new(maximum: NonZeroU32) -> Self {
        Self {
            maximum,
            n_by_address: Arc::default(),
        }
    }

    /// Lets a connection from this address in, unless there are too many already.
    pub(crate) fn admit(&self, address: IpAddr) -> Option<Admission> {
        let address = address.to_canonical();
        if address.is_loopback() {
            return Some(Admission { counted: None });
        }
        let address = network_of(address);
        let mut n_by_address = self.lock();
        let n = n_by_address.entry(address).or_default();
        if *n >= self.maximum.get() {
            return None;
        }
        *n += 1;
        Some(Admission {
            counted: Some(Box::new((self.clone(), address))),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, u32>> {
        self.n_by_address
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let Some(counted) = &self.counted else {
            return;
        };
        let (quota, address) = &**counted;
        let mut n_by_address = quota.lock();
        if let Some(n) = n_by_address.get_mut(address) {
            *n -= 1;
            if *n == 0 {
                n_by_address.remove(address);
            }
        }
    }
}

/// What one subscriber of an internet provider has: of IPv6 a whole /64, so its addresses are one.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(maximum: u32) -> AddressQuota {
        AddressQuota::new(NonZeroU32::new(maximum).unwrap())
    }

    fn at(address: &str) -> IpAddr {
        address.parse().unwrap()
    }

    #[test]
    fn an_address_has_so_many_and_another_has_its_own() {
        let quota = quota(2);
        let _first = quota.admit(at("192.0.2.1")).unwrap();
        let second = quota.admit(at("192.0.2.1")).unwrap();
        assert!(quota.admit(at("192.0.2.1")).is_none());
        assert!(quota.admit(at("::ffff:192.0.2.1")).is_none());
        assert!(quota.admit(at("192.0.2.2")).is_some());
        drop(second);
        assert!(quota.admit(at("192.0.2.1")).is_some());
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one() {
        let quota = quota(1);
        let _first = quota.admit(at("2001:db8:0:1::1")).unwrap();
        assert!(quota.admit(at("2001:db8:0:1:ffff::2")).is_none());
        assert!(quota.admit(at("2001:db8:0:2::1")).is_some());
    }

    #[test]
    fn this_machine_is_not_counted() {
        let quota = quota(1);
        let admissions: Vec<_> = ["127.0.0.1", "127.0.0.1", "::1", "::1"]
            .map(|address| quota.admit(at(address)))
            .into();
        assert!(admissions.iter().all(Option::is_some));
        assert!(quota.lock().is_empty());
    }

    #[test]
    fn nothing_is_remembered_of_who_is_gone() {
        let quota = quota(1);
        drop(quota.admit(at("192.0.2.1")));
        assert!(quota.lock().is_empty());
    }
}
