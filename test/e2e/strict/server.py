"""A strict OTLP backend for the end-to-end tests, with Google's protobuf, which refuses text that is not UTF-8.

It receives OTLP/gRPC and OTLP/HTTP on free ports of 127.0.0.1, which it prints as one line of JSON. On the HTTP port it
answers GET /spans with all accepted spans as one OTLP request, and GET /state with their number. It answers a request that
cannot be decoded as OTLP specifies, with INVALID_ARGUMENT or 400; with --internal as gRPC libraries do, with INTERNAL or 500.
"""

import argparse
import gzip
import json
import threading
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as otlp

SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"


class Store:
    """All accepted requests."""

    def __init__(self):
        self.lock = threading.Lock()
        self.accepted = otlp.ExportTraceServiceRequest()

    def add(self, body):
        request = otlp.ExportTraceServiceRequest.FromString(body)
        with self.lock:
            self.accepted.resource_spans.extend(request.resource_spans)

    def show(self):
        with self.lock:
            return self.accepted.SerializeToString()

    def state(self):
        with self.lock:
            spans = sum(len(s.spans) for r in self.accepted.resource_spans for s in r.scope_spans)
        return json.dumps({"spans": spans}).encode()


def grpc_server(store, undecodable):
    def export(body, context):
        try:
            store.add(body)
        except DecodeError as err:
            context.abort(undecodable, f"cannot decode the request: {err}")
        return otlp.ExportTraceServiceResponse().SerializeToString()

    # Without a deserializer the handler gets the bytes, and sets the answer to invalid ones.
    handlers = {"Export": grpc.unary_unary_rpc_method_handler(export)}
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    return server


def http_handler(store, undecodable):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            try:
                store.add(body)
            except DecodeError as err:
                self.answer(undecodable, f"cannot decode the request: {err}".encode())
                return
            self.answer(200, otlp.ExportTraceServiceResponse().SerializeToString())

        def do_GET(self):
            self.answer(200, store.state() if self.path.startswith("/state") else store.show())

        def answer(self, code, body):
            self.send_response(code)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    return Handler


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--internal", action="store_true")
    args = parser.parse_args()
    store = Store()
    by_grpc = grpc_server(store, grpc.StatusCode.INTERNAL if args.internal else grpc.StatusCode.INVALID_ARGUMENT)
    grpc_port = by_grpc.add_insecure_port("127.0.0.1:0")
    by_grpc.start()
    by_http = ThreadingHTTPServer(("127.0.0.1", 0), http_handler(store, 500 if args.internal else 400))
    print(json.dumps({"grpc": f"127.0.0.1:{grpc_port}", "http": f"127.0.0.1:{by_http.server_address[1]}"}), flush=True)
    by_http.serve_forever()


if __name__ == "__main__":
    main()
