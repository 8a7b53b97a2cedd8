"""CloudWatch Logs through boto3 and the AWS CLI; container output as events."""
import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.request

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
import pytest

from conftest import ACCOUNT, KEY, REGION, SECRET, Daemon


def code(call, **kw):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**kw)
    return e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]


def raw(daemon, op, **body):
    """For what Debian's botocore does not know yet."""
    r = botocore.awsrequest.AWSRequest(
        "POST", daemon.endpoint, data=json.dumps(body).encode(),
        headers={"Content-Type": "application/x-amz-json-1.1",
                 "X-Amz-Target": "Logs_20140328." + op})
    botocore.auth.SigV4Auth(botocore.credentials.Credentials(KEY, SECRET), "logs",
                            REGION).add_auth(r)
    p = r.prepare()
    q = urllib.request.Request(p.url, data=p.body, headers=dict(p.headers.items()))
    with urllib.request.urlopen(q) as f:
        return json.load(f)


def now():
    return int(time.time() * 1000)


@pytest.fixture
def logs(client):
    return client("logs")


@pytest.fixture
def group(logs, request):
    name = "/test/" + request.node.name
    logs.create_log_group(logGroupName=name)
    yield name
    logs.delete_log_group(logGroupName=name)


@pytest.fixture
def stream(logs, group):
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    return {"logGroupName": group, "logStreamName": "s"}


def put(logs, stream, *events):
    return logs.put_log_events(
        **stream, logEvents=[{"timestamp": t, "message": m} for t, m in events])


def test_groups(daemon, logs):
    arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/g/a"
    before = now()
    logs.create_log_group(logGroupName="/g/a", tags={"env": "x"})
    assert code(logs.create_log_group, logGroupName="/g/a") == (
        "ResourceAlreadyExistsException", "The specified log group already exists")
    g, = raw(daemon, "DescribeLogGroups", logGroupNamePrefix="/g/")["logGroups"]
    assert before <= g.pop("creationTime") <= now()
    assert g == {"logGroupName": "/g/a", "metricFilterCount": 0, "arn": arn + ":*",
                 "logGroupArn": arn, "storedBytes": 0, "logGroupClass": "STANDARD"}
    logs.put_retention_policy(logGroupName="/g/a", retentionInDays=7)
    g, = raw(daemon, "DescribeLogGroups", logGroupIdentifiers=[arn])["logGroups"]
    assert g["retentionInDays"] == 7
    logs.delete_retention_policy(logGroupName="/g/a")
    g, = logs.describe_log_groups(logGroupNamePrefix="/g/a")["logGroups"]
    assert "retentionInDays" not in g
    c, m = code(logs.put_retention_policy, logGroupName="/g/a", retentionInDays=8)
    assert c == "InvalidParameterException" and m.startswith(
        "1 validation error detected: Value '8' at 'retentionInDays' failed to satisfy "
        "constraint: Member must satisfy enum value set: [1, 3, 5, 7, ")
    assert code(logs.put_retention_policy, logGroupName="none", retentionInDays=1) == (
        "ResourceNotFoundException", "The specified log group does not exist.")
    assert code(logs.create_log_group, logGroupName="aws/x")[1] == (
        "Log groups starting with AWS/ are reserved for AWS.")
    assert code(logs.create_log_group, logGroupName="/g/k", kmsKeyId="k")[0] == "NotImplemented"
    logs.delete_log_group(logGroupName="/g/a")
    assert code(logs.delete_log_group, logGroupName="/g/a")[0] == "ResourceNotFoundException"


def test_group_pages(logs):
    names = sorted(f"/p/{i:03}" for i in range(7))
    for n in reversed(names):
        logs.create_log_group(logGroupName=n)
    pages = list(logs.get_paginator("describe_log_groups").paginate(
        logGroupNamePrefix="/p/", PaginationConfig={"PageSize": 3}))
    assert [[g["logGroupName"] for g in p["logGroups"]] for p in pages] == [
        names[:3], names[3:6], names[6:]]
    pages = logs.get_paginator("describe_log_groups").paginate(
        logGroupNamePrefix="/p/000", PaginationConfig={"PageSize": 1})
    logs.create_log_group(logGroupName="/p/000/more")
    assert [[g["logGroupName"] for g in p["logGroups"]] for p in pages] == [
        ["/p/000"], ["/p/000/more"]]
    logs.delete_log_group(logGroupName="/p/000/more")
    g, = logs.describe_log_groups(logGroupNamePattern="p/003")["logGroups"]
    assert set(g) == {"logGroupName", "creationTime", "arn"}
    assert code(logs.describe_log_groups, nextToken="bm9uc2Vuc2U=") == (
        "InvalidParameterException", "The specified nextToken is invalid.")
    for n in names:
        logs.delete_log_group(logGroupName=n)


