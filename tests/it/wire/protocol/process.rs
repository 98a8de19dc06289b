//! One invocation, stopped at each request that others may notice.
//!
//! `advise` is deterministic given its event, its time, what is observed and the answers that it got. So a process is a node of a
//! tree: its event is the root, each answer an edge. A node is computed once, however many orders lead to it.

use super::super::fake::{Fake, First, identified};
use super::super::time::{Time, Woken};
use super::seen::{Event, Seen};
use super::world::{Answered, Asked, is_shared};
use super::*;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

/// Futures that are kept where they stopped; the others are run again from their event.
const KEPT: usize = 400;

/// Where a process starts from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Root {
    pub event: Event,
    pub minute: i64,
    pub seen: Seen,
}

/// Where a process is.
#[derive(Debug)]
pub enum Point {
    /// It waits for answers.
    Asks(Rc<[Asked]>),
    /// It is at its end; false where its event comes again.
    Ends(bool, String),
}

pub struct Node {
    pub point: Point,
    pub root: Root,
    pub before: Option<(usize, Rc<[Answered]>)>,
    edges: HashMap<Rc<[Answered]>, usize>,
}

/// All that processes were seen to do.
pub struct Processes {
    variables: Vec<(&'static str, &'static str)>,
    roots: HashMap<Root, usize>,
    pub nodes: Vec<Node>,
    stopped: HashMap<usize, Run>,
    oldest: VecDeque<usize>,
    /// How often `advise` was run from its start.
    pub runs: usize,
}

impl Processes {
    pub fn new(variables: Vec<(&'static str, &'static str)>) -> Self {
        Self {
            variables,
            roots: HashMap::new(),
            nodes: Vec::new(),
            stopped: HashMap::new(),
            oldest: VecDeque::new(),
            runs: 0,
        }
    }

    /// Where a process is that was just started.
    pub fn start(&mut self, root: Root) -> usize {
        if let Some(node) = self.roots.get(&root) {
            return *node;
        }
        let mut run = self.run(&root);
        let point = run.go_on();
        let node = self.keep(Node { point, root: root.clone(), before: None, edges: HashMap::new() }, run);
        self.roots.insert(root, node);
        node
    }

    /// Where a process is once it got these answers.
    pub fn answer(&mut self, node: usize, answers: &Rc<[Answered]>) -> usize {
        if let Some(next) = self.nodes[node].edges.get(answers) {
            return *next;
        }
        let mut run = match self.stopped.remove(&node) {
            Some(run) => run,
            None => self.again(node),
        };
        run.answer(answers);
        let point = run.go_on();
        let root = self.nodes[node].root.clone();
        let before = Some((node, Rc::clone(answers)));
        let next = self.keep(Node { point, root, before, edges: HashMap::new() }, run);
        self.nodes[node].edges.insert(Rc::clone(answers), next);
        next
    }

    fn keep(&mut self, node: Node, run: Run) -> usize {
        let at = self.nodes.len();
        if matches!(node.point, Point::Asks(_)) {
            self.stopped.insert(at, run);
            self.oldest.push_back(at);
        }
        while self.stopped.len() > KEPT {
            let Some(oldest) = self.oldest.pop_front() else { break };
            self.stopped.remove(&oldest);
        }
        self.nodes.push(node);
        at
    }

    /// The same process again, up to where it was.
    fn again(&mut self, node: usize) -> Run {
        let mut answers = Vec::new();
        let mut at = node;
        while let Some((before, answered)) = &self.nodes[at].before {
            answers.push(Rc::clone(answered));
            at = *before;
        }
        let mut run = self.run(&self.nodes[node].root.clone());
        let mut point = run.go_on();
        for answered in answers.iter().rev() {
            run.answer(answered);
            point = run.go_on();
        }
        match (&point, &self.nodes[node].point) {
            (Point::Asks(now), Point::Asks(then)) => assert_eq!(now, then, "a process is what it was answered"),
            other => panic!("{other:?}"),
        }
        run
    }

