"""Metrics in Prometheus' text format as its own parser reads them, and held to the rules of promtool's lint and of its naming guide."""
import re
import shutil
import subprocess

from prometheus_client.parser import text_string_to_metric_families

# What a base unit is written instead of; and suffixes that Prometheus makes itself.
OTHER_UNITS = re.compile(r"_(milli|micro|nano)?(milliseconds|microseconds|minutes|hours|days|weeks|kilobytes|megabytes|bits|percent|ms|kb|mb)(_|$)")
RESERVED = re.compile(r"_(count|sum|bucket|created|info)$")


def samples(text):
    """{(name, "label=value,…"): value} of a page, which must be right."""
    assert text.endswith("\n") and "\r" not in text
    found, names = {}, re.findall(r"^# TYPE (\S+) ", text, re.M)
    assert len(names) == len(set(names)), "a metric is declared twice"
    assert names == re.findall(r"^# HELP (\S+) \S", text, re.M), "HELP comes with each TYPE"
    families = list(text_string_to_metric_families(text))
    assert [name.removesuffix("_total") for name in names] == [family.name for family in families]
    for name, family in zip(names, families):
        assert family.type == ("counter" if name.endswith("_total") else "gauge"), name
        assert re.fullmatch(r"icp_[a-z_]+", name) and not RESERVED.search(name) and not OTHER_UNITS.search(name), name
        assert family.documentation.endswith(".") and family.samples, name
        for sample in family.samples:
            key = sample.name, ",".join(f"{label}={value}" for label, value in sample.labels.items())
            assert sample.name == name and key not in found, key
            assert all(re.fullmatch(r"[a-z_]+", label) for label in sample.labels) and sample.value >= 0
            found[key] = sample.value
    if shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")
    return found