def test_tags(logs, group):
    arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}"
    logs.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
    logs.tag_log_group(logGroupName=group, tags={"c": "3"})
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"a": "1", "b": "2", "c": "3"}
    logs.untag_resource(resourceArn=arn, tagKeys=["a"])
    logs.untag_log_group(logGroupName=group, tags=["b"])
    assert logs.list_tags_log_group(logGroupName=group)["tags"] == {"c": "3"}
    assert code(logs.list_tags_for_resource, resourceArn=arn + "x")[0] == \
        "ResourceNotFoundException"
    assert code(logs.tag_resource, resourceArn=arn,
                tags={str(i): "" for i in range(50)})[0] == "TooManyTagsException"
    assert logs.list_tags_log_group(logGroupName=group)["tags"] == {"c": "3"}


def test_streams(logs, group):
    for n in ("b", "a", "ab"):
        logs.create_log_stream(logGroupName=group, logStreamName=n)
    assert code(logs.create_log_stream, logGroupName=group, logStreamName="a") == (
        "ResourceAlreadyExistsException", "The specified log stream already exists")
    assert code(logs.create_log_stream, logGroupName="none", logStreamName="a") == (
        "ResourceNotFoundException", "The specified log group does not exist.")
    t = now()
    put(logs, {"logGroupName": group, "logStreamName": "a"}, (t, "x"))
    put(logs, {"logGroupName": group, "logStreamName": "b"}, (t - 5, "x"), (t - 2, "y"))

    def names(**kw):
        return [s["logStreamName"] for p in logs.get_paginator("describe_log_streams").paginate(
            logGroupName=group, PaginationConfig={"PageSize": 1}, **kw) for s in p["logStreams"]]
    assert names() == ["a", "ab", "b"]
    assert names(descending=True) == ["b", "ab", "a"]
    assert names(logStreamNamePrefix="a") == ["a", "ab"]
    assert names(orderBy="LastEventTime") == ["ab", "b", "a"]
    assert names(orderBy="LastEventTime", descending=True) == ["a", "b", "ab"]
    assert code(logs.describe_log_streams, logGroupName=group, orderBy="LastEventTime",
                logStreamNamePrefix="a") == (
        "InvalidParameterException",
        "Cannot order by LastEventTime with a logStreamNamePrefix.")
    s = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="b")["logStreams"][0]
    assert (s["firstEventTimestamp"], s["lastEventTimestamp"]) == (t - 5, t - 2)
    assert s["storedBytes"] == 0 and s["lastIngestionTime"] >= t
    assert s["arn"] == f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:b"
    g, = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert g["storedBytes"] == 3 * 27
    logs.delete_log_stream(logGroupName=group, logStreamName="b")
    assert code(logs.delete_log_stream, logGroupName=group, logStreamName="b") == (
        "ResourceNotFoundException", "The specified log stream does not exist.")
    assert [e["message"] for e in logs.filter_log_events(logGroupName=group)["events"]] == ["x"]


