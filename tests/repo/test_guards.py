"""Guards against drift: what is said in two places says the same, and the arrows between the rooms run one way.
They read the sources and the products; nothing is started."""
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BUILD = SOURCE / os.environ.get("ICP_BUILD", "build")


def read(*patterns):
    return "".join(path.read_text() for pattern in patterns for path in sorted(SOURCE.glob(pattern)) if path.is_file())


def test_only_the_module_symbol_is_exported():
    symbols = subprocess.check_output(["nm", "-D", "--defined-only", str(BUILD / "mod_icp.so")], text=True)
    names = {line.split()[-1] for line in symbols.splitlines()}
    assert names == {"icp_module"}


def test_libicp_and_icpadmin_know_no_httpd():
    includes = set(re.findall(r'#include [<"]([\w/]+\.h)[>"]', read("libicp/*.[ch]", "icpadmin/*.[ch]")))
    httpd = {path.name for path in Path(subprocess.check_output(["apxs", "-q", "INCLUDEDIR"], text=True).strip()).glob("*.h")}
    assert httpd, "httpd's headers are where apxs says"
    apr = {name for name in httpd if name.startswith("apr")}
    assert not includes & (httpd - apr)


def symbols(*rooms, kinds="T"):
    """What the compiler left in the objects: which source defines each name (functions only, unless `kinds` says more), and which
    names each source uses of others."""
    objects = [str(BUILD / "obj" / room / f"{source.stem}.o") for room in rooms for source in SOURCE.glob(f"{room}/*.c")]
    defined, used = {}, {}
    for line in subprocess.check_output(["nm", "-P", *objects], text=True).splitlines():
        name, kind, *_ = [*line.split(), ""]
        if not kind:  # the heading of an object: its path and a colon
            source = Path(name).stem
        elif kind in kinds:
            defined[name] = source
        elif kind == "U":
            used.setdefault(source, set()).add(name)
    return defined, used


def calls(room):
    """Of each source in `room`: those that define a function it uses."""
    defined, used = symbols(room)
    return {source: {defined[name] for name in names if name in defined} for source, names in used.items()}


@pytest.mark.parametrize("room", ["libicp", "mod_icp", "icpadmin"])
def test_no_files_call_each_other_in_a_round(room):
    left = calls(room)
    assert any(left.values())
    while True:  # take away what calls nobody that is left, until nothing more goes
        bottom = {source for source, called in left.items() if not called & left.keys() - {source}}
        if not bottom:
            break
        left = {source: called for source, called in left.items() if source not in bottom}
    assert not left


def test_what_leaves_a_file_is_wanted_in_another():
    defined, used = symbols("libicp", "mod_icp", "icpadmin", kinds="TDRB")
    asked_by_tests = {"icp_db_error"}  # of statements of their own
    assert defined.keys() - {"main"} - set().union(*used.values()) == asked_by_tests


def test_every_source_has_its_place_in_the_architecture():
    named = set(re.findall(r"`(\w+)`", read("docs/architecture.md")))
    sources = {path.stem for room in ("libicp", "mod_icp", "icpadmin") for path in SOURCE.glob(f"{room}/*.c")}
    assert not {name for name in sources if not name.startswith(("cmd_", "queue_"))} - named


def test_every_directive_is_documented():
    directives = set(re.findall(r"\bX\((ICP[A-Z]\w+)", read("mod_icp/config.h")))
    documented = set(re.findall(r"^#+ .*?\b(ICP[A-Z]\w+)", read("docs/directives.md"), re.MULTILINE))
    assert directives and directives == documented


def test_manual_is_the_program_s():
    assert read("docs/icpadmin.md") == subprocess.check_output([BUILD / "icpadmin", "help", "--markdown"], text=True), "run 'make docs'"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_questions_and_answers_are_those_of_the_page(language):
    made = subprocess.check_output(["awk", "-v", f"lang={language}", "-v", "docs=1", "-f", "conf/faq/figures.awk",
                                    "conf/faq/figures.tsv", f"conf/faq/{language}.md"], cwd=SOURCE, text=True)
    assert read(f"docs/faq.{language}.md") == made, "run 'make docs'"


def test_the_size_of_a_document_is_the_same_everywhere():
    limit = re.search(r"#define ICP_DOCUMENT_LIMIT \((\d+) \* 1024 \* 1024\)", read("libicp/document.h")).group(1)
    told = {path: set(re.findall(r"(\d+) MB", read(path))) for path in
            ("conf/apply/apply.html", "mod_icp/apply.c", "mod_icp/apply_typed.c", "libicp/intake_take.c", "icpadmin/cmd_domain_step.c", "docs/forms.md",
             "docs/faq.en.md", "docs/faq.zh.md")}
    assert told == dict.fromkeys(told, {limit})


def colours(path):
    """What the page calls each of its colours, light and dark."""
    roots = re.findall(r":root \{([^}]*)\}", read(path))
    assert len(roots) == 2
    return [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+)", root)) for root in roots]


def test_pages_share_their_colours():
    notice, form = colours("conf/notice/notice.html"), colours("conf/apply/apply.html")
    assert colours("conf/faq/page.html") == notice
    for ours, theirs in zip(form, notice):
        assert {name: ours[name] for name in ("page", "card", "text", "muted", "line", "link")} == \
            {name: theirs[name] for name in ("page", "card", "text", "muted", "line", "link")}


def test_every_sql_statement_is_used():
    defined = set(re.findall(r"^-- STMT_(\w+)$", read("libicp/sql/*.sql"), re.MULTILINE))
    used = set(re.findall(r"ICP_STMT_(\w+)", read("libicp/*.c", "mod_icp/*.c", "icpadmin/*.c"))) - {"COUNT"}
    assert defined and defined == used


