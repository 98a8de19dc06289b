//! Metrics from `GetMetricData`, one value a minute, gaps kept as gaps.

use super::Request;
use super::statistics::Depth;
use crate::aws::{Aws, CallError};
use crate::model::{Metric, Metrics, Minute, Part, PartMetrics, Series, Statistic};
use aws_sdk_cloudwatch::types::{
    Dimension, Metric as CloudWatchMetric, MetricDataQuery, MetricStat, ScanBy, StatusCode,
};
use aws_smithy_types::DateTime;
use futures::future::try_join_all;
use std::collections::BTreeMap;

/// One page of an answer holds this many datapoints; a request that fits takes one round trip.
pub(super) const PAGE_DATAPOINTS: i64 = 100_800;
/// One request takes this many queries.
pub(super) const MOST_QUERIES: usize = 500;
const HOUR_MINUTES: i64 = 60;
pub(super) const DAY_MINUTES: i64 = 24 * 60;
/// CloudWatch keeps single minutes for 15 days; one minute less, because the oldest expires while we ask.
const RETENTION_MINUTES: i64 = 15 * DAY_MINUTES - 1;

const MINUTE_SECONDS: i32 = 60;
const ACTION: &str = "cloudwatch:GetMetricData";

/// One statistic of one metric to read.
#[derive(Clone)]
pub(super) struct Query {
    /// Whose, where not the variant's own.
    pub part: Option<Part>,
    pub metric: Metric,
    pub statistic: Statistic,
    pub depth: Depth,
    pub dimensions: Vec<Dimension>,
}

/// The variant's own metrics, and those of its parts.
#[derive(Default)]
pub(super) struct Found {
    pub own: Metrics,
    pub parts: Vec<PartMetrics>,
    /// Why only the last day was read, where more was asked for.
    pub cut: Option<CallError>,
}

/// Reads metrics up to the end of the request's window. Where CloudWatch does not give the whole history (it is by far the largest
/// answer of all), the last day has to do: what is slow now shows in it.
pub(super) async fn read(aws: &Aws, request: &Request, queries: Vec<Query>) -> Result<Found, CallError> {
    match read_whole(aws, request, queries.clone()).await {
        Err(error) if error.kind.is_temporary() && request.history_days > 1 => {
            aws.round();
            let last_day = Request { history_days: 1, ..request.clone() };
            let found = read_whole(aws, &last_day, queries).await?;
            Ok(Found { cut: Some(error), ..found })
        }
        read => read,
    }
}

async fn read_whole(aws: &Aws, request: &Request, queries: Vec<Query>) -> Result<Found, CallError> {
    let end = Minute::containing(request.at);
    let oldest = Minute::containing(request.now).plus(-RETENTION_MINUTES);
    let first = |depth| {
        let minutes = match depth {
            Depth::History => i64::from(request.history_days) * DAY_MINUTES,
            Depth::Day => DAY_MINUTES.min(i64::from(request.history_days) * DAY_MINUTES),
            Depth::Hour => HOUR_MINUTES.min(i64::from(request.history_days) * DAY_MINUTES),
        };
        end.plus(-minutes).max(oldest)
    };
    let mut chunks: Vec<Chunk> = Vec::new();
    for query in queries {
        let first = first(query.depth);
        match chunks.iter_mut().find(|chunk| chunk.first == first && chunk.has_room(end)) {
            Some(chunk) => chunk.queries.push(query),
            None => chunks.push(Chunk { first, queries: vec![query] }),
        }
    }
    let requests = chunks.into_iter().filter(|chunk| chunk.first < end).map(|chunk| read_chunk(aws, chunk, end));
    let mut found = Found::default();
    for (part, series) in try_join_all(requests).await?.into_iter().flatten() {
        let Some(part) = part else {
            found.own.0.push(series);
            continue;
        };
        match found.parts.iter_mut().find(|known| known.part == part) {
            Some(known) => known.metrics.0.push(series),
            None => found.parts.push(PartMetrics { part, metrics: Metrics(vec![series]) }),
        }
    }
    Ok(found)
}

