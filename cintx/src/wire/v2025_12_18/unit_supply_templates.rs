//! Templates of supply as a business unit sees them.

use super::raw::*;

use crate::error::Error;
use crate::supply::template::{Owner, SupplyTemplate};
use crate::types::Locale;
use crate::types::ids::{BusinessUnitId, TemplateId};
use crate::wire::supply_templates::{HasUnitTemplates, unit_template};
use crate::wire::to_json;

impl HasUnitTemplates for super::Marker {
    async fn unit_supply_template(
        raw: &Client,
        account: i64,
        unit: BusinessUnitId,
        owner: Owner,
        id: &TemplateId,
        locale: &Locale,
    ) -> Result<SupplyTemplate, Error> {
        let (unit, id, locale) = (unit.to_string(), id.as_str(), locale.to_string());
        let answer = match owner {
            Owner::Account => {
                let answer =
                    raw.get_account_allocation_template_for_business_unit_id(account, &unit, id, Some(&locale)).await?;
                to_json(answer.value())?
            }
            Owner::Cint => {
                let answer = raw
                    .get_global_allocation_template_by_id_for_business_unit_id(account, &unit, id, Some(&locale))
                    .await?;
                to_json(answer.value())?
            }
        };
        Ok(unit_template(&answer))
    }

    async fn unit_system_supply_template(
        raw: &Client,
        account: i64,
        unit: BusinessUnitId,
        locale: &Locale,
    ) -> Result<SupplyTemplate, Error> {
        let (unit, locale) = (unit.to_string(), locale.to_string());
        let answer = raw.get_system_allocation_template_by_business_unit_id(account, &unit, Some(&locale)).await?;
        Ok(unit_template(&to_json(answer.value())?))
    }
}
