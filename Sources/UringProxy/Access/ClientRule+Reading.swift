extension ClientRule {
    /// Reads what a configuration says.
    ///
    /// - Parameters:
    ///   - owner: what says so, for remedies: "route".
    ///   - note: is told what is wrong: of a key, with a remedy.
    init(
        _ conditions: some ClientConditions, of owner: String, sets: AddressSets,
        note: (_ key: String, _ message: String, _ remedy: String) -> Void
    ) {
        self.init()
        for (index, text) in conditions.sources.enumerated() {
            do throws(OptionSyntaxError) {
                let prefixes = try sets.prefixes(text)
                if prefixes.isEmpty {
                    note(
                        "source[\(index)]", "the address set \(quoted(text)) is empty: nobody is in it",
                        "take the \(owner) out, or put an address into the set")
                }
                sources += prefixes
            } catch {
                Self.note(error, "source[\(index)]", note)
            }
        }
        geo.countries.add(conditions.countries, "geo.country", GeoRule.Choice.country, note)
        geo.regions.add(conditions.regions, "geo.region", GeoRule.Choice.region, note)
        geo.autonomousSystems.add(
            conditions.autonomousSystems, "geo.asn", GeoRule.Choice.autonomousSystem, note)
    }

    fileprivate static func note(
        _ error: OptionSyntaxError, _ key: String, _ note: (String, String, String) -> Void
    ) {
        let (message, remedy) = error.parts(otherwise: "see the README")
        note(key, message, remedy)
    }
}

extension GeoRule.Choice {
    fileprivate mutating func add(
        _ texts: [String], _ key: String, _ read: (Substring) throws(OptionSyntaxError) -> UInt32,
        _ note: (String, String, String) -> Void
    ) {
        for (index, text) in texts.enumerated() {
            do throws(OptionSyntaxError) { try add(text, read) } catch {
                ClientRule.note(error, "\(key)[\(index)]", note)
            }
        }
    }
}
