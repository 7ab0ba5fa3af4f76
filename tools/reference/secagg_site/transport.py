"""The session with the server (spec/proto): one gRPC stream over TLS with both certificates, its frames and their limits.

The protobuf code is made from spec/proto at every start, in a temporary folder. The server's certificate is the only root, and it
signs no other: no other certificate is accepted. gRPC for Python cannot be told to refuse TLS 1.2; the server does that.
"""
import importlib.util
import queue
import tempfile
import threading
import time
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from google.protobuf.unknown_fields import UnknownFieldSet

METHOD = "/secagg.v1.Aggregation/Session"
FRAME_MAX, MESSAGE_MAX, PIECE, PIECES_MAX = 8 << 20, 4_194_304, 1 << 19, 16_384
PROTOCOL_VERSION = 1


class TransportError(Exception):
    """TR-… of docs/errors.md; `again` says whether the connection is to be tried again."""

    def __init__(self, code, reason, again):
        super().__init__(f"{code}: {reason}")
        self.code, self.reason, self.again = code, reason, again


def compile_frames(proto):
    """The module of spec/proto/secagg/v1/aggregation.proto."""
    from grpc_tools import protoc
    folder = tempfile.TemporaryDirectory(prefix="secagg-proto-")
    if protoc.main(["protoc", f"-I{proto}", f"--python_out={folder.name}", str(Path(proto) / "secagg/v1/aggregation.proto")]):
        raise RuntimeError("protoc failed")
    spec = importlib.util.spec_from_file_location("aggregation_pb2", Path(folder.name) / "secagg/v1/aggregation_pb2.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder.cleanup()
    return module


def require(holds, code, reason):
    if not holds:
        raise TransportError(code, reason, False)


def checked(frame):
    """A frame of the server that keeps the limits of the proto file."""
    kind = frame.WhichOneof("frame")
    require(kind is not None and not len(UnknownFieldSet(frame)), "TR-07", "a frame with nothing, or with unknown fields")
    inner = getattr(frame, kind)
    if kind == "message":
        require(1 <= len(inner) <= MESSAGE_MAX, "TR-06", "a message's size")
        return kind, inner
    require(not len(UnknownFieldSet(inner)), "TR-07", "unknown fields")
    if kind == "weights_chunk":
        require(len(inner.digest) == 32 and 1 <= inner.count <= PIECES_MAX and inner.index < inner.count, "TR-06", "a piece of weights")
        require(1 <= len(inner.data) <= 1 << 20, "TR-06", "a piece's size")
    elif kind == "welcome":
        require(1 <= len(inner.job.encode()) <= 256 and len(inner.configuration) <= 1 << 20, "TR-06", "welcome")
    elif kind == "released":
        require(len(inner.weights_digest) == 32, "TR-06", "released")
    elif kind == "refusal":
        require(1 <= len(inner.code) <= 32 and inner.code.isascii() and len(inner.reason.encode()) <= 1024, "TR-06", "refusal")
    else:
        require(len(inner.reason.encode()) <= 1024, "TR-06", "finished")
    return kind, inner


class Session:
    """One stream. What comes in is put into `inbox` as (this session, kind, value); ("closed", TransportError) is the last."""

    def __init__(self, frames, address, server_certificate, identity, inbox):
        self.frames, self.inbox, self.is_open = frames, inbox, True
        self.outbox = queue.Queue(maxsize=8)
        roots = x509.load_der_x509_certificate(server_certificate).public_bytes(Encoding.PEM)
        credentials = grpc.ssl_channel_credentials(roots, identity.tls_key_pem, identity.certificate_pem)
        options = [("grpc.max_send_message_length", FRAME_MAX), ("grpc.max_receive_message_length", FRAME_MAX),
                   ("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]
        self.channel = grpc.secure_channel(address, credentials, options)
        stream = self.channel.stream_stream(METHOD, frames.SiteFrame.SerializeToString, frames.ServerFrame.FromString)
        self.call = stream(iter(self.outbox.get, None))
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        try:
            for frame in self.call:
                self.inbox.put((self, *checked(frame)))
            error = TransportError("TR-08", "the server ended the session", True)
        except TransportError as broken:
            error = broken
        except grpc.RpcError as broken:
            code = broken.code()
            error = TransportError("TR-01" if code == grpc.StatusCode.UNAVAILABLE else "TR-08", f"{code}: {broken.details()}", True)
        self.is_open = False
        self.inbox.put((self, "closed", error))

    def send(self, **field):
        """Queues a frame; waits while the server reads slowly, and lets go when the session is over."""
        frame = self.frames.SiteFrame(**field)
        while self.is_open:
            try:
                return self.outbox.put(frame, timeout=0.2)
            except queue.Full:
                continue

    def hello(self, site): self.send(hello=self.frames.Hello(site=site, protocol_version=PROTOCOL_VERSION))

    def send_payload(self, payload, part=1.0):
        """The pieces in order; `part` below 1 leaves the rest out, as a site does that vanishes."""
        count = (len(payload) + PIECE - 1) // PIECE
        for index in range(max(1, int(count * part))):
            data = payload[index * PIECE:(index + 1) * PIECE]
            self.send(input_chunk=self.frames.InputChunk(index=index, count=count, data=data))

    def close(self, flush=False):
        """Breaks the session off; with `flush` what was queued is given time to leave."""
        if flush:
            limit = time.monotonic() + 5
            while self.is_open and not self.outbox.empty() and time.monotonic() < limit:
                time.sleep(0.02)
            time.sleep(0.3)
        self.is_open = False
        self.call.cancel()
        try:
            self.outbox.put_nowait(None)
        except queue.Full:
            pass
        self.channel.close()
