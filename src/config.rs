//! Settings of the function and tags of an endpoint → what may be done to that endpoint.
//!
//! A value that is not understood never falls back silently: it becomes a *problem*, and while there is a problem
//! nothing is written. The diagnosis goes on.

use crate::model::{InstanceCount, LatencyObjective, Milliseconds, ObjectiveSource, Statistic, UsdPerHour};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The tag on an endpoint that limits what its instances may cost per hour.
pub const MAX_HOURLY_USD_TAG: &str = "endpoint-advisor:max-hourly-usd";

/// The tag that asks for at least so many instances.
pub const MIN_INSTANCES_TAG: &str = "endpoint-advisor:min-instances";

/// Whether scaling may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// By tag only: leave this endpoint alone.
    Off,
    /// Say what should be done.
    Recommend,
    /// Do it.
    Apply,
}

/// What matters more when sizing: latency or money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScalingObjective {
    /// One minute over the latency objective is worth 100 minutes of the mean fleet.
    Availability,
    /// 20 minutes.
    Balanced,
    /// 5 minutes.
    Cost,
}

impl ScalingObjective {
    /// Minutes of the mean fleet that one minute over the latency objective is worth.
    #[must_use]
    pub fn fleet_minutes(self) -> f64 {
        match self {
            Self::Availability => 100.0,
            Self::Balanced => 20.0,
            Self::Cost => 5.0,
        }
    }
}

/// What may happen to scalable targets that somebody else made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExistingTargets {
    /// Nothing; a person gets advice.
    Advise,
    /// Min and Max may be raised, never lowered.
    Raise,
}

/// What may be done to one endpoint: the settings with the endpoint's tags over them.
#[derive(Debug, Clone, PartialEq)]
pub struct Guardrails {
    /// Whether scaling may be written.
    pub mode: Mode,
    /// Latency or money.
    pub objective: ScalingObjective,
    /// No plan goes below; 1 where nobody asked for more.
    pub min_instances: InstanceCount,
    /// No plan goes above.
    pub max_instances: InstanceCount,
    /// No plan may cost more per hour at `MaxCapacity`.
    pub max_hourly_usd: Option<UsdPerHour>,
    /// Other people's scalable targets.
    pub existing_targets: ExistingTargets,
    /// Values that were not understood, each with what is allowed. Any problem forbids writing.
    pub problems: Vec<String>,
}

/// The settings of the function.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What applies where an endpoint's tags say nothing.
    pub defaults: Guardrails,
    /// SNS topic for people and machines.
    pub report_topic_arn: Option<String>,
    /// SNS topic for Amazon Q Developer in chat applications.
    pub chat_topic_arn: Option<String>,
    /// Days of history to read, 1 to 15.
    pub history_days: u32,
    /// The advisor's own queue, for the parts of an audit; none: a fleet is looked at in one go.
    pub queue_url: Option<String>,
    /// How incidents are followed through; none: every alarm is handled by itself.
    pub follow_up: Option<FollowUp>,
}

/// What EventBridge Scheduler needs to wake the advisor again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUp {
    /// The advisor's own queue.
    pub target_arn: String,
    /// The role with which Scheduler sends there.
    pub role_arn: String,
    /// The schedule group, which is the advisor's alone.
    pub group: String,
}

