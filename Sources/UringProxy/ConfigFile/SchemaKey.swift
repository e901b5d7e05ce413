/// One key of a mapping in the configuration file: its name, what it means, and how it gets into a `Target` and out of it.
/// Reading, the JSON Schema and `uproxy config print` all follow from this one declaration.
struct SchemaKey<Target>: Sendable {
    let name: String
    /// One sentence, for editors and readers.
    let summary: String
    /// The command line's option that means the same.
    let option: String?
    let isRequired: Bool
    let shape: SchemaShape
    let read:
        @Sendable (_ node: YAMLNode, _ path: String, _ target: inout Target, _ reader: inout SchemaReader) ->
            Void
    /// nil: there is nothing to show.
    let write: @Sendable (Target) -> WrittenValue?
    /// It is known to be looked for here, and cannot be had.
    var isRefused = false
}

/// What may stand at a place of the file.
indirect enum SchemaShape: Sendable {
    /// A scalar, as a JSON Schema without its braces.
    case value(String)
    case list(SchemaShape)
    case object([SchemaEntry])
    /// A scalar or an object.
    case either(String, [SchemaEntry])
    /// Names of the user's, each with such a value.
    case map(SchemaShape)
}

/// A key without its type.
struct SchemaEntry: Sendable {
    let name: String
    let summary: String
    let isRequired: Bool
    let shape: SchemaShape
}

/// A configuration on its way back into text.
indirect enum WrittenValue: Sendable, Equatable {
    case scalar(String)
    case list([WrittenValue])
    case object([(name: String, value: WrittenValue)])

    static func == (a: WrittenValue, b: WrittenValue) -> Bool {
        switch (a, b) {
        case (.scalar(let a), .scalar(let b)): a == b
        case (.list(let a), .list(let b)): a == b
        case (.object(let a), .object(let b)):
            a.elementsEqual(b) { $0.name == $1.name && $0.value == $1.value }
        case (.scalar, _), (.list, _), (.object, _): false
        }
    }
}

extension SchemaKey {
    var entry: SchemaEntry { SchemaEntry(name: name, summary: summary, isRequired: isRequired, shape: shape) }

    /// A scalar.
    static func value<Value: Sendable>(
        _ name: String, _ property: any WritableKeyPath<Target, Value> & Sendable,
        _ syntax: ValueSyntax<Value>,
        _ summary: String, option: String? = nil, isRequired: Bool = false
    ) -> SchemaKey {
        SchemaKey(
            name: name, summary: summary, option: option, isRequired: isRequired,
            shape: .value(syntax.schema),
            read: { node, path, target, reader in
                if let value = reader.value(node, path, syntax) { target[keyPath: property] = value }
            }, write: { .scalar(syntax.write($0[keyPath: property])) })
    }

    /// A scalar that may be left out.
    static func optional<Value: Sendable>(
        _ name: String, _ property: any WritableKeyPath<Target, Value?> & Sendable,
        _ syntax: ValueSyntax<Value>,
        _ summary: String
    ) -> SchemaKey {
        SchemaKey(
            name: name, summary: summary, option: nil, isRequired: false, shape: .value(syntax.schema),
            read: { node, path, target, reader in
                if let value = reader.value(node, path, syntax) { target[keyPath: property] = value }
            }, write: { $0[keyPath: property].map { .scalar(syntax.write($0)) } })
    }

    /// The path of a file, that may be left out; a relative one is so to the file it stands in.
    static func path(
        _ name: String, _ property: any WritableKeyPath<Target, String?> & Sendable, _ summary: String,
        option: String? = nil
    ) -> SchemaKey {
        let syntax = ValueSyntax<String>.text("the path of a file")
        return SchemaKey(
            name: name, summary: summary, option: option, isRequired: false, shape: .value(syntax.schema),
            read: { node, path, target, reader in
                if let value = reader.value(node, path, syntax) {
                    target[keyPath: property] = node.position.path(of: value)
                }
            }, write: { $0[keyPath: property].map { .scalar($0) } })
    }

    /// The path of a file, that has to be there; a relative one is so to the file it stands in.
    static func path(
        _ name: String, required property: any WritableKeyPath<Target, String> & Sendable, _ summary: String
    ) -> SchemaKey {
        let syntax = ValueSyntax<String>.text("the path of a file")
        return SchemaKey(
            name: name, summary: summary, option: nil, isRequired: true, shape: .value(syntax.schema),
            read: { node, path, target, reader in
                if let value = reader.value(node, path, syntax) {
                    target[keyPath: property] = node.position.path(of: value)
                }
            }, write: { .scalar($0[keyPath: property]) })
    }

