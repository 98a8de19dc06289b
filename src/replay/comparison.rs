//! Scaling set-ups side by side.

use super::{Compiled, NotReplayable, Outcome, QueueReplay, Replay, Setup, Step};
use crate::model::{Comparison, Minute, Observation, Projection, Row, Seconds, Validation};

/// Version of the comparison's JSON.
const VERSION: &str = "1";
/// Two weeks fit on a screen in means of so many minutes.
const SLOT_MINUTES: usize = 30;

impl Replay {
    /// Replays the present set-up (the recorded counts where there is none) and `setups`. A minute over the objective is
    /// counted as `weight` minutes of the fleet that the load needs.
    #[must_use]
    pub fn compare(&self, observation: &Observation, setups: &[Setup], weight: f64) -> Comparison {
        Comparison { objective: observation.objective, ..compared(self, observation, setups, weight) }
    }

    /// Instances that the load needs on average, at every minute just enough of them; at least 1.
    #[must_use]
    pub fn needed_fleet(&self) -> f64 {
        let value = self.capacity.likely().0;
        let known = self.traffic.usual().filter(|offered| offered.is_finite());
        let (sum, count) =
            known.fold((0.0, 0.0), |(sum, count), offered| (sum + (offered / value).ceil().max(1.0), count + 1.0));
        if count > 0.0 { sum / count } else { 1.0 }
    }
}

impl QueueReplay {
    /// The same over a queue. A minute is over the objective where the oldest request has waited longer than it may.
    #[must_use]
    pub fn compare(&self, observation: &Observation, setups: &[Setup], weight: f64) -> Comparison {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "made of whole seconds")]
        let longest_wait = Seconds((60.0 * self.longest_wait).round() as u32);
        Comparison { longest_wait: Some(longest_wait), ..compared(self, observation, setups, weight) }
    }
}

/// What set-ups are played over: an endpoint that answers at once, or a queue.
trait Played {
    /// The set-up that stands; none where nothing scales the variant.
    fn standing(&self) -> Option<&Setup>;
    /// How a replay of what stands compares with what happened.
    fn judged(&self) -> Validation;
    /// A set-up ready to be played.
    fn readied(&self, setup: &Setup) -> Result<Compiled, NotReplayable>;
    /// What a set-up does by the best estimate, and the instances that serve, minute by minute.
    fn played(&self, setup: &Compiled) -> (Outcome, Vec<f64>);
    /// The same of the counts as they were recorded.
    fn recorded(&self) -> (Outcome, Vec<f64>);
    /// What a set-up does, with its range.
    fn projected(&self, setup: &Compiled) -> Projection;
    /// The same of the counts as they were recorded.
    fn projected_as_recorded(&self) -> Projection;
    /// Instances that the load needs on average.
    fn fleet(&self) -> f64;
    /// The first minute, and requests in each.
    fn load(&self) -> (Minute, &[f64]);
}

impl Played for Replay {
    fn standing(&self) -> Option<&Setup> {
        self.present()
    }

    fn judged(&self) -> Validation {
        self.validate()
    }

    fn readied(&self, setup: &Setup) -> Result<Compiled, NotReplayable> {
        self.compile(setup)
    }

    fn played(&self, setup: &Compiled) -> (Outcome, Vec<f64>) {
        let start = self.start(setup);
        let mut counts = Vec::with_capacity(self.traffic.minutes());
        self.emulator.play(setup, start, self.likely(), |step: Step| counts.push(step.serving));
        (self.emulator.run(setup, start, self.likely()), counts)
    }

    fn recorded(&self) -> (Outcome, Vec<f64>) {
        let counts = self.traffic.filled_instances();
        (self.emulator.run_counts(&counts, self.likely()), counts)
    }

    fn projected(&self, setup: &Compiled) -> Projection {
        self.project(setup)
    }

    fn projected_as_recorded(&self) -> Projection {
        self.project_recorded()
    }

    fn fleet(&self) -> f64 {
        self.needed_fleet()
    }

    fn load(&self) -> (Minute, &[f64]) {
        (self.traffic.first, &self.traffic.offered)
    }
}

impl Played for QueueReplay {
    fn standing(&self) -> Option<&Setup> {
        self.present()
    }

    fn judged(&self) -> Validation {
        self.validate()
    }

    fn readied(&self, setup: &Setup) -> Result<Compiled, NotReplayable> {
        self.compile(setup)
    }

