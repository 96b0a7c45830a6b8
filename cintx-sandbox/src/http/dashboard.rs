//! The page at `/`: what people want to see of a sandbox, made here as plain
//! HTML, without scripts from elsewhere, so that it works offline.

use crate::api::engine::Engine;
use crate::http::log::Received;
use crate::sim::clock::text;
use crate::state::World;
use crate::state::ledger::Tally;
use crate::state::session::{Session, Standing};
use crate::state::target_group::TargetGroup;
use std::fmt::Write;

/// So many of each are shown.
const PROJECTS: usize = 20;
const GROUPS: usize = 50;
const SESSIONS: usize = 14;
const REQUESTS: usize = 40;

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5f6b7e;--line:#e3e7ee;--back:#f4f6fa;--card:#fff;--good:#16794f;
--bad:#b3261e;--warn:#96610c;--bar:#3b6fd4;--good-back:#e3f4ec;--bad-back:#fdecea;--warn-back:#fdf3e0;--bar-back:#e8effc}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#98a2b3;--line:#2c3440;--back:#11161d;--card:#1a212b;
--good:#4cc38a;--bad:#ff7b72;--warn:#e0b25a;--bar:#6ea0ff;--good-back:#14352a;--bad-back:#3d1f1f;--warn-back:#3a2f16;
--bar-back:#1b2c4d}}
*{box-sizing:border-box}body{margin:0;font:14px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back)}
header,main{max-width:1500px;margin:0 auto;padding:0 24px}
header{padding-top:20px;display:flex;gap:10px 24px;align-items:baseline;flex-wrap:wrap}
h1{font-size:20px;margin:0}h2{font-size:15px;margin:22px 0 10px}h3{font-size:15px;margin:0}
.soft{color:var(--soft)}code{font:12px ui-monospace,monospace}h2 .soft{font-weight:400;font-size:13px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:12px;margin:16px 0 0}
.tile,.card{background:var(--card);border:1px solid var(--line);border-radius:10px}
.tile{padding:10px 14px}.tile b{display:block;font-size:22px;line-height:1.3;font-variant-numeric:tabular-nums}
.tile span{color:var(--soft);font-size:12px}.tile.alarm b{color:var(--bad)}
.two{display:grid;grid-template-columns:minmax(0,11fr) minmax(0,9fr);gap:0 24px;padding-bottom:40px}
@media(max-width:1000px){.two{grid-template-columns:minmax(0,1fr)}}
.card{padding:14px 16px;margin:0 0 12px}.row{display:flex;gap:4px 12px;align-items:baseline;flex-wrap:wrap}
.group{border-top:1px solid var(--line);margin-top:12px;padding-top:12px}
.tag{border-radius:10px;padding:1px 9px;font-size:12px;font-weight:600;white-space:nowrap;background:var(--back)}
.live,.complete,.ok{color:var(--good)}.tag.live,.tag.complete,.tag.ok{background:var(--good-back)}
.paused,.overquota{color:var(--warn)}.tag.paused,.tag.overquota{background:var(--warn-back)}
.draft,.scheduled,.left,.terminate{color:var(--soft)}
.completed,.inside{color:var(--bar)}.tag.completed,.tag.inside{background:var(--bar-back)}
.no,.security{color:var(--bad)}.tag.no,.tag.security{background:var(--bad-back)}
table{width:100%;border-collapse:collapse}td,th{text-align:left;padding:4px 10px 4px 0;vertical-align:middle;
border-bottom:1px solid var(--line)}tr:last-child td{border-bottom:0}td:last-child,th:last-child{padding-right:0}
th{font-weight:600;color:var(--soft);font-size:12px}.num{text-align:right;font-variant-numeric:tabular-nums;
white-space:nowrap}.wide{width:34%}.cut{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
summary{cursor:pointer;color:var(--soft);margin-top:6px}
.bar{height:8px;min-width:90px;background:var(--line);border-radius:4px;overflow:hidden}
.bar i{display:block;height:100%;background:var(--bar)}.bar i.full{background:var(--good)}
.request{padding:7px 0;border-bottom:1px solid var(--line)}.request:last-child{border-bottom:0}
.request .row{flex-wrap:nowrap}.request .grow{flex:1;min-width:0}.why{color:var(--bad);margin:2px 0 2px}
.why div{font-size:12px}.hint{padding:22px 16px;color:var(--soft)}
";

/// Makes the page.
pub(crate) fn make(engine: &Engine) -> String {
    let mut page = String::with_capacity(64 << 10);
    // Writing to a string does not fail.
    let _ = write(engine, &mut page);
    page
}

/// Text as HTML shows it.
struct Plain<'t>(&'t str);

