"""CloudFormation: every way a stack can fail, and the way out of it."""
from cfn import GROUP, ask, delete, events, physical, reason, refused, text, wait


def group(name=None, days=None, **more):
    props = {**({"LogGroupName": name} if name else {}),
             **({"RetentionInDays": days} if days else {})}
    return {"Type": "AWS::Logs::LogGroup", "Properties": props, **more}


def stream(of, **more):
    return {"Type": "AWS::Logs::LogStream", "Properties": {"LogGroupName": of}, **more}


def groups(client):
    return {g["logGroupName"]: g.get("retentionInDays")
            for g in client("logs").describe_log_groups()["logGroups"]}


def test_update_of_a_stack_that_never_was_complete(client):
    """CREATE_FAILED may be updated; without a stable state a roll-back empties it."""
    cfn = client("cloudformation")
    bad = {"First": group("first"), "Bad": stream("none", DependsOn="First")}
    cfn.create_stack(StackName="never", DisableRollback=True, TemplateBody=text(
        {"Resources": bad}))
    assert wait(cfn, "never")["StackStatus"] == "CREATE_FAILED"
    cfn.update_stack(StackName="never", DisableRollback=True, TemplateBody=text(
        {"Resources": {**bad, "Second": group("second", DependsOn="First")}}))
    stack = wait(cfn, "never")
    assert stack["StackStatus"] == "UPDATE_FAILED", events(cfn, "never")
    assert set(groups(client)) >= {"first"}
    cfn.rollback_stack(StackName="never")
    assert wait(cfn, "never")["StackStatus"] == "ROLLBACK_COMPLETE"
    assert not groups(client)
    delete(cfn, stack)


