# SPDX-License-Identifier: Apache-2.0
"""plan --html: the page of a change ticket, by its text and in a real browser."""
import html.parser
import re
import shutil

import browser
import peerwrite
import pytest
from lists import PUB
from test_plan import OLD_10, OLD_12, TOKENED, World

VOID = {"meta", "input", "br", "hr", "img", "link"}
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


@pytest.fixture
def world(ctlsign, cluster, keys, tmp_path):
    return World(ctlsign, cluster, keys, tmp_path)


class Page(html.parser.HTMLParser):
    """Elements that open and close, attributes, text; fails on what no careful writer writes."""

    def __init__(self, source):
        super().__init__()
        self.stack, self.tags, self.texts, self.source = [], [], [], source
        self.feed(source)
        self.close()
        assert not self.stack, f"not closed: {self.stack}"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack and self.stack[-1] == tag, f"</{tag}> in {self.stack}"
        self.stack.pop()

    def handle_data(self, data):
        if "style" not in self.stack:
            self.texts.append(data)

    @property
    def text(self):
        return " ".join("".join(self.texts).split())


def write(world, old, new, *options, name="plan.html"):
    """The page as a string, and its path."""
    path = world.folder / name
    world.run.ok("plan", old.name, new.name, "--accept-lockout", "all", *options, "--html", path,
                 cwd=world.folder)
    return path.read_text(encoding="utf-8"), path


@pytest.fixture
def migration(world):
    """A page with everything on it: refusals, warnings, an open step."""
    old, new = world.make("old.tlv", OLD_10), world.make("new.tlv", TOKENED, style="ctl-client")
    return write(world, old, new, "--release", "10.5", *world.trust("t1", "t2"))


def test_the_page_is_whole_and_alone(migration):
    source, _ = migration
    page = Page(source)
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "embed", "form", "base", "svg"}
    for _, attributes in page.tags:
        assert not [a for a in attributes if a.startswith("on") or a in ("src", "href", "action")]
    assert ("meta", {"http-equiv": "Content-Security-Policy", "content": POLICY}) in page.tags
    assert "url(" not in source and "@import" not in source and "http:" not in source
    assert "https:" not in source


def test_the_page_says_what_the_text_says(world, migration):
    source, _ = migration
    plan = world.json(world.folder / "old.tlv", world.folder / "new.tlv", "--release", "10.5",
                      "--sast-trust", "trust")
    text = Page(source).text
    for step in plan["steps"]:
        assert " ".join(step["title"].split()) in text
        for line in step["lines"]:
            assert " ".join(line["text"].split()) in text
    for warning in plan["warnings"]:
        assert warning["text"] in text
    for record in plan["records"]:
        assert record["subject"] in text and record["not_after"][:10] in text
    assert ("twice" if plan["resets"] == 2 else "once") in text
    for step in plan["steps"]:
        for tag in step["sources"]:
            assert re.search(rf"\[[^]]*\b{re.escape(tag)}\b", text)
    for word in ("old", "new"):
        assert plan["lists"][word]["md5"] in text and plan["lists"][word]["sha1"] in text
    assert plan["summary"] in text


def test_page_and_text_have_one_order(world, migration):
    """What an admin needs first stands first, in both."""
    source, _ = migration
    heads = re.findall(r"<h2>([^<]*)</h2>", source)
    text = world.plan(world.folder / "old.tlv", world.folder / "new.tlv", "--release", "10.5",
                      "--sast-trust", "trust").out
    wanted = ["What changes", "Verdict", "Warnings", "Before you begin", "Steps", "Checks",
              "Rollback", "Why: what phones do", "Why: anchors", "Lists", "Changes"]
    for found in (heads, [line for line in text.splitlines() if re.match(r"[A-Z]", line)][1:]):
        assert [next(i for i, head in enumerate(found) if head.startswith(word))
                for word in wanted] == list(range(len(wanted)))
    assert heads[-1] == "Legend"


def test_no_green_above_a_lock_out(world):
    """Phones take the bridge and the new list, but those that miss it are lost: no green then."""
    cases = [(OLD_10, TOKENED, "bad"), (OLD_12, OLD_12 + " CCM+TFTP=sub2", "good"),
             (OLD_12, OLD_12.replace("SAST=recovery! SAST=pub", "SAST=recovery SAST=pub!")
              .replace("SAST=recovery ", ""), "warn")]
    for old, new, look in cases:
        source, _ = write(world, world.make("old.tlv", old), world.make("new.tlv", new),
                          "--release", "12.5")
        assert f'<p class="banner {look}">' in source
        danger = "<b>Danger:</b>" in source or "REFUSE" in source.split("<h2>Before")[0]
        assert danger == (look != "good")


