"""CloudFormation: stacks within stacks."""
import json
import time

import conftest
import pytest
from cfn import delete, events, physical, reason, refused, text, wait


@pytest.fixture
def put(daemon, client):
    """Puts a template into a bucket; its address."""
    return lambda name, template: upload(daemon, name, template)


def upload(daemon, name, template):
    s3 = daemon.client("s3")
    if "templates" not in [b["Name"] for b in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket="templates")
    s3.put_object(Bucket="templates", Key=name, Body=json.dumps(template).encode())
    return f"{daemon.endpoint}/templates/{name}"


def group(name, days=None, **more):
    return {"Type": "AWS::Logs::LogGroup", "Properties": {
        "LogGroupName": name, **({"RetentionInDays": days} if days else {})}, **more}


def stream(of, **more):
    return {"Type": "AWS::Logs::LogStream", "Properties": {"LogGroupName": of}, **more}


def nested(url, parameters=None, **more):
    return {"Type": "AWS::CloudFormation::Stack", **more, "Properties": {
        "TemplateURL": url, **({"Parameters": parameters} if parameters else {})}}


def groups(client):
    return {g["logGroupName"]: g.get("retentionInDays")
            for g in client("logs").describe_log_groups()["logGroups"]}


INNER = {"Parameters": {"Name": {"Type": "String"}, "Days": {"Type": "Number", "Default": 7}},
         "Resources": {"Group": group({"Ref": "Name"}, {"Ref": "Days"})},
         "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Group", "Arn"]}}}}


