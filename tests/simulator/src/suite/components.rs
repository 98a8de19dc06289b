//! Incidents of inference components: the containers of the other families as copies that share instances, and copies that
//! are not there.

use super::dice::Dice;
use super::incident::Incident;
use super::{Family, Set, families, generate, seed};
use crate::Published;
use rand_distr::{Distribution as _, Poisson};

/// Incidents of components with the same cause.
#[derive(Debug, Clone, Copy)]
pub struct ComponentFamily {
    /// As `component_no_room`.
    pub name: &'static str,
    /// What happens.
    pub about: &'static str,
    /// The right verdict.
    pub verdict: &'static str,
    /// Verdicts that are as right.
    also_right: &'static [&'static str],
    /// Its refinement, where one is asked for.
    sub_cause: Option<&'static str>,
    /// Whether more copies help.
    is_overload: bool,
    /// What stands in the way of them.
    blocked_by: &'static [&'static str],
    /// What happens to the containers: one of these families.
    containers: &'static [&'static str],
    /// Where the copies are.
    place: fn(&mut Dice, &mut ComponentIncident),
}

/// One component with its trouble.
#[derive(Debug, Clone)]
pub struct ComponentIncident {
    /// What is seen of the copies, which are counted as its instances.
    pub incident: Incident,
    /// The type of the instances that they share.
    pub instance_type: &'static str,
    /// `NumberOfCpuCoresRequired` and `NumberOfAcceleratorDevicesRequired` of a copy.
    pub needs: (u32, u32),
    /// Instances of the variant.
    pub instances: u32,
    /// `MinInstanceCount` and `MaxInstanceCount` of `ManagedInstanceScaling`, where it is on.
    pub managed: Option<(u32, u32)>,
    /// Copies of another component, as large as its own.
    pub neighbours: u32,
    /// Minutes since the count of copies was last asked for.
    pub asked_minutes_ago: i64,
}

/// No seed of these containers is one of the other families'.
const OF_ITS_OWN: u64 = 1 << 32;
/// Minutes after which copies are not on their way any more: they start within a quarter of an hour.
const LATE: std::ops::RangeInclusive<i64> = 17..=90;
const SOON: std::ops::RangeInclusive<i64> = 1..=9;

const GROWTH: &[&str] = &["slow_ramp", "fast_ramp", "step", "daily_peak"];

/// Every family.
pub const COMPONENT_FAMILIES: &[ComponentFamily] = &[
    ComponentFamily {
        sub_cause: Some("traffic_growth"),
        is_overload: true,
        ..family("component_overload", "traffic grows, and there is room", "overload", GROWTH, roomy)
    },
    ComponentFamily {
        sub_cause: Some("traffic_growth"),
        is_overload: true,
        blocked_by: &["scaling_in_progress"],
        ..family("component_starting", "traffic grows, and copies are on their way", "overload", GROWTH, starting)
    },
    ComponentFamily {
        sub_cause: Some("at_max_instances"),
        is_overload: true,
        ..family(
            "component_at_max_instances",
            "traffic grows, and the variant has as many instances as it may",
            "no_copies",
            GROWTH,
            at_max_instances,
        )
    },
    ComponentFamily {
        sub_cause: Some("no_room"),
        is_overload: true,
        ..family(
            "component_fixed_instances",
            "traffic grows, copies find no room, and nothing adds instances",
            "no_copies",
            GROWTH,
            fixed_instances,
        )
    },
    ComponentFamily {
        sub_cause: Some("no_room"),
        is_overload: true,
        ..family(
            "component_no_instance_came",
            "traffic grows, copies find no room, and no instance came",
            "no_copies",
            GROWTH,
            no_instance_came,
        )
    },
    ComponentFamily {
        sub_cause: Some("scaled_to_zero"),
        is_overload: true,
        ..family("component_asleep", "there is no copy, and requests come", "no_copies", &["quiet"], asleep)
    },
    ComponentFamily {
        sub_cause: Some("at_max_instances"),
        is_overload: true,
        ..family(
            "component_asleep_without_room",
            "there is no copy, requests come, and others have the room",
            "no_copies",
            &["quiet"],
            asleep_without_room,
        )
    },
    ComponentFamily {
        also_right: &["transient", "infrequent_traffic"],
        ..family("component_at_rest", "there is no copy, and nobody calls", "insufficient_data", &["quiet"], at_rest)
    },
    family(
        "component_slow_model_without_room",
        "requests become heavier; the copies that were asked for then find no room",
        "slow_model",
        &["silent_slow_code"],
        at_max_instances,
    ),
    family(
        "component_dependency_without_room",
        "requests wait for something else; the copies that were asked for then find no room",
        "slow_dependency",
        &["dependency_all"],
        no_instance_came,
    ),
    family("component_slow_model", "requests become heavier", "slow_model", &["silent_slow_code"], roomy),
    family("component_dependency", "requests wait for something else", "slow_dependency", &["dependency_all"], roomy),
    family("component_errors", "requests fail", "model_errors", &["failing_fast"], roomy),
    ComponentFamily {
        is_overload: true,
        ..family("component_bursts", "requests come in bursts", "burst", &["bursts"], roomy)
    },
    ComponentFamily {
        also_right: &["objective_too_tight", "insufficient_data"],
        ..family("component_quiet", "nothing is the matter", "transient", &["quiet"], roomy)
    },
];

