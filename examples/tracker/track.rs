//! The tracker, the same for every version. It begins at the beginning each time: what is done already is found.

use std::collections::BTreeMap;
use std::time::Duration;

use cintx::UserId;
use cintx::batch::BatchEvent;
use cintx::client::CallOptions;
use cintx::prelude::*;
use cintx::project::ProjectScope;
use cintx::target_group::DraftBuilder;
use cintx::types::CurrencySums;
use cintx::watch::Until;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use jiff::{Timestamp, ToSpan as _};

/// A line of the CSV: where, how many, at which price, and to which price if too few come.
#[derive(Clone, Debug, serde::Deserialize)]
pub(crate) struct Row {
    pub(crate) country: String,
    locale: Locale,
    goal: u32,
    price: Money,
    ceiling: Money,
}

/// What is ordered, and on whose behalf. It is the same in each run: keys follow from it.
pub(crate) struct Order {
    pub(crate) rows: Vec<Row>,
    pub(crate) manager: UserId,
    pub(crate) business_unit: i64,
    pub(crate) start: Timestamp,
}

impl Order {
    fn draft<V: Version>(&self, project: &ProjectScope<V>, row: &Row) -> DraftBuilder<V> {
        project
            .draft_target_group(format!("Drinks, {}", row.country))
            .business_unit(self.business_unit)
            .manager(self.manager)
            .locale(row.locale.clone())
            .completes_goal(row.goal)
            .length_of_interview(LengthOfInterview::minutes(10))
            .incidence_rate("0.50")
            .fielding_period(self.start..self.start + 240.hours())
            .cost_per_interview(row.price.clone())
            .live_url("https://survey.example/?RID=[%RID%]")
            .audience(Audience::independent([Question::choice(43).option("1", 49).option("2", 51)]))
    }
}

/// Tracks until nine in ten are there, then pauses and completes; answers with what it costs. `pass` lets time pass.
pub(crate) async fn track<V: Version>(cint: &Client<V>, order: &Order, pass: impl Fn()) -> Result<CurrencySums, Error> {
    cint.recover().await?;
    let once = cint.with(CallOptions::new().business_key("drinks-2026"));
    let project = cint.project(&once.projects().create("Drinks in twelve countries", order.manager).await?);
    let groups = project.target_groups().at_once().concurrency(4);
    let screen = MultiProgress::new();
    let drafts: Vec<_> = order.rows.iter().map(|row| (row.country.clone(), order.draft(&project, row))).collect();
    let feasible = groups.each(drafts.clone(), |draft| async move { draft.feasibility().await });
    // A field that has begun has none any more: then lagging goes by even fill alone.
    let feasible = feasible.observe(tick(&screen, "feasibility", order)).await;
    let created = groups.create(drafts).await?.observe(tick(&screen, "created", order)).await.all()?;
    groups.launch(created.clone(), order.start + 240.hours()).observe(tick(&screen, "launched", order)).await.all()?;

    let shown = |row: &Row| bar(&screen, &row.country, row.goal.into());
    let rows = created.iter().zip(&order.rows).map(|((_, group), row)| (group.id(), (row, shown(row))));
    let rows: BTreeMap<_, _> = rows.collect();
    let promised = created.iter().filter_map(|(country, group)| Some((group.id(), feasible.get(country)?)));
    let watch = project.watch().every(Duration::from_millis(1)).feasible(promised).until(Until::Filled(0.9));
    let mut snapshots = watch.until(Until::Deadline(order.start + 480.hours())).stream();
    while let Some(snapshot) = snapshots.try_next().await? {
        rows.iter().for_each(|(id, (_, bar))| bar.set_position(snapshot.group(*id).map_or(0, |group| group.completes)));
        let lagging = snapshot.lagging(0.5).map(|lag| (rows[&lag.group].0, lag));
        let lagging = lagging.filter(|(row, lag)| lag.price.as_ref() != Some(&row.ceiling));
        let raise = lagging.map(|(row, lag)| (&row.country, project.target_group(lag.group), row.ceiling.clone()));
        for (country, price) in groups.set_cost_per_interview(raise.collect::<Vec<_>>()).await.all()? {
            screen.suspend(|| println!("{country} lags: raised to {price}"));
        }
        if snapshot.ended.is_none() {
            pass();
        }
    }
    let last = project.watch().once().await?;
    groups.pause(last.live()).await?.all()?;
    groups.complete(last.open()).await?.all()?;
    Ok(project.watch().once().await?.costs())
}

fn bar(screen: &MultiProgress, name: &str, goal: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:16} {bar:40} {pos:>3}/{len:3}");
    let bar = ProgressBar::new(goal).with_prefix(name.to_owned());
    screen.add(style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style)))
}

/// Moves a bar on with each of a batch that is finished.
fn tick<T>(screen: &MultiProgress, name: &str, order: &Order) -> impl FnMut(&BatchEvent<T>) + Send + 'static {
    let bar = bar(screen, name, order.rows.len() as u64);
    move |event| bar.inc(event.is_finished().into())
}
