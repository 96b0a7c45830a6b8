//! Templates of supply: made, listed, changed by many, chosen, removed.

use cintx::{Supply, Version};

use crate::stage::{Stage, on_every_version};

on_every_version!(a_template_lives);

async fn a_template_lives<V: Version>(stage: Stage<V>) {
    let templates = stage.cint.supply_templates();
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
    stage.assert_no_violation();
}
