//! What the platform and the account define and seldom change: accounts, users, locales, suppliers and the like.
//! Fetched once and kept for a while; see [`ReferenceData`].

pub(crate) mod account;

pub use self::account::{BusinessUnit, BusinessUnitRef};

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use serde::{Deserialize, Serialize};

use crate::client::options::handle_options;
use crate::client::{CallOptions, Client};
use crate::error::Error;
use crate::paging::{ListQuery, ListRequest, PageRequest, RawPage};
use crate::sealed::Sealed;
use crate::types::ids::{BusinessUnitId, EndClientId, IndustryCode, LockoutCode, StudyTypeCode, SupplierId, UserId};
use crate::types::{CountryCode, Locale};
use crate::version::Version;

/// How old a list may be if nothing else is said.
const AN_HOUR: Duration = Duration::from_secs(3_600);

impl<V: Version> Client<V> {
    /// What the platform and the account define and seldom change, kept in memory for an hour.
    pub fn reference_data(&self) -> ReferenceData<V> {
        ReferenceData { client: self.clone(), max_age: AN_HOUR }
    }

    /// The account's clients, on whose behalf it buys, as a list that is read page by page. Nothing is kept;
    /// [`ReferenceData::clients`] keeps it.
    ///
    /// Before 2025-12-18 it comes as one page.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// let mut clients = cint.clients().page_size(100).stream();
    /// while let Some(client) = clients.try_next().await? {
    ///     println!("{} {:?}", client.id, client.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_clients")]
    pub fn clients(&self) -> ListRequest<EndClientQuery<V>> {
        ListRequest::new(EndClientQuery { client: self.clone() })
    }
}

/// Lists that seldom change, each fetched on first use and kept by the client and all its clones.
/// However many ask at once, one request is made.
///
/// ```no_run
/// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
/// let directory = cint.reference_data();
/// for place in directory.locales().await?.iter().filter(|place| place.is_preferred) {
///     println!("{} is {:?} in {:?}", place.locale, place.language_name, place.country_name);
/// }
/// assert!(directory.suppliers().await?.iter().any(|supplier| supplier.id.get() == 980));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ReferenceData<V: Version> {
    client: Client<V>,
    max_age: Duration,
}

handle_options!(ReferenceData: client);

impl<V: Version> ReferenceData<V> {
    /// How old a list may be; an hour if not set. With [`Duration::ZERO`] it is fetched anew, and kept for the others.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Forgets what was fetched, for the client and all its clones.
    pub fn clear_cache(&self) {
        self.client.pipeline().shared.cache.clear();
    }

    /// The accounts that the credentials give access to.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_user_accounts")]
    pub async fn accounts(&self) -> Result<Arc<[Account]>, Error> {
        self.kept("get_user_accounts", 0, V::accounts(self.client.raw())).await
    }

    /// The account's users.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_account_users")]
    pub async fn users(&self) -> Result<Arc<[User]>, Error> {
        let account = self.client.account();
        self.kept("get_account_users", account, V::users(self.client.raw(), account, None)).await
    }

    /// Those of the account's users who can answer for projects.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_account_users")]
    pub async fn project_managers(&self) -> Result<Arc<[User]>, Error> {
        let (account, manager) = (self.client.account(), Some("project_manager"));
        let managers = V::users(self.client.raw(), account, manager);
        self.kept("get_account_users of project_manager", account, managers).await
    }

    /// The account's service clients: programs with credentials of their own.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_account_service_clients")]
    pub async fn service_clients(&self) -> Result<Arc<[User]>, Error> {
        let account = self.client.account();
        self.kept("get_account_service_clients", account, V::service_clients(self.client.raw(), account)).await
    }

    /// The account's business units.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_business_units")]
    pub async fn business_units(&self) -> Result<Arc<[BusinessUnit]>, Error> {
        let account = self.client.account();
        self.kept("get_business_units", account, V::business_units(self.client.raw(), account)).await
    }

    /// The business unit of a user. Not kept.
    ///
    /// # Errors
    /// The API answers 404 if there is no such user. See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_user_account_business_unit_id")]
    pub async fn business_unit_of(&self, user: UserId) -> Result<BusinessUnitId, Error> {
        V::business_unit_of(self.client.raw(), self.client.account(), user).await
    }

    /// The account's clients, on whose behalf it buys.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_clients")]
    pub async fn clients(&self) -> Result<Arc<[EndClient]>, Error> {
        let all = self.client.clients().page_size(100).stream().collect();
        self.kept("get_clients", self.client.account(), all).await
    }

    /// The locales that target groups can have: each language of each country. What a [`Locale`] cannot hold is left
    /// out.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_locales")]
    pub async fn locales(&self) -> Result<Arc<[LocaleEntry]>, Error> {
        self.kept("get_locales", 0, V::locales(self.client.raw())).await
    }

    /// The countries. One of them may be no country, with the code `na` and the id 0.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_countries")]
    pub async fn countries(&self) -> Result<Arc<[Country]>, Error> {
        self.kept("get_countries", 0, V::countries(self.client.raw())).await
    }

