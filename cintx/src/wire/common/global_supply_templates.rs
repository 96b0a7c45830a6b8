//! Templates of supply that every account can use, where a version lets them be changed.

use super::raw::*;

use crate::error::Error;
use crate::supply::template::SupplyTemplate;
use crate::types::ids::TemplateId;
use crate::wire::from_json;
use crate::wire::supply_templates::{HasGlobalTemplateWrites, written};

impl HasGlobalTemplateWrites for super::Marker {
    async fn create_global_supply_template(raw: &Client, template: &SupplyTemplate) -> Result<TemplateId, Error> {
        let body = from_json("supply", written(template))?;
        let answer = raw.create_global_allocation_template(None, &body).await?;
        let operation = &operations::CREATE_GLOBAL_ALLOCATION_TEMPLATE;
        let lacks_location = || Error::incomplete_answer(operation, "Location", &answer);
        answer.location_id().map(TemplateId::new).ok_or_else(lacks_location)
    }

    async fn update_global_supply_template(
        raw: &Client,
        id: &TemplateId,
        template: &SupplyTemplate,
        etag: Option<&str>,
    ) -> Result<Option<String>, Error> {
        let body = from_json("supply", written(template))?;
        let answer = raw.update_global_allocation_template(id.as_str(), etag, &body).await?;
        Ok(answer.etag().map(str::to_owned))
    }

    async fn delete_global_supply_template(raw: &Client, id: &TemplateId) -> Result<(), Error> {
        raw.delete_global_allocation_template(id.as_str()).await?;
        Ok(())
    }
}
