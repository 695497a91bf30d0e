"""An application from the first click to the sweep, in a real browser, with a real SMTP server between staff and client: two clients, each in a
language of his own, fill the form in, learn by mail what is wrong, correct it through the mail's link or withdraw; what was approved is what
the sweep then suspends for. On a phone and on a desktop. ICP_SCREENSHOTS names a folder for the pages."""
import json
import os
import re
from pathlib import Path

import pytest

from applicant import CONFIG, DOCUMENTS, FIRST
from browser import CHROMIUM, Browser
from mailserver import MailServer
from test_notice_browser import CONTRAST, SIZES

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")

NUMBER = "沪ICP备05012345号"
SITE = "http://shop.example.cn/"
HOME = '<!DOCTYPE html><html lang="zh-CN"><meta charset="utf-8"><title>示例茶具</title><h1>示例茶具</h1><p>欢迎光临, 本店全国包邮。</p>{}</html>'
SHOWN = f'<footer><a href="https://beian.miit.gov.cn/">{NUMBER}-1</a></footer>'
LINE = f'<a href="https://beian.miit.gov.cn/" target="_blank" rel="noopener">{NUMBER}-1</a>'
TO_BUREAU = ("review", "file", "sms", "confirm", "bureau")
CLIENTS = {
    "zh-CN": {**FIRST, "holder.name": "北京样板文化有限公司", "holder.uscc": "91110000802100433B", "holder.address": "上海市静安区样板路2号",
              "contact.email": "wang@books.example.cn", "websites.0.name": "样板书店", "websites.0.hosts": "books.example.cn"},
    "en": {**FIRST, "contact.email": "li@shop.example.cn", "websites.0.hosts": "shop.example.cn\nwww.shop.example.cn"},
}


@pytest.fixture
def mails():
    with MailServer() as server:
        yield server


@pytest.fixture
def provider(httpd, mails):
    """The provider's server, with a client's new website on it that nobody has put on file."""
    httpd.init_register()
    httpd.vhost("forms.example.cn", config=CONFIG)
    httpd.vhost("shop.example.cn", {"index.html": HOME.format("")}, "Header set Cache-Control no-cache")
    httpd.config('ICPProvider "示例云 Example Cloud" https://cloud.example.cn/\nICPContact "备案客服 400-000-0000"\nICPFaq https://cloud.example.cn/faq')
    httpd.icpadmin("policy", "set", "mail=smtp", f"mail-server={mails.url}", "mail-from=示例云 <support@example.cn>",
                   f"apply-url=http://forms.example.cn:{httpd.port}/apply", "grace-days=0", "checks=0", "hours=0", "brake-share=100")
    httpd.expect_log("2 virtual hosts belong to no registered site")
    return httpd.start()


@pytest.fixture
def browser(provider):
    with Browser({"forms.example.cn": provider.port, "shop.example.cn": provider.port}) as started:
        yield started


UNLABELLED = "[...document.querySelectorAll('input:not([type=hidden]), select, textarea')].filter(e => !e.labels.length).map(e => e.id)"


def look(page, name):
    """What a person would look for on a page: it fits a phone and a desktop, and can be read in light and dark; every field has a label, and
    the browser complains of nothing."""
    assert page.evaluate(UNLABELLED) == [], name
    assert not [problem for problem in page.problems if "status of 4" not in problem], page.problems  # it tells of a 422 as well
    for size, measures in SIZES.items():
        page.resize(*measures)
        assert page.overhang() <= 0, f"{name}, {size}"
        for scheme in ("dark", "light"):
            page.color_scheme(scheme)
            ratio, text = page.evaluate(CONTRAST)
            assert ratio >= 4.5, f"{name}, {scheme}: {text}"
            if folder := os.environ.get("ICP_SCREENSHOTS"):
                page.screenshot(Path(folder) / f"{name}-{size}-{scheme}.png")


# The control that has the focus: its name, whether a reader would see that it has it, and where it stands.
FOCUS = """(e => [e.id || e.value || e.textContent, parseFloat(getComputedStyle(e).outlineWidth) >= 2 && getComputedStyle(e).outlineStyle != 'none',
               e.getBoundingClientRect().bottom + scrollY])(document.activeElement)"""


def by_keyboard(page):
    """The Tab key leads through all controls as they stand on the page, one after the other, and each shows that it is its turn."""
    stops, before = [], 0
    while "submit" not in stops and len(stops) < 60:
        page.press_tab()
        name, visible, bottom = page.evaluate(FOCUS)
        assert visible and bottom >= before - 1, name
        stops.append(name)
        before = bottom
    assert {name for name in (*FIRST, *DOCUMENTS) if name not in ("kind", "websites", "holder.kind")} <= set(stops), stops
    assert stops[-1] == "submit" and any(name.startswith("holder.kind-") for name in stops), stops


def follow(page, link):
    """Where the focus is after a link within the page."""
    page.evaluate(f"document.querySelector({json.dumps(link)}).click()")
    return page.evaluate("new Promise(done => setTimeout(() => done(document.activeElement.id), 50))")


