/// The addresses no proxy should be talked into reaching, after the IANA special-purpose registries (RFC
/// 6890).
enum SpecialAddress {
    /// Why the address is closed by default; nil if it is an ordinary address of the internet.
    static func denial(_ address: IPAddress) -> DestinationDenial? {
        address.isIPv4 ? denial(ipv4: address.ipv4) : denial(ipv6: address)
    }

    /// The IPv4 addresses that an IPv6 address carries for whoever translates it, first and second: a packet
    /// to it may end up there. `isAmbiguous` if there is one that cannot be told.
    struct Embedded {
        var first: IPAddress?
        var second: IPAddress?
        var isAmbiguous = false
    }

    static func embedded(in address: IPAddress) -> Embedded {
        var result = Embedded()
        guard !address.isIPv4 else { return result }
        if address.high == 0 {
            // ::/96, IPv4-compatible (RFC 4291 §2.5.5.1); :: and ::1 are none.
            if address.low >> 32 == 0 && address.low > 1 { result.first = IPAddress(ipv4: address.ipv4) }
            // ::ffff:0:0:0/96, IPv4-translated (RFC 2765 §2.1).
            if address.low >> 32 == 0xFFFF_0000 { result.first = IPAddress(ipv4: address.ipv4) }
        } else if address.high == 0x0064_FF9B_0000_0000 && address.low >> 32 == 0 {
            result.first = IPAddress(ipv4: address.ipv4)  // 64:ff9b::/96, RFC 6052 §2.1.
        } else if address.high >> 16 == 0x0064_FF9B_0001 {
            // 64:ff9b:1::/48 (RFC 8215): where the address stands depends on a prefix length only the
            // operator knows. Of the forms of RFC 6052 §2.2 all but /96 end in 24 zero bits, which no host's
            // address does.
            result.first = IPAddress(ipv4: address.ipv4)
            result.isAmbiguous = address.low & 0xFF_FFFF == 0
        } else if address.high >> 48 == 0x2002 {
            result.first = IPAddress(ipv4: UInt32(truncatingIfNeeded: address.high >> 16))  // RFC 3056 §2.
        } else if address.high >> 32 == 0x2001_0000 {
            // Teredo (RFC 4380 §4): the server, and the client with all its bits inverted.
            result.first = IPAddress(ipv4: UInt32(truncatingIfNeeded: address.high))
            result.second = IPAddress(ipv4: ~address.ipv4)
        }
        return result
    }

    private static func denial(ipv4 a: UInt32) -> DestinationDenial? {
        switch a >> 24 {
        case 0: return .thisNetwork
        case 10: return .privateUse
        case 127: return .loopback
        case 224...239: return .multicast
        case 240...255: return .reserved
        default: break
        }
        switch a >> 16 {
        case 0x6440...0x647F: return .sharedSpace  // 100.64.0.0/10, RFC 6598.
        case 0xA9FE: return .linkLocal  // 169.254.0.0/16, RFC 3927; 169.254.169.254 among them.
        case 0xAC10...0xAC1F: return .privateUse  // 172.16.0.0/12
        case 0xC0A8: return .privateUse  // 192.168.0.0/16
        case 0xC612, 0xC613: return .benchmarking  // 198.18.0.0/15, RFC 2544.
        default: break
        }
        switch a >> 8 {
        case 0xC0_0000: return .protocolAssignment  // 192.0.0.0/24, RFC 6890.
        case 0xC0_0002, 0xC6_3364, 0xCB_0071: return .documentation  // RFC 5737.
        case 0xC0_5863: return .relayAnycast  // 192.88.99.0/24, RFC 7526.
        default: break
        }
        // Addresses that clouds give to services of the host itself, outside all blocks above.
        if a == 0xA83F_8110 { return .linkLocal }  // 168.63.129.16, Azure's virtual public address.
        return nil
    }

    private static func denial(ipv6 address: IPAddress) -> DestinationDenial? {
        if address.high == 0 {
            if address.low == 0 { return .unspecified }
            if address.low == 1 { return .loopback }
            return .transition  // IPv4-compatible, IPv4-translated, and nothing else is assigned there.
        }
        switch address.high >> 54 {
        case 0xFE80 >> 6: return .linkLocal
        case 0xFEC0 >> 6: return .siteLocal  // Deprecated by RFC 3879, still routed by some.
        default: break
        }
        switch address.high >> 56 {
        case 0xFC, 0xFD: return .uniqueLocal
        case 0xFF: return .multicast
        default: break
        }
        if address.high >> 32 == 0x0064_FF9B { return .transition }  // NAT64, RFC 6052, RFC 8215.
        if address.high == 0x0100_0000_0000_0000 { return .discard }  // 100::/64, RFC 6666.
        guard address.high >> 61 == 1 else { return .notGlobal }  // All but 2000::/3.
        if address.high >> 48 == 0x2002 { return .transition }  // 6to4, RFC 3056.
        if address.high >> 32 == 0x2001_0000 { return .transition }  // Teredo, RFC 4380.
        if address.high >> 32 == 0x2001_0DB8 { return .documentation }  // RFC 3849.
        if address.high >> 41 == 0x2001_0000 >> 9 { return .protocolAssignment }  // 2001::/23, RFC 2928.
        if address.high >> 44 == 0x3_FFF0 { return .documentation }  // 3fff::/20, RFC 9637.
        return nil
    }
}