const fn family(
    name: &'static str,
    about: &'static str,
    verdict: &'static str,
    containers: &'static [&'static str],
    place: fn(&mut Dice, &mut ComponentIncident),
) -> ComponentFamily {
    ComponentFamily {
        name,
        about,
        verdict,
        also_right: &[],
        sub_cause: None,
        is_overload: false,
        blocked_by: &[],
        containers,
        place,
    }
}

/// The incident `replicate` of a family in a set.
///
/// # Panics
/// Where its containers cannot be drawn.
#[must_use]
pub fn component_incident(family: &ComponentFamily, set: Set, replicate: u64) -> ComponentIncident {
    let mut dice = Dice::new(seed(family.name, set, replicate, 0));
    // Each family has containers of its own: the number is from its name.
    let number = OF_ITS_OWN + (seed(family.name, set, replicate, 1) >> 34);
    let mut incident = generate(containers(dice.pick(family.containers)), set, number);
    let (instance_type, cores, accelerators) = host(incident.instance_type);
    as_copies(&mut incident.series, cores);
    incident.family = family.name;
    incident.replicate = replicate;
    incident.hosting = "inference_component";
    incident.desired = incident.instances;
    if let Some(scaling) = incident.scaling.as_mut() {
        scaling.activity = None;
    }
    let truth = &mut incident.truth;
    if truth.verdict != family.verdict {
        truth.also_right.retain(|_| family.verdict != "no_copies");
        truth.verdict = family.verdict;
    }
    truth.also_right.extend(family.also_right);
    truth.sub_cause = family.sub_cause;
    truth.is_overload = Some(family.is_overload);
    truth.blocked_by = family.blocked_by.to_vec();
    // Where requests are as they were, one by one; bursts and what takes longer have another.
    truth.capacity = truth.capacity.filter(|_| family.sub_cause.is_some());
    let mut component = ComponentIncident {
        incident,
        instance_type,
        needs: (cores, accelerators),
        instances: 0,
        managed: None,
        neighbours: dice.whole(0..=3) as u32,
        asked_minutes_ago: dice.minutes(2 * 1_440..=20 * 1_440),
    };
    component.instances = component.holding(component.incident.instances);
    (family.place)(&mut dice, &mut component);
    component
}

fn containers(name: &str) -> &'static Family {
    families().iter().find(|family| family.name == name).unwrap_or_else(|| panic!("no family is called {name}"))
}

/// A type of instance that holds several copies as large as one of these instances, and how large they are.
fn host(instance_type: &str) -> (&'static str, u32, u32) {
    let (on_cores, cores) = match instance_type.rsplit('.').next() {
        Some("large") => ("ml.m5.2xlarge", 2),
        Some("xlarge") => ("ml.m5.4xlarge", 4),
        Some("2xlarge") => ("ml.m5.12xlarge", 8),
        _ => ("ml.m5.24xlarge", 16),
    };
    // Four accelerators and 96 cores.
    if instance_type.contains(".g") { ("ml.g5.24xlarge", cores, 1) } else { (on_cores, cores, 0) }
}

/// The same as SageMaker publishes it of copies, whose utilisation is a share of what a copy was given.
fn as_copies(series: &mut [Published], cores: u32) {
    for one in series {
        let (metric, whole) = match one.metric {
            "InvocationsPerInstance" => ("InvocationsPerCopy", 1.0),
            "ConcurrentRequestsPerModel" => ("ConcurrentRequestsPerCopy", 1.0),
            "CPUUtilization" => ("CPUUtilizationNormalized", f64::from(cores)),
            "MemoryUtilization" => ("MemoryUtilizationNormalized", 1.0),
            "GPUUtilization" => ("GPUUtilizationNormalized", 1.0),
            "GPUMemoryUtilization" => ("GPUMemoryUtilizationNormalized", 1.0),
            other => (other, 1.0),
        };
        one.metric = metric;
        one.values.iter_mut().flatten().for_each(|value| *value /= whole);
    }
}

impl ComponentIncident {
    /// Copies on one instance.
    fn on_each(&self) -> u32 {
        match self.instance_type {
            "ml.m5.2xlarge" | "ml.m5.4xlarge" | "ml.g5.24xlarge" => 4,
            _ => 6,
        }
    }

    /// The fewest instances that hold so many copies and those of the neighbour.
    fn holding(&self, copies: u32) -> u32 {
        (copies + self.neighbours).div_ceil(self.on_each()).max(1)
    }