    /// Paths of files; one alone may stand there without being a list, and a relative one is so to the file it stands in.
    static func paths(
        _ name: String, _ property: any WritableKeyPath<Target, [String]> & Sendable, _ summary: String
    ) -> SchemaKey {
        let syntax = ValueSyntax<String>.text("the path of a file")
        return SchemaKey(
            name: name, summary: summary, option: nil, isRequired: false,
            shape: .list(.value(syntax.schema)),
            read: { node, path, target, reader in
                var paths: [String] = []
                for (item, itemPath) in reader.items(node, path) {
                    guard let value = reader.value(item, itemPath, syntax) else { continue }
                    paths.append(item.position.path(of: value))
                }
                target[keyPath: property] = paths
            },
            write: { target in
                let paths = target[keyPath: property]
                return paths.isEmpty ? nil : .list(paths.map { .scalar($0) })
            })
    }

    /// A mapping that may be left out.
    static func object<Item: Sendable>(
        _ name: String, _ property: any WritableKeyPath<Target, Item?> & Sendable, _ summary: String,
        new: @escaping @Sendable () -> Item, _ keys: [SchemaKey<Item>]
    ) -> SchemaKey {
        SchemaKey(
            name: name, summary: summary, option: nil, isRequired: false, shape: .object(keys.entries()),
            read: { node, path, target, reader in
                var value = new()
                reader.object(node, path, keys, into: &value)
                target[keyPath: property] = value
            }, write: { $0[keyPath: property].flatMap { writtenObject(keys, $0) } })
    }

    /// A key that stands elsewhere, though one might look for it here.
    static func refused(_ name: String, _ message: String, _ remedy: String) -> SchemaKey {
        SchemaKey(
            name: name, summary: message, option: nil, isRequired: false, shape: .value(""),
            read: { node, path, _, reader in
                reader.note(FileProblem(node.position, path: path, message, remedy))
            }, write: { _ in nil }, isRefused: true)
    }

    /// A mapping that is a part of the target's.
    static func part<Item: Sendable>(
        _ name: String, _ property: any WritableKeyPath<Target, Item> & Sendable, _ summary: String,
        _ keys: [SchemaKey<Item>]
    ) -> SchemaKey {
        SchemaKey(
            name: name, summary: summary, option: nil, isRequired: false, shape: .object(keys.entries()),
            read: { node, path, target, reader in
                reader.object(node, path, keys, into: &target[keyPath: property])
            }, write: { writtenObject(keys, $0[keyPath: property]) })
    }

    /// Names of the user's, each with a text or several.
    static func pairLists<Item: Sendable>(
        _ name: String, _ property: any WritableKeyPath<Target, [Item]> & Sendable, _ summary: String,
        pair: @escaping @Sendable (String, String) -> Item,
        parts: @escaping @Sendable (Item) -> (String, String)
    ) -> SchemaKey {
        let syntax = ValueSyntax<String>.text("a text")
        return SchemaKey(
            name: name, summary: summary, option: nil, isRequired: false,
            shape: .map(.list(.value(syntax.schema))),
            read: { node, path, target, reader in
                for (key, items) in reader.entries(node, path) {
                    let keyPath = path + "." + key.name
                    reader.noteOrigin(of: keyPath, items.position)
                    for (item, itemPath) in reader.items(items, keyPath) {
                        if let value = reader.value(item, itemPath, syntax) {
                            target[keyPath: property].append(pair(key.name, value))
                        }
                    }
                }
            },
            write: { target in
                var lists: [(name: String, value: WrittenValue)] = []
                for (name, value) in target[keyPath: property].map(parts) {
                    guard case .list(let before)? = lists.last?.value, lists.last?.name == name else {
                        lists.append((name, .list([.scalar(value)])))
                        continue
                    }
                    lists[lists.count - 1].value = .list(before + [.scalar(value)])
                }
                return lists.isEmpty ? nil : .object(lists)
            })
    }

