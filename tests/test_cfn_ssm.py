"""CloudFormation and the parameter store: parameters made by stacks, template parameters that are
looked up, dynamic references."""
import itertools
import json
import re

import pytest

from test_cloudformation import delete, events, refused, text, wait

serial = itertools.count()
SECRET = "hunter2-correct-horse"


@pytest.fixture(scope="module")
def cfn(daemon):
    return daemon.client("cloudformation")


@pytest.fixture(scope="module")
def ssm(daemon):
    return daemon.client("ssm")


@pytest.fixture
def name():
    return f"s{next(serial)}"


def parameter(value="v", type="String", **more):
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Type": type, "Value": value, **more}}


def make(cfn, name, resources, outputs=(), parameters=None, **args):
    cfn.create_stack(StackName=name, TemplateBody=template(resources, outputs, parameters), **args)
    return wait(cfn, name)


def template(resources, outputs=(), parameters=None):
    return text({"Parameters": parameters or {}, "Resources": resources,
                 "Outputs": {k: {"Value": v} for k, v in dict(outputs).items()}})


def change(cfn, name, resources, outputs=(), parameters=None, **args):
    cfn.update_stack(StackName=name, TemplateBody=template(resources, outputs, parameters), **args)
    return wait(cfn, name)


def outputs(stack):
    return {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}


def value(ssm, name, **args):
    return ssm.get_parameter(Name=name, **args)["Parameter"]["Value"]


def test_parameter(cfn, ssm, name):
    path = f"/{name}/x"
    full = parameter("a", Name=path, Description="d", AllowedPattern="[a-z]+", Tier="Advanced",
                     Tags={"k": "1", "gone": "1"})
    out = {"Ref": {"Ref": "P"}, "Type": {"Fn::GetAtt": ["P", "Type"]},
           "Value": {"Fn::GetAtt": ["P", "Value"]}, "Made": {"Ref": "Made"}}
    stack = make(cfn, name, {"P": full, "Made": parameter("x,y", "StringList")}, out,
                 Tags=[{"Key": "PRNumber", "Value": "9"}])
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, name)
    got = outputs(stack)
    assert (got["Ref"], got["Type"], got["Value"]) == (path, "String", "a")
    assert re.fullmatch("CFN-Made-[A-Za-z0-9]{12}", got["Made"])
    assert value(ssm, got["Made"]) == "x,y"

    def tags():
        found = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=path)["TagList"]
        return {t["Key"]: t["Value"] for t in found if not t["Key"].startswith("aws:")}

    def shown():
        found = ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": [path]}])
        return found["Parameters"][0]

    assert tags() == {"k": "1", "gone": "1", "PRNumber": "9"}
    assert (shown()["Tier"], shown()["AllowedPattern"]) == ("Advanced", "[a-z]+")
    full["Properties"].update(Value="b", Tags={"k": "2"})
    for gone in ("Description", "AllowedPattern", "Tier"):
        del full["Properties"][gone]
    stack = change(cfn, name, {"P": full, "Made": parameter("x,y", "StringList")}, out)
    assert stack["StackStatus"] == "UPDATE_COMPLETE", events(cfn, name)
    assert outputs(stack)["Value"] == value(ssm, path) == "b"
    assert tags() == {"k": "2", "PRNumber": "9"}
    assert shown()["Tier"] == "Advanced" and "Description" not in shown()
    assert outputs(stack)["Made"] == got["Made"]
    delete(cfn, stack)
    assert not ssm.get_parameters(Names=[path, got["Made"]])["Parameters"]


@pytest.mark.parametrize("more, why", [
    ({"Type": "SecureString"}, "SecureString"),
    ({"Policies": json.dumps([])}, "Policies"),
    ({"DataType": "aws:ec2:image"}, "aws:ec2:image"),
    ({"Name": "/aws/x"}, "No access to reserved parameter name: /aws/x."),
    ({"AllowedPattern": "[0-9]+"}, "cannot be validated against allowedPattern: [0-9]+"),
    ({"Value": "x" * 4097}, "Standard tier parameters support a maximum parameter value of 4096"),
])
def test_parameter_refused(cfn, name, more, why):
    p = parameter()
    p["Properties"].update(more)
    assert make(cfn, name, {"P": p})["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any(r == "P" and s == "CREATE_FAILED" and why in text for r, s, text in
               events(cfn, name)), events(cfn, name)


