//! The dated versions as types. A client has one; mixing two on the same target group is dangerous at Cint.

use crate::wire;

/// A dated version of the Demand API. Implemented by the markers of this crate, one for each version that is switched
/// on.
///
/// From 2025-12-18 on the API is forward-only: what was written through a newer version must not be written
/// through an older one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a dated version of the Demand API",
    note = "use a marker of this crate such as `cintx::V2025_12_18`, and switch its Cargo feature on"
)]
pub trait Version:
    wire::Wire
    + wire::assistant::AssistantWire
    + wire::audience::AudienceWire
    + wire::bulk::BulkWire
    + wire::distribution::DistributionWire
    + wire::fielding::FieldingWire
    + wire::target_groups::GroupsWire
    + wire::price::PriceWire
    + wire::projects::ProjectsWire
    + wire::quotas::QuotasWire
    + wire::reconciliation::ReconciliationWire
    + wire::statistics::StatisticsWire
    + wire::study::StudyWire
    + wire::supply::SupplyWire
    + wire::supply_templates::SupplyTemplatesWire
    + wire::directory::DirectoryWire
    + wire::library::LibraryWire
    + wire::templates::TemplatesWire
    + wire::calendar::CalendarWire
    + wire::webhooks::WebhooksWire
    + wire::reports::ReportsWire
{
}

/// The versions whose lists of target groups and of changes can be filtered by manager and by kind.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot filter this list at Cint's side",
    note = "filter the items as they come: `.try_filter(..)` on the stream; or use a client of 2025-12-18 or later"
)]
pub trait HasFilters: Version {}

/// The versions: `versions! { "v2025-12-18" V2025_12_18 "2025-12-18", }` expands to a marker type for each that is
/// switched on, and to `operations()` over all of them.
macro_rules! versions {
    ($($feature:literal $marker:ident $date:literal,)+) => {
        /// The operations of every version that is switched on.
        #[cfg(test)]
        pub(crate) fn operations() -> impl Iterator<Item = &'static cintx_raw::Operation> {
            let tables = [$(#[cfg(feature = $feature)] <markers::$marker as wire::Wire>::OPERATIONS,)+];
            tables.into_iter().flatten().copied()
        }

        /// One type for each version that is switched on.
        pub(crate) mod markers {
        $(
            #[cfg(feature = $feature)]
            #[doc = concat!("Version ", $date, " of the Demand API.")]
            #[derive(Clone, Copy, Debug)]
            pub enum $marker {}

            #[cfg(feature = $feature)]
            impl super::Version for $marker {}
        )+
        }
    };
}

versions! {
    "v2024-12-02" V2024_12_02 "2024-12-02",
    "v2025-02-17" V2025_02_17 "2025-02-17",
    "v2025-12-18" V2025_12_18 "2025-12-18",
}
