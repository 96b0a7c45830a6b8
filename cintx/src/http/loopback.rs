//! Loopback addresses, to which plain HTTP is safe.

use url::{Host, Url};

/// Whether an address is one of this machine itself.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        // RFC 6761 keeps the whole of it for this machine.
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_here_is_told_from_what_looks_like_it() {
        for here in
            ["http://127.0.0.1/", "http://127.1.2.3:8080", "http://[::1]", "http://localhost", "http://a.localhost"]
        {
            assert!(is_loopback(&here.parse().unwrap()), "{here}");
        }
        for there in
            ["http://localhost.example", "http://alocalhost", "http://10.0.0.1", "http://[::2]", "data:localhost"]
        {
            assert!(!is_loopback(&there.parse().unwrap()), "{there}");
        }
    }
}
