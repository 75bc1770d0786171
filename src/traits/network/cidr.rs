//! Ranges of addresses: read, compared, and what is not outside of a cluster.

use std::fmt;
use std::net::IpAddr;

/// A range of addresses of one family, written as its network address and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cidr {
    network: IpAddr,
    length: u8,
}

impl Cidr {
    /// Reads `10.0.0.0/8` or `fd00::/8`; bits beyond the length are dropped.
    ///
    /// # Errors
    /// What to write instead.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let Some((address, length)) = text.split_once('/') else {
            return Err(match text.parse::<IpAddr>() {
                Ok(address) => format!("write `{}`", Self::single(address)),
                Err(_) => "write a range of addresses, for example `192.0.2.0/24`".into(),
            });
        };
        let digits = !length.is_empty() && length.len() <= 3 && length.bytes().all(|byte| byte.is_ascii_digit());
        match (address.parse::<IpAddr>(), length.parse::<u8>()) {
            (Ok(address), Ok(length)) if digits && length <= bits(address) => Ok(Self::masked(address, length)),
            (Ok(address), _) => Err(format!("its length is a number from 0 to {}", bits(address))),
            _ => Err("write a range of addresses, for example `192.0.2.0/24`".into()),
        }
    }

    /// The range of one address.
    pub(super) fn single(address: IpAddr) -> Self {
        Self { network: address, length: bits(address) }
    }

    fn masked(address: IpAddr, length: u8) -> Self {
        let network = match address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
                IpAddr::V4((u32::from(address) & mask).into())
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
                IpAddr::V6((u128::from(address) & mask).into())
            }
        };
        Self { network, length }
    }

    pub(super) fn is_v6(self) -> bool {
        self.network.is_ipv6()
    }

    /// Whether every address of the other range is in this one.
    pub(super) fn covers(self, other: Self) -> bool {
        self.is_v6() == other.is_v6()
            && self.length <= other.length
            && Self::masked(other.network, self.length).network == self.network
    }

    /// The ranges that lie within this one, without those inside of another. Kubernetes refuses an exception that is not
    /// smaller than its block (`ValidateIPBlock`), so where one covers the whole range there is no range left.
    pub(super) fn without(self, ranges: &[Self]) -> Option<Vec<Self>> {
        if ranges.iter().any(|range| range.covers(self)) {
            return None;
        }
        let mut inside: Vec<Self> = ranges.iter().copied().filter(|range| self.covers(*range)).collect();
        inside.sort_unstable();
        inside.dedup();
        let outermost = |range: &Self| !inside.iter().any(|other| other != range && other.covers(*range));
        Some(inside.iter().copied().filter(outermost).collect())
    }
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv6() { 128 } else { 32 }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.length)
    }
}

const fn v4(a: u8, b: u8, length: u8) -> Cidr {
    Cidr { network: IpAddr::V4(std::net::Ipv4Addr::new(a, b, 0, 0)), length }
}

const fn v6(first: u16, length: u8) -> Cidr {
    Cidr { network: IpAddr::V6(std::net::Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 0)), length }
}

/// Everything.
pub(super) const ANY: [Cidr; 2] = [v4(0, 0, 0), v6(0, 0)];

/// Addresses of private networks: RFC 1918, carriers' shared space (RFC 6598), unique local ones (RFC 4193).
pub(super) const PRIVATE: [Cidr; 5] = [v4(10, 0, 8), v4(172, 16, 12), v4(192, 168, 16), v4(100, 64, 10), v6(0xfc00, 7)];

/// Addresses of the link. A cloud's metadata service, which hands out credentials, is one of them (169.254.169.254).
pub(super) const LINK: [Cidr; 2] = [v4(169, 254, 16), v6(0xfe80, 10)];

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> Cidr {
        Cidr::parse(text).unwrap()
    }

    #[test]
    fn ranges_are_read_and_written() {
        for (text, written) in [
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("192.0.2.1/32", "192.0.2.1/32"),
            ("fd00::1/8", "fd00::/8"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(cidr(text).to_string(), written);
        }
        for (wrong, help) in [
            ("10.0.0.1", "10.0.0.1/32"),
            ("fd00::1", "fd00::1/128"),
            ("10.0.0.0/33", "0 to 32"),
            ("10.0.0.0/", "0 to 32"),
            ("10.0.0.0/+8", "0 to 32"),
            ("10.0.0/8", "192.0.2.0/24"),
            ("intranet", "192.0.2.0/24"),
        ] {
            let error = Cidr::parse(wrong).unwrap_err();
            assert!(error.contains(help), "{wrong}: {error}");
        }
    }

    #[test]
    fn exceptions_are_smaller_than_their_block() {
        let text = |ranges: Option<Vec<Cidr>>| ranges.map(|all| all.iter().map(Cidr::to_string).collect::<Vec<_>>());
        let ranges = [cidr("10.0.0.0/8"), cidr("10.244.0.0/16"), cidr("fd00::/8"), cidr("10.0.0.0/8")];
        assert_eq!(text(ANY[0].without(&ranges)), Some(vec!["10.0.0.0/8".into()]));
        assert_eq!(text(ANY[1].without(&ranges)), Some(vec!["fd00::/8".into()]));
        assert_eq!(text(cidr("10.0.0.0/8").without(&ranges)), None);
        assert_eq!(text(cidr("10.244.1.0/24").without(&ranges)), None);
        assert_eq!(text(cidr("192.0.2.0/24").without(&ranges)), Some(vec![]));
    }
}
