/// What becomes of the fields of a request or a response, by their names; the texts are read by `Routing/`.
public struct FieldEdits: Sendable, Equatable {
    public struct Field: Sendable, Equatable {
        public var name: String
        /// With placeholders (`FieldTemplate`).
        public var value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// In place of all fields of the name.
    public var set: [Field] = []
    /// Beside those that are there.
    public var add: [Field] = []
    public var remove: [String] = []

    public init(set: [Field] = [], add: [Field] = [], remove: [String] = []) {
        self.set = set
        self.add = add
        self.remove = remove
    }
}