impl Settings {
    /// Reads the settings through `variable`, which answers with the value of an environment variable. An empty value
    /// counts as unset.
    #[must_use]
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let mut settings = Self {
            defaults: Guardrails {
                mode: Mode::Recommend,
                objective: ScalingObjective::Balanced,
                min_instances: InstanceCount(1),
                // Ten instances bound the bill of a wrong plan; who needs more says so.
                max_instances: InstanceCount(10),
                max_hourly_usd: None,
                existing_targets: ExistingTargets::Advise,
                problems: Vec::new(),
            },
            report_topic_arn: text("ADVISOR_REPORT_TOPIC_ARN"),
            chat_topic_arn: text("ADVISOR_CHAT_TOPIC_ARN"),
            // Two weeks hold two of each weekday; CloudWatch keeps single minutes for 15 days.
            history_days: 14,
            queue_url: text("ADVISOR_QUEUE_URL"),
            follow_up: None,
        };
        let defaults = &mut settings.defaults;
        let problems = &mut defaults.problems;
        let mut read = Reader { value: &text, problems };
        read.field("ADVISOR_MODE", &mut defaults.mode, parse_function_mode);
        read.field("ADVISOR_OBJECTIVE", &mut defaults.objective, parse_objective);
        read.field("ADVISOR_MAX_INSTANCES", &mut defaults.max_instances, parse_count);
        read.field("ADVISOR_MAX_HOURLY_USD", &mut defaults.max_hourly_usd, |value| parse_usd(value).map(Some));
        read.field("ADVISOR_EXISTING_TARGETS", &mut defaults.existing_targets, parse_existing_targets);
        read.field("ADVISOR_HISTORY_DAYS", &mut settings.history_days, parse_history_days);
        const FOLLOW_UP: [&str; 3] =
            ["ADVISOR_FOLLOW_UP_TARGET_ARN", "ADVISOR_FOLLOW_UP_ROLE_ARN", "ADVISOR_FOLLOW_UP_GROUP"];
        settings.follow_up = match FOLLOW_UP.map(text) {
            [Some(target_arn), Some(role_arn), Some(group)] => Some(FollowUp { target_arn, role_arn, group }),
            [None, None, None] => None,
            _ => {
                problems.push(format!(
                    "Of {} some are set and some are not. Nothing is written until all are, or none.",
                    FOLLOW_UP.map(|name| format!("`{name}`")).join(", ")
                ));
                None
            }
        };
        settings
    }

    /// What may be done to an endpoint with these tags. `None` means that the tags could not be read: then nothing is
    /// written, because one of them might have forbidden it.
    #[must_use]
    pub fn for_endpoint(&self, tags: Option<&BTreeMap<String, String>>) -> Guardrails {
        let mut guardrails = self.defaults.clone();
        let Some(tags) = tags else {
            guardrails.problems.push(
                "The endpoint's tags could not be read, and they might forbid changes: nothing is written.".to_owned(),
            );
            return guardrails;
        };
        let text = |name: &str| tags.get(name).map(|value| value.trim().to_owned());
        let mut mode = Mode::Apply;
        let mut read = Reader { value: &text, problems: &mut guardrails.problems };
        read.field("endpoint-advisor:mode", &mut mode, parse_mode);
        read.field("endpoint-advisor:objective", &mut guardrails.objective, parse_objective);
        read.field(MIN_INSTANCES_TAG, &mut guardrails.min_instances, parse_count);
        read.field("endpoint-advisor:max-instances", &mut guardrails.max_instances, parse_count);
        read.field(MAX_HOURLY_USD_TAG, &mut guardrails.max_hourly_usd, |value| parse_usd(value).map(Some));
        // Read here only for its problems: the objective itself is chosen by `tagged_objective`.
        read.field("endpoint-advisor:slo-ms", &mut None, |value| parse_slo_ms(value).map(Some));
        read.field("endpoint-advisor:slo-statistic", &mut None, |value| parse_slo_statistic(value).map(Some));
        // A tag restricts: `apply` on the endpoint counts only where the function is deployed with `apply`.
        guardrails.mode = guardrails.mode.min(mode);
        if guardrails.min_instances > guardrails.max_instances {
            guardrails.problems.push(format!(
                "`endpoint-advisor:min-instances` {} is above the allowed maximum of {} instances",
                guardrails.min_instances, guardrails.max_instances
            ));
        }
        guardrails
    }
}

/// The latency objective that an endpoint's tags state; none where `endpoint-advisor:slo-ms` is absent or wrong. The
/// statistic is `default_statistic` where only the latency is tagged.
#[must_use]
pub fn tagged_objective(tags: &BTreeMap<String, String>, default_statistic: Statistic) -> Option<LatencyObjective> {
    let latency_slo_ms = parse_slo_ms(tags.get("endpoint-advisor:slo-ms")?.trim()).ok()?;
    let statistic = tags.get("endpoint-advisor:slo-statistic").map(|value| parse_slo_statistic(value.trim()));
    let slo_statistic = statistic.transpose().ok()?.unwrap_or(default_statistic);
    Some(LatencyObjective { latency_slo_ms, slo_statistic, source: ObjectiveSource::Tag })
}

/// Reads named values into fields, and collects what was not understood.
struct Reader<'a> {
    value: &'a dyn Fn(&str) -> Option<String>,
    problems: &'a mut Vec<String>,
}

impl Reader<'_> {
    fn field<T>(&mut self, name: &str, target: &mut T, parse: impl Fn(&str) -> Result<T, &'static str>) {
        let Some(value) = (self.value)(name) else { return };
        match parse(&value) {
            Ok(parsed) => *target = parsed,
            Err(allowed) => {
                let shown: String = value.chars().take(40).collect();
                self.problems
                    .push(format!("`{name}` is `{shown}`; allowed: {allowed}. Nothing is written until it is."));
            }
        }
    }
}

fn parse_mode(value: &str) -> Result<Mode, &'static str> {
    match value {
        "off" => Ok(Mode::Off),
        "recommend" => Ok(Mode::Recommend),
        "apply" => Ok(Mode::Apply),
        _ => Err("`off`, `recommend` or `apply`"),
    }
}

