//! Templates: of profiles, with every kind of question; of supply, the account's own and everybody's.

use cintx::Version;
use cintx::audience::Question;
use cintx::profile_template::{TemplateCondition, TemplateProfile, TemplateTarget};
use cintx::supply::Supply;

use super::audiences;
use crate::setup::Setup;

fn suppliers() -> Supply {
    Supply::open_exchange().exchange(20..=80).group("Partners", 10..=60, [12, 34]).block([56])
}

pub async fn calls<V: Version>(setup: &Setup<V>) {
    let locale = "eng_gb".parse().unwrap();
    let supply = setup.cint.supply_templates();
    let id = supply.create("Partners first", &suppliers()).await.unwrap();
    supply.edit(&id, &locale, |template| template.name = "Partners at first".into()).await.unwrap();
    supply.set_default(&id).await.unwrap();

    let mut origin = TemplateProfile::try_from(Question::choice(113).option("1", 60)).unwrap();
    let others = ["2", "3"].map(|option| TemplateCondition::Option(option.into()));
    origin.targets.push(TemplateTarget::new(others, Some(40.into())));
    origin.targets[1].name = Some("the others".into());
    (origin.name, origin.description) = (Some("origin".into()), Some("where from".into()));
    let mut anywhere = TemplateProfile::try_from(Question::open_ended(46).any_value()).unwrap();
    anywhere.targets[0].name = Some("anywhere".into());
    let profiles = setup.cint.profile_templates();
    let made = profiles
        .create("Adults", "adults")
        .description("Everybody of age")
        .locale("eng_gb")
        .profile(audiences::age())
        .profile(origin)
        .profile(Question::open_ended(45).values("London", ["EC1A", "SW1A"], 100))
        .profile(anywhere)
        .await
        .unwrap();
    profiles.edit(&made, |template| template.name = "All adults".into()).await.unwrap();
}

#[cfg(any(feature = "v2024-12-02", feature = "v2025-02-17"))]
pub async fn for_everybody<V: cintx::supply::HasGlobalTemplateWrites>(setup: &Setup<V>) {
    let (templates, locale) = (setup.cint.supply_templates(), "eng_gb".parse().unwrap());
    let id = templates.create_global("For everybody", &suppliers()).await.unwrap();
    templates.edit_global(&id, &locale, |template| template.name = "For everyone".into()).await.unwrap();
}

/// The profiles of a template, alone and with a question of one's own: in a draft and in field.
#[cfg(feature = "v2025-12-18")]
pub async fn in_use<V: cintx_tests::Latest>(setup: &Setup<V>) {
    use cintx::audience::Audience;

    let made = setup.cint.profile_templates().create("By age", "age").profile(audiences::age()).await.unwrap();
    let project = setup.project().await;
    let live = super::field::priced(setup, &project).await;
    let alone = Audience::template(made.id.to_string());
    for audience in [alone.clone(), alone.and_question(audiences::gender())] {
        let draft = super::draft(setup, &project, audience.clone()).cost_per_interview(super::usd("2.73"));
        let other = draft.clone().build().unwrap();
        draft.create().await.unwrap().set_audience(audience, |_| ()).await.unwrap();
        live.quotas().replace(&other).await.unwrap().send_and_delete().await.unwrap();
    }
}
