//! A simulated Cint Exchange Demand API on loopback.
//!
//! It judges: every request is held against the interface document of its
//! dated version, and refused as the API refuses where the document does not
//! allow it. What is allowed changes a simulated state: projects, target
//! groups, fielding runs, quotas that fill, reconciliation.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use cintx_sandbox::Sandbox;
//!
//! let sandbox = Sandbox::start().await?;
//! println!("{} as {}", sandbox.api_url(), sandbox.client_id());
//! sandbox.stop().await;
//! # Ok(())
//! # })
//! # }
//! ```
//!
//! Networks and services fail, and a sandbox can too, on purpose:
//!
//! ```
//! # async fn f(sandbox: cintx_sandbox::Sandbox) {
//! use cintx_sandbox::Fault;
//!
//! let lost = sandbox.inject(Fault::on("create_project").drop_after_applying().times(1));
//! // ... the client under test creates a project ...
//! assert_eq!(sandbox.fault_hits(lost), 1);
//! # }
//! ```
//!
//! The judge stands alone as well, for contract tests: see [`contract`].

#![cfg_attr(docsrs, feature(doc_cfg))]

mod api;
pub mod contract;
mod fault;
mod http;
mod reading;
mod sandbox;
mod scenario;
mod seed_file;
mod setting;
mod sim;
mod state;
mod tolerance;
mod version;
mod webhook_delivery;

pub use crate::http::log::Received;
pub use fault::{Fault, FaultError, FaultId};
pub use sandbox::{Builder, Error, Respondent, Sandbox};
pub use scenario::{
    AgeBand, Arrivals, Country, Outcomes, PriceResponse, Quotas, Scenario, ScenarioError, Sessions, Supplier,
};
pub use seed_file::{SeedFile, SeedFileError};
pub use tolerance::{Tolerance, UnknownTolerance};

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use crate::contract::Contract;
    use crate::sim::rng::Rng;
    use crate::sim::synth::{Amount, Synth};

    #[test]
    fn instances_of_all_answers_are_valid() {
        let mut bad = Vec::new();
        let mut headers = http::HeaderMap::new();
        headers.insert("content-type", "application/json".parse().unwrap());
        headers.insert("etag", "x".parse().unwrap());
        headers.insert("location", "x".parse().unwrap());
        for date in Contract::versions() {
            let contract = Contract::for_version(date).unwrap();
            for operation in contract.operations() {
                for status in operation.statuses().filter(|status| *status != 204) {
                    let Some(shape) = contract.answer_shape(operation, status) else {
                        continue;
                    };
                    for amount in [Amount::Least, Amount::Full] {
                        let rng = Rng::named(1, operation.id());
                        let body = Synth::new(rng, jiff::Timestamp::now()).make(&shape, amount);
                        let bytes = body.to_string();
                        for violation in contract.check_answer(operation, status, &headers, bytes.as_bytes()) {
                            bad.push(format!("{date} {} {status} {amount:?}: {violation}", operation.id()));
                        }
                    }
                }
            }
        }
        assert!(bad.is_empty(), "{}", bad.join("\n"));
    }
}
