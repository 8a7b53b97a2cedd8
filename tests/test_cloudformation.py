"""CloudFormation: stacks from their templates to what they make."""
import json
import time

import conftest
from cfn import GROUP, SERVICE, VPC, delete, events, refused, service_template, text, wait


def test_life(client):
    cfn, logs = client("cloudformation"), client("logs")
    made = cfn.create_stack(StackName="life", TemplateBody=text({
        **GROUP, "Outputs": {"Name": {"Value": {"Ref": "Group"}},
                             "Arn": {"Value": {"Fn::GetAtt": ["Group", "Arn"]}}}}),
        Tags=[{"Key": "PRNumber", "Value": "7"}])
    stack = wait(cfn, "life")
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, "life")
    assert stack["StackId"] == made["StackId"]
    out = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
    assert out["Name"].startswith("life-Group-")
    assert out["Arn"].endswith(f":log-group:{out['Name']}:*")
    assert events(cfn, "life") == [
        ("life", "CREATE_IN_PROGRESS", "User Initiated"),
        ("Group", "CREATE_IN_PROGRESS", ""),
        ("Group", "CREATE_IN_PROGRESS", "Resource creation Initiated"),
        ("Group", "CREATE_COMPLETE", ""),
        ("life", "CREATE_COMPLETE", "")]
    group = logs.describe_log_groups(logGroupNamePrefix=out["Name"])["logGroups"][0]
    assert group["retentionInDays"] == 7
    tags = logs.list_tags_log_group(logGroupName=out["Name"])["tags"]
    assert tags == {"PRNumber": "7", "aws:cloudformation:stack-name": "life",
                    "aws:cloudformation:stack-id": made["StackId"],
                    "aws:cloudformation:logical-id": "Group"}
    delete(cfn, stack)
    assert not logs.describe_log_groups(logGroupNamePrefix="life-")["logGroups"]
    no = refused(cfn.describe_stacks, StackName="life")
    assert no["Error"] == {"Code": "ValidationError", "Type": "Sender",
                           "Message": "Stack with id life does not exist"}
    assert no["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_service(client):
    """VPC, load balancer and service: made, changed by replacement and in place, gone."""
    cfn, ecs, ec2 = client("cloudformation"), client("ecs"), client("ec2")
    cfn.create_stack(StackName="web", TemplateBody=service_template(),
                     Tags=[{"Key": "PRNumber", "Value": "7"}])
    stack = wait(cfn, "web")
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, "web")
    resources = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in
                 cfn.list_stack_resources(StackName="web")["StackResourceSummaries"]}
    assert set(resources) == set(SERVICE)
    assert ec2.describe_vpcs(Filters=[{"Name": "tag:PRNumber", "Values": ["7"]}])["Vpcs"]
    out = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
    assert out["Repo"].startswith("web-repository-")
    assert cfn.list_exports()["Exports"] == [
        {"Name": "web-url", "Value": out["Url"], "ExportingStackId": stack["StackId"]}]

    cfn.update_stack(StackName="web", TemplateBody=service_template(
        Targets_HealthCheckPath="/ok", Logs_RetentionInDays=3),
        Parameters=[{"ParameterKey": "Value", "ParameterValue": "2"}])
    stack = wait(cfn, "web")
    assert stack["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "web")
    after = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in
             cfn.list_stack_resources(StackName="web")["StackResourceSummaries"]}
    changed = {k for k in after if after[k] != resources[k]}
    assert changed == {"Task"}, changed
    assert after["Task"].split(":")[-1] == "2"
    service = ecs.describe_services(cluster=after["Cluster"],
                                    services=[after["Service"]])["services"][0]
    assert service["taskDefinition"] == after["Task"]
    assert ecs.describe_task_definition(taskDefinition=resources["Task"])[
        "taskDefinition"]["status"] == "INACTIVE"
    assert refused(cfn.update_stack, StackName="web", UsePreviousTemplate=True, Parameters=[
        {"ParameterKey": "Value", "UsePreviousValue": True}])["Error"]["Message"] == \
        "No updates are to be performed."
    delete(cfn, stack)
    assert not ec2.describe_vpcs(Filters=[{"Name": "tag:PRNumber", "Values": ["7"]}])["Vpcs"]


