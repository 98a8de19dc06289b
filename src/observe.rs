//! A subject → [`Observation`]s, one per variant: the only stage that reads AWS.
//!
//! Three rounds, each concurrent: the endpoint and the alarm that woke us; configuration, tags and scaling set-up;
//! metrics and what needed the names found before. A variant that holds inference components takes two more between the
//! last two: which they are, and each of them. Where instances or containers publish for themselves, a last one reads
//! them. Only `DescribeEndpoint` and `GetMetricData` are indispensable: what
//! else cannot be read becomes a warning, and what depends on it is held back later.

mod account;
pub mod alarm;
mod cloudwatch;
mod components;
mod fleet;
mod hours;
mod parts;
mod pricing;
mod sagemaker;
mod standing;
mod statistics;
mod whose;

use crate::aws::{Aws, CallError, ErrorKind, alarms, auto_scaling};
use crate::config::{MAX_HOURLY_USD_TAG, tagged_objective};
use crate::model::{
    AlarmObjective, Hosting, InferenceComponent, InferenceComponentName, InstanceType, LatencyObjective, Metric,
    Observation, Scaling, Seconds, Series, Statistic, Subject, TriggerSummary, Variant, VariantName,
};
pub use account::{account, beside_endpoints, every_alarm};
use aws_sdk_cloudwatch::types::Dimension;
pub use components::ComponentDescription;
pub use fleet::{Surveyed, each, survey};
use futures::future::{OptionFuture, join, join_all, join4, join5};
use jiff::Timestamp;
use sagemaker::{ConfiguredVariant, EndpointConfig, EndpointDescription};
pub use sagemaker::{endpoint_tags, list_endpoints};
pub use standing::{Standing, StandingPart, standing};
use statistics::Depth;
use std::collections::BTreeMap;
use whose::Whose;

/// Version of the observation's JSON.
const VERSION: &str = "1";

/// What to observe.
#[derive(Debug, Clone)]
pub struct Request {
    /// Whom.
    pub subject: Subject,
    /// What [`component`] told of the subject a moment ago; none where nobody asked.
    pub described: Option<ComponentDescription>,
    /// End of the observed window.
    pub at: Timestamp,
    /// The time of asking: CloudWatch keeps single minutes for 15 days before it.
    pub now: Timestamp,
    /// What asked.
    pub trigger: TriggerSummary,
    /// The objective of the event, where it states one.
    pub objective: Option<LatencyObjective>,
    /// Where to look for an objective that the event does not state.
    pub objective_from: ObjectiveFrom,
    /// Days of history, 1 to 15; 0 reads how it is set up, and no metric.
    pub history_days: u32,
    /// Whether an hourly limit is set, so that the price of an instance is needed; a tag of the endpoint may also set
    /// one.
    pub has_hourly_limit: bool,
}

/// Where to look for an objective that neither tags nor event state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectiveFrom {
    /// Nowhere.
    Nowhere,
    /// In this alarm.
    Alarm(String),
    /// In the strictest `ModelLatency` alarm of the variant.
    AlarmsOfVariant,
}

