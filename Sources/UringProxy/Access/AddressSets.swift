/// The address sets of a configuration, read with the files they name. What lists of addresses say is read by them.
struct AddressSets: Sendable {
    private static let filePrefix = "file:"
    /// A file with more bad lines than that is not what it should be.
    private static let problemLimit = 5

    private var sets: [String: [AddressPrefix]] = [:]
    private let names: [String]
    /// Each by the path of its key.
    private(set) var problems: [ConfigurationProblem] = []

    init(_ configuration: Configuration) {
        names = configuration.addressSets.map(\.name)
        for set in configuration.addressSets {
            var prefixes: [AddressPrefix] = []
            for (index, item) in set.items.enumerated() {
                prefixes += read(item, "address_sets.\(set.name)[\(index)]")
            }
            sets[set.name] = prefixes
        }
    }

    private mutating func read(_ item: String, _ option: String) -> [AddressPrefix] {
        do throws(OptionSyntaxError) {
            guard item.hasPrefix(Self.filePrefix) else { return try AddressList.parse([item]) }
            return try file(String(item.dropFirst(Self.filePrefix.count)), option)
        } catch {
            note(option, error)
            return []
        }
    }

    /// Lines of addresses and blocks, with comments behind them.
    private mutating func file(_ path: String, _ option: String) throws(OptionSyntaxError) -> [AddressPrefix]
    {
        var prefixes: [AddressPrefix] = []
        var found = 0
        for (number, line) in try ListFile.lines(of: path) {
            let text = line.prefix { $0 != "#" && $0 != " " && $0 != "\t" }
            do throws(OptionSyntaxError) { prefixes += try AddressList.parse([String(text)]) } catch {
                found += 1
                if found > Self.problemLimit { break }
                note(option, error, place: "\(path):\(number): ")
            }
        }
        return prefixes
    }

    /// - Parameter place: where in a file, with what divides it from the message.
    private mutating func note(_ option: String, _ error: OptionSyntaxError, place: String = "") {
        let (message, remedy) = error.parts(otherwise: "write an address or a block")
        problems.append(ConfigurationProblem(option: option, message: place + message, remedy: remedy))
    }

    /// What an item of a list stands for: an address, a block, `unix:`, or the name of a set.
    func prefixes(_ text: String) throws(OptionSyntaxError) -> [AddressPrefix] {
        // No address is written without a dot or a colon, and no name has either.
        if text.contains(".") || text.contains(":") { return try AddressList.parse([text]) }
        if let set = sets[text] { return set }
        let remedy = NearestName.remedy(for: text, among: names, of: "address_sets")
        let other = remedy.hasSuffix("?") ? "" : ", or write an address or a block"
        throw OptionSyntaxError("there is no address set \(quoted(text)): \(remedy)\(other)")
    }
}
