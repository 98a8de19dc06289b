//! How an invocation spends its time, so that it always answers before its deadline: what is not read by then is missing from
//! the report, or the event fails and comes again. Lambda would cut it off in the middle of anything.

use super::session::{AdviseError, Session};
use jiff::SignedDuration;

/// Reading ends so long before the deadline. Weighing two weeks takes a third of a second of a whole core (an unoptimised build,
/// decoding included), so two or three with 256 MB of memory, which is a seventh of one; what follows takes the next number; the
/// rest is for a spell of throttling, in which a write waits for up to five attempts.
const TO_ACT: SignedDuration = SignedDuration::from_secs(20);
/// Nothing is written with less: the claim, another look, at most ten writes, the messages and the memory are about 15 calls
/// one after the other, of a tenth of a second each where AWS answers, and five times as long where it does so slowly.
const TO_WRITE: SignedDuration = SignedDuration::from_secs(10);
/// So long before the deadline the last call ends: the answer itself takes milliseconds.
const TO_ANSWER: SignedDuration = SignedDuration::from_secs(1);
/// No further event of a batch is begun with less: it would be cut short, and comes again by itself.
pub const ONE_EVENT: SignedDuration = SignedDuration::from_secs(20);

impl Session<'_> {
    /// Calls from now on end in time for what follows them. Of a short time, half is for reading.
    pub(super) fn read_in_time(&self) {
        let kept = (self.host.remaining)().map_or(TO_ACT, |left| TO_ACT.min(left / 2));
        self.aws.keep(&self.host.remaining, kept);
    }

    /// All has been read and weighed: calls from now on may take the rest.
    pub(super) fn act_in_time(&self) {
        self.aws.keep(&self.host.remaining, TO_ANSWER);
    }

    /// Whether so much time is left.
    pub(super) fn has(&self, time: SignedDuration) -> bool {
        (self.host.remaining)().is_none_or(|left| left > time)
    }

    /// Whether there is time to write, to tell and to remember it. Where there is not, the event comes again, to a function that
    /// has all of its time.
    pub(super) fn has_time_to_write(&self) -> Result<(), AdviseError> {
        if self.has(TO_WRITE) { Ok(()) } else { Err(AdviseError::OutOfTime) }
    }
}