    /// The industries that a target group can be about.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_industries")]
    pub async fn industries(&self) -> Result<Arc<[Industry]>, Error> {
        self.kept("get_industries", 0, V::industries(self.client.raw())).await
    }

    /// How long respondents can be kept out of other surveys about the same industry.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_industry_lockouts")]
    pub async fn lockouts(&self) -> Result<Arc<[Lockout]>, Error> {
        self.kept("get_industry_lockouts", 0, V::lockouts(self.client.raw())).await
    }

    /// The kinds of study.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_study_types")]
    pub async fn study_types(&self) -> Result<Arc<[StudyType]>, Error> {
        self.kept("get_study_types", 0, V::study_types(self.client.raw())).await
    }

    /// The suppliers of respondents.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_suppliers")]
    pub async fn suppliers(&self) -> Result<Arc<[Supplier]>, Error> {
        self.kept("get_suppliers", 0, V::suppliers(self.client.raw())).await
    }

    /// What an integration with the platform can be for.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_integration_use_cases")]
    pub async fn use_cases(&self) -> Result<Arc<[UseCase]>, Error> {
        self.kept("get_integration_use_cases", 0, V::use_cases(self.client.raw())).await
    }

    /// The categories that profiling questions are sorted into.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "list_all_question_categories")]
    pub async fn question_categories(&self) -> Result<Arc<[QuestionCategory]>, Error> {
        self.kept("list_all_question_categories", 0, V::question_categories(self.client.raw())).await
    }

    async fn kept<T: Send + Sync + 'static>(
        &self,
        operation: &'static str,
        account: i64,
        fetch: impl Future<Output = Result<Vec<T>, Error>>,
    ) -> Result<Arc<[T]>, Error> {
        self.client.pipeline().shared.cache.get((operation, account), self.max_age, fetch).await
    }
}

/// An account of the platform.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Account {
    /// The number of the account, as [`Client::with_account`] takes it.
    pub id: i64,
    /// The name of the account.
    pub name: Option<String>,
}

/// A user of an account, or a program that acts as one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct User {
    /// The id: a project's manager is named by it.
    pub id: UserId,
    /// The name.
    pub name: Option<String>,
    /// The mail address.
    pub email: Option<String>,
}

/// A client of an account, on whose behalf it buys.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EndClient {
    /// The number of the client.
    pub id: EndClientId,
    /// The name of the client.
    pub name: Option<String>,
}

/// A language in a country, as target groups have it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LocaleEntry {
    /// The locale itself: `ger_de`.
    pub locale: Locale,
    /// What the language is called.
    pub language_name: Option<String>,
    /// What the country is called.
    pub country_name: Option<String>,
    /// Whether it is the country's first language here.
    pub is_preferred: bool,
}

/// A country.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Country {
    /// The number of the country.
    pub id: i64,
    /// The code of the country, if it is one of two letters.
    pub code: Option<CountryCode>,
    /// The name of the country.
    pub name: Option<String>,
}

/// An industry that a target group can be about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Industry {
    /// The code of the industry, as target groups have it.
    pub code: IndustryCode,
    /// The number of the industry.
    pub id: Option<i64>,
    /// The name of the industry.
    pub name: Option<String>,
}

/// How long respondents are kept out of other surveys about the same industry.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Lockout {
    /// The code of the industry lockout, as target groups have it.
    pub code: LockoutCode,
    /// The number of the industry lockout.
    pub id: Option<i64>,
    /// The name of the industry lockout.
    pub name: Option<String>,
}

/// A kind of study.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StudyType {
    /// The code of the study type, as target groups have it.
    pub code: StudyTypeCode,
    /// The number of the study type.
    pub id: Option<i64>,
    /// The name of the study type.
    pub name: Option<String>,
}

/// A supplier of respondents.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Supplier {
    /// The number of the supplier.
    pub id: SupplierId,
    /// The code of the supplier.
    pub code: Option<String>,
    /// The name of the supplier.
    pub name: Option<String>,
}

/// What an integration with the platform can be for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UseCase {
    /// The id of the integration use case.
    pub id: String,
    /// The name of the integration use case.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<String>,
}

/// A category of profiling questions.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QuestionCategory {
    /// The number of the question category.
    pub id: i64,
    /// The code of the question category: `DEM` for demographics.
    pub code: Option<String>,
    /// The name of the question category.
    pub name: Option<String>,
}

/// Lists the account's clients.
#[derive(Clone, Debug)]
pub struct EndClientQuery<V: Version> {
    client: Client<V>,
}

impl<V: Version> Sealed for EndClientQuery<V> {}

impl<V: Version> ListQuery for EndClientQuery<V> {
    type Item = EndClient;

    fn set_options(&mut self, options: CallOptions) {
        self.client = self.client.with(options);
    }

    fn page<'a>(&'a self, ask: &'a PageRequest) -> BoxFuture<'a, Result<RawPage<EndClient>, Error>> {
        V::clients(self.client.raw(), self.client.account(), ask).boxed()
    }
}
