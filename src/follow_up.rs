//! An open [`Incident`] and a new look at its endpoint → what it means, and what is to be done: keep, relax or roll back.
//!
//! Pure. What was written is judged only once all the instances that were asked for serve warm, and by what it was meant
//! to do: load per instance falls to what one carries, and latency with it. Load that fell and latency that did not says
//! that load was not the cause; then everything goes back. Whatever cannot be told is looked at again.

mod bursts;
mod measures;
mod queue;
mod relax;
mod room;
mod serverless;
mod words;

use crate::model::{
    BlockedBy, Diagnosis, Hosting, Incident, InstanceCount, LatencyObjective, Measures, Next, Observation,
    OutcomeStatus, Phase, ScalableKey, ScalingState, Told, Verdict, Write, Written,
};
use crate::undo;
use jiff::{SignedDuration, Timestamp};

/// After the time in which instances usually start, so long until their first minutes can be judged.
const JUDGED_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// Instances that start are waited for in steps of this.
const SOON: SignedDuration = SignedDuration::from_mins(5);
/// Latency that is falling gets another ten minutes.
const SETTLING: SignedDuration = SignedDuration::from_mins(10);
/// Where a person has to act, or nothing is wrong any more. An alarm that comes back within it is the same incident.
const CALM: SignedDuration = SignedDuration::from_mins(30);
/// Instances that did not start within an hour do not start by themselves.
const START_LIMIT: SignedDuration = SignedDuration::from_mins(60);
/// How long after what was written something that only helps in part is waited for.
const SETTLE_LIMIT: SignedDuration = SignedDuration::from_mins(60);
/// After a day an incident is a state, and somebody's work; a new alarm begins another.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(24);
/// Latency that fell by less than a fifth did not fall: minutes scatter by as much.
const FELL: f64 = 0.8;
/// Load within 5 % of what one instance carries fits: the 3 of 3 minutes of an alarm scatter by as much.
const FITS: f64 = 1.05;
/// Latency twice as high as what people were told is news.
const WORSE: f64 = 2.0;

/// Why an incident is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// Its time has come.
    Scheduled,
    /// Its last alarm is OK.
    AlarmsOk,
}

/// A new look at the endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// Why.
    pub occasion: Occasion,
    /// What is there now.
    pub observation: &'a Observation,
    /// What the endpoint suffers from now.
    pub diagnosis: &'a Diagnosis,
    /// What stands in the way of instances, whatever the cause.
    pub blocked_by: Option<BlockedBy>,
}

/// What a look means.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// What people are told; none where there is no news.
    pub news: Option<News>,
    /// What is written.
    pub write: Write,
    /// How the incident goes on; none closes it.
    pub then: Option<Next>,
    /// The endpoint now.
    pub after: Measures,
    /// What people have been told then, by which the next look knows what is news.
    pub told: Told,
}

/// What people are told.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    /// In one word.
    pub status: OutcomeStatus,
    /// A short code.
    pub reason: &'static str,
    /// In words.
    pub words: String,
    /// The verdict that belongs to it: the first one, or today's.
    pub diagnosis: Diagnosis,
    /// What a person should do.
    pub steps: Vec<String>,
    /// Whether the whole of today's advice is the news, its plan too.
    pub is_about_now: bool,
}

/// When an incident is looked at first: `boot_minutes` is how long instances take until they serve.
#[must_use]
pub fn first_look(now: Timestamp, boot_minutes: f64) -> Timestamp {
    let boot = SignedDuration::try_from_secs_f64(60.0 * boot_minutes.clamp(0.0, 60.0)).unwrap_or_default();
    now + boot + JUDGED_AFTER
}

