//! Instances of several types behind one variant, and what that makes of their cores.
//!
//! Source: "Deploy to multiple instance types with instance pools" in the SageMaker guide: up to five types, taken in
//! the order of their priority where AWS has none of those before.

use super::{InstanceCount, InstancePool, InstanceType, Variant};

impl Variant {
    /// The types that may serve: one, those of the pools, or none that is known.
    pub fn instance_types(&self) -> impl Iterator<Item = &InstanceType> {
        let pools = self.instance_pools.iter().map(|pool| &pool.instance_type);
        self.instance_type.iter().filter(|_| self.instance_pools.is_empty()).chain(pools)
    }

    /// Whether instances of more than one type serve now, or may.
    #[must_use]
    pub fn is_mixed(&self) -> bool {
        let serve = self.instance_pools.iter().filter(|pool| pool.current_instance_count != Some(InstanceCount(0)));
        let mut types = serve.map(|pool| &pool.instance_type);
        let first = types.next();
        types.any(|other| Some(other) != first)
    }

    /// vCPUs of an instance; their mean over the instances where they differ. None where a type that serves is not known.
    #[must_use]
    pub fn vcpus(&self) -> Option<f64> {
        self.units(InstanceType::vcpus)
    }

    /// The same of GPUs.
    #[must_use]
    pub fn gpus(&self) -> Option<f64> {
        self.units(InstanceType::gpus)
    }

    /// Whether an instance may have a GPU: one is known to, or a type is not known.
    #[must_use]
    pub fn may_have_gpus(&self) -> bool {
        let mut types = self.instance_types().peekable();
        types.peek().is_none() || types.any(|kind| kind.gpus() != Some(0))
    }

    /// The mean over the instances that have any: those without publish no such utilisation. Empty pools do not count
    /// beside others; where it is not known how many instances of each type there are, types that differ have no mean.
    fn units(&self, count: fn(&InstanceType) -> Option<u32>) -> Option<f64> {
        let Some(kind) = self.instance_pools.is_empty().then_some(self.instance_type.as_ref()) else {
            return self.mean_over_pools(count);
        };
        kind.and_then(count).map(f64::from)
    }

    fn mean_over_pools(&self, count: fn(&InstanceType) -> Option<u32>) -> Option<f64> {
        let running = |pool: &&InstancePool| pool.current_instance_count != Some(InstanceCount(0));
        let is_any = self.instance_pools.iter().any(|pool| running(&pool));
        let pools = self.instance_pools.iter().filter(|pool| !is_any || running(pool));
        let units = pools.map(|pool| Some((f64::from(count(&pool.instance_type)?), pool.current_instance_count)));
        let mut units: Vec<(f64, Option<InstanceCount>)> = units.collect::<Option<_>>()?;
        if units.iter().any(|(units, _)| *units > 0.0) {
            units.retain(|(units, _)| *units > 0.0);
        }
        let (first, _) = *units.first()?;
        if units.iter().all(|(other, _)| (other - first).abs() < f64::EPSILON) {
            return Some(first);
        }
        let counts = units.iter().map(|(units, count)| Some((*units, f64::from((*count)?.0))));
        let counts: Vec<(f64, f64)> = counts.collect::<Option<_>>()?;
        let instances: f64 = counts.iter().map(|(_, count)| count).sum();
        let sum: f64 = counts.iter().map(|(units, count)| units * count).sum();
        (instances > 0.0).then(|| sum / instances)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pools(pools: &[(&str, Option<u32>)]) -> Variant {
        let pool = |(kind, count): &(&str, Option<u32>)| InstancePool {
            instance_type: InstanceType((*kind).to_owned()),
            current_instance_count: count.map(InstanceCount),
        };
        Variant { instance_pools: pools.iter().map(pool).collect(), ..Variant::default() }
    }

    #[test]
    fn pools_with_equally_many_cores_need_no_mean() {
        let variant = pools(&[("ml.m5.xlarge", None), ("ml.c5.xlarge", None)]);
        assert_eq!((variant.vcpus(), variant.gpus(), variant.may_have_gpus()), (Some(4.0), Some(0.0), false));
    }

    #[test]
    fn cores_of_a_mix_are_the_mean_over_its_instances() {
        let variant = pools(&[("ml.m5.xlarge", Some(3)), ("ml.m5.2xlarge", Some(1))]);
        assert_eq!((variant.vcpus(), variant.is_mixed()), (Some(5.0), true));
        assert_eq!(pools(&[("ml.m5.xlarge", None), ("ml.m5.2xlarge", Some(1))]).vcpus(), None, "missing is not zero");
        assert_eq!(pools(&[("ml.m5.xlarge", Some(0)), ("ml.m5.2xlarge", Some(0))]).vcpus(), None);
    }

    #[test]
    fn a_pool_that_is_empty_makes_no_mix() {
        let variant = pools(&[("ml.m5.xlarge", Some(3)), ("ml.g5.xlarge", Some(0))]);
        assert_eq!((variant.vcpus(), variant.gpus(), variant.is_mixed()), (Some(4.0), Some(0.0), false));
        assert!(variant.may_have_gpus(), "the next instance may");
    }

    #[test]
    fn instances_without_a_gpu_publish_no_gpu_utilisation() {
        let variant = pools(&[("ml.m5.xlarge", Some(3)), ("ml.g5.xlarge", Some(1)), ("ml.g5.12xlarge", Some(1))]);
        assert_eq!(variant.gpus(), Some(2.5));
    }

    #[test]
    fn a_type_that_is_not_known_leaves_the_mean_open() {
        assert_eq!(pools(&[("ml.m5.xlarge", Some(1)), ("strange", Some(1))]).vcpus(), None);
        assert_eq!(Variant::default().vcpus(), None);
        assert!(Variant::default().may_have_gpus());
    }
}