    fn played(&self, setup: &Compiled) -> (Outcome, Vec<f64>) {
        let mut counts = Vec::with_capacity(self.minutes());
        self.play(setup, self.likely(), |step: Step| counts.push(step.serving));
        (self.run(setup, self.likely()), counts)
    }

    fn recorded(&self) -> (Outcome, Vec<f64>) {
        let counts: Vec<f64> = self.filled_instances().collect();
        (self.run_counts(&counts, self.likely()), counts)
    }

    fn projected(&self, setup: &Compiled) -> Projection {
        self.project(setup)
    }

    fn projected_as_recorded(&self) -> Projection {
        self.project_recorded()
    }

    fn fleet(&self) -> f64 {
        self.needed_fleet().max(1.0)
    }

    fn load(&self) -> (Minute, &[f64]) {
        (self.first, &self.arrivals)
    }
}

fn compared(replay: &impl Played, observation: &Observation, setups: &[Setup], weight: f64) -> Comparison {
    let validation = replay.judged();
    let present = match replay.standing() {
        Some(setup) => row(replay, "as it is", setup),
        None => as_it_was(replay),
    };
    let others = setups.iter().map(|setup| row(replay, &setup.name, setup));
    let fleet = replay.fleet();
    let cost = |outcome: &Outcome| outcome.instance_minutes() + weight * fleet * outcome.over_minutes();
    let rated: Vec<(Row, Option<f64>)> = std::iter::once(present)
        .chain(others)
        .map(|(row, outcome)| (row, outcome.map(|outcome| cost(&outcome))))
        .collect();
    // Against what stands; where that cannot be replayed, against the first that can.
    let first = rated.iter().find_map(|(_, cost)| *cost).filter(|cost| *cost > 0.0);
    let rows = rated.into_iter().map(|(row, cost)| Row {
        relative_cost: cost.zip(first).map(|(cost, first)| (1_000.0 * cost / first).round() / 1_000.0),
        projection: row.projection.filter(|_| validation.passed),
        ..row
    });
    let (first_minute, load) = replay.load();
    #[expect(clippy::cast_precision_loss, reason = "minutes of a few weeks")]
    let days = load.len() as f64 / 1_440.0;
    Comparison {
        version: VERSION.to_owned(),
        endpoint_name: observation.endpoint_name.clone(),
        variant_name: observation.variant_name.clone(),
        inference_component_name: observation.inference_component_name.clone(),
        hosting: observation.hosting,
        objective: None,
        longest_wait: None,
        from: first_minute.start(),
        days: (10.0 * days).round() / 10.0,
        rows: rows.collect(),
        validation,
        weight,
        advised: None,
        load: load.chunks(SLOT_MINUTES).map(mean).collect(),
        slot_minutes: u32::try_from(SLOT_MINUTES).unwrap_or(u32::MAX),
    }
}

fn row(replay: &impl Played, name: &str, setup: &Setup) -> (Row, Option<Outcome>) {
    let empty = Row {
        name: name.to_owned(),
        relative_cost: None,
        projection: None,
        changes: None,
        instances: Vec::new(),
        not_replayable: None,
    };
    let compiled = match replay.readied(setup) {
        Ok(compiled) => compiled,
        Err(error) => return (Row { not_replayable: Some(error.to_string()), ..empty }, None),
    };
    let (outcome, counts) = replay.played(&compiled);
    let row = Row {
        projection: Some(replay.projected(&compiled)),
        changes: Some(outcome.changes),
        instances: means(&counts),
        ..empty
    };
    (row, Some(outcome))
}

fn as_it_was(replay: &impl Played) -> (Row, Option<Outcome>) {
    let (outcome, counts) = replay.recorded();
    let row = Row {
        name: "as it was".to_owned(),
        relative_cost: None,
        projection: Some(replay.projected_as_recorded()),
        changes: Some(outcome.changes),
        instances: means(&counts),
        not_replayable: None,
    };
    (row, Some(outcome))
}

fn means(values: &[f64]) -> Vec<f64> {
    values.chunks(SLOT_MINUTES).map(|slot| mean(slot).map_or(0.0, |mean| (100.0 * mean).round() / 100.0)).collect()
}

fn mean(values: &[f64]) -> Option<f64> {
    let known = values.iter().filter(|value| value.is_finite());
    let (sum, count) = known.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| f64::round(10.0 * sum / count) / 10.0)
}
