//! Laws of snapshots: changes add up to differences, costs to their sums, forecasts and lags follow the pace.

use jiff::ToSpan as _;
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;

fn start() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

fn group(id: &str, goal: u64, completes: u64) -> GroupProgress {
    GroupProgress {
        id: TargetGroupId::new(id),
        name: None,
        status: Some(TargetGroupStatus::Live),
        goal,
        completes,
        prescreens: completes * 2,
        price: None,
        cost: None,
        period: Some(FieldingPeriod { start: start(), end: start() + 100.hours() }),
        expected: None,
        read_at: start() + 50.hours(),
        since: Some(Reading { at: start(), completes: 0 }),
    }
}

fn snapshot(groups: Vec<GroupProgress>) -> Snapshot {
    Snapshot { at: start() + 50.hours(), groups, changes: Vec::new(), reversed: CurrencySums::default(), ended: None }
}

fn any_money() -> impl Strategy<Value = Option<Money>> {
    let amount = (0_i64..1_000_000, prop::sample::select(vec!["USD", "EUR", "GBP"]));
    prop::option::of(amount.prop_map(|(cents, unit)| Money::from_decimal(Decimal::new(cents, 2), unit).unwrap()))
}

prop_compose! {
    fn any_group()(
        id in "[a-e]",
        status in prop::sample::select(vec![TargetGroupStatus::Draft, TargetGroupStatus::Live]),
        (goal, completes, prescreens) in (0_u64..500, 0_u64..500, 0_u64..500),
        (price, cost) in (any_money(), any_money()),
    ) -> GroupProgress {
        GroupProgress { status: Some(status), prescreens, price, cost, ..group(&id, goal, completes) }
    }
}

fn any_groups() -> impl Strategy<Value = Vec<GroupProgress>> {
    prop::collection::btree_map("[a-e]", any_group(), 0..5).prop_map(|groups| {
        groups.into_iter().map(|(id, group)| GroupProgress { id: TargetGroupId::new(id), ..group }).collect()
    })
}

/// What a change adds to a number, and to each sum of money.
fn add_up(changes: &[Change]) -> (i128, i128, BTreeMap<String, Decimal>) {
    let (mut goal, mut completes, mut costs) = (0, 0, BTreeMap::<String, Decimal>::new());
    for change in changes {
        match &change.what {
            Changed::Goal(from, to) => goal += i128::from(*to) - i128::from(*from),
            Changed::Completes(from, to) => completes += i128::from(*to) - i128::from(*from),
            Changed::Cost(from, to) => {
                for (money, sign) in [(from, Decimal::NEGATIVE_ONE), (to, Decimal::ONE)] {
                    if let Some(money) = money {
                        *costs.entry(money.currency().to_owned()).or_default() += sign * money.value();
                    }
                }
            }
            _ => {}
        }
    }
    (goal, completes, costs)
}

proptest! {
    #[test]
    fn changes_add_up_to_the_difference_of_two_snapshots(before in any_groups(), after in any_groups()) {
        let changes = changes(&before, &after);
        let (before, after) = (snapshot(before), snapshot(after));
        let (goal, completes, costs) = add_up(&changes);
        prop_assert_eq!(goal, i128::from(after.goal()) - i128::from(before.goal()));
        prop_assert_eq!(completes, i128::from(after.completes()) - i128::from(before.completes()));
        for currency in ["USD", "EUR", "GBP"] {
            let sum = |snapshot: &Snapshot| snapshot.costs().get(currency).unwrap_or_default();
            let changed = costs.get(currency).copied().unwrap_or_default();
            prop_assert_eq!(sum(&before) + changed, sum(&after), "{}", currency);
        }
        prop_assert_eq!(changes.is_empty(), before.groups == after.groups);
        let kept: Vec<Change> = serde_json::from_str(&serde_json::to_string(&changes).unwrap()).unwrap();
        prop_assert_eq!(kept, changes);
    }

    #[test]
    fn costs_are_the_sums_of_their_groups(groups in any_groups()) {
        let costs = snapshot(groups.clone()).costs();
        for currency in ["USD", "EUR", "GBP"] {
            let of = groups.iter().filter_map(|group| group.cost.as_ref()).filter(|cost| cost.currency() == currency);
            let expected: Decimal = of.map(Money::value).sum();
            prop_assert_eq!(costs.get(currency).unwrap_or_default(), expected);
        }
    }

    /// So many an hour are so many an hour: the forecast is the moment at which the last one comes.
    #[test]
    fn an_even_pace_ends_when_it_must(an_hour in 1_u64..100, hours in 1_i64..40, left in 1_u64..10_000) {
        let completes = an_hour * hours as u64;
        let since = Some(Reading { at: start(), completes: 0 });
        let read_at = start() + hours.hours();
        let group = GroupProgress { read_at, since, ..group("a", completes + left, completes) };
        let end = read_at + SignedDuration::from_millis((left as i64) * 3_600_000 / an_hour as i64);
        prop_assert_eq!(group.forecast(), Some(end));
        let more = GroupProgress { goal: group.goal + 1, ..group.clone() };
        prop_assert!(more.forecast() > group.forecast());
    }

    #[test]
    fn a_group_lags_if_and_only_if_it_is_below_its_share(
        (goal, completes, percent) in (1_u64..1_000, 0_u64..1_000, 0_u64..=100),
    ) {
        let lags = snapshot(vec![group("a", goal, completes)]).lagging(percent as f64 / 100.0).next();
        // Half the time has passed.
        let due = goal / 2;
        prop_assert_eq!(lags.is_some(), completes * 100 < due * percent);
        if let Some(lag) = lags {
            prop_assert_eq!((lag.even_fill, lag.feasibility, lag.completes), (Some(due), None, completes));
        }
    }
}

