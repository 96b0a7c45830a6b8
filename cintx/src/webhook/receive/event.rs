//! Events: the CloudEvents envelope, the three event streams as types, and the answer that Cint expects. Whatever is
//! not known is kept: the body as it came, unknown kinds, fields and changes as JSON.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use jiff::Timestamp;
use serde::de::{self, DeserializeOwned};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::quota::CountOrder;
use crate::webhook::{WebhookDelivery, WebhookEventType};

const TARGET_GROUP_UPDATED: &str = "com.cint.target-group.updated";
const SESSION_UPDATED: &str = "com.cint.session.updated";
const QUOTA_FILL_REGISTERED: &str = "com.cint.quota.fill.registered";

/// Why a body is no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// The body is no JSON.
    #[error("body is not JSON: {problem}, expected a CloudEvents envelope")]
    Json {
        /// What is wrong about it.
        problem: String,
    },
    /// A field of the envelope is missing or of another kind.
    #[error("{field} is {got}, expected {expected}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What it is.
        got: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

/// An event: what the envelope says, and what happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    id: String,
    kind: String,
    time: Option<Timestamp>,
    envelope: Map<String, Value>,
    data: EventData,
    body: Bytes,
}

/// Kept as the text of its body, so that reading it back loses nothing.
impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&String::from_utf8_lossy(&self.body))
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(String::deserialize(deserializer)?.as_bytes()).map_err(de::Error::custom)
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EventData {
    /// Something about a target group has changed.
    TargetGroupUpdated(TargetGroupUpdated),
    /// A respondent has come, or moved on.
    SessionUpdated(SessionUpdated),
    /// A quota has counted a respondent.
    QuotaFillRegistered(QuotaFillRegistered),
    /// An event of a kind that is not known yet; [`Event::kind`] names it.
    Unknown(Value),
    /// An event of a known kind that has another form than expected. Acknowledge it: it would be the same next time.
    Unreadable {
        /// The data as it came.
        data: Value,
        /// What could not be read.
        problem: String,
    },
}

impl Event {
    /// Reads an event from JSON that was verified before, or that comes from a history.
    ///
    /// # Errors
    /// That it is no JSON, or lacks an id or a type.
    pub fn parse(body: &[u8]) -> Result<Self, EventError> {
        let json = serde_json::from_slice(body).map_err(|error| EventError::Json { problem: error.to_string() })?;
        let Value::Object(mut envelope) = json else {
            return Err(EventError::Field { field: "body", got: kind_of(Some(&json)), expected: "an object" });
        };
        let id = text(&envelope, "id")?;
        let kind = text(&envelope, "type")?;
        // CloudEvents lets an event have none. One that was not acknowledged would come again and again.
        let data = envelope.remove("data").unwrap_or_default();
        let time = envelope.get("time").and_then(Value::as_str).and_then(crate::wire::moment::moment);
        let data = match kind.as_str() {
            TARGET_GROUP_UPDATED => typed(data, EventData::TargetGroupUpdated),
            SESSION_UPDATED => typed(data, EventData::SessionUpdated),
            QUOTA_FILL_REGISTERED => typed(data, EventData::QuotaFillRegistered),
            _ => EventData::Unknown(data),
        };
        Ok(Self { id, kind, time, envelope, data, body: Bytes::copy_from_slice(body) })
    }

    /// The event of an entry in a subscription's [history](crate::webhook::Webhook::history). Its payload is the whole
    /// envelope, or the data alone, as Cint's samples have it. Then id and time are those of the entry: whether the
    /// event was delivered under the same ones is not published.
    ///
    /// # Errors
    /// The entry has no payload or no type.
    pub fn from_delivery(delivery: &WebhookDelivery) -> Result<Self, EventError> {
        let missing = |field| EventError::Field { field, got: "missing", expected: "what the entry is about" };
        let payload = delivery.payload.as_ref().ok_or_else(|| missing("payload"))?;
        let is_envelope = ["id", "type", "data"].iter().all(|field| payload.contains_key(*field));
        if is_envelope {
            return Self::parse(Value::Object(payload.clone()).to_string().as_bytes());
        }
        let kind = match delivery.event.as_ref().ok_or_else(|| missing("type"))? {
            WebhookEventType::TargetGroupUpdated => TARGET_GROUP_UPDATED,
            WebhookEventType::SessionUpdated => SESSION_UPDATED,
            WebhookEventType::QuotaFillRegistered => QUOTA_FILL_REGISTERED,
            other => other.as_str(),
        };
        let time = delivery.created_at.map(|time| time.to_string());
        let envelope = json!({ "id": delivery.id, "type": kind, "time": time, "data": payload });
        Self::parse(envelope.to_string().as_bytes())
    }

