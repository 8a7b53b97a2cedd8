"""Secrets in real tasks: in the process, and nowhere else."""
import json
import pathlib
import subprocess
import uuid

import botocore.exceptions
import pytest
from conftest import ACCOUNT, BUILD
from test_tasks import define, ident, pytestmark, run, service, task, until, up, wait  # noqa: F401

ROLE = f"arn:aws:iam::{ACCOUNT}:role/app/execution"
HEAD = ("ResourceInitializationError: unable to pull secrets or registry auth: execution resource "
        "retrieval failed: unable to retrieve ")
RETRIED = "service call has been retried 1 time(s): "
OPEN, TOKEN, PASSWORD, OLD = (f"{n}-{uuid.uuid4()}" for n in ("open", "token", "password", "old"))


@pytest.fixture(scope="module")
def kept(up):  # noqa: F811
    """What tasks take their secrets from."""
    ssm, sm = up.client("ssm"), up.client("secretsmanager")
    account = up.client("sts").get_caller_identity()["Account"]
    key = up.client("kms").create_key()["KeyMetadata"]["KeyId"]
    ssm.put_parameter(Name="/app/open", Value=OPEN, Type="String")
    ssm.put_parameter(Name="/app/token", Value=TOKEN, Type="SecureString")
    up.client("ssm", "eu-west-1").put_parameter(Name="there", Value="far", Type="SecureString")
    old = sm.create_secret(Name="app/db", KmsKeyId=key,
                           SecretString=json.dumps({"password": OLD, "port": 5432}))
    sm.put_secret_value(SecretId="app/db", SecretString=json.dumps(
        {"password": PASSWORD, "port": 5433}))
    plain = sm.create_secret(Name="app/plain", SecretString="plain")["ARN"]
    return {"account": account, "db": old["ARN"], "v1": old["VersionId"], "plain": plain}


def secret(**sources):
    return {"secrets": [{"name": k, "valueFrom": v} for k, v in sources.items()], "stopTimeout": 0}


def refused(up, *containers, **kw):  # noqa: F811
    with pytest.raises(botocore.exceptions.ClientError) as e:
        define(up, *containers, **kw)
    assert e.value.response["Error"]["Code"] == "ClientException"
    return e.value.response["Error"]["Message"]


def environ(pid):
    text = pathlib.Path(f"/proc/{pid}/environ").read_bytes().decode()
    return dict(v.split("=", 1) for v in text.split("\0") if v)


def holders(top, *values):
    """Files below that have one of the values in them."""
    wanted = [v.encode() for v in values]
    found = []
    for p in pathlib.Path(top).rglob("*"):
        try:
            if p.is_file() and not p.is_symlink() and any(w in p.read_bytes() for w in wanted):
                found.append(p)
        except OSError:
            continue
    return found