# Statements whose purpose it is to go through a table, or the one row of it; by an index where there are wide rows.
WALKS = set("""APPLICATION_IDS APPLICATION_UNTOLD AUDIT_MOVE_TAIL AUDIT_TAIL DOCTOR_FOREIGN_KEYS DOCTOR_INTEGRITY DOCTOR_SITE_WITHOUT_HOST
    DOCTOR_SITE_WITHOUT_LICENSE DOMAIN_IDS EVIDENCE_EXPIRE EVIDENCE_FILES EVIDENCE_TOTALS EXEMPTION_LIST HOLDER_IDS LICENSE_IDS OUTBOX_DUE OUTBOX_IDS
    OVERVIEW_APPLICATIONS OVERVIEW_LICENSES OVERVIEW_NAMES OVERVIEW_SUSPENDED OVERVIEW_TOTALS OVERVIEW_VERDICTS PASS_COUNT
    PASS_EPOCHS_ANEW PASS_EXPIRE PASS_LIST REPORT_SITES REPORT_SUSPENSIONS SIGHTINGS_READ SIGHTINGS_SHAPE SITE_IDS SNAPSHOT_HOSTS_AGAIN
    SNAPSHOT_REVISION STANDINGS SWAP_HAS_STATE SWAP_MARK SWAP_PENDING SWEEP_CLOSE SWEEP_LOOKS SWEEP_NEWEST""".split())


def test_no_statement_walks_a_table_to_find_a_row():
    database = sqlite3.connect(":memory:")
    database.execute("ATTACH ':memory:' AS private")
    walks = set()
    for path in sorted((SOURCE / "libicp/sql").glob("*.sql"), key=lambda path: (path.name not in ("register.sql", "private.sql"),
                                                                               not path.name.startswith("schema"), path.name)):
        for name, text in re.findall(r"^-- STMT_(\w+)\n(.*?)(?=^-- STMT_|\Z)", path.read_text(), re.MULTILINE | re.DOTALL):
            text = re.sub(r"--.*", "", text).strip()
            if re.match("CREATE|ALTER", text):
                database.executescript(text)
            elif re.match("SELECT|INSERT|UPDATE|DELETE|WITH", text) and "_ALONE" not in name and path.name != "backup.sql":
                values = [None] * max(map(int, re.findall(r"\?(\d+)", text)), default=0)
                plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {text}", values)]
                if any(re.match(r"SCAN (?!CONSTANT)|.*AUTOMATIC", step) for step in plan):
                    walks.add(name)
    assert walks == WALKS


def test_no_sql_outside_sql_files():
    text = read("libicp/*.[ch]", "mod_icp/*.[ch]", "icpadmin/*.[ch]")
    assert not re.findall(r'"(?:SELECT|INSERT|UPDATE|DELETE|CREATE) [^"]*"', text)


def test_nothing_that_outlives_the_module_is_named_by_its_memory():
    assert "apr_pool_userdata_setn" not in read("mod_icp/*.c")  # it keeps the key's address, and a reload unloads the module


def test_no_unfinished_marks():
    text = read("libicp/*.*", "mod_icp/*.*", "icpadmin/*", "tests/*/*.[ch]", "docs/*", "README.md", "Makefile", "conf/**/*")
    assert not [line for line in text.splitlines() if re.search(r"\b(?:TODO|FIXME|XXX)\b", line)]


def test_every_process_collects_the_same_tests():
    """Processes that share the tests stop at a name that differs: none may hold the time, a random number or the order of a set."""
    def collected(seed, later):
        program = f"import sys, time, pytest; now = time.time; time.time = lambda: now() + {later}; sys.exit(pytest.main(sys.argv[1:]))"
        return subprocess.check_output([sys.executable, "-c", program, "-q", "--collect-only", "-p", "no:cacheprovider", "tests"],
                                       cwd=SOURCE, env={**os.environ, "PYTHONHASHSEED": seed}, text=True).splitlines()[:-1]
    now, later = collected("1", 0), collected("2", 40 * 86400)
    assert len(now) > 1000 and now == later


def test_every_message_has_a_template():
    posted = set(re.findall(r'(?:icp_message_post(?:_site)?|\btell)\([^;{]*?"((?:site|application|domain|sweep)\.[a-z-]+)"', read("libicp/*.c", "icpadmin/*.c")))
    templates = {path.stem for path in (SOURCE / "conf/mail").glob("*.*.txt")}
    states = re.search(r"#define ICP_APP_STATES.*?REFUSED", read("libicp/workflow.h"), re.DOTALL).group()
    posted |= {f"application.{name}" for name in re.findall(r'X\([A-Z_]+, "([a-z-]+)"', states)}
    assert {"site.suspended", "site.enabled", "application.received"} <= posted
    assert not posted - templates - {"sweep.braked"}  # an event without recipient


def test_every_mail_has_both_languages_and_documented_placeholders():
    documented = set(re.findall(r"^\| `([a-z-]+)`", read("docs/mail.md"), re.MULTILINE))
    names = set(re.findall(r'X\([A-Z_]+, "([a-z-]+)"\)', read("libicp/mail_template.c")))
    assert names and names == documented
    for path in (SOURCE / "conf/mail").glob("*.*.txt"):
        subject, text = path.read_text().split("\n", 1)
        chinese, english = text.split("\n----\n")
        assert re.search("[\u4e00-\u9fff]", chinese) and not re.search("[\u4e00-\u9fff]", english), path
        assert re.match("Subject: .* / .*", subject), path
