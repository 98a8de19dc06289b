//! Metrics from `GetMetricData`, one value a minute, gaps kept as gaps.

use super::Request;
use super::statistics::{Depth, statistics};
use super::whose::Whose;
use crate::aws::{Aws, CallError};
use crate::model::{Metric, Metrics, Minute, Series, Statistic};
use aws_sdk_cloudwatch::types::{Metric as CloudWatchMetric, MetricDataQuery, MetricStat, ScanBy, StatusCode};
use aws_smithy_types::DateTime;
use futures::future::try_join_all;
use std::collections::BTreeMap;

/// One page of an answer holds this many datapoints; a request that fits takes one round trip.
const PAGE_DATAPOINTS: i64 = 100_800;
const DAY_MINUTES: i64 = 24 * 60;
/// CloudWatch keeps single minutes for 15 days; one minute less, because the oldest expires while we ask.
const RETENTION_MINUTES: i64 = 15 * DAY_MINUTES - 1;

const PERIOD_SECONDS: i32 = 60;
const ACTION: &str = "cloudwatch:GetMetricData";

/// Reads the metrics of a variant or component up to the end of the request's window.
pub(super) async fn metrics(
    aws: &Aws,
    request: &Request,
    whose: &Whose,
    latency: Statistic,
    has_gpu: bool,
) -> Result<Metrics, CallError> {
    let end = Minute::containing(request.at);
    let oldest = Minute::containing(request.now).plus(-RETENTION_MINUTES);
    let first = |depth| {
        let minutes = match depth {
            Depth::History => i64::from(request.history_days) * DAY_MINUTES,
            Depth::Day => DAY_MINUTES.min(i64::from(request.history_days) * DAY_MINUTES),
        };
        end.plus(-minutes).max(oldest)
    };
    let mut chunks: Vec<Chunk> = Vec::new();
    for (metric, statistic, depth) in statistics(whose.hosting, latency, has_gpu) {
        let first = first(depth);
        match chunks.iter_mut().find(|chunk| chunk.first == first && chunk.has_room(end)) {
            Some(chunk) => chunk.statistics.push((metric, statistic)),
            None => chunks.push(Chunk { first, statistics: vec![(metric, statistic)] }),
        }
    }
    let requests = chunks.iter().filter(|chunk| chunk.first < end).map(|chunk| read(aws, chunk, whose, end));
    Ok(Metrics(try_join_all(requests).await?.into_iter().flatten().collect()))
}

/// Statistics that are read in one request.
struct Chunk {
    first: Minute,
    statistics: Vec<(Metric, Statistic)>,
}

impl Chunk {
    /// Whether one more statistic still fits on the page.
    fn has_room(&self, end: Minute) -> bool {
        let series = i64::try_from(self.statistics.len()).unwrap_or(i64::MAX).saturating_add(1);
        end.since(self.first).saturating_mul(series) <= PAGE_DATAPOINTS
    }
}

/// One request, and its further pages where there are any.
async fn read(
    aws: &Aws,
    Chunk { first, statistics }: &Chunk,
    whose: &Whose,
    end: Minute,
) -> Result<Vec<Series>, CallError> {
    let queries = statistics.iter().enumerate().map(|(index, (metric, statistic))| {
        let metric = CloudWatchMetric::builder()
            .namespace(metric.namespace())
            .metric_name(metric.name())
            .set_dimensions(Some(whose.dimensions(*metric)))
            .build();
        let stat = MetricStat::builder().metric(metric).period(PERIOD_SECONDS).stat(statistic.to_string()).build();
        MetricDataQuery::builder().id(format!("m{index}")).metric_stat(stat).return_data(true).build()
    });
    let mut pages = aws
        .cloudwatch
        .get_metric_data()
        .set_metric_data_queries(Some(queries.collect()))
        .start_time(DateTime::from_secs(first.start().as_second()))
        .end_time(DateTime::from_secs(end.start().as_second()))
        .scan_by(ScanBy::TimestampAscending)
        .into_paginator()
        .send();
    let length = usize::try_from(end.since(*first)).unwrap_or_default();
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
                let index = Minute(time.secs().div_euclid(60)).since(*first);
                if let Some(slot) = usize::try_from(index).ok().and_then(|index| series.get_mut(index)) {
                    *slot = Some(*value);
                }
            }
        }
    }
    let series = statistics.iter().enumerate().map(|(index, (metric, statistic))| {
        Series::new(*metric, *statistic, *first, values.remove(&format!("m{index}")).unwrap_or_default())
    });
    Ok(series.collect())
}