def text(page):
    return page.evaluate("document.body.innerText")


def errors(page):
    """Fields that an error stands at, in the order of the page."""
    return page.evaluate("[...document.querySelectorAll('.message[id]')].map(e => e.id.replace(/-error$/, ''))")


def fill(page, fields):
    page.fill({name: value for name, value in fields.items() if name not in ("kind", "websites", "holder.kind")})


def choose(page, files, folder):
    for filename, content in files.values():
        (folder / filename).write_bytes(content)
    page.choose_files({name: folder / filename for name, (filename, _) in files.items()})


def click(page, selector):
    page.go(f"document.querySelector({json.dumps(selector)}).click()")


def visit(page, url):
    page.go(f"location.href = {json.dumps(url)}")


SEND = ".actions button[value=submit]"


def apply(browser, provider, language, folder):
    """A client finds the form, sends it empty, sees what is missing, fills it in and sends it; the page of his link."""
    page = browser.open(f"http://forms.example.cn:{provider.port}/apply", *SIZES["phone"], language)
    assert page.evaluate("document.documentElement.lang") == language
    look(page, f"start-{language}")
    assert "kind=first" in page.evaluate("document.querySelector('.kinds a').href")
    click(page, ".kinds a")
    look(page, f"form-{language}")
    by_keyboard(page)
    click(page, SEND)
    assert {"holder.name", "contact.email", "websites.0.hosts", "document.id"} <= set(errors(page))
    assert ("请填写此项。" if language == "zh-CN" else "Please fill this in.") in text(page)
    look(page, f"errors-{language}")
    page.evaluate("document.getElementById('holder.kind-business').click()")
    fill(page, {**CLIENTS[language], "contact.mobile": "12"})
    click(page, SEND)
    assert errors(page) == ["contact.mobile", *DOCUMENTS]
    assert page.evaluate("document.activeElement.id") == "top" and follow(page, ".alert li a") == "contact.mobile"
    for other in ("en" if language == "zh-CN" else "zh-CN", language):
        click(page, "button.link")
        assert page.evaluate("document.documentElement.lang") == other and "contact.mobile" in errors(page)
        assert page.evaluate("document.getElementById('holder.name').value") == CLIENTS[language]["holder.name"]  # what was typed is kept
    click(page, SEND)
    look(page, f"error-{language}")
    choose(page, {**DOCUMENTS, "document.id": DOCUMENTS["document.license"]}, folder)  # a PDF serves as well
    click(page, SEND)
    assert errors(page) == ["contact.mobile"]
    fill(page, {"contact.mobile": CLIENTS[language]["contact.mobile"]})
    click(page, SEND)
    assert errors(page) == list(DOCUMENTS)  # files are not kept with a form that is wrong
    choose(page, DOCUMENTS, folder)
    click(page, SEND)
    assert re.search(r"\?application=[\w-]{32}&sent=", page.evaluate("location.search")), errors(page)
    look(page, f"sent-{language}")
    return page


def application(provider, *arguments):
    return json.loads(provider.icpadmin("application", *arguments, "--json").out)


def by_email(provider, address):
    """The reference of the application of whom that address is."""
    return next(entry["application"] for entry in application(provider, "list", "--all")
                if application(provider, "show", entry["application"])["form"]["contact"]["email"] == address)


def steps(provider, reference, *names):
    for name in names:
        provider.icpadmin("application", name, reference)


def last_mail(provider, mails, address):
    """What the client last got, once all that waits has left: (text, the link in it)."""
    provider.icpadmin("outbox", "send")
    mail = [mail for mail in mails.mails if mail["To"] == address][-1].get_content().replace("\r\n", "\n")
    links = set(re.findall(rf"http://forms\.example\.cn:{provider.port}/apply\?application=[\w-]{{32}}", mail))
    assert len(links) == 1, mail
    return mail, links.pop()


