import TestSupport
import Testing

@testable import UringProxy

@Suite("Endpoint file")
struct EndpointFileTests {
    private func read(_ text: String) throws -> (found: [String], problems: [String]) {
        let file = try TemporaryFile(text)
        let read = EndpointFile(reading: file.path)
        return (
            read.endpoints,
            read.problems.map { "\($0.message); \($0.remedy)".replacing(file.path, with: "F") }
        )
    }

    @Test(
        "Lines and lists in YAML say the same",
        arguments: [
            "10.0.0.5:80\n\n# spare\napp.test:81,weight=3 # why\r\nunix:/run/a.sock",
            "- 10.0.0.5:80\n# spare\n- app.test:81,weight=3\n- 'unix:/run/a.sock'\n",
            "[10.0.0.5:80, \"app.test:81,weight=3\", unix:/run/a.sock]",
        ])
    func good(_ text: String) throws {
        let (found, problems) = try read(text)
        #expect(found == ["10.0.0.5:80", "app.test:81,weight=3", "unix:/run/a.sock"])
        #expect(problems.isEmpty)
    }

    @Test(
        "An address in brackets begins a line, and no list",
        arguments: ["[::1]:80,zone=a\nh:1", "[::1]:80,zone=a # local\nh:1", "['[::1]:80,zone=a', 'h:1']"])
    func brackets(_ text: String) throws {
        let (found, problems) = try read(text)
        #expect(found == ["[::1]:80,zone=a", "h:1"])
        #expect(problems.isEmpty)
    }

    @Test("Any bytes are endpoints, or a problem")
    func anything() throws {
        var random = SplitMix(seed: 7)
        let file = try TemporaryFile("")
        for text in [
            "10.0.0.5:80\n# x\nh:81,weight=3 # y\r\n", "- 'unix:/a'\n- '[::1]:80'\n", "[h:80, \"h:1\"]",
        ] {
            for _ in 0..<500 {
                var bytes = Array(text.utf8)
                for _ in 0..<3 {
                    bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(
                        in: 0..<128, using: &random)
                }
                try file.replace(with: bytes)
                let read = EndpointFile(reading: file.path)
                #expect(read.endpoints.isEmpty != read.problems.isEmpty, "\(bytes)")
            }
        }
    }

    @Test(
        "A file with a problem has no endpoints, and each problem has its line",
        arguments: [
            (
                "10.0.0.5:80\nh\nh:0\n",
                [
                    "F:2: 'h' has no port; write HOST:PORT, [IPV6]:PORT or unix:PATH",
                    "F:3: 'h:0' has port 0; give the port the endpoint listens on",
                ]
            ),
            (
                "- 10.0.0.5:80\n- {address: h}\n",
                ["F:2:3: a mapping stands where an endpoint is expected; write HOST:PORT or unix:PATH"]
            ),
            (
                "- h:1,weight=0\n",
                ["F:1: 'h:1,weight=0' has no weight from 1 to 1000; write for example h:1,weight=3"]
            ),
            (
                "h:1 weight=3\nh:2 # more\nh:3, zone=b\n",
                [
                    "F:1: 'h:1 weight=3' has a space in it; write one endpoint a line, such as 10.0.0.5:9000,weight=3",
                    "F:3: 'h:3, zone=b' has a space in it; write one endpoint a line, such as 10.0.0.5:9000,weight=3",
                ]
            ),
            ("# nothing\n", ["'F' names no endpoint; write a line for each, such as 10.0.0.5:9000"]),
            ("[]", ["'F' names no endpoint; write a line for each, such as 10.0.0.5:9000"]),
            (
                String(repeating: "h:1\n", count: 4097),
                ["'F' names 4097 endpoints, more than 4096; put several of them behind one address"]
            ),
        ])
    func bad(_ text: String, _ wanted: [String]) throws {
        let (found, problems) = try read(text)
        #expect(found.isEmpty)
        #expect(problems == wanted)
    }

    @Test("What is no list at all is told of in a few lines")
    func noList() throws {
        #expect(try read(String(repeating: "nonsense\n", count: 100)).problems.count == 5)
    }
}
