//! The verdict and what carries it.

use super::{Hosting, ScalableDimension};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! verdicts {
    ($($(#[doc = $doc:literal])* $name:ident => $text:literal,)*) => {
        /// Why the endpoint is slow.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub enum Verdict {
            $($(#[doc = $doc])* #[serde(rename = $text)] $name,)*
        }

        impl Verdict {
            /// The name in reports, as `slow_model`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

verdicts! {
    /// Load per instance is above what an instance sustains.
    Overload => "overload",
    /// The overload lives inside single minutes.
    Burst => "burst",
    /// Requests queue inside the container while the hardware idles.
    ContainerConcurrencyLimit => "container_concurrency_limit",
    /// Each request costs more than it did, and the overhead moved with it.
    HeavierRequests => "heavier_requests",
    /// Work per request rose, or was always too much.
    SlowModel => "slow_model",
    /// Slower while work per request is flat: the container waits for something.
    SlowDependency => "slow_dependency",
    /// Host or accelerator memory is exhausted.
    MemoryPressure => "memory_pressure",
    /// 5xx or timeouts dominate.
    ModelErrors => "model_errors",
    /// 4xx or throttled requests dominate.
    ClientErrors => "client_errors",
    /// A multi-model endpoint loads and unloads models.
    ModelLoading => "model_loading",
    /// New instances serve before they are warm.
    ColdStart => "cold_start",
    /// So few requests that each meets cold paths.
    InfrequentTraffic => "infrequent_traffic",
    /// `OverheadLatency`, not `ModelLatency`.
    Overhead => "overhead",
    /// One instance, or a few, is far slower or busier than the rest.
    UnevenLoad => "uneven_load",
    /// A serverless endpoint is at its `MaxConcurrency`.
    ServerlessConcurrencyLimit => "serverless_concurrency_limit",
    /// An asynchronous endpoint's queue grows.
    Backlog => "backlog",
    /// An inference component lacks copies, or room for them.
    NoCopies => "no_copies",
    /// Latency is normal for this endpoint; the objective sits on top of it.
    ObjectiveTooTight => "objective_too_tight",
    /// Over before, or too small to act on.
    Transient => "transient",
    /// Not enough was observed to say.
    InsufficientData => "insufficient_data",
    /// Enough was observed, and no cause stands out.
    Undetermined => "undetermined",
}

impl Verdict {
    /// Whether adding instances (or copies) removes the cause.
    #[must_use]
    pub fn is_helped_by_scaling(self) -> bool {
        matches!(self, Self::Overload | Self::Burst | Self::Backlog | Self::NoCopies)
    }

    /// The same for one way of hosting: a serverless variant with more provisioned concurrency has fewer cold starts.
    #[must_use]
    pub fn is_helped_by_scaling_of(self, hosting: Hosting) -> bool {
        match hosting {
            Hosting::Serverless => self == Self::ColdStart,
            _ => self.is_helped_by_scaling(),
        }
    }

    /// The headline for people.
    #[must_use]
    pub fn headline(self) -> &'static str {
        match self {
            Self::Overload => "overloaded",
            Self::Burst => "overloaded by bursts inside single minutes",
            Self::ContainerConcurrencyLimit => "limited by the container's own concurrency",
            Self::HeavierRequests => "slow because requests became heavier",
            Self::SlowModel => "slow because of the model or its code",
            Self::SlowDependency => "slow because the container waits for something",
            Self::MemoryPressure => "short of memory",
            Self::ModelErrors => "failing: model errors dominate",
            Self::ClientErrors => "receiving bad or throttled requests",
            Self::ModelLoading => "loading and unloading models",
            Self::ColdStart => "starting cold",
            Self::InfrequentTraffic => "cold from infrequent traffic",
            Self::Overhead => "slow outside the model: overhead latency",
            Self::UnevenLoad => "uneven: a few instances are slow or busy",
            Self::ServerlessConcurrencyLimit => "at its serverless concurrency limit",
            Self::Backlog => "behind: the backlog grows",
            Self::NoCopies => "short of copies",
            Self::ObjectiveTooTight => "normal: the objective is too tight",
            Self::Transient => "within its limits now",
            Self::InsufficientData => "not diagnosed: not enough data",
            Self::Undetermined => "slow for no cause that stands out",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How far a statement can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Nothing can be said.
    Insufficient,
    /// A hint.
    Low,
    /// Good enough to act with care.
    Medium,
    /// Good enough to act.
    High,
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Insufficient => "insufficient",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        })
    }
}

/// One measured fact for or against a verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Name of the signal, snake_case.
    pub signal: String,
    /// Whether it speaks for the verdict.
    pub supports: bool,
    /// What was seen.
    pub observed: Option<f64>,
    /// What would be normal.
    pub expected: Option<f64>,
    /// Unit of both.
    pub unit: String,
    /// The fact in words.
    pub text: String,
}

/// One measured fact that every report shows, for or against nothing in particular.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fact {
    /// Name of the signal, snake_case.
    pub signal: String,
    /// What was seen.
    pub observed: Option<f64>,
    /// What would be normal.
    pub expected: Option<f64>,
    /// Unit of both.
    pub unit: String,
    /// The fact in words.
    pub text: String,
}

/// Another cause that was considered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Alternative {
    /// Which cause.
    pub verdict: Verdict,
    /// Its share of belief, 0 to 1.
    pub confidence: f64,
    /// The fact that speaks most against it.
    pub why_not: String,
}

/// What stands in the way of scaling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BlockedBy {
    /// Current count is `MaxCapacity`.
    AtMaxCapacity,
    /// The last scale-out failed on an account quota.
    Quota,
    /// The last scale-out failed because AWS had no such instances.
    InsufficientCapacity,
    /// Somebody suspended scaling out.
    ScalingSuspended,
    /// Instances are starting already.
    ScalingInProgress,
    /// The endpoint is not `InService`.
    EndpointNotInService,
}