fn parse_function_mode(value: &str) -> Result<Mode, &'static str> {
    match value {
        "recommend" => Ok(Mode::Recommend),
        "apply" => Ok(Mode::Apply),
        _ => Err("`recommend` or `apply`"),
    }
}

fn parse_objective(value: &str) -> Result<ScalingObjective, &'static str> {
    match value {
        "availability" => Ok(ScalingObjective::Availability),
        "balanced" => Ok(ScalingObjective::Balanced),
        "cost" => Ok(ScalingObjective::Cost),
        _ => Err("`availability`, `balanced` or `cost`"),
    }
}

fn parse_existing_targets(value: &str) -> Result<ExistingTargets, &'static str> {
    match value {
        "advise" => Ok(ExistingTargets::Advise),
        "raise" => Ok(ExistingTargets::Raise),
        _ => Err("`advise` or `raise`"),
    }
}

fn parse_count(value: &str) -> Result<InstanceCount, &'static str> {
    match value.parse() {
        Ok(count @ 1..=10_000) => Ok(InstanceCount(count)),
        _ => Err("a whole number from 1 to 10000"),
    }
}

fn parse_history_days(value: &str) -> Result<u32, &'static str> {
    match value.parse() {
        Ok(days @ 1..=15) => Ok(days),
        _ => Err("a whole number from 1 to 15"),
    }
}

fn parse_usd(value: &str) -> Result<UsdPerHour, &'static str> {
    match value.parse() {
        Ok(usd) if usd > 0.0 && f64::is_finite(usd) => Ok(UsdPerHour(usd)),
        _ => Err("a positive number of US dollars"),
    }
}

fn parse_slo_ms(value: &str) -> Result<Milliseconds, &'static str> {
    match value.parse() {
        // A container must answer within 60 s.
        Ok(ms) if ms > 0.0 && ms <= 60_000.0 => Ok(Milliseconds(ms)),
        _ => Err("milliseconds, above 0 and at most 60000"),
    }
}

