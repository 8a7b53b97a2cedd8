"""Fixtures of the black-box tests: a daemon of their own, and its clients."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import boto3
import botocore.config
import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / os.environ.get("BUILD", "build")
ACCOUNT = "123456789012"
KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
REGION = "us-east-1"


class Daemon:
    """neargated on a free port with a state directory of its own."""

    def __init__(self, *args):
        self.state = tempfile.mkdtemp(prefix="neargate-test-")
        self.args = args
        self.process = None
        self.start()

    def start(self):
        port_file = os.path.join(self.state, "port")
        if os.path.exists(port_file):
            os.unlink(port_file)
        self.log = open(os.path.join(self.state, "daemon.log"), "ab")
        self.process = subprocess.Popen(
            [BUILD / "neargated", "--state-dir", self.state, "--listen", "127.0.0.1:0",
             "--port-file", port_file, "--account", ACCOUNT, "--root-access-key", KEY,
             "--root-secret-key", SECRET, *self.args],
            stderr=self.log)
        deadline = time.monotonic() + 20
        while not os.path.exists(port_file):
            assert self.process.poll() is None, self.read_log()
            assert time.monotonic() < deadline, "no answer: " + self.read_log()
            time.sleep(0.005)
        with open(port_file) as f:
            self.port = int(f.read())
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def read_log(self):
        with open(os.path.join(self.state, "daemon.log"), errors="replace") as f:
            return f.read()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def stop(self):
        self.process.terminate()
        code = self.process.wait(timeout=20)
        self.log.close()
        log = self.read_log()
        shutil.rmtree(self.state)
        assert code == 0, log
        assert "panic" not in log and "ERROR: " not in log, log

    def client(self, service, key=KEY, secret=SECRET, region=REGION):
        return boto3.client(
            service, endpoint_url=self.endpoint, region_name=region,
            aws_access_key_id=key, aws_secret_access_key=secret,
            config=botocore.config.Config(retries={"max_attempts": 0}))

    def env(self):
        """For the AWS CLI."""
        return {**{k: v for k, v in os.environ.items() if not k.startswith("AWS_")},
                "AWS_ENDPOINT_URL": self.endpoint, "AWS_ACCESS_KEY_ID": KEY,
                "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": REGION,
                "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": ""}

    def aws(self, *args):
        """Debian's AWS CLI is older than AWS_ENDPOINT_URL."""
        p = subprocess.run(["/usr/bin/aws", "--endpoint-url", self.endpoint, *args],
                           env=self.env(), capture_output=True, text=True)
        assert p.returncode == 0, p.stderr
        return p.stdout


@pytest.fixture(scope="module")
def daemon():
    d = Daemon("--ephemeral")
    yield d
    d.stop()


@pytest.fixture
def endpoint(daemon):
    return daemon.endpoint


@pytest.fixture
def client(daemon):
    return daemon.client