def test_codes_are_for_scripts(migration):
    """Sentences say what happens; the words of --json are not among them."""
    text = Page(migration[0]).text
    for code in ("signer-is-sast", "signer-unknown", "signer-not-sast", "leap-of-faith",
                 "itl-has-tvs-record", "make-way-back", "way-back:"):
        assert code not in text, code


def test_equal_names_are_told_apart(world):
    old = world.make("old.tlv", OLD_10)
    new = world.make("new.tlv", OLD_10.replace("=pub", "=pub-regenerated@pub"))
    source, _ = write(world, old, new, "--release", "10.5")
    names = [a["name"] for a in world.json(old, new, "--release", "10.5", status=1)["anchors"]]
    assert len(names) == 2 and len(set(names)) == 2
    for name in names:
        assert name.startswith("CallManager cucm-1051-a-pub, serial ") and name in source


def test_every_step_can_be_ticked(migration):
    page = Page(migration[0])
    steps = [a for tag, a in page.tags if tag == "input" and "aria-label" in a]
    assert len(steps) == page.source.count('<p class="title">')
    assert page.source.count('<span class="number warn">?</span>') == 1


def test_the_time_line_stays_within_its_track(world):
    import datetime
    world.pem("capf2", not_after=datetime.datetime(9999, 12, 31, 23, 59, 59))
    world.pem("sub2", not_before=datetime.datetime(1950, 1, 1), not_after=datetime.datetime(1951, 1, 1))
    old = world.make("old.tlv", OLD_12)
    new = world.make("new.tlv", OLD_12.replace("=capf", "=capf2") + " CCM+TFTP=sub2")
    source, _ = write(world, old, new, "--release", "12.5")
    bars = re.findall(r'style="left:([0-9.]+)%;\s*width:([0-9.]+)%;', source)
    assert len(bars) == 6
    for left, width in bars:
        assert 0 <= float(left) and float(width) > 0 and float(left) + float(width) <= 100.2
    ten_years = sorted(float(width) for _, width in bars)[1:4]
    assert min(ten_years) > 10, "one certificate squeezes the others"


HOSTILE = [
    b"</title><script>alert(1)</script>", b"<img src=x onerror=alert(1)>",
    b"\"><svg/onload=alert(1)>", b"'-alert(1)-'", b"&lt;script&gt;", b"<!--", b"]]>",
    b"\x1b[31m\x9b", "\u202egpj.exe\u2066".encode(), b"\xff\xfe<b>", b"<style>*{display:none}</style>",
    b"a\0<script>b",
]


def hostile(world):
    """A list whose names are attacks, in records and in certificates."""
    cert = peerwrite.load(world.pem("pub"))
    rows = [peerwrite.record_fields(cert, "SAST", "cucm", "pub", PUB)]
    rows += [peerwrite.record_fields(cert, "CCM+TFTP", "cucm", name, f"10.0.0.{i}")
             for i, name in enumerate(HOSTILE)]
    for cn in ("hostile", "turning"):
        rows.append(peerwrite.record_fields(peerwrite.load(world.pem(cn)), "SAST", "cucm", "x", PUB))
    path = world.folder / "<hostile>.tlv"
    path.write_bytes(peerwrite.assemble(rows, 0, world.key("pub")))
    return world.make("old.tlv", OLD_10), path


def test_names_are_text_and_nothing_else(world):
    source, _ = write(world, *hostile(world))
    page = Page(source)
    assert {tag for tag, _ in page.tags} <= {
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "b", "i", "div",
        "span", "code", "ul", "ol", "li", "label", "input", "table", "thead", "tbody", "tr", "th",
        "td"}
    assert "<script" not in source and "onerror=alert" in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in source
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", source)
    assert "\\xe2\\x80\\xae" in source and "\\x1b" in source


# In a browser -----------------------------------------------------------------------------------

needs_chromium = pytest.mark.skipif(browser.CHROMIUM is None,
                                    reason="no chromium here (Debian: apt-get install chromium)")


@pytest.fixture(scope="module")
def chromium():
    one = browser.Browser()
    yield one
    one.close()


def complaints(events):
    """What the browser's console would show, and every request but that of the page itself."""
    said = [e for e in events if e["method"] in
            ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown",
             "Audits.issueAdded", "Page.javascriptDialogOpening")]
    asked = [e["params"]["request"]["url"] for e in events
             if e["method"] == "Network.requestWillBeSent"]
    return said, asked[1:]


def luminance(colour):
    parts = [int(n) / 255 for n in re.findall(r"\d+", colour)[:3]]
    parts = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


