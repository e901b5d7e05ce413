import TestSupport
import Testing

@testable import UringProxy

@Suite struct AccessLogFormatTests {
    @Test func combinedIsThatOfNginx() throws {
        #expect(
            try LogSupport.line(LogSupport.full, as: "combined")
                == #"10.1.2.3 - ann [30/Nov/2026:18:38:24 +0000] "GET /a?b=c HTTP/2.0" 502 51234 "https://example.com/" "curl/8 \x22x\x22""#
                + "\n")
        #expect(
            try LogSupport.line(LogSupport.record(), as: "combined")
                == #"- - - [01/Jan/1970:00:00:00 +0000] "-" 000 0 "-" "-""# + "\n")
    }

    /// What is not in quotation marks has no space in it.
    @Test func aUsersNameIsOneWord() throws {
        let record = LogSupport.record([LogSupport.text(.user, "a [b] \"é")])
        #expect(
            try LogSupport.line(record, as: "combined").hasPrefix(
                #"- - a\x20[b]\x20\x22\xC3\xA9 [01/Jan/1970:"#))
    }

    @Test func jsonHasStableNames() throws {
        #expect(
            try LogSupport.line(LogSupport.full, as: "json")
                == #"{"time":"2026-11-30T18:38:24.123456Z","id":"0123456789abcdef","listener":"edge","client":"10.1.2.3","user":"ann","#
                + #""method":"GET","scheme":"https","host":"example.com","target":"/a?b=c","protocol":"HTTP/2.0","status":502,"#
                + #""request_bytes":12,"response_bytes":51234,"duration_ms":1212.837,"added_ms":0.412,"#
                + #""stages_ms":{"read":0.012,"connect":0.412,"wait":1212.412},"retries_ms":1.500,"#
                + #""upstream":{"attempts":2,"endpoint":"app-1:8080","address":"[::1]:8080","status":200,"reused":true,"tls":false},"#
                + #""cluster":"app","route":"main","referer":"https://example.com/","user_agent":"curl/8 \"x\"","#
                + #""failure":"upstream_reset","country":"DE","region":"BE","asn":"3320","trace_id":"0af7651916cd43dd8448eb211c80319c","#
                + #""flags":["cut","kept"],"weight":10,"worker":3,"request_fields":{"X-A":"1, 2","X-B":"é"},"#
                + #""response_fields":{"Server":"nginx"}}"# + "\n")
        #expect(
            try LogSupport.line(LogSupport.record(), as: "json")
                == #"{"time":"1970-01-01T00:00:00.000000Z","id":"0000000000000000","request_bytes":0,"response_bytes":0,"#
                + #""duration_ms":0.000,"added_ms":0.000,"weight":1,"worker":0}"# + "\n")
    }

    @Test func logfmtHasTheSameNames() throws {
        #expect(
            try LogSupport.line(LogSupport.full, as: "logfmt")
                == #"time=2026-11-30T18:38:24.123456Z id=0123456789abcdef listener=edge client=10.1.2.3 user=ann method=GET "#
                + #"scheme=https host=example.com target="/a?b=c" protocol=HTTP/2.0 status=502 request_bytes=12 response_bytes=51234 "#
                + #"duration_ms=1212.837 added_ms=0.412 stages_ms.read=0.012 stages_ms.connect=0.412 stages_ms.wait=1212.412 "#
                + #"retries_ms=1.500 upstream.attempts=2 upstream.endpoint=app-1:8080 upstream.address=[::1]:8080 "#
                + #"upstream.status=200 upstream.reused=true upstream.tls=false cluster=app route=main referer=https://example.com/ "#
                + #"user_agent="curl/8 \"x\"" failure=upstream_reset country=DE region=BE asn=3320 trace_id=0af7651916cd43dd8448eb211c80319c "#
                + #"flags=cut,kept weight=10 worker=3 request_fields.X-A="1, 2" request_fields.X-B="é" response_fields.Server=nginx"#
                + "\n")
    }

    @Test func binaryIsTheRecordItself() throws {
        let format = try AccessLogFormat(parsing: "binary")
        #expect(format.isBinary)
        #expect(LogSupport.write(LogSupport.full, as: format) == LogSupport.full)
    }

    /// Every name of JSON's can be written by a template, with the value that JSON gives it.
    @Test func templatesKnowTheNamesOfJSON() throws {
        guard
            case .object(let object) = StrictJSON.parse(
                try LogSupport.line(LogSupport.full, as: "json").utf8.dropLast())
        else {
            Issue.record("no object")
            return
        }
        var names: [(String, StrictJSON.Value)] = []
        for (name, value) in object {
            guard case .object(let inner) = value else {
                names.append((name, value))
                continue
            }
            for (innerName, value) in inner { names.append(("\(name).\(innerName)", value)) }
        }
        #expect(names.count > 35)
        for (name, value) in names {
            let expected =
                switch value {
                case .text(let text): text.replacing("\"", with: "\\x22").replacing("é", with: "\\xC3\\xA9")
                case .number(let text), .word(let text): text
                case .list: "cut,kept"
                case .object: "an object in an object"
                }
            #expect(try LogSupport.line(LogSupport.full, as: "{\(name)}") == expected + "\n", "\(name)")
        }
    }

    @Test func templatesWriteTextAndVariables() throws {
        let template =
            "{{{client}}} {method} {stage.connect} {stage.tls} {request.x-a} {response.server} {request.X-No} {time.common} {time.unix} {time.unix_ms}"
        #expect(
            try LogSupport.line(LogSupport.full, as: template)
                == "{10.1.2.3} GET 0.412 0.000 1, 2 nginx - 30/Nov/2026:18:38:24 +0000 1796063904.123456 1796063904123\n"
        )
        #expect(
            try LogSupport.line(
                LogSupport.record(),
                as: "{client} {host} {status} {upstream.status} {upstream.address} {scheme} {flags}"
            ) == "- - - - - - -\n")
        let format = try AccessLogFormat(parsing: "{request.A} {request.a} {request_fields.B} {response.C}")
        #expect(format.requestFields == ["A", "B"])
        #expect(format.responseFields == ["C"])
    }

    @Test(arguments: [
        ("{clinet} x", "'{clinet}' at byte 1 stands for nothing: did you mean 'client'? known are time, "),
        (
            "ab {stage.conect}",
            "'{stage.conect}' at byte 4 stands for nothing: did you mean 'stage.connect'? "
        ),
        ("{request.}", "'{request.}' at byte 1 stands for nothing: "),
        ("{request.a b}", "'{request.a b}' at byte 1 stands for nothing: "),
        ("{}", "'{}' at byte 1 stands for nothing: "),
        (
            "{client",
            "'{client' has a brace at byte 1 without its other one: write {{ or }} for the character itself"
        ),
        ("a } b", "'a } b' has a brace at byte 3 without its other one: "),
        ("{a{client}", "'{a{client}' has a brace at byte 1 without its other one: "),
        ("{client}\n", "'{client}\\n' has a control character at byte 9: leave it out"),
        (
            "jsno",
            "'jsno' is no format: did you mean 'json'? known are combined, json, logfmt, binary, and templates"
        ),
        ("", "'' is no format: known are combined, "),
    ])
    func badTemplatesSayWhereAndWhy(_ text: String, _ message: String) {
        do throws(OptionSyntaxError) {
            _ = try AccessLogFormat(parsing: text)
            Issue.record("\(text) was taken")
        } catch {
            #expect(error.message.hasPrefix(message), "\(error.message)")
        }
    }

    /// Whatever bytes peers send: one line, without a control or an end of quotation of theirs, and JSON is JSON.
    @Test func noByteOfAPeerEscapes() throws {
        let formats = try ["combined", "json", "logfmt", "{target} {request.x-a} {user}"].map {
            (name: $0, format: try AccessLogFormat(parsing: $0))
        }
        var random = SplitMix(seed: 20_261_130)
        for round in 0..<800 {
            let record = LogSupport.random(&random)
            for (name, format) in formats {
                let line = LogSupport.write(record, as: format)
                let isClean = line.dropLast().allSatisfy { $0 >= 0x20 && $0 != 0x7F } && line.last == 0x0A
                #expect(isClean, "\(name), round \(round)")
                let text = String(decoding: line, as: UTF8.self)
                #expect(
                    !text.unicodeScalars.contains { (0x80..<0xA0).contains($0.value) },
                    "\(name), round \(round)")
                switch name {
                case "combined":
                    #expect(line.count { $0 == UInt8(ascii: "\"") } == 6, "round \(round)")
                    #expect(line.allSatisfy { $0 < 0x80 }, "round \(round)")
                    // Words outside of quotation marks: four, the time in two, and two numbers.
                    let outside = text.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
                        .filter { $0.offset % 2 == 0 }.map(\.element).joined()
                    #expect(outside.split(whereSeparator: \.isWhitespace).count == 7, "round \(round)")
                case "json": #expect(StrictJSON.parse(line.dropLast()) != nil, "round \(round): \(text)")
                default: break
                }
            }
        }
    }

    /// What a text says is what JSON says, but for bytes that are no UTF-8.
    @Test func jsonSaysWhatTheTextSays() throws {
        let json = try AccessLogFormat(parsing: "json")
        var random = SplitMix(seed: 5)
        for _ in 0..<2000 {
            let bytes = (0..<random.next() % 12).map { _ in
                random.next() % 2 == 0
                    ? UInt8(truncatingIfNeeded: random.next())
                    : [0xC2, 0x85, 0xE0, 0xA0, 0x80, 0xED, 0x9F, 0xF0, 0x90, 0xF4, 0x8F, 0xBF, 0x41][
                        Int(random.next() % 13)]
            }
            let line = LogSupport.write(LogSupport.record([(.host, "", bytes)]), as: json)
            guard case .object(let object) = StrictJSON.parse(line.dropLast()) else {
                Issue.record("no object")
                return
            }
            let expected = String(decoding: bytes, as: UTF8.self)
            #expect(object["host"] == (bytes.isEmpty ? nil : .text(expected)), "\(bytes)")
        }
    }
}