    /// The id of the event. The same event may come again, under the same id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its type, for example `com.cint.session.updated`. Subscriptions name it differently.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// When it happened, if the envelope says so in a form that is known.
    pub fn time(&self) -> Option<Timestamp> {
        self.time
    }

    /// A field of the envelope other than the data: `source`, `dataschema`, or what may come.
    pub fn attribute(&self, name: &str) -> Option<&Value> {
        self.envelope.get(name)
    }

    /// What happened.
    pub fn data(&self) -> &EventData {
        &self.data
    }

    /// Where its counts stand among others of the same quota, if it tells both, completes and screens: the greatest are
    /// the newest.
    pub fn count_order(&self) -> Option<CountOrder> {
        let EventData::QuotaFillRegistered(fill) = &self.data else { return None };
        let count = |number: Option<i64>| number.filter(|number| *number >= 0);
        Some(CountOrder::new(self.time, count(fill.completes)?, count(fill.screens)?))
    }

    /// The body, byte for byte.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// What to answer once the event is safe. A mere 200 may count as a failure.
    pub fn acknowledgement(&self) -> Acknowledgement {
        Acknowledgement { event_id: self.id.clone() }
    }
}

/// The answer by which Cint knows that an event has arrived.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Acknowledgement {
    event_id: String,
}

impl Acknowledgement {
    /// The body: an object with the event's id as `event_id`.
    pub fn body(&self) -> Bytes {
        Value::Object(Map::from_iter([("event_id".to_owned(), self.event_id.clone().into())])).to_string().into()
    }

    /// The whole answer: 200, JSON.
    pub fn response(&self) -> Response<Bytes> {
        let mut response = Response::new(self.body());
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

/// One thing that changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Change {
    /// What changed, as it came; empty if it is not said, and JSON if it is no text. Cint spells it with underscores or
    /// hyphens: compare with [`is`](Self::is).
    #[serde(default, deserialize_with = "text_or_empty")]
    pub object: String,
    /// The new value; null if it was removed or not sent. Where there is no object in the place of the change, all that
    /// is there.
    #[serde(default)]
    pub new_value: Value,
    /// Further fields of the event, `old_value` for example.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Change {
    /// Whether this is the change of that name, whichever way it is spelled.
    pub fn is(&self, name: &str) -> bool {
        let letters = |text: &str| -> String {
            let plain = text.chars().filter(char::is_ascii_alphanumeric).map(|it| it.to_ascii_lowercase());
            let plain: String = plain.collect();
            // As it is misspelled in the guide.
            if plain == "clientquerystringchang" { plain + "e" } else { plain }
        };
        letters(&self.object) == letters(name)
    }
}

/// Something about a target group has changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TargetGroupUpdated {
    /// The target group.
    pub target_group_id: String,
    /// The changelog entry's id.
    #[serde(default, deserialize_with = "text_or_none")]
    pub id: Option<String>,
    /// The account.
    #[serde(default, deserialize_with = "number_or_none")]
    pub account_id: Option<i64>,
    /// The project.
    #[serde(default, deserialize_with = "text_or_none")]
    pub project_id: Option<String>,
    /// When it was, as it came.
    #[serde(default, deserialize_with = "text_or_none")]
    pub occurred_at: Option<String>,
    /// Who did it, as it came: an object, or a list of them.
    #[serde(default)]
    pub user: Value,
    /// What changed.
    #[serde(default, deserialize_with = "changes")]
    pub changes: Vec<Change>,
    /// Further fields of the event.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// A respondent has come, or moved on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SessionUpdated {
    /// The session.
    pub response_session_id: String,
    /// Which of the session's events it is: a lower number after a higher one is out of date.
    #[serde(deserialize_with = "whole_number")]
    pub sequence_number: i64,
    /// The account.
    #[serde(default, deserialize_with = "number_or_none")]
    pub account_id: Option<i64>,
    /// The project.
    #[serde(default, deserialize_with = "text_or_none")]
    pub project_id: Option<String>,
    /// The target group.
    #[serde(default, deserialize_with = "text_or_none")]
    pub target_group_id: Option<String>,
    /// The survey.
    #[serde(default, deserialize_with = "number_or_none")]
    pub survey_id: Option<i64>,
    /// The supplier.
    #[serde(default, deserialize_with = "number_or_none")]
    pub supplier_id: Option<i64>,
    /// The supplier's name.
    #[serde(default, deserialize_with = "text_or_none")]
    pub supplier_name: Option<String>,
    /// The respondent.
    #[serde(default, deserialize_with = "number_or_none")]
    pub respondent_id: Option<i64>,
    /// When the respondent came, as it came.
    #[serde(default, deserialize_with = "text_or_none")]
    pub respondent_entry_date: Option<String>,
    /// The panellist.
    #[serde(default, deserialize_with = "text_or_none")]
    pub panelist_id: Option<String>,
    /// The session that this one comes from.
    #[serde(default, deserialize_with = "text_or_none")]
    pub parent_sid: Option<String>,
    /// How the respondent came.
    #[serde(default, deserialize_with = "number_or_none")]
    pub entry_type: Option<i64>,
    /// The supplier's own mark.
    #[serde(default, deserialize_with = "text_or_none")]
    pub mid: Option<String>,
    /// What changed.
    #[serde(default, deserialize_with = "changes")]
    pub changes: Vec<Change>,
    /// Further fields of the event.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl SessionUpdated {
    /// The new client code, if that has changed; see `respondent::codes::ClientCode`.
    pub fn client_code(&self) -> Option<i64> {
        self.last("client_status_code_change")
    }

