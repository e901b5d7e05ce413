/// What an answer of DNS makes of endpoints.
enum DiscoveredEndpoints {
    /// Every address is one, in an order that does not depend on the answer's, which servers like to turn.
    ///
    /// - Parameter kept: of a partial answer: those that were known before of the family that is missing stay.
    static func of(
        _ answer: ResolverSurvey.Answer, host: String, port: UInt16, keeping kept: [FixedUpstream]
    ) -> [FixedUpstream] {
        // The dot at the end is for DNS, and no part of the name in a Host field.
        let name = host.hasSuffix(".") ? String(host.dropLast()) : host
        var addresses = Set(answer.addresses)
        if answer.isPartial {
            let families = Set(answer.addresses.map(\.isIPv4))
            for endpoint in kept {
                guard let address = endpoint.address?.address, !families.contains(address.isIPv4) else {
                    continue
                }
                addresses.insert(address)
            }
        }
        return addresses.map {
            FixedUpstream(name: name, port: port, address: SocketAddress($0, port: port), isOfName: true)
        }.sorted { $0.identity < $1.identity }
    }

    /// Every record that names a host is one, under the host's name; of two for one place that of the lower priority.
    static func of(_ records: [ServiceRecord]) -> [FixedUpstream] {
        let named = records.filter { record in
            var target = record.target
            return record.port > 0
                && target.withUTF8 { HostName.normalised(unsafe ByteView(UnsafeRawBufferPointer($0))) != nil }
        }
        var seen: Set<String> = []
        return Set(named.map(\.priority)).sorted().flatMap { priority in
            // RFC 2782: weights count among records of the same priority.
            let group = named.filter { $0.priority == priority }
            return zip(group, weights(of: group.map(\.weight))).map { record, weight in
                FixedUpstream(
                    name: record.target, port: record.port, weight: weight, priority: record.priority)
            }
        }.filter { seen.insert($0.identity).inserted }.sorted { $0.identity < $1.identity }
    }

    /// Weights of RFC 2782, 0 to 65535, as those of endpoints: shares stay as near as these can tell. 0 beside others is next to
    /// nothing, and all are alike where none has any.
    static func weights(of records: [UInt16]) -> [UInt32] {
        let range = UpstreamText.weightRange
        guard let largest = records.max(), largest > 0 else { return records.map { _ in range.lowerBound } }
        if largest <= range.upperBound && !records.contains(0) { return records.map { UInt32($0) } }
        return records.map { weight in
            max(range.lowerBound, (UInt32(weight) * range.upperBound + UInt32(largest) / 2) / UInt32(largest))
        }
    }
}
