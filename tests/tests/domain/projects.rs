//! Projects: made, listed, read, changed by many at once.

use cintx::Version;
use cintx::project::ProjectStatus;

use crate::stage::{Stage, on_every_version};

on_every_version!(
    what_would_undo_anothers_change_is_a_conflict,
    a_project_is_made_read_and_listed,
    editors_of_different_fields_merge,
    eight_editors_lose_no_update
);

async fn a_project_is_made_read_and_listed<V: Version>(stage: Stage<V>) {
    let made = stage.cint.projects().create("MyDrinksSurveyQ1", stage.manager).reference("PO-0042").await.unwrap();
    let scope = stage.cint.project(&made);
    let read = scope.get().await.unwrap();
    assert_eq!((read.id(), read.name(), read.manager()), (made.id(), "MyDrinksSurveyQ1", stage.manager));
    assert_eq!(read.reference(), Some("PO-0042"));
    assert!(read.human_readable_id().is_some());

    let overview = scope.overview().await.unwrap();
    assert_eq!((&overview.id, overview.name.as_deref()), (made.id(), Some("MyDrinksSurveyQ1")));
    assert_eq!(overview.reference.as_deref(), Some("PO-0042"));
    assert_eq!(overview.manager, Some(stage.manager));
    assert!(overview.created_at.is_some() && overview.statistics.is_some());

    let listed =
        stage.cint.projects().list().status(overview.status.clone().unwrap()).stream().collect().await.unwrap();
    let found = listed.iter().find(|project| &project.id == made.id()).unwrap();
    assert_eq!(found.reference.as_deref(), Some("PO-0042"));
    let other =
        if overview.status == Some(ProjectStatus::Active) { ProjectStatus::Inactive } else { ProjectStatus::Active };
    let others = stage.cint.projects().list().manager(stage.manager).status(other).stream().collect().await.unwrap();
    assert!(others.iter().all(|project| &project.id != made.id()));
    stage.assert_no_violation();
}

async fn editors_of_different_fields_merge<V: Version>(stage: Stage<V>) {
    let project = stage.project().await;
    let scope = stage.cint.project(&project);
    let (one, other) = tokio::join!(
        scope.edit(|project| project.name = "A better name".into()),
        scope.edit(|project| project.reference = Some("PO-0043".into())),
    );
    one.unwrap();
    other.unwrap();
    let read = scope.get().await.unwrap();
    assert_eq!((read.name(), read.reference()), ("A better name", Some("PO-0043")));

    let refused = scope.edit(|project| project.name = "abc".into()).await.unwrap_err();
    assert_eq!(refused.invalid_fields()[0].field(), "name");
    stage.assert_no_violation();
}

/// Two handles read the same project; both set the name.
async fn what_would_undo_anothers_change_is_a_conflict<V: Version>(stage: Stage<V>) {
    let project = stage.project().await;
    let scope = stage.cint.project(&project);
    let other = std::sync::Once::new();
    let (handle, manager) = (tokio::runtime::Handle::current(), scope.clone());
    // Somebody else is faster, between the read and the write.
    let conflict = tokio::task::spawn_blocking(move || {
        handle.block_on(manager.clone().edit(|project| {
            other.call_once(|| {
                let (handle, manager) = (handle.clone(), manager.clone());
                std::thread::spawn(move || handle.block_on(manager.edit(|it| it.name = "Their name".into())).unwrap())
                    .join()
                    .unwrap();
            });
            project.name = "My own name".into();
        }))
    });
    let error = conflict.await.unwrap().unwrap_err();
    assert_eq!(error.conflict().unwrap().fields(), ["name"]);
    assert_eq!(scope.get().await.unwrap().name(), "Their name");
    stage.assert_no_violation();
}

/// Each adds one to a counter that is the name.
async fn eight_editors_lose_no_update<V: Version>(stage: Stage<V>) {
    let project = stage.cint.projects().create("count 0", stage.manager).await.unwrap();
    let editors = (0..8).map(|_| {
        let scope = stage.cint.project(&project);
        tokio::spawn(async move {
            for _ in 0..2 {
                scope
                    .edit(|project| {
                        let count: u32 = project.name.trim_start_matches("count ").parse().unwrap();
                        project.name = format!("count {}", count + 1);
                    })
                    .await
                    .unwrap();
            }
        })
    });
    for editor in editors.collect::<Vec<_>>() {
        editor.await.unwrap();
    }
    assert_eq!(stage.cint.project(&project).get().await.unwrap().name(), "count 16");
    stage.assert_no_violation();
}
