//! What is different where requests came in bursts.

use super::{FELL, FITS, Judging};
use crate::model::{History, Measures, Microseconds, Minute, MinuteRow, ScalingState, Verdict, Written};
use crate::statistics::median;

/// What is left of the excess over the objective, where latency fell enough: bursts are not all alike.
const LEFT: f64 = 0.2;
/// A minute with so many times the requests of the last hour's median is a herd.
const HERD: f64 = 2.0;

impl Judging<'_> {
    /// The endpoint as it is to be judged: while all the instances that were asked for served warm. A herd is judged by the
    /// herds that came since; none before the next one is over.
    pub(super) fn served(&self, written: &Written) -> Option<Measures> {
        if !self.incident.diagnosis.is_of_single_minutes() {
            return Measures::served_by(self.look.observation, written.instances);
        }
        let history = History::of(self.look.observation);
        let last = self.look.observation.last_minute();
        let hour = history.between(last.plus(-59), last).filter_map(|(_, row)| Some(row.invocations?.0));
        let usual = median(hour)?;
        let is_herd = |row: &MinuteRow| row.invocations.is_some_and(|count| count.0 > HERD * usual);
        let since = history.between(Minute::containing(written.at).plus(1), last);
        let herds: Vec<f64> =
            since.filter(|(_, row)| is_herd(row)).filter_map(|(_, row)| Some(row.latency?.0)).collect();
        let latency = median(herds.iter().copied())?;
        Some(Measures { latency: Some(Microseconds(latency)), ..self.after })
    }

    /// Whether what is left of the bursts' latency is little, though single minutes are still over the objective.
    pub(super) fn fell_enough(&self, latency: Microseconds) -> bool {
        let limit = self.objective().map(|objective| objective.latency_slo_ms.to_microseconds().0);
        let before = self.incident.before.latency.map(|before| before.0);
        self.incident.diagnosis.verdict == Verdict::Burst
            && limit.zip(before).is_some_and(|(limit, before)| latency.0 <= limit + LEFT * (before - limit).max(0.0))
    }

    /// Whether each instance gets less of the same bursts and latency did not follow: then bursts were not the cause.
    pub(super) fn bursts_did_not_follow(&self, ratio: Option<f64>) -> bool {
        let (before, after) = (&self.incident.before, &self.after);
        let is_less = |before: Option<f64>, after: Option<f64>, share: f64| {
            before.zip(after).is_some_and(|(before, after)| after <= share * before)
        };
        self.incident.diagnosis.verdict == Verdict::Burst
            && ratio.is_some_and(|ratio| ratio > FELL)
            && is_less(before.load.map(|load| load.0), after.load.map(|load| load.0), FELL)
            && is_less(before.invocations.map(|count| count.0), after.invocations.map(|count| count.0), FITS)
    }

    /// Requests of a minute that one instance has room for, as it was sized.
    pub(super) fn has_room_for(&self, written: &Written) -> Option<f64> {
        if self.incident.diagnosis.verdict != Verdict::Burst {
            return Some(self.incident.capacity.as_ref()?.low.0);
        }
        Some(self.incident.before.invocations?.0 / f64::from(written.instances.0.max(1)))
    }
}

/// A set-up in which `MinCapacity` is what it is at its lowest, where a schedule of ours moves it.
pub(super) fn at_its_lowest(state: ScalingState) -> ScalingState {
    let ours = state.scheduled_actions.iter().filter(|action| action.is_ours());
    let floors: Vec<_> = ours.filter_map(|action| action.min_capacity).collect();
    let lowest = floors.iter().copied().min();
    let mut lowered = state;
    if let Some((target, lowest)) = lowered.target.as_mut().zip(lowest)
        && floors.contains(&target.min_capacity)
    {
        target.min_capacity = lowest;
    }
    lowered
}