def test_from_the_form_to_the_suspended_site_and_back(provider, mails, browser, tmp_path):
    address = CLIENTS["en"]["contact.email"]
    page = apply(browser, provider, "en", tmp_path)
    assert provider.icpadmin("application", "pull").code == 0
    reference = by_email(provider, address)
    kept = application(provider, "show", reference)["documents"]
    assert {f"document.{document['kind']}" for document in kept} == set(DOCUMENTS)
    mail, link = last_mail(provider, mails, address)
    assert reference in mail and link.split("=")[1] in page.evaluate("location.search")
    visit(page, link)
    assert reference in text(page)
    look(page, "received-en")

    steps(provider, reference, *TO_BUREAU)
    provider.icpadmin("application", "reject", reference, "--reason", "phone", "--reason", "documents", "--note", "身份证照片反光")
    mail, link = last_mail(provider, mails, address)
    for reason in ("手机号码无法接通", "The mobile phone was not answered", "身份证照片反光"):
        assert reason in mail
    page = browser.open(link, *SIZES["phone"], "en")
    assert "The mobile phone was not answered" in text(page) and "身份证照片反光" in text(page)
    assert page.evaluate("document.getElementById('holder.name').value") == CLIENTS["en"]["holder.name"] and "Correct it by" in text(page)
    look(page, "rejected-en")
    fill(page, {"contact.mobile": "13900139000"})
    choose(page, {"document.id": DOCUMENTS["document.id"]}, tmp_path)
    click(page, SEND)
    assert errors(page) == [], text(page)
    look(page, "corrected-en")
    provider.icpadmin("application", "pull")
    shown = application(provider, "show", reference)
    assert shown["state"] == "corrected" and shown["form"]["contact"]["mobile"] == "13900139000"

    steps(provider, reference, *TO_BUREAU)
    approved = json.loads(provider.icpadmin("application", "approve", reference, "--number", NUMBER, "--website", "shop.example.cn=-1", "--json").out)
    assert approved["sites"] == [{"site": "shop.example.cn", "number": NUMBER + "-1", "what": "added"}]
    assert last_mail(provider, mails, address)[0].count(f"shop.example.cn: {NUMBER}-1\n{LINE}\n") == 2  # in each language
    visit(page, link)
    visit(page, link + "&lang=zh")
    assert "已通过" in page.evaluate("document.getElementById('state').textContent")
    visit(page, link)
    assert "approved" in page.evaluate("document.getElementById('state').textContent").lower()
    assert NUMBER + "-1" in text(page) and page.evaluate("[...document.querySelectorAll('pre')].map(e => e.textContent.trim())") == [LINE]
    look(page, "approved-en")

    # What was approved is on file, and the site shows nothing of it.
    page = browser.open(SITE)
    assert "欢迎光临" in text(page)
    looks = json.loads(provider.icpadmin("check", "--all", "--enforce", "--yes", "--json", code=1).out)
    assert [(seen["site"], seen["verdict"], seen["policy"]["ruling"]) for seen in looks] == [("shop.example.cn", "missing", "suspend")]
    visit(page, SITE)
    assert "欢迎光临" not in text(page) and "网站已暂停访问" in text(page) and NUMBER + "-1" in text(page)
    look(page, "notice")
    provider.icpadmin("outbox", "send")
    assert [mail["Subject"] for mail in mails.mails if "shop.example.cn" in mail["Subject"] and "暂停" in mail["Subject"]]
    provider.icpadmin("enable", "shop.example.cn", code=1)  # not before the number is there
    provider.write("shop.example.cn", {"index.html": HOME.format(SHOWN)})
    provider.icpadmin("enable", "shop.example.cn")
    visit(page, SITE)
    assert "欢迎光临" in text(page) and NUMBER + "-1" in text(page)
    assert provider.icpadmin("check", "--all", "--enforce", "--yes").code == 0
    assert provider.icpadmin("log", "--verify").code == 0


def test_returned_corrected_and_withdrawn_in_chinese(provider, mails, browser, tmp_path):
    address = CLIENTS["zh-CN"]["contact.email"]
    apply(browser, provider, "zh-CN", tmp_path)
    provider.icpadmin("application", "pull")
    reference = by_email(provider, address)
    steps(provider, reference, "review")
    provider.icpadmin("application", "return", reference, "--field", "holder.address", "--reason", "地址不完整", "--suggestion", "请写到门牌号")
    mail, link = last_mail(provider, mails, address)
    assert "地址不完整" in mail and "请写到门牌号" in mail
    page = browser.open(link, *SIZES["phone"], "zh-CN")
    assert "地址不完整" in text(page) and "请写到门牌号" in text(page)
    look(page, "returned-zh-CN")
    assert follow(page, ".reasons a") == "holder.address"
    at_field = page.evaluate("document.getElementById(document.activeElement.getAttribute('aria-describedby').split(' ')[1]).innerText")
    assert "地址不完整" in at_field and "请写到门牌号" in at_field
    assert page.evaluate("document.getElementById('holder.address').value") == CLIENTS["zh-CN"]["holder.address"]
    fill(page, {"holder.address": "上海市静安区样板路2号301室"})
    click(page, SEND)
    look(page, "corrected-zh-CN")
    provider.icpadmin("application", "pull")
    shown = application(provider, "show", reference)
    assert shown["state"] == "corrected" and shown["form"]["holder"]["address"] == "上海市静安区样板路2号301室"
    assert len(shown["documents"]) == len(DOCUMENTS)  # those that were sent first are kept

    visit(page, link)
    click(page, "#withdraw button")
    assert "sure" in errors(page)  # not by a slip
    look(page, "withdraw-zh-CN")
    page.evaluate("document.getElementById('sure').click()")
    click(page, "#withdraw button")
    provider.icpadmin("application", "pull")
    assert application(provider, "show", reference)["state"] == "withdrawn"
    visit(page, link)
    assert page.evaluate("document.getElementById('withdraw')") is None and reference in text(page)
    assert "请保存本页链接" not in text(page)  # nothing more comes by it
    look(page, "withdrawn-zh-CN")
