/// The "combined" format of Apache and nginx, byte for byte as nginx writes it:
/// `CLIENT - USER [TIME] "REQUEST" STATUS BYTES "REFERER" "USER AGENT"`.
extension AccessLogFormat {
    /// Each byte of a text becomes four at most.
    static var escapedSize: Int { 4 }

    static func appendCombined(_ view: AccessRecordView, to output: inout [UInt8]) {
        let texts = AccessLogTexts(view.texts)
        write(to: &output, atMost: 192 + Self.escapedSize * view.texts.count) { writer in
            writer.append(view.record.client, otherwise: "-")
            writer.append(" - ")
            writer.append(escapedWord: texts[.user])
            writer.append(" [")
            AccessLogTime(nanoseconds: view.record.startedAt).writeCommon(to: &writer)
            writer.append("] \"")
            appendRequest(view, texts, to: &writer)
            writer.append("\" ")
            writer.append(digits: UInt64(view.record.status), 3)
            writer.append(byte: UInt8(ascii: " "))
            writer.append(decimal: view.record.responseBytes)
            writer.append(" \"")
            writer.append(escapedOrDash: texts[.referer])
            writer.append("\" \"")
            writer.append(escapedOrDash: texts[.userAgent])
            writer.append("\"\n")
        }
    }

    private static func appendRequest(
        _ view: AccessRecordView, _ texts: AccessLogTexts, to writer: inout ByteWriter
    ) {
        let (method, target) = (texts[.method], texts[.target])
        guard !method.isEmpty || !target.isEmpty else {
            writer.append("-")
            return
        }
        writer.append(escaped: method)
        writer.append(" ")
        writer.append(escaped: target)
        let version = view.record.word(.version)
        guard version.utf8CodeUnitCount > 0 else { return }
        writer.append(" ")
        writer.append(version)
    }
}
