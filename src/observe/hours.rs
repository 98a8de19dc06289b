//! The hours of many variants, as many of them in one request as it takes.

use super::cloudwatch::{DAY_MINUTES, MOST_QUERIES, PAGE_DATAPOINTS, Query, values};
use super::statistics::Depth;
use super::whose::Whose;
use crate::aws::{Aws, CallError};
use crate::model::{Hosting, HourlySeries, Hours, Metric, Minute, Observation, Statistic};
use jiff::Timestamp;

const HOUR_MINUTES: u16 = 60;
/// Two of each weekday, to compare with one another.
const DAYS: i64 = 14;

/// Reads the hours of each observation, in their order, up to the last whole hour.
///
/// # Errors
/// [`CallError`] where CloudWatch does not answer.
pub(super) async fn hours(aws: &Aws, observations: &[Observation], at: Timestamp) -> Result<Vec<Hours>, CallError> {
    let hour = i64::from(HOUR_MINUTES);
    let end = Minute(Minute::containing(at).0.div_euclid(hour) * hour);
    let first = end.plus(-DAYS * DAY_MINUTES);
    let whose = observations.iter().enumerate().flat_map(|(index, observation)| {
        Whose::of(observation)
            .into_iter()
            .flat_map(move |whose| queries(observation, &whose))
            .map(move |query| (index, query))
    });
    let (owners, queries): (Vec<usize>, Vec<Query>) = whose.unzip();
    let most = MOST_QUERIES.min(usize::try_from(PAGE_DATAPOINTS * hour / (DAYS * DAY_MINUTES)).unwrap_or(1));
    let mut all = vec![Hours::default(); observations.len()];
    let mut owners = owners.into_iter();
    for chunk in queries.chunks(most) {
        aws.round();
        let values = values(aws, chunk, first, end, HOUR_MINUTES).await?;
        for ((query, values), owner) in chunk.iter().zip(values).zip(owners.by_ref()) {
            if let Some(hours) = all.get_mut(owner) {
                hours.0.push(HourlySeries { metric: query.metric, statistic: query.statistic, first, values });
            }
        }
    }
    Ok(all)
}

/// How much came, how long it took, and what was busiest: what the first pass goes by.
fn queries(observation: &Observation, whose: &Whose) -> Vec<Query> {
    let latency = observation.objective.map_or(Statistic::P90, |objective| objective.slo_statistic);
    let busy = |cpu, gpu| [Some(cpu), observation.variant.may_have_gpus().then_some(gpu)].into_iter().flatten();
    let mut read = vec![(Metric::Invocations, Statistic::Sum), (Metric::ModelLatency, latency)];
    match observation.hosting {
        Hosting::RealTime | Hosting::MultiModel | Hosting::MultiContainer => {
            read.extend(
                busy(Metric::CPUUtilization, Metric::GPUUtilization).map(|metric| (metric, Statistic::Maximum)),
            );
        }
        Hosting::InferenceComponent => {
            let busy = busy(Metric::CPUUtilizationNormalized, Metric::GPUUtilizationNormalized);
            read.extend(busy.map(|metric| (metric, Statistic::Maximum)));
        }
        Hosting::Serverless => {
            read.push((Metric::ServerlessConcurrentExecutionsUtilization, Statistic::Maximum));
        }
        Hosting::Asynchronous => {
            read = vec![(Metric::ModelLatency, latency), (Metric::ApproximateAgeOfOldestRequest, Statistic::Maximum)];
            read.extend(
                busy(Metric::CPUUtilization, Metric::GPUUtilization).map(|metric| (metric, Statistic::Maximum)),
            );
        }
    }
    let query = |(metric, statistic)| Query {
        part: None,
        metric,
        statistic,
        depth: Depth::History,
        dimensions: whose.dimensions(metric),
    };
    read.into_iter().map(query).collect()
}
