"""CloudFormation and Secrets Manager."""
import itertools
import json

import pytest
from test_cfn_ssm import change, make, outputs
from test_cloudformation import delete, events, refused

serial = itertools.count()


@pytest.fixture(scope="module")
def cfn(daemon):
    return daemon.client("cloudformation")


@pytest.fixture(scope="module")
def sm(daemon):
    return daemon.client("secretsmanager")


@pytest.fixture
def name():
    return f"m{next(serial)}"


def secret(**props):
    return {"Type": "AWS::SecretsManager::Secret", "Properties": props}


def read(sm, id):
    return sm.get_secret_value(SecretId=id)["SecretString"]


def test_secret(cfn, sm, daemon, name):
    key = daemon.client("kms").create_key()["KeyMetadata"]["Arn"]
    made = {"Generate": secret(GenerateSecretString={
                "SecretStringTemplate": json.dumps({"username": "app"}),
                "GenerateStringKey": "password", "PasswordLength": 40,
                "ExcludeCharacters": "\"@/\\", "ExcludePunctuation": True}),
            "Plain": secret(Name=f"{name}/plain", SecretString="one", Description="d",
                            KmsKeyId=key, Tags=[{"Key": "k", "Value": "1"}]),
            "Bare": secret(GenerateSecretString={}), "Empty": secret(),
            "Policy": {"Type": "AWS::SecretsManager::ResourcePolicy", "Properties": {
                "SecretId": {"Ref": "Plain"}, "BlockPublicPolicy": True, "ResourcePolicy": {
                    "Version": "2012-10-17", "Statement": [{
                        "Effect": "Deny", "Principal": "*", "Action": "secretsmanager:DeleteSecret",
                        "Resource": "*"}]}}}}
    refs = {k: {"Ref": k} for k in made} | {"Id": {"Fn::GetAtt": ["Plain", "Id"]}}
    stack = make(cfn, name, made, refs, Tags=[{"Key": "PRNumber", "Value": "3"}])
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, name)
    arns = outputs(stack)
    assert f":secret:{name}-Generate-" in arns["Generate"]
    generated = json.loads(read(sm, arns["Generate"]))
    assert generated["username"] == "app" and len(generated["password"]) == 40
    assert generated["password"].isalnum()
    assert len(read(sm, arns["Bare"])) == 32 and read(sm, arns["Id"]) == "one"
    d = sm.describe_secret(SecretId=arns["Plain"])
    assert (d["Name"], d["Description"], d["KmsKeyId"]) == (f"{name}/plain", "d", key)
    tags = {t["Key"]: t["Value"] for t in d["Tags"]}
    assert (tags["k"], tags["PRNumber"]) == ("1", "3")
    assert tags["aws:cloudformation:stack-name"] == name
    assert "VersionIdsToStages" not in sm.describe_secret(SecretId=arns["Empty"])
    policy = sm.get_resource_policy(SecretId=arns["Plain"])["ResourcePolicy"]
    assert json.loads(policy)["Statement"][0]["Effect"] == "Deny"
    # What was put since stays, until the template's own word on it changes.
    sm.put_secret_value(SecretId=arns["Plain"], SecretString="put")
    made["Plain"] = secret(Name=f"{name}/plain", SecretString="one",
                           Tags=[{"Key": "k", "Value": "2"}])
    del made["Policy"], refs["Policy"]
    stack = change(cfn, name, made, refs)
    assert stack["StackStatus"] == "UPDATE_COMPLETE", events(cfn, name)
    d = sm.describe_secret(SecretId=arns["Plain"])
    assert "Description" not in d and "KmsKeyId" not in d
    assert {"Key": "k", "Value": "2"} in d["Tags"] and read(sm, d["ARN"]) == "put"
    assert "ResourcePolicy" not in sm.get_resource_policy(SecretId=d["ARN"])
    made["Plain"]["Properties"]["SecretString"] = "two"
    made["Generate"]["Properties"]["GenerateSecretString"]["PasswordLength"] = 20
    made["Bare"]["Properties"]["Description"] = "the same password"
    bare = read(sm, arns["Bare"])
    assert change(cfn, name, made, refs)["StackStatus"] == "UPDATE_COMPLETE"
    assert (read(sm, arns["Plain"]), read(sm, arns["Bare"])) == ("two", bare)
    assert len(json.loads(read(sm, arns["Generate"]))["password"]) == 20
    delete(cfn, stack)
    for arn in arns.values():
        with pytest.raises(sm.exceptions.ResourceNotFoundException):
            sm.describe_secret(SecretId=arn)


@pytest.mark.parametrize("props, why", [
    ({"SecretString": "a", "GenerateSecretString": {}}, "can't specify both"),
    ({"GenerateSecretString": {"SecretStringTemplate": "{}"}},
     "SecretStringTemplate and GenerateStringKey must both be set or removed"),
    ({"GenerateSecretString": {"SecretStringTemplate": "x", "GenerateStringKey": "k"}},
     "Could not parse SecretStringTemplate"),
    ({"GenerateSecretString": {"PasswordLength": 2}}, "too short"),
    ({"ReplicaRegions": [{"Region": "eu-west-1"}]}, "ReplicaRegions"),
    ({"Type": "Salesforce"}, "Type"),
])
def test_secret_refused(cfn, sm, name, props, why):
    stack = make(cfn, name, {"S": secret(Name=f"{name}/s", **props)})
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any(r == "S" and s == "CREATE_FAILED" and why in text for r, s, text in
               events(cfn, name)), events(cfn, name)
    assert not sm.list_secrets(Filters=[{"Key": "name", "Values": [name + "/"]}])["SecretList"]


