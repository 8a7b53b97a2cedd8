"""CloudFormation: stack policies."""
import json

from cfn import delete, events, reason, refused, text, wait


def template(days=None, name="a", kind="STANDARD", **more):
    return text({"Resources": {
        "Kept": {"Type": "AWS::Logs::LogGroup", "Properties": {
            "LogGroupName": name, **({"RetentionInDays": days} if days else {})}},
        "Other": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": days or 1}},
        **more}})


def policy(*deny, resource="LogicalResourceId/Kept"):
    return json.dumps({"Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"},
        *([{"Effect": "Deny", "Principal": "*", "Action": list(deny), "Resource": resource}]
          if deny else [])]})


def test_policy(client):
    cfn, logs = client("cloudformation"), client("logs")

    def update(status, **more):
        cfn.update_stack(StackName="p", **more)
        assert wait(cfn, "p")["StackStatus"] == status, events(cfn, "p")
    cfn.create_stack(StackName="p", TemplateBody=template(7),
                     StackPolicyBody=policy("Update:Replace", "Update:Delete"))
    stack = wait(cfn, "p")
    update("UPDATE_COMPLETE", TemplateBody=template(3))
    update("UPDATE_ROLLBACK_COMPLETE", TemplateBody=template(3, name="b"))
    assert reason(cfn, "p", "UPDATE_FAILED", "Kept") == \
        "Action denied by stack policy: Statement [#2] does not allow [Update:Replace] for " \
        "resource [LogicalResourceId/Kept]"
    gone = text({"Resources": {"Other": json.loads(template(5))["Resources"]["Other"]}})
    update("UPDATE_ROLLBACK_COMPLETE", TemplateBody=gone)
    assert [r for i, s, r in events(cfn, "p") if (i, s) == ("Kept", "UPDATE_FAILED")][-1] == \
        "Action denied by stack policy: Statement [#2] does not allow [Update:Delete] for " \
        "resource [LogicalResourceId/Kept]"
    assert {g["logGroupName"]: g["retentionInDays"]
            for g in logs.describe_log_groups()["logGroups"]}["a"] == 3
    cfn.set_stack_policy(StackName="p", StackPolicyBody=policy("Update:Modify"))
    assert cfn.get_stack_policy(StackName="p")["StackPolicyBody"] == policy("Update:Modify")
    update("UPDATE_ROLLBACK_COMPLETE", TemplateBody=template(1))
    update("UPDATE_COMPLETE", TemplateBody=template(1), StackPolicyDuringUpdateBody=policy())
    assert cfn.get_stack_policy(StackName="p")["StackPolicyBody"] == policy("Update:Modify")
    made = cfn.create_change_set(StackName="p", ChangeSetName="c", TemplateBody=template(5))
    cfn.execute_change_set(ChangeSetName=made["Id"])
    assert wait(cfn, "p")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    update("UPDATE_COMPLETE", TemplateBody=gone)
    for bad in ("{}", "no", '{"Statement": [{"Effect": "Allow"}]}'):
        assert refused(cfn.set_stack_policy, StackName="p", StackPolicyBody=bad)["Error"][
            "Message"] == "Error validating stack policy: Invalid stack policy"
    assert "either StackPolicyBody" in refused(cfn.set_stack_policy, StackName="p")["Error"][
        "Message"]
    s3 = client("s3")
    s3.create_bucket(Bucket="policies")
    s3.put_object(Bucket="policies", Key="p.json", Body=policy("Update:Delete").encode())
    cfn.set_stack_policy(StackName="p", StackPolicyURL=f"{s3.meta.endpoint_url}/policies/p.json")
    assert cfn.get_stack_policy(StackName="p")["StackPolicyBody"] == policy("Update:Delete")
    delete(cfn, stack)