def test_create_fails_and_rolls_back(client):
    cfn, logs = client("cloudformation"), client("logs")
    logs.create_log_group(logGroupName="taken")
    cfn.create_stack(StackName="bad", TemplateBody=text({"Resources": {
        "First": {"Type": "AWS::Logs::LogGroup"},
        "Taken": {"Type": "AWS::Logs::LogGroup", "DependsOn": "First",
                  "Properties": {"LogGroupName": "taken"}}}}))
    stack = wait(cfn, "bad")
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    seen = events(cfn, "bad")
    reason = next(r for i, s, r in seen if s == "CREATE_FAILED")
    assert reason.startswith('Resource handler returned message: "The specified log group '
                             'already exists (Service: CloudWatch Logs, Status Code: 400, ')
    assert "HandlerErrorCode: AlreadyExists)" in reason
    assert ("bad", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: "
            "[Taken]. Rollback requested by user.") in seen
    groups = [g["logGroupName"] for g in logs.describe_log_groups()["logGroups"]]
    assert groups == ["taken"]
    assert "ROLLBACK_COMPLETE state and can not be updated" in refused(
        cfn.update_stack, StackName="bad", TemplateBody=text(GROUP))["Error"]["Message"]
    delete(cfn, stack)
    logs.delete_log_group(logGroupName="taken")


def test_update_fails_and_rolls_back(client):
    cfn, logs = client("cloudformation"), client("logs")

    def template(days, **more):
        return text({"Resources": {
            "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": days}},
            **more}})

    logs.create_log_group(logGroupName="taken")
    cfn.create_stack(StackName="back", TemplateBody=template(7))
    assert wait(cfn, "back")["StackStatus"] == "CREATE_COMPLETE"
    cfn.update_stack(StackName="back", TemplateBody=template(
        3, New={"Type": "AWS::Logs::LogGroup"},
        Taken={"Type": "AWS::Logs::LogGroup", "DependsOn": ["New", "Group"],
               "Properties": {"LogGroupName": "taken"}}))
    stack = wait(cfn, "back")
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", events(cfn, "back")
    groups = {g["logGroupName"]: g.get("retentionInDays")
              for g in logs.describe_log_groups()["logGroups"]}
    assert list(groups.values()) == [7, None] and "taken" in groups
    assert [r["LogicalResourceId"] for r in
            cfn.describe_stack_resources(StackName="back")["StackResources"]] == ["Group"]
    assert cfn.get_template(StackName="back")["TemplateBody"]["Resources"].keys() == {"Group"}
    delete(cfn, stack)
    logs.delete_log_group(logGroupName="taken")


def test_exports_are_protected(client):
    cfn = client("cloudformation")
    cfn.create_stack(StackName="giver", TemplateBody=text({**GROUP, "Outputs": {
        "Name": {"Value": {"Ref": "Group"}, "Export": {"Name": "group-name"}}}}))
    giver = wait(cfn, "giver")
    cfn.create_stack(StackName="taker", TemplateBody=text({"Resources": {
        "Stream": {"Type": "AWS::Logs::LogStream", "Properties": {
            "LogGroupName": {"Fn::ImportValue": "group-name"}}}}}))
    taker = wait(cfn, "taker")
    assert taker["StackStatus"] == "CREATE_COMPLETE", events(cfn, "taker")
    assert cfn.list_imports(ExportName="group-name")["Imports"] == ["taker"]
    cfn.delete_stack(StackName="giver")
    stack = wait(cfn, "giver")
    assert stack["StackStatus"] == "DELETE_FAILED"
    assert stack["StackStatusReason"] == \
        "Export group-name cannot be deleted as it is in use by taker"
    delete(cfn, taker)
    delete(cfn, giver)
    assert not cfn.list_exports()["Exports"]


