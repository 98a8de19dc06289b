//! What the causes are judged by: the last minutes held against those before.

use crate::diagnose::windows::positive;
use crate::model::{
    Concurrency, EndpointName, History, InstanceCount, LatencyObjective, Microseconds, Minute, MinuteRow, Observation,
    Serverless, ServerlessMinute, Statistic, VariantName, serverless_minutes,
};
use crate::statistics::median;

/// What is looked at: the last day.
const DAY_MINUTES: i64 = 24 * 60;
/// How slow and how busy it is now, by its last five minutes.
const NOW_MINUTES: i64 = 5;
/// Cold starts come in a few minutes of many, so more is looked at.
const RECENT_MINUTES: i64 = 15;
/// With fewer requests, minutes from before are taken in, up to an hour.
const ENOUGH: f64 = 20.0;
const FURTHEST_MINUTES: i64 = 60;
/// Fewer requests in a day show nothing.
const LEAST_IN_A_DAY: f64 = 10.0;
/// With fewer minutes before the incident, what is normal is hardly known.
const CERTAIN_BASELINE_MINUTES: usize = 60;
const BASELINE_MINUTES: usize = 10;

/// A minute with what every variant publishes, and what only serverless ones do.
#[derive(Clone, Copy)]
pub(super) struct Moment<'a> {
    pub row: &'a MinuteRow,
    pub of: ServerlessMinute,
}

impl Moment<'_> {
    fn count(&self) -> f64 {
        self.of.invocations.0
    }

    fn latency(&self) -> Option<f64> {
        self.row.latency.map(|latency| latency.0)
    }

    /// Mean time of a request, set-up and everything else included.
    fn whole(&self) -> Option<f64> {
        Some(self.row.latency_average?.0 + self.row.overhead?.0)
    }
}

/// Measurements of one incident. A value is none where its metric was missing.
pub(super) struct Features {
    pub endpoint_name: EndpointName,
    pub variant_name: Option<VariantName>,
    pub model_name: Option<String>,
    pub config_name: Option<String>,
    pub has_other_variants: bool,
    pub serverless: Option<Serverless>,
    pub objective: Option<LatencyObjective>,
    pub statistic: Statistic,
    /// The first of the last minutes.
    pub since: Minute,
    /// Above this a minute is bad.
    pub limit: Option<Microseconds>,
    pub latency: Option<Microseconds>,
    pub normal_latency: Option<Microseconds>,
    /// Share of the earlier minutes over the objective.
    pub violation_share: Option<f64>,
    /// Mean overhead, set-up left out.
    pub overhead: Option<Microseconds>,
    pub normal_overhead: Option<Microseconds>,
    /// Requests of the coldest minutes of the last quarter of an hour, and their cold starts.
    pub coldest: Minute,
    pub requests: f64,
    pub setups: Option<f64>,
    pub normal_cold_share: Option<f64>,
    pub setup_time: Option<Microseconds>,
    /// Set-up as a share of what requests take beyond what is normal.
    pub explained: Option<f64>,
    /// The longest pause before a cold start; minutes.
    pub pause: Option<i64>,
    /// Requests beyond provisioned concurrency, and the share of them.
    pub spillover: Option<f64>,
    /// The most requests at once: in the median of the last minutes.
    pub most: Option<Concurrency>,
    /// That over `MaxConcurrency`.
    pub utilization: Option<f64>,
    /// Requests a minute, now over normally, and over the whole day.
    pub rate_ratio: Option<f64>,
    pub rate: f64,
    pub requests_per_minute: f64,
    /// Mean time that a request takes, set-up left out, now over normally.
    pub duration_ratio: Option<f64>,
    /// Refused before they reached the model.
    pub throttled_share: Option<f64>,
    /// Refused by the model.
    pub share_4xx: Option<f64>,
    pub normal_4xx: f64,
    pub share_5xx: Option<f64>,
    pub normal_5xx: f64,
    pub memory: Option<f64>,
    pub normal_memory: Option<f64>,
    /// Minutes from the last deployment until the last minutes.
    pub deployed_minutes_ago: Option<i64>,
    pub is_history_short: bool,
}

