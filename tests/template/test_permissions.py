"""`docs/permissions.md` explains every action that the template gives, in the part where it belongs, and no other."""

import re

from test_template import EVERYTHING, ROOT, Deployment, is_read

PAGE = (ROOT / "docs" / "permissions.md").read_text()


def explained(heading):
    """The actions of the table under a heading."""
    part = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [match for line in part.splitlines() for match in re.findall(r"^\| `([a-z0-9-]+:[A-Za-z]+)` \|", line)]


READ = explained("Read, in either mode")
REPORT = explained("Take events, remember, report, in either mode")
APPLY = explained("Write scaling, with `Mode=apply` alone")
OPTIONS = explained("Where an option asks for it")


def test_every_action_is_explained_once():
    everything = READ + REPORT + APPLY + OPTIONS
    assert sorted(everything) == sorted(Deployment("template.yaml", Mode="apply", **EVERYTHING).actions())


def test_each_mode_has_what_its_tables_say():
    recommend = Deployment("template.yaml").actions()
    assert recommend == set(READ) | set(REPORT)
    assert Deployment("template.yaml", Mode="apply").actions() - recommend == set(APPLY)
    assert Deployment("template.yaml", **EVERYTHING).actions() - recommend == set(OPTIONS)


def test_the_first_table_only_reads():
    assert all(is_read(action) for action in READ)


def test_every_row_says_why_and_what_is_lost():
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    assert len(rows) == len(READ + REPORT + APPLY + OPTIONS)
    assert all(cell.strip() for row in rows for cell in row.strip("|").split("|"))
