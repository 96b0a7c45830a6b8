//! Respondents from server to server on the wire. Only the document of 2025-12-18 has them; the host has no versions.

use std::future::Future;

use super::{Answer, Wire};
use crate::respondent::RespondentStatus;

#[doc(hidden)]
pub trait RespondentsWire: Wire {
    fn respondent(raw: &Self::Raw, rid: &str) -> impl Future<Output = Answer<RespondentStatus>> + Send;

    fn transition(raw: &Self::Raw, rid: &str, code: i64) -> impl Future<Output = Answer<()>> + Send;
}

/// One version's respondents.
#[cfg(feature = "_since-2025-12-18")]
macro_rules! respondents {
    ($marker:ident, $version:ident) => {
        mod respondents {
            use cintx_raw::$version::*;

            use crate::error::Error;
            use crate::respondent::RespondentStatus;
            use crate::wire::respondents::RespondentsWire;

            impl crate::respondent::HasRespondents for crate::$marker {}

            impl RespondentsWire for crate::$marker {
                async fn respondent(raw: &Client, rid: &str) -> Result<RespondentStatus, Error> {
                    let answer = raw.get_respondent_status(rid).await?.into_value();
                    let operation = &operations::GET_RESPONDENT_STATUS;
                    Ok(RespondentStatus {
                        code: answer.status.ok_or_else(|| Error::incomplete(operation.id, "status"))?,
                        links: answer.links.into_iter().flatten().filter_map(|link| link.href).collect(),
                    })
                }

                async fn transition(raw: &Client, rid: &str, code: i64) -> Result<(), Error> {
                    let body = types::RespondentFillfilmentTransitionRequest { id: rid.to_owned(), status: code };
                    raw.update_respondent_status(Some(&body)).await?;
                    Ok(())
                }
            }
        }
    };
}
#[cfg(feature = "_since-2025-12-18")]
pub(super) use respondents;
