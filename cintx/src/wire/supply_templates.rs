//! Templates of supply on the wire: the list of tagged allocations in every version. The versions differ in where the
//! locale is given, and in whether `If-Match` must be sent to choose one.

use std::future::Future;

use serde_json::{Value, json};

#[cfg(feature = "_since-2025-12-18")]
use super::supply::from_specification;
use super::supply::{from_list, to_list};
use super::{Answer, Wire};
use crate::optimistic::WithEtag;
use crate::paging::{PageRequest, RawPage};
use crate::supply::template::{Owner, SupplyTemplate, SupplyTemplateSummary};
use crate::types::Locale;
use crate::types::ids::{BusinessUnitId, TemplateId};

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

/// Cint's own templates, changed: before 2025-12-18.
#[doc(hidden)]
pub trait GlobalTemplatesWire: SupplyTemplatesWire {
    fn create_global_supply_template(
        raw: &Self::Raw,
        template: &SupplyTemplate,
    ) -> impl Future<Output = Answer<TemplateId>> + Send;

    fn update_global_supply_template(
        raw: &Self::Raw,
        id: &TemplateId,
        template: &SupplyTemplate,
        etag: Option<&str>,
    ) -> impl Future<Output = Answer<Option<String>>> + Send;

    fn delete_global_supply_template(raw: &Self::Raw, id: &TemplateId) -> impl Future<Output = Answer<()>> + Send;
}

/// Templates as a business unit sees them: from 2025-12-18 on.
#[doc(hidden)]
pub trait UnitTemplatesWire: SupplyTemplatesWire {
    fn unit_supply_template(
        raw: &Self::Raw,
        account: i64,
        unit: BusinessUnitId,
        owner: Owner,
        id: &TemplateId,
        locale: &Locale,
    ) -> impl Future<Output = Answer<SupplyTemplate>> + Send;

    fn unit_system_supply_template(
        raw: &Self::Raw,
        account: i64,
        unit: BusinessUnitId,
        locale: &Locale,
    ) -> impl Future<Output = Answer<SupplyTemplate>> + Send;
}

/// A template as a request wants it.
pub(crate) fn written(template: &SupplyTemplate) -> Value {
    json!({ "name": template.name, "supply_allocations": to_list(&template.supply, "supplier_id") })
}

/// A template as an answer tells it.
pub(crate) fn template(answer: &Value) -> SupplyTemplate {
    let list = answer["supply_allocations"].as_array().map(Vec::as_slice).unwrap_or_default();
    let name = answer["name"].as_str().unwrap_or_default().to_owned();
    SupplyTemplate { name, supply: from_list(list) }
}

/// A template as an answer about a business unit tells it: one specification.
#[cfg(feature = "_since-2025-12-18")]
pub(crate) fn unit_template(answer: &Value) -> SupplyTemplate {
    let name = answer["template_name"].as_str().unwrap_or_default().to_owned();
    SupplyTemplate { name, supply: from_specification(answer) }
}

/// One version's templates of supply: how an operation that shows one is given the locale, and whether `If-Match`
/// must be sent to choose one.
macro_rules! supply_templates {
    ($marker:ident, $version:ident, if_match: $if_match:ident, locale: |$locale:ident| $account:expr, $global:expr, $system:expr) => {
        mod supply_templates {
            use cintx_raw::NEW_KEY;
            use cintx_raw::$version::*;

            use crate::optimistic::WithEtag;
            use crate::error::Error;
            use crate::types::ids::TemplateId;
            use crate::paging::{PageRequest, RawPage};
            use crate::supply::template::{Owner, SupplyTemplate, SupplyTemplateSummary};
            use crate::types::Locale;
            use crate::wire::read::{list, reads};
            use crate::wire::supply_templates::{SupplyTemplatesWire, template, written};
            use crate::wire::{from_json, if_match, to_json};

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

            impl SupplyTemplatesWire for crate::$marker {
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
                            let answer = raw.list_account_allocation_templates(account, &params).await?.into_value();
                            let items = list(row, answer.templates)?;
                            Ok(RawPage::new(row, items).next(answer.next_cursor).more(answer.has_more))
                        }
                        Owner::Cint => {
                            let params = ListGlobalAllocationTemplatesParams { page_size, start_after, end_before };
                            let row = &operations::LIST_GLOBAL_ALLOCATION_TEMPLATES;
                            let answer = raw.list_global_allocation_templates(&params).await?.into_value();
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
                    let answer = raw.create_account_allocation_template(account, NEW_KEY, &body).await?;
                    let id = answer.location_id().map(TemplateId::new);
                    id.ok_or_else(|| Error::incomplete("create_account_allocation_template", "Location"))
                }

                async fn supply_template(
                    raw: &Client,
                    account: i64,
                    id: &TemplateId,
                    locale: &Locale,
                ) -> Result<WithEtag<SupplyTemplate>, Error> {
                    let $locale = locale.to_string();
                    let answer = raw
                        .get_account_allocation_template_by_template_id(account, id.as_str(), $account)
                        .await?;
                    let etag = answer.etag().map(str::to_owned);
                    Ok(WithEtag { value: template(&to_json(answer.value())?), etag })
                }

                async fn global_supply_template(
                    raw: &Client,
                    id: &TemplateId,
                    locale: &Locale,
                ) -> Result<WithEtag<SupplyTemplate>, Error> {
                    let $locale = locale.to_string();
                    let answer = raw.get_global_allocation_template_by_template_id(id.as_str(), $global).await?;
                    let etag = answer.etag().map(str::to_owned);
                    Ok(WithEtag { value: template(&to_json(answer.value())?), etag })
                }

                async fn system_supply_template(raw: &Client, locale: &Locale) -> Result<SupplyTemplate, Error> {
                    let $locale = locale.to_string();
                    let answer = raw.get_system_allocation_template($system).await?;
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
                    let params = UpdateAccountAllocationTemplateParams { if_match: etag.map(str::to_owned) };
                    let answer =
                        raw.update_account_allocation_template(account, id.as_str(), &body, &params).await?;
                    Ok(answer.etag().map(str::to_owned))
                }

                async fn delete_supply_template(raw: &Client, account: i64, id: &TemplateId) -> Result<(), Error> {
                    raw.delete_account_allocation_template(account, id.as_str()).await?;
                    Ok(())
                }

                async fn default_supply_template(
                    raw: &Client,
                    account: i64,
                ) -> Result<WithEtag<Option<TemplateId>>, Error> {
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
                    if_match!(
                        $if_match,
                        raw.set_account_allocation_template_association(account; &body),
                        SetAccountAllocationTemplateAssociationParams,
                        etag
                    );
                    Ok(())
                }
            }
        }
    };
}
pub(super) use supply_templates;