    /// The new code on Cint's side, if that has changed; see `respondent::codes::MarketplaceCode`.
    pub fn marketplace_code(&self) -> Option<i64> {
        self.last("exchange_status_code_change")
    }

    fn last(&self, name: &str) -> Option<i64> {
        let change = self.changes.iter().rev().find(|change| change.is(name))?;
        as_number(&change.new_value)
    }
}

/// A quota has counted a respondent. The numbers are totals, so the newest event says it all.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QuotaFillRegistered {
    /// The target group.
    pub target_group_id: String,
    /// The quota, unless the target group as a whole is meant.
    #[serde(default, deserialize_with = "text_or_none")]
    pub profile_quota_id: Option<String>,
    /// The account.
    #[serde(default, deserialize_with = "number_or_none")]
    pub account_id: Option<i64>,
    /// How many were screened so far.
    #[serde(default, deserialize_with = "number")]
    pub screens: Option<i64>,
    /// How many have completed so far.
    #[serde(default, deserialize_with = "number")]
    pub completes: Option<i64>,
    /// Further fields of the event.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

fn typed<T: DeserializeOwned>(data: Value, known: impl FnOnce(T) -> EventData) -> EventData {
    match T::deserialize(&data) {
        Ok(read) => known(read),
        Err(error) => EventData::Unreadable { data, problem: error.to_string() },
    }
}

/// A whole number, or the same as text: Cint's samples have both.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let read = as_number(&value);
    if read.is_none() && !value.is_null() {
        let problem = format_args!("{} where a whole number was expected", kind_of(Some(&value)));
        return Err(serde::de::Error::custom(problem));
    }
    Ok(read)
}

/// The same where there must be one.
fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    number(deserializer)?.ok_or_else(|| de::Error::custom("null where a whole number was expected"))
}

/// The same of a field beside: one that is odd does not cost the event its place in the order.
fn number_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(as_number(&Value::deserialize(deserializer)?))
}

/// Text, or what stands in its place as JSON.
fn text_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    })
}

/// The same where nothing is no text.
fn text_or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    text_or_none(deserializer).map(Option::unwrap_or_default)
}

/// A list of changes, or one by itself; whatever stands in the place of one is kept.
fn changes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Change>, D::Error> {
    let list = match Value::deserialize(deserializer)? {
        Value::Null => Vec::new(),
        Value::Array(list) => list,
        one => vec![one],
    };
    let change = |value: Value| match value.is_object() {
        true => Change::deserialize(value).map_err(de::Error::custom),
        false => Ok(Change { object: String::new(), new_value: value, more: Map::new() }),
    };
    list.into_iter().map(change).collect()
}

fn as_number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn text(envelope: &Map<String, Value>, field: &'static str) -> Result<String, EventError> {
    match envelope.get(field) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        other => Err(EventError::Field { field, got: kind_of(other), expected: "text that is not empty" }),
    }
}

