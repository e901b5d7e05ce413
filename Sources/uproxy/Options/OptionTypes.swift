public import ArgumentParser
public import UringProxy

extension Configuration.IOChoice: ExpressibleByArgument {}
extension Configuration.ZeroCopy: ExpressibleByArgument {}
extension FlightRecorderConfiguration.Switch: ExpressibleByArgument {}
extension FlightTrace.Format: ExpressibleByArgument {}
extension Configuration.KernelTLSChoice: ExpressibleByArgument {}
extension Configuration.ParentAuthorization: ExpressibleByArgument {}
extension Configuration.Splice: ExpressibleByArgument {}
extension BalancingPolicy: ExpressibleByArgument {}
extension Configuration.ForwardedFields: ExpressibleByArgument {}
extension Configuration.UpstreamProxyProtocol: ExpressibleByArgument {}
extension Configuration.UpstreamProxyTLV: ExpressibleByArgument {}
extension ProxyTrust.ProxyProtocol: ExpressibleByArgument {}
extension ProxyTrust.Field: ExpressibleByArgument {}

enum Toggle: String, ExpressibleByArgument, CaseIterable { case on, off }

/// The defaults that help texts name: one source for both.
let defaults = Configuration()

/// What the parser prints after "The value … is invalid for '--option <value>':".
func duration(_ text: String) throws -> Nanoseconds { try Nanoseconds(parsing: text) }

func rate(_ text: String) throws -> MinimumRate { try MinimumRate(parsing: text) }

/// A size that fits `Int64`; smaller bounds are the configuration's to check.
func size(_ text: String) throws -> UInt64 { try ByteSize.parse(text) }

func durationHelp(_ text: ArgumentHelp.StringLiteralType, _ value: Nanoseconds) -> ArgumentHelp {
    ArgumentHelp("\(text) (default: \(value.isOn ? "\(value)" : "off")).", valueName: "duration")
}

func sizeHelp(_ text: ArgumentHelp.StringLiteralType, _ bytes: UInt64) -> ArgumentHelp {
    ArgumentHelp("\(text) (default: \(bytes == 0 ? "off" : ByteSize.describe(bytes))).", valueName: "size")
}

func countHelp(_ text: ArgumentHelp.StringLiteralType, _ count: Int) -> ArgumentHelp {
    ArgumentHelp("\(text) (default: \(count == 0 ? "off" : "\(count)")).", valueName: "n")
}
