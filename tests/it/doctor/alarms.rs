//! Rules about alarms.

use super::{OWN, SOUND, but, check, dimensions, found, latency_alarm};
use crate::asynchronous;
use endpoint_advisor::model::{CloudWatchAlarm, Metric, Metrics, Observation, Statistic};

/// The sound set-up with this latency alarm in place of the right one.
fn with(change: impl FnOnce(&mut CloudWatchAlarm)) -> Observation {
    but(|observation| change(&mut observation.alarms.as_mut().unwrap()[0]))
}

#[test]
fn ea023_no_latency_alarm() {
    let none = but(|observation| {
        observation.alarms.as_mut().unwrap().remove(0);
    });
    let unread = but(|observation| observation.alarms = None);
    let mut unused = none.clone();
    unused.metrics = Metrics::default();
    let mut math = latency_alarm();
    math.expressions = vec!["IF(m2 > 30, m1)".to_owned()];
    math.metrics.insert(0, {
        let mut invocations = math.metrics[0].clone();
        invocations.metric_name = "Invocations".to_owned();
        invocations
    });
    let math = with(|alarm| *alarm = math);
    check("EA023", "none", &none, &[&SOUND, &unread, &unused, &math]);
    let mut queue = asynchronous::observed("growth", 3);
    queue.alarms = Some(vec![latency_alarm()]);
    check("EA023", "queue", &queue, &[]);
}

#[test]
fn ea024_no_datapoints() {
    let endpoint_only = with(|alarm| alarm.metrics[0].dimensions.truncate(1));
    check("EA024", "without-variant-name", &endpoint_only, &[&SOUND]);
    assert_eq!(found("EA023", &endpoint_only).len(), 1, "it is none");
    let cpu = with(|alarm| {
        alarm.metrics[0].metric_name = "CPUUtilization".to_owned();
        alarm.threshold = Some(300.0);
    });
    check("EA024", "other-namespace", &cpu, &[]);
    let mut queue = asynchronous::observed("growth", 3);
    let mut age = latency_alarm();
    age.metrics[0].metric_name = "ApproximateAgeOfOldestRequest".to_owned();
    age.metrics[0].dimensions = dimensions(&[("EndpointName", "transcribe")]);
    age.threshold = Some(900.0);
    queue.alarms = Some(vec![age.clone()]);
    assert_eq!((found("EA024", &queue), found("EA023", &queue)), (Vec::new(), Vec::new()));
    age.metrics[0].dimensions = dimensions(&[("EndpointName", "transcribe"), OWN[1]]);
    queue.alarms = Some(vec![age]);
    assert_eq!(found("EA024", &queue).len(), 1);
}

#[test]
fn ea025_the_wrong_statistic() {
    let sum = with(|alarm| alarm.metrics[0].statistic = "Sum".to_owned());
    let tail = with(|alarm| alarm.metrics[0].statistic = "p99".to_owned());
    let mean = with(|alarm| alarm.metrics[0].statistic = "Average".to_owned());
    check("EA025", "sum-of-latency", &sum, &[&SOUND, &tail, &mean]);
    let load = with(|alarm| {
        alarm.metrics[0].metric_name = "InvocationsPerInstance".to_owned();
        alarm.metrics[0].statistic = "Average".to_owned();
    });
    check("EA025", "mean-of-invocations", &load, &[]);
}

#[test]
fn ea026_another_unit() {
    let milliseconds = with(|alarm| alarm.threshold = Some(500.0));
    check("EA026", "milliseconds", &milliseconds, &[&SOUND]);
    assert_eq!(found("EA027", &milliseconds), [], "that is said once");
    check("EA026", "seconds", &with(|alarm| alarm.threshold = Some(0.5)), &[]);
    check("EA026", "never", &with(|alarm| alarm.threshold = Some(500_000_000.0)), &[]);
    check(
        "EA026",
        "unit-of-milliseconds",
        &with(|alarm| alarm.metrics[0].unit = Some("Milliseconds".to_owned())),
        &[&with(|alarm| alarm.metrics[0].unit = Some("Microseconds".to_owned()))],
    );
    let mut unused = milliseconds;
    unused.metrics = Metrics::default();
    assert_eq!(found("EA026", &unused).len(), 1, "nothing answers within half a millisecond");
}

#[test]
fn ea027_below_what_is_normal() {
    let tight = with(|alarm| alarm.threshold = Some(150_000.0));
    check("EA027", "below-the-quiet-half", &tight, &[&SOUND]);
    // p99 was not read; it is never below the median, which was.
    let tail = with(|alarm| {
        alarm.metrics[0].statistic = "p99".to_owned();
        alarm.threshold = Some(50_000.0);
    });
    let median = tail.metrics.series(Metric::ModelLatency, Statistic::P50);
    assert_eq!(found("EA027", &tail).len(), usize::from(median.is_some()));
}

#[test]
fn ea028_too_few_requests() {
    let rare = with(|alarm| {
        alarm.metrics[0].statistic = "p99.9".to_owned();
        alarm.evaluation_periods = 1;
        alarm.datapoints_to_alarm = 1;
    });
    let ignored = with(|alarm| {
        alarm.metrics[0].statistic = "p99.9".to_owned();
        alarm.evaluation_periods = 1;
        alarm.evaluate_low_sample_count_percentile = Some("ignore".to_owned());
    });
    check("EA028", "p99.9", &rare, &[&SOUND, &ignored]);
}