impl std::fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for c in self.0.chars() {
            match c {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

fn write(engine: &Engine, page: &mut String) -> std::fmt::Result {
    let (requests, total, refused) = {
        let log = engine.log();
        (log.latest(REQUESTS), log.total(), log.refused())
    };
    let faults = engine.faults().facts().as_array().map_or(0, Vec::len);
    let world = engine.world();
    write!(
        page,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"5\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>cintx sandbox</title>\
         <style>{STYLE}</style></head><body>"
    )?;
    write!(
        page,
        "<header><h1>cintx sandbox</h1><span>{} · account {}</span><span class=\"soft\">{} UTC</span></header><main>",
        Plain(world.account.name),
        world.account.id,
        text(world.now()).get(..19).unwrap_or_default().replace('T', " "),
    )?;
    tiles(&world, total, refused, faults, page)?;
    page.write_str("<div class=\"two\"><div>")?;
    projects(&world, page)?;
    sessions(&world, page)?;
    let account = format!("/v1/demand/accounts/{}/", world.account.id);
    drop(world);
    page.write_str("</div><div>")?;
    log(&requests, &account, page)?;
    page.write_str("</div></div></main></body></html>")
}

/// The numbers that are looked at first.
fn tiles(world: &World, requests: u64, refused: u64, faults: usize, page: &mut String) -> std::fmt::Result {
    let live = world.groups.values().filter(|group| group.is_live()).count() as u64;
    let completes = world.groups.values().map(|group| group.ledger.total.completes).sum();
    let tiles = [
        ("projects", world.projects.len() as u64, false),
        ("target groups", world.groups.len() as u64, false),
        ("live now", live, false),
        ("respondents", world.sessions.len() as u64, false),
        ("completes", completes, false),
        ("requests", requests, false),
        ("refused", refused, refused > 0),
        ("faults in force", faults as u64, faults > 0),
    ];
    page.write_str("<div class=\"tiles\">")?;
    for (name, number, alarm) in tiles {
        let class = if alarm { "tile alarm" } else { "tile" };
        write!(page, "<div class=\"{class}\"><b>{number}</b><span>{name}</span></div>")?;
    }
    page.write_str("</div>")
}

fn projects(world: &World, page: &mut String) -> std::fmt::Result {
    page.write_str("<h2>Projects</h2>")?;
    if world.projects.is_empty() {
        page.write_str("<p class=\"card hint\">No project yet. Create one through the API, and it shows up here.</p>")?;
    }
    let mut left = GROUPS;
    for project in world.projects.values().rev().take(PROJECTS) {
        write!(
            page,
            "<section class=\"card\"><div class=\"row\"><h3>{}</h3><code class=\"soft\">{} · {}</code></div>",
            Plain(&project.name),
            Plain(&project.human_id),
            Plain(&project.id),
        )?;
        let mut shown = 0;
        for one in world.groups_of(&project.id).take(left) {
            shown += 1;
            group(one, page)?;
        }
        left -= shown;
        if shown == 0 {
            page.write_str("<p class=\"soft group\">No target group yet.</p>")?;
        }
        page.write_str("</section>")?;
    }
    Ok(())
}

fn bar(part: u64, whole: u64, page: &mut String) -> std::fmt::Result {
    let percent = (part * 100).checked_div(whole).unwrap_or(0).min(100);
    let class = if percent == 100 { " class=\"full\"" } else { "" };
    write!(page, "<div class=\"bar\"><i{class} style=\"width:{percent}%\"></i></div>")
}

fn group(group: &TargetGroup, page: &mut String) -> std::fmt::Result {
    let price = group.price.as_ref().map(|money| format!(" · {} {}", money.value, money.currency));
    write!(
        page,
        "<div class=\"group\"><div class=\"row\"><b>{}</b><span class=\"tag {status}\">{status}</span>\
         <span class=\"soft\">{} · {} min · incidence {:.2}{}</span></div><code class=\"soft\">{} · {}</code>",
        Plain(&group.name),
        Plain(&group.locale),
        group.interview_minutes,
        group.incidence,
        Plain(&price.unwrap_or_default()),
        Plain(&group.human_id),
        Plain(&group.id),
        status = group.status(),
    )?;
    let head = "<table><tr><th>Quota</th><th class=\"wide\">Fill</th><th class=\"num\">Completes</th>\
                <th class=\"num\">In survey</th><th class=\"num\">Entered</th></tr>";
    page.write_str(head)?;
    row("Everyone", &group.ledger.total, group.goal, page)?;
    let quotas: Vec<_> = group
        .audience
        .profiles
        .iter()
        .flat_map(|profile| profile.targets.iter().map(move |target| (profile, target)))
        .filter_map(|(profile, target)| Some((profile, target, target.quota.as_ref()?)))
        .collect();
    // A draft's quotas are all empty, and many are too many to see at once.
    let folded = (group.is_draft() && !quotas.is_empty()) || quotas.len() > 24;
    if folded {
        write!(page, "</table><details><summary>{} quotas</summary>{head}", quotas.len())?;
    }
    for (profile, target, quota) in quotas {
        let name = format!("{}: {}", profile.label(), target.label());
        row(&name, &quota.tally, quota.goal, page)?;
    }
    page.write_str(if folded { "</table></details></div>" } else { "</table></div>" })
}

fn row(name: &str, tally: &Tally, goal: u64, page: &mut String) -> std::fmt::Result {
    let (completes, pending, prescreens) = (tally.completes, tally.in_survey, tally.entered());
    write!(page, "<tr><td>{}</td><td class=\"wide\">", Plain(name))?;
    bar(completes, goal, page)?;
    write!(
        page,
        "</td><td class=\"num\">{completes} of {goal}</td><td class=\"num\">{pending}</td>\
         <td class=\"num\">{prescreens}</td></tr>"
    )
}

/// An outcome, and the class that colours it.
fn outcome(session: &Session) -> (&'static str, &'static str) {
    match session.standing {
        Standing::Complete => ("complete", "complete"),
        Standing::Reversed => ("reversed", "terminate"),
        Standing::Terminated => ("terminate", "terminate"),
        Standing::OverQuota => ("over quota", "overquota"),
        Standing::SecurityTerminated => ("security", "security"),
        Standing::InSurvey => ("in survey", "inside"),
        Standing::Dropped => ("dropped", "left"),
    }
}

fn sessions(world: &World, page: &mut String) -> std::fmt::Result {
    let recent: Vec<&Session> = world.sessions.in_order().rev().take(SESSIONS).collect();
    let hint = if recent.len() < world.sessions.len() { " <span class=\"soft\">the last ones</span>" } else { "" };
    write!(page, "<h2>Respondents{hint}</h2>")?;
    if recent.is_empty() {
        return page.write_str("<p class=\"card hint\">Nobody has entered a survey yet.</p>");
    }
    page.write_str("<div class=\"card\"><table><tr><th>RID</th><th>Target group</th><th>Outcome</th><th class=\"num\">Entered</th></tr>")?;
    for session in recent {
        let group = world.groups.get(&session.group_id).map_or("", |group| group.name.as_str());
        let (outcome, class) = outcome(session);
        write!(
            page,
            "<tr><td><code title=\"{0}\">{1}…</code></td><td>{2}</td>\
             <td><span class=\"tag {class}\">{outcome}</span>{3}</td><td class=\"num\">{4}</td></tr>",
            Plain(&session.rid),
            Plain(session.rid.get(..13).unwrap_or_default()),
            Plain(group),
            if session.reconciled.is_some() { " <span class=\"soft\">reconciled</span>" } else { "" },
            clock(&text(session.entered_at)),
        )?;
    }
    page.write_str("</table></div>")
}

/// The time of day.
fn clock(text: &str) -> String {
    text.get(11..19).unwrap_or_default().to_owned()
}

/// `account` is the beginning that nearly all paths share, and that says
/// nothing new.
fn log(requests: &[Received], account: &str, page: &mut String) -> std::fmt::Result {
    page.write_str("<h2>Requests <span class=\"soft\">youngest first</span></h2>")?;
    if requests.is_empty() {
        return page.write_str("<p class=\"card hint\">Nothing has been asked yet.</p>");
    }
    page.write_str("<div class=\"card\">")?;
    for request in requests {
        let class = if (200..400).contains(&request.status) { "ok" } else { "no" };
        let query = request.query.as_deref().map(|query| format!("?{query}")).unwrap_or_default();
        let path = format!("{} {}{query}", request.method, request.path);
        write!(
            page,
            "<div class=\"request\"><div class=\"row\"><span class=\"tag {class}\">{status}</span>\
             <div class=\"grow\"><b>{operation}</b> <span class=\"soft\">{version}{replayed}</span></div>\
             <span class=\"soft num\">{time}</span></div>\
             <div class=\"cut soft\" title=\"{path}\"><code>{short}</code></div>",
            status = if request.status == 0 { "lost".to_owned() } else { request.status.to_string() },
            operation = Plain(request.operation.as_deref().unwrap_or("no such operation")),
            version = Plain(request.version.as_deref().unwrap_or("")),
            replayed = if request.replayed { " · replayed" } else { "" },
            time = clock(&request.at),
            path = Plain(&path),
            short = Plain(&path.replacen(account, "…/", 1)),
        )?;
        if let Some(fault) = request.fault {
            write!(page, "<div class=\"why\">fault: {}</div>", Plain(fault))?;
        }
        if let Some(refusal) = &request.refusal {
            write!(page, "<div class=\"why\">{}", Plain(refusal))?;
            for violation in &request.violations {
                write!(page, "<div>{}</div>", Plain(&violation.to_string()))?;
            }
            page.write_str("</div>")?;
        }
        page.write_str("</div>")?;
    }
    page.write_str("</div>")
}
