//! Profile templates: written and read in the form that the version lists as `template_form`.

use super::raw::*;
use cintx_raw::Operation;

use super::template_form as form;
use crate::error::Error;
use crate::paging::{PageRequest, RawPage};
use crate::profile_template::{
    ProfileTemplate, ProfileTemplateSettings, ProfileTemplateSummary, TemplateFilter, TemplateForm, TemplateScope,
};
use crate::types::ids::ProfileTemplateId;
use crate::wire::page;
use crate::wire::read::{Missing, read_words, reads};
use crate::wire::templates::TemplatesWire;
use crate::wire::{from_json, to_json};

read_words! { TemplateScope = ProfileTemplateListItemScope, ProfileTemplateResponseScope; }
reads! {
    ProfileTemplateSummary = ProfileTemplateListItem { id; scope, name, label, description, locales }
}

fn read(operation: &'static Operation, mut wire: types::ProfileTemplateResponse) -> Result<ProfileTemplate, Error> {
    let id = wire.id.take().ok_or_else(|| Error::incomplete(operation, "id"))?;
    let scope = wire.scope.take().map(|scope| TemplateScope::parse(scope.as_str()));
    let settings = form::read(&to_json(&wire)?);
    let settings = settings.map_err(|Missing(field)| Error::incomplete(operation, field))?;
    Ok(ProfileTemplate { id: ProfileTemplateId::new(id.as_str()), scope, settings })
}

impl TemplatesWire for super::Marker {
    const FORM: TemplateForm = form::FORM;

    async fn profile_templates(
        raw: &Client,
        account: i64,
        filter: &TemplateFilter,
        ask: &PageRequest,
    ) -> Result<RawPage<ProfileTemplateSummary>, Error> {
        page!(ask => raw.list_profile_templates_with(account), LIST_PROFILE_TEMPLATES, ListProfileTemplatesParams {
            order: filter.oldest_first.then_some(types::ListProfileTemplatesOrder::Asc),
            scope: filter.scope.as_ref().map(|scope| scope.as_str().into()),
            locales: filter.locales(),
            ..Default::default()
        }, templates)
    }

    async fn create_profile_template(
        raw: &Client,
        account: i64,
        settings: &ProfileTemplateSettings,
    ) -> Result<ProfileTemplate, Error> {
        let body = from_json("profiles", form::write(settings))?;
        let answer = raw.create_profile_template(account, &body).await?;
        let lacks_id = || Error::incomplete_answer(&operations::CREATE_PROFILE_TEMPLATE, "id", &answer);
        answer.value().id.as_ref().ok_or_else(lacks_id)?;
        read(&operations::CREATE_PROFILE_TEMPLATE, answer.into_value())
    }

    async fn profile_template(raw: &Client, account: i64, id: &ProfileTemplateId) -> Result<ProfileTemplate, Error> {
        let answer = raw.get_profile_template(account, id.as_str()).await?.into_value();
        read(&operations::GET_PROFILE_TEMPLATE, answer)
    }

    async fn edit_profile_template(
        raw: &Client,
        account: i64,
        id: &ProfileTemplateId,
        settings: &ProfileTemplateSettings,
    ) -> Result<ProfileTemplate, Error> {
        let body = from_json("profiles", form::write(settings))?;
        let answer = raw.edit_profile_template(account, id.as_str(), &body).await?.into_value();
        read(&operations::EDIT_PROFILE_TEMPLATE, answer)
    }

    async fn delete_profile_template(raw: &Client, account: i64, id: &ProfileTemplateId) -> Result<(), Error> {
        raw.delete_profile_template(account, id.as_str()).await?;
        Ok(())
    }
}
