//! An audit: the whole fleet looked at, and one summary of it.
//!
//! A fleet of more than one batch is passed on to the advisor's own queue, in parts, so that no invocation comes near its limit
//! and one endpoint that cannot be read stops nobody else. Each part leaves its summary in a schedule that never fires; one
//! that does fire gathers them, and publishes their sum. Any of it may happen twice: a part that is looked at again leaves the
//! same summary again.

use super::first_pass::{BATCH, FirstPass, Seen, in_depth, unread, with_alarms};
use super::incidents::Known;
use super::session::{Advice, AdviseError, Session, summary as trigger_summary};
use crate::aws::scheduler::{Memory, Schedules};
use crate::aws::{ErrorKind, queue};
use crate::config::Mode;
use crate::decide::Authority;
use crate::doctor::examine_account;
use crate::fleet::Summary;
use crate::model::{Account, Audit, AuditBatch, AuditProgress, BatchNumber, EndpointName, Subject, TriggerKind};
use crate::notify;
use crate::observe::{self, ObjectiveFrom, Request};
use futures::stream::{StreamExt as _, iter};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// What is known of the endpoints of one part, beyond which the next begins: SQS takes messages of 256 KiB.
const MOST_BYTES: usize = 180 * 1024;
/// What reading and weighing the minutes of one endpoint may take: no other is begun with less time left.
const ONE_CLOSER_LOOK: SignedDuration = SignedDuration::from_secs(12);
/// What looking at a batch from afar, or sending all batches, may take.
const THE_REST: SignedDuration = SignedDuration::from_secs(20);
/// When the parts are first asked for, and again.
const GATHER: SignedDuration = SignedDuration::from_mins(3);
/// A part of which nothing was heard for so long ended in the dead-letter queue.
const PATIENCE: SignedDuration = SignedDuration::from_hours(2);
/// Schedules that are read at the same time.
const AT_ONCE: usize = 8;
/// The schedule of an audit that is under way: there is one at most.
const PROGRESS: &str = "ea-audit";

/// The event that gathers the parts, as the schedule holds it.
#[derive(Serialize, Deserialize)]
struct Collect {
    audit: Collected,
}

#[derive(Serialize, Deserialize)]
struct Collected {
    collect: AuditProgress,
}

/// What a part found.
#[derive(Serialize, Deserialize)]
struct Part {
    audit: Found,
}

#[derive(Serialize, Deserialize)]
struct Found {
    result: Summary,
}

