"""Amazon ECR with boto3 and the AWS CLI."""
import base64
import datetime
import gzip
import itertools
import json
import subprocess

import botocore.exceptions
import pytest

import oci
from conftest import ACCOUNT, Daemon
from oci import INDEX, MANIFEST, Registry, sha

serial = itertools.count()
IN = f"in the registry with id '{ACCOUNT}'"


@pytest.fixture(scope="module")
def ecr(daemon):
    return daemon.client("ecr")


@pytest.fixture(scope="module")
def reg(daemon):
    return Registry(daemon)


@pytest.fixture
def repo(ecr):
    name = f"team/app-{next(serial)}"
    ecr.create_repository(repositoryName=name)
    return name


def refused(code, call, **args):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**args)
    r = e.value.response
    assert r["Error"]["Code"] == code, r["Error"]
    assert r["ResponseMetadata"]["HTTPStatusCode"] == (501 if code == "NotImplemented" else 400)
    return r["Error"]["Message"]


# Repositories

def test_repository(daemon, ecr):
    r = ecr.create_repository(repositoryName="life/cycle", tags=[{"Key": "k", "Value": "v"}],
                              imageTagMutability="IMMUTABLE",
                              imageScanningConfiguration={"scanOnPush": True})["repository"]
    created = r.pop("createdAt")
    assert abs((datetime.datetime.now(datetime.timezone.utc) - created).total_seconds()) < 60
    assert r == {
        "repositoryArn": f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/life/cycle",
        "registryId": ACCOUNT, "repositoryName": "life/cycle",
        "repositoryUri": f"127.0.0.1:{daemon.port}/life/cycle",
        "imageTagMutability": "IMMUTABLE", "imageScanningConfiguration": {"scanOnPush": True},
        "encryptionConfiguration": {"encryptionType": "AES256"}}
    got = ecr.describe_repositories(repositoryNames=["life/cycle"])["repositories"]
    assert got == [{**r, "createdAt": created}]
    assert refused("RepositoryAlreadyExistsException", ecr.create_repository,
                   repositoryName="life/cycle") == (
        f"The repository with name 'life/cycle' already exists {IN}")
    assert ecr.delete_repository(repositoryName="life/cycle")["repository"] == got[0]
    for call in (ecr.delete_repository, ecr.describe_images, ecr.list_images,
                 ecr.get_repository_policy, ecr.get_lifecycle_policy):
        assert refused("RepositoryNotFoundException", call, repositoryName="life/cycle") == (
            f"The repository with name 'life/cycle' does not exist {IN}")
    assert refused("RepositoryNotFoundException", ecr.describe_repositories,
                   repositoryNames=["life/cycle"]) == (
        f"The repository with name 'life/cycle' does not exist {IN}")


@pytest.mark.parametrize("name", ["A/b", "a..b", "a/", "/a", "a//b", "-a", "x" * 257, "a_", "a b"])
def test_bad_names(ecr, name):
    assert "repositoryName" in refused("InvalidParameterException", ecr.create_repository,
                                       repositoryName=name)


def test_pages(daemon):
    ecr = daemon.client("ecr", region="eu-central-1")
    names = [f"page/r{i:02}" for i in range(7)]
    for n in names:
        ecr.create_repository(repositoryName=n)
    pages = list(ecr.get_paginator("describe_repositories").paginate(
        PaginationConfig={"PageSize": 3}))
    assert [len(p["repositories"]) for p in pages] == [3, 3, 1]
    assert [r["repositoryName"] for p in pages for r in p["repositories"]] == names
    assert "eu-central-1" in pages[0]["repositories"][0]["repositoryArn"]
    refused("InvalidParameterException", ecr.describe_repositories, nextToken="junk")


def test_other_account(ecr, repo):
    refused("AccessDeniedException", ecr.describe_repositories, registryId="210987654321")
    assert ecr.describe_repositories(registryId=ACCOUNT)["repositories"]


def test_force_delete(ecr, reg, repo):
    d = reg.image(repo, "x", [b"force"])
    assert refused("RepositoryNotEmptyException", ecr.delete_repository, repositoryName=repo) == (
        f"The repository with name '{repo}' in registry with id '{ACCOUNT}' cannot be deleted "
        "because it still contains images")
    where = reg.start(repo)
    ecr.delete_repository(repositoryName=repo, force=True)
    assert reg.call("PATCH", where, b"x").code == "NAME_UNKNOWN"
    # Its successor of the same name is empty.
    ecr.create_repository(repositoryName=repo)
    assert reg.call("GET", f"/v2/{repo}/manifests/{d}").status == 404
    assert reg.call("GET", f"/v2/{repo}/blobs/{sha(b'force')}").status == 404
    assert reg.call("PATCH", where, b"x").code == "BLOB_UPLOAD_UNKNOWN"
    assert ecr.describe_images(repositoryName=repo)["imageDetails"] == []