def test_exports_are_protected_from_the_start(client):
    """A stack that is being made uses already what it names; one that goes exports no more."""
    cfn = client("cloudformation")
    waiting = {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
               "Wait": {"Type": "AWS::CloudFormation::WaitCondition", "Properties": {
                   "Handle": {"Ref": "Handle"}, "Timeout": "600"}}}
    cfn.create_stack(StackName="gives", TemplateBody=text({**GROUP, "Outputs": {
        "O": {"Value": "v", "Export": {"Name": "early"}}}}))
    gives = wait(cfn, "gives")
    cfn.create_stack(StackName="takes", TemplateBody=text({"Resources": {**waiting, "Late": {
        "Type": "AWS::Logs::LogGroup", "DependsOn": "Wait", "Properties": {
            "LogGroupName": {"Fn::ImportValue": "early"}}}}}))
    takes = cfn.describe_stacks(StackName="takes")["Stacks"][0]
    while "Wait" not in [e[0] for e in events(cfn, "takes")]:
        pass
    assert cfn.list_imports(ExportName="early")["Imports"] == ["takes"]
    cfn.delete_stack(StackName="gives")
    assert wait(cfn, "gives")["StackStatusReason"] == (
        "Export early cannot be deleted as it is in use by takes")
    delete(cfn, takes)
    delete(cfn, gives)
    assert cfn.list_exports()["Exports"] == []


def test_change_set_that_an_update_went_past(client):
    cfn = client("cloudformation")
    log = {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 1}}

    def template(days):
        return text({"Resources": {"G": {**log, "Properties": {"RetentionInDays": days}}}})
    cfn.create_stack(StackName="past", TemplateBody=template(1))
    stack = wait(cfn, "past")
    cfn.create_change_set(StackName="past", ChangeSetName="old", TemplateBody=template(3))
    cfn.update_stack(StackName="past", TemplateBody=template(5))
    assert wait(cfn, "past")["StackStatus"] == "UPDATE_COMPLETE"
    assert cfn.describe_change_set(StackName="past", ChangeSetName="old")[
        "ExecutionStatus"] == "OBSOLETE"
    error = refused(cfn.execute_change_set, StackName="past", ChangeSetName="old")["Error"]
    assert error["Code"] == "InvalidChangeSetStatus" and "[OBSOLETE]" in error["Message"]
    delete(cfn, stack)


def test_refusals(client):
    cfn = client("cloudformation")
    bad = text({"Resources": {"X": {"Type": "AWS::S3::NoSuchThing"}}})
    assert refused(cfn.create_stack, StackName="x", TemplateBody=bad)["Error"]["Message"] == \
        "Template format error: Unrecognized resource types: [AWS::S3::NoSuchThing]"
    for prop, said in (("KmsKeyId", "kmsKeyId is not implemented"),):
        cfn.create_stack(StackName="x", OnFailure="DO_NOTHING", TemplateBody=text({
            "Resources": {"G": {"Type": "AWS::Logs::LogGroup", "Properties": {prop: "x"}}}}))
        stack = wait(cfn, "x")
        assert stack["StackStatus"] == "CREATE_FAILED"
        assert any(said in r for _, _, r in events(cfn, "x")), events(cfn, "x")
        delete(cfn, stack)
    cfn.create_stack(StackName="kept", TemplateBody=text(GROUP),
                     EnableTerminationProtection=True)
    stack = wait(cfn, "kept")
    assert "TerminationProtection is enabled" in refused(
        cfn.delete_stack, StackName="kept")["Error"]["Message"]
    assert refused(cfn.create_stack, StackName="kept", TemplateBody=text(GROUP))["Error"][
        "Code"] == "AlreadyExistsException"
    cfn.update_termination_protection(StackName="kept", EnableTerminationProtection=False)
    delete(cfn, stack)
    assert refused(cfn.describe_change_set, StackName="kept", ChangeSetName="none")[
        "ResponseMetadata"]["HTTPStatusCode"] == 404


