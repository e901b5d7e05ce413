/// Hashes of keys and of endpoints' names.
///
/// Its seed is a constant: every worker and every instance behind the same address has to send a key to the same
/// endpoint, restarts included. Who knows it can find keys that all fall on one endpoint; the load bound keeps that from
/// being more than the endpoint's share.
enum KeyHash {
    static let seed: UInt64 = 0x7570_726F_7879_2E31

    /// Never 0.
    static func hash(_ bytes: ByteView, seed: UInt64 = seed) -> UInt64 {
        var hash = seed ^ UInt64(bytes.count) &* 0x9E37_79B9_7F4A_7C15
        var index = 0
        while index &+ 8 <= bytes.count {
            hash = mix(hash, bytes.word(at: index).littleEndian)
            index &+= 8
        }
        var rest: UInt64 = 0
        while index < bytes.count {
            rest = rest << 8 | UInt64(bytes[index])
            index &+= 1
        }
        return finish(mix(hash, rest))
    }

    /// Never 0.
    static func hash(_ address: IPAddress) -> UInt64 { finish(mix(mix(seed, address.high), address.low)) }

    /// The `number`th hash that belongs to another.
    static func derive(_ hash: UInt64, _ number: Int) -> UInt64 { finish(mix(hash, UInt64(number))) }

    /// Both halves of the product: no bit of either is lost. The constant after it keeps zeros from staying zeros.
    @inline(__always)
    private static func mix(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let product = (hash ^ word).multipliedFullWidth(by: 0xFF51_AFD7_ED55_8CCD)
        return (product.high ^ product.low) &+ 0x9E37_79B9_7F4A_7C15
    }

    /// One bit more or less in the key changes half of all bits: places on the ring are chosen by the high ones.
    @inline(__always)
    private static func finish(_ hash: UInt64) -> UInt64 {
        var word = hash
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return max(word ^ word >> 31, 1)
    }
}
