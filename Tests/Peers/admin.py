"""The admin listener as operators see it: what it documents, what it says of requests under way, and what it changes."""
import concurrent.futures
import http.client
import json
import re
import socket
import subprocess
import tempfile
import threading
import time

from harness import Proxy, binary, check, exchange, receive_head, run
from logs import Stub, answer, request_of

TOKEN = "0123456789abcdef0123456789abcdef"


def admin_of(proxy):
    """Where it listens: told last of all."""
    deadline = time.monotonic() + 10
    while not (found := re.search(r"metrics and health on (\S+)", proxy.text)):
        check(time.monotonic() < deadline, f"no admin listener: {proxy.text}")
        time.sleep(0.01)
    return found[1]


def ask(proxy, path, method="GET", fields={}):
    host, port = admin_of(proxy).rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.request(method, path, headers=fields)
    response = connection.getresponse()
    body = response.read()
    if response.getheader("Content-Type") != "application/octet-stream":
        body = body.decode()
    is_json = response.getheader("Content-Type") == "application/json" and body
    return response.status, json.loads(body) if is_json else body


class Validator:
    """As much of JSON Schema 2020-12 as the document uses; a property that it does not name is one too many."""

    def __init__(self, document):
        self.document = document

    def resolve(self, schema):
        while "$ref" in schema:
            place = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                place = place[part]
            schema = place
        return schema

    def merged(self, schema):
        """A schema with all that `allOf` says."""
        schema = self.resolve(schema)
        if "allOf" not in schema:
            return schema
        whole = {"type": "object", "required": [], "properties": {}}
        for part in map(self.merged, schema["allOf"]):
            whole["required"] = whole["required"] + part.get("required", [])
            whole["properties"] = {**whole["properties"], **part["properties"]}
        return whole

    def check(self, value, schema, path):
        schema = self.merged(schema)
        known = {"type", "properties", "required", "additionalProperties", "items", "enum", "minimum", "maximum",
                 "pattern", "description"}
        check(set(schema) <= known, f"{path}: {set(schema) - known} in its schema")
        kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}
        kind = schema["type"]
        check(isinstance(value, kinds[kind]), f"{path}: {value!r} is no {kind}")
        check(kind in ("boolean",) or not isinstance(value, bool), f"{path}: {value!r} is no {kind}")
        check("enum" not in schema or value in schema["enum"], f"{path}: {value!r} is none of {schema.get('enum')}")
        check("minimum" not in schema or value >= schema["minimum"], f"{path}: {value} is too small")
        if kind == "array":
            for number, item in enumerate(value):
                self.check(item, schema["items"], f"{path}[{number}]")
        if kind == "object" and ("properties" in schema or "additionalProperties" in schema):
            for name in schema.get("required", []):
                check(name in value, f"{path}: {name} is missing")
            for name, item in value.items():
                own = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
                check(own is not None, f"{path}: {name} is not documented")
                self.check(item, own, f"{path}.{name}")


def configuration(folder, stubs, more=""):
    path = f"{folder}/uproxy.yaml"
    endpoints = ", ".join(f'"{stub}"' for stub in stubs)
    open(path, "w").write(f"""
listeners: [{{address: "127.0.0.1:0"}}]
clusters: {{app: {{endpoints: [{endpoints}], limits: {{requests: 100}}}}}}
{more}
""")
    return path


