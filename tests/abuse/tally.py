"""Adds up what schemathesis reported, and what the server's own log says about it.

`count FILE` prints how many requests a report is about; `table FOLDER SEED` prints a table of all reports in the folder, and
last a line of key=value pairs. Its exit code is 1 unless there were neither server errors nor contract violations.
"""

import json
import pathlib
import re
import sys

# What the server logs when something of its own went wrong.
DEFECT = re.compile(r"answered 500|panicked")


def reports(folder):
    """The reports of each role, in the order of the rounds."""
    found = {}
    for path in sorted(pathlib.Path(folder).glob("*-*.json"), key=lambda path: path.stat().st_mtime_ns):
        role = path.stem.rsplit("-", 1)[0]
        found.setdefault(role, []).append(json.loads(path.read_text()))
    return found


def failures(report):
    """How many server errors and how many other failures a report has; what could not be tried is a failure, too."""
    server, contract = 0, len(report["errors"])
    for failure in report["failures"]:
        if failure["type"] == "ServerError":
            server += failure["count"]
        else:
            contract += failure["count"]
    return server, contract


def table(folder, seed):
    total_server, total_contract, pairs = 0, 0, []
    print(f"{'role':<14}{'requests':>10}{'server errors':>16}{'contract violations':>22}")
    for role, of_role in reports(folder).items():
        requests = sum(report["test_cases"]["generated"] for report in of_role)
        server = sum(failures(report)[0] for report in of_role)
        contract = sum(failures(report)[1] for report in of_role)
        print(f"{role:<14}{requests:>10}{server:>16}{contract:>22}")
        total_server, total_contract = total_server + server, total_contract + contract
        pairs.append(f"requests_{role}={requests}")
    defects = [line for line in pathlib.Path(folder, "log").read_text().splitlines() if DEFECT.search(line)]
    for line in defects[:20]:
        print(f"log: {line}")
    total_server = max(total_server, len(defects))
    print(f"server_errors={total_server} contract_violations={total_contract} {' '.join(pairs)} seed={seed}")
    return 0 if total_server == total_contract == 0 else 1


def main():
    match sys.argv[1:]:
        case ["count", path]:
            print(json.loads(pathlib.Path(path).read_text())["test_cases"]["generated"])
        case ["table", folder, seed]:
            sys.exit(table(folder, seed))
        case _:
            sys.exit(__doc__)


main()