/// Statistics that are read in one request.
struct Chunk {
    first: Minute,
    queries: Vec<Query>,
}

impl Chunk {
    /// Whether one more statistic still fits on the page.
    fn has_room(&self, end: Minute) -> bool {
        let series = i64::try_from(self.queries.len()).unwrap_or(i64::MAX).saturating_add(1);
        self.queries.len() < MOST_QUERIES && end.since(self.first).saturating_mul(series) <= PAGE_DATAPOINTS
    }
}

/// One request, and its further pages where there are any.
async fn read_chunk(
    aws: &Aws,
    Chunk { first, queries }: Chunk,
    end: Minute,
) -> Result<Vec<(Option<Part>, Series)>, CallError> {
    let values = values(aws, &queries, first, end, 1).await?;
    let series = queries
        .into_iter()
        .zip(values)
        .map(|(query, values)| (query.part, Series::new(query.metric, query.statistic, first, values)));
    Ok(series.collect())
}

/// The values of each query from `first` on, one for each period of so many minutes; a period without a datapoint is a gap.
pub(super) async fn values(
    aws: &Aws,
    queries: &[Query],
    first: Minute,
    end: Minute,
    period_minutes: u16,
) -> Result<Vec<Vec<Option<f64>>>, CallError> {
    let period = i64::from(period_minutes);
    let asked = queries.iter().enumerate().map(|(index, query)| {
        let metric = CloudWatchMetric::builder()
            .namespace(query.metric.namespace())
            .metric_name(query.metric.name())
            .set_dimensions(Some(query.dimensions.clone()))
            .build();
        let seconds = i32::from(period_minutes) * MINUTE_SECONDS;
        let stat = MetricStat::builder().metric(metric).period(seconds).stat(query.statistic.to_string()).build();
        MetricDataQuery::builder().id(format!("m{index}")).metric_stat(stat).return_data(true).build()
    });
    aws.metrics(metrics(queries));
    let mut pages = aws
        .cloudwatch
        .get_metric_data()
        .set_metric_data_queries(Some(asked.collect()))
        .start_time(DateTime::from_secs(first.start().as_second()))
        .end_time(DateTime::from_secs(end.start().as_second()))
        .scan_by(ScanBy::TimestampAscending)
        .into_paginator()
        .send();
    let length = usize::try_from(end.since(first) / period).unwrap_or_default();
    let mut values: BTreeMap<String, Vec<Option<f64>>> = BTreeMap::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| CallError::new(ACTION, error))?;
        for result in page.metric_data_results() {
            match result.status_code() {
                Some(StatusCode::Forbidden) => return Err(CallError::denied(ACTION)),
                // What failed inside CloudWatch is not a gap; asked again, it may be there.
                Some(StatusCode::InternalError) => return Err(CallError::unavailable(ACTION)),
                _ => {}
            }
            let series = values.entry(result.id().unwrap_or_default().to_owned()).or_insert_with(|| vec![None; length]);
            for (time, value) in result.timestamps().iter().zip(result.values()) {
                let index = Minute(time.secs().div_euclid(60)).since(first).div_euclid(period);
                if let Some(slot) = usize::try_from(index).ok().and_then(|index| series.get_mut(index)) {
                    *slot = Some(*value);
                }
            }
        }
    }
    Ok((0..queries.len()).map(|index| values.remove(&format!("m{index}")).unwrap_or_default()).collect())
}

/// What a request is charged for: up to five statistics of one metric count once.
fn metrics(queries: &[Query]) -> u64 {
    const TOGETHER: usize = 5;
    let mut statistics: BTreeMap<(Metric, String), usize> = BTreeMap::new();
    for Query { metric, dimensions, .. } in queries {
        let dimensions: Vec<&str> = dimensions.iter().filter_map(Dimension::value).collect();
        *statistics.entry((*metric, dimensions.join("/"))).or_default() += 1;
    }
    statistics.values().map(|count| u64::try_from(count.div_ceil(TOGETHER)).unwrap_or(u64::MAX)).sum()
}
