//! The limits that an operator sets. A limit that cannot be evaluated refuses.

use crate::config::Guardrails;
use crate::model::{HoldReason, InstanceCount, ScalableTarget, UsdPerHour};

/// The most instances that a plan may allow.
///
/// # Errors
/// Where the present set-up is already above a limit (Max is never lowered), or a limit cannot be evaluated.
pub(super) fn ceiling(
    guardrails: &Guardrails,
    target: Option<&ScalableTarget>,
    current: InstanceCount,
    price: Option<UsdPerHour>,
) -> Result<InstanceCount, HoldReason> {
    let present = target.map_or(current, |target| target.max_capacity.max(current));
    if present > guardrails.max_instances {
        return Err(HoldReason::GuardrailBelowCurrent);
    }
    let Some(limit) = guardrails.max_hourly_usd else { return Ok(guardrails.max_instances) };
    let price = price.filter(|price| price.0 > 0.0).ok_or(HoldReason::PriceUnknown)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates; a ceiling is then the other limit"
    )]
    let affordable = InstanceCount((limit.0 / price.0).floor() as u32);
    if present > affordable {
        return Err(HoldReason::GuardrailBelowCurrent);
    }
    Ok(guardrails.max_instances.min(affordable))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;
    use std::collections::BTreeMap;

    fn guardrails(max: u32, usd: Option<f64>) -> Guardrails {
        let mut guardrails = Settings::read(|_| None).for_endpoint(Some(&BTreeMap::new()));
        guardrails.max_instances = InstanceCount(max);
        guardrails.max_hourly_usd = usd.map(UsdPerHour);
        guardrails
    }

    #[test]
    fn the_tighter_limit_holds() {
        let current = InstanceCount(2);
        assert_eq!(ceiling(&guardrails(8, None), None, current, None), Ok(InstanceCount(8)));
        assert_eq!(ceiling(&guardrails(8, Some(1.0)), None, current, Some(UsdPerHour(0.25))), Ok(InstanceCount(4)));
        assert_eq!(ceiling(&guardrails(3, Some(1.0)), None, current, Some(UsdPerHour(0.25))), Ok(InstanceCount(3)));
    }

    #[test]
    fn a_limit_that_cannot_be_evaluated_refuses() {
        assert_eq!(ceiling(&guardrails(8, Some(1.0)), None, InstanceCount(2), None), Err(HoldReason::PriceUnknown));
    }

    #[test]
    fn a_limit_below_what_stands_is_never_enforced_by_lowering() {
        assert_eq!(ceiling(&guardrails(2, None), None, InstanceCount(3), None), Err(HoldReason::GuardrailBelowCurrent));
    }

    #[test]
    fn what_stands_at_a_limit_keeps_it() {
        let at = InstanceCount(3);
        assert_eq!(ceiling(&guardrails(3, None), None, at, None), Ok(at));
        assert_eq!(ceiling(&guardrails(8, Some(0.75)), None, at, Some(UsdPerHour(0.25))), Ok(at));
        let free = ceiling(&guardrails(8, Some(0.75)), None, at, Some(UsdPerHour(0.0)));
        assert_eq!(free, Err(HoldReason::PriceUnknown), "nothing is free");
        let target =
            |max_capacity| ScalableTarget { max_capacity: InstanceCount(max_capacity), ..ScalableTarget::default() };
        assert_eq!(ceiling(&guardrails(8, None), Some(&target(8)), at, None), Ok(InstanceCount(8)));
        assert_eq!(ceiling(&guardrails(8, None), Some(&target(9)), at, None), Err(HoldReason::GuardrailBelowCurrent));
    }
}
