/// Where the requests of a route come from. What is left empty holds for all.
struct GeoRule: Hashable, Sendable {
    /// Values that one has to be, and values that none may be.
    struct Choice: Hashable, Sendable {
        var among: Set<UInt32> = []
        var except: Set<UInt32> = []

        var isEmpty: Bool { among.isEmpty && except.isEmpty }
    }

    var countries = Choice()
    var regions = Choice()
    var autonomousSystems = Choice()

    var isEmpty: Bool { countries.isEmpty && regions.isEmpty && autonomousSystems.isEmpty }
}

extension GeoRule.Choice {
    /// Adds a value: itself, or `!` and itself.
    ///
    /// - Parameter read: a value without the `!`.
    mutating func add(
        _ text: String, _ read: (Substring) throws(OptionSyntaxError) -> UInt32
    ) throws(OptionSyntaxError) {
        if text.hasPrefix("!") {
            except.insert(try read(text.dropFirst()))
        } else {
            among.insert(try read(text[...]))
        }
    }

    static func country(_ text: Substring) throws(OptionSyntaxError) -> UInt32 {
        let code = text.uppercased()
        guard code.utf8.count == 2, code.utf8.allSatisfy({ (65...90).contains($0) }) else {
            throw OptionSyntaxError(
                "\(quoted(String(text))) is no country: write its two letters, such as DE")
        }
        // Reserved, but no database has it.
        if code == "UK" { throw OptionSyntaxError("'UK' is no code of ISO 3166-1: write GB") }
        return GeoCode(code).rawValue
    }

    static func region(_ text: Substring) throws(OptionSyntaxError) -> UInt32 {
        let code = text.uppercased()
        let isCode = code.utf8.allSatisfy { (65...90).contains($0) || (48...57).contains($0) }
        guard isCode, (1...3).contains(code.utf8.count) else {
            throw OptionSyntaxError(
                "\(quoted(String(text))) is no region: write what ISO 3166-2 has behind the hyphen, such as BY for DE-BY"
            )
        }
        return GeoCode(code).rawValue
    }

    static func autonomousSystem(_ text: Substring) throws(OptionSyntaxError) -> UInt32 {
        let digits = text.uppercased().hasPrefix("AS") ? text.dropFirst(2) : text
        guard digits.utf8.allSatisfy({ (48...57).contains($0) }), let number = UInt32(digits), number > 0
        else {
            throw OptionSyntaxError(
                "\(quoted(String(text))) is no number of an autonomous system: write 1 to 4294967295")
        }
        return number
    }
}
