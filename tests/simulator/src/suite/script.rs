//! An incident as it is to be played: an endpoint, its traffic, and what goes wrong.

use super::dice::Dice;
use super::incident::{Activity, Scaling};
use super::path::{Day, Path};
use super::site::Site;
use crate::Conditions;

/// A minute of a script.
#[derive(Clone, Copy)]
pub(super) struct Now {
    /// Counted from the first minute of the trouble: −1 is the last before it.
    pub minute: i64,
    /// How bad the trouble is; raised until the alarm fires.
    pub severity: f64,
}

impl Now {
    /// How far a trouble that takes so many minutes to unfold has come, 0 to 1.
    pub fn progress(self, minutes: f64) -> f64 {
        ((self.minute + 1) as f64 / minutes).clamp(0.0, 1.0)
    }
}

/// Something that happens to an endpoint.
pub(super) type Effect = Box<dyn Fn(Now, &mut Conditions)>;

/// A cause, and what it does from minute 0 on.
pub(super) struct Trouble {
    /// The right verdict for it.
    pub verdict: &'static str,
    /// Its refinement, where one is expected.
    pub sub_cause: Option<&'static str>,
    /// What it does.
    pub effect: Effect,
}

/// When an incident is judged.
#[derive(Clone, Copy)]
pub(super) enum Judged {
    /// Three minutes after the alarm, which fires on three minutes in a row over the objective, none before this one.
    AfterAlarm(i64),
    /// When so many minutes of the trouble are over, whether or not the alarm would fire: somebody asked.
    After(i64),
}

/// An incident as it is to be played.
pub(super) struct Script {
    pub site: Site,
    pub path: Path,
    /// What is so all the time, before the trouble too.
    pub always: Effect,
    /// What goes wrong.
    pub troubles: Vec<Trouble>,
    pub judged: Judged,
    /// Minutes that the trouble may take to raise the alarm; then it has to be worse.
    pub longest: i64,
    /// How much worse the trouble is made each time, and how often at most.
    pub worse: (f64, u32),
    /// Share of minutes over the objective that are usual before the trouble, at most.
    pub tolerated: f64,
    /// Whether the alarm may have fired shortly before the trouble.
    pub may_have_fired: bool,
    /// What else must be so of the trouble's minutes, given which are over the objective.
    pub requires: fn(&[bool]) -> bool,
    /// Verdicts that are as right.
    pub also_right: Vec<&'static str>,
    /// Where errors of the container dominate at the end, to name them is as right.
    pub is_errors_as_right: bool,
    /// Whether a scale-out is the right answer; none: it is no mistake either way.
    pub is_overload: Option<bool>,
    /// What stands in the way of scaling; any of these.
    pub blocked_by: Vec<&'static str>,
    pub scaling: Option<Scaling>,
    /// `DesiredInstanceCount`, where it is not the count.
    pub desired: Option<usize>,
    /// When the present configuration was created, in minutes from the first of the trouble.
    pub deployed: i64,
    pub hosting: &'static str,
    /// Share of datapoints that never came.
    pub missing: f64,
}

impl Script {
    /// Longest trouble of the suite, in minutes.
    pub const LONGEST: i64 = 240;

    /// A usual day on this site.
    pub fn new(dice: &mut Dice, site: Site) -> Self {
        let day = Day::any(dice);
        Self::on(dice, site, day)
    }

    /// Such a day on this site.
    pub fn on(dice: &mut Dice, site: Site, day: Day) -> Self {
        let path = Path::draw(dice, site.minutes(), Self::LONGEST, site.level, day);
        // Some endpoints were deployed not long ago, which has nothing to do with the trouble.
        let deployed =
            if dice.chance(0.08) { -dice.minutes(60..=1_440) } else { -dice.minutes(2 * 1_440..=60 * 1_440) };
        let scaling = usual_scaling(dice, &site);
        let missing = dice.uniform(0.0..0.03);
        Self {
            site,
            path,
            always: Box::new(|_, _| {}),
            troubles: Vec::new(),
            judged: Judged::AfterAlarm(0),
            longest: 25,
            worse: (1.2, 8),
            tolerated: 0.03,
            may_have_fired: false,
            requires: persists,
            also_right: Vec::new(),
            is_errors_as_right: false,
            is_overload: Some(false),
            blocked_by: Vec::new(),
            scaling,
            desired: None,
            deployed,
            hosting: "real_time",
            missing,
        }
    }

    /// With one more thing that goes wrong, and the verdict that it alone would deserve.
    pub fn with(
        mut self,
        verdict: &'static str,
        sub_cause: Option<&'static str>,
        effect: impl Fn(Now, &mut Conditions) + 'static,
    ) -> Self {
        self.troubles.push(Trouble { verdict, sub_cause, effect: Box::new(effect) });
        self
    }

    /// The conditions of a minute; `without` one of the troubles, where given.
    pub fn conditions(&self, now: Now, without: Option<usize>) -> Conditions {
        let mut conditions = self.site.usual;
        conditions.arrivals_per_minute = self.path.at(now.minute) * self.site.full();
        (self.always)(now, &mut conditions);
        if now.minute >= 0 {
            for (index, trouble) in self.troubles.iter().enumerate() {
                if without != Some(index) {
                    (trouble.effect)(now, &mut conditions);
                }
            }
        }
        conditions
    }
}

/// The trouble is not over when it is judged: two of the last three minutes are over the objective.
fn persists(over: &[bool]) -> bool {
    over.iter().rev().take(3).filter(|is_over| **is_over).count() >= 2
}

/// Half of the endpoints are registered with Application Auto Scaling, with room above; a policy of theirs tracks a load
/// that they never reach.
fn usual_scaling(dice: &mut Dice, site: &Site) -> Option<Scaling> {
    if dice.chance(0.5) {
        return None;
    }
    Some(Scaling {
        min: dice.whole(1..=site.instances) as u32,
        max: (site.instances + dice.whole(2..=6)) as u32,
        target: (site.capacity * dice.uniform(1.5..3.0)).round(),
        activity: None,
    })
}

/// An activity of Application Auto Scaling that wanted so many instances; it began in this minute of the trouble, and
/// `minutes_ago` counts from the trouble's first until the script was played.
pub(super) fn activity(status: &'static str, message: String, wanted: usize, minute: i64) -> Activity {
    Activity { status, message, wanted: wanted as u32, minutes_ago: -minute }
}