def test_resource_tags(ecr, repo):
    arn = ecr.describe_repositories(repositoryNames=[repo])["repositories"][0]["repositoryArn"]
    ecr.tag_resource(resourceArn=arn, tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}])
    ecr.untag_resource(resourceArn=arn, tagKeys=["a", "absent"])
    assert ecr.list_tags_for_resource(resourceArn=arn)["tags"] == [{"Key": "b", "Value": ""}]
    refused("RepositoryNotFoundException", ecr.list_tags_for_resource, resourceArn=arn + "x")
    refused("TooManyTagsException", ecr.tag_resource, resourceArn=arn,
            tags=[{"Key": f"k{i}", "Value": ""} for i in range(51)])
    assert len(ecr.list_tags_for_resource(resourceArn=arn)["tags"]) == 1


# Images

def test_describe_images(ecr, reg, repo):
    layer = gzip.compress(b"x" * 100)
    doc = reg.image_doc(repo, [layer])
    d = reg.image(repo, "v1", [layer])
    reg.manifest(repo, "v0", json.dumps(doc).encode())
    got = ecr.describe_images(repositoryName=repo)["imageDetails"]
    pushed = got[0].pop("imagePushedAt")
    assert abs((datetime.datetime.now(datetime.timezone.utc) - pushed).total_seconds()) < 60
    want = {"registryId": ACCOUNT, "repositoryName": repo, "imageDigest": d,
            "imageTags": ["v0", "v1"], "imageManifestMediaType": MANIFEST,
            "imageSizeInBytes": len(layer) + doc["config"]["size"],
            "artifactMediaType": oci.CONFIG}
    assert {k: v for k, v in got[0].items() if k in want} == want
    for ident in ({"imageTag": "v0"}, {"imageDigest": d}, {"imageTag": "v1", "imageDigest": d}):
        assert len(ecr.describe_images(repositoryName=repo, imageIds=[ident])["imageDetails"]) == 1
    for ident, text in (
            ({"imageTag": "v9"}, "{imageDigest:'null', imageTag:'v9'}"),
            ({"imageDigest": sha(b"n")}, f"{{imageDigest:'{sha(b'n')}', imageTag:'null'}}"),
            ({"imageTag": "v1", "imageDigest": sha(b"n")},
             f"{{imageDigest:'{sha(b'n')}', imageTag:'v1'}}")):
        assert refused("ImageNotFoundException", ecr.describe_images, repositoryName=repo,
                       imageIds=[ident]) == (
            f"The image with imageId {text} does not exist within the repository with name "
            f"'{repo}' {IN}")
    # A pull is recorded.
    assert "lastRecordedPullTime" not in got[0]
    reg.call("GET", f"/v2/{repo}/manifests/v1")
    assert "lastRecordedPullTime" in ecr.describe_images(repositoryName=repo)["imageDetails"][0]


def test_list_images(ecr, reg, repo):
    a = reg.image(repo, "t1", [b"a"])
    reg.manifest(repo, "t2", json.dumps(reg.image_doc(repo, [b"a"])).encode())
    b = reg.image(repo, None, [b"b"])

    def ids(**k):
        return [(i.get("imageTag"), i["imageDigest"]) for i in ecr.get_paginator(
            "list_images").paginate(repositoryName=repo, **k).build_full_result()["imageIds"]]
    everything = [("t1", a), ("t2", a), (None, b)]
    assert ids() == everything
    assert ids(PaginationConfig={"PageSize": 1}) == everything
    assert ids(filter={"tagStatus": "TAGGED"}) == everything[:2]
    assert ids(filter={"tagStatus": "UNTAGGED"}) == everything[2:]
    pages = list(ecr.get_paginator("describe_images").paginate(
        repositoryName=repo, PaginationConfig={"PageSize": 1}))
    assert [p["imageDetails"][0]["imageDigest"] for p in pages] == [a, b]


