"""Headless Chromium for tests, driven over its DevTools pipe (--remote-debugging-pipe: JSON messages ended by NUL on
descriptors 3 and 4), so that nothing needs to be installed beside the browser.

    with Browser(names={"shop.example.cn": httpd.port}) as browser:
        page = browser.open("http://shop.example.cn/", width=360, height=740, language="zh-CN")
        assert page.evaluate("document.title") == "..."
"""
import base64
import json
import os
import shutil
import subprocess
import tempfile

CHROMIUM = os.environ.get("ICP_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
         "--disable-extensions", "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-features=HttpsUpgrades",
         "--no-proxy-server", "--remote-debugging-pipe")


class Page:
    """One tab. requests: URLs it asked for; problems: what the browser complained about (console, policy, exceptions)."""

    def __init__(self, browser, session, frame):
        self._browser, self._session, self._frame = browser, session, frame
        self.requests, self.problems = [], []
        self.loaded = set()  # documents whose load event has come, by the browser's ids

    def call(self, method, **parameters):
        return self._browser.call(method, self._session, **parameters)

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def resize(self, width, height):
        self.width = width
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)

    def overhang(self):
        """Pixels by which the page is wider than what was asked for. (window.innerWidth would not tell: a phone's grows with the page.)"""
        return self.evaluate("document.documentElement.scrollWidth") - self.width

    def color_scheme(self, name):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def accessible(self):
        """What a screen reader is told: [(role, name)] in order, without what it skips."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]]

    def press_tab(self):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)

    def screenshot(self, file):
        """The whole page, as PNG."""
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        with open(file, "wb") as out:
            out.write(base64.b64decode(answer["data"]))

    def fill(self, fields):
        """Values of inputs, selects and text areas by id; True ticks a box or chooses a radio button."""
        for name, value in fields.items():
            self.evaluate(f"(e => {{ {'e.checked = true' if value is True else f'e.value = {json.dumps(value)}'} }})"
                          f"(document.getElementById({json.dumps(name)}))")

    def choose_files(self, files):
        """Files of file inputs: id → path."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        for name, path in files.items():
            node = self.call("DOM.querySelector", nodeId=root, selector=f'[id="{name}"]')["nodeId"]
            self.call("DOM.setFileInputFiles", files=[str(path)], nodeId=node)

    def go(self, expression):
        """Does what leads to another page, as "document.querySelector('button').click()", and waits until that is there."""
        before = set(self.loaded)
        self.evaluate(f"setTimeout(() => {{ {expression} }}, 0), 0")
        self._browser._until(lambda _: self.loaded - before, expression)

    def _event(self, method, parameters):
        if method == "Page.lifecycleEvent":
            if parameters["name"] == "load" and parameters["frameId"] == self._frame:
                self.loaded.add(parameters["loaderId"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method == "Log.entryAdded":
            self.problems.append(parameters["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.problems.append(parameters["exceptionDetails"]["text"])


class Browser:
    """names: host name → port; every other name fails to resolve."""

    def __init__(self, names):
        rules = [f"MAP {name} 127.0.0.1:{port}" for name, port in names.items()] + ["MAP * ~NOTFOUND"]
        self._profile = tempfile.mkdtemp(prefix="icp-chromium-")
        from_browser, to_us = os.pipe()
        from_us, to_browser = os.pipe()

        def place():  # the browser reads 3 and writes 4; first out of the way of those two numbers
            read, write = os.dup(from_us), os.dup(to_us)
            os.dup2(read, 3)
            os.dup2(write, 4)

        command = [CHROMIUM, *FLAGS, f"--user-data-dir={self._profile}", f"--host-resolver-rules={', '.join(rules)}"]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                         close_fds=False, preexec_fn=place)
        os.close(from_us)
        os.close(to_us)
        self._in, self._out = os.fdopen(from_browser, "rb"), os.fdopen(to_browser, "wb")
        self._rest, self._number, self._pages = b"", 0, {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.call("Browser.close")
        except (AssertionError, OSError):
            self._process.kill()
        self._process.wait(30)
        self._in.close()
        self._out.close()
        shutil.rmtree(self._profile, ignore_errors=True)

    def _message(self):
        while b"\0" not in self._rest:
            chunk = os.read(self._in.fileno(), 65536)
            assert chunk, "the browser ended"
            self._rest += chunk
        message, self._rest = self._rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        self._out.write(json.dumps(message).encode() + b"\0")
        self._out.flush()
        return self._until(lambda answer: answer.get("id") == self._number, method)

    def _until(self, wanted, what):
        while True:
            message = self._message()
            page = self._pages.get(message.get("sessionId"))
            if page and "method" in message:
                page._event(message["method"], message["params"])
            if wanted(message):
                assert "error" not in message, f"{what}: {message['error']}"
                return message.get("result", message)

    def open(self, url, width=1280, height=900, language="zh-CN"):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self._pages[session] = Page(self, session, target)
        for domain in ("Page", "Network", "Log", "Runtime"):
            page.call(f"{domain}.enable")
        page.resize(width, height)
        page.call("Network.setExtraHTTPHeaders", headers={"Accept-Language": language})
        page.call("Page.setLifecycleEventsEnabled", enabled=True)
        loader = page.call("Page.navigate", url=url)["loaderId"]
        if loader not in page.loaded:  # the empty page that a tab begins with has a load event too
            self._until(lambda _: loader in page.loaded, url)
        return page
