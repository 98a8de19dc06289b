//! What has to hold in every order.

use super::search::{Live, State};
use super::world::{Asked, World};
use super::*;
use std::collections::BTreeMap;

/// What was seen on the way, beside what is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Ghost {
    /// How often each request changed scaling, in this incident.
    done: BTreeMap<(String, Arc<str>), u8>,
    /// Whether all that was planned stood.
    pub was_planned: bool,
    /// Whether it was taken back since.
    was_taken_back: bool,
    /// Whether somebody else set the range.
    pub theirs: bool,
    /// Whether a process was cut off, was not answered, or kept another waiting for too long.
    pub is_excused: bool,
    /// Whether two wrote at once.
    is_overtaken: bool,
}

fn is_planned(world: &World) -> bool {
    world.target.as_ref().is_some_and(|target| target.min == i64::from(PLANNED)) && !world.policies.is_empty()
}

impl Ghost {
    /// After each request.
    pub fn after(&mut self, asked: &Asked, before: &World, after: &World, live: &Live) -> Result<(), String> {
        if asked.operation == "CreateSchedule" && before.schedule.is_none() {
            *self = Self {
                theirs: self.theirs,
                is_excused: self.is_excused,
                is_overtaken: self.is_overtaken,
                ..Self::default()
            };
        }
        if !asked.is_scaling() {
            return Ok(());
        }
        if live.is_overtaken && before.scaling() != after.scaling() {
            if !self.is_excused {
                return Err("two never write at once".to_owned());
            }
            self.is_overtaken = true;
        }
        let claim = before.schedule.as_ref().and_then(|schedule| schedule.claim.as_ref());
        let claim = claim.filter(|claim| claim.write != "nothing");
        if claim.is_none() && !self.is_excused {
            return Err("what is written is claimed before".to_owned());
        }
        if self.theirs && live.looked_after {
            let stands_theirs = before.target.as_ref().map(|target| (target.min, target.max)) == Some(THEIRS);
            if stands_theirs && claim.is_some_and(|claim| claim.range != Some(THEIRS)) {
                return Err("nothing is written onto what somebody else set".to_owned());
            }
            if stands_theirs
                && after.target.as_ref().is_none_or(|target| target.min < THEIRS.0 || target.max < THEIRS.1)
            {
                return Err("nothing of somebody else's is reduced".to_owned());
            }
        }
        if before.scaling() != after.scaling() {
            let times = self.done.entry((asked.operation.clone(), Arc::clone(&asked.body))).or_default();
            *times += 1;
            if *times > if self.is_overtaken { 2 } else { 1 } {
                return Err("the same change is made once".to_owned());
            }
            self.was_taken_back |= self.was_planned && !is_planned(after) && !live.is_overtaken;
            if is_planned(after) {
                if self.was_taken_back && !self.is_overtaken && !self.theirs {
                    return Err("what was taken back is not done again".to_owned());
                }
                self.was_planned = true;
            }
        }
        Ok(())
    }

    /// When every process is at its end, and no event comes again but a wake-up.
    pub fn at_rest(&self, state: &State) -> Result<(), String> {
        let world = &state.world;
        if let Some(schedule) = &world.schedule
            && schedule.is_over
        {
            return Err("an incident that is open is looked at again".to_owned());
        }
        if world.schedule.as_ref().is_some_and(|schedule| schedule.claim.is_some()) {
            return Ok(()); // whoever is woken goes on
        }
        let told = |statuses: &[&str]| statuses.iter().any(|status| world.told.contains(*status));
        if self.was_planned && !told(&["applied"]) {
            return Err("people hear of what was written".to_owned());
        }
        if self.was_taken_back && !self.theirs && !told(&["rolled_back", "relaxed", "verified"]) {
            return Err("people hear of what was taken back".to_owned());
        }
        let is_whole = is_planned(world) || world.target.is_none() || self.was_taken_back && !told(&["rolled_back"]);
        if !self.theirs && !is_whole {
            return Err("nothing is left half done".to_owned());
        }
        Ok(())
    }
}
