//! The measured calls, as a program would write them: by hand over `reqwest`, with the raw client, with the facade.

mod by_hand;
mod facade;
mod raw;

use std::fmt;
use std::str::FromStr;

use tokio::runtime::{Builder, Runtime};

use self::by_hand::ByHand;
use self::facade::Facade;
use self::raw::Raw;
use crate::Result;
use crate::server::Address;

/// A measured call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// Creates a project.
    Project,
    /// Creates a target group; only the facade works one out.
    TargetGroup,
    /// Lists a page of 100 target groups.
    List,
    /// Reads a library of 2,000 questions.
    Library,
    /// Launches a target group, asks whether that is done, and reads the run: three requests.
    Launch,
}

/// What makes the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// `reqwest` and `serde_json`, written for the one call: the least that it can take.
    ByHand,
    /// The generated client, without a pipeline.
    Raw,
    /// The SDK as it is.
    Facade,
}

impl Call {
    pub(crate) const ALL: [Self; 5] = [Self::Project, Self::TargetGroup, Self::List, Self::Library, Self::Launch];

    /// The clients that make it.
    pub(crate) fn clients(self) -> &'static [Client] {
        if self == Self::TargetGroup { &[Client::Facade] } else { &Client::ALL }
    }
}

impl Client {
    const ALL: [Self; 3] = [Self::ByHand, Self::Raw, Self::Facade];
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Project => "project",
            Self::TargetGroup => "target-group",
            Self::List => "list",
            Self::Library => "library",
            Self::Launch => "launch",
        })
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ByHand => "by-hand",
            Self::Raw => "raw",
            Self::Facade => "facade",
        })
    }
}

impl FromStr for Call {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        find(&Self::ALL, text, "call")
    }
}

impl FromStr for Client {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        find(&Self::ALL, text, "client")
    }
}

fn find<T: Copy + fmt::Display>(all: &[T], text: &str, field: &str) -> std::result::Result<T, String> {
    let names = || all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    all.iter()
        .copied()
        .find(|one| one.to_string() == text)
        .ok_or_else(|| format!("{field} is {text:?}, expected {}", names()))
}

/// A client of the server, with a thread of its own to run on.
pub(crate) struct Caller {
    runtime: Runtime,
    by_hand: ByHand,
    raw: Raw,
    facade: Facade,
}

impl Caller {
    pub(crate) fn new(address: &Address) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (by_hand, raw, facade) = (ByHand::new(address)?, Raw::new(address)?, Facade::new(address)?);
        Ok(Self { runtime, by_hand, raw, facade })
    }

    pub(crate) fn call(&self, client: Client, call: Call) -> Result<()> {
        self.runtime.block_on(self.make(client, call))
    }

    pub(crate) fn block_on<F: Future>(&self, work: F) -> F::Output {
        self.runtime.block_on(work)
    }

    pub(crate) async fn make(&self, client: Client, call: Call) -> Result<()> {
        match client {
            Client::ByHand => self.by_hand.call(call).await,
            Client::Raw => self.raw.call(call).await,
            Client::Facade => self.facade.call(call).await,
        }
    }
}

/// A client that trusts the server.
fn http(address: &Address) -> Result<reqwest::ClientBuilder> {
    let http = reqwest::Client::builder().no_proxy();
    Ok(match &address.certificate {
        Some(pem) => http.add_root_certificate(reqwest::Certificate::from_pem(pem.as_bytes())?),
        None => http,
    })
}

/// Whether as many came as the server has.
fn counted(what: &str, got: usize, expected: usize) -> Result<()> {
    if got == expected { Ok(()) } else { Err(format!("{got} {what} came, expected {expected}").into()) }
}
