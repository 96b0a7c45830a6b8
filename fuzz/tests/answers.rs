//! Answers of the API and of the token endpoint, and requests to the sandbox. Base and judge is the sandbox, in memory:
//! a transport damages what it answers, value by value or as a whole, and reads must end with a value or an error.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use bolero::{TypeGenerator, check};
use bytes::Bytes;
use cintx::audience::{Audience, Question};
use cintx::client::{Credentials, RetryPolicy};
use cintx::http::{ByteStream, TransportError};
use cintx::supply::Supply;
use cintx::types::LengthOfInterview;
use cintx::{Client, Error, ErrorKind, Money, Outcome, ProjectId, TargetGroupId, V2025_12_18};
use cintx_sandbox::Sandbox;
use http::{Method, Request, Response, StatusCode};
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// Each edit may multiply what is there, lists of lists too: more of them can fill the memory.
const MAX_EDITS: usize = 8;

/// What takes the place of a value.
#[derive(Clone, Debug, TypeGenerator)]
enum Odd {
    Null,
    Removed,
    True,
    Zero,
    Minus,
    Fraction,
    Huge,
    Text(String),
    NumberAsText(i64),
    Digits(u128),
    EmptyList,
    List(u8),
    EmptyObject,
    Wrapped,
    Midnight,
    YearNine,
}

impl Odd {
    fn value(&self, old: &Value) -> Option<Value> {
        Some(match self {
            Self::Null => Value::Null,
            Self::Removed => return None,
            Self::True => json!(true),
            Self::Zero => json!(0),
            Self::Minus => json!(-1),
            Self::Fraction => json!(3.5),
            Self::Huge => json!(1e308),
            Self::Text(text) => json!(text),
            Self::NumberAsText(number) => json!(number.to_string()),
            Self::Digits(number) => json!(number.to_string()),
            Self::EmptyList => json!([]),
            Self::List(times) => Value::Array(vec![old.clone(); usize::from(*times % 4)]),
            Self::EmptyObject => json!({}),
            Self::Wrapped => json!({ "value": old }),
            Self::Midnight => json!("2026-11-29T24:00:00"),
            Self::YearNine => json!("9999-12-31T23:59:59.9999999999-12:00"),
        })
    }
}

/// Puts an odd value in the place of the one at this place, counted from the first on and around.
fn damage(value: &mut Value, place: u16, odd: &Odd) {
    let mut pointers = Vec::new();
    collect_pointers(value, "", &mut pointers);
    let Some(pointer) = pointers.get(usize::from(place) % pointers.len().max(1)) else { return };
    let Some((parent, key)) = pointer.rsplit_once('/') else { return };
    let Some(Value::Object(parent)) = value.pointer_mut(parent) else { return };
    let key = key.replace("~1", "/").replace("~0", "~");
    match odd.value(&parent[&key]) {
        Some(odd) => drop(parent.insert(key, odd)),
        None => drop(parent.remove(&key)),
    }
}

/// Where the values of objects are, at any depth.
fn collect_pointers(value: &Value, at: &str, pointers: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let pointer = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                collect_pointers(value, &pointer, pointers);
                pointers.push(pointer);
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                collect_pointers(item, &format!("{at}/{number}"), pointers);
            }
        }
        _ => {}
    }
}

/// What happens to the answers of a call.
#[derive(Clone, Debug, Default)]
enum Damage {
    #[default]
    None,
    Values(Vec<(u16, Odd)>),
    Whole(u16, Vec<u8>),
}

impl Damage {
    fn applied(&self, answer: Response<Bytes>) -> Response<Bytes> {
        let (mut head, mut body) = answer.into_parts();
        match self {
            Self::None => {}
            Self::Values(edits) => {
                if let Ok(mut json) = serde_json::from_slice::<Value>(&body) {
                    for (place, odd) in edits.iter().take(MAX_EDITS) {
                        damage(&mut json, *place, odd);
                    }
                    body = json.to_string().into();
                }
            }
            Self::Whole(status, bytes) => {
                head.status = StatusCode::from_u16(*status).unwrap_or(head.status);
                body = bytes.clone().into();
            }
        }
        Response::from_parts(head, body)
    }
}

