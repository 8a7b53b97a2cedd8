"""AWS IAM with boto3 and the AWS CLI: entities, their rules, and their keys."""
import datetime
import itertools
import json
import pathlib
import urllib.request

import pytest
from botocore.exceptions import ClientError

import test_sts
from cfn import delete, events, text, wait
from cli import Instance
from conftest import ACCOUNT, Daemon
from stack import ready as stack_ready

serial = itertools.count()
ARN = f"arn:aws:iam::{ACCOUNT}:"
TRUST = {"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"},
    "Action": "sts:AssumeRole"}]}
READ = {"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}
EXECUTION = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
NAMES = {"role": "RoleName", "user": "UserName", "group": "GroupName"}


def refused(call, **args):
    with pytest.raises(ClientError) as e:
        call(**args)
    r = e.value.response
    return r["ResponseMetadata"]["HTTPStatusCode"], r["Error"]["Code"], r["Error"]["Message"]


def name():
    return f"n{next(serial)}"


def make(iam, noun, called=None, **args):
    """A role, user or group; its name's member and value."""
    called = called or name()
    if noun == "role":
        args.setdefault("AssumeRolePolicyDocument", json.dumps(TRUST))
    getattr(iam, "create_" + noun)(**{NAMES[noun]: called}, **args)
    return {NAMES[noun]: called}


@pytest.fixture(scope="module")
def iam(daemon):
    return daemon.client("iam")


@pytest.fixture
def policy(iam):
    return iam.create_policy(PolicyName=name(), PolicyDocument=json.dumps(READ))["Policy"]


def test_role(iam):
    called = name()
    r = iam.create_role(RoleName=called, Path="/a/", AssumeRolePolicyDocument=json.dumps(TRUST),
                        Description="ours", MaxSessionDuration=7200,
                        Tags=[{"Key": "a", "Value": "1"}])["Role"]
    assert r["RoleId"].startswith("AROA") and len(r["RoleId"]) == 21
    assert r["CreateDate"].microsecond == 0
    assert r == {"Path": "/a/", "RoleName": called, "RoleId": r["RoleId"],
                 "Arn": f"{ARN}role/a/{called}", "CreateDate": r["CreateDate"],
                 "AssumeRolePolicyDocument": TRUST, "Description": "ours",
                 "MaxSessionDuration": 7200, "Tags": [{"Key": "a", "Value": "1"}],
                 "RoleLastUsed": {}}
    assert iam.get_role(RoleName=called)["Role"] == r
    iam.get_waiter("role_exists").wait(RoleName=called)
    listed = iam.list_roles(PathPrefix="/a/")["Roles"]
    assert [x for x in listed if x["RoleName"] == called] == [
        {k: v for k, v in r.items() if k not in ("Tags", "RoleLastUsed")}]
    iam.update_role(RoleName=called, Description="", MaxSessionDuration=3600)
    other = {**TRUST, "Statement": [{**TRUST["Statement"][0], "Principal": {"AWS": ACCOUNT}}]}
    iam.update_assume_role_policy(RoleName=called, PolicyDocument=json.dumps(other))
    now = iam.get_role(RoleName=called)["Role"]
    assert now["AssumeRolePolicyDocument"] == other and now["MaxSessionDuration"] == 3600
    iam.delete_role(RoleName=called)
    assert refused(iam.get_role, RoleName=called) == (
        404, "NoSuchEntity", f"The role with name {called} cannot be found.")


@pytest.mark.parametrize("noun", NAMES)
def test_names(iam, noun):
    called = f"Name{next(serial)}"
    make(iam, noun, called)
    create = getattr(iam, "create_" + noun)
    extra = {"AssumeRolePolicyDocument": json.dumps(TRUST)} if noun == "role" else {}
    assert getattr(iam, "get_" + noun)(**{NAMES[noun]: called.lower()})[noun.capitalize()][
        NAMES[noun]] == called
    for same in (called, called.upper()):
        assert refused(create, **{NAMES[noun]: same}, **extra) == (
            409, "EntityAlreadyExists",
            f"{noun.capitalize()} with name {same} already exists.")
    for bad in ({NAMES[noun]: "a b"}, {NAMES[noun]: "x" * 129}, {"Path": "nothing"}):
        assert refused(create, **{NAMES[noun]: name(), **bad}, **extra)[:2] == (
            400, "ValidationError")
    assert refused(getattr(iam, "delete_" + noun), **{NAMES[noun]: "absent"}) == (
        404, "NoSuchEntity", f"The {noun} with name absent cannot be found.")


@pytest.mark.parametrize("noun", NAMES)
def test_inline(iam, noun):
    who = make(iam, noun)
    put, get, drop, names = (getattr(iam, f"{v}_{noun}_{w}") for v, w in (
        ("put", "policy"), ("get", "policy"), ("delete", "policy"), ("list", "policies")))
    put(PolicyName="b", PolicyDocument=json.dumps(READ), **who)
    put(PolicyName="a", PolicyDocument=json.dumps(READ, indent=1), **who)
    assert get(PolicyName="a", **who)["PolicyDocument"] == READ
    assert names(**who)["PolicyNames"] == ["a", "b"]
    page = names(MaxItems=1, **who)
    assert page["IsTruncated"] and page["PolicyNames"] == ["a"]
    assert names(Marker=page["Marker"], **who)["PolicyNames"] == ["b"]
    assert refused(names, Marker="junk", **who)[1] == "ValidationError"
    assert refused(put, PolicyName="x", PolicyDocument=json.dumps(TRUST), **who) == (
        400, "MalformedPolicyDocument", "Policy document should not specify a principal.")
    big = {**READ, "Statement": [{**READ["Statement"][0], "Sid": "x" * 9000}] * 1}
    assert refused(put, PolicyName="c", PolicyDocument=json.dumps(
        {**big, "Id": "y" * 3000}), **who)[:2] == (409, "LimitExceeded")
    assert names(**who)["PolicyNames"] == ["a", "b"]
    assert refused(getattr(iam, "delete_" + noun), **who) == (
        409, "DeleteConflict", "Cannot delete entity, must delete policies first.")
    for p in ("a", "b"):
        drop(PolicyName=p, **who)
    for call in (get, drop):
        assert refused(call, PolicyName="a", **who) == (
            404, "NoSuchEntity", f"The {noun} policy with name a cannot be found.")
    getattr(iam, "delete_" + noun)(**who)


@pytest.mark.parametrize("noun", NAMES)
def test_attach(iam, policy, noun):
    who, arn = make(iam, noun), policy["Arn"]
    attach, detach = getattr(iam, f"attach_{noun}_policy"), getattr(iam, f"detach_{noun}_policy")
    listed = getattr(iam, f"list_attached_{noun}_policies")
    for _ in range(2):
        attach(PolicyArn=arn, **who)
    attach(PolicyArn=EXECUTION, **who)
    assert {p["PolicyArn"] for p in listed(**who)["AttachedPolicies"]} == {arn, EXECUTION}
    assert listed(PathPrefix="/service-role/", **who)["AttachedPolicies"] == [
        {"PolicyName": EXECUTION.split("/")[-1], "PolicyArn": EXECUTION}]
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    entities = iam.list_entities_for_policy(PolicyArn=arn)
    assert [e[NAMES[noun]] for e in entities[f"Policy{noun.capitalize()}s"]] == list(who.values())
    for bad in ("arn:aws:iam::aws:policy/NotOneOfThem", f"{ARN}policy/absent"):
        assert refused(attach, PolicyArn=bad, **who) == (
            404, "NoSuchEntity", f"Policy {bad} does not exist or is not attachable.")
    assert refused(iam.delete_policy, PolicyArn=arn) == (
        409, "DeleteConflict", "Cannot delete a policy attached to entities.")
    assert refused(getattr(iam, "delete_" + noun), **who) == (
        409, "DeleteConflict", "Cannot delete entity, must detach all policies first.")
    more = [iam.create_policy(PolicyName=name(), PolicyDocument=json.dumps(READ))["Policy"]["Arn"]
            for _ in range(9)]
    for p in more[:8]:
        attach(PolicyArn=p, **who)
    assert refused(attach, PolicyArn=more[8], **who) == (
        409, "LimitExceeded", f"Cannot exceed quota for PoliciesPer{noun.capitalize()}: 10")
    for p in [arn, EXECUTION, *more[:8]]:
        detach(PolicyArn=p, **who)
    assert refused(detach, PolicyArn=arn, **who) == (
        404, "NoSuchEntity", f"Policy {arn} was not found.")
    getattr(iam, "delete_" + noun)(**who)
    iam.delete_policy(PolicyArn=arn)


def test_policy(iam):
    called = name()
    p = iam.create_policy(PolicyName=called, Path="/x/", Description="d",
                          PolicyDocument=json.dumps(READ),
                          Tags=[{"Key": "k", "Value": "v"}])["Policy"]
    arn = p["Arn"]
    assert arn == f"{ARN}policy/x/{called}" and p["PolicyId"].startswith("ANPA")
    assert (p["DefaultVersionId"], p["AttachmentCount"], p["IsAttachable"], p["Tags"]) == (
        "v1", 0, True, [{"Key": "k", "Value": "v"}])
    assert iam.get_policy(PolicyArn=arn)["Policy"] == p
    iam.get_waiter("policy_exists").wait(PolicyArn=arn)
    assert refused(iam.create_policy, PolicyName=called, PolicyDocument=json.dumps(READ)) == (
        409, "EntityAlreadyExists",
        f"A policy called {called} already exists. Duplicate names are not allowed.")
    for n in range(2, 6):
        v = iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(READ),
                                      SetAsDefault=n == 3)["PolicyVersion"]
        assert (v["VersionId"], v["IsDefaultVersion"]) == (f"v{n}", n == 3)
    assert refused(iam.create_policy_version, PolicyArn=arn, PolicyDocument=json.dumps(READ)) == (
        409, "LimitExceeded", "A managed policy can have up to 5 versions. Before you create a "
        "new version, you must delete an existing version.")
    assert [v["VersionId"] for v in iam.list_policy_versions(PolicyArn=arn)["Versions"]] == [
        "v5", "v4", "v3", "v2", "v1"]
    assert iam.get_policy_version(PolicyArn=arn, VersionId="v3")["PolicyVersion"]["Document"] == READ
    assert refused(iam.delete_policy_version, PolicyArn=arn, VersionId="v3") == (
        409, "DeleteConflict", "Cannot delete the default version of a policy.")
    assert refused(iam.delete_policy, PolicyArn=arn)[1] == "DeleteConflict"
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v5")
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v5"
    for n in range(1, 5):
        iam.delete_policy_version(PolicyArn=arn, VersionId=f"v{n}")
    v = iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(READ))["PolicyVersion"]
    assert v["VersionId"] == "v6"
    for call in (iam.get_policy_version, iam.delete_policy_version,
                 iam.set_default_policy_version):
        assert refused(call, PolicyArn=arn, VersionId="v1") == (
            404, "NoSuchEntity",
            f"Policy {arn} version v1 does not exist or is not attachable.")
    iam.delete_policy_version(PolicyArn=arn, VersionId="v6")
    iam.delete_policy(PolicyArn=arn)
    assert refused(iam.get_policy, PolicyArn=arn) == (
        404, "NoSuchEntity", f"Policy {arn} was not found.")


