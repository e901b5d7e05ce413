"""The proxies, each tuned for what it is measured at: one worker, no logs, upstream connections kept alive, room for
every connection. A variant with larger buffers or with splice stands as a contender of its own, for what helps one kind
of traffic harms another."""
import dataclasses
import functools
import json
import os
import shutil
import subprocess
from typing import Callable, Optional

from .downstream import CIPHER_SUITE, PLAIN, Downstream

IDLE = 2048
"""Idle upstream connections that each keeps."""


@dataclasses.dataclass(frozen=True)
class Place:
    """What a proxy is to be started for."""

    binary: str
    directory: str
    port: int
    admin: int
    origin: int
    mode: str
    workers: int
    descriptors: int
    downstream: Downstream = PLAIN
    certificate: Optional[str] = None
    """A file with certificate and key, for TLS."""

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        return path


@dataclasses.dataclass(frozen=True)
class Contender:
    name: str
    program: str
    modes: tuple
    command: Callable[[Place], list]
    is_peer: bool = True
    answers_itself: bool = False
    """It is no proxy: what is asked of it never comes to the origin."""

    def absence(self, binary):
        """Why it cannot run here, or nothing."""
        if self.program == "uproxy":
            if self.name == "uproxy busy-poll" and "--busy-poll" not in uproxy_help(binary):
                return "this build of uproxy has no --busy-poll"
            return None
        return None if shutil.which(self.program) else f"there is no {self.program} here"


@functools.lru_cache(maxsize=None)
def uproxy_help(binary):
    return subprocess.run([binary, "--help"], capture_output=True, text=True, check=False).stdout


def uproxy(io, *options):
    """Both drivers are in one binary. The build without liburing (`--disable-default-traits`) has the same epoll driver,
    from the same source with the same flags; `--io epoll` measures it without a second build."""

    def command(place):
        address = f"127.0.0.1:{place.port}"
        if place.downstream.has_tls:
            where = ["--config", place.write("uproxy.yaml", uproxy_file(place, address))]
        elif place.mode == "reverse":
            where = ["--listen", address, "--upstream", f"127.0.0.1:{place.origin}"]
        else:
            where = ["--forward", address, "--allow-destinations", "127.0.0.0/8"]
        return [place.binary, *where, "--threads", str(place.workers), "--io", io, "--pool-idle", str(IDLE),
                "--limit-connections", str(place.descriptors - 2000), "--timeout-keepalive", "10m",
                "--admin", f"127.0.0.1:{place.admin}", *options]

    return command


def uproxy_file(place, address):
    """What has no option: TLS."""
    return f"""
listeners:
  - address: {address}
    cluster: origin
    tls:
      certificates: [{{cert: {place.certificate}, key: {place.certificate}}}]
      min_version: "1.3"
      cipher_suites: {CIPHER_SUITE}
clusters:
  origin: {{endpoints: "127.0.0.1:{place.origin}"}}
"""


def nginx(buffers):
    def command(place):
        listen = " ssl" * place.downstream.has_tls + " http2" * place.downstream.http2
        listen += " reuseport" * (place.workers > 1)
        tls = f"""ssl_certificate {place.certificate}; ssl_certificate_key {place.certificate};
        ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites {CIPHER_SUITE};""" if place.downstream.has_tls else ""
        return ["nginx", "-e", os.path.join(place.directory, "error.log"), "-c", place.write("nginx.conf", f"""
worker_processes {place.workers}; worker_rlimit_nofile {place.descriptors};
daemon off; pid {place.directory}/pid; error_log {place.directory}/error.log;
events {{ worker_connections {place.descriptors - 64}; }}
http {{
    access_log off; keepalive_requests 1000000000; keepalive_timeout 1h; client_max_body_size 0;
    client_body_temp_path {place.directory}/b; proxy_temp_path {place.directory}/p;
    fastcgi_temp_path {place.directory}/f; uwsgi_temp_path {place.directory}/u; scgi_temp_path {place.directory}/s;
    {buffers} proxy_max_temp_file_size 0; proxy_request_buffering off;
    upstream origin {{
        server 127.0.0.1:{place.origin}; keepalive {IDLE}; keepalive_requests 1000000000; keepalive_timeout 1h;
    }}
    server {{
        listen 127.0.0.1:{place.port} backlog=4096{listen};
        {tls}
        location / {{ proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; }}
    }}
}}
""")]

    return command


def haproxy(tuning="", splice=""):
    """Without strict limits, because it counts two descriptors and some pipes for each connection, idle ones too."""

    def command(place):
        listen = ""
        if place.downstream.has_tls:
            protocol = "h2" if place.downstream.http2 else "http/1.1"
            listen = (f" ssl crt {place.certificate} alpn {protocol} ssl-min-ver TLSv1.3"
                      f" ciphersuites {CIPHER_SUITE}")
        elif place.downstream.http2:
            listen = " proto h2"
        if place.mode == "reverse":
            target, server = "", f"server origin 127.0.0.1:{place.origin}"
        else:
            target = "http-request set-dst url_ip\n    http-request set-dst-port url_port"
            server = "server any 0.0.0.0:0"
        return ["haproxy", "-db", "-f", place.write("haproxy.cfg", f"""
global
    nbthread {place.workers}
    no strict-limits
    maxconn {place.descriptors - 2000}
    {tuning}
defaults
    mode http
    http-reuse always
    {splice}
    timeout client 1h
    timeout http-keep-alive 1h
    timeout server 1h
    timeout connect 5s
frontend proxy
    bind 127.0.0.1:{place.port} backlog 4096{listen}
    {target}
    default_backend origin
backend origin
    {server} pool-max-conn -1 pool-purge-delay 1h
""")]

    return command


