//! A first pass over many endpoints: how each is set up, and its hours; the single minutes of those that deserve it.

use crate::aws::{Aws, CallError, chain};
use crate::config::Settings;
use crate::doctor::{Checkup, NotExamined, examine, examine_each};
use crate::fleet::{Closer, Growth, Headroom, closer, growth, headroom};
use crate::model::{Account, CloudWatchAlarm, EndpointName, Observation, Subject, TriggerKind, TriggerSummary};
use crate::observe::{self, ObjectiveFrom, Request, Surveyed};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Endpoints of one batch. Four metrics each by the hour fit into one request three times over; at the rates of the function a
/// first pass over so many takes about twenty seconds.
pub const BATCH: usize = 25;

/// Who looks.
pub struct FirstPass<'a> {
    /// The clients.
    pub aws: &'a Aws,
    /// What holds for every endpoint.
    pub settings: &'a Settings,
    /// The end of the observed window.
    pub now: Timestamp,
    /// Days of minutes to read of those that deserve it.
    pub history_days: u32,
    /// Whether there is time for one more of them.
    pub has_time: &'a dyn Fn() -> bool,
}

/// What was found on one endpoint.
#[derive(Debug, Default)]
pub struct Seen {
    /// What is wrong with its set-up.
    pub checkup: Checkup,
    /// What room its variants have; empty where no minutes were read.
    pub headroom: Vec<Headroom>,
    /// Variants and components whose minutes were read.
    pub in_depth: u32,
    /// Whether minutes should have been read, and there was no time.
    pub is_hurried: bool,
}

impl FirstPass<'_> {
    /// Looks at these endpoints, a batch at most, those with most to see first. `seen` is told of each.
    pub async fn over(&self, names: &[EndpointName], account: &Account, seen: &mut dyn FnMut(Seen)) {
        let requests = names.iter().map(|name| self.request(name.clone())).collect();
        let (surveyed, failed) = observe::survey(self.aws, requests, self.now).await;
        for (subject, error) in failed {
            seen(Seen { checkup: unread(&subject, &error), ..Seen::default() });
        }
        let mut endpoints: BTreeMap<EndpointName, Vec<Surveyed>> = BTreeMap::new();
        for surveyed in surveyed {
            endpoints.entry(surveyed.observation.endpoint_name.clone()).or_default().push(surveyed);
        }
        let score = |part: &Surveyed| {
            let Closer { score, .. } = closer(&part.observation, part.hours.as_ref()?)?;
            Some(score)
        };
        let ranked = endpoints.into_iter().map(|(name, parts)| (parts.iter().filter_map(score).sum(), name, parts));
        let mut ranked: Vec<(f64, EndpointName, Vec<Surveyed>)> = ranked.collect();
        ranked.sort_by(|(a, ..), (b, ..)| b.total_cmp(a));
        for (score, name, parts) in ranked {
            let is_hurried = score > 0.0 && !(self.has_time)();
            seen(match score > 0.0 && !is_hurried {
                true => self.closer(name, parts, account).await,
                false => Seen { is_hurried, ..self.as_it_stands(parts, account) },
            });
        }
    }

    /// The minutes of one endpoint; what was seen from afar, where they cannot be read.
    async fn closer(&self, name: EndpointName, parts: Vec<Surveyed>, account: &Account) -> Seen {
        let growths = parts
            .iter()
            .filter_map(|part| Some((part.observation.part_name().to_owned(), growth(part.hours.as_ref()?)?)));
        let growths: BTreeMap<String, Growth> = growths.collect();
        match observe::observe(self.aws, &self.request(name)).await {
            Ok(observations) => in_depth(&with_alarms(observations, account), account, self.settings, &growths),
            Err(error) => {
                let mut parts = parts;
                let words = format!("{error}: its minutes were not read");
                parts.iter_mut().for_each(|part| part.observation.warnings.push(words.clone()));
                self.as_it_stands(parts, account)
            }
        }
    }

    fn as_it_stands(&self, parts: Vec<Surveyed>, account: &Account) -> Seen {
        let observations = with_alarms(parts.into_iter().map(|part| part.observation).collect(), account);
        let mut checkup = examine(&observations, Some(account), self.settings);
        // That minutes were not read is no gap: nothing in their hours asked for it.
        checkup.not_read.retain(|gap| gap.rules.is_empty());
        Seen { checkup, ..Seen::default() }
    }

    fn request(&self, name: EndpointName) -> Request {
        Request {
            subject: Subject::Endpoint(name),
            described: None,
            at: self.now,
            now: self.now,
            trigger: TriggerSummary { kind: TriggerKind::Audit, alarm_name: None, state: None, changed_at: None },
            objective: None,
            objective_from: ObjectiveFrom::AlarmsOfVariant,
            history_days: self.history_days,
            // What could be saved is told in money.
            has_hourly_limit: true,
        }
    }
}

/// What minutes show: set-up and room.
pub(super) fn in_depth(
    observations: &[Observation],
    account: &Account,
    settings: &Settings,
    growths: &BTreeMap<String, Growth>,
) -> Seen {
    let mut seen = Seen { in_depth: u32::try_from(observations.len()).unwrap_or(u32::MAX), ..Seen::default() };
    seen.checkup = examine_each(observations, Some(account), settings, &mut |observation, capacity| {
        let growth = growths.get(observation.part_name()).copied();
        seen.headroom.extend(capacity.and_then(|capacity| headroom(observation, capacity, growth)));
    });
    seen
}

/// Each with the alarms on it, where alarms could be listed.
pub fn with_alarms(observations: Vec<Observation>, account: &Account) -> Vec<Observation> {
    let own = |all: &Vec<CloudWatchAlarm>, observation: &Observation| observation.alarms_among(all);
    let add = |observation: Observation| {
        let alarms = account.alarms.as_ref().map(|all| own(all, &observation));
        Observation { alarms, ..observation }
    };
    observations.into_iter().map(add).collect()
}

/// An endpoint that could not be read at all.
pub fn unread(subject: &Subject, error: &CallError) -> Checkup {
    let subject = match subject {
        Subject::Endpoint(name) | Subject::Variant(name, _) => name.to_string(),
        Subject::InferenceComponent(name) => name.to_string(),
    };
    Checkup { not_examined: vec![NotExamined { subject, why: chain(error) }], ..Checkup::default() }
}