    /// Names of the user's, each with a text.
    static func pairs<Item: Sendable>(
        _ name: String, _ property: any WritableKeyPath<Target, [Item]> & Sendable, _ summary: String,
        pair: @escaping @Sendable (String, String) -> Item,
        parts: @escaping @Sendable (Item) -> (String, String)
    ) -> SchemaKey {
        let syntax = ValueSyntax<String>.text("a text")
        return SchemaKey(
            name: name, summary: summary, option: nil, isRequired: false, shape: .map(.value(syntax.schema)),
            read: { node, path, target, reader in
                for (key, item) in reader.entries(node, path) {
                    if let value = reader.value(item, path + "." + key.name, syntax) {
                        target[keyPath: property].append(pair(key.name, value))
                    }
                }
            },
            write: { target in
                let items = target[keyPath: property].map(parts)
                return items.isEmpty ? nil : .object(items.map { ($0.0, .scalar($0.1)) })
            })
    }

    /// A list of texts, each of which may be written as a mapping as well; one alone may stand there without being a list.
    ///
    /// - Parameter text: what a mapping means.
    static func texts<Item: Sendable>(
        _ name: String, _ property: any WritableKeyPath<Target, [String]> & Sendable,
        _ syntax: ValueSyntax<String>, _ summary: String, new: @escaping @Sendable () -> Item,
        text: any KeyPath<Item, String> & Sendable, _ keys: [SchemaKey<Item>]
    ) -> SchemaKey {
        SchemaKey(
            name: name, summary: summary, option: nil, isRequired: false,
            shape: .list(.either(syntax.schema, keys.entries())),
            read: { node, path, target, reader in
                var texts: [String] = []
                for (item, itemPath) in reader.items(node, path) {
                    guard case .mapping = item.value else {
                        if let value = reader.value(item, itemPath, syntax) { texts.append(value) }
                        continue
                    }
                    var value = new()
                    reader.object(item, itemPath, keys, into: &value)
                    texts.append(value[keyPath: text])
                }
                target[keyPath: property] = texts
            },
            write: { target in
                let texts = target[keyPath: property]
                return texts.isEmpty ? nil : .list(texts.map { .scalar(syntax.write($0)) })
            })
    }

    /// A list of scalars; one alone may stand there without being a list.
    static func values<Value: Sendable>(
        _ name: String, _ property: any WritableKeyPath<Target, [Value]> & Sendable,
        _ syntax: ValueSyntax<Value>,
        _ summary: String, option: String? = nil, isRequired: Bool = false
    ) -> SchemaKey {
        SchemaKey(
            name: name, summary: summary, option: option, isRequired: isRequired,
            shape: .list(.value(syntax.schema)),
            read: { node, path, target, reader in
                var values: [Value] = []
                for (item, itemPath) in reader.items(node, path) {
                    if let value = reader.value(item, itemPath, syntax) { values.append(value) }
                }
                target[keyPath: property] = values
            },
            write: { target in
                let values = target[keyPath: property]
                return values.isEmpty ? nil : .list(values.map { .scalar(syntax.write($0)) })
            })
    }

    /// A section: keys that are the target's own.
    static func section(_ name: String, _ summary: String, _ keys: [SchemaKey<Target>]) -> SchemaKey {
        SchemaKey(
            name: name, summary: summary, option: nil, isRequired: false, shape: .object(keys.entries()),
            read: { node, path, target, reader in reader.object(node, path, keys, into: &target) },
            write: { target in writtenObject(keys, target) })
    }

    /// A list of mappings.
    static func objects<Item: Sendable>(
        _ name: String, _ property: any WritableKeyPath<Target, [Item]> & Sendable, _ summary: String,
        new: @escaping @Sendable () -> Item, _ keys: [SchemaKey<Item>]
    ) -> SchemaKey {
        SchemaKey(
            name: name, summary: summary, option: nil, isRequired: false,
            shape: .list(.object(keys.entries())),
            read: { node, path, target, reader in
                for (item, itemPath) in reader.items(node, path) {
                    var value = new()
                    reader.object(item, itemPath, keys, into: &value)
                    target[keyPath: property].append(value)
                }
            },
            write: { target in
                let items = target[keyPath: property]
                return items.isEmpty ? nil : .list(items.compactMap { writtenObject(keys, $0) })
            })
    }

