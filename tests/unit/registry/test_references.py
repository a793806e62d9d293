"""References and patterns: one normal form, one meaning, and nothing odd gets through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from registry.patterns import InvalidPattern, compile_pattern
from registry.references import InvalidReference, normal_host, parse_image, parse_reference

DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("nginx", "docker.io/library/nginx"),
        ("nginx:1", "docker.io/library/nginx:1"),
        ("acme/tool", "docker.io/acme/tool"),
        ("index.docker.io/acme/tool", "docker.io/acme/tool"),
        ("REG.Example.com/a/b:T", "reg.example.com/a/b:T"),
        ("localhost:5000/a", "localhost:5000/a"),
        ("registry.example.com:443/x:1", "registry.example.com/x:1"),
        ("registry.example.com:4430/x:1", "registry.example.com:4430/x:1"),
        ("registry-1.docker.io:443/acme/tool", "docker.io/acme/tool"),
        ("LOCALHOST/a", "localhost/a"),
        ("127.0.0.1:5000/a", "127.0.0.1:5000/a"),
        ("[::1]:443/a", "[::1]/a"),
        (f"reg.example.com/a:1@{DIGEST}", f"reg.example.com/a:1@{DIGEST}"),
    ],
)
def test_a_reference_has_one_normal_form(text: str, normal: str) -> None:
    assert str(parse_reference(text)) == normal


@pytest.mark.parametrize(
    "text",
    [
        "",
        "NGINX",
        "nginx\u200b",
        " nginx",
        "nginx@sha256:zz",
        "nginx@sha512:" + "a" * 128,
        "a" * 64,
        DIGEST,
        "nginx:",
        "a//b",
        "../b",
        "reg.example.com/a/../b",
        "xn--e1awd7f.example/x",
        "r\u00e9g.example.com/x",
        "reg.example.com/" + "a" * 300,
        "reg.example.com:99999999/x",
        "reg.example.com:65536/x",
        "reg.example.com:0443/x",
        "reg.example.com:0/x",
        "reg.example.com:/x",
        "reg.example.com./x",
        "user@reg.example.com/x",
        "127.0.0.01/x",
        "127.1/x",
        "2130706433:5000/x",
        "0x7f000001:5000/x",
        "0x7f.0.0.0x1/x",
        "[0:0:0:0:0:0:0:1]/x",
        "[::0001]/x",
        "[::ffff:7f00:0001]/x",
        "nginx\n",
        "nginx:1\n",
        f"nginx@{DIGEST}\n",
        f"nginx@{DIGEST.upper()}",
        f"a@{DIGEST}@{DIGEST}",
        "user:password@reg.example.com/x",
        f"user@reg.example.com/x@{DIGEST}",
        "https://reg.example.com/x",
        "reg.example.com/./x",
        "reg.example.com/x/..",
        "reg.example.com/%2e%2e/x",
        "reg.example.com%2fx/y",
        "reg.example.com/x%3a1",
        "reg.example.com/x\\y",
        "reg.example.com/x?y",
        "reg.example.com/x#y",
        "\uff52eg.example.com/x",
        "reg.example.com\u2024evil.example/x",
        "[::1]evil.example/x",
        "[fe80::1%25eth0]/x",
        "[::1",
        "-reg.example.com/x",
        "reg..example.com/x",
        "a" * 64 + ".example.com/x",
    ],
)
def test_an_odd_reference_is_refused(text: str) -> None:
    with pytest.raises(InvalidReference):
        parse_reference(text)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("Reg.example.com:443/pay/api", "reg.example.com/pay/api:latest"),
        ("nginx:1", "docker.io/library/nginx:1"),
        (f"nginx@{DIGEST}", f"docker.io/library/nginx@{DIGEST}"),
        (f"nginx:1@{DIGEST}", f"docker.io/library/nginx:1@{DIGEST}"),
    ],
)
def test_an_image_has_a_tag_or_a_digest(text: str, normal: str) -> None:
    assert str(parse_image(text)) == normal


@given(st.text(max_size=80))
def test_what_is_accepted_stays_itself(text: str) -> None:
    try:
        reference = parse_reference(text)
    except InvalidReference:
        return
    assert parse_reference(str(reference)) == reference


@pytest.mark.parametrize(
    ("pattern", "image", "covered"),
    [
        ("reg.example.com/pay/**", "reg.example.com/pay/a/b", True),
        ("reg.example.com/pay/*", "reg.example.com/pay/a/b", False),
        ("reg.example.com/pay/*", "reg.example.com/pay/a", True),
        ("reg.example.com/**", "reg.example.com.evil.org/a", False),
        ("reg.example.com/pay", "reg.example.com/payments", False),
        ("nginx", "nginx", True),
        ("nginx", "reg.example.com/nginx", False),
        ("docker.io/library/*", "nginx", True),
        ("docker.io/*", "nginx", True),
        ("docker.io/ngin*", "nginx", True),
        ("docker.io/*", "acme/tool", False),
        ("docker.io/**", "acme/tool", True),
        ("index.docker.io/library/*", "nginx", True),
        ("reg.example.com/**", "reg.example.com:443/a", True),
        ("reg.example.com:443/**", "reg.example.com/a", True),
        ("reg.example.com/**", "reg.example.com:5000/a", False),
        ("REG.example.com/*", "reg.EXAMPLE.com/a", True),
        ("*.example.com/**", "a.example.com/x/y", True),
        ("*.example.com/**", "a/b.example.com/x", False),
        ("**", "reg.example.com/x", True),
    ],
)
def test_a_pattern_covers_whole_names(pattern: str, image: str, covered: bool) -> None:
    assert compile_pattern(pattern).matches(parse_reference(image).name) is covered


@pytest.mark.parametrize(
    "text", ["", "a b", "reg.example.com/***", "*" * 20, "é/x", "a/[b]", "x" * 300, "nginx:1", "reg.example.com:01/x"]
)
def test_an_odd_pattern_is_refused(text: str) -> None:
    with pytest.raises(InvalidPattern):
        compile_pattern(text)


@pytest.mark.parametrize(
    "text",
    ["a.b/../c", "a.b/.", "a.b/c/..", "a.b/c..d", "a.b/.*", "a.b/*.", "a.b/-*/x", "a.b/a*..b", "a.b/a___*"],
)
def test_a_pattern_that_no_name_can_match_is_refused(text: str) -> None:
    with pytest.raises(InvalidPattern, match="nothing would match it"):
        compile_pattern(text)


@given(st.text(alphabet="ab._-*/", min_size=1, max_size=12))
def test_whatever_pattern_is_taken_matches_some_name(path: str) -> None:
    try:
        pattern = compile_pattern(f"reg.example.com/{path}")
    except InvalidPattern:
        return
    assert pattern.matches(parse_reference("reg.example.com/" + path.replace("**", "a").replace("*", "a")).name)


@given(st.text("a0.:-_/[]", max_size=20) | st.text("docker.i/x:0", max_size=16))
def test_an_image_named_whole_is_covered_by_its_own_name_as_a_pattern(text: str) -> None:
    try:
        reference = parse_reference(text)
    except InvalidReference:
        return
    assert compile_pattern(reference.name).matches(reference.name)
    assert normal_host(reference.host) == reference.host
