/// Names of fields that are dropped from a head before it is rewritten, one after the other in bytes: the id, the size, the
/// name in lower case.
struct FieldNameList: BitwiseCopyable {
    /// Bytes of a name.
    static var nameLimit: Int { 255 }

    let bytes: ByteView

    /// The list as bytes.
    ///
    /// - Parameter names: each of 1 to `nameLimit` bytes.
    static func encoded(_ names: [String]) -> [UInt8] {
        var result: [UInt8] = []
        for name in names {
            var lower = name.lowercased()
            precondition((1...nameLimit).contains(lower.utf8.count))
            result += lower.withUTF8 { bytes in
                let id = FieldName.lookup(unsafe ByteView(UnsafeRawBufferPointer(bytes)))
                return unsafe [id.rawValue, UInt8(bytes.count)] + Array(bytes)
            }
        }
        return result
    }

    /// In lower case; for messages.
    var names: [String] {
        var names: [String] = []
        var at = 0
        while at < bytes.count {
            let end = at + 2 + Int(bytes[at + 1])
            names.append(bytes[at + 2..<end].string)
            at = end
        }
        return names
    }

    /// Takes what the list names out of a head: rewriters pass over lines that end at this hop.
    func drop(from fields: inout FieldTable, _ head: ByteView) {
        for index in 0..<fields.count
        where !fields[index].isHopByHop && contains(fields[index].id, head[fields[index].name]) {
            fields[index].isHopByHop = true
        }
    }

    /// Whether the list has a name, which is of this id.
    func contains(_ id: FieldName, _ name: ByteView) -> Bool {
        var at = 0
        while at < bytes.count {
            let size = Int(bytes[at &+ 1])
            let start = at &+ 2
            // A known name is told by its id.
            if bytes[at] == id.rawValue
                && (id != .other || bytes[start..<start &+ size].equalsIgnoringCase(name))
            {
                return true
            }
            at = start &+ size
        }
        return false
    }
}
