/// The configuration's schema for editors (JSON Schema 2020-12): they complete keys by it and mark what is wrong.
public enum JSONSchema {
    public static var text: String {
        let root = ConfigurationSchema.keys.map(\.entry) + [includeEntry]
        var lines = [
            "{", "  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",",
            "  \"title\": \"Configuration of uproxy\",",
        ]
        lines += object(root, indent: "  ")
        lines.append("}")
        return lines.joined(separator: "\n")
    }

    private static var includeEntry: SchemaEntry {
        SchemaEntry(
            name: "include",
            summary: "Files whose keys are as if they stood here; relative to this one, patterns allowed.",
            isRequired: false, shape: .list(.value(ValueSyntax<String>.text("a path").schema)))
    }

    /// The members of an object's schema, without its braces.
    private static func object(_ entries: [SchemaEntry], indent: String) -> [String] {
        var lines = ["\(indent)\"type\": \"object\",", "\(indent)\"additionalProperties\": false,"]
        let required = entries.filter(\.isRequired).map { jsonString($0.name) }
        if !required.isEmpty { lines.append("\(indent)\"required\": [\(required.joined(separator: ", "))],") }
        lines.append("\(indent)\"properties\": {")
        for (index, entry) in entries.enumerated() {
            let inner = indent + "    "
            lines.append("\(indent)  \(jsonString(entry.name)): {")
            lines.append("\(inner)\"description\": \(jsonString(entry.summary)),")
            lines += shape(entry.shape, indent: inner)
            lines.append("\(indent)  }\(index == entries.count - 1 ? "" : ",")")
        }
        lines.append("\(indent)}")
        return lines
    }

    private static func shape(_ shape: SchemaShape, indent: String) -> [String] {
        switch shape {
        case .value(let schema): return ["\(indent)\(schema)"]
        case .object(let entries): return object(entries, indent: indent)
        case .either(let schema, let entries):
            return ["\(indent)\"anyOf\": [{\(schema)}, {"] + object(entries, indent: indent + "  ") + [
                "\(indent)}]"
            ]
        case .list(let item):
            let items =
                ["\(indent)  \"type\": \"array\", \"items\": {"] + Self.shape(item, indent: indent + "    ")
            let schema: String
            switch item {
            case .value(let scalar), .either(let scalar, _): schema = scalar
            case .list, .object, .map:
                return ["\(indent)\"type\": \"array\",", "\(indent)\"items\": {"]
                    + Self.shape(item, indent: indent + "  ") + ["\(indent)}"]
            }
            // One alone may stand without being a list.
            return ["\(indent)\"anyOf\": [{"] + items + ["\(indent)  }", "\(indent)}, {\(schema)}]"]
        case .map(let value):
            return [
                "\(indent)\"type\": \"object\",",
                // Names of the user's; those of fields and parameters are what they are.
                propertyNames(value, indent),
                "\(indent)\"additionalProperties\": {",
            ] + Self.shape(value, indent: indent + "  ") + ["\(indent)}"]
        }
    }

    private static func propertyNames(_ value: SchemaShape, _ indent: String) -> String {
        if case .value = value { return "\(indent)\"minProperties\": 1," }
        return "\(indent)\"propertyNames\": {\"pattern\": \"^[A-Za-z0-9_-]{1,64}$\"},"
    }
}
