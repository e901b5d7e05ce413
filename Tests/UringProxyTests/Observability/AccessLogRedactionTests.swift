import TestSupport
import Testing

@testable import UringProxy

@Suite struct AccessLogRedactionTests {
    private static let redaction = AccessLogRedaction(query: ["token", "a b", "é"], fields: ["X-Key"])

    @Test(arguments: [
        ("/?token=secret", "/?token=[redacted]"),
        ("/?a=1&token=secret&b=2", "/?a=1&token=[redacted]&b=2"),
        ("/?token=s1&token=s2", "/?token=[redacted]&token=[redacted]"),
        // However the name is written.
        ("/?%74oken=secret", "/?%74oken=[redacted]"),
        ("/?%74%6F%6b%65%6E=secret", "/?%74%6F%6b%65%6E=[redacted]"),
        ("/?a+b=secret&a%20b=secret", "/?a+b=[redacted]&a%20b=[redacted]"),
        ("/?%c3%A9=secret", "/?%c3%A9=[redacted]"),
        // Where readers differ about what ends a value, the longer part goes.
        ("/?a=1;token=secret;more", "/?a=1;token=[redacted]"),
        ("/?a=1;token=se&c=ret", "/?a=1;token=[redacted]&c=ret"),
        ("/?token=se#cret", "/?token=[redacted]"),
        ("/?token=se=cret?x/y", "/?token=[redacted]"),
        ("/p;token=secret/next?x=1", "/p;token=[redacted]/next?x=1"),
        ("/#token=secret", "/#token=[redacted]"),
        ("?token=secret", "?token=[redacted]"),
        ("http://u:p@host/?token=secret", "http://[redacted]@host/?token=[redacted]"),
        ("http://u@x:p@host/a@b", "http://[redacted]@host/a@b"),
        ("u:p@host:443", "[redacted]@host:443"),
    ])
    func valuesOfSecretsGo(_ target: String, _ expected: String) {
        #expect(Self.redact(.target, target) == expected)
    }

    @Test(arguments: [
        "/", "", "*", "/a@b", "//a@b/c", "/token=secret", "/?Token=secret", "/?tokens=secret&xtoken=1",
        "/?token",
        "/?token=&a=1", "/?token&a=1", "/?%2574oken=1", "/?%7=1&%=2&%74oke=3", "/?tok%65", "http://@host/",
        "host:443",
    ])
    func otherThingsStay(_ target: String) { #expect(Self.redact(.target, target) == nil) }

    @Test func referersAreURLsToo() {
        #expect(Self.redact(.referer, "https://a:b@x/?token=1#f") == "https://[redacted]@x/?token=[redacted]")
        #expect(Self.redact(.referer, "//a:b@x/") == "//[redacted]@x/")
        #expect(Self.redact(.userAgent, "?token=1") == nil)
    }

    @Test func fieldsGoAsAWhole() {
        for name in ["authorization", "Cookie", "PROXY-AUTHORIZATION", "set-cookie", "x-key"] {
            #expect(Self.redact(.requestField, "\(name):a:b") == "\(name):[redacted]")
            #expect(Self.redact(.responseField, "\(name):a") == "\(name):[redacted]")
            #expect(Self.redact(.responseField, "\(name):") == nil)
        }
        #expect(Self.redact(.requestField, "X-Keys:a") == nil)
        #expect(Self.redact(.responseField, "Location:/?a=1&token=2") == "Location:/?a=1&token=[redacted]")
        let shown = AccessLogRedaction(shown: ["cookie"])
        #expect(Self.redact(.requestField, "Cookie:a", by: shown) == nil)
        #expect(Self.redact(.requestField, "Authorization:a", by: shown) == "Authorization:[redacted]")
    }

    /// Of a URL that was cut within its authority nobody knows whether an "@" followed.
    @Test func cutUserInfoGoes() {
        #expect(Self.redact(.target, "http://user:password@host/", limit: 15) == "http://[redacted]")
        #expect(Self.redact(.target, "http://host/abc", limit: 13) == nil)
        #expect(Self.redact(.target, "/?token=secret", limit: 10) == "/?token=[redacted]")
    }

    /// All else of the record stays as it was, and it is a record.
    @Test func theRestStays() {
        let record = LogSupport.record(
            [
                LogSupport.text(.method, "GET"), LogSupport.text(.target, "/?token=1&a=2"),
                LogSupport.field("Cookie", "a=b"), LogSupport.field("X", "y"), LogSupport.text(.host, "h"),
            ], limit: 12
        ) {
            $0.id = 7
            $0.status = 204
        }
        var scratch: [UInt8] = [1, 2, 3]
        #expect(LogSupport.withRecord(record) { Self.redaction.apply($0, into: &scratch) })
        #expect(scratch.count % 8 == 0)
        LogSupport.withRecord(scratch) { view in
            #expect(Int(view.record.size) == scratch.count)
            #expect(view.record.id == 7 && view.record.status == 204)
            var reader = AccessTextReader(view.texts)
            var found: [String] = []
            while let next = reader.next() {
                found.append("\(next.kind) \(next.isShortened) \(HTTPSupport.text(next.text))")
            }
            #expect(
                found == [
                    "1 false GET", "2 true /?token=[redacted]&a=", "32 false Cookie:[redacted]",
                    "32 false X:y",
                    "3 false h",
                ])
        }
    }

