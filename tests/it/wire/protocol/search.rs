//! Every order of what may happen, breadth first: the first path to a state is a shortest one.

use super::laws::Ghost;
use super::process::{Node, Point, Processes, Root};
use super::seen::{Event, NAMES, Seen};
use super::world::{Answered, Asked, Broken, Target, World};
use super::*;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

/// What may happen, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Left {
    /// Alarms that go on, the same one again among them.
    pub alarms: u8,
    /// Alarms that are OK again.
    pub oks: u8,
    /// Times that the schedule wakes somebody.
    pub wake_ups: u8,
    /// Of these, how many are delivered once more.
    pub duplicates: u8,
    /// Processes that are cut off.
    pub crashes: u8,
    /// Writes that are done, and neither they nor their retries are answered.
    pub lost: u8,
    /// Changes by somebody else.
    pub foreign: u8,
    /// Pauses of the world, beside those until an event comes again.
    pub pauses: u8,
    /// Processes that lose their patience while somebody is still at it.
    pub impatience: u8,
}

pub const NOTHING: Left =
    Left { alarms: 0, oks: 0, wake_ups: 0, duplicates: 0, crashes: 0, lost: 0, foreign: 0, pauses: 0, impatience: 0 };

/// A process that lives.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Live {
    pub node: usize,
    /// Whether it looked at the target after somebody else changed it.
    pub looked_after: bool,
    /// Whether another process changed scaling since this one looked.
    pub is_overtaken: bool,
}

/// Everything there is in one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub world: World,
    pub minute: i64,
    pub live: Vec<Live>,
    /// Events that come again, and when.
    pub again: Vec<(i64, Event)>,
    left: Left,
    pub ghost: Ghost,
}

/// A scene: what may happen, and what the metrics say once what was planned serves.
pub struct Scene {
    pub left: Left,
    pub then: Seen,
    pub broken: Option<Broken>,
}

/// A law that does not hold.
#[derive(Debug)]
pub struct Broke {
    pub law: String,
    pub way: String,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    pub states: usize,
    pub transitions: usize,
    pub quiet: usize,
    pub deepest: usize,
    /// What people were told, and what came of processes.
    pub told: std::collections::BTreeSet<String>,
}

/// An event comes again after the visibility timeout of the queue.
const AGAIN: i64 = 6;

/// Goes through a whole scene.
///
/// # Errors
/// The law that does not hold, and a shortest way there.
pub fn explore(scene: &Scene, processes: &mut Processes) -> Result<Found, Broke> {
    let first = State {
        world: World { broken: scene.broken, ..World::default() },
        minute: 0,
        live: Vec::new(),
        again: Vec::new(),
        left: scene.left,
        ghost: Ghost::default(),
    };
    let mut found = Found::default();
    let mut known: HashMap<State, usize> = HashMap::from([(first.clone(), 0)]);
    let mut paths: Vec<(usize, String, usize)> = vec![(0, String::new(), 0)];
    let mut queue = VecDeque::from([(first, 0)]);
    while let Some((state, at)) = queue.pop_front() {
        let mut moves = Moves { scene, processes: &mut *processes, next: Vec::new() };
        moves.from(&state);
        for (words, next) in moves.next {
            found.transitions += 1;
            let next = match next {
                Ok(next) => next,
                Err(law) => return Err(Broke { law, way: path(&paths, at, &words) }),
            };
            let index = paths.len();
            let Entry::Vacant(new) = known.entry(next) else { continue };
            let next = new.key().clone();
            new.insert(index);
            let depth = paths[at].2 + 1;
            paths.push((at, words, depth));
            found.deepest = found.deepest.max(depth);
            if next.live.is_empty() && next.again.is_empty() {
                found.quiet += 1;
                if let Err(law) = next.ghost.at_rest(&next) {
                    return Err(Broke { law, way: path(&paths, index, "at rest") });
                }
                found.told.extend(next.world.told.iter().cloned());
            }
            queue.push_back((next, index));
        }
    }
    found.states = known.len();
    Ok(found)
}

fn path(paths: &[(usize, String, usize)], mut at: usize, last: &str) -> String {
    let mut steps = vec![last];
    while at != 0 {
        steps.push(&paths[at].1);
        at = paths[at].0;
    }
    steps.reverse();
    let steps = steps.iter().enumerate().map(|(index, step)| format!("{:3}. {step}\n", index + 1));
    steps.collect()
}

