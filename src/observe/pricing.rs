//! What one instance costs, or one unit of provisioned concurrency: public on-demand prices from the Price List API.

use crate::aws::{Aws, CallError, Price};
use crate::model::{InstanceType, UsdPerHour};
use aws_sdk_pricing::types::{Filter, FilterType};
use serde_json::Value;

const ACTION: &str = "pricing:GetProducts";

fn highest(prices: impl Iterator<Item = Price>) -> Option<Price> {
    prices.max_by(|a, b| a.each.0.total_cmp(&b.each.0))
}

/// The price of one instance for an hour, of the dearest type where there are several: a limit must hold whichever comes.
/// None where the list does not have all of them in US dollars.
pub(super) async fn instance_price(
    aws: &Aws,
    region: &str,
    kinds: &[&InstanceType],
) -> Result<Option<Price>, CallError> {
    let names: Vec<&str> = kinds.iter().map(|kind| kind.0.as_str()).collect();
    once(aws, format!("{region}/{}", names.join(",")), of_instances(aws, region, &names)).await
}

/// Asks for a price once in the life of a process: the list changes every few months.
async fn once(
    aws: &Aws,
    what: String,
    ask: impl Future<Output = Result<Option<Price>, CallError>>,
) -> Result<Option<Price>, CallError> {
    if let Some(price) = aws.prices().get(&what) {
        return Ok(*price);
    }
    let price = ask.await?;
    aws.prices().insert(what, price);
    Ok(price)
}

async fn of_instances(aws: &Aws, region: &str, names: &[&str]) -> Result<Option<Price>, CallError> {
    let one_of = if names.len() > 1 { FilterType::AnyOf } else { FilterType::TermMatch };
    let mut call = aws.pricing.get_products().service_code("AmazonSageMaker").format_version("aws_v1").max_results(100);
    for (field, value, matches) in [
        ("regionCode", region, FilterType::TermMatch),
        ("instanceName", &names.join(","), one_of),
        ("component", "Hosting", FilterType::TermMatch),
    ] {
        let filter = Filter::builder().r#type(matches).field(field).value(value).build();
        call = call.filters(filter.map_err(|error| CallError::unexpected(ACTION, error))?);
    }
    let output = call.send().await.map_err(|error| CallError::new(ACTION, error))?;
    if let [_] = names {
        return Ok(highest_hourly_price(output.price_list()));
    }
    Ok(dearest(output.price_list(), names))
}

/// The highest hourly price among several types; none where one of them has none.
fn dearest(products: &[String], names: &[&str]) -> Option<Price> {
    let of = |name: &str| {
        let is_of = |product: &&String| {
            serde_json::from_str::<Value>(product).is_ok_and(|product| {
                product.pointer("/product/attributes/instanceName").and_then(Value::as_str) == Some(name)
            })
        };
        highest_hourly_price(&products.iter().filter(is_of).cloned().collect::<Vec<_>>())
    };
    let prices: Vec<Price> = names.iter().map(|name| of(name)).collect::<Option<_>>()?;
    highest(prices.into_iter())
}

/// The price of one unit of provisioned concurrency for an hour, used or not; none where the list has none in US dollars.
/// What requests cost by their duration comes on top.
pub(super) async fn unit_price(aws: &Aws, region: &str, memory_size_in_mb: u32) -> Result<Option<Price>, CallError> {
    once(aws, format!("{region}/{memory_size_in_mb} MB"), of_a_unit(aws, region, memory_size_in_mb)).await
}

async fn of_a_unit(aws: &Aws, region: &str, memory_size_in_mb: u32) -> Result<Option<Price>, CallError> {
    let mut call = aws.pricing.get_products().service_code("AmazonSageMaker").format_version("aws_v1").max_results(100);
    for (field, value) in [
        ("regionCode", region),
        ("productFamily", "ML Serverless"),
        ("group", "ServerlessProvisionedConcurrency-Usage"),
    ] {
        let filter = Filter::builder().r#type(FilterType::TermMatch).field(field).value(value).build();
        call = call.filters(filter.map_err(|error| CallError::unexpected(ACTION, error))?);
    }
    let output = call.send().await.map_err(|error| CallError::new(ACTION, error))?;
    Ok(highest_price_of_a_unit(output.price_list(), memory_size_in_mb / 1_024))
}