impl Session<'_> {
    pub(super) async fn audit(&self, audit: Audit) -> Result<Advice, AdviseError> {
        // It minds the time by itself: of each endpoint it looks how much is left.
        self.act_in_time();
        match audit {
            Audit::Fleet => self.fleet().await,
            Audit::Named(names) => self.named(names).await,
            Audit::Batch(batch) => self.batch(*batch).await,
            Audit::Collect(progress) => self.collect(&progress).await,
        }
    }

    /// Lists the fleet, and looks at it here where it is small, or there is no queue to pass it on.
    async fn fleet(&self) -> Result<Advice, AdviseError> {
        let names = observe::list_endpoints(self.aws).await.map_err(AdviseError::read)?;
        if names.is_empty() {
            return Ok(Advice::ignored("there is no endpoint to look at"));
        }
        let account = observe::beside_endpoints(self.aws, &|| self.has(THE_REST)).await;
        let account = Account { endpoints: Some(names.clone()), ..account };
        if names.len() <= BATCH {
            return self.in_depth(names, &account).await;
        }
        match self.settings.queue_url.as_deref() {
            Some(queue_url) => self.fan_out(queue_url, names, &account).await,
            None => {
                let mut summary = self.of_region(&account);
                for names in names.chunks(BATCH) {
                    summary.merge(self.first_pass(names, &account).await);
                }
                self.conclude_alone(summary).await
            }
        }
    }

    /// Every one of these in depth, with a report each.
    async fn named(&self, names: Vec<EndpointName>) -> Result<Advice, AdviseError> {
        let (alarms, warnings) = match observe::every_alarm(self.aws).await {
            Ok(alarms) => (Some(alarms), Vec::new()),
            Err(error) => (None, vec![format!("{error}.")]),
        };
        self.in_depth(names, &Account { alarms, warnings, ..Account::default() }).await
    }

    async fn in_depth(&self, names: Vec<EndpointName>, account: &Account) -> Result<Advice, AdviseError> {
        let mut summary = self.of_region(account);
        let mut reports = Vec::new();
        for (index, name) in names.iter().enumerate() {
            if !self.has(THE_REST + ONE_CLOSER_LOOK) {
                // Better all of them from afar than some not at all.
                summary.merge(self.first_pass(names.get(index..).unwrap_or_default(), account).await);
                break;
            }
            let request = self.audited(name.clone());
            let observations = match observe::observe(self.aws, &request).await {
                Ok(observations) => with_alarms(observations, account),
                // One endpoint that went away, or may not be read, does not stop the others; AWS that does not answer stops all.
                Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::AccessDenied) => {
                    summary.add(unread(&request.subject, &error), Vec::new());
                    continue;
                }
                Err(error) => return Err(AdviseError::read(error)),
            };
            for observation in &observations {
                if self.settings.for_endpoint(observation.tags.as_ref()).mode == Mode::Off {
                    continue;
                }
                reports.extend(self.one(observation, &|_| Authority::LookOnly, &Known::NotAsked).await?);
            }
            add(&mut summary, in_depth(&observations, account, self.settings, &BTreeMap::new()));
        }
        let advice = self.conclude_alone(summary).await?;
        Ok(Advice { reports, ..advice })
    }

    /// Sends the parts, and sees to it that somebody gathers them.
    async fn fan_out(
        &self,
        queue_url: &str,
        names: Vec<EndpointName>,
        account: &Account,
    ) -> Result<Advice, AdviseError> {
        let parts = parts(&names, account);
        let batches = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        let mut progress =
            AuditProgress { id: self.now.to_string(), started_at: self.now, batches, is_sent: false, is_told: false };
        if let Some(schedules) = self.schedules() {
            let is_first = schedules.make(&wake(&progress, self.now)).await.map_err(AdviseError::read)?;
            if !is_first {
                let open = self.open_audit(&schedules).await?;
                let is_on = |open: &AuditProgress| {
                    open.is_sent && !open.is_told && self.now.duration_since(open.started_at) < PATIENCE
                };
                if let Some(open) = open.as_ref().filter(|open| is_on(open)) {
                    let since = open.started_at;
                    return Ok(Advice::ignored(format!("an audit is under way since {since}; its summary comes")));
                }
                if let Some(old) = open.filter(|open| open.id != progress.id) {
                    forget_parts(&schedules, &old).await?;
                }
                schedules.change(&wake(&progress, self.now)).await.map_err(AdviseError::read)?;
            }
            self.leave(&schedules, &progress.id, 0, &self.of_region(account)).await?;
        }
        let numbered = parts.into_iter().zip(1..);
        let bodies: Vec<String> = numbered
            .map(|((endpoint_names, account), number)| {
                let batch = BatchNumber { id: progress.id.clone(), number, of: batches };
                json!({"audit": AuditBatch { endpoint_names, batch, account }}).to_string()
            })
            .collect();
        queue::send(self.aws, queue_url, &bodies).await.map_err(AdviseError::DeliveryFailed)?;
        if let Some(schedules) = self.schedules() {
            progress.is_sent = true;
            schedules.change(&wake(&progress, self.now)).await.map_err(AdviseError::read)?;
        }
        Ok(Advice::ignored(format!("{} endpoints are looked at in {batches} parts; a summary follows", names.len())))
    }

    /// One part of the fleet.
    async fn batch(&self, batch: AuditBatch) -> Result<Advice, AdviseError> {
        let AuditBatch { endpoint_names, batch, account } = batch;
        let Some(schedules) = self.schedules() else {
            // Nobody can gather: each part speaks for itself.
            let summary = self.first_pass(&endpoint_names, &account).await;
            return self.conclude_alone(summary).await;
        };
        if self.open_audit(&schedules).await?.is_none_or(|open| open.id != batch.id) {
            // Nobody would gather it.
            return Ok(Advice::ignored("the audit is over"));
        }
        let summary = self.first_pass(&endpoint_names, &account).await;
        self.leave(&schedules, &batch.id, batch.number, &summary).await?;
        Ok(Advice {
            summary: Some(Box::new(summary)),
            ..Advice::ignored(format!("part {} of {}", batch.number, batch.of))
        })
    }

    /// Gathers what the parts found, once all are done or the rest is given up.
    async fn collect(&self, progress: &AuditProgress) -> Result<Advice, AdviseError> {
        let Some(schedules) = self.schedules() else {
            return Ok(Advice::ignored("no follow-up is configured"));
        };
        let open = self.open_audit(&schedules).await?;
        let Some(mut progress) = open.filter(|open| open.id == progress.id) else {
            return Ok(Advice::ignored("the audit is over"));
        };
        let schedules = &schedules;
        if progress.is_told {
            forget(schedules, &progress).await?;
            return Ok(Advice::ignored("the audit was told, and is over"));
        }
        let read = iter(part_names(&progress)).map(|name| async move { schedules.read::<Part>(&name).await });
        let parts: Vec<_> = read.buffered(AT_ONCE).collect().await;
        let mut summary = Summary::at(progress.started_at);
        for part in parts {
            match part.map_err(AdviseError::read)? {
                Some(part) => summary.merge(part.audit.result),
                None => summary.missing_batches += 1,
            }
        }
        if summary.missing_batches > 0 && self.now.duration_since(progress.started_at) < PATIENCE {
            schedules.change(&wake(&progress, self.now)).await.map_err(AdviseError::read)?;
            return Ok(Advice::ignored(format!("{} parts are not done yet", summary.missing_batches)));
        }
        let advice = self.conclude(summary).await?;
        // Once parts are gone, nobody could tell it as a whole again.
        progress.is_told = true;
        schedules.change(&wake(&progress, self.now)).await.map_err(AdviseError::read)?;
        forget(schedules, &progress).await?;
        Ok(advice)
    }

    /// Looks at each of these from afar, and closer where there is something to see and time.
    async fn first_pass(&self, names: &[EndpointName], account: &Account) -> Summary {
        let before = self.aws.asked();
        let mut summary = Summary::at(self.now);
        let has_time = || self.has(ONE_CLOSER_LOOK);
        let pass = FirstPass {
            aws: self.aws,
            settings: self.settings,
            now: self.now,
            history_days: self.settings.history_days,
            has_time: &has_time,
        };
        pass.over(names, account, &mut |seen| add(&mut summary, seen)).await;
        let asked = self.aws.asked();
        summary.calls = asked.total() - before.total();
        summary.metrics = asked.metrics - before.metrics;
        summary
    }

    fn of_region(&self, account: &Account) -> Summary {
        let mut summary = Summary::at(self.now);
        summary.add(examine_account(account), Vec::new());
        summary
    }

    /// Publishes a summary, and gives it to whoever asked.
    async fn conclude(&self, summary: Summary) -> Result<Advice, AdviseError> {
        notify::publish_summary(self.aws, self.settings, &summary).await.map_err(AdviseError::DeliveryFailed)?;
        Ok(Advice { reports: Vec::new(), ignored: None, summary: Some(Box::new(summary)) })
    }

    /// The same of an audit that took this invocation alone: all that it asked.
    async fn conclude_alone(&self, summary: Summary) -> Result<Advice, AdviseError> {
        let asked = self.aws.asked();
        self.conclude(Summary { calls: asked.total(), metrics: asked.metrics, ..summary }).await
    }

    /// The audit that is under way.
    async fn open_audit(&self, schedules: &Schedules<'_>) -> Result<Option<AuditProgress>, AdviseError> {
        let open = schedules.read::<Collect>(PROGRESS).await.map_err(AdviseError::read)?;
        Ok(open.map(|open| open.audit.collect))
    }

    async fn leave(
        &self,
        schedules: &Schedules<'_>,
        id: &str,
        number: u32,
        summary: &Summary,
    ) -> Result<(), AdviseError> {
        let input = Part { audit: Found { result: summary.clone() } };
        let memory = Memory { name: part_name(id, number), wakes_at: None, input };
        if !schedules.make(&memory).await.map_err(AdviseError::read)? {
            schedules.change(&memory).await.map_err(AdviseError::read)?;
        }
        Ok(())
    }

    fn audited(&self, name: EndpointName) -> Request {
        Request {
            objective_from: ObjectiveFrom::AlarmsOfVariant,
            // What could be saved is told in money.
            has_hourly_limit: true,
            ..self.request(Subject::Endpoint(name), trigger_summary(TriggerKind::Audit))
        }
    }
}