    /// A mapping from names of the user's to mappings.
    static func named<Item: Sendable>(
        _ name: String, _ property: any WritableKeyPath<Target, [Item]> & Sendable, _ summary: String,
        itemName: any WritableKeyPath<Item, String> & Sendable, new: @escaping @Sendable () -> Item,
        _ keys: [SchemaKey<Item>]
    ) -> SchemaKey {
        SchemaKey(
            name: name, summary: summary, option: nil, isRequired: false,
            shape: .map(.object(keys.entries())),
            read: { node, path, target, reader in
                for (key, item) in reader.entries(node, path) {
                    let itemPath = path + "." + key.name
                    guard reader.checkName(key, itemPath) else { continue }
                    var value = new()
                    value[keyPath: itemName] = key.name
                    reader.object(item, itemPath, keys, into: &value)
                    target[keyPath: property].append(value)
                }
            },
            write: { target in
                let items = target[keyPath: property]
                if items.isEmpty { return nil }
                return .object(
                    items.map { ($0[keyPath: itemName], writtenObject(keys, $0) ?? .object([])) })
            })
    }
}

extension SchemaKey {
    /// A mapping from names of the user's to lists of mappings.
    static func namedLists<List: Sendable, Item: Sendable>(
        _ name: String, _ property: any WritableKeyPath<Target, [List]> & Sendable, _ summary: String,
        itemName: any WritableKeyPath<List, String> & Sendable,
        items: any WritableKeyPath<List, [Item]> & Sendable,
        new: @escaping @Sendable () -> List, newItem: @escaping @Sendable () -> Item,
        _ keys: [SchemaKey<Item>]
    ) -> SchemaKey {
        SchemaKey(
            name: name, summary: summary, option: nil, isRequired: false,
            shape: .map(.list(.object(keys.entries()))),
            read: { node, path, target, reader in
                for (key, item) in reader.entries(node, path) {
                    let listPath = path + "." + key.name
                    guard reader.checkName(key, listPath) else { continue }
                    var list = new()
                    list[keyPath: itemName] = key.name
                    reader.noteOrigin(of: listPath, item.position)
                    for (item, itemPath) in reader.items(item, listPath) {
                        var value = newItem()
                        reader.object(item, itemPath, keys, into: &value)
                        list[keyPath: items].append(value)
                    }
                    target[keyPath: property].append(list)
                }
            },
            write: { target in
                let lists = target[keyPath: property]
                if lists.isEmpty { return nil }
                return .object(
                    lists.map { list in
                        let written = list[keyPath: items].map { writtenObject(keys, $0) ?? .object([]) }
                        return (list[keyPath: itemName], .list(written))
                    })
            })
    }
}

extension Array {
    /// Those keys that may be there.
    fileprivate func entries<Target>() -> [SchemaEntry] where Element == SchemaKey<Target> {
        filter { !$0.isRefused }.map(\.entry)
    }
}

extension SchemaKey {
    /// A mapping from names of the user's to lists of scalars.
    ///
    /// - Parameter fileItems: what an item begins with that names a file: a relative path is so to the file it stands in.
    static func namedItems<List: Sendable>(
        _ name: String, _ property: any WritableKeyPath<Target, [List]> & Sendable, _ summary: String,
        itemName: any WritableKeyPath<List, String> & Sendable,
        items: any WritableKeyPath<List, [String]> & Sendable, new: @escaping @Sendable () -> List,
        _ syntax: ValueSyntax<String>, fileItems: String
    ) -> SchemaKey {
        SchemaKey(
            name: name, summary: summary, option: nil, isRequired: false,
            shape: .map(.list(.value(syntax.schema))),
            read: { node, path, target, reader in
                for (key, item) in reader.entries(node, path) {
                    let listPath = path + "." + key.name
                    guard reader.checkName(key, listPath) else { continue }
                    var list = new()
                    list[keyPath: itemName] = key.name
                    reader.noteOrigin(of: listPath, item.position)
                    for (item, itemPath) in reader.items(item, listPath) {
                        guard var value = reader.value(item, itemPath, syntax) else { continue }
                        if value.hasPrefix(fileItems) {
                            value =
                                fileItems + item.position.path(of: String(value.dropFirst(fileItems.count)))
                        }
                        list[keyPath: items].append(value)
                    }
                    target[keyPath: property].append(list)
                }
            },
            write: { target in
                let lists = target[keyPath: property]
                if lists.isEmpty { return nil }
                return .object(
                    lists.map {
                        ($0[keyPath: itemName], .list($0[keyPath: items].map { .scalar(syntax.write($0)) }))
                    })
            })
    }
}

/// The keys that have something to show.
func writtenObject<Target>(_ keys: [SchemaKey<Target>], _ target: Target) -> WrittenValue? {
    let written = keys.compactMap { key in key.write(target).map { (key.name, $0) } }
    return written.isEmpty ? nil : .object(written)
}