/// The highest price of a unit with so much memory. It is by the second of one unit, under a usage type as
/// `USE1-ProvisionedConcurrency:Usage-4GB`.
fn highest_price_of_a_unit(products: &[String], memory_in_gb: u32) -> Option<Price> {
    let usage = format!("ProvisionedConcurrency:Usage-{memory_in_gb}GB");
    let products = products.iter().filter_map(|product| serde_json::from_str::<Value>(product).ok());
    let of_size = products.filter(|product| {
        let kind = product.pointer("/product/attributes/usagetype").and_then(Value::as_str);
        kind.is_some_and(|kind| kind.ends_with(&usage))
    });
    highest(of_size.filter_map(|product| price(&product, &["seconds", "second"], 3_600.0)))
}

/// The highest hourly price among the products of a price list, each a JSON text: a limit must hold for any of them.
fn highest_hourly_price(products: &[String]) -> Option<Price> {
    let products = products.iter().filter_map(|product| serde_json::from_str::<Value>(product).ok());
    highest(products.filter_map(|product| price(&product, &["hrs"], 1.0)))
}

/// The highest price of a product in one of these units, in lower case, of which an hour has so many.
fn price(product: &Value, units: &[&str], an_hour: f64) -> Option<Price> {
    let terms = product.get("terms")?.get("OnDemand")?.as_object()?;
    let dimensions = terms.values().filter_map(|term| term.get("priceDimensions")?.as_object());
    let usd = dimensions
        .flat_map(serde_json::Map::values)
        .filter(|dimension| {
            let unit = dimension.get("unit").and_then(Value::as_str).map(str::to_ascii_lowercase);
            unit.is_some_and(|unit| units.contains(&unit.as_str()))
        })
        .filter_map(|dimension| dimension.get("pricePerUnit")?.get("USD")?.as_str()?.parse::<f64>().ok())
        .filter(|usd| *usd > 0.0 && usd.is_finite())
        .max_by(f64::total_cmp)?;
    let published = product.get("publicationDate").and_then(Value::as_str).and_then(|text| text.parse().ok());
    Some(Price { each: UsdPerHour(usd * an_hour), published })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn product(unit: &str, currency: &str, price: &str) -> String {
        json!({"product": {"attributes": {"usagetype": "USE1-Host:ml.m5.xlarge"}}, "terms": {"OnDemand": {"A.B": {
            "priceDimensions": {"A.B.C": {"unit": unit, "pricePerUnit": {currency: price}}},
        }}}, "publicationDate": "2026-10-01T17:04:05Z"})
        .to_string()
    }

    #[test]
    fn the_highest_hourly_price_counts() {
        let products =
            [product("Hrs", "USD", "0.2300000000"), product("Hrs", "USD", "0.2700000000"), product("GB", "USD", "9")];
        let published = "2026-10-01T17:04:05Z".parse().ok();
        assert_eq!(highest_hourly_price(&products), Some(Price { each: UsdPerHour(0.27), published }));
    }

    #[test]
    fn a_unit_costs_what_its_memory_size_does() {
        let of = |size: &str, unit: &str, usd: &str| {
            let mut product: Value = serde_json::from_str(&product(unit, "USD", usd)).unwrap();
            product["product"]["attributes"]["usagetype"] = format!("USE1-ProvisionedConcurrency:{size}").into();
            product.to_string()
        };
        let products = [
            of("Usage-2GB", "seconds", "0.0000125000"),
            of("Usage-4GB", "seconds", "0.0000250000"),
            // What requests cost while they run is another product.
            of("Mem-4GB", "seconds", "0.0000500000"),
        ];
        let usd = highest_price_of_a_unit(&products, 4).map(|price| price.each.0);
        assert!(usd.is_some_and(|usd| (usd - 0.09).abs() < 1e-12), "{usd:?}");
        assert_eq!(highest_price_of_a_unit(&products, 6), None);
        assert_eq!(highest_price_of_a_unit(&[of("Usage-4GB", "Hrs", "0.09")], 4), None);
    }

    #[test]
    fn the_dearest_of_several_types_counts_and_only_where_all_are_known() {
        let of = |name: &str, usd: &str| {
            let mut product: Value = serde_json::from_str(&product("Hrs", "USD", usd)).unwrap();
            product["product"]["attributes"]["instanceName"] = name.into();
            product.to_string()
        };
        let products = [of("ml.m5.xlarge", "0.23"), of("ml.g5.xlarge", "1.41")];
        let of_both = dearest(&products, &["ml.m5.xlarge", "ml.g5.xlarge"]);
        assert_eq!(of_both.map(|price| price.each), Some(UsdPerHour(1.41)));
        assert_eq!(dearest(&products, &["ml.m5.xlarge", "ml.g6.xlarge"]), None);
        assert_eq!(dearest(&products, &[]), None);
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
