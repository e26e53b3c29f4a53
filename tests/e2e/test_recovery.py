#!/usr/bin/env python3
"""What is left when a part is lost: the database, an up-to-date copy of it, or the list of segments. Every sealed profile comes back, once;
also at S3."""
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support import pprof, runner, s3, server  # noqa: E402
from support.server import total  # noqa: E402

QUIET = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"}


class Life:
    """A server and the sum of all that it acknowledged."""

    def __init__(self, target):
        self.target, self.sent, self.want = target, 0, 0

    def write(self, profiles):
        for _ in range(profiles):
            value = 1_000 + self.sent
            body = pprof.build({("main", f"p_{self.sent}"): (1, value)}, time_ns=1_700_000_000_000_000_000 + self.sent * 1_000_000)
            assert self.target.ingest(body, name=f"svc-{self.sent % 3}")[0] == 200
            self.sent, self.want = self.sent + 1, self.want + value

    def compact(self, force):
        status, _, body = self.target.request("POST", f"/api/v1/admin/compact?force={force}", b"")
        assert status == 200, (status, body)

    def check(self):
        assert total(self.target) == self.want, (total(self.target), self.want)


def run(args, *words, env=None):
    done = subprocess.run([args.test_hearth, *words], capture_output=True, text=True, env=env)
    return done.returncode, done.stdout + done.stderr


def test_a_lost_database_costs_only_what_was_not_sealed(args):
    with server.Server(args.test_hearth) as target:
        life = Life(target)
        life.write(20)
        life.compact("true")
        life.write(20)
        life.compact("false")
        life.write(20)
        target.seal()
        target.kill()
        shutil.rmtree(pathlib.Path(target.data) / "db")
        target.start()
        life.check()
        life.write(5)
        life.check()


def test_an_older_database_finds_what_was_sealed_since(args):
    with server.Server(args.test_hearth) as target:
        life, db = Life(target), pathlib.Path(target.data) / "db"
        life.write(20)
        target.seal()
        life.write(20)  # In the copy these are not sealed.
        target.stop()
        shutil.copytree(db, f"{target.data}/copy")
        target.start()
        target.seal()
        life.write(20)
        life.compact("false")
        target.kill()
        shutil.rmtree(db)
        pathlib.Path(f"{target.data}/copy").rename(db)
        for _ in range(2):
            target.start()
            life.check()
            target.kill()
        target.start()
        target.seal()
        life.write(5)
        life.compact("true")
        life.check()


def lose_the_list(args, target, location, remove, env=None):
    life = Life(target)
    life.write(20)
    life.compact("true")
    life.write(20)
    life.compact("true")
    life.write(20)
    target.seal()
    target.stop()
    remove()
    code, said = run(args, "rebuild-index", *location, env=env)
    assert code == 0 and "merged segments" in said, said
    target.start()
    life.check()
    code, said = run(args, "verify", *location, env=env)
    assert code == 0 and "no findings" in said, said
    life.write(5)
    life.compact("true")
    life.check()
    code, said = run(args, "rebuild-index", *location, env=env)
    assert code == 0 and "nothing to do" in said, said


def test_a_lost_list_of_segments_is_made_from_the_segments(args):
    with server.Server(args.test_hearth) as target:
        lose_the_list(args, target, [target.data], lambda: shutil.rmtree(pathlib.Path(target.data) / "bucket" / "s"))


def test_a_lost_list_of_segments_at_s3(args):
    with s3.Sim(args.test_hearth) as sim:
        env = dict(QUIET, AWS_ACCESS_KEY_ID=sim.access_key, AWS_SECRET_ACCESS_KEY=sim.secret_key)
        bucket = f"s3://{sim.bucket}/lost-{time.time_ns()}"
        client = s3.Client(sim.endpoint, sim.access_key, sim.secret_key)

        def remove():
            for number in range(1, 20):
                client.request("DELETE", f"/{bucket[5:]}/s/{number:020}.snap")
        with server.Server(args.test_hearth, env=env, args=["--bucket", bucket, "--s3.endpoint", sim.endpoint]) as target:
            lose_the_list(args, target, [bucket, "--s3.endpoint", sim.endpoint], remove, dict(env, PATH="/usr/bin:/bin"))


if __name__ == "__main__":
    runner.run(globals())
