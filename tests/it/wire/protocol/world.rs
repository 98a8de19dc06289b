//! What all processes share: the schedule, the scaling set-up, the alarms and what people were told.

use super::super::fake::{cbor_response, response};
use super::*;
use aws_smithy_types::body::SdkBody;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Whether others may notice a request, or its answer may change by what others do.
pub fn is_shared(operation: &str) -> bool {
    let reads = ["DescribeScalableTargets", "DescribeScalingPolicies", "ListTagsForResource", "DescribeAlarms"];
    let writes = ["RegisterScalableTarget", "DeregisterScalableTarget", "PutScalingPolicy", "DeleteScalingPolicy"];
    let others = ["TagResource", "UntagResource", "Publish"];
    operation.ends_with("Schedule") || [&reads[..], &writes, &others].concat().contains(&operation)
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Asked {
    pub operation: String,
    pub body: Arc<str>,
}

impl Asked {
    pub fn new(operation: String, mut body: Value) -> Self {
        if let Some(fields) = body.as_object_mut() {
            fields.remove("ClientToken"); // new in each process
        }
        if operation == "Publish" {
            body = json!({"status": status(&body), "text": body["Message"]}); // its attributes come in any order
        }
        body.sort_all_objects();
        Self { operation, body: body.to_string().into() }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn is_read(&self) -> bool {
        ["Describe", "List", "Get"].iter().any(|prefix| self.operation.starts_with(prefix))
    }

    /// Whether it changes scaling.
    pub fn is_scaling(&self) -> bool {
        !self.is_read() && !self.operation.ends_with("Schedule") && self.operation != "Publish"
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Answered {
    pub status: u16,
    pub code: &'static str,
    pub body: Arc<str>,
}

impl Answered {
    fn of(body: &Value) -> Self {
        Self { status: 200, code: "", body: body.to_string().into() }
    }

    fn refused(status: u16, code: &'static str) -> Self {
        Self { status, code, body: json!({"Message": "no", "message": "no", "__type": code}).to_string().into() }
    }

    /// What a process sees of an answer that did not come.
    pub fn lost() -> Self {
        Self::refused(500, "InternalServerException")
    }

    pub fn on_the_wire(&self, operation: &str) -> http::Response<SdkBody> {
        match operation {
            "Publish" if self.status == 200 => {
                let text = "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>";
                response(200, "text/xml", text.into())
            }
            "Publish" => {
                let text =
                    "<ErrorResponse><Error><Type>Sender</Type><Code>InternalError</Code></Error></ErrorResponse>";
                response(self.status, "text/xml", text.into())
            }
            "DescribeAlarms" => {
                let alarms: Value = serde_json::from_str(&self.body).unwrap();
                cbor_response(200, &ciborium::Value::serialized(&alarms).unwrap())
            }
            _ => {
                let mut response = response(self.status, "application/json", self.body.as_bytes().to_vec());
                if !self.code.is_empty() {
                    response.headers_mut().insert("x-amzn-errortype", self.code.parse().unwrap());
                }
                response
            }
        }
    }
}

/// The one schedule.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Schedule {
    pub body: Arc<str>,
    /// In minutes.
    pub at: i64,
    /// Whether it woke somebody already.
    pub is_over: bool,
    /// What it says is being done.
    pub claim: Option<Claimed>,
}

/// What is being done.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claimed {
    /// `nothing`, `plan` or `restoration`.
    pub write: String,
    /// The range that it was made for.
    pub range: Option<(i64, i64)>,
}

thread_local! {
    /// Each body is read once.
    static READ: RefCell<HashMap<Arc<str>, Schedule>> = RefCell::default();
}

impl Schedule {
    fn new(asked: &Asked) -> Self {
        let read = |known: &RefCell<HashMap<Arc<str>, Self>>| {
            let mut known = known.borrow_mut();
            known.entry(Arc::clone(&asked.body)).or_insert_with(|| Self::read(&asked.body)).clone()
        };
        READ.with(read)
    }

    fn read(text: &Arc<str>) -> Self {
        let body: Value = serde_json::from_str(text).unwrap();
        let expression = body["ScheduleExpression"].as_str().unwrap();
        let time: Timestamp = format!("{}Z", &expression[3..expression.len() - 1]).parse().unwrap();
        let input: Value = serde_json::from_str(body["Target"]["Input"].as_str().unwrap()).unwrap();
        let claim = &input["follow_up"]["claim"];
        let (write, based_on) = match &claim["write"] {
            Value::String(write) => (write.clone(), &claim["report"]["plan"]["based_on"]),
            other => ("restoration".to_owned(), &other["restoration"]["based_on"]),
        };
        let range = |target: &Value| Some((target["min_capacity"].as_i64()?, target["max_capacity"].as_i64()?));
        let claimed = Claimed { write, range: range(&based_on["target"]) };
        Self {
            body: Arc::clone(text),
            // The next whole minute of this clock.
            at: (time.duration_since(at()).as_secs() + 59).div_euclid(60),
            is_over: false,
            claim: (!claim.is_null()).then_some(claimed),
        }
    }

    /// The event that it becomes.
    pub fn input(&self) -> Arc<str> {
        let body: Value = serde_json::from_str(&self.body).unwrap();
        body["Target"]["Input"].as_str().unwrap().into()
    }

    fn without_claim(&self) -> Answered {
        let mut body: Value = serde_json::from_str(&self.body).unwrap();
        let mut input: Value = serde_json::from_str(&self.input()).unwrap();
        input["follow_up"]["claim"] = Value::Null;
        body["Target"]["Input"] = input.to_string().into();
        Answered::of(&body)
    }
}

/// A promise of AWS, or a step of ours, that is not kept: the laws have to notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Broken {
    /// A second schedule of the same name is made.
    Lock,
    /// What is claimed is not read.
    Claim,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    pub min: i64,
    pub max: i64,
    pub tags: BTreeMap<String, String>,
}

/// The range, and the policies by name.
type Scaling = (Option<(i64, i64)>, BTreeMap<String, Arc<str>>);

/// AWS, as far as processes share it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct World {
    pub schedule: Option<Schedule>,
    pub target: Option<Target>,
    pub policies: BTreeMap<String, Arc<str>>,
    pub in_alarm: BTreeSet<usize>,
    /// The statuses that people were told.
    pub told: BTreeSet<String>,
    pub broken: Option<Broken>,
}

