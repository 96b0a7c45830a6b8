//! Profiles validated without creating anything.

use super::raw::{Client, types};
use serde_json::Value;

use crate::audience::{Audience, Interlock};
use crate::error::Error;
use crate::wire::audience::legacy;
use crate::wire::quotas::HasValidation;
use crate::wire::{from_json, to_json};

impl HasValidation for super::Marker {
    async fn validate(
        raw: &Client,
        account: i64,
        audience: &Audience,
        goal: u32,
        locale: &str,
    ) -> Result<Vec<Value>, Error> {
        crate::wire::audience::legacy::refuse_newer(audience)?;
        let crossed = audience.crossed().map_or(&[][..], Interlock::questions).iter();
        let crossed = crossed.map(|question| legacy::profile(question, goal, legacy::Form::Draft));
        // An interlock is made by the helper; here its questions are looked at side by side.
        let profiles: Vec<_> = legacy::drafts(audience, goal).into_iter().chain(crossed).collect();
        let body = serde_json::json!({
            "locale": locale, legacy::GOAL: goal, "profile_adjustment_type": "percentage",
            "profiles": profiles,
        });
        let body: types::ApplyProfilesRequestBody = from_json("audience", body)?;
        let answer = raw.validate_profiles(account, &body).await?.into_value();
        answer.iter().map(to_json).collect()
    }
}
