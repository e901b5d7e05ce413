internal import CPosix

// The runtime's own: it is in every program, and the standard library shows it nowhere.
@_silgen_name("swift_demangle")
private func runtimeDemangle(
    _ name: UnsafePointer<CChar>, _ size: UInt, _ buffer: UnsafeMutablePointer<CChar>?,
    _ bufferSize: UnsafeMutablePointer<UInt>?, _ flags: UInt32
) -> UnsafeMutablePointer<CChar>?

/// What functions are called. Reads files: not for workers.
enum FunctionNames {
    /// The function that each address is in, as it stands in the source; without a name, where in which file it is.
    static func of(_ addresses: [UInt64]) -> [String] { addresses.map { name(of: $0) } }

    private static func name(of address: UInt64) -> String {
        var name = [CChar](repeating: 0, count: 4096)
        var file = [CChar](repeating: 0, count: 256)
        var offset: UInt64 = 0
        unsafe name.withUnsafeMutableBufferPointer { name in
            unsafe file.withUnsafeMutableBufferPointer { file in
                unsafe cposix_symbol(
                    address, name.baseAddress!, name.count, file.baseAddress!, file.count, &offset)
            }
        }
        let symbol = text(name)
        if !symbol.isEmpty { return demangled(symbol) }
        let image = text(file)
        return (image.isEmpty ? "" : image + "+") + "0x" + String(offset, radix: 16)
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func demangled(_ symbol: String) -> String {
        guard symbol.hasPrefix("$s") || symbol.hasPrefix("_$s") else { return symbol }
        let name: String? = unsafe symbol.withCString { pointer in
            guard let result = unsafe runtimeDemangle(pointer, UInt(symbol.utf8.count), nil, nil, 0) else {
                return nil
            }
            defer { unsafe free(result) }
            return unsafe String(cString: result)
        }
        return name.map(shortened) ?? symbol
    }

    /// Without what the compiler made of it, types of parameters and results, and the module: `Engine.received(_:_:)`.
    static func shortened(_ name: String) -> String {
        var rest = Substring(name)
        for marker in [
            "specialized ", "merged ", "partial apply forwarder for ", "partial apply for ",
            "protocol witness for ",
        ] {
            while rest.hasPrefix(marker) { rest = rest.dropFirst(marker.count) }
        }
        // "generic specialization <UringProxy.UringDriver> of UringProxy.Engine…", "function signature specialization <…> of …".
        while rest.hasPrefix("generic ") || rest.hasPrefix("function signature ")
            || rest.hasPrefix("reabstraction ")
        {
            guard let range = rest.range(afterAngles: "> of ") else { break }
            rest = rest[range...]
        }
        var text = withoutPlaces(String(rest))
        var prefix = ""
        if text.hasPrefix("closure #"), let last = text.ranges(of: " in ").last {
            text = String(text[last.upperBound...])
            prefix = "closure in "
        }
        if text.hasPrefix("(extension in "), let end = text.ranges(of: "):").first {
            text = String(text[end.upperBound...])
        }
        text = withoutGenerics(text)
        let function = text.prefix { $0 != "(" }
        return prefix + String(function.isEmpty ? text[...] : function).replacing("UringProxy.", with: "")
    }

    /// What is private has its file's mark with it: `(name in _0123…)`.
    private static func withoutPlaces(_ name: String) -> String {
        var text = name
        while let mark = text.ranges(of: " in _").first,
            let start = text[..<mark.lowerBound].lastIndex(of: "("),
            let end = text[mark.upperBound...].firstIndex(of: ")")
        {
            text.replaceSubrange(start...end, with: String(text[text.index(after: start)..<mark.lowerBound]))
        }
        return text
    }

    private static func withoutGenerics(_ name: String) -> String {
        var text = ""
        var depth = 0
        var before: Character = " "
        for character in name {
            if character == "<" { depth += 1 }
            if depth == 0 { text.append(character) }
            // Not of an arrow.
            if character == ">" && before != "-" && depth > 0 { depth -= 1 }
            before = character
        }
        return text
    }
}

extension Substring {
    /// What comes after the angle brackets at its beginning are closed and `end` follows; nil if that does not.
    fileprivate func range(afterAngles end: String) -> Index? {
        var depth = 0
        var index = startIndex
        while index < endIndex {
            switch self[index] {
            case "<": depth += 1
            case ">" where depth == 1:
                return self[index...].hasPrefix(end) ? self.index(index, offsetBy: end.count) : nil
            // Of an arrow.
            case ">" where depth > 1 && self[self.index(before: index)] != "-": depth -= 1
            default: break
            }
            index = self.index(after: index)
        }
        return nil
    }
}
