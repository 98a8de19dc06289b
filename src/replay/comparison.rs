//! Scaling set-ups side by side.

use super::{NotReplayable, Outcome, Replay, Setup, Step};
use crate::model::{Comparison, Observation, Row};

/// Version of the comparison's JSON.
const VERSION: &str = "1";
/// Two weeks fit on a screen in means of so many minutes.
const SLOT_MINUTES: usize = 30;

impl Replay {
    /// Replays the present set-up (the recorded counts where there is none) and `setups`. A minute over the objective is
    /// counted as `weight` minutes of the fleet that the load needs. None without an objective.
    #[must_use]
    pub fn compare(&self, observation: &Observation, setups: &[Setup], weight: f64) -> Option<Comparison> {
        let validation = self.validate();
        let present = match self.present() {
            Some(setup) => self.row("as it is", self.compile(setup)),
            None => self.recorded(),
        };
        let others = setups.iter().map(|setup| self.row(&setup.name, self.compile(setup)));
        let rated: Vec<(Row, Option<f64>)> = std::iter::once(present)
            .chain(others)
            .map(|(row, outcome)| (row, outcome.map(|outcome| self.cost(&outcome, weight))))
            .collect();
        // Against what stands; where that cannot be replayed, against the first that can.
        let first = rated.iter().find_map(|(_, cost)| *cost).filter(|cost| *cost > 0.0);
        let rows = rated.into_iter().map(|(row, cost)| Row {
            relative_cost: cost.zip(first).map(|(cost, first)| (1_000.0 * cost / first).round() / 1_000.0),
            projection: row.projection.filter(|_| validation.passed),
            ..row
        });
        Some(Comparison {
            version: VERSION.to_owned(),
            endpoint_name: observation.endpoint_name.clone(),
            variant_name: observation.variant_name.clone(),
            inference_component_name: observation.inference_component_name.clone(),
            hosting: observation.hosting,
            objective: observation.objective?,
            from: self.traffic.first.start(),
            days: (10.0 * self.traffic.days()).round() / 10.0,
            rows: rows.collect(),
            validation,
            weight,
            advised: None,
            load: self.traffic.offered.chunks(SLOT_MINUTES).map(mean).collect(),
            slot_minutes: u32::try_from(SLOT_MINUTES).unwrap_or(u32::MAX),
        })
    }

    fn row(&self, name: &str, compiled: Result<super::Compiled, NotReplayable>) -> (Row, Option<Outcome>) {
        let empty = Row {
            name: name.to_owned(),
            relative_cost: None,
            projection: None,
            changes: None,
            instances: Vec::new(),
            not_replayable: None,
        };
        let compiled = match compiled {
            Ok(compiled) => compiled,
            Err(error) => return (Row { not_replayable: Some(error.to_string()), ..empty }, None),
        };
        let start = self.start(&compiled);
        let mut counts = Vec::with_capacity(self.traffic.minutes());
        self.emulator.play(&compiled, start, self.likely(), |step: Step| counts.push(step.serving));
        let outcome = self.emulator.run(&compiled, start, self.likely());
        let row = Row {
            projection: Some(self.project(&compiled)),
            changes: Some(outcome.changes),
            instances: means(&counts),
            ..empty
        };
        (row, Some(outcome))
    }

    fn recorded(&self) -> (Row, Option<Outcome>) {
        let counts = self.traffic.filled_instances();
        let outcome = self.emulator.run_counts(&counts, self.likely());
        let row = Row {
            name: "as it was".to_owned(),
            relative_cost: None,
            projection: Some(self.project_recorded()),
            changes: Some(outcome.changes),
            instances: means(&counts),
            not_replayable: None,
        };
        (row, Some(outcome))
    }

    /// Instance-minutes, with minutes over the objective turned into them.
    fn cost(&self, outcome: &Outcome, weight: f64) -> f64 {
        outcome.instance_minutes() + weight * self.needed_fleet() * outcome.over_minutes()
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

fn means(values: &[f64]) -> Vec<f64> {
    values.chunks(SLOT_MINUTES).map(|slot| mean(slot).map_or(0.0, |mean| (100.0 * mean).round() / 100.0)).collect()
}

fn mean(values: &[f64]) -> Option<f64> {
    let known = values.iter().filter(|value| value.is_finite());
    let (sum, count) = known.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| f64::round(10.0 * sum / count) / 10.0)
}
