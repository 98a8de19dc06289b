//! Whether load allows a raised `MinCapacity` to go back.

use super::{Judging, ours};
use crate::model::{History, Hosting, InstanceCount, Observation, Phase, Restoration};
use crate::undo;
use jiff::SignedDuration;

/// The busiest minute of the last hour has to be carried: load that fell for some minutes comes back.
const MINUTES: i64 = 60;
/// With fewer minutes than half of them, nobody knows how much arrives; missing data never removes an instance.
const FEWEST: usize = 30;

/// Instances that the load of the last hour needs, where one has room for `carried` requests of a minute; none where too
/// little of it is known.
fn needed(observation: &Observation, carried: f64) -> Option<InstanceCount> {
    let history = History::of(observation);
    let last = observation.last_minute();
    let arrived: Vec<f64> = history
        .between(last.plus(1 - MINUTES), last)
        .filter_map(|(_, row)| row.invocations)
        .map(|invocations| invocations.0)
        .collect();
    let peak = arrived.iter().copied().max_by(f64::total_cmp).filter(|_| arrived.len() >= FEWEST)?;
    let needed = (peak / carried).ceil();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number, checked")]
    (0.0..=10_000.0).contains(&needed).then(|| InstanceCount((needed as u32).max(1)))
}

impl Judging<'_> {
    /// The request that lowers `MinCapacity`, where its time has come, load allows it and the set-up is still ours.
    pub(super) fn may_relax(&self) -> Option<Restoration> {
        let written = self.incident.written.as_ref()?;
        let relax = written.relax?;
        if matches!(self.incident.phase, Phase::RolledBack | Phase::LeftAlone) {
            return None;
        }
        let due = written.at + SignedDuration::from_mins(i64::from(relax.after_minutes));
        let needed = match self.look.observation.hosting {
            Hosting::Serverless => super::serverless::needed(self.look.observation)?,
            _ => needed(self.look.observation, self.has_room_for(written)?)?,
        };
        // A component that may do without any copy keeps the one that it needs by its policy.
        let is_enough = needed <= relax.min_capacity.max(InstanceCount(1));
        let stands = self.stands()?;
        let is_ours = ours(&stands).difference(&ours(&written.stands)).is_none();
        let is_free = self.look.observation.endpoint.status.is_in_service();
        (self.now >= due && is_enough && is_ours && is_free)
            .then(|| undo::relax(relax.min_capacity, &stands, &self.key()?))
            .flatten()
    }
}
