import TestSupport
import Testing

@testable import UringProxy

@Suite("Geo databases")
struct GeoDatabaseTests {
    private typealias Writer = GeoDatabaseWriter

    private func open(_ writers: Writer...) throws -> GeoDatabases {
        GeoDatabases(
            try writers.map { writer in
                let file = try TemporaryFile(writer.bytes)
                return try GeoDatabase(file.path)
            })
    }

    private func location(_ databases: GeoDatabases, _ address: String) -> String {
        databases.reader.location(of: IPAddress(address)!).description
    }

    @Test("Country, region and system of the longest block, for both kinds of addresses", arguments: [4, 6])
    func lookUp(_ ipVersion: Int) throws {
        var writer = Writer(ipVersion: ipVersion)
        writer.add("192.0.2.0/24", Writer.place(country: "DE", registered: "AT", regions: ["BY", "X"]))
        writer.add("192.0.2.128/25", Writer.place(registered: "AT"))
        writer.add("192.0.2.200/32", Writer.place(country: "GB", regions: ["ENG"], system: 64512))
        writer.add("198.51.100.0/24", Writer.place(system: 4_294_967_295))
        if ipVersion == 6 {
            writer.add("2001:db8::/32", Writer.place(country: "FR"))
            writer.add("2001:db8:7::/48", Writer.place(country: "CH", regions: ["ZH"], system: 3))
        }
        // The files are gone by now.
        let databases = try open(writer)
        #expect(databases.kinds == [.country, .region, .autonomousSystem])
        for (address, expected) in [
            ("192.0.2.1", "DE, region BY"), ("192.0.2.128", "AT"), ("192.0.2.200", "GB, region ENG, AS64512"),
            ("192.0.2.201", "AT"), ("192.0.3.1", "not known"), ("198.51.100.9", "AS4294967295"),
            ("::ffff:192.0.2.1", "DE, region BY"),
            ("2001:db8::1", ipVersion == 6 ? "FR" : "not known"),
            ("2001:db8:7:ffff::1", ipVersion == 6 ? "CH, region ZH, AS3" : "not known"),
            ("2001:db9::1", "not known"), ("::", "not known"),
        ] {
            #expect(location(databases, address) == expected, "\(address)")
        }
    }

    @Test("Each thing is told by the first database that knows it")
    func several() throws {
        var countries = Writer()
        countries.add("192.0.2.0/25", Writer.place(country: "DE"))
        var systems = Writer(ipVersion: 4)
        systems.add("192.0.2.0/24", Writer.place(country: "FR", system: 7))
        let databases = try open(countries, systems)
        #expect(location(databases, "192.0.2.1") == "DE, AS7")
        #expect(location(databases, "192.0.2.129") == "FR, AS7")
        #expect(try open(countries).kinds == .country)
        #expect(location(GeoDatabases.none, "192.0.2.1") == "not known")
    }

    @Test("Values that are not what they should be are not known")
    func oddValues() throws {
        var writer = Writer()
        let odd: [(GeoDatabaseWriter.Value, String)] = [
            (.text("DE"), "not known"), (.map([]), "not known"),
            (.map([("country", .text("DE"))]), "not known"),
            (.map([("country", .map([("iso_code", .number(7))]))]), "not known"),
            (Writer.place(country: "Germany", registered: "DE"), "DE"),
            (Writer.place(country: "", registered: "A\n"), "not known"),
            (.map([("subdivisions", .list([]))]), "not known"),
            (.map([("subdivisions", .text("BY"))]), "not known"),
            (.map([("autonomous_system_number", .text("7"))]), "not known"),
            (.map([("autonomous_system_number", .short(7))]), "AS7"),
            (.map([("autonomous_system_number", .long(8))]), "AS8"),
            (.map([("autonomous_system_number", .long(1 << 32))]), "not known"),
        ]
        for (index, value) in odd.enumerated() { writer.add("192.0.2.\(index)/32", value.0) }
        let databases = try open(writer)
        for (index, value) in odd.enumerated() {
            #expect(location(databases, "192.0.2.\(index)") == value.1, "\(index)")
        }
    }