def test_cdk_sequence(client):
    """What cdk sends for deploy, deploy again, change and destroy."""
    cfn = client("cloudformation")

    def changes(template, kind, **more):
        cfn.delete_change_set(StackName="app", ChangeSetName="cdk-deploy-change-set")
        cfn.create_change_set(
            StackName="app", ChangeSetName="cdk-deploy-change-set", ChangeSetType=kind,
            TemplateBody=template, Capabilities=[
                "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            ClientToken=f"token-{time.monotonic_ns()}", Description="CDK Changeset", **more)
        return cfn.describe_change_set(StackName="app", ChangeSetName="cdk-deploy-change-set")

    assert refused(cfn.describe_stacks, StackName="app")["Error"]["Code"] == "ValidationError"
    first = text({"Resources": {"Group": {"Type": "AWS::Logs::LogGroup"}}})
    made = changes(first, "CREATE", Tags=[{"Key": "Project", "Value": "p"}])
    assert made["Status"] == "CREATE_COMPLETE" and made["ExecutionStatus"] == "AVAILABLE"
    assert [c["ResourceChange"]["Action"] for c in made["Changes"]] == ["Add"]
    assert cfn.describe_stacks(StackName="app")["Stacks"][0]["StackStatus"] == \
        "REVIEW_IN_PROGRESS"
    cfn.execute_change_set(StackName="app", ChangeSetName="cdk-deploy-change-set",
                           ClientRequestToken="run-1")
    stack = wait(cfn, "app")
    assert stack["StackStatus"] == "CREATE_COMPLETE" and stack["ChangeSetId"] == \
        made["ChangeSetId"]
    assert cfn.describe_stack_events(StackName="app")["StackEvents"][0][
        "ClientRequestToken"] == "run-1"
    assert json.dumps(cfn.get_template(StackName="app", TemplateStage="Original")[
        "TemplateBody"]) == first
    empty = changes(first, "UPDATE")
    assert empty["Status"] == "FAILED" and empty["StatusReason"].startswith(
        "The submitted information didn't contain changes.")
    second = changes(text({"Resources": {"Group": {"Type": "AWS::Logs::LogGroup", "Properties": {
        "LogGroupName": "named"}}}}), "UPDATE")
    change = second["Changes"][0]["ResourceChange"]
    assert change["Action"] == "Modify" and change["Replacement"] == "True"
    cfn.execute_change_set(ChangeSetName=second["ChangeSetId"])
    stack = wait(cfn, "app")
    assert stack["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "app")
    groups = client("logs").describe_log_groups()["logGroups"]
    assert [g["logGroupName"] for g in groups] == ["named"]
    assert ("Group", "UPDATE_IN_PROGRESS", "Requested update requires the creation of a new "
            "physical resource; hence creating one.") in events(cfn, "app")
    delete(cfn, stack)


def test_broken_change_of_a_service(client):
    """Tasks that end at once: the circuit breaker trips, the stack goes back."""
    cfn, ecs = client("cloudformation"), client("ecs")
    cfn.create_stack(StackName="trip", TemplateBody=service_template())
    stack = wait(cfn, "trip")
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, "trip")
    before = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in
              cfn.list_stack_resources(StackName="trip")["StackResourceSummaries"]}
    cfn.update_stack(StackName="trip", TemplateBody=service_template(
        Service_DesiredCount=1, Task_ContainerDefinitions=[
            {**SERVICE["Task"]["Properties"]["ContainerDefinitions"][0],
             "Command": ["exit", "7"]}]))
    stack = wait(cfn, "trip", 90)
    seen = events(cfn, "trip")
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", seen
    assert any(s == "UPDATE_FAILED" and "ECS Deployment Circuit Breaker was triggered" in r
               for _, s, r in seen), seen
    after = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in
             cfn.list_stack_resources(StackName="trip")["StackResourceSummaries"]}
    assert after == before
    service = ecs.describe_services(cluster=after["Cluster"],
                                    services=[after["Service"]])["services"][0]
    assert service["taskDefinition"] == before["Task"] and service["desiredCount"] == 0
    assert ecs.describe_task_definition(taskDefinition=before["Task"])[
        "taskDefinition"]["status"] == "ACTIVE"
    delete(cfn, stack)


