//! Templates of supply: the account's own, and Cint's.

use futures_util::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::client::options::handle_options;
use crate::client::{CallOptions, Client};
use crate::error::{Error, FieldError, text_length};
use crate::optimistic::{Editable, WithEtag, edit, three_way_merge};
use crate::paging::{ListQuery, ListRequest, PageRequest, RawPage};
use crate::sealed::Sealed;
use crate::supply::{AllocationProgress, Supply};
use crate::types::Locale;
use crate::types::ids::{BusinessUnitId, TemplateId};
use crate::version::Version;
pub use crate::wire::supply_templates::{HasGlobalTemplateWrites, HasUnitTemplates};

/// Templates of supply.
///
/// ```no_run
/// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), Box<dyn std::error::Error>> {
/// use cintx::supply::Supply;
///
/// let templates = cint.supply_templates();
/// let id = templates.create("Partners first", &Supply::open_exchange().group("Partners", 20..=60, [12, 34])).await?;
/// templates.edit(&id, &"eng_gb".parse()?, |template| template.name = "Partners at first".into()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SupplyTemplates<V: Version> {
    client: Client<V>,
}

handle_options!(SupplyTemplates: client);

impl<V: Version> Client<V> {
    /// The account's templates of supply, and Cint's.
    pub fn supply_templates(&self) -> SupplyTemplates<V> {
        SupplyTemplates { client: self.clone() }
    }
}

/// A template in a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SupplyTemplateSummary {
    /// The id of the supply template.
    pub id: TemplateId,
    /// The name of the supply template.
    pub name: Option<String>,
    /// When it was changed last.
    pub last_modified_at: Option<Timestamp>,
    /// Who changed it last.
    pub last_modified_by: Option<String>,
}

/// A template of supply.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SupplyTemplate {
    /// The name of the supply template: 3 to 128 characters.
    pub name: String,
    /// The suppliers and their shares.
    pub supply: Supply,
    /// The same as it was read, with the names of suppliers and those of the exchange. Not sent.
    #[serde(default)]
    pub allocations: Vec<AllocationProgress>,
}
three_way_merge!(SupplyTemplate { name, supply });

/// Whose templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[doc(hidden)]
pub enum Owner {
    Account,
    Cint,
}

impl<V: Version> SupplyTemplates<V> {
    /// Lists the account's templates.
    #[doc(alias = "list_account_allocation_templates")]
    pub fn list(&self) -> ListRequest<SupplyTemplateQuery<V>> {
        ListRequest::new(SupplyTemplateQuery { client: self.client.clone(), owner: Owner::Account })
    }

    /// Lists Cint's templates, which every account can use.
    #[doc(alias = "list_global_allocation_templates")]
    pub fn list_global(&self) -> ListRequest<SupplyTemplateQuery<V>> {
        ListRequest::new(SupplyTemplateQuery { client: self.client.clone(), owner: Owner::Cint })
    }

    /// Makes a template of the account's own: a name of 3 to 128 characters, and who delivers.
    ///
    /// Carries an idempotency key.
    ///
    /// # Errors
    /// Everything that is wrong with it, before anything is sent. See [when a call fails](crate::guide::failures).
    #[doc(alias = "create_account_allocation_template")]
    pub async fn create(&self, name: impl Into<String>, supply: &Supply) -> Result<TemplateId, Error> {
        let template = SupplyTemplate { name: name.into(), supply: supply.clone(), allocations: Vec::new() };
        check::<V>(&template)?;
        V::create_supply_template(self.client.raw(), self.client.account(), &template).await
    }

    /// Reads one of the account's templates, with the suppliers that a locale has.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_account_allocation_template_by_template_id")]
    pub async fn get(&self, id: &TemplateId, locale: &Locale) -> Result<SupplyTemplate, Error> {
        Ok(V::supply_template(self.client.raw(), self.client.account(), id, locale).await?.value)
    }

    /// Reads one of Cint's templates, with the suppliers that a locale has.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_global_allocation_template_by_template_id")]
    pub async fn global(&self, id: &TemplateId, locale: &Locale) -> Result<SupplyTemplate, Error> {
        Ok(V::global_supply_template(self.client.raw(), id, locale).await?.value)
    }

    /// Reads the template that holds where nobody chose another, with the suppliers that a locale has.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_system_allocation_template")]
    pub async fn system(&self, locale: &Locale) -> Result<SupplyTemplate, Error> {
        V::system_supply_template(self.client.raw(), locale).await
    }

    /// Changes one of the account's templates. If another client changed it first, reads again and makes the change
    /// again; what would undo another's change is a conflict.
    ///
    /// # Errors
    /// Everything that is wrong with it, before the write; [`Error::conflict`]. See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "update_account_allocation_template")]
    pub async fn edit(
        &self,
        id: &TemplateId,
        locale: &Locale,
        change: impl Fn(&mut SupplyTemplate) + Send,
    ) -> Result<SupplyTemplate, Error> {
        Ok(edit(&Template { client: &self.client, id, locale }, None, change).await?.value)
    }

