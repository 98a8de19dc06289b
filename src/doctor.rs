//! [`Observation`]s → [`Checkup`]: numbered rules over scaling set-ups that stand, whether or not anything is slow.
//!
//! Pure. A rule says nothing where what it reads was not read, and the checkup lists what that was: missing is not zero. What
//! is needed and what one instance carries comes from [`crate::capacity`] and [`crate::plan`]; nothing is sized here.
//! `docs/rules.md` has a table of all rules; a test keeps it the same as [`RULES`].

mod alarms;
mod commands;
mod finding;
mod hosting;
mod ignored;
pub mod markdown;
mod orphans;
mod patient;
mod policies;
mod published;
mod range;
mod room;
mod rule;
mod rules;
pub mod text;
mod timing;
mod words;

pub use finding::{Checkup, Finding, Gap, NotExamined, Severity};
pub use ignored::IGNORE_TAG;
pub use rule::Rule;
pub use rules::RULES;

use crate::config::Settings;
use crate::model::{Account, Capacity, Observation};
use patient::Patient;
use rule::{Found, Judge, Reading};
use std::collections::BTreeSet;

/// Examines these variants and components. `account` is what was listed of their Region; none where nothing was, as for saved
/// observations. What is wrong with the account itself is [`examine_account`]'s, once.
///
/// The findings of several batches go together with [`Checkup::add`].
#[must_use]
pub fn examine(observations: &[Observation], account: Option<&Account>, settings: &Settings) -> Checkup {
    examine_each(observations, account, settings, &mut |_, _| {})
}

/// The same; `seen` is told of each, with what one instance of it carries, where that is known.
#[must_use]
pub fn examine_each(
    observations: &[Observation],
    account: Option<&Account>,
    settings: &Settings,
    seen: &mut dyn FnMut(&Observation, Option<&Capacity>),
) -> Checkup {
    let mut checkup = Checkup::default();
    let endpoints: BTreeSet<_> = observations.iter().map(|observation| &observation.endpoint_name).collect();
    checkup.endpoints = u32::try_from(endpoints.len()).unwrap_or(u32::MAX);
    for observation in observations.iter().filter(|observation| !observation.is_shadow()) {
        let patient = Patient::of(observation, account, settings);
        seen(observation, patient.capacity());
        checkup.not_read.extend(gaps(&patient));
        let ignored = ignored::rules(observation);
        checkup.not_read.extend(ignored.unknown(observation));
        for rule in &RULES {
            let Judge::Part(judge) = rule.judge else { continue };
            if rule.reads.iter().any(|reading| reading.is_indispensable() && patient.lacks(*reading)) {
                continue;
            }
            for found in judge(&patient) {
                let finding = finding(rule, &patient, found);
                if checkup.findings.contains(&finding) {
                    continue;
                }
                if ignored.has(rule.id) {
                    checkup.ignored += 1;
                } else {
                    checkup.findings.push(finding);
                }
            }
        }
    }
    checkup.sorted()
}

/// What is wrong with the account as a whole.
#[must_use]
pub fn examine_account(account: &Account) -> Checkup {
    let mut checkup = Checkup::default();
    for warning in &account.warnings {
        checkup.not_read.push(Gap { subject: "the Region".to_owned(), what: warning.clone(), rules: Vec::new() });
    }
    for rule in &RULES {
        let Judge::Account(judge) = rule.judge else { continue };
        checkup.findings.extend(judge(account).into_iter().map(|found| Finding {
            endpoint_name: None,
            ..of_rule(rule, found.subject.clone().unwrap_or_default(), found)
        }));
    }
    checkup.sorted()
}

/// What was not read of a variant or component, and the rules that say nothing for that.
fn gaps(patient: &Patient<'_>) -> Vec<Gap> {
    let subject = patient.subject();
    let missing = Reading::ALL.into_iter().filter(|reading| patient.lacks(*reading));
    let gap = |reading: Reading| {
        let rules = RULES.iter().filter(|rule| rule.reads.contains(&reading)).map(|rule| rule.id.to_owned()).collect();
        Gap { subject: subject.clone(), what: patient.why_missing(reading), rules }
    };
    let warnings = patient.observation.warnings.iter();
    let warned = warnings.map(|warning| Gap { subject: subject.clone(), what: warning.clone(), rules: Vec::new() });
    warned.chain(missing.map(gap)).collect()
}

fn finding(rule: &Rule, patient: &Patient<'_>, found: Found) -> Finding {
    // What has a name of its own may be of instances, whatever runs on them.
    let is_own = found.subject.is_none();
    let said = |text: &str| if is_own { patient.observation.dimension().said(text) } else { text.to_owned() };
    let subject = found.subject.clone().unwrap_or_else(|| patient.subject());
    let finding = of_rule(rule, subject, found);
    let saving =
        finding.saving_instances.zip(patient.observation.unit_price()).map(|(count, price)| f64::from(count) * price.0);
    Finding {
        endpoint_name: Some(patient.observation.endpoint_name.clone()),
        title: said(&finding.title),
        why: said(&finding.why),
        evidence: said(&finding.evidence),
        fix: said(&finding.fix),
        saving_usd_per_hour: saving,
        price_list_published: saving.and(patient.observation.price_list_published),
        ..finding
    }
}

fn of_rule(rule: &Rule, subject: String, found: Found) -> Finding {
    Finding {
        rule: rule.id.to_owned(),
        severity: rule.severity,
        endpoint_name: None,
        subject,
        title: rule.title.to_owned(),
        why: rule.why.to_owned(),
        evidence: found.evidence,
        fix: found.fix,
        commands: found.commands,
        saving_instances: found.instances,
        saving_usd_per_hour: None,
        price_list_published: None,
    }
}