#[test]
fn no_number_panics() {
    let wild = GroupProgress {
        since: Some(Reading { at: Timestamp::MIN, completes: u64::MAX - 1 }),
        read_at: Timestamp::MAX,
        period: Some(FieldingPeriod { start: Timestamp::MAX, end: Timestamp::MIN }),
        expected: Some(u64::MAX),
        ..group("a", u64::MAX, 3)
    };
    assert_eq!(wild.forecast(), None);
    for share in [f64::NAN, f64::INFINITY, -1.0, 0.9] {
        snapshot(vec![wild.clone()]).lagging(share).for_each(drop);
    }
    let slow = GroupProgress { since: Some(Reading { at: start(), completes: 0 }), ..group("a", u64::MAX, 1) };
    assert_eq!(slow.forecast(), None, "past the end of time");
}

#[test]
fn only_live_groups_are_forecast_and_lag() {
    let paused = GroupProgress { status: Some(TargetGroupStatus::Paused), ..group("a", 100, 10) };
    let full = group("b", 100, 100);
    let both = snapshot(vec![paused, full.clone()]);
    assert_eq!((both.forecast(), both.lagging(1.0).count()), (Some(full.read_at), 0));
    let stuck = GroupProgress { since: Some(Reading { at: start(), completes: 10 }), ..group("c", 100, 10) };
    assert_eq!(snapshot(vec![full, stuck]).forecast(), None, "one of them will never be full");
    assert_eq!(snapshot(Vec::new()).forecast(), None);
}

#[test]
fn feasibility_is_a_yardstick_of_its_own() {
    // 20 of 100 are there at half time, where 50 are due by even fill; 30 of 60 by what feasibility promised.
    let behind_both = GroupProgress { expected: Some(60), ..group("a", 100, 20) };
    let as_promised = GroupProgress { expected: Some(40), ..group("b", 100, 20) };
    let lags: Vec<Lag> = snapshot(vec![behind_both, as_promised]).lagging(0.9).collect();
    assert_eq!((lags[0].even_fill, lags[0].feasibility), (Some(50), Some(30)));
    assert_eq!((lags[1].even_fill, lags[1].feasibility), (Some(50), None));
}

#[test]
fn what_reconciliation_takes_back_is_summed_and_a_rise_is_not() {
    let at = |cost: &str| GroupProgress { cost: Some(cost.parse().unwrap()), ..group("a", 100, 20) };
    let mut reversed = CurrencySums::default();
    for (from, to) in [("10 USD", "12.50 USD"), ("12.50 USD", "9 USD"), ("9 USD", "8.50 USD"), ("8.50 USD", "1 EUR")] {
        taken_back(&changes(&[at(from)], &[at(to)]), &mut reversed);
    }
    assert_eq!(reversed.to_string(), "4.00 USD");
}

#[test]
fn too_many_completes_do_not_fill_another_group() {
    assert!((snapshot(vec![group("a", 100, 150), group("b", 100, 50)]).filled() - 0.75).abs() < 1e-9);
    assert!(snapshot(Vec::new()).filled().abs() < 1e-9);
}

#[test]
fn a_moved_field_names_the_end_that_moved() {
    let field = |from: i64, to: i64| Some(FieldingPeriod { start: start() + from.hours(), end: start() + to.hours() });
    for (from, to, text) in [
        (field(0, 1), field(0, 2), "end of field 2026-11-24T11:00:00Z to 2026-11-24T12:00:00Z"),
        (field(0, 3), field(1, 3), "start of field 2026-11-24T10:00:00Z to 2026-11-24T11:00:00Z"),
        (
            field(0, 2),
            field(1, 3),
            "start of field 2026-11-24T10:00:00Z to 2026-11-24T11:00:00Z, \
             end of field 2026-11-24T12:00:00Z to 2026-11-24T13:00:00Z",
        ),
        (None, field(0, 1), "start of field none to 2026-11-24T10:00:00Z, end of field none to 2026-11-24T11:00:00Z"),
    ] {
        assert_eq!(Changed::Period(from, to).to_string(), text);
    }
}
