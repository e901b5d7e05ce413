/// Why no rule is looked for: what the path names is not certain. The answer is 400.
enum PathProblem: Error, BitwiseCopyable {
    /// A "%" that no two hexadecimal digits follow.
    case badEncoding
    /// `%00`: where a string of C ends for one reader and not for the next.
    case nul
    /// A ".." that would remove an empty segment, as in `/a//../b`: `/a/b` to who removes dot segments first
    /// (RFC 3986 §5.2.4), `/b` to who merges slashes first (nginx). Or an encoded slash beside a dot segment or another slash.
    case ambiguous

    var message: String {
        switch self {
        case .badEncoding: "the path has a % that no two hexadecimal digits follow"
        case .nul: "the path has an encoded NUL"
        case .ambiguous:
            "the path has a .. behind an empty segment, or an encoded slash beside dots or another slash"
        }
    }
}