def test_taken_name(cfn, ssm, name):
    ssm.put_parameter(Name="/taken", Value="mine", Type="String")
    assert make(cfn, name, {"P": parameter(Name="/taken")})["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any("AlreadyExists" in why for _, _, why in events(cfn, name))
    assert value(ssm, "/taken") == "mine"


def test_converted_in_between(cfn, ssm, name):
    """A placeholder that somebody made a SecureString of: the stack leaves it alone until its own
    property changes, and can be deleted."""
    path = f"/{name}/secret"
    stack = make(cfn, name, {"P": parameter("placeholder", Name=path)})
    ssm.put_parameter(Name=path, Value=SECRET, Type="SecureString", Overwrite=True)
    stack = change(cfn, name, {"P": parameter("placeholder", Name=path), "Q": parameter()})
    assert stack["StackStatus"] == "UPDATE_COMPLETE", events(cfn, name)
    assert value(ssm, path, WithDecryption=True) == SECRET
    stack = change(cfn, name, {"P": parameter("placeholder", Name=path, Description="d"),
                               "Q": parameter()})
    assert stack["StackStatus"] == "UPDATE_COMPLETE", events(cfn, name)
    assert value(ssm, path) == "placeholder"
    ssm.put_parameter(Name=path, Value=SECRET, Type="SecureString", Overwrite=True)
    delete(cfn, stack)
    assert not ssm.get_parameters(Names=[path])["Parameters"]


def typed(type, default):
    return {"P": {"Type": type, "Default": default}}


def test_value_parameters(cfn, ssm, name):
    path = f"/{name}"
    ssm.put_parameter(Name=f"{path}/s", Value="one", Type="String")
    ssm.put_parameter(Name=f"{path}/s", Value="two", Overwrite=True)
    ssm.put_parameter(Name=f"{path}/l", Value="a,b, c ,d", Type="StringList")
    ps = {"S": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": f"{path}/s",
                "AllowedPattern": "^/.*"},
          "Old": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": f"{path}/s:1"},
          "L": {"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": f"{path}/l"},
          "C": {"Type": "AWS::SSM::Parameter::Value<CommaDelimitedList>", "Default": f"{path}/l"},
          "Image": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": f"{path}/s",
                    "NoEcho": True},
          "Name": {"Type": "AWS::SSM::Parameter::Name", "Default": f"{path}/s"}}
    out = {"S": {"Ref": "S"}, "Old": {"Ref": "Old"}, "Name": {"Ref": "Name"},
           "L": {"Fn::Join": ["|", {"Ref": "L"}]}, "C": {"Fn::Select": [2, {"Ref": "C"}]}}
    stack = make(cfn, name, {"Q": parameter({"Fn::Sub": "v=${S}"})}, out, ps)
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, name)
    assert outputs(stack) == {"S": "two", "Old": "one", "L": "a|b|c|d", "C": "c",
                              "Name": f"{path}/s"}
    shown = {p["ParameterKey"]: p for p in stack["Parameters"]}
    assert shown["S"] == {"ParameterKey": "S", "ParameterValue": f"{path}/s",
                          "ResolvedValue": "two"}
    assert shown["L"]["ResolvedValue"] == "a,b,c,d"
    assert shown["Image"] == {"ParameterKey": "Image", "ParameterValue": "****"}
    assert "ResolvedValue" not in shown["Name"]
    # Every update looks again, with nothing else changed.
    ssm.put_parameter(Name=f"{path}/s", Value="three", Overwrite=True)
    cfn.update_stack(StackName=name, UsePreviousTemplate=True,
                     Parameters=[{"ParameterKey": "S", "UsePreviousValue": True}])
    stack = wait(cfn, name)
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert outputs(stack)["S"] == "three" and outputs(stack)["Old"] == "one"
    made = cfn.describe_stack_resource(StackName=name, LogicalResourceId="Q")
    assert value(ssm, made["StackResourceDetail"]["PhysicalResourceId"]) == "v=three"


def test_value_parameters_of_ids(cfn, ssm, daemon, name):
    """A list of subnets out of the store, as network stacks of others leave it there."""
    subnets = [s["SubnetId"] for s in daemon.client("ec2").describe_subnets()["Subnets"][:2]]
    ssm.put_parameter(Name=f"/{name}/subnets", Value=", ".join(subnets), Type="StringList")
    ssm.put_parameter(Name=f"/{name}/subnet", Value=subnets[0], Type="String")
    ps = {"All": {"Type": "AWS::SSM::Parameter::Value<List<AWS::EC2::Subnet::Id>>",
                  "Default": f"/{name}/subnets"},
          "One": {"Type": "AWS::SSM::Parameter::Value<AWS::EC2::Subnet::Id>",
                  "Default": f"/{name}/subnet"}}
    stack = make(cfn, name, {"Q": parameter({"Fn::Select": [1, {"Ref": "All"}]})},
                 {"One": {"Ref": "One"}, "Q": {"Fn::GetAtt": ["Q", "Value"]}}, ps)
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, name)
    assert outputs(stack) == {"One": subnets[0], "Q": subnets[1]}
    shown = {p["ParameterKey"]: p["ResolvedValue"] for p in stack["Parameters"]}
    assert shown == {"All": ",".join(subnets), "One": subnets[0]}


