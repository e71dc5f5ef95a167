"""The report in a real browser, the network cut: no error, and page one is one page."""

import base64
import re
import shutil
import zlib

import pytest

from planner.report import write_report

pytestmark = pytest.mark.browser
CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
]


@pytest.fixture(scope="module")
def browser():
    if not (shutil.which(CHROMIUM) and shutil.which(DRIVER)):
        pytest.skip("Debian's chromium and chromium-driver are not installed")
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, "--host-resolver-rules=MAP * ~NOTFOUND"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.mark.parametrize("which", ["plan", "english_plan", "hostile_plan"])
def test_opens_without_a_word_on_the_console(browser, which, request, tmp_path):
    path = write_report(request.getfixturevalue(which), tmp_path / "report.html")
    browser.get(path.as_uri())
    assert browser.get_log("browser") == []
    assert browser.find_elements("css selector", "img, script, iframe, object") == []
    styled = "return getComputedStyle(document.querySelector('h1')).fontWeight"
    assert browser.execute_script(styled) == "700"


@pytest.mark.parametrize("which", ["plan", "english_plan"])
def test_page_one_holds_everything_a_leader_needs(browser, which, request, tmp_path):
    path = write_report(request.getfixturevalue(which), tmp_path / "report.html")
    browser.get(path.as_uri())
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    width = 160 * 96 / 25.4
    browser.execute_script(f"document.querySelector('main').style.cssText = 'width: {width}px'")
    overflow = "const s = document.querySelector('.first'); return s.scrollHeight - s.clientHeight"
    assert browser.execute_script(overflow) <= 1
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_prints_on_a4(browser, plan, tmp_path):
    browser.get(write_report(plan, tmp_path / "report.html").as_uri())
    printed = browser.execute_cdp_cmd(
        "Page.printToPDF", {"printBackground": True, "preferCSSPageSize": True}
    )
    text = base64.b64decode(printed["data"])
    for packed in re.findall(rb"stream\r?\n(.*?)endstream", text, re.DOTALL):
        try:
            text += zlib.decompress(packed)
        except zlib.error:
            continue
    boxes = {
        tuple(map(round, map(float, b.split()))) for b in re.findall(rb"/MediaBox \[([^]]+)]", text)
    }
    assert boxes == {(0, 0, 595, 842)}
