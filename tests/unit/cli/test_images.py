"""What `images show` prints of an image."""

from hallmark.scanner.v1 import finding_service_pb2, image_pb2, image_service_pb2, risk_pb2

from tests.fakes.servicers import offering
from tests.unit.cli.conftest import Hallmark, Serve

DIGEST = "sha256:" + "ab" * 32
IMAGE = f"reg.example.com/shop@{DIGEST}"


def test_an_image_shows_where_its_layers_come_from(serve: Serve, hallmark: Hallmark) -> None:
    layers = ["sha256:" + letter * 64 for letter in "abc"]
    origins = [
        image_pb2.LayerOrigin(created_by="ADD rootfs.tar /", base_image="debian:12"),
        image_pb2.LayerOrigin(base_image="python:3", base_claimed=True),
        image_pb2.LayerOrigin(created_by="RUN \x1b[31mmake"),
    ]
    image = image_pb2.Image(
        repository="reg.example.com/shop",
        digest=DIGEST,
        risk=risk_pb2.ImageRisk(state=risk_pb2.IMAGE_RISK_STATE_SCANNED),
    )
    platform = image_pb2.ImagePlatform(platform="linux/amd64", layers=layers, layer_origins=origins)
    images = offering(
        image_service_pb2.DESCRIPTOR.services_by_name["ImageService"],
        GetImage=lambda request, context: image_service_pb2.GetImageResponse(image=image, platforms=[platform]),
    )
    findings = offering(
        finding_service_pb2.DESCRIPTOR.services_by_name["FindingService"],
        ListFindings=lambda request, context: finding_service_pb2.ListFindingsResponse(),
    )
    done = hallmark("images", "show", IMAGE, scanner=serve(images, findings))
    assert done.returncode == 0, done.stderr
    shown = " ".join(done.stdout.split())
    assert f"{layers[0]} debian:12 ADD rootfs.tar /" in shown
    assert f"{layers[1]} python:3 (claimed) -" in shown
    assert f"{layers[2]} - RUN \\x1b[31mmake" in shown
