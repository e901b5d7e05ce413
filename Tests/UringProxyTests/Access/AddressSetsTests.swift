import TestSupport
import Testing

@testable import UringProxy

@Suite("Address sets")
struct AddressSetsTests {
    private func configuration(_ items: [String]) -> Configuration {
        var configuration = Configuration()
        configuration.addressSets = [AddressSetConfiguration(name: "set", items: items)]
        return configuration
    }

    @Test("A file has an address or a block a line, and comments")
    func file() throws {
        let file = try TemporaryFile("# ours\r\n10.0.0.0/8\t# office\r\n\n  192.0.2.7 \nunix:\nfd00::/8#vpn")
        let sets = AddressSets(configuration(["198.51.100.1", "file:" + file.path]))
        #expect(sets.problems == [])
        #expect(
            try sets.prefixes("set")
                == AddressList.parse(["198.51.100.1", "10.0.0.0/8", "192.0.2.7", "unix:", "fd00::/8"]))
        #expect(try sets.prefixes("10.1.2.3") == AddressList.parse(["10.1.2.3"]))
    }

    @Test("Bad lines of a file are named with their numbers, and not without end")
    func badLines() throws {
        let file = try TemporaryFile("10.0.0.0/8\nnobody\n" + String(repeating: "x\n", count: 100))
        let problems = AddressSets(configuration(["file:" + file.path])).problems
        #expect(problems.count == 5)
        #expect(
            problems[0].description
                == "address_sets.set[0]: \(file.path):2: 'nobody' is neither an address nor a block of them; write for example 192.0.2.7, 10.0.0.0/8 or fd00::/8"
        )
        #expect(problems[4].message.hasPrefix("\(file.path):6: 'x' is"))
    }

    @Test("A file that is no list of addresses is refused")
    func noFile() throws {
        let problems = AddressSets(configuration(["file:/tmp"])).problems
        #expect(problems.map(\.description) == ["address_sets.set[0]: '/tmp' is a directory; check the path"])
    }

    @Test("A relative path begins where the file is that names it")
    func relative() throws {
        let place = SourcePosition(file: "conf/site.yaml", line: 1, column: 1)
        #expect(place.path(of: "office.txt") == "conf/office.txt")
        #expect(place.path(of: "/etc/office.txt") == "/etc/office.txt")
        #expect(SourcePosition(file: "site.yaml", line: 1, column: 1).path(of: "a") == "a")
        let text = "address_sets: {set: [10.0.0.0/8, 'file:office.txt']}\n"
        let texts = ConfigurationText(read: { _ in .success(Array(text.utf8)) }, match: { _ in [] })
        let file = try ConfigurationFile(reading: "conf/site.yaml", from: texts, environment: { _ in nil })
        #expect(file.configuration.addressSets[0].items == ["10.0.0.0/8", "file:conf/office.txt"])
    }
}
