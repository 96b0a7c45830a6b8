//! Reference data: accounts, users, clients, locales, industries, suppliers and the like.

use super::raw::*;

use crate::error::Error;
use crate::paging::{PageRequest, RawPage};
use crate::reference::{
    Account, Country, EndClient, Industry, LocaleEntry, Lockout, QuestionCategory, StudyType, Supplier, UseCase, User,
};
use crate::types::ids::{BusinessUnitId, UserId};
use crate::types::{CountryCode, Locale};
use crate::wire::directory::DirectoryWire;
use crate::wire::read::{Missing, Read, list, read, reads};

reads! {
    Account = AccountsListAccounts { id; name }
    User = UsersListUsers { id; name, email }
    User = ServiceClientsListUsers { id; name, email }
    EndClient = ClientListItem { id; name }
    Country = CountryListItem { id; code, name }
    Industry = IndustryListItem { code; id, name }
    Lockout = IndustryLockoutItem { code; id, name }
    StudyType = StudyTypeListItem { code; id, name }
    Supplier = SupplierDetailsItem { id; code, name }
    UseCase = IntegrationUseCaseListItem { id; name, description }
    QuestionCategory = QuestionCategory { id; code, name }
}

impl Read<types::QuestionCategoryCode> for String {
    fn read(wire: types::QuestionCategoryCode) -> Result<Self, Missing> {
        Ok(wire.as_str().to_owned())
    }
}

/// The locales of a country: the code of each language joined with its own.
fn locales_of(place: types::LocalesLocales) -> Vec<LocaleEntry> {
    let country = place.country.unwrap_or_default();
    let code: Option<CountryCode> = country.code.and_then(|code| code.parse().ok());
    let languages = place.languages.unwrap_or_default().into_iter();
    let entries = languages.filter_map(|language| {
        let own = language.code?.parse().ok()?;
        Some(LocaleEntry {
            locale: Locale::new(own, code.clone()?),
            language_name: language.name,
            country_name: country.name.clone(),
            is_preferred: language.is_preferred.unwrap_or_default(),
        })
    });
    entries.collect()
}

impl DirectoryWire for super::Marker {
    async fn accounts(raw: &Client) -> Result<Vec<Account>, Error> {
        list(&operations::GET_USER_ACCOUNTS, raw.get_user_accounts().await?.into_value().accounts)
    }

    async fn users(raw: &Client, account: i64, user_type: Option<&str>) -> Result<Vec<User>, Error> {
        let params = GetAccountUsersParams { user_type: user_type.map(Into::into) };
        let answer = raw.get_account_users_with(account, &params).await?;
        list(&operations::GET_ACCOUNT_USERS, answer.into_value().users)
    }

    async fn service_clients(raw: &Client, account: i64) -> Result<Vec<User>, Error> {
        let answer = raw.get_account_service_clients(account).await?;
        list(&operations::GET_ACCOUNT_SERVICE_CLIENTS, answer.into_value().users)
    }

    async fn business_unit_of(raw: &Client, account: i64, user: UserId) -> Result<BusinessUnitId, Error> {
        let answer = raw.get_user_account_business_unit_id(account, &user.to_string()).await?.into_value();
        let operation = &operations::GET_USER_ACCOUNT_BUSINESS_UNIT_ID;
        let id = answer.business_unit_id.ok_or_else(|| Error::incomplete(operation, "business_unit_id"))?;
        read(operation, id)
    }

    async fn clients(raw: &Client, account: i64, ask: &PageRequest) -> Result<RawPage<EndClient>, Error> {
        let operation = &operations::GET_CLIENTS;
        let answer = super::get_clients(raw, account, ask).await?.into_value();
        Ok(RawPage::new(operation, list(operation, answer.clients)?).numbered(|client: &EndClient| client.id))
    }

    async fn locales(raw: &Client) -> Result<Vec<LocaleEntry>, Error> {
        let places = raw.get_locales().await?.into_value().locales.unwrap_or_default();
        Ok(places.into_iter().flat_map(locales_of).collect())
    }

    async fn countries(raw: &Client) -> Result<Vec<Country>, Error> {
        list(&operations::GET_COUNTRIES, raw.get_countries().await?.into_value().countries)
    }

    async fn industries(raw: &Client) -> Result<Vec<Industry>, Error> {
        list(&operations::GET_INDUSTRIES, raw.get_industries().await?.into_value().industries)
    }

    async fn lockouts(raw: &Client) -> Result<Vec<Lockout>, Error> {
        let answer = raw.get_industry_lockouts().await?.into_value();
        list(&operations::GET_INDUSTRY_LOCKOUTS, answer.industry_lockouts)
    }

    async fn study_types(raw: &Client) -> Result<Vec<StudyType>, Error> {
        list(&operations::GET_STUDY_TYPES, raw.get_study_types().await?.into_value().study_types)
    }

    async fn suppliers(raw: &Client) -> Result<Vec<Supplier>, Error> {
        list(&operations::GET_SUPPLIERS, raw.get_suppliers().await?.into_value().suppliers)
    }

    async fn use_cases(raw: &Client) -> Result<Vec<UseCase>, Error> {
        let answer = raw.get_integration_use_cases().await?.into_value();
        list(&operations::GET_INTEGRATION_USE_CASES, answer.integration_use_cases)
    }

    async fn question_categories(raw: &Client) -> Result<Vec<QuestionCategory>, Error> {
        let answer = raw.list_all_question_categories().await?.into_value();
        list(&operations::LIST_ALL_QUESTION_CATEGORIES, answer.categories)
    }
}
