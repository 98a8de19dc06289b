//! Rules about what serves.

use super::{SOUND, but, check, count};
use endpoint_advisor::model::{InstanceCount, InstanceType, Metric, Metrics, Minute, Observation, Series, Statistic};

#[test]
fn ea020_a_single_instance() {
    let alone = but(|observation| {
        observation.variant.current_instance_count = count(1);
        observation.scaling.as_mut().unwrap().target.as_mut().unwrap().min_capacity = InstanceCount(1);
    });
    let mut unused = alone.clone();
    unused.metrics = Metrics::default();
    check("EA020", "min-capacity-of-one", &alone, &[&SOUND, &unused]);
    let mut fixed = alone;
    fixed.scaling.as_mut().unwrap().target = None;
    check("EA020", "one-and-fixed", &fixed, &[]);
}

#[test]
fn ea021_burstable_instances() {
    let burstable = but(|observation| {
        observation.variant.instance_type = Some(InstanceType("ml.t2.large".to_owned()));
    });
    check("EA021", "t2", &burstable, &[&SOUND]);
}

/// The busiest instance with so many times the CPU of the mean.
fn spread(observation: &mut Observation, times: f64) {
    let mean = observation.metrics.series(Metric::CPUUtilization, Statistic::Average).unwrap().clone();
    let last = observation.last_minute();
    let values = (0..1_440).map(|index| mean.at(last.plus(index - 1_439)).map(|value| times * value)).collect();
    let busiest = Series::new(Metric::CPUUtilization, Statistic::Maximum, Minute(last.0 - 1_439), values);
    observation.metrics.0.retain(|series| (series.metric, series.statistic) != (busiest.metric, busiest.statistic));
    observation.metrics.0.push(busiest);
}

#[test]
fn ea022_random_routing() {
    let uneven = but(|observation| spread(observation, 1.6));
    let even = but(|observation| spread(observation, 1.1));
    let routed = but(|observation| {
        spread(observation, 1.6);
        observation.variant.routing_strategy = Some("LEAST_OUTSTANDING_REQUESTS".to_owned());
    });
    check("EA022", "uneven-at-random", &uneven, &[&SOUND, &even, &routed]);
}
