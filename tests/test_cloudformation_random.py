"""CloudFormation: whatever is done to a stack of stacks, it ends as its template says."""
import random
import time

import botocore.exceptions
import pytest
from cfn import delete, events, text, wait
from test_cloudformation_nested import group, nested, stream, upload

SETTLED = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
OPERATIONS = ["update"] * 5 + ["rollback"] * 2 + ["continue"] * 2


class Maker:
    """Templates at random: what they say of groups is in the second of a pair."""

    def __init__(self, seed, daemon):
        self.random, self.daemon, self.count = random.Random(seed), daemon, 0
        self.names, self.prefix = {}, f"s{seed}-"

    def fresh(self):
        self.count += 1
        return f"{self.prefix}{self.count}"

    def own(self, names):
        r, resources, want = self.random, {}, {}
        for x in "AB":
            if r.random() < .8 or (x == "B" and not resources):
                if x not in names or r.random() < .3:
                    names[x] = self.fresh()
                want[names[x]] = r.choice([1, 3, 5, 7])
                resources[x] = group(names[x], want[names[x]])
        return resources, want

    def ending(self, resources, depth):
        """What fails or waits, behind some of the rest."""
        r = self.random
        after = r.sample(list(resources), r.randint(0, len(resources)))
        more = {"DependsOn": after} if after else {}
        chance = r.random()
        if chance < (.1 if depth else .25):
            resources["Bad"] = stream("none", **more)
        elif depth and chance < .35:
            resources["Handle"] = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
            resources["Wait" + self.fresh().replace("-", "")] = {
                "Type": "AWS::CloudFormation::WaitCondition", **more,
                "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "1"}}

    def template(self, names=None, depth=0):
        names = self.names if names is None else names
        resources, want = self.own(names)
        for x in ("N", "M"):
            if depth < 2 and self.random.random() < .5:
                inner, more = self.template(names.setdefault(x, {}), depth + 1)
                resources[x] = nested(upload(self.daemon, self.fresh(), inner))
                want.update(more)
        self.ending(resources, depth)
        return {"Resources": resources}, want


def groups(client, prefix):
    pages = client("logs").get_paginator("describe_log_groups").paginate(
        logGroupNamePrefix=prefix)
    return {g["logGroupName"]: g.get("retentionInDays") for p in pages for g in p["logGroups"]}


def settle_children(cfn, root):
    """Those of a root that failed end by themselves; clean-ups wait for it."""
    def busy():
        return [s for s in cfn.describe_stacks()["Stacks"] if s.get("RootId") == root and
                s["StackStatus"].endswith("_IN_PROGRESS") and "CLEANUP" not in s["StackStatus"]]
    end = time.monotonic() + 20
    while busy():
        assert time.monotonic() < end, busy()


def act(cfn, maker, operation):
    """Does it; what the stack is to be like, if that is another now."""
    if operation == "rollback":
        cfn.rollback_stack(StackName=maker.prefix + "x")
    elif operation == "continue":
        cfn.continue_update_rollback(StackName=maker.prefix + "x")
    else:
        template, want = maker.template()
        cfn.update_stack(StackName=maker.prefix + "x", TemplateBody=text(template),
                         DisableRollback=maker.random.random() < .5)
        if maker.random.random() < .3:
            try:
                cfn.cancel_update_stack(StackName=maker.prefix + "x")
            except botocore.exceptions.ClientError as e:  # it was done already
                assert e.response["Error"]["Code"] == "ValidationError"
        return want
    return None


@pytest.mark.parametrize("seed", [3, 1046, 1059, 1066])
def test_random(daemon, client, seed):
    cfn, maker = client("cloudformation"), Maker(seed, daemon)
    template, pending = maker.template()
    stable, done = {}, ["create"]
    cfn.create_stack(StackName=maker.prefix + "x", TemplateBody=text(template),
                     DisableRollback=maker.random.random() < .6)
    stack = cfn.describe_stacks(StackName=maker.prefix + "x")["Stacks"][0]
    for _ in range(12):
        status = wait(cfn, stack["StackId"])["StackStatus"]
        done.append(status)
        if status.endswith("_FAILED"):
            settle_children(cfn, stack["StackId"])
        if status in SETTLED[:2]:
            stable = pending
        if status in SETTLED:
            assert groups(client, maker.prefix) == stable, (done, events(cfn, stack["StackId"]))
        if status == "ROLLBACK_COMPLETE":
            break
        done.append(maker.random.choice(OPERATIONS))
        try:
            pending = act(cfn, maker, done[-1]) or pending
        except botocore.exceptions.ClientError as e:
            assert e.response["Error"]["Code"] == "ValidationError", done
    wait(cfn, stack["StackId"])
    settle_children(cfn, stack["StackId"])
    delete(cfn, stack)
    assert groups(client, maker.prefix) == {}, done