/// Whether a verdict is news to people who were told another: a cause has a name now and it is another one, something is
/// in the way that was not, or it is far worse. The text of a verdict changes every minute and is no news.
#[must_use]
pub fn is_news(told: &Told, now: &Told) -> bool {
    let is_named = !matches!(now.verdict, Verdict::Transient | Verdict::InsufficientData | Verdict::Undetermined);
    // While instances start, the endpoint is Updating: that is what was asked for.
    let passes = |blocked| matches!(blocked, BlockedBy::ScalingInProgress | BlockedBy::EndpointNotInService);
    let is_blocked = now.blocked_by.is_some_and(|blocked| !passes(blocked));
    let is_worse = told.latency.zip(now.latency).is_some_and(|(told, now)| now.0 >= WORSE * told.0);
    (is_named && now.verdict != told.verdict)
        || (is_blocked && now.blocked_by != told.blocked_by)
        || (is_worse && is_named)
}

/// Judges a look.
#[must_use]
pub fn judge(incident: &Incident, look: &Look) -> Judgement {
    let judgement = judged(incident, look);
    Judgement { news: judgement.news.map(|news| news.said(look.observation.dimension())), ..judgement }
}

fn judged(incident: &Incident, look: &Look) -> Judgement {
    let judging = Judging { incident, look, now: look.observation.at, after: Measures::of(look.observation) };
    match (look.occasion, incident.phase) {
        (Occasion::AlarmsOk, _) => judging.recovered(),
        (Occasion::Scheduled, Phase::Recovered) => judging.after_recovery(),
        (Occasion::Scheduled, Phase::Verified) if incident.alarms.is_empty() => judging.after_recovery(),
        _ if judging.now.duration_since(incident.opened_at) >= LONGEST => judging.given_up(),
        (Occasion::Scheduled, Phase::Open) => match &incident.written {
            Some(written) => judging.written(written),
            None => judging.watched(CALM),
        },
        (Occasion::Scheduled, Phase::Verified | Phase::RolledBack | Phase::LeftAlone) => judging.watched(CALM),
    }
}

#[derive(Clone, Copy)]
struct Judging<'a> {
    incident: &'a Incident,
    look: &'a Look<'a>,
    now: Timestamp,
    after: Measures,
}

