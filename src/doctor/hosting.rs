//! Rules about what serves: how many, and how requests find them.

use super::commands::{new_configuration, register};
use super::patient::Patient;
use super::range::LEAST_AVAILABLE;
use super::room::{counted, running_in_words};
use super::rule::Found;
use crate::model::{InstanceCount, MinuteRow, ScalableDimension, ScalableTarget, Utilization};
use crate::statistics::median;

/// Minutes of utilisation that are looked at: what the diagnosis reads.
const MINUTES: i64 = 1_440;
/// Fewer say nothing of how load is shared.
const LEAST_MINUTES: usize = 60;
/// What an idle instance shows differs by more than it says.
const LEAST_MEAN: f64 = 0.05;
/// Where the mean is kept at three quarters of what an instance sustains, one with 1.3 times the mean is at its limit.
const UNEVEN: f64 = 1.3;

/// One instance is all there is.
pub(super) fn single_instance(patient: &Patient<'_>) -> Vec<Found> {
    let observation = patient.observation;
    let Some(running) = patient.running().filter(|_| patient.serves_callers() && patient.is_used()) else {
        return Vec::new();
    };
    let of = observation.dimension();
    let target = patient.target();
    let least = target.map_or(running, ScalableTarget::calm_min_capacity);
    if least.min(running) != InstanceCount(1) {
        return Vec::new();
    }
    let requests: f64 = patient.last(MINUTES).filter_map(|row| row.invocations).map(|arrived| arrived.0).sum();
    let evidence = format!(
        "{}{}, and {} requests came in the last day.",
        running_in_words(running, of),
        if target.is_some() { " and MinCapacity is 1" } else { "" },
        crate::model::Thousands(requests.round())
    );
    let command = match target {
        Some(target) => register(patient, LEAST_AVAILABLE, target.max_capacity.max(LEAST_AVAILABLE)),
        None => observation.variant_name.as_ref().filter(|_| of == ScalableDimension::InstanceCount).map(|variant| {
            format!(
                "aws sagemaker update-endpoint-weights-and-capacities --endpoint-name {} --desired-weights-and-capacities \
                 VariantName={variant},DesiredInstanceCount={LEAST_AVAILABLE}",
                observation.endpoint_name
            )
        }),
    };
    let fix = format!(
        "Keep {} or more; silence this rule where an outage is acceptable. (The tag endpoint-advisor:min-instances keeps plans there.)",
        counted(LEAST_AVAILABLE, of)
    );
    vec![Found::new(evidence, fix).with(command)]
}

/// Requests are spread at random, and some instances get more than others.
pub(super) fn random_routing(patient: &Patient<'_>) -> Vec<Found> {
    let variant = &patient.observation.variant;
    let is_random = variant.routing_strategy.as_deref().is_none_or(|strategy| strategy == "RANDOM");
    let several = variant.current_instance_count.is_some_and(|count| count.0 > 1);
    if !is_random || !several || patient.observation.dimension() != ScalableDimension::InstanceCount {
        return Vec::new();
    }
    let shares = |resource: fn(&MinuteRow) -> Utilization| {
        let share = |row: &MinuteRow| {
            let used = resource(row);
            let mean = used.average.filter(|mean| *mean >= LEAST_MEAN)?;
            Some(used.maximum? / mean)
        };
        let shares: Vec<f64> = patient.last(MINUTES).filter_map(share).collect();
        median(shares.iter().copied()).filter(|_| shares.len() >= LEAST_MINUTES).map(|share| (share, shares.len()))
    };
    let cpu = shares(|row| row.cpu).map(|found| (found, "CPU"));
    let gpu = shares(|row| row.gpu).map(|found| (found, "GPU"));
    let widest = cpu.into_iter().chain(gpu).max_by(|a, b| a.0.0.total_cmp(&b.0.0));
    let Some(((share, minutes), name)) = widest.filter(|((share, _), _)| *share >= UNEVEN) else { return Vec::new() };
    let evidence = format!(
        "In the median of {minutes} minutes the busiest instance used {share:.2} times as much {name} as the mean of all."
    );
    let fields = "{RoutingConfig: {RoutingStrategy: `\"LEAST_OUTSTANDING_REQUESTS\"`}}";
    let fix = "Route by LEAST_OUTSTANDING_REQUESTS, in a new endpoint configuration.";
    vec![Found::new(evidence, fix).with(new_configuration(patient, "-least-outstanding", fields))]
}
