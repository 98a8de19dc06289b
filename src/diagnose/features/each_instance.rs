//! Each instance by itself, where enhanced metrics name them: which one is slow, or gets more than its share.

use super::fact;
use crate::diagnose::check::Check;
use crate::diagnose::windows::{Windows, positive};
use crate::model::{Fact, Metric, Microseconds, Minute, Part, PartMetrics, Statistic};
use crate::statistics::median;

/// So many times as slow as the others is not chance.
const SLOWER: f64 = 1.5;
/// And so many times as much slower as it usually is: types of a mix differ all the time.
const SLOWER_THAN_USUAL: f64 = 1.25;
/// Fewer requests in the last minutes say nothing of an instance.
const LEAST_REQUESTS: f64 = 20.0;

/// The slowest instance against the others.
pub(in crate::diagnose) struct EachInstance {
    /// Its `InstanceId`.
    pub id: String,
    /// How many there are with it.
    pub count: usize,
    statistic: Statistic,
    latency: Microseconds,
    others_latency: Microseconds,
    /// Its share of the requests, and what the others get in the middle.
    share: f64,
    others_share: f64,
    /// CPU against the others'.
    cpu_ratio: Option<f64>,
    /// How much slower it was than the others before the incident.
    usual_ratio: Option<f64>,
    /// The others' latency over the limit.
    others_to_limit: f64,
}

struct One<'a> {
    id: &'a str,
    part: &'a PartMetrics,
    latency: f64,
    requests: f64,
}

impl EachInstance {
    pub(super) fn measure(windows: &Windows) -> Option<Self> {
        let statistic = windows.statistic();
        let now: Vec<Minute> = windows.last_minutes().collect();
        let one = |part: &'_ PartMetrics| {
            let latency = median(values(part, Metric::ModelLatency, statistic, &now))?;
            let requests: f64 = values(part, Metric::Invocations, Statistic::Sum, &now).sum();
            Some((latency, requests)).filter(|(_, requests)| *requests >= LEAST_REQUESTS)
        };
        let instances: Vec<One> = windows
            .observation
            .parts
            .iter()
            .filter_map(|part| {
                let Part::Instance(id) = &part.part else { return None };
                one(part).map(|(latency, requests)| One { id, part, latency, requests })
            })
            .collect();
        let slowest = instances.iter().max_by(|a, b| a.latency.total_cmp(&b.latency))?;
        let others: Vec<&One> = instances.iter().filter(|one| one.id != slowest.id).collect();
        let of_others = |value: &dyn Fn(&One) -> Option<f64>| median(others.iter().filter_map(|one| value(one)));
        let others_latency = of_others(&|one| Some(one.latency)).and_then(positive)?;
        let all: f64 = instances.iter().map(|one| one.requests).sum();
        let cpu = |one: &One| median(values(one.part, Metric::CPUUtilization, Statistic::Average, &now));
        // Before the incident, as far as the hour that is read goes back.
        let before: Vec<Minute> = (4..=60).map(|back| windows.onset.plus(-back)).collect();
        let earlier = |one: &One| median(values(one.part, Metric::ModelLatency, statistic, &before));
        Some(Self {
            id: slowest.id.to_owned(),
            count: instances.len(),
            statistic,
            latency: Microseconds(slowest.latency),
            others_latency: Microseconds(others_latency),
            share: slowest.requests / all,
            others_share: of_others(&|one| Some(one.requests / all))?,
            cpu_ratio: cpu(slowest).zip(of_others(&cpu).and_then(positive)).map(|(own, others)| own / others),
            usual_ratio: earlier(slowest).zip(of_others(&earlier).and_then(positive)).map(|(own, others)| own / others),
            others_to_limit: others_latency / windows.slow.limit.0,
        })
    }

    fn ratio(&self) -> f64 {
        self.latency.0 / self.others_latency.0
    }

    /// `instance i-0abc: p90 ModelLatency is 1.20 s, 4.1 times that of the others (290 ms), with 24 % of the requests
    /// (the others: 25 % each)`.
    pub fn in_words(&self) -> String {
        let cpu = self.cpu_ratio.map_or(String::new(), |ratio| format!("; its CPU is {ratio:.2} times theirs"));
        format!(
            "instance {}: {} ModelLatency is {}, {:.1} times that of the others ({}), with {:.0} % of the requests (the \
             others: {:.0} % each){cpu}",
            self.id,
            self.statistic,
            self.latency,
            self.ratio(),
            self.others_latency,
            100.0 * self.share,
            100.0 * self.others_share
        )
    }

    /// This one is slow, and the others are within the limit: what slows it does not slow them.
    pub fn stands_out(&self) -> Check {
        let slower = (self.ratio() - SLOWER) / 0.4;
        let others_are_fine = (0.95 - self.others_to_limit) / 0.15;
        let than_usual = self
            .usual_ratio
            .and_then(positive)
            .map_or(f64::INFINITY, |usual| (self.ratio() / usual - SLOWER_THAN_USUAL) / 0.25);
        let margin = slower.min(others_are_fine).min(than_usual);
        Check::by("instance_latency_ratio", Some(self.ratio()), margin, self.in_words())
    }

    pub(super) fn facts(&self) -> Vec<Fact> {
        let text = if self.ratio() < SLOWER {
            format!(
                "the {} instances are alike: the slowest ({}) takes {:.2} times as long as the others",
                self.count,
                self.id,
                self.ratio()
            )
        } else {
            self.in_words()
        };
        vec![fact("instance_latency_ratio", Some(self.ratio()), self.usual_ratio.or(Some(1.0)), "ratio", text)]
    }
}

fn values(part: &PartMetrics, metric: Metric, statistic: Statistic, minutes: &[Minute]) -> impl Iterator<Item = f64> {
    minutes.iter().filter_map(move |minute| part.at(metric, statistic, *minute))
}
