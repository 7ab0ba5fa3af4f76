#!/usr/bin/env python3
"""A SecAgg site in Python: an implementation of spec/ that shares no code with the Swift one.

    site.py enroll --name hospital-p --directory hospital-p
    site.py run --config hospital-p --samples 100 --step 0.001

`run` expects roster.json and consortium.pub in the directory. It trains nothing: its update is the global weights plus a constant.
Exit codes are those of docs/errors.md. Needs the packages of requirements.txt, and spec/proto beside this checkout.
"""
import argparse
import sys
import time
from pathlib import Path

from secagg_site import identity as identities, roster as rosters
from secagg_site.driver import PHASES, Driver, Policy
from secagg_site.journal import Journal, JournalError
from secagg_site.trainer import ConstantTrainer
from secagg_site.transport import compile_frames

PROTO = Path(__file__).resolve().parents[2] / "spec/proto"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    enroll = verbs.add_parser("enroll", help="make keys, certificate and the request for the consortium")
    enroll.add_argument("--name", required=True)
    enroll.add_argument("--directory", default=".")
    enroll.add_argument("--days", type=int, default=825)
    run = verbs.add_parser("run", help="take part in the server's job until it ends")
    run.add_argument("--config", required=True, help="the directory with identity, roster.json, consortium.pub and state")
    run.add_argument("--server", help="host:port (default: the roster's first address)")
    run.add_argument("--roster", help="default: roster.json in the directory")
    run.add_argument("--consortium-key", help="default: consortium.pub in the directory")
    run.add_argument("--samples", type=int, default=10, help="the sample count that is reported")
    run.add_argument("--step", type=float, default=0.001, help="what is added to every weight")
    run.add_argument("--statistics-step", type=float, default=0.0, help="what is added to every running mean and variance")
    run.add_argument("--metric", type=float, default=0.5, help="the value of every loss and metric")
    run.add_argument("--min-sites", type=int, default=3)
    run.add_argument("--min-honest", type=int, default=3)
    run.add_argument("--give-up-after", type=float, default=60, help="seconds without a session")
    run.add_argument("--drop-in", choices=PHASES, help="disconnect in this phase of the first training round")
    run.add_argument("--recover", choices=["session", "restart"],
                     help="after --drop-in connect again: with the attempt still in memory, or with the journal alone; else end")
    run.add_argument("--recover-after", type=float, default=1.0, help="seconds between --drop-in and the new connection")
    return parser.parse_args()


def enroll(options):
    path, fingerprint = identities.enroll(options.name, options.directory, options.days)
    print(f"keys         {Path(options.directory) / 'identity'} (never leave this machine)")
    print(f"request      {path}: hand it to the consortium")
    print(f"fingerprint  {fingerprint}")
    return 0


def run(options):
    home = Path(options.config)
    identity = identities.load(home / "identity")
    journal = Journal(home / "state")
    pinned = bytes.fromhex(Path(options.consortium_key or home / "consortium.pub").read_text().strip())
    roster = rosters.load(options.roster or home / "roster.json", pinned, int(time.time()), journal.serial)
    if roster.serial > journal.serial:
        journal.record("roster", serial=roster.serial)
    site = identities.index_in(roster, identity)
    driver = Driver(
        frames=compile_frames(PROTO), address=options.server or roster.server.addresses[0], roster=roster, site=site, identity=identity,
        journal=journal, trainer=ConstantTrainer(options.samples, options.step, options.statistics_step, options.metric),
        policy=Policy(options.min_sites, options.min_honest), drop_in=options.drop_in, recover=options.recover,
        give_up_after=options.give_up_after, recover_after=options.recover_after)
    return driver.run()


def main():
    options = arguments()
    try:
        return {"enroll": enroll, "run": run}[options.verb](options)
    except (rosters.RosterError, identities.IdentityError, JournalError) as error:
        print(f"error[{str(error)[:5]}]: {str(error)[7:]}", file=sys.stderr)
        return {"RO-01": 78, "RO-02": 65, "ID-01": 78, "ID-04": 78, "PA-01": 65, "PA-02": 75, "TL-08": 64}.get(str(error)[:5], 77)
    except OSError as error:
        print(f"error[CF-01]: {error}", file=sys.stderr)
        return 78


if __name__ == "__main__":
    sys.exit(main())