/// A sandbox with a target group in field, and a client whose answers are damaged.
struct World {
    runtime: Runtime,
    damage: Arc<Mutex<Damage>>,
    sandbox: Arc<Sandbox>,
    client: Client<V2025_12_18>,
    project: ProjectId,
    group: TargetGroupId,
}

impl World {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let damage = Arc::new(Mutex::new(Damage::None));
        let sandbox = Arc::new(runtime.block_on(Sandbox::builder().seed(7).start()).unwrap());
        let client = client(&sandbox, &damage, false);
        let (project, group) = runtime.block_on(in_field(&client, &sandbox)).unwrap();
        Self { runtime, damage, sandbox, client, project, group }
    }

    /// Makes one of the calls that read. What it reads is not looked at: that it ends is what counts.
    async fn read(&self, which: u8) -> Result<(), Error> {
        let (client, project) = (&self.client, self.client.project(self.project.clone()));
        let group = project.target_group(self.group.clone());
        match which % 20 {
            0 => client.projects().list().stream().collect().await.map(drop),
            1 => project.get().await.map(drop),
            2 => project.overview().await.map(drop),
            3 => project.target_groups().list().stream().collect().await.map(drop),
            4 => group.details().await.map(drop),
            5 => group.overview().await.map(drop),
            6 => group.performance().await.map(drop),
            7 => group.completes_by_interval(None).await.map(drop),
            8 => group.quotas().read().await.map(drop),
            9 => group.fielding_run().await.map(drop),
            10 => group.supply().await.map(drop),
            11 => group.assistant().await.map(drop),
            12 => group.changelog().stream().collect().await.map(drop),
            13 => client.webhooks().list().stream().collect().await.map(drop),
            14 => client.reconciliations().list().stream().collect().await.map(drop),
            15 => client.questions("eng_gb").stream().collect().await.map(drop),
            16 => group.exclusions().overview().await.map(drop),
            17 => group.rate_cards().await.map(drop),
            18 => group.transitions().await.map(drop),
            _ => {
                client.reference_data().clear_cache();
                client.reference_data().locales().await?;
                client.reference_data().suppliers().await.map(drop)
            }
        }
    }

    fn check(&self, which: u8, damage: Damage) {
        *self.damage.lock().unwrap() = damage;
        let ended = self.runtime.block_on(self.read(which));
        *self.damage.lock().unwrap() = Damage::None;
        if let Err(error) = ended {
            let said = format!("{error:#}");
            assert!(said.chars().count() <= 2_000, "{said}");
        }
    }
}

/// A client whose reads, and requests for tokens if `tokens` says so, get damaged answers.
fn client(sandbox: &Arc<Sandbox>, damage: &Arc<Mutex<Damage>>, tokens: bool) -> Client<V2025_12_18> {
    let (exchange, damage) = (Arc::clone(sandbox), Arc::clone(damage));
    let transport = move |request: Request<Bytes>| {
        let is_damaged =
            if request.uri().path().ends_with("/token") { tokens } else { request.method() == Method::GET };
        let answer = exchange.answer(request);
        let answer = if is_damaged { damage.lock().unwrap().applied(answer) } else { answer };
        async move { Ok::<_, TransportError>(answer.map(ByteStream::from)) }
    };
    Client::builder()
        .credentials(Credentials::new(sandbox.client_id(), sandbox.client_secret()).endpoint(sandbox.token_url()))
        .account(i64::from(sandbox.account_id()))
        .transport(transport)
        .retry(RetryPolicy::none())
        .without_pacer()
        .build()
        .unwrap()
}

