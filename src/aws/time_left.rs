//! How long calls may take: an invocation answers before its deadline, whatever AWS does.

use super::ATTEMPT;
use aws_sdk_cloudwatch::operation::get_metric_data::GetMetricDataInput;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::Input;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::timeout::TimeoutConfig;
use jiff::SignedDuration;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Says how much time is left; none where there is no limit.
pub type Remaining = Arc<dyn Fn() -> Option<SignedDuration> + Send + Sync>;

/// No call but that for metrics takes more than this part of what is left, its retries included. What waits for one that hangs then still has two
/// thirds, so that however many hang one after the other, the last of them has time, and nothing needs to know which come.
const SHARE: u32 = 3;
/// The part for metrics: what reads them asks for less once more, and nothing that is indispensable follows.
const SHARE_OF_METRICS: u32 = 2;
/// Attempts that a call which hangs has time for: a second one often meets a host that answers. Of metrics, which may be slow by
/// themselves, the smaller request is the second one.
const ATTEMPTS: u32 = 2;

/// The time that is left for calls, shared by all clients of one process.
#[derive(Clone, Default)]
pub(super) struct TimeLeft(Arc<Mutex<Option<Limit>>>);

#[derive(Clone)]
struct Limit {
    remaining: Remaining,
    /// What is kept for that which comes after the calls.
    kept: SignedDuration,
}

impl TimeLeft {
    /// From now on calls end so long before the time is over.
    pub fn keep(&self, remaining: Remaining, kept: SignedDuration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Limit { remaining, kept });
    }

    /// Bounds the call that is about to be made. One for which there is no time does not leave: whether a write that is given up
    /// was executed, nobody knows.
    pub fn bound(&self, input: &Input, config: &mut ConfigBag) -> Result<(), BoxError> {
        let limit = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(limit) = limit else { return Ok(()) };
        let Some(remaining) = (limit.remaining)() else { return Ok(()) };
        let left = Duration::try_from(remaining - limit.kept).unwrap_or_default();
        if left.is_zero() {
            return Err("no time is left for it".into());
        }
        let (whole, attempt) = match input.downcast_ref::<GetMetricDataInput>() {
            Some(_) => (left / SHARE_OF_METRICS, left / SHARE_OF_METRICS),
            None => (left / SHARE, left / SHARE / ATTEMPTS),
        };
        let timeouts =
            TimeoutConfig::builder().operation_timeout(whole).operation_attempt_timeout(attempt.min(ATTEMPT)).build();
        config.interceptor_state().store_put(timeouts);
        Ok(())
    }
}

impl std::fmt::Debug for TimeLeft {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TimeLeft")
    }
}
