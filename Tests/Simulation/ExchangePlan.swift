#if DEBUG || TESTABLE
    @testable internal import UringProxy

    /// One request with the answer it is to get, and what became of both: what every check refers to.
    final class ExchangePlan {
        enum Body: Equatable {
            case none, length, chunked
            /// Responses: ended by closing.
            case untilClose
        }

        /// What the client does wrong in its request.
        enum RequestFault: Equatable { case none, badChunk, garbage, hugeHead }

        enum ResponseFault: Equatable {
            case none
            /// Ends before a byte of the response.
            case closeFirst, resetFirst
            /// Ends within the body.
            case closeWithin, resetWithin
            case garbage
            case silent
            /// Does not even take the request.
            case deaf
            /// Behind the response come bytes that nobody asked for.
            case extra
        }

        let number: Int

        // The request.
        var method = "GET"
        var isHTTP10 = false
        var keepsAlive10 = false
        var asksClose = false
        var expectsContinue = false
        var requestBody = Body.none
        var requestSize = 0
        var requestTrailers = false
        var requestFault = RequestFault.none
        var upgrades = false
        var isForward = false
        /// A forward request that a parent is to get.
        var isThroughParent = false
        /// The client's Proxy-Authorization.
        var credentials: String?
        /// Where a reverse proxy has to send it.
        var cluster: Int?
        /// The route that asks who sends it; nil: none does.
        var rule: RouteRules.Rule?
        var shown = RouteRules.Credentials.none
        /// What the proxy has to answer, and no origin; nil: an origin does, or it depends.
        var refusal: Int?
        /// Clusters of which one gets it; nil: `cluster` does.
        var shares: Set<Int>?
        /// With which others it is counted, or goes where they go; nil: with none.
        var bucket: String?
        var host = "edge.test"
        var target = "/"
        /// What an origin is to be asked for instead, before `/r/` and the number; there Host names the endpoint.
        var rewritten: String?
        /// What a route adds to request and response; nil: nothing, or not for certain.
        var told: String?

        /// What stands in X-Forwarded-For; nil: nothing does.
        var hop: String?
        /// What an origin is to find there; nil: nothing.
        var forwardedFor: String?
        /// What a PROXY protocol header is to tell an origin.
        var addresses: AddressPair?

        // The response.
        var status = 200
        var responseBody = Body.length
        var responseSize = 0
        var responseTrailers = false
        var interims: [Int] = []
        /// Answers as soon as it has the head.
        var answersEarly = false
        var readsBody = true
        var responseFault = ResponseFault.none
        /// The fault befalls the first attempt alone.
        var faultsOnce = false
        var closesAfter = false
        var announcesClose = false
        var answersHTTP10 = false
        var headPadding = 0
        /// Nanoseconds.
        var thinkTime: Int64 = 0

        // What happened.
        var beganSending = false
        var beganSendingAt: Int64 = .max
        var sentWholeRequest = false
        /// How often a mirror got it.
        var copies = 0
        var arrivals = 0
        var requestSeenWhole = false
        /// The sizes of bodies that an origin sent as whole ones, one for each attempt.
        var wholeSizes: [Int] = []
        var finalsSeen = 0
        /// As its route wanted it.
        var isRefused = false
        var isAnswered = false

        init(number: Int) { self.number = number }

        var isIdempotent: Bool { ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"].contains(method) }
        var responseHasBody: Bool {
            method != "HEAD" && status != 204 && status != 304 && responseBody != .none
        }
        /// Its head says that no other request follows.
        var isSaidToBeLast: Bool { asksClose || isHTTP10 && !keepsAlive10 }
        /// After it the client cannot count on the connection.
        var endsConnection: Bool {
            isSaidToBeLast || isHTTP10 && responseHasBody && responseBody != .length
                || requestFault != .none || answersEarly && requestBody != .none && !interims.contains(100)
                || upgrades
                || expectsContinue && !interims.contains(100)
        }

        var description: String {
            var text =
                "request \(number): \(method) \(isHTTP10 ? "1.0" : "1.1"), body \(requestBody) \(requestSize)"
            if requestFault != .none { text += ", \(requestFault)" }
            if expectsContinue { text += ", expects 100" }
            if asksClose { text += ", asks to close" }
            if keepsAlive10 { text += ", keeps alive" }
            if upgrades { text += ", upgrades" }
            text += "; response \(interims)\(status), body \(responseBody) \(responseSize)"
            if responseTrailers { text += ", trailers" }
            if answersEarly { text += ", early" }
            if !readsBody { text += ", does not read" }
            if responseFault != .none { text += ", \(responseFault)\(faultsOnce ? " once" : "")" }
            if closesAfter { text += ", closes" }
            if announcesClose { text += ", announces close" }
            if answersHTTP10 { text += ", 1.0" }
            return text
        }

        /// What the client says of the trace that its request belongs to; nil: nothing.
        var trace: String? {
            switch number % 5 {
            case 0: tracesWell("00")
            case 1: tracesWell("01")
            case 2: number % 2 == 0 ? "00-\(traceID.uppercased())-00000000000000ff-01" : "00-\(traceID)"
            default: nil
            }
        }
        var traceID: String {
            let digits = String(number + 1, radix: 16)
            return "abcdef" + String(repeating: "0", count: 26 - digits.utf8.count) + digits
        }
        /// Whether it is valid.
        var isTraced: Bool { number % 5 < 2 }
        private func tracesWell(_ flags: String) -> String { "00-\(traceID)-00000000000000ff-\(flags)" }
        /// What the first origin was told that it came to.
        var toldTrace: String?

        var requestKey: UInt32 { UInt32(number) * 2 }
        var responseKey: UInt32 { UInt32(number) * 2 + 1 }
    }

    /// The byte at a place of a body: what is moved, mixed up, lost or repeated is seen at once.
    @inline(__always)
    func patternByte(_ key: UInt32, _ index: Int) -> UInt8 {
        let word = (UInt32(truncatingIfNeeded: index) ^ (key &* 0x85EB_CA6B)) &* 0x9E37_79B1
        return UInt8(truncatingIfNeeded: word >> 24)
    }

    func appendPattern(_ key: UInt32, _ range: Range<Int>, to bytes: inout [UInt8]) {
        bytes.reserveCapacity(bytes.count + range.count)
        for index in range { bytes.append(patternByte(key, index)) }
    }

    extension [UInt8] {
        mutating func append(_ text: String) { append(contentsOf: text.utf8) }

        func isPattern(_ range: Range<Int>, _ key: UInt32, from offset: Int) -> Bool {
            for index in range where self[index] != patternByte(key, offset + index - range.lowerBound) {
                return false
            }
            return true
        }
    }
#endif
