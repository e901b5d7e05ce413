/// Which paths a rule is for, all in the form of `PathNormalizer`.
///
/// | Text | What it matches |
/// | --- | --- |
/// | `/a/b` | this path |
/// | `/a/*` | it and all below it, by segments: `/a`, `/a/`, `/a/b/c`, not `/ab` |
/// | `/users/{id}/posts/{post}` | one segment, not empty, for each placeholder |
/// | `/files/{path...}` | what follows the slash, any number of segments or nothing |
/// | `~^/v[0-9]+/` | where the regular expression is found |
///
/// Letter case matters, and so does a final slash.
struct PathPattern: Hashable, Sendable {
    enum Segment: Hashable, Sendable {
        case literal(String)
        case placeholder(String)
        /// The last one.
        case rest(String)
    }
    enum Kind: Hashable, Sendable {
        case exact([String])
        /// None for `/*`.
        case prefix([String])
        case template([Segment])
        case expression(RegularExpression)
    }

    /// A look-up notes where so many segments of a path are, and goes on with the pattern below them.
    static var segmentLimit: Int { 64 }

    let kind: Kind

    init(parsing text: String) throws(OptionSyntaxError) {
        if text.hasPrefix("~") {
            kind = .expression(try RegularExpression(String(text.dropFirst()), ignoringCase: false))
            return
        }
        kind = try PathPatternParser(text).parse()
    }

    /// The names under which a rewrite may ask for parts of the path, in the order of `RouteMatch`'s captures: those of
    /// placeholders, or the numbers of a regular expression's groups.
    var captureNames: [String] {
        switch kind {
        case .exact, .prefix: []
        case .template(let segments):
            segments.compactMap { segment in
                switch segment {
                case .literal: nil
                case .placeholder(let name), .rest(let name): name
                }
            }
        case .expression(let expression):
            (0..<min(expression.groupCount, RouteMatch.captureLimit)).map { String($0 + 1) }
        }
    }
}
