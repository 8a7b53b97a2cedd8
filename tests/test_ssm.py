"""Parameter Store with boto3 and the AWS CLI."""
import itertools
import json
import sqlite3

import botocore.exceptions
import pytest

from conftest import ACCOUNT, Daemon

serial = itertools.count()
ARN = f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/"


@pytest.fixture(scope="module")
def ssm(daemon):
    return daemon.client("ssm")


@pytest.fixture
def name():
    return f"/t{next(serial)}/x"


def refused(code, call, **args):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**args)
    r = e.value.response
    assert r["Error"]["Code"] == code, r["Error"]
    assert r["ResponseMetadata"]["HTTPStatusCode"] == (501 if code == "NotImplemented" else 400)
    return r["Error"]["Message"]


def put(ssm, name, value="v", type="String", **args):
    return ssm.put_parameter(Name=name, Value=value, Type=type, **args)


def get(ssm, name, **args):
    return ssm.get_parameter(Name=name, **args)["Parameter"]


def test_placeholder_becomes_secret(ssm, name):
    """The field's way: a String made by a stack, converted by put-parameter --overwrite."""
    put(ssm, name, "placeholder")
    assert put(ssm, name, "s3cret", "SecureString", Overwrite=True)["Version"] == 2
    assert get(ssm, name, WithDecryption=True)["Value"] == "s3cret"
    assert get(ssm, name)["Value"] != "s3cret"
    history = ssm.get_parameter_history(Name=name)["Parameters"]
    assert [h["Type"] for h in history] == ["String", "SecureString"]
    assert [h.get("KeyId") for h in history] == [None, "alias/aws/ssm"]
    # Without a type it stays what it is.
    ssm.put_parameter(Name=name, Value="next", Overwrite=True)
    assert get(ssm, name)["Type"] == "SecureString"
    put(ssm, name, "open", Overwrite=True)
    assert (get(ssm, name)["Type"], get(ssm, name)["Value"]) == ("String", "open")


def test_life(ssm, name):
    r = put(ssm, name, "one", Description="d", Tags=[{"Key": "a", "Value": "1"}])
    assert (r["Version"], r["Tier"]) == (1, "Standard")
    p = get(ssm, name)
    p.pop("LastModifiedDate")
    assert p == {"Name": name, "Type": "String", "Value": "one", "Version": 1,
                 "ARN": ARN + name[1:], "DataType": "text"}
    assert "set the overwrite option" in refused("ParameterAlreadyExists", ssm.put_parameter,
                                                 Name=name, Value="x", Type="String")
    assert ssm.put_parameter(Name=name, Value="two", Overwrite=True)["Version"] == 2
    assert get(ssm, name)["Value"] == get(ssm, ARN + name[1:])["Value"] == "two"
    p = get(ssm, name + ":1")
    assert (p["Value"], p["Selector"], p["Name"]) == ("one", ":1", name)
    assert refused("ParameterVersionNotFound", ssm.get_parameter, Name=name + ":9") == (
        f"Systems Manager could not find version 9 of {name}. Verify the version and try again.")
    refused("ValidationException", put, ssm=ssm, name=name, Overwrite=True,
            Tags=[{"Key": "a", "Value": "b"}])
    ssm.delete_parameter(Name=name)
    for call in (ssm.get_parameter, ssm.delete_parameter, ssm.get_parameter_history):
        refused("ParameterNotFound", call, Name=name)
    assert put(ssm, name)["Version"] == 1


@pytest.mark.parametrize("bad,code", [
    ("a/b", "ValidationException"), ("/a b", "ValidationException"),
    ("/a//b", "ValidationException"), ("/a/", "ValidationException"),
    ("ssmx", "ValidationException"), ("/SSM/x", "ValidationException"),
    ("/aws/x", "AccessDeniedException"), ("awsx", "AccessDeniedException"),
    ("/a" * 16, "HierarchyLevelLimitExceededException"), ("x:1", "ValidationException"),
    ("x" * 1012, "ValidationException")])
