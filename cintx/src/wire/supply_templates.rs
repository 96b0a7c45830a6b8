//! Templates of supply on the wire: the list of tagged allocations in every version. The versions differ in where the
//! locale is given, and in whether `If-Match` must be sent to choose one.

use std::future::Future;

use super::supply::{from_list, from_specification, progress_in_list, progress_in_specification, to_list};
use super::{Answer, Wire};
use crate::optimistic::WithEtag;
use crate::paging::{PageRequest, RawPage};
use crate::supply::template::{Owner, SupplyTemplate, SupplyTemplateSummary};
use crate::types::Locale;
use crate::types::ids::{BusinessUnitId, TemplateId};
use crate::version::Version;
use serde_json::{Value, json};

#[doc(hidden)]
pub trait SupplyTemplatesWire: Wire {
    fn list_supply_templates(
        raw: &Self::Raw,
        account: i64,
        owner: Owner,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<RawPage<SupplyTemplateSummary>>> + Send;

    fn create_supply_template(
        raw: &Self::Raw,
        account: i64,
        template: &SupplyTemplate,
    ) -> impl Future<Output = Answer<TemplateId>> + Send;

    fn supply_template(
        raw: &Self::Raw,
        account: i64,
        id: &TemplateId,
        locale: &Locale,
    ) -> impl Future<Output = Answer<WithEtag<SupplyTemplate>>> + Send;

    fn global_supply_template(
        raw: &Self::Raw,
        id: &TemplateId,
        locale: &Locale,
    ) -> impl Future<Output = Answer<WithEtag<SupplyTemplate>>> + Send;

    fn system_supply_template(raw: &Self::Raw, locale: &Locale) -> impl Future<Output = Answer<SupplyTemplate>> + Send;

    fn update_supply_template(
        raw: &Self::Raw,
        account: i64,
        id: &TemplateId,
        template: &SupplyTemplate,
        etag: Option<&str>,
    ) -> impl Future<Output = Answer<Option<String>>> + Send;

    fn delete_supply_template(
        raw: &Self::Raw,
        account: i64,
        id: &TemplateId,
    ) -> impl Future<Output = Answer<()>> + Send;

    fn default_supply_template(
        raw: &Self::Raw,
        account: i64,
    ) -> impl Future<Output = Answer<WithEtag<Option<TemplateId>>>> + Send;

    fn set_default_supply_template(
        raw: &Self::Raw,
        account: i64,
        id: &TemplateId,
        etag: Option<&str>,
    ) -> impl Future<Output = Answer<()>> + Send;
}

/// The versions that change the templates of every account.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot change the templates that every account can use",
    note = "use `SupplyTemplates::create` for the account's own, or a client of 2025-02-17 or earlier"
)]
pub trait HasGlobalTemplateWrites: Version {
    #[doc(hidden)]
    fn create_global_supply_template(
        raw: &Self::Raw,
        template: &SupplyTemplate,
    ) -> impl Future<Output = Answer<TemplateId>> + Send;

    #[doc(hidden)]
    fn update_global_supply_template(
        raw: &Self::Raw,
        id: &TemplateId,
        template: &SupplyTemplate,
        etag: Option<&str>,
    ) -> impl Future<Output = Answer<Option<String>>> + Send;

    #[doc(hidden)]
    fn delete_global_supply_template(raw: &Self::Raw, id: &TemplateId) -> impl Future<Output = Answer<()>> + Send;
}

/// The versions that show templates as a business unit sees them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not show templates for a business unit",
    note = "use `SupplyTemplates::get`, `global` or `system`, which every version has, or a client of \
            2025-12-18 or later"
)]
pub trait HasUnitTemplates: Version {
    #[doc(hidden)]
    fn unit_supply_template(
        raw: &Self::Raw,
        account: i64,
        unit: BusinessUnitId,
        owner: Owner,
        id: &TemplateId,
        locale: &Locale,
    ) -> impl Future<Output = Answer<SupplyTemplate>> + Send;

    #[doc(hidden)]
    fn unit_system_supply_template(
        raw: &Self::Raw,
        account: i64,
        unit: BusinessUnitId,
        locale: &Locale,
    ) -> impl Future<Output = Answer<SupplyTemplate>> + Send;
}

/// A template as a request takes it.
pub(crate) fn written(template: &SupplyTemplate) -> Value {
    json!({ "name": template.name, "supply_allocations": to_list(&template.supply, "supplier_id") })
}

/// A template as an answer tells it.
pub(crate) fn template(answer: &Value) -> SupplyTemplate {
    let list = answer["supply_allocations"].as_array().map(Vec::as_slice).unwrap_or_default();
    let name = answer["name"].as_str().unwrap_or_default().to_owned();
    SupplyTemplate { name, supply: from_list(list), allocations: progress_in_list(list) }
}

/// A template as an answer about a business unit tells it: one specification.
pub(crate) fn unit_template(answer: &Value) -> SupplyTemplate {
    let name = answer["template_name"].as_str().unwrap_or_default().to_owned();
    SupplyTemplate { name, supply: from_specification(answer), allocations: progress_in_specification(answer) }
}