/// One version that changes Cint's own templates.
#[cfg(feature = "_before-2025-12-18")]
macro_rules! global_supply_templates {
    ($marker:ident, $version:ident) => {
        mod global_supply_templates {
            use cintx_raw::NEW_KEY;
            use cintx_raw::$version::*;

            use crate::error::Error;
            use crate::supply::template::SupplyTemplate;
            use crate::types::ids::TemplateId;
            use crate::wire::from_json;
            use crate::wire::supply_templates::{GlobalTemplatesWire, written};

            impl GlobalTemplatesWire for crate::$marker {
                async fn create_global_supply_template(
                    raw: &Client,
                    template: &SupplyTemplate,
                ) -> Result<TemplateId, Error> {
                    let body = from_json("supply", written(template))?;
                    let params = CreateGlobalAllocationTemplateParams::default();
                    let answer = raw.create_global_allocation_template(NEW_KEY, &body, &params).await?;
                    let id = answer.location_id().map(TemplateId::new);
                    id.ok_or_else(|| Error::incomplete("create_global_allocation_template", "Location"))
                }

                async fn update_global_supply_template(
                    raw: &Client,
                    id: &TemplateId,
                    template: &SupplyTemplate,
                    etag: Option<&str>,
                ) -> Result<Option<String>, Error> {
                    let body = from_json("supply", written(template))?;
                    let params = UpdateGlobalAllocationTemplateParams { if_match: etag.map(str::to_owned) };
                    let answer = raw.update_global_allocation_template(id.as_str(), &body, &params).await?;
                    Ok(answer.etag().map(str::to_owned))
                }

                async fn delete_global_supply_template(raw: &Client, id: &TemplateId) -> Result<(), Error> {
                    raw.delete_global_allocation_template(id.as_str()).await?;
                    Ok(())
                }
            }

            impl crate::supply::HasGlobalTemplateWrites for crate::$marker {}
        }
    };
}
#[cfg(feature = "_before-2025-12-18")]
pub(super) use global_supply_templates;

/// One version that shows templates as a business unit sees them.
#[cfg(feature = "_since-2025-12-18")]
macro_rules! unit_supply_templates {
    ($marker:ident, $version:ident) => {
        mod unit_supply_templates {
            use cintx_raw::$version::*;

            use crate::error::Error;
            use crate::supply::template::{Owner, SupplyTemplate};
            use crate::types::Locale;
            use crate::types::ids::{BusinessUnitId, TemplateId};
            use crate::wire::supply_templates::{UnitTemplatesWire, unit_template};
            use crate::wire::to_json;

            impl UnitTemplatesWire for crate::$marker {
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
                            let answer = raw
                                .get_account_allocation_template_for_business_unit_id(account, &unit, id, &locale)
                                .await?;
                            to_json(answer.value())?
                        }
                        Owner::Cint => {
                            let answer = raw
                                .get_global_allocation_template_by_id_for_business_unit_id(account, &unit, id, &locale)
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
                    let answer =
                        raw.get_system_allocation_template_by_business_unit_id(account, &unit, &locale).await?;
                    Ok(unit_template(&to_json(answer.value())?))
                }
            }

            impl crate::supply::HasUnitTemplates for crate::$marker {}
        }
    };
}
#[cfg(feature = "_since-2025-12-18")]
pub(super) use unit_supply_templates;
