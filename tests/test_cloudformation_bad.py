"""CloudFormation: bad input gets AWS's own words, and changes nothing."""
import os

import botocore.exceptions
import pytest
from cfn import GROUP, delete, events, physical, reason, refused, text, wait
from test_disk_full import Small

LOGS = "AWS::Logs::LogGroup"


def group(name=None, **more):
    return {"Type": LOGS, **more,
            **({"Properties": {"LogGroupName": name}} if name else {})}


def resources(**r):
    return text({"Resources": r})


ROLE = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}}
REFUSED = [
    (resources(A=group(DependsOn="B"), B=group(DependsOn="C"), C=group(DependsOn="A"),
               D=group(DependsOn="A")),
     "Circular dependency between resources: [A, B, C, D]", "Circular dependency between "
     "resources: [A, B, C]"),
    (resources(A=group({"Ref": "Nobody"})), "Template format error: Unresolved resource "
     "dependencies [Nobody] in the Resources block of the template"),
    (text({**GROUP, "Outputs": {"O": {"Value": {"Fn::GetAtt": ["Group", "Nothing"]}}}}),
     "Template error: resource Group does not support attribute type Nothing in Fn::GetAtt"),
    (text({**GROUP, "Outputs": {"O": {"Value": {"Ref": "X"}}}}), "Template format error: "
     "Unresolved resource dependencies [X] in the Outputs block of the template"),
    (resources(A={"Type": "AWS::Lambda::Function"}, B={"Type": "Custom::Thing"},
               C={"Type": "AWS::CloudFormation::CustomResource"}),
     "Template format error: Unrecognized resource types: [AWS::Lambda::Function, "
     "Custom::Thing, AWS::CloudFormation::CustomResource]"),
    (text({"Transform": "AWS::LanguageExtensions", "Resources": {
        "Fn::ForEach::L": ["N", ["A", "B"], {"F${N}": {"Type": "AWS::Lambda::Function"}}]}}),
     "Template format error: Unrecognized resource types: [AWS::Lambda::Function]"),
    (resources(A={"Properties": {}}), "Template format error: [/Resources/A] Every Resources "
     "object must contain a Type member."),
    ("{", "Template format error"),
    (text({"Resources": {}}), "Template format error: At least one Resources member must be "
     "defined."),
    (text({"Parameters": {"P": {"Type": "String"}}, **GROUP}),
     "Parameters: [P] must have values"),
]


@pytest.mark.parametrize("case", REFUSED, ids=range(len(REFUSED)))
def test_refused_before_anything_is_made(client, case):
    cfn = client("cloudformation")
    before = cfn.list_stacks()["StackSummaries"]
    template, *said = case
    for call, more in ((cfn.create_stack, {}),
                       (cfn.create_change_set, {"ChangeSetName": "c", "ChangeSetType": "CREATE"})):
        no = refused(call, StackName="bad", TemplateBody=template, Capabilities=[
            "CAPABILITY_AUTO_EXPAND"], **more)
        assert (no["Error"]["Code"], no["ResponseMetadata"]["HTTPStatusCode"]) == (
            "ValidationError", 400)
        assert any(s in no["Error"]["Message"] for s in said), no["Error"]["Message"]
    assert cfn.list_stacks()["StackSummaries"] == before


def test_wrong_types_fail_the_resource(client):
    cfn = client("cloudformation")
    for props, said in (
            ({"RetentionInDays": "soon"}, "Model validation failed (#/RetentionInDays: expected "
             "type: Integer, found: String)"),
            ({"Wrong": 1}, "Encountered unsupported property Wrong"),
            ({"Tags": "x"}, "Model validation failed (#/Tags: expected type: JSONArray, "
             "found: String)")):
        cfn.create_stack(StackName="types", TemplateBody=resources(
            A={"Type": LOGS, "Properties": props}))
        stack = wait(cfn, "types")
        assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
        assert said in reason(cfn, "types", "CREATE_FAILED", "A")
        delete(cfn, stack)


def test_names(client):
    cfn = client("cloudformation")
    cfn.create_stack(StackName="taken", TemplateBody=text(GROUP))
    stack = wait(cfn, "taken")
    no = refused(cfn.create_stack, StackName="taken", TemplateBody=text(GROUP))
    assert no["Error"] == {"Code": "AlreadyExistsException", "Type": "Sender",
                           "Message": "Stack [taken] already exists"}
    assert "already exists and cannot be created again with the changeSet [c]." in refused(
        cfn.create_change_set, StackName="taken", ChangeSetName="c", ChangeSetType="CREATE",
        TemplateBody=text(GROUP))["Error"]["Message"]
    for name in ("1a", "a_b", "-a", "a" * 129):
        assert refused(cfn.create_stack, StackName=name, TemplateBody=text(GROUP))[
            "Error"]["Code"] == "ValidationError"
    assert "Cannot specify usePreviousValue as true" in refused(
        cfn.update_stack, StackName="taken", TemplateBody=text(
            {"Parameters": {"New": {"Type": "String"}}, **GROUP}),
        Parameters=[{"ParameterKey": "New", "UsePreviousValue": True}])["Error"]["Message"]
    delete(cfn, stack)


