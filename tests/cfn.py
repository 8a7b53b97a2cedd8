"""What the tests of CloudFormation share."""
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
import pytest
from conftest import KEY, REGION, SECRET

GROUP = {"Resources": {"Group": {"Type": "AWS::Logs::LogGroup", "Properties": {
    "RetentionInDays": 7}}}}


def text(template):
    return json.dumps(template)


def refused(call, **kwargs):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**kwargs)
    return e.value.response


def wait(cfn, name, seconds=20):
    """The stack once nothing goes on in it."""
    end = time.monotonic() + seconds
    while True:
        stack = cfn.describe_stacks(StackName=name)["Stacks"][0]
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack
        assert time.monotonic() < end, events(cfn, name)
        time.sleep(0.02)


def events(cfn, name):
    pages = cfn.get_paginator("describe_stack_events").paginate(StackName=name)
    found = [e for p in pages for e in p["StackEvents"]][::-1]
    return [(e["LogicalResourceId"], e["ResourceStatus"], e.get("ResourceStatusReason", ""))
            for e in found]


def delete(cfn, stack):
    cfn.delete_stack(StackName=stack["StackName"])
    gone = wait(cfn, stack["StackId"])
    assert gone["StackStatus"] == "DELETE_COMPLETE", events(cfn, stack["StackId"])


def reason(cfn, name, status, logical):
    """The reason of the first event of a resource that has a status."""
    return next(r for i, s, r in events(cfn, name) if (i, s) == (logical, status))


def physical(cfn, name):
    """{logical id: physical id} of what the stack has."""
    return {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in
            cfn.list_stack_resources(StackName=name)["StackResourceSummaries"]}


def ask(daemon, action, **members):
    """What Debian's SDK is too old to say: (status, the reply as a tree)."""
    body = urllib.parse.urlencode({"Action": action, "Version": "2010-05-15",
                                   **{k.replace("_", "."): v for k, v in members.items()}})
    request = botocore.awsrequest.AWSRequest(
        method="POST", url=daemon.endpoint + "/", data=body,
        headers={"Content-Type": "application/x-www-form-urlencoded"})
    botocore.auth.SigV4Auth(botocore.credentials.Credentials(KEY, SECRET), "cloudformation",
                            REGION).add_auth(request)
    try:
        reply = urllib.request.urlopen(urllib.request.Request(
            request.url, body.encode(), dict(request.headers)))
    except urllib.error.HTTPError as e:
        reply = e
    words = re.sub(r' xmlns="[^"]*"', "", reply.read().decode())
    return reply.status, xml.etree.ElementTree.fromstring(words)