def test_in_the_process_and_nowhere_else(up, kept):  # noqa: F811
    arn = run(up, ("app", "sleep 1000", {
        "environment": [{"name": "PLAIN", "value": "1"}],
        "healthCheck": {"command": ["CMD-SHELL", "test -n \"$TOKEN\""], "interval": 5},
        **secret(OPEN="/app/open", TOKEN="/app/token", DB=kept["db"],
                 PASSWORD=kept["db"] + ":password::", PORT=kept["db"] + ":port::",
                 OLD=kept["db"] + ":password:AWSPREVIOUS:",
                 FIRST=kept["db"] + f":password::{kept['v1']}",
                 PARTIAL=kept["plain"][:-7],
                 FAR=f"arn:aws:ssm:eu-west-1:{kept['account']}:parameter/there")}),
        ("other", "sleep 1000", {"stopTimeout": 0}), executionRoleArn=ROLE)
    t = wait(up, "running", arn)[0]
    pids = {k.split("-")[1]: p for k, p in up.containers().items() if k.startswith(ident(arn))}
    env = environ(pids["0"])
    assert {k: env[k] for k in ("PLAIN", "OPEN", "TOKEN", "PASSWORD", "PORT", "OLD", "FIRST",
                                "PARTIAL", "FAR")} == {
        "PLAIN": "1", "OPEN": OPEN, "TOKEN": TOKEN, "PASSWORD": PASSWORD, "PORT": "5433",
        "OLD": OLD, "FIRST": OLD, "PARTIAL": "plain", "FAR": "far"}
    assert json.loads(env["DB"])["password"] == PASSWORD
    assert "TOKEN" not in environ(pids["1"])
    # A health check runs in the same environment.
    until(lambda: task(up, arn)["healthStatus"] == "HEALTHY")
    secrets = (TOKEN, PASSWORD, OLD)
    definition = up.ecs.describe_task_definition(taskDefinition=t["taskDefinitionArn"])
    assert {"name": "TOKEN", "valueFrom": "/app/token"} in definition["taskDefinition"][
        "containerDefinitions"][0]["secrets"]
    assert {"ecs.capability.secrets.ssm.environment-variables",
            "ecs.capability.secrets.asm.environment-variables"} <= {
        a["name"] for a in definition["taskDefinition"]["requiresAttributes"]}
    dump = subprocess.run([BUILD / "neargate", "dump", "--instance", up.name],
                          capture_output=True, text=True, timeout=60)
    assert dump.returncode == 0 and ident(arn) in dump.stdout
    shown = json.dumps([t, definition], default=str) + dump.stdout + up.log()
    assert not any(s in shown for s in secrets)
    # On disk: with the container alone, root's alone, and gone with it.
    where = f"/run/neargate-{up.name}"
    assert not holders(up.state, *secrets)
    found = holders(where, *secrets)
    assert found and all(p.stat().st_mode & 0o077 == 0 and p.stat().st_uid == 0 for p in found)
    tops = {pathlib.Path(where, p.relative_to(where).parts[0]) for p in found}
    assert all(p.stat().st_mode & 0o077 == 0 and p.stat().st_uid == 0 for p in tops)
    up.ecs.stop_task(cluster="c", task=arn)
    wait(up, "stopped", arn)
    assert not holders(where, *secrets) and not holders(up.state, *secrets)


def test_read_at_the_start(up, kept):  # noqa: F811
    """The next task has the new value; one that runs keeps its own, whoever restarts."""
    ssm = up.client("ssm")
    ssm.put_parameter(Name="/app/turn", Value="one", Type="SecureString")
    definition = define(up, ("app", "sleep 1000", secret(TURN="/app/turn")), executionRoleArn=ROLE)

    def start():
        arn = up.ecs.run_task(cluster="c", taskDefinition=definition, launchType="FARGATE",
                              networkConfiguration=up.net)["tasks"][0]["taskArn"]
        wait(up, "running", arn)
        return arn

    def value(arn):
        return environ(up.containers()[ident(arn) + "-0"])["TURN"]

    first = start()
    ssm.put_parameter(Name="/app/turn", Value="two", Overwrite=True)
    second = start()
    up.kill_daemon()
    third = start()
    assert [value(a) for a in (first, second, third)] == ["one", "two", "two"]
    for a in (first, second, third):
        up.ecs.stop_task(cluster="c", task=a)
    wait(up, "stopped", first, second, third)


