# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium, driven over the pipe of its DevTools protocol: nothing but Python's own library."""
import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

CHROMIUM = shutil.which("chromium")
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
           "--disable-background-networking", "--disable-component-update", "--disable-sync",
           "--disable-extensions", "--disable-dev-shm-usage", "--remote-debugging-pipe"]


class Browser:
    """One browser, one page. Events are kept until they are looked at."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="ctlsign-browser-")
        to_child, self.write_end = os.pipe()
        self.read_end, from_child = os.pipe()
        command = [CHROMIUM, *OPTIONS, f"--user-data-dir={self.folder}", "about:blank"]
        self.log = open(pathlib.Path(self.folder) / "log", "wb")
        self.child = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{to_child} 4>&{from_child}', "-", *command],
            pass_fds=[to_child, from_child], stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log, start_new_session=True,
            env={"PATH": os.environ["PATH"], "HOME": self.folder, "LC_ALL": "C.UTF-8", "TZ": "UTC"})
        os.close(to_child)
        os.close(from_child)
        self.rest, self.count, self.events, self.session = b"", 0, [], None
        target = next(t for t in self("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self("Target.attachToTarget", targetId=target["targetId"],
                            flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self(f"{domain}.enable")

    def receive(self, timeout):
        """The next message, None where none comes in time."""
        end = time.monotonic() + timeout
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.read_end], [], [], max(0, end - time.monotonic()))
            if not ready:
                return None
            data = os.read(self.read_end, 1 << 20)
            if not data:
                raise EOFError((pathlib.Path(self.folder) / "log").read_text(errors="replace"))
            self.rest += data
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def __call__(self, method, **parameters):
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive(60)
            assert answer is not None, f"{method}: no answer"
            if answer.get("id") == self.count:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            if "method" in answer:
                self.events.append(answer)

    def open(self, path, width=1000, height=1400, scheme="light"):
        """Loads a file; returns the events until it stood and a while after."""
        self("Emulation.setDeviceMetricsOverride", width=width, height=height,
             deviceScaleFactor=1, mobile=False)
        self("Emulation.setEmulatedMedia", media="",
             features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events.clear()
        self("Page.navigate", url=pathlib.Path(path).resolve().as_uri())
        end = time.monotonic() + 30
        while not any(e["method"] == "Page.loadEventFired" for e in self.events):
            event = self.receive(1)
            assert time.monotonic() < end, "the page does not load"
            if event and "method" in event:
                self.events.append(event)
        while (event := self.receive(0.3)) is not None:
            if "method" in event:
                self.events.append(event)
        return list(self.events)

    def ask(self, expression):
        """What a JavaScript expression comes to; the page itself needs none."""
        result = self("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def screenshot(self, path):
        size = self("Page.getLayoutMetrics")["cssContentSize"]
        shot = self("Page.captureScreenshot", format="png", captureBeyondViewport=True,
                    clip={"x": 0, "y": 0, "width": size["width"], "height": size["height"],
                          "scale": 1})
        pathlib.Path(path).write_bytes(base64.b64decode(shot["data"]))

    def pdf(self):
        return base64.b64decode(self("Page.printToPDF", preferCSSPageSize=True,
                                     printBackground=True)["data"])

    def close(self):
        os.close(self.write_end)
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.child.pid, 9)
            self.child.wait()
        os.close(self.read_end)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
