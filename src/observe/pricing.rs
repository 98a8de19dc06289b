//! What one instance costs: the public on-demand price of hosting, from the Price List API.

use crate::aws::{Aws, CallError};
use crate::model::{InstanceType, UsdPerHour};
use aws_sdk_pricing::types::{Filter, FilterType};
use serde_json::Value;

const ACTION: &str = "pricing:GetProducts";

/// The price of one instance for an hour; none where the list has none in US dollars.
pub(super) async fn instance_price(
    aws: &Aws,
    region: &str,
    kind: &InstanceType,
) -> Result<Option<UsdPerHour>, CallError> {
    let mut call = aws.pricing.get_products().service_code("AmazonSageMaker").format_version("aws_v1").max_results(100);
    for (field, value) in [("regionCode", region), ("instanceName", kind.0.as_str()), ("component", "Hosting")] {
        let filter = Filter::builder().r#type(FilterType::TermMatch).field(field).value(value).build();
        call = call.filters(filter.map_err(|error| CallError::unexpected(ACTION, error))?);
    }
    let output = call.send().await.map_err(|error| CallError::new(ACTION, error))?;
    Ok(highest_hourly_price(output.price_list()))
}

/// The highest hourly price among the products of a price list, each a JSON text: a limit must hold for any of them.
fn highest_hourly_price(products: &[String]) -> Option<UsdPerHour> {
    let products = products.iter().filter_map(|product| serde_json::from_str::<Value>(product).ok());
    products.filter_map(|product| hourly_price(&product)).max_by(f64::total_cmp).map(UsdPerHour)
}

fn hourly_price(product: &Value) -> Option<f64> {
    let terms = product.get("terms")?.get("OnDemand")?.as_object()?;
    let dimensions = terms.values().filter_map(|term| term.get("priceDimensions")?.as_object());
    dimensions
        .flat_map(serde_json::Map::values)
        .filter(|dimension| dimension.get("unit").and_then(Value::as_str) == Some("Hrs"))
        .filter_map(|dimension| dimension.get("pricePerUnit")?.get("USD")?.as_str()?.parse::<f64>().ok())
        .filter(|usd| *usd > 0.0 && usd.is_finite())
        .max_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn product(unit: &str, currency: &str, price: &str) -> String {
        json!({"product": {"attributes": {"usagetype": "USE1-Host:ml.m5.xlarge"}}, "terms": {"OnDemand": {"A.B": {
            "priceDimensions": {"A.B.C": {"unit": unit, "pricePerUnit": {currency: price}}},
        }}}})
        .to_string()
    }

    #[test]
    fn the_highest_hourly_price_counts() {
        let products =
            [product("Hrs", "USD", "0.2300000000"), product("Hrs", "USD", "0.2700000000"), product("GB", "USD", "9")];
        assert_eq!(highest_hourly_price(&products), Some(UsdPerHour(0.27)));
    }

    #[test]
    fn a_price_that_is_not_there_is_not_zero() {
        for products in
            [vec![], vec![product("Hrs", "CNY", "1.5")], vec![product("Hrs", "USD", "0.0")], vec!["{".to_owned()]]
        {
            assert_eq!(highest_hourly_price(&products), None);
        }
    }
}
