//! The report of an answered call, which goes with the answer.

use cintx_raw::Response;

use crate::error::report;

/// How an answer came about.
///
/// ```no_run
/// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
/// use cintx::http::ResponseExt as _;
///
/// let answer = cint.raw().get_user_accounts().await?;
/// println!("{} after {} attempts", answer.sent_trace_id(), answer.attempts());
/// # Ok(())
/// # }
/// ```
pub trait ResponseExt {
    /// How many attempts it took.
    fn attempts(&self) -> u32;
    /// The trace id that was sent with each of them.
    fn sent_trace_id(&self) -> &str;
}

impl<T> ResponseExt for Response<T> {
    fn attempts(&self) -> u32 {
        report(self.report()).map_or(1, |report| report.attempts)
    }

    fn sent_trace_id(&self) -> &str {
        self.report().map_or("", |report| report.trace_id())
    }
}