def test_cli_deploy(daemon, tmp_path, client):
    """aws cloudformation deploy makes, changes, and finds nothing to do."""
    path = tmp_path / "template.yaml"

    def deploy(days):
        # The CLI names a change set by the second.
        now = int(time.time())
        while int(time.time()) == now:
            time.sleep(0.02)
        path.write_text(f"""
Parameters:
  Days: {{Type: Number, Default: {days}}}
Resources:
  Group:
    Type: AWS::Logs::LogGroup
    Properties:
      LogGroupName: !Sub "${{AWS::StackName}}-group"
      RetentionInDays: !Ref Days
Outputs:
  Name:
    Value: !Ref Group
""")
        return daemon.aws("cloudformation", "deploy", "--stack-name", "cli", "--template-file",
                          str(path), "--tags", "Project=p", "--no-fail-on-empty-changeset",
                          "--parameter-overrides", f"Days={days}")
    cfn, logs = client("cloudformation"), client("logs")
    assert "Successfully created/updated stack" in deploy(7)
    assert "Successfully created/updated stack" in deploy(3)
    assert logs.describe_log_groups(logGroupNamePrefix="cli-group")["logGroups"][0][
        "retentionInDays"] == 3
    assert "No changes to deploy" in deploy(3)
    delete(cfn, cfn.describe_stacks(StackName="cli")["Stacks"][0])


def test_many_resources_are_quick(client):
    cfn = client("cloudformation")
    began = time.monotonic()
    cfn.create_stack(StackName="many", TemplateBody=text({"Resources": {
        f"Group{i}": {"Type": "AWS::Logs::LogGroup"} for i in range(200)}}))
    stack = wait(cfn, "many")
    took = time.monotonic() - began
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert took < 10, took
    assert len(events(cfn, "many")) == 602
    delete(cfn, stack)


def test_killed_in_the_middle():
    """A deployment goes on after the daemon was killed, and makes nothing twice."""
    d = conftest.Daemon()
    try:
        cfn = d.client("cloudformation")
        cfn.create_stack(StackName="long", TemplateBody=text({"Resources": {
            f"Group{i}": {"Type": "AWS::Logs::LogGroup",
                          **({"DependsOn": f"Group{i - 1}"} if i else {})}
            for i in range(200)}}))
        for _ in range(3):
            time.sleep(0.02)
            d.kill()
            d.start()
        cfn = d.client("cloudformation")
        stack = wait(cfn, "long")
        assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, "long")
        pages = d.client("logs").get_paginator("describe_log_groups").paginate()
        assert sum(len(p["logGroups"]) for p in pages) == 200
        assert len(events(cfn, "long")) == 602
    finally:
        d.stop()


