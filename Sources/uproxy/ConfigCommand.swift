internal import ArgumentParser
internal import UringProxy

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Show what is in effect, or what a configuration file may say.",
        subcommands: [Print.self, Schema.self])

    struct Print: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the configuration in effect, each value with where it came from.",
            usage: "uproxy config print [--config FILE] [options of uproxy run]",
            discussion: "What is printed is a configuration file itself.")

        @OptionGroup(visibility: .hidden) var options: ServerOptions

        func run() throws {
            let (configuration, file) = try options.checked()
            print(ConfigurationPrinter(configuration, file: file).text)
        }
    }

    struct Schema: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the JSON Schema of the configuration file, for editors.",
            discussion: """
                Editors with the YAML language server use it after a first line '# yaml-language-server: \
                $schema=PATH' in the file.
                """)

        func run() { print(JSONSchema.text) }
    }
}
