/// CRC-32C (Castagnoli), as RFC 9260 appendix A has it.
///
/// Four bits at a step by a table of 16: one header a connection, of at most a few KiB, is no reason for more.
struct Checksum32C: BitwiseCopyable {
    private var state = UInt32.max

    var value: UInt32 { ~state }

    mutating func add(_ byte: UInt8) {
        state ^= UInt32(byte)
        state = state >> 4 ^ Self.step(state & 15)
        state = state >> 4 ^ Self.step(state & 15)
    }

    mutating func add(_ bytes: ByteView) {
        for index in 0..<bytes.count { add(bytes[index]) }
    }

    /// The remainder that four bits leave.
    private static func step(_ bits: UInt32) -> UInt32 {
        let table: InlineArray<16, UInt32> = [
            0x0000_0000, 0x105E_C76F, 0x20BD_8EDE, 0x30E3_49B1, 0x417B_1DBC, 0x5125_DAD3, 0x61C6_9362,
            0x7198_540D, 0x82F6_3B78, 0x92A8_FC17, 0xA24B_B5A6, 0xB215_72C9, 0xC38D_26C4, 0xD3D3_E1AB,
            0xE330_A81A, 0xF36E_6F75,
        ]
        return table[Int(bits)]
    }
}
