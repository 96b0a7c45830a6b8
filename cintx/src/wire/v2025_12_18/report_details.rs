//! What an answer says of the order behind a report.

use super::raw::types;

use crate::report::{ReportLevel, ReportParameters};
use crate::wire::read::{Missing, Read, read_words};
use crate::wire::reports::parameters;
use crate::wire::to_json;

impl crate::report::HasReportEmails for super::Marker {}

read_words! { ReportLevel = ReportRequestListItemLevel; }

impl Read<types::ReportRequestListItemCreateParams> for ReportParameters {
    fn read(wire: types::ReportRequestListItemCreateParams) -> Result<Self, Missing> {
        to_json(&wire).map(|json| parameters(&json)).map_err(|_| Missing("create_params"))
    }
}