/// Observes every variant of the subject.
///
/// # Errors
/// [`CallError`] where the endpoint or its metrics cannot be read.
pub async fn observe(aws: &Aws, request: &Request) -> Result<Vec<Observation>, CallError> {
    let (endpoint_name, variant_name, component) = match &request.subject {
        Subject::Endpoint(endpoint) => (endpoint.clone(), None, None),
        Subject::Variant(endpoint, variant) => (endpoint.clone(), Some(variant.clone()), None),
        Subject::InferenceComponent(name) => {
            let described = match &request.described {
                Some(described) => described.clone(),
                None => component(aws, name).await?,
            };
            (described.endpoint_name, described.variant_name, Some((name.clone(), described.component)))
        }
    };
    let alarm_objective = OptionFuture::from(match &request.objective_from {
        ObjectiveFrom::Alarm(name) => Some(alarm::objective(aws, name)),
        ObjectiveFrom::Nowhere | ObjectiveFrom::AlarmsOfVariant => None,
    });
    aws.round();
    let (endpoint, alarm_objective) = join(sagemaker::describe_endpoint(aws, &endpoint_name), alarm_objective).await;
    let endpoint = endpoint?;
    let mut warnings = Vec::new();
    let alarm_objective = alarm_objective.and_then(|result| kept(result, &mut warnings)).flatten();

    let config_name = endpoint.config_name.as_deref();
    let mut config = None;
    let mut variants = match variant_name {
        Some(variant) => vec![variant],
        None if !endpoint.variants.is_empty() => endpoint.variants.iter().map(|variant| variant.name.clone()).collect(),
        // While it is created, and once it failed, an endpoint does not say its variants; its configuration does.
        None => {
            if let Some(name) = config_name {
                aws.round();
                config = kept(sagemaker::describe_endpoint_config(aws, name).await, &mut warnings);
            }
            config.iter().flat_map(|config| &config.variants).map(|variant| variant.name.clone()).collect()
        }
    };
    // A component is on one variant, whichever it is.
    if component.is_some() {
        variants.truncate(1);
    }
    let to_read = config_name.filter(|_| config.is_none());
    let to_read = to_read.map(|name| sagemaker::describe_endpoint_config(aws, name));
    let wanted: Vec<Whose> = variants
        .into_iter()
        .map(|variant_name| Whose {
            hosting: hosting_before_its_model(&endpoint, &variant_name, component.is_some()),
            endpoint_name: endpoint_name.clone(),
            variant_name,
            component: component.as_ref().map(|(name, _)| name.clone()),
        })
        .collect();
    let setups = wanted.iter().map(|whose| setup(aws, request, whose));
    let beside = component.as_ref().and(wanted.first());
    let beside = beside.map(|whose| components::list(aws, &whose.endpoint_name, &whose.variant_name));
    aws.round();
    let (read, tags, setups, beside) = join4(
        OptionFuture::from(to_read),
        sagemaker::list_tags(aws, &endpoint.arn),
        join_all(setups),
        OptionFuture::from(beside),
    )
    .await;
    let config = config.or_else(|| read.and_then(|result| kept(result, &mut warnings)));
    let tags = kept(tags, &mut warnings);
    let described = component.map(|(_, component)| component);
    let wanted = wanted.into_iter().zip(setups);
    let wanted = wanted.map(|(whose, setup)| Wanted { whose, component: described.clone(), setup }).collect();
    let wanted = components::expanded(aws, request, config.as_ref(), wanted, &mut warnings).await;

    let mut parts = Vec::new();
    for Wanted { whose, component, setup } in wanted {
        let mut warnings = warnings.clone();
        let scaling = kept(setup.scaling, &mut warnings).map(|scaling| Scaling {
            activities: kept(setup.activities, &mut warnings),
            scheduled_actions: kept(setup.scheduled_actions, &mut warnings),
            ..scaling
        });
        let found = setup.objective.and_then(|result| kept(result, &mut warnings)).flatten();
        let objective = tags
            .as_ref()
            .and_then(|tags| {
                tagged_objective(tags, request.objective.map_or(Statistic::P90, |objective| objective.slo_statistic))
            })
            .or(request.objective)
            .or(alarm_objective)
            .or(found);
        let age_objective = setup.age_objective.and_then(|result| kept(result, &mut warnings)).flatten();
        let alarm_names = setup.alarm_names;
        parts.push(Part { whose, component, scaling, alarm_names, objective, age_objective, warnings });
    }
    let named = parts.first().and_then(|part| part.whose.component.clone());
    let neighbours = named.zip(beside);
    let neighbours = neighbours.map(|(name, all)| async move { components::neighbours(aws, &name, all).await });
    let observations =
        parts.into_iter().map(|part| finish(aws, request, &endpoint, config.as_ref(), tags.as_ref(), part));
    let (observations, neighbours) = join(join_all(observations), OptionFuture::from(neighbours)).await;
    let mut observations = observations.into_iter().collect::<Result<Vec<_>, _>>()?;
    if let (Some(observation), Some(neighbours)) = (observations.first_mut(), neighbours) {
        let neighbours = kept(neighbours, &mut observation.warnings);
        observation.component.iter_mut().for_each(|component| component.neighbours.clone_from(&neighbours));
    }
    Ok(observations)
}

