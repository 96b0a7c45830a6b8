//! Lists of excluded respondents, sent at once.

use super::raw::*;

use crate::error::Error;
use crate::wire::Place;
use crate::wire::exclusions::HasExclusionLists;

impl HasExclusionLists for super::Marker {
    async fn excluded_rids(raw: &Client, Place { account, project, group }: Place<'_>) -> Result<Vec<String>, Error> {
        let answer = raw.get_target_group_rid_exclusion_list_api(account, project, group).await?;
        Ok(answer.into_value())
    }

    async fn excluded_cids(raw: &Client, Place { account, project, group }: Place<'_>) -> Result<Vec<String>, Error> {
        let answer = raw.get_target_group_cid_exclusion_list_api(account, project, group).await?;
        Ok(answer.into_value().data.unwrap_or_default())
    }

    async fn exclude_rids(
        raw: &Client,
        Place { account, project, group }: Place<'_>,
        ids: Vec<String>,
    ) -> Result<(), Error> {
        raw.upsert_target_group_rid_exclusion_list_api(account, project, group, &ids).await?;
        Ok(())
    }

    async fn exclude_cids(
        raw: &Client,
        Place { account, project, group }: Place<'_>,
        ids: Vec<String>,
    ) -> Result<(), Error> {
        let body = types::CobraIdListRequest { data: Some(ids) };
        raw.upsert_target_group_cid_exclusion_list_api(account, project, group, &body).await?;
        Ok(())
    }
}
