#!/usr/bin/env python3
"""Writes template.yaml as plain CloudFormation, for whom the serverless transform is not allowed, as for StackSets with
service-managed permissions: `python infra/plain_template.py > plain.json`. Needs `pip install aws-sam-translator cfn-lint`.

The function's code is then an object in S3 that has to be there: two more parameters say where. Lambda takes code from a
bucket of its own Region, so the bucket's name is a prefix, to which the Region is added.
"""

import json
import pathlib

import boto3
import cfnlint.decode
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

TEMPLATE = pathlib.Path(__file__).parents[1] / "template.yaml"
CODE_PARAMETERS = {
    "CodeBucketPrefix": {
        "Type": "String",
        "AllowedPattern": "^[a-z0-9][a-z0-9.-]{1,48}$",
        "ConstraintDescription": "The beginning of the names of S3 buckets.",
        "Description": "Buckets that hold the function's code, one in each Region, are named with this, a hyphen, and the Region.",
    },
    "CodeKey": {
        "Type": "String",
        "MinLength": 1,
        "Description": "Key of the function's zip file in those buckets, such as endpoint-advisor/0.1.0/arm64.zip. It has to match Architecture.",
    },
}


def plain_template(path: pathlib.Path = TEMPLATE) -> dict:
    """The template without its transform."""
    source, findings = cfnlint.decode.decode(str(path))
    assert not findings, findings
    source = json.loads(json.dumps(source))
    defaults = {name: parameter["Default"] for name, parameter in source["Parameters"].items() if "Default" in parameter}
    for resource in source["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource.pop("Metadata", None)  # how to build it
            resource["Properties"]["CodeUri"] = {"Bucket": "replaced", "Key": "replaced"}
    # The Region decides nothing here, but the translator asks for one.
    session = boto3.session.Session(region_name="us-east-1")
    plain = Translator({}, Parser(), boto_session=session).translate(source, defaults)
    for resource in plain["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"]["Code"] = {"S3Bucket": {"Fn::Sub": "${CodeBucketPrefix}-${AWS::Region}"}, "S3Key": {"Ref": "CodeKey"}}
    plain.pop("Transform", None)
    metadata = plain["Metadata"]
    metadata.pop("AWS::ServerlessRepo::Application")
    plain["Parameters"] |= CODE_PARAMETERS
    metadata["AWS::CloudFormation::Interface"]["ParameterGroups"].insert(
        0, {"Label": {"default": "The function's code"}, "Parameters": list(CODE_PARAMETERS)})
    return plain


if __name__ == "__main__":
    print(json.dumps(plain_template(), indent=2))
