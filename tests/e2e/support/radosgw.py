"""A real S3 service for tests: Ceph's gateway over one monitor and one in-memory storage daemon, all on loopback and in a folder of
their own, as plain processes. Needs the Debian packages radosgw, ceph-mon, ceph-osd and ceph-common."""
import http.client
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import uuid

# Seconds for each step: a machine that runs other tests takes minutes for what an idle one does in two seconds.
PATIENCE = 300

PROGRAMS = ("radosgw", "radosgw-admin", "ceph", "ceph-mon", "ceph-osd", "ceph-authtool", "monmaptool")
ACCESS_KEY, SECRET_KEY = "hearthtest", "hearthtestsecret"

CONFIG = """[global]
fsid = {fsid}
mon_initial_members = a
mon_host = v1:127.0.0.1:{mon_port}
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
keyring = {folder}/keyring
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
run_dir = {folder}
admin_socket = {folder}/$name.asok
log_file = {folder}/$name.log
pid_file =
crash_dir = {folder}
mon_data = {folder}/mon
osd_data = {folder}/osd
osd_objectstore = memstore
memstore_device_bytes = 4294967296
osd_crush_chooseleaf_type = 0
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
osd_pool_default_pgp_num = 8
mon_allow_pool_size_one = true
mon_data_avail_crit = 1
mon_data_avail_warn = 2
mon_osd_full_ratio = 0.99
osd_fast_shutdown = true
ms_bind_ipv6 = false
rgw_enable_usage_log = false
rgw_thread_pool_size = 32
rgw_dns_name = localhost
"""


def missing():
    return [p for p in PROGRAMS if shutil.which(p) is None]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Radosgw:
    """Use as a context manager. `endpoint`, `bucket` and the two keys are what a client needs."""
    access_key, secret_key, bucket, region = ACCESS_KEY, SECRET_KEY, "test", "us-east-1"

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hearth-rgw-"))
        self.processes = {}
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def _run(self, *command, timeout=PATIENCE):
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=timeout)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout.strip()

    def _start(self, name, *command):
        log = open(self.folder / f"{name}.out", "wb")
        self.processes[name] = subprocess.Popen([str(c) for c in command], stdout=log, stderr=log, cwd=self.folder)

    def _ceph(self, *arguments):
        return self._run("ceph", "-c", self.folder / "ceph.conf", "--connect-timeout", PATIENCE - 10, *arguments)

    def __enter__(self):
        try:
            self._start_storage()
            self.start_gateway()
            self._run("radosgw-admin", "-c", self.folder / "ceph.conf", "-n", "client.admin", "user", "create", "--uid=hearth",
                      "--display-name=hearth", f"--access-key={ACCESS_KEY}", f"--secret={SECRET_KEY}")
            return self
        except BaseException:
            self.__exit__()
            raise

    def _start_storage(self):
        conf, keyring = self.folder / "ceph.conf", self.folder / "keyring"
        fsid, mon_port = str(uuid.uuid4()), free_port()
        conf.write_text(CONFIG.format(fsid=fsid, mon_port=mon_port, folder=self.folder))
        self._run("ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        self._run("ceph-authtool", keyring, "--gen-key", "-n", "client.admin", "--cap", "mon", "allow *", "--cap", "osd", "allow *",
                  "--cap", "mgr", "allow *", "--cap", "mds", "allow *")
        monmap = self.folder / "monmap"
        self._run("monmaptool", "--create", "--addv", "a", f"[v1:127.0.0.1:{mon_port}]", "--fsid", fsid, monmap)
        (self.folder / "mon").mkdir()
        self._run("ceph-mon", "-c", conf, "--mkfs", "-i", "a", "--monmap", monmap, "--keyring", keyring)
        self._start("mon", "ceph-mon", "-c", conf, "-i", "a", "-f")
        osd_id = str(uuid.uuid4())
        self._ceph("osd", "new", osd_id)
        (self.folder / "osd").mkdir()
        self._run("ceph-osd", "-c", conf, "-i", "0", "--mkfs", "--osd-uuid", osd_id, "--mkkey", "--no-mon-config",
                  "--keyring", self.folder / "osd" / "keyring")
        self._ceph("auth", "add", "osd.0", "osd", "allow *", "mon", "allow profile osd", "-i", self.folder / "osd" / "keyring")
        self._start("osd", "ceph-osd", "-c", conf, "-i", "0", "-f", "--keyring", self.folder / "osd" / "keyring")

    def start_gateway(self):
        self._start("rgw", "radosgw", "-c", self.folder / "ceph.conf", "-n", "client.admin", "-f",
                    f"--rgw-frontends=beast endpoint=127.0.0.1:{self.port}")
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/")
                connection.getresponse()
                return
            except OSError:
                if self.processes["rgw"].poll() is not None:
                    break
                time.sleep(0.2)
        raise RuntimeError("radosgw does not answer: " + (self.folder / "rgw.out").read_text(errors="replace")[-2000:])

    def stop_gateway(self):
        process = self.processes.pop("rgw")
        process.kill()
        process.wait()

    def __exit__(self, *_):
        for process in reversed(list(self.processes.values())):
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