/// A target group in field.
async fn in_field(client: &Client<V2025_12_18>, sandbox: &Sandbox) -> Result<(ProjectId, TargetGroupId), Error> {
    let manager = sandbox.project_manager_id().parse().unwrap();
    let project = client.projects().create("MyDrinksSurveyQ1", manager).await?;
    let age = Question::range(42).band(18..=34, 40).band(35..=54, 35).band(55..=99, 25);
    let gender = Question::choice(43).option("1", 49).option("2", 51);
    let start = Timestamp::now() + 2.hours();
    let group = client
        .project(&project)
        .draft_target_group("UK drinks")
        .business_unit(sandbox.business_unit_id())
        .manager(manager)
        .locale("eng_gb")
        .completes_goal(500)
        .length_of_interview(LengthOfInterview::minutes(10))
        .incidence_rate("0.50")
        .fielding_period(start..start + 240.hours())
        .cost_per_interview(Money::new("2.73", "USD").unwrap())
        .live_url("https://survey.example/?RID=[%RID%]")
        .supply(Supply::test_supplier_only())
        .audience(Audience::interlock([age, gender]))
        .create()
        .await?;
    group.launch(start + 240.hours()).await?.until_live().await?;
    Ok((project.id().clone(), group.id().clone()))
}

/// Reads whose answers hold a few odd values.
#[test]
fn odd_values() {
    let world = AssertUnwindSafe(World::new());
    check!().with_type::<(u8, Vec<(u16, Odd)>)>().for_each(|(which, edits)| {
        world.check(*which, Damage::Values(edits.clone()));
    });
}

/// Reads that are answered with anything.
#[test]
fn odd_answers() {
    let world = AssertUnwindSafe(World::new());
    check!().with_type::<(u8, u16, Vec<u8>)>().for_each(|(which, status, body)| {
        world.check(*which, Damage::Whole(*status, body.clone()));
    });
}

/// Whatever the token endpoint answers, a call has a token or ends with an error that does not hold the secret.
#[test]
fn odd_tokens() {
    let world = AssertUnwindSafe(World::new());
    check!().with_type::<(bool, u16, Vec<u8>, Vec<(u16, Odd)>)>().for_each(|(whole, status, body, edits)| {
        let damage = if *whole { Damage::Whole(*status, body.clone()) } else { Damage::Values(edits.clone()) };
        let client = client(&world.sandbox, &Arc::new(Mutex::new(damage)), true);
        let Err(error) = world.runtime.block_on(client.reference_data().locales()) else { return };
        let said = format!("{error:#} {error:?}");
        assert!(!said.contains(&world.sandbox.client_secret()), "{said}");
        let harmless = matches!(error.outcome(), Outcome::NotSent | Outcome::NoEffect);
        assert!(error.kind() != ErrorKind::Credential || harmless, "{said}");
    });
}

/// The sandbox answers anything that it is sent, and never fails itself.
#[test]
fn requests_to_the_sandbox() {
    let world = AssertUnwindSafe(World::new());
    let document: Value = serde_json::from_str(cintx_openapi::documents()[2].json).unwrap();
    let paths: Vec<String> = document["paths"].as_object().unwrap().keys().cloned().collect();
    check!().with_type::<(u16, u8, String, Vec<u8>)>().for_each(|(path, method, part, body)| {
        let path = &paths[usize::from(*path) % paths.len()];
        let part: String = part.chars().filter(char::is_ascii_graphic).filter(|c| !"/?#".contains(*c)).collect();
        let known = path
            .replace("{account_id}", &world.sandbox.account_id().to_string())
            .replace("{project_id}", world.project.as_str())
            .replace("{target_group_id}", world.group.as_str());
        let open = known.find('{').map_or(known.clone(), |at| format!("{}{part}", &known[..at]));
        let method =
            [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH][usize::from(method % 5)].clone();
        let request =
            Request::builder().method(method).uri(format!("/v1{open}")).header("content-type", "application/json");
        let Ok(request) = request.body(Bytes::from(body.clone())) else { return };
        let answer = world.sandbox.answer(request);
        assert!(!answer.status().is_server_error(), "{answer:?}");
    });
}