def test_batch_get_and_delete(ecr, reg, repo):
    doc = json.dumps(reg.image_doc(repo, [b"bg"])).encode()
    _, d = reg.manifest(repo, "one", doc)
    reg.manifest(repo, "two", doc)
    r = ecr.batch_get_image(repositoryName=repo, imageIds=[
        {"imageTag": "one"}, {"imageTag": "none"}, {"imageDigest": "junk"}, {}])
    assert r["images"] == [{
        "registryId": ACCOUNT, "repositoryName": repo, "imageManifest": doc.decode(),
        "imageManifestMediaType": MANIFEST, "imageId": {"imageTag": "one", "imageDigest": d}}]
    assert [(f["failureCode"], f["failureReason"]) for f in r["failures"]] == [
        ("ImageNotFound", "Requested image not found"),
        ("InvalidImageDigest", "Invalid request parameters: image digest should satisfy the "
         "regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"),
        ("MissingDigestAndTag",
         "Invalid request parameters: both tag and digest cannot be null")]
    r = ecr.batch_get_image(repositoryName=repo, imageIds=[{"imageTag": "one"}],
                            acceptedMediaTypes=[INDEX])
    assert r["images"] == [] and r["failures"][0]["failureCode"] == "ImageNotFound"
    # A tag of several goes alone; the last one takes the image along.
    r = ecr.batch_delete_image(repositoryName=repo, imageIds=[{"imageTag": "one"}])
    assert r["imageIds"] == [{"imageTag": "one", "imageDigest": d}] and r["failures"] == []
    assert reg.call("HEAD", f"/v2/{repo}/manifests/{d}").status == 200
    r = ecr.batch_delete_image(repositoryName=repo, imageIds=[{"imageTag": "two"},
                                                              {"imageTag": "two"}])
    assert r["imageIds"] == [{"imageTag": "two", "imageDigest": d}]
    assert r["failures"][0]["failureCode"] == "ImageNotFound"
    assert reg.call("HEAD", f"/v2/{repo}/manifests/{d}").status == 404
    # An image that an index lists stays.
    child = reg.image(repo, None, [b"child"])
    _, top = reg.manifest(repo, "top", {
        "schemaVersion": 2, "mediaType": INDEX,
        "manifests": [{"mediaType": MANIFEST, "digest": child, "size": 1}]}, INDEX)
    r = ecr.batch_delete_image(repositoryName=repo, imageIds=[{"imageDigest": child}])
    assert r["failures"][0]["failureCode"] == "ImageReferencedByManifestList"
    assert r["failures"][0]["failureReason"] == (
        f"Requested image referenced by manifest list: [{top}]")


def upload(ecr, repo, data, size=30):
    ident = ecr.initiate_layer_upload(repositoryName=repo)
    assert ident["partSize"] == 20 << 20
    for at in range(0, len(data), size):
        part = data[at:at + size]
        r = ecr.upload_layer_part(repositoryName=repo, uploadId=ident["uploadId"],
                                  partFirstByte=at, partLastByte=at + len(part) - 1,
                                  layerPartBlob=part)
        assert r["lastByteReceived"] == at + len(part) - 1
    return ident["uploadId"]