def test_bad_names(ssm, bad, code):
    refused(code, put, ssm=ssm, name=bad)


def test_one_slash(ssm):
    put(ssm, "plain", "v")
    assert get(ssm, "/plain")["ARN"] == ARN + "plain"
    put(ssm, "/a" * 15)


def test_sizes_and_tiers(ssm, name):
    assert "maximum parameter value of 4096 characters" in refused(
        "ValidationException", put, ssm=ssm, name=name, value="x" * 4097)
    assert put(ssm, name, "x" * 4096)["Tier"] == "Standard"
    assert put(ssm, name, "x" * 8192, Overwrite=True, Tier="Intelligent-Tiering")["Tier"] == (
        "Advanced")
    assert put(ssm, name, "x", Overwrite=True)["Tier"] == "Advanced"
    refused("ValidationException", put, ssm=ssm, name=name, Overwrite=True, Tier="Standard")
    refused("ValidationException", put, ssm=ssm, name=name, value="x" * 8193, Overwrite=True,
            Tier="Advanced")
    refused("ValidationException", ssm.put_parameter, Name=name + "y", Value="x")
    refused("ValidationException", put, ssm=ssm, name=name + "y", value="")


def test_pattern_and_type(ssm, name):
    put(ssm, name, "12", AllowedPattern="\\d+")
    assert refused("ParameterPatternMismatchException", put, ssm=ssm, name=name, value="12x",
                   Overwrite=True, AllowedPattern="\\d+") == (
        "Parameter value, cannot be validated against allowedPattern: \\d+")
    refused("InvalidAllowedPatternException", put, ssm=ssm, name=name, AllowedPattern="(",
            Overwrite=True)
    refused("ValidationException", put, ssm=ssm, name=name + "y", DataType="Text")
    refused("NotImplemented", put, ssm=ssm, name=name + "y", DataType="aws:ec2:image")
    refused("NotImplemented", put, ssm=ssm, name=name + "y", Tier="Advanced",
            Policies='[{"Type":"Expiration"}]')
    refused("NotImplemented", ssm.list_documents)


def test_secure(daemon, ssm, name):
    kms = daemon.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    put(ssm, name, "hush", "SecureString")
    put(ssm, name + "k", "hush", "SecureString", KeyId=key)
    put(ssm, name + "long", "hush" * 2000, "SecureString", Tier="Advanced")
    for n, want in (("", "hush"), ("k", "hush"), ("long", "hush" * 2000)):
        p = get(ssm, name + n)
        assert p["Type"] == "SecureString" and "hush" not in p["Value"]
        assert get(ssm, name + n, WithDecryption=True)["Value"] == want
        assert ssm.get_parameter_history(Name=name + n, WithDecryption=True)["Parameters"][0][
            "Value"] == want
    found = ssm.describe_parameters(ParameterFilters=[{"Key": "KeyId", "Values": [key]}])
    assert [p["Name"] for p in found["Parameters"]] == [name + "k"]
    kms.disable_key(KeyId=key)
    assert "is disabled" in refused("InvalidKeyId", ssm.get_parameter, Name=name + "k",
                                    WithDecryption=True)
    assert get(ssm, name + "k")["Version"] == 1
    refused("InvalidKeyId", put, ssm=ssm, name=name + "z", type="SecureString", KeyId="alias/no")
    refused("ParameterNotFound", ssm.get_parameter, Name=name + "z")
    refused("ValidationException", put, ssm=ssm, name=name + "z", KeyId=key)
    # Nothing of it is in the clear on the disk.
    with sqlite3.connect(f"{daemon.state}/state.db") as db:
        dump = "\n".join(db.iterdump())
    assert "hush" not in dump


def test_get_many(ssm, name):
    for n in "abc":
        put(ssm, name + n, n)
    r = ssm.get_parameters(Names=[name + "a", name + "no", name + "c:1", name + "b:7"])
    assert sorted(p["Value"] for p in r["Parameters"]) == ["a", "c"]
    assert sorted(r["InvalidParameters"]) == sorted([name + "no", name + "b:7"])
    r = ssm.delete_parameters(Names=[name + "a", name + "no"])
    assert (r["DeletedParameters"], r["InvalidParameters"]) == ([name + "a"], [name + "no"])
    refused("ValidationException", ssm.get_parameters, Names=[f"n{i}" for i in range(11)])


