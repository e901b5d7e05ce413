/// What is kept of an exchange's place in a trace, beside its other notes.
///
/// It has two spans: that of the request as it was received, and that of the request as it was sent. Every attempt is of the second one,
/// as the same bytes are sent again, and so are those of a mirror.
struct SpanNotes: BitwiseCopyable {
    /// The trace, the received request's span, and the flags.
    var context: TraceParent
    /// The span that the client named; 0: the trace begins here.
    var parent: UInt64
    /// That the client named in Host; 0: none.
    var port: UInt16 = 0
    /// When the last attempt began; 0: there was none. Monotonic, until it is published: then since 1970.
    var attemptedAt: Int64 = 0
    /// When it was over but for what the client has yet to take; likewise.
    var endedAt: Int64 = 0

    var isSampled: Bool { context.flags.contains(.isSampled) }

    /// The sent request's span. That of the received one is even, so that the two tell each other apart, and are found by each other.
    var sentSpan: UInt64 { context.span | 1 }

    /// What the endpoint is told.
    var sent: TraceParent {
        TraceParent(high: context.high, low: context.low, span: sentSpan, flags: context.flags)
    }
}

/// What goes from a worker to the exporter: in front of the texts of an exchange.
struct SpanRecord: BitwiseCopyable {
    /// Its `size` is that of all, texts included.
    var record: AccessRecord
    var notes: SpanNotes

    /// How many spans it makes.
    var spanCount: Int { notes.attemptedAt == 0 ? 1 : 2 }
}

/// A record with its texts, in a ring.
struct SpanRecordView: BitwiseCopyable {
    let record: AccessRecord
    let notes: SpanNotes
    let texts: ByteView

    /// - Parameter bytes: of one record.
    /// - Returns: nil if they are none.
    init?(_ bytes: ByteView) {
        let fixed = MemoryLayout<SpanRecord>.size
        guard bytes.count >= fixed else { return nil }
        let whole = unsafe UnsafeRawPointer(bytes.pointer).loadUnaligned(as: SpanRecord.self)
        guard whole.record.size == bytes.count else { return nil }
        record = whole.record
        notes = whole.notes
        texts = bytes.dropFirst(fixed)
    }
}