def test_tags_reach_resources_on_update(client):
    cfn, ec2, logs = client("cloudformation"), client("ec2"), client("logs")
    template = text({"Resources": {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}},
        "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {
            "LogGroupName": "tagged", "Tags": [{"Key": "Own", "Value": "1"}]}}}})
    cfn.create_stack(StackName="tags", TemplateBody=template, Tags=[
        {"Key": "Env", "Value": "a"}, {"Key": "Own", "Value": "stack"}])
    wait(cfn, "tags")
    cfn.update_stack(StackName="tags", UsePreviousTemplate=True, Tags=[
        {"Key": "Env", "Value": "b"}, {"Key": "New", "Value": "c"}])
    stack = wait(cfn, "tags")
    assert stack["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "tags")

    def own(tags):
        return {k: v for k, v in tags.items() if not k.startswith("aws:")}
    vpc = ec2.describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.9.0.0/16"]}])["Vpcs"][0]
    assert own({t["Key"]: t["Value"] for t in vpc["Tags"]}) == {"Env": "b", "New": "c"}
    assert own(logs.list_tags_log_group(logGroupName="tagged")["tags"]) == {
        "Env": "b", "New": "c", "Own": "1"}
    delete(cfn, stack)


def test_kept_resources(client):
    cfn, logs = client("cloudformation"), client("logs")
    cfn.create_stack(StackName="keep", TemplateBody=text({"Resources": {"Group": {
        "Type": "AWS::Logs::LogGroup", "DeletionPolicy": "Retain",
        "Properties": {"LogGroupName": "kept"}}}}))
    stack = wait(cfn, "keep")
    delete(cfn, stack)
    assert ("Group", "DELETE_SKIPPED", "") in events(cfn, stack["StackId"])
    assert logs.describe_log_groups(logGroupNamePrefix="kept")["logGroups"]
    logs.delete_log_group(logGroupName="kept")


def test_no_rollback_and_then_rollback(client):
    cfn, logs = client("cloudformation"), client("logs")
    logs.create_log_group(logGroupName="taken")
    cfn.create_stack(StackName="stay", DisableRollback=True, TemplateBody=text({"Resources": {
        "First": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "first"}},
        "Taken": {"Type": "AWS::Logs::LogGroup", "DependsOn": "First",
                  "Properties": {"LogGroupName": "taken"}}}}))
    stack = wait(cfn, "stay")
    assert stack["StackStatus"] == "CREATE_FAILED"
    assert logs.describe_log_groups(logGroupNamePrefix="first")["logGroups"]
    cfn.rollback_stack(StackName="stay")
    assert wait(cfn, "stay")["StackStatus"] == "ROLLBACK_COMPLETE"
    assert not logs.describe_log_groups(logGroupNamePrefix="first")["logGroups"]
    delete(cfn, stack)
    logs.delete_log_group(logGroupName="taken")


def test_custom_named_resource_is_not_replaced(client):
    cfn = client("cloudformation")

    def template(kind):
        return text({"Resources": {"Group": {"Type": "AWS::Logs::LogGroup", "Properties": {
            "LogGroupName": "mine", **kind}}, "Repo": {
                "Type": "AWS::ECR::Repository", "Properties": {
                    "RepositoryName": "mine", "EncryptionConfiguration": {
                        "EncryptionType": "AES256"}} if kind else {"RepositoryName": "mine"}}}})
    cfn.create_stack(StackName="named", TemplateBody=template({}))
    wait(cfn, "named")
    cfn.update_stack(StackName="named", TemplateBody=template({"RetentionInDays": 3}))
    stack = wait(cfn, "named")
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert any("CloudFormation cannot update a stack when a custom-named resource requires "
               "replacing. Rename mine and update the stack again." in r
               for _, _, r in events(cfn, "named"))
    delete(cfn, stack)


def test_rules_of_a_group_change_in_place(client):
    cfn, ec2 = client("cloudformation"), client("ec2")

    def template(port):
        return text({"Resources": {
            "Vpc": VPC["Vpc"],
            "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {
                "GroupDescription": "g", "VpcId": {"Ref": "Vpc"}, "SecurityGroupIngress": [
                    {"CidrIp": "0.0.0.0/0", "IpProtocol": "tcp", "FromPort": port,
                     "ToPort": port}]}}}})
    cfn.create_stack(StackName="rules", TemplateBody=template(80))
    wait(cfn, "rules")
    first = cfn.describe_stack_resource(StackName="rules", LogicalResourceId="Group")[
        "StackResourceDetail"]["PhysicalResourceId"]
    cfn.update_stack(StackName="rules", TemplateBody=template(81))
    stack = wait(cfn, "rules")
    assert stack["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "rules")
    group = ec2.describe_security_groups(GroupIds=[first])["SecurityGroups"][0]
    assert [p["FromPort"] for p in group["IpPermissions"]] == [81]
    assert len(group["IpPermissionsEgress"]) == 1
    delete(cfn, stack)
