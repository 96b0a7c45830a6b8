//! Codes of the buyer's own for respondents, live and test.

use super::raw::*;

use crate::error::Error;
use crate::respondent::unique_code::{RespondentMode, UniqueCodesStats};
use crate::wire::Place;
use crate::wire::read::{read, reads};
use crate::wire::unique_codes::HasUniqueCodes;

reads! {
    UniqueCodesStats = GetLiveRespondentUniqueCodesStatsResponse {
        ;
        total = total_count, unconsumed = unconsumed_count
    }
    UniqueCodesStats = GetTestRespondentUniqueCodesStatsResponse {
        ;
        total = total_count, unconsumed = unconsumed_count
    }
}

impl HasUniqueCodes for super::Marker {
    async fn upload_codes(
        raw: &Client,
        Place { account, group, .. }: Place<'_>,
        codes_for: RespondentMode,
        respondent_unique_codes: Vec<String>,
    ) -> Result<i64, Error> {
        let (operation, uploaded) = match codes_for {
            RespondentMode::Live => {
                let body = types::UploadLiveRespondentUniqueCodesRequest { respondent_unique_codes };
                let answer = raw.upload_live_respondent_unique_codes(account, group, &body).await?;
                (&operations::UPLOAD_LIVE_RESPONDENT_UNIQUE_CODES, answer.into_value().uploaded_count)
            }
            RespondentMode::Test => {
                let body = types::UploadTestRespondentUniqueCodesRequest { respondent_unique_codes };
                let answer = raw.upload_test_respondent_unique_codes(account, group, &body).await?;
                (&operations::UPLOAD_TEST_RESPONDENT_UNIQUE_CODES, answer.into_value().uploaded_count)
            }
        };
        uploaded.ok_or_else(|| Error::incomplete(operation, "uploaded_count"))
    }

    async fn codes_stats(
        raw: &Client,
        Place { account, group, .. }: Place<'_>,
        codes_for: RespondentMode,
    ) -> Result<UniqueCodesStats, Error> {
        match codes_for {
            RespondentMode::Live => read(
                &operations::GET_LIVE_RESPONDENT_UNIQUE_CODES_STATS,
                raw.get_live_respondent_unique_codes_stats(account, group).await?.into_value(),
            ),
            RespondentMode::Test => read(
                &operations::GET_TEST_RESPONDENT_UNIQUE_CODES_STATS,
                raw.get_test_respondent_unique_codes_stats(account, group).await?.into_value(),
            ),
        }
    }

    async fn delete_codes(
        raw: &Client,
        Place { account, group, .. }: Place<'_>,
        codes_for: RespondentMode,
    ) -> Result<(), Error> {
        match codes_for {
            RespondentMode::Live => raw.delete_unconsumed_live_respondent_unique_codes(account, group).await?,
            RespondentMode::Test => raw.delete_unconsumed_test_respondent_unique_codes(account, group).await?,
        };
        Ok(())
    }
}