    /// Makes a template for every account: a name of 3 to 128 characters, and who delivers. Wants credentials that may
    /// do so.
    ///
    /// Before 2025-12-18; carries an idempotency key.
    ///
    /// # Errors
    /// Everything that is wrong with it, before anything is sent. See [when a call fails](crate::guide::failures).
    #[doc(alias = "create_global_allocation_template")]
    pub async fn create_global(&self, name: impl Into<String>, supply: &Supply) -> Result<TemplateId, Error>
    where
        V: HasGlobalTemplateWrites,
    {
        let template = SupplyTemplate { name: name.into(), supply: supply.clone(), allocations: Vec::new() };
        check::<V>(&template)?;
        <V as HasGlobalTemplateWrites>::create_global_supply_template(self.client.raw(), &template).await
    }

    /// Changes a template that every account can use. If another client changed it first, reads again and makes the
    /// change again; what would undo another's change is a conflict.
    ///
    /// Before 2025-12-18.
    ///
    /// # Errors
    /// As with [`edit`](Self::edit).
    #[doc(alias = "update_global_allocation_template")]
    pub async fn edit_global(
        &self,
        id: &TemplateId,
        locale: &Locale,
        change: impl Fn(&mut SupplyTemplate) + Send,
    ) -> Result<SupplyTemplate, Error>
    where
        V: HasGlobalTemplateWrites,
    {
        Ok(edit(&GlobalTemplate { client: &self.client, id, locale }, None, change).await?.value)
    }

    /// Removes a template that every account can use.
    ///
    /// Before 2025-12-18.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "delete_global_allocation_template")]
    pub async fn delete_global(&self, id: &TemplateId) -> Result<(), Error>
    where
        V: HasGlobalTemplateWrites,
    {
        <V as HasGlobalTemplateWrites>::delete_global_supply_template(self.client.raw(), id).await
    }

    /// The templates as a business unit sees them: with its private suppliers. Asks nothing.
    ///
    /// From 2025-12-18 on.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), Box<dyn std::error::Error>> {
    /// let system = cint.supply_templates().for_business_unit(3848).system(&"eng_gb".parse()?).await?;
    /// println!("{} suppliers are kept out", system.supply.private.blocked.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn for_business_unit(&self, unit: impl Into<BusinessUnitId>) -> UnitSupplyTemplates<V>
    where
        V: HasUnitTemplates,
    {
        UnitSupplyTemplates { client: self.client.clone(), unit: unit.into() }
    }

    /// Removes one of the account's templates.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "delete_account_allocation_template")]
    pub async fn delete(&self, id: &TemplateId) -> Result<(), Error> {
        V::delete_supply_template(self.client.raw(), self.client.account(), id).await
    }

    /// The template that the account's new target groups begin with; `None` if there is none.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_account_allocation_template_association")]
    pub async fn default(&self) -> Result<Option<TemplateId>, Error> {
        Ok(V::default_supply_template(self.client.raw(), self.client.account()).await?.value)
    }

    /// Chooses the template that the account's new target groups begin with. If another client chose another one
    /// between the read and the write, nothing is written.
    ///
    /// # Errors
    /// [`Error::conflict`] on `template` if another client chose another one meanwhile. See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "set_account_allocation_template_association")]
    pub async fn set_default(&self, id: &TemplateId) -> Result<(), Error> {
        edit(&Choice(&self.client), None, |chosen| chosen.template = Some(id.clone())).await?;
        Ok(())
    }
}

/// Templates of supply as a business unit sees them: with its private exchange, whose suppliers are kept out until
/// somebody lets them in.
#[derive(Clone, Debug)]
pub struct UnitSupplyTemplates<V: Version> {
    client: Client<V>,
    unit: BusinessUnitId,
}

handle_options!(UnitSupplyTemplates: client);

impl<V: HasUnitTemplates> UnitSupplyTemplates<V> {
    /// Reads one of the account's templates, with the suppliers that a locale has.
    ///
    /// From 2025-12-18 on.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_account_allocation_template_for_business_unit_id")]
    pub async fn get(&self, id: &TemplateId, locale: &Locale) -> Result<SupplyTemplate, Error> {
        self.read(Owner::Account, id, locale).await
    }

    /// Reads one of Cint's templates, with the suppliers that a locale has.
    ///
    /// From 2025-12-18 on.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_global_allocation_template_by_id_for_business_unit_id")]
    pub async fn global(&self, id: &TemplateId, locale: &Locale) -> Result<SupplyTemplate, Error> {
        self.read(Owner::Cint, id, locale).await
    }

    async fn read(&self, owner: Owner, id: &TemplateId, locale: &Locale) -> Result<SupplyTemplate, Error> {
        let (raw, account) = (self.client.raw(), self.client.account());
        <V as HasUnitTemplates>::unit_supply_template(raw, account, self.unit, owner, id, locale).await
    }