    /// Marks are longer than what they hide; a record never is longer than records may be.
    @Test func marksDoNotMakeItTooLong() {
        let target = "/?" + String(repeating: "token=1&", count: 1900)
        let record = LogSupport.record([LogSupport.text(.target, target), LogSupport.text(.host, "h")])
        var scratch: [UInt8] = []
        #expect(LogSupport.withRecord(record) { Self.redaction.apply($0, into: &scratch) })
        #expect(scratch.count <= AccessRecord.sizeLimit)
        LogSupport.withRecord(scratch) { view in
            #expect(view.record.flags.contains(.isTruncated))
            #expect(HTTPSupport.text(view[.target]).hasPrefix("/?token=[redacted]&token=[redacted]&"))
            #expect(!HTTPSupport.text(view[.target]).contains("=1"))
        }
    }

    /// Over any bytes: what is left is a record in which there is nothing more to hide but the marks.
    @Test func anyBytesLeaveARecord() {
        var random = SplitMix(seed: 11)
        var count = 0
        for _ in 0..<2000 {
            let pool = Array("token=%74?&;#@:/h".utf8)
            let bytes = (0..<random.next() % 60).map { _ in pool[Int(random.next() % UInt64(pool.count))] }
            let record = LogSupport.record([(.target, "", bytes), (.referer, "", bytes)])
            var scratch: [UInt8] = []
            guard LogSupport.withRecord(record, { Self.redaction.apply($0, into: &scratch) }) else {
                continue
            }
            count += 1
            LogSupport.withRecord(scratch) { #expect(Int($0.record.size) == scratch.count) }
            var again: [UInt8] = []
            _ = LogSupport.withRecord(scratch) { Self.redaction.apply($0, into: &again) }
            #expect(again.isEmpty || again == scratch, "\(String(decoding: bytes, as: UTF8.self))")
        }
        #expect(count > 100)
    }

    /// - Returns: what a text becomes; nil if there is nothing to hide in it.
    private static func redact(
        _ kind: AccessText, _ text: String, limit: Int = .max, by redaction: AccessLogRedaction = redaction
    ) -> String? {
        let record = LogSupport.record([LogSupport.text(kind, text)], limit: limit)
        var scratch: [UInt8] = []
        guard LogSupport.withRecord(record, { redaction.apply($0, into: &scratch) }) else {
            #expect(scratch.isEmpty)
            return nil
        }
        return LogSupport.withRecord(scratch) { HTTPSupport.text($0[kind]) }
    }
}
