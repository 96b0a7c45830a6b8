//! Who may look into the sandbox and move it: pages and programs of this
//! machine, and whoever has the token that is printed at the start.

use crate::api::engine::Incoming;
use http::HeaderMap;
use http::uri::{Authority, Uri};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

/// What is wrong about a token that is to open the sandbox from anywhere. Headers and addresses must be able to hold
/// it, and an empty one would let everybody in.
pub(crate) fn token_problem(token: &str) -> Option<&'static str> {
    if token.is_empty() {
        Some("is empty; it would let everybody in")
    } else if !token.bytes().all(|byte| (b' '..=b'~').contains(&byte)) || token.trim() != token {
        Some("has more than printable ASCII, or a space at an end")
    } else {
        None
    }
}

/// Whether a request to the control endpoint or the page is let in; the reason
/// if not. A page of another site must not reach a developer's sandbox, also
/// not by a name that leads here.
pub(crate) fn check(incoming: &Incoming, peer: SocketAddr, token: &str) -> Result<(), &'static str> {
    if !token.is_empty() && given_token(incoming).is_some_and(|given| given == token) {
        return Ok(());
    }
    let headers = &incoming.headers;
    if !peer.ip().to_canonical().is_loopback() {
        return Err("from another machine, the token is needed that is printed at the start");
    }
    // With two of them, it is not known which one others went by.
    let host = header(headers, "host")
        .filter(|_| headers.get_all("host").iter().count() == 1)
        .and_then(|host| host.parse::<Authority>().ok());
    let Some(host) = host.filter(|host| is_loopback(host.host())) else {
        return Err("Host is not this machine, so the token is needed that is printed at the start");
    };
    let foreign = header(headers, "origin").is_some_and(|origin| {
        let origin = origin.parse::<Uri>().ok();
        origin.as_ref().and_then(Uri::authority).is_none_or(|authority| *authority != host)
    });
    // Following a link is no request by the other site's script.
    let followed = incoming.method == "GET" && header(headers, "sec-fetch-mode") == Some("navigate");
    if foreign || (header(headers, "sec-fetch-site") == Some("cross-site") && !followed) {
        return Err("the request comes from a page of another origin");
    }
    Ok(())
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The token, as a bearer's or, for pages, in the query, where a plus sign is one.
fn given_token(incoming: &Incoming) -> Option<Cow<'_, str>> {
    let bearer = header(&incoming.headers, "authorization").and_then(|value| value.strip_prefix("Bearer "));
    let query = incoming.query.as_deref().unwrap_or_default();
    let of_query = || query.split('&').find_map(|pair| pair.strip_prefix("token="));
    bearer.map(Cow::Borrowed).or_else(|| Some(percent_decode_str(of_query()?).decode_utf8_lossy()))
}

/// Whether a host of an address is this machine, whatever is asked of DNS.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(peer: &str, headers: &[(&'static str, &str)]) -> Result<(), &'static str> {
        ask_with(peer, headers, None, "secret")
    }

    fn ask_with(
        peer: &str,
        headers: &[(&'static str, &str)],
        query: Option<&str>,
        token: &str,
    ) -> Result<(), &'static str> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let incoming = Incoming {
            method: "POST".into(),
            path: "/control/reset".into(),
            query: query.map(str::to_owned),
            headers: map,
            body: bytes::Bytes::new(),
        };
        check(&incoming, peer.parse().unwrap(), token)
    }

    #[test]
    fn this_machine_is_let_in_and_other_sites_are_not() {
        let here = "127.0.0.1:5000";
        for host in ["127.0.0.1:8099", "localhost:8099", "LOCALHOST", "[::1]:8099", "127.9.9.9"] {
            assert_eq!(ask(here, &[("host", host)]), Ok(()), "{host}");
        }
        for host in ["evil.example:8099", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", ""] {
            assert!(ask(here, &[("host", host)]).is_err(), "{host}");
        }
        assert!(ask(here, &[]).is_err());
        assert!(ask(here, &[("host", "localhost:8099"), ("host", "evil.example")]).is_err());
        let host = ("host", "localhost:8099");
        assert_eq!(ask(here, &[host, ("origin", "http://localhost:8099")]), Ok(()));
        for origin in ["http://evil.example", "null", "http://localhost:3000", "http://localhost:8099.evil.example"] {
            assert!(ask(here, &[host, ("origin", origin)]).is_err(), "{origin}");
        }
        assert!(ask(here, &[host, ("sec-fetch-site", "cross-site")]).is_err());
        assert!(ask("10.0.0.7:5000", &[host]).is_err());
    }

    #[test]
    fn the_token_opens_from_anywhere() {
        let token = ("authorization", "Bearer secret");
        assert_eq!(ask("10.0.0.7:5000", &[("host", "build.example"), token]), Ok(()));
        assert!(ask("10.0.0.7:5000", &[("host", "build.example"), ("authorization", "Bearer other")]).is_err());
    }

    #[test]
    fn an_empty_token_opens_nothing() {
        for (headers, query) in [(vec![], Some("token=")), (vec![("authorization", "Bearer ")], None)] {
            assert!(ask_with("10.0.0.7:5000", &headers, query, "").is_err(), "{headers:?} {query:?}");
        }
        for (token, is_good) in
            [("", false), (" a", false), ("a\n", false), ("\u{fc}", false), ("a b/+=%&", true), ("x", true)]
        {
            assert_eq!(token_problem(token).is_none(), is_good, "{token:?}");
        }
    }

    #[test]
    fn a_token_in_an_address_may_be_escaped() {
        let token = "a/b+c= &%";
        for query in ["token=a%2Fb%2Bc%3D%20%26%25", "page=1&token=a/b+c=%20%26%25"] {
            assert_eq!(ask_with("10.0.0.7:5000", &[], Some(query), token), Ok(()), "{query}");
        }
        assert!(ask_with("10.0.0.7:5000", &[], Some("token=a/b+c="), token).is_err());
    }
}
