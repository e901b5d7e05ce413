/// A configuration as a file would say it, each value with where it came from. What it prints can be read again.
public struct ConfigurationPrinter {
    private let configuration: Configuration
    private let origins: ValueOrigins

    /// - Parameters:
    ///   - configuration: what is in effect.
    ///   - file: what it began as, if it did as a file.
    public init(_ configuration: Configuration, file: ConfigurationFile?) {
        self.configuration = configuration
        origins = ValueOrigins(configuration, file: file)
    }

    public var text: String {
        var lines: [(text: String, origin: String?)] = []
        if case .object(let entries)? = writtenObject(ConfigurationSchema.keys, configuration) {
            for entry in entries { add(entry.value, name: entry.name, path: entry.name, depth: 0, &lines) }
        }
        let width = min(56, lines.map(\.text.count).max() ?? 0)
        return lines.map { line in
            guard let origin = line.origin else { return line.text }
            return line.text + String(repeating: " ", count: max(1, width - line.text.count + 2)) + "# "
                + origin
        }.joined(separator: "\n")
    }

    private func add(
        _ value: WrittenValue, name: String, path: String, depth: Int,
        _ lines: inout [(text: String, origin: String?)]
    ) {
        let indent = String(repeating: "  ", count: depth)
        switch value {
        case .scalar(let text):
            lines.append(("\(indent)\(Self.scalar(name)): \(Self.scalar(text))", origin(of: path)))
        case .object(let entries):
            lines.append(("\(indent)\(Self.scalar(name)):\(entries.isEmpty ? " {}" : "")", nil))
            for entry in entries {
                add(entry.value, name: entry.name, path: "\(path).\(entry.name)", depth: depth + 1, &lines)
            }
        case .list(let items):
            lines.append(("\(indent)\(Self.scalar(name)):", nil))
            for (index, item) in items.enumerated() {
                addItem(item, path: "\(path)[\(index)]", depth: depth + 1, &lines)
            }
        }
    }

    private func addItem(
        _ item: WrittenValue, path: String, depth: Int, _ lines: inout [(text: String, origin: String?)]
    ) {
        let indent = String(repeating: "  ", count: depth)
        switch item {
        case .scalar(let text): lines.append(("\(indent)- \(Self.scalar(text))", origin(of: path)))
        case .list: preconditionFailure("no key has lists of lists")
        case .object(let entries):
            if entries.isEmpty {
                lines.append(("\(indent)- {}", origin(of: path)))
                return
            }
            let start = lines.count
            for entry in entries {
                add(entry.value, name: entry.name, path: "\(path).\(entry.name)", depth: depth + 1, &lines)
            }
            // The first key stands behind the hyphen.
            lines[start].text.replaceSubrange(
                lines[start].text
                    .startIndex..<lines[start].text.index(
                        lines[start].text.startIndex, offsetBy: indent.count + 2),
                with: indent + "- ")
        }
    }

    private func origin(of path: String) -> String { origins.text(of: path) ?? "default" }

    /// In quotes where YAML would read something else.
    private static func scalar(_ text: String) -> String {
        let plain = text.utf8.enumerated().allSatisfy { index, byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "/"), UInt8(ascii: "."),
                UInt8(ascii: "_"):
                true
            case UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: ":"): index > 0
            default: false
            }
        }
        if plain && !text.isEmpty && !text.hasSuffix(":") { return text }
        let isPrintable = text.unicodeScalars.allSatisfy { (0x20...0x7E).contains($0.value) }
        // What is read again is looked through for the environment.
        let literal = text.replacing("${", with: "$${")
        return isPrintable ? "'\(literal.replacing("'", with: "''"))'" : escaped(literal)
    }

    /// In double quotes, with all that is not ASCII or not to be seen as its number (YAML 1.1 §5.6).
    private static func escaped(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case "\n": result += "\\n"
            case " "..."~": result.unicodeScalars.append(scalar)
            default:
                let digits = String(scalar.value, radix: 16)
                result += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
            }
        }
        return result + "\""
    }
}