def test_push_by_api(ecr, reg, repo):
    layer = bytes(range(100))
    up = upload(ecr, repo, layer)
    refused("InvalidLayerPartException", ecr.upload_layer_part, repositoryName=repo, uploadId=up,
            partFirstByte=50, partLastByte=52, layerPartBlob=b"abc")
    r = ecr.complete_layer_upload(repositoryName=repo, uploadId=up, layerDigests=[sha(layer)])
    assert r == {**r, "registryId": ACCOUNT, "repositoryName": repo, "uploadId": up,
                 "layerDigest": sha(layer)}
    assert reg.call("GET", f"/v2/{repo}/blobs/{sha(layer)}").body == layer
    assert refused("LayerAlreadyExistsException", ecr.complete_layer_upload, repositoryName=repo,
                   uploadId=upload(ecr, repo, layer), layerDigests=[sha(layer)]) == (
        f"The layer with digest '{sha(layer)}' already exists in the repository with name "
        f"'{repo}' in registry with id '{ACCOUNT}'")
    refused("InvalidLayerException", ecr.complete_layer_upload, repositoryName=repo,
            uploadId=upload(ecr, repo, b"zz"), layerDigests=[sha(b"yy")])
    refused("EmptyUploadException", ecr.complete_layer_upload, repositoryName=repo,
            uploadId=upload(ecr, repo, b""), layerDigests=[sha(b"y")])
    missing = "11111111-2222-4333-8444-555555555555"
    assert refused("UploadNotFoundException", ecr.complete_layer_upload, repositoryName=repo,
                   uploadId=missing, layerDigests=[sha(b"yy")]).startswith(
        f"The upload with id '{missing}'")
    r = ecr.batch_check_layer_availability(repositoryName=repo, layerDigests=[
        sha(layer), sha(b"absent"), "junk"])
    assert [(x["layerDigest"], x["layerAvailability"], x.get("layerSize")) for x in r["layers"]] \
        == [(sha(layer), "AVAILABLE", 100), (sha(b"absent"), "UNAVAILABLE", None)]
    assert r["failures"][0]["failureCode"] == "InvalidLayerDigest"
    # The image.
    doc = json.dumps(reg.image_doc(repo, [layer]))
    r = ecr.put_image(repositoryName=repo, imageManifest=doc, imageTag="api")["image"]
    assert r["imageId"] == {"imageDigest": sha(doc.encode()), "imageTag": "api"}
    assert refused("ImageAlreadyExistsException", ecr.put_image, repositoryName=repo,
                   imageManifest=doc, imageTag="api") == (
        f"Image with digest '{sha(doc.encode())}' and tag 'api' already exists in the repository "
        f"with name '{repo}' in registry with id '{ACCOUNT}'")
    # How images are retagged by script.
    ecr.put_image(repositoryName=repo, imageManifest=doc, imageTag="stable")
    assert reg.call("GET", f"/v2/{repo}/tags/list").json()["tags"] == ["api", "stable"]
    lost = json.loads(doc)
    lost["layers"][0]["digest"] = sha(b"lost")
    assert refused("LayersNotFoundException", ecr.put_image, repositoryName=repo,
                   imageManifest=json.dumps(lost), imageTag="x").startswith(
        f"Layers with digests '[{sha(b'lost')}]' required for pushing image")
    refused("ImageDigestDoesNotMatchException", ecr.put_image, repositoryName=repo,
            imageManifest=doc, imageTag="y", imageDigest=sha(b"n"))
    refused("InvalidParameterException", ecr.put_image, repositoryName=repo, imageManifest="junk",
            imageTag="x")
    refused("InvalidParameterException", ecr.put_image, repositoryName=repo, imageManifest=doc,
            imageTag="-bad")


def test_mutability(ecr, reg, repo):
    ecr.put_image_tag_mutability(repositoryName=repo, imageTagMutability="IMMUTABLE")
    docs = [json.dumps(reg.image_doc(repo, [b])) for b in (b"1", b"2")]
    ecr.put_image(repositoryName=repo, imageManifest=docs[0], imageTag="v")
    assert refused("ImageTagAlreadyExistsException", ecr.put_image, repositoryName=repo,
                   imageManifest=docs[1], imageTag="v") == (
        f"The image tag 'v' already exists in the '{repo}' repository and cannot be overwritten "
        "because the tag is immutable.")
    # Nothing of it stayed.
    assert len(ecr.describe_images(repositoryName=repo)["imageDetails"]) == 1
    ecr.put_image_tag_mutability(repositoryName=repo, imageTagMutability="MUTABLE")
    ecr.put_image(repositoryName=repo, imageManifest=docs[1], imageTag="v")


# Policies

POLICY = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": "*", "Action": ["ecr:BatchGetImage"]}]})


def test_repository_policy(ecr, repo):
    missing = (f"Repository policy does not exist for the repository with name '{repo}' {IN}")
    assert refused("RepositoryPolicyNotFoundException", ecr.get_repository_policy,
                   repositoryName=repo) == missing
    r = ecr.set_repository_policy(repositoryName=repo, policyText=POLICY)
    assert r["policyText"] == POLICY and r["repositoryName"] == repo
    assert ecr.get_repository_policy(repositoryName=repo)["policyText"] == POLICY
    for bad in ("junk", "[]", "{}"):
        refused("InvalidParameterException", ecr.set_repository_policy, repositoryName=repo,
                policyText=bad)
    ecr.delete_repository_policy(repositoryName=repo)
    refused("RepositoryPolicyNotFoundException", ecr.delete_repository_policy,
            repositoryName=repo)


def lifecycle(*rules):
    text = json.dumps({"rules": [
        {"rulePriority": i + 1, "description": "keeps things tidy", "selection": s,
         "action": {"type": "expire"}} for i, s in enumerate(rules)]})
    return text + " " * max(0, 100 - len(text))


