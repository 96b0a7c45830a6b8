//! Respondents from server to server.

use super::raw::*;

use crate::error::Error;
use crate::respondent::RespondentStatus;
use crate::wire::respondents::HasRespondents;

impl HasRespondents for super::Marker {
    async fn respondent(raw: &Client, rid: &str) -> Result<RespondentStatus, Error> {
        let answer = raw.get_respondent_status(rid).await?.into_value();
        let operation = &operations::GET_RESPONDENT_STATUS;
        Ok(RespondentStatus {
            code: answer.status.ok_or_else(|| Error::incomplete(operation, "status"))?,
            links: answer.links.into_iter().flatten().filter_map(|link| link.href).collect(),
        })
    }

    async fn transition(raw: &Client, rid: &str, code: i64) -> Result<(), Error> {
        let body = types::RespondentFillfilmentTransitionRequest { id: rid.to_owned(), status: code };
        raw.update_respondent_status(Some(&body)).await?;
        Ok(())
    }
}
