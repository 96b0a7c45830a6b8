//! The page at `/`: what people want to see of a sandbox, made here as plain
//! HTML, without scripts from elsewhere, so that it works offline.

use crate::clock::text;
use crate::engine::Engine;
use crate::log::Received;
use crate::state::World;
use crate::state::field::{Session, status};
use crate::state::target_group::TargetGroup;
use std::fmt::Write;

/// So many of each are shown.
const PROJECTS: usize = 20;
const GROUPS: usize = 50;
const SESSIONS: usize = 30;
const REQUESTS: usize = 60;

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1c2430;--soft:#667085;--line:#e3e7ee;--back:#f5f7fa;--card:#fff;--good:#1a8a5a;
--bad:#c0362c;--warn:#b7791f;--bar:#3b6fd4}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#98a2b3;--line:#2c3440;--back:#11161d;--card:#1a212b;
--good:#4cc38a;--bad:#ff7b72;--warn:#e0b25a;--bar:#6ea0ff}}
*{box-sizing:border-box}body{margin:0;font:14px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back)}
header{padding:18px 28px;background:var(--card);border-bottom:1px solid var(--line);display:flex;gap:28px;
align-items:baseline;flex-wrap:wrap}h1{font-size:19px;margin:0}h2{font-size:15px;margin:26px 0 10px}
main{padding:4px 28px 40px;max-width:1280px}.soft{color:var(--soft)}code{font:12px ui-monospace,monospace}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:14px 16px;margin:0 0 12px}
.row{display:flex;gap:14px;align-items:baseline;flex-wrap:wrap}.row b{font-size:15px}
.tag{border-radius:10px;padding:1px 9px;font-size:12px;border:1px solid currentColor}
.live{color:var(--good)}.paused{color:var(--warn)}.draft,.scheduled{color:var(--soft)}.completed{color:var(--bar)}
table{width:100%;border-collapse:collapse}td,th{text-align:left;padding:4px 10px 4px 0;vertical-align:top;
border-bottom:1px solid var(--line)}th{font-weight:600;color:var(--soft);font-size:12px}
.wrap{overflow-x:auto}td code{overflow-wrap:anywhere}h2 .soft{font-weight:400;font-size:13px}.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.bar{height:8px;width:180px;margin-top:7px;background:var(--line);border-radius:4px;overflow:hidden}
.bar i{display:block;height:100%;background:var(--bar)}.bar i.full{background:var(--good)}
.ok{color:var(--good)}.no{color:var(--bad)}.why{color:var(--bad)}.why div{font-size:12px}
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
    let requests = engine.log().latest(REQUESTS);
    let world = engine.world();
    write!(
        page,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"5\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>cintx sandbox</title>\
         <style>{STYLE}</style></head><body>"
    )?;
    write!(
        page,
        "<header><h1>cintx sandbox</h1><span>{} · account {}</span><span class=\"soft\">{} UTC</span>\
         <span class=\"soft\">projects {} · target groups {} · respondents {}</span></header><main>",
        Plain(world.account.name),
        world.account.id,
        text(world.now()).replace('T', " ").trim_end_matches('Z'),
        world.projects.len(),
        world.groups.len(),
        world.sessions.len(),
    )?;
    projects(&world, page)?;
    sessions(&world, page)?;
    drop(world);
    log(&requests, page)?;
    page.write_str("</main></body></html>")
}