def test_capabilities(client):
    cfn = client("cloudformation")
    if "Unrecognized resource types" in refused(
            cfn.create_stack, StackName="caps", TemplateBody=resources(R=ROLE))["Error"]["Message"]:
        pytest.skip("no roles yet")
    named = {**ROLE, "Properties": {**ROLE["Properties"], "RoleName": "n"}}
    for role, need in ((ROLE, "CAPABILITY_IAM"), (named, "CAPABILITY_NAMED_IAM")):
        no = refused(cfn.create_stack, StackName="caps", TemplateBody=resources(R=role))
        assert no["Error"]["Code"] == "InsufficientCapabilitiesException"
        assert no["Error"]["Message"] == f"Requires capabilities : [{need}]"


def test_rollback_leaves_what_was_there(client):
    """A collision in an update: the same resources, the same exports as before."""
    cfn, logs = client("cloudformation"), client("logs")
    logs.create_log_group(logGroupName="collision")

    def template(value, **more):
        return text({"Resources": {"A": group(), "B": {**group(), "Properties": {
            "RetentionInDays": value}}, **more}, "Outputs": {
                "O": {"Value": str(value), "Export": {"Name": "bad-o"}}}})
    cfn.create_stack(StackName="same", TemplateBody=template(7))
    stack = wait(cfn, "same")
    before = physical(cfn, "same"), stack["Outputs"], cfn.list_exports()["Exports"]
    cfn.update_stack(StackName="same", TemplateBody=template(
        3, New=group(), Bad=group("collision", DependsOn=["A", "B", "New"])))
    stack = wait(cfn, "same")
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", events(cfn, "same")
    assert (physical(cfn, "same"), stack["Outputs"], cfn.list_exports()["Exports"]) == before
    found = {g["logGroupName"]: g.get("retentionInDays")
             for g in logs.describe_log_groups()["logGroups"]}
    assert found == {"collision": None, before[0]["A"]: None, before[0]["B"]: 7}
    # An export in use cannot change; the stack that would change it goes back.
    cfn.create_stack(StackName="user", TemplateBody=resources(
        C={"Type": LOGS, "Properties": {"LogGroupName": {"Fn::ImportValue": "bad-o"}}}))
    user = wait(cfn, "user")
    assert user["StackStatus"] == "CREATE_COMPLETE", events(cfn, "user")
    cfn.update_stack(StackName="same", TemplateBody=template(5))
    stack = wait(cfn, "same")
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert any("Export bad-o cannot be updated as it is in use by user" in r
               for _, _, r in events(cfn, "same"))
    assert cfn.list_exports()["Exports"] == before[2]
    delete(cfn, user)
    delete(cfn, stack)
    logs.delete_log_group(logGroupName="collision")


@pytest.mark.skipif(os.geteuid() != 0, reason="root")
def test_retry_after_an_error():
    """A request that failed for want of space left nothing: the retry is the first."""
    d = Small()
    try:
        cfn = d.client("cloudformation")
        d.fill()
        with pytest.raises(botocore.exceptions.ClientError) as e:
            for i in range(200):
                cfn.create_stack(StackName=f"full{i}", TemplateBody=text(
                    {"Metadata": {"X": "x" * 40000}, **GROUP}), ClientRequestToken=f"t{i}")
        assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
        d.free()
        made = cfn.create_stack(StackName=f"full{i}", TemplateBody=text(GROUP),
                                ClientRequestToken=f"t{i}")
        stack = wait(cfn, f"full{i}")
        assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, f"full{i}")
        again = cfn.create_stack(StackName=f"full{i}", TemplateBody=text(GROUP),
                                 ClientRequestToken=f"t{i}")
        assert again["StackId"] == made["StackId"] == stack["StackId"]
        stacks = cfn.list_stacks()["StackSummaries"]
        assert len({s["StackName"] for s in stacks}) == len(stacks)
        for s in stacks:
            assert wait(cfn, s["StackName"])["StackStatus"] == "CREATE_COMPLETE"
        groups = d.client("logs").get_paginator("describe_log_groups").paginate()
        assert sum(len(p["logGroups"]) for p in groups) == len(stacks)
    finally:
        d.close()
