/// Responses to GET, and what becomes of each: the head that goes downstream, or status and reason of the refusal.
public enum ResponseBattery {
    public struct Case: Sendable {
        public let name: String
        public let bytes: String
        public let expected: String
        init(_ name: String, _ bytes: String, _ expected: String) {
            self.name = name
            self.bytes = bytes
            self.expected = expected
        }
    }

    public static let cases: [Case] = [
        Case("plain", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"),
        Case("empty reason", "HTTP/1.1 200 \r\n\r\n", "HTTP/1.1 200 \r\n\r\n"),
        Case("no reason and no space", "HTTP/1.1 200\r\n\r\n", "HTTP/1.1 200 \r\n\r\n"),
        Case(
            "reason of several words",
            "HTTP/1.1 404 Not  Found\t!\r\n\r\n",
            "HTTP/1.1 404 Not  Found\t!\r\n\r\n"),
        Case("high bytes in the reason", "HTTP/1.1 200 \u{FC}\r\n\r\n", "HTTP/1.1 200 \u{FC}\r\n\r\n"),
        Case("HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"),
        Case("status 100", "HTTP/1.1 100 X\r\n\r\n", "HTTP/1.1 100 X\r\n\r\n"),
        Case("status 101", "HTTP/1.1 101 X\r\n\r\n", "HTTP/1.1 101 X\r\n\r\n"),
        Case("status 199", "HTTP/1.1 199 X\r\n\r\n", "HTTP/1.1 199 X\r\n\r\n"),
        Case("status 204", "HTTP/1.1 204 X\r\n\r\n", "HTTP/1.1 204 X\r\n\r\n"),
        Case("status 304", "HTTP/1.1 304 X\r\n\r\n", "HTTP/1.1 304 X\r\n\r\n"),
        Case("status 407", "HTTP/1.1 407 X\r\n\r\n", "HTTP/1.1 407 X\r\n\r\n"),
        Case("status 418", "HTTP/1.1 418 X\r\n\r\n", "HTTP/1.1 418 X\r\n\r\n"),
        Case("status 500", "HTTP/1.1 500 X\r\n\r\n", "HTTP/1.1 500 X\r\n\r\n"),
        Case("status 599", "HTTP/1.1 599 X\r\n\r\n", "HTTP/1.1 599 X\r\n\r\n"),
        Case("status 099", "HTTP/1.1 099 X\r\n\r\n", "502 invalidStatus"),
        Case("status 600", "HTTP/1.1 600 X\r\n\r\n", "502 invalidStatus"),
        Case("status 999", "HTTP/1.1 999 X\r\n\r\n", "502 invalidStatus"),
        Case("status 000", "HTTP/1.1 000 X\r\n\r\n", "502 invalidStatus"),
        Case("status 2000", "HTTP/1.1 2000 X\r\n\r\n", "502 invalidStatus"),
        Case("status 20x", "HTTP/1.1 20x X\r\n\r\n", "502 invalidStatus"),
        Case("status +20", "HTTP/1.1 +20 X\r\n\r\n", "502 invalidStatus"),
        Case("status 2 0", "HTTP/1.1 2 0 X\r\n\r\n", "502 invalidStatus"),
        Case("status -20", "HTTP/1.1 -20 X\r\n\r\n", "502 invalidStatus"),
        Case("status of two digits", "HTTP/1.1 20\r\n\r\n", "502 malformedStatusLine"),
        Case("status of two digits and a reason", "HTTP/1.1 20 OK\r\n\r\n", "502 invalidStatus"),
        Case("tab behind the status", "HTTP/1.1 200\tOK\r\n\r\n", "502 malformedStatusLine"),
        Case("letter behind the status", "HTTP/1.1 200OK\r\n\r\n", "502 malformedStatusLine"),
        Case("two spaces behind the version", "HTTP/1.1  200 OK\r\n\r\n", "502 invalidStatus"),
        Case("tab behind the version", "HTTP/1.1\t200 OK\r\n\r\n", "502 malformedStatusLine"),
        Case("version HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", "502 unsupportedVersion"),
        Case("version HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", "502 unsupportedVersion"),
        Case("version HTTP/0.9", "HTTP/0.9 200 OK\r\n\r\n", "502 unsupportedVersion"),
        Case("version HTTP/1.x", "HTTP/1.x 200 OK\r\n\r\n", "502 unsupportedVersion"),
        Case("version http/1.1", "http/1.1 200 OK\r\n\r\n", "502 malformedStatusLine"),
        Case("version ICY/1.1", "ICY/1.1 200 OK\r\n\r\n", "502 malformedStatusLine"),
        Case("version HTTP/1.10", "HTTP/1.10 200 OK\r\n\r\n", "502 malformedStatusLine"),
        Case("version XTTP/1.1", "XTTP/1.1 200 OK\r\n\r\n", "502 malformedStatusLine"),
        Case("version HTTP1.1", "HTTP1.1 200 OK\r\n\r\n", "502 malformedStatusLine"),
        Case("ICY", "ICY 200 OK\r\n\r\n", "502 malformedStatusLine"),
        Case("empty line before", "\r\nHTTP/1.1 200 OK\r\n\r\n", "502 malformedStatusLine"),
        Case("a page without head", "<html></html>\n", "502 malformedStatusLine"),
        Case("bare LF", "HTTP/1.1 200 OK\nX: a\r\n\r\n", "502 bareLineFeed"),
        Case("bare CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n", "502 bareCarriageReturn"),
        Case("NUL in the reason", "HTTP/1.1 200 O\u{00}K\r\n\r\n", "502 controlByte"),
        Case("NUL in a value", "HTTP/1.1 200 OK\r\nX: \u{00}\r\n\r\n", "502 controlByte"),
        Case("folded value", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", "502 obsoleteFolding"),
        Case("space before the first field", "HTTP/1.1 200 OK\r\n X: a\r\n\r\n", "502 leadingWhitespace"),
        Case("space before the colon", "HTTP/1.1 200 OK\r\nX : a\r\n\r\n", "502 spaceBeforeColon"),
        Case("no colon", "HTTP/1.1 200 OK\r\nX\r\n\r\n", "502 missingColon"),
        Case("empty name", "HTTP/1.1 200 OK\r\n: a\r\n\r\n", "502 emptyFieldName"),
        Case("name with a space", "HTTP/1.1 200 OK\r\nX Y: a\r\n\r\n", "502 invalidFieldName"),
        Case(
            "Content-Length",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
        Case(
            "Content-Length empty",
            "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
            "502 invalidContentLength"),
        Case("Content-Length x", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "502 invalidContentLength"),
        Case(
            "Content-Length 5,5",
            "HTTP/1.1 200 OK\r\nContent-Length: 5,5\r\n\r\n",
            "502 invalidContentLength"),
        Case(
            "Content-Length -1",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "502 invalidContentLength"),
        Case(
            "Content-Length +5",
            "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
            "502 invalidContentLength"),
        Case(
            "Content-Length 5 5",
            "HTTP/1.1 200 OK\r\nContent-Length: 5 5\r\n\r\n",
            "502 invalidContentLength"),
        Case(
            "Content-Length 9223372036854775808",
            "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n",
            "502 invalidContentLength"),
        Case(
            "two Content-Lengths",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
            "502 duplicateContentLength"),
        Case(
            "chunked",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Case(
            "chunked and Content-Length",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
            "502 contentLengthWithTransferEncoding"),
        Case(
            "Content-Length and chunked",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            "502 contentLengthWithTransferEncoding"),
        Case(
            "two Transfer-Encodings",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "502 duplicateTransferEncoding"),
        Case(
            "Transfer-Encoding gzip",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "502 unknownTransferCoding"),
        Case(
            "Transfer-Encoding gzip, chunked",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "502 unknownTransferCoding"),
        Case(
            "Transfer-Encoding identity",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n",
            "502 invalidTransferEncoding"),
        Case(
            "Transfer-Encoding in 1.0",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "502 transferEncodingInHTTP10"),
        Case(
            "Transfer-Encoding in 204",
            "HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n\r\n",
            "502 transferEncodingWithoutBody"),
        Case(
            "Transfer-Encoding in 100",
            "HTTP/1.1 100 X\r\nTransfer-Encoding: chunked\r\n\r\n",
            "502 transferEncodingWithoutBody"),
        Case(
            "Transfer-Encoding in 101",
            "HTTP/1.1 101 X\r\nTransfer-Encoding: chunked\r\n\r\n",
            "502 transferEncodingWithoutBody"),
        Case(
            "Transfer-Encoding in 304",
            "HTTP/1.1 304 X\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 304 X\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Case(
            "Content-Length in 204 goes",
            "HTTP/1.1 204 X\r\nContent-Length: 5\r\n\r\n",
            "HTTP/1.1 204 X\r\n\r\n"),
        Case(
            "Content-Length in 100 goes",
            "HTTP/1.1 100 X\r\nContent-Length: 5\r\n\r\n",
            "HTTP/1.1 100 X\r\n\r\n"),
        Case(
            "Content-Length in 304 stays",
            "HTTP/1.1 304 X\r\nContent-Length: 5\r\n\r\n",
            "HTTP/1.1 304 X\r\nContent-Length: 5\r\n\r\n"),
        Case(
            "order, case and duplicates stay",
            "HTTP/1.1 200 OK\r\nset-cookie: a\r\nDate: d\r\nSet-Cookie: b\r\nserver: s\r\n\r\n",
            "HTTP/1.1 200 OK\r\nset-cookie: a\r\nDate: d\r\nSet-Cookie: b\r\nserver: s\r\n\r\n"),
        Case(
            "hop-by-hop fields",
            "HTTP/1.1 200 OK\r\nConnection: close, X-A\r\nKeep-Alive: timeout=5\r\nX-A: 1\r\n"
                + "Proxy-Authenticate: Basic\r\nProxy-Connection: close\r\nUpgrade: x\r\nA: b\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\r\n\r\n"),
        Case(
            "Connection names Content-Length",
            "HTTP/1.1 200 OK\r\nConnection: content-length\r\n\r\n",
            "502 connectionNamesEndToEndField"),
        Case(
            "Connection names Set-Cookie",
            "HTTP/1.1 200 OK\r\nConnection: set-cookie\r\n\r\n",
            "502 connectionNamesEndToEndField"),
        Case(
            "malformed Connection",
            "HTTP/1.1 200 OK\r\nConnection: a b\r\n\r\n",
            "502 invalidConnectionOption"),
        Case(
            "101 with Upgrade",
            "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
            "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
        Case(
            "Host in a response is a field",
            "HTTP/1.1 200 OK\r\nHost: a\r\n\r\n",
            "HTTP/1.1 200 OK\r\nHost: a\r\n\r\n"),
        Case(
            "Expect in a response is a field",
            "HTTP/1.1 200 OK\r\nExpect: a\r\n\r\n",
            "HTTP/1.1 200 OK\r\nExpect: a\r\n\r\n"),
        Case("cut in the version", "HTTP/1", "incomplete"),
        Case("cut in the fields", "HTTP/1.1 200 OK\r\nX: a\r\n", "incomplete"),
    ]
}