def api(driver):
    """Each answer is as the document says, while there is something to tell of."""
    release = threading.Event()

    def serve(connection):
        while request := request_of(connection):
            if b"/hang" in request[0]:
                release.wait(30)
            answer(connection)

    with tempfile.TemporaryDirectory() as folder, Stub(serve) as stub, Proxy(
            driver, "--config", configuration(folder, [stub.address]), "--threads", "2") as proxy:
        status, document = ask(proxy, "/api/v1/openapi.json")
        check(status == 200 and document["openapi"] == "3.1.0", "the document is served")
        client = proxy.connect()
        exchange(client)
        hanging = proxy.connect()
        hanging.sendall(b"GET /hang?secret=1 HTTP/1.1\r\nHost: h\r\n\r\n")
        started = time.monotonic()
        while not (found := ask(proxy, "/api/v1/exchanges")[1]["exchanges"]):
            check(time.monotonic() < started + 1, "a request that hangs is told of within a second")
        first = found[0]
        check(first["state"] == "forwarding" and first["waits_for"] == f"the answer of {stub.address}", str(first))
        check(first["path"] == "/hang" and first["stage"] == "wait" and first["age"] < 1, str(first))
        check(ask(proxy, f"/api/v1/exchanges?id={first['id']}")[1]["exchanges"][0]["id"] == first["id"], "by its id")
        check(not ask(proxy, "/api/v1/exchanges?id=1234567890")[1]["exchanges"], "by another id")
        check(not ask(proxy, "/api/v1/exchanges?min_age=1h")[1]["exchanges"], "none is so old")
        validator = Validator(document)
        for path, operations in document["paths"].items():
            operation = operations.get("get")
            if not operation:
                continue
            url = path.replace("{cluster}", "app") + ("?url=/" if path == "/explain" else "")
            status, body = ask(proxy, url)
            check(status == 200, f"{path}: {status} {body}")
            content = operation["responses"]["200"]["content"]
            check(("application/json" in content) == isinstance(body, (dict, list)), f"{path}: type")
            if "application/json" in content:
                validator.check(body, content["application/json"]["schema"], path)
            # Everything but what is asked for in query and method is refused as documented.
            check(ask(proxy, url, "HEAD")[0] == 200, f"HEAD {path}")
            status, body = ask(proxy, url, "PUT")
            check(status == 405, f"PUT {path}: {status}")
            if path.startswith("/api/v1/") and "{" not in path and "openapi" not in path:
                status, body = ask(proxy, url + "?nothing=1")
                check(status == 400, f"{path}: {status}")
                validator.check(body, validator.resolve(operation["responses"]["400"])["content"]["application/json"]["schema"], path)
            for parameter in map(validator.resolve, operation.get("parameters", [])):
                for value in parameter["schema"].get("enum", []):
                    status, body = ask(proxy, f"{path}?{parameter['name']}={value}")
                    check(status == 200, f"{path}?{parameter['name']}={value}: {status}")
        for path in ["/api/v1/clusters/none", "/api/v1/none", "/api/v2/process", "/api"]:
            status, body = ask(proxy, path)
            check(status == 404 and list(body) == ["error"], f"{path}: {status} {body}")
        for query in ["limit=-1", "limit=501", "limit=x", "min_age=x", "id=xyz", "tunnels=perhaps"]:
            check(ask(proxy, "/api/v1/exchanges?" + query)[0] == 400, query)
        check(ask(proxy, "/api/v1/connections?phase=waitin")[1]["error"].endswith("did you mean 'waiting'?"), "remedy")
        connections = ask(proxy, "/api/v1/connections?side=downstream&limit=1")[1]
        check(connections["count"] == 2 and len(connections["connections"]) == 1, str(connections))
        # Whoever is slow to ask keeps no probe waiting.
        host, port = admin_of(proxy).rsplit(":", 1)
        slow = [socket.create_connection((host, int(port))) for _ in range(3)]
        started = time.monotonic()
        check(ask(proxy, "/ready")[0] == 200 and time.monotonic() - started < 1, "a probe waits for nobody")
        for connection in slow:
            connection.close()
        check(ask(proxy, "/api/v1/process", fields={"Host": "evil.example"})[0] == 421, "no page reads it by a name of its own")
        release.set()
        check(receive_head(hanging)[0].startswith("HTTP/1.1 200"), "the exchange goes on")