    @Test("Any block of thousands is found as a list of them has it")
    func model() throws {
        var random = SplitMix(seed: UInt64.random(in: 0..<1_000_000))
        var blocks: [AddressPrefix] = []
        func address() -> IPAddress {
            // Close together, so that many are within others.
            Bool.random(using: &random)
                ? IPAddress(ipv4: 0xC000_0000 | UInt32.random(in: 0..<1 << 12, using: &random) << 12)
                : IPAddress(
                    high: 0x2001_0DB8 << 32 | UInt64.random(in: 0..<1 << 12, using: &random) << 20, low: 0)
        }
        var texts: Set<String> = []
        for _ in 0..<2000 {
            let address = address()
            let length = Int.random(in: 4...24, using: &random)
            // No bits behind the length.
            let kept = (address.isIPv4 ? 96 : 0) + length
            let block = (0..<128).reduce((high: address.high, low: address.low)) { numbers, bit in
                guard bit >= kept else { return numbers }
                return bit < 64
                    ? (numbers.high & ~(1 << UInt64(63 - bit)), numbers.low)
                    : (numbers.high, numbers.low & ~(1 << UInt64(127 - bit)))
            }
            texts.insert("\(IPAddress(high: block.high, low: block.low).description)/\(length)")
        }
        let ordered = texts.sorted { Int($0.split(separator: "/")[1])! < Int($1.split(separator: "/")[1])! }
        var writer = Writer()
        for (index, text) in ordered.enumerated() {
            blocks += try AddressList.parse([text])
            writer.add(text, Writer.place(system: UInt32(index + 1)))
        }
        let reader = try open(writer)
        for _ in 0..<2000 {
            let address = address()
            let expected = blocks.lastIndex { $0.contains(address) }.map { UInt32($0 + 1) } ?? 0
            #expect(reader.reader.location(of: address).autonomousSystem == expected, "\(address)")
        }
    }

    @Test("A file cut off anywhere, or with any byte changed, is opened or refused, and never worse")
    func broken() throws {
        var writer = Writer()
        writer.add("192.0.2.0/24", Writer.place(country: "DE", regions: ["BY"], system: 7))
        writer.add("2001:db8::/32", Writer.place(registered: "DE"))
        let whole = writer.bytes
        var refused = 0
        func tryOpening(_ bytes: [UInt8]) throws {
            // A new one each time: to write over one makes some file systems wait for the disk.
            let file = try TemporaryFile(bytes)
            do throws(GeoDatabaseError) {
                let databases = GeoDatabases([try GeoDatabase(file.path)])
                for address in ["192.0.2.1", "2001:db8::1", "255.0.0.1", "ffff::"] {
                    _ = location(databases, address)
                }
            } catch { refused += 1 }
        }
        for size in 0..<whole.count { try tryOpening(Array(whole[..<size])) }
        #expect(refused > whole.count / 2)
        var random = SplitMix(seed: 7)
        for _ in 0..<500 {
            var changed = whole
            for _ in 0..<3 {
                changed[Int.random(in: 0..<changed.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            try tryOpening(changed)
        }
        // A record that leads out of the file.
        var outside = Writer(ipVersion: 4)
        outside.add("0.0.0.0/1", Writer.place(country: "DE"))
        var bytes = outside.bytes
        bytes[0] = 0xFF
        let file = try TemporaryFile(bytes)
        #expect(throws: GeoDatabaseError.self) { try GeoDatabase(file.path) }
    }

    @Test("What routes ask for has to be known by a database")
    func kinds() throws {
        var writer = Writer()
        writer.add("192.0.2.0/24", Writer.place(country: "DE"))
        let countries = try TemporaryFile(writer.bytes)
        var nothing = Writer()
        nothing.add("192.0.2.0/24", Writer.place())
        let useless = try TemporaryFile(nothing.bytes)
        var route = RouteConfiguration()
        route.countries = ["DE"]
        route.regions = ["BY"]
        route.autonomousSystems = ["7"]
        var configuration = Configuration()
        configuration.routes = [RouteListConfiguration(name: "s", routes: [route])]
        configuration.geoDatabases = [countries.path]
        #expect(
            GeoCompiler(configuration).problems.map(\.description) == [
                "routes.s[0].match.geo.region: no database knows regions; add one such as GeoLite2-City to 'geo.databases'",
                "routes.s[0].match.geo.asn: no database knows autonomous systems; add one such as GeoLite2-ASN to 'geo.databases'",
            ])
        configuration.geoDatabases = [countries.path, useless.path]
        #expect(
            GeoCompiler(configuration).problems.map(\.description) == [
                "geo.databases[1]: '\(useless.path)' knows neither countries nor regions nor autonomous systems; give one such as GeoLite2-Country or GeoLite2-ASN"
            ])
    }
}
