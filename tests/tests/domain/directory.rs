//! What seldom changes: read on every version, fetched once however many ask, and anew when it is too old.

use std::time::Duration;

use cintx::{Outcome, Version};
use cintx_sandbox::Fault;

use crate::setup::{Setup, on_every_version};

on_every_version!(
    everything_is_read,
    clones_share_what_was_fetched,
    a_failure_is_shared_by_who_waited,
    clients_come_in_pages
);

async fn everything_is_read<V: Version>(setup: Setup<V>) {
    let directory = setup.cint.reference_data();
    assert!(directory.accounts().await.unwrap().iter().any(|account| account.id == setup.cint.account()));
    let users = directory.users().await.unwrap();
    let managers = directory.project_managers().await.unwrap();
    assert_eq!(managers, users, "in the sandbox everybody is one");
    let asked = setup.sandbox.requests().into_iter().rfind(|request| request.path.ends_with("/users")).unwrap();
    assert_eq!(asked.query.as_deref(), Some("user_type=project_manager"));
    assert!(users.iter().any(|user| user.id == setup.manager && user.name.is_some() && user.email.is_some()));
    assert!(!directory.service_clients().await.unwrap().is_empty());
    let units = directory.business_units().await.unwrap();
    assert_eq!(*units, *setup.cint.business_units().await.unwrap());
    let own = directory.business_unit_of(setup.manager).await.unwrap();
    assert!(units.iter().any(|unit| unit.id == own));

    let locales = directory.locales().await.unwrap();
    let german = locales.iter().find(|place| place.locale.to_string() == "ger_de").unwrap();
    assert_eq!((german.language_name.as_deref(), german.country_name.as_deref()), (Some("German"), Some("Germany")));
    assert!(locales.iter().any(|place| place.locale.to_string() == "spa_us" && !place.is_preferred));
    let countries = directory.countries().await.unwrap();
    assert!(countries.iter().any(|country| country.id == 0));
    assert!(countries.iter().any(|country| country.code.as_ref().is_some_and(|code| code.as_str() == "gb")));

    assert!(directory.industries().await.unwrap().iter().all(|industry| industry.name.is_some()));
    assert!(directory.lockouts().await.unwrap().iter().any(|lockout| lockout.code.as_str() == "no_lockout"));
    assert!(directory.study_types().await.unwrap().iter().any(|kind| kind.code.as_str() == "adhoc"));
    assert!(directory.suppliers().await.unwrap().iter().any(|supplier| supplier.id.get() == 980));
    assert!(!directory.use_cases().await.unwrap().is_empty());
    let categories = directory.question_categories().await.unwrap();
    assert!(categories.iter().any(|category| category.code.as_deref() == Some("DEM")));
    setup.assert_no_violation();
}

/// How often an operation was called.
fn calls<V: Version>(setup: &Setup<V>, operation: &str) -> usize {
    setup.sandbox.requests().iter().filter(|request| request.operation.as_deref() == Some(operation)).count()
}

async fn clones_share_what_was_fetched<V: Version>(setup: Setup<V>) {
    let mut callers = Vec::new();
    for _ in 0..64 {
        let directory = setup.cint.clone().reference_data();
        callers.push(tokio::spawn(async move { directory.locales().await.unwrap().len() }));
    }
    for caller in callers {
        assert!(caller.await.unwrap() > 0);
    }
    assert_eq!(calls(&setup, "get_locales"), 1);
    setup.cint.reference_data().max_age(Duration::ZERO).locales().await.unwrap();
    assert_eq!(calls(&setup, "get_locales"), 2);
    setup.cint.reference_data().clear_cache();
    setup.cint.reference_data().locales().await.unwrap();
    assert_eq!(calls(&setup, "get_locales"), 3);
}

async fn a_failure_is_shared_by_who_waited<V: Version>(setup: Setup<V>) {
    // Refused, and slowly: no retry, and everybody asks before the answer is there.
    let refused = Fault::on("get_locales").status(403).delay(Duration::from_millis(300)).times(2);
    let fault = setup.sandbox.inject(refused);
    for fetches in [1, 2] {
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let directory = setup.cint.clone().reference_data();
            callers.spawn(async move { directory.locales().await.unwrap_err() });
        }
        for error in callers.join_all().await {
            assert_eq!((error.status().unwrap().as_u16(), error.outcome()), (403, Outcome::NoEffect), "{error}");
        }
        assert_eq!(calls(&setup, "get_locales"), fetches, "fifty callers, one request");
    }
    assert_eq!(setup.sandbox.fault_hits(fault), 2);
    assert!(!setup.cint.reference_data().locales().await.unwrap().is_empty(), "who asks later gets an answer");
}

async fn clients_come_in_pages<V: Version>(setup: Setup<V>) {
    let all = setup.cint.clients().page_size(10).stream().collect().await.unwrap();
    let mut ids: Vec<_> = all.iter().map(|client| client.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), all.len()), (23, 23), "each once");
    assert_eq!(*setup.cint.reference_data().clients().await.unwrap(), *all);
    setup.assert_no_violation();
}