def test_update_failed_is_mended(client):
    """After a failure that stays, a good template makes the stack complete."""
    cfn = client("cloudformation")
    cfn.create_stack(StackName="mend", DisableRollback=True, TemplateBody=text(
        {"Resources": {"First": group("first"), "Bad": stream("none", DependsOn="First")}}))
    assert wait(cfn, "mend")["StackStatus"] == "CREATE_FAILED"
    cfn.update_stack(StackName="mend", TemplateBody=text(
        {"Resources": {"First": group("first"), "Bad": stream({"Ref": "First"})}}))
    stack = wait(cfn, "mend")
    assert stack["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "mend")
    delete(cfn, stack)


def test_rollback_after_update_failed(client):
    cfn = client("cloudformation")
    cfn.create_stack(StackName="uf", TemplateBody=text({"Resources": {"A": group("a", 7)}}))
    wait(cfn, "uf")
    cfn.update_stack(StackName="uf", DisableRollback=True, TemplateBody=text(
        {"Resources": {"A": group("a", 3), "Bad": stream("none", DependsOn="A")}}))
    stack = wait(cfn, "uf")
    assert stack["StackStatus"] == "UPDATE_FAILED" and stack["DisableRollback"]
    assert groups(client) == {"a": 3}
    cfn.rollback_stack(StackName="uf", ClientRequestToken="back")
    assert wait(cfn, "uf")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", events(cfn, "uf")
    cfn.rollback_stack(StackName="uf", ClientRequestToken="back")
    assert groups(client) == {"a": 7}
    assert "can only be performed on stacks in UPDATE_FAILED or CREATE_FAILED" in refused(
        cfn.rollback_stack, StackName="uf")["Error"]["Message"]
    delete(cfn, stack)


def test_continue_rollback(client):
    """What cannot go back is skipped on demand."""
    cfn, logs = client("cloudformation"), client("logs")

    def template(days, **more):
        return text({"Resources": {"A": group("a", days), "B": group("b", days), **more}})
    cfn.create_stack(StackName="stuck", TemplateBody=template(7))
    wait(cfn, "stuck")
    cfn.update_stack(StackName="stuck", TemplateBody=template(3, Wait={
        "Type": "AWS::CloudFormation::WaitConditionHandle"}, Bad={
        "Type": "AWS::CloudFormation::WaitCondition", "DependsOn": ["A", "B"],
        "Properties": {"Handle": {"Ref": "Wait"}, "Timeout": "1", "Count": 1}}))
    while groups(client) != {"a": 3, "b": 3}:
        pass
    logs.delete_log_group(logGroupName="a")
    stack = wait(cfn, "stuck")
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_FAILED", events(cfn, "stuck")
    assert "can not be updated" in refused(
        cfn.update_stack, StackName="stuck", TemplateBody=template(1))["Error"]["Message"]
    assert "cannot be skipped" in refused(
        cfn.continue_update_rollback, StackName="stuck", ResourcesToSkip=["B"])["Error"]["Message"]
    cfn.continue_update_rollback(StackName="stuck")
    assert wait(cfn, "stuck")["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    cfn.continue_update_rollback(StackName="stuck", ResourcesToSkip=["A"])
    assert wait(cfn, "stuck")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", events(cfn, "stuck")
    assert groups(client) == {"b": 7}
    delete(cfn, stack)


def test_on_failure(daemon, client):
    cfn = client("cloudformation")
    bad = text({"Resources": {"First": group("first"), "Bad": stream("none", DependsOn="First")}})
    made = cfn.create_stack(StackName="gone", OnFailure="DELETE", TemplateBody=bad)
    assert wait(cfn, made["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    for on, status in (("DO_NOTHING", "CREATE_FAILED"), ("ROLLBACK", "ROLLBACK_COMPLETE"),
                       ("DELETE", "DELETE_COMPLETE")):
        code, made = ask(daemon, "CreateChangeSet", StackName="set", ChangeSetName="c",
                         ChangeSetType="CREATE", TemplateBody=bad, OnStackFailure=on)
        assert code == 200, made.find(".//Message").text
        cfn.execute_change_set(ChangeSetName=made.find(".//Id").text)
        stack = wait(cfn, made.find(".//StackId").text)
        assert stack["StackStatus"] == status, events(cfn, stack["StackId"])
        if on != "DELETE":
            delete(cfn, stack)
    assert not groups(client)


def test_forced_deletion(daemon, client):
    cfn, ecr = client("cloudformation"), client("ecr")
    cfn.create_stack(StackName="force", TemplateBody=text({"Resources": {
        "Repo": {"Type": "AWS::ECR::Repository", "Properties": {"RepositoryName": "force"}},
        "A": group("a")}}))
    stack = wait(cfn, "force")
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, "force")
    code, no = ask(daemon, "DeleteStack", StackName="force", DeletionMode="FORCE_DELETE_STACK")
    assert code == 400 and "DELETE_FAILED state" in no.find(".//Message").text
    manifest = '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",' \
        '"manifests":[]}'
    ecr.put_image(repositoryName="force", imageTag="x", imageManifest=manifest,
                  imageManifestMediaType="application/vnd.oci.image.index.v1+json")
    cfn.delete_stack(StackName="force")
    assert wait(cfn, "force")["StackStatus"] == "DELETE_FAILED", events(cfn, "force")
    assert "HandlerErrorCode: GeneralServiceException" in reason(
        cfn, "force", "DELETE_FAILED", "Repo")
    ask(daemon, "DeleteStack", StackName="force", DeletionMode="FORCE_DELETE_STACK")
    assert wait(cfn, stack["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    ecr.delete_repository(repositoryName="force", force=True)


def test_create_only_inside_of_a_property(client):
    """A change of a member that is create-only makes a new resource."""
    cfn = client("cloudformation")

    def template(kind):
        return text({"Resources": {"Repo": {"Type": "AWS::ECR::Repository", "Properties": {
            "EncryptionConfiguration": {"EncryptionType": kind}}}}})
    cfn.create_stack(StackName="inner", TemplateBody=template("AES256"))
    stack = wait(cfn, "inner")
    before = physical(cfn, "inner")
    cfn.update_stack(StackName="inner", TemplateBody=template("KMS"))
    assert wait(cfn, "inner")["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "inner")
    assert physical(cfn, "inner") != before
    assert len(client("ecr").describe_repositories()["repositories"]) == 1
    delete(cfn, stack)


def test_words_of_operations(daemon, client):
    """Operations have ids; hooks have never run; what is not there is named."""
    cfn = client("cloudformation")
    _, made = ask(daemon, "CreateStack", StackName="ops", TemplateBody=text(GROUP),
                  DeploymentConfig_Mode="STANDARD", Parameters="")
    stack = wait(cfn, "ops")
    operation = made.find(".//OperationId").text
    _, seen = ask(daemon, "DescribeStacks", StackName="ops")
    assert [m.text for m in seen.find(".//LastOperations/member")] == ["CREATE_STACK", operation]
    _, found = ask(daemon, "DescribeEvents", OperationId=operation)
    found = found.findall(".//OperationEvents/member")
    assert found[0].find("OperationStatus").text == "SUCCEEDED" and len(found) == 5
    _, found = ask(daemon, "DescribeEvents", StackName="ops", Filters_FailedEvents="true")
    assert not found.findall(".//OperationEvents/member")
    made = cfn.create_change_set(StackName="ops", ChangeSetName="c", TemplateBody=text(
        {"Resources": {"A": group("a")}}))
    for action, member in (("DescribeEvents", "OperationEvents"),
                           ("DescribeChangeSetHooks", "Hooks")):
        code, found = ask(daemon, action, ChangeSetName=made["Id"])
        assert code == 200 and not found.findall(f".//{member}/member")
    assert ask(daemon, "ListHookResults", TargetType="CHANGE_SET", TargetId=made["Id"])[0] == 200
    code, no = ask(daemon, "GetHookResult", HookResultId="00000000-0000-0000-0000-000000000000")
    assert (code, no.find(".//Code").text) == (404, "HookResultNotFound")
    code, no = ask(daemon, "EstimateTemplateCost", TemplateBody=text(GROUP))
    assert (code, no.find(".//Code").text) == (501, "NotImplemented")
    assert "EstimateTemplateCost" in no.find(".//Message").text
    assert refused(cfn.update_stack, StackName="ops", TemplateBody=text({"Resources": {"B": group(
        "b", DeletionPolicy="Snapshot")}}))["Error"]["Message"] == "Template error: resource " \
        "type AWS::Logs::LogGroup does not support deletion policy Snapshot"
    delete(cfn, stack)


def test_role(daemon, client):
    """The role of the stack is kept and shown, and must be there."""
    cfn, iam = client("cloudformation"), client("iam")
    role = iam.create_role(RoleName="cfn-exec", AssumeRolePolicyDocument=text({
        "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"Service": "cloudformation.amazonaws.com"}}]}))["Role"]["Arn"]
    for bad in (role + "x", role.replace("role/", "role/path/"), role.replace("1234", "4321")):
        for call, more in ((cfn.create_stack, {}), (cfn.create_change_set, {
                "ChangeSetName": "c", "ChangeSetType": "CREATE"})):
            assert refused(call, StackName="role", TemplateBody=text(GROUP), RoleARN=bad, **more)[
                "Error"]["Message"] == f"Role {bad} is invalid or cannot be assumed"
    cfn.create_stack(StackName="role", TemplateBody=text(GROUP), RoleARN=role)
    assert wait(cfn, "role")["RoleARN"] == role
    cfn.update_stack(StackName="role", TemplateBody=text({"Resources": {"A": group("a")}}))
    stack = wait(cfn, "role")
    assert stack["RoleARN"] == role
    assert "invalid or cannot be assumed" in refused(
        cfn.delete_stack, StackName="role", RoleARN=role + "x")["Error"]["Message"]
    cfn.delete_stack(StackName="role", RoleARN=role)
    assert wait(cfn, stack["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    iam.delete_role(RoleName="cfn-exec")


def test_replaced_twice_and_back(client):
    """What two failed updates replaced goes back to what it was before both."""
    cfn = client("cloudformation")

    def template(name, days, **more):
        return text({"Resources": {"A": group(name, days), **more}})
    bad = {"Bad": stream("none", DependsOn="A")}
    cfn.create_stack(StackName="twice", TemplateBody=template("one", 7))
    assert wait(cfn, "twice")["StackStatus"] == "CREATE_COMPLETE"
    for name in ("two", "three"):
        cfn.update_stack(StackName="twice", DisableRollback=True,
                         TemplateBody=template(name, 7, **bad))
        stack = wait(cfn, "twice")
        assert stack["StackStatus"] == "UPDATE_FAILED", events(cfn, "twice")
    assert set(groups(client)) == {"one", "two", "three"}
    cfn.rollback_stack(StackName="twice")
    assert wait(cfn, "twice")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", events(cfn, "twice")
    assert physical(cfn, "twice") == {"A": "one"}
    assert groups(client) == {"one": 7}
    delete(cfn, stack)
    assert not groups(client)


def test_changed_then_replaced_and_back(client):
    """What was changed before it was replaced goes back to how it was at first."""
    cfn = client("cloudformation")

    def template(name, days, **more):
        return text({"Resources": {"A": group(name, days), **more}})
    bad = {"Bad": stream("none", DependsOn="A")}
    cfn.create_stack(StackName="both", TemplateBody=template("one", 7))
    assert wait(cfn, "both")["StackStatus"] == "CREATE_COMPLETE"
    for name in ("one", "two"):
        cfn.update_stack(StackName="both", DisableRollback=True,
                         TemplateBody=template(name, 3, **bad))
        stack = wait(cfn, "both")
        assert stack["StackStatus"] == "UPDATE_FAILED", events(cfn, "both")
    assert groups(client) == {"one": 3, "two": 3}
    cfn.rollback_stack(StackName="both")
    assert wait(cfn, "both")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", events(cfn, "both")
    assert groups(client) == {"one": 7}
    delete(cfn, stack)


def test_replaced_twice_and_forward(client):
    """What two updates replaced is gone when a third one is complete."""
    cfn = client("cloudformation")
    cfn.create_stack(StackName="fwd", TemplateBody=text({"Resources": {"A": group("one", 7)}}))
    wait(cfn, "fwd")
    for name in ("two", "three"):
        cfn.update_stack(StackName="fwd", DisableRollback=True, TemplateBody=text(
            {"Resources": {"A": group(name, 7), "Bad": stream("none", DependsOn="A")}}))
        assert wait(cfn, "fwd")["StackStatus"] == "UPDATE_FAILED", events(cfn, "fwd")
    cfn.update_stack(StackName="fwd", TemplateBody=text({"Resources": {"A": group("three", 7)}}))
    stack = wait(cfn, "fwd")
    assert stack["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "fwd")
    assert groups(client) == {"three": 7}
    delete(cfn, stack)
    assert not groups(client)


def test_retain_except_on_create(daemon, client):
    """What an update made and takes back is not kept, though it would be later on."""
    cfn = client("cloudformation")
    keep = {"DeletionPolicy": "RetainExceptOnCreate"}
    cfn.create_stack(StackName="keep", TemplateBody=text(
        {"Resources": {"A": group("a", **keep)}}))
    wait(cfn, "keep")
    bad = text({"Resources": {
        "A": group("a", **keep), "B": group("b", **keep), "C": group("c", DeletionPolicy="Retain"),
        "Bad": stream("none", DependsOn=["B", "C"])}})
    for more, left in (({}, {"a", "c"}), ({"RetainExceptOnCreate": "true"}, {"a"})):
        assert ask(daemon, "UpdateStack", StackName="keep", TemplateBody=bad, **more)[0] == 200
        stack = wait(cfn, "keep")
        assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", events(cfn, "keep")
        assert set(groups(client)) == left
        if "c" in left:
            client("logs").delete_log_group(logGroupName="c")
    assert ask(daemon, "UpdateStack", StackName="keep", RetainExceptOnCreate="true",
               TemplateBody=text({"Resources": {"D": group("d", DeletionPolicy="Retain")}}))[0] == 200
    assert wait(cfn, "keep")["StackStatus"] == "UPDATE_COMPLETE"
    assert set(groups(client)) == {"a", "d"}
    delete(cfn, stack)
    assert set(groups(client)) == {"a", "d"}