impl Judging<'_> {
    /// What was written: is it there, did it come, did it help?
    fn written(self, written: &Written) -> Judgement {
        let Some(stands) = self.stands() else { return self.silent(Phase::Open, SOON) };
        if let Some(difference) = ours(&stands).difference(&ours(&written.stands)) {
            return self.changed_by_somebody(written, &stands, difference);
        }
        let waited = self.now.duration_since(written.at);
        let running = self.look.observation.running();
        let is_short = running.is_none_or(|running| running < written.instances);
        if let Some(lack) = self.lack(is_short) {
            return self.no_room(lack);
        }
        match self.look.blocked_by {
            Some(blocked @ (BlockedBy::Quota | BlockedBy::InsufficientCapacity)) if is_short => {
                return self.refused(blocked);
            }
            _ if is_short && waited >= START_LIMIT => return self.never_started(written),
            Some(BlockedBy::ScalingInProgress | BlockedBy::EndpointNotInService) => {
                return self.silent(Phase::Open, SOON);
            }
            _ if is_short => return self.silent(Phase::Open, SOON),
            _ => {}
        }
        if self.look.observation.hosting == Hosting::Serverless {
            return self.provisioned(written, waited);
        }
        if self.look.observation.is_asynchronous() {
            return self.queue(waited);
        }
        let Some(after) = self.served(written) else {
            // Nobody calls, or nothing is published: there is nothing to judge by.
            return self.silent(Phase::Open, if waited < START_LIMIT { SOON } else { CALM });
        };
        let judging = Self { after, ..self };
        let Some(latency) = after.latency else { return judging.silent(Phase::Open, SOON) };
        let before = judging.incident.before.latency;
        let ratio = before.map(|before| latency.0 / before.0);
        let is_within = match judging.objective() {
            Some(objective) => latency.to_milliseconds().0 <= objective.latency_slo_ms.0,
            None => ratio.is_some_and(|ratio| ratio <= FELL),
        };
        if is_within || judging.fell_enough(latency) {
            return judging.verified();
        }
        let is_more = judging.look.diagnosis.verdict.is_helped_by_scaling() && !judging.bursts_did_not_follow(ratio);
        let is_overloaded = !judging.load_fits() || is_more;
        match ratio {
            // More load than instances can be had for, or one instance carries less than it seemed: taking them away would
            // make it worse.
            _ if is_overloaded => judging.still_overloaded(waited),
            // The new instances are slow because they are new.
            _ if judging.is_warming_up() && waited < SETTLE_LIMIT => judging.silent(Phase::Open, SETTLING),
            Some(ratio) if ratio > FELL => judging.rolled_back(written, &stands),
            _ if waited < SETTLE_LIMIT => judging.silent(Phase::Open, SETTLING),
            _ => judging.helped_partly(),
        }
    }

    /// Nothing of ours to judge: only whether there is news.
    fn watched(self, again: SignedDuration) -> Judgement {
        let told = self.told();
        if !is_news(&self.incident.told, &told) {
            let phase = self.incident.phase;
            return self.silent(phase, again);
        }
        let words = format!("the verdict changed from {} to {}", self.incident.told.verdict, told.verdict);
        let words = if told.verdict == self.incident.told.verdict { "it became worse".to_owned() } else { words };
        let diagnosis = self.look.diagnosis.clone();
        let steps = diagnosis.next_steps.clone();
        let judgement = self.tell(OutcomeStatus::NotNeeded, "news", words, diagnosis, steps, again);
        let news = judgement.news.map(|news| News { is_about_now: true, ..news });
        Judgement { news, ..judgement }
    }

    fn verified(self) -> Judgement {
        let words = "what was written helped".to_owned();
        let diagnosis = self.incident.diagnosis.clone();
        let steps = self.relax_step().into_iter().collect();
        let judgement = self.tell(OutcomeStatus::Verified, "helped", words, diagnosis, steps, CALM);
        in_phase(judgement, Phase::Verified)
    }

    fn rolled_back(self, written: &Written, stands: &ScalingState) -> Judgement {
        let Some(key) = self.key() else { return self.silent(Phase::Open, CALM) };
        let restoration = undo::to(&written.before, stands, &key);
        let words = "load per instance fell and latency did not: more instances are not what it needs".to_owned();
        let steps = self.count_step(&restoration).into_iter().chain(self.look.diagnosis.next_steps.clone()).collect();
        let diagnosis = self.without_load_as_cause();
        let judgement = self.tell(OutcomeStatus::RolledBack, "did_not_help", words, diagnosis, steps, CALM);
        Judgement { write: Write::Restoration(Box::new(restoration)), ..in_phase(judgement, Phase::RolledBack) }
    }

    fn changed_by_somebody(self, written: &Written, stands: &ScalingState, difference: &str) -> Judgement {
        let words = if stands.difference(&written.before).is_none() {
            "somebody took back what was written for this incident: it is left as it is".to_owned()
        } else {
            format!("{difference} was changed by somebody else meanwhile: it is left as it is")
        };
        let asked = self.incident.asked_of_the_tool();
        let steps =
            vec![format!("Finish what was begun, or take back what is left of ours: endpoint-advisor undo {asked}")];
        let diagnosis = self.incident.diagnosis.clone();
        let judgement = self.tell(OutcomeStatus::Stale, "changed_by_somebody_else", words, diagnosis, steps, CALM);
        in_phase(judgement, Phase::LeftAlone)
    }

    fn never_started(self, written: &Written) -> Judgement {
        const REASON: BlockedBy = BlockedBy::ScalingInProgress;
        if self.incident.told.blocked_by == Some(REASON) {
            return self.silent(Phase::Open, CALM);
        }
        let running = self.after.instances.map_or("an unknown number".to_owned(), |running| running.to_string());
        let words = format!(
            "{} {} were asked for at {}, and {running} run an hour later",
            written.instances,
            self.look.observation.dimension().units(),
            written.at.strftime("%H:%M UTC")
        );
        let steps = vec![
            "Look at the scaling activities of the variant and at the container's log: new instances have to pass their \
             health check."
                .to_owned(),
        ];
        let diagnosis = Diagnosis { blocked_by: Some(REASON), ..self.incident.diagnosis.clone() };
        self.tell(OutcomeStatus::Failed, "instances_did_not_start", words, diagnosis, steps, CALM)
    }

    /// Load grew beyond what was written. The policy goes on; a person is needed only where it cannot.
    fn still_overloaded(self, waited: SignedDuration) -> Judgement {
        let told = self.told();
        if self.look.blocked_by != Some(BlockedBy::AtMaxCapacity) || !is_news(&self.incident.told, &told) {
            return self.silent(Phase::Open, if waited < SETTLE_LIMIT { SETTLING } else { CALM });
        }
        let words = "load grew, and the instances that are allowed are not enough".to_owned();
        let diagnosis = Diagnosis { blocked_by: self.look.blocked_by, ..self.incident.diagnosis.clone() };
        let steps =
            vec!["Raise ADVISOR_MAX_INSTANCES or the tag endpoint-advisor:max-instances, then ask again.".to_owned()];
        self.tell(OutcomeStatus::NotNeeded, "at_max_capacity", words, diagnosis, steps, CALM)
    }

    fn helped_partly(self) -> Judgement {
        let told = self.told();
        if !is_news(&self.incident.told, &told) {
            return self.silent(Phase::Open, CALM);
        }
        let words = "it is better, and not within the objective".to_owned();
        let diagnosis = self.look.diagnosis.clone();
        let steps = diagnosis.next_steps.clone();
        self.tell(OutcomeStatus::NotNeeded, "helped_partly", words, diagnosis, steps, CALM)
    }

    /// The alarms are OK: before and after, and what was raised goes back where its time has come.
    fn recovered(self) -> Judgement {
        let relaxing = self.may_relax();
        let diagnosis = self.incident.diagnosis.clone();
        let words = match &relaxing {
            Some(_) => "its alarms are OK, and load allows MinCapacity to go back",
            None => "its alarms are OK",
        };
        let words = words.to_owned();
        let look_at = match &self.incident.written {
            Some(Written { at, relax: Some(relax), .. }) => {
                let due = *at + SignedDuration::from_mins(i64::from(relax.after_minutes));
                due.max(self.now + CALM)
            }
            _ => self.now + CALM,
        };
        let (status, reason) = match &relaxing {
            Some(_) => (OutcomeStatus::Relaxed, "recovered"),
            None => (OutcomeStatus::Verified, "recovered"),
        };
        let steps = if relaxing.is_some() { None } else { self.relax_step() };
        let judgement = self.tell(status, reason, words, diagnosis, steps.into_iter().collect(), CALM);
        Judgement {
            write: relaxing.map_or(Write::Nothing, |way| Write::Restoration(Box::new(way))),
            then: Some(Next { phase: Phase::Recovered, look_at }),
            ..judgement
        }
    }

    /// It was over the last time. Whatever was raised goes back, then the incident is closed.
    fn after_recovery(self) -> Judgement {
        let Some(Written { relax: Some(relax), stands, .. }) = &self.incident.written else { return self.close() };
        if self.now.duration_since(self.incident.opened_at) >= LONGEST && self.may_relax().is_none() {
            return self.given_up();
        }
        let Some(now) = self.stands() else { return self.silent(self.incident.phase, CALM) };
        if ours(&now).difference(&ours(stands)).is_some() {
            // Somebody decided about it already.
            return self.close();
        }
        if let Some(restoration) = self.may_relax() {
            let words = format!("load allows it: MinCapacity goes back to {}", relax.min_capacity);
            let diagnosis = self.incident.diagnosis.clone();
            let judgement = self.tell(OutcomeStatus::Relaxed, "load_allows", words, diagnosis, Vec::new(), CALM);
            return Judgement { write: Write::Restoration(Box::new(restoration)), then: None, ..judgement };
        }
        let phase = self.incident.phase;
        self.silent(phase, CALM)
    }

    /// After a day. What was raised stays where it could not be told that load does without it, and a person is told.
    fn given_up(self) -> Judgement {
        let Some(Written { relax: Some(relax), stands, .. }) = &self.incident.written else { return self.close() };
        if self.incident.phase == Phase::LeftAlone || self.incident.phase == Phase::RolledBack {
            return self.close();
        }
        let min = stands.target.as_ref().map_or(InstanceCount(1), |target| target.min_capacity);
        let words = format!("MinCapacity was raised to {min} a day ago, and it did not show that load does without it");
        let steps = vec![format!("Set MinCapacity back to {} once it does.", relax.min_capacity)];
        let diagnosis = self.incident.diagnosis.clone();
        let judgement = self.tell(OutcomeStatus::NotNeeded, "still_raised", words, diagnosis, steps, CALM);
        Judgement { then: None, ..judgement }
    }

    /// Whether instances are slow for as long as they are new: caches and models fill.
    fn is_warming_up(&self) -> bool {
        matches!(self.look.diagnosis.verdict, Verdict::ColdStart | Verdict::ModelLoading)
    }

    /// The set-up as it is; none where it could not be read.
    fn stands(&self) -> Option<ScalingState> {
        let scaling = self.look.observation.scaling.as_ref()?;
        scaling.scheduled_actions.as_ref()?;
        Some(ScalingState::of(scaling))
    }

    fn key(&self) -> Option<ScalableKey> {
        self.look.observation.scalable_key()
    }

    fn objective(&self) -> Option<LatencyObjective> {
        self.look.observation.objective.or(self.incident.objective)
    }

    /// Whether one instance now gets no more than it carries.
    fn load_fits(&self) -> bool {
        let Some(load) = self.after.load else { return false };
        let carries =
            self.incident.capacity.as_ref().map(|capacity| FITS * capacity.invocations_per_instance_per_minute.0);
        let fell = || self.incident.before.load.map(|before| FELL * before.0);
        carries.or_else(fell).is_some_and(|most| load.0 <= most)
    }

    fn told(&self) -> Told {
        Told {
            verdict: self.look.diagnosis.verdict,
            blocked_by: self.look.diagnosis.blocked_by,
            latency: self.after.latency,
        }
    }

    fn silent(self, phase: Phase, again: SignedDuration) -> Judgement {
        let then = Some(Next { phase, look_at: self.now + again });
        Judgement { news: None, write: Write::Nothing, then, after: self.after, told: self.incident.told }
    }

    fn close(self) -> Judgement {
        Judgement { news: None, write: Write::Nothing, then: None, after: self.after, told: self.incident.told }
    }

    fn tell(
        self,
        status: OutcomeStatus,
        reason: &'static str,
        words: String,
        diagnosis: Diagnosis,
        steps: Vec<String>,
        again: SignedDuration,
    ) -> Judgement {
        let then = Some(Next { phase: self.incident.phase, look_at: self.now + again });
        // What is over was told as over; what comes back after it is still the same.
        let told = match status {
            OutcomeStatus::Verified | OutcomeStatus::Relaxed => self.incident.told,
            _ => Told { blocked_by: diagnosis.blocked_by, ..self.told() },
        };
        let news = Some(News { status, reason, words, diagnosis, steps, is_about_now: false });
        Judgement { news, write: Write::Nothing, then, after: self.after, told }
    }
}

fn in_phase(judgement: Judgement, phase: Phase) -> Judgement {
    Judgement { then: judgement.then.map(|next| Next { phase, ..next }), ..judgement }
}

/// A set-up without the scheduled actions of others: whether they could be read at the time changes, and they are not ours
/// to judge.
fn ours(state: &ScalingState) -> ScalingState {
    let scheduled_actions = state.scheduled_actions.iter().filter(|action| action.is_ours()).cloned().collect();
    bursts::at_its_lowest(ScalingState { scheduled_actions, ..state.clone() })
}