impl World {
    /// The set-up that instances are started by.
    pub fn scaling(&self) -> Scaling {
        (self.target.as_ref().map(|target| (target.min, target.max)), self.policies.clone())
    }

    pub fn answer(&mut self, asked: &Asked) -> Answered {
        let body = if asked.operation.ends_with("Schedule") { Value::Null } else { asked.json() };
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let done = || Answered::of(&json!({"PolicyARN": "arn:policy", "ScheduleArn": "arn:schedule"}));
        match asked.operation.as_str() {
            "GetSchedule" => match &self.schedule {
                Some(schedule) if self.broken == Some(Broken::Claim) => schedule.without_claim(),
                Some(schedule) => Answered { status: 200, code: "", body: Arc::clone(&schedule.body) },
                None => Answered::refused(404, "ResourceNotFoundException"),
            },
            "CreateSchedule" if self.schedule.is_some() && self.broken != Some(Broken::Lock) => {
                Answered::refused(409, "ConflictException")
            }
            "UpdateSchedule" | "DeleteSchedule" if self.schedule.is_none() => {
                Answered::refused(404, "ResourceNotFoundException")
            }
            "CreateSchedule" | "UpdateSchedule" => {
                self.schedule = Some(Schedule::new(asked));
                done()
            }
            "DeleteSchedule" => {
                self.schedule = None;
                done()
            }
            "DescribeScalableTargets" => Answered::of(&match &self.target {
                Some(there) => target(u32::try_from(there.min).unwrap(), u32::try_from(there.max).unwrap()),
                None => json!({"ScalableTargets": []}),
            }),
            "DescribeScalingPolicies" => {
                let policies: Vec<Value> = self.policies.values().map(|body| described(body)).collect();
                Answered::of(&json!({"ScalingPolicies": policies}))
            }
            "ListTagsForResource" => {
                Answered::of(&json!({"Tags": self.target.as_ref().map(|target| target.tags.clone())}))
            }
            "DescribeAlarms" => {
                let alarm = |name: &Value| {
                    let is_on =
                        NAMES.iter().position(|known| name == known).is_some_and(|at| self.in_alarm.contains(&at));
                    json!({"AlarmName": name, "StateValue": if is_on { "ALARM" } else { "OK" }})
                };
                let names = body["AlarmNames"].as_array().unwrap();
                Answered::of(&json!({"MetricAlarms": names.iter().map(alarm).collect::<Vec<_>>()}))
            }
            "Publish" => {
                self.told.insert(text("status"));
                done()
            }
            "RegisterScalableTarget" => {
                let tags = body["Tags"].as_object().cloned().unwrap_or_default();
                let new = || tags.into_iter().map(|(key, value)| (key, value.as_str().unwrap().to_owned())).collect();
                let range = (body["MinCapacity"].as_i64().unwrap(), body["MaxCapacity"].as_i64().unwrap());
                let tags = self.target.take().map_or_else(new, |target| target.tags);
                self.target = Some(Target { min: range.0, max: range.1, tags });
                done()
            }
            _ if self.target.is_none() => Answered::refused(400, "ObjectNotFoundException"),
            "DeregisterScalableTarget" => {
                self.target = None;
                self.policies.clear();
                done()
            }
            "PutScalingPolicy" => {
                self.policies.insert(text("PolicyName"), Arc::clone(&asked.body));
                done()
            }
            "DeleteScalingPolicy" => match self.policies.remove(&text("PolicyName")) {
                Some(_) => done(),
                None => Answered::refused(400, "ObjectNotFoundException"),
            },
            "TagResource" => {
                let tags = body["Tags"].as_object().unwrap();
                let tags = tags.iter().map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned()));
                self.target.as_mut().unwrap().tags.extend(tags);
                done()
            }
            "UntagResource" => {
                let keys = body["TagKeys"].as_array().unwrap();
                self.target.as_mut().unwrap().tags.retain(|key, _| !keys.iter().any(|gone| gone == key));
                done()
            }
            other => panic!("nobody said what {other} answers"),
        }
    }
}

/// A policy as it is listed.
fn described(body: &str) -> Value {
    let mut policy: Value = serde_json::from_str(body).unwrap();
    policy["PolicyARN"] = "arn:policy".into();
    policy["CreationTime"] = 1.0.into();
    policy["Alarms"] = json!([]);
    policy
}

/// The status of a message.
fn status(form: &Value) -> String {
    let fields = form.as_object().unwrap();
    let (name, _) = fields.iter().find(|(_, value)| *value == "status").unwrap();
    let value = name.strip_suffix(".Name").unwrap();
    form[format!("{value}.Value.StringValue")].as_str().unwrap().to_owned()
}