def test_life(client, put):
    """Three generations; outputs, ids, tags, protection."""
    cfn = client("cloudformation")
    inner = put("inner.json", INNER)
    middle = put("middle.json", {
        "Parameters": {"Days": {"Type": "String"}},
        "Resources": {"Inner": nested(inner, {"Name": "a", "Days": {"Ref": "Days"}})},
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Inner", "Outputs.Arn"]}}}})

    def template(days):
        return text({"Resources": {"Middle": nested(middle, {"Days": days})}, "Outputs": {
            "Arn": {"Value": {"Fn::GetAtt": ["Middle", "Outputs.Arn"]}},
            "Id": {"Value": {"Ref": "Middle"}}}})
    cfn.create_stack(StackName="root", TemplateBody=template("3"), EnableTerminationProtection=True,
                     Tags=[{"Key": "Project", "Value": "p"}])
    stack = wait(cfn, "root")
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, "root")
    out = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
    assert out["Arn"].endswith(":log-group:a:*") and groups(client) == {"a": 3}
    child = cfn.describe_stacks(StackName=out["Id"])["Stacks"][0]
    assert child["ParentId"] == child["RootId"] == stack["StackId"]
    assert child["StackName"].startswith("root-Middle-") and len(child["StackName"]) == 24
    assert child["Tags"] == [{"Key": "Project", "Value": "p"}]
    grandchild = cfn.describe_stacks(StackName=physical(cfn, out["Id"])["Inner"])["Stacks"][0]
    assert (grandchild["ParentId"], grandchild["RootId"]) == (child["StackId"], stack["StackId"])
    assert [e for e in events(cfn, "root") if e[0] == "Middle"] == [
        ("Middle", "CREATE_IN_PROGRESS", ""),
        ("Middle", "CREATE_IN_PROGRESS", "Resource creation Initiated"),
        ("Middle", "CREATE_COMPLETE", "")]
    assert client("logs").list_tags_log_group(logGroupName="a")["tags"][
        "aws:cloudformation:stack-name"] == grandchild["StackName"]
    assert "TerminationProtection is enabled" in refused(
        cfn.delete_stack, StackName=child["StackName"])["Error"]["Message"]
    assert "nested" in refused(cfn.update_termination_protection, StackName=child["StackName"],
                               EnableTerminationProtection=False)["Error"]["Message"]
    assert "cannot be invoked on child stacks" in refused(
        cfn.continue_update_rollback, StackName=child["StackName"])["Error"]["Message"]
    cfn.update_stack(StackName="root", TemplateBody=template("5"))
    assert wait(cfn, "root")["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "root")
    assert groups(client) == {"a": 5}
    for arn in (child["StackId"], grandchild["StackId"]):
        assert cfn.describe_stacks(StackName=arn)["Stacks"][0]["StackStatus"] == "UPDATE_COMPLETE"
    cfn.update_termination_protection(StackName="root", EnableTerminationProtection=False)
    delete(cfn, stack)
    assert cfn.describe_stacks(StackName=grandchild["StackId"])["Stacks"][0][
        "StackStatus"] == "DELETE_COMPLETE"
    assert not groups(client)


def test_what_is_inside_changes(client, put):
    """The same address with another template is an update."""
    cfn = client("cloudformation")
    root = text({"Resources": {"Child": nested(put("c.json", INNER), {"Name": "a"})}})
    cfn.create_stack(StackName="root", TemplateBody=root)
    stack = wait(cfn, "root")
    put("c.json", {**INNER, "Resources": {**INNER["Resources"], "More": group("b")}})
    cfn.update_stack(StackName="root", TemplateBody=root)
    assert wait(cfn, "root")["StackStatus"] == "UPDATE_COMPLETE"
    assert groups(client) == {"a": 7, "b": None}
    cfn.update_stack(StackName="root", TemplateBody=text({"Resources": {"Other": group("c")}}))
    assert wait(cfn, "root")["StackStatus"] == "UPDATE_COMPLETE"
    assert groups(client) == {"c": None}
    delete(cfn, stack)


def test_creation_fails(client, put):
    cfn = client("cloudformation")
    bad = put("bad.json", {"Resources": {"First": group("first"),
                                         "Bad": stream("none", DependsOn="First")}})
    for stay in (False, True):
        cfn.create_stack(StackName="root", DisableRollback=stay, TemplateBody=text(
            {"Resources": {"A": group("a"), "Child": nested(bad, DependsOn="A")}}))
        stack = wait(cfn, "root")
        assert stack["StackStatus"] == ("CREATE_FAILED" if stay else "ROLLBACK_COMPLETE")
        arn = cfn.describe_stack_resource(StackName="root", LogicalResourceId="Child")[
            "StackResourceDetail"]["PhysicalResourceId"]
        assert reason(cfn, "root", "CREATE_FAILED", "Child") == \
            f"Embedded stack {arn} was not successfully created: The following resource(s) " \
            "failed to create: [Bad]. "
        child = cfn.describe_stacks(StackName=arn)["Stacks"][0]
        assert child["StackStatus"] == ("CREATE_FAILED" if stay else "DELETE_COMPLETE")
        assert groups(client) == ({"a": None, "first": None} if stay else {})
        delete(cfn, stack)
    assert not groups(client)


def test_nested_template_is_refused(client, put):
    """Nothing is made of a child whose template or parameters are wrong."""
    cfn = client("cloudformation")
    role = {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {
        "AssumeRolePolicyDocument": {}}}}}
    for name, template, said in (
            ("a.json", INNER, "Parameters: [Name] must have values"),
            ("b.json", {"Resources": {"X": {"Type": "AWS::Lambda::Function"}}},
             "Template format error: Unrecognized resource types: [AWS::Lambda::Function]"),
            ("c.json", role, ("Requires capabilities : [CAPABILITY_IAM]", "Unrecognized"))):
        cfn.create_stack(StackName="root", TemplateBody=text(
            {"Resources": {"Child": nested(put(name, template))}}))
        stack = wait(cfn, "root")
        assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
        seen = reason(cfn, "root", "CREATE_FAILED", "Child")
        assert any(s in seen for s in ([said] if isinstance(said, str) else said)), seen
        delete(cfn, stack)
    assert {s["StackStatus"] for s in cfn.list_stacks()["StackSummaries"]
            if s["StackName"].startswith("root-")} <= {"DELETE_COMPLETE"}


def test_child_update_fails(client, put):
    """The child goes back by itself, and its parent with it."""
    cfn = client("cloudformation")
    cfn.create_stack(StackName="root", TemplateBody=text({"Resources": {
        "A": group("a", 7), "Child": nested(put("ok.json", INNER), {"Name": "b"})}}))
    stack = wait(cfn, "root")
    before = physical(cfn, "root")
    bad = put("worse.json", {**INNER, "Resources": {
        "Group": group({"Ref": "Name"}, 3), "Bad": stream("none", DependsOn="Group")}})
    cfn.update_stack(StackName="root", TemplateBody=text({"Resources": {
        "A": group("a", 3), "Child": nested(bad, {"Name": "b"}, DependsOn="A")}}))
    stack = wait(cfn, "root")
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", events(cfn, "root")
    why = reason(cfn, "root", "UPDATE_FAILED", "Child")
    assert why.startswith(f"Embedded stack {before['Child']} was not successfully updated. "
                          "Currently in UPDATE_ROLLBACK_") and \
        why.endswith(" with reason: The following resource(s) failed to create: [Bad]. "), why
    assert groups(client) == {"a": 7, "b": 7} and physical(cfn, "root") == before
    assert cfn.describe_stacks(StackName=before["Child"])["Stacks"][0]["StackStatus"] == \
        "UPDATE_ROLLBACK_COMPLETE"
    delete(cfn, stack)


