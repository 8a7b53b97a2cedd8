"""CloudFormation: wait conditions and signals."""
import json
import time
import urllib.error
import urllib.request

import conftest
from cfn import delete, events, physical, reason, refused, text, wait


def template(timeout="20", count=None):
    return text({"Resources": {
        "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Wait": {"Type": "AWS::CloudFormation::WaitCondition", "Properties": {
            "Handle": {"Ref": "Handle"}, "Timeout": timeout,
            **({"Count": count} if count else {})}}},
        "Outputs": {"Data": {"Value": {"Fn::GetAtt": ["Wait", "Data"]}}}})


def address(cfn, name, handle="Handle"):
    """Of the handle, as soon as it is there."""
    end = time.monotonic() + 10
    while "Wait" not in physical(cfn, name):
        assert time.monotonic() < end, events(cfn, name)
    return physical(cfn, name)[handle]


def put(url, signal, method="PUT"):
    body = signal if isinstance(signal, bytes) else json.dumps(signal).encode()
    request = urllib.request.Request(url, body, {"Content-Type": ""}, method=method)
    try:
        return urllib.request.urlopen(request).status
    except urllib.error.HTTPError as e:
        return e.code


def good(i, data="x"):
    return {"Status": "SUCCESS", "UniqueId": f"ID{i}", "Data": data, "Reason": "done"}


def test_signals(daemon, client):
    cfn = client("cloudformation")
    cfn.create_stack(StackName="w", TemplateBody=template(count=2))
    url = address(cfn, "w")
    assert url.startswith(f"{daemon.endpoint}/cloudformation-waitcondition-us-east-1/arn%3Aaws")
    head, _, secret = url.rpartition("=")
    for bad in (head, head + "=", head + "=" + secret[::-1] + "0", head[:-20],
                url.replace("/Handle?", "/Wait?"), url.replace("stack%2Fw", "stack%2Fv")):
        assert put(bad, good(1)) == 403, bad
    assert put(url, good(1), method="POST") == 403
    assert put(url, good(1, "x" * 4097)) == 400
    assert put(url, b"x" * 9000) == 400
    assert put(url, good(1, "one")) == 200
    assert put(url, good(1, "again")) == 200
    assert cfn.describe_stacks(StackName="w")["Stacks"][0]["StackStatus"] == "CREATE_IN_PROGRESS"
    assert put(url, good(2, "two")) == 200
    stack = wait(cfn, "w")
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, "w")
    assert json.loads(stack["Outputs"][0]["OutputValue"]) == {"ID1": "one", "ID2": "two"}
    assert physical(cfn, "w")["Wait"] == stack["StackId"] + "/Handle"
    cfn.update_stack(StackName="w", TemplateBody=template(count=3))
    assert wait(cfn, "w")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert reason(cfn, "w", "UPDATE_FAILED", "Wait") == \
        "Update to resource type AWS::CloudFormation::WaitCondition is not supported."
    delete(cfn, stack)
    assert put(url, good(3)) == 403


def test_failures(client):
    cfn = client("cloudformation")
    for signal, said in (
            ({**good(1), "Status": "FAILURE", "Reason": "no luck"},
             "WaitCondition received failed message: 'no luck' for uniqueId: ID1"),
            (b"not json", "Unparsable WaitCondition data"),
            ({"Status": "MAYBE", "UniqueId": "1"}, "Unparsable WaitCondition data"),
            (None, "WaitCondition timed out. Received 0 conditions when expecting 1")):
        cfn.create_stack(StackName="w", TemplateBody=template("20" if signal else "1"))
        if signal:
            assert put(address(cfn, "w"), signal) == 200
        stack = wait(cfn, "w")
        assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
        assert reason(cfn, "w", "CREATE_FAILED", "Wait") == said
        delete(cfn, stack)
    for timeout in ("0", "43201", "x"):
        cfn.create_stack(StackName="w", TemplateBody=template(timeout))
        stack = wait(cfn, "w")
        assert "between 1 and 43200" in reason(cfn, "w", "CREATE_FAILED", "Wait")
        delete(cfn, stack)


def test_signal_resource(client):
    cfn = client("cloudformation")
    cfn.create_stack(StackName="s", TemplateBody=text({"Resources": {"Wait": {
        "Type": "AWS::CloudFormation::WaitCondition",
        "CreationPolicy": {"ResourceSignal": {"Count": 2, "Timeout": "PT1M"}}}}}))
    address(cfn, "s", "Wait")
    for i in ("a", "b"):
        cfn.signal_resource(StackName="s", LogicalResourceId="Wait", UniqueId=i, Status="SUCCESS")
    stack = wait(cfn, "s")
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, "s")
    assert ("Wait", "CREATE_IN_PROGRESS", "Received SUCCESS signal with UniqueId a") in \
        events(cfn, "s")
    assert refused(cfn.signal_resource, StackName="s", LogicalResourceId="Wait", UniqueId="c",
                   Status="SUCCESS")["Error"]["Message"] == \
        "Resource Wait is in CREATE_COMPLETE state and cannot be signaled"
    delete(cfn, stack)


def test_signal_outlives_a_kill():
    d = conftest.Daemon()
    try:
        cfn = d.client("cloudformation")
        cfn.create_stack(StackName="w", TemplateBody=template(count=2))
        url = address(cfn, "w")
        assert put(url, good(1)) == 200
        d.kill()
        d.start()
        cfn = d.client("cloudformation")
        assert put(d.endpoint + url[url.index("/cloudformation"):], good(2)) == 200
        assert wait(cfn, "w")["StackStatus"] == "CREATE_COMPLETE", events(cfn, "w")
    finally:
        d.stop()