def test_lifecycle_policy(ecr, repo):
    assert refused("LifecyclePolicyNotFoundException", ecr.get_lifecycle_policy,
                   repositoryName=repo) == (
        f"Lifecycle policy does not exist for the repository with name '{repo}' {IN}")
    text = lifecycle({"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5})
    ecr.put_lifecycle_policy(repositoryName=repo, lifecyclePolicyText=text)
    assert ecr.get_lifecycle_policy(repositoryName=repo)["lifecyclePolicyText"] == text
    for bad in (" " * 100, "x" * 100, lifecycle(),
                lifecycle({"tagStatus": "any", "countType": "imageCountMoreThan"})):
        refused("InvalidParameterException", ecr.put_lifecycle_policy, repositoryName=repo,
                lifecyclePolicyText=bad)
    ecr.delete_lifecycle_policy(repositoryName=repo)
    refused("LifecyclePolicyNotFoundException", ecr.delete_lifecycle_policy, repositoryName=repo)


def test_registry_policy(ecr):
    assert refused("RegistryPolicyNotFoundException", ecr.get_registry_policy) == (
        f"Registry policy does not exist {IN}")
    ecr.put_registry_policy(policyText=POLICY)
    assert ecr.get_registry_policy()["policyText"] == POLICY
    ecr.delete_registry_policy()
    assert ecr.describe_registry()["registryId"] == ACCOUNT


@pytest.mark.parametrize("call,args", [
    ("start_image_scan", {"imageId": {"imageTag": "x"}}),
    ("describe_image_scan_findings", {"imageId": {"imageTag": "x"}}),
    ("get_download_url_for_layer", {"layerDigest": sha(b"")}),
])
def test_refused_by_name(ecr, repo, call, args):
    name = "".join(w.capitalize() for w in call.split("_"))
    text = refused("NotImplemented", getattr(ecr, call), repositoryName=repo, **args)
    assert f"ecr:{name}" in text


# Credentials

def test_authorization_token(daemon, ecr):
    data = ecr.get_authorization_token()["authorizationData"][0]
    assert data["proxyEndpoint"] == daemon.endpoint
    left = data["expiresAt"] - datetime.datetime.now(datetime.timezone.utc)
    assert 11.9 < left.total_seconds() / 3600 <= 12
    user, password = base64.b64decode(data["authorizationToken"]).decode().split(":", 1)
    assert user == "AWS" and len(password) < 4096
    assert ecr.get_authorization_token(registryIds=[ACCOUNT])["authorizationData"]
    refused("InvalidParameterException", ecr.get_authorization_token,
            registryIds=["210987654321"])


def test_cli(daemon, tmp_path):
    """What a deployment script does."""
    made = json.loads(daemon.aws("ecr", "create-repository", "--repository-name", "cli/app"))
    uri = made["repository"]["repositoryUri"]
    auth = tmp_path / "auth.json"
    p = subprocess.run(
        ["skopeo", "login", "--tls-verify=false", "--authfile", auth, "-u", "AWS",
         "--password-stdin", uri.split("/")[0]], text=True, capture_output=True,
        input=daemon.aws("ecr", "get-login-password"))
    assert p.returncode == 0, p.stderr
    image = oci.oci_dir(tmp_path / "i", [oci.tar(oci.entry("hello", b"world"))])
    oci.skopeo("copy", "--dest-tls-verify=false", "--authfile", auth, f"oci:{image}:latest",
               f"docker://{uri}:v1")
    seen = json.loads(daemon.aws("ecr", "describe-images", "--repository-name", "cli/app"))
    assert seen["imageDetails"][0]["imageTags"] == ["v1"]
    # The documented way to retag.
    manifest = daemon.aws("ecr", "batch-get-image", "--repository-name", "cli/app",
                          "--image-ids", "imageTag=v1", "--query", "images[].imageManifest",
                          "--output", "text")
    daemon.aws("ecr", "put-image", "--repository-name", "cli/app", "--image-tag", "v2",
               "--image-manifest", manifest.rstrip("\n"))
    assert daemon.aws("ecr", "list-images", "--repository-name", "cli/app", "--query",
                      "imageIds[].imageTag", "--output", "text").split() == ["v1", "v2"]
    daemon.aws("ecr", "delete-repository", "--repository-name", "cli/app", "--force")


def test_survives_a_kill():
    d = Daemon()
    try:
        ecr = d.client("ecr")
        ecr.create_repository(repositoryName="kept/one")
        up = upload(ecr, "kept/one", b"part one")
        d.kill()
        d.start()
        ecr = d.client("ecr")
        ecr.upload_layer_part(repositoryName="kept/one", uploadId=up, partFirstByte=8,
                              partLastByte=9, layerPartBlob=b"xy")
        ecr.complete_layer_upload(repositoryName="kept/one", uploadId=up,
                                  layerDigests=[sha(b"part onexy")])
    finally:
        d.stop()