fn parse_slo_statistic(value: &str) -> Result<Statistic, &'static str> {
    match value.parse() {
        Ok(statistic) if Statistic::is_of_latency(statistic) => Ok(statistic),
        _ => Err("`Average`, `Maximum` or a percentile as `p90`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Settings {
        let variables: BTreeMap<_, _> = variables.iter().copied().collect();
        Settings::read(|name| variables.get(name).map(|value| (*value).to_owned()))
    }

    fn tags(tags: &[(&str, &str)]) -> BTreeMap<String, String> {
        tags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn recommends_and_stays_below_ten_instances_by_default() {
        let guardrails = settings(&[]).for_endpoint(Some(&tags(&[])));
        assert_eq!((guardrails.mode, guardrails.max_instances), (Mode::Recommend, InstanceCount(10)));
        assert_eq!(guardrails.problems, [""; 0]);
    }

    #[test]
    fn a_setting_that_is_not_understood_is_named_with_what_is_allowed() {
        for (name, value) in [
            ("ADVISOR_MODE", "on"),
            ("ADVISOR_MODE", "off"),
            ("ADVISOR_OBJECTIVE", "cheap"),
            ("ADVISOR_MAX_INSTANCES", "0"),
            ("ADVISOR_MAX_HOURLY_USD", "-3"),
            ("ADVISOR_MAX_HOURLY_USD", "NaN"),
            ("ADVISOR_HISTORY_DAYS", "16"),
            ("ADVISOR_EXISTING_TARGETS", "overwrite"),
        ] {
            let problems = settings(&[(name, value)]).defaults.problems;
            assert!(
                matches!(&problems[..], [problem] if problem.contains(name) && problem.contains("allowed")),
                "{problems:?}"
            );
        }
    }

    #[test]
    fn every_setting_that_is_allowed_is_taken_at_its_word() {
        let of = |name, value| settings(&[(name, value)]);
        for (value, mode) in [("recommend", Mode::Recommend), ("apply", Mode::Apply)] {
            assert_eq!(of("ADVISOR_MODE", value).defaults.mode, mode);
        }
        let objectives = [ScalingObjective::Availability, ScalingObjective::Balanced, ScalingObjective::Cost];
        for (value, objective) in ["availability", "balanced", "cost"].into_iter().zip(objectives) {
            assert_eq!(of("ADVISOR_OBJECTIVE", value).defaults.objective, objective);
        }
        assert_eq!(objectives.map(ScalingObjective::fleet_minutes), [100.0, 20.0, 5.0], "as the README says");
        for (value, days) in [("1", 1), ("15", 15)] {
            assert_eq!(of("ADVISOR_HISTORY_DAYS", value).history_days, days);
        }
        for (value, existing) in [("advise", ExistingTargets::Advise), ("raise", ExistingTargets::Raise)] {
            assert_eq!(of("ADVISOR_EXISTING_TARGETS", value).defaults.existing_targets, existing);
        }
        assert_eq!(of("ADVISOR_MAX_HOURLY_USD", "0.5").defaults.max_hourly_usd, Some(UsdPerHour(0.5)));
        for (name, value) in
            [("ADVISOR_MODE", "apply"), ("ADVISOR_OBJECTIVE", "cost"), ("ADVISOR_MAX_HOURLY_USD", "0.5")]
        {
            assert_eq!(of(name, value).defaults.problems, [""; 0]);
        }
        let zero = of("ADVISOR_MAX_HOURLY_USD", "0").defaults;
        assert_eq!((zero.max_hourly_usd, zero.problems.len()), (None, 1));
    }

    #[test]
    fn tags_are_taken_at_their_word_and_what_they_cannot_mean_is_named() {
        let apply = settings(&[("ADVISOR_MODE", "apply")]);
        let with = |name, value| apply.for_endpoint(Some(&tags(&[(name, value)])));
        for (value, mode) in [("off", Mode::Off), ("recommend", Mode::Recommend), (" apply ", Mode::Apply)] {
            let guardrails = with("endpoint-advisor:mode", value);
            assert_eq!((guardrails.mode, guardrails.problems.len()), (mode, 0), "{value}");
        }
        for (name, value) in [
            ("endpoint-advisor:slo-ms", "0"),
            ("endpoint-advisor:slo-ms", "-1"),
            ("endpoint-advisor:slo-ms", "60001"),
            ("endpoint-advisor:slo-ms", "NaN"),
            ("endpoint-advisor:slo-statistic", "Sum"),
            ("endpoint-advisor:slo-statistic", "worst"),
        ] {
            let problems = with(name, value).problems;
            assert!(matches!(&problems[..], [problem] if problem.contains(name)), "{value}: {problems:?}");
        }
        for (name, value) in [("endpoint-advisor:slo-ms", "60000"), ("endpoint-advisor:slo-statistic", "Maximum")] {
            assert_eq!(with(name, value).problems, [""; 0], "{value}");
        }
        // One instance at least and ten at most is what stands without tags.
        assert_eq!(with(MIN_INSTANCES_TAG, "10").problems, [""; 0], "as many at least as at most");
        assert_eq!(with(MIN_INSTANCES_TAG, "11").problems.len(), 1);
    }

    #[test]
    fn a_follow_up_needs_all_of_its_settings() {
        let all = [
            ("ADVISOR_FOLLOW_UP_TARGET_ARN", "arn:aws:sqs:us-east-1:111122223333:events"),
            ("ADVISOR_FOLLOW_UP_ROLE_ARN", "arn:aws:iam::111122223333:role/follow-up"),
            ("ADVISOR_FOLLOW_UP_GROUP", "endpoint-advisor"),
        ];
        assert!(settings(&all).follow_up.is_some());
        let some = settings(&all[..2]);
        assert_eq!(some.follow_up, None);
        assert!(matches!(&some.defaults.problems[..], [problem] if problem.contains("ADVISOR_FOLLOW_UP_GROUP")));
    }

    #[test]
    fn a_tag_restricts_and_never_widens_the_mode() {
        let apply = settings(&[("ADVISOR_MODE", "apply")]);
        assert_eq!(apply.for_endpoint(Some(&tags(&[]))).mode, Mode::Apply);
        assert_eq!(apply.for_endpoint(Some(&tags(&[("endpoint-advisor:mode", "recommend")]))).mode, Mode::Recommend);
        assert_eq!(
            settings(&[]).for_endpoint(Some(&tags(&[("endpoint-advisor:mode", "apply")]))).mode,
            Mode::Recommend
        );
    }

    #[test]
    fn tags_that_cannot_be_read_are_a_problem() {
        assert_eq!(settings(&[]).for_endpoint(None).problems.len(), 1);
    }

    #[test]
    fn the_objective_of_a_tag_needs_a_latency() {
        let objective = tagged_objective(
            &tags(&[("endpoint-advisor:slo-ms", "250"), ("endpoint-advisor:slo-statistic", "p99")]),
            Statistic::P90,
        );
        assert_eq!(objective.map(|o| (o.latency_slo_ms, o.slo_statistic)), Some((Milliseconds(250.0), Statistic::P99)));
        assert_eq!(tagged_objective(&tags(&[("endpoint-advisor:slo-statistic", "p99")]), Statistic::P90), None);
        assert_eq!(tagged_objective(&tags(&[("endpoint-advisor:slo-ms", "fast")]), Statistic::P90), None);
    }

    #[test]
    fn a_default_may_be_spelled_out() {
        assert_eq!(parse_objective("balanced"), Ok(ScalingObjective::Balanced));
        assert_eq!(parse_existing_targets("advise"), Ok(ExistingTargets::Advise));
    }
}
