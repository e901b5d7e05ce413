import Testing

@testable import UringProxy

@Suite("RequestParser")
struct RequestParserTests {
    @Test("A head in absolute form goes upstream in origin form, without what was meant for this hop")
    func absoluteForm() {
        let request = """
            GET http://example.com:8080/a?b HTTP/1.1\r
            Host: other\r
            Proxy-Connection: keep-alive\r
            Accept: */*\r
            Connection: close, X-Private\r
            X-Private: 1\r
            \r\n
            """
        let expected = "GET /a?b HTTP/1.1\r\nHost: example.com:8080\r\nAccept: */*\r\nVia: 1.1 p\r\n\r\n"
        #expect(HTTPSupport.forward(Array(request.utf8), via: "p") == expected)
    }
}
