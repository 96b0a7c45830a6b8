//! One version: its date, its operations, its generated client.

use std::sync::Arc;

use super::raw;
use crate::http::Pipeline;
use crate::wire::Wire;

#[expect(private_interfaces, reason = "only this crate implements and calls it")]
impl Wire for super::Marker {
    const DATE: &'static str = raw::VERSION;
    const OPERATIONS: &'static [&'static cintx_raw::Operation] = raw::operations::ALL;
    type Raw = raw::Client;

    fn raw(pipeline: Arc<Pipeline>) -> Self::Raw {
        raw::Client::new(pipeline)
    }
}