    fn run(&mut self, root: &Root) -> Run {
        self.runs += 1;
        let desk = Desk::default();
        let time = Time::default();
        let mut fake = Fake::with(&root.seen.observation(root.minute));
        let to = desk.clone();
        let first: First = Arc::new(move |others| {
            let to = to.clone();
            http_client_fn(move |settings, components| {
                let others = others.http_connector(settings, components);
                SharedHttpConnector::new(Counter { others, desk: to.clone() })
            })
        });
        fake.first = Some(first);
        let aws = fake.aws_in(&time);
        let settings = settings(&self.variables);
        let now = at() + SignedDuration::from_mins(root.minute);
        let endpoint_advisor::trigger::Event::One(trigger) = parse(root.event.json()).unwrap() else {
            panic!("a batch")
        };
        let future = async move {
            let host = Host { log: &|_| {}, home: None, remaining: Arc::new(|| None) };
            match advise(&aws, &settings, trigger, now, &host).await {
                Ok(advice) => (true, advice.ignored.unwrap_or_else(|| "it told".to_owned())),
                Err(error) => (false, chain(&error)),
            }
        };
        Run { future: Box::pin(future), desk, time }
    }
}

/// A process that stopped.
struct Run {
    future: Pin<Box<dyn Future<Output = (bool, String)>>>,
    desk: Desk,
    time: Time,
}

impl Run {
    /// To the next requests that others may notice, or to the end.
    fn go_on(&mut self) -> Point {
        let somebody = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&somebody));
        loop {
            if let Poll::Ready((is_done, words)) = self.future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Point::Ends(is_done, words);
            }
            if somebody.0.swap(false, Ordering::Relaxed) {
                continue;
            }
            let asked = self.desk.asked();
            if !asked.is_empty() {
                return Point::Asks(asked.into());
            }
            // What waits is answered at once: time is the world's.
            assert!(self.time.pass(), "everybody waits, and nobody for the time");
        }
    }

    fn answer(&self, answers: &[Answered]) {
        let slots = std::mem::take(&mut *self.desk.0.lock().unwrap());
        assert_eq!(slots.len(), answers.len());
        for (slot, answer) in slots.iter().zip(answers) {
            let mut slot = slot.lock().unwrap();
            slot.answer = Some(answer.clone());
            if let Some(waker) = slot.waker.take() {
                waker.wake();
            }
        }
    }
}

struct Slot {
    asked: Asked,
    answer: Option<Answered>,
    waker: Option<Waker>,
}

/// The requests of one process that wait.
#[derive(Clone, Default)]
struct Desk(Arc<Mutex<Vec<Arc<Mutex<Slot>>>>>);

impl Desk {
    fn asked(&self) -> Vec<Asked> {
        self.0.lock().unwrap().iter().map(|slot| slot.lock().unwrap().asked.clone()).collect()
    }
}

/// Takes the requests that others may notice, and passes on the others.
struct Counter {
    others: SharedHttpConnector,
    desk: Desk,
}

impl std::fmt::Debug for Counter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Counter")
    }
}

impl HttpConnector for Counter {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (operation, body) = identified(&request.try_clone().unwrap().try_into_http1x().unwrap());
        if !is_shared(&operation) {
            return self.others.call(request);
        }
        let slot = Slot { asked: Asked::new(operation, body), answer: None, waker: None };
        let slot = Arc::new(Mutex::new(slot));
        self.desk.0.lock().unwrap().push(Arc::clone(&slot));
        HttpConnectorFuture::new(poll_fn(move |context| {
            let mut slot = slot.lock().unwrap();
            match slot.answer.take() {
                Some(answer) => Poll::Ready(Ok(answer.on_the_wire(&slot.asked.operation).try_into().unwrap())),
                None => {
                    slot.waker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        }))
    }
}