impl Features {
    /// Measures the last minutes of an observation.
    ///
    /// # Errors
    /// What is missing, in words, where there is not enough to judge.
    pub fn of(observation: &Observation, history: &History) -> Result<Self, Vec<String>> {
        let last = observation.last_minute();
        let minutes = serverless_minutes(observation, history);
        let day: Vec<Moment> = minutes
            .into_iter()
            .filter(|of| last.since(of.minute) < DAY_MINUTES)
            .filter_map(|of| Some(Moment { row: history.0.get(&of.minute)?, of }))
            .collect();
        let requests: f64 = day.iter().map(Moment::count).sum();
        let (Some(first), Some(latest)) = (day.first(), day.last()) else { return Err(vec!["Invocations".to_owned()]) };
        if requests < LEAST_IN_A_DAY {
            return Err(vec![format!("{requests:.0} requests came in the last day, and {LEAST_IN_A_DAY} are needed")]);
        }
        if last.since(latest.of.minute) > FURTHEST_MINUTES {
            return Err(vec![format!("no request came in the last {FURTHEST_MINUTES} minutes")]);
        }
        let now = last_minutes(&day, last, NOW_MINUTES);
        let recent = last_minutes(&day, last, RECENT_MINUTES);
        let since = recent.first().map_or(last, |moment| moment.of.minute);
        let before: Vec<Moment> = day.iter().copied().filter(|moment| moment.of.minute < since.plus(-3)).collect();
        let has_baseline = before.len() >= BASELINE_MINUTES;
        #[expect(clippy::cast_precision_loss, reason = "minutes of a day")]
        let observed_minutes = (last.since(first.of.minute) + 1) as f64;
        let mut features = Self {
            requests_per_minute: requests / observed_minutes,
            is_history_short: before.len() < CERTAIN_BASELINE_MINUTES,
            ..Self::unmeasured(observation, since)
        };
        let coldest = coldest(&recent);
        features.measure_time(&now, coldest, if has_baseline { &before } else { &[] });
        features.measure_cold_starts(observation, &day, coldest, &before);
        features.measure_concurrency(&now, &before);
        features.measure_failures(&now, &before);
        Ok(features)
    }

    fn unmeasured(observation: &Observation, since: Minute) -> Self {
        let deployed = observation.endpoint.endpoint_config_created_at.map(Minute::containing);
        Self {
            endpoint_name: observation.endpoint_name.clone(),
            variant_name: observation.variant_name.clone(),
            model_name: observation.variant.model_name.clone(),
            config_name: observation.endpoint.endpoint_config_name.clone(),
            has_other_variants: observation.endpoint.weights.len() > 1,
            serverless: observation.variant.serverless,
            objective: observation.objective,
            statistic: observation.objective.map_or(Statistic::P90, |objective| objective.slo_statistic),
            since,
            limit: None,
            latency: None,
            normal_latency: None,
            violation_share: None,
            overhead: None,
            normal_overhead: None,
            coldest: since,
            requests: 0.0,
            setups: None,
            normal_cold_share: None,
            setup_time: None,
            explained: None,
            pause: None,
            spillover: None,
            most: None,
            utilization: None,
            rate_ratio: None,
            rate: 0.0,
            requests_per_minute: 0.0,
            duration_ratio: None,
            throttled_share: None,
            share_4xx: None,
            normal_4xx: 0.0,
            share_5xx: None,
            normal_5xx: 0.0,
            memory: None,
            normal_memory: None,
            deployed_minutes_ago: deployed.map(|deployed| observation.last_minute().since(deployed)),
            is_history_short: true,
        }
    }

    fn measure_time(&mut self, now: &[Moment], coldest: &[Moment], before: &[Moment]) {
        self.latency = middle(now, |moment| moment.latency()).map(Microseconds);
        self.normal_latency = middle(before, |moment| moment.latency()).map(Microseconds);
        let objective = self.objective.map(|objective| objective.latency_slo_ms.to_microseconds());
        self.limit = objective.or(self.normal_latency.map(|normal| Microseconds(1.5 * normal.0)));
        let over =
            |limit: Microseconds| before.iter().filter(move |m| m.latency().is_some_and(|l| l > limit.0)).count();
        self.violation_share = objective
            .filter(|_| !before.is_empty())
            .map(|limit| crate::diagnose::windows::share(over(limit), before.len()));
        // What set-up adds to the mean is told apart from what else happens outside the container.
        let warm = |moment: &Moment| {
            let set_up = moment.of.setups * moment.of.setup_time.map_or(0.0, |time| time.0) / moment.count();
            moment.row.overhead.map(|overhead| (overhead.0 - set_up).max(0.0))
        };
        // A container is taken for as long as a request is on its way.
        let taken = |moment: &Moment| Some(moment.of.held?.0);
        self.duration_ratio = ratio(middle(now, taken), middle(before, taken));
        self.overhead = middle(now, warm).map(Microseconds);
        self.normal_overhead = middle(before, warm).map(Microseconds);
        let calm: Vec<Moment> = before.iter().copied().filter(|moment| moment.of.setups < 0.5).collect();
        let excess = mean(coldest, |moment| moment.whole())
            .zip(middle(&calm, |moment| moment.whole()))
            .map(|(now, normal)| now - normal);
        let set_up = mean(coldest, |moment| {
            moment.row.overhead?;
            Some(moment.of.setups * moment.of.setup_time.map_or(0.0, |time| time.0) / moment.count())
        });
        self.explained = set_up.zip(excess.and_then(positive)).map(|(set_up, excess)| set_up / excess);
    }

