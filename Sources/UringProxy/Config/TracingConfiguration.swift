/// What is done about traces (W3C Trace Context), and where their spans go.
public struct TracingConfiguration: Sendable, Equatable {
    /// What is made of a `traceparent` that a client sends.
    public enum Parent: String, Sendable, BitwiseCopyable, CaseIterable {
        /// Its trace goes on, and is sampled if it says so.
        case honour
        /// Its trace goes on, and `sample` says whether it is sampled.
        case resample
        /// A trace begins here.
        case ignore
    }

    /// A name and its value.
    public struct Entry: Sendable, Equatable {
        public var name: String
        public var value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// How a collector is sent spans (OTLP over HTTP, in protobuf).
    public struct Export: Sendable, Equatable {
        /// `http://HOST:PORT/v1/traces`.
        public var endpoint: String
        /// Fields of requests, beside those that there are anyway.
        public var headers: [Entry] = []
        /// For one request, connecting included.
        public var timeout = Nanoseconds.seconds(10)
        /// Spans of a request at most.
        public var batch = 512
        /// How long a span waits for others at most.
        public var interval = Nanoseconds.seconds(5)
        /// Spans that wait at most, of all workers together; those beyond it are dropped.
        public var queue = 2048

        public init(endpoint: String) { self.endpoint = endpoint }
    }

    public var isOn = true
    /// Of traces that begin here one in so many is sampled; 0: none is.
    public var sample = 1
    public var parent = Parent.honour
    /// `service.name`.
    public var service = "uproxy"
    /// `service.instance.id`; nil: drawn when the process starts.
    public var instance: String?
    /// Of the resource, beside those.
    public var attributes: [Entry] = []
    /// nil: no spans are sent.
    public var export: Export?

    public init() {}
}

extension TracingConfiguration {
    /// Whether the collector's address has to be found.
    var namesCollector: Bool {
        guard isOn, let export, let address = try? CollectorAddress(parsing: export.endpoint) else {
            return false
        }
        return address.address == nil
    }
}
