"""Secret values: text that looks like a key whatever its name, and the secrets of URLs and connection strings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelex_cogt.config.masking import mask_setting
from pipelex_cogt.config.secret_values import MASK, mask_text

C = "canary4711"

KEYS = [
    *(f"sk-{C}", f"sk-ant-api03-{C}", f"sk-proj-{C}", f"sk-or-v1-{C}", f"sk-lf-{C}", f"sk_live_{C}", f"rk_live_{C}"),
    *(f"AKIA{C}", f"ghp_{C}", f"gho_{C}", f"github_pat_{C}", f"glpat-{C}", f"xoxb-{C}", f"xoxp-{C}", f"xapp-{C}"),
    *(f"AIza{C}", f"ya29.{C}", f"hf_{C}", f"gsk_{C}", f"xai-{C}", f"pplx-{C}", f"nvapi-{C}", f"r8_{C}", f"tgp_v1_{C}"),
    *(f"hvs.{C}", f"npm_{C}", f"pypi-{C}", f"dop_v1_{C}", f"SG.{C}.x", f"whsec_{C}", f"dapi{C}", f"lsv2_pt_{C}"),
    *(f"Bearer {C}", f"bearer  {C}", f"Basic {C}", f"BASIC {C}==", f"Digest {C}", f"ApiKey {C}", f"SharedKey a:{C}"),
    *(f"AWS4-HMAC-SHA256 Credential={C}", f"SharedAccessSignature sr=x&sig={C}", f"session=sk-{C}", f'"sk-{C}"'),
    f"eyJhbGciOiJIUzI1NiJ9.{C}.sig",
    f"-----BEGIN PRIVATE KEY-----\nMIIE{C}\n{C}\n-----END PRIVATE KEY-----",
    f"-----BEGIN RSA PRIVATE KEY-----\\n{C}\\n-----END",
    f"9f86d081884c7d659a2feaa0c55ad015{C}",
    f"x7Kd92LmQp4Zt8Rv{C}A1",
    f"wJalrXUtnFEMI/K7MDENG/bPxRfiCY{C}",
    f"the key is sk-{C}, keep it",
    f"sk-{C}\u00a0",
    f"sk-{C} ${{A}}",
    *(
        f"Authorization: Bearer {C}",
        f"authorization:basic {C}",
        f'{{"Authorization": "Bearer {C}"}}',
        f"auth=Bearer {C}",
    ),
    *(f"GOCSPX-{C}", f"dp.st.q7Xk29dmLp4Zt8Rv{C}", f"0a1b2c3d4e5f6a7b8c9d0e1f2a3b{C}.q8Rt2v"),
]
NO_KEYS = [
    *(
        "us-east-1",
        "gpt-4.1",
        "2024-10-21-preview",
        "text/plain",
        "v1beta",
        "my-resource",
        "risk-free-model",
        "task-sk",
    ),
    *("anthropic.claude-sonnet-4-20250514-v1:0", "72f988bf-86f1-41af-91ab-2d7cd011db47", "Llama-4-Maverick-17B-128E"),
    *("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-20250514-v1:0", "Bearer"),
    *(
        "/etc/gcp/account.json",
        "C:\\keys\\account.json",
        "projects/p1/locations/us-central1",
        "gs://bucket/a/b",
        "5m30s",
    ),
    *(
        "a text of several words, with 3 numbers: 4, 5",
        "token limit reached",
        "application/json; charset=utf-8",
        "",
        "x",
    ),
    *(
        "Bearer ${TOKEN}",
        "Authorization: Bearer ${TOKEN}",
        "${SCHEME} ${TOKEN}",
        "the plan: basics",
        "meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8",
        "a=b",
        "x-api-key",
    ),
]


@pytest.mark.parametrize("value", KEYS)
def test_what_looks_like_a_key_is_masked_whatever_its_name(value: str) -> None:
    assert C not in mask_setting("region", value)


@pytest.mark.parametrize("value", NO_KEYS)
def test_what_looks_like_none_is_shown(value: str) -> None:
    assert mask_setting("region", value) == value


URLS = [
    # where a password stands
    ("https://u:p canary4711 x@h/v1", f"https://u:{MASK}@h/v1"),
    (" https://u:p canary4711@h/v1?token=canary4711", f" https://u:{MASK}@h/v1?token={MASK}"),
    ("https://u:canary4711 x@h@i", f"https://u:{MASK}@i"),
    ("https://u:canary4711@h/v1", f"https://u:{MASK}@h/v1"),
    ("redis://:canary4711@h:6379/0", f"redis://:{MASK}@h:6379/0"),
    ("https://u:p@canary4711@h/v1", f"https://u:{MASK}@h/v1"),
    ("https://u:p/canary4711@h/v1", f"https://u:{MASK}@h/v1"),
    ("https://u:p:canary4711@x/y@h/v1", f"https://u:{MASK}@h/v1"),
    ("https://u:p?canary4711#x@h/v1", f"https://u:{MASK}@h/v1"),
    ("https://u:canary4711%40%2F@h", f"https://u:{MASK}@h"),
    ("https://u@corp.example:canary4711@h", f"https://u@corp.example:{MASK}@h"),
    ("https://u:canary4711@[::1]:80/x", f"https://u:{MASK}@[::1]:80/x"),
    ("postgresql+psycopg://u:canary4711@h/db", f"postgresql+psycopg://u:{MASK}@h/db"),
    ("jdbc:postgresql://u:canary4711@h/db", f"jdbc:postgresql://u:{MASK}@h/db"),
    ("//u:canary4711@h", f"//u:{MASK}@h"),
    ("u:canary4711@h:8080", f"u:{MASK}@h:8080"),
    ("proxy at u:canary4711@h", f"proxy at u:{MASK}@h"),
    # where a user is the secret
    ("https://canary4711@h/x@y", f"https://{MASK}@h/x@y"),
    ("https://canary4711:@h", f"https://{MASK}:@h"),
    ("https://ghp_canary4711:x-oauth-basic@h", f"https://{MASK}:{MASK}@h"),
    ("https://x-access-token:canary4711@h/o/r.git", f"https://x-access-token:{MASK}@h/o/r.git"),
    ("https://canary4711@o1.ingest.sentry.io/2", f"https://{MASK}@o1.ingest.sentry.io/2"),
    # parameters
    ("https://h/v1?api_key=canary4711", f"https://h/v1?api_key={MASK}"),
    ("https://h/v1?a=b&key=canary4711&c=d", f"https://h/v1?a=b&key={MASK}&c=d"),
    ("https://h/v1?sv=2&sig=canary4711%3D&se=3", f"https://h/v1?sv=2&sig={MASK}&se=3"),
    ("https://h/cb#access_token=canary4711&x=1", f"https://h/cb#access_token={MASK}&x=1"),
    ("https://h/f?code=canary4711==", f"https://h/f?code={MASK}"),
    ("https://h?X-Amz-Credential=canary4711&X-Amz-Date=1", f"https://h?X-Amz-Credential={MASK}&X-Amz-Date=1"),
    ("https://h?api%5Fkey=canary4711", f"https://h?api%5Fkey={MASK}"),
    ("https://h?x=1;token=canary4711;y=2", f"https://h?x=1;token={MASK};y=2"),
    ("https://h/r?to=https%3A%2F%2Fu%3Acanary4711%40h", f"https://h/r?to={MASK}"),
    ("https://h/r?to=https://u:canary4711@h", f"https://h/r?to=https://u:{MASK}@h"),
    ("https://h/v1?model=sk-canary4711", f"https://h/v1?model={MASK}"),
    ("https://h/sk-canary4711/v1", f"https://h/{MASK}/v1"),
    # connection strings, and more than one
    ("AccountName=n;AccountKey=canary4711==;Suffix=x", f"AccountName=n;AccountKey={MASK};Suffix=x"),
    ("Endpoint=sb://h/;SharedAccessKeyName=n;SharedAccessKey=canary4711=", None),
    ("h:6380,password=canary4711,ssl=True", f"h:6380,password={MASK}"),
    ("h:6380,ssl=True,password=canary4711,x=y", f"h:6380,ssl=True,password={MASK}"),
    ("x-team=a,api-key=canary4711", f"x-team=a,api-key={MASK}"),
    ("https://h?a=b,c&token=canary4711&d=e", f"https://h?a=b,c&token={MASK}&d=e"),
    ("https://u:canary4711@a,https://v:canary4711@b", f"https://u:{MASK}@a,https://v:{MASK}@b"),
    ("https://a:80,https://u:canary4711@b", f"https://a:80,https://u:{MASK}@b"),
    ("https://u:canary4711,x://y@b", f"https://u:{MASK}@b"),
    ("https://u:canary4711@a and redis://:canary4711@b", f"https://u:{MASK}@a and redis://:{MASK}@b"),
]
PLAIN_URLS = [
    *(
        "https://h/v1",
        "http://h:8080/a@b",
        "http://[::1]/a@b",
        "http://[::1]:80/a@b",
        "https://h?x=a@b",
        "https://h:80?x=a@b",
    ),
    *(
        "https://h/y?z=u:p@q",
        "mailto:a@b",
        "git@github.com:o/r.git",
        "https://h/v1?api-version=2024-10-21",
        "a@b",
        "@",
        ":@",
    ),
    *(
        "https://h/#top",
        "https://${HOST}:${PORT}/a@b",
        "https://${HOST}/v1",
        "https://u:${PW}@h",
        "https://${USER}:${PW}@h",
    ),
    *(
        "https://${TOKEN}@h",
        "https://h?api_key=${KEY}",
        "https://h/token?grant_type=x",
        "https://h/a;b=c",
        "://",
        "https://",
    ),
]


@pytest.mark.parametrize(("url", "shown"), URLS, ids=[url for url, _ in URLS])
def test_of_a_url_only_the_secret_is_masked(url: str, shown: str | None) -> None:
    assert mask_text(url) == (shown or mask_text(url))
    assert "canary" not in mask_text(url)
    assert MASK in mask_text(url)


@pytest.mark.parametrize("url", PLAIN_URLS)
def test_a_url_without_a_secret_is_shown_as_it_is(url: str) -> None:
    assert mask_setting("endpoint", url) == url


SIGNS = st.text(st.sampled_from("abz019@:/?#&=%.,;-_~!$*+()'\u00e9"), min_size=1, max_size=12)


@given(SIGNS, SIGNS)
def test_no_password_is_shown_whatever_signs_it_has(before: str, after: str) -> None:
    password = f"x{before}canary{after}"
    shown = mask_text(f"https://user:{password}@host.example/v1")
    assert "canary" not in shown
    assert shown.endswith("@host.example/v1")


@given(SIGNS, SIGNS)
def test_a_default_in_the_place_of_a_password_is_hidden(before: str, after: str) -> None:
    text = f"https://user:x{before}y${{PW:-{before}canary{after}}}{after}@host.example/v1"
    assert "canary" not in mask_setting("endpoint", text)
    assert "${PW:-" in mask_setting("endpoint", text)


@given(st.text(max_size=40))
def test_what_is_masked_stays_masked(text: str) -> None:
    assert mask_text(mask_text(text)) == mask_text(text)
