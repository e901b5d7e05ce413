/// What a route table is compiled into. Numbers instead of references: a look-up walks arrays of these.
extension RouteTable {
    /// No node, no chain, no conditions.
    static var none: UInt32 { LabelTable.none }

    /// A place of the paths of one host: the segments from the root to it, literal or placeholders.
    struct Node: BitwiseCopyable, Sendable {
        /// Chain of the rules whose pattern ends here.
        var ends = RouteTable.none
        /// Chain of the rules for this and all below it.
        var prefixes = RouteTable.none
        /// Chain of the rules whose last placeholder takes the rest.
        var rests = RouteTable.none
        /// The node below for a placeholder; those for literal segments are found by hash.
        var placeholder = RouteTable.none
        /// The nearest node above that has `prefixes`.
        var prefixAbove = RouteTable.none
    }

    struct Host: BitwiseCopyable, Sendable {
        var root: UInt32
        /// In the order of the file.
        var expressions: Items
        /// Chain of the rules for any path.
        var anyPath: UInt32
    }

    /// A regular expression, and the host or chain that it leads to.
    struct Expression: BitwiseCopyable, Sendable {
        var code: RegularExpression.Code
        var target: UInt32
    }

    /// A rule in a chain: those with the same host and path, in the order of the file.
    struct Link: BitwiseCopyable, Sendable {
        var rule: UInt32
        /// `none` if it has no others than host and path.
        var conditions: UInt32
        var isLast: Bool
    }

    /// Some of the items of an array, which stand next to each other.
    struct Items: BitwiseCopyable, Sendable {
        var start: UInt32 = 0
        var end: UInt32 = 0
    }

    /// Whether a rule asks for a client's certificate.
    enum Certificate: UInt8, BitwiseCopyable, Sendable { case either, shown, missing }

    /// What a rule asks for beside host and path; nothing where something is empty.
    struct Conditions: BitwiseCopyable, Sendable {
        /// One bit for each `Method`; that of `other` stands for `methodNames`.
        var methods: UInt32 = 0
        var methodNames = Items()
        var fields = Items()
        var query = Items()
        var sources = Items()
        /// Its index among the places, or `none`.
        var geo = RouteTable.none
        var certificate = Certificate.either
    }

    /// A field or a query parameter, and what it must be.
    struct Test: BitwiseCopyable, Sendable {
        enum Kind: UInt8, BitwiseCopyable { case exact, prefix, expression, present, absent }
        var kind: Kind
        /// Of the field.
        var id: FieldName
        /// Of the table's texts.
        var name: ByteRange
        /// Likewise; of an `expression` its index.
        var value: ByteRange
    }

    /// A rule that never takes a request.
    struct Shadowed: Equatable, Sendable {
        let rule: Int
        /// An earlier one with the same host and path that takes all that `rule` would: it asks for the same, or for
        /// nothing else.
        let by: Int
    }
}
