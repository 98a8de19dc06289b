//! Whether requests moved between the endpoint's variants: more of them for this one, while all of them together are as
//! many as ever.
//!
//! SageMaker spreads requests over production variants by their weights, unless a request names its `TargetVariant`.

use super::fact;
use crate::diagnose::check::{CERTAIN, Check};
use crate::diagnose::windows::{Windows, positive};
use crate::model::{EndpointName, Fact, Metric, Minute, Observation, Part, PartMetrics, Statistic, VariantName};
use crate::statistics::median;

/// Shares move by a few hundredths by themselves.
const MOVED: f64 = 1.1;
/// Fewer minutes of either kind are chance.
const ENOUGH_MINUTES: usize = 3;
/// Requests to the others that are fewer by less than this did not move.
const FEWER: f64 = 0.95;
/// Weights that differ from the traffic by more than this do not explain it.
const SAME_SHARE: f64 = 0.15;

/// The variant's share of the requests to the endpoint's production variants.
pub(in crate::diagnose) struct TrafficShare {
    endpoint_name: EndpointName,
    now: f64,
    /// In the hour before the incident.
    before: f64,
    /// Requests to all of them, against that hour.
    total_ratio: f64,
    /// What each variant got in that hour.
    usual: Vec<(VariantName, f64)>,
    /// What the weights give this one now, where they are known.
    by_weight: Option<f64>,
}

impl TrafficShare {
    pub(super) fn measure(windows: &Windows) -> Option<Self> {
        let observation = windows.observation;
        let name = observation.variant_name.as_ref()?;
        let others: Vec<Other> = observation.parts.iter().filter_map(|part| Other::of(part, observation)).collect();
        if others.is_empty() {
            return None;
        }
        let minute = |minute: Minute, others: &[Other], is_now: bool| {
            let own = windows.history.0.get(&minute)?.invocations?.0;
            let others: Vec<f64> =
                others.iter().map(|other| other.requests(minute, is_now)).collect::<Option<Vec<f64>>>()?;
            Some((own, others)).filter(|(own, others)| own + others.iter().sum::<f64>() > 0.0)
        };
        let now: Vec<_> = windows.last_minutes().filter_map(|at| minute(at, &others, true)).collect();
        let hour = (4..=63).map(|back| windows.onset.plus(-back));
        let before: Vec<_> = hour.filter_map(|at| minute(at, &others, false)).collect();
        if now.len() < ENOUGH_MINUTES || before.len() < ENOUGH_MINUTES {
            return None;
        }
        let total = |(own, others): &(f64, Vec<f64>)| own + others.iter().sum::<f64>();
        let share = |minutes: &[(f64, Vec<f64>)]| median(minutes.iter().map(|minute| minute.0 / total(minute)));
        let of_other =
            |index: usize| median(before.iter().filter_map(|minute| Some(minute.1.get(index)? / total(minute))));
        let share_before = share(&before)?;
        let mut usual = vec![(name.clone(), share_before)];
        for (index, other) in others.iter().enumerate() {
            usual.push((other.name.clone(), of_other(index)?));
        }
        Some(Self {
            endpoint_name: observation.endpoint_name.clone(),
            now: share(&now)?,
            before: share_before,
            total_ratio: median(now.iter().map(total))? / positive(median(before.iter().map(total))?)?,
            usual,
            by_weight: by_weight(observation, name),
        })
    }

    fn ratio(&self) -> f64 {
        self.now / self.before.max(f64::MIN_POSITIVE)
    }

    /// More of the requests come to this variant, that explains more of its load than all requests together do, and they
    /// moved: the others get fewer, or the weights say so. (What comes on top for one variant is growth.)
    pub fn has_risen(&self) -> bool {
        let others_get_fewer = (1.0 - self.now) * self.total_ratio < FEWER * (1.0 - self.before);
        let is_by_weight =
            self.by_weight.is_some_and(|weight| (weight - self.now).abs() < (weight - self.before).abs());
        self.ratio() > MOVED && self.ratio() > self.total_ratio && (others_get_fewer || is_by_weight)
    }

    /// `its share of the endpoint's requests rose from 10 to 50 %; all of them together are 1.02 times as many as usual`.
    pub fn in_words(&self) -> String {
        let (before, now) = (100.0 * self.before, 100.0 * self.now);
        let moved = match self.ratio() {
            ratio if ratio > MOVED => format!("rose from {before:.0} to {now:.0} %"),
            ratio if ratio < 1.0 / MOVED => format!("fell from {before:.0} to {now:.0} %"),
            _ => format!("is {now:.0} %, as before"),
        };
        format!(
            "its share of the endpoint's requests {moved}; all of them together are {:.2} times as many as usual",
            self.total_ratio
        )
    }

    /// The rise as evidence; it is not what makes a cause weak.
    pub fn is_shifted(&self) -> Check {
        Check::by("traffic_share", Some(self.now), CERTAIN, self.in_words()).share(self.before)
    }

    /// How to shift it back.
    pub fn next_step(&self) -> String {
        if self.by_weight.is_some_and(|weight| (weight - self.now).abs() > SAME_SHARE) {
            return "The weights do not explain the shift: find out which callers name this variant (TargetVariant)."
                .to_owned();
        }
        let weights: Vec<String> = self
            .usual
            .iter()
            .map(|(name, share)| format!("VariantName={name},DesiredWeight={}", (share * 1_000.0).round() / 1_000.0))
            .collect();
        format!(
            "If the shift was not meant, give the variants the shares that they had: aws sagemaker \
             update-endpoint-weights-and-capacities --endpoint-name {} --desired-weights-and-capacities {}",
            self.endpoint_name,
            weights.join(" ")
        )
    }

    pub(super) fn facts(&self) -> Vec<Fact> {
        vec![fact("traffic_share", Some(self.now), Some(self.before), "share", self.in_words())]
    }
}

/// Another production variant.
struct Other<'a> {
    name: &'a VariantName,
    part: &'a PartMetrics,
    /// No request comes to it now by its weight.
    has_no_weight: bool,
}

impl<'a> Other<'a> {
    fn of(part: &'a PartMetrics, observation: &Observation) -> Option<Self> {
        let Part::Variant(name) = &part.part else { return None };
        let weight = observation.endpoint.weights.iter().find(|weight| weight.variant_name == *name);
        let has_no_weight = weight.is_some_and(|weight| weight.current_weight <= 0.0);
        Some(Self { name, part, has_no_weight })
    }

    /// A gap is not zero, unless no request can have come.
    fn requests(&self, minute: Minute, is_now: bool) -> Option<f64> {
        let counted = self.part.at(Metric::Invocations, Statistic::Sum, minute);
        counted.or((is_now && self.has_no_weight).then_some(0.0))
    }
}

/// The share that the weights give a variant.
fn by_weight(observation: &Observation, name: &VariantName) -> Option<f64> {
    let weights = &observation.endpoint.weights;
    let own = weights.iter().find(|weight| weight.variant_name == *name)?.current_weight;
    Some(own / positive(weights.iter().map(|weight| weight.current_weight).sum())?)
}