def test_by_path(ssm, name):
    names = [f"{name}/p{i:02}" for i in range(12)] + [name + "/deep/er", name + "y"]
    for n in names:
        put(ssm, n)
    put(ssm, name + "/secret", "hush", "SecureString")

    def paths(**args):
        pages = list(ssm.get_paginator("get_parameters_by_path").paginate(Path=name, **args))
        return [len(p["Parameters"]) for p in pages], {
            p["Name"] for page in pages for p in page["Parameters"]}

    sizes, got = paths()
    assert got == set(names[:12]) | {name + "/secret"} and sizes == [10, 3]
    assert paths(Recursive=True)[1] == got | {name + "/deep/er"}
    assert paths(ParameterFilters=[{"Key": "Type", "Values": ["SecureString"]}])[1] == {
        name + "/secret"}
    ssm.label_parameter_version(Name=names[3], Labels=["prod"])
    assert paths(ParameterFilters=[{"Key": "Label", "Values": ["prod"]}])[1] == {names[3]}
    assert ssm.get_parameters_by_path(Path=name + "/deep/", WithDecryption=True)["Parameters"][0][
        "Name"] == name + "/deep/er"
    refused("ValidationException", ssm.get_parameters_by_path, Path="x")
    refused("ValidationException", ssm.get_parameters_by_path, Path=name, MaxResults=11)
    refused("InvalidNextToken", ssm.get_parameters_by_path, Path=name, NextToken="junk")
    assert "Name" in refused("InvalidFilterKey", ssm.get_parameters_by_path, Path=name,
                             ParameterFilters=[{"Key": "Name", "Values": ["x"]}])


def test_describe(ssm, name):
    put(ssm, name + "a", Description="d", AllowedPattern=".*", Tags=[{"Key": "env", "Value": "x"}])
    put(ssm, name + "b", type="StringList")
    base = {"Key": "Name", "Option": "BeginsWith", "Values": [name]}

    def names(*filters):
        r = ssm.describe_parameters(ParameterFilters=[base, *filters])
        return [p["Name"][len(name):] for p in r["Parameters"]]

    assert names() == ["a", "b"]
    assert names({"Key": "Type", "Values": ["StringList"]}) == ["b"]
    assert names({"Key": "tag:env", "Values": ["x", "y"]}) == ["a"]
    assert names({"Key": "tag:env"}) == ["a"]
    assert names({"Key": "Tier", "Values": ["Advanced"]}) == []
    assert names({"Key": "Path", "Values": [name.rsplit("/", 1)[0]]}) == ["a", "b"]
    assert names({"Key": "Path", "Option": "Recursive", "Values": ["/"]}) == ["a", "b"]
    p, = ssm.describe_parameters(Filters=[{"Key": "Name", "Values": [name + "a"]}])["Parameters"]
    assert (p["Description"], p["AllowedPattern"], p["Tier"], p["LastModifiedUser"]) == (
        "d", ".*", "Standard", f"arn:aws:iam::{ACCOUNT}:root") and "Value" not in p
    refused("InvalidFilterOption", ssm.describe_parameters,
            ParameterFilters=[{"Key": "Type", "Option": "Contains", "Values": ["String"]}])
    refused("InvalidFilterValue", ssm.describe_parameters, ParameterFilters=[{"Key": "Name"}])
    refused("InvalidFilterKey", ssm.describe_parameters, ParameterFilters=[base, base])
    refused("ValidationException", ssm.describe_parameters,
            ParameterFilters=[{"Key": "Other", "Values": ["x"]}])


