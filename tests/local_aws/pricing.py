"""The Price List API, which no emulator has: the price of any instance is the same, in AWS's shape."""

import json

USD = "0.2300000000"


def answer(asked: dict) -> dict:
    """What GetProducts says of the instance types that are asked for."""
    asked = {item["Field"]: item["Value"] for item in asked.get("Filters", [])}
    return {"FormatVersion": "aws_v1", "PriceList": [json.dumps({
        "product": {"productFamily": "ML Instance", "attributes": {"instanceName": name, "component": "Hosting", "regionCode": asked.get("regionCode"),
                                                                 "usagetype": f"USE1-Host:{name}"}},
        "terms": {"OnDemand": {"A.B": {"priceDimensions": {"A.B.C": {"unit": "Hrs", "pricePerUnit": {"USD": USD}}}}}}})
        for name in asked.get("instanceName", "").split(",")]}