def test_put_rules(logs, stream):
    t = now()
    put_events = logs.put_log_events

    def bad(*events):
        c, m = code(put_events, **stream,
                    logEvents=[{"timestamp": t, "message": m} for t, m in events])
        assert c == "InvalidParameterException"
        return m
    assert bad((t, "a"), (t - 1, "b")) == (
        "Log events in a single PutLogEvents request must be in chronological order.")
    assert bad((t - 25 * 3600 * 1000, "a"), (t, "b")) == (
        "The batch of log events in a single PutLogEvents request cannot span more than "
        "24 hours.")
    assert bad((t, "x" * ((1 << 20) - 25))) == (
        "Upload too large: 1048577 bytes exceeds limit of 1048576")
    assert bad((t, "x" * ((1 << 20) + 1))) == (
        "Log event too large: 1048577 bytes exceeds limit of 1048576")
    assert "Member must have length less than or equal to 10000" in bad(*[(t, "x")] * 10001)
    assert code(put_events, logGroupName=stream["logGroupName"], logStreamName="no",
                logEvents=[{"timestamp": t, "message": "x"}]) == (
        "ResourceNotFoundException", "The specified log stream does not exist.")
    assert logs.get_log_events(**stream)["events"] == []
    r = put(logs, stream, (t - 15 * 86400 * 1000, "old"), (t - 1000, "good"),
            (t + 3 * 3600 * 1000, "new"), (t + 4 * 3600 * 1000, "new"))
    assert r["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1,
                                          "tooNewLogEventStartIndex": 2}
    logs.put_retention_policy(logGroupName=stream["logGroupName"], retentionInDays=1)
    r = put(logs, stream, (t - 2 * 86400 * 1000, "old"), (t, "ok"))
    assert r["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 1}
    r = logs.put_log_events(**stream, sequenceToken="nonsense",
                            logEvents=[{"timestamp": t, "message": "ü\u0000\n"}])
    assert "rejectedLogEventsInfo" not in r and r["nextSequenceToken"]
    assert [e["message"] for e in logs.get_log_events(**stream)["events"]] == [
        "good", "ok", "ü\u0000\n"]


def test_get_tokens(daemon, logs, stream):
    t = now()
    r = logs.get_log_events(**stream)
    assert r["events"] == []
    first = r["nextForwardToken"]
    put(logs, stream, *[(t + i // 2, str(i)) for i in range(10)])

    def page(**kw):
        r = logs.get_log_events(**stream, **kw)
        return ([e["message"] for e in r["events"]], r["nextForwardToken"],
                r["nextBackwardToken"])
    assert page(nextToken=first, startFromHead=True)[0] == [str(i) for i in range(10)]
    m, f, b = page(limit=3)
    assert m == ["7", "8", "9"]
    assert page(nextToken=f, startFromHead=True)[:2] == ([], f)
    m, f2, b = page(limit=3, nextToken=b)
    assert m == ["4", "5", "6"]
    assert page(nextToken=f2, limit=2, startFromHead=True)[0] == ["7", "8"]
    m, _, b = page(limit=100, nextToken=b)
    assert m == ["0", "1", "2", "3"]
    assert page(nextToken=b)[0] == [] and page(nextToken=b)[2] == b
    m, f3, _ = page(limit=4, startFromHead=True)
    assert m == ["0", "1", "2", "3"]
    assert page(nextToken=f3, limit=4, startFromHead=True)[0] == ["4", "5", "6", "7"]
    put(logs, stream, (t + 100, "late"))
    assert page(nextToken=f, startFromHead=True)[0] == ["late"]
    assert page(startTime=t + 1, endTime=t + 2, startFromHead=True)[0] == ["2", "3"]
    assert page(startTime=t + 50)[0] == ["late"]
    for token in ("x", "f/1/s", f[:-1], "x" + f[1:]):
        assert code(logs.get_log_events, **stream, nextToken=token) == (
            "InvalidParameterException", "The specified nextToken is invalid.")
    e = logs.get_log_events(**stream)["events"][0]
    assert set(e) == {"timestamp", "message", "ingestionTime"} and e["timestamp"] == t
    arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{stream['logGroupName']}"
    r = raw(daemon, "GetLogEvents", logGroupIdentifier=arn, logStreamName="s")
    assert len(r["events"]) == 11


def test_page_of_a_megabyte(logs, stream):
    t = now()
    for i in range(5):
        put(logs, stream, (t + i, str(i) * 400000))
    r = logs.get_log_events(**stream, startFromHead=True)
    assert [e["message"][0] for e in r["events"]] == ["0", "1"]
    r = logs.get_log_events(**stream)
    assert [e["message"][0] for e in r["events"]] == ["3", "4"]
    r = logs.get_log_events(**stream, nextToken=r["nextBackwardToken"])
    assert [e["message"][0] for e in r["events"]] == ["1", "2"]
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=stream["logGroupName"])
    assert [[e["message"][0] for e in p["events"]] for p in pages] == [
        ["0", "1"], ["2", "3"], ["4"]]


def test_filter(logs, group):
    t = now()
    for n in ("web/1", "web/2", "db"):
        logs.create_log_stream(logGroupName=group, logStreamName=n)
        put(logs, {"logGroupName": group, "logStreamName": n},
            *[(t + i, json.dumps({"n": i, "s": n})) for i in range(6)])

    def found(**kw):
        out = []
        for p in logs.get_paginator("filter_log_events").paginate(logGroupName=group, **kw):
            assert p["searchedLogStreams"] == []
            out += p["events"]
        assert len({e["eventId"] for e in out}) == len(out)
        assert sorted(out, key=lambda e: e["timestamp"]) == out
        return [(e["logStreamName"], e["timestamp"] - t) for e in out]
    assert len(found()) == 18
    assert found(PaginationConfig={"PageSize": 4}) == found()
    assert found()[:3] == [("web/1", 0), ("web/2", 0), ("db", 0)]
    assert found(logStreamNamePrefix="web", startTime=t + 5) == [("web/1", 5), ("web/2", 5)]
    assert found(logStreamNames=["db"], endTime=t + 1) == [("db", 0), ("db", 1)]
    assert found(logStreamNames=["db", "web/2"], startTime=t + 5) == [("web/2", 5), ("db", 5)]
    assert found(filterPattern='{ $.n > 4 && $.s = "web/*" }') == [("web/1", 5), ("web/2", 5)]
    assert found(filterPattern='{ $.n = 3 }', logStreamNames=["db"]) == [("db", 3)]
    assert found(filterPattern='"web/2"', startTime=t + 4) == [("web/2", 4), ("web/2", 5)]
    e = logs.filter_log_events(logGroupName=group, limit=1)["events"][0]
    assert set(e) == {"logStreamName", "timestamp", "message", "ingestionTime", "eventId"}
    assert len(e["eventId"]) == 56
    f = logs.filter_log_events
    assert code(f, logGroupName=group, filterPattern="{ $.a = ")[1] == (
        "If a filter pattern starts with '{' it must end with '}'")
    assert code(f, logGroupName=group, logStreamNames=["a"], logStreamNamePrefix="a")[0] == \
        "InvalidParameterException"
    assert code(f, logGroupName="none")[0] == "ResourceNotFoundException"
    assert code(f, logGroupName=group, nextToken="x")[1] == (
        "The specified nextToken is invalid.")


def test_many(logs, group):
    """Pages of a group with many events that do not match stay bounded."""
    t = now()
    for s in range(4):
        logs.create_log_stream(logGroupName=group, logStreamName=str(s))
        for b in range(2):
            put(logs, {"logGroupName": group, "logStreamName": str(s)},
                *[(t + i, f"{s} {b} {i}") for i in range(10000)])
    pages = list(logs.get_paginator("filter_log_events").paginate(
        logGroupName=group, filterPattern='"3 1 9999"'))
    assert sum(len(p["events"]) for p in pages) == 1 and len(pages) == 4
    r = logs.get_log_events(logGroupName=group, logStreamName="2", startFromHead=True)
    assert len(r["events"]) == 10000
    logs.delete_log_stream(logGroupName=group, logStreamName="2")
    logs.create_log_stream(logGroupName=group, logStreamName="2")
    assert logs.get_log_events(logGroupName=group, logStreamName="2")["events"] == []


def test_scopes(client, logs, stream):
    put(logs, stream, (now(), "x"))
    other = client("logs", region="eu-west-1")
    assert code(other.get_log_events, **stream)[0] == "ResourceNotFoundException"
    other.create_log_group(logGroupName=stream["logGroupName"])
    other.create_log_stream(**stream)
    assert other.get_log_events(**stream)["events"] == []
    assert other.filter_log_events(logGroupName=stream["logGroupName"])["events"] == []
    other.delete_log_group(logGroupName=stream["logGroupName"])


def test_acknowledged_survives_a_kill():
    d = Daemon()
    logs = d.client("logs")
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    t = now()
    for i in range(20):
        put(logs, {"logGroupName": "g", "logStreamName": "s"}, (t + i, str(i)))
    d.kill()
    d.start()
    r = d.client("logs").filter_log_events(logGroupName="g")
    assert [e["message"] for e in r["events"]] == [str(i) for i in range(20)]
    d.stop()


def test_cli(daemon, logs, stream):
    t = now()
    put(logs, stream, (t - 2, "one"), (t - 1, "two ERROR"))
    out = daemon.aws("logs", "tail", stream["logGroupName"], "--format", "short")
    assert [line.split(" ", 1)[1] for line in out.splitlines()] == ["one", "two ERROR"]
    out = daemon.aws("logs", "filter-log-events", "--log-group-name", stream["logGroupName"],
                     "--filter-pattern", "ERROR", "--query", "events[].message",
                     "--output", "text")
    assert out == "two ERROR\n"


def test_cli_follow(daemon, logs, stream):
    p = subprocess.Popen(
        ["/usr/bin/aws", "--endpoint-url", daemon.endpoint, "logs", "tail",
         stream["logGroupName"], "--follow", "--format", "short"],
        env={**daemon.env(), "PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE, text=True)
    try:
        for i in range(3):
            put(logs, stream, (now(), f"line {i}"))
            assert p.stdout.readline().endswith(f"line {i}\n")
    finally:
        p.send_signal(signal.SIGINT)
        p.communicate(timeout=10)


# Container output: records as the monitor writes them (doc/format/container-log.md), into
# the directory of a container that the fake runtime "runs".

class Output:
    def __init__(self, daemon, container):
        self.dir = pathlib.Path(daemon.state, "log", container)
        self.segment = 0

    def start(self):
        self.dir.mkdir(mode=0o2750)
        self.next()

    def next(self):
        self.segment += 1
        self.file = open(self.dir / f"{self.segment:06}.log", "ab", buffering=0)

    def write(self, text, kind="F", stream="o", ms=None):
        text = text.encode() if isinstance(text, str) else text
        self.file.write(f"{ms or now()} {stream} {kind} ".encode() + text + b"\n")

    def end(self):
        (self.dir / "end").touch()


def define(daemon, group, more=(), **options):
    container = {"name": "app", "image": "img", "logConfiguration": {
        "logDriver": "awslogs", "options": {
            "awslogs-group": group, "awslogs-region": REGION, "awslogs-stream-prefix": "web",
            **options}}}
    daemon.client("ecs").register_task_definition(
        family="logs", networkMode="awsvpc", cpu="256", memory="512",
        requiresCompatibilities=["FARGATE"], containerDefinitions=[container, *more])


def run_task(daemon):
    subnet = daemon.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    return daemon.client("ecs").run_task(
        taskDefinition="logs", launchType="FARGATE", networkConfiguration={
            "awsvpcConfiguration": {"subnets": [subnet]}})["tasks"][0]["taskArn"]


def until(fn, seconds=10):
    end = time.monotonic() + seconds
    while True:
        got = fn()
        if got:
            return got
        assert time.monotonic() < end
        time.sleep(0.01)


def task_is(daemon, arn, status):
    t, = daemon.client("ecs").describe_tasks(tasks=[arn])["tasks"]
    return t if t["lastStatus"] == status else None


def messages(daemon, group, name):
    return [e["message"] for p in daemon.client("logs").get_paginator(
        "filter_log_events").paginate(logGroupName=group, logStreamNames=[name])
        for e in p["events"]]


@pytest.fixture
def task(request):
    """A daemon of its own with a running task: daemon, group, stream, output."""
    d = Daemon()
    d.client("ecs").create_cluster()
    d.client("logs").create_log_group(logGroupName="/app")
    define(d, "/app")
    arn = run_task(d)
    until(lambda: task_is(d, arn, "RUNNING"))
    ident = arn.split("/")[-1]
    yield d, "/app", "web/app/" + ident, Output(d, ident + "-0"), arn
    d.stop()


def test_output_becomes_events(task):
    d, group, stream, out, arn = task
    s, = d.client("logs").describe_log_streams(logGroupName=group)["logStreams"]
    assert s["logStreamName"] == stream
    out.start()
    t = now()
    out.write("one", ms=t)
    out.write("", ms=t)
    out.write("two", ms=t, stream="e")
    out.write(b"bad \xff\xc3", ms=t + 1)
    got = until(lambda: len(messages(d, group, stream)) == 3 and messages(d, group, stream))
    assert got == ["one", "two", "bad \ufffd\ufffd"]
    e = d.client("logs").get_log_events(logGroupName=group, logStreamName=stream)["events"]
    assert [x["timestamp"] for x in e] == [t, t, t + 1]


def test_output_latency(task):
    d, group, stream, out, arn = task
    logs = d.client("logs")
    out.start()
    took = []
    token = logs.get_log_events(logGroupName=group, logStreamName=stream)["nextForwardToken"]
    for i in range(20):
        out.write(str(i))
        begun = time.monotonic()
        while True:
            r = logs.get_log_events(logGroupName=group, logStreamName=stream, nextToken=token,
                                    startFromHead=True)
            if r["events"]:
                break
        took.append(time.monotonic() - begun)
        token = r["nextForwardToken"]
    assert sorted(took)[10] < 0.1, took


def test_long_lines(task):
    d, group, stream, out, arn = task
    out.start()
    out.write("a" * 16384, kind="P", ms=1700000000000)
    out.write("other", stream="e")
    out.write("b" * 10, ms=1700000000500)
    for _ in range(20):
        out.write("é" * 8192, kind="P")
    out.write("end")
    got = until(lambda: len(messages(d, group, stream)) == 4 and messages(d, group, stream))
    assert sorted(map(len, got)) == sorted([5, 16394, 131059, 8192 * 20 - 131059 + 3])
    e = d.client("logs").filter_log_events(logGroupName=group, filterPattern="aab")["events"]
    assert [x["timestamp"] for x in e] == [1700000000000]


def test_output_survives_kills(task):
    """Nothing is lost or doubled, whenever the daemon dies."""
    d, group, stream, out, arn = task
    d.kill()
    out.start()
    n = 0
    for i in range(5):
        for _ in range(6000):
            out.write(f"{n:06} " + "x" * 100, ms=1700000000000 + n)
            n += 1
            if n % 1000 == 0:
                out.write("part ", kind="P")
                out.write(f"{n:06} between", stream="e", ms=1700000000000 + n)
                n += 1
                out.write("end")
        out.next()
    out.end()
    for i in range(12):
        d.start()
        time.sleep(0.004 * i)
        if i < 11:
            d.kill()
    until(lambda: not out.dir.exists())
    got = messages(d, group, stream)
    assert [m[:6] for m in got if not m.startswith("part")] == [f"{i:06}" for i in range(n)]
    assert got.count("part end") == len(got) - n > 20


def test_segments_go(task):
    d, group, stream, out, arn = task
    out.start()
    for i in range(3):
        for j in range(50):
            out.write(f"{i} {j}")
        if i < 2:
            out.next()
    until(lambda: len(messages(d, group, stream)) == 150)
    until(lambda: [p.name for p in out.dir.iterdir()] == ["000003.log"])
    out.write("bye")
    out.end()
    until(lambda: not out.dir.exists())
    assert messages(d, group, stream)[-1] == "bye"
    d.client("ecs").stop_task(task=arn)
    until(lambda: task_is(d, arn, "STOPPED"))


def test_output_without_an_end(task):
    """The monitor was killed: the task's end is the end."""
    d, group, stream, out, arn = task
    out.start()
    out.write("one")
    out.write("half", kind="P")
    out.file.write(b"1700000000000 o F torn")
    until(lambda: messages(d, group, stream))
    d.client("ecs").stop_task(task=arn)
    until(lambda: not out.dir.exists())
    assert messages(d, group, stream) == ["one", "half"]


def test_deleted_stream_drops_output(task):
    d, group, stream, out, arn = task
    out.start()
    d.client("logs").delete_log_stream(logGroupName=group, logStreamName=stream)
    out.write("nobody sees")
    out.next()
    out.write("this")
    until(lambda: [p.name for p in out.dir.iterdir()] == ["000002.log"])
    assert d.client("logs").filter_log_events(logGroupName=group)["events"] == []
    assert "is dropped" in d.read_log()


def test_output_without_a_driver():
    """Kept on disk for `neargate logs`, the newest two segments."""
    d = Daemon()
    d.client("ecs").create_cluster()
    d.client("ecs").register_task_definition(
        family="logs", networkMode="awsvpc", cpu="256", memory="512",
        requiresCompatibilities=["FARGATE"],
        containerDefinitions=[{"name": "app", "image": "img"}])
    arn = run_task(d)
    until(lambda: task_is(d, arn, "RUNNING"))
    out = Output(d, arn.split("/")[-1] + "-0")
    out.start()
    for i in range(4):
        out.write(str(i))
        out.next()
    until(lambda: sorted(p.name for p in out.dir.iterdir()) == ["000004.log", "000005.log"])
    d.kill()
    d.start()
    out.next()
    until(lambda: sorted(p.name for p in out.dir.iterdir()) == ["000005.log", "000006.log"])
    d.stop()


def test_retention_deletes():
    d = Daemon()
    logs = d.client("logs")
    logs.create_log_group(logGroupName="g")
    for n in ("a", "b"):
        logs.create_log_stream(logGroupName="g", logStreamName=n)
        t = now() - 2 * 86400 * 1000
        put(logs, {"logGroupName": "g", "logStreamName": n},
            *[(t + i, "x" * 10) for i in range(1200)])
        put(logs, {"logGroupName": "g", "logStreamName": n}, (now(), "new"))
    size = logs.describe_log_groups()["logGroups"][0]["storedBytes"]
    assert size == 2 * (1200 * 36 + 29)
    logs.put_retention_policy(logGroupName="g", retentionInDays=1)
    assert len(logs.filter_log_events(logGroupName="g")["events"]) == 2
    until(lambda: logs.describe_log_groups()["logGroups"][0]["storedBytes"] == 58)
    s = logs.describe_log_streams(logGroupName="g")["logStreams"][0]
    assert s["firstEventTimestamp"] == s["lastEventTimestamp"] > t + 86400 * 1000
    logs.delete_log_group(logGroupName="g")
    d.kill()
    d.start()
    d.stop()


def test_missing_group_stops_the_task():
    d = Daemon()
    d.client("ecs").create_cluster()
    define(d, "/none")
    arn = run_task(d)
    t = until(lambda: task_is(d, arn, "STOPPED"))
    assert t["stopCode"] == "TaskFailedToStart"
    assert t["stoppedReason"] == (
        "ResourceInitializationError: failed to validate logger args: create stream has been "
        "retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: "
        "The specified log group does not exist. : exit status 1")
    define(d, "/made", **{"awslogs-create-group": "true"})
    arn = run_task(d)
    until(lambda: task_is(d, arn, "RUNNING"))
    s, = d.client("logs").describe_log_streams(logGroupName="/made")["logStreams"]
    assert s["logStreamName"] == "web/app/" + arn.split("/")[-1]
    d.stop()


def test_events_of_several_lines():
    d = Daemon()
    d.client("ecs").create_cluster()
    d.client("logs").create_log_group(logGroupName="/app")
    define(d, "/app", **{"awslogs-datetime-format": "%Y-%m-%d"})
    arn = run_task(d)
    until(lambda: task_is(d, arn, "RUNNING"))
    ident = arn.split("/")[-1]
    out, stream = Output(d, ident + "-0"), "web/app/" + ident
    out.start()
    out.write("2026-11-22 zero")
    # The last one is complete when nothing follows.
    until(lambda: messages(d, "/app", stream) == ["2026-11-22 zero"])
    out.write("2026-11-23 first")
    out.write("  at a")
    time.sleep(0.1)
    d.kill()
    out.write("  at b")
    out.write("2026-11-24 second")
    out.end()
    d.start()
    until(lambda: messages(d, "/app", stream)[1:] == [
        "2026-11-23 first\n  at a\n  at b", "2026-11-24 second"])
    d.stop()
    d = Daemon()
    d.client("ecs").create_cluster()
    d.client("logs").create_log_group(logGroupName="/app")
    for options, why in (
            ({"awslogs-multiline-pattern": "("},
             'awslogs could not parse multiline pattern key "("'),
            ({"awslogs-multiline-pattern": "x", "awslogs-datetime-format": "%Y"},
             "you cannot configure log opt 'awslogs-datetime-format' and "
             "'awslogs-multiline-pattern' at the same time")):
        define(d, "/app", **options)
        arn = run_task(d)
        t = until(lambda: task_is(d, arn, "STOPPED"))
        assert t["stoppedReason"] == (
            f"ResourceInitializationError: failed to validate logger args: {why} : exit status 1")
    d.stop()
