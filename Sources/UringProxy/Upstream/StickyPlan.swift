/// How a cluster keeps clients with their endpoints: what the cookie calls each of them, and how it is set. Immutable, and read
/// by every worker.
///
/// An endpoint is called by a hash of its address, as the configuration has it: so it is called the same after every start and
/// reload, by every worker and by every instance with the same key, in whatever order endpoints are given; and clusters that share an endpoint,
/// as those of one split may, share its name.
@safe final class StickyPlan: @unchecked Sendable {
    fileprivate struct Place: BitwiseCopyable {
        var name: UInt64
        var endpoint: UInt32
    }

    /// Hexadecimal digits of a name.
    static let nameSize = 16

    /// What the names were made with, for those of endpoints that are found later.
    let key: [UInt8]
    private let cookie: FixedBytes
    private let fieldStart: FixedBytes
    private let fieldEnd: FixedBytes
    private let names: UnsafeMutablePointer<UInt64>
    /// By name.
    private let places: UnsafeMutablePointer<Place>
    private let count: Int

    /// - Parameter names: of the endpoints, in the order of the cluster; none is 0.
    init(_ configuration: StickyConfiguration, names: [UInt64], key: [UInt8] = []) {
        self.key = key
        cookie = FixedBytes(Array(configuration.cookie.utf8))
        fieldStart = FixedBytes(Array("Set-Cookie: \(configuration.cookie)=".utf8))
        fieldEnd = FixedBytes(Array("\(Self.attributes(configuration))\r\n".utf8))
        count = names.count
        unsafe self.names = .allocate(capacity: max(1, count))
        unsafe places = .allocate(capacity: max(1, count))
        for (index, name) in names.enumerated() { unsafe self.names[index] = name }
        let sorted = names.enumerated().sorted { ($0.element, $0.offset) < ($1.element, $1.offset) }
        for (index, place) in sorted.enumerated() {
            unsafe places[index] = Place(name: place.element, endpoint: UInt32(place.offset))
        }
    }

    deinit {
        unsafe names.deallocate()
        unsafe places.deallocate()
    }

    /// RFC 6265 §5.2, and SameSite of draft-ietf-httpbis-rfc6265bis.
    private static func attributes(_ configuration: StickyConfiguration) -> String {
        var text = "; Path=\(configuration.path)"
        if configuration.maxAge.isOn { text += "; Max-Age=\(configuration.maxAge.rawValue / 1_000_000_000)" }
        if configuration.httpOnly { text += "; HttpOnly" }
        if configuration.secure { text += "; Secure" }
        switch configuration.sameSite {
        case .lax: text += "; SameSite=Lax"
        case .strict: text += "; SameSite=Strict"
        case .none: text += "; SameSite=None"
        }
        return text
    }

    /// The endpoint that a request's cookie names; nil if it names none.
    ///
    /// - Parameter bytes: what `fields` were parsed from.
    func endpoint(in fields: borrowing FieldTable, _ bytes: ByteView) -> Int? {
        view.endpoint(named: view.name(in: fields, bytes))
    }

    /// For workers' state, which counts no references; the plan of the cluster keeps this one.
    var view: View {
        unsafe View(
            cookie: cookie.view, fieldStart: fieldStart.view, fieldEnd: fieldEnd.view, names: names,
            places: places, count: count)
    }

    /// The plan as a worker reads it; good as long as the plan.
    @safe struct View: BitwiseCopyable {
        /// The cookie's name.
        let cookie: ByteView
        private let fieldStart: ByteView
        private let fieldEnd: ByteView
        private let names: UnsafeMutablePointer<UInt64>
        private let places: UnsafeMutablePointer<Place>
        private let count: Int

        @unsafe
        fileprivate init(
            cookie: ByteView, fieldStart: ByteView, fieldEnd: ByteView, names: UnsafeMutablePointer<UInt64>,
            places: UnsafeMutablePointer<Place>, count: Int
        ) {
            self.cookie = cookie
            self.fieldStart = fieldStart
            self.fieldEnd = fieldEnd
            unsafe self.names = names
            unsafe self.places = places
            self.count = count
        }

        /// What the cookie calls an endpoint of the cluster.
        func name(of endpoint: Int) -> UInt64 {
            precondition(UInt(bitPattern: endpoint) < UInt(bitPattern: count))
            return unsafe names[endpoint]
        }

        /// The endpoint of the cluster that is called so; nil if none is.
        func endpoint(named name: UInt64) -> Int? {
            var low = 0
            var high = count
            while low < high {
                let middle = (low + high) / 2
                if unsafe places[middle].name < name { low = middle + 1 } else { high = middle }
            }
            guard low < count, unsafe places[low].name == name else { return nil }
            return unsafe Int(places[low].endpoint)
        }

        /// The name in the request's cookie; 0 if there is none, or something else.
        ///
        /// - Parameter bytes: what `fields` were parsed from.
        func name(in fields: borrowing FieldTable, _ bytes: ByteView) -> UInt64 {
            CookieField.value(of: cookie, among: fields, bytes).map { Self.parse($0) } ?? 0
        }

        /// 0 if it is no name.
        static func parse(_ text: ByteView) -> UInt64 {
            guard text.count == StickyPlan.nameSize else { return 0 }
            var name: UInt64 = 0
            for index in 0..<text.count {
                guard let digit = text[index].hexValue else { return 0 }
                name = name << 4 | UInt64(digit)
            }
            return name
        }

        /// The field line that sets the cookie.
        func writeField(_ name: UInt64, into writer: inout ByteWriter) {
            writer.append(fieldStart)
            writer.append(hexadecimal: name)
            writer.append(fieldEnd)
        }

        /// Bytes of that line.
        var fieldSize: Int { fieldStart.count + StickyPlan.nameSize + fieldEnd.count }
    }
}
