//! Templates of supply: made, listed, changed by many, chosen, removed.

use std::time::Duration;

use cintx::Version;
use cintx::error::FieldError;
use cintx::supply::{HasGlobalTemplateWrites, Supply};
use cintx_sandbox::Fault;

use crate::setup::{Setup, on_every_version};

on_every_version!(a_template_lives);

/// How many edit at once.
#[cfg(any(feature = "v2024-12-02", feature = "v2025-02-17"))]
const EDITORS: usize = 8;

async fn a_template_lives<V: Version>(setup: Setup<V>) {
    let templates = setup.cint.supply_templates();
    let locale = "eng_gb".parse().unwrap();
    let supply = Supply::open_exchange().exchange(20..=80).group("Partners", 10..=60, [12, 34]).block([56]);
    let id = templates.create("Partners first", &supply).await.unwrap();
    let read = templates.get(&id, &locale).await.unwrap();
    assert_eq!(read.name, "Partners first");
    let editors: Vec<_> = (0..8)
        .map(|_| {
            let (templates, id, locale) = (templates.clone(), id.clone(), locale.clone());
            tokio::spawn(async move { templates.edit(&id, &locale, |it| it.name.push('!')).await })
        })
        .collect();
    for editor in editors {
        editor.await.unwrap().unwrap();
    }
    assert_eq!(templates.get(&id, &locale).await.unwrap().name, "Partners first!!!!!!!!");
    let listed = templates.list().stream().collect().await.unwrap();
    assert!(listed.iter().any(|template| template.id == id), "{listed:?}");
    if let Some(global) = templates.list_global().stream().collect().await.unwrap().first() {
        templates.global(&global.id, &locale).await.unwrap();
    }
    templates.system(&locale).await.unwrap();
    templates.set_default(&id).await.unwrap();
    assert_eq!(templates.default().await.unwrap(), Some(id.clone()));
    let refused = templates.create("no", &Supply::only("", [1])).await.unwrap_err();
    assert_eq!(refused.invalid_fields().len(), 2, "{refused}");
    // The one that new target groups begin with cannot be removed.
    let spare = templates.create("Partners only", &Supply::only("Partners", [12, 34])).await.unwrap();
    templates.delete(&spare).await.unwrap();
    assert!(templates.list().stream().collect().await.unwrap().iter().all(|template| template.id != spare));
    setup.assert_no_violation();
}

/// Templates for every account, written before 2025-12-18: eight editors at once lose nothing.
#[cfg(any(feature = "v2024-12-02", feature = "v2025-02-17"))]
async fn a_global_template_lives<V: HasGlobalTemplateWrites>() {
    let setup = Setup::<V>::new().await;
    let templates = setup.cint.supply_templates();
    let locale = "eng_gb".parse().unwrap();
    let supply = Supply::open_exchange().exchange(20..=80).group("Partners", 10..=60, [12, 34]).block([56]);
    let id = templates.create_global("For everybody", &supply).await.unwrap();
    assert!(templates.list_global().stream().collect().await.unwrap().iter().any(|template| template.id == id));
    let read = templates.global(&id, &locale).await.unwrap();
    assert_eq!((read.name.as_str(), &read.supply.exchange), ("For everybody", &supply.exchange));

    // All have read it before the first one writes.
    let slow = Fault::on("get_global_allocation_template_by_template_id").delay(Duration::from_millis(300));
    setup.sandbox.inject(slow.times(EDITORS as u64));
    let editors = (0..EDITORS).map(|_| {
        let (templates, id, locale) = (templates.clone(), id.clone(), locale.clone());
        tokio::spawn(async move { templates.edit_global(&id, &locale, |it| it.name.push('!')).await })
    });
    for editor in editors.collect::<Vec<_>>() {
        editor.await.unwrap().unwrap();
    }
    assert_eq!(templates.global(&id, &locale).await.unwrap().name, "For everybody!!!!!!!!");
    let statuses: Vec<u16> = setup
        .sandbox
        .requests()
        .into_iter()
        .filter(|request| request.operation.as_deref() == Some("update_global_allocation_template"))
        .map(|request| request.status)
        .collect();
    assert_eq!(statuses.iter().filter(|status| **status == 204).count(), EDITORS);
    assert!(statuses.iter().filter(|status| **status == 412).count() >= EDITORS - 1, "{statuses:?}");

    let refused = templates.create_global("no", &Supply::only("", [1])).await.unwrap_err();
    let fields: Vec<_> = refused.invalid_fields().iter().map(FieldError::field).collect();
    assert_eq!(fields, ["name", "supply"], "{refused}");
    templates.delete_global(&id).await.unwrap();
    assert!(templates.list_global().stream().collect().await.unwrap().iter().all(|template| template.id != id));
    setup.assert_no_violation();
}

#[cfg(feature = "v2024-12-02")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_global_template_lives_in_2024_12_02() {
    a_global_template_lives::<cintx::V2024_12_02>().await;
}

#[cfg(feature = "v2025-02-17")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_global_template_lives_in_2025_02_17() {
    a_global_template_lives::<cintx::V2025_02_17>().await;
}

#[cfg(feature = "v2025-12-18")]
#[tokio::test]
async fn a_business_unit_sees_templates_in_2025_12_18() {
    let setup = Setup::<cintx::V2025_12_18>::new().await;
    let templates = setup.cint.supply_templates();
    let locale = "eng_gb".parse().unwrap();
    let supply = Supply::open_exchange().exchange(20..=80).group("Partners", 10..=60, [12, 34]).block([56]);
    let id = templates.create("Partners first", &supply).await.unwrap();
    let unit = templates.for_business_unit(setup.sandbox.business_unit_id());
    let read = unit.get(&id, &locale).await.unwrap();
    assert_eq!(read.name, "Partners first");
    assert_eq!((&read.supply.exchange, &read.supply.blocked), (&supply.exchange, &supply.blocked));
    assert_eq!(read.supply.groups[0].suppliers, supply.groups[0].suppliers);
    let global = templates.list_global().stream().collect().await.unwrap().remove(0);
    assert_eq!(Some(unit.global(&global.id, &locale).await.unwrap().name), global.name);
    assert!(!unit.system(&locale).await.unwrap().name.is_empty());
    let missing = unit.get(&cintx::TemplateId::new("01M858G4EEWJ1P1RA0J28WB7TW"), &locale).await.unwrap_err();
    assert_eq!(missing.status().unwrap(), 404);
    setup.assert_no_violation();
}

#[cfg(feature = "v2024-12-02")]
#[tokio::test]
async fn supply_is_taken_back_in_2024_12_02() {
    let setup = Setup::<cintx::V2024_12_02>::new().await;
    let group = setup.draft(&setup.project().await).create().await.unwrap();
    group.launch(jiff::Timestamp::now() + jiff::ToSpan::hours(240)).await.unwrap().until_live().await.unwrap();
    assert_ne!(group.supply().await.unwrap(), Supply::open_exchange());
    group.clear_supply().await.unwrap();
    assert_eq!(group.supply().await.unwrap(), Supply::open_exchange());
    setup.assert_no_violation();
}