struct Moves<'a> {
    scene: &'a Scene,
    processes: &'a mut Processes,
    next: Vec<(String, Result<State, String>)>,
}

impl Moves<'_> {
    fn from(&mut self, state: &State) {
        let left = state.left;
        let has_room = state.live.len() < 2;
        if left.alarms > 0 && has_room {
            for name in 0..NAMES.len() {
                let mut next = state.clone();
                next.left.alarms -= 1;
                next.world.in_alarm.insert(name);
                self.start(next, Event::Alarm(name, state.minute), "");
            }
        }
        if left.oks > 0 && has_room {
            for name in state.world.in_alarm.iter().copied() {
                let mut next = state.clone();
                next.left.oks -= 1;
                next.world.in_alarm.remove(&name);
                self.start(next, Event::Ok(name, state.minute), "");
            }
        }
        if let Some(schedule) = state.world.schedule.as_ref().filter(|schedule| !schedule.is_over)
            && schedule.at <= state.minute
            && left.wake_ups > 0
            && has_room
        {
            let mut next = state.clone();
            next.left.wake_ups -= 1;
            next.world.schedule.as_mut().unwrap().is_over = true;
            if left.duplicates > 0 {
                let mut twice = next.clone();
                twice.left.duplicates -= 1;
                twice.again.push((state.minute, Event::WakeUp(schedule.input())));
                self.start(twice, Event::WakeUp(schedule.input()), ", which is delivered twice");
            }
            self.start(next, Event::WakeUp(schedule.input()), "");
        }
        for (index, (due, event)) in state.again.iter().enumerate() {
            if *due <= state.minute && has_room {
                let mut next = state.clone();
                next.again.remove(index);
                self.start(next, event.clone(), " again");
            }
        }
        if left.foreign > 0 {
            let mut next = state.clone();
            next.left.foreign -= 1;
            let tags = next.world.target.take().map(|target| target.tags).unwrap_or_default();
            next.world.target = Some(Target { min: THEIRS.0, max: THEIRS.1, tags });
            next.ghost.theirs = true;
            for live in &mut next.live {
                live.looked_after = false;
            }
            self.next.push(("somebody else sets the range".to_owned(), Ok(next)));
        }
        for index in 0..state.live.len() {
            self.step(state, index);
        }
        if state.live.is_empty() {
            self.pause(state);
        }
    }

    /// Time passes only while no process lives: none lives for longer than a minute.
    fn pause(&mut self, state: &State) {
        let due = state.again.iter().map(|(due, _)| *due).filter(|due| *due > state.minute).min();
        let look = state.world.schedule.as_ref().map(|schedule| schedule.at).filter(|at| *at > state.minute);
        for (until, is_free) in
            [(due, true), (look, due.is_none() && state.left.wake_ups > 0), (Some(state.minute + 2), false)]
        {
            let Some(until) = until else { continue };
            if !is_free && state.left.pauses == 0 {
                continue;
            }
            let mut next = state.clone();
            next.minute = until;
            if !is_free {
                next.left.pauses -= 1;
            }
            self.next.push((format!("it is minute {until}"), Ok(next)));
        }
    }

    fn start(&mut self, mut state: State, event: Event, more: &str) {
        let serves = state.world.target.as_ref().is_some_and(|target| target.min >= i64::from(PLANNED));
        let seen = match state.minute {
            // Instances serve ten minutes after the first alarm.
            10.. if serves || state.ghost.was_planned => self.scene.then,
            _ => Seen::Overloaded,
        };
        let words = format!("{}{more}", event.words());
        let node = self.processes.start(Root { event, minute: state.minute, seen });
        state.live.push(Live { node, looked_after: false, is_overtaken: false });
        self.settle(state, words);
    }

    /// One process goes on by one answer, or is cut off, or does not hear it.
    fn step(&mut self, state: &State, index: usize) {
        let live = &state.live[index];
        let who = format!("{}: ", self.processes.nodes[live.node].root.event.words());
        if state.left.crashes > 0 {
            let mut next = state.clone();
            next.left.crashes -= 1;
            next.ghost.is_excused = true;
            next.live.remove(index);
            next.again.push((state.minute + AGAIN, self.processes.nodes[live.node].root.event.clone()));
            next.again.sort();
            self.next.push((format!("{who}is cut off"), Ok(next)));
        }
        let Point::Asks(asked) = &self.processes.nodes[live.node].point else { return };
        let asked = Rc::clone(asked);
        let is_read = asked.iter().all(Asked::is_read);
        assert!(is_read || asked.len() == 1, "writes come one by one: {asked:?}");
        let mut words =
            format!("{who}{}", asked.iter().map(|asked| asked.operation.as_str()).collect::<Vec<_>>().join(", "));
        let mut next = state.clone();
        let answers = match self.answers(&mut next, index, &asked, &mut words) {
            Ok(answers) => answers,
            Err(law) => return self.next.push((words, Err(law))),
        };
        if self.polls(live.node, &answers) {
            let somebody_goes_on =
                state.live.iter().enumerate().any(|(other, live)| other != index && !self.waits(state, live));
            if somebody_goes_on {
                if next.left.impatience == 0 {
                    return; // it goes on when there is something new
                }
                next.left.impatience -= 1;
                next.ghost.is_excused = true;
            }
            let mut node = live.node;
            while self.polls(node, &answers) {
                node = self.processes.answer(node, &answers);
            }
            next.live[index].node = node;
            words += " until its patience ends";
            return self.settle(next, words);
        }
        if !is_read && state.left.lost > 0 {
            let lost: Rc<[Answered]> = Rc::from([Answered::lost()]);
            let mut deaf = next.clone();
            deaf.left.lost -= 1;
            deaf.ghost.is_excused = true;
            deaf.live[index].node = self.processes.answer(live.node, &lost);
            // Those that the SDK sends again are not heard either.
            loop {
                let node = deaf.live[index].node;
                match &self.processes.nodes[node].point {
                    Point::Asks(again) if **again == *asked => {
                        deaf.live[index].node = self.processes.answer(node, &lost);
                    }
                    _ => break,
                }
            }
            self.settle(deaf, format!("{words}, whose answer is lost"));
        }
        next.live[index].node = self.processes.answer(live.node, &answers);
        self.settle(next, words);
    }

    /// What the world answers, if no law forbids it.
    fn answers(
        &self,
        next: &mut State,
        index: usize,
        asked: &[Asked],
        words: &mut String,
    ) -> Result<Rc<[Answered]>, String> {
        let mut answers = Vec::new();
        for asked in asked {
            if asked.operation == "DescribeScalableTargets" {
                next.live[index].looked_after = next.ghost.theirs;
                next.live[index].is_overtaken = false;
            }
            let before = next.world.clone();
            let answer = next.world.answer(asked);
            if asked.is_scaling() && before.scaling() != next.world.scaling() {
                *words += &format!(" ({:?})", next.world.scaling().0);
                for (other, live) in next.live.iter_mut().enumerate() {
                    live.is_overtaken |= other != index;
                }
            }
            let live = next.live[index].clone();
            next.ghost.after(asked, &before, &next.world, &live)?;
            answers.push(answer);
        }
        Ok(answers.into())
    }

    /// Whether a process only asks again what it asked before, and hears the same.
    fn polls(&self, node: usize, answers: &Rc<[Answered]>) -> bool {
        let Node { point: Point::Asks(asked), before: Some((before, earlier)), .. } = &self.processes.nodes[node]
        else {
            return false;
        };
        asked[0].operation == "GetSchedule"
            && earlier == answers
            && matches!(&self.processes.nodes[*before].point, Point::Asks(before) if before == asked)
    }

    /// Whether a process waits for others.
    fn waits(&self, state: &State, live: &Live) -> bool {
        let Point::Asks(asked) = &self.processes.nodes[live.node].point else { return true };
        let mut world = state.world.clone();
        asked[0].operation == "GetSchedule" && self.polls(live.node, &Rc::from([world.answer(&asked[0])]))
    }

    /// Takes away whoever is at its end.
    fn settle(&mut self, mut state: State, mut words: String) {
        let mut index = 0;
        while let Some(live) = state.live.get(index) {
            let node = &self.processes.nodes[live.node];
            let Point::Ends(is_done, how) = &node.point else {
                index += 1;
                continue;
            };
            words += &format!(" → {how}");
            if !is_done {
                state.again.push((state.minute + AGAIN, node.root.event.clone()));
                state.again.sort();
            }
            state.live.remove(index);
        }
        state.live.sort();
        self.next.push((words, Ok(state)));
    }
}
