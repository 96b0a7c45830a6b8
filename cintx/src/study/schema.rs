//! The JSON Schema of a study's file, by which editors complete and check it: what every type of a value takes, said as
//! closely as a schema can.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{Study, StudyLaunch, StudyNumber};
use crate::fielding::FieldingPeriod;
use crate::report::ReportKind;
use crate::target_group::FillingStrategy;
use crate::types::ids::{
    BusinessUnitId, EndClientId, ExclusionGroupId, IndustryCode, LockoutCode, ProfileTemplateId, ProjectId,
    StudyTypeCode, SupplierId, TargetGroupId, TemplateId, UserId,
};
use crate::types::{
    ActivityPeriod, CustomerReference, IncidenceRate, Interval, LengthOfInterview, Locale, Money, SurveyUrl,
};

impl Study {
    /// The JSON Schema (2020-12) of a study as a file: the same for JSON, TOML and YAML. The repository keeps it as
    /// `docs/study.schema.json`; [the guide](crate::guide::studies) says how an editor finds it.
    ///
    /// Whatever it refuses is refused when the file is read. What needs more than one value, such as the sum of shares
    /// or a name that occurs twice, is refused by [`plan`](Self::plan) alone, and so are addresses that only look like
    /// some.
    pub fn json_schema() -> Schema {
        schemars::generate::SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Self>()
    }
}

/// A moment as RFC 3339 writes it.
pub(super) fn moment(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date-time", "examples": ["2100-01-04T09:00:00Z"] })
}

/// A day of the calendar.
pub(super) fn day(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date", "examples": ["2026-09-01"] })
}

/// Schemas of types that are one value in a file.
macro_rules! value_schemas {
    ($($type:ident => $schema:tt,)+) => {$(
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )+};
}

value_schemas! {
    BusinessUnitId => { "type": "integer", "format": "int64" },
    EndClientId => { "type": "integer", "format": "int64" },
    SupplierId => { "type": "integer", "format": "int64" },
    ExclusionGroupId => { "type": "string" },
    IndustryCode => { "type": "string" },
    LockoutCode => { "type": "string" },
    ProfileTemplateId => { "type": "string" },
    ProjectId => { "type": "string" },
    StudyTypeCode => { "type": "string" },
    TargetGroupId => { "type": "string" },
    TemplateId => { "type": "string" },
    UserId => {
        "type": "string",
        "format": "uuid",
        "pattern": "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$"
    },
    CustomerReference => { "type": "string", "pattern": "^[0-9A-Za-z _-]{3,128}$" },
    Locale => { "type": "string", "pattern": "^[A-Za-z]{3}[_-][A-Za-z]{2}$", "examples": ["eng_gb"] },
    LengthOfInterview => { "type": "integer", "minimum": 1, "maximum": 45 },
    IncidenceRate => {
        "type": "string",
        "pattern": "^(0*1(\\.0*)?|0*\\.(0[1-9]|[1-9][0-9]?)0*)$",
        "examples": ["0.50"]
    },
    Money => { "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)? [A-Za-z]{3}$", "examples": ["2.73 USD"] },
    SurveyUrl => {
        "type": "string",
        "pattern": "^https://[^/?#\\s@\\[\\]]+[/?#]\\S*\\[%RID%\\]\\S*$",
        "maxLength": 3000,
        "examples": ["https://survey.example/?RID=[%RID%]"]
    },
    Interval => {
        "type": "string",
        "pattern": "^[Pp]([0-9]+[Dd])?([Tt]([0-9]+[Hh])?([0-9]+[Mm])?([0-9]+[Ss])?)?$",
        "examples": ["P1DT5H"]
    },
    ActivityPeriod => {
        "type": "string",
        "pattern": "^[Pp]([0-9]+[Yy])?([0-9]+[Mm])?([0-9]+[Ww])?([0-9]+[Dd])?$",
        "examples": ["P3M"]
    },
    StudyNumber => {
        "anyOf": [
            { "type": "number", "minimum": 0 },
            { "type": "string", "pattern": "^([0-9]+\\.?[0-9]*|\\.[0-9]+)$" }
        ]
    },
    FillingStrategy => { "enum": ["automated", "prescreens", "completes"] },
    StudyLaunch => { "enum": [false, true, "at-start"] },
    FieldingPeriod => {
        "type": "object",
        "properties": {
            "start": { "description": "When it begins.", "type": "string", "format": "date-time" },
            "end": { "description": "When it ends.", "type": "string", "format": "date-time" }
        },
        "required": ["start", "end"],
        "additionalProperties": false
    },
    ReportKind => {
        "enum": [
            "completes",
            "reconciliations",
            "reconciliations-status",
            "reconciliation-eligible-rids",
            "sample-bought",
            "respondent-analysis",
            "term-details"
        ]
    },
}
