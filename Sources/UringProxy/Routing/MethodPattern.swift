/// A method that a rule is for. Case matters (RFC 9110 §9.1); GET does not stand for HEAD.
enum MethodPattern: Hashable, Sendable {
    case known(Method)
    /// Any other, such as PROPFIND.
    case named(String)

    init(parsing text: String) throws(OptionSyntaxError) {
        guard !text.isEmpty else {
            throw OptionSyntaxError("a method is empty: leave the methods out for any method")
        }
        if text == "*" { throw OptionSyntaxError("'*' would be any method: leave the methods out for that") }
        guard text.utf8.count <= HeadLimits.methodBytes, text.utf8.allSatisfy(\.isTokenByte) else {
            throw OptionSyntaxError("\(quoted(text)) is no method: write for example GET or PROPFIND")
        }
        let method = Self.lookup(text)
        if method == .other && Self.lookup(text.uppercased()) != .other {
            throw OptionSyntaxError(
                "\(quoted(text)) is another method than \(quoted(text.uppercased())): write it in capitals")
        }
        self = method == .other ? .named(text) : .known(method)
    }

    private static func lookup(_ text: String) -> Method {
        var text = text
        return text.withUTF8 { Method.lookup(unsafe ByteView(UnsafeRawBufferPointer($0))) }
    }
}
