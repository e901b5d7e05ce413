"""Names of addresses in a process, out of its map and of the symbol tables of the files that it maps."""
import bisect
import mmap
import os
import struct

from .stacks import LIBRARY, PROGRAM, Frame, unknown


class SymbolFile:
    """Functions of an ELF file of 64 bits, by address."""

    def __init__(self, path):
        self.segments, self.starts, self.functions = [], [], []
        functions = {}
        apart = self._read(path, functions)
        # Of a library that was stripped, where Debian's packages with -dbg in their names put the rest.
        if apart and os.path.exists(apart):
            self._read(apart, functions)
        self.starts = sorted(functions)
        self.functions = [functions[start][1:] for start in self.starts]

    def _read(self, path, functions):
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size < 64:
                return None
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as image:
                return self._read_image(image, functions) if image[:5] == b"\x7fELF\x02" else None

    def _read_image(self, image, functions):
        """Adds its functions; where its symbols are if they are in a file apart."""
        apart, is_first = None, not self.segments
        program_headers, section_headers = struct.unpack_from("<QQ", image, 32)
        program_size, program_count, section_size, section_count = struct.unpack_from("<HHHH", image, 54)
        for index in range(program_count):
            kind, _, offset, address, _, size = struct.unpack_from("<IIQQQQ", image, program_headers + index * program_size)
            if kind == 1 and is_first:  # PT_LOAD
                self.segments.append((offset, size, address))
        sections = [struct.unpack_from("<IIQQQQIIQQ", image, section_headers + index * section_size)
                    for index in range(section_count)]
        for _, kind, _, _, offset, size, link, _, _, entry in sections:
            if kind == 7 and image[offset + 8:offset + 16] == b"\3\0\0\0GNU\0":  # SHT_NOTE, NT_GNU_BUILD_ID
                identifier = image[offset + 16:offset + size].hex()
                apart = f"/usr/lib/debug/.build-id/{identifier[:2]}/{identifier[2:]}.debug"
            if kind not in (2, 11) or not entry:  # SHT_SYMTAB, SHT_DYNSYM
                continue
            names = sections[link][4]
            for at in range(offset, offset + size, entry):
                name, info, _, section, value, length = struct.unpack_from("<IBBHQQ", image, at)
                if info & 15 not in (2, 10) or not section or not name:  # STT_FUNC, STT_GNU_IFUNC
                    continue
                # Several names of one place: the one that is seen outside, and of these the first.
                rank = (info >> 4 == 0, length == 0)
                if value not in functions or rank < functions[value][0]:
                    end = image.find(b"\0", names + name)
                    functions[value] = (rank, length, image[names + name:end].decode("ascii", "replace"))
        return apart

    def name(self, offset):
        """The function that the byte at this offset of the file belongs to, or nothing."""
        for start, size, address in self.segments:
            if start <= offset < start + size:
                break
        else:
            return None
        address += offset - start
        index = bisect.bisect_right(self.starts, address) - 1
        if index < 0:
            return None
        size, name = self.functions[index]
        # Assembly often has no sizes: up to the next one then.
        return name.partition("@")[0] if not size or address < self.starts[index] + size else None


class Symbols:
    """Names in one process, whose program is `program`."""

    def __init__(self, maps, program):
        self.program = os.path.realpath(program)
        self.files, self.frames = {}, {}
        self.ranges = []
        for line in maps.splitlines():
            parts = line.split(None, 5)
            if len(parts) < 6 or "x" not in parts[1]:
                continue
            start, end = (int(part, 16) for part in parts[0].split("-"))
            self.ranges.append((start, end, int(parts[2], 16), parts[5].removesuffix(" (deleted)")))
        self.ranges.sort()

    def frame(self, address):
        if address not in self.frames:
            self.frames[address] = self._frame(address)
        return self.frames[address]

    def _frame(self, address):
        index = bisect.bisect_right(self.ranges, (address, 1 << 64, 0, "")) - 1
        if index < 0 or address >= self.ranges[index][1]:
            return None
        start, _, offset, path = self.ranges[index]
        kind = PROGRAM if path == self.program else LIBRARY
        if not path.startswith("/"):
            return Frame(path, LIBRARY)  # [vdso]
        if path not in self.files:
            try:
                self.files[path] = SymbolFile(path)
            except OSError:
                self.files[path] = None
        file = self.files[path]
        return Frame(file and file.name(address - start + offset) or unknown(path), kind)

    def stack(self, addresses):
        """Frames, outermost first, of addresses from the innermost on; all but the first are where calls return to."""
        frames = [self.frame(address - (position > 0)) for position, address in enumerate(addresses)]
        # What the map does not know is no code: a frame pointer that was none.
        return tuple(frame for frame in reversed(frames) if frame)
