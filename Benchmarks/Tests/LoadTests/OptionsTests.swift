import Testing

@testable import Load

@Suite("Options")
struct OptionsTests {
    private func options(_ line: String) throws(UsageError) -> Options {
        try Options(line.split(separator: " ").map(String.init))
    }

    @Test("Values come behind a space or an equals sign, with units")
    func values() throws {
        let open = try options(
            "open --target=127.0.0.1:80 --rate 1e4 --seconds 200ms --connections=7 --expect-bytes 64K")
        #expect(open.target == HostPort(host: "127.0.0.1", port: 80))
        #expect(open.rate == 10_000)
        #expect(open.windowSeconds == 0.2)
        #expect(open.connections == 7)
        #expect(open.expectedBytes == 65536)
        let tunnel = try options("closed --target [::1]:80 --connect [::1]:90 --limit-requests 5")
        #expect(tunnel.target == HostPort(host: "::1", port: 80))
        #expect(tunnel.connect?.text == "[::1]:90")
        #expect(tunnel.warmupSeconds == 0)
    }

    @Test("What means nothing is refused with a sentence that names the option")
    func refused() {
        for (line, word) in [
            ("", "mode"), ("fast", "fast"), ("closed", "--target"), ("closed --target 127.0.0.1", "--target"),
            ("closed --target 127.0.0.1:1 --rate 5", "--rate"), ("open --target 127.0.0.1:1", "--rate"),
            ("closed --target 127.0.0.1:1 --bogus", "--bogus"),
            ("closed --target 127.0.0.1:1 --connections 0", "--connections"),
            ("closed --target 127.0.0.1:1 --connections", "--connections"),
            ("closed --target 127.0.0.1:1 x", "'x'"),
            ("closed --target 127.0.0.1:1 --chunked", "--body-bytes"),
            ("closed --target 127.0.0.1:1 --chunked=yes", "--chunked"),
            ("closed --target 127.0.0.1:1 --absolute http://a --connect a:1", "--absolute"),
            ("closed --target 127.0.0.1:1 --absolute https://a", "--absolute"),
            ("closed --target 127.0.0.1:1 --pipeline 2 --new-connection", "--pipeline"),
            ("closed --target 127.0.0.1:1 --seconds 0", "--seconds"),
            ("closed --target 127.0.0.1:1 --seconds x", "--seconds"),
            ("closed --target 127.0.0.1:1 --path x", "--path"),
            ("slow --target 127.0.0.1:1 --seconds 1", "--seconds"),
        ] {
            do throws(UsageError) {
                let accepted = try options(line)
                Issue.record("\(line) was accepted as \(accepted)")
            } catch {
                #expect(error.message.contains(word), "\(line): \(error.message)")
            }
        }
    }
}