def test_labels(ssm, name):
    for i in range(3):
        put(ssm, name, str(i), Overwrite=True)
    r = ssm.label_parameter_version(Name=name, ParameterVersion=1, Labels=["a", "9", "aws-x"])
    assert (r["InvalidLabels"], r["ParameterVersion"]) == (["9", "aws-x"], 1)
    p = get(ssm, name + ":a")
    assert (p["Value"], p["Selector"]) == ("0", ":a")
    ssm.label_parameter_version(Name=name, Labels=["a"])
    assert get(ssm, name + ":a")["Value"] == "2"
    assert [v["Labels"] for v in ssm.get_parameter_history(Name=name)["Parameters"]] == [
        [], [], ["a"]]
    refused("ParameterVersionLabelLimitExceeded", ssm.label_parameter_version, Name=name,
            ParameterVersion=3, Labels=[f"l{i}" for i in range(10)])
    refused("ParameterVersionNotFound", ssm.label_parameter_version, Name=name,
            ParameterVersion=7, Labels=["x"])
    r = ssm.unlabel_parameter_version(Name=name, ParameterVersion=3, Labels=["a", "b"])
    assert (r["RemovedLabels"], r["InvalidLabels"]) == (["a"], ["b"])
    assert "could not find label a for parameter" in refused(
        "ParameterVersionNotFound", ssm.get_parameter, Name=name + ":a")


def test_hundred_versions(ssm, name):
    for i in range(101):
        put(ssm, name, str(i), Overwrite=True)
    refused("ParameterVersionNotFound", ssm.get_parameter, Name=name + ":1")
    pages = list(ssm.get_paginator("get_parameter_history").paginate(Name=name))
    assert [v["Version"] for p in pages for v in p["Parameters"]] == list(range(2, 102))
    ssm.label_parameter_version(Name=name, ParameterVersion=2, Labels=["keep"])
    assert "Version 2, the oldest version, can't be deleted" in refused(
        "ParameterMaxVersionLimitExceeded", put, ssm=ssm, name=name, Overwrite=True)
    assert get(ssm, name)["Version"] == 101


def test_tags(daemon, ssm, name):
    put(ssm, name)
    at = {"ResourceType": "Parameter", "ResourceId": name}
    ssm.add_tags_to_resource(**at, Tags=[{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "1"}])
    ssm.remove_tags_from_resource(**at, TagKeys=["b", "no"])
    rgt = daemon.client("resourcegroupstaggingapi")
    arn = ARN + name[1:]
    assert rgt.tag_resources(ResourceARNList=[arn], Tags={"by": name})["FailedResourcesMap"] == {}
    assert ssm.list_tags_for_resource(**at)["TagList"] == [
        {"Key": "a", "Value": "1"}, {"Key": "by", "Value": name}]
    found = rgt.get_resources(TagFilters=[{"Key": "by", "Values": [name]}])
    assert [r["ResourceARN"] for r in found["ResourceTagMappingList"]] == [arn]
    rgt.untag_resources(ResourceARNList=[arn], TagKeys=["by"])
    assert len(ssm.list_tags_for_resource(**at)["TagList"]) == 1
    refused("InvalidResourceId", ssm.list_tags_for_resource, ResourceType="Parameter",
            ResourceId="no")
    refused("NotImplemented", ssm.list_tags_for_resource, ResourceType="Document", ResourceId="x")
    refused("TooManyTagsError", ssm.add_tags_to_resource, **at,
            Tags=[{"Key": f"k{i}", "Value": "v"} for i in range(50)])


def test_cli(daemon):
    daemon.aws("ssm", "put-parameter", "--name", "/cli/s", "--type", "SecureString",
               "--value", "hush")
    assert daemon.aws("ssm", "get-parameter", "--name", "/cli/s", "--with-decryption", "--query",
                      "Parameter.Value", "--output", "text") == "hush\n"
    assert json.loads(daemon.aws("ssm", "get-parameters-by-path", "--path", "/cli"))[
        "Parameters"][0]["Name"] == "/cli/s"


def test_durable():
    d = Daemon()
    put(d.client("ssm"), "/a", "hush", "SecureString")
    d.kill()
    d.start()
    assert get(d.client("ssm"), "/a", WithDecryption=True)["Value"] == "hush"
    d.stop()
