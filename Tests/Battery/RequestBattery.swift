/// Requests, and what becomes of each: the head that goes upstream, or status and reason of the refusal. Bytes are
/// Latin-1, so that "\u{FF}" is one byte.
public enum RequestBattery {
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
        Case("plain", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case("method HEAD", "HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n", "HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case("method POST", "POST /x HTTP/1.1\r\nHost: h\r\n\r\n", "POST /x HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case("method PUT", "PUT /x HTTP/1.1\r\nHost: h\r\n\r\n", "PUT /x HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case(
            "method DELETE",
            "DELETE /x HTTP/1.1\r\nHost: h\r\n\r\n",
            "DELETE /x HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case("method TRACE", "TRACE /x HTTP/1.1\r\nHost: h\r\n\r\n", "TRACE /x HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case("method PATCH", "PATCH /x HTTP/1.1\r\nHost: h\r\n\r\n", "PATCH /x HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case(
            "method OPTIONS",
            "OPTIONS /x HTTP/1.1\r\nHost: h\r\n\r\n",
            "OPTIONS /x HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case(
            "method PROPFIND",
            "PROPFIND /x HTTP/1.1\r\nHost: h\r\n\r\n",
            "PROPFIND /x HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case(
            "method VERSION-CONTROL",
            "VERSION-CONTROL /x HTTP/1.1\r\nHost: h\r\n\r\n",
            "VERSION-CONTROL /x HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case(
            "method M-SEARCH",
            "M-SEARCH /x HTTP/1.1\r\nHost: h\r\n\r\n",
            "M-SEARCH /x HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case("method get", "get /x HTTP/1.1\r\nHost: h\r\n\r\n", "get /x HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case(
            "method G!#$%&'*+-.^_`|~9",
            "G!#$%&'*+-.^_`|~9 /x HTTP/1.1\r\nHost: h\r\n\r\n",
            "G!#$%&'*+-.^_`|~9 /x HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case(
            "method of 32 bytes",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\nHost: h\r\n\r\n",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case(
            "method of 33 bytes",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\nHost: h\r\n\r\n",
            "501 methodTooLong"),
        Case("method with a colon", "G:T / HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidMethod"),
        Case("method with a comma", "G,T / HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidMethod"),
        Case("method in brackets", "(GET) / HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidMethod"),
        Case("method with a high byte", "G\u{C4}T / HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidMethod"),
        Case("no method", " / HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidMethod"),
        Case("only a method", "GET\r\nHost: h\r\n\r\n", "400 invalidMethod"),
        Case("tab before the method", "\tGET / HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidMethod"),
        Case("tab behind the method", "GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidMethod"),
        Case(
            "two spaces behind the method",
            "GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 malformedRequestLine"),
        Case(
            "two spaces behind the target",
            "GET /  HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 malformedRequestLine"),
        Case("tab behind the target", "GET /\tHTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidTarget"),
        Case("space behind the version", "GET / HTTP/1.1 \r\nHost: h\r\n\r\n", "400 malformedRequestLine"),
        Case("tab behind the version", "GET / HTTP/1.1\t\r\nHost: h\r\n\r\n", "400 malformedRequestLine"),
        Case("space in the target", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", "400 malformedRequestLine"),
        Case("vertical tab for a space", "GET\u{0B}/ HTTP/1.1\r\nHost: h\r\n\r\n", "400 controlByte"),
        Case("no target", "GET HTTP/1.1\r\nHost: h\r\n\r\n", "505 http09"),
        Case("empty target", "GET  HTTP/1.1\r\nHost: h\r\n\r\n", "400 malformedRequestLine"),
        Case("HTTP/0.9", "GET /\r\n", "505 http09"),
        Case("HTTP/0.9 with an empty line", "GET /\r\n\r\n", "505 http09"),
        Case("version HTTP/1.2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", "505 unsupportedVersion"),
        Case("version HTTP/2.0", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", "505 unsupportedVersion"),
        Case("version HTTP/0.9", "GET / HTTP/0.9\r\nHost: h\r\n\r\n", "505 unsupportedVersion"),
        Case("version HTTP/3.0", "GET / HTTP/3.0\r\nHost: h\r\n\r\n", "505 unsupportedVersion"),
        Case("version HTTP/2", "GET / HTTP/2\r\nHost: h\r\n\r\n", "400 invalidVersion"),
        Case("version HTTP/1", "GET / HTTP/1\r\nHost: h\r\n\r\n", "400 invalidVersion"),
        Case("version HTTP/1.10", "GET / HTTP/1.10\r\nHost: h\r\n\r\n", "400 invalidVersion"),
        Case("version HTTP/01.1", "GET / HTTP/01.1\r\nHost: h\r\n\r\n", "400 invalidVersion"),
        Case("version HTTP/1.", "GET / HTTP/1.\r\nHost: h\r\n\r\n", "400 invalidVersion"),
        Case("version http/1.1", "GET / http/1.1\r\nHost: h\r\n\r\n", "400 invalidVersion"),
        Case("version Http/1.1", "GET / Http/1.1\r\nHost: h\r\n\r\n", "400 invalidVersion"),
        Case("version HTTP 1.1", "GET / HTTP 1.1\r\nHost: h\r\n\r\n", "400 malformedRequestLine"),
        Case("version HTTP/1.1a", "GET / HTTP/1.1a\r\nHost: h\r\n\r\n", "400 invalidVersion"),
        Case("version HTTP/1,1", "GET / HTTP/1,1\r\nHost: h\r\n\r\n", "400 invalidVersion"),
        Case("version HTTPS/1.1", "GET / HTTPS/1.1\r\nHost: h\r\n\r\n", "400 invalidVersion"),
        Case("version ICY/1.1", "GET / ICY/1.1\r\nHost: h\r\n\r\n", "400 invalidVersion"),
        Case("version HTTP/+1.1", "GET / HTTP/+1.1\r\nHost: h\r\n\r\n", "400 invalidVersion"),
        Case("version empty", "GET / \r\nHost: h\r\n\r\n", "400 invalidVersion"),
        Case("version HTTP/1.superscript", "GET / HTTP/1.\u{B2}\r\nHost: h\r\n\r\n", "400 invalidVersion"),
        Case("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 http2Preface"),
        Case("PRI in HTTP/1.1", "PRI * HTTP/1.1\r\nHost: h\r\n\r\n", "400 targetFormNotAllowed"),
        Case(
            "TLS ClientHello",
            "\u{16}\u{03}\u{01}\u{02}\u{00}\u{01}\u{00}\u{01}\u{FC}\u{03}\u{03}",
            "400 looksLikeTLS"),
        Case("SOCKS 5", "\u{05}\u{01}\u{00}", "400 controlByte"),
        Case("high byte first", "\u{80}GET / HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidMethod"),
        Case(
            "one empty line before",
            "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case("two empty lines before", "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidMethod"),
        Case("bare LF before", "\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "400 bareLineFeed"),
        Case("bare CR before", "\rGET / HTTP/1.1\r\nHost: h\r\n\r\n", "400 bareCarriageReturn"),
        Case("space before", " GET / HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidMethod"),
        Case("bare LF behind the request line", "GET / HTTP/1.1\nHost: h\r\n\r\n", "400 bareLineFeed"),
        Case("bare LF behind a field", "GET / HTTP/1.1\r\nHost: h\n\r\n", "400 bareLineFeed"),
        Case("bare LF for the empty line", "GET / HTTP/1.1\r\nHost: h\r\n\n", "400 bareLineFeed"),
        Case("only bare LF", "GET / HTTP/1.1\nHost: h\n\n", "400 bareLineFeed"),
        Case("bare CR behind the request line", "GET / HTTP/1.1\rHost: h\r\n\r\n", "400 bareCarriageReturn"),
        Case("bare CR in a value", "GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n", "400 bareCarriageReturn"),
        Case("bare CR before CR LF", "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\r\n\r\n", "400 bareCarriageReturn"),
        Case("CR CR LF as the empty line", "GET / HTTP/1.1\r\nHost: h\r\n\r\r\n", "400 bareCarriageReturn"),
        Case("bare CR in the target", "GET /a\rb HTTP/1.1\r\nHost: h\r\n\r\n", "400 bareCarriageReturn"),
        Case(
            "bare LF in a value",
            "GET / HTTP/1.1\r\nHost: h\r\nX: a\nTransfer-Encoding: chunked\r\n\r\n",
            "400 bareLineFeed"),
        Case("NUL in a value", "GET / HTTP/1.1\r\nHost: h\r\nX: a\u{00}b\r\n\r\n", "400 controlByte"),
        Case("SOH in a value", "GET / HTTP/1.1\r\nHost: h\r\nX: a\u{01}b\r\n\r\n", "400 controlByte"),
        Case("BEL in a value", "GET / HTTP/1.1\r\nHost: h\r\nX: a\u{07}b\r\n\r\n", "400 controlByte"),
        Case("BS in a value", "GET / HTTP/1.1\r\nHost: h\r\nX: a\u{08}b\r\n\r\n", "400 controlByte"),
        Case("VT in a value", "GET / HTTP/1.1\r\nHost: h\r\nX: a\u{0B}b\r\n\r\n", "400 controlByte"),
        Case("FF in a value", "GET / HTTP/1.1\r\nHost: h\r\nX: a\u{0C}b\r\n\r\n", "400 controlByte"),
        Case("ESC in a value", "GET / HTTP/1.1\r\nHost: h\r\nX: a\u{1B}b\r\n\r\n", "400 controlByte"),
        Case("US in a value", "GET / HTTP/1.1\r\nHost: h\r\nX: a\u{1F}b\r\n\r\n", "400 controlByte"),
        Case("DEL in a value", "GET / HTTP/1.1\r\nHost: h\r\nX: a\u{7F}b\r\n\r\n", "400 controlByte"),
        Case("NUL in a name", "GET / HTTP/1.1\r\nHost: h\r\nX\u{00}: a\r\n\r\n", "400 controlByte"),
        Case("NUL in the target", "GET /\u{00} HTTP/1.1\r\nHost: h\r\n\r\n", "400 controlByte"),
        Case("NUL at the end of the head", "GET / HTTP/1.1\r\nHost: h\r\n\u{00}\r\n", "400 controlByte"),
        Case(
            "tab in a value",
            "GET / HTTP/1.1\r\nHost: h\r\nX: a\tb\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nX: a\tb\r\n\r\n"),
        Case(
            "high bytes in a value",
            "GET / HTTP/1.1\r\nHost: h\r\nX: \u{80}\u{C4}\u{FF}\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nX: \u{80}\u{C4}\u{FF}\r\n\r\n"),
        Case("query", "GET /a?b=c&d HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a?b=c&d HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case(
            "bytes browsers leave",
            "GET /a|^`{}\"[]?|\\^ HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET /a|^`{}\"[]?|\\^ HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case(
            "all of RFC 3986",
            "GET /-._~!$&'()*+,;=:@%41?/?-._~!$&'()*+,;=:@ HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET /-._~!$&'()*+,;=:@%41?/?-._~!$&'()*+,;=:@ HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case(
            "two slashes",
            "GET //a//b HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET //a//b HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case(
            "dot segments stay",
            "GET /../a/./b HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET /../a/./b HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case("fragment", "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidTarget"),
        Case("fragment in the query", "GET /a?b#c HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidTarget"),
        Case("backslash in the path", "GET /a\\b HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidTarget"),
        Case("angle bracket in the path", "GET /<a HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidTarget"),
        Case("angle bracket in the query", "GET /?a>b HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidTarget"),
        Case("high byte in the target", "GET /\u{E4} HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidTarget"),
        Case("DEL in the target", "GET /\u{7F} HTTP/1.1\r\nHost: h\r\n\r\n", "400 controlByte"),
        Case("relative target", "GET a HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidTarget"),
        Case("target is a query", "GET ?a HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidTarget"),
        Case("target without scheme", "GET ://h/ HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidTarget"),
        Case("asterisk", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case("asterisk with GET", "GET * HTTP/1.1\r\nHost: h\r\n\r\n", "400 targetFormNotAllowed"),
        Case("asterisk and more", "OPTIONS *x HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidTarget"),
        Case(
            "absolute form",
            "GET http://e.com/p HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET /p HTTP/1.1\r\nHost: e.com\r\n\r\n"),
        Case(
            "absolute form with port",
            "GET http://e.com:81/p?q HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET /p?q HTTP/1.1\r\nHost: e.com:81\r\n\r\n"),
        Case(
            "absolute form, empty port",
            "GET http://e.com:/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: e.com:\r\n\r\n"),
        Case(
            "absolute form without path",
            "GET http://e.com HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: e.com\r\n\r\n"),
        Case(
            "absolute form, query without path",
            "GET http://e.com?q HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET /?q HTTP/1.1\r\nHost: e.com\r\n\r\n"),
        Case(
            "absolute form, scheme in capitals",
            "GET HTTP://e.com/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: e.com\r\n\r\n"),
        Case(
            "absolute form, another scheme",
            "GET ftp://e.com/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: e.com\r\n\r\n"),
        Case(
            "absolute form, IPv6",
            "GET http://[2001:db8::1]:8080/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n"),
        Case(
            "absolute form, OPTIONS without path",
            "OPTIONS http://e.com HTTP/1.1\r\nHost: h\r\n\r\n",
            "OPTIONS * HTTP/1.1\r\nHost: e.com\r\n\r\n"),
        Case(
            "absolute form, OPTIONS with path",
            "OPTIONS http://e.com/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "OPTIONS / HTTP/1.1\r\nHost: e.com\r\n\r\n"),
        Case(
            "absolute form, OPTIONS with query",
            "OPTIONS http://e.com?q HTTP/1.1\r\nHost: h\r\n\r\n",
            "OPTIONS /?q HTTP/1.1\r\nHost: e.com\r\n\r\n"),
        Case(
            "absolute form beats Host",
            "GET http://e.com:8/p HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET /p HTTP/1.1\r\nHost: e.com:8\r\n\r\n"),
        Case(
            "at sign in the path",
            "GET http://e.com/@x HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET /@x HTTP/1.1\r\nHost: e.com\r\n\r\n"),
        Case("absolute form without Host", "GET http://e.com/p HTTP/1.1\r\n\r\n", "400 missingHost"),
        Case("absolute form, no host", "GET http:///p HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidAuthority"),
        Case(
            "absolute form, only a port",
            "GET http://:80/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidAuthority"),
        Case("absolute form, user", "GET http://u@e.com/ HTTP/1.1\r\nHost: h\r\n\r\n", "400 userinfo"),
        Case(
            "absolute form, user and password",
            "GET http://u:p@e.com/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 userinfo"),
        Case(
            "absolute form, user and numeric password",
            "GET http://u:12@e.com/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 userinfo"),
        Case("absolute form, one slash", "GET http:/e.com/ HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidTarget"),
        Case("absolute form, no slashes", "GET mailto:a HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidTarget"),
        Case(
            "absolute form, scheme begins with a digit",
            "GET 1http://e.com/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidTarget"),
        Case("absolute form, port 0", "GET http://e.com:0/ HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidPort"),
        Case(
            "absolute form, port 65536",
            "GET http://e.com:65536/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidPort"),
        Case(
            "absolute form, port 99999",
            "GET http://e.com:99999/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidPort"),
        Case(
            "absolute form, port 080808",
            "GET http://e.com:080808/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidPort"),
        Case("absolute form, port 8a", "GET http://e.com:8a/ HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidPort"),
        Case("absolute form, port -1", "GET http://e.com:-1/ HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidPort"),
        Case(
            "absolute form, port +80",
            "GET http://e.com:+80/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidPort"),
        Case(
            "absolute form, port %38",
            "GET http://e.com:%38/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidPort"),
        Case(
            "absolute form, host e,com",
            "GET http://e,com/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidAuthority"),
        Case(
            "absolute form, host e%2ecom",
            "GET http://e%2ecom/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidAuthority"),
        Case(
            "absolute form, host e;com",
            "GET http://e;com/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidAuthority"),
        Case(
            "absolute form, host e(c",
            "GET http://e(c/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidAuthority"),
        Case(
            "absolute form, host [::1",
            "GET http://[::1/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidAuthority"),
        Case(
            "absolute form, host ::1",
            "GET http://::1/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidAuthority"),
        Case(
            "absolute form, host [::1]x",
            "GET http://[::1]x/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidAuthority"),
        Case(
            "absolute form, host [::1%25eth0]",
            "GET http://[::1%25eth0]/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidAuthority"),
        Case(
            "absolute form, host [v1.a]",
            "GET http://[v1.a]/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidAuthority"),
        Case(
            "absolute form, host [1:2:3:4:5:6:7]",
            "GET http://[1:2:3:4:5:6:7]/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidAuthority"),
        Case(
            "absolute form, host [1:2:3:4:5:6:7:8:9]",
            "GET http://[1:2:3:4:5:6:7:8:9]/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidAuthority"),
        Case(
            "absolute form, host [::1::]",
            "GET http://[::1::]/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidAuthority"),
        Case(
            "absolute form, host [:1::2]",
            "GET http://[:1::2]/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidAuthority"),
        Case(
            "absolute form, host [12345::]",
            "GET http://[12345::]/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidAuthority"),
        Case(
            "absolute form, host [1:]",
            "GET http://[1:]/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidAuthority"),
        Case(
            "absolute form, host [::1.2.3]",
            "GET http://[::1.2.3]/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidAuthority"),
        Case(
            "absolute form, host [::1.2.3.4.5]",
            "GET http://[::1.2.3.4.5]/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidAuthority"),
        Case(
            "absolute form, host [::256.1.1.1]",
            "GET http://[::256.1.1.1]/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidAuthority"),
        Case(
            "absolute form, host [::01.1.1.1]",
            "GET http://[::01.1.1.1]/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidAuthority"),
        Case("absolute form, host []", "GET http://[]/ HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidAuthority"),
        Case(
            "absolute form, host e.com:80:80",
            "GET http://e.com:80:80/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidPort"),
        Case("absolute form, host |", "GET http://|/ HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidAuthority"),
        Case("absolute form, host *", "GET http://*/ HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidAuthority"),
        Case(
            "absolute form, host [::]",
            "GET http://[::]/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: [::]\r\n\r\n"),
        Case(
            "absolute form, host [::1]",
            "GET http://[::1]/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n"),
        Case(
            "absolute form, host [1::]",
            "GET http://[1::]/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: [1::]\r\n\r\n"),
        Case(
            "absolute form, host [1:2:3:4:5:6:7:8]",
            "GET http://[1:2:3:4:5:6:7:8]/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: [1:2:3:4:5:6:7:8]\r\n\r\n"),
        Case(
            "absolute form, host [1::8]",
            "GET http://[1::8]/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: [1::8]\r\n\r\n"),
        Case(
            "absolute form, host [::ffff:192.0.2.1]",
            "GET http://[::ffff:192.0.2.1]/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: [::ffff:192.0.2.1]\r\n\r\n"),
        Case(
            "absolute form, host [1:2:3:4:5:6:192.0.2.1]",
            "GET http://[1:2:3:4:5:6:192.0.2.1]/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: [1:2:3:4:5:6:192.0.2.1]\r\n\r\n"),
        Case(
            "absolute form, host [ABCD:ef01::]",
            "GET http://[ABCD:ef01::]/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: [ABCD:ef01::]\r\n\r\n"),
        Case(
            "absolute form, host 192.0.2.1",
            "GET http://192.0.2.1/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n"),
        Case(
            "absolute form, host a_b.example.",
            "GET http://a_b.example./ HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a_b.example.\r\n\r\n"),
        Case(
            "absolute form, host xn--bcher-kva.example",
            "GET http://xn--bcher-kva.example/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: xn--bcher-kva.example\r\n\r\n"),
        Case(
            "absolute form, host localhost",
            "GET http://localhost/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        Case(
            "absolute form, host ~",
            "GET http://~/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: ~\r\n\r\n"),
        Case(
            "absolute form, host of 256 bytes",
            "GET http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/ H"
                + "TTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidAuthority"),
        Case(
            "absolute form, host of 255 bytes",
            "GET http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/ HT"
                + "TP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\n"
                + "Host: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"
                + "\r\n"),
        Case(
            "CONNECT",
            "CONNECT e.com:443 HTTP/1.1\r\nHost: h\r\n\r\n",
            "CONNECT e.com:443 HTTP/1.1\r\nHost: e.com:443\r\n\r\n"),
        Case(
            "CONNECT, IPv6",
            "CONNECT [::1]:443 HTTP/1.1\r\nHost: h\r\n\r\n",
            "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n"),
        Case("CONNECT without port", "CONNECT e.com HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidPort"),
        Case("CONNECT with an empty port", "CONNECT e.com: HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidPort"),
        Case("CONNECT to port 0", "CONNECT e.com:0 HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidPort"),
        Case("CONNECT with a path", "CONNECT e.com:443/ HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidPort"),
        Case("CONNECT in origin form", "CONNECT / HTTP/1.1\r\nHost: h\r\n\r\n", "400 targetFormNotAllowed"),
        Case(
            "CONNECT in absolute form",
            "CONNECT http://e.com/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 invalidPort"),
        Case("CONNECT *", "CONNECT * HTTP/1.1\r\nHost: h\r\n\r\n", "400 targetFormNotAllowed"),
        Case("CONNECT with a user", "CONNECT u@e.com:443 HTTP/1.1\r\nHost: h\r\n\r\n", "400 userinfo"),
        Case("CONNECT without host", "CONNECT :443 HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidAuthority"),
        Case("GET in authority form", "GET e.com:443 HTTP/1.1\r\nHost: h\r\n\r\n", "400 invalidTarget"),
        Case("no Host", "GET / HTTP/1.1\r\n\r\n", "400 missingHost"),
        Case("no Host but fields", "GET / HTTP/1.1\r\nX: y\r\n\r\n", "400 missingHost"),
        Case("no Host in 1.0", "GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: \r\n\r\n"),
        Case("empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / HTTP/1.1\r\nHost: \r\n\r\n"),
        Case(
            "Host of white space",
            "GET / HTTP/1.1\r\nHost: \t \r\n\r\n",
            "GET / HTTP/1.1\r\nHost: \r\n\r\n"),
        Case("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400 duplicateHost"),
        Case("two equal Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "400 duplicateHost"),
        Case("two Hosts in 1.0", "GET / HTTP/1.0\r\nHost: a\r\nhost: a\r\n\r\n", "400 duplicateHost"),
        Case("Host a/b", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400 invalidHost"),
        Case("Host a b", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400 invalidHost"),
        Case("Host a,b", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", "400 invalidHost"),
        Case("Host u@a", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "400 invalidHost"),
        Case("Host http://a", "GET / HTTP/1.1\r\nHost: http://a\r\n\r\n", "400 invalidHost"),
        Case("Host a:", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n"),
        Case("Host a:99999", "GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", "400 invalidHost"),
        Case("Host a:b", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", "400 invalidHost"),
        Case("Host a?b", "GET / HTTP/1.1\r\nHost: a?b\r\n\r\n", "400 invalidHost"),
        Case("Host a#b", "GET / HTTP/1.1\r\nHost: a#b\r\n\r\n", "400 invalidHost"),
        Case("Host [::1", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "400 invalidHost"),
        Case("Host a//b", "GET / HTTP/1.1\r\nHost: a\\b\r\n\r\n", "400 invalidHost"),
        Case("Host a/u{E4}", "GET / HTTP/1.1\r\nHost: a\u{E4}\r\n\r\n", "400 invalidHost"),
        Case("Host /\"a/\"", "GET / HTTP/1.1\r\nHost: \"a\"\r\n\r\n", "400 invalidHost"),
        Case("Host a:80 b", "GET / HTTP/1.1\r\nHost: a:80 b\r\n\r\n", "400 invalidHost"),
        Case("Host a%00", "GET / HTTP/1.1\r\nHost: a%00\r\n\r\n", "400 invalidHost"),
        Case("Host :80", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", "400 invalidHost"),
        Case("Host a/tb", "GET / HTTP/1.1\r\nHost: a\tb\r\n\r\n", "400 invalidHost"),
        Case(
            "Host in capitals",
            "GET / HTTP/1.1\r\nHOST: A.Example:8080\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: A.Example:8080\r\n\r\n"),
        Case(
            "Host moves to the front",
            "GET / HTTP/1.1\r\nA: 1\r\nHost: h\r\nB: 2\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: 2\r\n\r\n"),
        Case(
            "order, case and duplicates stay",
            "GET / HTTP/1.1\r\nHost: h\r\nb: 1\r\nA: 2\r\nB: 3\r\na: 4\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nb: 1\r\nA: 2\r\nB: 3\r\na: 4\r\n\r\n"),
        Case(
            "white space around the value goes",
            "GET / HTTP/1.1\r\nHost: h\r\nX: \t a b \t\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nX: a b\r\n\r\n"),
        Case(
            "no white space",
            "GET / HTTP/1.1\r\nHost: h\r\nX:a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n\r\n"),
        Case(
            "empty value",
            "GET / HTTP/1.1\r\nHost: h\r\nX:\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nX: \r\n\r\n"),
        Case(
            "value of white space",
            "GET / HTTP/1.1\r\nHost: h\r\nX:   \r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nX: \r\n\r\n"),
        Case(
            "colons in the value",
            "GET / HTTP/1.1\r\nHost: h\r\nX: :a:b:\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nX: :a:b:\r\n\r\n"),
        Case(
            "every token byte in a name",
            "GET / HTTP/1.1\r\nHost: h\r\n!#$%&'*+-.^_`|~09azAZ: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n!#$%&'*+-.^_`|~09azAZ: a\r\n\r\n"),
        Case("space before the colon", "GET / HTTP/1.1\r\nHost: h\r\nX : a\r\n\r\n", "400 spaceBeforeColon"),
        Case("tab before the colon", "GET / HTTP/1.1\r\nHost: h\r\nX\t: a\r\n\r\n", "400 spaceBeforeColon"),
        Case(
            "space before the colon of a known name",
            "GET / HTTP/1.1\r\nHost: h\r\nContent-Length : 1\r\n\r\n",
            "400 spaceBeforeColon"),
        Case("space in a name", "GET / HTTP/1.1\r\nHost: h\r\nX Y: a\r\n\r\n", "400 invalidFieldName"),
        Case("no colon", "GET / HTTP/1.1\r\nHost: h\r\nX\r\n\r\n", "400 missingColon"),
        Case("empty name", "GET / HTTP/1.1\r\nHost: h\r\n: a\r\n\r\n", "400 emptyFieldName"),
        Case("colon alone", "GET / HTTP/1.1\r\nHost: h\r\n:\r\n\r\n", "400 emptyFieldName"),
        Case("name with (", "GET / HTTP/1.1\r\nHost: h\r\nX(Y: a\r\n\r\n", "400 invalidFieldName"),
        Case("name with )", "GET / HTTP/1.1\r\nHost: h\r\nX)Y: a\r\n\r\n", "400 invalidFieldName"),
        Case("name with <", "GET / HTTP/1.1\r\nHost: h\r\nX<Y: a\r\n\r\n", "400 invalidFieldName"),
        Case("name with >", "GET / HTTP/1.1\r\nHost: h\r\nX>Y: a\r\n\r\n", "400 invalidFieldName"),
        Case("name with @", "GET / HTTP/1.1\r\nHost: h\r\nX@Y: a\r\n\r\n", "400 invalidFieldName"),
        Case("name with ,", "GET / HTTP/1.1\r\nHost: h\r\nX,Y: a\r\n\r\n", "400 invalidFieldName"),
        Case("name with ;", "GET / HTTP/1.1\r\nHost: h\r\nX;Y: a\r\n\r\n", "400 invalidFieldName"),
        Case("name with backslash", "GET / HTTP/1.1\r\nHost: h\r\nX\\Y: a\r\n\r\n", "400 invalidFieldName"),
        Case("name with quote", "GET / HTTP/1.1\r\nHost: h\r\nX\"Y: a\r\n\r\n", "400 invalidFieldName"),
        Case("name with /", "GET / HTTP/1.1\r\nHost: h\r\nX/Y: a\r\n\r\n", "400 invalidFieldName"),
        Case("name with [", "GET / HTTP/1.1\r\nHost: h\r\nX[Y: a\r\n\r\n", "400 invalidFieldName"),
        Case("name with ]", "GET / HTTP/1.1\r\nHost: h\r\nX]Y: a\r\n\r\n", "400 invalidFieldName"),
        Case("name with ?", "GET / HTTP/1.1\r\nHost: h\r\nX?Y: a\r\n\r\n", "400 invalidFieldName"),
        Case("name with =", "GET / HTTP/1.1\r\nHost: h\r\nX=Y: a\r\n\r\n", "400 invalidFieldName"),
        Case("name with {", "GET / HTTP/1.1\r\nHost: h\r\nX{Y: a\r\n\r\n", "400 invalidFieldName"),
        Case("name with }", "GET / HTTP/1.1\r\nHost: h\r\nX}Y: a\r\n\r\n", "400 invalidFieldName"),
        Case("name with \u{80}", "GET / HTTP/1.1\r\nHost: h\r\nX\u{80}Y: a\r\n\r\n", "400 invalidFieldName"),
        Case("name with \u{FF}", "GET / HTTP/1.1\r\nHost: h\r\nX\u{FF}Y: a\r\n\r\n", "400 invalidFieldName"),
        Case("folded value", "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", "400 obsoleteFolding"),
        Case(
            "value folded with a tab",
            "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n\tb\r\n\r\n",
            "400 obsoleteFolding"),
        Case("line of a space", "GET / HTTP/1.1\r\nHost: h\r\n \r\n\r\n", "400 obsoleteFolding"),
        Case("space before the first field", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", "400 leadingWhitespace"),
        Case("tab before the first field", "GET / HTTP/1.1\r\n\tHost: h\r\n\r\n", "400 leadingWhitespace"),
        Case(
            "line of a space behind the request line",
            "GET / HTTP/1.1\r\n \r\nHost: h\r\n\r\n",
            "400 leadingWhitespace"),
        Case(
            "folded Content-Length",
            "GET / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n 5\r\n\r\n",
            "400 invalidContentLength"),
        Case(
            "Content-Length 0",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
        Case(
            "Content-Length 5",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"),
        Case(
            "Content-Length 9223372036854775807",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9223372036854775807\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9223372036854775807\r\n\r\n"),
        Case(
            "Content-Length 0005",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0005\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"),
        Case(
            "Content-Length 0000000000000000005",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0000000000000000005\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"),
        Case(
            "Content-Length empty",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \r\n\r\n",
            "400 invalidContentLength"),
        Case(
            "Content-Length +5",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\n",
            "400 invalidContentLength"),
        Case(
            "Content-Length -5",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -5\r\n\r\n",
            "400 invalidContentLength"),
        Case(
            "Content-Length 5 ,",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5 ,\r\n\r\n",
            "400 invalidContentLength"),
        Case(
            "Content-Length 5,5",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5,5\r\n\r\n",
            "400 invalidContentLength"),
        Case(
            "Content-Length 5, 5",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5, 5\r\n\r\n",
            "400 invalidContentLength"),
        Case(
            "Content-Length 5 5",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5 5\r\n\r\n",
            "400 invalidContentLength"),
        Case(
            "Content-Length 0x5",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x5\r\n\r\n",
            "400 invalidContentLength"),
        Case(
            "Content-Length 5a",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5a\r\n\r\n",
            "400 invalidContentLength"),
        Case(
            "Content-Length a",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: a\r\n\r\n",
            "400 invalidContentLength"),
        Case(
            "Content-Length 5.0",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5.0\r\n\r\n",
            "400 invalidContentLength"),
        Case(
            "Content-Length 9223372036854775808",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9223372036854775808\r\n\r\n",
            "400 invalidContentLength"),
        Case(
            "Content-Length 18446744073709551616",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551616\r\n\r\n",
            "400 invalidContentLength"),
        Case(
            "Content-Length 99999999999999999999",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "400 invalidContentLength"),
        Case(
            "Content-Length 00000000000000000005",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 00000000000000000005\r\n\r\n",
            "400 invalidContentLength"),
        Case(
            "Content-Length superscript",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \u{B2}\r\n\r\n",
            "400 invalidContentLength"),
        Case(
            "Content-Length 5;",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5;\r\n\r\n",
            "400 invalidContentLength"),
        Case(
            "Content-Length 5tab6",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\t6\r\n\r\n",
            "400 invalidContentLength"),
        Case(
            "Content-Length '5'",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: '5'\r\n\r\n",
            "400 invalidContentLength"),
        Case(
            "Content-Length 1e3",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1e3\r\n\r\n",
            "400 invalidContentLength"),
        Case(
            "Content-Length in odd case",
            "POST / HTTP/1.1\r\nHost: h\r\ncOnTeNt-LeNgTh: 7\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: h\r\ncOnTeNt-LeNgTh: 7\r\n\r\n"),
        Case(
            "two Content-Lengths",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            "400 duplicateContentLength"),
        Case(
            "two equal Content-Lengths",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
            "400 duplicateContentLength"),
        Case(
            "Content-Length with GET",
            "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"),
        Case(
            "Content-Length with an underscore is another field",
            "POST / HTTP/1.1\r\nHost: h\r\nContent_Length: 5\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: h\r\nContent_Length: 5\r\n\r\n"),
        Case(
            "chunked",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Case(
            "Chunked in odd case",
            "POST / HTTP/1.1\r\nHost: h\r\ntRANSFER-eNCODING: ChUnKeD\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Case(
            "chunked in white space",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \t chunked \t\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Case(
            "Transfer-Encoding chunked, chunked",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
            "400 invalidTransferEncoding"),
        Case(
            "Transfer-Encoding chunked,chunked",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked,chunked\r\n\r\n",
            "400 invalidTransferEncoding"),
        Case(
            "Transfer-Encoding identity",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n",
            "400 invalidTransferEncoding"),
        Case(
            "Transfer-Encoding chunked;x",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked;x\r\n\r\n",
            "400 invalidTransferEncoding"),
        Case(
            "Transfer-Encoding chunked; q=1",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked; q=1\r\n\r\n",
            "400 invalidTransferEncoding"),
        Case(
            "Transfer-Encoding xchunked",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n",
            "400 invalidTransferEncoding"),
        Case(
            "Transfer-Encoding chunkedx",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunkedx\r\n\r\n",
            "400 invalidTransferEncoding"),
        Case(
            "Transfer-Encoding x-chunked",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: x-chunked\r\n\r\n",
            "400 invalidTransferEncoding"),
        Case(
            "Transfer-Encoding chunked, gzip",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
            "400 invalidTransferEncoding"),
        Case(
            "Transfer-Encoding chunked,",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked,\r\n\r\n",
            "400 invalidTransferEncoding"),
        Case(
            "Transfer-Encoding 'chunked'",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: 'chunked'\r\n\r\n",
            "400 invalidTransferEncoding"),
        Case(
            "Transfer-Encoding quote chunkedquote ",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \"chunked\"\r\n\r\n",
            "400 invalidTransferEncoding"),
        Case(
            "Transfer-Encoding empty",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \r\n\r\n",
            "400 invalidTransferEncoding"),
        Case(
            "Transfer-Encoding chunked chunked",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked chunked\r\n\r\n",
            "400 invalidTransferEncoding"),
        Case(
            "Transfer-Encoding , chunked",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: , chunked\r\n\r\n",
            "400 invalidTransferEncoding"),
        Case(
            "Transfer-Encoding identity, chunked",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity, chunked\r\n\r\n",
            "400 invalidTransferEncoding"),
        Case(
            "Transfer-Encoding gzip, chunked, chunked",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked, chunked\r\n\r\n",
            "400 invalidTransferEncoding"),
        Case(
            "Transfer-Encoding ch unked",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: ch unked\r\n\r\n",
            "400 invalidTransferEncoding"),
        Case(
            "Transfer-Encoding chunked, identity",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
            "400 invalidTransferEncoding"),
        Case(
            "Transfer-Encoding gzip;q=1, chunked",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip;q=1, chunked\r\n\r\n",
            "400 invalidTransferEncoding"),
        Case(
            "Transfer-Encoding ,",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: ,\r\n\r\n",
            "400 invalidTransferEncoding"),
        Case(
            "Transfer-Encoding with a vertical tab",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \u{0B}chunked\r\n\r\n",
            "400 controlByte"),
        Case(
            "Transfer-Encoding with a high byte",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \u{A0}chunked\r\n\r\n",
            "400 invalidTransferEncoding"),
        Case(
            "Transfer-Encoding gzip",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n",
            "501 unknownTransferCoding"),
        Case(
            "Transfer-Encoding gzip, chunked",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "501 unknownTransferCoding"),
        Case(
            "Transfer-Encoding deflate",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: deflate\r\n\r\n",
            "501 unknownTransferCoding"),
        Case(
            "Transfer-Encoding foo",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: foo\r\n\r\n",
            "501 unknownTransferCoding"),
        Case(
            "Transfer-Encoding br, chunked",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: br, chunked\r\n\r\n",
            "501 unknownTransferCoding"),
        Case(
            "Transfer-Encoding chunk",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunk\r\n\r\n",
            "501 unknownTransferCoding"),
        Case(
            "Transfer-Encoding cow",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: cow\r\n\r\n",
            "501 unknownTransferCoding"),
        Case(
            "two Transfer-Encodings",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "400 duplicateTransferEncoding"),
        Case(
            "two different Transfer-Encodings",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
            "400 duplicateTransferEncoding"),
        Case(
            "Transfer-Encoding and Content-Length",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
            "400 contentLengthWithTransferEncoding"),
        Case(
            "Content-Length and Transfer-Encoding",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            "400 contentLengthWithTransferEncoding"),
        Case(
            "Content-Length 0 and Transfer-Encoding",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
            "400 contentLengthWithTransferEncoding"),
        Case(
            "Transfer-Encoding in 1.0",
            "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
            "400 transferEncodingInHTTP10"),
        Case(
            "space before the colon of Transfer-Encoding",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n",
            "400 spaceBeforeColon"),
        Case(
            "folded Transfer-Encoding",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n chunked\r\n\r\n",
            "400 invalidTransferEncoding"),
        Case(
            "NUL in Transfer-Encoding's name",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer\u{00}-Encoding: chunked\r\n\r\n",
            "400 controlByte"),
        Case(
            "Transfer_Encoding is another field",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer_Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer_Encoding: chunked\r\n\r\n"),
        Case(
            "Connection names a field",
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: X-A, x-b\r\nX-a: 1\r\nX-B: 2\r\nX-C: 3\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nX-C: 3\r\n\r\n"),
        Case(
            "Connection behind the field it names",
            "GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nConnection: x-a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case(
            "Connection on two lines",
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: x-a\r\nX-A: 1\r\nX-B: 2\r\n"
                + "Connection: close,x-b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case(
            "Connection with empty elements",
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: , ,x-a,,\r\nX-A: 1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case(
            "hop-by-hop fields",
            "GET / HTTP/1.1\r\nHost: h\r\nKeep-Alive: 5\r\nProxy-Connection: keep-alive\r\n"
                + "Proxy-Authorization: Basic x\r\nTE: gzip\r\nHTTP2-Settings: x\r\nUpgrade: x\r\nA: b\r\n"
                + "\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n"),
        Case(
            "Connection names hop-by-hop fields",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "Connection: keep-alive, te, upgrade, http2-settings, proxy-connection, close, trailer\r\n"
                + "Keep-Alive: 5\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case(
            "Authorization stays",
            "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Basic x\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Basic x\r\n\r\n"),
        Case(
            "Connection names host",
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: host\r\n\r\n",
            "400 connectionNamesEndToEndField"),
        Case(
            "Connection names content-length",
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: content-length\r\n\r\n",
            "400 connectionNamesEndToEndField"),
        Case(
            "Connection names transfer-encoding",
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: transfer-encoding\r\n\r\n",
            "400 connectionNamesEndToEndField"),
        Case(
            "Connection names Content-Type",
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: Content-Type\r\n\r\n",
            "400 connectionNamesEndToEndField"),
        Case(
            "Connection names X-Forwarded-For",
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: X-Forwarded-For\r\n\r\n",
            "400 connectionNamesEndToEndField"),
        Case(
            "Connection names forwarded",
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: forwarded\r\n\r\n",
            "400 connectionNamesEndToEndField"),
        Case(
            "Connection names via",
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: via\r\n\r\n",
            "400 connectionNamesEndToEndField"),
        Case(
            "Connection names Authorization",
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: Authorization\r\n\r\n",
            "400 connectionNamesEndToEndField"),
        Case(
            "Connection names cookie",
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: cookie\r\n\r\n",
            "400 connectionNamesEndToEndField"),
        Case(
            "Connection names x-real-ip",
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: x-real-ip\r\n\r\n",
            "400 connectionNamesEndToEndField"),
        Case(
            "Connection names max-forwards",
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: max-forwards\r\n\r\n",
            "400 connectionNamesEndToEndField"),
        Case(
            "Connection names cache-control",
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: cache-control\r\n\r\n",
            "400 connectionNamesEndToEndField"),
        Case(
            "Connection names expect",
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: expect\r\n\r\n",
            "400 connectionNamesEndToEndField"),
        Case(
            "Connection a b",
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: a b\r\n\r\n",
            "400 invalidConnectionOption"),
        Case(
            "Connection quote closequote ",
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: \"close\"\r\n\r\n",
            "400 invalidConnectionOption"),
        Case(
            "Connection a=b",
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: a=b\r\n\r\n",
            "400 invalidConnectionOption"),
        Case(
            "Connection a;b",
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: a;b\r\n\r\n",
            "400 invalidConnectionOption"),
        Case(
            "Connection high byte",
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: \u{FF}\r\n\r\n",
            "400 invalidConnectionOption"),
        Case(
            "32 Connection options",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "Connection: x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case(
            "33 Connection options",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "Connection: x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x\r\n\r\n",
            "400 tooManyConnectionOptions"),
        Case(
            "TE: trailers",
            "GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nConnection: TE\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nConnection: TE\r\n\r\n"),
        Case(
            "TE: trailers among others",
            "GET / HTTP/1.1\r\nHost: h\r\nTE: gzip;q=0.5, Trailers\r\nConnection: close, TE\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nConnection: TE\r\n\r\n"),
        Case(
            "TE that Connection does not name",
            "GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case(
            "TE without trailers",
            "GET / HTTP/1.1\r\nHost: h\r\nTE: deflate\r\nConnection: TE\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case(
            "Trailer stays",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: h\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Case(
            "Upgrade",
            "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
        Case(
            "Upgrade in odd case",
            "GET / HTTP/1.1\r\nHost: h\r\nUPGRADE: WebSocket/13, x\r\n"
                + "Connection: keep-alive, uPGRADE\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: WebSocket/13, x\r\nConnection: Upgrade\r\n\r\n"),
        Case(
            "Upgrade that Connection does not name",
            "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case(
            "Upgrade in 1.0",
            "GET / HTTP/1.0\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case(
            "h2c",
            "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n"
                + "Connection: Upgrade, HTTP2-Settings\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case(
            "h2c among others",
            "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: H2C, websocket\r\nUpgrade: h2c\r\n"
                + "Connection: Upgrade\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
        Case(
            "Upgrade and TE",
            "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: a\r\nTE: trailers\r\nConnection: Upgrade, TE\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nUpgrade: a\r\nConnection: TE, Upgrade\r\n\r\n"),
        Case(
            "empty Upgrade",
            "GET / HTTP/1.1\r\nHost: h\r\nUpgrade:\r\nConnection: Upgrade\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case(
            "malformed Upgrade",
            "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: a b\r\nConnection: Upgrade\r\n\r\n",
            "400 invalidUpgrade"),
        Case(
            "Upgrade with an empty version",
            "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: a/\r\nConnection: Upgrade\r\n\r\n",
            "400 invalidUpgrade"),
        Case(
            "Expect",
            "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"),
        Case(
            "Expect in odd case",
            "POST / HTTP/1.1\r\nHost: h\r\nEXPECT: 100-Continue\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: h\r\nEXPECT: 100-Continue\r\n\r\n"),
        Case(
            "Expect in 1.0 is ignored",
            "POST / HTTP/1.0\r\nHost: h\r\nExpect: 100-continue\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case("Expect empty", "POST / HTTP/1.1\r\nHost: h\r\nExpect: \r\n\r\n", "417 expectationFailed"),
        Case("Expect x", "POST / HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n", "417 expectationFailed"),
        Case(
            "Expect 100-continue, x",
            "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue, x\r\n\r\n",
            "417 expectationFailed"),
        Case(
            "Expect 100-continue=1",
            "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue=1\r\n\r\n",
            "417 expectationFailed"),
        Case("Expect 100", "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100\r\n\r\n", "417 expectationFailed"),
        Case(
            "two Expects",
            "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nExpect: 100-continue\r\n\r\n",
            "417 expectationFailed"),
        Case(
            "Max-Forwards with OPTIONS",
            "OPTIONS / HTTP/1.1\r\nHost: h\r\nMax-Forwards: 10\r\n\r\n",
            "OPTIONS / HTTP/1.1\r\nHost: h\r\nMax-Forwards: 9\r\n\r\n"),
        Case(
            "Max-Forwards with TRACE",
            "TRACE / HTTP/1.1\r\nHost: h\r\nMax-Forwards: 1\r\n\r\n",
            "TRACE / HTTP/1.1\r\nHost: h\r\nMax-Forwards: 0\r\n\r\n"),
        Case(
            "Max-Forwards with GET stays",
            "GET / HTTP/1.1\r\nHost: h\r\nMax-Forwards: 010\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nMax-Forwards: 010\r\n\r\n"),
        Case(
            "odd Max-Forwards with GET stays",
            "GET / HTTP/1.1\r\nHost: h\r\nMax-Forwards: x\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nMax-Forwards: x\r\n\r\n"),
        Case(
            "Max-Forwards with OPTIONS empty",
            "OPTIONS / HTTP/1.1\r\nHost: h\r\nMax-Forwards: \r\n\r\n",
            "400 invalidMaxForwards"),
        Case(
            "Max-Forwards with OPTIONS x",
            "OPTIONS / HTTP/1.1\r\nHost: h\r\nMax-Forwards: x\r\n\r\n",
            "400 invalidMaxForwards"),
        Case(
            "Max-Forwards with OPTIONS -1",
            "OPTIONS / HTTP/1.1\r\nHost: h\r\nMax-Forwards: -1\r\n\r\n",
            "400 invalidMaxForwards"),
        Case(
            "Max-Forwards with OPTIONS 1,2",
            "OPTIONS / HTTP/1.1\r\nHost: h\r\nMax-Forwards: 1,2\r\n\r\n",
            "400 invalidMaxForwards"),
        Case(
            "Max-Forwards with OPTIONS 1234567890",
            "OPTIONS / HTTP/1.1\r\nHost: h\r\nMax-Forwards: 1234567890\r\n\r\n",
            "400 invalidMaxForwards"),
        Case(
            "two Max-Forwards",
            "TRACE / HTTP/1.1\r\nHost: h\r\nMax-Forwards: 1\r\nMax-Forwards: 1\r\n\r\n",
            "400 invalidMaxForwards"),
        Case(
            "1.0 goes up as 1.1",
            "GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case(
            "Via stays",
            "GET / HTTP/1.1\r\nHost: h\r\nVia: 1.0 x\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nVia: 1.0 x\r\n\r\n"),
        Case(
            "Forwarded fields stay",
            "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 1\r\nForwarded: for=1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 1\r\nForwarded: for=1\r\n\r\n"),
        Case(
            "body behind the head is not looked at",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n\u{00}\n\r",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n"),
        Case(
            "next request behind the head",
            "GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case(
            "value of 55 bytes",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n"),
        Case(
            "value of 56 bytes",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n"),
        Case(
            "value of 57 bytes",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n"),
        Case(
            "value of 58 bytes",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n"),
        Case(
            "value of 59 bytes",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n"),
        Case(
            "value of 60 bytes",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n"),
        Case(
            "value of 61 bytes",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n"),
        Case(
            "value of 62 bytes",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n"),
        Case(
            "value of 63 bytes",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n"),
        Case(
            "value of 64 bytes",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n"),
        Case(
            "value of 65 bytes",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n"),
        Case(
            "value of 66 bytes",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n"),
        Case(
            "value of 67 bytes",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n"),
        Case(
            "value of 68 bytes",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n"),
        Case(
            "value of 69 bytes",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n\r\n"),
        Case(
            "value of 70 bytes",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n"
                + "\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n"
                + "\r\n"),
        Case(
            "value of 71 bytes",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n"
                + "\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n"
                + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nY: b\r\n"
                + "\r\n"),
        Case("nothing", "", "incomplete"),
        Case("cut in the request line", "GET / HT", "incomplete"),
        Case("cut behind a field", "GET / HTTP/1.1\r\nHost: h\r\n", "incomplete"),
        Case("cut before the last LF", "GET / HTTP/1.1\r\nHost: h\r\n\r", "incomplete"),
    ]
}
