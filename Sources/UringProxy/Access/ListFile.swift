/// A text file that has one item a line; empty lines and those that begin with `#` are none.
enum ListFile {
    /// Larger files are no lists.
    static let sizeLimitBytes = 64 << 20

    static func lines(of path: String) throws(OptionSyntaxError) -> [(number: Int, text: String)] {
        lines(in: try text(of: path))
    }

    /// All of it.
    static func text(of path: String) throws(OptionSyntaxError) -> String {
        let bytes: [UInt8]
        do throws(SystemCallError) {
            bytes = try WholeFile.read(path, limitBytes: sizeLimitBytes)
        } catch {
            let reason = error.reasonOfFile(limitBytes: sizeLimitBytes)
            throw OptionSyntaxError("\(quoted(path)) \(reason): check the path")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw OptionSyntaxError("\(quoted(path)) is no text in UTF-8: check the path")
        }
        return text
    }

    static func lines(in text: String) -> [(number: Int, text: String)] {
        var lines: [(number: Int, text: String)] = []
        // "\r\n" is one character, so that bytes are split.
        for (index, line) in text.utf8.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
            let line = trimmedLine(Substring(line))
            if !line.isEmpty && !line.hasPrefix("#") { lines.append((index + 1, String(line))) }
        }
        return lines
    }

    private static func trimmedLine(_ line: Substring) -> Substring {
        let isSpace: (Unicode.Scalar) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" }
        var scalars = line.unicodeScalars.drop(while: isSpace)
        while let last = scalars.last, isSpace(last) { scalars.removeLast() }
        return Substring(scalars)
    }
}
