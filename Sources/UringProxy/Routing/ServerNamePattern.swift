/// Which server names a rule is for: `example.org`, or `*.example.org` for every name below it, by any number of labels, but not
/// for itself. Letter case and a final dot never matter.
struct ServerNamePattern: Hashable, Sendable {
    /// In lower case, without a final dot, and without `*.`.
    let name: String
    let isWildcard: Bool

    init(parsing text: String) throws(OptionSyntaxError) {
        if text.hasPrefix("~") {
            throw OptionSyntaxError(
                "\(quoted(text)) is a regular expression: write names, or *.NAME for all below one")
        }
        if text == "*" {
            throw OptionSyntaxError("'*' would be any name: name the listener's 'cluster:' for the rest")
        }
        switch (try? HostPattern(parsing: text))?.kind {
        case .exact(let name)? where IPAddress(name) == nil: (self.name, isWildcard) = (name, false)
        case .exact?:
            throw OptionSyntaxError("\(quoted(text)) is an address: clients ask for names alone (RFC 6066)")
        case .below(let name)?: (self.name, isWildcard) = (name, true)
        case .expression?, nil:
            throw OptionSyntaxError(
                "\(quoted(text)) is no server name: write a name (an international one as xn--…), or *.NAME for all below it"
            )
        }
    }
}
