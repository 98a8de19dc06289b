//! What a set-up did over a history, minute by minute and in blocks of them.

/// What is not known for certain: one draw of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draw {
    /// True capacity over the estimate, above 0.
    pub capacity: f64,
    /// Minutes from launch to service, above 0.
    pub boot_minutes: f64,
}

/// One minute of a replay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Minutes from the first.
    pub minute: usize,
    /// Instances that serve.
    pub serving: f64,
    /// Instances that are paid: those that start among them.
    pub paid: f64,
    /// How likely the minute is over the objective, 0 to 1.
    pub over: f64,
}

/// What a set-up did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// By block, counted from the first minute: a day each, or two hours where there are fewer than five days.
    pub blocks: Vec<Block>,
    /// Changes of the instance count.
    pub changes: u32,
}

/// One block of an outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Block {
    /// Expected minutes over the objective.
    pub over_minutes: f64,
    /// Minutes of single instances.
    pub instance_minutes: f64,
}

impl Outcome {
    /// Expected minutes over the objective.
    #[must_use]
    pub fn over_minutes(&self) -> f64 {
        self.blocks.iter().map(|block| block.over_minutes).sum()
    }

    /// Minutes of single instances.
    #[must_use]
    pub fn instance_minutes(&self) -> f64 {
        self.blocks.iter().map(|block| block.instance_minutes).sum()
    }
}

/// Minutes of a block in a history of so many: a day, which repeats with all that happens in one; two hours where there are
/// fewer than five days.
#[must_use]
pub fn block_minutes(minutes: usize) -> usize {
    if minutes >= 5 * 1_440 { 1_440 } else { 120 }
}

/// Sums by block.
pub(super) struct Sums {
    done: Vec<Block>,
    in_block: usize,
    block_minutes: usize,
}

impl Sums {
    /// Of so many minutes.
    pub fn new(minutes: usize) -> Self {
        let block_minutes = block_minutes(minutes);
        Self { done: Vec::with_capacity(minutes / block_minutes + 1), in_block: 0, block_minutes }
    }

    #[inline]
    pub fn add(&mut self, step: Step) {
        if self.in_block == 0 {
            self.done.push(Block::default());
        }
        self.in_block += 1;
        if self.in_block == self.block_minutes {
            self.in_block = 0;
        }
        if let Some(block) = self.done.last_mut() {
            block.over_minutes += step.over;
            block.instance_minutes += step.paid;
        }
    }

    /// All of them, after so many changes of the instance count.
    pub fn outcome(self, changes: u32) -> Outcome {
        Outcome { blocks: self.done, changes }
    }
}