fn add(summary: &mut Summary, Seen { checkup, headroom, in_depth, is_hurried }: Seen) {
    summary.in_depth = summary.in_depth.saturating_add(in_depth);
    summary.not_in_depth = summary.not_in_depth.saturating_add(is_hurried.into());
    summary.add(checkup, headroom);
}

/// The fleet in parts that fit into a message, each with what is known of its endpoints.
fn parts(names: &[EndpointName], account: &Account) -> Vec<(Vec<EndpointName>, Account)> {
    let mut parts: Vec<(Vec<EndpointName>, Account)> = Vec::new();
    let mut bytes = 0;
    for name in names {
        let own = account.about(name);
        let size = serde_json::to_string(&own).map_or(0, |text| text.len());
        match parts.last_mut() {
            Some((names, account)) if names.len() < BATCH && bytes + size <= MOST_BYTES => {
                names.push(name.clone());
                account.add(own);
                bytes += size;
            }
            _ => {
                parts.push((vec![name.clone()], own));
                bytes = size;
            }
        }
    }
    parts
}

/// The schedules of the parts, that of the Region as a whole first.
fn part_names(progress: &AuditProgress) -> impl Iterator<Item = String> + '_ {
    (0..=progress.batches).map(|number| part_name(&progress.id, number))
}

/// Deletes all that is remembered of an audit.
async fn forget(schedules: &Schedules<'_>, progress: &AuditProgress) -> Result<(), AdviseError> {
    forget_parts(schedules, progress).await?;
    schedules.remove(PROGRESS).await.map_err(AdviseError::read)
}

/// Deletes what the parts left.
async fn forget_parts(schedules: &Schedules<'_>, progress: &AuditProgress) -> Result<(), AdviseError> {
    for name in part_names(progress) {
        schedules.remove(&name).await.map_err(AdviseError::read)?;
    }
    Ok(())
}

/// The schedule that gathers the parts, soon.
fn wake(progress: &AuditProgress, now: Timestamp) -> Memory<Collect> {
    let input = Collect { audit: Collected { collect: progress.clone() } };
    Memory { name: PROGRESS.to_owned(), wakes_at: Some(now + GATHER), input }
}

/// `ea-audit-20261005T091400-17`: at most 64 letters, digits, hyphens.
fn part_name(id: &str, number: u32) -> String {
    let id: String = id.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
    format!("{PROGRESS}-{id}-{number}")
}