    fn measure_cold_starts(
        &mut self,
        observation: &Observation,
        day: &[Moment],
        coldest: &[Moment],
        before: &[Moment],
    ) {
        use crate::model::Metric::ModelSetupTime;
        self.coldest = coldest.first().map_or(self.since, |moment| moment.of.minute);
        self.requests = coldest.iter().map(Moment::count).sum();
        // Every variant was cold once; where that never showed, the metric is what is missing.
        let is_published = observation.metrics.series(ModelSetupTime, Statistic::SampleCount).is_some();
        let cold = |moments: &[Moment]| moments.iter().map(|moment| moment.of.setups).sum::<f64>();
        self.setups = is_published.then(|| cold(coldest));
        let earlier: f64 = before.iter().map(Moment::count).sum();
        self.normal_cold_share = positive(earlier).filter(|_| is_published).map(|earlier| cold(before) / earlier);
        let took: f64 = coldest.iter().filter_map(|m| Some(m.of.setups * m.of.setup_time?.0)).sum();
        self.setup_time = self.setups.and_then(positive).map(|setups| Microseconds(took / setups));
        let pairs = day.iter().zip(day.iter().skip(1));
        let pauses = pairs.filter(|(_, after)| after.of.minute >= self.since && after.of.setups > 0.0);
        self.pause = pauses.map(|(before, after)| after.of.minute.since(before.of.minute) - 1).max();
        self.spillover = sum(coldest, |moment| moment.of.spillover);
    }

    fn measure_concurrency(&mut self, now: &[Moment], before: &[Moment]) {
        let most = middle(now, |moment| moment.of.most.map(|most| most.0));
        self.most = most.map(Concurrency);
        self.utilization =
            most.zip(self.serverless).map(|(most, serverless)| most / f64::from(serverless.max_concurrency));
        let rate = |moments: &[Moment]| middle(moments, |moment| Some(moment.count()));
        self.rate = rate(now).unwrap_or(0.0);
        self.rate_ratio = ratio(rate(now), rate(before));
    }

    fn measure_failures(&mut self, now: &[Moment], before: &[Moment]) {
        // A minute of which one of the counts has not come yet does not say whose errors they were.
        let is_published =
            |count: fn(&MinuteRow) -> Option<f64>| now.iter().chain(before).any(|moment| count(moment.row).is_some());
        let (has_model_errors, has_5xx) = (is_published(|row| row.model_errors), is_published(|row| row.errors_5xx));
        let errors_5xx = |m: &Moment| m.row.errors_5xx.or((!has_5xx).then_some(0.0));
        // SageMaker counts what it refuses itself as a 4xx that no model answered.
        let by_model = |m: &Moment| match m.row.model_errors {
            Some(errors) => Some((errors - errors_5xx(m)?).clamp(0.0, m.row.errors_4xx?)),
            None => m.row.errors_4xx.filter(|_| !has_model_errors),
        };
        let throttled =
            |m: &Moment| Some((m.row.errors_4xx? - (m.row.model_errors? - m.row.errors_5xx?).max(0.0)).max(0.0));
        let share = |moments: &[Moment], errors: &dyn Fn(&Moment) -> Option<f64>| {
            let known: Vec<(f64, f64)> = moments.iter().filter_map(|m| Some((errors(m)?, m.count()))).collect();
            let (errors, requests) = known.iter().fold((0.0, 0.0), |sums, (errors, of)| (sums.0 + errors, sums.1 + of));
            Some(errors / positive(requests)?)
        };
        self.throttled_share = share(now, &throttled);
        self.share_4xx = share(now, &by_model);
        self.normal_4xx = share(before, &by_model).unwrap_or(0.0);
        self.share_5xx = share(now, &|m| m.row.errors_5xx);
        self.normal_5xx = share(before, &|m| m.row.errors_5xx).unwrap_or(0.0);
        self.memory = middle(now, |moment| moment.row.memory);
        self.normal_memory = middle(before, |moment| moment.row.memory);
    }

