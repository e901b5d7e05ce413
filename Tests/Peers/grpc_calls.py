"""All four kinds of gRPC call through a proxy: grpcio serves, and grpcio asks. Messages are bytes, so that no generated code is needed.

    grpc_calls.py serve PORT [CERTIFICATE KEY]
    grpc_calls.py call ADDRESS [ROOTS]
"""
import sys
from concurrent import futures

import grpc

BIG = bytes(range(256)) * 4096


def whole(message, context):
    context.send_initial_metadata((("said", dict(context.invocation_metadata()).get("ask", "")),))
    context.set_trailing_metadata((("behind", "it"),))
    if message == b"fail":
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "as asked")
    return message[::-1]


def ask_many(messages, context):
    return b",".join(messages)


def answer_many(message, context):
    for index in range(int(message)):
        yield b"%d" % index


def both(messages, context):
    for message in messages:
        yield message.upper()


def serve(port, certificate=None, key=None):
    server = grpc.server(futures.ThreadPoolExecutor(8))
    kinds = {"Whole": grpc.unary_unary_rpc_method_handler(whole),
             "AskMany": grpc.stream_unary_rpc_method_handler(ask_many),
             "AnswerMany": grpc.unary_stream_rpc_method_handler(answer_many),
             "Both": grpc.stream_stream_rpc_method_handler(both)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Calls", kinds),))
    address = f"127.0.0.1:{port}"
    if certificate:
        pair = (open(key, "rb").read(), open(certificate, "rb").read())
        bound = server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
    else:
        bound = server.add_insecure_port(address)
    server.start()
    print(bound, flush=True)
    server.wait_for_termination()


def call(address, roots=None):
    if roots:
        credentials = grpc.ssl_channel_credentials(open(roots, "rb").read())
        channel = grpc.secure_channel(address, credentials, (("grpc.ssl_target_name_override", "localhost"),))
    else:
        channel = grpc.insecure_channel(address)
    with channel:
        ask = channel.unary_unary("/test.Calls/Whole")
        answer, told = ask.with_call(b"abc", metadata=(("ask", "x"),), timeout=20)
        assert answer == b"cba" and ("said", "x") in told.initial_metadata(), told
        assert ("behind", "it") in told.trailing_metadata(), told.trailing_metadata()
        assert ask(BIG, timeout=20) == BIG[::-1]
        try:
            ask(b"fail", timeout=20)
            raise SystemExit("a call that fails has not")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.FAILED_PRECONDITION and error.details() == "as asked", error
        words = [b"%d" % index for index in range(500)]
        assert channel.stream_unary("/test.Calls/AskMany")(iter(words), timeout=20) == b",".join(words)
        assert list(channel.unary_stream("/test.Calls/AnswerMany")(b"500", timeout=20)) == words
        # In turn: each is asked when the one before has been answered.
        answers = channel.stream_stream("/test.Calls/Both")
        heard = []

        def turns():
            for index in range(50):
                while len(heard) < index:
                    pass
                yield b"a%d" % index

        for answer in answers(turns(), timeout=20):
            heard.append(answer)
        assert heard == [b"A%d" % index for index in range(50)], heard
        # At once.
        waiting = [ask.future(b"%d" % index, timeout=20) for index in range(100)]
        assert [one.result() for one in waiting] == [(b"%d" % index)[::-1] for index in range(100)]
        try:
            channel.unary_unary("/test.Calls/None")(b"", timeout=20)
            raise SystemExit("a call to nothing has an answer")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNIMPLEMENTED, error
    print("all calls answered")


if __name__ == "__main__":
    {"serve": serve, "call": call}[sys.argv[1]](*sys.argv[2:])