def test_what_is_not_to_be_had(up, kept):  # noqa: F811
    """Nothing starts, and ECS's words say why."""
    sm = up.client("secretsmanager")
    sm.create_secret(Name="doomed", SecretString="x")
    doomed = sm.delete_secret(SecretId="doomed")["ARN"]
    none = kept["db"].replace("app/db", "app/none")
    not_found = "ResourceNotFoundException: Secrets Manager can't find the specified secret"
    cases = {
        ("/app/none", "/app/token", "/app/no2"):
            "secrets from ssm: " + RETRIED + "invalid ssm parameters: /app/none,/app/no2",
        (none,): f"secret from asm: {RETRIED}failed to fetch secret {none} from secrets manager: "
                 f"{not_found}.",
        (kept["db"] + "::NEXT:",): f"secret from asm: {RETRIED}failed to fetch secret {kept['db']} "
                                   f"from secrets manager: {not_found} value for staging label: "
                                   "NEXT",
        (kept["db"] + ":none::",): f"secret from asm: {RETRIED}retrieved secret from Secrets "
                                   "Manager did not contain json key none",
        (kept["plain"] + ":key::",): f"secret from asm: {RETRIED}retrieved secret from Secrets "
                                     "Manager is not a JSON object",
        (doomed,): f"secret from asm: {RETRIED}failed to fetch secret {doomed} from secrets "
                   "manager: InvalidRequestException: You can't perform this operation on the "
                   "secret because it was marked for deletion.",
    }
    arns = {k: run(up, ("first", "sleep 1000"),
                   ("app", "sleep 1000", secret(**{f"S{i}": v for i, v in enumerate(k)})),
                   executionRoleArn=ROLE) for k in cases}
    for k, arn in arns.items():
        t = wait(up, "stopped", arn)[0]
        assert (t["stopCode"], t["stoppedReason"]) == ("TaskFailedToStart", HEAD + cases[k])
        assert not any("runtimeId" in c for c in t["containers"])


def test_registration(up, kept):  # noqa: F811
    one = secret(TOKEN="/app/token")
    assert refused(up, ("app", None, one)) == (
        "When you are specifying container secrets, you must also specify a value for "
        "'executionRoleArn'.")
    shared = ("The secret name must be unique and not shared with any new or existing environment "
              "variables set on the container, such as 'TOKEN'.")
    clash = {**one, "environment": [{"name": "TOKEN", "value": "x"}]}
    assert refused(up, ("app", None, clash), executionRoleArn=ROLE) == shared
    assert refused(up, ("app", None, {"secrets": one["secrets"] * 2}),
                   executionRoleArn=ROLE) == shared
    for bad in ("app/db:password::", "a b", "x" * 2049, kept["db"] + ":::::", "arn:aws:s3:::x",
                kept["db"].replace(":secret:", ":other:"), "arn:aws:ssm:::parameter/x"):
        assert refused(up, ("app", None, secret(X=bad)), executionRoleArn=ROLE).startswith(
            "The Systems Manager parameter name specified for secret X is invalid.")
    with pytest.raises(botocore.exceptions.ClientError) as e:
        up.ecs.run_task(cluster="c", launchType="FARGATE", networkConfiguration=up.net,
                        taskDefinition=define(up, ("app", None, one), executionRoleArn=ROLE),
                        overrides={"containerOverrides": [{
                            "name": "app", "environment": [{"name": "TOKEN", "value": "x"}]}]})
    assert e.value.response["Error"]["Message"] == shared


def test_service(up, kept):  # noqa: F811
    """A missing one trips the circuit breaker, and the old tasks serve on."""
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    good = define(up, ("app", "sleep 1000", secret(T="/app/token")), executionRoleArn=ROLE)
    up.ecs.create_service(cluster="c", serviceName="web", taskDefinition=good, desiredCount=1,
                          launchType="FARGATE", networkConfiguration=up.net,
                          deploymentConfiguration=breaker)
    until(lambda: service(up)["deployments"][0]["rolloutState"] == "COMPLETED")
    bad = define(up, ("app", "sleep 1000", secret(T="/app/nowhere")), executionRoleArn=ROLE)
    up.ecs.update_service(cluster="c", service="web", taskDefinition=bad)
    until(lambda: [d["rolloutState"] for d in service(up)["deployments"]] == ["COMPLETED"] and
          service(up)["taskDefinition"] == good)
    s = service(up)
    said = [e["message"] for e in s["events"]]
    assert sum(m == "(service web) was unable to place a task. Reason: " + HEAD + "secrets from "
               f"ssm: {RETRIED}invalid ssm parameters: /app/nowhere." for m in said) >= 3, said
    assert any("rolling back to (deployment" in m for m in said)
    assert s["runningCount"] == 1
    up.ecs.delete_service(cluster="c", service="web", force=True)
    until(lambda: service(up)["runningCount"] == 0)