/// Reads further statistics of `ModelLatency` over the whole history, beside or in place of those that are there: an alarm
/// may be on any of them. What cannot be read becomes a warning.
pub async fn add_latency(aws: &Aws, request: &Request, statistics: &[Statistic], observation: &mut Observation) {
    let metric = Metric::ModelLatency;
    let Some(dimensions) = observation.dimensions(metric) else { return };
    let dimensions: Vec<Dimension> = dimensions
        .into_iter()
        .map(|dimension| Dimension::builder().name(dimension.name).value(dimension.value).build())
        .collect();
    let query = |statistic: &Statistic| cloudwatch::Query {
        part: None,
        metric,
        statistic: *statistic,
        depth: Depth::History,
        dimensions: dimensions.clone(),
    };
    let queries = statistics.iter().map(query).collect();
    aws.round();
    let Some(found) = kept(cloudwatch::read(aws, request, queries).await, &mut observation.warnings) else { return };
    observation.is_history_cut |= cut(found.cut.as_ref(), request, &mut observation.warnings);
    let is_read = |series: &Series| series.metric == metric && statistics.contains(&series.statistic);
    observation.metrics.0.retain(|series| !is_read(series));
    observation.metrics.0.extend(found.own.0);
}

/// An inference component: where it is, and what it needs.
///
/// # Errors
/// [`CallError`] where it cannot be read.
pub async fn component(aws: &Aws, name: &InferenceComponentName) -> Result<ComponentDescription, CallError> {
    aws.round();
    components::describe(aws, name).await
}

/// One variant or component after the second round.
struct Wanted {
    whose: Whose,
    component: Option<InferenceComponent>,
    setup: Setup,
}

/// What the second round finds out about one variant.
struct Setup {
    scaling: Result<Scaling, CallError>,
    /// The alarms of each policy.
    alarm_names: Vec<Vec<String>>,
    activities: Result<Vec<crate::model::ScalingActivity>, CallError>,
    scheduled_actions: Result<Vec<crate::model::ScheduledAction>, CallError>,
    objective: Option<Result<Option<LatencyObjective>, CallError>>,
    age_objective: Option<Result<Option<Seconds>, CallError>>,
}

/// One variant between the second and the third round.
struct Part {
    whose: Whose,
    component: Option<InferenceComponent>,
    scaling: Option<Scaling>,
    alarm_names: Vec<Vec<String>>,
    objective: Option<LatencyObjective>,
    age_objective: Option<Seconds>,
    warnings: Vec<String>,
}

async fn setup(aws: &Aws, request: &Request, whose: &Whose) -> Setup {
    let key = whose.key();
    let objective = OptionFuture::from(
        (request.objective_from == ObjectiveFrom::AlarmsOfVariant).then(|| alarm::strictest_objective(aws, whose)),
    );
    let age_objective =
        OptionFuture::from((whose.hosting == Hosting::Asynchronous).then(|| alarm::age_objective(aws, whose)));
    let scaling = join4(
        auto_scaling::target_and_policies(aws, &key),
        auto_scaling::activities(aws, &key),
        auto_scaling::scheduled_actions(aws, &key),
        objective,
    );
    let ((scaling, activities, scheduled_actions, objective), age_objective) = join(scaling, age_objective).await;
    let mut alarm_names = Vec::new();
    let scaling = scaling.map(|(target, policies)| {
        let (policies, names) = policies.into_iter().map(|triggered| (triggered.policy, triggered.alarm_names)).unzip();
        alarm_names = names;
        Scaling { target, policies, ..Scaling::default() }
    });
    Setup { scaling, alarm_names, activities, scheduled_actions, objective, age_objective }
}