    /// Reads the template that holds where nobody chose another, with the suppliers that a locale has.
    ///
    /// From 2025-12-18 on.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_system_allocation_template_by_business_unit_id")]
    pub async fn system(&self, locale: &Locale) -> Result<SupplyTemplate, Error> {
        let (raw, account) = (self.client.raw(), self.client.account());
        <V as HasUnitTemplates>::unit_system_supply_template(raw, account, self.unit, locale).await
    }
}

/// The template that was chosen for the account's new target groups.
#[derive(Clone, Debug, PartialEq)]
struct Chosen {
    template: Option<TemplateId>,
}
three_way_merge!(Chosen { template });

/// The account's choice as something to be edited.
struct Choice<'a, V: Version>(&'a Client<V>);

impl<V: Version> Editable for Choice<'_, V> {
    type Value = Chosen;

    fn strike_out<'a>(&'a self, intent: &'a str) -> BoxFuture<'a, ()> {
        self.0.end_intent(intent).boxed()
    }

    fn check(&self, _: &Chosen) -> Result<(), Error> {
        Ok(())
    }

    fn read(&self) -> BoxFuture<'_, Result<WithEtag<Chosen>, Error>> {
        async move {
            let known = V::default_supply_template(self.0.raw(), self.0.account()).await?;
            Ok(WithEtag { value: Chosen { template: known.value }, etag: known.etag })
        }
        .boxed()
    }

    fn write<'a>(&'a self, chosen: &'a Chosen, etag: Option<&'a str>) -> BoxFuture<'a, Result<Option<String>, Error>> {
        async move {
            // Only ever changed to a template: no choice at all is nothing that could be written.
            if let Some(id) = &chosen.template {
                V::set_default_supply_template(self.0.raw(), self.0.account(), id, etag).await?;
            }
            Ok(None)
        }
        .boxed()
    }
}

fn check<V: Version>(template: &SupplyTemplate) -> Result<(), Error> {
    let mut problems = Vec::from_iter(text_length("name", template.name.trim(), 3..=128));
    template.supply.check::<V>(&mut problems);
    if !template.supply.private.groups.is_empty() {
        problems.push(FieldError::new("supply", "has private exchanges, expected none: templates do not support them"));
    }
    Error::check(problems)
}

/// One of the account's templates as something to be edited.
struct Template<'a, V: Version> {
    client: &'a Client<V>,
    id: &'a TemplateId,
    locale: &'a Locale,
}

impl<V: Version> Editable for Template<'_, V> {
    type Value = SupplyTemplate;

    fn strike_out<'a>(&'a self, intent: &'a str) -> BoxFuture<'a, ()> {
        self.client.end_intent(intent).boxed()
    }

    fn check(&self, template: &SupplyTemplate) -> Result<(), Error> {
        check::<V>(template)
    }

    fn read(&self) -> BoxFuture<'_, Result<WithEtag<SupplyTemplate>, Error>> {
        V::supply_template(self.client.raw(), self.client.account(), self.id, self.locale).boxed()
    }

    fn write<'a>(
        &'a self,
        template: &'a SupplyTemplate,
        etag: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Option<String>, Error>> {
        V::update_supply_template(self.client.raw(), self.client.account(), self.id, template, etag).boxed()
    }
}

/// One of the templates that every account can use, as something to be edited.
struct GlobalTemplate<'a, V: Version> {
    client: &'a Client<V>,
    id: &'a TemplateId,
    locale: &'a Locale,
}

impl<V: HasGlobalTemplateWrites> Editable for GlobalTemplate<'_, V> {
    type Value = SupplyTemplate;

    fn strike_out<'a>(&'a self, intent: &'a str) -> BoxFuture<'a, ()> {
        self.client.end_intent(intent).boxed()
    }

    fn check(&self, template: &SupplyTemplate) -> Result<(), Error> {
        check::<V>(template)
    }

    fn read(&self) -> BoxFuture<'_, Result<WithEtag<SupplyTemplate>, Error>> {
        V::global_supply_template(self.client.raw(), self.id, self.locale).boxed()
    }

    fn write<'a>(
        &'a self,
        template: &'a SupplyTemplate,
        etag: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Option<String>, Error>> {
        <V as HasGlobalTemplateWrites>::update_global_supply_template(self.client.raw(), self.id, template, etag)
            .boxed()
    }
}

/// Lists templates of supply.
#[derive(Clone, Debug)]
pub struct SupplyTemplateQuery<V: Version> {
    client: Client<V>,
    owner: Owner,
}

impl<V: Version> Sealed for SupplyTemplateQuery<V> {}

impl<V: Version> ListQuery for SupplyTemplateQuery<V> {
    type Item = SupplyTemplateSummary;

    fn set_options(&mut self, options: CallOptions) {
        self.client = self.client.with(options);
    }

    fn page<'a>(&'a self, ask: &'a PageRequest) -> BoxFuture<'a, Result<RawPage<SupplyTemplateSummary>, Error>> {
        V::list_supply_templates(self.client.raw(), self.client.account(), self.owner, ask).boxed()
    }
}
