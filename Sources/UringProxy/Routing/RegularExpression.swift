internal import CPcre2

/// A regular expression of the configuration, compiled once for all workers (PCRE2 10.30 or later).
///
/// Bytes, not characters: what it is matched with are a URI's ASCII and field values in whatever encoding they have. It
/// is not anchored: `^` and `$` are.
@safe final class RegularExpression: Hashable, @unchecked Sendable {
    let text: String
    let ignoresCase: Bool
    /// Capturing groups, the whole match not counted.
    let groupCount: Int
    /// Whether it runs as machine code; where memory may not be executed (SELinux, MemoryDenyWriteExecute=) PCRE2
    /// interprets it, with the same results and some ten times the time.
    let isMachineCode: Bool
    // Never written after this: PCRE2 keeps what a match needs in the match data of whoever runs it.
    private let compiled: OpaquePointer

    /// - Parameter text: as PCRE2 has it, without the "~" of the configuration.
    init(_ text: String, ignoringCase: Bool) throws(OptionSyntaxError) {
        guard !text.isEmpty else {
            throw OptionSyntaxError(
                "'~' has no regular expression behind it: write for example '~^/v[0-9]+/'")
        }
        if text.hasPrefix("*") {
            throw OptionSyntaxError(
                "\(quoted("~" + text)) is nginx's way to ignore case: write \(quoted("~(?i)" + text.dropFirst()))"
            )
        }
        // Never UTF: no pattern may ask for it with (*UTF), as subjects are not checked. "$" is the end, not also what
        // stands before a last line feed.
        var options = UInt32(PCRE2_NEVER_UTF) | UInt32(PCRE2_DOLLAR_ENDONLY)
        if ignoringCase { options |= UInt32(PCRE2_CASELESS) }
        var error: Int32 = 0
        var offset = 0
        let bytes = Array(text.utf8)
        let code = unsafe bytes.withUnsafeBufferPointer {
            unsafe pcre2_compile_8($0.baseAddress, $0.count, options, &error, &offset, nil)
        }
        guard let code = unsafe code else {
            throw OptionSyntaxError(
                "\(quoted("~" + text)) is no regular expression: \(Self.message(of: error)) (PCRE2, after"
                    + " \(offset) of its bytes)")
        }
        self.text = text
        ignoresCase = ignoringCase
        unsafe compiled = code
        isMachineCode = unsafe pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE)) == 0
        var groups: UInt32 = 0
        unsafe _ = pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_CAPTURECOUNT), &groups)
        groupCount = Int(groups)
    }

    deinit { unsafe pcre2_code_free_8(compiled) }

    /// What a matcher runs, without counting references; good as long as the expression.
    var code: Code { unsafe Code(compiled) }

    @safe struct Code: BitwiseCopyable, @unchecked Sendable {
        private let compiled: OpaquePointer

        @unsafe fileprivate init(_ compiled: OpaquePointer) { unsafe self.compiled = compiled }

        @inline(__always)
        var pointer: OpaquePointer { unsafe compiled }
    }

    static func == (a: RegularExpression, b: RegularExpression) -> Bool {
        a.text == b.text && a.ignoresCase == b.ignoresCase
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(text)
        hasher.combine(ignoresCase)
    }

    private static func message(of error: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let size = unsafe buffer.withUnsafeMutableBufferPointer {
            unsafe pcre2_get_error_message_8(error, $0.baseAddress, $0.count)
        }
        return String(decoding: buffer.prefix(max(0, Int(size))), as: UTF8.self)
    }
}
