//! One sentence for whatever scales. The stages are written of instances; here their sentences are said of copies.
//!
//! Every stage says its own sentences once, where they leave it. What is said afterwards of the instances that copies run on
//! stays as it is.

use super::{Diagnosis, Fact, Outcome, Plan, ScalableDimension};

/// What an inference component calls each thing, metrics included.
const OF_COPIES: [(&str, &str); 12] = [
    ("instance", "copy"),
    ("instances", "copies"),
    ("Instance", "Copy"),
    ("Instances", "Copies"),
    ("variant", "component"),
    ("variants", "components"),
    ("InvocationsPerInstance", "InvocationsPerCopy"),
    ("ConcurrentRequestsPerModel", "ConcurrentRequestsPerCopy"),
    ("CPUUtilization", "CPUUtilizationNormalized"),
    ("GPUUtilization", "GPUUtilizationNormalized"),
    ("GPUMemoryUtilization", "GPUMemoryUtilizationNormalized"),
    ("MemoryUtilization", "MemoryUtilizationNormalized"),
];
/// Beside these words an instance is a machine, whatever runs on it.
const BEFORE_A_MACHINE: &str = "such";
const AFTER_A_MACHINE: [&str; 3] = ["type", "types", "pools"];
/// What may follow a word that is said in another way.
const ENDINGS: [&str; 3] = ["-hours", "-minutes", "'s"];
/// What begins a command at the end of a sentence. Nothing in it is said in another way: it has to work.
const COMMANDS: [&str; 2] = [": aws ", ": endpoint-advisor "];

/// A fact that ends in a command: the words with their colon, and the command.
#[must_use]
pub fn split_command(fact: &str) -> Option<(&str, &str)> {
    let at = COMMANDS.iter().find_map(|start| fact.find(start))?;
    let (words, command) = fact.split_at_checked(at + 1)?;
    Some((words, command.trim_start()))
}

impl ScalableDimension {
    /// A sentence about instances, said of what is counted here.
    #[must_use]
    pub fn said(self, sentence: &str) -> String {
        if self != Self::CopyCount {
            return sentence.to_owned();
        }
        match split_command(sentence) {
            Some((words, command)) => format!("{} {command}", of_copies(words)),
            None => of_copies(sentence),
        }
    }
}

fn of_copies(words: &str) -> String {
    let words: Vec<&str> = words.split(' ').collect();
    let around = |index: usize| words.get(index).map_or("", |word| word.trim_end_matches(|c: char| !c.is_alphabetic()));
    let is_machine = |index: usize| {
        let before = index.checked_sub(1).map_or("", around);
        before == BEFORE_A_MACHINE || AFTER_A_MACHINE.contains(&around(index + 1))
    };
    let said = |index: usize, word: &&str| {
        let is_article =
            matches!(*word, "an" | "An") && word_of_copies(around(index + 1)).is_some_and(|_| !is_machine(index + 1));
        if is_article {
            return word.trim_end_matches('n').to_owned();
        }
        word_of_copies(word).filter(|_| !is_machine(index)).unwrap_or_else(|| (*word).to_owned())
    };
    words.iter().enumerate().map(|(index, word)| said(index, word)).collect::<Vec<_>>().join(" ")
}

/// The word, with the punctuation around it; none where it is the same of copies.
fn word_of_copies(word: &str) -> Option<String> {
    let begin = word.find(|c: char| c != '(')?;
    let (open, rest) = word.split_at_checked(begin)?;
    let end = rest.rfind(char::is_alphanumeric).map(|last| last + 1)?;
    let (core, close) = rest.split_at_checked(end)?;
    let (core, ending) = ENDINGS
        .into_iter()
        .find_map(|ending| core.strip_suffix(ending).map(|core| (core, ending)))
        .unwrap_or((core, ""));
    let (_, of_copies) = OF_COPIES.into_iter().find(|(of_instances, _)| *of_instances == core)?;
    Some(format!("{open}{of_copies}{ending}{close}"))
}

impl Diagnosis {
    /// The same, said of what is counted.
    #[must_use]
    pub fn said(mut self, of: ScalableDimension) -> Self {
        let say = |text: &mut String| *text = of.said(text);
        say(&mut self.summary);
        self.evidence.iter_mut().for_each(|fact| say(&mut fact.text));
        self.context.iter_mut().for_each(|Fact { text, .. }| say(text));
        self.alternatives.iter_mut().for_each(|other| say(&mut other.why_not));
        self.next_steps.iter_mut().for_each(say);
        self
    }
}

impl Plan {
    /// The same, said of what is counted.
    #[must_use]
    pub fn said(mut self, of: ScalableDimension) -> Self {
        self.reasoning.iter_mut().chain(&mut self.advice).for_each(|text| *text = of.said(text));
        self
    }
}

impl Outcome {
    /// The same, said of what is counted. Codes stay.
    #[must_use]
    pub fn said(self, of: ScalableDimension) -> Self {
        Self { reason: of.said(&self.reason), detail: of.said(&self.detail), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_instances_is_said_of_copies() {
        for (of_instances, of_copies) in [
            ("load per instance is 1.8 times its usual peak", "load per copy is 1.8 times its usual peak"),
            ("an instance carries 90; 2 instances run.", "a copy carries 90; 2 copies run."),
            ("40 instance-hours (3 instances)", "40 copy-hours (3 copies)"),
            ("the variant is at its MaxCapacity", "the component is at its MaxCapacity"),
            ("Missing: InvocationsPerInstance.", "Missing: InvocationsPerCopy."),
        ] {
            assert_eq!(ScalableDimension::CopyCount.said(of_instances), of_copies);
            assert_eq!(ScalableDimension::CopyCount.said(of_copies), of_copies, "said twice");
            assert_eq!(ScalableDimension::InstanceCount.said(of_instances), of_instances);
        }
    }

    #[test]
    fn machines_names_codes_and_commands_stay() {
        for sentence in [
            "Use another instance type or Region, or instance pools",
            "the last scale-out failed because AWS had no such instances",
            "Raise ADVISOR_MAX_INSTANCES or the tag endpoint-advisor:max-instances.",
            "instances_did_not_start",
            "segments/instance-segmentation waits",
            "Set it: aws sagemaker update-endpoint --endpoint-name instance",
        ] {
            assert_eq!(ScalableDimension::CopyCount.said(sentence), sentence);
        }
    }
}