fn projects(world: &World, page: &mut String) -> std::fmt::Result {
    page.write_str("<h2>Projects</h2>")?;
    if world.projects.is_empty() {
        page.write_str("<p class=\"soft\">No project yet. Create one through the API, and it shows up here.</p>")?;
    }
    let mut left = GROUPS;
    for project in world.projects.values().rev().take(PROJECTS) {
        write!(
            page,
            "<section class=\"card\"><div class=\"row\"><b>{}</b><code class=\"soft\">{} · {}</code></div>",
            Plain(&project.name),
            Plain(&project.id),
            Plain(&project.human_id)
        )?;
        for one in world.groups_of(&project.id).take(left) {
            left = left.saturating_sub(1);
            group(one, page)?;
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
    write!(
        page,
        "<h2 class=\"row\"><span>{}</span><span class=\"tag {status}\">{status}</span>\
         <code class=\"soft\">{}</code><span class=\"soft\">{} · {} min · incidence {:.2}</span></h2>",
        Plain(&group.name),
        Plain(&group.id),
        Plain(&group.locale),
        group.interview_minutes,
        group.incidence,
        status = group.status(),
    )?;
    page.write_str(
        "<div class=\"wrap\"><table><tr><th>Quota</th><th>Fill</th><th class=\"num\">Completes</th>\
         <th class=\"num\">Goal</th><th class=\"num\">In survey</th><th class=\"num\">Entered</th></tr>",
    )?;
    let mut row = |name: &str, completes: u64, goal: u64, pending: u64, prescreens: u64| {
        write!(page, "<tr><td>{}</td><td>", Plain(name))?;
        bar(completes, goal, page)?;
        write!(
            page,
            "</td><td class=\"num\">{completes}</td><td class=\"num\">{goal}</td><td class=\"num\">{pending}</td>\
             <td class=\"num\">{prescreens}</td></tr>"
        )
    };
    row("All", group.completes, group.goal, group.pending, group.prescreens)?;
    for profile in &group.audience.profiles {
        for target in &profile.targets {
            if let Some(quota) = &target.quota {
                let name = format!("{}: {}", profile.label(), target.label());
                row(&name, quota.completes, quota.goal, quota.pending, quota.prescreens)?;
            }
        }
    }
    page.write_str("</table></div>")
}

fn outcome(session: &Session) -> &'static str {
    match (session.status, session.left_at) {
        (status::COMPLETE, _) => "complete",
        (status::TERMINATE, _) => "terminate",
        (status::OVERQUOTA, _) => "over quota",
        (status::SECURITY, _) => "security terminate",
        (_, None) => "in survey",
        (_, Some(_)) => "dropped",
    }
}

fn sessions(world: &World, page: &mut String) -> std::fmt::Result {
    page.write_str("<h2>Respondents</h2>")?;
    let recent: Vec<&Session> = world.sessions.in_order().rev().take(SESSIONS).collect();
    if recent.is_empty() {
        return page.write_str("<p class=\"soft\">Nobody has entered a survey yet.</p>");
    }
    page.write_str(
        "<div class=\"card wrap\"><table><tr><th>RID</th><th>Target group</th><th>Supplier</th><th>Outcome</th>\
         <th>Entered</th><th>Left</th></tr>",
    )?;
    for session in recent {
        let group = world.groups.get(&session.group_id).map_or("", |group| group.name.as_str());
        write!(
            page,
            "<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}{}</td><td>{}</td><td>{}</td></tr>",
            Plain(&session.rid),
            Plain(group),
            session.supplier_id,
            outcome(session),
            if session.reconciled.is_some() { " (reconciled)" } else { "" },
            clock(&text(session.entered_at)),
            session.left_at.map(|at| clock(&text(at))).unwrap_or_default(),
        )?;
    }
    page.write_str("</table></div>")
}

/// The time of day.
fn clock(text: &str) -> String {
    text.get(11..23).unwrap_or_default().to_owned()
}

fn log(requests: &[Received], page: &mut String) -> std::fmt::Result {
    page.write_str("<h2>Requests</h2>")?;
    if requests.is_empty() {
        return page.write_str("<p class=\"soft\">Nothing has been asked yet.</p>");
    }
    page.write_str(
        "<div class=\"card wrap\"><table><tr><th class=\"num\">#</th><th>Time</th><th>Status</th><th>Request</th>\
         <th>Operation</th><th>Why refused</th></tr>",
    )?;
    for request in requests {
        let good = (200..400).contains(&request.status);
        write!(
            page,
            "<tr><td class=\"num\">{}</td><td>{}</td><td class=\"{}\">{}</td><td>{} <code>{}{}</code></td>\
             <td>{}<div class=\"soft\">{}{}{}</div></td><td class=\"why\">",
            request.number,
            clock(&request.at),
            if good { "ok" } else { "no" },
            request.status,
            Plain(&request.method),
            Plain(&request.path),
            Plain(&request.query.as_deref().map(|query| format!("?{query}")).unwrap_or_default()),
            Plain(request.operation.as_deref().unwrap_or("")),
            Plain(request.version.as_deref().unwrap_or("")),
            if request.replayed { " replayed" } else { "" },
            request.fault.map(|fault| format!(" fault: {fault}")).unwrap_or_default(),
        )?;
        if let Some(refusal) = &request.refusal {
            write!(page, "{}", Plain(refusal))?;
        }
        for violation in &request.violations {
            write!(page, "<div>{}</div>", Plain(&violation.to_string()))?;
        }
        page.write_str("</td></tr>")?;
    }
    page.write_str("</table></div>")
}
