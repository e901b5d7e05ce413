import Testing

@testable import UringProxy

@Suite struct AccessLogFilterTests {
    @Test(arguments: [
        "status=502", "status=5xx", "status!=4xx", "status>=500", "status<503", "status>200", "status<=502",
        "upstream.status=200", "upstream.status=2XX", "duration>1s", "duration<=1213ms", "duration_ms>1s",
        "added>412us", "added<1ms", "stage.connect>400us", "stages_ms.connect<1ms", "stage.tls=0",
        "retries=1500us",
        "host=example.com", "host=EXAMPLE.*", "host=*.com", "host!=*.org", "target=/a*", "target=*?b=*",
        "method=GET",
        "method!=POST", "client=10.0.0.0/8", "client=10.1.2.3", "client!=192.168.0.0/16",
        "upstream.address=::1",
        "cluster=app", "route=main", "failure=upstream_reset", "failure!=", "id=0123456789ABCDEF", "user=a*n",
        "request.x-a=2", "request.X-A=1", "request.X-C=", "response.server=ng*x", "request_bytes=12",
        "response_bytes>50KiB", "weight=10", "worker=3", "upstream.attempts>1", "upstream.reused=true",
        "upstream.tls!=true", "scheme=https", "protocol=HTTP/2.0", "flags=kept", "flags!=tunnel",
        "country=DE",
        "time>=2026-11-30T18:38:24.123456Z", "time<2026-11-30T18:38:25Z", "time>2026-11-30",
        "time<2026-12-01",
        "time>=2026-11-30T18:38",
    ])
    func itHolds(_ text: String) throws {
        let filter = try AccessLogFilter(parsing: text)
        #expect(LogSupport.withRecord(LogSupport.full) { filter.matches($0) })
    }

    @Test(arguments: [
        "status=500", "status=4xx", "status!=5xx", "status>502", "status<502", "duration>1213ms", "added>1ms",
        "stage.connect>5ms", "host=example.org", "host=*example", "host=", "target=/b*", "target=a",
        "method=get",
        "client=11.0.0.0/8", "client!=10.0.0.0/8", "client=::/0", "cluster!=app", "failure=", "id=1",
        "request.x-a=3",
        "request.x-a!=1", "request.x-a=", "response.x-a=1", "upstream.reused=false", "scheme=http",
        "flags=tunnel",
        "flags!=kept", "time<2026-11-30", "time>=2026-11-30T18:38:24.2Z",
    ])
    func itDoesNotHold(_ text: String) throws {
        let filter = try AccessLogFilter(parsing: text)
        #expect(!LogSupport.withRecord(LogSupport.full) { filter.matches($0) })
    }

    @Test(arguments: [
        ("status", "'status' is no filter: write a name, a comparison and a value"),
        ("=5", "'=5' is no filter: "),
        (
            "statsu=5xx",
            "'statsu=5xx': nothing has the name 'statsu'; did you mean 'status'? known are time, "
        ),
        ("status>=5xx", "'status>=5xx': compare 5xx with = or !=, or a status with a number"),
        ("status=many", "'many' is no status: write for example 404 or 5xx"),
        ("duration>100", "'100' has no unit: write 100s, 100ms or 100m"),
        ("host>a", "'host>a': host has no order; compare it with = or !="),
        ("client=10.0.0", "'10.0.0' is neither an address nor a block of them: "),
        ("id=xyz", "'xyz' is no id: "),
        ("flags=keep", "'keep' is no flag: known are tunnel, "),
        ("time>yesterday", "'yesterday' is no time: write it in UTC, such as "),
        ("time>2026-02-29", "'2026-02-29' is no time: "),
        ("time>2026-11-30T25:00Z", "'2026-11-30T25:00Z' is no time: "),
        ("time.unix>5", "'time.unix>5': compare times by the name time"),
        ("weight=-1", "'-1' is no whole number: "),
    ])
    func badFiltersSayWhy(_ text: String, _ message: String) {
        do throws(OptionSyntaxError) {
            _ = try AccessLogFilter(parsing: text)
            Issue.record("\(text) was taken")
        } catch {
            #expect(error.message.hasPrefix(message), "\(error.message)")
        }
    }

    @Test func timesAreThoseOfTheCalendar() {
        #expect(AccessLogTime.nanoseconds(parsing: "1970-01-01") == 0)
        #expect(
            AccessLogTime.nanoseconds(parsing: "2026-11-30T18:38:24.123456789Z") == 1_796_063_904_123_456_789)
        #expect(AccessLogTime.nanoseconds(parsing: "2024-02-29T00:00z") == 1_709_164_800_000_000_000)
        for text in [
            "2026", "2026-1-1", "2026-11-30T", "2026-11-30T18", "2026-11-30T18:00:00+01:00",
            "2026-11-30T18:00:00.",
        ] {
            #expect(AccessLogTime.nanoseconds(parsing: text) == nil, "\(text)")
        }
    }

    @Test func starsStandForAnything() {
        let cases: [(String, [String], [String])] = [
            ("*", ["", "a"], []), ("a*b", ["ab", "axxb", "abb"], ["a", "b", "abc"]),
            ("*a*b*", ["ab", "xaxbx"], ["ba"]), ("", [""], ["a"]), ("a**", ["a", "ab"], ["b"]),
        ]
        for (pattern, good, bad) in cases {
            let compiled = AccessLogPattern(pattern)
            for text in good {
                #expect(HTTPSupport.withView(Array(text.utf8)) { compiled.matches($0) }, "\(pattern) \(text)")
            }
            for text in bad {
                #expect(
                    !HTTPSupport.withView(Array(text.utf8)) { compiled.matches($0) }, "\(pattern) \(text)")
            }
        }
    }
}
