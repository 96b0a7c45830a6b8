/// What a program does, tested whatever stands for Cint.
async fn opens_a_wave<V: cintx::Version>(cint: &cintx::Client<V>, manager: cintx::UserId) -> Result<(), cintx::Error> {
    let project = cint.projects().create("MyDrinksSurveyQ1", manager).await?;
    let scope = cint.project(&project);
    assert_eq!(scope.get().await?.name(), "MyDrinksSurveyQ1");
    scope.edit(|project| project.name = "MyDrinksSurveyQ2".into()).await?;
    let refused = cint.projects().create("Q1", manager).await.unwrap_err();
    assert_eq!(refused.invalid_fields()[0].field(), "name");
    Ok(())
}
