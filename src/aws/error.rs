//! What an error of AWS means for us.

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error;

/// What an error of AWS means for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Too many requests; later it will work.
    Throttled,
    /// The role may not do this.
    AccessDenied,
    /// What was named does not exist.
    NotFound,
    /// What was to be created exists.
    Conflict,
    /// AWS or the network failed; later it may work.
    Unavailable,
    /// AWS refused the request; the same request will be refused again.
    Refused,
}

impl ErrorKind {
    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_temporary(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable)
    }
}

/// A call that failed.
#[derive(Debug, thiserror::Error)]
#[error("{action} failed{}", self.detail())]
pub struct CallError {
    /// The IAM action, as `cloudwatch:GetMetricData`.
    pub action: &'static str,
    /// What it means for us.
    pub kind: ErrorKind,
    message: Option<String>,
    #[source]
    source: Box<dyn Error + Send + Sync>,
}

impl CallError {
    /// Translates an error of the SDK.
    pub fn new<E, R>(action: &'static str, error: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let metadata = error.as_service_error().map(ProvideErrorMetadata::meta);
        let code = metadata.and_then(|metadata| metadata.code()).unwrap_or_default().to_owned();
        let message = metadata.and_then(|metadata| metadata.message()).map(str::to_owned);
        let kind = kind(error.as_service_error().is_some(), &code, message.as_deref().unwrap_or_default());
        let message = message.or(Some(code).filter(|code| !code.is_empty())).or_else(|| silence(&error));
        Self { action, kind, message, source: Box::new(error) }
    }

    /// A refusal that came inside a successful answer.
    pub(crate) fn denied(action: &'static str) -> Self {
        Self { action, kind: ErrorKind::AccessDenied, message: None, source: "access denied".into() }
    }

    /// More pages than there is time for.
    pub(crate) fn out_of_time(action: &'static str) -> Self {
        let message = "there are more pages than time (raise the function's timeout)";
        Self { action, kind: ErrorKind::Unavailable, message: Some(message.to_owned()), source: "out of time".into() }
    }

    /// A failure that came inside a successful answer.
    pub(crate) fn unavailable(action: &'static str) -> Self {
        Self { action, kind: ErrorKind::Unavailable, message: None, source: "internal error".into() }
    }

    /// A success that lacks what every answer has.
    pub(crate) fn incomplete(action: &'static str) -> Self {
        let message = Some("the answer is not whole".to_owned());
        Self { action, kind: ErrorKind::Unavailable, message, source: "a part is missing".into() }
    }

    /// An answer that cannot be.
    pub(crate) fn unexpected(action: &'static str, source: impl Error + Send + Sync + 'static) -> Self {
        Self { action, kind: ErrorKind::Refused, message: None, source: Box::new(source) }
    }

    fn detail(&self) -> String {
        let hint = match self.kind {
            ErrorKind::AccessDenied => format!(" (allow {})", self.action),
            _ => String::new(),
        };
        self.message.as_ref().map(|message| format!(": {message}{hint}")).unwrap_or(hint)
    }
}

/// What there is to say where no service did.
fn silence<E, R>(error: &SdkError<E, R>) -> Option<String> {
    let words = match error {
        SdkError::TimeoutError(_) => "no answer in time",
        SdkError::DispatchFailure(_) => "the connection failed",
        SdkError::ResponseError(_) => "the answer cannot be read",
        _ => return None,
    };
    Some(words.to_owned())
}

fn kind(is_service_error: bool, code: &str, message: &str) -> ErrorKind {
    if !is_service_error {
        return ErrorKind::Unavailable;
    }
    match code {
        "ThrottlingException"
        | "Throttling"
        | "TooManyRequestsException"
        | "Throttled"
        | "RequestLimitExceeded"
        | "ThrottledException"
        | "KMSThrottlingException" => ErrorKind::Throttled,
        "FailedResourceAccessException" if is_throttle(message) => ErrorKind::Throttled,
        _ if is_throttle(message) => ErrorKind::Throttled,
        // Application Auto Scaling says `ValidationException` where its caller lacks a right on the target service.
        _ if code.contains("AccessDenied") || code.contains("Authorization") || is_denial(message) => {
            ErrorKind::AccessDenied
        }
        "ObjectNotFoundException"
        | "NotFoundException"
        | "NotFound"
        | "ResourceNotFound"
        | "ResourceNotFoundException" => ErrorKind::NotFound,
        "ValidationException" | "ValidationError" if message.contains("Could not find") => ErrorKind::NotFound,
        "ConflictException" => ErrorKind::Conflict,
        "ConcurrentUpdateException"
        | "InternalServiceException"
        | "InternalFailure"
        | "InternalError"
        | "InternalServiceFault"
        | "InternalServerError"
        | "InternalServerException"
        | "InternalErrorException"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        | "RequestTimeout"
        | "" => ErrorKind::Unavailable,
        _ => ErrorKind::Refused,
    }
}

pub(super) fn is_throttle(message: &str) -> bool {
    message.contains("Rate exceeded")
}

fn is_denial(message: &str) -> bool {
    message.contains("not authorized") || message.contains("AccessDenied") || message.contains("missing permission")
}

/// Every cause of an error, outermost first, on one line.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_of_aws_has_one_meaning() {
        for (code, message, expected) in [
            ("ThrottlingException", "Rate exceeded", ErrorKind::Throttled),
            ("FailedResourceAccessException", "Unable to create alarms: Rate exceeded", ErrorKind::Throttled),
            (
                "FailedResourceAccessException",
                "User is not authorized to perform cloudwatch:PutMetricAlarm",
                ErrorKind::AccessDenied,
            ),
            ("AccessDeniedException", "no", ErrorKind::AccessDenied),
            ("AuthorizationErrorException", "no", ErrorKind::AccessDenied),
            (
                "ValidationException",
                "User: x is not authorized to perform: sagemaker:DescribeEndpoint",
                ErrorKind::AccessDenied,
            ),
            ("ValidationException", "Could not find endpoint \"arn:aws:…\".", ErrorKind::NotFound),
            ("ValidationException", "Minimum capacity cannot be greater than maximum capacity", ErrorKind::Refused),
            ("LimitExceededException", "too many targets", ErrorKind::Refused),
            ("ConcurrentUpdateException", "again", ErrorKind::Unavailable),
            ("ConflictException", "Schedule ea-1 already exists.", ErrorKind::Conflict),
        ] {
            assert_eq!(kind(true, code, message), expected, "{code}: {message}");
        }
        assert_eq!(kind(false, "", ""), ErrorKind::Unavailable);
    }
}
