#if DEBUG || TESTABLE
    @testable internal import UringProxy

    /// What becomes of Proxy-Authorization on the way to a parent.
    enum ParentAuthorization: CaseIterable {
        case dropped, passed
        /// The proxy shows credentials of its own.
        case own

        static let credentials = "user:secret"

        /// What a parent is to be shown where downstream has shown the proxy `received`.
        func shown(_ received: String?) -> String? {
            switch self {
            case .dropped: nil
            case .passed: received
            case .own: "Basic dXNlcjpzZWNyZXQ="
            }
        }
    }

    /// One CONNECT, what a parent on its way says to it, and what became of both.
    final class TunnelPlan {
        enum Answer: Equatable {
            case opens
            /// A response of this status.
            case refuses(Int)
            // What no answer is.
            case closes, resets, isSilent, isGarbage, switches
            /// A response of this status that ends within its body.
            case isCut(Int)
        }

        let number: Int
        /// With its port.
        let host: String
        let isThroughParent: Bool
        /// The client's Proxy-Authorization.
        var credentials: String?
        /// What a PROXY protocol header is to tell the parent.
        var addresses: AddressPair?

        // What the parent says.
        var answer = Answer.opens
        var hasInterim = false
        /// What it says beside a status of success, which means nothing there.
        var opening = ""
        var openingStatus = 200
        var opensHTTP10 = false
        var refusalBody = ExchangePlan.Body.length
        var refusalSize = 0
        var announcesClose = false
        /// Nanoseconds.
        var thinkTime: Int64 = 0
        /// Who was refused asks once more on the same connection, and is let through.
        var asksAgain = false

        // What happened.
        /// How often the client asked, and a parent was.
        var asked = 0
        var arrivals = 0
        var isRefused = false
        var isOpen = false

        init(number: Int, host: String, isThroughParent: Bool) {
            self.number = number
            self.host = host
            self.isThroughParent = isThroughParent
        }

        /// Apart from those of requests, responses and tunnels.
        var refusalKey: UInt32 { UInt32(number) | 1 << 29 }
    }
#endif
