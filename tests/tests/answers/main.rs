//! Nothing documented is lost: each leaf of each answer that the facade reads is given another value, and left out, one
//! at a time; what the facade returns must change, and be the same however a moment is written. `unread.txt` says of
//! every other leaf why not, and may not grow. `raw_only` says why no call sends an operation. And each query parameter and
//! header can be set by some call, or `parameters` says why not.

mod examples;
mod leaves;
mod parameters;
mod raw_only;
mod readings;
mod service;
mod unread;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use cintx::Client;
use cintx_tests::document::Document;
use cintx_tests::instances::Instance;
use serde_json::Value;

use self::leaves::Leaf;
use self::readings::{OwnReadings, Reading};
use self::service::Service;

/// What a reading returns while one operation answers with this.
async fn outcome<V: OwnReadings>(setup: &Setup<V>, reading: &Reading<V>, id: &str, value: &Value) -> String {
    setup.service.answers(id, value.clone());
    reading.outcome(&setup.client).await.unwrap_or_else(|error| format!("fails: {error:#}"))
}

/// An API, and a client of it.
struct Setup<V: OwnReadings> {
    service: Service,
    client: Client<V>,
}

/// The leaves of an operation's answer that no reading shows, of all that there are.
async fn unread<V: OwnReadings>(
    setup: &Setup<V>,
    readings: &[&Reading<V>],
    id: &str,
    instances: &[Instance],
    problems: &mut Vec<String>,
) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut all, mut read, mut tried) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for instance in instances {
        let leaves: Vec<Leaf> = setup.service.leaves(id, &instance.value);
        all.extend(leaves.iter().map(|leaf| leaf.name.clone()));
        for reading in readings {
            let is_new =
                |leaf: &&Leaf| !read.contains(&leaf.name) && !tried.contains(&(leaf.name.clone(), leaf.shape.clone()));
            let open: Vec<&Leaf> = leaves.iter().filter(is_new).collect();
            if open.is_empty() {
                break;
            }
            let whole = outcome(setup, reading, id, &instance.value).await;
            if whole.starts_with("fails: ") {
                problems.push(format!("{id}, {}, by {}: {whole}", instance.name, reading.name));
                continue;
            }
            for leaf in open {
                let other = outcome(setup, reading, id, &leaf.changed(&instance.value)).await;
                if other.starts_with("fails: ") {
                    problems.push(format!("{id} {} by {}: {other}", leaf.name, reading.name));
                    continue;
                }
                let absent = match leaf.absent(&instance.value) {
                    Some(absent) if other != whole => outcome(setup, reading, id, &absent).await,
                    _ => other.clone(),
                };
                if other != whole && absent != whole {
                    read.insert(leaf.name.clone());
                }
                if let Some((loose, text)) = leaf.loosely(&instance.value).filter(|_| other != whole) {
                    let loosely = outcome(setup, reading, id, &loose).await;
                    if loosely != other && !loosely.contains(&text) {
                        problems.push(format!("{id} {} by {}: only a strict moment is read", leaf.name, reading.name));
                    }
                }
            }
        }
        tried.extend(leaves.into_iter().map(|leaf| (leaf.name, leaf.shape)));
    }
    (all.difference(&read).cloned().collect(), all)
}

async fn every_leaf_is_read<V: OwnReadings>() {
    let since = Instant::now();
    let document = Document::of(V::DATE);
    let service = Service::new(V::DATE, V::OPERATIONS);
    let setup = Setup { client: readings::client(&service), service };
    let service = &setup.service;
    let readings = V::readings();
    let mut calls: BTreeMap<&'static str, Vec<&Reading<V>>> = BTreeMap::new();
    let mut problems = Vec::new();
    for reading in &readings {
        service.reset();
        if let Err(error) = reading.outcome(&setup.client).await {
            problems.push(format!("{}: {error:#}", reading.name));
        }
        for id in service.called() {
            calls.entry(id).or_default().push(reading);
        }
    }
    let (mut lost, mut count) = (BTreeSet::new(), 0);
    for id in unread::operations(V::DATE, V::OPERATIONS) {
        let Some(instances) = service.instances(&document, id) else { continue };
        let readings = calls.get(id).map_or(&[][..], Vec::as_slice);
        let (unread, all) = unread(&setup, readings, id, &instances, &mut problems).await;
        service.reset();
        count += all.len();
        lost.extend(unread.into_iter().map(|leaf| format!("{id} {leaf}")));
    }
    println!("{}: {} of {count} leaves are not read; {:.1?}", V::DATE, lost.len(), since.elapsed());
    unread::every_one_is_explained(V::DATE, &lost, &mut problems);
    let shown = problems.iter().take(2_000).cloned().collect::<Vec<_>>().join("\n");
    assert!(problems.is_empty(), "{}: {} problems:\n{shown}", V::DATE, problems.len());
    assert_eq!(Some(lost.len()), unread::allowed(V::DATE), "{}: leaves that are not read, and those listed", V::DATE);
}

macro_rules! one_version {
    ($version:ident $marker:ident) => {
        #[tokio::test(start_paused = true)]
        async fn $version() {
            super::every_leaf_is_read::<cintx::$marker>().await;
        }
    };
}
use one_version;

mod every_leaf_of_an_answer_is_read {
    cintx_tests::for_each_version!(super::one_version);
}