def drain(driver):
    """An endpoint that is taken out of service gets no request more, and none is lost."""
    counts = {}

    def origin(name):
        def serve(connection):
            while request_of(connection):
                counts[name] = counts.get(name, 0) + 1
                time.sleep(0.002)
                answer(connection)
        return serve

    with tempfile.TemporaryDirectory() as folder, Stub(origin("a")) as a, Stub(origin("b")) as b, Proxy(
            driver, "--config", configuration(folder, [a.address, b.address]), "--threads", "2") as proxy:
        stop = threading.Event()

        def client():
            connection, done = proxy.connect(), 0
            while not stop.is_set():
                head, _ = exchange(connection)
                check(head.startswith("HTTP/1.1 200"), head)
                done += 1
            return done

        def change(endpoint, what):
            status, body = ask(proxy, f"/api/v1/clusters/app/endpoints/{endpoint}/{what}", "POST")
            check(status == 200, f"{status} {body}")
            return body["changed"]

        def states():
            return {one["endpoint"]: one["state"] for one in ask(proxy, "/api/v1/clusters/app")[1]["endpoints"]}

        with concurrent.futures.ThreadPoolExecutor() as pool:
            clients = [pool.submit(client) for _ in range(4)]
            try:
                for _ in range(3):
                    check(change(a.address, "drain") and not change(a.address, "drain"), "it is news once")
                    check(states() == {a.address: "drained", b.address: "healthy"}, states())
                    # What was under way ends in 2 ms.
                    time.sleep(0.1)
                    before = counts.get("a", 0)
                    time.sleep(0.2)
                    check(counts.get("a", 0) == before, "no request goes there any more")
                    status, body = ask(proxy, "/api/v1/reload", "POST")
                    check(status == 200 and body["done"], f"{status} {body}")
                    check(states()[a.address] == "drained", "a reload changes nothing of it")
                    check(change(a.address, "enable"), "it is back")
                    deadline = time.monotonic() + 5
                    while counts.get("a", 0) == before:
                        check(time.monotonic() < deadline, "requests go there again")
                        time.sleep(0.01)
            finally:
                stop.set()
            check(sum(one.result() for one in clients) > 20, "clients were served all along")
        check(ask(proxy, f"/api/v1/clusters/none/endpoints/{a.address}/drain", "POST")[0] == 404, "no cluster")
        status, body = ask(proxy, "/api/v1/clusters/app/endpoints/127.0.0.1:1/drain", "POST")
        check(status == 404 and "known are" in body["error"] or "did you mean" in body["error"], str(body))
        for endpoint in [a.address, b.address]:
            change(endpoint, "drain")
        check(exchange(proxy.connect())[0].startswith("HTTP/1.1 503"), "nobody is left")
        change(b.address, "enable")
        check(exchange(proxy.connect())[0].startswith("HTTP/1.1 200"), "somebody is")
        status, _ = ask(proxy, f"/api/v1/clusters/app/endpoints/{a.address}/enable", "POST", {"Origin": "http://evil"})
        check(status == 403, "no web page changes anything")


def token(driver):
    """Who does not know the token learns nothing, and changes nothing."""
    with tempfile.TemporaryDirectory() as folder, Stub(lambda connection: None) as stub:
        open(f"{folder}/token", "w").write(TOKEN + "\n")
        path = configuration(folder, [stub.address])
        with Proxy(driver, "--config", path, "--admin-token-file", f"{folder}/token", "--threads", "1") as proxy:
            right = {"Authorization": f"Bearer {TOKEN}"}
            for page in ["/api/v1/process", "/metrics", "/explain?url=/", "/api/v1/openapi.json", "/nothing"]:
                for fields in [{}, {"Authorization": "Bearer " + TOKEN[:-1] + "0"}, {"Authorization": "Basic " + TOKEN}]:
                    check(ask(proxy, page, fields=fields)[0] == 401, page)
                check(ask(proxy, page, fields=right)[0] in (200, 404), page)
            check(ask(proxy, "/reload", "POST")[0] == 401 and ask(proxy, "/reload", "POST", right)[0] == 200, "reload")
            check(ask(proxy, "/ready")[0] == 200 and ask(proxy, "/")[0] == 200, "probes and the page are open")
            command = [binary, "reload", "--admin", admin_of(proxy)]
            check("admin.token_file" not in proxy.text, "no warning where it is safe")
            check("token" in subprocess.run(command, capture_output=True, text=True).stderr, "told what is missing")
            command += ["--admin-token-file", f"{folder}/token"]
            check(subprocess.run(command, capture_output=True).returncode == 0, "reload with the token")
        with Proxy(driver, "--config", path, "--admin", "0.0.0.0:0", "--threads", "1") as proxy:
            admin_of(proxy)
            check("the admin listener on 0.0.0.0:0 does what anybody asks" in proxy.text, "told of the danger")
        open(f"{folder}/token", "w").write("short\n")
        refused = subprocess.run(
            [binary, "--config", path, "--admin", "127.0.0.1:0", "--admin-token-file", f"{folder}/token"],
            capture_output=True, text=True, timeout=20)
        check(refused.returncode == 1 and "openssl rand" in refused.stderr, refused.stderr)


if __name__ == "__main__":
    run([api, drain, token])