/// The third round: metrics, the tags of the scalable target, the alarms of its policies, the model's mode.
async fn finish(
    aws: &Aws,
    request: &Request,
    endpoint: &EndpointDescription,
    config: Option<&EndpointConfig>,
    tags: Option<&BTreeMap<String, String>>,
    mut part: Part,
) -> Result<Observation, CallError> {
    let variant_name = &part.whose.variant_name;
    let described = endpoint.variant(variant_name);
    let configured = config.and_then(|config| config.variant(variant_name));
    if !endpoint.status.is_in_service() {
        let reason = endpoint.failure_reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        part.warnings.push(format!("The endpoint is {}{reason}.", endpoint.status.0));
    }
    if described.is_none() && endpoint.status.is_in_service() {
        part.warnings.push(format!("The endpoint has no variant `{variant_name}` now."));
    }
    let mut variant = described.map(|described| described.variant.clone()).unwrap_or_default();
    variant.instance_type =
        variant.instance_type.or_else(|| configured.and_then(|variant| variant.instance_type.clone()));
    let statistic = part.objective.map_or(Statistic::P90, |objective| objective.slo_statistic);

    let model_name = configured.and_then(|variant| variant.model_name.as_deref());
    let target_arn =
        part.scaling.as_ref().and_then(|scaling| scaling.target.as_ref()).and_then(|target| target.arn.clone());
    let queries = parts::of_variant(endpoint, &part.whose, &variant, statistic);
    let metrics = cloudwatch::read(aws, request, queries);
    let has_instances =
        request.history_days > 0 && endpoint.has_enhanced_metrics && described.is_some() && part.whose.has_instances();
    let instances = OptionFuture::from(has_instances.then(|| parts::instances(aws, &part.whose)));
    let model_name = model_name.filter(|_| part.whose.hosting == Hosting::RealTime);
    let model = OptionFuture::from(model_name.map(|name| sagemaker::model_hosting(aws, name)));
    let target_tags = OptionFuture::from(target_arn.as_deref().map(|arn| auto_scaling::tags(aws, arn)));
    let has_limit = request.has_hourly_limit || tags.is_some_and(|tags| tags.contains_key(MAX_HOURLY_USD_TAG));
    let region = endpoint.arn.split(':').nth(3).unwrap_or_default();
    let types = priced_types(&variant, configured);
    let memory = variant.serverless.map(|serverless| serverless.memory_size_in_mb);
    let price = async {
        match memory {
            _ if !has_limit => Ok(None),
            Some(memory) => pricing::unit_price(aws, region, memory).await,
            None if types.is_empty() => Ok(None),
            None => pricing::instance_price(aws, region, &types).await,
        }
    };
    let alarm_names: Vec<String> = part.alarm_names.iter().flatten().cloned().collect();
    let fired_by = OptionFuture::from((!alarm_names.is_empty()).then(|| alarms::of_policies(aws, &alarm_names)));
    aws.round();
    let ((metrics, instances), model, target_tags, price, fired_by) =
        join5(join(metrics, instances), model, target_tags, price, fired_by).await;
    let cloudwatch::Found { own: metrics, mut parts, cut: missing } = metrics?;
    let is_history_cut = cut(missing.as_ref(), request, &mut part.warnings);
    let instances = instances.and_then(|result| kept(result, &mut part.warnings)).unwrap_or_default();
    let (model_hosting, containers) = model.and_then(|result| kept(result, &mut part.warnings)).unzip();
    variant.containers = containers.flatten();
    variant.initial_instance_count = configured.and_then(|variant| variant.initial_instance_count);
    // Only commands for a new configuration of a serverless variant name it.
    variant.model_name =
        configured.and_then(|variant| variant.model_name.clone()).filter(|_| part.whose.hosting == Hosting::Serverless);

    let within = parts::within(&part.whose, statistic, &instances, variant.containers.as_ref());
    if !within.is_empty() && request.history_days > 0 {
        aws.round();
        let found = kept(cloudwatch::read(aws, request, within).await, &mut part.warnings);
        parts.extend(found.unwrap_or_default().parts);
    }
    let is_hosting_known = part.whose.hosting != Hosting::RealTime
        || configured.is_some_and(|variant| variant.model_name.is_none() || model_hosting.is_some());
    let hosting = match part.whose.hosting {
        Hosting::RealTime if configured.is_some_and(|variant| variant.model_name.is_none()) => {
            Hosting::InferenceComponent
        }
        Hosting::RealTime => model_hosting.unwrap_or(Hosting::RealTime),
        known => known,
    };
    if let Some(target) = part.scaling.as_mut().and_then(|scaling| scaling.target.as_mut()) {
        target.tags = target_tags.and_then(|result| kept(result, &mut part.warnings));
    }
    let price = kept(price, &mut part.warnings).flatten();
    if let (Some(scaling), Some(alarms)) =
        (&mut part.scaling, fired_by.and_then(|result| kept(result, &mut part.warnings)))
    {
        for (policy, names) in scaling.policies.iter_mut().zip(&part.alarm_names).filter(|(_, names)| !names.is_empty())
        {
            policy.alarms = Some(alarms.iter().filter(|alarm| names.contains(&alarm.alarm_name)).cloned().collect());
        }
    }
    Ok(Observation {
        version: VERSION.to_owned(),
        at: request.at,
        trigger: request.trigger.clone(),
        endpoint_name: part.whose.endpoint_name,
        variant_name: part.component.is_none().then_some(part.whose.variant_name),
        inference_component_name: part.whose.component,
        hosting,
        is_hosting_known,
        endpoint: endpoint.to_endpoint(config),
        variant,
        component: part.component,
        tags: tags.cloned(),
        scaling: part.scaling,
        objective: part.objective,
        age_objective: part.age_objective,
        alarms: None,
        instance_price: price.map(|price| price.each),
        price_list_published: price.and_then(|price| price.published),
        metrics,
        is_history_cut,
        parts,
        warnings: part.warnings,
    })
}

