import Testing

@testable import UringProxy

@Suite("HostsFile")
struct HostsFileTests {
    @Test("Comments, blanks and lines that are none are passed over")
    func parsing() {
        let names = HostsFile.parse(
            Array(
                """
                # 192.0.2.1 comment
                192.0.2.1 One\tone.example.ORG # two
                  192.0.2.2   two\r
                192.0.2.3
                2001:db8::1 one
                192.0.2.1 one
                127.1 short
                fe80::1%lo scoped
                one two
                192.0.2.4 last
                """.utf8))
        let one = [IPAddress("192.0.2.1")!, IPAddress("2001:db8::1")!]
        #expect(names["one"] == one)
        #expect(names["one.example.org"] == [one[0]])
        #expect(names["two"] == [IPAddress("192.0.2.2")!])
        #expect(names["last"] == [IPAddress("192.0.2.4")!])
        #expect(names.count == 4)
    }
}
