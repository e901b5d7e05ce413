import Testing

@testable import UringProxy

struct AdminRequestTests {
    private func request(_ target: String, _ fields: [String: [String]] = [:]) -> AdminRequest {
        AdminRequest(method: .get, target: target) { fields[$0] ?? [] }
    }

    @Test(
        arguments: [
            ("/", []), ("/ready", ["ready"]), ("//ready/", ["ready"]),
            (
                "/api/v1/clusters/a%2Fb/endpoints/unix:%2Ftmp%2Fs/drain",
                ["api", "v1", "clusters", "a/b", "endpoints", "unix:/tmp/s", "drain"]
            ),
            ("/a%zz+b", ["a%zz+b"]), ("/a%4", ["a%4"]), ("/[::1]:80", ["[::1]:80"]),
        ] as [(String, [String])])
    func pathsAreDecodedBySegment(_ target: String, _ path: [String]) {
        #expect(request(target).path == path)
    }

    @Test func parametersAreKnownOrRefused() throws {
        #expect(
            try request("/x?limit=5&side=down%20stream").parameters("limit", "side") == [
                "limit": "5", "side": "down stream",
            ])
        #expect(throws: OptionSyntaxError("there is no parameter 'limits': there are limit, side")) {
            try request("/x?limits=5").parameters("limit", "side")
        }
        #expect(throws: OptionSyntaxError("there is no parameter 'a': none is taken")) {
            try request("/x?a").parameters()
        }
    }

    @Test(
        arguments: [
            (["Bearer abc"], "abc"), (["bearer abc"], "abc"), (["Basic abc"], nil), (["Bearer"], nil),
            ([], nil),
        ] as [([String], String?)])
    func tokensAreOfTheBearerScheme(_ values: [String], _ token: String?) {
        #expect(request("/", ["authorization": values]).token == token)
    }

    @Test(arguments: [
        ("localhost:9901", false), ("127.0.0.1", false), ("[::1]:9901", false), ("admin", false),
        ("a.localhost", false), ("", false),
        ("evil.example", true), ("evil.example:9901", true), ("127.0.0.1.evil.example:1", true),
    ]) func namesOfTheInternetAreKnown(_ host: String, _ isDomain: Bool) {
        #expect(request("/", ["host": [host]]).namesDomain == isDomain)
    }

    @Test(arguments: ["origin", "sec-fetch-site"]) func pagesAreKnown(_ field: String) {
        #expect(request("/", [field: ["http://evil.example"]]).isFromPage)
        #expect(!request("/").isFromPage)
    }
}