impl BlockedBy {
    /// The fact in words.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::AtMaxCapacity => "the variant is at its MaxCapacity",
            Self::Quota => "the last scale-out failed on an account quota",
            Self::InsufficientCapacity => "the last scale-out failed because AWS had no such instances",
            Self::ScalingSuspended => "scaling out is suspended",
            Self::ScalingInProgress => "instances are starting already",
            Self::EndpointNotInService => "the endpoint is not InService",
        }
    }
}

impl Diagnosis {
    /// What stands in the way of scaling, in words.
    #[must_use]
    pub fn in_the_way(&self, of: ScalableDimension) -> Option<String> {
        let blocked = self.blocked_by?;
        Some(match (self.verdict, blocked) {
            (Verdict::NoCopies, BlockedBy::AtMaxCapacity) => {
                "the variant has as many instances as it may have".to_owned()
            }
            (_, BlockedBy::EndpointNotInService) if of == ScalableDimension::CopyCount => {
                "the endpoint or the component is not InService".to_owned()
            }
            _ => of.said(blocked.text()),
        })
    }
}

/// Why one variant is slow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Diagnosis {
    /// The cause.
    pub verdict: Verdict,
    /// A refinement of it, snake_case.
    pub sub_cause: Option<String>,
    /// Belief in the verdict, 0 to 1.
    pub confidence: f64,
    /// The same in words, capped by what was missing.
    pub grade: Grade,
    /// One sentence with the numbers that decide.
    pub summary: String,
    /// Facts for and against, the strongest first.
    pub evidence: Vec<Evidence>,
    /// What else was measured.
    #[serde(default)]
    pub context: Vec<Fact>,
    /// Other causes, most likely first.
    pub alternatives: Vec<Alternative>,
    /// What stands in the way of scaling.
    pub blocked_by: Option<BlockedBy>,
    /// What a person should do about this cause.
    pub next_steps: Vec<String>,
}

/// `sub_cause` of a burst that is a minute of its own.
pub const SINGLE_MINUTES: &str = "single_minutes";

impl Diagnosis {
    /// Whether it is about a minute that stands out, and not about what happens inside of minutes.
    #[must_use]
    pub fn is_of_single_minutes(&self) -> bool {
        self.verdict == Verdict::Burst && self.sub_cause.as_deref() == Some(SINGLE_MINUTES)
    }
}
