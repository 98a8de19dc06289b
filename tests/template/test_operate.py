"""`docs/operate.md`: errors that exist, costs that add up, commands that are commands."""

import re
import subprocess

from test_template import ROOT, Deployment

PAGE = (ROOT / "docs" / "operate.md").read_text()
SOURCES = "\n".join(path.read_text().split("#[cfg(test)]")[0] for path in sorted((ROOT / "src").glob("**/*.rs")))
# Rust breaks a long text with a backslash.
TEXTS = re.sub(r"\\\n\s*", "", SOURCES)


def table(heading, number=0):
    """The cells of each row of a table under a heading."""
    part = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    tables = re.findall(r"(?m)(?:^\|.*\n)+", part)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in tables[number].splitlines()[2:]]


def test_every_error_text_is_one_of_the_program():
    for text, *_ in table("Errors, and what to do"):
        shown = re.match(r"`([^`]+)`", text)[1]
        assert shown in TEXTS, shown


def test_every_error_of_the_function_is_explained():
    explained = "\n".join(row[0] for row in table("Errors, and what to do"))
    source = (ROOT / "src/advise/session.rs").read_text()
    messages = re.findall(r'#\[error\("([^"]+)"\)\]', source.split("pub enum AdviseError")[1].split("\n}")[0])
    assert len(messages) == 7
    for message in messages:
        assert f"`{message}`" in explained


def test_every_reason_is_one_of_the_program():
    for reason, _ in table("Errors, and what to do", 1):
        word = reason.strip("`")
        camel = "".join(part.capitalize() for part in word.split("_"))
        assert f'"{word}"' in SOURCES or f"Self::{camel}" in SOURCES, word


def test_every_metric_is_one_that_the_function_writes():
    written = dict(re.findall(r'"Name": "(\w+)", "Unit": "(\w+)"', (ROOT / "src/report/emf.rs").read_text()))
    assert {name.strip("`"): unit for name, unit, *_ in table("What it did")} == written


def test_costs_add_up():
    *rows, (_, _, _, total) = table("What it costs")
    together = 0
    for what, _, formula, usd in rows:
        expression = formula.strip("`")
        assert re.fullmatch(r"[\d.+*/() ]+", expression), what
        # Digits and operators alone.
        value = eval(expression)  # noqa: S307
        assert f"{value:.2f}" == usd, (what, value)
        together += round(value, 2)
    assert total == f"**{together:.2f}**"


def test_costs_count_the_alarms_and_the_memory_of_the_template():
    rows = {row[0]: row[2] for row in table("What it costs")}
    deployment = Deployment("template.yaml")
    assert rows["its own alarms"].startswith(f"`{len(deployment.resources('AWS::CloudWatch::Alarm'))} *")
    assert f"{int(deployment.parameters['MemorySize']) / 1024} *" in rows["Lambda"]
    assert deployment.parameters["LogRetentionDays"] == "90"


def test_shell_blocks_are_shell():
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.S)
    assert blocks
    for block in blocks:
        assert subprocess.run(["bash", "-n"], input=block, text=True, check=False).returncode == 0, block


def test_every_link_leads_somewhere():
    for page in ("operate.md", "permissions.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / "docs" / page).read_text()):
            assert (ROOT / "docs" / target).exists(), target
