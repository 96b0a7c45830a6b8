//! Templates of supply: an account's own, Cint's, and the one that an account uses by default.

use super::raw::*;

use crate::error::Error;
use crate::optimistic::WithEtag;
use crate::paging::{PageRequest, RawPage};
use crate::supply::template::{Owner, SupplyTemplate, SupplyTemplateSummary};
use crate::types::Locale;
use crate::types::ids::TemplateId;
use crate::wire::read::{list, reads};
use crate::wire::supply_templates::{SupplyTemplatesWire, template, written};
use crate::wire::{from_json, to_json};

reads! {
    SupplyTemplateSummary = AccountAllocationTemplateListItem {
        id = template_id;
        name, last_modified_at, last_modified_by
    }
    SupplyTemplateSummary = GlobalAllocationTemplateListItem {
        id = template_id;
        name, last_modified_at, last_modified_by
    }
}

impl SupplyTemplatesWire for super::Marker {
    async fn list_supply_templates(
        raw: &Client,
        account: i64,
        owner: Owner,
        ask: &PageRequest,
    ) -> Result<RawPage<SupplyTemplateSummary>, Error> {
        let (page_size, start_after, end_before) = (ask.page_size(), ask.start_after(), None);
        match owner {
            Owner::Account => {
                let params = ListAccountAllocationTemplatesParams { page_size, start_after, end_before };
                let row = &operations::LIST_ACCOUNT_ALLOCATION_TEMPLATES;
                let answer = raw.list_account_allocation_templates_with(account, &params).await?.into_value();
                let items = list(row, answer.templates)?;
                Ok(RawPage::new(row, items).next(answer.next_cursor).more(answer.has_more))
            }
            Owner::Cint => {
                let params = ListGlobalAllocationTemplatesParams { page_size, start_after, end_before };
                let row = &operations::LIST_GLOBAL_ALLOCATION_TEMPLATES;
                let answer = raw.list_global_allocation_templates_with(&params).await?.into_value();
                let items = list(row, answer.templates)?;
                Ok(RawPage::new(row, items).next(answer.next_cursor).more(answer.has_more))
            }
        }
    }

    async fn create_supply_template(
        raw: &Client,
        account: i64,
        template: &SupplyTemplate,
    ) -> Result<TemplateId, Error> {
        let body = from_json("supply", written(template))?;
        let answer = raw.create_account_allocation_template(account, None, &body).await?;
        let operation = &operations::CREATE_ACCOUNT_ALLOCATION_TEMPLATE;
        let lacks_location = || Error::incomplete_answer(operation, "Location", &answer);
        answer.location_id().map(TemplateId::new).ok_or_else(lacks_location)
    }

    async fn supply_template(
        raw: &Client,
        account: i64,
        id: &TemplateId,
        locale: &Locale,
    ) -> Result<WithEtag<SupplyTemplate>, Error> {
        let answer =
            raw.get_account_allocation_template_by_template_id(account, id.as_str(), Some(&locale.to_string())).await?;
        let etag = answer.etag().map(str::to_owned);
        Ok(WithEtag { value: template(&to_json(answer.value())?), etag })
    }

    async fn global_supply_template(
        raw: &Client,
        id: &TemplateId,
        locale: &Locale,
    ) -> Result<WithEtag<SupplyTemplate>, Error> {
        let answer = raw.get_global_allocation_template_by_template_id(id.as_str(), Some(&locale.to_string())).await?;
        let etag = answer.etag().map(str::to_owned);
        Ok(WithEtag { value: template(&to_json(answer.value())?), etag })
    }

    async fn system_supply_template(raw: &Client, locale: &Locale) -> Result<SupplyTemplate, Error> {
        let answer = raw.get_system_allocation_template(Some(&locale.to_string())).await?;
        Ok(template(&to_json(answer.value())?))
    }

    async fn update_supply_template(
        raw: &Client,
        account: i64,
        id: &TemplateId,
        template: &SupplyTemplate,
        etag: Option<&str>,
    ) -> Result<Option<String>, Error> {
        let body = from_json("supply", written(template))?;
        let answer = raw.update_account_allocation_template(account, id.as_str(), etag, &body).await?;
        Ok(answer.etag().map(str::to_owned))
    }

    async fn delete_supply_template(raw: &Client, account: i64, id: &TemplateId) -> Result<(), Error> {
        raw.delete_account_allocation_template(account, id.as_str()).await?;
        Ok(())
    }

    async fn default_supply_template(raw: &Client, account: i64) -> Result<WithEtag<Option<TemplateId>>, Error> {
        let answer = match raw.get_account_allocation_template_association(account).await {
            Err(error) if error.status() == Some(http::StatusCode::NOT_FOUND) => {
                return Ok(WithEtag { value: None, etag: None });
            }
            answer => answer?,
        };
        let etag = answer.etag().map(str::to_owned);
        let id = answer.into_value().template_id.map(|id| TemplateId::new(id.as_str()));
        Ok(WithEtag { value: id, etag })
    }

    async fn set_default_supply_template(
        raw: &Client,
        account: i64,
        id: &TemplateId,
        etag: Option<&str>,
    ) -> Result<(), Error> {
        let body = types::UpdateAccountAllocationTemplateAssociation { template_id: id.to_string() };
        raw.set_account_allocation_template_association(account, etag, &body).await?;
        Ok(())
    }
}