def test_value_parameters_refused(cfn, ssm, name):
    """Found at once, by CreateStack and CreateChangeSet, and nothing is made."""
    path = f"/{name}"
    ssm.put_parameter(Name=f"{path}/sec", Value=SECRET, Type="SecureString")
    ssm.put_parameter(Name=f"{path}/s", Value="a,b", Type="String")
    one = "AWS::SSM::Parameter::Value<String>"
    for type, default, why in (
            (one, f"{path}/no", f"Unable to fetch parameters [{path}/no] from parameter store "
             "for this account."),
            (one, f"{path}/s:99", f"Unable to fetch parameters [{path}/s:99] from parameter store "
             "for this account."),
            (one, f"{path}/sec", f"Parameters [{path}/sec] referenced by template have types not "
             "supported by CloudFormation."),
            ("AWS::SSM::Parameter::Value<List<String>>", f"{path}/s", "Types for SSM parameters "
             f"[{path}/s] defined in CFN template and SSM are incompatible"),
            (one + "x", f"{path}/s", "Template format error: Unrecognized parameter type: "
             f"{one}x")):
        body = template({"Q": parameter({"Ref": "P"})}, (), typed(type, default))
        for call in (cfn.create_stack, cfn.create_change_set):
            more = {"ChangeSetName": "c", "ChangeSetType": "CREATE"} if (
                call == cfn.create_change_set) else {}
            no = refused(call, StackName=name, TemplateBody=body, **more)
            assert (no["Error"]["Code"], no["Error"]["Message"]) == ("ValidationError", why)
        assert refused(cfn.describe_stacks, StackName=name)


def test_dynamic_references(cfn, ssm, name):
    """Anywhere in a string, of functions, too; read again by every update, also by one that changes
    nothing else; in outputs they stay as they are."""
    path = f"/{name}"
    ssm.put_parameter(Name=f"{path}/s", Value="one", Type="String")
    ssm.put_parameter(Name=f"{path}/s", Value="two", Overwrite=True)
    ssm.put_parameter(Name=f"{path}/l", Value="a,b, c ,d", Type="StringList")
    want = {"Whole": f"{{{{resolve:ssm:{path}/s}}}}", "Old": f"{{{{resolve:ssm:{path}/s:1}}}}",
            "Two": f"A={{{{resolve:ssm:{path}/s:1}}}}_B={{{{resolve:ssm:{path}/l}}}}.",
            "Sub": {"Fn::Sub": "<{{resolve:ssm:/${AWS::StackName}/s:1}}>"},
            "Join": {"Fn::Join": ["", ["{{resolve:ssm:", {"Ref": "P"}, "}}"]]}}
    resources = {k: parameter(v, Name=f"{path}/made/{k}") for k, v in want.items()}
    ps = {"P": {"Type": "String", "Default": f"{path}/s"}}
    out = {"Literal": want["Whole"]}
    stack = make(cfn, name, resources, out, ps)
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, name)
    assert outputs(stack) == {"Literal": want["Whole"]}

    def made():
        return {k: value(ssm, f"{path}/made/{k}") for k in want}

    assert made() == {"Whole": "two", "Old": "one", "Two": "A=one_B=a,b, c ,d.", "Sub": "<one>",
                      "Join": "two"}
    with pytest.raises(Exception, match="No updates are to be performed"):
        change(cfn, name, resources, out, ps)
    ssm.put_parameter(Name=f"{path}/s", Value="three", Overwrite=True)
    assert change(cfn, name, resources, out, ps)["StackStatus"] == "UPDATE_COMPLETE"
    assert (made()["Whole"], made()["Join"], made()["Old"]) == ("three", "three", "one")
    shown = [e for e in cfn.describe_stack_events(StackName=name)["StackEvents"]
             if e["LogicalResourceId"] == "Whole"]
    assert all(want["Whole"] in e["ResourceProperties"] for e in shown)


@pytest.mark.parametrize("ref, why", [
    ("ssm:/N/none", "Parameters: [ssm:/N/none] cannot be found."),
    ("ssm:/N/none:3", "Parameters: [ssm:/N/none:3] cannot be found."),
    ("ssm:/N/sec", "Non-secure ssm prefix was used for secure parameter /N/sec"),
    ("ssm:/N/sec:label", "Incorrect format is used in the following SSM reference: "
     "[{{resolve:ssm:/N/sec:label}}]"),
    ("ssm-secure:/N/sec", "SSM Secure reference is not supported in: "
     "[AWS::SSM::Parameter/Properties/Value]"),
    ("ssm-secure:/N/sec:1", "SSM Secure reference is not supported in: "
     "[AWS::SSM::Parameter/Properties/Value]"),
])
def test_dynamic_references_refused(cfn, ssm, name, ref, why):
    ssm.put_parameter(Name=f"/{name}/sec", Value=SECRET, Type="SecureString")
    body = template({"P": parameter("{{resolve:" + ref.replace("/N", f"/{name}") + "}}")})
    for call in (cfn.create_stack, cfn.create_change_set):
        more = {"ChangeSetName": "c", "ChangeSetType": "CREATE"} if (
            call == cfn.create_change_set) else {}
        no = refused(call, StackName=name, TemplateBody=body, **more)
        assert no["Error"] == {"Code": "ValidationError", "Type": "Sender",
                               "Message": why.replace("/N", f"/{name}")}
    assert refused(cfn.describe_stacks, StackName=name)


