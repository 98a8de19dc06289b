//! Families of every way of hosting, asked alike.

use crate::observation::{observation, of_component, of_queue, of_serverless};
use endpoint_advisor::model::Observation;
use serde::Serialize;
use simulator::queue::{self, queue_incident};
use simulator::suite::{
    self, COMPONENT_FAMILIES, ComponentFamily, Family, SERVERLESS_FAMILIES, ServerlessFamily, Set, Truth,
    component_incident, serverless_incident,
};

/// A way of hosting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Instances that answer at once, with one model or many.
    Instances,
    Asynchronous,
    Serverless,
    Components,
}

impl Kind {
    /// Those besides instances.
    pub const OTHERS: [Self; 3] = [Self::Asynchronous, Self::Serverless, Self::Components];

    pub fn name(self) -> &'static str {
        match self {
            Self::Instances => "instances",
            Self::Asynchronous => "asynchronous endpoints",
            Self::Serverless => "serverless variants",
            Self::Components => "inference components",
        }
    }
}

/// A family of incidents.
#[derive(Clone, Copy)]
pub enum AnyFamily {
    Instances(&'static Family),
    Queue(&'static queue::Family),
    Serverless(&'static ServerlessFamily),
    Component(&'static ComponentFamily),
}

/// One incident: what the advisor would have read, and what is right.
pub struct Labelled {
    /// Hours of history.
    pub hours: i64,
    pub truth: Truth,
    pub observation: Observation,
}

impl AnyFamily {
    /// Every one.
    pub fn all() -> impl Iterator<Item = Self> {
        let instances = suite::families().iter().map(Self::Instances);
        let queues = queue::FAMILIES.iter().map(Self::Queue);
        let serverless = SERVERLESS_FAMILIES.iter().map(Self::Serverless);
        instances.chain(queues).chain(serverless).chain(COMPONENT_FAMILIES.iter().map(Self::Component))
    }

    pub fn kind(self) -> Kind {
        match self {
            Self::Instances(_) => Kind::Instances,
            Self::Queue(_) => Kind::Asynchronous,
            Self::Serverless(_) => Kind::Serverless,
            Self::Component(_) => Kind::Components,
        }
    }

    pub fn name(self) -> String {
        match self {
            Self::Instances(family) => family.name.to_owned(),
            Self::Queue(family) => format!("queue_{}", family.name.replace('-', "_")),
            Self::Serverless(family) => family.name.to_owned(),
            Self::Component(family) => family.name.to_owned(),
        }
    }

    /// The usual verdict, and what happens.
    pub fn about(self) -> (&'static str, &'static str) {
        match self {
            Self::Instances(family) => (family.verdict, family.about),
            Self::Queue(family) => (family.verdict, family.about),
            Self::Serverless(family) => (family.verdict, family.about),
            Self::Component(family) => (family.verdict, family.about),
        }
    }

    /// The incident `replicate` in a set.
    pub fn incident(self, set: Set, replicate: u64) -> Labelled {
        match self {
            Self::Instances(family) => {
                let incident = suite::generate(family, set, replicate);
                let observation = observation(&incident);
                Labelled { hours: incident.history_hours, observation, truth: incident.truth }
            }
            Self::Queue(family) => of_queue(family, &queue_incident(family, set, replicate)),
            Self::Serverless(family) => of_serverless(family, &serverless_incident(family, set, replicate)),
            Self::Component(family) => of_component(component_incident(family, set, replicate)),
        }
    }
}
