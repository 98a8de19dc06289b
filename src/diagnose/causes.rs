//! Every cause that is considered, one file each. To add one: a file here and a line below.

use super::check::Judgement;
use super::features::Features;

/// A cause: what speaks for and against it.
pub(super) type Cause = fn(&Features) -> Judgement;

macro_rules! causes {
    ($($cause:ident,)*) => {
        $(mod $cause;)*

        /// Every cause; where two are equally strong, the earlier one is named.
        pub(super) const CAUSES: &[Cause] = &[$($cause::judge,)*];
    };
}

causes! {
    overload,
    burst,
    container_concurrency_limit,
    heavier_requests,
    slow_model,
    slow_dependency,
    memory_pressure,
    model_errors,
    client_errors,
    model_loading,
    cold_start,
    overhead,
    uneven_load,
    objective_too_tight,
    transient,
}
