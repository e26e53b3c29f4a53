"""S3 for tests: the simulator as a process, and a small client of its own that signs by itself (so that a mistake in hearth's signing
cannot hide)."""
import datetime
import hashlib
import hmac
import http.client
import json
import pathlib
import re
import subprocess
import urllib.parse


class Client:
    def __init__(self, endpoint, access_key, secret_key, region="us-east-1"):
        self.host = endpoint.split("://")[1]
        self.access_key, self.secret_key, self.region = access_key, secret_key, region

    def request(self, method, path, body=b""):
        """(status, body bytes); `path` is encoded, without query."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(body).hexdigest()
        headers = {"host": self.host, "x-amz-content-sha256": digest, "x-amz-date": now}
        names = ";".join(headers)
        canonical = "\n".join([method, path, "", *(f"{k}:{v}" for k, v in headers.items()), "", names, digest])
        scope = f"{now[:8]}/{self.region}/s3/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = b"AWS4" + self.secret_key.encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={self.access_key}/{scope}, SignedHeaders={names}, "
                                    f"Signature={signature}")
        connection = http.client.HTTPConnection(self.host, timeout=30)
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


class Sim:
    """The simulator of tests/support/s3sim. `binary`: beside the hearth binary of a test build."""
    access_key, secret_key, bucket, region = "test-key", "test-secret", "test", "us-east-1"

    def __init__(self, test_hearth, *arguments):
        build = pathlib.Path(test_hearth).resolve().parent.parent.parent
        self.command = [build / "tests" / "support" / "s3sim", *arguments]
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.endpoint = re.search(r"http://\S+", line).group(0)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def _control(self, method, path):
        connection = http.client.HTTPConnection(self.endpoint.split("://")[1], timeout=30)
        try:
            connection.request(method, path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def set(self, **values):
        return self._control("POST", "/-/set?" + urllib.parse.urlencode(values))

    def counts(self):
        return self._control("GET", "/-/counts")
