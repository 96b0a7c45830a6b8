//! The directory on the wire. The versions differ only in the list of clients, which has pages since 2025-12-18.

use std::future::Future;

use super::{Answer, Wire};
use crate::paging::{PageRequest, RawPage};
use crate::reference::{
    Account, Country, EndClient, Industry, LocaleEntry, Lockout, QuestionCategory, StudyType, Supplier, UseCase, User,
};
use crate::types::ids::{BusinessUnitId, UserId};

#[doc(hidden)]
pub trait DirectoryWire: Wire {
    fn accounts(raw: &Self::Raw) -> impl Future<Output = Answer<Vec<Account>>> + Send;

    /// The users of an account; of one type if that is said.
    fn users(raw: &Self::Raw, account: i64, user_type: Option<&str>) -> impl Future<Output = Answer<Vec<User>>> + Send;

    fn service_clients(raw: &Self::Raw, account: i64) -> impl Future<Output = Answer<Vec<User>>> + Send;

    fn business_unit_of(
        raw: &Self::Raw,
        account: i64,
        user: UserId,
    ) -> impl Future<Output = Answer<BusinessUnitId>> + Send;

    fn clients(
        raw: &Self::Raw,
        account: i64,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<RawPage<EndClient>>> + Send;

    fn locales(raw: &Self::Raw) -> impl Future<Output = Answer<Vec<LocaleEntry>>> + Send;

    fn countries(raw: &Self::Raw) -> impl Future<Output = Answer<Vec<Country>>> + Send;

    fn industries(raw: &Self::Raw) -> impl Future<Output = Answer<Vec<Industry>>> + Send;

    fn lockouts(raw: &Self::Raw) -> impl Future<Output = Answer<Vec<Lockout>>> + Send;

    fn study_types(raw: &Self::Raw) -> impl Future<Output = Answer<Vec<StudyType>>> + Send;

    fn suppliers(raw: &Self::Raw) -> impl Future<Output = Answer<Vec<Supplier>>> + Send;

    fn use_cases(raw: &Self::Raw) -> impl Future<Output = Answer<Vec<UseCase>>> + Send;

    fn question_categories(raw: &Self::Raw) -> impl Future<Output = Answer<Vec<QuestionCategory>>> + Send;
}