# For every element with text of its own: its colour and the first solid one behind it.
COLOURS = """Array.from(document.querySelectorAll('body *')).filter(e =>
  Array.from(e.childNodes).some(n => n.nodeType === 3 && n.data.trim())).map(e => {
    let b = e; while (b && getComputedStyle(b).backgroundColor === 'rgba(0, 0, 0, 0)') b = b.parentElement;
    return [e.textContent.trim().slice(0, 40), getComputedStyle(e).color,
            getComputedStyle(b || document.body).backgroundColor]; })"""
WIDE = """Array.from(document.querySelectorAll('body *')).filter(e =>
  e.getBoundingClientRect().right > innerWidth + 0.5).map(e => e.outerHTML.slice(0, 200))"""


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1000, 400])
def test_in_a_browser(chromium, migration, scheme, width):
    said, asked = complaints(chromium.open(migration[1], width, 900, scheme))
    assert said == [] and asked == []
    assert chromium.ask("document.documentElement.scrollWidth") <= width
    assert chromium.ask(WIDE) == []
    dark = luminance(chromium.ask("getComputedStyle(document.body).backgroundColor")) < 0.2
    assert dark == (scheme == "dark")
    for text, ink, paper in chromium.ask(COLOURS):
        a, b = sorted((luminance(ink), luminance(paper)))
        assert (b + 0.05) / (a + 0.05) >= 4.5, f"{scheme}: {text!r} is {ink} on {paper}"
    small = chromium.ask("""Math.min(...Array.from(document.querySelectorAll('p, td, li')).map(e =>
        parseFloat(getComputedStyle(e).fontSize)))""")
    assert small >= 12
    assert chromium.ask("document.querySelectorAll('.steps > li').length") > 8


@needs_chromium
@pytest.mark.parametrize("width", [1000, 400])
def test_hostile_names_in_a_browser(chromium, world, width):
    _, path = write(world, *hostile(world))
    said, asked = complaints(chromium.open(path, width, 900))
    assert said == [] and asked == []
    assert chromium.ask("document.scripts.length + document.images.length") == 0
    assert chromium.ask("document.documentElement.scrollWidth") <= width
    assert chromium.ask("document.querySelectorAll('table.records tr').length") > 10


@needs_chromium
def test_what_a_browser_would_complain_about(chromium, world, tmp_path):
    """The net has no hole: a page that asks and runs is caught."""
    path = tmp_path / "bad.html"
    path.write_text(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
                    "<script>alert(1)</script><img src='nothing.png'>", encoding="utf-8")
    said, _ = complaints(chromium.open(path))
    assert said != []
    path.write_text("<img src='nothing.png'>", encoding="utf-8")
    _, asked = complaints(chromium.open(path))
    assert len(asked) == 1
    path.write_text("<div style='width:900px'>wide</div>", encoding="utf-8")
    chromium.open(path, 400)
    assert chromium.ask("document.documentElement.scrollWidth") > 400 and chromium.ask(WIDE) != []


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_paper(chromium, migration, scheme):
    chromium.open(migration[1], scheme=scheme)
    pdf = chromium.pdf()
    assert pdf.startswith(b"%PDF-")
    boxes = re.findall(rb"/MediaBox ?\[([0-9. ]+)\]", pdf)
    assert 2 <= len(boxes) <= 12
    for box in boxes:
        left, top, width, height = map(float, box.split())
        assert (left, top) == (0, 0)
        assert abs(width - 595.28) < 1 and abs(height - 841.89) < 1, "no A4 page"
    # 182 mm between the margins, at 96 dots an inch.
    chromium("Emulation.setDeviceMetricsOverride", width=688, height=1000, deviceScaleFactor=1,
             mobile=False)
    chromium("Emulation.setEmulatedMedia", media="print",
             features=[{"name": "prefers-color-scheme", "value": scheme}])
    assert chromium.ask(WIDE) == []
    assert luminance(chromium.ask("getComputedStyle(document.body).color")) < 0.1
    assert chromium.ask("getComputedStyle(document.querySelector('input')).colorScheme") == "light"
    for text, ink, paper in chromium.ask(COLOURS):
        if paper != "rgba(0, 0, 0, 0)":
            assert luminance(paper) > 0.7, f"{text!r} is printed on {paper}"


@needs_chromium
def test_shots_for_the_eye(chromium, migration, tmp_path):
    """Pictures to look at, where CTLSIGN_SHOTS names a folder for them."""
    import os
    for scheme in ("light", "dark"):
        for width in (1200, 400):
            chromium.open(migration[1], width, 900, scheme)
            chromium.screenshot(tmp_path / f"{scheme}-{width}.png")
    shots = sorted(tmp_path.glob("*.png"))
    assert len(shots) == 4 and all(s.stat().st_size > 10000 for s in shots)
    if os.environ.get("CTLSIGN_SHOTS"):
        for shot in shots:
            shutil.copy(shot, os.environ["CTLSIGN_SHOTS"])
