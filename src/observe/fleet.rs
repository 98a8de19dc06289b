//! Many endpoints, one after the other and a few at the same time.

use super::{Request, observe};
use crate::aws::{Aws, CallError};
use crate::model::{Observation, Subject};
use futures::stream::{Stream, StreamExt as _, iter};

/// Endpoints that are read at the same time. Each takes about a dozen calls, three or four of them of Application Auto Scaling,
/// which publishes no rate and throttles early.
const AT_ONCE: usize = 4;

/// Observes each subject, in their order. One that cannot be read does not keep the others from it. An observation holds
/// megabytes: whoever takes them lets each go before the next ones.
pub fn each(
    aws: &Aws,
    requests: Vec<Request>,
) -> impl Stream<Item = (Subject, Result<Vec<Observation>, CallError>)> + '_ {
    let read = move |request: Request| async move {
        let observed = observe(aws, &request).await;
        (request.subject, observed)
    };
    iter(requests).map(read).buffered(AT_ONCE)
}
