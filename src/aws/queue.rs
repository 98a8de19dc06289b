//! The advisor's own queue, for what it passes on to itself.

use super::{Aws, CallError};
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;

const ACTION: &str = "sqs:SendMessage";
/// `SendMessageBatch` takes so many messages, and so many bytes of all of them together (1 MiB since August 2025; the old limit
/// holds everywhere).
const MOST_MESSAGES: usize = 10;
const MOST_BYTES: usize = 256 * 1024;

/// Sends these bodies, as few calls as they fit into. Those that are sent twice are handled twice.
pub(crate) async fn send(aws: &Aws, queue_url: &str, bodies: &[String]) -> Result<(), CallError> {
    let mut rest = bodies;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fit = rest.iter().take(MOST_MESSAGES).take_while(|body| {
            bytes += body.len();
            bytes <= MOST_BYTES
        });
        // One that does not fit by itself is refused by SQS, with its reason.
        let (now, later) = rest.split_at(fit.count().max(1).min(rest.len()));
        let entries = now.iter().enumerate().map(|(index, body)| {
            let entry = SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(body).build();
            entry.map_err(|error| CallError::unexpected(ACTION, error))
        });
        let call = aws.sqs.send_message_batch().queue_url(queue_url);
        let call = call.set_entries(Some(entries.collect::<Result<_, _>>()?));
        let output = call.send().await.map_err(|error| CallError::new(ACTION, error))?;
        if !output.failed().is_empty() {
            return Err(CallError::unavailable(ACTION));
        }
        rest = later;
    }
    Ok(())
}
