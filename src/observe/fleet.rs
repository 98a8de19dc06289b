//! Many endpoints, one after the other and a few at the same time.

use super::hours::hours;
use super::{Request, observe};
use crate::aws::{Aws, CallError};
use crate::model::{Hours, Observation, Subject};
use futures::stream::{Stream, StreamExt as _, iter};
use jiff::Timestamp;

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

/// A variant or component as a first pass sees it.
pub struct Surveyed {
    /// How it is set up, without any metric.
    pub observation: Observation,
    /// What its hours showed; none where they could not be read.
    pub hours: Option<Hours>,
}

/// How each of these is set up, and their hours, in one request or a few.
pub async fn survey(aws: &Aws, requests: Vec<Request>, at: Timestamp) -> (Vec<Surveyed>, Vec<(Subject, CallError)>) {
    // What could be saved, in money, only minutes show.
    let from_afar = |request| Request { history_days: 0, has_hourly_limit: false, ..request };
    let set_up = requests.into_iter().map(from_afar).collect();
    let (mut observations, mut failed) = (Vec::new(), Vec::new());
    let mut each = std::pin::pin!(each(aws, set_up));
    while let Some((subject, observed)) = each.next().await {
        match observed {
            Ok(found) => observations.extend(found),
            Err(error) => failed.push((subject, error)),
        }
    }
    let hours = match hours(aws, &observations, at).await {
        Ok(hours) => hours.into_iter().map(Some).collect(),
        Err(error) => {
            let words = format!("{error}: no hour of it was read");
            observations.iter_mut().for_each(|observation| observation.warnings.push(words.clone()));
            vec![None; observations.len()]
        }
    };
    let surveyed = observations.into_iter().zip(hours);
    (surveyed.map(|(observation, hours)| Surveyed { observation, hours }).collect(), failed)
}