def test_secure_references_in_lists(cfn, ssm, name):
    ssm.put_parameter(Name=f"/{name}/sec", Value=SECRET, Type="SecureString")
    secure = f"{{{{resolve:ssm-secure:/{name}/sec}}}}"
    container = {"Name": "a", "Image": "i", "Environment": [{"Name": "A", "Value": secure},
                                                            {"Name": "B", "Value": secure}]}
    no = refused(cfn.create_stack, StackName=name, TemplateBody=template({
        "T": {"Type": "AWS::ECS::TaskDefinition", "Properties": {
            "ContainerDefinitions": [container]}}, "P": parameter("x", Tags={"t": secure})}))
    one = "AWS::ECS::TaskDefinition/Properties/ContainerDefinitions"
    assert no["Error"]["Message"] == ("SSM Secure reference is not supported in: "
                                      f"[{one},{one},AWS::SSM::Parameter/Properties/Tags/t]")


@pytest.mark.parametrize("type, value", [
    ("AWS::EC2::VPC::Id", "vpc-00000000000000000"), ("AWS::EC2::Subnet::Id", "not-a-subnet"),
    ("List<AWS::EC2::Subnet::Id>", "subnet-00000000000000000"), ("AWS::EC2::VPC::Id", ""),
    ("AWS::EC2::AvailabilityZone::Name", "us-east-1z"),
    ("AWS::EC2::SecurityGroup::Id", "sg-00000000000000000"),
    ("AWS::EC2::SecurityGroup::GroupName", "nobody"),
    ("AWS::Route53::HostedZone::Id", "ZNONE"), ("AWS::SSM::Parameter::Name", "/no/such"),
    ("AWS::SSM::Parameter::Value<AWS::EC2::Subnet::Id>", None),
    ("AWS::SSM::Parameter::Value<List<AWS::EC2::Subnet::Id>>", None),
])
def test_parameters_that_name_nothing(cfn, ssm, daemon, name, type, value):
    """The request is accepted; the stack fails before any resource begins."""
    given, there = value, daemon.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    if value is None:
        given, value, listed = f"/{name}/x", "subnet-00000000000000000", "List" in type
        ssm.put_parameter(Name=given, Type="StringList" if listed else "String",
                          Value=f"{there}, {value}" if listed else value)
    stack = make(cfn, name, {"Q": parameter()}, (), typed(type, given))
    why = f"Parameter validation failed: parameter value {value} for parameter name P does not exist. "
    assert events(cfn, name) == [(name, "CREATE_IN_PROGRESS", "User Initiated"),
                                 (name, "ROLLBACK_IN_PROGRESS", why + "Rollback requested by user."),
                                 (name, "ROLLBACK_COMPLETE", "")]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"


def test_parameters_that_name_something(cfn, ssm, daemon, name):
    ec2 = daemon.client("ec2")
    ssm.put_parameter(Name=f"/{name}", Value="v", Type="SecureString")
    group = ec2.describe_security_groups()["SecurityGroups"][0]
    zone = daemon.client("route53").create_hosted_zone(Name="x.example", CallerReference=name)[
        "HostedZone"]["Id"].split("/")[-1]
    subnets = [s["SubnetId"] for s in ec2.describe_subnets()["Subnets"]]
    given = {"AWS::EC2::VPC::Id": group["VpcId"], "List<AWS::EC2::Subnet::Id>": ",".join(subnets),
             "AWS::EC2::SecurityGroup::Id": group["GroupId"],
             "AWS::EC2::SecurityGroup::GroupName": group["GroupName"],
             "AWS::EC2::AvailabilityZone::Name": "us-east-1a",
             "AWS::Route53::HostedZone::Id": zone, "AWS::SSM::Parameter::Name": f"/{name}"}
    ps = {f"P{i}": {"Type": k, "Default": v} for i, (k, v) in enumerate(given.items())}
    stack = make(cfn, name, {"Q": parameter()}, (), ps)
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, name)
    # An update looks again; what is wrong then rolls back.
    ps["P0"]["Default"] = "vpc-00000000000000000"
    assert change(cfn, name, {"Q": parameter("w")}, (), ps)["StackStatus"] == (
        "UPDATE_ROLLBACK_COMPLETE")
