"""CloudFormation: what is there already becomes a stack's."""
import time

import conftest
from cfn import ask, delete, events, physical, reason, refused, text, wait


def group(name, policy="Retain", **props):
    return {"Type": "AWS::Logs::LogGroup", **({"DeletionPolicy": policy} if policy else {}),
            "Properties": {**({"LogGroupName": name} if name else {}), **props}}


def change_set(cfn, resources, to_import, stack="imp", outputs=None, **more):
    return cfn.create_change_set(
        StackName=stack, ChangeSetName=f"c{time.monotonic_ns()}", ChangeSetType="IMPORT",
        TemplateBody=text({"Resources": resources, **({"Outputs": outputs} if outputs else {})}),
        ResourcesToImport=[{"LogicalResourceId": k, "ResourceType": t, "ResourceIdentifier": i}
                           for k, (t, i) in to_import.items()], **more)


LOGS = "AWS::Logs::LogGroup"


def test_import(client):
    """Into a new stack, then into one that is there; tags come with it."""
    cfn, logs, ecr = client("cloudformation"), client("logs"), client("ecr")
    logs.create_log_group(logGroupName="old", tags={"Own": "1"})
    logs.put_retention_policy(logGroupName="old", retentionInDays=7)
    repo = ecr.create_repository(repositoryName="old/repo")["repository"]
    made = change_set(cfn, {"G": group("old", RetentionInDays=7)},
                      {"G": (LOGS, {"LogGroupName": "old"})},
                      Tags=[{"Key": "Project", "Value": "p"}])
    found = cfn.describe_change_set(ChangeSetName=made["Id"])
    change = found["Changes"][0]["ResourceChange"]
    assert found["Status"] == "CREATE_COMPLETE", found
    assert (change["Action"], change["PhysicalResourceId"]) == ("Import", "old")
    cfn.execute_change_set(ChangeSetName=made["Id"])
    stack = wait(cfn, "imp")
    assert stack["StackStatus"] == "IMPORT_COMPLETE", events(cfn, "imp")
    assert events(cfn, "imp")[1:] == [
        ("imp", "IMPORT_IN_PROGRESS", "User Initiated"),
        ("G", "IMPORT_IN_PROGRESS", ""), ("G", "IMPORT_COMPLETE", ""),
        ("G", "UPDATE_IN_PROGRESS",
         "Apply stack-level tags to imported resource if applicable."),
        ("G", "UPDATE_COMPLETE", ""), ("imp", "IMPORT_COMPLETE", "")]
    tags = logs.list_tags_log_group(logGroupName="old")["tags"]
    assert tags["Own"] == "1" and tags["Project"] == "p"
    assert tags["aws:cloudformation:stack-name"] == "imp"
    both = {"G": group("old", RetentionInDays=7), "R": {
        "Type": "AWS::ECR::Repository", "DeletionPolicy": "Delete"}}
    made = change_set(cfn, both, {"R": ("AWS::ECR::Repository", {
        "RepositoryName": "old/repo"})}, Tags=[{"Key": "Project", "Value": "p"}])
    cfn.execute_change_set(ChangeSetName=made["Id"])
    assert wait(cfn, "imp")["StackStatus"] == "IMPORT_COMPLETE", events(cfn, "imp")
    assert physical(cfn, "imp") == {"G": "old", "R": "old/repo"}
    # It is a resource as any other: attributes, updates, deletion.
    cfn.update_stack(StackName="imp", TemplateBody=text({
        "Resources": {"G": group("old", RetentionInDays=3), "R": {
            **both["R"], "Properties": {"ImageTagMutability": "IMMUTABLE"}}},
        "Outputs": {"Uri": {"Value": {"Fn::GetAtt": ["R", "RepositoryUri"]}}}}))
    stack = wait(cfn, "imp")
    assert stack["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "imp")
    assert stack["Outputs"][0]["OutputValue"] == repo["repositoryUri"]
    assert logs.describe_log_groups(logGroupNamePrefix="old")["logGroups"][0][
        "retentionInDays"] == 3
    delete(cfn, stack)
    assert not ecr.describe_repositories()["repositories"]
    assert logs.describe_log_groups(logGroupNamePrefix="old")["logGroups"]
    logs.delete_log_group(logGroupName="old")


def test_import_of_a_network(client):
    cfn, ec2 = client("cloudformation"), client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    made = change_set(cfn, {"V": {"Type": "AWS::EC2::VPC", "DeletionPolicy": "Delete",
                                  "Properties": {"CidrBlock": "10.7.0.0/16"}}},
                      {"V": ("AWS::EC2::VPC", {"VpcId": vpc})}, stack="net")
    cfn.execute_change_set(ChangeSetName=made["Id"])
    stack = wait(cfn, "net")
    assert stack["StackStatus"] == "IMPORT_COMPLETE", events(cfn, "net")
    cfn.update_stack(StackName="net", TemplateBody=text({
        "Resources": {"V": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.7.0.0/16"}},
                      "S": {"Type": "AWS::EC2::Subnet", "Properties": {
                          "VpcId": {"Ref": "V"}, "CidrBlock": "10.7.0.0/24"}}},
        "Outputs": {"G": {"Value": {"Fn::GetAtt": ["V", "DefaultSecurityGroup"]}}}}))
    stack = wait(cfn, "net")
    assert stack["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "net")
    assert stack["Outputs"][0]["OutputValue"].startswith("sg-")
    delete(cfn, stack)


def test_import_fails(client):
    """What is not there, or another's, leaves all as it was."""
    cfn, logs = client("cloudformation"), client("logs")
    logs.create_log_group(logGroupName="there")
    made = change_set(cfn, {"A": group("there"), "B": group("nowhere")}, {
        "A": (LOGS, {"LogGroupName": "there"}), "B": (LOGS, {"LogGroupName": "nowhere"})})
    cfn.execute_change_set(ChangeSetName=made["Id"])
    stack = wait(cfn, "imp")
    assert stack["StackStatus"] == "IMPORT_ROLLBACK_COMPLETE", events(cfn, "imp")
    assert reason(cfn, "imp", "IMPORT_FAILED", "B").startswith(
        "Resource of type 'AWS::Logs::LogGroup' with identifier 'nowhere' was not found.")
    assert not physical(cfn, "imp")
    assert logs.describe_log_groups(logGroupNamePrefix="there")["logGroups"]
    delete(cfn, stack)
    cfn.create_stack(StackName="owner", TemplateBody=text({"Resources": {
        "G": {"Type": LOGS, "Properties": {"LogGroupName": "owned"}}}}))
    owner = wait(cfn, "owner")
    made = change_set(cfn, {"A": group("owned")}, {"A": (LOGS, {"LogGroupName": "owned"})})
    cfn.execute_change_set(ChangeSetName=made["Id"])
    stack = wait(cfn, "imp")
    assert stack["StackStatus"] == "IMPORT_ROLLBACK_COMPLETE"
    assert reason(cfn, "imp", "IMPORT_FAILED", "A") == \
        f"owned already exists in stack {owner['StackId']}"
    delete(cfn, stack)
    delete(cfn, owner)
    logs.delete_log_group(logGroupName="there")


def test_refusals(client):
    cfn = client("cloudformation")

    def said(resources, to_import, **more):
        return refused(lambda: change_set(cfn, resources, to_import, **more))["Error"]["Message"]
    assert said({"A": group("x", policy=None), "B": group("y")}, {
        "A": (LOGS, {"LogGroupName": "x"}), "B": (LOGS, {"LogGroupName": "y"})}) == \
        "The following resources to import [A] must have DeletionPolicy attribute specified in " \
        "the template."
    assert "not in the template" in said({"A": group("x")}, {"B": (LOGS, {"LogGroupName": "x"})})
    assert "exactly" in said({"A": group("x")}, {"A": (LOGS, {"Name": "x"})})
    handle = "AWS::CloudFormation::WaitConditionHandle"
    assert said({"A": {"Type": handle, "DeletionPolicy": "Retain"}}, {
        "A": (handle, {"Id": "x"})}) == f"ResourceTypes [{handle}] are not supported for Import"
    made = change_set(cfn, {"A": group("x"), "B": group("y")},
                      {"A": (LOGS, {"LogGroupName": "x"})})
    found = cfn.describe_change_set(ChangeSetName=made["Id"])
    assert found["Status"] == "FAILED" and found["StatusReason"] == \
        "You have modified resources [B] in your template that are not being imported. Update, " \
        "create or delete operations cannot be executed during import operations."
    made = change_set(cfn, {"A": group("x")}, {"A": (LOGS, {"LogGroupName": "x"})},
                      outputs={"O": {"Value": "1"}})
    assert cfn.describe_change_set(ChangeSetName=made["Id"])["StatusReason"] == \
        "As part of the import operation, you cannot modify or add [Outputs]"
    delete(cfn, cfn.describe_stacks(StackName="imp")["Stacks"][0])
    summary = cfn.get_template_summary(TemplateBody=text({"Resources": {"A": group("x")}}))
    assert summary["ResourceIdentifierSummaries"] == [{
        "ResourceType": LOGS, "LogicalResourceIds": ["A"],
        "ResourceIdentifiers": ["LogGroupName"]}]


def test_existing_resources_are_found(daemon, client):
    cfn, logs = client("cloudformation"), client("logs")
    logs.create_log_group(logGroupName="found")

    def create(**resources):
        _, made = ask(daemon, "CreateChangeSet", StackName="ex", ChangeSetName="c",
                      ChangeSetType="CREATE", ImportExistingResources="true",
                      TemplateBody=text({"Resources": resources}))
        return cfn.describe_change_set(ChangeSetName=made.find(".//Id").text)
    found = create(A=group("found", policy=None))
    assert found["Status"] == "FAILED" and found["StatusReason"].endswith(
        "The affected resources are A ({LogGroupName=found})")
    cfn.delete_change_set(ChangeSetName=found["ChangeSetId"])
    found = create(A=group("found"), B=group("new"), C=group(None, policy="Delete"))
    assert {c["ResourceChange"]["LogicalResourceId"]: c["ResourceChange"]["Action"]
            for c in found["Changes"]} == {"A": "Import", "B": "Add", "C": "Add"}
    cfn.execute_change_set(ChangeSetName=found["ChangeSetId"])
    stack = wait(cfn, "ex")
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, "ex")
    assert ("A", "IMPORT_COMPLETE", "") in events(cfn, "ex")
    delete(cfn, stack)
    assert {g["logGroupName"] for g in logs.describe_log_groups()["logGroups"]} == {
        "found", "new"}
    for name in ("found", "new"):
        logs.delete_log_group(logGroupName=name)


def test_killed_in_the_middle():
    d = conftest.Daemon()
    try:
        logs = d.client("logs")
        for i in range(120):
            logs.create_log_group(logGroupName=f"g{i}")
        made = change_set(d.client("cloudformation"), {
            f"G{i}": {**group(f"g{i}"), **({"DependsOn": f"G{i - 1}"} if i else {})}
            for i in range(120)}, {f"G{i}": (LOGS, {"LogGroupName": f"g{i}"})
                                   for i in range(120)})
        d.client("cloudformation").execute_change_set(ChangeSetName=made["Id"])
        for _ in range(3):
            d.kill()
            d.start()
            time.sleep(0.02)
        cfn = d.client("cloudformation")
        assert wait(cfn, "imp")["StackStatus"] == "IMPORT_COMPLETE", events(cfn, "imp")
        assert len(events(cfn, "imp")) == 1 + 2 + 4 * 120
    finally:
        d.stop()
