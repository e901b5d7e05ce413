/// A queue within one thread: an array with a moving start, shifted now and then.
struct FIFO<Element> {
    private var elements: [Element] = []
    private var start = 0

    init() {}

    var count: Int { elements.count - start }
    var first: Element? { start < elements.count ? elements[start] : nil }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func removeFirst() {
        precondition(start < elements.count)
        start += 1
        // Half of it is gone: moving the rest costs less than what was saved until now.
        if start * 2 > elements.count {
            elements.removeFirst(start)
            start = 0
        }
    }
}
