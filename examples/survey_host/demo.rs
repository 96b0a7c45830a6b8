//! The story of `--demo`: the sandbox sends respondents, an HTTP client plays their browsers.
//! The host is called over HTTP, as by a proxy that serves `https://survey.example`.

use std::error::Error;
use std::time::Duration;

use cintx::audience::{Audience, Question};
use cintx::client::Credentials;
use cintx::respondent::ServerToServer;
use cintx::respondent::redirect::{EntryLinks, ExitLinks};
use cintx::supply::Supply;
use cintx::types::LengthOfInterview;
use cintx::{Client, Money, V2025_12_18};
use cintx_sandbox::{Fault, Sandbox};
use jiff::{Timestamp, ToSpan as _};
use tokio::net::TcpListener;

use super::{Host, router};

const PUBLIC_URL: &str = "https://survey.example";

pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::builder().seed(7).job_delay(Duration::ZERO).field_pace(Duration::ZERO).start().await?;
    let group = launch(&sandbox).await?;
    let host = Host {
        public_url: PUBLIC_URL.to_owned(),
        s2s: ServerToServer::builder().key(sandbox.s2s_key()).url(sandbox.s2s_url()).build()?,
        entry_links: EntryLinks::new("the key for links out of Cint")?,
        exit_links: ExitLinks::new("the key for links into Cint")?,
        interviews: std::sync::Mutex::default(),
        unanswered: std::sync::Mutex::default(),
        hashed: std::sync::Mutex::default(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let browser = Browser::new(format!("http://{}", listener.local_addr()?))?;
    let server = tokio::spawn(async move { axum::serve(listener, router(host)).await });
    if std::env::args().any(|argument| argument == "--stay") {
        // To look at the page: enter by this link.
        let rid = sandbox.enter_respondent(&group).ok_or("nobody comes")?;
        println!("{}/s2s?RID={rid}", browser.base);
        tokio::time::sleep(Duration::from_secs(600)).await;
    }

    println!("server to server:");
    for (answers, note) in [
        ("age=34&drink=tea&colour=green", "complete"),
        ("age=16&drink=tea&colour=green", "terminate"),
        ("age=34&drink=tea&colour=red", "security terminate"),
    ] {
        let rid = sandbox.enter_respondent(&group).ok_or("nobody comes")?;
        println!("  enters:            {}", browser.get(&format!("/s2s?RID={rid}")).await?);
        println!("  {note:18} {}", browser.post("/s2s/answers", &rid, answers).await?);
        println!("  sends again:       {}", browser.post("/s2s/answers", &rid, answers).await?);
        println!("  enters again:      {}", browser.get(&format!("/s2s?RID={rid}")).await?);
    }
    let stranger = "00000000-0000-4000-8000-000000000000";
    println!("  a stranger:        {}", browser.get(&format!("/s2s?RID={stranger}")).await?);

    let rid = sandbox.enter_respondent(&group).ok_or("nobody comes")?;
    browser.get(&format!("/s2s?RID={rid}")).await?;
    sandbox.inject(Fault::on("update_respondent_status").drop_after_applying().times(1));
    let answers = "age=50&drink=juice&colour=green";
    println!("  answer lost:       {}", browser.post("/s2s/answers", &rid, answers).await?);
    println!("  sends again:       {}", browser.post("/s2s/answers", &rid, answers).await?);
    let is_transition =
        |status| sandbox.requests().iter().filter(|it| it.path.ends_with("/transition") && it.status == status).count();
    println!("  transitions:       {}, and {} refused", is_transition(200), is_transition(422));

    // It never arrived, and the respondent begins anew by the link: the first answers count.
    let late = sandbox.enter_respondent(&group).ok_or("nobody comes")?;
    browser.get(&format!("/s2s?RID={late}")).await?;
    sandbox.inject(Fault::on("update_respondent_status").drop_before_applying().times(1));
    println!("  not sent:          {}", browser.post("/s2s/answers", &late, answers).await?);
    println!("  enters again:      {}", browser.get(&format!("/s2s?RID={late}")).await?);

    println!("by hashed links:");
    let cint = ExitLinks::new("the key for links out of Cint")?;
    let link = cint.sign(&format!("{PUBLIC_URL}/hashed?RID={rid}"))?;
    let link = link.strip_prefix(PUBLIC_URL).ok_or("another address")?;
    println!("  enters:            {}", browser.get(link).await?);
    println!("  complete           {}", browser.post("/hashed/answers", &rid, answers).await?);
    println!("  sends other ones:  {}", browser.post("/hashed/answers", &rid, "age=5&drink=tea&colour=red").await?);
    println!("  a forged link:     {}", browser.get(&link.replace(&rid, stranger)).await?);
    println!("  never entered:     {}", browser.post("/hashed/answers", stranger, answers).await?);
    server.abort();
    sandbox.stop().await;
    Ok(())
}

/// A browser that shows where it is sent and does not go there.
struct Browser {
    http: reqwest::Client,
    base: String,
}

impl Browser {
    fn new(base: String) -> Result<Self, Box<dyn Error>> {
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { http, base })
    }

    async fn get(&self, target: &str) -> Result<String, Box<dyn Error>> {
        shown(self.http.get(format!("{}{target}", self.base)).send().await?).await
    }

    async fn post(&self, path: &str, rid: &str, answers: &str) -> Result<String, Box<dyn Error>> {
        let request = self.http.post(format!("{}{path}", self.base)).body(format!("rid={rid}&{answers}"));
        shown(request.header("content-type", "application/x-www-form-urlencoded").send().await?).await
    }
}

async fn shown(answer: reqwest::Response) -> Result<String, Box<dyn Error>> {
    let status = answer.status().as_u16();
    if let Some(to) = answer.headers().get("location") {
        return Ok(format!("{status} to {}", to.to_str()?));
    }
    let page = answer.text().await?;
    let is_survey = page.matches("<legend>").count() == 3;
    Ok(match status {
        200 if is_survey => "200 three questions".to_owned(),
        503 => "503 one moment, no redirect".to_owned(),
        _ => format!("{status} {page}"),
    })
}

/// A target group in field, whose respondents are sent to the host.
async fn launch(sandbox: &Sandbox) -> Result<String, Box<dyn Error>> {
    let cint = Client::<V2025_12_18>::builder()
        .credentials(Credentials::new(sandbox.client_id(), sandbox.client_secret()).endpoint(sandbox.token_url()))
        .account(i64::from(sandbox.account_id()))
        .api_url(sandbox.api_url())
        .build()?;
    let manager = sandbox.project_manager_id().parse()?;
    let project = cint.projects().create("Drinks", manager).await?;
    let start = Timestamp::now() + 2.hours();
    let group = cint
        .project(&project)
        .draft_target_group("UK drinks")
        .business_unit(sandbox.business_unit_id())
        .manager(manager)
        .locale("eng_gb")
        .completes_goal(120)
        .length_of_interview(LengthOfInterview::minutes(3))
        .incidence_rate("0.50")
        .fielding_period(start..start + 240.hours())
        .cost_per_interview(Money::new("2.73", "USD")?)
        .live_url(format!("{PUBLIC_URL}/s2s?RID=[%RID%]"))
        .supply(Supply::test_supplier_only())
        .audience(Audience::independent([Question::choice(43).option("1", 50).option("2", 50)]))
        .create()
        .await?;
    group.launch(start + 240.hours()).await?.until_live().await?;
    Ok(group.id().to_string())
}
