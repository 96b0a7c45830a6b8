//! Quota tables moved on by events: the counts that Cint tells, without asking again.
//! Events that are about something else change nothing.

use super::{Event, EventData};
use crate::quota::QuotaTable;

impl QuotaTable {
    /// Takes over the counts that an event tells of one of this table's quotas. Answers whether that changed anything:
    /// events of other kinds, about other quotas or without counts do not, nor does one that is older than what the
    /// table has. The newest by the event's own time counts, whether it is higher or, after a reconciliation, lower;
    /// see [`CountOrder`](crate::quota::CountOrder). So events may be applied twice, and in any order.
    ///
    /// ```
    /// # use cintx::audience::{Audience, Question};
    /// # let age = Question::range(42).band(18..=34, 50).band(35..=99, 50);
    /// # let gender = Question::choice(43).option("1", 50).option("2", 50);
    /// # let mut kept = serde_json::to_value(Audience::interlock([age, gender]).quota_table(100)?).unwrap();
    /// # kept["cells"][0]["id"] = "q-1".into();
    /// # let mut table: cintx::quota::QuotaTable = serde_json::from_value(kept).unwrap();
    /// use cintx::webhook::receive::Event;
    ///
    /// let body = br#"{ "id": "e1", "type": "com.cint.quota.fill.registered",
    ///     "data": { "target_group_id": "g", "profile_quota_id": "q-1", "screens": 12, "completes": 7 } }"#;
    /// assert!(table.apply(&Event::parse(body).expect("an event")));
    /// assert_eq!(table.cell([0, 0]).map(|quota| (quota.prescreens, quota.completes)), Some((12, 7)));
    /// # Ok::<(), cintx::Error>(())
    /// ```
    pub fn apply(&mut self, event: &Event) -> bool {
        let EventData::QuotaFillRegistered(fill) = event.data() else { return false };
        let count = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
        match (&fill.profile_quota_id, count(fill.completes), count(fill.screens)) {
            (Some(quota), Some(completes), Some(screens)) => self.count(quota, event.time(), (completes, screens)),
            _ => false,
        }
    }
}