/// How a variant is hosted, as far as the endpoint itself says it.
fn hosting_before_its_model(endpoint: &EndpointDescription, variant_name: &VariantName, is_component: bool) -> Hosting {
    let described = endpoint.variant(variant_name);
    if is_component {
        Hosting::InferenceComponent
    } else if described.is_some_and(|described| described.variant.serverless.is_some()) {
        Hosting::Serverless
    } else if endpoint.is_asynchronous {
        Hosting::Asynchronous
    } else {
        Hosting::RealTime
    }
}

/// Every type that an hourly limit has to hold for. What pools may bring, only the configuration says in full.
fn priced_types<'a>(variant: &'a Variant, configured: Option<&'a ConfiguredVariant>) -> Vec<&'a InstanceType> {
    if configured.is_none() && !variant.instance_pools.is_empty() {
        return Vec::new();
    }
    let pooled = configured.into_iter().flat_map(|configured| &configured.pooled_types);
    let mut types: Vec<&InstanceType> = variant.instance_types().chain(pooled).collect();
    types.sort_unstable_by_key(|kind| &kind.0);
    types.dedup();
    types
}

/// The value, or a warning that names what could not be read.
fn kept<T>(result: Result<T, CallError>, warnings: &mut Vec<String>) -> Option<T> {
    result
        .map_err(|error| {
            let advice =
                if error.kind == ErrorKind::AccessDenied { "" } else { " This evidence is missing from the report." };
            warnings.push(format!("{error}.{advice}"));
        })
        .ok()
}

/// Whether history is missing, which is then said.
fn cut(missing: Option<&CallError>, request: &Request, warnings: &mut Vec<String>) -> bool {
    let words = missing.map(|error| {
        let days = request.history_days;
        format!(
            "Of {days} days of history only the last 24 hours were read ({error}): what came before, and what comes once a week, is not known."
        )
    });
    warnings.extend(words);
    missing.is_some()
}

/// The objective that an alarm's definition states.
fn known(objective: AlarmObjective) -> Option<LatencyObjective> {
    match objective {
        AlarmObjective::Known(objective) => Some(objective),
        AlarmObjective::NotInEvent | AlarmObjective::NotOnModelLatency => None,
    }
}
