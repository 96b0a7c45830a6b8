//! What only some versions have of webhooks and reports: a history, mail and filters came with 2025-12-18, which has
//! one report less.

use cintx::{Client, V2025_02_17, V2025_12_18};
use cintx::report::{ReportScope, ReportStatus};
use cintx::webhook::Webhook;
use cintx::reexports::jiff::civil::date;

fn by_version(second: Client<V2025_02_17>, webhook: Webhook<V2025_02_17>, newest: Client<V2025_12_18>) {
    let days = date(2026, 9, 1)..=date(2026, 9, 30);
    let _ = webhook.history("2026-09-01T00:00:00Z".parse().unwrap());
    let _ = second.reports().completes(ReportScope::Account, days.clone()).mail_to([]);
    let _ = second.reports().requests().status(ReportStatus::Failed);
    let _ = newest.reports().reconciliations(ReportScope::Account, days);
}

fn main() {}