    /// Share of the last requests that met a cold start.
    pub fn cold_share(&self) -> Option<f64> {
        Some(self.setups? / positive(self.requests)?)
    }

    /// Share of the last requests that provisioned concurrency did not serve.
    pub fn spillover_share(&self) -> Option<f64> {
        Some(self.spillover? / positive(self.requests)?)
    }

    /// Latency, now over normally.
    pub fn latency_ratio(&self) -> Option<f64> {
        ratio(self.latency.map(|now| now.0), self.normal_latency.map(|normal| normal.0))
    }

    /// Latency over what it should be.
    pub fn latency_to_limit(&self) -> Option<f64> {
        ratio(self.latency.map(|now| now.0), self.limit.map(|limit| limit.0))
    }

    /// Normal latency over the objective.
    pub fn normal_to_objective(&self) -> Option<f64> {
        let objective = self.objective?.latency_slo_ms.to_microseconds();
        ratio(self.normal_latency.map(|normal| normal.0), Some(objective.0))
    }

    /// The rise of overhead, over the objective (over normal latency where there is none).
    pub fn overhead_rise(&self) -> Option<f64> {
        let objective = self.objective.map(|objective| objective.latency_slo_ms.to_microseconds());
        let reference = objective.or(self.normal_latency)?;
        Some((self.overhead?.0 - self.normal_overhead?.0) / positive(reference.0)?)
    }

    /// `MaxConcurrency`.
    pub fn max_concurrency(&self) -> Option<InstanceCount> {
        self.serverless.map(|serverless| InstanceCount(serverless.max_concurrency))
    }
}

/// The moments of the last `minutes`, and of more where too few requests came in them.
fn last_minutes<'a>(day: &[Moment<'a>], last: Minute, minutes: i64) -> Vec<Moment<'a>> {
    let mut count = 0.0;
    let mut moments: Vec<Moment> = Vec::new();
    for moment in day.iter().rev() {
        let ago = last.since(moment.of.minute);
        if ago >= minutes && (count >= ENOUGH || ago >= FURTHEST_MINUTES) {
            break;
        }
        count += moment.count();
        moments.push(*moment);
    }
    moments.reverse();
    moments
}

/// The moments in a row, two at least and with enough requests, of which the largest share was cold.
fn coldest<'m, 'a>(recent: &'m [Moment<'a>]) -> &'m [Moment<'a>] {
    let runs = (0..recent.len()).filter_map(|begin| {
        let mut count = 0.0;
        let rest = recent.get(begin..)?;
        let length = rest.iter().position(|moment| {
            count += moment.count();
            count >= ENOUGH
        });
        let run = rest.get(..(length? + 1).max(2))?;
        let cold: f64 = run.iter().map(|moment| moment.of.setups).sum();
        Some((cold / run.iter().map(Moment::count).sum::<f64>(), run))
    });
    runs.max_by(|left, right| left.0.total_cmp(&right.0)).map_or(recent, |(_, run)| run)
}

/// The median over moments.
fn middle(moments: &[Moment], value: impl Fn(&Moment) -> Option<f64>) -> Option<f64> {
    median(moments.iter().filter_map(value))
}

/// The mean over requests.
fn mean(moments: &[Moment], value: impl Fn(&Moment) -> Option<f64>) -> Option<f64> {
    let known = moments.iter().filter_map(|moment| Some((value(moment)?, moment.count())));
    let (sum, count) =
        known.fold((0.0, 0.0), |(sum, count), (value, requests)| (sum + value * requests, count + requests));
    Some(sum / positive(count)?)
}

/// The sum over moments; none where none of them has a value.
fn sum(moments: &[Moment], value: impl Fn(&Moment) -> Option<f64>) -> Option<f64> {
    moments.iter().filter_map(value).fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
}

fn ratio(now: Option<f64>, normal: Option<f64>) -> Option<f64> {
    Some(now? / positive(normal?)?)
}