def test_parent_update_fails(client, put):
    """A child that was done goes back to what it was: the very same resources."""
    cfn = client("cloudformation")

    def inner(name):
        return put(f"{name}.json", {"Resources": {"Group": group(name)}})

    def template(name, **more):
        return text({"Resources": {"Child": nested(inner(name)), **more}})
    cfn.create_stack(StackName="root", TemplateBody=template("one"))
    stack = wait(cfn, "root")
    child = physical(cfn, "root")["Child"]
    client("logs").create_log_stream(logGroupName="one", logStreamName="mark")
    cfn.update_stack(StackName="root", TemplateBody=template(
        "two", Bad=stream("none", DependsOn="Child")))
    assert wait(cfn, "root")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", events(cfn, "root")
    assert [(s, r) for i, s, r in events(cfn, child) if i == "Group"][-4:] == [
        ("UPDATE_COMPLETE", ""), ("UPDATE_COMPLETE", ""), ("DELETE_IN_PROGRESS", ""),
        ("DELETE_COMPLETE", "")], events(cfn, child)
    assert groups(client) == {"one": None}
    assert client("logs").describe_log_streams(logGroupName="one")["logStreams"]
    cfn.update_stack(StackName="root", TemplateBody=template("two"))
    assert wait(cfn, "root")["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "root")
    assert groups(client) == {"two": None}
    delete(cfn, stack)


def test_a_child_is_held_until_its_parent_is_done(client, put):
    """What the child replaced stays while the parent's failure does."""
    cfn = client("cloudformation")

    def template(name, **more):
        return text({"Resources": {"Child": nested(put(f"held-{name}.json", {
            "Resources": {"Group": group(name)}})), **more}})
    cfn.create_stack(StackName="root", TemplateBody=template("one"))
    stack = wait(cfn, "root")
    child = physical(cfn, "root")["Child"]
    cfn.update_stack(StackName="root", DisableRollback=True, TemplateBody=template(
        "two", Bad=stream("none", DependsOn="Child")))
    assert wait(cfn, "root")["StackStatus"] == "UPDATE_FAILED"
    assert cfn.describe_stacks(StackName=child)["Stacks"][0]["StackStatus"] == \
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
    assert groups(client) == {"one": None, "two": None}
    cfn.update_stack(StackName="root", TemplateBody=template("two"))
    assert wait(cfn, "root")["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "root")
    assert cfn.describe_stacks(StackName=child)["Stacks"][0]["StackStatus"] == "UPDATE_COMPLETE"
    assert groups(client) == {"two": None}
    delete(cfn, stack)


def test_failure_that_stays_and_then_goes_back(client, put):
    cfn = client("cloudformation")
    ok = put("ok.json", INNER)
    bad = put("bad2.json", {**INNER, "Resources": {
        "Group": group({"Ref": "Name"}, 3), "Bad": stream("none", DependsOn="Group")}})
    cfn.create_stack(StackName="root", TemplateBody=text(
        {"Resources": {"Child": nested(ok, {"Name": "b"})}}))
    stack = wait(cfn, "root")
    cfn.update_stack(StackName="root", DisableRollback=True, TemplateBody=text(
        {"Resources": {"Child": nested(bad, {"Name": "b"})}}))
    assert wait(cfn, "root")["StackStatus"] == "UPDATE_FAILED"
    assert groups(client) == {"b": 3}
    assert cfn.describe_stacks(StackName=physical(cfn, "root")["Child"])["Stacks"][0][
        "StackStatus"] == "UPDATE_FAILED"
    cfn.rollback_stack(StackName="root")
    assert wait(cfn, "root")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", events(cfn, "root")
    assert groups(client) == {"b": 7}
    delete(cfn, stack)


def test_cancelled_in_the_middle(client, put):
    """A child that waits goes back with the parent whose update is cancelled."""
    cfn = client("cloudformation")
    waits = {**INNER, "Resources": {
        "Group": group({"Ref": "Name"}, 3),
        "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Wait": {"Type": "AWS::CloudFormation::WaitCondition", "DependsOn": "Group",
                 "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "600"}}}}
    cfn.create_stack(StackName="root", TemplateBody=text(
        {"Resources": {"Child": nested(put("ok.json", INNER), {"Name": "a"})}}))
    stack = wait(cfn, "root")
    cfn.update_stack(StackName="root", TemplateBody=text(
        {"Resources": {"Child": nested(put("waits.json", waits), {"Name": "a"})}}))
    while groups(client) != {"a": 3}:
        pass
    assert "cannot be invoked on child stacks" in refused(
        cfn.cancel_update_stack, StackName=physical(cfn, "root")["Child"])["Error"]["Message"]
    cfn.cancel_update_stack(StackName="root")
    assert wait(cfn, "root")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", events(cfn, "root")
    assert groups(client) == {"a": 7}
    delete(cfn, stack)


def test_a_child_that_never_was_complete_goes(client, put):
    """One that is being mended when its parent goes back is removed, for there is no way back."""
    cfn = client("cloudformation")
    broken = {**INNER, "Resources": {**INNER["Resources"],
                                     "Bad": stream("none", DependsOn="Group")}}
    waits = {**INNER, "Resources": {
        "Group": group({"Ref": "Name"}, 3),
        "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Wait": {"Type": "AWS::CloudFormation::WaitCondition", "DependsOn": "Group",
                 "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "600"}}}}

    def template(name, inner):
        return text({"Resources": {
            "Own": group("own", 7), "Child": nested(put(name, inner), {"Name": "a"})}})
    cfn.create_stack(StackName="root", TemplateBody=text({"Resources": {"Own": group("own", 7)}}))
    stack = wait(cfn, "root")
    cfn.update_stack(StackName="root", DisableRollback=True,
                     TemplateBody=template("broken.json", broken))
    assert wait(cfn, "root")["StackStatus"] == "UPDATE_FAILED"
    child = physical(cfn, "root")["Child"]
    cfn.update_stack(StackName="root", TemplateBody=template("waits.json", waits))
    while groups(client) != {"own": 7, "a": 3}:
        pass
    assert "cannot be deleted while in status UPDATE_IN_PROGRESS" in refused(
        cfn.delete_stack, StackName=child)["Error"]["Message"]
    cfn.cancel_update_stack(StackName="root")
    assert wait(cfn, "root")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", events(cfn, "root")
    assert groups(client) == {"own": 7}
    assert wait(cfn, child)["StackStatus"] == "DELETE_COMPLETE"
    delete(cfn, stack)


def test_deleted_while_children_are_held(client, put):
    """What a child replaced waits for its parent: which may go instead."""
    cfn = client("cloudformation")
    child = nested(put("ok.json", INNER), {"Name": "a"})
    cfn.create_stack(StackName="root", TemplateBody=text({"Resources": {"Child": child}}))
    stack = wait(cfn, "root")
    cfn.update_stack(StackName="root", DisableRollback=True, TemplateBody=text({"Resources": {
        "Child": nested(put("ok.json", INNER), {"Name": "b"}),
        "Bad": stream("none", DependsOn="Child")}}))
    assert wait(cfn, "root")["StackStatus"] == "UPDATE_FAILED", events(cfn, "root")
    assert groups(client) == {"a": 7, "b": 7}
    delete(cfn, stack)
    assert groups(client) == {}


def test_skipping_what_is_inside(client, put):
    """ContinueUpdateRollback names a resource of a child."""
    cfn, logs = client("cloudformation"), client("logs")
    slow = {**INNER, "Resources": {
        "Group": group({"Ref": "Name"}, 3),
        "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Wait": {"Type": "AWS::CloudFormation::WaitCondition", "DependsOn": "Group",
                 "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "1"}}}}
    cfn.create_stack(StackName="root", TemplateBody=text(
        {"Resources": {"Child": nested(put("ok.json", INNER), {"Name": "a"})}}))
    stack = wait(cfn, "root")
    cfn.update_stack(StackName="root", TemplateBody=text(
        {"Resources": {"Child": nested(put("slow.json", slow), {"Name": "a"})}}))
    while groups(client) != {"a": 3}:
        pass
    logs.delete_log_group(logGroupName="a")
    assert wait(cfn, "root")["StackStatus"] == "UPDATE_ROLLBACK_FAILED", events(cfn, "root")
    cfn.continue_update_rollback(StackName="root", ResourcesToSkip=["Child.Group"])
    assert wait(cfn, "root")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", events(cfn, "root")
    delete(cfn, stack)


def test_killed_in_the_middle():
    """Killed again and again, nested stacks are made, changed and undone to the end."""
    d = conftest.Daemon()
    try:
        inner = upload(d, "inner.json", {
            "Parameters": {"P": {"Type": "String"}, "Days": {"Type": "Number"}},
            "Resources": {f"G{i}": {
                "Type": "AWS::Logs::LogGroup", **({"DependsOn": f"G{i - 1}"} if i else {}),
                "Properties": {"LogGroupName": {"Fn::Sub": f"${{P}}-{i}"},
                               "RetentionInDays": {"Ref": "Days"}}} for i in range(25)}})

        def template(days, **more):
            return text({"Resources": {**{f"Child{i}": nested(
                inner, {"P": f"p{i}", "Days": str(days)}) for i in range(4)}, **more}})

        def through(status):
            for _ in range(3):
                time.sleep(0.03)
                d.kill()
                d.start()
            stack = wait(d.client("cloudformation"), "root", 60)
            assert stack["StackStatus"] == status, events(d.client("cloudformation"), "root")

        def days():
            pages = d.client("logs").get_paginator("describe_log_groups").paginate()
            return [g["retentionInDays"] for p in pages for g in p["logGroups"]]
        d.client("cloudformation").create_stack(StackName="root", TemplateBody=template(7))
        through("CREATE_COMPLETE")
        assert days() == [7] * 100
        d.client("cloudformation").update_stack(StackName="root", TemplateBody=template(
            3, Bad=stream("none", DependsOn=[f"Child{i}" for i in range(4)])))
        through("UPDATE_ROLLBACK_COMPLETE")
        assert days() == [7] * 100
        cfn = d.client("cloudformation")
        arn = cfn.describe_stacks(StackName="root")["Stacks"][0]["StackId"]
        cfn.delete_stack(StackName="root")
        d.kill()
        d.start()
        assert wait(d.client("cloudformation"), arn)["StackStatus"] == "DELETE_COMPLETE"
        assert not days()
    finally:
        d.stop()


def test_change_sets_reach_inside(client, put, daemon):
    """One change set for all of the family; what does not change is not in it."""
    cfn = client("cloudformation")
    inner, same = put("inner.json", INNER), put("same.json", {"Resources": {"S": group("same")}})

    def template(days):
        return text({"Resources": {"Child": nested(inner, {"Name": "a", "Days": days}),
                                   "Same": nested(same)}})

    def change(kind, days):
        cfn.delete_change_set(StackName="root", ChangeSetName="c")
        made = cfn.create_change_set(StackName="root", ChangeSetName="c", ChangeSetType=kind,
                                     TemplateBody=template(days), IncludeNestedStacks=True)
        found = cfn.describe_change_set(ChangeSetName=made["Id"])
        return found, {c["ResourceChange"]["LogicalResourceId"]: c["ResourceChange"]
                       for c in found["Changes"]}
    found, changes = change("CREATE", "3")
    assert found["IncludeNestedStacks"] and set(changes) == {"Child", "Same"}
    child = cfn.describe_change_set(ChangeSetName=changes["Child"]["ChangeSetId"])
    assert child["ParentChangeSetId"] == child["RootChangeSetId"] == found["ChangeSetId"]
    assert [c["ResourceChange"]["LogicalResourceId"] for c in child["Changes"]] == ["Group"]
    review = cfn.describe_stacks(StackName=child["StackId"])["Stacks"][0]
    assert review["StackStatus"] == "REVIEW_IN_PROGRESS"
    for call in (cfn.execute_change_set, cfn.delete_change_set):
        assert refused(call, ChangeSetName=child["ChangeSetId"])["Error"][
            "Code"] == "InvalidChangeSetStatus"
    cfn.delete_change_set(ChangeSetName=found["ChangeSetId"])
    assert wait(cfn, review["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    found, changes = change("CREATE", "3")
    reviewed = cfn.describe_change_set(ChangeSetName=changes["Child"]["ChangeSetId"])["StackId"]
    cfn.execute_change_set(ChangeSetName=found["ChangeSetId"])
    stack = wait(cfn, "root")
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, "root")
    assert physical(cfn, "root")["Child"] == reviewed
    found, changes = change("UPDATE", "3")
    assert found["Status"] == "FAILED" and not changes
    assert found["StatusReason"].startswith("The submitted information didn't contain changes.")
    found, changes = change("UPDATE", "5")
    assert set(changes) == {"Child"} and changes["Child"]["Action"] == "Modify"
    cfn.execute_change_set(ChangeSetName=found["ChangeSetId"])
    assert wait(cfn, "root")["StackStatus"] == "UPDATE_COMPLETE"
    assert groups(client) == {"a": 5, "same": None}
    delete(cfn, stack)