fn kind_of(value: Option<&Value>) -> &'static str {
    match value {
        None => "missing",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "a boolean",
        Some(Value::Number(_)) => "a number",
        Some(Value::String(text)) if text.is_empty() => "empty",
        Some(Value::String(_)) => "text",
        Some(Value::Array(_)) => "a list",
        Some(Value::Object(_)) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(kind: &str, data: &Value) -> Event {
        let body = json!({
            "id": "7f3e", "specversion": "1.0", "source": "urn:cint", "type": kind,
            "time": "2026-01-23T10:04:44.209Z", "x-new": [1], "data": data,
        });
        Event::parse(body.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn an_envelope_is_kept_whole() {
        let body = br#" {"id":"a","type":"com.cint.new","data":1.00000000000000000000001,"time":"?"} "#;
        let event = Event::parse(body).unwrap();
        assert_eq!(event.body().as_ref(), body);
        assert_eq!((event.id(), event.kind(), event.time()), ("a", "com.cint.new", None));
        assert!(matches!(event.data(), EventData::Unknown(Value::Number(_))));

        let event = self::event("com.cint.session.updated", &json!({"response_session_id": "s", "sequence_number": 1}));
        assert_eq!(event.time().unwrap().to_string(), "2026-01-23T10:04:44.209Z");
        assert_eq!(event.attribute("x-new"), Some(&json!([1])));
    }

    #[test]
    fn an_entry_of_a_history_is_an_event_with_an_envelope_or_without() {
        let data = json!({"response_session_id": "s", "sequence_number": 2, "target_group_id": "g"});
        let entry = |payload: Value| -> WebhookDelivery {
            let created_at = "2026-01-23 10:04:44.562205+00:00".parse::<Timestamp>().unwrap();
            serde_json::from_value(json!({
                "id": "01JPVZD75DW4KRP7MPFMF6KGZX", "event": "session-updated", "status": "delivered",
                "created_at": created_at, "payload": payload,
            }))
            .unwrap()
        };
        let bare = Event::from_delivery(&entry(data.clone())).unwrap();
        assert_eq!((bare.id(), bare.kind()), ("01JPVZD75DW4KRP7MPFMF6KGZX", "com.cint.session.updated"));
        assert_eq!(bare.time().unwrap().to_string(), "2026-01-23T10:04:44.562205Z");
        let enveloped = entry(json!({"id": "e", "type": "com.cint.session.updated", "data": data}));
        let enveloped = Event::from_delivery(&enveloped).unwrap();
        assert_eq!((enveloped.id(), enveloped.data()), ("e", bare.data()));
        // The published sample: a changelog entry has an id of its own.
        let mut changed = entry(json!({"id": "38e9ce47-b292-4250-b1d3-17e31440e2d4", "target_group_id": "g"}));
        changed.event = Some(WebhookEventType::TargetGroupUpdated);
        let EventData::TargetGroupUpdated(update) = Event::from_delivery(&changed).unwrap().data().clone() else {
            panic!("{changed:?}")
        };
        assert_eq!(update.id.as_deref(), Some("38e9ce47-b292-4250-b1d3-17e31440e2d4"));
        (changed.event, changed.payload) = (None, enveloped.attribute("x").and_then(Value::as_object).cloned());
        let error = Event::from_delivery(&changed).unwrap_err();
        assert_eq!(error.to_string(), "payload is missing, expected what the entry is about");
    }

    /// What costs a session's event its place in the order must be the order's own fields alone.
    #[test]
    fn an_odd_field_beside_costs_that_field_alone() {
        let data = json!({
            "response_session_id": "s", "sequence_number": "5", "account_id": [], "survey_id": 1.5, "mid": 603987075,
            "panelist_id": true, "supplier_name": {"first": 1}, "changes": null, "respondent_id": "",
        });
        let event = event("com.cint.session.updated", &data);
        let EventData::SessionUpdated(update) = event.data() else { panic!("{:?}", event.data()) };
        assert_eq!((update.sequence_number, update.mid.as_deref()), (5, Some("603987075")));
        assert_eq!((update.account_id, update.survey_id, update.respondent_id), (None, None, None));
        assert_eq!(update.panelist_id.as_deref(), Some("true"));
        assert_eq!(update.supplier_name.as_deref(), Some(r#"{"first":1}"#));
        assert!(update.changes.is_empty());
        for (changes, expected) in [
            (json!([{"object": null, "new_value": 1}]), json!([{"object": "", "new_value": 1}])),
            (json!([{"object": 7, "old": 2}]), json!([{"object": "7", "new_value": null, "old": 2}])),
            (json!([{"object": {"a": 1}}]), json!([{"object": r#"{"a":1}"#, "new_value": null}])),
            (json!(["x", null]), json!([{"object": "", "new_value": "x"}, {"object": "", "new_value": null}])),
            (json!({"object": "is_live_change"}), json!([{"object": "is_live_change", "new_value": null}])),
            (json!("x"), json!([{"object": "", "new_value": "x"}])),
        ] {
            for (kind, data) in [
                ("com.cint.session.updated", json!({"response_session_id": "s", "sequence_number": 5})),
                ("com.cint.target-group.updated", json!({"target_group_id": "g"})),
            ] {
                let mut data = data;
                data["changes"] = changes.clone();
                let event = self::event(kind, &data);
                let kept = match event.data() {
                    EventData::SessionUpdated(update) => &update.changes,
                    EventData::TargetGroupUpdated(update) => &update.changes,
                    other => panic!("{other:?}"),
                };
                assert_eq!(serde_json::to_value(kept).unwrap(), expected, "{changes}");
            }
        }
        for data in [
            json!({"response_session_id": "s"}),
            json!({"response_session_id": "s", "sequence_number": 1.5}),
            json!({"response_session_id": null, "sequence_number": 1}),
        ] {
            let event = self::event("com.cint.session.updated", &data);
            assert!(matches!(event.data(), EventData::Unreadable { .. }), "{:?}", event.data());
        }
        let fill = json!({"target_group_id": "g", "profile_quota_id": 7, "completes": "12", "account_id": {}});
        let event = self::event("com.cint.quota.fill.registered", &fill);
        let EventData::QuotaFillRegistered(fill) = event.data() else { panic!("{:?}", event.data()) };
        assert_eq!((fill.profile_quota_id.as_deref(), fill.completes, fill.screens), (Some("7"), Some(12), None));
        let changed = json!({"target_group_id": "g", "id": 1, "occurred_at": 2, "changes": [{"new_value": 3}]});
        let event = self::event("com.cint.target-group.updated", &changed);
        let EventData::TargetGroupUpdated(group) = event.data() else { panic!("{:?}", event.data()) };
        assert_eq!((group.changes[0].object.as_str(), &group.changes[0].new_value), ("", &json!(3)));
    }

    #[test]
    fn an_event_without_data_can_be_acknowledged() {
        let event = Event::parse(br#"{"id":"a","type":"com.cint.ping","data_base64":"AA=="}"#).unwrap();
        assert_eq!(
            (event.data(), event.attribute("data_base64")),
            (&EventData::Unknown(Value::Null), Some(&json!("AA==")))
        );
        let event = Event::parse(br#"{"id":"a","type":"com.cint.session.updated"}"#).unwrap();
        assert!(matches!(event.data(), EventData::Unreadable { data: Value::Null, .. }), "{event:?}");
    }

    #[test]
    fn what_is_no_event_is_refused_by_field() {
        for (body, field) in [
            ("[]", "body"),
            (r#"{"type":"a","data":1}"#, "id"),
            (r#"{"id":"","type":"a","data":1}"#, "id"),
            (r#"{"id":"a","type":1,"data":1}"#, "type"),
            (r#"[{"id":"a","type":"b","data":{}}]"#, "body"),
        ] {
            let error = Event::parse(body.as_bytes()).unwrap_err();
            assert!(matches!(error, EventError::Field { field: it, .. } if it == field), "{body}: {error}");
        }
        for body in ["", "{", "\u{feff}{}", &"[".repeat(100_000)] {
            assert!(matches!(Event::parse(body.as_bytes()), Err(EventError::Json { .. })));
        }
    }

    #[test]
    fn sessions_are_typed() {
        let event = event(
            "com.cint.session.updated",
            &json!({
                "account_id": 2428, "response_session_id": "0c5d7c8e-5a0e-4c39-9d3f-1f6b8f1f0001",
                "sequence_number": 5, "survey_id": "17", "is_new": true,
                "changes": [
                    {"object": "client-status-code-change", "new_value": 1},
                    {"object": "client_status_code_change", "new_value": 10, "old_value": 1},
                    {"object": "exchange-status-code-change", "new_value": "3"},
                    {"object": "client-query-string-chang", "new_value": null},
                    {"object": "of the future", "new_value": {"a": [1.5]}},
                ],
            }),
        );
        let EventData::SessionUpdated(session) = event.data() else { panic!("{event:?}") };
        assert_eq!((session.sequence_number, session.survey_id), (5, Some(17)));
        assert_eq!((session.client_code(), session.marketplace_code()), (Some(10), Some(3)));
        assert_eq!(session.more.get("is_new"), Some(&json!(true)));
        assert_eq!(session.changes[1].more.get("old_value"), Some(&json!(1)));
        assert!(session.changes[3].is("client_query_string_change"));
        assert_eq!(session.changes[4].new_value, json!({"a": [1.5]}));
    }

    #[test]
    fn target_groups_are_typed_in_either_form() {
        for user in [json!({"type": "las_user"}), json!([{"type": "las_user"}])] {
            for account in [json!(1), json!("1")] {
                let changes = json!([{"object": "cpi_change", "new_value": {"value": 10, "currency_code": "USD"}}]);
                let data = json!({"target_group_id": "01K", "account_id": account, "user": user, "changes": changes});
                let event = event("com.cint.target-group.updated", &data);
                let EventData::TargetGroupUpdated(group) = event.data() else { panic!("{event:?}") };
                assert_eq!((group.account_id, &group.user), (Some(1), &user));
                assert_eq!(group.changes[0].new_value["value"], json!(10));
            }
        }
    }

    /// What tells less than both counts says nothing about which are the newest.
    #[test]
    fn counts_have_an_order_if_both_are_told() {
        for (completes, screens, is_ordered) in [
            (json!(7), json!(20), true),
            (json!("0"), json!(0), true),
            (json!(7), Value::Null, false),
            (Value::Null, json!(20), false),
            (json!(-1), json!(20), false),
            (json!(7), json!(-1), false),
        ] {
            let data = json!({"target_group_id": "g", "completes": completes, "screens": screens});
            let event = event("com.cint.quota.fill.registered", &data);
            assert_eq!(event.count_order().is_some(), is_ordered, "{data}");
        }
    }

    #[test]
    fn quota_fills_are_typed() {
        let data = json!({"account_id": 1, "target_group_id": "01J", "screens": 113, "completes": 73});
        let event = event("com.cint.quota.fill.registered", &data);
        let EventData::QuotaFillRegistered(fill) = event.data() else { panic!("{event:?}") };
        assert_eq!((fill.screens, fill.completes, &fill.profile_quota_id), (Some(113), Some(73), &None));
    }

    #[test]
    fn a_known_event_of_another_form_is_kept_and_can_be_acknowledged() {
        let data = json!({"target_group_id": "01J", "screens": "many"});
        let event = event("com.cint.quota.fill.registered", &data);
        let EventData::Unreadable { data: kept, problem } = event.data() else { panic!("{event:?}") };
        assert_eq!(kept, &data);
        assert!(problem.contains("text where a whole number was expected"), "{problem}");
        assert_eq!(event.acknowledgement().body(), r#"{"event_id":"7f3e"}"#);
    }

    #[test]
    fn the_acknowledgement_is_json_that_names_the_event() {
        let event = Event::parse(br#"{"id":"a\"b","type":"c","data":null}"#).unwrap();
        let response = event.acknowledgement().response();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(serde_json::from_slice::<Value>(response.body()).unwrap(), json!({"event_id": "a\"b"}));
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_what_is_read_is_kept(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            kind in "com.cint.(session.updated|target-group.updated|quota.fill.registered|other)",
            field in "(target_group_id|sequence_number|response_session_id|changes|account_id)",
            value in "(1|\"a\"|null|\\[\\]|\\[1\\]|\\{\\}|-1e400|99999999999999999999|[\\[\\]{}\",:a0]{0,9})",
        ) {
            let _ = Event::parse(&bytes);
            let body = format!(r#"{{"id":"a","type":"{kind}","data":{{"{field}":{value}}}}}"#);
            if let Ok(event) = Event::parse(body.as_bytes()) {
                prop_assert_eq!(event.body().as_ref(), body.as_bytes());
                prop_assert_eq!(event.acknowledgement().body(), r#"{"event_id":"a"}"#);
                let kept = serde_json::to_string(&event).unwrap();
                prop_assert_eq!(&serde_json::from_str::<Event>(&kept).unwrap(), &event);
                let data = serde_json::to_string(event.data()).unwrap();
                prop_assert_eq!(&serde_json::from_str::<EventData>(&data).unwrap(), event.data());
            }
        }
    }
}