def test_types_that_need_functions(cfn, name):
    for type in ("RotationSchedule", "SecretTargetAttachment"):
        no = refused(cfn.create_stack, StackName=name, TemplateBody=json.dumps({"Resources": {
            "R": {"Type": f"AWS::SecretsManager::{type}", "Properties": {"SecretId": "x"}}}}))
        assert type in no["Error"]["Message"]


def parameter(value, **more):
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value, **more}}


def everything(cfn, name):
    """All that CloudFormation says of a stack."""
    def pages(op, key):
        return [p[key] for p in cfn.get_paginator(op).paginate(StackName=name)]

    resources = cfn.describe_stack_resources(StackName=name)["StackResources"]
    return json.dumps([
        cfn.describe_stacks(StackName=name)["Stacks"], resources,
        pages("describe_stack_events", "StackEvents"),
        pages("list_stack_resources", "StackResourceSummaries"),
        [cfn.describe_stack_resource(StackName=name, LogicalResourceId=r["LogicalResourceId"])
         for r in resources],
        cfn.get_template(StackName=name), cfn.get_template(StackName=name,
                                                           TemplateStage="Processed")],
        default=str)


def test_references(cfn, sm, daemon, name):
    """Resolved into properties, shown nowhere; read again only with a resource that changes."""
    ssm = daemon.client("ssm")
    one, two = {"username": "u1", "password": "hunter-1"}, {"username": "u2",
                                                             "password": "hunter-2"}
    first = sm.create_secret(Name=f"{name}/json", SecretString=json.dumps(one))
    sm.put_secret_value(SecretId=f"{name}/json", SecretString=json.dumps(two))
    sm.create_secret(Name=f"{name}/plain", SecretString="hunter-plain")
    json_id = f"secretsmanager:{name}/json"
    refs = {"Password": f"{json_id}:SecretString:password",
            "Previous": f"{json_id}:SecretString:password:AWSPREVIOUS",
            "Version": f"{json_id}:SecretString:password::{first['VersionId']}",
            "Plain": f"secretsmanager:{name}/plain", "String": f"secretsmanager:{name}/plain:"
            "SecretString", "Json": json_id,
            "Arn": f"secretsmanager:{first['ARN']}:SecretString:username"}
    values = {k: f"{{{{resolve:{v}}}}}" for k, v in refs.items()}
    values["Sub"] = {"Fn::Sub": "db://{{resolve:secretsmanager:${AWS::StackName}/json:SecretString:"
                     "username}}:{{resolve:" + refs["Password"] + "}}@x"}
    values["Made"] = {"Fn::Join": ["", ["{{resolve:secretsmanager:", {"Ref": "S"},
                                        ":SecretString:k::}}"]]}
    resources = {k: parameter(v, Name=f"/{name}/{k}") for k, v in values.items()}
    resources["S"] = secret(GenerateSecretString={
        "SecretStringTemplate": "{}", "GenerateStringKey": "k", "ExcludePunctuation": True})
    out = {"Literal": values["Password"], "S": {"Ref": "S"}}
    stack = make(cfn, name, resources, out)
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, name)

    def made():
        return {k: ssm.get_parameter(Name=f"/{name}/{k}")["Parameter"]["Value"] for k in values}

    generated = json.loads(read(sm, outputs(stack)["S"]))["k"]
    got = made()
    assert json.loads(got.pop("Json")) == two
    assert got == {"Password": "hunter-2", "Previous": "hunter-1", "Version": "hunter-1",
                   "Plain": "hunter-plain", "String": "hunter-plain", "Arn": "u2",
                   "Sub": "db://u2:hunter-2@x", "Made": generated}
    assert outputs(stack)["Literal"] == values["Password"]
    sm.put_secret_value(SecretId=f"{name}/json", SecretString=json.dumps(
        {"username": "u3", "password": "hunter-3"}))
    resources["Extra"] = parameter("x")
    assert change(cfn, name, resources, out)["StackStatus"] == "UPDATE_COMPLETE"
    assert made()["Password"] == "hunter-2"
    assert not any(r == "Password" and s.startswith("UPDATE") for r, s, _ in events(cfn, name))
    resources["Password"]["Properties"]["Description"] = "d"
    assert change(cfn, name, resources, out)["StackStatus"] == "UPDATE_COMPLETE"
    assert (made()["Password"], made()["Plain"]) == ("hunter-3", "hunter-plain")
    said = everything(cfn, name)
    assert "hunter-" not in said and generated not in said
    log = daemon.read_log()
    assert "hunter-" not in log and generated not in log
    # A secret that is gone fails nothing that does not ask for it.
    sm.delete_secret(SecretId=f"{name}/plain", ForceDeleteWithoutRecovery=True)
    resources["Extra"] = parameter("y")
    assert change(cfn, name, resources, out)["StackStatus"] == "UPDATE_COMPLETE"
    delete(cfn, stack)



@pytest.mark.parametrize("ref, why", [
    ("N/json:SecretString:none", "Could not find a value associated with JSONKey in SecretString"),
    ("N/plain:SecretString:key", "Could not parse SecretString JSON"),
    ("N/none", "Secrets Manager can't find the specified secret."),
])
def test_references_refused(cfn, sm, name, ref, why):
    """The resource fails, not the request."""
    sm.create_secret(Name=f"{name}/json", SecretString='{"a": "b"}')
    sm.create_secret(Name=f"{name}/plain", SecretString="p")
    stack = make(cfn, name, {"P": parameter("{{resolve:secretsmanager:" + ref.replace("N", name)
                                            + "}}")})
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert ("P", "CREATE_FAILED", why) in events(cfn, name), events(cfn, name)