def h2o(place):
    return ["h2o", "-c", place.write("h2o.yaml", f"""
num-threads: {place.workers}
max-connections: {place.descriptors - 2000}
http1-request-timeout: 3600
limit-request-body: 1099511627776
error-log: {place.directory}/error.log
listen:
  host: 127.0.0.1
  port: {place.port}
hosts:
  default:
    paths:
      /:
        proxy.reverse.url: "http://127.0.0.1:{place.origin}/"
        proxy.preserve-host: ON
        proxy.timeout.keepalive: 3600000
        proxy.timeout.io: 3600000
""")]


def squid(place):
    # Its shared memory bears the name of the service, and another squid of this machine has the usual one.
    return ["squid", "-N", "-n", f"bench{place.port}", "-f", place.write("squid.conf", f"""
http_port 127.0.0.1:{place.port}
http_access allow all
cache deny all
cache_mem 0
access_log none
cache_log {place.directory}/cache.log
cache_store_log none
debug_options ALL,0
pid_filename none
coredump_dir {place.directory}
max_filedescriptors {place.descriptors}
client_persistent_connections on
server_persistent_connections on
client_idle_pconn_timeout 1 hour
server_idle_pconn_timeout 1 hour
pinger_enable off
icp_port 0
shutdown_lifetime 0
visible_hostname bench
""")]


def envoy(place):
    """JSON, which Envoy reads as well as YAML."""
    unlimited = {"thresholds": [{name: 1_000_000 for name in (
        "max_connections", "max_pending_requests", "max_requests", "max_retries")}]}
    router = {"name": "envoy.filters.http.router", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}
    cache = {"name": "names", "dns_lookup_family": "V4_ONLY"}
    cluster = {"name": "origin", "connect_timeout": "5s", "circuit_breakers": unlimited}
    if place.mode == "reverse":
        filters = [router]
        routes = [{"match": {"prefix": "/"}, "route": {"cluster": "origin", "timeout": "0s"}}]
        cluster |= {"type": "STATIC", "load_assignment": {"cluster_name": "origin", "endpoints": [{"lb_endpoints": [
            {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": place.origin}}}}]}]}}
    else:
        filters = [{"name": "envoy.filters.http.dynamic_forward_proxy", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig",
            "dns_cache_config": cache}}, router]
        routes = [
            {"match": {"connect_matcher": {}}, "route": {
                "cluster": "origin", "timeout": "0s",
                "upgrade_configs": [{"upgrade_type": "CONNECT", "connect_config": {}}]}},
            {"match": {"prefix": "/"}, "route": {"cluster": "origin", "timeout": "0s"}},
        ]
        cluster |= {"lb_policy": "CLUSTER_PROVIDED", "cluster_type": {
            "name": "envoy.clusters.dynamic_forward_proxy", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig",
                "dns_cache_config": cache}}}
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3"
                 ".HttpConnectionManager",
        "stat_prefix": "bench", "generate_request_id": False, "http_filters": filters,
        "stream_idle_timeout": "3600s",
        "upgrade_configs": [{"upgrade_type": "CONNECT"}] if place.mode != "reverse" else [],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
    }
    configuration = {"static_resources": {
        "listeners": [{
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": place.port}},
            "tcp_backlog_size": 4096,
            "filter_chains": [{"filters": [
                {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}]}],
        "clusters": [cluster]}}
    return ["envoy", "-c", place.write("envoy.json", json.dumps(configuration)), "--concurrency", str(place.workers),
            "--log-level", "off", "--disable-hot-restart"]


def relay(place):
    """The floor: bytes from one connection to another on io_uring, and nothing else (`relay.c`)."""
    return ["byte-relay", str(place.port), str(place.origin)]


def s_server(place):
    """What the library alone does: handshakes, one after another, and a file for an answer."""
    place.write("size/128", "x" * 128)
    return ["openssl", "s_server", "-accept", f"127.0.0.1:{place.port}", "-cert", place.certificate, "-key",
            place.certificate, "-tls1_3", "-ciphersuites", CIPHER_SUITE, "-WWW", "-quiet"]


REVERSE, ALL = ("reverse",), ("reverse", "absolute", "connect")
NGINX = "proxy_buffer_size 16k; proxy_buffers 8 32k;"
NGINX_BIG = "proxy_buffer_size 128k; proxy_buffers 8 128k; client_body_buffer_size 512k;"

CONTENDERS = {contender.name: contender for contender in (
    Contender("uproxy uring", "uproxy", ALL, uproxy("uring"), is_peer=False),
    Contender("uproxy epoll", "uproxy", ALL, uproxy("epoll"), is_peer=False),
    Contender("uproxy busy-poll", "uproxy", ALL, uproxy("uring", "--busy-poll", "50us"), is_peer=False),
    Contender("byte relay", "byte-relay", REVERSE, relay, is_peer=False),
    Contender("openssl s_server", "openssl", REVERSE, s_server, is_peer=False, answers_itself=True),
    Contender("nginx", "nginx", REVERSE, nginx(NGINX)),
    Contender("nginx-big", "nginx", REVERSE, nginx(NGINX_BIG)),
    Contender("haproxy", "haproxy", ("reverse", "absolute"), haproxy()),
    Contender("haproxy-big", "haproxy", REVERSE, haproxy("tune.bufsize 131072")),
    Contender("haproxy-splice", "haproxy", REVERSE, haproxy(
        "tune.pipesize 1048576", "option splice-request\n    option splice-response")),
    Contender("h2o", "h2o", REVERSE, h2o),
    Contender("squid", "squid", ("absolute", "connect"), squid),
    Contender("envoy", "envoy", ALL, envoy),
)}