    /// More copies are asked for than there is room for on the instances that run.
    fn ask_for_too_many(&mut self, dice: &mut Dice) {
        let fit = self.instances * self.on_each() - self.neighbours;
        self.incident.desired = fit + dice.whole(1..=3) as u32;
        self.asked_minutes_ago = dice.minutes(LATE);
    }

    /// The last copy went so many minutes before the end; since then nothing is published.
    fn falls_asleep(&mut self, minutes: i64) {
        for series in &mut self.incident.series {
            let length = series.values.len();
            let since = length.saturating_sub(minutes as usize);
            series.values[since..].fill(None);
        }
        self.incident.instances = 0;
        self.incident.desired = 0;
        self.incident.truth.capacity = None;
    }

    /// Requests come and are refused in the last minutes.
    fn refuses(&mut self, dice: &mut Dice) {
        let length = self.incident.series.first().map_or(0, |series| series.values.len());
        let minutes = dice.whole(2..=15);
        let mut random = crate::random::stream(dice.seed(), 3);
        let mean = Poisson::new(dice.log_uniform(3.0..80.0)).expect("a rate");
        let refused = (0..length).map(|minute| {
            let count = if minute + minutes >= length { mean.sample(&mut random) } else { 0.0 };
            Some(count).filter(|count| *count > 0.0)
        });
        let values = refused.collect();
        self.incident.series.push(Published { metric: "NoCapacityInvocationFailures", statistic: "Sum", values });
    }
}

/// More instances may come, or some are half empty.
fn roomy(dice: &mut Dice, component: &mut ComponentIncident) {
    component.managed = Some((1, component.instances + dice.whole(1..=4) as u32));
}

fn starting(dice: &mut Dice, component: &mut ComponentIncident) {
    roomy(dice, component);
    component.incident.desired += dice.whole(1..=3) as u32;
    component.managed =
        component.managed.map(|(min, max)| (min, max.max(component.holding(component.incident.desired))));
    component.asked_minutes_ago = dice.minutes(SOON);
}

fn at_max_instances(dice: &mut Dice, component: &mut ComponentIncident) {
    component.managed = Some((1, component.instances));
    component.ask_for_too_many(dice);
}

fn fixed_instances(dice: &mut Dice, component: &mut ComponentIncident) {
    component.managed = None;
    component.ask_for_too_many(dice);
}

fn no_instance_came(dice: &mut Dice, component: &mut ComponentIncident) {
    component.ask_for_too_many(dice);
    let wanted = component.holding(component.incident.desired);
    component.managed = Some((1, wanted + dice.whole(0..=2) as u32));
}

fn asleep(dice: &mut Dice, component: &mut ComponentIncident) {
    component.falls_asleep(dice.minutes(30..=150));
    component.refuses(dice);
    (component.instances, component.neighbours) = (0, 0);
    component.managed = Some((0, dice.whole(1..=4) as u32));
    component.asked_minutes_ago = dice.minutes(16..=150);
    // Sometimes the first copy is on its way.
    if dice.chance(0.4) {
        component.incident.desired = 1;
        component.asked_minutes_ago = dice.minutes(SOON);
    }
}

fn asleep_without_room(dice: &mut Dice, component: &mut ComponentIncident) {
    component.falls_asleep(dice.minutes(30..=150));
    component.refuses(dice);
    component.instances = dice.whole(1..=3) as u32;
    component.neighbours = component.instances * component.on_each();
    component.managed = Some((0, component.instances));
    component.incident.desired = dice.whole(1..=3) as u32;
    component.asked_minutes_ago = dice.minutes(LATE);
}

fn at_rest(dice: &mut Dice, component: &mut ComponentIncident) {
    component.falls_asleep(dice.minutes(60..=150));
    component.managed = Some((0, component.instances));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_where_they_fit_and_missing_where_they_do_not() {
        for family in COMPONENT_FAMILIES {
            let component = component_incident(family, Set::Development, 0);
            let ComponentIncident { incident, instances, neighbours, .. } = &component;
            assert!(incident.instances + neighbours <= instances * component.on_each(), "{component:?}");
            let most = component.managed.map_or(*instances, |(_, most)| most);
            assert!(most >= *instances, "{}", family.name);
            let fits = incident.desired + neighbours <= most * component.on_each();
            let is_short = matches!(family.sub_cause, Some("at_max_instances")) || family.name.contains("fixed");
            assert!(!fits || !is_short, "{}", family.name);
        }
    }

    #[test]
    fn nothing_is_published_of_instances_and_nothing_by_a_copy_that_is_not_there() {
        for family in COMPONENT_FAMILIES {
            let incident = component_incident(family, Set::Development, 1).incident;
            let of_instances = ["InvocationsPerInstance", "CPUUtilization", "ConcurrentRequestsPerModel"];
            assert!(incident.series.iter().all(|series| !of_instances.contains(&series.metric)), "{}", family.name);
            if incident.instances == 0 {
                let last = incident.series.iter().find(|series| series.metric == "ModelLatency");
                assert!(last.unwrap().values.iter().rev().take(30).all(Option::is_none), "{}", family.name);
            }
        }
    }
}