@pytest.mark.parametrize("document,why", [
    ("{", "Syntax errors in policy."),
    ({**READ, "Version": "2008-10-17"}, "Policy document must be version 2012-10-17 or greater."),
    ({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*"}]},
     "Policy statement must contain resources."),
    (TRUST, "Policy document should not specify a principal."),
])
def test_malformed(iam, document, why):
    document = document if isinstance(document, str) else json.dumps(document)
    assert refused(iam.create_policy, PolicyName=name(), PolicyDocument=document) == (
        400, "MalformedPolicyDocument", why)


def test_too_large(iam):
    s = {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::" + "x" * 6100}
    assert refused(iam.create_policy, PolicyName=name(), PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": s})) == (
        409, "LimitExceeded", "Cannot exceed quota for PolicySize: 6144")
    trust = {**TRUST["Statement"][0], "Condition": {"StringEquals": {"aws:x": "y" * 2048}}}
    assert refused(iam.create_role, RoleName=name(), AssumeRolePolicyDocument=json.dumps(
        {**TRUST, "Statement": trust})) == (
        409, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048")


def test_trust_names_who_is_there(iam):
    def role(principal):
        return {"RoleName": name(), "AssumeRolePolicyDocument": json.dumps(
            {**TRUST, "Statement": [{**TRUST["Statement"][0], "Principal": principal}]})}
    for arn in (f"{ARN}role/absent", f"{ARN}user/absent"):
        assert refused(iam.create_role, **role({"AWS": arn})) == (
            400, "MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{arn}"')
    made = iam.create_role(**role({"AWS": ["999999999999", f"{ARN}root"]}))["Role"]
    iam.create_role(**role({"AWS": made["Arn"]}))


def test_aws_policies(iam):
    listed = {p["Arn"]: p for page in iam.get_paginator("list_policies").paginate(Scope="AWS")
              for p in page["Policies"]}
    for path in """AdministratorAccess PowerUserAccess ReadOnlyAccess AmazonSSMReadOnlyAccess
            AmazonS3ReadOnlyAccess AmazonEC2ContainerRegistryReadOnly CloudWatchLogsFullAccess
            AmazonEC2ContainerRegistryPowerUser CloudWatchAgentServerPolicy AmazonECS_FullAccess
            AWSCloudFormationFullAccess service-role/AWSLambdaBasicExecutionRole
            service-role/AWSLambdaVPCAccessExecutionRole IAMFullAccess
            service-role/AmazonECSTaskExecutionRolePolicy
            service-role/AmazonEC2ContainerServiceAutoscaleRole
            aws-service-role/AWSApplicationAutoscalingECSServicePolicy""".split():
        assert f"arn:aws:iam::aws:policy/{path}" in listed
    assert len({p["PolicyId"] for p in listed.values()}) == len(listed)
    for arn, p in listed.items():
        v = iam.get_policy_version(PolicyArn=arn, VersionId=p["DefaultVersionId"])
        document = json.dumps(v["PolicyVersion"]["Document"])
        if len(document) < 6144:  # AWS's own may be larger
            iam.delete_policy(PolicyArn=iam.create_policy(
                PolicyName=name(), PolicyDocument=document)["Policy"]["Arn"])
        assert iam.get_policy(PolicyArn=arn)["Policy"]["Arn"] == arn
    arn = EXECUTION
    assert set(iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"][
        "Statement"][0]["Action"]) == {
        "ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability",
        "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage", "logs:CreateLogStream",
        "logs:PutLogEvents"}
    assert refused(iam.delete_policy, PolicyArn=arn)[:2] == (403, "AccessDenied")
    assert not [p for p in iam.list_policies(Scope="Local")["Policies"] if ":aws:policy" in p["Arn"]]


def test_boundary(iam, policy):
    who = make(iam, "role", PermissionsBoundary=policy["Arn"])
    b = iam.get_role(**who)["Role"]["PermissionsBoundary"]
    assert b == {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": policy["Arn"]}
    assert iam.get_policy(PolicyArn=policy["Arn"])["Policy"]["PermissionsBoundaryUsageCount"] == 1
    assert iam.list_entities_for_policy(PolicyArn=policy["Arn"], PolicyUsageFilter=(
        "PermissionsBoundary"))["PolicyRoles"][0]["RoleName"] == who["RoleName"]
    assert refused(iam.delete_policy, PolicyArn=policy["Arn"])[1] == "DeleteConflict"
    iam.put_role_permissions_boundary(PermissionsBoundary=EXECUTION, **who)
    iam.delete_role_permissions_boundary(**who)
    assert refused(iam.delete_role_permissions_boundary, **who)[1] == "NoSuchEntity"
    assert "PermissionsBoundary" not in iam.get_role(**who)["Role"]
    iam.delete_policy(PolicyArn=policy["Arn"])


def test_service_linked(iam):
    r = iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")["Role"]
    assert r["Arn"] == f"{ARN}role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
    assert refused(iam.create_service_linked_role, AWSServiceName="ecs.amazonaws.com") == (
        400, "InvalidInput", "Service role name AWSServiceRoleForECS has been taken in this "
        "account, please try a different suffix.")
    for call, args in ((iam.delete_role, {}), (iam.detach_role_policy, {
            "PolicyArn": EXECUTION}), (iam.put_role_policy, {
                "PolicyName": "x", "PolicyDocument": json.dumps(READ)})):
        assert refused(call, RoleName=r["RoleName"], **args) == (
            400, "UnmodifiableEntity", "Cannot perform the operation on the protected role "
            "'AWSServiceRoleForECS' - this role is only modifiable by AWS")
    iam.update_role(RoleName=r["RoleName"], Description="other")
    assert iam.get_role(RoleName=r["RoleName"])["Role"]["Description"] == "other"
    for call, args in ((iam.update_role, {"MaxSessionDuration": 7200}), (
            iam.add_role_to_instance_profile, {"InstanceProfileName": iam.create_instance_profile(
                InstanceProfileName=name())["InstanceProfile"]["InstanceProfileName"]})):
        assert refused(call, RoleName=r["RoleName"], **args)[1] == "UnmodifiableEntity"
    attached = iam.list_attached_role_policies(RoleName=r["RoleName"])["AttachedPolicies"]
    assert refused(iam.attach_role_policy, PolicyArn=attached[0]["PolicyArn"],
                   **make(iam, "role")) == (
        400, "PolicyNotAttachable",
        "Cannot attach a Service Role Policy to a Customer Role.")
    task = iam.delete_service_linked_role(RoleName=r["RoleName"])["DeletionTaskId"]
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"
    assert refused(iam.get_role, RoleName=r["RoleName"])[1] == "NoSuchEntity"
    assert refused(iam.get_service_linked_role_deletion_status,
                   DeletionTaskId="task/x")[1] == "NoSuchEntity"
    assert refused(iam.create_service_linked_role,
                   AWSServiceName="batch.amazonaws.com")[:2] == (501, "NotImplemented")


def test_provider(iam):
    url = f"https://issuer{next(serial)}.example/path"
    arn = iam.create_open_id_connect_provider(
        Url=url, ClientIDList=["a"], ThumbprintList=["0" * 40],
        Tags=[{"Key": "k", "Value": "v"}])["OpenIDConnectProviderArn"]
    assert arn == f"{ARN}oidc-provider/{url[8:]}"
    p = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert (p["Url"], p["ClientIDList"], p["ThumbprintList"], p["Tags"]) == (
        url[8:], ["a"], ["0" * 40], [{"Key": "k", "Value": "v"}])
    assert refused(iam.create_open_id_connect_provider, Url=url, ThumbprintList=[]) == (
        409, "EntityAlreadyExists", f"Provider with url {url} already exists.")
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="b")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="a")
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn,
                                                   ThumbprintList=["f" * 40])
    p = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert (p["ClientIDList"], p["ThumbprintList"]) == (["b"], ["f" * 40])
    assert {"Arn": arn} in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    iam.untag_open_id_connect_provider(OpenIDConnectProviderArn=arn, TagKeys=["K"])
    assert not iam.list_open_id_connect_provider_tags(OpenIDConnectProviderArn=arn)["Tags"]
    for _ in range(2):
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert refused(iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn) == (
        404, "NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}")
    assert refused(iam.create_open_id_connect_provider, Url="http://issuer.example",
                   ThumbprintList=[])[1] == "ValidationError"


def test_tags(iam):
    who = make(iam, "role")
    iam.tag_role(Tags=[{"Key": "A", "Value": "1"}, {"Key": "b", "Value": ""}], **who)
    iam.tag_role(Tags=[{"Key": "a", "Value": "2"}], **who)
    assert iam.list_role_tags(**who)["Tags"] == [
        {"Key": "a", "Value": "2"}, {"Key": "b", "Value": ""}]
    iam.untag_role(TagKeys=["B"], **who)
    assert iam.get_role(**who)["Role"]["Tags"] == [{"Key": "a", "Value": "2"}]
    assert refused(iam.tag_role, Tags=[{"Key": "x", "Value": ""}, {"Key": "X", "Value": ""}],
                   **who)[:2] == (400, "InvalidInput")
    assert refused(iam.tag_role, Tags=[{"Key": "aws:x", "Value": ""}], **who)[1] == "InvalidInput"
    assert refused(iam.tag_role, Tags=[{"Key": f"k{i}", "Value": ""} for i in range(50)],
                   **who)[1] == "LimitExceeded"
    assert len(iam.list_role_tags(**who)["Tags"]) == 1


def test_tagging_api(daemon, iam, policy):
    """GetResources tells of what AWS's does: not of roles and users."""
    api, key = daemon.client("resourcegroupstaggingapi"), f"key{next(serial)}"
    profile = iam.create_instance_profile(InstanceProfileName=name(), Path="/x/")
    provider = iam.create_open_id_connect_provider(
        Url=f"https://{name()}.example/a/b", ThumbprintList=[])["OpenIDConnectProviderArn"]
    arns = [policy["Arn"], profile["InstanceProfile"]["Arn"], provider]
    assert api.tag_resources(ResourceARNList=arns, Tags={key: "v"})["FailedResourcesMap"] == {}
    make(iam, "role", Tags=[{"Key": key, "Value": "v"}])
    found = api.get_resources(TagFilters=[{"Key": key}])["ResourceTagMappingList"]
    assert sorted(r["ResourceARN"] for r in found) == sorted(arns)
    assert iam.list_policy_tags(PolicyArn=policy["Arn"])["Tags"] == [{"Key": key, "Value": "v"}]
    assert api.untag_resources(ResourceARNList=arns, TagKeys=[key])["FailedResourcesMap"] == {}
    assert not api.get_resources(TagFilters=[{"Key": key}])["ResourceTagMappingList"]
    role = f"{ARN}role/{make(iam, 'role')['RoleName']}"
    failed = api.tag_resources(ResourceARNList=[role], Tags={key: "v"})["FailedResourcesMap"]
    assert failed[role]["ErrorCode"] == "InternalServiceException"


def test_pages(iam):
    for n in range(5):
        make(iam, "role", f"page{4 - n}", Path="/pages/")
    pages = [[r["RoleName"] for r in p["Roles"]] for p in iam.get_paginator("list_roles").paginate(
        PathPrefix="/pages/", PaginationConfig={"PageSize": 2})]
    assert pages == [["page0", "page1"], ["page2", "page3"], ["page4"]]


@pytest.mark.parametrize("op,args", [
    ("create_login_profile", {"UserName": "x", "Password": "secret"}),
    ("create_virtual_mfa_device", {"VirtualMFADeviceName": "x"}),
    ("create_saml_provider", {"Name": "x", "SAMLMetadataDocument": "x" * 1000}),
    ("upload_server_certificate", {"ServerCertificateName": "x", "CertificateBody": "x",
                                   "PrivateKey": "x"}),
])
def test_not_implemented(iam, op, args):
    assert refused(getattr(iam, op), **args)[:2] == (501, "NotImplemented")


# Users, groups, keys

@pytest.fixture
def user(iam):
    return make(iam, "user")["UserName"]


def test_user(iam, policy):
    called = name()
    u = iam.create_user(UserName=called, Path="/x/", PermissionsBoundary=policy["Arn"],
                        Tags=[{"Key": "k", "Value": "v"}])["User"]
    assert u["UserId"].startswith("AIDA") and u["Arn"] == f"{ARN}user/x/{called}"
    assert u["PermissionsBoundary"]["PermissionsBoundaryArn"] == policy["Arn"]
    assert iam.get_user(UserName=called)["User"] == u
    iam.get_waiter("user_exists").wait(UserName=called)
    assert [x["UserName"] for x in iam.list_users(PathPrefix="/x/")["Users"]] == [called]
    assert iam.get_user()["User"]["Arn"] == f"{ARN}root"


def test_rename(daemon, iam, user):
    """Under another name it is the same one: its id, groups, tags and keys stay."""
    group, other = make(iam, "group")["GroupName"], name()
    iam.add_user_to_group(GroupName=group, UserName=user)
    iam.tag_user(UserName=user, Tags=[{"Key": "k", "Value": "v"}])
    key = iam.create_access_key(UserName=user)["AccessKey"]
    was = iam.get_user(UserName=user)["User"]
    taken = make(iam, "user")["UserName"]
    assert refused(iam.update_user, UserName=user, NewUserName=taken.upper())[1] == (
        "EntityAlreadyExists")
    iam.update_user(UserName=user, NewUserName=other, NewPath="/new/")
    iam.update_group(GroupName=group, NewGroupName=group + "-b", NewPath="/g/")
    now = iam.get_user(UserName=other)["User"]
    assert now == {**was, "UserName": other, "Path": "/new/", "Arn": f"{ARN}user/new/{other}"}
    assert refused(iam.get_user, UserName=user)[1] == "NoSuchEntity"
    assert [g["GroupName"] for g in iam.list_groups_for_user(UserName=other)["Groups"]] == [
        group + "-b"]
    assert iam.list_access_keys(UserName=other)["AccessKeyMetadata"][0]["UserName"] == other
    mine = daemon.client("sts", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    assert mine.get_caller_identity()["Arn"] == now["Arn"]
    iam.update_user(UserName=other, NewUserName=other.upper())


def test_group(iam, user):
    group = make(iam, "group")["GroupName"]
    for _ in range(2):
        iam.add_user_to_group(GroupName=group, UserName=user)
    assert [u["UserName"] for u in iam.get_group(GroupName=group)["Users"]] == [user]
    for call, args in ((iam.delete_group, {"GroupName": group}),
                       (iam.delete_user, {"UserName": user})):
        assert refused(call, **args) == (409, "DeleteConflict", "Cannot delete entity, must "
                                         "remove users from group first.")
    for bad in ({"GroupName": "absent", "UserName": user},
                {"GroupName": group, "UserName": "absent"}):
        assert refused(iam.add_user_to_group, **bad)[1] == "NoSuchEntity"
    for n in range(9):
        iam.add_user_to_group(GroupName=make(iam, "group")["GroupName"], UserName=user)
    assert refused(iam.add_user_to_group, GroupName=make(iam, "group")["GroupName"],
                   UserName=user) == (409, "LimitExceeded",
                                      "Cannot exceed quota for GroupsPerUser: 10")
    iam.remove_user_from_group(GroupName=group, UserName=user)
    iam.delete_group(GroupName=group)


def test_keys(daemon, iam, user):
    key = iam.create_access_key(UserName=user)["AccessKey"]
    assert key["AccessKeyId"].startswith("AKIA") and len(key["AccessKeyId"]) == 20
    assert len(key["SecretAccessKey"]) == 40 and key["Status"] == "Active"
    pair = {"key": key["AccessKeyId"], "secret": key["SecretAccessKey"]}
    at = {"UserName": user, "AccessKeyId": pair["key"]}
    used = iam.get_access_key_last_used(AccessKeyId=pair["key"])
    assert used["UserName"] == user
    assert (used["AccessKeyLastUsed"]["ServiceName"], used["AccessKeyLastUsed"]["Region"]) == (
        "N/A", "N/A")
    mine = {s: daemon.client(s, **pair) for s in ("sts", "s3", "ecs", "iam", "ec2", "ssm")}
    who = mine["sts"].get_caller_identity()
    assert who["Arn"] == f"{ARN}user/{user}" and who["UserId"].startswith("AIDA")
    mine["s3"].create_bucket(Bucket=f"of-{user}")
    mine["s3"].put_object(Bucket=f"of-{user}", Key="k", Body=b"x" * 100000)
    assert mine["ecs"].list_clusters()["clusterArns"] is not None
    assert mine["ec2"].describe_vpcs()["Vpcs"] and not mine["ssm"].describe_parameters()[
        "Parameters"]
    # Without a name, the caller is meant.
    assert mine["iam"].get_user()["User"]["UserName"] == user
    assert mine["iam"].list_access_keys()["AccessKeyMetadata"][0]["AccessKeyId"] == pair["key"]
    used = iam.get_access_key_last_used(AccessKeyId=pair["key"])["AccessKeyLastUsed"]
    assert (used["ServiceName"], used["Region"]) == ("sts", "us-east-1")
    age = datetime.datetime.now(datetime.timezone.utc) - used["LastUsedDate"]
    assert 0 <= age.total_seconds() < 20
    listed = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
    assert listed == [{"UserName": user, "AccessKeyId": pair["key"], "Status": "Active",
                       "CreateDate": key["CreateDate"]}]
    iam.create_access_key(UserName=user)
    assert refused(iam.create_access_key, UserName=user) == (
        409, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
    assert refused(iam.delete_user, UserName=user) == (
        409, "DeleteConflict", "Cannot delete entity, must delete access keys first.")
    iam.update_access_key(Status="Inactive", **at)
    for service, op, code in (("sts", "get_caller_identity", (403, "InvalidClientTokenId")),
                              ("ecs", "list_clusters", (400, "UnrecognizedClientException")),
                              ("ec2", "describe_vpcs", (401, "AuthFailure")),
                              ("s3", "list_buckets", (403, "InvalidAccessKeyId"))):
        assert refused(getattr(mine[service], op))[:2] == code
    iam.update_access_key(Status="Active", **at)
    mine["sts"].get_caller_identity()
    assert refused(daemon.client("sts", key=pair["key"], secret="x").get_caller_identity)[1] == (
        "SignatureDoesNotMatch")
    iam.delete_access_key(**at)
    assert refused(mine["sts"].get_caller_identity)[1] == "InvalidClientTokenId"
    assert refused(iam.delete_access_key, **at) == (
        404, "NoSuchEntity", f"The Access Key with id {pair['key']} cannot be found.")
    other = make(iam, "user")["UserName"]
    theirs = iam.list_access_keys(UserName=user)["AccessKeyMetadata"][0]["AccessKeyId"]
    assert refused(iam.delete_access_key, UserName=other, AccessKeyId=theirs)[1] == "NoSuchEntity"


def test_session_of_a_user(daemon, iam, user):
    key = iam.create_access_key(UserName=user)["AccessKey"]
    mine = daemon.client("sts", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    c = mine.get_session_token(DurationSeconds=900)["Credentials"]
    temporary = test_sts.session(daemon, "sts", c)
    assert temporary.get_caller_identity()["Arn"] == f"{ARN}user/{user}"
    # A role that trusts this user alone.
    role = iam.create_role(RoleName=name(), AssumeRolePolicyDocument=json.dumps({
        **TRUST, "Statement": [{**TRUST["Statement"][0],
                                "Principal": {"AWS": f"{ARN}user/{user}"}}]}))["Role"]
    for sts, fine in ((mine, True), (temporary, True), (daemon.client("sts"), False)):
        if fine:
            sts.assume_role(RoleArn=role["Arn"], RoleSessionName="me")
        else:
            assert refused(sts.assume_role, RoleArn=role["Arn"], RoleSessionName="me")[0] == 403
    iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=user)
    assert refused(temporary.get_caller_identity)[1] == "InvalidClientTokenId"


def test_kill():
    """What was told of a key is kept, and nowhere in the clear."""
    d = Daemon()
    iam = d.client("iam")
    iam.create_user(UserName="ann")
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    d.kill()
    d.start()
    mine = d.client("sts", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    assert mine.get_caller_identity()["Arn"] == f"{ARN}user/ann"
    role = d.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps({
        **TRUST, "Statement": [{**TRUST["Statement"][0], "Principal": {"AWS": ACCOUNT}}]}))
    c = mine.assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName="me")["Credentials"]
    secrets = [key["SecretAccessKey"], c["SecretAccessKey"], c["SessionToken"]]
    log = d.read_log()
    d.process.terminate()
    d.process.wait(timeout=20)
    kept = b"".join(p.read_bytes() for p in pathlib.Path(d.state).rglob("*") if p.is_file())
    for s in secrets:
        assert s not in log and s.encode() not in kept
    d.start()
    d.stop()


@pytest.mark.skipif(not stack_ready, reason="root and crun")
def test_dump():
    i = Instance()
    try:
        iam = i.client("iam")
        iam.create_user(UserName="ann")
        key = iam.create_access_key(UserName="ann")["AccessKey"]
        text = i("dump").stdout
        assert key["AccessKeyId"] in text and '"ann"' in text
        assert key["SecretAccessKey"] not in text and "Sealed" not in text
    finally:
        i.down()


def test_reset():
    d = Daemon("--ephemeral")
    iam = d.client("iam")
    iam.create_user(UserName="ann")
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    mine = d.client("sts", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    mine.get_caller_identity()
    urllib.request.urlopen(d.endpoint + "/_neargate/reset", data=b"").read()
    assert refused(mine.get_caller_identity)[:2] == (403, "InvalidClientTokenId")
    d.stop()


def test_profile(iam):
    called = name()
    p = iam.create_instance_profile(InstanceProfileName=called, Path="/p/",
                                    Tags=[{"Key": "k", "Value": "v"}])["InstanceProfile"]
    assert p["Arn"] == f"{ARN}instance-profile/p/{called}" and p["Roles"] == []
    assert p["InstanceProfileId"].startswith("AIPA") and p["Tags"]
    role = make(iam, "role")["RoleName"]
    at = {"InstanceProfileName": called, "RoleName": role}
    iam.add_role_to_instance_profile(**at)
    iam.get_waiter("instance_profile_exists").wait(InstanceProfileName=called)
    got = iam.get_instance_profile(InstanceProfileName=called)["InstanceProfile"]
    assert [r["RoleName"] for r in got["Roles"]] == [role]
    listed = iam.list_instance_profiles_for_role(RoleName=role)["InstanceProfiles"]
    assert [x["InstanceProfileName"] for x in listed] == [called]
    assert refused(iam.add_role_to_instance_profile, **at) == (
        409, "LimitExceeded",
        "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
    for call, args in ((iam.delete_role, {"RoleName": role}),
                       (iam.delete_instance_profile, {"InstanceProfileName": called})):
        assert refused(call, **args) == (409, "DeleteConflict", "Cannot delete entity, must "
                                         "remove roles from instance profile first.")
    iam.remove_role_from_instance_profile(**at)
    assert refused(iam.remove_role_from_instance_profile, **at)[1] == "NoSuchEntity"
    iam.delete_instance_profile(InstanceProfileName=called)
    assert refused(iam.get_instance_profile, InstanceProfileName=called) == (
        404, "NoSuchEntity", f"Instance Profile {called} cannot be found.")


def test_account(iam, policy):
    before = iam.get_account_summary()["SummaryMap"]
    role, user, group = (make(iam, n) for n in NAMES)
    iam.add_user_to_group(**user, **group)
    iam.put_user_policy(PolicyName="p", PolicyDocument=json.dumps(READ), **user)
    iam.attach_role_policy(PolicyArn=policy["Arn"], **role)
    after = iam.get_account_summary()["SummaryMap"]
    for k in ("Roles", "Users", "Groups"):
        assert after[k] == before[k] + 1
    assert after["PolicyVersionsInUse"] >= 1 and after["RolesQuota"] == 1000

    def details(**args):
        pages = iam.get_paginator("get_account_authorization_details").paginate(
            PaginationConfig={"PageSize": 7}, **args)
        all = {}
        for page in pages:
            for k in ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"):
                all.setdefault(k, []).extend(page.get(k, []))
        return all
    d = details(Filter=["User", "Role", "Group", "LocalManagedPolicy"])
    u = next(x for x in d["UserDetailList"] if x["UserName"] == user["UserName"])
    assert u["GroupList"] == [group["GroupName"]]
    assert u["UserPolicyList"] == [{"PolicyName": "p", "PolicyDocument": READ}]
    r = next(x for x in d["RoleDetailList"] if x["RoleName"] == role["RoleName"])
    assert r["AssumeRolePolicyDocument"] == TRUST and r["InstanceProfileList"] == []
    assert r["AttachedManagedPolicies"] == [{"PolicyName": policy["PolicyName"],
                                             "PolicyArn": policy["Arn"]}]
    p = next(x for x in d["Policies"] if x["Arn"] == policy["Arn"])
    assert p["PolicyVersionList"][0]["Document"] == READ
    only = details(Filter=["AWSManagedPolicy"])
    assert not only["UserDetailList"] and EXECUTION in [x["Arn"] for x in only["Policies"]]


def test_cli(daemon):
    assert json.loads(daemon.aws("iam", "create-role", "--role-name", "cli",
                                 "--assume-role-policy-document", json.dumps(TRUST)))[
        "Role"]["AssumeRolePolicyDocument"] == TRUST
    daemon.aws("iam", "wait", "role-exists", "--role-name", "cli")
    daemon.aws("iam", "attach-role-policy", "--role-name", "cli", "--policy-arn", EXECUTION)
    assert "AmazonECSTaskExecutionRolePolicy" in daemon.aws(
        "iam", "list-attached-role-policies", "--role-name", "cli", "--output", "text")


# CloudFormation

ROLE = {"Type": "AWS::IAM::Role", "Properties": {
    "AssumeRolePolicyDocument": TRUST, "Description": "first", "ManagedPolicyArns": [EXECUTION],
    "Policies": [{"PolicyName": "a", "PolicyDocument": READ}],
    "Tags": [{"Key": "own", "Value": "1"}]}}


def stack(cfn, called, resources, verb="create", **args):
    args.setdefault("Capabilities", ["CAPABILITY_NAMED_IAM"])
    getattr(cfn, verb + "_stack")(StackName=called, TemplateBody=text(
        {"Resources": resources, **args.pop("more", {})}), **args)
    return wait(cfn, called)


def resources(cfn, called):
    return {r["LogicalResourceId"]: r["PhysicalResourceId"]
            for r in cfn.describe_stack_resources(StackName=called)["StackResources"]}


def test_stack_role(client, iam):
    cfn = client("cloudformation")
    policy = {"Type": "AWS::IAM::Policy", "Properties": {
        "PolicyName": "inline", "PolicyDocument": READ, "Roles": [{"Ref": "Role"}]}}
    managed = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {
        "PolicyDocument": READ, "Roles": [{"Ref": "Role"}]}}
    s = stack(cfn, "roles", {"Role": ROLE, "Inline": policy, "Managed": managed}, more={
        "Outputs": {k: {"Value": {"Fn::GetAtt": ["Role", k]}} for k in ("Arn", "RoleId")}})
    assert s["StackStatus"] == "CREATE_COMPLETE", events(cfn, "roles")
    made = resources(cfn, "roles")
    role = iam.get_role(RoleName=made["Role"])["Role"]
    assert made["Role"].startswith("roles-Role-")
    assert {o["OutputKey"]: o["OutputValue"] for o in s["Outputs"]} == {
        "Arn": role["Arn"], "RoleId": role["RoleId"]}
    assert iam.list_role_policies(RoleName=made["Role"])["PolicyNames"] == ["a", "inline"]
    assert {p["PolicyArn"] for p in iam.list_attached_role_policies(
        RoleName=made["Role"])["AttachedPolicies"]} == {EXECUTION, made["Managed"]}
    # In place: trust, text, lists, tags; more versions than a policy may have.
    other = {**TRUST, "Statement": [{**TRUST["Statement"][0], "Principal": {"AWS": ACCOUNT}}]}
    for n in range(6):
        changed = json.loads(json.dumps({"Role": ROLE, "Inline": policy, "Managed": managed}))
        changed["Role"]["Properties"].update(
            AssumeRolePolicyDocument=other, Description=f"d{n}", MaxSessionDuration=7200,
            ManagedPolicyArns=["arn:aws:iam::aws:policy/ReadOnlyAccess"],
            Policies=[{"PolicyName": "b", "PolicyDocument": READ}],
            PermissionsBoundary="arn:aws:iam::aws:policy/PowerUserAccess",
            Tags=[{"Key": "own", "Value": "2"}])
        write = {**READ, "Statement": [{**READ["Statement"][0], "Action": f"s3:Put{n}"}]}
        changed["Managed"]["Properties"]["PolicyDocument"] = write
        changed["Inline"]["Properties"]["PolicyDocument"] = write
        s = stack(cfn, "roles", changed, "update")
        assert s["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "roles")
    assert resources(cfn, "roles") == made
    now = iam.get_role(RoleName=made["Role"])["Role"]
    assert now["RoleId"] == role["RoleId"] and now["AssumeRolePolicyDocument"] == other
    assert (now["Description"], now["MaxSessionDuration"]) == ("d5", 7200)
    assert now["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith("PowerUserAccess")
    assert {"Key": "own", "Value": "2"} in now["Tags"]
    assert iam.list_role_policies(RoleName=made["Role"])["PolicyNames"] == ["b", "inline"]
    assert iam.get_role_policy(RoleName=made["Role"], PolicyName="inline")["PolicyDocument"] == write
    assert {p["PolicyArn"] for p in iam.list_attached_role_policies(
        RoleName=made["Role"])["AttachedPolicies"]} == {
        "arn:aws:iam::aws:policy/ReadOnlyAccess", made["Managed"]}
    p = iam.get_policy(PolicyArn=made["Managed"])["Policy"]
    assert iam.get_policy_version(PolicyArn=made["Managed"], VersionId=p["DefaultVersionId"])[
        "PolicyVersion"]["Document"] == write
    # And back.
    s = stack(cfn, "roles", {"Role": ROLE}, "update")
    assert s["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "roles")
    now = iam.get_role(RoleName=made["Role"])["Role"]
    assert "PermissionsBoundary" not in now and now["MaxSessionDuration"] == 3600
    assert iam.list_role_policies(RoleName=made["Role"])["PolicyNames"] == ["a"]
    assert refused(iam.get_policy, PolicyArn=made["Managed"])[1] == "NoSuchEntity"
    delete(cfn, s)
    assert refused(iam.get_role, RoleName=made["Role"])[1] == "NoSuchEntity"


def test_stack_capabilities(client):
    cfn = client("cloudformation")
    named = {"Role": {**ROLE, "Properties": {**ROLE["Properties"], "RoleName": "named"}}}
    for r, given, wanted in ((named, ["CAPABILITY_IAM"], "CAPABILITY_NAMED_IAM"),
                             ({"Role": ROLE}, [], "CAPABILITY_IAM")):
        assert refused(cfn.create_stack, StackName="caps", TemplateBody=text({"Resources": r}),
                       Capabilities=given) == (
            400, "InsufficientCapabilitiesException", f"Requires capabilities : [{wanted}]")


def test_stack_failure_leaves_nothing(client, iam):
    cfn = client("cloudformation")
    bad = json.loads(json.dumps(ROLE))
    bad["Properties"]["ManagedPolicyArns"].append(f"{ARN}policy/absent")
    bad["Properties"]["RoleName"] = "half-made"
    s = stack(cfn, "half", {"Role": bad})
    assert s["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any("does not exist or is not attachable" in e[2] for e in events(cfn, "half"))
    assert refused(iam.get_role, RoleName="half-made")[1] == "NoSuchEntity"


def test_stack_users(client, iam):
    """Users, groups, keys, profiles and providers of one stack, made and changed."""
    cfn = client("cloudformation")
    called = name()

    def template(status, users, policies, path="/a/", other="Other"):
        return {
            "Group": {"Type": "AWS::IAM::Group", "Properties": {
                "ManagedPolicyArns": policies, "Path": path}},
            "Other": {"Type": "AWS::IAM::Group"},
            "User": {"Type": "AWS::IAM::User", "Properties": {
                "UserName": called, "Path": path, "Groups": [{"Ref": "Group"}],
                "Policies": [{"PolicyName": "p", "PolicyDocument": READ}],
                "PermissionsBoundary": EXECUTION}},
            "Second": {"Type": "AWS::IAM::User"},
            "Addition": {"Type": "AWS::IAM::UserToGroupAddition", "Properties": {
                "GroupName": {"Ref": other}, "Users": [{"Ref": u} for u in users]}},
            "Third": {"Type": "AWS::IAM::Group"},
            "Key": {"Type": "AWS::IAM::AccessKey", "Properties": {
                "UserName": {"Ref": "User"}, "Status": status}},
            "Role": ROLE,
            "Profile": {"Type": "AWS::IAM::InstanceProfile", "Properties": {
                "Roles": [{"Ref": "Role"}]}},
            "RolePolicy": {"Type": "AWS::IAM::RolePolicy", "Properties": {
                "RoleName": {"Ref": "Role"}, "PolicyName": "apart", "PolicyDocument": READ}},
            "Provider": {"Type": "AWS::IAM::OIDCProvider", "Properties": {
                "Url": f"https://{called}.example", "ClientIdList": [status]}},
            "Linked": {"Type": "AWS::IAM::ServiceLinkedRole", "Properties": {
                "AWSServiceName": "elasticloadbalancing.amazonaws.com"}}}
    more = {"Outputs": {"Secret": {"Value": {"Fn::GetAtt": ["Key", "SecretAccessKey"]}},
                        "User": {"Value": {"Fn::GetAtt": ["User", "Arn"]}}}}
    s = stack(cfn, "users", template("Active", ["User"], [EXECUTION]), more=more)
    assert s["StackStatus"] == "CREATE_COMPLETE", events(cfn, "users")
    made = resources(cfn, "users")
    out = {o["OutputKey"]: o["OutputValue"] for o in s["Outputs"]}
    assert out["User"] == f"{ARN}user/a/{called}"
    mine = client("sts", key=made["Key"], secret=out["Secret"])
    assert mine.get_caller_identity()["Arn"] == out["User"]
    assert made["RolePolicy"] == f"apart|{made['Role']}"
    assert made["Linked"] == "AWSServiceRoleForElasticLoadBalancing"

    def members(group):
        return [u["UserName"] for u in iam.get_group(GroupName=made[group])["Users"]]
    assert members("Group") == [called] and members("Other") == [called]
    s = stack(cfn, "users", template("Inactive", ["Second"], [], "/b/"), "update", more=more)
    assert s["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "users")
    assert resources(cfn, "users") == made
    assert members("Group") == [called] and members("Other") == [made["Second"]]
    assert not iam.list_attached_group_policies(GroupName=made["Group"])["AttachedPolicies"]
    assert iam.get_user(UserName=called)["User"]["Arn"] == f"{ARN}user/b/{called}"
    out = {o["OutputKey"]: o["OutputValue"] for o in s["Outputs"]}
    assert out["User"] == f"{ARN}user/b/{called}"
    assert iam.get_open_id_connect_provider(OpenIDConnectProviderArn=made["Provider"])[
        "ClientIDList"] == ["Inactive"]
    assert refused(mine.get_caller_identity)[1] == "InvalidClientTokenId"
    s = stack(cfn, "users", template("Inactive", ["Second"], [], "/b/", "Third"), "update",
              more=more)
    assert s["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "users")
    assert members("Other") == [] and members("Third") == [made["Second"]]
    delete(cfn, s)
    for call, args in ((iam.get_user, {"UserName": called}),
                       (iam.get_group, {"GroupName": made["Group"]}),
                       (iam.get_instance_profile, {"InstanceProfileName": made["Profile"]}),
                       (iam.get_role, {"RoleName": made["Linked"]})):
        assert refused(call, **args)[1] == "NoSuchEntity"


def test_stack_profile_of_two_roles(client):
    """An instance profile has one role: a second one is refused, not left out."""
    cfn = client("cloudformation")
    s = stack(cfn, "tworoles", {"A": ROLE, "B": ROLE, "P": {
        "Type": "AWS::IAM::InstanceProfile", "Properties": {
            "Roles": [{"Ref": "A"}, {"Ref": "B"}]}}})
    assert s["StackStatus"] == "ROLLBACK_COMPLETE", events(cfn, "tworoles")
    assert "InstanceSessionsPerInstanceProfile: 1" in str(events(cfn, "tworoles"))
    delete(cfn, s)


def test_stack_key_is_in_no_event(client, iam):
    """What a template does with a secret key is not told of it."""
    cfn = client("cloudformation")
    s = stack(cfn, "keyevents", {
        "User": {"Type": "AWS::IAM::User"},
        "Key": {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": {"Ref": "User"}}},
        "Kept": {"Type": "AWS::SecretsManager::Secret", "Properties": {
            "SecretString": {"Fn::Sub": "key:${Key.SecretAccessKey}"}}}})
    assert s["StackStatus"] == "CREATE_COMPLETE", events(cfn, "keyevents")
    secret = client("secretsmanager").get_secret_value(
        SecretId=resources(cfn, "keyevents")["Kept"])["SecretString"]
    shown = str(cfn.describe_stack_events(StackName="keyevents"))
    assert len(secret) == 44 and secret[4:] not in shown and "key:****" in shown
    delete(cfn, s)


def test_stack_login_profile(client):
    cfn = client("cloudformation")
    s = stack(cfn, "login", {"User": {"Type": "AWS::IAM::User", "Properties": {
        "LoginProfile": {"Password": "not to be ignored"}}}})
    assert s["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any("LoginProfile is not implemented" in e[2] for e in events(cfn, "login"))
