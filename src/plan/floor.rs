//! Where reacting cannot keep the objective: the `MinCapacity` that can, and how to get it.

use crate::model::{Days, InstanceCount, RegisterScalableTarget, Thousands};

/// A `MinCapacity` in place of waiting for instances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct FloorInstead {
    pub min: InstanceCount,
    /// The most that the plan allows.
    pub max: InstanceCount,
    /// Minutes over the objective that the policies miss, over the history that was replayed.
    pub misses: f64,
    /// The same with this floor.
    pub would_miss: f64,
    pub instance_hours: f64,
    /// Days of that history.
    pub days: f64,
    /// Units of provisioned concurrency, not instances.
    pub is_of_units: bool,
}

impl FloorInstead {
    /// Why, and what it would cost.
    pub fn reasoning(&self) -> String {
        if self.is_of_units {
            return format!(
                "reacting is not enough: requests at once grow faster than units come, and under this policy some come \
                 beyond the units in {:.0} minutes of {}; MinCapacity {} would leave {:.0}, with {} unit-hours",
                self.misses,
                Days(self.days),
                self.min,
                self.would_miss,
                Thousands(self.instance_hours.round())
            );
        }
        format!(
            "reacting is not enough: load grows faster than instances start, and the policy misses the objective in {:.0} \
             minutes of {}; MinCapacity {} would miss it in {:.0}, with {} instance-hours",
            self.misses,
            Days(self.days),
            self.min,
            self.would_miss,
            Thousands(self.instance_hours.round())
        )
    }

    /// What a person can do: set the floor with one command, or have a schedule looked for. It is not part of the plan, because
    /// only people know whether the objective is worth that much. `asked`: how the tool is asked about it, as `orders --variant AllTraffic`.
    pub fn advice(&self, register: &RegisterScalableTarget, asked: &str) -> Vec<String> {
        if self.min <= register.min_capacity {
            return Vec::new();
        }
        let (aim, units) = if self.is_of_units {
            ("To meet bursts warm", "units of provisioned concurrency")
        } else {
            ("To keep the objective when load jumps", "instances")
        };
        if self.min > self.max {
            let are = if self.is_of_units { "set" } else { "running" };
            return vec![format!("{aim}, {} {units} have to be {are}, and the limits allow {}.", self.min, self.max)];
        }
        let max_capacity = register.max_capacity.max(self.min);
        let higher = RegisterScalableTarget { min_capacity: self.min, max_capacity, ..register.clone() };
        if self.is_of_units {
            return vec![format!("{aim}, keep {} {units}: {}", self.min, higher.command())];
        }
        vec![
            format!("{aim}, keep {} instances running: {}", self.min, higher.command()),
            format!("In quiet times, see whether a schedule does it with fewer: endpoint-advisor replay {asked}"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn floor(min: u32, max: u32) -> FloorInstead {
        FloorInstead {
            min: InstanceCount(min),
            max: InstanceCount(max),
            misses: 90.0,
            would_miss: 4.0,
            instance_hours: 1_344.0,
            days: 14.0,
            is_of_units: false,
        }
    }

    fn register(min: u32) -> RegisterScalableTarget {
        RegisterScalableTarget {
            service_namespace: "sagemaker".to_owned(),
            resource_id: "endpoint/orders/variant/AllTraffic".to_owned(),
            scalable_dimension: "sagemaker:variant:DesiredInstanceCount".to_owned(),
            min_capacity: InstanceCount(min),
            max_capacity: InstanceCount(8),
            tags: BTreeMap::new(),
        }
    }

    fn advice(floor: FloorInstead, min: u32) -> Vec<String> {
        floor.advice(&register(min), "orders --variant AllTraffic")
    }

    #[test]
    fn a_floor_is_named_with_its_command_and_the_search_for_a_schedule() {
        assert_eq!(
            advice(floor(4, 10), 2),
            [
                "To keep the objective when load jumps, keep 4 instances running: aws application-autoscaling \
                 register-scalable-target --service-namespace sagemaker --resource-id endpoint/orders/variant/AllTraffic \
                 --scalable-dimension sagemaker:variant:DesiredInstanceCount --min-capacity 4 --max-capacity 8",
                "In quiet times, see whether a schedule does it with fewer: endpoint-advisor replay orders --variant AllTraffic",
            ]
        );
        assert_eq!(advice(floor(4, 10), 4), [""; 0]);
    }

    #[test]
    fn a_floor_beyond_the_limits_is_no_command() {
        assert_eq!(
            advice(floor(12, 10), 2),
            ["To keep the objective when load jumps, 12 instances have to be running, and the limits allow 10."]
        );
    }
}
